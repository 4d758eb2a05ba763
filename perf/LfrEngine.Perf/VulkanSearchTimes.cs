using System.Diagnostics;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Vulkan;
using LfrEngine.Watchlists;

namespace LfrEngine.Perf;

/// <summary>Is the device faster than the processor's own search? One thread of the processor against the device, call to result, in turns.</summary>
internal static class VulkanSearchTimes
{
    private const int Length = 512;
    private const int Candidates = 5;
    private const double SecondsPerCell = 3;
    private const int FewestTurns = 5;

    /// <summary>Measures and prints.</summary>
    /// <param name="device">As in <c>lfr run --search vulkan:DEVICE</c>; null takes the best.</param>
    public static int Run(string? device)
    {
        try
        {
            Compare(device);
            return 0;
        }
        catch (VulkanException e)
        {
            Console.Error.WriteLine(e.Message);
            return 3;
        }
    }

    private static void Compare(string? device)
    {
        using var half = new VulkanSearch(device, GalleryPrecision.PackedHalf);
        using var full = new VulkanSearch(device, GalleryPrecision.Float32);
        Console.WriteLine($"{half.Device.Name} ({half.Device.Kind}), {Environment.ProcessorCount} processor(s); {Length} elements, k = {Candidates}, threshold 0.48; medians, ms; ratio = SIMD / Vulkan, above 1 the device is faster");
        Console.WriteLine($"{"templates",9} {"probes",6} {"SIMD",9} {"half",9} {"ratio",6} {"float32",9} {"ratio",6}");
        foreach (int templates in (int[])[20_000, 100_000])
        {
            using Gallery gallery = MakeGallery(templates);
            foreach (VulkanSearch search in (VulkanSearch[])[half, full])
                search.Load(gallery);
            foreach (int probes in (int[])[1, 16, 64])
            {
                double[] medians = Measure(gallery, probes, [new CosineSearch(), half, full]);
                Console.WriteLine($"{templates,9} {probes,6} {medians[0],9:0.00} {medians[1],9:0.00} {medians[0] / medians[1],6:0.00} {medians[2],9:0.00} {medians[0] / medians[2],6:0.00}");
            }
        }
    }

    private static double[] Measure(Gallery gallery, int probeCount, IGallerySearch[] searches)
    {
        using HostBuffer<float> probes = BufferPool.Rent<float>(probeCount * Length);
        var random = new Random(7);
        for (int p = 0; p < probeCount; p++)
            UnitVectors.Fill(random, probes.Span.Slice(p * Length, Length));
        // Half of them are on the list.
        for (int p = 0; p < probeCount; p += 2)
            gallery.Rows.Slice(random.Next(gallery.RowCount) * gallery.RowStride, Length).CopyTo(probes.Span[(p * Length)..]);
        var candidates = new Candidate[searches.Length][];
        var counts = new int[searches.Length][];
        var times = new List<double>[searches.Length];
        for (int i = 0; i < searches.Length; i++)
            (candidates[i], counts[i], times[i]) = (new Candidate[probeCount * Candidates], new int[probeCount], []);
        long began = Stopwatch.GetTimestamp();
        // The first turn warms up.
        for (int turn = -1; turn < FewestTurns || Stopwatch.GetElapsedTime(began).TotalSeconds < SecondsPerCell; turn++)
        {
            for (int i = 0; i < searches.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                searches[i].Search(gallery, probes.Span, CategoryThresholds.Uniform(0.48f), Candidates, candidates[i], counts[i]);
                if (turn >= 0)
                    times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (!counts[i].AsSpan().SequenceEqual(counts[0]) || !candidates[i].AsSpan().SequenceEqual(candidates[0]))
                    throw new InvalidOperationException("The searches do not agree.");
            }
        }
        return [.. times.Select(t => t.Order().ElementAt(t.Count / 2))];
    }

    private static Gallery MakeGallery(int templates)
    {
        using var builder = new WatchlistBuilder("1", "benchmark", new string('a', 64), Length);
        using HostBuffer<float> row = BufferPool.Rent<float>(Length);
        var random = new Random(1);
        for (int i = 0; i < templates; i++)
        {
            UnitVectors.Fill(random, row.Span);
            builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"{i}", "n", WatchlistCategory.Wanted)), row.Span, 1);
        }
        using Watchlist watchlist = builder.Build();
        return Gallery.Create(watchlist);
    }
}
