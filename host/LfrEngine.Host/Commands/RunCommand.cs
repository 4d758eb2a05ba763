using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr run</c>: cameras against a watchlist, until they end or Ctrl-C.</summary>
internal static class RunCommand
{
    private const int AlertsShown = 8;
    private const int SmallestGrid = 32;

    public static Command Create()
    {
        var cameras = new Option<string[]>("--camera") { Description = "NAME=SOURCE[,transport=auto|tcp|udp][,rotate=0|90|180|270][,mirror], once per camera: a file, a folder of pictures, /dev/videoN, or an rtsp, rtp, udp, http URL (docs/sources.md).", Required = true };
        var watchlist = new Option<FileInfo>("--watchlist") { Description = "Watchlist file from `lfr enrol`.", Required = true };
        var threshold = new Option<float?>("--threshold") { Description = "Comparison score that counts, for every category; default: the embedder's, with its evidence (`lfr models list`)." };
        var lines = new Option<FileInfo?>("--out") { Description = "Append alerts and the summary as JSON lines (docs/json.md)." };
        var crops = new Option<DirectoryInfo?>("--crops") { Description = "Write a side-by-side picture per alert into this folder." };
        var receipt = new Option<FileInfo?>("--receipt") { Description = "Write a signed erasure receipt at the end (`lfr receipt verify`)." };
        var pace = new Option<string>("--pace") { Description = "Recordings: realtime (drops what comes too fast) or max (loses nothing).", DefaultValueFactory = _ => "auto" };
        pace.AcceptOnlyFromAmong("auto", "realtime", "max");
        var grid = new Option<int>("--grid") { Description = "Long side of the detection grid, pixels.", DefaultValueFactory = _ => new DetectorSettings().GridLongSide };
        var detectEvery = new Option<int>("--detect-every") { Description = "Milliseconds between two frames of a camera that are searched for faces; 0 searches every frame.", DefaultValueFactory = _ => PipelineSettings.DefaultDetectEveryMs };
        var workers = new Option<int>("--workers") { Description = "Threads that do the work of all cameras; 0 takes one per processor." };
        var metrics = new Option<string?>("--metrics") { Description = "Serve Prometheus metrics at http://ADDRESS/metrics, for example 127.0.0.1:9464 (docs/metrics.md)." };
        var search = new Option<string>("--search") { Description = "Who searches the watchlist: simd, the processor; vulkan[:DEVICE], a graphics device by its index or a part of its name (`lfr doctor`); or computesharp, the GPU of Windows. Same alerts, same scores.", DefaultValueFactory = _ => "simd" };
        GpuOptions gpu = new();
        ModelOptions models = new();
        KeyOptions key = new();
        var json = new Option<bool>("--json") { Description = "Print JSON lines to standard output instead of tables (docs/json.md)." };
        var command = new Command("run", "Watch cameras and raise alerts.") { cameras, watchlist, threshold, lines, crops, receipt, pace, grid, detectEvery, workers, search, metrics, json };
        LockOption locking = new();
        locking.AddTo(command);
        gpu.AddTo(command);
        models.AddTo(command);
        key.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            Pace chosen = parsed.GetRequiredValue(pace) switch { "realtime" => Pace.RealTime, "max" => Pace.Maximum, _ => Pace.Automatic };
            CameraSettings[] settings = [.. parsed.GetRequiredValue(cameras).Select(c => ParseCamera(c, chosen))];
            if (settings.Select(c => c.Name).Distinct().Count() != settings.Length)
                throw new CommandFailure(ExitCode.Usage, "Two cameras have the same name.");
            if (parsed.GetValue(threshold) is { } t && !(t is > -1 and <= 1))
                throw new CommandFailure(ExitCode.Usage, $"A threshold is a cosine between -1 and 1; {t} is not.");
            if (parsed.GetValue(grid) is var side and < SmallestGrid)
                throw new CommandFailure(ExitCode.Usage, $"--grid {side} is too small; the detector needs {SmallestGrid} pixels or more.");
            if (parsed.GetValue(detectEvery) is < 0 or > 1000)
                throw new CommandFailure(ExitCode.Usage, $"--detect-every {parsed.GetValue(detectEvery)} is not between 0 and 1000 milliseconds.");
            if (parsed.GetValue(workers) is < 0 or > 1024)
                throw new CommandFailure(ExitCode.Usage, $"--workers {parsed.GetValue(workers)} is not between 0 and 1024.");
            locking.Require(parsed);
            using EngineDevices devices = EngineDevices.Open(gpu.Inference(parsed), gpu.Decode(parsed), parsed.GetRequiredValue(search), Console.Error.WriteLine);
            for (int i = 0; i < settings.Length; i++)
                settings[i] = settings[i] with { Decoder = devices.Decoder };
            string listPath = parsed.GetRequiredValue(watchlist).FullName;
            using WatchlistKey secret = key.GetFor(parsed, WatchlistFile.ReadHeader(listPath));
            using EngineModels loaded = models.Load(parsed, devices.Backend);
            using Watchlist list = WatchlistFile.Read(listPath, secret, loaded.Embedder.Manifest.Sha256);
            PipelineSettings options = devices.Settings(CategoryThresholds.Uniform(parsed.GetValue(threshold) ?? EnrolCommand.DefaultThreshold(loaded.Embedder.Manifest)), parsed.GetValue(detectEvery), parsed.GetValue(workers))
                with { Detector = new DetectorSettings { GridLongSide = parsed.GetValue(grid) } };
            return Task.FromResult(Run(loaded, list, settings, options, new RunOutputs(parsed.GetValue(lines)?.FullName, parsed.GetValue(crops)?.FullName, parsed.GetValue(receipt)?.FullName, parsed.GetValue(metrics), parsed.GetValue(json)), stopping).ExitCode);
        });
        return command;
    }

    /// <summary>Runs the cameras, shows what happens, and sums up.</summary>
    internal static (int ExitCode, RunReport Report, IReadOnlyList<AlertNotice> Alerts) Run(EngineModels models, Watchlist watchlist, CameraSettings[] cameras, PipelineSettings settings,
        RunOutputs outputs, CancellationToken stopping)
    {
        bool json = outputs.Json;
        using InstallationKey? key = outputs.Receipt is null ? null : InstallationKey.Open();
        using var writer = new AlertWriter(outputs.Lines, outputs.Crops, watchlist, models.Embedder.Manifest.Sha256);
        CameraStatus[] statuses = [.. cameras.Select(c => new CameraStatus(c.Name))];
        var notices = new List<AlertNotice>();
        double firstResult = 0;
        long started = Stopwatch.GetTimestamp();
        DateTimeOffset startedAt = DateTimeOffset.UtcNow;

        void OnDeadlineMissed(DeadlineMiss miss)
        {
            lock (notices)
            {
                string line = JsonSerializer.Serialize(new DeadlineLine("deadline-missed", miss.Milliseconds, miss.StillHeld, ErasureClock.DeadlineMs, DateTimeOffset.UtcNow), HostJson.Lines.DeadlineLine);
                writer.WriteLine(line);
                if (json)
                    Console.Out.WriteLine(line);
                else
                    Console.Error.WriteLine($"A face outlived its verdict by {miss.Milliseconds:0} ms{(miss.StillHeld ? " and is not wiped yet" : "")}; the deadline is {ErasureClock.DeadlineMs} ms.");
            }
        }

        void OnAlert(Alert alert)
        {
            using (alert)
            {
                lock (notices)
                {
                    string? picture = writer.Write(alert);
                    notices.Add(new AlertNotice(alert.Camera, alert.Identity.Name, alert.Identity.Category, alert.Score, alert.CompletedUs, picture, alert.JoinedAlertId is not null));
                    if (json)
                        Console.Out.WriteLine(JsonSerializer.Serialize(AlertLine.From(alert, models.Embedder.Manifest.Sha256, picture is null ? null : Path.GetFileName(picture)), HostJson.Lines.AlertLine));
                }
            }
        }

        ErasureReading before = ErasureReading.Now();
        var totals = new RunTotals(OnDeadlineMissed);
        using (RunMetrics? metrics = outputs.Metrics is { } address ? RunMetrics.Serve(address, statuses, totals) : null)
        using (Gallery gallery = Gallery.Create(watchlist))
        {
            EngineDevices.Load(settings, gallery);
            var pipeline = new LivePipeline(models, gallery, settings);
            using var done = new CancellationTokenSource();
            Thread screen = new(() => Show(statuses, notices, started, json, ref firstResult, done.Token)) { IsBackground = true, Name = "screen" };
            screen.Start();
            try
            {
                pipeline.Run(cameras, statuses, OnAlert, totals, stopping);
            }
            finally
            {
                done.Cancel();
                screen.Join();
            }
        }
        RunReport report = RunReport.From(totals, statuses, firstResult, before.UntilNow(totals));
        string summary = JsonSerializer.Serialize(report, HostJson.Lines.RunReport);
        writer.WriteLine(summary);
        if (json)
            Console.Out.WriteLine(summary);
        else
            PrintSummary(report);

        if (key is not null)
            ErasureReceipt.Of(report, startedAt, DateTimeOffset.UtcNow, watchlist.Id, models).Write(outputs.Receipt!, key);

        int code = ExitCode.Success;
        foreach (CameraStatus failed in statuses.Where(s => !s.IsComplete))
        {
            string what = failed.State == CameraState.Failed ? "failed" : failed.WasCutOff ? "is incomplete" : "never delivered";
            Console.Error.WriteLine($"Camera {failed.Name} {what}{(failed.Message.Length > 0 ? ": " + failed.Message : "")}");
            code = statuses.All(s => s.State == CameraState.Failed || s.FramesDecoded == 0) ? ExitCode.Input : ExitCode.Incomplete;
        }
        foreach (string lost in writer.Finish())
            Console.Error.WriteLine(lost);
        if (writer.Failure is not null)
        {
            Console.Error.WriteLine(writer.Failure);
            code = ExitCode.Output;
        }
        return (code, report, notices);
    }

    private static CameraSettings ParseCamera(string text, Pace pace)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || equals == text.Length - 1)
            throw new CommandFailure(ExitCode.Usage, $"\"{text}\" is not NAME=SOURCE, for example --camera gate=rtsp://10.0.0.5/stream1.");
        string name = text[..equals];
        // The address may hold a password: only what is wrong is said.
        string? fault = SourceOptions.Split(text[(equals + 1)..], out string source, out SourceOptions options) ?? SourceAddress.Fault(source);
        return fault is null ? new CameraSettings(name, source, pace) { Options = options } : throw new CommandFailure(ExitCode.Usage, $"Camera {name}: {fault}.");
    }

    private static void Show(CameraStatus[] statuses, List<AlertNotice> notices, long started, bool json, ref double firstResult, CancellationToken done)
    {
        bool live = !json && AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
        var rate = new long[statuses.Length];
        double result = 0;
        void NoteFirst()
        {
            if (result == 0 && statuses.Any(s => s.FramesAnalysed > 0))
                result = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        if (live)
        {
            AnsiConsole.Live(Screen(statuses, notices, rate, 1)).AutoClear(true).Start(context =>
            {
                long last = Stopwatch.GetTimestamp();
                while (!done.WaitHandle.WaitOne(100))
                {
                    NoteFirst();
                    if (Stopwatch.GetElapsedTime(last) < TimeSpan.FromSeconds(1))
                        continue;
                    context.UpdateTarget(Screen(statuses, notices, rate, Stopwatch.GetElapsedTime(last).TotalSeconds));
                    last = Stopwatch.GetTimestamp();
                }
            });
        }
        else
        {
            int told = 0;
            var states = new CameraState?[statuses.Length];
            bool over;
            do
            {
                over = done.WaitHandle.WaitOne(50);
                NoteFirst();
                lock (notices)
                {
                    for (; told < notices.Count && !json; told++)
                        AnsiConsole.WriteLine(notices[told].Sentence);
                    TellStates(statuses, states, json);
                }
            }
            while (!over);
        }
        NoteFirst();
        firstResult = result;
    }

    // Without a screen, each change of a camera's state is a line.
    private static void TellStates(CameraStatus[] statuses, CameraState?[] told, bool json)
    {
        for (int i = 0; i < statuses.Length; i++)
        {
            CameraStatus status = statuses[i];
            CameraState now = status.State;
            if (told[i] == now)
                continue;
            told[i] = now;
            string? message = status.Message.Length > 0 ? status.Message : null;
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(new CameraLine("camera", status.Name, now.ToString().ToLowerInvariant(), message, DateTimeOffset.UtcNow), HostJson.Lines.CameraLine));
            else if (now is CameraState.Reconnecting or CameraState.Failed)
                AnsiConsole.WriteLine($"{status.Name}: {now}{(message is null ? "" : ": " + message)}");
        }
    }

    private static Rows Screen(CameraStatus[] statuses, List<AlertNotice> notices, long[] rate, double seconds)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Camera", "State", "Picture", "fps", "Frames", "Dropped", "Faces seen", "Compared", "Alerts", "Lag ms");
        for (int i = 0; i < statuses.Length; i++)
        {
            CameraStatus s = statuses[i];
            long analysed = s.FramesAnalysed;
            double fps = (analysed - rate[i]) / seconds;
            rate[i] = analysed;
            string state = s.Message.Length > 0 ? $"{s.State}: {s.Message}" : s.State.ToString();
            table.AddRow(Markup.Escape(s.Name), Markup.Escape(state), $"{s.FrameSize.Width}x{s.FrameSize.Height} {Markup.Escape(s.Codec)}", $"{fps:0.0}", $"{analysed}", $"{s.FramesDropped}",
                $"{s.FacesSeen}", $"{s.ShotsCompared}", $"{s.Alerts}", $"{s.LagMs:0}");
        }
        var rows = new List<IRenderable> { table };
        lock (notices)
            rows.AddRange(notices.TakeLast(AlertsShown).Select(n => new Text(n.Sentence)));
        rows.Add(new Markup("[grey]Ctrl-C ends the run.[/]"));
        return new Rows(rows);
    }

    private static void PrintSummary(RunReport report)
    {
        foreach (CameraReport c in report.Cameras)
        {
            AnsiConsole.WriteLine($"{c.Name}: {c.State}, {c.FramesAnalysed} frames analysed, {c.FramesDropped} dropped, {c.Tracklets} tracklets, {c.FacesSeen} faces seen, {c.Alerts} alert(s){(c.Message is null ? "" : "; " + c.Message)}");
        }
        AnsiConsole.WriteLine($"{report.Frames} frames in {report.ElapsedSeconds:0.0} s ({report.FramesPerSecond:0.0} per second), first result after {report.FirstResultSeconds:0.0} s, peak memory {report.PeakMemoryBytes >> 20} MiB");
        AnsiConsole.WriteLine($"{report.FacesSeen} faces seen, {report.ShotsCompared} comparisons with the watchlist, {report.Alerts} alert(s), {report.JoinedAlerts} further sighting(s)");
        if (report.CaptureToAlert.Count > 0)
            AnsiConsole.WriteLine($"capture to alert: p50 {report.CaptureToAlert.P50Ms:0} ms, p99 {report.CaptureToAlert.P99Ms:0} ms, longest {report.CaptureToAlert.MaximumMs:0} ms");
        AnsiConsole.WriteLine($"erased: {report.Erased.FrameBuffersWiped} frame buffers (held p50 {report.Lifetimes.Frame.P50Ms:0} ms, p99 {report.Lifetimes.Frame.P99Ms:0} ms), "
            + $"{report.Erased.CropsAndEmbeddingsWiped} crops with their embeddings (longest {report.Lifetimes.Crop.MaximumMs:0} ms); still held: {report.Erased.FrameBuffersHeld}; deadline missed {report.Lifetimes.DeadlineBreaches} time(s)");
        if (report.Erased.BytesNotLocked > 0)
            AnsiConsole.MarkupLineInterpolated($"[yellow]{report.Erased.BytesNotLocked >> 20} MiB could not be locked and might reach swap; `lfr doctor` tells how to raise the limit.[/]");
    }
}

