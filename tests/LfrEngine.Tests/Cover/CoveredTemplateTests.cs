using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Cover;

/// <summary>Templates of photos with covers drawn over them, and covered faces as a camera's are taken.</summary>
[Trait("Speed", "slow")]
public sealed unsafe class CoveredTemplateTests
{
    private const int People = 25;

    [Fact]
    public void Examine_MaskedPortraits_AreAlignedNearerToTheirTrueEyes()
    {
        OnnxModel mesh = TestModels.Mesh;
        ModelInput input = TestModels.Embedder.Manifest.Input;
        using var faces = new LfwFaces();
        using var painter = new CoverPainter();
        using var examiner = new CoverExaminer(mesh);
        using var embedder = new Embedder(TestModels.Embedder);
        using HostBuffer<float> truth = BufferPool.Rent<float>(FaceAligner.CropLength), before = BufferPool.Rent<float>(FaceAligner.CropLength), after = BufferPool.Rent<float>(FaceAligner.CropLength);
        PointF[] points = new PointF[LandmarkFinder.PointCount];
        float[] embeddings = new float[3 * embedder.Length], norms = new float[3];
        double without = 0, with = 0;
        int judged = 0;
        foreach (string path in LfwFaces.Portraits(60))
        {
            using MediaFrame decoded = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(decoded);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            FaceLandmarks real = faces.Finder.Find(view, face.Box, points);
            using var picture = new Picture(view.Width, view.Height);
            picture.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, view.Width);
            painter.TryPaint(picture, points, CoverKind.ClothMask, judged);
            // The masked face where its points really are, where 68 points find them, and where the examiner puts them.
            Align(picture.View, real.Points, truth);
            Align(picture.View, faces.Finder.Find(picture.View, face.Box).Points, before);
            before.Span.CopyTo(after.Span);
            if (!examiner.Examine(picture.View, face.Box, input, new AlignedFace(after.Pointer), BrowTreatment.Kept).Parts.HasFlag(FaceCover.LowerFace))
                continue;
            judged++;
            embedder.Embed([truth, before, after], embeddings, norms);
            without += Dot(0, 1);
            with += Dot(0, 2);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{judged} judged covered; likeness to the true alignment {without / judged:0.000} by 68 points, {with / judged:0.000} by the examiner");
        Assert.True(judged > 45 && with > without, $"{judged}: {without / judged:0.000} {with / judged:0.000}");

        void Align(in FrameView view, in Landmarks5 five, HostBuffer<float> crop)
        {
            Assert.True(AlignmentTransform.TryEstimate(five, out AlignmentTransform alignment));
            FaceAligner.Align(view, alignment, input, crop.Pointer);
        }

        float Dot(int a, int b) => System.Numerics.Tensors.TensorPrimitives.Dot<float>(embeddings.AsSpan(a * embedder.Length, embedder.Length), embeddings.AsSpan(b * embedder.Length, embedder.Length));
    }

