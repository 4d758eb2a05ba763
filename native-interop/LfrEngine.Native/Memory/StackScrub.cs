using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LfrEngine.Native.Memory;

/// <summary>Wipes what calls that have returned left on this thread's stack: spilled vector registers, rows of pixels, tables.</summary>
/// <remarks>Native code (ONNX Runtime, FFmpeg) leaves thousands of bytes there, which stay until as deep a call comes along.</remarks>
public static partial class StackScrub
{
    /// <summary>How far below the caller is wiped, bytes; less where the stack ends before that.</summary>
    public const int DepthBytes = 512 * 1024;

    // Below what is wiped: the guard page, signal frames, and the runtime's own reserve.
    private const int ReserveBytes = 128 * 1024;
    // Where the stack's end is not known: well within .NET's default of 1.5 MiB.
    private const int UnknownDepthBytes = 256 * 1024;

    [ThreadStatic]
    private static nuint lowestAddress;

    /// <summary>Overwrites with zeros the calling thread's stack from about here on downwards.</summary>
    /// <remarks>Gaps in the frame of this method, a few bytes each, keep what they held. Registers are not touched. To be called by the thread that made the calls, on the level that made them.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe void Wipe()
    {
        byte here;
        nuint position = (nuint)(&here);
        if (lowestAddress == 0)
            lowestAddress = FindLowestAddress();
        nuint room = lowestAddress < position ? position - lowestAddress : 0;
        int bytes = lowestAddress == nuint.MaxValue ? UnknownDepthBytes
            : room > ReserveBytes ? (int)nuint.Min(DepthBytes, room - ReserveBytes) : 0;
#if !LFR_NO_WIPE
        if (bytes > 0)
            WipeBelow(bytes);
#endif
    }

    // On its own, so that the wiped bytes lie below every frame in use. The assembly clears locals; this is by name, so
    // that it does not hang on a compiler's default.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static unsafe void WipeBelow(int bytes)
    {
        byte* below = stackalloc byte[bytes];
        CryptographicOperations.ZeroMemory(new Span<byte>(below, bytes));
    }

    private static unsafe nuint FindLowestAddress()
    {
        if (OperatingSystem.IsWindows())
        {
            GetCurrentThreadStackLimits(out nuint low, out _);
            return low;
        }
        if (!OperatingSystem.IsLinux())
            return nuint.MaxValue;
        // pthread_attr_t is 56 bytes on x64 and 64 on arm64.
        byte* attributes = stackalloc byte[256];
        if (GetThreadAttributes(GetCurrentThread(), attributes) != 0)
            return nuint.MaxValue;
        int status = GetStack(attributes, out nuint lowest, out _);
        _ = DestroyAttributes(attributes);
        return status == 0 ? lowest : nuint.MaxValue;
    }

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint GetCurrentThread();

    [LibraryImport("libc", EntryPoint = "pthread_getattr_np")]
    private static unsafe partial int GetThreadAttributes(nint thread, byte* attributes);

    [LibraryImport("libc", EntryPoint = "pthread_attr_getstack")]
    private static unsafe partial int GetStack(byte* attributes, out nuint lowest, out nuint size);

    [LibraryImport("libc", EntryPoint = "pthread_attr_destroy")]
    private static unsafe partial int DestroyAttributes(byte* attributes);

    [LibraryImport("kernel32")]
    private static partial void GetCurrentThreadStackLimits(out nuint low, out nuint high);
}
