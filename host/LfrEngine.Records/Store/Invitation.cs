namespace LfrEngine.Records.Store;

/// <summary>An invitation to become an officer. Its link is shown once; only its hash is stored.</summary>
public sealed class Invitation
{
    public Guid Id { get; set; }

    /// <summary>SHA-256 of the link's secret, hexadecimal.</summary>
    public required string SecretSha256 { get; set; }

    /// <summary>Names of roles, separated by commas.</summary>
    public required string Roles { get; set; }

    public required string InvitedBy { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    public DateTimeOffset? UsedAt { get; set; }
}
