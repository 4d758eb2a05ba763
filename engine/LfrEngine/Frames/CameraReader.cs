using System.Diagnostics;
using System.Globalization;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Frames;

/// <summary>Reads one camera: opens it, plays a recording at its own speed, and reopens a live source when it is lost.</summary>
/// <remarks>Used by the camera's decode thread alone. <see cref="CameraStatus"/> reports what happens to the source.</remarks>
/// <param name="camera">What to read.</param>
/// <param name="status">Receives what happens.</param>
/// <param name="runStarted">Stopwatch ticks.</param>
/// <param name="account">Counts the frames in memory; borrowed for the reader's life.</param>
/// <param name="framesUnderWay">Leases made in advance; more are made when more frames are held at the same time.</param>
internal sealed class CameraReader(CameraSettings camera, CameraStatus status, long runStarted, MediaAccount? account = null, int framesUnderWay = 0) : IDisposable
{
    // RTSP servers of recordings stop up to this much before their announced end.
    private const long LargestGapUs = 1_000_000;
    private const string Rtsp = "rtsp";
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10), Noticeable = TimeSpan.FromSeconds(2);

    // Used in turn, so that all of them are in use early and none is made in the middle of a stream.
    private readonly Queue<FrameLease> spares = new();
    private ISourceReader? reader;
    private int made;
    private StreamClock? clock;
    private ClockHealth toldHealth;
    private long lastUs = -1;
    private long openedAt;
    private long startUs;
    private bool holdsBack;
    private long previousUs = long.MaxValue;
    private long dueUs;
    private long shortestUs = long.MaxValue;
    private long damagedBefore;
    private long? endedUs;
    private TimeSpan pause;
    private TimeSpan gaveWay;
    private bool everDelivered;
    private bool deliveredThisTime;

    /// <summary>The next frame, whose ownership passes to the caller; null at the end of a recording or when stopped.</summary>
    /// <exception cref="MediaException">The source can never be read (<see cref="SourceFailure"/>). Other failures are tried again.</exception>
    public FrameLease? Read(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (reader is null)
                    Open(stopping);
                // Waits before decoding, because a decoded frame that waits is held in memory for longer.
                if (holdsBack)
                    WaitUntilDue(dueUs, stopping);
                using CancellationTokenRegistration interrupt = stopping.UnsafeRegister(static r => ((ISourceReader)r!).Interrupt(), reader);
                DecodeResult result;
                FrameLease frame = Spare();
                using (StageClock.Time(PipelineStage.Decode))
                    result = reader!.Read(frame);
                if (result == DecodeResult.Frame)
                    return Deliver(frame, stopping);
                MediaInfo info = reader.GetInfo();
                status.SetDamaged(damagedBefore + info.Corrupt);
                if (info.Corrupt > 0)
                    status.Message = $"{info.Corrupt} damaged {(info.Corrupt == 1 ? "packet" : "packets")} skipped; {info.LastDamage}";
                if (result == DecodeResult.Interrupted)
                    return null;
                if (IsOver(info))
                {
                    // A recording without a frame would be opened for ever.
                    if (!camera.Options.Loop || !deliveredThisTime)
                        return null;
                    Close();
                    continue;
                }
                Lose(SourceReaction.Wait, "the stream ended", stopping);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (MediaException e) when (SourceFailure.Of(e.Error, camera.IsLive, everDelivered) is SourceReaction.Wait or SourceReaction.WaitLong)
            {
                Lose(SourceFailure.Of(e.Error, camera.IsLive, everDelivered), e.Message, stopping);
            }
        }
        return null;
    }

    public void Dispose() => reader?.Dispose();

    private FrameLease Spare()
    {
        lock (spares)
        {
            for (; made < framesUnderWay; made++)
                spares.Enqueue(new FrameLease(spares));
            return spares.TryDequeue(out FrameLease? spare) ? spare : new FrameLease(spares);
        }
    }

    private void Open(CancellationToken stopping)
    {
        reader = camera.Decoder.Open(camera.Source, camera.Options, camera.IsLive, account, stopping);
        openedAt = Stopwatch.GetTimestamp();
        MediaInfo info = reader.GetInfo();
        status.Codec = info.Codec;
        status.State = CameraState.Running;
        status.Message = "";
        // Recordings begin at 0 whenever they were opened, and where they ended when they start again; network sources begin at the current time of the run. A network source with a duration is still a recording.
        bool isLive = camera.IsLive && info.IsLive && info.DurationUs is null;
        startUs = dueUs = camera.IsLive ? MicrosecondsOfRun(openedAt) : everDelivered && camera.Options.Loop ? lastUs + IntervalUs(info) : 0;
        previousUs = long.MaxValue;
        // Most frames of a recording that a server sends as fast as it can would be dropped; RTSP servers send it at its own speed.
        holdsBack = camera.HoldsBack || (camera.DropsOldest && !isLive && info.Container != Rtsp);
        deliveredThisTime = false;
        clock = new StreamClock(isLive, startUs, info.AverageFps);
        status.Clock = toldHealth = ClockHealth.Good;
    }

    private FrameLease Deliver(FrameLease frame, CancellationToken stopping)
    {
        long timeUs = clock!.Next(frame.TimestampUs, MicrosecondsOfRun(frame.ArrivalTimestamp));
        frame.TimestampUs = lastUs = Math.Max(lastUs + 1, timeUs);
        TellHealth();
        (int Width, int Height) size = (frame.View.Width, frame.View.Height);
        if (size != status.FrameSize && status.FrameSize != default)
            status.Message = $"the picture changed from {status.FrameSize.Width}x{status.FrameSize.Height} to {size.Width}x{size.Height}";
        status.FrameSize = size;
        status.CountDecoded();
        everDelivered = deliveredThisTime = true;
        // A source that fails repeatedly after its first frames is not healthy.
        if (Stopwatch.GetElapsedTime(openedAt) > Settled)
            pause = TimeSpan.Zero;
        if (!holdsBack)
            return frame;
        WaitUntilDue(timeUs, stopping);
        GiveWay(timeUs);
        // Earliest time at which the next frame is due. If the shortest interval so far is too short, the code above waits longer.
        if (timeUs > previousUs)
            shortestUs = Math.Min(shortestUs, timeUs - previousUs);
        previousUs = timeUs;
        dueUs = shortestUs == long.MaxValue ? startUs : timeUs + shortestUs;
        // A recording's pixels arrive when they are due: a reader that is a little late adds latency, one that is early does not.
        frame.ArrivalTimestamp = openedAt + (long)((timeUs - startUs) * (Stopwatch.Frequency / 1e6));
        return frame;
    }

    // A recording that cannot be decoded at its own speed would fall behind without end, and every frame of it be dropped for its age. It is played more slowly instead.
    private void GiveWay(long timeUs)
    {
        TimeSpan late = Stopwatch.GetElapsedTime(openedAt) - TimeSpan.FromMicroseconds(timeUs - startUs);
        if (late.TotalMilliseconds <= Scheduler.LongestWaitMs)
            return;
        openedAt += (long)(late.TotalSeconds * Stopwatch.Frequency);
        gaveWay += late;
        if (gaveWay > Noticeable)
            status.Message = "the recording cannot be decoded at its own speed: it is played more slowly";
    }

    private long MicrosecondsOfRun(long timestamp) => (long)Stopwatch.GetElapsedTime(runStarted, timestamp).TotalMicroseconds;

    // Once per change; the message stays until there is another one.
    private void TellHealth()
    {
        ClockHealth health = clock!.Health;
        if (health == toldHealth)
            return;
        toldHealth = health;
        status.Clock = health;
        status.Message = clock.Describe();
    }

    private void WaitUntilDue(long timeUs, CancellationToken stopping)
    {
        TimeSpan wait = TimeSpan.FromMicroseconds(timeUs - startUs) - Stopwatch.GetElapsedTime(openedAt);
        if (wait > TimeSpan.Zero)
            stopping.WaitHandle.WaitOne((int)Math.Ceiling(wait.TotalMilliseconds));
    }

    // A recording ends, also one from the network. If its server is lost before the announced end, that is not the end, unless the recording ends there again.
    private bool IsOver(MediaInfo info)
    {
        bool early = info.Container == Rtsp && info.ReadUs < info.DurationUs - LargestGapUs;
        if (camera.IsLive && info.IsLive && (info.DurationUs is null || (early && !EndsWhereItEnded(info.ReadUs))))
            return false;
        if (info.IsTruncated || early)
        {
            string of = info.DurationUs is { } us && us > info.ReadUs ? string.Create(CultureInfo.InvariantCulture, $" of {us / 1e6:0.0} s") : "";
            status.Message = string.Create(CultureInfo.InvariantCulture, $"ended after {info.ReadUs / 1e6:0.0} s{of}: the recording was cut off");
            status.WasCutOff = true;
        }
        return true;
    }

    private bool EndsWhereItEnded(long readUs)
    {
        bool again = endedUs is { } before && Math.Abs(readUs - before) < LargestGapUs;
        endedUs = readUs;
        return again;
    }

    private void Close()
    {
        if (reader is not null)
            damagedBefore += reader.GetInfo().Corrupt;
        reader?.Dispose();
        reader = null;
    }

    private static long IntervalUs(MediaInfo info) => info.AverageFps > 0 ? (long)(1e6 / info.AverageFps) : 40_000;

    private void Lose(SourceReaction reaction, string why, CancellationToken stopping)
    {
        pause = SourceFailure.NextPause(reaction, pause);
        Close();
        // The message first, because readers of the state show it together with the state.
        status.Message = SourceFailure.Describe(reaction, why, pause);
        status.State = everDelivered ? CameraState.Reconnecting : CameraState.Opening;
        status.CountReconnect();
        stopping.WaitHandle.WaitOne(pause);
    }
}
