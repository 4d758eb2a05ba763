using System.Security.Cryptography;
using LfrEngine.Alerts;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.CApi.Watchlists;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Runs;

/// <summary>The functions of lfr_engine.h under "Runs" and "Alerts"; see there for the contract of each.</summary>
internal static unsafe class RunExports
{
    public const int SmallestGrid = 32, LargestGrid = 4096, MostWorkers = 1024;
    private const int EveryFrame = -1, MostDetectEveryMs = 1000, LongestName = 200;

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_create", CallConvs = [typeof(CallConvCdecl)])]
    public static int Create(nint engine, nint watchlist, RunOptionsData* options, nint* run) => Call.Run(() =>
    {
        Check.Result(run, "run");
        using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
        using Use<WatchlistObject> list = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
        RunOptionsData chosen = options is null ? default : Check.Read(options, RunOptionsData.FirstBytes, "options");
        list.Object.RequireModel(use.Object.Embedder.Sha256);
        *run = EngineExports.Open(new RunObject(use.Object, list.Object, SettingsOf(chosen, use.Object.DefaultThreshold), chosen));
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_add_source", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddSource(nint run, byte* name, byte* address, int pace) => Call.On<RunObject>(run, HandleKind.Run, target =>
    {
        string from = Text.Read(address, "address");
        Check.Range(pace, (int)Pace.Automatic, (int)Pace.Maximum, "pace");
        if (SourceAddress.Fault(from) is { } fault)
            throw Check.Bad($"address: {fault}.");
        target.Add(new CameraSettings(NameOf(name), from, (Pace)pace), null);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_add_camera", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddCamera(nint run, byte* name, int pace, nint* camera) => Call.Run(() =>
    {
        Check.Result(camera, "camera");
        using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
        if ((Pace)pace is not (Pace.Automatic or Pace.Maximum))
            throw Check.Bad($"pace is {pace}: pushed frames come at LFR_PACE_AUTO or LFR_PACE_MAX.");
        var pushed = new PushedCamera(isLive: (Pace)pace == Pace.Automatic);
        nint handle = EngineExports.Open(pushed);
        try
        {
            use.Object.Add(new CameraSettings(NameOf(name), pushed.Source, (Pace)pace) { Decoder = pushed }, pushed);
        }
        catch
        {
            Handles.Destroy(handle, HandleKind.Camera);
            throw;
        }
        *camera = handle;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_start", CallConvs = [typeof(CallConvCdecl)])]
    public static int Start(nint run) => Call.On<RunObject>(run, HandleKind.Run, target => target.Start());

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_next_alert", CallConvs = [typeof(CallConvCdecl)])]
    public static int Next(nint run, int timeoutMs, nint* alert) => Call.Run(() =>
    {
        Check.Result(alert, "alert");
        Check.Timeout(timeoutMs, "timeout_ms");
        using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
        Status status = use.Object.Next(timeoutMs, out Alert? taken);
        if (taken is not null)
            *alert = EngineExports.Open(new AlertObject(taken));
        return (int)status;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_swap_watchlist", CallConvs = [typeof(CallConvCdecl)])]
    public static int Swap(nint run, nint watchlist) => Call.On<RunObject>(run, HandleKind.Run, target =>
    {
        using Use<WatchlistObject> list = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
        target.Swap(list.Object);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_next_event", CallConvs = [typeof(CallConvCdecl)])]
    public static int NextEvent(nint run, int timeoutMs, EventData* next) => Call.Run(() =>
    {
        Check.Sized(next, "event");
        Check.Timeout(timeoutMs, "timeout_ms");
        using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
        Status status = use.Object.NextEvent(timeoutMs, out RunEvent taken);
        if (status == Status.Ok)
            taken.Fill(next);
        return (int)status;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_receipt", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetReceipt(nint run, byte* privateKey, byte* buffer, long capacity, long* sizeBytes) => Call.On<RunObject>(run, HandleKind.Run, target =>
    {
        Check.Given(sizeBytes, "size_bytes");
        Check.Room(buffer, capacity, "buffer");
        using ECDsa key = ErasureReceipt.ReadKey(privateKey);
        return Check.CopyOut(target.SignReceipt(key), buffer, capacity, sizeBytes);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_camera", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetCamera(nint run, int cameraIndex, CameraStatusData* status) => Call.On<RunObject>(run, HandleKind.Run, target =>
    {
        Check.Sized(status, "status");
        CameraStatus camera = target.Camera(cameraIndex);
        *status = new CameraStatusData
        {
            StructSize = status->StructSize,
            State = (int)camera.State,
            IsComplete = camera.State is CameraState.Ended && camera.IsComplete ? 1 : 0,
            Width = camera.FrameSize.Width,
            Height = camera.FrameSize.Height,
            FramesDecoded = camera.FramesDecoded,
            FramesDropped = camera.FramesDropped,
            FramesSearched = camera.FramesSearched,
            Tracklets = camera.Tracklets,
            ShotsCompared = camera.ShotsCompared,
            FacesSeen = camera.FacesSeen,
            Alerts = camera.Alerts,
            DamagedPackets = camera.DamagedPackets,
            Reconnects = camera.Reconnects,
            LagMs = camera.LagMs,
        };
        Text.Copy(camera.TraceSha256, status->TraceSha256, Rooms.Sha256);
        Text.Copy(camera.Message, status->Message, Rooms.Message);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_summary", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetSummary(nint run, RunSummaryData* summary) => Call.On<RunObject>(run, HandleKind.Run, target =>
    {
        Check.Sized(summary, "summary");
        target.Summarise(summary);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_stop", CallConvs = [typeof(CallConvCdecl)])]
    public static int Stop(nint run) => Call.On<RunObject>(run, HandleKind.Run, target => target.Stop());

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int Destroy(nint run) => Call.Run(() =>
    {
        // Before the handle is destroyed, because a refused call changes nothing.
        using (Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run))
            Callback.RequireOutside(use.Object);
        Handles.Destroy(run, HandleKind.Run);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_camera_push", CallConvs = [typeof(CallConvCdecl)])]
    public static int Push(nint camera, ImageData* frame, long timeUs, int timeoutMs) => Push(camera, frame, timeUs, timeoutMs, default);

    [UnmanagedCallersOnly(EntryPoint = "lfr_camera_push_borrowed", CallConvs = [typeof(CallConvCdecl)])]
    public static int PushBorrowed(nint camera, ImageData* frame, long timeUs, int timeoutMs, delegate* unmanaged[Cdecl]<void*, void> onRelease, void* frameUser)
    {
        try
        {
            Check.Given(onRelease, "on_release");
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
        return Push(camera, frame, timeUs, timeoutMs, new FrameRelease(onRelease, frameUser));
    }

    private static int Push(nint camera, ImageData* frame, long timeUs, int timeoutMs, FrameRelease release)
    {
        using var uncancelled = new Uncancelled();
        try
        {
            using Use<PushedCamera> use = Handles.Take<PushedCamera>(camera, HandleKind.Camera);
            Check.Timeout(timeoutMs, "timeout_ms");
            if (timeUs < 0)
                throw Check.Bad($"time_us is {timeUs}: the time in the stream begins at 0.");
            return (int)use.Object.Push(new CallerImage(frame, "frame", fileAllowed: false), timeUs, timeoutMs, release);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_camera_end", CallConvs = [typeof(CallConvCdecl)])]
    public static int End(nint camera) => Call.On<PushedCamera>(camera, HandleKind.Camera, target => target.End());

    [UnmanagedCallersOnly(EntryPoint = "lfr_camera_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyCamera(nint camera) => EngineExports.DestroyAny(camera, HandleKind.Camera);

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_info", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetInfo(nint alert, AlertInfoData* info) => Call.On<AlertObject>(alert, HandleKind.Alert, target =>
    {
        Check.Sized(info, "info");
        target.Describe(info);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPhoto(nint alert, byte* buffer, long capacity, long* sizeBytes) => Call.On<AlertObject>(alert, HandleKind.Alert, target =>
    {
        Check.Given(sizeBytes, "size_bytes");
        Check.Room(buffer, capacity, "buffer");
        return Check.CopyOut(target.Photo, buffer, capacity, sizeBytes);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_pixels", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPixels(nint alert, int format, byte* buffer, long capacity, int* width, int* height) => Call.On<AlertObject>(alert, HandleKind.Alert, target =>
    {
        Check.Given(width, "width");
        Check.Given(height, "height");
        Check.Room(buffer, capacity, "buffer");
        if ((ImageFormat)format is not (ImageFormat.Bgr or ImageFormat.Rgb))
            throw Check.Bad($"format is {format}, not LFR_BGR or LFR_RGB.");
        target.CopyPixels((ImageFormat)format, buffer, capacity, out *width, out *height);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyAlert(nint alert) => EngineExports.DestroyAny(alert, HandleKind.Alert);

    private static string NameOf(byte* name) => Text.Read(name, "name") switch
    {
        "" => throw Check.Bad("name is empty."),
        { Length: > LongestName } => throw Check.Bad($"name has more than {LongestName} characters."),
        string given when given.Any(char.IsControl) => throw Check.Bad("name has control characters."),
        string given => given,
    };

    private static PipelineSettings SettingsOf(RunOptionsData options, float measured)
    {
        Check.Reserved(options.Reserved, "options.reserved");
        Check.RangeOrZero(options.WorkerThreads, 1, MostWorkers, "options.worker_threads", "one per processor");
        if (options.DetectEveryMs is < EveryFrame or > MostDetectEveryMs)
            throw Check.Bad($"options.detect_every_ms is {options.DetectEveryMs}, not 1 to {MostDetectEveryMs}, 0 for {PipelineSettings.DefaultDetectEveryMs} or -1 for every frame.");
        Check.RangeOrZero(options.GridLongSide, SmallestGrid, LargestGrid, "options.grid_long_side", "the default");
        return new PipelineSettings
        {
            Thresholds = new CategoryThresholds(
                Threshold(options.Thresholds[0], 0, measured), Threshold(options.Thresholds[1], 1, measured), Threshold(options.Thresholds[2], 2, measured),
                Threshold(options.Thresholds[3], 3, measured), Threshold(options.Thresholds[4], 4, measured)),
            Workers = options.WorkerThreads,
            DetectEveryMs = options.DetectEveryMs switch { 0 => PipelineSettings.DefaultDetectEveryMs, EveryFrame => 0, int chosen => chosen },
            Detector = options.GridLongSide == 0 ? new DetectorSettings() : new DetectorSettings { GridLongSide = options.GridLongSide },
        };
    }

    private static float Threshold(float given, int category, float measured)
    {
        if (!(given is > -1 and <= 1))
            throw Check.Bad($"options.thresholds[{category}] is {given}: a threshold is a cosine, above -1 up to 1, and 0 for the measured one.");
        return given != 0 ? given
            : measured != 0 ? measured : throw Check.Bad($"options.thresholds[{category}] is 0, but this embedder has no measured threshold: give one.");
    }
}
