using LfrEngine.Evaluation.Data;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Fits a calibration to searches with known ground truth.</summary>
internal static class CalibrationFitter
{
    // Prior shares of mated searches for which the fit is optimised. With the small one, ratios near 100 decide, which scores that raise alerts have; with the other,
    // ratios near 1. The small one alone leaves ratios below 10 several times too high.
    private static readonly double[] s_priors = [0.01, 0.5];

    // Let f be the density of the person's score s, and g and G the density and distribution of a stranger's. The person comes first with s with density f·G^(N−1);
    // the best of N strangers has s with density N·g·G^(N−1). So the ratio is inversely proportional to the size of the list, for every score.
    private const double ListSizeWeight = -1;

    private const int Folds = 5;

    // A further term must reduce the cost on people it was not fitted on by this share: more than chance does with a hundred people.
    private const double LeastGain = 0.02;

    // With fewer people, a fit for covered faces does not generalise.
    private const int FewestPeople = 30;

    // The log ratio is a piecewise linear function of the score, with one piece per this many people found. Below the lowest piece it is constant; above the
    // highest it continues up to the bound.
    private const int PeoplePerRamp = 80, MostRamps = 4, PeopleAtEnd = 5;

    private static readonly string[] s_traits = ["smallness", "poorness"];

    // Grid of the search for the bounds, natural logarithms.
    private const double BoundStep = 0.05, FarthestBound = 30;

    /// <summary>Fits a separate calibration for each set of covered parts and each way of scoring them.</summary>
    /// <param name="searches">Searches with the half of the people that is used for fitting.</param>
    /// <exception cref="DataException">The scores of uncovered faces do not distinguish people.</exception>
    public static ScoreCalibration Fit(IReadOnlyList<ListSearch> searches)
    {
        var covers = new List<CoverCalibration>();
        foreach (IGrouping<(FaceCover Cover, bool ByCoveredTemplates), ListSearch> alike in searches.GroupBy(s => (s.Cover.Parts, s.ByCoveredTemplates)).OrderBy(g => g.Key))
        {
            bool isEnough = alike.Key.Cover == FaceCover.None || (PeopleIn(alike.Where(s => s.IsMated && s.IsFirst)) >= FewestPeople && PeopleIn(alike.Where(s => !s.IsMated)) >= FewestPeople);
            if (isEnough && FitCover(alike.Key.Cover, alike.Key.ByCoveredTemplates, [.. alike]) is { } fitted)
                covers.Add(fitted);
        }
        return covers.Any(c => c.Cover == FaceCover.None)
            ? new ScoreCalibration(ScoreCalibration.CurrentFormat, covers, searches.Max(s => s.ListSize), [])
            : throw new DataException("In these data a higher score does not mean the same person, so a calibration is not possible. Check the model, and that each person's images are in one folder.");
    }

    /// <summary>Computes the ratios of searches with known ground truth.</summary>
    /// <param name="calibration">The calibration to judge.</param>
    /// <param name="searches">The searches.</param>
    /// <returns>One per search, in order; null if the calibration has no fit for such a face.</returns>
    public static IReadOnlyList<JudgedRatio?> Judge(ScoreCalibration calibration, IReadOnlyList<ListSearch> searches)
    {
        LikelihoodRatio?[] ratios = [.. searches.Select(s => calibration.Of(s.Traits))];
        // It is not known how often faces in the street are covered. So faces as photographed and faces that were covered or reduced in size each get half of the weight,
        // regardless of their number, and each list size gets the same weight.
        double[] weights = Weights(searches, s => s.Stratum == 0);
        return [.. ratios.Select((ratio, i) => ratio is { } said
            ? new JudgedRatio(searches[i].Subject, searches[i].IsMated, searches[i].IsFirst ? said.Log : 0, weights[i], searches[i].IsFirst)
            : (JudgedRatio?)null)];
    }

    private static int PeopleIn(IEnumerable<ListSearch> searches) => searches.Select(s => s.Subject).Distinct().Count();

