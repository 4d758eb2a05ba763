using LfrEngine.Evaluation.Data;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Passages;

/// <summary>Result of one way of choosing shots and combining their scores.</summary>
/// <param name="Name">For people.</param>
/// <param name="Shots">Number of shots compared in all passages.</param>
/// <param name="Own">For each passage, in order, the highest threshold at which its person is found; −1 if never.</param>
/// <param name="False">For each pair of a passage and a listed person whom it does not show, the highest threshold at which they are a false match; highest first.</param>
internal sealed record DecisionWay(string Name, int Shots, IReadOnlyList<float> Own, IReadOnlyList<float> False)
{
    /// <summary>Threshold at which this number of pairs are false matches.</summary>
    public float? ThresholdFor(int falsePairs) => falsePairs <= False.Count ? False[falsePairs - 1] : null;
}

/// <summary>Compares ways of choosing shots and combining their scores, with the same looks at the same passages.</summary>
/// <remarks>Passages need true tracks. If a tracklet continues from one person to another, the looks of each person are counted separately.</remarks>
/// <param name="passages">The ground truth.</param>
/// <param name="identities">Ids of the gallery's identities, in order.</param>
/// <param name="rowIdentities">Identity of each row of the gallery.</param>
/// <param name="agreeingShots">k, from the alert policy.</param>
/// <param name="policy">Decides which looks become shots.</param>
internal sealed class DecisionWays(IReadOnlyList<Passage> passages, IReadOnlyList<string> identities, IReadOnlyList<int> rowIdentities, int agreeingShots, BestShotPolicy policy)
{
    private delegate float Statistic(Chosen[] shots, int row);

    /// <summary>Evaluates all ways.</summary>
    /// <param name="looks">Looks at each tracklet (<see cref="LookLog.Tracklets"/>).</param>
    public IReadOnlyList<DecisionWay> Judge(IReadOnlyDictionary<(string Camera, long Tracklet), List<Look>> looks)
    {
        Chosen[][] tracklets = [.. looks.OrderBy(t => t.Key).Select(t => Owned(t.Key.Camera, t.Value))];
        LookModel[] models = [new(), new()];
        foreach ((int owner, Chosen[] own) in tracklets.SelectMany(ByOwner).Where(t => IdentityOf(t.Owner) >= 0))
        {
            // Learned from one half of the people and used for the other.
            models[1 - FaceDataSet.HalfOf(passages[owner].Person)].Learn([.. own.Where(l => policy.IsComparable(l.Look.Quality))
                .Select(l => (l.Look.Quality, RowsOf(IdentityOf(owner)).Max(row => l.Look.Scores[row])))]);
        }
        Chosen[][] asIs = [.. tracklets.Select(t => Replay(t, l => l.Look.Quality.Score))];
        Chosen[][] byModel = [.. tracklets.Select(t => Replay(t, l => models[l.Owner >= 0 ? FaceDataSet.HalfOf(passages[l.Owner].Person) : 0].Predict(l.Look.Quality)))];
        Chosen[][] everyLook = [.. tracklets.Select(t => t.Where(l => policy.IsComparable(l.Look.Quality)).ToArray())];
        return
        [
            Run($"{Ordinal(agreeingShots)} best score, as the engine", asIs, (shots, row) => Best(shots, row, agreeingShots)),
            Run("highest score", asIs, (shots, row) => Best(shots, row, 1)),
            Run($"{Ordinal(agreeingShots + 1)} best score", asIs, (shots, row) => Best(shots, row, agreeingShots + 1)),
            Run("mean of the two best", asIs, (shots, row) => shots.Length < 2 ? -1 : (Best(shots, row, 1) + Best(shots, row, 2)) / 2),
            Run("pooled embedding, equal weights", asIs, (shots, row) => Pooled(shots, row, _ => 1)),
            Run("pooled embedding, by quality", asIs, (shots, row) => Pooled(shots, row, l => l.Quality.Score)),
            Run("pooled embedding, by its length", asIs, (shots, row) => Pooled(shots, row, l => l.Norm)),
            Run("probes with their mirror images", asIs, (shots, row) => Best(shots, row, agreeingShots, l => l.MirroredScores)),
            Run("best shots by a fitted model", byModel, (shots, row) => Best(shots, row, agreeingShots)),
            Run("every look is a shot", everyLook, (shots, row) => Best(shots, row, agreeingShots)),
        ];
    }

