using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Models;
using LfrEngine.Quality;

namespace LfrEngine.Frames;

/// <summary>The planes of a frame on a device. Regions are cut out on the device; the frame itself is never copied to host memory.</summary>
/// <remarks>When a device is lost, so are its frames: every region cut out of them is then zeros, and nothing is found in them.</remarks>
internal interface IFrameSurface
{
    /// <summary>Writes the whole frame into the input of a detector, as <see cref="Letterbox.Fill"/> does.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="transform">From <see cref="LetterboxTransform.Fit"/>.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="plan">Of a backend on the same device; its input stays there.</param>
    /// <exception cref="InvalidOperationException">The plan does not run on this device.</exception>
    void FillLetterbox(in FrameView frame, in LetterboxTransform transform, ModelInput input, InferencePlan plan);

    /// <summary>Writes a region, in colour or grey, into the input of a network.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="region">Frame pixels; may lie outside.</param>
    /// <param name="size">Side of the square input, pixels.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="plan">Of a backend on the same device; its input stays there.</param>
    /// <param name="place">Which image of the batch.</param>
    /// <param name="transposed">Whether the input is held column by column.</param>
    /// <exception cref="InvalidOperationException">The plan does not run on this device.</exception>
    void FillRegion(in FrameView frame, in FaceBox region, int size, ModelInput input, InferencePlan plan, int place = 0, bool transposed = false);

    /// <summary>Writes a turned square into the input of a network, as <see cref="FaceAligner.Warp"/> does.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="transform">Frame to grid.</param>
    /// <param name="size">Side of the square input, pixels.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="plan">Of a backend on the same device; its input stays there.</param>
    /// <exception cref="InvalidOperationException">The plan does not run on this device.</exception>
    void FillAligned(in FrameView frame, in AlignmentTransform transform, int size, ModelInput input, InferencePlan plan);

    /// <summary>Runs a network of points on its filled input and tells what is made of them; the points stay on the device until the plan is wiped.</summary>
    /// <param name="plan">Of a backend on the same device.</param>
    /// <param name="points">Of the network.</param>
    /// <param name="grid">Where its input lies in the frame.</param>
    PointSums RunPoints(InferencePlan plan, FacePoints points, in PointGrid grid);

    /// <summary>Aligns one face, as <see cref="FaceAligner.Align"/> does, measures it and keeps it on the device.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="transform">Frame to grid.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <returns>Outlives the frame. Owned by the caller.</returns>
    IAlignedSlot Align(in FrameView frame, in AlignmentTransform transform, ModelInput input);

    /// <summary>Cuts a region out and keeps it on the device, for a picture that is wanted only if there is an alert.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="region">Frame pixels; may lie outside.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <returns>Outlives the frame. Owned by the caller.</returns>
    IKeptRegion Keep(in FrameView frame, in FaceBox region, int width, int height);

    /// <summary>Reads back a region as three planes at full size, unconverted, for a picture that somebody looks at.</summary>
    /// <param name="frame">The frame that this is the surface of.</param>
    /// <param name="region">Frame pixels; may lie outside.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="planes">float32 [3, height, width]: Y′, Cb, Cr, 0…255. Borrowed.</param>
    unsafe void Resample(in FrameView frame, in FaceBox region, int width, int height, float* planes);
}

/// <summary>A region of a frame on a device. Disposing clears it there.</summary>
internal interface IKeptRegion : IDisposable
{
    /// <summary>Reads it back, as <see cref="IFrameSurface.Resample"/> does; zeros if the device was lost.</summary>
    /// <param name="planes">float32 [3, height, width]. Borrowed.</param>
    unsafe void Read(float* planes);
}

/// <summary>One aligned face on a device. Only what was measured of it comes back, when it is asked for.</summary>
internal interface IAlignedSlot : IKeptRegion
{
    /// <summary>What its quality is judged by; of a lost device a face without texture.</summary>
    CropSums Sums { get; }

    /// <summary>Which of its parts are covered; of a lost device none.</summary>
    CoverJudgement Cover { get; }

    /// <summary>Whether everything above its brow is embedded as one tone.</summary>
    bool IsBrowBlank { get; set; }
}
