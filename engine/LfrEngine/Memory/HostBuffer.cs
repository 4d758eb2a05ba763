using System.Runtime.CompilerServices;
using LfrEngine.Pipeline;

namespace LfrEngine.Memory;

/// <summary>A typed block of locked host memory for biometric data. It has one owner, whose <see cref="Dispose"/> wipes and returns it.</summary>
/// <typeparam name="T">Unmanaged element.</typeparam>
/// <remarks>Rented from <see cref="BufferPool"/>. Contents are zero when rented.</remarks>
public sealed unsafe class HostBuffer<T> : IDisposable
    where T : unmanaged
{
    private BufferPool.Block? block;

    internal HostBuffer(BufferPool.Block block, int length)
    {
        this.block = block;
        Length = length;
    }

    /// <summary>Elements rented.</summary>
    public int Length { get; }

    /// <summary>First element; valid until <see cref="Dispose"/>, 64-byte aligned.</summary>
    public T* Pointer
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ObjectDisposedException.ThrowIf(block is null, this);
            return (T*)block.Address;
        }
    }

    /// <summary>All elements; borrowed until <see cref="Dispose"/>.</summary>
    public Span<T> Span => new(Pointer, Length);

    /// <summary>Wipes the contents and keeps the block.</summary>
    public void Wipe()
    {
        using (StageClock.Time(PipelineStage.Wipe))
            Native.Memory.LockedMemory.Wipe(Pointer, (nuint)Length * (nuint)sizeof(T));
    }

    /// <summary>Wipes and returns the block. Safe to call twice.</summary>
    public void Dispose()
    {
        BufferPool.Block? owned = Interlocked.Exchange(ref block, null);
        if (owned is not null)
            BufferPool.Return(owned, (nuint)Length * (nuint)sizeof(T));
    }
}
