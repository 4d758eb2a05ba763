using System.Text.Json.Nodes;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Models;

[assembly: AssemblyFixture(typeof(LfrEngine.Lab.Tests.Laboratory))]

namespace LfrEngine.Lab.Tests;

/// <summary>A small data set of real faces, and the real program.</summary>
public sealed class Laboratory : IAsyncLifetime
{
    // Left, top, width, height of eight people in two sample photos.
    private static readonly (string Photo, int Left, int Top, int Width, int Height)[] People =
    [
        ("sample1", 250, 230, 440, 500), ("sample1", 1300, 60, 500, 560), ("sample1", 700, 290, 430, 500), ("sample5", 270, 780, 410, 430),
        ("sample5", 570, 380, 290, 330), ("sample5", 700, 40, 340, 340), ("sample5", 1050, 150, 320, 340), ("sample5", 1330, 340, 390, 400),
    ];

    private readonly TemporaryFolder folder = new();

    /// <summary>Eight people with two pictures each.</summary>
    public string Faces => folder["faces"];

    /// <summary>This laboratory's signing key lies here.</summary>
    internal (string Name, string Value)[] Variables => [("LFR_CONFIG", folder["config"])];

    public static string[] Names => [.. Enumerable.Range(0, People.Length).Select(i => $"person-{i}")];

    /// <summary>lfr-lab as it was built with these tests.</summary>
    internal static string Program { get; } = Find();

    public ValueTask InitializeAsync()
    {
        foreach ((int i, (string photo, int left, int top, int width, int height)) in People.Index())
        {
            Directory.CreateDirectory(Path.Combine(Faces, Names[i]));
            string source = ModelCatalog.Default.SamplePath("@vladmandic/face-api", $"demo/{photo}.jpg");
            Ffmpeg.Run("-i", source, "-vf", $"crop={width}:{height}:{left}:{top},scale=300:-2", "-frames:v", "1", "-q:v", "2", Path.Combine(Faces, Names[i], "1.jpg"));
            // Smaller, darker and mirrored: the same person, not the same picture.
            Ffmpeg.Run("-i", source, "-vf", $"crop={width}:{height}:{left}:{top},scale=160:-2,hflip,eq=brightness=-0.12:contrast=0.9", "-frames:v", "1", "-q:v", "5", Path.Combine(Faces, Names[i], "2.jpg"));
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs lfr-lab to its end.</summary>
    internal async Task<Outcome> RunAsync(params string[] arguments)
    {
        using Lfr lab = Start(arguments);
        return await lab.EndAsync();
    }

    internal Lfr Start(params string[] arguments) => Lfr.StartProgram(Program, null, Variables, arguments);

    private static string Find()
    {
        // …/tests/LfrEngine.Lab.Tests/bin/CONFIGURATION/net10.0
        string[] parts = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory).Split(Path.DirectorySeparatorChar);
        return Path.Combine([Path.DirectorySeparatorChar + string.Join(Path.DirectorySeparatorChar, parts[1..^5]), "host", "LfrEngine.Lab", .. parts[^3..], "lfr-lab.dll"]);
    }
}

/// <summary>Reading a report.</summary>
internal static class Reports
{
    public static JsonNode Figure(this JsonNode report, string id) => report["figures"]!.AsArray().Single(f => (string?)f!["id"] == id)!;

    public static JsonArray Rows(this JsonNode report, string table) => report["tables"]!.AsArray().Single(t => (string?)t!["id"] == table)!["rows"]!.AsArray();

    /// <summary>Without what tells the run's own time, place and machine.</summary>
    public static string Result(this JsonNode report)
    {
        JsonNode copy = report.DeepClone();
        foreach (string own in (string[])["startedAt", "elapsedSeconds", "arguments", "machine"])
            copy["origin"]!.AsObject().Remove(own);
        foreach (JsonNode? figure in copy["figures"]!.AsArray().Where(f => ((string)f!["id"]!).StartsWith("comparisonsPerSecond", StringComparison.Ordinal) || (string)f["id"]! == "peakMemoryMiB").ToArray())
            copy["figures"]!.AsArray().Remove(figure);
        return copy.ToJsonString();
    }
}
