using System.Globalization;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Watchlists;
using Microsoft.VisualBasic.FileIO;

namespace LfrEngine.Host;

/// <summary>A person of a list, as it stands there.</summary>
/// <param name="Line">Line of the CSV file; 0 for a person named by a folder.</param>
/// <param name="Identity">Who and why.</param>
/// <param name="Photos">Names of the photos in their source.</param>
/// <param name="LegalBasis">What allows the search; null when the list does not say.</param>
/// <param name="ReviewedOn">When the entry was last reviewed.</param>
/// <param name="RolePlayer">A consenting role-player of the health check.</param>
/// <param name="Response">What officers are to do.</param>
internal sealed record PersonRow(long Line, WatchlistIdentity Identity, IReadOnlyList<string> Photos, string? LegalBasis = null, DateOnly? ReviewedOn = null, bool RolePlayer = false, string? Response = null)
{
    /// <summary>What enrolment takes of it.</summary>
    public EnrolmentRequest Request => new(Identity, Photos);
}

/// <summary>Where a list of people and their photos lie.</summary>
internal abstract class PeopleSource : IDisposable
{
    private static readonly string[] PictureEndings = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];

    /// <summary>What the list is called in messages.</summary>
    public abstract string List { get; }

    /// <summary>The CSV list.</summary>
    public abstract TextReader OpenList();

    /// <summary>Photos in the folder of that name, in order.</summary>
    public abstract string[] PicturesIn(string folder);

    /// <summary>The full name of a photo that the list names.</summary>
    public abstract string Locate(string photo);

    /// <summary>A photo's bytes, for the caller to dispose; null when it is missing, empty or too large.</summary>
    /// <param name="photo">From <see cref="PicturesIn"/> or <see cref="Locate"/>.</param>
    /// <param name="problem">Why there is none.</param>
    public abstract HostBuffer<byte>? Read(string photo, out string problem);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    protected static bool IsPicture(string name) => PictureEndings.Contains(Path.GetExtension(name).ToLowerInvariant());

    /// <summary>Reads a stream of known length.</summary>
    protected static HostBuffer<byte>? ReadWhole(Stream stream, long length, out string problem)
    {
        problem = length == 0 ? "the file is empty" : length > WatchlistEnroller.MaximumPhotoBytes ? $"the file is larger than {WatchlistEnroller.MaximumPhotoBytes >> 20} MiB" : "";
        if (problem.Length > 0)
            return null;
        HostBuffer<byte> bytes = BufferPool.Rent<byte>((int)length);
        try
        {
            stream.ReadExactly(bytes.Span);
            return bytes;
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }
}

/// <summary>A CSV file on disk, with photos beside it or in folders that bear the ids.</summary>
internal sealed class ListOnDisk(string list) : PeopleSource
{
    private readonly string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;

    public override string List => list;

    public override TextReader OpenList()
    {
        try
        {
            return new StreamReader(InputFile.OpenStream(list));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The list {list} cannot be read: {e.Message}", e);
        }
    }

    public override string[] PicturesIn(string folderName) => PicturesOnDisk(Path.Combine(folder, folderName));

    public override string Locate(string photo) => Path.Combine(folder, photo);

    public override HostBuffer<byte>? Read(string photo, out string problem)
    {
        try
        {
            using FileStream file = InputFile.OpenStream(photo);
            return ReadWhole(file, file.Length, out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"cannot be read: {e.Message}";
            return null;
        }
    }

    /// <summary>Pictures in a folder, in order; none when there is no such folder.</summary>
    public static string[] PicturesOnDisk(string path) => Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Where(IsPicture).Order(StringComparer.Ordinal)] : [];
}

/// <summary>Reads who is to be enrolled: a folder of sub-folders, or a CSV list beside the photos.</summary>
internal static class PeopleFolder
{
    private static readonly string[] Columns = ["id", "name", "category", "reference", "image_date", "source", "photos", "legal_basis", "reviewed_on", "role_player", "response"];

    /// <summary>Reads <paramref name="path"/>.</summary>
    /// <param name="path">A CSV file; or a folder, with people.csv in it or one sub-folder per person.</param>
    /// <param name="category">Category of people whose entry names none.</param>
    /// <exception cref="CommandFailure">There is nobody, or the CSV is wrong; the message names file and line.</exception>
    public static List<PersonRow> Read(string path, WatchlistCategory category)
    {
        string list = File.Exists(path) ? path : Path.Combine(path, "people.csv");
        if (!File.Exists(list) && !Directory.Exists(path))
            throw new CommandFailure(ExitCode.Input, $"{path} does not exist. Give a folder with one sub-folder of photos per person, or a CSV file with the columns {string.Join(", ", Columns)}.");
        if (File.Exists(list))
        {
            using var source = new ListOnDisk(list);
            return ReadCsv(source, category);
        }
        List<PersonRow> people = ReadFolders(path, category);
        return people.Count > 0 ? people : throw new CommandFailure(ExitCode.Input, $"{path} names nobody: it needs one sub-folder of photos per person, or a people.csv.");
    }

    private static List<PersonRow> ReadFolders(string path, WatchlistCategory category) =>
        [.. Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).Select(folder =>
        {
            string id = Path.GetFileName(folder);
            return new PersonRow(0, new WatchlistIdentity(id, id.Replace('_', ' '), category), ListOnDisk.PicturesOnDisk(folder));
        })];

    /// <summary>Reads a CSV list.</summary>
    /// <param name="source">Borrowed.</param>
    /// <param name="category">Category of people whose entry names none.</param>
    /// <exception cref="CommandFailure">There is nobody, or the CSV is wrong; the message names file and line.</exception>
    public static List<PersonRow> ReadCsv(PeopleSource source, WatchlistCategory category)
    {
        string list = source.List;
        var people = new List<PersonRow>();
        using var parser = new TextFieldParser(source.OpenList()) { Delimiters = [","], HasFieldsEnclosedInQuotes = true, TrimWhiteSpace = true };
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
                people.Add(new PersonRow(
                    line,
                    new WatchlistIdentity(id, Field("name") ?? id, Category(Field("category"), category, list, line), Field("reference"), Date(Field("image_date"), list, line), Field("source")),
                    Photos(Field("photos"), source, id), Field("legal_basis"), Date(Field("reviewed_on"), list, line), Yes(Field("role_player"), list, line), Field("response")));
            }
        }
        catch (MalformedLineException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{list}, line {e.LineNumber}: not a line of comma-separated values.", e);
        }
        return people.Count > 0 ? people : throw new CommandFailure(ExitCode.Input, $"{list} names nobody.");
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

    private static bool Yes(string? text, string list, long line) => text switch
    {
        null or "no" => false,
        "yes" => true,
        _ => throw new CommandFailure(ExitCode.Input, $"{list}, line {line}: \"{text}\" in role_player; write yes or no."),
    };

    // Named photos, separated by semicolons, or all pictures of the folder that bears the id.
    private static string[] Photos(string? named, PeopleSource source, string id) => named is null
        ? source.PicturesIn(id)
        : [.. named.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(source.Locate)];
}
