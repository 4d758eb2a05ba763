using LfrEngine.Models;

namespace LfrEngine.Programs;

/// <summary>Hashes of this build.</summary>
internal static class BuildHashes
{
    /// <summary>SHA-256 of the program's files, so that a receipt identifies the code that made it.</summary>
    public static Dictionary<string, string> Read() => Directory.EnumerateFiles(AppContext.BaseDirectory)
        .Where(f => Path.GetFileName(f) is "lfr.dll" or "lfr-lab.dll" or "Microsoft.ML.OnnxRuntime.dll" or "liblfr_media.so" or "lfr_media.dll"
            || (Path.GetFileName(f).StartsWith("LfrEngine", StringComparison.Ordinal) && Path.GetExtension(f) == ".dll"))
        .Order(StringComparer.Ordinal)
        .ToDictionary(f => Path.GetFileName(f), PackageCache.HashOf);
}
