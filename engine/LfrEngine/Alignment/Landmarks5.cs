namespace LfrEngine.Alignment;

/// <summary>A point, pixels; pixel centres are at .5.</summary>
public readonly record struct PointF(float X, float Y);

/// <summary>Eyes, nose tip and mouth corners; "left" is the smaller x on an upright face. Pixels.</summary>
public record struct Landmarks5(PointF LeftEye, PointF RightEye, PointF Nose, PointF LeftMouth, PointF RightMouth)
{
    /// <summary>Pixels between the eye centres.</summary>
    public readonly float InterEyePixels => MathF.Sqrt(
        ((RightEye.X - LeftEye.X) * (RightEye.X - LeftEye.X)) + ((RightEye.Y - LeftEye.Y) * (RightEye.Y - LeftEye.Y)));
}
