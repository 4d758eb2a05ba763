using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Models;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using Xunit;

namespace LfrEngine.Tests.Aligning;

public sealed unsafe class LandmarkFinderTests
{
    private const int CropSize = 64;

    [Fact]
    public void Find_Portraits_EqualsOpenCv()
    {
        string[] portraits = LfwFaces.Portraits(20);
        using Net network = CvDnn.ReadNetFromOnnx(RepoRoot.RestoredModel("fr_landmark.onnx"))!;
        using var faces = new LfwFaces();
        double worst = 0;
        int compared = 0;
        foreach (string path in portraits)
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceLandmarks found = faces.Finder.Find(view, face.Box);

            using Mat grey = Cv2.ImRead(path, ImreadModes.Grayscale);
            PointF[] first = Pass(network, grey, face.Box);
            PointF[] second = Pass(network, grey, Around(first));
            PointF[] expected = [Mean(second[36..42]), Mean(second[42..48]), second[30], second[48], second[54]];
            PointF[] actual = List(found.Points);
            for (int i = 0; i < 5; i++)
            {
                double distance = Math.Sqrt(Math.Pow(expected[i].X - actual[i].X, 2) + Math.Pow(expected[i].Y - actual[i].Y, 2));
                Assert.True(distance <= 1.5, $"{path}: point {i} is {distance:f2} px away.");
                worst = Math.Max(worst, distance);
            }
            Assert.InRange(found.Disagreement, 0f, 0.2f);
            compared++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{compared} portraits, farthest point {worst:f2} px");
        Assert.True(compared >= 19, $"{compared} of {portraits.Length} faces were found.");
    }

