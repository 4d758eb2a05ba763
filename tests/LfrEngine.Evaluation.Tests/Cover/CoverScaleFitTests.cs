using LfrEngine.Evaluation.Cover;
using LfrEngine.Matching;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Evaluation.Tests.Cover;

/// <summary>On made-up embeddings that a cover pulls towards each other: the fitted scale gives new strangers the false alerts that uncovered ones have.</summary>
public sealed class CoverScaleFitTests
{
    private const int Length = 64, People = 150, Strangers = 500;

    private readonly Random random = new(7);
    private readonly float[] pull;

    public CoverScaleFitTests() => pull = Unit();

    [Fact]
    public void Fit_NewStrangers_HaveTheRateOfUncoveredOnes()
    {
        using Watchlist list = List();
        CoverScale scale;
        using (Gallery gallery = Gallery.Create(list, CoverScaleFit.Neutral))
        {
            var fit = new CoverScaleFit(gallery);
            var search = new CosineSearch();
            for (int i = 0; i < Strangers; i++)
            {
                float[] face = Unit();
                fit.Add(FaceCover.None, face, search);
                fit.Add(FaceCover.LowerFace, Covered(face), search);
            }
            Assert.Null(fit.Fit(FaceCover.Eyes, 1, "test"));
            scale = fit.Fit(FaceCover.LowerFace, 1, "test")!;
        }
        Assert.True(scale.IsUsable);
        Assert.Equal("test", scale.Evidence);
        using Gallery fitted = Gallery.Create(list, [scale]), plain = Gallery.Create(list);
        float[][] strangers = [.. Enumerable.Range(0, 2000).Select(_ => Unit())];
        float[] uncovered = [.. strangers.Select(s => Best(fitted, s, FaceCover.None)).OrderDescending()];
        float threshold = uncovered[100];
        // 5 % by construction; the error of 2,000 searches is 0.5 %.
        Assert.InRange(strangers.Count(s => Best(fitted, Covered(s), FaceCover.LowerFace) >= threshold) / 2000.0, 0.03, 0.075);
        // Whom the list knows, it finds more often than by the photos alone.
        int found = 0, before = 0;
        for (int person = 0; person < People; person++)
        {
            float[] probe = Covered(Near(list.Embedding(2 * person).ToArray(), 0.9f));
            found += IsFound(fitted, probe, FaceCover.LowerFace, person, threshold) ? 1 : 0;
            before += IsFound(plain, probe, FaceCover.None, person, threshold) ? 1 : 0;
        }
        Assert.True(found > before, $"{found} with, {before} without");
    }

    private static bool IsFound(Gallery gallery, float[] probe, FaceCover cover, int person, float threshold)
    {
        var best = new Candidate[1];
        var count = new int[1];
        new CosineSearch().Search(gallery, probe, CategoryThresholds.Uniform(threshold), 1, best, count, [cover]);
        return count[0] == 1 && best[0].IdentityIndex == person;
    }

    private static float Best(Gallery gallery, float[] probe, FaceCover cover)
    {
        var best = new Candidate[1];
        var count = new int[1];
        new CosineSearch().Search(gallery, probe, CategoryThresholds.Uniform(-1), 1, best, count, [cover]);
        return best[0].ComparisonScore;
    }

    private Watchlist List()
    {
        using var builder = new WatchlistBuilder("1", "made up", new string('a', 64), Length);
        for (int i = 0; i < People; i++)
        {
            float[] face = Unit();
            int identity = builder.AddIdentity(new WatchlistIdentity($"{i}", "", WatchlistCategory.Wanted));
            builder.AddTemplate(identity, face, 1);
            builder.AddTemplate(identity, Covered(face), 1, default, FaceCover.LowerFace);
        }
        return builder.Build();
    }

    private float[] Covered(float[] face) => Normalised([.. Near(face, 0.4f).Zip(pull, (f, p) => f + (0.8f * p * (float)(0.5 + random.NextDouble())))]);

    private float[] Near(float[] face, float noise) => Normalised([.. face.Zip(Unit(), (f, n) => f + (noise * n))]);

    private float[] Unit() => Normalised([.. Enumerable.Range(0, Length).Select(_ => (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))]);

    private static float[] Normalised(float[] vector)
    {
        double norm = Math.Sqrt(vector.Sum(v => (double)v * v));
        return [.. vector.Select(v => (float)(v / norm))];
    }
}