    private static double[] Weights(IReadOnlyList<ListSearch> searches, Func<ListSearch, bool> isPlain)
    {
        Dictionary<(bool, int, bool), double> weights = searches.GroupBy(Kind).ToDictionary(g => g.Key, g => 1.0 / g.Count());
        return [.. searches.Select(s => weights[Kind(s)])];

        (bool, int, bool) Kind(ListSearch search) => (search.IsMated, search.ListSize, isPlain(search));
    }

    private static CoverCalibration? FitCover(FaceCover cover, bool byCoveredTemplates, ListSearch[] searches)
    {
        if (!searches.Any(s => s.IsMated && s.IsFirst) || searches.All(s => s.IsMated))
            return null;
        var data = new Table(searches);
        (double low, double high) = Reach(searches);
        if (!(high > low))
            return null;
        int ramps = Math.Clamp(PeopleIn(searches.Where(s => s.IsMated && s.IsFirst)) / PeoplePerRamp, 1, MostRamps);
        List<string[]> terms = [[], .. Enumerable.Range(0, ramps).Select(i => new[] { CalibrationFactor.Ramp(At(i), At(i + 1), isOpen: i == ramps - 1) })];
        string whole = CalibrationFactor.Ramp(low, high);
        if (data.FitRising(ref terms) is not { } weights)
            return null;
        double cost = data.CrossValidated(terms);
        string[][] candidates = [.. s_traits.SelectMany(f => new string[][] { [f], [f, whole] }).Where(data.Varies)];
        while (true)
        {
            (List<string[]> Terms, double Cost)? best = null;
            foreach (string[] candidate in candidates.Where(c => !terms.Exists(t => t.SequenceEqual(c))))
            {
                // A product with the score is added together with its other factor; otherwise the result would depend on the zero point of the model's score scale.
                List<string[]> tried = [.. terms, .. candidate.Length == 2 && !terms.Exists(t => t is [var one] && one == candidate[0]) ? (string[][])[[candidate[0]]] : [], candidate];
                double costs = data.CrossValidated(tried);
                if (costs < (best?.Cost ?? (cost * (1 - LeastGain))) && data.FitRising(ref tried) is not null)
                    best = (tried, costs);
            }
            if (best is not { } better)
                break;
            (terms, cost) = better;
        }
        weights = data.FitRising(ref terms)!;
        int largest = searches.Max(s => s.ListSize), smallest = searches.Min(s => s.ListSize);
        CalibrationTerm[] all = [.. terms.Zip(weights, (t, w) => new CalibrationTerm(t, w)), new CalibrationTerm([CalibrationFactor.ListSize], ListSizeWeight)];
        var unbound = new CoverCalibration(cover, byCoveredTemplates, all, double.NegativeInfinity, double.PositiveInfinity, PeopleIn(searches));
        // Bounds never exceed the range of the unbounded ratio.
        double[] ends = [.. searches.Select(s => s.Traits with { ListSize = 1 }).SelectMany(t => new[] { unbound.Raw(t with { Score = -1 }), unbound.Raw(t with { Score = 1 }) })];
        // Each bound is computed with the list size at which the data reach farthest: a search of the largest list involves many pairs of people, one of the smallest few.
        return unbound with { Highest = Math.Min(ends.Max(), Bound(unbound, searches, largest, upper: true)), Lowest = Math.Max(ends.Min(), Bound(unbound, searches, smallest, upper: false)) };

        double At(int knot) => low + ((high - low) * knot / ramps);
    }

