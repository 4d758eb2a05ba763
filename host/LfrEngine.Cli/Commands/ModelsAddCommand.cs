using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Files;
using LfrEngine.Models;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr models add NAME</c>: adds a model that does not come with the engine, after showing its licence and checking its hash and its graph.</summary>
internal static class ModelsAddCommand
{
    private const string ManifestEnding = ".json", ModelEnding = ".onnx";

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "A model offered by `lfr models list`, or the path of your own manifest (models/README.md)." };
        var from = new Option<string?>("--from") { Description = "The model's file or http(s) address; default: the address in the manifest." };
        var accept = new Option<bool>("--accept-licence") { Description = "Accept the licence that is shown, without a prompt." };
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("add", "Add a model that does not come with the engine. Its file is kept only if its SHA-256 is right.") { name, from, accept, json };
        command.SetAction((parsed, stopping) => AddAsync(ModelCatalog.Default, parsed.GetRequiredValue(name), parsed.GetValue(from), parsed.GetValue(accept), parsed.GetValue(json), stopping));
        return command;
    }

    private static async Task<int> AddAsync(ModelCatalog catalog, string name, string? from, bool accepted, bool json, CancellationToken stopping)
    {
        bool isOwn = name.EndsWith(ManifestEnding, StringComparison.OrdinalIgnoreCase);
        ModelManifest manifest = isOwn ? ReadOwn(catalog, name) : Offered(catalog, name);
        string target = isOwn ? Path.Combine(catalog.BroughtFolder, manifest.Id + ModelEnding) : catalog.FileOf(manifest);
        Tell(manifest);
        StandardScreen.HasProduct();

        bool isThere = PackageCache.IsIntact(target, manifest.Sha256);
        if (!isThere && !accepted)
            await AskAsync(manifest, stopping);
        try
        {
            Directory.CreateDirectory(catalog.BroughtFolder);
            // Written first and moved into place last, so that no failure leaves a manifest without its model.
            using OutputFile? kept = isOwn ? OutputFile.Begin(Path.Combine(catalog.BroughtFolder, manifest.Id + ManifestEnding)) : null;
            kept?.Stream.Write(Encoding.UTF8.GetBytes(Kept(name, Path.GetFileName(target))));
            // A given file is checked even if it is not needed.
            if (!isThere || from is not null)
                await FetchAsync(catalog, manifest, from, target, stopping);
            kept?.Finish();
        }
        catch (Exception e) when (e is IOException and not NotAFileException || e is UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The model \"{manifest.Id}\" could not be written to {catalog.BroughtFolder}: {FileTrouble.Words(e)} Set LFR_CACHE to a folder with room.", e);
        }

        ModelManifest added = catalog.Brought().Single(m => m.Id == manifest.Id);
        if (json)
            CliJson.Print(ModelsCommand.Describe(catalog, added, ModelOrigin.Added), CliJson.Default.ModelListing);
        else
            AnsiConsole.WriteLine($"{(isThere ? "Already present" : "Added")}: {target}\n{Use(added)}");
        return ExitCode.Success;
    }

    private static ModelManifest Offered(ModelCatalog catalog, string name)
    {
        if (catalog.Offered().FirstOrDefault(m => m.Id == name) is { } offered)
            return offered;
        throw new CommandFailure(ExitCode.Usage, catalog.Manifests().Any(m => m.Id == name)
            ? $"\"{name}\" comes with the engine: `lfr models restore` fetches it."
            : $"\"{name}\" is not offered. Offered: {string.Join(", ", catalog.Offered().Select(m => m.Id))}. For any other model give the path of its manifest (.json, models/README.md).");
    }

    private static ModelManifest ReadOwn(ModelCatalog catalog, string path)
    {
        ModelManifest manifest = ModelManifest.Read(path);
        if (manifest.Id.Length is 0 or > 100 || manifest.Id[0] == '.' || !manifest.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new CommandFailure(ExitCode.Input, $"{path}: the id \"{Shown.Text(manifest.Id)}\" cannot be used as a file name. Use up to 100 letters, digits, hyphens, underscores and dots.");
        if (catalog.Manifests().Concat(catalog.Offered()).Any(m => m.Id == manifest.Id))
            throw new CommandFailure(ExitCode.Input, $"{path}: a model of the engine already has the id \"{manifest.Id}\". Use another id.");
        return manifest;
    }

    // Checked before the file is used.
    private static void Tell(ModelManifest manifest)
    {
        Console.Error.WriteLine($"{manifest.Id}: {(manifest.Description.Length > 0 ? Shown.Text(manifest.Description) : manifest.Task.ToString())}");
        Console.Error.WriteLine($"licence        {Shown.Text(manifest.Licence)}");
        Console.Error.WriteLine($"training data  {TrainingWords.State(manifest.TrainingData.State)}. {Shown.Text(manifest.TrainingData.Words)}");
    }

    private static async Task AskAsync(ModelManifest manifest, CancellationToken stopping)
    {
        if (Console.IsInputRedirected || Console.IsOutputRedirected)
            throw new CommandFailure(ExitCode.Usage, $"Nothing was added. If you accept the licence of \"{manifest.Id}\" ({Shown.Text(manifest.Licence)}), give --accept-licence.");
        if (!await new ConfirmationPrompt("Do you accept this licence?") { DefaultValue = false }.ShowAsync(AnsiConsole.Console, stopping))
            throw new CommandFailure(ExitCode.Usage, "Nothing was added: the licence was not accepted.");
    }

    private static async Task FetchAsync(ModelCatalog catalog, ModelManifest manifest, string? from, string target, CancellationToken stopping)
    {
        string source = from ?? (manifest.Source.File is not null ? catalog.FileOf(manifest) : manifest.Source.Url)
            ?? throw new CommandFailure(ExitCode.Usage, $"The manifest of \"{manifest.Id}\" does not give the address of its file. Give the file or its address with --from.");
        await OutputFile.ProduceAsync(target, async partial =>
        {
            await ModelFile.FetchAsync(source, partial, stopping);
            Check(catalog, manifest, ModelFile.Shown(source), partial);
            stopping.ThrowIfCancellationRequested();
        });
    }

    private static void Check(ModelCatalog catalog, ModelManifest manifest, string source, string partial)
    {
        string hash = PackageCache.HashOf(partial);
        if (hash != manifest.Sha256)
        {
            string what = ModelFile.Mistaken(partial) is { } mistaken ? $"{source} is {mistaken}" : $"{source} has SHA-256 {hash}, but the model \"{manifest.Id}\" has {manifest.Sha256}: it is a different file, or it was altered.";
            throw new CommandFailure(ExitCode.Input, $"{what} Nothing was kept. Get the file that the manifest describes, or write your own manifest for this one (models/README.md).");
        }
        ModelManifest here = manifest with { Source = new ModelSource { File = partial } };
        try
        {
            ModelsCommand.ProveGraph(catalog, here);
            using OnnxModel model = OnnxModel.Load(catalog, here);
            // Each constructor checks its model.
            using IDisposable user = manifest.Task switch
            {
                ModelTask.Detect => new FaceDetector(model, new DetectorSettings()),
                ModelTask.Landmarks when manifest.Family == "mesh468" => new FaceMesh(model),
                ModelTask.Landmarks => new LandmarkFinder(model),
                ModelTask.Embed => new Embedder(model),
                _ => throw new ModelLoadException($"The model \"{manifest.Id}\" is for {manifest.Task}; only detectors, landmark models and embedders can be added."),
            };
        }
        catch (ModelLoadException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{e.Message.Replace(partial, source, StringComparison.Ordinal)} Nothing was kept.", e);
        }
    }

    // The user's manifest, except for the source of the file.
    private static string Kept(string path, string file)
    {
        JsonNode manifest = JsonNode.Parse(InputFile.ReadBytes(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
        manifest["source"] = new JsonObject { ["file"] = file };
        return manifest.ToJsonString(CliJson.Readable) + "\n";
    }

    private static string Use(ModelManifest manifest) => manifest.Task switch
    {
        ModelTask.Detect => $"Use it with `--detector {manifest.Id}`, for example: lfr detect FOLDER --detector {manifest.Id}",
        ModelTask.Embed => $"Use it with `--embedder {manifest.Id}`. Watchlists of another embedder: lfr watchlist re-enrol FILE -o NEW --embedder {manifest.Id}"
            + (manifest.Thresholds.Any(t => t.Name == "default") ? "" : $"\nIt has no default threshold: measure one with `lfr verify FOLDER --embedder {manifest.Id}` and give it with --threshold.")
            + (manifest.CoverScales.Length > 0 ? "" : $"\nIt has no \"coverScales\": covered faces (masks, sunglasses, caps) are compared as if uncovered until `lfr-lab cover-scale FOLDER --embedder {manifest.Id} --write MANIFEST` has measured them (docs/cover.md)."),
        _ => "",
    };
}
