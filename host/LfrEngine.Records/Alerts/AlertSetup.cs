using LfrEngine.Records.Authorities;

namespace LfrEngine.Records.Alerts;

/// <summary>Registers alerts.</summary>
internal static class AlertSetup
{
    /// <summary>Registers the services.</summary>
    public static void AddAlerts(this IServiceCollection services)
    {
        services.AddSingleton<EvidenceByHash>(s => sha256 => s.GetRequiredService<EvidenceShelf>().Find(sha256)?.Document);
        services.AddSingleton<AlertService>().AddSingleton<AlertFeed>();
    }
}
