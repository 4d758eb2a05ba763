using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Reports;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Lab.Output;

/// <summary>Reliability of likelihood ratios: among searches for which a ratio was stated, how much more often it is stated of mated than of non-mated ones.</summary>
internal static class Reliability
{
    private const double Width = 0.5;
    private const int Fewest = 5;
    private const int Replicates = 500;

    /// <summary>One point per half power of ten with enough searches of both kinds.</summary>
    public static ReportSeries Of(string name, JudgedRatio[] ratios, int subjects, ulong seed)
    {
        var bins = ratios.GroupBy(r => (int)Math.Floor(r.Log / Math.Log(10) / Width)).OrderBy(g => g.Key)
            .Where(g => g.Count(r => r.IsMated) >= Fewest && g.Count(r => !r.IsMated) >= Fewest).Select(g => (Stated: g.Average(r => r.Log) / Math.Log(10), Ratios: g.ToArray())).ToArray();
        if (bins.Length == 0)
            return new ReportSeries(name, [], []);
        double[] ones = [.. Enumerable.Repeat(1.0, subjects)];
        Interval[] bands = Bootstrap.OfStatistics([.. ratios.Select(r => r.Subject).Distinct().Order()], subjects, seed, Observed, Replicates);
        return new ReportSeries(name, [.. bins.Select(b => b.Stated)], Observed(ones), [.. bands.Select(b => b.Low)], [.. bands.Select(b => b.High)]);

        double[] Observed(double[] weights)
        {
            double mated = ratios.Sum(r => r.IsMated ? weights[r.Subject] : 0), nonMated = ratios.Sum(r => r.IsMated ? 0 : weights[r.Subject]);
            return [.. bins.Select(b => Math.Log10(b.Ratios.Sum(r => r.IsMated ? weights[r.Subject] : 0) / mated / (b.Ratios.Sum(r => r.IsMated ? 0 : weights[r.Subject]) / nonMated)))];
        }
    }
}
