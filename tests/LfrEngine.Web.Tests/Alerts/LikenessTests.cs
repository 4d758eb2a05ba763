using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Alerts;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>Scores in words.</summary>
public sealed class LikenessTests
{
    [Theory]
    [InlineData(0.48, Likeness.Fair)]
    [InlineData(0.549, Likeness.Fair)]
    [InlineData(0.55, Likeness.Strong)]
    [InlineData(0.599, Likeness.Strong)]
    [InlineData(0.60, Likeness.VeryStrong)]
    [InlineData(0.99, Likeness.VeryStrong)]
    public void Of_EvidenceAboveTheThreshold_SaysHowMuchRarer(double score, Likeness word) =>
        Assert.Equal(word, Likenesses.Of(score, 0.48, Evidence((0.48, 0.01, 0.012), (0.50, 0.004, 0.006), (0.55, 0.0004, 0.001), (0.60, 0, 0.00009)), 1000));

    [Fact]
    public void Of_FewSearches_NoErrorIsNoProof() =>
        Assert.Equal(Likeness.Ungraded, Likenesses.Of(0.9, 0.48, Evidence((0.48, 0.01, 0.012), (0.60, 0, 0.03)), 1000));

    [Theory]
    [InlineData(0.48)]
    [InlineData(0.62)]
    [InlineData(0.99)]
    public void Of_NoEvidenceAboveTheThreshold_IsTooLittleToGrade(double score)
    {
        Assert.Equal(Likeness.Ungraded, Likenesses.Of(score, 0.48, null, 1000));
        Assert.Equal(Likeness.Ungraded, Likenesses.Of(score, 0.48, Evidence((0.48, 0.01, 0.012)), 1000));
        Assert.Equal(Likeness.Ungraded, Likenesses.Of(score, 0.48, Evidence((0.48, 0, 0.0003), (0.5, 0, 0.0003)), 1000));
    }

    internal static EvidenceDocument Evidence(params (double Threshold, double Fpir, double FpirHigh)[] points) => new(
        EvidenceDocument.CurrentFormat, DateTimeOffset.UnixEpoch, "passages", "e", "00", new Dictionary<string, string>(), new Dictionary<string, string>(), "00", 1,
        [.. points.Select(p => new OperatingPoint(1000, p.Threshold, null, p.Fpir, 0, p.FpirHigh, 0, 10_000, 0.9, 0.85, 0.94, 90, 100, []))]);
}
