using System.Numerics.Tensors;
using ComputeSharp;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Matching;
using LfrEngine.Memory;

namespace LfrEngine.DirectX.Search;

/// <summary>Exact search with the gallery resident on the GPU, packed half: the shader finds every row that could be a candidate, the processor has the last word in float32.</summary>
/// <remarks>
/// The limit of the shader lies below the lowest threshold by more than rounding to half and summing in another order can cost, so it misses nobody;
/// what it finds too much the processor drops. Scores, candidates and their order are those of <see cref="CosineSearch"/>, to the bit. Thread-safe.
/// </remarks>
public sealed class GpuSearch : IGallerySearch, IDisposable
{
    // Room for this many pairs at first; a search that finds more makes room and is done again.
    private const int SmallestCapacity = 4096;

    private readonly GpuContext context;
    private readonly CosineSearch exact = new();
    private readonly Lock gate = new();
    // How many pairs come back with their number in one copy: a search usually finds none.
    private const int PairsAtOnce = 7;

    // No row that was normalised on the device is longer: its squares are summed in float32, in any order.
    private const double LongestOnDevice = 1.001;

    // The number of pairs, then the pairs.
    private GpuBuffer<int> hits;
    private GpuProbes? uploaded;
    private int uploadable, uploadedLength;
    private readonly List<ResidentGallery> residents = [];

    /// <summary>Prepares a search; a gallery is copied to the device when it is first searched.</summary>
    /// <param name="context">Borrowed.</param>
    public GpuSearch(GpuContext context)
    {
        this.context = context;
        hits = new GpuBuffer<int>(context, 1 + (2 * SmallestCapacity));
    }

    internal GpuContext Context => context;

    /// <inheritdoc/>
    public void Search(Gallery gallery, ReadOnlySpan<float> probes, in CategoryThresholds thresholds, int maximumCandidates, Span<Candidate> candidates, Span<int> candidateCounts, ReadOnlySpan<FaceCover> covers = default)
    {
        IGallerySearch.CheckArguments(gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
        if (CoveredSearch.IsNeeded(gallery, covers))
        {
            CoveredSearch.Search(this, gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
            return;
        }
        Search(gallery, probes, null, thresholds, maximumCandidates, candidates, candidateCounts);
    }

    void IGallerySearch.SearchBatch(Gallery gallery, Probes probes, in CategoryThresholds thresholds, int maximumCandidates, Span<Candidate> candidates, Span<int> candidateCounts, ReadOnlySpan<FaceCover> covers)
    {
        // Covered probes are turned by the processor before they are compared.
        if (!probes.IsOnDevice || probes.Device is not GpuProbes onDevice || onDevice.Context != context || CoveredSearch.IsNeeded(gallery, covers))
            Search(gallery, probes.Rows, thresholds, maximumCandidates, candidates, candidateCounts, covers);
        else
            Search(gallery, [], onDevice, thresholds, maximumCandidates, candidates, candidateCounts);
    }

    /// <summary>Clears the gallery on the device and everything else.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            residents.ForEach(r => r.Dispose());
            residents.Clear();
        }
        uploaded?.Dispose();
        hits.Dispose();
    }

    // Probes are in host memory, or on the device: then only those with a hit come back, to be scored exactly.
    private void Search(Gallery gallery, ReadOnlySpan<float> probes, GpuProbes? onDevice, in CategoryThresholds thresholds, int maximumCandidates, Span<Candidate> candidates, Span<int> candidateCounts)
    {
        candidateCounts.Clear();
        if (gallery.RowCount == 0 || candidateCounts.IsEmpty)
            return;
        using GalleryLease lease = gallery.Lease();
        int length = gallery.EmbeddingLength;
        // Which identities, not what they look like: plain memory may hold it.
        List<(int Probe, int Identity)> found = Find(gallery, probes, onDevice, thresholds.Lowest, candidateCounts.Length);
        found.Sort();
        var identities = new List<int>();
        using HostBuffer<float> brought = BufferPool.Rent<float>(length);
        for (int i = 0; i < found.Count;)
        {
            int probe = found[i].Probe;
            identities.Clear();
            for (; i < found.Count && found[i].Probe == probe; i++)
            {
                if (identities.Count == 0 || identities[^1] != found[i].Identity)
                    identities.Add(found[i].Identity);
            }
            onDevice?.Read(probe, brought.Span);
            candidateCounts[probe] = exact.SearchAmong(gallery, onDevice is null ? probes.Slice(probe * length, length) : brought.Span,
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(identities), thresholds, candidates.Slice(probe * maximumCandidates, maximumCandidates));
        }
    }

