namespace LfrEngine.Records.Store;

/// <summary>An officer's check-in for a deployment: replaced by the next one, removed when it has expired. Where the officer was is not kept.</summary>
public sealed class PresenceRecord
{
    public Guid DeploymentId { get; set; }

    public Guid OfficerId { get; set; }

    public DateTimeOffset At { get; set; }

    /// <summary>From then on it does not count.</summary>
    public DateTimeOffset ExpiresAt { get; set; }

    /// <summary>Base64 signature of the installation over deployment, officer, time and expiry.</summary>
    public required string Signature { get; set; }
}
