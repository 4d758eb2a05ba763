using LfrEngine.Matching;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Vulkan.Search;
using LfrEngine.Watchlists;

[assembly: AssemblyFixture(typeof(LfrEngine.Vulkan.Tests.Searches))]
// Every test has the whole device to itself, as a search has.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace LfrEngine.Vulkan.Tests;

/// <summary>A search of each precision on the device that would be chosen, opened once. LFR_TEST_VULKAN_DEVICE names another.</summary>
public sealed class Searches : IDisposable
{
    private readonly Dictionary<GalleryPrecision, VulkanSearch> opened = [];

    public static string? Device => Environment.GetEnvironmentVariable("LFR_TEST_VULKAN_DEVICE");

    public VulkanSearch this[GalleryPrecision precision] => opened.TryGetValue(precision, out VulkanSearch? search) ? search : opened[precision] = new VulkanSearch(Device, precision);

    public void Dispose()
    {
        foreach (VulkanSearch search in opened.Values)
            search.Dispose();
    }
}

internal static class Samples
{
    /// <summary>A gallery whose row i belongs to identity <paramref name="owner"/>(i) and is filled by <paramref name="fill"/>.</summary>
    public static Gallery Make(int length, int identities, int templates, Func<int, int> owner, Action<int, float[]> fill)
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, length);
        for (int i = 0; i < identities; i++)
            builder.AddIdentity(new WatchlistIdentity($"{i}", "n", (WatchlistCategory)(i % WatchlistCategories.Count)));
        var row = new float[length];
        for (int i = 0; i < templates; i++)
        {
            fill(i, row);
            builder.AddTemplate(owner(i), row, 1);
        }
        using Watchlist watchlist = builder.Build();
        return Gallery.Create(watchlist);
    }

    /// <summary>A gallery of random directions, its templates shuffled among the identities.</summary>
    public static Gallery Random(int seed, int identities, int templates, int length)
    {
        using Watchlist watchlist = WatchlistSamples.Build(seed, identities, templates, length);
        return Gallery.Create(watchlist);
    }

    /// <summary>Random directions; every third is a row of the gallery, slightly turned.</summary>
    public static float[] Probes(Random random, Gallery gallery, int count)
    {
        int length = gallery.EmbeddingLength;
        var probes = new float[count * length];
        for (int p = 0; p < count; p++)
        {
            Span<float> probe = probes.AsSpan(p * length, length);
            WatchlistSamples.Unit(random, length).CopyTo(probe);
            if (p % 3 == 0 && gallery.RowCount > 0)
            {
                ReadOnlySpan<float> row = gallery.Rows.Slice(random.Next(gallery.RowCount) * gallery.RowStride, length);
                for (int i = 0; i < length; i++)
                    probe[i] = row[i] + (0.3f * probe[i]);
                float norm = System.Numerics.Tensors.TensorPrimitives.Norm(probe);
                System.Numerics.Tensors.TensorPrimitives.Divide(probe, norm, probe);
            }
        }
        return probes;
    }

    /// <summary>Asserts that the device's search and the processor's give the same, to the last bit.</summary>
    /// <returns>The processor's candidates of each probe.</returns>
    public static Candidate[][] AssertSame(VulkanSearch search, Gallery gallery, float[] probes, in CategoryThresholds thresholds, int k, FaceCover[]? covers = null)
    {
        int count = probes.Length / gallery.EmbeddingLength;
        var expected = new Candidate[count * k];
        var expectedCounts = new int[count];
        new CosineSearch().Search(gallery, probes, thresholds, k, expected, expectedCounts, covers);
        var actual = new Candidate[count * k];
        int[] actualCounts = [.. Enumerable.Repeat(-7, count)];
        search.Search(gallery, probes, thresholds, k, actual, actualCounts, covers);
        Assert.Equal(expectedCounts, actualCounts);
        var found = new Candidate[count][];
        for (int p = 0; p < count; p++)
        {
            found[p] = expected[(p * k)..((p * k) + expectedCounts[p])];
            Assert.Equal(found[p], actual[(p * k)..((p * k) + actualCounts[p])]);
        }
        return found;
    }
}
