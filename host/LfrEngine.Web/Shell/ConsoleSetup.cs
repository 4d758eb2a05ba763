using LfrEngine.Records.Configuration;
using LfrEngine.Records.Inspection;
using LfrEngine.Web.Alerts;
using LfrEngine.Web.Alerts.Pushes;
using LfrEngine.Web.Audit;
using LfrEngine.Web.Authorities;
using LfrEngine.Web.Deployments;
using LfrEngine.Web.Inspection;
using LfrEngine.Web.Disclosure;
using LfrEngine.Web.Layout;
using LfrEngine.Web.Receipts;
using LfrEngine.Web.Retention;
using LfrEngine.Web.Security;
using LfrEngine.Web.Texts;
using LfrEngine.Web.Transparency;
using LfrEngine.Web.Watchlists;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Localization;
using MudBlazor.Services;

namespace LfrEngine.Web.Shell;

/// <summary>Registers all parts of the console and of the REST interface.</summary>
internal static class ConsoleSetup
{
    /// <summary>Registers the services that pages and endpoints need.</summary>
    public static void AddConsole(this IServiceCollection services, Installation installation)
    {
        services.AddPushes(installation);
        services.AddSingleton<InspectorLooks>().AddSingleton<InspectionFile>().AddSingleton<LiveViewers>().AddScoped<RefusalWords>().AddScoped<AlertNames>().AddScoped<AlertSounds>();
        services.AddProblemDetails(o => o.CustomizeProblemDetails = c => c.ProblemDetails.Detail ??= BadRequests.Words(c.ProblemDetails.Status));
        services.AddBadRequests();
        services.AddScoped<PageLanguage>().AddScoped(typeof(IStringLocalizer<>), typeof(PageTexts<>));
        services.AddMudServices();
        services.AddRazorComponents().AddInteractiveServerComponents();
    }

    public static void MapConsole(this WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseOwnSite();
        app.UseLanguages();
        // Every refusal has a body that says what is wrong (RFC 9457).
        app.UseWhen(c => c.Request.Path.StartsWithSegments("/api"), api => api.UseStatusCodePages());
        app.UseAuthentication();
        OfficerSessions.Use(app);
        app.UseRateLimiter();
        app.UseAuthorization();
        InspectorLooks.Use(app);
        app.UseAntiforgery();
        app.UseAntiforgeryEverywhere();
        app.UseBadRequests();
        app.MapStaticAssets().AllowAnonymous();
        app.MapTheme();
        app.MapAccount();
        app.MapSessions();
        app.MapLanguages();
        app.MapPushes();
        app.MapTokens();
        app.MapSingleSignOn();
        app.MapWatchlists();
        app.MapAuthorities();
        app.MapDeployments();
        app.MapReceipts();
        app.MapAlerts();
        app.MapDisclosure();
        app.MapRetention();
        // frame-ancestors is set with the other headers.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
        app.MapAudit();
        app.MapTransparency();
        app.MapInspection();
        // Any other address: the not-found page for officers who are signed in. Others do not learn which addresses exist.
        app.MapGet("{*address:nonfile}", () => new RazorComponentResult<App> { StatusCode = StatusCodes.Status404NotFound })
            .WithMetadata(new ExcludeFromInteractiveRoutingAttribute()).WithOrder(int.MaxValue).ExcludeFromDescription();
    }
}
