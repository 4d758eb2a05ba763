using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>The current state of what an authority names: cameras, watchlist, models, evidence.</summary>
internal sealed class AuthorityPresent(Installation installation, CameraRegister cameras, EvidenceShelf evidence, FileHashes hashes, PolicyShelf policies, ModelCatalog catalog, TimeProvider time)
{
    /// <summary>The embedder's task, as written in an authority.</summary>
    public const string EmbedderTask = "embedder";

    // In the order of the models that are loaded.
    private static readonly string[] s_tasks = ["detector", "landmarks", EmbedderTask, "mesh", "first verifier", "second verifier"];

    /// <summary>The rules of deployments.</summary>
    public PolicyShelf Policies => policies;

    /// <summary>The embedder that runs here.</summary>
    public ModelManifest Embedder => catalog.Find(installation.Embedder, ModelTask.Embed);

    /// <summary>Adds a reason for everything that differs now from the text.</summary>
    public async Task CheckAsync(LfrStore store, Authority authority, List<string> reasons, CancellationToken stopping)
    {
        foreach (AuthorisedCamera camera in authority.Cameras)
        {
            CameraConfig? configured = cameras.Find(camera.Name);
            if (configured is null)
                reasons.Add($"The camera {camera.Name} is not configured.");
            else if (Authority.SourceHash(configured) != camera.SourceSha256)
                reasons.Add($"The camera {camera.Name} is configured with a source other than the authorised one.");
            else if (AuthorisedCamera.Of(configured).Zone != camera.Zone)
                reasons.Add($"The camera {camera.Name} compares faces in a zone other than the authorised one.");
        }
        WatchlistRecord? watchlist = await store.Watchlists.AsNoTracking().FirstOrDefaultAsync(w => w.Id == authority.Watchlist.Id, stopping);
        if (WatchlistFault(watchlist, authority.Watchlist.Name) is { } fault)
            reasons.Add(fault);
        else if (watchlist!.FileSha256 != authority.Watchlist.FileSha256 || watchlist.People != authority.Watchlist.People)
            reasons.Add($"The watchlist {authority.Watchlist.Name} is not the authorised one: its record has been altered.");
        IReadOnlyList<(AuthorisedModel Model, string? Fault)> models = Models();
        foreach ((AuthorisedModel model, string? modelFault) in models)
        {
            if (modelFault is not null)
                reasons.Add(modelFault);
            else if (authority.Models.FirstOrDefault(m => m.Task == model.Task) is { } authorised && authorised.Sha256 != model.Sha256)
                reasons.Add($"The {model.Task} that runs here ({model.Id}, {EvidenceShelf.Short(model.Sha256)}) is not the authorised one.");
        }
        // Earlier versions of this program named three models.
        string[] unnamed = [.. models.Select(m => m.Model).Where(m => authority.Models.All(a => a.Task != m.Task)).Select(m => $"the {m.Task} ({m.Id})")];
        if (unnamed.Length > 0)
            reasons.Add($"The authority does not name every model used here: {string.Join(", ", unnamed)}. It may have been drafted by an earlier version of this program. Draft it again and have it signed.");
        PolicyPack? pack = policies.Of(authority);
        if (authority.Policy is { } named && pack is null)
            reasons.Add($"The policy pack {named.Name} {named.Version} ({EvidenceShelf.Short(named.Sha256)}), under which the authority was drafted, is missing from the data folder or has been altered.");
        reasons.AddRange((await BrokenRulesAsync(store, authority, pack, stopping)).Select(f => f.Text));
        foreach (AuthorisedCategory category in authority.Categories)
        {
            AuthorisedEvidence told = category.Evidence;
            if (evidence.Find(told.FileSha256) is not { } file)
                reasons.Add($"The evidence {told.FileName} for {category.Category.Name()} is missing or has been altered.");
            else if (file.Document is null)
                reasons.Add($"The evidence {file.FileName} for {category.Category.Name()} cannot be trusted: {file.Fault}");
            else if (EvidenceShelf.Cover(category.Threshold, file.FileName, file.Document, authority.Watchlist.People, authority.PassersBy, Embedder.Sha256, out string? uncovered) is null)
                reasons.Add(uncovered!);
        }
    }

