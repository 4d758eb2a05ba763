using LfrEngine.Evaluation.Data;

namespace LfrEngine.Evaluation.Verification;

/// <summary>One-to-one error rates of a pair list.</summary>
/// <remarks>
/// Accuracy follows the LFW protocol: each fold is evaluated at the threshold that is best on the other folds. A pair with an image that failed to acquire
/// scores −1 and counts as a rejection in every rate. Comparisons of both kinds are required.
/// </remarks>
public sealed record VerificationResult
{
    /// <summary>Mean over folds, 0…1.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Standard deviation over folds.</summary>
    public required double AccuracyDeviation { get; init; }

    /// <summary>Mean of the folds' thresholds.</summary>
    public required double MeanThreshold { get; init; }

    /// <summary>True-match rate at the lowest threshold whose false-match rate is at most 10⁻³.</summary>
    public required double TmrAtFmr001 { get; init; }

    /// <summary>That threshold.</summary>
    public required double ThresholdAtFmr001 { get; init; }

    /// <summary>Mated pairs.</summary>
    public required int Mated { get; init; }

    /// <summary>Non-mated pairs.</summary>
    public required int NonMated { get; init; }

    /// <summary>Computes the rates.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="scores">Comparison score of each pair; −1 where an image failed to acquire.</param>
    /// <exception cref="DataException">There is one fold, or no comparison of one kind.</exception>
    public static VerificationResult Compute(IReadOnlyList<ImagePair> pairs, ReadOnlySpan<float> scores)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, pairs.Count);
        float[] copy = scores.ToArray();
        int[] folds = [.. pairs.Select(p => p.Fold).Distinct()];
        if (folds.Length < 2)
            throw new DataException("At least two folds are needed, because each fold is judged at the threshold set on the others.");
        foreach (bool kind in (bool[])[true, false])
        {
            int all = pairs.Count(p => p.IsMated == kind);
            if (!pairs.Index().Any(p => p.Item.IsMated == kind && copy[p.Index] > -1))
                throw new DataException($"None of the {all} {(kind ? "mated" : "non-mated")} pairs could be compared, because in every pair an image without a usable face was found. There is nothing to measure.");
        }
        var accuracies = new double[folds.Length];
        var thresholds = new double[folds.Length];
        foreach ((int f, int fold) in folds.Index())
        {
            var others = Enumerable.Range(0, copy.Length).Where(i => pairs[i].Fold != fold).Select(i => (Score: copy[i], pairs[i].IsMated)).ToArray();
            thresholds[f] = BestThreshold(others);
            int[] own = [.. Enumerable.Range(0, copy.Length).Where(i => pairs[i].Fold == fold)];
            accuracies[f] = own.Count(i => (copy[i] >= thresholds[f]) == pairs[i].IsMated) / (double)own.Length;
        }
        float[] mated = [.. Enumerable.Range(0, copy.Length).Where(i => pairs[i].IsMated).Select(i => copy[i])];
        float[] nonMated = [.. Enumerable.Range(0, copy.Length).Where(i => !pairs[i].IsMated).Select(i => copy[i]).OrderDescending()];
        // The threshold is just above the first score that is not allowed.
        int allowed = (int)Math.Floor(nonMated.Length * 1e-3);
        double threshold = Math.BitIncrement(nonMated[allowed]);
        double mean = accuracies.Average();
        return new VerificationResult
        {
            Accuracy = mean,
            AccuracyDeviation = Math.Sqrt(accuracies.Average(a => (a - mean) * (a - mean))),
            MeanThreshold = thresholds.Average(),
            TmrAtFmr001 = mated.Count(s => s >= threshold) / (double)mated.Length,
            ThresholdAtFmr001 = threshold,
            Mated = mated.Length,
            NonMated = nonMated.Length,
        };
    }

    // The midpoint between neighbouring scores that gives the most correct pairs; the middle one if several are equal.
    private static double BestThreshold((float Score, bool IsMated)[] pairs)
    {
        Array.Sort(pairs, (a, b) => a.Score.CompareTo(b.Score));
        int right = pairs.Count(p => p.IsMated);
        int best = right;
        var places = new List<double> { pairs[0].Score - 1e-6 };
        for (int i = 0; i < pairs.Length; i++)
        {
            right += pairs[i].IsMated ? -1 : 1;
            if (i + 1 < pairs.Length && pairs[i + 1].Score == pairs[i].Score)
                continue;
            double place = i + 1 < pairs.Length ? (pairs[i].Score + pairs[i + 1].Score) / 2.0 : pairs[i].Score + 1e-6;
            if (right > best)
            {
                best = right;
                places.Clear();
            }
            if (right == best)
                places.Add(place);
        }
        return places[places.Count / 2];
    }
}
