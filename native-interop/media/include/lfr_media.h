/*
 * lfr_media: video in, planes out.
 *
 * A thin C ABI over libavformat and libavcodec. It knows bytes, not faces.
 *
 * Rules of the ABI
 *   - Fixed-width integers, opaque handles, explicit row strides; nothing throws or aborts.
 *   - Every function that can fail returns an int32_t: LFR_MEDIA_OK, LFR_MEDIA_END, LFR_MEDIA_INTERRUPTED
 *     or a negative lfr_media_status. lfr_media_last_error() then gives one sentence for the calling thread.
 *   - Structures begin with struct_size, set by the caller to sizeof(the structure).
 *   - A failed call hands out nothing and leaks nothing.
 *
 * Memory
 *   Decoded pictures live in page-aligned buffers of ours: locked (best effort, counted); on Linux left out of core
 *   dumps and wiped on fork. A buffer is wiped when its last holder, decoder included, has released it, and only then reused.
 *   Compressed packets are moved into such buffers as soon as the demuxer hands them over, and the demuxer's copy is
 *   wiped. What the decoder copies for itself (its unescaped bitstream) is overwritten by lfr_media_scrub, which
 *   closing and the end of a stream do by themselves.
 */
#ifndef LFR_MEDIA_H
#define LFR_MEDIA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(LFR_MEDIA_BUILD) && defined(_WIN32)
#define LFR_API __declspec(dllexport)
#elif defined(LFR_MEDIA_BUILD)
#define LFR_API __attribute__((visibility("default")))
#else
#define LFR_API
#endif

typedef struct lfr_media lfr_media;
typedef struct lfr_media_account lfr_media_account;
typedef struct lfr_frame lfr_frame;
typedef struct lfr_encoder lfr_encoder;

enum lfr_media_status {
    LFR_MEDIA_OK = 0,
    LFR_MEDIA_END = 1,
    LFR_MEDIA_INTERRUPTED = 2,

    LFR_MEDIA_BAD_ARGUMENT = -1,

    LFR_MEDIA_CANNOT_OPEN = -10,        /* not found, not permitted, not reachable */
    LFR_MEDIA_NOT_VIDEO = -11,          /* not a media file, or a file without a video stream */
    LFR_MEDIA_NO_DECODER = -12,         /* this FFmpeg build lacks the codec, or the codec refuses the stream */
    LFR_MEDIA_PIXEL_FORMAT = -13,       /* decoded, but in a pixel format without a conversion */
    LFR_MEDIA_TIMED_OUT = -14,
    LFR_MEDIA_READ_ERROR = -15,         /* the source broke, or nothing in it could be decoded */
    LFR_MEDIA_OUT_OF_MEMORY = -16,
    LFR_MEDIA_BAD_SIZE = -17,           /* a picture side is zero or above LFR_MEDIA_MAX_SIDE */
    LFR_MEDIA_BUFFER_TOO_SMALL = -18,   /* encode: *written holds the size needed */
    LFR_MEDIA_ENCODE_FAILED = -19,
    LFR_MEDIA_BAD_SOURCE = -20,         /* an invalid address: unknown scheme, no host, an invalid port */
    LFR_MEDIA_UNAUTHORISED = -21,       /* user name or password refused: 401, 403 */
    LFR_MEDIA_NO_VIDEO = -22,           /* a network source or device that answers, without a video stream (yet) */
    LFR_MEDIA_ONE_PICTURE = -23,        /* a network source that gives one picture and no stream */
    LFR_MEDIA_ENCRYPTED = -24           /* needs a key (DRM) */
};

#define LFR_MEDIA_MAX_SIDE 16384
#define LFR_NO_PTS INT64_MIN

