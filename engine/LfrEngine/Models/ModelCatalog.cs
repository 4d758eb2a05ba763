using System.Text.Json;

namespace LfrEngine.Models;

/// <summary>The manifests that come with the engine, and the cache for their files.</summary>
/// <param name="Folder">Folder of <c>*.json</c> manifests.</param>
/// <param name="Cache">Restored files.</param>
public sealed record ModelCatalog(string Folder, PackageCache Cache)
{
    private const string SamplesFile = "demo-photos.json";

    // Manifests whose files are not restored with the others; users add them.
    private const string OfferedFolder = "bring";

    private static ModelCatalog? besideTheProgram;

    // Of a catalogue in memory; weights by their SHA-256.
    private IReadOnlyList<ModelManifest>? manifestsInMemory;
    private Dictionary<string, byte[]> weightsInMemory = [];

    /// <summary>The catalogue next to the program.</summary>
    /// <exception cref="UserFolderException">There is no folder for the restored files.</exception>
    public static ModelCatalog Default => besideTheProgram ??= new(Path.Combine(AppContext.BaseDirectory, "models"), PackageCache.Default);

    /// <summary>Manifests and weights in memory, in any order: no folder is read.</summary>
    /// <param name="files">A file that begins with a brace is a manifest; weights are found by their hash. Borrowed until the models are loaded.</param>
    /// <exception cref="ModelLoadException">A manifest is not valid.</exception>
    public static ModelCatalog FromMemory(IEnumerable<byte[]> files)
    {
        var manifests = new List<ModelManifest>();
        var weights = new Dictionary<string, byte[]>();
        foreach (byte[] file in files)
        {
            if (file.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8))
                manifests.Add(ModelManifest.Parse(file, $"in memory, number {manifests.Count + 1}"));
            else
                weights[Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file))] = file;
        }
        // The folder and the cache are not read.
        return new ModelCatalog("", new PackageCache(".")) { manifestsInMemory = manifests, weightsInMemory = weights };
    }

    /// <summary>Weights in memory; null when this catalogue reads files.</summary>
    /// <exception cref="ModelLoadException">They are not among what was given.</exception>
    internal byte[]? InMemory(ModelManifest manifest) => manifestsInMemory is null ? null
        : weightsInMemory.TryGetValue(manifest.Sha256, out byte[]? file) ? file
        : throw new ModelLoadException($"The weights of the model \"{manifest.Id}\" (SHA-256 {manifest.Sha256}) are not among the files given.");

    /// <summary>Folder of models added with <c>lfr models add</c>; may not exist.</summary>
    public string BroughtFolder => Path.Combine(Cache.Root, "brought");

    /// <summary>The default models, by name.</summary>
    public IReadOnlyList<ModelManifest> Manifests() => manifestsInMemory ?? ReadAll(Folder);

    /// <summary>Models whose manifest comes with the engine and whose file the user adds, by name.</summary>
    public IReadOnlyList<ModelManifest> Offered() => manifestsInMemory is null ? ReadAll(Path.Combine(Folder, OfferedFolder)) : [];

    /// <summary>Added models: offered models whose file is present, then the users' own models.</summary>
    public IReadOnlyList<ModelManifest> Brought() => [.. Offered().Where(m => File.Exists(FileOf(m))), .. ReadOwn()];

    /// <summary>The manifest with this id, or the one at this path.</summary>
    /// <param name="name">An id from the catalogue, or a path that ends in <c>.json</c>.</param>
    /// <param name="task">What it must be for.</param>
    /// <exception cref="UnknownModelException">No model has this id, or it is for another task.</exception>
    /// <exception cref="ModelLoadException">The manifest cannot be used.</exception>
    public ModelManifest Find(string name, ModelTask task)
    {
        ModelManifest? manifest = name.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? ModelManifest.Read(name)
            : Manifests().Concat(Offered()).Concat(ReadOwn()).FirstOrDefault(m => m.Id == name);
        if (manifest is null)
        {
            string known = string.Join(", ", Manifests().Concat(Brought()).Where(m => m.Task == task).Select(m => m.Id));
            string more = string.Join(", ", Offered().Where(m => m.Task == task).Select(m => m.Id).Except(Brought().Select(m => m.Id)));
            throw new UnknownModelException($"Unknown model \"{name}\". {(known.Length > 0 ? $"Models for this task: {known}" : "There is no model for this task")}{(more.Length > 0 ? $" (and with `lfr models add`: {more})" : "")}. You can also give the path of a manifest (.json).");
        }
        if (manifest.Task != task)
            throw new UnknownModelException($"The model \"{name}\" is for {manifest.Task}, not for {task}.");
        return manifest;
    }

    /// <summary>Path of a model's file, whether it exists or not.</summary>
    public string FileOf(ModelManifest manifest)
    {
        ModelSource source = manifest.Source;
        if (source.File is not null)
            return Path.GetFullPath(Path.Combine(manifest.Folder, source.File));
        if (source is { Npm: not null, Version: not null, Path: not null })
            return Cache.PathOf(source.Npm, source.Version, source.Path, source.Bytes);
        if (source.Url is not null)
            return Path.Combine(BroughtFolder, manifest.Id + Path.GetExtension(new Uri(source.Url).AbsolutePath));
        throw new ModelLoadException($"The model \"{manifest.Id}\" has no source: its manifest needs \"file\", \"url\", or \"npm\", \"version\" and \"path\".");
    }

    /// <summary>Restores what is missing or altered.</summary>
    /// <param name="progress">Called for each package before it is downloaded.</param>
    /// <param name="stopping">Cancels it; no partial file is left.</param>
    /// <returns>Files fetched.</returns>
    public async Task<int> RestoreAsync(Action<string> progress, CancellationToken stopping)
    {
        var wanted = Manifests()
            .Where(m => m.Source is { Npm: not null, Version: not null, Path: not null })
            .Select(m => (Package: m.Source.Npm!, Version: m.Source.Version!, File: new PackageFile(m.Source.Path!, m.Sha256, m.Source.Bytes)))
            .Concat(Samples().Files.Select(f => (Package: f.Npm, f.Version, File: new PackageFile(f.Path, f.Sha256))));
        int fetched = 0;
        foreach (var package in wanted.GroupBy(w => (w.Package, w.Version)))
        {
            progress($"{package.Key.Package}@{package.Key.Version}");
            fetched += await Cache.RestoreAsync(package.Key.Package, package.Key.Version, [.. package.Select(w => w.File)], stopping).ConfigureAwait(false);
        }
        return fetched;
    }

    /// <summary>The sample photos of the demonstration.</summary>
    internal SampleSet Samples() =>
        JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, SamplesFile)), ModelJson.Default.SampleSet)!;

    /// <summary>Path of a restored sample photo, checked by hash.</summary>
    /// <exception cref="ModelLoadException">The photo is not restored.</exception>
    public string SamplePath(string package, string path)
    {
        SampleFile file = Samples().Files.Single(f => f.Npm == package && f.Path == path);
        string at = Cache.PathOf(file.Npm, file.Version, file.Path);
        return PackageCache.IsIntact(at, file.Sha256) ? at : throw new ModelLoadException($"The sample photo {at} is missing or altered. Run: lfr models restore");
    }

    private IReadOnlyList<ModelManifest> ReadOwn() => manifestsInMemory is null ? ReadAll(BroughtFolder) : [];

    private static IReadOnlyList<ModelManifest> ReadAll(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.json").Where(path => Path.GetFileName(path) is var name && name != SamplesFile && !name.StartsWith('.')).Order(StringComparer.Ordinal).Select(ModelManifest.Read)]
        : [];
}
