using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Peers;

/// <summary>Is our exact search faster than FAISS' exact index, and does it find the same?</summary>
/// <remarks>
/// One identity per row and a threshold of −1, so that both sides return the k best of all rows. The sides take turns, each with a few searches
/// of different probes; times are medians over all turns. Processor time is the fairer measure on a machine that has other work.
/// </remarks>
internal static class SearchComparison
{
    private const int Length = 512;
    private const int SearchesPerTurn = 4;
    private const float ScoreTolerance = 2e-6f;

    public static int Run(SearchOptions options)
    {
        Directory.CreateDirectory(options.Work);
        string rows = Path.Combine(options.Work, "rows.f32"), probes = Path.Combine(options.Work, "probes.f32");
        int probeCount = 4 * options.Probes.Max();
        var results = new List<Result>();
        try
        {
            UnitVectors.Write(rows, seed: 1, options.Rows.Max(), Length);
            UnitVectors.Write(probes, seed: 2, probeCount, Length);
            var embeddings = new float[probeCount * Length];
            using (FileStream file = File.OpenRead(probes))
                file.ReadExactly(MemoryMarshal.AsBytes(embeddings.AsSpan()));
            Console.WriteLine($"k = {options.Candidates}, threshold -1, {Length} elements, {options.Turns} turns of {SearchesPerTurn} searches; milliseconds per search, medians");
            Console.WriteLine("                                   wall clock                     FAISS over          FAISS over, processor time");
            Console.WriteLine("    rows  probes  threads      FAISS    float32   searched   float32   searched   float32   searched");
            foreach (int rowCount in options.Rows)
            {
                using Gallery gallery = Load(rows, rowCount);
                using var peer = new FaissFlat(options.Peer, rows, rowCount, Length, probes, probeCount);
                foreach (int threads in options.Threads)
                {
                    foreach (int count in options.Probes)
                    {
                        Result result = Compare(gallery, peer, embeddings, count, threads, options);
                        results.Add(result);
                        Console.WriteLine(string.Create(
                            CultureInfo.InvariantCulture,
                            $"{result.Rows,8}  {result.Probes,6}  {result.Threads,7}  {result.Faiss.Ms,9:0.000}  {result.Float32.Ms,9:0.000}  {result.Search.Ms,9:0.000}  {result.Float32Ratio,8:0.00}  {result.SearchRatio,9:0.00}  {result.Float32ProcessorRatio,8:0.00}  {result.SearchProcessorRatio,9:0.00}"));
                    }
                }
            }
        }
        finally
        {
            File.Delete(rows);
            File.Delete(probes);
        }
        Console.WriteLine("Every answer was the same on all sides.");
        if (options.Json is not null)
            File.WriteAllText(options.Json, JsonSerializer.Serialize(results, JsonOptions));
        return 0;
    }

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private static Gallery Load(string path, int count)
    {
        using var builder = new WatchlistBuilder("1", "random", new string('0', 64), Length);
        using FileStream file = File.OpenRead(path);
        var row = new float[Length];
        for (int i = 0; i < count; i++)
        {
            file.ReadExactly(MemoryMarshal.AsBytes(row.AsSpan()));
            builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity(i.ToString(CultureInfo.InvariantCulture), "", WatchlistCategory.Wanted)), row, 1);
        }
        using Watchlist watchlist = builder.Build();
        return Gallery.Create(watchlist);
    }

    private static Result Compare(Gallery gallery, FaissFlat peer, float[] embeddings, int count, int threads, SearchOptions options)
    {
        int k = Math.Min(options.Candidates, gallery.RowCount);
        var float32 = new CosineSearch(ScoreKernel.Widest, firstPass: false, threads);
        var search = new CosineSearch(threads);
        var expected = new (int Row, float Score)[count][];
        for (int p = 0; p < count; p++)
            expected[p] = new (int, float)[k];
        var reference = new Candidate[count * k];
        var found = new Candidate[count * k];
        var counts = new int[count];
        List<(double, double)> peerTimes = [], float32Times = [], searchTimes = [];
        for (int turn = 0; turn <= options.Turns; turn++)
        {
            // The first turn warms up.
            void Keep(List<(double, double)> times, (double, double) spent)
            {
                if (turn > 0)
                    times.Add(spent);
            }
            int First(int i) => ((turn * SearchesPerTurn) + i) * count % ((embeddings.Length / Length) - count + 1);
            peer.Resume();
            for (int i = 0; i < SearchesPerTurn; i++)
                Keep(peerTimes, peer.Search(First(i), expected, threads));
            peer.Pause();
            for (int i = 0; i < SearchesPerTurn; i++)
                Keep(float32Times, Timed(float32, gallery, embeddings, First(i), k, reference, counts));
            for (int i = 0; i < SearchesPerTurn; i++)
                Keep(searchTimes, Timed(search, gallery, embeddings, First(i), k, found, counts));
            // All three now hold the answers to the turn's last probes.
            if (!found.AsSpan().SequenceEqual(reference))
                throw new InvalidDataException("The search and its float32 reference differ.");
            for (int p = 0; p < count; p++)
                Check(expected[p], found.AsSpan(p * k, k));
        }
        return new Result(gallery.RowCount, count, threads, Times.MediansOf(peerTimes), Times.MediansOf(float32Times), Times.MediansOf(searchTimes));
    }

    private static (double Ms, double ProcessorMs) Timed(CosineSearch search, Gallery gallery, float[] embeddings, int first, int k, Candidate[] candidates, int[] counts)
    {
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        search.Search(gallery, embeddings.AsSpan(first * Length, counts.Length * Length), CategoryThresholds.Uniform(-1), k, candidates, counts);
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds, (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds);
    }

    /// <summary>The same rows in the same order, but for neighbours that are as good as equal.</summary>
    private static void Check((int Row, float Score)[] expected, ReadOnlySpan<Candidate> found)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            if (Math.Abs(expected[i].Score - found[i].ComparisonScore) > ScoreTolerance)
                throw new InvalidDataException($"Place {i}: FAISS scores {expected[i].Score}, we {found[i].ComparisonScore}.");
            bool doubtful = (i > 0 && expected[i - 1].Score - expected[i].Score <= ScoreTolerance)
                || i + 1 == expected.Length || expected[i].Score - expected[i + 1].Score <= ScoreTolerance;
            if (expected[i].Row != found[i].TemplateIndex && !doubtful)
                throw new InvalidDataException($"Place {i}: FAISS finds row {expected[i].Row}, we {found[i].TemplateIndex}.");
        }
    }

    /// <summary>Wall clock, and processor time of all threads, milliseconds per search.</summary>
    private sealed record Times(double Ms, double ProcessorMs)
    {
        public static Times MediansOf(List<(double Ms, double ProcessorMs)> all) => new(Median([.. all.Select(t => t.Ms)]), Median([.. all.Select(t => t.ProcessorMs)]));

        private static double Median(double[] values)
        {
            Array.Sort(values);
            return (values[values.Length / 2] + values[(values.Length - 1) / 2]) / 2;
        }
    }

    private sealed record Result(int Rows, int Probes, int Threads, Times Faiss, Times Float32, Times Search)
    {
        public double Float32Ratio => Faiss.Ms / Float32.Ms;

        public double SearchRatio => Faiss.Ms / Search.Ms;

        public double Float32ProcessorRatio => Faiss.ProcessorMs / Float32.ProcessorMs;

        public double SearchProcessorRatio => Faiss.ProcessorMs / Search.ProcessorMs;
    }
}
