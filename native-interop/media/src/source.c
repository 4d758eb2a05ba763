#include "internal.h"

#include <libavdevice/avdevice.h>
#include <libavutil/opt.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A source is given up after this many failures in a row. */
#define MAX_BAD_READS 4096
/* How long closing may wait while an RTSP session is torn down. */
#define CLOSE_TIMEOUT_MS 500
/* How long to read from an address that could not be opened, to find out what it is. */
#define LOOK_TIMEOUT_MS 2000
/* A device that has no frame yet is polled again after this time. */
#define DEVICE_POLL_MS 2
/* Receive buffer of UDP sockets: a key frame of a 4K camera comes in one burst. */
#define UDP_BUFFER_BYTES "4194304"
/* A recording that ends this much earlier than its header says was cut off; the last frame's length is often unknown. */
#define LARGEST_GAP_US 500000
#define LARGEST_GAP_FRAMES 5

static pthread_once_t devices_registered = PTHREAD_ONCE_INIT;

static int interrupt_requested(void *opaque)
{
    lfr_media *media = opaque;
    int64_t deadline = media->deadline_ns;
    return (media->interrupted && !media->closing) || (deadline != 0 && lfr_now_ns() > deadline);
}

static int get_buffer(AVCodecContext *decoder, AVFrame *frame, int flags)
{
    lfr_media *media = decoder->opaque;
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    if (format == NULL || (format->flags & AV_PIX_FMT_FLAG_HWACCEL))
        return avcodec_default_get_buffer2(decoder, frame, flags);
    if (frame->width < 1 || frame->height < 1 || decoder->width > LFR_MEDIA_MAX_SIDE ||
        decoder->height > LFR_MEDIA_MAX_SIDE) {
        media->size_refused = true;
        return AVERROR(EINVAL);
    }
    int width = frame->width;
    int height = frame->height;
    int align[AV_NUM_DATA_POINTERS] = {0};
    avcodec_align_dimensions2(decoder, &width, &height, align);
    pool_picture picture;
    int result = pool_get_picture(media->pool, frame->format, width, height, align, &picture);
    if (result < 0)
        return result;
    frame->buf[0] = picture.buffer;
    for (int plane = 0; plane < 4; plane++) {
        frame->data[plane] = picture.data[plane];
        frame->linesize[plane] = picture.stride[plane];
    }
    frame->extended_data = frame->data;
    return 0;
}

/* Whether the demuxer shows text as pictures; such a file is not accepted as video. */
static bool is_text_art(const AVInputFormat *format)
{
    static const char *const names[] = {"tty", "bin", "xbin", "adf", "idf"};
    for (size_t i = 0; i < FF_ARRAY_ELEMS(names); i++)
        if (strcmp(format->name, names[i]) == 0)
            return true;
    return false;
}

static bool is_picture_demuxer(const AVInputFormat *format)
{
    size_t length = strlen(format->name);
    return (length > 5 && strcmp(format->name + length - 5, "_pipe") == 0) || strcmp(format->name, "image2") == 0;
}

/* Probing decodes frames into memory that is not ours, so it is skipped where the header is enough: pictures,
 * MP4 (which also has the reorder depth), and live streams (where probing also takes a second or more). */
