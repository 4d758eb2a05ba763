using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Quality;

namespace LfrEngine.Tracking;

/// <summary>Takes close looks at tracklets and cuts out the shots to compare.</summary>
/// <remarks>One per camera, used by one thread. Depends only on the frames it has seen, so a recording always gives the same shots.</remarks>
internal sealed class BestShotSelector : IDisposable
{
    // Side of the picture kept for an alert, and its margin around the face.
    private const int PictureSize = 192;
    private const float PictureMargin = 1.8f;

    // With hair and chin.
    private const float HeadMargin = 1.3f;

    // Eyes that the first landmark pass puts closer together than this share of the limit reach it in no second pass.
    private const float SurelyTooClose = 0.7f;

    private readonly BestShotPolicy policy;
    private readonly ModelInput embedderInput;
    private readonly LandmarkFinder landmarks;
    private readonly FaceVerifier? verifier;
    private readonly CoverExaminer cover;
    private readonly ShotPool shots = new(PictureSize);
    private readonly PaintScratch scratch = new(Math.Max(PictureSize, MomentPicture.Width), Math.Max(PictureSize, MomentPicture.Height));
    private readonly ShotHistory[] histories;
    private readonly PictureZone? zone;
    private readonly long[] owners;
    private readonly LookResult[] looks;

    /// <summary>Prepares a selector.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="models">Borrowed for the life of the selector.</param>
    /// <param name="slotCount">Slots of the camera's tracker.</param>
    /// <param name="zone">Faces outside are not looked at; null for the whole picture.</param>
    public BestShotSelector(BestShotPolicy policy, EngineModels models, int slotCount, PictureZone? zone = null)
    {
        this.zone = zone;
        this.policy = policy;
        embedderInput = models.Embedder.Manifest.Input;
        landmarks = new LandmarkFinder(models.Landmarks);
        verifier = models.CreateVerifier();
        cover = new CoverExaminer(models.Mesh);
        histories = new ShotHistory[slotCount];
        owners = new long[slotCount];
        looks = new LookResult[slotCount];
    }

    /// <summary>Results of the close looks at the latest frame, by <see cref="Tracklet.Slot"/>. Borrowed until the next call.</summary>
    public ReadOnlySpan<LookResult> Looks => looks;

    /// <summary>Appends the shots of this frame.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="arrivalTimestamp">When its pixels arrived, stopwatch ticks.</param>
    /// <param name="tracker">The camera's tracker, updated with this frame.</param>
    /// <param name="detections">What the tracker was updated with. The detector's landmarks are not used: two passes of the landmark model give steadier embeddings.</param>
    /// <param name="found">Receives the shots; the caller owns them.</param>
    public void Select(in FrameView frame, long arrivalTimestamp, FaceTracker tracker, ReadOnlySpan<FaceCandidate> detections, List<FaceShot> found)
    {
        looks.AsSpan().Clear();
        using StackScrub.Scope _ = StackScrub.Join();
        foreach (Tracklet tracklet in tracker.Live)
        {
            ref ShotHistory history = ref histories[tracklet.Slot];
            if (owners[tracklet.Slot] != tracklet.Id)
            {
                owners[tracklet.Slot] = tracklet.Id;
                history = default;
            }
            if (!tracklet.DetectedNow || tracklet.State != TrackletState.Confirmed || !IsInZone(frame, tracklet.DetectedBox))
                continue;
            long now = tracklet.TimestampUs;
            if (!policy.WantsLook(history, now, tracklet.DetectedBox.Width, IsUnsure(tracklet.Score)))
                continue;
            history.Looks++;
            history.LastLookUs = now;
            history.LastLookWidth = tracklet.DetectedBox.Width;
            history.VainLooks++;
            looks[tracklet.Slot] = TryTake(frame, tracklet, detections[tracklet.DetectionIndex], ref history, arrivalTimestamp, out FaceShot? shot);
            if (shot is null)
                continue;
            Widen(frame, tracklet, tracker, detections, shot);
            history.VainLooks = 0;
            found.Add(shot);
        }
    }

