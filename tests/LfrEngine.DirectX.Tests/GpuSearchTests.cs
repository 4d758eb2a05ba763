using LfrEngine.DirectX.Search;
using LfrEngine.Matching;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.DirectX.Tests;

/// <summary>The processor's search is the reference: every identity, its place and every bit of its score.</summary>
public sealed class GpuSearchTests
{
    [Fact]
    public void Search_AnyShape_EqualsTheProcessor()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        int found = 0;
        foreach (int length in (int[])[1, 2, 15, 16, 17, 64, 129, 512])
        {
            using Gallery gallery = Random(length, 40, 150, length);
            foreach (int probes in (int[])[1, 4, 5, 8, 11])
            {
                found += AssertSame(search, gallery, Probes(gallery, probes, probes), new CategoryThresholds(0.1f, 0.2f, 0.3f, -0.2f, 0.5f), 5);
                found += AssertSame(search, gallery, Probes(gallery, probes, probes + 1), CategoryThresholds.Uniform(0.6f), 1);
            }
        }
        Assert.InRange(found, 500, int.MaxValue);
    }

    [Fact]
    public void Search_EverythingAboveTheThreshold_MakesRoomAndEqualsTheProcessor()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = Random(2, 300, 900, 32);
        Assert.Equal(8 * 300, AssertSame(search, gallery, Probes(gallery, 8, 3), CategoryThresholds.Uniform(-1), 300));
    }

    /// <summary>The threshold is the very score: packed half must not lose it.</summary>
    [Fact]
    public void Search_ScoreEqualToTheThreshold_IsFound()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = Random(4, 60, 200, 512);
        float[] probes = Probes(gallery, 6, 9);
        var all = new Candidate[6 * 60];
        var counts = new int[6];
        new CosineSearch().Search(gallery, probes, CategoryThresholds.Uniform(-1), 60, all, counts);
        for (int p = 0; p < 6; p++)
        {
            foreach (int place in (int[])[0, 3, 20, 59])
            {
                float score = all[(p * 60) + place].ComparisonScore;
                float[] probe = probes[(p * 512)..((p + 1) * 512)];
                Assert.InRange(AssertSame(search, gallery, probe, CategoryThresholds.Uniform(score), 60), place + 1, 60);
            }
        }
    }

    /// <summary>Covered probes meet other rows, which lie on the device beside the first.</summary>
    [Fact]
    public void Search_CoveredProbes_EqualTheProcessor()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        CoverScale[] scales = [new(FaceCover.LowerFace, 0, 0.1f, 0.9f, 0.02f, "test"), new(FaceCover.Brow, 0, 0.1f, 1, 0, "test")];
        using Watchlist list = WatchlistSamples.BuildCovered(3, 80, 32);
        Gallery gallery = Gallery.Create(list, scales);
        AssertSame(search, gallery, Probes(gallery, 9, 1), CategoryThresholds.Uniform(0), 3);
        long held = LfrEngine.Memory.DeviceMemory.OutstandingBuffers;
        FaceCover[] covers = [.. Enumerable.Range(0, 9).Select(i => (FaceCover)(i % 8))];
        foreach (int k in (int[])[1, 10, 60, 80])
            Assert.True(AssertSame(search, gallery, Probes(gallery, 9, k), new CategoryThresholds(0.1f, 0.2f, 0.3f, -0.2f, 0.5f), k, covers) > 0);
        // None made room for another; they go together.
        Assert.Equal(held + 2, LfrEngine.Memory.DeviceMemory.OutstandingBuffers);
        gallery.Dispose();
        Assert.Equal(held - 1, LfrEngine.Memory.DeviceMemory.OutstandingBuffers);
    }

    [Fact]
    public void Search_NoRowsOrNoProbes_FindsNobody()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery empty = Random(1, 0, 0, 16);
        Assert.Equal(0, AssertSame(search, empty, new float[16], CategoryThresholds.Uniform(-1), 3));
        using Gallery gallery = Random(1, 2, 3, 16);
        Assert.Equal(0, AssertSame(search, gallery, [], CategoryThresholds.Uniform(-1), 3));
    }

    [Fact]
    public void Gallery_Wiped_LeavesTheDevice()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        Gallery gallery = Random(6, 10, 30, 64);
        AssertSame(search, gallery, Probes(gallery, 2, 1), CategoryThresholds.Uniform(0), 3);
        long before = LfrEngine.Memory.DeviceMemory.OutstandingBuffers, wiped = LfrEngine.Memory.DeviceMemory.WipedBytes;
        gallery.Dispose();
        Assert.Equal(before - 1, LfrEngine.Memory.DeviceMemory.OutstandingBuffers);
        Assert.InRange(LfrEngine.Memory.DeviceMemory.WipedBytes - wiped, 30 * 64 * 2, long.MaxValue);
    }

    internal static Gallery Random(int seed, int identities, int templates, int length)
    {
        using Watchlist watchlist = WatchlistSamples.Build(seed, identities, templates, length);
        return Gallery.Create(watchlist);
    }

    /// <summary>Random directions; every second is a row of the gallery, turned a little.</summary>
    internal static float[] Probes(Gallery gallery, int count, int seed)
    {
        var random = new Random(seed);
        int length = gallery.EmbeddingLength;
        var probes = new float[count * length];
        for (int p = 0; p < count; p++)
        {
            float[] probe = WatchlistSamples.Unit(random, length);
            if (p % 2 == 0)
            {
                ReadOnlySpan<float> row = gallery.Rows.Slice(random.Next(gallery.RowCount) * gallery.RowStride, length);
                for (int i = 0; i < length; i++)
                    probe[i] = row[i] + (0.4f * probe[i]);
                System.Numerics.Tensors.TensorPrimitives.Divide(probe, System.Numerics.Tensors.TensorPrimitives.Norm(probe), probe);
            }
            probe.CopyTo(probes, p * length);
        }
        return probes;
    }

    /// <returns>How many candidates both found.</returns>
    internal static int AssertSame(IGallerySearch search, Gallery gallery, float[] probes, in CategoryThresholds thresholds, int k, FaceCover[]? covers = null)
    {
        int count = probes.Length / gallery.EmbeddingLength;
        var expected = new Candidate[count * k];
        var expectedCounts = new int[count];
        new CosineSearch().Search(gallery, probes, thresholds, k, expected, expectedCounts, covers);
        var actual = new Candidate[count * k];
        int[] actualCounts = [.. Enumerable.Repeat(-7, count)];
        search.Search(gallery, probes, thresholds, k, actual, actualCounts, covers);
        Assert.Equal(expectedCounts, actualCounts);
        for (int p = 0; p < count; p++)
            Assert.Equal(expected[(p * k)..((p * k) + expectedCounts[p])], actual[(p * k)..((p * k) + actualCounts[p])]);
        if (search is GpuSearch onDevice && covers is null && count > 0)
            AssertSameOnDevice(onDevice, gallery, probes, thresholds, k, expected, expectedCounts);
        return expectedCounts.Sum();
    }

    // The same probes where the embedder leaves them: those with a hit come back, and no other.
    private static void AssertSameOnDevice(GpuSearch search, Gallery gallery, float[] rows, in CategoryThresholds thresholds, int k, Candidate[] expected, int[] expectedCounts)
    {
        using var probes = new Probes(expectedCounts.Length, gallery.EmbeddingLength);
        probes.Begin(expectedCounts.Length);
        var memory = new GpuProbes(search.Context, probes.Most, probes.Length);
        (probes.Device, probes.IsOnDevice) = (memory, true);
        search.Context.Use(gpu => memory.Upload(gpu, rows));
        var actual = new Candidate[expected.Length];
        var counts = new int[expectedCounts.Length];
        ((IGallerySearch)search).SearchBatch(gallery, probes, thresholds, k, actual, counts, []);
        Assert.Equal(expectedCounts, counts);
        for (int p = 0; p < counts.Length; p++)
            Assert.Equal(expected[(p * k)..((p * k) + counts[p])], actual[(p * k)..((p * k) + counts[p])]);
        Assert.True(probes.IsOnDevice);
        Assert.True(probes.Rows.SequenceEqual(rows));
        probes.Wipe();
        Assert.Equal(-1, probes.Rows.IndexOfAnyExcept(0f));
    }
}
