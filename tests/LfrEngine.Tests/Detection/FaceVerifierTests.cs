using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Detection;

[Collection(CountsRentedBuffers.Name)]
public sealed class FaceVerifierTests
{
    /// <summary>Faces and pieces of the background, each with a high detector score: the two networks distinguish them.</summary>
    [Fact]
    public void Weigh_FacesAndBackground_TellsThemApart()
    {
        using var faces = new LfwFaces();
        using FaceVerifier verifier = Verifier();
        var real = new List<float>();
        var none = new List<float>();
        Span<FaceCandidate> candidates = new FaceCandidate[2];
        Span<float> evidence = new float[2];
        foreach (string path in LfwFaces.Portraits(40))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            candidates[0] = new FaceCandidate { Box = face.Box, Score = 0.9f };
            candidates[1] = new FaceCandidate { Box = new FaceBox(2, 200, 38, 248), Score = 0.9f };
            verifier.Weigh(view, candidates, evidence);
            real.Add(evidence[0]);
            none.Add(evidence[1]);
            Assert.True(candidates[0].Box.IoU(face.Box) > 0.6f, path);
            Assert.True(verifier.MeanScore(view, face.Box) >= 0.35f, path);
        }
        real.Sort();
        none.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"faces from {real[0]:f2}, background up to {none[^1]:f2}, median {none[none.Count / 2]:f2}");
        Assert.True(real[0] > 3, $"The weakest face has {real[0]:f2}.");
        Assert.True(none[(int)(none.Count * 0.9)] < 2, $"One in ten of the background has more than {none[(int)(none.Count * 0.9)]:f2}.");
    }

    /// <summary>A face that the detector proposes twice and a piece of the background: one face is left, scored by what all three networks say.</summary>
    [Fact]
    public void Sift_OneFaceTwiceAndBackground_LeavesOneFace()
    {
        using var faces = new LfwFaces();
        using FaceVerifier verifier = Verifier();
        using var list = new CandidateList(16);
        int looked = 0;
        foreach (string path in LfwFaces.Portraits(20))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceBox box = face.Box;
            list.Clear();
            list.Add(new FaceCandidate { Box = new FaceBox(1, 215, 25, 245), Score = 0.31f });
            list.Add(new FaceCandidate { Box = box, Score = 0.7f });
            list.Add(new FaceCandidate { Box = new FaceBox(box.Left + (0.1f * box.Width), box.Top, box.Right + (0.1f * box.Width), box.Bottom), Score = 0.5f });
            verifier.Sift(view, list, FaceVerifier.MinimumEvidence);
            Assert.Equal(1, list.Count);
            Assert.True(list.Items[0].Box.IoU(box) > 0.6f && list.Items[0].Score > 0.95f, $"{path}: {list.Items[0].Score:f3}");
            looked++;
        }
        Assert.True(looked >= 19);
    }

    /// <summary>Eight at a time and one at a time are the same, to the rounding of float32.</summary>
    [Fact]
    public void Weigh_MoreThanABatch_EqualsOneByOne()
    {
        using FaceVerifier verifier = Verifier();
        TestFrame frame = Noise();
        var random = new Random(3);
        FaceCandidate[] together = new FaceCandidate[11], single = new FaceCandidate[11];
        for (int i = 0; i < together.Length; i++)
        {
            (float x, float y, float side) = (random.Next(-20, 140), random.Next(-20, 100), random.Next(5, 60));
            together[i] = single[i] = new FaceCandidate { Box = new FaceBox(x, y, x + side, y + (1.2f * side)), Score = 0.3f + (0.06f * i) };
        }
        var expected = new float[11];
        var actual = new float[11];
        verifier.Weigh(frame.View, together, actual);
        for (int i = 0; i < single.Length; i++)
            verifier.Weigh(frame.View, single.AsSpan(i, 1), expected.AsSpan(i, 1));
        for (int i = 0; i < single.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 3);
            Assert.Equal(single[i].Box.Left, together[i].Box.Left, 2);
            Assert.Equal(single[i].Box.Bottom, together[i].Box.Bottom, 2);
        }
    }

    /// <summary>Without O-net where its word cannot change the side: the side is that of all three.</summary>
    [Fact]
    public void WeighAgainst_AnyLimit_IsOnTheSideOfAllThree()
    {
        using FaceVerifier verifier = Verifier();
        TestFrame frame = Noise();
        var random = new Random(4);
        Span<float> evidence = new float[1];
        for (int i = 0; i < 40; i++)
        {
            (float x, float y, float side) = (random.Next(-20, 140), random.Next(-20, 100), random.Next(5, 60));
            var face = new FaceCandidate { Box = new FaceBox(x, y, x + side, y + (1.2f * side)), Score = random.NextSingle() };
            verifier.Weigh(frame.View, new FaceCandidate[] { face }, evidence);
            foreach (float limit in (float[])[evidence[0] - 20, evidence[0] - 3, evidence[0] - 0.01f, evidence[0] + 0.01f, evidence[0] + 3, evidence[0] + 20])
                Assert.Equal(evidence[0] >= limit, verifier.WeighAgainst(frame.View, face, limit) >= limit);
        }
    }

    [Theory]
    [InlineData(-50, -40, 30, 40)]
    [InlineData(150, 110, 400, 300)]
    [InlineData(40, 40, 40, 40)]
    [InlineData(40, 40, 20, 20)]
    public void Weigh_OddBox_StillAnswers(float left, float top, float right, float bottom)
    {
        using FaceVerifier verifier = Verifier();
        FaceCandidate[] faces = [new FaceCandidate { Box = new FaceBox(left, top, right, bottom), Score = 1 }];
        var evidence = new float[1];
        FrameView view = Noise().View;
        verifier.Weigh(view, faces, evidence);
        Assert.True(float.IsFinite(evidence[0]));
        Assert.InRange(verifier.MeanScore(view, faces[0].Box), 0, 1);
    }

    [Fact]
    public void Dispose_GivesEverythingBack()
    {
        _ = TestModels.BlazeFace;
        _ = TestModels.Onet;
        long before = BufferPool.OutstandingBlocks;
        Verifier().Dispose();
        Assert.Throws<ModelLoadException>(() => new FaceVerifier(TestModels.Onet, TestModels.BlazeFace));
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    private static FaceVerifier Verifier() => new(TestModels.BlazeFace, TestModels.Onet);

    private static TestFrame Noise()
    {
        var frame = new TestFrame(PixelFormat.I420, 160, 120);
        var random = new Random(8);
        for (int plane = 0; plane < 3; plane++)
            random.NextBytes(frame.Plane(plane));
        return frame;
    }
}
