using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Native.Media;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>One camera: its reader thread, its tracker and evidence, and the state of its frames.</summary>
/// <remarks>
/// The stages are methods here; <see cref="Scheduler"/> says which worker runs which, and never runs <see cref="Track"/> twice at once, or
/// <see cref="Decide"/> twice at once: trackers and evidence see a camera's frames in order.
/// </remarks>
internal sealed class CameraLane : IDisposable
{
    private readonly CurrentGallery list;
    private readonly PipelineSettings settings;
    private readonly RunTotals totals;
    private readonly FaceTracker tracker;
    private readonly BestShotSelector selector;
    private readonly EvidenceLedger ledger;
    private readonly ShotTrace trace = new();
    private readonly List<Alert> raised = [];
    private readonly CancellationTokenSource ending;
    private readonly Queue<FrameWork> spares = new();
    private readonly int underWay;
    private readonly SearchRhythm rhythm;

    public CameraLane(CameraSettings camera, CameraStatus status, EngineModels models, CurrentGallery list, PipelineSettings settings, RunTotals totals, int workers, int searchAfterMs, CancellationToken stopping)
    {
        rhythm = new SearchRhythm(settings.DetectEveryMs, searchAfterMs);
        (Camera, Status, this.list, this.settings, this.totals) = (camera, status, list, settings, totals);
        tracker = new FaceTracker(models.Tracking(new TrackerSettings()));
        selector = new BestShotSelector(settings.BestShots, models, tracker.SlotCount, camera.Zone);
        ledger = new EvidenceLedger(totals.RunId, camera.Name, settings.Alerts, list.Newest, settings.Thresholds);
        underWay = Scheduler.LargestUnderWay(workers);
        for (int i = 0; i < underWay; i++)
            spares.Enqueue(new FrameWork(this, totals.Erasure));
        ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    public CameraSettings Camera { get; }

    public CameraStatus Status { get; }

    /// <summary>State of this camera's frames; owned by the scheduler, under its gate.</summary>
    public LaneState State { get; } = new();

    /// <summary>Reads the camera until it ends, on its own thread, because reading waits for the source and workers must not wait.</summary>
    public void Read(Scheduler scheduler, long started, MediaAccount media)
    {
        using var reader = new CameraReader(Camera, Status, started, media, underWay + Scheduler.WaitingPerCamera + 1);
        while (reader.Read(ending.Token) is { } frame)
        {
            try
            {
                settings.AtStage?.Invoke("decode", Camera.Name);
            }
            catch
            {
                frame.Dispose();
                throw;
            }
            if (!rhythm.Wants(frame.TimestampUs))
            {
                Passed(frame);
                continue;
            }
            bool taken = scheduler.Put(this, frame);
            if (!taken)
                return;
        }
    }

    /// <summary>Follows the faces found in a frame and cuts out the shots to compare. The frame is released here.</summary>
    public void Track(FrameWork work)
    {
        settings.AtStage?.Invoke("track", Camera.Name);
        FrameView view = work.Frame!.View;
        using (StageClock.Time(PipelineStage.Track))
            tracker.Update(work.Faces.Items, work.TimestampUs, view.Width, view.Height);
        selector.Select(view, work.ArrivalTimestamp, tracker, work.Faces.Items, work.Shots);
        settings.OnTracked?.Invoke(Camera.Name, work.TimestampUs, work.Faces.Items, tracker, selector.Looks);
        Camera.LiveView?.Offer(view, work.TimestampUs, work.Faces.Items, tracker);
        work.LetGoOfFrame();
        totals.CountFrameErased(work.ArrivalTimestamp);
        CollectEnded(work);
    }

    /// <summary>Ends all tracklets when the source has ended.</summary>
    public void EndTracklets(FrameWork work)
    {
        tracker.EndAll();
        CollectEnded(work);
    }

    /// <summary>Turns scores into evidence and evidence into alerts. Everything made from the frame is wiped before an alert is passed on.</summary>
    public void Decide(FrameWork work, Action<CameraLane, Alert> hand)
    {
        int shots = work.Shots.Count;
        try
        {
            Gallery newest = list.Newest;
            ledger.Follow(newest);
            foreach (FaceShot shot in work.Shots)
            {
                // Compared before the watchlist was swapped: it names people of the former list by their places there.
                ReadOnlySpan<Candidate> candidates = shot.Searched == newest ? shot.Candidates.AsSpan(0, shot.CandidateCount) : [];
                trace.Add(shot, shot.EmbeddingNorm, candidates);
                settings.OnCompared?.Invoke(Camera.Name, shot, candidates);
                ledger.Add(shot, candidates, raised);
            }
            Status.CountCompared(shots);
            if (work.Judged())
                settings.AtStage?.Invoke("erase", Camera.Name);
            foreach (long id in work.EndedTracklets)
            {
                ledger.End(id);
                Camera.LiveView?.End(id);
            }
            Status.SetSeen(ledger.FacesSeen);
            Status.CountTracklets(work.ConfirmedEnded);
        }
        finally
        {
            work.Wipe();
        }
        // Counted after the shots have been wiped.
        totals.CountCropsErased(shots, work.ArrivalTimestamp);
        foreach (Alert alert in raised)
        {
            Camera.LiveView?.Show(alert.TrackletId);
            hand(this, alert);
        }
        raised.Clear();
        if (work.ArrivalTimestamp != 0)
            Status.CountAnalysed(Stopwatch.GetElapsedTime(work.ArrivalTimestamp));
    }

    /// <summary>Ends only this camera: the reader stops, and its frames are wiped as they are returned.</summary>
    public void Fail(Exception failure)
    {
        Status.Fail(failure);
        ending.Cancel();
    }

    /// <summary>Work for a frame; return it with <see cref="Return"/>.</summary>
    public FrameWork TakeWork()
    {
        lock (spares)
            return spares.TryDequeue(out FrameWork? work) ? work : new FrameWork(this, totals.Erasure);
    }

    /// <summary>Wipes the work and keeps it for reuse.</summary>
    public void Return(FrameWork work)
    {
        work.Wipe();
        lock (spares)
            spares.Enqueue(work);
    }

    /// <summary>Everything has been decided or discarded; no face data is left.</summary>
    public void Dispose()
    {
        raised.ForEach(alert => alert.Dispose());
        ledger.Dispose();
        selector.Dispose();
        foreach (FrameWork work in spares)
            work.Dispose();
        spares.Clear();
        Status.TraceSha256 = trace.Finish();
        trace.Dispose();
        // Set now, not when the slowest camera is done.
        Status.WasLost = Status.State == CameraState.Reconnecting;
        if (Status.State != CameraState.Failed)
            Status.State = CameraState.Ended;
    }

    /// <summary>Stops the reader's waiting. The token may be disposed only after its thread has ended.</summary>
    public void CloseReader() => ending.Dispose();

    private void Passed(FrameLease frame)
    {
        long arrival = frame.ArrivalTimestamp;
        frame.Dispose();
        totals.CountFrameErased(arrival);
        Status.CountAnalysed(Stopwatch.GetElapsedTime(arrival));
    }

    private void CollectEnded(FrameWork work)
    {
        foreach (Tracklet tracklet in tracker.Ended)
        {
            work.EndedTracklets.Add(tracklet.Id);
            work.ConfirmedEnded += tracklet.WasConfirmed ? 1 : 0;
        }
        if (work.EndedTracklets.Count > 0)
            work.Judged();
    }
}

/// <summary>State of one camera's frames.</summary>
internal sealed class LaneState
{
    // More than ever wait at once, even with many workers; a growing queue would allocate on the managed heap.
    private const int Room = 64;

