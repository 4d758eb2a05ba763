using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.DirectX.Search;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Quality;
using LfrEngine.Watchlists;

namespace LfrEngine.DirectX;

/// <summary>One step of the GPU path on this machine.</summary>
/// <param name="Step">What was tried.</param>
/// <param name="Passed">Null: not tried, and <paramref name="Found"/> says why.</param>
/// <param name="Found">The largest difference from the processor's result, or what failed, HRESULT in words.</param>
public sealed record GpuCheck(string Step, bool? Passed, string Found);

/// <summary>Runs every step of the GPU path on this machine against the processor's result: the test that only the machine itself can make.</summary>
public sealed unsafe class GpuDoctor : IDisposable
{
    private const int Width = 1280, Height = 720;

    private readonly ModelCatalog catalog;
    private readonly string? video;
    private readonly HostBuffer<byte> picture = BufferPool.Rent<byte>(Width * Height * 3 / 2);
    private readonly FrameView host;
    private GpuContext? context;

    /// <summary>Prepares the steps.</summary>
    /// <param name="catalog">The default models are tried.</param>
    /// <param name="video">An 8-bit H.264 or H.265 recording to decode; null leaves decoding out.</param>
    public GpuDoctor(ModelCatalog catalog, string? video)
    {
        (this.catalog, this.video) = (catalog, video);
        // Structure at every scale, so that a byte read from the wrong place shows.
        var random = new Random(20240229);
        for (int i = 0; i < picture.Length; i++)
            picture.Span[i] = (byte)(128 + (70 * Math.Sin(i / 91.0)) + random.Next(-40, 40));
        nint y = (nint)picture.Pointer;
        host = new FrameView(PixelFormat.Nv12, Width, Height, [y, y + (Width * Height)], [Width, Width], ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left);
    }

