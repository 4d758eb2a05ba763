using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>A search of one face against a list.</summary>
/// <param name="Subject">Whose face.</param>
/// <param name="Stratum">How it was covered or worsened, as a number.</param>
/// <param name="ListSize">People on the list.</param>
/// <param name="IsMated">Whether the person was among them.</param>
/// <param name="Score">Mated: of the person. Non-mated: the best of anybody.</param>
/// <param name="Rank">Mated: the person's place, from 1. Non-mated: 0.</param>
/// <param name="Quality">Of the face.</param>
internal readonly record struct ListSearch(int Subject, int Stratum, int ListSize, bool IsMated, float Score, int Rank, FaceQuality Quality)
{
    /// <summary>Whether the score is that of the candidate who came first, which is what an officer sees.</summary>
    public bool IsFirst => !IsMated || Rank == 1;

    /// <summary>For a calibration.</summary>
    public ComparisonTraits Traits => ComparisonTraits.Of(Score, Quality, ListSize);
}

/// <summary>A face to search with.</summary>
/// <param name="Templates">Where its template lies.</param>
/// <param name="Row">Of the template.</param>
/// <param name="Subject">Whose.</param>
/// <param name="Stratum">How it was covered or worsened.</param>
/// <param name="IsReference">Whether it is the very image by which the person is listed: then there is nothing to find.</param>
internal readonly record struct Probe(TemplateSet Templates, int Row, int Subject, int Stratum, bool IsReference);

/// <summary>Searches lists of all sizes, drawn by seed out of one image each of many people.</summary>
/// <remarks>
/// For each face one order of the strangers is drawn; the first N of them are the list of N on which the person is not, the first N − 1 with the person's own
/// image the list of N on which they are.
/// </remarks>
internal static class ListSearches
{
    /// <summary>Searches.</summary>
    /// <param name="references">One image per person. Borrowed.</param>
    /// <param name="listed">Rows of <paramref name="references"/> to list, with their subjects.</param>
    /// <param name="probes">Faces to search with, all acquired.</param>
    /// <param name="sizes">Sizes of lists; those larger than the strangers are left out.</param>
    /// <param name="seed">Of the draws.</param>
    public static unsafe IReadOnlyList<ListSearch> Run(TemplateSet references, IReadOnlyList<(int Row, int Subject)> listed, IReadOnlyList<Probe> probes, IReadOnlyList<int> sizes, ulong seed)
    {
        var found = new ListSearch[probes.Count][];
        Parallel.For(0, probes.Count, p =>
        {
            Probe probe = probes[p];
            float* face = probe.Templates.Pointer + ((long)probe.Row * probe.Templates.Stride);
            float? own = null;
            var strangers = new List<float>(listed.Count);
            foreach ((int row, int subject) in listed)
            {
                float score = Matching.ScoreMatrix.Score(face, references.Pointer + ((long)row * references.Stride), references.Stride);
                if (subject != probe.Subject)
                    strangers.Add(score);
                else if (!probe.IsReference)
                    own = score;
            }
            // The same strangers for every stratum of a person: what differs between strata is the face alone.
            float[] order = [.. strangers];
            SeededRandom.For(seed, $"lists {probe.Subject}").Shuffle<float>(order);
            FaceQuality quality = probe.Templates.Outcomes[probe.Row].Quality;
            var searches = new List<ListSearch>();
            foreach (int size in sizes.Where(n => n <= order.Length))
            {
                searches.Add(new ListSearch(probe.Subject, probe.Stratum, size, false, order.AsSpan(0, size).ToArray().Max(), 0, quality));
                if (own is { } score)
                    searches.Add(new ListSearch(probe.Subject, probe.Stratum, size, true, score, 1 + order.Take(size - 1).Count(s => s > score), quality));
            }
            found[p] = [.. searches];
        });
        return [.. found.SelectMany(s => s)];
    }
}