static bool can_skip_probing(const lfr_media *media, const AVFormatContext *format)
{
    int stream = av_find_best_stream((AVFormatContext *)format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (stream < 0)
        return false;
    enum AVCodecID codec = format->streams[stream]->codecpar->codec_id;
    if (codec == AV_CODEC_ID_NONE || codec == AV_CODEC_ID_PROBE)
        return false;
    const char *name = format->iformat->name;
    return is_picture_demuxer(format->iformat) || strncmp(name, "mov,", 4) == 0 || strcmp(name, "gif") == 0 ||
           strcmp(name, "apng") == 0 || media->options.low_delay;
}

static bool is_http(const lfr_media *media)
{
    return strncasecmp(media->name, "http", 4) == 0;
}

/* Whether a body begins as web pages do. */
static bool starts_like_page(const char *text, size_t length)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<body"};
    size_t blank = strspn(text, " \t\r\n");
    for (size_t i = 0; i < FF_ARRAY_ELEMS(starts); i++)
        if (length - blank >= strlen(starts[i]) && strncasecmp(text + blank, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* Whether an address that could not be opened gives a web page: without a Content-Length header a page looks like a broken connection, or like one
 * without data. */
static bool gives_page(lfr_media *media, const char *url)
{
    AVIOContext *connection = NULL;
    uint8_t *type = NULL;
    char start[512] = "";
    const AVIOInterruptCB interrupt = {interrupt_requested, media};
    if (!media->live || !is_http(media))
        return false;
    media_set_deadline(media, LOOK_TIMEOUT_MS);
    if (avio_open2(&connection, url, AVIO_FLAG_READ, &interrupt, NULL) < 0)
        return false;
    bool told = av_opt_get(connection, "mime_type", AV_OPT_SEARCH_CHILDREN, &type) >= 0 && type != NULL && type[0] != '\0';
    bool page = told && (strncasecmp((const char *)type, "text/html", 9) == 0 || strncasecmp((const char *)type, "application/xhtml", 17) == 0);
    int length = told ? 0 : avio_read_partial(connection, (unsigned char *)start, sizeof start - 1);
    page |= length > 0 && starts_like_page(start, (size_t)length);
    av_free(type);
    avio_closep(&connection);
    return page;
}

/* What an error means; NULL where FFmpeg's own text is as good. */
static const char *refusal(const lfr_media *media, int result)
{
    bool rtsp = strncasecmp(media->name, "rtsp", 4) == 0;
    if (!rtsp && !is_http(media))
        return NULL;
    switch (result) {
    case AVERROR_HTTP_BAD_REQUEST:
        return "it does not accept the request (400): check the address";
    case AVERROR_HTTP_NOT_FOUND:
        return "it has nothing at this path (404): check the address";
    case AVERROR_HTTP_OTHER_4XX:
        return rtsp ? "it refuses the stream, perhaps because it has too many viewers (453): close others, or use a smaller stream"
                    : "it refuses the request, perhaps because there are too many (429)";
    case AVERROR_HTTP_SERVER_ERROR:
        return "it is starting, overloaded or has an internal error (5XX, such as 503)";
    default:
        break;
    }
    if (!rtsp || result != AVERROR(EPROTONOSUPPORT))
        return NULL;
    return media->options.rtsp_transport == LFR_RTSP_TCP   ? "it refuses TCP (461): leave out transport=tcp"
           : media->options.rtsp_transport == LFR_RTSP_UDP ? "it refuses UDP (461): leave out transport=udp"
                                                           : "it refuses TCP and UDP (461): switch on unicast in the camera";
}

static int32_t open_failed(lfr_media *media, int result, bool page)
{
    if (page)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s answers with a web page, not with video: perhaps it requires a login. Use the address of the video stream",
                        media->name);
    int32_t stopped = media_check_stop(media, "opening");
    if (stopped != 0)
        return stopped;
    lfr_error_text reason = lfr_describe(result);
    const char *refused = refusal(media, result);
    media_source *source = &media->source;
    if (result == AVERROR(ENOMEM))
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to open %s", media->name);
    if (result == AVERROR(ETIMEDOUT))
        return lfr_fail(LFR_MEDIA_TIMED_OUT, "opening %s timed out", media->name);
    if (source->has_input && input_starts_like_mp4(&source->input))
        return lfr_fail(LFR_MEDIA_NOT_VIDEO,
                        "%s is an MP4 file without a usable index (moov): it was truncated or never finished (%s)",
                        media->name, reason.text);
    if (media->live && (result == AVERROR_HTTP_UNAUTHORIZED || result == AVERROR_HTTP_FORBIDDEN))
        return lfr_fail(LFR_MEDIA_UNAUTHORISED, "%s refuses the user name or the password (%s)", media->name,
                        result == AVERROR_HTTP_FORBIDDEN ? "403" : "401");
    if (result == AVERROR_PROTOCOL_NOT_FOUND)
        return lfr_fail(LFR_MEDIA_BAD_SOURCE, "cannot open %s: this FFmpeg is built without that scheme", media->name);
    if (result == AVERROR_INVALIDDATA && media->live && is_http(media))
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s answers, but not with a video stream: perhaps with a web page or a login form",
                        media->name);
    if ((result == AVERROR_INVALIDDATA && !media->live) || source->has_input)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s is not a media file that FFmpeg can read (%s)", media->name, reason.text);
    return lfr_fail(LFR_MEDIA_CANNOT_OPEN, "cannot open %s: %s", media->name, refused != NULL ? refused : reason.text);
}

/* Reads the address again if the failure may come from a web page. A time-out stays a time-out. */
static int32_t open_url_failed(lfr_media *media, int result, const char *url)
{
    bool late = media_check_stop(media, "opening") == LFR_MEDIA_TIMED_OUT || result == AVERROR(ETIMEDOUT);
    bool page = !media->interrupted && (late || result == AVERROR(EIO)) && gives_page(media, url);
    media_set_deadline(media, 0); /* a deadline of its own */
    return open_failed(media, late ? AVERROR(ETIMEDOUT) : result, page);
}

int32_t source_one_picture(const lfr_media *media)
{
    return lfr_fail(LFR_MEDIA_ONE_PICTURE, "%s sends one picture, not a stream. Use the address of the camera's video stream",
                    media->name);
}

static int32_t open_decoder(lfr_media *media)
{
    media_source *source = &media->source;
    const AVStream *stream = source->format->streams[source->stream];
    const AVCodecParameters *parameters = stream->codecpar;
    if (parameters->width > LFR_MEDIA_MAX_SIDE || parameters->height > LFR_MEDIA_MAX_SIDE)
        return lfr_fail(LFR_MEDIA_BAD_SIZE, "%s has pictures of %d x %d pixels; the limit is %d on either side",
                        media->name, parameters->width, parameters->height, LFR_MEDIA_MAX_SIDE);
    const char *codec_name = avcodec_get_name(parameters->codec_id);
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    if (codec == NULL)
        return lfr_fail(LFR_MEDIA_NO_DECODER, "%s needs a decoder for %s, which this FFmpeg lacks", media->name, codec_name);

    AVCodecContext *decoder = source->decoder = avcodec_alloc_context3(codec);
    source->packet = av_packet_alloc();
    source->picture = av_frame_alloc();
    if (decoder == NULL || source->packet == NULL || source->picture == NULL ||
        avcodec_parameters_to_context(decoder, parameters) < 0)
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for the %s decoder", codec_name);

    decoder->opaque = media;
    decoder->get_buffer2 = get_buffer;
    decoder->pkt_timebase = stream->time_base;
    decoder->thread_count = media->options.decoder_threads;
    /* Frame threads add a frame of delay each. */
    decoder->thread_type = media->options.low_delay ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
#if LIBAVCODEC_VERSION_MAJOR < 60
    /* Already marked deprecated in 5.x, and still needed there: without it frame threads hand get_buffer2 back and
     * forth. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    decoder->thread_safe_callbacks = 1;
#pragma GCC diagnostic pop
#endif
    /* Otherwise columns on the left that the stream says are not of the picture stay in it where they are no multiple of the alignment. */
    decoder->flags |= AV_CODEC_FLAG_UNALIGNED;
    if (media->options.low_delay)
        decoder->flags |= AV_CODEC_FLAG_LOW_DELAY;
    /* A picture that stands alone is whole or refused; in a video, concealment is better than a hole. The TIFF decoder calls every tag that it
     * does not know an error. */
    if ((media->still || media->is_folder) && codec->id != AV_CODEC_ID_TIFF)
        decoder->err_recognition |= AV_EF_EXPLODE | AV_EF_CRCCHECK;

    int32_t status = media->options.vaapi ? card_attach(media, codec, decoder) : LFR_MEDIA_OK;
    if (status != LFR_MEDIA_OK)
        return status;

    int result = avcodec_open2(decoder, codec, NULL);
    if (result < 0)
        return lfr_fail(LFR_MEDIA_NO_DECODER, "the %s decoder refuses %s: %s", codec_name, media->name,
                        lfr_describe(result).text);
    snprintf(media->codec, sizeof media->codec, "%s", codec_name);
    if (!media->is_folder) {
        snprintf(media->container, sizeof media->container, "%s", source->format->iformat->name);
        if (source->format->duration > 0 && !media->still)
            media->duration_us = source->format->duration;
        source_update_frame_rate(media);
        media->width = decoder->width;
        media->height = decoder->height;
    }
    return LFR_MEDIA_OK;
}

/* Opens the demuxer and the decoder. Takes options over. demuxer: NULL where libavformat is to find out. */
static int32_t open_source(lfr_media *media, const char *url, const AVInputFormat *demuxer, AVDictionary *options)
{
    media_source *source = &media->source;
    AVFormatContext *format = avformat_alloc_context();
    if (format == NULL) {
        av_dict_free(&options);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to open %s", media->name);
    }
    format->interrupt_callback = (AVIOInterruptCB){interrupt_requested, media};
    if (source->has_input)
        format->pb = source->input.context;
    if (media->options.low_delay)
        format->flags |= AVFMT_FLAG_NOBUFFER;
    if (demuxer != NULL && !source->has_input)
        format->flags |= AVFMT_FLAG_NONBLOCK; /* a device */

    /* On failure this frees the context. */
    int result = avformat_open_input(&format, url, demuxer, &options);
    av_dict_free(&options);
    if (result < 0)
        return open_url_failed(media, result, url);
    source->format = format;
    if (is_text_art(format->iformat))
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s is a text file, not a media file", media->name);
    media->still = is_picture_demuxer(format->iformat);
    if (!can_skip_probing(media, format)) {
        result = avformat_find_stream_info(format, NULL);
        if (result < 0)
            return open_url_failed(media, result, url);
    }
    /* An interrupted probe reports success with what it has. */
    int32_t stopped = media_check_stop(media, "opening");
    if (stopped != 0)
        return stopped;

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(61, 1, 100)
    /* Phones write HEIC as tiles, each a stream of its own: one of them is not the photo. */
    for (unsigned i = 0; i < format->nb_stream_groups; i++)
        if (format->stream_groups[i]->type == AV_STREAM_GROUP_PARAMS_TILE_GRID)
            return lfr_fail(LFR_MEDIA_NO_DECODER, "%s is a picture made of tiles, which is not supported", media->name);
#endif
    source->stream = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (source->stream < 0 || (format->streams[source->stream]->disposition & AV_DISPOSITION_ATTACHED_PIC))
        return lfr_fail(media->live ? LFR_MEDIA_NO_VIDEO : LFR_MEDIA_NOT_VIDEO, "%s has no video stream%s", media->name,
                        media->live ? " (yet)" : "");
    /* "image2" opens the address by itself, for every picture. */
    if (media->live && media->still && (format->pb == NULL || avio_size(format->pb) > 0))
        return source_one_picture(media);
    /* A playlist has a size, but not the size of the streams it lists. */
    media->finite = media->live && format->pb != NULL && avio_size(format->pb) > 0 && strcmp(format->iformat->name, "hls") != 0 &&
                    strcmp(format->iformat->name, "dash") != 0 && strcmp(format->iformat->name, "sdp") != 0;
    for (unsigned i = 0; i < format->nb_streams; i++)
        if ((int)i != source->stream)
            format->streams[i]->discard = AVDISCARD_ALL;
    return open_decoder(media);
}

static int32_t open_with_input(lfr_media *media, int32_t input_status, const char *name)
{
    if (input_status != LFR_MEDIA_OK)
        return input_status;
    media->source.has_input = true;
    const AVInputFormat *demuxer = input_probe(&media->source.input, name);
    int32_t status = demuxer != NULL ? LFR_MEDIA_OK
                                     : open_failed(media, media->source.input.refused > 0 ? AVERROR(ENOMEM) : AVERROR_INVALIDDATA, false);
    AVDictionary *options = NULL;
    /* A playlist in a file may not reach out; a session description (SDP) may listen. */
    av_dict_set(&options, "protocol_whitelist", name != NULL ? "file,rtp,udp" : "none", 0);
    if (status == LFR_MEDIA_OK)
        status = open_source(media, name, demuxer, options);
    else
        av_dict_free(&options);
    if (status != LFR_MEDIA_OK)
        source_close(media);
    return status;
}

int32_t source_open_file(lfr_media *media, const char *path)
{
    media->source = (media_source){0};
    return open_with_input(media, input_open_file(&media->source.input, path, &media->interrupted), path);
}

int32_t source_open_memory(lfr_media *media, const uint8_t *data, int64_t size)
{
    media->source = (media_source){0};
    return open_with_input(media, input_open_memory(&media->source.input, data, size, &media->interrupted), NULL);
}

int32_t source_open_url(lfr_media *media, const char *url)
{
    media->source = (media_source){0};
    AVDictionary *options = NULL;
    if (strncasecmp(url, "rtsp", 4) == 0) {
        static const char *const transports[] = {[LFR_RTSP_TCP] = "tcp", [LFR_RTSP_UDP] = "udp", [LFR_RTSP_AUTO] = "tcp+udp"};
        av_dict_set(&options, "rtsp_transport", transports[media->options.rtsp_transport], 0);
        if (media->options.rtsp_transport == LFR_RTSP_AUTO)
            av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0);
        av_dict_set(&options, "allowed_media_types", "video", 0);
        av_dict_set(&options, "buffer_size", UDP_BUFFER_BYTES, 0);
    } else if (strncasecmp(url, "udp:", 4) == 0 || strncasecmp(url, "rtp:", 4) == 0) {
        av_dict_set(&options, "buffer_size", UDP_BUFFER_BYTES, 0);
        av_dict_set(&options, "overrun_nonfatal", "1", 0);
    }
    if (strncasecmp(url, "http", 4) == 0)
        av_dict_set(&options, "live_start_index", "-1", 0); /* of HLS: the newest segment, not the third from the end */
    char *prepared = url_prepare(url);
    const char *fault = prepared != NULL ? url_fault(prepared) : NULL;
    int32_t status = prepared == NULL ? lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to open %s", media->name)
                     : fault != NULL  ? lfr_fail(LFR_MEDIA_BAD_SOURCE, "cannot open %s: %s", media->name, fault)
                                      : LFR_MEDIA_OK;
    if (status == LFR_MEDIA_OK)
        status = open_source(media, prepared, NULL, options);
    else
        av_dict_free(&options);
    av_free(prepared);
    if (status != LFR_MEDIA_OK)
        source_close(media);
    return status;
}

