using System.Runtime.InteropServices;

namespace LfrEngine.Native.Files;

/// <summary>Calls of the Linux C library for <see cref="AppendFile"/> and <see cref="StandardStream"/>.</summary>
internal static partial class UnixFiles
{
    private const int Interrupted = 4, WouldBlock = 11;
    private const int GetDescriptorFlags = 1, CloseOnExec = 1, GetFlags = 3, SetFlags = 4, Append = 0x400, NonBlocking = 0x800, AccessMode = 3, ReadOnly = 0;
    private const int SetOpenFileLock = 37;
    private const short WriteLock = 1, PollOut = 4;
    private const int EmptyPath = 0x1000, BasicStatistics = 0x7FF, TypeMask = 0xF000, RegularFile = 0x8000;

    /// <summary>Whether the process was started with this descriptor open for writing.</summary>
    /// <remarks>A closed descriptor is reused by the first file that the runtime opens, and all of those have close-on-exec set, which inherited ones do not.</remarks>
    public static bool WasGiven(int descriptor) => Control(descriptor, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & CloseOnExec) == 0
        && Control(descriptor, GetFlags, 0) is >= 0 and var opened && (opened & AccessMode) != ReadOnly;

    /// <summary>Writes everything, waiting while a pipe or a terminal is full.</summary>
    /// <exception cref="IOException">Not everything could be written.</exception>
    public static unsafe void Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written;
            fixed (byte* first = bytes)
                written = Write(descriptor, first, (nuint)bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }
            int error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
            {
                // Another program with the same terminal or pipe made it non-blocking.
                var wanted = new PollRequest(descriptor, PollOut);
                _ = Poll(&wanted, 1, -1);
            }
            else if (error != Interrupted)
            {
                throw Failure(error);
            }
        }
    }

    /// <summary>Identifies the file of a descriptor.</summary>
    /// <exception cref="IOException">It is not open.</exception>
    public static unsafe FileIdentity Identify(int descriptor)
    {
        // struct statx is the same on every processor: links at 16, mode at 28, inode at 32, device at 136.
        byte* statistics = stackalloc byte[256];
        fixed (byte* empty = "\0"u8)
        {
            if (Statistics(descriptor, empty, EmptyPath, BasicStatistics, statistics) != 0)
                throw Failure(Marshal.GetLastPInvokeError());
        }
        return new FileIdentity((*(ushort*)(statistics + 28) & TypeMask) == RegularFile, *(ulong*)(statistics + 32), *(ulong*)(statistics + 136), *(uint*)(statistics + 16));
    }

    /// <summary>Locks the whole file for writing, until it is closed.</summary>
    /// <returns>False if it is locked, or the file system has no locks.</returns>
    public static unsafe bool TryLock(int descriptor, out int error)
    {
        // Of the open file, not of the process: closing another descriptor of the same file does not release it. Readers are not blocked.
        var whole = new FileLock { Type = WriteLock };
        bool locked = Control(descriptor, SetOpenFileLock, (nint)(&whole)) == 0;
        error = locked ? 0 : Marshal.GetLastPInvokeError();
        return locked;
    }

    /// <summary>Sets append mode on a descriptor.</summary>
    public static void SetAppending(int descriptor)
    {
        if (Control(descriptor, GetFlags, 0) is >= 0 and var flags)
            _ = Control(descriptor, SetFlags, flags | Append);
    }

    /// <summary>Sets a descriptor back to blocking mode.</summary>
    public static void SetBlocking(int descriptor)
    {
        if (Control(descriptor, GetFlags, 0) is >= 0 and var flags)
            _ = Control(descriptor, SetFlags, flags & ~NonBlocking);
    }

    /// <summary>The C library's message for an error.</summary>
    public static IOException Failure(int error) => new(Marshal.GetPInvokeErrorMessage(error) + ".", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(int descriptor, byte* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int Poll(PollRequest* requests, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static unsafe partial int Statistics(int folder, byte* path, int flags, uint wanted, byte* statistics);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PollRequest(int descriptor, short events)
    {
        public readonly int Descriptor = descriptor;
        public readonly short Events = events;
        public readonly short Returned;
    }

    // struct flock; from 0 with length 0 is the whole file.
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}

/// <summary>Identity of an open file; equal values mean the same file.</summary>
/// <param name="IsRegular">A file with a length, not a pipe, a terminal or a device.</param>
/// <param name="Inode">On its device.</param>
/// <param name="Device">Major and minor.</param>
/// <param name="Links">Names that the file has; 0 when it was deleted.</param>
internal readonly record struct FileIdentity(bool IsRegular, ulong Inode, ulong Device, uint Links);
