using LfrEngine.Evaluation.Data;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Fits a calibration to searches whose truth is known.</summary>
public static class CalibrationFitter
{
    /// <summary>Share of mated searches at which the fit is best: scores that raise alerts lie where ratios are large, and there the fit must hold.</summary>
    public const double Prior = 0.01;

    private const int Folds = 5;

    // A further term must save this share of the cost on people it was not fitted on.
    private const double LeastGain = 0.005;

    private const double SlopeStep = 1e-3;

    // What the bounds are looked for on, natural logarithms.
    private const double BoundStep = 0.05, FarthestBound = 30;

    private static readonly string[][] Always = [[], ["score"], [ScoreCalibration.ListSizeFactor]];

    private static readonly string[][] Candidates =
    [
        ["score", "score"],
        .. new[] { "lowerFaceCovered", "eyesCovered", "browCovered", "smallness", "poorness" }.SelectMany(f => new string[][] { [f], [f, "score"] }),
    ];

    /// <summary>Fits: score and size of the list always, cover, size and quality of the face and their products with the score where they help people who were not fitted on.</summary>
    /// <param name="searches">Of the half of the people that is fitted on. Mated ones count where the person came first.</param>
    /// <exception cref="DataException">The scores tell nothing.</exception>
    public static ScoreCalibration Fit(IReadOnlyList<ListSearch> searches)
    {
        ListSearch[] seen = [.. searches.Where(s => s.IsFirst)];
        var data = new Table(seen);
        var terms = new List<string[]>(Always);
        if (!Rises(data.Fit(terms), seen))
            throw new DataException("In these data a higher score does not mean the same person, so a calibration is not possible. Check the model, and that each person's images are in one folder.");
        double cost = data.CrossValidated(terms);
        while (true)
        {
            (List<string[]> Terms, double Cost)[] tries = [.. Candidates.Except(terms).Where(data.Varies).Select(t => With(terms, t)).Where(t => Rises(data.Fit(t), seen)).Select(t => (t, data.CrossValidated(t)))];
            if (tries.Length == 0 || tries.MinBy(t => t.Cost) is var best && !(best.Cost < cost * (1 - LeastGain)))
                break;
            (terms, cost) = best;
        }
        int largest = seen.Max(s => s.ListSize), smallest = seen.Min(s => s.ListSize);
        var unbound = new ScoreCalibration(ScoreCalibration.CurrentFormat, data.Fit(terms), double.NegativeInfinity, double.PositiveInfinity, largest, seen.Select(s => s.Subject).Distinct().Count(), []);
        // A ratio on the largest list stands for many pairs of people, one on the smallest for few: each bound is looked for where the data reach farthest.
        return unbound with { Highest = Bound(unbound, seen, largest, upper: true), Lowest = Bound(unbound, seen, smallest, upper: false) };
    }

    // A product with the score comes with its factor alone: otherwise it would matter where a model's scale of scores has its zero.
    private static List<string[]> With(List<string[]> terms, string[] term) =>
        [.. terms, .. Candidates.Except(terms).Where(c => c.Length == 1 && term.Length == 2 && c[0] == term[0]), term];

    // A higher score of the same face may never be worth less, from the lowest score seen up to the highest there is. Between two scores the sum bends one way
    // only (a square of the score at most), so that both ends decide.
    private static bool Rises(CalibrationTerm[] terms, ListSearch[] seen)
    {
        double lowest = seen.Min(s => s.Score);
        return seen.DistinctBy(s => (s.Subject, s.Stratum)).All(s => Slope(s.Traits, lowest) > 0 && Slope(s.Traits, 1) > 0);

        double Slope(in ComparisonTraits traits, double at) => ScoreCalibration.Sum(terms, traits with { Score = at + SlopeStep }) - ScoreCalibration.Sum(terms, traits with { Score = at - SlopeStep });
    }

    /// <summary>The ratios of searches.</summary>
    /// <param name="calibration">That gives them.</param>
    /// <param name="searches">Whose truth is known; mated ones count where the person came first.</param>
    public static IEnumerable<JudgedRatio> Judge(ScoreCalibration calibration, IEnumerable<ListSearch> searches) =>
        Weighted([.. searches.Where(s => s.IsFirst)], s => calibration.Of(s.Traits)!.Value.Log);

    // How often faces are covered in the street is not known here. Half of the weight of either kind lies on faces as they were photographed, half on those that were
    // covered or made small; otherwise what is drawn most would decide.
    private static IEnumerable<JudgedRatio> Weighted(IReadOnlyCollection<ListSearch> searches, Func<ListSearch, double> log)
    {
        Dictionary<(bool IsMated, bool IsPlain), double> weights = searches.GroupBy(Kind).ToDictionary(g => g.Key, g => 1.0 / g.Count());
        return searches.Select(s => new JudgedRatio(s.Subject, s.IsMated, log(s), weights[Kind(s)]));

        static (bool, bool) Kind(ListSearch search) => (search.IsMated, search.Stratum == 0);
    }

