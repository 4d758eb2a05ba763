using LfrEngine.Detection;

namespace LfrEngine.Tracking;

/// <summary>Where somebody walks, as seen by the camera.</summary>
public enum WalkingDirection
{
    /// <summary>They stand, or it cannot be told.</summary>
    Unknown,

    /// <summary>To the left of the picture.</summary>
    Left,

    /// <summary>To the right of the picture.</summary>
    Right,

    /// <summary>Towards the camera.</summary>
    Towards,

    /// <summary>Away from the camera.</summary>
    Away,
}

/// <summary>Tells from a face's first and latest place where its owner walks.</summary>
internal static class WalkingDirections
{
    // Half a metre: a face is about 16 cm wide. Less is swaying, and the detector's boxes are no more exact.
    private const float FewestFaceWidths = 3;

    // Distance of a face that is as wide as the picture, in face widths, with a lens of 60 degrees.
    private const float Lens = 0.87f;

    /// <summary>The larger of what was walked across and what was walked along the view decides.</summary>
    /// <param name="first">When the face was first seen, frame pixels.</param>
    /// <param name="latest">Now.</param>
    /// <param name="frameWidth">Pixels.</param>
    public static WalkingDirection Of(in FaceBox first, in FaceBox latest, int frameWidth)
    {
        if (!(first.Width > 0 && latest.Width > 0))
            return WalkingDirection.Unknown;
        float across = (latest.Left + latest.Right - first.Left - first.Right) / (first.Width + latest.Width);
        float nearer = Lens * frameWidth * ((1 / first.Width) - (1 / latest.Width));
        return Math.Max(Math.Abs(across), Math.Abs(nearer)) < FewestFaceWidths ? WalkingDirection.Unknown
            : Math.Abs(across) >= Math.Abs(nearer) ? across < 0 ? WalkingDirection.Left : WalkingDirection.Right
            : nearer > 0 ? WalkingDirection.Towards : WalkingDirection.Away;
    }
}
