using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Commands;

/// <summary>Texts about a model's training data, which the licence does not cover.</summary>
internal static class TrainingWords
{
    public static string State(TrainingDataState state) => state switch
    {
        TrainingDataState.Known => "known",
        TrainingDataState.ResearchOnly => "for research only",
        _ => "unknown",
    };

    /// <summary>A line for each caution before models are used; none if the training data of all is known and free.</summary>
    public static IEnumerable<string> Cautions(EngineModels models) => Cautions(models.All.Select(m => m.Manifest));

    /// <inheritdoc cref="Cautions(EngineModels)"/>
    public static IEnumerable<string> Cautions(IEnumerable<ModelManifest> models) => models
        .Where(m => m.TrainingData.State != TrainingDataState.Known)
        .GroupBy(m => m.TrainingData)
        .Select(g => $"Training data {State(g.Key.State)} ({string.Join(", ", g.Select(m => m.Id))}): {g.Key.Words}");
}
