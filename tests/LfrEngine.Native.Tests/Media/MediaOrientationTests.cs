using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Frames come upright, whatever the camera's position was.</summary>
[Trait("Speed", "slow")]
public sealed class MediaOrientationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("yuv420p", 90)]
    [InlineData("yuv420p", 180)]
    [InlineData("yuv420p", 270)]
    [InlineData("yuv444p", 90)]
    [InlineData("yuv422p", 180)]
    public void Read_DisplayMatrix_IsTurnedAsFfmpegDoes(string format, int degrees)
    {
        string clip = TurnedClip(format, degrees);

        FrameInfo info = Frames.FirstInfo(clip);

        Assert.Equal(degrees == 180 ? (160, 120) : (120, 160), (info.Width, info.Height));
        Assert.Equal((ChromaLocation.Centre, false), (info.ChromaLocation, info.IsMirrored));
        // "rotate" counts counter-clockwise in some versions of ffmpeg; the pixels decide.
        Assert.Contains(info.RotationDegrees, new[] { degrees, 360 - degrees });
        Assert.Equal(Ffmpeg.Decode(clip, format), Frames.Decode(clip));
    }

    [Fact]
    public void Read_I422OnItsSide_BecomesI444()
    {
        string clip = TurnedClip("yuv422p", 90);
        using MediaReader reader = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        using MediaFrame read = frame!;

        Assert.Equal((PixelFormat.I444, 120, 160), (read.Info.Format, read.Info.Width, read.Info.Height));
        byte[] packed = Frames.Pack(read);
        byte[] stored = Ffmpeg.Decode(clip, "yuv422p", "-noautorotate");
        bool clockwise = read.Info.RotationDegrees == 90;
        for (int y = 0; y < 160; y++)
            for (int x = 0; x < 120; x++)
            {
                int column = clockwise ? y : 159 - y;
                int row = clockwise ? 119 - x : x;
                Assert.Equal(stored[row * 160 + column], packed[y * 120 + x]);
                Assert.Equal(stored[19200 + row * 80 + column / 2], packed[19200 + y * 120 + x]);
                Assert.Equal(stored[28800 + row * 80 + column / 2], packed[38400 + y * 120 + x]);
            }
    }

    [Theory]
    [InlineData(1, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(3, 180, false)]
    [InlineData(4, 180, true)]
    [InlineData(5, 270, true)]
    [InlineData(6, 90, false)]
    [InlineData(7, 90, true)]
    [InlineData(8, 270, false)]
    public void Read_ExifOrientation_IsApplied(int orientation, int degrees, bool mirrored)
    {
        const int Width = 50, Height = 34;
        string plain = Ffmpeg.Clip(folder, "plain.jpg", "-c:v mjpeg -pix_fmt yuvj444p", $"{Width}x{Height}", 1);
        byte[] jpeg = File.ReadAllBytes(plain);
        using MediaFrame source = MediaReader.ReadPicture(jpeg);
        using MediaFrame turned = MediaReader.ReadPicture(WithOrientation(jpeg, orientation));

        bool onItsSide = orientation >= 5;
        FrameInfo info = turned.Info;
        Assert.Equal((degrees, mirrored), (info.RotationDegrees, info.IsMirrored));
        Assert.Equal(onItsSide ? (Height, Width) : (Width, Height), (info.Width, info.Height));
        for (int plane = 0; plane < 3; plane++)
            for (int y = 0; y < info.Height; y++)
                for (int x = 0; x < info.Width; x++)
                {
                    // Where the first row and the first column of the stored picture lie (EXIF 2.32, tag 274).
                    (int column, int row) = orientation switch
                    {
                        1 => (x, y),
                        2 => (Width - 1 - x, y),
                        3 => (Width - 1 - x, Height - 1 - y),
                        4 => (x, Height - 1 - y),
                        5 => (y, x),
                        6 => (y, Height - 1 - x),
                        7 => (Width - 1 - y, Height - 1 - x),
                        _ => (Width - 1 - y, x),
                    };
                    Assert.Equal(source.Row(plane, row)[column], turned.Row(plane, y)[x]);
                }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 180)]
    [InlineData(6, 90)]
    [InlineData(8, 270)]
    public void Read_OrientationInPng_IsApplied(int orientation, int degrees)
    {
        byte[] png = File.ReadAllBytes(Ffmpeg.Clip(folder, "plain.png", "-c:v png -pix_fmt rgb24", "50x34", 1));
        foreach (bool little in (bool[])[false, true])
        {
            byte[] tiff = little
                ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
                : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
            byte[] chunk = [.. "eXIf"u8, .. tiff];
            byte[] sum = new byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(sum, Crc32(chunk));
            // Behind the signature and the header.
            using MediaFrame turned = MediaReader.ReadPicture([.. png[..33], 0, 0, 0, (byte)tiff.Length, .. chunk, .. sum, .. png[33..]]);
            Assert.Equal((degrees, false), (turned.Info.RotationDegrees, turned.Info.IsMirrored));
        }
    }

    // As PNG has it; the framework's own is in a package.
    private static uint Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    private string TurnedClip(string format, int degrees)
    {
        string clip = Ffmpeg.Clip(folder, "plain.mp4", $"-c:v libx264 -pix_fmt {format}", frames: 3);
        string turned = folder["turned.mp4"];
        Ffmpeg.Run($"-i \"{clip}\" -c copy -metadata:s:v rotate={degrees} \"{turned}\"");
        if (Frames.FirstInfo(turned).RotationDegrees == 0)
            Ffmpeg.Run($"-display_rotation {degrees} -i \"{clip}\" -c copy \"{turned}\"");
        return turned;
    }

    /// <summary>Puts the smallest EXIF segment there is behind the start marker.</summary>
    private static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] exif =
        [
            0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8,
            .. "MM\0*"u8, 0, 0, 0, 8,
            0, 1,
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0,
            0, 0, 0, 0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }
}
