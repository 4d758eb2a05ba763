#include "internal.h"

#include <libavutil/log.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TIMEOUT_MS 10000
#define DEFAULT_PICTURE_INTERVAL_US 40000
#define MAX_DECODER_THREADS 64

static pthread_once_t log_silenced = PTHREAD_ONCE_INIT;

/* FFmpeg's log shows URLs with credentials; what matters reaches the caller through lfr_media_last_error. */
static void silence_log(void)
{
    av_log_set_level(AV_LOG_QUIET);
}

int32_t media_check_stop(lfr_media *media, const char *doing)
{
    if (media->interrupted)
        return lfr_fail(LFR_MEDIA_INTERRUPTED, "%s %s was interrupted", doing, media->name);
    int64_t deadline = media->deadline_ns;
    if (deadline != 0 && lfr_now_ns() > deadline)
        return lfr_fail(LFR_MEDIA_TIMED_OUT, "%s %s timed out", doing, media->name);
    return LFR_MEDIA_OK;
}

int32_t media_check_memory(lfr_media *media)
{
    int64_t refused = pool_refused(media->pool);
    if (refused == 0)
        refused = pool_refused(media->packets);
    if (refused == 0)
        refused = media->source.input.refused;
    int64_t limit = pool_limit();
    if (refused == 0 || limit == 0)
        return LFR_MEDIA_OK;
    return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory to decode %s: the limit of %lld bytes for this process leaves no room for %lld more",
                    media->name, (long long)limit, (long long)refused);
}

void media_set_deadline(lfr_media *media, int64_t timeout_ms)
{
    media->deadline_ns = timeout_ms > 0 ? lfr_now_ns() + timeout_ms * 1000000 : 0;
}

void media_note_damage(lfr_media *media, const char *format, ...)
{
    media->corrupt++;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(media->last_damage, sizeof media->last_damage, format, arguments);
    va_end(arguments);
}

LFR_API int32_t lfr_media_create(lfr_media_account *account, lfr_media **out)
{
    if (out == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_create: out is null");
    *out = NULL;
    pthread_once(&log_silenced, silence_log);
    lfr_media *media = calloc(1, sizeof *media);
    if (media != NULL)
        media->pool = pool_create(POOL_FRAMES, account);
    if (media != NULL && media->pool != NULL)
        media->packets = pool_create(POOL_PACKETS, account);
    if (media == NULL || media->packets == NULL) {
        if (media != NULL && media->pool != NULL)
            pool_close(media->pool);
        free(media);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for a reader");
    }
    media->frame_rate = (AVRational){0, 1};
    media->duration_us = -1;
    *out = media;
    return LFR_MEDIA_OK;
}

static int32_t take_options(lfr_media *media, const lfr_media_options *options)
{
    media->options = (lfr_media_options){
        .struct_size = sizeof *options,
        .open_timeout_ms = DEFAULT_TIMEOUT_MS,
        .read_timeout_ms = DEFAULT_TIMEOUT_MS,
        .decoder_threads = 1,
        .rtsp_transport = LFR_RTSP_AUTO,
        .picture_interval_us = DEFAULT_PICTURE_INTERVAL_US,
    };
    if (options == NULL)
        return LFR_MEDIA_OK;
    if (options->struct_size != sizeof *options)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: struct_size is %u, expected %zu", options->struct_size,
                        sizeof *options);
    if (options->open_timeout_ms < 0 || options->read_timeout_ms < 0)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: a timeout is negative");
    if (options->decoder_threads < 1 || options->decoder_threads > MAX_DECODER_THREADS)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: decoder_threads is %d, allowed are 1 to %d",
                        options->decoder_threads, MAX_DECODER_THREADS);
    if (options->rtsp_transport < LFR_RTSP_TCP || options->rtsp_transport > LFR_RTSP_AUTO)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: rtsp_transport is %d, allowed are 0 (TCP), 1 (UDP) and 2 (either)",
                        options->rtsp_transport);
    if (options->rotate_degrees < 0 || options->rotate_degrees > 270 || options->rotate_degrees % 90 != 0)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: rotate_degrees is %d, allowed are 0, 90, 180 and 270",
                        options->rotate_degrees);
    if (options->picture_interval_us < 1)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "options: picture_interval_us must be positive");
    media->options = *options;
    return LFR_MEDIA_OK;
}

