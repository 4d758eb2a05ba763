using LfrEngine.Alignment;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Quality;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Models;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Quality;

public sealed unsafe class QualityAssessorTests
{
    private const int Size = AlignmentTransform.GridSize;

    private static readonly ModelInput Input = new("input", ChannelOrder.Bgr, [127.5f, 127.5f, 127.5f], [1 / 128f, 1 / 128f, 1 / 128f]);

    private static FaceLandmarks Frontal => Found(AlignmentTransform.Target);

    [Fact]
    public void Assess_BlurredPortraits_AreLessSharpAndScoreLower()
    {
        foreach (Portrait portrait in Portraits(20))
        {
            FaceQuality last = portrait.Assess(portrait.Crop);
            foreach (double sigma in new[] { 1.0, 2.0, 4.0 })
            {
                FaceQuality blurred = portrait.Assess(Blur(portrait.Crop, sigma));
                Assert.True(blurred.Sharpness < last.Sharpness, $"{portrait.Path} at {sigma}");
                // The score saturates on a sharp face; it never rises by blurring, and a heavy blur always costs.
                Assert.True(blurred.Score <= last.Score + 0.02f, $"{portrait.Path} at {sigma}");
                last = blurred;
            }
            Assert.True(last.Score < portrait.Assess(portrait.Crop).Score, portrait.Path);
        }
    }

    [Fact]
    public void Assess_DarkOrBrightPortraits_ScoreLower()
    {
        foreach (Portrait portrait in Portraits(20))
        {
            FaceQuality plain = portrait.Assess(portrait.Crop);
            FaceQuality dark = portrait.Assess(Each(portrait.Crop, v => v * 0.2f)), darker = portrait.Assess(Each(portrait.Crop, v => v * 0.1f));
            FaceQuality bright = portrait.Assess(Each(portrait.Crop, v => 255 - ((255 - v) * 0.15f)));
            Assert.True(dark.Brightness < plain.Brightness && bright.Brightness > plain.Brightness);
            Assert.True(dark.Score < plain.Score && darker.Score <= dark.Score && bright.Score < plain.Score, portrait.Path);
        }
    }

    [Fact]
    public void Assess_DrawnMask_RaisesCover()
    {
        List<Portrait> portraits = Portraits(30);
        // A surgical mask's blue over mouth and chin, in the crop's BGR.
        double before = portraits.Average(p => p.Assess(p.Crop).Cover);
        double after = portraits.Average(p => p.Assess(Masked(p.Crop)).Cover);
        int raised = portraits.Count(p => p.Assess(Masked(p.Crop)).Cover > p.Assess(p.Crop).Cover);
        TestContext.Current.TestOutputHelper?.WriteLine($"cover {before:f3} without, {after:f3} with; raised on {raised} of {portraits.Count}");
        Assert.True(after > before + 0.3, $"{before:f3} {after:f3}");
        Assert.True(raised >= portraits.Count * 0.9);
        foreach (Portrait p in portraits)
            Assert.InRange(p.Assess(p.Crop).Cover, 0f, 1f);
    }

    [Fact]
    public void Assess_NoseAside_ReturnsTheSide()
    {
        float[] crop = Textured();
        Assert.Equal(0, Assess(Frontal, crop).YawDegrees, 2f);
        Assert.Equal(0, Assess(Frontal, crop).PitchDegrees, 2f);
        float last = -91;
        foreach (float shift in new[] { -12f, -6f, -3f, 3f, 6f, 12f })
        {
            FaceQuality quality = Assess(Found(AlignmentTransform.Target with { Nose = new PointF(AlignmentTransform.Target.Nose.X + shift, AlignmentTransform.Target.Nose.Y) }), crop);
            Assert.Equal(Math.Sign(shift), Math.Sign(quality.YawDegrees));
            Assert.True(quality.YawDegrees > last);
            Assert.True(quality.Score < Assess(Frontal, crop).Score);
            last = quality.YawDegrees;
        }
        foreach (float shift in new[] { -8f, 8f })
        {
            FaceQuality quality = Assess(Found(AlignmentTransform.Target with { Nose = new PointF(AlignmentTransform.Target.Nose.X, AlignmentTransform.Target.Nose.Y + shift) }), crop);
            Assert.Equal(Math.Sign(shift), Math.Sign(quality.PitchDegrees));
        }
    }

    [Theory]
    [InlineData(30f)]
    [InlineData(-45f)]
    [InlineData(80f)]
    public void Assess_TiltedFace_KeepsYawAndPitch(float degrees)
    {
        double radians = degrees * Math.PI / 180, cos = Math.Cos(radians), sin = Math.Sin(radians);
        PointF Turn(PointF p) => new((float)((cos * p.X) - (sin * p.Y) + 300), (float)((sin * p.X) + (cos * p.Y) + 300));
        Landmarks5 aside = AlignmentTransform.Target with { Nose = new PointF(60, 70) };
        var turned = new Landmarks5(Turn(aside.LeftEye), Turn(aside.RightEye), Turn(aside.Nose), Turn(aside.LeftMouth), Turn(aside.RightMouth));
        float[] crop = Textured();
        FaceQuality upright = Assess(Found(aside), crop), tilted = Assess(Found(turned), crop);
        Assert.Equal(upright.YawDegrees, tilted.YawDegrees, 0.1f);
        Assert.Equal(upright.PitchDegrees, tilted.PitchDegrees, 0.1f);
        Assert.Equal(degrees, tilted.RollDegrees - upright.RollDegrees, 0.1f);
    }

