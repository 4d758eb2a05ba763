using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Tracking;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

/// <summary>The queue discipline, step by step: who goes first, and who loses when there is too much.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class SchedulerTests : IDisposable
{
    private readonly EngineModels models;
    private readonly CurrentGallery gallery;
    private readonly PipelineSettings settings = new() { Thresholds = CategoryThresholds.Uniform(0.5f), EmbeddingBatch = 4 };
    private readonly RunTotals totals = new();
    private readonly List<CameraLane> lanes = [];
    private readonly PendingShot[] shots = new PendingShot[4];
    private readonly StreamTime time = new();
    private long clock;

    public SchedulerTests()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        models = EngineModels.Load(new ModelCatalog(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default));
        ModelManifest embedder = models.Embedder.Manifest;
        using var builder = new WatchlistBuilder("test", embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        var row = new float[embedder.EmbeddingLength];
        row[0] = 1;
        builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity("p", "P", WatchlistCategory.Wanted)), row, quality: 1);
        using Watchlist list = builder.Build();
        using Gallery made = Gallery.Create(list);
        gallery = new CurrentGallery(made);
    }

    public void Dispose()
    {
        foreach (CameraLane lane in lanes)
        {
            if (!lane.State.Closed)
                lane.Dispose();
            lane.CloseReader();
        }
        gallery.Dispose();
        models.Dispose();
    }

    [Fact]
    public void Put_MoreThanThereIsRoomFor_DropsTheOldestOfTheBusiest()
    {
        Scheduler scheduler = Make(Pace.RealTime, "busy", "quiet");
        Frame[] quiet = [Put(scheduler, 1)];
        Frame[] busy = [.. Enumerable.Range(0, (2 * Scheduler.WaitingPerCamera) - 1).Select(_ => Put(scheduler, 0))];
        // There is room for so many of each, whoever takes it: nobody has lost anything.
        Assert.All([.. quiet, .. busy], f => Assert.False(f.IsGone));

        Frame another = Put(scheduler, 0);
        Assert.True(busy[0].IsGone);
        Frame second = Put(scheduler, 1);
        // The quiet camera's new frame costs the busy one, not itself.
        Assert.True(busy[1].IsGone);
        Assert.All([quiet[0], busy[^1], another, second], f => Assert.False(f.IsGone));
        Assert.Equal((2L, 0L), (lanes[0].Status.FramesDropped, lanes[1].Status.FramesDropped));
        End(scheduler);
    }

    [Fact]
    public void Take_FramesThatWaitedTooLong_AreDroppedAndNeverSearched()
    {
        Scheduler scheduler = Make(Pace.RealTime, "a", "b");
        Frame old = Put(scheduler, 0);
        time.Us = Scheduler.LongestWaitMs * 1000;
        Frame recent = Put(scheduler, 1);
        time.Us += 1;

        FrameWork taken = TakeSearch(scheduler);

        Assert.Equal(("b", true, false), (taken.Lane.Camera.Name, old.IsGone, recent.IsGone));
        Assert.Equal((1L, 0L), (lanes[0].Status.FramesDropped, lanes[1].Status.FramesDropped));
        // Where all workers are busy, and nobody takes anything, the next frame drops what has become too old.
        Frame waits = Put(scheduler, 0);
        time.Us += Scheduler.LongestWaitMs * 2000;
        clock = time.Us;
        Put(scheduler, 0);
        Assert.True(waits.IsGone);
        scheduler.Done(new Work(WorkKind.Search, taken), [], null);
        End(scheduler);
    }

    [Fact]
    public void Take_RecordingWithoutDrops_SearchesFramesOfAnyAge()
    {
        Scheduler scheduler = Make(Pace.Maximum, "a");
        Put(scheduler, 0);
        time.Us = Scheduler.LongestWaitMs * 10_000;

        Assert.Equal(0, TakeSearch(scheduler).Number);
        EndFailed(scheduler);
    }

    [Fact]
    public void Take_SeveralCameras_ReturnsTheOldestFrame()
    {
        Scheduler scheduler = Make(Pace.RealTime, "a", "b");
        Put(scheduler, 1);
        Put(scheduler, 0);
        Put(scheduler, 0);

        Assert.Equal(["b", "a", "a"], [TakeSearch(scheduler).Lane.Camera.Name, TakeSearch(scheduler).Lane.Camera.Name, TakeSearch(scheduler).Lane.Camera.Name]);
        EndFailed(scheduler);
    }

    [Fact]
    public void Take_WorkAtEveryStage_FinishesWhatIsFurthestAlong()
    {
        Scheduler scheduler = Make(Pace.RealTime, "a", "b");
        Put(scheduler, 0);
        Put(scheduler, 1);
        Put(scheduler, 0);
        var order = new List<WorkKind>();
        for (int i = 0; i < 9; i++)
        {
            Assert.True(scheduler.Take(out Work work, shots));
            order.Add(work.Kind);
            scheduler.Done(work, [], null);
        }
        // Each frame goes its whole way before another is begun; there are no shots to compare.
        Assert.Equal(Enumerable.Repeat((WorkKind[])[WorkKind.Search, WorkKind.Track, WorkKind.Decide], 3).SelectMany(k => k), order);
        End(scheduler);
    }

    [Fact]
    public void Take_SearchedOutOfOrder_TracksInOrder()
    {
        Scheduler scheduler = Make(Pace.RealTime, "a");
        Put(scheduler, 0);
        Put(scheduler, 0);
        FrameWork first = TakeSearch(scheduler), second = TakeSearch(scheduler);
        scheduler.Done(new Work(WorkKind.Search, second), [], null);
        Put(scheduler, 0);
        // The second is searched, but must wait for the first: so a third is begun.
        Assert.Equal(2, TakeSearch(scheduler).Number);
        scheduler.Done(new Work(WorkKind.Search, first), [], null);

        Assert.True(scheduler.Take(out Work next, shots));
        Assert.Equal((WorkKind.Track, 0L), (next.Kind, next.Frame!.Number));
        EndFailed(scheduler);
    }

    [Fact]
    public void Take_ShotsOfTwoCameras_AreOneBatch()
    {
        Scheduler scheduler = Make(Pace.RealTime, "a", "b");
        Put(scheduler, 0);
        Put(scheduler, 1);
        FrameWork[] searched = [TakeSearch(scheduler), TakeSearch(scheduler)];
        Array.ForEach(searched, f => scheduler.Done(new Work(WorkKind.Search, f), [], null));
        Assert.True(scheduler.Take(out Work first, shots));
        Assert.True(scheduler.Take(out Work second, shots));
        foreach (Work track in (Work[])[first, second])
        {
            Assert.Equal(WorkKind.Track, track.Kind);
            track.Frame!.Shots.Add(new FaceShot(BufferPool.Rent<float>(1), new Picture(1, 1)));
            scheduler.Done(track, [], null);
        }

        Assert.True(scheduler.Take(out Work compare, shots));
        Assert.Equal((WorkKind.Compare, 2), (compare.Kind, compare.Shots));
        Assert.Equal(["a", "b"], shots.Take(2).Select(s => s.Frame.Lane.Camera.Name));
        scheduler.Done(compare, shots.AsSpan(0, 2), null);
        Assert.True(scheduler.Take(out Work decide, shots));
        Assert.Equal((WorkKind.Decide, "a"), (decide.Kind, decide.Frame!.Lane.Camera.Name));
        EndFailed(scheduler);
    }

    private Scheduler Make(Pace pace, params string[] names)
    {
        foreach (string name in names)
            lanes.Add(new CameraLane(new CameraSettings(name, "none.mp4", pace), new CameraStatus(name), models, gallery, settings, totals, 2, 0, CancellationToken.None));
        return new Scheduler([.. lanes], settings, workers: 2, time);
    }

    private Frame Put(Scheduler scheduler, int camera)
    {
        var frame = new Frame();
        var lease = new FrameLease();
        lease.Fill(frame, new TestFrame(PixelFormat.Grey, 8, 8).View, clock, ++clock);
        Assert.True(scheduler.Put(lanes[camera], lease));
        return frame;
    }

    private FrameWork TakeSearch(Scheduler scheduler)
    {
        Assert.True(scheduler.Take(out Work work, shots));
        Assert.Equal(WorkKind.Search, work.Kind);
        return work.Frame!;
    }

    // Everything still waiting goes its way; the tracklets end; nothing is left.
    private void End(Scheduler scheduler)
    {
        lanes.ForEach(l => scheduler.EndSource(l, null));
        while (scheduler.Take(out Work work, shots))
            scheduler.Done(work, shots.AsSpan(0, work.Shots), null);
        Assert.All(lanes, l => Assert.True(l.State.Closed));
    }

    // What is under way in the test's hands stays there; the rest is wiped.
    private void EndFailed(Scheduler scheduler)
    {
        lanes.ForEach(l => scheduler.EndFailed(l, new IOException("the test is over")));
        Assert.All(lanes, l => Assert.Empty(l.State.Waiting));
    }

    /// <summary>Stands for the planes of a frame and records whether they were released.</summary>
    private sealed class Frame : IDisposable
    {
        public bool IsGone { get; private set; }

        public void Dispose() => IsGone = true;
    }
}
