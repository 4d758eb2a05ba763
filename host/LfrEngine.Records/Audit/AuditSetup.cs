using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Audit;

/// <summary>The audit trail: sealed and watched.</summary>
internal static class AuditSetup
{
    /// <summary>The journal and what stands by it. Before other hosted services: the last seal covers their last entries.</summary>
    public static void AddAudit(this IServiceCollection services)
    {
        services.TryAddSingleton(_ => InstallationKey.Open());
        services.AddSingleton<Journal>().AddSingleton<AuditSealer>();
        services.AddHostedService(s => s.GetRequiredService<AuditSealer>());
        services.AddHostedService<ClockWatch>();
    }
}
