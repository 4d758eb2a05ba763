using System.Data.Common;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Links.Sending;

/// <summary>The pending messages of one receiver, in order. Used by its sender.</summary>
internal sealed class OutboxQueue : IDisposable
{
    private readonly string channel;
    private readonly Journal journal;
    private readonly IDbContextFactory<LfrStore> stores;
    private readonly TimeSpan kept;
    private readonly TimeProvider time;
    private readonly BackOff backOff;

    public OutboxQueue(string channel, Journal journal, IDbContextFactory<LfrStore> stores, Installation installation, TimeProvider time)
    {
        this.channel = channel;
        this.journal = journal;
        this.stores = stores;
        this.time = time;
        kept = TimeSpan.FromDays(installation.Config.Retention.OutboxDays);
        backOff = new BackOff(time);
        journal.Written += OnWritten;
    }

    /// <summary>Set when there may be work.</summary>
    public Wakeup Wakeup { get; } = new();

    /// <summary>Sends pending and new messages in order, each until it is delivered.</summary>
    /// <param name="send">Returns null on success, otherwise the reason without the receiver's answer. Called with null, it only maintains the connection.</param>
    /// <param name="failed">Called for each failure.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task RunAsync(Func<OutboxMessage?, Task<string?>> send, Action<string> failed, CancellationToken stopping)
    {
        while (true)
        {
            string? error;
            OutboxMessage? message = null;
            try
            {
                message = await NextAsync(stopping);
                error = await send(message);
                if (error is null && message is not null)
                    await DoneAsync(message);
            }
            catch (Exception e) when (e is DbException or DbUpdateException or IOException)
            {
                error = $"the store failed: {e.Message}";
            }
            if (error is not null)
            {
                failed(error);
                await FailedAsync(message, error, stopping);
                continue;
            }
            backOff.Reset();
            if (message is null)
                await Wakeup.WaitAsync(stopping);
        }
    }

    // Expired messages are removed first.
    private async Task<OutboxMessage?> NextAsync(CancellationToken stopping)
    {
        DateTimeOffset oldest = time.GetUtcNow() - kept;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        IQueryable<OutboxMessage> waiting = store.Outbox.AsNoTracking().Where(m => m.Channel == channel).OrderBy(m => m.Id);
        OutboxMessage? next = await waiting.FirstOrDefaultAsync(stopping);
        if (next is null || next.CreatedAt >= oldest)
            return next;
        await journal.ChangeAsync(Actor.Engine, async (s, entries) =>
        {
            int dropped = await s.Outbox.Where(m => m.Channel == channel && m.CreatedAt < oldest).ExecuteDeleteAsync(stopping);
            entries.Note("outbox.dropped", $"channel/{channel}", new { Messages = dropped, OlderThan = oldest, next.LastError });
        }, stopping);
        return await waiting.FirstOrDefaultAsync(stopping);
    }

    // Not cancellable: it has been received, and would be sent again.
    private Task<int> DoneAsync(OutboxMessage message) =>
        journal.ChangeAsync(Actor.Engine, (s, _) => s.Outbox.Where(m => m.Id == message.Id).ExecuteDeleteAsync(CancellationToken.None), CancellationToken.None);

    private async Task FailedAsync(OutboxMessage? message, string error, CancellationToken stopping)
    {
        try
        {
            if (message is not null)
            {
                await journal.ChangeAsync(Actor.Engine, (s, _) => s.Outbox.Where(m => m.Id == message.Id).ExecuteUpdateAsync(
                    set => set.SetProperty(m => m.Attempts, m => m.Attempts + 1).SetProperty(m => m.LastError, error), stopping), stopping);
            }
        }
        catch (Exception e) when (e is DbException or DbUpdateException or IOException)
        {
            // Only the record of the failure is lost; the message is kept.
        }
        await backOff.WaitAsync(stopping);
    }

    public void Dispose() => journal.Written -= OnWritten;

    private void OnWritten(IReadOnlyList<AuditEntry> entries) => Wakeup.Set();
}
