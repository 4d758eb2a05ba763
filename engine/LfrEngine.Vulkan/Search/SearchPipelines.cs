using System.Runtime.InteropServices;
using LfrEngine.Vulkan.Devices;
using Silk.NET.Core.Native;
using Silk.NET.Vulkan;
// The engine's own Pipeline is a namespace.
using VkPipeline = Silk.NET.Vulkan.Pipeline;

namespace LfrEngine.Vulkan.Search;

/// <summary>The three steps of a search as the device runs them. Shaders/search.glsl describes the buffers.</summary>
internal sealed unsafe class SearchPipelines : IDisposable
{
    /// <summary>BINS.</summary>
    public const int Bins = 2048;

    /// <summary>ROWS of a block.</summary>
    public const int BlockRows = 32;

    /// <summary>IDENTITIES of a workgroup that counts or selects.</summary>
    public const int GroupIdentities = 4096;

    /// <summary>IDENTITY_BITS.</summary>
    public const int IdentityBits = 28;

    /// <summary>Buffers of a call: probes, bounds, best, histogram, found.</summary>
    public const int CallBuffers = 5;

    /// <summary>Buffers of a chunk of the gallery: rows, the rows' identities, the identities' categories.</summary>
    public const int GalleryBuffers = 3;

    /// <summary>Probes that one invocation scores side by side: each read of a row serves so many.</summary>
    public static readonly int[] ProbeSteps = [1, 4, 16];

    private readonly VulkanContext context;
    private readonly VkPipeline[] scores = new VkPipeline[ProbeSteps.Length];
    private readonly VkPipeline histogram;
    private readonly VkPipeline select;

