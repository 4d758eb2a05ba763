using System.Numerics.Tensors;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary>Scores between the photos of one person, cosine, with the old and the new embedder, for the photos that both can use.</summary>
/// <param name="Id">Of the person.</param>
/// <param name="Photos">Two or more.</param>
/// <param name="Pairs">Of them.</param>
/// <param name="OldLowest">Of the least alike pair.</param>
/// <param name="OldMean">Over the pairs.</param>
/// <param name="NewLowest">Of the least alike pair.</param>
/// <param name="NewMean">Over the pairs.</param>
/// <param name="OldBelow">Pairs below the old threshold; absent if unknown.</param>
/// <param name="NewBelow">Pairs below the new threshold; absent when there is none.</param>
internal sealed record OwnLikeness(string Id, int Photos, int Pairs, float OldLowest, float OldMean, float NewLowest, float NewMean, int? OldBelow, int? NewBelow)
{
    /// <summary>Of everybody with two photos or more.</summary>
    /// <param name="old">Borrowed.</param>
    /// <param name="list">The new list. Borrowed.</param>
    /// <param name="sources">For each of its templates the old one of the same picture.</param>
    /// <param name="oldThreshold">Null when not known.</param>
    /// <param name="threshold">Null when there is none.</param>
    public static OwnLikeness[] Of(Watchlist old, Watchlist list, IReadOnlyList<int> sources, float? oldThreshold, float? threshold) =>
    [
        .. Enumerable.Range(0, list.TemplateCount).Where(t => list.Cover(t) == FaceCover.None).GroupBy(list.IdentityIndex).Where(own => own.Skip(1).Any()).Select(own =>
        {
            int[] templates = [.. own];
            (int First, int Second)[] pairs = [.. templates.SelectMany((first, i) => templates.Skip(i + 1).Select(second => (first, second)))];
            float[] before = [.. pairs.Select(p => TensorPrimitives.Dot(old.Embedding(sources[p.First]), old.Embedding(sources[p.Second])))];
            float[] after = [.. pairs.Select(p => TensorPrimitives.Dot(list.Embedding(p.First), list.Embedding(p.Second)))];
            return new OwnLikeness(list.Identities[own.Key].Id, templates.Length, pairs.Length, before.Min(), before.Average(), after.Min(), after.Average(), Below(before, oldThreshold), Below(after, threshold));
        }),
    ];

    private static int? Below(float[] scores, float? threshold) => threshold is { } t ? scores.Count(s => s < t) : null;
}
