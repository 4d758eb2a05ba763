using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Memory;

/// <summary>The only source of memory for biometric data: size classes of locked blocks, wiped on return and counted while rented.</summary>
/// <remarks>Process-wide, because it proves a property of the process (nothing outstanding). Thread-safe.</remarks>
public static class BufferPool
{
    // Powers of two from one page; larger requests take whole pages of their own and are not kept.
    private const int SmallestClassBits = 12;
    private const int LargestKeptBits = 26;

    private static readonly Stack<Block>[] Free = CreateClasses();
    private static long outstandingBlocks;

    // What Complete would have to return, and how many calls of it are under way on this thread.
    [ThreadStatic]
    private static List<IDisposable>? unfinished;

    [ThreadStatic]
    private static int completing;

    private static long wipedBlocks;
    private static long wipedBytes;

    /// <summary>Blocks rented and not yet returned.</summary>
    public static long OutstandingBlocks => Volatile.Read(ref outstandingBlocks);

    /// <summary>Blocks wiped since the process began.</summary>
    public static long WipedBlocks => Volatile.Read(ref wipedBlocks);

    /// <summary>Bytes wiped since the process began.</summary>
    public static long WipedBytes => Volatile.Read(ref wipedBytes);

    /// <summary>Rents a zeroed block; the caller owns it.</summary>
    /// <param name="length">Elements, 0 or more.</param>
    public static unsafe HostBuffer<T> Rent<T>(int length)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Block block = Take((nuint)Math.Max(length, 1) * (nuint)sizeof(T));
        var rented = new HostBuffer<T>(block, length);
        if (completing > 0)
            unfinished!.Add(rented);
        return rented;
    }

    /// <summary>Makes an object that rents several buffers: when it cannot be completed, those that it rented on this thread are wiped and returned.</summary>
    /// <param name="make">Makes it; buffers that it stores elsewhere are returned, too.</param>
    public static T Complete<T>(Func<T> make)
    {
        unfinished ??= [];
        int before = unfinished.Count;
        completing++;
        try
        {
            return make();
        }
        catch
        {
            for (int i = before; i < unfinished.Count; i++)
                unfinished[i].Dispose();
            unfinished.RemoveRange(before, unfinished.Count - before);
            throw;
        }
        finally
        {
            if (--completing == 0)
                unfinished.Clear();
        }
    }

    /// <summary>Takes a zeroed block; release it with <see cref="Return"/>.</summary>
    internal static Block Take(nuint bytes)
    {
        Block taken = TakeKept(bytes);
        Interlocked.Increment(ref outstandingBlocks);
        return taken;
    }

    /// <summary>Takes a zeroed block even if it passes the limit of the process, or the operating system refuses; <see cref="Return"/> gives it back.</summary>
    internal static Block TakeBeyondTheLimit(nuint bytes, out bool refused)
    {
        nint address = LockedMemory.AllocateBeyondTheLimit(bytes, out bool locked, out refused);
        Interlocked.Increment(ref outstandingBlocks);
        return new Block(address, bytes, locked, -1);
    }

    /// <summary>Wipes the used part of a block and returns it to the pool.</summary>
    internal static unsafe void Return(Block block, nuint usedBytes)
    {
        using (StageClock.Time(PipelineStage.Wipe))
            LockedMemory.Wipe((void*)block.Address, usedBytes);
        Interlocked.Increment(ref wipedBlocks);
        Interlocked.Add(ref wipedBytes, (long)usedBytes);
        Interlocked.Decrement(ref outstandingBlocks);
        if (block.SizeClass < 0)
        {
            LockedMemory.Free(block.Address, block.Bytes, block.Locked);
            return;
        }
        Stack<Block> kept = Free[block.SizeClass];
        lock (kept)
            kept.Push(block);
    }

    private static Block TakeKept(nuint bytes)
    {
        int bits = Math.Max(SmallestClassBits, 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)bytes - 1));
        if (bits > LargestKeptBits)
            return Create(bytes, sizeClass: -1);
        Stack<Block> kept = Free[bits - SmallestClassBits];
        lock (kept)
        {
            if (kept.TryPop(out Block? block))
                return block;
        }
        return Create((nuint)1 << bits, bits - SmallestClassBits);
    }

    private static Block Create(nuint bytes, int sizeClass)
    {
        nint address;
        bool locked;
        try
        {
            address = LockedMemory.Allocate(bytes, out locked);
        }
        catch (InsufficientMemoryException) when (Trim())
        {
            address = LockedMemory.Allocate(bytes, out locked);
        }
        return new Block(address, bytes, locked, sizeClass);
    }

    /// <summary>Gives blocks that nobody uses back to the operating system.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool Trim()
    {
        bool any = false;
        foreach (Stack<Block> kept in Free)
        {
            while (true)
            {
                Block? block;
                lock (kept)
                {
                    if (!kept.TryPop(out block))
                        break;
                }
                LockedMemory.Free(block.Address, block.Bytes, block.Locked);
                any = true;
            }
        }
        return any;
    }

    private static Stack<Block>[] CreateClasses()
    {
        var classes = new Stack<Block>[LargestKeptBits - SmallestClassBits + 1];
        for (int i = 0; i < classes.Length; i++)
            classes[i] = new Stack<Block>();
        return classes;
    }

    /// <summary>Pages with their true size; <see cref="SizeClass"/> is −1 for blocks that are not kept.</summary>
    internal sealed record Block(nint Address, nuint Bytes, bool Locked, int SizeClass);
}
