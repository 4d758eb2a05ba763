using System.Runtime.InteropServices;
using LfrEngine.Files;
using LfrEngine.Native.Processes;

namespace LfrEngine.Programs;

/// <summary>Handles all signals of the process: Ctrl-C, a terminal that is closed, a service that is stopped, a machine that is shut down.</summary>
/// <remarks>
/// The first signal requests an orderly end; further signals have no effect. A command that is still running after <see cref="Patience"/> is ended here, with
/// <see cref="ExitCode.Stopped"/>: its children are killed, unfinished files removed, and standard error says what was not finished. Signals that were ignored
/// when the program started (<c>nohup</c>, a shell's background job) stay ignored.
/// </remarks>
internal static class ProcessSignals
{
    /// <summary>How long a command has to end.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PatienceWithStandardError = TimeSpan.FromSeconds(1);
    private static readonly CancellationTokenSource Asked = new();
    private static readonly ManualResetEventSlim Over = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static readonly List<string> Unfinished = [];
    private static Timer? last;

    /// <summary>Cancelled by the first signal.</summary>
    public static CancellationToken Stopping => Asked.Token;

    /// <summary>Registers the signal handlers, for the life of the process.</summary>
    public static void Own()
    {
        ulong ignored = Ignored();
        // On Windows these are Ctrl-C, Ctrl-Break, closing the window, and the end of the session. Elsewhere SIGQUIT is not handled, as a last resort.
        (PosixSignal Signal, int Number)[] owned = OperatingSystem.IsWindows()
            ? [(PosixSignal.SIGINT, 0), (PosixSignal.SIGQUIT, 0), (PosixSignal.SIGHUP, 0), (PosixSignal.SIGTERM, 0)]
            : [(PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15)];
        foreach ((PosixSignal signal, int number) in owned)
        {
            if (number == 0 || (ignored >> (number - 1) & 1) == 0)
                Registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    /// <summary>Registers something that must be written when the command ends; dispose it once written.</summary>
    /// <param name="what">For the message about unfinished output.</param>
    public static IDisposable Expect(string what)
    {
        lock (Unfinished)
            Unfinished.Add(what);
        return new Expectation(what);
    }

    /// <summary>Call it when the command has ended.</summary>
    public static void End()
    {
        lock (Unfinished)
        {
            last?.Dispose();
            last = null;
            Over.Set();
        }
    }

    private static void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (Unfinished)
        {
#pragma warning disable RS0030 // It ends the process anyway, so exceptions are ignored.
            if (!Over.IsSet)
                last ??= new Timer(_ => GiveUp(), null, Patience, Timeout.InfiniteTimeSpan);
#pragma warning restore RS0030
        }
        try
        {
            Asked.Cancel();
        }
        catch (AggregateException)
        {
            // A handler that throws does not prevent the others from being called.
        }
        // Windows ends the process as soon as the handler for closing the window returns.
        if (OperatingSystem.IsWindows() && context.Signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM)
            Over.Wait(Patience);
    }

    private static void GiveUp()
    {
        string what;
        lock (Unfinished)
        {
            if (Over.IsSet)
                return;
            what = string.Join(", ", Unfinished);
        }
        ChildProgram.Abandon();
        OutputFile.Abandon();
        // Standard error may be what blocks the command.
        string sentence = $"Still running {Patience.TotalSeconds:0} s after the request to stop{(what.Length > 0 ? $"; not written: {what}" : "")}.";
        Task.Run(() => Console.Error.WriteLine(sentence)).Wait(PatienceWithStandardError);
        ProcessExit.Now(ExitCode.Stopped);
    }

    // Bit n - 1 is signal n. The runtime leaves an ignored SIGINT alone, and no other.
    private static ulong Ignored()
    {
        const string Status = "/proc/self/status", Line = "SigIgn:";
        string? mask = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(Line, StringComparison.Ordinal)) : null;
        return mask is null ? 0 : Convert.ToUInt64(mask[Line.Length..].Trim(), 16);
    }

    private sealed class Expectation(string what) : IDisposable
    {
        public void Dispose()
        {
            lock (Unfinished)
                Unfinished.Remove(what);
        }
    }
}
