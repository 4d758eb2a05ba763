using LfrEngine.Records.Authorities;

namespace LfrEngine.Records.Alerts;

/// <summary>Registers alerts.</summary>
internal static class AlertSetup
{
    public static void AddAlerts(this IServiceCollection services)
    {
        services.AddSingleton<EvidenceByHash>(s => sha256 => s.GetRequiredService<EvidenceShelf>().Find(sha256)?.Document);
        services.AddSingleton<FalseAlertGroups>().AddSingleton<AlertService>().AddSingleton<AlertFeed>();
    }
}
