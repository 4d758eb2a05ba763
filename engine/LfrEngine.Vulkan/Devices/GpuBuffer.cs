using LfrEngine.Native.Memory;
using Silk.NET.Vulkan;
using Buffer = Silk.NET.Vulkan.Buffer;
using DeviceMemory = Silk.NET.Vulkan.DeviceMemory;
// Vulkan's own DeviceMemory is the memory; this counts it.
using DeviceMemoryCount = LfrEngine.Memory.DeviceMemory;

namespace LfrEngine.Vulkan.Devices;

/// <summary>Memory of a buffer and its access.</summary>
internal enum GpuMemory
{
    /// <summary>The device's own memory: the host does not see it.</summary>
    Device,

    /// <summary>The host's memory, written by the host and copied from by the device.</summary>
    Upload,

    /// <summary>The host's memory, copied to by the device and read by the host.</summary>
    Readback,
}

/// <summary>A typed block of a device's memory, or of host memory that the device copies from and to. One holder; that holder's <see cref="Dispose"/> wipes it and gives it back.</summary>
/// <typeparam name="T">Unmanaged element.</typeparam>
/// <remarks>Contents are zero when created: the wipe that ends a use begins the next. Counted in <see cref="DeviceMemoryCount"/>.</remarks>
internal sealed unsafe class GpuBuffer<T> : IDisposable
    where T : unmanaged
{
    private readonly VulkanContext context;
    private DeviceMemory memory;
    private Buffer buffer;
    private T* mapped;
    private bool counted;

    /// <param name="context">Outlives the buffer.</param>
    /// <param name="length">Elements, at least 1; together a multiple of 4 bytes.</param>
    /// <param name="place">Where.</param>
    public GpuBuffer(VulkanContext context, long length, GpuMemory place)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        this.context = context;
        Length = length;
        Bytes = (ulong)length * (ulong)sizeof(T);
        ArgumentOutOfRangeException.ThrowIfNotEqual(Bytes % sizeof(uint), 0ul);
        try
        {
            BufferCreateInfo create = new()
            {
                SType = StructureType.BufferCreateInfo,
                Size = Bytes,
                Usage = BufferUsageFlags.TransferSrcBit | BufferUsageFlags.TransferDstBit | (place == GpuMemory.Device ? BufferUsageFlags.StorageBufferBit : 0),
            };
            context.Api.CreateBuffer(context.Device, in create, null, out buffer).ThrowIfFailed("vkCreateBuffer", context.Info.Name, Bytes);
            context.Api.GetBufferMemoryRequirements(context.Device, buffer, out MemoryRequirements needs);
            (MemoryPropertyFlags needed, MemoryPropertyFlags preferred) = place switch
            {
                GpuMemory.Device => (MemoryPropertyFlags.None, MemoryPropertyFlags.DeviceLocalBit),
                GpuMemory.Upload => (MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit, MemoryPropertyFlags.None),
                _ => (MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit, MemoryPropertyFlags.HostCachedBit),
            };
            MemoryAllocateInfo allocate = new()
            {
                SType = StructureType.MemoryAllocateInfo,
                AllocationSize = needs.Size,
                MemoryTypeIndex = context.FindMemoryType(needs.MemoryTypeBits, needed, preferred),
            };
            context.Api.AllocateMemory(context.Device, in allocate, null, out memory).ThrowIfFailed("vkAllocateMemory", context.Info.Name, needs.Size);
            context.Api.BindBufferMemory(context.Device, buffer, memory, 0).ThrowIfFailed("vkBindBufferMemory", context.Info.Name, Bytes);
            DeviceMemoryCount.CountTaken();
            counted = true;
            if (place != GpuMemory.Device)
            {
                void* address;
                context.Api.MapMemory(context.Device, memory, 0, Vk.WholeSize, 0, &address).ThrowIfFailed("vkMapMemory", context.Info.Name, Bytes);
                mapped = (T*)address;
            }
            Wipe();
        }
        catch
        {
            Free();
            throw;
        }
    }

    public long Length { get; }

    public ulong Bytes { get; }

    /// <summary>For commands and descriptors.</summary>
    public Buffer Handle => buffer;

    /// <summary>First element, in host memory only; not for random access: it may be slow to read.</summary>
    public T* Mapped => mapped != null ? mapped : throw new InvalidOperationException("This buffer is in the device's memory and is not mapped.");

    /// <summary>Copies the first bytes into another buffer, as a command.</summary>
    public void CopyTo(CommandBuffer commands, GpuBuffer<T> target, ulong targetOffset, ulong bytes)
    {
        BufferCopy region = new() { DstOffset = targetOffset, Size = bytes };
        context.Api.CmdCopyBuffer(commands, buffer, target.Handle, 1, &region);
    }

    /// <summary>Overwrites the first bytes with zeros, as a command.</summary>
    public void Fill(CommandBuffer commands, ulong bytes = Vk.WholeSize) => context.Api.CmdFillBuffer(commands, buffer, 0, bytes, 0);

    /// <summary>Overwrites all of it with zeros, on the device, before returning.</summary>
    public void Wipe()
    {
        if (mapped != null)
        {
            LockedMemory.Wipe(mapped, (nuint)Bytes);
        }
        else
        {
            lock (context.Gate)
            {
                Fill(context.Begin());
                context.SubmitAndWait();
            }
        }
        DeviceMemoryCount.CountWiped((long)Bytes);
    }

    /// <summary>Wipes the contents and gives the memory back. Safe to call twice.</summary>
    public void Dispose()
    {
        if (memory.Handle == 0)
            return;
        try
        {
            Wipe();
        }
        catch (VulkanException e) when (e.Reason == VulkanFailure.DeviceLost)
        {
            // Nothing can reach that memory any more, not even this process; its owner already knows.
            DeviceMemoryCount.CountLost();
        }
        finally
        {
            Free();
        }
    }

    private void Free()
    {
        if (mapped != null)
            context.Api.UnmapMemory(context.Device, memory);
        if (counted)
            DeviceMemoryCount.CountReturned();
        counted = false;
        context.Api.DestroyBuffer(context.Device, buffer, null);
        context.Api.FreeMemory(context.Device, memory, null);
        mapped = null;
        (buffer, memory) = (default, default);
    }
}
