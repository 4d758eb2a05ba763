using System.Runtime.ExceptionServices;
using System.Text.Json;
using LfrEngine.Alerts;
using LfrEngine.Cli.Screen;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Frames;
using LfrEngine.Links.Monitoring;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Receipts;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr run</c>: runs cameras against a watchlist until they end or Ctrl-C.</summary>
internal static class RunCommand
{
    private const string Zone = ",zone=";

    public static Command Create()
    {
        var cameras = new Option<string[]>("--camera") { Description = "NAME=SOURCE[,transport=auto|tcp|udp][,rotate=0|90|180|270][,mirror][,loop][,zone=X,Y X,Y X,Y…], once per camera: a file, a folder of pictures, /dev/videoN, or an rtsp, rtp, udp, http URL (docs/sources.md).", Required = true };
        var watchlist = new Option<FileInfo>("--watchlist") { Description = "Watchlist file from `lfr enrol`.", Required = true };
        var threshold = new Option<float?>("--threshold") { Description = "Minimum comparison score, for every category; default: the embedder's threshold with its evidence (`lfr models list`)." }.Above(-1, 1);
        var lines = new Option<FileInfo?>("--out") { Description = "Append alerts and the summary to this file as JSON lines (docs/json.md); one run at a time." };
        var crops = new Option<DirectoryInfo?>("--crops") { Description = "Write a side-by-side picture per alert into this folder. Existing pictures are never replaced." };
        var receipt = new Option<FileInfo?>("--receipt") { Description = "Write a signed erasure receipt at the end (`lfr receipt verify`): a file that does not exist yet, or a folder." };
        var pace = new Option<string>("--pace") { Description = "realtime (a recording plays at its own speed; frames are dropped when the engine falls behind), max (no frame is dropped), or auto: realtime for live cameras, max for recordings.", DefaultValueFactory = _ => "auto" }.OneOf("auto", "realtime", "max");
        var grid = PipelineOptions.Grid();
        var detectEvery = PipelineOptions.DetectEvery();
        var workers = new Option<int>("--workers") { Description = "Worker threads for all cameras; 0 means one per processor.", DefaultValueFactory = _ => 0 }.From(0, 1024);
        var evidence = new Option<FileInfo?>("--evidence") { Description = "Evidence with a calibration (`lfr-lab calibrate --evidence`): alerts then have a likelihood ratio." };
        var evidenceKey = new Option<FileInfo?>("--evidence-key") { Description = "Public key (PEM) of the laboratory that signed the evidence; default: this installation's." };
        var metrics = new Option<string?>("--metrics") { Description = "Serve Prometheus metrics at http://ADDRESS/metrics, for example 127.0.0.1:9464 (docs/metrics.md)." };
        GpuOptions gpu = new();
        ModelOptions models = new();
        KeyOptions key = new();
        var json = new Option<bool>("--json") { Description = "Print JSON lines to standard output instead of tables (docs/json.md)." };
        var command = new Command("run", "Analyse cameras and raise alerts.") { cameras, watchlist, threshold, lines, crops, receipt, evidence, evidenceKey, pace, grid, detectEvery, workers, metrics, json };
        LockOption locking = new();
        locking.AddTo(command);
        gpu.AddTo(command);
        models.AddTo(command);
        key.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            Pace chosen = parsed.GetRequiredValue(pace) switch { "realtime" => Pace.RealTime, "max" => Pace.Maximum, _ => Pace.Automatic };
            CameraSettings[] settings = [.. parsed.GetRequiredValue(cameras).Select(c => ParseCamera(c, chosen))];
            if (settings.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } same)
                throw new CommandFailure(ExitCode.Usage, $"Two cameras are named \"{same.Key}\". Give each its own name.");
            if (parsed.GetValue(lines)?.FullName is { } linesFile && linesFile == parsed.GetValue(receipt)?.FullName)
                throw new CommandFailure(ExitCode.Usage, "--out and --receipt name the same file: give each its own.");
            OutputPlace.RequireFolder(parsed.GetValue(crops)?.FullName, "--crops");
            locking.Require(parsed);
            using EngineDevices devices = gpu.Open(parsed);
            for (int i = 0; i < settings.Length; i++)
                settings[i] = settings[i] with { Decoder = devices.Decoder };
            string listPath = parsed.GetRequiredValue(watchlist).FullName;
            using WatchlistKey secret = key.GetFor(parsed, WatchlistFile.ReadHeader(listPath));
            using EngineModels loaded = models.Load(parsed, devices.Backend);
            foreach (string caution in TrainingWords.Cautions(loaded))
                Console.Error.WriteLine(caution);
            using Watchlist list = WatchlistFile.Read(listPath, secret, loaded.Embedder.Manifest.Sha256);
            PipelineSettings options = devices.Settings(CategoryThresholds.Uniform(parsed.GetValue(threshold) ?? EmbedderThreshold.Default(loaded.Embedder.Manifest)), parsed.GetValue(detectEvery), parsed.GetValue(workers))
                with { Detector = new DetectorSettings { GridLongSide = parsed.GetValue(grid) } };
            return Task.FromResult(Run(loaded, list, settings, options, new RunOutputs(parsed.GetValue(lines)?.FullName, parsed.GetValue(crops)?.FullName, parsed.GetValue(receipt)?.FullName, parsed.GetValue(metrics), parsed.GetValue(json))
                { Calibration = CalibrationOf(parsed.GetValue(evidence)?.FullName, parsed.GetValue(evidenceKey)?.FullName, loaded.Embedder.Manifest, list.Identities.Count) }, stopping).ExitCode);
        });
        return command;
    }

    /// <summary>Runs the cameras, shows events, and prints the summary.</summary>
    internal static (int ExitCode, RunReport Report, IReadOnlyList<AlertNotice> Alerts) Run(EngineModels models, Watchlist watchlist, CameraSettings[] cameras, PipelineSettings settings,
        RunOutputs outputs, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        string run = RunIds.New();
        using IDisposable expected = ProcessSignals.Expect(outputs.Receipt is null ? "the summary" : $"the summary and the receipt {outputs.Receipt}");
        using InstallationKey? key = outputs.Receipt is null ? null : InstallationKey.Open();
        using ReceiptFile? receipt = outputs.Receipt is { } place ? ReceiptFile.Take(place, run) : null;
        using var writer = new AlertWriter(outputs.Lines, outputs.Crops, watchlist, models.Embedder.Manifest.Sha256, outputs.Calibration);
        CameraStatus[] statuses = [.. cameras.Select(c => new CameraStatus(c.Name))];
        var notices = new List<AlertNotice>();
        DateTimeOffset startedAt = DateTimeOffset.UtcNow;
        ErasureReading before = ErasureReading.Now();
        using RunScreen screen = RunScreen.Open(statuses, outputs.Json);
        var totals = new RunTotals(OnDeadlineMissed) { RunId = run };

        void OnDeadlineMissed(DeadlineMiss miss)
        {
            string line = JsonSerializer.Serialize(new DeadlineLine("deadline-missed", run, miss.Milliseconds, miss.StillHeld, ErasureClock.DeadlineMs, DateTimeOffset.UtcNow), CliJson.Lines.DeadlineLine);
            writer.WriteLine(line);
            screen.Tell(new RunEvent($"A face outlived its verdict by {miss.Milliseconds:0} ms{(miss.StillHeld ? " and has not been wiped yet" : "")}; the deadline is {ErasureClock.DeadlineMs} ms.", line, IsWarning: true));
        }

        void OnAlert(Alert alert)
        {
            using (alert)
            {
                (string line, string? picture, AlertLikelihood? likelihood) = writer.Write(alert);
                notices.Add(new AlertNotice(alert.Camera, alert.Identity.Name, alert.Identity.Category, alert.Score, alert.CompletedUs, picture, alert.JoinedAlertId is not null, alert.Cover.Words, likelihood));
                screen.Tell(new RunEvent(notices[^1].Sentence, line));
            }
        }

        ExceptionDispatchInfo? fault = null;
        using (RunMetrics? metrics = outputs.Metrics is { } address ? RunMetrics.Serve(address, statuses, totals) : null)
        using (Gallery gallery = Gallery.Create(watchlist, models.Embedder.Manifest.CoverScales))
        {
            EngineDevices.Load(settings, gallery);
            try
            {
                new LivePipeline(models, gallery, settings).Run(cameras, statuses, OnAlert, totals, stopping);
            }
#pragma warning disable CA1031 // A fault of the engine: the summary is still written, then the exception is thrown.
            catch (Exception e) when (e is not ModelLoadException)
#pragma warning restore CA1031
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        }
        RunReport report = RunReport.From(totals, statuses, screen.FirstResult.TotalSeconds, before.UntilNow(totals));
        writer.WriteLine(JsonSerializer.Serialize(report, CliJson.Lines.RunReport));
        string? receiptLost = receipt is null ? null : WriteReceipt(ErasureReceipt.Of(report, startedAt, DateTimeOffset.UtcNow, watchlist.Id, models).Sign(key!), receipt);

        CameraStatus[] incomplete = [.. statuses.Where(s => !s.IsComplete)];
        List<string> words = [.. incomplete.Select(Complaint), .. writer.Finish()];
        words.AddRange(new[] { writer.Failure, writer.Deletion, writer.PictureFailure, receiptLost }.OfType<string>());
        screen.Finish(report, words, stopping);
        fault?.Throw();

        int code = writer.Failure is not null || writer.Deletion is not null || writer.PictureFailure is not null || receiptLost is not null ? ExitCode.Output
            : incomplete.Length == 0 ? ExitCode.Success
            : statuses.All(s => s.State == CameraState.Failed || s.FramesDecoded == 0) ? ExitCode.Input : ExitCode.Incomplete;
        return (code, report, notices);
    }

    private static ScoreCalibration? CalibrationOf(string? path, string? keyPath, ModelManifest embedder, int people)
    {
        if (path is null)
            return null;
        EvidenceDocument evidence = EvidenceFile.Verify(path, SignedDocument.TrustedPem(keyPath));
        if (evidence.EmbedderSha256 != embedder.Sha256)
            throw new CommandFailure(ExitCode.Input, $"{path} was measured with the embedder {evidence.EmbedderId}, not with {embedder.Id}, whose scores have another scale. Give evidence for {embedder.Id}.");
        ScoreCalibration calibration = evidence.CalibrationFor(embedder.Sha256) ?? throw new CommandFailure(ExitCode.Input, $"{path} contains no calibration that this program can read. Make one with `lfr-lab calibrate --evidence`, or leave out --evidence.");
        return calibration.Carries(people) ? calibration
            : throw new CommandFailure(ExitCode.Input, FormattableString.Invariant($"{path} was calibrated on lists of up to {calibration.LargestList:#,0} people. It covers lists of 1 to {calibration.LargestCovered:#,0}; yours has {people:#,0}. Calibrate with larger lists (`lfr-lab calibrate --gallery`), or leave out --evidence."));
    }

    private static string Complaint(CameraStatus camera)
    {
        string what = camera.State == CameraState.Failed ? "failed" : camera.FramesDecoded == 0 ? "sent no picture" : camera.WasLost ? "was lost" : "is incomplete";
        return $"Camera {camera.Name} {what}{(camera.Message.Length > 0 ? ": " + camera.Message : "")}";
    }

    // A receipt cannot be recreated, so one that cannot be written is shown.
    private static string? WriteReceipt(string signed, ReceiptFile file)
    {
        try
        {
            file.Write(signed);
            return null;
        }
        catch (CommandFailure e)
        {
            return $"{e.Message} Copy the complete signed text from here into a file:\n{signed.TrimEnd()}";
        }
    }

    /// <summary>Reads NAME=SOURCE.</summary>
    /// <exception cref="CommandFailure">It has another form.</exception>
    internal static CameraSettings ParseCamera(string text, Pace pace)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        // An address without a name may contain a password and an equals sign, so it is not shown.
        int address = text.IndexOf("://", StringComparison.Ordinal);
        if (equals <= 0 || equals == text.Length - 1 || (address >= 0 && address < equals))
            throw new CommandFailure(ExitCode.Usage, $"{(address >= 0 ? "An address" : $"\"{Shown.Name(text)}\"")} is not NAME=SOURCE, for example gate=rtsp://10.0.0.5/stream1.");
        string name = text[..equals];
        SourceOptions options = SourceOptions.Default;
        // Such a name arrives with replacement characters and cannot be opened.
        if (text.Contains('\uFFFD', StringComparison.Ordinal))
            throw new CommandFailure(ExitCode.Usage, $"Camera {Shown.Name(name)}: the file name is not valid UTF-8. Rename the file.");
        // The address may contain a password, so only the problem is shown.
        string? fault = TakeZone(text[(equals + 1)..], out string rest, out PictureZone? zone) ?? SourceOptions.Split(rest, out rest, out options) ?? SourceAddress.Fault(rest);
        return fault is null ? new CameraSettings(name, rest, pace) { Options = options, Zone = zone } : throw new CommandFailure(ExitCode.Usage, $"Camera {name}: {fault}.");
    }

    // A zone contains commas: it ends where another option begins. What only looks like one belongs to the source.
    private static string? TakeZone(string text, out string rest, out PictureZone? zone)
    {
        (rest, zone) = (text, null);
        int at = text.LastIndexOf(Zone, StringComparison.Ordinal), from = at + Zone.Length;
        if (at <= 0)
            return null;
        int end = from;
        while (end < text.Length && !(text[end] == ',' && end + 1 < text.Length && char.IsAsciiLetter(text[end + 1])))
            end++;
        SourceOptions.Split($"x{text[end..]}", out string noOption, out _);
        if (noOption != "x")
            return null;
        rest = text[..at] + text[end..];
        return !PictureZone.TryParse(text[from..end], out zone) ? $"zone={text[from..end]} is not {CameraConfig.WantedZone}"
            : TakeZone(rest, out _, out PictureZone? second) is not null || second is not null ? "zone is given twice" : null;
    }
}

