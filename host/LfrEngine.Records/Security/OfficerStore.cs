using LfrEngine.Records.Store;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;

namespace LfrEngine.Records.Security;

/// <summary>The framework's store of officers, except that authenticator keys and recovery codes are encrypted, so that a copy of the store alone gives access to no account.</summary>
/// <param name="store">Borrowed.</param>
/// <param name="protection">Its keys are stored with the installation, not in the store.</param>
/// <param name="errors">Null for the framework's messages.</param>
internal sealed class OfficerStore(LfrStore store, IDataProtectionProvider protection, IdentityErrorDescriber? errors = null)
    : UserStore<Officer, IdentityRole<Guid>, LfrStore, Guid>(store, errors)
{
    private readonly IDataProtector tokens = protection.CreateProtector("officer-tokens");

    public override Task SetTokenAsync(Officer user, string loginProvider, string name, string? value, CancellationToken cancellationToken) =>
        base.SetTokenAsync(user, loginProvider, name, value is null ? null : tokens.Protect(value), cancellationToken);

    public override async Task<string?> GetTokenAsync(Officer user, string loginProvider, string name, CancellationToken cancellationToken) =>
        await base.GetTokenAsync(user, loginProvider, name, cancellationToken) is { } kept ? tokens.Unprotect(kept) : null;
}
