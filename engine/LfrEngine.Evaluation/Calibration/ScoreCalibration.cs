using System.Text.Json.Serialization;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>How many times more often a score comes about when the candidate is the person seen than when the best of a list of strangers came first.</summary>
/// <param name="Log">Natural logarithm.</param>
/// <param name="AtBound">More than the data can vouch for: the ratio is at least this (or at most, where it is below 1).</param>
/// <param name="ListSize">People on the list.</param>
public readonly record struct LikelihoodRatio(double Log, bool AtBound, int ListSize)
{
    /// <summary>Base 10.</summary>
    public double Log10 => Log / Math.Log(10);
}

/// <summary>One term: the product of its factors, weighted.</summary>
/// <param name="Factors">Names from <see cref="ScoreCalibration.Factors"/>; none for the constant.</param>
/// <param name="Weight">In natural logarithms.</param>
public sealed record CalibrationTerm(IReadOnlyList<string> Factors, double Weight)
{
    /// <summary>Product of the factors.</summary>
    internal double Of(in ComparisonTraits traits)
    {
        double product = 1;
        foreach (string factor in Factors)
            product *= ScoreCalibration.Factors[factor](traits);
        return product;
    }
}

/// <summary>How well the ratios did on people they were not fitted on.</summary>
/// <param name="Stratum">How the faces seen were covered or worsened; "all" for all of them.</param>
/// <param name="ListSize">People on the list; null for all sizes.</param>
/// <param name="Mated">Searches in which the person was listed and came first.</param>
/// <param name="NonMated">Searches for somebody who was not listed.</param>
/// <param name="Cllr">Cost of log likelihood ratios, bits; 0 is perfect, 1 says nothing.</param>
/// <param name="CllrLow">95 %, by people.</param>
/// <param name="CllrHigh">95 %, by people.</param>
/// <param name="CllrMin">What the best monotone calibration of these very searches would cost: the loss that lies in the scores.</param>
public sealed record CalibrationMeasure(string Stratum, int? ListSize, long Mated, long NonMated, double Cllr, double CllrLow, double CllrHigh, double CllrMin);

/// <summary>From a score to a log likelihood ratio, for one embedder. Fitted and measured by the laboratory, signed with its evidence.</summary>
/// <remarks>
/// The sum of the terms is cut to what the data can vouch for. Cutting happens as for a list of one person, to which every size is brought by the term of the
/// list's size alone; so that term is in no product with another.
/// </remarks>
/// <param name="FormatVersion">Of the calibration; one of a format that this program does not know is as good as none.</param>
/// <param name="Terms">Weighted terms.</param>
/// <param name="Lowest">Smallest log ratio that the data can vouch for, on a list of one.</param>
/// <param name="Highest">Largest.</param>
/// <param name="LargestList">People on the largest list measured.</param>
/// <param name="People">Whom it was fitted on.</param>
/// <param name="Measures">How well it did on others.</param>
public sealed record ScoreCalibration(int FormatVersion, IReadOnlyList<CalibrationTerm> Terms, double Lowest, double Highest, int LargestList, int People, IReadOnlyList<CalibrationMeasure> Measures)
{
    /// <summary>Of the calibrations made now.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Name of the factor that brings in the size of the list.</summary>
    public const string ListSizeFactor = "logListSize";

    // As for the rates of an evidence file: beyond this the measured searches say too little.
    private const int LargestGrowth = 10;

    // Down to the smallest face that is compared; from here on more pixels add nothing.
    private const double FewestPixels = 6, EnoughPixels = 40;

    /// <summary>What a term may be made of. Smallness: how often the pixels between the eyes must double to be enough, in natural logarithms.</summary>
    public static IReadOnlyDictionary<string, Func<ComparisonTraits, double>> Factors { get; } = new Dictionary<string, Func<ComparisonTraits, double>>
    {
        ["score"] = t => t.Score,
        [ListSizeFactor] = t => Math.Log(t.ListSize),
        ["lowerFaceCovered"] = t => Share(t.Cover.LowerFace),
        ["eyesCovered"] = t => Share(t.Cover.Eyes),
        ["browCovered"] = t => Share(t.Cover.Brow),
        ["smallness"] = t => Math.Log(EnoughPixels / Math.Clamp(double.IsFinite(t.InterEyePixels) ? t.InterEyePixels : FewestPixels, FewestPixels, EnoughPixels)),
        ["poorness"] = t => 1 - Share(t.Quality),
    };

    /// <summary>Whether it can be used: every factor is known, every number is one, and the size of the list stands alone.</summary>
    [JsonIgnore]
    public bool IsUsable => FormatVersion != CurrentFormat || IsWhole;

    private bool IsWhole => Terms is { Count: > 0 } && Measures is not null && LargestList >= 1 && Lowest <= Highest && double.IsFinite(Lowest) && double.IsFinite(Highest)
        && Terms.All(t => t is { Factors: not null } && double.IsFinite(t.Weight) && t.Factors.All(f => f is not null && Factors.ContainsKey(f)) && (t.Factors.Count == 1 || !t.Factors.Contains(ListSizeFactor)))
        && Measures.All(m => m is { Stratum: not null });

    /// <summary>People on the largest list that the data can carry.</summary>
    [JsonIgnore]
    public long LargestCovered => (long)LargestList * LargestGrowth;

    /// <summary>Whether the data can carry a list of this size.</summary>
    public bool Covers(int listSize) => listSize >= 1 && listSize <= LargestCovered;

    /// <summary>The ratio for the candidate that came first; null where the list is so much larger than those measured that the data cannot carry it.</summary>
    public LikelihoodRatio? Of(in ComparisonTraits traits)
    {
        if (!Covers(traits.ListSize) || !double.IsFinite(traits.Score))
            return null;
        double onListOfOne = Raw(traits with { ListSize = 1 }), cut = Math.Clamp(onListOfOne, Lowest, Highest);
        double log = cut + (Raw(traits) - onListOfOne);
        return double.IsFinite(log) ? new LikelihoodRatio(log, cut != onListOfOne, traits.ListSize) : null;
    }

    /// <summary>The sum of the terms, not cut.</summary>
    internal double Raw(in ComparisonTraits traits) => Sum(Terms, traits);

    /// <summary>A sum of terms.</summary>
    internal static double Sum(IReadOnlyList<CalibrationTerm> terms, in ComparisonTraits traits)
    {
        double sum = 0;
        foreach (CalibrationTerm term in terms)
            sum += term.Weight * term.Of(traits);
        return sum;
    }

    private static double Share(double value) => double.IsFinite(value) ? Math.Clamp(value, 0, 1) : 0;
}
