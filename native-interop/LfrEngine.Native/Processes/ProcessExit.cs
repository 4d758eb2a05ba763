using System.Runtime.InteropServices;

namespace LfrEngine.Native.Processes;

/// <summary>Ends the process in a way that nothing can block.</summary>
public static partial class ProcessExit
{
    /// <summary>Ends the process at once: no handler runs, no library is unloaded under threads that still use it. The system reclaims the memory.</summary>
    public static void Now(int exitCode)
    {
        if (OperatingSystem.IsWindows())
            _ = Terminate(-1, (uint)exitCode);
        else
            Exit(exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int exitCode);

    // -1 is this process.
    [LibraryImport("kernel32", EntryPoint = "TerminateProcess")]
    private static partial int Terminate(nint process, uint exitCode);
}
