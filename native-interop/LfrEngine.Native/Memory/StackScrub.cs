using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LfrEngine.Native.Memory;

/// <summary>Wipes what returned calls left on this thread's stack: spilled vector registers, rows of pixels, tables.</summary>
/// <remarks>Native code (ONNX Runtime, FFmpeg) leaves thousands of bytes there, until a call of the same depth overwrites them.</remarks>
public static partial class StackScrub
{
    /// <summary>Bytes wiped below the caller; fewer if the stack ends before that.</summary>
    public const int DepthBytes = 512 * 1024;

    // Not wiped at the end of the stack: the guard page, signal frames, and the runtime's reserve.
    private const int ReserveBytes = 128 * 1024;
    // Used if the stack's end is not known: well within .NET's default of 1.5 MiB.
    private const int UnknownDepthBytes = 256 * 1024;

    [ThreadStatic]
    private static nuint lowestAddress;

    [ThreadStatic]
    private static int scopes;

    [ThreadStatic]
    private static bool isDue;

    /// <summary>Overwrites the calling thread's stack with zeros, from about here downwards.</summary>
    /// <remarks>Gaps in the frame of this method, a few bytes each, are not wiped. Registers are not touched. Call it on the thread that made the calls, at the same level.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe void Wipe()
    {
        if (scopes > 0)
        {
            isDue = true;
            return;
        }
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

    /// <summary>Joins the wipes of several calls: until the scope is disposed, <see cref="Wipe"/> on this thread only notes that one is due, and disposing makes it.</summary>
    /// <remarks>A wipe writes <see cref="DepthBytes"/>, half of many processors' second cache: one for all looks at a frame costs less than one for each network. Scopes nest.</remarks>
    public static Scope Join()
    {
        scopes++;
        return default;
    }

    /// <summary>See <see cref="Join"/>. Disposed on its thread, once.</summary>
    public readonly ref struct Scope : IDisposable
    {
        /// <summary>Wipes, if a wipe is due and this is the outermost scope.</summary>
        public void Dispose()
        {
            if (--scopes > 0 || !isDue)
                return;
            isDue = false;
            Wipe();
        }
    }

    // A separate method, so that the wiped bytes are below every frame in use. They are not cleared when they are taken, because they are cleared next.
    [SkipLocalsInit]
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
