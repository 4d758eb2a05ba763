using System.Collections.Concurrent;
using System.Security.Cryptography;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Files;
using LfrEngine.Native.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Records.Authorities;

/// <summary>A file in the folder of evidence.</summary>
/// <param name="FileName">In the folder.</param>
/// <param name="Sha256">Of the file.</param>
/// <param name="Document">Its content; null if it is not trusted.</param>
/// <param name="Fault">Why it is not trusted; null if it is.</param>
public sealed record EvidenceEntry(string FileName, string Sha256, EvidenceDocument? Document, string? Fault);

/// <summary>The evidence files of this installation, in <c>evidence</c> of the data folder, added by hand or in the console.</summary>
/// <remarks>A file is trusted if one of the configured laboratories has signed it.</remarks>
internal sealed class EvidenceShelf(Installation installation, FileHashes hashes, Journal journal)
{
    /// <summary>Maximum file size, bytes.</summary>
    public const int LargestBytes = 16 << 20;

    private const int LongestName = 100;

    // By hash, because a valid signature stays valid.
    private readonly ConcurrentDictionary<string, EvidenceDocument> believed = new(StringComparer.Ordinal);

    private string Folder => Path.GetDirectoryName(installation.DataPath("evidence", "_"))!;

    public IReadOnlyList<EvidenceEntry> All() => [.. Directory.EnumerateFiles(Folder, "*.json").Order(StringComparer.Ordinal).Select(Read).OfType<EvidenceEntry>()];

    /// <summary>The file with this hash, under any name.</summary>
    public EvidenceEntry? Find(string sha256) => All().FirstOrDefault(e => e.Sha256 == sha256);

    /// <summary>The bytes of the file with this hash, trusted or not; null if there is none.</summary>
    public byte[]? FileOf(string sha256)
    {
        foreach (string path in Directory.EnumerateFiles(Folder, "*.json").Where(p => hashes.Of(p) == sha256))
        {
            try
            {
                byte[] file = InputFile.ReadBytes(path);
                if (Convert.ToHexStringLower(SHA256.HashData(file)) == sha256)
                    return file;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // As if it were not there: another file may have the same content.
            }
        }
        return null;
    }

    /// <summary>The largest list that some trusted evidence here covers; null if there is none for this embedder.</summary>
    public long? LargestCovered(string embedderSha256) =>
        All().Where(e => e.Document?.EmbedderSha256 == embedderSha256).SelectMany(e => e.Document!.Points).Select(p => (long?)EvidenceDocument.LargestCovered(p)).Max();

    /// <summary>Adds a file if it is trusted.</summary>
    /// <param name="actor">Who adds it.</param>
    /// <param name="fileName">Preferred name; changed if it is taken.</param>
    /// <param name="content">Borrowed.</param>
    /// <param name="stopping">Cancels; no partial file is left.</param>
    /// <exception cref="AuthorityException">It is too large, damaged, or not signed by a trusted laboratory.</exception>
    public async Task<EvidenceEntry> AddAsync(Actor actor, string fileName, Stream content, CancellationToken stopping)
    {
        string partial = Path.Combine(Folder, $".{Guid.NewGuid():N}.partial");
        try
        {
            await using (FileStream file = File.Create(partial))
            {
                await content.CopyToAsync(file, stopping);
                if (file.Length > LargestBytes)
                    throw new AuthorityException([$"The file is too large. Evidence files are at most {LargestBytes >> 20} MiB."]);
            }
            string sha256 = Models.PackageCache.HashOf(partial);
            if (Find(sha256) is { Fault: null } there)
                return there;
            EvidenceDocument document = Verify(partial, sha256, out string? fault) ?? throw new AuthorityException([fault!]);
            string name = Free(fileName);
            await journal.NoteAsync(actor, "evidence.added", $"evidence/{sha256}", new { fileName = name, document.Protocol, document.EmbedderSha256, document.MadeAt }, stopping);
            NewName.Give(partial, Path.Combine(Folder, name));
            return new EvidenceEntry(name, sha256, document, null);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Whether evidence covers a threshold on a list, and the expected rates.</summary>
    /// <param name="threshold">Comparison score, inclusive.</param>
    /// <param name="fileName">For the message.</param>
    /// <param name="evidence">Trusted evidence.</param>
    /// <param name="people">On the list.</param>
    /// <param name="passersBy">Expected.</param>
    /// <param name="embedderSha256">Of the embedder that runs here.</param>
    /// <param name="fault">The reason, if null is returned.</param>
    public static (OperatingPoint Point, Expectation Expected)? Cover(double threshold, string fileName, EvidenceDocument evidence, int people, long passersBy, string embedderSha256, out string? fault)
    {
        fault = null;
        if (evidence.EmbedderSha256 != embedderSha256)
            fault = $"The evidence {fileName} was measured with the embedder {evidence.EmbedderId} ({Short(evidence.EmbedderSha256)}), not with the one used here ({Short(embedderSha256)}).";
        else if (evidence.Find(threshold, people) is not { } point)
            fault = FormattableString.Invariant($"The evidence {fileName} has no measurement at threshold {threshold}; it has {Nearest(evidence, threshold)}.");
        else if (EvidenceDocument.Expect(point, people, passersBy) is not { } expected)
            fault = $"The evidence {fileName} was measured with {new Counted(point.GallerySize):person|people} enrolled, which covers lists of up to {new Counted(EvidenceDocument.LargestCovered(point)):#,0 person|people}; yours has {people}. Use evidence of a larger gallery.";
        else
            return (point, expected);
        return null;
    }

    /// <summary>First digits of a hash, for messages.</summary>
    public static string Short(string sha256) => sha256.Length > 12 ? sha256[..12] : sha256;

    private static string Nearest(EvidenceDocument evidence, double threshold) => string.Join(", ", evidence.Points.Select(p => p.Threshold).Distinct()
        .OrderBy(t => Math.Abs(t - threshold)).Take(5).Order().Select(t => t.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private EvidenceEntry? Read(string path)
    {
        if (hashes.Of(path) is not { } sha256)
            return null;
        EvidenceDocument? document = Verify(path, sha256, out string? fault);
        return new EvidenceEntry(Path.GetFileName(path), sha256, document, fault);
    }

    private EvidenceDocument? Verify(string path, string sha256, out string? fault)
    {
        fault = null;
        if (believed.TryGetValue(sha256, out EvidenceDocument? known))
            return known;
        if (installation.Config.Laboratories.Length == 0)
        {
            fault = "No trusted laboratory is configured. Add its public key under \"laboratories\" in lfr.json.";
            return null;
        }
        foreach (string laboratory in installation.Config.Laboratories)
        {
            try
            {
                return believed[sha256] = EvidenceFile.Verify(path, InputFile.ReadText(installation.PathOf(laboratory)));
            }
            catch (Exception e) when (e is CommandFailure or IOException or UnauthorizedAccessException)
            {
                // The original file name is more useful than the path of the temporary file.
                fault = e.Message.Replace(path, "The file", StringComparison.Ordinal);
            }
        }
        if (installation.Config.Laboratories.Length > 1)
            fault = $"None of the {installation.Config.Laboratories.Length} configured laboratories has signed this file. {fault}";
        return null;
    }

    private string Free(string wanted)
    {
        string stem = string.Concat(Path.GetFileNameWithoutExtension(wanted).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_').Take(LongestName));
        if (stem.Length == 0)
            stem = "evidence";
        string name = stem + ".json";
        for (int i = 2; File.Exists(Path.Combine(Folder, name)); i++)
            name = $"{stem}-{i}.json";
        return name;
    }
}
