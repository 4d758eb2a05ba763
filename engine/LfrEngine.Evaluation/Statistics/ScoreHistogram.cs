namespace LfrEngine.Evaluation.Statistics;

/// <summary>Comparison scores counted in bins of 10⁻⁴ between −1 and 1.</summary>
/// <remarks>
/// The lower edge of a bin belongs to it and is the float32 nearest to a multiple of 10⁻⁴. So counts at a threshold on that grid are exactly those of
/// <c>score &gt;= threshold</c> in the engine.
/// </remarks>
public sealed class ScoreHistogram
{
    /// <summary>Bins between two scores that differ by 1.</summary>
    public const int BinsPerUnit = 10_000;

    /// <summary>Number of bins; the last contains scores of 1 and, due to rounding, slightly above.</summary>
    public const int BinCount = (2 * BinsPerUnit) + 1;

    private static readonly float[] Edges = [.. Enumerable.Range(0, BinCount + 1).Select(i => i == BinCount ? float.PositiveInfinity : (float)EdgeOf(i))];

    private readonly long[] bins = new long[BinCount];
    private long[]? atLeast;

    /// <summary>Scores counted.</summary>
    public long Total => CountAtLeast(0);

    /// <summary>Scores of one bin.</summary>
    public long this[int bin] => bins[bin];

    /// <summary>Lower edge of a bin.</summary>
    public static double EdgeOf(int bin) => Math.Round((bin - BinsPerUnit) / (double)BinsPerUnit, 4);

    /// <summary>Bin of a score; NaN and scores below −1 are in the first.</summary>
    public static int BinOf(float score)
    {
        int bin = Math.Clamp((int)(((double)score + 1) * BinsPerUnit), 0, BinCount - 1);
        // The product is rounded, so the edges decide.
        while (score >= Edges[bin + 1])
            bin++;
        while (bin > 0 && score < Edges[bin])
            bin--;
        return bin;
    }

    /// <summary>Whether a score is so near to an edge that another order of summation could put it into a neighbouring bin.</summary>
    public static bool IsNearEdge(float score, float tolerance)
    {
        int bin = BinOf(score);
        return score - Edges[bin] <= tolerance || Edges[bin + 1] - score <= tolerance;
    }

    /// <summary>The first bin whose scores all reach a threshold, which must be on the grid.</summary>
    public static int BinOfThreshold(double threshold) => Math.Clamp((int)Math.Round((threshold + 1) * BinsPerUnit), 0, BinCount);

    /// <summary>Counts one score.</summary>
    public void Add(float score)
    {
        bins[BinOf(score)]++;
        atLeast = null;
    }

    /// <summary>Adds the counts of all bins.</summary>
    public void Add(ReadOnlySpan<long> counts)
    {
        for (int i = 0; i < counts.Length; i++)
            bins[i] += counts[i];
        atLeast = null;
    }

    /// <summary>Adds another histogram.</summary>
    public void Add(ScoreHistogram other) => Add(other.bins);

    /// <summary>Scores at or above a threshold.</summary>
    public Proportion AtLeast(double threshold) => new(CountAtLeast(BinOfThreshold(threshold)), Total);

    /// <summary>Scores below a threshold.</summary>
    public Proportion Below(double threshold)
    {
        long total = Total;
        return new(total - CountAtLeast(BinOfThreshold(threshold)), total);
    }

    /// <summary>Scores in a bin and all above.</summary>
    public long CountAtLeast(int bin)
    {
        if (atLeast is null)
        {
            var sums = new long[BinCount + 1];
            for (int i = BinCount - 1; i >= 0; i--)
                sums[i] = sums[i + 1] + bins[i];
            atLeast = sums;
        }
        return atLeast[bin];
    }
}
