using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Evaluation.Statistics;
using Interval = LfrEngine.Evaluation.Statistics.Interval;

namespace LfrEngine.Evaluation.Tests.Statistics;

public sealed class RateTestTests
{
    [Fact]
    public void Tests_ManyTables_AreSciPys()
    {
        long[][] tables = [[3, 4, 1, 4], [0, 100, 5, 90], [12, 1000, 40, 1100], [1, 1_000_000, 9, 900_000], [0, 10, 0, 12], [50, 60, 10, 60], [200, 5000, 260, 5100]];
        long[][] discordant = [[0, 5], [3, 12], [10, 10], [40, 22]];
        double[][] visible = [[0.01, 500, 2000, 0.05], [0.2, 80, 80, 0.025], [1e-4, 300_000, 5_000_000, 0.01], [0.9, 5, 5, 0.05]];

        var answer = Oracle.Ask(new { what = "rate_tests", tables, discordant, visible });

        for (int i = 0; i < tables.Length; i++)
            Oracle.Close((double)answer["fisher"]![i]!, RateTests.FisherExact(new Proportion(tables[i][0], tables[i][1]), new Proportion(tables[i][2], tables[i][3])), 1e-6);
        for (int i = 0; i < discordant.Length; i++)
            Oracle.Close((double)answer["mcnemar"]![i]!, RateTests.McNemarExact(discordant[i][0], discordant[i][1]), 1e-9);
        for (int i = 0; i < visible.Length; i++)
        {
            double? own = RateTests.SmallestVisibleRatio(visible[i][0], (long)visible[i][1], (long)visible[i][2], visible[i][3]);
            Assert.Equal(answer["visible"]![i] is null, own is null);
            if (own is { } ratio)
                Oracle.Close((double)answer["visible"]![i]!, ratio, 1e-6);
        }
    }

    [Fact]
    public void RateRatio_ManyCounts_IsNearSciPysIntervalOfRelativeRisk()
    {
        long[][] tables = [[900, 1000, 850, 1000], [300, 1000, 200, 1000], [150, 10_000, 300, 12_000], [4500, 5000, 4400, 5000]];
        var answer = Oracle.Ask(new { what = "ratios", tables });

        for (int i = 0; i < tables.Length; i++)
        {
            Proportion a = new(tables[i][0], tables[i][1]), b = new(tables[i][2], tables[i][3]);
            Interval own = RateRatio.Of(a.Rate, a.Wilson(), b.Rate, b.Wilson());
            double[] katz = answer[i]!.Numbers();
            Oracle.Close(katz[0], own.Low, 0.02);
            Oracle.Close(katz[1], own.High, 0.02);
        }
    }

    [Theory]
    [InlineData(0.9, 0.8, 60, 60)]
    [InlineData(0.5, 0.5, 30, 200)]
    [InlineData(0.02, 0.01, 2000, 2000)]
    public void RateRatio_DrawnAgain_CoversTheTrueRatio(double p, double q, int n, int m)
    {
        const int Draws = 2000;
        var random = new Random(20_261_128);
        int covered = 0;
        for (int draw = 0; draw < Draws; draw++)
        {
            Proportion a = new(Count(p, n), n), b = new(Count(q, m), m);
            covered += RateRatio.Of(a.Rate, a.Wilson(), b.Rate, b.Wilson()).Contains(p / q) ? 1 : 0;
        }
        // 95 %, less four standard errors of 2000 draws.
        Assert.InRange(covered / (double)Draws, 0.93, 1);

        long Count(double rate, int attempts) => Enumerable.Range(0, attempts).Count(_ => random.NextDouble() < rate);
    }

    [Fact]
    public void RateRatio_RatesOfZero_AreUnbounded()
    {
        Proportion none = new(0, 20), some = new(5, 20);
        Assert.Equal((0, double.PositiveInfinity), (RateRatio.Of(0, none.Wilson(), some.Rate, some.Wilson()).Low, RateRatio.Of(some.Rate, some.Wilson(), 0, none.Wilson()).High));
        Assert.Equal(new Interval(0, double.PositiveInfinity), RateRatio.Of(0, none.Wilson(), 0, none.Wilson()));
    }

    // R. A. Fisher, The Design of Experiments (1935), the lady tasting tea: three of four right on both sides, 34 of 70 ways are as extreme.
    [Fact]
    public void Fisher_LadyTastingTea_IsThirtyFourSeventieths() =>
        Oracle.Close(34.0 / 70, RateTests.FisherExact(new Proportion(3, 4), new Proportion(1, 4)), 1e-9);

    // J. Cohen, Statistical Power Analysis (1988), chapter 6: 0.65 against 0.50 is h = 0.30; 80 % power at 0.05 takes 174 in each of two groups (table 6.4.1: 0.30, 174).
    [Fact]
    public void SmallestVisibleRatio_CohensMediumCase_IsHis() =>
        Assert.Equal(0.65 / 0.50, RateTests.SmallestVisibleRatio(0.5, 174, 174, 0.05)!.Value, 0.01);

    // S. Holm, Scandinavian Journal of Statistics 6 (1979): 0.005, 0.01, 0.03, 0.04 are multiplied by 4, 3, 2, 1 and never fall.
    [Fact]
    public void Holm_FourTests_StepsDown()
    {
        double[] corrected = RateTests.Holm([0.01, 0.04, 0.03, 0.005]);

        double[] expected = [0.03, 0.06, 0.06, 0.02];
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], corrected[i], 1e-12);
    }

    [Fact]
    public void Holm_AnyProbabilities_KeepsOrderAndNeverHelps()
    {
        Prop.ForAll(Gen.Choose(0, 1000).Select(i => i / 1000.0).ArrayOf().ToArbitrary(), probabilities =>
        {
            double[] corrected = RateTests.Holm(probabilities);
            for (int i = 0; i < corrected.Length; i++)
            {
                if (corrected[i] < probabilities[i] || corrected[i] > 1)
                    return false;
                for (int j = 0; j < corrected.Length; j++)
                {
                    if (probabilities[i] < probabilities[j] && corrected[i] > corrected[j])
                        return false;
                }
            }
            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Fisher_Swapped_IsTheSame()
    {
        Gen<Proportion> counts = Gen.Choose(1, 200).SelectMany(n => Gen.Choose(0, n).Select(k => new Proportion(k, n)));
        Prop.ForAll(counts.Zip(counts).ToArbitrary(), pair =>
        {
            (Proportion a, Proportion b) = pair;
            double p = RateTests.FisherExact(a, b);
            return p is >= 0 and <= 1 && Math.Abs(p - RateTests.FisherExact(b, a)) < 1e-9;
        }).QuickCheckThrowOnFailure();
    }
}
