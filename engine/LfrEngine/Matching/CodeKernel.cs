using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LfrEngine.Matching;

/// <summary>Dot products of a few probes' 16-bit codes with many rows' 8-bit codes, in 32-bit integers.</summary>
/// <remarks>
/// Integer sums are exact in any order, so every instruction set gives the same result as <see cref="ScalarDot"/>. |row| ≤ <see cref="RowLimit"/> and
/// |probe| ≤ <see cref="ProbeLimit"/> keep the sums below 2³¹. 16-bit codes for the probe cost nothing, because the multiply-add of all
/// instruction sets (vpmaddwd, smlal) takes 16 bits on both sides, and they almost eliminate the probe's part of the error.
/// Rows and probes are padded with zeros to a multiple of <see cref="Step"/>.
/// </remarks>
internal static unsafe class CodeKernel
{
    /// <summary>Codes that the widest instruction set processes in one step; rows and probes are padded to a multiple of it.</summary>
    public const int Step = 32;

    /// <summary>Most probes of one call.</summary>
    public const int ProbeStep = 4;

    /// <summary>Rows are read in steps of this; the matrix is padded to a multiple of it.</summary>
    public const int RowStep = 4;

    /// <summary>Largest magnitude of a row's code.</summary>
    public const int RowLimit = sbyte.MaxValue;

    // Bytes to prefetch ahead: the processor's own prefetcher stops at every page and is too slow here.
    private const int FromMemoryAhead = 8192;

    /// <summary>Largest magnitude of a probe's code with which no sum can overflow.</summary>
    /// <param name="length">D, before padding.</param>
    public static int ProbeLimit(int length) => (int)Math.Min(short.MaxValue, int.MaxValue / ((long)RowLimit * length));

    /// <summary>Multiplies probes with rows.</summary>
    /// <param name="instructions">Must be supported by this machine.</param>
    /// <param name="probes">[probeCount, stride].</param>
    /// <param name="probeCount">1…<see cref="ProbeStep"/>.</param>
    /// <param name="rows">[rowCount rounded up to <see cref="RowStep"/>, stride].</param>
    /// <param name="stride">Codes from one row, and from one probe, to the next: a multiple of <see cref="Step"/>.</param>
    /// <param name="rowCount">Rows to multiply.</param>
    /// <param name="sums">Receives [probeCount, sumStride].</param>
    /// <param name="sumStride">At least rowCount rounded up to <see cref="RowStep"/>.</param>
    /// <param name="fromMemory">Whether these rows and the following ones are not in the caches yet.</param>
    public static void Multiply(
        ScoreKernel.InstructionSet instructions,
        short* probes,
        int probeCount,
        sbyte* rows,
        int stride,
        int rowCount,
        int* sums,
        int sumStride,
        bool fromMemory)
    {
        // 0 prefetches the line that is loaded in the same step, which costs nothing.
        int ahead = fromMemory ? FromMemoryAhead : 0;
        switch (instructions)
        {
            case ScoreKernel.InstructionSet.Vector512 when probeCount == ProbeStep:
                FourProbes512(probes, rows, stride, rowCount, sums, sumStride, ahead);
                break;
            case ScoreKernel.InstructionSet.Vector512:
                OneByOne<Lanes512>(probes, probeCount, rows, stride, rowCount, sums, sumStride, ahead);
                break;
            case ScoreKernel.InstructionSet.Vector256:
                OneByOne<Lanes256>(probes, probeCount, rows, stride, rowCount, sums, sumStride, ahead);
                break;
            case ScoreKernel.InstructionSet.Vector128:
                OneByOne<Lanes128>(probes, probeCount, rows, stride, rowCount, sums, sumStride, ahead);
                break;
            default:
                Scalar(probes, probeCount, rows, stride, rowCount, sums, sumStride);
                break;
        }
    }

    /// <summary>Reference implementation: one pair, one code at a time.</summary>
    public static int ScalarDot(short* probe, sbyte* row, int stride)
    {
        int sum = 0;
        for (int i = 0; i < stride; i++)
            sum += probe[i] * row[i];
        return sum;
    }