int32_t source_open_device(lfr_media *media, const char *path)
{
    media->source = (media_source){0};
    pthread_once(&devices_registered, avdevice_register_all);
    const AVInputFormat *demuxer = av_find_input_format("video4linux2");
    if (demuxer == NULL)
        return lfr_fail(LFR_MEDIA_NO_DECODER, "this FFmpeg is built without Video4Linux2, needed for %s", path);
    int32_t status = open_source(media, path, demuxer, NULL);
    if (status != LFR_MEDIA_OK)
        source_close(media);
    return status;
}


/* At most once per packet. Before the first frame of a live stream, errors only mean that reading began in the middle. */
static void note_bad_packet(lfr_media *media, const char *reason)
{
    media_source *source = &media->source;
    if (source->packet_counted || (media->live && media->frames == 0))
        return;
    source->packet_counted = true;
    media_note_damage(media, "packet %lld: %s", (long long)source->packets, reason);
}

static bool is_container(const media_source *source, const char *name)
{
    return strncmp(source->format->iformat->name, name, strlen(name)) == 0;
}

/* How long the container says that the video is, microseconds; 0 where it does not. The container's duration may be longer than
 * its video's: used only if there is no other. */
static int64_t promised_us(const media_source *source)
{
    const AVStream *stream = source->format->streams[source->stream];
    if (source->format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE)
        return 0;
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "DURATION", NULL, 0);
    int hours, minutes;
    double seconds;
    if (tag != NULL && sscanf(tag->value, "%d:%d:%lf", &hours, &minutes, &seconds) == 3)
        return (int64_t)((hours * 3600.0 + minutes * 60.0 + seconds) * 1000000);
    if (stream->duration > 0)
        return av_rescale_q(stream->duration, stream->time_base, (AVRational){1, 1000000});
    return source->format->nb_streams == 1 && source->format->duration > 0 ? source->format->duration : 0;
}

