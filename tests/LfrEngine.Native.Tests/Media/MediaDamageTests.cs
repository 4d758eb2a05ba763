using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Sources that are missing, empty, something else, or broken.</summary>
public sealed class MediaDamageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("missing.mp4")]
    [InlineData("/dev/video99")]
    [InlineData("concat:a.mp4|b.mp4")]
    [InlineData("rtsp://user:secret@127.0.0.1:9/live?password=secret")]
    [InlineData("rtsp://127.0.0.1:9/user=admin_password=secret_channel=1_stream=0.sdp")]
    [InlineData("http://127.0.0.1:9/video.cgi?user=admin@site&pwd=secret")]
    [InlineData("http://user:sec/ret@127.0.0.1:9/live.mp4")]
    public void Open_NothingThere_CannotOpenWithoutTellingSecrets(string source)
    {
        MediaException error = Assert.Throws<MediaException>(() => Frames.Open(source));

        Assert.Equal(MediaError.CannotOpen, error.Error);
        Assert.NotEmpty(error.Message);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sec/ret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NotADevice_CannotOpen() =>
        Assert.Equal(MediaError.CannotOpen, Assert.Throws<MediaException>(() => Frames.Open("/dev/null")).Error);

    [Fact]
    public void Open_EmptyFile_IsNoVideo()
    {
        File.WriteAllBytes(folder["empty.mp4"], []);
        MediaException error = Assert.Throws<MediaException>(() => Frames.Open(folder["empty.mp4"]));
        Assert.Equal(MediaError.NotVideo, error.Error);
        Assert.Contains("empty", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("notes.mp4")]
    [InlineData("notes")]
    public void Open_TextFile_IsNoVideo(string name)
    {
        File.WriteAllText(folder[name], string.Concat(Enumerable.Repeat("A line of text, nothing else.\n", 200)));
        Assert.Equal(MediaError.NotVideo, Assert.Throws<MediaException>(() => Frames.Open(folder[name])).Error);
    }

    [Fact]
    public void Read_TextNamedLikeAPicture_Throws()
    {
        File.WriteAllText(folder["notes.jpg"], "A line of text, nothing else.\n");
        Assert.Contains(Assert.Throws<MediaException>(() => Frames.Decode(folder["notes.jpg"])).Error, new[] { MediaError.NotVideo, MediaError.ReadError });
    }

    [Fact]
    public void Open_RandomBytes_IsNoVideo()
    {
        byte[] noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        File.WriteAllBytes(folder["noise.bin"], noise);
        Assert.Equal(MediaError.NotVideo, Assert.Throws<MediaException>(() => Frames.Open(folder["noise.bin"])).Error);
    }

    [Fact]
    public void Open_SoundOnly_IsNoVideo()
    {
        Ffmpeg.Run($"-f lavfi -i sine=d=1 \"{folder["tone.wav"]}\"");
        MediaException error = Assert.Throws<MediaException>(() => Frames.Open(folder["tone.wav"]));
        Assert.Equal(MediaError.NotVideo, error.Error);
        Assert.Contains("no video stream", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PlaylistInFile_DoesNotReachOut()
    {
        File.WriteAllText(folder["list.m3u8"], "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n");
        Assert.Throws<MediaException>(() => Frames.Decode(folder["list.m3u8"]));
    }

    [Fact]
    public void Read_TruncatedMp4_GivesWhatThereIsAndSaysSo()
    {
        byte[] whole = File.ReadAllBytes(Ffmpeg.Clip(folder, "whole.mp4", "-c:v libx264 -g 10 -movflags +faststart", frames: 50));
        string cut = folder["cut.mp4"];
        File.WriteAllBytes(cut, whole[..(whole.Length * 6 / 10)]);

        using MediaReader reader = Frames.Open(cut);
        int frames = Frames.ForEach(reader, _ => { });

        Assert.InRange(frames, 10, 49);
        Assert.True(reader.GetInfo().IsTruncated);
        // The end stays the end.
        Assert.Equal(DecodeResult.EndOfStream, reader.Read(out MediaFrame? none));
        Assert.Null(none);
    }

    [Fact]
    public void Open_Mp4WithoutIndex_SaysSo()
    {
        byte[] whole = File.ReadAllBytes(Ffmpeg.Clip(folder, "whole.mp4", "-c:v libx264", frames: 50));
        string cut = folder["cut.mp4"];
        File.WriteAllBytes(cut, whole[..(whole.Length * 6 / 10)]);

        MediaException error = Assert.Throws<MediaException>(() => Frames.Open(cut));

        Assert.Equal(MediaError.NotVideo, error.Error);
        Assert.Contains("moov", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clip.ts")]
    [InlineData("clip.mkv")]
    public void Read_DamageInTheMiddle_IsSkippedAndCounted(string name)
    {
        string clip = Ffmpeg.Clip(folder, name, "-c:v libx264 -g 10 -bf 0 -b:v 2M", "320x240", 100);
        byte[] bytes = File.ReadAllBytes(clip);
        new Random(3).NextBytes(bytes.AsSpan(bytes.Length * 4 / 10, bytes.Length / 10));
        File.WriteAllBytes(clip, bytes);

        using MediaReader reader = Frames.Open(clip);
        int concealed = 0;
        int frames = Frames.ForEach(reader, frame => concealed += frame.Info.IsCorrupt ? 1 : 0);

        Assert.InRange(frames, 70, 100);
        MediaInfo info = reader.GetInfo();
        Assert.True(info.Corrupt > 0 || concealed > 0);
        Assert.Equal(info.Corrupt > 0, info.LastDamage.Length > 0);
    }

    [Fact]
    public void Read_WholeFile_CountsNoDamage()
    {
        string clip = Ffmpeg.Clip(folder, "clip.ts", "-c:v libx264 -g 10 -bf 2", frames: 50);
        using MediaReader reader = Frames.Open(clip);
        Frames.ForEach(reader, frame => Assert.False(frame.Info.IsCorrupt));
        Assert.Equal((0L, false), (reader.GetInfo().Corrupt, reader.GetInfo().IsTruncated));
    }
}
