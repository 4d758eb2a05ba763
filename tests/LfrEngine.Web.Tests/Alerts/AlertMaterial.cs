using System.Security.Claims;
using System.Text.Json;
using LfrEngine.Alerts;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Quality;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Tracking;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>A running deployment with people on its watchlist, and alerts as the engine hands them out, with pictures of noise that no two share.</summary>
internal sealed class AlertMaterial
{
    /// <summary>Of the pictures.</summary>
    public const int Side = 64;

    private readonly RunningHost host;
    private readonly AlertDesk desk = new(new AlertPolicy());
    private int made;

    private AlertMaterial(RunningHost host, Guid watchlist, Guid deployment) => (this.host, Watchlist, Deployment) = (host, watchlist, deployment);

    public Guid Watchlist { get; }

    public Guid Deployment { get; }

    /// <summary>Of the host as it runs now.</summary>
    public AlertService Alerts => host.Services.GetRequiredService<AlertService>();

    public KeyVault Vault => host.Services.GetRequiredService<KeyVault>();

    /// <summary>A watchlist and a deployment that runs.</summary>
    /// <param name="host">On which.</param>
    /// <param name="authority">JSON of its authority.</param>
    public static async Task<AlertMaterial> CreateAsync(RunningHost host, string authority = "{}")
    {
        Guid watchlist = Guid.NewGuid(), deployment = Guid.NewGuid();
        host.Services.GetRequiredService<KeyVault>().Create(watchlist);
        await host.Journal.ChangeAsync(Actor.Engine, (store, _) =>
        {
            store.Watchlists.Add(new WatchlistRecord { Id = watchlist, Name = "list", State = WatchlistState.Built, CreatedAt = host.Time.GetUtcNow() });
            store.Deployments.Add(new DeploymentRecord { Id = deployment, Name = "High Street", State = DeploymentState.Running, WatchlistId = watchlist, AuthorityText = authority, DraftedAt = host.Time.GetUtcNow() });
            return Task.CompletedTask;
        }, TestContext.Current.CancellationToken);
        return new AlertMaterial(host, watchlist, deployment);
    }

    /// <summary>A deployment that is there already, whose watchlist has no key here yet.</summary>
    public static AlertMaterial Of(RunningHost host, Guid watchlist, Guid deployment)
    {
        host.Services.GetRequiredService<KeyVault>().Create(watchlist);
        return new AlertMaterial(host, watchlist, deployment);
    }

    /// <summary>The text of an authority that names one category, with this response.</summary>
    public static string AuthorityText(WatchlistCategory category, string response) => new Authority(Authority.CurrentFormat, Guid.NewGuid(), "High Street", "p", "t", "here", default, default, [],
        new AuthorisedWatchlist(Guid.NewGuid(), "list", 1, ""), 1, [new AuthorisedCategory(category, 0.48, new AuthorisedEvidence("", "", "", default, 1, 0, 0, 0), response)], [],
        new ImpactAssessments("", "", ""), new NamedOfficer(Guid.NewGuid(), "sam"), new NamedOfficer(Guid.NewGuid(), "dora"), default).ToText();

    /// <summary>Somebody on the watchlist, with a photo.</summary>
    public async Task<Guid> AddPersonAsync(WatchlistCategory category = WatchlistCategory.Wanted, bool rolePlayer = false, string? response = null, string? lookalike = null, IReadOnlyDictionary<string, string>? groups = null)
    {
        PersonRecord person = Person(category, rolePlayer, response, lookalike, groups);
        await AddAsync(person);
        return person.Id;
    }

    /// <summary>Many on the watchlist at once.</summary>
    public async Task<Guid[]> AddPeopleAsync(IEnumerable<WatchlistCategory> categories)
    {
        PersonRecord[] people = [.. categories.Select(c => Person(c, false, null, null, null))];
        await AddAsync(people);
        return [.. people.Select(p => p.Id)];
    }

