using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>How many people in false alerts were perceived to be of a group. A count only: nothing leads from it to an alert, a person or an officer.</summary>
public sealed class FalseAlertCount
{
    public Guid DeploymentId { get; set; }

    /// <summary>Of the alerts.</summary>
    public WatchlistCategory Category { get; set; }

    /// <summary>Of <c>PersonGroups.Usual</c>.</summary>
    public required string Column { get; set; }

    /// <summary>Value in that column.</summary>
    public required string Group { get; set; }

    public int Count { get; set; }

    /// <summary>As much of it as is in the audit trail.</summary>
    public int Published { get; set; }

    /// <summary>The day of the latest, local. Nothing finer is stored.</summary>
    public DateOnly LatestOn { get; set; }
}
