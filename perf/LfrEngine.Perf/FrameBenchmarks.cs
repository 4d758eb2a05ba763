using BenchmarkDotNet.Attributes;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Quality;

namespace LfrEngine.Perf;

/// <summary>A 1080p frame of seeded noise and the tensors around it.</summary>
internal sealed unsafe class Scene : IDisposable
{
    public const int Width = 1920, Height = 1080, GridWidth = 640, ImageHeight = 360, GridHeight = 384;
    public const double PlaneBytes = Width * Height * 1.5, TensorBytes = 3.0 * GridWidth * GridHeight * sizeof(float);

    private readonly HostBuffer<byte> planes = BufferPool.Rent<byte>(Width * Height * 3 / 2);

    public Scene()
    {
        new Random(1).NextBytes(planes.Span);
        byte* y = planes.Pointer;
        View = new FrameView(PixelFormat.I420, Width, Height, [(nint)y, (nint)(y + (Width * Height)), (nint)(y + (Width * Height * 5 / 4))], [Width, Width / 2, Width / 2],
            ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left);
        Fit = LetterboxTransform.Fit(Width, Height, GridWidth, GridHeight, 1f / 3);
        Half = LetterboxTransform.Fit(Width, Height, GridWidth / 2, GridHeight / 2, 1f / 6);
    }

    public FrameView View { get; }

    public LetterboxTransform Fit { get; }

    public LetterboxTransform Half { get; }

    public ModelInput Input { get; } = new("input", ChannelOrder.Rgb, [127, 127, 127], [1 / 128f, 1 / 128f, 1 / 128f]);

    public HostBuffer<float> Tensor { get; } = BufferPool.Rent<float>(3 * GridWidth * GridHeight);

    public HostBuffer<float> HalfTensor { get; } = BufferPool.Rent<float>(3 * GridWidth * GridHeight / 4);

    public HostBuffer<float> Crop { get; } = BufferPool.Rent<float>(FaceAligner.CropLength);

    public void Dispose()
    {
        planes.Dispose();
        Tensor.Dispose();
        HalfTensor.Dispose();
        Crop.Dispose();
    }
}

/// <summary>How near is the letterbox (planes to tensor) to reading the frame once?</summary>
[BenchmarkCategory("Letterbox")]
public unsafe class LetterboxBenchmarks
{
    // Triangle filter: 5 taps for luma (3 : 1), 3 for chroma (1.5 : 1), columns then rows; colour and normalisation 17 per pixel.
    private const double Flops = 2 * ((5.0 * Scene.Width * Scene.ImageHeight) + (5.0 * Scene.GridWidth * Scene.ImageHeight)
        + (2 * 3.0 * Scene.Width / 2 * Scene.ImageHeight) + (2 * 3.0 * Scene.GridWidth * Scene.ImageHeight)) + (17.0 * Scene.GridWidth * Scene.ImageHeight);

    private readonly Scene scene = new();
    private readonly Letterbox scalar = new(vectors: false);
    private readonly Letterbox vectors = new();

    [Benchmark(Baseline = true)]
    [Work(Scene.PlaneBytes + Scene.TensorBytes, Flops)]
    public void Scalar() => scalar.Fill(scene.View, scene.Fit, scene.Input, scene.Tensor.Pointer);

    [Benchmark]
    [Work(Scene.PlaneBytes + Scene.TensorBytes, Flops)]
    public void Vectors() => vectors.Fill(scene.View, scene.Fit, scene.Input, scene.Tensor.Pointer);

    [GlobalCleanup]
    public void Cleanup()
    {
        scalar.Dispose();
        vectors.Dispose();
        scene.Dispose();
    }
}

/// <summary>How near is halving the tensor to reading it once?</summary>
[BenchmarkCategory("Half")]
public unsafe class HalfBenchmarks
{
    private const double Flops = Scene.TensorBytes / sizeof(float);

    private readonly Scene scene = new();

    [Benchmark(Baseline = true)]
    [Work(Scene.TensorBytes * 1.25, Flops)]
    public void Scalar()
    {
        for (int y = 0; y < 3 * Scene.GridHeight / 2; y++)
        {
            float* upper = scene.Tensor.Pointer + (2 * y * Scene.GridWidth);
            HalfKernel.HalveScalar(upper, upper + Scene.GridWidth, scene.HalfTensor.Pointer + (y * Scene.GridWidth / 2), Scene.GridWidth / 2);
        }
    }

