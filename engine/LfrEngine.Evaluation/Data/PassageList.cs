using System.Globalization;

namespace LfrEngine.Evaluation.Data;

/// <summary>One person walking past one camera once: the unit of a live test.</summary>
/// <param name="Video">Path of the recording.</param>
/// <param name="Camera">Camera name; one camera shows one video.</param>
/// <param name="FromMs">Stream time of entering, milliseconds.</param>
/// <param name="ToMs">Stream time of leaving.</param>
/// <param name="Subject">Identity; null for a person who is not listed.</param>
/// <param name="Person">The person, even if not listed, for clustering; otherwise a unique name.</param>
/// <param name="EyePixels">Pixels between the eyes where the face is largest; null if unknown.</param>
/// <param name="Track">File with the places of the face over time; empty if unknown.</param>
internal sealed record Passage(string Video, string Camera, double FromMs, double ToMs, string? Subject, string Person, double? EyePixels, IReadOnlyList<TrackPoint> Track)
{
    /// <summary>Value of each of <see cref="PassageList.GroupColumns"/>; empty if unknown.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}

/// <summary>The true place of a face at a time.</summary>
/// <param name="TimeMs">Stream time.</param>
/// <param name="Box">Frame pixels.</param>
/// <param name="Visible">Share of the face that is not hidden by somebody in front, 0…1.</param>
internal readonly record struct TrackPoint(double TimeMs, LfrEngine.Detection.FaceBox Box, double Visible);

/// <summary>Passages past recorded cameras: CSV with video, camera, from, to, subject; optional person, eye_pixels, track; every other column is a group.</summary>
/// <param name="Passages">In the order of the file.</param>
/// <param name="GroupColumns">Demographic or other strata, such as sex, skin_tone, age_band, cover; may be none.</param>
internal sealed record PassageList(IReadOnlyList<Passage> Passages, IReadOnlyList<string> GroupColumns)
{
    /// <summary>Value of the subject column for a person who is not listed.</summary>
    public const string NotListed = "not listed";

    // The first five are required.
    private static readonly string[] KnownColumns = ["video", "camera", "from", "to", "subject", "person", "eye_pixels", "track"];

    /// <summary>Values of a group column, sorted; passages without a value are in no group.</summary>
    public IReadOnlyList<string> GroupValues(int column) => [.. Passages.Select(p => p.Groups[column]).Where(v => v.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Reads a list. Times are seconds; a track is a CSV of ms, left, top, right, bottom, visible.</summary>
    /// <exception cref="DataException">A line is wrong; the message names it.</exception>
    public static PassageList Read(string path)
    {
        CsvTable table = CsvTable.Read(path, [.. KnownColumns.Take(5)]);
        string[] groups = [.. table.Columns.Except(KnownColumns)];
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var passages = new List<Passage>();
        var videoOf = new Dictionary<string, string>();
        foreach (CsvTable.Row row in table.Rows)
        {
            string video = Path.Combine(folder, row.Required("video")), camera = row.Required("camera"), subject = row.Required("subject");
            if (!File.Exists(video) && !Directory.Exists(video))
                throw row.Wrong($"the video {video} does not exist");
            if (videoOf.TryGetValue(camera, out string? other) && other != video)
                throw row.Wrong($"camera {camera} has the video {other} in another line; a camera can have only one video");
            videoOf[camera] = video;
            if (row["track"].Length > 0 && !File.Exists(Path.Combine(folder, row["track"])))
                throw row.Wrong($"the track {Path.Combine(folder, row["track"])} does not exist");
            double from = Number(row, "from") * 1000, to = Number(row, "to") * 1000;
            if (!double.IsFinite(from) || !double.IsFinite(to))
                throw row.Wrong("the time is too large");
            if (!(to > from))
                throw row.Wrong("it ends before it begins");
            bool listed = !subject.Equals(NotListed, StringComparison.OrdinalIgnoreCase);
            string person = row["person"] is { Length: > 0 } named ? named : listed ? subject : $"{camera} {from}";
            passages.Add(new Passage(video, camera, from, to, listed ? subject : null, person, row["eye_pixels"].Length > 0 ? Number(row, "eye_pixels") : null,
                row["track"] is { Length: > 0 } track ? ReadTrack(Path.Combine(folder, track)) : []) { Groups = [.. groups.Select(g => row[g])] });
        }
        return passages.Count > 0 ? new PassageList(passages, groups) : throw new DataException($"{path} contains no passage.");
    }

    private static TrackPoint[] ReadTrack(string path) =>
        [.. CsvTable.Read(path, "ms", "left", "top", "right", "bottom", "visible").Rows.Select(row => new TrackPoint(Number(row, "ms"),
            new LfrEngine.Detection.FaceBox((float)Number(row, "left"), (float)Number(row, "top"), (float)Number(row, "right"), (float)Number(row, "bottom")), Number(row, "visible")))];

    private static double Number(CsvTable.Row row, string column) =>
        double.TryParse(row.Required(column), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw row.Wrong($"\"{row[column]}\" in {column} is not a number");
}
