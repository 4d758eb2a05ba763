using System.Globalization;
using System.Text.Json.Serialization;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>How many times more likely it is that the candidate comes first with such a score if this is the person than that the best of a list of strangers has it.</summary>
/// <param name="Log">Natural logarithm.</param>
/// <param name="AtBound">More than the data can vouch for: the ratio is at least this (or at most, where it is below 1).</param>
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

/// <summary>What a term may be made of.</summary>
internal static class CalibrationFactor
{
    /// <summary>Name of the factor that brings in the size of the list.</summary>
    public const string ListSize = "logListSize";

    private const string RampStart = "score from ", RampMiddle = " to ", RampBeyond = " and beyond";

    // Down to the smallest face that is compared; from here on more pixels add nothing.
    private const double FewestPixels = 6, EnoughPixels = 40;

    private static readonly Dictionary<string, Func<ComparisonTraits, double>> s_named = new()
    {
        ["score"] = t => t.Score,
        [ListSize] = t => Math.Log(t.ListSize),
        ["lowerFaceCovered"] = t => Share(t.Cover.LowerFace),
        ["eyesCovered"] = t => Share(t.Cover.Eyes),
        ["browCovered"] = t => Share(t.Cover.Brow),
        // How often the pixels between the eyes must double to be enough, in natural logarithms.
        ["smallness"] = t => Math.Log(EnoughPixels / Math.Clamp(double.IsFinite(t.InterEyePixels) ? t.InterEyePixels : FewestPixels, FewestPixels, EnoughPixels)),
        ["poorness"] = t => 1 - Share(t.Quality),
    };

    /// <summary>The factor of a name; null for one that is none.</summary>
    public static Func<ComparisonTraits, double>? Find(string? name) =>
        name is null ? null : s_named.TryGetValue(name, out Func<ComparisonTraits, double>? named) ? named
        : TryReadRamp(name, out double from, out double to, out bool isOpen) ? t => Math.Clamp((t.Score - from) / (to - from), 0, isOpen ? double.PositiveInfinity : 1) : null;

    /// <summary>Name of the factor that rises with the score from 0 to 1 between two scores.</summary>
    /// <param name="from">0 up to here.</param>
    /// <param name="to">1 here.</param>
    /// <param name="isOpen">Whether it goes on rising above; otherwise it is level.</param>
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

/// <summary>How well the ratios did on people they were not fitted on.</summary>
/// <param name="Stratum">How the faces seen were covered or worsened, or "judged …" for what the engine took them to be; "all" for all of them.</param>
/// <param name="ListSize">People on the list; null for all sizes.</param>
/// <param name="Mated">Searches in which the person was listed and came first.</param>
/// <param name="NonMated">Searches for somebody who was not listed.</param>
/// <param name="Cllr">Cost of log likelihood ratios, bits; 0 is perfect, 1 says nothing.</param>
/// <param name="CllrLow">95 %, by people.</param>
/// <param name="CllrHigh">95 %, by people.</param>
/// <param name="CllrMin">What the best monotone calibration of these very searches would cost: the loss that lies in the scores.</param>
public sealed record CalibrationMeasure(string Stratum, int? ListSize, long Mated, long NonMated, double Cllr, double CllrLow, double CllrHigh, double CllrMin);

/// <summary>From a score to a log likelihood ratio, for faces on which the engine judged the same parts covered: their scores are made in one way.</summary>
/// <remarks>
/// The sum of the terms is cut to what the data can vouch for. Cutting happens as for a list of one person, to which every size is brought by the term of the
/// list's size alone; so that term is in no product with another.
/// </remarks>
/// <param name="Cover">What was judged covered.</param>
/// <param name="ByCoveredTemplates">Whether scores were made with templates that were covered alike.</param>
/// <param name="Terms">Weighted terms.</param>
/// <param name="Lowest">Smallest log ratio that the data can vouch for, on a list of one.</param>
/// <param name="Highest">Largest.</param>
/// <param name="People">Whom it was fitted on.</param>
public sealed record CoverCalibration([property: JsonConverter(typeof(FaceCoverName))] FaceCover Cover, bool ByCoveredTemplates, IReadOnlyList<CalibrationTerm> Terms, double Lowest, double Highest, int People)
{
    internal bool IsUsable => Terms is { Count: > 0 } && Lowest <= Highest && double.IsFinite(Lowest) && double.IsFinite(Highest)
        && Terms.All(t => t is { Factors: not null } && double.IsFinite(t.Weight) && t.Factors.All(f => CalibrationFactor.Find(f) is not null) && (t.Factors.Count == 1 || !t.Factors.Contains(CalibrationFactor.ListSize)));

