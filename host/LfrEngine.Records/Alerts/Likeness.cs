using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Records.Alerts;

/// <summary>A score in words: how much rarer the laboratory found so high a score among people who are on no list than one that just reaches the threshold.</summary>
/// <remarks>
/// With FPIR(s) the share of such people whom the evidence for the threshold's gallery size shows to reach s: above threshold means FPIR(s) at most FPIR(T)/10 for
/// <see cref="Strong"/>, at most FPIR(T)/100 for <see cref="VeryStrong"/>. FPIR falls with the score, so the highest measured threshold that the score reaches
/// stands for it: the word never promises more than was measured. Its upper bound is used, as no error in few searches is no proof. Where the evidence
/// measured no higher threshold, or no false positive at this one, nothing is known of what a higher score is worth, and nothing is said.
/// </remarks>
[JsonConverter(typeof(CamelCaseNames<Likeness>))]
public enum Likeness
{
    /// <summary>Reaches the threshold.</summary>
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
            return Likeness.Fair;
        double reached = evidence.Points.Where(p => p.GallerySize == at.GallerySize && p.Threshold > at.Threshold && p.Threshold <= score).Select(p => p.FpirHigh).DefaultIfEmpty(at.FpirHigh).Min();
        return Word(reached <= at.Fpir * VeryStrongRarity, reached <= at.Fpir * StrongRarity);
    }

    private static Likeness Word(bool veryStrong, bool strong) => veryStrong ? Likeness.VeryStrong : strong ? Likeness.Strong : Likeness.Fair;
}

/// <summary>Names of an enum as JSON writes them: <c>otherDisposal</c>; numbers are not read.</summary>
public sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
