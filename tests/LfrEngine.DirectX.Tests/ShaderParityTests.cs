using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Frames;

namespace LfrEngine.DirectX.Tests;

/// <summary>Compares every shader with its CPU stage, on the same frame.</summary>
public sealed unsafe class ShaderParityTests
{
    private static readonly ModelInput Detector = new("input", ChannelOrder.Rgb, [127, 127, 127], [1 / 128f, 1 / 128f, 1 / 128f]);
    private static readonly ModelInput Embedder = new("data", ChannelOrder.Bgr, [127.5f, 120, 130], [1 / 128f, 1 / 127f, 1 / 126f]);
    private static readonly ModelInput Landmarks = new("grey", ChannelOrder.Grey, [0], [1 / 256f]);

    public static TheoryData<PixelFormat, int, int, ColourMatrix, ColourRange, ChromaLocation> Frames => new()
    {
        { PixelFormat.Nv12, 640, 360, ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left },
        { PixelFormat.Nv12, 333, 187, ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre },
        { PixelFormat.I420, 97, 211, ColourMatrix.Bt2020, ColourRange.Limited, ChromaLocation.TopLeft },
        { PixelFormat.I422, 64, 48, ColourMatrix.Bt601, ColourRange.Limited, ChromaLocation.Left },
        { PixelFormat.I444, 41, 31, ColourMatrix.Bt709, ColourRange.Full, ChromaLocation.Centre },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public void Letterbox_AnyFrame_IsTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        TestFrame frame = Noise(format, width, height, matrix, range, location);
        using var device = new Device();
        using var letterbox = new Letterbox();
        using GpuFrame onDevice = device.Upload(frame.View, out FrameView view);
        foreach ((int gridWidth, int gridHeight, ModelInput input) in new[] { (160, 96, Detector), (96, 128, Embedder), (352, 224, Detector) })
        {
            LetterboxTransform fit = LetterboxTransform.Fit(width, height, gridWidth, gridHeight);
            int length = 3 * gridWidth * gridHeight;
            var expected = new float[length];
            fixed (float* tensor = expected)
                letterbox.Fill(frame.View, fit, input, tensor);
            using var actual = new GpuBuffer<float>(device.Context, length);
            onDevice.Letterbox(view, fit, input, actual.On);
            // On noise, where every rounding of a weight shows; a grey level is 1/128.
            AssertEqual($"letterbox {format} {width}x{height} to {gridWidth}x{gridHeight}", expected, device.Read(actual, length), 2e-4f);
        }
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void Grey_AnyRegion_IsTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        const int Size = 64;
        TestFrame frame = Noise(format, width, height, matrix, range, location);
        using var device = new Device();
        using var resampler = new PlaneResampler();
        using GpuFrame onDevice = device.Upload(frame.View, out FrameView view);
        using var actual = new GpuBuffer<float>(device.Context, Size * Size);
        FaceBox[] regions = [new(3.25f, 5.5f, 33.75f, 40.125f), new(-10, -20, width + 7, height + 9), new(width - 5, height - 4, width + 20, height + 30), new(1.1f, 2.2f, 4.3f, 6.4f)];
        foreach (FaceBox box in regions)
        {
            var expected = new float[Size * Size];
            fixed (float* plane = expected)
            {
                resampler.Resample(frame.View.Y, frame.View.LumaStride, 1, width, height, box.Left, box.Top, box.Width, box.Height, plane, Size, Size, Size);
                ColourKernel.ConvertGrey(plane, Size * Size, frame.View.Colour, Landmarks);
            }
            onDevice.Grey(view, box, Size, Landmarks, actual.On);
            AssertEqual($"grey {box}", expected, device.Read(actual, Size * Size), 5e-5f);
        }
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void Align_AnyTransform_IsTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        TestFrame frame = Noise(format, width, height, matrix, range, location);
        using var device = new Device();
        using GpuFrame onDevice = device.Upload(frame.View, out FrameView view);
        // Upright, turned, small, large, half outside.
        AlignmentTransform[] transforms = [new(1, 0, -5, -7), new(1.8f, 0.9f, 4, -31), new(0.3f, -0.2f, 20, 30), new(0.26f, 0.01f, 3, 2), new(3.5f, 0, -3 * width, -2 * height)];
        foreach (AlignmentTransform transform in transforms)
        {
            var expected = new float[FaceAligner.CropLength];
            var actual = new float[FaceAligner.CropLength];
            fixed (float* crop = expected)
                FaceAligner.Align(frame.View, transform, Embedder, crop);
            fixed (float* crop = actual)
                FaceAligner.Align(view, transform, Embedder, crop);
            AssertEqual($"align {format} {transform}", expected, actual, 5e-5f);
        }
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void Picture_OfADeviceFrame_IsTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        TestFrame frame = Noise(format, width, height, matrix, range, location);
        using var device = new Device();
        using GpuFrame onDevice = device.Upload(frame.View, out FrameView view);
        var region = new FaceBox(-4, 3, 37.5f, 44.5f);
        using var expected = new Picture(48, 48);
        using var actual = new Picture(48, 48);
        expected.Paint(frame.View, region, 0, 48);
        actual.Paint(view, region, 0, 48);
        int differing = 0;
        for (int i = 0; i < 3 * 48 * 48; i++)
        {
            int difference = Math.Abs(expected.View.Y[i] - actual.View.Y[i]);
            Assert.InRange(difference, 0, 1);
            differing += difference;
        }
        // Only where rounding falls on the other side.
        Assert.InRange(differing, 0, 20);
    }

