using LfrEngine.Matching;
using System.Text.Json;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

public sealed class WatchlistTests
{
    private static readonly float[] Embedding = [0.6f, 0.8f];

    [Fact]
    public void Category_TextNames_AreStable()
    {
        Assert.Equal(["wanted", "court-order", "suspect", "missing-or-vulnerable", "at-risk"], Enum.GetValues<WatchlistCategory>().Select(c => c.Name()));
        foreach (WatchlistCategory category in Enum.GetValues<WatchlistCategory>())
            Assert.Equal(category, WatchlistCategories.Parse(category.Name()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Wanted")]
    [InlineData(" wanted")]
    [InlineData("0")]
    [InlineData("courtorder")]
    public void CategoryParse_AnythingElse_ListsTheAllowed(string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => WatchlistCategories.Parse(text));
        Assert.Contains("missing-or-vulnerable", error.Message, StringComparison.Ordinal);
        Assert.Contains("at-risk", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("\"Wanted\"")]
    [InlineData("null")]
    public void CategoryConverter_OtherThanTextName_Refuses(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<WatchlistCategory>(json));

    [Fact]
    public void Builder_GoodContent_KeepsEverything()
    {
        using Watchlist watchlist = WatchlistSamples.Build(1, 20, 50, 16, photos: true);
        Assert.Equal(50, watchlist.TemplateCount);
        Assert.Equal(20, watchlist.Identities.Count);
        Assert.Equal(50 * 16, watchlist.Embeddings.Length);
        Assert.Equal(0, watchlist.CreatedUtc.Ticks % TimeSpan.TicksPerMillisecond);
        Assert.Equal("id-3", watchlist.Identities[3].ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a\nb")]
    public void AddIdentity_BadId_Refuses(string id)
    {
        using WatchlistBuilder builder = NewBuilder();
        AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity(id, "n", WatchlistCategory.Wanted)));
        Assert.Equal(0, builder.IdentityCount);
    }

    [Fact]
    public void RemoveIdentity_PersonWithoutAPhoto_MovesTheOthersUp()
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 2);
        foreach (string id in (string[])["none", "a", "none-either", "b"])
            builder.AddIdentity(new WatchlistIdentity(id, "", WatchlistCategory.Wanted));
        builder.AddTemplate(3, [0, 1], 0.5f);
        builder.AddTemplate(1, [1, 0], 0.5f);
        Assert.Contains("'a'", Assert.Throws<InvalidOperationException>(() => builder.RemoveIdentity(1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.RemoveIdentity(4));
        builder.RemoveIdentity(2);
        builder.RemoveIdentity(0);
        // Its id is free, and it may go again.
        builder.RemoveIdentity(builder.AddIdentity(new WatchlistIdentity("none", "", WatchlistCategory.Wanted)));
        using Watchlist built = builder.Build();

        Assert.Equal(["a", "b"], built.Identities.Select(i => i.Id));
        Assert.Equal([1, 0], built.Templates.ToArray().Select(t => t.IdentityIndex));
    }

    [Fact]
    public void AddIdentity_RepeatedOrLongIdOrNoCategory_Refuses()
    {
        using WatchlistBuilder builder = NewBuilder();
        builder.AddIdentity(new WatchlistIdentity("a", "n", WatchlistCategory.Wanted));
        Assert.Contains("'a'", AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity("a", "m", WatchlistCategory.Suspect))).Message, StringComparison.Ordinal);
        AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity(new string('b', 129), "n", WatchlistCategory.Wanted)));
        AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity("half\ud800pair", "n", WatchlistCategory.Wanted)));
        AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity("c", "n", (WatchlistCategory)5)));
        AssertInvalid(() => builder.AddIdentity(new WatchlistIdentity("d", null!, WatchlistCategory.Wanted)));
        Assert.Equal(1, builder.IdentityCount);
    }

    [Fact]
    public void AddTemplate_BadEmbeddingQualityPhotoOrOwner_Refuses()
    {
        using WatchlistBuilder builder = NewBuilder();
        builder.AddIdentity(new WatchlistIdentity("a", "n", WatchlistCategory.Wanted));
        foreach (float[] bad in new float[][] { [], [1], [1, 0, 0], [1, 1], [0, 0], [0.997f, 0], [float.NaN, 0], [float.PositiveInfinity, 0], [1, float.NaN], [float.MaxValue, 0] })
            AssertInvalid(() => builder.AddTemplate(0, bad, 1));
        AssertInvalid(() => builder.AddTemplate(0, Embedding, float.NaN));
        AssertInvalid(() => builder.AddTemplate(0, Embedding, 1, new byte[(1 << 20) + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.AddTemplate(1, Embedding, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.AddTemplate(-1, Embedding, 1));
        Assert.Equal(0, builder.TemplateCount);
        Assert.Equal(0, builder.AddTemplate(0, [0.9995f, 0], 1));
    }

    [Fact]
    public void Builder_BadHeader_Refuses()
    {
        AssertInvalid(() => new WatchlistBuilder("", "e", WatchlistSamples.Sha256, 2));
        AssertInvalid(() => new WatchlistBuilder("1", "", WatchlistSamples.Sha256, 2));
        AssertInvalid(() => new WatchlistBuilder("1", "e", new string('A', 64), 2));
        AssertInvalid(() => new WatchlistBuilder("1", "e", new string('a', 63), 2));
        AssertInvalid(() => new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 0));
        AssertInvalid(() => new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 4097));
    }

    [Fact]
    public void Build_IdentityWithoutTemplate_Refuses()
    {
        using WatchlistBuilder builder = NewBuilder();
        builder.AddIdentity(new WatchlistIdentity("lonely", "n", WatchlistCategory.Wanted));
        Assert.Contains("'lonely'", AssertInvalid(() => builder.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Twice_IsMisuse()
    {
        using WatchlistBuilder builder = NewBuilder();
        builder.Build().Dispose();
        Assert.Throws<InvalidOperationException>(() => builder.Build());
    }

    [Fact]
    public void Watchlist_BadIndexOrDisposed_Throws()
    {
        Watchlist watchlist = WatchlistSamples.Build(1, 2, 3, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => watchlist.Embedding(3).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => watchlist.Photo(-1).Length);
        watchlist.Dispose();
        watchlist.Dispose();
        Assert.Throws<ObjectDisposedException>(() => watchlist.Embedding(0).Length);
    }

    [Fact]
    public void FindSimilar_AgainstBruteForce_FindsEachPairOnce()
    {
        foreach ((int identities, int templates, int length) in new[] { (1, 5, 8), (40, 150, 5), (90, 300, 33), (3, 200, 16), (70, 70, 64) })
        {
            using Watchlist watchlist = WatchlistSamples.Build(identities, identities, templates, length);
            var scores = new List<(int First, int Second, double Score)>();
            for (int a = 0; a < templates; a++)
            {
                for (int b = 0; b < templates; b++)
                {
                    double score = 0;
                    for (int i = 0; i < length; i++)
                        score += (double)watchlist.Embedding(a)[i] * watchlist.Embedding(b)[i];
                    if (watchlist.IdentityIndex(a) < watchlist.IdentityIndex(b))
                        scores.Add((watchlist.IdentityIndex(a), watchlist.IdentityIndex(b), score));
                }
            }
            // In a gap between the scores, so that rounding puts none on the other side.
            float threshold = 0.35f;
            while (scores.Exists(pair => Math.Abs(pair.Score - threshold) < 1e-6))
                threshold += 1e-6f;
            var expected = new SortedDictionary<(int, int), (double Score, int Pairs)>();
            foreach ((int first, int second, double score) in scores.Where(pair => pair.Score >= threshold))
                expected[(first, second)] = expected.TryGetValue((first, second), out var known) ? (Math.Max(known.Score, score), known.Pairs + 1) : (score, 1);
            SimilarIdentities[] found = [.. WatchlistAudit.FindSimilar(watchlist, threshold, TestContext.Current.CancellationToken)];
            Assert.Equal(expected.Keys, found.Select(pair => (pair.FirstIdentityIndex, pair.SecondIdentityIndex)));
            foreach (SimilarIdentities pair in found)
            {
                (double score, int pairs) = expected[(pair.FirstIdentityIndex, pair.SecondIdentityIndex)];
                Assert.Equal(score, pair.ComparisonScore, 1e-5);
                Assert.Equal(pairs, pair.TemplatePairs);
                Assert.Equal(pair.FirstIdentityIndex, watchlist.IdentityIndex(pair.FirstTemplateIndex));
                Assert.Equal(pair.SecondIdentityIndex, watchlist.IdentityIndex(pair.SecondTemplateIndex));
            }
        }
    }

    [Fact]
    public void FindSimilar_Cancelled_Stops()
    {
        using Watchlist watchlist = WatchlistSamples.Build(1, 5, 5, 8);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => WatchlistAudit.FindSimilar(watchlist, 0.5f, cancelled.Token).Count());
        Assert.Throws<ArgumentException>(() => WatchlistAudit.FindSimilar(watchlist, float.NaN, CancellationToken.None));
    }

    [Fact]
    public void FindUnlike_PhotoOfSomebodyElse_IsNamedWithItsBestScore()
    {
        using WatchlistBuilder builder = NewBuilder();
        int mixed = builder.AddIdentity(new WatchlistIdentity("mixed", "mixed", WatchlistCategory.Wanted, null, null, null)), alone = builder.AddIdentity(new WatchlistIdentity("alone", "alone", WatchlistCategory.Wanted, null, null, null));
        builder.AddTemplate(mixed, [1, 0], 1);
        builder.AddTemplate(mixed, [0.8f, 0.6f], 1);
        builder.AddTemplate(mixed, [0, -1], 1);
        // A covered template stands for the same photo.
        builder.AddTemplate(alone, [1, 0], 1);
        builder.AddTemplate(alone, [0, 1], 1, default, FaceCover.LowerFace);
        using Watchlist watchlist = builder.Build();

        UnlikePhoto unlike = Assert.Single(WatchlistAudit.FindUnlike(watchlist, 0.2f));

        Assert.Equal((mixed, 2, 0f), (unlike.IdentityIndex, unlike.TemplateIndex, unlike.ComparisonScore));
    }

    private static WatchlistBuilder NewBuilder() => new("1", "e", WatchlistSamples.Sha256, 2);

    private static WatchlistException AssertInvalid(Func<object> act)
    {
        WatchlistException error = Assert.Throws<WatchlistException>(() => _ = act());
        Assert.Equal(WatchlistFailure.InvalidContent, error.Reason);
        return error;
    }
}
