using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>A role-player of the health check in the field walking past once, as an officer recorded it.</summary>
public sealed class WalkRecord
{
    public Guid Id { get; set; }

    public Guid DeploymentId { get; set; }

    /// <summary>The role-player.</summary>
    public Guid PersonId { get; set; }

    public WatchlistCategory Category { get; set; }

    public Guid OfficerId { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Null while it lasts.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Why it does not count; null when it does.</summary>
    public string? Void { get; set; }
}
