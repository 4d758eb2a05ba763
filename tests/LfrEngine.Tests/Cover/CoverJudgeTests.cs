using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Models;
using Xunit;

namespace LfrEngine.Tests.Cover;

public sealed unsafe class CoverJudgeTests
{
    private static readonly ModelInput Bgr = new("input", ChannelOrder.Bgr, [127.5f, 127.5f, 127.5f], [1 / 128f, 1 / 128f, 1 / 128f]);
    private static readonly ModelInput Rgb = new("input", ChannelOrder.Rgb, [0, 0, 0], [1 / 255f, 1 / 255f, 1 / 255f]);

    [Fact]
    public void Judge_CoversDrawnOnPortraits_NamesTheirPartsAndSparesUncoveredOnes()
    {
        using var faces = new LfwFaces();
        using var painter = new CoverPainter();
        (int Right, int All) plain = default;
        var hits = new Dictionary<CoverKind, (int Right, int All)>();
        PointF[] points = new PointF[LandmarkFinder.PointCount];
        foreach (string path in LfwFaces.Portraits(40))
        {
            if (faces.Open(path, points, out FaceCandidate face) is not { } opened)
                continue;
            using Picture picture = opened;
            plain = (plain.Right + (JudgeIn(picture, face.Box).Parts == FaceCover.None ? 1 : 0), plain.All + 1);
            foreach (CoverKind kind in Enum.GetValues<CoverKind>())
            {
                using Picture drawn = picture.Copy();
                painter.TryPaint(drawn, points, kind, plain.All);
                (int right, int all) = hits.GetValueOrDefault(kind);
                hits[kind] = (right + (JudgeIn(drawn, face.Box).Parts.HasFlag(kind.Parts()) ? 1 : 0), all + 1);
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"plain {plain}, {string.Join(", ", hits)}");
        Assert.True(plain.All > 30 && plain.Right >= 0.85 * plain.All, $"{plain}");
        foreach ((CoverKind kind, (int right, int all)) in hits)
            Assert.True(right >= 0.85 * all, $"{kind}: {right} of {all}");

        CoverJudgement JudgeIn(Picture picture, in FaceBox box)
        {
            Assert.True(AlignmentTransform.TryEstimate(faces.Finder.Find(picture.View, box).Points, out AlignmentTransform alignment));
            using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
            FaceAligner.Align(picture.View, alignment, TestModels.Embedder.Manifest.Input, crop.Pointer);
            return CoverJudge.Judge(crop.Pointer, TestModels.Embedder.Manifest.Input);
        }
    }

    [Fact]
    public void Measure_SameFaceForAnyEmbedder_GivesTheSameFeatures()
    {
        float[] bgr = Crop(Bgr), rgb = Crop(Rgb);
        float[] first = Features(bgr, Bgr), second = Features(rgb, Rgb);
        for (int i = 0; i < first.Length; i++)
            Assert.Equal(first[i], second[i], 1e-3f);
    }

    [Fact]
    public void Measure_MirroredFace_GivesTheSameFeatures()
    {
        const int Size = AlignmentTransform.GridSize;
        float[] crop = Crop(Bgr), mirrored = new float[crop.Length];
        for (int i = 0; i < crop.Length; i++)
            mirrored[i - (i % Size) + Size - 1 - (i % Size)] = crop[i];
        float[] first = Features(crop, Bgr), second = Features(mirrored, Bgr);
        for (int i = 0; i < first.Length; i++)
            Assert.Equal(first[i], second[i], 1e-3f);
    }

    [Fact]
    public void Judge_AnyCrop_IsProbabilities()
    {
        var random = new Random(5);
        foreach (float spread in (ReadOnlySpan<float>)[0, 0.01f, 1, 100])
        {
            float[] crop = [.. Enumerable.Range(0, FaceAligner.CropLength).Select(_ => spread * ((2 * random.NextSingle()) - 1))];
            fixed (float* pixels = crop)
            {
                CoverJudgement judged = CoverJudge.Judge(pixels, Bgr);
                Assert.All((float[])[judged.LowerFace, judged.Eyes, judged.Brow], p => Assert.InRange(p, 0, 1));
            }
        }
    }

    [Theory]
    [InlineData(0.1f, 0.49f, 0, FaceCover.None, null)]
    [InlineData(0.5f, 0, 0, FaceCover.LowerFace, "lower face covered")]
    [InlineData(0, 0.9f, 0.7f, FaceCover.Eyes | FaceCover.Brow, "eyes and brow covered")]
    [InlineData(1, 1, 1, FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow, "face covered")]
    public void Words_OfAJudgement_NameWhatIsCovered(float lowerFace, float eyes, float brow, FaceCover parts, string? words)
    {
        var judged = new CoverJudgement(lowerFace, eyes, brow);
        Assert.Equal((parts, words), (judged.Parts, judged.Words));
    }

    private static float[] Features(float[] crop, ModelInput input)
    {
        float[] features = new float[CoverFeatures.Count];
        fixed (float* pixels = crop)
            CoverFeatures.Measure(pixels, input, features);
        return features;
    }

    // A picture that is neither flat nor the same on both sides.
    private static float[] Crop(ModelInput input)
    {
        const int Plane = AlignmentTransform.GridSize * AlignmentTransform.GridSize;
        float[] crop = new float[3 * Plane];
        for (int channel = 0; channel < 3; channel++)
        {
            int colour = input.Channels == ChannelOrder.Bgr ? 2 - channel : channel;
            for (int i = 0; i < Plane; i++)
            {
                float x = i % AlignmentTransform.GridSize, y = i / AlignmentTransform.GridSize;
                float value = 120 + (60 * MathF.Sin((x * 0.11f) + colour)) + (40 * MathF.Cos((y * 0.17f) - (colour * x * 0.01f)));
                crop[(channel * Plane) + i] = (value - input.Mean[channel]) * input.Scale[channel];
            }
        }
        return crop;
    }
}
