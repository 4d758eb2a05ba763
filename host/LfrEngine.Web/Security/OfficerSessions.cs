using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Microsoft.JSInterop;

namespace LfrEngine.Web.Security;

/// <summary>Sessions in the web: the cookie holds a secret, the store says whether it still opens anything. When a session ends or is locked, everything that is open under it is cut off.</summary>
internal sealed class OfficerSessions : IDisposable
{
    /// <summary>Claims with the session's secret and with its id.</summary>
    public const string Secret = "session", Id = "session-id";

    /// <summary>Claim of a request under a locked session.</summary>
    public const string LockedClaim = "locked";

    /// <summary>Claim of a locked session whose officer may hear that there is an alert.</summary>
    public const string HearsAlerts = "hears-alerts";

    /// <summary>Changing how to sign in needs a sign-in within this time.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    // Answers under way may finish; open pages leave by themselves meanwhile.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private static readonly string[] Cutting = [SessionRegister.Ended, SessionRegister.SignedOut, SessionRegister.Locked, TokenRegister.Revoked];

    private readonly ConcurrentDictionary<Guid, CancellationTokenSource> open = new();
    private readonly SessionRegister register;
    private readonly Journal journal;
    private readonly TimeProvider time;

    public OfficerSessions(SessionRegister register, Journal journal, TimeProvider time)
    {
        this.register = register;
        this.journal = journal;
        this.time = time;
        journal.Written += Cut;
    }

    /// <summary>Begins a session for somebody who has just signed in, in place of the one that the browser had.</summary>
    public static async Task BeginAsync(CookieSigningInContext context)
    {
        OfficerSessions sessions = context.HttpContext.RequestServices.GetRequiredService<OfficerSessions>();
        Actor officer = Actor.Of(context.Principal!);
        if (context.HttpContext.Features.Get<OfficerSession>() is { } former)
            await sessions.register.EndAsync(officer, former.Id, former.OfficerId, "signed-in-again");
        await sessions.BeginAsync(context.Principal!, DeviceNames.Of(context.HttpContext.Request.Headers.UserAgent.ToString()), context.HttpContext.Connection.RemoteIpAddress?.ToString() ?? "");
    }

    /// <summary>Begins a session and puts its secret into the claims.</summary>
    public async Task BeginAsync(ClaimsPrincipal user, string device, string address)
    {
        (Guid id, string secret) = await register.BeginAsync(Actor.Of(user).OfficerId, device, address);
        ((ClaimsIdentity)user.Identity!).AddClaims([new Claim(Secret, secret), new Claim(Id, id.ToString())]);
    }

