using System.Diagnostics;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Memory;

namespace LfrEngine.Evaluation.Verification;

/// <summary>A comparison of two images.</summary>
/// <param name="First">Number of the first image.</param>
/// <param name="Second">Number of the second image; higher than the first.</param>
/// <param name="Score">Comparison score.</param>
public readonly record struct ScoredPair(int First, int Second, float Score);

/// <summary>Scores of pairs of images.</summary>
/// <param name="Mated">Pairs that show the same person.</param>
/// <param name="NonMated">Pairs that show two people.</param>
public sealed record PairCounts(ScoreHistogram Mated, ScoreHistogram NonMated)
{
    /// <summary>Creates empty counts.</summary>
    public PairCounts()
        : this(new ScoreHistogram(), new ScoreHistogram())
    {
    }

    /// <summary>Whether the counts of all bins are equal.</summary>
    public bool SameAs(PairCounts other) => Enumerable.Range(0, ScoreHistogram.BinCount).All(b => Mated[b] == other.Mated[b] && NonMated[b] == other.NonMated[b]);
}

/// <summary>A division of images into groups; pairs within a group are counted separately.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Values">Names of the groups.</param>
/// <param name="GroupOf">Group of each image; −1 for none.</param>
public sealed record Grouping(string Name, IReadOnlyList<string> Values, int[] GroupOf);

/// <summary>Compares all pairs of images: exact counts, in memory that does not grow with the number of comparisons.</summary>
public sealed unsafe class AllPairs
{
    /// <summary>Number of highest non-mated scores that are kept.</summary>
    public const int TopKept = 100_000;

    /// <summary>Maximum number of mated pairs that are kept individually; if there are more, only counts are kept.</summary>
    public const int MatedKept = 5_000_000;

    private readonly List<ScoredPair> mated = [];

    private AllPairs(IReadOnlyList<Grouping> groupings)
    {
        Groupings = groupings;
        Groups = [.. groupings.Select(g => g.Values.Select(_ => new PairCounts()).ToArray())];
    }

    /// <summary>All pairs.</summary>
    public PairCounts All { get; } = new();

    /// <summary>The requested groupings.</summary>
    public IReadOnlyList<Grouping> Groupings { get; }

    /// <summary>Counts of each group of each grouping.</summary>
    public PairCounts[][] Groups { get; }

    /// <summary>The highest non-mated scores, in descending order: lookalikes, or label errors.</summary>
    public IReadOnlyList<ScoredPair> Top { get; private set; } = [];

    /// <summary>All mated pairs, ordered by image numbers; null if there are more than <see cref="MatedKept"/>.</summary>
    public IReadOnlyList<ScoredPair>? Mated { get; private set; }

    /// <summary>Number of pairs compared.</summary>
    public long Comparisons => All.Mated.Total + All.NonMated.Total;

