namespace LfrEngine.Tracking;

/// <summary>Settings for tracking faces on one camera.</summary>
/// <remarks>
/// Defaults were chosen on simulated walkers (tests/LfrEngine.Tests/Tracking) and from how fast people and heads move, not on
/// any recording. A face's height is taken as 0.24 m, so that speeds need no calibration of the camera.
/// </remarks>
internal sealed record TrackerSettings
{
    /// <summary>Minimum score of a detection that may begin or confirm a tracklet, 0…1, inclusive; if no verifier judges tracklets (<see cref="Pipeline.EngineModels.Tracking"/>).</summary>
    public float StartScore { get; init; } = 0.6f;

    /// <summary>Minimum score of a detection that may continue a confirmed tracklet, 0…<see cref="StartScore"/>, inclusive.</summary>
    public float ContinueScore { get; init; } = 0.3f;

    /// <summary>Detections that make a tracklet confirmed, 2 or more: one frame is never enough.</summary>
    public int ConfirmHits { get; init; } = 2;

    /// <summary>A confirmed tracklet ends when it was last detected more than this long ago, 0 or more.</summary>
    /// <remarks>Must exceed the interval between frames, or nothing is tracked.</remarks>
    public int MaxCoastMs { get; init; } = 600;

    /// <summary>A tentative tracklet that misses a frame ends when it was last detected more than this long ago, 0…<see cref="MaxCoastMs"/>.</summary>
    /// <remarks>One missed frame at 25 frames per second. Longer lets unrelated false faces confirm each other: 100 tripled false tracklets in the simulation.</remarks>
    public int MaxTentativeCoastMs { get; init; } = 50;

    /// <summary>A step of the timestamps longer than this ends every tracklet, above 0. So does any step backwards.</summary>
    public int MaxGapMs { get; init; } = 2000;

    /// <summary>Minimum overlap of predicted and detected box to pair them, above 0, at most 1.</summary>
    public float MinIoU { get; init; } = 0.2f;

    /// <summary>Maximum distance of a detection from the prediction without that overlap, face heights, 0 (never) or more.</summary>
    /// <remarks>For small fast faces at low frame rates. Also bounded by <see cref="MaxSigmas"/> and <see cref="MaxSizeRatio"/>.</remarks>
    public float MaxDistance { get; init; } = 2;

    /// <summary>The same distance in standard deviations of the prediction, above 0.</summary>
    public float MaxSigmas { get; init; } = 3;

    /// <summary>How many times taller one box may be than the other in a pair without overlap, 1 or more.</summary>
    public float MaxSizeRatio { get; init; } = 1.6f;

    /// <summary>Standard deviation of a detected centre, face heights, above 0.</summary>
    public float MeasurementNoise { get; init; } = 0.09f;

    /// <summary>Root of the spectral density of acceleration, face heights / s^1.5, above 0.</summary>
    /// <remarks>2 is a change of speed by 0.5 m/s within a second: a walker's pace. 4 follows sudden turns better and causes more swaps at crossings.</remarks>
    public float AccelerationNoise { get; init; } = 2;

    /// <summary>Standard deviation of the speed of a face just found, face heights / s, above 0.</summary>
    /// <remarks>Walking across the view is about 6 (1.4 m/s).</remarks>
    public float StartSpeed { get; init; } = 6;

    /// <summary>Tracklets followed at once, 1…4096; further faces are not tracked until there is space, and are counted.</summary>
    public int MaxTracklets { get; init; } = 128;

    /// <summary>Throws if a value is out of range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The message names the setting.</exception>
    public void Validate()
    {
        Require(StartScore is >= 0 and <= 1, StartScore, nameof(StartScore));
        Require(ContinueScore >= 0 && ContinueScore <= StartScore, ContinueScore, nameof(ContinueScore));
        Require(ConfirmHits >= 2, ConfirmHits, nameof(ConfirmHits));
        Require(MaxCoastMs >= 0, MaxCoastMs, nameof(MaxCoastMs));
        Require(MaxTentativeCoastMs >= 0 && MaxTentativeCoastMs <= MaxCoastMs, MaxTentativeCoastMs, nameof(MaxTentativeCoastMs));
        Require(MaxGapMs > 0, MaxGapMs, nameof(MaxGapMs));
        Require(MinIoU is > 0 and <= 1, MinIoU, nameof(MinIoU));
        Require(MaxDistance >= 0 && float.IsFinite(MaxDistance), MaxDistance, nameof(MaxDistance));
        Require(MaxSigmas > 0 && float.IsFinite(MaxSigmas), MaxSigmas, nameof(MaxSigmas));
        Require(MaxSizeRatio >= 1 && float.IsFinite(MaxSizeRatio), MaxSizeRatio, nameof(MaxSizeRatio));
        Require(MeasurementNoise > 0 && float.IsFinite(MeasurementNoise), MeasurementNoise, nameof(MeasurementNoise));
        Require(AccelerationNoise > 0 && float.IsFinite(AccelerationNoise), AccelerationNoise, nameof(AccelerationNoise));
        Require(StartSpeed > 0 && float.IsFinite(StartSpeed), StartSpeed, nameof(StartSpeed));
        Require(MaxTracklets is >= 1 and <= 4096, MaxTracklets, nameof(MaxTracklets));
    }

    private static void Require(bool holds, object value, string name)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(name, value, "Outside its range; see TrackerSettings.");
    }
}
