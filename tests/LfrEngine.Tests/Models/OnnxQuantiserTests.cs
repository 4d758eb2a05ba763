using Google.Protobuf;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Models.Onnx;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Models;

public sealed class OnnxQuantiserTests
{
    private static ModelManifest Manifest => TestModels.Catalog.Find("ultraface-rfb-320", ModelTask.Detect);

    /// <summary>On pictures that the ranges were not taken from, the detector in 8 bits finds the faces that it finds in float32, but for those near its threshold.</summary>
    [Fact]
    public void Load_DetectorInEightBits_FindsTheSameFaces()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        Assert.SkipUnless(OnnxQuantiser.PaysHere, "This processor has no AVX-512 VNNI: the detector stays in float32.");
        using OnnxModel exact = OnnxModel.Load(TestModels.Catalog, Manifest with { Int8 = null });
        using var inFloat = new FaceDetector(exact, StillAnalyzer.StillSettings);
        using var inBytes = new FaceDetector(TestModels.Detector, StillAnalyzer.StillSettings);
        using CandidateList expected = new(512), actual = new(512);
        int faces = 0, again = 0, more = 0;
        double overlap = 0, largest = 0;
        foreach (string path in Directory.EnumerateFiles(RepoRoot.SharedData("masks/images")).Order(StringComparer.Ordinal).Take(60))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            inFloat.Detect(view, expected);
            inBytes.Detect(view, actual);
            more += actual.Count;
            foreach (FaceCandidate face in expected.Items)
            {
                faces++;
                FaceCandidate nearest = default;
                foreach (FaceCandidate candidate in actual.Items)
                {
                    if (candidate.Box.IoU(face.Box) > nearest.Box.IoU(face.Box))
                        nearest = candidate;
                }
                if (nearest.Box.IoU(face.Box) < 0.5f)
                    continue;
                again++;
                overlap += nearest.Box.IoU(face.Box);
                largest = Math.Max(largest, Math.Abs(nearest.Score - face.Score));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{again} of {faces} faces again, {more} in all, mean overlap {overlap / again:f3}, scores within {largest:f3}");
        Assert.True(faces > 200, $"Only {faces} faces.");
        Assert.True(again >= 0.97 * faces && more <= 1.03 * faces, $"{again} of {faces} faces again, {more} in all.");
        Assert.True(overlap / again >= 0.95, $"Mean overlap {overlap / again:f3}.");
        // It did run on integers.
        Assert.True(largest > 0);
    }

    [Fact]
    public void Apply_Detector_LeavesNoPartOfItBetweenTheBordersInFloat()
    {
        byte[] file = File.ReadAllBytes(RepoRoot.RestoredModel("fr_detect.onnx"));
        byte[] edited = OnnxGraph.MakeDynamic(file, ["scores", "462"], freeSize: true, ranges: Manifest.Int8!.Ranges);
        ModelProto model = ModelProto.Parser.ParseFrom(edited);
        Assert.Equal(9, model.Graph.Node.Count(n => n.OpType == "Conv"));
        Assert.Equal(43, model.Graph.Node.Count(n => n.OpType == "QLinearConv"));
        Assert.Equal(1, model.Graph.Node.Count(n => n.OpType == "QuantizeLinear"));
        Assert.Equal(8, model.Graph.Node.Count(n => n.OpType == "DequantizeLinear"));
    }

    [Theory]
    [InlineData("{\"x\":[1]}")]
    [InlineData("{\"x\":[2,1]}")]
    [InlineData("{\"x\":[]}")]
    public void Read_InvalidRange_NamesTheTensor(string ranges)
    {
        using var folder = new TemporaryDirectory();
        string manifest = ManifestWriter.Write(folder, "mine", "detect", "yunet", "mine.onnx", "bgr", [0, 0, 0], 1, ["y"], change: m =>
            m["int8"] = System.Text.Json.Nodes.JsonNode.Parse($"{{\"evidence\":\"none\",\"ranges\":{ranges}}}"));
        Assert.Contains("\"x\"", Assert.Throws<ModelLoadException>(() => ModelManifest.Read(manifest)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_OperatorSetWithoutEightBits_SaysSo()
    {
        byte[] file = new ModelProto
        {
            IrVersion = 3,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 8 } },
            Graph = new GraphProto { Name = "g", Node = { new NodeProto { OpType = "Relu", Input = { "x" }, Output = { "y" } } } },
        }.ToByteArray();
        var e = Assert.Throws<InvalidDataException>(() => OnnxGraph.MakeDynamic(file, ["y"], freeSize: false, ranges: new Dictionary<string, float[]>()));
        Assert.Contains("version 8", e.Message, StringComparison.Ordinal);
        Assert.Contains("\"int8\"", e.Message, StringComparison.Ordinal);
    }
}
