/*
 * lfr_engine: live facial recognition as a native library. C99. Version 1 of the interface.
 *
 * Cameras in, alerts out. Every other face is erased from memory, and figures that show this can be read.
 *
 * Rules for every function, unless it says otherwise
 *   - Returns an int32_t: LFR_OK, another status that is 0 or more (LFR_TIMED_OUT, LFR_ENDED), or a negative error.
 *     After an error lfr_last_error() returns one sentence, for the calling thread, that says what was wrong. It stays until the
 *     thread's next error, also when a call succeeds: look at the status first.
 *   - May be called from any thread, also on the same handle at the same time, unless stated otherwise.
 *   - A failed call returns no handle, changes nothing and leaves nothing allocated. Out parameters of handles are set to NULL, counts to 0.
 *   - Handles are checked: NULL, a destroyed handle or a handle of another type gives LFR_BAD_HANDLE. Handles may be destroyed
 *     in any order: what another handle or a running call still needs is kept until that has ended.
 *   - Pointers given to a function are borrowed for the call. Texts are UTF-8 and end with a zero byte.
 *   - Structures begin with struct_size, set by the caller to sizeof(the structure). Later versions only add members at the
 *     end; a library fills and reads no more than struct_size says, and treats missing members as 0.
 *   - A thread that is cancelled (pthread_cancel) in a function ends when the function has returned. Never end a thread in one by other means.
 *   - A function does not wait for the callback that it is called from: lfr_run_stop and lfr_run_destroy give LFR_BAD_STATE inside
 *     on_log and on_release, and inside on_alert and on_event of their own run; so do waits without limit (timeout_ms -1) there.
 *   - Nothing is printed, only lfr_watchlist_save writes a file, nothing is sent, the process is never ended. One exception,
 *     which is not ours: ONNX Runtime and FFmpeg may write to standard error when memory is short.
 *
 * For the whole process (shared by all engines in it)
 *   - Memory for faces comes from one pool of locked pages: lfr_memory_report reports all engines together.
 *   - The language runtime inside handles SIGSEGV and SIGFPE of its own code, passes others on to the handler that was there
 *     before, and uses one real-time signal (SIGRTMIN) between its own threads. It cannot be unloaded: do not dlclose it.
 *     With the first call SIGPIPE is set to be ignored: set a handler of your own after that. Do not trap floating-point
 *     exceptions (feenableexcept) in threads that call the library, and give them stacks of 256 KiB or more. What a
 *     call leaves on the stack is wiped up to 512 KiB below it, and no further than the stack goes.
 *   - ORT_DISABLE_TELEMETRY=1 is set in the environment before ONNX Runtime is loaded, so that it reports nothing. The library reads
 *     LFR_MEMORY_GUARD=1 (for debugging), and LFR_MEDIA_LIBRARY when liblfr_media.so is not in the folder of this library.
 *   - Call no function in the child of a fork, if one was called before the fork.
 *
 * Version policy (semantic versioning, see LFR_VERSION and lfr_version)
 *   - A function or member that is here keeps its meaning in all libraries of interface version 1; lfr_get_api(1)
 *     works in all of them. A program built with an older header of version 1 runs unchanged with a newer library.
 *   - A newer release (the second number, while the first is 0) may add functions, statuses, values of an enum and members at the
 *     end of a structure; each is marked "since". What is not marked is in the first release, 0.1. A patch release (the third number)
 *     changes neither header nor meaning.
 *   - What must change gets a new name or interface version 2; version 1 is then kept for at least one more release.
 */
#ifndef LFR_ENGINE_H
#define LFR_ENGINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define LFR_API __declspec(dllimport)
#else
#define LFR_API
#endif

#define LFR_API_VERSION 1

/* The release of this header, as a number: 0.2.0 is 200. */
#define LFR_VERSION 200

/* ---- Status ---------------------------------------------------------------------------------------------------------- */

enum lfr_status {
    LFR_OK = 0,
    LFR_TIMED_OUT = 1,              /* nothing came in the time given */
    LFR_ENDED = 2,                  /* nothing more will come */

    /* the call */
    LFR_BAD_ARGUMENT = -1,
    LFR_BAD_HANDLE = -2,            /* NULL, destroyed, or of another type */
    LFR_BAD_STATE = -3,             /* not possible now: lfr_last_error() says when */
    LFR_BUFFER_TOO_SMALL = -4,      /* the size needed is in the out parameter */
    LFR_NOT_SUPPORTED = -5,
    LFR_OUT_OF_MEMORY = -6,
    LFR_INTERNAL = -7,              /* a fault of the library: please report it */
    LFR_LIBRARY_MISSING = -8,       /* liblfr_media.so, libonnxruntime.so or FFmpeg is missing or cannot be loaded */

    /* models */
    LFR_MODEL_UNUSABLE = -20,       /* missing, altered or not what its manifest says */

    /* watchlists */
    LFR_NOT_A_WATCHLIST = -40,
    LFR_WATCHLIST_VERSION = -41,    /* a format that this library does not read */
    LFR_WATCHLIST_DAMAGED = -42,
    LFR_WRONG_KEY = -43,
    LFR_FOREIGN_MODEL = -44,        /* templates from another embedder, or evidence measured with other networks */
    LFR_UNREADABLE = -45,
    LFR_DISK_FULL = -46,
    LFR_WRITE_FAILED = -47,
    LFR_BAD_CONTENT = -48,          /* not a valid watchlist: two people with one id, a person without a photo */
    LFR_BAD_KEY_FILE = -49,

