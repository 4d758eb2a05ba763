using System.Text.Json;
using System.Text.Json.Nodes;
using LfrEngine.Files;
using LfrEngine.Matching;
using LfrEngine.Models;

namespace LfrEngine.Lab.Output;

/// <summary>Writes measured cover scales into the manifest of the embedder with which they were measured.</summary>
internal static class CoverScaleManifest
{
    // Indented, because people read manifests.
    private static readonly JsonSerializerOptions s_readable = new(JsonText.Options) { WriteIndented = true };

    /// <summary>Checks that a manifest belongs to this embedder, before anything is measured.</summary>
    public static void Check(string path, ModelManifest embedder)
    {
        ModelManifest manifest = ModelManifest.Read(path);
        if (manifest.Id != embedder.Id || manifest.Sha256 != embedder.Sha256)
            throw new CommandFailure(ExitCode.Input, $"{path} describes the model \"{manifest.Id}\", but \"{embedder.Id}\" would be measured. Give the model of this manifest with --embedder.");
    }

    /// <summary>Writes the scales and leaves the rest of the manifest unchanged.</summary>
    public static void Write(string path, IReadOnlyList<CoverScale> scales)
    {
        if (scales.Count == 0)
            throw new CommandFailure(ExitCode.Input, $"{path} was not changed, because no cover could be measured. Use more people.");
        try
        {
            JsonNode manifest = JsonNode.Parse(InputFile.ReadBytes(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
            manifest["coverScales"] = new JsonArray([.. scales.Select(s => (JsonNode)new JsonObject
            {
                ["cover"] = $"{s.Cover}",
                ["mean"] = s.Mean,
                ["deviation"] = s.Deviation,
                ["slope"] = s.Slope,
                ["offset"] = s.Offset,
                ["evidence"] = s.Evidence,
            })]);
            OutputFile.Write(path, manifest.ToJsonString(s_readable) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The scales cannot be written to {path}: {FileTrouble.Words(e)}", e);
        }
    }
}
