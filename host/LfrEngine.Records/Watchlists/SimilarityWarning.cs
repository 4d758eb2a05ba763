using System.Text.Json.Serialization;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Two people on the list who look alike or, with the same id twice, unlike photos of one person.</summary>
internal sealed record SimilarityWarning(string FirstId, string SecondId, float Score, string Meaning)
{
    // From this score on, two entries are probably one person under two ids: on LFW no two people score so high.
    private const float SamePersonScore = 0.6f;

    // Well below any threshold in use, so that a poor photo of the right person is rarely reported.
    private const float OtherPersonScore = 0.2f;

    /// <summary>Whether it is about photos of one person.</summary>
    [JsonIgnore]
    public bool IsOnePerson => FirstId == SecondId;

    /// <summary>Finds people who look alike, and unlike photos of one person, before a list is used.</summary>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="threshold">Cosine.</param>
    /// <param name="stopping">Ends the search.</param>
    public static IEnumerable<SimilarityWarning> Look(Watchlist watchlist, float threshold, CancellationToken stopping) => Find(watchlist, threshold, stopping).Concat(
        WatchlistAudit.FindUnlike(watchlist, OtherPersonScore).GroupBy(u => u.IdentityIndex).Select(own => new SimilarityWarning(
            watchlist.Identities[own.Key].Id, watchlist.Identities[own.Key].Id, own.Min(u => u.ComparisonScore), "photos of two people under one id?")));

    /// <summary>All pairs at or above a threshold.</summary>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="threshold">Cosine.</param>
    /// <param name="stopping">Ends the search.</param>
    public static IEnumerable<SimilarityWarning> Find(Watchlist watchlist, float threshold, CancellationToken stopping) =>
        WatchlistAudit.FindSimilar(watchlist, threshold, stopping).Select(s => new SimilarityWarning(
            watchlist.Identities[s.FirstIdentityIndex].Id, watchlist.Identities[s.SecondIdentityIndex].Id, s.ComparisonScore,
            s.ComparisonScore >= SamePersonScore ? "same person under two ids?" : "lookalikes: either may raise an alert for the other"));
}
