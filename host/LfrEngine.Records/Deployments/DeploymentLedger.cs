using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Deployments;

/// <summary>Records in the store when deployments run, pause and end.</summary>
internal sealed class DeploymentLedger(Installation installation, PolicyShelf policies, IDbContextFactory<LfrStore> stores, Journal journal, TimeProvider time)
{
    private const string Started = "deployment.started";

    private const string SubjectPrefix = "deployment/";

    /// <summary>Subject of audit entries about a deployment.</summary>
    public static string Subject(Guid deployment) => SubjectPrefix + deployment;

    /// <summary>Whether a subject is a deployment.</summary>
    public static bool IsAbout(string subject) => subject.StartsWith(SubjectPrefix, StringComparison.Ordinal);

    /// <summary>State of a deployment; null if it does not exist.</summary>
    public async Task<DeploymentState?> StateAsync(Guid deployment)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        return (await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == deployment))?.State;
    }

    /// <summary>Records that a deployment runs.</summary>
    /// <returns>Faces seen and seconds run before.</returns>
    public async Task<(long Faces, double Seconds)> BeginAsync(Actor actor, Guid deployment, CancellationToken stopping)
    {
        (long Faces, double Seconds) before = default;
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            DeploymentRecord running = await store.Deployments.FirstAsync(d => d.Id == deployment, stopping);
            (running.State, running.StateReason) = (DeploymentState.Running, null);
            running.StartedAt ??= time.GetUtcNow();
            before = (running.FacesSeen, running.RunningSeconds);
            string subject = Subject(deployment);
            entries.Note(Started, subject, new { runs = 1 + await store.Audit.CountAsync(e => e.Subject == subject && e.Action == Started, stopping) });
        }, stopping);
        return before;
    }

    /// <summary>Records, as part of a change, that a deployment ends or pauses.</summary>
    /// <param name="store">Of the change.</param>
    /// <param name="entries">Of the change.</param>
    /// <param name="record">Of the deployment, in that store.</param>
    /// <param name="state">Ended or paused.</param>
    /// <param name="reason">In words; null for a pause that is explained later.</param>
    /// <param name="receipt">File name of the erasure receipt; null without one.</param>
    public async Task CloseAsync(LfrStore store, Entries entries, DeploymentRecord record, DeploymentState state, string? reason, string? receipt)
    {
        long facesSeen = Math.Max(0, record.FacesSeen - record.RolePlayerPassages);
        double runningSeconds = Math.Round(record.RunningSeconds, 1);
        // A withdrawn deployment stays withdrawn and is over.
        bool withdrawn = record.State == DeploymentState.Withdrawn;
        if (!withdrawn)
            (record.State, record.StateReason) = (state, reason);
        if (state == DeploymentState.Paused && !withdrawn)
        {
            entries.Note("deployment.paused", Subject(record.Id), new { reason, facesSeen, runningSeconds, receipt });
            return;
        }
        record.EndedAt = time.GetUtcNow();
        WatchlistRecord? list = await store.Watchlists.FirstOrDefaultAsync(w => w.Id == record.WatchlistId);
        if (list is not null)
        {
            // A window that closed while the program was not running counts as the end, so that the list is not kept longer after a power cut.
            Authority? authority = AuthorityService.TryRead(record);
            DateTimeOffset over = authority?.End is { } end && end < record.EndedAt ? end : record.EndedAt.Value;
            DateTimeOffset by = new RetentionPolicy(installation).DestroyWatchlistBy(over, policies.Of(authority));
            list.DestroyBy = list.DestroyBy < by ? list.DestroyBy : by;
        }
        entries.Note("deployment.ended", Subject(record.Id), new { facesSeen, runningSeconds, reason, receipt });
    }

    /// <summary>Records why a deployment was paused.</summary>
    /// <exception cref="DeploymentRefusedException">It is not paused, or its reason is known.</exception>
    public Task ExplainPauseAsync(Actor actor, Guid deployment, string reason) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        DeploymentRecord? record = await store.Deployments.FirstOrDefaultAsync(d => d.Id == deployment);
        if (record is not { State: DeploymentState.Paused, StateReason: null })
            throw new DeploymentRefusedException(["The deployment is not paused, or the reason is already recorded."]);
        record.StateReason = reason;
        entries.Note("deployment.pause-explained", Subject(deployment), new { reason });
    });

    /// <summary>Ends a deployment that does not run.</summary>
    public Task EndIdleAsync(Actor actor, Guid deployment, string reason) => journal.ChangeAsync(actor, async (store, entries) =>
        await CloseAsync(store, entries, await store.Deployments.FirstAsync(d => d.Id == deployment), DeploymentState.Ended, reason, null));

    /// <summary>A window that closes while nothing runs also ends the deployment, or its watchlist would be kept for ever.</summary>
    public async Task EndOverdueAsync(CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord[] waiting = await store.Deployments.AsNoTracking().Where(d => d.State == DeploymentState.Signed || d.State == DeploymentState.Paused).ToArrayAsync(stopping);
        DateTimeOffset now = time.GetUtcNow();
        foreach (DeploymentRecord record in waiting)
        {
            // An altered one cannot run, and its page shows why.
            if (AuthorityService.TryRead(record)?.End <= now)
                await EndIdleAsync(Actor.Engine, record.Id, record.State == DeploymentState.Signed ? "The authority's window closed before it was started." : "The authority's window closed.");
        }
    }

    /// <summary>Pauses the deployment that was running when the program ended unexpectedly.</summary>
    public async Task PauseInterruptedAsync(CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        Guid[] interrupted = await store.Deployments.Where(d => d.State == DeploymentState.Running).Select(d => d.Id).ToArrayAsync(stopping);
        foreach (Guid id in interrupted)
        {
            await journal.ChangeAsync(Actor.Engine, async (changed, entries) =>
                await CloseAsync(changed, entries, await changed.Deployments.FirstAsync(d => d.Id == id, stopping), DeploymentState.Paused, "The program ended unexpectedly.", null), stopping);
        }
    }
}
