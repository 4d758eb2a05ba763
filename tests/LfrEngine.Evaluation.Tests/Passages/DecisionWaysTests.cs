using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Passages;
using LfrEngine.Quality;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Tests.Passages;

public sealed class DecisionWaysTests
{
    private static readonly FaceBox Here = new(100, 100, 200, 220);

    // The list: ann and bob, one row each, at right angles.
    private static readonly float[][] Rows = [[1, 0, 0], [0, 1, 0]];

    [Fact]
    public void Judge_EveryWay_AddsUpAsItSays()
    {
        float[][] embeddings = [Unit(0.5f, 0, 1), Unit(0.8f, 0.3f, -0.9f), Unit(0.6f, -0.1f, 0.2f)];
        float[] qualities = [0.2f, 0.5f, 0.3f];

        Dictionary<string, DecisionWay> ways = Judge([("ann", 0, 2000)], Looks(embeddings, qualities));

        float[] own = [.. embeddings.Select(e => e[0])];
        float[] sorted = [.. own.OrderDescending()];
        Assert.Equal(sorted[1], ways["second best score, as the engine"].Own[0]);
        Assert.Equal(sorted[0], ways["highest score"].Own[0]);
        Assert.Equal(sorted[2], ways["third best score"].Own[0]);
        Assert.Equal((sorted[0] + sorted[1]) / 2, ways["mean of the two best"].Own[0], 1e-6f);
        Assert.Equal(Pooled(embeddings, [1, 1, 1]), ways["pooled embedding, equal weights"].Own[0], 1e-5f);
        Assert.Equal(Pooled(embeddings, qualities), ways["pooled embedding, by quality"].Own[0], 1e-5f);
        // The log has the looks with their mirror images as ever so little better.
        Assert.Equal(sorted[1] + 0.01f, ways["probes with their mirror images"].Own[0], 1e-6f);
        Assert.Equal(3, ways["every look is a shot"].Shots);
        // Bob is no part of this passage: each way has one score too high for him.
        Assert.All(ways.Values, w => Assert.Single(w.False));
        Assert.Equal(embeddings.Select(e => e[1]).OrderDescending().ElementAt(1), ways["second best score, as the engine"].ThresholdFor(1));
        Assert.Null(ways["second best score, as the engine"].ThresholdFor(2));
    }

    [Fact]
    public void Judge_ATrackletOfTwoPeople_CountsEachByThemselves()
    {
        // Ann, then bob, in one tracklet: one look of bob is no evidence, however good.
        Dictionary<string, DecisionWay> ways = Judge([("ann", 0, 1000), ("bob", 1500, 3000)], Looks([Unit(1, 0, 0.5f), Unit(1, 0, 0.4f), Unit(0, 1, 0.1f)], [0.2f, 0.2f, 0.2f], 0, 500, 2000));

        DecisionWay engine = ways["second best score, as the engine"];
        float[] own = [Unit(1, 0, 0.5f)[0], -1];
        Assert.Equal(own, engine.Own);
        Assert.Equal(Unit(0, 1, 0.1f)[1], ways["highest score"].Own[1]);
    }

    [Fact]
    public void Judge_LooksThatTheEngineWouldNotTake_AreNoShots()
    {
        float[][] embeddings = [.. Enumerable.Range(0, 10).Select(_ => Unit(1, 0, 0))];
        // Three first shots, then none that is no better, until a second is over.
        Dictionary<string, DecisionWay> ways = Judge([("ann", 0, 2000)], Looks(embeddings, [.. Enumerable.Repeat(0.3f, 9), 0.01f], [.. Enumerable.Range(0, 10).Select(i => i * 200L)]));

        Assert.Equal(4, ways["second best score, as the engine"].Shots);
        // The last is below the quality that is ever compared.
        Assert.Equal(9, ways["every look is a shot"].Shots);
    }

    [Fact]
    public void Predict_LearnedThatLargeFacesMatch_OrdersBySize()
    {
        var model = new LookModel();
        for (int passage = 0; passage < 20; passage++)
            model.Learn([.. Enumerable.Range(10, 20).Select(eyes => (Quality(0.3f) with { InterEyePixels = eyes }, 0.2f + (0.02f * passage) + (0.01f * eyes)))]);

        float[] predicted = [.. Enumerable.Range(10, 20).Select(eyes => model.Predict(Quality(0.3f) with { InterEyePixels = eyes }))];

        Assert.Equal(predicted.Order(), predicted);
        // 0.01 of score more is a tenth more.
        Assert.InRange(predicted[10] / predicted[9], 1.07f, 1.13f);
    }

    private static Dictionary<string, DecisionWay> Judge((string Subject, double From, double To)[] walks, List<Look> looks)
    {
        Passage[] passages = [.. walks.Select(w => new Passage("v", "street", w.From, w.To, w.Subject, w.Subject, null, [new TrackPoint(w.From, Here, 1)]))];
        var judge = new DecisionWays(passages, ["ann", "bob"], [0, 1], agreeingShots: 2, new BestShotPolicy());
        return judge.Judge(new Dictionary<(string, long), List<Look>> { [("street", 1)] = looks }).ToDictionary(w => w.Name);
    }

    private static List<Look> Looks(float[][] embeddings, float[] qualities, params long[] timesMs) =>
        [.. embeddings.Select((e, i) => new Look((timesMs.Length > 0 ? timesMs[i] : i * 200) * 1000, Here, Quality(qualities[i]), 3, [.. Rows.Select(r => Dot(r, e))], [.. Rows.Select(r => Dot(r, e) + 0.01f)],
            [.. embeddings.Take(i).Select(earlier => Dot(earlier, e))]))];

    // The highest cosine of the sum so far to the first row, from the second shot on.
    private static float Pooled(float[][] embeddings, float[] weights)
    {
        float highest = -1;
        var sum = new float[3];
        for (int i = 0; i < embeddings.Length; i++)
        {
            for (int d = 0; d < 3; d++)
                sum[d] += weights[i] * embeddings[i][d];
            if (i > 0)
                highest = Math.Max(highest, sum[0] / MathF.Sqrt(Dot(sum, sum)));
        }
        return highest;
    }

    private static float[] Unit(float x, float y, float z)
    {
        float norm = MathF.Sqrt((x * x) + (y * y) + (z * z));
        return [x / norm, y / norm, z / norm];
    }

    private static float Dot(float[] a, float[] b) => (a[0] * b[0]) + (a[1] * b[1]) + (a[2] * b[2]);

    private static FaceQuality Quality(float score) => new(40, 0.3f, 120, 0, 0, 0, 0, 0, 3, score);
}
