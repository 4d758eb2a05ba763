using LfrEngine.Web.Alerts;
using LfrEngine.Web.Audit;
using LfrEngine.Web.Authorities;
using LfrEngine.Web.Deployments;
using LfrEngine.Web.Layout;
using LfrEngine.Web.Retention;
using LfrEngine.Web.Security;
using LfrEngine.Web.Transparency;
using LfrEngine.Web.Watchlists;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using MudBlazor.Services;

namespace LfrEngine.Web.Shell;

/// <summary>The console and the REST interface: which parts there are. Each part's own folder says how it works.</summary>
internal static class ConsoleSetup
{
    /// <summary>Registers what pages and endpoints need.</summary>
    public static void AddConsole(this IServiceCollection services)
    {
        services.AddSingleton<LiveViewers>().AddSingleton<RefusalWords>();
        services.AddLocalization();
        services.AddMudServices();
        services.AddRazorComponents().AddInteractiveServerComponents();
    }

    /// <summary>Registers pages and endpoints.</summary>
    public static void MapConsole(this WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseAntiforgeryEverywhere();
        app.MapStaticAssets().AllowAnonymous();
        app.MapTheme();
        app.MapAccount();
        app.MapWatchlists();
        app.MapAuthorities();
        app.MapDeployments();
        app.MapAlerts();
        app.MapRetention();
        // Who may frame a page is said with the other headers.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
        app.MapAudit();
        app.MapTransparency();
        // Whatever else a browser asks for: the page that says there is nothing, for whom has signed in; nobody else is told what there is.
        app.MapGet("{*address:nonfile}", () => new RazorComponentResult<App> { StatusCode = StatusCodes.Status404NotFound })
            .WithMetadata(new ExcludeFromInteractiveRoutingAttribute()).WithOrder(int.MaxValue).ExcludeFromDescription();
    }
}