    // Range of the ramps: from the score below which few people were found to the score above which few were confused with somebody else (sorted if the kinds do not overlap).
    private static (double Low, double High) Reach(ListSearch[] searches)
    {
        double[] mated = [.. searches.Where(s => s.IsMated && s.IsFirst).GroupBy(s => s.Subject).Select(g => (double)g.Min(s => s.Score)).Order()];
        double[] nonMated = [.. searches.Where(s => !s.IsMated).GroupBy(s => s.Subject).Select(g => (double)g.Max(s => s.Score)).OrderDescending()];
        double low = mated[Math.Min(PeopleAtEnd, mated.Length) - 1], high = nonMated[Math.Min(PeopleAtEnd, nonMated.Length) - 1];
        return (Math.Min(low, high), Math.Max(low, high));
    }

    // Empirical bounds of Vergeer et al. (2016), counting people: the farthest ratio for which using the ratios is still better than using none, even if
    // one more person were misleading to the same degree. A person who did not come first has no ratio that could be used.
    private static double Bound(CoverCalibration calibration, ListSearch[] searches, int listSize, bool upper)
    {
        ListSearch[] there = [.. searches.Where(s => s.ListSize == listSize)];
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
        // Converted to a list of one person.
        return bound - (ListSizeWeight * Math.Log(listSize));

        IEnumerable<(double, double)> ByPeople(bool isMated) => there.Where(s => s.IsMated == isMated).GroupBy(s => s.Subject)
            .SelectMany(person => person.Select(s => (s.IsFirst ? calibration.Raw(s.Traits) : upper ? double.NegativeInfinity : double.PositiveInfinity, 1.0 / person.Count())));
    }

    /// <summary>Features of searches, computed once per term. Rows are the searches whose ratio is known, because the person came first or is not listed; the others count only in the weights.</summary>
    private sealed class Table
    {
        private readonly Dictionary<string, double[]> columns = [];
        private readonly ListSearch[] all, rows;
        private readonly bool[] labels;

        public Table(ListSearch[] searches)
        {
            all = searches;
            rows = [.. searches.Where(s => s.IsFirst)];
            labels = [.. rows.Select(s => s.IsMated)];
        }

        public bool Varies(string[] term) => Column(term) is var column && column.Any(v => v != column[0]);

        /// <summary>Mean cost over folds of people, each left out of its fit.</summary>
        public double CrossValidated(IReadOnlyList<string[]> terms)
        {
            double sum = 0;
            for (int fold = 0; fold < Folds; fold++)
            {
                int left = fold;
                if (Fit(terms, s => FoldOf(s) != left) is { } beta)
                    sum += Cost(terms, beta, s => FoldOf(s) == left);
            }
            return sum / Folds;
        }

        /// <summary>Fits log likelihood ratios that never fall when the score rises; where the data would make them fall, they are constant.</summary>
        /// <param name="terms">Falling ramps are removed from it.</param>
        /// <returns>Weights of the terms; null if the ratio still falls somewhere, or no ramp is left.</returns>
        public double[]? FitRising(ref List<string[]> terms)
        {
            while (true)
            {
                if (Fit(terms, _ => true) is not { } weights)
                    return null;
                List<string[]> current = terms;
                (string[] Term, double Weight)[] ramps = [.. current.Zip(weights).Where(t => IsRamp(t.First))];
                if (ramps.Length == 0)
                    return null;
                (string[] falling, double weight) = ramps.MinBy(r => r.Weight);
                if (weight > 0)
                    return RisesWithProducts(current, weights) ? weights : null;
                terms = [.. current.Where(t => t != falling)];
            }
        }

        private static bool IsRamp(string[] term) => term is [var one] && one.StartsWith("score", StringComparison.Ordinal);

        // Products with the score may make the ratio fall although every ramp rises, so it is checked on a grid of scores.
        private bool RisesWithProducts(List<string[]> terms, double[] weights)
        {
            if (!terms.Exists(t => t.Length == 2))
                return true;
            var fitted = new CoverCalibration(FaceCover.None, false, [.. terms.Zip(weights, (t, w) => new CalibrationTerm(t, w))], 0, 0, 0);
            double lowest = rows.Min(s => s.Score), step = (rows.Max(s => s.Score) - lowest) / 50;
            return rows.DistinctBy(s => (s.Subject, s.Stratum)).All(s =>
            {
                double before = double.NegativeInfinity;
                for (int i = 0; i <= 50; i++)
                {
                    double at = fitted.Raw(s.Traits with { Score = lowest + (i * step) });
                    if (at < before - 1e-9)
                        return false;
                    before = at;
                }
                return true;
            });
        }