    /// <summary>Checks the session of a request. A locked one keeps only its name.</summary>
    public static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        OfficerSessions sessions = context.HttpContext.RequestServices.GetRequiredService<OfficerSessions>();
        _ = Guid.TryParse(context.Principal!.FindFirstValue(Id), out Guid id);
        // Before the store is asked: an end in between is not missed.
        CancellationTokenSource ending = sessions.Opening(id);
        OfficerSession? session = await sessions.register.FindAsync(context.Principal!.FindFirstValue(Secret), context.HttpContext.RequestAborted);
        if (session is null || session.Id != id)
        {
            sessions.open.TryRemove(id, out _);
            context.RejectPrincipal();
            return;
        }
        context.HttpContext.Features.Set(session);
        context.HttpContext.Features.Set(ending);
        if (session.LockedAt is not null)
            context.ReplacePrincipal(Locked(context.Principal!));
        else if (IsByPerson(context.Request))
            await sessions.register.NoteActivityAsync(session, context.HttpContext.RequestAborted);
    }

    /// <summary>Whether the session of an open page still opens it.</summary>
    public async Task<bool> HoldsAsync(ClaimsPrincipal user, CancellationToken stopping) => await register.FindAsync(user.FindFirstValue(Secret), stopping) is { LockedAt: null };

    /// <summary>Whether the officer signed in recently.</summary>
    public bool IsFresh(ClaimsPrincipal user) =>
        long.TryParse(user.FindFirstValue(OfficerClaims.SignedInAt), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
        && time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds) <= Fresh;

    /// <summary>Cancelled a moment after a session or a token has ended; for the feature of its requests.</summary>
    public CancellationTokenSource Opening(Guid id) => open.GetOrAdd(id, _ => new CancellationTokenSource());

    /// <summary>Aborts what is still open a moment after its session has ended or was locked: circuits, streams, pictures, uploads.</summary>
    public static void Use(WebApplication app) => app.Use(async (context, next) =>
    {
        // Forms of the account are short, and may be what ends the session: their answer arrives.
        await using CancellationTokenRegistration? ending = context.Request.Path.StartsWithSegments("/account") ? null
            : context.Features.Get<CancellationTokenSource>()?.Token.UnsafeRegister(static c => ((HttpContext)c!).Abort(), context);
        await next(context);
    });

    public void Dispose()
    {
        journal.Written -= Cut;
        foreach (CancellationTokenSource source in open.Values)
            source.Dispose();
    }

    private void Cut(IReadOnlyList<AuditEntry> entries)
    {
        foreach (AuditEntry entry in entries.Where(e => Cutting.Contains(e.Action)))
        {
            using JsonDocument details = JsonDocument.Parse(entry.Details);
            Guid id = entry.Action == TokenRegister.Revoked ? Guid.Parse(entry.Subject.AsSpan(entry.Subject.IndexOf('/', StringComparison.Ordinal) + 1)) : details.RootElement.GetProperty("session").GetGuid();
            // Removed first: what opens from now on belongs to the lock screen, and stays.
            if (open.TryRemove(id, out CancellationTokenSource? source))
                source.CancelAfter(Grace);
        }
    }

    // Pages that are opened and changes that are sent, but not what scripts and open pages ask for by themselves.
    private static bool IsByPerson(HttpRequest request) => request.Path.StartsWithSegments("/_blazor") ? false
        : HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) ? request.Headers["Sec-Fetch-Mode"] == "navigate"
        : true;

    private static ClaimsPrincipal Locked(ClaimsPrincipal user)
    {
        string[] kept = [ClaimTypes.NameIdentifier, ClaimTypes.Name, Actor.DisplayNameClaim];
        var identity = new ClaimsIdentity(user.Claims.Where(c => kept.Contains(c.Type)), user.Identity!.AuthenticationType);
        identity.AddClaim(new Claim(LockedClaim, "true"));
        if (Permissions.ByRole[Permissions.SeeAlerts].Any(user.IsInRole))
            identity.AddClaim(new Claim(HearsAlerts, "true"));
        return new ClaimsPrincipal(identity);
    }
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
        // The password page refuses officers who have a passkey or an identity provider but no authenticator app, so no session of theirs began with a password alone.
        if (user.TwoFactorEnabled || await OfficerSignIn.HasStrongWayAsync(UserManager, user))
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

/// <summary>The officer of an open page. When the session ends or is locked, the page is emptied and leaves.</summary>
internal sealed class OpenPageOfficer(ILoggerFactory logs, OfficerSessions sessions, Journal journal, IJSRuntime scripts) : RevalidatingServerAuthenticationStateProvider(logs)
{
    private static readonly TimeSpan Leaving = TimeSpan.FromMilliseconds(400);

    // For changes without an audit entry: a store changed by another program.
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
        if (state.User.Identity?.IsAuthenticated != true || await sessions.HoldsAsync(state.User, CancellationToken.None))
            return;
        SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
        // The page that signed out leaves by itself, and must not be called back.
        await Task.Delay(Leaving);
        try
        {
            // The server leads to the lock screen or to the sign-in.
            await scripts.InvokeVoidAsync("location.reload");
        }
        catch (Exception e) when (e is JSException or JSDisconnectedException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It has left.
        }
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
