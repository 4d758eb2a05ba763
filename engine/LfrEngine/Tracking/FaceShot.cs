using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Quality;

namespace LfrEngine.Tracking;

/// <summary>One moment of a tracklet that is worth an embedding. Its holder disposes it, which wipes crop and picture.</summary>
public sealed class FaceShot : IDisposable
{
    /// <summary>Tracklet on its camera.</summary>
    public required long TrackletId { get; init; }

    /// <summary>Stream time at which the tracklet began, microseconds.</summary>
    public required long FirstSeenUs { get; init; }

    /// <summary>Stream time of the frame, microseconds.</summary>
    public required long TimestampUs { get; init; }

    /// <summary>When the frame's pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks.</summary>
    public required long ArrivalTimestamp { get; init; }

    /// <summary>The face, frame pixels.</summary>
    public required FaceBox Box { get; init; }

    /// <summary>How fit the view is.</summary>
    public required FaceQuality Quality { get; init; }

    /// <summary>float32 [3, 112, 112], ready for the embedder.</summary>
    public required HostBuffer<float> Crop { get; init; }

    /// <summary>The face with its surroundings, for an officer to see if it matches.</summary>
    public required Picture Picture { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Crop.Dispose();
        Picture.Dispose();
    }
}
