using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>The search for covered probes: any search of rows, over the rows of a covered gallery, with its scores made comparable.</summary>
/// <remarks>
/// What is exact stays exact: the rows are searched as those of any gallery, first for the best of all, from which follows what is subtracted; and,
/// where these do not settle the answer, once more with the limits that the thresholds have become. Among equal scores the order is that of the
/// scores before the last rounding, then of the identities.
/// </remarks>
internal static class CoveredSearch
{
    /// <summary>Whether a search needs this: something is covered that the gallery has rows for.</summary>
    public static bool IsNeeded(Gallery gallery, ReadOnlySpan<FaceCover> covers)
    {
        if (gallery.CoveredGalleries.Count == 0)
            return false;
        foreach (FaceCover cover in covers)
        {
            if (gallery.CoveredFor(cover) is not null)
                return true;
        }
        return false;
    }

    /// <summary>Searches with a backend that has checked the arguments. See <see cref="IGallerySearch.Search"/>.</summary>
    public static void Search(
        IGallerySearch search,
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts,
        ReadOnlySpan<FaceCover> covers)
    {
        using GalleryLease lease = gallery.Lease();
        int length = gallery.EmbeddingLength;
        for (int first = 0; first < covers.Length;)
        {
            int end = first + 1;
            if (gallery.CoveredFor(covers[first]) is { } covered)
            {
                candidateCounts[first] = SearchOne(search, covered, gallery.ScaleOf(covers[first], covered.Cover), probes.Slice(first * length, length), thresholds,
                    candidates.Slice(first * maximumCandidates, maximumCandidates));
            }
            else
            {
                // The uncovered ones beside each other share each row, as ever.
                while (end < covers.Length && gallery.CoveredFor(covers[end]) is null)
                    end++;
                search.Search(gallery, probes[(first * length)..(end * length)], thresholds, maximumCandidates,
                    candidates[(first * maximumCandidates)..(end * maximumCandidates)], candidateCounts[first..end]);
            }
            first = end;
        }
    }

    private static int SearchOne(IGallerySearch search, CoveredGallery covered, CoverScale scale, ReadOnlySpan<float> probe, in CategoryThresholds thresholds, Span<Candidate> candidates)
    {
        Gallery rows = covered.Rows;
        Span<float> projected = stackalloc float[probe.Length];
        Span<Candidate> best = stackalloc Candidate[CoveredScores.MostOthers + 1];
        Span<int> count = [0];
        try
        {
            covered.Project(probe, projected);
            search.Search(rows, projected, CategoryThresholds.Uniform(float.NegativeInfinity), best.Length, best, count);
            best = best[..count[0]];
            var scores = new CoveredScores(best, rows.Identities.Count, scale);
            int found = Take(best, rows, scores, thresholds, candidates);
            bool isAll = best.Length <= CoveredScores.MostOthers || found == candidates.Length || scores.Of(best[^1].ComparisonScore) < thresholds.Lowest;
            if (isAll)
                return found;
            var limits = new CategoryThresholds(
                scores.LimitOf(thresholds.Wanted),
                scores.LimitOf(thresholds.CourtOrder),
                scores.LimitOf(thresholds.Suspect),
                scores.LimitOf(thresholds.MissingOrVulnerable),
                scores.LimitOf(thresholds.AtRiskOfHarm));
            search.Search(rows, projected, limits, candidates.Length, candidates, count);
            return Take(candidates[..count[0]], rows, scores, thresholds, candidates);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(projected));
        }
    }

    /// <summary>Keeps what reaches its threshold, with its new score; the target may be the source.</summary>
    private static int Take(ReadOnlySpan<Candidate> best, Gallery rows, in CoveredScores scores, in CategoryThresholds thresholds, Span<Candidate> candidates)
    {
        int found = 0;
        foreach (Candidate candidate in best)
        {
            float score = scores.Of(candidate.ComparisonScore);
            if (found < candidates.Length && score >= thresholds[rows.IdentityCategories[candidate.IdentityIndex]])
                candidates[found++] = candidate with { ComparisonScore = score };
        }
        return found;
    }
}
