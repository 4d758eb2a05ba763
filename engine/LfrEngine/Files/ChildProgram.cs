using System.Collections.Concurrent;
using System.Diagnostics;

namespace LfrEngine.Files;

/// <summary>Starts other programs and makes sure that none outlives the work it was started for.</summary>
public static class ChildProgram
{
    // ffmpeg's own code for "stopped by a signal", and 128 + SIGHUP, SIGINT, SIGTERM of the others.
    private static readonly int[] StoppedCodes = [255, 129, 130, 143];

    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    /// <summary>Starts a program.</summary>
    /// <param name="start">What to start.</param>
    /// <returns>Pass it to <see cref="End"/>.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">The program is not installed.</exception>
    public static Process Start(ProcessStartInfo start)
    {
        Process child = Process.Start(start)!;
        Running[child] = true;
        return child;
    }

    /// <summary>Ends the program if it is still running, and releases it.</summary>
    public static void End(Process child)
    {
        Running.TryRemove(child, out _);
        Kill(child);
        child.WaitForExit();
        child.Dispose();
    }

    /// <summary>Whether a child that has ended was stopped by a signal: Ctrl-C in a terminal also reaches it, possibly before this program.</summary>
    public static bool WasStopped(Process child) => StoppedCodes.Contains(child.ExitCode);

    /// <summary>Kills all of them, because the process ends without the code that waits for them.</summary>
    public static void Abandon()
    {
        foreach (Process child in Running.Keys)
            Kill(child);
    }

    private static void Kill(Process child)
    {
        try
        {
            child.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has just ended on its own.
        }
    }
}
