namespace LfrEngine.Evaluation.Statistics;

/// <summary>By how much the scores of one group lie above those of another.</summary>
/// <param name="Shift">Median of all differences (Hodges and Lehmann).</param>
/// <param name="Interval">95 %, by the Mann–Whitney test: every shift that it does not reject; null with too few scores for any.</param>
public readonly record struct ScoreShift(double Shift, Interval? Interval)
{
    // Up to here the numbers of arrangements are whole numbers that a double holds exactly.
    private const int MostExact = 50;

    /// <summary>Compares two groups.</summary>
    /// <returns>Null if one has no scores.</returns>
    internal static ScoreShift? Between(IReadOnlyCollection<double> group, IReadOnlyCollection<double> others, double confidence = Statistics.Interval.Confidence)
    {
        if (group.Count == 0 || others.Count == 0)
            return null;
        double[] differences = [.. group.SelectMany(a => others.Select(b => a - b)).Order()];
        int kept = Rejected(group.Count, others.Count, (1 - confidence) / 2);
        return new ScoreShift(Percentile.Of(differences, 0.5), kept == 0 ? null : new Interval(differences[kept - 1], differences[^kept]));
    }

    // The smallest U that the test does not reject at this tail.
    private static int Rejected(int m, int n, double tail)
    {
        if (m + n > MostExact)
        {
            double deviation = Math.Sqrt(m * (double)n * (m + n + 1) / 12);
            return Math.Max(0, (int)Math.Ceiling((m * (double)n / 2) - 0.5 - (SpecialFunctions.NormalQuantile(1 - tail) * deviation)));
        }
        // Gaussian binomial coefficient: the number of arrangements for each U.
        var ways = new double[(m * n) + 1];
        ways[0] = 1;
        for (int i = 1; i <= m; i++)
        {
            for (int u = ways.Length - 1; u >= n + i; u--)
                ways[u] -= ways[u - n - i];
            for (int u = i; u < ways.Length; u++)
                ways[u] += ways[u - i];
        }
        double all = ways.Sum(), sum = 0;
        int least = 0;
        while ((sum += ways[least]) / all <= tail)
            least++;
        return least;
    }
}

/// <summary>Percentiles of few values.</summary>
internal static class Percentile
{
    /// <summary>Linear interpolation between order statistics, like numpy.percentile.</summary>
    /// <param name="sorted">Rising, at least one.</param>
    /// <param name="share">0…1.</param>
    public static double Of(ReadOnlySpan<double> sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
