using System.Text.Json.Serialization;
using LfrEngine.Records.Store;
using LfrEngine.Tracking;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Alerts;

/// <summary>Which alerts to list.</summary>
public sealed record AlertFilter
{
    /// <summary>Maximum length of one list.</summary>
    public const int MostAtOnce = 200;

    /// <summary>States; empty for all.</summary>
    public IReadOnlyCollection<AlertState> States { get; init; } = [];

    /// <summary>Categories; empty for all.</summary>
    public IReadOnlyCollection<WatchlistCategory> Categories { get; init; } = [];

    /// <summary>Deployment; null for all.</summary>
    public Guid? DeploymentId { get; init; }

    /// <summary>Camera; null for all.</summary>
    public string? Camera { get; init; }

    /// <summary>Raised at this time or later; null for no limit.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Raised before this time; null for no limit.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Part of the person's reference; null for all. Finds only alerts whose pictures are not erased: the reference is erased with them.</summary>
    public string? Reference { get; init; }

    /// <summary>In the order of work: vulnerable people first, then whoever has waited longest, without alerts that nobody can judge any more. Otherwise newest first.</summary>
    public bool AsQueue { get; init; }

    /// <summary>Number of alerts to skip.</summary>
    public int Skip { get; init; }

    /// <summary>Number of alerts.</summary>
    public int Take { get; init; } = 25;
}

/// <summary>What the alerts in the store can be filtered by.</summary>
/// <param name="Cameras">Names, in order.</param>
/// <param name="Deployments">Ids and names, by name.</param>
public sealed record AlertChoices(IReadOnlyList<string> Cameras, IReadOnlyList<KeyValuePair<Guid, string>> Deployments);

/// <summary>An alert in a list, without names.</summary>
/// <param name="Id">Whose.</param>
/// <param name="DeploymentId">Of the deployment.</param>
/// <param name="Category">Why the person is sought.</param>
/// <param name="RolePlayer">A role-player of the health check in the field.</param>
/// <param name="Camera">Name.</param>
/// <param name="Score">Comparison score, −1…1.</param>
/// <param name="Threshold">Of the category, inclusive.</param>
/// <param name="Likeness">The score in words.</param>
/// <param name="AgreeingShots">Shots that reached the threshold.</param>
/// <param name="ComparedShots">Shots compared.</param>
/// <param name="CapturedAt">When the face was seen.</param>
/// <param name="RaisedAt">When the engine raised it.</param>
/// <param name="State">State after the last decision.</param>
/// <param name="Sightings">Passages that joined it.</param>
/// <param name="EraseBy">When its pictures are erased at the latest.</param>
/// <param name="ErasedAt">When they were erased; null if they exist.</param>
public sealed record AlertSummary(Guid Id, Guid DeploymentId, WatchlistCategory Category, bool RolePlayer, string Camera, float Score, float Threshold, Likeness Likeness, int AgreeingShots, int ComparedShots,
    DateTimeOffset CapturedAt, DateTimeOffset RaisedAt, AlertState State, int Sightings, DateTimeOffset EraseBy, DateTimeOffset? ErasedAt)
{
    /// <summary>Likelihood ratio of the score; null if the deployment's evidence has no calibration.</summary>
    public AlertLikelihood? Likelihood { get; init; }

    /// <summary>Alerts about vulnerable people have a different sound, colour, symbol and script.</summary>
    public bool Vulnerable => IsVulnerable(Category);

    /// <summary>Whether people of a category are to be protected.</summary>
    public static bool IsVulnerable(WatchlistCategory category) => category is WatchlistCategory.MissingOrVulnerable or WatchlistCategory.AtRiskOfHarm;
}

/// <summary>Everything about one alert.</summary>
/// <param name="Alert">As in the list.</param>
/// <param name="Deployment">Name of the deployment.</param>
/// <param name="JoinedAlertId">The alert that this sighting joined; null if it is an alert itself.</param>
/// <param name="Person">The candidate; null once erased.</param>
/// <param name="Sightings">Passages that joined it, in order.</param>
/// <param name="Entries">All decisions, in order, including undone ones.</param>
/// <param name="Latest">The entry that can be undone; null if none can.</param>
/// <param name="Response">What officers do, by the signed authority; not erased. Null if its text cannot be read.</param>
public sealed record AlertDetail(AlertSummary Alert, string Deployment, Guid? JoinedAlertId, AlertPerson? Person, IReadOnlyList<AlertSighting> Sightings, IReadOnlyList<AlertEntry> Entries, long? Latest, string? Response);

/// <summary>What an officer needs to know about the person; stored encrypted.</summary>
/// <param name="Name">For the officer.</param>
/// <param name="Reference">Case or warrant number.</param>
/// <param name="LegalBasis">Legal basis of the search.</param>
/// <param name="ImageSource">Where the watchlist's photo came from.</param>
/// <param name="Response">What the entry says in addition to the authority's response; null if nothing.</param>
/// <param name="QualityWarnings">What is wrong with the picture of the face as seen.</param>
/// <param name="Direction">Where the person walked, as seen by the camera.</param>
/// <param name="HasMoment">Whether there is a picture with body and clothes; alerts of earlier versions have none.</param>
/// <param name="Lookalike">Who is known to look like this person; null if nobody is known.</param>
public sealed record AlertPerson(string Name, string Reference, string LegalBasis, string ImageSource, string? Response, IReadOnlyList<string> QualityWarnings,
    [property: JsonConverter(typeof(CamelCaseNames<WalkingDirection>))] WalkingDirection Direction = WalkingDirection.Unknown, bool HasMoment = false, string? Lookalike = null);

/// <summary>A passage that joined an alert.</summary>
/// <param name="Id">Its own.</param>
/// <param name="Camera">Name.</param>
/// <param name="Score">Comparison score.</param>
/// <param name="CapturedAt">When.</param>
/// <param name="ErasedAt">When its pictures were erased.</param>
public sealed record AlertSighting(Guid Id, string Camera, float Score, DateTimeOffset CapturedAt, DateTimeOffset? ErasedAt);

/// <summary>A decision.</summary>
/// <param name="Id">Id by which a later entry undoes it.</param>
/// <param name="At">When.</param>
/// <param name="OfficerId">Who.</param>
/// <param name="OfficerName">Display name of the officer.</param>
/// <param name="From">Before.</param>
/// <param name="To">After.</param>
/// <param name="UndoesId">The entry that it undoes; null if none.</param>
/// <param name="Note">The officer's own words.</param>
public sealed record AlertEntry(long Id, DateTimeOffset At, Guid OfficerId, string OfficerName, AlertState From, AlertState To, long? UndoesId, string Note)
{
    internal static AlertEntry Of(AlertEvent e) => new(e.Id, e.At, e.OfficerId, e.OfficerName, e.From, e.To, e.UndoesId, e.Note);
}

/// <summary>Result of a decision.</summary>
/// <param name="Refusal">Why it was not recorded; null when it was.</param>
/// <param name="Entry">What was recorded.</param>
/// <param name="Before">The previous latest entry, for an officer whose decision came second.</param>
public sealed record Decision(Refusal? Refusal, AlertEntry? Entry, AlertEntry? Before);

/// <summary>The pictures of an alert.</summary>
public enum AlertPicture
{
    /// <summary>The face as seen.</summary>
    Probe,

    /// <summary>The watchlist's photo.</summary>
    Reference,

    /// <summary>The person with body and clothes, everybody else pixelated.</summary>
    Moment,
}
