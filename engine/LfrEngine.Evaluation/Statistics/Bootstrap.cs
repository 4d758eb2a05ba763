namespace LfrEngine.Evaluation.Statistics;

/// <summary>Errors and attempts of one subject. They are resampled together, because attempts of one person resemble each other.</summary>
/// <param name="Errors">Number of errors.</param>
/// <param name="Attempts">Number of attempts.</param>
internal readonly record struct SubjectCount(long Errors, long Attempts);

/// <summary>False matches between two subjects.</summary>
/// <param name="First">Index of one subject.</param>
/// <param name="Second">Index of the other.</param>
/// <param name="Errors">Comparisons at or above the threshold.</param>
public readonly record struct SubjectPairCount(int First, int Second, long Errors);

/// <summary>Percentile bootstrap by subject (ISO/IEC 19795-1, "subsets bootstrap") and by subject pair, from a seed.</summary>
/// <remarks>
/// Without errors, every resample has none either, and the interval would have zero width. The upper bound is then the rule of three with the number of
/// subjects: 3/n.
/// </remarks>
internal static class Bootstrap
{
    public const int Replicates = 2000;

    /// <summary>Interval of Σ errors / Σ attempts, resampling whole subjects.</summary>
    /// <param name="subjects">One entry per subject; those without attempts may be included.</param>
    /// <param name="seed">Same seed, same interval.</param>
    /// <param name="confidence">0…1.</param>
    /// <param name="replicates">Resamples.</param>
    public static Interval BySubject(ReadOnlySpan<SubjectCount> subjects, ulong seed, double confidence = Interval.Confidence, int replicates = Replicates)
    {
        SubjectCount[] counted = [.. subjects.ToArray().Where(s => s.Attempts > 0)];
        if (counted.Length == 0)
            return new Interval(0, 1);
        long allErrors = counted.Sum(s => s.Errors), allAttempts = counted.Sum(s => s.Attempts);
        if (allErrors == 0 || allErrors == allAttempts)
            return AtTheEnd(allErrors == 0, counted.Length);
        var random = SeededRandom.For(seed, "by subject");
        var rates = new double[replicates];
        for (int r = 0; r < replicates; r++)
        {
            long errors = 0, attempts = 0;
            for (int i = 0; i < counted.Length; i++)
            {
                SubjectCount drawn = counted[random.Next(counted.Length)];
                errors += drawn.Errors;
                attempts += drawn.Attempts;
            }
            rates[r] = (double)errors / attempts;
        }
        return Percentiles(rates, confidence);
    }

    /// <summary>Interval of a false-match rate over all pairs of images of different subjects, resampling whole subjects: the weight of a pair is the product of its subjects' weights.</summary>
    /// <param name="images">Number of images of each subject.</param>
    /// <param name="errors">Subject pairs that have false matches.</param>
    /// <param name="seed">Same seed, same interval.</param>
    /// <param name="confidence">0…1.</param>
    /// <param name="replicates">Resamples.</param>
    public static Interval BySubjectPair(ReadOnlySpan<int> images, ReadOnlySpan<SubjectPairCount> errors, ulong seed, double confidence = Interval.Confidence, int replicates = Replicates)
    {
        int subjects = images.Length;
        if (subjects < 2)
            return new Interval(0, 1);
        if (errors.IsEmpty)
            return AtTheEnd(none: true, subjects);
        var random = SeededRandom.For(seed, "by subject pair");
        var rates = new double[replicates];
        var weights = new int[subjects];
        for (int r = 0; r < replicates; r++)
        {
            double pairs = 0;
            do
            {
                Array.Clear(weights);
                for (int i = 0; i < subjects; i++)
                    weights[random.Next(subjects)]++;
                double sum = 0, own = 0;
                for (int i = 0; i < subjects; i++)
                {
                    double weighted = (double)weights[i] * images[i];
                    sum += weighted;
                    own += weighted * weighted;
                }
                pairs = ((sum * sum) - own) / 2;
            }
            while (pairs <= 0);
            double found = 0;
            foreach (SubjectPairCount pair in errors)
                found += (double)weights[pair.First] * weights[pair.Second] * pair.Errors;
            rates[r] = found / pairs;
        }
        return Percentiles(rates, confidence);
    }

    /// <summary>Interval of the difference of two rates measured on the same subjects (paired): each resample is used for both.</summary>
    /// <param name="first">Counts per subject.</param>
    /// <param name="second">Counts of the same subjects, in the same order.</param>
    /// <param name="seed">Same seed, same interval.</param>
    /// <param name="confidence">0…1.</param>
    /// <param name="replicates">Resamples.</param>
    public static Interval OfDifference(ReadOnlySpan<SubjectCount> first, ReadOnlySpan<SubjectCount> second, ulong seed, double confidence = Interval.Confidence, int replicates = Replicates)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Length, first.Length);
        if (first.IsEmpty)
            return new Interval(-1, 1);
        var random = SeededRandom.For(seed, "difference");
        var differences = new double[replicates];
        for (int r = 0; r < replicates; r++)
        {
            long firstErrors = 0, firstAttempts = 0, secondErrors = 0, secondAttempts = 0;
            for (int i = 0; i < first.Length; i++)
            {
                int drawn = random.Next(first.Length);
                firstErrors += first[drawn].Errors;
                firstAttempts += first[drawn].Attempts;
                secondErrors += second[drawn].Errors;
                secondAttempts += second[drawn].Attempts;
            }
            differences[r] = (secondAttempts == 0 ? 0 : (double)secondErrors / secondAttempts) - (firstAttempts == 0 ? 0 : (double)firstErrors / firstAttempts);
        }
        return Percentiles(differences, confidence);
    }

    /// <summary>Intervals of any statistics, resampling whole subjects.</summary>
    /// <param name="present">Numbers of the subjects that have attempts.</param>
    /// <param name="subjects">Upper limit of the subject numbers.</param>
    /// <param name="seed">Same seed, same intervals.</param>
    /// <param name="statistics">Computes the statistics from the weight of each subject (how often it was drawn). NaN and infinity are ignored.</param>
    /// <param name="replicates">Resamples.</param>
    /// <returns>One per statistic, 95 %; NaN if no resample gave a number.</returns>
    public static Interval[] OfStatistics(ReadOnlySpan<int> present, int subjects, ulong seed, Func<double[], double[]> statistics, int replicates = Replicates)
    {
        var random = SeededRandom.For(seed, "statistics");
        var weights = new double[subjects];
        var drawn = new List<double[]>(replicates);
        for (int r = 0; r < replicates; r++)
        {
            Array.Clear(weights);
            for (int i = 0; i < present.Length; i++)
                weights[present[random.Next(present.Length)]]++;
            drawn.Add(statistics(weights));
        }
        return [.. Enumerable.Range(0, drawn[0].Length).Select(s =>
        {
            double[] values = [.. drawn.Select(d => d[s]).Where(double.IsFinite)];
            return values.Length > 0 ? Percentiles(values, Interval.Confidence) : new Interval(double.NaN, double.NaN);
        })];
    }

    private static Interval AtTheEnd(bool none, int subjects)
    {
        double bound = Proportion.RuleOfThree(subjects);
        return none ? new Interval(0, bound) : new Interval(1 - bound, 1);
    }

    private static Interval Percentiles(double[] values, double confidence)
    {
        Array.Sort(values);
        return new Interval(Percentile.Of(values, (1 - confidence) / 2), Percentile.Of(values, 1 - ((1 - confidence) / 2)));
    }
}
