using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Native.Hardening;

namespace LfrEngine.Native.Memory;

/// <summary>Whole pages from the operating system for bytes that must be wiped: excluded from core dumps, from child processes and, where the limit allows, from swap.</summary>
/// <remarks>
/// The engine rents typed blocks from it through its <c>Memory/</c> folder and calls it nowhere else.
/// In guarded mode a block is between inaccessible pages, and the rest of its last page contains canaries.
/// Linux: <c>mmap</c>, <c>mlock</c>, <c>MADV_HUGEPAGE</c>, <c>MADV_DONTDUMP</c>, <c>MADV_WIPEONFORK</c>. Windows: <c>VirtualAlloc</c>, <c>VirtualLock</c>.
/// </remarks>
public static partial class LockedMemory
{
    private const int ProtNone = 0, ProtRead = 1, ProtWrite = 2;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapAnonymousMac = 0x1000;
    private const int MadvDontNeed = 4, MadvHugePage = 14, MadvDontDump = 16, MadvWipeOnFork = 18;
    private const uint MemRelease = 0x8000, PageReadWrite = 4;

    private const int LimitMemlock = 8, CapabilityIpcLock = 14;
    private const uint MemReserve = 0x2000, MemCommit = 0x1000, PageNoAccess = 1;
    private const byte Canary = 0xC5;
    private const uint HugePageBytes = 2u << 20;

    // There are few, because pools keep their blocks. Recording them turns a double free into an exception instead of freeing other pages.
    private static readonly Dictionary<nint, Region> Regions = [];
    private static long allocatedBytes;
    private static long unlockedBytes;

    // Handed out from its start; as a whole again when the last block of it is back. Under the lock of Regions.
    private static nint reserve;
    private static nuint reserveBytes, reserveUsed;
    private static int reserveBlocks;

    /// <summary>Bytes now held, in whole pages, guard pages not counted.</summary>
    public static long AllocatedBytes => Volatile.Read(ref allocatedBytes);

    /// <summary>Bytes now held that the operating system refused to lock: they could be swapped to disk.</summary>
    public static long UnlockedBytes => Volatile.Read(ref unlockedBytes);

    /// <summary>Size of a page, bytes.</summary>
    public static int PageBytes => Environment.SystemPageSize;

    /// <summary>How many bytes this process may lock; null = unlimited, or unknown.</summary>
    /// <remarks>Linux: the soft RLIMIT_MEMLOCK, unless CAP_IPC_LOCK is in effect. Windows: the minimum working set, raised at the first use of this class.</remarks>
    public static long? LimitBytes { get; } = FindLimit();

    /// <summary>Whether new blocks are between inaccessible pages and are checked when they are freed: in debug builds, and
    /// everywhere with LFR_MEMORY_GUARD=1 in the environment.</summary>
#if DEBUG
    public static bool IsGuarded => true;
#else
    public static bool IsGuarded { get; } = Environment.GetEnvironmentVariable("LFR_MEMORY_GUARD") == "1";
#endif

    /// <summary>Allocates zeroed pages. The caller owns them and releases them with <see cref="Free"/>.</summary>
    /// <param name="bytes">At least 1; rounded up to whole pages.</param>
    /// <param name="locked">Whether the pages are locked into memory. Pass it to <see cref="Free"/>.</param>
    /// <exception cref="InsufficientMemoryException">The operating system is out of memory, or <see cref="MemoryBudget.MostBytes"/> would be exceeded.</exception>
    public static nint Allocate(nuint bytes, out bool locked) => Allocate(bytes, IsGuarded, out locked);

    /// <summary>The same, also where <see cref="MemoryBudget.MostBytes"/> is passed or the operating system refuses: for callers that cannot bear a refusal, and give the pages back at once.</summary>
    /// <param name="bytes">At least 1; rounded up to whole pages.</param>
    /// <param name="locked">Whether the pages are locked into memory. Pass it to <see cref="Free"/>.</param>
    /// <param name="refused">Whether the operating system refused, and the pages are of the reserve.</param>
    /// <exception cref="InsufficientMemoryException">The reserve is used up, too.</exception>
    public static nint AllocateBeyondTheLimit(nuint bytes, out bool locked, out bool refused)
    {
        try
        {
            refused = false;
            return Allocate(bytes, IsGuarded, out locked, mayPass: true);
        }
        catch (InsufficientMemoryException)
        {
            refused = true;
            nint address = TakeReserve(bytes, out locked);
            if (address == 0)
                throw;
            return address;
        }
    }

