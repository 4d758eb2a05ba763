using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace LfrEngine.Host.Integration;

/// <summary>Other systems: those that are told, those that ask, those that watch.</summary>
internal static class IntegrationSetup
{
    /// <summary>Logs for people; under systemd as JSON, one object a line, for the journal and whoever collects it.</summary>
    public static void AddHostLog(this ILoggingBuilder logging)
    {
        // Warnings of everybody, news of ours; never what a request or a query holds.
        logging.SetMinimumLevel(LogLevel.Warning).AddFilter("LfrEngine", LogLevel.Information);
        // Known and meant: pages are never cached, the keys of sessions lie in the data folder as all keys do, and who sends no token is told so.
        logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        if (SystemdHelpers.IsSystemdService())
            logging.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O"));
        else
            logging.AddConsole();
        // A console that takes nothing holds up nobody who has something to log.
        logging.Services.Configure<ConsoleLoggerOptions>(o => o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
    }

    /// <summary>Receivers of messages, the headquarters or the vans, metrics, health, the description of the REST interface.</summary>
    public static void AddIntegration(this IServiceCollection services, Installation installation)
    {
        HostConfig config = installation.Config;
        services.AddSingleton<HostMetrics>().AddSingleton<VanReceiver>();
        foreach (WebhookConfig webhook in config.Webhooks)
            services.AddSingleton<IHostedService>(s => ActivatorUtilities.CreateInstance<WebhookSender>(s, webhook));
        if (config.Mqtt is { } mqtt)
            services.AddSingleton<IHostedService>(s => ActivatorUtilities.CreateInstance<MqttSender>(s, mqtt));
        if (config.Headquarters is { } headquarters)
        {
            services.AddSingleton(s => ActivatorUtilities.CreateInstance<HeadquartersSender>(s, headquarters));
            services.AddHostedService(s => s.GetRequiredService<HeadquartersSender>());
        }
        services.AddHealthChecks().AddCheck<StoreHealth>("store");
        // What programs are for; the forms of the account are for browsers.
        services.AddOpenApi("v1", o => o.ShouldInclude = d => d.RelativePath is { } path && (path.StartsWith("api/", StringComparison.Ordinal) || path.StartsWith("pictures/", StringComparison.Ordinal)));
    }

    /// <summary>Their endpoints.</summary>
    public static void MapIntegration(this WebApplication app)
    {
        // Made now: a van's key that cannot be read ends the start, not a van's first batch.
        _ = app.Services.GetRequiredService<VanReceiver>();
        VanReceiver.Map(app);
        HostMetrics.Map(app);
        app.MapOpenApi().RequireAuthorization(Permissions.SeeDeployments);
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false }).AllowAnonymous();
        app.MapHealthChecks("/health/ready").AllowAnonymous();
    }

    /// <summary>Ready is who can keep a record.</summary>
    private sealed class StoreHealth(IDbContextFactory<LfrStore> stores) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await using LfrStore store = await stores.CreateDbContextAsync(cancellationToken);
            return await store.Database.CanConnectAsync(cancellationToken) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
        }
    }
}
