using System.Numerics.Tensors;
using LfrEngine.Matching;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;

namespace LfrEngine.Vulkan.Search;

/// <summary>Exact search by a Vulkan device: it reads the gallery, which stays in its memory, and names the few identities that may be among the best; the processor scores those.</summary>
/// <remarks>
/// Identities, order and scores are those of <see cref="CosineSearch"/> to the last bit, however the device rounds and in whichever order it adds:
/// it hands out every identity whose score it cannot tell from the k-th best or from a threshold (<see cref="SearchBound"/>). Where that is too
/// many, and for probes that are not numbers, the processor searches the whole gallery.
/// Thread-safe; the device works for one caller at a time. A gallery is copied to the device before its first search, in the calling thread and
/// without stopping the others' searches, and is wiped there when its last reference goes. Probes are wiped before a call returns.
/// Device memory is the driver's: this engine cannot lock it. With a driver that computes on the processor it is ordinary memory of this process.
/// </remarks>
public sealed unsafe class VulkanSearch : IGallerySearch, IDisposable
{
    // Probes of one run on the device: more would only make the run, which nothing can interrupt, longer.
    private const int MostProbes = 64;

    // Candidates beyond k whose order the device cannot decide. Duplicates of one template under more identities than this are searched on the processor.
    private const int SpareCapacity = 1024;

    private readonly CosineSearch processor = new();
    private readonly VulkanContext context;
    private readonly SearchPipelines pipelines;
    private readonly GalleryPrecision precision;
    // Taken in this order, and before the context's gate: one gallery is copied at a time; one thread at a time adds to or takes from the table.
    private readonly Lock loading = new();
    private readonly Lock table = new();
    private ResidentGallery[] residents = [];
    private SearchBuffers? buffers;
    private long searchedByProcessor;
    private bool disposed;

    /// <summary>Opens a device.</summary>
    /// <param name="device">Its <see cref="VulkanDevice.Index"/>, or a part of its name in any case; null selects the best device: a card, then integrated graphics, and so on.</param>
    /// <param name="precision">How galleries are kept on the device.</param>
    /// <exception cref="VulkanException"><see cref="VulkanFailure.Unavailable"/>: no such device; the message lists the devices and says what to install.</exception>
    public VulkanSearch(string? device = null, GalleryPrecision precision = GalleryPrecision.PackedHalf)
        : this(new VulkanContext(device), precision)
    {
    }