    public SearchPipelines(VulkanContext context, GalleryPrecision precision)
    {
        this.context = context;
        try
        {
            CallSet = CreateSetLayout(CallBuffers);
            GallerySet = CreateSetLayout(GalleryBuffers);
            DescriptorSetLayout* sets = stackalloc DescriptorSetLayout[] { CallSet, GallerySet };
            PushConstantRange constants = new() { StageFlags = ShaderStageFlags.ComputeBit, Size = (uint)sizeof(SearchShape) };
            PipelineLayoutCreateInfo create = new() { SType = StructureType.PipelineLayoutCreateInfo, SetLayoutCount = 2, PSetLayouts = sets, PushConstantRangeCount = 1, PPushConstantRanges = &constants };
            context.Api.CreatePipelineLayout(context.Device, in create, null, out PipelineLayout layout).ThrowIfFailed("vkCreatePipelineLayout", context.Info.Name);
            Layout = layout;
            for (int i = 0; i < scores.Length; i++)
                scores[i] = CreatePipeline("score.spv", ProbeSteps[i], precision == GalleryPrecision.PackedHalf);
            histogram = CreatePipeline("histogram.spv");
            select = CreatePipeline("select.spv");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public DescriptorSetLayout CallSet { get; }

    public DescriptorSetLayout GallerySet { get; }

    public PipelineLayout Layout { get; }

    /// <summary>Scores the probes against a chunk.</summary>
    public void Score(CommandBuffer commands, DescriptorSet call, DescriptorSet chunk, in SearchShape shape)
    {
        int step = shape.ProbeCount > 4 ? 2 : shape.ProbeCount > 1 ? 1 : 0;
        Dispatch(commands, scores[step], call, chunk, shape, Groups(shape.ProbeCount, ProbeSteps[step]), Groups(shape.RowCount, BlockRows));
    }

    /// <summary>Counts the identities by score.</summary>
    public void Count(CommandBuffer commands, DescriptorSet call, DescriptorSet chunk, in SearchShape shape) =>
        Dispatch(commands, histogram, call, chunk, shape, Groups(shape.IdentityCount, GroupIdentities), shape.ProbeCount);

    /// <summary>Hands out those that may be among the best.</summary>
    public void Select(CommandBuffer commands, DescriptorSet call, DescriptorSet chunk, in SearchShape shape) =>
        Dispatch(commands, select, call, chunk, shape, Groups(shape.IdentityCount, GroupIdentities), shape.ProbeCount);

    /// <summary>A pool of sets of one kind, and the sets.</summary>
    public DescriptorPool CreateSets(DescriptorSetLayout layout, int buffersEach, Span<DescriptorSet> sets)
    {
        DescriptorPoolSize size = new() { Type = DescriptorType.StorageBuffer, DescriptorCount = (uint)(buffersEach * sets.Length) };
        DescriptorPoolCreateInfo create = new() { SType = StructureType.DescriptorPoolCreateInfo, MaxSets = (uint)sets.Length, PoolSizeCount = 1, PPoolSizes = &size };
        context.Api.CreateDescriptorPool(context.Device, in create, null, out DescriptorPool pool).ThrowIfFailed("vkCreateDescriptorPool", context.Info.Name);
        for (int i = 0; i < sets.Length; i++)
        {
            DescriptorSetAllocateInfo allocate = new() { SType = StructureType.DescriptorSetAllocateInfo, DescriptorPool = pool, DescriptorSetCount = 1, PSetLayouts = &layout };
            context.Api.AllocateDescriptorSets(context.Device, in allocate, out sets[i]).ThrowIfFailed("vkAllocateDescriptorSets", context.Info.Name);
        }
        return pool;
    }

    /// <summary>Puts a buffer, whole, into a set.</summary>
    public void Bind<T>(DescriptorSet set, uint binding, GpuBuffer<T> buffer)
        where T : unmanaged
    {
        DescriptorBufferInfo info = new() { Buffer = buffer.Handle, Range = buffer.Bytes };
        WriteDescriptorSet write = new() { SType = StructureType.WriteDescriptorSet, DstSet = set, DstBinding = binding, DescriptorCount = 1, DescriptorType = DescriptorType.StorageBuffer, PBufferInfo = &info };
        context.Api.UpdateDescriptorSets(context.Device, 1, in write, 0, null);
    }

    public void Dispose()
    {
        foreach (VkPipeline pipeline in (ReadOnlySpan<VkPipeline>)[.. scores, histogram, select])
            context.Api.DestroyPipeline(context.Device, pipeline, null);
        context.Api.DestroyPipelineLayout(context.Device, Layout, null);
        context.Api.DestroyDescriptorSetLayout(context.Device, GallerySet, null);
        context.Api.DestroyDescriptorSetLayout(context.Device, CallSet, null);
    }

    private static uint Groups(uint count, int each) => (count + (uint)each - 1) / (uint)each;

    private void Dispatch(CommandBuffer commands, VkPipeline pipeline, DescriptorSet call, DescriptorSet chunk, SearchShape shape, uint across, uint down)
    {
        DescriptorSet* sets = stackalloc DescriptorSet[] { call, chunk };
        context.Api.CmdBindPipeline(commands, PipelineBindPoint.Compute, pipeline);
        context.Api.CmdBindDescriptorSets(commands, PipelineBindPoint.Compute, Layout, 0, 2, sets, 0, null);
        context.Api.CmdPushConstants(commands, Layout, ShaderStageFlags.ComputeBit, 0, (uint)sizeof(SearchShape), &shape);
        context.Api.CmdDispatch(commands, across, down, 1);
    }

    private DescriptorSetLayout CreateSetLayout(int buffers)
    {
        DescriptorSetLayoutBinding* bindings = stackalloc DescriptorSetLayoutBinding[buffers];
        for (int i = 0; i < buffers; i++)
            bindings[i] = new DescriptorSetLayoutBinding { Binding = (uint)i, DescriptorType = DescriptorType.StorageBuffer, DescriptorCount = 1, StageFlags = ShaderStageFlags.ComputeBit };
        DescriptorSetLayoutCreateInfo create = new() { SType = StructureType.DescriptorSetLayoutCreateInfo, BindingCount = (uint)buffers, PBindings = bindings };
        context.Api.CreateDescriptorSetLayout(context.Device, in create, null, out DescriptorSetLayout layout).ThrowIfFailed("vkCreateDescriptorSetLayout", context.Info.Name);
        return layout;
    }

    /// <param name="shader">Name of the embedded SPIR-V.</param>
    /// <param name="constants">Values of the constants 0, 1 and so on.</param>
    private VkPipeline CreatePipeline(string shader, params ReadOnlySpan<SpecializationValue> constants)
    {
        byte[] code = ReadShader(shader);
        fixed (byte* words = code)
        fixed (SpecializationValue* values = constants)
        {
            ShaderModuleCreateInfo module = new() { SType = StructureType.ShaderModuleCreateInfo, CodeSize = (nuint)code.Length, PCode = (uint*)words };
            context.Api.CreateShaderModule(context.Device, in module, null, out ShaderModule compiled).ThrowIfFailed("vkCreateShaderModule", context.Info.Name);
            SpecializationMapEntry* entries = stackalloc SpecializationMapEntry[constants.Length];
            for (int i = 0; i < constants.Length; i++)
                entries[i] = new SpecializationMapEntry { ConstantID = (uint)i, Offset = (uint)(i * sizeof(uint)), Size = sizeof(uint) };
            SpecializationInfo special = new() { MapEntryCount = (uint)constants.Length, PMapEntries = entries, DataSize = (nuint)(constants.Length * sizeof(uint)), PData = values };
            byte* main = (byte*)SilkMarshal.StringToPtr("main");
            ComputePipelineCreateInfo create = new()
            {
                SType = StructureType.ComputePipelineCreateInfo,
                Layout = Layout,
                Stage = new PipelineShaderStageCreateInfo { SType = StructureType.PipelineShaderStageCreateInfo, Stage = ShaderStageFlags.ComputeBit, Module = compiled, PName = main, PSpecializationInfo = &special },
            };
            Result result = context.Api.CreateComputePipelines(context.Device, default, 1, in create, null, out VkPipeline pipeline);
            SilkMarshal.Free((nint)main);
            context.Api.DestroyShaderModule(context.Device, compiled, null);
            result.ThrowIfFailed("vkCreateComputePipelines", context.Info.Name);
            return pipeline;
        }
    }

    internal static byte[] ReadShader(string name)
    {
        using Stream stream = typeof(SearchPipelines).Assembly.GetManifestResourceStream(name)!;
        var code = new byte[stream.Length];
        stream.ReadExactly(code);
        return code;
    }

    /// <summary>The 32 bits of a specialisation constant.</summary>
    private readonly record struct SpecializationValue(uint Bits)
    {
        public static implicit operator SpecializationValue(int value) => new((uint)value);

        public static implicit operator SpecializationValue(bool value) => new(value ? 1u : 0u);
    }
}

/// <summary>The push constants: <c>Shape</c> of Shaders/search.glsl.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SearchShape(uint RowCount, uint Quads, uint ProbeCount, uint IdentityCount, uint Wanted, uint Capacity);
