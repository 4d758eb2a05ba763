using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LfrEngine.Memory;

namespace LfrEngine.Frames;

/// <summary>Resamples a rectangle of an 8-bit plane to a float32 grid with an antialiased triangle filter.</summary>
/// <remarks>
/// Separable: rows first (whole vectors over the columns that matter), then columns. Where the grid is larger than the rectangle the filter is
/// bilinear interpolation; where it is smaller the triangle widens to cover every source pixel, so small faces are averaged, not skipped.
/// Samples outside the plane repeat its edge. One instance per thread; tables are reused, and the
/// scratch line holds nothing between calls.
/// </remarks>
public sealed unsafe class PlaneResampler : IDisposable
{
    private readonly bool vectors;
    private readonly Axis columns = new();
    private readonly Axis rows = new();
    private HostBuffer<float>? line;

    /// <summary>Prepares a resampler.</summary>
    public PlaneResampler()
        : this(vectors: true)
    {
    }

    /// <summary>Without vectors it is the scalar reference.</summary>
    internal PlaneResampler(bool vectors) => this.vectors = vectors;

    /// <summary>Resamples one plane.</summary>
    /// <param name="plane">First sample. Borrowed.</param>
    /// <param name="stride">Bytes per row.</param>
    /// <param name="step">Bytes from one sample to the next.</param>
    /// <param name="planeWidth">Samples per row.</param>
    /// <param name="planeHeight">Rows.</param>
    /// <param name="left">Left edge of the rectangle, continuous sample coordinates; may lie outside.</param>
    /// <param name="top">Top edge.</param>
    /// <param name="width">Width of the rectangle, more than 0.</param>
    /// <param name="height">Height of the rectangle, more than 0.</param>
    /// <param name="destination">float32 [gridHeight, gridWidth], values 0…255. Borrowed.</param>
    /// <param name="destinationStride">Elements per destination row.</param>
    /// <param name="gridWidth">Samples.</param>
    /// <param name="gridHeight">Samples.</param>
    public void Resample(byte* plane, int stride, int step, int planeWidth, int planeHeight,
        float left, float top, float width, float height,
        float* destination, int destinationStride, int gridWidth, int gridHeight)
    {
        columns.Prepare(left, width, gridWidth, planeWidth);
        rows.Prepare(top, height, gridHeight, planeHeight);

        int first = columns.First;
        int span = columns.Last - first + 1;
        int bytes = ((span - 1) * step) + 1;
        // Whole windows are loaded from the last sample on: what lies beyond is permuted away, but must be there.
        int needed = bytes + (4 * Vector512<float>.Count) + (columns.Taps * step);
        if (line is null || line.Length < needed)
        {
            line?.Dispose();
            // With room to spare: faces come nearer, and each would take a little more.
            line = BufferPool.Rent<float>((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed));
        }
        float* sums = line.Pointer;
        byte* origin = plane + ((long)first * step);
        for (int y = 0; y < gridHeight; y++)
        {
            int start = rows.Start(y);
            SumRows(origin + ((long)start * stride), stride, rows.Weights(y), sums, bytes);
            float* output = destination + ((long)y * destinationStride);
            if (columns.Taps == 1)
                CopyColumns(sums, step, first, output, gridWidth);
            else
                SumColumns(sums, step, first, output, gridWidth);
        }
        line.Wipe();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        line?.Dispose();
        line = null;
    }

