using System.Diagnostics;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Deployments;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr doctor --webgpu</c>, <c>--cuda</c>, and <c>--gpu</c> where DirectML is all that this build has: runs every network on the graphics card and compares result and time with the processor.</summary>
internal static class NetworkDoctor
{
    // Relative to the largest value of an output. Float32 in another order gives about 1e-5.
    private const double LargestDifference = 1e-3;

    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(0.5);

    // At the sizes at which the pipeline runs them.
    private static readonly (string Id, ModelTask Task, int Batch, int Height, int Width)[] Networks =
    [
        (EngineModels.DefaultDetector, ModelTask.Detect, 1, 384, 640),
        (EngineModels.DefaultLandmarks, ModelTask.Landmarks, 1, 64, 64),
        (EngineModels.DefaultEmbedder, ModelTask.Embed, 1, 112, 112),
        (EngineModels.DefaultEmbedder, ModelTask.Embed, Embeddings.Embedder.MaximumBatch, 112, 112),
        (EngineModels.DefaultMesh, ModelTask.Landmarks, 1, 192, 192),
        (EngineModels.DefaultSecond, ModelTask.Verify, 1, 96, 96),
        (EngineModels.DefaultThird, ModelTask.Verify, 1, 48, 48),
    ];

    public static Finding[] Run(ModelCatalog catalog, RuntimeLibrary library)
    {
        IInferenceBackend backend;
        string device;
        try
        {
            if (library == RuntimeLibrary.Cuda)
            {
                CudaBackend cuda = CudaBackend.Open(PackageCache.Default);
                (backend, device) = (cuda, cuda.Device);
            }
            else
                (backend, device) = (EngineDevices.OpenWebGpu(_ => { }), EngineDevices.WebGpuDevice().Name);
        }
        catch (ModelLoadException e)
        {
            return [new Finding($"{library.Name}: device", "missing", e.Message, null)];
        }
        return [new Finding($"{library.Name}: device", "ok", device, null), .. CompareAll(catalog, backend, library.Name)];
    }

    public static Finding[] RunDirectMl(ModelCatalog catalog)
    {
        const string Alone = "GPU: decoding, shaders, search";
        DirectMlProvider backend;
        try
        {
            backend = DirectMlProvider.Open();
        }
        catch (GpuException e)
        {
            return [new Finding("DirectML: device", "missing", e.Message, null)];
        }
        string name = backend.IsHardware ? backend.AdapterName : $"{backend.AdapterName}: software, no GPU";
        return [new Finding("DirectML: device", "ok", name, null), .. CompareAll(catalog, backend, "DirectML"), new Finding(Alone, "note", "this build was made without ComputeSharp, Silk.NET and FFmpeg.AutoGen: the processor does them", "docs/windows.md")];
    }

    private static IEnumerable<Finding> CompareAll(ModelCatalog catalog, IInferenceBackend backend, string provider) =>
        Networks.Select(n => Compare(catalog, backend, provider, n.Id, n.Task, n.Batch, n.Height, n.Width));

    private static Finding Compare(ModelCatalog catalog, IInferenceBackend backend, string provider, string id, ModelTask task, int batch, int height, int width)
    {
        string what = $"{provider}: {id} {batch}x{height}x{width}";
        try
        {
            // The card computes in float32, so it is compared with float32.
            ModelManifest manifest = catalog.Find(id, task) with { Int8 = null };
            using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest), onCard = OnnxModel.Load(catalog, manifest, backend);
            using InferencePlan expected = onProcessor.CreatePlan(batch, height, width), actual = onCard.CreatePlan(batch, height, width);
            var random = new Random(7);
            for (int i = 0; i < expected.Input.Length; i++)
                expected.Input.Span[i] = actual.Input.Span[i] = (random.NextSingle() * 2) - 1;
            double processorMs = MedianMs(expected), cardMs = MedianMs(actual);
            double difference = Difference(expected, actual);
            string found = $"differs by {difference:e1} of the largest output; {cardMs:0.00} ms, the processor takes {processorMs:0.00} ms on one thread";
            return new Finding(what, difference <= LargestDifference ? "ok" : "missing", found, difference <= LargestDifference ? null : "another driver; report this with what this command prints with --json");
        }
        catch (ModelLoadException e)
        {
            return new Finding(what, "missing", e.Message, null);
        }
    }

    private static double MedianMs(InferencePlan plan)
    {
        // The first run compiles shaders.
        plan.Run();
        var times = new List<double>();
        long began = Stopwatch.GetTimestamp();
        while (times.Count == 0 || Stopwatch.GetElapsedTime(began) < Measured)
        {
            long start = Stopwatch.GetTimestamp();
            plan.Run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        return times.Order().ElementAt(times.Count / 2);
    }

    private static double Difference(InferencePlan expected, InferencePlan actual)
    {
        double worst = 0;
        for (int o = 0; o < expected.Outputs.Count; o++)
        {
            ReadOnlySpan<float> e = expected.Outputs[o].Span, a = actual.Outputs[o].Span;
            double largest = 1e-12, difference = 0;
            for (int i = 0; i < e.Length; i++)
            {
                // Max returns NaN if there is one, and NaN fails the comparison.
                (largest, difference) = (Math.Max(largest, Math.Abs(e[i])), Math.Max(difference, Math.Abs(e[i] - a[i])));
            }
            worst = Math.Max(worst, difference / largest);
        }
        return worst;
    }
}
