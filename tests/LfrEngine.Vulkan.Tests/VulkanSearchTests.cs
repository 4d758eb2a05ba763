using LfrEngine.Matching;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;
using LfrEngine.Watchlists;

namespace LfrEngine.Vulkan.Tests;

/// <summary>The processor's search is the reference: every identity, its place and every bit of its score.</summary>
[Trait("Speed", "slow")]
public sealed class VulkanSearchTests(Searches searches)
{
    public static TheoryData<GalleryPrecision> Precisions => [GalleryPrecision.Float32, GalleryPrecision.PackedHalf];

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_AnyShape_EqualsTheProcessor(GalleryPrecision precision)
    {
        VulkanSearch search = searches[precision];
        long before = search.SearchedByProcessor;
        var random = new Random(5);
        int found = 0;
        foreach (int length in (int[])[1, 2, 3, 15, 16, 17, 31, 33, 64, 67, 128, 200, 512])
        {
            int templates = random.Next(1, 400);
            using Gallery gallery = Samples.Random(length, random.Next(1, templates + 1), templates, length);
            float[] probes = Samples.Probes(random, gallery, random.Next(1, 40));
            foreach (int k in (int[])[1, 5, 50, 1000])
            {
                found += Samples.AssertSame(search, gallery, probes, new CategoryThresholds(0.1f, 0.2f, 0.3f, -0.2f, 0.5f), k).Sum(c => c.Length);
                found += Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), k).Sum(c => c.Length);
            }
        }
        Assert.True(found > 10_000);
        // The device did it.
        Assert.Equal(before, search.SearchedByProcessor);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_MostProbes_EqualsTheProcessor(GalleryPrecision precision)
    {
        using Gallery gallery = Samples.Random(1, 5000, 9000, 96);
        VulkanSearch search = searches[precision];
        long before = search.SearchedByProcessor;
        Candidate[][] found = Samples.AssertSame(search, gallery, Samples.Probes(new Random(2), gallery, 256), CategoryThresholds.Uniform(0.25f), 7);
        Assert.Equal(256, found.Length);
        Assert.True(found.Count(c => c.Length == 7) > 80);
        foreach (int few in (int[])[1, 2, 4, 5, 16, 17])
            Samples.AssertSame(search, gallery, Samples.Probes(new Random(few), gallery, few), CategoryThresholds.Uniform(0), 3);
        Assert.Equal(before, search.SearchedByProcessor);
    }

    [Fact]
    public void Search_MillionTemplates_EqualsTheProcessor()
    {
        const int Length = 24;
        var random = new Random(12);
        using Gallery gallery = Samples.Make(Length, 200_000, 1_000_000, i => i < 200_000 ? i : random.Next(200_000), (_, row) =>
        {
            for (int i = 0; i < Length; i++)
                row[i] = random.NextSingle() - 0.5f;
            System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm<float>(row), row);
        });
        VulkanSearch search = searches[GalleryPrecision.PackedHalf];
        long before = search.SearchedByProcessor;
        Candidate[][] found = Samples.AssertSame(search, gallery, Samples.Probes(random, gallery, 3), CategoryThresholds.Uniform(0.6f), 10);
        Assert.All(found, c => Assert.Equal(10, c.Length));
        Assert.Equal(before, search.SearchedByProcessor);
    }

    /// <summary>Small buffers, as if the device took no larger ones: the gallery comes in pieces, the probes in groups.</summary>
    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_SmallestBuffers_EqualsTheProcessor(GalleryPrecision precision)
    {
        using var search = new VulkanSearch(new VulkanContext(Searches.Device) { LargestBufferBytes = 40_000 }, precision);
        // Identities go over the edges of the pieces.
        using Gallery gallery = Samples.Random(3, 900, 2500, 48);
        float[] probes = Samples.Probes(new Random(4), gallery, 33);
        Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), 4);
        Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.2f), 900);
        Assert.True(search.Residents[0].Chunks.Length >= 5);
        Assert.InRange(search.Buffers!.Size.Probes, 1, 11);
        Assert.Equal(0, search.SearchedByProcessor);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_EqualRows_LowerIdentityAndTemplateFirst(GalleryPrecision precision)
    {
        float[] row = WatchlistSamples.Unit(new Random(1), 40);
        using Gallery gallery = Samples.Make(40, 300, 900, i => 299 - (i % 300), (_, at) => row.CopyTo(at, 0));
        VulkanSearch search = searches[precision];
        float[] probes = [.. row, .. WatchlistSamples.Unit(new Random(2), 40)];
        foreach (int k in (int[])[1, 10, 300, 301])
        {
            Candidate[][] found = Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), k);
            Assert.Equal(Enumerable.Range(0, Math.Min(k, 300)), found[0].Select(c => c.IdentityIndex));
        }
    }

    /// <summary>Covered probes meet other rows, which come to the device like the first, and go with them.</summary>
    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_CoveredProbes_EqualTheProcessor(GalleryPrecision precision)
    {
        VulkanSearch search = searches[precision];
        int before = search.Residents.Count;
        CoverScale[] scales = [new(FaceCover.LowerFace, 0, 0.1f, 0.9f, 0.02f, "test"), new(FaceCover.Brow, 0, 0.1f, 1, 0, "test")];
        using Watchlist list = WatchlistSamples.BuildCovered(3, 300, 64);
        using (Gallery gallery = Gallery.Create(list, scales))
        {
            search.Load(gallery);
            Assert.Equal(before + 3, search.Residents.Count);
            float[] probes = Samples.Probes(new Random(2), gallery, 9);
            FaceCover[] covers = [.. Enumerable.Range(0, 9).Select(i => (FaceCover)(i % 8))];
            foreach (int k in (int[])[1, 10, 60, 300])
            {
                Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), k, covers);
                Samples.AssertSame(search, gallery, probes, new CategoryThresholds(0.1f, 0.2f, 0.3f, -0.2f, 0.5f), k, covers);
            }
            Assert.Equal(before + 3, search.Residents.Count);
        }
        Assert.Equal(before, search.Residents.Count);
    }

    /// <summary>More identities share the best score than the device has room for.</summary>
    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_ThousandsOfEqualRows_IsDoneOnTheProcessor(GalleryPrecision precision)
    {
        float[] row = WatchlistSamples.Unit(new Random(1), 16);
        using Gallery gallery = Samples.Make(16, 3000, 3000, i => i, (_, at) => row.CopyTo(at, 0));
        VulkanSearch search = searches[precision];
        long before = search.SearchedByProcessor;
        Samples.AssertSame(search, gallery, [.. row, .. row], CategoryThresholds.Uniform(0.5f), 5);
        Assert.Equal(before + 2, search.SearchedByProcessor);
    }

    /// <summary>Rows that differ in their last bits, far below what the device can tell apart.</summary>
    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_RowsApartByOneBit_EqualsTheProcessor(GalleryPrecision precision)
    {
        const int Length = 512;
        var random = new Random(8);
        float[] row = WatchlistSamples.Unit(random, Length);
        using Gallery gallery = Samples.Make(Length, 700, 1400, i => i % 700, (_, at) =>
        {
            for (int i = 0; i < Length; i++)
                at[i] = random.Next(3) switch { 0 => MathF.BitIncrement(row[i]), 1 => MathF.BitDecrement(row[i]), _ => row[i] };
        });
        VulkanSearch search = searches[precision];
        long before = search.SearchedByProcessor;
        float[] probes = [.. row, .. Samples.Probes(random, gallery, 5)];
        foreach (int k in (int[])[1, 3, 20])
        {
            Candidate[][] found = Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), k);
            // A threshold in the middle of them, hit exactly.
            foreach (float limit in (float[])[found[0][k / 2].ComparisonScore, MathF.BitIncrement(found[0][k / 2].ComparisonScore)])
                Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(limit), k);
        }
        // A hundred thresholds that one identity just reaches: the device's own sum would put many of them on the wrong side.
        using Gallery others = Samples.Random(4, 300, 300, Length);
        foreach (Candidate candidate in Samples.AssertSame(search, others, row, CategoryThresholds.Uniform(-1), 100)[0])
            Samples.AssertSame(search, others, row, CategoryThresholds.Uniform(candidate.ComparisonScore), 100);
        Assert.Equal(before, search.SearchedByProcessor);
    }

    /// <summary>Scores that crowd together more closely than half precision can tell, across several bins of the histogram.</summary>
    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_CrowdedScores_EqualsTheProcessor(GalleryPrecision precision)
    {
        const int Length = 128;
        var random = new Random(9);
        float[] row = WatchlistSamples.Unit(random, Length);
        using Gallery gallery = Samples.Make(Length, 4000, 6000, i => i % 4000, (_, at) =>
        {
            float[] other = WatchlistSamples.Unit(random, Length);
            double turn = random.NextDouble() * 0.1, norm = 0;
            for (int i = 0; i < Length; i++)
            {
                at[i] = (float)(row[i] + (turn * other[i]));
                norm += at[i] * (double)at[i];
            }
            for (int i = 0; i < Length; i++)
                at[i] = (float)(at[i] / Math.Sqrt(norm));
        });
        VulkanSearch search = searches[precision];
        float[] probes = [.. row, .. Samples.Probes(random, gallery, 20)];
        foreach (int k in (int[])[1, 2, 5, 10, 100])
            Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.3f), k);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_OneIdentityWithAllTemplates_EqualsTheProcessor(GalleryPrecision precision)
    {
        using Gallery gallery = Samples.Random(7, 1, 3000, 30);
        Samples.AssertSame(searches[precision], gallery, Samples.Probes(new Random(1), gallery, 9), CategoryThresholds.Uniform(-1), 3);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Search_InvalidProbes_EqualsTheProcessor(GalleryPrecision precision)
    {
        using Gallery gallery = Samples.Random(3, 50, 99, 20);
        VulkanSearch search = searches[precision];
        float[] odd = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, float.MaxValue, float.MinValue, float.Epsilon, 1e-20f, 1e20f, -0f];
        var probes = new float[(odd.Length * 2 + 1) * 20];
        for (int p = 0; p < odd.Length; p++)
        {
            Array.Fill(probes, odd[p], p * 20, 20);
            gallery.Rows[..20].CopyTo(probes.AsSpan((odd.Length + p) * 20));
            probes[((odd.Length + p) * 20) + p] = odd[p];
        }
        gallery.Rows.Slice(gallery.RowStride, 20).CopyTo(probes.AsSpan(odd.Length * 2 * 20));
        foreach (float limit in (float[])[-1, 0, 0.5f, float.NegativeInfinity, float.PositiveInfinity, float.MaxValue, float.MinValue])
            Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(limit), 3);
        // Probes that are not of unit length, but numbers, are the device's business.
        long before = search.SearchedByProcessor;
        foreach (float scale in (float[])[1e-6f, 0.25f, 7, 1e6f])
        {
            float[] scaled = [.. Samples.Probes(new Random(3), gallery, 6).Select(v => v * scale)];
            Samples.AssertSame(search, gallery, scaled, CategoryThresholds.Uniform(scale / 4), 5);
        }
        Assert.Equal(before, search.SearchedByProcessor);
    }

    [Fact]
    public void Search_Misuse_Throws()
    {
        VulkanSearch search = searches[GalleryPrecision.PackedHalf];
        Gallery gallery = Samples.Random(3, 5, 5, 8);
        CategoryThresholds thresholds = CategoryThresholds.Uniform(0);
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[7], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[16], thresholds, 2, new Candidate[3], new int[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => search.Search(gallery, new float[8], thresholds, 0, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentException>(() => search.Search(gallery, new float[8], thresholds with { Suspect = float.NaN }, 1, new Candidate[1], new int[1]));
        Assert.Throws<ArgumentNullException>(() => search.Search(null!, new float[8], thresholds, 1, new Candidate[1], new int[1]));
        search.Search(gallery, [], thresholds, 3, [], []);
        gallery.Dispose();
        Assert.Throws<ObjectDisposedException>(() => search.Search(gallery, new float[8], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ObjectDisposedException>(() => search.Load(gallery));

        using Gallery empty = Samples.Make(8, 0, 0, i => i, (_, _) => { });
        var counts = new int[] { 9 };
        search.Search(empty, new float[8], thresholds, 1, new Candidate[1], counts);
        Assert.Equal(0, counts[0]);

        var closed = new VulkanSearch(Searches.Device);
        closed.Dispose();
        closed.Dispose();
        using Gallery other = Samples.Random(3, 5, 5, 8);
        Assert.Throws<ObjectDisposedException>(() => closed.Search(other, new float[8], thresholds, 1, new Candidate[1], new int[1]));
        Assert.Throws<ObjectDisposedException>(() => closed.Load(other));
    }

    [Fact]
    public void Search_Warm_AllocatesNothing()
    {
        using Gallery gallery = Samples.Random(3, 100, 300, 70);
        VulkanSearch search = searches[GalleryPrecision.PackedHalf];
        float[] probes = Samples.Probes(new Random(1), gallery, 9);
        var candidates = new Candidate[90];
        var counts = new int[9];
        long Measure()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            search.Search(gallery, probes, CategoryThresholds.Uniform(-1), 10, candidates, counts);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Measure();
        Assert.Equal(0, Measure());
        Assert.Equal(10, counts[8]);
    }

    /// <summary>Searches continue while galleries are replaced; each sees its own complete gallery.</summary>
    [Fact]
    public void Search_WhileGalleriesAreReplaced_EqualsTheProcessor()
    {
        VulkanSearch search = searches[GalleryPrecision.PackedHalf];
        var gate = new Lock();
        using Gallery steady = Samples.Random(1, 400, 800, 64);
        Gallery current = Samples.Random(100, 300, 600, 64);
        int searched = 0;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(t => new Thread(() =>
        {
            var random = new Random(t);
            for (int i = 0; i < 40; i++)
            {
                Gallery gallery = steady;
                GalleryLease lease = default;
                if (t > 0)
                {
                    lock (gate)
                        lease = current.Lease();
                    gallery = lease.Gallery;
                }
                Samples.AssertSame(search, gallery, Samples.Probes(random, gallery, 5), CategoryThresholds.Uniform(0.1f), 5);
                lease.Dispose();
                Interlocked.Increment(ref searched);
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        for (int i = 0; i < 10; i++)
        {
            Gallery next = Samples.Random(i, 200 + i, 500, 64);
            search.Load(next);
            lock (gate)
            {
                current.Dispose();
                current = next;
            }
        }
        Array.ForEach(threads, t => t.Join());
        Assert.Equal(120, searched);
        current.Dispose();
        Assert.Equal([steady], search.Residents.Select(r => r.Gallery));
    }
}
