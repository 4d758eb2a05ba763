using System.Runtime.InteropServices;
using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>The C functions called raw, with what a careless caller might pass.</summary>
public sealed unsafe partial class MediaAbiTests : IDisposable
{
    private const int BadArgument = (int)MediaError.BadArgument;

    private readonly nint media;

    public MediaAbiTests()
    {
        nint media;
        Assert.Equal(0, lfr_media_create(0, &media));
        this.media = media;
    }

    public void Dispose() => lfr_media_close(media);

    [Fact]
    public void EveryFunction_NullHandle_IsRefused()
    {
        nint frame = 1;
        MediaInfoData info = new() { StructSize = (uint)sizeof(MediaInfoData) };
        FrameInfoData frameInfo = new() { StructSize = (uint)sizeof(FrameInfoData) };
        byte data = 0;
        long bytes;

        Assert.Equal(BadArgument, lfr_media_create(0, null));
        Assert.Equal(BadArgument, lfr_media_open(0, "x", null));
        Assert.Equal(BadArgument, lfr_media_open_memory(0, &data, 1, null));
        Assert.Equal(BadArgument, lfr_media_interrupt(0));
        Assert.Equal(BadArgument, lfr_media_read(0, &frame));
        Assert.Equal(0, frame);
        Assert.Equal(BadArgument, lfr_media_get_info(0, &info));
        Assert.Equal(BadArgument, lfr_media_count_residue(0, &bytes));
        Assert.Equal(BadArgument, lfr_media_scrub(0));
        Assert.Equal(BadArgument, lfr_frame_get_info(0, &frameInfo));
        Assert.Equal(BadArgument, lfr_media_account_open(null));
        Assert.Equal(BadArgument, lfr_media_get_stats(0, null));
        Assert.Equal(0, lfr_media_has_decoder(null));
        byte end = 0;
        int at;
        Assert.Equal(BadArgument, lfr_media_url_login(null, &at, &at));
        Assert.Equal(BadArgument, lfr_media_url_login(&end, null, &at));
        Assert.Equal(BadArgument, lfr_media_url_login(&end, &at, null));
        lfr_media_close(0);
        lfr_media_account_close(0);
        lfr_frame_release(0);
    }

    [Fact]
    public void EveryFunction_NullArgument_IsRefused()
    {
        byte data = 0;
        Assert.Equal(BadArgument, lfr_media_open(media, null, null));
        Assert.Equal(BadArgument, lfr_media_open(media, "", null));
        Assert.Equal(BadArgument, lfr_media_open_memory(media, null, 1, null));
        Assert.Equal(BadArgument, lfr_media_open_memory(media, &data, -1, null));
        Assert.Equal(BadArgument, lfr_media_read(media, null));
        Assert.Equal(BadArgument, lfr_media_get_info(media, null));
        Assert.Equal(BadArgument, lfr_media_count_residue(media, null));
        Assert.NotEmpty(MediaApi.LastError());
    }

    [Fact]
    public void Read_NothingOpened_IsRefused()
    {
        nint frame;
        Assert.Equal(0, lfr_media_scrub(media));
        Assert.Equal(BadArgument, lfr_media_read(media, &frame));
    }

    [Fact]
    public void Open_Twice_IsRefused()
    {
        Assert.Equal((int)MediaError.CannotOpen, lfr_media_open(media, "/missing", null));
        Assert.Equal(BadArgument, lfr_media_open(media, "/missing", null));
    }

    [Fact]
    public void Open_Interrupted_SaysSo()
    {
        Assert.Equal(0, lfr_media_interrupt(media));
        Assert.Equal(MediaApi.Interrupted, lfr_media_open(media, "/missing", null));
    }

    [Theory]
    [InlineData(0, 1, 1, 0, 1)]
    [InlineData(4, 1, 1, 0, 1)]
    [InlineData(1000, 1, 1, 0, 1)]
    [InlineData(28, -1, 1, 0, 1)]
    [InlineData(28, 1, 0, 0, 1)]
    [InlineData(28, 1, 65, 0, 1)]
    [InlineData(28, 1, int.MaxValue, 0, 1)]
    [InlineData(28, 1, 1, 2, 1)]
    [InlineData(28, 1, 1, -1, 1)]
    [InlineData(28, 1, 1, 0, 0)]
    public void Open_BadOptions_AreRefused(int structSize, int timeoutMs, int threads, int transport, int intervalUs)
    {
        MediaOptionsData options = new()
        {
            StructSize = (uint)structSize,
            OpenTimeoutMs = timeoutMs,
            ReadTimeoutMs = timeoutMs,
            DecoderThreads = threads,
            RtspTransport = transport,
            PictureIntervalUs = intervalUs,
        };
        Assert.Equal(BadArgument, lfr_media_open(media, "/missing", &options));
    }

