using System.Net;
using LfrEngine.Host.Alerts;
using LfrEngine.Host.Audit;
using LfrEngine.Host.Authorities;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Deployments;
using LfrEngine.Host.FieldCheck;
using LfrEngine.Host.Web;
using LfrEngine.Host.Web.Layout;
using LfrEngine.Host.Integration;
using LfrEngine.Host.Retention;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using LfrEngine.Host.Transparency;
using LfrEngine.Host.Watchlists;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using MudBlazor.Services;

namespace LfrEngine.Host;

/// <summary>The host as a server: which parts there are, and where each is reached. Each part's own folder says how it works.</summary>
internal static class Server
{
    /// <summary>Puts the server together; the caller starts it.</summary>
    /// <param name="installation">From lfr.json.</param>
    /// <param name="time">The clock of everything that is kept or erased.</param>
    public static WebApplication Build(Installation installation, TimeProvider time)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "lfr", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => Listen(k, installation));
        builder.Services.AddSystemd();
        builder.Services.AddSingleton<IHostLifetime, ServerLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ServerLifetime.Patience);
        builder.Logging.AddHostLog();

        builder.Services.AddSingleton(installation).AddSingleton(time);
        builder.Services.AddStore(installation);
        builder.Services.AddSingleton<KeyVault>().AddSingleton<Outbox>();
        builder.Services.AddAudit();
        builder.Services.AddIntegration(installation);
        builder.Services.AddWatchlists();
        builder.Services.AddConsoleSecurity(installation);
        builder.Services.AddAuthorities();
        builder.Services.AddAlerts();
        builder.Services.AddRetention();
        builder.Services.AddFieldCheck();
        builder.Services.AddDeployments();
        builder.Services.AddLocalization();
        builder.Services.AddMudServices();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();

        WebApplication app = builder.Build();
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
        app.MapIntegration();
        // Whatever else a browser asks for: the page that says there is nothing, for whom has signed in; nobody else is told what there is.
        app.MapGet("{*address:nonfile}", () => new RazorComponentResult<App> { StatusCode = StatusCodes.Status404NotFound })
            .WithMetadata(new ExcludeFromInteractiveRoutingAttribute()).WithOrder(int.MaxValue).ExcludeFromDescription();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, Installation installation)
    {
        kestrel.AddServerHeader = false;
        var certificate = ServerCertificate.Open(installation);
        foreach (string address in installation.Config.Listen)
        {
            var uri = new Uri(address);
            void Https(ListenOptions o) => o.UseHttps(certificate);
            if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? ip))
                kestrel.Listen(ip, uri.Port, Https);
            else if (uri.IsLoopback && uri.Port != 0)
                kestrel.ListenLocalhost(uri.Port, Https);
            else if (uri.IsLoopback)
                kestrel.Listen(IPAddress.Loopback, 0, Https);
            else
                kestrel.ListenAnyIP(uri.Port, Https);
        }
    }
}
