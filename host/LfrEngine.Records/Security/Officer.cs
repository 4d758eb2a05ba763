using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>A person who uses the console.</summary>
public sealed class Officer : IdentityUser<Guid>
{
    /// <summary>Name for people, in audit and authorities.</summary>
    public required string DisplayName { get; set; }

    /// <summary>PEM of the key that signs authorities in this officer's name.</summary>
    public required string SigningPublicKey { get; set; }

    /// <summary>The private half, PKCS#8, protected by the installation's data protection; used only right after the officer proved to be there.</summary>
    public required byte[] SigningKey { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>May no longer sign in. Officers are never removed: the audit names them.</summary>
    public bool Disabled { get; set; }
}
