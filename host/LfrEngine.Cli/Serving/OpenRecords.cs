using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Cli.Serving;

/// <summary>The records of an installation, for a command that changes them while no server runs.</summary>
internal static class OpenRecords
{
    /// <summary>Opens and migrates them; the caller holds the <see cref="DataLock"/>.</summary>
    /// <param name="installation">From lfr.json.</param>
    /// <param name="time">The clock for retention and audit.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="CommandFailure">The store cannot be opened.</exception>
    public static async Task<ServiceProvider> OpenAsync(Installation installation, TimeProvider time, CancellationToken stopping)
    {
        var services = new ServiceCollection();
        services.AddLogging(l => l.AddHostLog());
        services.AddRecords(installation, time);
        services.AddOfficers(installation);
        services.AddWatchlists();
        services.AddAuthorities();
        services.AddDisclosure();
        ServiceProvider records = services.BuildServiceProvider();
        try
        {
            await StoreSetup.MigrateAsync(records, stopping);
            return records;
        }
        catch
        {
            await records.DisposeAsync();
            throw;
        }
    }
}
