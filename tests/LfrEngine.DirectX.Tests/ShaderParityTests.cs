using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Frames;
using LfrEngine.Cover;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Quality;
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
            onDevice.Region(view, box, Size, Landmarks, actual.On);
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

    /// <summary>What the second and third opinion are given: the second image of a batch, and for one of them column by column.</summary>
    [Theory]
    [MemberData(nameof(Frames))]
    public void Region_InABatch_IsTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        const int Size = 48, Length = 3 * Size * Size;
        TestFrame frame = Noise(format, width, height, matrix, range, location);
        using var device = new Device();
        using var resampler = new PlaneResampler();
        using GpuFrame onDevice = device.Upload(frame.View, out FrameView view);
        using var actual = new GpuBuffer<float>(device.Context, 2 * Length);
        var box = new FaceBox(-3.5f, 2.25f, 37.75f, height + 4);
        var expected = new float[2 * Length];
        fixed (float* planes = &expected[Length])
        {
            RegionSampler.Resample(frame.View, box, Size, Size, resampler, planes);
            ColourKernel.Convert(planes, planes + (Size * Size), planes + (2 * Size * Size), Size * Size, frame.View.Colour, Embedder);
        }
        onDevice.Region(view, box, Size, Embedder, actual.On, place: 1);
        AssertEqual("region", expected, device.Read(actual, 2 * Length), 2e-4f);
        onDevice.Region(view, box, Size, Embedder, actual.On, place: 0, transposed: true);
        float[] both = device.Read(actual, 2 * Length);
        for (int i = 0; i < Length; i++)
            Assert.Equal(both[Length + i], both[(i / (Size * Size) * Size * Size) + (i % Size * Size) + (i / Size % Size)]);
    }

    /// <summary>The dozen numbers by which quality and cover are judged, and the face itself where it is embedded.</summary>
    [Theory]
    [MemberData(nameof(Frames))]
    public void Measures_OfAnAlignedFace_AreTheProcessors(PixelFormat format, int width, int height, ColourMatrix matrix, ColourRange range, ChromaLocation location)
    {
        TestFrame noise = Noise(format, width, height, matrix, range, location);
        // Clipped, dark and without any texture too.
        TestFrame flat = new TestFrame(format, width, height, matrix, range, location).Paint((_, _) => (90, 110, 140)), bright = new TestFrame(format, width, height, matrix, range, location).Paint((x, y) => (x + y) % 9 < 4 ? (250, 250, 252) : (3, 2, 9));
        using var device = new Device();
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        var onProcessor = new AlignedFace(crop.Pointer);
        var onDevice = new AlignedFace(null, staysOnDevice: true);
        float sums = 0, covers = 0;
        foreach (TestFrame frame in new[] { noise, flat, bright })
        {
            using GpuFrame uploaded = device.Upload(frame.View, out FrameView view);
            foreach (AlignmentTransform transform in (AlignmentTransform[])[new(1.8f, 0.9f, 4, -31), new(0.3f, -0.2f, 20, 30), new(3.5f, 0, -3 * width, -2 * height)])
            {
                onProcessor.Align(frame.View, transform, Embedder);
                onDevice.Align(view, transform, Embedder);
                Assert.NotNull(onDevice.Slot);
                long before = device.Context.Use(gpu => gpu.BytesRead);
                sums = Math.Max(sums, Largest(onProcessor.Measure(Embedder), onDevice.Measure(Embedder)));
                (CoverJudgement expected, CoverJudgement actual) = (onProcessor.JudgeCover(Embedder), onDevice.JudgeCover(Embedder));
                covers = Math.Max(covers, Device.Largest("cover", [expected.LowerFace, expected.Eyes, expected.Brow], [actual.LowerFace, actual.Eyes, actual.Brow]));
                Assert.Equal(13 * sizeof(float), device.Context.Use(gpu => gpu.BytesRead) - before);
            }
            onDevice.LetGo();
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"measures: {sums:g3} of a grey level; cover: {covers:g3}");
        Assert.InRange(sums, 0, GpuContext.IsBuilt ? 0.1f : 1e-3f);
        Assert.InRange(covers, 0, GpuContext.IsBuilt ? 1e-2f : 1e-5f);
    }

    // As quality is made of them: mean, deviation, sharpness and colours in grey levels, and the clipped share times 255. Quality adds 8 to the deviation; below 1, on a
    // face without any texture, the processor's own sum of squares is off by 0.03.
    private static float Largest(CropSums expected, CropSums actual)
    {
        float[] levels(CropSums s) =>
        [
            (float)(s.Texture.Sum / CropSums.Pixels),
            (float)Math.Sqrt(Math.Max(1, (s.Texture.Squares / CropSums.Pixels) - Math.Pow(s.Texture.Sum / CropSums.Pixels, 2))),
            (float)Math.Sqrt(s.Texture.Laplacian / CropSums.Pixels),
            255f * s.Texture.Clipped / CropSums.Pixels,
            s.Upper.Red, s.Upper.Green, s.Upper.Blue, s.Lower.Red, s.Lower.Green, s.Lower.Blue,
        ];
        return Device.Largest("measures", levels(expected), levels(actual));
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
            gpu.Graphics.For(rows, new NormaliseShader(from.On(gpu), unit.On(gpu), norms.On(gpu), length, length, InferencePlan.SmallestNorm));
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
