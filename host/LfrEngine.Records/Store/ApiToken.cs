namespace LfrEngine.Records.Store;

/// <summary>A token with which a program acts for an officer. It is shown once; only its hash is stored. What is revoked has no row.</summary>
public sealed class ApiToken
{
    public Guid Id { get; set; }

    /// <summary>For people, for example of the program.</summary>
    public required string Name { get; set; }

    /// <summary>SHA-256 of the token, hexadecimal.</summary>
    public required string SecretSha256 { get; set; }

    /// <summary>Who made it, and in whose name it acts.</summary>
    public Guid OfficerId { get; set; }

    /// <summary>Names of permissions, separated by commas.</summary>
    public required string Permissions { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    /// <summary>To within a minute; null if never.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}
