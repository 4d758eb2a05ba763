using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Evaluation.Statistics;
using Interval = LfrEngine.Evaluation.Statistics.Interval;

namespace LfrEngine.Evaluation.Tests.Statistics;

public sealed class IntervalTests
{
    [Fact]
    public void Intervals_ManyCounts_AreSciPys()
    {
        (long K, long N)[] counts =
        [
            (0, 1), (1, 1), (0, 20), (1, 29), (15, 148), (81, 263), (999, 1000), (3, 4_900), (32, 3_622_669), (0, 14_000_000), (140_000, 14_000_000),
            (50, 5_000_000_000), (2_500_000_000, 5_000_000_000),
        ];

        var answer = Oracle.Ask(new { what = "intervals", counts = counts.Select(c => new[] { c.K, c.N }) }).AsArray();

        for (int i = 0; i < counts.Length; i++)
        {
            var proportion = new Proportion(counts[i].K, counts[i].N);
            Interval exact = proportion.ClopperPearson(), wilson = proportion.Wilson();
            // Where both counts are enormous, ln Γ has only so many digits; a millionth of the bound moves no decision.
            double tolerance = counts[i].N > 1_000_000 ? 1e-6 : 1e-9;
            Oracle.Close((double)answer[i]![0]!, exact.Low, tolerance);
            Oracle.Close((double)answer[i]![1]!, exact.High, tolerance);
            if (answer[i]![2] is { } low)
            {
                Oracle.Close((double)low, wilson.Low, 1e-8);
                Oracle.Close((double)answer[i]![3]!, wilson.High, 1e-8);
            }
        }
    }

    // R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I: methods 3 and 5.
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662, 0.2527, 0.3676)]
    [InlineData(15, 148, 0.0624, 0.1605, 0.0578, 0.1617)]
    [InlineData(0, 20, 0.0000, 0.1611, 0.0000, 0.1684)]
    [InlineData(1, 29, 0.0061, 0.1718, 0.0009, 0.1776)]
    public void Intervals_NewcombesExamples_AreHis(long count, long total, double wilsonLow, double wilsonHigh, double exactLow, double exactHigh)
    {
        Interval wilson = new Proportion(count, total).Wilson(), exact = new Proportion(count, total).ClopperPearson();

        Assert.Equal((wilsonLow, wilsonHigh), (Math.Round(wilson.Low, 4), Math.Round(wilson.High, 4)));
        Assert.Equal((exactLow, exactHigh), (Math.Round(exact.Low, 4), Math.Round(exact.High, 4)));
    }

    // J. A. Hanley and A. Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249 (1983): 3/n, near the exact one-sided bound from n = 30 on.
    [Theory]
    [InlineData(30)]
    [InlineData(100)]
    [InlineData(1_000_000)]
    public void RuleOfThree_NoErrors_IsTheOneSidedExactBound(long attempts)
    {
        double exact = new Proportion(0, attempts).ClopperPearson(confidence: 0.90).High;

        Assert.InRange(Proportion.RuleOfThree(attempts) / exact, 1, 1.06);
    }

    // G. R. Doddington et al., Speech Communication 31 (2000): with 30 errors the true rate lies within 30 % with 90 % confidence.
    [Fact]
    public void RuleOfThirty_ThirtyErrors_IsThirtyPercent()
    {
        var proportion = new Proportion(Proportion.RuleOfThirty, 30_000_000);
        Interval interval = proportion.Wilson(confidence: 0.90);

        Assert.True(proportion.IsFirm);
        Assert.False(new Proportion(29, 30_000_000).IsFirm);
        Assert.InRange(interval.Low / proportion.Rate, 0.70, 0.76);
        Assert.InRange(interval.High / proportion.Rate, 1.30, 1.36);
    }

    [Fact]
    public void Functions_ManyArguments_AreSciPys()
    {
        double[] p = [1e-9, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999];
        double[][] chi = [[0.1, 1], [3.84, 1], [11.07, 5], [80, 3], [1, 20]];
        double[][] poisson = [[0.025, 0.3], [0.975, 0.3], [0.975, 4], [0.025, 40], [0.975, 12345]];

        var answer = Oracle.Ask(new { what = "functions", p, chi, poisson });

        double[] normal = answer["normal"]!.Numbers(), upper = answer["chi"]!.Numbers(), counts = answer["poisson"]!.Numbers();
        for (int i = 0; i < p.Length; i++)
            Assert.Equal(normal[i], SpecialFunctions.NormalQuantile(p[i]), 1e-6);
        for (int i = 0; i < chi.Length; i++)
            Oracle.Close(upper[i], SpecialFunctions.GammaUpper(chi[i][1] / 2, chi[i][0] / 2), 1e-8);
        for (int i = 0; i < poisson.Length; i++)
            Assert.Equal(counts[i], SpecialFunctions.PoissonQuantile(poisson[i][0], poisson[i][1]));
    }

    [Fact]
    public void Intervals_AnyCounts_HoldTheRateAndMirror()
    {
        Prop.ForAll(Counts, c =>
        {
            var proportion = new Proportion(c.K, c.N);
            var mirrored = new Proportion(c.N - c.K, c.N);
            foreach ((Interval one, Interval other) in new[] { (proportion.ClopperPearson(), mirrored.ClopperPearson()), (proportion.Wilson(), mirrored.Wilson()) })
            {
                if (!one.Contains(proportion.Rate) || one.Low < 0 || one.High > 1 || Math.Abs(one.Low - (1 - other.High)) > 1e-9)
                    return false;
            }
            // The exact interval is never narrower than the rate's neighbours allow: one more error moves both bounds up.
            return c.K == c.N || new Proportion(c.K + 1, c.N).ClopperPearson() is var next && next.Low >= proportion.ClopperPearson().Low && next.High >= proportion.ClopperPearson().High;
        }).QuickCheckThrowOnFailure();
    }

    private static Arbitrary<(long K, long N)> Counts =>
        Gen.Choose(1, 5000).SelectMany(n => Gen.Choose(0, n).Select(k => ((long)k, (long)n))).ToArbitrary();
}
