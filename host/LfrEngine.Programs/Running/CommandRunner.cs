using System.CommandLine;
using System.Text.RegularExpressions;
using LfrEngine.DirectX.Devices;
using LfrEngine.Evaluation.Data;
using LfrEngine.Files;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;

namespace LfrEngine.Programs;

/// <summary>Runs a command line and returns its exit code: every expected failure is one sentence, never a crash.</summary>
internal static partial class CommandRunner
{
    // The library's words.
    private const string NoCommand = "Required command was not provided.";

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
        // Failures of tasks that are not awaited are reported too.
        TaskScheduler.UnobservedTaskException += (_, e) => Console.Error.WriteLine($"{name}: a background task failed: {Sentence.Of(e.Exception.InnerException?.Message ?? "")}");
        root.Subcommands.Add(CommandsPage.Create(root, name));
        OptionRules.Apply(root);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            // An address in the wrong place may contain a password.
            foreach (string error in Faults(parsed))
                Console.Error.WriteLine(AddressPattern().Replace(error, "an address"));
            Console.Error.WriteLine($"Run `{name} COMMAND --help` for the options of a command.");
            return ExitCode.Usage;
        }
        try
        {
            return StandardScreen.Judge(await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, ProcessSignals.Stopping));
        }
        catch (Exception e) when (CodeOf(e) is { } code)
        {
            StandardScreen.Complain(e is OperationCanceledException ? "Stopped." : Sentence.Of(e.Message));
            return code;
        }
        #pragma warning disable CA1031 // The last handler: a fault ends with a sentence and an exit code, not with a crash report that contains memory.
        catch (Exception e)
        #pragma warning restore CA1031
        {
            Console.Error.WriteLine($"{name} failed: {e.GetType().Name}: {e.Message}");
            Console.Error.WriteLine(e.StackTrace);
            return ExitCode.Internal;
        }
    }

    private static IEnumerable<string> Faults(ParseResult parsed)
    {
        string[] faults = [.. parsed.Errors.Select(e => OptionRules.Fault(e.SymbolResult) ?? e.Message).Distinct()];
        // A misspelt command is named; that it is also missing would confuse.
        return faults.Where(f => faults.Length == 1 || f != NoCommand).Select(f => f.Replace("Unrecognized", "Unrecognised", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"[^\s'""]*://[^\s'""]*")]
    private static partial Regex AddressPattern();

    /// <summary>Exit code of an expected failure; null for a fault of the program.</summary>
    private static int? CodeOf(Exception e) => e switch
    {
        CommandFailure failure => failure.ExitCode,
        UnknownModelException => ExitCode.Usage,
        ModelLoadException or UserFolderException or DllNotFoundException or GpuException or VulkanException => ExitCode.Environment,
        WatchlistException { Reason: WatchlistFailure.WriteFailed or WatchlistFailure.DiskFull } => ExitCode.Output,
        WatchlistException or DataException or MediaException or NotAFileException => ExitCode.Input,
        OperationCanceledException => ExitCode.Stopped,
        _ => null,
    };
}