    /* pictures and sources */
    LFR_MEDIA_UNUSABLE = -60,

    /* faces and templates */
    LFR_NO_FACE = -80,
    LFR_BAD_TEMPLATE = -81,         /* the bytes are not a template, or are damaged */

    /* runs */
    LFR_RUN_FAILED = -90,           /* a fault ended the run; everything was wiped */

    /* evidence (since 0.2) */
    LFR_NOT_EVIDENCE = -100,        /* not an evidence file, damaged, or of another format */
    LFR_NOT_TRUSTED = -101,         /* altered, or not signed by the key given */
    LFR_NOT_MEASURED = -102         /* the evidence does not cover this threshold, or a list of this size */
};

/* ---- Handles --------------------------------------------------------------------------------------------------------- */

typedef struct lfr_engine lfr_engine;         /* the networks */
typedef struct lfr_builder lfr_builder;       /* a watchlist being built */
typedef struct lfr_watchlist lfr_watchlist;   /* a finished watchlist, ready to be searched */
typedef struct lfr_run lfr_run;               /* cameras against a watchlist */
typedef struct lfr_camera lfr_camera;         /* a camera of a run whose frames the caller pushes */
typedef struct lfr_alert lfr_alert;           /* an alert with its picture */
typedef struct lfr_template lfr_template;     /* the numbers by which a face is compared */

enum lfr_handle_kind {
    LFR_HANDLE_ANY = 0,
    LFR_HANDLE_ENGINE = 1,
    LFR_HANDLE_BUILDER = 2,
    LFR_HANDLE_WATCHLIST = 3,
    LFR_HANDLE_RUN = 4,
    LFR_HANDLE_CAMERA = 5,
    LFR_HANDLE_ALERT = 6,
    LFR_HANDLE_TEMPLATE = 7
};

/* ---- Structures ------------------------------------------------------------------------------------------------------ */

enum lfr_format {
    LFR_GREY = 1,                   /* plane[0] */
    LFR_I420 = 2,                   /* Y, U, V; chroma half width and half height, odd sizes rounded up */
    LFR_NV12 = 3,                   /* Y, then interleaved U and V */
    LFR_RGB = 4,                    /* plane[0], 3 bytes a pixel */
    LFR_BGR = 5,
    LFR_FILE = 6,                   /* plane[0] holds size_bytes of a JPEG, PNG, BMP, WebP, GIF, TIFF, HEIC or AVIF file; single calls only */
    LFR_DMABUF = 100,               /* these three are not supported (LFR_NOT_SUPPORTED): copy the planes to memory */
    LFR_D3D11 = 101,
    LFR_D3D12 = 102
};

enum lfr_matrix { LFR_BT601 = 0, LFR_BT709 = 1, LFR_BT2020 = 2 };
enum lfr_range { LFR_LIMITED = 0, LFR_FULL = 1 };

/* A picture in the caller's memory. Sides of 1 to 16384 pixels. */
typedef struct lfr_image {
    uint32_t struct_size;
    int32_t format;                 /* lfr_format */
    int32_t width;                  /* pixels; ignored for LFR_FILE */
    int32_t height;
    const uint8_t *plane[3];
    int32_t row_stride[3];          /* bytes from one row to the next, at least the length of a row */
    int32_t matrix;                 /* lfr_matrix of GREY, I420 and NV12 */
    int32_t range;                  /* lfr_range of GREY, I420 and NV12 */
    int32_t reserved;               /* 0 */
    int64_t size_bytes;             /* LFR_FILE only */
} lfr_image;

typedef struct lfr_box {
    float left, top, right, bottom; /* pixels; right and bottom are exclusive */
} lfr_box;

/* Bytes that belong to the caller. Since 0.2. */
typedef struct lfr_bytes {
    const void *data;
    int64_t size_bytes;
} lfr_bytes;

/* Since 0.2. */
enum lfr_log_level { LFR_LOG_ERROR = 1, LFR_LOG_WARNING = 2, LFR_LOG_INFO = 3 };

/* One line of text for each event: networks loaded, changes of cameras and runs. Cameras appear under the names the caller gave
 * them; no person, score, picture or address does. Called on any thread, one call at a time; on the
 * same thread it comes again for what a function called from it logs. It may call any function of this library but
 * lfr_run_stop and lfr_run_destroy of any run, which give LFR_BAD_STATE: they would wait for the thread that is in the callback. So do waits
 * without limit. No call comes after lfr_engine_destroy has returned, unless it was called from inside. Since 0.2. */
typedef void (*lfr_on_log)(int32_t level, const char *text, void *user);

typedef struct lfr_engine_options {
    uint32_t struct_size;
    int32_t reserved;               /* 0 */
    const char *models_folder;      /* manifests: the folder `models` of a release */
    const char *weights_folder;     /* where `lfr models restore` put the files (LFR_CACHE there) */
    const char *detector;           /* NULL: ultraface-rfb-320 */
    const char *embedder;           /* NULL: mobilefacenet-512 */
    /* since 0.2 */
    const lfr_bytes *model_files;   /* instead of the two folders, which are NULL then: manifests and weights in memory, in any order.
                                     * Only what is named above and in the header of a release is needed. Borrowed for the call */
    int32_t model_file_count;
    int32_t log_level;              /* lfr_log_level: the most detailed level passed to on_log; 0: LFR_LOG_WARNING */
    int64_t max_memory_bytes;       /* limit of lfr_memory.held_bytes, for the whole process while the engine is open; with several engines the smallest
                                     * applies; 0: no limit. A function that would exceed it returns LFR_OUT_OF_MEMORY. A recording ends with
                                     * LFR_CAMERA_FAILED and a message; a live camera tries again. A run that cannot begin ends: lfr_run_next_alert gives
                                     * LFR_OUT_OF_MEMORY, and its cameras are LFR_CAMERA_FAILED. lfr_memory_estimate says what is needed. With less the limit is passed by one
                                     * run of a network, which cannot be stopped half way: its call fails when that returns, and its memory goes back */
    lfr_on_log on_log;              /* NULL: no log */
    void *log_user;
} lfr_engine_options;

