using System.Text.Json.Nodes;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Shared;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Models;

public sealed class ModelManifestTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Read_AnyBytes_IsAManifestOrASentence()
    {
        string path = directory["model.json"];
        AnyBytes.AreAnAnswerOrASentence(
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                ModelManifest manifest = ModelManifest.Read(path);
                Assert.All(manifest.Outputs, o => Assert.NotEmpty(o));
                Assert.All([.. manifest.Input.Mean, .. manifest.Input.Scale], v => Assert.True(float.IsFinite(v)));
                Assert.All(manifest.Thresholds, t => Assert.NotNull(t.Name));
                Assert.NotNull(manifest.Source.ToString());
            },
            e => e is ModelLoadException && e.Message.Contains(path, StringComparison.Ordinal),
            [.. Directory.GetFiles(Path.Combine(RepoRoot.Path, "models"), "*.json").Where(f => !f.EndsWith("demo-photos.json", StringComparison.Ordinal) && new FileInfo(f).Length < 20_000).Select(File.ReadAllBytes)]);
    }

    [Theory]
    [InlineData(-0.4)]
    [InlineData(0)]
    [InlineData(1.01)]
    public void Read_ThresholdThatNoScoreCanMean_IsRefused(double value)
    {
        string path = ManifestWriter.Write(directory, "embedder", "embed", "embedder", "none.onnx", "rgb", [0, 0, 0], 1, ["output"], embeddingLength: 4,
            change: m => m["thresholds"] = new JsonArray(new JsonObject { ["name"] = "default", ["value"] = value, ["evidence"] = "test" }));

        Assert.Contains("threshold \"default\"", Assert.Throws<ModelLoadException>(() => ModelManifest.Read(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LowerFace", 0.1, 1, true)]
    [InlineData("lowerFace, brow", 0.1, 0.5, true)]
    [InlineData("None", 0.1, 1, false)]
    [InlineData("Nose", 0.1, 1, false)]
    [InlineData("Eyes", 0.1, 1, false)]
    [InlineData("Brow", 0, 1, false)]
    [InlineData("Brow", 0.1, -1, false)]
    public void Read_CoverScales_AreUsableOrRefused(string cover, double deviation, double slope, bool isUsable)
    {
        JsonObject Scale(string of, double spread, double line) =>
            new() { ["cover"] = of, ["mean"] = 0, ["deviation"] = spread, ["slope"] = line, ["offset"] = -0.1, ["evidence"] = "test" };
        string path = ManifestWriter.Write(directory, "embedder", "embed", "embedder", "none.onnx", "rgb", [0, 0, 0], 1, ["output"], embeddingLength: 4,
            change: m => m["coverScales"] = new JsonArray(Scale("Eyes", 0.2, 1), Scale(cover, deviation, slope)));
        if (!isUsable)
        {
            Assert.Contains(path, Assert.Throws<ModelLoadException>(() => ModelManifest.Read(path)).Message, StringComparison.Ordinal);
            return;
        }
        CoverScale read = ModelManifest.Read(path).CoverScales[1];
        Assert.Equal(cover == "LowerFace" ? FaceCover.LowerFace : FaceCover.LowerFace | FaceCover.Brow, read.Cover);
        Assert.Equal((float)slope, read.Slope);
        Assert.Equal(-0.1f, read.Offset);
    }
}
