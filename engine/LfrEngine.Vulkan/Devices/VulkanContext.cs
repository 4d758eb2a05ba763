using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Devices;

/// <summary>One device, one queue, one list of commands that is filled, run and waited for.</summary>
internal sealed unsafe class VulkanContext : IDisposable
{
    /// <summary>Invocations of a workgroup in every shader.</summary>
    public const int Invocations = 256;

    /// <summary>Storage buffers that the shaders bind together.</summary>
    public const int StorageBuffers = 8;

    private readonly VulkanInstance instance;
    private readonly Device device;
    private readonly Queue queue;
    private readonly CommandPool pool;
    private readonly CommandBuffer commands;
    private readonly Fence fence;
    private readonly PhysicalDeviceMemoryProperties memory;

    /// <summary>Opens a device.</summary>
    /// <param name="wanted">As in <see cref="VulkanInstance.Find"/>.</param>
    public VulkanContext(string? wanted)
    {
        instance = new VulkanInstance();
        try
        {
            (PhysicalDevice physical, Info) = instance.Find(wanted);
            uint family = FindQueueFamily(Api, physical)!.Value;
            float priority = 1;
            DeviceQueueCreateInfo queues = new() { SType = StructureType.DeviceQueueCreateInfo, QueueFamilyIndex = family, QueueCount = 1, PQueuePriorities = &priority };
            DeviceCreateInfo create = new() { SType = StructureType.DeviceCreateInfo, QueueCreateInfoCount = 1, PQueueCreateInfos = &queues };
            Api.CreateDevice(physical, in create, null, out device).ThrowIfFailed("vkCreateDevice", Info.Name);
            Api.GetDeviceQueue(device, family, 0, out queue);
            memory = Api.GetPhysicalDeviceMemoryProperties(physical);

            PhysicalDeviceMaintenance3Properties pieces = new() { SType = StructureType.PhysicalDeviceMaintenance3Properties };
            PhysicalDeviceProperties2 properties = new() { SType = StructureType.PhysicalDeviceProperties2, PNext = &pieces };
            Api.GetPhysicalDeviceProperties2(physical, &properties);
            MemoryBytes = Info.MemoryBytes;
            LargestBufferBytes = Math.Min(properties.Properties.Limits.MaxStorageBufferRange, pieces.MaxMemoryAllocationSize);
            MostWorkgroups = Math.Min(properties.Properties.Limits.MaxComputeWorkGroupCount[0], properties.Properties.Limits.MaxComputeWorkGroupCount[1]);

            CommandPoolCreateInfo pools = new() { SType = StructureType.CommandPoolCreateInfo, QueueFamilyIndex = family, Flags = CommandPoolCreateFlags.TransientBit };
            Api.CreateCommandPool(device, in pools, null, out pool).ThrowIfFailed("vkCreateCommandPool", Info.Name);
            CommandBufferAllocateInfo buffers = new() { SType = StructureType.CommandBufferAllocateInfo, CommandPool = pool, Level = CommandBufferLevel.Primary, CommandBufferCount = 1 };
            Api.AllocateCommandBuffers(device, in buffers, out commands).ThrowIfFailed("vkAllocateCommandBuffers", Info.Name);
            FenceCreateInfo fences = new() { SType = StructureType.FenceCreateInfo };
            Api.CreateFence(device, in fences, null, out fence).ThrowIfFailed("vkCreateFence", Info.Name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public VulkanDevice Info { get; } = null!;

    public Vk Api => instance.Api;

    public Device Device => device;

    /// <summary>Held from <see cref="Begin"/> until what <see cref="SubmitAndWait"/> left has been read: the device works for one caller at a time.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Most bytes of a buffer that a shader can see whole.</summary>
    public ulong LargestBufferBytes { get; init; }

    /// <summary>Memory that a gallery may fill.</summary>
    public ulong MemoryBytes { get; init; }

    /// <summary>Most workgroups side by side, in either direction.</summary>
    public uint MostWorkgroups { get; }

    public static uint? FindQueueFamily(Vk api, PhysicalDevice physical)
    {
        uint count = 0;
        api.GetPhysicalDeviceQueueFamilyProperties(physical, &count, null);
        QueueFamilyProperties* families = stackalloc QueueFamilyProperties[(int)count];
        api.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
        for (uint i = 0; i < count; i++)
        {
            if (families[i].QueueFlags.HasFlag(QueueFlags.ComputeBit))
                return i;
        }
        return null;
    }

    /// <summary>The first type of memory that a buffer may have and that has what is needed, one with what is preferred before others.</summary>
    public uint FindMemoryType(uint allowed, MemoryPropertyFlags needed, MemoryPropertyFlags preferred)
    {
        foreach (MemoryPropertyFlags flags in (ReadOnlySpan<MemoryPropertyFlags>)[needed | preferred, needed])
        {
            for (int i = 0; i < memory.MemoryTypeCount; i++)
            {
                if ((allowed >> i & 1) != 0 && memory.MemoryTypes[i].PropertyFlags.HasFlag(flags))
                    return (uint)i;
            }
        }
        throw new VulkanException(VulkanFailure.CallFailed, $"The Vulkan device \"{Info.Name}\" has no memory of type {needed}.");
    }

    /// <summary>Begins an empty list of commands. The caller holds <see cref="Gate"/>.</summary>
    public CommandBuffer Begin()
    {
        Api.ResetCommandPool(device, pool, 0).ThrowIfFailed("vkResetCommandPool", Info.Name);
        CommandBufferBeginInfo begin = new() { SType = StructureType.CommandBufferBeginInfo, Flags = CommandBufferUsageFlags.OneTimeSubmitBit };
        Api.BeginCommandBuffer(commands, in begin).ThrowIfFailed("vkBeginCommandBuffer", Info.Name);
        return commands;
    }

    /// <summary>What the first stage wrote, the second sees; what the first read, the second may overwrite.</summary>
    public void Barrier(PipelineStageFlags from, AccessFlags written, PipelineStageFlags to, AccessFlags used)
    {
        MemoryBarrier barrier = new() { SType = StructureType.MemoryBarrier, SrcAccessMask = written, DstAccessMask = used };
        Api.CmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, null, 0, null);
    }

    /// <summary>Runs the list and waits until the device has done all of it and the host sees what it wrote.</summary>
    public void SubmitAndWait()
    {
        const PipelineStageFlags Work = PipelineStageFlags.ComputeShaderBit | PipelineStageFlags.TransferBit;
        Barrier(Work, AccessFlags.ShaderWriteBit | AccessFlags.TransferWriteBit, Work | PipelineStageFlags.HostBit,
            AccessFlags.ShaderReadBit | AccessFlags.ShaderWriteBit | AccessFlags.TransferReadBit | AccessFlags.TransferWriteBit | AccessFlags.HostReadBit);
        Api.EndCommandBuffer(commands).ThrowIfFailed("vkEndCommandBuffer", Info.Name);
        CommandBuffer list = commands;
        SubmitInfo submit = new() { SType = StructureType.SubmitInfo, CommandBufferCount = 1, PCommandBuffers = &list };
        Api.QueueSubmit(queue, 1, in submit, fence).ThrowIfFailed("vkQueueSubmit", Info.Name);
        // A device that hangs is reset by its driver, and then lost; until then its memory is in use and nothing can be freed.
        Api.WaitForFences(device, 1, in fence, true, ulong.MaxValue).ThrowIfFailed("vkWaitForFences", Info.Name);
        Api.ResetFences(device, 1, in fence).ThrowIfFailed("vkResetFences", Info.Name);
    }

    /// <summary>Closes the device. Buffers are disposed before.</summary>
    public void Dispose()
    {
        if (device.Handle != 0)
        {
            Api.DestroyFence(device, fence, null);
            Api.DestroyCommandPool(device, pool, null);
            Api.DestroyDevice(device, null);
        }
        instance.Dispose();
    }
}
