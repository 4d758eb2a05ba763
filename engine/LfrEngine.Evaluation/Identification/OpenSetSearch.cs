using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Identification;

/// <summary>A search with one image.</summary>
/// <param name="Image">Number of the probe.</param>
/// <param name="Subject">Number of the person.</param>
/// <param name="Score">Mated: score of the mate if within the considered rank, otherwise −1. Non-mated: best score of anybody.</param>
/// <param name="Rank">Mated: rank of the mate from 1; 0 if below <see cref="OpenSetSearch.DeepestRank"/>. Non-mated: 0.</param>
internal readonly record struct Search(int Image, int Subject, float Score, int Rank);

/// <summary>Open-set identification against galleries drawn by seed (ISO/IEC 19795-1), with the engine's own gallery and search.</summary>
/// <remarks>
/// Enrolled: one randomly chosen image of each of N people who have two or more. Mated probes: their other images. Non-mated probes: all images of everybody else.
/// This is repeated with several galleries. All searches of a person form one cluster.
/// </remarks>
internal sealed unsafe class OpenSetSearch
{
    /// <summary>Length of the rank curve.</summary>
    public const int DeepestRank = 20;

    private const int ProbesAtOnce = 64;

    private OpenSetSearch(int gallerySize, int draws, int consideredRank) => (GallerySize, Draws, ConsideredRank) = (gallerySize, draws, consideredRank);

    /// <summary>N, people enrolled.</summary>
    public int GallerySize { get; }

    public int Draws { get; }

    /// <summary>R: a mate at a lower rank does not count. The engine returns this many candidates per shot.</summary>
    public int ConsideredRank { get; }

    /// <summary>Searches whose mate is enrolled.</summary>
    public List<Search> Mated { get; } = [];

    /// <summary>Searches for people who are not enrolled.</summary>
    public List<Search> NonMated { get; } = [];

    /// <summary>All single comparisons of the non-mated searches, for the FMR that predicts the FPIR.</summary>
    public ScoreHistogram NonMatedComparisons { get; } = new();

    /// <summary>People with at least two acquired images.</summary>
    public static int Eligible(TemplateSet templates, int[] subjects) =>
        Enumerable.Range(0, subjects.Length).Where(templates.IsAcquired).GroupBy(i => subjects[i]).Count(g => g.Count() >= 2);

