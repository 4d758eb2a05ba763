using LfrEngine.Alignment;

namespace LfrEngine.Detection.Heads;

/// <summary>Five key points of a row: ten numbers, x and y by turns.</summary>
/// <remarks>
/// Every family here gives the eye, then the mouth corner, at the smaller x of an upright face first
/// (YuNet's documents call it the person's right), so the order is kept, also for a face that is upside down.
/// </remarks>
internal static class KeyPoints
{
    /// <summary>Numbers in a row.</summary>
    public const int RowLength = 10;

    /// <summary>Reads <c>origin + scale · value</c> per coordinate; false when a coordinate is not usable.</summary>
    public static bool TryRead(
        ReadOnlySpan<float> row, float originX, float originY, float scaleX, float scaleY, out Landmarks5 landmarks)
    {
        landmarks = new Landmarks5(
            new PointF(originX + (scaleX * row[0]), originY + (scaleY * row[1])),
            new PointF(originX + (scaleX * row[2]), originY + (scaleY * row[3])),
            new PointF(originX + (scaleX * row[4]), originY + (scaleY * row[5])),
            new PointF(originX + (scaleX * row[6]), originY + (scaleY * row[7])),
            new PointF(originX + (scaleX * row[8]), originY + (scaleY * row[9])));
        return IsUsable(landmarks.LeftEye) && IsUsable(landmarks.RightEye) && IsUsable(landmarks.Nose)
            && IsUsable(landmarks.LeftMouth) && IsUsable(landmarks.RightMouth);
    }

    private static bool IsUsable(PointF point) => HeadGuard.IsUsable(point.X) && HeadGuard.IsUsable(point.Y);
}
