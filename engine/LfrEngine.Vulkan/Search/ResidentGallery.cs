using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;
using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Search;

/// <summary>A gallery in the device's memory, in as many pieces as the device demands; wiped there when disposed.</summary>
internal sealed unsafe class ResidentGallery : IDisposable
{
    // Large enough to keep the bus busy, small enough that a search in between does not wait for long.
    private const int StagingBytes = 8 << 20;

    private readonly VulkanContext context;
    private readonly DescriptorPool pool;
    private readonly Chunk[] chunks;
    private readonly GpuBuffer<uint>? categories;

    /// <summary>Copies a gallery into the device's memory, piece by piece: searches continue in between.</summary>
    /// <param name="context">Outlives this.</param>
    /// <param name="pipelines">Made for the same precision.</param>
    /// <param name="gallery">Leased by the caller; at least one row.</param>
    /// <param name="precision">How to keep it.</param>
    /// <exception cref="VulkanException"><see cref="VulkanFailure.OutOfMemory"/>, and what every call may throw. Nothing is left behind.</exception>
    public ResidentGallery(VulkanContext context, SearchPipelines pipelines, Gallery gallery, GalleryPrecision precision)
    {
        this.context = context;
        Gallery = gallery;
        int elementBytes = precision == GalleryPrecision.Float32 ? sizeof(float) : sizeof(ushort);
        ulong blockBytes = (ulong)(SearchPipelines.BlockRows * gallery.RowStride * elementBytes);
        long blocks = (gallery.RowCount + SearchPipelines.BlockRows - 1L) / SearchPipelines.BlockRows;
        ulong needed = (ulong)blocks * blockBytes;
        if (needed > context.MemoryBytes)
        {
            throw new VulkanException(VulkanFailure.OutOfMemory, $"The watchlist's {gallery.RowCount} templates need {needed >> 20} MiB on the Vulkan device \"{context.Info.Name}\", which has {context.MemoryBytes >> 20} MiB. "
                + "Use a smaller watchlist, another device, or the processor (--search simd).");
        }
        long chunkBlocks = (long)Math.Min(context.LargestBufferBytes / blockBytes, context.MostWorkgroups);
        chunks = new Chunk[(blocks + chunkBlocks - 1) / chunkBlocks];
        try
        {
            categories = new GpuBuffer<uint>(context, gallery.IdentityCategories.Length, GpuMemory.Device);
            using (var staging = new GpuBuffer<uint>(context, categories.Length, GpuMemory.Upload))
            {
                for (int i = 0; i < categories.Length; i++)
                    staging.Mapped[i] = (uint)gallery.IdentityCategories[i];
                Copy(staging, categories, 0, staging.Bytes);
            }
            var sets = new DescriptorSet[chunks.Length];
            pool = pipelines.CreateSets(pipelines.GallerySet, SearchPipelines.GalleryBuffers, sets);
            using var rows = new RowPacker(context, gallery, precision, StagingBytes);
            for (int i = 0; i < chunks.Length; i++)
            {
                int first = (int)(i * chunkBlocks * SearchPipelines.BlockRows);
                int count = (int)Math.Min(chunkBlocks * SearchPipelines.BlockRows, gallery.RowCount - first);
                chunks[i] = new Chunk(this, first, count, blockBytes, sets[i], rows);
                pipelines.Bind(sets[i], 0, chunks[i].Rows);
                pipelines.Bind(sets[i], 1, chunks[i].Identities);
                pipelines.Bind(sets[i], 2, categories);
            }
            (LongestRow, LargestPacking) = (rows.LongestRow, rows.LargestPacking);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The gallery this is a copy of. Not leased: when it is disposed, this must be disposed.</summary>
    public Gallery Gallery { get; }

    /// <summary>Bound of the rows' norms.</summary>
    public double LongestRow { get; }

    /// <summary>Bound of the norms of what rounding to half precision took away.</summary>
    public double LargestPacking { get; }

    public ReadOnlySpan<Chunk> Chunks => chunks;

    /// <summary>Wipes the copy in the device's memory, and gives it back.</summary>
    public void Dispose()
    {
        foreach (Chunk? chunk in chunks)
            chunk?.Dispose();
        categories?.Dispose();
        context.Api.DestroyDescriptorPool(context.Device, pool, null);
    }

    private void Copy<T>(GpuBuffer<T> staging, GpuBuffer<T> target, ulong offset, ulong bytes)
        where T : unmanaged
    {
        lock (context.Gate)
        {
            staging.CopyTo(context.Begin(), target, offset, bytes);
            context.SubmitAndWait();
        }
    }

    /// <summary>Number of rows that fit into one buffer of the device.</summary>
    internal sealed class Chunk : IDisposable
    {
        public Chunk(ResidentGallery owner, int firstRow, int rowCount, ulong blockBytes, DescriptorSet set, RowPacker packer)
        {
            (RowCount, Set) = (rowCount, set);
            long blocks = (rowCount + SearchPipelines.BlockRows - 1L) / SearchPipelines.BlockRows;
            try
            {
                Rows = new GpuBuffer<byte>(owner.context, blocks * (long)blockBytes, GpuMemory.Device);
                Identities = new GpuBuffer<uint>(owner.context, rowCount, GpuMemory.Device);
                using (var staging = new GpuBuffer<uint>(owner.context, rowCount, GpuMemory.Upload))
                {
                    ReadOnlySpan<int> identities = owner.Gallery.RowIdentities.Slice(firstRow, rowCount);
                    ReadOnlySpan<WatchlistCategory> categories = owner.Gallery.IdentityCategories;
                    for (int i = 0; i < rowCount; i++)
                        staging.Mapped[i] = (uint)identities[i] | (uint)categories[identities[i]] << SearchPipelines.IdentityBits;
                    owner.Copy(staging, Identities, 0, staging.Bytes);
                }
                for (int row = 0; row < rowCount; row += packer.MostRows)
                {
                    int count = Math.Min(packer.MostRows, rowCount - row);
                    ulong bytes = packer.Pack(firstRow + row, count);
                    owner.Copy(packer.Staging, Rows, (ulong)(row / SearchPipelines.BlockRows) * blockBytes, bytes);
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public GpuBuffer<byte> Rows { get; } = null!;

        public GpuBuffer<uint> Identities { get; } = null!;

        public DescriptorSet Set { get; }

        public int RowCount { get; }

        public void Dispose()
        {
            Rows?.Dispose();
            Identities?.Dispose();
        }
    }

    /// <summary>Arranges rows as the shader reads them, and measures them at the same time.</summary>
    internal sealed class RowPacker : IDisposable
    {
        private const int Quad = 4;

        private readonly Gallery gallery;
        private readonly GalleryPrecision precision;
        private readonly int blockBytes;
        private readonly HostBuffer<float> unpacked;
        private readonly HostBuffer<Half> packed;

        public RowPacker(VulkanContext context, Gallery gallery, GalleryPrecision precision, int stagingBytes)
        {
            (this.gallery, this.precision) = (gallery, precision);
            blockBytes = SearchPipelines.BlockRows * gallery.RowStride * (precision == GalleryPrecision.Float32 ? sizeof(float) : sizeof(ushort));
            int blocks = (int)Math.Clamp((gallery.RowCount + SearchPipelines.BlockRows - 1L) / SearchPipelines.BlockRows, 1, Math.Max(1, stagingBytes / blockBytes));
            MostRows = blocks * SearchPipelines.BlockRows;
            Staging = new GpuBuffer<byte>(context, (long)blocks * blockBytes, GpuMemory.Upload);
            unpacked = BufferPool.Rent<float>(gallery.RowStride);
            packed = BufferPool.Rent<Half>(gallery.RowStride);
        }

        /// <summary>Rows that fit at once, whole blocks.</summary>
        public int MostRows { get; }

        public GpuBuffer<byte> Staging { get; }

        public double LongestRow { get; private set; }

        public double LargestPacking { get; private set; }

        /// <summary>Packs rows into <see cref="Staging"/>.</summary>
        /// <param name="firstRow">In the gallery.</param>
        /// <param name="count">At most <see cref="MostRows"/>; the rest of the last block becomes zeros.</param>
        /// <returns>Bytes written, whole blocks.</returns>
        public ulong Pack(int firstRow, int count)
        {
            int stride = gallery.RowStride;
            int blocks = (count + SearchPipelines.BlockRows - 1) / SearchPipelines.BlockRows;
            for (int i = 0; i < blocks * SearchPipelines.BlockRows; i++)
            {
                ReadOnlySpan<float> row = i < count ? gallery.Rows.Slice((firstRow + i) * stride, stride) : default;
                byte* at = Staging.Mapped + ((long)(i / SearchPipelines.BlockRows) * blockBytes);
                if (precision == GalleryPrecision.Float32)
                    Spread(row, at, i % SearchPipelines.BlockRows, stride);
                else
                    Spread(row.IsEmpty ? default : Round(row), at, i % SearchPipelines.BlockRows, stride);
                if (!row.IsEmpty)
                    LongestRow = Math.Max(LongestRow, SearchBound.Norm(TensorPrimitives.Norm(row)));
            }
            return (ulong)((long)blocks * blockBytes);
        }

        public void Dispose()
        {
            Staging.Dispose();
            unpacked.Dispose();
            packed.Dispose();
        }

        /// <summary>Four elements of each of the block's rows lie together.</summary>
        private static void Spread<T>(ReadOnlySpan<T> row, byte* block, int place, int stride)
            where T : unmanaged
        {
            var quads = (T*)block + (place * Quad);
            for (int i = 0; i < stride; i += Quad)
            {
                var four = new Span<T>(quads + (i * SearchPipelines.BlockRows), Quad);
                if (row.IsEmpty)
                    four.Clear();
                else
                    row.Slice(i, Quad).CopyTo(four);
            }
        }

        private ReadOnlySpan<Half> Round(ReadOnlySpan<float> row)
        {
            const ushort Exponent = 0x7C00;
            Span<Half> halves = packed.Span;
            TensorPrimitives.ConvertToHalf(row, halves);
            // A device may take subnormal numbers for zero or not: so that it cannot matter, they are zero.
            foreach (ref ushort bits in MemoryMarshal.Cast<Half, ushort>(halves))
                bits = (bits & Exponent) == 0 ? (ushort)0 : bits;
            TensorPrimitives.ConvertToSingle(halves, unpacked.Span);
            LargestPacking = Math.Max(LargestPacking, SearchBound.Norm(TensorPrimitives.Distance(row, unpacked.Span)));
            return halves;
        }
    }
}
