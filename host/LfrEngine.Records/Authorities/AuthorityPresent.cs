using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>The current state of what an authority names: cameras, watchlist, models, evidence.</summary>
internal sealed class AuthorityPresent(Installation installation, CameraRegister cameras, EvidenceShelf evidence, FileHashes hashes, ModelCatalog catalog)
{
    /// <summary>The embedder's task, as written in an authority.</summary>
    public const string EmbedderTask = "embedder";

    // In the order of the models that are loaded.
    private static readonly string[] s_tasks = ["detector", "landmarks", EmbedderTask, "mesh", "first verifier", "second verifier"];

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
