namespace LfrEngine.Records.Store;

/// <summary>A deployment: drafted, signed, armed, ended.</summary>
public sealed class DeploymentRecord
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    public DeploymentState State { get; set; }

    public Guid WatchlistId { get; set; }

    /// <summary>JSON of the authority (<c>Authority</c>), exactly as it is or will be signed.</summary>
    public required string AuthorityText { get; set; }

    public Guid DraftedBy { get; set; }

    public DateTimeOffset DraftedAt { get; set; }

    public Guid? SignedBy { get; set; }

    public DateTimeOffset? SignedAt { get; set; }

    /// <summary>Base64 ECDSA P-256 signature of the authorising officer over the UTF-8 of <see cref="AuthorityText"/>.</summary>
    public string? Signature { get; set; }

    /// <summary>PEM of the key that signed.</summary>
    public string? SignerPublicKey { get; set; }

    /// <summary>Who signed second, where a threshold becomes lower.</summary>
    public Guid? SecondSignedBy { get; set; }

    public DateTimeOffset? SecondSignedAt { get; set; }

    /// <summary>As <see cref="Signature"/>.</summary>
    public string? SecondSignature { get; set; }

    /// <summary>PEM of the key that signed second.</summary>
    public string? SecondSignerPublicKey { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Why it last ended, paused or was refused.</summary>
    public string? StateReason { get; set; }

    /// <summary>Tracklets good enough to be compared, over all runs of the deployment.</summary>
    public long FacesSeen { get; set; }

    /// <summary>The same for role-players, only as far as their walks raised alerts.</summary>
    public int RolePlayerPassages { get; set; }

    /// <summary>Seconds in which the engine ran.</summary>
    public double RunningSeconds { get; set; }
}
