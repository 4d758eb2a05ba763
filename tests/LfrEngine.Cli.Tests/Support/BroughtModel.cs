using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>Manifests of models that a user brings.</summary>
internal static class BroughtModel
{
    /// <summary>The 128-element embedder of the shared data.</summary>
    public static string Embedder128(TemporaryFolder folder) =>
        Write(folder, "brought-128", "embed", "embedder", Shared.Need("models/mobilefacenet_128.onnx"), "rgb", 3, ["output"], 128);

    /// <summary>Writes a manifest with the file's true hash.</summary>
    /// <returns>Its path.</returns>
    public static string Write(TemporaryFolder folder, string id, string task, string family, string file, string channels, int channelCount, string[] outputs, int embeddingLength = 0)
    {
        JsonArray Numbers(double value) => [.. Enumerable.Repeat(value, channelCount).Select(v => (JsonNode)v)];
        var manifest = new JsonObject
        {
            ["id"] = id,
            ["task"] = task,
            ["family"] = family,
            ["licence"] = "see its source",
            ["source"] = new JsonObject { ["file"] = file },
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))),
            ["input"] = new JsonObject { ["name"] = "input", ["channels"] = channels, ["mean"] = Numbers(127.5), ["scale"] = Numbers(0.0078125) },
            ["outputs"] = new JsonArray([.. outputs.Select(o => (JsonNode)o)]),
        };
        if (embeddingLength > 0)
        {
            manifest["embeddingLength"] = embeddingLength;
            manifest["thresholds"] = new JsonArray(new JsonObject { ["name"] = "default", ["value"] = 0.5, ["evidence"] = "none: a test" });
        }
        string path = folder[$"{id}.json"];
        File.WriteAllText(path, manifest.ToJsonString());
        return path;
    }
}
