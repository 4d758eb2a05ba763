using LfrEngine.Alignment;
using LfrEngine.Models;

namespace LfrEngine.Quality;

/// <summary>What <see cref="QualityAssessor"/> needs to know of an aligned face's pixels.</summary>
/// <param name="Texture">Of the green channel over the face proper.</param>
/// <param name="Upper">Mean colour of cheeks and nose bridge just under the eyes, 0…255.</param>
/// <param name="Lower">Mean colour of mouth and chin.</param>
internal readonly record struct CropSums(TextureSums Texture, (float Red, float Green, float Blue) Upper, (float Red, float Green, float Blue) Lower)
{
    private const int Size = AlignmentTransform.GridSize;

    /// <summary>The face proper on the recognition grid: brow to chin, without hair, ears and background.</summary>
    public const int FaceLeft = 24, FaceRight = 88, FaceTop = 36, FaceBottom = 104;

    /// <summary>Cheeks and nose bridge.</summary>
    public const int UpperLeft = 30, UpperRight = 82, UpperTop = 58, UpperBottom = 70;

    /// <summary>Mouth and chin.</summary>
    public const int LowerLeft = 38, LowerRight = 74, LowerTop = 84, LowerBottom = 106;

    /// <summary>Pixels of the face proper.</summary>
    public const int Pixels = (FaceRight - FaceLeft) * (FaceBottom - FaceTop);

    /// <summary>Measures one face.</summary>
    /// <param name="crop">float32 [3, 112, 112] as <paramref name="input"/> says. Borrowed.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    public static unsafe CropSums Of(float* crop, ModelInput input)
    {
        // Green carries most of the luma and is the middle channel in either order.
        float* green = crop + (Size * Size);
        TextureSums texture = TextureKernel.Measure(green + (FaceTop * Size) + FaceLeft, Size, FaceRight - FaceLeft, FaceBottom - FaceTop, 1 / input.Scale[1], input.Mean[1]);
        Span<double> upper = stackalloc double[3], lower = stackalloc double[3];
        for (int channel = 0; channel < 3; channel++)
        {
            upper[channel] = Sum(crop + (channel * Size * Size), UpperLeft, UpperRight, UpperTop, UpperBottom);
            lower[channel] = Sum(crop + (channel * Size * Size), LowerLeft, LowerRight, LowerTop, LowerBottom);
        }
        return Of(texture, upper, lower, input);
    }

    /// <summary>From sums over the crop's own values.</summary>
    /// <param name="texture">Of the face proper.</param>
    /// <param name="upper">Of each channel over cheeks and nose bridge.</param>
    /// <param name="lower">Of each channel over mouth and chin.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    public static CropSums Of(in TextureSums texture, ReadOnlySpan<double> upper, ReadOnlySpan<double> lower, ModelInput input) =>
        new(texture, Mean(upper, (UpperRight - UpperLeft) * (UpperBottom - UpperTop), input), Mean(lower, (LowerRight - LowerLeft) * (LowerBottom - LowerTop), input));

    private static unsafe double Sum(float* channel, int left, int right, int top, int bottom)
    {
        double sum = 0;
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
                sum += channel[(y * Size) + x];
        }
        return sum;
    }

    private static (float Red, float Green, float Blue) Mean(ReadOnlySpan<double> sums, int pixels, ModelInput input)
    {
        Span<float> mean = stackalloc float[3];
        for (int channel = 0; channel < 3; channel++)
            mean[channel] = (float)(sums[channel] / pixels / input.Scale[channel]) + input.Mean[channel];
        return input.Channels == ChannelOrder.Bgr ? (mean[2], mean[1], mean[0]) : (mean[0], mean[1], mean[2]);
    }
}
