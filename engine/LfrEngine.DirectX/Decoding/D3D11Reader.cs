using System.Diagnostics;
using System.Text;
using FFmpeg.AutoGen;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using D3D11 = Silk.NET.Direct3D11;

namespace LfrEngine.DirectX.Decoding;

/// <summary>One source decoded by FFmpeg on a Direct3D 11 device. One thread reads.</summary>
/// <remarks>
/// The decoder's texture array is cleared before it is released, the shared texture after every picture, the frame when its holder disposes it. While the
/// decoder runs, a slice of its array keeps its picture until the decoder uses it again: a handful of frames, as in software.
/// </remarks>
internal sealed unsafe class D3D11Reader : ISourceReader
{
    private const int Timeout = 10;

    private readonly FrameStore store;
    private readonly string source;
    private readonly bool isLive;
    private readonly CancellationToken opening;
    private readonly AVIOInterruptCB_callback onWait;
    private readonly AVCodecContext_get_format chooseFormat;
    private VideoDevice? video;
    private SharedTexture? shared;
    private D3D11.ID3D11Texture2D* array;
    private AVFormatContext* format;
    private AVCodecContext* codec;
    private AVPacket* packet;
    private AVFrame* frame;
    private AVRational timeBase;
    private string codecName = "";
    private int stream;
    private long firstTicks, lastTicks, waitingSince;
    private bool resuming;
    private long corrupt;
    private bool draining;
    private volatile bool interrupted;

    public D3D11Reader(FrameStore store, string source, bool isLive, CancellationToken stopping)
    {
        (this.store, this.source, this.isLive, opening) = (store, source, isLive, stopping);
        // Held in fields: FFmpeg keeps only the function pointers.
        onWait = _ => interrupted || opening.IsCancellationRequested || IsLate() ? 1 : 0;
        chooseFormat = ChooseFormat;
        firstTicks = lastTicks = ffmpeg.AV_NOPTS_VALUE;
        try
        {
            Open();
        }
        catch
        {
            Close();
            stopping.ThrowIfCancellationRequested();
            throw;
        }
    }

    public long Frames { get; private set; }

