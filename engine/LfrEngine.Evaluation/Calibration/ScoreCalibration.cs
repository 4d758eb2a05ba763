using System.Globalization;
using System.Text.Json.Serialization;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>How many times more likely the candidate comes first with this score if it is the person than the best of a list of strangers has this score.</summary>
/// <param name="Log">Natural logarithm.</param>
/// <param name="AtBound">Whether the ratio is at the limit of what the data support: it is at least this (or, if below 1, at most).</param>
/// <param name="ListSize">People on the list.</param>
public readonly record struct LikelihoodRatio(double Log, bool AtBound, int ListSize)
{
    /// <summary>Base 10.</summary>
    public double Log10 => Log / Math.Log(10);
}

/// <summary>One term: the product of its factors, weighted.</summary>
/// <param name="Factors">Names that <see cref="CalibrationFactor.Find"/> knows; none for the constant.</param>
/// <param name="Weight">In natural logarithms.</param>
public sealed record CalibrationTerm(IReadOnlyList<string> Factors, double Weight)
{
    /// <summary>Product of the factors.</summary>
    internal double Of(in ComparisonTraits traits)
    {
        double product = 1;
        foreach (string factor in Factors)
            product *= CalibrationFactor.Find(factor)!(traits);
        return product;
    }
}

/// <summary>The factors of which a term may consist.</summary>
internal static class CalibrationFactor
{
    /// <summary>Name of the factor for the size of the list.</summary>
    public const string ListSize = "logListSize";

    private const string RampStart = "score from ", RampMiddle = " to ", RampBeyond = " and beyond";

    // The smallest face that is compared, and the size from which on more pixels do not help.
    private const double FewestPixels = 6, EnoughPixels = 40;

    private static readonly Dictionary<string, Func<ComparisonTraits, double>> s_named = new()
    {
        ["score"] = t => t.Score,
        [ListSize] = t => Math.Log(t.ListSize),
        ["lowerFaceCovered"] = t => Share(t.Cover.LowerFace),
        ["eyesCovered"] = t => Share(t.Cover.Eyes),
        ["browCovered"] = t => Share(t.Cover.Brow),
        // Natural logarithm of the factor by which the pixels between the eyes fall short.
        ["smallness"] = t => Math.Log(EnoughPixels / Math.Clamp(double.IsFinite(t.InterEyePixels) ? t.InterEyePixels : FewestPixels, FewestPixels, EnoughPixels)),
        ["poorness"] = t => 1 - Share(t.Quality),
    };

    /// <summary>The factor with a name; null if there is none.</summary>
    public static Func<ComparisonTraits, double>? Find(string? name) =>
        name is null ? null : s_named.TryGetValue(name, out Func<ComparisonTraits, double>? named) ? named
        : TryReadRamp(name, out double from, out double to, out bool isOpen) ? t => Math.Clamp((t.Score - from) / (to - from), 0, isOpen ? double.PositiveInfinity : 1) : null;

    /// <summary>Name of the factor that rises with the score from 0 to 1 between two scores.</summary>
    /// <param name="from">0 up to here.</param>
    /// <param name="to">1 here.</param>
    /// <param name="isOpen">Whether it continues to rise above; otherwise it is constant.</param>
    public static string Ramp(double from, double to, bool isOpen = false) => string.Create(CultureInfo.InvariantCulture, $"{RampStart}{from:R}{RampMiddle}{to:R}{(isOpen ? RampBeyond : "")}");

    private static bool TryReadRamp(string name, out double from, out double to, out bool isOpen)
    {
        from = to = 0;
        if (isOpen = name.EndsWith(RampBeyond, StringComparison.Ordinal))
            name = name[..^RampBeyond.Length];
        return name.StartsWith(RampStart, StringComparison.Ordinal) && name[RampStart.Length..].Split(RampMiddle) is [var low, var high]
            && double.TryParse(low, NumberStyles.Float, CultureInfo.InvariantCulture, out from) && double.TryParse(high, NumberStyles.Float, CultureInfo.InvariantCulture, out to)
            && double.IsFinite(from) && double.IsFinite(to) && to > from;
    }

    private static double Share(double value) => double.IsFinite(value) ? Math.Clamp(value, 0, 1) : 0;
}

/// <summary>Cost of the ratios on people they were not fitted on.</summary>
/// <param name="Stratum">How the faces were covered or degraded, or "judged …" for the cover that the engine judged; "all" for all of them.</param>
/// <param name="ListSize">People on the list; null for all sizes.</param>
/// <param name="Mated">Searches in which the person was listed and came first.</param>
/// <param name="NonMated">Searches for somebody who was not listed.</param>
/// <param name="Cllr">Cost of the log likelihood ratios, bits; 0 is perfect, 1 is worthless.</param>
/// <param name="CllrLow">95 %, by people.</param>
/// <param name="CllrHigh">95 %, by people.</param>
/// <param name="CllrMin">Cost after the best monotone calibration of the same searches: the part that is due to the scores.</param>
public sealed record CalibrationMeasure(string Stratum, int? ListSize, long Mated, long NonMated, double Cllr, double CllrLow, double CllrHigh, double CllrMin);

