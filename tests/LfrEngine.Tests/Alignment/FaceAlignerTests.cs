using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Models;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using Xunit;

namespace LfrEngine.Tests.Aligning;

/// <summary>Against OpenCV: its JPEG decoder, its warp, its network runtime on the published file.</summary>
public sealed unsafe class FaceAlignerTests
{
    private const int Size = AlignmentTransform.GridSize;
    private const int Images = 100;

    private static readonly ModelInput Plain = new("input", ChannelOrder.Bgr, [0, 0, 0], [1, 1, 1]);

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(1.4f, 25f)]
    [InlineData(0.4f, -60f)]
    [InlineData(1.2f, 200f)]
    public void Align_SmoothFrame_EqualsOpenCvWarp(float faceScale, float degrees)
    {
        (double R, double G, double B) Colour(double x, double y) =>
            (128 + (80 * Math.Sin(x / 17)), 128 + (80 * Math.Cos(y / 13)), 128 + (60 * Math.Sin((x - y) / 19)));
        TestFrame frame = new TestFrame(PixelFormat.I444, 320, 240, padding: 5).Paint(Colour);
        using var image = new Mat(240, 320, MatType.CV_8UC3);
        for (int y = 0; y < 240; y++)
        {
            for (int x = 0; x < 320; x++)
            {
                (double r, double g, double b) = Colour(x + 0.5, y + 0.5);
                image.Set(y, x, new Vec3b((byte)Math.Round(b), (byte)Math.Round(g), (byte)Math.Round(r)));
            }
        }
        AlignmentTransform transform = Turned(faceScale, degrees, 160, 120);
        using Mat expected = Warp(image, transform);
        float[] crop = Align(frame, transform, Plain);
        Assert.True(MeanDifference(expected, crop, Plain) < 0.8, $"{MeanDifference(expected, crop, Plain):f3}");
    }

    [Theory]
    [InlineData(PixelFormat.I420)]
    [InlineData(PixelFormat.Nv12)]
    [InlineData(PixelFormat.I422)]
    public void Align_SubsampledRamp_IsTheRampOnTheGrid(PixelFormat format)
    {
        TestFrame frame = new TestFrame(format, 200, 200, ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left, 3)
            .Paint((x, y) => (40 + x, 40 + y, 230 - (x / 2) - (y / 2)));
        // Smaller, equal, and a face four times as large as the grid, which is averaged.
        foreach ((float scale, float degrees) in new[] { (1f, 0f), (0.6f, 30f), (1.5f, -12f) })
        {
            AlignmentTransform transform = Turned(scale, degrees, 100, 100);
            float[] crop = Align(frame, transform, Plain);
            for (int y = 0; y < Size; y += 3)
            {
                for (int x = 0; x < Size; x += 3)
                {
                    PointF at = transform.ToFrame(new PointF(x + 0.5f, y + 0.5f));
                    if (at.X is < 4 or > 196 || at.Y is < 4 or > 196)
                        continue;
                    Assert.Equal(230 - (at.X / 2) - (at.Y / 2), crop[(y * Size) + x], 2.2f);
                    Assert.Equal(40 + at.Y, crop[(Size * Size) + (y * Size) + x], 2.2f);
                    Assert.Equal(40 + at.X, crop[(2 * Size * Size) + (y * Size) + x], 2.2f);
                }
            }
        }
    }

    [Fact]
    public void Align_FaceFarLargerThanTheGrid_DoesNotAlias()
    {
        // A checkerboard of single pixels: its mean is 127.5, and any single sample is 0 or 255.
        TestFrame frame = new TestFrame(PixelFormat.Grey, 500, 500).Paint((x, y) => ((int)x + (int)y) % 2 == 0 ? (255, 255, 255) : (0, 0, 0));
        float[] crop = Align(frame, Turned(4, 0, 250, 250), Plain);
        Assert.All(crop, value => Assert.Equal(127.5f, value, 3f));
    }

    [Fact]
    public void Align_OutsideTheFrame_RepeatsTheEdge()
    {
        TestFrame frame = new TestFrame(PixelFormat.I420, 51, 37).Paint((_, _) => (180, 120, 90));
        foreach ((float x, float y) in new[] { (-500f, 20f), (20f, 900f), (0f, 0f), (51f, 37f) })
        {
            float[] crop = Align(frame, Turned(1, 10, x, y), Plain);
            for (int i = 0; i < Size * Size; i++)
            {
                Assert.Equal(90, crop[i], 1.5f);
                Assert.Equal(120, crop[(Size * Size) + i], 1.5f);
                Assert.Equal(180, crop[(2 * Size * Size) + i], 1.5f);
            }
        }
    }

    /// <summary>The same transform on the same JPEG, both halves of it by OpenCV: crop within 1 grey level, embedding within 0.001.</summary>
    [Fact]
    public void AlignAndEmbed_HundredPortraits_EqualOpenCv()
    {
        string[] portraits = LfwFaces.Portraits(Images);
        ModelInput input = TestModels.Embedder.Manifest.Input;
        using Net network = CvDnn.ReadNetFromOnnx(RepoRoot.RestoredModel("fr_feature.onnx"))!;
        using var faces = new LfwFaces();
        using var embedder = new Embedder(TestModels.Embedder);
        var embedding = new float[embedder.Length];
        Span<float> norm = stackalloc float[1];
        double sum = 0, worstDifference = 0, cosines = 0, lowest = 1;
        int compared = 0;
        var failures = new List<string>();
        foreach (string path in portraits)
        {
            using HostBuffer<float>? crop = faces.Crop(path, out AlignmentTransform transform, out _, out _);
            if (crop is null)
                continue;
            using Mat image = Cv2.ImRead(path, ImreadModes.Color);
            using Mat warped = Warp(image, transform);
            double difference = MeanDifference(warped, crop.Span, input);
            sum += difference;
            worstDifference = Math.Max(worstDifference, difference);

            using Mat blob = CvDnn.BlobFromImage(warped, 1 / 128.0, new Size(Size, Size), Scalar.All(127.5), swapRB: false, crop: false);
            network.SetInput(blob);
            using Mat output = network.Forward();
            var expected = new float[embedder.Length];
            System.Runtime.InteropServices.Marshal.Copy(output.Data, expected, 0, expected.Length);
            embedder.Embed([crop], embedding, norm);
            double cosine = TensorPrimitives.CosineSimilarity<float>(expected, embedding);
            if (cosine < 0.999)
                failures.Add($"{path}: cosine {cosine:f5}, crop difference {difference:f2}");
            lowest = Math.Min(lowest, cosine);
            cosines += cosine;
            compared++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{compared} portraits: crop difference mean {sum / compared:f3}, worst {worstDifference:f3} grey levels; cosine lowest {lowest:f6}, mean {cosines / compared:f6}");
        Assert.Empty(failures);
        Assert.True(compared >= 98, $"{compared} of {portraits.Length} faces were found.");
        Assert.True(sum / compared <= 1, $"{sum / compared:f3} grey levels");
    }

    // Frame to grid for a face whose middle lies at (x, y), this many frame pixels per grid pixel, turned clockwise.
    private static AlignmentTransform Turned(float faceScale, float degrees, float x, float y)
    {
        double radians = degrees * Math.PI / 180;
        float a = (float)(Math.Cos(radians) / faceScale), b = (float)(-Math.Sin(radians) / faceScale);
        return new AlignmentTransform(a, b, (Size / 2) - ((a * x) - (b * y)), (Size / 2) - ((b * x) + (a * y)));
    }

    // OpenCV counts pixel centres at whole numbers: half a pixel goes before and comes off after. Warped as floats: a crop rounded to
    // 8 bits would bring a difference of its own (one portrait of the hundred fell to a cosine of 0.9989; without it, the lowest is 0.9991).
    private static Mat Warp(Mat image, in AlignmentTransform t)
    {
        using var matrix = new Mat(2, 3, MatType.CV_64FC1);
        double[] values =
        [
            t.A, -t.B, t.Tx + (0.5 * t.A) - (0.5 * t.B) - 0.5,
            t.B, t.A, t.Ty + (0.5 * t.B) + (0.5 * t.A) - 0.5,
        ];
        for (int i = 0; i < 6; i++)
            matrix.Set(i / 3, i % 3, values[i]);
        var warped = new Mat();
        using var floats = new Mat();
        image.ConvertTo(floats, MatType.CV_32FC3);
        Cv2.WarpAffine(floats, warped, matrix, new Size(Size, Size), InterpolationFlags.Linear, BorderTypes.Replicate);
        return warped;
    }

    private static float[] Align(TestFrame frame, in AlignmentTransform transform, ModelInput input)
    {
        var crop = new float[FaceAligner.CropLength];
        fixed (float* c = crop)
            FaceAligner.Align(frame.View, transform, input, c);
        return crop;
    }

    private static double MeanDifference(Mat bgr, ReadOnlySpan<float> crop, ModelInput input)
    {
        Assert.Equal(ChannelOrder.Bgr, input.Channels);
        double sum = 0;
        for (int y = 0; y < Size; y++)
        {
            for (int x = 0; x < Size; x++)
            {
                Vec3f pixel = bgr.At<Vec3f>(y, x);
                for (int c = 0; c < 3; c++)
                    sum += Math.Abs(pixel[c] - (crop[(c * Size * Size) + (y * Size) + x] / input.Scale[c]) - input.Mean[c]);
            }
        }
        return sum / (3 * Size * Size);
    }
}
