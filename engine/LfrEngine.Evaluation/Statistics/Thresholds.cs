namespace LfrEngine.Evaluation.Statistics;

/// <summary>A threshold for a wanted error rate.</summary>
/// <param name="Wanted">The wanted rate.</param>
/// <param name="Threshold">The lowest threshold on the grid of 10⁻⁴ whose rate does not exceed it; null if refused.</param>
/// <param name="Observed">Errors at the threshold, on the data from which it was chosen.</param>
/// <param name="Interval">95 % interval of that rate (Clopper–Pearson).</param>
/// <param name="Refusal">Why there is no threshold; otherwise null.</param>
internal sealed record ThresholdChoice(double Wanted, double? Threshold, Proportion Observed, Interval Interval, string? Refusal)
{
    /// <summary>Chooses a threshold from scores that should not match.</summary>
    /// <param name="nonMated">Non-mated comparisons for FMR; best score of each non-mated search for FPIR.</param>
    /// <param name="wanted">Rate, above 0 and at most 1.</param>
    /// <remarks>
    /// Refused if there are so few attempts that even zero errors would not show the rate with 95 % confidence (rule of three). Extrapolating
    /// the tail would be a guess.
    /// </remarks>
    public static ThresholdChoice For(ScoreHistogram nonMated, double wanted)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wanted);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted, 1);
        long total = nonMated.Total;
        if (Proportion.RuleOfThree(total) > wanted)
        {
            long need = (long)Math.Ceiling(3 / wanted);
            return new ThresholdChoice(wanted, null, new Proportion(0, total), new Interval(0, Proportion.RuleOfThree(total)),
                $"{total} non-mated attempts cannot show a rate of {wanted:g3}: at least {need} are needed (rule of three), and {(long)Math.Ceiling(30 / wanted)} to know it to ±30 % (rule of thirty).");
        }
        // Binary search: the rate falls as the threshold rises.
        int low = 0, high = ScoreHistogram.BinCount;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (nonMated.CountAtLeast(middle) <= wanted * total)
                high = middle;
            else
                low = middle + 1;
        }
        if (low == ScoreHistogram.BinCount)
            return new ThresholdChoice(wanted, null, new Proportion(nonMated.CountAtLeast(low - 1), total), new Interval(0, 1), "Non-mated scores reach 1: no threshold gives the rate.");
        var observed = new Proportion(nonMated.CountAtLeast(low), total);
        return new ThresholdChoice(wanted, ScoreHistogram.EdgeOf(low), observed, observed.ClopperPearson(), null);
    }
}

/// <summary>One point of a DET curve.</summary>
/// <param name="Threshold">Inclusive.</param>
/// <param name="FalsePositives">FMR or FPIR.</param>
/// <param name="FalseNegatives">FNMR or FNIR.</param>
/// <param name="FalsePositiveBand">95 %, Clopper–Pearson.</param>
/// <param name="FalseNegativeBand">95 %, Clopper–Pearson.</param>
internal readonly record struct DetPoint(double Threshold, Proportion FalsePositives, Proportion FalseNegatives, Interval FalsePositiveBand, Interval FalseNegativeBand);

/// <summary>Detection error trade-off: both error rates as functions of the threshold, with bands.</summary>
internal static class DetCurve
{
    // Enough for a diagram on a page.
    private const int MostPoints = 400;

    /// <summary>Computes the curve, in ascending order of the threshold.</summary>
    /// <param name="nonMated">Scores that should be below the threshold.</param>
    /// <param name="mated">Scores that should reach the threshold.</param>
    public static IReadOnlyList<DetPoint> Compute(ScoreHistogram nonMated, ScoreHistogram mated)
    {
        long impostors = nonMated.Total, genuine = mated.Total;
        // Points at which a rate has changed by a visible step on a logarithmic scale.
        var bins = new List<int>();
        (double X, double Y) last = (double.NaN, double.NaN);
        double step = 12.0 / MostPoints;
        for (int bin = 0; bin <= ScoreHistogram.BinCount - 1; bin++)
        {
            long errors = nonMated.CountAtLeast(bin), misses = genuine - mated.CountAtLeast(bin);
            (double X, double Y) here = (Math.Log10(errors + 0.5), Math.Log10(misses + 0.5));
            bool moved = !(Math.Abs(here.X - last.X) < step && Math.Abs(here.Y - last.Y) < step);
            if (moved)
            {
                bins.Add(bin);
                last = here;
            }
        }
        return [.. bins.Select(bin =>
        {
            var positives = new Proportion(nonMated.CountAtLeast(bin), impostors);
            var negatives = new Proportion(genuine - mated.CountAtLeast(bin), genuine);
            return new DetPoint(ScoreHistogram.EdgeOf(bin), positives, negatives, positives.ClopperPearson(), negatives.ClopperPearson());
        })];
    }

    /// <summary>The rate at which both are equal, interpolated between neighbouring thresholds of the grid; NaN without scores of both kinds.</summary>
    public static double EqualErrorRate(ScoreHistogram nonMated, ScoreHistogram mated)
    {
        long impostors = nonMated.Total, genuine = mated.Total;
        if (impostors == 0 || genuine == 0)
            return double.NaN;
        int low = 0, high = ScoreHistogram.BinCount;
        // The first bin at which FNMR ≥ FMR.
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Fnmr(middle) >= Fmr(middle))
                high = middle;
            else
                low = middle + 1;
        }
        if (low == 0)
            return (Fmr(0) + Fnmr(0)) / 2;
        double before = Fmr(low - 1) - Fnmr(low - 1), after = Fnmr(low) - Fmr(low);
        double share = before + after > 0 ? before / (before + after) : 0.5;
        return Fmr(low - 1) + (share * (Fmr(low) - Fmr(low - 1)));

        double Fmr(int bin) => (double)nonMated.CountAtLeast(bin) / impostors;
        double Fnmr(int bin) => (double)(genuine - mated.CountAtLeast(bin)) / genuine;
    }
}
