// Stand-in for FFmpeg.AutoGen 7.1.1, checked against FFmpeg.AutoGen/generated/{Structs,Enums,Arrays,Delegates}.g.cs, ffmpeg.functions.facade.g.cs,
// ffmpeg.macros.g.cs and FFmpeg.AutoGen/FFmpeg.cs. Only what is used, fields in no particular order; nothing runs.
namespace FFmpeg.AutoGen;

public enum AVCodecID
{
    AV_CODEC_ID_NONE = 0,
}

public enum AVMediaType
{
    AVMEDIA_TYPE_VIDEO = 0,
}

public enum AVHWDeviceType
{
    AV_HWDEVICE_TYPE_D3D11VA = 7,
}

public enum AVPixelFormat
{
    AV_PIX_FMT_NONE = -1,
    AV_PIX_FMT_NV12 = 23,
    AV_PIX_FMT_P010LE = 158,
    AV_PIX_FMT_D3D11 = 171,
}

public enum AVColorSpace
{
    AVCOL_SPC_BT709 = 1,
    AVCOL_SPC_UNSPECIFIED = 2,
    AVCOL_SPC_BT470BG = 5,
    AVCOL_SPC_SMPTE170M = 6,
    AVCOL_SPC_BT2020_NCL = 9,
}

public enum AVColorRange
{
    AVCOL_RANGE_JPEG = 2,
}

public enum AVChromaLocation
{
    AVCHROMA_LOC_UNSPECIFIED = 0,
    AVCHROMA_LOC_LEFT = 1,
    AVCHROMA_LOC_CENTER = 2,
    AVCHROMA_LOC_TOPLEFT = 3,
}

public enum AVPacketSideDataType
{
    AV_PKT_DATA_DISPLAYMATRIX = 5,
}

public struct AVRational
{
    public int num;
    public int den;
}

public struct AVDictionary;

public struct AVInputFormat;

public struct AVCodec;

public unsafe struct byte_ptrArray8
{
    public readonly byte* this[uint i] => throw new PlatformNotSupportedException();
}

public unsafe struct AVBufferRef
{
    public byte* data;
}

public unsafe struct AVPacketSideData
{
    public byte* data;
    public ulong size;
    public AVPacketSideDataType type;
}

public unsafe struct AVCodecParameters
{
    public AVCodecID codec_id;
    public AVPacketSideData* coded_side_data;
    public int nb_coded_side_data;
}

public unsafe struct AVStream
{
    public AVCodecParameters* codecpar;
    public AVRational time_base;
    public AVRational avg_frame_rate;
}

public unsafe delegate int AVIOInterruptCB_callback(void* p0);

public struct AVIOInterruptCB_callback_func
{
    public IntPtr Pointer;

    public static implicit operator AVIOInterruptCB_callback_func(AVIOInterruptCB_callback func) => throw new PlatformNotSupportedException();
}

public struct AVIOInterruptCB
{
    public AVIOInterruptCB_callback_func callback;
}

public unsafe struct AVFormatContext
{
    public AVStream** streams;
    public long duration;
    public AVIOInterruptCB interrupt_callback;
}

public unsafe delegate AVPixelFormat AVCodecContext_get_format(AVCodecContext* s, AVPixelFormat* fmt);

public struct AVCodecContext_get_format_func
{
    public IntPtr Pointer;

    public static implicit operator AVCodecContext_get_format_func(AVCodecContext_get_format func) => throw new PlatformNotSupportedException();
}

public unsafe struct AVCodecContext
{
    public int flags;
    public int thread_count;
    public AVBufferRef* hw_device_ctx;
    public AVCodecContext_get_format_func get_format;
}

public struct AVPacket
{
    public int stream_index;
}

public unsafe struct AVFrame
{
    public byte_ptrArray8 data;
    public int width;
    public int height;
    public int format;
    public long best_effort_timestamp;
    public AVColorSpace colorspace;
    public AVColorRange color_range;
    public AVChromaLocation chroma_location;
    public AVBufferRef* hw_frames_ctx;
    public ulong crop_left;
    public ulong crop_top;
}

public unsafe struct AVHWDeviceContext
{
    public void* hwctx;
}

