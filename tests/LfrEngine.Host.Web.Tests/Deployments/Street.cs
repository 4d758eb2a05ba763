using System.Diagnostics;
using System.Security.Cryptography;
using LfrEngine.Host.Authorities;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Host.Web.Tests.Deployments;

/// <summary>The demonstration's street with its listed woman, made once: a host in which she is on a watchlist, a deployment signed for it.</summary>
public sealed class Street : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-street-");

    /// <summary>1280×720, 25 frames per second, 15 s; the listed woman raises an alert at 2.28 s.</summary>
    public string Clip { get; private set; } = "";

    /// <summary>The first three seconds, alert included.</summary>
    public string ShortClip => Path.Combine(folder.FullName, "short.mp4");

    /// <summary>The woman's template as it is enrolled.</summary>
    public float[] Template { get; private set; } = [];

    private string Photo => Path.Combine(folder.FullName, "photo.jpg");

    public async ValueTask InitializeAsync()
    {
        var demo = new DemoClip(ModelCatalog.Default);
        Clip = await demo.MakeAsync(CancellationToken.None);
        await demo.CutListedPhotoAsync(Photo, CancellationToken.None);
        using Process cut = Process.Start(new ProcessStartInfo("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", Clip, "-c", "copy", "-frames:v", "75", "-movflags", "+faststart", ShortClip]))!;
        await cut.WaitForExitAsync();
        Assert.Equal(0, cut.ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Starts a host with one camera, "gate".</summary>
    internal static Task<RunningHost> HostAsync(string source, CameraPace pace = CameraPace.Realtime, TimeProvider? time = null) => RunningHost.StartAsync((config, _) => config with
    {
        Cameras = [new CameraConfig { Name = "gate", Source = source, Pace = pace }],
    }, time);

    /// <summary>Puts the woman on a watchlist and signs a deployment for it: an hour before now until two hours after.</summary>
    internal async Task<Guid> PrepareAsync(RunningHost host, string name = "High Street")
    {
        ModelManifest embedder = ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        Guid watchlist = Guid.NewGuid(), person = Guid.NewGuid(), deployment = Guid.NewGuid();
        host.Services.GetRequiredService<KeyVault>().Create(watchlist);
        string file = host.Installation.DataPath("watchlists", $"{watchlist:N}.lfr");
        using (WatchlistKey key = WatchlistKey.FromKeyFile(host.Installation.DataPath("keys", $"{watchlist:N}.key")))
        using (EngineModels models = EngineModels.Load(ModelCatalog.Default))
        using (var enroller = new WatchlistEnroller(models))
        using (var builder = new WatchlistBuilder("test", embedder.Id, embedder.Sha256, embedder.EmbeddingLength))
        {
            var outcomes = new List<PhotoOutcome>();
            Assert.True(enroller.Add(builder, new EnrolmentRequest(new WatchlistIdentity($"{person:N}", "P", WatchlistCategory.Wanted), [Photo]), outcomes), string.Join("; ", outcomes.SelectMany(o => o.Reasons)));
            using Watchlist list = builder.Build();
            Template = list.Embedding(0).ToArray();
            WatchlistFile.Write(file, list, key);
        }
        string fileSha256 = PackageCache.HashOf(file);
        DateTimeOffset now = host.Time.GetUtcNow();
        var nobody = new NamedOfficer(Guid.NewGuid(), "nobody");
        var authority = new Authority(Authority.CurrentFormat, deployment, name, "A test.", "overt", "High Street", now.AddHours(-1), now.AddHours(2),
            [.. host.Installation.Config.Cameras.Select(c => new AuthorisedCamera(c.Name, Authority.SourceHash(c)))], new AuthorisedWatchlist(watchlist, "Listed", 1, fileSha256), 1000,
            [new AuthorisedCategory(WatchlistCategory.Wanted, 0.48, new AuthorisedEvidence(new string('0', 64), "none", "identify", now, 100, 0, 1, 0.5), "Ask for a name.")],
            [], new ImpactAssessments("a", "b", "c"), nobody, nobody, now);
        await using LfrStore store = host.Store();
        store.Watchlists.Add(new WatchlistRecord { Id = watchlist, Name = "Listed", State = WatchlistState.Built, CreatedAt = now, BuiltAt = now, FileSha256 = fileSha256, EmbedderSha256 = embedder.Sha256, People = 1, Templates = 1 });
        store.Deployments.Add(new DeploymentRecord { Id = deployment, Name = name, State = DeploymentState.Signed, WatchlistId = watchlist, AuthorityText = authority.ToText(), DraftedAt = now, SignedAt = now });
        await store.SaveChangesAsync();
        return deployment;
    }
}

/// <summary>A clock that can be moved; its timers go on as ever.</summary>
internal sealed class MovedTime : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
