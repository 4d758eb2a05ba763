using System.Numerics.Tensors;
using LfrEngine.Matching;

namespace LfrEngine.Watchlists;

/// <summary>Two identities that look alike.</summary>
/// <param name="FirstIdentityIndex">The lower index.</param>
/// <param name="SecondIdentityIndex">The higher index.</param>
/// <param name="FirstTemplateIndex">The first identity's template of the best pair.</param>
/// <param name="SecondTemplateIndex">The second identity's template of the best pair.</param>
/// <param name="ComparisonScore">Of the best pair, cosine.</param>
/// <param name="TemplatePairs">Pairs of templates at or above the threshold.</param>
public readonly record struct SimilarIdentities(
    int FirstIdentityIndex,
    int SecondIdentityIndex,
    int FirstTemplateIndex,
    int SecondTemplateIndex,
    float ComparisonScore,
    int TemplatePairs);

/// <summary>A photo that is unlike all other photos of the same identity.</summary>
/// <param name="IdentityIndex">Whose.</param>
/// <param name="TemplateIndex">The photo's own template.</param>
/// <param name="ComparisonScore">Highest score with the identity's other photos, cosine.</param>
public readonly record struct UnlikePhoto(int IdentityIndex, int TemplateIndex, float ComparisonScore);

/// <summary>Finds problems in a watchlist before it is used: one person under two ids, two people under one id, and lookalikes.</summary>
public static class WatchlistAudit
{
    // Probes whose hits are collected before they are returned. This limits the memory, and four probes at a time share each row.
    private const int GroupRows = 64;

    // Rows that stay in the second-level cache while they are compared with all probes of the group.
    private const int BlockRows = 64;

    /// <summary>Compares every identity with every other.</summary>
    /// <param name="watchlist">Borrowed until the enumeration starts; it is copied then.</param>
    /// <param name="threshold">Cosine, inclusive.</param>
    /// <param name="cancellation">Checked every few milliseconds.</param>
    /// <returns>Each pair once, streamed, by rising first and then second identity. N²·D/2 multiply-adds: seconds for 20,000 templates.</returns>
    public static IEnumerable<SimilarIdentities> FindSimilar(Watchlist watchlist, float threshold, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(watchlist);
        if (float.IsNaN(threshold))
            throw new ArgumentException("The threshold is not a number.", nameof(threshold));
        return Enumerate(watchlist, threshold, cancellation);
    }

    /// <summary>Finds photos that are unlike all other photos of the same identity and may show somebody else.</summary>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="score">Cosine; photos whose best score with the others is below this are returned.</param>
    public static IEnumerable<UnlikePhoto> FindUnlike(Watchlist watchlist, float score)
    {
        ArgumentNullException.ThrowIfNull(watchlist);
        int[][] photos = [.. Enumerable.Range(0, watchlist.TemplateCount).Where(t => watchlist.Cover(t) == FaceCover.None).GroupBy(watchlist.IdentityIndex).Where(own => own.Skip(1).Any()).Select(own => own.ToArray())];
        foreach (int[] own in photos)
        {
            foreach (int photo in own)
            {
                float best = own.Where(other => other != photo).Max(other => TensorPrimitives.Dot(watchlist.Embedding(photo), watchlist.Embedding(other)));
                if (best < score)
                    yield return new UnlikePhoto(watchlist.IdentityIndex(photo), photo, best);
            }
        }
    }

    private static IEnumerable<SimilarIdentities> Enumerate(Watchlist watchlist, float threshold, CancellationToken cancellation)
    {
        using Gallery gallery = Gallery.Create(watchlist);
        var pairs = new Dictionary<(int First, int Second), SimilarIdentities>();
        for (int first = 0; first < gallery.RowCount;)
        {
            // Whole identities, so that a pair is complete when its group is.
            int end = Math.Min(first + GroupRows, gallery.RowCount);
            while (end < gallery.RowCount && gallery.RowIdentities[end] == gallery.RowIdentities[end - 1])
                end++;
            Compare(gallery, first, end, threshold, pairs, cancellation);
            foreach (SimilarIdentities pair in pairs.Values.OrderBy(pair => pair.FirstIdentityIndex).ThenBy(pair => pair.SecondIdentityIndex))
                yield return pair;
            pairs.Clear();
            first = end;
        }
    }

    private static unsafe void Compare(
        Gallery gallery,
        int first,
        int end,
        float threshold,
        Dictionary<(int First, int Second), SimilarIdentities> pairs,
        CancellationToken cancellation)
    {
        float* scores = stackalloc float[ScoreKernel.ProbeStep * BlockRows];
        float* rows = gallery.RowPointer;
        int stride = gallery.RowStride;
        // The padding counts as part of the embedding here: it is zero on both sides.
        for (int block = first / ScoreKernel.RowStep * ScoreKernel.RowStep; block < gallery.RowCount; block += BlockRows)
        {
            cancellation.ThrowIfCancellationRequested();
            int blockRows = Math.Min(BlockRows, gallery.RowCount - block);
            for (int probe = first; probe < end; probe += ScoreKernel.ProbeStep)
            {
                int probes = Math.Min(ScoreKernel.ProbeStep, end - probe);
                ScoreKernel.Score(ScoreKernel.Widest, rows + ((long)probe * stride), probes, stride, rows + ((long)block * stride), stride, blockRows, scores, BlockRows);
                for (int p = 0; p < probes; p++)
                {
                    for (int r = 0; r < blockRows; r++)
                    {
                        float score = scores[(p * BlockRows) + r];
                        if (score >= threshold && gallery.RowIdentities[block + r] > gallery.RowIdentities[probe + p])
                            Add(gallery, probe + p, block + r, score, pairs);
                    }
                }
            }
        }
    }

    private static void Add(Gallery gallery, int row, int other, float score, Dictionary<(int First, int Second), SimilarIdentities> pairs)
    {
        (int First, int Second) key = (gallery.RowIdentities[row], gallery.RowIdentities[other]);
        SimilarIdentities found = new(key.First, key.Second, gallery.RowTemplates[row], gallery.RowTemplates[other], score, 1);
        if (pairs.TryGetValue(key, out SimilarIdentities known))
        {
            bool better = score > known.ComparisonScore
                || (score == known.ComparisonScore
                    && (found.FirstTemplateIndex, found.SecondTemplateIndex).CompareTo((known.FirstTemplateIndex, known.SecondTemplateIndex)) < 0);
            found = (better ? found : known) with { TemplatePairs = known.TemplatePairs + 1 };
        }
        pairs[key] = found;
    }
}
