using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using LfrEngine.Alerts;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Memory;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Alerts;

/// <summary>Alerts, from the engine to the officers' decisions. Pictures are encrypted with a separate key per alert before they are written.</summary>
internal sealed class AlertService(Journal journal, IDbContextFactory<LfrStore> stores, KeyVault vault, SealedPeople people, EvidenceByHash evidence,
    FalseAlertGroups falseAlerts, RetentionPolicy policy, PolicyShelf policies, RetentionClock clock, TimeProvider time)
{
    /// <summary>Maximum length of an officer's note, characters.</summary>
    public const int LongestNote = 1000;

    /// <summary>Purpose under which the description of the person is sealed.</summary>
    public const string PersonPurpose = "person";

    private const int JpegQuality = 92;

    // Which officer has viewed which alert during this run of the program; the audit trail has all views.
    private readonly ConcurrentDictionary<(Guid Officer, Guid Alert), Lazy<Task>> looks = new();

    /// <summary>Stores an alert from the engine: encrypts its pictures, records it, and notifies the console and all followers of the audit trail.</summary>
    /// <param name="deploymentId">The deployment that runs.</param>
    /// <param name="alert">Disposed here.</param>
    /// <remarks>If the alert cannot be recorded, its key is destroyed here, or at the next start if the program was killed in between.</remarks>
    public async Task TakeAsync(Guid deploymentId, Alert alert)
    {
        using Alert owned = alert;
        var record = new AlertRecord
        {
            Id = Guid.NewGuid(),
            DeploymentId = deploymentId,
            EngineId = alert.Id,
            PersonId = Guid.ParseExact(alert.Identity.Id, "N"),
            Category = alert.Identity.Category,
            Camera = alert.Camera,
            Score = alert.Score,
            Threshold = alert.Threshold,
            AgreeingShots = alert.AgreeingShots,
            ComparedShots = alert.ComparedShots,
            Quality = alert.Quality.Score,
            CapturedAt = alert.CapturedAt,
            RaisedAt = alert.RaisedAt,
        };
        vault.Create(record.Id);
        try
        {
            await SealAsync(record, alert);
            await journal.ChangeAsync(Actor.Engine, async (store, entries) =>
            {
                record.JoinedAlertId = alert.JoinedAlertId is { } joined ? await JoinedAsync(store, record, joined) : null;
                store.Alerts.Add(record);
                entries.Note(record.JoinedAlertId is null ? AlertActions.Raised : AlertActions.Joined, AlertActions.SubjectOf(record.Id), new
                {
                    record.DeploymentId,
                    Category = record.Category.Name(),
                    record.Camera,
                    record.Score,
                    record.Threshold,
                    record.Likeness,
                    record.Log10LikelihoodRatio,
                    record.RolePlayer,
                    Joined = record.JoinedAlertId,
                });
            });
        }
        catch
        {
            vault.Destroy(record.Id);
            throw;
        }
    }

    /// <summary>Records a decision.</summary>
    /// <param name="officer">Who decides; must hold the step's permission.</param>
    /// <param name="alertId">An alert that joined no other.</param>
    /// <param name="to">State wanted.</param>
    /// <param name="note">The officer's own words; may be empty.</param>
    /// <param name="undoes">The entry to undo; null for a new decision.</param>
    /// <param name="seen">How many entries the officer saw when deciding; if there are more by now, the decision is refused. Null skips this check.</param>
    public async Task<Decision> DecideAsync(ClaimsPrincipal officer, Guid alertId, AlertState to, string note, long? undoes = null, int? seen = null)
    {
        Actor actor = Actor.Of(officer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(note.Length, LongestNote, nameof(note));
        var erased = new List<Guid>();
        AlertRecord? decided = null;
        Decision decision = await journal.ChangeAsync(actor, async (store, entries) =>
        {
            AlertRecord? alert = await store.Alerts.Include(a => a.Events.OrderBy(e => e.Id)).SingleOrDefaultAsync(a => a.Id == alertId);
            if (alert is null)
                return new Decision(Refusal.Unknown, null, null);
            if (await Crews.ClosedTo(store, actor.OfficerId).ContainsAsync(alert.DeploymentId))
                return new Decision(Refusal.NotYourCrew, null, null);
            AlertEntry? last = alert.Events.LastOrDefault() is { } before ? AlertEntry.Of(before) : null;
            if (alert.JoinedAlertId is not null)
                return new Decision(Refusal.Joined, null, last);
            if (seen is { } count && count != alert.Events.Count)
                return new Decision(Refusal.Changed, null, last);
            IReadOnlyList<AlertEvent> standing = AlertTransitions.Standing(alert.Events);
            if (AlertTransitions.RefusalOf(standing, to, undoes, actor.OfficerId, hasPictures: alert.ErasedAt is null, p => Permissions.ByRole[p].Any(officer.IsInRole)) is { } refusal)
                return new Decision(refusal, null, last);
            AlertState step = undoes is null ? to : alert.State;
            DeploymentRecord? deployment = await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == alert.DeploymentId);
            if (await TrainingCurrency.FaultAsync(store, policies.Of(deployment is null ? null : AuthorityService.TryRead(deployment)), actor.OfficerId, actor.Name,
                TrainingCurrency.RoleFor(AlertTransitions.PermissionFor(step)), DateOnly.FromDateTime(time.GetLocalNow().DateTime)) is not null)
                return new Decision(Refusal.Untrained, null, last);
            var entry = new AlertEvent
            {
                AlertId = alertId,
                At = time.GetUtcNow(),
                OfficerId = actor.OfficerId,
                OfficerName = actor.Name,
                From = alert.State,
                To = to,
                UndoesId = undoes,
                Note = note.Trim(),
            };
            store.AlertEvents.Add(entry);
            alert.State = to;
            // The entry's number is in the audit trail, and later entries refer to it.
            await store.SaveChangesAsync();
            entries.Note(AlertActions.Decided, AlertActions.SubjectOf(alertId), new { alert.DeploymentId, Entry = entry.Id, entry.From, entry.To, Undoes = undoes, alert.RolePlayer });
            if (RetentionPolicy.ErasesAtOnce(to))
            {
                foreach (AlertRecord held in await store.Alerts.Where(a => a.ErasedAt == null && (a.Id == alertId || a.JoinedAlertId == alertId)).ToListAsync())
                {
                    Erase(held, entries, "rejected");
                    erased.Add(held.Id);
                }
            }
            decided = alert;
            return new Decision(null, AlertEntry.Of(entry), last);
        });
        if (decided is not null)
            falseAlerts.Decided(decided, to, actor.OfficerId);
        await ForgetAsync(erased);
        return decision;
    }

    /// <summary>Erases the pictures of alerts whose time is up. Keys go first, so that pictures become unreadable even if the store cannot be written.</summary>
    /// <param name="which">Selects from the alerts that still have pictures.</param>
    /// <param name="reason">For the audit trail: <c>time-up</c>, <c>clock-lost</c> or <c>key-lost</c>.</param>
    /// <returns>Number of alerts.</returns>
    public async Task<int> EraseAsync(System.Linq.Expressions.Expression<Func<AlertRecord, bool>> which, string reason)
    {
        Guid[] due;
        await using (LfrStore store = await stores.CreateDbContextAsync())
            due = await store.Alerts.Where(a => a.ErasedAt == null).Where(which).Select(a => a.Id).ToArrayAsync();
        if (due.Length == 0)
            return 0;
        foreach (Guid id in due)
            vault.Destroy(id);
        await journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            foreach (AlertRecord held in await store.Alerts.Where(a => a.ErasedAt == null && due.Contains(a.Id)).ToListAsync())
                Erase(held, entries, reason);
        });
        await ForgetAsync(due);
        return due.Length;
    }

    /// <summary>Lists alerts; sightings are included in their alert.</summary>
    /// <param name="officer">Who reads: alerts of deployments with a crew are for the crew alone. The engine sees all.</param>
    /// <param name="filter">Which, and in which order.</param>
    /// <param name="stopping">Cancels the query.</param>
    public async Task<IReadOnlyList<AlertSummary>> ListAsync(Actor officer, AlertFilter filter, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        IQueryable<AlertRecord> some = OpenTo(store, officer).Where(a => a.JoinedAlertId == null);
        if (filter.States is { Count: > 0 } states)
            some = some.Where(a => states.Contains(a.State));
        if (filter.DeploymentId is { } deployment)
            some = some.Where(a => a.DeploymentId == deployment);
        if (filter.Categories is { Count: > 0 } categories)
            some = some.Where(a => categories.Contains(a.Category));
        if (filter.Camera is { } camera)
            some = some.Where(a => a.Camera == camera);
        if (filter.From is { } from)
            some = some.Where(a => a.RaisedAt >= from);
        if (filter.Before is { } before)
            some = some.Where(a => a.RaisedAt < before);
        if (filter.Reference is { Length: > 0 } reference)
        {
            // Each reference is sealed with its alert's own key, so the store cannot look for it.
            var held = await some.Where(a => a.SealedPerson != null).Select(a => new { a.Id, a.SealedPerson }).ToArrayAsync(stopping);
            Guid[] found = [.. held.Where(a => Person(a.Id, a.SealedPerson!)?.Reference.Contains(reference, StringComparison.OrdinalIgnoreCase) == true).Select(a => a.Id)];
            some = some.Where(a => found.Contains(a.Id));
        }
        some = filter.AsQueue
            ? Open(some).OrderByDescending(a => a.Category == WatchlistCategory.MissingOrVulnerable || a.Category == WatchlistCategory.AtRiskOfHarm).ThenBy(a => a.RaisedAt).ThenBy(a => a.Id)
            : some.OrderByDescending(a => a.RaisedAt).ThenByDescending(a => a.Id);
        // A list does not read the encrypted pictures.
        return await some.Skip(filter.Skip).Take(filter.Take)
            .Select(a => new AlertSummary(a.Id, a.DeploymentId, a.Category, a.RolePlayer, a.Camera, a.Score, a.Threshold, a.Likeness, a.AgreeingShots, a.ComparedShots,
                a.CapturedAt, a.RaisedAt, a.State, store.Alerts.Count(s => s.JoinedAlertId == a.Id), a.EraseBy, a.ErasedAt) { Likelihood = a.Log10LikelihoodRatio == null ? null : new AlertLikelihood(a.Log10LikelihoodRatio.Value, a.LikelihoodRatioAtBound, a.LikelihoodListSize) })
            .ToListAsync(stopping);
    }

    /// <summary>Alerts that entries of the trail have just brought to those who judge (raised) or to those who engage (viable), and that still wait for them.</summary>
    public async Task<IReadOnlyList<AlertSummary>> NewlyAsync(Actor officer, AlertState waiting, IReadOnlyList<AuditEntry> news, CancellationToken stopping)
    {
        string action = waiting == AlertState.Raised ? AlertActions.Raised : AlertActions.Decided;
        var ids = news.Where(e => e.Action == action).Select(e => AlertActions.AlertOf(e.Subject)).ToHashSet();
        return ids.Count == 0 ? [] : [.. (await ListAsync(officer, new AlertFilter { States = [waiting], Take = AlertFilter.MostAtOnce }, stopping)).Where(a => ids.Contains(a.Id))];
    }

    /// <summary>Records that an officer looked for alerts by a reference. The reference itself names somebody and is not recorded.</summary>
    public Task NoteSearchAsync(Actor officer) => journal.NoteAsync(officer, AlertActions.Searched, "alerts", new { });

    /// <summary>The cameras and deployments of all alerts that an officer may see.</summary>
    public async Task<AlertChoices> ChoicesAsync(Actor officer, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        IQueryable<AlertRecord> seen = OpenTo(store, officer);
        string[] cameras = await seen.Select(a => a.Camera).Distinct().OrderBy(c => c).ToArrayAsync(stopping);
        var deployments = await store.Deployments.Where(d => seen.Any(a => a.DeploymentId == d.Id)).OrderBy(d => d.Name).Select(d => new { d.Id, d.Name }).ToArrayAsync(stopping);
        return new AlertChoices(cameras, [.. deployments.Select(d => KeyValuePair.Create(d.Id, d.Name))]);
    }

    /// <summary>Counts alerts by state, without sightings and without alerts that nobody can judge any more.</summary>
    public async Task<IReadOnlyDictionary<AlertState, int>> CountAsync(Actor officer, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return await Open(OpenTo(store, officer)).Where(a => a.JoinedAlertId == null).GroupBy(a => a.State).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stopping);
    }

    /// <summary>Everything about one alert. The view is recorded in the audit trail.</summary>
    /// <returns>Null when there is none.</returns>
    public async Task<AlertDetail?> LookAsync(Actor officer, Guid alertId, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        AlertRecord? alert = await store.Alerts.AsNoTracking().Include(a => a.Events.OrderBy(e => e.Id)).SingleOrDefaultAsync(a => a.Id == alertId, stopping);
        if (alert is null || await Crews.ClosedTo(store, officer.OfficerId).ContainsAsync(alert.DeploymentId, stopping))
            return null;
        AlertSighting[] sightings = await store.Alerts.Where(s => s.JoinedAlertId == alertId).OrderBy(s => s.RaisedAt)
            .Select(s => new AlertSighting(s.Id, s.Camera, s.Score, s.CapturedAt, s.ErasedAt)).ToArrayAsync(stopping);
        DeploymentRecord? deployment = await store.Deployments.AsNoTracking().SingleOrDefaultAsync(d => d.Id == alert.DeploymentId, stopping);
        AlertPerson? person = null;
        if (alert.SealedPerson is { } sealedPerson)
        {
            await NoteLookAsync(officer, alert);
            person = Person(alertId, sealedPerson);
        }
        AlertEvent[] entries = [.. alert.Events];
        var summary = new AlertSummary(alert.Id, alert.DeploymentId, alert.Category, alert.RolePlayer, alert.Camera, alert.Score, alert.Threshold, alert.Likeness, alert.AgreeingShots, alert.ComparedShots,
            alert.CapturedAt, alert.RaisedAt, alert.State, sightings.Length, alert.EraseBy, person is null ? alert.ErasedAt ?? alert.EraseBy : null)
        { Likelihood = alert.Log10LikelihoodRatio is null ? null : new AlertLikelihood(alert.Log10LikelihoodRatio.Value, alert.LikelihoodRatioAtBound, alert.LikelihoodListSize) };
        return new AlertDetail(summary, deployment?.Name ?? "", alert.JoinedAlertId, person, sightings, [.. entries.Select(AlertEntry.Of)], AlertTransitions.Undoable(entries, hasPictures: alert.ErasedAt is null),
            deployment is null ? null : AuthorityService.TryRead(deployment)?.Categories.FirstOrDefault(c => c.Category == alert.Category)?.Response);
    }

    /// <summary>A picture of an alert, in locked memory owned by the caller. The view is recorded first.</summary>
    /// <param name="officer">Who looks.</param>
    /// <param name="alertId">An alert or a sighting.</param>
    /// <param name="kind">Which.</param>
    /// <returns>A JPEG; null if the alert does not exist or its pictures are erased.</returns>
    public async Task<HostBuffer<byte>?> PictureAsync(Actor officer, Guid alertId, AlertPicture kind)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        AlertRecord? alert = await store.Alerts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == alertId);
        byte[]? made = kind switch
        {
            AlertPicture.Probe => alert?.SealedProbe,
            AlertPicture.Moment => alert?.SealedMoment,
            _ => alert?.SealedReference,
        };
        if (alert is null || made is null || await Crews.ClosedTo(store, officer.OfficerId).ContainsAsync(alert.DeploymentId))
            return null;
        await NoteLookAsync(officer, alert);
        try
        {
            return vault.Unseal(alertId, made, PurposeOf(kind));
        }
        catch (KeyDestroyedException)
        {
            return null;
        }
    }

    /// <summary>Purpose under which a picture is sealed.</summary>
    public static string PurposeOf(AlertPicture kind) => kind switch
    {
        AlertPicture.Probe => "probe",
        AlertPicture.Moment => "moment",
        _ => "reference",
    };

    private static IQueryable<AlertRecord> OpenTo(LfrStore store, Actor officer)
    {
        if (officer == Actor.Engine)
            return store.Alerts;
        IQueryable<Guid> closed = Crews.ClosedTo(store, officer.OfficerId);
        return store.Alerts.Where(a => !closed.Contains(a.DeploymentId));
    }

    // Without those that wait for a judgement which nobody can make any more.
    private static IQueryable<AlertRecord> Open(IQueryable<AlertRecord> alerts) => alerts.Where(a => a.State != AlertState.Raised || a.ErasedAt == null);

    // Null if it was erased after the query.
    private AlertPerson? Person(Guid alertId, byte[] sealedPerson)
    {
        try
        {
            using HostBuffer<byte> text = vault.Unseal(alertId, sealedPerson, PersonPurpose);
            return JsonSerializer.Deserialize<AlertPerson>(text.Span);
        }
        catch (KeyDestroyedException)
        {
            return null;
        }
    }

    private void Erase(AlertRecord held, Entries entries, string reason)
    {
        held.SealedProbe = held.SealedMoment = held.SealedReference = held.SealedPerson = null;
        held.ErasedAt = time.GetUtcNow();
        entries.Note(AlertActions.PicturesErased, AlertActions.SubjectOf(held.Id), new { held.DeploymentId, Reason = reason });
    }

    // The alert named by the engine, unless it was rejected: that may have been somebody else, so this and later passages become a new alert.
    private static async Task<Guid?> JoinedAsync(LfrStore store, AlertRecord sighting, string engineId)
    {
        DateTimeOffset? since = await store.Alerts.Where(a => a.DeploymentId == sighting.DeploymentId && a.EngineId == engineId)
            .OrderByDescending(a => a.RaisedAt).Select(a => (DateTimeOffset?)a.RaisedAt).FirstOrDefaultAsync();
        return since is null ? null : await store.Alerts
            .Where(a => a.DeploymentId == sighting.DeploymentId && a.PersonId == sighting.PersonId && a.JoinedAlertId == null && a.RaisedAt >= since && a.State != AlertState.Rejected)
            .OrderByDescending(a => a.RaisedAt).Select(a => (Guid?)a.Id).FirstOrDefaultAsync();
    }

    private async Task SealAsync(AlertRecord record, Alert alert)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        PersonRecord person = await store.People.AsNoTracking().Include(p => p.Photos).SingleAsync(p => p.Id == record.PersonId);
        DeploymentRecord deployment = await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == record.DeploymentId);
        AuthorisedRates? rates = AuthorisedRates.Of(deployment, record.Category, evidence);
        record.EraseBy = policy.EraseAlertBy(clock.Now(), policies.Of(AuthorityService.TryRead(deployment)));
        record.RolePlayer = person.RolePlayer;
        record.Likeness = Likenesses.Of(record.Score, record.Threshold, rates?.Evidence, rates?.ListSize ?? 1);
        if (rates?.LikelihoodOf(ComparisonTraits.Of(record.Score, alert.Quality, alert.Cover, alert.ByCoveredTemplates, rates.ListSize)) is { } likelihood)
            (record.Log10LikelihoodRatio, record.LikelihoodRatioAtBound, record.LikelihoodListSize) = (likelihood.Log10, likelihood.AtBound, likelihood.ListSize);
        using (HostBuffer<byte> probe = alert.Probe.EncodeJpeg(JpegQuality, out int bytes))
            record.SealedProbe = vault.Seal(record.Id, probe.Span[..bytes], PurposeOf(AlertPicture.Probe));
        using (HostBuffer<byte> moment = alert.Moment.EncodeJpeg(JpegQuality, out int bytes))
            record.SealedMoment = vault.Seal(record.Id, moment.Span[..bytes], PurposeOf(AlertPicture.Moment));
        // The best photo for the officer: the enrolled one with the highest quality.
        if (person.Photos.Where(p => p.Verdict != PhotoVerdict.Rejected).MaxBy(p => p.Quality) is { } photo)
        {
            using HostBuffer<byte> reference = people.Photo(person.WatchlistId, photo);
            record.SealedReference = vault.Seal(record.Id, reference.Span, PurposeOf(AlertPicture.Reference));
        }
        var warnings = new List<string>();
        if (alert.Cover.Words is { } covered)
            warnings.Add(covered);
        PhotoGate.Describe(alert.Quality, warnings);
        PersonDetails details = people.Details(person);
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(new AlertPerson(details.Name, details.Reference, details.LegalBasis, details.ImageSource, string.IsNullOrWhiteSpace(details.Response) ? null : details.Response, [.. warnings], alert.Direction, HasMoment: true, string.IsNullOrWhiteSpace(details.Lookalike) ? null : details.Lookalike));
        record.SealedPerson = vault.Seal(record.Id, text, PersonPurpose);
        CryptographicOperations.ZeroMemory(text);
    }

    private async Task NoteLookAsync(Actor officer, AlertRecord alert)
    {
        (Guid, Guid) look = (officer.OfficerId, alert.Id);
        try
        {
            await looks.GetOrAdd(look, _ => new Lazy<Task>(() => NoteFirstLookAsync(officer, alert))).Value;
        }
        catch
        {
            looks.TryRemove(look, out _);
            throw;
        }
    }

    private async Task NoteFirstLookAsync(Actor officer, AlertRecord alert)
    {
        string subject = AlertActions.SubjectOf(alert.Id);
        await using LfrStore store = await stores.CreateDbContextAsync();
        if (!await store.Audit.AnyAsync(e => e.Subject == subject && e.Action == AlertActions.Viewed && e.ActorId == officer.Id))
            await journal.NoteAsync(officer, AlertActions.Viewed, subject, new { alert.DeploymentId });
    }

    private async Task ForgetAsync(IReadOnlyCollection<Guid> alerts)
    {
        if (alerts.Count == 0)
            return;
        foreach (Guid id in alerts)
            vault.Destroy(id);
        foreach ((Guid Officer, Guid Alert) look in looks.Keys.Where(l => alerts.Contains(l.Alert)))
            looks.TryRemove(look, out _);
        // SQLite's log still contains the encrypted bytes. They cannot be read any more, but are removed too.
        await using LfrStore store = await stores.CreateDbContextAsync();
        if (store.Database.IsSqlite())
            await store.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
