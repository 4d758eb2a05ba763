using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>One walk of a role-player in the health check, as recorded by an officer.</summary>
public sealed class WalkRecord
{
    public Guid Id { get; set; }

    public Guid DeploymentId { get; set; }

    /// <summary>The role-player.</summary>
    public Guid PersonId { get; set; }

    public WatchlistCategory Category { get; set; }

    public Guid OfficerId { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Null until it ends.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Why it does not count; null when it does.</summary>
    public string? Void { get; set; }
}
