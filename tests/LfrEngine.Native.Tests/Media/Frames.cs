using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Reading whole sources, and comparing pictures.</summary>
internal static class Frames
{
    /// <summary>Opens a source until the test is stopped.</summary>
    public static MediaReader Open(string source, MediaOptions? options = null) =>
        MediaReader.Open(source, options, TestContext.Current.CancellationToken);

    /// <summary>The planes of a frame without row padding, one after the other.</summary>
    public static byte[] Pack(MediaFrame frame)
    {
        using MemoryStream packed = new();
        for (int plane = 0; plane < frame.Info.PlaneCount; plane++)
            for (int row = 0; row < frame.Info.RowCount(plane); row++)
                packed.Write(frame.Row(plane, row));
        return packed.ToArray();
    }

    /// <summary>All frames of a source, packed.</summary>
    public static byte[] Decode(string path, MediaOptions? options = null)
    {
        using MediaReader reader = Frames.Open(path, options);
        using MemoryStream packed = new();
        ForEach(reader, frame => packed.Write(Pack(frame)));
        return packed.ToArray();
    }

    /// <summary>What the frames say about themselves.</summary>
    public static List<FrameInfo> Infos(string path, MediaOptions? options = null)
    {
        using MediaReader reader = Frames.Open(path, options);
        List<FrameInfo> infos = [];
        ForEach(reader, frame => infos.Add(frame.Info));
        return infos;
    }

    public static FrameInfo FirstInfo(string path) => Infos(path)[0];

    /// <summary>Reads to the end of the stream.</summary>
    /// <returns>How many frames there were.</returns>
    public static int ForEach(MediaReader reader, Action<MediaFrame> use)
    {
        int count = 0;
        while (reader.Read(out MediaFrame? frame) == DecodeResult.Frame)
        {
            using (frame)
                use(frame!);
            count++;
        }
        return count;
    }

    public static void AssertClose(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, int tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (Math.Abs(expected[i] - actual[i]) > tolerance)
                Assert.Fail($"byte {i} of {expected.Length}: expected {expected[i]} ± {tolerance}, got {actual[i]}");
    }

    /// <summary>Full-range BT.601 of RGBA pixels laid on white, computed in floating point: three full planes per frame.</summary>
    public static byte[] ToI444(ReadOnlySpan<byte> rgba, int pixelsPerFrame)
    {
        byte[] planes = new byte[rgba.Length / 4 * 3];
        for (int i = 0; i < rgba.Length / 4; i++)
        {
            double alpha = rgba[4 * i + 3] / 255.0;
            double r = rgba[4 * i] * alpha + 255 * (1 - alpha);
            double g = rgba[4 * i + 1] * alpha + 255 * (1 - alpha);
            double b = rgba[4 * i + 2] * alpha + 255 * (1 - alpha);
            double y = 0.299 * r + 0.587 * g + 0.114 * b;
            int at = i / pixelsPerFrame * pixelsPerFrame * 3 + i % pixelsPerFrame;
            planes[at] = Round(y);
            planes[at + pixelsPerFrame] = Round(128 + (b - y) / 1.772);
            planes[at + 2 * pixelsPerFrame] = Round(128 + (r - y) / 1.402);
        }
        return planes;
    }

    private static byte Round(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}