typedef struct lfr_engine_info {
    uint32_t struct_size;
    int32_t embedding_length;       /* numbers in a template */
    float default_threshold;        /* measured, in the embedder's manifest; 0: none */
    char embedder_id[132];
    char embedder_sha256[65];
    char reserved[3];
} lfr_engine_info;

enum lfr_category { LFR_WANTED = 0, LFR_COURT_ORDER = 1, LFR_SUSPECT = 2, LFR_MISSING_OR_VULNERABLE = 3, LFR_AT_RISK = 4 };

typedef struct lfr_person {
    uint32_t struct_size;
    int32_t category;               /* lfr_category */
    const char *id;                 /* unique in the list, 1 to 128 characters */
    const char *name;               /* at most 256 characters */
    const char *reference;          /* case or warrant number; may be NULL */
} lfr_person;

enum lfr_verdict { LFR_ACCEPTED = 0, LFR_DOUBTFUL = 1, LFR_REJECTED = 2 };

typedef struct lfr_photo_result {
    uint32_t struct_size;
    int32_t verdict;                /* lfr_verdict; a rejected photo was not added, and the person stays: lfr_builder_remove_person */
    float quality;                  /* 0 to 1 */
    char reasons[508];              /* what is wrong with the photo, joined with "; "; empty when nothing is */
} lfr_photo_result;

enum lfr_key_kind { LFR_KEY_PASSPHRASE = 1, LFR_KEY_BYTES = 2, LFR_KEY_FILE = 3 };

typedef struct lfr_key {
    uint32_t struct_size;
    int32_t kind;                   /* lfr_key_kind */
    const void *data;               /* the passphrase (UTF-8); 32 to 4096 random bytes, which are what a key file contains; or the path of a key file (UTF-8) */
    int64_t size_bytes;             /* of data, without a zero byte at the end */
} lfr_key;

typedef struct lfr_watchlist_info {
    uint32_t struct_size;
    int32_t people;
    int32_t templates;              /* covered ones included */
    int32_t photos;                 /* photos and imported templates: what was enrolled */
    char id[40];
    char version[516];
    char embedder_sha256[65];
    char reserved[3];
} lfr_watchlist_info;

typedef struct lfr_person_info {
    uint32_t struct_size;
    int32_t category;
    char id[516];
    char name[1028];
    char reference[1028];           /* empty when there is none */
} lfr_person_info;

/* The callback owns the alert and must destroy it, at once or later. Called on one thread of the run; until it returns,
 * later alerts wait; cameras continue. May call any function except lfr_run_stop and lfr_run_destroy of its own run. */
typedef void (*lfr_on_alert)(lfr_alert *alert, void *user);

/* Since 0.2. */
enum lfr_event_kind {
    LFR_EVENT_CAMERA = 1,           /* a camera has another state */
    LFR_EVENT_WATCHLIST = 2,        /* another watchlist is searched: lfr_run_swap_watchlist */
    LFR_EVENT_OVER = 3              /* the run is over; the last event */
};

/* Since 0.2. */
typedef struct lfr_event {
    uint32_t struct_size;
    int32_t kind;                   /* lfr_event_kind */
    int32_t camera_index;           /* LFR_EVENT_CAMERA; otherwise -1 */
    int32_t state;                  /* lfr_camera_state at that moment */
    int64_t unix_us;                /* wall clock */
    char message[256];              /* as lfr_camera_status.message; the fault that ended a run; usually empty */
} lfr_event;

/* event is valid during the call. Called on one thread of the run, not that of on_alert; may call any function except lfr_run_stop
 * and lfr_run_destroy of its own run. Until it returns, later events wait, at most 256: further ones are left out. Since 0.2. */
typedef void (*lfr_on_event)(const lfr_event *event, void *user);

typedef struct lfr_run_options {
    uint32_t struct_size;
    int32_t worker_threads;         /* for all cameras of the run; 0: one per processor */
    float thresholds[5];            /* by lfr_category; 0: the embedder's measured one */
    int32_t detect_every_ms;        /* between two frames searched for faces; 0: 120; -1: every frame */
    int32_t grid_long_side;         /* of the detection grid, pixels; 0: the default */
    int32_t reserved;               /* 0 */
    lfr_on_alert on_alert;          /* NULL: alerts are fetched with lfr_run_next_alert */
    void *user;                     /* passed to on_alert */
    /* since 0.2 */
    lfr_on_event on_event;          /* NULL: events are fetched with lfr_run_next_event */
    void *event_user;               /* passed to on_event */
} lfr_run_options;

enum lfr_pace {
    LFR_PACE_AUTO = 0,              /* live sources as they arrive, dropping frames when the engine falls behind; recordings without drops, each frame waiting
                                     * until the engine has room, however long that is */
    LFR_PACE_REALTIME = 1,          /* recordings at their own speed, dropping frames like a camera */
    LFR_PACE_MAX = 2                /* without drops */
};

/* LFR_OPENING: no frame has come yet; a live source that cannot be opened stays so while it is tried again, with the reason in message.
 * LFR_RECONNECTING: frames came before, and the source was lost. */
