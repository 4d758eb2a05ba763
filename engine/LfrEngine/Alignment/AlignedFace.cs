using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Quality;

namespace LfrEngine.Alignment;

/// <summary>One face on the recognition grid: in host memory, or, cut out of a frame on a device, there, where it is measured and from where it is embedded without coming back.</summary>
/// <param name="memory">float32 [3, 112, 112]. Borrowed for the life of this object.</param>
/// <param name="staysOnDevice">Whether a face of a frame on a device stays there; otherwise it is read back.</param>
internal sealed unsafe class AlignedFace(float* memory, bool staysOnDevice = false)
{
    /// <summary>The face on the device; null if it is in host memory.</summary>
    public IAlignedSlot? Slot { get; private set; }

    /// <summary>float32 [3, 112, 112]; zeros while the face is on a device. Borrowed.</summary>
    public ReadOnlySpan<float> Memory => new(memory, FaceAligner.CropLength);

    /// <inheritdoc cref="FaceAligner.Align"/>
    public void Align(in FrameView frame, in AlignmentTransform transform, ModelInput input)
    {
        LetGo();
        if (staysOnDevice && frame.Surface is { } surface)
            Slot = surface.Align(frame, transform, input);
        else
            FaceAligner.Align(frame, transform, input, memory);
    }

    /// <summary>What quality is judged by.</summary>
    public CropSums Measure(ModelInput input) => Slot is { } slot ? slot.Sums : CropSums.Of(memory, input);

    /// <summary>Which parts are covered.</summary>
    public CoverJudgement JudgeCover(ModelInput input) => Slot is { } slot ? slot.Cover : CoverJudge.Judge(memory, input);

    /// <inheritdoc cref="BrowBlank.Apply"/>
    public void BlankBrow(ModelInput input)
    {
        if (Slot is { } slot)
            slot.IsBrowBlank = true;
        else
            BrowBlank.Apply(memory, input);
    }

    /// <summary>Clears the face on its device; host memory is its owner's to wipe.</summary>
    public void LetGo()
    {
        Slot?.Dispose();
        Slot = null;
    }
}