/// <summary>Outputs of a run.</summary>
/// <param name="Lines">File for alerts and the summary.</param>
/// <param name="Crops">Folder for side-by-side pictures.</param>
/// <param name="Receipt">File for the erasure receipt.</param>
/// <param name="Metrics">Address that serves metrics.</param>
/// <param name="Json">JSON lines to standard output instead of a screen.</param>
internal sealed record RunOutputs(string? Lines, string? Crops, string? Receipt, string? Metrics, bool Json)
{
    /// <summary>Calibration for alerts; null for none.</summary>
    public ScoreCalibration? Calibration { get; init; }
}

/// <summary>A missed erasure deadline, as a line of JSON.</summary>
internal sealed record DeadlineLine(string Type, string Run, double Milliseconds, bool StillHeld, int DeadlineMs, DateTimeOffset ObservedAt);

/// <summary>An alert for the screen.</summary>
internal sealed record AlertNotice(string Camera, string Name, WatchlistCategory Category, float Score, long CompletedUs, string? Picture, bool Joined, string? Covered = null, AlertLikelihood? Likelihood = null)
{
    public string Sentence => $"{(Joined ? "again" : "ALERT")} {Camera} at {StreamTime(TimeSpan.FromMicroseconds(CompletedUs))}: like {Name} ({Category.Name()}), score {Score:0.000}{(Covered is null ? "" : $", {Covered}")}, {(Likelihood is null ? "not calibrated" : $"{LikelihoodWords.Name(Likelihood.Support)} ({LikelihoodWords.Sentence(Likelihood).TrimEnd('.')})")}{(Picture is null ? "" : $", {Picture}")}";

    // With hours if needed, because 06:40.28 could be read as hours and minutes.
    private static string StreamTime(TimeSpan time) =>
        time < TimeSpan.FromHours(1) ? $"{time:mm\\:ss\\.ff}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss\\.ff}");
}
