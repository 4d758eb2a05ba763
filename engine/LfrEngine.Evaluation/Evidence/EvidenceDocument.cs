using System.Text.Json;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Files;

namespace LfrEngine.Evaluation.Evidence;

/// <summary>Error rates of one model and build at several thresholds, measured by a laboratory. The laboratory signs it; the host verifies it before a deployment starts.</summary>
/// <param name="FormatVersion">Format of this document.</param>
/// <param name="MadeAt">When it was made.</param>
/// <param name="Protocol">identify, calibrate (a search with one still) or passages (a person walking past once).</param>
/// <param name="EmbedderId">Name of the embedder.</param>
/// <param name="ModelSha256">Hash by model id.</param>
/// <param name="EmbedderSha256">Hash of the embedder, which decides which templates may be compared.</param>
/// <param name="BuildSha256">Hash by program file.</param>
/// <param name="DataSha256">Hash of the data.</param>
/// <param name="Seed">Seed of all random choices.</param>
/// <param name="Points">One per gallery size and threshold.</param>
/// <param name="Calibration">Converts scores to likelihood ratios; null if none was measured.</param>
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
    /// <summary>The current format.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Name of the evidence in its signed file.</summary>
    public const string Property = "evidence";

    /// <summary>Name of such a file, for messages.</summary>
    public const string Kind = "evidence file";

    /// <summary>Reads a file that a laboratory has signed.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">Its path, for messages.</param>
    /// <param name="trustedPem">Public key of the laboratory's installation, PEM.</param>
    /// <exception cref="SignedFileException">It is damaged, altered, signed by another key, or in an unknown format.</exception>
    public static EvidenceDocument Read(ReadOnlyMemory<byte> file, string name, string trustedPem)
    {
        EvidenceDocument evidence = SignedFile.Read(file, name, Property, Kind, trustedPem, EvidenceJson.Lines.EvidenceDocument);
        if (evidence.FormatVersion != CurrentFormat)
            throw new SignedFileException(SignedFileFault.NotOne, $"{name} is of format {evidence.FormatVersion}; this program reads {CurrentFormat}.");
        // The reader leaves omitted properties null.
        bool whole = (evidence is { Protocol: not null, EmbedderId: not null, EmbedderSha256: not null, ModelSha256: not null, BuildSha256: not null, DataSha256: not null, Points: not null }
            && evidence.Points.All(p => p is { Groups: not null, GallerySize: > 0, Fpir: >= 0 and <= 1, Tpir: >= 0 and <= 1 } && p.Groups.All(g => g is { Column: not null, Group: not null })))
            && evidence.Calibration is null or { IsUsable: true };
        return whole ? evidence : throw new SignedFileException(SignedFileFault.NotOne, $"{name} is signed, but a part of it is missing or a rate is not valid. Ask the laboratory for a new file.");
    }

    /// <summary>The text that is signed.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EvidenceJson.Lines.EvidenceDocument);

    /// <summary>The calibration, if it belongs to the embedder and has a known format; otherwise null.</summary>
    /// <param name="embedderSha256">Hash of the embedder that made the score.</param>
    public ScoreCalibration? CalibrationFor(string embedderSha256) => EmbedderSha256 == embedderSha256 && Calibration is { FormatVersion: ScoreCalibration.CurrentFormat } ? Calibration : null;

    // Beyond this many times the measured size, comparisons can no longer be taken as independent.
    private const int LargestGrowth = 10;

    /// <summary>The measured point for a threshold whose gallery size is nearest to that of a list; null if the threshold was not measured.</summary>
    /// <param name="threshold">Inclusive; on a grid of 10⁻⁴.</param>
    /// <param name="listSize">People on the list.</param>
    public OperatingPoint? Find(double threshold, int listSize) => Points
        .Where(p => Math.Abs(p.Threshold - threshold) < 0.5 / ScoreHistogram.BinsPerUnit)
        .MinBy(p => Math.Abs(Math.Log((double)p.GallerySize / listSize)));

    /// <summary>The largest list that a measurement covers.</summary>
    public static long LargestCovered(OperatingPoint point) => (long)point.GallerySize * LargestGrowth;

    /// <summary>Expected number of false alerts for passers-by who are not listed.</summary>
    /// <param name="point">From <see cref="Find"/>.</param>
    /// <param name="listSize">People on the list.</param>
    /// <param name="passersBy">Number of passages.</param>
    /// <remarks>A list that is much smaller is a part of a gallery like the measured one: whoever matches nobody in the whole matches nobody in a part. So its rate is at most the measured one, whatever is assumed; that is then the upper bound.</remarks>
    /// <returns>Null if the list is much larger than the measured gallery.</returns>
    public static Expectation? Expect(OperatingPoint point, int listSize, long passersBy)
    {
        if (listSize > LargestCovered(point))
            return null;
        bool muchSmaller = point.GallerySize > (long)listSize * LargestGrowth;
        double low = Grown(point.FpirLow), high = muchSmaller ? point.FpirHigh : Grown(point.FpirHigh), rate = Grown(point.Fpir);
        // Both the rate and the resulting count are uncertain: 95 % bounds of the count at the 95 % bounds of the rate.
        return new Expectation(
            SpecialFunctions.PoissonQuantile(0.025, low * passersBy), SpecialFunctions.PoissonQuantile(0.975, high * passersBy), rate * passersBy,
            listSize != point.GallerySize, muchSmaller);

        // 1 − (1 − FMR)^N for another N.
        double Grown(double fpir) => fpir >= 1 ? 1 : -Math.Exp(double.LogP1(-fpir) * listSize / point.GallerySize) + 1;
    }
}

