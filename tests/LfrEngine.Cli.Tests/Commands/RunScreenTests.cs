using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using LfrEngine.Cli.Commands;
using LfrEngine.Cli.Screen;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>What is shown never decides whether the engine runs: full, closed, broken and stuck screens.</summary>
[Trait("Speed", "slow")]
public sealed class RunScreenTests(Material material) : IDisposable
{
    private const string Lost = "Standard output cannot be written";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(">/dev/full", false, true)]
    [InlineData(">/dev/full", true, true)]
    [InlineData(">&-", false, true)]
    [InlineData(">&-", true, true)]
    [InlineData("| head -n 1", false, true)]
    [InlineData("| head -n 1", true, true)]
    [InlineData(">/dev/full 2>/dev/full", true, false)]
    [InlineData(">&- 2>&-", true, false)]
    [InlineData("2>&-", false, false)]
    public async Task Run_LostScreen_WritesAllElseAndEndsAsWithoutTheFault(string redirection, bool json, bool said)
    {
        Outcome run = (await Lfr.RunRedirectedAsync(redirection, Arguments(json))).Exits(ExitCode.Success).IsCivil();

        Assert.Equal(said ? 1 : 0, run.Error.Split(Lost).Length - 1);
        await AssertAllWrittenAsync();
    }

    [Theory]
    [InlineData(">/dev/full", "No space left on device", "models", "list", "--json")]
    [InlineData(">/dev/full", "No space left on device", "config", "schema")]
    [InlineData(">/dev/full", "No space left on device", "--help")]
    [InlineData(">&-", "closed", "models", "list")]
    public async Task Show_LostScreen_FailsWithOneSentence(string redirection, string why, params string[] command)
    {
        Outcome shown = (await Lfr.RunRedirectedAsync(redirection, command)).Exits(ExitCode.Output).Says($"{Lost}: ", why).IsCivil();

        Assert.Single(shown.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Enrol_LostScreen_WritesTheList()
    {
        (await Lfr.RunRedirectedAsync(">/dev/full", "enrol", Path.Combine(Path.GetDirectoryName(material.Photo)!, "people"), "-o", folder["list.lfr"], "--key-file", material.KeyFile)).Exits(ExitCode.Success).Says(Lost).IsCivil();

        Assert.Equal(["list.lfr"], folder.Files);
    }

    /// <summary>A reader that sleeps (less, a stopped terminal, a hung consumer): its pipe is full before the first line.</summary>
    [Fact]
    public async Task Run_ScreenThatTakesNothing_HoldsUpNeitherTheEngineNorCtrlC()
    {
        const int PipeBytes = 65536;
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", [folder["pipe"]]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        using Lfr lfr = Lfr.StartInShell($"exec 7<>'{folder["pipe"]}'; head -c {PipeBytes} /dev/zero >&7; exec \"$@\" >&7", Arguments(json: true));

        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!File.Exists(folder["receipt.json"]) && await look.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
        }
        await AssertAllWrittenAsync();
        lfr.Interrupt();

        (await lfr.EndAsync()).IsCivil();
    }

    [Fact]
    public async Task Run_OutIsStandardOutputInAFile_LosesNoLine()
    {
        string file = folder["all.txt"];
        (await Lfr.RunRedirectedAsync($">'{file}'", ["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}", "--out", "/dev/stdout"])).Exits(ExitCode.Success).IsCivil();

        string[] lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal(["alert", "summary"], lines.Where(l => l.StartsWith('{')).Select(l => (string?)JsonNode.Parse(l)!["type"]));
        Assert.Contains(lines, l => l.StartsWith("ALERT gate at 00:02.28", StringComparison.Ordinal));
        Assert.Contains("gate: running", lines);
    }

    [Fact]
    public async Task Run_PipedAndCameraOutOfReach_ReportsEachAttempt()
    {
        using Lfr lfr = Lfr.Start(null, [], ["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", "gate=rtsp://127.0.0.1:9/nothing"]);

        string first = await lfr.SeesAsync("trying again in"), second = await lfr.SeesAsync("trying again in");
        lfr.Interrupt();

        Assert.StartsWith("gate: ", first, StringComparison.Ordinal);
        Assert.NotEqual(first, second);
        (await lfr.EndAsync()).IsCivil();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lines_NothingHappens_GiveASignOfLifeAgainAndAgain(bool json)
    {
        using var output = new StringWriter();
        TextWriter written = TextWriter.Synchronized(output);
        CameraStatus[] cameras = [new("gate"), new("hall")];
        SetMessage(cameras[0], "refused; trying again in 2 s");
        TimeSpan often = TimeSpan.FromMilliseconds(60);
        using RunScreen screen = json ? new RunJson(cameras, written, written, often) : new RunText(cameras, written, written, often);
        screen.Start();

        string Written()
        {
            // As the synchronised writer itself locks.
            lock (written)
                return output.ToString();
        }

        string sign = json ? "\"heartbeat\"" : "into the run: gate opening (refused; trying again in 2 s), 0 frames, 0 faces seen, 0 alerts; hall opening";
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (Written().Split(sign).Length < 4)
            await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);

        string[] lines = Written().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // Two cameras, one state each: shown once, however often the heartbeat comes.
        Assert.Equal(2, lines.Count(l => !l.Contains(sign, StringComparison.Ordinal)));
        if (!json)
            return;
        JsonObject heartbeat = JsonNode.Parse(lines.First(l => l.Contains(sign, StringComparison.Ordinal)))!.AsObject();
        Assert.Equal(["gate", "hall"], heartbeat["cameras"]!.AsArray().Select(c => (string?)c!["name"]));
        Assert.Equal(("opening", 0, 0, 0), ((string?)heartbeat["cameras"]![0]!["state"], (int)heartbeat["cameras"]![0]!["framesAnalysed"]!, (int)heartbeat["cameras"]![0]!["facesSeen"]!, (int)heartbeat["cameras"]![0]!["alerts"]!));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Message")]
    private static extern void SetMessage(CameraStatus camera, string message);

    [Theory]
    [InlineData(2_280, "at 00:02.28:")]
    [InlineData(3_599_990, "at 59:59.99:")]
    [InlineData(3_600_000, "at 1:00:00.00:")]
    [InlineData(40_000_280, "at 11:06:40.28:")]
    [InlineData(360_000_000, "at 100:00:00.00:")]
    public void Alert_AtAnyStreamTime_IsShownWithItsHours(long milliseconds, string said) =>
        Assert.Contains(said, new AlertNotice("gate", "A", WatchlistCategory.Wanted, 0.5f, milliseconds * 1000, null, false).Sentence, StringComparison.Ordinal);

    private string[] Arguments(bool json) =>
        ["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, .. json ? (string[])["--json"] : [], "--camera", $"gate={material.ShortClip}",
            "--out", folder["alerts.jsonl"], "--crops", folder["crops"], "--receipt", folder["receipt.json"]];

    private async Task AssertAllWrittenAsync()
    {
        JsonObject[] lines = JsonLines.Parse(await File.ReadAllTextAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken));
        Assert.Equal(["alert", "summary"], lines.Select(l => (string?)l["type"]));
        Assert.True(File.Exists(folder[$"crops/{(string?)lines[0]["picture"]}"]));
        JsonNode receipt = JsonNode.Parse(await File.ReadAllTextAsync(folder["receipt.json"], TestContext.Current.CancellationToken))!["receipt"]!;
        Assert.Equal(((string?)lines[1]["run"], 75), ((string?)receipt["run"], (int)receipt["frames"]!));
    }
}
