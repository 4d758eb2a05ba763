using ComputeSharp;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.DirectX.Search;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Frames;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Tests;

/// <summary>What comes back from the device. The processor runs the networks on the stand-in's memory, as DirectML does on a GPU's; everything around them is the engine's.</summary>
public sealed class ReadBackTests
{
    private readonly ModelCatalog catalog = OnnxHalfTests.Catalog();

    /// <summary>Three people in a photo: four kilobytes, and the faces that the processor finds.</summary>
    [Fact]
    public void SearchedFrame_WithoutAHit_BringsBackAtMostFourKilobytes()
    {
        using ISourceReader reader = SoftwareDecoder.Default.Open(catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), SourceOptions.Default, isLive: false, null, TestContext.Current.CancellationToken);
        using var photo = new FrameLease();
        Assert.Equal(DecodeResult.Frame, reader.Read(photo));
        (long bytes, long submissions, int faces) = Detect(photo.View, new DetectorSettings());
        Assert.InRange(faces, 2, 10);
        Assert.InRange(bytes, 1, 4096);
        // Two passes: each cuts, runs, picks, reads and clears; the run is a list of the network's own.
        Assert.InRange(submissions, 1, 8);
    }

    /// <summary>A network that sees faces everywhere: more comes back, and nothing is left out.</summary>
    [Theory]
    [InlineData(0.02f)]
    [InlineData(0.0001f)]
    [InlineData(0f)]
    public void SearchedFrame_ManyAnchors_AreAllThere(float candidateScore)
    {
        TestFrame noise = ShaderParityTests.Noise(PixelFormat.Nv12, 320, 192);
        Assert.NotEqual(0, Detect(noise.View, new DetectorSettings { GridLongSide = 320, CandidateScore = candidateScore, MinimumScore = candidateScore }).Faces);
    }

    /// <summary>The picture of a face that nobody is alerted to never leaves the device; the one that is looked at comes once, and is the same.</summary>
    [Fact]
    public void Picture_NotSeen_StaysOnTheDeviceAndIsClearedThere()
    {
        const int Side = 48;
        using var device = new Device();
        TestFrame host = ShaderParityTests.Noise(PixelFormat.Nv12, 64, 48);
        var region = new FaceBox(3, 5, 40, 44);
        using var scratch = new PaintScratch(Side, Side);
        using var expected = new Picture(Side, Side);
        using var unseen = new Picture(Side, Side);
        using var seen = new Picture(Side, Side);
        using (GpuFrame frame = device.Upload(host.View, out FrameView view))
        {
            expected.Paint(view, region, 0, Side);
            unseen.PaintWhenSeen(view, region, scratch);
            seen.PaintWhenSeen(view, region, scratch);
        }
        long before = device.Context.Use(gpu => gpu.BytesRead);
        (long wiped, long bytes) = (Memory.DeviceMemory.WipedBuffers, Memory.DeviceMemory.WipedBytes);
        unseen.Wipe();
        Assert.Equal((0, 1, 3L * Side * Side * sizeof(float)), (device.Context.Use(gpu => gpu.BytesRead) - before, Memory.DeviceMemory.WipedBuffers - wiped, Memory.DeviceMemory.WipedBytes - bytes));

        using Picture copy = seen.Copy();

        Assert.Equal(3L * Side * Side * sizeof(float), device.Context.Use(gpu => gpu.BytesRead) - before);
        unsafe
        {
            Assert.True(new ReadOnlySpan<byte>(expected.View.Y, 3 * Side * Side).SequenceEqual(new ReadOnlySpan<byte>(copy.View.Y, 3 * Side * Side)));
            Assert.True(new ReadOnlySpan<byte>(expected.View.Y, 3 * Side * Side).SequenceEqual(new ReadOnlySpan<byte>(seen.View.Y, 3 * Side * Side)));
            Assert.Equal(-1, new ReadOnlySpan<byte>(unseen.View.Y, 3 * Side * Side).IndexOfAnyExcept((byte)0));
        }
        Assert.Equal(3L * Side * Side * sizeof(float), device.Context.Use(gpu => gpu.BytesRead) - before);
    }

    [Fact]
    public void Search_NobodyOnTheList_BringsBackTheNumberOfHits()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 40, 150, 512);
        long before = device.Context.Use(gpu => gpu.BytesRead);
        Assert.Equal(0, GpuSearchTests.AssertSame(search, gallery, GpuSearchTests.Probes(gallery, 8, 3), CategoryThresholds.Uniform(1), 3));
        Assert.InRange(device.Context.Use(gpu => gpu.BytesRead) - before, 4, 256);
    }

    private (long Bytes, long Submissions, int Faces) Detect(in FrameView host, DetectorSettings settings)
    {
        // In whole floats: 8-bit integers are the processor's own short cut.
        ModelManifest manifest = catalog.Find(EngineModels.DefaultDetector, ModelTask.Detect) with { Int8 = null };
        using var device = new Device();
        using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest);
        using OnnxModel onDevice = OnnxModel.Load(catalog, manifest, new OnTheStandIn(device.Context));
        using var reference = new FaceDetector(onProcessor, settings);
        using var detector = new FaceDetector(onDevice, settings);
        using var expected = new CandidateList(4096);
        using var actual = new CandidateList(4096);
        using GpuFrame frame = device.Upload(host, out FrameView view);
        reference.Detect(host, expected);
        (long bytes, long submissions) = device.Context.Use(gpu => (gpu.BytesRead, gpu.Submissions));
        detector.Detect(view, actual);
        (long bytesAfter, long submissionsAfter) = device.Context.Use(gpu => (gpu.BytesRead, gpu.Submissions));
        // The letterbox differs by rounding, and with it a score that lies at the minimum.
        Assert.InRange(actual.Count, expected.Count * 98 / 100, (expected.Count * 102 / 100) + 1);
        for (int i = 0; i < Math.Min(3, expected.Count); i++)
            Assert.Equal(expected.Items[i].Score, actual.Items[i].Score, 0.005f);
        TestContext.Current.TestOutputHelper?.WriteLine($"{actual.Count} faces, {bytesAfter - bytes} bytes read back, {submissionsAfter - submissions} submissions");
        return (bytesAfter - bytes, submissionsAfter - submissions, actual.Count);
    }

    private sealed class OnTheStandIn(GpuContext context) : IInferenceBackend
    {
        public IInferenceNetwork Load(byte[] graph, ModelManifest manifest) => new Network(context, CpuBackend.Default.Load(graph, manifest));
    }

    private sealed class Network(GpuContext context, IInferenceNetwork onProcessor) : IInferenceNetwork
    {
        public InferenceSession Session => onProcessor.Session;

        public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width) =>
            new Plan(context, manifest, onProcessor.Session, onProcessor.CreatePlan(manifest, batch, height, width), batch, height, width);

        public void Dispose() => onProcessor.Dispose();
    }

    private sealed class Plan(GpuContext context, ModelManifest manifest, InferenceSession session, InferencePlan onProcessor, int batch, int height, int width)
        : GpuPlan(context, manifest, session, batch, height, width)
    {
        protected override void RunOn(GpuDevice gpu)
        {
            ReadWriteBuffer<float> input = DeviceInput.On(gpu);
            for (int i = 0; i < input.Length; i++)
                onProcessor.Input.Span[i] = input[i];
            onProcessor.Run();
            for (int o = 0; o < DeviceOutputs.Count; o++)
            {
                ReadWriteBuffer<float> output = DeviceOutputs[o].On(gpu);
                for (int i = 0; i < output.Length; i++)
                    output[i] = onProcessor.Outputs[o].Span[i];
            }
            onProcessor.Wipe();
        }

        protected override void Dispose(bool disposing)
        {
            onProcessor.Dispose();
            base.Dispose(disposing);
        }
    }
}
