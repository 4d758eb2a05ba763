using System.Numerics;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>Exact search on the processor: float32, every row, per-identity maximum, no managed allocation.</summary>
/// <remarks>
/// Thread-safe; one call uses one thread. A comparison score depends on the two embeddings alone: not on the batch, not on the place in the
/// gallery, not on the instruction set (<see cref="ScoreKernel"/>). Rows that do not yield a number match nothing.
/// </remarks>
public sealed unsafe partial class CosineSearch : IGallerySearch
{
    // 64 rows of 512 floats are 128 KiB: they stay in the second-level cache while all probes pass over them.
    private const int BlockRows = 64;

    private readonly ScoreKernel.InstructionSet instructions;

    /// <summary>Uses the widest instruction set of this machine.</summary>
    public CosineSearch()
        : this(ScoreKernel.Widest)
    {
    }

    internal CosineSearch(ScoreKernel.InstructionSet instructions) => this.instructions = instructions;

    /// <inheritdoc/>
    public void Search(
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts)
    {
        IGallerySearch.CheckArguments(gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts);
        int probeCount = candidateCounts.Length;
        float lowest = thresholds.Lowest;

        candidateCounts.Clear();
        using GalleryLease lease = gallery.Lease();
        ReadOnlySpan<int> rowIdentities = gallery.RowIdentities;
        ReadOnlySpan<int> rowTemplates = gallery.RowTemplates;
        ReadOnlySpan<WatchlistCategory> categories = gallery.IdentityCategories;
        float* limits = stackalloc float[WatchlistCategories.Count];
        for (int i = 0; i < WatchlistCategories.Count; i++)
            limits[i] = thresholds[(WatchlistCategory)i];
        float* scores = stackalloc float[ScoreKernel.ProbeStep * BlockRows];
        float* rows = gallery.RowPointer;
        int length = gallery.EmbeddingLength;

        fixed (float* firstProbe = probes)
        {
            for (int row = 0; row < gallery.RowCount; row += BlockRows)
            {
                int blockRows = Math.Min(BlockRows, gallery.RowCount - row);
                for (int probe = 0; probe < probeCount; probe += ScoreKernel.ProbeStep)
                {
                    int groupProbes = Math.Min(ScoreKernel.ProbeStep, probeCount - probe);
                    ScoreKernel.Score(
                        instructions,
                        firstProbe + ((long)probe * length),
                        groupProbes,
                        length,
                        rows + ((long)row * gallery.RowStride),
                        gallery.RowStride,
                        blockRows,
                        scores,
                        BlockRows);
                    for (int p = 0; p < groupProbes; p++)
                    {
                        Span<Candidate> kept = candidates.Slice((probe + p) * maximumCandidates, maximumCandidates);
                        ref int count = ref candidateCounts[probe + p];
                        float* rowScores = scores + (p * BlockRows);
                        for (int i = NextAtLeast(rowScores, 0, blockRows, lowest); i < blockRows; i = NextAtLeast(rowScores, i + 1, blockRows, lowest))
                        {
                            int identity = rowIdentities[row + i];
                            if (rowScores[i] >= limits[(int)categories[identity]])
                                Offer(kept, ref count, new Candidate(identity, rowTemplates[row + i], rowScores[i]));
                        }
                    }
                }
            }
        }
    }

    /// <summary>First place from <paramref name="start"/> on whose score reaches the threshold, or <paramref name="count"/>.</summary>
    private static int NextAtLeast(float* scores, int start, int count, float threshold)
    {
        int i = start;
        for (var limit = new Vector<float>(threshold); i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (Vector.GreaterThanOrEqualAny(*(Vector<float>*)(scores + i), limit))
                break;
        }
        while (i < count && !(scores[i] >= threshold))
            i++;
        return i;
    }

    /// <summary>Keeps the best k identities, sorted. Rows arrive by rising identity, so an identity's first best template wins a tie.</summary>
    private static void Offer(Span<Candidate> kept, ref int count, in Candidate offered)
    {
        if (count == kept.Length && !Precedes(offered, kept[^1]))
            return;
        int place = count;
        for (int i = 0; i < count; i++)
        {
            if (kept[i].IdentityIndex == offered.IdentityIndex)
            {
                if (!(offered.ComparisonScore > kept[i].ComparisonScore))
                    return;
                place = i;
                break;
            }
        }
        if (place == count)
        {
            if (count == kept.Length)
                place--;
            else
                count++;
        }
        while (place > 0 && Precedes(offered, kept[place - 1]))
        {
            kept[place] = kept[place - 1];
            place--;
        }
        kept[place] = offered;
    }

    private static bool Precedes(in Candidate a, in Candidate b) =>
        a.ComparisonScore > b.ComparisonScore || (a.ComparisonScore == b.ComparisonScore && a.IdentityIndex < b.IdentityIndex);
}