    /// <summary>Runs the steps one after the other; a step whose ground is missing is not tried.</summary>
    public IEnumerable<GpuCheck> Run()
    {
        GpuCheck device = Try("device", OpenDevice);
        yield return device;
        if (context is null)
            yield break;
        long outstanding = DeviceMemory.OutstandingBuffers;
        yield return Try("preprocess", () => WithFrame((_, frame, view) => Preprocess(frame, view)));
        yield return Try("align", () => WithFrame((_, _, view) => Align(view)));
        yield return Try("clear", Clear);
        yield return Try("match", Match);
        yield return Try("detect (DirectML)", () => Compare(EngineModels.DefaultDetector, ModelTask.Detect, 384, 640, half: false));
        yield return Try("landmarks (DirectML)", () => Compare(EngineModels.DefaultLandmarks, ModelTask.Landmarks, 64, 64, half: false));
        yield return Try("embed (DirectML)", () => Embed(half: false));
        yield return Try("embed in half precision (DirectML)", () => Embed(half: true));
        yield return Try("frame to faces on the GPU", () => WithFrame((_, _, view) => Detect(view)));
        yield return video is null
            ? new GpuCheck("decode and share (D3D11VA)", null, "no recording: run lfr doctor --gpu --video FILE")
            : Try("decode and share (D3D11VA)", Decode);
        yield return Try("nothing left", () =>
        {
            long left = DeviceMemory.OutstandingBuffers - outstanding;
            return left == 0 ? $"{DeviceMemory.WipedBuffers} times a buffer was cleared, {DeviceMemory.WipedBytes >> 20} MiB" : throw new GpuException($"{left} buffers were not released");
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        context?.Dispose();
        picture.Dispose();
    }

#pragma warning disable CA1031 // Whatever a step throws is what it found.
    private static GpuCheck Try(string step, Func<string> work)
    {
        try
        {
            return new GpuCheck(step, true, work());
        }
        catch (Exception e)
        {
            string cause = e.InnerException is { } inner && e is GpuException ? $" ({inner.Message})" : "";
            return new GpuCheck(step, false, e.Message + cause);
        }
    }
#pragma warning restore CA1031

    private string OpenDevice()
    {
        context = GpuContext.Open();
        return context.IsHardware ? context.AdapterName : $"{context.AdapterName}: software, no GPU";
    }

    private string WithFrame(Func<FrameStore, GpuFrame, FrameView, string> work)
    {
        using var store = new FrameStore(context!);
        using GpuFrame frame = store.Upload(host);
        return work(store, frame, host.On(frame));
    }

    private string Preprocess(GpuFrame frame, in FrameView view)
    {
        var input = new ModelInput("input", ChannelOrder.Rgb, [127, 127, 127], [1 / 128f, 1 / 128f, 1 / 128f]);
        LetterboxTransform fit = LetterboxTransform.Fit(Width, Height, 640, 384);
        using HostBuffer<float> expected = BufferPool.Rent<float>(3 * 640 * 384);
        using HostBuffer<float> actual = BufferPool.Rent<float>(expected.Length);
        using var letterbox = new Letterbox();
        using var tensor = new GpuBuffer<float>(context!, expected.Length);
        letterbox.Fill(host, fit, input, expected.Pointer);
        frame.Letterbox(view, fit, input, tensor.On);
        context!.Use(gpu => tensor.Read(gpu, actual.Span));
        return Within(Largest(expected.Span, actual.Span), 1e-3, "of a normalised value");
    }

    private string Align(in FrameView view)
    {
        var input = new ModelInput("data", ChannelOrder.Bgr, [127.5f, 127.5f, 127.5f], [1 / 128f, 1 / 128f, 1 / 128f]);
        var transform = new AlignmentTransform(0.41f, 0.12f, -90, -120);
        using HostBuffer<float> expected = BufferPool.Rent<float>(FaceAligner.CropLength);
        using HostBuffer<float> actual = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(host, transform, input, expected.Pointer);
        FaceAligner.Align(view, transform, input, actual.Pointer);
        string aligned = Within(Largest(expected.Span, actual.Span), 1e-3, "of a normalised value");
        var (onProcessor, onGpu) = (new AlignedFace(expected.Pointer), new AlignedFace(actual.Pointer, staysOnDevice: true));
        onGpu.Align(view, transform, input);
        try
        {
            (CropSums a, CropSums b) = (onProcessor.Measure(input), onGpu.Measure(input));
            (CoverJudgement c, CoverJudgement d) = (onProcessor.JudgeCover(input), onGpu.JudgeCover(input));
            float[] told(CropSums sums, CoverJudgement cover) =>
                [(float)(sums.Texture.Sum / CropSums.Pixels), (float)Math.Sqrt(sums.Texture.Laplacian / CropSums.Pixels), sums.Upper.Red, sums.Upper.Green, sums.Lower.Blue, 10 * cover.LowerFace, 10 * cover.Eyes, 10 * cover.Brow];
            return $"{aligned}; {Within(Largest(told(a, c), told(b, d)), 0.1, "of a grey level in what is measured of a face")}";
        }
        finally
        {
            onGpu.LetGo();
        }
    }

    private string Clear()
    {
        const int Length = 1 << 18;
        using HostBuffer<float> values = BufferPool.Rent<float>(Length);
        using var buffer = new GpuBuffer<float>(context!, Length);
        values.Span.Fill(42);
        context!.Use(gpu =>
        {
            buffer.Upload(gpu, values.Span);
            values.Span.Clear();
            buffer.Read(gpu, values.Span);
            if (values.Span.IndexOfAnyExcept(42f) >= 0)
                throw new GpuException("data copied to the GPU was read back wrong");
            gpu.Clear(buffer);
            buffer.Read(gpu, values.Span);
        });
        return values.Span.IndexOfAnyExcept(0f) < 0 ? "1 MiB written, cleared, read back as zeros" : throw new GpuException("the buffer was not zero after it was cleared");
    }

    private string Match()
    {
        const int Length = 512, Templates = 500, Probes = 8, Most = 10;
        var random = new Random(1);
        using var builder = new WatchlistBuilder("1", "doctor", new string('0', 64), Length);
        var row = new float[Length];
        for (int i = 0; i < Templates; i++)
        {
            builder.AddIdentity(new WatchlistIdentity($"{i}", $"{i}", WatchlistCategory.Wanted));
            builder.AddTemplate(i, Unit(random, row), 1);
        }
        using Watchlist list = builder.Build();
        using Gallery gallery = Gallery.Create(list);
        var probes = new float[Probes * Length];
        for (int p = 0; p < Probes; p++)
            Unit(random, row).CopyTo(probes.AsSpan(p * Length));
        (Candidate[] expected, Candidate[] actual) = (new Candidate[Probes * Most], new Candidate[Probes * Most]);
        (int[] expectedCounts, int[] actualCounts) = (new int[Probes], new int[Probes]);
        var thresholds = CategoryThresholds.Uniform(0.05f);
        new CosineSearch().Search(gallery, probes, thresholds, Most, expected, expectedCounts);
        using var search = new GpuSearch(context!);
        search.Search(gallery, probes, thresholds, Most, actual, actualCounts);
        return expected.AsSpan().SequenceEqual(actual) && expectedCounts.AsSpan().SequenceEqual(actualCounts)
            ? $"the same {expectedCounts.Sum()} candidates, to the last bit of their scores"
            : throw new GpuException("the candidates differ from the processor's");
    }

    private string Compare(string id, ModelTask task, int height, int width, bool half)
    {
        ModelManifest manifest = catalog.Find(id, task);
        using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest);
        using OnnxModel onGpu = OnnxModel.Load(catalog, manifest, new DirectMlBackend(context!, half));
        using InferencePlan expected = onProcessor.CreatePlan(1, height, width);
        using InferencePlan actual = onGpu.CreatePlan(1, height, width);
        var random = new Random(7);
        for (int i = 0; i < expected.Input.Length; i++)
            expected.Input.Span[i] = actual.Input.Span[i] = (random.NextSingle() * 2) - 1;
        expected.Run();
        actual.Run();
        double worst = 0;
        for (int i = 0; i < expected.Outputs.Count; i++)
        {
            float largest = 1e-6f;
            foreach (float v in expected.Outputs[i].Span)
                largest = Math.Max(largest, Math.Abs(v));
            worst = Math.Max(worst, Largest(expected.Outputs[i].Span, actual.Outputs[i].Span) / largest);
        }
        return Within(worst, 2e-3, "of the largest output");
    }

    private string Embed(bool half)
    {
        ModelManifest manifest = catalog.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest);
        using OnnxModel onGpu = OnnxModel.Load(catalog, manifest, new DirectMlBackend(context!, half));
        using var expected = new Embedder(onProcessor);
        using var actual = new Embedder(onGpu);
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(host, new AlignmentTransform(0.2f, 0, -60, -40), expected.Input, crop.Pointer);
        using HostBuffer<float> a = BufferPool.Rent<float>(2 * expected.Length);
        using HostBuffer<float> b = BufferPool.Rent<float>(2 * expected.Length);
        Span<float> norms = stackalloc float[2];
        expected.Embed([crop, crop], a.Span, norms);
        actual.Embed([crop, crop], b.Span, norms);
        double cosine = System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(a.Span[..expected.Length], b.Span[..expected.Length]);
        return cosine >= (half ? 0.999 : 0.99999) ? $"cosine with the processor's embedding {cosine:0.0000000}" : throw new GpuException($"the cosine with the processor's embedding is only {cosine:0.00000}");
    }