    /// <summary>Draws galleries and searches them.</summary>
    /// <param name="templates">Borrowed.</param>
    /// <param name="data">The images of the templates.</param>
    /// <param name="embedder">The embedder that made them.</param>
    /// <param name="gallerySize">N, at most <see cref="Eligible"/>.</param>
    /// <param name="draws">Number of galleries to draw.</param>
    /// <param name="consideredRank">R.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="progress">Receives the number of draws done.</param>
    /// <param name="stopping">Ends the work.</param>
    public static OpenSetSearch Run(TemplateSet templates, FaceDataSet data, ModelManifest embedder, int gallerySize, int draws, int consideredRank, ulong seed,
        Action<int> progress, CancellationToken stopping)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(consideredRank, DeepestRank);
        int[] subjects = data.SubjectNumbers();
        int[][] images = [.. Enumerable.Range(0, data.Subjects.Count).Select(_ => Array.Empty<int>())];
        foreach (IGrouping<int, int> person in Enumerable.Range(0, subjects.Length).Where(templates.IsAcquired).GroupBy(i => subjects[i]))
            images[person.Key] = [.. person];
        int[] eligible = [.. Enumerable.Range(0, images.Length).Where(s => images[s].Length >= 2)];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(gallerySize, eligible.Length);
        var result = new OpenSetSearch(gallerySize, draws, consideredRank);
        for (int draw = 0; draw < draws; draw++)
        {
            var random = SeededRandom.For(seed, $"gallery {gallerySize} draw {draw}");
            int[] drawn = [.. eligible];
            random.Shuffle<int>(drawn);
            Array.Resize(ref drawn, gallerySize);
            int[] references = [.. drawn.Select(s => images[s][random.Next(images[s].Length)])];
            result.SearchAll(templates, data, embedder, subjects, images, drawn, references, stopping);
            progress(draw + 1);
        }
        return result;
    }

    /// <summary>Share of mated searches whose mate has at most this rank, regardless of its score.</summary>
    public Proportion AtRank(int rank) => new(Mated.Count(s => s.Rank > 0 && s.Rank <= rank), Mated.Count);

    /// <summary>TPIR and FPIR at a threshold, with intervals by subject.</summary>
    /// <param name="threshold">Inclusive.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="mated">Which mated searches count.</param>
    /// <param name="nonMated">Which non-mated searches count.</param>
    public (MeasuredRate Tpir, MeasuredRate Fpir) At(double threshold, ulong seed, Func<Search, bool> mated, Func<Search, bool> nonMated)
    {
        int first = ScoreHistogram.BinOfThreshold(threshold);
        return (Of(Mated.Where(mated)), Of(NonMated.Where(nonMated)));

        MeasuredRate Of(IEnumerable<Search> searches) => MeasuredRate.BySubject(
            searches.GroupBy(s => s.Subject).OrderBy(g => g.Key).Select(g => new SubjectCount(g.Count(s => ScoreHistogram.BinOf(s.Score) >= first), g.Count())), seed);
    }

    public static ScoreHistogram Scores(IEnumerable<Search> searches)
    {
        var histogram = new ScoreHistogram();
        foreach (Search search in searches)
            histogram.Add(search.Score);
        return histogram;
    }

    private void SearchAll(TemplateSet templates, FaceDataSet data, ModelManifest embedder, int[] subjects, int[][] images, int[] drawn, int[] references, CancellationToken stopping)
    {
        using var builder = new WatchlistBuilder("laboratory", embedder.Id, embedder.Sha256, templates.Length);
        var indexOf = new Dictionary<int, int>();
        for (int i = 0; i < drawn.Length; i++)
        {
            indexOf[drawn[i]] = builder.AddIdentity(new WatchlistIdentity($"{drawn[i]}", "", WatchlistCategory.Wanted));
            builder.AddTemplate(i, templates[references[i]], templates.Outcomes[references[i]].Quality.Score);
        }
        using Watchlist watchlist = builder.Build();
        using Gallery gallery = Gallery.Create(watchlist);
        var enrolled = references.ToHashSet();
        int[] probes = [.. Enumerable.Range(0, subjects.Length).Where(i => templates.IsAcquired(i) && !enrolled.Contains(i))];
        int kept = Math.Min(DeepestRank, drawn.Length);
        var everything = CategoryThresholds.Uniform(-1);
        var found = new Search[probes.Length];
        int chunks = (probes.Length + ProbesAtOnce - 1) / ProbesAtOnce;
        Parallel.For(0, chunks, new ParallelOptions { CancellationToken = stopping }, () => new ScoreHistogram(), (chunk, _, comparisons) =>
        {
            var search = new CosineSearch();
            var candidates = new Candidate[kept];
            var count = new int[1];
            for (int p = chunk * ProbesAtOnce; p < Math.Min(probes.Length, (chunk + 1) * ProbesAtOnce); p++)
            {
                int image = probes[p];
                search.Search(gallery, templates[image], everything, kept, candidates, count);
                bool mated = indexOf.TryGetValue(subjects[image], out int mate);
                if (mated)
                {
                    int place = Array.FindIndex(candidates, 0, count[0], c => c.IdentityIndex == mate);
                    found[p] = new Search(image, subjects[image], place >= 0 && place < ConsideredRank ? candidates[place].ComparisonScore : -1, place + 1);
                }
                else
                {
                    found[p] = new Search(image, subjects[image], count[0] > 0 ? candidates[0].ComparisonScore : -1, 0);
                    foreach (int reference in references)
                        comparisons.Add(templates.Score(image, reference));
                }
            }
            return comparisons;
        }, comparisons =>
        {
            lock (NonMatedComparisons)
                NonMatedComparisons.Add(comparisons);
        });
        foreach (Search search in found)
            (indexOf.ContainsKey(search.Subject) ? Mated : NonMated).Add(search);
    }
}
