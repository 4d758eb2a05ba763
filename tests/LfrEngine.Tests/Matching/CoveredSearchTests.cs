using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Matching;

/// <summary>The search for covered probes against its definition, written out in double precision.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class CoveredSearchTests
{
    private const FaceCover Lower = FaceCover.LowerFace, Eyes = FaceCover.Eyes, Brow = FaceCover.Brow;

    private static readonly CoverScale[] Scales =
    [
        new(Lower, 0.01f, 0.1f, 0.9f, 0.02f, "test"),
        new(Eyes, 0, 0.09f, 1.1f, -0.03f, "test"),
        new(Lower | Brow, 0, 0.1f, 0.7f, 0.05f, "test"),
    ];

    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<ScoreKernel.InstructionSet>()];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(51)]
    [InlineData(52)]
    [InlineData(300)]
    public void Search_CoveredProbes_EqualTheDefinition(int people)
    {
        const int Length = 48;
        using Watchlist list = WatchlistSamples.BuildCovered(people, people, Length);
        using Gallery gallery = Gallery.Create(list, Scales);
        var search = new CosineSearch();
        foreach (FaceCover cover in (FaceCover[])[Lower, Eyes, Lower | Eyes, Lower | Brow])
        {
            if (gallery.CoveredFor(cover) is not { } covered)
                continue;
            CoverScale scale = gallery.ScaleOf(cover, covered.Cover);
            float[] probes = Probes(list, 12, (int)cover);
            foreach (int k in (int[])[1, 7, 51, 400])
            {
                foreach (CategoryThresholds thresholds in (CategoryThresholds[])[CategoryThresholds.Uniform(-2), CategoryThresholds.Uniform(0.2f), new(0.9f, -1, 0.1f, 0.05f, 0.3f)])
                {
                    (Candidate[] found, int[] counts) = Search(search, gallery, probes, thresholds, k, Repeat(cover, 12));
                    for (int p = 0; p < 12; p++)
                    {
                        (int Identity, double Score)[] expected = Define(list, scale, covered, probes.AsSpan(p * Length, Length));
                        AssertSame(list, expected, thresholds, k, found.AsSpan(p * k, counts[p]));
                    }
                }
            }
        }
    }

    /// <summary>The kernels, the first pass, threads and the batch change no bit.</summary>
    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Search_CoveredProbes_AnyKernelAndBatch_SameBits(string name)
    {
        var instructions = Enum.Parse<ScoreKernel.InstructionSet>(name);
        Assert.SkipUnless(instructions <= ScoreKernel.Widest, $"{name} is not on this machine.");
        using Watchlist list = WatchlistSamples.BuildCovered(3, 200, 67);
        using Gallery gallery = Gallery.Create(list, Scales);
        float[] probes = Probes(list, 9, 1);
        FaceCover[] covers = [Lower, FaceCover.None, FaceCover.None, Eyes, Lower | Brow, Brow, Lower, FaceCover.None, Eyes | Brow];
        var reference = new CosineSearch(ScoreKernel.InstructionSet.Scalar, firstPass: false, threads: 1);
        var thresholds = new CategoryThresholds(0.3f, -1, 0.1f, 0.05f, 0.2f);
        foreach (int k in (int[])[1, 10, 200])
        {
            (Candidate[] expected, int[] expectedCounts) = Search(reference, gallery, probes, thresholds, k, covers);
            foreach (bool firstPass in (bool[])[false, true])
            {
                var search = new CosineSearch(instructions, firstPass, threads: 2);
                (Candidate[] found, int[] counts) = Search(search, gallery, probes, thresholds, k, covers);
                Assert.Equal(expectedCounts, counts);
                for (int p = 0; p < 9; p++)
                {
                    Assert.Equal(expected[(p * k)..((p * k) + counts[p])], found[(p * k)..((p * k) + counts[p])]);
                    (Candidate[] alone, int[] one) = Search(search, gallery, probes[(p * 67)..((p + 1) * 67)], thresholds, k, [covers[p]]);
                    Assert.Equal(counts[p], one[0]);
                    Assert.Equal(found[(p * k)..((p * k) + counts[p])], alone[..one[0]]);
                }
            }
        }
    }

    [Fact]
    public void Search_UncoveredProbes_SameAsWithoutCoveredTemplates()
    {
        using Watchlist list = WatchlistSamples.BuildCovered(3, 60, 33);
        using Watchlist plain = PlainOnly(list, out int[] templates);
        using Gallery gallery = Gallery.Create(list, Scales), expected = Gallery.Create(plain);
        var search = new CosineSearch();
        float[] probes = Probes(list, 20, 2);
        Assert.Equal(expected.RowCount, gallery.RowCount);
        Assert.True(expected.Rows.SequenceEqual(gallery.Rows));
        (Candidate[] wanted, int[] wantedCounts) = Search(search, expected, probes, CategoryThresholds.Uniform(0), 5, []);
        foreach (FaceCover[] covers in (FaceCover[][])[[], Repeat(FaceCover.None, 20)])
        {
            (Candidate[] found, int[] counts) = Search(search, gallery, probes, CategoryThresholds.Uniform(0), 5, covers);
            Assert.Equal(wantedCounts, counts);
            for (int p = 0; p < 20; p++)
            {
                for (int i = 0; i < counts[p]; i++)
                {
                    Candidate candidate = wanted[(p * 5) + i];
                    Assert.Equal(candidate with { TemplateIndex = templates[candidate.TemplateIndex] }, found[(p * 5) + i]);
                }
            }
        }
    }

    /// <summary>The photo weighs twice as much as what was drawn on it, and as much where the brow was blanked.</summary>
    [Fact]
    public void Rows_OnePhoto_WeighThePhotoByItsCover()
    {
        const int Length = 24;
        foreach (FaceCover cover in (FaceCover[])[FaceCover.LowerFace, FaceCover.Eyes, FaceCover.Brow])
        {
            // Two directions at right angles; from one pair hardly anything is taken out.
            float[] photo = new float[Length], drawn = new float[Length];
            photo[0] = drawn[1] = 1;
            using var builder = new WatchlistBuilder("weights", "e", WatchlistSamples.Sha256, Length);
            int identity = builder.AddIdentity(new WatchlistIdentity("one", "", WatchlistCategory.Wanted));
            builder.AddTemplate(identity, photo, 1, []);
            builder.AddTemplate(identity, drawn, 1, [], cover);
            using Watchlist list = builder.Build();
            using Gallery gallery = Gallery.Create(list, [new CoverScale(cover, 0, 0.1f, 1, 0, "")]);
            ReadOnlySpan<float> row = gallery.CoveredFor(cover)!.Rows.Rows[..Length];
            Assert.InRange(row[0] / row[1], cover == FaceCover.Brow ? 0.9f : 1.8f, cover == FaceCover.Brow ? 1.1f : 2.2f);
        }
    }

    /// <summary>A cover that nothing on the list is like, or without a scale: as if uncovered.</summary>
    [Fact]
    public void Search_CoverWithoutRows_IsSearchedAsUncovered()
    {
        using Watchlist list = WatchlistSamples.BuildCovered(3, 40, 33, [Lower, Brow]);
        using Gallery gallery = Gallery.Create(list, Scales), without = Gallery.Create(list);
        var search = new CosineSearch();
        float[] probes = Probes(list, 10, 2);
        (Candidate[] expected, int[] counts) = Search(search, gallery, probes, CategoryThresholds.Uniform(0), 5, []);
        Assert.Single(gallery.CoveredGalleries);
        Assert.Empty(without.CoveredGalleries);
        foreach ((Gallery one, FaceCover cover) in ((Gallery, FaceCover)[])[(gallery, Eyes), (gallery, Brow), (without, Lower)])
        {
            (Candidate[] found, int[] foundCounts) = Search(search, one, probes, CategoryThresholds.Uniform(0), 5, Repeat(cover, 10));
            Assert.Equal(expected, found);
            Assert.Equal(counts, foundCounts);
        }
        (Candidate[] masked, _) = Search(search, gallery, probes, CategoryThresholds.Uniform(0), 5, Repeat(Lower | Eyes, 10));
        Assert.NotEqual(expected, masked);
    }

    [Fact]
    public void Search_EqualPeople_LowerIdentityFirst()
    {
        float[] plain = WatchlistSamples.Unit(new Random(1), 24), masked = WatchlistSamples.Unit(new Random(2), 24);
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 24);
        for (int i = 0; i < 120; i++)
            builder.AddIdentity(new WatchlistIdentity($"{i}", "n", (WatchlistCategory)(i % WatchlistCategories.Count)));
        for (int i = 119; i >= 0; i--)
        {
            builder.AddTemplate(i, plain, 1);
            builder.AddTemplate(i, masked, 1, default, Lower);
            builder.AddTemplate(i, plain, 1);
            builder.AddTemplate(i, masked, 1, default, Lower);
        }
        using Watchlist list = builder.Build();
        using Gallery gallery = Gallery.Create(list, Scales);
        foreach (int k in (int[])[1, 51, 120])
        {
            (Candidate[] found, int[] counts) = Search(new CosineSearch(), gallery, plain, CategoryThresholds.Uniform(-2) with { Wanted = 2 }, k, [Lower]);
            int[] expected = [.. Enumerable.Range(0, 120).Where(i => i % WatchlistCategories.Count != 0).Take(k)];
            Assert.Equal(expected.Length, counts[0]);
            Assert.Equal(expected, found[..counts[0]].Select(c => c.IdentityIndex));
            Assert.All(found[..counts[0]], c => Assert.Equal((119 - c.IdentityIndex) * 4, c.TemplateIndex));
        }
    }

    /// <summary>The threshold is the very score, after all the rounding between.</summary>
    [Fact]
    public void Search_ScoreEqualToTheThreshold_IsACandidate()
    {
        using Watchlist list = WatchlistSamples.BuildCovered(8, 150, 40);
        using Gallery gallery = Gallery.Create(list, Scales);
        var search = new CosineSearch();
        float[] probe = Probes(list, 1, 5);
        (Candidate[] all, int[] counts) = Search(search, gallery, probe, CategoryThresholds.Uniform(-2), 150, [Lower]);
        Assert.Equal(150, counts[0]);
        foreach (int place in (int[])[0, 20, 50, 51, 100, 149])
        {
            float limit = all[place].ComparisonScore;
            int expected = all.Count(c => c.ComparisonScore >= limit);
            Assert.Equal(expected, Search(search, gallery, probe, CategoryThresholds.Uniform(limit), 150, [Lower]).Counts[0]);
            Assert.Equal(all.Count(c => c.ComparisonScore > limit), Search(search, gallery, probe, CategoryThresholds.Uniform(MathF.BitIncrement(limit)), 150, [Lower]).Counts[0]);
        }
    }

    [Fact]
    public void Search_ProbeThatIsNoNumber_MatchesNothing()
    {
        using Watchlist list = WatchlistSamples.BuildCovered(8, 80, 16);
        using Gallery gallery = Gallery.Create(list, Scales);
        foreach (float value in (float[])[float.NaN, float.PositiveInfinity])
            Assert.Equal(0, Search(new CosineSearch(), gallery, [.. Enumerable.Repeat(value, 16)], CategoryThresholds.Uniform(-2), 3, [Lower]).Counts[0]);
    }

    [Fact]
    public void Search_Warm_AllocatesNothing()
    {
        using Watchlist list = WatchlistSamples.BuildCovered(8, 400, 64);
        using Gallery gallery = Gallery.Create(list, Scales);
        var search = new CosineSearch(threads: 1);
        float[] probes = Probes(list, 4, 5);
        FaceCover[] covers = [Lower, FaceCover.None, Eyes, Lower | Brow];
        var candidates = new Candidate[4 * 5];
        var counts = new int[4];
        var thresholds = new CategoryThresholds(0.3f, -1, 0.1f, 0.05f, 0.2f);
        for (int warm = 0; warm < 50; warm++)
            search.Search(gallery, probes, thresholds, 5, candidates, counts, covers);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            search.Search(gallery, probes, thresholds, 5, candidates, counts, covers);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Gallery_Disposed_GivesEverythingBack()
    {
        long before = BufferPool.OutstandingBlocks;
        using (Watchlist list = WatchlistSamples.BuildCovered(8, 40, 64))
        {
            Gallery gallery = Gallery.Create(list, Scales);
            Gallery[] all = [gallery, .. gallery.CoveredGalleries];
            Assert.Equal(4, all.Length);
            using (GalleryLease lease = gallery.Lease())
            {
                gallery.Dispose();
                Assert.All(all, g => Assert.False(g.Rows.IndexOfAnyExcept(0f) < 0));
            }
            Assert.All(all, g => Assert.Throws<ObjectDisposedException>(() => g.Lease()));
        }
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void LimitOf_AnyScores_IsTheLeastThatReaches()
    {
        var random = new Random(4);
        for (int round = 0; round < 300; round++)
        {
            Candidate[] best = [.. Enumerable.Range(0, random.Next(1, 52)).Select(i => new Candidate(i, i, random.NextSingle() - 0.5f)).OrderByDescending(c => c.ComparisonScore)];
            var scores = new CoveredScores(best, best.Length + random.Next(0, 500), Scales[round % 3]);
            float last = float.NegativeInfinity;
            foreach (Candidate candidate in best.Reverse())
            {
                float here = scores.Of(candidate.ComparisonScore), limit = scores.LimitOf(here);
                Assert.True(here >= last && limit <= candidate.ComparisonScore);
                Assert.True(scores.Of(limit) >= here && scores.Of(MathF.BitDecrement(limit)) < here);
                last = here;
            }
            Assert.Equal(float.PositiveInfinity, scores.LimitOf(1.5f));
        }
    }

    [Theory]
    [InlineData(50, 50, 0)]
    [InlineData(50, 100, 0.797885)]
    [InlineData(50, 1000, 2.06271)]
    [InlineData(50, 5000, 2.66521)]
    public void ExpectedBest_KnownShares_AreTheTextbooks(int m, int n, double expected) => Assert.Equal(expected, CoveredScores.ExpectedBest(m, n), 4);

    private static FaceCover[] Repeat(FaceCover cover, int count) => [.. Enumerable.Repeat(cover, count)];

    private static (Candidate[] Found, int[] Counts) Search(IGallerySearch search, Gallery gallery, float[] probes, CategoryThresholds thresholds, int k, FaceCover[] covers)
    {
        int count = probes.Length / gallery.EmbeddingLength;
        var candidates = new Candidate[count * k];
        int[] counts = [.. Enumerable.Repeat(-7, count)];
        search.Search(gallery, probes, thresholds, k, candidates, counts, covers);
        return (candidates, counts);
    }

    /// <summary>Random directions; every second is near a template.</summary>
    private static float[] Probes(Watchlist list, int count, int seed)
    {
        var random = new Random(seed);
        int length = list.EmbeddingLength;
        var probes = new List<float>();
        for (int p = 0; p < count; p++)
        {
            float[] probe = WatchlistSamples.Unit(random, length);
            if (p % 2 == 0)
                probe = [.. list.Embedding(random.Next(list.TemplateCount)).ToArray().Zip(probe, (t, r) => t + (0.7f * r))];
            double norm = Math.Sqrt(probe.Sum(v => (double)v * v));
            probes.AddRange(probe.Select(v => (float)(v / norm)));
        }
        return [.. probes];
    }

    private static Watchlist PlainOnly(Watchlist list, out int[] templates)
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, list.EmbeddingLength);
        foreach (WatchlistIdentity identity in list.Identities)
            builder.AddIdentity(identity);
        templates = [.. Enumerable.Range(0, list.TemplateCount).Where(t => list.Cover(t) == FaceCover.None)];
        foreach (int t in templates)
            builder.AddTemplate(list.IdentityIndex(t), list.Embedding(t), 1);
        return builder.Build();
    }

    /// <summary>All identities by their covered score, best first: the definition, without bounds, first passes and limits.</summary>
    private static (int Identity, double Score)[] Define(Watchlist list, CoverScale scale, CoveredGallery covered, ReadOnlySpan<float> probe)
    {
        int length = list.EmbeddingLength, people = list.Identities.Count;
        var projected = new float[length];
        covered.Project(probe, projected);
        var best = Enumerable.Repeat(double.NegativeInfinity, people).ToArray();
        for (int row = 0; row < covered.Rows.RowCount; row++)
        {
            double score = 0;
            for (int i = 0; i < length; i++)
                score += projected[i] * (double)covered.Rows.Rows[(row * covered.Rows.RowStride) + i];
            best[covered.Rows.RowIdentities[row]] = Math.Max(best[covered.Rows.RowIdentities[row]], score);
        }
        int n = people - 1, m = Math.Min(50, n);
        var scores = new double[people];
        for (int i = 0; i < people; i++)
        {
            double others = m == 0 ? 0 : best.Where((_, j) => j != i).OrderDescending().Take(m).Average();
            double usual = scale.Mean + (scale.Deviation * CoveredScores.ExpectedBest(m, n));
            double adjusted = m == 0 ? best[i] : best[i] - (n / (n + 100.0) * (others - usual));
            scores[i] = Math.Clamp(scale.Offset + (scale.Slope * adjusted), -1, 1);
        }
        return [.. Enumerable.Range(0, people).Select(i => (i, scores[i])).OrderByDescending(s => s.Item2)];
    }

    private static void AssertSame(Watchlist list, (int Identity, double Score)[] all, CategoryThresholds thresholds, int k, ReadOnlySpan<Candidate> found)
    {
        const double Tolerance = 2e-6;
        var score = all.ToDictionary(a => a.Identity, a => a.Score);
        double last = double.PositiveInfinity;
        foreach (Candidate candidate in found)
        {
            Assert.Equal(score[candidate.IdentityIndex], candidate.ComparisonScore, Tolerance);
            Assert.True(candidate.ComparisonScore >= thresholds[list.Identities[candidate.IdentityIndex].Category]);
            Assert.True(candidate.ComparisonScore <= last);
            Assert.Equal(FaceCover.None, list.Cover(candidate.TemplateIndex));
            Assert.Equal(candidate.IdentityIndex, list.IdentityIndex(candidate.TemplateIndex));
            last = candidate.ComparisonScore;
        }
        var named = found.ToArray().Select(c => c.IdentityIndex).ToHashSet();
        Assert.Equal(found.Length, named.Count);
        (int Identity, double Score)[] wanted = [.. all.Where(a => a.Score >= thresholds[list.Identities[a.Identity].Category] + Tolerance)];
        Assert.True(found.Length >= Math.Min(k, wanted.Length));
        foreach ((int identity, double s) in wanted.Take(k))
            Assert.True(named.Contains(identity) || (found.Length == k && s <= found[^1].ComparisonScore + Tolerance), $"identity {identity} with {s} is missing");
    }
}
