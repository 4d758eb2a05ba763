#include "internal.h"

/* Below 3 % it is not visible, and cropped recordings have ratios such as 641:640; no camera has more than 4. */
#define SMALLEST_STRETCH 1.03
#define LARGEST_STRETCH 4.0
/* Weights of two neighbours are in 1/256. */
#define FRACTION_BITS 8

bool stretch_size(AVRational aspect, int *width, int *height)
{
    if (aspect.num <= 0 || aspect.den <= 0)
        return false;
    double ratio = av_q2d(aspect);
    double stretch = ratio > 1 ? ratio : 1 / ratio;
    if (stretch < SMALLEST_STRETCH || stretch > LARGEST_STRETCH)
        return false;
    int *side = ratio > 1 ? width : height;
    int longer = (int)(*side * stretch + 0.5);
    if (longer > LFR_MEDIA_MAX_SIDE)
        return false;
    *side = longer;
    return true;
}

/* Position of sample i of `to` among `from` samples: the one before it, and the weight of the one after it. */
static int place(int i, int from, int to, int *weight)
{
    int64_t at = ((2 * (int64_t)i + 1) * from * (1 << FRACTION_BITS) / to - (1 << FRACTION_BITS)) / 2;
    at = FFMIN(FFMAX(at, 0), (int64_t)(from - 1) << FRACTION_BITS);
    *weight = (int)(at & ((1 << FRACTION_BITS) - 1));
    return (int)(at >> FRACTION_BITS);
}

static inline uint8_t blend(int a, int b, int weight)
{
    return (uint8_t)((a * ((1 << FRACTION_BITS) - weight) + b * weight + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS);
}

/* One tile of columns at a time, so that their positions are computed once and stay in the cache. */
static void widen_plane(int element, int from, int to, int height, const uint8_t *source, ptrdiff_t source_stride,
                        uint8_t *destination, ptrdiff_t destination_stride)
{
    enum { TILE = 256 };
    int offsets[TILE], next[TILE], weights[TILE];
    for (int start = 0; start < to; start += TILE) {
        int count = FFMIN(TILE, to - start);
        for (int i = 0; i < count; i++) {
            int column = place(start + i, from, to, &weights[i]);
            offsets[i] = column * element;
            next[i] = FFMIN(column + 1, from - 1) * element;
        }
        for (int y = 0; y < height; y++) {
            const uint8_t *row = source + y * source_stride;
            uint8_t *out = destination + y * destination_stride + (ptrdiff_t)start * element;
            for (int i = 0; i < count; i++)
                for (int part = 0; part < element; part++)
                    out[i * element + part] = blend(row[offsets[i] + part], row[next[i] + part], weights[i]);
        }
    }
}

static void heighten_plane(int from, int to, int row_bytes, const uint8_t *source, ptrdiff_t source_stride,
                           uint8_t *destination, ptrdiff_t destination_stride)
{
    for (int y = 0; y < to; y++) {
        int weight;
        int row = place(y, from, to, &weight);
        const uint8_t *a = source + row * source_stride;
        const uint8_t *b = source + FFMIN(row + 1, from - 1) * source_stride;
        uint8_t *out = destination + y * destination_stride;
        for (int x = 0; x < row_bytes; x++)
            out[x] = blend(a[x], b[x], weight);
    }
}

void stretch_apply(int32_t format, int width, int height, const pool_picture *source, int to_width, int to_height,
                   pool_picture *destination)
{
    const AVPixFmtDescriptor *layout = av_pix_fmt_desc_get(convert_layout(format));
    for (int plane = 0; plane < convert_plane_count(format); plane++) {
        int shift_w = plane > 0 ? layout->log2_chroma_w : 0;
        int shift_h = plane > 0 ? layout->log2_chroma_h : 0;
        int element = plane > 0 && format == LFR_PIXEL_NV12 ? 2 : 1;
        int from_w = AV_CEIL_RSHIFT(width, shift_w), to_w = AV_CEIL_RSHIFT(to_width, shift_w);
        int from_h = AV_CEIL_RSHIFT(height, shift_h), to_h = AV_CEIL_RSHIFT(to_height, shift_h);
        if (to_width != width)
            widen_plane(element, from_w, to_w, from_h, source->data[plane], source->stride[plane], destination->data[plane],
                        destination->stride[plane]);
        else
            heighten_plane(from_h, to_h, from_w * element, source->data[plane], source->stride[plane],
                           destination->data[plane], destination->stride[plane]);
    }
}
