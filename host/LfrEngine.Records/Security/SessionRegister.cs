using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Security;

/// <summary>Sessions of officers, kept on the server so that they can be ended and locked there. Ends and locks are in the audit trail.</summary>
public sealed class SessionRegister(Journal journal, IDbContextFactory<LfrStore> stores, Installation installation, TimeProvider time)
{
    /// <summary>Longest session: one shift. Then the officer must sign in again.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    /// <summary>Audit entries of sessions; each has the session's id in its details.</summary>
    public const string Ended = "officer.session-ended", SignedOut = "officer.signed-out", Locked = "officer.session-locked", Unlocked = "officer.session-unlocked";

    private const int Pulses = 20;

    /// <summary>A session is locked when its officer has done nothing for so long.</summary>
    public TimeSpan Idle { get; } = TimeSpan.FromMinutes(installation.Config.Sessions.IdleMinutes);

    /// <summary>How often activity is noted.</summary>
    public TimeSpan Pulse => Idle / Pulses;

    /// <summary>Begins a session of an officer who has just proved who they are.</summary>
    /// <returns>Its id, and the secret for the browser, which cannot be read again.</returns>
    public async Task<(Guid Id, string Secret)> BeginAsync(Guid officer, string device, string address)
    {
        string secret = RandomSecret.New();
        DateTimeOffset now = time.GetUtcNow();
        var session = new OfficerSession { Id = Guid.NewGuid(), SecretSha256 = RandomSecret.HashOf(secret), OfficerId = officer, StartedAt = now, ActiveAt = now, Device = device, Address = address };
        // The entry of the sign-in says how; a session by itself is no event.
        await journal.ChangeAsync(Actor.Engine, (store, _) =>
        {
            store.Sessions.Add(session);
            return Task.CompletedTask;
        });
        return (session.Id, secret);
    }

