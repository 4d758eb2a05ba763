#include "internal.h"

#include <math.h>
#include <string.h>

/* The mjpeg encoder's quantiser scale; 1 is best. */
#define BEST_SCALE 1
#define WORST_SCALE 31
#define SCRUB_PICTURES 1
#define NOISE_SEED 0x9E3779B9u

static void keep(void *opaque, uint8_t *data)
{
    (void)opaque;
    (void)data;
}

static int32_t check_image(int32_t codec, const lfr_image *image)
{
    if (image->width < 1 || image->height < 1 || image->width > LFR_MEDIA_MAX_SIDE || image->height > LFR_MEDIA_MAX_SIDE)
        return lfr_fail(LFR_MEDIA_BAD_SIZE, "a picture of %d x %d pixels is refused; the limit is %d on either side",
                        image->width, image->height, LFR_MEDIA_MAX_SIDE);
    bool allowed = codec == LFR_IMAGE_PNG
                       ? image->format == LFR_PIXEL_RGB24 || image->format == LFR_PIXEL_GREY
                       : image->format == LFR_PIXEL_GREY || image->format == LFR_PIXEL_I420 ||
                             image->format == LFR_PIXEL_I422 || image->format == LFR_PIXEL_I444 ||
                             image->format == LFR_PIXEL_RGB24;
    if (!allowed)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: %s takes no pictures of format %d",
                        codec == LFR_IMAGE_PNG ? "PNG" : "JPEG", image->format);
    if (image->format != LFR_PIXEL_RGB24 && image->range != LFR_RANGE_FULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: the picture must be full range");
    if (image->format != LFR_PIXEL_RGB24 && image->format != LFR_PIXEL_GREY && image->matrix != LFR_MATRIX_BT601)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: JPEG means BT.601, the picture has another matrix");
    const AVPixFmtDescriptor *layout = av_pix_fmt_desc_get(convert_layout(image->format));
    for (int plane = 0; plane < convert_plane_count(image->format); plane++) {
        int row_bytes = image->format == LFR_PIXEL_RGB24 ? image->width * 3
                        : plane == 0                     ? image->width
                                                         : AV_CEIL_RSHIFT(image->width, layout->log2_chroma_w);
        if (image->plane[plane] == NULL || image->row_stride[plane] < row_bytes)
            return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: plane %d is null, or its stride is below %d",
                            plane, row_bytes);
    }
    return LFR_MEDIA_OK;
}

/* An AVFrame over the caller's planes. The buffer reference keeps FFmpeg from copying them to plain memory. */
static AVFrame *borrow_image(const lfr_image *image)
{
    AVFrame *frame = av_frame_alloc();
    if (frame == NULL)
        return NULL;
    frame->format = convert_layout(image->format);
    frame->width = image->width;
    frame->height = image->height;
    for (int plane = 0; plane < convert_plane_count(image->format); plane++) {
        frame->data[plane] = (uint8_t *)(uintptr_t)image->plane[plane];
        frame->linesize[plane] = image->row_stride[plane];
    }
    frame->buf[0] = av_buffer_create(frame->data[0], 1, keep, NULL, AV_BUFFER_FLAG_READONLY);
    if (frame->buf[0] == NULL)
        av_frame_free(&frame);
    return frame;
}

/* JPEG of RGB or grey: the planes the encoder takes, in pool memory. */
static AVFrame *to_jpeg_planes(frame_pool *pool, const AVFrame *image)
{
    AVFrame *frame = av_frame_alloc();
    if (frame == NULL)
        return NULL;
    bool grey = image->format == AV_PIX_FMT_GRAY8;
    pool_picture planes;
    int result = grey ? pool_get_picture(pool, AV_PIX_FMT_YUV420P, image->width, image->height, NULL, &planes)
                      : convert_picture(pool, image, true, &planes);
    if (result < 0) {
        av_frame_free(&frame);
        return NULL;
    }
    frame->format = grey ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV444P;
    frame->width = image->width;
    frame->height = image->height;
    frame->buf[0] = planes.buffer;
    for (int plane = 0; plane < 3; plane++) {
        frame->data[plane] = planes.data[plane];
        frame->linesize[plane] = planes.stride[plane];
    }
    if (grey) {
        for (int y = 0; y < image->height; y++)
            memcpy(frame->data[0] + (ptrdiff_t)y * frame->linesize[0],
                   image->data[0] + (ptrdiff_t)y * image->linesize[0], (size_t)image->width);
        for (int plane = 1; plane < 3; plane++)
            memset(frame->data[plane], 128, (size_t)frame->linesize[plane] * (size_t)AV_CEIL_RSHIFT(image->height, 1));
    }
    return frame;
}

static int get_encode_buffer(AVCodecContext *encoder, AVPacket *packet, int flags)
{
    (void)flags;
    packet->buf = pool_get(encoder->opaque, (size_t)packet->size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (packet->buf == NULL)
        return AVERROR(ENOMEM);
    packet->data = packet->buf->data;
    return 0;
}

/* A picture of the same kind that nothing compresses well: as the encoder works on it, it overwrites what the encoder
 * keeps of the one before, its output included. */
static AVFrame *make_noise(frame_pool *pool, const AVFrame *like)
{
    AVFrame *noise = av_frame_alloc();
    pool_picture planes;
    if (noise == NULL || pool_get_picture(pool, like->format, like->width, like->height, NULL, &planes) < 0) {
        av_frame_free(&noise);
        return NULL;
    }
    uint32_t state = NOISE_SEED;
    for (size_t i = 0; i + sizeof state <= (size_t)planes.buffer->size; i += sizeof state) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        memcpy(planes.buffer->data + i, &state, sizeof state);
    }
    noise->format = like->format;
    noise->width = like->width;
    noise->height = like->height;
    noise->color_range = like->color_range;
    noise->colorspace = like->colorspace;
    noise->buf[0] = planes.buffer;
    for (int plane = 0; plane < 4; plane++) {
        noise->data[plane] = planes.data[plane];
        noise->linesize[plane] = planes.stride[plane];
    }
    return noise;
}

