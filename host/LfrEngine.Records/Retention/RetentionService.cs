using LfrEngine.Records.Alerts;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Retention;

/// <summary>Erases what is due while the program runs, and once at the start, before anything else is served, what fell due or was interrupted before.</summary>
/// <remarks>A failed check is repeated at the next one. Keys go first, so data that is due is unreadable even if the store cannot be written.</remarks>
internal sealed partial class RetentionService(AlertService alerts, WatchlistService watchlists, AuthorityService authorities, KeyVault vault, IDbContextFactory<LfrStore> stores, RetentionPolicy policy, RetentionClock clock,
    TimeProvider time, ILogger<RetentionService> log) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource ending = new();
    private Task running = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await MakeGoodAsync(cancellationToken);
        await LookAsync(cancellationToken);
        running = RunAsync(ending.Token);
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await ending.CancelAsync();
        await running;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        ending.Cancel();
        ending.Dispose();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(RetentionPolicy.LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                try
                {
                    await LookAsync(stopping);
                }
#pragma warning disable CA1031 // Any exception: the next check must still run.
                catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
                {
                    LookFailed(log, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    // Finishes what a crash or a power cut interrupted.
    private async Task MakeGoodAsync(CancellationToken stopping)
    {
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
        {
            // Keys that nothing needs: of an alert that was never recorded, or of something erased just before the end. A store without
            // a trail is new, or a different store: a wrong connection must not destroy the keys.
            bool own = await store.Audit.AnyAsync(stopping);
            var needed = (await store.Alerts.Where(a => a.ErasedAt == null).Select(a => a.Id).ToListAsync(stopping)).ToHashSet();
            needed.UnionWith(await store.Watchlists.Where(w => w.State != WatchlistState.Destroyed).Select(w => w.Id).ToListAsync(stopping));
            foreach (Guid orphan in vault.All().Where(k => own && !needed.Contains(k)))
                vault.Destroy(orphan);
        }
        if (clock.LostAtStart)
            await alerts.EraseAsync(_ => true, "clock-lost");
        Guid[] keys = [.. vault.All()];
        await alerts.EraseAsync(a => !keys.Contains(a.Id), "key-lost");
        // A shortened policy applies from now on. A time that no policy could have set comes from a clock that was ahead.
        DateTimeOffset latest = policy.EraseAlertBy(clock.Now());
        await using LfrStore change = await stores.CreateDbContextAsync(stopping);
        await change.Alerts.Where(a => a.ErasedAt == null && a.EraseBy > latest).ExecuteUpdateAsync(u => u.SetProperty(a => a.EraseBy, latest), stopping);
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        DateTimeOffset due = clock.Now() + RetentionPolicy.LookEvery;
        clock.Save();
        await alerts.EraseAsync(a => a.EraseBy <= due, "time-up");
        Guid[] lists;
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
            lists = await store.Watchlists.Where(w => w.State != WatchlistState.Destroyed && w.DestroyBy <= due).Select(w => w.Id).ToArrayAsync(stopping);
        foreach (Guid list in lists)
            await DestroyAsync(list);
        await authorities.DeleteFormsAsync(due - RetentionPolicy.UnfinishedForms, stopping);
    }

    // A list that cannot be destroyed yet does not prevent others, or the start; its key is destroyed first.
    private async Task DestroyAsync(Guid list)
    {
        try
        {
            await watchlists.DestroyAsync(Actor.Engine, list, "time-up");
        }
        catch (Exception e) when (e is WatchlistRefusedException or CommandFailure or IOException or UnauthorizedAccessException)
        {
            LookFailed(log, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Error, "An erasure failed and will be tried again: {Reason}")]
    private static partial void LookFailed(ILogger log, string reason);
}
