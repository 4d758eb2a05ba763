using LfrEngine.Records.Store;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;

namespace LfrEngine.Records.Security;

/// <summary>Officers as the framework keeps them, but for authenticator keys and recovery codes: those are encrypted, so that a copy of the store alone opens no account.</summary>
/// <param name="store">Borrowed.</param>
/// <param name="protection">Its keys lie with the installation, not in the store.</param>
/// <param name="errors">Null for the framework's words.</param>
internal sealed class OfficerStore(LfrStore store, IDataProtectionProvider protection, IdentityErrorDescriber? errors = null)
    : UserStore<Officer, IdentityRole<Guid>, LfrStore, Guid>(store, errors)
{
    private readonly IDataProtector tokens = protection.CreateProtector("officer-tokens");

    /// <inheritdoc/>
    public override Task SetTokenAsync(Officer user, string loginProvider, string name, string? value, CancellationToken cancellationToken) =>
        base.SetTokenAsync(user, loginProvider, name, value is null ? null : tokens.Protect(value), cancellationToken);

    /// <inheritdoc/>
    public override async Task<string?> GetTokenAsync(Officer user, string loginProvider, string name, CancellationToken cancellationToken) =>
        await base.GetTokenAsync(user, loginProvider, name, cancellationToken) is { } kept ? tokens.Unprotect(kept) : null;
}