    /// <summary>Runs landmarks, alignment, quality and painting once on any picture, so that compilation does not delay the first real face.</summary>
    internal void WarmUp(in FrameView frame)
    {
        var box = new FaceBox(100, 100, 180, 200);
        FaceLandmarks found = landmarks.Find(frame, box) with { Points = new Landmarks5(new PointF(120, 140), new PointF(160, 140), new PointF(140, 160), new PointF(125, 180), new PointF(155, 180)) };
        if (!AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform alignment))
            return;
        using FaceShot shot = shots.Take();
        shot.Face.Align(frame, alignment, embedderInput);
        QualityAssessor.Assess(found, alignment, shot.Face.Measure(embedderInput), 1);
        verifier?.WeighAgainst(frame, new FaceCandidate { Box = box, Score = 1 }, policy.MinimumEvidence);
        cover.Examine(frame, box, embedderInput, shot.Face, BrowTreatment.BlankIfCovered);
        cover.WarmUp(frame, box);
        shot.Picture.PaintWhenSeen(frame, Surroundings(box), scratch);
        shot.Moment.PaintWhenSeen(frame, MomentPicture.Region(box), scratch);
    }

    public void Dispose()
    {
        landmarks.Dispose();
        verifier?.Dispose();
        cover.Dispose();
        shots.Dispose();
        scratch.Dispose();
    }

    private bool IsInZone(in FrameView frame, in FaceBox box) =>
        zone is null || zone.Contains(50.0 * (box.Left + box.Right) / frame.Width, 50.0 * (box.Top + box.Bottom) / frame.Height);

    // What an alert shows beside the face: the moment, with the faces of others in it, and where the person walks.
    private void Widen(in FrameView frame, Tracklet tracklet, FaceTracker tracker, ReadOnlySpan<FaceCandidate> detections, FaceShot shot)
    {
        using (StageClock.Time(PipelineStage.Picture))
            shot.Moment.PaintWhenSeen(frame, MomentPicture.Region(shot.Box), scratch);
        shot.Direction = WalkingDirections.Of(tracklet.FirstBox, tracklet.DetectedBox, frame.Width);
        foreach (Tracklet other in tracker.Live)
        {
            if (other != tracklet)
                AddOther(shot, other.Box);
        }
        for (int i = 0; i < detections.Length; i++)
        {
            if (i != tracklet.DetectionIndex)
                AddOther(shot, detections[i].Box);
        }
    }

    private static void AddOther(FaceShot shot, in FaceBox other)
    {
        if (!MomentPicture.TryPlace(shot.Box, other, out FaceBox place))
            return;
        if (shot.OtherCount < shot.Others.Length)
            shot.Others[shot.OtherCount] = place;
        shot.OtherCount++;
    }

    private bool IsUnsure(float score) => verifier is not null && score < policy.SureScore;

    private LookResult TryTake(in FrameView frame, Tracklet tracklet, in FaceCandidate detection, ref ShotHistory history, long arrivalTimestamp, out FaceShot? taken)
    {
        taken = null;
        FaceLandmarks found;
        using (StageClock.Time(PipelineStage.Landmarks))
            found = landmarks.Find(frame, detection.Box, SurelyTooClose * policy.MinimumInterEyePixels);
        if (!AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform alignment))
            return LookResult.NoLandmarks;
        FaceShot? shot = shots.Take();
        try
        {
            using (StageClock.Time(PipelineStage.Align))
                shot.Face.Align(frame, alignment, embedderInput);
            FaceQuality quality;
            using (StageClock.Time(PipelineStage.Quality))
                quality = QualityAssessor.Assess(found, alignment, shot.Face.Measure(embedderInput), detection.Score);
            // The verifier is more accurate than the landmarks' plausibility, but slower, so it checks only views that would be compared.
            LookResult result = policy.Judge(quality, judged: verifier is not null);
            if (result == LookResult.Shot && !policy.WantsShot(history, quality, tracklet.TimestampUs, judged: verifier is not null))
                result = LookResult.NotBetter;
            history.NarrowEyes = result == LookResult.EyesTooClose ? quality.InterEyePixels : 0;
            if (result != LookResult.Shot)
                return result;
            if (verifier is not null)
            {
                // Not skipped for a high detector score: false detections reach 0.999.
                if (policy.WantsVerdict(history, tracklet.TimestampUs, IsUnsure(detection.Score)))
                {
                    history.Evidence = verifier.WeighAgainst(frame, detection, policy.MinimumEvidence);
                    history.IsNoFace = history.Evidence < policy.MinimumEvidence;
                    history.VerifiedUs = tracklet.TimestampUs;
                }
                if (history.IsNoFace)
                    return LookResult.Implausible;
                quality = quality with { Plausibility = history.Evidence };
            }
            shot.Cover = cover.Examine(frame, detection.Box, embedderInput, shot.Face, BrowTreatment.BlankIfCovered);
            history.Shots++;
            history.LastShotUs = tracklet.TimestampUs;
            history.BestQuality = Math.Max(history.BestQuality, quality.Score);
            using (StageClock.Time(PipelineStage.Picture))
                shot.Picture.PaintWhenSeen(frame, Surroundings(detection.Box), scratch);
            shot.TrackletId = tracklet.Id;
            shot.FirstSeenUs = tracklet.FirstSeenUs;
            shot.TimestampUs = tracklet.TimestampUs;
            shot.ArrivalTimestamp = arrivalTimestamp;
            shot.Box = detection.Box;
            shot.Quality = quality;
            taken = shot;
            shot = null;
            return result;
        }
        finally
        {
            // Not shared until it is a shot.
            shot?.Dispose();
        }
    }

    /// <summary>The square around a face shown to an officer.</summary>
    public static FaceBox Surroundings(in FaceBox box)
    {
        float half = Math.Max(box.Width, box.Height) * PictureMargin / 2, x = (box.Left + box.Right) / 2, y = (box.Top + box.Bottom) / 2;
        return new FaceBox(x - half, y - half, x + half, y + half);
    }

    /// <summary>The square of the face within a picture of its <see cref="Surroundings"/>.</summary>
    public static FaceBox FaceIn(int width, int height) => MiddleOf(width, height, 1 / PictureMargin);

    /// <summary>As <see cref="FaceIn"/>, with hair and chin: what stays clear of an alert's picture.</summary>
    public static FaceBox HeadIn(int width, int height) => MiddleOf(width, height, HeadMargin / PictureMargin);

    private static FaceBox MiddleOf(int width, int height, float share)
    {
        float halfWidth = width * share / 2, halfHeight = height * share / 2, x = width / 2f, y = height / 2f;
        return new FaceBox(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }
}
