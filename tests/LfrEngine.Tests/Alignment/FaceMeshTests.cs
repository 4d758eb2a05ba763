using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Aligning;

[Collection(CountsRentedBuffers.Name)]
public sealed class FaceMeshTests
{
    /// <summary>Two networks that know nothing of each other put the eyes, the nose and the mouth in the same places.</summary>
    [Fact]
    public void Find_Portraits_AgreesWithThe68Points()
    {
        using var faces = new LfwFaces();
        using FaceMesh mesh = Mesh();
        Span<PointF> points = new PointF[FaceMesh.PointCount];
        var distances = new List<float>();
        foreach (string path in LfwFaces.Portraits(40))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            Landmarks5 expected = faces.Finder.Find(view, face.Box).Points;
            Assert.True(mesh.Find(view, face.Box, points) > 5, path);
            Landmarks5 found = FaceMesh.Reduce(points);
            distances.Add((Distance(expected.LeftEye, found.LeftEye) + Distance(expected.RightEye, found.RightEye) + Distance(expected.LeftMouth, found.LeftMouth) + Distance(expected.RightMouth, found.RightMouth)) / (4 * expected.InterEyePixels));
        }
        distances.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"{distances.Count} faces; mean distance of eyes and mouth corners, in shares of the distance of the eyes: median {distances[distances.Count / 2]:f3}, largest {distances[^1]:f3}");
        Assert.True(distances.Count >= 38);
        Assert.InRange(distances[distances.Count / 2], 0, 0.08f);
        Assert.InRange(distances[(int)(distances.Count * 0.9)], 0, 0.16f);
    }

    /// <summary>The second pass makes the points all but independent of where the detector's box lies.</summary>
    [Fact]
    public void Find_AnotherBox_PutsThePointsOnTheSameSpots()
    {
        using var faces = new LfwFaces();
        using FaceMesh mesh = Mesh();
        Span<PointF> first = new PointF[FaceMesh.PointCount], second = new PointF[FaceMesh.PointCount];
        var moved = new List<float>();
        foreach (string path in LfwFaces.Portraits(20))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceBox box = face.Box;
            mesh.Find(view, box, first);
            mesh.Find(view, new FaceBox(box.Left + (0.1f * box.Width), box.Top - (0.1f * box.Height), box.Right + (0.05f * box.Width), box.Bottom - (0.05f * box.Height)), second);
            Landmarks5 a = FaceMesh.Reduce(first), b = FaceMesh.Reduce(second);
            moved.Add((Distance(a.LeftEye, b.LeftEye) + Distance(a.RightEye, b.RightEye)) / (2 * a.InterEyePixels));
        }
        moved.Sort();
        Assert.InRange(moved[moved.Count / 2], 0, 0.02f);
        Assert.InRange(moved[^1], 0, 0.08f);
    }

    /// <summary>No face in the picture: points all the same, but the presence says that there is none.</summary>
    [Fact]
    public void Find_NoFace_SaysSo()
    {
        using FaceMesh mesh = Mesh();
        Span<PointF> points = new PointF[FaceMesh.PointCount];
        var frame = new TestFrame(PixelFormat.Grey, 160, 120);
        for (int i = 0; i < frame.Plane(0).Length; i++)
            frame.Plane(0)[i] = (byte)(((i % 160) * 37) ^ (i / 160 * 11));
        Assert.True(mesh.Find(frame.View, new FaceBox(30, 20, 110, 100), points) < 0);
    }

    /// <summary>Boxes at the edge, outside, empty and no numbers at all do not crash, and points stay numbers where the box was one.</summary>
    [Theory]
    [InlineData(-50, -40, 30, 40)]
    [InlineData(150, 110, 400, 300)]
    [InlineData(40, 40, 40, 40)]
    [InlineData(40, 40, 20, 20)]
    public void Find_OddBox_StillAnswers(float left, float top, float right, float bottom)
    {
        using FaceMesh mesh = Mesh();
        Span<PointF> points = new PointF[FaceMesh.PointCount];
        var frame = new TestFrame(PixelFormat.I420, 160, 120);
        Assert.True(float.IsFinite(mesh.Find(frame.View, new FaceBox(left, top, right, bottom), points)));
        foreach (PointF p in points)
            Assert.True(float.IsFinite(p.X) && float.IsFinite(p.Y));
    }

    [Fact]
    public void Dispose_GivesEverythingBack()
    {
        TestModels.RestoredFile("mesh-468");
        long before = BufferPool.OutstandingBlocks;
        using (OnnxModel model = OnnxModel.Load(TestModels.Catalog, TestModels.Manifest("mesh-468")))
            new FaceMesh(model).Dispose();
        Assert.Equal(before, BufferPool.OutstandingBlocks);
        Assert.Throws<ModelLoadException>(() => new FaceMesh(TestModels.Embedder));
    }

    private static FaceMesh Mesh() => new(TestModels.Mesh);

    private static float Distance(PointF a, PointF b) => MathF.Sqrt(((a.X - b.X) * (a.X - b.X)) + ((a.Y - b.Y) * (a.Y - b.Y)));
}