    [Fact]
    public void Structures_OtherSizeThanTheLibrarys_AreRefused()
    {
        MediaInfoData info = new() { StructSize = (uint)sizeof(MediaInfoData) - 1 };
        MediaStatsData stats = new() { StructSize = 0 };
        Assert.Equal(BadArgument, lfr_media_get_info(media, &info));
        Assert.Equal(BadArgument, lfr_media_get_stats(0, &stats));
        stats.StructSize = (uint)sizeof(MediaStatsData);
        Assert.Equal(0, lfr_media_get_stats(0, &stats));
    }

    [Theory]
    [InlineData(0, 0, 16, 16, 16, 1, 90, 0)]
    [InlineData(2, 0, 16, 16, 16, 1, 90, BadArgument)]
    [InlineData(-1, 0, 16, 16, 16, 1, 90, BadArgument)]
    [InlineData(0, 4, 16, 16, 16, 1, 90, BadArgument)]
    [InlineData(0, 99, 16, 16, 16, 1, 90, BadArgument)]
    [InlineData(1, 1, 16, 16, 16, 1, 90, BadArgument)]
    [InlineData(0, 0, 0, 16, 16, 1, 90, (int)MediaError.BadSize)]
    [InlineData(0, 0, 16, -1, 16, 1, 90, (int)MediaError.BadSize)]
    [InlineData(0, 0, 16385, 1, 16385, 1, 90, (int)MediaError.BadSize)]
    [InlineData(0, 0, 16, int.MaxValue, 16, 1, 90, (int)MediaError.BadSize)]
    [InlineData(0, 0, 16, 16, 15, 1, 90, BadArgument)]
    [InlineData(0, 0, 16, 16, -16, 1, 90, BadArgument)]
    [InlineData(0, 0, 16, 16, 16, 0, 90, BadArgument)]
    [InlineData(0, 0, 16, 16, 16, 1, 0, BadArgument)]
    [InlineData(0, 0, 16, 16, 16, 1, 101, BadArgument)]
    public void Encode_Argument_IsChecked(int codec, int format, int width, int height, int stride, int range, int quality, int expected)
    {
        byte* pixels = stackalloc byte[256];
        byte* room = stackalloc byte[4096];
        long written = -1;
        ImageData image = new() { StructSize = (uint)sizeof(ImageData), Format = format, Width = width, Height = height, Range = range };
        image.Plane[0] = (nint)pixels;
        image.RowStride[0] = stride;

        nint encoder;
        int opened = lfr_encoder_open(codec, quality, &encoder);
        Assert.Equal(expected, opened == 0 ? lfr_encoder_encode(encoder, &image, room, 4096, &written) : opened);
        Assert.Equal(expected == 0, written > 0);
        Assert.Equal(opened == 0, encoder != 0);
        Assert.Equal(BadArgument, lfr_encoder_encode(encoder, &image, null, 1, &written));
        Assert.Equal(BadArgument, lfr_encoder_encode(encoder, &image, room, -1, &written));
        Assert.Equal(BadArgument, lfr_encoder_encode(encoder, &image, room, 4096, null));
        Assert.Equal(BadArgument, lfr_encoder_encode(encoder, null, room, 4096, &written));
        Assert.Equal(BadArgument, lfr_encoder_encode(0, &image, room, 4096, &written));
        Assert.Equal(BadArgument, lfr_encoder_open(codec, quality, null));
        lfr_encoder_close(encoder);
        lfr_encoder_close(0);
    }

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_account_open(nint* account);

    [LibraryImport("liblfr_media.so")]
    private static partial void lfr_media_account_close(nint account);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_create(nint account, nint* media);

    [LibraryImport("liblfr_media.so", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lfr_media_open(nint media, string? url, MediaOptionsData* options);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_open_memory(nint media, byte* data, long size, MediaOptionsData* options);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_interrupt(nint media);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_read(nint media, nint* frame);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_get_info(nint media, MediaInfoData* info);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_count_residue(nint media, long* bytes);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_scrub(nint media);

    [LibraryImport("liblfr_media.so")]
    private static partial void lfr_media_close(nint media);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_frame_get_info(nint frame, FrameInfoData* info);

    [LibraryImport("liblfr_media.so")]
    private static partial void lfr_frame_release(nint frame);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_get_stats(nint account, MediaStatsData* stats);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_encoder_open(int codec, int quality, nint* encoder);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_encoder_encode(nint encoder, ImageData* image, byte* destination, long capacity, long* written);

    [LibraryImport("liblfr_media.so")]
    private static partial void lfr_encoder_close(nint encoder);

    [LibraryImport("liblfr_media.so", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lfr_media_has_decoder(string? name);

    [LibraryImport("liblfr_media.so")]
    private static partial int lfr_media_url_login(byte* url, int* start, int* length);
}
