using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Frames;

public sealed unsafe class LetterboxTests
{
    private static readonly ModelInput Plain = new("input", ChannelOrder.Rgb, [0, 0, 0], [1, 1, 1]);
    private static readonly ModelInput Normalised = new("input", ChannelOrder.Bgr, [127, 127, 127], [1 / 128f, 1 / 128f, 1 / 128f]);

    [Theory]
    [InlineData(640, 360, 320, 192)]
    [InlineData(640, 480, 160, 128)]
    [InlineData(300, 500, 128, 128)]
    public void Fill_SmoothFrame_IsCloseToOpenCvAreaResize(int width, int height, int gridWidth, int gridHeight)
    {
        (double R, double G, double B) Colour(double x, double y) =>
            (128 + (90 * Math.Sin(x / 23)), 128 + (90 * Math.Cos(y / 19)), 128 + (60 * Math.Sin((x + y) / 31)));
        TestFrame frame = new TestFrame(PixelFormat.I444, width, height, ColourMatrix.Bt601, ColourRange.Full, padding: 9).Paint(Colour);
        using var image = new Mat(height, width, MatType.CV_32FC3);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (double r, double g, double b) = Colour(x + 0.5, y + 0.5);
                image.Set(y, x, new Vec3f((float)r, (float)g, (float)b));
            }
        }
        LetterboxTransform fit = LetterboxTransform.Fit(width, height, gridWidth, gridHeight);
        using var expected = new Mat();
        Cv2.Resize(image, expected, new Size(fit.ImageWidth, fit.ImageHeight), 0, 0, InterpolationFlags.Area);
        float[] tensor = Fill(frame, fit, Plain, gridWidth, gridHeight);

        double sum = 0, worst = 0;
        for (int y = 0; y < fit.ImageHeight; y++)
        {
            for (int x = 0; x < fit.ImageWidth; x++)
            {
                Vec3f e = expected.At<Vec3f>(y, x);
                for (int c = 0; c < 3; c++)
                {
                    double difference = Math.Abs(e[c] - tensor[(((c * gridHeight) + y) * gridWidth) + x]);
                    sum += difference;
                    worst = Math.Max(worst, difference);
                }
            }
        }
        Assert.True(sum / (3 * fit.ImageWidth * fit.ImageHeight) < 1, $"mean {sum / (3 * fit.ImageWidth * fit.ImageHeight):f2}");
        Assert.True(worst < 6, $"worst {worst:f2}");
    }

    [Fact]
    public void Fill_AtItsOwnSize_IsTheColourKernelBitByBit()
    {
        const int Width = 96, Height = 64;
        var frame = new TestFrame(PixelFormat.I444, Width, Height, ColourMatrix.Bt709, ColourRange.Limited, padding: 11);
        var random = new Random(1);
        for (int plane = 0; plane < 3; plane++)
            random.NextBytes(frame.Plane(plane));
        float[] tensor = Fill(frame, LetterboxTransform.Fit(Width, Height, Width, Height, 1), Normalised, Width, Height);

        FrameView view = frame.View;
        var expected = new float[3 * Width * Height];
        for (int i = 0; i < Width * Height; i++)
        {
            expected[i] = view.Y[(i / Width * view.LumaStride) + (i % Width)];
            expected[(Width * Height) + i] = view.U[(i / Width * view.ChromaStride) + (i % Width)];
            expected[(2 * Width * Height) + i] = view.V[(i / Width * view.ChromaStride) + (i % Width)];
        }
        fixed (float* e = expected)
            ColourKernel.ConvertScalar(e, e + (Width * Height), e + (2 * Width * Height), Width * Height, view.Colour, Normalised);
        Assert.True(expected.AsSpan().SequenceEqual(tensor));
    }

    [Theory]
    [InlineData(100, 50, 128, 128)]
    [InlineData(50, 100, 128, 128)]
    [InlineData(33, 77, 64, 96)]
    [InlineData(1, 1, 32, 32)]
    public void Fill_AnyAspect_PadsWithZeroRightAndBelow(int width, int height, int gridWidth, int gridHeight)
    {
        foreach (PixelFormat format in Enum.GetValues<PixelFormat>())
        {
            TestFrame frame = new TestFrame(format, width, height).Paint((_, _) => (220, 220, 220));
            LetterboxTransform fit = LetterboxTransform.Fit(width, height, gridWidth, gridHeight);
            float[] tensor = Fill(frame, fit, Normalised, gridWidth, gridHeight);
            for (int i = 0; i < tensor.Length; i++)
            {
                int x = i % gridWidth, y = i / gridWidth % gridHeight;
                Assert.Equal(x < fit.ImageWidth && y < fit.ImageHeight ? (220 - 127) / 128f : 0, tensor[i], x < fit.ImageWidth && y < fit.ImageHeight ? 0.01f : 0f);
            }
        }
    }

    [Theory]
    [InlineData(1920, 1080, 960, 544, float.MaxValue)]
    [InlineData(250, 250, 256, 256, 1f)]
    [InlineData(777, 431, 320, 256, float.MaxValue)]
    [InlineData(40, 30, 320, 240, float.MaxValue)]
    public void ToFrame_GridPoint_UndoesTheFit(int width, int height, int gridWidth, int gridHeight, float maximum)
    {
        LetterboxTransform fit = LetterboxTransform.Fit(width, height, gridWidth, gridHeight, maximum);
        Assert.True(fit.Scale <= maximum && fit.ImageWidth <= gridWidth && fit.ImageHeight <= gridHeight);
        Assert.Equal(width * fit.Scale, fit.ImageWidth, 0.51f);
        Assert.Equal(height * fit.Scale, fit.ImageHeight, 0.51f);
        var frameBox = new FaceBox(0.1f * width, 0.2f * height, 0.7f * width, 0.9f * height);
        float s = fit.Scale;
        FaceBox back = fit.ToFrame(new FaceBox(frameBox.Left * s, frameBox.Top * s, frameBox.Right * s, frameBox.Bottom * s));
        Assert.Equal(frameBox.Left, back.Left, 1e-3f);
        Assert.Equal(frameBox.Bottom, back.Bottom, 1e-3f);
        var point = new PointF(0.3f * width, 0.6f * height);
        var onGrid = new PointF(point.X * s, point.Y * s);
        Landmarks5 points = fit.ToFrame(new Landmarks5(onGrid, onGrid, onGrid, onGrid, onGrid));
        foreach (PointF p in new[] { points.LeftEye, points.RightEye, points.Nose, points.LeftMouth, points.RightMouth })
        {
            Assert.Equal(point.X, p.X, 1e-3f);
            Assert.Equal(point.Y, p.Y, 1e-3f);
        }
    }

    [Theory]
    [InlineData(100, 50)]
    [InlineData(61, 93)]
    [InlineData(32, 33)]
    public void Halve_FilledTensor_IsTheMeanOfFourAndZeroBeyond(int width, int height)
    {
        var frame = new TestFrame(PixelFormat.I444, width, height);
        for (int plane = 0; plane < 3; plane++)
            new Random(plane).NextBytes(frame.Plane(plane));
        LetterboxTransform whole = Padded(width, height, 1), half = Padded(width, height, 0.5f);
        float[] source = Fill(frame, whole, Normalised, whole.GridWidth, whole.GridHeight);
        using var from = new GuardedMemory(source.Length * sizeof(float));
        using var to = new GuardedMemory(3 * half.GridWidth * half.GridHeight * sizeof(float));
        source.CopyTo(new Span<float>((float*)from.Start, source.Length));
        float* result = (float*)to.Start;
        new Span<float>(result, 3 * half.GridWidth * half.GridHeight).Fill(float.NaN);

        Letterbox.Halve((float*)from.Start, whole, result, half);

        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < half.GridHeight; y++)
            {
                for (int x = 0; x < half.GridWidth; x++)
                {
                    double sum = 0;
                    for (int k = 0; k < 4; k++)
                    {
                        int column = (2 * x) + (k % 2), row = (2 * y) + (k / 2);
                        sum += column < whole.GridWidth && row < whole.GridHeight ? source[(((c * whole.GridHeight) + row) * whole.GridWidth) + column] : 0;
                    }
                    Assert.Equal(sum / 4, result[(((c * half.GridHeight) + y) * half.GridWidth) + x], 1e-6);
                }
            }
        }
    }

    private static LetterboxTransform Padded(int width, int height, float scale) =>
        LetterboxTransform.Fit(width, height, ((int)MathF.Round(width * scale) + 31) / 32 * 32, ((int)MathF.Round(height * scale) + 31) / 32 * 32, scale);

    private static float[] Fill(TestFrame frame, LetterboxTransform fit, ModelInput input, int gridWidth, int gridHeight)
    {
        using var memory = new GuardedMemory(3 * gridWidth * gridHeight * sizeof(float));
        float* tensor = (float*)memory.Start;
        new Span<float>(tensor, 3 * gridWidth * gridHeight).Fill(float.NaN);
        using var letterbox = new Letterbox();
        letterbox.Fill(frame.View, fit, input, tensor);
        return new Span<float>(tensor, 3 * gridWidth * gridHeight).ToArray();
    }
}
