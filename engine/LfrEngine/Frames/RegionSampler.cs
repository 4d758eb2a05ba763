using LfrEngine.Detection;
using LfrEngine.Models;

namespace LfrEngine.Frames;

/// <summary>Cuts an upright region out of a frame in host memory or on a device. Outside the frame its edge is repeated.</summary>
internal static unsafe class RegionSampler
{
    /// <summary>A region into the input of a network, on the device where frame and network are on one.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="region">Frame pixels.</param>
    /// <param name="size">Side of the square input, pixels.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="resampler">Of the calling thread.</param>
    /// <param name="plan">Its input is filled: float32 [batch, 3, size, size].</param>
    /// <param name="place">Which image of the batch.</param>
    /// <param name="transposed">Whether the network holds pictures column by column.</param>
    public static void Fill(in FrameView frame, in FaceBox region, int size, ModelInput input, PlaneResampler resampler, InferencePlan plan, int place = 0, bool transposed = false)
    {
        if (frame.Surface is { } surface)
        {
            surface.FillRegion(frame, region, size, input, plan, place, transposed);
            return;
        }
        int plane = size * size;
        float* tensor = plan.Input.Pointer + (place * 3 * plane);
        Resample(frame, region, size, size, resampler, tensor);
        ColourKernel.Convert(tensor, tensor + plane, tensor + (2 * plane), plane, frame.Colour, input);
        for (int channel = 0; transposed && channel < 3; channel++)
            Transpose(tensor + (channel * plane), size);
    }

    /// <summary>A region as three planes at full size, unconverted.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="region">Frame pixels.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="resampler">Of the calling thread.</param>
    /// <param name="planes">float32 [3, height, width]: Y′, Cb, Cr, 0…255. Borrowed.</param>
    public static void Resample(in FrameView frame, in FaceBox region, int width, int height, PlaneResampler resampler, float* planes)
    {
        if (frame.Surface is { } surface)
        {
            surface.Resample(frame, region, width, height, planes);
            return;
        }
        float* u = planes + (width * height), v = u + (width * height);
        resampler.Resample(frame.Y, frame.LumaStride, 1, frame.Width, frame.Height, region.Left, region.Top, region.Width, region.Height, planes, width, width, height);
        if (!frame.HasColour)
        {
            new Span<float>(u, 2 * width * height).Fill(128);
            return;
        }
        float chromaLeft = (region.Left * frame.ChromaScaleX) + frame.ChromaOffsetX, chromaTop = (region.Top * frame.ChromaScaleY) + frame.ChromaOffsetY;
        float chromaWidth = region.Width * frame.ChromaScaleX, chromaHeight = region.Height * frame.ChromaScaleY;
        resampler.Resample(frame.U, frame.ChromaStride, frame.ChromaStep, frame.ChromaWidth, frame.ChromaHeight, chromaLeft, chromaTop, chromaWidth, chromaHeight, u, width, width, height);
        resampler.Resample(frame.V, frame.ChromaStride, frame.ChromaStep, frame.ChromaWidth, frame.ChromaHeight, chromaLeft, chromaTop, chromaWidth, chromaHeight, v, width, width, height);
    }

    private static void Transpose(float* square, int size)
    {
        for (int y = 1; y < size; y++)
        {
            for (int x = 0; x < y; x++)
                (square[(y * size) + x], square[(x * size) + y]) = (square[(x * size) + y], square[(y * size) + x]);
        }
    }
}
