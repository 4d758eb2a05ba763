using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;
using LfrEngine.Watchlists;

namespace LfrEngine.Perf;

/// <summary>Is a card faster than the processor's own search? Call to result, in turns; the answers are compared to the last bit in every turn.</summary>
internal static class SearchTimes
{
    private const int Length = 512, Candidates = 5, FewestTurns = 5, RowsAtATime = 4096;
    private const float Threshold = 0.48f;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Measures and prints JSON.</summary>
    /// <param name="args">See <see cref="Options.Parse"/>.</param>
    public static int Run(string[] args)
    {
        try
        {
            Compare(Options.Parse(args));
            return 0;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
        catch (VulkanException e)
        {
            Console.Error.WriteLine(e.Message);
            return 3;
        }
    }

    private static void Compare(Options options)
    {
        using var half = new VulkanSearch(options.Device, GalleryPrecision.PackedHalf);
        using var full = new VulkanSearch(options.Device, GalleryPrecision.Float32);
        var processor = new CosineSearch();
        var cells = new List<Cell>();
        foreach (int templates in options.Templates)
        {
            // A covered row lies beside each photo's own; a list of a million people has no room for them.
            bool covered = options.Covered && (long)templates * 2 * Length <= WatchlistRules.MaximumEmbeddingElements;
            using Gallery gallery = MakeGallery(templates, covered);
            half.Load(gallery);
            full.Load(gallery);
            foreach (int probes in options.Probes)
            {
                foreach (FaceCover cover in covered ? (FaceCover[])[FaceCover.None, FaceCover.LowerFace] : [FaceCover.None])
                {
                    double[] medians = Measure(gallery, probes, cover, [processor, half, full], options.Seconds);
                    cells.Add(new Cell(templates, probes, cover != FaceCover.None, medians[0], medians[1], medians[2], medians[0] / medians[1], medians[0] / medians[2]));
                    Console.Error.WriteLine(cells[^1]);
                }
            }
        }
        Console.WriteLine(JsonSerializer.Serialize(new Result(half.Device.Name, half.Device.Kind.ToString(), Environment.ProcessorCount, Length, Candidates, Threshold, cells), Json));
    }

    private static double[] Measure(Gallery gallery, int probeCount, FaceCover cover, IGallerySearch[] searches, double seconds)
    {
        using HostBuffer<float> probes = BufferPool.Rent<float>(probeCount * Length);
        var random = new Random(7);
        for (int p = 0; p < probeCount; p++)
            UnitVectors.Fill(random, probes.Span.Slice(p * Length, Length));
        // Half of them are on the list.
        for (int p = 0; p < probeCount; p += 2)
            gallery.Rows.Slice(random.Next(gallery.RowCount) * gallery.RowStride, Length).CopyTo(probes.Span[(p * Length)..]);
        FaceCover[] covers = [.. Enumerable.Repeat(cover, probeCount)];
        var candidates = new Candidate[searches.Length][];
        var counts = new int[searches.Length][];
        var times = new List<double>[searches.Length];
        for (int i = 0; i < searches.Length; i++)
            (candidates[i], counts[i], times[i]) = (new Candidate[probeCount * Candidates], new int[probeCount], []);
        long began = Stopwatch.GetTimestamp();
        // The first turn warms up.
        for (int turn = -1; turn < FewestTurns || Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; turn++)
        {
            for (int i = 0; i < searches.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                searches[i].Search(gallery, probes.Span, CategoryThresholds.Uniform(Threshold), Candidates, candidates[i], counts[i], covers);
                if (turn >= 0)
                    times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (!counts[i].AsSpan().SequenceEqual(counts[0]) || !candidates[i].AsSpan().SequenceEqual(candidates[0]))
                    throw new InvalidOperationException("The searches do not agree.");
            }
        }
        return [.. times.Select(t => t.Order().ElementAt(t.Count / 2))];
    }

    private static Gallery MakeGallery(int templates, bool covered)
    {
        using var builder = new WatchlistBuilder("1", "benchmark", new string('a', 64), Length);
        using HostBuffer<float> rows = BufferPool.Rent<float>(RowsAtATime * Length);
        for (int first = 0; first < templates; first += RowsAtATime)
        {
            int count = Math.Min(RowsAtATime, templates - first);
            Parallel.For(0, count, i => UnitVectors.Fill(new Random(first + i), rows.Span.Slice(i * Length, Length)));
            for (int i = 0; i < count; i++)
            {
                Span<float> row = rows.Span.Slice(i * Length, Length);
                int identity = builder.AddIdentity(new WatchlistIdentity($"{first + i}", "n", WatchlistCategory.Wanted));
                builder.AddTemplate(identity, row, 1);
                if (!covered)
                    continue;
                // Any other direction will do for the picture with a cover drawn on it.
                row.Reverse();
                builder.AddTemplate(identity, row, 1, default, FaceCover.LowerFace);
            }
        }
        using Watchlist watchlist = builder.Build();
        return Gallery.Create(watchlist, covered ? [new CoverScale(FaceCover.LowerFace, 0, 0.1f, 1, 0, "")] : null);
    }

    private sealed record Result(string Device, string Kind, int Processors, int Elements, int Candidates, float Threshold, IReadOnlyList<Cell> Cells);

    /// <summary>Medians in milliseconds; a ratio above 1 means that the card is faster than the processor.</summary>
    private sealed record Cell(int Templates, int Probes, bool Covered, double ProcessorMs, double HalfMs, double Float32Ms, double HalfRatio, double Float32Ratio);

    private sealed record Options(string? Device, int[] Templates, int[] Probes, bool Covered, double Seconds)
    {
        /// <summary><c>[--device INDEX-OR-NAME] [--templates 20000,100000] [--probes 1,64] [--covered no] [--seconds 3]</c>: seconds are per cell.</summary>
        public static Options Parse(string[] args)
        {
            var options = new Options(null, [20_000, 100_000], [1, 64], true, 3);
            for (int i = 0; i < args.Length; i += 2)
            {
                string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
                options = args[i] switch
                {
                    "--device" => options with { Device = value },
                    "--templates" => options with { Templates = Numbers(value, WatchlistRules.MaximumIdentities) },
                    "--probes" => options with { Probes = Numbers(value, 4096) },
                    "--covered" => options with { Covered = value != "no" },
                    "--seconds" => options with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
                    _ => throw new ArgumentException($"Unknown option {args[i]}. Options: --device, --templates, --probes, --covered and --seconds."),
                };
            }
            return options;
        }

        private static int[] Numbers(string list, int most)
        {
            int[] numbers = [.. list.Split(',').Select(n => int.Parse(n, NumberStyles.None, CultureInfo.InvariantCulture))];
            foreach (int number in numbers)
            {
                if (number < 1 || number > most)
                    throw new ArgumentException($"{number} is outside 1…{most}.");
            }
            return numbers;
        }
    }
}
