using LfrEngine.Evaluation.Statistics;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Passages;

/// <summary>Predicts from the quality of a look how well it will match, compared with other looks at the same passage (least squares).</summary>
internal sealed class LookModel
{
    private const int Features = 11;

    // The scores of one passage differ by a few hundredths. Ridge regression suppresses features that hardly vary.
    private const double Ridge = 0.1;

    private readonly double[] normal = new double[Features * Features];
    private readonly double[] target = new double[Features];
    private double[]? weights;

    /// <summary>Adds the looks at one passage, with their scores for the right person.</summary>
    public void Learn(IReadOnlyList<(FaceQuality Quality, float Score)> looks)
    {
        double[][] features = [.. looks.Select(l => FeaturesOf(l.Quality))];
        double[] middle = [.. Enumerable.Range(0, Features).Select(f => features.Average(x => x[f]))];
        double middleScore = looks.Average(l => l.Score);
        for (int i = 0; i < features.Length; i++)
        {
            for (int a = 0; a < Features; a++)
            {
                target[a] += (features[i][a] - middle[a]) * (looks[i].Score - middleScore);
                for (int b = 0; b < Features; b++)
                    normal[(a * Features) + b] += (features[i][a] - middle[a]) * (features[i][b] - middle[b]);
            }
        }
        weights = null;
    }

    /// <summary>A number above 0 by which looks are ranked. It grows by a tenth when the expected score grows by a hundredth, because the policy requires a tenth more.</summary>
    public float Predict(in FaceQuality quality)
    {
        const double HundredthIsATenth = 9.5;
        weights ??= Solve();
        double sum = 0;
        double[] features = FeaturesOf(quality);
        for (int a = 0; a < Features; a++)
            sum += weights[a] * features[a];
        return (float)Math.Exp(HundredthIsATenth * sum);
    }

    private static double[] FeaturesOf(in FaceQuality q)
    {
        double eyes = Math.Log(Math.Max(1, q.InterEyePixels)), yaw = q.YawDegrees / 45, pitch = q.PitchDegrees / 45;
        return [eyes, eyes * eyes, Math.Log(q.Sharpness + 0.02), q.Brightness / 255, q.Clipped, Math.Abs(yaw), yaw * yaw, Math.Abs(pitch), pitch * pitch, q.Cover, q.Plausibility / 5];
    }

    private double[] Solve()
    {
        var matrix = new double[Features, Features];
        for (int a = 0; a < Features; a++)
        {
            for (int b = 0; b < Features; b++)
                matrix[a, b] = normal[(a * Features) + b] + (a == b ? Ridge : 0);
        }
        return LinearSystem.Solve(matrix, [.. target]);
    }
}
