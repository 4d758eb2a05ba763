namespace LfrEngine.Lab.Output;

/// <summary>Parts that several reports share.</summary>
internal static class Sections
{
    private const int MostCurvePoints = 400;

    /// <summary>DET curve and both error rates over the threshold.</summary>
    public static void AddDet(List<ReportCurve> curves, string falsePositive, string falseNegative, IReadOnlyList<(string Name, ScoreHistogram NonMated, ScoreHistogram Mated)> sets)
    {
        var det = new List<ReportSeries>();
        var rates = new List<ReportSeries>();
        foreach ((string name, ScoreHistogram nonMated, ScoreHistogram mated) in sets.Where(s => s.NonMated.Total > 0 && s.Mated.Total > 0))
        {
            DetPoint[] points = [.. DetCurve.Compute(nonMated, mated)];
            int every = (points.Length / MostCurvePoints) + 1;
            DetPoint[] shown = [.. points.Where((_, i) => i % every == 0)];
            det.Add(new ReportSeries(name, [.. shown.Select(p => p.FalsePositives.Rate)], [.. shown.Select(p => p.FalseNegatives.Rate)],
                [.. shown.Select(p => p.FalseNegativeBand.Low)], [.. shown.Select(p => p.FalseNegativeBand.High)]));
            string prefix = sets.Count > 1 ? name + " " : "";
            rates.Add(new ReportSeries(prefix + falsePositive, [.. shown.Select(p => p.Threshold)], [.. shown.Select(p => p.FalsePositives.Rate)],
                [.. shown.Select(p => p.FalsePositiveBand.Low)], [.. shown.Select(p => p.FalsePositiveBand.High)]));
            rates.Add(new ReportSeries(prefix + falseNegative, [.. shown.Select(p => p.Threshold)], [.. shown.Select(p => p.FalseNegatives.Rate)],
                [.. shown.Select(p => p.FalseNegativeBand.Low)], [.. shown.Select(p => p.FalseNegativeBand.High)]));
        }
        if (det.Count == 0)
            return;
        curves.Add(new ReportCurve("det", $"DET: {falseNegative} over {falsePositive}, bands of 95 %", new ReportAxis(falsePositive, true), new ReportAxis(falseNegative, true), det));
        curves.Add(new ReportCurve("rates", "Error rates over the threshold, bands of 95 %", new ReportAxis("threshold"), new ReportAxis("rate", true), rates));
    }

    /// <summary>Differentials of one column: the counts first, then the summaries, then the tests.</summary>
    public static void AddDifferentials(LabRun run, string column, string falsePositive, string falseNegative, double threshold, IReadOnlyList<GroupCell> cells)
    {
        string id = column.Replace(' ', '_');
        run.Tables.Add(new ReportTable($"cells-{id}", $"{column}: raw cells at threshold {threshold.ToString("0.####", CultureInfo.InvariantCulture)}",
            ["group", falsePositive, "low", "high", "false", "of", falseNegative, "low", "high", "missed", "of"],
            [.. cells.Select(c => (IReadOnlyList<ReportCell>)[c.Group, .. Cell(c.FalsePositives, c.FalsePositiveInterval), .. Cell(c.FalseNegatives, c.FalseNegativeInterval)])]));
        GroupCell[] usable = [.. cells.Where(c => c.FalsePositives.Total > 0 && c.FalseNegatives.Total > 0)];
        if (usable.Length < 2)
            return;
        Differentials all = Differentials.Compute(usable);
        run.Tables.Add(new ReportTable($"differentials-{id}", $"{column}: differentials", ["measure", falsePositive, falseNegative],
        [
            ["max / min", all.FalsePositive.MaxOverMin, all.FalseNegative.MaxOverMin],
            ["max / geometric mean", all.FalsePositive.MaxOverGeometricMean, all.FalseNegative.MaxOverGeometricMean],
            ["Gini", all.FalsePositive.Gini, all.FalseNegative.Gini],
            ["FDR (both, α = 0.5)", all.Fdr, (double?)null],
            ["GARBE (both, α = 0.5)", all.Garbe, (double?)null],
        ]));
        run.Tables.Add(new ReportTable($"tests-{id}", $"{column}: each group against all others (Fisher, Holm), and the smallest ratio that so many attempts could have shown",
            ["group", $"{falsePositive} p", "corrected", "smallest visible ratio", $"{falseNegative} p", "corrected", "smallest visible ratio"],
            [.. all.FalsePositive.Tests.Zip(all.FalseNegative.Tests, (p, n) => (IReadOnlyList<ReportCell>)[p.Group, p.Probability, p.Corrected, p.SmallestVisibleRatio, n.Probability, n.Corrected, n.SmallestVisibleRatio])]));

        static ReportCell[] Cell(Proportion count, Interval? interval)
        {
            if (count.Total == 0)
                return [(double?)null, (double?)null, (double?)null, 0, 0];
            Interval shown = interval ?? count.ClopperPearson();
            return [count.Rate, shown.Low, shown.High, count.Count, count.Total];
        }
    }
}
