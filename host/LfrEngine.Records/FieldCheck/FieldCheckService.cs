using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.FieldCheck;

/// <summary>The health check in the field: consenting role-players walk past, and the engine's result is compared with the laboratory's evidence.</summary>
/// <remarks>
/// The unit is the walk: one role-player going past once, from the officer's "starts" to "ends". It counts as found when a face captured in that time raised an
/// alert, or joined one, for that person. Walks during which the engine was not always running are recorded as void. Intervals are Clopper and Pearson's, as if
/// walks were independent; those of one role-player are not quite, so the report says how many people walked.
/// Failure to acquire cannot be known exactly: the engine does not know whose face it compared below the threshold. What is certain are walks during which no face at
/// all, anybody's, was good enough to be compared: the least that it can be. The walks not found are the most.
/// </remarks>
internal sealed class FieldCheckService(Journal journal, IDbContextFactory<LfrStore> stores, SealedPeople records, EvidenceByHash evidence, DeploymentRunner runner, TimeProvider time)
{
    /// <summary>Why a walk that an officer takes back does not count. Recorded, so it has one wording.</summary>
    public const string Mistaken = "recorded by mistake";

    private static readonly Dictionary<string, string> NoGroups = [];

    /// <summary>Deployments with role-players, newest first.</summary>
    public async Task<IReadOnlyList<CheckedDeployment>> DeploymentsAsync(CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return await store.Deployments.Where(d => store.People.Any(p => p.WatchlistId == d.WatchlistId && p.RolePlayer) || store.Walks.Any(w => w.DeploymentId == d.Id))
            .OrderByDescending(d => d.DraftedAt).Select(d => new CheckedDeployment(d.Id, d.Name, d.State)).ToListAsync(stopping);
    }

    /// <summary>Role-players of a deployment's watchlist; empty once it is destroyed.</summary>
    public async Task<IReadOnlyList<RolePlayer>> RolePlayersAsync(Guid deploymentId, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        PersonRecord[] people = await store.People.AsNoTracking().Where(p => p.RolePlayer && store.Deployments.Any(d => d.Id == deploymentId && d.WatchlistId == p.WatchlistId))
            .OrderBy(p => p.AddedAt).ToArrayAsync(stopping);
        try
        {
            return [.. people.Select(Shown)];
        }
        catch (KeyDestroyedException)
        {
            return [];
        }

        RolePlayer Shown(PersonRecord person)
        {
            PersonDetails details = records.Details(person);
            return new RolePlayer(person.Id, details.Name, person.Category, details.Groups ?? NoGroups);
        }
    }

    /// <summary>Records that a role-player starts to walk.</summary>
    /// <exception cref="WalkRefusedException">The engine is not running, the person is not a role-player, or is already walking.</exception>
    public async Task<Guid> StartAsync(Actor officer, Guid deploymentId, Guid personId) => await journal.ChangeAsync(officer, async (store, entries) =>
    {
        DeploymentRecord deployment = await store.Deployments.SingleAsync(d => d.Id == deploymentId);
        if (deployment.State != DeploymentState.Running)
            throw new WalkRefusedException(WalkRefusal.NotRunning);
        PersonRecord? person = await store.People.SingleOrDefaultAsync(p => p.Id == personId && p.WatchlistId == deployment.WatchlistId && p.RolePlayer);
        if (person is null)
            throw new WalkRefusedException(WalkRefusal.NoRolePlayer);
        if (await store.Walks.AnyAsync(w => w.DeploymentId == deploymentId && w.PersonId == personId && w.EndedAt == null))
            throw new WalkRefusedException(WalkRefusal.WalkingAlready);
        var walk = new WalkRecord
        {
            Id = Guid.NewGuid(),
            DeploymentId = deploymentId,
            PersonId = personId,
            Category = person.Category,
            OfficerId = officer.OfficerId,
            StartedAt = time.GetUtcNow(),
            Groups = PersonGroups.Write(records.Details(person).Groups ?? NoGroups),
            FacesAtStart = Faces(deploymentId),
        };
        store.Walks.Add(walk);
        entries.Note("fieldcheck.walk-started", $"deployment/{deploymentId}", new { Walk = walk.Id, Category = walk.Category.Name() });
        return walk.Id;
    });

