#include "internal.h"

#include <libavutil/imgutils.h>

#include <string.h>

int32_t convert_target(enum AVPixelFormat source)
{
    switch (source) {
    case AV_PIX_FMT_GRAY8:
        return LFR_PIXEL_GREY;
    case AV_PIX_FMT_NV12:
        return LFR_PIXEL_NV12;
    case AV_PIX_FMT_XYZ12LE:
    case AV_PIX_FMT_XYZ12BE:
        return -1;
    default:
        break;
    }
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(source);
    if (format == NULL || (format->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT)))
        return -1;
    for (int component = 0; component < format->nb_components; component++)
        if (format->comp[component].depth > 16)
            return -1;
    if (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL))
        return LFR_PIXEL_I444;
    if (format->nb_components <= 2)
        return LFR_PIXEL_GREY;
    /* Coarser chroma is repeated, which loses nothing; 4:4:0 therefore becomes 4:4:4, 4:1:1 becomes 4:2:2. */
    if (format->log2_chroma_w == 0)
        return LFR_PIXEL_I444;
    return format->log2_chroma_h == 0 ? LFR_PIXEL_I422 : LFR_PIXEL_I420;
}

bool convert_is_native(enum AVPixelFormat source)
{
    switch (source) {
    case AV_PIX_FMT_GRAY8:
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_NV12:
        return true;
    default:
        return false;
    }
}

enum AVPixelFormat convert_layout(int32_t format)
{
    switch (format) {
    case LFR_PIXEL_GREY:
        return AV_PIX_FMT_GRAY8;
    case LFR_PIXEL_I420:
        return AV_PIX_FMT_YUV420P;
    case LFR_PIXEL_I422:
        return AV_PIX_FMT_YUV422P;
    case LFR_PIXEL_I444:
        return AV_PIX_FMT_YUV444P;
    case LFR_PIXEL_NV12:
        return AV_PIX_FMT_NV12;
    case LFR_PIXEL_RGB24:
        return AV_PIX_FMT_RGB24;
    default:
        return AV_PIX_FMT_NONE;
    }
}

int convert_plane_count(int32_t format)
{
    switch (format) {
    case LFR_PIXEL_GREY:
    case LFR_PIXEL_RGB24:
        return 1;
    case LFR_PIXEL_NV12:
        return 2;
    default:
        return 3;
    }
}

/* Reads one component of one row as unsigned integers of its own depth. */
static void read_row(const AVFrame *source, const AVPixFmtDescriptor *format, int component, int y, int width,
                     uint16_t *row)
{
    const AVComponentDescriptor *c = &format->comp[component];
    if (format->flags & (AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BE)) {
        av_read_image_line2(row, (const uint8_t **)source->data, source->linesize, format, 0, y, component, width, 0,
                            sizeof *row);
        return;
    }
    const uint8_t *from = source->data[c->plane] + (ptrdiff_t)y * source->linesize[c->plane] + c->offset;
    unsigned mask = (1u << c->depth) - 1;
    if (c->shift + c->depth <= 8) {
        for (int x = 0; x < width; x++, from += c->step)
            row[x] = (uint16_t)(*from >> c->shift & mask);
    } else {
        for (int x = 0; x < width; x++, from += c->step)
            row[x] = (uint16_t)((from[0] | from[1] << 8) >> c->shift & mask);
    }
}

static void reduce_to_8_bits(uint16_t *row, int width, int depth)
{
    if (depth > 8) {
        for (int x = 0; x < width; x++) {
            int value = (row[x] + (1 << (depth - 9))) >> (depth - 8);
            row[x] = (uint16_t)(value > 255 ? 255 : value);
        }
    } else if (depth < 8) {
        int maximum = (1 << depth) - 1;
        for (int x = 0; x < width; x++)
            row[x] = (uint16_t)((row[x] * 255 + maximum / 2) / maximum);
    }
}

static inline int blend(int value, int alpha, int background)
{
    return (value * alpha + background * (255 - alpha) + 127) / 255;
}

