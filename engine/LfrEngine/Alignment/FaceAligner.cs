using LfrEngine.Frames;
using LfrEngine.Models;

namespace LfrEngine.Alignment;

/// <summary>Warps a face from the frame's planes onto the recognition grid.</summary>
/// <remarks>
/// Bilinear where the face is about as large as the grid; a larger face is averaged over up to 4 × 4 samples per grid pixel, so that detail the
/// grid cannot hold does not alias. Samples outside the frame repeat its edge.
/// </remarks>
internal static unsafe class FaceAligner
{
    /// <summary>float32 elements of one aligned face: 3 × 112 × 112.</summary>
    public const int CropLength = 3 * AlignmentTransform.GridSize * AlignmentTransform.GridSize;

    /// <summary>Fills one crop.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="transform">Frame to grid.</param>
    /// <param name="input">Channel order and normalisation of the embedder.</param>
    /// <param name="crop">float32 [3, 112, 112]. Borrowed.</param>
    public static void Align(in FrameView frame, in AlignmentTransform transform, ModelInput input, float* crop)
    {
        if (frame.Surface is { } surface)
        {
            using IAlignedSlot slot = surface.Align(frame, transform, input);
            slot.Read(crop);
            return;
        }
        Warp(frame, transform, AlignmentTransform.GridSize, input, crop);
    }

    /// <summary>Fills a square grid of any size from planes in host memory.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="transform">Frame to grid.</param>
    /// <param name="size">Side of the grid, pixels.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="crop">float32 [3, size, size]. Borrowed.</param>
    internal static void Warp(in FrameView frame, in AlignmentTransform transform, int size, ModelInput input, float* crop)
    {
        int plane = size * size;
        int samples = SamplesPerSide(1, transform);
        Sample(frame.Y, frame.LumaStride, 1, frame.Width, frame.Height, transform, 1, 1, 0, 0, samples, crop, size);
        if (frame.HasColour)
        {
            int chromaSamples = SamplesPerSide(frame.ChromaScaleX, transform);
            Sample(frame.U, frame.ChromaStride, frame.ChromaStep, frame.ChromaWidth, frame.ChromaHeight, transform,
                frame.ChromaScaleX, frame.ChromaScaleY, frame.ChromaOffsetX, frame.ChromaOffsetY, chromaSamples, crop + plane, size);
            Sample(frame.V, frame.ChromaStride, frame.ChromaStep, frame.ChromaWidth, frame.ChromaHeight, transform,
                frame.ChromaScaleX, frame.ChromaScaleY, frame.ChromaOffsetX, frame.ChromaOffsetY, chromaSamples, crop + (2 * plane), size);
        }
        else
        {
            new Span<float>(crop + plane, 2 * plane).Fill(128);
        }
        ColourKernel.Convert(crop, crop + plane, crop + (2 * plane), plane, frame.Colour, input);
    }

    /// <summary>Turns a crop into its mirror image: what was left is right.</summary>
    /// <param name="crop">float32 [3, 112, 112]. Borrowed.</param>
    public static void Mirror(Span<float> crop)
    {
        for (int row = 0; row < CropLength; row += AlignmentTransform.GridSize)
            crop.Slice(row, AlignmentTransform.GridSize).Reverse();
    }

    /// <summary>How many samples per side of a grid pixel average a plane: 1 to 4.</summary>
    /// <param name="planeScale">Samples of the plane per frame pixel.</param>
    /// <param name="transform">Frame to grid.</param>
    public static int SamplesPerSide(float planeScale, in AlignmentTransform transform) => Math.Clamp((int)MathF.Round(planeScale / transform.Scale), 1, 4);

    private static void Sample(byte* plane, int stride, int step, int width, int height, in AlignmentTransform transform,
        float scaleX, float scaleY, float offsetX, float offsetY, int samples, float* destination, int size)
    {
        // The frame position moves linearly over the grid; so does the plane position, half a sample back for centres at .5.
        PointF origin = transform.ToFrame(new PointF(0, 0));
        PointF right = transform.ToFrame(new PointF(1, 0));
        PointF down = transform.ToFrame(new PointF(0, 1));
        var placement = new WarpKernel.Placement(
            (origin.X * scaleX) + offsetX - 0.5f, (origin.Y * scaleY) + offsetY - 0.5f,
            (right.X - origin.X) * scaleX, (right.Y - origin.Y) * scaleY,
            (down.X - origin.X) * scaleX, (down.Y - origin.Y) * scaleY);
        WarpKernel.Sample(new WarpKernel.Plane((nint)plane, stride, step, width, height), placement, samples, destination, size);
    }
}
