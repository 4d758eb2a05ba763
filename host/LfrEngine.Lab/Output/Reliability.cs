using LfrEngine.Evaluation.Calibration;

namespace LfrEngine.Lab.Output;

/// <summary>Searches with similar likelihood ratios. All ratios are base-10 logarithms.</summary>
/// <param name="Stated">The ratio that would be observed if every stated ratio were right.</param>
/// <param name="Observed">How much more often such a ratio occurs in mated than in non-mated searches.</param>
/// <param name="Low">95 %, by people.</param>
/// <param name="High">95 %, by people.</param>
/// <param name="Mated">People.</param>
/// <param name="NonMated">People.</param>
internal readonly record struct ReliabilityBin(double Stated, double Observed, double Low, double High, int Mated, int NonMated);

/// <summary>Compares stated with observed likelihood ratios.</summary>
internal static class Reliability
{
    private const double Width = 0.5;
    private const int Fewest = 5;
    private const int Replicates = 500;

    /// <summary>The bins as a curve.</summary>
    public static ReportSeries Of(string name, JudgedRatio[] ratios, int subjects, ulong seed)
    {
        ReliabilityBin[] bins = Bins(ratios, subjects, seed);
        return new ReportSeries(name, [.. bins.Select(b => b.Stated)], [.. bins.Select(b => b.Observed)], [.. bins.Select(b => b.Low)], [.. bins.Select(b => b.High)]);
    }

    /// <summary>One bin per half power of ten, if it has enough people of both kinds.</summary>
    public static ReliabilityBin[] Bins(JudgedRatio[] ratios, int subjects, ulong seed)
    {
        JudgedRatio[][] bins = [.. ratios.Where(r => r.IsSaid).GroupBy(r => (int)Math.Floor(r.Log / Math.Log(10) / Width)).OrderBy(g => g.Key).Select(g => g.ToArray()).Where(g => People(g, true) >= Fewest && People(g, false) >= Fewest)];
        if (bins.Length == 0)
            return [];
        Interval[] bands = Bootstrap.OfStatistics([.. ratios.Select(r => r.Subject).Distinct().Order()], subjects, seed, Observed, Replicates);
        double[] observed = Observed([.. Enumerable.Repeat(1.0, subjects)]);
        return [.. bins.Select((b, i) => new ReliabilityBin(Stated(b), observed[i], bands[i].Low, bands[i].High, People(b, true), People(b, false)))];

        static int People(JudgedRatio[] of, bool isMated) => of.Where(r => r.IsMated == isMated).Select(r => r.Subject).Distinct().Count();

        double[] Observed(double[] weights)
        {
            double mated = Sum(ratios, true), nonMated = Sum(ratios, false);
            return [.. bins.Select(b => Math.Log10(Sum(b, true) / mated / (Sum(b, false) / nonMated)))];

            double Sum(JudgedRatio[] of, bool isMated) => of.Sum(r => r.IsMated == isMated ? weights[r.Subject] * r.Weight : 0);
        }
    }

    // If every ratio were right, the ratio of a bin would be the mean over its non-mated searches, and also the harmonic mean over its mated ones. Both are estimates,
    // so their logarithms are averaged.
    private static double Stated(JudgedRatio[] bin)
    {
        return (Mean(bin.Where(r => !r.IsMated), 1) - Mean(bin.Where(r => r.IsMated), -1)) / 2 / Math.Log(10);

        static double Mean(IEnumerable<JudgedRatio> of, int sign) => Math.Log(of.Sum(r => r.Weight * Math.Exp(sign * r.Log)) / of.Sum(r => r.Weight));
    }
}
