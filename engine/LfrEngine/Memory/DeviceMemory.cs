namespace LfrEngine.Memory;

/// <summary>Counts buffers in device memory, as <see cref="BufferPool"/> does for host memory. Process-wide; thread-safe.</summary>
public static class DeviceMemory
{
    private static long outstandingBuffers;
    private static long wipedBuffers;
    private static long wipedBytes;
    private static long lostBuffers;

    /// <summary>Buffers allocated and not yet released.</summary>
    public static long OutstandingBuffers => Volatile.Read(ref outstandingBuffers);

    /// <summary>Number of times a buffer was cleared on its device.</summary>
    public static long WipedBuffers => Volatile.Read(ref wipedBuffers);

    /// <summary>Bytes cleared on devices.</summary>
    public static long WipedBytes => Volatile.Read(ref wipedBytes);

    /// <summary>Buffers that could not be cleared because their device was lost; the driver reclaimed their memory.</summary>
    public static long LostBuffers => Volatile.Read(ref lostBuffers);

    /// <summary>Counts a buffer as allocated.</summary>
    public static void CountTaken() => Interlocked.Increment(ref outstandingBuffers);

    /// <summary>Counts a buffer as cleared; call it after the device has finished.</summary>
    public static void CountWiped(long bytes)
    {
        Interlocked.Increment(ref wipedBuffers);
        Interlocked.Add(ref wipedBytes, bytes);
    }

    /// <summary>Counts a buffer as lost with its device.</summary>
    public static void CountLost() => Interlocked.Increment(ref lostBuffers);

    /// <summary>Counts a buffer as released.</summary>
    public static void CountReturned() => Interlocked.Decrement(ref outstandingBuffers);
}