    /// <summary>A face that is too far away after the first pass is not looked at again; one that is near enough gets both passes.</summary>
    [Fact]
    public void Find_EyesTooCloseAfterTheFirstPass_SparesTheSecond()
    {
        using var faces = new LfwFaces();
        int compared = 0;
        foreach (string path in LfwFaces.Portraits(5))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceLandmarks both = faces.Finder.Find(view, face.Box);
            Assert.Equal(both, faces.Finder.Find(view, face.Box, both.Points.InterEyePixels / 2));
            FaceLandmarks one = faces.Finder.Find(view, face.Box, both.Points.InterEyePixels * 2);
            Assert.Equal(0, one.Disagreement);
            Assert.NotEqual(0, both.Disagreement);
            Assert.InRange(one.Points.InterEyePixels, both.Points.InterEyePixels * 0.8f, both.Points.InterEyePixels * 1.2f);
            compared++;
        }
        Assert.True(compared >= 4);
    }

    [Fact]
    public void Find_UprightFaces_PutsLeftLeftAndEyesAbove()
    {
        using var faces = new LfwFaces();
        foreach (string path in LfwFaces.Portraits(50))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceLandmarks found = faces.Finder.Find(view, face.Box);
            Landmarks5 p = found.Points;
            Assert.True(p.LeftEye.X < p.RightEye.X && p.LeftMouth.X < p.RightMouth.X, path);
            Assert.True(Math.Max(p.LeftEye.Y, p.RightEye.Y) < Math.Min(p.LeftMouth.Y, p.RightMouth.Y), path);
            Assert.True(found.Box.IoU(face.Box) > 0.5f, path);
        }
    }

    [Fact]
    public void Find_BoxPartlyOutside_StillFindsThePoints()
    {
        using var faces = new LfwFaces();
        int compared = 0;
        foreach (string path in LfwFaces.Portraits(10))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceLandmarks whole = faces.Finder.Find(view, face.Box);
            // The frame begins a tenth of a face inside the face.
            int cut = (int)(face.Box.Left + (0.1f * face.Box.Width));
            var cropped = new TestFrame(PixelFormat.Grey, view.Width - cut, view.Height);
            for (int y = 0; y < view.Height; y++)
                new ReadOnlySpan<byte>(view.Y + ((long)y * view.LumaStride) + cut, view.Width - cut).CopyTo(cropped.Plane(0)[(y * (view.Width - cut))..]);
            FaceLandmarks part = faces.Finder.Find(cropped.View, new FaceBox(face.Box.Left - cut, face.Box.Top, face.Box.Right - cut, face.Box.Bottom));
            PointF[] expected = List(whole.Points), actual = List(part.Points);
            for (int i = 0; i < 5; i++)
            {
                Assert.Equal(expected[i].X - cut, actual[i].X, 0.1f * face.Box.Width);
                Assert.Equal(expected[i].Y, actual[i].Y, 0.1f * face.Box.Height);
            }
            compared++;
        }
        Assert.True(compared >= 9);
    }

    [Fact]
    public void Find_FlatFrameOrTinyBox_ReturnsNumbers()
    {
        using var finder = new LandmarkFinder(TestModels.Landmarks);
        var frame = new TestFrame(PixelFormat.Grey, 40, 30);
        foreach (FaceBox box in new[] { new FaceBox(5, 5, 25, 25), new FaceBox(3, 3, 3.2f, 3.1f), new FaceBox(-400, -400, -300, -300), new FaceBox(10, 10, 5, 5) })
        {
            FaceLandmarks found = finder.Find(frame.View, box);
            Assert.All(List(found.Points), p => Assert.True(float.IsFinite(p.X) && float.IsFinite(p.Y)));
            Assert.True(float.IsFinite(found.Disagreement) && found.Disagreement >= 0);
        }
    }

    [Fact]
    public void Constructor_OtherFamily_SaysWhich()
    {
        OnnxModel model = TestModels.Embedder;
        var e = Assert.Throws<ModelLoadException>(() => new LandmarkFinder(model));
        Assert.Contains("mobilefacenet-512", e.Message, StringComparison.Ordinal);
        Assert.Contains("landmarks68", e.Message, StringComparison.Ordinal);
    }

    // Four samples a grid pixel with OpenCV's warp, then its area average: another way to the same 64×64 crop.
    private static PointF[] Pass(Net network, Mat grey, FaceBox box)
    {
        const int Fine = 4 * CropSize;
        double scaleX = box.Width / (double)Fine, scaleY = box.Height / (double)Fine;
        using var matrix = new Mat(2, 3, MatType.CV_64FC1);
        double[] values = [scaleX, 0, box.Left + (0.5 * scaleX) - 0.5, 0, scaleY, box.Top + (0.5 * scaleY) - 0.5];
        for (int i = 0; i < 6; i++)
            matrix.Set(i / 3, i % 3, values[i]);
        using var fine = new Mat();
        Cv2.WarpAffine(grey, fine, matrix, new Size(Fine, Fine), InterpolationFlags.Linear | InterpolationFlags.WarpInverseMap, BorderTypes.Replicate);
        using var crop = new Mat();
        Cv2.Resize(fine, crop, new Size(CropSize, CropSize), 0, 0, InterpolationFlags.Area);
        using Mat blob = CvDnn.BlobFromImage(crop, 1 / 256.0, new Size(CropSize, CropSize), default, swapRB: false, crop: false);
        network.SetInput(blob);
        using Mat output = network.Forward();
        var points = new PointF[68];
        float* p = (float*)output.Data;
        for (int i = 0; i < 68; i++)
            points[i] = new PointF(box.Left + (p[2 * i] * box.Width), box.Top + (p[(2 * i) + 1] * box.Height));
        return points;
    }

    // The second pass' box: the points' bounds, widened by the measured offsets of the detector's box.
    private static FaceBox Around(PointF[] points)
    {
        float left = points.Min(p => p.X), right = points.Max(p => p.X), top = points.Min(p => p.Y), bottom = points.Max(p => p.Y);
        float width = right - left, height = bottom - top;
        return new FaceBox(left - (0.022f * width), top - (0.313f * height), right + (0.036f * width), bottom + (0.069f * height));
    }

    private static PointF Mean(PointF[] points) => new(points.Average(p => p.X), points.Average(p => p.Y));

    private static PointF[] List(in Landmarks5 p) => [p.LeftEye, p.RightEye, p.Nose, p.LeftMouth, p.RightMouth];
}
