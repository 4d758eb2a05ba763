using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Frames;

/// <summary>One decoded frame of one camera. The owner disposes it; the planes are wiped once the decoder has released them too.</summary>
/// <remarks>The camera's reader reuses disposed leases, so that a stream allocates nothing. Do not use a lease after disposing it.</remarks>
public sealed class FrameLease : IDisposable
{
    private readonly Queue<FrameLease>? spares;
    private bool held;

    /// <summary>An empty lease.</summary>
    /// <param name="spares">Receives the lease when it is disposed; may be null.</param>
    public FrameLease(Queue<FrameLease>? spares = null) => this.spares = spares;

    /// <summary>Owner of the planes; after <see cref="Dispose"/> the emptied object, for reuse.</summary>
    public IDisposable? Owner { get; private set; }

    /// <summary>Stream time, microseconds since the run began once the camera's reader has passed it on, increasing.</summary>
    public long TimestampUs { get; internal set; }

    /// <summary>When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks; for a recording played at its own pace, when they were due.</summary>
    public long ArrivalTimestamp { get; internal set; }

    /// <summary>The planes; valid until <see cref="Dispose"/>.</summary>
    public FrameView View { get; private set; }

    /// <summary>Takes ownership of a frame.</summary>
    /// <param name="owner">Holds the planes; disposed with the lease.</param>
    /// <param name="view">The planes, valid as long as the owner.</param>
    /// <param name="timestampUs">The stream's time stamp, microseconds; <see cref="FrameInfo.NoPts"/> where it has none.</param>
    /// <param name="arrivalTimestamp">When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks.</param>
    public void Fill(IDisposable owner, in FrameView view, long timestampUs, long arrivalTimestamp)
    {
        if (held)
            throw new InvalidOperationException("The lease has not been released yet.");
        (Owner, View, TimestampUs, ArrivalTimestamp, held) = (owner, view, timestampUs, arrivalTimestamp, true);
    }

    /// <summary>Takes ownership of a copy of the frame and releases the original.</summary>
    /// <inheritdoc cref="Fill"/>
    public void Refill(IDisposable owner, in FrameView view, long timestampUs, long arrivalTimestamp)
    {
        Owner!.Dispose();
        held = false;
        Fill(owner, view, timestampUs, arrivalTimestamp);
    }

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
        if (!held)
            return;
        held = false;
        View = default;
        using (StageClock.Time(PipelineStage.Wipe))
            Owner!.Dispose();
        if (spares is null)
            return;
        lock (spares)
            spares.Enqueue(this);
    }
}
