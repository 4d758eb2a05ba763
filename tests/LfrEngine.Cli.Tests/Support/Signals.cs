using System.Globalization;
using System.Runtime.InteropServices;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>A moment at which a command is stopped.</summary>
/// <param name="Command">Which command.</param>
/// <param name="Signal">Sent twice to the whole process group.</param>
/// <param name="GapMs">Between the two.</param>
/// <param name="AfterMs">After the program has taken its signals.</param>
public sealed record Moment(string Command, string Signal, int GapMs, int AfterMs)
{
    /// <summary>Random moments spread over commands, signals and gaps; the same ones in every run.</summary>
    /// <param name="seed">Of the moments.</param>
    /// <param name="count">How many.</param>
    /// <param name="longestMs">Latest moment.</param>
    /// <param name="commands">In turn.</param>
    public static IEnumerable<TheoryDataRow<string, string, int, int>> Spread(int seed, int count, int longestMs, params string[] commands)
    {
        string[] signals = ["INT", "TERM", "HUP"];
        int[] gaps = [0, 20, 300];
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
            yield return new(commands[i % commands.Length], signals[i % signals.Length], gaps[i / signals.Length % gaps.Length], random.Next(longestMs));
    }

    /// <summary>Sends the signals to a program started by <see cref="Lfr.StartGroup"/> and waits for its end.</summary>
    /// <returns>The result; nothing of its process group is left.</returns>
    internal async Task<Outcome> StopAsync(Lfr lfr)
    {
        // Well within the 10 s after which the program is ended by force.
        var promptly = TimeSpan.FromSeconds(9);
        await Signals.UntilOwnedAsync(lfr.Id);
        await Task.Delay(AfterMs, TestContext.Current.CancellationToken);
        Signals.Send(lfr.Id, Signal);
        if (GapMs > 0)
            await Task.Delay(GapMs, TestContext.Current.CancellationToken);
        Signals.Send(lfr.Id, Signal);
        Outcome outcome = (await lfr.EndAsync(promptly)).IsCivil();
        // On a fast machine a command may have ended before the stop: a verification of these few people is then refused.
        bool mayBeRefused = Command is "verify" or "identify" || Command.StartsWith("run", StringComparison.Ordinal);
        Assert.True(outcome.ExitCode is ExitCode.Success or ExitCode.Stopped || (mayBeRefused && outcome.ExitCode == ExitCode.Input), $"Exit code {outcome.ExitCode}.\n{outcome.Text}");
        Assert.Empty(Signals.GroupOf(lfr.Id));
        return outcome;
    }
}

/// <summary>Signals and process groups of Linux.</summary>
internal static partial class Signals
{
    private static readonly string[] Names = ["", "HUP", "INT", "", "", "", "", "", "", "", "", "", "", "", "", "TERM"];

    /// <summary>Waits until a program has installed its signal handlers.</summary>
    public static async Task UntilOwnedAsync(int process)
    {
        ulong wanted = Bit("HUP") | Bit("INT") | Bit("TERM");
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while ((Mask(process, "SigCgt:") & wanted) != wanted)
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Signals that a process has taken or ignores, one bit each.</summary>
    public static ulong Mask(int process, string line)
    {
        try
        {
            string text = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith(line, StringComparison.Ordinal));
            return Convert.ToUInt64(text[line.Length..].Trim(), 16);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return 0;
        }
    }

    public static ulong Bit(string name) => 1UL << (Array.IndexOf(Names, name) - 1);

    /// <summary>Sends a signal to a process group. Nothing happens when it has gone.</summary>
    public static void Send(int group, string name) => _ = Kill(-group, Array.IndexOf(Names, name));

    /// <summary>Processes of a group, zombies apart.</summary>
    public static int[] GroupOf(int group) =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, out _)).Select(n => int.Parse(n!, CultureInfo.InvariantCulture)).Where(id => IsIn(id, group))];

    private static bool IsIn(int process, int group)
    {
        try
        {
            // pid (name) state parent group …; the name may hold anything.
            string[] fields = File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields[0] != "Z" && int.Parse(fields[2], CultureInfo.InvariantCulture) == group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
