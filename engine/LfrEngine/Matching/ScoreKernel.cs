using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LfrEngine.Matching;

/// <summary>Dot products of a few probes with many rows.</summary>
/// <remarks>
/// The order of summation is the same for every pair, instruction set and batch: element i is fused-multiply-added to partial sum
/// i mod 16; then the upper half of the 16 partial sums is added to the lower half until one is left. 512-bit vectors hold the sums in one
/// register, 256-bit in two and 128-bit in four, and all give the same bits as <see cref="ScalarDot"/>.
/// Rows are padded with zeros to a multiple of 16. If the length is no such multiple, the last elements of each probe are copied to padded memory on the stack.
/// </remarks>
internal static unsafe class ScoreKernel
{
    /// <summary>Number of partial sums; rows are padded to a multiple of it.</summary>
    public const int Lanes = 16;

    /// <summary>Most probes of one call.</summary>
    public const int ProbeStep = 4;

    /// <summary>Rows are read in steps of this; the matrix is padded to a multiple of it.</summary>
    public const int RowStep = 4;

    // A gallery is larger than the caches, and the processor's own prefetcher neither follows four rows at once nor crosses a page.
    // 8 KiB ahead: 3.9 to 2.0 ms for one probe, 20,000 × 512, AMD EPYC with AVX-512.
    private const int FromMemoryAhead = 8192 / sizeof(float);

    // Enough for rows that are in the second-level cache; more would displace the probes from the first.
    private const int FromCacheAhead = 4096 / sizeof(float);

    /// <summary>Instruction sets for which there is a kernel.</summary>
    public enum InstructionSet
    {
        /// <summary>One element at a time; the reference.</summary>
        Scalar,

        /// <summary>NEON, or SSE with FMA.</summary>
        Vector128,

        /// <summary>AVX2 with FMA.</summary>
        Vector256,

        /// <summary>AVX-512.</summary>
        Vector512,
    }

    /// <summary>The widest set of this machine that has a fused multiply-add.</summary>
    public static InstructionSet Widest { get; } =
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? InstructionSet.Vector512
        : Vector256.IsHardwareAccelerated && Fma.IsSupported ? InstructionSet.Vector256
        : AdvSimd.Arm64.IsSupported || Fma.IsSupported ? InstructionSet.Vector128
        : InstructionSet.Scalar;

    /// <summary>Scores probes against rows.</summary>
    /// <param name="instructions">Must be supported by this machine.</param>
    /// <param name="probes">[probeCount, length], any alignment.</param>
    /// <param name="probeCount">1…<see cref="ProbeStep"/>.</param>
    /// <param name="length">D, at least 1.</param>
    /// <param name="rows">[rowCount rounded up to <see cref="RowStep"/>, rowStride], zeros from <paramref name="length"/> on.</param>
    /// <param name="rowStride">Elements, a multiple of <see cref="Lanes"/>.</param>
    /// <param name="rowCount">Rows to score.</param>
    /// <param name="scores">Receives [probeCount, scoreStride].</param>
    /// <param name="scoreStride">At least rowCount rounded up to <see cref="RowStep"/>.</param>
    /// <param name="next">Rows that a later call will read; a quarter as many as rowCount are prefetched. Null if these rows come from memory themselves
    /// and the following ones are next. 13.2 to 11.5 ms for 60 probes against 20,000 × 512, AMD EPYC with AVX-512.</param>
    public static void Score(
        InstructionSet instructions,
        float* probes,
        int probeCount,
        int length,
        float* rows,
        int rowStride,
        int rowCount,
        float* scores,
        int scoreStride,
        float* next = null)
    {
        int whole = length & ~(Lanes - 1);
        float* tails = stackalloc float[ProbeStep * Lanes];
        if (whole < length)
        {
            for (int p = 0; p < probeCount; p++)
                Unsafe.CopyBlockUnaligned(tails + (p * Lanes), probes + ((long)p * length) + whole, (uint)(length - whole) * sizeof(float));
        }
        var shape = new Shape(probes, tails, length, whole, rows, rowStride, rowCount, scores, scoreStride, next);
        switch (instructions)
        {
            case InstructionSet.Vector512 when probeCount == ProbeStep:
                FourProbes512(shape);
                break;
            case InstructionSet.Vector512 when probeCount == 1:
                OneProbe<Lanes512>(shape);
                break;
            case InstructionSet.Vector512:
                OneByOne<Lanes512>(shape, probeCount);
                break;
            case InstructionSet.Vector256 when probeCount == 1:
                OneProbe<Lanes256>(shape);
                break;
            case InstructionSet.Vector256:
                OneByOne<Lanes256>(shape, probeCount);
                break;
            case InstructionSet.Vector128 when probeCount == 1:
                OneProbe<Lanes128>(shape);
                break;
            case InstructionSet.Vector128:
                OneByOne<Lanes128>(shape, probeCount);
                break;
            default:
                Scalar(shape, probeCount);
                break;
        }
        // The tails are part of embeddings.
        if (whole < length)
            Native.Memory.LockedMemory.Wipe(tails, ProbeStep * Lanes * sizeof(float));
    }