    private static void Scalar(short* probes, int probeCount, sbyte* rows, int stride, int rowCount, int* sums, int sumStride)
    {
        for (int p = 0; p < probeCount; p++)
        {
            for (int r = 0; r < rowCount; r++)
                sums[(p * sumStride) + r] = ScalarDot(probes + ((long)p * stride), rows + ((long)r * stride), stride);
        }
    }

    /// <summary>One probe at a time, four rows at a time.</summary>
    private static void OneByOne<T>(short* probes, int probeCount, sbyte* rows, int stride, int rowCount, int* sums, int sumStride, int ahead)
        where T : struct, ILanes<T>
    {
        for (int p = 0; p < probeCount; p++)
        {
            short* probe = probes + ((long)p * stride);
            for (int r = 0; r < rowCount; r += RowStep)
            {
                sbyte* row0 = rows + ((long)r * stride);
                sbyte* row1 = row0 + stride;
                sbyte* row2 = row1 + stride;
                sbyte* row3 = row2 + stride;
                T sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                for (int i = 0; i < stride; i += T.Count)
                {
                    PrefetchFour(row0 + ahead + (RowStep * i), T.Count);
                    sum0 = T.MultiplyAdd(probe + i, row0 + i, sum0);
                    sum1 = T.MultiplyAdd(probe + i, row1 + i, sum1);
                    sum2 = T.MultiplyAdd(probe + i, row2 + i, sum2);
                    sum3 = T.MultiplyAdd(probe + i, row3 + i, sum3);
                }
                T.Sum4(sum0, sum1, sum2, sum3).Store(sums + ((long)p * sumStride) + r);
            }
        }
    }

