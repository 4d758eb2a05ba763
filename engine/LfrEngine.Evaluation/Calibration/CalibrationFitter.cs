using LfrEngine.Evaluation.Data;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Fits a calibration to searches whose truth is known.</summary>
internal static class CalibrationFitter
{
    /// <summary>Share of mated searches at which the fit is best: scores that raise alerts lie where ratios are large, and there the fit must hold.</summary>
    public const double Prior = 0.01;

    // With s the score, f the density of the person's scores and g that of a stranger's, the person comes first with s with density f·G^(N−1), the best of N strangers
    // has it with density N·g·G^(N−1): so the ratio falls by the size of the list, whatever the scores.
    private const double ListSizeWeight = -1;

    private const int Folds = 5;

    // A further term must save this share of the cost on people it was not fitted on: so much that chance does not, where a hundred people are all there is.
    private const double LeastGain = 0.02;

    // Covered faces of fewer people tell nothing that could be said of another's.
    private const int FewestPeople = 30;

    // The ratio follows the score in straight lines, one for each so many people found. Below the lowest it is level, above the highest it goes on,
    // up to the bound.
    private const int PeoplePerRamp = 80, MostRamps = 4, PeopleAtEnd = 5;

    private static readonly string[] s_traits = ["smallness", "poorness"];

    // What the bounds are looked for on, natural logarithms.
    private const double BoundStep = 0.05, FarthestBound = 30;

    /// <summary>Fits each set of covered parts by itself, and by the way their scores are made.</summary>
    /// <param name="searches">Of the half of the people that is fitted on.</param>
    /// <exception cref="DataException">The scores of uncovered faces tell nothing.</exception>
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

    /// <summary>The ratios of searches.</summary>
    /// <param name="calibration">That gives them.</param>
    /// <param name="searches">Whose truth is known.</param>
    /// <returns>One for each search, in order; null where the calibration says nothing of such a face.</returns>
    public static IReadOnlyList<JudgedRatio?> Judge(ScoreCalibration calibration, IReadOnlyList<ListSearch> searches)
    {
        LikelihoodRatio?[] ratios = [.. searches.Select(s => calibration.Of(s.Traits))];
        // How often faces are covered in the street is not known here. Half of the weight of either kind lies on faces as they were photographed, half on those
        // that were covered or made small; otherwise what is drawn most would decide. And each size of list counts the same.
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
                // A product with the score comes with its factor alone: otherwise it would matter where a model's scale of scores has its zero.
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
        // No ratio leaves the range of the sum.
        double[] ends = [.. searches.Select(s => s.Traits with { ListSize = 1 }).SelectMany(t => new[] { unbound.Raw(t with { Score = -1 }), unbound.Raw(t with { Score = 1 }) })];
        // A ratio on the largest list stands for many pairs of people, one on the smallest for few: each bound is looked for where the data reach farthest.
        return unbound with { Highest = Math.Min(ends.Max(), Bound(unbound, searches, largest, upper: true)), Lowest = Math.Max(ends.Min(), Bound(unbound, searches, smallest, upper: false)) };

        double At(int knot) => low + ((high - low) * knot / ramps);
    }

    // From the score below which few people were found to the one above which few were taken for somebody else. Where the kinds do not meet, from one to the other.
    private static (double Low, double High) Reach(ListSearch[] searches)
    {
        double[] mated = [.. searches.Where(s => s.IsMated && s.IsFirst).GroupBy(s => s.Subject).Select(g => (double)g.Min(s => s.Score)).Order()];
        double[] nonMated = [.. searches.Where(s => !s.IsMated).GroupBy(s => s.Subject).Select(g => (double)g.Max(s => s.Score)).OrderDescending()];
        double low = mated[Math.Min(PeopleAtEnd, mated.Length) - 1], high = nonMated[Math.Min(PeopleAtEnd, nonMated.Length) - 1];
        return (Math.Min(low, high), Math.Max(low, high));
    }

    // The empirical bounds of Vergeer et al. (2016), with people as what is counted: the farthest ratio up to which, were one more person to mislead as
    // strongly, acting on the ratios would still do better than acting on none. Nobody can act on a person who did not come first.
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
        // As on a list of one.
        return bound - (ListSizeWeight * Math.Log(listSize));

        IEnumerable<(double, double)> ByPeople(bool isMated) => there.Where(s => s.IsMated == isMated).GroupBy(s => s.Subject)
            .SelectMany(person => person.Select(s => (s.IsFirst ? calibration.Raw(s.Traits) : upper ? double.NegativeInfinity : double.PositiveInfinity, 1.0 / person.Count())));
    }

    /// <summary>Features of searches, computed once per term. Rows are the searches in which the candidate came first; the others weigh as mated ones that nothing was said of.</summary>
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

        /// <summary>Mean cost per fold of people that was left out of the fit.</summary>
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

        /// <summary>Weights of the terms that give log likelihood ratios. A higher score of the same face may never be worth less: where the data would have it so, the ratio is level.</summary>
        /// <param name="terms">Ramps that fall are taken out.</param>
        /// <returns>Null where a higher score is worth less all the same, or nothing.</returns>
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

        // Between the ends of the ramps each score adds the slope of its ramp and of the products: whole ramps are steeper than their parts are long.
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

        // Null where no size of list was searched with people who were on it and with others.
        private double[]? Fit(IReadOnlyList<string[]> terms, Func<ListSearch, bool> takesPart)
        {
            (int[] chosen, double[] weights) = Weighted(takesPart);
            if (chosen.Length == 0)
                return null;
            double[][] values = [.. terms.Select(Column)];
            double[] beta = LogisticRegression.Fit([.. chosen.SelectMany(i => values.Select(v => v[i]))], [.. chosen.Select(i => labels[i])], [.. chosen.Select((row, i) => weights[i] * (labels[row] ? Prior : 1 - Prior))],
                [.. chosen.Select(i => Offset(rows[i]))]);
            // Posterior log-odds, less those of the prior.
            beta[0] -= Math.Log(Prior / (1 - Prior));
            return beta;
        }

        private double Cost(IReadOnlyList<string[]> terms, double[] beta, Func<ListSearch, bool> takesPart)
        {
            (int[] chosen, double[] weights) = Weighted(takesPart);
            double[][] values = [.. terms.Select(Column)];
            double odds = Math.Log(Prior / (1 - Prior)), sum = 0;
            foreach ((int i, int row) in chosen.Index())
            {
                double log = odds + Offset(rows[row]);
                for (int t = 0; t < values.Length; t++)
                    log += beta[t] * values[t][row];
                sum += weights[i] * (labels[row] ? Prior * RatioCost.Bits(-log) : (1 - Prior) * RatioCost.Bits(log));
            }
            return sum;
        }

        // Each kind has weight 1 in all, each size of list the same part of it.
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
