using LfrEngine.Detection;
using LfrEngine.Models;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>The networks of the hot path, loaded once and shared by all cameras. The caller disposes them after the last run.</summary>
public sealed class EngineModels : IDisposable
{
    /// <summary>Detector of the default configuration.</summary>
    public const string DefaultDetector = "ultraface-rfb-320";

    /// <summary>Landmark model of the default configuration.</summary>
    public const string DefaultLandmarks = "landmarks-68";

    /// <summary>Embedder of the default configuration.</summary>
    public const string DefaultEmbedder = "mobilefacenet-512";

    /// <summary>Mesh model for the points of covered faces.</summary>
    public const string DefaultMesh = "mesh-468";

    /// <summary>Second network that judges the detector's candidates.</summary>
    public const string DefaultSecond = "blazeface-full-range";

    /// <summary>Third network that judges the detector's candidates.</summary>
    public const string DefaultThird = "onet";

    private readonly OnnxModel[] all;

    private EngineModels(OnnxModel[] all) => this.all = all;

    /// <summary>All networks, in the order of the pipeline. Each of them influences who raises an alert.</summary>
    public IReadOnlyList<OnnxModel> All => all;

    /// <summary>Finds faces.</summary>
    public OnnxModel Detector => all[0];

    /// <summary>Places points.</summary>
    public OnnxModel Landmarks => all[1];

    /// <summary>Makes embeddings.</summary>
    public OnnxModel Embedder => all[2];

    /// <summary>Places the points of covered faces (<see cref="Alignment.FaceMesh"/>).</summary>
    public OnnxModel Mesh => all[3];

    /// <summary>Judges the detector's candidates (<see cref="FaceVerifier"/>).</summary>
    public OnnxModel Second => all[4];

    /// <summary>Judges the detector's candidates and their boxes.</summary>
    public OnnxModel Third => all[5];

    /// <summary>What <see cref="Load"/> would load, in the order of <see cref="All"/>.</summary>
    /// <param name="catalog">Where names are looked up.</param>
    /// <param name="detector">Finds faces.</param>
    /// <param name="landmarks">Places points.</param>
    /// <param name="embedder">Makes embeddings.</param>
    /// <exception cref="ModelLoadException">One is not known.</exception>
    public static IReadOnlyList<ModelManifest> Find(ModelCatalog catalog, string detector = DefaultDetector, string landmarks = DefaultLandmarks, string embedder = DefaultEmbedder) =>
    [
        catalog.Find(detector, ModelTask.Detect), catalog.Find(landmarks, ModelTask.Landmarks), catalog.Find(embedder, ModelTask.Embed),
        catalog.Find(DefaultMesh, ModelTask.Landmarks), catalog.Find(DefaultSecond, ModelTask.Verify), catalog.Find(DefaultThird, ModelTask.Verify),
    ];

    /// <summary>Loads the models by name or by path of a manifest.</summary>
    /// <param name="catalog">Where names are looked up.</param>
    /// <param name="detector">Finds faces.</param>
    /// <param name="landmarks">Places points.</param>
    /// <param name="embedder">Makes embeddings.</param>
    /// <param name="backend">The backend; null for the processor. Borrowed for the life of the models.</param>
    /// <exception cref="ModelLoadException">A model is missing, altered or differs from its manifest; no model stays loaded.</exception>
    public static EngineModels Load(ModelCatalog catalog, string detector = DefaultDetector, string landmarks = DefaultLandmarks, string embedder = DefaultEmbedder, IInferenceBackend? backend = null)
    {
        IReadOnlyList<ModelManifest> wanted = Find(catalog, detector, landmarks, embedder);
        _ = DetectorFamilies.Create(wanted[0]);
        var loaded = new List<OnnxModel>(wanted.Count);
        try
        {
            foreach (ModelManifest manifest in wanted)
                loaded.Add(OnnxModel.Load(catalog, manifest, backend));
            return new EngineModels([.. loaded]);
        }
        catch
        {
            loaded.ForEach(m => m.Dispose());
            throw;
        }
    }

    /// <summary>A verifier of the detector's candidates; null if the verifier was not fitted to the detector's family. The caller disposes it.</summary>
    internal FaceVerifier? CreateVerifier() => HasVerifier ? new FaceVerifier(Second, Third) : null;

    /// <summary>Tracker settings for these networks: if a verifier judges every tracklet, any detection that may continue one may also begin one.</summary>
    internal TrackerSettings Tracking(TrackerSettings settings) => HasVerifier ? settings with { StartScore = settings.ContinueScore } : settings;

    private bool HasVerifier => FaceVerifier.Knows(Detector.Manifest);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OnnxModel model in all)
            model.Dispose();
    }
}
