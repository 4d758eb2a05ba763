using ComputeSharp;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;

namespace LfrEngine.DirectX.Decoding;

/// <summary>A region of a frame that stays on the device until somebody looks at it, or is cleared there unseen. Thread-safe like its context; one holder.</summary>
/// <param name="context">Borrowed.</param>
/// <param name="pool">Where its buffer comes from and goes back to.</param>
/// <param name="length">Elements that can be read back.</param>
/// <param name="scratch">Further elements.</param>
internal unsafe class KeptRegion(GpuContext context, ClearedBuffers<float> pool, int length, int scratch = 0) : IKeptRegion
{
    private readonly GpuBuffer<float> buffer = context.Use(_ => pool.Take(length + scratch));
    private bool disposed;

    public GpuContext Context => context;

    public ReadWriteBuffer<float> On(GpuDevice gpu) => buffer.On(gpu);

    public void Read(float* planes) => Read(planes, 0, length);

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        pool.Release(buffer);
    }

    /// <summary>Reads a part back; zeros on another device than it was filled on.</summary>
    protected void Read(float* destination, int first, int count)
    {
        new Span<float>(destination, count).Clear();
        try
        {
            context.Use(gpu => buffer.Read(gpu, new Span<float>(destination, count), first));
        }
        catch (DeviceLostException)
        {
            // Gone with the device.
        }
    }
}
