using ComputeSharp;
using ComputeSharp.Interop;
using LfrEngine.DirectX.Inference;
using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Devices;

/// <summary>One Direct3D 12 device from its making to its loss: ComputeSharp's view of it, and ours for what ComputeSharp does not do.</summary>
internal sealed unsafe class GpuDevice : IDisposable
{
    private readonly ID3D12Device* native;
    private CommandQueue? queue;
    private DirectMlDevice? directMl;
    private volatile int lossStatus;
    private bool disposed;

    public GpuDevice(GraphicsDevice graphics)
    {
        Graphics = graphics;
        graphics.DeviceLost += OnLost;
        Guid id = ID3D12Device.Guid;
        ID3D12Device* found;
        // Stand-ins have none; Native reports that to the caller.
        if (InteropServices.TryGetID3D12Device(graphics, &id, (void**)&found) >= 0)
            native = found;
    }

    public GraphicsDevice Graphics { get; }

    /// <exception cref="GpuException">This build has no Direct3D 12.</exception>
    public ID3D12Device* Native => native != null ? native : throw new GpuException("This build has no Direct3D 12.");

    /// <summary>Our queue, which is DirectML's too; made at first use.</summary>
    public CommandQueue Queue => queue ??= new CommandQueue(Native);

    /// <summary>DirectML on this device; made at first use.</summary>
    public DirectMlDevice DirectMl => directMl ??= new DirectMlDevice(Native, Queue);

    /// <summary>Whether the device was lost. ComputeSharp reports it late, on the thread pool; the device itself at once.</summary>
    public bool IsLost
    {
        get
        {
            if (lossStatus == 0 && !disposed && native != null)
                lossStatus = Math.Min(0, native->GetDeviceRemovedReason());
            return lossStatus != 0;
        }
    }

    public string LossReason => HResult.Describe(lossStatus);

    /// <summary>Bytes that came back to the processor.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Lists that were handed to the GPU and waited for.</summary>
    public long Submissions { get; private set; }

    /// <summary>Does everything recorded as one list, and returns when it is done.</summary>
    public void Submit(Recording record)
    {
        Submissions++;
        // The context hands its list over and waits when it is disposed.
        using ComputeContext list = Graphics.CreateComputeContext();
        record(in list);
    }

    /// <summary>Sets every element of these buffers to zero, in one list, and returns when that is done.</summary>
    public void Clear(params ReadOnlySpan<IClearable?> buffers)
    {
        Submissions++;
        using (ComputeContext list = Graphics.CreateComputeContext())
        {
            foreach (IClearable? buffer in buffers)
                buffer?.RecordClear(in list);
        }
        // Only now: what has not been done is not counted.
        foreach (IClearable? buffer in buffers)
            buffer?.CountCleared();
    }

    /// <summary>Counts a copy to or from the GPU, which ComputeSharp does in a list of its own.</summary>
    /// <param name="bytesRead">What came back; 0 for a copy to the GPU.</param>
    public void CountCopy(long bytesRead)
    {
        Submissions++;
        BytesRead += bytesRead;
    }

    public void Dispose()
    {
        disposed = true;
        Graphics.DeviceLost -= OnLost;
        directMl?.Dispose();
        queue?.Dispose();
        ComPointer.Release(native);
        Graphics.Dispose();
    }

    // The values of the enum are those of the HRESULTs.
    private void OnLost(object? sender, DeviceLostEventArgs e) => lossStatus = (int)e.Reason;
}

/// <summary>Work for one list. Between two steps of which the second reads or writes what the first wrote lies a barrier.</summary>
internal delegate void Recording(in ComputeContext list);

/// <summary>Device memory that can be set to zero together with other.</summary>
internal interface IClearable
{
    /// <summary>Adds the clearing to a list.</summary>
    void RecordClear(in ComputeContext list);

    /// <summary>The list has been done.</summary>
    void CountCleared();
}
