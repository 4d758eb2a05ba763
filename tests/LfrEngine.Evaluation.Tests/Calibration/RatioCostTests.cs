using System.Text.Json.Nodes;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Calibration;

/// <summary>Fit and cost against scikit-learn.</summary>
public sealed class RatioCostTests
{
    [Fact]
    public void FitAndCosts_SameNumbers_AreScikitLearns()
    {
        const double Prior = 0.01;
        var random = new SeededRandom(3);
        bool[] labels = [.. Enumerable.Range(0, 600).Select(_ => random.Next(3) == 0)];
        double[][] features = [.. labels.Select(l => new[] { (l ? 0.6 : 0.1) + (0.2 * random.NextNormal()), random.NextDouble(), Math.Log(1 + random.Next(1000)) })];
        double[] weights = [.. labels.Select(l => (l ? Prior / labels.Count(x => x) : (1 - Prior) / labels.Count(x => !x)))];
        // Ratios with ties, and so far off that calibration would help.
        double[] ratios = [.. features.Select(f => Math.Round((20 * f[0]) - 6, 1))];

        JsonNode expected = Oracle.Ask(new { what = "calibration", features, labels, weights, ridge = LogisticRegression.Ridge, ratios, ratioLabels = labels, prior = Prior });

        double[] fit = LogisticRegression.Fit([.. features.SelectMany(f => f.Prepend(1))], labels, weights);
        foreach ((double e, double a) in expected["weights"]!.Numbers().Zip(fit))
            Assert.Equal(e, a, 2e-4 * Math.Max(1, Math.Abs(e)));
        JudgedRatio[] judged = [.. ratios.Select((r, i) => new JudgedRatio(i, labels[i], r))];
        RatioCost cost = RatioCost.Compute(judged, judged.Length, seed: 1, replicates: 20)!;
        Oracle.Close((double)expected["cllr"]!, cost.Cllr);
        Oracle.Close((double)expected["min"]!, cost.CllrMin);
        Oracle.Close((double)expected["ece"]!, RatioCost.CrossEntropy(judged, Math.Log(Prior / (1 - Prior))));
        Assert.True(cost.CalibrationLoss > 0.01);
    }

    [Fact]
    public void Compute_NoStatement_CostsOneBitAndCannotBeImproved()
    {
        RatioCost cost = RatioCost.Compute(Enumerable.Range(0, 40).Select(i => new JudgedRatio(i, i % 4 == 0, 0)), 40, seed: 1)!;

        Assert.Equal(1, cost.Cllr, 1e-12);
        Assert.Equal(1, cost.CllrMin, 1e-12);
        Assert.Null(RatioCost.Compute([new JudgedRatio(0, true, 1), new JudgedRatio(1, true, 2)], 2, seed: 1));
    }

    [Fact]
    public void Compute_MatesOfWhomNothingIsSaid_CostWhatSilenceCosts()
    {
        // Nine of ten mates come first with a ratio of a million: the tenth costs its bit, and no recalibration of the others saves it.
        JudgedRatio[] ratios = [.. Enumerable.Range(0, 20).Select(i => new JudgedRatio(i, i < 10, i < 9 ? 14 : i == 9 ? 0 : -14, 1, i != 9))];

        RatioCost cost = RatioCost.Compute(ratios, 20, seed: 1)!;

        Assert.Equal(0.05, cost.Cllr, 1e-5);
        Assert.Equal(0.05, cost.CllrMin, 1e-12);
        Assert.Equal((9L, 10L), (cost.Mated, cost.NonMated));
    }

    [Fact]
    public void Compute_HalfTheWeight_CountsAsHalfAsMany()
    {
        // Each of the first ten twice with half the weight is each once.
        JudgedRatio[] once = [.. Enumerable.Range(0, 20).Select(i => new JudgedRatio(i, i % 2 == 0, ((i * 7) % 20) - 9.5))];
        JudgedRatio[] twice = [.. once.Take(10).SelectMany(r => new[] { r with { Weight = 0.5 }, r with { Weight = 0.5 } }), .. once.Skip(10)];

        RatioCost a = RatioCost.Compute(once, 20, seed: 1)!, b = RatioCost.Compute(twice, 20, seed: 1)!;

        Assert.Equal((a.Cllr, a.CllrMin), (b.Cllr, b.CllrMin));
        Assert.Equal(a.CllrInterval.High, b.CllrInterval.High, 1e-9);
    }

    [Fact]
    public void OfStatistics_MeansOfPeople_AreNumpysWithinItsNoise()
    {
        var random = new SeededRandom(8);
        double[] counts = [.. Enumerable.Range(0, 120).Select(_ => 1.0 + random.Next(6))], sums = [.. counts.Select(c => c * (0.2 + random.NextDouble()))];

        double[] expected = Oracle.Ask(new { what = "statistic_bootstrap", sums, counts }).Numbers();

        Interval own = Bootstrap.OfStatistics([.. Enumerable.Range(0, 120)], 120, seed: 5, weights => [weights.Zip(sums).Sum(p => p.First * p.Second) / weights.Zip(counts).Sum(p => p.First * p.Second)])[0];
        double width = expected[1] - expected[0];
        Assert.Equal(expected[0], own.Low, 0.08 * width);
        Assert.Equal(expected[1], own.High, 0.08 * width);
    }
}
