namespace LfrEngine.Records.Store;

/// <summary>A session that goes on: what has ended has no row. The browser holds the secret; here is only its hash.</summary>
public sealed class OfficerSession
{
    public Guid Id { get; set; }

    /// <summary>SHA-256 of the secret, hexadecimal.</summary>
    public required string SecretSha256 { get; set; }

    public Guid OfficerId { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When the officer last did something, to within a twentieth of the idle time.</summary>
    public DateTimeOffset ActiveAt { get; set; }

    /// <summary>Since when it opens nothing but the lock screen; null if it is not locked.</summary>
    public DateTimeOffset? LockedAt { get; set; }

    /// <summary>For the officer to recognise it, for example <c>Firefox on Windows</c>.</summary>
    public required string Device { get; set; }

    /// <summary>IP address at which it began.</summary>
    public required string Address { get; set; }

    /// <summary>Where the browser's push service takes notifications for it; null if it takes none.</summary>
    public string? PushAddress { get; set; }

    /// <summary>The browser's public key for notifications (P-256, base64url).</summary>
    public string? PushKey { get; set; }

    /// <summary>The browser's secret for notifications (16 bytes, base64url).</summary>
    public string? PushSecret { get; set; }
}
