using System.Security.Cryptography;
using System.Text;
using LfrEngine.Files;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Data;

/// <summary>One image of one person.</summary>
/// <param name="Name">Path as given in the data set.</param>
/// <param name="Path">Path of the file.</param>
/// <param name="Subject">The person in the image.</param>
/// <param name="Session">When or where it was taken, if known; otherwise empty.</param>
/// <param name="Groups">Value of each of <see cref="FaceDataSet.GroupColumns"/>.</param>
public sealed record Sample(string Name, string Path, string Subject, string Session, IReadOnlyList<string> Groups);

/// <summary>A data set of labelled images.</summary>
/// <param name="Samples">In a fixed order.</param>
/// <param name="GroupColumns">Demographic or other strata, such as sex, skin_tone, age_band, cover; may be none.</param>
public sealed record FaceDataSet(IReadOnlyList<Sample> Samples, IReadOnlyList<string> GroupColumns)
{
    /// <summary>People, in the order in which they first appear.</summary>
    public IReadOnlyList<string> Subjects { get; } = [.. Samples.Select(s => s.Subject).Distinct()];

    /// <summary>Reads a folder with one sub-folder per person, or a CSV with the columns file and subject.</summary>
    /// <param name="path">Folder or file.</param>
    /// <param name="exclude">People to leave out: label errors. Unknown names are ignored.</param>
    /// <exception cref="DataException">The data set is empty, or the CSV is wrong.</exception>
    public static FaceDataSet Read(string path, IReadOnlyCollection<string> exclude)
    {
        FaceDataSet all = Directory.Exists(path) ? ReadFolder(path)
            : File.Exists(path) ? ReadCsv(path)
            : throw new DataException($"{path} does not exist. Give a folder with one sub-folder of images per person, or a CSV file with the columns file, subject.");
        var kept = new FaceDataSet([.. all.Samples.Where(s => !exclude.Contains(s.Subject))], all.GroupColumns);
        return kept.Samples.Count >= 2 ? kept : throw new DataException($"{path} holds fewer than two images: it needs one sub-folder of images per person.");
    }

    /// <summary>Subject of each image, as its number in <see cref="Subjects"/>.</summary>
    public int[] SubjectNumbers()
    {
        var numbers = Subjects.Select((s, i) => (s, i)).ToDictionary(e => e.s, e => e.i);
        return [.. Samples.Select(s => numbers[s.Subject])];
    }

    /// <summary>Values of a group column, sorted; images without a value are in no group.</summary>
    public IReadOnlyList<string> GroupValues(int column) => [.. Samples.Select(s => s.Groups[column]).Where(v => v.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Half of a person, 0 or 1, by a hash of the name: thresholds are set on one half and reported on the other.</summary>
    public static int HalfOf(string subject) => SHA256.HashData(Encoding.UTF8.GetBytes(subject))[0] & 1;

    private static FaceDataSet ReadFolder(string folder)
    {
        try
        {
            return OfFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{folder} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    private static FaceDataSet OfFolder(string folder) => new(
        [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
            .SelectMany(d => Directory.EnumerateFiles(d).Where(PhotoFormat.IsPicture).Order(StringComparer.Ordinal))
            .Select(f => new Sample(Path.GetRelativePath(folder, f), f, Path.GetFileName(Path.GetDirectoryName(f)!), "", []))],
        []);

    private static FaceDataSet ReadCsv(string list)
    {
        CsvTable table = CsvTable.Read(list, "file", "subject");
        string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        string[] groups = [.. table.Columns.Where(c => c is not ("file" or "subject" or "session"))];
        var samples = new List<Sample>();
        var seen = new HashSet<string>();
        var missing = new List<CsvTable.Row>();
        foreach (CsvTable.Row row in table.Rows)
        {
            string file = row.Required("file");
            if (!seen.Add(file))
                throw row.Wrong($"{file} is listed twice");
            if (!File.Exists(Path.Combine(folder, file)))
                missing.Add(row);
            samples.Add(new Sample(file, Path.Combine(folder, file), row.Required("subject"), row["session"], [.. groups.Select(g => row[g])]));
        }
        // A missing picture is an error, not a failure to acquire.
        if (missing.Count > 0)
            throw missing[0].Wrong($"the image {Path.Combine(folder, missing[0]["file"])} does not exist; {missing.Count} of {samples.Count} do not");
        return new FaceDataSet(samples, groups);
    }
}
