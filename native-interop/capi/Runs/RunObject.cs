using System.Collections.Concurrent;
using LfrEngine.Alerts;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.CApi.Watchlists;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Threading;

namespace LfrEngine.CApi.Runs;

/// <summary>Cameras against a watchlist, on threads of its own.</summary>
internal sealed unsafe class RunObject : HandleObject
{
    // Alerts are rare: this many that nobody fetched hold up later ones, not the cameras.
    private const int AlertQueue = 256;

    [ThreadStatic]
    private static RunObject? calling;

    private readonly EngineObject engine;
    private readonly WatchlistObject watchlist;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void> onAlert;
    private readonly void* user;
    private readonly object gate = new();
    private readonly List<CameraSettings> cameras = [];
    private readonly List<CameraStatus> statuses = [];
    private readonly List<PushedCamera> pushed = [];
    private readonly BlockingCollection<Alert> alerts = new(AlertQueue);
    private readonly CancellationTokenSource stopping = new();
    private readonly RunTotals totals = new();
    private EngineThread? thread;
    private Exception? fault;
    private long lost;
    private volatile bool isOver;

    public RunObject(EngineObject engine, WatchlistObject watchlist, PipelineSettings settings, delegate* unmanaged[Cdecl]<nint, void*, void> onAlert, void* user)
    {
        // Refuses what cannot run together before anything is begun.
        Pipeline = new LivePipeline(engine.Models, watchlist.Gallery, settings);
        (this.engine, this.watchlist) = (engine, watchlist);
        this.onAlert = onAlert;
        this.user = user;
        engine.Enter();
        watchlist.Enter();
    }

    public override HandleKind Kind => HandleKind.Run;

    private LivePipeline Pipeline { get; }

    public void Add(CameraSettings camera, PushedCamera? source)
    {
        lock (gate)
        {
            if (thread is not null)
                throw new StatusException(Status.BadState, "The run has started: add cameras before lfr_run_start.");
            if (stopping.IsCancellationRequested)
                throw new StatusException(Status.BadState, "The run was stopped: create another.");
            if (cameras.Exists(c => c.Name == camera.Name))
                throw Check.Bad("name: another camera of the run has this name.");
            cameras.Add(camera);
            statuses.Add(new CameraStatus(camera.Name));
            if (source is null)
                return;
            source.Enter();
            pushed.Add(source);
        }
    }

    public void Start()
    {
        lock (gate)
        {
            if (thread is not null)
                throw new StatusException(Status.BadState, "The run has started already.");
            if (cameras.Count == 0)
                throw new StatusException(Status.BadState, "The run has no camera: add one first.");
            if (stopping.IsCancellationRequested)
                throw new StatusException(Status.BadState, "The run was stopped: create another.");
            thread = EngineThread.Start("lfr run", Run, Over);
        }
    }

    /// <summary>The next alert; null when none came in time.</summary>
    /// <returns>Ok with an alert, TimedOut or Ended.</returns>
    public Status Next(int timeoutMs, out Alert? alert)
    {
        if (onAlert is not null)
            throw new StatusException(Status.BadState, "The run hands its alerts to on_alert.");
        if (alerts.TryTake(out alert, timeoutMs))
            return Status.Ok;
        if (!alerts.IsCompleted)
            return Status.TimedOut;
        return fault is null ? Status.Ended : throw new StatusException(Status.RunFailed, $"A fault ended the run: {fault.Message}");
    }

    public CameraStatus Camera(int index)
    {
        lock (gate)
        {
            if ((uint)index >= (uint)statuses.Count)
                throw Check.Bad($"camera_index is {index}; the run has {statuses.Count} camera(s).");
            return statuses[index];
        }
    }

    public void Summarise(RunSummaryData* summary)
    {
        ErasureClock clock = totals.Erasure;
        *summary = new RunSummaryData
        {
            StructSize = summary->StructSize,
            IsOver = isOver ? 1 : 0,
            AlertsRaised = totals.AlertsRaised,
            AlertsJoined = totals.AlertsJoined,
            AlertsLost = Volatile.Read(ref lost),
            FramesErased = clock.Frame.Count,
            CropsErased = clock.Crop.Count,
            EmbeddingsErased = clock.Embedding.Count,
            DeadlineBreaches = clock.DeadlineBreaches,
            DeadlineMs = ErasureClock.DeadlineMs,
            FrameP99Ms = clock.Frame.PercentileMs(0.99),
            FrameMaxMs = clock.Frame.MaximumMs,
            EmbeddingMaxMs = clock.Embedding.MaximumMs,
            AfterVerdictMaxMs = clock.AfterVerdict.MaximumMs,
            ElapsedS = totals.Elapsed.TotalSeconds,
        };
        Text.Copy(totals.RunId, summary->RunId, Rooms.RunId);
    }