    /// <summary>Every rule of a policy that an authority breaks, and every demand that its evidence does not meet.</summary>
    /// <param name="store">Read only.</param>
    /// <param name="authority">Drafted or signed.</param>
    /// <param name="pack">The rules; null for none.</param>
    /// <param name="stopping">Cancels the query.</param>
    public async Task<IReadOnlyList<DraftFault>> BrokenRulesAsync(LfrStore store, Authority authority, PolicyPack? pack, CancellationToken stopping)
    {
        DateOnly today = DateOnly.FromDateTime(time.GetLocalNow().DateTime), day = DateOnly.FromDateTime(authority.Start.UtcDateTime);
        var broken = new List<DraftFault>();
        if (pack is not null)
        {
            Dictionary<WatchlistCategory, int> people = await store.People.Where(p => p.WatchlistId == authority.Watchlist.Id).GroupBy(p => p.Category).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stopping);
            broken.AddRange(PolicyRules.Broken(pack, authority, people, today));
            foreach (NamedOfficer signer in new[] { authority.AuthorisingOfficer, authority.SecondOfficer }.OfType<NamedOfficer>())
            {
                if (await TrainingCurrency.FaultAsync(store, pack, signer.Id, signer.Name, Roles.AuthorisingOfficer, today, stopping) is { } untrained)
                    broken.Add(new DraftFault(nameof(AuthorityDraft.AuthorisingOfficer), untrained));
            }
        }
        EvidenceRules own = new() { Since = authority.Demands?.Since, Groups = authority.Demands?.Groups ?? [] };
        foreach (AuthorisedCategory category in authority.Categories)
        {
            // What is missing is told by whoever looks for it.
            if (evidence.Find(category.Evidence.FileSha256) is not { Document: { } document } file || document.Find(category.Threshold, Math.Max(1, authority.Watchlist.People)) is not { } point)
                continue;
            foreach (EvidenceRules demands in new[] { pack?.Evidence, own }.OfType<EvidenceRules>())
                broken.AddRange(PolicyRules.UnmetDemands(file.FileName, document, point, demands, day).Select(unmet => new DraftFault(category.Category.Name(), $"{category.Category.Name()}: {unmet}")));
        }
        return [.. broken.DistinctBy(b => (b.Field, b.Text))];
    }

    /// <summary>Thresholds that are lower than those last signed here for their category with the same embedder.</summary>
    /// <param name="store">Read only.</param>
    /// <param name="id">The deployment's own, which does not count.</param>
    /// <param name="models">Of the authority: scores of another embedder mean something else.</param>
    /// <param name="categories">Of the authority.</param>
    /// <param name="stopping">Cancels the query.</param>
    public async Task<IReadOnlyList<LoweredThreshold>> LoweredAsync(LfrStore store, Guid id, IReadOnlyList<AuthorisedModel> models, IReadOnlyList<AuthorisedCategory> categories, CancellationToken stopping)
    {
        string? embedder = models.FirstOrDefault(m => m.Task == EmbedderTask)?.Sha256;
        var open = categories.ToDictionary(c => c.Category);
        var lowered = new List<LoweredThreshold>();
        await foreach (DeploymentRecord record in store.Deployments.AsNoTracking().Where(d => d.Id != id && d.SignedAt != null).OrderByDescending(d => d.SignedAt).AsAsyncEnumerable().WithCancellation(stopping))
        {
            if (AuthorityService.TryRead(record) is not { } before || before.Models.FirstOrDefault(m => m.Task == EmbedderTask)?.Sha256 != embedder)
                continue;
            foreach (AuthorisedCategory earlier in before.Categories)
            {
                if (open.Remove(earlier.Category, out AuthorisedCategory? now) && now.Threshold < earlier.Threshold)
                    lowered.Add(new LoweredThreshold(now.Category, earlier.Threshold, now.Threshold, record.Id));
            }
            if (open.Count == 0)
                break;
        }
        return [.. lowered.OrderBy(l => l.Category)];
    }

    /// <summary>A lowered threshold, for people.</summary>
    public static string Words(LoweredThreshold lowered) => FormattableString.Invariant($"{lowered.Category.Name()} from {lowered.From:0.####} to {lowered.To:0.####}");

    /// <summary>Why a watchlist cannot be searched here; null if it can.</summary>
    /// <param name="watchlist">Null if there is none.</param>
    /// <param name="name">Its name, for the message if it is null.</param>
    public string? WatchlistFault(WatchlistRecord? watchlist, string name)
    {
        if (watchlist is null)
            return $"The watchlist {name} does not exist.";
        if (watchlist.State == WatchlistState.Destroyed)
            return $"The watchlist {watchlist.Name} is destroyed.";
        if (watchlist.State != WatchlistState.Built || watchlist.FileSha256 is null || watchlist.People == 0)
            return $"The watchlist {watchlist.Name} is not built.";
        string? hash = hashes.Of(installation.DataPath("watchlists", $"{watchlist.Id:N}.lfr"));
        return hash is null ? $"The file of the watchlist {watchlist.Name} is missing."
            : hash != watchlist.FileSha256 ? $"The file of the watchlist {watchlist.Name} is not the one that was built: it has been altered or replaced."
            : watchlist.EmbedderSha256 != Embedder.Sha256 ? $"The watchlist {watchlist.Name} was built with an embedder other than the one that runs here."
            : null;
    }

    /// <summary>The models that run here, by their manifests, and what is wrong with their files.</summary>
    public IReadOnlyList<(AuthorisedModel Model, string? Fault)> Models()
    {
        return [.. s_tasks.Zip(EngineModels.Find(catalog, installation.Detector, embedder: installation.Embedder), Of)];

        (AuthorisedModel, string?) Of(string task, ModelManifest manifest)
        {
            string? hash = hashes.Of(catalog.FileOf(manifest));
            return (new AuthorisedModel(task, manifest.Id, manifest.Sha256),
                hash is null ? $"The {task} {manifest.Id} is missing; `lfr models restore` fetches it." : hash != manifest.Sha256 ? $"The file of the {task} {manifest.Id} has been altered; `lfr models restore` fetches it again." : null);
        }
    }
}
