using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Passages;

/// <summary>The stage at which a passage of a listed person was lost, in the order of the pipeline.</summary>
internal enum LossStage
{
    /// <summary>The person is not on the watchlist that was searched.</summary>
    NotOnList,

    /// <summary>The detector found the face in no frame.</summary>
    NotFound,

    /// <summary>The detector found the face, but not often or clearly enough to track it.</summary>
    NotFollowed,

    /// <summary>The face was tracked, but was always too small for a close look.</summary>
    TooSmall,

    /// <summary>Most looks gave landmarks that cannot be aligned.</summary>
    NoLandmarks,

    /// <summary>Most looks were judged not to show a face.</summary>
    Implausible,

    /// <summary>Most looks showed too few pixels between the eyes.</summary>
    EyesTooClose,

    /// <summary>Most looks were too blurred, dark or turned away.</summary>
    PoorQuality,

    /// <summary>Fewer shots were compared than an alert needs.</summary>
    TooFewShots,

    /// <summary>No shot reached the threshold.</summary>
    BelowThreshold,

    /// <summary>Some shots reached it, but fewer than an alert needs.</summary>
    TooFewAgree,

    /// <summary>Enough shots reached it, but in several tracklets, because the face was lost from sight in between.</summary>
    Broken,

    /// <summary>Not lost: an alert was raised.</summary>
    Found,
}

/// <summary>What the pipeline saw of one passage before comparison.</summary>
/// <param name="Searched">Number of frames searched during the passage.</param>
/// <param name="Found">Of these, frames in which the detector found the face.</param>
/// <param name="Followed">Of these, frames in which a confirmed tracklet was on the face.</param>
/// <param name="Looks">Close looks by <see cref="LookResult"/>.</param>
internal sealed record PassageSight(int Searched, int Found, int Followed, IReadOnlyList<int> Looks)
{
    /// <summary>The stage at which the passage was lost.</summary>
    /// <param name="outcome">Result of its comparisons.</param>
    /// <param name="isOnList">Whether the person is on the watchlist.</param>
    /// <param name="threshold">Inclusive.</param>
    /// <param name="agreeingShots">From the alert policy.</param>
    public LossStage Stage(PassageOutcome outcome, bool isOnList, float threshold, int agreeingShots)
    {
        if (outcome.OwnScore >= threshold)
            return LossStage.Found;
        if (!isOnList)
            return LossStage.NotOnList;
        if (outcome.Compared > 0)
        {
            return outcome.AgreeingInAll >= agreeingShots ? LossStage.Broken
                : outcome.Compared < agreeingShots ? LossStage.TooFewShots
                : outcome.AgreeingInAll > 0 ? LossStage.TooFewAgree : LossStage.BelowThreshold;
        }
        if (Followed == 0)
            return Found == 0 ? LossStage.NotFound : LossStage.NotFollowed;
        (int Looks, LossStage Stage)[] failures =
        [
            (Looks[(int)LookResult.NoLandmarks], LossStage.NoLandmarks), (Looks[(int)LookResult.Implausible], LossStage.Implausible),
            (Looks[(int)LookResult.EyesTooClose], LossStage.EyesTooClose), (Looks[(int)LookResult.PoorQuality], LossStage.PoorQuality),
        ];
        (int most, LossStage stage) = failures.MaxBy(f => f.Looks);
        return most > 0 ? stage : LossStage.TooSmall;
    }
}

/// <summary>Records what the pipeline sees of known passages, before comparison; <see cref="PassageScoring"/> records the comparisons.</summary>
/// <remarks>With true tracks a face belongs to the passage with which it overlaps most; otherwise to all passages of its time.</remarks>
/// <param name="passages">The ground truth.</param>
internal sealed class PassageWatch(IReadOnlyList<Passage> passages)
{
    private static readonly int LookResults = Enum.GetValues<LookResult>().Length;

    private readonly Sight[] sights = [.. passages.Select(_ => new Sight(new int[LookResults]))];
    private readonly Dictionary<string, int[]> byCamera = passages.Index().GroupBy(p => p.Item.Camera).ToDictionary(g => g.Key, g => g.Select(p => p.Index).ToArray());

    /// <summary>What was seen of each passage, in order.</summary>
    public IReadOnlyList<PassageSight> Sights => [.. sights.Select(s => new PassageSight(s.Searched, s.Found, s.Followed, s.Looks))];

    /// <summary>For <see cref="Pipeline.PipelineSettings.OnTracked"/>.</summary>
    public void Add(string camera, long timestampUs, ReadOnlySpan<FaceCandidate> found, FaceTracker tracker, ReadOnlySpan<LookResult> looks)
    {
        double timeMs = timestampUs / 1000.0;
        int[] here = [.. byCamera.GetValueOrDefault(camera, []).Where(p => timeMs >= passages[p].FromMs && timeMs <= passages[p].ToMs)];
        var seen = new HashSet<int>();
        var followed = new HashSet<int>();
        lock (sights)
        {
            foreach (FaceCandidate face in found)
                seen.UnionWith(OwnersOf(face.Box, timeMs, here));
            foreach (Tracklet tracklet in tracker.Live)
            {
                if (!tracklet.DetectedNow || tracklet.State != TrackletState.Confirmed)
                    continue;
                foreach (int p in OwnersOf(tracklet.DetectedBox, timeMs, here))
                {
                    followed.Add(p);
                    sights[p].Looks[(int)looks[tracklet.Slot]]++;
                }
            }
            foreach (int p in here)
            {
                sights[p].Searched++;
                sights[p].Found += seen.Contains(p) ? 1 : 0;
                sights[p].Followed += followed.Contains(p) ? 1 : 0;
            }
        }
    }

    private int[] OwnersOf(FaceBox box, double timeMs, int[] here)
    {
        if (here.All(p => passages[p].Track.Count == 0))
            return here;
        return PassageScoring.OwnerOf(passages, here, timeMs, box) is >= 0 and var owner ? [owner] : [];
    }

    private sealed class Sight(int[] looks)
    {
        public int Searched { get; set; }

        public int Found { get; set; }

        public int Followed { get; set; }

        public int[] Looks { get; } = looks;
    }
}