    /// <summary>An alert of the engine; passages of one person within a minute join, as on the engine's own desk.</summary>
    public Alert Alert(Guid person, WatchlistCategory category = WatchlistCategory.Wanted, float score = 0.62f, string camera = "gate", CoverJudgement cover = default, bool byCoveredTemplates = false)
    {
        int number = Interlocked.Increment(ref made);
        DateTimeOffset now = host.Time.GetUtcNow();
        var alert = new Alert
        {
            Id = $"test/{camera}/{number}/{person:N}",
            Run = "test",
            Camera = camera,
            TrackletId = number,
            Identity = new WatchlistIdentity(person.ToString("N"), "not told", category),
            TemplateIndex = 0,
            Score = score,
            Threshold = 0.48f,
            AgreeingShots = 2,
            ComparedShots = 3,
            Box = new FaceBox(10, 10, 60, 80),
            Quality = new FaceQuality(60, 0.3f, 120, 0, 5, 2, 0, 0.1f, 5, 0.8f),
            Cover = cover,
            ByCoveredTemplates = byCoveredTemplates,
            FirstSeenUs = 0,
            BestShotUs = 100_000,
            CompletedUs = now.UtcTicks / TimeSpan.TicksPerMicrosecond,
            CapturedAt = now,
            RaisedAt = now,
            Probe = Noise(),
            Moment = Noise(),
            Direction = WalkingDirection.Left,
        };
        desk.Submit(alert);
        return alert;
    }

    /// <summary>An alert that has been taken in.</summary>
    /// <returns>Its id here.</returns>
    public async Task<Guid> RaiseAsync(Guid person, WatchlistCategory category = WatchlistCategory.Wanted, float score = 0.62f, CoverJudgement cover = default, bool byCoveredTemplates = false, string camera = "gate")
    {
        Alert alert = Alert(person, category, score, camera, cover, byCoveredTemplates: byCoveredTemplates);
        string engineId = alert.Id;
        await Alerts.TakeAsync(Deployment, alert);
        await using LfrStore store = host.Store();
        return await store.Alerts.Where(a => a.EngineId == engineId).Select(a => a.Id).SingleAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>An officer as the console knows one who is signed in.</summary>
    public async Task<ClaimsPrincipal> OfficerAsync(string name, params string[] roles)
    {
        Officer officer = await host.AddOfficerAsync(name, roles);
        await using AsyncServiceScope scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<SignInManager<Officer>>().CreateUserPrincipalAsync(officer);
    }

    public async Task<AlertRecord> RecordAsync(Guid alert)
    {
        await using LfrStore store = host.Store();
        return await store.Alerts.AsNoTracking().Include(a => a.Events).SingleAsync(a => a.Id == alert, TestContext.Current.CancellationToken);
    }

    /// <summary>Entries of the audit trail about alerts, in order.</summary>
    public async Task<AuditEntry[]> EntriesAsync(params string[] actions)
    {
        await using LfrStore store = host.Store();
        return await store.Audit.AsNoTracking().Where(e => actions.Contains(e.Action)).OrderBy(e => e.Sequence).ToArrayAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Ends when the trail has this action; it must be asked for before what causes it.</summary>
    public static Task NextAsync(RunningHost host, string action)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Journal.Written += entries =>
        {
            if (entries.Any(e => e.Action == action))
                seen.TrySetResult();
        };
        return seen.Task.WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
    }

    private Task AddAsync(params PersonRecord[] people) => host.Journal.ChangeAsync(Actor.Engine, (store, _) =>
    {
        store.People.AddRange(people);
        return Task.CompletedTask;
    }, TestContext.Current.CancellationToken);

    private PersonRecord Person(WatchlistCategory category, bool rolePlayer, string? response, string? lookalike, IReadOnlyDictionary<string, string>? groups)
    {
        Guid person = Guid.NewGuid(), picture = Guid.NewGuid();
        using HostBuffer<byte> photo = Jpeg(Noise(), out int bytes);
        var record = new PersonRecord
        {
            Id = person,
            WatchlistId = Watchlist,
            Category = category,
            RolePlayer = rolePlayer,
            AddedAt = host.Time.GetUtcNow(),
            Sealed = Vault.Seal(Watchlist, JsonSerializer.SerializeToUtf8Bytes(new PersonDetails("Ada Example", "W-17", "s. 24 PACE", "custody", response, lookalike, groups)), $"person/{person:N}"),
        };
        record.Photos.Add(new PhotoRecord
        {
            Id = picture,
            EmbedderSha256 = "",
            Reasons = "",
            Quality = 0.9f,
            SealedTemplate = [],
            SealedPicture = Vault.Seal(Watchlist, photo.Span[..bytes], $"picture/{picture:N}"),
        });
        return record;
    }

    public static HostBuffer<byte> Jpeg(Picture picture, out int bytes)
    {
        using (picture)
            return picture.EncodeJpeg(92, out bytes);
    }

    /// <summary>A picture that is like no other.</summary>
    public static unsafe Picture Noise()
    {
        var picture = new Picture(Side, Side);
        System.Security.Cryptography.RandomNumberGenerator.Fill(new Span<byte>((void*)picture.View.Y, Side * Side));
        return picture;
    }
}
