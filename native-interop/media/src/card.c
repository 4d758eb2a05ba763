/* Decoding on a graphics card, with the picture copied to the pool's memory. The card's own surfaces are its driver's: they cannot be wiped from here. */
#include "internal.h"

#include <libavutil/hwcontext.h>

/* Asks for the card's format and no other: what the card does not decode is refused, for the caller to decode in software. */
static enum AVPixelFormat choose_format(AVCodecContext *decoder, const enum AVPixelFormat *offered)
{
    lfr_media *media = decoder->opaque;
    for (; *offered != AV_PIX_FMT_NONE; offered++)
        if (*offered == AV_PIX_FMT_VAAPI)
            return *offered;
    media->card_refused = true;
    return AV_PIX_FMT_NONE;
}

static int32_t open_card(AVBufferRef **card)
{
    int result = av_hwdevice_ctx_create(card, AV_HWDEVICE_TYPE_VAAPI, NULL, NULL, 0);
    if (result < 0)
        return lfr_fail(LFR_MEDIA_NO_DECODER, "no graphics card here decodes video by VAAPI (%s): it needs a driver of libva and access to /dev/dri",
                        lfr_describe(result).text);
    return LFR_MEDIA_OK;
}

static bool knows_codec(const AVCodec *codec)
{
    const AVCodecHWConfig *config;
    for (int i = 0; (config = avcodec_get_hw_config(codec, i)) != NULL; i++)
        if (config->device_type == AV_HWDEVICE_TYPE_VAAPI && (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX))
            return true;
    return false;
}

int32_t card_attach(lfr_media *media, const AVCodec *codec, AVCodecContext *decoder)
{
    if (!knows_codec(codec))
        return card_refuse(media, codec->name);
    decoder->get_format = choose_format;
    return open_card(&decoder->hw_device_ctx);
}

int32_t card_refuse(lfr_media *media, const char *codec)
{
    return lfr_fail(LFR_MEDIA_NO_DECODER, "the graphics card does not decode the %s of %s by VAAPI", codec, media->name);
}

int32_t card_bring(lfr_media *media, AVFrame *picture)
{
    if (picture->hw_frames_ctx == NULL)
        return LFR_MEDIA_OK;
    const AVHWFramesContext *frames = (const AVHWFramesContext *)picture->hw_frames_ctx->data;
    AVFrame *host = av_frame_alloc();
    pool_picture memory;
    int result = host == NULL ? AVERROR(ENOMEM) : pool_get_picture(media->pool, frames->sw_format, picture->width, picture->height, NULL, &memory);
    if (result >= 0) {
        host->format = frames->sw_format;
        host->width = picture->width;
        host->height = picture->height;
        host->buf[0] = memory.buffer;
        for (int plane = 0; plane < 4; plane++) {
            host->data[plane] = memory.data[plane];
            host->linesize[plane] = memory.stride[plane];
        }
        result = av_hwframe_transfer_data(host, picture, 0);
    }
    if (result >= 0)
        result = av_frame_copy_props(host, picture);
    /* Of a card's frames FFmpeg crops the right and the bottom only. */
    if (result >= 0)
        result = av_frame_apply_cropping(host, AV_FRAME_CROP_UNALIGNED);
    av_frame_unref(picture);
    if (result >= 0)
        av_frame_move_ref(picture, host);
    av_frame_free(&host);
    if (result == AVERROR(ENOMEM))
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for a picture of %s", media->name);
    if (result < 0)
        return lfr_fail(LFR_MEDIA_READ_ERROR, "the graphics card that decodes %s failed or was lost (%s)", media->name, lfr_describe(result).text);
    return LFR_MEDIA_OK;
}

LFR_API int32_t lfr_media_check_vaapi(void)
{
    AVBufferRef *card = NULL;
    int32_t status = open_card(&card);
    av_buffer_unref(&card);
    return status;
}
