using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Records.Cameras;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr cameras test</c> on real sources.</summary>
[Trait("Speed", "slow")]
public sealed class CamerasTestTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Test_Recording_ReportsWhatItIsAndKeepsNothing()
    {
        using var temporary = new TemporaryFolder();
        Outcome test = (await Lfr.RunInAsync(temporary.Path, [("TMPDIR", temporary.Path)], TestOf(material.ShortClip))).Exits(ExitCode.Success).IsCivil();

        JsonNode found = test.Json;
        Assert.Equal(("gate", "h264", 1280, 720, false), ((string?)found["name"], (string?)found["codec"], (int)found["width"]!, (int)found["height"]!, (bool)found["live"]!));
        Assert.Contains("mp4", (string?)found["container"], StringComparison.Ordinal);
        Assert.Equal("yuv420p", (string?)found["pixelFormat"]);
        Assert.Equal((25.0, 75, 0), (Math.Round((double)found["nominalFramesPerSecond"]!, 2), (int)found["frames"]!, (int)found["damagedPackets"]!));
        Assert.InRange((double)found["measuredFramesPerSecond"]!, 24.9, 25.1);
        Assert.True((double)found["timeToFirstPictureMs"]! > 0);
        Assert.Equal("good", (string?)found["timeStamps"]!["state"]);
        Assert.Equal(("good", "good"), ((string?)found["picture"]!["exposure"], (string?)found["picture"]!["focus"]));
        double[] histogram = [.. found["picture"]!["histogram"]!.AsArray().Select(h => (double)h!)];
        Assert.Equal(16, histogram.Length);
        Assert.Equal(1, histogram.Sum(), 6);
        JsonNode faces = found["faces"]!;
        Assert.True((int)faces["seen"]! > 0 && (double)faces["largestInterEyePixels"]! > 10);
        Assert.Equal((int)faces["seen"]!, faces["zones"]!.AsArray().Sum(z => (int)z!["largeEnough"]! + (int)z["tooSmall"]!));
        Assert.Empty(found["warnings"]!.AsArray());
        Assert.Empty(temporary.Files);
    }

    [Theory]
    [InlineData("eq=brightness=-0.45:contrast=0.4", "exposure", "dark")]
    [InlineData("eq=brightness=0.7", "exposure", "bright")]
    [InlineData("lutyuv=y=126+val/32", "exposure", "flat")]
    [InlineData("gblur=sigma=6", "focus", "blurred")]
    public async Task Test_PoorPicture_SaysWhatIsWrong(string filter, string what, string word)
    {
        Ffmpeg.Run("-i", material.ShortClip, "-t", "1", "-vf", filter, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", folder["poor.mp4"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["poor.mp4"]))).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.Equal(word, (string?)found["picture"]![what]);
        Assert.Contains((string?)found["picture"]![what + "Text"], found["warnings"]!.AsArray().Select(w => (string?)w));
    }

    [Theory]
    [InlineData("hflip,vflip", "", 180)]
    [InlineData("transpose=clock", "", 270)]
    [InlineData("transpose=clock", ",mirror", 270)]
    [InlineData("transpose=cclock", ",rotate=180", 90)]
    [InlineData("hflip,vflip", ",rotate=180", 0)]
    [InlineData("hflip", "", 0)]
    public async Task Test_CameraThatHangsTheWrongWay_SaysHowToTurnIt(string filter, string options, int degrees)
    {
        Ffmpeg.Run("-i", material.ShortClip, "-t", "1", "-vf", filter, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", folder["turned.mp4"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["turned.mp4"] + options))).Json;

        string[] warnings = [.. found["warnings"]!.AsArray().Select(w => (string)w!).Where(w => w.Contains("upright only", StringComparison.Ordinal))];
        Assert.Equal(degrees == 0 ? 0 : 1, warnings.Length);
        Assert.All(warnings, w => Assert.EndsWith($": add rotate={degrees} to the camera", w, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Test_SmallFaces_SaysWhereTheyAreTooSmall()
    {
        Ffmpeg.Run("-i", material.ShortClip, "-t", "1", "-vf", "scale=200:-2", "-c:v", "libx264", "-qp", "12", folder["small.mp4"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["small.mp4"]))).Exits(ExitCode.Incomplete).IsCivil().Json;

        int seen = (int)found["faces"]!["seen"]!, small = (int)found["faces"]!["tooSmall"]!;
        Assert.True(seen >= 3 && small * 2 > seen, $"{small} of {seen}");
        Assert.Equal(10, (double)found["faces"]!["minimumInterEyePixels"]!);
        (await Lfr.RunAsync("cameras", "test", $"gate={folder["small.mp4"]}")).Exits(ExitCode.Incomplete).Says("x too small", "Faces are too small in", "are too small to be compared: move the camera nearer");
    }

    [Fact]
    public async Task Test_NobodyInThePicture_SaysHowLargeAFaceMustBe()
    {
        Ffmpeg.Run("-f", "lavfi", "-i", "color=black:s=1920x1080:d=0.4:r=25,geq=lum=16+X*219/W:cb=128:cr=128", "-pix_fmt", "yuv420p", folder["nobody.mp4"]);

        Outcome test = (await Lfr.RunAsync("cameras", "test", $"gate={folder["nobody.mp4"]}", "--grid", "1920")).Exits(ExitCode.Success);

        // 10 pixels between eyes 63 mm apart: 1920 pixels are 12.1 m.
        test.Says("none seen", "10 pixels between the eyes are needed, that is a face 22 pixels wide", "cover at most 12.1 m", "240-255", "gate: good.").IsCivil();
    }

    [Fact]
    public async Task Test_GridOfTheRun_DecidesHowLargeAFaceMustBe()
    {
        JsonNode fine = (await Lfr.RunAsync(TestOf(material.ShortClip, "--seconds", "1", "--grid", "1280"))).Json, coarse = (await Lfr.RunAsync(TestOf(material.ShortClip, "--seconds", "1", "--grid", "160"))).Json;

        Assert.True((double)coarse["faces"]!["minimumInterEyePixels"]! > 2 * (double)fine["faces"]!["minimumInterEyePixels"]!);
        Assert.Equal(1280 / (double)fine["faces"]!["minimumInterEyePixels"]! * 0.063, (double)fine["faces"]!["widestSceneMetres"]!, 3);
    }

    [Fact]
    public async Task Test_LfwPictures_MeasuresTheDistanceOfTheEyes()
    {
        string images = Shared.Need("lfw/images");
        Directory.CreateDirectory(folder["faces"]);
        foreach ((int i, string picture) in Directory.EnumerateFiles(images, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(12).Index())
            File.Copy(picture, folder[$"faces/{i:00}.jpg"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["faces"]))).Json;

        // Deep-funneled faces of 250 pixels have their eyes 42 pixels apart, of 150 pixels 25.
        double expected = 42.0 / 250 * (int)found["width"]!;
        Assert.InRange((double)found["faces"]!["medianInterEyePixels"]!, expected * 0.8, expected * 1.2);
        Assert.Equal(0, (int)found["faces"]!["tooSmall"]!);
    }

    [Fact]
    public async Task Test_RtspServer_ReportsRateAndClock()
    {
        int port = FreePort.Tcp();
        Ffmpeg.Run("-stream_loop", "4", "-i", material.ShortClip, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p", folder["live.mp4"]);
        using RtspServer server = RtspServer.Start(port, folder["live.mp4"]);

        JsonNode found = (await Lfr.RunAsync(TestOf($"rtsp://user:secret@127.0.0.1:{port}/live", "--seconds", "6"))).IsCivil().Json;

        Assert.Equal(("rtsp", "h264", true, 1280), ((string?)found["container"], (string?)found["codec"], (bool)found["live"]!, (int)found["width"]!));
        Assert.InRange((double)found["measuredFramesPerSecond"]!, 15, 40);
        Assert.Equal("good", (string?)found["timeStamps"]!["state"]);
        Assert.InRange((double)found["seconds"]!, 5.9, 30);
        Assert.DoesNotContain("secret", found.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Test_MotionJpegThatTakesFiveForTwentyFive_SaysThatItsClockIsSlow()
    {
        Ffmpeg.Run("-i", material.ShortClip, "-frames:v", "1", folder["one.jpg"]);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task serving = ServeMotionJpegAsync(listener, await File.ReadAllBytesAsync(folder["one.jpg"], over.Token), over.Token);

        JsonNode found = (await Lfr.RunAsync(TestOf($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/video", "--seconds", "6"))).Exits(ExitCode.Incomplete).IsCivil().Json;

        // Five, and on a busy machine the first ones together; 25 is what it is taken for.
        Assert.InRange((double)found["measuredFramesPerSecond"]!, 3, 12);
        Assert.Equal("slow", (string?)found["timeStamps"]!["state"]);
        Assert.InRange((double)found["timeStamps"]!["speedOfClock"]!, 0.1, 0.6);
        await over.CancelAsync();
        await serving;
    }

    [Theory]
    [InlineData("setts=pts=0:dts=0", "mpegts", "still")]
    [InlineData("setts=pts=if(lt(N\\,25)\\,PTS\\,PTS+90000*3600):dts=if(lt(N\\,25)\\,DTS\\,DTS+90000*3600)", "matroska", "jumps")]
    public async Task Test_RecordingWithBrokenStamps_SaysSoAndEnds(string stamps, string container, string state)
    {
        Ffmpeg.Run("-i", material.ShortClip, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", folder["plain.mp4"]);
        Ffmpeg.Run("-i", folder["plain.mp4"], "-c", "copy", "-bsf:v", stamps, "-f", container, folder["broken"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["broken"]))).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.Equal((state, 75), ((string?)found["timeStamps"]!["state"], (int)found["frames"]!));
        Assert.InRange((double)found["seconds"]!, 0, 5);
    }

    [Fact]
    public async Task Test_DamagedStream_CountsThePackets()
    {
        Ffmpeg.Run("-i", material.ShortClip, "-c", "copy", "-bsf:v", "noise=amount=if(eq(mod(n\\,10)\\,5)\\,8\\,0)", folder["damaged.mkv"]);

        JsonNode found = (await Lfr.RunAsync(TestOf(folder["damaged.mkv"]))).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.True((long)found["damagedPackets"]! > 0);
        Assert.Contains(found["warnings"]!.AsArray(), w => ((string?)w)!.Contains("damaged packet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Test_CannotBeOpened_IsOfTheInput()
    {
        (await Lfr.RunAsync(TestOf(folder["nowhere.mp4"]))).Exits(ExitCode.Input).Says("nowhere.mp4").IsCivil();
        await File.WriteAllTextAsync(folder["text.mp4"], "no video", TestContext.Current.CancellationToken);
        (await Lfr.RunAsync(TestOf(folder["text.mp4"]))).Exits(ExitCode.Input).IsCivil();
        Outcome gone = (await Lfr.RunAsync(TestOf($"rtsp://user:secret@127.0.0.1:{FreePort.Tcp()}/live"))).Exits(ExitCode.Input).IsCivil();
        Assert.DoesNotContain("secret", gone.Text, StringComparison.Ordinal);
        Assert.Empty(gone.Output);
    }

    [Theory]
    [InlineData("gate", "\"gate\" is not NAME=SOURCE")]
    [InlineData("gate=a.mp4", "--seconds takes a number from 1 to 600, not \"0\"", "--seconds", "0")]
    [InlineData("gate=a.mp4", "--grid takes a whole number from 32 to 4096, not \"8\"", "--grid", "8")]
    public async Task Test_Misuse_IsExplained(string source, string said, params string[] more) =>
        (await Lfr.RunAsync(["cameras", "test", source, .. more])).Exits(ExitCode.Usage).Says(said).IsCivil();

    [Fact]
    public async Task Test_CtrlCWhileTheSourceIsSilent_Stops()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using Lfr lfr = Lfr.Start(null, [], TestOf($"rtsp://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/live"));
        using TcpClient client = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);

        lfr.Interrupt();

        Outcome outcome = (await lfr.EndAsync(TimeSpan.FromSeconds(10))).Exits(ExitCode.Stopped).Says("Stopped.").IsCivil();
        Assert.Empty(outcome.Output);
    }

    private static string[] TestOf(string source, params string[] more) => ["cameras", "test", $"gate={source}", "--json", .. more];

    private static async Task ServeMotionJpegAsync(TcpListener listener, byte[] picture, CancellationToken over)
    {
        try
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(over);
            NetworkStream stream = client.GetStream();
            byte[] request = new byte[4096];
            _ = await stream.ReadAsync(request, over);
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"), over);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (await timer.WaitForNextTickAsync(over))
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {picture.Length}\r\n\r\n"), over);
                await stream.WriteAsync(picture, over);
                await stream.WriteAsync("\r\n"u8.ToArray(), over);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has seen enough.
        }
    }
}

/// <summary>Verdicts over made-up time stamps.</summary>
public sealed class StampCheckTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(25)]
    [InlineData(60)]
    public void Judge_EvenStampsWithJitter_AreGood(int fps)
    {
        var random = new Random(fps);
        StampFindings live = Judge(true, fps, i => i * 1000.0 / fps, i => (i * 1000.0 / fps) + random.Next(0, 30));
        Assert.Equal("good", live.State);
        Assert.InRange(live.SpeedOfClock!.Value, 0.95, 1.05);
        Assert.Equal("good", Judge(false, fps, i => i * 1000.0 / fps, i => i).State);
    }

    [Theory]
    [InlineData("still", 0.001, 40)]
    [InlineData("slow", 8, 40)]
    [InlineData("fast", 40, 8)]
    public void Judge_ClockUnlikeArrival_IsNamed(string state, double stampStepMs, double arrivalStepMs) =>
        Assert.Equal(state, Judge(true, 25, i => i * stampStepMs, i => i * arrivalStepMs).State);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Judge_OneJump_IsNamed(bool live)
    {
        StampFindings found = Judge(live, 25, i => (i * 40) + (i > 60 ? 10_800_000 : 0), i => i * 40);
        Assert.Equal("jumps", found.State);
        Assert.Equal(10_800_040, found.LongestStepMs, 1);
    }

    [Fact]
    public void Judge_StepsBack_StandStillForTheReader() =>
        // The reader turns a stamp that goes back into the smallest next step.
        Assert.Equal("still", Judge(true, 25, i => (i * 40) + (i % 3 == 2 ? -39.999 : 0), i => i * 40).State);

    [Fact]
    public void Judge_BurstAtTheStart_IsNoFault() =>
        Assert.Equal("good", Judge(true, 25, i => i * 40, i => i < 25 ? 0 : (i - 25) * 40).State);

    [Fact]
    public void Judge_FramesReadLateByABusyMachine_AreNoFault()
    {
        // Late by 1.5 s at the start, and again by 0.6 s every two seconds; caught up each time.
        Assert.Equal("good", Judge(true, 25, i => i * 40, i => (i * 40) + Math.Max(0, 1500 - (i * 20)) + (i % 50 < 3 ? 0 : Math.Max(0, 600 - ((i % 50 - 3) * 30)))).State);
    }

    [Fact]
    public void MeasureRate_BusyWhileTheNetworksLoad_IsOfFramesThatWereWaitedFor()
    {
        // Five per second whose stamps say 25; from the second to the twentieth they wait, and are read together.
        var check = new StampCheck(isLive: true);
        for (int i = 0; i < 31; i++)
            check.Add(i * 40_000, (long)((i is > 0 and < 20 ? 4000 + i : i * 200) * (Stopwatch.Frequency / 1000.0)));
        Assert.Equal(5, check.MeasureRate()!.Value, 1);
        Assert.Equal("slow", check.Judge().State);
        Assert.Equal(0.2, check.Judge().SpeedOfClock!.Value, 2);
    }

    [Fact]
    public void MeasureRate_LiveAndRecorded_ByArrivalAndByStamps()
    {
        var live = new StampCheck(isLive: true);
        var recorded = new StampCheck(isLive: false);
        for (int i = 0; i < 50; i++)
        {
            live.Add(i * 40_000, i * Stopwatch.Frequency / 5);
            recorded.Add(i * 40_000, i * Stopwatch.Frequency / 5);
        }
        Assert.Equal(5, live.MeasureRate()!.Value, 1);
        Assert.Equal(25, recorded.MeasureRate()!.Value, 1);
    }

    private static StampFindings Judge(bool live, int fps, Func<int, double> stampMs, Func<int, double> arrivalMs)
    {
        var check = new StampCheck(live);
        for (int i = 0; i < Math.Max(8, fps * 5); i++)
            check.Add((long)(stampMs(i) * 1000), (long)(arrivalMs(i) * Stopwatch.Frequency / 1000));
        return check.Judge();
    }
}
