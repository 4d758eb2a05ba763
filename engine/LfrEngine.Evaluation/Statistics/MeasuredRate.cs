namespace LfrEngine.Evaluation.Statistics;

/// <summary>A rate with its 95 % interval.</summary>
/// <param name="Counts">Errors (or successes) and attempts.</param>
/// <param name="Interval">95 %.</param>
internal readonly record struct MeasuredRate(Proportion Counts, Interval Interval)
{
    /// <summary>The rate; 0 without attempts.</summary>
    public double RateOrZero => Counts.Total > 0 ? Counts.Rate : 0;

    /// <summary>The rate of the opposite, such as misses instead of hits.</summary>
    public MeasuredRate Complement() => new(new Proportion(Counts.Total - Counts.Count, Counts.Total), new Interval(1 - Interval.High, 1 - Interval.Low));

    /// <summary>For independent attempts (Clopper–Pearson).</summary>
    public static MeasuredRate Of(Proportion counts) => new(counts, counts.ClopperPearson());

    /// <summary>For repeated attempts of the same people (bootstrap by subject).</summary>
    public static MeasuredRate BySubject(IEnumerable<SubjectCount> subjects, ulong seed)
    {
        SubjectCount[] counts = [.. subjects];
        return new(new Proportion(counts.Sum(c => c.Errors), counts.Sum(c => c.Attempts)), Bootstrap.BySubject(counts, seed));
    }
}