    // The empirical bounds of Vergeer et al. (2016), with people as what is counted: the farthest ratio up to which, were one more person to mislead as
    // strongly, acting on the ratios would still do better than acting on none.
    private static double Bound(ScoreCalibration calibration, ListSearch[] seen, int listSize, bool upper)
    {
        ListSearch[] there = [.. seen.Where(s => s.ListSize == listSize)];
        (double Ratio, double Weight)[] mated = [.. ByPeople(true)], nonMated = [.. ByPeople(false)];
        int sign = upper ? 1 : -1;
        double bound = 0;
        for (double log = BoundStep; log <= FarthestBound; log += BoundStep)
        {
            double at = sign * log;
            double misses = (mated.Sum(m => m.Ratio < at ? m.Weight : 0) + (upper ? 0 : 1)) / (mated.Sum(m => m.Weight) + (upper ? 0 : 1));
            double hits = (nonMated.Sum(m => m.Ratio >= at ? m.Weight : 0) + (upper ? 1 : 0)) / (nonMated.Sum(m => m.Weight) + (upper ? 1 : 0));
            if ((upper ? misses + (Math.Exp(log) * hits) : hits + (Math.Exp(log) * misses)) > 1)
                break;
            bound = at;
        }
        // As on a list of one.
        return bound - calibration.Terms.Where(t => t.Factors is [ScoreCalibration.ListSizeFactor]).Sum(t => t.Weight * Math.Log(listSize));

        IEnumerable<(double, double)> ByPeople(bool isMated) => there.Where(s => s.IsMated == isMated).GroupBy(s => s.Subject)
            .SelectMany(person => person.Select(s => (calibration.Raw(s.Traits), 1.0 / person.Count())));
    }

    /// <summary>Features of searches, computed once per term.</summary>
    private sealed class Table(ListSearch[] searches)
    {
        private readonly Dictionary<string, double[]> columns = [];
        private readonly bool[] labels = [.. searches.Select(s => s.IsMated)];

        public bool Varies(string[] term) => Column(term) is var column && column.Any(v => v != column[0]);

        /// <summary>Mean cost per fold of people that was left out of the fit.</summary>
        public double CrossValidated(IReadOnlyList<string[]> terms)
        {
            double sum = 0;
            for (int fold = 0; fold < Folds; fold++)
            {
                int left = fold;
                double[] beta = Fit(terms, s => FoldOf(s) != left);
                sum += Cost(terms, beta, s => FoldOf(s) == left);
            }
            return sum / Folds;
        }

        /// <summary>The terms, weighted to give log likelihood ratios.</summary>
        public CalibrationTerm[] Fit(IReadOnlyList<string[]> terms) => [.. terms.Zip(Fit(terms, _ => true), (t, w) => new CalibrationTerm(t, w))];

        private double[] Fit(IReadOnlyList<string[]> terms, Func<ListSearch, bool> takesPart)
        {
            int[] rows = [.. Enumerable.Range(0, searches.Length).Where(i => takesPart(searches[i]))];
            double[][] values = [.. terms.Select(Column)];
            double[] weights = [.. Weighted([.. rows.Select(i => searches[i])], _ => 0).Select(w => w.Weight)];
            double mated = rows.Zip(weights).Sum(r => labels[r.First] ? r.Second : 0), nonMated = weights.Sum() - mated;
            double[] beta = LogisticRegression.Fit([.. rows.SelectMany(i => values.Select(v => v[i]))], [.. rows.Select(i => labels[i])],
                [.. rows.Zip(weights).Select(r => r.Second * (labels[r.First] ? Prior / mated : (1 - Prior) / nonMated))]);
            // Posterior log-odds, less those of the prior.
            beta[0] -= Math.Log(Prior / (1 - Prior));
            return beta;
        }

        private double Cost(IReadOnlyList<string[]> terms, double[] beta, Func<ListSearch, bool> takesPart)
        {
            double[][] values = [.. terms.Select(Column)];
            int[] rows = [.. Enumerable.Range(0, searches.Length).Where(i => takesPart(searches[i]))];
            double[] logs = [.. rows.Select(i => values.Select((v, t) => beta[t] * v[i]).Sum())];
            return RatioCost.CrossEntropy([.. Weighted([.. rows.Select(i => searches[i])], _ => 0).Zip(logs, (w, log) => w with { Log = log })], Math.Log(Prior / (1 - Prior)));
        }

        private static int FoldOf(in ListSearch search) => (int)(Statistics.SeededRandom.Mix((ulong)search.Subject) % Folds);

        private double[] Column(string[] term)
        {
            string name = string.Join('*', term);
            if (!columns.TryGetValue(name, out double[]? column))
                columns[name] = column = [.. searches.Select(s => new CalibrationTerm(term, 1).Of(s.Traits))];
            return column;
        }
    }
}
