using LfrEngine.Matching;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Matching;

public sealed class CosineSearchTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<ScoreKernel.InstructionSet>()];

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Search_AnyShape_EqualsBruteForceInDoublePrecision(string instructions)
    {
        CosineSearch search = NewSearch(instructions);
        var random = new Random(11);
        int[] lengths = [.. Enumerable.Range(1, 70), 128, 512];
        foreach (int length in lengths)
        {
            int templates = random.Next(4) == 0 ? random.Next(0, 9) : random.Next(0, 301);
            int identities = templates == 0 ? 0 : random.Next(1, templates + 1);
            using Watchlist watchlist = WatchlistSamples.Build(length, identities, templates, length);
            using Gallery gallery = Gallery.Create(watchlist);
            int probes = random.Next(1, 18);
            float[] batch = Probes(random, watchlist, probes);
            var thresholds = new CategoryThresholds(0.1f, 0.2f, 0.3f, -0.2f, 0.5f);
            int k = random.Next(1, 12);
            var candidates = new Candidate[probes * k];
            var counts = new int[probes];
            search.Search(gallery, batch, thresholds, k, candidates, counts);
            for (int p = 0; p < probes; p++)
                AssertMatchesBruteForce(watchlist, batch.AsSpan(p * length, length), thresholds, k, candidates.AsSpan(p * k, counts[p]));
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Search_ProbeAloneOrInBatch_GivesTheSameBits(string instructions)
    {
        CosineSearch search = NewSearch(instructions);
        foreach (int length in new[] { 1, 15, 16, 17, 31, 67, 128, 512 })
        {
            using Watchlist watchlist = WatchlistSamples.Build(length, 60, 131, length);
            using Gallery gallery = Gallery.Create(watchlist);
            float[] batch = Probes(new Random(2), watchlist, 17);
            Candidate[] reference = All(NewSearch(nameof(ScoreKernel.InstructionSet.Scalar)), gallery, batch, 17);
            Assert.Equal(reference, All(search, gallery, batch, 17));
            for (int p = 0; p < 17; p++)
                Assert.Equal(reference[(p * 60)..((p + 1) * 60)], All(search, gallery, batch.AsSpan(p * length, length), 1));
            for (int size = 2; size < 8; size++)
                Assert.Equal(reference[(3 * 60)..((3 + size) * 60)], All(search, gallery, batch.AsSpan(3 * length, size * length), size));
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void SearchAmong_SomeIdentities_EqualsTheSearchWithoutTheOthers(string instructions)
    {
        CosineSearch search = NewSearch(instructions);
        var random = new Random(6);
        foreach (int length in new[] { 1, 17, 64, 100 })
        {
            using Watchlist watchlist = WatchlistSamples.Build(length, 40, 131 + length, length);
            using Gallery gallery = Gallery.Create(watchlist);
            float[] probe = Probes(random, watchlist, 1);
            Candidate[] all = All(search, gallery, probe, 1);
            for (int size = 0; size <= 40; size++)
            {
                int[] some = [.. Enumerable.Range(0, 40).OrderBy(_ => random.Next()).Take(size).Order()];
                float limit = random.NextSingle() - 0.5f;
                Candidate[] expected = [.. all.Where(c => some.Contains(c.IdentityIndex) && c.ComparisonScore >= limit).Take(7)];
                var found = new Candidate[7];
                int count = search.SearchAmong(gallery, probe, some, CategoryThresholds.Uniform(limit), found);
                Assert.Equal(expected, found[..count]);
            }
        }
    }

    [Fact]
    public void Search_EqualScores_LowerIdentityAndTemplateFirst()
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 4);
        for (int i = 0; i < 10; i++)
            builder.AddIdentity(new WatchlistIdentity($"{i}", "n", WatchlistCategory.Wanted));
        // Every identity has the same two templates, added in an order that is not theirs.
        for (int i = 9; i >= 0; i--)
        {
            builder.AddTemplate(i, [0, 1, 0, 0], 1);
            builder.AddTemplate(i, [1, 0, 0, 0], 1);
            builder.AddTemplate(i, [1, 0, 0, 0], 1);
        }
        using Watchlist watchlist = builder.Build();
        using Gallery gallery = Gallery.Create(watchlist);
        var search = new CosineSearch();
        var candidates = new Candidate[4];
        var counts = new int[1];
        search.Search(gallery, [1, 0, 0, 0], CategoryThresholds.Uniform(1), 4, candidates, counts);
        Assert.Equal(4, counts[0]);
        for (int i = 0; i < 4; i++)
            Assert.Equal(new Candidate(i, ((9 - i) * 3) + 1, 1), candidates[i]);
    }

    [Fact]
    public void Search_ScoreEqualToThreshold_IsACandidate()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 5, 5, 33);
        using Gallery gallery = Gallery.Create(watchlist);
        var search = new CosineSearch();
        float[] probe = WatchlistSamples.Unit(new Random(9), 33);
        Candidate[] all = All(search, gallery, probe, 1);
        Candidate best = all[0];
        WatchlistCategory category = watchlist.Identities[best.IdentityIndex].Category;
        foreach ((float limit, int expected) in new[] { (best.ComparisonScore, 1), (MathF.BitIncrement(best.ComparisonScore), 0) })
        {
            var thresholds = CategoryThresholds.Uniform(2);
            thresholds = category switch
            {
                WatchlistCategory.Wanted => thresholds with { Wanted = limit },
                WatchlistCategory.CourtOrder => thresholds with { CourtOrder = limit },
                WatchlistCategory.Suspect => thresholds with { Suspect = limit },
                WatchlistCategory.MissingOrVulnerable => thresholds with { MissingOrVulnerable = limit },
                _ => thresholds with { AtRiskOfHarm = limit },
            };
            Assert.Equal(limit, thresholds[category]);
            Assert.Equal(limit, thresholds.Lowest);
            var candidates = new Candidate[5];
            var counts = new int[1];
            search.Search(gallery, probe, thresholds, 5, candidates, counts);
            Assert.Equal(expected, counts[0]);
        }
    }

    [Fact]
    public void Search_ProbeIsNotANumber_MatchesNothing()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 50, 99, 20);
        using Gallery gallery = Gallery.Create(watchlist);
        var search = new CosineSearch();
        var probes = new float[5 * 20];
        Array.Fill(probes, float.NaN);
        watchlist.Embedding(0).CopyTo(probes.AsSpan(40));
        var candidates = new Candidate[5];
        var counts = new int[5];
        search.Search(gallery, probes, CategoryThresholds.Uniform(-1), 1, candidates, counts);
        Assert.Equal([0, 0, 1, 0, 0], counts);
    }

    [Fact]
    public void Search_Misuse_Throws()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 5, 5, 8);
        Gallery gallery = Gallery.Create(watchlist);
        var search = new CosineSearch();
        CategoryThresholds thresholds = CategoryThresholds.Uniform(0);
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[7], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[9], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[16], thresholds, 2, new Candidate[3], new int[2]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[16], thresholds, int.MaxValue, new Candidate[3], new int[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => search.Search(gallery, new float[8], thresholds, 0, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[8], thresholds with { Suspect = float.NaN }, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentNullException>(() => search.Search(null!, new float[8], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => thresholds[(WatchlistCategory)9]);
        search.Search(gallery, [], thresholds, 3, [], []);
        gallery.Dispose();
        Assert.Throws<ObjectDisposedException>(() => search.Search(gallery, new float[8], thresholds, 1, new Candidate[1], new int[1]));
    }

    [Fact]
    public void Search_Warm_AllocatesNothing()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 100, 300, 70);
        using Gallery gallery = Gallery.Create(watchlist);
        var search = new CosineSearch();
        float[] probes = Probes(new Random(1), watchlist, 9);
        var candidates = new Candidate[90];
        var counts = new int[9];
        long Measure()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using (GalleryLease lease = gallery.Lease())
                search.Search(lease.Gallery, probes, CategoryThresholds.Uniform(-1), 10, candidates, counts);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Measure();
        Assert.Equal(0, Measure());
    }

    private static CosineSearch NewSearch(string instructions) => new(Enum.Parse<ScoreKernel.InstructionSet>(Supported(instructions)), firstPass: true, threads: 1);

    private static string Supported(string instructions)
    {
        bool supported = Enum.Parse<ScoreKernel.InstructionSet>(instructions) <= ScoreKernel.Widest;
        Assert.SkipUnless(supported, $"{instructions} is not on this machine; its widest is {ScoreKernel.Widest}.");
        return instructions;
    }

    private static Candidate[] All(CosineSearch search, Gallery gallery, ReadOnlySpan<float> probes, int count)
    {
        int k = gallery.Identities.Count;
        var candidates = new Candidate[count * k];
        var counts = new int[count];
        search.Search(gallery, probes, CategoryThresholds.Uniform(-2), k, candidates, counts);
        Assert.All(counts, found => Assert.Equal(k, found));
        return candidates;
    }

    /// <summary>Random directions, every third close to a template so that high scores occur.</summary>
    private static float[] Probes(Random random, Watchlist watchlist, int count)
    {
        int length = watchlist.EmbeddingLength;
        var batch = new float[count * length];
        for (int p = 0; p < count; p++)
        {
            float[] probe = p % 3 == 0 && watchlist.TemplateCount > 0
                ? watchlist.Embedding(random.Next(watchlist.TemplateCount)).ToArray()
                : WatchlistSamples.Unit(random, length);
            probe.CopyTo(batch, p * length);
        }
        return batch;
    }

    private static void AssertMatchesBruteForce(Watchlist watchlist, ReadOnlySpan<float> probe, in CategoryThresholds thresholds, int k, ReadOnlySpan<Candidate> found)
    {
        var best = new Dictionary<int, double>();
        for (int t = 0; t < watchlist.TemplateCount; t++)
        {
            double score = Dot(probe, watchlist.Embedding(t));
            int identity = watchlist.IdentityIndex(t);
            best[identity] = best.TryGetValue(identity, out double known) ? Math.Max(known, score) : score;
        }
        // Scores within the tolerance of a limit may fall on either side of it; everything else must agree.
        int certain = 0, possible = 0;
        foreach ((int identity, double score) in best)
        {
            double limit = thresholds[watchlist.Identities[identity].Category];
            certain += score >= limit + Tolerance ? 1 : 0;
            possible += score >= limit - Tolerance ? 1 : 0;
        }
        Assert.InRange(found.Length, Math.Min(certain, k), Math.Min(possible, k));
        var seen = new HashSet<int>();
        for (int i = 0; i < found.Length; i++)
        {
            Candidate candidate = found[i];
            Assert.True(seen.Add(candidate.IdentityIndex), "An identity came twice.");
            Assert.Equal(candidate.IdentityIndex, watchlist.IdentityIndex(candidate.TemplateIndex));
            Assert.Equal(best[candidate.IdentityIndex], candidate.ComparisonScore, Tolerance);
            Assert.Equal(Dot(probe, watchlist.Embedding(candidate.TemplateIndex)), candidate.ComparisonScore, Tolerance);
            Assert.True(candidate.ComparisonScore >= thresholds[watchlist.Identities[candidate.IdentityIndex].Category]);
            if (i > 0)
            {
                Assert.True(found[i - 1].ComparisonScore >= candidate.ComparisonScore);
                if (found[i - 1].ComparisonScore == candidate.ComparisonScore)
                    Assert.True(found[i - 1].IdentityIndex < candidate.IdentityIndex);
            }
        }
        foreach ((int identity, double score) in best)
        {
            if (found.Length == k && score > found[^1].ComparisonScore + Tolerance && score >= thresholds[watchlist.Identities[identity].Category] + Tolerance)
                Assert.Contains(identity, seen);
        }
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
