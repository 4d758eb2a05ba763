using System.Numerics.Tensors;
using LfrEngine.Memory;

namespace LfrEngine.Evaluation.Verification;

/// <summary>Comparison scores of all against all, counted in bins of 10⁻⁴.</summary>
/// <remarks>A rate at a threshold that is a multiple of 10⁻⁴ is exact: bins hold scores from their lower edge, inclusive.</remarks>
public sealed class AllPairs
{
    private const int BinsPerUnit = 10_000;

    private readonly long[] mated = new long[(2 * BinsPerUnit) + 1];
    private readonly long[] nonMated = new long[(2 * BinsPerUnit) + 1];

    /// <summary>Pairs of images of one person.</summary>
    public long Mated => mated.Sum();

    /// <summary>Pairs of images of two people.</summary>
    public long NonMated => nonMated.Sum();

    /// <summary>Non-mated pairs at or above a threshold.</summary>
    public long FalseMatches(double threshold) => CountFrom(nonMated, threshold);

    /// <summary>False-match rate.</summary>
    public double Fmr(double threshold) => (double)FalseMatches(threshold) / Math.Max(1, NonMated);

    /// <summary>True-match rate, 1 − FNMR.</summary>
    public double Tmr(double threshold) => (double)CountFrom(mated, threshold) / Math.Max(1, Mated);

    /// <summary>The smallest threshold in steps of 0.01 whose false-match rate does not exceed <paramref name="fmr"/>.</summary>
    public double ThresholdFor(double fmr)
    {
        for (int step = -100; step < 100; step++)
        {
            if (Fmr(step / 100.0) <= fmr)
                return step / 100.0;
        }
        return 1;
    }

    /// <summary>Counts all pairs of a set.</summary>
    /// <param name="embeddings">float32 [N, length], rows of unit length. Borrowed.</param>
    /// <param name="length">Elements per row.</param>
    /// <param name="subjects">Subject of each row.</param>
    /// <param name="rows">Rows that take part.</param>
    /// <param name="stopping">Ends the work.</param>
    public static AllPairs Count(HostBuffer<float> embeddings, int length, IReadOnlyList<string> subjects, IReadOnlyList<int> rows, CancellationToken stopping)
    {
        var total = new AllPairs();
        Parallel.For(0, rows.Count, new ParallelOptions { CancellationToken = stopping }, () => new AllPairs(), (a, _, own) =>
        {
            ReadOnlySpan<float> all = embeddings.Span, first = all.Slice(rows[a] * length, length);
            for (int b = a + 1; b < rows.Count; b++)
            {
                double score = TensorPrimitives.Dot(first, all.Slice(rows[b] * length, length));
                int bin = Math.Clamp((int)Math.Floor((score + 1) * BinsPerUnit), 0, own.mated.Length - 1);
                (subjects[rows[a]] == subjects[rows[b]] ? own.mated : own.nonMated)[bin]++;
            }
            return own;
        }, own =>
        {
            lock (total)
            {
                TensorPrimitives.Add<long>(total.mated, own.mated, total.mated);
                TensorPrimitives.Add<long>(total.nonMated, own.nonMated, total.nonMated);
            }
        });
        return total;
    }

    private static long CountFrom(long[] bins, double threshold)
    {
        int first = Math.Clamp((int)Math.Round((threshold + 1) * BinsPerUnit), 0, bins.Length);
        return bins.AsSpan(first).ToArray().Sum();
    }
}
