using LfrEngine.Evaluation.Statistics;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Cover;

/// <summary>Fits <see cref="CoverScale"/>s to the scores of people who are not on a list.</summary>
/// <param name="gallery">With covered rows; borrowed for the life of the fit.</param>
internal sealed class CoverScaleFit(Gallery gallery)
{
    // False alerts are also counted on lists of this many people, drawn from the whole list, which gives more data for low rates.
    private const int SmallList = 100, SmallLists = 12;

    private static readonly double[] s_rates = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005];

    private readonly Dictionary<FaceCover, List<float[]>> scores = [];

    /// <summary>Scales that change nothing, for the gallery of a fit.</summary>
    public static IReadOnlyList<CoverScale> Neutral { get; } = [.. Enumerable.Range(1, 7).Select(c => new CoverScale((FaceCover)c, 0, 1, 1, 0, ""))];

    /// <summary>Adds the scores of one stranger with everybody.</summary>
    /// <param name="cover">Cover of the probe; None for an uncovered one.</param>
    /// <param name="probe">float32 [D], unit length. Borrowed.</param>
    /// <param name="search">Used for the call.</param>
    public void Add(FaceCover cover, ReadOnlySpan<float> probe, IGallerySearch search)
    {
        var found = new Candidate[gallery.Identities.Count];
        Span<int> count = [0];
        Gallery rows = gallery;
        Span<float> projected = stackalloc float[probe.Length];
        probe.CopyTo(projected);
        if (gallery.CoveredFor(cover) is { } covered)
        {
            covered.Project(probe, projected);
            rows = covered.Rows;
        }
        search.Search(rows, projected, CategoryThresholds.Uniform(float.NegativeInfinity), found.Length, found, count);
        projected.Clear();
        var all = new float[found.Length];
        foreach (Candidate candidate in found.AsSpan(0, count[0]))
            all[candidate.IdentityIndex] = candidate.ComparisonScore;
        lock (scores)
        {
            if (!scores.TryGetValue(cover, out List<float[]>? known))
                scores[cover] = known = [];
            known.Add(all);
        }
    }

    /// <summary>Fits the scale of a cover; null without both covered and uncovered strangers.</summary>
    /// <param name="cover">Not None.</param>
    /// <param name="seed">Seed of the lists drawn.</param>
    /// <param name="evidence">Stored in the scale.</param>
    public CoverScale? Fit(FaceCover cover, ulong seed, string evidence)
    {
        if (!scores.TryGetValue(cover, out List<float[]>? probes) || !scores.TryGetValue(FaceCover.None, out List<float[]>? uncovered))
            return null;
        double mean = probes.Average(p => p.Average(s => (double)s));
        double deviation = Math.Sqrt(probes.Average(p => p.Average(s => (s - mean) * (s - mean))));
        var neutral = new CoverScale(cover, (float)mean, (float)deviation, 1, 0, evidence);
        var before = new List<double>();
        var goal = new List<double>();
        foreach (int[] people in Lists(seed))
        {
            before.AddRange(probes.Select(p => BestOf(p, people, neutral)));
            goal.AddRange(uncovered.Select(p => people.Max(i => (double)p[i])));
        }
        // Least-squares line through pairs of thresholds with the same rate of false alerts.
        (double X, double Y)[] points = [.. s_rates.Select(rate => (Above(before, rate), Above(goal, rate)))];
        double x = points.Average(p => p.X), y = points.Average(p => p.Y);
        double slope = points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
        var scale = neutral with { Mean = Round(mean), Deviation = Round(deviation), Slope = Round(slope), Offset = Round(y - (slope * x)) };
        return scale.IsUsable ? scale : null;
    }

    private IEnumerable<int[]> Lists(ulong seed)
    {
        var random = SeededRandom.For(seed, "cover scale");
        int[] all = [.. Enumerable.Range(0, gallery.Identities.Count)];
        yield return [.. all];
        for (int i = 0; i < SmallLists && all.Length > SmallList; i++)
        {
            random.Shuffle<int>(all);
            yield return all[..SmallList];
        }
    }

    private static double BestOf(float[] scores, int[] people, CoverScale scale)
    {
        Candidate[] best = [.. people.Select(i => new Candidate(i, i, scores[i])).OrderByDescending(c => c.ComparisonScore).Take(CoveredScores.MostOthers + 1)];
        return new CoveredScores(best, people.Length, scale).Of(best[0].ComparisonScore);
    }

    private static double Above(List<double> values, double share)
    {
        double[] sorted = [.. values.OrderDescending()];
        return sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }

    private static float Round(double value) => (float)Math.Round(value, 4);
}