enum lfr_camera_state { LFR_OPENING = 0, LFR_RUNNING = 1, LFR_RECONNECTING = 2, LFR_CAMERA_ENDED = 3, LFR_CAMERA_FAILED = 4 };

typedef struct lfr_camera_status {
    uint32_t struct_size;
    int32_t state;                  /* lfr_camera_state */
    int32_t is_complete;            /* 1: the source was read to its end, without what message says was skipped; 0: it failed, sent no frame, was cut off or was lost */
    int32_t width;
    int32_t height;
    int32_t reserved;
    int64_t frames_decoded;
    int64_t frames_dropped;
    int64_t frames_searched;
    int64_t tracklets;
    int64_t shots_compared;
    int64_t faces_seen;
    int64_t alerts;
    int64_t damaged_packets;
    int64_t reconnects;
    double lag_ms;                  /* newest frame: from arrival to the end of its analysis */
    char trace_sha256[65];          /* over every compared shot, once the camera has ended: equal for equal runs */
    char message[255];              /* the latest message for a person; contains no credentials, cut to fit */
} lfr_camera_status;

typedef struct lfr_run_summary {
    uint32_t struct_size;
    int32_t is_over;                /* the figures are complete */
    int32_t alerts_raised;          /* complete when over */
    int32_t alerts_joined;          /* passages that joined an alert shortly before */
    int64_t alerts_lost;            /* wiped because nobody fetched them before the run was stopped */
    int64_t frames_erased;
    int64_t crops_erased;
    int64_t embeddings_erased;
    int64_t deadline_breaches;      /* faces that outlived their verdict by more than deadline_ms */
    double deadline_ms;
    double frame_p99_ms;            /* life of a frame */
    double frame_max_ms;
    double embedding_max_ms;
    double after_verdict_max_ms;
    double elapsed_s;
    char run_id[32];
} lfr_run_summary;

/* Texts belong to the alert. */
typedef struct lfr_alert_info {
    uint32_t struct_size;
    int32_t category;               /* lfr_category */
    const char *id;
    const char *camera;
    const char *person_id;
    const char *person_name;
    const char *joined_alert_id;    /* NULL: an alert of its own */
    int64_t tracklet_id;
    int64_t first_seen_us;          /* these three: since the camera's first frame */
    int64_t best_shot_us;
    int64_t completed_us;
    int64_t captured_unix_us;       /* wall clock */
    int64_t raised_unix_us;
    float score;                    /* -1 to 1 */
    float threshold;
    lfr_box box;                    /* face in the best shot, frame pixels */
    float quality;                  /* 0 to 1 */
    int32_t cover;                  /* lfr_cover, added up */
    int32_t agreeing_shots;
    int32_t compared_shots;
    int32_t template_index;         /* for lfr_watchlist_get_photo */
    int32_t reserved;
} lfr_alert_info;

enum lfr_cover { LFR_COVER_NONE = 0, LFR_COVER_LOWER_FACE = 1, LFR_COVER_EYES = 2, LFR_COVER_BROW = 4 };

typedef struct lfr_face {
    lfr_box box;
    float score;                    /* 0 to 1 */
} lfr_face;

typedef struct lfr_quality {
    uint32_t struct_size;
    float score;                    /* 0 to 1, all in one */
    float inter_eye_pixels;
    float sharpness;
    float brightness;               /* 0 to 255 */
    float clipped;                  /* 0 to 1 */
    float yaw_degrees;
    float pitch_degrees;
    float roll_degrees;
    int32_t cover;                  /* lfr_cover, added up */
    lfr_box box;                    /* the face that was used */
} lfr_quality;

typedef struct lfr_candidate {
    int32_t person_index;
    int32_t template_index;
    float score;
} lfr_candidate;

/* Two people of a list who look alike, and the photo of each that is most alike. Since 0.2. */
typedef struct lfr_lookalike {
    int32_t person_index[2];
    int32_t template_index[2];
    float score;
} lfr_lookalike;

/* Since 0.2. */
enum lfr_role {
    LFR_ROLE_LIST = 0,              /* of a photo of somebody on a list: the picture as it is */
    LFR_ROLE_PROBE = 1              /* of somebody seen: a covered brow is blanked, as in a run, and compared with photos blanked alike */
};

/* The load of a run. A member that is 0 stands for the value in brackets. Since 0.2. */
typedef struct lfr_load {
    uint32_t struct_size;
    int32_t cameras;                /* (1) */
    int32_t width;                  /* of their frames, pixels (1920) */
    int32_t height;                 /* (1080) */
    int32_t worker_threads;         /* lfr_run_options.worker_threads (one per processor of this machine: give a number when you ask for another) */
    int32_t grid_long_side;         /* lfr_run_options.grid_long_side (the default) */
    int32_t photos;                 /* of the watchlist (1000); of both lists, if one replaces another during the run */
    int32_t reserved;               /* 0 */
    int32_t reference_frames;       /* that the decoder keeps to predict others, 1 to 16: max_num_ref_frames of H.264 (4) */
    int32_t photo_width;            /* with photo_height: of the largest picture that a builder or a single call is given in the same process; */
    int32_t photo_height;           /* both or neither; 0: there is none (0). What these two add is what enrolment needs, also while a run goes on */
    int32_t reserved2;              /* 0 */
} lfr_load;

