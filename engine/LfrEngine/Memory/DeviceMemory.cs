namespace LfrEngine.Memory;

/// <summary>Counts what lies on devices as <see cref="BufferPool"/> counts what lies in host memory. Process-wide; thread-safe.</summary>
public static class DeviceMemory
{
    private static long outstandingBuffers;
    private static long wipedBuffers;
    private static long wipedBytes;
    private static long lostBuffers;

    /// <summary>Buffers taken and not yet given back.</summary>
    public static long OutstandingBuffers => Volatile.Read(ref outstandingBuffers);

    /// <summary>Times a buffer was cleared on its device.</summary>
    public static long WipedBuffers => Volatile.Read(ref wipedBuffers);

    /// <summary>Bytes cleared on devices.</summary>
    public static long WipedBytes => Volatile.Read(ref wipedBytes);

    /// <summary>Buffers that could not be cleared because their device was lost: the driver took their memory back with it.</summary>
    public static long LostBuffers => Volatile.Read(ref lostBuffers);

    /// <summary>A buffer was taken.</summary>
    public static void CountTaken() => Interlocked.Increment(ref outstandingBuffers);

    /// <summary>A buffer was cleared, after the device has done it.</summary>
    public static void CountWiped(long bytes)
    {
        Interlocked.Increment(ref wipedBuffers);
        Interlocked.Add(ref wipedBytes, bytes);
    }

    /// <summary>A buffer went with its device.</summary>
    public static void CountLost() => Interlocked.Increment(ref lostBuffers);

    /// <summary>A buffer was given back.</summary>
    public static void CountReturned() => Interlocked.Decrement(ref outstandingBuffers);
}