    /// <summary>Time of scoring and counting.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Counts all pairs of acquired images.</summary>
    /// <param name="templates">Borrowed.</param>
    /// <param name="subjects">Subject number of each image.</param>
    /// <param name="groupings">Groups to count separately; may be empty.</param>
    /// <param name="scorer">Loaded here; disposed by the caller.</param>
    /// <param name="progress">Receives the number of tiles done and their total number.</param>
    /// <param name="stopping">Ends the work.</param>
    public static AllPairs Count(TemplateSet templates, int[] subjects, IReadOnlyList<Grouping> groupings, IPairScorer scorer, Action<long, long> progress, CancellationToken stopping)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(subjects.Length, templates.Count);
        var total = new AllPairs(groupings);
        var top = new TopScores();
        bool allMatedKept = true;
        long started = Stopwatch.GetTimestamp();
        scorer.Load(templates);
        int blocks = (templates.Count + scorer.BlockRows - 1) / scorer.BlockRows;
        long tiles = (long)blocks * (blocks + 1) / 2, next = -1, done = 0;
        int[] people = [.. subjects.Select((s, i) => templates.IsAcquired(i) ? s : -1)];
        Parallel.For(0, Environment.ProcessorCount, new ParallelOptions { CancellationToken = stopping }, _ =>
        {
            using var worker = new Worker(templates, people, groupings, scorer);
            long tile;
            while ((tile = Interlocked.Increment(ref next)) < tiles)
            {
                stopping.ThrowIfCancellationRequested();
                (int first, int second) = TileAt(tile);
                worker.Count(first, second);
                progress(Interlocked.Increment(ref done), tiles);
            }
            lock (total)
            {
                worker.AddTo(total);
                top.Add(worker.Top);
                allMatedKept &= worker.AllMatedKept && total.mated.Count + worker.Mated.Count <= MatedKept;
                if (allMatedKept)
                    total.mated.AddRange(worker.Mated);
            }
        });
        total.Top = top.Sorted();
        if (allMatedKept)
        {
            total.mated.Sort((a, b) => (a.First, a.Second).CompareTo((b.First, b.Second)));
            total.Mated = total.mated;
        }
        total.Elapsed = Stopwatch.GetElapsedTime(started);
        return total;
    }

    /// <summary>Checks that a threshold can be set with one half of the people and evaluated with the other.</summary>
    /// <param name="set">Counts of the half with which it is set.</param>
    /// <param name="reported">Counts of the other half.</param>
    /// <exception cref="DataException">There are too few people.</exception>
    public static void ThrowIfTooFew(PairCounts set, PairCounts reported)
    {
        if (set.NonMated.Total == 0 || reported.NonMated.Total == 0 || reported.Mated.Total == 0)
        {
            throw new DataException($"Too few people for a rate: the threshold is set on one half of the people (here {set.NonMated.Total} non-mated pairs of images with a face) and reported on the other "
                + $"({reported.Mated.Total} mated and {reported.NonMated.Total} non-mated pairs); none of these may be 0. Add more people, with two or more images each.");
        }
    }

    /// <summary>False matches at a threshold by pairs of subjects, for the bootstrap; null if not all of them were kept.</summary>
    /// <param name="threshold">Inclusive.</param>
    /// <param name="subjects">Subject of each image.</param>
    /// <param name="takesPart">Selects the images.</param>
    public SubjectPairCount[]? FalseMatches(double threshold, int[] subjects, Func<int, bool> takesPart)
    {
        if (All.NonMated.AtLeast(threshold).Count > Top.Count)
            return null;
        int first = ScoreHistogram.BinOfThreshold(threshold);
        return [.. Top.TakeWhile(p => ScoreHistogram.BinOf(p.Score) >= first).Where(p => takesPart(p.First) && takesPart(p.Second))
            .GroupBy(p => (Math.Min(subjects[p.First], subjects[p.Second]), Math.Max(subjects[p.First], subjects[p.Second])))
            .Select(g => new SubjectPairCount(g.Key.Item1, g.Key.Item2, g.Count()))];
    }

    // Tiles on and above the diagonal, column by column, so that the block of a column stays in the cache.
    private static (int First, int Second) TileAt(long tile)
    {
        long second = (long)((Math.Sqrt((8.0 * tile) + 1) - 1) / 2);
        while ((second + 1) * (second + 2) / 2 <= tile)
            second++;
        while (second * (second + 1) / 2 > tile)
            second--;
        return ((int)(tile - (second * (second + 1) / 2)), (int)second);
    }

    /// <summary>The counts of one thread.</summary>
    private sealed class Worker : IDisposable
    {
        private readonly TemplateSet templates;
        private readonly int[] people;
        private readonly IReadOnlyList<Grouping> groupings;
        private readonly IPairScorer scorer;
        private readonly HostBuffer<float> scores;
        private readonly long[] matedBins = new long[ScoreHistogram.BinCount];
        private readonly long[] nonMatedBins = new long[ScoreHistogram.BinCount];
        private readonly long[][][] groupBins;

        public Worker(TemplateSet templates, int[] people, IReadOnlyList<Grouping> groupings, IPairScorer scorer)
        {
            (this.templates, this.people, this.groupings, this.scorer) = (templates, people, groupings, scorer);
            scores = BufferPool.Rent<float>(scorer.BlockRows * scorer.BlockRows);
            groupBins = [.. groupings.Select(g => Enumerable.Range(0, 2 * g.Values.Count).Select(_ => new long[ScoreHistogram.BinCount]).ToArray())];
        }

        public TopScores Top { get; } = new();

        public List<ScoredPair> Mated { get; } = [];

        public bool AllMatedKept { get; private set; } = true;

        public void Count(int first, int second)
        {
            scorer.Score(first, second, scores.Pointer);
            int block = scorer.BlockRows, firstRow = first * block, secondRow = second * block;
            int rows = Math.Min(block, templates.Count - firstRow), columns = Math.Min(block, templates.Count - secondRow);
            float tolerance = scorer.Tolerance;
            for (int i = 0; i < rows; i++)
            {
                int a = firstRow + i, person = people[a];
                if (person < 0)
                    continue;
                float* row = scores.Pointer + ((long)i * block);
                for (int j = first == second ? i + 1 : 0; j < columns; j++)
                {
                    int b = secondRow + j, other = people[b];
                    if (other < 0)
                        continue;
                    float score = row[j];
                    // A score that is near an edge or will be kept is recomputed in the engine's order of summation, so that all scorers give the same counts.
                    if (tolerance > 0 && (person == other || score >= Top.Floor - tolerance || ScoreHistogram.IsNearEdge(score, tolerance)))
                        score = templates.Score(a, b);
                    int bin = ScoreHistogram.BinOf(score);
                    if (person == other)
                    {
                        matedBins[bin]++;
                        Keep(new ScoredPair(a, b, score));
                    }
                    else
                    {
                        nonMatedBins[bin]++;
                        if (score >= Top.Floor)
                            Top.Add(new ScoredPair(a, b, score));
                    }
                    for (int g = 0; g < groupBins.Length; g++)
                    {
                        int[] groupOf = groupings[g].GroupOf;
                        int group = groupOf[a];
                        if (group >= 0 && group == groupOf[b])
                            groupBins[g][(2 * group) + (person == other ? 0 : 1)][bin]++;
                    }
                }
            }
        }

        public void AddTo(AllPairs total)
        {
            total.All.Mated.Add(matedBins);
            total.All.NonMated.Add(nonMatedBins);
            for (int g = 0; g < groupBins.Length; g++)
            {
                for (int v = 0; v < total.Groups[g].Length; v++)
                {
                    total.Groups[g][v].Mated.Add(groupBins[g][2 * v]);
                    total.Groups[g][v].NonMated.Add(groupBins[g][(2 * v) + 1]);
                }
            }
        }

        public void Dispose() => scores.Dispose();

        private void Keep(ScoredPair pair)
        {
            if (Mated.Count < MatedKept)
                Mated.Add(pair);
            else
                AllMatedKept = false;
        }
    }

    /// <summary>The highest scores. Equal scores are ordered by image, so that the selection does not depend on threads.</summary>
    private sealed class TopScores
    {
        private readonly List<ScoredPair> pairs = [];

        /// <summary>Scores below this are no longer needed.</summary>
        public float Floor { get; private set; } = float.NegativeInfinity;

        public void Add(ScoredPair pair)
        {
            pairs.Add(pair);
            if (pairs.Count >= 2 * TopKept)
                Cut();
        }

        public void Add(TopScores other)
        {
            pairs.AddRange(other.pairs);
            Cut();
        }

        public List<ScoredPair> Sorted()
        {
            Cut();
            return pairs;
        }

        private void Cut()
        {
            pairs.Sort((a, b) => (-a.Score, a.First, a.Second).CompareTo((-b.Score, b.First, b.Second)));
            if (pairs.Count <= TopKept)
                return;
            pairs.RemoveRange(TopKept, pairs.Count - TopKept);
            Floor = pairs[^1].Score;
        }
    }
}