    private unsafe List<(int Probe, int Identity)> Find(Gallery gallery, ReadOnlySpan<float> probes, GpuProbes? onDevice, float lowest, int probeCount)
    {
        lock (gate)
        {
            ResidentGallery rows = Resident(gallery);
            int elementCount = probes.Length;
            double longest = LongestOnDevice;
            if (onDevice is null)
                (onDevice, longest) = (RoomFor(probeCount, gallery.EmbeddingLength), Longest(probes, gallery.EmbeddingLength));
            float limit = lowest - rows.Margin(longest);
            var found = new List<(int, int)>();
            fixed (float* first = probes)
            {
                float* elements = first;
                context.UseAgain(gpu =>
                {
                    found.Clear();
                    ReadWriteBuffer<uint> packed = rows.On(gpu);
                    if (onDevice == uploaded)
                        uploaded!.Upload(gpu, new ReadOnlySpan<float>(elements, elementCount));
                    // They may have gone with their device.
                    if (onDevice.On(gpu) is not { } ready)
                        return;
                    ReadOnlySpan<int> told = Match(gpu, packed, ready, gallery.RowCount, rows.Pairs, probeCount, limit);
                    for (int i = 0; i < told.Length; i += 2)
                        found.Add((told[i + 1], gallery.RowIdentities[told[i]]));
                    gpu.Clear(onDevice == uploaded ? uploaded : null, hits);
                });
            }
            return found;
        }
    }

    private GpuProbes RoomFor(int probes, int length)
    {
        if (uploaded is null || uploadedLength != length || uploadable < probes)
        {
            uploaded?.Dispose();
            (uploaded, uploadable, uploadedLength) = (new GpuProbes(context, probes, length), probes, length);
        }
        return uploaded;
    }

    private static double Longest(ReadOnlySpan<float> probes, int length)
    {
        double longest = 0;
        for (int first = 0; first < probes.Length; first += length)
            longest = Math.Max(longest, TensorPrimitives.Norm(probes.Slice(first, length)));
        return longest;
    }

    /// <summary>A gallery's copy on the device, made now if there is none. It is kept together with those of the same list, for covered probes; others are removed.</summary>
    private ResidentGallery Resident(Gallery gallery)
    {
        if (residents.Find(r => r.Gallery == gallery) is { } present)
            return present;
        foreach (ResidentGallery other in residents.FindAll(r => r.Gallery.WatchlistId != gallery.WatchlistId || r.Gallery.WatchlistVersion != gallery.WatchlistVersion))
        {
            residents.Remove(other);
            other.Dispose();
        }
        var loaded = new ResidentGallery(this, gallery);
        residents.Add(loaded);
        return loaded;
    }

    /// <summary>Row and probe of every pair found, in turn.</summary>
    private int[] Match(GpuDevice gpu, ReadWriteBuffer<uint> packed, ReadWriteBuffer<float> probes, int rowCount, int pairs, int probeCount, float limit)
    {
        while (true)
        {
            ReadWriteBuffer<int> target = hits.On(gpu);
            var shader = new MatchShader(packed, probes, target, rowCount, pairs, probeCount, hits.Length / 2, limit);
            gpu.Submit((in ComputeContext list) =>
            {
                // Another search may have been broken off.
                list.Clear(target);
                list.Barrier(target);
                list.For(rowCount, (probeCount + GpuProbes.Group - 1) / GpuProbes.Group, shader);
            });
            var told = new int[1 + (2 * PairsAtOnce)];
            hits.Read(gpu, told);
            int total = told[0];
            if (total <= hits.Length / 2)
            {
                var all = new int[2 * total];
                told.AsSpan(1, 2 * Math.Min(total, PairsAtOnce)).CopyTo(all);
                if (total > PairsAtOnce)
                    hits.Read(gpu, all.AsSpan(2 * PairsAtOnce), told.Length);
                return all;
            }
            hits.Dispose();
            hits = new GpuBuffer<int>(context, 1 + (2 * total));
        }
    }

