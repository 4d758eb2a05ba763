using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Every pixel format against what the ffmpeg command line makes of the same file.</summary>
[Trait("Speed", "slow")]
public sealed class MediaPixelFormatTests : IDisposable
{
    private const int Width = 66;
    private const int Height = 50;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("libx264 -bf 2 -qp 20", "yuv420p", "160x120", PixelFormat.I420)]
    [InlineData("libx264 -bf 2 -qp 20", "yuv420p", "334x258", PixelFormat.I420)]
    [InlineData("libx264 -qp 20", "yuv422p", "160x120", PixelFormat.I422)]
    [InlineData("libx264 -qp 20", "yuv444p", "333x257", PixelFormat.I444)]
    [InlineData("libx264 -qp 20", "yuvj420p", "160x120", PixelFormat.I420)]
    [InlineData("libx265 -x265-params log-level=none", "gray", "160x120", PixelFormat.Grey)]
    [InlineData("libx265 -x265-params log-level=none", "yuv420p", "160x120", PixelFormat.I420)]
    [InlineData("mpeg2video -bf 2", "yuv420p", "333x257", PixelFormat.I420)]
    [InlineData("mpeg1video", "yuv420p", "333x257", PixelFormat.I420)]
    [InlineData("mjpeg", "yuvj420p", "333x257", PixelFormat.I420)]
    [InlineData("mjpeg", "yuvj422p", "333x257", PixelFormat.I422)]
    [InlineData("mjpeg", "yuvj444p", "333x257", PixelFormat.I444)]
    [InlineData("ffv1", "yuv420p", "333x257", PixelFormat.I420)]
    [InlineData("libvpx-vp9", "yuv420p", "333x257", PixelFormat.I420)]
    [InlineData("rawvideo", "nv12", "333x257", PixelFormat.Nv12)]
    [InlineData("rawvideo", "yuv420p", "333x257", PixelFormat.I420)]
    [InlineData("rawvideo", "gray", "333x257", PixelFormat.Grey)]
    public void Read_NativeFormat_IsBitExactWithFfmpeg(string codec, string format, string size, PixelFormat expected)
    {
        string clip = Ffmpeg.Clip(folder, "clip.nut", $"-c:v {codec} -pix_fmt {format}", size);

        Assert.Equal(expected, Frames.FirstInfo(clip).Format);
        Assert.Equal(Ffmpeg.Decode(clip, format), Frames.Decode(clip));
    }

    [Theory]
    [InlineData("yuv420p10le", "yuv420p", 2, PixelFormat.I420)]
    [InlineData("yuv420p10be", "yuv420p", 2, PixelFormat.I420)]
    [InlineData("yuv420p12le", "yuv420p", 2, PixelFormat.I420)]
    [InlineData("yuv422p10le", "yuv422p", 2, PixelFormat.I422)]
    [InlineData("yuv444p10le", "yuv444p", 2, PixelFormat.I444)]
    [InlineData("nv21", "yuv420p", 0, PixelFormat.I420)]
    [InlineData("yuyv422", "yuv422p", 0, PixelFormat.I422)]
    [InlineData("uyvy422", "yuv422p", 0, PixelFormat.I422)]
    [InlineData("gray16le", "gray", 1, PixelFormat.Grey)]
    [InlineData("gray16be", "gray", 1, PixelFormat.Grey)]
    [InlineData("gray10le", "gray", 1, PixelFormat.Grey)]
    [InlineData("monow", "gray", 0, PixelFormat.Grey)]
    [InlineData("monob", "gray", 0, PixelFormat.Grey)]
    public void Read_OtherYuvOrGrey_IsCloseToFfmpeg(string format, string reference, int tolerance, PixelFormat expected)
    {
        string clip = RawClip(format);

        Assert.Equal(expected, Frames.FirstInfo(clip).Format);
        Frames.AssertClose(Ffmpeg.Decode(clip, reference), Frames.Decode(clip), tolerance);
    }

    [Theory]
    [InlineData("rgb24", 1)]
    [InlineData("bgr24", 1)]
    [InlineData("rgba", 1)]
    [InlineData("bgra", 1)]
    [InlineData("argb", 1)]
    [InlineData("abgr", 1)]
    [InlineData("rgb0", 1)]
    [InlineData("bgr0", 1)]
    [InlineData("0rgb", 1)]
    [InlineData("0bgr", 1)]
    [InlineData("gbrp", 1)]
    [InlineData("gbrp10le", 2)]
    [InlineData("rgb48le", 2)]
    [InlineData("rgb48be", 2)]
    [InlineData("rgba64le", 2)]
    [InlineData("rgb565le", 6)]
    public void Read_Rgb_IsFullRangeBt601(string format, int tolerance)
    {
        string clip = RawClip(format, "format=rgba,colorchannelmixer=aa=0.6");

        FrameInfo info = Frames.FirstInfo(clip);
        Assert.Equal((PixelFormat.I444, ColourMatrix.Bt601, ColourRange.Full), (info.Format, info.Matrix, info.Range));
        byte[] expected = Frames.ToI444(Ffmpeg.Decode(clip, "rgba"), Width * Height);
        Frames.AssertClose(expected, Frames.Decode(clip), tolerance);
    }

    [Theory]
    [InlineData("yuv440p", PixelFormat.I444, 0, 1, 0, 0)]
    [InlineData("yuv411p", PixelFormat.I422, 2, 0, 1, 0)]
    [InlineData("yuv410p", PixelFormat.I420, 2, 2, 1, 1)]
    public void Read_CoarseChroma_IsRepeated(string format, PixelFormat expected, int sourceW, int sourceH, int targetW, int targetH)
    {
        string clip = RawClip(format);
        byte[] source = Ffmpeg.Decode(clip, format);
        (int fromWidth, int fromHeight) = (Shift(Width, sourceW), Shift(Height, sourceH));
        (int toWidth, int toHeight) = (Shift(Width, targetW), Shift(Height, targetH));

        using MediaReader reader = Frames.Open(clip);
        Assert.Equal(DecodeResult.Frame, reader.Read(out MediaFrame? frame));
        using MediaFrame read = frame!;

        Assert.Equal(expected, read.Info.Format);
        byte[] wanted = new byte[Width * Height + 2 * toWidth * toHeight];
        source.AsSpan(0, Width * Height).CopyTo(wanted);
        for (int plane = 0; plane < 2; plane++)
            for (int y = 0; y < toHeight; y++)
                for (int x = 0; x < toWidth; x++)
                    wanted[Width * Height + (plane * toHeight + y) * toWidth + x] =
                        source[Width * Height + (plane * fromHeight + (y >> (sourceH - targetH))) * fromWidth + (x >> (sourceW - targetW))];
        Assert.Equal(wanted, Frames.Pack(read));
    }

    [Fact]
    public void Read_YuvWithAlpha_IsLaidOnWhite()
    {
        string clip = RawClip("yuva444p", "format=rgba,colorchannelmixer=aa=0.6");
        byte[] source = Ffmpeg.Decode(clip, "yuva444p");
        byte[] actual = Frames.Decode(clip);
        const int Plane = Width * Height;
        for (int i = 0; i < 3 * Plane; i++)
        {
            double alpha = source[3 * Plane + i % Plane] / 255.0;
            double expected = source[i] * alpha + (i < Plane ? 235 : 128) * (1 - alpha);
            Assert.InRange(actual[i], expected - 1, expected + 1);
        }
    }

    [Fact]
    public void Read_FloatingPointFormat_IsRefusedByName()
    {
        string clip = folder["clip.exr"];
        Ffmpeg.Run($"-f lavfi -i testsrc2=s=64x64 -frames:v 1 -pix_fmt gbrpf32le \"{clip}\"");
        using MediaReader reader = Frames.Open(clip);

        MediaException error = Assert.Throws<MediaException>(() => reader.Read(out _));

        Assert.Equal(MediaError.PixelFormat, error.Error);
        Assert.Contains("gbrpf32", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public void Read_H264WithReorderedFrames_IsBitExactWithFfmpeg(int threads, bool lowDelay)
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -bf 3 -b-pyramid normal -refs 4 -pix_fmt yuv420p", "320x240", 60);
        MediaOptions options = new() { DecoderThreads = threads, LowDelay = lowDelay };

        Assert.Equal(Ffmpeg.Decode(clip, "yuv420p"), Frames.Decode(clip, options));
    }

    /// <summary>Some encoders write a picture into the middle of a larger one; what surrounds it is not shown. On a GPU: PictureCut of LfrEngine.DirectX.</summary>
    [Theory]
    [InlineData(8, 6)]
    [InlineData(32, 16)]
    [InlineData(2, 0)]
    public void Read_H264WithCropOnTheLeftAndTop_IsThePictureOnly(int left, int top)
    {
        // The height of 120 is coded as 128.
        string plain = Ffmpeg.Clip(folder, "plain.mp4", "-c:v libx264 -pix_fmt yuv420p");
        string cropped = Ffmpeg.Clip(folder, "cropped.mp4", $"-c:v libx264 -pix_fmt yuv420p -bsf:v h264_metadata=crop_left={left}:crop_right=4:crop_top={top}:crop_bottom=14");
        (int width, int height) = (160 - left - 4, 128 - top - 14);

        FrameInfo info = Frames.FirstInfo(cropped);
        Assert.Equal((width, height), (info.Width, info.Height));
        Assert.Equal(Ffmpeg.Decode(plain, $"yuv420p -vf crop={width}:{height}:{left}:{top}:exact=1"), Frames.Decode(cropped));
    }

    private static int Shift(int value, int bits) => (value + (1 << bits) - 1) >> bits;

    private string RawClip(string format, string filter = "null") =>
        Ffmpeg.Clip(folder, "clip.nut", $"-vf {filter} -c:v rawvideo -pix_fmt {format}", $"{Width}x{Height}", frames: 2);
}