static bool has_known_scheme(const char *url)
{
    static const char *const schemes[] = {"rtsp", "rtsps", "rtp",  "srtp", "udp",   "tcp",
                                          "http", "https", "rtmp", "rtmps", "srt"};
    for (size_t i = 0; i < FF_ARRAY_ELEMS(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (strncasecmp(url, schemes[i], length) == 0 && strncmp(url + length, "://", 3) == 0)
            return true;
    }
    return false;
}

static int32_t open_path(lfr_media *media, const char *path)
{
    path_kind kind = platform_path_kind(path);
    if (kind == PATH_MISSING)
        return lfr_fail(LFR_MEDIA_CANNOT_OPEN, "cannot open %s: %s", path, strerror(errno));
    if (kind == PATH_FILE)
        return source_open_file(media, path);
    if (kind == PATH_DEVICE) {
        media->live = true;
        media_set_deadline(media, media->options.open_timeout_ms);
        return source_open_device(media, path);
    }
    if (kind != PATH_FOLDER)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s is %s, not a file, a folder of pictures or a camera", path, path_kind_name(kind));

    media->is_folder = true;
    snprintf(media->container, sizeof media->container, "pictures");
    av_reduce(&media->frame_rate.num, &media->frame_rate.den, 1000000, media->options.picture_interval_us, INT32_MAX);
    int32_t listed = folder_list(&media->folder, path);
    media->duration_us = media->folder.count * media->options.picture_interval_us;
    return listed;
}

/* Common to both ways of opening: once per reader, with sane options. */
static int32_t begin_open(lfr_media *media, const char *name, const lfr_media_options *options)
{
    if (media->name[0] != '\0')
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "this reader has been opened before");
    int32_t status = take_options(media, options);
    if (status != LFR_MEDIA_OK)
        return status;
    lfr_mask_url(media->name, sizeof media->name, name);
    return media_check_stop(media, "opening");
}

static int32_t end_open(lfr_media *media, int32_t status)
{
    media->deadline_ns = 0;
    media->opened = status == LFR_MEDIA_OK;
    /* What FFmpeg makes of a refusal may sound like damage. */
    int32_t short_of = status == LFR_MEDIA_OK ? LFR_MEDIA_OK : media_check_memory(media);
    return short_of != LFR_MEDIA_OK ? short_of : status;
}

LFR_API int32_t lfr_media_open(lfr_media *media, const char *url, const lfr_media_options *options)
{
    if (media == NULL || url == NULL || url[0] == '\0')
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_open: media is null, or url is null or empty");
    int32_t status = begin_open(media, url, options);
    if (status != LFR_MEDIA_OK)
        return status;
    if (strncmp(url, "file://", 7) == 0)
        return end_open(media, open_path(media, url + 7));
    if (strstr(url, "://") == NULL)
        return end_open(media, open_path(media, url));
    if (!has_known_scheme(url))
        return lfr_fail(LFR_MEDIA_BAD_SOURCE, "cannot open %s: the scheme is not supported", media->name);
    media->live = true;
    media_set_deadline(media, media->options.open_timeout_ms);
    return end_open(media, source_open_url(media, url));
}

LFR_API int32_t lfr_media_open_memory(lfr_media *media, const uint8_t *data, int64_t size,
                                      const lfr_media_options *options)
{
    if (media == NULL || data == NULL || size < 0)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_open_memory: media or data is null, or size is negative");
    int32_t status = begin_open(media, "(memory)", options);
    if (status != LFR_MEDIA_OK)
        return status;
    if (size == 0)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "the memory to read from is empty");
    return end_open(media, source_open_memory(media, data, size));
}

