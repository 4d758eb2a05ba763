using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Tests;

/// <summary>Networks in half precision, run by the processor's provider, which computes halves by casts: the graph is what is tested.</summary>
public sealed class OnnxHalfTests
{
    [Fact]
    public void Embedder_InHalf_GivesTheSameEmbedding()
    {
        ModelCatalog catalog = Catalog();
        ModelManifest manifest = catalog.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        using OnnxModel whole = OnnxModel.Load(catalog, manifest);
        using OnnxModel half = OnnxModel.Load(catalog, manifest, new HalfOnTheProcessor());
        using var expected = new Embedder(whole);
        using var actual = new Embedder(half);
        var random = new Random(1);
        var crops = new HostBuffer<float>[3];
        for (int i = 0; i < crops.Length; i++)
        {
            crops[i] = BufferPool.Rent<float>(Alignment.FaceAligner.CropLength);
            foreach (ref float v in crops[i].Span)
                v = (random.NextSingle() * 2) - 1;
        }
        var a = new float[3 * expected.Length];
        var b = new float[3 * expected.Length];
        var norms = new float[3];
        expected.Embed(crops, a, norms);
        actual.Embed(crops, b, norms);
        for (int i = 0; i < 3; i++)
        {
            float cosine = System.Numerics.Tensors.TensorPrimitives.Dot(a.AsSpan(i * 512, 512), b.AsSpan(i * 512, 512));
            TestContext.Current.TestOutputHelper?.WriteLine($"cosine {cosine}");
            Assert.InRange(cosine, 0.999f, 1.0001f);
        }
        Array.ForEach(crops, c => c.Dispose());
    }

    [Theory]
    [InlineData(EngineModels.DefaultDetector, ModelTask.Detect, 320, 192)]
    [InlineData(EngineModels.DefaultLandmarks, ModelTask.Landmarks, 64, 64)]
    public void Network_InHalf_GivesNearlyTheSame(string id, ModelTask task, int width, int height)
    {
        ModelCatalog catalog = Catalog();
        // In whole floats: 8-bit integers are the processor's own short cut.
        ModelManifest manifest = catalog.Find(id, task) with { Int8 = null };
        using OnnxModel whole = OnnxModel.Load(catalog, manifest);
        using OnnxModel half = OnnxModel.Load(catalog, manifest, new HalfOnTheProcessor());
        using InferencePlan expected = whole.CreatePlan(1, height, width);
        using InferencePlan actual = half.CreatePlan(1, height, width);
        var random = new Random(2);
        for (int i = 0; i < expected.Input.Length; i++)
            expected.Input.Span[i] = actual.Input.Span[i] = (random.NextSingle() * 2) - 1;
        expected.Run();
        actual.Run();
        for (int i = 0; i < expected.Outputs.Count; i++)
            Assert.InRange(Device.Largest(manifest.Outputs[i], expected.Outputs[i].Span, actual.Outputs[i].Span), 1e-9f, 0.05f);
    }

    internal static ModelCatalog Catalog()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "LfrEngine.sln")))
            folder = Path.GetDirectoryName(folder);
        return new ModelCatalog(Path.Combine(folder!, "models"), PackageCache.Default);
    }

    private sealed class HalfOnTheProcessor : IInferenceBackend
    {
        public IInferenceNetwork Load(byte[] graph, ModelManifest manifest) => CpuBackend.Default.Load(OnnxHalf.Convert(graph), manifest);
    }
}
