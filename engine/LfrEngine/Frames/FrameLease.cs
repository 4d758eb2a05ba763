using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Frames;

/// <summary>One decoded frame of one camera. Its holder disposes it; the planes are wiped once the decoder has let go of them too.</summary>
/// <param name="owner">Holds the planes; disposed with the lease.</param>
/// <param name="view">The planes, valid as long as the owner.</param>
/// <param name="timestampUs">The stream's own time, microseconds.</param>
/// <param name="arrivalTimestamp">When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks.</param>
public sealed class FrameLease(IDisposable owner, FrameView view, long timestampUs, long arrivalTimestamp) : IDisposable
{
    /// <summary>Stream time, microseconds since the run began once the camera's reader has passed it on, increasing.</summary>
    public long TimestampUs { get; internal set; } = timestampUs;

    /// <summary>When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks; for a recording played at its own pace, when they were due.</summary>
    public long ArrivalTimestamp { get; internal set; } = arrivalTimestamp;

    /// <summary>The planes; valid until <see cref="Dispose"/>.</summary>
    public FrameView View { get; } = view;

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
            owner.Dispose();
    }
}
