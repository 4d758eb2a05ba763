using System.Net.Sockets;
using System.Text.Json.Nodes;
using LfrEngine.Models;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Stopped commands: they end in order, and their output files are complete or absent.</summary>
[Trait("Speed", "slow")]
public sealed class EndingTests(Material material) : IDisposable
{
    private const string Old = "LFRWATCH, an older one";

    private readonly TemporaryFolder folder = new(), temporary = new();

    /// <summary>Twice every long command, at random moments.</summary>
    public static IEnumerable<TheoryDataRow<string, string, int, int>> Moments => Moment.Spread(12, 16, 2500, "run", "run max", "enrol", "verify", "detect", "bench", "demo", "serve");

    public void Dispose()
    {
        folder.Dispose();
        temporary.Dispose();
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Command_StoppedTwice_EndsInOrder(string command, string signal, int gapMs, int afterMs)
    {
        string output = folder["output"], receipt = folder["receipt"];
        string[] arguments = Prepare(command, output, receipt);
        using Lfr lfr = Lfr.StartGroup(Lfr.Program, null, [("TMPDIR", temporary.Path), ("LFR_CONFIG", folder["config"]), .. command == "demo" ? [("LFR_CACHE", CacheWithoutAClip())] : Array.Empty<(string, string)>()], arguments);

        Outcome outcome = await new Moment(command, signal, gapMs, afterMs).StopAsync(lfr);

        Assert.DoesNotContain(folder.Files, f => f.Contains(".partial", StringComparison.Ordinal));
        Assert.Empty(temporary.Files);
        if (arguments[0] == "run")
        {
            // Told before there was a run: then there is nothing to sum up. Told before the first frame: no camera delivered.
            bool ran = outcome.ExitCode is ExitCode.Success or ExitCode.Input;
            Assert.Equal(ran ? "summary" : null, File.Exists(output) ? (string?)JsonLines.Parse(await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken)).LastOrDefault()?["type"] : null);
            if (ran)
                (await Lfr.RunInAsync(null, [("LFR_CONFIG", folder["config"])], "receipt", "verify", receipt)).Exits(ExitCode.Success);
            else
                Assert.False(File.Exists(receipt));
        }
        else if (command == "enrol")
        {
            string written = await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken);
            Assert.Equal(outcome.ExitCode == ExitCode.Stopped, written == Old);
        }
        else if (command == "demo")
        {
            foreach (string list in Directory.GetFiles(folder.Path, "watchlist.lfr", SearchOption.AllDirectories))
                WatchlistFile.ReadHeader(list);
        }
    }

    [Fact]
    public async Task Command_ThatCannotEnd_IsEndedAfterTenSecondsWithWords()
    {
        // Arguments from a pipe that nobody writes to: nothing of ours can interrupt that.
        string pipe = Pipe("arguments");
        using Lfr lfr = Lfr.StartGroup(Lfr.Program, null, [], "run", "@" + pipe);
        await Signals.UntilOwnedAsync(lfr.Id);
        long told = TimeProvider.System.GetTimestamp();
        Signals.Send(lfr.Id, "TERM");

        Outcome outcome = (await lfr.EndAsync(TimeSpan.FromSeconds(30))).Exits(ExitCode.Stopped);

        Assert.True(TimeProvider.System.GetElapsedTime(told).TotalSeconds >= 9.5);
        outcome.Says("Still running 10 s after the request to stop").IsCivil();
    }

    [Fact]
    public async Task Run_WhileTheNameOfACameraIsLookedUp_EndsInOrder()
    {
        // A name service that does not answer, which nothing can interrupt.
        string source = Written("names.c", "#include <unistd.h>\nint getaddrinfo(const char *a, const char *b, const void *c, void **d) { write(2, \"looking up\\n\", 11); sleep(60); return -3; }\n"), library = folder["names.so"];
        using (var compile = System.Diagnostics.Process.Start("gcc", ["-shared", "-fPIC", "-o", library, source]))
            await compile.WaitForExitAsync(TestContext.Current.CancellationToken);
        using Lfr lfr = Lfr.StartGroup(Lfr.Program, null, [("LD_PRELOAD", library), ("LFR_CONFIG", folder["config"])], material.Run("--camera", "gate=rtsp://camera.invalid/live", "--receipt", folder["receipt"]));
        await lfr.SeesAsync("looking up");

        Signals.Send(lfr.Id, "TERM");

        Outcome outcome = (await lfr.EndAsync(TimeSpan.FromSeconds(9))).Exits(ExitCode.Input).Says("sent no picture").IsCivil();
        Assert.Equal(0, (int)outcome.Lines.Summary()["frames"]!);
        Assert.True(File.Exists(folder["receipt"]));
    }

    [Fact]
    public async Task Run_UnderNohup_OutlivesTheTerminal()
    {
        using Lfr run = Lfr.StartGroupIgnoring("HUP", material.Run("--camera", $"gate={material.ShortClip}", "--pace", "realtime"));
        while ((Signals.Mask(run.Id, "SigCgt:") & Signals.Bit("TERM")) == 0)
            await Task.Delay(5, TestContext.Current.CancellationToken);

        Signals.Send(run.Id, "HUP");

        JsonObject summary = (await run.EndAsync()).Exits(ExitCode.Success).Lines.Summary();
        Assert.Equal(75, (int)summary["frames"]! + (int)summary["framesDropped"]!);
    }

    [Theory]
    [InlineData("watchlist"), InlineData("key"), InlineData("people.csv"), InlineData("receipt"), InlineData("trusted key"), InlineData("camera"), InlineData("bench"), InlineData("pairs"), InlineData("evidence"), InlineData("config"), InlineData("audit")]
    public async Task Input_ThatIsANamedPipe_IsRefusedByName(string what)
    {
        string pipe = Pipe("x.jpg"), clip = $"gate={material.ShortClip}";
        string[] arguments = what switch
        {
            "watchlist" => ["run", "--watchlist", pipe, "--key-file", material.KeyFile, "--camera", clip],
            "key" => ["run", "--watchlist", material.Watchlist, "--key-file", pipe, "--camera", clip],
            "people.csv" => ["enrol", pipe, "-o", folder["list.lfr"], "--key-file", material.KeyFile],
            "receipt" => ["receipt", "verify", pipe],
            "trusted key" => ["receipt", "verify", Written("receipt", "{}"), "--key", pipe],
            "camera" => material.Run("--camera", $"gate={pipe}"),
            "bench" => ["bench", pipe],
            "pairs" => ["verify", pipe, "--images", folder.Path],
            "evidence" => ["evidence", "verify", pipe],
            "config" => ["config", "check", "--config", pipe],
            _ => ["audit", "verify", pipe],
        };

        using Lfr lfr = Lfr.Start(null, [], arguments);
        (await lfr.EndAsync(TimeSpan.FromSeconds(60))).Exits(ExitCode.Input).Says("x.jpg", "is a named pipe, not a ").IsCivil();
    }

    [Theory]
    [InlineData("pipe", "a named pipe"), InlineData("socket", "a socket"), InlineData("device", "a device"), InlineData("folder", "a folder")]
    public async Task Photo_NotAFile_IsRefusedByNameAndTheOtherIsUsed(string kind, string words)
    {
        Directory.CreateDirectory(folder["people/her"]);
        File.Copy(material.Photo, folder["people/her/a.jpg"]);
        string photo = folder["people/her/x.jpg"];
        Socket? socket = null;
        switch (kind)
        {
            case "pipe":
                Pipe("people/her/x.jpg");
                break;
            case "socket":
                socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Bind(new UnixDomainSocketEndPoint(photo));
                break;
            case "device":
                File.CreateSymbolicLink(photo, "/dev/zero");
                break;
            default:
                Directory.CreateDirectory(photo);
                break;
        }
        string list = Written("people/people.csv", "id,photos\nher,her/a.jpg;her/x.jpg\n");

        using (socket)
            (await Lfr.RunAsync("enrol", list, "-o", folder["list.lfr"], "--key-file", material.KeyFile)).Exits(ExitCode.Success).Says($"x.jpg is {words}, not a file").IsCivil();
    }

    [Fact]
    public async Task PictureFolder_WithANamedPipe_ContinuesWithTheOthers()
    {
        Directory.CreateDirectory(folder["pictures"]);
        Pipe("pictures/a.jpg");
        File.Copy(material.Photo, folder["pictures/b.jpg"]);

        using Lfr lfr = Lfr.Start(null, [], material.Run("--camera", $"gate={folder["pictures"]}"));
        JsonObject camera = (await lfr.EndAsync(TimeSpan.FromSeconds(60))).Exits(ExitCode.Success).Lines.Summary().Camera("gate");

        Assert.Contains("a.jpg is a named pipe, not a file", (string?)camera["message"], StringComparison.Ordinal);
        Assert.Equal(1, (int)camera["framesAnalysed"]!);
    }

    [Theory]
    [InlineData("enrol"), InlineData("receipt")]
    public async Task Output_ThatIsADevice_IsRefusedAndLeftAlone(string what)
    {
        // A link, so that what a fault would replace is the link.
        string device = folder["device"];
        File.CreateSymbolicLink(device, "/dev/null");

        Outcome outcome = await (what == "enrol"
            ? Lfr.RunAsync("enrol", People(1), "-o", device, "--key-file", material.KeyFile)
            : Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--receipt", device)));

        outcome.Exits(ExitCode.Output).Says(what == "enrol" ? "device is a device, not a file" : "a receipt is never replaced").IsCivil();
        Assert.Equal("/dev/null", new FileInfo(device).LinkTarget);
    }

    private string[] Prepare(string command, string output, string receipt)
    {
        switch (command)
        {
            case "run":
                return material.Run("--pace", "realtime", "--camera", $"gate={material.Clip}", "--out", output, "--receipt", receipt);
            case "run max":
                return material.Run("--pace", "max", "--camera", $"gate={material.Clip}", "--camera", $"door={material.Clip}", "--out", output, "--receipt", receipt);
            case "enrol":
                File.WriteAllText(output, Old);
                return ["enrol", People(40), "-o", output, "--key-file", material.KeyFile];
            case "verify":
                return ["verify", People(40)];
            case "detect":
                return ["detect", Labelled(40)];
            case "bench":
                return ["bench", material.ShortClip, "--cameras", "1", "--seconds", "5", "--templates", "1000", "--pace", "max"];
            case "demo":
                return ["demo", "--out-dir", folder["demo"]];
            default:
                return ["serve", "--config", Written("lfr.json", """{ "name": "Test van", "listen": ["https://127.0.0.1:0"], "engine": { "allowUnlocked": true } }""")];
        }
    }

    private string People(int photos)
    {
        foreach ((string person, string photo) in new[] { ("her", material.Photo), ("him", material.OtherPhoto) })
        {
            Directory.CreateDirectory(folder[$"people/{person}"]);
            for (int i = 0; i < photos; i++)
                File.Copy(photo, folder[$"people/{person}/{i}.jpg"]);
        }
        return folder["people"];
    }

    private string Labelled(int pictures)
    {
        Directory.CreateDirectory(folder["labelled/images"]);
        for (int i = 0; i < pictures; i++)
            File.Copy(material.Photo, folder[$"labelled/images/{i}.jpg"]);
        Written("labelled/labelv2.txt", string.Concat(Enumerable.Range(0, pictures).Select(i => $"# {i}.jpg 460 580\n100 100 300 400\n")));
        return folder["labelled"];
    }

    // The models, and no clip yet: it is made by ffmpeg, a child.
    private string CacheWithoutAClip()
    {
        string cache = folder["cache"];
        Directory.CreateDirectory(cache);
        foreach (string package in Directory.GetDirectories(ModelCatalog.Default.Cache.Root, "*@*").Where(p => !Path.GetFileName(p).StartsWith('.')))
            Directory.CreateSymbolicLink(Path.Combine(cache, Path.GetFileName(package)), package);
        return cache;
    }

    private string Pipe(string name)
    {
        string pipe = folder[name];
        using var make = System.Diagnostics.Process.Start("mkfifo", [pipe]);
        make.WaitForExit();
        return pipe;
    }

    private string Written(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.WriteAllText(folder[name], text);
        return folder[name];
    }
}
