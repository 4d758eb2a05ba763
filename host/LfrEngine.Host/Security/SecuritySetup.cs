using LfrEngine.Host.Configuration;
using LfrEngine.Host.Store;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Host.Security;

/// <summary>Who may come in, and what every answer says to the browser.</summary>
internal static class SecuritySetup
{
    /// <summary>Rounds of PBKDF2-HMAC-SHA-512 that OWASP asks for.</summary>
    private const int PasswordRounds = 210_000;

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
                o.SignIn.RequireConfirmedAccount = true;
                StoreSetup.UsePasskeys(o);
            })
            .AddEntityFrameworkStores<LfrStore>()
            .AddUserStore<OfficerStore>()
            .AddDefaultTokenProviders()
            .AddTokenProvider<OneTimeAuthenticator>(TokenOptions.DefaultAuthenticatorProvider)
            .AddClaimsPrincipalFactory<OfficerClaims>();
        services.AddScoped<IUserConfirmation<Officer>, EnabledOfficers>();
        services.Configure<PasswordHasherOptions>(o => o.IterationCount = PasswordRounds);
        // A passkey stands for both factors, so the device must have asked for a finger, a face or a PIN.
        services.Configure<IdentityPasskeyOptions>(o =>
        {
            o.UserVerificationRequirement = "required";
            o.ResidentKeyRequirement = "required";
        });
        services.AddSingleton<UsedCodes>().AddSingleton<OfficerSessions>().AddSingleton<StepUp>().AddSingleton<OfficerSigning>().AddSingleton<OfficerRegister>();
        services.AddScoped<AuthenticationStateProvider, OpenPageOfficer>().AddScoped<CircuitHandler, OpenPageOfficer.Watch>().AddScoped<OfficerSignIn>();
        services.ConfigureApplicationCookie(o =>
        {
            o.Cookie.Name = "__Host-lfr";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            o.Cookie.HttpOnly = true;
            o.ExpireTimeSpan = OfficerSessions.Longest;
            o.SlidingExpiration = false;
            o.Events.OnValidatePrincipal = OfficerSessions.ValidateAsync;
            o.LoginPath = "/account/sign-in";
            o.AccessDeniedPath = "/account/refused";
            // Programs are told, people are led.
            o.Events.OnRedirectToLogin = c => Answer(c.HttpContext, c.RedirectUri, StatusCodes.Status401Unauthorized);
            o.Events.OnRedirectToAccessDenied = c => Answer(c.HttpContext, c.HttpContext.User.HasClaim(OfficerClaims.TwoFactors, "true") ? c.RedirectUri : "/account", StatusCodes.Status403Forbidden);
        });
        // Between the two steps of signing in, and between a passkey's question and its answer.
        services.Configure<CookieAuthenticationOptions>(IdentityConstants.TwoFactorUserIdScheme, o =>
        {
            o.Cookie.Name = "__Host-lfr-step";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.Always;
        });
        services.AddAuthorization(Permissions.AddTo);
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

    /// <summary>No foreign script, frame or address; nothing kept by the browser.</summary>
    /// <remarks>
    /// The policy knows no exception: no inline script, no inline style, no nonce. The component library's style element is a sheet of its own
    /// (Web/Layout/Theme.cs), and style attributes are set through the object model (wwwroot/console.js). Pictures may be data: for QR codes and blob: for
    /// pictures that scripts fetch.
    /// </remarks>
    public static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        // Not "no-referrer": forms would be sent without their origin, by which passkeys are checked.
        headers["Referrer-Policy"] = "same-origin";
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
}
