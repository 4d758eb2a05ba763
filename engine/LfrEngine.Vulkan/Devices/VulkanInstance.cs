using Silk.NET.Core.Native;
using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Devices;

/// <summary>The loader and its drivers.</summary>
internal sealed unsafe class VulkanInstance : IDisposable
{
    // 1.1 is needed for the largest allocation size (VkPhysicalDeviceMaintenance3Properties).
    private static readonly uint Needed = Vk.Version11;

    private const string Remedy = "Install your graphics card's Vulkan driver, or Debian's mesa-vulkan-drivers and libvulkan1; `lfr doctor` lists the devices. `--search simd` needs no device.";

    private readonly Instance instance;

    public VulkanInstance()
    {
        try
        {
            Api = Vk.GetApi();
        }
        catch (Exception e) when (e is FileNotFoundException or DllNotFoundException)
        {
            throw new VulkanException(VulkanFailure.Unavailable, $"This machine has no Vulkan loader. {Remedy}", e);
        }
        ApplicationInfo application = new() { SType = StructureType.ApplicationInfo, ApiVersion = Needed };
        InstanceCreateInfo create = new() { SType = StructureType.InstanceCreateInfo, PApplicationInfo = &application };
        Result result = Api.CreateInstance(in create, null, out instance);
        if (result != Result.Success)
        {
            Api.Dispose();
            throw new VulkanException(VulkanFailure.Unavailable, $"The Vulkan loader found no driver that works here ({result}). {Remedy}");
        }
    }

    public Vk Api { get; }

    /// <summary>What the loader offers, in its order.</summary>
    public (PhysicalDevice Physical, VulkanDevice Device)[] Devices()
    {
        uint count = 0;
        Api.EnumeratePhysicalDevices(instance, &count, null).ThrowIfFailed("vkEnumeratePhysicalDevices", "(all)");
        var handles = new PhysicalDevice[count];
        fixed (PhysicalDevice* first = handles)
            Api.EnumeratePhysicalDevices(instance, &count, first).ThrowIfFailed("vkEnumeratePhysicalDevices", "(all)");
        return [.. handles.Take((int)count).Select((physical, index) => (physical, Describe(physical, index)))];
    }

    /// <summary>Finds the device that somebody named.</summary>
    /// <param name="wanted">An index, or a part of the name in any case; null takes the best there is.</param>
    /// <exception cref="VulkanException"><see cref="VulkanFailure.Unavailable"/>: none, or not this one; the message lists what there is.</exception>
    public (PhysicalDevice Physical, VulkanDevice Device) Find(string? wanted)
    {
        (PhysicalDevice Physical, VulkanDevice Device)[] all = Devices();
        if (all.Length == 0)
            throw new VulkanException(VulkanFailure.Unavailable, $"Vulkan finds no device on this machine. {Remedy}");
        string there = string.Join(", ", all.Select(d => $"{d.Device.Index} \"{d.Device.Name}\"{(d.Device.Problem is null ? "" : $" (cannot be used: {d.Device.Problem})")}"));
        (PhysicalDevice Physical, VulkanDevice Device)[] found = wanted is null ? all
            : int.TryParse(wanted, out int index) ? [.. all.Where(d => d.Device.Index == index)]
            : [.. all.Where(d => d.Device.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase))];
        (PhysicalDevice Physical, VulkanDevice Device)[] usable = [.. found.Where(d => d.Device.Problem is null).OrderBy(d => d.Device.Kind).ThenBy(d => d.Device.Index)];
        return usable.Length > 0
            ? usable[0]
            : throw new VulkanException(VulkanFailure.Unavailable, $"No usable Vulkan device{(wanted is null ? "" : $" \"{wanted}\"")}. Devices: {there}.");
    }

    public void Dispose()
    {
        Api.DestroyInstance(instance, null);
        Api.Dispose();
    }

    private VulkanDevice Describe(PhysicalDevice physical, int index)
    {
        PhysicalDeviceProperties properties = Api.GetPhysicalDeviceProperties(physical);
        PhysicalDeviceMemoryProperties memory = Api.GetPhysicalDeviceMemoryProperties(physical);
        ulong largest = 0;
        for (int i = 0; i < memory.MemoryHeapCount; i++)
        {
            if (memory.MemoryHeaps[i].Flags.HasFlag(MemoryHeapFlags.DeviceLocalBit))
                largest = Math.Max(largest, memory.MemoryHeaps[i].Size);
        }
        VulkanDeviceKind kind = properties.DeviceType switch
        {
            PhysicalDeviceType.DiscreteGpu => VulkanDeviceKind.Discrete,
            PhysicalDeviceType.IntegratedGpu => VulkanDeviceKind.Integrated,
            PhysicalDeviceType.VirtualGpu => VulkanDeviceKind.Virtual,
            PhysicalDeviceType.Cpu => VulkanDeviceKind.Processor,
            _ => VulkanDeviceKind.Other,
        };
        var version = new Version((int)((properties.ApiVersion >> 22) & 0x7F), (int)((properties.ApiVersion >> 12) & 0x3FF), (int)(properties.ApiVersion & 0xFFF));
        return new VulkanDevice(index, SilkMarshal.PtrToString((nint)properties.DeviceName) ?? "?", kind, version, largest, FindProblem(physical, properties));
    }

    // What Vulkan does not promise of every device, and the shaders need.
    private string? FindProblem(PhysicalDevice physical, in PhysicalDeviceProperties properties)
    {
        PhysicalDeviceLimits limits = properties.Limits;
        return properties.ApiVersion < Needed ? "its driver is older than Vulkan 1.1"
            : limits.MaxComputeWorkGroupInvocations < VulkanContext.Invocations ? $"it runs fewer than {VulkanContext.Invocations} invocations in a workgroup"
            : limits.MaxPerStageDescriptorStorageBuffers < VulkanContext.StorageBuffers ? $"it binds fewer than {VulkanContext.StorageBuffers} storage buffers"
            : VulkanContext.FindQueueFamily(Api, physical) is null ? "it has no compute queue"
            : null;
    }
}