/* What a laboratory has measured, for one threshold and size of list: see docs/lab-json.md. Bounds are those of the 95 % interval. Since 0.2. */
typedef struct lfr_evidence {
    uint32_t struct_size;
    int32_t gallery_size;           /* people enrolled where it was measured; the nearest to those asked for */
    double fpir;                    /* share of attempts of people who were not enrolled that raised a false alert */
    double fpir_low, fpir_high;
    double tpir;                    /* share of attempts of people who were enrolled that found them */
    double tpir_low, tpir_high;
    int64_t false_positives;        /* of non_mated */
    int64_t non_mated;
    int64_t true_positives;         /* of mated */
    int64_t mated;
    int64_t expected_low;           /* false alerts to expect among passers_by, on a list of people */
    int64_t expected_high;
    double expected_mean;
    int64_t made_unix_us;
    int32_t is_calibrated;          /* 1: likelihood ratios for a list of this size come with it */
    char protocol[20];              /* "identify", "calibrate": an attempt is a search with one picture; "passages": a person who walks past */
} lfr_evidence;

typedef struct lfr_memory {
    uint32_t struct_size;
    int32_t reserved;
    int64_t locked_bytes;           /* pages for faces, frames and networks, locked into memory */
    int64_t unlocked_bytes;         /* pages of the same kind that the system refused to lock: raise the limit (ulimit -l) */
    int64_t lock_limit_bytes;       /* -1: none */
    int64_t blocks_outstanding;     /* rented now */
    int64_t blocks_wiped;
    int64_t bytes_wiped;
    /* since 0.2 */
    int64_t held_bytes;             /* locked_bytes and unlocked_bytes: what max_memory_bytes limits */
    int64_t peak_bytes;             /* the highest value of held_bytes so far; above max_memory_bytes where a network passed it and its call failed */
    int64_t max_memory_bytes;       /* the limit now in force; 0: none */
} lfr_memory;

/* ---- Library --------------------------------------------------------------------------------------------------------- */

struct lfr_api;

/* All functions in one table; NULL when the version is not known. Lives as long as the process. */
LFR_API const struct lfr_api *lfr_get_api(uint32_t version);

/* "0.2.0". Lives as long as the process. */
LFR_API const char *lfr_version(void);

/* The newest error of the calling thread; empty when there was none. A call that succeeds leaves it as it is. The text is valid until the thread's next
 * call: copy it. Never NULL. */
LFR_API const char *lfr_last_error(void);

/* "LFR_BAD_HANDLE" and so on; "unknown" for a number that is not a status. Lives as long as the process. */
LFR_API const char *lfr_status_name(int32_t status);

/* Handles now open, of one lfr_handle_kind or of all. For leak tests. */
LFR_API int32_t lfr_open_handles(int32_t kind, int64_t *count);

/* Memory for faces and networks, of all engines in the process. */
LFR_API int32_t lfr_memory_report(lfr_memory *memory);

/* An upper bound of lfr_memory.held_bytes, networks included: for max_memory_bytes and for the limit of locked memory. Code and language runtime
 * take another 100 to 150 MiB. load may be NULL: all values in brackets. docs/embedding.md says how it was measured. With
 * fewer processors than worker_threads less is needed. Since 0.2. */
LFR_API int32_t lfr_memory_estimate(const lfr_load *load, int64_t *held_bytes);

/* ---- Engine ---------------------------------------------------------------------------------------------------------- */

/* Loads and checks the networks: a second or two. Several engines may exist. */
LFR_API int32_t lfr_engine_create(const lfr_engine_options *options, lfr_engine **engine);
LFR_API int32_t lfr_engine_get_info(lfr_engine *engine, lfr_engine_info *info);
LFR_API int32_t lfr_engine_destroy(lfr_engine *engine);

/* ---- Watchlists ------------------------------------------------------------------------------------------------------ */

/* Begins an empty watchlist. version: your name for this version of the list, 1 to 128 characters. */
LFR_API int32_t lfr_builder_create(lfr_engine *engine, const char *version, lfr_builder **builder);

/* index receives the person's place in the list; may be NULL. */
LFR_API int32_t lfr_builder_add_person(lfr_builder *builder, const lfr_person *person, int32_t *index);

/* Removes a person who has no photo and no template, for example because every photo was rejected: the list could not be built. Those added later move
 * up by one place. LFR_BAD_STATE when the person has one. Since 0.2. */
LFR_API int32_t lfr_builder_remove_person(lfr_builder *builder, int32_t index);

/* Judges a photo and adds it unless it is rejected. Returns LFR_OK whatever the verdict, which is in result. bytes: a picture file,
 * at most 64 MiB. It is decoded in this process: enrol photos from untrusted sources with `lfr enrol`, which decodes in a process without rights. */
LFR_API int32_t lfr_builder_add_photo(lfr_builder *builder, int32_t index, const uint8_t *bytes, int64_t size_bytes, lfr_photo_result *result);

/* The same with a file. */
LFR_API int32_t lfr_builder_add_photo_file(lfr_builder *builder, int32_t index, const char *path, lfr_photo_result *result);

/* Adds a template, made with LFR_ROLE_LIST, instead of a photo: for people enrolled elsewhere. quality: lfr_quality.score, 0 to 1. No picture is kept, and no
 * covers are drawn over it: partly covered faces are found less often than with photos. Since 0.2. */
LFR_API int32_t lfr_builder_add_template(lfr_builder *builder, int32_t index, lfr_template *face, float quality);

/* Makes the watchlist. After this call the builder can only be destroyed, also when the call fails with LFR_BAD_CONTENT because
 * somebody has no photo: remove such a person first (lfr_builder_remove_person). */