/* At the end of the file: did all packets come that the container's index lists? */
static void check_truncation(lfr_media *media)
{
    const media_source *source = &media->source;
    int promised = avformat_index_get_entries_count(source->format->streams[source->stream]);
    media->truncated = (source->has_input && source->last_packet_bad) || promised > source->packets;
    /* An MP4 file's index is complete, edit lists included; an RTSP server's duration is not reliable. */
    if (!is_container(source, "mov,") && !is_container(source, "rtsp")) {
        int64_t missing = promised_us(source) - source->read_us;
        int64_t frame_us = media->frame_rate.num > 0 ? av_rescale(1000000, media->frame_rate.den, media->frame_rate.num) : 0;
        media->truncated |= missing > FFMAX(LARGEST_GAP_US, LARGEST_GAP_FRAMES * frame_us);
    }
    /* A transport stream has no duration, but holds whole packets: plain, with time codes, or with error correction. */
    if (is_container(source, "mpegts") && source->has_input) {
        int64_t size = source->input.size;
        media->truncated |= size % 188 != 0 && size % 192 != 0 && size % 204 != 0;
    }
}

/* Time of the stream that has been read. */
static void note_read(lfr_media *media, const AVPacket *packet)
{
    media_source *source = &media->source;
    const AVStream *stream = source->format->streams[source->stream];
    int64_t stamp = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (stamp == AV_NOPTS_VALUE)
        return;
    if (stream->start_time != AV_NOPTS_VALUE)
        stamp = (int64_t)((uint64_t)stamp - (uint64_t)stream->start_time);
    int64_t end_us = av_rescale_q(stamp, stream->time_base, (AVRational){1, 1000000});
    end_us += packet->duration > 0 ? av_rescale_q(packet->duration, stream->time_base, (AVRational){1, 1000000}) : 0;
    media->read_us = source->read_us = FFMAX(source->read_us, end_us);
}

