using ComputeSharp;
using LfrEngine.Memory;

namespace LfrEngine.DirectX.Devices;

/// <summary>A typed block of device memory for biometric data, with its staging. One holder; that holder's <see cref="Dispose"/> clears all of it and gives it back.</summary>
/// <typeparam name="T">Unmanaged element.</typeparam>
/// <remarks>
/// Contents are zero at first. Staging lies in memory that the GPU reads and writes over the bus; it is wiped as soon as it has been copied. All
/// members but <see cref="Dispose"/> are for work inside <see cref="GpuContext.Use{T}"/>. When the device is lost, the contents are lost too, and the
/// next use starts with zeros on the new one.
/// </remarks>
internal sealed class GpuBuffer<T> : IDisposable, IDeviceResident, IClearable
    where T : unmanaged
{
    private readonly GpuContext context;
    private ReadWriteBuffer<T>? device;
    private UploadBuffer<T>? upload;
    private ReadBackBuffer<T>? readBack;
    private bool disposed;

    /// <summary>Prepares a buffer; memory is taken at the first use.</summary>
    /// <param name="context">Borrowed.</param>
    /// <param name="length">Elements, 1 or more.</param>
    public GpuBuffer(GpuContext context, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        this.context = context;
        Length = length;
        context.Register(this);
        DeviceMemory.CountTaken();
    }

    public int Length { get; }

    public ResidentLayer Layer => ResidentLayer.Buffer;

    /// <summary>The memory on the present device.</summary>
    public ReadWriteBuffer<T> On(GpuDevice gpu)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return device ??= gpu.Graphics.AllocateReadWriteBuffer<T>(Length, AllocationMode.Clear);
    }

    /// <summary>Fills the beginning of the buffer from host memory; the rest stays.</summary>
    public void Upload(GpuDevice gpu, ReadOnlySpan<T> source)
    {
        source.CopyTo(Stage(gpu));
        Upload(gpu, source.Length);
    }

    /// <summary>Staging to be filled before <see cref="Upload(GpuDevice, int)"/>.</summary>
    public Span<T> Stage(GpuDevice gpu)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        upload ??= gpu.Graphics.AllocateUploadBuffer<T>(Length);
        return upload.Span;
    }

    /// <summary>Copies the beginning of the staging, and wipes it.</summary>
    /// <param name="gpu">The present device.</param>
    /// <param name="count">Elements; nothing was staged beyond them.</param>
    public void Upload(GpuDevice gpu, int count)
    {
        UploadBuffer<T> staged = upload ?? throw new InvalidOperationException("Nothing was staged.");
        gpu.CountCopy(0);
        staged.CopyTo(On(gpu), 0, 0, count);
        staged.Span[..count].Clear();
    }

    /// <summary>Copies a part of the buffer to host memory, and nothing else of it.</summary>
    /// <param name="gpu">The present device.</param>
    /// <param name="destination">Its length says how much. Borrowed.</param>
    /// <param name="first">Where the part begins, elements.</param>
    public unsafe void Read(GpuDevice gpu, Span<T> destination, int first = 0)
    {
        if (destination.IsEmpty)
            return;
        ReadWriteBuffer<T> source = On(gpu);
        if (readBack is null || readBack.Length < destination.Length)
        {
            // Wiped after every use.
            readBack?.Dispose();
            readBack = gpu.Graphics.AllocateReadBackBuffer<T>(destination.Length);
        }
        gpu.CountCopy((long)destination.Length * sizeof(T));
        source.CopyTo(readBack, first, 0, destination.Length);
        readBack.Span[..destination.Length].CopyTo(destination);
        readBack.Span[..destination.Length].Clear();
    }

    /// <summary>What the last reading passed through.</summary>
    internal Span<T> ReadBackSpan => readBack is null ? [] : readBack.Span;

    public void RecordClear(in ComputeContext list)
    {
        if (device is not null)
            list.Clear(device);
    }

    public unsafe void CountCleared()
    {
        if (device is not null)
            DeviceMemory.CountWiped((long)Length * sizeof(T));
    }

    public void LeaveDevice(GpuDevice? alive)
    {
        if (alive is null && device is not null)
            DeviceMemory.CountLost();
        else if (device is not null)
            alive!.Clear(this);
        device?.Dispose();
        // Host memory outlives the device it was for.
        upload?.Span.Clear();
        upload?.Dispose();
        readBack?.Span.Clear();
        readBack?.Dispose();
        device = null;
        upload = null;
        readBack = null;
    }

    public void Dispose()
    {
        if (disposed)
            return;
        try
        {
            context.Use(LeaveDevice);
        }
        catch (GpuException)
        {
            // The device went first, and this with it: LeaveDevice has been called.
        }
        catch (ObjectDisposedException)
        {
            // The context went first, likewise.
        }
        disposed = true;
        context.Unregister(this);
        DeviceMemory.CountReturned();
    }
}
