using LfrEngine.Evaluation.Evidence;
using LfrEngine.Models;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Authorities;

/// <summary>A host with everything that an authority needs: a laboratory's evidence, a built watchlist, cameras, two officers, a clock.</summary>
internal sealed class AuthorityStage : IAsyncDisposable
{
    public const int People = 6;
    public const double Threshold = 0.48;

    private AuthorityStage(RunningHost host, Clock time, Officer drafter, Officer signer)
    {
        Host = host;
        Time = time;
        Drafter = drafter;
        Signer = signer;
    }

    public RunningHost Host { get; }

    public Clock Time { get; }

    public Officer Drafter { get; }

    public Officer Signer { get; }

    public Guid WatchlistId { get; private set; }

    public string EvidenceSha256 { get; private set; } = "";

    public AuthorityService Authorities => Host.Services.GetRequiredService<AuthorityService>();

    public AuthorityPresent Present => Host.Services.GetRequiredService<AuthorityPresent>();

    public EvidenceShelf Shelf => Host.Services.GetRequiredService<EvidenceShelf>();

    public string WatchlistPath => Host.Installation.DataPath("watchlists", $"{WatchlistId:N}.lfr");

    public string EvidencePath => Host.Installation.DataPath("evidence", "spring.json");

    public static Actor Of(Officer officer) => new(officer.Id.ToString(), officer.DisplayName);

    public static async Task<AuthorityStage> StartAsync(SignedPolicy? policy = null)
    {
        var time = new Clock();
        RunningHost host = await RunningHost.StartAsync((config, folder) =>
        {
            using InstallationKey laboratory = LaboratoryKey(folder);
            File.WriteAllText(Path.Combine(folder, "laboratory.pem"), laboratory.PublicPem);
            return config with
            {
                Laboratories = ["laboratory.pem"],
                Cameras = [new CameraConfig { Name = "gate", Source = "rtsp://van:secret@10.0.0.5/one" }, new CameraConfig { Name = "north", Source = "north.mp4" }],
            };
        }, time, policy: policy);
        var stage = new AuthorityStage(host, time, await host.AddOfficerAsync("dora", Roles.Operator), await host.AddOfficerAsync("sam", Roles.AuthorisingOfficer));
        stage.WriteEvidence(stage.EvidencePath, stage.Evidence(People));
        stage.EvidenceSha256 = PackageCache.HashOf(stage.EvidencePath);
        stage.WatchlistId = await stage.AddWatchlistAsync("Spring list");
        return stage;
    }

    /// <summary>Evidence with points around the usual threshold.</summary>
    public EvidenceDocument Evidence(int gallerySize, string? embedder = null, IReadOnlyList<GroupRates>? groups = null) => new(
        EvidenceDocument.CurrentFormat, Time.GetUtcNow().AddDays(-30), "passages", "test", embedder ?? Present.Embedder.Sha256, new Dictionary<string, string>(), new Dictionary<string, string>(), "", 7,
        [.. new[] { 0.44, Threshold, 0.52 }.Select(t => new OperatingPoint(gallerySize, t, null, 1e-4, 5e-5, 2e-4, 40, 400_000, 0.9, 0.85, 0.94, 900, 1000, groups ?? []))]);

    /// <summary>Signs evidence as the laboratory does.</summary>
    public void WriteEvidence(string path, EvidenceDocument evidence, bool stranger = false)
    {
        using InstallationKey key = stranger ? InstallationKey.Open(Host.PathOf("stranger-key.pem")) : LaboratoryKey(Host.Installation.BaseFolder);
        EvidenceFile.Write(path, evidence, key);
    }

