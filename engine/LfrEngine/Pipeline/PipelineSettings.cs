using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>Everything about a run that is not a camera, a model or a watchlist.</summary>
public sealed record PipelineSettings
{
    /// <summary>Default of <see cref="DetectEveryMs"/>: every third frame at 25 frames per second. As many passages are found as with every frame, the alert comes 0.2 s later (perf/RESULTS.md).</summary>
    public const int DefaultDetectEveryMs = 120;

    /// <summary>How faces are found.</summary>
    public DetectorSettings Detector { get; init; } = new();

    /// <summary>Which moments are compared.</summary>
    public BestShotPolicy BestShots { get; init; } = new();

    /// <summary>When scores become an alert.</summary>
    public AlertPolicy Alerts { get; init; } = new();

    /// <summary>Comparison scores that count, per category.</summary>
    public required CategoryThresholds Thresholds { get; init; }

    /// <summary>Identities considered per shot.</summary>
    internal const int MaximumCandidates = 5;

    /// <summary>How the gallery is searched, by all cameras together. Borrowed for the life of the pipeline.</summary>
    public IGallerySearch Search { get; init; } = new CosineSearch();

    /// <summary>Called with every compared shot, on one of the workers, in order for each camera: the laboratory's view of the very scores that alerts are made of.</summary>
    internal ShotCompared? OnCompared { get; init; }

    /// <summary>Called with every embedding, on any of the workers and in no order, before it is searched and wiped: for laboratories that compare ways to use it. Null in a van.</summary>
    internal ShotEmbedded? OnEmbedded { get; init; }

    /// <summary>Called with every frame that was searched, on one of the workers, in order for each camera: where the laboratory sees what is lost before it is compared.</summary>
    internal FrameTracked? OnTracked { get; init; }

    /// <summary>Shortest time between two frames of a camera that are searched for faces, milliseconds; 0 searches every frame. Those between are decoded and released.</summary>
    public int DetectEveryMs { get; init; } = DefaultDetectEveryMs;

    /// <summary>Threads that search, track, compare and decide, for all cameras together; 0 takes one per processor.</summary>
    public int Workers { get; init; }

    /// <summary>Shots compared at once at the most, 1…<see cref="Embeddings.Embedder.MaximumBatch"/>. One at a time is fastest on a processor; a GPU wants more.</summary>
    public int EmbeddingBatch { get; init; } = 1;

    /// <summary>Called at the start of every stage's work with the stage's and the camera's name; a test throws from it to prove that nothing is left behind.</summary>
    internal Action<string, string>? AtStage { get; init; }

    /// <summary>Throws if a value lies outside its stated range.</summary>
    internal void Validate()
    {
        Alerts.Validated();
        ArgumentOutOfRangeException.ThrowIfNegative(DetectEveryMs);
        ArgumentOutOfRangeException.ThrowIfNegative(Workers);
        ArgumentOutOfRangeException.ThrowIfLessThan(EmbeddingBatch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(EmbeddingBatch, Embeddings.Embedder.MaximumBatch);
    }
}

/// <summary>A shot was compared with the gallery.</summary>
/// <param name="camera">Name.</param>
/// <param name="shot">Borrowed for the call.</param>
/// <param name="candidates">Identities at or above their threshold, best first. Borrowed for the call.</param>
internal delegate void ShotCompared(string camera, FaceShot shot, ReadOnlySpan<Candidate> candidates);

/// <summary>A shot was embedded.</summary>
/// <param name="camera">Name.</param>
/// <param name="shot">Borrowed for the call.</param>
/// <param name="embedding">float32 [D], unit length. Borrowed for the call: wipe any copy you make.</param>
/// <param name="norm">Its length before it was normalised.</param>
internal delegate void ShotEmbedded(string camera, FaceShot shot, ReadOnlySpan<float> embedding, float norm);

/// <summary>A frame was searched, and the tracklets followed and looked at.</summary>
/// <param name="camera">Name.</param>
/// <param name="timestampUs">Stream time, microseconds.</param>
/// <param name="found">What the detector found, frame pixels. Borrowed for the call.</param>
/// <param name="tracker">Updated with this frame. Borrowed for the call.</param>
/// <param name="looks">What became of the looks, by <see cref="Tracklet.Slot"/>. Borrowed for the call.</param>
internal delegate void FrameTracked(string camera, long timestampUs, ReadOnlySpan<FaceCandidate> found, FaceTracker tracker, ReadOnlySpan<LookResult> looks);

/// <summary>How fast a recording is played.</summary>
public enum Pace
{
    /// <summary>A recording as fast as it can be analysed, losing nothing; a live source as it comes.</summary>
    Automatic,

    /// <summary>A recording at the speed at which it was made; what cannot be analysed in time is dropped, as with a camera.</summary>
    RealTime,

    /// <summary>As fast as it can be analysed, losing nothing.</summary>
    Maximum,
}

/// <summary>One camera of a run.</summary>
/// <param name="Name">Name for people and in alerts; unique in the run.</param>
/// <param name="Source">File, folder of pictures, device or URL.</param>
/// <param name="Pace">How fast a recording is played.</param>
public sealed record CameraSettings(string Name, string Source, Pace Pace = Pace.Automatic)
{
    /// <summary>Where its frames are decoded.</summary>
    public IVideoDecoder Decoder { get; init; } = SoftwareDecoder.Default;

    /// <summary>How the source travels and hangs.</summary>
    public SourceOptions Options { get; init; } = SourceOptions.Default;

    /// <summary>Where people watch it; null nowhere. Of this camera and one run alone, which disposes it.</summary>
    public LiveView? LiveView { get; init; }

    /// <summary>Whether the source delivers in its own time: network streams and capture devices.</summary>
    public bool IsLive => SourceAddress.IsLive(Source);

    /// <summary>Whether the newest frame replaces one that was not taken yet.</summary>
    internal bool DropsOldest => Pace == Pace.RealTime || (Pace == Pace.Automatic && IsLive);

    /// <summary>Whether the reader holds frames back until their time.</summary>
    internal bool HoldsBack => Pace == Pace.RealTime && !IsLive;
}
