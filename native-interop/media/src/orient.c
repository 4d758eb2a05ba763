#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Pixels are moved in tiles, so that a turned picture does not miss the cache once per pixel. */
#define TILE 32

orientation orientation_from_matrix(const int32_t matrix[9])
{
    /* x' = a·x + c·y and y' = b·x + d·y, snapped to the nearest of the eight upright orientations. */
    int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c))
        return (orientation){false, a < 0, d < 0};
    return (orientation){true, c < 0, b < 0};
}

orientation orientation_from_exif(int value)
{
    switch (value) {
    case 2:
        return (orientation){false, true, false};
    case 3:
        return (orientation){false, true, true};
    case 4:
        return (orientation){false, false, true};
    case 5:
        return (orientation){true, false, false};
    case 6:
        return (orientation){true, true, false};
    case 7:
        return (orientation){true, true, true};
    case 8:
        return (orientation){true, false, true};
    default:
        return (orientation){false, false, false};
    }
}

static uint32_t read_number(const uint8_t *at, int bytes, bool little)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * (little ? i : bytes - 1 - i);
    return value;
}

/* The orientation tag of the first directory of a TIFF block. */
static int orientation_in_exif(const uint8_t *block, int64_t size)
{
    if (size < 8 || (memcmp(block, "II*\0", 4) != 0 && memcmp(block, "MM\0*", 4) != 0))
        return 0;
    bool little = block[0] == 'I';
    int64_t directory = read_number(block + 4, 4, little);
    if (directory > size - 2)
        return 0;
    int64_t entries = read_number(block + directory, 2, little);
    for (int64_t i = 0; i < entries && directory + 2 + (i + 1) * 12 <= size; i++) {
        const uint8_t *entry = block + directory + 2 + i * 12;
        if (read_number(entry, 2, little) != 0x112 || read_number(entry + 2, 2, little) != 3)
            continue;
        int value = (int)read_number(entry + 8, 2, little);
        return value >= 1 && value <= 8 ? value : 0;
    }
    return 0;
}

int orientation_in_file(enum AVCodecID codec, const uint8_t *file, int64_t size)
{
    if (codec == AV_CODEC_ID_TIFF)
        return orientation_in_exif(file, size);
    if (codec != AV_CODEC_ID_PNG)
        return 0;
    /* A signature of eight bytes, then chunks: length, name, content, checksum. */
    for (int64_t at = 8; at + 12 <= size;) {
        int64_t length = read_number(file + at, 4, false);
        if (length > size - at - 12)
            return 0;
        if (memcmp(file + at + 4, "eXIf", 4) == 0)
            return orientation_in_exif(file + at + 8, length);
        at += length + 12;
    }
    return 0;
}

orientation orientation_from_degrees(int32_t degrees, bool mirror)
{
    orientation turn = {degrees == 90 || degrees == 270, degrees == 90 || degrees == 180, degrees == 180 || degrees == 270};
    turn.flip_x ^= mirror;
    return turn;
}

orientation orientation_then(orientation first, orientation second)
{
    /* A transposition exchanges the flips before it. */
    return (orientation){first.transpose ^ second.transpose,
                         second.flip_x ^ (second.transpose ? first.flip_y : first.flip_x),
                         second.flip_y ^ (second.transpose ? first.flip_x : first.flip_y)};
}

bool orientation_is_identity(orientation turn)
{
    return !turn.transpose && !turn.flip_x && !turn.flip_y;
}

int32_t orientation_degrees(orientation turn, int32_t *mirrored)
{
    *mirrored = turn.transpose ^ turn.flip_x ^ turn.flip_y;
    if (!turn.transpose)
        return turn.flip_y ? 180 : 0;
    return turn.flip_x ? 90 : 270;
}

int32_t orientation_format(orientation turn, int32_t format)
{
    return turn.transpose && format == LFR_PIXEL_I422 ? LFR_PIXEL_I444 : format;
}

/* width and height are the destination's. Each column of the source stands for 1 << repeat_w columns. */
static void turn_plane(orientation turn, int width, int height, int element, int repeat_w, const uint8_t *source,
                       ptrdiff_t source_stride, uint8_t *destination, ptrdiff_t destination_stride)
{
    for (int tile_y = 0; tile_y < height; tile_y += TILE) {
        int end_y = FFMIN(tile_y + TILE, height);
        for (int tile_x = 0; tile_x < width; tile_x += TILE) {
            int end_x = FFMIN(tile_x + TILE, width);
            for (int y = tile_y; y < end_y; y++) {
                uint8_t *to = destination + y * destination_stride + (ptrdiff_t)tile_x * element;
                int v = turn.flip_y ? height - 1 - y : y;
                for (int x = tile_x; x < end_x; x++, to += element) {
                    int u = turn.flip_x ? width - 1 - x : x;
                    int column = (turn.transpose ? v : u) >> repeat_w;
                    int row = turn.transpose ? u : v;
                    const uint8_t *from = source + row * source_stride + (ptrdiff_t)column * element;
                    to[0] = from[0];
                    if (element == 2)
                        to[1] = from[1];
                }
            }
        }
    }
}

void orientation_apply(orientation turn, int32_t format, int width, int height, const pool_picture *source,
                       pool_picture *destination)
{
    int32_t upright_format = orientation_format(turn, format);
    const AVPixFmtDescriptor *upright = av_pix_fmt_desc_get(convert_layout(upright_format));
    int upright_width = turn.transpose ? height : width;
    int upright_height = turn.transpose ? width : height;
    for (int plane = 0; plane < convert_plane_count(format); plane++) {
        bool chroma = plane > 0;
        turn_plane(turn, AV_CEIL_RSHIFT(upright_width, chroma ? upright->log2_chroma_w : 0),
                   AV_CEIL_RSHIFT(upright_height, chroma ? upright->log2_chroma_h : 0),
                   chroma && format == LFR_PIXEL_NV12 ? 2 : 1, chroma && upright_format != format ? 1 : 0,
                   source->data[plane], source->stride[plane], destination->data[plane], destination->stride[plane]);
    }
}
