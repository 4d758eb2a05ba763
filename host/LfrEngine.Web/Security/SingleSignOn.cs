using System.Globalization;
using System.Net;
using System.Security.Claims;
using LfrEngine.Files;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Web.Account;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LfrEngine.Web.Security;

/// <summary>Sign-in at the force's identity provider (OpenID Connect, code flow with PKCE). The provider proves who it is, with as many factors as it asks for; its claims give the roles.</summary>
internal static class SingleSignOn
{
    /// <summary>Where it begins.</summary>
    public const string Path = "/account/sso";

    private const string Scheme = "sso", AuthTime = "auth_time";

    // The provider must have asked the person just now: whoever finds a machine where somebody is signed in there must not get in here.
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);

    public static void Add(IServiceCollection services, Installation installation)
    {
        if (installation.Config.SingleSignOn is not { } config)
            return;
        services.AddAuthentication().AddOpenIdConnect(Scheme, config.Name, o =>
        {
            o.Authority = config.Authority;
            o.RequireHttpsMetadata = !new Uri(config.Authority).IsLoopback;
            o.ClientId = config.ClientId;
            o.ClientSecret = InputFile.ReadText(installation.PathOf(config.ClientSecretPath)).Trim();
            o.SignInScheme = IdentityConstants.ExternalScheme;
            o.CallbackPath = $"{Path}/callback";
            o.ResponseType = OpenIdConnectResponseType.Code;
            // The answer comes as an address: a form would be a request of another site.
            o.ResponseMode = OpenIdConnectResponseMode.Query;
            o.Prompt = "login";
            o.MaxAge = TimeSpan.Zero;
            o.MapInboundClaims = false;
            o.GetClaimsFromUserInfoEndpoint = true;
            o.ClaimActions.MapJsonKey(config.RoleClaim, config.RoleClaim);
            o.ClaimActions.MapUniqueJsonKey("preferred_username", "preferred_username");
            o.ClaimActions.Remove(AuthTime);
            foreach (CookieBuilder cookie in new[] { o.CorrelationCookie, o.NonceCookie })
            {
                // Of these requests alone, which another site's address ends.
                cookie.SameSite = SameSiteMode.Lax;
                cookie.SecurePolicy = CookieSecurePolicy.Always;
            }
            o.Events.OnTicketReceived = c => ReceivedAsync(c, config);
            o.Events.OnRemoteFailure = c =>
            {
                c.HandleResponse();
                c.Response.Redirect(Refusal("failed"));
                return Task.CompletedTask;
            };
        });
    }

    public static void MapSingleSignOn(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Installation>().Config.SingleSignOn is not null)
            app.MapGet(Path, (string? returnUrl) => Results.Challenge(new AuthenticationProperties { RedirectUri = AccountPages.Local(returnUrl) }, [Scheme])).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task ReceivedAsync(TicketReceivedContext context, SingleSignOnConfig config)
    {
        IServiceProvider services = context.HttpContext.RequestServices;
        context.HandleResponse();
        string? problem = await SignInAsync(context.Principal!, services, config);
        if (problem is not null)
        {
            context.Response.Redirect(Refusal(problem));
            return;
        }
        // A page, not a redirect: the browser sends the session's strict cookie only where this site itself leads.
        string to = WebUtility.HtmlEncode(AccountPages.Local(context.ReturnUri));
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={to}\"><title>LFR</title></head><body><a href=\"{to}\">{to}</a></body></html>");
    }

    // What stands against it; null if the officer is signed in.
    private static async Task<string?> SignInAsync(ClaimsPrincipal user, IServiceProvider services, SingleSignOnConfig config)
    {
        DateTimeOffset now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        if (user.FindFirstValue("sub") is not { } subject
            || !long.TryParse(user.FindFirstValue(AuthTime), NumberStyles.None, CultureInfo.InvariantCulture, out long asked) || (now - DateTimeOffset.FromUnixTimeSeconds(asked)).Duration() > Fresh)
            return "stale";
        string[] roles = [.. user.FindAll(config.RoleClaim).SelectMany(c => config.Roles.GetValueOrDefault(c.Value, [])).Distinct()];
        string userName = user.FindFirstValue("preferred_username") ?? subject;
        Officer? officer;
        try
        {
            officer = await services.GetRequiredService<OfficerRegister>().TakeInAsync(config.Authority, subject, userName, user.FindFirstValue("name") ?? userName, roles);
        }
        catch (OfficerRefusedException)
        {
            return "name";
        }
        return officer is null || roles.Length == 0 ? "role"
            : await services.GetRequiredService<OfficerSignIn>().ByProviderAsync(officer) == SignInOutcome.Done ? null
            : "disabled";
    }

    private static string Refusal(string problem) => $"/account/sign-in?problem={problem}";
}
