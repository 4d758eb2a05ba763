namespace LfrEngine.Records.Watchlists;

/// <summary>Watchlists: composed, built, destroyed.</summary>
internal static class WatchlistSetup
{
    /// <summary>Registers the service, and the recovery that runs before anything is served.</summary>
    public static void AddWatchlists(this IServiceCollection services) => services
        .AddSingleton<PhotoVetter>()
        .AddSingleton<WatchlistService>()
        .AddHostedService<WatchlistRecovery>();

    /// <summary>Finishes what an interruption left, before anything is served.</summary>
    private sealed class WatchlistRecovery(WatchlistService watchlists) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await watchlists.RecoverAsync(cancellationToken);
            await watchlists.ReenrolAsync(cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
