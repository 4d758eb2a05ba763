using System.Diagnostics;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>One frame on its way through the stages, with everything made from it. Reused, so that a stream allocates nothing.</summary>
internal sealed class FrameWork(CameraLane lane, ErasureClock clock) : IDisposable
{
    private const int MaximumFaces = 512;
    private const int ManyAtOnce = 32;
    private const int Unjudged = -1;

    private int due = Unjudged;

    /// <summary>The camera it belongs to.</summary>
    public CameraLane Lane { get; } = lane;

    /// <summary>The frame; null once tracking is done with it, and in the work that ends a camera.</summary>
    public FrameLease? Frame { get; private set; }

    /// <summary>Number among the searched frames, from 0.</summary>
    public long Number { get; private set; }

    public long TimestampUs { get; private set; }

    /// <summary>Stopwatch ticks; 0 in the work that ends a camera.</summary>
    public long ArrivalTimestamp { get; private set; }

    /// <summary>The faces found, frame pixels.</summary>
    public CandidateList Faces { get; } = new(MaximumFaces);

    /// <summary>Shots to compare. Owned.</summary>
    public List<FaceShot> Shots { get; } = new(ManyAtOnce);

    /// <summary>How many of <see cref="Shots"/> are not compared yet. Under the scheduler's gate.</summary>
    public int Uncompared { get; set; }

    public List<long> EndedTracklets { get; } = new(ManyAtOnce);

    public int ConfirmedEnded { get; set; }

    /// <summary>When its search began, stopwatch ticks; 0 in the work that ends a camera.</summary>
    public long SearchTimestamp { get; private set; }

    public void Begin(FrameLease? frame, long number, long searchTimestamp = 0)
    {
        (Frame, Number, TimestampUs, ArrivalTimestamp, SearchTimestamp) = (frame, number, frame?.TimestampUs ?? 0, frame?.ArrivalTimestamp ?? 0, searchTimestamp);
    }

    /// <summary>Releases the frame after its shots have been cut out.</summary>
    public void LetGoOfFrame()
    {
        Frame?.Dispose();
        Frame = null;
        Faces.Clear();
    }

    /// <summary>Registers the verdict: its shots have been compared, or a tracklet has ended with it. The erasure deadline starts here.</summary>
    /// <returns>Whether there is anything to wipe.</returns>
    public bool Judged()
    {
        if (due == Unjudged && Shots.Count + EndedTracklets.Count > 0)
            due = clock.Due(Stopwatch.GetTimestamp());
        return due != Unjudged;
    }

    /// <summary>Wipes everything, for reuse.</summary>
    public void Wipe()
    {
        LetGoOfFrame();
        foreach (FaceShot shot in Shots)
            shot.Dispose();
        if (due != Unjudged)
            clock.Erased(due, Shots.Count + EndedTracklets.Count);
        due = Unjudged;
        Shots.Clear();
        EndedTracklets.Clear();
        (ConfirmedEnded, Uncompared) = (0, 0);
    }

    public void Dispose()
    {
        Wipe();
        Faces.Dispose();
    }
}
