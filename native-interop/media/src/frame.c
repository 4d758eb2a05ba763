#include "internal.h"

#include <libavutil/dict.h>
#include <libavutil/frame.h>

#include <stdlib.h>
#include <string.h>

static bool is_jpeg_family(const AVFrame *picture, enum AVCodecID codec)
{
    switch (picture->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
        return true;
    default:
        return codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_JPEG2000;
    }
}

static bool is_converted_from_rgb(const AVFrame *picture)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);
    return format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
}

static int32_t colour_range(const AVFrame *picture, enum AVCodecID codec)
{
    if (is_converted_from_rgb(picture) || is_jpeg_family(picture, codec) || picture->color_range == AVCOL_RANGE_JPEG)
        return LFR_RANGE_FULL;
    if (picture->color_range == AVCOL_RANGE_MPEG)
        return LFR_RANGE_LIMITED;
    /* Video codecs default to limited; a grey picture of any other codec (PNG, BMP, raw) uses all its values. */
    if (convert_target(picture->format) != LFR_PIXEL_GREY)
        return LFR_RANGE_LIMITED;
    switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
        return LFR_RANGE_LIMITED;
    default:
        return LFR_RANGE_FULL;
    }
}

static int32_t colour_matrix(const AVFrame *picture, enum AVCodecID codec)
{
    if (is_converted_from_rgb(picture))
        return LFR_MATRIX_BT601;
    switch (picture->colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_SMPTE240M: /* within 1 % of BT.709 */
        return LFR_MATRIX_BT709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return LFR_MATRIX_BT2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_FCC:
        return LFR_MATRIX_BT601;
    default:
        return picture->height >= 720 && !is_jpeg_family(picture, codec) ? LFR_MATRIX_BT709 : LFR_MATRIX_BT601;
    }
}

static int32_t chroma_location(const AVFrame *picture, enum AVCodecID codec)
{
    int32_t target = convert_target(picture->format);
    if (target == LFR_PIXEL_GREY || target == LFR_PIXEL_I444)
        return LFR_CHROMA_CENTRE;
    switch (picture->chroma_location) {
    case AVCHROMA_LOC_LEFT:
    case AVCHROMA_LOC_BOTTOMLEFT:
        return LFR_CHROMA_LEFT;
    case AVCHROMA_LOC_TOPLEFT:
        return LFR_CHROMA_TOP_LEFT;
    case AVCHROMA_LOC_UNSPECIFIED:
        return is_jpeg_family(picture, codec) || codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_WEBP
                   ? LFR_CHROMA_CENTRE
                   : LFR_CHROMA_LEFT;
    default:
        return LFR_CHROMA_CENTRE;
    }
}

static orientation find_orientation(const AVFrame *picture, const frame_context *context)
{
    const AVFrameSideData *side_data = av_frame_get_side_data(picture, AV_FRAME_DATA_DISPLAYMATRIX);
    int32_t matrix[9];
    if (side_data != NULL && (size_t)side_data->size >= sizeof matrix) {
        memcpy(matrix, side_data->data, sizeof matrix);
        return orientation_from_matrix(matrix);
    }
    /* FFmpeg turns EXIF orientation into a display matrix for JPEG; other still pictures keep it as text. */
    const AVDictionaryEntry *exif = av_dict_get(picture->metadata, "Orientation", NULL, 0);
    if (exif != NULL)
        return orientation_from_exif(atoi(exif->value));
    if (context->exif_orientation != 0)
        return orientation_from_exif(context->exif_orientation);
    if (context->stream_matrix != NULL) {
        memcpy(matrix, context->stream_matrix, sizeof matrix);
        return orientation_from_matrix(matrix);
    }
    return (orientation){false, false, false};
}

static bool has_positive_strides(const AVFrame *picture)
{
    for (int plane = 0; plane < 4 && picture->data[plane] != NULL; plane++)
        if (picture->linesize[plane] <= 0)
            return false;
    return true;
}

/* A decoder that uses its own memory leaves the picture there: wipe it if nobody else holds a reference. */
static void wipe_foreign(AVFrame *picture)
{
    for (int i = 0; i < AV_NUM_DATA_POINTERS && picture->buf[i] != NULL; i++)
        if (av_buffer_is_writable(picture->buf[i]))
            lfr_wipe(picture->buf[i]->data, picture->buf[i]->size);
}

static bool is_key_frame(const AVFrame *picture)
{
#ifdef AV_FRAME_FLAG_KEY
    return picture->flags & AV_FRAME_FLAG_KEY;
#else
    return picture->key_frame;
#endif
}