    public DecodeResult Read(FrameLease lease)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return ReadOnce(lease);
            }
            catch (Exception e) when (attempt == 0 && e is DeviceLostException or MediaException && (e is DeviceLostException || video is { IsLost: true }))
            {
                // The GPU was lost, and the decoder with it. A recording continues after the last frame, a live source where it is now.
                Close();
                Open();
                resuming = !isLive && lastTicks != ffmpeg.AV_NOPTS_VALUE;
                if (resuming)
                    ThrowIfFailed(ffmpeg.av_seek_frame(format, stream, lastTicks, ffmpeg.AVSEEK_FLAG_BACKWARD), MediaError.ReadError, "the position of the last frame was not found again");
            }
        }
    }

    public void Interrupt() => interrupted = true;

    public MediaInfo GetInfo()
    {
        AVRational rate = format == null ? default : format->streams[stream]->avg_frame_rate;
        return new MediaInfo("", codecName, "d3d11", shared?.Width ?? 0, shared?.Height ?? 0, rate.den > 0 ? (double)rate.num / rate.den : 0,
            format != null && format->duration > 0 ? format->duration : null, ReadUs: 0, isLive, IsTruncated: false, Frames, corrupt, corrupt > 0 ? "a packet could not be decoded" : "");
    }

    public void Dispose()
    {
        interrupted = true;
        Close();
    }

    private DecodeResult ReadOnce(FrameLease lease)
    {
        while (!interrupted)
        {
            int status = ffmpeg.avcodec_receive_frame(codec, frame);
            if (status >= 0)
            {
                try
                {
                    if (Deliver(lease))
                        return DecodeResult.Frame;
                }
                finally
                {
                    ffmpeg.av_frame_unref(frame);
                }
                continue;
            }
            if (status == ffmpeg.AVERROR_EOF)
                return DecodeResult.EndOfStream;
            if (status != ffmpeg.AVERROR(ffmpeg.EAGAIN))
                throw Refused("The stream cannot be decoded on the GPU", status);
            Feed();
        }
        return DecodeResult.Interrupted;
    }

    private void Feed()
    {
        waitingSince = Stopwatch.GetTimestamp();
        int status = draining ? ffmpeg.AVERROR_EOF : ffmpeg.av_read_frame(format, packet);
        waitingSince = 0;
        if (interrupted)
            return;
        if (status == ffmpeg.AVERROR_EOF)
        {
            draining = true;
            AVPacket* end = null;
            _ = ffmpeg.avcodec_send_packet(codec, end);
            return;
        }
        ThrowIfFailed(status, status == ffmpeg.AVERROR(ffmpeg.EAGAIN) || isLive ? MediaError.TimedOut : MediaError.ReadError, "the source broke");
        try
        {
            if (packet->stream_index != stream)
                return;
            status = ffmpeg.avcodec_send_packet(codec, packet);
            if (status < 0 && Frames == 0 && video is { IsLost: false })
                throw Refused($"This GPU does not decode {codecName} of this profile", status);
            if (status < 0)
                corrupt++;
        }
        finally
        {
            ffmpeg.av_packet_unref(packet);
        }
    }

    // False for a frame that was handed out before the device was lost.
    private bool Deliver(FrameLease lease)
    {
        long ticks = frame->best_effort_timestamp;
        bool stamped = ticks != ffmpeg.AV_NOPTS_VALUE;
        if (resuming && stamped && ticks <= lastTicks)
            return false;
        resuming = false;
        if (frame->format != (int)AVPixelFormat.AV_PIX_FMT_D3D11 || frame->hw_frames_ctx == null)
            throw new GpuException($"This GPU does not decode {codecName} of this profile.");
        AVPixelFormat inner = ((AVHWFramesContext*)frame->hw_frames_ctx->data)->sw_format;
        if (inner != AVPixelFormat.AV_PIX_FMT_NV12)
            throw new GpuException(inner == AVPixelFormat.AV_PIX_FMT_P010LE ? "This is 10-bit video (P010), which the GPU path does not support." : $"This video decodes to a format ({inner}) that the GPU path does not support.");

        var source = (D3D11.ID3D11Texture2D*)frame->data[0];
        uint slice = (uint)(nuint)frame->data[1];
        PictureCut cut = PictureCut.Of(*frame);
        TakeArray(source, cut);
        // Stopwatch ticks, as for software frames: the pixels are there.
        long arrival = Stopwatch.GetTimestamp();
        GpuFrame picture = shared!.Bring(source, slice, cut.Left, cut.Top);
        if (stamped)
        {
            if (firstTicks == ffmpeg.AV_NOPTS_VALUE)
                firstTicks = ticks;
            lastTicks = ticks;
        }
        long stampUs = stamped ? ffmpeg.av_rescale_q(ticks - firstTicks, timeBase, new AVRational { num = 1, den = 1_000_000 }) : FrameInfo.NoPts;
        Frames++;
        var view = new FrameView(PixelFormat.Nv12, cut.Width, cut.Height, [0, 0], [0, 0], MatrixOf(frame->colorspace, cut.Height),
            frame->color_range == AVColorRange.AVCOL_RANGE_JPEG ? ColourRange.Full : ColourRange.Limited, LocationOf(frame->chroma_location));
        lease.Fill(picture, view.On(picture), stampUs, arrival);
        return true;
    }

    // A stream that changes its size decodes into another array: the previous array is cleared and released.
    private void TakeArray(D3D11.ID3D11Texture2D* source, in PictureCut cut)
    {
        if (source == array && shared!.Width == cut.Width && shared.Height == cut.Height)
            return;
        DropArray();
        D3D11.Texture2DDesc description;
        source->GetDesc(&description);
        shared = new SharedTexture(store, video!, cut.Width, cut.Height, description.Width, description.Height);
        source->AddRef();
        array = source;
    }

    private void DropArray()
    {
        if (array != null)
        {
            shared!.ClearSlices(array);
            ComPointer.Release(array);
        }
        array = null;
        shared?.Dispose();
        shared = null;
    }

    private void Open()
    {
        video = store.Context.Use(gpu => new VideoDevice(gpu));
        format = ffmpeg.avformat_alloc_context();
        format->interrupt_callback.callback = onWait;
        waitingSince = Stopwatch.GetTimestamp();
        AVDictionary* options = null;
        _ = ffmpeg.av_dict_set(&options, "rtsp_transport", "tcp", 0);
        AVFormatContext* opened = format;
        AVInputFormat* any = null;
        int status = ffmpeg.avformat_open_input(&opened, source, any, &options);
        // It frees and nulls the context when it fails.
        format = opened;
        ffmpeg.av_dict_free(&options);
        ThrowIfFailed(status, MediaError.CannotOpen, "the source cannot be opened");
        AVDictionary** none = null;
        ThrowIfFailed(ffmpeg.avformat_find_stream_info(format, none), MediaError.NotVideo, "the source is not a media stream");
        waitingSince = 0;
        AVCodec* decoder = null;
        stream = ffmpeg.av_find_best_stream(format, AVMediaType.AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
        ThrowIfFailed(stream, MediaError.NotVideo, "the source has no video that can be decoded");
        AVStream* chosen = format->streams[stream];
        timeBase = chosen->time_base;
        codecName = ffmpeg.avcodec_get_name(chosen->codecpar->codec_id);
        RefuseTurned(chosen->codecpar);
        codec = ffmpeg.avcodec_alloc_context3(decoder);
        ThrowIfFailed(ffmpeg.avcodec_parameters_to_context(codec, chosen->codecpar), MediaError.NoDecoder, "the decoder does not accept this stream");
        codec->hw_device_ctx = CreateDeviceContext();
        codec->get_format = chooseFormat;
        codec->thread_count = 1;
        if (isLive)
            codec->flags |= ffmpeg.AV_CODEC_FLAG_LOW_DELAY;
        ThrowIfFailed(ffmpeg.avcodec_open2(codec, decoder, none), MediaError.NoDecoder, "the decoder cannot be opened");
        packet = ffmpeg.av_packet_alloc();
        frame = ffmpeg.av_frame_alloc();
        draining = false;
    }

    private AVBufferRef* CreateDeviceContext()
    {
        AVBufferRef* reference = ffmpeg.av_hwdevice_ctx_alloc(AVHWDeviceType.AV_HWDEVICE_TYPE_D3D11VA);
        var context = (AVD3D11VADeviceContext*)((AVHWDeviceContext*)reference->data)->hwctx;
        // It releases what it is given.
        video!.Native->AddRef();
        video.Context->AddRef();
        context->device = (ID3D11Device*)video.Native;
        context->device_context = (ID3D11DeviceContext*)video.Context;
        int status = ffmpeg.av_hwdevice_ctx_init(reference);
        if (status < 0)
        {
            ffmpeg.av_buffer_unref(&reference);
            throw Refused("This driver has no video decoder (D3D11VA)", status);
        }
        return reference;
    }

    private void Close()
    {
        // The decoder releases its pictures first, then they are cleared; the array lives as long as our reference.
        if (frame != null)
        {
            AVFrame* freed = frame;
            ffmpeg.av_frame_free(&freed);
            frame = null;
        }
        if (packet != null)
        {
            AVPacket* freed = packet;
            ffmpeg.av_packet_free(&freed);
            packet = null;
        }
        if (codec != null)
        {
            AVCodecContext* freed = codec;
            ffmpeg.avcodec_free_context(&freed);
            codec = null;
        }
        if (format != null)
        {
            AVFormatContext* freed = format;
            ffmpeg.avformat_close_input(&freed);
            format = null;
        }
        DropArray();
        video?.Dispose();
        video = null;
    }

    private bool IsLate() => waitingSince != 0 && Stopwatch.GetElapsedTime(waitingSince).TotalSeconds > Timeout;

    private static AVPixelFormat ChooseFormat(AVCodecContext* context, AVPixelFormat* offered)
    {
        for (; *offered != AVPixelFormat.AV_PIX_FMT_NONE; offered++)
        {
            if (*offered == AVPixelFormat.AV_PIX_FMT_D3D11)
                return AVPixelFormat.AV_PIX_FMT_D3D11;
        }
        // The decoder fails, and the reader says that the GPU does not decode this.
        return AVPixelFormat.AV_PIX_FMT_NONE;
    }

    private static void RefuseTurned(AVCodecParameters* parameters)
    {
        for (int i = 0; i < parameters->nb_coded_side_data; i++)
        {
            AVPacketSideData data = parameters->coded_side_data[i];
            if (data.type != AVPacketSideDataType.AV_PKT_DATA_DISPLAYMATRIX)
                continue;
            // 16.16 fixed point, row by row.
            var matrix = (int*)data.data;
            if (matrix[0] <= 0 || matrix[4] <= 0 || matrix[1] != 0 || matrix[3] != 0)
                throw new GpuException("This recording is marked as rotated or mirrored, which the GPU path does not support.");
        }
    }

    // Unspecified streams: as the software decoder takes them.
    private static ColourMatrix MatrixOf(AVColorSpace space, int height) => space switch
    {
        AVColorSpace.AVCOL_SPC_BT709 => ColourMatrix.Bt709,
        AVColorSpace.AVCOL_SPC_BT470BG or AVColorSpace.AVCOL_SPC_SMPTE170M => ColourMatrix.Bt601,
        AVColorSpace.AVCOL_SPC_BT2020_NCL => ColourMatrix.Bt2020,
        _ => height >= 720 ? ColourMatrix.Bt709 : ColourMatrix.Bt601,
    };

    private static ChromaLocation LocationOf(AVChromaLocation location) => location switch
    {
        AVChromaLocation.AVCHROMA_LOC_CENTER => ChromaLocation.Centre,
        AVChromaLocation.AVCHROMA_LOC_TOPLEFT => ChromaLocation.TopLeft,
        _ => ChromaLocation.Left,
    };

    private static GpuException Refused(string what, int status) => new($"{what}: {Words(status)}.");

    // Without the source: a URL can hold a password.
    private static void ThrowIfFailed(int status, MediaError error, string what)
    {
        if (status < 0)
            throw new MediaException(error, $"{what}: {Words(status)}");
    }

    private static string Words(int status)
    {
        byte* text = stackalloc byte[128];
        new Span<byte>(text, 128).Clear();
        _ = ffmpeg.av_strerror(status, text, 128);
        var words = new ReadOnlySpan<byte>(text, 128);
        return Encoding.UTF8.GetString(words[..words.IndexOf((byte)0)]);
    }
}
