using ComputeSharp;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;

namespace LfrEngine.DirectX.Decoding;

/// <summary>A region of a frame that stays on the device until somebody looks at it, or is cleared there unseen. Thread-safe like its context; one holder.</summary>
internal sealed unsafe class KeptRegion : IKeptRegion
{
    private readonly FrameStore store;
    private readonly GpuBuffer<float> buffer;
    private bool disposed;

    public KeptRegion(FrameStore store, int length)
    {
        this.store = store;
        buffer = store.Context.Use(_ => store.Regions.Take(length));
    }

    public ReadWriteBuffer<float> On(GpuDevice gpu) => buffer.On(gpu);

    public void Read(float* planes)
    {
        new Span<float>(planes, buffer.Length).Clear();
        try
        {
            // On another device than it was cut on it is zeros.
            store.Context.Use(gpu => buffer.Read(gpu, new Span<float>(planes, buffer.Length)));
        }
        catch (DeviceLostException)
        {
            // Gone with the device.
        }
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        store.Regions.Release(buffer);
    }
}
