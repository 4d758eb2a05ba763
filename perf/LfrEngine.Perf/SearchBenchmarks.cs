using BenchmarkDotNet.Attributes;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Perf;

/// <summary>How near is an exact search of 20,000 templates to reading them once?</summary>
[BenchmarkCategory("Search")]
public class SearchBenchmarks
{
    private const int Rows = 20_000, Length = 512;
    private const double Bytes = (double)Rows * Length * sizeof(float), Flops = 2.0 * Rows * Length;

    // The first pass reads 8-bit codes, a scale and a slack; at this threshold it leaves nothing to score.
    private const double CodeBytes = (double)Rows * (Length + (2 * sizeof(float)));

    private readonly CosineSearch search = new(threads: 1), float32 = new(ScoreKernel.Widest, firstPass: false, threads: 1);
    private readonly CategoryThresholds thresholds = CategoryThresholds.Uniform(0.48f);
    private readonly float[] probe = new float[Length], rows = new float[Rows * Length];
    private readonly Candidate[] candidates = new Candidate[5];
    private readonly int[] counts = new int[1];
    private Watchlist? list;
    private Gallery? gallery, covered;

    [GlobalSetup]
    public void Setup()
    {
        using var builder = new WatchlistBuilder("1", "seeded", new string('0', 64), Length);
        var random = new Random(5);
        for (int i = 0; i < Rows; i++)
        {
            Span<float> row = rows.AsSpan(i * Length, Length);
            Fill(random, row);
            builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"{i}", "", WatchlistCategory.Wanted)), row, 1);
        }
        Fill(random, probe);
        list = builder.Build();
        gallery = Gallery.Create(list);
        covered = WithCovers(random);
    }

    [Benchmark(Baseline = true)]
    [Work(Bytes, Flops)]
    public float Scalar()
    {
        float best = -1;
        for (int row = 0; row < Rows; row++)
        {
            float sum = 0;
            for (int k = 0; k < Length; k++)
                sum += probe[k] * rows[(row * Length) + k];
            best = Math.Max(best, sum);
        }
        return best;
    }

    [Benchmark]
    [Work(Bytes, Flops)]
    public int OneProbeFloat32()
    {
        float32.Search(gallery!, probe, thresholds, candidates.Length, candidates, counts);
        return counts[0];
    }

    // Its first pass reads one byte per element; at this threshold it leaves nothing for float32.
    [Benchmark]
    [Work(CodeBytes, Flops)]
    public int OneProbe()
    {
        search.Search(gallery!, probe, thresholds, candidates.Length, candidates, counts);
        return counts[0];
    }

    // The same people with a cover drawn on each: an uncovered probe must not notice.
    [Benchmark]
    [Work(CodeBytes, Flops)]
    public int OneProbeBesideCovered()
    {
        search.Search(covered!, probe, thresholds, candidates.Length, candidates, counts);
        return counts[0];
    }

    // The best 51 without a threshold, for what is subtracted.
    [Benchmark]
    [Work(CodeBytes, Flops)]
    public int OneCoveredProbe()
    {
        search.Search(covered!, probe, thresholds, candidates.Length, candidates, counts, [FaceCover.LowerFace]);
        return counts[0];
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        gallery?.Dispose();
        covered?.Dispose();
        list?.Dispose();
    }

    private Gallery WithCovers(Random random)
    {
        using var builder = new WatchlistBuilder("1", "seeded", new string('0', 64), Length);
        var drawn = new float[Length];
        for (int i = 0; i < Rows; i++)
        {
            int identity = builder.AddIdentity(list!.Identities[i]);
            builder.AddTemplate(identity, list.Embedding(i), 1);
            Fill(random, drawn);
            builder.AddTemplate(identity, drawn, 1, default, FaceCover.LowerFace);
        }
        using Watchlist both = builder.Build();
        return Gallery.Create(both, [new CoverScale(FaceCover.LowerFace, 0, 0.1f, 1, 0, "")]);
    }

    private static void Fill(Random random, Span<float> row)
    {
        double squares = 0;
        foreach (ref float value in row)
        {
            value = random.NextSingle() - 0.5f;
            squares += value * value;
        }
        foreach (ref float value in row)
            value /= (float)Math.Sqrt(squares);
    }
}