    /// <summary>Maps a reserve for <see cref="AllocateBeyondTheLimit"/>, once. Until it is used it takes addresses, but no memory.</summary>
    /// <param name="bytes">Its size, in whole pages.</param>
    public static void KeepReserve(nuint bytes)
    {
        lock (Regions)
        {
            if (reserve != 0)
                return;
            try
            {
                reserve = OperatingSystem.IsWindows() ? MapWindows(bytes, 0) : MapUnix(bytes, 0);
                reserveBytes = bytes;
            }
            catch (InsufficientMemoryException)
            {
                // Then there is none.
            }
        }
    }

    /// <summary>Pages of the reserve; 0 if it has too few.</summary>
    internal static nint TakeReserve(nuint bytes, out bool locked)
    {
        nuint rounded = RoundUp(bytes);
        nint address;
        lock (Regions)
        {
            locked = false;
            if (rounded > reserveBytes - reserveUsed)
                return 0;
            address = reserve + (nint)reserveUsed;
            reserveUsed += rounded;
            reserveBlocks++;
            locked = Lock(address, rounded);
            Regions[address] = new Region(bytes, rounded, 0, locked, IsOfReserve: true);
        }
        MemoryBudget.Take((long)rounded, mayPass: true);
        Count(rounded, locked);
        return address;
    }

    internal static unsafe nint Allocate(nuint bytes, bool guarded, out bool locked, bool mayPass = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        nuint rounded = RoundUp(bytes);
        nuint guard = guarded ? (nuint)PageBytes : 0;
        MemoryBudget.Take((long)rounded, mayPass);
        nint mapping;
        try
        {
            mapping = OperatingSystem.IsWindows() ? MapWindows(rounded, guard) : MapUnix(rounded, guard);
        }
        catch
        {
            MemoryBudget.Return((long)rounded);
            throw;
        }
        nint address = mapping + (nint)guard;
        locked = Lock(address, rounded);
        if (guarded)
            Slack(address, bytes).Fill(Canary);
        lock (Regions)
            Regions[address] = new Region(bytes, rounded, guard, locked, IsOfReserve: false);
        Count(rounded, locked);
        return address;
    }

    private static bool Lock(nint address, nuint bytes)
    {
        if (OperatingSystem.IsWindows())
            return VirtualLock(address, bytes) != 0;
        // Advice only, given before the lock loads the pages: reading a gallery from end to end in small pages causes TLB misses, and a
        // network with megabytes of activations per layer gains 2 to 5 % (perf/results/models.md).
        if (OperatingSystem.IsLinux() && bytes >= HugePageBytes)
            _ = MemoryAdvise(address, bytes, MadvHugePage);
        bool locked = MemoryLock(address, bytes) == 0;
        if (OperatingSystem.IsLinux())
        {
            // Advice only, so that it also works on an old kernel that lacks one of them.
            _ = MemoryAdvise(address, bytes, MadvDontDump);
            _ = MemoryAdvise(address, bytes, MadvWipeOnFork);
        }
        return locked;
    }

    private static void Count(nuint bytes, bool locked)
    {
        MemoryBudget.CountPeak();
        Interlocked.Add(ref allocatedBytes, (long)bytes);
        if (!locked)
        {
            Interlocked.Add(ref unlockedBytes, (long)bytes);
            MemoryBudget.CountUnlocked((long)bytes);
        }
    }

    /// <summary>Wipes and releases the pages.</summary>
    /// <param name="address">From <see cref="Allocate(nuint, out bool)"/>.</param>
    /// <param name="bytes">The requested size.</param>
    /// <param name="locked">What <see cref="Allocate(nuint, out bool)"/> reported.</param>
    /// <exception cref="InvalidOperationException">The block was freed before, never allocated, or has another size; nothing was
    /// touched. Or bytes were written past its end: it is wiped and released anyway.</exception>
    public static unsafe void Free(nint address, nuint bytes, bool locked)
    {
        Region? region;
        lock (Regions)
        {
            if (!Regions.TryGetValue(address, out region))
                throw new InvalidOperationException($"The block at 0x{address:x} was freed before, or never allocated.");
            if (region.Bytes != bytes || region.Locked != locked)
                throw new InvalidOperationException($"The block at 0x{address:x} has {region.Bytes} bytes, but {bytes} are to be freed.");
            Regions.Remove(address);
        }
        int broken = region.Guard > 0 ? Slack(address, bytes).IndexOfAnyExcept(Canary) : -1;
        Wipe((void*)address, region.Rounded);
        if (region.IsOfReserve)
            ReturnReserve(address, region.Rounded);
        else if (OperatingSystem.IsWindows())
            _ = VirtualFree(address - (nint)region.Guard, 0, MemRelease);
        else
            _ = MemoryUnmap(address - (nint)region.Guard, region.Rounded + 2 * region.Guard);
        MemoryBudget.Return((long)region.Rounded);
        Interlocked.Add(ref allocatedBytes, -(long)region.Rounded);
        if (!region.Locked)
        {
            Interlocked.Add(ref unlockedBytes, -(long)region.Rounded);
            MemoryBudget.CountUnlocked(-(long)region.Rounded);
        }
        if (broken >= 0)
            throw new InvalidOperationException($"At least {broken + 1} bytes were written past the end of a block of {bytes} bytes.");
    }

