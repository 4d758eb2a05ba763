/* Shared by the source files of lfr_media; nothing here is exported. */
#ifndef LFR_MEDIA_INTERNAL_H
#define LFR_MEDIA_INTERNAL_H

#include "lfr_media.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __MINGW_PRINTF_FORMAT
#define PRINTF_FORMAT __MINGW_PRINTF_FORMAT
#else
#define PRINTF_FORMAT printf
#endif

/* ---- platform_posix.c, platform_windows.c: what operating systems do differently ---- */

size_t platform_page_size(void);

/* Bytes of this thread's stack below an address on it; SIZE_MAX where that is not known: of the first thread, without /proc. */
size_t platform_stack_below(const void *here);

/* Zeroed pages, locked into memory where the limit allows and kept out of dumps and child processes where the system
 * can; or NULL. */
void *platform_map(size_t size, bool *locked);
void platform_unmap(void *memory, size_t size);

void platform_sleep_ms(int milliseconds);

/* PATH_DEVICE: a character device, which can be a camera. */
typedef enum {
    PATH_MISSING, PATH_FILE, PATH_FOLDER, PATH_DEVICE, PATH_PIPE, PATH_SOCKET, PATH_BLOCK_DEVICE, PATH_OTHER
} path_kind;

/* Paths are UTF-8. PATH_MISSING, and -1 and false below, leave the reason in errno. */
path_kind platform_path_kind(const char *path);

/* A descriptor of a regular file for reading that child processes do not inherit, or -1. Never waits: anything but
 * a regular file is refused with EINVAL. */
int platform_open(const char *path, int64_t *size);

/* As pread: bytes read, 0 at the end, or -1. One thread reads. */
int64_t platform_read_at(int descriptor, void *buffer, size_t size, int64_t position);
void platform_close(int descriptor);

/* Calls found with the name of every file in a folder, in no order, until it returns false. False: the folder cannot be read. */
bool platform_list(const char *path, bool (*found)(void *opaque, const char *name), void *opaque);

/* ---- error.c ---- */

/* Stores the sentence for lfr_media_last_error and returns status. */
int32_t lfr_fail(int32_t status, const char *format, ...) __attribute__((format(PRINTF_FORMAT, 2, 3)));

/* The URL without user, password and query, for messages. */
void lfr_mask_url(char *destination, size_t capacity, const char *url);

/* FFmpeg's text for an error code. */
typedef struct { char text[AV_ERROR_MAX_STRING_SIZE]; } lfr_error_text;
lfr_error_text lfr_describe(int averror);

int64_t lfr_now_ns(void);

/* ---- url.c: addresses as people type them ---- */

/* A copy for av_free in which user name and password are percent-encoded as FFmpeg wants them, what is encoded already
 * excepted; NULL without memory. The URL has a scheme. */
char *url_prepare(const char *url);

/* What is wrong with a prepared URL, or NULL. */
const char *url_fault(const char *prepared);

/* ---- pool.c: locked, wiped memory for pictures and packets ---- */

typedef struct frame_pool frame_pool;

/* Planes inside one pool buffer. */
typedef struct {
    AVBufferRef *buffer;
    uint8_t *data[4];
    int stride[4];
} pool_picture;

/* What a pool's buffers hold, for the counters. */
typedef enum { POOL_FRAMES, POOL_PACKETS } pool_use;

lfr_media_account *account_create(void);
void account_release(lfr_media_account *account);

/* account may be NULL; it lives until the last of the pool's buffers is unmapped. */
frame_pool *pool_create(pool_use use, lfr_media_account *account);

/* Drops the owner's reference. Buffers still held stay valid, are wiped on release and then unmapped. */
void pool_close(frame_pool *pool);

/* Bytes that the process's limit has refused this pool; 0: none. */
int64_t pool_refused(const frame_pool *pool);

/* The limit; 0: none. */
int64_t pool_limit(void);

/* A zeroed buffer of at least size bytes, or NULL. Thread safe. */
AVBufferRef *pool_get(frame_pool *pool, size_t size);

/* Planes for a picture, every row aligned to 64 bytes or row_align[plane] where that is more. row_align may be NULL. */
int pool_get_picture(frame_pool *pool, enum AVPixelFormat format, int width, int height, const int *row_align,
                     pool_picture *picture);

/* Whether the buffer is a live one of this pool. */
bool pool_owns(frame_pool *pool, const AVBufferRef *buffer);

int64_t pool_count_residue(frame_pool *pool);

/* Of an account, or with NULL of the process. */
void pool_read_stats(const lfr_media_account *account, lfr_media_stats *stats);
void pool_count_scrub(frame_pool *pool);

/* Moves the packet's bytes into a buffer of the pool and wipes the original. */
int pool_adopt_packet(frame_pool *pool, AVPacket *packet);