    /// <summary>A gallery on the device, by pairs of elements [D / 2, N]; cleared when it is wiped in host memory or another takes its place.</summary>
    private sealed class ResidentGallery : IDisposable
    {
        private readonly GpuSearch search;
        private readonly GpuBuffer<uint> packed;
        private GpuDevice? filledOn;
        private double longestRow, largestPacking;

        public ResidentGallery(GpuSearch search, Gallery gallery)
        {
            this.search = search;
            Gallery = gallery;
            Pairs = (gallery.EmbeddingLength + 1) / 2;
            long words = (long)Pairs * gallery.RowCount;
            // Of a buffer in ComputeSharp.
            if (words * sizeof(uint) > uint.MaxValue - 255)
                throw new GpuException($"The watchlist's {gallery.RowCount} templates need {words * sizeof(uint) >> 20} MiB on the GPU, and one buffer holds 4095. Use --search simd.");
            packed = new GpuBuffer<uint>(search.context, (int)words);
            gallery.Wiped += OnWiped;
        }

        public Gallery Gallery { get; }

        public int Pairs { get; }

        public ReadWriteBuffer<uint> On(GpuDevice gpu)
        {
            if (filledOn != gpu)
            {
                Pack(packed.Stage(gpu));
                packed.Upload(gpu, packed.Length);
                filledOn = gpu;
            }
            return packed.On(gpu);
        }

        /// <summary>More than the shader's score of a pair can lie below the processor's.</summary>
        /// <remarks>
        /// Sums of n products in any order differ from the exact one by at most γₙ·‖p‖·‖r‖, γₙ = nu / (1 − nu) (Higham, Accuracy and Stability, 3.1);
        /// u = 2⁻²³ covers hardware that rounds to either neighbour, twice covers both sums. Packing moves the exact sum by at most ‖p‖·‖δ‖, and ‖δ‖ is measured.
        /// </remarks>
        public float Margin(double longest)
        {
            if (filledOn is null)
                Measure();
            double rounding = 2.0 * Gallery.EmbeddingLength / (1 << 23);
            return (float)(1.01 * longest * (((longestRow + largestPacking) * rounding) + largestPacking)) + 1e-7f;
        }

        public void Dispose()
        {
            Gallery.Wiped -= OnWiped;
            packed.Dispose();
        }

        private void OnWiped(object? sender, EventArgs e)
        {
            lock (search.gate)
            {
                if (search.residents.Remove(this))
                    Dispose();
            }
        }

        private void Measure()
        {
            for (int row = 0; row < Gallery.RowCount; row++)
            {
                ReadOnlySpan<float> elements = Row(row);
                double squares = 0, lost = 0;
                foreach (float element in elements)
                {
                    double difference = element - (double)(float)(Half)element;
                    squares += (double)element * element;
                    lost += difference * difference;
                }
                longestRow = Math.Max(longestRow, Math.Sqrt(squares));
                largestPacking = Math.Max(largestPacking, Math.Sqrt(lost));
            }
        }

        private void Pack(Span<uint> to)
        {
            int rows = Gallery.RowCount;
            for (int row = 0; row < rows; row++)
            {
                ReadOnlySpan<float> elements = Row(row);
                for (int pair = 0; pair < Pairs; pair++)
                {
                    uint low = BitConverter.HalfToUInt16Bits((Half)elements[2 * pair]);
                    uint high = (2 * pair) + 1 < elements.Length ? BitConverter.HalfToUInt16Bits((Half)elements[(2 * pair) + 1]) : (ushort)0;
                    to[(pair * rows) + row] = low | (high << 16);
                }
            }
        }

        private ReadOnlySpan<float> Row(int row) => Gallery.Rows.Slice(row * Gallery.RowStride, Gallery.EmbeddingLength);
    }
}
