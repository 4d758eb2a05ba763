using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Times, colours and names that travel with the frames.</summary>
[Trait("Speed", "slow")]
public sealed class MediaFrameInfoTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.mkv")]
    [InlineData("clip.ts")]
    [InlineData("clip.avi")]
    public void Pts_ConstantFrameRate_StepsByOneFrame(string name)
    {
        string clip = Ffmpeg.Clip(folder, name, "-c:v libx264 -bf 2 -pix_fmt yuv420p", frames: 20);

        List<FrameInfo> infos = Frames.Infos(clip);

        // AVI gives no stamps to the frames that the decoder held back at the end.
        Assert.All(infos.Select((info, i) => (info.PtsUs, Expected: i * 40_000L)), p => Assert.True(p.PtsUs == p.Expected || (p.PtsUs == FrameInfo.NoPts && name == "clip.avi" && p.Expected > 400_000)));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (long)i), infos.Select(info => info.Index));
        Assert.True(infos[0].IsKeyFrame);
        Assert.False(infos[1].IsKeyFrame);
    }

    [Fact]
    public void Pts_VariableFrameRate_IsKept()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mkv", "-vf select='not(mod(n\\,3))' -fps_mode vfr -c:v libx264", frames: 6);

        Assert.Equal([0, 120_000, 240_000, 360_000, 480_000, 600_000], Frames.Infos(clip).Select(info => info.PtsUs));
    }

    [Fact]
    public void Pts_ClockReset_IsHandedOutAsItIs()
    {
        // Ten seconds in, the second half starts over from zero.
        string first = Ffmpeg.Clip(folder, "first.ts", "-c:v libx264 -bf 0 -output_ts_offset 10", frames: 5);
        string second = Ffmpeg.Clip(folder, "second.ts", "-c:v libx264 -bf 0", frames: 5);
        string both = folder["both.ts"];
        File.WriteAllBytes(both, [.. File.ReadAllBytes(first), .. File.ReadAllBytes(second)]);

        long[] times = [.. Frames.Infos(both).Select(info => info.PtsUs)];

        Assert.True(times.Length >= 9);
        Assert.Contains(times.Zip(times.Skip(1)), pair => pair.Second - pair.First < -9_000_000);
    }

    [Fact]
    public void Arrival_EveryFrame_IsOnTheMonotonicClock()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264");
        long before = System.Diagnostics.Stopwatch.GetTimestamp();

        List<FrameInfo> infos = Frames.Infos(clip);

        Assert.All(infos, info => Assert.InRange(info.ArrivalTimestamp, before, System.Diagnostics.Stopwatch.GetTimestamp()));
    }

    [Theory]
    [InlineData("libx264 -colorspace bt709 -color_range tv", "160x120", ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left)]
    [InlineData("libx264 -colorspace smpte170m -color_range pc", "160x120", ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Left)]
    [InlineData("libx264 -colorspace bt2020nc -chroma_sample_location topleft", "160x120", ColourMatrix.Bt2020, ColourRange.Limited, ChromaLocation.TopLeft)]
    [InlineData("libx264 -chroma_sample_location center", "160x120", ColourMatrix.Bt601, ColourRange.Limited, ChromaLocation.Centre)]
    [InlineData("libx264", "160x120", ColourMatrix.Bt601, ColourRange.Limited, ChromaLocation.Left)]
    [InlineData("libx264", "1280x720", ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left)]
    [InlineData("mjpeg -pix_fmt yuvj420p", "1280x720", ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre)]
    [InlineData("mpeg1video", "160x120", ColourMatrix.Bt601, ColourRange.Limited, ChromaLocation.Centre)]
    [InlineData("mpeg2video", "160x120", ColourMatrix.Bt601, ColourRange.Limited, ChromaLocation.Left)]
    public void Colour_OfStream_IsReported(string codec, string size, ColourMatrix matrix, ColourRange range, ChromaLocation chroma)
    {
        // The filter graph would tag the test source itself; the encoder's options alone shall count.
        string clip = Ffmpeg.Clip(folder, "clip.nut", $"-pix_fmt yuv420p -c:v {codec}", size, frames: 2);

        FrameInfo info = Frames.FirstInfo(clip);

        Assert.Equal((matrix, range, chroma), (info.Matrix, info.Range, info.ChromaLocation));
    }

    [Fact]
    public void Info_OfFile_NamesWhatIsInIt()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -pix_fmt yuv420p", frames: 25);
        using MediaReader reader = Frames.Open(clip);

        MediaInfo before = reader.GetInfo();
        Assert.Equal((160, 120, 0L), (before.Width, before.Height, before.Frames));
        Assert.Equal(25, Frames.ForEach(reader, _ => { }));

        MediaInfo info = reader.GetInfo();
        Assert.Equal("h264", info.Codec);
        Assert.Equal("yuv420p", info.PixelFormat);
        Assert.StartsWith("mov", info.Container, StringComparison.Ordinal);
        Assert.Equal(25, info.AverageFps);
        Assert.Equal(1_000_000, info.DurationUs);
        Assert.Equal((25L, 0L, false, false), (info.Frames, info.Corrupt, info.IsLive, info.IsTruncated));
    }

    [Fact]
    public void Versions_OfFfmpeg_AreKnown()
    {
        Assert.Matches(@"^libavformat \d+\.\d+\.\d+, libavcodec \d+", MediaReader.Versions);
        Assert.True(MediaReader.HasDecoder("h264"));
        Assert.False(MediaReader.HasDecoder("no such decoder"));
    }

    [Fact]
    public void Read_SizeChangesMidStream_FramesFollow()
    {
        string small = Ffmpeg.Clip(folder, "small.h264", "-c:v libx264 -bf 0 -pix_fmt yuv420p", "160x120", 5);
        string large = Ffmpeg.Clip(folder, "large.h264", "-c:v libx264 -bf 0 -pix_fmt yuv420p", "320x240", 5);
        string both = folder["both.h264"];
        File.WriteAllBytes(both, [.. File.ReadAllBytes(small), .. File.ReadAllBytes(large)]);

        List<FrameInfo> infos = Frames.Infos(both);

        Assert.Equal([160, 160, 160, 160, 160, 320, 320, 320, 320, 320], infos.Select(info => info.Width));
        byte[] expected = [.. Ffmpeg.Decode(small, "yuv420p"), .. Ffmpeg.Decode(large, "yuv420p")];
        Assert.Equal(expected, Frames.Decode(both));
    }
}
