namespace LfrEngine.Detection;

/// <summary>An axis-aligned box, pixels; the right and bottom edges are exclusive.</summary>
public readonly record struct FaceBox(float Left, float Top, float Right, float Bottom)
{
    /// <summary>Pixels from left to right edge.</summary>
    public float Width => Right - Left;

    /// <summary>Pixels from top to bottom edge.</summary>
    public float Height => Bottom - Top;

    /// <summary>Square pixels; 0 for an empty or inverted box.</summary>
    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>Overlap with <paramref name="other"/>, square pixels.</summary>
    public float Intersection(in FaceBox other) =>
        Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
        * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));

    /// <summary>Intersection over union, 0…1; 0 when both are empty.</summary>
    public float IoU(in FaceBox other)
    {
        float shared = Intersection(other);
        float union = Area + other.Area - shared;
        return union > 0 ? shared / union : 0;
    }
}
