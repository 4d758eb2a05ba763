using System.Globalization;
using System.Resources;
using System.Text.Json.Serialization;
using LfrEngine.Evaluation.Calibration;

namespace LfrEngine.Records.Alerts;

/// <summary>A likelihood ratio as a degree of support, in the steps of the ENFSI guideline for evaluative reporting (2015).</summary>
[JsonConverter(typeof(CamelCaseNames<Support>))]
public enum Support
{
    /// <summary>Below 1/2: supports a different person.</summary>
    Against,

    /// <summary>Up to 2: no support either way.</summary>
    None,

    /// <summary>2 to 10.</summary>
    Weak,

    /// <summary>10 to 100.</summary>
    Moderate,

    /// <summary>100 to 1,000.</summary>
    ModeratelyStrong,

    /// <summary>1,000 to 10,000.</summary>
    Strong,

    /// <summary>10,000 to a million.</summary>
    VeryStrong,

    /// <summary>A million and more.</summary>
    ExtremelyStrong,
}

/// <summary>A likelihood ratio as stored and shown.</summary>
/// <param name="Log10">Logarithm of the ratio, base 10.</param>
/// <param name="AtBound">The limit of what the measurement can show: the ratio is at least this (below 1: at most).</param>
/// <param name="ListSize">People on the list that was searched.</param>
public sealed record AlertLikelihood(double Log10, bool AtBound, int ListSize)
{
    /// <summary>The ratio in words.</summary>
    public Support Support => Log10 switch
    {
        _ when Log10 < -LikelihoodWords.Even => Support.Against,
        _ when Log10 < LikelihoodWords.Even => Support.None,
        < 1 => Support.Weak,
        < 2 => Support.Moderate,
        < 3 => Support.ModeratelyStrong,
        < 4 => Support.Strong,
        < 6 => Support.VeryStrong,
        _ => Support.ExtremelyStrong,
    };

    /// <summary>Converts a calibration's ratio; null if there is none.</summary>
    public static AlertLikelihood? Of(LikelihoodRatio? ratio) => ratio is { } r ? new AlertLikelihood(r.Log10, r.AtBound, r.ListSize) : null;
}

/// <summary>Texts for likelihood ratios, shared by all outputs.</summary>
internal static class LikelihoodWords
{
    /// <summary>log10 of 2: within this, neither side is called more likely.</summary>
    public static readonly double Even = Math.Log10(2);

    private static readonly ResourceManager Texts = new(typeof(LikelihoodTexts));

    /// <summary>Degree of support.</summary>
    public static string Name(Support support, Func<string, string>? text = null) => (text ?? English)($"Support{support}");

    /// <summary>The sentence for the officer.</summary>
    /// <param name="likelihood">To put into words.</param>
    /// <param name="text">Text of a key; null for English.</param>
    public static string Sentence(AlertLikelihood likelihood, Func<string, string>? text = null)
    {
        text ??= English;
        string strangers = likelihood.ListSize == 1 ? text("OneStranger") : string.Format(CultureInfo.InvariantCulture, text("BestOfStrangers"), likelihood.ListSize);
        string key = likelihood.Support == Support.None ? "RatioEven" : (likelihood.Log10 > 0 ? "RatioMore" : "RatioLess") + (likelihood.AtBound ? "AtLeast" : "");
        return string.Format(CultureInfo.InvariantCulture, text(key), Times(likelihood.Log10), strangers);
    }

    // One digit, rounded towards 1: the measurement does not support more.
    private static string Times(double log10)
    {
        double size = Math.Abs(log10), power = Math.Pow(10, Math.Floor(size + 1e-9));
        return (Math.Floor((Math.Pow(10, size) / power) + 1e-9) * power).ToString("#,0", CultureInfo.InvariantCulture);
    }

    private static string English(string key) => Texts.GetString(key, CultureInfo.InvariantCulture)!;
}