    /// <summary>The session of a secret; null if there is none any more. Ends or locks it first if that is due.</summary>
    public async Task<OfficerSession?> FindAsync(string? secret, CancellationToken stopping)
    {
        if (string.IsNullOrEmpty(secret))
            return null;
        string hash = RandomSecret.HashOf(secret);
        OfficerSession? session;
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
            session = await store.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.SecretSha256 == hash && store.Users.Any(o => o.Id == s.OfficerId && !o.Disabled), stopping);
        return session is not null && await SettleAsync(session) ? session : null;
    }

    /// <summary>Sessions of an officer, the latest first.</summary>
    public async Task<IReadOnlyList<OfficerSession>> OfAsync(Guid officer)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        return await store.Sessions.AsNoTracking().Where(s => s.OfficerId == officer).OrderByDescending(s => s.StartedAt).ToArrayAsync();
    }

    /// <summary>The officer has done something.</summary>
    public async Task NoteActivityAsync(OfficerSession session, CancellationToken stopping)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (now - session.ActiveAt < Pulse)
            return;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        await store.Sessions.Where(s => s.Id == session.Id && s.LockedAt == null).ExecuteUpdateAsync(u => u.SetProperty(s => s.ActiveAt, now), stopping);
    }

    /// <summary>Where a session's browser takes notifications; they end with the session.</summary>
    /// <param name="session">Which.</param>
    /// <param name="address">Of the browser's push service; null for none any more.</param>
    /// <param name="key">The browser's public key.</param>
    /// <param name="secret">The browser's secret.</param>
    public async Task SetPushAsync(Guid session, string? address, string? key, string? secret)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        await store.Sessions.Where(s => s.Id == session).ExecuteUpdateAsync(u => u.SetProperty(s => s.PushAddress, address).SetProperty(s => s.PushKey, key).SetProperty(s => s.PushSecret, secret));
    }

    /// <summary>Sessions that take notifications, of officers who have one of the roles. Locked ones too: an alert must be heard.</summary>
    public async Task<IReadOnlyList<OfficerSession>> TakingPushesAsync(string[] roles, CancellationToken stopping)
    {
        DateTimeOffset tooOld = time.GetUtcNow() - Longest;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return await store.Sessions.AsNoTracking().Where(s => s.PushAddress != null && s.StartedAt > tooOld && store.Users.Any(o => o.Id == s.OfficerId && !o.Disabled)
            && store.UserRoles.Any(h => h.UserId == s.OfficerId && store.Roles.Any(r => r.Id == h.RoleId && roles.Contains(r.Name)))).ToArrayAsync(stopping);
    }

    /// <summary>Ends a session.</summary>
    /// <param name="actor">Who ends it.</param>
    /// <param name="session">Which.</param>
    /// <param name="officer">Whose it must be.</param>
    /// <param name="reason">For the audit trail; null for a sign-out.</param>
    public Task EndAsync(Actor actor, Guid session, Guid officer, string? reason) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        if (await store.Sessions.SingleOrDefaultAsync(s => s.Id == session && s.OfficerId == officer) is { } open)
            End(store, entries, open, reason);
    });

    /// <summary>Ends all sessions of an officer, in the transaction of the change that is the reason.</summary>
    internal static async Task EndAllAsync(LfrStore store, Entries entries, Guid officer, string reason)
    {
        foreach (OfficerSession open in await store.Sessions.Where(s => s.OfficerId == officer).ToArrayAsync())
            End(store, entries, open, reason);
    }

    /// <summary>Locks a session: it opens nothing but the lock screen until the officer proves again who they are.</summary>
    /// <param name="actor">The officer, or the engine when time is up.</param>
    /// <param name="session">Which.</param>
    /// <param name="reason">For the audit trail.</param>
    public Task LockAsync(Actor actor, Guid session, string reason) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        if (await store.Sessions.SingleOrDefaultAsync(s => s.Id == session && s.LockedAt == null) is { } open)
        {
            open.LockedAt = time.GetUtcNow();
            entries.Note(Locked, OfficerRegister.SubjectOf(open.OfficerId), new { Session = open.Id, Reason = reason });
        }
    });

    /// <summary>Unlocks a session after the officer has proved again who they are.</summary>
    public Task UnlockAsync(Actor officer, Guid session, string by) => journal.ChangeAsync(officer, async (store, entries) =>
    {
        Guid own = officer.OfficerId;
        if (await store.Sessions.SingleOrDefaultAsync(s => s.Id == session && s.OfficerId == own && s.LockedAt != null) is { } locked)
        {
            locked.LockedAt = null;
            locked.ActiveAt = time.GetUtcNow();
            entries.Note(Unlocked, OfficerRegister.SubjectOf(own), new { Session = locked.Id, By = by });
        }
    });

    /// <summary>Ends and locks what is due.</summary>
    public async Task SweepAsync(CancellationToken stopping)
    {
        DateTimeOffset now = time.GetUtcNow(), tooOld = now - Longest, idle = now - Idle;
        OfficerSession[] due;
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
            due = await store.Sessions.AsNoTracking().Where(s => s.StartedAt <= tooOld || (s.LockedAt == null && s.ActiveAt <= idle)).ToArrayAsync(stopping);
        foreach (OfficerSession session in due)
            await SettleAsync(session);
    }

    // Whether the session goes on.
    private async Task<bool> SettleAsync(OfficerSession session)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (now - session.StartedAt >= Longest)
        {
            await EndAsync(Actor.Engine, session.Id, session.OfficerId, "expired");
            return false;
        }
        if (session.LockedAt is null && now - session.ActiveAt >= Idle)
        {
            await LockAsync(Actor.Engine, session.Id, "idle");
            session.LockedAt = now;
        }
        return true;
    }

    private static void End(LfrStore store, Entries entries, OfficerSession session, string? reason)
    {
        store.Sessions.Remove(session);
        entries.Note(reason is null ? SignedOut : Ended, OfficerRegister.SubjectOf(session.OfficerId), new { Session = session.Id, Reason = reason });
    }
}
