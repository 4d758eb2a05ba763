using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using LfrEngine.Alerts;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Threading;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>The engine at work: cameras in, alerts out, everything else erased.</summary>
/// <remarks>
/// A frame's way, stage by stage, each handing on what it owns:
/// <code>
/// Read      CameraReader                          a frame                            a thread per camera
/// Search    Letterbox → network → FaceDetector    the frame with its faces           ┐
/// Track     FaceTracker → BestShotSelector        the shots worth comparing;         │ workers, one per processor,
///                                                 the frame ends here                │ for all cameras together
/// Compare   Embedder → IGallerySearch             the shots with whom they are like  │ (see Scheduler)
/// Decide    EvidenceLedger                        every shot ends here; perhaps      │
///                                                 an alert                           ┘
/// Alert     AlertDesk                             merged across cameras, handed out  one thread, as the taker may be slow
/// </code>
/// <see cref="CameraLane"/> holds what belongs to one camera, <see cref="Worker"/> what belongs to none, <see cref="Scheduler"/> says who does what next.
/// Stages of one camera see its frames in order and share nothing with other cameras but the models and the alert desk, so a recording played at full
/// speed gives the same tracklets, scores and alerts every time, and a camera that fails takes no other with it.
/// </remarks>
public sealed class LivePipeline
{
    // Alerts are rare; this many at once would be a fault, and then evidence may wait.
    private const int AlertQueue = 256;

    private readonly EngineModels models;
    private readonly Gallery gallery;
    private readonly PipelineSettings settings;

    /// <summary>Prepares a pipeline.</summary>
    /// <param name="models">Borrowed for the life of the pipeline.</param>
    /// <param name="gallery">Borrowed for the life of the pipeline.</param>
    /// <param name="settings">Checked here.</param>
    public LivePipeline(EngineModels models, Gallery gallery, PipelineSettings settings)
    {
        if (gallery.EmbedderSha256 != models.Embedder.Manifest.Sha256)
            throw new ArgumentException("The gallery was made by a different embedder from the one loaded.", nameof(gallery));
        settings.Validate();
        this.models = models;
        this.gallery = gallery;
        this.settings = settings;
    }

    /// <summary>Runs the cameras until all have ended or the run is stopped. Nothing biometric is left when it returns, alerts handed out apart.</summary>
    /// <param name="cameras">Names must differ.</param>
    /// <param name="statuses">One per camera, in order; updated while running.</param>
    /// <param name="onAlert">Called on one thread for every alert, joined ones included. Takes ownership. What it throws ends the alert's camera.</param>
    /// <param name="totals">Counted while running, complete when this returns. Of one run only.</param>
    /// <param name="stopping">Ends the run.</param>
    /// <exception cref="ModelLoadException">A network does not do what its manifest says; no camera was opened.</exception>
    /// <remarks>
    /// An exception of a stage ends its camera. An exception of a thread of the run itself (a fault of the engine) ends the run in order: the cameras stop, everything
    /// is wiped, <paramref name="totals"/> is complete, and then the exception is thrown here.
    /// </remarks>
    public void Run(IReadOnlyList<CameraSettings> cameras, IReadOnlyList<CameraStatus> statuses, Action<Alert> onAlert, RunTotals totals, CancellationToken stopping)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(statuses.Count, cameras.Count);
        if (cameras.Select(c => c.Name).Distinct().Count() != cameras.Count)
            throw new ArgumentException("Two cameras have the same name.", nameof(cameras));