enum lfr_pixel_format {
    LFR_PIXEL_GREY = 0,     /* one plane */
    LFR_PIXEL_I420 = 1,     /* Y, U, V; chroma half width, half height (rounded up) */
    LFR_PIXEL_I422 = 2,     /* Y, U, V; chroma half width (rounded up) */
    LFR_PIXEL_I444 = 3,     /* Y, U, V; all full size */
    LFR_PIXEL_NV12 = 4,     /* Y, then interleaved UV; chroma half width, half height (rounded up) */
    LFR_PIXEL_RGB24 = 5     /* R, G, B interleaved; only as input of lfr_encoder_encode */
};

enum lfr_colour_matrix { LFR_MATRIX_BT601 = 0, LFR_MATRIX_BT709 = 1, LFR_MATRIX_BT2020 = 2 };
enum lfr_colour_range { LFR_RANGE_LIMITED = 0, LFR_RANGE_FULL = 1 };
enum lfr_chroma_location { LFR_CHROMA_CENTRE = 0, LFR_CHROMA_LEFT = 1, LFR_CHROMA_TOP_LEFT = 2 };
enum lfr_rtsp_transport { LFR_RTSP_TCP = 0, LFR_RTSP_UDP = 1, LFR_RTSP_AUTO = 2 };
enum lfr_image_codec { LFR_IMAGE_JPEG = 0, LFR_IMAGE_PNG = 1 };

typedef struct lfr_media_options {
    uint32_t struct_size;
    int32_t open_timeout_ms;        /* for live and network sources; 0 = no limit. Default 10000. */
    int32_t read_timeout_ms;        /* longest wait for one frame of such a source; 0 = no limit. Default 10000. */
    int32_t decoder_threads;        /* 1 to 64. Default 1: more threads hold more frames. */
    int32_t rtsp_transport;         /* lfr_rtsp_transport. Default AUTO: TCP, and UDP where the server refuses that (461). */
    int32_t low_delay;              /* 1: hand frames out as soon as they are decoded, start without probing. Default 0. */
    int32_t picture_interval_us;    /* time between two pictures of a folder, microseconds. Default 40000 (25 fps). */
    int32_t rotate_degrees;         /* turns the upright picture clockwise: 0, 90, 180, 270. Default 0. */
    int32_t mirror;                 /* 1: mirrors it left to right after that. Default 0. */
    int32_t vaapi;                  /* 1: decoded on a graphics card by VAAPI and copied; what it does not decode is refused
                                     * (NO_DECODER). Default 0. */
} lfr_media_options;

typedef struct lfr_media_info {
    uint32_t struct_size;
    int32_t width;                  /* of the newest upright frame; before it, what the container says, or 0 */
    int32_t height;
    int32_t frame_rate_num;         /* average frame rate as a fraction; 0/1 = unknown */
    int32_t frame_rate_den;
    int32_t is_live;                /* 1: network source without an end of its own, or capture device */
    int32_t is_truncated;           /* 1: known at the end of the stream: less came than index or header promise */
    int32_t reserved;
    int64_t frames;                 /* handed out so far */
    int64_t corrupt;                /* damaged packets, or broken pictures of a folder, met so far */
    int64_t duration_us;            /* -1 = unknown */
    int64_t read_us;                /* from the first stamp to the end of the last packet read */
    char container[32];             /* FFmpeg's names, zero-terminated; "pictures" for a folder */
    char codec[32];
    char pixel_format[32];          /* as decoded, before any conversion */
    char last_damage[256];          /* one sentence on the newest entry in the corrupt count; "" = none */
} lfr_media_info;

