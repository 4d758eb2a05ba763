using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>Result of a command.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    /// <summary>Both streams, for what may stand in either.</summary>
    public string Text => Output + Error;

    /// <summary>Standard output as one JSON document.</summary>
    public JsonNode Json => JsonNode.Parse(Output)!;

    /// <summary>Standard output as JSON lines, without progress lines, whose number depends on the machine.</summary>
    public JsonObject[] Lines => [.. JsonLines.Parse(Output).Where(l => (string?)l["type"] is not ("camera" or "heartbeat" or "deadline-missed"))];

    /// <summary>Asserts the exit code; a failure shows what was printed.</summary>
    public Outcome Exits(int code)
    {
        Assert.True(ExitCode == code, $"Exit code {ExitCode} instead of {code}.\nOutput:\n{Output}\nError:\n{Error}");
        return this;
    }

    /// <summary>Asserts that the words stand in what was printed.</summary>
    public Outcome Says(params string[] parts)
    {
        foreach (string part in parts)
            Assert.True(Text.Contains(part, StringComparison.Ordinal), $"\"{part}\" was not said.\nOutput:\n{Output}\nError:\n{Error}");
        return this;
    }

    /// <summary>Asserts that no stack trace and no fault of the program was shown.</summary>
    public Outcome IsCivil()
    {
        Assert.DoesNotContain("   at LfrEngine", Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", Text, StringComparison.Ordinal);
        return this;
    }
}

/// <summary>JSON lines.</summary>
internal static class JsonLines
{
    // Documented to be the run's own, or to depend on its time.
    private static readonly string[] TimeFields =
    [
        "run", "id", "joinedAlertId", "picture",
        "capturedAt", "raisedAt", "latencyMs", "elapsedSeconds", "firstResultSeconds", "framesPerSecond", "captureToAlert", "lifetimes",
        "peakMemoryBytes", "erased",
    ];

    public static JsonObject[] Parse(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    /// <summary>The same lines without what tells the run's own time.</summary>
    public static string WithoutTimes(IEnumerable<JsonObject> lines) => string.Join('\n', lines.Select(line =>
    {
        JsonObject copy = line.DeepClone().AsObject();
        foreach (string field in TimeFields)
            copy.Remove(field);
        return copy.ToJsonString();
    }));

    public static JsonObject Summary(this IEnumerable<JsonObject> lines) => lines.Single(l => (string?)l["type"] == "summary");

    public static JsonObject Camera(this JsonObject summary, string name) => summary["cameras"]!.AsArray().Single(c => (string?)c!["name"] == name)!.AsObject();
}

/// <summary>The real program as a child process.</summary>
internal sealed class Lfr : IDisposable
{
    /// <summary>Far above what is expected, far below a hang.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(150);

    private readonly Process process;
    private readonly List<string> output = [], errors = [];
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly Task ended;

    private Lfr(Process process)
    {
        this.process = process;
        Task outputEnds = Follow(process.StandardOutput, output), errorEnds = Follow(process.StandardError, errors);
        ended = Task.WhenAll(outputEnds, errorEnds, process.WaitForExitAsync(CancellationToken.None));
    }

    /// <summary>lfr as it was built with these tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "lfr.dll");

