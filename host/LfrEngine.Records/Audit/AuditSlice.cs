using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Audit;

/// <summary>A part of a trail, as a file: entries about one deployment whole, every other entry between them as its hash alone (docs/disclosure.md).</summary>
/// <remarks>
/// An entry is covered by its own hash and by the place of that hash in the chain. Between two entries that are there whole the chain can be recomputed; where
/// entries are left out, their hashes stand for them, and only who has the whole trail can confirm those: <see cref="Compare"/>. A chain that could be
/// recomputed through entries left out would have to reveal them.
/// </remarks>
internal sealed class AuditSlice
{
    /// <summary>Format and version.</summary>
    public const string Format = "lfr-audit-slice-1";

    private readonly SortedDictionary<long, string> hashes = [];
    private readonly List<AuditEntry> entries = [];
    private readonly List<AuditSeal> seals = [];

    private AuditSlice(string installation) => Installation = installation;

    /// <summary>Whose trail it is.</summary>
    public string Installation { get; }

    /// <summary>The entries that are there whole, in order.</summary>
    public IReadOnlyList<AuditEntry> Entries => entries;

    /// <summary>Seals of entries in it.</summary>
    public IReadOnlyList<AuditSeal> Seals => seals;

    /// <summary>Entries of which only the hash is there.</summary>
    public int LeftOut => hashes.Count - entries.Count;

    /// <summary>Entries that a seal covers through whole entries alone: nothing about these rests on a hash that cannot be recomputed.</summary>
    public int Tied { get; private set; }

    /// <summary>The first fault, as text; null if there is none.</summary>
    public string? Fault { get; private set; }

    /// <summary>Numbers of the entries about a deployment and its alerts. To whom other alerts were disclosed is not about this one.</summary>
    /// <param name="trail">Whole, in order.</param>
    /// <param name="deployment">Whose.</param>
    /// <param name="alert">The alert that is disclosed.</param>
    public static HashSet<long> About(IReadOnlyList<AuditEntry> trail, Guid deployment, Guid alert)
    {
        string own = AlertActions.SubjectOf(alert);
        HashSet<string> subjects = [own, $"deployment/{deployment}", .. trail.Where(e => e.Action is AlertActions.Raised or AlertActions.Joined && AlertActions.DeploymentOf(e) == deployment).Select(e => e.Subject)];
        return [.. trail.Where(e => subjects.Contains(e.Subject) && (e.Action != AlertActions.Disclosed || e.Subject == own)).Select(e => e.Sequence)];
    }

