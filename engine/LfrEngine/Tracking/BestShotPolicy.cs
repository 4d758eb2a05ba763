using LfrEngine.Detection;
using LfrEngine.Quality;

namespace LfrEngine.Tracking;

/// <summary>Decides which moments of a tracklet get a close look, and which of those are embedded.</summary>
public sealed record BestShotPolicy
{
    /// <summary>Shortest time between two close looks (landmarks and quality) at one tracklet, milliseconds.</summary>
    public int LookEveryMs { get; init; } = 80;

    /// <summary>The same for a tracklet that already has its first shots, or whose last <see cref="VainLooks"/> looks gave none, unless it comes nearer, milliseconds.</summary>
    public int LaterLookEveryMs { get; init; } = 320;

    /// <summary>The same for a tracklet that the verifier rejected at the last look, unless it comes nearer, milliseconds.</summary>
    public int NoFaceLookEveryMs { get; init; } = 1000;

    /// <summary>How long the verifier's acceptance of a tracklet is valid, milliseconds, while the detector is sure (<see cref="SureScore"/>).</summary>
    /// <remarks>Of 317 repeated checks on the street clip and 80 simulated passages, three rejected the tracklet, all on views with a detector score below 0.45.</remarks>
    public int VerifyEveryMs { get; init; } = 2000;

    /// <summary>With a verifier, views with a lower detector score get close looks as rarely as later ones, and are never compared on an earlier acceptance, 0…1.</summary>
    public float SureScore { get; init; } = 0.6f;

    /// <summary>After this many looks in a row without a shot, looks become rarer.</summary>
    public int VainLooks { get; init; } = 3;

    /// <summary>A face has come nearer when its box is wider than at the last look by this factor.</summary>
    public float NearerBy { get; init; } = 1.1f;

    /// <summary>Shortest time between two shots of one tracklet, milliseconds: shots of the same instant are not independent evidence.</summary>
    public int ShotEveryMs { get; init; } = 160;

    /// <summary>This many first shots are taken immediately if their quality is sufficient.</summary>
    public int FirstShots { get; init; } = 3;

    /// <summary>Later shots must beat the best quality so far by this factor …</summary>
    public float BetterBy { get; init; } = 1.1f;

    /// <summary>… or come this long after the last shot, milliseconds.</summary>
    public int RefreshMs { get; init; } = 1000;

    /// <summary>Faces with fewer pixels between the eyes are never compared.</summary>
    public float MinimumInterEyePixels { get; init; } = 10;

    /// <summary>Faces of lower quality are never compared, 0…1.</summary>
    public float MinimumQuality { get; init; } = 0.02f;

    /// <summary>Minimum evidence of the further networks. They are asked for each new tracklet, where the detector is unsure (<see cref="SureScore"/>), and when their last result is older than <see cref="VerifyEveryMs"/>.</summary>
    public float MinimumEvidence { get; init; } = FaceVerifier.MinimumEvidence;

    /// <summary>If the further networks were not fitted to the detector, less plausible detections are never compared, because most are not faces.</summary>
    public float MinimumPlausibility { get; init; } = QualityAssessor.MinimumPlausibility;

    /// <summary>Whether a tracklet gets a close look now. Cheap: called for every tracklet and frame.</summary>
    /// <param name="history">History of the tracklet.</param>
    /// <param name="timestampUs">Now.</param>
    /// <param name="boxWidth">Of the detection, frame pixels.</param>
    /// <param name="unsure">Whether the detector scored it below <see cref="SureScore"/> and a verifier judges.</param>
    internal bool WantsLook(in ShotHistory history, long timestampUs, float boxWidth, bool unsure = false) =>
        // Eyes are about 0.45 of the box width apart; a box that cannot reach the limit is not worth the landmarks.
        boxWidth * 0.55f >= MinimumInterEyePixels
        && (history.Looks == 0 || timestampUs - history.LastLookUs >= LookInterval(history, boxWidth, unsure) * 1000L)
        && (history.Shots == 0 || timestampUs - history.LastShotUs >= ShotEveryMs * 1000L);

