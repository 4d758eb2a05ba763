using System.Globalization;
using LfrEngine.Evaluation.Data;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>A person as given in a list.</summary>
/// <param name="Line">Line of the CSV file; 0 for a person named by a folder.</param>
/// <param name="Identity">The person.</param>
/// <param name="Photos">Names of the photos in their source.</param>
/// <param name="LegalBasis">Legal basis of the search; null if not given.</param>
/// <param name="ReviewedOn">When the entry was last reviewed.</param>
/// <param name="RolePlayer">A consenting role-player of the health check.</param>
/// <param name="Response">What officers are to do.</param>
/// <param name="Lookalike">Who is known to look like this person.</param>
/// <param name="Groups">Of a role-player.</param>
/// <param name="ConsentOn">When the role-player consented to the recording of the groups.</param>
internal sealed record PersonRow(long Line, WatchlistIdentity Identity, IReadOnlyList<string> Photos, string? LegalBasis = null, DateOnly? ReviewedOn = null, bool RolePlayer = false, string? Response = null, string? Lookalike = null,
    IReadOnlyDictionary<string, string>? Groups = null, DateOnly? ConsentOn = null)
{
    /// <summary>Advice for a bad folder name.</summary>
    public const string RenameIt = "Rename the folder, or use a people.csv.";

    /// <summary>Why there is nothing to enrol, and what to do; null otherwise.</summary>
    public string? Obstacle { get; init; }

    /// <summary>A point in the face to enrol, for each photo in order; may be fewer than the photos.</summary>
    public IReadOnlyList<PhotoPoint?> Faces { get; init; } = [];

    /// <summary>A point in the face to enrol in a photo; null if not given.</summary>
    public PhotoPoint? FaceIn(int photo) => photo < Faces.Count ? Faces[photo] : null;

    /// <summary>Whether this is not a person but a photo next to the folders of people.</summary>
    public bool IsLoose { get; init; }

    /// <summary>Why this person cannot be on a watchlist; null if they can.</summary>
    public string? Refusal => (Obstacle ?? (Identity.Problem() is { } problem ? $"{problem} {(Line > 0 ? "Change it in the list." : RenameIt)}" : null)) is { } what
        ? $"{(Line > 0 ? $"line {Line}" : IsLoose ? "file" : "folder")} \"{Shown.Name(Identity.Id)}\": {what}"
        : null;
}

/// <summary>A source of a list of people and their photos.</summary>
internal abstract class PeopleSource : IDisposable
{
    // Files that systems create in folders.
    private static readonly string[] s_leftovers = ["thumbs.db", "desktop.ini", "ehthumbs.db"];

    /// <summary>Name of the list in messages.</summary>
    public abstract string List { get; }

    /// <summary>The CSV list, for the caller to dispose.</summary>
    public abstract Stream OpenList();

    /// <summary>Files in the folder of that name, in order; whether they are photos depends on their content.</summary>
    public abstract string[] PicturesIn(string folder);

    /// <summary>The full name of a photo in the list.</summary>
    public abstract string Locate(string photo);

    /// <summary>A photo's bytes, for the caller to dispose; null when it is missing, empty or too large.</summary>
    /// <param name="photo">From <see cref="PicturesIn"/> or <see cref="Locate"/>.</param>
    /// <param name="problem">Why it cannot be read.</param>
    public abstract HostBuffer<byte>? Read(string photo, out string problem);

    public virtual void Dispose()
    {
    }

    /// <summary>Whether a person put the file there: not a hidden file or one that a system creates.</summary>
    protected static bool IsMeant(string name) => Path.GetFileName(name) is var file && !file.StartsWith('.') && !s_leftovers.Contains(file.ToLowerInvariant());

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

/// <summary>A CSV file on disk, with photos next to it or in folders named after the ids.</summary>
internal sealed class ListOnDisk(string list) : PeopleSource
{
    private readonly string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;

    public override string List => list;

    public override Stream OpenList() => InputFile.OpenStream(list);

    public override string[] PicturesIn(string folderName) => PicturesOnDisk(Path.Combine(folder, folderName));

    // A list from Windows uses backslashes.
    public override string Locate(string photo) => Path.Combine(folder, photo) is var path && !File.Exists(path) && photo.Contains('\\', StringComparison.Ordinal)
        ? Path.Combine(folder, photo.Replace('\\', '/'))
        : path;

