using System.Net;
using LfrEngine.Links;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.FieldCheck;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Web.Security;
using LfrEngine.Web.Shell;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting.WindowsServices;

namespace LfrEngine.Cli.Serving;

/// <summary>Puts together all parts of the server.</summary>
internal static class Server
{
    /// <summary>Creates the server; the caller starts it.</summary>
    /// <param name="installation">From lfr.json.</param>
    /// <param name="time">The clock for retention and audit.</param>
    public static WebApplication Build(Installation installation, TimeProvider time)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "lfr", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => Listen(k, installation));
        // As a Windows service: starts and stops with it, and writes to the event log too.
        builder.Services.AddSystemd();
        if (WindowsServiceHelpers.IsWindowsService())
            builder.Services.AddWindowsService(o => o.ServiceName = "LfrEngine");
        else
            builder.Services.AddSingleton<IHostLifetime, ServerLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ServerLifetime.Patience);
        builder.Logging.AddHostLog();

        builder.Services.AddRecords(installation, time);
        builder.Services.AddLinks(installation);
        builder.Services.AddWatchlists();
        builder.Services.AddConsoleSecurity(installation);
        builder.Services.AddCameras();
        builder.Services.AddAuthorities();
        builder.Services.AddAlerts();
        builder.Services.AddRetention();
        builder.Services.AddFieldCheck();
        builder.Services.AddDeployments();
        builder.Services.AddDisclosure();
        builder.Services.AddConsole(installation);

        WebApplication app = builder.Build();
        app.MapConsole();
        app.MapLinks();
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