/* Hands the decoder a packet, or NULL for the end. With frame threads an error shows one packet later. */
static int32_t send_packet(lfr_media *media, const AVPacket *packet)
{
    int result = avcodec_send_packet(media->source.decoder, packet);
    /* A video continues with its next picture; a still picture is too large for this process's limit. */
    if (result == AVERROR(ENOMEM) && media->still)
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to decode %s", media->name);
    if (result < 0 && packet != NULL)
        note_bad_packet(media, lfr_describe(result).text);
    return LFR_MEDIA_OK;
}

/* Whether the read position is already past the first picture and the server cannot seek: an MP4 file with its index at the end. */
static bool lies_behind(const media_source *source)
{
    const AVIOContext *connection = source->format->pb;
    if (source->packets > 0 || connection == NULL || (connection->seekable & AVIO_SEEKABLE_NORMAL) || !is_container(source, "mov,"))
        return false;
    const AVIndexEntry *first = avformat_index_get_entry(source->format->streams[source->stream], 0);
    return first != NULL && first->pos < avio_tell((AVIOContext *)connection);
}

/* Feeds the decoder one packet, or the end. */
static int32_t feed_decoder(lfr_media *media)
{
    media_source *source = &media->source;
    AVPacket *packet = source->packet;
    int result = av_read_frame(source->format, packet);
    if (result < 0) {
        int32_t stopped = media_check_stop(media, "reading");
        if (stopped != 0)
            return stopped;
        if (result == AVERROR(EAGAIN)) {
            platform_sleep_ms(DEVICE_POLL_MS);
            return LFR_MEDIA_OK;
        }
        if (media->live && lies_behind(source))
            return lfr_fail(LFR_MEDIA_NOT_VIDEO,
                            "%s has its index (moov) at the end, and the server does not send parts of files: write the file with -movflags +faststart, or copy it "
                            "to this machine",
                            media->name);
        /* A picture without a length ends with the connection, which FFmpeg calls an error. */
        if (media->live && media->still)
            result = AVERROR_EOF;
        if (result == AVERROR_INVALIDDATA && ++source->bad_reads < MAX_BAD_READS) {
            source->packet_counted = false;
            source->last_packet_bad = true;
            note_bad_packet(media, lfr_describe(result).text);
            return LFR_MEDIA_OK;
        }
        if (result != AVERROR_EOF)
            return lfr_fail(result == AVERROR(ENOMEM)      ? LFR_MEDIA_OUT_OF_MEMORY
                            : result == AVERROR(ETIMEDOUT) ? LFR_MEDIA_TIMED_OUT
                                                           : LFR_MEDIA_READ_ERROR,
                            "reading %s failed: %s", media->name, lfr_describe(result).text);
        check_truncation(media);
        source->draining = true;
        return send_packet(media, NULL);
    }
    source->bad_reads = 0;
    /* From here on the last holder of the packet, decoder threads included, wipes it. */
    result = pool_adopt_packet(media->packets, packet);
    if (result < 0 || packet->stream_index != source->stream) {
        av_packet_unref(packet);
        return result < 0 ? lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for a packet of %s", media->name)
                          : LFR_MEDIA_OK;
    }
    source->largest_packet = FFMAX(source->largest_packet, packet->size);
    source->exif_orientation = orientation_in_file(source->decoder->codec_id, packet->data, packet->size);
    source->arrival_ns = lfr_now_ns();
    source->packets++;
    note_read(media, packet);
    if (av_packet_get_side_data(packet, AV_PKT_DATA_ENCRYPTION_INFO, NULL) != NULL) {
        av_packet_unref(packet);
        return lfr_fail(LFR_MEDIA_ENCRYPTED, "%s is encrypted (DRM); the engine has no key for it", media->name);
    }
    source->packet_counted = false;
    source->last_packet_bad = packet->flags & AV_PKT_FLAG_CORRUPT;
    if (source->last_packet_bad)
        note_bad_packet(media, "incomplete");
    int32_t status = send_packet(media, packet);
    av_packet_unref(packet);
    return status;
}