/* Whether wiping is switched off: in a build with LFR_TEST_HOOKS only. */
#ifdef LFR_TEST_HOOKS
bool lfr_keeps_everything(void);
#else
#define lfr_keeps_everything() false
#endif

/* Writes zeros the compiler may not leave out. */
void lfr_wipe(void *memory, size_t size);

/* Wipes what functions that have returned left on this thread's stack, as far as it goes, and in its vector registers. */
void lfr_wipe_stack(void);

/* ---- convert.c: any decoded format to one of ours ---- */

/* The lfr_pixel_format a decoded format becomes, or -1 when there is no conversion. */
int32_t convert_target(enum AVPixelFormat source);

/* Whether the decoder's planes can be handed out as they are. */
bool convert_is_native(enum AVPixelFormat source);

/* FFmpeg's layout for one of our formats. */
enum AVPixelFormat convert_layout(int32_t format);

int convert_plane_count(int32_t format);

/* Converts into planes of convert_target(source->format). Returns 0 or a negative FFmpeg error. */
int convert_picture(frame_pool *pool, const AVFrame *source, bool full_range, pool_picture *destination);

/* ---- orient.c: making pictures upright ---- */

typedef struct {
    bool transpose;     /* rows become columns, before the flips below */
    bool flip_x;        /* of the upright picture */
    bool flip_y;
} orientation;

orientation orientation_from_matrix(const int32_t matrix[9]);
orientation orientation_from_exif(int value);

/* The EXIF orientation, 1 to 8, that a PNG or TIFF file states and FFmpeg's decoder passes over (before version 8); 0 = none. */
int orientation_in_file(enum AVCodecID codec, const uint8_t *file, int64_t size);

/* Clockwise by 0, 90, 180 or 270 degrees, then mirrored left to right. */
orientation orientation_from_degrees(int32_t degrees, bool mirror);

/* One after the other. */
orientation orientation_then(orientation first, orientation second);
bool orientation_is_identity(orientation turn);

/* Clockwise degrees, after a left-right mirroring if *mirrored. */
int32_t orientation_degrees(orientation turn, int32_t *mirrored);

/* The format an upright picture gets: I422 turned on its side has no layout of ours and becomes I444. */
int32_t orientation_format(orientation turn, int32_t format);

/* width and height are the source's. */
void orientation_apply(orientation turn, int32_t format, int width, int height, const pool_picture *source,
                       pool_picture *destination);

/* ---- stretch.c: square pixels ---- */

/* Size of the picture with square pixels; false where it stays as it is: square enough, implausible or too large. */
bool stretch_size(AVRational aspect, int *width, int *height);

/* Widens or heightens, whichever of the two sizes differs. */
void stretch_apply(int32_t format, int width, int height, const pool_picture *source, int to_width, int to_height,
                   pool_picture *destination);

/* ---- frame.c ---- */

struct lfr_frame {
    AVBufferRef *buffer;
    lfr_frame_info info;
};

/* What the reader knows about a frame and the decoder does not. */
typedef struct {
    frame_pool *pool;
    enum AVCodecID codec;
    const int32_t *stream_matrix;   /* display matrix of the stream, or NULL */
    int exif_orientation;           /* 1 to 8 where the file says so and the decoder does not pass it on; 0 = unknown */
    AVRational aspect;              /* of a pixel; 0/1 = unknown */
    orientation mounting;           /* how the camera hangs, after the display matrix */
    int64_t index;
    int64_t pts_us;
    int64_t arrival_ns;
} frame_context;

/* Makes a frame from a decoded picture, copying only where it must. The picture stays the caller's. */
int32_t frame_create(const frame_context *context, AVFrame *picture, lfr_frame **out);

/* ---- input.c: bytes from a file or from memory ---- */

/* "a named pipe" and so on, for messages; NULL for what is a file or is not there. */
const char *path_kind_name(path_kind kind);

typedef struct {
    int descriptor;                 /* -1: memory */
    const uint8_t *memory;
    int64_t size;
    int64_t position;
    int64_t refused;                /* bytes for which there was no memory; 0: none */
    const atomic_bool *interrupted;
    AVIOContext *context;
} byte_input;

int32_t input_open_file(byte_input *input, const char *path, const atomic_bool *interrupted);
int32_t input_open_memory(byte_input *input, const uint8_t *data, int64_t size, const atomic_bool *interrupted);
bool input_starts_like_mp4(byte_input *input);

/* The demuxer for these bytes, or NULL: unknown, or no memory (input->refused). libavformat's own probing would free a used I/O buffer unwiped. */
const AVInputFormat *input_probe(byte_input *input, const char *name);

