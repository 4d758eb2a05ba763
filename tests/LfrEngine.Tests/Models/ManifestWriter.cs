using System.Text.Json;
using System.Text.Json.Nodes;
using LfrEngine.Models;
using LfrEngine.Tests.Watchlists;

namespace LfrEngine.Tests.Models;

/// <summary>Writes manifests of models that a user brings.</summary>
internal static class ManifestWriter
{
    /// <summary>A manifest with everything in place; <paramref name="change"/> spoils it.</summary>
    public static string Write(TemporaryDirectory folder, string name, string task, string family, string file, string channels, float[] mean, float scale,
        string[] outputs, string input = "input", int embeddingLength = 0, Action<JsonObject>? change = null)
    {
        var manifest = new JsonObject
        {
            ["id"] = name,
            ["task"] = task,
            ["family"] = family,
            ["licence"] = "test",
            ["source"] = new JsonObject { ["file"] = file },
            ["sha256"] = File.Exists(file) ? PackageCache.HashOf(file) : new string('0', 64),
            ["input"] = new JsonObject
            {
                ["name"] = input,
                ["channels"] = channels,
                ["mean"] = new JsonArray([.. mean.Select(m => (JsonNode)m)]),
                ["scale"] = new JsonArray([.. mean.Select(_ => (JsonNode)scale)]),
            },
            ["outputs"] = new JsonArray([.. outputs.Select(o => (JsonNode)o)]),
            ["embeddingLength"] = embeddingLength,
        };
        change?.Invoke(manifest);
        string path = folder[name + ".json"];
        File.WriteAllText(path, manifest.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return path;
    }
}
