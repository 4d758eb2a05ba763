#include "internal.h"

#include <math.h>
#include <stdlib.h>
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
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "%s does not support pictures of format %d",
                        codec == LFR_IMAGE_PNG ? "PNG" : "JPEG", image->format);
    if (image->format != LFR_PIXEL_RGB24 && image->range != LFR_RANGE_FULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "the picture must be full range");
    if (image->format != LFR_PIXEL_RGB24 && image->format != LFR_PIXEL_GREY && image->matrix != LFR_MATRIX_BT601)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "JPEG needs BT.601, but the picture has another matrix");
    const AVPixFmtDescriptor *layout = av_pix_fmt_desc_get(convert_layout(image->format));
    for (int plane = 0; plane < convert_plane_count(image->format); plane++) {
        int row_bytes = image->format == LFR_PIXEL_RGB24 ? image->width * 3
                        : plane == 0                     ? image->width
                                                         : AV_CEIL_RSHIFT(image->width, layout->log2_chroma_w);
        if (image->plane[plane] == NULL || image->row_stride[plane] < row_bytes)
            return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "plane %d is null, or its stride is below %d",
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

struct lfr_encoder {
    enum AVCodecID id;
    int32_t quality;
    frame_pool *pool;
    /* Opened with the first picture, for pictures of its kind. */
    AVCodecContext *context;
    enum AVPixelFormat format;
    int width, height;
    int64_t pictures;
};

/* A noise picture of the same kind, which does not compress: encoding it overwrites what the encoder
 * keeps of the previous picture, output included. */
static AVFrame *make_noise(const lfr_encoder *encoder)
{
    AVFrame *noise = av_frame_alloc();
    pool_picture planes;
    if (noise == NULL || pool_get_picture(encoder->pool, encoder->format, encoder->width, encoder->height, NULL, &planes) < 0) {
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
    noise->format = encoder->format;
    noise->width = encoder->width;
    noise->height = encoder->height;
    noise->color_range = encoder->context->color_range;
    noise->colorspace = encoder->context->colorspace;
    noise->buf[0] = planes.buffer;
    for (int plane = 0; plane < 4; plane++) {
        noise->data[plane] = planes.data[plane];
        noise->linesize[plane] = planes.stride[plane];
    }
    return noise;
}

/* The encoder keeps copies of the picture and of the file in ordinary memory, and frees it without wiping it. */
static void scrub_encoder(lfr_encoder *encoder)
{
    AVFrame *noise = make_noise(encoder);
    AVPacket *packet = av_packet_alloc();
    if (noise != NULL && packet != NULL) {
        noise->quality = BEST_SCALE * FF_QP2LAMBDA;
        for (int i = 0; i < SCRUB_PICTURES; i++) {
            noise->pts = encoder->pictures++;
            if (avcodec_send_frame(encoder->context, noise) < 0 || avcodec_receive_packet(encoder->context, packet) < 0)
                break;
            av_packet_unref(packet);
        }
    }
    av_packet_free(&packet);
    av_frame_free(&noise);
}

static int open_context(lfr_encoder *encoder, const AVFrame *like)
{
    const AVCodec *codec = avcodec_find_encoder(encoder->id);
    if (codec == NULL)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (context == NULL)
        return AVERROR(ENOMEM);
    encoder->width = context->width = like->width;
    encoder->height = context->height = like->height;
    encoder->format = context->pix_fmt = like->format;
    context->color_range = AVCOL_RANGE_JPEG;
    context->time_base = (AVRational){1, 25};
    context->thread_count = 1;
    context->opaque = encoder->pool;
    if (codec->capabilities & AV_CODEC_CAP_DR1)
        context->get_encode_buffer = get_encode_buffer;
    if (encoder->id == AV_CODEC_ID_MJPEG) {
        int scale = WORST_SCALE - (int)lround((encoder->quality - 1) * (WORST_SCALE - BEST_SCALE) / 99.0);
        context->flags |= AV_CODEC_FLAG_QSCALE;
        context->qmin = BEST_SCALE;
        context->qmax = WORST_SCALE;
        context->global_quality = scale * FF_QP2LAMBDA;
        context->colorspace = AVCOL_SPC_BT470BG;
    }
    int result = avcodec_open2(context, codec, NULL);
    if (result < 0)
        avcodec_free_context(&context);
    encoder->context = context;
    return result;
}

static int encode(lfr_encoder *encoder, AVFrame *frame, AVPacket *packet)
{
    int result = encoder->context == NULL ? open_context(encoder, frame) : 0;
    if (result < 0)
        return result;
    frame->color_range = encoder->context->color_range;
    frame->colorspace = encoder->context->colorspace;
    if (encoder->id == AV_CODEC_ID_MJPEG)
        frame->quality = encoder->context->global_quality;
    frame->pts = encoder->pictures++;
    result = avcodec_send_frame(encoder->context, frame);
    /* Both encoders give a picture's packet at once. */
    return result < 0 ? result : avcodec_receive_packet(encoder->context, packet);
}

LFR_API int32_t lfr_encoder_open(int32_t codec, int32_t quality, lfr_encoder **encoder)
{
    if (encoder == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_encoder_open: a pointer is null");
    *encoder = NULL;
    if (codec != LFR_IMAGE_JPEG && codec != LFR_IMAGE_PNG)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_encoder_open: codec %d is unknown", codec);
    if (quality < 1 || quality > 100)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_encoder_open: quality is %d, allowed are 1 to 100", quality);
    lfr_encoder *made = calloc(1, sizeof *made);
    if (made != NULL)
        made->pool = pool_create(POOL_FRAMES, NULL);
    if (made == NULL || made->pool == NULL) {
        free(made);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "lfr_encoder_open: out of memory");
    }
    made->id = codec == LFR_IMAGE_JPEG ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_PNG;
    made->quality = quality;
    *encoder = made;
    return LFR_MEDIA_OK;
}

LFR_API int32_t lfr_encoder_encode(lfr_encoder *encoder, const lfr_image *image, uint8_t *destination, int64_t capacity,
                                   int64_t *written)
{
    if (written != NULL)
        *written = 0;
    if (encoder == NULL || image == NULL || image->struct_size != sizeof *image || written == NULL || capacity < 0 ||
        (destination == NULL && capacity > 0))
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_encoder_encode: a pointer is null, capacity is negative, or "
                                                "struct_size is wrong");
    bool jpeg = encoder->id == AV_CODEC_ID_MJPEG;
    int32_t status = check_image(jpeg ? LFR_IMAGE_JPEG : LFR_IMAGE_PNG, image);
    if (status != LFR_MEDIA_OK)
        return status;

    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = borrow_image(image);
    if (jpeg && frame != NULL && (image->format == LFR_PIXEL_RGB24 || image->format == LFR_PIXEL_GREY)) {
        AVFrame *planes = to_jpeg_planes(encoder->pool, frame);
        av_frame_free(&frame);
        frame = planes;
    }
    int result = AVERROR(ENOMEM);
    if (packet != NULL && frame != NULL) {
        bool alike = encoder->context == NULL || (frame->width == encoder->width && frame->height == encoder->height &&
                                                  frame->format == (int)encoder->format);
        if (!alike)
            status = lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_encoder_encode: a picture of %d x %d pixels or of another format "
                                                      "than the first, which was %d x %d",
                              frame->width, frame->height, encoder->width, encoder->height);
        else
            result = encode(encoder, frame, packet);
    }
    if (result >= 0) {
        *written = packet->size;
        if (packet->size > capacity)
            status = lfr_fail(LFR_MEDIA_BUFFER_TOO_SMALL, "the picture takes %d bytes, there is room for %lld",
                              packet->size, (long long)capacity);
        else
            memcpy(destination, packet->data, (size_t)packet->size);
        if (packet->buf != NULL && av_buffer_is_writable(packet->buf))
            lfr_wipe(packet->buf->data, packet->buf->size);
    } else if (status == LFR_MEDIA_OK) {
        status = lfr_fail(result == AVERROR(ENOMEM) ? LFR_MEDIA_OUT_OF_MEMORY : LFR_MEDIA_ENCODE_FAILED,
                          "the picture could not be encoded: %s", lfr_describe(result).text);
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    lfr_wipe_stack();
    return status;
}

LFR_API void lfr_encoder_close(lfr_encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->context != NULL && !lfr_keeps_everything())
        scrub_encoder(encoder);
    avcodec_free_context(&encoder->context);
    pool_close(encoder->pool);
    free(encoder);
    lfr_wipe_stack();
}