    /// <summary>Decoded, not yet searched; oldest first.</summary>
    public Queue<FrameLease> Waiting { get; } = new(Room);

    /// <summary>Searched, waiting for earlier frames; by number modulo length.</summary>
    public FrameWork?[] Searched { get; set; } = [];

    /// <summary>Tracked, waiting for their shots to be compared; in order.</summary>
    public Queue<FrameWork> Tracked { get; } = new(Room);

    /// <summary>Number of the next frame to search.</summary>
    public long NextToSearch { get; set; }

    /// <summary>Number of the next frame to track.</summary>
    public long NextToTrack { get; set; }

    public int Searching { get; set; }

    public int Comparing { get; set; }

    public bool Tracking { get; set; }

    public bool Deciding { get; set; }

    /// <summary>The reader's thread has ended.</summary>
    public bool SourceEnded { get; set; }

    /// <summary>The tracklets have been ended.</summary>
    public bool Flushed { get; set; }

    /// <summary>A stage has failed; no new work is started.</summary>
    public bool Failed { get; set; }

    /// <summary>All work is done and no more will come.</summary>
    public bool Closed { get; set; }

    /// <summary>Whether a worker is processing any of this camera's work.</summary>
    public bool IsBusy => Searching > 0 || Comparing > 0 || Tracking || Deciding;
}
