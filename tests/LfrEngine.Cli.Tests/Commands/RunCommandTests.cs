using System.Text.Json.Nodes;
using LfrEngine.Cli.Commands;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>The clip of the demonstration at full speed: the same every time, alone or with other cameras.</summary>
[Trait("Speed", "slow")]
public sealed class RunDeterminismTests(Material material)
{
    /// <summary>Every block of locked memory between inaccessible pages, its canaries checked as it is freed: nobody reads or writes beyond one.</summary>
    [Fact]
    public async Task Run_WithGuardPages_FindsNobodyBeyondABlock()
    {
        Outcome outcome = (await Lfr.RunInAsync(null, [("LFR_MEMORY_GUARD", "1")], material.Run("--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success).IsCivil();

        JsonObject summary = outcome.Lines.Summary();
        Assert.Equal((1, "ended", 0L), ((int)summary["alerts"]!, (string?)summary.Camera("gate")["state"], (long)summary["erased"]!["frameBuffersHeld"]!));
    }

    [Fact]
    public async Task Run_SameClipTwice_GivesTheSameApartFromTimes()
    {
        string[] arguments = material.Run("--pace", "max", "--camera", $"gate={material.Clip}");
        JsonObject[] first = (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success).Lines;
        JsonObject[] second = (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success).Lines;

        Assert.Equal(JsonLines.WithoutTimes(first), JsonLines.WithoutTimes(second));
        Assert.Equal(2, first.Length);
        JsonObject camera = first.Summary().Camera("gate");
        Assert.Equal(("ended", 380, 0), ((string?)camera["state"], (int)camera["framesAnalysed"]!, (int)camera["framesDropped"]!));
    }

    [Fact]
    public async Task Run_SameClipAsTwoCameras_GivesEachWhatItGivesAloneAndJoinsTheAlerts()
    {
        JsonObject[] single = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success).Lines;
        JsonObject[] both = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--camera", $"hall={material.ShortClip}"))).Exits(ExitCode.Success).Lines;

        JsonObject alone = single.Summary().Camera("gate");
        foreach (string name in (string[])["gate", "hall"])
        {
            JsonObject beside = both.Summary().Camera(name);
            foreach (string field in (string[])["traceSha256", "tracklets", "facesSeen", "facesDetected", "shotsCompared", "framesAnalysed"])
                Assert.Equal(alone[field]!.ToJsonString(), beside[field]!.ToJsonString());
        }
        JsonObject alert = Assert.Single(both, l => (string?)l["type"] == "alert");
        JsonObject sighting = Assert.Single(both, l => (string?)l["type"] == "sighting");
        Assert.Equal((string?)alert["id"], (string?)sighting["joinedAlertId"]);
        Assert.NotEqual((string?)alert["camera"], (string?)sighting["camera"]);
        Assert.Equal((float)single[0]["score"]!, (float)alert["score"]!);
        Assert.Equal((1, 1), ((int)both.Summary()["alerts"]!, (int)both.Summary()["joinedAlerts"]!));
    }
}

/// <summary>A real street.</summary>
[Trait("Speed", "slow")]
public sealed class RunStreetTests(Material material)
{
    private const long MostBytes = 600_000_000;

    [Fact]
    public async Task Run_StreetTwice_GivesTheSameApartFromTimesWithinMemory()
    {
        string[] arguments = material.Run("--pace", "max", "--camera", $"street={Shared.Need("video/street-1080p25.mp4")}");
        JsonObject[] first = (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success).Lines;
        JsonObject[] second = (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success).Lines;

        Assert.Equal(JsonLines.WithoutTimes(first), JsonLines.WithoutTimes(second));
        JsonObject summary = first.Summary();
        Assert.Equal((105, 0), ((int)summary["frames"]!, (int)summary["alerts"]!));
        Assert.Equal((1920, 1080), ((int)summary.Camera("street")["width"]!, (int)summary.Camera("street")["height"]!));
        Assert.True((int)summary["facesSeen"]! >= 3);
        Assert.InRange((long)summary["peakMemoryBytes"]!, 1, MostBytes);
        Assert.Equal(0, (int)summary["erased"]!["frameBuffersHeld"]!);
    }
}

/// <summary>Pace, outputs and arguments.</summary>
[Trait("Speed", "slow")]
public sealed class RunCommandTests(Material material)
{
    public static TheoryData<string[], string[]> Nonsense => new()
    {
        { ["--camera", "gate"], ["\"gate\" is not NAME=SOURCE", "for example gate=rtsp://"] },
        { ["--camera", "gate="], ["\"gate=\" is not NAME=SOURCE"] },
        { ["--camera", "=clip.mp4"], ["\"=clip.mp4\" is not NAME=SOURCE"] },
        { ["--camera", "a=1.mp4", "--camera", "a=2.mp4"], ["Two cameras are named"] },
        { ["--camera", "a=1.mp4", "--threshold", "1.5"], ["above -1 and at most 1", "1.5"] },
        { ["--camera", "a=1.mp4", "--threshold", "-1"], ["above -1 and at most 1"] },
        { ["--camera", "a=1.mp4", "--threshold", "NaN"], ["--threshold takes a number"] },
        { ["--camera", "a=1.mp4", "--threshold", "high"], ["high", "--threshold"] },
        { ["--camera", "a=1.mp4", "--pace", "slow"], ["slow", "realtime", "max"] },
        { ["--camera", "a=1.mp4,zone=5,30 95,30"], ["zone=5,30 95,30 is not 3 to 32 corners in percent"] },
        { ["--camera", "a=1.mp4,zone=5,30 95,30 95,100,mirror,zone=5,30 95,30 95,100"], ["zone is given twice"] },
        { ["--camera", "a=1.mp4", "--bogus"], ["--bogus", "--help"] },
        { ["--camera", "a=1.mp4", "--grid", "0"], ["--grid", "32"] },
        { [], ["--camera"] },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Run_NonsensicalArguments_SaysWhich(string[] arguments, string[] said) =>
        (await Lfr.RunAsync(material.Run(arguments))).Exits(ExitCode.Usage).Says(said).IsCivil();

    [Theory]
    [InlineData("a.mp4,zone=5,30 95,30 95.5,100", "a.mp4", "5,30 95,30 95.5,100", false)]
    [InlineData("a,b=c.mp4,zone=5,30 95,30 95,100,mirror", "a,b=c.mp4", "5,30 95,30 95,100", true)]
    [InlineData("a.mp4,mirror,zone=5,30 95,30 95,100", "a.mp4", "5,30 95,30 95,100", true)]
    [InlineData("a,zone=1,cut.mp4,mirror", "a,zone=1,cut.mp4", null, true)]
    [InlineData("a.mp4", "a.mp4", null, false)]
    public void Run_CameraWithAZone_IsRead(string text, string source, string? zone, bool mirror)
    {
        CameraSettings camera = RunCommand.ParseCamera($"gate={text}", Pace.Automatic);

        Assert.Equal((source, zone, mirror), (camera.Source, camera.Zone?.ToString(), camera.Options.Mirror));
    }

    [Fact]
    public async Task Run_ThresholdAboveTheScore_RaisesNothing()
    {
        JsonObject[] lines = (await Lfr.RunAsync(material.Run("--threshold", "0.99", "--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success).Lines;

        Assert.Equal((75, 0), ((int)Assert.Single(lines)["frames"]!, (int)lines.Summary()["alerts"]!));
    }

    [Fact]
    public async Task Run_RealTime_TakesAsLongAsTheClipAndStillRaisesTheAlert()
    {
        JsonObject[] lines = (await Lfr.RunAsync(material.Run("--pace", "realtime", "--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success).Lines;

        JsonObject summary = lines.Summary();
        // 75 frames at 25 per second; upwards only a hang counts, since other work shares the machine.
        Assert.InRange((double)summary["elapsedSeconds"]!, 2.9, 60);
        Assert.Equal(75, (int)summary["frames"]! + (int)summary["framesDropped"]!);
        Assert.Equal(Material.Woman, (string?)lines.First(l => (string?)l["type"] == "alert")["candidate"]!["id"]);
    }

    [Fact]
    public async Task Run_OutFile_AppendsLinesAndPictures()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["alerts.jsonl"], "{\"type\":\"earlier\"}\n", TestContext.Current.CancellationToken);

        Outcome run = await Lfr.RunAsync(material.Run("--camera", $"main gate/1={material.ShortClip}", "--out", folder["alerts.jsonl"], "--crops", folder["crops"]));

        JsonObject[] written = JsonLines.Parse(await File.ReadAllTextAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken));
        Assert.Equal(["earlier", "alert", "summary"], written.Select(l => (string?)l["type"]));
        Assert.Equal(run.Exits(ExitCode.Success).Lines.Select(l => l.ToJsonString()), written[1..].Select(l => l.ToJsonString()));
        string picture = Assert.Single(folder.Files, f => f.StartsWith("crops", StringComparison.Ordinal));
        Assert.Equal(Path.GetFileName(picture), (string?)written[1]["picture"]);
        using MediaFrame decoded = MediaReader.ReadPicture(await File.ReadAllBytesAsync(folder[picture], TestContext.Current.CancellationToken));
        Assert.Equal((520, 256), (decoded.Info.Width, decoded.Info.Height));
    }

    [Fact]
    public async Task Run_OutIsANamedPipe_GetsTheLines()
    {
        using var folder = new TemporaryFolder();
        string pipe = folder["pipe"];
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        Task<string> reading = Task.Run(() => File.ReadAllText(pipe), TestContext.Current.CancellationToken);

        (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--out", pipe))).Exits(ExitCode.Success);

        Assert.Equal(["alert", "summary"], JsonLines.Parse(await reading).Select(l => (string?)l["type"]));
    }

    [Fact]
    public async Task Run_OutFileOnAFullDisk_ShowsTheLinesAndSaysSo()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("No /dev/full on this system.");

        Outcome run = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--out", "/dev/full"))).Exits(ExitCode.Output);

        run.Says("2 lines could not be written to /dev/full", "The disk is full.").IsCivil();
        Assert.Equal(["alert", "summary"], JsonLines.Parse(string.Join('\n', run.Error.Split('\n').Where(l => l.StartsWith('{')))).Select(l => (string?)l["type"]));
        Assert.Equal(75, (int)run.Lines.Summary()["frames"]!);
    }

    [Fact]
    public async Task Run_CropsOnAFullDisk_StillRaisesTheAlertAndLeavesNoHalfPicture()
    {
        using TinyDisk disk = TinyDisk.Mount(4);
        await File.WriteAllBytesAsync(Path.Combine(disk.Path, "ballast"), new byte[4096], TestContext.Current.CancellationToken);

        Outcome run = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--crops", disk.Path))).Exits(ExitCode.Output);

        run.Says("could not be written", disk.Path).IsCivil();
        Assert.Null((string?)run.Lines.Single(l => (string?)l["type"] == "alert")["picture"]);
        Assert.Equal(["ballast"], Directory.EnumerateFiles(disk.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("--out")]
    [InlineData("--crops")]
    public async Task Run_OutputCannotBeMade_FailsBeforeAnyCamera(string option)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["file"], "", TestContext.Current.CancellationToken);

        Outcome run = (await Lfr.RunAsync(material.Run("--camera", "gate=no-such-clip.mp4", option, folder["file/below"]))).Exits(ExitCode.Output);

        run.Says("cannot be written", option).IsCivil();
        Assert.Empty(run.Output);
        Assert.DoesNotContain("no-such-clip", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WithoutJson_ShowsTheAlertAndTheSummary()
    {
        Outcome run = (await Lfr.RunAsync("run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}")).Exits(ExitCode.Success);

        run.Says("ALERT gate at 00:02.28: like fair-haired-woman (wanted)", "gate: ended, 75 frames analysed, 0 dropped", "still held: 0").IsCivil();
    }

    [Theory]
    [InlineData("--camera", "rtsp://admin:S3cret@10.0.0.5/stream1")]
    [InlineData("--camera", "rtsp://admin:S3cret@127.0.0.1:1/cam?channel=1")]
    [InlineData("--camera", "gate=a.mp4", "rtsp://admin:S3cret@h/s")]
    public async Task Run_AddressInTheWrongPlace_IsRefusedWithoutShowingIt(params string[] arguments)
    {
        Outcome outcome = (await Lfr.RunAsync(["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, .. arguments])).Exits(ExitCode.Usage).IsCivil();

        Assert.DoesNotContain("S3cret", outcome.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_LinesIntoANamedPipeWithoutReader_AreRefusedByName()
    {
        using var folder = new TemporaryFolder();
        using (System.Diagnostics.Process made = System.Diagnostics.Process.Start("mkfifo", [folder["lines"]]))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);

        (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--out", folder["lines"]))).Exits(ExitCode.Output).Says("No program reads from", "Start the reader first").IsCivil();
    }
}
