using System.CommandLine;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Programs;

/// <summary>Options to choose the networks.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string> detector = new("--detector") { Description = "Detector: an id from `lfr models list`, or the path of a manifest.", DefaultValueFactory = _ => EngineModels.DefaultDetector };
    private readonly Option<string> embedder = new("--embedder") { Description = "Embedder: an id from `lfr models list`, or the path of a manifest.", DefaultValueFactory = _ => EngineModels.DefaultEmbedder };

    public void AddTo(Command command)
    {
        command.Add(detector);
        command.Add(embedder);
    }

    public EngineModels Load(ParseResult parsed, IInferenceBackend? backend = null) =>
        EngineModels.Load(ModelCatalog.Default, Detector(parsed), embedder: Embedder(parsed), backend: backend);

    /// <summary>Id or manifest of the detector.</summary>
    public string Detector(ParseResult parsed) => parsed.GetRequiredValue(detector);

    /// <summary>Id or manifest of the embedder.</summary>
    public string Embedder(ParseResult parsed) => parsed.GetRequiredValue(embedder);
}