    private static void ReturnReserve(nint address, nuint bytes)
    {
        if (OperatingSystem.IsWindows())
            _ = VirtualUnlock(address, bytes);
        else
        {
            // The pages go back, the addresses stay.
            _ = MemoryUnlock(address, bytes);
            _ = MemoryAdvise(address, bytes, MadvDontNeed);
        }
        lock (Regions)
        {
            if (--reserveBlocks == 0)
                reserveUsed = 0;
        }
    }

    /// <summary>Overwrites with zeros; never optimised away.</summary>
    public static unsafe void Wipe(void* address, nuint bytes)
    {
#if LFR_NO_WIPE
        // The positive control of the forensic tests.
        return;
#else
        const int Chunk = 1 << 30;
        byte* at = (byte*)address;
        while (bytes > 0)
        {
            int length = (int)nuint.Min(bytes, Chunk);
            CryptographicOperations.ZeroMemory(new Span<byte>(at, length));
            at += length;
            bytes -= (nuint)length;
        }
#endif
    }

    private static nint MapWindows(nuint bytes, nuint guard)
    {
        nint mapping = VirtualAlloc(0, bytes + 2 * guard, MemReserve, PageNoAccess);
        if (mapping == 0 || VirtualAlloc(mapping + (nint)guard, bytes, MemCommit, PageReadWrite) == 0)
        {
            string reason = new Win32Exception().Message;
            if (mapping != 0)
                _ = VirtualFree(mapping, 0, MemRelease);
            throw new InsufficientMemoryException($"The system gave this process no more memory: {bytes} bytes were needed (VirtualAlloc: {reason}).");
        }
        return mapping;
    }

    private static nint MapUnix(nuint bytes, nuint guard)
    {
        int anonymous = OperatingSystem.IsLinux() ? MapAnonymous : MapAnonymousMac;
        nuint whole = bytes + 2 * guard;
        nint mapping = MemoryMap(0, whole, guard > 0 ? ProtNone : ProtRead | ProtWrite, MapPrivate | anonymous, -1, 0);
        if (mapping == -1)
            throw new InsufficientMemoryException($"The system gave this process no more memory: {whole} bytes were needed (mmap: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}).");
        if (guard > 0 && MemoryProtect(mapping + (nint)guard, bytes, ProtRead | ProtWrite) != 0)
        {
            string reason = new Win32Exception(Marshal.GetLastPInvokeError()).Message;
            _ = MemoryUnmap(mapping, whole);
            throw new InsufficientMemoryException($"The system gave this process no more memory: {bytes} bytes were needed (mprotect: {reason}).");
        }
        return mapping;
    }

    // The bytes between the end of the block and the guard page.
    private static unsafe Span<byte> Slack(nint address, nuint bytes) => new((byte*)address + bytes, (int)(RoundUp(bytes) - bytes));

    private static long? FindLimit()
    {
        if (OperatingSystem.IsWindows())
            return WorkingSet.Raise();
        if (!OperatingSystem.IsLinux() || ProcessLimits.GetLimit(LimitMemlock, out ResourceLimit limit) != 0 || limit.Soft > long.MaxValue || MayLockAll())
            return null;
        return (long)limit.Soft;
    }

    // Capabilities of a user namespace do not count here, only those of the initial namespace.
    private static bool MayLockAll()
    {
        try
        {
            string effective = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal))[7..];
            bool has = (ulong.Parse(effective.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> CapabilityIpcLock & 1) != 0;
            return has && File.ReadAllText("/proc/self/uid_map").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["0", "0", "4294967295"];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static nuint RoundUp(nuint bytes) => (bytes + (nuint)PageBytes - 1) & ~((nuint)PageBytes - 1);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int MemoryProtect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mlock")]
    private static partial int MemoryLock(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "munlock")]
    private static partial int MemoryUnlock(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(nint address, nuint size, uint type);

    [LibraryImport("kernel32")]
    private static partial int VirtualLock(nint address, nuint size);

    [LibraryImport("kernel32")]
    private static partial int VirtualUnlock(nint address, nuint size);

    private sealed record Region(nuint Bytes, nuint Rounded, nuint Guard, bool Locked, bool IsOfReserve);
}
