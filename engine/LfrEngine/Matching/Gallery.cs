using System.Numerics;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>One watchlist version as an immutable float32 matrix [N, D] in locked memory, and as 8-bit codes. May be searched by many threads.</summary>
/// <remarks>
/// Rows are grouped by identity, start on 64-byte boundaries and are padded with zeros; the row count is padded to <see cref="ScoreKernel.RowStep"/>.
/// References are counted: the owner holds one until <see cref="Dispose"/>, and each <see cref="GalleryLease"/> holds one. The memory is wiped when the last is released.
/// </remarks>
public sealed class Gallery : IDisposable
{
    private readonly HostBuffer<float> rows;
    private readonly RowCodes codes;
    private readonly int[] rowIdentities;
    private readonly int[] rowTemplates;
    private readonly WatchlistCategory[] categories;
    private readonly CoveredGallery[] covered = [];
    private readonly CoverScale[] scales = [];
    private int references = 1;
    private int ownerGone;

    private unsafe Gallery(
        WatchlistOrigin origin,
        string version,
        IReadOnlyList<WatchlistIdentity> identities,
        ReadOnlySpan<WatchlistTemplate> templates,
        ReadOnlySpan<float> embeddings,
        IReadOnlyList<CoverScale> scales)
    {
        WatchlistId = origin.Id;
        WatchlistVersion = version;
        EmbedderId = origin.EmbedderId;
        EmbedderSha256 = origin.EmbedderSha256;
        EmbeddingLength = origin.EmbeddingLength;
        Identities = identities;
        categories = [.. identities.Select(identity => identity.Category)];

        // Covered templates have no rows here, because a search for an uncovered face does not use them.
        int count = 0;
        foreach (ref readonly WatchlistTemplate template in templates)
            count += template.Cover == FaceCover.None ? 1 : 0;
        RowCount = count;
        RowStride = (EmbeddingLength + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes * ScoreKernel.Lanes;
        long paddedRows = (count + ScoreKernel.RowStep - 1L) / ScoreKernel.RowStep * ScoreKernel.RowStep;
        if (paddedRows * RowStride > int.MaxValue || RowCodes.BytesOf(count, EmbeddingLength) > int.MaxValue)
            throw new ArgumentException($"{count} templates of length {EmbeddingLength} are too many for one gallery.", nameof(templates));

        // A counting sort is stable: templates of an identity keep their order, so that the lowest wins a tie.
        var next = new int[identities.Count + 1];
        foreach (ref readonly WatchlistTemplate template in templates)
            next[template.IdentityIndex + 1] += template.Cover == FaceCover.None ? 1 : 0;
        for (int identity = 0; identity < identities.Count; identity++)
            next[identity + 1] += next[identity];
        rowIdentities = new int[count];
        rowTemplates = new int[count];
        rows = BufferPool.Rent<float>((int)(paddedRows * RowStride));
        try
        {
            for (int template = 0; template < templates.Length; template++)
            {
                if (templates[template].Cover != FaceCover.None)
                    continue;
                int identity = templates[template].IdentityIndex;
                int row = next[identity]++;
                rowIdentities[row] = identity;
                rowTemplates[row] = template;
                embeddings.Slice(template * EmbeddingLength, EmbeddingLength).CopyTo(rows.Span[(row * RowStride)..]);
            }
            codes = new RowCodes(rows.Pointer, count, RowStride, EmbeddingLength);
            this.scales = [.. scales];
            covered = CreateCovered(templates, embeddings);
            CoveredGalleries = [.. covered.Select(c => c.Rows)];
        }
        catch
        {
            codes?.Dispose();
            rows.Dispose();
            throw;
        }
    }

    /// <summary>Creates a gallery of the same people and photos with other rows.</summary>
    /// <param name="beside">The other gallery, whose tables are shared.</param>
    /// <param name="rows">float32 [padded, stride]. Ownership passes to the gallery.</param>
    internal unsafe Gallery(Gallery beside, HostBuffer<float> rows)
    {
        WatchlistId = beside.WatchlistId;
        WatchlistVersion = beside.WatchlistVersion;
        EmbedderId = beside.EmbedderId;
        EmbedderSha256 = beside.EmbedderSha256;
        EmbeddingLength = beside.EmbeddingLength;
        Identities = beside.Identities;
        RowCount = beside.RowCount;
        RowStride = beside.RowStride;
        (categories, rowIdentities, rowTemplates) = (beside.categories, beside.rowIdentities, beside.rowTemplates);
        codes = new RowCodes(rows.Pointer, RowCount, RowStride, EmbeddingLength);
        this.rows = rows;
    }

    /// <summary>Creates a gallery from a copy of a watchlist's templates.</summary>
    /// <param name="watchlist">Borrowed for the call.</param>
    /// <param name="scales">From the embedder's manifest. Probes with a cover that has no scale are searched as if uncovered.</param>
    public static Gallery Create(Watchlist watchlist, IReadOnlyList<CoverScale>? scales = null)
    {
        ArgumentNullException.ThrowIfNull(watchlist);
        return Create(watchlist.Origin, watchlist.Version, watchlist.Identities, watchlist.Templates, watchlist.Embeddings, scales);
    }

    /// <summary>Creates a gallery from unchecked templates: rows may contain any values.</summary>
    /// <param name="origin">The watchlist and its embedder; determines D.</param>
    /// <param name="version"><see cref="Watchlist.Version"/>.</param>
    /// <param name="identities">The people.</param>
    /// <param name="templates">N, each with its identity.</param>
    /// <param name="embeddings">float32 [N, D]. Borrowed for the call.</param>
    /// <param name="scales">From the embedder's manifest.</param>
    internal static Gallery Create(
        WatchlistOrigin origin,
        string version,
        IReadOnlyList<WatchlistIdentity> identities,
        ReadOnlySpan<WatchlistTemplate> templates,
        ReadOnlySpan<float> embeddings,
        IReadOnlyList<CoverScale>? scales = null) => new(origin, version, identities, templates, embeddings, scales ?? []);

    /// <summary>Raised once, on the thread that released the last reference, so that copies in device memory are released too.</summary>
    /// <remarks>Subscribe under a lease.</remarks>
    public event EventHandler? Wiped;

    /// <summary><see cref="Watchlist.Id"/>.</summary>
    public Guid WatchlistId { get; }

    /// <summary><see cref="Watchlist.Version"/>.</summary>
    public string WatchlistVersion { get; }

    /// <summary><see cref="Watchlist.EmbedderId"/>.</summary>
    public string EmbedderId { get; }

    /// <summary><see cref="Watchlist.EmbedderSha256"/>.</summary>
    public string EmbedderSha256 { get; }

    /// <summary>D, elements per embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>The people; an identity's place in this list is its index.</summary>
    public IReadOnlyList<WatchlistIdentity> Identities { get; }

    /// <summary>N, templates of uncovered photos.</summary>
    public int RowCount { get; }

    /// <summary>Elements from one row to the next, a multiple of 16.</summary>
    public int RowStride { get; }

    /// <summary>float32 [N, <see cref="RowStride"/>]; elements from D on are zero. Borrowed under a lease.</summary>
    public ReadOnlySpan<float> Rows => rows.Span[..(RowCount * RowStride)];

    /// <summary>Identity index of each row, never decreasing.</summary>
    public ReadOnlySpan<int> RowIdentities => rowIdentities;

    /// <summary>The watchlist's template index of each row.</summary>
    public ReadOnlySpan<int> RowTemplates => rowTemplates;

    /// <summary>Galleries of the same photos for covered probes, one per cover; searched by <see cref="CoveredSearch"/> and wiped with this one.</summary>
    public IReadOnlyList<Gallery> CoveredGalleries { get; } = [];

    /// <summary>Category of each identity.</summary>
    public ReadOnlySpan<WatchlistCategory> IdentityCategories => categories;

    /// <summary>First row, for the kernels. Padding rows follow the last row.</summary>
    internal unsafe float* RowPointer => rows.Pointer;

    /// <summary>Elements of the matrix, padding included.</summary>
    internal int PaddedElements => rows.Length;

    /// <summary>The same rows in 8 bits, for the first pass of a search.</summary>
    internal RowCodes Codes => codes;

    /// <summary>Keeps the gallery from being wiped while it is used.</summary>
    /// <exception cref="ObjectDisposedException">The gallery has been wiped.</exception>
    public GalleryLease Lease() => new(Acquire());

    /// <summary>As <see cref="Lease"/>, ended with <see cref="Release"/>.</summary>
    internal Gallery Acquire() => TryAcquire() ? this : throw new ObjectDisposedException(nameof(Gallery));

    /// <summary>Releases the owner's reference: the gallery is wiped now, or when the last lease ends. Safe to call twice.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref ownerGone, 1) == 0)
            Release();
    }

