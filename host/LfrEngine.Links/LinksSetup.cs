using LfrEngine.Links.Headquarters;
using LfrEngine.Links.Monitoring;
using LfrEngine.Links.Sending;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LfrEngine.Links;

/// <summary>Registers the links to other systems.</summary>
internal static class LinksSetup
{
    /// <summary>Receivers of messages, the headquarters or the vans, metrics, health, the description of the REST interface.</summary>
    public static void AddLinks(this IServiceCollection services, Installation installation)
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
        // Only interfaces for programs; the account forms are for browsers.
        services.AddOpenApi("v1", o =>
        {
            o.ShouldInclude = d => d.RelativePath is { } path && (path.StartsWith("api/", StringComparison.Ordinal) || path.StartsWith("pictures/", StringComparison.Ordinal));
            ApiDescription.Complete(o);
        });
    }

    public static void MapLinks(this WebApplication app)
    {
        // Created now, so that an unreadable van key fails at the start and not at the first batch.
        _ = app.Services.GetRequiredService<VanReceiver>();
        VanReceiver.Map(app);
        HostMetrics.Map(app);
        app.MapOpenApi().RequireAuthorization(Permissions.SeeDeployments);
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false }).AllowAnonymous();
        app.MapHealthChecks("/health/ready").AllowAnonymous();
    }

    /// <summary>Ready means that the store can be written.</summary>
    private sealed class StoreHealth(IDbContextFactory<LfrStore> stores) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await using LfrStore store = await stores.CreateDbContextAsync(cancellationToken);
            return await store.Database.CanConnectAsync(cancellationToken) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
        }
    }
}
