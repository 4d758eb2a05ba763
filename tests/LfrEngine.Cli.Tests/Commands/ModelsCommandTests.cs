using System.Text.Json.Nodes;
using LfrEngine.Models;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr models</c>, <c>lfr doctor</c>, and models that cannot be used.</summary>
[Trait("Speed", "slow")]
public sealed class ModelsCommandTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task ModelsList_Json_ListsEverythingAboutEachModel()
    {
        JsonNode?[] models = Defaults((await Lfr.RunAsync("models", "list", "--json")).Exits(ExitCode.Success));

        Assert.Equal(["blazeface-full-range", "landmarks-68", "mesh-468", "mobilefacenet-512", "onet", "ultraface-rfb-320"], models.Select(m => (string?)m!["id"]));
        Assert.Equal(["verify", "landmarks", "landmarks", "embed", "verify", "detect"], models.Select(m => (string?)m!["task"]));
        Assert.Equal(["blazeface", "landmarks68", "mesh468", "embedder", "onet", "ultraface"], models.Select(m => (string?)m!["family"]));
        Assert.Equal(["Apache-2.0", "MIT", "Apache-2.0", "MIT", "MIT", "MIT"], models.Select(m => (string?)m!["licence"]));
        Assert.All(models, m =>
        {
            Assert.Equal("ready", (string?)m!["state"]);
            Assert.NotEqual("known", (string?)m["trainingData"]!["state"]);
            Assert.StartsWith("npm ", (string?)m["source"], StringComparison.Ordinal);
            Assert.Equal((string?)m["sha256"], PackageCache.HashOf((string)m["path"]!));
            Assert.Matches(@"^(input|input_1|onet/input) \[batch, [13], ", (string?)m["input"]);
            Assert.All(m["outputs"]!.AsArray(), o => Assert.EndsWith("]", (string?)o, StringComparison.Ordinal));
        });
        Assert.Contains("112, 112", (string?)models[3]!["input"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ModelsList_Table_NamesEveryModel() =>
        (await Lfr.RunAsync("models", "list")).Exits(ExitCode.Success).Says("landmarks-68", "mobilefacenet-512", "ultraface-rfb-320", "MIT", "ready");

    [Fact]
    public async Task Models_Missing_NamesTheCommandThatRestoresThem()
    {
        (string, string)[] elsewhere = [("LFR_CACHE", folder["empty"])];

        JsonNode?[] models = Defaults((await Lfr.RunInAsync(null, elsewhere, "models", "list", "--json")).Exits(ExitCode.Environment));
        Assert.All(models, m => Assert.Equal("missing: lfr models restore", (string?)m!["state"]));
        (await Lfr.RunInAsync(null, elsewhere, material.Run("--camera", "gate=no-such-clip.mp4"))).Exits(ExitCode.Environment)
            .Says("ultraface-rfb-320", "cannot be read", "Run: lfr models restore").IsCivil();
        JsonArray findings = (await Lfr.RunInAsync(null, elsewhere, "doctor", "--json")).Exits(ExitCode.Environment).Json.AsArray();
        Assert.Equal(6, findings.Count(f => (string?)f!["state"] == "missing" && (string?)f["fix"] == "lfr models restore"));
        Assert.False(Directory.Exists(folder["empty"]));
    }

    [Fact]
    public async Task Models_OneByteAltered_NamesItAndTheCommandThatRestoresIt()
    {
        foreach (ModelManifest manifest in ModelCatalog.Default.Manifests())
        {
            string copy = folder[Path.GetRelativePath(PackageCache.Default.Root, ModelCatalog.Default.FileOf(manifest))];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(ModelCatalog.Default.FileOf(manifest), copy);
        }
        string embedder = folder[Path.Combine("faceplugin-face-recognition-js@0.0.1", "model", "fr_feature.onnx")];
        byte[] bytes = await File.ReadAllBytesAsync(embedder, TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(embedder, bytes, TestContext.Current.CancellationToken);
        (string, string)[] altered = [("LFR_CACHE", folder.Path)];

        (await Lfr.RunInAsync(null, altered, material.Run("--camera", "gate=no-such-clip.mp4"))).Exits(ExitCode.Environment)
            .Says("mobilefacenet-512", embedder, "has SHA-256", "Run: lfr models restore").IsCivil();
        JsonNode?[] models = Defaults((await Lfr.RunInAsync(null, altered, "models", "list", "--json")).Exits(ExitCode.Environment));
        Assert.Equal(["mobilefacenet-512"], models.Where(m => (string?)m!["state"] != "ready").Select(m => (string?)m!["id"]));
        JsonNode finding = (await Lfr.RunInAsync(null, altered, "doctor", "--json")).Exits(ExitCode.Environment).Json.AsArray().Single(f => (string?)f!["state"] == "missing")!;
        Assert.Equal(("model mobilefacenet-512", "lfr models restore"), ((string?)finding["what"], (string?)finding["fix"]));
    }

    [Fact]
    public async Task Doctor_Json_ReportsThisMachine()
    {
        JsonArray findings = (await Lfr.RunAsync("doctor", "--json")).Exits(ExitCode.Success).Json.AsArray();

        foreach (string what in (string[])["system", "processor", "FFmpeg", "decoders", "GPU", "locked memory", "swap", "npm", "model mobilefacenet-512"])
            Assert.Single(findings, f => (string?)f!["what"] == what);
        Assert.All(findings, f =>
        {
            Assert.Contains((string?)f!["state"], new[] { "ok", "note" });
            Assert.NotEqual("", (string?)f["found"]);
        });
        Assert.Contains("libavformat", (string?)findings.Single(f => (string?)f!["what"] == "FFmpeg")!["found"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_Table_NamesTheSame() =>
        (await Lfr.RunAsync("doctor")).Exits(ExitCode.Success).Says("processor", "FFmpeg", "locked memory", "model ultraface-rfb-320");

    [Theory]
    [InlineData("length", "--embedder", "gives 512 values per face, but its manifest says 128")]
    [InlineData("channels", "--embedder", "has the channels Grey")]
    [InlineData("input", "--embedder", "it has no input \"pixels\"")]
    [InlineData("output", "--embedder", "no-such-output")]
    [InlineData("not-onnx", "--embedder", "cannot be loaded")]
    [InlineData("hash", "--embedder", "has SHA-256")]
    [InlineData("gone", "--embedder", "cannot be read")]
    [InlineData("unknown-family", "--detector", "magic")]
    [InlineData("not-json", "--detector", "is not valid, line 1, column ")]
    [InlineData("field", "--detector", "is not valid")]
    public async Task Run_ManifestThatDoesNotFitItsModel_SaysWhat(string kind, string option, string said)
    {
        string manifest = Misfit(kind);

        Outcome run = (await Lfr.RunAsync(material.Run("--camera", "gate=no-such-clip.mp4", option, manifest))).Exits(ExitCode.Environment);

        run.Says(said).IsCivil();
        Assert.Empty(run.Lines);
    }

    [Theory]
    [InlineData("--embedder", "foo", "Unknown model \"foo\"")]
    [InlineData("--detector", "foo", "Unknown model \"foo\"")]
    [InlineData("--detector", "mobilefacenet-512", "not for Detect")]
    public async Task Run_ModelThatIsNone_IsAWrongArgument(string option, string value, string said) =>
        (await Lfr.RunAsync(material.Run("--camera", "gate=no-such-clip.mp4", option, value))).Exits(ExitCode.Usage).Says(said).IsCivil();

    [Fact]
    public async Task Run_DetectorOfAnotherFamily_SaysSo()
    {
        string manifest = BroughtModel.Write(folder, "misfit", "detect", "yunet", Cached("ultraface-rfb-320"), "rgb", 3, ["scores", "462"]);

        Outcome run = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--detector", manifest))).IsCivil();

        Assert.Contains(run.ExitCode, new[] { ExitCode.Environment, ExitCode.Input });
        run.Says("misfit");
    }

    [Fact]
    public async Task AnyCommand_Unknown_SaysSo()
    {
        (await Lfr.RunAsync("frobnicate")).Exits(ExitCode.Usage).Says("frobnicate", "--help").IsCivil();
        (await Lfr.RunAsync("models", "list", "--bogus")).Exits(ExitCode.Usage).Says("--bogus").IsCivil();
        (await Lfr.RunAsync()).Exits(ExitCode.Usage).IsCivil();
        (await Lfr.RunAsync("--help")).Exits(ExitCode.Success).Says("run", "enrol", "demo", "doctor", "models", "verify", "detect");
    }

    private static JsonNode?[] Defaults(Outcome listed) => [.. listed.Json.AsArray().Where(m => (string?)m!["origin"] == "default")];

    private string Misfit(string kind)
    {
        string detector = Cached("ultraface-rfb-320"), embedder = Cached("mobilefacenet-512");
        string text = folder["text.onnx"];
        File.WriteAllText(text, "This is not a network.");
        string path = kind switch
        {
            "length" => BroughtModel.Write(folder, "misfit", "embed", "embedder", embedder, "bgr", 3, ["output"], 128),
            "channels" => BroughtModel.Write(folder, "misfit", "embed", "embedder", embedder, "grey", 1, ["output"], 512),
            "output" => BroughtModel.Write(folder, "misfit", "embed", "embedder", embedder, "bgr", 3, ["no-such-output"], 512),
            "not-onnx" => BroughtModel.Write(folder, "misfit", "embed", "embedder", text, "bgr", 3, ["output"], 512),
            "input" or "hash" or "gone" or "task" => BroughtModel.Write(folder, "misfit", "embed", "embedder", embedder, "bgr", 3, ["output"], 512),
            "unknown-family" => BroughtModel.Write(folder, "misfit", "detect", "magic", detector, "rgb", 3, ["scores", "462"]),
            _ => BroughtModel.Write(folder, "misfit", "detect", "ultraface", detector, "rgb", 3, ["scores", "462"]),
        };
        string json = File.ReadAllText(path);
        File.WriteAllText(path, kind switch
        {
            "input" => json.Replace("\"name\":\"input\"", "\"name\":\"pixels\"", StringComparison.Ordinal),
            "hash" => json.Replace(PackageCache.HashOf(embedder), new string('0', 64), StringComparison.Ordinal),
            "gone" => json.Replace("fr_feature.onnx", "fr_gone.onnx", StringComparison.Ordinal),
            "not-json" => json[..^5],
            "field" => json.Replace("\"licence\"", "\"license\"", StringComparison.Ordinal),
            _ => json,
        });
        return path;
    }

    private static string Cached(string id)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        return catalog.FileOf(catalog.Manifests().Single(m => m.Id == id));
    }
}
