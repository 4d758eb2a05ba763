using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Alerts;

/// <summary>Tells what happens to alerts, out of the audit trail: who fell behind or was away goes on where they were, and nothing is told twice.</summary>
/// <remarks>The trail's entries wake the listeners; each then reads what is new to it, all at once, so that a burst of alerts is one message to a page.</remarks>
public sealed class AlertFeed : IDisposable
{
    private const int MostAtOnce = 500;

    private readonly Journal journal;
    private readonly IDbContextFactory<LfrStore> stores;
    private readonly Lock gate = new();
    private readonly HashSet<Channel<bool>> listeners = [];

    /// <summary>Listens to the trail.</summary>
    public AlertFeed(Journal journal, IDbContextFactory<LfrStore> stores)
    {
        this.journal = journal;
        this.stores = stores;
        journal.Written += Wake;
    }

    /// <summary>Number of the trail's last entry.</summary>
    public async Task<long> LatestAsync(CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return await store.Audit.MaxAsync(e => (long?)e.Sequence, stopping) ?? 0;
    }

    /// <summary>Follows what happens to alerts, for ever.</summary>
    /// <param name="after">The last entry that the listener knows.</param>
    /// <param name="stopping">Ends it.</param>
    /// <returns>One or more entries at a time, in order.</returns>
    public async IAsyncEnumerable<IReadOnlyList<AuditEntry>> FollowAsync(long after, [EnumeratorCancellation] CancellationToken stopping)
    {
        // One wake-up that waits is enough: whoever wakes reads everything.
        var woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        lock (gate)
            listeners.Add(woken);
        try
        {
            while (true)
            {
                AuditEntry[] news;
                await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
                {
                    news = await store.Audit.AsNoTracking().Where(e => e.Sequence > after && AlertActions.Changes.Contains(e.Action))
                        .OrderBy(e => e.Sequence).Take(MostAtOnce).ToArrayAsync(stopping);
                }
                if (news.Length > 0)
                {
                    after = news[^1].Sequence;
                    yield return news;
                }
                if (news.Length < MostAtOnce)
                    await woken.Reader.ReadAsync(stopping);
            }
        }
        finally
        {
            lock (gate)
                listeners.Remove(woken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => journal.Written -= Wake;

    private void Wake(IReadOnlyList<AuditEntry> entries)
    {
        if (!entries.Any(e => AlertActions.Changes.Contains(e.Action)))
            return;
        lock (gate)
        {
            foreach (Channel<bool> listener in listeners)
                listener.Writer.TryWrite(true);
        }
    }
}
