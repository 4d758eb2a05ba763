using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Detection.Heads;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Models;

/// <summary>Models that a user brings, through a manifest of their own and the engine's whole path.</summary>
public sealed class BroughtModelTests
{
    [Theory]
    [InlineData("yunet_n_dynamic.onnx")]
    [InlineData("yunet_s_640_640.onnx")]
    [InlineData("scrfd_500m_bnkps.onnx")]
    [InlineData("retinaface_mbnet0.25.onnx")]
    public void Detector_Brought_FindsThePortraits(string file)
    {
        string path = RepoRoot.SharedData("models/" + file);
        using var folder = new TemporaryDirectory();
        string manifest = file[..4] switch
        {
            "yune" => ManifestWriter.Write(folder, "mine", "detect", "yunet", path, "bgr", [0, 0, 0], 1, [.. new YuNetHead().OutputNames]),
            "scrf" => ManifestWriter.Write(folder, "mine", "detect", "scrfd", path, "rgb", [127.5f, 127.5f, 127.5f], 1 / 128f, [.. new ScrfdHead().OutputNames], input: "input.1"),
            _ => ManifestWriter.Write(folder, "mine", "detect", "retinaface", path, "bgr", [104, 117, 123], 1, ["loc", "conf", "iou"]),
        };
        ModelManifest read = TestModels.Catalog.Find(manifest, ModelTask.Detect);
        using OnnxModel model = OnnxModel.Load(TestModels.Catalog, read);
        using var detector = new FaceDetector(model, StillAnalyzer.StillSettings with { MinimumScore = 0.5f });
        using var faces = new CandidateList(128);
        int found = 0;
        string[] portraits = LfwFaces.Portraits(20);
        foreach (string portrait in portraits)
        {
            using MediaFrame frame = LfwFaces.Decode(portrait);
            detector.Detect(FrameLease.ViewOf(frame), faces);
            // Deep-funneled portraits: the eyes lie near (102, 113) and (148, 113).
            foreach (FaceCandidate face in faces.Items)
            {
                Landmarks5 p = face.Landmarks;
                if (face.HasLandmarks && Math.Abs(p.LeftEye.X - 104) < 16 && Math.Abs(p.RightEye.X - 146) < 16 && Math.Abs(p.LeftEye.Y - 113) < 16 && p.Nose.Y < p.LeftMouth.Y)
                {
                    found++;
                    break;
                }
            }
        }
        Assert.True(found >= 18, $"{found} of {portraits.Length}.");
        double difference = OnnxModel.CompareWithOriginal(TestModels.Catalog, read);
        Assert.True(difference <= 1e-5, $"{difference:e2}");
    }

    [Fact]
    public void Embedder_Added_DistinguishesPeople()
    {
        using var folder = new TemporaryDirectory();
        string manifest = ManifestWriter.Write(folder, "mine", "embed", "embedder", RepoRoot.SharedData("models/mobilefacenet_128.onnx"),
            "rgb", [127.5f, 127.5f, 127.5f], 1 / 127.5f, ["output"], embeddingLength: 128);
        using OnnxModel model = OnnxModel.Load(TestModels.Catalog, TestModels.Catalog.Find(manifest, ModelTask.Embed));
        using var embedder = new Embedder(model);
        Assert.Equal(128, embedder.Length);
        using var faces = new LfwFaces();
        // Twenty people with two images each.
        string[][] people = [.. Directory.EnumerateDirectories(RepoRoot.SharedData("lfw/images")).Order(StringComparer.Ordinal)
            .Select(p => Directory.EnumerateFiles(p).Order(StringComparer.Ordinal).Take(2).ToArray()).Where(f => f.Length == 2).Take(20)];
        List<(float[] First, float[] Second)> pairs = [];
        foreach (string[] files in people)
        {
            float[]? first = Embed(faces, embedder, files[0]), second = Embed(faces, embedder, files[1]);
            if (first is not null && second is not null)
                pairs.Add((first, second));
        }
        Assert.True(pairs.Count >= 18);
        double mated = pairs.Average(p => TensorPrimitives.Dot<float>(p.First, p.Second));
        double[] others = [.. Enumerable.Range(0, pairs.Count).Select(i => (double)TensorPrimitives.Dot<float>(pairs[i].First, pairs[(i + 1) % pairs.Count].Second))];
        TestContext.Current.TestOutputHelper?.WriteLine($"mated mean {mated:f3}, others mean {others.Average():f3}");
        Assert.True(mated > others.Average() + 0.25, $"mated {mated:f3}, others {others.Average():f3}");
        Assert.True(mated > others.Order().ElementAt((int)(0.9 * others.Length)));
    }

    private static unsafe float[]? Embed(LfwFaces faces, Embedder embedder, string path)
    {
        using MediaFrame frame = LfwFaces.Decode(path);
        FrameView view = FrameLease.ViewOf(frame);
        if (!faces.TryDetect(view, out FaceCandidate face) || !AlignmentTransform.TryEstimate(faces.Finder.Find(view, face.Box).Points, out AlignmentTransform transform))
            return null;
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(view, transform, embedder.Input, crop.Pointer);
        var embedding = new float[embedder.Length];
        Span<float> norm = stackalloc float[1];
        embedder.Embed([crop], embedding, norm);
        Assert.Equal(1, TensorPrimitives.Norm<float>(embedding), 1e-5f);
        return embedding;
    }
}
