using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Still pictures: files, memory, folders, animations; and writing them.</summary>
[Trait("Speed", "slow")]
public sealed class MediaPictureTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("picture.jpg", "-pix_fmt yuvj420p", "yuvj420p", PixelFormat.I420)]
    [InlineData("picture.jpg", "-pix_fmt yuvj444p", "yuvj444p", PixelFormat.I444)]
    [InlineData("picture.webp", "-c:v libwebp -quality 90 -pix_fmt yuv420p", "yuv420p", PixelFormat.I420)]
    [InlineData("picture.png", "-pix_fmt gray", "gray", PixelFormat.Grey)]
    public void Read_PictureFile_IsOneFrameAsFfmpegDecodesIt(string name, string output, string format, PixelFormat expected)
    {
        string picture = Ffmpeg.Clip(folder, name, output, "333x257", 1);

        FrameInfo info = Assert.Single(Frames.Infos(picture));

        Assert.Equal((expected, 333, 257, 0L), (info.Format, info.Width, info.Height, info.PtsUs));
        Assert.Equal(Ffmpeg.Decode(picture, format), Frames.Decode(picture));
    }

    [Theory]
    [InlineData("picture.png", "rgb24")]
    [InlineData("picture.png", "rgba")]
    [InlineData("picture.png", "rgb48be")]
    [InlineData("picture.png", "ya8")]
    [InlineData("picture.png", "gray16be")]
    [InlineData("picture.png", "pal8")]
    [InlineData("picture.bmp", "bgr24")]
    [InlineData("picture.gif", "pal8")]
    [InlineData("picture.webp", "bgra")]
    public void Read_RgbPicture_IsLaidOnWhite(string name, string format)
    {
        string filter = format == "pal8" ? "null" : "format=rgba,colorchannelmixer=aa=0.6";
        string picture = Ffmpeg.Clip(folder, name, $"-vf {filter} -pix_fmt {format} {(name.EndsWith("webp", StringComparison.Ordinal) ? "-lossless 1" : "")}", "333x257", 1);
        byte[] expected = Frames.ToI444(Ffmpeg.Decode(picture, "rgba"), 333 * 257);

        byte[] actual = Frames.Decode(picture);

        bool grey = Frames.FirstInfo(picture).Format == PixelFormat.Grey;
        Frames.AssertClose(grey ? expected.AsSpan(0, 333 * 257) : expected, actual, 2);
        Assert.Equal(format is "ya8" or "gray16be", grey);
    }

    [Fact]
    public void Read_Gif_PlaysOnceWithItsTimes()
    {
        string gif = Ffmpeg.Clip(folder, "clip.gif", "-r 10 -loop 0", frames: 5);

        Assert.Equal([0, 100_000, 200_000, 300_000, 400_000], Frames.Infos(gif).Select(info => info.PtsUs));
    }

    [Fact]
    public void Read_Folder_FollowsNamesAndSkipsBrokenPictures()
    {
        Ffmpeg.Clip(folder, "b.png", "-pix_fmt rgb24", "64x48", 1);
        Ffmpeg.Clip(folder, "B.jpg", "-pix_fmt yuvj420p", "80x60", 1);
        Ffmpeg.Clip(folder, "d.JPEG", "-f image2 -update 1 -c:v mjpeg -pix_fmt yuvj422p", "333x257", 1);
        Ffmpeg.Clip(folder, "e.bmp", "", "32x32", 1);
        File.WriteAllText(folder["c.jpg"], "not a picture");
        File.WriteAllBytes(folder["f.webp"], []);
        File.WriteAllText(folder["notes.txt"], "not even meant to be one");
        Directory.CreateDirectory(folder["g.png"]);

        using MediaReader reader = Frames.Open(folder.Path, new MediaOptions { PictureIntervalUs = 100_000 });
        List<(int, int, long, long)> seen = [];
        Frames.ForEach(reader, frame => seen.Add((frame.Info.Width, frame.Info.Height, frame.Info.Index, frame.Info.PtsUs)));

        // B, b, c (broken), d, e, f (empty), g (a folder by that name).
        Assert.Equal([(80, 60, 0, 0), (64, 48, 1, 100_000), (333, 257, 3, 300_000), (32, 32, 4, 400_000)], seen);
        MediaInfo info = reader.GetInfo();
        Assert.Equal(("pictures", 10.0, 4L), (info.Container, info.AverageFps, info.Frames));
        Assert.InRange(info.Corrupt, 2, 3);
        Assert.NotEmpty(info.LastDamage);
    }

    /// <summary>Cameras and phones name pictures as they like, or not at all.</summary>
    [Fact]
    public void Read_FolderOfOddlyNamedPictures_TakesThemByHowTheyBegin()
    {
        foreach ((string name, string output) in (ReadOnlySpan<(string, string)>)[("a.jpg", ""), ("b.tif", ""), ("c.gif", ""), ("d.png", ""), ("e.bmp", ""), ("f.webp", "-c:v libwebp")])
            File.Move(Ffmpeg.Clip(folder, name, output, "64x48", 1), folder[name[..1]]);
        File.Copy(folder["a"], folder["g.jfif"]);
        File.Copy(folder["a"], folder[".hidden.jpg"]);
        File.WriteAllText(folder["notes"], "not even meant to be one");

        Assert.Equal(7, Frames.Infos(folder.Path).Count);
    }

    [Fact]
    public void Read_FolderOfBrokenPictures_Throws()
    {
        File.WriteAllText(folder["a.jpg"], "not a picture");
        using MediaReader reader = Frames.Open(folder.Path);

        Assert.Equal(MediaError.ReadError, Assert.Throws<MediaException>(() => reader.Read(out _)).Error);
    }

    [Fact]
    public void Open_FolderWithoutPictures_Throws() =>
        Assert.Equal(MediaError.NotVideo, Assert.Throws<MediaException>(() => Frames.Open(folder.Path)).Error);

    [Theory]
    [InlineData("picture.jpg", "-pix_fmt yuvj420p")]
    [InlineData("picture.png", "-pix_fmt rgb24")]
    [InlineData("clip.mp4", "-c:v libx264")]
    public void ReadPicture_FromMemory_EqualsTheFile(string name, string output)
    {
        string picture = Ffmpeg.Clip(folder, name, output, frames: 1);

        using MediaFrame frame = MediaReader.ReadPicture(File.ReadAllBytes(picture));

        Assert.Equal(Frames.Decode(picture), Frames.Pack(frame));
    }

    [Theory]
    [InlineData("picture.jpg", "-pix_fmt yuvj420p")]
    [InlineData("picture.png", "-pix_fmt rgb24")]
    public void ReadPicture_Truncated_Throws(string name, string output)
    {
        byte[] picture = File.ReadAllBytes(Ffmpeg.Clip(folder, name, output, "333x257", 1));

        MediaException error = Assert.Throws<MediaException>(() => MediaReader.ReadPicture(picture.AsSpan(0, picture.Length / 2)));

        Assert.Contains(error.Error, new[] { MediaError.ReadError, MediaError.NotVideo });
    }

    [Fact]
    public void ReadPicture_Empty_Throws() =>
        Assert.Equal(MediaError.NotVideo, Assert.Throws<MediaException>(() => MediaReader.ReadPicture([])).Error);

    [Fact]
    public void Read_PictureAboveTheLimit_IsRefused()
    {
        string picture = Ffmpeg.Clip(folder, "picture.png", "-pix_fmt gray", "16400x2", 1);

        MediaException error = Assert.Throws<MediaException>(() => Frames.Decode(picture));

        Assert.Equal(MediaError.BadSize, error.Error);
        Assert.Contains("16400", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(333, 257)]
    [InlineData(16, 16)]
    [InlineData(1, 1)]
    public void Encode_PngRgb_ComesBackExactly(int width, int height)
    {
        int stride = width * 3 + 5;
        byte[] pixels = Noise(stride * height);
        byte[] file = Encode(ImageCodec.Png, ImagePlanes.Rgb24(pixels, width, height, stride));

        File.WriteAllBytes(folder["picture.png"], file);
        byte[] expected = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
            pixels.AsSpan(y * stride, width * 3).CopyTo(expected.AsSpan(y * width * 3));
        Assert.Equal(expected, Ffmpeg.Decode(folder["picture.png"], "rgb24"));
    }

    [Fact]
    public void Encode_PngGrey_ComesBackExactly()
    {
        byte[] pixels = Noise(33 * 21);
        using MediaFrame frame = MediaReader.ReadPicture(Encode(ImageCodec.Png, ImagePlanes.Grey(pixels, 33, 21, 33)));

        Assert.Equal((PixelFormat.Grey, ColourRange.Full), (frame.Info.Format, frame.Info.Range));
        Assert.Equal(pixels, Frames.Pack(frame));
    }

    [Theory]
    [InlineData(PixelFormat.I420, "yuvj420p", 333, 257)]
    [InlineData(PixelFormat.I422, "yuvj422p", 96, 64)]
    [InlineData(PixelFormat.I444, "yuvj444p", 333, 257)]
    public void Encode_JpegOfPlanes_ComesBackAlike(PixelFormat format, string name, int width, int height)
    {
        byte[] planes = Ffmpeg.PatternPixels(width, height, name);
        int chromaWidth = format == PixelFormat.I444 ? width : (width + 1) / 2;
        int chromaBytes = (planes.Length - width * height) / 2;

        byte[] file = Encode(ImageCodec.Jpeg, ImagePlanes.Yuv(format, planes.AsSpan(0, width * height),
            planes.AsSpan(width * height, chromaBytes), planes.AsSpan(width * height + chromaBytes), width, height, width, chromaWidth), 100);

        using MediaFrame frame = MediaReader.ReadPicture(file);
        Assert.Equal((format, ColourRange.Full, ColourMatrix.Bt601), (frame.Info.Format, frame.Info.Range, frame.Info.Matrix));
        Assert.True(MeanDifference(planes, Frames.Pack(frame)) < 1.5);
    }

    [Fact]
    public void Encode_JpegOfRgbAndGrey_ComesBackAlike()
    {
        byte[] rgb = Ffmpeg.PatternPixels(97, 65, "rgb24");
        byte[] rgba = Ffmpeg.PatternPixels(97, 65, "rgba");
        byte[] grey = rgb.AsSpan(0, 97 * 65).ToArray();

        using MediaFrame colour = MediaReader.ReadPicture(Encode(ImageCodec.Jpeg, ImagePlanes.Rgb24(rgb, 97, 65, 97 * 3), 100));
        using MediaFrame plain = MediaReader.ReadPicture(Encode(ImageCodec.Jpeg, ImagePlanes.Grey(grey, 97, 65, 97), 100));

        Assert.True(MeanDifference(Frames.ToI444(rgba, 97 * 65), Frames.Pack(colour)) < 1.5);
        Assert.True(MeanDifference(grey, Frames.Pack(plain).AsSpan(0, grey.Length)) < 3);
        Assert.All(Frames.Pack(plain)[grey.Length..], chroma => Assert.Equal(128, chroma));
    }

    [Fact]
    public void Encode_LowerQuality_IsSmaller()
    {
        byte[] rgb = Ffmpeg.PatternPixels(160, 120, "rgb24");

        Assert.True(Encode(ImageCodec.Jpeg, ImagePlanes.Rgb24(rgb, 160, 120, 480), 20).Length <
            Encode(ImageCodec.Jpeg, ImagePlanes.Rgb24(rgb, 160, 120, 480), 95).Length / 2);
    }

    [Fact]
    public void Encode_TooLittleRoom_SaysHowMuchIsNeeded()
    {
        byte[] pixels = Noise(64 * 64);

        using var encoder = new ImageEncoder(ImageCodec.Png);
        Assert.False(encoder.TryEncode(ImagePlanes.Grey(pixels, 64, 64, 64), [], out int needed));
        byte[] room = new byte[needed];
        Assert.False(encoder.TryEncode(ImagePlanes.Grey(pixels, 64, 64, 64), room.AsSpan(1), out _));
        Assert.True(encoder.TryEncode(ImagePlanes.Grey(pixels, 64, 64, 64), room, out int written));
        Assert.Equal(needed, written);
    }

    [Theory]
    [InlineData(ImageCodec.Jpeg)]
    [InlineData(ImageCodec.Png)]
    public void Encode_WorstNoise_FitsMaxSize(ImageCodec codec)
    {
        foreach ((int width, int height) in new[] { (1, 1), (17, 3), (250, 250) })
            Encode(codec, ImagePlanes.Rgb24(Noise(width * height * 3), width, height, width * 3), 100);
    }

    /// <summary>One encoder for many pictures: each file is what an encoder of its own would make.</summary>
    [Theory]
    [InlineData(ImageCodec.Jpeg)]
    [InlineData(ImageCodec.Png)]
    public void Encode_ManyPictures_EachIsItsOwnFile(ImageCodec codec)
    {
        byte[][] pictures = [Ffmpeg.PatternPixels(97, 65, "rgb24"), Noise(97 * 65 * 3), new byte[97 * 65 * 3], Ffmpeg.PatternPixels(97, 65, "rgb24")];
        byte[] room = new byte[ImageEncoder.MaxSizeBytes(97, 65)];
        using var encoder = new ImageEncoder(codec, 70);

        foreach (byte[] pixels in pictures)
        {
            Assert.True(encoder.TryEncode(ImagePlanes.Rgb24(pixels, 97, 65, 97 * 3), room, out int size));
            Assert.Equal(Encode(codec, ImagePlanes.Rgb24(pixels, 97, 65, 97 * 3), 70), room[..size]);
        }
        MediaException refused = Assert.Throws<MediaException>(() => encoder.TryEncode(ImagePlanes.Rgb24(pictures[0], 65, 97, 65 * 3), room, out _));
        Assert.Contains("97 x 65", refused.Message, StringComparison.Ordinal);
        Assert.True(encoder.TryEncode(ImagePlanes.Rgb24(pictures[0], 97, 65, 97 * 3), room, out _));
    }

    [Fact]
    public void Encode_PlaneTooShort_Throws() =>
        Assert.Throws<ArgumentException>(() => { ImagePlanes.Grey(new byte[63 * 64 + 63], 64, 64, 64); });

    private static byte[] Encode(ImageCodec codec, ImagePlanes image, int quality = 90)
    {
        byte[] room = new byte[ImageEncoder.MaxSizeBytes(image.Width, image.Height)];
        using var encoder = new ImageEncoder(codec, quality);
        Assert.True(encoder.TryEncode(image, room, out int size), $"{size} bytes do not fit");
        return room[..size];
    }

    private static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private static double MeanDifference(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Assert.Equal(left.Length, right.Length);
        long sum = 0;
        for (int i = 0; i < left.Length; i++)
            sum += Math.Abs(left[i] - right[i]);
        return (double)sum / left.Length;
    }
}
