using System.Diagnostics;
using LfrEngine.Frames;
using LfrEngine.Pipeline;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>When the pixels of a recording count as arrived.</summary>
public sealed class CameraReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lfr-reader-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Read_RealTimePace_FramesArriveWhenTheyAreDue()
    {
        List<(long TimestampUs, long ArrivalUs, long ReadUs)> frames = Read(Pace.RealTime);

        Assert.Equal(10, frames.Count);
        (long firstTimestamp, long firstArrival, _) = frames[0];
        // Reordered pictures leave the decoder in bursts; their arrival is their place in the recording all the same.
        // Only a reader that is later than any frame may wait, on a machine with other work, plays the rest later.
        long[] behind = [.. frames.Select(f => f.ArrivalUs - firstArrival - (f.TimestampUs - firstTimestamp))];
        Assert.All(behind.Zip(behind.Skip(1), (earlier, later) => later - earlier), step => Assert.True(step is >= -2 and <= 2 or >= Scheduler.LongestWaitMs * 1000L, $"{step} µs"));
        Assert.All(frames, f => Assert.True(f.ReadUs >= f.ArrivalUs - 2, $"The frame at {f.TimestampUs} µs was handed out {f.ArrivalUs - f.ReadUs} µs before it was due."));
    }

    [Fact]
    public void Read_FullSpeed_FramesArriveWhenTheyAreRead()
    {
        long before = Microseconds();

        List<(long TimestampUs, long ArrivalUs, long ReadUs)> frames = Read(Pace.Maximum);

        Assert.Equal(10, frames.Count);
        Assert.All(frames, f => Assert.InRange(f.ArrivalUs, before, f.ReadUs));
    }

    [Fact]
    public void Read_Loop_StartsAgainOneIntervalAfterTheEnd()
    {
        using var reader = new CameraReader(new CameraSettings("c", Clip(), Pace.Maximum) { Options = new SourceOptions(Loop: true) }, new CameraStatus("c"), Stopwatch.GetTimestamp());
        var timestamps = new List<long>();
        while (timestamps.Count < 25)
        {
            using FrameLease? frame = reader.Read(TestContext.Current.CancellationToken);
            timestamps.Add(frame!.TimestampUs);
        }

        // 25 frames a second, ten to a round.
        Assert.All(timestamps.Zip(timestamps.Skip(1)), t => Assert.Equal(40_000, t.Second - t.First));
    }

    [Fact]
    public async Task Read_RecordingOverTheNetwork_KeepsItsPaceAndEnds()
    {
        CancellationToken stopping = TestContext.Current.CancellationToken;
        byte[] bytes = File.ReadAllBytes(Clip());
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using System.Net.Sockets.TcpClient client = await listener.AcceptTcpClientAsync(stopping);
            await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, cancellationToken: stopping);
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n"), stopping);
            await client.GetStream().WriteAsync(bytes, stopping);
        }, stopping);
        var status = new CameraStatus("c");

        List<(long TimestampUs, long ArrivalUs, long ReadUs)> frames = await Task.Run(() => Read($"http://127.0.0.1:{((System.Net.IPEndPoint)listener.LocalEndpoint).Port}/clip.mp4", Pace.Automatic, status), stopping);

        await serving;
        Assert.Equal((10, 0L, true), (frames.Count, status.Reconnects, status.IsComplete));
        // The last of ten pictures at 25 a second is due 360 ms after the first; one may be late itself.
        Assert.True(frames[^1].ReadUs - frames[0].ReadUs > 250_000, $"Read in {frames[^1].ReadUs - frames[0].ReadUs} µs.");
    }

    private static long Microseconds() => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;

    private List<(long, long, long)> Read(Pace pace) => Read(Clip(), pace, new CameraStatus("c"));

    private string Clip()
    {
        string clip = Path.Combine(folder, "clip.mp4");
        string[] arguments = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v", "10", "-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", "-movflags", "+faststart", clip];
        using (Process ffmpeg = Process.Start("ffmpeg", arguments))
        {
            ffmpeg.WaitForExit();
            Assert.Equal(0, ffmpeg.ExitCode);
        }
        return clip;
    }

    private static List<(long, long, long)> Read(string source, Pace pace, CameraStatus status)
    {
        using var reader = new CameraReader(new CameraSettings("c", source, pace), status, Stopwatch.GetTimestamp());
        var frames = new List<(long, long, long)>();
        while (reader.Read(TestContext.Current.CancellationToken) is { } frame)
        {
            using (frame)
                frames.Add((frame.TimestampUs, (long)Stopwatch.GetElapsedTime(0, frame.ArrivalTimestamp).TotalMicroseconds, Microseconds()));
        }
        return frames;
    }
}
