using LfrEngine.Detection;

namespace LfrEngine.Tracking;

/// <summary>State of a tracklet.</summary>
internal enum TrackletState
{
    /// <summary>Detected, but not yet in enough frames.</summary>
    Tentative,

    /// <summary>Confirmed, whether detected in this frame or coasting.</summary>
    Confirmed,

    /// <summary>Ended. The tracker reuses the object from its next call on.</summary>
    Ended,
}

/// <summary>One face followed on one camera, as of the tracker's latest call.</summary>
/// <remarks>
/// Owned by its <see cref="FaceTracker"/> and reused: keep <see cref="Id"/> or <see cref="Slot"/>, not the object.
/// Contains only boxes, times and scores, no landmarks or pixels, so nothing needs wiping.
/// </remarks>
internal sealed class Tracklet
{
    internal FaceMotion Motion;

    internal Tracklet(int slot) => Slot = slot;

    /// <summary>Unique on this camera; 1, 2, 3 … in order of start. Tentative tracklets have one too, so confirmed ones show gaps.</summary>
    public long Id { get; private set; }

    /// <summary>Index for arrays of the consumer's own state, 0…<see cref="FaceTracker.SlotCount"/> − 1.</summary>
    /// <remarks>The lowest free slot; not reused until the call after the one that ended the tracklet.</remarks>
    public int Slot { get; }

    /// <summary>Tentative, confirmed or ended.</summary>
    public TrackletState State { get; private set; }

    /// <summary>Whether it was ever confirmed; after the end this distinguishes a face from a false start.</summary>
    public bool WasConfirmed { get; private set; }

    /// <summary>Time of the first detection, microseconds.</summary>
    public long FirstSeenUs { get; private set; }

    /// <summary>Time of the latest detection, microseconds.</summary>
    public long LastSeenUs { get; private set; }

    /// <summary>Time for which <see cref="Box"/> holds, microseconds.</summary>
    public long TimestampUs { get; private set; }

    public int Hits { get; private set; }

    /// <summary>The filtered box, frame pixels; not clipped to the frame.</summary>
    public FaceBox Box => Motion.Box;

    /// <summary>The detector's own box of the latest detection, frame pixels; of this frame if <see cref="DetectedNow"/>.</summary>
    public FaceBox DetectedBox { get; private set; }

    /// <summary>The detector's own box of the first detection, frame pixels.</summary>
    public FaceBox FirstBox { get; private set; }

    /// <summary>The detector's score of the latest detection, 0…1.</summary>
    public float Score { get; private set; }

    /// <summary>Index in the detections of the latest update, or −1 while coasting and after the end.</summary>
    public int DetectionIndex { get; private set; }

    /// <summary>Whether this frame has a detection of it.</summary>
    public bool DetectedNow => DetectionIndex >= 0;

    internal void Start(long id, int index, in FaceCandidate detection, long timestampUs, TrackerSettings settings)
    {
        Id = id;
        State = TrackletState.Tentative;
        WasConfirmed = false;
        Hits = 1;
        FirstSeenUs = timestampUs;
        FirstBox = detection.Box;
        TimestampUs = timestampUs;
        Motion.Start(detection.Box, settings);
        Take(index, detection, timestampUs);
    }

    internal void Predict(long timestampUs, TrackerSettings settings)
    {
        Motion.Predict((timestampUs - TimestampUs) * 1e-6, settings);
        TimestampUs = timestampUs;
        DetectionIndex = -1;
    }

    internal void Continue(int index, in FaceCandidate detection, TrackerSettings settings)
    {
        Motion.Correct(detection.Box, settings);
        Take(index, detection, TimestampUs);
        if (++Hits >= settings.ConfirmHits)
        {
            State = TrackletState.Confirmed;
            WasConfirmed = true;
        }
    }

    internal void End()
    {
        State = TrackletState.Ended;
        DetectionIndex = -1;
    }

    private void Take(int index, in FaceCandidate detection, long timestampUs)
    {
        DetectionIndex = index;
        DetectedBox = detection.Box;
        Score = detection.Score;
        LastSeenUs = timestampUs;
    }
}
