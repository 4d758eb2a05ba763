using System.Text.Json;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using Xunit;

namespace LfrEngine.Tests.Detection;

public sealed class NonMaximumSuppressionTests
{
    // float32 here against double there, coordinates of a few hundred pixels.
    private const double PixelTolerance = 1e-3;
    private const double ScoreTolerance = 1e-6;

    [Fact]
    public void Greedy_SeededBoxes_EqualsGolden()
    {
        using JsonDocument golden = DetectorGolden.Read("nms");
        using CandidateList faces = FromGolden(golden.RootElement);

        NonMaximumSuppression.Greedy(faces, golden.RootElement.GetProperty("iouThreshold").GetSingle());

        AssertFaces(golden.RootElement.GetProperty("greedy"), faces);
    }

    [Fact]
    public void Blend_SeededBoxes_EqualsGolden()
    {
        using JsonDocument golden = DetectorGolden.Read("nms");
        using CandidateList faces = FromGolden(golden.RootElement);

        NonMaximumSuppression.Blend(faces, golden.RootElement.GetProperty("iouThreshold").GetSingle());

        AssertFaces(golden.RootElement.GetProperty("blend"), faces);
    }

    [Fact]
    public void DropNested_SeededBoxes_EqualsGolden()
    {
        using JsonDocument golden = DetectorGolden.Read("nms");
        using CandidateList faces = FromGolden(golden.RootElement);

        NonMaximumSuppression.DropNested(faces, golden.RootElement.GetProperty("containment").GetSingle());

        AssertFaces(golden.RootElement.GetProperty("nested"), faces);
    }

    [Theory]
    [InlineData(1, 0.3f)]
    [InlineData(2, 0.5f)]
    [InlineData(3, 0.7f)]
    public void Greedy_RandomBoxes_EqualsOpenCv(int seed, float threshold)
    {
        var random = new Random(seed);
        const int Count = 500;
        using var faces = new CandidateList(Count);
        var boxes = new Rect2d[Count];
        var scores = new float[Count];
        for (int i = 0; i < Count; i++)
        {
            FaceCandidate face = Face(random.NextSingle(), random.Next(300), random.Next(300), random.Next(20, 120), random.Next(20, 120));
            faces.Add(face);
            boxes[i] = new Rect2d(face.Box.Left, face.Box.Top, face.Box.Width, face.Box.Height);
            scores[i] = face.Score;
        }

        CvDnn.NMSBoxes(boxes, scores, 0, threshold, out int[] expected);
        NonMaximumSuppression.Greedy(faces, threshold);

        Assert.Equal(expected.Length, faces.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(scores[expected[i]], faces.Items[i].Score);
            Assert.Equal(boxes[expected[i]].X, faces.Items[i].Box.Left);
            Assert.Equal(boxes[expected[i]].Y, faces.Items[i].Box.Top);
        }
    }

