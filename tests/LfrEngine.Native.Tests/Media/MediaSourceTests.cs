using System.Net;
using System.Net.Sockets;
using System.Text;
using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>What sources that fail say, what cameras ask for, how they hang, and recordings that promise more than they hold.</summary>
[Trait("Speed", "slow")]
public sealed class MediaSourceTests : IDisposable
{
    private static readonly MediaOptions s_live = new() { LowDelay = true };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("admin:p@ss#1@", "admin", "p@ss#1")]
    [InlineData("admin:p@ss/w:rd?%@", "admin", "p@ss/w:rd?%")]
    [InlineData("ad%20min:p%40ss%3Aw%2Frd%23%25@", "ad min", "p@ss:w/rd#%")]
    [InlineData("admin:100%sure@", "admin", "100%sure")]
    [InlineData("admin:pl ain&+=@", "admin", "pl ain&+=")]
    public void Open_PasswordTypedAsItIs_IsUnderstood(string typed, string user, string password)
    {
        using RtspCamera camera = new() { Login = (user, password) };
        using MediaReader reader = Frames.Open(camera.Url(typed), s_live);

        Assert.Equal("h264", reader.GetInfo().Codec);
    }

    [Theory]
    [InlineData("admin:se@cr#et@")]
    [InlineData("")]
    public void Open_WrongPassword_IsUnauthorisedAndNotShown(string login)
    {
        using RtspCamera camera = new() { Login = ("admin", "right") };

        MediaException error = Fails(camera.Url(login), MediaError.Unauthorised);

        Assert.DoesNotContain("cr#et", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_CameraRefusesTcp_IsAskedForUdp()
    {
        using RtspCamera camera = new() { UdpOnly = true };
        using (Frames.Open(camera.Url(), s_live))
            Assert.Equal(["tcp", "udp"], camera.Transports);

        Fails(camera.Url(), MediaError.CannotOpen, s_live with { RtspTransport = RtspTransport.Tcp });
    }

    [Fact]
    public void Open_CameraOffersBoth_UsesTcpUnlessSetOtherwise()
    {
        using RtspCamera camera = new();
        Frames.Open(camera.Url(), s_live).Dispose();
        Frames.Open(camera.Url(), s_live with { RtspTransport = RtspTransport.Udp }).Dispose();

        Assert.Equal(["tcp", "udp"], camera.Transports);
    }

    [Theory]
    [InlineData("503 Service Unavailable", MediaError.CannotOpen, "overloaded")]
    [InlineData("404 Not Found", MediaError.CannotOpen, "check the address")]
    [InlineData("453 Not Enough Bandwidth", MediaError.CannotOpen, "too many viewers (453)")]
    [InlineData("403 Forbidden", MediaError.Unauthorised, "refuses the user name or the password")]
    public async Task Open_CameraRefuses_IsClassedAndSaid(string refusal, MediaError expected, string said)
    {
        using RtspCamera camera = new() { Refusal = refusal };
        Assert.Contains(said, Fails(camera.Url(), expected).Message, StringComparison.Ordinal);
        if (refusal.StartsWith("453", StringComparison.Ordinal))
            return;
        MediaException http = await FailsAsync($"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n", []);
        Assert.Equal(expected, http.Error);
        Assert.Contains(said, http.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RtspTransport.Tcp, "refuses TCP (461)")]
    [InlineData(RtspTransport.Udp, "refuses UDP (461)")]
    [InlineData(RtspTransport.Auto, "refuses TCP and UDP (461)")]
    public void Open_CameraRefusesTheTransport_SaysTheWayOut(RtspTransport transport, string said)
    {
        using RtspCamera camera = new() { UdpOnly = true, TcpOnly = true };
        Assert.Contains(said, Fails(camera.Url(), MediaError.CannotOpen, s_live with { RtspTransport = transport }).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Type: text/html\r\n", true)]
    [InlineData("Content-Type: text/html\r\n", false)]
    [InlineData("Content-Type: application/xhtml+xml\r\n", false)]
    [InlineData("", false)]
    public async Task Open_LogInPageWithoutALength_IsNoVideo(string header, bool staysOpen)
    {
        byte[] page = "<!DOCTYPE html><html><body><form><input type=password></form></body></html>"u8.ToArray();

        MediaException error = await FailsAsync($"HTTP/1.1 200 OK\r\n{header}\r\n", page, staysOpen, s_live with { OpenTimeoutMs = 1000 });

        Assert.Equal((MediaError.NotVideo, true), (error.Error, error.Message.Contains("web page", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Read_IndexAtTheEndOnAServerWithoutRanges_SaysTheWayOut()
    {
        byte[] clip = File.ReadAllBytes(Ffmpeg.Clip(folder, "end.mp4", "-c:v libx264 -crf 1", frames: 100, size: "640x480"));

        MediaException error = await FailsAsync($"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {clip.Length}\r\n\r\n", clip);

        Assert.Equal((MediaError.NotVideo, true), (error.Error, error.Message.Contains("-movflags +faststart", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("rtsp://admin:p@ss#1/2@10.0.0.5:554/live?a=1", "rtsp://10.0.0.5:554/live?a=1")]
    [InlineData("rtsp://admin:pässwörd@camera.example/ü", "rtsp://camera.example/ü")]
    [InlineData("rtsp://10.0.0.5/live?mail=a@b", "rtsp://10.0.0.5/live?mail=a@b")]
    [InlineData("http://host/x", "http://host/x")]
    [InlineData("a@b.mp4", "a@b.mp4")]
    [InlineData("", "")]
    public void WithoutLogin_AnAddress_LosesNothingElse(string source, string expected) => Assert.Equal(expected, MediaReader.WithoutLogin(source));

    [Fact]
    public void Open_CameraStillStarting_HasNoVideoYet()
    {
        using RtspCamera camera = new() { IsStarting = true };
        Fails(camera.Url(), MediaError.NoVideo);
    }

    [Theory]
    [InlineData("rtsp://host:99999/x")]
    [InlineData("rtsp://ho st/x")]
    [InlineData("http://user:secret@/x")]
    [InlineData("ftp://user:secret@127.0.0.1/x")]
    public void Open_AddressThatMakesNoSense_IsABadSource(string url) =>
        Assert.DoesNotContain("secret", Fails(url, MediaError.BadSource).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("snap.jpg", true)]
    [InlineData("snap", true)]
    [InlineData("snap", false)]
    public async Task Read_Snapshot_IsOnePicture(string name, bool tellsItsLength)
    {
        byte[] picture = File.ReadAllBytes(Ffmpeg.Clip(folder, "a.jpg", "-c:v mjpeg", frames: 1));
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, cancellationToken: TestContext.Current.CancellationToken);
            string length = tellsItsLength ? $"Content-Length: {picture.Length}\r\n" : "";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n{length}Connection: close\r\n\r\n"), TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync(picture, TestContext.Current.CancellationToken);
        }, TestContext.Current.CancellationToken);

        MediaException error = await Assert.ThrowsAsync<MediaException>(() => Task.Run(() => Frames.Decode($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/{name}", s_live)));

        Assert.True(error.Error == MediaError.OnePicture, error.Message);
        await serving;
    }

    [Fact]
    public void Read_Encrypted_IsSaid()
    {
        string clip = Ffmpeg.Clip(folder, "drm.mp4", "-c:v libx264 -encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff -encryption_kid 00112233445566778899aabbccddeeff");

        Assert.Equal(MediaError.Encrypted, Assert.Throws<MediaException>(() => Frames.Decode(clip)).Error);
    }

    [Theory]
    [InlineData("mkv", "-bf 2")]
    [InlineData("avi", "-c:v mjpeg")]
    [InlineData("ts", "-bf 2")]
    [InlineData("mp4", "-bf 2 -movflags +faststart")]
    public void Read_HalfARecording_IsTruncatedAndTheWholeIsNot(string kind, string output)
    {
        string whole = Ffmpeg.Clip(folder, $"whole.{kind}", $"-g 10 {output}", frames: 100);
        byte[] bytes = File.ReadAllBytes(whole);
        string cut = folder[$"cut.{kind}"];
        File.WriteAllBytes(cut, bytes[..((bytes.Length / 2) | 1)]);

        using MediaReader reader = Frames.Open(whole);
        Assert.Equal(100, Frames.ForEach(reader, _ => { }));
        Assert.False(reader.GetInfo().IsTruncated);
        Assert.InRange(reader.GetInfo().ReadUs, 3_900_000, 4_200_000);

        using MediaReader half = Frames.Open(cut);
        Assert.InRange(Frames.ForEach(half, _ => { }), 10, 99);
        Assert.True(half.GetInfo().IsTruncated);
        Assert.InRange(half.GetInfo().ReadUs, 400_000, 3_960_000);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(90, false)]
    [InlineData(180, false)]
    [InlineData(270, false)]
    [InlineData(0, true)]
    [InlineData(90, true)]
    [InlineData(270, true)]
    public void Read_CameraHangsOtherwise_IsTurnedAfterTheDisplayMatrix(int degrees, bool mirror)
    {
        string plain = Ffmpeg.Clip(folder, "plain.mp4", "-c:v libx264 -pix_fmt yuv444p", frames: 1);
        string turned = folder["turned.mp4"];
        Ffmpeg.Run($"-i \"{plain}\" -c copy -metadata:s:v rotate=90 \"{turned}\"");
        string turns = degrees switch { 90 => "transpose=clock", 180 => "hflip,vflip", 270 => "transpose=cclock", _ => "null" };
        string reference = folder["reference.mkv"];
        Ffmpeg.Run($"-i \"{turned}\" -vf {turns}{(mirror ? ",hflip" : "")} -c:v ffv1 \"{reference}\"");

        Assert.Equal(Frames.Decode(reference), Frames.Decode(turned, new MediaOptions { RotateDegrees = degrees, Mirror = mirror }));
    }

    [Theory]
    [InlineData("2/1", "yuv420p", 160, 120, 320, 120)]
    [InlineData("1/2", "yuv420p", 160, 120, 160, 240)]
    [InlineData("16/11", "yuv422p", 176, 144, 256, 144)]
    [InlineData("12/11", "yuv444p", 160, 120, 175, 120)]
    [InlineData("641/640", "yuv420p", 160, 120, 160, 120)]
    [InlineData("9/1", "yuv420p", 160, 120, 160, 120)]
    public void Read_PixelsThatAreNotSquare_AreMadeSquare(string aspect, string format, int width, int height, int toWidth, int toHeight)
    {
        string clip = Ffmpeg.Clip(folder, "sar.mkv", $"-vf setsar={aspect} -c:v ffv1 -pix_fmt {format}", $"{width}x{height}", 2);
        string plain = folder["plain.mkv"];
        Ffmpeg.Run($"-i \"{clip}\" -vf scale={toWidth}:{toHeight}:flags=bilinear,setsar=1 -c:v ffv1 \"{plain}\"");

        FrameInfo info = Frames.FirstInfo(clip);

        Assert.Equal((toWidth, toHeight), (info.Width, info.Height));
        byte[] expected = Frames.Decode(plain), actual = Frames.Decode(clip);
        Assert.Equal(expected.Length, actual.Length);
        // Both are bilinear; they round and place chroma differently.
        Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Average(), 0, 2.0);
    }

    /// <summary>What reading says of a server that gives everybody the same answer.</summary>
    private static async Task<MediaException> FailsAsync(string head, byte[] body, bool staysOpen = false, MediaOptions? options = null)
    {
        CancellationToken stopping = TestContext.Current.CancellationToken;
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        List<TcpClient> clients = [];
        Task serving = Task.Run(async () =>
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(stopping);
                clients.Add(client);
                try
                {
                    await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, cancellationToken: stopping);
                    await client.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], stopping);
                }
                catch (IOException)
                {
                    // The reader has seen enough.
                }
                if (!staysOpen)
                    client.Dispose();
            }
        }, stopping);
        try
        {
            return await Assert.ThrowsAsync<MediaException>(() => Task.Run(() => Frames.Decode($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/x", options ?? s_live), stopping));
        }
        finally
        {
            listener.Dispose();
            await serving.ContinueWith(static _ => { }, stopping, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            clients.ForEach(c => c.Dispose());
        }
    }

    private static MediaException Fails(string url, MediaError expected, MediaOptions? options = null)
    {
        MediaException error = Assert.Throws<MediaException>(() => Frames.Open(url, options ?? s_live));
        Assert.Equal(expected, error.Error);
        return error;
    }
}
