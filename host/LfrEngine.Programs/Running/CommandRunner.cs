using System.CommandLine;
using System.Text.RegularExpressions;
using LfrEngine.DirectX;
using LfrEngine.Evaluation.Data;
using LfrEngine.Files;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Vulkan;
using LfrEngine.Watchlists;

namespace LfrEngine.Programs;

/// <summary>Runs a command line to its exit code: every expected failure is one sentence, never a crash.</summary>
internal static partial class CommandRunner
{
    /// <summary>Parses and runs.</summary>
    /// <param name="root">All commands.</param>
    /// <param name="args">The command line.</param>
    /// <param name="name">Of the program, for messages.</param>
    public static async Task<int> RunAsync(RootCommand root, string[] args, string name)
    {
        ProcessSignals.Own();
        try
        {
            return await ParseAndRunAsync(root, args, name);
        }
        finally
        {
            ProcessSignals.End();
        }
    }

    private static async Task<int> ParseAndRunAsync(RootCommand root, string[] args, string name)
    {
        StandardScreen.Attach();
        // What nobody awaits, and failed, is told all the same.
        TaskScheduler.UnobservedTaskException += (_, e) => Console.Error.WriteLine($"{name}: a background task failed: {e.Exception.InnerException?.Message}");
        root.Subcommands.Add(CommandsPage.Create(root, name));
        NumberOptions.BeStrict(root);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            // An address that stands where none belongs may hold a password.
            foreach (string error in parsed.Errors.Select(e => NumberOptions.Fault(e.SymbolResult) ?? e.Message).Distinct())
                Console.Error.WriteLine(Shown.Text(AddressPattern().Replace(error, "an address")));
            Console.Error.WriteLine($"Run `{name} COMMAND --help` for the options of a command.");
            return ExitCode.Usage;
        }
        try
        {
            return StandardScreen.Judge(await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, ProcessSignals.Stopping));
        }
        catch (Exception e) when (CodeOf(e) is { } code)
        {
            StandardScreen.Complain(e is OperationCanceledException ? "Stopped." : e.Message);
            return code;
        }
        #pragma warning disable CA1031 // The last line of defence: a fault ends in a sentence and a code, not in a crash report with memory in it.
        catch (Exception e)
        #pragma warning restore CA1031
        {
            Console.Error.WriteLine($"{name} failed: {e.GetType().Name}: {e.Message}");
            Console.Error.WriteLine(e.StackTrace);
            return ExitCode.Internal;
        }
    }

    [GeneratedRegex(@"[^\s'""]*://[^\s'""]*")]
    private static partial Regex AddressPattern();

    /// <summary>Exit code of what can be expected to go wrong; null of a fault of the program.</summary>
    private static int? CodeOf(Exception e) => e switch
    {
        CommandFailure failure => failure.ExitCode,
        ModelLoadException or UserFolderException or DllNotFoundException or GpuException or VulkanException => ExitCode.Environment,
        WatchlistException { Reason: WatchlistFailure.WriteFailed or WatchlistFailure.DiskFull } => ExitCode.Output,
        WatchlistException or DataException or MediaException or NotAFileException => ExitCode.Input,
        OperationCanceledException => ExitCode.Stopped,
        _ => null,
    };
}
