using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LfrEngine.Native.Hardening;

/// <summary>Permanently removes what a picture decoder does not need from this process: network, other programs, writing files, unlimited memory.</summary>
/// <remarks>
/// For a child process that decodes untrusted data. Linux: a seccomp filter on all threads refuses sockets, new processes, tracing and every change of the
/// file system; limits refuse file growth, many open files and much memory; no_new_privs is set. On other systems nothing is done, and <see cref="Enter"/> returns false.
/// </remarks>
public static unsafe partial class DecodeSandbox
{
    private const int SetNoNewPrivs = 38;
    private const int LimitFileSize = 1, LimitOpenFiles = 7, LimitAddressSpace = 9;
    private const uint SeccompSetModeFilter = 1, SeccompGetActionAvailable = 2;
    private const uint AnswerError = 0x0005_0000;
    private const uint SynchroniseThreads = 1;
    private const int NotPermitted = 1, NotImplemented = 38;
    private const long PageBytes = 4096;

    // In addition to those open now. The runtime occasionally opens a library; a decoder opens nothing.
    private const int MoreOpenFiles = 16;

    // CLONE_THREAD: a new thread, which the runtime needs, not a new process.
    private const uint CloneThread = 0x0001_0000;

    // O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND: anything but reading.
    private const uint OpenForWriting = 0x3 | 0x40 | 0x200 | 0x400;

    /// <summary>Whether this system supports it: Linux with seccomp, on a known architecture, and not forbidden.</summary>
    public static bool IsOffered
    {
        get
        {
            uint action = AnswerError;
            return OperatingSystem.IsLinux() && Calls.Current is { } calls && SystemCall(calls.Seccomp, SeccompGetActionAvailable, 0, &action) == 0;
        }
    }

    /// <summary>Enters the sandbox permanently.</summary>
    /// <param name="moreMemoryBytes">Additional address space that the process may use.</param>
    /// <returns>Whether this system supports it.</returns>
    /// <exception cref="Win32Exception">The system refused.</exception>
    public static bool Enter(long moreMemoryBytes)
    {
        if (!IsOffered)
            return false;
        Calls calls = Calls.Current!;
        string pages = File.ReadAllText("/proc/self/statm").Split(' ')[0];
        int highest = Directory.EnumerateFileSystemEntries("/proc/self/fd").Max(f => int.Parse(Path.GetFileName(f), CultureInfo.InvariantCulture));
        Limit(LimitFileSize, 0, "RLIMIT_FSIZE");
        Limit(LimitOpenFiles, (ulong)(highest + MoreOpenFiles), "RLIMIT_NOFILE");
        Limit(LimitAddressSpace, (ulong)((long.Parse(pages, CultureInfo.InvariantCulture) * PageBytes) + moreMemoryBytes), "RLIMIT_AS");
        if (ProcessLimits.ProcessControl(SetNoNewPrivs, 1, 0, 0, 0) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "prctl(PR_SET_NO_NEW_PRIVS) failed");
        Instruction[] program = Filter(calls);
        fixed (Instruction* first = program)
        {
            var filter = new Program { Length = (ushort)program.Length, First = first };
            // Threads share the filter and, with it, no_new_privs.
            if (SystemCall(calls.Seccomp, SeccompSetModeFilter, SynchroniseThreads, &filter) != 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "seccomp(SECCOMP_SET_MODE_FILTER) failed");
        }
        return true;
    }

