using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Frames;

/// <summary>One decoded frame of one camera. Its holder disposes it; the planes are wiped once the decoder has released them too.</summary>
/// <remarks>A lease that has been disposed is filled again by its camera's reader, so that a stream allocates nothing: keep no reference after disposing it.</remarks>
public sealed class FrameLease : IDisposable
{
    private readonly Queue<FrameLease>? spares;
    private bool held;

    /// <summary>An empty lease.</summary>
    /// <param name="spares">Where it goes when it is disposed; null: nowhere.</param>
    public FrameLease(Queue<FrameLease>? spares = null) => this.spares = spares;

    /// <summary>What holds the planes; after <see cref="Dispose"/> the emptied object, for who fills the lease again.</summary>
    public IDisposable? Owner { get; private set; }

    /// <summary>Stream time, microseconds since the run began once the camera's reader has passed it on, increasing.</summary>
    public long TimestampUs { get; internal set; }

    /// <summary>When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks; for a recording played at its own pace, when they were due.</summary>
    public long ArrivalTimestamp { get; internal set; }

    /// <summary>The planes; valid until <see cref="Dispose"/>.</summary>
    public FrameView View { get; private set; }

    /// <summary>Takes a frame over.</summary>
    /// <param name="owner">Holds the planes; disposed with the lease.</param>
    /// <param name="view">The planes, valid as long as the owner.</param>
    /// <param name="timestampUs">The stream's own stamp, microseconds; <see cref="FrameInfo.NoPts"/> where it has none.</param>
    /// <param name="arrivalTimestamp">When the pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks.</param>
    public void Fill(IDisposable owner, in FrameView view, long timestampUs, long arrivalTimestamp)
    {
        if (held)
            throw new InvalidOperationException("The lease still holds a frame.");
        (Owner, View, TimestampUs, ArrivalTimestamp, held) = (owner, view, timestampUs, arrivalTimestamp, true);
    }

    /// <summary>Takes over a copy of the frame and releases the original.</summary>
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