    /// <summary>Builds a watchlist file and its record: templates of noise, as nobody is searched here.</summary>
    public async Task<Guid> AddWatchlistAsync(string name)
    {
        var id = Guid.NewGuid();
        ModelManifest embedder = Present.Embedder;
        string path = Host.Installation.DataPath("watchlists", $"{id:N}.lfr"), keyPath = Host.PathOf($"{id:N}.key");
        WatchlistKey.CreateKeyFile(keyPath);
        using (WatchlistKey key = WatchlistKey.FromKeyFile(keyPath))
        using (var builder = new WatchlistBuilder("1", embedder.Id, embedder.Sha256, embedder.EmbeddingLength))
        {
            for (int i = 0; i < People; i++)
            {
                var template = new float[embedder.EmbeddingLength];
                template[i] = 1;
                builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"person-{i}", $"Person {i}", WatchlistCategory.Wanted)), template, 1);
            }
            using Watchlist list = builder.Build();
            WatchlistFile.Write(path, list, key);
        }
        await Host.Journal.ChangeAsync(Actor.Engine, (store, entries) =>
        {
            entries.Note("watchlist.built", $"watchlist/{id}", new { People, Templates = People });
            store.Watchlists.Add(new WatchlistRecord
            {
                Id = id,
                Name = name,
                State = WatchlistState.Built,
                CreatedAt = Time.GetUtcNow(),
                BuiltAt = Time.GetUtcNow(),
                FileSha256 = PackageCache.HashOf(path),
                EmbedderSha256 = embedder.Sha256,
                People = People,
                Templates = People,
            });
            store.People.Add(new PersonRecord { Id = Guid.NewGuid(), WatchlistId = id, Category = WatchlistCategory.Wanted, Sealed = [], ReviewedOn = new DateOnly(2026, 5, 1), AddedAt = Time.GetUtcNow() });
            return Task.CompletedTask;
        });
        return id;
    }

    /// <summary>A draft that holds.</summary>
    public AuthorityDraft Draft() => new()
    {
        Name = "Market Square",
        Purpose = "Find people wanted for robbery <in the square>.",
        DeploymentType = "intelligence-led",
        Place = "Market Square, north side",
        Start = Time.GetUtcNow().AddHours(1),
        End = Time.GetUtcNow().AddHours(7),
        Cameras = ["gate", "north"],
        WatchlistId = WatchlistId,
        PassersBy = 20_000,
        Categories = [new CategoryDraft(WatchlistCategory.Wanted, Threshold, EvidenceSha256, "Compare, approach calmly.")],
        Assessments = new ImpactAssessments("DPIA 2026/4", "EIA 2026/4", "CIA 2026/9"),
        AuthorisingOfficer = Signer.Id,
    };

    public Task<Guid> DraftAsync(AuthorityDraft? draft = null) => Authorities.DraftAsync(Of(Drafter), draft ?? Draft());

    /// <summary>Signs, with a passkey's answer as proof.</summary>
    public Task SignAsync(Guid deployment, Officer? officer = null)
    {
        officer ??= Signer;
        Host.Services.GetRequiredService<StepUp>().ProvedByPasskey(officer.Id);
        return Authorities.SignByPasskeyAsync(deployment, officer.Id);
    }

    /// <summary>Drafted, signed, and the clock within the window.</summary>
    public async Task<Guid> ArmAsync()
    {
        Guid id = await DraftAsync();
        await SignAsync(id);
        Time.Now += TimeSpan.FromHours(2);
        return id;
    }

    /// <summary>The same store and shelf as a program would see them that was started with another configuration or other models.</summary>
    public AuthorityService Restarted(Func<HostConfig, HostConfig>? configure = null, ModelCatalog? catalog = null, SignedPolicy? policy = null)
    {
        Installation installation = Host.Installation with { Config = configure?.Invoke(Host.Installation.Config) ?? Host.Installation.Config, Policy = policy ?? Host.Installation.Policy };
        var hashes = new FileHashes(Time);
        var evidence = new EvidenceShelf(installation, hashes, Host.Journal);
        var cameras = new CameraRegister(installation, Host.Journal, Host.Services.GetRequiredService<IDbContextFactory<LfrStore>>());
        var policies = new PolicyShelf(installation);
        var present = new AuthorityPresent(installation, cameras, evidence, hashes, policies, catalog ?? ModelCatalog.Default, Time);
        return new AuthorityService(Host.Services.GetRequiredService<IDbContextFactory<LfrStore>>(), Host.Journal, new AuthorityDrafting(cameras, evidence, present, Time), present, new PresenceRegister(Host.Services.GetRequiredService<InstallationKey>(), Host.Journal, policies, Time),
            Host.Services.GetRequiredService<OfficerSigning>(), Host.Services.GetRequiredService<IServiceScopeFactory>(), Time);
    }

    /// <summary>Changes the store behind the journal's back, as who has the file can.</summary>
    public async Task TamperAsync(FormattableString sql)
    {
        await using LfrStore store = Host.Store();
        Assert.Equal(1, await store.Database.ExecuteSqlAsync(sql));
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private static InstallationKey LaboratoryKey(string folder) => InstallationKey.Open(Path.Combine(folder, "laboratory-key.pem"));

    /// <summary>A clock that does not advance until it is set.</summary>
    internal sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 5, 14, 7, 30, 0, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");

        public override DateTimeOffset GetUtcNow() => Now;

        // Hashes are believed for a minute: a test that sets the clock reads the files again.
        public override long GetTimestamp() => Now.UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
