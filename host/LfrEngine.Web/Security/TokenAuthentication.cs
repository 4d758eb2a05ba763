using System.Security.Claims;
using System.Text.Encodings.Web;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace LfrEngine.Web.Security;

/// <summary>Signs in programs that show a token (<c>Authorization: Bearer</c>, RFC 6750). They have the token's permissions and no role, so they never reach what only people may do.</summary>
internal sealed class TokenAuthentication(TokenRegister tokens, OfficerSessions sessions, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    /// <summary>Name of the scheme, and of the authentication type of its principals.</summary>
    public const string SchemeName = "token";

    /// <summary>Claim with a permission of the token.</summary>
    public const string Permission = "permission";

    private const string Either = "session-or-token", Bearer = "Bearer ";
    private static readonly PathString[] ForPrograms = ["/api", "/pictures", "/openapi", "/metrics"];

    /// <summary>Lets requests to the interfaces choose between a session and a token.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddAuthentication(o => o.DefaultAuthenticateScheme = o.DefaultChallengeScheme = o.DefaultForbidScheme = Either)
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(SchemeName, null)
            .AddPolicyScheme(Either, null, o => o.ForwardDefaultSelector = c => TokenOf(c.Request) is null ? IdentityConstants.ApplicationScheme : SchemeName);
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TokenOf(Request) is not { } secret || await tokens.FindAsync(secret, Context.RequestAborted) is not { } found)
            return AuthenticateResult.Fail("The token does not exist, has expired or was revoked.");
        Context.Features.Set(sessions.Opening(found.Token.Id));
        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, found.Token.OfficerId.ToString()),
                // The trail says who and by what.
                new Claim(Actor.DisplayNameClaim, $"{found.OfficerName} (token {found.Token.Name})"),
                .. found.Token.Permissions.Split(',').Select(p => new Claim(Permission, p)),
                // Of all roles only inspectors do not see operations, and they have no tokens.
                .. found.Token.Permissions.Split(',').Where(p => p == Permissions.SeeDeployments).Select(_ => new Claim(Permission, Permissions.SeeOperations)),
            ],
            SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return Task.CompletedTask;
    }

    private static string? TokenOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && ForPrograms.Any(p => request.Path.StartsWithSegments(p)) ? header[Bearer.Length..].Trim() : null;
}