static bool take_pending(media_source *source)
{
    if (source->pending_count == 0)
        return false;
    av_frame_move_ref(source->picture, source->pending[0]);
    av_frame_free(&source->pending[0]);
    source->pending_count--;
    memmove(source->pending, source->pending + 1, (size_t)source->pending_count * sizeof source->pending[0]);
    return true;
}

/* Takes the pictures that are ready, so that the decoder works on what it is sent next. */
static void keep_ready_pictures(lfr_media *media)
{
    media_source *source = &media->source;
    while (source->pending_count < MAX_PENDING) {
        AVFrame *picture = av_frame_alloc();
        if (picture == NULL)
            return;
        int result = avcodec_receive_frame(source->decoder, picture);
        if (result == 0) {
            source->pending[source->pending_count++] = picture;
            continue;
        }
        av_frame_free(&picture);
        if (result == AVERROR(EAGAIN) || result == AVERROR_EOF || result == AVERROR(ENOMEM))
            return;
        note_bad_packet(media, lfr_describe(result).text);
    }
}

/* The decoder's unescaped bitstream is the only copy of packets it keeps, and the only thing fillers are for. */
static void scrub_bitstream(lfr_media *media)
{
    media_source *source = &media->source;
    AVCodecContext *decoder = source->decoder;
    AVPacket *filler = av_packet_alloc();
    if (filler == NULL || !filler_make(decoder, source->largest_packet, filler)) {
        av_packet_free(&filler);
        return;
    }
    keep_ready_pictures(media);
    /* H.264 calls a packet without a picture an error, unless pictures may be missing. */
    enum AVDiscard skipped = decoder->skip_frame;
    decoder->skip_frame = AVDISCARD_NONREF;
    int threads = decoder->active_thread_type & FF_THREAD_FRAME ? decoder->thread_count : 1;
    for (int i = 0; i < threads; i++) {
        avcodec_send_packet(decoder, filler);
        keep_ready_pictures(media);
    }
    decoder->skip_frame = skipped;
    av_packet_free(&filler);
}