    /// <summary>The mesh is asked twice where mouth and chin are covered, once under other covers: the crop is the very one that so many passes give.</summary>
    [Theory]
    [InlineData(CoverKind.ClothMask, true)]
    [InlineData(CoverKind.Cap, false)]
    public void Examine_CoveredFace_AsksTheMeshAsOftenAsItMatters(object drawn, bool twice)
    {
        var kind = (CoverKind)drawn;
        OnnxModel model = TestModels.Mesh;
        ModelInput input = TestModels.Embedder.Manifest.Input;
        using var faces = new LfwFaces();
        using var painter = new CoverPainter();
        using var examiner = new CoverExaminer(model);
        using var mesh = new FaceMesh(model);
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength), expected = BufferPool.Rent<float>(FaceAligner.CropLength);
        PointF[] points = new PointF[LandmarkFinder.PointCount], meshPoints = new PointF[FaceMesh.PointCount];
        int examined = 0;
        foreach (string path in LfwFaces.Portraits(12))
        {
            if (faces.Open(path, points, out FaceCandidate face) is not { } opened)
                continue;
            using Picture picture = opened;
            painter.TryPaint(picture, points, kind, 1);
            Assert.True(AlignmentTransform.TryEstimate(faces.Finder.Find(picture.View, face.Box).Points, out AlignmentTransform plain));
            FaceAligner.Align(picture.View, plain, input, crop.Pointer);
            FaceCover parts = examiner.Examine(picture.View, face.Box, input, new AlignedFace(crop.Pointer), BrowTreatment.Kept).Parts;
            if (parts == FaceCover.None || parts.HasFlag(FaceCover.LowerFace) != twice || mesh.Find(picture.View, face.Box, meshPoints, twice) < 0)
                continue;
            examined++;
            Assert.True(AlignmentTransform.TryEstimate(FaceMesh.Reduce(meshPoints), out AlignmentTransform again));
            FaceAligner.Align(picture.View, again, input, expected.Pointer);
            Assert.True(crop.Span.SequenceEqual(expected.Span), path);
        }
        Assert.True(examined >= 6, $"{examined} faces were judged covered.");
    }

    /// <summary>Above a covered brow every crop is the same, and below it nothing is touched. Under other covers, and for a list, all stays.</summary>
    [Theory]
    [InlineData(CoverKind.Cap)]
    [InlineData(CoverKind.KnittedHat)]
    [InlineData(CoverKind.Sunglasses)]
    [InlineData(CoverKind.SurgicalMask)]
    public void Examine_CoveredFace_BlanksABrowAndNothingElse(object drawn)
    {
        var kind = (CoverKind)drawn;
        const int Pixels = FaceAligner.CropLength / 3, Blanked = BrowBlank.Rows * AlignmentTransform.GridSize;
        ModelInput input = TestModels.Embedder.Manifest.Input;
        using var faces = new LfwFaces();
        using var painter = new CoverPainter();
        using var examiner = new CoverExaminer(TestModels.Mesh);
        using HostBuffer<float> aligned = BufferPool.Rent<float>(FaceAligner.CropLength), kept = BufferPool.Rent<float>(FaceAligner.CropLength), probe = BufferPool.Rent<float>(FaceAligner.CropLength);
        PointF[] points = new PointF[LandmarkFinder.PointCount];
        int examined = 0, seed = 0;
        foreach (string path in LfwFaces.Portraits(24))
        {
            if (faces.Open(path, points, out FaceCandidate face) is not { } opened)
                continue;
            using Picture picture = opened;
            painter.TryPaint(picture, points, kind, seed++);
            Assert.True(AlignmentTransform.TryEstimate(faces.Finder.Find(picture.View, face.Box).Points, out AlignmentTransform alignment));
            FaceAligner.Align(picture.View, alignment, input, aligned.Pointer);
            FaceCover parts = Examine(kept, BrowTreatment.Kept);
            Assert.Equal(parts, Examine(probe, BrowTreatment.BlankIfCovered));
            if (parts != kind.Parts())
                continue;
            examined++;
            for (int channel = 0; channel < 3; channel++)
            {
                Span<float> above = probe.Span.Slice(channel * Pixels, Blanked), was = kept.Span.Slice(channel * Pixels, Blanked);
                if (parts == FaceCover.Brow)
                    Assert.Equal(((40 - input.Mean[channel]) * input.Scale[channel], false), (above[0], above.ContainsAnyExcept(above[0])));
                else
                    Assert.True(above.SequenceEqual(was), path);
                Assert.True(was.ContainsAnyExcept(was[0]));
                Assert.True(probe.Span[((channel * Pixels) + Blanked)..((channel + 1) * Pixels)].SequenceEqual(kept.Span[((channel * Pixels) + Blanked)..((channel + 1) * Pixels)]), path);
            }

            FaceCover Examine(HostBuffer<float> crop, BrowTreatment brow)
            {
                aligned.Span.CopyTo(crop.Span);
                return examiner.Examine(picture.View, face.Box, input, new AlignedFace(crop.Pointer), brow).Parts;
            }
        }
        Assert.True(examined >= 8, $"{examined} faces were judged covered.");
    }

    [Fact]
    public void Examine_UncoveredFace_LeavesItsCropAsItIs()
    {
        OnnxModel mesh = TestModels.Mesh;
        using var faces = new LfwFaces();
        using var examiner = new CoverExaminer(mesh);
        int spared = 0;
        foreach (string path in LfwFaces.Portraits(People))
        {
            using HostBuffer<float>? crop = faces.Crop(path, out _, out FaceLandmarks found, out _);
            if (crop is null)
                continue;
            using MediaFrame decoded = LfwFaces.Decode(path);
            float[] before = crop.Span.ToArray();
            CoverJudgement judged = examiner.Examine(FrameLease.ViewOf(decoded), found.Box, TestModels.Embedder.Manifest.Input, new AlignedFace(crop.Pointer), BrowTreatment.BlankIfCovered);
            if (judged.Parts != FaceCover.None)
                continue;
            spared++;
            Assert.True(crop.Span.SequenceEqual(before), path);
        }
        Assert.True(spared > People * 3 / 4, $"{spared}");
    }

    [Fact]
    public void TryMake_CoveredProbes_AreMoreLikeCoveredTemplatesThanThePhoto()
    {
        TestModels.RestoredFile("mesh-468");
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        using var faces = new LfwFaces();
        int made = 0;
        using (var maker = new CoveredTemplateMaker(models))
        using (var embedder = new Embedder(models.Embedder))
        using (HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength))
        {
            int length = embedder.Length, covers = CoveredTemplateMaker.Covers.Count;
            float[] templates = new float[covers * length], again = new float[covers * length], other = new float[covers * length], plain = new float[length];
            double[] covered = new double[covers], photo = new double[covers];
            Span<float> norm = stackalloc float[1];
            foreach (string path in LfwFaces.Portraits(People))
            {
                using MediaFrame decoded = LfwFaces.Decode(path);
                FrameView view = FrameLease.ViewOf(decoded);
                if (!faces.TryDetect(view, out FaceCandidate face) || !AlignmentTransform.TryEstimate(faces.Finder.Find(view, face.Box).Points, out AlignmentTransform alignment))
                    continue;
                made++;
                FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
                embedder.Embed([crop], plain, norm);
                Assert.True(maker.TryMake(view, face.Box, 11, templates));
                Assert.True(maker.TryMake(view, face.Box, 11, again));
                Assert.Equal(templates, again);
                Assert.True(maker.TryMake(view, face.Box, 12, other));
                for (int i = 0; i < covers; i++)
                {
                    ReadOnlySpan<float> row = templates.AsSpan(i * length, length), probe = other.AsSpan(i * length, length);
                    Assert.Equal(1, Dot(row, row), 1e-3f);
                    Assert.False(row.SequenceEqual(probe));
                    covered[i] += Dot(row, probe);
                    photo[i] += Dot(plain, probe);
                }
            }
            TestContext.Current.TestOutputHelper?.WriteLine($"like covered: {string.Join(", ", covered.Select(c => c / made))}; like the photo: {string.Join(", ", photo.Select(p => p / made))}");
            Assert.True(made > People / 2);
            for (int i = 0; i < covers; i++)
                Assert.True(covered[i] > photo[i], $"{CoveredTemplateMaker.Covers[i]}: {covered[i] / made:0.000} and {photo[i] / made:0.000}");
        }

        static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);
    }

    [Fact]
    public void SeedOf_Photos_DependsOnTheirBytesAlone() =>
        Assert.Equal((CoveredTemplateMaker.SeedOf([1, 2, 3]), true), (CoveredTemplateMaker.SeedOf([1, 2, 3]), CoveredTemplateMaker.SeedOf([1, 2, 3]) != CoveredTemplateMaker.SeedOf([1, 2, 4])));
}

/// <summary>What the maker rents.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class CoveredTemplateMemoryTests
{
    [Fact]
    public void Dispose_OfAMaker_GivesBackAllItTook()
    {
        TestModels.RestoredFile("mesh-468");
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        // The first may leave what the process keeps for good.
        long after = OneMaker(), again = OneMaker();
        Assert.Equal(after, again);

        long OneMaker()
        {
            using (var maker = new CoveredTemplateMaker(models))
                maker.WarmUp();
            return BufferPool.OutstandingBlocks;
        }
    }
}
