using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

// Exact scores for searches that select the identities elsewhere, for example on a graphics card.
public sealed unsafe partial class CosineSearch
{
    /// <summary>Searches for one probe among some identities only: compares all their templates, exactly.</summary>
    /// <param name="gallery">Kept alive for the call.</param>
    /// <param name="probe">float32 [D]. Borrowed.</param>
    /// <param name="identities">Indexes, in ascending order.</param>
    /// <param name="thresholds">Inclusive.</param>
    /// <param name="candidates">Receives the best; its length is the maximum number.</param>
    /// <returns>Number of candidates.</returns>
    /// <remarks>The same result as <see cref="Search"/> in the whole gallery, if <paramref name="identities"/> contains all of that search's candidates.</remarks>
    /// <exception cref="ObjectDisposedException">The gallery has been wiped.</exception>
    public int SearchAmong(Gallery gallery, ReadOnlySpan<float> probe, ReadOnlySpan<int> identities, in CategoryThresholds thresholds, Span<Candidate> candidates)
    {
        Span<int> count = [0];
        IGallerySearch.CheckArguments(gallery, probe, thresholds, candidates.Length, candidates, count, []);
        using GalleryLease lease = gallery.Lease();
        ReadOnlySpan<int> rowIdentities = gallery.RowIdentities;
        ReadOnlySpan<int> rowTemplates = gallery.RowTemplates;
        ReadOnlySpan<WatchlistCategory> categories = gallery.IdentityCategories;
        float* scores = stackalloc float[BlockRows];
        int found = 0;
        fixed (float* elements = probe)
        {
            foreach (int identity in identities)
            {
                float limit = thresholds[categories[identity]];
                int end = FirstRow(rowIdentities, identity + 1);
                // The kernel reads rows in steps. Starting at a whole step, it stays inside the padding.
                for (int row = FirstRow(rowIdentities, identity) & -ScoreKernel.RowStep; row < end; row += BlockRows)
                {
                    int blockRows = Math.Min(BlockRows, end - row);
                    ScoreKernel.Score(instructions, elements, 1, probe.Length, gallery.RowPointer + ((long)row * gallery.RowStride), gallery.RowStride, blockRows, scores, BlockRows);
                    for (int i = 0; i < blockRows; i++)
                    {
                        if (rowIdentities[row + i] == identity && scores[i] >= limit)
                            Offer(candidates, ref found, new Candidate(identity, rowTemplates[row + i], scores[i]));
                    }
                }
            }
        }
        return found;
    }

    /// <summary>The first row of this identity, or of the next one that has rows.</summary>
    private static int FirstRow(ReadOnlySpan<int> rowIdentities, int identity)
    {
        int low = 0, high = rowIdentities.Length;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) / 2);
            if (rowIdentities[middle] < identity)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
