using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>The search for covered probes: uses any backend to search the rows of a covered gallery, and converts the scores to the scale of uncovered probes.</summary>
/// <remarks>
/// The result is exact. The first search returns the best identities, which determine the conversion. If these may not contain all candidates, a second
/// search uses limits that correspond to the thresholds. Equal scores are ordered by the scores before conversion, then by identity.
/// </remarks>
internal static class CoveredSearch
{
    /// <summary>Whether any of the probes has a cover for which the gallery has rows.</summary>
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

    /// <summary>Searches with a backend, which has checked the arguments. See <see cref="IGallerySearch.Search"/>.</summary>
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
                // Neighbouring uncovered probes are searched together, which reads each row only once.
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

    /// <summary>Keeps the candidates that reach their threshold, with converted scores. Source and target may be the same.</summary>
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