        long started = Stopwatch.GetTimestamp();
        var desk = new AlertDesk(settings.Alerts);
        using var handed = new BlockingCollection<PendingAlert>(AlertQueue);
        int workerCount = settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount;
        var workers = new List<Worker>(workerCount);
        var lanes = new List<CameraLane>(cameras.Count);
        var threads = new List<EngineThread>();
        using GalleryLease lease = gallery.Lease();
        using var media = new MediaAccount();
        using var over = new ManualResetEvent(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Scheduler? scheduler = null;
        ExceptionDispatchInfo? fault = null;
        void EndRun(Exception e)
        {
            Interlocked.CompareExchange(ref fault, ExceptionDispatchInfo.Capture(e), null);
            scheduler?.Abandon();
            // Threads that wait for room in the alert queue continue.
            handed.CompleteAdding();
            ending.Cancel();
        }
        EngineThread watchdog = EngineThread.Start("watchdog", () => Watch(totals.Erasure, cameras, over), EndRun);
        ActivationAllocator.BeginStream();
        try
        {
            for (int i = 0; i < cameras.Count; i++)
            {
                // Live cameras take turns, so that not all of them want their search in the same instant. A recording is searched the same way wherever it stands.
                int turn = cameras[i].DropsOldest ? i * settings.DetectEveryMs / cameras.Count : 0;
                lanes.Add(new CameraLane(cameras[i], statuses[i], models, gallery, settings, totals, workerCount, turn, ending.Token));
            }
            scheduler = new Scheduler([.. lanes], settings, workerCount);
            for (int i = 0; i < workerCount; i++)
                workers.Add(new Worker(models, gallery, settings, totals, scheduler, (lane, alert) => handed.Add(new PendingAlert(lane, alert))));
            WarmUp(workers);
            EngineThread? alerts = null;
            try
            {
                alerts = EngineThread.Start("alerts", () => HandOut(handed, desk, totals, onAlert, scheduler), EndRun);
                foreach (Worker worker in workers)
                    threads.Add(EngineThread.Start($"worker {threads.Count}", worker.Run, EndRun));
                foreach (CameraLane lane in lanes)
                    threads.Add(EngineThread.Start($"read {lane.Camera.Name}", () => Read(lane, scheduler, started, media), EndRun));
            }
#pragma warning disable CA1031 // The machine has no thread left, say: those that run must end before what they use is wiped.
            catch (Exception e)
#pragma warning restore CA1031
            {
                EndRun(e);
            }
            threads.ForEach(t => t.Join());
            handed.CompleteAdding();
            alerts?.Join();
        }
        finally
        {
            workers.ForEach(w => w.Dispose());
            while (handed.TryTake(out PendingAlert? untold))
                untold.Dispose();
            foreach (CameraLane lane in lanes)
            {
                if (!lane.State.Closed)
                {
                    scheduler?.Discard(lane);
                    lane.Dispose();
                }
                lane.CloseReader();
            }
            if (ActivationAllocator.EndStream() is { } unwiped)
                EndRun(unwiped);
            over.Set();
            watchdog.Join();
            foreach (CameraSettings camera in cameras)
                camera.LiveView?.Dispose();
        }
        totals.AlertsRaised = desk.Raised;
        totals.AlertsJoined = desk.Joined;
        totals.Media = media.Read();
        totals.Elapsed = Stopwatch.GetElapsedTime(started);
        fault?.Throw();
    }

    private static void Read(CameraLane lane, Scheduler scheduler, long started, MediaAccount media)
    {
        Exception? failure = null;
        try
        {
            lane.Read(scheduler, started, media);
        }
#pragma warning disable CA1031 // Whatever reading throws ends this camera and no other; the message reaches the operator.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }
        scheduler.EndSource(lane, failure);
    }

    // Before the cameras are opened: what is compiled and laid out now costs no frame later.
    private void WarmUp(List<Worker> workers)
    {
        ExceptionDispatchInfo? failure = null;
        var threads = new List<EngineThread>(workers.Count);
        try
        {
            foreach (Worker worker in workers)
            {
                threads.Add(EngineThread.Start("warm-up", () =>
                {
                    using var closeLook = new BestShotSelector(settings.BestShots, models, slotCount: 1);
                    worker.WarmUp(closeLook);
                }, e => failure = ExceptionDispatchInfo.Capture(e)));
            }
        }
        finally
        {
            // Also when one could not be started: the others use what is wiped next.
            threads.ForEach(t => t.Join());
        }
        failure?.Throw();
    }

    private void HandOut(BlockingCollection<PendingAlert> handed, AlertDesk desk, RunTotals totals, Action<Alert> onAlert, Scheduler scheduler)
    {
        foreach (PendingAlert pending in handed.GetConsumingEnumerable())
        {
            CameraLane lane = pending.Lane;
            try
            {
                using (pending)
                {
                    settings.AtStage?.Invoke("alert", lane.Camera.Name);
                    Alert alert = pending.Release();
                    desk.Submit(alert);
                    totals.CountAlert(alert.RaisedAt - alert.CapturedAt);
                    if (alert.JoinedAlertId is null)
                        lane.Status.CountAlert();
                    onAlert(alert);
                }
            }
#pragma warning disable CA1031 // The taker of an alert may fail: that ends this camera, visibly, and no other.
            catch (Exception e)
#pragma warning restore CA1031
            {
                scheduler.EndFailed(lane, e);
            }
        }
    }

    /// <summary>A stage that hangs cannot report it: this thread does so for all of them.</summary>
    private static void Watch(ErasureClock clock, IReadOnlyList<CameraSettings> cameras, ManualResetEvent over)
    {
        while (!over.WaitOne(ErasureClock.DeadlineMs / 10))
        {
            clock.CheckDeadlines();
            for (int i = 0; i < cameras.Count; i++)
                cameras[i].LiveView?.Tidy();
        }
    }

    /// <summary>An alert on its way out; disposing wipes it unless somebody has taken it.</summary>
    private sealed class PendingAlert(CameraLane lane, Alert alert) : IDisposable
    {
        private Alert? alert = alert;

        public CameraLane Lane { get; } = lane;

        public Alert Release()
        {
            Alert released = alert!;
            alert = null;
            return released;
        }

        public void Dispose() => alert?.Dispose();
    }
}