LFR_API int32_t lfr_media_interrupt(lfr_media *media)
{
    if (media == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_interrupt: media is null");
    media->interrupted = true;
    return LFR_MEDIA_OK;
}

/* As given by the stream; the caller, who knows the arrival times, judges it. */
static int64_t stamp_us(lfr_media *media)
{
    int64_t stamp = media->source.picture->best_effort_timestamp;
    if (stamp == AV_NOPTS_VALUE)
        return LFR_NO_PTS;
    int64_t time_us = av_rescale_q(stamp, media->source.format->streams[media->source.stream]->time_base, (AVRational){1, 1000000});
    if (!media->has_origin) {
        media->has_origin = true;
        media->origin_us = time_us;
    }
    /* Invalid time stamps can have any value: unsigned, the difference cannot overflow. */
    return (int64_t)((uint64_t)time_us - (uint64_t)media->origin_us);
}

/* Makes the caller's frame from the decoded picture. */
static int32_t hand_out(lfr_media *media, int64_t index, int64_t pts_us, lfr_frame **out)
{
    AVFrame *picture = media->source.picture;
    const frame_context context = {
        .pool = media->pool,
        .codec = media->source.decoder->codec_id,
        .stream_matrix = source_display_matrix(media),
        .exif_orientation = media->source.exif_orientation,
        .aspect = source_pixel_aspect(media),
        .mounting = orientation_from_degrees(media->options.rotate_degrees, media->options.mirror != 0),
        .index = index,
        .pts_us = pts_us,
        .arrival_ns = media->source.arrival_ns,
    };
    const char *format = av_get_pix_fmt_name(picture->format);
    snprintf(media->pixel_format, sizeof media->pixel_format, "%s", format != NULL ? format : "");
    int32_t status = frame_create(&context, picture, out);
    av_frame_unref(picture);
    if (status == LFR_MEDIA_OK) {
        media->frames++;
        if (!media->is_folder)
            source_update_frame_rate(media);
        media->width = (*out)->info.width;
        media->height = (*out)->info.height;
    }
    return status;
}

static int32_t read_stream(lfr_media *media, lfr_frame **out)
{
    int32_t status = source_decode(media);
    if (status == LFR_MEDIA_OK)
        return hand_out(media, media->frames, stamp_us(media), out);
    if (status == LFR_MEDIA_END && media->live && media->still && media->frames <= 1)
        return source_one_picture(media);
    if (status == LFR_MEDIA_END && media->frames == 0)
        return lfr_fail(LFR_MEDIA_READ_ERROR, "no picture in %s could be decoded%s%s", media->name,
                        media->corrupt > 0 ? "; " : "", media->last_damage);
    return status;
}

static int32_t read_folder(lfr_media *media, lfr_frame **out)
{
    while (media->next_picture < media->folder.count) {
        int64_t index = media->next_picture++;
        const char *path = media->folder.paths[index];
        int64_t corrupt = media->corrupt;
        snprintf(media->name, sizeof media->name, "%s", path);
        media->size_refused = false;

        int32_t status = media_check_stop(media, "reading");
        if (status == LFR_MEDIA_OK)
            status = source_open_file(media, path);
        if (status == LFR_MEDIA_OK) {
            status = source_decode(media);
            if (status == LFR_MEDIA_OK)
                status = hand_out(media, index, index * media->options.picture_interval_us, out);
            else if (status == LFR_MEDIA_END)
                status = lfr_fail(LFR_MEDIA_READ_ERROR, "%s contains no complete picture", path);
            source_close(media);
        }
        media->deadline_ns = 0;
        /* Out of memory ends the stream only by the process's limit: a damaged picture can ask for any amount. */
        if (status == LFR_MEDIA_OK || status == LFR_MEDIA_INTERRUPTED || (status = media_check_memory(media)) != LFR_MEDIA_OK)
            return status;
        /* One entry per picture, however many packets of it were bad. */
        media->corrupt = corrupt;
        media_note_damage(media, "%s", lfr_media_last_error());
    }
    if (media->frames == 0)
        return lfr_fail(LFR_MEDIA_READ_ERROR, "none of the %lld pictures could be decoded; %s",
                        (long long)media->folder.count, media->last_damage);
    return LFR_MEDIA_END;
}

LFR_API int32_t lfr_media_read(lfr_media *media, lfr_frame **out)
{
    if (out != NULL)
        *out = NULL;
    if (media == NULL || out == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_read: media or out is null");
    if (!media->opened)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_read: nothing has been opened");
    if (media->ended != 0)
        return lfr_fail(media->ended, "%s", media->ended_text);

    media_set_deadline(media, media->live ? media->options.read_timeout_ms : 0);
    int32_t status = media->is_folder ? read_folder(media, out) : read_stream(media, out);
    if (status != LFR_MEDIA_OK) {
        int32_t short_of = status == LFR_MEDIA_INTERRUPTED ? LFR_MEDIA_OK : media_check_memory(media);
        status = short_of != LFR_MEDIA_OK ? short_of : status;
        media->ended = status;
        snprintf(media->ended_text, sizeof media->ended_text, "%s", status == LFR_MEDIA_END ? "" : lfr_media_last_error());
        /* No more frames follow: free the decoder's pictures now, not only when the reader is closed. */
        source_close(media);
    }
    media->deadline_ns = 0;
    return status;
}

LFR_API int32_t lfr_media_get_info(lfr_media *media, lfr_media_info *info)
{
    if (media == NULL || info == NULL || info->struct_size != sizeof *info)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_get_info: media or info is null, or struct_size is wrong");
    *info = (lfr_media_info){
        .struct_size = sizeof *info,
        .width = media->width,
        .height = media->height,
        .frame_rate_num = media->frame_rate.num,
        .frame_rate_den = media->frame_rate.den,
        .is_live = media->live && !media->finite,
        .is_truncated = media->truncated,
        .frames = media->frames,
        .corrupt = media->corrupt,
        .duration_us = media->duration_us,
        .read_us = media->read_us,
    };
    memcpy(info->container, media->container, sizeof info->container);
    memcpy(info->codec, media->codec, sizeof info->codec);
    memcpy(info->pixel_format, media->pixel_format, sizeof info->pixel_format);
    memcpy(info->last_damage, media->last_damage, sizeof info->last_damage);
    return LFR_MEDIA_OK;
}

LFR_API int32_t lfr_media_count_residue(lfr_media *media, int64_t *bytes)
{
    if (media == NULL || bytes == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_count_residue: media or bytes is null");
    *bytes = pool_count_residue(media->pool) + pool_count_residue(media->packets);
    return LFR_MEDIA_OK;
}

LFR_API int32_t lfr_media_scrub(lfr_media *media)
{
    if (media == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_scrub: media is null");
    source_scrub(media);
    return LFR_MEDIA_OK;
}

LFR_API void lfr_media_close(lfr_media *media)
{
    if (media == NULL)
        return;
    source_close(media);
    folder_free(&media->folder);
    pool_close(media->pool);
    pool_close(media->packets);
    free(media);
}

LFR_API int32_t lfr_media_account_open(lfr_media_account **out)
{
    if (out == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_account_open: out is null");
    *out = account_create();
    return *out != NULL ? LFR_MEDIA_OK : lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for an account");
}

LFR_API void lfr_media_account_close(lfr_media_account *account)
{
    account_release(account);
}

LFR_API int32_t lfr_media_get_stats(const lfr_media_account *account, lfr_media_stats *stats)
{
    if (stats == NULL || stats->struct_size != sizeof *stats)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_get_stats: stats is null, or struct_size is wrong");
    pool_read_stats(account, stats);
    stats->reserved = 0;
    return LFR_MEDIA_OK;
}

static char versions[128];
static pthread_once_t versions_written = PTHREAD_ONCE_INIT;

static void write_versions(void)
{
    unsigned format = avformat_version(), codec = avcodec_version(), util = avutil_version();
    snprintf(versions, sizeof versions, "libavformat %u.%u.%u, libavcodec %u.%u.%u, libavutil %u.%u.%u",
             AV_VERSION_MAJOR(format), AV_VERSION_MINOR(format), AV_VERSION_MICRO(format), AV_VERSION_MAJOR(codec),
             AV_VERSION_MINOR(codec), AV_VERSION_MICRO(codec), AV_VERSION_MAJOR(util), AV_VERSION_MINOR(util),
             AV_VERSION_MICRO(util));
}

LFR_API const char *lfr_media_versions(void)
{
    pthread_once(&versions_written, write_versions);
    return versions;
}

LFR_API int32_t lfr_media_has_decoder(const char *name)
{
    return name != NULL && avcodec_find_decoder_by_name(name) != NULL;
}