    // Candidates for a best shot are new or have grown. The others are checked for a turn of the head, which lasts.
    private int LookInterval(in ShotHistory history, float boxWidth, bool unsure)
    {
        float growth = boxWidth / history.LastLookWidth;
        bool nearer = growth >= NearerBy;
        if (history.IsNoFace && !nearer)
            return NoFaceLookEveryMs;
        // Eyes that were too close together still are, unless the face has come near enough.
        if (history.NarrowEyes > 0 && history.NarrowEyes * growth < MinimumInterEyePixels)
            return LaterLookEveryMs;
        bool later = unsure || history.Shots >= FirstShots || history.VainLooks >= VainLooks;
        return later && !nearer ? LaterLookEveryMs : LookEveryMs;
    }

    /// <summary>Whether the verifier must check a view before comparison: for each new tracklet, where the detector is unsure, and when its last result is old.</summary>
    internal bool WantsVerdict(in ShotHistory history, long timestampUs, bool unsure) =>
        unsure || history.IsNoFace || history.Shots == 0 || timestampUs - history.VerifiedUs >= VerifyEveryMs * 1000L;

    /// <summary>Whether a view is good enough to be compared at all.</summary>
    /// <param name="quality">Quality of the view.</param>
    /// <param name="judged">Whether further networks judge it; then plausibility is not checked.</param>
    internal bool IsComparable(in FaceQuality quality, bool judged = false) => Judge(quality, judged) == LookResult.Shot;

    /// <summary>Why a view is not compared; <see cref="LookResult.Shot"/> if it is.</summary>
    internal LookResult Judge(in FaceQuality quality, bool judged)
    {
        // Written so that NaN passes no limit.
        if (!judged && !(quality.Plausibility >= MinimumPlausibility))
            return LookResult.Implausible;
        if (!(quality.InterEyePixels >= MinimumInterEyePixels))
            return LookResult.EyesTooClose;
        return quality.Score >= MinimumQuality ? LookResult.Shot : LookResult.PoorQuality;
    }

    /// <summary>Whether a view is embedded, given the tracklet's earlier views.</summary>
    internal bool WantsShot(in ShotHistory history, in FaceQuality quality, long timestampUs, bool judged = false) =>
        IsComparable(quality, judged)
        && (history.Shots < FirstShots
            || quality.Score >= history.BestQuality * BetterBy
            || timestampUs - history.LastShotUs >= RefreshMs * 1000L);
}

/// <summary>Result of a close look at a tracklet.</summary>
internal enum LookResult
{
    /// <summary>No close look in this frame.</summary>
    None,

    /// <summary>The landmarks cannot be aligned.</summary>
    NoLandmarks,

    /// <summary>Probably not a face (<see cref="BestShotPolicy.MinimumPlausibility"/>).</summary>
    Implausible,

    /// <summary>Too far away (<see cref="BestShotPolicy.MinimumInterEyePixels"/>).</summary>
    EyesTooClose,

    /// <summary>Blurred, dark, turned away (<see cref="BestShotPolicy.MinimumQuality"/>).</summary>
    PoorQuality,

    /// <summary>Good enough, but the tracklet has had better shots.</summary>
    NotBetter,

    /// <summary>A shot, to be compared.</summary>
    Shot,
}

/// <summary>History of a tracklet; kept by tracklet slot.</summary>
internal struct ShotHistory
{
    public int Looks;
    public int Shots;
    public int VainLooks;
    public float LastLookWidth;

    // Pixels between the eyes at the last look if there were too few; otherwise 0.
    public float NarrowEyes;
    public long LastLookUs;
    public long LastShotUs;
    public float BestQuality;

    // The verifier's latest result, and its time.
    public bool IsNoFace;
    public float Evidence;
    public long VerifiedUs;
}
