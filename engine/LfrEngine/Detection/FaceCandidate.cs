using LfrEngine.Alignment;

namespace LfrEngine.Detection;

/// <summary>One face proposed by a detector.</summary>
/// <remarks>Unmanaged, so that lists of it live in <see cref="Memory.HostBuffer{T}"/>: landmarks are biometric data.</remarks>
public struct FaceCandidate
{
    /// <summary>The box, in pixels of the detection grid or of the frame, depending on the list.</summary>
    public FaceBox Box;

    /// <summary>Probability that this is a face, 0…1.</summary>
    public float Score;

    /// <summary>Five points, when the detector family gives them (<see cref="HasLandmarks"/>).</summary>
    public Landmarks5 Landmarks;

    /// <summary>Whether <see cref="Landmarks"/> was filled in.</summary>
    public bool HasLandmarks;
}
