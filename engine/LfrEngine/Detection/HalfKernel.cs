using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LfrEngine.Detection;

/// <summary>Halves a pair of rows: each output is the mean of 2 × 2.</summary>
/// <remarks>Sixteen, eight or four outputs at a time; the remainder one by one. All give the same bits as <see cref="HalveScalar"/>.</remarks>
internal static unsafe class HalfKernel
{
    /// <summary>Halves <paramref name="count"/> pairs of columns.</summary>
    /// <param name="upper">float32 [2 · count]. Borrowed.</param>
    /// <param name="lower">float32 [2 · count], the row below. Borrowed.</param>
    /// <param name="destination">float32 [count]. Borrowed.</param>
    /// <param name="count">Outputs.</param>
    public static void Halve(float* upper, float* lower, float* destination, int count)
    {
        int i = 0;
        if (Avx512F.IsSupported)
        {
            Vector512<int> even = Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), odd = even + Vector512<int>.One;
            for (; i <= count - 16; i += 16)
            {
                Vector512<float> a = Vector512.Load(upper + (2 * i)), b = Vector512.Load(upper + (2 * i) + 16), c = Vector512.Load(lower + (2 * i)), d = Vector512.Load(lower + (2 * i) + 16);
                Vector512<float> sum = Avx512F.PermuteVar16x32x2(a, even, b) + Avx512F.PermuteVar16x32x2(a, odd, b) + Avx512F.PermuteVar16x32x2(c, even, d) + Avx512F.PermuteVar16x32x2(c, odd, d);
                (sum * 0.25f).Store(destination + i);
            }
        }
        else if (Avx2.IsSupported)
        {
            for (; i <= count - 8; i += 8)
            {
                Vector256<float> a = Vector256.Load(upper + (2 * i)), b = Vector256.Load(upper + (2 * i) + 8), c = Vector256.Load(lower + (2 * i)), d = Vector256.Load(lower + (2 * i) + 8);
                // Within halves first, which leaves the quarters in the order 0, 2, 1, 3.
                Vector256<float> sum = Avx.Shuffle(a, b, 0b10_00_10_00) + Avx.Shuffle(a, b, 0b11_01_11_01) + Avx.Shuffle(c, d, 0b10_00_10_00) + Avx.Shuffle(c, d, 0b11_01_11_01);
                Avx2.Permute4x64((sum * 0.25f).AsDouble(), 0b11_01_10_00).AsSingle().Store(destination + i);
            }
        }
        else if (AdvSimd.Arm64.IsSupported || Sse.IsSupported)
        {
            for (; i <= count - 4; i += 4)
            {
                Vector128<float> a = Vector128.Load(upper + (2 * i)), b = Vector128.Load(upper + (2 * i) + 4), c = Vector128.Load(lower + (2 * i)), d = Vector128.Load(lower + (2 * i) + 4);
                ((Even(a, b) + Odd(a, b) + Even(c, d) + Odd(c, d)) * 0.25f).Store(destination + i);
            }
        }
        HalveScalar(upper + (2 * i), lower + (2 * i), destination + i, count - i);
    }

    /// <summary>The reference.</summary>
    public static void HalveScalar(float* upper, float* lower, float* destination, int count)
    {
        for (int i = 0; i < count; i++)
            destination[i] = 0.25f * (upper[2 * i] + upper[(2 * i) + 1] + lower[2 * i] + lower[(2 * i) + 1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Even(Vector128<float> a, Vector128<float> b) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.UnzipEven(a, b) : Sse.Shuffle(a, b, 0b10_00_10_00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Odd(Vector128<float> a, Vector128<float> b) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.UnzipOdd(a, b) : Sse.Shuffle(a, b, 0b11_01_11_01);
}
