namespace LfrEngine.DirectX.Devices;

/// <summary>Buffers that are cleared when a use ends and then used again.</summary>
/// <remarks><see cref="Take"/> and <see cref="Dispose"/> are for work inside <see cref="GpuContext.Use{T}"/>. Dispose it after its last use.</remarks>
internal sealed class ClearedBuffers<T>(GpuContext context) : IDisposable
    where T : unmanaged
{
    private const int MostKept = 8;

    private readonly Stack<GpuBuffer<T>> free = new();

    /// <summary>An all-zero buffer of this length; <see cref="Release"/> takes it back.</summary>
    public GpuBuffer<T> Take(int length)
    {
        while (free.TryPop(out GpuBuffer<T>? kept))
        {
            if (kept.Length == length)
                return kept;
            // Another camera's size, or the picture changed: sizes that are used come back.
            kept.Dispose();
        }
        return new GpuBuffer<T>(context, length);
    }

    /// <summary>Clears a buffer and takes it back.</summary>
    public void Release(GpuBuffer<T> buffer)
    {
        try
        {
            context.Use(gpu =>
            {
                gpu.Clear(buffer);
                Keep(buffer);
            });
        }
        catch (DeviceLostException)
        {
            // Gone with the device; the buffer starts empty on the next one.
            context.Use(_ => Keep(buffer));
        }
    }

    public void Dispose()
    {
        while (free.TryPop(out GpuBuffer<T>? kept))
            kept.Dispose();
    }

    private void Keep(GpuBuffer<T> buffer)
    {
        if (free.Count < MostKept)
            free.Push(buffer);
        else
            buffer.Dispose();
    }
}
