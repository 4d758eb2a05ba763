using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    private const int EveryFrame = -1, SmallestGrid = 32, LargestGrid = 4096, MostWorkers = 1024, MostDetectEveryMs = 1000, LongestName = 200;

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_create", CallConvs = [typeof(CallConvCdecl)])]
    public static int Create(nint engine, nint watchlist, RunOptionsData* options, nint* run)
    {
        try
        {
            Check.Given(run, "run");
            *run = 0;
            using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
            using Use<WatchlistObject> list = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            RunOptionsData chosen = options is null ? default : Check.Read(options, RunOptionsData.FirstBytes, "options");
            list.Object.RequireModel(use.Object.Embedder.Sha256);
            *run = EngineExports.Open(new RunObject(use.Object, list.Object, SettingsOf(chosen, use.Object.DefaultThreshold), chosen));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_add_source", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddSource(nint run, byte* name, byte* address, int pace)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            string from = Text.Read(address, "address");
            Check.Range(pace, (int)Pace.Automatic, (int)Pace.Maximum, "pace");
            if (SourceAddress.Fault(from) is { } fault)
                throw Check.Bad($"address: {fault}.");
            use.Object.Add(new CameraSettings(NameOf(name), from, (Pace)pace), null);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_add_camera", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddCamera(nint run, byte* name, int pace, nint* camera)
    {
        try
        {
            Check.Given(camera, "camera");
            *camera = 0;
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
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_start", CallConvs = [typeof(CallConvCdecl)])]
    public static int Start(nint run)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            use.Object.Start();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_next_alert", CallConvs = [typeof(CallConvCdecl)])]
    public static int Next(nint run, int timeoutMs, nint* alert)
    {
        try
        {
            Check.Given(alert, "alert");
            *alert = 0;
            Check.Timeout(timeoutMs, "timeout_ms");
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            Status status = use.Object.Next(timeoutMs, out Alert? taken);
            if (taken is not null)
                *alert = EngineExports.Open(new AlertObject(taken));
            return (int)status;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_swap_watchlist", CallConvs = [typeof(CallConvCdecl)])]
    public static int Swap(nint run, nint watchlist)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            using Use<WatchlistObject> list = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            use.Object.Swap(list.Object);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_next_event", CallConvs = [typeof(CallConvCdecl)])]
    public static int NextEvent(nint run, int timeoutMs, EventData* next)
    {
        try
        {
            Check.Sized(next, "event");
            Check.Timeout(timeoutMs, "timeout_ms");
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            Status status = use.Object.NextEvent(timeoutMs, out RunEvent taken);
            if (status == Status.Ok)
                taken.Fill(next);
            return (int)status;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_receipt", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetReceipt(nint run, byte* privateKey, byte* buffer, long capacity, long* sizeBytes)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            Check.Given(sizeBytes, "size_bytes");
            Check.Room(buffer, capacity, "buffer");
            using ECDsa key = ErasureReceipt.ReadKey(privateKey);
            return Check.CopyOut(use.Object.SignReceipt(key), buffer, capacity, sizeBytes);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_camera", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetCamera(nint run, int cameraIndex, CameraStatusData* status)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            Check.Sized(status, "status");
            CameraStatus camera = use.Object.Camera(cameraIndex);
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
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_get_summary", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetSummary(nint run, RunSummaryData* summary)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            Check.Sized(summary, "summary");
            use.Object.Summarise(summary);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_stop", CallConvs = [typeof(CallConvCdecl)])]
    public static int Stop(nint run)
    {
        try
        {
            using Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run);
            use.Object.Stop();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_run_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int Destroy(nint run)
    {
        try
        {
            // Before the handle is gone: a refused call changes nothing.
            using (Use<RunObject> use = Handles.Take<RunObject>(run, HandleKind.Run))
                use.Object.RequireOutside();
            Handles.Destroy(run, HandleKind.Run);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

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
    public static int End(nint camera)
    {
        try
        {
            using Use<PushedCamera> use = Handles.Take<PushedCamera>(camera, HandleKind.Camera);
            use.Object.End();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_camera_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyCamera(nint camera) => EngineExports.DestroyAny(camera, HandleKind.Camera);

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_info", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetInfo(nint alert, AlertInfoData* info)
    {
        try
        {
            using Use<AlertObject> use = Handles.Take<AlertObject>(alert, HandleKind.Alert);
            Check.Sized(info, "info");
            use.Object.Describe(info);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPhoto(nint alert, byte* buffer, long capacity, long* sizeBytes)
    {
        try
        {
            using Use<AlertObject> use = Handles.Take<AlertObject>(alert, HandleKind.Alert);
            Check.Given(sizeBytes, "size_bytes");
            Check.Room(buffer, capacity, "buffer");
            return Check.CopyOut(use.Object.Photo, buffer, capacity, sizeBytes);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_alert_get_pixels", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPixels(nint alert, int format, byte* buffer, long capacity, int* width, int* height)
    {
        try
        {
            using Use<AlertObject> use = Handles.Take<AlertObject>(alert, HandleKind.Alert);
            Check.Given(width, "width");
            Check.Given(height, "height");
            Check.Room(buffer, capacity, "buffer");
            if ((ImageFormat)format is not (ImageFormat.Bgr or ImageFormat.Rgb))
                throw Check.Bad($"format is {format}, not LFR_BGR or LFR_RGB.");
            use.Object.CopyPixels((ImageFormat)format, buffer, capacity, out *width, out *height);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

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
        Check.Range(options.WorkerThreads, 0, MostWorkers, "options.worker_threads");
        Check.Range(options.DetectEveryMs, EveryFrame, MostDetectEveryMs, "options.detect_every_ms");
        if (options.GridLongSide != 0)
            Check.Range(options.GridLongSide, SmallestGrid, LargestGrid, "options.grid_long_side");
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
            : measured != 0 ? measured : throw Check.Bad($"options.thresholds[{category}] is 0, and nobody has measured a threshold for this embedder: give one.");
    }
}
