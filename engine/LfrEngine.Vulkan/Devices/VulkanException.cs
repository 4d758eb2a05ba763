using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Devices;

/// <summary>Reason for a failure of Vulkan.</summary>
public enum VulkanFailure
{
    /// <summary>No Vulkan loader, no driver, or no device as wanted.</summary>
    Unavailable,

    /// <summary>The device, or the machine, has not enough memory for the gallery.</summary>
    OutOfMemory,

    /// <summary>The device stopped: reset by its driver, unplugged, or asleep. What lay in its memory is out of reach.</summary>
    DeviceLost,

    /// <summary>A call failed that should not.</summary>
    CallFailed,
}

/// <summary>A Vulkan call failed; the message names the device and says what to do.</summary>
public sealed class VulkanException : Exception
{
    /// <summary>Creates the exception.</summary>
    public VulkanException(VulkanFailure reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>What went wrong.</summary>
    public VulkanFailure Reason { get; }
}

internal static class VulkanResults
{
    /// <summary>Throws the exception that a failed call means to the caller of the engine.</summary>
    /// <param name="result">What the call returned.</param>
    /// <param name="call">Name of the Vulkan function.</param>
    /// <param name="device">Name of the device.</param>
    /// <param name="bytes">What the call was to allocate, if anything.</param>
    public static void ThrowIfFailed(this Result result, string call, string device, ulong bytes = 0)
    {
        if (result >= Result.Success)
            return;
        throw result switch
        {
            Result.ErrorDeviceLost => new VulkanException(VulkanFailure.DeviceLost,
                $"The Vulkan device \"{device}\" was lost in {call}: its driver reset it, or it was removed. Start again, or search on the processor (--search simd)."),
            Result.ErrorOutOfDeviceMemory or Result.ErrorOutOfHostMemory or Result.ErrorTooManyObjects => new VulkanException(VulkanFailure.OutOfMemory,
                $"The Vulkan device \"{device}\" is out of memory in {call}{(bytes > 0 ? $" for {bytes} bytes ({bytes >> 20} MiB)" : "")}: {result}. Use a smaller watchlist, another device, or the processor (--search simd)."),
            _ => new VulkanException(VulkanFailure.CallFailed, $"{call} failed on the Vulkan device \"{device}\": {result}."),
        };
    }
}
