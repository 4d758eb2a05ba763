using System.Diagnostics;

namespace LfrEngine.Pipeline;

/// <summary>What a run came to, over all cameras; durations are counted while it runs.</summary>
public sealed class RunTotals
{
    private long framesErased;
    private long shotsErased;

    /// <summary>Length of the run.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Alerts raised.</summary>
    public int AlertsRaised { get; internal set; }

    /// <summary>Passages that joined an alert.</summary>
    public int AlertsJoined { get; internal set; }

    /// <summary>Frames let go of after analysis.</summary>
    public long FramesErased => Volatile.Read(ref framesErased);

    /// <summary>Crops and embeddings wiped after comparison; every shot has one of each.</summary>
    public long ShotsErased => Volatile.Read(ref shotsErased);

    /// <summary>From the arrival of a frame's pixels until the engine lets go of them.</summary>
    public LatencyHistogram FrameHeld { get; } = new();

    /// <summary>From the arrival of a frame's pixels until the crops cut from it are judged and wiped.</summary>
    public LatencyHistogram ShotHeld { get; } = new();

    /// <summary>From the arrival of the frame that completed the evidence until the alert.</summary>
    public LatencyHistogram CaptureToAlert { get; } = new();

    internal void CountFrameErased(long arrivalTimestamp)
    {
        Interlocked.Increment(ref framesErased);
        FrameHeld.Add(Stopwatch.GetElapsedTime(arrivalTimestamp));
    }

    internal void CountShotsErased(int count, long arrivalTimestamp)
    {
        Interlocked.Add(ref shotsErased, count);
        for (int i = 0; i < count; i++)
            ShotHeld.Add(Stopwatch.GetElapsedTime(arrivalTimestamp));
    }

    internal void CountAlert(TimeSpan duration) => CaptureToAlert.Add(duration);
}
