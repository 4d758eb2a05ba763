using System.Security.Cryptography;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Audit;

/// <summary>Checks a trail: its links, its seals, where it ends.</summary>
internal sealed class AuditCheck
{
    private AuditEntry? last;

    /// <summary>The first fault, as text; null if there is none.</summary>
    public string? Fault { get; private set; }

    public long Entries => last?.Sequence ?? 0;

    public int Seals { get; private set; }

    public AuditSeal? LastSeal { get; private set; }

    /// <summary>Entries after the last seal, which anyone with access to the store could have altered, added or removed.</summary>
    public long Unsealed => Entries - (LastSeal?.Sequence ?? 0);

    /// <summary>Entries whose time is more than a second before that of the previous entry.</summary>
    public int StepsBack { get; private set; }

    /// <summary>Checks a trail and returns its entries as they are checked.</summary>
    /// <param name="lines">In order.</param>
    /// <param name="signer">Key for the seals; null if the trail has none.</param>
    /// <param name="kept">A seal or last entry that was kept elsewhere: the trail must contain it with its hash.</param>
    /// <returns>The entries. The other properties are valid after the last one. Ends at the first fault.</returns>
    public IEnumerable<AuditEntry> Pass(IEnumerable<AuditLine> lines, ECDsa? signer, (long Sequence, string Hash)? kept = null)
    {
        foreach (AuditLine line in lines)
        {
            DateTimeOffset? before = last?.At;
            Fault = line.Entry is { } entry ? AuditChain.FirstFault([entry], ref last) : SealFault(line.Seal!, signer);
            if (Fault is null && line.Entry is not null && kept is { } witness && last!.Sequence == witness.Sequence && last.Hash != witness.Hash)
                Fault = $"entry {witness.Sequence} differs from the copy kept elsewhere: the trail has been rewritten";
            if (Fault is not null)
                yield break;
            if (line.Entry is null)
                continue;
            StepsBack += before - line.Entry.At > TimeSpan.FromSeconds(1) ? 1 : 0;
            yield return line.Entry;
        }
        if (kept is { } reached && reached.Sequence > Entries)
            Fault = $"it ends with entry {Entries}, but entry {reached.Sequence} was kept elsewhere: the last entries have been removed";
    }

    private string? SealFault(AuditSeal seal, ECDsa? signer)
    {
        if (seal.Sequence > Entries)
            return $"it ends with entry {Entries}, but a seal covers entry {seal.Sequence}: the last entries have been removed";
        if (seal.Sequence != last?.Sequence)
            return $"the seal of entry {seal.Sequence} is placed after entry {Entries}";
        if (seal.Hash != last.Hash)
            return $"the seal of entry {seal.Sequence} belongs to another entry: the trail has been rewritten";
        if (AuditChain.SignatureFault(seal, signer) is { } fault)
            return fault;
        Seals++;
        LastSeal = seal;
        return null;
    }
}
