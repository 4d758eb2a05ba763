using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Frames;

public sealed unsafe class ColourKernelTests
{
    private static readonly ModelInput Rgb = new("input", ChannelOrder.Rgb, [0, 0, 0], [1, 1, 1]);

    public static TheoryData<ColourMatrix, ColourRange> Conversions { get; } = new()
    {
        { ColourMatrix.Bt601, ColourRange.Limited }, { ColourMatrix.Bt601, ColourRange.Full },
        { ColourMatrix.Bt709, ColourRange.Limited }, { ColourMatrix.Bt709, ColourRange.Full },
        { ColourMatrix.Bt2020, ColourRange.Limited }, { ColourMatrix.Bt2020, ColourRange.Full },
    };

    [Theory]
    [MemberData(nameof(Conversions))]
    [Trait("Kernel", "yes")]
    public void Convert_EveryLength_EqualsScalarBitByBit(ColourMatrix matrix, ColourRange range)
    {
        var colour = new ColourConversion(matrix, range);
        var random = new Random(11);
        foreach (ChannelOrder order in new[] { ChannelOrder.Rgb, ChannelOrder.Bgr })
        {
            var input = new ModelInput("input", order, [127.5f, 104, 117], [1 / 128f, 1 / 127.5f, 0.017f]);
            for (int length = 0; length <= 256; length++)
            {
                using var first = new GuardedMemory(length * sizeof(float));
                using var second = new GuardedMemory(length * sizeof(float));
                using var third = new GuardedMemory(length * sizeof(float));
                float* y = (float*)first.Start, u = (float*)second.Start, v = (float*)third.Start;
                float[] samples = new float[3 * length], expected = new float[3 * length];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = random.Next(10) == 0 ? random.Next(2) * 255 : random.NextSingle() * 255;
                samples.CopyTo(expected, 0);
                samples.AsSpan(0, length).CopyTo(new Span<float>(y, length));
                samples.AsSpan(length, length).CopyTo(new Span<float>(u, length));
                samples.AsSpan(2 * length, length).CopyTo(new Span<float>(v, length));

                ColourKernel.Convert(y, u, v, length, colour, input);

                fixed (float* e = expected)
                    ColourKernel.ConvertScalar(e, e + length, e + (2 * length), length, colour, input);
                Assert.True(expected.AsSpan(0, length).SequenceEqual(new Span<float>(y, length)));
                Assert.True(expected.AsSpan(length, length).SequenceEqual(new Span<float>(u, length)));
                Assert.True(expected.AsSpan(2 * length, length).SequenceEqual(new Span<float>(v, length)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(ColourKernelTests));

    [Theory]
    [MemberData(nameof(Conversions))]
    public void Convert_KnownColours_ReturnFromTheDefinition(ColourMatrix matrix, ColourRange range)
    {
        var colour = new ColourConversion(matrix, range);
        var random = new Random(2);
        var colours = new List<(double R, double G, double B)> { (128, 128, 128), (12, 200, 99) };
        for (int corner = 0; corner < 8; corner++)
            colours.Add(((corner & 1) * 255, (corner >> 1 & 1) * 255, (corner >> 2) * 255));
        for (int i = 0; i < 300; i++)
            colours.Add((random.NextDouble() * 255, random.NextDouble() * 255, random.NextDouble() * 255));
        var planes = new float[3 * colours.Count];
        for (int i = 0; i < colours.Count; i++)
        {
            (double y, double cb, double cr) = ColourMath.FromRgb(matrix, range, colours[i].R, colours[i].G, colours[i].B);
            planes[i] = (float)y;
            planes[colours.Count + i] = (float)cb;
            planes[(2 * colours.Count) + i] = (float)cr;
        }
        fixed (float* p = planes)
            ColourKernel.Convert(p, p + colours.Count, p + (2 * colours.Count), colours.Count, colour, Rgb);
        for (int i = 0; i < colours.Count; i++)
        {
            Assert.Equal(colours[i].R, planes[i], 1e-3);
            Assert.Equal(colours[i].G, planes[colours.Count + i], 1e-3);
            Assert.Equal(colours[i].B, planes[(2 * colours.Count) + i], 1e-3);
        }
    }

    [Fact]
    public void Convert_LimitedRange_MapsNominalBlackAndWhite()
    {
        foreach (ColourMatrix matrix in Enum.GetValues<ColourMatrix>())
        {
            float[] y = [16, 235, 0, 255], u = [128, 128, 128, 128], v = [128, 128, 128, 128];
            fixed (float* a = y, b = u, c = v)
                ColourKernel.Convert(a, b, c, 4, new ColourConversion(matrix, ColourRange.Limited), Rgb);
            foreach (float[] plane in new[] { y, u, v })
            {
                Assert.Equal(0, plane[0], 1e-3f);
                Assert.Equal(255, plane[1], 1e-3f);
                // Below black and above white are clamped, as any display does.
                Assert.Equal(0, plane[2]);
                Assert.Equal(255, plane[3]);
            }
        }
    }

    /// <summary>OpenCV's float conversion is BT.601 full range with coefficients of three digits.</summary>
    [Fact]
    public void Convert_Bt601Full_EqualsOpenCv()
    {
        const int Count = 1000;
        using var samples = new Mat(1, Count, MatType.CV_32FC3);
        var random = new Random(4);
        var planes = new float[3 * Count];
        for (int i = 0; i < Count; i++)
        {
            for (int c = 0; c < 3; c++)
                planes[(c * Count) + i] = random.Next(256);
            // OpenCV takes Y, Cr, Cb, 0…1 with the middle at 0.5, which is 127.5 of 255; ours is 128.
            samples.Set(0, i, new Vec3f(planes[i] / 255, (planes[(2 * Count) + i] - 0.5f) / 255, (planes[Count + i] - 0.5f) / 255));
        }
        using var expected = new Mat();
        Cv2.CvtColor(samples, expected, ColorConversionCodes.YCrCb2RGB);
        fixed (float* p = planes)
            ColourKernel.Convert(p, p + Count, p + (2 * Count), Count, new ColourConversion(ColourMatrix.Bt601, ColourRange.Full), Rgb);
        for (int i = 0; i < Count; i++)
        {
            Vec3f e = expected.At<Vec3f>(0, i);
            Assert.Equal(Math.Clamp(e.Item0 * 255, 0, 255), planes[i], 0.2f);
            Assert.Equal(Math.Clamp(e.Item1 * 255, 0, 255), planes[Count + i], 0.2f);
            Assert.Equal(Math.Clamp(e.Item2 * 255, 0, 255), planes[(2 * Count) + i], 0.2f);
        }
    }

    [Fact]
    public void Convert_Bt601Limited_EqualsOpenCv()
    {
        // OpenCV's I420 conversion is limited-range BT.601; chroma is repeated, so a frame of 2×2 flat blocks is compared sample by sample.
        const int Width = 64, Height = 64;
        var random = new Random(6);
        using var yuv = new Mat(Height * 3 / 2, Width, MatType.CV_8UC1);
        byte* data = yuv.DataPointer;
        for (int i = 0; i < Width * Height * 3 / 2; i++)
            data[i] = (byte)random.Next(16, 236);
        using var expected = new Mat();
        Cv2.CvtColor(yuv, expected, ColorConversionCodes.YUV2RGB_I420);
        byte* u = data + (Width * Height), v = u + (Width * Height / 4);
        float* pixel = stackalloc float[3];
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                int chroma = (y / 2 * (Width / 2)) + (x / 2);
                (pixel[0], pixel[1], pixel[2]) = (data[(y * Width) + x], u[chroma], v[chroma]);
                ColourKernel.Convert(pixel, pixel + 1, pixel + 2, 1, new ColourConversion(ColourMatrix.Bt601, ColourRange.Limited), Rgb);
                Vec3b e = expected.At<Vec3b>(y, x);
                Assert.Equal(e.Item0, pixel[0], 1.1f);
                Assert.Equal(e.Item1, pixel[1], 1.1f);
                Assert.Equal(e.Item2, pixel[2], 1.1f);
            }
        }
    }

    [Theory]
    [InlineData(ColourRange.Full)]
    [InlineData(ColourRange.Limited)]
    public void ConvertGrey_EveryValue_IsFullRangeThenNormalised(ColourRange range)
    {
        var values = new float[256];
        for (int i = 0; i < 256; i++)
            values[i] = i;
        fixed (float* v = values)
            ColourKernel.ConvertGrey(v, 256, new ColourConversion(ColourMatrix.Bt709, range), new ModelInput("input", ChannelOrder.Grey, [10], [0.5f]));
        for (int i = 0; i < 256; i++)
        {
            double grey = range == ColourRange.Full ? i : Math.Clamp((i - 16) * 255.0 / 219, 0, 255);
            Assert.Equal((grey - 10) / 2, values[i], 1e-3);
        }
    }

    [Fact]
    public void Conversion_UnknownMatrix_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ColourConversion((ColourMatrix)9, ColourRange.Full));
}