/// <summary>A camera's change of state, as a line of JSON.</summary>
internal sealed record CameraLine(string Type, string Name, string State, string? Message, DateTimeOffset ObservedAt);

/// <summary>Where a run writes.</summary>
/// <param name="Lines">File for alerts and the summary.</param>
/// <param name="Crops">Folder for side-by-side pictures.</param>
/// <param name="Receipt">File for the erasure receipt.</param>
/// <param name="Metrics">Address that serves metrics.</param>
/// <param name="Json">JSON lines to standard output instead of a screen.</param>
internal sealed record RunOutputs(string? Lines, string? Crops, string? Receipt, string? Metrics, bool Json);

/// <summary>A face that outlived its verdict by more than the deadline, as a line of JSON.</summary>
internal sealed record DeadlineLine(string Type, double Milliseconds, bool StillHeld, int DeadlineMs, DateTimeOffset ObservedAt);

/// <summary>An alert for the screen.</summary>
internal sealed record AlertNotice(string Camera, string Name, WatchlistCategory Category, float Score, long CompletedUs, string? Picture, bool Joined)
{
    public string Sentence => $"{(Joined ? "again" : "ALERT")} {Camera} at {TimeSpan.FromMicroseconds(CompletedUs):mm\\:ss\\.ff}: like {Name} ({Category.Name()}), score {Score:0.000}{(Picture is null ? "" : $", {Picture}")}";
}
