using System.Collections.Concurrent;
using System.Security.Cryptography;
using LfrEngine.Alerts;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.CApi.Watchlists;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Threading;

namespace LfrEngine.CApi.Runs;

/// <summary>A run: compares the faces of cameras with a watchlist, on its own threads.</summary>
internal sealed unsafe class RunObject : HandleObject
{
    // If this many alerts are not fetched, later alerts wait; the cameras do not.
    private const int AlertQueue = 256;

    // One place is kept free for the last event, which must not be lost.
    private const int EventQueue = 257;

    private readonly EngineObject engine;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void> onAlert;
    private readonly void* user;
    private readonly delegate* unmanaged[Cdecl]<EventData*, void*, void> onEvent;
    private readonly void* eventUser;
    private readonly object gate = new();
    private readonly List<CameraSettings> cameras = [];
    private readonly List<CameraStatus> statuses = [];
    private readonly List<PushedCamera> pushed = [];
    private readonly BlockingCollection<Alert> alerts = new(AlertQueue);
    private readonly BlockingCollection<RunEvent> events = new(EventQueue);
    private readonly CancellationTokenSource stopping = new();
    private readonly RunTotals totals = new();
    private WatchlistObject watchlist;
    private EngineThread? thread;
    private EngineThread? eventThread;
    private Exception? fault;
    private DateTimeOffset startedAt, endedAt;
    private long lost;
    private int ending;
    private volatile bool isOver;

    public RunObject(EngineObject engine, WatchlistObject watchlist, PipelineSettings settings, in RunOptionsData options)
    {
        // Refuses settings that contradict each other before anything is started.
        Pipeline = new LivePipeline(engine.Models, watchlist.Gallery, settings);
        (this.engine, this.watchlist) = (engine, watchlist);
        onAlert = options.OnAlert;
        user = options.User;
        onEvent = options.OnEvent;
        eventUser = options.EventUser;
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
            var status = new CameraStatus(camera.Name);
            int index = statuses.Count;
            status.StateChanged += (_, _) => CameraChanged(index, status);
            statuses.Add(status);
            if (source is null)
                return;
            source.Enter();
            source.Run = this;
            pushed.Add(source);
        }
    }

    public void Start()
    {
        lock (gate)
        {
            if (thread is not null)
                throw new StatusException(Status.BadState, "The run was started before. Create another one to watch again.");
            if (cameras.Count == 0)
                throw new StatusException(Status.BadState, "The run has no camera: add one first.");
            if (stopping.IsCancellationRequested)
                throw new StatusException(Status.BadState, "The run was stopped: create another.");
            startedAt = DateTimeOffset.UtcNow;
            if (onEvent is not null)
                eventThread ??= EngineThread.Start("lfr events", TellEvents, _ => { });
            thread = EngineThread.Start("lfr run", Run, Over);
            pushed.ForEach(p => p.Begin());
        }
    }

    /// <summary>Searches another watchlist from now on.</summary>
    public void Swap(WatchlistObject next)
    {
        next.RequireModel(engine.Embedder.Sha256);
        WatchlistObject former;
        lock (gate)
        {
            if (isOver)
                throw new StatusException(Status.BadState, "The run is over: create another.");
            Pipeline.Swap(next.Gallery);
            next.Enter();
            (former, watchlist) = (watchlist, next);
        }
        former.Leave();
        engine.Log.Write(LogLevel.Information, $"another watchlist is searched: {next.Watchlist.Identities.Count} people");
        Tell(new RunEvent(RunEventKind.Watchlist, DateTimeOffset.UtcNow));
    }

    /// <summary>The next event.</summary>
    /// <returns>Ok with an event, TimedOut or Ended.</returns>
    public Status NextEvent(int timeoutMs, out RunEvent next)
    {
        if (onEvent is not null)
            throw new StatusException(Status.BadState, "The run hands its events to on_event.");
        RequireEnd(timeoutMs);
        return events.TryTake(out next, timeoutMs) ? Status.Ok : events.IsCompleted ? Status.Ended : Status.TimedOut;
    }

    /// <summary>The receipt, signed.</summary>
    public byte[] SignReceipt(ECDsa key)
    {
        lock (gate)
        {
            if (!isOver || thread is null)
                throw new StatusException(Status.BadState, "The receipt is there when the run is over: stop it, or wait for its end.");
            return ErasureReceipt.Sign(key, totals, statuses, startedAt, endedAt, watchlist.Watchlist.Id, engine.Models);
        }
    }

    /// <summary>The next alert; null when none came in time.</summary>
    /// <returns>Ok with an alert, TimedOut or Ended.</returns>
    public Status Next(int timeoutMs, out Alert? alert)
    {
        if (onAlert is not null)
            throw new StatusException(Status.BadState, "The run hands its alerts to on_alert.");
        RequireEnd(timeoutMs);
        if (alerts.TryTake(out alert, timeoutMs))
            return Status.Ok;
        if (!alerts.IsCompleted)
            return Status.TimedOut;
        return fault switch
        {
            null => Status.Ended,
            OutOfMemoryException or MediaException { Error: MediaError.OutOfMemory } => throw new StatusException(Status.OutOfMemory, $"There was not enough memory for the run: {Sentence.Of(fault)}"),
            _ => throw new StatusException(Status.RunFailed, $"A fault ended the run: {Sentence.Of(fault)}"),
        };
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
        Callback.RequireOutside(this);
        EngineThread? started;
        lock (gate)
        {
            stopping.Cancel();
            started = thread;
        }
        // Outside the gate: this calls on_log.
        if (started is null)
            Over(null);
        started?.Join();
        eventThread?.Join();
    }

    public override void Close() => Stop();

    protected override void Free()
    {
        while (alerts.TryTake(out Alert? alert))
            alert.Dispose();
        alerts.Dispose();
        events.Dispose();
        stopping.Dispose();
        pushed.ForEach(p => p.Leave());
        watchlist.Leave();
        engine.Leave();
    }

    // A wait without limit must have an end: a run that has started has one, when its cameras end or it is stopped.
    private void RequireEnd(int timeoutMs)
    {
        Callback.RequireLimit(this, timeoutMs);
        if (timeoutMs >= 0)
            return;
        lock (gate)
        {
            if (thread is null && !stopping.IsCancellationRequested)
                throw new StatusException(Status.BadState, "The run has not started: call lfr_run_start first, or give timeout_ms.");
        }
    }

    private void Run()
    {
        Pipeline.Run(cameras, statuses, OnAlert, totals, stopping.Token);
        Over(null);
    }

    private void Over(Exception? failure)
    {
        if (Interlocked.Exchange(ref ending, 1) != 0)
            return;
        fault = failure;
        endedAt = DateTimeOffset.UtcNow;
        pushed.ForEach(p => p.Shut());
        isOver = true;
        alerts.CompleteAdding();
        engine.Log.Write(failure is null ? LogLevel.Information : LogLevel.Error, failure is null ? "the run is over" : $"a fault ended the run: {failure.GetType().Name}");
        events.TryAdd(new RunEvent(RunEventKind.Over, endedAt) { Message = failure is null ? "" : Sentence.Of(failure) });
        events.CompleteAdding();
    }

    private void CameraChanged(int index, CameraStatus camera)
    {
        LogLevel level = camera.State switch { CameraState.Failed => LogLevel.Error, CameraState.Reconnecting => LogLevel.Warning, _ => LogLevel.Information };
        engine.Log.Write(level, $"camera {camera.Name}: {camera.State.ToString().ToLowerInvariant()}");
        Tell(new RunEvent(RunEventKind.Camera, DateTimeOffset.UtcNow) { CameraIndex = index, State = camera.State, Message = camera.Message });
    }

    // The newest wait: what nobody fetched makes room.
    private void Tell(in RunEvent told)
    {
        lock (events)
        {
            while (events.Count >= EventQueue - 1 && events.TryTake(out _))
            {
            }
            if (!events.IsAddingCompleted)
                events.TryAdd(told);
        }
    }

    private void TellEvents()
    {
        using var inside = new Callback("on_event", this);
        EventData data;
        foreach (RunEvent told in events.GetConsumingEnumerable())
        {
            data = new EventData { StructSize = (uint)sizeof(EventData) };
            told.Fill(&data);
            onEvent(&data, eventUser);
        }
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
            using var inside = new Callback("on_alert", this);
            onAlert(handle, user);
            return;
        }
        try
        {
            alerts.Add(alert, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The run was stopped while alerts were waiting: those that fit are kept.
            if (alerts.TryAdd(alert))
                return;
            alert.Dispose();
            Interlocked.Increment(ref lost);
        }
    }
}

