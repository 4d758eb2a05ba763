using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Receipts;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr bench CLIP</c>: measures how many cameras this machine can handle, end to end, at full speed and in real time.</summary>
/// <remarks>
/// Nobody in the clip is enrolled: the watchlist consists of seeded random vectors, which are as expensive to search as real templates. One of them is in
/// a separate category whose threshold every face reaches, so each passage that is compared often enough raises one alert: alerts are measured
/// with more alerts than any street gives.
/// </remarks>
internal static class BenchCommand
{
    private const double WarmUpSeconds = 2;
    private const WatchlistCategory EverybodyIsLike = WatchlistCategory.AtRiskOfHarm;

    public static Command Create()
    {
        var clip = new Argument<string>("CLIP") { Description = "Video file. It is played in a loop as the picture of every camera." };
        var cameras = new Option<int>("--cameras") { Description = "Maximum number of cameras; all numbers from 1 to this are measured; default: two per processor.", DefaultValueFactory = _ => 2 * Environment.ProcessorCount }.From(1);
        var pace = new Option<string>("--pace") { Description = "realtime (at the speed of cameras), max (as fast as possible, without drops), or both.", DefaultValueFactory = _ => "both" }.OneOf("both", BenchRun.RealTime, BenchRun.Maximum);
        var seconds = new Option<double>("--seconds") { Description = $"Measured time of each run, after {WarmUpSeconds} seconds of warm-up.", DefaultValueFactory = _ => 10 }.From(0.5, 3600);
        var templates = new Option<int>("--templates") { Description = "Templates on the synthetic watchlist.", DefaultValueFactory = _ => 20_000 }.From(1, 1_000_000);
        var grid = PipelineOptions.Grid();
        var detectEvery = PipelineOptions.DetectEvery();
        GpuOptions gpu = new();
        ModelOptions models = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("bench", "Measure how many cameras this machine can handle, with latency, memory and time per stage.") { clip, cameras, pace, seconds, templates, grid, detectEvery, json };
        gpu.AddTo(command);
        models.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            int most = parsed.GetValue(cameras), rows = parsed.GetValue(templates), side = parsed.GetValue(grid);
            double length = parsed.GetValue(seconds);
            StageClock.Start();
            var looped = new BenchClip(parsed.GetRequiredValue(clip));
            using EngineDevices devices = gpu.Open(parsed);
            using EngineModels loaded = models.Load(parsed, devices.Backend);
            using Watchlist list = Synthetic(loaded.Embedder.Manifest, rows);
            using Gallery gallery = Gallery.Create(list);
            // The speed does not depend on the threshold.
            CategoryThresholds thresholds = CategoryThresholds.Uniform(EmbedderThreshold.Measured(loaded.Embedder.Manifest) ?? 1) with { AtRiskOfHarm = -1 };
            PipelineSettings settings = devices.Settings(thresholds, parsed.GetValue(detectEvery), workers: 0) with { Detector = new DetectorSettings { GridLongSide = side } };
            EngineDevices.Load(settings, gallery);
            string[] paces = parsed.GetRequiredValue(pace) is var one and not "both" ? [one] : [BenchRun.Maximum, BenchRun.RealTime];
            (string Pace, int Cameras)[] wanted = [.. paces.SelectMany(p => Enumerable.Range(1, most).Select(n => (p, n)))];
            var runs = new List<BenchRun>();
            ProgressBar.While("Measuring", wanted.Length, report =>
            {
                foreach ((string p, int n) in wanted)
                {
                    runs.Add(Measure(loaded, gallery, settings, devices.Decoder, looped, p, n, length, stopping));
                    report(runs.Count);
                }
            });
            var result = new BenchReport(looped.Name, looped.Width, looped.Height, looped.FramesPerSecond, Environment.ProcessorCount, loaded.Detector.Manifest.Id, loaded.Embedder.Manifest.Id,
                side, rows, WarmUpSeconds, length, [.. runs], BenchReport.Carried(runs));
            if (parsed.GetValue(json))
                CliJson.Print(result, CliJson.Default.BenchReport);
            else
                Print(result, most);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static Watchlist Synthetic(ModelManifest embedder, int templates)
    {
        using var builder = new WatchlistBuilder("bench", embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        var random = new Random(20240229);
        var row = new float[embedder.EmbeddingLength];
        for (int i = 0; i < templates; i++)
        {
            double squares = 0;
            for (int k = 0; k < row.Length; k++)
            {
                row[k] = random.NextSingle() - 0.5f;
                squares += row[k] * row[k];
            }
            float scale = (float)(1 / Math.Sqrt(squares));
            for (int k = 0; k < row.Length; k++)
                row[k] *= scale;
            int identity = builder.AddIdentity(new WatchlistIdentity($"synthetic-{i}", $"synthetic {i}", i == 0 ? EverybodyIsLike : WatchlistCategory.Wanted));
            builder.AddTemplate(identity, row, quality: 1);
        }
        return builder.Build();
    }

    private static BenchRun Measure(EngineModels models, Gallery gallery, PipelineSettings settings, IVideoDecoder decoder, BenchClip clip, string pace, int cameraCount, double seconds, CancellationToken stopping)
    {
        CameraSettings[] cameras = [.. Enumerable.Range(1, cameraCount).Select(i => new CameraSettings($"camera {i}", clip.FullPath, pace == BenchRun.RealTime ? Pace.RealTime : Pace.Maximum) { Decoder = decoder, Options = SourceOptions.Default with { Loop = true } })];
        CameraStatus[] statuses = [.. cameras.Select(c => new CameraStatus(c.Name))];
        var latencies = new List<double>();
        bool measuring = false;

        void OnAlert(Alert alert)
        {
            using (alert)
            {
                lock (latencies)
                {
                    if (measuring)
                        latencies.Add((alert.RaisedAt - alert.CapturedAt).TotalMilliseconds);
                }
            }
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var pipeline = new LivePipeline(models, gallery, settings);
        Task run = Task.Factory.StartNew(() => pipeline.Run(cameras, statuses, OnAlert, new RunTotals(), ending.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            WaitWhileRunning(run, statuses, WarmUpSeconds, stopping);
            Reading before = Reading.Take(statuses);
            lock (latencies)
                measuring = true;
            WaitWhileRunning(run, statuses, seconds, stopping);
            Reading after = Reading.Take(statuses);
            lock (latencies)
            {
                measuring = false;
                return Report(clip, pace, cameraCount, before, after, latencies);
            }
        }
        finally
        {
            ending.Cancel();
            run.Wait(CancellationToken.None);
        }
    }

    private static BenchRun Report(BenchClip clip, string pace, int cameras, in Reading before, in Reading after, List<double> latencies)
    {
        double elapsed = Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds;
        double processor = (after.Processor - before.Processor).TotalSeconds;
        long frames = after.Analysed - before.Analysed;
        // A camera-second is as many frames as the clip has in a second, however fast they were played.
        double cameraSeconds = Math.Max(1, frames) / clip.FramesPerSecond;
        return new BenchRun(pace, cameras, before.Dropped, elapsed, pace == BenchRun.RealTime ? (long)(clip.FramesPerSecond * elapsed * cameras) : frames, frames, after.Dropped - before.Dropped,
            frames / elapsed, processor, processor / cameraSeconds, 1000 * processor / Math.Max(1, frames), after.Compared - before.Compared, AlertLatency.From(latencies),
            (double)(after.Allocated - before.Allocated) / Math.Max(1, frames), ProcessMemory.Peak(), StageRow.From(before.Stages, after.Stages, frames));
    }

    private static void WaitWhileRunning(Task run, CameraStatus[] statuses, double seconds, CancellationToken stopping)
    {
        // Waits use a coarser clock than the measurement and may end a few milliseconds early.
        long start = Stopwatch.GetTimestamp();
        for (double left = seconds; left > 0; left = seconds - Stopwatch.GetElapsedTime(start).TotalSeconds)
        {
            if (run.Wait((int)Math.Ceiling(1000 * left), stopping))
                break;
        }
        if (!run.IsCompleted && statuses.All(s => s.State != CameraState.Failed))
            return;
        CameraStatus? failed = statuses.FirstOrDefault(s => s.State == CameraState.Failed);
        throw new CommandFailure(ExitCode.Input, failed is null ? "The clip ended before the measurement. Use a longer clip or fewer --seconds." : $"{failed.Name} failed: {failed.Message}");
    }

    private static void Print(BenchReport report, int most)
    {
        AnsiConsole.WriteLine($"{report.Clip}: {report.Width}x{report.Height}, {report.ClipFramesPerSecond:0.##} fps; {new Counted(report.Processors):processor|processors}; {report.Detector} at {report.GridLongSide}, {report.Embedder}; {new Counted(report.Templates):template|templates}; {report.Seconds:0.#} s each after {report.WarmUpSeconds:0.#} s");
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Pace", "Cameras", "fps", "Frames", "Dropped", "at start", "Cores per camera", "CPU ms per frame", "Alerts", "p50 ms", "p99 ms", "max ms", "Managed B per frame", "Peak MiB");
        foreach (BenchRun r in report.Runs)
        {
            table.AddRow(r.Pace, $"{r.Cameras}", $"{r.FramesPerSecond:0.0}", $"{r.FramesAnalysed}/{r.FramesExpected}", $"{r.FramesDropped}", $"{r.FramesDroppedAtStart}", $"{r.CoresPerCamera:0.000}", $"{r.ProcessorMsPerFrame:0.00}",
                $"{r.CaptureToAlert.Count}", $"{r.CaptureToAlert.P50Ms:0}", $"{r.CaptureToAlert.P99Ms:0}", $"{r.CaptureToAlert.MaximumMs:0}", $"{r.ManagedBytesPerFrame:0}", $"{r.PeakMemoryBytes >> 20}");
        }
        AnsiConsole.Write(table);

        var stages = new Table().Border(TableBorder.Rounded).Title("Processor ms per frame (calls per frame)").AddColumn("Stage");
        foreach (BenchRun r in report.Runs)
            stages.AddColumn($"{r.Pace} {r.Cameras}");
        for (int i = 0; i < report.Runs[0].Stages.Length; i++)
            stages.AddRow([report.Runs[0].Stages[i].Stage, .. report.Runs.Select(r => $"{r.Stages[i].MsPerFrame:0.000} ({r.Stages[i].CallsPerFrame:0.0})")]);
        stages.AddRow(["all others", .. report.Runs.Select(r => $"{r.ProcessorMsPerFrame - r.Stages.Sum(s => s.MsPerFrame):0.000}")]);
        AnsiConsole.Write(stages);

        if (report.CamerasWithoutDrops is { } carried)
            AnsiConsole.WriteLine($"This machine handles {(carried == most ? "at least " : "")}{new Counted(carried):camera|cameras} of {report.Width}x{report.Height} at {report.ClipFramesPerSecond:0.##} fps without drops.");
    }

    /// <summary>All counters at one moment.</summary>
    private readonly record struct Reading(long Timestamp, TimeSpan Processor, long Allocated, long Analysed, long Dropped, long Compared, StageTime[] Stages)
    {
        public static Reading Take(CameraStatus[] statuses) => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(precise: true),
            statuses.Sum(s => s.FramesAnalysed), statuses.Sum(s => s.FramesDropped), statuses.Sum(s => s.ShotsCompared), StageClock.Read());
    }
}
