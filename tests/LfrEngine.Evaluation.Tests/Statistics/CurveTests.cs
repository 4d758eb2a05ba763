using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Statistics;

public sealed class CurveTests
{
    [Fact]
    public void Rates_RandomScores_AreScikitLearns()
    {
        var random = new SeededRandom(7);
        // Scores on the grid, so that both count the same.
        float[] mated = [.. Enumerable.Range(0, 700).Select(_ => OnGrid(0.6 + (0.15 * random.NextNormal())))];
        float[] nonMated = [.. Enumerable.Range(0, 4000).Select(_ => OnGrid(0.05 + (0.15 * random.NextNormal())))];
        (ScoreHistogram genuine, ScoreHistogram impostors) = (Of(mated), Of(nonMated));

        var answer = Oracle.Ask(new { what = "curve", mated = mated.Select(Grid), nonMated = nonMated.Select(Grid) });

        double[] fpr = answer["fpr"]!.Numbers(), fnr = answer["fnr"]!.Numbers(), thresholds = answer["thresholds"]!.Numbers();
        Assert.True(thresholds.Length > 100);
        for (int i = 0; i < thresholds.Length; i++)
        {
            Assert.Equal(fpr[i], impostors.AtLeast(thresholds[i]).Rate, 1e-12);
            Assert.Equal(fnr[i], genuine.Below(thresholds[i]).Rate, 1e-12);
        }
        Assert.Equal((double)answer["eer"]!, DetCurve.EqualErrorRate(impostors, genuine), 1e-3);
    }

    [Fact]
    public void Histogram_EveryFloatNearAnEdge_CountsAsTheEngineCompares()
    {
        for (int bin = 1; bin < ScoreHistogram.BinCount; bin++)
        {
            float threshold = (float)ScoreHistogram.EdgeOf(bin);
            foreach (float score in (float[])[MathF.BitDecrement(threshold), threshold, MathF.BitIncrement(threshold)])
                Assert.Equal(score >= threshold, ScoreHistogram.BinOf(score) >= ScoreHistogram.BinOfThreshold(ScoreHistogram.EdgeOf(bin)));
        }
        Assert.Equal(0, ScoreHistogram.BinOf(float.NaN));
        Assert.Equal(0, ScoreHistogram.BinOf(-3));
        Assert.Equal(ScoreHistogram.BinCount - 1, ScoreHistogram.BinOf(1.0000002f));
    }

    [Fact]
    public void Rates_AnyScores_AreMonotoneAndBlindToOrder()
    {
        Gen<float[]> scores = Gen.Choose(-10_000, 10_000).Select(i => i / 10_000f).ArrayOf().Where(a => a.Length > 0);
        Prop.ForAll(scores.Zip(scores).ToArbitrary(), pair =>
        {
            (float[] mated, float[] nonMated) = pair;
            (ScoreHistogram genuine, ScoreHistogram impostors) = (Of(mated), Of(nonMated));
            ScoreHistogram reversed = Of([.. nonMated.Reverse()]);
            double lastFmr = 1, lastFnmr = 0;
            for (double threshold = -1; threshold <= 1; threshold = Math.Round(threshold + 0.01, 4))
            {
                double fmr = impostors.AtLeast(threshold).Rate, fnmr = genuine.Below(threshold).Rate;
                if (fmr > lastFmr || fnmr < lastFnmr || fmr != reversed.AtLeast(threshold).Rate)
                    return false;
                (lastFmr, lastFnmr) = (fmr, fnmr);
            }
            IReadOnlyList<DetPoint> curve = DetCurve.Compute(impostors, genuine);
            double eer = DetCurve.EqualErrorRate(impostors, genuine);
            return eer is >= 0 and <= 1 && curve.All(p => p.FalsePositiveBand.Contains(p.FalsePositives.Rate) && p.FalseNegativeBand.Contains(p.FalseNegatives.Rate));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Threshold_WantedRate_IsTheSmallestThatKeepsIt()
    {
        var random = new SeededRandom(3);
        ScoreHistogram impostors = Of([.. Enumerable.Range(0, 20_000).Select(_ => (float)(0.15 * random.NextNormal()))]);

        foreach (double wanted in (double[])[0.1, 0.01, 0.001])
        {
            ThresholdChoice choice = ThresholdChoice.For(impostors, wanted);

            Assert.NotNull(choice.Threshold);
            Assert.True(choice.Observed.Rate <= wanted);
            Assert.True(impostors.AtLeast(choice.Threshold.Value - 0.0001).Rate > wanted);
            Assert.Equal(choice.Observed.ClopperPearson(), choice.Interval);
        }
    }

    [Fact]
    public void Threshold_BeyondTheData_IsRefusedWithWhatItWouldTake()
    {
        var random = new SeededRandom(3);
        ScoreHistogram impostors = Of([.. Enumerable.Range(0, 2_000).Select(_ => (float)(0.15 * random.NextNormal()))]);

        ThresholdChoice choice = ThresholdChoice.For(impostors, 1e-3);

        Assert.Null(choice.Threshold);
        Assert.Contains("2000", choice.Refusal, StringComparison.Ordinal);
        Assert.Contains("3000", choice.Refusal, StringComparison.Ordinal);
        Assert.NotNull(ThresholdChoice.For(impostors, 1.5e-3).Threshold);
    }

    private static double Grid(float score) => Math.Round(score, 4);

    private static float OnGrid(double score) => (float)Math.Round(Math.Clamp(score, -1, 1), 4);

    private static ScoreHistogram Of(IEnumerable<float> scores)
    {
        var histogram = new ScoreHistogram();
        foreach (float score in scores)
            histogram.Add(score);
        return histogram;
    }
}