/// <summary><c>lfr_event_kind</c> of lfr_engine.h.</summary>
internal enum RunEventKind
{
    Camera = 1,
    Watchlist = 2,
    Over = 3,
}

/// <summary>Something that happened to a run; not biometric.</summary>
internal readonly unsafe record struct RunEvent(RunEventKind Kind, DateTimeOffset At)
{
    public int CameraIndex { get; init; } = -1;

    public CameraState State { get; init; }

    public string Message { get; init; } = "";

    /// <summary>Fills the caller's structure; its size stays.</summary>
    public void Fill(EventData* data)
    {
        *data = new EventData { StructSize = data->StructSize, Kind = (int)Kind, CameraIndex = CameraIndex, State = (int)State, UnixUs = AlertObject.UnixUs(At) };
        Text.Copy(Message, data->Message, Rooms.EventMessage);
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

    /// <summary>Copies the picture as rows of three bytes.</summary>
    public void CopyPixels(ImageFormat format, byte* buffer, long capacity, out int width, out int height)
    {
        FrameView view = alert.Probe.View;
        (width, height) = (view.Width, view.Height);
        long needed = 3L * width * height;
        if (capacity < needed)
            throw new StatusException(Status.BufferTooSmall, $"The buffer has room for {capacity} bytes; {needed} are needed.");
        byte* y = view.Y, u = view.U, v = view.V, to = buffer;
        int red = format == ImageFormat.Rgb ? 0 : 2;
        // Planes at full size without gaps, BT.601 full range, as Picture makes them.
        for (int i = 0; i < width * height; i++, to += 3)
        {
            float cb = u[i] - 128, cr = v[i] - 128;
            to[red] = Byte(y[i] + (1.402f * cr));
            to[1] = Byte(y[i] - (0.344136f * cb) - (0.714136f * cr));
            to[2 - red] = Byte(y[i] + (1.772f * cb));
        }

        static byte Byte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);
    }

    public static long UnixUs(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