/// <summary>Converts scores to log likelihood ratios, for faces with the same covered parts (as judged by the engine), which are all compared in the same way.</summary>
/// <remarks>
/// The sum of the terms is limited to what the data support. The limits apply to a list of one person, to which other sizes are converted by the term
/// for the list size; so that term is never multiplied with another.
/// </remarks>
/// <param name="Cover">Covered parts, as judged by the engine.</param>
/// <param name="ByCoveredTemplates">Whether the faces were compared with covered templates.</param>
/// <param name="Terms">Weighted terms.</param>
/// <param name="Lowest">Smallest log ratio that the data support, on a list of one.</param>
/// <param name="Highest">Largest log ratio that the data support, on a list of one.</param>
/// <param name="People">Number of people it was fitted on.</param>
public sealed record CoverCalibration([property: JsonConverter(typeof(FaceCoverName))] FaceCover Cover, bool ByCoveredTemplates, IReadOnlyList<CalibrationTerm> Terms, double Lowest, double Highest, int People)
{
    internal bool IsUsable => Terms is { Count: > 0 } && Lowest <= Highest && double.IsFinite(Lowest) && double.IsFinite(Highest)
        && Terms.All(t => t is { Factors: not null } && double.IsFinite(t.Weight) && t.Factors.All(f => CalibrationFactor.Find(f) is not null) && (t.Factors.Count == 1 || !t.Factors.Contains(CalibrationFactor.ListSize)));

    /// <summary>The ratio for the first candidate; null if it cannot be computed.</summary>
    internal LikelihoodRatio? Of(in ComparisonTraits traits)
    {
        double onListOfOne = Raw(traits with { ListSize = 1 }), cut = Math.Clamp(onListOfOne, Lowest, Highest);
        double log = cut + (Raw(traits) - onListOfOne);
        return double.IsFinite(log) ? new LikelihoodRatio(log, onListOfOne <= Lowest || onListOfOne >= Highest, traits.ListSize) : null;
    }

    /// <summary>The sum of the terms, without limits.</summary>
    internal double Raw(in ComparisonTraits traits)
    {
        double sum = 0;
        foreach (CalibrationTerm term in Terms)
            sum += term.Weight * term.Of(traits);
        return sum;
    }
}

/// <summary>"lowerFace", "eyes, brow", "none".</summary>
public sealed class FaceCoverName() : JsonStringEnumConverter<FaceCover>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>Converts scores of one embedder to log likelihood ratios. Fitted and measured by the laboratory, and signed with its evidence.</summary>
/// <param name="FormatVersion">Format of the calibration; one of an unknown format is ignored.</param>
/// <param name="Covers">One for uncovered faces, and one for each set of covered parts and way to compare them that has enough people.</param>
/// <param name="LargestList">People on the largest list measured.</param>
/// <param name="Measures">Its cost on other people.</param>
public sealed record ScoreCalibration(int FormatVersion, IReadOnlyList<CoverCalibration> Covers, int LargestList, IReadOnlyList<CalibrationMeasure> Measures)
{
    /// <summary>The current format. Format 1 did not consider cover.</summary>
    public const int CurrentFormat = 2;

    // The same limit as for the rates of an evidence file: measurements do not apply to much larger lists.
    private const int LargestGrowth = 10;

    /// <summary>Whether it is valid: every factor is known, all numbers are finite, and the term for the list size is not multiplied with another.</summary>
    [JsonIgnore]
    public bool IsUsable => FormatVersion != CurrentFormat || IsWhole;

    /// <summary>People on the largest list to which the measurements apply.</summary>
    [JsonIgnore]
    public long LargestCovered => (long)LargestList * LargestGrowth;

    /// <summary>Number of people it was fitted on.</summary>
    [JsonIgnore]
    public int People => Covers.Max(c => c.People);

    private bool IsWhole => LargestList >= 1 && Covers is not null && Covers.All(c => c is { IsUsable: true }) && Covers.Count(c => c.Cover == FaceCover.None) == 1 && Covers.DistinctBy(c => (c.Cover, c.ByCoveredTemplates)).Count() == Covers.Count
        && Measures is not null && Measures.All(m => m is { Stratum: not null });

    /// <summary>Whether the measurements apply to a list of this size.</summary>
    public bool Carries(int listSize) => listSize >= 1 && listSize <= LargestCovered;

    /// <summary>The ratio for the first candidate; null if the list is much larger than those measured, or if too few faces with the same covered parts were compared in the same way.</summary>
    public LikelihoodRatio? Of(in ComparisonTraits traits)
    {
        if (!Carries(traits.ListSize) || !double.IsFinite(traits.Score))
            return null;
        (FaceCover, bool) way = (traits.Cover.Parts, traits.ByCoveredTemplates);
        return Covers.FirstOrDefault(c => (c.Cover, c.ByCoveredTemplates) == way)?.Of(traits);
    }
}