    // sums[i] = Σ_k weight[k] · source[k · stride + i]; lanes of 16 or 8, then a scalar tail. All give the same bits.
    private void SumRows(byte* source, int stride, ReadOnlySpan<float> weights, float* sums, int bytes)
    {
        int i = 0;
        if (vectors && Avx512F.IsSupported)
        {
            for (; i <= bytes - 16; i += 16)
            {
                Vector512<float> sum = Vector512<float>.Zero;
                byte* at = source + i;
                for (int k = 0; k < weights.Length; k++, at += stride)
                    sum = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(at))), Vector512.Create(weights[k]), sum);
                sum.Store(sums + i);
            }
        }
        else if (vectors && Avx2.IsSupported && Fma.IsSupported)
        {
            for (; i <= bytes - 8; i += 8)
            {
                Vector256<float> sum = Vector256<float>.Zero;
                byte* at = source + i;
                for (int k = 0; k < weights.Length; k++, at += stride)
                    sum = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(at)), Vector256.Create(weights[k]), sum);
                sum.Store(sums + i);
            }
        }
        else if (vectors && Vector128.IsHardwareAccelerated)
        {
            for (; i <= bytes - 8; i += 8)
            {
                Vector128<float> low = Vector128<float>.Zero, high = Vector128<float>.Zero;
                byte* at = source + i;
                for (int k = 0; k < weights.Length; k++, at += stride)
                {
                    Vector128<ushort> wide = Vector128.WidenLower(Vector64.Load(at).ToVector128());
                    Vector128<float> weight = Vector128.Create(weights[k]);
                    low = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(Vector128.WidenLower(wide).AsInt32()), weight, low);
                    high = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(Vector128.WidenUpper(wide).AsInt32()), weight, high);
                }
                low.Store(sums + i);
                high.Store(sums + i + 4);
            }
        }
        for (; i < bytes; i++)
        {
            float sum = 0;
            byte* at = source + i;
            for (int k = 0; k < weights.Length; k++, at += stride)
                sum = MathF.FusedMultiplyAdd(*at, weights[k], sum);
            sums[i] = sum;
        }
    }

    private void CopyColumns(float* sums, int step, int first, float* output, int gridWidth)
    {
        for (int x = 0; x < gridWidth; x++)
            output[x] = sums[(columns.Start(x) - first) * step];
    }

    // Sixteen outputs at a time, or eight where the image shrinks more: the samples for tap k of all of them lie within 32 floats, so two loads and
    // one permutation fetch them, and the permutation is the same for every tap. (Gathers do the same four times slower on Zen 4.)
    private void SumColumns(float* sums, int step, int first, float* output, int gridWidth)
    {
        int x = 0;
        if (vectors && Avx512F.IsSupported)
        {
            const int Window = 32;
            Vector512<int> stepVector = Vector512.Create(step);
            while (x <= gridWidth - 16)
            {
                int start = columns.Start(x);
                int outputs = (columns.Start(x + 15) - start) * step < Window ? 16 : (columns.Start(x + 7) - start) * step < Window ? 8 : 0;
                if (outputs == 0)
                    break;
                Vector512<int> index = (columns.Starts16(x) - Vector512.Create(start)) * stepVector;
                float* at = sums + ((start - first) * step);
                Vector512<float> sum = Vector512<float>.Zero;
                for (int k = 0; k < columns.Taps; k++, at += step)
                    sum = Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32x2(Vector512.Load(at), index, Vector512.Load(at + 16)), columns.TapWeights16(k, x), sum);
                if (outputs == 16)
                    sum.Store(output + x);
                else
                    sum.GetLower().Store(output + x);
                x += outputs;
            }
        }
        for (; x < gridWidth; x++)
        {
            float* at = sums + ((columns.Start(x) - first) * step);
            float sum = 0;
            for (int k = 0; k < columns.Taps; k++, at += step)
                sum = MathF.FusedMultiplyAdd(*at, columns.TapWeight(k, x), sum);
            output[x] = sum;
        }
    }

    /// <summary>One axis' taps: for each output sample a first source sample and weights that sum to 1. Geometry only, no pixels.</summary>
    private sealed class Axis
    {
        private float offset, length;
        private int grid = -1, limit;
        private int[] starts = [];
        private float[] byOutput = [];
        private float[] byTap = [];
        private double[] folded = [];

        public int Taps { get; private set; }

        public int First { get; private set; }

        public int Last { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Start(int output) => starts[output];

        public ReadOnlySpan<float> Weights(int output) => byOutput.AsSpan(output * Taps, Taps);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<int> Starts16(int output) => Vector512.LoadUnsafe(ref starts[output]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> TapWeights16(int tap, int output) => Vector512.LoadUnsafe(ref byTap[(tap * grid) + output]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float TapWeight(int tap, int output) => byTap[(tap * grid) + output];

        /// <summary>Makes the taps for <paramref name="gridSize"/> samples over [start, start + extent) of a line of <paramref name="samples"/>.</summary>
        public void Prepare(float start, float extent, int gridSize, int samples)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(gridSize, 1);
            if (!(extent > 0) || !float.IsFinite(start) || !float.IsFinite(extent))
                throw new ArgumentOutOfRangeException(nameof(extent), $"A rectangle of {extent} samples from {start} cannot be resampled.");
            if (start == offset && extent == length && gridSize == grid && samples == limit)
                return;
            // Known again only when the tables are complete.
            (offset, length, grid, limit) = (float.NaN, extent, gridSize, samples);

            double scale = (double)extent / gridSize;
            double support = Math.Max(1, scale);
            int unclamped = (int)Math.Ceiling(2 * support) + 1;
            Taps = Math.Min(unclamped, samples);
            Grow(ref starts, gridSize);
            Grow(ref byOutput, gridSize * Taps);
            Grow(ref byTap, gridSize * Taps);
            Grow(ref folded, Taps);
            First = int.MaxValue;
            Last = 0;
            bool allCopies = true;
            for (int x = 0; x < gridSize; x++)
            {
                double centre = start + ((x + 0.5) * scale) - 0.5;
                int from = (int)Math.Floor(centre - support) + 1;
                int first = Math.Clamp(from, 0, samples - Taps);
                Array.Clear(folded, 0, Taps);
                double total = 0;
                // Taps beyond an edge fold onto the edge sample.
                for (int k = 0; k < unclamped; k++)
                {
                    double weight = Math.Max(0, 1 - (Math.Abs(from + k - centre) / support));
                    folded[Math.Clamp(from + k, first, first + Taps - 1) - first] += weight;
                    total += weight;
                }
                starts[x] = first;
                First = Math.Min(First, first);
                Last = Math.Max(Last, first + Taps - 1);
                for (int k = 0; k < Taps; k++)
                {
                    float weight = (float)(folded[k] / total);
                    byOutput[(x * Taps) + k] = weight;
                    byTap[(k * gridSize) + x] = weight;
                    allCopies &= weight is 0 or 1;
                }
            }
            if (allCopies)
                ReduceToCopies();
            offset = start;
        }

        // Grid and source coincide (an image at native size): one sample, no arithmetic.
        private void ReduceToCopies()
        {
            int taps = Taps;
            First = int.MaxValue;
            Last = 0;
            for (int x = 0; x < grid; x++)
            {
                int k = byOutput.AsSpan(x * taps, taps).IndexOf(1f);
                starts[x] += k;
                First = Math.Min(First, starts[x]);
                Last = Math.Max(Last, starts[x]);
            }
            Taps = 1;
            byOutput.AsSpan(0, grid).Fill(1);
            byTap.AsSpan(0, grid).Fill(1);
        }

        private static void Grow<T>(ref T[] array, int length)
        {
            if (array.Length < length)
                array = new T[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length)];
        }
    }
}
