using LfrEngine.Files;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr demo</c>: a listed woman walks past among others in a real H.264 file and is found. The others are erased.</summary>
internal static class DemoCommand
{
    // Without this mark a folder may belong to the user, and nothing in it is replaced.
    private const string Mark = ".lfr-demo";

    private const string ListedId = "fair-haired-woman";

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--out-dir") { Description = "Folder for the alert, its picture and the watchlist.", DefaultValueFactory = _ => new DirectoryInfo("demo-output") };
        var command = new Command("demo", "See the engine find one person on the watchlist among many, and erase everybody else.") { folder };
        command.SetAction((parsed, stopping) => RunAsync(parsed.GetRequiredValue(folder).FullName, stopping));
        return command;
    }

    private static async Task<int> RunAsync(string folder, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        ModelCatalog catalog = ModelCatalog.Default;
        await catalog.RestoreAsync(_ => { }, stopping);
        string photos = Path.Combine(folder, "people", ListedId), list = Path.Combine(folder, "watchlist.lfr"), keyFile = Path.Combine(folder, "watchlist.key");
        string lines = Path.Combine(folder, "alerts.jsonl"), crops = Path.Combine(folder, "alerts");
        string mark = Path.Combine(folder, Mark);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(mark))
            throw new CommandFailure(ExitCode.Usage, $"{folder} is not empty and was not made by an earlier demonstration. Give another folder with --out-dir.");
        try
        {
            Directory.CreateDirectory(photos);
            File.WriteAllText(mark, "The next `lfr demo` empties this folder.\n");
            foreach (string stale in (string[])[list, keyFile, lines, .. Directory.Exists(crops) ? Directory.GetFiles(crops, "*.jpg") : []])
                File.Delete(stale);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The demonstration cannot write to {folder}: {FileTrouble.Words(e)} Give another folder with --out-dir.", e);
        }

        // The people are on published sample photos, so unlocked memory is only reported here and not refused.
        if (LockOption.Shortage() is { } shortage)
            Console.Error.WriteLine(shortage);
        AnsiConsole.WriteLine($"1. {DemoClip.PeopleCount} people from sample photos walk past in a 1280x720 H.264 clip.");
        var material = new DemoClip(catalog);
        string clip = await material.MakeAsync(stopping);
        await material.CutListedPhotoAsync(Path.Combine(photos, "photo.jpg"), stopping);

        AnsiConsole.WriteLine("2. One of them, a fair-haired woman, is put on a watchlist with a different photo from the one in the clip.");
        WatchlistKey.CreateKeyFile(keyFile);
        using WatchlistKey key = WatchlistKey.FromKeyFile(keyFile);
        using (var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance))
            EnrolCommand.Run(PeopleFolder.Read(Path.Combine(folder, "people"), WatchlistCategory.MissingOrVulnerable), list, "demo", key, vetter, EmbedderThreshold.Default(vetter.Embedder), json: false, stopping);

        AnsiConsole.WriteLine("3. The engine analyses the clip.");
        using EngineModels models = EngineModels.Load(catalog);
        using Watchlist watchlist = WatchlistFile.Read(list, key, models.Embedder.Manifest.Sha256);
        var settings = new PipelineSettings { Thresholds = CategoryThresholds.Uniform(EmbedderThreshold.Default(models.Embedder.Manifest)) };
        (int code, RunReport report, IReadOnlyList<AlertNotice> alerts) = RunCommand.Run(models, watchlist, [new CameraSettings("street", clip, Pace.Maximum)], settings,
            new RunOutputs(lines, crops, Receipt: null, Metrics: null, Json: false), stopping);
        if (code != ExitCode.Success)
            return code;
        stopping.ThrowIfCancellationRequested();

        AnsiConsole.WriteLine();
        if (alerts.Count == 1 && alerts[0].Picture is { } picture)
            AnsiConsole.MarkupLineInterpolated($"[green]One alert, for the woman on the list.[/] The two pictures that the officer compares: {picture}");
        AnsiConsole.WriteLine($"Nobody else raised an alert: of {new Counted(report.FacesSeen):face|faces} seen, {report.FacesSeen - report.Alerts} matched nobody. Their pictures, crops and embeddings were wiped from memory, "
            + $"at the latest {report.Lifetimes.Crop.MaximumMs:0} ms after capture, and nothing about them was stored.");
        if (alerts.Count == 1)
            return ExitCode.Success;
        throw new CommandFailure(ExitCode.Incomplete, $"The demonstration expects exactly one alert and got {alerts.Count}. Report this with the output of `lfr doctor --json`.");
    }
}
