using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Audit;

/// <summary>Signs the trail up to its last entry with the installation's key: every minute if there are new entries, and at an orderly end.</summary>
internal sealed partial class AuditSealer(Journal journal, Outbox outbox, InstallationKey key, TimeProvider time, ILogger<AuditSealer> log) : BackgroundService
{
    /// <summary>Maximum time for which entries may be unsealed after a power cut.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Seals what is not sealed yet.</summary>
    public Task SealAsync(CancellationToken stopping) => journal.ChangeAsync(Actor.Engine, async (store, _) =>
    {
        AuditEntry? last = await store.Audit.OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(stopping);
        if (last is null || await store.AuditSeals.AnyAsync(s => s.Sequence == last.Sequence, stopping))
            return;
        var seal = new AuditSeal
        {
            Sequence = last.Sequence,
            At = time.GetUtcNow(),
            Hash = last.Hash,
            Signature = Convert.ToBase64String(key.Sign(AuditChain.SealedText(last.Sequence, last.Hash))),
        };
        store.AuditSeals.Add(seal);
        outbox.Add(store, seal);
    }, stopping);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Also if the other services have used up the time: otherwise their last entries stay unsealed until the next start.
        await TrySealAsync(CancellationToken.None);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        // At the start, for entries that a crash left unsealed.
        do
            await TrySealAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task TrySealAsync(CancellationToken stopping)
    {
        try
        {
            await SealAsync(stopping);
        }
        #pragma warning disable CA1031 // A store that fails for a minute must not stop the engine; the next seal covers these entries too.
        catch (Exception e) when (e is not OperationCanceledException)
        #pragma warning restore CA1031
        {
            NotSealed(log, e.Message);
        }
    }

    [LoggerMessage(2, LogLevel.Error, "The audit trail could not be sealed: {Error}")]
    private static partial void NotSealed(ILogger log, string error);
}
