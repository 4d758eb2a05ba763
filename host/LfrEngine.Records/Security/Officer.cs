using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>A person who uses the console.</summary>
public sealed class Officer : IdentityUser<Guid>
{
    /// <summary>Display name, in the audit trail and in authorities.</summary>
    public required string DisplayName { get; set; }

    /// <summary>PEM of the key that signs authorities in this officer's name.</summary>
    public required string SigningPublicKey { get; set; }

    /// <summary>The private half, PKCS#8, protected by the installation's data protection; used only right after the officer proved their presence.</summary>
    public required byte[] SigningKey { get; set; }

    /// <summary>As an administrator recorded it; null for none. A policy may say which ranks sign.</summary>
    public string? Rank { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>May no longer sign in. Officers are never removed, because the audit trail refers to them.</summary>
    public bool Disabled { get; set; }
}
