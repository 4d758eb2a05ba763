using System.Globalization;
using System.Security.Claims;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace LfrEngine.Web.Security;

/// <summary>Checks whether a session is still valid: at every request and, for open pages, at every change of an officer.</summary>
internal sealed class OfficerSessions(IDbContextFactory<LfrStore> stores, TimeProvider time)
{
    /// <summary>Longest session: one shift. Then the officer must sign in again.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    /// <summary>Changing how to sign in needs a sign-in within this time.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    /// <summary>Whether the officer exists, is not disabled, and has the same roles and ways to sign in as when this session began.</summary>
    public async Task<bool> HoldsAsync(ClaimsPrincipal user, CancellationToken stopping)
    {
        if (!Guid.TryParse(user.FindFirstValue(ClaimTypes.NameIdentifier), out Guid id) || Age(user) > Longest)
            return false;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        string? stamp = await store.Users.Where(o => o.Id == id && !o.Disabled).Select(o => o.SecurityStamp).SingleOrDefaultAsync(stopping);
        return stamp is not null && stamp == user.FindFirstValue(new ClaimsIdentityOptions().SecurityStampClaimType);
    }

    /// <summary>Whether the officer signed in recently.</summary>
    public bool IsFresh(ClaimsPrincipal user) => Age(user) <= Fresh;

    /// <summary>Ends sessions that are no longer valid.</summary>
    public static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        OfficerSessions sessions = context.HttpContext.RequestServices.GetRequiredService<OfficerSessions>();
        if (!await sessions.HoldsAsync(context.Principal!, context.HttpContext.RequestAborted))
            context.RejectPrincipal();
    }

    private TimeSpan Age(ClaimsPrincipal user) =>
        long.TryParse(user.FindFirstValue(OfficerClaims.SignedInAt), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds)
            : TimeSpan.MaxValue;
}

/// <summary>Claims of a session. Without a second factor it has no role, so a password alone gives access only to the officer's own account.</summary>
internal sealed class OfficerClaims(UserManager<Officer> officers, RoleManager<IdentityRole<Guid>> roles, IOptions<IdentityOptions> options, TimeProvider time)
    : UserClaimsPrincipalFactory<Officer, IdentityRole<Guid>>(officers, roles, options)
{
    /// <summary>Claim of sessions that began with two factors, or with a passkey, which is two by itself.</summary>
    public const string TwoFactors = "two-factors";

    /// <summary>Claim with the second since 1970 in which the officer signed in.</summary>
    public const string SignedInAt = "auth_time";

    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(Officer user)
    {
        ClaimsIdentity identity = await base.GenerateClaimsAsync(user);
        identity.AddClaim(new Claim(Actor.DisplayNameClaim, user.DisplayName));
        identity.AddClaim(new Claim(SignedInAt, time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)));
        // The password page refuses officers who have a passkey but no authenticator app, so no session of theirs began with a password alone.
        if (user.TwoFactorEnabled || (await UserManager.GetPasskeysAsync(user)).Count > 0)
        {
            identity.AddClaim(new Claim(TwoFactors, "true"));
        }
        else
        {
            foreach (Claim role in identity.FindAll(identity.RoleClaimType).ToArray())
                identity.RemoveClaim(role);
        }
        return identity;
    }
}

/// <summary>The officer of an open page. The page is signed out as soon as anything about the officer changes.</summary>
internal sealed class OpenPageOfficer(ILoggerFactory logs, OfficerSessions sessions, Journal journal) : RevalidatingServerAuthenticationStateProvider(logs)
{
    // For changes without an audit entry: the end of the longest session, a store changed by another program.
    protected override TimeSpan RevalidationInterval => TimeSpan.FromMinutes(1);

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        sessions.HoldsAsync(authenticationState.User, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        journal.Written -= OnWritten;
        base.Dispose(disposing);
    }

    private void OnWritten(IReadOnlyList<AuditEntry> entries)
    {
        if (entries.Any(e => e.Action.StartsWith("officer.", StringComparison.Ordinal)))
            _ = CheckAsync();
    }

    private async Task CheckAsync()
    {
        AuthenticationState state = await GetAuthenticationStateAsync();
        if (state.User.Identity?.IsAuthenticated == true && !await sessions.HoldsAsync(state.User, CancellationToken.None))
            SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
    }

    /// <summary>Starts watching when a page opens its circuit. A request that changes its own officer and then renders must keep its officer.</summary>
    internal sealed class Watch(AuthenticationStateProvider officer, Journal journal) : CircuitHandler
    {
        public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
        {
            journal.Written += ((OpenPageOfficer)officer).OnWritten;
            return Task.CompletedTask;
        }
    }
}
