using System.Runtime.Intrinsics;
using LfrEngine.Memory;

namespace LfrEngine.Matching;

/// <summary>A gallery's rows as 8-bit codes, each with a scale and a slack, from which an upper bound (ceiling) of any comparison score is computed.</summary>
/// <remarks>
/// <para>
/// Guarantee: for a row x and a probe y, let S be their score from <see cref="ScoreKernel"/> and C = <see cref="Ceiling"/> of their codes.
/// Then S ≥ t implies C ≥ t for every float t. So skipping rows with C &lt; t skips none with S ≥ t. A score of NaN never matches.
/// </para>
/// <para>
/// Proof. Let u = 2⁻²⁴, x = s·q + r with the codes q, the stored scale s and the remainder r; likewise y = t·p + w. I = q·p is exact.
/// <code>
/// x·y − s·t·I = s·q·w + r·y                         |x·y − s·t·I| ≤ ‖s·q‖·‖w‖ + ‖r‖·‖y‖            (Cauchy–Schwarz)
/// ‖s·q‖ ≤ ‖x‖ + ‖r‖ = n                             ‖w‖ ≤ ρ·‖y‖, since |wᵢ| ≤ t/2, t ≤ max|yᵢ|/P and max|yᵢ| ≤ ‖y‖: ρ = √D / 2P
/// |S − x·y| ≤ γ·‖x‖·‖y‖ + D·2⁻¹⁴⁹                    γ = m·u / (1 − m·u): an element passes ⌈D/16⌉ multiply-adds and 4 additions at most, m = ⌈D/16⌉ + 4
/// </code>
/// In float arithmetic the ceiling is e·N + s·(t·I) with the slack e and N ≥ ‖y‖. The conversion of I, the three products and the sum are
/// rounded: at most 3u of s·t·I and 2u of e·N + |s·t·I| are lost, and 2⁻¹⁴⁹ each where a result is subnormal. |s·t·I| ≤ n·(1 + ρ)·‖y‖ ≤ 2·n·‖y‖.
/// So C ≥ S if e ≥ (‖r‖ + n·(ρ + γ + 16u))·(1 + 16u) and e·N exceeds that by D·2⁻¹⁴⁸. Adding 2⁻⁶⁰ to both e and N ensures this (D ≤ 4096).
/// The sums of squares are computed in double precision; 16u also covers their relative error, below 2⁻⁴⁰, and that of t. The result is rounded up to float.
/// </para>
/// <para>
/// Rows with an element that is NaN or beyond 2⁴⁰ get slack ∞; rows below 2⁻⁶⁰ get codes of zero, so that r = x. A probe
/// outside that range gets N = ∞. Then C = ∞, and the score itself decides. For random directions in 512 dimensions e is about 0.0077.
/// </para>
/// </remarks>
internal sealed unsafe class RowCodes : IDisposable
{
    private const double Unit = 1.0 / (1 << 24);
    private const double Smallest = 1.0 / (1L << 60), Largest = 1L << 40;

    // Codes, then scales, then slacks.
    private readonly HostBuffer<byte> block;

