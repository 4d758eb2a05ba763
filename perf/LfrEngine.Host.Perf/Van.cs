using LfrEngine.Host.Audit;
using LfrEngine.Host.Authorities;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Host.Perf;

/// <summary>Prepares an installation for a deployment with one person listed, through the services of the running host.</summary>
internal sealed record Van(Guid Deployment, Guid Watchlist, float[] Template)
{
    /// <summary>Lists a person and signs a deployment on all configured cameras, from an hour ago until two hours from now.</summary>
    /// <param name="services">Of the host, running or not.</param>
    /// <param name="photo">A picture of the person, alone.</param>
    /// <param name="name">Of the deployment.</param>
    public static async Task<Van> PrepareAsync(IServiceProvider services, string photo, string name)
    {
        Installation installation = services.GetRequiredService<Installation>();
        DateTimeOffset now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        ModelManifest embedder = ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        Guid watchlist = Guid.NewGuid(), person = Guid.NewGuid(), deployment = Guid.NewGuid();
        services.GetRequiredService<KeyVault>().Create(watchlist);
        string file = FileOf(installation, watchlist);
        float[] template;
        using (WatchlistKey key = WatchlistKey.FromKeyFile(KeyOf(installation, watchlist)))
        using (EngineModels models = EngineModels.Load(ModelCatalog.Default))
        using (var enroller = new WatchlistEnroller(models))
        using (var builder = new WatchlistBuilder("1", embedder.Id, embedder.Sha256, embedder.EmbeddingLength))
        {
            var outcomes = new List<PhotoOutcome>();
            if (!enroller.Add(builder, new EnrolmentRequest(new WatchlistIdentity($"{person:N}", "Listed", WatchlistCategory.Wanted), [photo]), outcomes))
                throw new CommandFailure(ExitCode.Input, string.Join("; ", outcomes.SelectMany(o => o.Reasons)));
            using Watchlist list = builder.Build();
            template = list.Embedding(0).ToArray();
            WatchlistFile.Write(file, list, key);
        }
        string fileSha256 = PackageCache.HashOf(file);
        var nobody = new NamedOfficer(Guid.NewGuid(), "nobody");
        var authority = new Authority(Authority.CurrentFormat, deployment, name, "To measure.", "overt", "High Street", now.AddHours(-1), now.AddHours(2),
            [.. installation.Config.Cameras.Select(c => new AuthorisedCamera(c.Name, Authority.SourceHash(c)))], new AuthorisedWatchlist(watchlist, "Listed", 1, fileSha256), 1000,
            [new AuthorisedCategory(WatchlistCategory.Wanted, 0.48, new AuthorisedEvidence(new string('0', 64), "none", "identify", now, 100, 0, 1, 0.5), "Ask for a name.")],
            [], new ImpactAssessments("a", "b", "c"), nobody, nobody, now);
        await services.GetRequiredService<Journal>().ChangeAsync(Actor.Engine, (store, _) =>
        {
            store.Watchlists.Add(new WatchlistRecord { Id = watchlist, Name = "Listed", State = WatchlistState.Built, CreatedAt = now, BuiltAt = now, FileSha256 = fileSha256, EmbedderSha256 = embedder.Sha256, People = 1, Templates = 1 });
            store.Deployments.Add(new DeploymentRecord { Id = deployment, Name = name, State = DeploymentState.Signed, WatchlistId = watchlist, AuthorityText = authority.ToText(), DraftedAt = now, SignedAt = now });
            return Task.CompletedTask;
        });
        return new Van(deployment, watchlist, template);
    }

    /// <summary>The built file of a watchlist.</summary>
    public static string FileOf(Installation installation, Guid watchlist) => installation.DataPath("watchlists", $"{watchlist:N}.lfr");

    /// <summary>Its key.</summary>
    public static string KeyOf(Installation installation, Guid watchlist) => installation.DataPath("keys", $"{watchlist:N}.key");
}
