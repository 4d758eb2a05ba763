using System.Text.Json.Nodes;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Models;

/// <summary>Every way in which a manifest or a file can be wrong ends in one exception that names the model and says what to do.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class ModelLoadTests : IDisposable
{
    private readonly TemporaryDirectory folder = new();
    // Loaded before the count; it stays for other tests.
    private readonly OnnxModel landmarks = TestModels.Landmarks;
    private readonly long rentedBefore = BufferPool.OutstandingBlocks;

    public void Dispose()
    {
        folder.Dispose();
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Load_FileMissing_SaysWhereItBelongs()
    {
        string path = Embedder(file: folder["absent.onnx"]);
        ModelLoadException e = LoadFails(path, ModelTask.Embed);
        AssertNames(e, "mine", "absent.onnx", "Put the file there");
    }

    [Fact]
    public void Load_PackageFileMissing_SaysRestore()
    {
        RepoRoot.RestoredModel("fr_feature.onnx");
        var empty = new ModelCatalog(TestModels.Catalog.Folder, new PackageCache(folder["empty"]));
        var e = Assert.Throws<ModelLoadException>(() => OnnxModel.Load(empty, empty.Find("mobilefacenet-512", ModelTask.Embed)).Dispose());
        AssertNames(e, "mobilefacenet-512", "lfr models restore");
    }

    [Fact]
    public void Load_FromMemory_NeedsNoFolder()
    {
        byte[] weights = File.ReadAllBytes(TestModels.RestoredFile("mobilefacenet-512")), manifest = File.ReadAllBytes(Path.Combine(RepoRoot.Path, "models", "mobilefacenet-512.json"));
        ModelCatalog given = ModelCatalog.FromMemory([weights, manifest]);
        ModelManifest found = given.Find("mobilefacenet-512", ModelTask.Embed);
        using (OnnxModel model = OnnxModel.Load(given, found))
            Assert.Equal(TestModels.Manifest("mobilefacenet-512").Sha256, model.Manifest.Sha256);
        var missing = Assert.Throws<ModelLoadException>(() => OnnxModel.Load(ModelCatalog.FromMemory([manifest]), found).Dispose());
        AssertNames(missing, "mobilefacenet-512", found.Sha256, "not among the files");
        weights[weights.Length / 2] ^= 1;
        Assert.Throws<ModelLoadException>(() => OnnxModel.Load(ModelCatalog.FromMemory([manifest, weights]), found).Dispose());
        Assert.Throws<ModelLoadException>(() => ModelCatalog.FromMemory(["{ }"u8.ToArray()]));
    }

    [Fact]
    public void Load_WrongHash_NamesBoth()
    {
        string file = RepoRoot.RestoredModel("fr_feature.onnx");
        string path = Embedder(file, m => m["sha256"] = new string('b', 64));
        AssertNames(LoadFails(path, ModelTask.Embed), "mine", new string('b', 64), PackageCache.HashOf(file));
    }

    [Theory]
    [InlineData("this is no network")]
    [InlineData("")]
    public void Load_NotOnnx_SaysSo(string content)
    {
        File.WriteAllText(folder["text.onnx"], content);
        AssertNames(LoadFails(Embedder(folder["text.onnx"]), ModelTask.Embed), "mine", "neither an ONNX nor a TensorFlow Lite file");
    }

    [Fact]
    public void Load_TruncatedFile_SaysSo()
    {
        byte[] whole = File.ReadAllBytes(RepoRoot.RestoredModel("fr_feature.onnx"));
        File.WriteAllBytes(folder["cut.onnx"], whole[..(whole.Length / 2)]);
        AssertNames(LoadFails(Embedder(folder["cut.onnx"]), ModelTask.Embed), "mine", "neither an ONNX nor a TensorFlow Lite file");
    }

    [Fact]
    public void Load_WrongInputName_ListsTheInputs()
    {
        string path = Embedder(RepoRoot.RestoredModel("fr_feature.onnx"), m => m["input"]!["name"] = "data");
        AssertNames(LoadFails(path, ModelTask.Embed), "mine", "\"data\"", "input");
    }

    [Fact]
    public void Load_UnknownOutput_NamesIt()
    {
        string path = Embedder(RepoRoot.RestoredModel("fr_feature.onnx"), m => m["outputs"] = new JsonArray("fc1"));
        AssertNames(LoadFails(path, ModelTask.Embed), "mine", "\"fc1\"");
    }

    [Fact]
    public void Load_WrongChannelCount_NamesTheShape()
    {
        string path = ManifestWriter.Write(folder, "mine", "landmarks", "landmarks68", RepoRoot.RestoredModel("fr_feature.onnx"), "grey", [0], 1, ["output"]);
        AssertNames(LoadFails(path, ModelTask.Landmarks), "mine", "expected [batch, 1, height, width]");
    }

    [Fact]
    public void CompareWithOriginal_UnknownInputOrOutput_ThrowsTheSameException()
    {
        string file = RepoRoot.RestoredModel("fr_feature.onnx");
        var catalog = TestModels.Catalog;
        ModelManifest wrongInput = ModelManifest.Read(Embedder(file, m => m["input"]!["name"] = "data"));
        AssertNames(Assert.Throws<ModelLoadException>(() => OnnxModel.CompareWithOriginal(catalog, wrongInput)), "mine", "\"data\"");
        ModelManifest wrongOutput = ModelManifest.Read(Embedder(file, m => m["outputs"] = new JsonArray("fc1")));
        AssertNames(Assert.Throws<ModelLoadException>(() => OnnxModel.CompareWithOriginal(catalog, wrongOutput)), "mine", "\"fc1\"");
    }

    [Fact]
    public void Detector_UnknownFamily_ListsTheKnown()
    {
        string path = ManifestWriter.Write(folder, "mine", "detect", "yolo", RepoRoot.RestoredModel("fr_detect.onnx"), "rgb", [127, 127, 127], 1 / 128f, ["scores", "462"]);
        using OnnxModel model = Load(path, ModelTask.Detect);
        AssertNames(Assert.Throws<ModelLoadException>(() => new FaceDetector(model, new DetectorSettings()).Dispose()), "mine", "yolo", "ultraface");
    }

    /// <summary>The network runs, but its outputs are not what the family reads.</summary>
    [Fact]
    public void Detector_OutputsOfAnotherFamily_SaysWhatDoesNotFit()
    {
        string path = ManifestWriter.Write(folder, "mine", "detect", "ultraface", RepoRoot.RestoredModel("fr_detect.onnx"), "rgb", [127, 127, 127], 1 / 128f, ["462", "scores"]);
        using OnnxModel model = Load(path, ModelTask.Detect);
        using var detector = new FaceDetector(model, new DetectorSettings());
        using var faces = new CandidateList(16);
        var frame = new TestFrame(Native.Media.PixelFormat.Grey, 64, 64);
        AssertNames(Assert.Throws<ModelLoadException>(() => detector.Detect(frame.View, faces)), "mine", "462", "\"outputs\"");
    }

    [Fact]
    public void Embedder_UnknownFamily_SaysSo()
    {
        using OnnxModel model = Load(Embedder(RepoRoot.RestoredModel("fr_feature.onnx"), m => m["family"] = "landmarks68"), ModelTask.Embed);
        AssertNames(Assert.Throws<ModelLoadException>(() => new Embedder(model).Dispose()), "mine", "landmarks68");
    }

    [Fact]
    public void Embedder_WrongLength_NamesBoth()
    {
        using OnnxModel model = Load(Embedder(RepoRoot.RestoredModel("fr_feature.onnx"), m => m["embeddingLength"] = 128), ModelTask.Embed);
        AssertNames(Assert.Throws<ModelLoadException>(() => new Embedder(model).Dispose()), "mine", "512", "128");
    }

    [Fact]
    public void Embedder_GivenADetector_IsRefused()
    {
        var e = Assert.Throws<UnknownModelException>(() => TestModels.Catalog.Find("ultraface-rfb-320", ModelTask.Embed));
        AssertNames(e, "ultraface-rfb-320", "Detect", "Embed");

        string path = ManifestWriter.Write(folder, "mine", "embed", "embedder", RepoRoot.RestoredModel("fr_detect.onnx"), "rgb", [127, 127, 127], 1 / 128f, ["462"], embeddingLength: 512);
        using OnnxModel model = Load(path, ModelTask.Embed);
        AssertNames(Assert.Throws<ModelLoadException>(() => new Embedder(model).Dispose()), "mine");
    }

    /// <summary>The kernels write three planes for a detector or an embedder: a manifest that promises one would let them write past the tensor.</summary>
    [Theory]
    [InlineData("detect", "yunet")]
    [InlineData("embed", "embedder")]
    public void Manifest_GreyWhereColourIsNeeded_IsRefused(string task, string family)
    {
        string path = ManifestWriter.Write(folder, "mine", task, family, "any.onnx", "grey", [0], 1, ["output"], embeddingLength: 128);
        AssertNames(Assert.Throws<ModelLoadException>(() => ModelManifest.Read(path)), "mine");
    }

    public static TheoryData<string, string> SpoiltManifests { get; } = new()
    {
        { "{ \"id\": \"mine\", ", "not valid" },
        { "", "not valid" },
        { "[]", "not valid" },
        { "null", "empty" },
        { "{}", "not valid" },
        { "{ \"id\": 5 }", "not valid" },
    };

    [Theory]
    [MemberData(nameof(SpoiltManifests))]
    public void Manifest_NotItsSchema_PointsToIt(string content, string expected)
    {
        File.WriteAllText(folder["mine.json"], content);
        AssertNames(Assert.Throws<ModelLoadException>(() => ModelManifest.Read(folder["mine.json"])), "mine.json", expected);
    }

    [Fact]
    public void Manifest_WrongContents_NamesWhat()
    {
        string file = folder["any.onnx"];
        var cases = new (Action<JsonObject> Change, string Expected)[]
        {
            (m => m.Remove("licence"), "missing: \"licence\""),
            (m => m.Remove("sha256"), "sha256"),
            (m => m["task"] = "recognise", "not valid"),
            (m => m["colour"] = "blue", "\"colour\" is not known here"),
            (m => m["outputs"] = null, "not valid"),
            (m => m["outputs"] = new JsonArray(), "no outputs"),
            (m => m["sha256"] = "abc", "SHA-256"),
            (m => m["embeddingLength"] = 0, "embeddingLength"),
            (m => m["input"]!["mean"] = new JsonArray(1, 2), "\"mean\" of length 2"),
            (m => m["input"]!["scale"] = new JsonArray(1), "\"scale\" of length 1"),
            (m => m["input"]!["channels"] = "cmyk", "not valid"),
            (m => m["source"] = new JsonObject { ["npm"] = "a", ["version"] = "1.0.0", ["path"] = "b", ["bytes"] = new JsonArray(5, 2) }, "bytes"),
            (m => m["source"] = new JsonObject { ["file"] = "b", ["bytes"] = new JsonArray(0, 2) }, "bytes"),
        };
        foreach ((Action<JsonObject> change, string expected) in cases)
            AssertNames(Assert.Throws<ModelLoadException>(() => ModelManifest.Read(Embedder(file, change))), "mine.json", expected);
    }

    [Fact]
    public void Manifest_Absent_SaysWhichPath() =>
        AssertNames(Assert.Throws<ModelLoadException>(() => TestModels.Catalog.Find(folder["absent.json"], ModelTask.Detect)), "absent.json");

    [Fact]
    public void Catalog_UnknownId_ListsWhatThereIs()
    {
        var e = Assert.Throws<UnknownModelException>(() => TestModels.Catalog.Find("arcface", ModelTask.Embed));
        AssertNames(e, "arcface", "mobilefacenet-512", ".json");
        Assert.DoesNotContain("ultraface", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Catalog_NoSource_SaysWhatIsNeeded()
    {
        ModelManifest manifest = ModelManifest.Read(Embedder(folder["any.onnx"], m => m["source"] = new JsonObject()));
        AssertNames(Assert.Throws<ModelLoadException>(() => TestModels.Catalog.FileOf(manifest)), "mine", "\"file\"", "\"npm\"");
    }

    [Fact]
    public void Plan_SizeTheNetworkCannotTake_SaysWhich()
    {
        AssertNames(Assert.Throws<ModelLoadException>(() => landmarks.CreatePlan(1, 32, 32).Dispose()), "landmarks-68", "32, 32");
    }

    private static void AssertNames(ModelLoadException e, params string[] parts) =>
        Assert.All(parts, part => Assert.Contains(part, e.Message, StringComparison.Ordinal));

    private static OnnxModel Load(string manifest, ModelTask task) => OnnxModel.Load(TestModels.Catalog, TestModels.Catalog.Find(manifest, task));

    private static ModelLoadException LoadFails(string manifest, ModelTask task) => Assert.Throws<ModelLoadException>(() => Load(manifest, task).Dispose());

    private string Embedder(string file, Action<JsonObject>? change = null) =>
        ManifestWriter.Write(folder, "mine", "embed", "embedder", file, "bgr", [127.5f, 127.5f, 127.5f], 1 / 128f, ["output"], embeddingLength: 512, change: change);
}
