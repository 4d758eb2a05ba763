using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;

namespace LfrEngine.Cover;

/// <summary>Judges which parts of an aligned face are covered, before it is embedded. Used by one thread at a time.</summary>
public sealed unsafe class CoverExaminer : IDisposable
{
    /// <summary>Examines one face.</summary>
    /// <param name="frame">Where it was seen. Borrowed.</param>
    /// <param name="box">The face, frame pixels.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    /// <param name="crop">float32 [3, 112, 112], aligned by the points of an uncovered face. Borrowed.</param>
    public CoverJudgement Examine(in FrameView frame, in FaceBox box, ModelInput input, float* crop)
    {
        CoverJudgement judged = CoverJudge.Judge(crop, input);
        return judged;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