    /// <summary>Reference implementation: one pair, one element at a time.</summary>
    public static float ScalarDot(float* probe, float* row, int length)
    {
        float* sums = stackalloc float[Lanes];
        for (int i = 0; i < length; i++)
            sums[i % Lanes] = MathF.FusedMultiplyAdd(probe[i], row[i], sums[i % Lanes]);
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
                sums[i] += sums[i + half];
        }
        return sums[0];
    }

    private static void Scalar(in Shape shape, int probeCount)
    {
        for (int p = 0; p < probeCount; p++)
        {
            for (int r = 0; r < shape.RowCount; r++)
                shape.Scores[(p * shape.ScoreStride) + r] = ScalarDot(shape.Probes + ((long)p * shape.Length), shape.Rows + ((long)r * shape.RowStride), shape.Length);
        }
    }

    /// <summary>One probe, row by row: limited by memory, which is fastest when read in order.</summary>
    private static void OneProbe<T>(in Shape shape)
        where T : struct, ILanes<T>
    {
        int whole = shape.Whole;
        // After a single row there is nothing to prefetch.
        int ahead = shape.RowCount > 1 ? FromMemoryAhead : 0;
        for (int r = 0; r < shape.RowCount; r++)
        {
            float* row = shape.Rows + ((long)r * shape.RowStride);
            T sum = default;
            for (int i = 0; i < whole; i += Lanes)
            {
                Prefetch(row + i + ahead);
                sum = T.MultiplyAdd(T.Load(shape.Probes + i), row + i, sum);
            }
            if (whole < shape.Length)
                sum = T.MultiplyAdd(T.Load(shape.Tails), row + whole, sum);
            shape.Scores[r] = T.Sum(sum);
        }
    }

    /// <summary>One probe at a time, four rows at a time: enough sums to hide the latency of the addition.</summary>
    private static void OneByOne<T>(in Shape shape, int probeCount)
        where T : struct, ILanes<T>
    {
        int whole = shape.Whole;
        long stride = shape.RowStride;
        for (int p = 0; p < probeCount; p++)
        {
            float* probe = shape.Probes + ((long)p * shape.Length);
            float* scores = shape.Scores + (p * shape.ScoreStride);
            for (int r = 0; r < shape.RowCount; r += RowStep)
            {
                float* row = shape.Rows + (r * stride);
                float* ahead = row + FromMemoryAhead;
                T sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                for (int i = 0; i < whole; i += Lanes)
                {
                    PrefetchFour(ahead + (RowStep * i));
                    T x = T.Load(probe + i);
                    sum0 = T.MultiplyAdd(x, row + i, sum0);
                    sum1 = T.MultiplyAdd(x, row + stride + i, sum1);
                    sum2 = T.MultiplyAdd(x, row + (2 * stride) + i, sum2);
                    sum3 = T.MultiplyAdd(x, row + (3 * stride) + i, sum3);
                }
                if (whole < shape.Length)
                {
                    T x = T.Load(shape.Tails + (p * Lanes));
                    sum0 = T.MultiplyAdd(x, row + whole, sum0);
                    sum1 = T.MultiplyAdd(x, row + stride + whole, sum1);
                    sum2 = T.MultiplyAdd(x, row + (2 * stride) + whole, sum2);
                    sum3 = T.MultiplyAdd(x, row + (3 * stride) + whole, sum3);
                }
                scores[r] = T.Sum(sum0);
                scores[r + 1] = T.Sum(sum1);
                scores[r + 2] = T.Sum(sum2);
                scores[r + 3] = T.Sum(sum3);
            }
        }
    }

    /// <summary>Four probes × four rows: 16 sums in registers, two multiply-adds per load.</summary>
    private static void FourProbes512(in Shape shape)
    {
        int whole = shape.Whole;
        long stride = shape.RowStride;
        int near = shape.Next == null ? FromMemoryAhead : FromCacheAhead;
        float* next = shape.Next == null ? shape.Rows : shape.Next;
        float* probe0 = shape.Probes;
        float* probe1 = probe0 + shape.Length;
        float* probe2 = probe1 + shape.Length;
        float* probe3 = probe2 + shape.Length;
        for (int r = 0; r < shape.RowCount; r += RowStep)
        {
            float* row0 = shape.Rows + (r * stride);
            float* row1 = row0 + stride;
            float* row2 = row1 + stride;
            float* row3 = row2 + stride;
            Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
            Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
            Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
            Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
            float* ahead = row0 + near;
            float* far = next + (r / RowStep * stride);
            for (int i = 0; i < shape.Length; i += Lanes)
            {
                bool inside = i < whole;
                PrefetchFour(ahead + (RowStep * i));
                PrefetchFar(far + i);
                Vector512<float> x0 = Vector512.Load(inside ? probe0 + i : shape.Tails);
                Vector512<float> x1 = Vector512.Load(inside ? probe1 + i : shape.Tails + Lanes);
                Vector512<float> x2 = Vector512.Load(inside ? probe2 + i : shape.Tails + (2 * Lanes));
                Vector512<float> x3 = Vector512.Load(inside ? probe3 + i : shape.Tails + (3 * Lanes));
                Vector512<float> y = Vector512.Load(row0 + i);
                s00 = Avx512F.FusedMultiplyAdd(x0, y, s00);
                s10 = Avx512F.FusedMultiplyAdd(x1, y, s10);
                s20 = Avx512F.FusedMultiplyAdd(x2, y, s20);
                s30 = Avx512F.FusedMultiplyAdd(x3, y, s30);
                y = Vector512.Load(row1 + i);
                s01 = Avx512F.FusedMultiplyAdd(x0, y, s01);
                s11 = Avx512F.FusedMultiplyAdd(x1, y, s11);
                s21 = Avx512F.FusedMultiplyAdd(x2, y, s21);
                s31 = Avx512F.FusedMultiplyAdd(x3, y, s31);
                y = Vector512.Load(row2 + i);
                s02 = Avx512F.FusedMultiplyAdd(x0, y, s02);
                s12 = Avx512F.FusedMultiplyAdd(x1, y, s12);
                s22 = Avx512F.FusedMultiplyAdd(x2, y, s22);
                s32 = Avx512F.FusedMultiplyAdd(x3, y, s32);
                y = Vector512.Load(row3 + i);
                s03 = Avx512F.FusedMultiplyAdd(x0, y, s03);
                s13 = Avx512F.FusedMultiplyAdd(x1, y, s13);
                s23 = Avx512F.FusedMultiplyAdd(x2, y, s23);
                s33 = Avx512F.FusedMultiplyAdd(x3, y, s33);
            }
            float* scores = shape.Scores + r;
            Sum4(s00, s01, s02, s03).Store(scores);
            Sum4(s10, s11, s12, s13).Store(scores + shape.ScoreStride);
            Sum4(s20, s21, s22, s23).Store(scores + (2 * shape.ScoreStride));
            Sum4(s30, s31, s32, s33).Store(scores + (3 * shape.ScoreStride));
        }
    }

    /// <summary>Sums four registers at the same time, each in the order of <see cref="ScalarDot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum4(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        // Upper 256 bits onto lower, two registers at a time: [a a b b] in quarters.
        Vector512<float> ab = Avx512F.Shuffle4x128(a, b, 0b01_00_01_00) + Avx512F.Shuffle4x128(a, b, 0b11_10_11_10);
        Vector512<float> cd = Avx512F.Shuffle4x128(c, d, 0b01_00_01_00) + Avx512F.Shuffle4x128(c, d, 0b11_10_11_10);
        // Upper 128 onto lower: [a b c d].
        Vector512<float> quarters = Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00) + Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01);
        // Within each quarter, upper pair onto lower pair, then second onto first.
        quarters += Avx512F.Permute4x32(quarters, 0b01_00_11_10);
        quarters += Avx512F.Permute4x32(quarters, 0b10_11_00_01);
        return Avx512F.PermuteVar16x32(quarters, Vector512.Create(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).GetLower().GetLower();
    }

    /// <summary>The processor ignores addresses past the gallery.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* at)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchFour(float* at)
    {
        Prefetch(at);
        Prefetch(at + Lanes);
        Prefetch(at + (2 * Lanes));
        Prefetch(at + (3 * Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchFar(float* at)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(at);
    }

    private readonly struct Shape(
        float* probes,
        float* tails,
        int length,
        int whole,
        float* rows,
        int rowStride,
        int rowCount,
        float* scores,
        int scoreStride,
        float* next)
    {
        public readonly float* Probes = probes;
        public readonly float* Tails = tails;
        public readonly float* Rows = rows;
        public readonly float* Scores = scores;
        public readonly float* Next = next;
        public readonly int Length = length;
        public readonly int Whole = whole;
        public readonly int RowStride = rowStride;
        public readonly int RowCount = rowCount;
        public readonly int ScoreStride = scoreStride;
    }

    /// <summary>16 partial sums in registers.</summary>
    private interface ILanes<T>
        where T : struct, ILanes<T>
    {
        static abstract T Load(float* source);

        static abstract T MultiplyAdd(in T x, float* y, in T sum);

        static abstract float Sum(in T sums);
    }

    private readonly struct Lanes512(Vector512<float> all) : ILanes<Lanes512>
    {
        private readonly Vector512<float> all = all;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes512 Load(float* source) => new(Vector512.Load(source));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes512 MultiplyAdd(in Lanes512 x, float* y, in Lanes512 sum) => new(Vector512.FusedMultiplyAdd(x.all, Vector512.Load(y), sum.all));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Sum(in Lanes512 sums)
        {
            Vector256<float> eight = sums.all.GetLower() + sums.all.GetUpper();
            return SumOfFour(eight.GetLower() + eight.GetUpper());
        }
    }

    private readonly struct Lanes256(Vector256<float> lower, Vector256<float> upper) : ILanes<Lanes256>
    {
        private readonly Vector256<float> lower = lower;
        private readonly Vector256<float> upper = upper;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes256 Load(float* source) => new(Vector256.Load(source), Vector256.Load(source + 8));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes256 MultiplyAdd(in Lanes256 x, float* y, in Lanes256 sum) =>
            new(Vector256.FusedMultiplyAdd(x.lower, Vector256.Load(y), sum.lower), Vector256.FusedMultiplyAdd(x.upper, Vector256.Load(y + 8), sum.upper));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Sum(in Lanes256 sums)
        {
            Vector256<float> eight = sums.lower + sums.upper;
            return SumOfFour(eight.GetLower() + eight.GetUpper());
        }
    }

    private readonly struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) : ILanes<Lanes128>
    {
        private readonly Vector128<float> a = a;
        private readonly Vector128<float> b = b;
        private readonly Vector128<float> c = c;
        private readonly Vector128<float> d = d;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes128 Load(float* source) =>
            new(Vector128.Load(source), Vector128.Load(source + 4), Vector128.Load(source + 8), Vector128.Load(source + 12));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes128 MultiplyAdd(in Lanes128 x, float* y, in Lanes128 sum) => new(
            Vector128.FusedMultiplyAdd(x.a, Vector128.Load(y), sum.a),
            Vector128.FusedMultiplyAdd(x.b, Vector128.Load(y + 4), sum.b),
            Vector128.FusedMultiplyAdd(x.c, Vector128.Load(y + 8), sum.c),
            Vector128.FusedMultiplyAdd(x.d, Vector128.Load(y + 12), sum.d));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Sum(in Lanes128 sums) => SumOfFour((sums.a + sums.c) + (sums.b + sums.d));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumOfFour(Vector128<float> four)
    {
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return two.GetElement(0) + two.GetElement(1);
    }
}
