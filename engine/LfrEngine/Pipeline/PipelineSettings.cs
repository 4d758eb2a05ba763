using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>Settings of a run, apart from cameras, models and watchlist.</summary>
public sealed record PipelineSettings
{
    /// <summary>Default of <see cref="DetectEveryMs"/>: every third frame at 25 frames per second. It finds as many passages as with every frame, and the alert comes 0.2 s later (perf/RESULTS.md).</summary>
    public const int DefaultDetectEveryMs = 120;

    /// <summary>Detector settings.</summary>
    public DetectorSettings Detector { get; init; } = new();

    /// <summary>Selection of the shots to compare.</summary>
    public BestShotPolicy BestShots { get; init; } = new();

    /// <summary>When scores become an alert.</summary>
    public AlertPolicy Alerts { get; init; } = new();

    /// <summary>Minimum comparison score, per category.</summary>
    public required CategoryThresholds Thresholds { get; init; }

    /// <summary>Identities considered per shot.</summary>
    internal const int MaximumCandidates = 5;

    /// <summary>Search of the gallery, shared by all cameras. Borrowed for the life of the pipeline.</summary>
    public IGallerySearch Search { get; init; } = new CosineSearch();

    /// <summary>Called with every compared shot, on one of the workers, in order for each camera. Gives the laboratory the scores that alerts are based on.</summary>
    internal ShotCompared? OnCompared { get; init; }

    /// <summary>Called with every embedding, on any of the workers and in no order, before it is searched and wiped. For laboratories; null in a deployment.</summary>
    internal ShotEmbedded? OnEmbedded { get; init; }

    /// <summary>Called with every searched frame, on one of the workers, in order for each camera. Shows the laboratory what is lost before comparison.</summary>
    internal FrameTracked? OnTracked { get; init; }

    /// <summary>Shortest time between two frames of a camera that are searched for faces, milliseconds; 0 searches every frame. Frames in between are decoded and released.</summary>
    public int DetectEveryMs { get; init; } = DefaultDetectEveryMs;

    /// <summary>Threads that search, track, compare and decide, for all cameras together; 0 means one per processor.</summary>
    public int Workers { get; init; }

    /// <summary>Maximum number of shots compared at once, 1…<see cref="Embeddings.Embedder.MaximumBatch"/>. One at a time is fastest on a processor; a GPU needs more.</summary>
    public int EmbeddingBatch { get; init; } = 1;

    /// <summary>Called at the start of every stage with the names of the stage and the camera; tests throw from it to check that nothing is left behind.</summary>
    internal Action<string, string>? AtStage { get; init; }

    /// <summary>Throws if a value is out of range.</summary>
    internal void Validate()
    {
        Alerts.Validated();
        ArgumentOutOfRangeException.ThrowIfNegative(DetectEveryMs);
        ArgumentOutOfRangeException.ThrowIfNegative(Workers);
        ArgumentOutOfRangeException.ThrowIfLessThan(EmbeddingBatch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(EmbeddingBatch, Embeddings.Embedder.MaximumBatch);
    }
}

/// <summary>Receives a shot that was compared with the gallery.</summary>
/// <param name="camera">Name.</param>
/// <param name="shot">Borrowed for the call.</param>
/// <param name="candidates">Identities at or above their threshold, best first. Borrowed for the call.</param>
internal delegate void ShotCompared(string camera, FaceShot shot, ReadOnlySpan<Candidate> candidates);

/// <summary>Receives the embedding of a shot.</summary>
/// <param name="camera">Name.</param>
/// <param name="shot">Borrowed for the call.</param>
/// <param name="embedding">float32 [D], unit length. Borrowed for the call: wipe any copy you make.</param>
/// <param name="norm">Its length before it was normalised.</param>
internal delegate void ShotEmbedded(string camera, FaceShot shot, ReadOnlySpan<float> embedding, float norm);

/// <summary>Receives the result for a searched frame.</summary>
/// <param name="camera">Name.</param>
/// <param name="timestampUs">Stream time, microseconds.</param>
/// <param name="found">What the detector found, frame pixels. Borrowed for the call.</param>
/// <param name="tracker">Updated with this frame. Borrowed for the call.</param>
/// <param name="looks">Results of the close looks, by <see cref="Tracklet.Slot"/>. Borrowed for the call.</param>
internal delegate void FrameTracked(string camera, long timestampUs, ReadOnlySpan<FaceCandidate> found, FaceTracker tracker, ReadOnlySpan<LookResult> looks);

/// <summary>How fast a recording is played.</summary>
public enum Pace
{
    /// <summary>A recording is played as fast as it can be analysed, without drops; a live source as it arrives.</summary>
    Automatic,

    /// <summary>A recording is played at its own speed; frames that cannot be analysed in time are dropped, as with a camera.</summary>
    RealTime,

    /// <summary>As fast as it can be analysed, without drops.</summary>
    Maximum,
}

/// <summary>One camera of a run.</summary>
/// <param name="Name">Display name, also in alerts; unique in the run.</param>
/// <param name="Source">File, folder of pictures, device or URL.</param>
/// <param name="Pace">How fast a recording is played.</param>
public sealed record CameraSettings(string Name, string Source, Pace Pace = Pace.Automatic)
{
    /// <summary>Decoder for its frames.</summary>
    public IVideoDecoder Decoder { get; init; } = SoftwareDecoder.Default;

    /// <summary>Transport and rotation.</summary>
    public SourceOptions Options { get; init; } = SourceOptions.Default;

    /// <summary>Faces outside are followed and pixelated as all others, but never compared; null for the whole picture.</summary>
    public PictureZone? Zone { get; init; }

    /// <summary>Live view; null for none. Belongs to this camera and one run, which disposes it.</summary>
    public LiveView? LiveView { get; init; }

    /// <summary>Whether the source is live: network streams and capture devices.</summary>
    public bool IsLive => SourceAddress.IsLive(Source);

    /// <summary>Whether the newest frame replaces one that has not been taken yet.</summary>
    internal bool DropsOldest => Pace == Pace.RealTime || (Pace == Pace.Automatic && IsLive);

    /// <summary>Whether the reader holds frames back until their time.</summary>
    internal bool HoldsBack => Pace == Pace.RealTime && !IsLive;
}
