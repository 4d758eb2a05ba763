using System.Runtime.Intrinsics;

namespace LfrEngine.Quality;

/// <summary>Sums over a rectangle of one channel of a crop, from which brightness, contrast, sharpness and clipping follow.</summary>
/// <param name="Sum">Σ value.</param>
/// <param name="Squares">Σ value².</param>
/// <param name="Laplacian">Σ (4 · value − its four neighbours)².</param>
/// <param name="Clipped">Pixels darker than 12 or brighter than 245.</param>
internal readonly record struct TextureSums(double Sum, double Squares, double Laplacian, int Clipped);

/// <summary>Sums texture in vectors.</summary>
/// <remarks>
/// Sixteen partial sums per row, added up in a fixed order in double precision: the result is the same to the bit on every processor, and equals
/// that of the scalar twin. Where there are no 512-bit vectors, the runtime uses narrower ones (AVX2, NEON).
/// </remarks>
internal static unsafe class TextureKernel
{
    /// <summary>A rectangle's width must be a multiple of this.</summary>
    public const int Lanes = 16;

    private const float Dark = 12, Bright = 245;

    /// <summary>Sums over a rectangle that lies at least one pixel inside the channel.</summary>
    /// <param name="pixels">First pixel of the rectangle. Borrowed.</param>
    /// <param name="stride">Pixels per row.</param>
    /// <param name="width">A multiple of <see cref="Lanes"/>.</param>
    /// <param name="height">Rows.</param>
    /// <param name="scale">Value per unit of the crop.</param>
    /// <param name="mean">Value of the crop's zero, 0…255.</param>
    public static TextureSums Measure(float* pixels, int stride, int width, int height, float scale, float mean)
    {
        double sum = 0, squares = 0, laplacian = 0;
        int clipped = 0;
        Vector512<float> factor = Vector512.Create(scale), offset = Vector512.Create(mean), four = Vector512.Create(4f);
        Vector512<float> dark = Vector512.Create(Dark), bright = Vector512.Create(Bright);
        for (int y = 0; y < height; y++)
        {
            float* row = pixels + ((long)y * stride);
            Vector512<float> rowSum = default, rowSquares = default, rowLaplacian = default;
            for (int x = 0; x < width; x += Lanes)
            {
                Vector512<float> here = Vector512.Load(row + x);
                Vector512<float> value = (here * factor) + offset;
                Vector512<float> second = ((((four * here) - Vector512.Load(row + x - 1)) - Vector512.Load(row + x + 1)) - Vector512.Load(row + x - stride)) - Vector512.Load(row + x + stride);
                second *= factor;
                rowSum += value;
                rowSquares += value * value;
                rowLaplacian += second * second;
                clipped += System.Numerics.BitOperations.PopCount((Vector512.LessThan(value, dark) | Vector512.GreaterThan(value, bright)).ExtractMostSignificantBits());
            }
            sum += AddUp(rowSum);
            squares += AddUp(rowSquares);
            laplacian += AddUp(rowLaplacian);
        }
        return new TextureSums(sum, squares, laplacian, clipped);
    }

    /// <summary>The reference: one pixel at a time.</summary>
    public static TextureSums ScalarMeasure(float* pixels, int stride, int width, int height, float scale, float mean)
    {
        double sum = 0, squares = 0, laplacian = 0;
        int clipped = 0;
        float* rowSum = stackalloc float[Lanes], rowSquares = stackalloc float[Lanes], rowLaplacian = stackalloc float[Lanes];
        for (int y = 0; y < height; y++)
        {
            float* row = pixels + ((long)y * stride);
            new Span<float>(rowSum, Lanes).Clear();
            new Span<float>(rowSquares, Lanes).Clear();
            new Span<float>(rowLaplacian, Lanes).Clear();
            for (int x = 0; x < width; x++)
            {
                float value = (row[x] * scale) + mean;
                float second = ((((4 * row[x]) - row[x - 1]) - row[x + 1]) - row[x - stride]) - row[x + stride];
                second *= scale;
                rowSum[x % Lanes] += value;
                rowSquares[x % Lanes] += value * value;
                rowLaplacian[x % Lanes] += second * second;
                clipped += value is < Dark or > Bright ? 1 : 0;
            }
            sum += AddUp(Vector512.Load(rowSum));
            squares += AddUp(Vector512.Load(rowSquares));
            laplacian += AddUp(Vector512.Load(rowLaplacian));
        }
        return new TextureSums(sum, squares, laplacian, clipped);
    }

    private static double AddUp(Vector512<float> lanes)
    {
        double sum = 0;
        for (int i = 0; i < Lanes; i++)
            sum += lanes[i];
        return sum;
    }
}
