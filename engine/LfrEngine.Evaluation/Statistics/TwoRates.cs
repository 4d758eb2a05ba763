namespace LfrEngine.Evaluation.Statistics;

/// <summary>How likely Fisher's exact test, two-sided, is to see that two rates differ.</summary>
/// <remarks>Exact for few attempts: every table is counted. For more, the normal approximation with the correction for continuity, which follows the exact test (Casagrande, Pike and Smith, Biometrics 34, 1978).</remarks>
internal sealed class TwoRates
{
    /// <summary>Attempts of both groups together up to which every table is counted.</summary>
    public const int MostExact = 200;

    private readonly int first, second;

    // Of a normal variable, at the level of the test.
    private readonly double bound;

    // For each count of the first group, whether the test rejects with each count of the second; null where the approximation is used.
    private readonly bool[][]? rejects;
    private readonly double[] logFactorials = [];

    /// <summary>The test for two groups of these sizes.</summary>
    public TwoRates(int first, int second, double significance)
    {
        (this.first, this.second, bound) = (first, second, SpecialFunctions.NormalQuantile(1 - (significance / 2)));
        if (first == 0 || second == 0 || first + second > MostExact)
            return;
        logFactorials = new double[first + second + 1];
        for (int i = 2; i < logFactorials.Length; i++)
            logFactorials[i] = logFactorials[i - 1] + Math.Log(i);
        rejects = [.. Enumerable.Range(0, first + 1).Select(_ => new bool[second + 1])];
        for (int both = 1; both < first + second; both++)
        {
            int from = Math.Max(0, both - second), to = Math.Min(both, first);
            var likelihoods = new double[to - from + 1];
            for (int k = from; k <= to; k++)
                likelihoods[k - from] = Math.Exp(LogChoose(first, k) + LogChoose(second, both - k) - LogChoose(first + second, both));
            double[] sorted = [.. likelihoods.Order()];
            for (int k = from; k <= to; k++)
            {
                double sum = 0;
                for (int i = 0; i < sorted.Length && sorted[i] <= likelihoods[k - from] * RateTests.Tie && sum <= significance; i++)
                    sum += sorted[i];
                rejects[k][both - k] = sum <= significance;
            }
        }
    }

    /// <summary>The probability that the test finds a difference.</summary>
    /// <param name="firstRate">True rate of the first group.</param>
    /// <param name="secondRate">True rate of the second.</param>
    public double Power(double firstRate, double secondRate)
    {
        if (first == 0 || second == 0)
            return 0;
        if (rejects is null)
            return Approximate(firstRate, first, secondRate, second, bound);
        double[] ofFirst = Binomial(first, firstRate), ofSecond = Binomial(second, secondRate);
        double power = 0;
        for (int k = 0; k <= first; k++)
        {
            double inner = 0;
            for (int l = 0; l <= second; l++)
                inner += rejects[k][l] ? ofSecond[l] : 0;
            power += ofFirst[k] * inner;
        }
        return power;
    }

    /// <summary>The smallest difference from a rate that is found with this power; null if none is.</summary>
    /// <param name="rate">True rate of the second group.</param>
    /// <param name="power">Wanted.</param>
    public double? SmallestDifference(double rate, double power)
    {
        double? down = To(0), up = To(1);
        return down < up || up is null ? down : up;

        double? To(double end)
        {
            if (Power(end, rate) < power)
                return null;
            double near = rate, far = end;
            for (int i = 0; i < 40; i++)
            {
                double middle = (near + far) / 2;
                (near, far) = Power(middle, rate) < power ? (middle, far) : (near, middle);
            }
            return Math.Abs(far - rate);
        }
    }

    private static double Approximate(double firstRate, double first, double secondRate, double second, double bound)
    {
        double pooled = ((firstRate * first) + (secondRate * second)) / (first + second), each = (1 / first) + (1 / second);
        double far = Math.Abs(firstRate - secondRate) - (each / 2) - (bound * Math.Sqrt(pooled * (1 - pooled) * each));
        double spread = Math.Sqrt((firstRate * (1 - firstRate) / first) + (secondRate * (1 - secondRate) / second));
        return spread > 0 ? SpecialFunctions.Normal(far / spread) : far > 0 ? 1 : 0;
    }

    private double LogChoose(int n, int k) => logFactorials[n] - logFactorials[k] - logFactorials[n - k];

    private double[] Binomial(int n, double rate)
    {
        var probabilities = new double[n + 1];
        if (rate is 0 or 1)
            probabilities[rate == 0 ? 0 : n] = 1;
        else
            for (int k = 0; k <= n; k++)
                probabilities[k] = Math.Exp(LogChoose(n, k) + (k * Math.Log(rate)) + ((n - k) * double.LogP1(-rate)));
        return probabilities;
    }
}