    /// <summary>The ratio for the candidate that came first; null where the numbers give none.</summary>
    internal LikelihoodRatio? Of(in ComparisonTraits traits)
    {
        double onListOfOne = Raw(traits with { ListSize = 1 }), cut = Math.Clamp(onListOfOne, Lowest, Highest);
        double log = cut + (Raw(traits) - onListOfOne);
        return double.IsFinite(log) ? new LikelihoodRatio(log, onListOfOne <= Lowest || onListOfOne >= Highest, traits.ListSize) : null;
    }

    /// <summary>The sum of the terms, not cut.</summary>
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

/// <summary>From a score to a log likelihood ratio, for one embedder. Fitted and measured by the laboratory, signed with its evidence.</summary>
/// <param name="FormatVersion">Of the calibration; one of a format that this program does not know is as good as none.</param>
/// <param name="Covers">One for uncovered faces, and one for each set of covered parts, and way to compare them, of which enough people were found to say something.</param>
/// <param name="LargestList">People on the largest list measured.</param>
/// <param name="Measures">How well it did on others.</param>
public sealed record ScoreCalibration(int FormatVersion, IReadOnlyList<CoverCalibration> Covers, int LargestList, IReadOnlyList<CalibrationMeasure> Measures)
{
    /// <summary>Of the calibrations made now. The first knew nothing of what is judged covered.</summary>
    public const int CurrentFormat = 2;

    // As for the rates of an evidence file: beyond this the measured searches say too little.
    private const int LargestGrowth = 10;

    /// <summary>Whether it can be used: every factor is known, every number is one, and the size of the list stands alone.</summary>
    [JsonIgnore]
    public bool IsUsable => FormatVersion != CurrentFormat || IsWhole;

    /// <summary>People on the largest list that the data can carry.</summary>
    [JsonIgnore]
    public long LargestCovered => (long)LargestList * LargestGrowth;

    /// <summary>Whom it was fitted on.</summary>
    [JsonIgnore]
    public int People => Covers.Max(c => c.People);

    private bool IsWhole => LargestList >= 1 && Covers is not null && Covers.All(c => c is { IsUsable: true }) && Covers.Count(c => c.Cover == FaceCover.None) == 1 && Covers.DistinctBy(c => (c.Cover, c.ByCoveredTemplates)).Count() == Covers.Count
        && Measures is not null && Measures.All(m => m is { Stratum: not null });

    /// <summary>Whether the data can carry a list of this size.</summary>
    public bool Carries(int listSize) => listSize >= 1 && listSize <= LargestCovered;

    /// <summary>The ratio for the candidate that came first; null where the list is so much larger than those measured that the data cannot carry it, or where too few faces with these parts covered were measured, or were compared in another way.</summary>
    public LikelihoodRatio? Of(in ComparisonTraits traits)
    {
        if (!Carries(traits.ListSize) || !double.IsFinite(traits.Score))
            return null;
        (FaceCover, bool) way = (traits.Cover.Parts, traits.ByCoveredTemplates);
        return Covers.FirstOrDefault(c => (c.Cover, c.ByCoveredTemplates) == way)?.Of(traits);
    }
}
