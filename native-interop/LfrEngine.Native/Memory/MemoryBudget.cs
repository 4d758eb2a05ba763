using System.Runtime.InteropServices;

namespace LfrEngine.Native.Memory;

/// <summary>All memory of this process that is wiped: blocks of <see cref="LockedMemory"/>, and the frames and packets of the media library. One count, with a limit that is kept.</summary>
/// <remarks>Thread-safe. The language runtime, code and what ONNX Runtime holds of its own are not in it.</remarks>
public static unsafe class MemoryBudget
{
    // As lfr_budget of lfr_media.h.
    private const int Held = 0, Unlocked = 1, Peak = 2, Most = 3;

    /// <summary>Bytes mapped now.</summary>
    public static long HeldBytes => Volatile.Read(ref Numbers[Held]);

    /// <summary>Of those, bytes that the operating system refused to lock.</summary>
    public static long UnlockedBytes => Volatile.Read(ref Numbers[Unlocked]);

    /// <summary>The most bytes that were ever mapped at once.</summary>
    public static long PeakBytes => Volatile.Read(ref Numbers[Peak]);

    /// <summary>The most bytes that may be mapped; 0: no limit. What would exceed it is refused; what is held already stays, and a network that is computing gets its memory and then fails.</summary>
    public static long MostBytes
    {
        get => Volatile.Read(ref Numbers[Most]);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Volatile.Write(ref Numbers[Most], value);
        }
    }

    /// <summary>Shared with the media library; lives as long as the process.</summary>
    internal static long* Numbers { get; } = (long*)NativeMemory.AllocZeroed(4, sizeof(long));

    /// <summary>Counts bytes that are about to be mapped.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="mayPass">Whether the limit may be passed.</param>
    /// <exception cref="InsufficientMemoryException">The limit would be exceeded.</exception>
    internal static void Take(long bytes, bool mayPass)
    {
        long held = Interlocked.Add(ref Numbers[Held], bytes), most = MostBytes;
        if (most > 0 && held > most && !mayPass)
        {
            Interlocked.Add(ref Numbers[Held], -bytes);
            throw new InsufficientMemoryException($"The limit of {most} bytes for this process leaves no room for {bytes} more.");
        }
    }

    /// <summary>After they have been mapped.</summary>
    internal static void CountPeak()
    {
        long held = HeldBytes;
        for (long peak = PeakBytes; held > peak; peak = PeakBytes)
            Interlocked.CompareExchange(ref Numbers[Peak], held, peak);
    }

    /// <summary>Bytes are no longer mapped.</summary>
    internal static void Return(long bytes) => Interlocked.Add(ref Numbers[Held], -bytes);

    /// <summary>Counts bytes that could not be locked, or no longer.</summary>
    internal static void CountUnlocked(long bytes) => Interlocked.Add(ref Numbers[Unlocked], bytes);
}
