namespace LfrEngine.Vulkan.Devices;

/// <summary>What kind of device, in the order in which one is chosen when none is named.</summary>
public enum VulkanDeviceKind
{
    /// <summary>A graphics card with its own memory.</summary>
    Discrete,

    /// <summary>A graphics processor that shares the machine's memory.</summary>
    Integrated,

    /// <summary>A share of somebody's graphics card.</summary>
    Virtual,

    /// <summary>A driver that computes on the processor, such as Mesa's llvmpipe: correct, but slower than the engine's own search.</summary>
    Processor,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>A device that the Vulkan loader offers.</summary>
/// <param name="Index">Its place in the loader's list; names a device where several have one name.</param>
/// <param name="Name">As the driver calls it.</param>
/// <param name="Kind">What kind of device.</param>
/// <param name="ApiVersion">Vulkan version of its driver.</param>
/// <param name="MemoryBytes">Its largest heap of local memory.</param>
/// <param name="Problem">Why it cannot search; null when it can.</param>
public sealed record VulkanDevice(int Index, string Name, VulkanDeviceKind Kind, Version ApiVersion, ulong MemoryBytes, string? Problem)
{
    /// <summary>The devices of this machine, in the loader's order; empty when drivers are installed but find nothing.</summary>
    /// <exception cref="VulkanException"><see cref="VulkanFailure.Unavailable"/>: no loader, or no driver; the message says what to install.</exception>
    public static IReadOnlyList<VulkanDevice> List()
    {
        using var instance = new VulkanInstance();
        return [.. instance.Devices().Select(d => d.Device)];
    }
}