    private static void Limit(int resource, ulong most, string name)
    {
        // A lower limit is kept, because it cannot be raised.
        ulong allowed = ProcessLimits.GetLimit(resource, out ResourceLimit now) == 0 ? Math.Min(most, now.Hard) : most;
        ResourceLimit limit = new() { Soft = allowed, Hard = allowed };
        if (ProcessLimits.SetLimit(resource, in limit) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setrlimit({name}) failed");
    }

    private static Instruction[] Filter(Calls calls)
    {
        const ushort load = 0x20, jumpEqual = 0x15, jumpNotBelow = 0x35, jumpSet = 0x45, give = 0x06;
        // Above it x64 has a second set of numbers for the same calls (x32).
        const uint secondNumbers = 0x4000_0000;
        const uint number = 0, architecture = 4, firstArgument = 16, thirdArgument = 32, secondArgument = 24;
        const uint allow = 0x7FFF_0000, kill = 0x8000_0000, error = AnswerError;
        var program = new List<Instruction>
        {
            new(load, 0, 0, architecture),
            new(jumpEqual, 1, 0, calls.Architecture),
            new(give, 0, 0, kill),
            new(load, 0, 0, number),
            new(jumpNotBelow, 0, 1, secondNumbers),
            new(give, 0, 0, kill),
        };
        foreach (uint refused in calls.Refused)
        {
            program.Add(new(jumpEqual, 0, 1, refused));
            program.Add(new(give, 0, 0, error | NotPermitted));
        }
        // Their arguments are in memory, which a filter cannot read; glibc falls back to the older calls.
        foreach (uint unknown in calls.Hidden)
        {
            program.Add(new(jumpEqual, 0, 1, unknown));
            program.Add(new(give, 0, 0, error | NotImplemented));
        }
        AddArgument(calls.NewProcess, firstArgument, CloneThread, whenSet: allow, otherwise: error | NotPermitted);
        AddArgument(calls.OpenAt, thirdArgument, OpenForWriting, whenSet: error | NotPermitted, otherwise: allow);
        if (calls.Open is { } open)
            AddArgument(open, secondArgument, OpenForWriting, whenSet: error | NotPermitted, otherwise: allow);
        program.Add(new(give, 0, 0, allow));
        return [.. program];

        void AddArgument(uint call, uint argument, uint bits, uint whenSet, uint otherwise)
        {
            program.Add(new(jumpEqual, 0, 4, call));
            program.Add(new(load, 0, 0, argument));
            program.Add(new(jumpSet, 0, 1, bits));
            program.Add(new(give, 0, 0, whenSet));
            program.Add(new(give, 0, 0, otherwise));
        }
    }

    /// <summary>Numbers of system calls on one architecture (asm/unistd.h).</summary>
    private sealed record Calls(uint Architecture, nint Seccomp, uint NewProcess, uint OpenAt, uint? Open, uint[] Hidden, uint[] Refused)
    {
        public static Calls? Current => RuntimeInformation.ProcessArchitecture switch
        {
            // socket, connect, bind, listen, sendto, sendmsg, fork, vfork, execve, execveat, ptrace, process_vm_readv, process_vm_writev, rename, renameat, renameat2,
            // mkdir, mkdirat, rmdir, creat, link, linkat, unlink, unlinkat, symlink, symlinkat, chmod, fchmodat, truncate, mount, kill, io_uring_setup; hidden: clone3, openat2
            System.Runtime.InteropServices.Architecture.X64 => new(0xC000_003E, 317, 56, 257, 2, [435, 437],
                [41, 42, 49, 50, 44, 46, 57, 58, 59, 322, 101, 310, 311, 82, 264, 316, 83, 258, 84, 85, 86, 265, 87, 263, 88, 266, 90, 268, 76, 165, 62, 425]),
            System.Runtime.InteropServices.Architecture.Arm64 => new(0xC000_00B7, 277, 220, 56, null, [435, 437],
                [198, 203, 200, 201, 206, 211, 221, 281, 117, 270, 271, 38, 276, 34, 37, 35, 36, 53, 45, 40, 129, 425]),
            _ => null,
        };
    }

    /// <summary><c>struct sock_filter</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte WhenTrue, byte WhenFalse, uint Value);

    /// <summary><c>struct sock_fprog</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public Instruction* First;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, uint operation, uint flags, void* argument);
}
