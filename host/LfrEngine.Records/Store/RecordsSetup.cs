using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Records.Store;

/// <summary>What all records stand on, with a server and without one.</summary>
internal static class RecordsSetup
{
    /// <summary>Registers the store, its keys and the audit trail. Before other hosted services: the trail's last seal covers their last entries.</summary>
    /// <param name="services">Where.</param>
    /// <param name="installation">From lfr.json.</param>
    /// <param name="time">The clock of everything that is kept or erased.</param>
    public static void AddRecords(this IServiceCollection services, Installation installation, TimeProvider time)
    {
        services.AddSingleton(installation).AddSingleton(time);
        services.AddStore(installation);
        services.AddSingleton<KeyVault>().AddSingleton<Outbox>();
        services.AddAudit();
    }
}
