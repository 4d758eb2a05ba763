using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Evidence;

/// <summary>What a laboratory vouches for: error rates of one model and build at thresholds, measured. The host signs it and checks it before it arms.</summary>
/// <param name="FormatVersion">Of this document.</param>
/// <param name="MadeAt">Wall clock.</param>
/// <param name="Protocol">identify, calibrate (a search with one still) or passages (a person walking past once).</param>
/// <param name="EmbedderId">For people.</param>
/// <param name="ModelSha256">Model id to hash; the embedder's decides which templates may be compared.</param>
/// <param name="EmbedderSha256">Hash of the embedder.</param>
/// <param name="BuildSha256">Program file to hash.</param>
/// <param name="DataSha256">Hash of the data.</param>
/// <param name="Seed">Of every random choice.</param>
/// <param name="Points">One per gallery size and threshold.</param>
/// <param name="Calibration">From scores of the embedder to likelihood ratios; null where none was measured.</param>
public sealed record EvidenceDocument(
    int FormatVersion,
    DateTimeOffset MadeAt,
    string Protocol,
    string EmbedderId,
    string EmbedderSha256,
    IReadOnlyDictionary<string, string> ModelSha256,
    IReadOnlyDictionary<string, string> BuildSha256,
    string DataSha256,
    ulong Seed,
    IReadOnlyList<OperatingPoint> Points,
    ScoreCalibration? Calibration = null)
{
    /// <summary>Of the documents written now.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The calibration, if it is for an embedder and of a format that this program knows.</summary>
    /// <param name="embedderSha256">Of the embedder that gave the score.</param>
    public ScoreCalibration? CalibrationFor(string embedderSha256) => EmbedderSha256 == embedderSha256 && Calibration is { FormatVersion: ScoreCalibration.CurrentFormat } ? Calibration : null;

    // Beyond this the measured searches say too little of a larger gallery's tail.
    private const int LargestGrowth = 10;

    /// <summary>The measured point for a threshold whose gallery is nearest in size to a list; null where the threshold was not measured.</summary>
    /// <param name="threshold">Inclusive; on a grid of 10⁻⁴.</param>
    /// <param name="listSize">People on the list.</param>
    public OperatingPoint? Find(double threshold, int listSize) => Points
        .Where(p => Math.Abs(p.Threshold - threshold) < 0.5 / ScoreHistogram.BinsPerUnit)
        .MinBy(p => Math.Abs(Math.Log((double)p.GallerySize / listSize)));

    /// <summary>False alerts to expect from passers-by who are on no list.</summary>
    /// <param name="point">From <see cref="Find"/>.</param>
    /// <param name="listSize">People on the list.</param>
    /// <param name="passersBy">Passages.</param>
    /// <returns>Null where the measured gallery is so much smaller or larger that the data cannot carry it.</returns>
    public static Expectation? Expect(OperatingPoint point, int listSize, long passersBy)
    {
        if (listSize > (long)point.GallerySize * LargestGrowth || point.GallerySize > (long)listSize * LargestGrowth)
            return null;
        double low = Grown(point.FpirLow), high = Grown(point.FpirHigh), rate = Grown(point.Fpir);
        // The rate is uncertain and so is the count it gives: the outer 95 % of the count at the bounds of the rate.
        return new Expectation(
            SpecialFunctions.PoissonQuantile(0.025, low * passersBy), SpecialFunctions.PoissonQuantile(0.975, high * passersBy), rate * passersBy,
            listSize != point.GallerySize);

        // 1 − (1 − FMR)^N at another N.
        double Grown(double fpir) => fpir >= 1 ? 1 : -Math.Exp(double.LogP1(-fpir) * listSize / point.GallerySize) + 1;
    }
}

/// <summary>Rates at one gallery size and threshold.</summary>
/// <param name="GallerySize">People enrolled.</param>
/// <param name="Threshold">Inclusive.</param>
/// <param name="FpirWanted">The rate it was chosen for, on other data; null where it was not chosen for one.</param>
/// <param name="Fpir">Non-mated searches or passages with a false candidate.</param>
/// <param name="FpirLow">95 %, by subject.</param>
/// <param name="FpirHigh">95 %, by subject.</param>
/// <param name="FalsePositives">Counted.</param>
/// <param name="NonMated">Attempts.</param>
/// <param name="Tpir">Mated searches or passages found.</param>
/// <param name="TpirLow">95 %, by subject.</param>
/// <param name="TpirHigh">95 %, by subject.</param>
/// <param name="TruePositives">Counted.</param>
/// <param name="Mated">Attempts.</param>
/// <param name="Groups">The same per group, where the data have groups.</param>
public sealed record OperatingPoint(
    int GallerySize, double Threshold, double? FpirWanted,
    double Fpir, double FpirLow, double FpirHigh, long FalsePositives, long NonMated,
    double Tpir, double TpirLow, double TpirHigh, long TruePositives, long Mated,
    IReadOnlyList<GroupRates> Groups);

/// <summary>Rates of one group.</summary>
/// <param name="Column">Such as sex or skin_tone.</param>
/// <param name="Group">Value.</param>
/// <param name="Fpir">Rate; null without attempts.</param>
/// <param name="FpirLow">95 %.</param>
/// <param name="FpirHigh">95 %.</param>
/// <param name="FalsePositives">Counted.</param>
/// <param name="NonMated">Attempts.</param>
/// <param name="Tpir">Rate; null without attempts.</param>
/// <param name="TpirLow">95 %.</param>
/// <param name="TpirHigh">95 %.</param>
/// <param name="TruePositives">Counted.</param>
/// <param name="Mated">Attempts.</param>
public sealed record GroupRates(
    string Column, string Group, double? Fpir, double FpirLow, double FpirHigh, long FalsePositives, long NonMated,
    double? Tpir, double TpirLow, double TpirHigh, long TruePositives, long Mated)
{
    /// <summary>From counts with their intervals.</summary>
    public static GroupRates From(string column, string group, Proportion fpir, Interval fpirInterval, Proportion tpir, Interval tpirInterval) => new(
        column, group, fpir.Total > 0 ? fpir.Rate : null, fpirInterval.Low, fpirInterval.High, fpir.Count, fpir.Total,
        tpir.Total > 0 ? tpir.Rate : null, tpirInterval.Low, tpirInterval.High, tpir.Count, tpir.Total);
}

/// <summary>False alerts to expect.</summary>
/// <param name="Low">Fewest, 95 %.</param>
/// <param name="High">Most, 95 %.</param>
/// <param name="Mean">On average, at the measured rate.</param>
/// <param name="OtherGallerySize">Whether the list differs in size from the gallery measured: then comparisons are taken to be independent.</param>
public sealed record Expectation(long Low, long High, double Mean, bool OtherGallerySize);
