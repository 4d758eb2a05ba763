using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Alerts;

/// <summary>Publishes events of alerts from the audit trail. A listener that fell behind or was disconnected resumes where it was, without repeated events.</summary>
/// <remarks>New entries wake the listeners; each then reads everything new at once, so that several alerts become one message to a page.</remarks>
public sealed class AlertFeed : IDisposable
{
    private const int MostAtOnce = 500;

    private readonly Journal journal;
    private readonly IDbContextFactory<LfrStore> stores;
    private readonly Lock gate = new();
    private readonly HashSet<Channel<bool>> listeners = [];

    /// <summary>Subscribes to the trail.</summary>
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

    /// <summary>Follows the events of alerts without end.</summary>
    /// <param name="officer">Who listens: events of deployments with a crew are for the crew alone. The engine hears everything.</param>
    /// <param name="after">The last entry that the listener has.</param>
    /// <param name="stopping">Stops it.</param>
    /// <returns>One or more entries at a time, in order.</returns>
    public async IAsyncEnumerable<IReadOnlyList<AuditEntry>> FollowAsync(Actor officer, long after, [EnumeratorCancellation] CancellationToken stopping)
    {
        // One pending wake-up is enough, because the listener then reads everything.
        var woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        lock (gate)
            listeners.Add(woken);
        try
        {
            while (true)
            {
                AuditEntry[] news;
                HashSet<Guid> closed = [];
                await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
                {
                    news = await store.Audit.AsNoTracking().Where(e => e.Sequence > after && AlertActions.Changes.Contains(e.Action))
                        .OrderBy(e => e.Sequence).Take(MostAtOnce).ToArrayAsync(stopping);
                    if (news.Length > 0 && officer != Actor.Engine)
                        closed = [.. await Crews.ClosedTo(store, officer.OfficerId).Distinct().ToArrayAsync(stopping)];
                }
                if (news.Length > 0)
                {
                    after = news[^1].Sequence;
                    AuditEntry[] heard = closed.Count == 0 ? news : [.. news.Where(e => !closed.Contains(AlertActions.DeploymentOf(e)))];
                    if (heard.Length > 0)
                        yield return heard;
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

    /// <summary>Waits for more. A listener that disconnects or a program that stops ends a stream without error.</summary>
    public static async Task<bool> MoreAsync(IAsyncEnumerator<IReadOnlyList<AuditEntry>> news)
    {
        try
        {
            return await news.MoveNextAsync();
        }
        catch (OperationCanceledException)
        {
            return false;
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