LFR_API int32_t lfr_builder_build(lfr_builder *builder, lfr_watchlist **watchlist);
LFR_API int32_t lfr_builder_destroy(lfr_builder *builder);

/* Opens an encrypted watchlist file from `lfr enrol` or lfr_watchlist_save. */
LFR_API int32_t lfr_watchlist_load(lfr_engine *engine, const char *path, const lfr_key *key, lfr_watchlist **watchlist);

/* Writes it encrypted, readable only by the file's owner. The file is replaced completely or not at all. */
LFR_API int32_t lfr_watchlist_save(lfr_watchlist *watchlist, const char *path, const lfr_key *key);
LFR_API int32_t lfr_watchlist_get_info(lfr_watchlist *watchlist, lfr_watchlist_info *info);
LFR_API int32_t lfr_watchlist_get_person(lfr_watchlist *watchlist, int32_t person_index, lfr_person_info *info);

/* The picture of a person sought, a JPEG. size_bytes receives its size, also with LFR_BUFFER_TOO_SMALL; 0: none was kept.
 * buffer may be NULL with a capacity of 0. The copy is the caller's to wipe. */
LFR_API int32_t lfr_watchlist_get_photo(lfr_watchlist *watchlist, int32_t template_index, uint8_t *buffer, int64_t capacity, int64_t *size_bytes);

/* Pairs of people whose photos reach the threshold: the same person twice, or two who look alike. Each pair once, in the order of the first, then
 * the second person. count receives how many there are; at most capacity are written. pairs may be NULL with capacity 0. Compares everybody with
 * everybody: seconds for 20,000 photos. Since 0.2. */
LFR_API int32_t lfr_watchlist_lookalikes(lfr_watchlist *watchlist, float threshold, lfr_lookalike *pairs, int32_t capacity, int32_t *count);

/* Wiped now, or when the last run that uses it is destroyed or has switched to another watchlist. */
LFR_API int32_t lfr_watchlist_destroy(lfr_watchlist *watchlist);

/* ---- Runs ------------------------------------------------------------------------------------------------------------ */

/* options may be NULL. Add cameras, then start. */
LFR_API int32_t lfr_run_create(lfr_engine *engine, lfr_watchlist *watchlist, const lfr_run_options *options, lfr_run **run);

/* A camera that the library opens: a file, a folder of pictures, /dev/videoN, or an rtsp, rtp, udp, srt, http or rtmp address.
 * Opened when the run starts; what happens to it is in lfr_run_get_camera. Before lfr_run_start. */
LFR_API int32_t lfr_run_add_source(lfr_run *run, const char *name, const char *address, int32_t pace);

/* A camera whose frames the caller pushes. Before lfr_run_start. LFR_PACE_AUTO: of three frames that wait for each such camera on average, the newest
 * replaces the oldest, of the camera with the most; LFR_PACE_MAX: lfr_camera_push waits until there is room. LFR_PACE_REALTIME is refused. */
LFR_API int32_t lfr_run_add_camera(lfr_run *run, const char *name, int32_t pace, lfr_camera **camera);

/* Starts the threads of the run and returns. */
LFR_API int32_t lfr_run_start(lfr_run *run);

/* The next alert, which the caller destroys. Waits timeout_ms; -1: without limit, which gives LFR_BAD_STATE before lfr_run_start. LFR_TIMED_OUT: none
 * came. LFR_ENDED: all cameras have ended or the run was stopped, and every alert was fetched. LFR_RUN_FAILED or LFR_OUT_OF_MEMORY: a fault or a lack of
 * memory ended the run. A network source that cannot be opened is tried again for ever, and the wait goes on: lfr_run_stop or lfr_run_destroy on another
 * thread ends it, with LFR_ENDED. At most 256 alerts wait: fetch them. */
LFR_API int32_t lfr_run_next_alert(lfr_run *run, int32_t timeout_ms, lfr_alert **alert);

/* Searches another watchlist of the same embedder from now on, also before the run has started. People in view are compared again, with the new one;
 * scores from the old one no longer count. Alerts already raised, and one that is being decided, belong to the old one, and so does their
 * template_index. Since 0.2. */
LFR_API int32_t lfr_run_swap_watchlist(lfr_run *run, lfr_watchlist *watchlist);

/* The next event; event->struct_size is set by the caller. Waits as lfr_run_next_alert does. LFR_TIMED_OUT: none came. LFR_ENDED: the run is over and
 * every event was fetched. The newest 256 are kept: fetch them or ignore them. Since 0.2. */
LFR_API int32_t lfr_run_next_event(lfr_run *run, int32_t timeout_ms, lfr_event *event);

/* The erasure receipt of a run that is over: what was erased, how fast, by which library and networks. Signed JSON, as `lfr receipt verify` reads it
 * with the public half of the key. private_key: ECDSA on P-256, PEM (openssl ecparam -name prime256v1 -genkey). As lfr_watchlist_get_photo.
 * Since 0.2. */
LFR_API int32_t lfr_run_get_receipt(lfr_run *run, const char *private_key, uint8_t *buffer, int64_t capacity, int64_t *size_bytes);

/* Cameras are numbered from 0 in the order in which they were added. */
LFR_API int32_t lfr_run_get_camera(lfr_run *run, int32_t camera_index, lfr_camera_status *status);
LFR_API int32_t lfr_run_get_summary(lfr_run *run, lfr_run_summary *summary);

/* Ends the run and waits for its threads and for a callback under way. LFR_BAD_STATE inside on_log and on_release, and inside its own on_alert and on_event. Every
 * frame, crop and embedding is wiped when it returns; alerts not yet fetched stay. */
