namespace LfrEngine.Evaluation.Statistics;

/// <summary>A confidence interval of a rate or ratio.</summary>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>Default confidence.</summary>
    public const double Confidence = 0.95;

    /// <summary>Whether a value is inside; bounds are included.</summary>
    public bool Contains(double value) => value >= Low && value <= High;
}

/// <summary>Errors counted in independent attempts.</summary>
/// <param name="Count">Number of errors (or successes).</param>
/// <param name="Total">Number of attempts.</param>
public readonly record struct Proportion(long Count, long Total)
{
    /// <summary>Number of errors from which a rate is known to ±30 % with 90 % confidence (Doddington's rule of thirty; ISO/IEC 19795-1).</summary>
    public const int RuleOfThirty = 30;

    /// <summary>Count over total; NaN without attempts.</summary>
    public double Rate => Total == 0 ? double.NaN : (double)Count / Total;

    /// <summary>Whether the rule of thirty holds.</summary>
    public bool IsFirm => Count >= RuleOfThirty;

    /// <summary>Exact (Clopper–Pearson) interval: its coverage is at least the stated confidence.</summary>
    /// <param name="confidence">0…1.</param>
    public Interval ClopperPearson(double confidence = Interval.Confidence)
    {
        if (Total == 0)
            return new Interval(0, 1);
        double tail = (1 - confidence) / 2;
        return new Interval(
            Count == 0 ? 0 : SpecialFunctions.InverseBeta(tail, Count, Total - Count + 1),
            Count == Total ? 1 : SpecialFunctions.InverseBeta(1 - tail, Count + 1, Total - Count));
    }

    /// <summary>Wilson's score interval: its coverage is close to the stated confidence on average.</summary>
    /// <param name="confidence">0…1.</param>
    public Interval Wilson(double confidence = Interval.Confidence)
    {
        if (Total == 0)
            return new Interval(0, 1);
        double z = SpecialFunctions.NormalQuantile(1 - ((1 - confidence) / 2)), n = Total, p = Rate;
        double middle = (p + (z * z / (2 * n))) / (1 + (z * z / n));
        double half = z / (1 + (z * z / n)) * Math.Sqrt((p * (1 - p) / n) + (z * z / (4 * n * n)));
        // At the ends the formula gives exactly 0 and 1, which rounding must not change.
        return new Interval(Count == 0 ? 0 : Math.Max(0, middle - half), Count == Total ? 1 : Math.Min(1, middle + half));
    }

    /// <summary>Upper bound of the rate, with 95 % confidence, if there was no error (rule of three).</summary>
    public static double RuleOfThree(long attempts) => Math.Min(1, 3.0 / Math.Max(1, attempts));
}
