namespace LfrEngine.Watchlists;

/// <summary>One person sought. Holds no biometric data.</summary>
/// <param name="Id">Unique within the watchlist; 1…128 characters, no control characters.</param>
/// <param name="Name">What the operator sees; at most 256 characters.</param>
/// <param name="Category">Why the person is sought.</param>
/// <param name="Reference">Case or warrant number; at most 256 characters.</param>
/// <param name="ImageDate">When the image was taken.</param>
/// <param name="Source">Where the image came from; at most 256 characters.</param>
public sealed record WatchlistIdentity(
    string Id,
    string Name,
    WatchlistCategory Category,
    string? Reference = null,
    DateOnly? ImageDate = null,
    string? Source = null)
{
    /// <summary>Why it cannot be on a watchlist, as a sentence; null if it can.</summary>
    public string? Problem() => WatchlistRules.ProblemOf(this);

    /// <summary>Only the id, so that names stay out of logs.</summary>
    public override string ToString() => Id;
}
