using System.Globalization;
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
    private const string Form = "an LFW pair list begins with \"folds pairs\" (for example \"10 300\"); then follow, for each fold, that many mated lines (name, number, number) and as many non-mated lines (name, number, name, number)";

    /// <summary>Reads a list: a header "folds pairs-per-kind", then per fold that many mated lines (name, n, n) and non-mated lines (name, n, name, n).</summary>
    /// <remarks>Separated by tabs, or by spaces if no name contains a space; empty lines are ignored.</remarks>
    /// <exception cref="DataException">A line is not of that form; the message names it.</exception>
    public static IReadOnlyList<ImagePair> Read(string path)
    {
        try
        {
            using FileStream file = InputFile.OpenStream(path);
            return Read(path, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="name">Name in messages.</param>
    /// <param name="stream">Borrowed.</param>
    /// <exception cref="DataException">A line is not of that form; the message names it.</exception>
    public static IReadOnlyList<ImagePair> Read(string name, Stream stream)
    {
        (int Line, string Text)[] lines = [.. CsvTable.Decode(name, stream, "Save it as UTF-8.").Split('\n').Index().Select(l => (l.Index + 1, l.Item.Trim())).Where(l => l.Item2.Length > 0)];
        if (lines.Length == 0)
            throw new DataException($"{name} is empty: {Form}.");
        (int folds, int perKind) = Header(name, lines[0].Line, lines[0].Text);
        long promised = 2L * folds * perKind;
        if (lines.Length - 1 != promised)
            throw new DataException($"{name}, line {lines[0].Line}: it announces {folds} folds of {perKind} mated and {perKind} non-mated pairs, that is {promised} lines, but the file has {lines.Length - 1}.");
        var pairs = new List<ImagePair>(lines.Length - 1);
        int mated = 0;
        for (int i = 0; i < promised; i++)
        {
            int fold = i / (2 * perKind), first = fold * 2 * perKind;
            ImagePair pair = Pair(name, lines[i + 1].Line, lines[i + 1].Text, fold);
            mated = (i == first ? 0 : mated) + (pair.IsMated ? 1 : 0);
            if (mated > perKind || i - first + 1 - mated > perKind)
                throw new DataException($"{name}, line {lines[i + 1].Line}: this is {(pair.IsMated ? "a mated" : "a non-mated")} pair too many: fold {fold + 1} of {folds} has {perKind} of each kind.");
            pairs.Add(pair);
        }
        return pairs;
    }

    private static (int Folds, int PerKind) Header(string name, int line, string text)
    {
        string[] parts = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (text.Contains(',', StringComparison.Ordinal))
            throw new DataException($"{name}, line {line}: this is a CSV file, which does not give the folds: {Form}. Replace the column names by such a first line, and the commas by tabs.");
        if (parts.Length == 1 && Number(parts[0]) is not null)
            throw new DataException($"{name}, line {line}: a first line with one number belongs to a list without folds (LFW's view 1), but folds are needed, because each is judged at the threshold set on the others: {Form}.");
        if (parts.Length != 2 || Number(parts[0]) is not { } folds || Number(parts[1]) is not { } perKind)
            throw new DataException($"{name}, line {line}: it does not begin with \"folds pairs\": {Form}.");
        if (folds < 2 || perKind < 1)
            throw new DataException($"{name}, line {line}: {folds} {(folds == 1 ? "fold" : "folds")} of {perKind} pairs of each kind: at least two folds with pairs in each are needed, because each fold is judged at the threshold set on the others.");
        return (folds, perKind);
    }

    private static ImagePair Pair(string name, int line, string text, int fold)
    {
        bool tabs = text.Contains('\t', StringComparison.Ordinal);
        string[] parts = tabs ? text.Split('\t', StringSplitOptions.TrimEntries) : text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts.Length switch
        {
            3 => new ImagePair(Image(parts[0], parts[1]), Image(parts[0], parts[2]), true, fold),
            4 => new ImagePair(Image(parts[0], parts[1]), Image(parts[2], parts[3]), false, fold),
            _ => throw new DataException($"{name}, line {line}: {parts.Length} fields are neither a mated pair (name, number, number) nor a non-mated one (name, number, name, number){(tabs ? "" : "; where names have spaces, separate the fields with tabs")}."),
        };

        string Image(string person, string number) =>
            Number(number) is not { } n ? throw new DataException($"{name}, line {line}: \"{number}\" is not an image number.")
            : person.Length == 0 || person.Any(c => c is '/' or '\\' || char.IsControl(c)) || person is "." or ".." ? throw new DataException($"{name}, line {line}: \"{person}\" is not a folder name.")
            : Path.Combine(person, $"{person}_{n:0000}.jpg");
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <summary>The images of a list, each once.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="folder">Folder of the images.</param>
    /// <exception cref="DataException">Some do not exist; a missing file does not count as failure to acquire.</exception>
    public static FaceDataSet Images(IReadOnlyList<ImagePair> pairs, string folder)
    {
        Sample[] samples = [.. pairs.SelectMany(p => new[] { p.First, p.Second }).Distinct().Select(n => new Sample(n, Path.Combine(folder, n), Path.GetDirectoryName(n)!, "", []))];
        Sample[] missing = [.. samples.Where(s => !File.Exists(s.Path))];
        return missing.Length == 0
            ? new FaceDataSet(samples, [])
            : throw new DataException($"{missing.Length} of the {samples.Length} images of the list are not in {folder}; the first is {missing[0].Name}. Give their folder with --images, or remove their pairs from the list.");
    }

    /// <summary>Compares all pairs of a list.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="images">From <see cref="Images"/>.</param>
    /// <param name="templates">Of those images. Borrowed.</param>
    /// <returns>A score per pair; −1 if an image failed.</returns>
    public static float[] Compare(IReadOnlyList<ImagePair> pairs, FaceDataSet images, TemplateSet templates)
    {
        var index = images.Samples.Select((s, i) => (s.Name, i)).ToDictionary(e => e.Name, e => e.i);
        return [.. pairs.Select(p => (A: index[p.First], B: index[p.Second])).Select(p => templates.IsAcquired(p.A) && templates.IsAcquired(p.B) ? templates.Score(p.A, p.B) : -1)];
    }
}
