using System.Security.Claims;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Store;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace LfrEngine.Host.Security;

/// <summary>Who may come in, and what every answer says to the browser.</summary>
internal static class SecuritySetup
{
    private const int SessionHours = 12;

    /// <summary>Officers, their sessions, roles and permissions.</summary>
    public static void AddConsoleSecurity(this IServiceCollection services, Installation installation)
    {
        services.AddDataProtection().SetApplicationName("lfr").PersistKeysToFileSystem(new DirectoryInfo(Path.GetDirectoryName(installation.DataPath("protection", "keys"))!));
        services.AddIdentity<Officer, IdentityRole<Guid>>(o =>
            {
                o.Password.RequiredLength = 12;
                o.Password.RequireNonAlphanumeric = o.Password.RequireDigit = o.Password.RequireLowercase = o.Password.RequireUppercase = false;
                o.Lockout.MaxFailedAccessAttempts = 5;
                o.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
                StoreSetup.UsePasskeys(o);
            })
            .AddEntityFrameworkStores<LfrStore>()
            .AddDefaultTokenProviders()
            .AddClaimsPrincipalFactory<OfficerClaims>();
        services.ConfigureApplicationCookie(o =>
        {
            o.Cookie.Name = "__Host-lfr";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            o.Cookie.HttpOnly = true;
            o.ExpireTimeSpan = TimeSpan.FromHours(SessionHours);
            o.LoginPath = "/account/sign-in";
            o.AccessDeniedPath = "/account/refused";
            // Programs are told, people are led.
            o.Events.OnRedirectToLogin = c => Answer(c.HttpContext, c.RedirectUri, StatusCodes.Status401Unauthorized);
            o.Events.OnRedirectToAccessDenied = c => Answer(c.HttpContext, c.RedirectUri, StatusCodes.Status403Forbidden);
        });
        services.AddAuthorization(Permissions.AddTo);
        services.AddCascadingAuthenticationState();
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "__Host-lfr-form";
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            o.Cookie.SameSite = SameSiteMode.Strict;
        });
    }

    /// <summary>No foreign script, frame or address; nothing kept by the browser.</summary>
    public static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), publickey-credentials-create=(self)";
        headers.StrictTransportSecurity = "max-age=31536000";
        if (!context.Request.Path.StartsWithSegments("/_content") && !context.Request.Path.StartsWithSegments("/_framework"))
            headers.CacheControl = "no-store";
        return next(context);
    });

    private static Task Answer(HttpContext context, string redirect, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api") || context.Request.Path.StartsWithSegments("/pictures"))
            context.Response.StatusCode = status;
        else
            context.Response.Redirect(redirect);
        return Task.CompletedTask;
    }

    private sealed class OfficerClaims(UserManager<Officer> officers, RoleManager<IdentityRole<Guid>> roles, IOptions<IdentityOptions> options)
        : UserClaimsPrincipalFactory<Officer, IdentityRole<Guid>>(officers, roles, options)
    {
        protected override async Task<ClaimsIdentity> GenerateClaimsAsync(Officer user)
        {
            ClaimsIdentity identity = await base.GenerateClaimsAsync(user);
            identity.AddClaim(new Claim(Actor.DisplayNameClaim, user.DisplayName));
            return identity;
        }
    }
}
