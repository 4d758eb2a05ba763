using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Streams over the loopback interface, and what happens when they stall.</summary>
[Trait("Speed", "slow")]
public sealed class MediaNetworkTests : IDisposable
{
    private const string RtspPackages = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good";

    /// <summary>Far above what is expected, far below a hang.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);

    private readonly TemporaryFolder folder = new();
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public MediaNetworkTests() => listener.Start();

    private static CancellationToken Stopping => TestContext.Current.CancellationToken;

    private int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Dispose()
    {
        listener.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Read_Http_EqualsTheFile()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -pix_fmt yuv420p -movflags +faststart", frames: 30);
        Task serving = ServeAsync(File.ReadAllBytes(clip), "video/mp4", stall: null);

        byte[] read = await Task.Run(() => Frames.Decode($"http://user:secret@127.0.0.1:{Port}/clip.mp4"), Stopping);

        Assert.Equal(Frames.Decode(clip), read);
        await serving;
    }

    [Fact]
    public async Task Open_HttpServesText_IsNoVideo()
    {
        Task serving = ServeAsync("<html>no camera here</html>"u8.ToArray(), "text/html", stall: null);

        MediaException error = await Assert.ThrowsAsync<MediaException>(
            () => Task.Run(() => Frames.Open($"http://127.0.0.1:{Port}/"), Stopping));

        Assert.Equal(MediaError.NotVideo, error.Error);
        await serving;
    }

    [Fact]
    public void Read_UdpTransportStream_GivesFrames()
    {
        int port = FreePort.Udp();
        // Opened and read while the sender loops: whoever is first waits for the other.
        using Process sender = Ffmpeg.Start($"-re -f lavfi -i testsrc2=s=160x120:r=25 -c:v libx264 -tune zerolatency -g 5 -f mpegts udp://127.0.0.1:{port}?pkt_size=1316");
        try
        {
            using MediaReader reader = Frames.Open($"udp://127.0.0.1:{port}", new MediaOptions { LowDelay = true });
            ReadSome(reader, 10, 160);
            Assert.True(reader.GetInfo().IsLive);
        }
        finally
        {
            Stop(sender);
        }
    }

    [Theory]
    [InlineData(RtspTransport.Tcp, true)]
    [InlineData(RtspTransport.Udp, true)]
    [InlineData(RtspTransport.Tcp, false)]
    public void Read_Rtsp_GivesFrames(RtspTransport transport, bool lowDelay)
    {
        using RtspServer server = StartRtspServer();
        using MediaReader reader = Frames.Open(server.Url, new MediaOptions { RtspTransport = transport, LowDelay = lowDelay });

        ReadSome(reader, 10, 160);

        MediaInfo info = reader.GetInfo();
        Assert.Equal(("rtsp", "h264", true, 0L), (info.Container, info.Codec, info.IsLive, info.Corrupt));
    }

