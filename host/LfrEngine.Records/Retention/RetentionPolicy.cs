using System.Globalization;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Retention;

/// <summary>The retention policy. The code erases by these members, and <see cref="Text"/> describes the same members, so that the text always matches.</summary>
public sealed class RetentionPolicy(Installation installation)
{
    /// <summary>Interval of the checks. What falls due before the next check is erased at this one: earlier, never later.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);

    /// <summary>Maximum life of a form of an authority that nobody has sent for signature, from its latest change.</summary>
    public static readonly TimeSpan UnfinishedForms = TimeSpan.FromDays(30);

    private readonly RetentionConfig config = installation.Config.Retention;

    /// <summary>Maximum life of an alert's pictures.</summary>
    public TimeSpan Alerts => TimeSpan.FromHours(config.AlertHours);

    /// <summary>Maximum life of a watchlist after its deployment.</summary>
    public TimeSpan Watchlists => TimeSpan.FromHours(config.WatchlistHours);

    /// <summary>Maximum life of a watchlist that no ended deployment has used.</summary>
    public TimeSpan UnusedWatchlists => TimeSpan.FromDays(config.UnusedWatchlistDays);

    /// <summary>Whether a decision erases the pictures of its alert, and of the sightings that joined it, at once.</summary>
    public static bool ErasesAtOnce(AlertState state) => state == AlertState.Rejected;

    /// <summary>When the pictures of an alert or sighting are erased, whatever its outcome.</summary>
    /// <param name="takenAt">By <see cref="RetentionClock"/>.</param>
    public DateTimeOffset EraseAlertBy(DateTimeOffset takenAt) => takenAt + Alerts;

    /// <summary>When the watchlist of a deployment is destroyed.</summary>
    /// <param name="endedAt">End of the deployment.</param>
    public DateTimeOffset DestroyWatchlistBy(DateTimeOffset endedAt) => endedAt + Watchlists;

    /// <summary>When a watchlist is destroyed that no ended deployment has used by then.</summary>
    public DateTimeOffset DestroyUnusedWatchlistBy(DateTimeOffset createdAt) => createdAt + UnusedWatchlists;

    /// <summary>The policy as published.</summary>
    public IReadOnlyList<RetentionRule> Text() =>
    [
        new("faces without a match", "0", "A face that matches nobody on the watchlist is erased from memory within half a second of the verdict. It is never written to disk."),
        new($"pictures of alerts judged {string.Join(", ", Enum.GetValues<AlertState>().Where(ErasesAtOnce)).ToLowerInvariant()}", "0", "They are erased at once: the face as seen, the copy of the watchlist's photo and the details of the person. The same holds for sightings that joined the alert."),
        new("pictures of all other alerts", Hours(Alerts), $"They are erased {InWords(Alerts)} after the alert at the latest, whatever its outcome. The same holds for sightings that joined an alert."),
        new("watchlists", Hours(Watchlists), $"A watchlist is destroyed {InWords(Watchlists)} after the end of its deployment at the latest, by destroying its key; a receipt is kept."),
        new("watchlists that no deployment has used", Hours(UnusedWatchlists), $"A watchlist is destroyed {InWords(UnusedWatchlists)} after its creation at the latest. If a deployment is using it at that moment, the rule above applies."),
        new("unfinished authorities", Hours(UnfinishedForms), $"A form that was saved as it was typed and not sent for signature is deleted {InWords(UnfinishedForms)} after its latest change. It contains no biometric data."),
        new("records of alerts, decisions and the audit trail", "kept", "They contain the camera, the time, the score, the category and who decided what, but no pictures, templates or names of people on a watchlist."),
        new("messages to receivers that are not reachable", Hours(TimeSpan.FromDays(config.OutboxDays)), $"They contain no biometric data and are deleted after {InWords(TimeSpan.FromDays(config.OutboxDays))}."),
        new("clock and power", "", "After a crash or a power cut, overdue erasures are done before anything else is served. Setting the clock back keeps nothing longer; setting it forward erases earlier. If the clock was set back while the program was not running, the time in between is unknown, and all pictures of alerts are erased at the start."),
    ];

    private static string Hours(TimeSpan time) => time.TotalHours.ToString("0.##", CultureInfo.InvariantCulture);

    private static string InWords(TimeSpan time) => time switch
    {
        { TotalHours: 1 } => "1 hour",
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} minutes"),
        { TotalHours: <= 48 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.##} hours"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0} days"),
    };
}

/// <summary>One line of the published policy.</summary>
/// <param name="What">That is kept.</param>
/// <param name="Hours">Maximum; "0" for at once, "kept" for permanent, empty if there is no period.</param>
/// <param name="Text">The sentence.</param>
public sealed record RetentionRule(string What, string Hours, string Text);
