using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Cover;

/// <summary>Judges which parts of an aligned face are covered before it is embedded, aligns a covered face again with landmarks that are reliable under a cover, and blanks a covered brow. Used by one thread at a time.</summary>
/// <param name="meshModel">Borrowed for the life of the examiner.</param>
internal sealed class CoverExaminer(OnnxModel meshModel) : IDisposable
{
    // Below this the mesh network sees no face, and its points are no better than the existing ones.
    private const float LeastPresence = 0;

    private readonly FaceMesh mesh = new(meshModel);
    private readonly HostBuffer<PointF> points = BufferPool.Rent<PointF>(FaceMesh.PointCount);

    /// <summary>Covered parts for which the mesh is used: those where its points are better, measured with <c>lfr-lab cover</c>.</summary>
    public static FaceCover MeshUnder => FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow;

    /// <summary>Examines one face.</summary>
    /// <param name="frame">The frame that shows it. Borrowed.</param>
    /// <param name="box">The face, frame pixels.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    /// <param name="aligned">Aligned with the landmarks for uncovered faces; aligned again if they do not hold. Borrowed.</param>
    /// <param name="brow">What is done with the area above the brow.</param>
    public CoverJudgement Examine(in FrameView frame, in FaceBox box, ModelInput input, AlignedFace aligned, BrowTreatment brow)
    {
        CoverJudgement judged;
        using (StageClock.Time(PipelineStage.Quality))
            judged = aligned.JudgeCover(input);
        if ((judged.Parts & MeshUnder) != FaceCover.None)
            AlignAgain(frame, box, input, aligned, judged.Parts);
        if (brow == BrowTreatment.Blank || (brow == BrowTreatment.BlankIfCovered && judged.Parts == FaceCover.Brow))
            aligned.BlankBrow(input);
        return judged;
    }

    /// <summary>Runs the mesh once, so that the first covered face does not wait for compilation and memory allocation.</summary>
    internal void WarmUp(in FrameView frame, in FaceBox box)
    {
        mesh.Find(frame, box, points.Span, out _, twice: true);
        points.Wipe();
    }

    public void Dispose()
    {
        mesh.Dispose();
        points.Dispose();
    }

    private void AlignAgain(in FrameView frame, in FaceBox box, ModelInput input, AlignedFace aligned, FaceCover parts)
    {
        try
        {
            // Only when mouth and chin are covered does a second pass give other points than the first.
            bool twice = parts.HasFlag(FaceCover.LowerFace);
            if (mesh.Find(frame, box, points.Span, out Landmarks5 five, twice) >= LeastPresence && AlignmentTransform.TryEstimate(five, out AlignmentTransform alignment))
            {
                using StageClock.Scope _ = StageClock.Time(PipelineStage.Align);
                aligned.Align(frame, alignment, input);
            }
        }
        finally
        {
            points.Wipe();
        }
    }
}
