using LfrEngine.Models;

namespace LfrEngine.Programs;

/// <summary>The threshold: as given, or the embedder's default.</summary>
internal static class EmbedderThreshold
{
    /// <summary>Checks a given threshold.</summary>
    /// <exception cref="CommandFailure">It is out of range.</exception>
    public static float? Checked(float? threshold) => threshold is null or (> -1 and <= 1)
        ? threshold
        : throw new CommandFailure(ExitCode.Usage, $"--threshold must be above -1 and at most 1, not {threshold}.");

    /// <summary>The default of an embedder; null if there is none.</summary>
    public static float? Measured(ModelManifest embedder) => embedder.Thresholds.FirstOrDefault(t => t.Name == "default")?.Value;

    /// <summary>The default of an embedder.</summary>
    /// <exception cref="CommandFailure">There is no default.</exception>
    public static float Default(ModelManifest embedder) =>
        Measured(embedder)
        ?? throw new CommandFailure(ExitCode.Usage, $"The embedder \"{embedder.Id}\" has no default threshold in its manifest. Measure one and give it with --threshold, or add it to the manifest with its evidence.");
}