    /// <summary>The covered gallery for a probe: the one with the most covered parts in common, and among these with the fewest others. Null if it has none in common; then the probe is searched as if uncovered.</summary>
    internal CoveredGallery? CoveredFor(FaceCover cover)
    {
        CoveredGallery? best = null;
        int bestRank = 0;
        foreach (CoveredGallery one in covered)
        {
            int alike = BitOperations.PopCount((uint)(one.Cover & cover)), besides = BitOperations.PopCount((uint)(one.Cover & ~cover));
            int rank = alike == 0 ? 0 : (4 * alike) - besides;
            if (rank > bestRank)
                (best, bestRank) = (one, rank);
        }
        return best;
    }

    /// <summary>The scale of a probe's cover, or else of the cover of the rows it is compared with.</summary>
    internal CoverScale ScaleOf(FaceCover probe, FaceCover rows) => FindScale(probe) ?? FindScale(rows)!;

    private CoverScale? FindScale(FaceCover cover)
    {
        foreach (CoverScale scale in scales)
        {
            if (scale.Cover == cover)
                return scale;
        }
        return null;
    }

    private CoveredGallery[] CreateCovered(ReadOnlySpan<WatchlistTemplate> templates, ReadOnlySpan<float> embeddings)
    {
        var drawn = new SortedSet<FaceCover>();
        foreach (ref readonly WatchlistTemplate template in templates)
        {
            if (template.Cover != FaceCover.None && FindScale(template.Cover) is not null)
                drawn.Add(template.Cover);
        }
        var made = new List<CoveredGallery>(drawn.Count);
        try
        {
            foreach (FaceCover cover in drawn)
                made.Add(new CoveredGallery(this, templates, embeddings, cover));
            return [.. made];
        }
        catch
        {
            made.ForEach(m => m.Dispose());
            throw;
        }
    }

    private bool TryAcquire()
    {
        int seen = Volatile.Read(ref references);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref references, seen + 1, seen);
            if (before == seen)
                return true;
            seen = before;
        }
        return false;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref references) != 0)
            return;
        try
        {
            foreach (CoveredGallery one in covered)
                one.Dispose();
            rows.Dispose();
        }
        finally
        {
            codes.Dispose();
            Wiped?.Invoke(this, EventArgs.Empty);
        }
    }
}

/// <summary>Keeps a <see cref="Matching.Gallery"/> from being wiped. On the stack, so that it needs no allocation.</summary>
/// <remarks>Dispose it once, in the variable that received it (<c>using</c>); a copy is not a second lease.</remarks>
public ref struct GalleryLease
{
    private Gallery? gallery;

    internal GalleryLease(Gallery gallery) => this.gallery = gallery;

    /// <summary>The gallery, valid until <see cref="Dispose"/>.</summary>
    public readonly Gallery Gallery => gallery ?? throw new ObjectDisposedException(nameof(GalleryLease));

    /// <summary>Ends the lease.</summary>
    public void Dispose()
    {
        Gallery? held = gallery;
        gallery = null;
        held?.Release();
    }
}