    /// <summary>The text of a part: from the first of its entries to the seal that covers the last one.</summary>
    /// <param name="installation">Whose trail.</param>
    /// <param name="trail">Whole, in order.</param>
    /// <param name="sealsOfTrail">In order.</param>
    /// <param name="which">Numbers of the entries that are kept whole.</param>
    public static byte[] Write(string installation, IReadOnlyList<AuditEntry> trail, IReadOnlyList<AuditSeal> sealsOfTrail, HashSet<long> which)
    {
        long first = which.Min(), last = sealsOfTrail.FirstOrDefault(s => s.Sequence >= which.Max())?.Sequence ?? trail[^1].Sequence;
        var text = new StringBuilder();
        void Line(object value) => text.Append(JsonSerializer.Serialize(value, AuditJson.Options)).Append('\n');
        Line(new Header(Format, installation, first, trail[(int)first - 1].PreviousHash));
        ILookup<long, AuditSeal> sealing = sealsOfTrail.ToLookup(s => s.Sequence);
        var leftOut = new List<string>();
        for (long number = first; number <= last; number++)
        {
            AuditEntry entry = trail[(int)number - 1];
            if (!which.Contains(number))
                leftOut.Add(entry.Hash);
            if (leftOut.Count > 0 && (which.Contains(number) || number == last || sealing.Contains(number)))
            {
                Line(new { LeftOut = new Gap((which.Contains(number) ? number : number + 1) - leftOut.Count, [.. leftOut]) });
                leftOut.Clear();
            }
            if (which.Contains(number))
                Line(entry);
            foreach (AuditSeal seal in sealing[number])
                Line(new { Seal = seal });
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a part and checks it: hashes, links, seals.</summary>
    /// <param name="text">As <see cref="Write"/> made it.</param>
    /// <param name="signer">Key for the seals.</param>
    /// <returns>Up to its first fault.</returns>
    public static AuditSlice Read(byte[] text, ECDsa signer)
    {
        string[] lines = Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Header? header = lines.Length > 0 ? AuditJson.Parse<Header>(lines[0]) : null;
        var slice = new AuditSlice(header?.Installation ?? "");
        if (header is not { Format: Format, Previous.Length: 64, First: > 0 })
            slice.Fault = $"its first line is not {{\"format\":\"{Format}\",…}}";
        else
            slice.Read(header, lines, signer);
        return slice;
    }

    /// <summary>Compares it with the whole trail, which has been checked: the same hashes, and no entry left out that belongs to it.</summary>
    /// <param name="trail">In order.</param>
    /// <param name="deployment">Whose.</param>
    /// <param name="alert">The alert that is disclosed.</param>
    /// <returns>What differs; null if nothing.</returns>
    public string? Compare(IReadOnlyList<AuditEntry> trail, Guid deployment, Guid alert)
    {
        foreach ((long number, string hash) in hashes)
        {
            if (number > trail.Count)
                return $"the trail ends with entry {trail.Count}, before entry {number} of the bundle";
            if (trail[(int)number - 1].Hash != hash)
                return $"entry {number} of the trail is not the one of the bundle";
        }
        HashSet<long> whole = [.. entries.Select(e => e.Sequence)];
        long last = hashes.Keys.LastOrDefault();
        long[] missing = [.. About(trail, deployment, alert).Where(n => n <= last && !whole.Contains(n)).Order()];
        return missing.Length == 0 ? null : $"{new Counted(missing.Length):entry|entries} of the deployment {(missing.Length == 1 ? "is" : "are")} left out, the first with number {missing[0].ToString(CultureInfo.InvariantCulture)}";
    }

    private void Read(Header header, string[] lines, ECDsa signer)
    {
        // Stands for what comes before.
        AuditEntry? last = header.First == 1 ? null : Stub(header.First - 1, header.Previous);
        int untied = 0;
        for (int i = 1; i < lines.Length && Fault is null; i++)
        {
            if (lines[i].StartsWith("{\"leftOut\"", StringComparison.Ordinal) && AuditJson.Parse<GapLine>(lines[i]) is { LeftOut: { Hashes.Length: > 0 } gap })
            {
                if (gap.First != (last?.Sequence ?? 0) + 1 || gap.Hashes.Any(h => h.Length != 64 || h.Any(c => !char.IsAsciiHexDigitLower(c) && !char.IsAsciiDigit(c))))
                    Fault = $"the hashes from entry {gap.First} on do not follow entry {last?.Sequence ?? 0}";
                for (int n = 0; n < gap.Hashes.Length; n++)
                    hashes[gap.First + n] = gap.Hashes[n];
                last = Stub(gap.First + gap.Hashes.Length - 1, gap.Hashes[^1]);
                untied = 0;
            }
            else if (lines[i].StartsWith("{\"seal\"", StringComparison.Ordinal) && AuditJson.Parse<SealLine>(lines[i]) is { Seal: { } seal })
            {
                Fault = seal.Sequence != last?.Sequence || seal.Hash != last.Hash ? $"the seal of entry {seal.Sequence} belongs to another entry" : AuditChain.SignatureFault(seal, signer);
                seals.Add(seal);
                Tied += untied;
                untied = 0;
            }
            else if (AuditJson.Parse<AuditEntry>(lines[i]) is { } entry)
            {
                Fault = AuditChain.FirstFault([entry], ref last);
                entries.Add(entry);
                hashes[entry.Sequence] = entry.Hash;
                untied++;
            }
            else
            {
                Fault = $"line {i + 1} is neither an entry nor a seal nor hashes";
            }
        }
        if (Fault is null && seals.LastOrDefault()?.Sequence != last?.Sequence)
            Fault = $"no seal covers its last entry, {last?.Sequence}";
    }

    private static AuditEntry Stub(long sequence, string hash) =>
        new() { Sequence = sequence, ActorId = "", ActorName = "", Action = "", Subject = "", Details = "{}", PreviousHash = "", Hash = hash };

    private sealed record Header(string Format, string Installation, long First, string Previous);

    private sealed record Gap(long First, string[] Hashes);

    private sealed record GapLine(Gap? LeftOut);

    private sealed record SealLine(AuditSeal? Seal);
}
