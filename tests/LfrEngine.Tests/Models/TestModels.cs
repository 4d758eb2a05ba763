using LfrEngine.Models;
using LfrEngine.Tests.Detection;
using Xunit;

namespace LfrEngine.Tests.Models;

/// <summary>The default models, loaded once for all tests; a test that needs one that is not restored is skipped.</summary>
internal static class TestModels
{
    public static ModelCatalog Catalog { get; } = new(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);

    private static readonly Lazy<OnnxModel> LazyDetector = new(() => OnnxModel.Load(Catalog, Catalog.Find("ultraface-rfb-320", ModelTask.Detect)));
    private static readonly Lazy<OnnxModel> LazyLandmarks = new(() => OnnxModel.Load(Catalog, Catalog.Find("landmarks-68", ModelTask.Landmarks)));
    private static readonly Lazy<OnnxModel> LazyEmbedder = new(() => OnnxModel.Load(Catalog, Catalog.Find("mobilefacenet-512", ModelTask.Embed)));

    private static readonly Lazy<OnnxModel> LazyMesh = new(() => OnnxModel.Load(Catalog, Manifest("mesh-468")));
    private static readonly Lazy<OnnxModel> LazyBlazeFace = new(() => OnnxModel.Load(Catalog, Manifest("blazeface-full-range")));
    private static readonly Lazy<OnnxModel> LazyOnet = new(() => OnnxModel.Load(Catalog, Manifest("onet")));

    public static OnnxModel Detector => Restored("fr_detect.onnx", LazyDetector);

    public static OnnxModel Landmarks => Restored("fr_landmark.onnx", LazyLandmarks);

    public static OnnxModel Embedder => Restored("fr_feature.onnx", LazyEmbedder);

    public static OnnxModel Mesh => Served("mesh-468", LazyMesh);

    public static OnnxModel BlazeFace => Served("blazeface-full-range", LazyBlazeFace);

    public static OnnxModel Onet => Served("onet", LazyOnet);

    /// <summary>What is known of a default model.</summary>
    public static ModelManifest Manifest(string id) => Catalog.Manifests().Single(m => m.Id == id);

    /// <summary>The file of a default model; the test is skipped where it has not been restored.</summary>
    public static string RestoredFile(string id)
    {
        string path = Catalog.FileOf(Manifest(id));
        if (!File.Exists(path))
            Assert.Skip($"{path} is missing; `lfr models restore` fetches it.");
        return path;
    }

    private static OnnxModel Restored(string file, Lazy<OnnxModel> model)
    {
        RepoRoot.RestoredModel(file);
        return model.Value;
    }

    private static OnnxModel Served(string id, Lazy<OnnxModel> model)
    {
        RestoredFile(id);
        return model.Value;
    }
}
