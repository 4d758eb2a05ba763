using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LfrEngine.Native.Memory;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;
using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Search;

/// <summary>What a call needs on the device besides the gallery, kept from call to call. Between calls all of it is zero.</summary>
internal sealed unsafe class SearchBuffers : IDisposable
{
    private readonly VulkanContext context;
    private readonly DescriptorPool pool;
    private readonly DescriptorSet set;
    private readonly int[] identities;

    /// <param name="context">Outlives this.</param>
    /// <param name="pipelines">For their layout.</param>
    /// <param name="size">What must fit.</param>
    public SearchBuffers(VulkanContext context, SearchPipelines pipelines, in SearchSize size)
    {
        (this.context, Size, identities) = (context, size, new int[size.Capacity]);
        try
        {
            DeviceProbes = new GpuBuffer<float>(context, (long)size.PaddedProbes * size.Stride, GpuMemory.Device);
            DeviceBounds = new GpuBuffer<ProbeBounds>(context, size.Probes, GpuMemory.Device);
            DeviceBest = new GpuBuffer<uint>(context, (long)size.Probes * size.Identities, GpuMemory.Device);
            DeviceHistogram = new GpuBuffer<uint>(context, (long)size.Probes * SearchPipelines.Bins, GpuMemory.Device);
            DeviceFound = new GpuBuffer<uint>(context, (long)size.Probes * (size.Capacity + 1), GpuMemory.Device);
            Probes = new GpuBuffer<float>(context, DeviceProbes.Length, GpuMemory.Upload);
            Bounds = new GpuBuffer<ProbeBounds>(context, DeviceBounds.Length, GpuMemory.Upload);
            Found = new GpuBuffer<uint>(context, DeviceFound.Length, GpuMemory.Readback);
            var sets = new DescriptorSet[1];
            pool = pipelines.CreateSets(pipelines.CallSet, SearchPipelines.CallBuffers, sets);
            set = sets[0];
            pipelines.Bind(set, 0, DeviceProbes);
            pipelines.Bind(set, 1, DeviceBounds);
            pipelines.Bind(set, 2, DeviceBest);
            pipelines.Bind(set, 3, DeviceHistogram);
            pipelines.Bind(set, 4, DeviceFound);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public SearchSize Size { get; }

    /// <summary>Where the host puts the probes: [probes, stride]; wiped by <see cref="WipeProbes"/>.</summary>
    public GpuBuffer<float> Probes { get; } = null!;

    /// <summary>Where the host puts their bounds.</summary>
    public GpuBuffer<ProbeBounds> Bounds { get; } = null!;

    /// <summary>On the device: the probes.</summary>
    internal GpuBuffer<float> DeviceProbes { get; } = null!;

    /// <summary>On the device: their bounds.</summary>
    internal GpuBuffer<ProbeBounds> DeviceBounds { get; } = null!;

    /// <summary>On the device: the best score of each identity.</summary>
    internal GpuBuffer<uint> DeviceBest { get; } = null!;

    /// <summary>On the device: identities by score.</summary>
    internal GpuBuffer<uint> DeviceHistogram { get; } = null!;

    /// <summary>On the device: the identities found.</summary>
    internal GpuBuffer<uint> DeviceFound { get; } = null!;

    private GpuBuffer<uint> Found { get; } = null!;

    /// <summary>Runs a search. The caller holds the context's gate and has written <see cref="Probes"/> and <see cref="Bounds"/>.</summary>
    public void Run(SearchPipelines pipelines, ResidentGallery gallery, int probeCount, int wanted)
    {
        const PipelineStageFlags Transfer = PipelineStageFlags.TransferBit, Compute = PipelineStageFlags.ComputeShaderBit;
        const AccessFlags ReadWrite = AccessFlags.ShaderReadBit | AccessFlags.ShaderWriteBit;
        var shape = new SearchShape(0, (uint)Size.Stride / 4, (uint)probeCount, (uint)Size.Identities, (uint)wanted, (uint)Size.Capacity);
        ulong used = (ulong)probeCount;
        ulong probeBytes = used * (ulong)Size.Stride * sizeof(float), boundBytes = used * (ulong)sizeof(ProbeBounds), bestBytes = used * (ulong)Size.Identities * sizeof(uint);
        ulong histogramBytes = used * SearchPipelines.Bins * sizeof(uint), foundBytes = used * (ulong)(Size.Capacity + 1) * sizeof(uint);
        CommandBuffer commands = context.Begin();
        Probes.CopyTo(commands, DeviceProbes, 0, probeBytes);
        Bounds.CopyTo(commands, DeviceBounds, 0, boundBytes);
        context.Barrier(Transfer, AccessFlags.TransferWriteBit, Compute, AccessFlags.ShaderReadBit);
        foreach (ResidentGallery.Chunk chunk in gallery.Chunks)
            pipelines.Score(commands, set, chunk.Set, shape with { RowCount = (uint)chunk.RowCount });
        context.Barrier(Compute, AccessFlags.ShaderWriteBit, Compute, ReadWrite);
        DescriptorSet any = gallery.Chunks[0].Set;
        pipelines.Count(commands, set, any, shape);
        context.Barrier(Compute, AccessFlags.ShaderWriteBit, Compute, ReadWrite);
        pipelines.Select(commands, set, any, shape);
        context.Barrier(Compute, AccessFlags.ShaderWriteBit, Transfer, AccessFlags.TransferReadBit | AccessFlags.TransferWriteBit);
        DeviceFound.CopyTo(commands, Found, 0, foundBytes);
        context.Barrier(Transfer, AccessFlags.None, Transfer, AccessFlags.None);
        // Nothing of this call stays, and the next begins with zeros.
        DeviceProbes.Fill(commands, probeBytes);
        DeviceBounds.Fill(commands, boundBytes);
        DeviceBest.Fill(commands, bestBytes);
        DeviceHistogram.Fill(commands, histogramBytes);
        DeviceFound.Fill(commands, foundBytes);
        context.SubmitAndWait();
    }

    /// <summary>Wipes what the host wrote for the first probes.</summary>
    public void WipeProbes(int probeCount)
    {
        LockedMemory.Wipe(Probes.Mapped, (nuint)probeCount * (nuint)Size.Stride * sizeof(float));
        LockedMemory.Wipe(Bounds.Mapped, (nuint)probeCount * (nuint)sizeof(ProbeBounds));
    }

    /// <summary>The identities found for a probe, rising; null when there were more than fit.</summary>
    public ReadOnlySpan<int> Identities(int probe, out bool tooMany)
    {
        uint* at = Found.Mapped + ((long)probe * (Size.Capacity + 1));
        tooMany = *at > (uint)Size.Capacity;
        if (tooMany)
            return [];
        Span<int> copied = identities.AsSpan(0, (int)*at);
        new ReadOnlySpan<int>(at + 1, copied.Length).CopyTo(copied);
        // The device's workgroups finish in any order.
        copied.Sort();
        return copied;
    }

    public void Dispose()
    {
        DeviceProbes?.Dispose();
        DeviceBounds?.Dispose();
        DeviceBest?.Dispose();
        DeviceHistogram?.Dispose();
        DeviceFound?.Dispose();
        Probes?.Dispose();
        Bounds?.Dispose();
        Found?.Dispose();
        context.Api.DestroyDescriptorPool(context.Device, pool, null);
    }
}

/// <summary>How much <see cref="SearchBuffers"/> hold.</summary>
/// <param name="Probes">Probes of one run on the device.</param>
/// <param name="Stride">Elements from one probe to the next.</param>
/// <param name="Identities">Identities of the gallery.</param>
/// <param name="Capacity">Room for identities found, per probe.</param>
internal readonly record struct SearchSize(int Probes, int Stride, int Identities, int Capacity)
{
    /// <summary>Invocations sum for whole steps of probes.</summary>
    public int PaddedProbes => (Probes + SearchPipelines.ProbeSteps[^1] - 1) / SearchPipelines.ProbeSteps[^1] * SearchPipelines.ProbeSteps[^1];
}

/// <summary>The bounds of one probe: <c>ProbeBounds</c> of Shaders/search.glsl.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProbeBounds
{
    public float Range;
    public float BinsPerUnit;
    public uint Margin;
    private readonly uint unused;
    public CategoryLimits Least;
    public CategoryLimits Sure;
}

/// <summary>A score per category, and one place unused.</summary>
[InlineArray(WatchlistCategories.Count + 1)]
internal struct CategoryLimits
{
    private float first;
}
