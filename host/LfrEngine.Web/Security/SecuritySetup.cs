using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Web.Security;

/// <summary>Sign-in, permissions and the security headers of every response.</summary>
internal static class SecuritySetup
{
    /// <summary>Registers sessions and permissions of officers.</summary>
    public static void AddConsoleSecurity(this IServiceCollection services, Installation installation)
    {
        IdentityBuilder identity = services.AddIdentity<Officer, IdentityRole<Guid>>().AddDefaultTokenProviders();
        // Registered after the defaults because it replaces some of them; our claims factory then replaces its own.
        services.AddOfficers(installation);
        TokenAuthentication.Add(services);
        SingleSignOn.Add(services, installation);
        identity.AddClaimsPrincipalFactory<OfficerClaims>();
        // A passkey counts as both factors, so the device must ask for a fingerprint, a face or a PIN.
        services.Configure<IdentityPasskeyOptions>(o =>
        {
            o.UserVerificationRequirement = "required";
            o.ResidentKeyRequirement = "required";
        });
        services.AddSingleton<OfficerSessions>().AddScoped<AuthenticationStateProvider, OpenPageOfficer>().AddScoped<CircuitHandler, OpenPageOfficer.Watch>().AddScoped<OfficerSignIn>().AddHostedService<SessionSweep>();
        services.ConfigureApplicationCookie(o =>
        {
            o.Cookie.Name = "__Host-lfr";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            o.Cookie.HttpOnly = true;
            o.ExpireTimeSpan = SessionRegister.Longest;
            o.SlidingExpiration = false;
            o.Events.OnValidatePrincipal = OfficerSessions.ValidateAsync;
            o.Events.OnSigningIn = OfficerSessions.BeginAsync;
            o.LoginPath = "/account/sign-in";
            o.AccessDeniedPath = "/account/refused";
            // Programs get a status code, people a redirect.
            o.Events.OnRedirectToLogin = c => Answer(c.HttpContext, c.RedirectUri, StatusCodes.Status401Unauthorized);
            o.Events.OnRedirectToAccessDenied = c => Answer(c.HttpContext, c.HttpContext.User.HasClaim(OfficerSessions.LockedClaim, "true") ? $"/account/locked?ReturnUrl={Uri.EscapeDataString(c.Request.Path + c.Request.QueryString)}"
                : c.HttpContext.User.HasClaim(OfficerClaims.TwoFactors, "true") ? c.RedirectUri : "/account", StatusCodes.Status403Forbidden);
        });
        // Cookies used between the two steps of signing in, and between a passkey's challenge and its answer.
        services.Configure<CookieAuthenticationOptions>(IdentityConstants.TwoFactorUserIdScheme, o =>
        {
            o.Cookie.Name = "__Host-lfr-step";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
        });
        services.AddAuthorization(PermissionPolicies.Add);
        services.AddCascadingAuthenticationState();
        services.AddRequestLimits();
        services.AddAntiforgery(o =>
        {
            o.HeaderName = "RequestVerificationToken";
            o.Cookie.Name = "__Host-lfr-form";
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            o.Cookie.SameSite = SameSiteMode.Strict;
        });
    }

    /// <summary>Sets the headers: no script, frame or address of another site; no caching.</summary>
    /// <remarks>
    /// The policy has no exception: no inline script, no inline style, no nonce. The component library's style element is served as a style sheet
    /// (Web/Layout/Theme.cs), and style attributes are set through the object model (wwwroot/console.js). Pictures may be data: for QR codes and blob: for
    /// pictures that scripts fetch.
    /// </remarks>
    public static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        // Not "no-referrer": forms would be sent without their origin, by which passkeys are checked.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(self), publickey-credentials-get=(self), publickey-credentials-create=(self)";
        headers.StrictTransportSecurity = "max-age=31536000";
        if (!context.Request.Path.StartsWithSegments("/_content") && !context.Request.Path.StartsWithSegments("/_framework"))
            headers.CacheControl = "no-store";
        return next(context);
    });

    private static Task Answer(HttpContext context, string redirect, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api") || context.Request.Path.StartsWithSegments("/pictures") || context.Request.Path.StartsWithSegments("/session"))
            context.Response.StatusCode = status;
        else
            context.Response.Redirect(redirect);
        return Task.CompletedTask;
    }
}
