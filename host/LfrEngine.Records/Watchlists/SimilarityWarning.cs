using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Two people of the list who are alike.</summary>
internal sealed record SimilarityWarning(string FirstId, string SecondId, float Score, string Meaning)
{
    // Two people as alike as this are more likely one person under two ids: on LFW no two people score so high.
    private const float SamePersonScore = 0.6f;

    /// <summary>All pairs at or above a threshold.</summary>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="threshold">Cosine.</param>
    /// <param name="stopping">Ends the search.</param>
    public static IEnumerable<SimilarityWarning> Find(Watchlist watchlist, float threshold, CancellationToken stopping) =>
        WatchlistAudit.FindSimilar(watchlist, threshold, stopping).Select(s => new SimilarityWarning(
            watchlist.Identities[s.FirstIdentityIndex].Id, watchlist.Identities[s.SecondIdentityIndex].Id, s.ComparisonScore,
            s.ComparisonScore >= SamePersonScore ? "same face under two ids?" : "lookalikes: either may raise an alert for the other"));
}
