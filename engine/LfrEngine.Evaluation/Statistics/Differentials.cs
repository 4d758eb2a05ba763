namespace LfrEngine.Evaluation.Statistics;

/// <summary>The counts of one group.</summary>
/// <param name="Group">Name.</param>
/// <param name="FalsePositives">False matches of non-mated comparisons, or non-mated searches with a candidate.</param>
/// <param name="FalseNegatives">False non-matches of mated comparisons, or mated searches without their mate.</param>
/// <param name="FalsePositiveInterval">Null for Clopper–Pearson; otherwise by subject.</param>
/// <param name="FalseNegativeInterval">Null for Clopper–Pearson; otherwise by subject.</param>
internal sealed record GroupCell(string Group, Proportion FalsePositives, Proportion FalseNegatives, Interval? FalsePositiveInterval = null, Interval? FalseNegativeInterval = null)
{
    public static GroupCell Of(string group, MeasuredRate falsePositives, MeasuredRate falseNegatives) =>
        new(group, falsePositives.Counts, falseNegatives.Counts, falsePositives.Interval, falseNegatives.Interval);
}

/// <summary>How much one kind of error differs between groups.</summary>
/// <param name="MaxOverMin">Largest rate over smallest; null if the smallest is 0.</param>
/// <param name="MaxOverGeometricMean">Largest rate over the geometric mean (NIST IR 8429); null if a rate is 0.</param>
/// <param name="Gini">n/(n−1) · ΣᵢΣⱼ|xᵢ−xⱼ| / (2n²x̄); 0 if all rates are equal; null if all are 0.</param>
/// <param name="Tests">Each group against all others combined.</param>
internal sealed record Differential(double? MaxOverMin, double? MaxOverGeometricMean, double? Gini, IReadOnlyList<GroupTest> Tests);

/// <summary>Tests whether the rate of one group differs from that of all others combined.</summary>
/// <param name="Group">Name.</param>
/// <param name="Probability">Fisher's exact test, two-sided.</param>
/// <param name="Corrected">After Holm's correction for the number of groups.</param>
/// <param name="SmallestVisibleRatio">Smallest factor relative to the rate of the others that this number of attempts can detect with 80 % power at the corrected level; null if none.</param>
internal sealed record GroupTest(string Group, double Probability, double Corrected, double? SmallestVisibleRatio);

/// <summary>Demographic differentials (ISO/IEC 19795-10).</summary>
/// <param name="Cells">The counts of each group.</param>
/// <param name="FalsePositive">FMR or FPIR.</param>
/// <param name="FalseNegative">FNMR or FNIR.</param>
/// <param name="Fdr">Fairness discrepancy rate, 1 − [α·max|ΔFMR| + (1−α)·max|ΔFNMR|] with α = 0.5; 1 is equal.</param>
/// <param name="Garbe">α·Gini(FMR) + (1−α)·Gini(FNMR) with α = 0.5; 0 is equal. Null if a Gini coefficient is null.</param>
internal sealed record Differentials(IReadOnlyList<GroupCell> Cells, Differential FalsePositive, Differential FalseNegative, double Fdr, double? Garbe)
{
    /// <summary>Weight of false positives in <see cref="Fdr"/> and <see cref="Garbe"/>.</summary>
    public const double Alpha = 0.5;

    /// <summary>Computes all measures.</summary>
    /// <param name="cells">At least two groups, each with attempts of both kinds.</param>
    /// <param name="significance">Level for the smallest visible ratio, before correction.</param>
    public static Differentials Compute(IReadOnlyList<GroupCell> cells, double significance = 0.05)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cells.Count, 2);
        if (cells.FirstOrDefault(c => c.FalsePositives.Total == 0 || c.FalseNegatives.Total == 0) is { } empty)
            throw new ArgumentException($"Group \"{empty.Group}\" has no attempts of one kind.", nameof(cells));
        Differential positive = Of(cells, c => c.FalsePositives, significance), negative = Of(cells, c => c.FalseNegatives, significance);
        double fdr = 1 - ((Alpha * Spread(cells.Select(c => c.FalsePositives.Rate))) + ((1 - Alpha) * Spread(cells.Select(c => c.FalseNegatives.Rate))));
        double? garbe = positive.Gini is { } p && negative.Gini is { } n ? (Alpha * p) + ((1 - Alpha) * n) : null;
        return new Differentials(cells, positive, negative, fdr, garbe);

        static double Spread(IEnumerable<double> rates) => rates.Max() - rates.Min();
    }

    private static Differential Of(IReadOnlyList<GroupCell> cells, Func<GroupCell, Proportion> kind, double significance)
    {
        Proportion[] counts = [.. cells.Select(kind)];
        double[] rates = [.. counts.Select(c => c.Rate)];
        double max = rates.Max(), min = rates.Min(), mean = rates.Average();
        double differences = rates.Sum(x => rates.Sum(y => Math.Abs(x - y)));
        int n = rates.Length;
        var all = new Proportion(counts.Sum(c => c.Count), counts.Sum(c => c.Total));
        Proportion[] others = [.. counts.Select(c => new Proportion(all.Count - c.Count, all.Total - c.Total))];
        double[] probabilities = [.. counts.Zip(others, RateTests.FisherExact)];
        double[] corrected = RateTests.Holm(probabilities);
        return new Differential(
            min > 0 ? max / min : null,
            min > 0 ? max / Math.Exp(rates.Average(Math.Log)) : null,
            mean > 0 ? n / (n - 1.0) * differences / (2 * n * n * mean) : null,
            [.. cells.Select((c, i) => new GroupTest(c.Group, probabilities[i], corrected[i],
                RateTests.SmallestVisibleRatio(others[i].Rate, counts[i].Total, others[i].Total, significance / n)))]);
    }
}
