using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>The engine at work: cameras in, alerts out, everything else erased.</summary>
/// <remarks>
/// Each camera has a thread per stage (detection, the longest, may have several) and the stages pass on what they own:
/// <code>
/// Decode    CameraReader                          a frame
/// Detect    Letterbox → network → FaceDetector    the frame with its faces
/// Track     FaceTracker → BestShotSelector        the shots worth comparing; the frame ends here
/// Recognise EmbeddingBatcher → IGallerySearch →
///           EvidenceLedger → AlertDesk            an alert, or nothing: every shot ends here
/// </code>
/// Between them lie short bounded queues. Only the first may drop frames, and only of sources that do not wait. Stages of one camera see its
/// frames in order and share nothing with other cameras but the models, the embedder's threads and the alert desk, so a recording played at
/// full speed gives the same tracklets, scores and alerts every time, and a camera that fails takes no other with it.
/// </remarks>
public sealed class LivePipeline
{
    private const int MaximumDetectors = 4;

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
            throw new ArgumentException("The gallery was made by another embedder than the one loaded.", nameof(gallery));
        settings.Tracker.Validate();
        settings.Alerts.Validated();
        this.models = models;
        this.gallery = gallery;
        this.settings = settings;
    }

    /// <summary>Runs the cameras until all have ended or the run is stopped. Nothing biometric is left when it returns, alerts handed out apart.</summary>
    /// <param name="cameras">Names must differ.</param>
    /// <param name="statuses">One per camera, in order; updated while running.</param>
    /// <param name="onAlert">Called on a camera's thread for every alert, joined ones included. Takes ownership.</param>
    /// <param name="stopping">Ends the run.</param>
    /// <param name="onDeadlineMissed">Told when something of a face outlived its verdict by more than <see cref="ErasureClock.DeadlineMs"/>; milliseconds.</param>
    public RunTotals Run(IReadOnlyList<CameraSettings> cameras, IReadOnlyList<CameraStatus> statuses, Action<Alert> onAlert, CancellationToken stopping, Action<double>? onDeadlineMissed = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(statuses.Count, cameras.Count);
        if (cameras.Select(c => c.Name).Distinct().Count() != cameras.Count)
            throw new ArgumentException("Two cameras have the same name.", nameof(cameras));

        var totals = new RunTotals(onDeadlineMissed);
        var desk = new AlertDesk(settings.Alerts);
        int embeddingThreads = settings.EmbeddingThreads > 0 ? settings.EmbeddingThreads : Math.Max(1, Environment.ProcessorCount / 2);
        // Waiting for other cameras' shots pays only where there are others.
        TimeSpan deadline = cameras.Count > 1 ? TimeSpan.FromMilliseconds(2) : TimeSpan.Zero;
        using var batcher = new EmbeddingBatcher(models.Embedder, embeddingThreads, deadline);
        // A camera alone may use all processors; detection is the longest stage, so its frames are shared out and put back in order.
        int detectors = Math.Clamp(Environment.ProcessorCount / cameras.Count, 1, MaximumDetectors);
        var lanes = new List<Lane>();
        long started = Stopwatch.GetTimestamp();
        try
        {
            for (int i = 0; i < cameras.Count; i++)
                lanes.Add(new Lane(this, cameras[i], statuses[i], batcher, desk, totals, onAlert, started, detectors, stopping));
        }
        finally
        {
            foreach (Lane lane in lanes)
                lane.Join();
        }
        totals.AlertsRaised = desk.Raised;
        totals.AlertsJoined = desk.Joined;
        totals.Elapsed = Stopwatch.GetElapsedTime(started);
        return totals;
    }

    /// <summary>One camera's threads.</summary>
    private sealed class Lane
    {
        // Two frames between stages keep both busy; more would only age.
        private const int StageQueue = 2;

        private readonly LivePipeline pipeline;
        private readonly CameraSettings camera;
        private readonly CameraStatus status;
        private readonly EmbeddingBatcher batcher;
        private readonly AlertDesk desk;
        private readonly RunTotals totals;
        private readonly Action<Alert> onAlert;
        private readonly long started;
        private readonly CancellationTokenSource ending;
        private readonly Handoff<FrameLease> decoded;
        private readonly Handoff<DetectedFrame> detected = new(StageQueue, dropOldest: false);
        private readonly Handoff<TrackedFrame> tracked = new(StageQueue, dropOldest: false);
        private readonly List<Thread> threads = [];
        private readonly Lock taking = new();
        private readonly object turns = new();
        private long framesTaken;
        private long turn;
        private int detecting;

        public Lane(LivePipeline pipeline, CameraSettings camera, CameraStatus status, EmbeddingBatcher batcher, AlertDesk desk, RunTotals totals,
            Action<Alert> onAlert, long started, int detectors, CancellationToken stopping)
        {
            (this.pipeline, this.camera, this.status, this.batcher, this.desk, this.totals, this.onAlert, this.started) =
                (pipeline, camera, status, batcher, desk, totals, onAlert, started);
            ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            decoded = new Handoff<FrameLease>(camera.DropsOldest ? 1 : StageQueue, camera.DropsOldest);
            Start("decode", Decode, decoded.Complete);
            detecting = detectors;
            for (int i = 0; i < detectors; i++)
                Start($"detect {i}", Detect, LeaveDetection);
            Start("track", Track, () => { detected.Abandon(); tracked.Complete(); });
            Start("recognise", Recognise, () =>
            {
                tracked.Abandon();
                // Told now, not when the slowest camera is done.
                if (status.State != CameraState.Failed)
                    status.State = CameraState.Ended;
            });
        }

        public void Join()
        {
            foreach (Thread thread in threads)
                thread.Join();
            ending.Dispose();
        }

        private void Decode()
        {
            using var reader = new CameraReader(camera, status, started);
            while (reader.Read(ending.Token) is { } frame)
            {
                try
                {
                    pipeline.settings.AtStage?.Invoke("decode");
                }
                catch
                {
                    frame.Dispose();
                    throw;
                }
                bool taken = decoded.Put(frame);
                status.SetDropped(decoded.Dropped);
                if (!taken)
                    return;
            }
        }

        private void Detect()
        {
            using var detector = new FaceDetector(pipeline.models.Detector, pipeline.settings.Detector with { MinimumScore = pipeline.settings.Tracker.ContinueScore });
            while (TakeDecoded(out long number) is { } frame)
            {
                DetectedFrame? found = null;
                try
                {
                    found = new DetectedFrame(frame);
                    pipeline.settings.AtStage?.Invoke("detect");
                    detector.Detect(frame.View, found.Faces);
                    status.CountFaces(found.Faces.Count);
                }
                catch
                {
                    found?.Dispose();
                    found = null;
                    throw;
                }
                finally
                {
                    // In order, and also when detection failed: the others must not wait for ever.
                    WaitForTurn(number);
                    if (found is not null)
                        detected.Put(found);
                    PassTurn();
                }
            }
        }

        private FrameLease? TakeDecoded(out long number)
        {
            lock (taking)
            {
                bool any = decoded.Take(out FrameLease? frame);
                number = any ? framesTaken++ : 0;
                return frame;
            }
        }

        private void WaitForTurn(long number)
        {
            lock (turns)
            {
                while (turn != number)
                    Monitor.Wait(turns);
            }
        }

        private void PassTurn()
        {
            lock (turns)
            {
                turn++;
                Monitor.PulseAll(turns);
            }
        }

        private void LeaveDetection()
        {
            if (Interlocked.Decrement(ref detecting) > 0 && status.State != CameraState.Failed)
                return;
            decoded.Abandon();
            detected.Complete();
        }

        private void Track()
        {
            var tracker = new FaceTracker(pipeline.settings.Tracker);
            using var selector = new BestShotSelector(pipeline.settings.BestShots, pipeline.models.Landmarks, pipeline.models.Embedder.Manifest.Input, tracker.SlotCount);
            while (detected.Take(out DetectedFrame? found))
            {
                TrackedFrame next = new(found.Frame.TimestampUs, found.Frame.ArrivalTimestamp);
                try
                {
                    pipeline.settings.AtStage?.Invoke("track");
                    FrameView view = found.Frame.View;
                    tracker.Update(found.Faces.Items, next.TimestampUs, view.Width, view.Height);
                    selector.Select(view, next.ArrivalTimestamp, tracker, found.Faces.Items, next.Shots);
                }
                catch
                {
                    next.Dispose();
                    throw;
                }
                finally
                {
                    // The frame ends here; what was worth comparing has been cut out of it.
                    found.Dispose();
                }
                totals.CountFrameErased(next.ArrivalTimestamp);
                CollectEnded(tracker, next);
                if (!tracked.Put(next))
                    return;
            }
            tracker.EndAll();
            TrackedFrame last = new(0, 0);
            CollectEnded(tracker, last);
            tracked.Put(last);
        }

        private void Recognise()
        {
            using GalleryLease lease = pipeline.gallery.Lease();
            Gallery gallery = lease.Gallery;
            IGallerySearch search = pipeline.settings.Search;
            using var trace = new ShotTrace();
            using var ledger = new EvidenceLedger(camera.Name, pipeline.settings.Alerts, gallery, pipeline.settings.Thresholds);
            int perProbe = pipeline.settings.MaximumCandidates;
            var crops = new List<HostBuffer<float>>();
            var alerts = new List<Alert>();
            Span<int> counts = stackalloc int[Embedder.MaximumBatch];
            Span<Candidate> candidates = new Candidate[Embedder.MaximumBatch * perProbe];
            while (tracked.Take(out TrackedFrame? frame))
            {
                long verdict;
                using (frame)
                {
                    List<FaceShot> shots = frame.Shots;
                    for (int first = 0; first < shots.Count; first += Embedder.MaximumBatch)
                    {
                        List<FaceShot> batch = shots.GetRange(first, Math.Min(Embedder.MaximumBatch, shots.Count - first));
                        crops.Clear();
                        crops.AddRange(batch.Select(s => s.Crop));
                        using (HostBuffer<float> probes = BufferPool.Rent<float>(batch.Count * batcher.Length))
                        using (HostBuffer<float> norms = BufferPool.Rent<float>(batch.Count))
                        {
                            pipeline.settings.AtStage?.Invoke("embed");
                            batcher.Embed(crops, probes, norms);
                            pipeline.settings.AtStage?.Invoke("match");
                            search.Search(gallery, probes.Span, pipeline.settings.Thresholds, perProbe, candidates[..(batch.Count * perProbe)], counts[..batch.Count]);
                            for (int i = 0; i < batch.Count; i++)
                            {
                                trace.Add(batch[i], norms.Span[i], candidates.Slice(i * perProbe, counts[i]));
                                ledger.Add(batch[i], candidates.Slice(i * perProbe, counts[i]), alerts);
                            }
                        }
                        totals.CountEmbeddingsErased(batch.Count, frame.ArrivalTimestamp);
                        status.CountCompared(batch.Count);
                    }
                    verdict = Stopwatch.GetTimestamp();
                    foreach (long id in frame.EndedTracklets)
                    {
                        if (ledger.End(id))
                            totals.Erasure.Erased(frame.TrackedAt);
                    }
                    status.SetSeen(ledger.FacesSeen);
                    status.CountTracklets(frame.ConfirmedEnded);
                    Hand(alerts);
                }
                // Counted when it is true: the shots have been wiped.
                totals.CountShotsErased(frame.Shots.Count, frame.ArrivalTimestamp, verdict);
                if (frame.ArrivalTimestamp != 0)
                    status.CountAnalysed(Stopwatch.GetElapsedTime(frame.ArrivalTimestamp));
            }
            status.TraceSha256 = trace.Finish();
            if (status.State != CameraState.Failed)
                status.State = CameraState.Ended;
        }

        private void Hand(List<Alert> alerts)
        {
            int handed = 0;
            try
            {
                while (handed < alerts.Count)
                {
                    pipeline.settings.AtStage?.Invoke("alert");
                    Alert alert = alerts[handed++];
                    desk.Submit(alert);
                    totals.CountAlert(alert.RaisedAt - alert.CapturedAt);
                    if (alert.JoinedAlertId is null)
                        status.CountAlert();
                    onAlert(alert);
                }
            }
            finally
            {
                // The one that failed is its taker's; those behind it are still ours.
                foreach (Alert left in alerts.Skip(handed))
                    left.Dispose();
                alerts.Clear();
            }
        }

        private static void CollectEnded(FaceTracker tracker, TrackedFrame frame)
        {
            foreach (Tracklet tracklet in tracker.Ended)
            {
                frame.EndedTracklets.Add(tracklet.Id);
                frame.ConfirmedEnded += tracklet.WasConfirmed ? 1 : 0;
            }
        }

        // A stage that fails ends its camera, and only its camera: the reader stops, the queues empty themselves.
        private void Start(string stage, Action work, Action leave)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    work();
                }