LFR_API int32_t lfr_run_stop(lfr_run *run);

/* Stops the run as lfr_run_stop does, wipes the alerts that nobody fetched, and releases the run. No callback comes after it returns. */
LFR_API int32_t lfr_run_destroy(lfr_run *run);

/* Copies a frame into locked memory. time_us: its time in the stream, microseconds from 0; it should increase: the
 * library counts from the first frame and bridges what jumps. Waits up to timeout_ms for room; -1:
 * without limit, which gives LFR_BAD_STATE when there is no room before lfr_run_start. Until the run has started and its networks
 * are ready, two frames have room, also with LFR_PACE_AUTO: after that AUTO does not wait. LFR_TIMED_OUT: the frame was not taken,
 * and is not counted as dropped. LFR_ENDED: the camera or the run has ended. */
LFR_API int32_t lfr_camera_push(lfr_camera *camera, const lfr_image *frame, int64_t time_us, int32_t timeout_ms);

/* The library is done with a frame of lfr_camera_push_borrowed: wipe it. Called once, on any thread, before lfr_run_stop returns. May call
 * lfr_camera_push and lfr_camera_push_borrowed with a timeout of 0, and nothing else: lfr_run_stop, lfr_run_destroy and waits without limit give
 * LFR_BAD_STATE. Since 0.2. */
typedef void (*lfr_on_release)(void *frame_user);

/* As lfr_camera_push, without a copy: the caller keeps the planes and must not change them before on_release. RGB and BGR are converted, and released before this
 * returns. on_release is not called when this returns anything but LFR_OK. Up to a dozen frames of a camera are borrowed at a time. Since 0.2. */
LFR_API int32_t lfr_camera_push_borrowed(lfr_camera *camera, const lfr_image *frame, int64_t time_us, int32_t timeout_ms, lfr_on_release on_release, void *frame_user);

/* No more frames will come: the camera ends when those pushed have been analysed. */
LFR_API int32_t lfr_camera_end(lfr_camera *camera);

/* Ends the camera too. */
LFR_API int32_t lfr_camera_destroy(lfr_camera *camera);

/* ---- Alerts ---------------------------------------------------------------------------------------------------------- */

LFR_API int32_t lfr_alert_get_info(lfr_alert *alert, lfr_alert_info *info);

/* The face as seen, pixelated around the head, a JPEG. As lfr_watchlist_get_photo. */
LFR_API int32_t lfr_alert_get_photo(lfr_alert *alert, uint8_t *buffer, int64_t capacity, int64_t *size_bytes);

/* The same picture as pixels: format is LFR_BGR or LFR_RGB, rows without a gap. width and height receive its size, also with LFR_BUFFER_TOO_SMALL, when
 * capacity is less than 3 * width * height. The copy is the caller's to wipe. Since 0.2. */
LFR_API int32_t lfr_alert_get_pixels(lfr_alert *alert, int32_t format, uint8_t *buffer, int64_t capacity, int32_t *width, int32_t *height);

/* Wipes the picture. */
LFR_API int32_t lfr_alert_destroy(lfr_alert *alert);

/* ---- Single calls. Those of one engine take turns ---------------------------------------------------------------------- */

/* Finds faces, largest first. count receives how many there are; at most capacity are written. faces may be NULL with capacity 0. */
LFR_API int32_t lfr_detect(lfr_engine *engine, const lfr_image *image, lfr_face *faces, int32_t capacity, int32_t *count);

/* The template of a face. box: about where it is, from lfr_detect; NULL: the largest. quality may be NULL. LFR_NO_FACE when there is none. */
LFR_API int32_t lfr_template_create(lfr_engine *engine, const lfr_image *image, const lfr_box *box, lfr_quality *quality, lfr_template **face);

/* The same for a role: lfr_template_create makes those of LFR_ROLE_LIST. A search takes either: only a probe's covered brow is compared with photos
 * blanked alike. Since 0.2. */
LFR_API int32_t lfr_template_create_as(lfr_engine *engine, const lfr_image *image, const lfr_box *box, int32_t role, lfr_quality *quality, lfr_template **face);

/* Cosine of two templates of the same embedder, -1 to 1. */
LFR_API int32_t lfr_template_compare(lfr_template *a, lfr_template *b, float *score);

/* Bytes bound to the embedder's hash, with a checksum, not encrypted: keep them as you keep faces. As lfr_watchlist_get_photo. */
LFR_API int32_t lfr_template_export(lfr_template *face, uint8_t *buffer, int64_t capacity, int64_t *size_bytes);

/* LFR_FOREIGN_MODEL when another embedder made it. */
LFR_API int32_t lfr_template_import(lfr_engine *engine, const uint8_t *bytes, int64_t size_bytes, lfr_template **face);
LFR_API int32_t lfr_template_destroy(lfr_template *face);

/* The people on the list who are most like the face, best first, each once: those with a score of threshold or more. count receives how many
 * were written, at most capacity. */
LFR_API int32_t lfr_search(lfr_watchlist *watchlist, lfr_template *face, float threshold, lfr_candidate *candidates, int32_t capacity, int32_t *count);

/* ---- Evidence ------------------------------------------------------------------------------------------------------------ */

/* Checks a laboratory's evidence file (`lfr-lab identify --evidence`, `passages`, `calibrate`): that it was signed with this key, that it was measured with all
 * networks of the engine, and that it covers the threshold (0: the embedder's measured one) on a list of so many people. Then evidence
 * is filled. public_key: of the laboratory's installation, PEM (`lfr receipt key`). passers_by: people not on the list who are expected to pass,
 * for the number of false alerts; may be 0. LFR_NOT_EVIDENCE, LFR_NOT_TRUSTED, LFR_FOREIGN_MODEL or LFR_NOT_MEASURED: what failed. The file holds no
 * faces. Since 0.2. */
