using LfrEngine.Alignment;
using LfrEngine.Models;

namespace LfrEngine.Quality;

/// <summary>Measures <see cref="FaceQuality"/> on an aligned face and its landmarks. Stateless.</summary>
public static unsafe class QualityAssessor
{
    // The nose tip is about 0.4 inter-eye distances in front of the plane of eyes and mouth; eyes and mouth are 1.15 apart (adult means).
    private const float NoseDepth = 0.4f, NosePitchDepth = 0.35f;

    // Nose height between eye line (0) and mouth line (1) on the frontal target points.
    private const float FrontalNoseHeight = 0.495f;

    /// <summary>Measures one face in host memory.</summary>
    /// <param name="found">Landmarks in frame pixels.</param>
    /// <param name="alignment">Frame to grid.</param>
    /// <param name="crop">float32 [3, 112, 112] as <paramref name="input"/> says. Borrowed.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    /// <param name="detectionScore">The detector's score, 0…1.</param>
    internal static FaceQuality Assess(in FaceLandmarks found, in AlignmentTransform alignment, float* crop, ModelInput input, float detectionScore) =>
        Assess(found, alignment, CropSums.Of(crop, input), detectionScore);

    /// <summary>Judges one face by what was measured of it.</summary>
    /// <param name="found">Landmarks in frame pixels.</param>
    /// <param name="alignment">Frame to grid.</param>
    /// <param name="sums">Of the aligned face.</param>
    /// <param name="detectionScore">The detector's score, 0…1.</param>
    internal static FaceQuality Assess(in FaceLandmarks found, in AlignmentTransform alignment, in CropSums sums, float detectionScore)
    {
        (float yaw, float pitch) = EstimatePose(found.Points);
        (float sharpness, float brightness, float clipped) = MeasureTexture(sums.Texture);
        float cover = MeasureCover(sums);
        float eyes = found.Points.InterEyePixels;
        float plausibility = Plausibility(detectionScore, found.Disagreement);

        float score = Ramp(eyes, 6, 36)
            * Ramp(sharpness, 0.02f, 0.16f)
            * Ramp(brightness, 15, 70) * Ramp(255 - brightness, 5, 40) * (1 - Math.Min(0.8f, clipped))
            * PoseFactor(yaw, 75) * PoseFactor(pitch, 60)
            * (1 - (0.3f * cover));
        return new FaceQuality(eyes, sharpness, brightness, clipped, yaw, pitch, alignment.RollDegrees, cover, plausibility, score);
    }

    /// <summary>Minimum plausibility of a face. Chosen on the masks set, where it keeps the recall of a plain score of 0.6.</summary>
    public const float MinimumPlausibility = -0.8f;

    /// <summary>Log-odds that a detection is a face: the detector's log-odds minus the disagreement of the two landmark passes.</summary>
    /// <param name="detectionScore">0…1.</param>
    /// <param name="disagreement">Of <see cref="LandmarkFinder"/>, share of the box height.</param>
    /// <remarks>
    /// On a face the second landmark pass confirms the first; on skin, foliage or cloth the points move. The weight is a logistic fit on the masks
    /// set; on WIDER FACE, which it has not seen, the area under the curve of faces against others rises from 0.902 to 0.921.
    /// </remarks>
    public static float Plausibility(float detectionScore, float disagreement)
    {
        float score = Math.Clamp(detectionScore, 1e-4f, 1 - 1e-4f);
        return MathF.Log(score / (1 - score)) - (16.5f * disagreement);
    }

    private static (float Yaw, float Pitch) EstimatePose(in Landmarks5 points)
    {
        float eyesX = (points.LeftEye.X + points.RightEye.X) / 2, eyesY = (points.LeftEye.Y + points.RightEye.Y) / 2;
        float mouthX = (points.LeftMouth.X + points.RightMouth.X) / 2, mouthY = (points.LeftMouth.Y + points.RightMouth.Y) / 2;
        float downX = mouthX - eyesX, downY = mouthY - eyesY;
        float length = MathF.Sqrt((downX * downX) + (downY * downY));
        float noseX = points.Nose.X - eyesX, noseY = points.Nose.Y - eyesY;
        if (length < 1e-3f)
            return (90, 90);
        // In the axes of the face, so that roll has no effect.
        float aside = ((noseX * downY) - (noseY * downX)) / length;
        float along = ((noseX * downX) + (noseY * downY)) / (length * length);
        float yaw = MathF.Atan(aside / (NoseDepth * Math.Max(1e-3f, points.InterEyePixels)));
        float pitch = MathF.Atan((along - FrontalNoseHeight) / NosePitchDepth);
        const float Degrees = 180 / MathF.PI;
        return (yaw * Degrees, pitch * Degrees);
    }

    private static (float Sharpness, float Brightness, float Clipped) MeasureTexture(in TextureSums sums)
    {
        double average = sums.Sum / CropSums.Pixels;
        double deviation = Math.Sqrt(Math.Max(0, (sums.Squares / CropSums.Pixels) - (average * average)));
        return ((float)(Math.Sqrt(sums.Laplacian / CropSums.Pixels) / (deviation + 8)), (float)average, (float)sums.Clipped / CropSums.Pixels);
    }

    private static float MeasureCover(in CropSums sums)
    {
        (float r1, float g1, float b1) = sums.Upper;
        (float r2, float g2, float b2) = sums.Lower;
        float sum1 = r1 + g1 + b1 + 30, sum2 = r2 + g2 + b2 + 30;
        float red = (r1 / sum1) - (r2 / sum2), blue = (b1 / sum1) - (b2 / sum2);
        float chroma = MathF.Sqrt((red * red) + (blue * blue));
        float light = MathF.Abs(MathF.Log(sum2 / sum1));
        return Math.Clamp((chroma / 0.10f) + (0.5f * light) - 0.15f, 0, 1);
    }

    private static float Ramp(float value, float zero, float one) => Math.Clamp((value - zero) / (one - zero), 0, 1);

    private static float PoseFactor(float degrees, float limit)
    {
        float share = Math.Min(1, Math.Abs(degrees) / limit);
        return 1 - (share * share);
    }
}
