using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Matching;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Passages;

/// <summary>Result of one passage.</summary>
/// <param name="Passage">The ground truth.</param>
/// <param name="Compared">Number of its shots that were compared.</param>
/// <param name="OwnScore">Highest threshold at which an alert for the right identity is raised; −1 if none is, or if the person is not listed.</param>
/// <param name="WrongScore">Highest threshold at which an alert for another identity is raised; −1 if none is.</param>
/// <param name="AlertAfterMs">Time from entering to the alert for the right identity at the given threshold; null if none was raised.</param>
internal sealed record PassageOutcome(Passage Passage, int Compared, float OwnScore, float WrongScore, double? AlertAfterMs)
{
    /// <summary>Number of shots of all its tracklets that reached the given threshold with the right identity.</summary>
    public int AgreeingInAll { get; init; }
}

/// <summary>Collects the comparisons of the pipeline and evaluates them by passage: one person walking past once.</summary>
/// <remarks>
/// An alert needs k agreeing shots, so a tracklet raises one for an identity at every threshold up to its k-th best score. One run therefore gives the
/// results for all thresholds from its own upwards. With true tracks a shot belongs to the passage with which it overlaps most, and an alert to the passage of its best
/// shot, which is what the officer sees. So if a tracklet continues from one person to another who walks in front, each gets their own shots. Without true tracks
/// both belong to all passages of their time.
/// </remarks>
/// <param name="agreeingShots">k, from the alert policy.</param>
internal sealed class PassageScoring(int agreeingShots)
{
    /// <summary>Minimum IoU with the true place for a face to belong to a passage.</summary>
    private const float LeastOverlap = 0.2f;

    private readonly Dictionary<(string Camera, long Tracklet), List<Shot>> tracklets = [];

    /// <summary>For <see cref="Pipeline.PipelineSettings.OnCompared"/>.</summary>
    public void Add(string camera, FaceShot shot, ReadOnlySpan<Candidate> candidates) => Add(camera, shot.TrackletId, shot.TimestampUs / 1000.0, shot.Box, candidates);

    /// <summary>Adds one compared shot of a tracklet.</summary>
    internal void Add(string camera, long tracklet, double timeMs, FaceBox box, ReadOnlySpan<Candidate> candidates)
    {
        lock (tracklets)
        {
            if (!tracklets.TryGetValue((camera, tracklet), out List<Shot>? shots))
                tracklets.Add((camera, tracklet), shots = []);
            shots.Add(new Shot(timeMs, box, candidates.ToArray()));
        }
    }

    /// <summary>Evaluates all passages.</summary>
    /// <param name="passages">The ground truth.</param>
    /// <param name="identities">Ids of the gallery's identities, in order.</param>
    /// <param name="threshold">Inclusive; used for the time of alerts and for <see cref="PassageOutcome.AgreeingInAll"/>.</param>
    /// <param name="strangers">Receives the highest threshold of each alert that belongs to no passage.</param>
    public IReadOnlyList<PassageOutcome> Judge(IReadOnlyList<Passage> passages, IReadOnlyList<string> identities, float threshold, List<float> strangers)
    {
        var own = passages.Select(_ => -1f).ToArray();
        var wrong = passages.Select(_ => -1f).ToArray();
        var compared = new int[passages.Count];
        var agreeingInAll = new int[passages.Count];
        var after = new double?[passages.Count];
        foreach (((string camera, _), List<Shot> shots) in tracklets.OrderBy(t => t.Key))
        {
            int[][] owners = Owners(passages, camera, shots);
            foreach (int p in owners.SelectMany(o => o))
                compared[p]++;
            foreach (int identity in shots.SelectMany(s => s.Candidates).Select(c => c.IdentityIndex).Distinct().Order())
            {
                Evidence[] scores = [.. shots.Zip(owners).SelectMany(s => s.First.Candidates.Where(c => c.IdentityIndex == identity).Select(c => new Evidence(s.First.TimeMs, c.ComparisonScore, s.Second)))];
                foreach (int p in scores.Where(s => s.Score >= threshold).SelectMany(s => s.Owners).Where(p => passages[p].Subject == identities[identity]))
                    agreeingInAll[p]++;
                if (scores.Length < agreeingShots)
                    continue;
                float reached = scores.Select(s => s.Score).OrderDescending().ElementAt(agreeingShots - 1);
                // The officer sees the best shot, so the alert belongs to the person it shows.
                int[] shown = scores.MaxBy(s => s.Score).Owners;
                int[] right = [.. shown.Where(p => passages[p].Subject == identities[identity])];
                foreach (int p in right)
                {
                    own[p] = Math.Max(own[p], reached);
                    double[] agreeing = [.. scores.Where(s => s.Score >= threshold).Select(s => s.TimeMs).Order()];
                    if (agreeing.Length >= agreeingShots)
                        after[p] = Math.Min(after[p] ?? double.MaxValue, agreeing[agreeingShots - 1] - passages[p].FromMs);
                }
                if (right.Length > 0)
                    continue;
                if (shown.Length == 0)
                    strangers.Add(reached);
                else
                    wrong[shown[0]] = Math.Max(wrong[shown[0]], reached);
            }
        }
        return [.. passages.Select((p, i) => new PassageOutcome(p, compared[i], own[i], wrong[i], after[i]) { AgreeingInAll = agreeingInAll[i] })];
    }

    // The passages to which each shot belongs: at most one, or several without true tracks.
    private static int[][] Owners(IReadOnlyList<Passage> passages, string camera, List<Shot> shots)
    {
        int[] here = [.. Enumerable.Range(0, passages.Count).Where(p => passages[p].Camera == camera)];
        if (here.Any(p => passages[p].Track.Count > 0))
            return [.. shots.Select(s => OwnerOf(passages, here, s.TimeMs, s.Box) is >= 0 and var owner ? new[] { owner } : [])];
        // People who are not listed come first: if it is unknown whose face it was, a false alert is theirs.
        int[] ofTheTime = [.. here.Where(p => shots.Any(s => s.TimeMs >= passages[p].FromMs && s.TimeMs <= passages[p].ToMs)).OrderBy(p => passages[p].Subject is null ? 0 : 1)];
        return [.. shots.Select(_ => ofTheTime)];
    }

    /// <summary>The passage with whose true place a face overlaps most; −1 if none overlaps enough.</summary>
    internal static int OwnerOf(IReadOnlyList<Passage> passages, int[] some, double timeMs, FaceBox box)
    {
        (int owner, float most) = (-1, 0);
        foreach (int p in some)
        {
            float overlap = Overlap(passages[p], timeMs, box);
            if (overlap > most)
                (owner, most) = (p, overlap);
        }
        return most >= LeastOverlap ? owner : -1;
    }

    /// <summary>IoU of a face with the true place of a passage's face at that time; 0 if unknown.</summary>
    private static float Overlap(Passage passage, double timeMs, FaceBox box)
    {
        if (passage.Track.Count == 0 || timeMs < passage.FromMs || timeMs > passage.ToMs)
            return 0;
        TrackPoint nearest = passage.Track.MinBy(t => Math.Abs(t.TimeMs - timeMs));
        return nearest.Box.IoU(box);
    }

    private readonly record struct Shot(double TimeMs, FaceBox Box, Candidate[] Candidates);

    private readonly record struct Evidence(double TimeMs, float Score, int[] Owners);
}
