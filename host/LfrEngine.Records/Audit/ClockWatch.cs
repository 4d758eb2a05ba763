using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Audit;

/// <summary>Records jumps of the wall clock, because the windows of authorities and the retention of pictures depend on it.</summary>
/// <remarks>
/// During the run the wall clock is compared with the monotonic one, at the start with the trail's last entry. A jump forward is recorded too;
/// a machine that slept looks the same.
/// </remarks>
internal sealed class ClockWatch(Journal journal, IDbContextFactory<LfrStore> stores, TimeProvider time) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using (LfrStore store = await stores.CreateDbContextAsync(stoppingToken))
        {
            AuditEntry? last = await store.Audit.OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(stoppingToken);
            if (last is not null && time.GetUtcNow() < last.At - Tolerance)
                await NoteAsync(time.GetUtcNow() - last.At, "behind the last entry at the start", stoppingToken);
        }
        (DateTimeOffset wall, long monotonic) = (time.GetUtcNow(), time.GetTimestamp());
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            (DateTimeOffset nowWall, long nowMonotonic) = (time.GetUtcNow(), time.GetTimestamp());
            TimeSpan jump = nowWall - wall - time.GetElapsedTime(monotonic, nowMonotonic);
            (wall, monotonic) = (nowWall, nowMonotonic);
            if (jump.Duration() > Tolerance)
                await NoteAsync(jump, jump < TimeSpan.Zero ? "put back" : "put forward, or the machine slept", stoppingToken);
        }
    }

    private Task NoteAsync(TimeSpan jump, string how, CancellationToken stopping) =>
        journal.NoteAsync(Actor.Engine, "clock.changed", "clock", new { BySeconds = Math.Round(jump.TotalSeconds, 3), How = how }, stopping);
}
