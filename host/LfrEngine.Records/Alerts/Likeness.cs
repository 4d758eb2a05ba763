using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Records.Alerts;

/// <summary>A score in words: how much rarer the score is for people who are not on the list than a score at the threshold, by the laboratory's measurement.</summary>
/// <remarks>
/// FPIR(s) is the share of such people who reach s in the evidence for the threshold's gallery size: FPIR(s) is at most FPIR(T)/10 for
/// <see cref="Strong"/>, at most FPIR(T)/100 for <see cref="VeryStrong"/>. FPIR falls with the score, so the highest measured threshold that the score reaches
/// is used, and the word never claims more than was measured. Its upper bound is used, because no error in few searches proves nothing. Where no score could
/// reach <see cref="Strong"/>, a word for this one would say nothing: it is <see cref="Ungraded"/>.
/// </remarks>
[JsonConverter(typeof(CamelCaseNames<Likeness>))]
public enum Likeness
{
    /// <summary>The evidence is too little to tell scores above the threshold apart.</summary>
    Ungraded,

    /// <summary>Reaches the threshold, but no score that the evidence shows to be rarer.</summary>
    Fair,

    /// <summary>A tenth as often by chance.</summary>
    Strong,

    /// <summary>A hundredth as often by chance.</summary>
    VeryStrong,
}

/// <summary>Finds the word for a score.</summary>
public static class Likenesses
{
    private const double StrongRarity = 0.1, VeryStrongRarity = 0.01;

    /// <summary>The word for a score.</summary>
    /// <param name="score">Comparison score, at or above the threshold.</param>
    /// <param name="threshold">Of the person's category.</param>
    /// <param name="evidence">That the authority rests on; null where there is none.</param>
    /// <param name="listSize">People on the list.</param>
    public static Likeness Of(double score, double threshold, EvidenceDocument? evidence, int listSize)
    {
        if (evidence?.Find(threshold, Math.Max(1, listSize)) is not { Fpir: > 0 } at)
            return Likeness.Ungraded;
        double RarestUpTo(double most) => evidence.Points.Where(p => p.GallerySize == at.GallerySize && p.Threshold > at.Threshold && p.Threshold <= most).Select(p => p.FpirHigh).DefaultIfEmpty(at.FpirHigh).Min();
        double strong = at.Fpir * StrongRarity, reached = RarestUpTo(score);
        return reached <= at.Fpir * VeryStrongRarity ? Likeness.VeryStrong
            : reached <= strong ? Likeness.Strong
            : RarestUpTo(1) <= strong ? Likeness.Fair
            : Likeness.Ungraded;
    }
}

/// <summary>Names of an enum as JSON writes them: <c>otherDisposal</c>; numbers are not read.</summary>
public sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
