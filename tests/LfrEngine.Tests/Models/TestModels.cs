using LfrEngine.Models;
using LfrEngine.Tests.Detection;

namespace LfrEngine.Tests.Models;

/// <summary>The default models, loaded once for all tests; a test that needs one that is not restored is skipped.</summary>
internal static class TestModels
{
    public static ModelCatalog Catalog { get; } = new(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);

    private static readonly Lazy<OnnxModel> LazyDetector = new(() => OnnxModel.Load(Catalog, Catalog.Find("ultraface-rfb-320", ModelTask.Detect)));
    private static readonly Lazy<OnnxModel> LazyLandmarks = new(() => OnnxModel.Load(Catalog, Catalog.Find("landmarks-68", ModelTask.Landmarks)));
    private static readonly Lazy<OnnxModel> LazyEmbedder = new(() => OnnxModel.Load(Catalog, Catalog.Find("mobilefacenet-512", ModelTask.Embed)));

    public static OnnxModel Detector => Restored("fr_detect.onnx", LazyDetector);

    public static OnnxModel Landmarks => Restored("fr_landmark.onnx", LazyLandmarks);

    public static OnnxModel Embedder => Restored("fr_feature.onnx", LazyEmbedder);

    private static OnnxModel Restored(string file, Lazy<OnnxModel> model)
    {
        RepoRoot.RestoredModel(file);
        return model.Value;
    }
}
