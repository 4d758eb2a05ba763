using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.DirectX.Search;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;
using LfrEngine.Tests.Frames;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Tests;

/// <summary>What comes back from the device. The processor runs the networks on the stand-in's memory, as DirectML does on a GPU's; everything around them is the engine's.</summary>
[Trait("Speed", "slow")]
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

    /// <summary>Three people are found, looked at, judged, embedded and compared as on the processor, and nobody is on the list: everything that comes back of a frame is four kilobytes.</summary>
    [Fact]
    public void Frame_FacesLookedAtAndCompared_BringsBackAtMostFourKilobytes()
    {
        using ISourceReader reader = SoftwareDecoder.Default.Open(catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), SourceOptions.Default, isLive: false, null, TestContext.Current.CancellationToken);
        using var photo = new FrameLease();
        Assert.Equal(DecodeResult.Frame, reader.Read(photo));
        FrameView host = photo.View;
        using var device = new Device();
        using EngineModels onProcessor = EngineModels.Load(catalog), onDevice = EngineModels.Load(catalog, backend: new OnTheStandIn(device.Context));
        using var detector = new FaceDetector(onDevice.Detector, new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore });
        FaceTracker expectedTracker = new(onProcessor.Tracking(new TrackerSettings())), tracker = new(onDevice.Tracking(new TrackerSettings()));
        using var expectedSelector = new BestShotSelector(new BestShotPolicy(), onProcessor, expectedTracker.SlotCount);
        using var selector = new BestShotSelector(new BestShotPolicy(), onDevice, tracker.SlotCount);
        using Embedder expectedEmbedder = new(onProcessor.Embedder), embedder = new(onDevice.Embedder);
        using Probes expectedProbes = new(8, embedder.Length), probes = new(8, embedder.Length);
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 40, 150, embedder.Length);
        using var faces = new CandidateList(64);
        List<FaceShot> expectedShots = [], shots = [];
        var counts = new int[8];
        (long Bytes, long Submissions, int Shots) most = default;
        for (int at = 0; at < 3; at++)
        {
            (long bytes, long submissions) = device.Context.Use(gpu => (gpu.BytesRead, gpu.Submissions));
            using (GpuFrame frame = device.Upload(host, out FrameView view))
            {
                detector.Detect(view, faces);
                tracker.Update(faces.Items, at * 120_000, host.Width, host.Height);
                selector.Select(view, 0, tracker, faces.Items, shots);
                embedder.Embed(shots.ConvertAll(s => s.Face).ToArray(), probes);
                ((IGallerySearch)search).SearchBatch(gallery, probes, CategoryThresholds.Uniform(1), 3, new Candidate[24], counts.AsSpan(0, shots.Count), new FaceCover[shots.Count]);
            }
            (long Bytes, long Submissions, int Shots) now = device.Context.Use(gpu => (gpu.BytesRead - bytes, gpu.Submissions - submissions, shots.Count));
            most = now.Bytes > most.Bytes ? now : most;
            expectedTracker.Update(faces.Items, at * 120_000, host.Width, host.Height);
            expectedSelector.Select(host, 0, expectedTracker, faces.Items, expectedShots);
            expectedEmbedder.Embed(expectedShots.ConvertAll(s => s.Face).ToArray(), expectedProbes);
            Assert.Equal(expectedShots.Count, shots.Count);
            for (int i = 0; i < shots.Count; i++)
            {
                Assert.NotNull(shots[i].Face.Slot);
                Assert.Equal(expectedShots[i].Cover.Parts, shots[i].Cover.Parts);
                Assert.Equal(expectedShots[i].Quality.Score, shots[i].Quality.Score, 1e-3f);
                Assert.Equal(expectedShots[i].Quality.Plausibility, shots[i].Quality.Plausibility, 0.02f);
                int row = i * embedder.Length, end = row + embedder.Length;
                Assert.InRange(System.Numerics.Tensors.TensorPrimitives.Dot(expectedProbes.Rows[row..end], probes.Rows[row..end]), 0.9995f, 1.0001f);
            }
            shots.ForEach(shot => shot.Dispose());
            expectedShots.ForEach(shot => shot.Dispose());
            shots.Clear();
            expectedShots.Clear();
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{most.Shots} faces compared, {most.Bytes} bytes read back, {most.Submissions} submissions");
        Assert.InRange(most.Shots, 2, 8);
        Assert.InRange(most.Bytes, 1, 4096);

        // A covered face is aligned again with the points of the mesh, of which five come back.
        using FaceMesh expectedMesh = new(onProcessor.Mesh), mesh = new(onDevice.Mesh);
        using Memory.HostBuffer<PointF> scratch = Memory.BufferPool.Rent<PointF>(FaceMesh.PointCount);
        using GpuFrame again = device.Upload(host, out FrameView whole);
        FaceBox box = tracker.Live[0].DetectedBox;
        float expectedPresence = expectedMesh.Find(host, box, scratch.Span, out Landmarks5 expectedFive, twice: true);
        long before = device.Context.Use(gpu => gpu.BytesRead);
        float presence = mesh.Find(whole, box, scratch.Span, out Landmarks5 five, twice: true);
        Assert.Equal(2 * 72, device.Context.Use(gpu => gpu.BytesRead) - before);
        Assert.Equal(expectedPresence, presence, 0.05f);
        foreach ((PointF a, PointF b) in new[] { (expectedFive.LeftEye, five.LeftEye), (expectedFive.RightEye, five.RightEye), (expectedFive.Nose, five.Nose), (expectedFive.LeftMouth, five.LeftMouth), (expectedFive.RightMouth, five.RightMouth) })
            Assert.InRange(Math.Abs(a.X - b.X) + Math.Abs(a.Y - b.Y), 0, 0.05f);
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

    /// <summary>The number of hits and the first of them; and of probes that the embedder left on the device those with a hit.</summary>
    [Theory]
    [InlineData(1f, 0)]
    [InlineData(0.7f, 4)]
    public void Search_ProbesOnTheDevice_BringsBackThoseWithAHit(float threshold, int hits)
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 40, 40, 512);
        using var probes = new Probes(8, 512);
        var memory = new GpuProbes(device.Context, 8, 512);
        probes.Begin(8);
        (probes.Device, probes.IsOnDevice) = (memory, true);
        device.Context.Use(gpu => memory.Upload(gpu, GpuSearchTests.Probes(gallery, 8, 3)));
        var counts = new int[8];
        long before = device.Context.Use(gpu => gpu.BytesRead);
        ((IGallerySearch)search).SearchBatch(gallery, probes, CategoryThresholds.Uniform(threshold), 3, new Candidate[24], counts, []);
        Assert.Equal((hits, 60 + (hits * 2048L)), (counts.Count(c => c > 0), device.Context.Use(gpu => gpu.BytesRead) - before));
    }

    /// <summary>Faces are embedded where they lie, beside one from host memory, and nothing of them comes back but their embeddings' lengths; when the device is lost first, nobody is found in them.</summary>
    [Fact]
    public void Embed_FacesOnTheDevice_IsTheProcessors()
    {
        ModelManifest manifest = catalog.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        using var device = new Device();
        using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest);
        using OnnxModel onDevice = OnnxModel.Load(catalog, manifest, new OnTheStandIn(device.Context));
        using var reference = new Embedder(onProcessor);
        using var embedder = new Embedder(onDevice);
        using var expected = new Probes(3, reference.Length);
        using var actual = new Probes(3, reference.Length);
        using var memory = new HostFaces(3);
        TestFrame host = ShaderParityTests.Noise(PixelFormat.Nv12, 320, 192);
        using GpuFrame frame = device.Upload(host.View, out FrameView view);
        AlignedFace[] faces = [memory.Face(0, staysOnDevice: true), memory.Face(1, staysOnDevice: false), memory.Face(2, staysOnDevice: true)], mirror = [memory.Mirror(0), memory.Mirror(1), memory.Mirror(2)];
        for (int i = 0; i < 3; i++)
        {
            var transform = new AlignmentTransform(0.9f + (0.3f * i), 0.1f * i, -40, -20 * i);
            faces[i].Align(i == 1 ? host.View : view, transform, embedder.Input);
            mirror[i].Align(host.View, transform, embedder.Input);
        }
        faces[2].BlankBrow(embedder.Input);
        mirror[2].BlankBrow(embedder.Input);
        reference.Embed(mirror, expected);
        long before = device.Context.Use(gpu => gpu.BytesRead);
        embedder.Embed(faces, actual);
        Assert.Equal((3 * sizeof(float), true), (device.Context.Use(gpu => gpu.BytesRead) - before, actual.IsOnDevice));
        Assert.True(Device.Largest("norms", expected.Norms, actual.Norms) < 1e-3f);
        Assert.True(Device.Largest("embeddings", expected.Rows, actual.Rows) < 1e-4f);
        actual.Wipe();

        device.Context.Use(gpu => gpu.Graphics.Lose(DeviceLostReason.DeviceHung));
        Assert.Throws<DeviceLostException>(() => device.Read(device.Frames.Patch(1), 1));
        embedder.Embed(faces, actual);
        Assert.Equal((-1, -1), (actual.Norms.IndexOfAnyExcept(0f), actual.Rows.IndexOfAnyExcept(0f)));
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 4, 9, reference.Length);
        var counts = new int[3];
        embedder.Embed(faces, actual);
        ((IGallerySearch)search).SearchBatch(gallery, actual, CategoryThresholds.Uniform(-1), 3, new Candidate[9], counts, []);
        Assert.Equal([0, 0, 0], counts);
        foreach (AlignedFace face in faces)
            face.LetGo();
    }

    private sealed unsafe class HostFaces(int count) : IDisposable
    {
        private readonly Memory.HostBuffer<float> memory = Memory.BufferPool.Rent<float>(2 * count * FaceAligner.CropLength);

        public AlignedFace Face(int i, bool staysOnDevice) => new(memory.Pointer + (i * FaceAligner.CropLength), staysOnDevice);

        public AlignedFace Mirror(int i) => Face(count + i, staysOnDevice: false);

        public void Dispose() => memory.Dispose();
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
