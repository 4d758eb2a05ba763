#include "internal.h"

#include <string.h>

/* Never less than this, so that short streams are no special case. */
#define SMALLEST_FILLER (64 * 1024)
/* Unescaping drops a byte, and the buffer holds a little more than the packet. */
#define FILLER_SURPLUS 64
#define FILLER_BYTE 0xFF

/* NAL unit header, the escape sequence that makes the decoder copy what follows, at least one byte, the stop bit. */
#define SMALLEST_NAL 16

/* Bytes of the length before each NAL unit: 1 to 4; 0: start codes. */
static int length_bytes(const AVCodecContext *decoder)
{
    const uint8_t *extradata = decoder->extradata;
    int size = decoder->extradata_size;
    if (decoder->codec_id == AV_CODEC_ID_H264)
        return size >= 7 && extradata[0] == 1 ? (extradata[4] & 3) + 1 : 0;
    /* Like libavcodec, which distinguishes hvcC from start codes in this way. */
    bool configured = size > 22 && (extradata[0] != 0 || extradata[1] != 0 || extradata[2] > 1);
    return configured ? (extradata[21] & 3) + 1 : 0;
}

static uint8_t *put_nal(uint8_t *at, int size, int prefix, bool hevc)
{
    if (prefix == 0) {
        memcpy(at, (const uint8_t[]){0, 0, 0, 1}, 4);
        at += 4;
    } else {
        for (int i = prefix - 1; i >= 0; i--)
            *at++ = (uint8_t)((unsigned)size >> (8 * i));
    }
    memset(at, FILLER_BYTE, (size_t)size);
    if (hevc) {
        at[0] = 38 << 1; /* FD_NUT, layer 0 */
        at[1] = 1;       /* temporal id 0 */
    } else {
        at[0] = 12;
    }
    memcpy(at + 2, (const uint8_t[]){0, 0, 3, 0}, 4);
    at[size - 1] = 0x80;
    return at + size;
}

bool filler_make(const AVCodecContext *decoder, int size, AVPacket *packet)
{
    bool hevc = decoder->codec_id == AV_CODEC_ID_HEVC;
    if (!hevc && decoder->codec_id != AV_CODEC_ID_H264)
        return false;
    int prefix = length_bytes(decoder);
    int header = prefix == 0 ? 4 : prefix;
    int wanted = FFMAX(size, SMALLEST_FILLER) + FILLER_SURPLUS;
    int largest = prefix == 1 ? UINT8_MAX : prefix == 2 ? UINT16_MAX : wanted;
    /* Short lengths take many units; each loses an escape byte when it is read. */
    int units = (wanted + largest - 1) / largest + (prefix == 1 ? wanted / largest : 0);
    int unit = FFMIN(largest, FFMAX(wanted / units + 1, SMALLEST_NAL));
    if (av_new_packet(packet, units * (header + unit)) < 0)
        return false;
    uint8_t *at = packet->data;
    for (int i = 0; i < units; i++)
        at = put_nal(at, unit, prefix, hevc);
    return true;
}