typedef struct lfr_frame_info {
    uint32_t struct_size;
    int32_t format;                 /* lfr_pixel_format, never RGB24 */
    int32_t width;                  /* pixels, upright and square: narrow ones of a video are widened */
    int32_t height;
    const uint8_t *plane[3];        /* valid until lfr_frame_release; NULL where the format has no such plane */
    int32_t row_stride[3];          /* bytes, positive */
    int32_t matrix;                 /* lfr_colour_matrix; unspecified: JPEG 601, otherwise 709 from 720 rows on, else 601 */
    int32_t range;                  /* lfr_colour_range */
    int32_t chroma_location;        /* lfr_chroma_location; centre for a turned picture (half a pixel off at most) */
    int32_t rotation_degrees;       /* what was applied to make it upright, clockwise: 0, 90, 180, 270 */
    int32_t mirrored;               /* 1: mirrored left to right before that rotation */
    int32_t is_key_frame;
    int32_t is_corrupt;             /* 1: the decoder concealed damage in it */
    int64_t index;                  /* from 0: number of the frame; for a folder, the picture's place in name order */
    int64_t pts_us;                 /* the stream's own stamp less that of its first stamped frame, microseconds, as it comes: it
                                     * may stand still, jump or go back; LFR_NO_PTS where the stream gives none */
    int64_t arrival_ns;             /* when the last packet needed for it came in: CLOCK_MONOTONIC; on Windows QueryPerformanceCounter,
                                     * in nanoseconds */
} lfr_frame_info;

typedef struct lfr_image {
    uint32_t struct_size;
    int32_t format;                 /* lfr_pixel_format */
    int32_t width;
    int32_t height;
    const uint8_t *plane[3];
    int32_t row_stride[3];
    int32_t matrix;                 /* for YUV; JPEG means BT.601 */
    int32_t range;                  /* for grey and YUV; JPEG and PNG mean full */
    int32_t reserved;
} lfr_image;

typedef struct lfr_media_stats {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t buffers_outstanding;    /* frame buffers someone (caller or decoder) holds */
    int64_t bytes_allocated;        /* mapped for frames and packets, held or free */
    int64_t bytes_unlocked;         /* of those, not locked in memory (RLIMIT_MEMLOCK) */
    int64_t buffers_wiped;          /* since the account or the process began */
    int64_t packets_wiped;          /* compressed packets wiped when the decoder released them */
    int64_t packets_shared;         /* originals of a demuxer that somebody else still held, so not wiped by us */
    int64_t packets_outstanding;    /* packets the decoder holds */
    int64_t scrubs;                 /* decoders scrubbed, closing included */
} lfr_media_stats;

/* Text for the latest failure on the calling thread; "" if there was none. Never holds URL credentials or queries.
 * Valid until the next failing call on this thread. */
LFR_API const char *lfr_media_last_error(void);

/* The four numbers of a count of memory that this library shares with the program around it. */
enum lfr_budget {
    LFR_BUDGET_HELD = 0,            /* bytes mapped now */
    LFR_BUDGET_UNLOCKED = 1,        /* of those, not locked in memory */
    LFR_BUDGET_PEAK = 2,            /* the most that were ever held */
    LFR_BUDGET_MOST = 3             /* the most that may be held; 0: no limit. What would exceed it fails as if there were no memory */
};

/* Counts frames and packets there from now on, atomically. Once, before the first reader; budget stays valid as long as the process. */
LFR_API void lfr_media_share_budget(int64_t *budget);

/* Counts what the readers made with it hold and wipe, for example those of one run. */
LFR_API int32_t lfr_media_account_open(lfr_media_account **out);

/* Its readers and frames stay valid. NULL is allowed. */
LFR_API void lfr_media_account_close(lfr_media_account *account);

/* Where user name and password lie in an address, the '@' behind them included, in bytes: as lfr_media_open reads it. *length is 0
 * where it names nobody. */
LFR_API int32_t lfr_media_url_login(const char *url, int32_t *start, int32_t *length);

/* Makes a closed reader. Split from open so that another thread can interrupt a slow open. account may be NULL; it may be
 * closed before the reader. */
LFR_API int32_t lfr_media_create(lfr_media_account *account, lfr_media **out);

/* Opens a file, a folder of pictures (recognised by their first bytes, in byte order of their names), /dev/videoN,
 * or an rtsp, rtsps, rtp, udp, srt, tcp, http, https, rtmp or rtmps URL, whose user name and password may hold any character
 * unescaped. Once per reader. options may be NULL. */
