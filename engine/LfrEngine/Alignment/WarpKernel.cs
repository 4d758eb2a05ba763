using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LfrEngine.Alignment;

/// <summary>Bilinear samples of an 8-bit plane on an arbitrarily placed grid.</summary>
/// <remarks>
/// Eight grid positions at a time, and the last few of a row one by one. The left and right neighbours of a position are within four bytes, so one
/// 32-bit load fetches both: with AVX2's gather, elsewhere one after the other. All variants give the same bits as <see cref="SampleScalar"/>.
/// </remarks>
internal static unsafe class WarpKernel
{
    private const int Lanes = 8;

    /// <summary>An 8-bit plane.</summary>
    /// <param name="First">First sample. Borrowed.</param>
    /// <param name="Stride">Bytes per row.</param>
    /// <param name="Step">Bytes from one sample to the next, 1 or 2.</param>
    /// <param name="Width">Samples per row.</param>
    /// <param name="Height">Rows.</param>
    public readonly record struct Plane(nint First, int Stride, int Step, int Width, int Height);

    /// <summary>Maps grid position (x, y) to samples of the plane, whose centres are at whole numbers: origin + x · right + y · down.</summary>
    public readonly record struct Placement(float OriginX, float OriginY, float RightX, float RightY, float DownX, float DownY);

    /// <summary>Fills a square grid. Outside the plane its edge repeats.</summary>
    /// <param name="plane">Source.</param>
    /// <param name="placement">From grid to plane.</param>
    /// <param name="samples">Each grid pixel is the mean of samples × samples, spread evenly over it.</param>
    /// <param name="destination">float32 [size, size], 0…255. Borrowed.</param>
    /// <param name="size">Side of the grid.</param>
    public static void Sample(in Plane plane, in Placement placement, int samples, float* destination, int size)
    {
        // The last 32 bits of the plane; where a position lies beyond them, they are loaded and shifted.
        int last = ((plane.Height - 1) * plane.Stride) + ((plane.Width - 1) * plane.Step) + 1 - sizeof(int);
        if (!Vector128.IsHardwareAccelerated || last < 0)
        {
            SampleScalar(plane, placement, samples, destination, 0, size, size);
            return;
        }
        int whole = size & ~(Lanes - 1);
        float weight = 1f / (samples * samples);
        Vector256<float> columns = Vector256.Create(0f, 1, 2, 3, 4, 5, 6, 7);
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < whole; x += Lanes)
            {
                Vector256<float> left = columns + Vector256.Create((float)x), sum = Vector256<float>.Zero;
                for (int j = 0; j < samples; j++)
                {
                    float gridY = y + ((j + 0.5f) / samples);
                    for (int i = 0; i < samples; i++)
                    {
                        Vector256<float> gridX = left + Vector256.Create((i + 0.5f) / samples);
                        sum += Bilinear(plane, last,
                            Vector256.Create(placement.OriginX) + (gridX * placement.RightX) + Vector256.Create(gridY * placement.DownX),
                            Vector256.Create(placement.OriginY) + (gridX * placement.RightY) + Vector256.Create(gridY * placement.DownY));
                    }
                }
                (sum * weight).Store(destination + ((long)y * size) + x);
            }
        }
        if (whole < size)
            SampleScalar(plane, placement, samples, destination, whole, size, size);
    }

    /// <summary>The reference, and the columns from <paramref name="from"/> to <paramref name="to"/> alone.</summary>
    public static void SampleScalar(in Plane plane, in Placement placement, int samples, float* destination, int from, int to, int size)
    {
        float weight = 1f / (samples * samples);
        for (int y = 0; y < size; y++)
        {
            for (int x = from; x < to; x++)
            {
                float sum = 0;
                for (int j = 0; j < samples; j++)
                {
                    float gridY = y + ((j + 0.5f) / samples);
                    for (int i = 0; i < samples; i++)
                    {
                        float gridX = x + ((i + 0.5f) / samples);
                        sum += Bilinear(plane,
                            placement.OriginX + (gridX * placement.RightX) + (gridY * placement.DownX),
                            placement.OriginY + (gridX * placement.RightY) + (gridY * placement.DownY));
                    }
                }
                destination[((long)y * size) + x] = sum * weight;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Bilinear(in Plane plane, int last, Vector256<float> x, Vector256<float> y)
    {
        // With this order of operands, NaN becomes 0.
        x = Vector256.MinNative(Vector256.MaxNative(x, Vector256<float>.Zero), Vector256.Create((float)(plane.Width - 1)));
        y = Vector256.MinNative(Vector256.MaxNative(y, Vector256<float>.Zero), Vector256.Create((float)(plane.Height - 1)));
        Vector256<int> left = Vector256.ConvertToInt32Native(x), top = Vector256.ConvertToInt32Native(y);
        Vector256<float> fx = x - Vector256.ConvertToSingle(left), fy = y - Vector256.ConvertToSingle(top);
        Vector256<int> bottom = Vector256.Min(top + Vector256<int>.One, Vector256.Create(plane.Height - 1));
        left *= plane.Step;
        // Past the right edge the right neighbour is whatever follows; its weight is 0 there.
        Vector256<float> above = Between(Load(plane, last, (top * plane.Stride) + left), plane.Step, fx);
        Vector256<float> below = Between(Load(plane, last, (bottom * plane.Stride) + left), plane.Step, fx);
        return above + (fy * (below - above));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Between(Vector256<int> bytes, int step, Vector256<float> fraction)
    {
        Vector256<int> low = Vector256.Create(0xFF);
        Vector256<float> left = Vector256.ConvertToSingle(bytes & low), right = Vector256.ConvertToSingle((bytes >>> (8 * step)) & low);
        return left + (fraction * (right - left));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Load(in Plane plane, int last, Vector256<int> offset)
    {
        byte* first = (byte*)plane.First;
        if (Avx2.IsSupported)
        {
            Vector256<int> at = Vector256.Min(offset, Vector256.Create(last));
            return Avx2.ShiftRightLogicalVariable(Avx2.GatherVector256((int*)first, at, 1), ((offset - at) * 8).AsUInt32());
        }
        return Vector256.Create(
            Load(first, last, offset.GetElement(0)), Load(first, last, offset.GetElement(1)), Load(first, last, offset.GetElement(2)), Load(first, last, offset.GetElement(3)),
            Load(first, last, offset.GetElement(4)), Load(first, last, offset.GetElement(5)), Load(first, last, offset.GetElement(6)), Load(first, last, offset.GetElement(7)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Load(byte* first, int last, int offset)
    {
        int at = Math.Min(offset, last);
        return Unsafe.ReadUnaligned<int>(first + at) >>> ((offset - at) * 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Bilinear(in Plane plane, float x, float y)
    {
        x = Math.Clamp(x, 0, plane.Width - 1);
        y = Math.Clamp(y, 0, plane.Height - 1);
        int left = (int)x, top = (int)y;
        float fx = x - left, fy = y - top;
        int right = Math.Min(left + 1, plane.Width - 1) * plane.Step;
        left *= plane.Step;
        byte* upper = (byte*)plane.First + ((long)top * plane.Stride);
        byte* lower = (byte*)plane.First + ((long)Math.Min(top + 1, plane.Height - 1) * plane.Stride);
        float above = upper[left] + (fx * (upper[right] - upper[left]));
        float below = lower[left] + (fx * (lower[right] - lower[left]));
        return above + (fy * (below - above));
    }
}