void source_scrub(lfr_media *media)
{
    media_source *source = &media->source;
    if (source->decoder == NULL || !avcodec_is_open(source->decoder) || lfr_keeps_everything())
        return;
    /* At the end of the stream the decoder takes no more packets; closing flushes it first. */
    if (!source->draining)
        scrub_bitstream(media);
    if (source->has_input)
        input_scrub(&source->input);
    lfr_wipe_stack();
    pool_count_scrub(media->pool);
}

int32_t source_decode(lfr_media *media)
{
    media_source *source = &media->source;
    for (;;) {
        int32_t status = media_check_stop(media, "reading");
        if (status == 0)
            status = media_check_memory(media);
        if (status != 0)
            return status;
        if (take_pending(source))
            return card_bring(media, source->picture);
        int result = avcodec_receive_frame(source->decoder, source->picture);
        if (result == 0)
            return card_bring(media, source->picture);
        if (media->card_refused)
            return card_refuse(media, media->codec);
        if (result == AVERROR_EOF)
            return LFR_MEDIA_END;
        if (media->size_refused || source->decoder->width > LFR_MEDIA_MAX_SIDE ||
            source->decoder->height > LFR_MEDIA_MAX_SIDE)
            return lfr_fail(LFR_MEDIA_BAD_SIZE, "%s has pictures of %d x %d pixels; the limit is %d on either side",
                            media->name, source->decoder->width, source->decoder->height, LFR_MEDIA_MAX_SIDE);
        if (result == AVERROR(ENOMEM))
            return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to decode %s", media->name);
        if (result != AVERROR(EAGAIN)) {
            note_bad_packet(media, lfr_describe(result).text);
            if (source->draining && ++source->bad_reads >= MAX_BAD_READS)
                return LFR_MEDIA_END;
            continue;
        }
        if (source->draining)
            return LFR_MEDIA_END;
        status = feed_decoder(media);
        if (status != LFR_MEDIA_OK)
            return status;
    }
}

