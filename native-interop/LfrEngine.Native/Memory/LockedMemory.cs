using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LfrEngine.Native.Memory;

/// <summary>Whole pages from the operating system for bytes that must be wiped: kept out of core dumps, of child processes and, where the limit allows, of swap.</summary>
/// <remarks>
/// Knows bytes, not faces. The engine rents typed blocks from it through its own <c>Memory/</c> folder and never calls it elsewhere.
/// Linux: <c>mmap</c>, <c>mlock</c>, <c>MADV_DONTDUMP</c>, <c>MADV_WIPEONFORK</c>. Windows: <c>VirtualAlloc</c>, <c>VirtualLock</c>.
/// </remarks>
public static partial class LockedMemory
{
    private const int ProtRead = 1, ProtWrite = 2;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapAnonymousMac = 0x1000;
    private const int MadvDontDump = 16, MadvWipeOnFork = 18;
    private const uint MemCommitReserve = 0x3000, MemRelease = 0x8000, PageReadWrite = 4;

    private static long allocatedBytes;
    private static long unlockedBytes;

    /// <summary>Bytes now held, in whole pages.</summary>
    public static long AllocatedBytes => Volatile.Read(ref allocatedBytes);

    /// <summary>Bytes now held that the operating system refused to lock: they could reach swap.</summary>
    public static long UnlockedBytes => Volatile.Read(ref unlockedBytes);

    /// <summary>Size of a page, bytes.</summary>
    public static int PageBytes => Environment.SystemPageSize;

    /// <summary>Takes zeroed pages. The caller owns them and gives them back with <see cref="Free"/>.</summary>
    /// <param name="bytes">At least 1; rounded up to whole pages.</param>
    /// <param name="locked">Whether the pages are locked into memory. Pass it to <see cref="Free"/>.</param>
    /// <exception cref="InsufficientMemoryException">The operating system gave no pages.</exception>
    public static unsafe nint Allocate(nuint bytes, out bool locked)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        nuint rounded = RoundUp(bytes);
        nint address;
        if (OperatingSystem.IsWindows())
        {
            address = VirtualAlloc(0, rounded, MemCommitReserve, PageReadWrite);
            if (address == 0)
                throw new InsufficientMemoryException($"VirtualAlloc of {rounded} bytes failed: {new Win32Exception().Message}.");
            locked = VirtualLock(address, rounded) != 0;
        }
        else
        {
            int anonymous = OperatingSystem.IsLinux() ? MapAnonymous : MapAnonymousMac;
            address = MemoryMap(0, rounded, ProtRead | ProtWrite, MapPrivate | anonymous, -1, 0);
            if (address == -1)
                throw new InsufficientMemoryException($"mmap of {rounded} bytes failed: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
            locked = MemoryLock(address, rounded) == 0;
            if (OperatingSystem.IsLinux())
            {
                // Advice only: an old kernel that lacks one of them still runs.
                _ = MemoryAdvise(address, rounded, MadvDontDump);
                _ = MemoryAdvise(address, rounded, MadvWipeOnFork);
            }
        }
        Interlocked.Add(ref allocatedBytes, (long)rounded);
        if (!locked)
            Interlocked.Add(ref unlockedBytes, (long)rounded);
        return address;
    }

    /// <summary>Wipes the pages and gives them back.</summary>
    /// <param name="address">From <see cref="Allocate"/>.</param>
    /// <param name="bytes">The size asked for.</param>
    /// <param name="locked">What <see cref="Allocate"/> reported.</param>
    public static unsafe void Free(nint address, nuint bytes, bool locked)
    {
        nuint rounded = RoundUp(bytes);
        Wipe((void*)address, rounded);
        if (OperatingSystem.IsWindows())
            _ = VirtualFree(address, 0, MemRelease);
        else
            _ = MemoryUnmap(address, rounded);
        Interlocked.Add(ref allocatedBytes, -(long)rounded);
        if (!locked)
            Interlocked.Add(ref unlockedBytes, -(long)rounded);
    }

    /// <summary>Overwrites with zeros; the call is never optimised away.</summary>
    public static unsafe void Wipe(void* address, nuint bytes)
    {
        const int Chunk = 1 << 30;
        byte* at = (byte*)address;
        while (bytes > 0)
        {
            int length = (int)nuint.Min(bytes, Chunk);
            CryptographicOperations.ZeroMemory(new Span<byte>(at, length));
            at += length;
            bytes -= (nuint)length;
        }
    }

    private static nuint RoundUp(nuint bytes) => (bytes + (nuint)PageBytes - 1) & ~((nuint)PageBytes - 1);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mlock")]
    private static partial int MemoryLock(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(nint address, nuint size, uint type);

    [LibraryImport("kernel32")]
    private static partial int VirtualLock(nint address, nuint size);
}