#pragma warning disable CA1031 // Whatever a stage throws ends this camera and no other; the message reaches the operator.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    status.Message = e.Message;
                    status.State = CameraState.Failed;
                    ending.Cancel();
                }
                finally
                {
                    leave();
                }
            })
            {
                IsBackground = true,
                Name = $"{camera.Name} {stage}",
            };
            threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>A frame and the faces found in it, on the way from detection to tracking.</summary>
    private sealed class DetectedFrame(FrameLease frame) : IDisposable
    {
        private const int MaximumFaces = 512;

        public FrameLease Frame { get; } = frame;

        public CandidateList Faces { get; } = new(MaximumFaces);

        public void Dispose()
        {
            Frame.Dispose();
            Faces.Dispose();
        }
    }

    /// <summary>What tracking found worth comparing in one frame, and which tracklets are over.</summary>
    private sealed class TrackedFrame(long timestampUs, long arrivalTimestamp) : IDisposable
    {
        public long TimestampUs { get; } = timestampUs;

        public long ArrivalTimestamp { get; } = arrivalTimestamp;

        /// <summary>When tracking was done with the frame, stopwatch ticks: the verdict on what ended in it.</summary>
        public long TrackedAt { get; } = Stopwatch.GetTimestamp();

        public List<FaceShot> Shots { get; } = [];

        public List<long> EndedTracklets { get; } = [];

        public int ConfirmedEnded { get; set; }

        public void Dispose()
        {
            foreach (FaceShot shot in Shots)
                shot.Dispose();
        }
    }
}
