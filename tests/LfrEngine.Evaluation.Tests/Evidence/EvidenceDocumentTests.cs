using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Evaluation.Tests.Evidence;

public sealed class EvidenceDocumentTests
{
    [Fact]
    public void Expect_MeasuredGallery_IsThePoissonRangeOfTheRatesBounds()
    {
        OperatingPoint point = Point(1000, 1e-5, 4e-6, 3e-5);

        Expectation expected = EvidenceDocument.Expect(point, 1000, 40_000)!;

        // SciPy: poisson.ppf(0.025, 0.16) and poisson.ppf(0.975, 1.2).
        double[] scipy = Oracle.Ask(new { what = "functions", p = Array.Empty<double>(), chi = Array.Empty<double[]>(), poisson = (double[][])[[0.025, 0.16], [0.975, 1.2]] })["poisson"]!.Numbers();
        Assert.Equal((scipy[0], scipy[1]), ((double)expected.Low, (double)expected.High));
        Assert.Equal(0.4, expected.Mean, 1e-9);
        Assert.False(expected.OtherGallerySize);
    }

    [Fact]
    public void Expect_LongerList_GrowsAsIndependentComparisonsWould()
    {
        Expectation expected = EvidenceDocument.Expect(Point(1000, 1e-3, 5e-4, 2e-3), 2000, 1000)!;

        Assert.Equal(1000 * (1 - Math.Pow(1 - 1e-3, 2)), expected.Mean, 1e-9);
        Assert.True(expected.OtherGallerySize);
    }

    [Fact]
    public void Expect_ListMuchLargerThanTheMeasured_IsRefused() => Assert.Null(EvidenceDocument.Expect(Point(1000, 1e-3, 5e-4, 2e-3), 10_001, 1000));

    [Theory]
    [InlineData(99)]
    [InlineData(1)]
    public void Expect_ListMuchSmallerThanTheMeasured_HasAtMostTheFalseAlertsOfTheWhole(int list)
    {
        Expectation whole = EvidenceDocument.Expect(Point(1000, 1e-3, 5e-4, 2e-3), 1000, 40_000)!, part = EvidenceDocument.Expect(Point(1000, 1e-3, 5e-4, 2e-3), list, 40_000)!;

        Assert.Equal((whole.High, true), (part.High, part.HighOfWholeGallery));
        Assert.Equal(40_000 * (1 - Math.Pow(1 - 1e-3, list / 1000.0)), part.Mean, 1e-9);
        Assert.True(part.Low <= part.Mean && part.Mean < part.High);
    }

    [Fact]
    public void Find_TwoGalleries_TakesTheNearerAndOnlyMeasuredThresholds()
    {
        var evidence = new EvidenceDocument(1, DateTimeOffset.UnixEpoch, "identify", "e", "", new Dictionary<string, string>(), new Dictionary<string, string>(), "", 1, [Point(100, 0, 0, 1), Point(1600, 0, 0, 1)]);

        Assert.Equal(100, evidence.Find(0.48, 300)!.GallerySize);
        Assert.Equal(1600, evidence.Find(0.48, 1200)!.GallerySize);
        Assert.Null(evidence.Find(0.481, 300));
    }

    private static OperatingPoint Point(int gallery, double fpir, double low, double high) => new(gallery, 0.48, null, fpir, low, high, 0, 1, 1, 0, 1, 1, 1, []);
}