    /// <summary>Four probes × four rows: 16 sums in registers, each row widened once for four probes.</summary>
    private static void FourProbes512(short* probes, sbyte* rows, int stride, int rowCount, int* sums, int sumStride, int ahead)
    {
        short* probe1 = probes + stride;
        short* probe2 = probe1 + stride;
        short* probe3 = probe2 + stride;
        for (int r = 0; r < rowCount; r += RowStep)
        {
            sbyte* row0 = rows + ((long)r * stride);
            sbyte* row1 = row0 + stride;
            sbyte* row2 = row1 + stride;
            sbyte* row3 = row2 + stride;
            Vector512<int> s00 = default, s01 = default, s02 = default, s03 = default;
            Vector512<int> s10 = default, s11 = default, s12 = default, s13 = default;
            Vector512<int> s20 = default, s21 = default, s22 = default, s23 = default;
            Vector512<int> s30 = default, s31 = default, s32 = default, s33 = default;
            for (int i = 0; i < stride; i += Step)
            {
                PrefetchFour(row0 + ahead + (RowStep * i), Step);
                Vector512<short> x0 = Widen(row0 + i);
                Vector512<short> x1 = Widen(row1 + i);
                Vector512<short> x2 = Widen(row2 + i);
                Vector512<short> x3 = Widen(row3 + i);
                Vector512<short> y = Vector512.Load(probes + i);
                s00 += Avx512BW.MultiplyAddAdjacent(x0, y);
                s01 += Avx512BW.MultiplyAddAdjacent(x1, y);
                s02 += Avx512BW.MultiplyAddAdjacent(x2, y);
                s03 += Avx512BW.MultiplyAddAdjacent(x3, y);
                y = Vector512.Load(probe1 + i);
                s10 += Avx512BW.MultiplyAddAdjacent(x0, y);
                s11 += Avx512BW.MultiplyAddAdjacent(x1, y);
                s12 += Avx512BW.MultiplyAddAdjacent(x2, y);
                s13 += Avx512BW.MultiplyAddAdjacent(x3, y);
                y = Vector512.Load(probe2 + i);
                s20 += Avx512BW.MultiplyAddAdjacent(x0, y);
                s21 += Avx512BW.MultiplyAddAdjacent(x1, y);
                s22 += Avx512BW.MultiplyAddAdjacent(x2, y);
                s23 += Avx512BW.MultiplyAddAdjacent(x3, y);
                y = Vector512.Load(probe3 + i);
                s30 += Avx512BW.MultiplyAddAdjacent(x0, y);
                s31 += Avx512BW.MultiplyAddAdjacent(x1, y);
                s32 += Avx512BW.MultiplyAddAdjacent(x2, y);
                s33 += Avx512BW.MultiplyAddAdjacent(x3, y);
            }
            int* at = sums + r;
            Sum4(s00, s01, s02, s03).Store(at);
            Sum4(s10, s11, s12, s13).Store(at + sumStride);
            Sum4(s20, s21, s22, s23).Store(at + (2L * sumStride));
            Sum4(s30, s31, s32, s33).Store(at + (3L * sumStride));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Widen(sbyte* row) => Avx512BW.ConvertToVector512Int16(Vector256.Load(row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Sum4(Vector512<int> a, Vector512<int> b, Vector512<int> c, Vector512<int> d) =>
        Sum4(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Sum4(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        Vector256<int> sums = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return sums.GetLower() + sums.GetUpper();
    }

    /// <summary>Prefetches what four rows read in one step. The processor ignores addresses past the gallery.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchFour(sbyte* at, int count)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch0(at);
        if (RowStep * count > 64)
            Sse.Prefetch0(at + 64);
    }

    /// <summary>Partial sums of one pair, in registers.</summary>
    private interface ILanes<T>
        where T : struct, ILanes<T>
    {
        /// <summary>Codes per step; a divisor of <see cref="Step"/>.</summary>
        static abstract int Count { get; }

        static abstract T MultiplyAdd(short* probe, sbyte* row, in T sums);

        static abstract Vector128<int> Sum4(in T a, in T b, in T c, in T d);
    }

    private readonly struct Lanes512(Vector512<int> sums) : ILanes<Lanes512>
    {
        private readonly Vector512<int> sums = sums;

        public static int Count => 32;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes512 MultiplyAdd(short* probe, sbyte* row, in Lanes512 sums) =>
            new(sums.sums + Avx512BW.MultiplyAddAdjacent(Widen(row), Vector512.Load(probe)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<int> Sum4(in Lanes512 a, in Lanes512 b, in Lanes512 c, in Lanes512 d) => CodeKernel.Sum4(a.sums, b.sums, c.sums, d.sums);
    }

    private readonly struct Lanes256(Vector256<int> sums) : ILanes<Lanes256>
    {
        private readonly Vector256<int> sums = sums;

        public static int Count => 16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes256 MultiplyAdd(short* probe, sbyte* row, in Lanes256 sums) =>
            new(sums.sums + Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(Vector128.Load(row)), Vector256.Load(probe)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<int> Sum4(in Lanes256 a, in Lanes256 b, in Lanes256 c, in Lanes256 d) => CodeKernel.Sum4(a.sums, b.sums, c.sums, d.sums);
    }

    private readonly struct Lanes128(Vector128<int> sums) : ILanes<Lanes128>
    {
        private readonly Vector128<int> sums = sums;

        public static int Count => 8;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes128 MultiplyAdd(short* probe, sbyte* row, in Lanes128 sums)
        {
            Vector128<short> y = Vector128.Load(probe);
            Vector128<short> x = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)row).AsSByte());
            if (Sse2.IsSupported)
                return new(sums.sums + Sse2.MultiplyAddAdjacent(x, y));
            return new(AdvSimd.MultiplyWideningUpperAndAdd(AdvSimd.MultiplyWideningLowerAndAdd(sums.sums, x.GetLower(), y.GetLower()), x, y));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<int> Sum4(in Lanes128 a, in Lanes128 b, in Lanes128 c, in Lanes128 d) => Ssse3.IsSupported
            ? Ssse3.HorizontalAdd(Ssse3.HorizontalAdd(a.sums, b.sums), Ssse3.HorizontalAdd(c.sums, d.sums))
            : AdvSimd.Arm64.AddPairwise(AdvSimd.Arm64.AddPairwise(a.sums, b.sums), AdvSimd.Arm64.AddPairwise(c.sums, d.sums));
    }
}