void source_close(lfr_media *media)
{
    media_source *source = &media->source;
    av_packet_free(&source->packet);
    av_frame_free(&source->picture);
    if (source->decoder != NULL && avcodec_is_open(source->decoder)) {
        /* Frees the reference frames, and makes the decoder accept packets again. */
        avcodec_flush_buffers(source->decoder);
        source->draining = false;
        source_scrub(media);
        avcodec_flush_buffers(source->decoder);
    }
    while (source->pending_count > 0)
        av_frame_free(&source->pending[--source->pending_count]);
    avcodec_free_context(&source->decoder);

    /* A URL's own I/O buffer; ours is wiped by input_close. */
    if (source->format != NULL && source->format->pb != NULL && !source->has_input) {
        AVIOContext *context = source->format->pb;
        lfr_wipe(context->buffer, (size_t)context->buffer_size);
        context->buf_ptr = context->buf_end = context->buffer;
    }
    media->closing = true;
    media_set_deadline(media, CLOSE_TIMEOUT_MS);
    avformat_close_input(&source->format);
    media->closing = false;
    if (source->has_input)
        input_close(&source->input);
    source->has_input = false;
    lfr_wipe_stack();
}

void source_update_frame_rate(lfr_media *media)
{
    const media_source *source = &media->source;
    const AVStream *stream = source->format->streams[source->stream];
    const AVRational candidates[] = {stream->avg_frame_rate, source->decoder->framerate, stream->r_frame_rate};
    for (size_t i = 0; i < FF_ARRAY_ELEMS(candidates); i++)
        if (candidates[i].num > 0 && candidates[i].den > 0) {
            media->frame_rate = candidates[i];
            return;
        }
}

AVRational source_pixel_aspect(const lfr_media *media)
{
    const media_source *source = &media->source;
    AVStream *stream = source->format->streams[source->stream];
    /* In pictures the aspect comes from the print resolution, which screens ignore; also in a camera's JPEGs. */
    if (media->is_folder || media->still)
        return (AVRational){0, 1};
    return source->decoder->codec_id == AV_CODEC_ID_MJPEG ? stream->sample_aspect_ratio
                                                          : av_guess_sample_aspect_ratio(source->format, stream, source->picture);
}

const int32_t *source_display_matrix(const lfr_media *media)
{
    const AVStream *stream = media->source.format->streams[media->source.stream];
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
    const AVPacketSideData *found = av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return found != NULL && found->size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)found->data : NULL;
#else
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data != NULL && size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)data : NULL;
#endif
}
