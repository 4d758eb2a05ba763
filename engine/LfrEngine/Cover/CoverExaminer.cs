using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Cover;

/// <summary>Judges which parts of an aligned face are covered before it is embedded, aligns a covered one again by points that hold under a cover, and blanks a covered brow. Used by one thread at a time.</summary>
/// <param name="meshModel">Borrowed for the life of the examiner.</param>
internal sealed unsafe class CoverExaminer(OnnxModel meshModel) : IDisposable
{
    // Below, the mesh sees no face: its points are no better than those there are.
    private const float LeastPresence = 0;

    private readonly FaceMesh mesh = new(meshModel);
    private readonly HostBuffer<PointF> points = BufferPool.Rent<PointF>(FaceMesh.PointCount);

    /// <summary>Parts under which the mesh is asked: where <c>lfr-lab cover</c> shows that its points are better.</summary>
    public static FaceCover MeshUnder => FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow;

    /// <summary>Examines one face.</summary>
    /// <param name="frame">Where it was seen. Borrowed.</param>
    /// <param name="box">The face, frame pixels.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    /// <param name="crop">float32 [3, 112, 112], aligned by the points of an uncovered face; aligned again where that is better. Borrowed.</param>
    /// <param name="brow">What becomes of the brow.</param>
    public CoverJudgement Examine(in FrameView frame, in FaceBox box, ModelInput input, float* crop, BrowTreatment brow)
    {
        CoverJudgement judged;
        using (StageClock.Time(PipelineStage.Quality))
            judged = CoverJudge.Judge(crop, input);
        if ((judged.Parts & MeshUnder) != FaceCover.None)
            AlignAgain(frame, box, input, crop, judged.Parts);
        if (brow == BrowTreatment.Blank || (brow == BrowTreatment.BlankIfCovered && judged.Parts == FaceCover.Brow))
            BrowBlank.Apply(crop, input);
        return judged;
    }

    /// <summary>Goes once through the mesh, so that the first covered face does not wait for code to be compiled and memory to be laid out.</summary>
    internal void WarmUp(in FrameView frame, in FaceBox box)
    {
        mesh.Find(frame, box, points.Span);
        points.Wipe();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mesh.Dispose();
        points.Dispose();
    }

    private void AlignAgain(in FrameView frame, in FaceBox box, ModelInput input, float* crop, FaceCover parts)
    {
        try
        {
            // Only a covered mouth and chin pull the first pass away from where the second lands.
            bool twice = parts.HasFlag(FaceCover.LowerFace);
            if (mesh.Find(frame, box, points.Span, twice) >= LeastPresence && AlignmentTransform.TryEstimate(FaceMesh.Reduce(points.Span), out AlignmentTransform alignment))
            {
                using StageClock.Scope _ = StageClock.Time(PipelineStage.Align);
                FaceAligner.Align(frame, alignment, input, crop);
            }
        }
        finally
        {
            points.Wipe();
        }
    }
}
