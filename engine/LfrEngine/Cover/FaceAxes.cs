using LfrEngine.Alignment;

namespace LfrEngine.Cover;

/// <summary>Coordinates on a face: origin between the eyes, u towards the right eye, v towards the chin. The eyes are 1 apart, and the chin is at v = <see cref="ChinV"/>.</summary>
/// <remarks>An affine map, so that a texture tilts and shortens with the face.</remarks>
internal readonly struct FaceAxes
{
    /// <summary>Position of the chin on a frontal adult face (mean of 300 LFW people).</summary>
    public const float ChinV = 1.85f;

    private readonly float originX, originY, rightX, rightY, downX, downY, determinant;

    /// <summary>Computes the axes from 68 landmarks.</summary>
    public FaceAxes(ReadOnlySpan<PointF> points)
    {
        PointF left = Middle(points[36..42]), right = Middle(points[42..48]);
        (originX, originY) = ((left.X + right.X) / 2, (left.Y + right.Y) / 2);
        (rightX, rightY) = (right.X - left.X, right.Y - left.Y);
        (downX, downY) = ((points[8].X - originX) / ChinV, (points[8].Y - originY) / ChinV);
        determinant = (rightX * downY) - (rightY * downX);
    }

    /// <summary>Pixels between the eyes.</summary>
    public float Unit => MathF.Sqrt((rightX * rightX) + (rightY * rightY));

    /// <summary>Whether the landmarks span a face.</summary>
    public bool IsUsable => float.IsFinite(determinant) && MathF.Abs(determinant) > 1;

    /// <summary>From face coordinates to picture pixels.</summary>
    public PointF At(float u, float v) => new(originX + (u * rightX) + (v * downX), originY + (u * rightY) + (v * downY));

    /// <summary>From picture pixels to face coordinates.</summary>
    public (float U, float V) Of(float x, float y)
    {
        float dx = x - originX, dy = y - originY;
        return (((dx * downY) - (dy * downX)) / determinant, ((dy * rightX) - (dx * rightY)) / determinant);
    }

    private static PointF Middle(ReadOnlySpan<PointF> points)
    {
        float x = 0, y = 0;
        foreach (PointF p in points)
        {
            x += p.X;
            y += p.Y;
        }
        return new PointF(x / points.Length, y / points.Length);
    }
}
