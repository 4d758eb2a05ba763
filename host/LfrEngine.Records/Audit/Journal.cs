using System.Text.Json;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace LfrEngine.Records.Audit;

/// <summary>All changes of the store go through this class: a change, its audit entries and its messages are one transaction.</summary>
/// <remarks>
/// Changes run one at a time, because each entry contains the hash of the previous one. <see cref="Written"/> is raised after the transaction. One
/// installation has one store: two programs that wrote the same trail would collide on entry numbers.
/// </remarks>
public sealed class Journal(IDbContextFactory<LfrStore> stores, Outbox outbox, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>Raised with committed entries, in order, on the thread that wrote them.</summary>
    public event Action<IReadOnlyList<AuditEntry>>? Written;

    /// <summary>Makes a change.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="change">Changes entities of the given store and adds its audit entries; an exception rolls back everything.</param>
    /// <param name="stopping">Cancels before the change is committed.</param>
    public async Task<T> ChangeAsync<T>(Actor actor, Func<LfrStore, Entries, Task<T>> change, CancellationToken stopping = default)
    {
        var entries = new Entries();
        AuditEntry[] written;
        T result;
        await turn.WaitAsync(stopping);
        try
        {
            await using LfrStore store = await stores.CreateDbContextAsync(stopping);
            await using IDbContextTransaction transaction = await store.Database.BeginTransactionAsync(stopping);
            result = await change(store, entries);
            AuditEntry? last = await store.Audit.OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(stopping);
            written = new AuditEntry[entries.Noted.Count];
            for (int i = 0; i < written.Length; i++)
            {
                (string action, string subject, object details) = entries.Noted[i];
                DateTimeOffset now = time.GetUtcNow();
                written[i] = new AuditEntry
                {
                    Sequence = (last?.Sequence ?? 0) + 1,
                    // Rounded to the precision of the store, or the hash would not match what is read back.
                    At = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero),
                    ActorId = actor.Id,
                    ActorName = actor.Name,
                    Action = action,
                    Subject = subject,
                    Details = JsonSerializer.Serialize(details, AuditJson.Options),
                    PreviousHash = last?.Hash ?? AuditChain.Beginning,
                    Hash = "",
                };
                written[i].Hash = AuditChain.HashOf(written[i]);
                last = written[i];
            }
            store.Audit.AddRange(written);
            outbox.Add(store, written);
            await store.SaveChangesAsync(stopping);
            await transaction.CommitAsync(stopping);
        }
        finally
        {
            turn.Release();
        }
        if (written.Length > 0)
            Written?.Invoke(written);
        return result;
    }

    /// <summary>Makes a change without a result.</summary>
    public Task ChangeAsync(Actor actor, Func<LfrStore, Entries, Task> change, CancellationToken stopping = default) => ChangeAsync(actor, async (store, entries) =>
    {
        await change(store, entries);
        return true;
    }, stopping);

    /// <summary>Records an event without a change, such as a view or a refusal.</summary>
    public Task NoteAsync(Actor actor, string action, string subject, object details, CancellationToken stopping = default) => ChangeAsync(actor, (_, entries) =>
    {
        entries.Note(action, subject, details);
        return Task.FromResult(true);
    }, stopping);

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();
}

/// <summary>Audit entries of a change.</summary>
public sealed class Entries
{
    internal List<(string Action, string Subject, object Details)> Noted { get; } = [];

    /// <summary>Adds an entry. It must not contain biometric data or names of people on a watchlist.</summary>
    /// <param name="action">For example <c>alert.raised</c>; docs/audit.md lists all.</param>
    /// <param name="subject">For example <c>alert/2f0c…</c>.</param>
    /// <param name="details">An object with simple properties.</param>
    public void Note(string action, string subject, object details) => Noted.Add((action, subject, details));
}