    /// <summary>The dotnet program by its full path: tests may change PATH.</summary>
    private static string Dotnet { get; } = Find(OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

    /// <summary>The program's own id, for signals.</summary>
    public int Id => process.Id;

    /// <summary>Runs a command to its end.</summary>
    public static Task<Outcome> RunAsync(params string[] arguments) => RunInAsync(null, [], arguments);

    /// <summary>Runs a command to its end in a folder, with additional environment variables.</summary>
    public static async Task<Outcome> RunInAsync(string? folder, (string Name, string Value)[] variables, params string[] arguments)
    {
        using Lfr lfr = Start(folder, variables, arguments);
        return await lfr.EndAsync();
    }

    /// <summary>Starts a command that answers to Ctrl-C even where the test runner itself was started without.</summary>
    public static Lfr Start(string? folder, (string Name, string Value)[] variables, params string[] arguments) => StartProgram(Program, folder, variables, arguments);

    /// <summary>The same for another program of ours.</summary>
    public static Lfr StartProgram(string program, string? folder, (string Name, string Value)[] variables, params string[] arguments) =>
        OperatingSystem.IsLinux()
            ? Launch(Find("env"), folder, variables, ["--default-signal=INT", Dotnet, program, .. Accept(arguments)])
            : Launch(Dotnet, folder, variables, [program, .. Accept(arguments)]);

    /// <summary>Starts a program of ours in a new process group, as a terminal or a service manager does: signals go to the group.</summary>
    public static Lfr StartGroup(string program, string? folder, (string Name, string Value)[] variables, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Signals and /proc are those of Linux.");
        return Launch(Find("setsid"), folder, variables, [Find("env"), "--default-signal=HUP,INT,TERM", Dotnet, program, .. Accept(arguments)]);
    }

    /// <summary>The same with a signal ignored from the start, as <c>nohup</c> does it.</summary>
    public static Lfr StartGroupIgnoring(string signal, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Signals and /proc are those of Linux.");
        return Launch(Find("setsid"), null, [], [Find("env"), $"--ignore-signal={signal}", Dotnet, Program, .. Accept(arguments)]);
    }

    /// <summary>The same arguments; where the tests' user can lock too little memory, with the option that accepts it.</summary>
    public static string[] Accept(params string[] arguments) =>
        arguments is (["run" or "enrol", ..] or ["cameras", "test", ..] or ["watchlist", "re-enrol", ..]) && LockOption.Shortage() is not null ? [.. arguments, "--allow-unlocked"] : arguments;

    /// <summary>Runs a command to its end in a shell, which redirects it; what is not redirected comes back.</summary>
    /// <param name="redirection">As typed after the command, for example <c>&gt;/dev/full</c> or <c>| head -1</c>. The exit code is the command's own.</param>
    /// <param name="arguments">The command.</param>
    public static async Task<Outcome> RunRedirectedAsync(string redirection, params string[] arguments)
    {
        using Lfr lfr = StartInShell($"\"$@\" {redirection}; exit ${{PIPESTATUS[0]}}", arguments);
        return await lfr.EndAsync();
    }

    /// <summary>Starts a command by a line of the shell, in which it is <c>"$@"</c>.</summary>
    public static Lfr StartInShell(string line, params string[] arguments) =>
        Launch(Find("bash"), null, [], ["-c", line, "lfr", Find("env"), "--default-signal=INT", Dotnet, Program, .. Accept(arguments)]);

    /// <summary>Runs a command to its end with only this much memory to lock, and without the right to lock more.</summary>
    public static async Task<Outcome> RunWithLockLimitAsync(long bytes, params string[] arguments)
    {
        // Root may lock all it likes: that right goes first.
        string[] drop = Environment.IsPrivilegedProcess ? ["--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"] : [];
        using Lfr lfr = Launch(Find("prlimit"), null, [], [$"--memlock={bytes}:{bytes}", Find("setpriv"), .. drop, Dotnet, Program, .. arguments]);
        return await lfr.EndAsync();
    }

    /// <summary>Runs a command to its end in a new network namespace: with only the loopback interface, or with no interface up. Skips the test where that is not allowed.</summary>
    public static async Task<Outcome> RunWithoutNetworkAsync(bool loopback, params string[] arguments)
    {
        string command = string.Join(' ', new[] { Dotnet, Program }.Concat(arguments).Select(a => $"'{a}'"));
        using Lfr lfr = Launch(Find("unshare"), null, [], ["--map-root-user", "--net", "sh", "-c", $"{(loopback ? "ip link set lo up && " : "")}exec {command}"]);
        Outcome outcome = await lfr.EndAsync();
        if (outcome.Error.Contains("unshare", StringComparison.Ordinal) || outcome.Error.Contains("RTNETLINK", StringComparison.Ordinal) || outcome.Error.Contains("not found", StringComparison.Ordinal))
            Assert.Skip($"No network of its own for the test: {outcome.Error}");
        return outcome;
    }

    /// <summary>Starts a command in a terminal of 220 columns, as a person would.</summary>
    public static Lfr StartInTerminal(params string[] arguments) => StartInTerminal([], arguments);

    /// <summary>The same with additional environment variables.</summary>
    public static Lfr StartInTerminal((string Name, string Value)[] variables, params string[] arguments)
    {
        if (!File.Exists("/usr/bin/script"))
            Assert.Skip("No /usr/bin/script to open a terminal with. Debian: apt-get install bsdutils");
        string command = string.Join(' ', new[] { Dotnet, Program }.Concat(Accept(arguments)).Select(a => $"'{a}'"));
        return Launch("/usr/bin/script", null, [("TERM", "xterm"), .. variables], ["-qefc", $"stty cols 220 rows 50; exec env --default-signal=INT {command}", "/dev/null"]);
    }

    /// <summary>Waits until a line is printed.</summary>
    /// <returns>The line.</returns>
    public async Task<string> SeesAsync(string part)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Bound);
        try
        {
            await foreach (string line in lines.Reader.ReadAllAsync(patience.Token))
            {
                if (line.Contains(part, StringComparison.Ordinal))
                    return line;
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // The message below says it.
        }
        Assert.Fail($"\"{part}\" never came.\n{Said()}");
        return "";
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Ctrl-C, typed in the terminal.</summary>
    public Task TypeInterruptAsync() => TypeAsync("\x03");

    /// <summary>Types in the terminal.</summary>
    public async Task TypeAsync(string keys)
    {
        await process.StandardInput.WriteAsync(keys);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<Outcome> EndAsync(TimeSpan? within = null)
    {
        try
        {
            await ended.WaitAsync(within ?? Bound, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The program did not end within {within ?? Bound}.\n{Said()}");
        }
        lock (output)
        {
            lock (errors)
                return new Outcome(process.ExitCode, string.Concat(output.Select(l => l + "\n")), string.Concat(errors.Select(l => l + "\n")));
        }
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        process.Dispose();
    }

    private static Lfr Launch(string program, string? folder, (string Name, string Value)[] variables, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        start.Environment.Remove("LFR_PASSPHRASE");
        start.Environment["NO_COLOR"] = "1";
        // The runtime's own sockets in the temporary folder would be mistaken for files left behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        return new Lfr(Process.Start(start)!);
    }

    private static string Find(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;

    private async Task Follow(StreamReader reader, List<string> into)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (into)
                into.Add(line);
            lines.Writer.TryWrite(line);
        }
        if (ReferenceEquals(into, output))
            lines.Writer.TryComplete();
    }

    private string Said()
    {
        lock (output)
        {
            lock (errors)
                return $"Output:\n{string.Join('\n', output.TakeLast(60))}\nError:\n{string.Join('\n', errors.TakeLast(60))}";
        }
    }
}
