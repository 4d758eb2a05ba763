using System.Numerics.Tensors;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Cover;

/// <summary>The steps in which covered faces are compared differently.</summary>
[Flags]
internal enum CoverParts
{
    /// <summary>Covered faces are compared with the uncovered photos.</summary>
    None = 0,

    /// <summary>Rows are the sum of a photo's plain and covered templates.</summary>
    Pooled = 1,

    /// <summary>The directions in which this cover moves the list's photos are removed.</summary>
    Projected = 2,

    /// <summary>The mean of the best other scores of the probe is subtracted.</summary>
    Subtracted = 4,

    /// <summary>All of them, as in the engine.</summary>
    All = Pooled | Projected | Subtracted,
}

/// <summary>Compares covered faces without some of the steps, to measure the benefit of each. Simple and slow.</summary>
internal sealed unsafe class CoverAblation : IDisposable
{
    private readonly Gallery gallery;
    private readonly CoverParts parts;
    private readonly Dictionary<FaceCover, (CoverDirections Directions, HostBuffer<float> Rows)> covers = [];

    /// <summary>Computes the rows of each cover.</summary>
    /// <param name="list">One photo per person, as added by <see cref="PhotoTemplates.AddTo"/>. Borrowed for the call.</param>
    /// <param name="gallery">Gallery of the list, with covered rows. Borrowed for life.</param>
    /// <param name="parts">The steps to use.</param>
    public CoverAblation(Watchlist list, Gallery gallery, CoverParts parts)
    {
        this.gallery = gallery;
        this.parts = parts;
        ReadOnlySpan<WatchlistTemplate> templates = list.Templates;
        foreach (FaceCover cover in Enumerable.Range(0, list.TemplateCount).Select(list.Cover).Where(c => c != FaceCover.None).Distinct())
        {
            var directions = new CoverDirections(templates, list.Embeddings, list.EmbeddingLength, list.Identities.Count, cover);
            HostBuffer<float> rows = BufferPool.Rent<float>(list.Identities.Count * list.EmbeddingLength);
            covers[cover] = (directions, rows);
            Fill(rows, directions, list, cover);
        }
    }

    /// <summary>Scores a covered face with everybody.</summary>
    /// <param name="probe">float32 [D], unit length. Borrowed.</param>
    /// <param name="cover">Covered parts of the probe.</param>
    /// <param name="scores">Receives one score per identity. Borrowed.</param>
    /// <returns>False if the list has no templates with a similar cover; then nothing was scored.</returns>
    public bool TryScore(ReadOnlySpan<float> probe, FaceCover cover, Span<float> scores)
    {
        if (gallery.CoveredFor(cover) is not { } like)
            return false;
        (CoverDirections directions, HostBuffer<float> rows) = covers[like.Cover];
        int length = probe.Length;
        using HostBuffer<double> vector = BufferPool.Rent<double>(directions.Stride);
        Span<float> projected = stackalloc float[length];
        vector.Span.Clear();
        Add(vector.Pointer, probe);
        Take(directions, vector.Pointer, projected);
        for (int i = 0; i < scores.Length; i++)
            scores[i] = TensorPrimitives.Dot(projected, rows.Span.Slice(i * length, length));
        projected.Clear();
        if (parts.HasFlag(CoverParts.Subtracted))
            Subtract(scores, gallery.ScaleOf(cover, like.Cover));
        return true;
    }

    public void Dispose()
    {
        foreach ((CoverDirections directions, HostBuffer<float> rows) in covers.Values)
        {
            directions.Dispose();
            rows.Dispose();
        }
    }

    private static void Subtract(Span<float> scores, CoverScale scale)
    {
        var sorted = new Candidate[scores.Length];
        for (int i = 0; i < sorted.Length; i++)
            sorted[i] = new Candidate(i, i, scores[i]);
        Array.Sort(sorted, static (a, b) => b.ComparisonScore.CompareTo(a.ComparisonScore));
        var made = new CoveredScores(sorted.AsSpan(0, Math.Min(sorted.Length, CoveredScores.MostOthers + 1)), scores.Length, scale);
        foreach (ref float score in scores)
            score = made.Of(score);
    }

    private static void Add(double* sum, ReadOnlySpan<float> embedding)
    {
        for (int i = 0; i < embedding.Length; i++)
            sum[i] += embedding[i];
    }

    private void Fill(HostBuffer<float> rows, CoverDirections directions, Watchlist list, FaceCover cover)
    {
        int length = list.EmbeddingLength, stride = directions.Stride;
        using HostBuffer<double> scratch = BufferPool.Rent<double>(2 * stride * list.Identities.Count);
        using HostBuffer<float> unit = BufferPool.Rent<float>(length);
        scratch.Span.Clear();
        for (int t = 0; t < list.TemplateCount; t++)
        {
            double* photo = scratch.Pointer + (2L * stride * list.IdentityIndex(t));
            if (list.Cover(t) == FaceCover.None)
                Add(photo, list.Embedding(t));
            else if (list.Cover(t) == cover && parts.HasFlag(CoverParts.Pooled))
                Add(photo + stride, list.Embedding(t));
        }
        for (int i = 0; i < list.Identities.Count; i++)
        {
            double* photo = scratch.Pointer + (2L * stride * i);
            Take(directions, photo, unit.Span);
            Take(directions, photo + stride, unit.Span);
            CoverDirections.AddScaled(photo, photo + stride, 1 / CoveredGallery.PhotoWeight(cover), stride);
            CoverDirections.Normalise(photo, stride);
            for (int d = 0; d < length; d++)
                rows.Pointer[(i * length) + d] = (float)photo[d];
        }
    }

    /// <summary>Removes the directions if this step is used, and scales to unit length. Also changes the vector itself.</summary>
    private void Take(CoverDirections directions, double* vector, Span<float> unit)
    {
        if (parts.HasFlag(CoverParts.Projected))
            directions.Project(vector);
        else
            CoverDirections.Normalise(vector, directions.Stride);
        for (int i = 0; i < unit.Length; i++)
            unit[i] = (float)vector[i];
    }
}
