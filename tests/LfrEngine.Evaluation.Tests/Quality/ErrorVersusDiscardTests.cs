using LfrEngine.Evaluation.Quality;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Quality;

public sealed class ErrorVersusDiscardTests
{
    [Fact]
    public void Compute_PerfectComponent_DiscardsTheErrorsFirst()
    {
        double[] fitness = [.. Enumerable.Range(0, 100).Select(i => (double)i)];
        bool[] erred = [.. Enumerable.Range(0, 100).Select(i => i < 10)];

        ErrorVersusDiscard curve = ErrorVersusDiscard.Compute("perfect", fitness, erred);

        Assert.Equal(0.1, curve.Fnmr[0].Rate);
        // One in a hundred discarded at each step.
        for (int gone = 0; gone <= 50; gone++)
            Assert.Equal(new Proportion(Math.Max(0, 10 - gone), 100 - gone), curve.Fnmr[gone]);
        Assert.True(curve.PartialArea < 0.3);
    }

    [Fact]
    public void Compute_EqualFitness_IsBlindToOrder()
    {
        double[] fitness = new double[200];
        bool[] erred = [.. Enumerable.Range(0, 200).Select(i => i < 40)], reversed = [.. erred.Reverse()];

        ErrorVersusDiscard curve = ErrorVersusDiscard.Compute("useless", fitness, erred);

        Assert.Equal(curve.Fnmr, ErrorVersusDiscard.Compute("useless", fitness, reversed).Fnmr);
        Assert.All(curve.Fnmr, f => Assert.Equal(0.2, f.Rate, 0.005));
        Assert.Equal(1, curve.PartialArea, 0.02);
    }
}
