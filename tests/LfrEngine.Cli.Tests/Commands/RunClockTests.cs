using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Streams whose time stamps are wrong: every face is searched at the interval asked for, and the camera says what is wrong with its clock.</summary>
[Trait("Speed", "slow")]
public sealed class RunClockTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_StampsStandStill_IsSearchedByFrameRateAndRaisesTheAlert()
    {
        string frozen = folder["frozen.ts"];
        Ffmpeg.Run("-i", material.ShortClip, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", folder["plain.mp4"]);
        Ffmpeg.Run("-i", folder["plain.mp4"], "-c", "copy", "-bsf:v", "setts=pts=0:dts=0", "-f", "mpegts", frozen);

        JsonObject[] lines = (await Lfr.RunAsync(material.Run("--camera", $"gate={frozen}", "--pace", "max"))).Exits(ExitCode.Success).Lines;

        JsonObject camera = lines.Summary().Camera("gate");
        Assert.InRange((int)camera["framesSearched"]!, 23, 27);
        Assert.Equal(("standStill", 1), ((string?)camera["clock"], (int)camera["alerts"]!));
        Assert.Contains("do not advance", (string?)camera["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_GapOfElevenHours_IsReportedAndNotWaitedFor()
    {
        Ffmpeg.Run("-i", material.ShortClip, "-c", "copy", "-frames:v", "25", folder["first.ts"]);
        Ffmpeg.Run("-i", material.ShortClip, "-c", "copy", "-frames:v", "25", "-output_ts_offset", "40000", folder["second.ts"]);
        string hole = folder["hole.ts"];
        await File.WriteAllBytesAsync(hole, [.. await File.ReadAllBytesAsync(folder["first.ts"], Token), .. await File.ReadAllBytesAsync(folder["second.ts"], Token)], Token);

        JsonObject camera = (await Lfr.RunAsync(material.Run("--camera", $"gate={hole}", "--pace", "realtime"))).Exits(ExitCode.Success).Lines.Summary().Camera("gate");

        Assert.InRange((int)camera["framesDecoded"]!, 48, 50);
        Assert.Equal("jump", (string?)camera["clock"]);
    }

    [Fact]
    public async Task Run_MjpegAtFivePerSecondThatClaimsTwentyFive_EveryFrameIsSearched()
    {
        Ffmpeg.Run("-i", material.ShortClip, "-vf", "fps=5", "-q:v", "3", folder["%03d.jpg"]);
        byte[][] pictures = [.. Directory.EnumerateFiles(folder.Path, "*.jpg").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task serving = ServeAsync(listener, pictures, ending.Token);
        using (Lfr lfr = Lfr.Start(null, [], material.Run("--camera", $"gate=http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/stream")))
        {
            // It takes a few seconds to be sure of the speed; the alert comes meanwhile.
            await lfr.SeesAsync("\"type\":\"sighting\"");
            lfr.Interrupt();

            JsonObject[] lines = (await lfr.EndAsync()).Exits(ExitCode.Success).Lines;
            JsonObject camera = lines.Summary().Camera("gate");
            Assert.True((int)camera["framesSearched"]! >= 0.8 * (int)camera["framesDecoded"]!, camera.ToJsonString());
            // The pictures come again every three seconds: two passages, and one alert.
            Assert.Equal(1, (int)camera["alerts"]!);
            Assert.InRange((double)lines.First(l => (string?)l["type"] == "sighting")["completedMs"]! - (double)lines.First(l => (string?)l["type"] == "alert")["completedMs"]!, 2000, 20_000);
        }
        await ending.CancelAsync();
        await serving;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task ServeAsync(TcpListener listener, byte[][] pictures, CancellationToken ending)
    {
        try
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(ending);
            await using NetworkStream stream = client.GetStream();
            _ = await stream.ReadAsync(new byte[4096], ending);
            await stream.WriteAsync("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"u8.ToArray(), ending);
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            for (int i = 0; await pace.WaitForNextTickAsync(ending); i++)
            {
                byte[] picture = pictures[i % pictures.Length];
                await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {picture.Length}\r\n\r\n"), .. picture, .. "\r\n"u8], ending);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The camera is closed, or the test is over.
        }
    }
}