    [Benchmark]
    [Work(Scene.TensorBytes * 1.25, Flops)]
    public void Vectors() => Letterbox.Halve(scene.Tensor.Pointer, scene.Fit, scene.HalfTensor.Pointer, scene.Half);

    [GlobalCleanup]
    public void Cleanup() => scene.Dispose();
}

/// <summary>What does colour conversion cost on a tensor that is in the cache?</summary>
[BenchmarkCategory("Colour")]
public unsafe class ColourBenchmarks
{
    private const int Count = Scene.GridWidth * 16;

    private readonly Scene scene = new();

    // In place: repeated runs work on converted values, which cost the same.
    [Benchmark(Baseline = true)]
    [Work(6.0 * Count * sizeof(float), 17.0 * Count)]
    public void Scalar() => ColourKernel.ConvertScalar(scene.Tensor.Pointer, scene.Tensor.Pointer + Count, scene.Tensor.Pointer + (2 * Count), Count, scene.View.Colour, scene.Input);

    [Benchmark]
    [Work(6.0 * Count * sizeof(float), 17.0 * Count)]
    public void Vectors() => ColourKernel.Convert(scene.Tensor.Pointer, scene.Tensor.Pointer + Count, scene.Tensor.Pointer + (2 * Count), Count, scene.View.Colour, scene.Input);

    [GlobalCleanup]
    public void Cleanup() => scene.Dispose();
}

/// <summary>What does one plane of an aligned face cost, turned by 20°, and the whole face with its colours?</summary>
[BenchmarkCategory("Warp")]
public unsafe class WarpBenchmarks
{
    private const int Size = AlignmentTransform.GridSize;

    // Position 8, clamping and splitting 8, blending 9.
    private const double Bytes = Size * Size * (1.0 + sizeof(float)), Flops = 25.0 * Size * Size;

    private readonly Scene scene = new();
    private readonly WarpKernel.Placement placement = new(900, 500, 0.94f, 0.34f, -0.34f, 0.94f);
    private WarpKernel.Plane plane;

    [GlobalSetup]
    public void Setup() => plane = new WarpKernel.Plane((nint)scene.View.Y, scene.View.LumaStride, 1, Scene.Width, Scene.Height);

    [Benchmark(Baseline = true)]
    [Work(Bytes, Flops)]
    public void Scalar() => WarpKernel.SampleScalar(plane, placement, 1, scene.Crop.Pointer, 0, Size, Size);

    [Benchmark]
    [Work(Bytes, Flops)]
    public void Vectors() => WarpKernel.Sample(plane, placement, 1, scene.Crop.Pointer, Size);

    [Benchmark]
    [Work(3 * Bytes, (3 * Flops) + (17.0 * Size * Size))]
    public void WholeFace() => FaceAligner.Align(scene.View, new AlignmentTransform(0.94f, -0.34f, -800, 100), scene.Input, scene.Crop.Pointer);

    [GlobalCleanup]
    public void Cleanup() => scene.Dispose();
}

/// <summary>What does measuring sharpness, exposure and cover of a face cost? There is a scalar kernel only: a thousandth of a frame's time.</summary>
[BenchmarkCategory("Quality")]
public unsafe class QualityBenchmarks
{
    private const double Pixels = 64 * 68;

    private readonly Scene scene = new();
    private FaceLandmarks found;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(2);
        foreach (ref float value in scene.Crop.Span)
            value = (random.NextSingle() * 2) - 1;
        found = new FaceLandmarks(AlignmentTransform.Target, new FaceBox(0, 0, 112, 112), 0.01f);
    }

    [Benchmark]
    [Work(Pixels * sizeof(float), 14 * Pixels)]
    public FaceQuality Scalar() => QualityAssessor.Assess(found, new AlignmentTransform(1, 0, 0, 0), scene.Crop.Pointer, scene.Input, 0.9f);

    [GlobalCleanup]
    public void Cleanup() => scene.Dispose();
}
