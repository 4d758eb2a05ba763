using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Files;

namespace LfrEngine.Evaluation.Verification;

/// <summary>One comparison of a pair list.</summary>
/// <param name="First">Path of an image, relative to the image folder.</param>
/// <param name="Second">Path of the other.</param>
/// <param name="IsMated">Whether both show the same person.</param>
/// <param name="Fold">From 0.</param>
public readonly record struct ImagePair(string First, string Second, bool IsMated, int Fold);

/// <summary>Reads the pair list of Labeled Faces in the Wild ("view 2", <c>pairs.txt</c>).</summary>
public static class LfwPairs
{
    /// <summary>Reads a list: a header "folds pairs-per-kind", then per fold that many mated lines (name, n, n) and non-mated lines (name, n, name, n).</summary>
    /// <exception cref="DataException">A line is not of that form; the message names it.</exception>
    public static IReadOnlyList<ImagePair> Read(string path)
    {
        string[] lines;
        try
        {
            lines = [.. InputFile.ReadLines(path).Where(l => !string.IsNullOrWhiteSpace(l))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message}", e);
        }
        string[] header = lines.Length > 0 ? lines[0].Split('\t', ' ') : [];
        if (header.Length != 2 || !int.TryParse(header[0], out int folds) || !int.TryParse(header[1], out int perKind) || folds < 2 || perKind < 1)
            throw new DataException($"{path} does not begin with \"folds pairs\" (for example \"10 300\"): it is not an LFW pair list.");
        if (lines.Length - 1 < folds * perKind * 2)
            throw new DataException($"{path} promises {folds} folds of {perKind} mated and {perKind} non-mated pairs but holds {lines.Length - 1} lines.");
        var pairs = new List<ImagePair>(folds * perKind * 2);
        for (int i = 0; i < folds * perKind * 2; i++)
        {
            string[] parts = lines[i + 1].Split('\t', StringSplitOptions.TrimEntries);
            pairs.Add(parts.Length switch
            {
                3 => new ImagePair(Image(parts[0], parts[1]), Image(parts[0], parts[2]), true, i / (2 * perKind)),
                4 => new ImagePair(Image(parts[0], parts[1]), Image(parts[2], parts[3]), false, i / (2 * perKind)),
                _ => throw new DataException($"{path}, line {i + 2}: \"{lines[i + 1]}\" is neither a mated nor a non-mated pair."),
            });
        }
        return pairs;

        string Image(string name, string number) => int.TryParse(number, out int n)
            ? Path.Combine(name, $"{name}_{n:0000}.jpg")
            : throw new DataException($"{path}: \"{number}\" is not an image number.");
    }

    /// <summary>The images of a list, each once.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="folder">Folder of the images.</param>
    public static FaceDataSet Images(IReadOnlyList<ImagePair> pairs, string folder) => new(
        [.. pairs.SelectMany(p => new[] { p.First, p.Second }).Distinct().Select(n => new Sample(n, Path.Combine(folder, n), Path.GetDirectoryName(n)!, "", []))], []);

    /// <summary>Compares all pairs of a list.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="images">From <see cref="Images"/>.</param>
    /// <param name="templates">Of those images. Borrowed.</param>
    /// <returns>A score per pair; −1 where an image failed.</returns>
    public static float[] Compare(IReadOnlyList<ImagePair> pairs, FaceDataSet images, TemplateSet templates)
    {
        var index = images.Samples.Select((s, i) => (s.Name, i)).ToDictionary(e => e.Name, e => e.i);
        return [.. pairs.Select(p => (A: index[p.First], B: index[p.Second])).Select(p => templates.IsAcquired(p.A) && templates.IsAcquired(p.B) ? templates.Score(p.A, p.B) : -1)];
    }
}
