using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Scrubbing in mid-stream changes no pixel, no count and no time stamp.</summary>
[Collection(MediaStatisticsGroup.Name)]
public sealed class MediaScrubTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("a.mp4", "-c:v libx264 -bf 3 -g 10", 1)]
    [InlineData("a.mp4", "-c:v libx264 -bf 3 -g 10", 2)]
    [InlineData("a.mp4", "-c:v libx264 -bf 3 -g 10", 4)]
    [InlineData("a.h264", "-c:v libx264 -bf 3 -g 10", 1)]
    [InlineData("a.h264", "-c:v libx264 -bf 3 -g 10", 3)]
    [InlineData("a.ts", "-c:v libx264 -bf 2", 1)]
    [InlineData("a.mkv", "-c:v libx264 -x264-params slices=4 -flags +ildct+ilme -x264opts tff", 1)]
    [InlineData("a.mp4", "-c:v libx265 -x265-params log-level=none:keyint=10 -tag:v hvc1", 1)]
    [InlineData("a.mp4", "-c:v libx265 -x265-params log-level=none:keyint=10 -tag:v hvc1", 3)]
    [InlineData("a.hevc", "-c:v libx265 -x265-params log-level=none:keyint=10", 1)]
    [InlineData("a.webm", "-c:v libvpx-vp9 -deadline realtime", 1)]
    [InlineData("a.mkv", "-c:v mjpeg", 1)]
    public void Scrub_AfterEveryFrame_LeavesTheStreamAsItIs(string name, string output, int threads)
    {
        string clip = Ffmpeg.Clip(folder, name, $"-pix_fmt yuv420p {output}", "320x240", frames: 30);
        MediaOptions options = new() { DecoderThreads = threads };
        (byte[] plain, long plainCorrupt, string plainStamps) = Decode(clip, options, scrub: false);

        (byte[] scrubbed, long corrupt, string stamps) = Decode(clip, options, scrub: true);

        Assert.Equal(plain.Length, scrubbed.Length);
        Assert.True(plain.AsSpan().SequenceEqual(scrubbed));
        Assert.Equal((plainCorrupt, plainStamps), (corrupt, stamps));
        MediaStatistics statistics = MediaStatistics.Read();
        Assert.Equal((0, 0, 0), (statistics.PacketsOutstanding, statistics.BuffersOutstanding, statistics.BytesAllocated));
    }

    [Fact]
    public void Scrub_BeforeTheFirstFrameAndAfterTheLast_DoesNothing()
    {
        string clip = Ffmpeg.Clip(folder, "a.mp4", "-c:v libx264", frames: 5);
        using MediaReader reader = Frames.Open(clip);
        reader.Scrub();
        Assert.Equal(5, Frames.ForEach(reader, _ => { }));
        reader.Scrub();
        Assert.Equal(DecodeResult.EndOfStream, reader.Read(out _));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(reader.Scrub);
    }

    [Fact]
    public void Packets_OfFrameThreads_AreAllWipedAndNoneShared()
    {
        string clip = Ffmpeg.Clip(folder, "a.mp4", "-c:v libx264 -bf 3", frames: 30);
        MediaStatistics before = MediaStatistics.Read();

        Frames.Decode(clip, new MediaOptions { DecoderThreads = 4 });

        MediaStatistics after = MediaStatistics.Read();
        Assert.Equal((30, 0, 0, 1), (after.PacketsWiped - before.PacketsWiped, after.PacketsShared - before.PacketsShared,
            after.PacketsOutstanding, after.Scrubs - before.Scrubs));
    }

    private static (byte[] Pixels, long Corrupt, string Stamps) Decode(string clip, MediaOptions options, bool scrub)
    {
        using MediaReader reader = Frames.Open(clip, options);
        using MemoryStream pixels = new();
        List<long> stamps = [];
        Frames.ForEach(reader, frame =>
        {
            pixels.Write(Frames.Pack(frame));
            stamps.Add(frame.Info.PtsUs);
            if (scrub)
                reader.Scrub();
        });
        return (pixels.ToArray(), reader.GetInfo().Corrupt, string.Join(' ', stamps));
    }
}