/* Wipes the I/O buffer; what it held ahead is read again. */
void input_scrub(byte_input *input);
void input_close(byte_input *input);

/* ---- filler.c: packets that a decoder reads and ignores ---- */

/* A packet of filler NAL units at least size bytes long, framed as the decoder's stream is. False where the codec has
 * none, or when memory is short. */
bool filler_make(const AVCodecContext *decoder, int size, AVPacket *packet);

/* ---- folder.c ---- */

typedef struct {
    char **paths;                   /* in the order of their bytes */
    int64_t count;
} picture_folder;

int32_t folder_list(picture_folder *folder, const char *path);
void folder_free(picture_folder *folder);

/* ---- card.c: decoding on a graphics card ---- */

/* Makes a decoder work on the card; to be called before it is opened. */
int32_t card_attach(lfr_media *media, const AVCodec *codec, AVCodecContext *decoder);

/* Stores that the card does not decode this stream, and returns LFR_MEDIA_NO_DECODER. */
int32_t card_refuse(lfr_media *media, const char *codec);

/* Replaces a picture on the card by a copy in the pool's memory; one in memory stays as it is. */
int32_t card_bring(lfr_media *media, AVFrame *picture);

/* ---- source.c: one demuxer and one decoder ---- */

/* One per decoder thread (64 at most), and some to spare. */
#define MAX_PENDING 80

typedef struct {
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *picture;
    byte_input input;
    bool has_input;
    int stream;
    bool draining;
    bool packet_counted;            /* the current packet is already in the corrupt count */
    bool last_packet_bad;
    int64_t packets;
    int bad_reads;                  /* in a row */
    int64_t arrival_ns;
    int exif_orientation;           /* of the newest packet that is a PNG or TIFF file; 0 = none */
    int64_t read_us;                /* end of the last packet, from the stream's start */
    int largest_packet;
    AVFrame *pending[MAX_PENDING];  /* pictures that came out during a scrub, for the next reads */
    int pending_count;
} media_source;

struct lfr_media {
    lfr_media_options options;
    atomic_bool interrupted;
    atomic_bool closing;            /* the interrupt callback then checks only the deadline, so that RTSP can end its session */
    _Atomic int64_t deadline_ns;    /* 0: none */
    frame_pool *pool;
    frame_pool *packets;
    media_source source;
    bool opened;
    bool live;
    bool finite;                    /* a network source that announced its size: it has an end */
    bool still;                     /* the source is one picture */
    bool truncated;
    int64_t read_us;
    atomic_bool size_refused;       /* the decoder asked for a picture above the limit */
    atomic_bool card_refused;       /* the graphics card does not decode this stream */
    int32_t ended;                  /* sticky status, 0 while the stream runs */
    char ended_text[512];
    char name[256];                 /* masked, for messages */

    bool is_folder;
    picture_folder folder;
    int64_t next_picture;

    int64_t frames;
    int64_t corrupt;
    bool has_origin;
    int64_t origin_us;              /* the first stamp */
    int32_t width, height;
    AVRational frame_rate;
    int64_t duration_us;
    char container[32];
    char codec[32];
    char pixel_format[32];
    char last_damage[256];
};

/* Interrupted or past the deadline? Fills the error text and gives the status, or 0. */
int32_t media_check_stop(lfr_media *media, const char *doing);
void media_set_deadline(lfr_media *media, int64_t timeout_ms);

/* The status for memory that the process's limit refused, with its sentence; 0: none was refused. */
int32_t media_check_memory(lfr_media *media);

/* Adds one to the corrupt count and keeps the sentence. */
void media_note_damage(lfr_media *media, const char *format, ...) __attribute__((format(PRINTF_FORMAT, 2, 3)));

/* path: a regular file; url: anything else; data: memory. Exactly one is given. */
int32_t source_open_file(lfr_media *media, const char *path);
int32_t source_open_memory(lfr_media *media, const uint8_t *data, int64_t size);
int32_t source_open_url(lfr_media *media, const char *url);
int32_t source_open_device(lfr_media *media, const char *path);

/* The failure of a network source that is a picture. */
int32_t source_one_picture(const lfr_media *media);

/* Decodes the next picture into source.picture. LFR_MEDIA_OK, LFR_MEDIA_END, LFR_MEDIA_INTERRUPTED or an error. */
int32_t source_decode(lfr_media *media);
void source_close(lfr_media *media);

/* Pictures that come out meanwhile are kept for the next source_decode. */
void source_scrub(lfr_media *media);

/* Brings frame_rate up to what is known by now. */
void source_update_frame_rate(lfr_media *media);
const int32_t *source_display_matrix(const lfr_media *media);

/* Aspect of a pixel of the picture just decoded; 0/1 = unknown. */
AVRational source_pixel_aspect(const lfr_media *media);

#endif
