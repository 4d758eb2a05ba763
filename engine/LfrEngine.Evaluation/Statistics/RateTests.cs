namespace LfrEngine.Evaluation.Statistics;

/// <summary>Tests of equal rates, and the correction for multiple tests.</summary>
internal static class RateTests
{
    // Tables that are as likely as the observed one count as extreme in spite of rounding (SciPy uses the same tolerance).
    internal const double Tie = 1 + 1e-7;

    /// <summary>Fisher's exact test, two-sided: the probability of counts at least as unlikely if both rates were equal.</summary>
    public static double FisherExact(Proportion a, Proportion b)
    {
        long errors = a.Count + b.Count, total = a.Total + b.Total;
        if (errors == 0 || errors == total || a.Total == 0 || b.Total == 0)
            return 1;
        long from = Math.Max(0, errors - b.Total), to = Math.Min(errors, a.Total);
        double all = SpecialFunctions.LogChoose(total, errors);
        double seen = Likelihood(a.Count), sum = 0;
        for (long k = from; k <= to; k++)
        {
            double likelihood = Likelihood(k);
            if (likelihood <= seen * Tie)
                sum += likelihood;
        }
        return Math.Min(1, sum);

        double Likelihood(long k) => Math.Exp(SpecialFunctions.LogChoose(a.Total, k) + SpecialFunctions.LogChoose(b.Total, errors - k) - all);
    }

    /// <summary>McNemar's exact test for two results of the same attempts, based on those in which they differ.</summary>
    /// <param name="onlyFirst">Attempts that only the first got wrong.</param>
    /// <param name="onlySecond">Attempts that only the second got wrong.</param>
    public static double McNemarExact(long onlyFirst, long onlySecond)
    {
        long n = onlyFirst + onlySecond, fewer = Math.Min(onlyFirst, onlySecond);
        // 2 P(X ≤ fewer) for X binomial(n, 1/2).
        return n == 0 ? 1 : Math.Min(1, 2 * SpecialFunctions.Beta(0.5, n - fewer, fewer + 1));
    }

    /// <summary>Holm's step-down correction: the result can be read as if only one test had been made.</summary>
    public static double[] Holm(IReadOnlyList<double> probabilities)
    {
        int[] order = [.. Enumerable.Range(0, probabilities.Count).OrderBy(i => probabilities[i])];
        var corrected = new double[order.Length];
        double largest = 0;
        for (int rank = 0; rank < order.Length; rank++)
        {
            largest = Math.Max(largest, Math.Min(1, (order.Length - rank) * probabilities[order[rank]]));
            corrected[order[rank]] = largest;
        }
        return corrected;
    }

    /// <summary>The smallest ratio of the rate of a group to that of a reference that is detected with 80 % power.</summary>
    /// <param name="rate">Rate of the reference.</param>
    /// <param name="attempts">Number of attempts of the group.</param>
    /// <param name="referenceAttempts">Number of attempts of the reference.</param>
    /// <param name="significance">Two-sided level, after correction for the number of tests.</param>
    /// <returns>Null if no rate up to 1 would be detected.</returns>
    /// <remarks>Arcsine approximation (Cohen, Statistical Power Analysis, 1988, chapter 6).</remarks>
    public static double? SmallestVisibleRatio(double rate, long attempts, long referenceAttempts, double significance)
    {
        const double Power = 0.8;
        if (!(rate > 0) || attempts == 0 || referenceAttempts == 0)
            return null;
        double need = SpecialFunctions.NormalQuantile(1 - (significance / 2)) + SpecialFunctions.NormalQuantile(Power);
        double effect = need / Math.Sqrt((double)attempts / (attempts + referenceAttempts) * referenceAttempts);
        double angle = Math.Asin(Math.Sqrt(rate)) + (effect / 2);
        return angle > Math.PI / 2 ? null : Math.Pow(Math.Sin(angle), 2) / rate;
    }
}
