namespace LfrEngine.Records.Watchlists;

/// <summary>Registers watchlists.</summary>
internal static class WatchlistSetup
{
    /// <summary>Registers the service, and the recovery that runs before anything is served.</summary>
    public static void AddWatchlists(this IServiceCollection services) => services
        .AddSingleton<PhotoVetter>()
        .AddSingleton<SealedPeople>()
        .AddSingleton<WatchlistService>()
        .AddSingleton<WatchlistImport>()
        .AddSingleton<WatchlistReenrolment>()
        .AddHostedService<WatchlistRecovery>();

    /// <summary>Finishes interrupted work before anything is served.</summary>
    private sealed class WatchlistRecovery(WatchlistService watchlists, WatchlistReenrolment reenrolment) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await watchlists.RecoverAsync(cancellationToken);
            await reenrolment.RunAsync(cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
