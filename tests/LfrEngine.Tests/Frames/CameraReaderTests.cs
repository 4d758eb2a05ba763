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
        Assert.All(frames, f => Assert.InRange(f.ArrivalUs - firstArrival - (f.TimestampUs - firstTimestamp), -2, 2));
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

    private static long Microseconds() => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;

    private List<(long, long, long)> Read(Pace pace)
    {
        string clip = Path.Combine(folder, "clip.mp4");
        string[] arguments = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v", "10", "-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", clip];
        using (Process ffmpeg = Process.Start("ffmpeg", arguments))
        {
            ffmpeg.WaitForExit();
            Assert.Equal(0, ffmpeg.ExitCode);
        }
        using var reader = new CameraReader(new CameraSettings("c", clip, pace), new CameraStatus("c"), Stopwatch.GetTimestamp());
        var frames = new List<(long, long, long)>();
        while (reader.Read(TestContext.Current.CancellationToken) is { } frame)
        {
            using (frame)
                frames.Add((frame.TimestampUs, (long)Stopwatch.GetElapsedTime(0, frame.ArrivalTimestamp).TotalMicroseconds, Microseconds()));
        }
        return frames;
    }
}