LFR_API int32_t lfr_evidence_check(lfr_engine *engine, const uint8_t *bytes, int64_t size_bytes, const char *public_key, float threshold, int32_t people,
                                   int64_t passers_by, lfr_evidence *evidence);

/* ---- All functions as a table ------------------------------------------------------------------------------------------ */

typedef struct lfr_api {
    uint32_t struct_size;
    uint32_t version;
    const char *(*version_text)(void);
    const char *(*last_error)(void);
    const char *(*status_name)(int32_t);
    int32_t (*open_handles)(int32_t, int64_t *);
    int32_t (*memory_report)(lfr_memory *);
    int32_t (*engine_create)(const lfr_engine_options *, lfr_engine **);
    int32_t (*engine_get_info)(lfr_engine *, lfr_engine_info *);
    int32_t (*engine_destroy)(lfr_engine *);
    int32_t (*builder_create)(lfr_engine *, const char *, lfr_builder **);
    int32_t (*builder_add_person)(lfr_builder *, const lfr_person *, int32_t *);
    int32_t (*builder_add_photo)(lfr_builder *, int32_t, const uint8_t *, int64_t, lfr_photo_result *);
    int32_t (*builder_add_photo_file)(lfr_builder *, int32_t, const char *, lfr_photo_result *);
    int32_t (*builder_build)(lfr_builder *, lfr_watchlist **);
    int32_t (*builder_destroy)(lfr_builder *);
    int32_t (*watchlist_load)(lfr_engine *, const char *, const lfr_key *, lfr_watchlist **);
    int32_t (*watchlist_save)(lfr_watchlist *, const char *, const lfr_key *);
    int32_t (*watchlist_get_info)(lfr_watchlist *, lfr_watchlist_info *);
    int32_t (*watchlist_get_person)(lfr_watchlist *, int32_t, lfr_person_info *);
    int32_t (*watchlist_get_photo)(lfr_watchlist *, int32_t, uint8_t *, int64_t, int64_t *);
    int32_t (*watchlist_destroy)(lfr_watchlist *);
    int32_t (*run_create)(lfr_engine *, lfr_watchlist *, const lfr_run_options *, lfr_run **);
    int32_t (*run_add_source)(lfr_run *, const char *, const char *, int32_t);
    int32_t (*run_add_camera)(lfr_run *, const char *, int32_t, lfr_camera **);
    int32_t (*run_start)(lfr_run *);
    int32_t (*run_next_alert)(lfr_run *, int32_t, lfr_alert **);
    int32_t (*run_get_camera)(lfr_run *, int32_t, lfr_camera_status *);
    int32_t (*run_get_summary)(lfr_run *, lfr_run_summary *);
    int32_t (*run_stop)(lfr_run *);
    int32_t (*run_destroy)(lfr_run *);
    int32_t (*camera_push)(lfr_camera *, const lfr_image *, int64_t, int32_t);
    int32_t (*camera_end)(lfr_camera *);
    int32_t (*camera_destroy)(lfr_camera *);
    int32_t (*alert_get_info)(lfr_alert *, lfr_alert_info *);
    int32_t (*alert_get_photo)(lfr_alert *, uint8_t *, int64_t, int64_t *);
    int32_t (*alert_destroy)(lfr_alert *);
    int32_t (*detect)(lfr_engine *, const lfr_image *, lfr_face *, int32_t, int32_t *);
    int32_t (*template_create)(lfr_engine *, const lfr_image *, const lfr_box *, lfr_quality *, lfr_template **);
    int32_t (*template_compare)(lfr_template *, lfr_template *, float *);
    int32_t (*template_export)(lfr_template *, uint8_t *, int64_t, int64_t *);
    int32_t (*template_import)(lfr_engine *, const uint8_t *, int64_t, lfr_template **);
    int32_t (*template_destroy)(lfr_template *);
    int32_t (*search)(lfr_watchlist *, lfr_template *, float, lfr_candidate *, int32_t, int32_t *);
    /* since 0.2: present if struct_size includes them */
    int32_t (*memory_estimate)(const lfr_load *, int64_t *);
    int32_t (*watchlist_lookalikes)(lfr_watchlist *, float, lfr_lookalike *, int32_t, int32_t *);
    int32_t (*run_swap_watchlist)(lfr_run *, lfr_watchlist *);
    int32_t (*run_next_event)(lfr_run *, int32_t, lfr_event *);
    int32_t (*run_get_receipt)(lfr_run *, const char *, uint8_t *, int64_t, int64_t *);
    int32_t (*camera_push_borrowed)(lfr_camera *, const lfr_image *, int64_t, int32_t, lfr_on_release, void *);
    int32_t (*alert_get_pixels)(lfr_alert *, int32_t, uint8_t *, int64_t, int32_t *, int32_t *);
    int32_t (*template_create_as)(lfr_engine *, const lfr_image *, const lfr_box *, int32_t, lfr_quality *, lfr_template **);
    int32_t (*builder_add_template)(lfr_builder *, int32_t, lfr_template *, float);
    int32_t (*evidence_check)(lfr_engine *, const uint8_t *, int64_t, const char *, float, int32_t, int64_t, lfr_evidence *);
    int32_t (*builder_remove_person)(lfr_builder *, int32_t);
} lfr_api;

#ifdef __cplusplus
}
#endif

#endif
