using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Verification;

namespace LfrEngine.Evaluation.Tests.Verification;

public sealed class VerificationResultTests
{
    private static readonly ImagePair[] s_pairs = [new("a1", "a2", true, 0), new("a1", "b1", false, 0), new("b1", "b2", true, 1), new("b1", "a2", false, 1)];

    [Fact]
    public void Compute_AllTies_IsFinite()
    {
        VerificationResult result = VerificationResult.Compute(s_pairs, [0.5f, 0.5f, 0.5f, 0.5f]);

        Assert.All((double[])[result.Accuracy, result.AccuracyDeviation, result.MeanThreshold, result.TmrAtFmr001, result.ThresholdAtFmr001], v => Assert.True(double.IsFinite(v)));
        Assert.Equal(0.5, result.Accuracy);
    }

    [Theory]
    [InlineData(new[] { -1f, -1f, -1f, -1f }, "mated")]
    [InlineData(new[] { -1f, 0.1f, -1f, 0.2f }, "None of the 2 mated")]
    [InlineData(new[] { 0.9f, -1f, 0.8f, -1f }, "None of the 2 non-mated")]
    public void Compute_NothingWasCompared_IsNoStatistic(float[] scores, string said) =>
        Assert.Contains(said, Assert.Throws<DataException>(() => VerificationResult.Compute(s_pairs, scores)).Message, StringComparison.Ordinal);

    [Fact]
    public void Compute_OneFoldOrOneKind_IsNoStatistic()
    {
        Assert.Throws<DataException>(() => VerificationResult.Compute(s_pairs[..2], [0.9f, 0.1f]));
        Assert.Throws<DataException>(() => VerificationResult.Compute([s_pairs[0], s_pairs[2]], [0.9f, 0.8f]));
        Assert.Throws<DataException>(() => VerificationResult.Compute([], []));
    }
}
