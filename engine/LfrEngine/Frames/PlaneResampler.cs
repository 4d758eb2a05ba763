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
/// scratch line keeps nothing between calls.
/// </remarks>
internal sealed unsafe class PlaneResampler : IDisposable
{
    private readonly bool vectors;
    private readonly Axis columns = new();
    private readonly Axis rows = new();
    private HostBuffer<float>? line;
    private int bytes;

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
        Begin(step, planeWidth, planeHeight, left, top, width, height, gridWidth, gridHeight);
        for (int y = 0; y < gridHeight; y++)
            Row(plane, stride, step, y, destination + ((long)y * destinationStride));
        End();
    }

    /// <summary>Prepares for single rows, for callers that need the rows of several planes in turn; parameters as for <see cref="Resample"/>.</summary>
    internal void Begin(int step, int planeWidth, int planeHeight, float left, float top, float width, float height, int gridWidth, int gridHeight)
    {
        columns.Prepare(left, width, gridWidth, planeWidth);
        rows.Prepare(top, height, gridHeight, planeHeight);

        bytes = ((columns.Last - columns.First) * step) + 1;
        // Whole windows are loaded from the last sample on: what is beyond is permuted away, but must exist.
        int needed = bytes + (4 * Vector512<float>.Count) + (columns.Taps * step);
        if (line is null || line.Length < needed)
        {
            line?.Dispose();
            // With spare capacity, because faces that come nearer need more and more.
            line = BufferPool.Rent<float>((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed));
        }
    }

    /// <summary>Resamples one row of the grid passed to Begin.</summary>
    /// <param name="plane">First sample. Borrowed.</param>
    /// <param name="stride">Bytes per row.</param>
    /// <param name="step">As begun.</param>
    /// <param name="y">Row of the grid.</param>
    /// <param name="output">float32 [gridWidth]. Borrowed.</param>
    internal void Row(byte* plane, int stride, int step, int y, float* output)
    {
        float* sums = line!.Pointer;
        int first = columns.First;
        SumRows(plane + ((long)first * step) + ((long)rows.Start(y) * stride), stride, rows.Weights(y), sums, y + 1 < rows.Count ? rows.Start(y + 1) - rows.Start(y) : 0);
        if (columns.Taps == 1)
            CopyColumns(sums, step, first, output);
        else
            SumColumns(sums, step, first, output);
    }

    /// <summary>Wipes the scratch line.</summary>
    internal void End() => line!.Wipe();

    public void Dispose()
    {
        line?.Dispose();
        line = null;
    }

    // sums[i] = Σ_k weight[k] · source[k · stride + i]; lanes of 16 or 8, then a scalar tail. All give the same bits. The next row needs so many
    // rows more of the plane: they are prefetched here, because a frame that was just decoded is in no near cache, and its rows are too short for the
    // hardware prefetcher.
    private void SumRows(byte* source, int stride, ReadOnlySpan<float> weights, float* sums, int ahead)
    {
        int i = 0;
        if (vectors && Avx512F.IsSupported)
        {
            // Four at a time share a weight and hide each other's latency.
            for (; i <= bytes - 64; i += 64)
            {
                Vector512<float> a = Vector512<float>.Zero, b = a, c = a, d = a;
                byte* at = source + i;
                for (int row = weights.Length; row < weights.Length + ahead; row++)
                    Sse.Prefetch0(at + ((long)row * stride));
                for (int k = 0; k < weights.Length; k++, at += stride)
                {
                    Vector512<float> weight = Vector512.Create(weights[k]);
                    a = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(at))), weight, a);
                    b = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(at + 16))), weight, b);
                    c = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(at + 32))), weight, c);
                    d = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(at + 48))), weight, d);
                }
                a.Store(sums + i);
                b.Store(sums + i + 16);
                c.Store(sums + i + 32);
                d.Store(sums + i + 48);
            }
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

    private void CopyColumns(float* sums, int step, int first, float* output)
    {
        for (int x = 0; x < columns.Count; x++)
            output[x] = sums[(columns.Start(x) - first) * step];
    }

    // Sixteen outputs at a time, or eight where the image shrinks more, as long as all samples of all their taps are within 64 floats: they are loaded
    // once, and each tap is a permutation of them, the previous one plus a sample. Within 32, half the loads and permutations are enough. (Gathers are four
    // times slower on Zen 4.)
    private void SumColumns(float* sums, int step, int first, float* output)
    {
        int x = 0, gridWidth = columns.Count, taps = columns.Taps;
        fixed (int* starts = columns.Starts)
        fixed (float* weights = columns.ByTap)
        {
            if (vectors && Avx512F.IsSupported)
            {
                const int Window = 32;
                Vector512<int> stepVector = Vector512.Create(step), beyond = Vector512.Create(Window);
                while (x <= gridWidth - 16)
                {
                    int start = starts[x];
                    int outputs = 16, reach = (starts[x + 15] - start + taps - 1) * step;
                    if (reach >= 2 * Window)
                    {
                        (outputs, reach) = (8, (starts[x + 7] - start + taps - 1) * step);
                        if (reach >= 2 * Window)
                            break;
                    }
                    Vector512<int> index = (Vector512.Load(starts + x) - Vector512.Create(start)) * stepVector;
                    float* at = sums + ((start - first) * step);
                    float* weight = weights + x;
                    Vector512<float> a = Vector512.Load(at), b = Vector512.Load(at + 16), sum = Vector512<float>.Zero;
                    if (reach < Window)
                    {
                        for (int k = 0; k < taps; k++, weight += gridWidth, index += stepVector)
                            sum = Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32x2(a, index, b), Vector512.Load(weight), sum);
                    }
                    else
                    {
                        Vector512<float> c = Vector512.Load(at + 32), d = Vector512.Load(at + 48);
                        for (int k = 0; k < taps; k++, weight += gridWidth, index += stepVector)
                        {
                            // The permutations use the lowest five bits of the index.
                            Vector512<float> sample = Vector512.ConditionalSelect(Vector512.LessThan(index, beyond).AsSingle(),
                                Avx512F.PermuteVar16x32x2(a, index, b), Avx512F.PermuteVar16x32x2(c, index, d));
                            sum = Avx512F.FusedMultiplyAdd(sample, Vector512.Load(weight), sum);
                        }
                    }
                    if (outputs == 16)
                        sum.Store(output + x);
                    else
                        sum.GetLower().Store(output + x);
                    x += outputs;
                }
            }
            for (; x < gridWidth; x++)
            {
                float* at = sums + ((starts[x] - first) * step);
                float sum = 0;
                for (int k = 0; k < taps; k++, at += step)
                    sum = MathF.FusedMultiplyAdd(*at, weights[(k * gridWidth) + x], sum);
                output[x] = sum;
            }
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

        public int Count => grid;

        public int Taps { get; private set; }

        public int First { get; private set; }

        public int Last { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Start(int output) => starts[output];

        public ReadOnlySpan<float> Weights(int output) => byOutput.AsSpan(output * Taps, Taps);

        /// <summary>[output]: first source sample.</summary>
        public int[] Starts => starts;

        /// <summary>[tap, output]</summary>
        public float[] ByTap => byTap;

        /// <summary>Makes the taps for <paramref name="gridSize"/> samples over [start, start + extent) of a line of <paramref name="samples"/>.</summary>
        public void Prepare(float start, float extent, int gridSize, int samples)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(gridSize, 1);
            if (!(extent > 0) || !float.IsFinite(start) || !float.IsFinite(extent))
                throw new ArgumentOutOfRangeException(nameof(extent), $"A rectangle of {extent} samples from {start} cannot be resampled.");
            if (start == offset && extent == length && gridSize == grid && samples == limit)
                return;
            // Set only when the tables are complete.
            (offset, length, grid, limit) = (float.NaN, extent, gridSize, samples);

            double scale = (double)extent / gridSize;
            double support = Math.Max(1, scale);
            // As many whole numbers lie between centre - support and centre + support at most; one less where the image shrinks by a whole
            // number and both ends fall on samples, which then weigh nothing: a 1080p frame on a grid of 640 takes 5 of 6.
            int unclamped = (int)Math.Ceiling(2 * support);
            double begin = start + (0.5 * scale) - 0.5 - support;
            if (scale == Math.Floor(scale) && begin == Math.Floor(begin) && unclamped > 1)
                unclamped--;
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
                // Taps beyond an edge use the edge sample.
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

        private const uint LeastRoom = 2048;

        private static void Grow<T>(ref T[] array, int length)
        {
            // Faces come nearer, so there is capacity for 32 taps of 64 samples from the start.
            if (array.Length < length)
                array = new T[Math.Max(LeastRoom, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length))];
        }
    }
}