/// <summary>Rates at one gallery size and threshold.</summary>
/// <param name="GallerySize">People enrolled.</param>
/// <param name="Threshold">Inclusive.</param>
/// <param name="FpirWanted">The rate for which the threshold was chosen, on other data; null if it was not chosen for a rate.</param>
/// <param name="Fpir">Non-mated searches or passages with a false candidate.</param>
/// <param name="FpirLow">95 %, by subject.</param>
/// <param name="FpirHigh">95 %, by subject.</param>
/// <param name="FalsePositives">Number of false positives.</param>
/// <param name="NonMated">Number of non-mated attempts.</param>
/// <param name="Tpir">Mated searches or passages found.</param>
/// <param name="TpirLow">95 %, by subject.</param>
/// <param name="TpirHigh">95 %, by subject.</param>
/// <param name="TruePositives">Number found.</param>
/// <param name="Mated">Number of mated attempts.</param>
/// <param name="Groups">The same per group; empty if the data have no groups.</param>
public sealed record OperatingPoint(
    int GallerySize, double Threshold, double? FpirWanted,
    double Fpir, double FpirLow, double FpirHigh, long FalsePositives, long NonMated,
    double Tpir, double TpirLow, double TpirHigh, long TruePositives, long Mated,
    IReadOnlyList<GroupRates> Groups)
{
    internal static OperatingPoint From(int gallerySize, double threshold, double? fpirWanted, MeasuredRate fpir, MeasuredRate tpir, IReadOnlyList<GroupRates> groups) => new(
        gallerySize, threshold, fpirWanted, fpir.RateOrZero, fpir.Interval.Low, fpir.Interval.High, fpir.Counts.Count, fpir.Counts.Total,
        tpir.RateOrZero, tpir.Interval.Low, tpir.Interval.High, tpir.Counts.Count, tpir.Counts.Total, groups);
}

/// <summary>Rates of one group.</summary>
/// <param name="Column">Name of the column, such as sex or skin_tone.</param>
/// <param name="Group">Value in that column.</param>
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
    internal static GroupRates From(string column, string group, MeasuredRate fpir, MeasuredRate tpir) => new(
        column, group, fpir.Counts.Total > 0 ? fpir.Counts.Rate : null, fpir.Interval.Low, fpir.Interval.High, fpir.Counts.Count, fpir.Counts.Total,
        tpir.Counts.Total > 0 ? tpir.Counts.Rate : null, tpir.Interval.Low, tpir.Interval.High, tpir.Counts.Count, tpir.Counts.Total);
}

/// <summary>Expected number of false alerts.</summary>
/// <param name="Low">Lower bound, 95 %.</param>
/// <param name="High">Upper bound, 95 %.</param>
/// <param name="Mean">Mean at the measured rate.</param>
/// <param name="OtherGallerySize">Whether the list and the measured gallery differ in size; then comparisons are assumed to be independent.</param>
/// <param name="HighOfWholeGallery">Whether <paramref name="High"/> is that of the whole measured gallery, because the list is much smaller.</param>
public sealed record Expectation(long Low, long High, double Mean, bool OtherGallerySize, bool HighOfWholeGallery);
