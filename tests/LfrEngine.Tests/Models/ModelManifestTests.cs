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
}
