namespace LfrEngine.Alignment;

/// <summary>A similarity transform from frame pixels to the recognition grid: x′ = a·x − b·y + tx, y′ = b·x + a·y + ty.</summary>
/// <param name="A">Scale · cos of the rotation.</param>
/// <param name="B">Scale · sin of the rotation.</param>
/// <param name="Tx">Grid pixels.</param>
/// <param name="Ty">Grid pixels.</param>
internal readonly record struct AlignmentTransform(float A, float B, float Tx, float Ty)
{
    /// <summary>Side of the recognition grid, pixels.</summary>
    public const int GridSize = 112;

    /// <summary>Where the five points belong on the grid, continuous pixel coordinates.</summary>
    /// <remarks>The reference points of ArcFace's published pre-processing (Deng et al., 2019; pixel-index coordinates), half a pixel added for centres at .5.</remarks>
    public static readonly Landmarks5 Target = new(
        new PointF(38.2946f + 0.5f, 51.6963f + 0.5f),
        new PointF(73.5318f + 0.5f, 51.5014f + 0.5f),
        new PointF(56.0252f + 0.5f, 71.7366f + 0.5f),
        new PointF(41.5493f + 0.5f, 92.3655f + 0.5f),
        new PointF(70.7299f + 0.5f, 92.2041f + 0.5f));

    /// <summary>Grid pixels per frame pixel.</summary>
    public float Scale => MathF.Sqrt((A * A) + (B * B));

    /// <summary>Rotation of the face in the frame, degrees; positive when its right side (larger x) is lower.</summary>
    public float RollDegrees => -MathF.Atan2(B, A) * (180 / MathF.PI);

    /// <summary>The least-squares similarity from five points to <see cref="Target"/> (Umeyama, 1991, without reflection; in the plane it has this closed form).</summary>
    /// <returns>False when the points coincide or are not finite.</returns>
    public static bool TryEstimate(in Landmarks5 points, out AlignmentTransform transform)
    {
        ReadOnlySpan<PointF> from = [points.LeftEye, points.RightEye, points.Nose, points.LeftMouth, points.RightMouth];
        ReadOnlySpan<PointF> to = [Target.LeftEye, Target.RightEye, Target.Nose, Target.LeftMouth, Target.RightMouth];
        double fromX = 0, fromY = 0, toX = 0, toY = 0;
        for (int i = 0; i < 5; i++)
        {
            fromX += from[i].X / 5.0;
            fromY += from[i].Y / 5.0;
            toX += to[i].X / 5.0;
            toY += to[i].Y / 5.0;
        }
        double variance = 0, dot = 0, cross = 0;
        for (int i = 0; i < 5; i++)
        {
            double x = from[i].X - fromX, y = from[i].Y - fromY, u = to[i].X - toX, v = to[i].Y - toY;
            variance += (x * x) + (y * y);
            dot += (x * u) + (y * v);
            cross += (x * v) - (y * u);
        }
        double a = dot / variance, b = cross / variance;
        transform = new AlignmentTransform((float)a, (float)b, (float)(toX - (a * fromX) + (b * fromY)), (float)(toY - (b * fromX) - (a * fromY)));
        return variance > 1e-3 && float.IsFinite(transform.Tx) && float.IsFinite(transform.Ty) && transform.Scale > 1e-6f;
    }

    public PointF ToGrid(PointF p) => new((A * p.X) - (B * p.Y) + Tx, (B * p.X) + (A * p.Y) + Ty);

    public PointF ToFrame(PointF p)
    {
        float square = (A * A) + (B * B), x = p.X - Tx, y = p.Y - Ty;
        return new PointF(((A * x) + (B * y)) / square, ((A * y) - (B * x)) / square);
    }
}
