using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>A gallery for probes with one kind of cover: one row per photo, combined from its plain template and its templates with that cover. Immutable; its gallery disposes it.</summary>
/// <remarks>
/// The row of a photo with template x and covered templates y₁…yₖ is w · P(x) + P(Σ yᵢ), scaled to unit length, where w is <see cref="PhotoWeight"/> and P is
/// <see cref="CoverDirections.Project"/>; without covered templates it is P(x). A score is the product of the row and P(probe): apart from rounding, a weighted
/// mean of the plain and the covered comparison with only one row per photo. On half of the people of LFW it finds as many people as separate rows would.
/// </remarks>
internal sealed unsafe class CoveredGallery : IDisposable
{
    // The plain template also contains what the cover hides. Mean TPIR at FMR 0.2, 0.1, 0.05 and 0.025 % with weights 1 and 2, 180 people of half of LFW:
    // scarf .940 and .954, sunglasses .896 and .903, mask .858 and .865. Larger weights are no better.
    // With a blanked brow the plain template is worth less. Mean TPIR at FPIR 10, 5, 2 and 1 % with weights 2 and 1, 385 people: caps .877 and .880, hair .716 and .733.
    internal static double PhotoWeight(FaceCover cover) => cover == FaceCover.Brow ? 1 : 2;

    private readonly CoverDirections directions;

    /// <summary>Computes the rows.</summary>
    /// <param name="gallery">The gallery of the plain templates; its tables are shared.</param>
    /// <param name="templates">Those of the watchlist. Borrowed for the call.</param>
    /// <param name="embeddings">float32 [templates, D]. Borrowed for the call.</param>
    /// <param name="cover">A cover that was drawn on at least one photo.</param>
    public CoveredGallery(Gallery gallery, ReadOnlySpan<WatchlistTemplate> templates, ReadOnlySpan<float> embeddings, FaceCover cover)
    {
        Cover = cover;
        int length = gallery.EmbeddingLength;
        directions = new CoverDirections(templates, embeddings, length, gallery.Identities.Count, cover);
        HostBuffer<float>? rows = null;
        try
        {
            rows = BufferPool.Rent<float>(gallery.PaddedElements);
            Fill(rows, gallery, templates, embeddings);
            Rows = new Gallery(gallery, rows);
        }
        catch
        {
            rows?.Dispose();
            directions.Dispose();
            throw;
        }
    }

    public FaceCover Cover { get; }

    /// <summary>The rows, with the order, identities and template numbers of the plain gallery.</summary>
    public Gallery Rows { get; }

    /// <summary>Projects a probe in the same way as the rows.</summary>
    /// <param name="probe">float32 [D]. Borrowed.</param>
    /// <param name="projected">Receives [D]. The caller wipes it.</param>
    public void Project(ReadOnlySpan<float> probe, Span<float> projected)
    {
        Span<double> vector = stackalloc double[directions.Stride];
        vector[probe.Length..].Clear();
        for (int i = 0; i < probe.Length; i++)
            vector[i] = probe[i];
        fixed (double* first = vector)
            directions.Project(first);
        for (int i = 0; i < probe.Length; i++)
            projected[i] = (float)vector[i];
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(vector));
    }

    public void Dispose()
    {
        Rows.Dispose();
        directions.Dispose();
    }

    private void Fill(HostBuffer<float> rows, Gallery gallery, ReadOnlySpan<WatchlistTemplate> templates, ReadOnlySpan<float> embeddings)
    {
        int length = gallery.EmbeddingLength, stride = directions.Stride;
        int[] firstOf = FindCovered(templates, gallery.Identities.Count, out int[] nextOf);
        using HostBuffer<double> scratch = BufferPool.Rent<double>(2 * stride);
        double* row = scratch.Pointer, covered = row + stride;
        for (int r = 0; r < gallery.RowCount; r++)
        {
            int photo = gallery.RowTemplates[r];
            scratch.Span.Clear();
            Add(row, embeddings, photo, length);
            directions.Project(row);
            if (firstOf[photo] > 0)
            {
                for (int t = firstOf[photo]; t > 0; t = nextOf[t])
                    Add(covered, embeddings, t, length);
                directions.Project(covered);
                CoverDirections.AddScaled(row, covered, 1 / PhotoWeight(Cover), stride);
                CoverDirections.Normalise(row, stride);
            }
            Span<float> target = rows.Span.Slice(r * gallery.RowStride, length);
            for (int i = 0; i < length; i++)
                target[i] = (float)row[i];
        }
    }

    private static void Add(double* sum, ReadOnlySpan<float> embeddings, int template, int length)
    {
        for (int i = 0; i < length; i++)
            sum[i] += embeddings[(template * length) + i];
    }

    /// <summary>Finds the first covered template of each photo and, for each of these, the next one. 0 means none, as the first template of a list is never a covered one.</summary>
    private int[] FindCovered(ReadOnlySpan<WatchlistTemplate> templates, int identities, out int[] nextOf)
    {
        var firstOf = new int[templates.Length];
        var lastOf = new int[templates.Length];
        var photos = new int[identities];
        nextOf = new int[templates.Length];
        for (int t = 0; t < templates.Length; t++)
        {
            if (templates[t].Cover == FaceCover.None)
                photos[templates[t].IdentityIndex] = t;
            if (templates[t].Cover != Cover)
                continue;
            int photo = photos[templates[t].IdentityIndex];
            if (firstOf[photo] == 0)
                firstOf[photo] = t;
            else
                nextOf[lastOf[photo]] = t;
            lastOf[photo] = t;
        }
        return firstOf;
    }
}
