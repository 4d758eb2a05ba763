using System.Globalization;
using LfrEngine.Watchlists;
using Microsoft.VisualBasic.FileIO;

namespace LfrEngine.Host;

/// <summary>Reads who is to be enrolled: a folder of sub-folders, or a CSV list beside the photos.</summary>
internal static class PeopleFolder
{
    private static readonly string[] PictureEndings = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];
    private static readonly string[] Columns = ["id", "name", "category", "reference", "image_date", "source", "photos"];

    /// <summary>Reads <paramref name="path"/>.</summary>
    /// <param name="path">A CSV file; or a folder, with people.csv in it or one sub-folder per person.</param>
    /// <param name="category">Category of people whose entry names none.</param>
    /// <exception cref="CommandFailure">There is nobody, or the CSV is wrong; the message names file and line.</exception>
    public static List<EnrolmentRequest> Read(string path, WatchlistCategory category)
    {
        string list = File.Exists(path) ? path : Path.Combine(path, "people.csv");
        if (!File.Exists(list) && !Directory.Exists(path))
            throw new CommandFailure(ExitCode.Input, $"{path} does not exist. Give a folder with one sub-folder of photos per person, or a CSV file with the columns {string.Join(", ", Columns)}.");
        List<EnrolmentRequest> people = File.Exists(list) ? ReadCsv(list, category) : ReadFolders(path, category);
        return people.Count > 0 ? people : throw new CommandFailure(ExitCode.Input, $"{path} names nobody: it needs one sub-folder of photos per person, or a people.csv.");
    }

    private static List<EnrolmentRequest> ReadFolders(string path, WatchlistCategory category) =>
        [.. Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).Select(folder =>
        {
            string id = Path.GetFileName(folder);
            return new EnrolmentRequest(new WatchlistIdentity(id, id.Replace('_', ' '), category), PicturesIn(folder));
        })];

    private static List<EnrolmentRequest> ReadCsv(string list, WatchlistCategory category)
    {
        var people = new List<EnrolmentRequest>();
        string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        using var parser = new TextFieldParser(list) { Delimiters = [","], HasFieldsEnclosedInQuotes = true, TrimWhiteSpace = true };
        try
        {
            string[] header = [.. (parser.ReadFields() ?? []).Select(h => h.ToLowerInvariant().Replace(' ', '_'))];
            string? unknown = header.FirstOrDefault(h => !Columns.Contains(h));
            if (unknown is not null || !header.Contains("id"))
                throw new CommandFailure(ExitCode.Input, unknown is null ? $"{list} has no column \"id\"." : $"{list} has a column \"{unknown}\"; known are {string.Join(", ", Columns)}.");
            while (!parser.EndOfData)
            {
                long line = parser.LineNumber;
                string[] fields = parser.ReadFields()!;
                string? Field(string name) => Array.IndexOf(header, name) is var i and >= 0 && i < fields.Length && fields[i].Length > 0 ? fields[i] : null;
                string id = Field("id") ?? throw new CommandFailure(ExitCode.Input, $"{list}, line {line}: the id is empty.");
                people.Add(new EnrolmentRequest(
                    new WatchlistIdentity(id, Field("name") ?? id, Category(Field("category"), category, list, line), Field("reference"), Date(Field("image_date"), list, line), Field("source")),
                    Photos(Field("photos"), folder, id)));
            }
        }
        catch (MalformedLineException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{list}, line {e.LineNumber}: not a line of comma-separated values.", e);
        }
        return people;
    }

    private static WatchlistCategory Category(string? text, WatchlistCategory fallback, string list, long line)
    {
        if (text is null)
            return fallback;
        return WatchlistCategories.TryParse(text, out WatchlistCategory category)
            ? category
            : throw new CommandFailure(ExitCode.Input, $"{list}, line {line}: \"{text}\" is no category; known are {string.Join(", ", WatchlistCategories.AllNames)}.");
    }

    private static DateOnly? Date(string? text, string list, long line)
    {
        if (text is null)
            return null;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date)
            ? date
            : throw new CommandFailure(ExitCode.Input, $"{list}, line {line}: \"{text}\" is no date; write 2026-01-31.");
    }

    // Named photos, separated by semicolons, or all pictures of the folder that bears the id.
    private static string[] Photos(string? named, string folder, string id) => named is null
        ? PicturesIn(Path.Combine(folder, id))
        : [.. named.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(p => Path.Combine(folder, p))];

    private static string[] PicturesIn(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder).Where(f => PictureEndings.Contains(Path.GetExtension(f).ToLowerInvariant())).Order(StringComparer.Ordinal)]
        : [];
}
