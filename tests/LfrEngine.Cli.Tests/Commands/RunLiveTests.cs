using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Live sources on the loopback interface, and Ctrl-C.</summary>
[Trait("Speed", "slow")]
public sealed class RunLiveTests(Material material) : IDisposable
{
    /// <summary>Ctrl-C is answered in well under a second on an idle machine; this one may be doing ten other things.</summary>
    private static readonly TimeSpan Promptly = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_UdpTransportStream_RaisesTheAlert()
    {
        int port = FreePort.Udp();
        using Process sender = Ffmpeg.Start("-re", "-stream_loop", "-1", "-i", Live(), "-c", "copy", "-f", "mpegts", $"udp://127.0.0.1:{port}?pkt_size=1316");
        try
        {
            using Lfr lfr = Lfr.Start(null, [], material.Run("--camera", $"air=udp://127.0.0.1:{port}"));
            await lfr.SeesAsync("\"type\":\"alert\"");

            // A van without a console loads none: no web server, no pages.
            string[] loaded = Processes.AssembliesOf(lfr.Id);
            Assert.Contains("lfr.dll", loaded);
            Assert.DoesNotContain(loaded, n => n.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || n is "LfrEngine.Web.dll" or "MudBlazor.dll");

            lfr.Interrupt();

            JsonObject summary = (await lfr.EndAsync(Promptly)).Exits(ExitCode.Success).IsCivil().Lines.Summary();
            Assert.Equal(("ended", "h264", 1280), ((string?)summary.Camera("air")["state"], (string?)summary.Camera("air")["codec"], (int)summary.Camera("air")["width"]!));
            Assert.Equal(0, (int)summary["erased"]!["frameBuffersHeld"]!);
        }
        finally
        {
            sender.Kill();
            await sender.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Run_RtspServerRestarts_ReconnectsAndSeesFacesAgain()
    {
        int port = FreePort.Tcp();
        using Lfr lfr = Lfr.StartInTerminal("run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", $"gate=rtsp://127.0.0.1:{port}/live", "--out", folder["alerts.jsonl"]);
        using (RtspServer.Start(port, Live()))
            await lfr.SeesAsync("ALERT gate");
        await lfr.SeesAsync("Reconnecting");
        using (RtspServer.Start(port, Live()))
        {
            await lfr.SeesAsync("again gate");
            await lfr.TypeInterruptAsync();
            await lfr.EndAsync(Promptly);
        }

        Outcome outcome = (await lfr.EndAsync()).Exits(ExitCode.Success);
        outcome.Says("gate: ended", "still held: 0");
        JsonObject[] lines = JsonLines.Parse(await File.ReadAllTextAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken));
        JsonObject camera = lines.Summary().Camera("gate");
        Assert.Equal(("ended", "h264"), ((string?)camera["state"], (string?)camera["codec"]));
        Assert.True((int)camera["reconnects"]! >= 1);
        Assert.Equal(("alert", "sighting"), ((string?)lines[0]["type"], (string?)lines[1]["type"]));
        // One clock for the whole run, whenever the stream began.
        Assert.True((double)lines[1]["firstSeenMs"]! > (double)lines[0]["completedMs"]!);
    }

    [Fact]
    public async Task Run_RtspRecordingEndsBeforeItsAnnouncedLength_IsCutOffAndNotRepeatedForEver()
    {
        Ffmpeg.Run("-i", material.Clip, "-t", "6", "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p", "-movflags", "+faststart", folder["whole.mp4"]);
        byte[] whole = await File.ReadAllBytesAsync(folder["whole.mp4"], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder["half.mp4"], whole[..(whole.Length / 2)], TestContext.Current.CancellationToken);
        int port = FreePort.Tcp();
        using RtspServer server = RtspServer.Start(port, folder["half.mp4"]);

        JsonObject camera = (await Lfr.RunAsync(material.Run("--camera", $"gate=rtsp://127.0.0.1:{port}/live"))).Exits(ExitCode.Incomplete).Lines.Summary().Camera("gate");

        Assert.Equal(("ended", 1), ((string?)camera["state"], (int)camera["reconnects"]!));
        Assert.EndsWith("of 6.0 s: the recording was cut off", (string?)camera["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CameraThatIsNotThere_IsTriedWhileTheOtherRunsToItsEnd()
    {
        int port = FreePort.Tcp();
        using Lfr lfr = Lfr.StartInTerminal("run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile,
            "--camera", $"gone=rtsp://127.0.0.1:{port}/live", "--camera", $"good={material.ShortClip}", "--out", folder["alerts.jsonl"]);
        await lfr.SeesAsync("Ended");

        await lfr.TypeInterruptAsync();

        // Stopped in good order, but one camera never delivered.
        (await lfr.EndAsync(Promptly)).Exits(ExitCode.Incomplete);
        JsonObject summary = JsonLines.Parse(await File.ReadAllTextAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken)).Summary();
        Assert.Equal(("ended", 75, 1), ((string?)summary.Camera("good")["state"], (int)summary.Camera("good")["framesAnalysed"]!, (int)summary.Camera("good")["alerts"]!));
        Assert.Equal(0, (int)summary.Camera("gone")["framesDecoded"]!);
        Assert.True((int)summary.Camera("gone")["reconnects"]! >= 1);
        Assert.Contains("trying again", (string?)summary.Camera("gone")["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CtrlC_EndsPromptlyWithASummaryAndLeavesNothing()
    {
        using var temporary = new TemporaryFolder();
        using Lfr lfr = Lfr.Start(null, [("TMPDIR", temporary.Path)], material.Run("--pace", "realtime", "--camera", $"gate={material.Clip}", "--out", folder["alerts.jsonl"], "--crops", folder["crops"]));
        await lfr.SeesAsync("\"type\":\"alert\"");

        lfr.Interrupt();

        JsonObject[] lines = (await lfr.EndAsync(Promptly)).Exits(ExitCode.Success).IsCivil().Lines;
        JsonObject summary = lines.Summary();
        // How many frames were dropped, and so the tracklet's number, depends on the machine.
        Assert.InRange((int)summary["frames"]! + (int)summary["framesDropped"]!, 40, 379);
        Assert.Equal(0, (int)summary["erased"]!["frameBuffersHeld"]!);
        Assert.Equal(["alerts.jsonl", $"crops/{lines.First(l => (string?)l["type"] == "alert")["picture"]}"], folder.Files);
        Assert.Empty(temporary.Files);
    }

    [Fact]
    public async Task Run_CtrlCWhileEveryCameraIsAway_EndsPromptly()
    {
        // A server that accepts and never answers, and one that is not there.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        Task<TcpClient> connected = silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask();
        using Lfr lfr = Lfr.Start(null, [], material.Run(
            "--camera", $"mute=rtsp://user:secret@127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/live",
            "--camera", $"gone=rtsp://127.0.0.1:{FreePort.Tcp()}/live"));
        using TcpClient client = await connected;

        lfr.Interrupt();

        Outcome outcome = (await lfr.EndAsync(Promptly)).Exits(ExitCode.Input).IsCivil();
        outcome.Says("Camera gone sent no picture");
        Assert.Equal(0, (int)outcome.Lines.Summary()["frames"]!);
        Assert.DoesNotContain("secret", outcome.Text, StringComparison.Ordinal);
    }

    /// <summary>The listed woman walks past again and again, for long enough.</summary>
    private string Live()
    {
        string part = folder["part.mp4"], live = folder["live.mp4"];
        if (File.Exists(live))
            return live;
        Ffmpeg.Run("-ss", "1.4", "-t", "3", "-i", material.Clip, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p", part);
        Ffmpeg.Run("-stream_loop", "59", "-i", part, "-c", "copy", live);
        return live;
    }
}