    /// <summary>Ends the run and waits for it.</summary>
    public void Stop()
    {
        RequireOutside();
        EngineThread? started;
        lock (gate)
        {
            stopping.Cancel();
            started = thread;
            if (started is null)
                Over(null);
        }
        started?.Join();
    }

    /// <summary>Throws on the thread that the run is waiting for.</summary>
    public void RequireOutside()
    {
        if (calling == this)
            throw new StatusException(Status.BadState, "on_alert cannot stop or destroy its own run: do it on another thread.");
    }

    public override void Close() => Stop();

    protected override void Free()
    {
        while (alerts.TryTake(out Alert? alert))
            alert.Dispose();
        alerts.Dispose();
        stopping.Dispose();
        pushed.ForEach(p => p.Leave());
        watchlist.Leave();
        engine.Leave();
    }

    private void Run()
    {
        Pipeline.Run(cameras, statuses, OnAlert, totals, stopping.Token);
        Over(null);
    }

    private void Over(Exception? failure)
    {
        if (isOver)
            return;
        fault = failure;
        pushed.ForEach(p => p.Shut());
        isOver = true;
        alerts.CompleteAdding();
    }

    private void OnAlert(Alert alert)
    {
        if (onAlert is not null)
        {
            nint handle = 0;
            var told = new AlertObject(alert);
            try
            {
                handle = Handles.Add(told);
            }
            finally
            {
                if (handle == 0)
                    told.Leave();
            }
            calling = this;
            onAlert(handle, user);
            calling = null;
            return;
        }
        try
        {
            alerts.Add(alert, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopped while nobody fetched: what still has room is kept.
            if (alerts.TryAdd(alert))
                return;
            alert.Dispose();
            Interlocked.Increment(ref lost);
        }
    }
}

/// <summary>An alert, its texts and its picture as a file.</summary>
internal sealed unsafe class AlertObject : HandleObject
{
    private const int JpegQuality = 92;

    private readonly Alert alert;
    private HostBuffer<byte>? jpeg;
    private int jpegBytes;
    private byte* id, camera, personId, personName, joined;

    /// <summary>Takes the alert over.</summary>
    public AlertObject(Alert alert)
    {
        this.alert = alert;
        id = Text.Allocate(alert.Id);
        camera = Text.Allocate(alert.Camera);
        personId = Text.Allocate(alert.Identity.Id);
        personName = Text.Allocate(alert.Identity.Name);
        joined = Text.Allocate(alert.JoinedAlertId);
    }

    public override HandleKind Kind => HandleKind.Alert;

    /// <summary>The JPEG; borrowed while the alert is held.</summary>
    public ReadOnlySpan<byte> Photo
    {
        get
        {
            lock (alert)
            {
                jpeg ??= alert.Probe.EncodeJpeg(JpegQuality, out jpegBytes);
                return jpeg.Span[..jpegBytes];
            }
        }
    }

    public void Describe(AlertInfoData* info) => *info = new AlertInfoData
    {
        StructSize = info->StructSize,
        Category = (int)alert.Identity.Category,
        Id = id,
        Camera = camera,
        PersonId = personId,
        PersonName = personName,
        JoinedAlertId = joined,
        TrackletId = alert.TrackletId,
        FirstSeenUs = alert.FirstSeenUs,
        BestShotUs = alert.BestShotUs,
        CompletedUs = alert.CompletedUs,
        CapturedUnixUs = UnixUs(alert.CapturedAt),
        RaisedUnixUs = UnixUs(alert.RaisedAt),
        Score = alert.Score,
        Threshold = alert.Threshold,
        Box = new BoxData { Left = alert.Box.Left, Top = alert.Box.Top, Right = alert.Box.Right, Bottom = alert.Box.Bottom },
        Quality = alert.Quality.Score,
        Cover = (int)alert.Cover.Parts,
        AgreeingShots = alert.AgreeingShots,
        ComparedShots = alert.ComparedShots,
        TemplateIndex = alert.TemplateIndex,
    };

    protected override void Free()
    {
        jpeg?.Dispose();
        alert.Dispose();
        Text.Free(id);
        Text.Free(camera);
        Text.Free(personId);
        Text.Free(personName);
        Text.Free(joined);
        id = camera = personId = personName = joined = null;
    }

    private static long UnixUs(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
