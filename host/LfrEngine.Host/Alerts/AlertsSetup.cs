using LfrEngine.Host.Authorities;

namespace LfrEngine.Host.Alerts;

/// <summary>Alerts: taking, judging, telling.</summary>
internal static class AlertsSetup
{
    /// <summary>Registers the services.</summary>
    public static void AddAlerts(this IServiceCollection services)
    {
        services.AddSingleton<EvidenceByHash>(s => sha256 => s.GetRequiredService<EvidenceShelf>().Find(sha256)?.Document);
        services.AddSingleton<AlertService>().AddSingleton<AlertFeed>().AddSingleton<RefusalWords>();
    }

    /// <summary>Registers the endpoints.</summary>
    public static void MapAlerts(this WebApplication app) => AlertEndpoints.Map(app);
}
