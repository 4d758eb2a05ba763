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