    [Theory]
    [InlineData(64, 32, 32, 32)]
    [InlineData(96, 64, 64, 32)]
    [InlineData(640, 384, 320, 192)]
    public void Halve_AnyGrid_IsTheProcessors(int width, int height, int halfWidth, int halfHeight)
    {
        float[] source = Values(3 * width * height, 3);
        var expected = new float[3 * halfWidth * halfHeight];
        fixed (float* from = source, to = expected)
            Letterbox.Halve(from, new LetterboxTransform(1, width, height, width, height), to, new LetterboxTransform(0.5f, halfWidth, halfHeight, halfWidth, halfHeight));
        using var device = new Device();
        using var whole = new GpuBuffer<float>(device.Context, source.Length);
        using var half = new GpuBuffer<float>(device.Context, expected.Length);
        device.Context.Use(gpu =>
        {
            whole.Upload(gpu, source);
            gpu.Graphics.For(halfWidth, halfHeight, 3, new HalveShader(whole.On(gpu), width, height, half.On(gpu), halfWidth, halfHeight));
        });
        AssertEqual("halve", expected, device.Read(half, expected.Length), 0);
    }

    [Theory]
    [InlineData(1, 512)]
    [InlineData(8, 512)]
    [InlineData(3, 129)]
    public void Normalise_Rows_AreTheProcessors(int rows, int length)
    {
        float[] raw = Values(rows * length, 5);
        raw.AsSpan((rows - 1) * length, length).Clear();
        var expected = new float[rows * length];
        var expectedNorms = new float[rows];
        for (int i = 0; i < rows; i++)
        {
            ReadOnlySpan<float> row = raw.AsSpan(i * length, length);
            expectedNorms[i] = System.Numerics.Tensors.TensorPrimitives.Norm(row);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, Math.Max(expectedNorms[i], InferencePlan.SmallestNorm), expected.AsSpan(i * length, length));
        }
        using var device = new Device();
        using var from = new GpuBuffer<float>(device.Context, raw.Length);
        using var unit = new GpuBuffer<float>(device.Context, raw.Length);
        using var norms = new GpuBuffer<float>(device.Context, rows);
        device.Context.Use(gpu =>
        {
            from.Upload(gpu, raw);
            gpu.Graphics.For(rows, new NormaliseShader(from.On(gpu), unit.On(gpu), norms.On(gpu), length, InferencePlan.SmallestNorm));
        });
        AssertEqual("unit", expected, device.Read(unit, raw.Length), 1e-6f);
        AssertEqual("norm", expectedNorms, device.Read(norms, rows), 2e-5f);
    }

    /// <summary>Every sample differs from its neighbours: a shader that reads the wrong byte is found out.</summary>
    internal static TestFrame Noise(PixelFormat format, int width, int height, ColourMatrix matrix = ColourMatrix.Bt709, ColourRange range = ColourRange.Limited, ChromaLocation location = ChromaLocation.Left)
    {
        var frame = new TestFrame(format, width, height, matrix, range, location, padding: 13);
        var random = new Random(width);
        for (int i = 0; i < (format == PixelFormat.Nv12 ? 2 : 3); i++)
            random.NextBytes(frame.Plane(i));
        return frame;
    }

    /// <summary>Equal but for the stated rounding.</summary>
    /// <remarks>
    /// The stand-in computes as it is told. A GPU may fuse a product with its sum and add in another order: a coordinate of some hundred pixels is then off by one
    /// unit in the last place, which on noise is 1e-4 of a normalised value; ten times that, an eighth of a grey level, is allowed there, as in `doctor --gpu`.
    /// </remarks>
    private static void AssertEqual(string what, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float rounding) =>
        Assert.InRange(Device.Largest(what, expected, actual), 0, GpuContext.IsBuilt ? 1e-3f : rounding);

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (random.NextSingle() * 2) - 1;
        return values;
    }
}