    private static string Ordinal(int n) => n switch { 2 => "second", 3 => "third", _ => $"{n}th" };

    private static float Best(Chosen[] shots, int row, int k, Func<Look, float[]>? scores = null)
    {
        scores ??= l => l.Scores;
        return shots.Length < k ? -1 : shots.Select(s => scores(s.Look)[row]).OrderDescending().ElementAt(k - 1);
    }

    // Cosine of the weighted sum of the embeddings so far, maximum from the k-th shot on: the sum of the scores divided by the length of the sum, which follows from the similarities.
    private float Pooled(Chosen[] shots, int row, Func<Look, float> weight)
    {
        double score = 0, square = 0, highest = -1;
        for (int i = 0; i < shots.Length; i++)
        {
            double w = weight(shots[i].Look);
            square += w * w;
            for (int j = 0; j < i; j++)
            {
                (Chosen earlier, Chosen later) = shots[j].Index < shots[i].Index ? (shots[j], shots[i]) : (shots[i], shots[j]);
                square += 2 * w * weight(shots[j].Look) * later.Look.Likeness[earlier.Index];
            }
            score += w * shots[i].Look.Scores[row];
            if (i + 1 >= agreeingShots)
                highest = Math.Max(highest, score / Math.Sqrt(Math.Max(square, 1e-9)));
        }
        return (float)highest;
    }

    private DecisionWay Run(string name, Chosen[][] tracklets, Statistic statistic)
    {
        var scores = new float[passages.Count * identities.Count];
        Array.Fill(scores, -1);
        foreach ((int owner, Chosen[] shots) in tracklets.SelectMany(ByOwner))
        {
            for (int row = 0; row < rowIdentities.Count; row++)
            {
                ref float score = ref scores[(owner * identities.Count) + rowIdentities[row]];
                score = Math.Max(score, statistic(shots, row));
            }
        }
        float[] own = [.. passages.Select((_, p) => IdentityOf(p) is >= 0 and var i ? scores[(p * identities.Count) + i] : -1)];
        float[] others = [.. Enumerable.Range(0, scores.Length).Where(i => identities[i % identities.Count] != passages[i / identities.Count].Person).Select(i => scores[i]).OrderDescending()];
        return new DecisionWay(name, tracklets.Sum(t => t.Length), own, others);
    }

    // The looks that the engine's policy would have chosen as shots.
    private Chosen[] Replay(Chosen[] all, Func<Chosen, float> value)
    {
        var history = default(ShotHistory);
        var taken = new List<Chosen>();
        foreach (Chosen chosen in all)
        {
            Look look = chosen.Look;
            if (!policy.WantsLook(history, look.TimeUs, look.Box.Width))
                continue;
            (history.Looks, history.LastLookUs, history.LastLookWidth, history.VainLooks) = (history.Looks + 1, look.TimeUs, look.Box.Width, history.VainLooks + 1);
            if (!policy.IsComparable(look.Quality) || !policy.WantsShot(history, look.Quality with { Score = value(chosen) }, look.TimeUs))
                continue;
            (history.Shots, history.LastShotUs, history.BestQuality, history.VainLooks) = (history.Shots + 1, look.TimeUs, Math.Max(history.BestQuality, value(chosen)), 0);
            taken.Add(chosen);
        }
        return [.. taken];
    }

    private Chosen[] Owned(string camera, List<Look> looks)
    {
        int[] here = [.. Enumerable.Range(0, passages.Count).Where(p => passages[p].Camera == camera)];
        return [.. looks.Select((look, i) => new Chosen(look, i, PassageScoring.OwnerOf(passages, here, look.TimeUs / 1000.0, look.Box))).OrderBy(l => l.Look.TimeUs)];
    }

    private static IEnumerable<(int Owner, Chosen[] Looks)> ByOwner(Chosen[] looks) => looks.Where(l => l.Owner >= 0).GroupBy(l => l.Owner).Select(g => (g.Key, g.ToArray()));

    private int IdentityOf(int passage) => passages[passage].Subject is { } subject ? identities.Index().Where(i => i.Item == subject).Select(i => i.Index).FirstOrDefault(-1) : -1;

    private IEnumerable<int> RowsOf(int identity) => Enumerable.Range(0, rowIdentities.Count).Where(row => rowIdentities[row] == identity);

    // Index: position in the log, to which the similarities refer.
    private sealed record Chosen(Look Look, int Index, int Owner);
}
