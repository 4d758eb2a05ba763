using LfrEngine.Detection;

namespace LfrEngine.Alignment;

/// <summary>The points of a network, and which of them are eyes, nose and mouth.</summary>
/// <param name="Count">Points.</param>
/// <param name="Stride">Values of each; the first two are its place on the input.</param>
/// <param name="IsTurned">Whether bounds are taken with the eyes level; otherwise as the frame lies.</param>
/// <param name="Five">Six points of the left eye and six of the right, each beginning with its corners if bounds are turned; nose tip; left and right corner of the mouth.</param>
internal sealed record FacePoints(int Count, int Stride, bool IsTurned, int[] Five);

/// <summary>Where the input of a network lies in the frame.</summary>
/// <param name="Origin">Where output (0, 0) is, frame pixels.</param>
/// <param name="Right">From there to output (1, 0).</param>
/// <param name="Down">From there to output (0, 1).</param>
internal readonly record struct PointGrid(PointF Origin, PointF Right, PointF Down);

/// <summary>What is made of a network's points: all that comes back of them from a device.</summary>
/// <param name="Five">Eyes, nose and mouth corners, frame pixels.</param>
/// <param name="Bounds">Of all points; if they are turned, in the axes of the eyes.</param>
/// <param name="Cos">Of the angle of the eyes; 1 if bounds are not turned.</param>
/// <param name="Sin">Of the same angle.</param>
/// <param name="Moved">Sum of the distances from the points of the run before.</param>
/// <param name="Presence">First value of the network's last output.</param>
internal readonly record struct PointSums(Landmarks5 Five, FaceBox Bounds, float Cos, float Sin, float Moved, float Presence);