        // Null if no list size has both mated and non-mated searches.
        private double[]? Fit(IReadOnlyList<string[]> terms, Func<ListSearch, bool> takesPart)
        {
            (int[] chosen, double[] weights) = Weighted(takesPart);
            if (chosen.Length == 0)
                return null;
            double[][] values = [.. terms.Select(Column)];
            // Each row once for each prior, as if a part of the searches were made where it holds.
            return LogisticRegression.Fit([.. s_priors.SelectMany(_ => chosen.SelectMany(i => values.Select(v => v[i])))], [.. s_priors.SelectMany(_ => chosen.Select(i => labels[i]))],
                [.. s_priors.SelectMany(p => chosen.Select((row, i) => weights[i] * Share(p, labels[row])))], [.. s_priors.SelectMany(p => chosen.Select(i => Offset(rows[i]) + LogOdds(p)))]);
        }

        private double Cost(IReadOnlyList<string[]> terms, double[] beta, Func<ListSearch, bool> takesPart)
        {
            (int[] chosen, double[] weights) = Weighted(takesPart);
            double[][] values = [.. terms.Select(Column)];
            double sum = 0;
            foreach ((int i, int row) in chosen.Index())
            {
                double log = Offset(rows[row]);
                for (int t = 0; t < values.Length; t++)
                    log += beta[t] * values[t][row];
                foreach (double prior in s_priors)
                    sum += weights[i] * Share(prior, labels[row]) * RatioCost.Bits(labels[row] ? -log - LogOdds(prior) : log + LogOdds(prior));
            }
            return sum;
        }

        private static double LogOdds(double prior) => Math.Log(prior / (1 - prior));

        // Weight of mated or of non-mated searches at a prior, scaled so that ratios of 1 cost 1 in all.
        private static double Share(double prior, bool isMated) =>
            (isMated ? prior : 1 - prior) / s_priors.Length / -((prior * Math.Log2(prior)) + ((1 - prior) * Math.Log2(1 - prior)));

        // Mated and non-mated searches have a total weight of 1 each, divided equally among the list sizes.
        private (int[] Rows, double[] Weights) Weighted(Func<ListSearch, bool> takesPart)
        {
            ListSearch[] part = [.. all.Where(takesPart)];
            Dictionary<(bool, int), int> counts = part.GroupBy(s => (s.IsMated, s.ListSize)).ToDictionary(g => g.Key, g => g.Count());
            int[] sizes = [.. counts.Keys.Where(k => k.Item1).Select(k => k.Item2).Intersect(counts.Keys.Where(k => !k.Item1).Select(k => k.Item2))];
            int[] chosen = [.. Enumerable.Range(0, rows.Length).Where(i => takesPart(rows[i]) && sizes.Contains(rows[i].ListSize))];
            return (chosen, [.. chosen.Select(i => 1.0 / sizes.Length / counts[(labels[i], rows[i].ListSize)])]);
        }

        private static double Offset(in ListSearch search) => ListSizeWeight * Math.Log(search.ListSize);

        private static int FoldOf(in ListSearch search) => (int)(Statistics.SeededRandom.Mix((ulong)search.Subject) % Folds);

        private double[] Column(string[] term)
        {
            string name = string.Join('*', term);
            if (!columns.TryGetValue(name, out double[]? column))
            {
                Func<ComparisonTraits, double>[] factors = [.. term.Select(f => CalibrationFactor.Find(f)!)];
                columns[name] = column = [.. rows.Select(s => s.Traits).Select(t => factors.Aggregate(1.0, (product, f) => product * f(t)))];
            }
            return column;
        }
    }
}
