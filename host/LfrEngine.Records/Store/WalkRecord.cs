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

    /// <summary>Groups of the role-player, in one line (<c>PersonGroups</c>), kept after the list is destroyed; empty if none were recorded.</summary>
    public string Groups { get; set; } = "";

    /// <summary>Faces that were good enough to be compared in the deployment until the start; null if the engine could not tell.</summary>
    public long? FacesAtStart { get; set; }

    /// <summary>Faces that were good enough to be compared during the walk, anybody's; null if the engine could not tell.</summary>
    public long? FacesCompared { get; set; }

    /// <summary>Why it does not count; null when it does.</summary>
    public string? Void { get; set; }
}
