using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Watchlists;

/// <summary>Registers watchlists.</summary>
internal static class WatchlistSetup
{
    /// <summary>Registers the service, and the recovery that runs before anything is served.</summary>
    public static void AddWatchlists(this IServiceCollection services) => services
        .AddSingleton(s => VetterOf(s.GetRequiredService<Installation>(), s.GetRequiredService<ILogger<PhotoVetter>>()))
        .AddSingleton<SealedPeople>()
        .AddSingleton<WatchlistService>()
        .AddSingleton<WatchlistImport>()
        .AddSingleton<WatchlistReenrolment>()
        .AddHostedService<WatchlistRecovery>();

    /// <summary>A child process that judges photos with the models that run here.</summary>
    /// <param name="installation">Names them.</param>
    /// <param name="log">Receives what happens to the child.</param>
    /// <param name="sealedFaces">Whether it is given the face pictures of a watchlist.</param>
    public static PhotoVetter VetterOf(Installation installation, ILogger<PhotoVetter> log, bool sealedFaces = false) => new(log, installation.Detector, installation.Embedder, sealedFaces);

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
