using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Records.Store;

/// <summary>Registers the basis of all records, with and without a server.</summary>
internal static class RecordsSetup
{
    /// <summary>Registers the store, its keys and the audit trail. Call it before other hosted services, so that the trail's last seal covers their last entries.</summary>
    /// <param name="services">The services.</param>
    /// <param name="installation">From lfr.json.</param>
    /// <param name="time">The clock for retention and audit.</param>
    public static void AddRecords(this IServiceCollection services, Installation installation, TimeProvider time)
    {
        services.AddSingleton(installation).AddSingleton(time);
        services.AddStore(installation);
        services.AddSingleton<KeyVault>().AddSingleton<Outbox>();
        services.AddAudit();
    }
}
