using LfrEngine.Files;
using LfrEngine.Frames;

namespace LfrEngine.Pipeline;

/// <summary>State of a camera.</summary>
public enum CameraState
{
    /// <summary>Being opened for the first time.</summary>
    Opening,

    /// <summary>Delivering frames.</summary>
    Running,

    /// <summary>Lost; will be tried again after a pause.</summary>
    Reconnecting,

    /// <summary>The recording has ended, or the run was stopped.</summary>
    Ended,

    /// <summary>Failed permanently; <see cref="CameraStatus.Message"/> says why.</summary>
    Failed,
}

/// <summary>Live counters of one camera; written by its stages, read by anyone.</summary>
public sealed class CameraStatus(string name)
{
    private long decoded, dropped, analysed, searched, faces, tracklets, compared, seen, alerts, damaged, reconnects;
    private long lagUs;

    /// <summary>Camera name.</summary>
    public string Name { get; } = name;

    /// <summary>Raised when <see cref="State"/> has changed, on the thread that changed it: do little.</summary>
    public event EventHandler? StateChanged;

    /// <summary>Its state.</summary>
    public CameraState State
    {
        get;
        internal set
        {
            if (field == value)
                return;
            field = value;
            StateChanged?.Invoke(this, EventArgs.Empty);
        }
    }

    /// <summary>The latest message for the operator; empty when all is well.</summary>
    /// <remarks>On one line, without terminal escape sequences, because it may contain the name of an untrusted file.</remarks>
    public string Message
    {
        get;
        internal set => field = OneLine(Sentence.Of(value));
    } = "";

    /// <summary>Recent health of the stream's time stamps.</summary>
    public ClockHealth Clock { get; internal set; }

    /// <summary>Whether a recording ended before its announced end.</summary>
    public bool WasCutOff { get; internal set; }

    /// <summary>Whether a live source was lost when the run ended.</summary>
    public bool WasLost { get; internal set; }

    /// <summary>Whether the source was read completely: false if it failed, sent no frame, was cut off or was lost at the end.</summary>
    public bool IsComplete => State != CameraState.Failed && FramesDecoded > 0 && !WasCutOff && !WasLost;

    /// <summary>Size of the newest frame, pixels.</summary>
    public (int Width, int Height) FrameSize { get; internal set; }

    /// <summary>Codec of the stream, as FFmpeg names it.</summary>
    public string Codec { get; internal set; } = "";

    /// <summary>Frames decoded.</summary>
    public long FramesDecoded => Volatile.Read(ref decoded);

    /// <summary>Frames dropped because a newer one arrived before they were searched, or because they had waited too long.</summary>
    public long FramesDropped => Volatile.Read(ref dropped);

    /// <summary>Frames analysed: searched for faces, or released between two searches.</summary>
    public long FramesAnalysed => Volatile.Read(ref analysed);

    /// <summary>Frames searched for faces.</summary>
    public long FramesSearched => Volatile.Read(ref searched);

    /// <summary>Damaged packets skipped.</summary>
    public long DamagedPackets => Volatile.Read(ref damaged);

    /// <summary>Number of times that the source was reopened.</summary>
    public long Reconnects => Volatile.Read(ref reconnects);

    /// <summary>Faces detected, counted in every frame.</summary>
    public long FacesDetected => Volatile.Read(ref faces);

    /// <summary>Tracklets confirmed.</summary>
    public long Tracklets => Volatile.Read(ref tracklets);

    /// <summary>Shots compared with the watchlist.</summary>
    public long ShotsCompared => Volatile.Read(ref compared);

    /// <summary>Tracklets good enough to be compared: the "faces seen" of the published figures.</summary>
    public long FacesSeen => Volatile.Read(ref seen);

    /// <summary>Alerts raised.</summary>
    public long Alerts => Volatile.Read(ref alerts);

    /// <summary>From the arrival of a frame's pixels to the end of its analysis, newest frame, milliseconds.</summary>
    public double LagMs => Volatile.Read(ref lagUs) / 1000.0;

    /// <summary>SHA-256 over every compared shot: tracklet, time, box, quality and scores. Two runs over the same recording give the same value; it reveals nothing else.</summary>
    public string TraceSha256 { get; internal set; } = "";

    internal void Fail(Exception failure)
    {
        Message = Sentence.Of(failure);
        State = CameraState.Failed;
    }

    internal void CountDecoded() => Interlocked.Increment(ref decoded);

    internal void CountDropped() => Interlocked.Increment(ref dropped);

    internal void CountAnalysed(TimeSpan lag)
    {
        Interlocked.Increment(ref analysed);
        Volatile.Write(ref lagUs, (long)lag.TotalMicroseconds);
    }

    internal void SetDamaged(long total) => Volatile.Write(ref damaged, total);

    internal void CountReconnect() => Interlocked.Increment(ref reconnects);

    internal void CountSearched(int facesFound)
    {
        Interlocked.Increment(ref searched);
        Interlocked.Add(ref faces, facesFound);
    }

    internal void CountTracklets(int count) => Interlocked.Add(ref tracklets, count);

    internal void CountCompared(int count) => Interlocked.Add(ref compared, count);

    internal void SetSeen(long total) => Volatile.Write(ref seen, total);

    internal void CountAlert() => Interlocked.Increment(ref alerts);

    private static string OneLine(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}