    /// <summary>Records the end of a walk.</summary>
    /// <param name="officer">Who saw it.</param>
    /// <param name="walkId">The current walk.</param>
    /// <param name="mistaken">Why it does not count; null if it does.</param>
    /// <exception cref="WalkRefusedException">The walk has already ended.</exception>
    public async Task EndAsync(Actor officer, Guid walkId, string? mistaken = null) => await journal.ChangeAsync(officer, async (store, entries) =>
    {
        WalkRecord walk = await store.Walks.SingleAsync(w => w.Id == walkId);
        if (walk.EndedAt is not null)
            throw new WalkRefusedException(WalkRefusal.EndedAlready);
        walk.EndedAt = time.GetUtcNow();
        // The count goes on over pauses; a program that was started anew counts from what was stored.
        walk.FacesCompared = Faces(walk.DeploymentId) is { } faces && faces >= walk.FacesAtStart ? faces - walk.FacesAtStart : null;
        DeploymentRecord deployment = await store.Deployments.SingleAsync(d => d.Id == walk.DeploymentId);
        bool ran = deployment.State == DeploymentState.Running && !(await store.Audit.Where(e => e.Subject == $"deployment/{walk.DeploymentId}" && e.Action == "deployment.paused").ToListAsync()).Any(e => e.At >= walk.StartedAt);
        walk.Void = mistaken ?? (ran ? null : "the engine was not running the whole time");
        entries.Note("fieldcheck.walk-ended", $"deployment/{walk.DeploymentId}", new { Walk = walk.Id, Seconds = (walk.EndedAt.Value - walk.StartedAt).TotalSeconds, walk.Void });
    });

    /// <summary>Walks of a deployment, newest first, with the engine's result.</summary>
    public async Task<IReadOnlyList<Walk>> WalksAsync(Guid deploymentId, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        WalkRecord[] walks = await store.Walks.AsNoTracking().Where(w => w.DeploymentId == deploymentId).OrderByDescending(w => w.StartedAt).ToArrayAsync(stopping);
        var seen = await store.Alerts.Where(a => a.DeploymentId == deploymentId && a.RolePlayer).Select(a => new { a.PersonId, a.CapturedAt, a.RaisedAt, a.Score }).ToArrayAsync(stopping);
        return [.. walks.Select(w =>
        {
            var own = seen.Where(a => a.PersonId == w.PersonId && a.CapturedAt >= w.StartedAt && (w.EndedAt is null || a.CapturedAt <= w.EndedAt)).ToArray();
            PersonGroups.TryRead(w.Groups, out IReadOnlyDictionary<string, string> groups);
            return new Walk(w.Id, w.PersonId, w.Category, w.StartedAt, w.EndedAt, w.Void, own.Length > 0, groups,
                own.Length > 0 ? (own.Min(a => a.RaisedAt) - w.StartedAt).TotalSeconds : null, own.Length > 0 ? own.Max(a => a.Score) : null, w.FacesCompared is { } faces ? faces == 0 : null);
        })];
    }

    /// <summary>The results so far by group, each group against the others of its column, with the laboratory's rate for the same column and value.</summary>
    /// <param name="deploymentId">Of the walks.</param>
    /// <param name="walks">From <see cref="WalksAsync"/>.</param>
    /// <param name="stopping">Before it is done.</param>
    public async Task<IReadOnlyList<FieldGroup>> GroupsAsync(Guid deploymentId, IReadOnlyList<Walk> walks, CancellationToken stopping = default)
    {
        Walk[] counted = [.. walks.Where(w => w is { EndedAt: not null, Void: null, Groups.Count: > 0 })];
        if (counted.Length == 0)
            return [];
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord deployment = await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == deploymentId, stopping);
        // Categories have thresholds of their own: a promise holds only where all walks are of one.
        WatchlistCategory[] categories = [.. counted.Select(w => w.Category).Distinct()];
        IReadOnlyList<GroupRates> promised = categories.Length == 1 ? AuthorisedRates.Of(deployment, categories[0], evidence)?.Promise?.Groups ?? [] : [];
        return [.. GroupTrial.Compare([.. counted.Select(w => w.Passage)]).Select(o => new FieldGroup(o, promised.FirstOrDefault(g => g.Column == o.Column && g.Group == o.Group && g.Tpir is not null)))];
    }

    /// <summary>The current rate and the laboratory's, one line per category.</summary>
    public async Task<IReadOnlyList<FieldRate>> RatesAsync(Guid deploymentId, CancellationToken stopping = default)
    {
        IReadOnlyList<Walk> walks = await WalksAsync(deploymentId, stopping);
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord deployment = await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == deploymentId, stopping);
        return [.. walks.Where(w => w.EndedAt is not null && w.Void is null).GroupBy(w => w.Category).OrderBy(g => g.Key)
            .Select(g => new FieldRate(g.Key, new Proportion(g.Count(w => w.Found), g.Count()), g.Select(w => w.PersonId).Distinct().Count(), AuthorisedRates.Of(deployment, g.Key, evidence)?.Promise))];
    }

    private long? Faces(Guid deployment) => runner.Find(deployment)?.FacesSeen;
}

