using System.Buffers;
using LfrEngine.Memory;

namespace LfrEngine.Watchlists;

/// <summary>A growing list in locked memory; every replaced block is wiped. Used by one thread.</summary>
internal sealed class GrowingBuffer<T>(int capacity = 256) : IDisposable
    where T : unmanaged
{
    private HostBuffer<T>? storage = BufferPool.Rent<T>(capacity);

    public int Count { get; private set; }

    public ReadOnlySpan<T> Written => Items;

    /// <summary>The same, to be changed in place.</summary>
    internal Span<T> Items => Storage.Span[..Count];

    /// <summary>Everything after <see cref="Written"/>.</summary>
    internal Span<T> Free => Storage.Span[Count..];

    private HostBuffer<T> Storage
    {
        get
        {
            ObjectDisposedException.ThrowIf(storage is null, this);
            return storage;
        }
    }

    public void Append(ReadOnlySpan<T> items)
    {
        Reserve(items.Length);
        items.CopyTo(Free);
        Count += items.Length;
    }

    /// <summary>Ensures space for more elements.</summary>
    public void Reserve(int extra)
    {
        int needed = checked(Count + extra);
        if (needed <= Storage.Length)
            return;
        HostBuffer<T> larger = BufferPool.Rent<T>((int)Math.Max(needed, Math.Min(Storage.Length * 2L, Array.MaxLength)));
        Written.CopyTo(larger.Span);
        Storage.Dispose();
        storage = larger;
    }

    internal void Advance(int written)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)written, (uint)(Storage.Length - Count));
        Count += written;
    }

    /// <summary>Wipes what was added after the first elements.</summary>
    internal void CutTo(int count)
    {
        Items[count..].Clear();
        Count = count;
    }

    /// <summary>Transfers ownership of the block to the caller; it may be longer than <see cref="Count"/>.</summary>
    public HostBuffer<T> Detach()
    {
        HostBuffer<T> owned = Storage;
        storage = null;
        return owned;
    }

    public void Dispose()
    {
        storage?.Dispose();
        storage = null;
    }
}

/// <summary>Lets a JSON writer write directly into locked memory.</summary>
internal sealed class GrowingBufferWriter(GrowingBuffer<byte> buffer) : IBufferWriter<byte>
{
    private const int LeastBytes = 4096;

    public void Advance(int count) => buffer.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0) => new FreeSpace(buffer, GetSpan(sizeHint).Length).Memory;

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        buffer.Reserve(Math.Max(sizeHint, LeastBytes));
        return buffer.Free;
    }

    private sealed unsafe class FreeSpace(GrowingBuffer<byte> buffer, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => buffer.Free[..length];

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            // Native memory: it never moves.
            fixed (byte* first = GetSpan()[elementIndex..])
                return new MemoryHandle(first);
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
