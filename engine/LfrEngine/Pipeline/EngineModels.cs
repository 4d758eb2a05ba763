using LfrEngine.Detection;
using LfrEngine.Models;

namespace LfrEngine.Pipeline;

/// <summary>The three networks of the hot path, loaded once and shared by all cameras. The caller disposes it after the last run.</summary>
public sealed class EngineModels : IDisposable
{
    /// <summary>Detector of the default configuration.</summary>
    public const string DefaultDetector = "ultraface-rfb-320";

    /// <summary>Landmark model of the default configuration.</summary>
    public const string DefaultLandmarks = "landmarks-68";

    /// <summary>Embedder of the default configuration.</summary>
    public const string DefaultEmbedder = "mobilefacenet-512";

    private EngineModels(OnnxModel detector, OnnxModel landmarks, OnnxModel embedder)
    {
        Detector = detector;
        Landmarks = landmarks;
        Embedder = embedder;
    }

    /// <summary>Finds faces.</summary>
    public OnnxModel Detector { get; }

    /// <summary>Places points.</summary>
    public OnnxModel Landmarks { get; }

    /// <summary>Makes embeddings.</summary>
    public OnnxModel Embedder { get; }

    /// <summary>Loads the models by name or by path of a manifest.</summary>
    /// <param name="catalog">Where names are looked up.</param>
    /// <param name="detector">Finds faces.</param>
    /// <param name="landmarks">Places points.</param>
    /// <param name="embedder">Makes embeddings.</param>
    /// <param name="backend">Where they run; null for the processor. Borrowed for the life of the models.</param>
    /// <exception cref="ModelLoadException">One is missing, altered or not what its manifest says; nothing stays loaded.</exception>
    public static EngineModels Load(ModelCatalog catalog, string detector = DefaultDetector, string landmarks = DefaultLandmarks, string embedder = DefaultEmbedder, IInferenceBackend? backend = null)
    {
        var loaded = new List<OnnxModel>(3);
        try
        {
            loaded.Add(OnnxModel.Load(catalog, catalog.Find(detector, ModelTask.Detect), backend));
            _ = DetectorFamilies.Create(loaded[0].Manifest);
            loaded.Add(OnnxModel.Load(catalog, catalog.Find(landmarks, ModelTask.Landmarks), backend));
            loaded.Add(OnnxModel.Load(catalog, catalog.Find(embedder, ModelTask.Embed), backend));
            return new EngineModels(loaded[0], loaded[1], loaded[2]);
        }
        catch
        {
            loaded.ForEach(m => m.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detector.Dispose();
        Landmarks.Dispose();
        Embedder.Dispose();
    }
}
