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
internal sealed class GpuBuffer<T> : IDisposable, IDeviceResident
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

    /// <summary>Fills the beginning of the buffer from host memory.</summary>
    public void Upload(GpuDevice gpu, ReadOnlySpan<T> source)
    {
        source.CopyTo(Stage(gpu));
        Upload(gpu);
    }

    /// <summary>Staging to be filled before <see cref="Upload(GpuDevice)"/>.</summary>
    public Span<T> Stage(GpuDevice gpu)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        upload ??= gpu.Graphics.AllocateUploadBuffer<T>(Length);
        return upload.Span;
    }

    /// <summary>Copies the staging, all of it, and wipes it.</summary>
    public void Upload(GpuDevice gpu)
    {
        UploadBuffer<T> staged = upload ?? throw new InvalidOperationException("Nothing was staged.");
        staged.CopyTo(On(gpu));
        staged.Span.Clear();
    }

    /// <summary>Copies the beginning of the buffer to host memory.</summary>
    public void Read(GpuDevice gpu, Span<T> destination)
    {
        ReadWriteBuffer<T> source = On(gpu);
        readBack ??= gpu.Graphics.AllocateReadBackBuffer<T>(Length);
        source.CopyTo(readBack);
        readBack.Span[..destination.Length].CopyTo(destination);
        readBack.Span.Clear();
    }

    /// <summary>What the last reading passed through.</summary>
    internal Span<T> ReadBackSpan => readBack is null ? [] : readBack.Span;

    /// <summary>Sets every element to zero on the device, and returns when that is done.</summary>
    public unsafe void Clear(GpuDevice gpu)
    {
        if (device is null)
            return;
        // The context waits for the GPU when it is disposed; only then is the wipe counted.
        using (ComputeContext recording = gpu.Graphics.CreateComputeContext())
            recording.Clear(device);
        DeviceMemory.CountWiped((long)Length * sizeof(T));
    }

    public void LeaveDevice(GpuDevice? alive)
    {
        if (alive is not null)
            Clear(alive);
        else if (device is not null)
            DeviceMemory.CountLost();
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
