using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Quality;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Alerts;

/// <summary>Finds evidence by the hash of its file; null if it is missing or not trusted.</summary>
public delegate EvidenceDocument? EvidenceByHash(string sha256);

/// <summary>A category in the authority of a deployment, with its evidence.</summary>
/// <param name="Threshold">Minimum comparison score.</param>
/// <param name="Evidence">Null if the file is missing.</param>
/// <param name="ListSize">People on the watchlist.</param>
/// <param name="EmbedderSha256">Of the embedder that gives the scores.</param>
public sealed record AuthorisedRates(double Threshold, EvidenceDocument? Evidence, int ListSize, string EmbedderSha256)
{
    /// <summary>What an alert's score is worth; null where the evidence has no calibration for the embedder, or measured only lists much smaller, or too few faces covered like this one.</summary>
    /// <param name="traits">Of the alert; the list's size is known here.</param>
    public AlertLikelihood? LikelihoodOf(in ComparisonTraits traits) => AlertLikelihood.Of(Evidence?.CalibrationFor(EmbedderSha256)?.Of(traits with { ListSize = Math.Max(1, ListSize) }));

    /// <summary>The point that was measured for the threshold; null without evidence.</summary>
    public OperatingPoint? Promise => Evidence?.Find(Threshold, Math.Max(1, ListSize));

    /// <summary>Reads them from a deployment; null if it has no authority or the category is not in it.</summary>
    public static AuthorisedRates? Of(DeploymentRecord deployment, WatchlistCategory category, EvidenceByHash evidence)
    {
        // The engine does not run under a text that cannot be read, but earlier records stay readable.
        Authority? authority = AuthorityService.TryRead(deployment);
        return authority?.Categories.FirstOrDefault(c => c.Category == category) is { } named
            ? new AuthorisedRates(named.Threshold, evidence(named.Evidence.FileSha256), authority.Watchlist.People,
                authority.Models.FirstOrDefault(m => m.Task == AuthorityPresent.EmbedderTask)?.Sha256 ?? "")
            : null;
    }
}