    [Fact]
    public void Greedy_EqualScores_OrdersByCoordinates()
    {
        using var one = new CandidateList(8);
        using var other = new CandidateList(8);
        int[] lefts = [300, 0, 100, 200];
        foreach (int left in lefts)
            one.Add(Face(0.5f, left, 0, 10, 10));
        foreach (int left in lefts.Reverse())
            other.Add(Face(0.5f, left, 0, 10, 10));

        NonMaximumSuppression.Greedy(one, 0.5f);
        NonMaximumSuppression.Greedy(other, 0.5f);

        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(100 * i, one.Items[i].Box.Left);
            Assert.Equal(one.Items[i].Box, other.Items[i].Box);
        }
    }

    [Fact]
    public void Greedy_OverlapExactlyAtThreshold_Suppresses()
    {
        using var faces = new CandidateList(2);
        faces.Add(Face(0.9f, 0, 0, 10, 10));
        faces.Add(Face(0.8f, 0, 0, 10, 5)); // IoU 0.5

        NonMaximumSuppression.Greedy(faces, MathF.BitIncrement(0.5f));
        Assert.Equal(2, faces.Count);
        NonMaximumSuppression.Greedy(faces, 0.5f);
        Assert.Equal(1, faces.Count);
    }

    [Fact]
    public void Blend_TwoOverlapping_WeighsByScore()
    {
        using var faces = new CandidateList(3);
        faces.Add(Face(0.25f, 4, 4, 100, 100));
        faces.Add(Face(0.75f, 0, 0, 100, 100));
        faces.Add(Face(0.5f, 500, 0, 100, 100));

        NonMaximumSuppression.Blend(faces, 0.5f);

        Assert.Equal(2, faces.Count);
        Assert.Equal(new FaceBox(1, 1, 101, 101), faces.Items[0].Box);
        Assert.Equal(0.75f, faces.Items[0].Score);
        Assert.Equal(1, faces.Items[0].Landmarks.Nose.X); // (0.75 · 0 + 0.25 · 4): the tests put the nose at the corner
        Assert.Equal(new FaceBox(500, 0, 600, 100), faces.Items[1].Box);
    }

    [Fact]
    public void Blend_MemberWithoutLandmarks_KeepsTheBestOnes()
    {
        using var faces = new CandidateList(2);
        FaceCandidate bare = Face(0.5f, 4, 0, 100, 100);
        bare.HasLandmarks = false;
        faces.Add(Face(0.5f, 0, 0, 100, 100));
        faces.Add(bare);

        NonMaximumSuppression.Blend(faces, 0.5f);

        Assert.Equal(1, faces.Count);
        Assert.True(faces.Items[0].HasLandmarks);
        Assert.Equal(2, faces.Items[0].Box.Left);
        Assert.Equal(0, faces.Items[0].Landmarks.Nose.X);
    }

    [Fact]
    public void Blend_ScoresOfZero_StaysFinite()
    {
        using var faces = new CandidateList(2);
        faces.Add(Face(0, 0, 0, 10, 10));
        faces.Add(Face(0, 1, 0, 10, 10));

        NonMaximumSuppression.Blend(faces, 0.5f);

        Assert.Equal(1, faces.Count);
        Assert.Equal(new FaceBox(0, 0, 10, 10), faces.Items[0].Box);
    }

    [Fact]
    public void DropNested_SmallInsideBetter_IsDropped()
    {
        using var faces = new CandidateList(3);
        faces.Add(Face(0.9f, 0, 0, 100, 100));
        faces.Add(Face(0.8f, 90, 0, 40, 10)); // a quarter inside
        faces.Add(Face(0.7f, 10, 10, 20, 20)); // wholly inside

        NonMaximumSuppression.DropNested(faces, 0.25f);

        Assert.Equal(2, faces.Count);
        Assert.Equal(0.8f, faces.Items[1].Score);
    }

    [Fact]
    public void DropNested_SmallIsBetter_BothStay()
    {
        using var faces = new CandidateList(2);
        faces.Add(Face(0.7f, 0, 0, 100, 100));
        faces.Add(Face(0.9f, 10, 10, 20, 20));

        NonMaximumSuppression.DropNested(faces, 0.7f);

        Assert.Equal(2, faces.Count);
    }

    [Fact]
    public void AnyMethod_EmptyList_StaysEmpty()
    {
        using var faces = new CandidateList(4);

        NonMaximumSuppression.Greedy(faces, 0.5f);
        NonMaximumSuppression.Blend(faces, 0.5f);
        NonMaximumSuppression.DropNested(faces, 0.5f);

        Assert.Equal(0, faces.Count);
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void AnyMethod_ThresholdOutOfRange_Throws(float threshold)
    {
        using var faces = new CandidateList(4);

        Assert.Throws<ArgumentOutOfRangeException>(() => NonMaximumSuppression.Greedy(faces, threshold));
        Assert.Throws<ArgumentOutOfRangeException>(() => NonMaximumSuppression.Blend(faces, threshold));
        Assert.Throws<ArgumentOutOfRangeException>(() => NonMaximumSuppression.DropNested(faces, threshold));
    }

    [Fact]
    public void Suppressed_Faces_AreWiped()
    {
        using var faces = new CandidateList(64);
        for (int i = 0; i < 64; i++)
            faces.Add(Face(0.5f + (0.001f * i), i % 3, 0, 100, 100));
        Span<FaceCandidate> whole = faces.Items;

        NonMaximumSuppression.Blend(faces, 0.5f);

        Assert.Equal(1, faces.Count);
        foreach (ref readonly FaceCandidate face in whole[1..])
            Assert.Equal(default(FaceCandidate).Box, face.Box);
    }

    private static FaceCandidate Face(float score, float left, float top, float width, float height) => new()
    {
        Box = new FaceBox(left, top, left + width, top + height),
        Score = score,
        HasLandmarks = true,
        Landmarks = new Landmarks5(new(left, top), new(left, top), new(left, top), new(left, top), new(left, top)),
    };

    // The same draws as suppression() in make_detector_golden.py.
    private static CandidateList FromGolden(JsonElement golden)
    {
        int number = golden.GetProperty("number").GetInt32();
        int clusters = golden.GetProperty("clusters").GetInt32();
        var random = new Lcg(golden.GetProperty("seed").GetUInt32());
        var anchors = new (double X, double Y, double Side)[clusters];
        for (int i = 0; i < clusters; i++)
            anchors[i] = (random.Next(40, 400), random.Next(40, 400), random.Next(20, 80));
        var faces = new CandidateList(number);
        for (int i = 0; i < number; i++)
        {
            (double x, double y, double side) = anchors[i % clusters];
            float a = random.Next(-0.5, 0.5), b = random.Next(-0.5, 0.5), c = random.Next(-0.5, 0.5), d = random.Next(-0.5, 0.5);
            var face = new FaceCandidate
            {
                Score = random.Next(0, 1),
                Box = new FaceBox(
                    (float)(x + (side * a)), (float)(y + (side * b)), (float)(x + (side * (1.25 + c))), (float)(y + (side * (1.25 + d)))),
                HasLandmarks = true,
            };
            foreach (ref float coordinate in DetectorGolden.Coordinates(ref face))
                coordinate = random.Next(0, 400);
            faces.Add(face);
        }
        return faces;
    }

    private static void AssertFaces(JsonElement expected, CandidateList faces)
    {
        Assert.Equal(expected.GetArrayLength(), faces.Count);
        for (int i = 0; i < faces.Count; i++)
            DetectorGolden.AssertFace(expected[i], faces.Items[i], PixelTolerance, ScoreTolerance);
    }
}