    [Theory]
    [InlineData(RtspTransport.Tcp)]
    [InlineData(RtspTransport.Udp)]
    public void Read_RtspServerKilled_EndsWithinTheTimeout(RtspTransport transport)
    {
        using RtspServer server = StartRtspServer();
        using MediaReader reader = Frames.Open(server.Url, new MediaOptions { RtspTransport = transport, LowDelay = true, ReadTimeoutMs = 1500 });
        ReadSome(reader, 3, 160);

        server.Kill();

        Stopwatch clock = Stopwatch.StartNew();
        try
        {
            Frames.ForEach(reader, _ => { });
        }
        catch (MediaException error)
        {
            Assert.Contains(error.Error, new[] { MediaError.TimedOut, MediaError.ReadError });
        }
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, s_bound);
    }

    [Theory]
    [InlineData("rtsp")]
    [InlineData("http")]
    public async Task Open_ServerNeverAnswers_IsCancelledPromptly(string scheme)
    {
        using CancellationTokenSource cancel = new();
        Task<MediaReader> opening = Task.Run(() => MediaReader.Open($"{scheme}://127.0.0.1:{Port}/live", null, cancel.Token), Stopping);
        using TcpClient accepted = await listener.AcceptTcpClientAsync(Stopping);

        Stopwatch clock = Stopwatch.StartNew();
        await cancel.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => opening.WaitAsync(s_bound, Stopping));
        Assert.InRange(clock.ElapsedMilliseconds, 0, 2000);
    }

    [Fact]
    public void Open_ServerNeverAnswers_TimesOut()
    {
        Stopwatch clock = Stopwatch.StartNew();

        MediaException error = Assert.Throws<MediaException>(
            () => Frames.Open($"rtsp://user:secret@127.0.0.1:{Port}/live", new MediaOptions { OpenTimeoutMs = 300 }));

        Assert.Equal(MediaError.TimedOut, error.Error);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.InRange(clock.ElapsedMilliseconds, 290, 3000);
    }

    [Fact]
    public void Open_CancelledBefore_Throws() =>
        Assert.Throws<OperationCanceledException>(() => MediaReader.Open("rtsp://127.0.0.1:9/live", null, new CancellationToken(canceled: true)));

    [Fact]
    public void Open_SilentUdp_TimesOut() =>
        Assert.Equal(MediaError.TimedOut, Assert.Throws<MediaException>(
            () => Frames.Open($"udp://127.0.0.1:{FreePort.Udp()}", new MediaOptions { OpenTimeoutMs = 300 })).Error);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_StalledStream_IsInterruptedPromptly(bool byDisposing)
    {
        using StalledStream stalled = await StallAsync(new MediaOptions { LowDelay = true, ReadTimeoutMs = 0 });

        Stopwatch clock = Stopwatch.StartNew();
        if (byDisposing)
            stalled.Reader.Dispose();
        else
            stalled.Reader.Interrupt();

        Assert.Equal(DecodeResult.Interrupted, await stalled.Reading.WaitAsync(s_bound, Stopping));
        Assert.InRange(clock.ElapsedMilliseconds, 0, 2000);
        if (!byDisposing)
            Assert.Equal(DecodeResult.Interrupted, stalled.Reader.Read(out _));
    }

    [Fact]
    public async Task Read_StalledStream_TimesOutForGood()
    {
        using StalledStream stalled = await StallAsync(new MediaOptions { LowDelay = true, ReadTimeoutMs = 300 });

        MediaException error = await Assert.ThrowsAsync<MediaException>(() => stalled.Reading.WaitAsync(s_bound, Stopping));

        Assert.Equal(MediaError.TimedOut, error.Error);
        Assert.Equal(MediaError.TimedOut, Assert.Throws<MediaException>(() => stalled.Reader.Read(out _)).Error);
    }

    /// <summary>Reads frames up to a number and checks their width.</summary>
    private static void ReadSome(MediaReader reader, int count, int width)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(DecodeResult.Frame, reader.Read(out MediaFrame? frame));
            using (frame)
                Assert.Equal(width, frame!.Info.Width);
        }
    }

    private static void Stop(Process process)
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>Answers one HTTP request; then either closes, or holds the connection until the stall is over.</summary>
    private async Task ServeAsync(byte[] body, string type, Task? stall)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync(Stopping);
        NetworkStream stream = client.GetStream();
        byte[] request = new byte[8192];
        _ = await stream.ReadAsync(request, Stopping);
        try
        {
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {(stall is null ? body.Length : int.MaxValue)}\r\nConnection: close\r\n\r\n"), Stopping);
            await stream.WriteAsync(body, Stopping);
        }
        catch (IOException)
        {
            // The reader has seen enough.
        }
        if (stall is not null)
            await stall.WaitAsync(Stopping);
    }

    /// <summary>A reader on a transport stream that has sent everything it has and neither goes on nor closes.</summary>
    private async Task<StalledStream> StallAsync(MediaOptions options)
    {
        string clip = Ffmpeg.Clip(folder, "clip.ts", "-c:v libx264 -bf 0 -g 5 -tune zerolatency", frames: 50);
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task serving = ServeAsync(File.ReadAllBytes(clip), "video/mp2t", over.Task);
        MediaReader reader = await Task.Run(() => Frames.Open($"http://127.0.0.1:{Port}/live.ts", options), Stopping);
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<DecodeResult> reading = Task.Run(() =>
        {
            try
            {
                DecodeResult result;
                while ((result = reader.Read(out MediaFrame? frame)) == DecodeResult.Frame)
                {
                    frame!.Dispose();
                    started.TrySetResult();
                }
                return result;
            }
            catch (ObjectDisposedException)
            {
                // Disposed just between two reads, which ends the loop as well.
                return DecodeResult.Interrupted;
            }
        }, Stopping);
        await started.Task.WaitAsync(s_bound, Stopping);
        return new StalledStream(reader, reading, over);
    }

    private RtspServer StartRtspServer()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -bf 0 -g 5 -pix_fmt yuv420p -tune zerolatency", frames: 500);
        const string Python = "/usr/bin/python3";
        if (!File.Exists(Python))
            Assert.Skip($"No {Python}. The RTSP server needs the Debian packages {RtspPackages}.");
        Process process = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "Media", "rtsp_server.py"), clip])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string? port = process.StandardOutput.ReadLine();
        if (port is null)
        {
            process.WaitForExit();
            process.Dispose();
            Assert.Skip($"The RTSP server needs the Debian packages {RtspPackages}.");
        }
        process.BeginErrorReadLine();
        return new RtspServer(process, int.Parse(port, CultureInfo.InvariantCulture));
    }

    private sealed record StalledStream(MediaReader Reader, Task<DecodeResult> Reading, TaskCompletionSource Over) : IDisposable
    {
        public void Dispose()
        {
            Over.TrySetResult();
            Reader.Dispose();
        }
    }

    private sealed class RtspServer(Process process, int port) : IDisposable
    {
        public string Url => $"rtsp://127.0.0.1:{port}/live";

        public void Kill()
        {
            if (!process.HasExited)
                Stop(process);
        }

        public void Dispose()
        {
            Kill();
            process.Dispose();
        }
    }
}