static inline uint8_t clamp_to_byte(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Full-range BT.601 (JFIF), 16 fractional bits. */
static void store_rgb_row(const uint16_t *red, const uint16_t *green, const uint16_t *blue, int width, int y,
                          pool_picture *to)
{
    uint8_t *luma = to->data[0] + (ptrdiff_t)y * to->stride[0];
    uint8_t *cb = to->data[1] + (ptrdiff_t)y * to->stride[1];
    uint8_t *cr = to->data[2] + (ptrdiff_t)y * to->stride[2];
    for (int x = 0; x < width; x++) {
        int r = red[x], g = green[x], b = blue[x];
        luma[x] = (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
        cb[x] = clamp_to_byte((-11058 * r - 21710 * g + 32768 * b + (128 << 16) + 32768) >> 16);
        cr[x] = clamp_to_byte((32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32768) >> 16);
    }
}

/* rows: four rows of scratch. Transparent pictures get a white background. */
static void convert_rgb(const AVFrame *source, const AVPixFmtDescriptor *format, uint16_t *rows, pool_picture *to)
{
    int width = source->width;
    uint16_t *channel[4] = {rows, rows + width, rows + 2 * width, rows + 3 * width};
    bool palette = format->flags & AV_PIX_FMT_FLAG_PAL;
    bool alpha = palette || (format->flags & AV_PIX_FMT_FLAG_ALPHA);
    for (int y = 0; y < source->height; y++) {
        if (palette) {
            const uint8_t *index = source->data[0] + (ptrdiff_t)y * source->linesize[0];
            for (int x = 0; x < width; x++) {
                uint32_t argb;
                memcpy(&argb, source->data[1] + 4 * index[x], sizeof argb);
                channel[0][x] = argb >> 16 & 0xFF;
                channel[1][x] = argb >> 8 & 0xFF;
                channel[2][x] = argb & 0xFF;
                channel[3][x] = argb >> 24;
            }
        } else {
            for (int c = 0; c < (alpha ? 4 : 3); c++) {
                read_row(source, format, c, y, width, channel[c]);
                reduce_to_8_bits(channel[c], width, format->comp[c].depth);
            }
        }
        if (alpha)
            for (int c = 0; c < 3; c++)
                for (int x = 0; x < width; x++)
                    channel[c][x] = (uint16_t)blend(channel[c][x], channel[3][x], 255);
        store_rgb_row(channel[0], channel[1], channel[2], width, y, to);
    }
}

/* Grey, planar, semi-planar and packed YUV. rows: two rows of scratch. */
static void convert_yuv(const AVFrame *source, const AVPixFmtDescriptor *format, const AVPixFmtDescriptor *target,
                        bool full_range, uint16_t *rows, pool_picture *to)
{
    uint16_t *values = rows;
    uint16_t *alphas = rows + source->width;
    bool alpha = format->flags & AV_PIX_FMT_FLAG_ALPHA;
    int alpha_component = format->nb_components - 1;
    bool inverted = source->format == AV_PIX_FMT_MONOWHITE;

    for (int plane = 0; plane < target->nb_components; plane++) {
        int step_w = plane > 0 ? target->log2_chroma_w : 0;
        int step_h = plane > 0 ? target->log2_chroma_h : 0;
        int repeat_w = plane > 0 ? format->log2_chroma_w - step_w : 0;
        int repeat_h = plane > 0 ? format->log2_chroma_h - step_h : 0;
        int width = AV_CEIL_RSHIFT(source->width, step_w);
        int height = AV_CEIL_RSHIFT(source->height, step_h);
        int source_width = AV_CEIL_RSHIFT(width, repeat_w);
        int white = plane > 0 ? 128 : full_range ? 255 : 235;
        for (int y = 0; y < height; y++) {
            uint8_t *row = to->data[plane] + (ptrdiff_t)y * to->stride[plane];
            read_row(source, format, plane, y >> repeat_h, source_width, values);
            reduce_to_8_bits(values, source_width, format->comp[plane].depth);
            for (int x = 0; x < width; x++)
                row[x] = (uint8_t)values[x >> repeat_w];
            if (alpha) {
                read_row(source, format, alpha_component, y << step_h, source->width, alphas);
                reduce_to_8_bits(alphas, source->width, format->comp[alpha_component].depth);
                for (int x = 0; x < width; x++)
                    row[x] = (uint8_t)blend(row[x], alphas[x << step_w], white);
            }
            if (inverted)
                for (int x = 0; x < width; x++)
                    row[x] = (uint8_t)(255 - row[x]);
        }
    }
}

int convert_picture(frame_pool *pool, const AVFrame *source, bool full_range, pool_picture *destination)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(source->format);
    enum AVPixelFormat layout = convert_layout(convert_target(source->format));
    int result = pool_get_picture(pool, layout, source->width, source->height, NULL, destination);
    if (result < 0)
        return result;

    if (convert_is_native(source->format)) {
        const uint8_t *planes[4] = {source->data[0], source->data[1], source->data[2], NULL};
        av_image_copy(destination->data, destination->stride, planes, source->linesize, layout, source->width,
                      source->height);
        return 0;
    }
    /* Scratch rows hold pixels, so they come from the pool as well. */
    AVBufferRef *scratch = pool_get(pool, (size_t)source->width * 4 * sizeof(uint16_t));
    if (scratch == NULL) {
        av_buffer_unref(&destination->buffer);
        return AVERROR(ENOMEM);
    }
    uint16_t *rows = (uint16_t *)(void *)scratch->data;
    if (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL))
        convert_rgb(source, format, rows, destination);
    else
        convert_yuv(source, format, av_pix_fmt_desc_get(layout), full_range, rows, destination);
    av_buffer_unref(&scratch);
    return 0;
}
