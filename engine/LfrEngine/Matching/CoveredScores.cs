namespace LfrEngine.Matching;

/// <summary>From the scores of one covered probe to scores on the scale of uncovered ones.</summary>
/// <remarks>
/// <para>
/// A cover makes a probe more like everybody, some probes more than others. So from a score s of an identity the mean of the m best scores of the
/// others is subtracted, as far as it differs from what is usual: s − w·(mean − (μ + σ·e)), m = min(50, n), n the others. e is the mean of the m
/// best of n standard normal numbers; w = n / (n + 100) trusts few others little. With nobody else on the list nothing is subtracted. A line of
/// the embedder's <see cref="CoverScale"/> leads to the scores of uncovered probes.
/// </para>
/// <para>
/// With T the score at place m + 1 and S the sum of the first m + 1, the mean of the others is (S − max(s, T)) / m, whether s is among them or not.
/// Each operation of <see cref="Of"/> keeps the order of what goes in, so the whole does, in spite of rounding: candidates keep their order, and a
/// threshold has one limit among the scores as they were.
/// </para>
/// </remarks>
internal readonly struct CoveredScores
{
    /// <summary>Others whose scores are looked at, at most.</summary>
    public const int MostOthers = 50;

    private const double TrustedOthers = 100;

    private readonly double gain, knot, subtracted, slope, offset;

    /// <summary>Looks at the best scores of a probe.</summary>
    /// <param name="best">The best identities, as many as there are up to <see cref="MostOthers"/> + 1.</param>
    /// <param name="identities">People on the list.</param>
    /// <param name="scale">Of the probe's cover.</param>
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

    /// <summary>The score on the scale of uncovered probes, −1…1; not a number when the scores were none.</summary>
    public float Of(float score) => (float)Math.Clamp((slope * (score + (gain * Math.Max(score, knot)) - subtracted)) + offset, -1, 1);

    /// <summary>The least score that <see cref="Of"/> takes to a threshold or above; infinite when none is.</summary>
    public float LimitOf(float threshold)
    {
        // Integers in the order of the floats.
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

    /// <summary>Mean of the m largest of n standard normal numbers, for large n: φ(z)·n/m where m/n lie above z.</summary>
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
