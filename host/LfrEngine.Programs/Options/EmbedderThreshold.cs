using LfrEngine.Models;

namespace LfrEngine.Programs;

/// <summary>The default threshold of an embedder.</summary>
internal static class EmbedderThreshold
{
    /// <summary>The default of an embedder; null if there is none.</summary>
    public static float? Measured(ModelManifest embedder) => embedder.Thresholds.FirstOrDefault(t => t.Name == "default")?.Value;

    /// <summary>The default of an embedder.</summary>
    /// <exception cref="CommandFailure">There is no default.</exception>
    public static float Default(ModelManifest embedder) =>
        Measured(embedder)
        ?? throw new CommandFailure(ExitCode.Usage, $"The embedder \"{embedder.Id}\" has no default threshold in its manifest. Measure one and give it with --threshold, or add it to the manifest with its evidence.");
}
