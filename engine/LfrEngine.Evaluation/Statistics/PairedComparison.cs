namespace LfrEngine.Evaluation.Statistics;

/// <summary>Comparison of two models or builds on the same attempts.</summary>
/// <param name="First">Errors of the first.</param>
/// <param name="Second">Errors of the second.</param>
/// <param name="OnlyFirstErred">Attempts that only the first got wrong.</param>
/// <param name="OnlySecondErred">Attempts that only the second got wrong.</param>
/// <param name="Probability">McNemar's exact test of equal error rates.</param>
/// <param name="Difference">95 % interval of the second rate minus the first, by subject.</param>
internal sealed record PairedComparison(Proportion First, Proportion Second, long OnlyFirstErred, long OnlySecondErred, double Probability, Interval Difference)
{
    /// <summary>Compares attempt by attempt.</summary>
    /// <param name="firstErred">Whether the first got each attempt wrong.</param>
    /// <param name="secondErred">Whether the second got each attempt wrong.</param>
    /// <param name="subjects">Subject index of each attempt, from 0.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    public static PairedComparison Compute(ReadOnlySpan<bool> firstErred, ReadOnlySpan<bool> secondErred, ReadOnlySpan<int> subjects, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secondErred.Length, firstErred.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(subjects.Length, firstErred.Length);
        int count = 0;
        foreach (int subject in subjects)
            count = Math.Max(count, subject + 1);
        var first = new SubjectCount[count];
        var second = new SubjectCount[count];
        long onlyFirst = 0, onlySecond = 0;
        for (int i = 0; i < firstErred.Length; i++)
        {
            onlyFirst += firstErred[i] && !secondErred[i] ? 1 : 0;
            onlySecond += secondErred[i] && !firstErred[i] ? 1 : 0;
            ref SubjectCount a = ref first[subjects[i]], b = ref second[subjects[i]];
            a = new SubjectCount(a.Errors + (firstErred[i] ? 1 : 0), a.Attempts + 1);
            b = new SubjectCount(b.Errors + (secondErred[i] ? 1 : 0), b.Attempts + 1);
        }
        return new PairedComparison(new Proportion(first.Sum(s => s.Errors), firstErred.Length), new Proportion(second.Sum(s => s.Errors), firstErred.Length),
            onlyFirst, onlySecond, RateTests.McNemarExact(onlyFirst, onlySecond), Bootstrap.OfDifference(first, second, seed));
    }
}