    /// <summary>Quantises rows.</summary>
    /// <param name="rows">float32 [rowCount, rowStride]. Borrowed for the call.</param>
    /// <param name="rowCount">N.</param>
    /// <param name="rowStride">Elements from one row to the next.</param>
    /// <param name="length">D, 1…4096.</param>
    public RowCodes(float* rows, int rowCount, int rowStride, int length)
    {
        Stride = StrideOf(length);
        block = BufferPool.Rent<byte>(checked((int)BytesOf(rowCount, length)));
        Codes = (sbyte*)block.Pointer;
        Scales = (float*)(Codes + (PaddedRows(rowCount) * Stride));
        Slacks = Scales + FactorsOf(rowCount);
        // The error in proportion to a row's length: rounding of the probe, of the score and of the ceiling.
        int roundings = ((length + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes) + 4;
        double share = (Math.Sqrt(length) / (2 * CodeKernel.ProbeLimit(length))) + (roundings * Unit / (1 - (roundings * Unit))) + (16 * Unit);
        for (int row = 0; row < rowCount; row++)
            Quantise(rows + ((long)row * rowStride), length, Codes + ((long)row * Stride), share, out Scales[row], out Slacks[row]);
    }

    /// <summary>Codes from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>int8 [N padded, <see cref="Stride"/>]; valid until <see cref="Dispose"/>.</summary>
    public sbyte* Codes { get; }

    /// <summary>s of each row, padded so that a whole SIMD vector may be read from any of them.</summary>
    public float* Scales { get; }

    /// <summary>e of each row, padded in the same way.</summary>
    public float* Slacks { get; }

    /// <summary>Length rounded up to a multiple of <see cref="CodeKernel.Step"/>.</summary>
    public static int StrideOf(int length) => (length + CodeKernel.Step - 1) / CodeKernel.Step * CodeKernel.Step;

    /// <summary>Bytes needed for this number of rows.</summary>
    public static long BytesOf(int rowCount, int length) => (PaddedRows(rowCount) * StrideOf(length)) + (2 * FactorsOf(rowCount) * sizeof(float));

    /// <summary>Quantises a probe.</summary>
    /// <param name="probe">float32 [length]; any values, including NaN.</param>
    /// <param name="length">D, 1…4096.</param>
    /// <param name="codes">Receives [<see cref="StrideOf"/>], zero from <paramref name="length"/> on.</param>
    /// <param name="scale">Receives t.</param>
    /// <param name="norm">Receives N.</param>
    public static void QuantiseProbe(float* probe, int length, short* codes, out float scale, out float norm)
    {
        new Span<short>(codes, StrideOf(length)).Clear();
        Measure(probe, length, out double largest, out double squares);
        scale = 0;
        norm = float.PositiveInfinity;
        if (!(largest is >= Smallest and <= Largest))
            return;
        int limit = CodeKernel.ProbeLimit(length);
        scale = (float)(largest / limit);
        double inverse = 1.0 / scale;
        for (int i = 0; i < length; i++)
            codes[i] = (short)Math.Clamp(Math.Round(probe[i] * inverse), -limit, limit);
        norm = RoundUp((Math.Sqrt(squares) * (1 + (16 * Unit))) + Smallest);
    }

    /// <summary>C, an upper bound of the score of this pair. The same operations, in the same order, as the vector loop of <see cref="CosineSearch"/>.</summary>
    public static float Ceiling(int sum, float probeScale, float probeNorm, float rowScale, float rowSlack) =>
        (rowSlack * probeNorm) + (rowScale * (probeScale * sum));

    public void Dispose() => block.Dispose();

    private static long PaddedRows(int rowCount) => (rowCount + CodeKernel.RowStep - 1L) / CodeKernel.RowStep * CodeKernel.RowStep;

    private static long FactorsOf(int rowCount) => rowCount + (long)Vector512<float>.Count;

    private static void Quantise(float* row, int length, sbyte* codes, double share, out float scale, out float slack)
    {
        Measure(row, length, out double largest, out double squares);
        scale = 0;
        slack = float.PositiveInfinity;
        if (!(largest <= Largest))
            return;
        double left = squares;
        if (largest >= Smallest)
        {
            scale = (float)(largest / CodeKernel.RowLimit);
            double inverse = 1.0 / scale;
            left = 0;
            for (int i = 0; i < length; i++)
            {
                double code = Math.Clamp(Math.Round(row[i] * inverse), -CodeKernel.RowLimit, CodeKernel.RowLimit);
                codes[i] = (sbyte)code;
                double residual = row[i] - (code * scale);
                left += residual * residual;
            }
        }
        double error = Math.Sqrt(left);
        slack = RoundUp(((error + ((Math.Sqrt(squares) + error) * share)) * (1 + (16 * Unit))) + Smallest);
    }

    /// <summary>Largest magnitude (NaN if an element is NaN) and the sum of squares.</summary>
    private static void Measure(float* values, int length, out double largest, out double squares)
    {
        largest = squares = 0;
        for (int i = 0; i < length; i++)
        {
            double value = values[i];
            largest = Math.Max(largest, Math.Abs(value));
            squares += value * value;
        }
    }

    private static float RoundUp(double value) => MathF.BitIncrement((float)value);
}
