using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

/// <summary>The whole pipeline on real faces: nothing of anyone is left, however a run ends.</summary>
[Collection(CountsRentedBuffers.Name)]
[Trait("Speed", "slow")]
public sealed class LivePipelineTests : IDisposable
{
    private readonly ITestOutputHelper output = TestContext.Current.TestOutputHelper!;
    private readonly string folder = Directory.CreateTempSubdirectory("lfr-pipeline-").FullName;
    private readonly ModelCatalog catalog = new(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);
    private readonly EngineModels models;

    public LivePipelineTests()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        models = EngineModels.Load(catalog);
    }

    public void Dispose()
    {
        models.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("decode")]
    [InlineData("detect")]
    [InlineData("track")]
    [InlineData("embed")]
    [InlineData("match")]
    [InlineData("erase")]
    [InlineData("alert")]
    public void Run_StageThrows_FailsThatCameraAndLeavesNothing(string stage)
    {
        string clip = MakeClip();
        Outcome outcome = Run([new("a", clip, Pace.Maximum), new("b", clip, Pace.Maximum)], listed: true, atStage: (name, camera) =>
        {
            // One camera, in the middle of its work.
            if (name == stage && camera == "a")
                throw new IOException("injected");
        });

        Assert.Equal(CameraState.Failed, outcome.Cameras[0].State);
        Assert.Equal("injected", outcome.Cameras[0].Message);
        Assert.Equal(CameraState.Ended, outcome.Cameras[1].State);
        Assert.Equal(outcome.Cameras[1].FramesDecoded, outcome.Cameras[1].FramesAnalysed);
        Assert.True(outcome.Cameras[1].FramesAnalysed > 20);
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_FourCamerasAtRealTimePace_DropsAreWipedToo()
    {
        // Long enough to find the person also where most frames are skipped.
        string clip = MakeClip(seconds: 3);
        Outcome outcome = Run([.. Enumerable.Range(0, 4).Select(i => new CameraSettings($"c{i}", clip, Pace.RealTime))], listed: true);

        Assert.All(outcome.Cameras, c => Assert.Equal(CameraState.Ended, c.State));
        Assert.All(outcome.Cameras, c => Assert.Equal(c.FramesDecoded, c.FramesAnalysed + c.FramesDropped));
        Assert.Equal(1, outcome.Totals.AlertsRaised);
        outcome.AssertNothingLeft();
    }

    /// <summary>Four cameras, one worker and a grid for which it takes several times as long as there is.</summary>
    [Fact]
    public void Run_EngineThatCannotFollow_SkipsFramesAndSearchesNoOldOne()
    {
        string clip = MakeClip();
        Outcome outcome = Run([.. Enumerable.Range(0, 4).Select(i => new CameraSettings($"c{i}", clip, Pace.RealTime))], listed: false, workers: 1, detectEveryMs: 0, gridLongSide: 1920);

        output.WriteLine($"{outcome.Totals.BeforeSearch.Count} searched, the oldest after {outcome.Totals.BeforeSearch.MaximumMs:0} ms; {outcome.Cameras.Sum(c => c.FramesDropped)} skipped");
        Assert.InRange(outcome.Totals.BeforeSearch.Count, 1, outcome.Cameras.Sum(c => c.FramesDecoded) / 2);
        Assert.True(outcome.Totals.BeforeSearch.MaximumMs <= Scheduler.LongestWaitMs, $"A frame was searched after {outcome.Totals.BeforeSearch.MaximumMs} ms.");
        Assert.All(outcome.Cameras, c => Assert.Equal(c.FramesDecoded, c.FramesAnalysed + c.FramesDropped));
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_StoppedInTheMiddle_LeavesNothing()
    {
        string clip = MakeClip();
        using var stopping = new CancellationTokenSource();
        int frames = 0;
        Outcome outcome = Run([new("a", clip, Pace.Maximum), new("b", clip, Pace.Maximum)], listed: true, stopping: stopping, atStage: (name, _) =>
        {
            if (name == "track" && Interlocked.Increment(ref frames) == 6)
                stopping.Cancel();
        });

        Assert.True(outcome.Cameras.Sum(c => c.FramesAnalysed) < 50);
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_AlertTakerThrows_LeavesNothing()
    {
        string clip = MakeClip();
        Outcome outcome = Run([new("a", clip, Pace.Maximum)], listed: true, onAlert: alert =>
        {
            alert.Dispose();
            throw new InvalidOperationException("the taker failed");
        });

        Assert.Equal(CameraState.Failed, outcome.Cameras[0].State);
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_NobodyListed_RaisesNothingAndWipesEveryShotWithinTheDeadline()
    {
        Outcome outcome = Run([new("a", MakeClip(), Pace.Maximum)], listed: false);

        Assert.Equal(0, outcome.Totals.AlertsRaised);
        Assert.True(outcome.Cameras[0].FacesSeen > 0);
        Assert.Equal(outcome.Cameras[0].ShotsCompared, outcome.Totals.ShotsErased);
        Assert.Equal(outcome.Totals.ShotsErased, outcome.Totals.Erasure.Crop.Count);
        Assert.Equal(outcome.Totals.ShotsErased, outcome.Totals.Erasure.Embedding.Count);
        Assert.Equal(outcome.Cameras[0].FramesAnalysed, outcome.Totals.Erasure.Frame.Count);
        Assert.Equal(0, outcome.Totals.Erasure.DeadlineBreaches);
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_SourcesThatBreakInTheMiddle_ReconnectAndLeaveNothing()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var server = new BreakingServer(MakeClip("mpegts"), connections => { if (connections == 16) stopping.Cancel(); });
        Outcome outcome = Run([.. Enumerable.Range(0, 4).Select(i => new CameraSettings($"c{i}", server.Url(i)))], listed: true, stopping: stopping);

        Assert.All(outcome.Cameras, c => Assert.NotEqual(CameraState.Failed, c.State));
        Assert.True(outcome.Cameras.Sum(c => c.Reconnects) >= 12);
        Assert.True(outcome.Cameras.Sum(c => c.ShotsCompared) > 0);
        outcome.AssertNothingLeft();
    }

    /// <summary>The watchdog's thread fails while a stage of one camera hangs and the other camera is at work.</summary>
    [Fact]
    public void Run_ThreadOfTheRunFails_EndsInOrderAndSaysWhy()
    {
        using var told = new ManualResetEventSlim();
        long rented = BufferPool.OutstandingBlocks;
        CameraSettings[] cameras = [new("a", MakeClip("mp4", 8), Pace.Maximum), new("b", MakeClip("mp4", 8), Pace.Maximum)];

        Exception thrown = Assert.Throws<InvalidOperationException>(() => Run(cameras, listed: false, atStage: (stage, camera) =>
        {
            if (stage == "erase" && camera == "a" && !told.Wait(TimeSpan.FromSeconds(60)))
                throw new TimeoutException("nobody noticed");
        }, onDeadlineMissed: _ =>
        {
            told.Set();
            throw new InvalidOperationException("nobody takes the news");
        }));

        Assert.Equal("nobody takes the news", thrown.Message);
        Assert.Equal(rented, BufferPool.OutstandingBlocks);
    }

    /// <summary>Too little for a first buffer, and too little for the networks.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(16 << 20)]
    public void Run_TooLittleMemoryToBegin_FailsItsCamerasAndSaysWhatIsNeeded(int room)
    {
        using Watchlist watchlist = Enrol(listed: false);
        using Gallery gallery = Gallery.Create(watchlist);
        CameraStatus[] statuses = [new("a"), new("b")];
        var pipeline = new LivePipeline(models, gallery, new PipelineSettings { Thresholds = CategoryThresholds.Uniform(0.48f), Workers = 1 });
        BufferPool.Trim();
        long rented = BufferPool.OutstandingBlocks;
        MemoryBudget.MostBytes = MemoryBudget.HeldBytes + room;
        try
        {
            Exception thrown = Assert.Throws<InsufficientMemoryException>(() => pipeline.Run([new("a", MakeClip()), new("b", MakeClip())], statuses, alert => alert.Dispose(), new RunTotals(null), TestContext.Current.CancellationToken));
            Assert.Matches("The limit of [0-9]+ bytes .*[0-9]+ ", thrown.Message);
            Assert.All(statuses, s => Assert.Equal((CameraState.Failed, thrown.Message), (s.State, s.Message)));
        }
        finally
        {
            MemoryBudget.MostBytes = 0;
        }
        Assert.Equal(rented, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Run_StageHangsAfterTheVerdict_IsReportedWhileItHangs()
    {
        using var told = new ManualResetEventSlim();
        var misses = new List<DeadlineMiss>();
        int hung = 0;
        Outcome outcome = Run([new("a", MakeClip(), Pace.Maximum)], listed: false, atStage: (stage, _) =>
        {
            // Once, when there is something to wipe: goes on only after the watchdog has spoken.
            if (stage == "erase" && Interlocked.Exchange(ref hung, 1) == 0 && !told.Wait(TimeSpan.FromSeconds(60)))
                throw new TimeoutException("nobody noticed");
        }, onDeadlineMissed: miss =>
        {
            misses.Add(miss);
            told.Set();
        });

        Assert.Equal("", outcome.Cameras[0].Message);
        Assert.True(misses[0].StillHeld);
        Assert.True(misses[0].Milliseconds > ErasureClock.DeadlineMs);
        Assert.Equal(misses.Count, outcome.Totals.Erasure.DeadlineBreaches);
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_OneCameraStuck_TheOtherRaisesItsAlert()
    {
        string clip = MakeClip();
        using var raised = new ManualResetEventSlim();
        Outcome outcome = Run([new("stuck", clip, Pace.Maximum), new("b", clip, Pace.Maximum)], listed: true, atStage: (stage, camera) =>
        {
            // A source that does not deliver until the other camera is through.
            if (stage == "decode" && camera == "stuck" && !raised.Wait(TimeSpan.FromSeconds(60)))
                throw new TimeoutException("the other camera waited for this one");
        }, onAlert: alert =>
        {
            alert.Dispose();
            raised.Set();
        });

        Assert.All(outcome.Cameras, c => Assert.Equal(("", CameraState.Ended), (c.Message, c.State)));
        outcome.AssertNothingLeft();
    }

    [Fact]
    public void Run_AnyNumberOfWorkersAndBatches_ComparesTheSame()
    {
        string clip = MakeClip();
        Outcome one = Run([new("a", clip, Pace.Maximum)], listed: true, workers: 1);
        Outcome many = Run([new("a", clip, Pace.Maximum), new("b", clip, Pace.Maximum)], listed: true, workers: 5, embeddingBatch: 8);

        Assert.All(many.Cameras, c => Assert.Equal(one.Cameras[0].TraceSha256, c.TraceSha256));
        many.AssertNothingLeft();
    }

    [Theory]
    [InlineData(0, 40)]
    [InlineData(80, 20)]
    [InlineData(120, 14)]
    public void Run_DetectEveryMs_SearchesThatOftenAndLosesNoFrame(int everyMs, int searched)
    {
        Outcome outcome = Run([new("a", MakeClip(), Pace.Maximum)], listed: true, detectEveryMs: everyMs);

        Assert.Equal((40L, 40L, (long)searched), (outcome.Cameras[0].FramesDecoded, outcome.Cameras[0].FramesAnalysed, outcome.Cameras[0].FramesSearched));
        Assert.Equal(1, outcome.Totals.AlertsRaised);
    }

    /// <summary>In the middle of a stream, with people in the picture who are looked at and compared, nothing is taken from the managed heap.</summary>
    /// <remarks>A pool grows when more is held at once than ever before, which happens on a busy machine: what every frame takes is taken in each of three runs.</remarks>
    [Fact]
    public void Run_SteadyState_AllocatesNoManagedByte()
    {
        string clip = MakeClip(seconds: 12);
        // Pools of the process grow to what two workers need at their busiest.
        Run([new("a", clip, Pace.Maximum)], listed: false, workers: 2);
        using var nobodyWatches = new LiveView();
        long[] bytes = [];
        for (int attempt = 0; attempt < 3 && (attempt == 0 || bytes.Any(b => b > 0)); attempt++)
            bytes = BytesInTheMiddle(new("a", clip, Pace.Maximum) { LiveView = nobodyWatches });

        Assert.All(bytes, taken => Assert.Equal(0, taken));
        Assert.Equal(0, nobodyWatches.Pictures);
    }

    // What each thread of a run takes from the managed heap between its first frames and its last, which end tracklets.
    private long[] BytesInTheMiddle(CameraSettings camera)
    {
        const int WarmFrames = 150, LastFrame = 290;
        // By thread: its first reading plus one, and its last.
        var first = new long[10_000];
        var last = new long[10_000];
        int frames = 0, measured = 0, compared = 0;
        Run([camera], listed: false, atStage: (stage, _) =>
        {
            frames += stage == "decode" ? 1 : 0;
            if (frames is < WarmFrames or > LastFrame)
                return;
            measured += stage == "decode" ? 1 : 0;
            compared += stage == "embed" ? 1 : 0;
            int thread = Environment.CurrentManagedThreadId;
            last[thread] = GC.GetAllocatedBytesForCurrentThread();
            if (first[thread] == 0)
                first[thread] = last[thread] + 1;
        }, workers: 2);

        Assert.True(measured > 100 && compared > 5, $"{measured} frames, {compared} comparisons");
        long[] bytes = [.. first.Zip(last, (from, to) => from == 0 ? -1 : to - (from - 1)).Where(taken => taken >= 0)];
        output.WriteLine($"{measured} frames, {compared} comparisons, bytes by thread: {string.Join(", ", bytes)}");
        return bytes;
    }

    [Fact]
    public void Run_Watched_ComparesTheSameAndLeavesNothing()
    {
        string clip = MakeClip();
        Outcome alone = Run([new("a", clip, Pace.Maximum)], listed: true);
        using var live = new LiveView();
        Outcome watched = Run([new("a", clip, Pace.Maximum) { LiveView = live }], listed: true, atStage: (stage, _) =>
        {
            if (stage == "detect")
                live.TakeJpeg(out int _)?.Dispose();
        });

        Assert.True(live.Pictures > 0);
        Assert.Equal(alone.Cameras[0].TraceSha256, watched.Cameras[0].TraceSha256);
        watched.AssertNothingLeft();
    }

    [Fact]
    public void Run_SameClipTwice_ComparesTheSame()
    {
        string clip = MakeClip();
        Outcome first = Run([new("a", clip, Pace.Maximum)], listed: true), second = Run([new("a", clip, Pace.Maximum)], listed: true);

        Assert.Equal(64, first.Cameras[0].TraceSha256.Length);
        Assert.Equal(first.Cameras[0].TraceSha256, second.Cameras[0].TraceSha256);
        Assert.Equal(1, first.Totals.AlertsRaised);
        Assert.Equal(1, second.Totals.AlertsRaised);
    }

    [Fact]
    public void Activations_AfterARun_AreAllWiped()
    {
        long before = ErasureClock.Activation.Count;
        int held = ActivationAllocator.UnwipedBlocks;
        Run([new("a", MakeClip(), Pace.Maximum)], listed: false);

        Assert.True(ErasureClock.Activation.Count > before);
        Assert.Equal(held, ActivationAllocator.UnwipedBlocks);
    }

    private Outcome Run(CameraSettings[] cameras, bool listed, Action<string, string>? atStage = null, Action<Alert>? onAlert = null, CancellationTokenSource? stopping = null,
        Action<DeadlineMiss>? onDeadlineMissed = null, int workers = 0, int embeddingBatch = 1, int detectEveryMs = PipelineSettings.DefaultDetectEveryMs, int gridLongSide = 0)
    {
        using Watchlist watchlist = Enrol(listed);
        long rented = BufferPool.OutstandingBlocks;
        CameraStatus[] statuses = [.. cameras.Select(c => new CameraStatus(c.Name))];
        using Gallery gallery = Gallery.Create(watchlist);
        long withGallery = BufferPool.OutstandingBlocks;
        var pipeline = new LivePipeline(models, gallery, new PipelineSettings
        {
            Thresholds = CategoryThresholds.Uniform(0.48f),
            AtStage = atStage,
            Workers = workers,
            EmbeddingBatch = embeddingBatch,
            DetectEveryMs = detectEveryMs,
            Detector = gridLongSide > 0 ? new DetectorSettings { GridLongSide = gridLongSide } : new DetectorSettings(),
        });
        var totals = new RunTotals(onDeadlineMissed);
        pipeline.Run(cameras, statuses, onAlert ?? (alert => alert.Dispose()), totals, stopping?.Token ?? TestContext.Current.CancellationToken);
        Assert.True(withGallery >= rented);
        return new Outcome(statuses, totals, BufferPool.OutstandingBlocks - withGallery, totals.Media.BuffersOutstanding);
    }

    // The woman of the demonstration from another photo than the clip's, or somebody who is not in the clip.
    private Watchlist Enrol(bool listed)
    {
        string photo = Path.Combine(folder, listed ? "listed.jpg" : "other.jpg");
        Ffmpeg("-y", "-i", catalog.SamplePath("@vladmandic/face-api", listed ? "demo/sample3.jpg" : "demo/sample6.jpg"), "-vf", listed ? "crop=460:580:960:120" : "crop=400:560:150:360", "-frames:v", "1", photo);
        ModelManifest embedder = models.Embedder.Manifest;
        using var builder = new WatchlistBuilder("test", embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        using var enroller = new WatchlistEnroller(models);
        using VettedPhoto vetted = enroller.Vet(File.ReadAllBytes(photo));
        Assert.True(vetted.Verdict != PhotoVerdict.Rejected, string.Join("; ", vetted.Reasons));
        builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity("p", "P", WatchlistCategory.Wanted)), vetted.Template, vetted.Quality, vetted.Chip);
        return builder.Build();
    }

    // Three people of a sample photo, the listed one among them, drift through the picture for 1.6 s.
    private string MakeClip(string format = "mp4", double seconds = 1.6)
    {
        string clip = Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"clip{seconds}.{format}"));
        if (!File.Exists(clip))
            Ffmpeg("-loop", "1", "-framerate", "25", "-i", catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), "-t", seconds.ToString(System.Globalization.CultureInfo.InvariantCulture), "-vf", "scale=1120:-2,crop=960:544:x='40+10*t':y=60", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p", "-f", format, clip);
        return clip;
    }

    private static void Ffmpeg(params string[] arguments)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardError = true };
        foreach (string argument in (string[])["-loglevel", "error", "-nostdin", .. arguments])
            start.ArgumentList.Add(argument);
        using Process ffmpeg = Process.Start(start)!;
        string errors = ffmpeg.StandardError.ReadToEnd();
        ffmpeg.WaitForExit();
        Assert.True(ffmpeg.ExitCode == 0, errors);
    }

    private sealed record Outcome(CameraStatus[] Cameras, RunTotals Totals, long BlocksLeft, long FramesLeft)
    {
        public void AssertNothingLeft()
        {
            Assert.Equal(0, BlocksLeft);
            Assert.Equal(0, FramesLeft);
        }
    }
}