    /// <param name="context">Owned from now on.</param>
    /// <param name="precision">How galleries are kept on the device.</param>
    internal VulkanSearch(VulkanContext context, GalleryPrecision precision)
    {
        (this.context, this.precision) = (context, precision);
        try
        {
            pipelines = new SearchPipelines(context, precision);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>The device in use.</summary>
    public VulkanDevice Device => context.Info;

    /// <summary>Probes that the processor had to search the whole gallery for.</summary>
    internal long SearchedByProcessor => Volatile.Read(ref searchedByProcessor);

    /// <summary>The galleries on the device.</summary>
    internal IReadOnlyList<ResidentGallery> Residents => Volatile.Read(ref residents);

    /// <summary>What the last call used.</summary>
    internal SearchBuffers? Buffers => buffers;

    /// <summary>Copies a gallery to the device now, so that its first search does not wait, or fail.</summary>
    /// <exception cref="VulkanException"><see cref="VulkanFailure.OutOfMemory"/>; the message contains the sizes.</exception>
    /// <exception cref="ObjectDisposedException">The gallery's last reference was disposed.</exception>
    public void Load(Gallery gallery)
    {
        ArgumentNullException.ThrowIfNull(gallery);
        using GalleryLease lease = gallery.Lease();
        if (gallery.RowCount > 0)
            Resident(gallery);
        foreach (Gallery covered in gallery.CoveredGalleries)
            Load(covered);
    }

    /// <inheritdoc/>
    /// <exception cref="VulkanException">The device was lost, or has not enough memory.</exception>
    public void Search(
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts,
        ReadOnlySpan<FaceCover> covers = default)
    {
        IGallerySearch.CheckArguments(gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed), this);
        if (CoveredSearch.IsNeeded(gallery, covers))
        {
            CoveredSearch.Search(this, gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
            return;
        }
        candidateCounts.Clear();
        using GalleryLease lease = gallery.Lease();
        if (gallery.RowCount == 0 || candidateCounts.IsEmpty)
            return;
        ResidentGallery resident = Resident(gallery);
        SearchSize size = SizeFor(gallery, candidateCounts.Length, maximumCandidates);
        for (int first = 0; first < candidateCounts.Length; first += size.Probes)
        {
            int count = Math.Min(size.Probes, candidateCounts.Length - first);
            SearchGroup(
                resident,
                size,
                probes.Slice(first * gallery.EmbeddingLength, count * gallery.EmbeddingLength),
                thresholds,
                maximumCandidates,
                candidates.Slice(first * maximumCandidates, count * maximumCandidates),
                candidateCounts.Slice(first, count));
        }
    }

    /// <summary>Wipes everything on the device and closes it, after a running search has ended.</summary>
    public void Dispose()
    {
        lock (loading)
        lock (table)
        lock (context.Gate)
        {
            if (disposed)
                return;
            Volatile.Write(ref disposed, true);
            foreach (ResidentGallery resident in residents)
            {
                resident.Gallery.Wiped -= Forget;
                resident.Dispose();
            }
            residents = [];
            buffers?.Dispose();
            pipelines.Dispose();
            context.Dispose();
        }
    }

    /// <summary>A gallery's copy on the device, made now if there is none. The caller holds a lease.</summary>
    private ResidentGallery Resident(Gallery gallery)
    {
        if (Find(gallery) is { } present)
            return present;
        lock (loading)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (Find(gallery) is { } meanwhile)
                return meanwhile;
            var loaded = new ResidentGallery(context, pipelines, gallery, precision);
            lock (table)
            {
                Volatile.Write(ref residents, [.. residents, loaded]);
                gallery.Wiped += Forget;
            }
            return loaded;
        }
    }

    private ResidentGallery? Find(Gallery gallery)
    {
        foreach (ResidentGallery resident in Volatile.Read(ref residents))
        {
            if (ReferenceEquals(resident.Gallery, gallery))
                return resident;
        }
        return null;
    }

    /// <summary>Called when the gallery's last reference is disposed, so nobody searches it.</summary>
    private void Forget(object? sender, EventArgs nothing)
    {
        lock (table)
        {
            if (Find((Gallery)sender!) is not { } gone)
                return;
            Volatile.Write(ref residents, [.. residents.Where(r => r != gone)]);
            gone.Dispose();
        }
    }

    private SearchSize SizeFor(Gallery gallery, int probeCount, int maximumCandidates)
    {
        int identities = gallery.Identities.Count;
        int capacity = (int)Math.Min(identities, (long)maximumCandidates + SpareCapacity);
        long most = (long)context.LargestBufferBytes / sizeof(uint) / Math.Max(Math.Max(identities, capacity + 1), Math.Max(gallery.RowStride, SearchPipelines.Bins));
        return new SearchSize((int)Math.Clamp(most, 1, Math.Min(probeCount, MostProbes)), gallery.RowStride, identities, capacity);
    }

    private void SearchGroup(
        ResidentGallery resident,
        in SearchSize size,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts)
    {
        const int TooMany = -1;
        int length = resident.Gallery.EmbeddingLength;
        lock (context.Gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            SearchBuffers ready = Ready(size);
            try
            {
                for (int p = 0; p < candidateCounts.Length; p++)
                {
                    ReadOnlySpan<float> probe = probes.Slice(p * length, length);
                    ref ProbeBounds bounds = ref ready.Bounds.Mapped[p];
                    if (SearchBound.TryFind(probe, resident, thresholds, out bounds))
                        probe.CopyTo(new Span<float>(ready.Probes.Mapped + ((long)p * size.Stride), length));
                    else
                        candidateCounts[p] = TooMany;
                }
                ready.Run(pipelines, resident, candidateCounts.Length, maximumCandidates);
            }
            finally
            {
                ready.WipeProbes(candidateCounts.Length);
            }
            for (int p = 0; p < candidateCounts.Length; p++)
            {
                if (candidateCounts[p] == TooMany)
                    continue;
                ReadOnlySpan<int> found = ready.Identities(p, out bool tooMany);
                candidateCounts[p] = tooMany
                    ? TooMany
                    : processor.SearchAmong(resident.Gallery, probes.Slice(p * length, length), found, thresholds, candidates.Slice(p * maximumCandidates, maximumCandidates));
            }
        }
        for (int p = 0; p < candidateCounts.Length; p++)
        {
            if (candidateCounts[p] != TooMany)
                continue;
            Interlocked.Increment(ref searchedByProcessor);
            processor.Search(resident.Gallery, probes.Slice(p * length, length), thresholds, maximumCandidates, candidates.Slice(p * maximumCandidates, maximumCandidates), candidateCounts.Slice(p, 1));
        }
    }

    /// <summary>Buffers of sufficient size: the last ones, or new ones in their place. The caller holds the gate.</summary>
    private SearchBuffers Ready(in SearchSize size)
    {
        if (buffers is { } last && last.Size.Stride == size.Stride && last.Size.Identities == size.Identities)
        {
            if (last.Size.Probes >= size.Probes && last.Size.Capacity >= size.Capacity)
                return last;
        }
        buffers?.Dispose();
        buffers = null;
        return buffers = new SearchBuffers(context, pipelines, size);
    }
}
