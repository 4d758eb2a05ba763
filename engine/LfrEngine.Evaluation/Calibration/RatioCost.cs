using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>A log likelihood ratio that was given, and the truth.</summary>
/// <param name="Subject">Of the face seen, 0 upwards: what is drawn together.</param>
/// <param name="IsMated">Whether the candidate was the person seen.</param>
/// <param name="Log">Natural logarithm of the ratio.</param>
/// <param name="Weight">How much it counts among those of its kind.</param>
/// <param name="IsSaid">False where the person was on the list and somebody else came first: then nothing was said of the person, which costs as much as a ratio of 1.</param>
internal readonly record struct JudgedRatio(int Subject, bool IsMated, double Log, double Weight = 1, bool IsSaid = true);

/// <summary>The cost of log likelihood ratios (Brümmer and du Preez 2006), and which part of it better calibration could save.</summary>
/// <param name="Cllr">Bits; 0 is perfect, 1 is what no statement at all costs.</param>
/// <param name="CllrMin">The same after the best monotone calibration of these very ratios (pool adjacent violators): the loss that lies in the scores.</param>
/// <param name="CllrInterval">95 %, by people.</param>
/// <param name="CllrMinInterval">95 %, by people.</param>
/// <param name="LossInterval">95 %, by people, of the calibration loss.</param>
/// <param name="Mated">Of whom something was said.</param>
/// <param name="NonMated">Counted.</param>
internal sealed record RatioCost(double Cllr, double CllrMin, Interval CllrInterval, Interval CllrMinInterval, Interval LossInterval, long Mated, long NonMated)
{
    /// <summary>What better calibration could save: Cllr less CllrMin.</summary>
    public double CalibrationLoss => Cllr - CllrMin;

    /// <summary>Computes all of it; null without ratios of both kinds.</summary>
    /// <param name="ratios">Judged.</param>
    /// <param name="subjects">How many people there may be.</param>
    /// <param name="seed">Of the bootstrap.</param>
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

    /// <summary>Cllr and CllrMin of ratios in order.</summary>
    /// <param name="sorted">By rising ratio.</param>
    /// <param name="unsaid">Mated ones of which nothing was said.</param>
    /// <param name="weights">Of the subjects.</param>
    /// <returns>Not numbers without ratios of both kinds.</returns>
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
            // Half of each kind's weight: the share of mated in a block is p / (p + q).
            min += (p > 0 ? p * Math.Log2((p + q) / p) : 0) + (q > 0 ? q * Math.Log2((p + q) / q) : 0);
        }
        return (((matedCost / matedTotal) + (nonMatedCost / nonMatedTotal)) / 2, min / 2);
    }

    /// <summary>Empirical cross-entropy at a prior: the information that is still missing, in bits (Ramos and Gonzalez-Rodriguez 2013).</summary>
    /// <param name="ratios">Judged.</param>
    /// <param name="logPriorOdds">Natural logarithm of the odds, before the comparison, that the candidate is the person.</param>
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