    public override HostBuffer<byte>? Read(string photo, out string problem) => ReadPhoto(photo, out problem);

    /// <inheritdoc cref="PeopleSource.Read"/>
    public static HostBuffer<byte>? ReadPhoto(string photo, out string problem)
    {
        // Such a name is read with replacement characters and cannot be opened.
        if (photo.Contains('\uFFFD', StringComparison.Ordinal) && !File.Exists(photo))
        {
            problem = "the file name is not valid UTF-8: rename the file";
            return null;
        }
        try
        {
            using FileStream file = InputFile.OpenStream(photo);
            return ReadWhole(file, file.Length, out problem);
        }
        catch (EndOfStreamException)
        {
            problem = "the file became shorter while it was read";
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"cannot be read: {FileTrouble.Words(e)}";
            return null;
        }
    }

    /// <summary>Files in a folder, in order; none if the folder does not exist.</summary>
    public static string[] PicturesOnDisk(string path) => Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Where(IsMeant).Order(StringComparer.Ordinal)] : [];
}

/// <summary>Reads the people to enrol: a folder of sub-folders, or a CSV list next to the photos.</summary>
internal static class PeopleFolder
{
    private const string Unreadable = "The folder cannot be read by this user. Change its permissions.";

    private static readonly string[] Columns = ["id", "name", "category", "reference", "image_date", "source", "photos", "face", "legal_basis", "reviewed_on", "role_player", "response", "lookalike", "groups", "consent_on"];