    private string Detect(in FrameView view)
    {
        ModelManifest manifest = catalog.Find(EngineModels.DefaultDetector, ModelTask.Detect);
        using OnnxModel onProcessor = OnnxModel.Load(catalog, manifest);
        using OnnxModel onGpu = OnnxModel.Load(catalog, manifest, new DirectMlBackend(context!));
        // Any proposal will do: there is no face in the picture.
        var settings = new DetectorSettings { CandidateScore = 0.05f, MinimumScore = 0.05f };
        using var expected = new FaceDetector(onProcessor, settings);
        using var actual = new FaceDetector(onGpu, settings);
        using var a = new CandidateList(512);
        using var b = new CandidateList(512);
        expected.Detect(host, a);
        (long bytes, long lists) = context!.Use(gpu => (gpu.BytesRead, gpu.Submissions));
        actual.Detect(view, b);
        (long bytesAfter, long listsAfter) = context.Use(gpu => (gpu.BytesRead, gpu.Submissions));
        if (Math.Abs(a.Count - b.Count) > 1 + (a.Count / 20))
            throw new GpuException($"{b.Count} proposals, the processor makes {a.Count}");
        float worst = 0;
        if (a.Count > 0 && b.Count > 0)
            worst = Math.Abs(a.Items[0].Score - b.Items[0].Score);
        return Within(worst, 5e-3, $"of the best score; {a.Count} and {b.Count} proposals; {bytesAfter - bytes} bytes read back, {listsAfter - lists} lists besides the networks'");
    }

    private string Decode()
    {
        const int Size = 96;
        using var decoder = new D3D11Decoder(context!);
        using ISourceReader reader = decoder.Open(video!, SourceOptions.Default, isLive: false, null, CancellationToken.None);
        using var frame = new FrameLease();
        if (reader.Read(frame) != DecodeResult.Frame)
            throw new GpuException("the recording has no frame");
        var whole = new FaceBox(0, 0, frame.View.Width, frame.View.Height);
        using var actual = new Picture(Size, Size);
        actual.Paint(frame.View, whole, 0, Size);
        string what = $"{frame.View.Width}x{frame.View.Height} {reader.GetInfo().Codec}";
        using var expected = new Picture(Size, Size);
        try
        {
            using ISourceReader software = SoftwareDecoder.Default.Open(video!, SourceOptions.Default, isLive: false, null, CancellationToken.None);
            using var reference = new FrameLease();
            software.Read(reference);
            expected.Paint(reference.View, whole, 0, Size);
        }
        catch (DllNotFoundException)
        {
            return $"{what}, not compared: the software decoder is not installed";
        }
        double sum = 0;
        for (int i = 0; i < 3 * Size * Size; i++)
            sum += Math.Abs(expected.View.Y[i] - actual.View.Y[i]);
        return $"{what}, " + Within(sum / (3 * Size * Size), 1, "grey levels on average from the software decoder's first frame");
    }

    private static string Within(double difference, double most, string of) =>
        difference <= most ? $"{difference:g3} {of}" : throw new GpuException($"{difference:g3} {of}; at most {most:g3} is rounding");

    private static double Largest(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
            largest = float.IsFinite(actual[i]) ? Math.Max(largest, Math.Abs(expected[i] - actual[i])) : double.PositiveInfinity;
        return largest;
    }

    private static float[] Unit(Random random, float[] row)
    {
        for (int i = 0; i < row.Length; i++)
            row[i] = random.NextSingle() - 0.5f;
        System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm<float>(row), row);
        return row;
    }
}
