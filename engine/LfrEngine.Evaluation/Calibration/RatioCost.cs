using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>A log likelihood ratio, with the ground truth.</summary>
/// <param name="Subject">Number of the person seen, from 0; resampled together.</param>
/// <param name="IsMated">Whether the candidate was the person seen.</param>
/// <param name="Log">Natural logarithm of the ratio.</param>
/// <param name="Weight">Weight among the ratios of the same kind.</param>
/// <param name="IsSaid">False if the person was on the list and somebody else came first. Then there is no ratio for the person, which costs as much as a ratio of 1.</param>
internal readonly record struct JudgedRatio(int Subject, bool IsMated, double Log, double Weight = 1, bool IsSaid = true);

/// <summary>The cost of log likelihood ratios (Brümmer and du Preez 2006), and the part of it that better calibration could avoid.</summary>
/// <param name="Cllr">Bits; 0 is perfect, 1 is the cost without any ratios.</param>
/// <param name="CllrMin">The same after the best monotone calibration of these ratios (pool adjacent violators): the cost due to the scores.</param>
/// <param name="CllrInterval">95 %, by people.</param>
/// <param name="CllrMinInterval">95 %, by people.</param>
/// <param name="LossInterval">95 %, by people, of the calibration loss.</param>
/// <param name="Mated">Number of mated ratios.</param>
/// <param name="NonMated">Number of non-mated ratios.</param>
internal sealed record RatioCost(double Cllr, double CllrMin, Interval CllrInterval, Interval CllrMinInterval, Interval LossInterval, long Mated, long NonMated)
{
    /// <summary>The cost that better calibration could avoid.</summary>
    public double CalibrationLoss => Cllr - CllrMin;

    /// <summary>Computes costs and intervals; null without ratios of both kinds.</summary>
    /// <param name="ratios">The ratios.</param>
    /// <param name="subjects">Upper limit of the subject numbers.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="replicates">Resamples.</param>
    public static RatioCost? Compute(IEnumerable<JudgedRatio> ratios, int subjects, ulong seed, int replicates = Bootstrap.Replicates)
    {
        JudgedRatio[] all = [.. ratios], sorted = [.. all.Where(r => r.IsSaid).OrderBy(r => r.Log)], unsaid = [.. all.Where(r => !r.IsSaid)];
        int mated = sorted.Count(r => r.IsMated);
        if (mated == 0 || mated == sorted.Length)
            return null;
        int[] present = [.. all.Select(r => r.Subject).Distinct()];
        var isPresent = new bool[subjects];
        foreach (int subject in present)
            isPresent[subject] = true;
        double[] ones = [.. Enumerable.Repeat(1.0, subjects)];
        (double cllr, double min) = Cost(sorted, unsaid, ones);
        Interval[] intervals = Bootstrap.OfStatistics([.. Enumerable.Range(0, subjects).Where(s => isPresent[s])], subjects, seed, weights =>
        {
            (double all, double best) = Cost(sorted, unsaid, weights);
            return [all, best, all - best];
        }, replicates);
        return new RatioCost(cllr, min, intervals[0], intervals[1], intervals[2], mated, sorted.Length - mated);
    }

    /// <summary>Cllr and CllrMin of sorted ratios.</summary>
    /// <param name="sorted">In ascending order of the ratio.</param>
    /// <param name="unsaid">Mated searches without a ratio, because somebody else came first.</param>
    /// <param name="weights">Weights of the subjects.</param>
    /// <returns>NaN without ratios of both kinds.</returns>
    internal static (double Cllr, double CllrMin) Cost(JudgedRatio[] sorted, JudgedRatio[] unsaid, double[] weights)
    {
        double silence = unsaid.Sum(r => weights[r.Subject] * r.Weight), matedTotal = silence, nonMatedTotal = 0, matedCost = silence, nonMatedCost = 0;
        foreach (JudgedRatio ratio in sorted)
        {
            double weight = weights[ratio.Subject] * ratio.Weight;
            if (ratio.IsMated)
                (matedTotal, matedCost) = (matedTotal + weight, matedCost + (weight * Bits(-ratio.Log)));
            else
                (nonMatedTotal, nonMatedCost) = (nonMatedTotal + weight, nonMatedCost + (weight * Bits(ratio.Log)));
        }
        double min = silence / matedTotal;
        foreach (IsotonicBlock block in Isotonic.Fit(sorted, weights))
        {
            double p = block.Mated / matedTotal, q = block.NonMated / nonMatedTotal;
            // Both kinds have the same total weight, so the share of mated ratios in a block is p / (p + q).
            min += (p > 0 ? p * Math.Log2((p + q) / p) : 0) + (q > 0 ? q * Math.Log2((p + q) / q) : 0);
        }
        return (((matedCost / matedTotal) + (nonMatedCost / nonMatedTotal)) / 2, min / 2);
    }

    /// <summary>Empirical cross-entropy at a prior: the information still missing, in bits (Ramos and Gonzalez-Rodriguez 2013).</summary>
    /// <param name="ratios">The ratios.</param>
    /// <param name="logPriorOdds">Natural logarithm of the odds before the comparison that the candidate is the person.</param>
    public static double CrossEntropy(IReadOnlyCollection<JudgedRatio> ratios, double logPriorOdds)
    {
        double prior = 1 / (1 + Math.Exp(-logPriorOdds));
        return (prior * Mean(isMated: true)) + ((1 - prior) * Mean(isMated: false));

        double Mean(bool isMated)
        {
            double sum = 0, weights = 0;
            foreach (JudgedRatio ratio in ratios.Where(r => r.IsMated == isMated))
                (sum, weights) = (sum + (ratio.Weight * Bits(isMated ? -ratio.Log - logPriorOdds : ratio.Log + logPriorOdds)), weights + ratio.Weight);
            return sum / weights;
        }
    }

    // log2(1 + e^x), without overflow.
    internal static double Bits(double x) => (Math.Max(x, 0) + double.LogP1(Math.Exp(-Math.Abs(x)))) / Math.Log(2);
}