/* The encoder's own copies of the picture and of the file lie in plain memory that is freed as it is. */
static void scrub_encoder(AVCodecContext *encoder, frame_pool *pool, const AVFrame *picture)
{
    AVFrame *noise = make_noise(pool, picture);
    AVPacket *packet = av_packet_alloc();
    if (noise != NULL && packet != NULL) {
        noise->quality = BEST_SCALE * FF_QP2LAMBDA;
        for (int i = 0; i < SCRUB_PICTURES; i++) {
            noise->pts = i + 1;
            if (avcodec_send_frame(encoder, noise) < 0 || avcodec_receive_packet(encoder, packet) < 0)
                break;
            av_packet_unref(packet);
        }
    }
    av_packet_free(&packet);
    av_frame_free(&noise);
}

static int encode(frame_pool *pool, enum AVCodecID id, AVFrame *frame, int32_t quality, AVPacket *packet)
{
    const AVCodec *codec = avcodec_find_encoder(id);
    if (codec == NULL)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    if (encoder == NULL)
        return AVERROR(ENOMEM);
    encoder->width = frame->width;
    encoder->height = frame->height;
    encoder->pix_fmt = frame->format;
    encoder->color_range = frame->color_range = AVCOL_RANGE_JPEG;
    encoder->time_base = (AVRational){1, 25};
    encoder->thread_count = 1;
    encoder->opaque = pool;
    if (codec->capabilities & AV_CODEC_CAP_DR1)
        encoder->get_encode_buffer = get_encode_buffer;
    if (id == AV_CODEC_ID_MJPEG) {
        int scale = WORST_SCALE - (int)lround((quality - 1) * (WORST_SCALE - BEST_SCALE) / 99.0);
        encoder->flags |= AV_CODEC_FLAG_QSCALE;
        encoder->qmin = BEST_SCALE;
        encoder->qmax = WORST_SCALE;
        encoder->global_quality = frame->quality = scale * FF_QP2LAMBDA;
        encoder->colorspace = frame->colorspace = AVCOL_SPC_BT470BG;
    }
    int result = avcodec_open2(encoder, codec, NULL);
    if (result >= 0)
        result = avcodec_send_frame(encoder, frame);
    /* Both encoders give a picture's packet at once. */
    if (result >= 0)
        result = avcodec_receive_packet(encoder, packet);
    if (avcodec_is_open(encoder) && !lfr_keeps_everything())
        scrub_encoder(encoder, pool, frame);
    avcodec_free_context(&encoder);
    return result;
}

LFR_API int32_t lfr_media_encode(int32_t codec, const lfr_image *image, int32_t quality, uint8_t *destination,
                                 int64_t capacity, int64_t *written)
{
    if (written != NULL)
        *written = 0;
    if (image == NULL || image->struct_size != sizeof *image || written == NULL || capacity < 0 ||
        (destination == NULL && capacity > 0))
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: a pointer is null, capacity is negative, or "
                                                "struct_size is wrong");
    if (codec != LFR_IMAGE_JPEG && codec != LFR_IMAGE_PNG)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: codec %d is unknown", codec);
    if (quality < 1 || quality > 100)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_encode: quality is %d, allowed are 1 to 100", quality);
    int32_t status = check_image(codec, image);
    if (status != LFR_MEDIA_OK)
        return status;

    frame_pool *pool = pool_create(POOL_FRAMES);
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = borrow_image(image);
    if (codec == LFR_IMAGE_JPEG && pool != NULL && frame != NULL &&
        (image->format == LFR_PIXEL_RGB24 || image->format == LFR_PIXEL_GREY)) {
        AVFrame *planes = to_jpeg_planes(pool, frame);
        av_frame_free(&frame);
        frame = planes;
    }
    int result = AVERROR(ENOMEM);
    if (pool != NULL && packet != NULL && frame != NULL)
        result = encode(pool, codec == LFR_IMAGE_JPEG ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_PNG, frame, quality, packet);
    if (result >= 0) {
        *written = packet->size;
        if (packet->size > capacity)
            status = lfr_fail(LFR_MEDIA_BUFFER_TOO_SMALL, "the picture takes %d bytes, there is room for %lld",
                              packet->size, (long long)capacity);
        else
            memcpy(destination, packet->data, (size_t)packet->size);
        if (packet->buf != NULL && av_buffer_is_writable(packet->buf))
            lfr_wipe(packet->buf->data, packet->buf->size);
    } else {
        status = lfr_fail(result == AVERROR(ENOMEM) ? LFR_MEDIA_OUT_OF_MEMORY : LFR_MEDIA_ENCODE_FAILED,
                          "the picture could not be encoded: %s", lfr_describe(result).text);
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    if (pool != NULL)
        pool_close(pool);
    lfr_wipe_stack();
    return status;
}