/* The picture in our memory and layout; the decoder's memory is used directly where possible. */
static int take_picture(const frame_context *context, AVFrame *picture, bool full_range, pool_picture *taken)
{
    bool ours = pool_owns(context->pool, picture->buf[0]);
    if (ours && convert_is_native(picture->format) && has_positive_strides(picture)) {
        *taken = (pool_picture){.buffer = av_buffer_ref(picture->buf[0])};
        if (taken->buffer == NULL)
            return AVERROR(ENOMEM);
        for (int plane = 0; plane < 3; plane++) {
            taken->data[plane] = picture->data[plane];
            taken->stride[plane] = picture->linesize[plane];
        }
        return 0;
    }
    int result = convert_picture(context->pool, picture, full_range, taken);
    if (!ours)
        wipe_foreign(picture);
    return result;
}

/* Non-square pixels distort faces: replaces the planes with wider or higher ones. */
static int make_square(const frame_context *context, int32_t format, int *width, int *height, pool_picture *planes)
{
    int to_width = *width, to_height = *height;
    if (!stretch_size(context->aspect, &to_width, &to_height))
        return 0;
    pool_picture square;
    int result = pool_get_picture(context->pool, convert_layout(format), to_width, to_height, NULL, &square);
    if (result >= 0)
        stretch_apply(format, *width, *height, planes, to_width, to_height, &square);
    av_buffer_unref(&planes->buffer);
    *planes = square;
    *width = to_width;
    *height = to_height;
    return result;
}

int32_t frame_create(const frame_context *context, AVFrame *picture, lfr_frame **out)
{
    if (picture->width < 1 || picture->height < 1 || picture->width > LFR_MEDIA_MAX_SIDE ||
        picture->height > LFR_MEDIA_MAX_SIDE)
        return lfr_fail(LFR_MEDIA_BAD_SIZE, "a frame of %d x %d pixels is refused; the limit is %d on either side",
                        picture->width, picture->height, LFR_MEDIA_MAX_SIDE);
    int32_t format = convert_target(picture->format);
    if (format < 0) {
        const char *name = av_get_pix_fmt_name(picture->format);
        return lfr_fail(LFR_MEDIA_PIXEL_FORMAT, "the pixel format %s is not supported", name != NULL ? name : "(unknown)");
    }

    lfr_frame *frame = calloc(1, sizeof *frame);
    if (frame == NULL)
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for a frame");
    lfr_frame_info *info = &frame->info;
    info->range = colour_range(picture, context->codec);
    info->matrix = colour_matrix(picture, context->codec);
    info->chroma_location = chroma_location(picture, context->codec);
    info->width = picture->width;
    info->height = picture->height;
    info->is_key_frame = is_key_frame(picture);
    info->is_corrupt = (picture->flags & AV_FRAME_FLAG_CORRUPT) || picture->decode_error_flags != 0;
    info->index = context->index;
    info->pts_us = context->pts_us;
    info->arrival_ns = context->arrival_ns;
    orientation turn = orientation_then(find_orientation(picture, context), context->mounting);

    pool_picture planes;
    int result = take_picture(context, picture, info->range == LFR_RANGE_FULL, &planes);
    if (result >= 0)
        result = make_square(context, format, &info->width, &info->height, &planes);
    if (result >= 0 && !orientation_is_identity(turn)) {
        int width = info->width, height = info->height;
        if (turn.transpose) {
            info->width = height;
            info->height = width;
        }
        pool_picture upright;
        int32_t upright_format = orientation_format(turn, format);
        result = pool_get_picture(context->pool, convert_layout(upright_format), info->width, info->height, NULL,
                                  &upright);
        if (result >= 0)
            orientation_apply(turn, format, width, height, &planes, &upright);
        av_buffer_unref(&planes.buffer);
        planes = upright;
        format = upright_format;
        info->rotation_degrees = orientation_degrees(turn, &info->mirrored);
        /* The turned grids have no name of their own; the centre is at most half a pixel off. */
        info->chroma_location = LFR_CHROMA_CENTRE;
    }
    if (result < 0) {
        free(frame);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for a frame of %d x %d pixels", picture->width,
                        picture->height);
    }
    info->format = format;
    for (int plane = 0; plane < convert_plane_count(format); plane++) {
        info->plane[plane] = planes.data[plane];
        info->row_stride[plane] = planes.stride[plane];
    }
    frame->buffer = planes.buffer;
    *out = frame;
    return LFR_MEDIA_OK;
}

LFR_API int32_t lfr_frame_get_info(const lfr_frame *frame, lfr_frame_info *info)
{
    if (frame == NULL || info == NULL || info->struct_size != sizeof *info)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_frame_get_info: frame or info is null, or struct_size is wrong");
    *info = frame->info;
    info->struct_size = sizeof *info;
    return LFR_MEDIA_OK;
}

LFR_API void lfr_frame_release(lfr_frame *frame)
{
    if (frame == NULL)
        return;
    av_buffer_unref(&frame->buffer);
    free(frame);
}
