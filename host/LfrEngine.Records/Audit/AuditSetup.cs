using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Audit;

/// <summary>Registers the audit trail.</summary>
internal static class AuditSetup
{
    /// <summary>Registers the journal and its services. Call it before other hosted services, so that the last seal covers their last entries.</summary>
    public static void AddAudit(this IServiceCollection services)
    {
        services.TryAddSingleton(_ => InstallationKey.Open());
        services.AddSingleton<Journal>().AddSingleton<AuditSealer>();
        services.AddHostedService(s => s.GetRequiredService<AuditSealer>());
        services.AddHostedService<ClockWatch>();
    }
}