    /// <summary>A people.csv to fill in: all columns, and an example to replace.</summary>
    /// <param name="today">The day of the example.</param>
    public static string Template(DateOnly today) => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join(',', Columns)}\nexample-1,Ann Example,wanted,CASE-1,{today:yyyy-MM-dd},custody,ann-1.jpg;ann-2.jpg,,warrant,{today:yyyy-MM-dd},no,,,,\n");

    /// <summary>Reads <paramref name="path"/>.</summary>
    /// <param name="path">A CSV file; or a folder, with people.csv in it or one sub-folder per person.</param>
    /// <param name="category">Category of people whose entry has none.</param>
    /// <exception cref="CommandFailure">The list is empty or the CSV is wrong; the message names file and line.</exception>
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
        List<PersonRow> people;
        try
        {
            people = ReadFolders(path, category);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
        return people.Any(p => !p.IsLoose) ? people : throw new CommandFailure(ExitCode.Input, $"{path} contains nobody. It needs one sub-folder of photos per person, or a people.csv.");
    }

    private static List<PersonRow> ReadFolders(string path, WatchlistCategory category)
    {
        List<PersonRow> people = [.. Directory.EnumerateDirectories(path).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal).Select(f => ReadFolder(f, category))];
        // Reported, so that nobody believes that they were enrolled.
        foreach (string photo in ListOnDisk.PicturesOnDisk(path).Where(PhotoFormat.IsPicture))
        {
            var nobody = new WatchlistIdentity(Path.GetFileName(photo), "", category);
            people.Add(new PersonRow(0, nobody, []) { IsLoose = true, Obstacle = "It is next to the folders of people. Put it into a folder named after the person." });
        }
        return people;
    }

    private static PersonRow ReadFolder(string folder, WatchlistCategory category)
    {
        string id = Path.GetFileName(folder);
        var person = new WatchlistIdentity(id, id.Replace('_', ' '), category);
        try
        {
            if (!Directory.Exists(folder))
                return new PersonRow(0, person, []) { Obstacle = $"The name is not valid UTF-8. {PersonRow.RenameIt}" };
            string[] photos = ListOnDisk.PicturesOnDisk(folder);
            string? obstacle = photos.Length > 0 ? null
                : Directory.EnumerateDirectories(folder).Any() ? "It contains folders, but no photos. Move the photos of this person directly into it."
                : "It is empty. Put a photo of this person into it.";
            return new PersonRow(0, person, photos) { Obstacle = obstacle };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new PersonRow(0, person, []) { Obstacle = Unreadable };
        }
    }

    /// <summary>Reads a CSV list.</summary>
    /// <param name="source">Borrowed.</param>
    /// <param name="category">Category of people whose entry has none.</param>
    /// <exception cref="CommandFailure">The list is empty or the CSV is wrong; the message names file and line.</exception>
    public static List<PersonRow> ReadCsv(PeopleSource source, WatchlistCategory category)
    {
        try
        {
            using Stream list = source.OpenList();
            return ReadTable(CsvTable.Read(source.List, list, "id"), source, category);
        }
        catch (Exception e) when (e is DataException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, e is DataException ? e.Message : $"{source.List} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    private static List<PersonRow> ReadTable(CsvTable table, PeopleSource source, WatchlistCategory category)
    {
        if (table.Columns.FirstOrDefault(h => !Columns.Contains(h)) is { } unknown)
            throw new DataException($"{source.List} has a column \"{unknown}\". Allowed: {string.Join(", ", Columns)}.");
        var people = new List<PersonRow>();
        var lines = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (CsvTable.Row row in table.Rows)
        {
            string? Field(string name) => row[name] is { Length: > 0 } value ? value : null;
            string id = row.Required("id");
            if (!lines.TryAdd(id, row.Line))
                throw row.Wrong($"the id \"{Shown.Name(id)}\" is already used in line {lines[id]}: give each person one line, with all photos in it separated by semicolons");
            string[] photos = Photos(Field("photos"), source, id, out string? obstacle);
            people.Add(new PersonRow(
                row.Line,
                new WatchlistIdentity(id, Field("name") ?? id, Category(Field("category"), category, row), Field("reference"), Date(Field("image_date"), row), Field("source")),
                photos, Field("legal_basis"), Date(Field("reviewed_on"), row), Yes(Field("role_player"), row), Field("response"), Field("lookalike"), Groups(Field("groups"), row), Date(Field("consent_on"), row)) { Obstacle = obstacle, Faces = Faces(Field("face"), photos.Length, row) });
        }
        return people.Count > 0 ? people : throw new CommandFailure(ExitCode.Input, $"{source.List} contains nobody.");
    }

    private static WatchlistCategory Category(string? text, WatchlistCategory fallback, in CsvTable.Row row)
    {
        if (text is null)
            return fallback;
        return WatchlistCategories.TryParse(text.ToLowerInvariant(), out WatchlistCategory category)
            ? category
            : throw row.Wrong($"\"{Shown.Name(text)}\" is not a category; use one of {string.Join(", ", WatchlistCategories.AllNames)}");
    }

    private static DateOnly? Date(string? text, in CsvTable.Row row)
    {
        if (text is null)
            return null;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date)
            ? date
            : throw row.Wrong($"\"{Shown.Name(text)}\" is not a date; write it like 2026-01-31");
    }

    private static bool Yes(string? text, in CsvTable.Row row) => text?.ToLowerInvariant() switch
    {
        null or "no" => false,
        "yes" => true,
        _ => throw row.Wrong($"\"{Shown.Name(text)}\" in role_player; write yes or no"),
    };

    private static IReadOnlyDictionary<string, string>? Groups(string? text, in CsvTable.Row row)
    {
        if (text is null)
            return null;
        return PersonGroups.TryRead(text, out IReadOnlyDictionary<string, string> groups)
            ? groups
            : throw row.Wrong($"\"{Shown.Name(text)}\" in \"groups\"; write a value for each column, for example sex=female; age_band=18-29; skin_tone=monk 5");
    }

    // A point per photo, separated by semicolons; empty if a photo shows one person.
    private static PhotoPoint?[] Faces(string? text, int photos, in CsvTable.Row row)
    {
        string[] places = text?.Split(';', StringSplitOptions.TrimEntries) ?? [];
        if (photos > 0 && places.Length > photos)
            throw row.Wrong($"{new Counted(places.Length):point|points} in \"face\" for {new Counted(photos):photo|photos}; write one for each photo, in the same order, and leave it empty where a photo shows one person");
        var faces = new PhotoPoint?[places.Length];
        for (int i = 0; i < places.Length; i++)
        {
            if (places[i].Length == 0)
                continue;
            faces[i] = PhotoPoint.TryParse(places[i], out PhotoPoint face)
                ? face
                : throw row.Wrong($"\"{Shown.Name(places[i])}\" in \"face\"; write a point inside the face, in pixels from the upper left corner, for example 190 125");
        }
        return faces;
    }

    // Named photos, separated by semicolons, or all files of the folder named after the id.
    private static string[] Photos(string? named, PeopleSource source, string id, out string? obstacle)
    {
        obstacle = null;
        try
        {
            return named is null ? source.PicturesIn(id) : [.. named.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(source.Locate)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            obstacle = Unreadable;
            return [];
        }
    }
}
