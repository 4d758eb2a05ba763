using System.Collections.Concurrent;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Matching;
using LfrEngine.Quality;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>A search of one face against a list.</summary>
/// <param name="Subject">Number of the person.</param>
/// <param name="Stratum">Number of the way in which the picture was covered or degraded.</param>
/// <param name="ListSize">People on the list.</param>
/// <param name="IsMated">Whether the person is on the list.</param>
/// <param name="Score">Mated: score of the person. Non-mated: best score of anybody.</param>
/// <param name="Rank">Mated: rank of the person, from 1. Non-mated: 0.</param>
/// <param name="Quality">Quality of the face.</param>
/// <param name="Cover">Cover of the face, as judged by the engine.</param>
/// <param name="ByCoveredTemplates">Whether the face was compared with covered templates.</param>
internal readonly record struct ListSearch(int Subject, int Stratum, int ListSize, bool IsMated, float Score, int Rank, FaceQuality Quality, CoverJudgement Cover, bool ByCoveredTemplates)
{
    /// <summary>Whether the score is that of the first candidate, the one an officer sees.</summary>
    public bool IsFirst => !IsMated || Rank == 1;

    /// <summary>The input of a calibration.</summary>
    public ComparisonTraits Traits => ComparisonTraits.Of(Score, Quality, Cover, ByCoveredTemplates, ListSize);
}

/// <summary>A face to search with.</summary>
/// <param name="Templates">Set that contains its template.</param>
/// <param name="Row">Row of the template in the set.</param>
/// <param name="Person">Index of the person on the whole list.</param>
/// <param name="Subject">Number of the person.</param>
/// <param name="Stratum">Number of the way in which the picture was covered or degraded.</param>
/// <param name="IsReference">Whether it is the image with which the person is enrolled; then it is not used for mated searches.</param>
internal readonly record struct Probe(TemplateSet Templates, int Row, int Person, int Subject, int Stratum, bool IsReference)
{
    /// <summary>Quality and cover of the face.</summary>
    public TemplateOutcome Outcome => Templates.Outcomes[Row];
}

/// <summary>Searches lists of all sizes, drawn by seed, with the engine's own search: a face that is judged covered is compared in the same way as one from a camera.</summary>
/// <remarks>
/// Up to a size of half of all people, the lists of one size are disjoint: each person is searched for on their own list, and on others as a stranger. Larger lists
/// each leave out a few people, so that everybody is left out once. As a stranger each person is searched for with the first face of each
/// stratum. All strata of a person use the same lists, so that only the face differs.
/// </remarks>
/// <param name="people">All people, with covered templates. Borrowed.</param>
/// <param name="scales">From the embedder's manifest.</param>
/// <param name="probes">Faces to search with, all acquired. Borrowed.</param>
/// <param name="seed">Seed of the draws.</param>
internal sealed class ListSearches(Watchlist people, IReadOnlyList<CoverScale> scales, IReadOnlyList<Probe> probes, ulong seed)
{
    // Searches of short lists for strangers give few high scores, so each short list is searched for at least this many strangers.
    private const int StrangersLookedAt = 30;

    private readonly ILookup<int, Probe> probesOf = probes.ToLookup(p => p.Person);

    /// <summary>Searches lists of all sizes.</summary>
    /// <param name="sizes">Sizes of the lists; those that leave no stranger are skipped.</param>
    /// <param name="progress">Receives the number of lists done.</param>
    /// <param name="stopping">Ends the work.</param>
    public IReadOnlyList<ListSearch> Run(IReadOnlyList<int> sizes, Action<int> progress, CancellationToken stopping)
    {
        (int[] Listed, int[] Mates, int[] Strangers)[] lists = [.. sizes.SelectMany(Lists)];
        var found = new ListSearch[lists.Length][];
        int done = 0;
        // Long lists first, so that the last thread to finish has only a short one.
        Parallel.ForEach(Partitioner.Create(lists.Index().OrderByDescending(l => l.Item.Listed.Length).ToArray(), loadBalance: true), new ParallelOptions { CancellationToken = stopping }, list =>
        {
            found[list.Index] = Search(list.Item.Listed, list.Item.Mates, list.Item.Strangers);
            progress(Interlocked.Increment(ref done));
        });
        return [.. found.SelectMany(s => s)];
    }

    /// <summary>Number of lists of a size.</summary>
    public int CountOf(int size) => Lists(size).Count();

    private IEnumerable<(int[] Listed, int[] Mates, int[] Strangers)> Lists(int size)
    {
        int all = people.Identities.Count, over = all - size;
        int[] order = [.. Enumerable.Range(0, all)];
        SeededRandom.For(seed, $"lists {size}").Shuffle<int>(order);
        // People with a covered face share lists, because only such lists need covered galleries.
        order = [.. order.OrderBy(p => probesOf[p].All(x => x.Outcome.Cover.Parts == FaceCover.None))];
        if (over <= 0)
            yield break;
        if (over < size)
        {
            // People who are left out of one list are searched for on the next.
            int[][] left = [.. order.Chunk(over)];
            for (int i = 0; i < left.Length; i++)
                yield return ([.. order.Except(left[i]).Take(size)], left.Length == 1 ? [] : left[(i + 1) % left.Length], left[i]);
            yield break;
        }
        int[][] mates = [.. order.Chunk(size)];
        int further = Math.Clamp(StrangersLookedAt / size, 1, mates.Length - 1);
        for (int i = 0; i < mates.Length; i++)
        {
            // The last list is filled up with people of the previous one.
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
