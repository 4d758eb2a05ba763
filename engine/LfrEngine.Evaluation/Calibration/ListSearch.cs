using System.Collections.Concurrent;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Matching;
using LfrEngine.Quality;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>A search of one face against a list.</summary>
/// <param name="Subject">Whose face.</param>
/// <param name="Stratum">How it was covered or worsened, as a number.</param>
/// <param name="ListSize">People on the list.</param>
/// <param name="IsMated">Whether the person was among them.</param>
/// <param name="Score">Mated: of the person. Non-mated: the best of anybody.</param>
/// <param name="Rank">Mated: the person's place, from 1. Non-mated: 0.</param>
/// <param name="Quality">Of the face.</param>
/// <param name="Cover">Of the face, as the engine judged it.</param>
/// <param name="ByCoveredTemplates">Whether the scores were made with templates that were covered alike.</param>
internal readonly record struct ListSearch(int Subject, int Stratum, int ListSize, bool IsMated, float Score, int Rank, FaceQuality Quality, CoverJudgement Cover, bool ByCoveredTemplates)
{
    /// <summary>Whether the score is that of the candidate who came first, which is what an officer sees.</summary>
    public bool IsFirst => !IsMated || Rank == 1;

    /// <summary>For a calibration.</summary>
    public ComparisonTraits Traits => ComparisonTraits.Of(Score, Quality, Cover, ByCoveredTemplates, ListSize);
}

/// <summary>A face to search with.</summary>
/// <param name="Templates">Where its template lies.</param>
/// <param name="Row">Of the template.</param>
/// <param name="Person">Its person's place on the list of all.</param>
/// <param name="Subject">Whose, as a number.</param>
/// <param name="Stratum">How it was covered or worsened.</param>
/// <param name="IsReference">Whether it is the very image by which the person is listed: then there is nothing to find.</param>
internal readonly record struct Probe(TemplateSet Templates, int Row, int Person, int Subject, int Stratum, bool IsReference)
{
    /// <summary>What became of the face.</summary>
    public TemplateOutcome Outcome => Templates.Outcomes[Row];
}

/// <summary>Searches lists of all sizes, drawn by seed out of many people, through the engine's own search: a face that is judged covered is compared as a camera's would be.</summary>
/// <remarks>
/// Up to half of the people, the lists of a size are parts of everybody: each person is searched for on their own list, and on others as a stranger. Larger lists
/// leave a few people out each, and everybody once. As a stranger each person is searched for with the first face of each
/// stratum. The lists are the same for every stratum of a person: what differs between strata is the face alone.
/// </remarks>
/// <param name="people">Everybody, with covered templates. Borrowed.</param>
/// <param name="scales">Of the embedder.</param>
/// <param name="probes">Faces to search with, all acquired. Borrowed.</param>
/// <param name="seed">Of the draws.</param>
internal sealed class ListSearches(Watchlist people, IReadOnlyList<CoverScale> scales, IReadOnlyList<Probe> probes, ulong seed)
{
    // A stranger's search of a short list tells little of the scores that matter: as many strangers are looked at there as on a list of this many.
    private const int StrangersLookedAt = 30;

    private readonly ILookup<int, Probe> probesOf = probes.ToLookup(p => p.Person);

    /// <summary>Searches.</summary>
    /// <param name="sizes">Of the lists; those that leave nobody over are left out.</param>
    /// <param name="progress">Told the number of lists done.</param>
    /// <param name="stopping">Ends the work.</param>
    public IReadOnlyList<ListSearch> Run(IReadOnlyList<int> sizes, Action<int> progress, CancellationToken stopping)
    {
        (int[] Listed, int[] Mates, int[] Strangers)[] lists = [.. sizes.SelectMany(Lists)];
        var found = new ListSearch[lists.Length][];
        int done = 0;
        // The long ones first: at the end only short ones are waited for.
        Parallel.ForEach(Partitioner.Create(lists.Index().OrderByDescending(l => l.Item.Listed.Length).ToArray(), loadBalance: true), new ParallelOptions { CancellationToken = stopping }, list =>
        {
            found[list.Index] = Search(list.Item.Listed, list.Item.Mates, list.Item.Strangers);
            progress(Interlocked.Increment(ref done));
        });
        return [.. found.SelectMany(s => s)];
    }

    /// <summary>Lists that a size makes.</summary>
    public int CountOf(int size) => Lists(size).Count();

    private IEnumerable<(int[] Listed, int[] Mates, int[] Strangers)> Lists(int size)
    {
        int all = people.Identities.Count, over = all - size;
        int[] order = [.. Enumerable.Range(0, all)];
        SeededRandom.For(seed, $"lists {size}").Shuffle<int>(order);
        // Those with a face that is judged covered share lists: only these need what covers do.
        order = [.. order.OrderBy(p => probesOf[p].All(x => x.Outcome.Cover.Parts == FaceCover.None))];
        if (over <= 0)
            yield break;
        if (over < size)
        {
            // Who is left out of one list is searched for on the next.
            int[][] left = [.. order.Chunk(over)];
            for (int i = 0; i < left.Length; i++)
                yield return ([.. order.Except(left[i]).Take(size)], left.Length == 1 ? [] : left[(i + 1) % left.Length], left[i]);
            yield break;
        }
        int[][] mates = [.. order.Chunk(size)];
        int further = Math.Clamp(StrangersLookedAt / size, 1, mates.Length - 1);
        for (int i = 0; i < mates.Length; i++)
        {
            // The last one is filled up with the people before.
            int[] listed = mates[i].Length == size ? mates[i] : order[^size..];
            yield return (listed, mates[i], [.. Enumerable.Range(1, further).SelectMany(f => mates[(i - f + mates.Length) % mates.Length]).Except(listed)]);
        }
    }

    private ListSearch[] Search(int[] listed, int[] mates, int[] strangers)
    {
        (Probe Probe, bool IsMated)[] faces = [.. mates.SelectMany(m => probesOf[m]).Where(p => !p.IsReference).Select(p => (p, true)), .. strangers.SelectMany(s => probesOf[s].DistinctBy(p => p.Stratum)).Select(p => (p, false))];
        bool anyCovered = faces.Any(f => f.Probe.Outcome.Cover.Parts != FaceCover.None);
        using Gallery gallery = ListDraw.Of(people, listed, anyCovered ? scales : []);
        var search = new CosineSearch(threads: 1);
        var candidates = new Candidate[listed.Length];
        Span<int> count = [0];
        var searches = new List<ListSearch>(faces.Length);
        foreach ((Probe probe, bool isMated) in faces)
        {
            search.Search(gallery, probe.Templates[probe.Row], CategoryThresholds.Uniform(float.NegativeInfinity), candidates.Length, candidates, count, [probe.Outcome.Cover.Parts]);
            int place = isMated ? Array.FindIndex(candidates, 0, count[0], c => listed[c.IdentityIndex] == probe.Person) : 0;
            searches.Add(new ListSearch(probe.Subject, probe.Stratum, listed.Length, isMated, candidates[place].ComparisonScore, isMated ? place + 1 : 0, probe.Outcome.Quality, probe.Outcome.Cover,
                gallery.CoveredFor(probe.Outcome.Cover.Parts) is not null));
        }
        return [.. searches];
    }
}
