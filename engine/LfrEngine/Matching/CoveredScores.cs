namespace LfrEngine.Matching;

/// <summary>Converts the scores of one covered probe to the scale of uncovered probes.</summary>
/// <remarks>
/// <para>
/// A cover makes a probe more similar to everybody, and some probes more than others. From the score s of an identity the deviation of the other
/// identities' best scores from their usual mean is therefore subtracted: s − w·(mean − (μ + σ·e)), where mean is that of the m = min(50, n) best scores of
/// the n other identities, e is the mean of the m largest of n standard normal numbers, and w = n / (n + 100) gives short lists little weight. With nobody
/// else on the list nothing is subtracted. The line of the embedder's <see cref="CoverScale"/> then gives the score on the scale of uncovered probes.
/// </para>
/// <para>
/// Let T be the score at place m + 1 and S the sum of the first m + 1 scores. Then the mean of the others is (S − max(s, T)) / m, whether or not s is among them.
/// Each operation of <see cref="Of"/> is monotonic, even with rounding. So candidates keep their order, and each threshold corresponds to one limit of the
/// original scores.
/// </para>
/// </remarks>
internal readonly struct CoveredScores
{
    /// <summary>Maximum number of other identities whose scores are used.</summary>
    public const int MostOthers = 50;

    private const double TrustedOthers = 100;

    private readonly double gain, knot, subtracted, slope, offset;

    /// <summary>Prepares the conversion for one probe.</summary>
    /// <param name="best">Its best identities, at most <see cref="MostOthers"/> + 1.</param>
    /// <param name="identities">Number of people on the list.</param>
    /// <param name="scale">Scale of the probe's cover.</param>
    public CoveredScores(ReadOnlySpan<Candidate> best, int identities, CoverScale scale)
    {
        (slope, offset) = (scale.Slope, scale.Offset);
        int m = Math.Min(MostOthers, best.Length - 1);
        if (m < 1)
            return;
        double sum = 0;
        for (int i = 0; i <= m; i++)
            sum += best[i].ComparisonScore;
        int others = identities - 1;
        double trust = others / (others + TrustedOthers);
        gain = trust / m;
        knot = best[m].ComparisonScore;
        subtracted = trust * ((sum / m) - (scale.Mean + (scale.Deviation * ExpectedBest(m, others))));
    }

    /// <summary>The score on the scale of uncovered probes, −1…1; NaN if a score was NaN.</summary>
    public float Of(float score) => (float)Math.Clamp((slope * (score + (gain * Math.Max(score, knot)) - subtracted)) + offset, -1, 1);

    /// <summary>The lowest score for which <see cref="Of"/> reaches a threshold; infinite if none does.</summary>
    public float LimitOf(float threshold)
    {
        // Binary search over integers that have the same order as the floats.
        long low = KeyOf(float.NegativeInfinity), high = KeyOf(float.PositiveInfinity);
        while (low < high)
        {
            long middle = (low + high) >> 1;
            if (Of(ScoreOf(middle)) >= threshold)
                high = middle;
            else
                low = middle + 1;
        }
        return ScoreOf(high);
    }

    /// <summary>Mean of the m largest of n standard normal numbers, for large n: φ(z)·n/m, where a share of m/n lies above z.</summary>
    internal static double ExpectedBest(int m, int n)
    {
        if (m >= n)
            return 0;
        double share = (double)m / n, low = -10, high = 10;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (UpperTail(middle) > share)
                low = middle;
            else
                high = middle;
        }
        return Math.Exp(-low * low / 2) / Math.Sqrt(2 * Math.PI) / share;
    }

    /// <summary>Share of standard normal numbers above z, to 1e-7 (Abramowitz and Stegun, 26.2.17).</summary>
    private static double UpperTail(double z)
    {
        double t = 1 / (1 + (0.2316419 * Math.Abs(z)));
        double tail = Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI)
            * t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return z >= 0 ? tail : 1 - tail;
    }

    private static long KeyOf(float score)
    {
        int bits = BitConverter.SingleToInt32Bits(score);
        return bits >= 0 ? bits : int.MinValue - (long)bits;
    }

    private static float ScoreOf(long key) => BitConverter.Int32BitsToSingle((int)(key >= 0 ? key : int.MinValue - key));
}