/// <summary>A group's result in the field, and the laboratory's.</summary>
/// <param name="Outcome">In the field.</param>
/// <param name="Promise">The laboratory's rates for the same column and value at the threshold; null if it measured none.</param>
public sealed record FieldGroup(GroupOutcome Outcome, GroupRates? Promise);

/// <summary>A deployment that has role-players.</summary>
public sealed record CheckedDeployment(Guid Id, string Name, DeploymentState State);

/// <summary>A role-player.</summary>
/// <param name="Id">Of the entry.</param>
/// <param name="Name">For the officer.</param>
/// <param name="Category">Of the entry.</param>
/// <param name="Groups">Value by column; empty if none are recorded.</param>
public sealed record RolePlayer(Guid Id, string Name, WatchlistCategory Category, IReadOnlyDictionary<string, string> Groups);

/// <summary>A walk and the engine's result.</summary>
/// <param name="Id">Its own.</param>
/// <param name="PersonId">The role-player.</param>
/// <param name="Category">Of the role-player.</param>
/// <param name="StartedAt">Recorded by an officer.</param>
/// <param name="EndedAt">Null until it ends.</param>
/// <param name="Void">Why it does not count; null when it does.</param>
/// <param name="Found">Whether a face captured meanwhile raised an alert, or joined one.</param>
/// <param name="Groups">Value by column.</param>
/// <param name="Seconds">From the start to the first alert; null without one.</param>
/// <param name="Score">Highest of its alerts; null without one.</param>
/// <param name="NothingCompared">Whether no face at all was good enough to be compared; null if the engine could not tell.</param>
public sealed record Walk(Guid Id, Guid PersonId, WatchlistCategory Category, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Void, bool Found,
    IReadOnlyDictionary<string, string> Groups, double? Seconds, double? Score, bool? NothingCompared)
{
    internal TrialPassage Passage => new(PersonId, Groups, Found, Seconds, Score, NothingCompared);
}

/// <summary>The result in the field, and the laboratory's.</summary>
/// <param name="Category">Of the role-players.</param>
/// <param name="Found">Walks found of walks that count.</param>
/// <param name="People">Role-players who walked.</param>
/// <param name="Promise">The laboratory's rate at the threshold; null without evidence.</param>
public sealed record FieldRate(WatchlistCategory Category, Proportion Found, int People, OperatingPoint? Promise)
{
    /// <summary>95 %, exact.</summary>
    public Interval Interval => Found.ClopperPearson();

    /// <summary>Comparison of the two: they differ if their intervals do not overlap.</summary>
    public FieldVerdict Verdict => Promise is null ? FieldVerdict.NoPromise
        : Interval.High < Promise.TpirLow ? FieldVerdict.Below
        : Interval.Low > Promise.TpirHigh ? FieldVerdict.Above
        : FieldVerdict.Agrees;
}

/// <summary>The field against the laboratory.</summary>
public enum FieldVerdict
{
    /// <summary>There is no evidence to compare with.</summary>
    NoPromise,

    /// <summary>No clear difference.</summary>
    Agrees,

    /// <summary>Fewer are found than in the laboratory.</summary>
    Below,

    /// <summary>More are found than in the laboratory.</summary>
    Above,
}

/// <summary>Why a walk is not recorded.</summary>
public enum WalkRefusal
{
    /// <summary>The deployment is not running.</summary>
    NotRunning,

    /// <summary>The person is not a role-player on its watchlist.</summary>
    NoRolePlayer,

    /// <summary>That person is already walking.</summary>
    WalkingAlready,

    /// <summary>The walk has ended.</summary>
    EndedAlready,
}

/// <summary>A walk is not recorded.</summary>
public sealed class WalkRefusedException(WalkRefusal refusal) : Exception($"The walk is not recorded: {refusal}.")
{
    /// <summary>Why.</summary>
    public WalkRefusal Refusal { get; } = refusal;
}