    [Fact]
    public void Assess_SmallerFace_ScoresLower()
    {
        float[] crop = Textured();
        float last = 2;
        foreach (float scale in new[] { 1f, 0.6f, 0.4f, 0.25f, 0.1f })
        {
            PointF Scaled(PointF p) => new(p.X * scale, p.Y * scale);
            Landmarks5 t = AlignmentTransform.Target;
            FaceQuality quality = Assess(Found(new Landmarks5(Scaled(t.LeftEye), Scaled(t.RightEye), Scaled(t.Nose), Scaled(t.LeftMouth), Scaled(t.RightMouth))), crop);
            Assert.Equal(t.InterEyePixels * scale, quality.InterEyePixels, 0.01f);
            Assert.True(quality.Score <= last);
            last = quality.Score;
        }
        Assert.Equal(0, last);
    }

    [Fact]
    public void Assess_FlatCrop_IsUnusableNotANumberless()
    {
        FaceQuality quality = Assess(Frontal, new float[FaceAligner.CropLength]);
        Assert.Equal(0, quality.Sharpness);
        Assert.Equal(0, quality.Score);
        FaceQuality degenerate = Assess(Found(default), Textured());
        Assert.Equal((90f, 90f, 0f), (degenerate.YawDegrees, degenerate.PitchDegrees, degenerate.Score));
    }

    [Fact]
    public void Plausibility_MoreDisagreement_IsLess()
    {
        foreach (float score in new[] { 0f, 0.3f, 0.6f, 0.95f, 1f })
        {
            float last = float.PositiveInfinity;
            for (float disagreement = 0; disagreement < 0.5f; disagreement += 0.05f)
            {
                float plausibility = QualityAssessor.Plausibility(score, disagreement);
                Assert.True(float.IsFinite(plausibility) && plausibility < last);
                last = plausibility;
            }
        }
        Assert.True(QualityAssessor.Plausibility(0.7f, 0.1f) > QualityAssessor.Plausibility(0.6f, 0.1f));
        Assert.Equal(0, QualityAssessor.Plausibility(0.5f, 0), 1e-5f);
    }

    private static FaceLandmarks Found(in Landmarks5 points) => new(points, default, 0.02f);

    private static FaceQuality Assess(in FaceLandmarks found, float[] crop)
    {
        AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform transform);
        fixed (float* c = crop)
            return QualityAssessor.Assess(found, transform, c, Input, 0.9f);
    }

    // Skin-like mean with detail of a few pixels.
    private static float[] Textured()
    {
        var crop = new float[FaceAligner.CropLength];
        for (int i = 0; i < crop.Length; i++)
        {
            int x = i % Size, y = i / Size % Size;
            float value = (i / (Size * Size)) switch { 0 => 110, 1 => 135, _ => 170 } + (40 * MathF.Sin(x * 0.9f) * MathF.Cos(y * 0.8f));
            crop[i] = (value - 127.5f) / 128;
        }
        return crop;
    }

    private static List<Portrait> Portraits(int count)
    {
        Assert.Equal(Input.Channels, TestModels.Embedder.Manifest.Input.Channels);
        var portraits = new List<Portrait>();
        using var faces = new LfwFaces();
        foreach (string path in LfwFaces.Portraits(count))
        {
            using HostBuffer<float>? crop = faces.Crop(path, out AlignmentTransform transform, out FaceLandmarks found, out float score);
            if (crop is not null)
                portraits.Add(new Portrait(path, crop.Span.ToArray(), found, transform, score));
        }
        Assert.True(portraits.Count >= count * 0.9);
        return portraits;
    }

    private static float[] Blur(float[] crop, double sigma)
    {
        float[] blurred = [.. crop];
        fixed (float* b = blurred)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                using Mat plane = Mat.FromPixelData(Size, Size, MatType.CV_32FC1, (nint)(b + (channel * Size * Size)));
                using var result = new Mat();
                Cv2.GaussianBlur(plane, result, default, sigma);
                result.CopyTo(plane);
            }
        }
        return blurred;
    }

    private static float[] Each(float[] crop, Func<float, float> change) => [.. crop.Select(v => (change((v * 128) + 127.5f) - 127.5f) / 128)];

    private static float[] Masked(float[] crop)
    {
        float[] masked = [.. crop];
        for (int channel = 0; channel < 3; channel++)
        {
            for (int y = 76; y < Size; y++)
                masked.AsSpan((channel * Size * Size) + (y * Size) + 24, 64).Fill((channel switch { 0 => 210, 1 => 180, _ => 120 } - 127.5f) / 128);
        }
        return masked;
    }

    private sealed record Portrait(string Path, float[] Crop, FaceLandmarks Found, AlignmentTransform Transform, float Score)
    {
        public FaceQuality Assess(float[] crop)
        {
            fixed (float* c = crop)
                return QualityAssessor.Assess(Found, Transform, c, Input, Score);
        }
    }
}
