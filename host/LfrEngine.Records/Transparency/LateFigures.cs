using LfrEngine.Evaluation.Statistics;
using LfrEngine.Records.Audit;
using LfrEngine.Records.FieldCheck;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Transparency;

/// <summary>Brings into the audit trail what is published and is known only after a deployment: the result of its health check, and the groups of people in false alerts.</summary>
/// <remarks>The groups come on a later day than the deployment's end and than the latest record, so that the time of the entry leads to no alert.</remarks>
internal sealed partial class LateFigures(Journal journal, IDbContextFactory<LfrStore> stores, FieldCheckService check, TimeProvider time, ILogger<LateFigures> log) : BackgroundService
{
    /// <summary>Entry with the result of the health check.</summary>
    public const string FieldCheckResult = "fieldcheck.result";

    /// <summary>Entry with the counts of groups in false alerts, all of the deployment; a later one replaces an earlier one.</summary>
    public const string FalseAlerts = "falsealert.groups";

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // The last alert of a walk may still be on its way when the deployment ends.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    // Deployments whose result is known to be in the trail, so that years of them are not looked up every minute.
    private readonly HashSet<Guid> noted = [];

    /// <summary>Notes what is due.</summary>
    public async Task NoteAsync(CancellationToken stopping)
    {
        DateTimeOffset now = time.GetUtcNow(), settled = now - Settled;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        Guid[] walked = await store.Deployments.Where(d => d.EndedAt < settled && store.Walks.Any(w => w.DeploymentId == d.Id && w.EndedAt != null && w.Void == null)).Select(d => d.Id).ToArrayAsync(stopping);
        foreach (Guid deployment in walked.Where(d => !noted.Contains(d)))
        {
            string subject = $"deployment/{deployment}";
            if (!await store.Audit.AnyAsync(e => e.Subject == subject && e.Action == FieldCheckResult, stopping))
                await NoteWalksAsync(deployment, stopping);
            noted.Add(deployment);
        }
        foreach (Guid deployment in await store.FalseAlertCounts.Where(c => c.Count != c.Published).Select(c => c.DeploymentId).Distinct().ToArrayAsync(stopping))
            await NoteGroupsAsync(deployment, stopping);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await NoteAsync(stoppingToken);
            }
#pragma warning disable CA1031 // A store that fails for a minute must not stop the engine; the next minute tries again.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                NotNoted(log, e.Message);
            }
        }
    }

    private async Task NoteWalksAsync(Guid deployment, CancellationToken stopping)
    {
        Walk[] walks = [.. (await check.WalksAsync(deployment, stopping)).Where(w => w is { EndedAt: not null, Void: null })];
        await journal.NoteAsync(Actor.Engine, FieldCheckResult, $"deployment/{deployment}", new
        {
            Passages = walks.Length,
            Found = walks.Count(w => w.Found),
            People = walks.Select(w => w.PersonId).Distinct().Count(),
            Groups = GroupTrial.Compare([.. walks.Select(w => w.Passage)]).Select(g => new { g.Column, g.Group, Passages = g.Found.Total, Found = g.Found.Count }),
        }, stopping);
    }

    private Task NoteGroupsAsync(Guid deployment, CancellationToken stopping) => journal.ChangeAsync(Actor.Engine, async (store, entries) =>
    {
        DateOnly today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        if (await store.Deployments.Where(d => d.Id == deployment).Select(d => d.EndedAt).SingleOrDefaultAsync(stopping) is not { } ended
            || DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(ended, time.LocalTimeZone).DateTime) >= today)
            return;
        List<FalseAlertCount> counts = await store.FalseAlertCounts.Where(c => c.DeploymentId == deployment).OrderBy(c => c.Category).ThenBy(c => c.Column).ThenBy(c => c.Group).ToListAsync(stopping);
        if (counts.Any(c => c.LatestOn >= today))
            return;
        foreach (FalseAlertCount count in counts)
            count.Published = count.Count;
        entries.Note(FalseAlerts, $"deployment/{deployment}", new { Groups = counts.Select(c => new { Category = c.Category.Name(), c.Column, c.Group, c.Count }) });
    }, stopping);

    [LoggerMessage(LogLevel.Error, "Figures could not be recorded and will be tried again: {Reason}")]
    private static partial void NotNoted(ILogger log, string reason);
}