public unsafe struct AVHWFramesContext
{
    public AVPixelFormat sw_format;
}

public struct ID3D11Device;

public struct ID3D11DeviceContext;

public unsafe struct AVD3D11VADeviceContext
{
    public ID3D11Device* device;
    public ID3D11DeviceContext* device_context;
}

public static unsafe class ffmpeg
{
    public const int AV_CODEC_FLAG_LOW_DELAY = 1 << 19;
    public const int AVSEEK_FLAG_BACKWARD = 1;
    public static readonly int AVERROR_EOF = -0x20464F45;
    public static readonly int EAGAIN = 11;
    public static readonly long AV_NOPTS_VALUE = long.MinValue;

    public static int AVERROR<T1>(T1 a) => throw new PlatformNotSupportedException();

    public static string av_version_info() => throw new PlatformNotSupportedException();

    public static AVFormatContext* avformat_alloc_context() => throw new PlatformNotSupportedException();

    public static int avformat_open_input(AVFormatContext** ps, string url, AVInputFormat* fmt, AVDictionary** options) => throw new PlatformNotSupportedException();

    public static int avformat_find_stream_info(AVFormatContext* ic, AVDictionary** options) => throw new PlatformNotSupportedException();

    public static void avformat_close_input(AVFormatContext** s) => throw new PlatformNotSupportedException();

    public static int av_find_best_stream(AVFormatContext* ic, AVMediaType type, int wanted_stream_nb, int related_stream, AVCodec** decoder_ret, int flags) => throw new PlatformNotSupportedException();

    public static int av_read_frame(AVFormatContext* s, AVPacket* pkt) => throw new PlatformNotSupportedException();

    public static int av_seek_frame(AVFormatContext* s, int stream_index, long timestamp, int flags) => throw new PlatformNotSupportedException();

    public static AVCodecContext* avcodec_alloc_context3(AVCodec* codec) => throw new PlatformNotSupportedException();

    public static void avcodec_free_context(AVCodecContext** avctx) => throw new PlatformNotSupportedException();

    public static int avcodec_parameters_to_context(AVCodecContext* codec, AVCodecParameters* par) => throw new PlatformNotSupportedException();

    public static int avcodec_open2(AVCodecContext* avctx, AVCodec* codec, AVDictionary** options) => throw new PlatformNotSupportedException();

    public static int avcodec_send_packet(AVCodecContext* avctx, AVPacket* avpkt) => throw new PlatformNotSupportedException();

    public static int avcodec_receive_frame(AVCodecContext* avctx, AVFrame* frame) => throw new PlatformNotSupportedException();

    public static string avcodec_get_name(AVCodecID id) => throw new PlatformNotSupportedException();

    public static AVPacket* av_packet_alloc() => throw new PlatformNotSupportedException();

    public static void av_packet_unref(AVPacket* pkt) => throw new PlatformNotSupportedException();

    public static void av_packet_free(AVPacket** pkt) => throw new PlatformNotSupportedException();

    public static AVFrame* av_frame_alloc() => throw new PlatformNotSupportedException();

    public static void av_frame_unref(AVFrame* frame) => throw new PlatformNotSupportedException();

    public static void av_frame_free(AVFrame** frame) => throw new PlatformNotSupportedException();

    public static AVBufferRef* av_hwdevice_ctx_alloc(AVHWDeviceType type) => throw new PlatformNotSupportedException();

    public static int av_hwdevice_ctx_init(AVBufferRef* @ref) => throw new PlatformNotSupportedException();

    public static AVBufferRef* av_buffer_ref(AVBufferRef* buf) => throw new PlatformNotSupportedException();

    public static void av_buffer_unref(AVBufferRef** buf) => throw new PlatformNotSupportedException();

    public static int av_dict_set(AVDictionary** pm, string key, string value, int flags) => throw new PlatformNotSupportedException();

    public static void av_dict_free(AVDictionary** m) => throw new PlatformNotSupportedException();

    public static long av_rescale_q(long a, AVRational bq, AVRational cq) => throw new PlatformNotSupportedException();

    public static int av_strerror(int errnum, byte* errbuf, ulong errbuf_size) => throw new PlatformNotSupportedException();
}