LFR_API int32_t lfr_media_open(lfr_media *media, const char *url, const lfr_media_options *options);

/* The same over bytes in memory, borrowed until lfr_media_close. */
LFR_API int32_t lfr_media_open_memory(lfr_media *media, const uint8_t *data, int64_t size,
                                      const lfr_media_options *options);

/* From any thread, as long as the reader is not closed: open and read return LFR_MEDIA_INTERRUPTED soon (network
 * waits poll every 100 ms; a name look-up in progress finishes first), and so does every later call. */
LFR_API int32_t lfr_media_interrupt(lfr_media *media);

/* Next frame, upright. Damaged packets are skipped and counted. LFR_MEDIA_END repeats; a negative status ends the
 * stream and repeats: close and open again. One thread at a time. *out is NULL unless LFR_MEDIA_OK. */
LFR_API int32_t lfr_media_read(lfr_media *media, lfr_frame **out);

/* On the reading thread, or while nobody reads. */
LFR_API int32_t lfr_media_get_info(lfr_media *media, lfr_media_info *info);

/* Overwrites what the decoder and the input buffer keep of packets already used; what is read next stays the same, bit
 * by bit. For a stream that pauses. H.264 and HEVC: a filler NAL unit as large as the largest packet so far goes to
 * every decoder thread; other decoders keep nothing that a packet can reach. The decoder's reference frames stay: it
 * predicts from them. On the reading thread, or while nobody reads. */
LFR_API int32_t lfr_media_scrub(lfr_media *media);

/* Bytes that are not zero in this reader's free buffers: anything but 0 is a fault. For self-checks. */
LFR_API int32_t lfr_media_count_residue(lfr_media *media, int64_t *bytes);

/* Frees the reader; frames already handed out stay valid. NULL is allowed. Not concurrently with any other call. */
LFR_API void lfr_media_close(lfr_media *media);

LFR_API int32_t lfr_frame_get_info(const lfr_frame *frame, lfr_frame_info *info);

/* From any thread, once. NULL is allowed. */
LFR_API void lfr_frame_release(lfr_frame *frame);

/* Totals of an account's readers, including closed ones and frames still held; NULL: of the whole process,
 * encoders too. */
LFR_API int32_t lfr_media_get_stats(const lfr_media_account *account, lfr_media_stats *stats);

/* Encodes pictures, one or many, all of the first one's size and format; each is a file of its own. What the encoder keeps
 * of a picture the next one overwrites, and closing overwrites the last. Not from two threads at once.
 * JPEG: full-range BT.601 I420, I422, I444, full-range grey, or RGB24; quality 1 (small) to 100 (best).
 * PNG: RGB24 or full-range grey; quality is ignored. */
LFR_API int32_t lfr_encoder_open(int32_t codec, int32_t quality, lfr_encoder **encoder);

/* One picture into destination. *written: bytes written, or bytes needed with LFR_MEDIA_BUFFER_TOO_SMALL. */
LFR_API int32_t lfr_encoder_encode(lfr_encoder *encoder, const lfr_image *image, uint8_t *destination, int64_t capacity,
                                   int64_t *written);

/* NULL is allowed. */
LFR_API void lfr_encoder_close(lfr_encoder *encoder);

/* Runtime versions, as "libavformat 59.27.100, libavcodec 59.37.100, libavutil 57.28.100". Static. */
LFR_API const char *lfr_media_versions(void);

/* LFR_MEDIA_OK if a graphics card here decodes by VAAPI; otherwise LFR_MEDIA_NO_DECODER, and lfr_media_last_error says why. */
LFR_API int32_t lfr_media_check_vaapi(void);

/* 1 if FFmpeg has a decoder of this name ("h264", "hevc", "libdav1d"), 0 if not. */
LFR_API int32_t lfr_media_has_decoder(const char *name);

#ifdef __cplusplus
}
#endif

#endif
