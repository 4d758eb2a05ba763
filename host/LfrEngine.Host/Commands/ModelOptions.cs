using System.CommandLine;
using LfrEngine.Host.Watchlists;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Host.Commands;

/// <summary>The options by which every command chooses its networks.</summary>
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
        EngineModels.Load(ModelCatalog.Default, parsed.GetRequiredValue(detector), embedder: parsed.GetRequiredValue(embedder), backend: backend);

    /// <summary>A child process that judges photos with them. It starts with the first photo; the caller ends it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="sealedFaces">Whether its photos are the face pictures of a watchlist.</param>
    public PhotoVetter Vetter(ParseResult parsed, bool sealedFaces = false) => new(NullLogger<PhotoVetter>.Instance, parsed.GetRequiredValue(detector), parsed.GetRequiredValue(embedder), sealedFaces);
}
