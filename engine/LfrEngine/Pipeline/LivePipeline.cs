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

/// <summary>The pipeline: cameras in, alerts out, everything else erased.</summary>
/// <remarks>
/// The stages of a frame; each passes on what it owns:
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
/// <see cref="CameraLane"/> holds the state of one camera, <see cref="Worker"/> holds none, <see cref="Scheduler"/> assigns the work.
/// Stages of one camera see its frames in order and share nothing with other cameras but the models and the alert desk, so a recording played at full
/// speed gives the same tracklets, scores and alerts every time, and a failing camera does not affect the others.
/// </remarks>
#pragma warning disable CA1001 // The run that sets it disposes it.
public sealed class LivePipeline
#pragma warning restore CA1001
{
    // Alerts are rare; this many at once would be a fault, and then deciding may wait.
    private const int AlertQueue = 256;

    private readonly EngineModels models;
    private readonly PipelineSettings settings;
    private readonly Lock gate = new();
    private Gallery gallery;
    private CurrentGallery? searched;

    /// <summary>Prepares a pipeline.</summary>
    /// <param name="models">Borrowed for the life of the pipeline.</param>
    /// <param name="gallery">Borrowed until <see cref="Swap"/> puts another in its place, or for the life of the pipeline.</param>
    /// <param name="settings">Checked here.</param>
    public LivePipeline(EngineModels models, Gallery gallery, PipelineSettings settings)
    {
        settings.Validate();
        this.models = models;
        this.settings = settings;
        this.gallery = Checked(gallery);
    }

    /// <summary>Searches another gallery from now on, also in the middle of a run. An alert that is being decided or handed out at this moment may still be from the former.</summary>
    /// <param name="next">Borrowed like the first. The former may be disposed now: it is wiped once the searches under way have ended.</param>
    /// <remarks>People in view are compared again, with the new gallery: what was collected about them with the former counts no more. Any thread.</remarks>
    public void Swap(Gallery next)
    {
        Checked(next);
        lock (gate)
        {
            gallery = next;
            searched?.Swap(next);
        }
    }

    private Gallery Checked(Gallery given) => given.EmbedderSha256 == models.Embedder.Manifest.Sha256
        ? given
        : throw new ArgumentException("The gallery was made by a different embedder from the one loaded.", nameof(given));

    /// <summary>Runs the cameras until all have ended or the run is stopped. When it returns, no biometric data is left except in alerts passed to <paramref name="onAlert"/>.</summary>
    /// <param name="cameras">Names must differ.</param>
    /// <param name="statuses">One per camera, in order; updated while running.</param>
    /// <param name="onAlert">Called on one thread for every alert, including joined ones. Takes ownership. An exception from it ends the alert's camera.</param>
    /// <param name="totals">Counted while running, complete when this returns. Of one run only.</param>
    /// <param name="stopping">Stops the run.</param>
    /// <exception cref="ModelLoadException">A network does not match its manifest; no camera was opened.</exception>
    /// <remarks>
    /// An exception in a stage ends its camera. An exception in a thread of the run itself (a fault of the engine) ends the run in order: the cameras stop, everything
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
        using CurrentGallery list = Begin();
        using var media = new MediaAccount();
        using var over = new ManualResetEvent(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Scheduler? scheduler = null;
        ExceptionDispatchInfo? fault = null;
        void EndRun(Exception e)
        {
            Interlocked.CompareExchange(ref fault, ExceptionDispatchInfo.Capture(e), null);
            scheduler?.Abandon();
            // Threads that wait for space in the alert queue continue.
            handed.CompleteAdding();
            ending.Cancel();
        }
        EngineThread? watchdog = null;
        bool streaming = false;
        try
        {
            watchdog = EngineThread.Start("watchdog", () => Watch(totals.Erasure, cameras, over), EndRun);
            ActivationAllocator.BeginStream();
            streaming = true;
            for (int i = 0; i < cameras.Count; i++)
            {
                // Live cameras are staggered, so that their searches do not all come at the same time. A recording is searched in the same frames whatever its position in the list.
                int turn = cameras[i].DropsOldest ? i * settings.DetectEveryMs / cameras.Count : 0;
                CameraSettings camera = cameras[i];
                CameraStatus status = statuses[i];
                lanes.Add(BufferPool.Complete(() => new CameraLane(camera, status, models, list, settings, totals, workerCount, turn, ending.Token)));
            }
            scheduler = new Scheduler([.. lanes], settings, workerCount);
            for (int i = 0; i < workerCount; i++)
                workers.Add(BufferPool.Complete(() => new Worker(models, list, settings, totals, scheduler, (lane, alert) => handed.Add(new PendingAlert(lane, alert)))));
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
#pragma warning disable CA1031 // For example, the machine has no threads left. Running threads must end before what they use is wiped.
            catch (Exception e)
#pragma warning restore CA1031
            {
                EndRun(e);
            }
            threads.ForEach(t => t.Join());
            handed.CompleteAdding();
            alerts?.Join();
        }
#pragma warning disable CA1031 // Thrown again at the end. The run could not begin, for want of memory for example.
        catch (Exception e)
#pragma warning restore CA1031
        {
            EndRun(e);
        }
        finally
        {
            lock (gate)
                searched = null;
            if (fault is not null)
            {
                foreach (CameraStatus status in statuses.Where(s => s.State is not (CameraState.Ended or CameraState.Failed)))
                    status.Fail(fault.SourceException);
            }
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
            if (streaming && ActivationAllocator.EndStream() is { } unwiped)
                EndRun(unwiped);
            over.Set();
            watchdog?.Join();
            foreach (CameraSettings camera in cameras)
                camera.LiveView?.Dispose();
        }
        totals.AlertsRaised = desk.Raised;
        totals.AlertsJoined = desk.Joined;
        totals.Media = media.Read();
        totals.Elapsed = Stopwatch.GetElapsedTime(started);
        fault?.Throw();
    }

    private CurrentGallery Begin()
    {
        lock (gate)
            return searched = new CurrentGallery(gallery);
    }

    private static void Read(CameraLane lane, Scheduler scheduler, long started, MediaAccount media)
    {
        Exception? failure = null;
        try
        {
            lane.Read(scheduler, started, media);
        }
#pragma warning disable CA1031 // Any exception from reading ends only this camera; the operator sees the message.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }
        scheduler.EndSource(lane, failure);
    }

    // Before the cameras are opened, so that compilation and allocation do not delay a frame later.
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
                    using BestShotSelector closeLook = BufferPool.Complete(() => new BestShotSelector(settings.BestShots, models, slotCount: 1));
                    worker.WarmUp(closeLook);
                }, e => failure = ExceptionDispatchInfo.Capture(e)));
            }
        }
        finally
        {
            // Also if one could not be started, because the others use what is wiped next.
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
#pragma warning disable CA1031 // If the receiver of an alert fails, only this camera ends, with a message.
            catch (Exception e)
#pragma warning restore CA1031
            {
                scheduler.EndFailed(lane, e);
            }
        }
    }

    /// <summary>A stage that hangs cannot report it, so this thread does it for all stages.</summary>
    private static void Watch(ErasureClock clock, IReadOnlyList<CameraSettings> cameras, ManualResetEvent over)
    {
        while (!over.WaitOne(ErasureClock.DeadlineMs / 10))
        {
            clock.CheckDeadlines();
            for (int i = 0; i < cameras.Count; i++)
                cameras[i].LiveView?.Tidy();
        }
    }

    /// <summary>An alert being delivered; disposing wipes it unless it has been taken.</summary>
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
