using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Frames;

/// <summary>One decoded frame of one camera. Its holder disposes it; the planes are wiped once the decoder has let go of them too.</summary>
public sealed class FrameLease : IDisposable
{
    private readonly MediaFrame frame;

    internal FrameLease(MediaFrame frame, long timestampUs, long arrivalTimestamp)
    {
        this.frame = frame;
        TimestampUs = timestampUs;
        ArrivalTimestamp = arrivalTimestamp;
        View = ViewOf(frame);
    }

    /// <summary>Stream time, microseconds since the run began, increasing.</summary>
    public long TimestampUs { get; }

    /// <summary>When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks; for a recording played at its own pace, when they were due.</summary>
    public long ArrivalTimestamp { get; }

    /// <summary>The planes; valid until <see cref="Dispose"/>.</summary>
    public FrameView View { get; }

    /// <summary>The planes of a decoded picture; valid as long as the picture.</summary>
    public static unsafe FrameView ViewOf(MediaFrame frame)
    {
        FrameInfo info = frame.Info;
        Span<nint> planes = stackalloc nint[3];
        Span<int> strides = stackalloc int[3];
        for (int i = 0; i < info.PlaneCount; i++)
        {
            planes[i] = (nint)info.PlanePointer(i);
            strides[i] = info.RowStride(i);
        }
        return new FrameView(info.Format, info.Width, info.Height, planes, strides, info.Matrix, info.Range, info.ChromaLocation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (StageClock.Time(PipelineStage.Wipe))
            frame.Dispose();
    }
}
