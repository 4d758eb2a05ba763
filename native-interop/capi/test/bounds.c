/*
 * Too little of everything: memory limits far below lfr_memory_estimate, small stacks, waits that could have no end, callbacks that may not wait.
 * What must hold: every call answers, the process lives, and nothing is left.
 * Usage: bounds MODELS WEIGHTS PHOTO VIDEO SCRATCH
 * PHOTO shows somebody who walks through VIDEO; SCRATCH is a folder.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* What docs/embedding.md promises; and less, so that there is some to spare. */
enum { smallest_stack_kib = 256, spare_stack_kib = 192 };

static const char *models, *weights, *photo_path, *video, *list_path;
static uint8_t *photo;
static int64_t photo_size;
static const lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_BYTES, .data = "0123456789abcdef0123456789abcdef", .size_bytes = 32 };

static lfr_engine_options folders(int64_t limit)
{
    return (lfr_engine_options){ .struct_size = sizeof(lfr_engine_options), .models_folder = models, .weights_folder = weights, .max_memory_bytes = limit };
}

static lfr_image photo_image(void)
{
    return (lfr_image){ .struct_size = sizeof(lfr_image), .format = LFR_FILE, .plane = { photo, NULL, NULL }, .size_bytes = photo_size };
}

static lfr_memory report(void)
{
    lfr_memory memory = { .struct_size = sizeof memory };
    GIVES(lfr_memory_report(&memory), LFR_OK);
    return memory;
}

/* LFR_OK, or LFR_OUT_OF_MEMORY with numbers. */
static int done(int32_t status)
{
    CHECK(status == LFR_OK || status == LFR_OUT_OF_MEMORY);
    CHECK(status == LFR_OK || (strstr(lfr_last_error(), "limit") && strpbrk(lfr_last_error(), "0123456789")));
    return status == LFR_OK;
}

/* Everything that takes memory, under a limit. Gives how many of the steps had enough. */
static int under(int64_t limit)
{
    lfr_engine_options options = folders(limit);
    lfr_engine *engine;
    lfr_image image = photo_image();
    int enough = 0;
    if (done(lfr_engine_create(&options, &engine))) {
        int32_t faces = 0;
        lfr_template *face = NULL;
        lfr_builder *builder;
        lfr_watchlist *watchlist;
        enough++;
        enough += done(lfr_detect(engine, &image, NULL, 0, &faces));
        if (done(lfr_template_create(engine, &image, NULL, NULL, &face))) {
            enough++;
            GIVES(lfr_template_destroy(face), LFR_OK);
        }
        if (done(lfr_builder_create(engine, "1", &builder))) {
            lfr_person person = { .struct_size = sizeof person, .id = "a", .name = "A" };
            lfr_photo_result result = { .struct_size = sizeof result };
            GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
            enough += done(lfr_builder_add_photo(builder, 0, photo, photo_size, &result));
            GIVES(lfr_builder_destroy(builder), LFR_OK);
        }
        if (done(lfr_watchlist_load(engine, list_path, &key, &watchlist))) {
            lfr_run_options run_options = { .struct_size = sizeof run_options, .worker_threads = 1 };
            lfr_run *run;
            lfr_alert *alert;
            int32_t status;
            lfr_camera_status camera = { .struct_size = sizeof camera };
            GIVES(lfr_run_create(engine, watchlist, &run_options, &run), LFR_OK);
            GIVES(lfr_run_add_source(run, "gate", video, LFR_PACE_MAX), LFR_OK);
            GIVES(lfr_run_start(run), LFR_OK);
            while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK)
                GIVES(lfr_alert_destroy(alert), LFR_OK);
            GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
            /* The run did not begin, or its camera failed: for want of memory, not as a damaged file. */
            if (status == LFR_ENDED)
                CHECK(camera.state == LFR_CAMERA_ENDED ? camera.is_complete == 1 : strstr(camera.message, "limit") != NULL);
            else
                CHECK(!done(status) && camera.state == LFR_CAMERA_FAILED && strstr(camera.message, "limit") && strstr(lfr_last_error(), camera.message));
            CHECK(camera.damaged_packets == 0);
            enough += status == LFR_ENDED && camera.is_complete == 1;
            GIVES(lfr_run_destroy(run), LFR_OK);
            GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
        }
        GIVES(lfr_engine_destroy(engine), LFR_OK);
    } else {
        CHECK(engine == NULL);
    }
    CHECK(open_handles(LFR_HANDLE_ANY) == 0);
    CHECK(report().blocks_outstanding == 0 && report().max_memory_bytes == 0);
    return enough;
}

static void test_limits(void)
{
    static const int64_t mib[] = { 1, 5, 10, 12, 20, 30, 50, 85 };
    lfr_load load = { .struct_size = sizeof load, .width = 1280, .height = 720, .worker_threads = 1, .photos = 1, .photo_width = 460, .photo_height = 580 };
    int64_t estimate;
    GIVES(lfr_memory_estimate(&load, &estimate), LFR_OK);
    CHECK(under(1 << 12) == 0);
    for (size_t i = 0; i < sizeof mib / sizeof *mib; i++)
        under(mib[i] << 20);
    under(estimate - (1 << 20));
    CHECK(under(estimate) == 5);
}

/* ---- a system that gives no more memory ---- */

/* In a process of its own: from now on it may map so many more bytes. What has begun must answer; ONNX Runtime would end the process if it were refused. */
static int refused(int step, long mib)
{
    lfr_engine_options options = folders(0);
    lfr_engine *engine;
    lfr_builder *builder;
    lfr_image image = photo_image();
    lfr_template *face = NULL;
    lfr_person person = { .struct_size = sizeof person, .id = "a", .name = "A" };
    lfr_photo_result result = { .struct_size = sizeof result };
    long pages = 0;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1 && fclose(file) == 0);
    struct rlimit former, limit;
    getrlimit(RLIMIT_AS, &former);
    limit = former;
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)mib << 20);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    int32_t status = step == 0 ? lfr_template_create(engine, &image, NULL, NULL, &face) : lfr_builder_add_photo(builder, 0, photo, photo_size, &result);
    CHECK(status == LFR_OK || (status == LFR_OUT_OF_MEMORY && strpbrk(lfr_last_error(), "0123456789")));
    CHECK((status == LFR_OK) == (step == 0 ? face != NULL : result.verdict == LFR_ACCEPTED && result.quality > 0));
    if (face)
        GIVES(lfr_template_destroy(face), LFR_OK);
    /* The same works as soon as there is memory again. */
    setrlimit(RLIMIT_AS, &former);
    if (step == 0) {
        GIVES(lfr_template_create(engine, &image, NULL, NULL, &face), LFR_OK);
        GIVES(lfr_template_destroy(face), LFR_OK);
    } else {
        GIVES(lfr_builder_add_photo(builder, 0, photo, photo_size, &result), LFR_OK);
    }
    GIVES(lfr_builder_destroy(builder), LFR_OK);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0 && report().blocks_outstanding == 0);
    return failures ? 1 : status == LFR_OK ? 0 : 3;
}

static void test_refused(char **argv)
{
#if defined(__SANITIZE_ADDRESS__)
    /* Its own memory would be refused. */
    (void)argv;
#else
    static const long mib[] = { 4, 16, 32 };
    int refusals = 0;
    for (int step = 0; step < 2; step++) {
        for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) {
            char steps[8], mibs[8];
            int status = -1;
            snprintf(steps, sizeof steps, "%d", step);
            snprintf(mibs, sizeof mibs, "%ld", mib[i]);
            pid_t child = fork();
            if (child == 0) {
                execl("/proc/self/exe", argv[0], argv[1], argv[2], argv[3], argv[4], argv[5], steps, mibs, (char *)NULL);
                _exit(126);
            }
            CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3));
            refusals += WIFEXITED(status) && WEXITSTATUS(status) == 3;
        }
    }
    CHECK(refusals >= 4);
#endif
}

/* ---- stacks ---- */

typedef struct calls {
    lfr_engine *engine;
    int with_run;
} calls;

static void *all_calls(void *argument)
{
    calls *made = argument;
    lfr_engine_options options = folders(0);
    lfr_engine *engine;
    lfr_image image = photo_image();
    lfr_face faces[8];
    int32_t count = 0;
    lfr_template *face = NULL;
    lfr_builder *builder;
    lfr_watchlist *watchlist = NULL;
    lfr_person person = { .struct_size = sizeof person, .id = "person-1", .name = "A" };
    lfr_photo_result result = { .struct_size = sizeof result };
    lfr_candidate candidate;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    GIVES(lfr_detect(engine, &image, faces, 8, &count), LFR_OK);
    CHECK(count >= 1);
    GIVES(lfr_template_create_as(engine, &image, NULL, LFR_ROLE_PROBE, NULL, &face), LFR_OK);
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
    GIVES(lfr_builder_add_photo_file(builder, 0, photo_path, &result), LFR_OK);
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    GIVES(lfr_search(watchlist, face, 0.3f, &candidate, 1, &count), LFR_OK);
    CHECK(count == 1);
    GIVES(lfr_watchlist_save(watchlist, list_path, &key), LFR_OK);
    if (made->with_run) {
        lfr_run *run;
        lfr_alert *alert;
        int32_t status;
        GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
        GIVES(lfr_run_add_source(run, "gate", video, LFR_PACE_MAX), LFR_OK);
        GIVES(lfr_run_start(run), LFR_OK);
        uint8_t *jpeg = malloc(1 << 20);
        int64_t size;
        int alerts = 0;
        while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK) {
            alerts++;
            GIVES(lfr_alert_get_photo(alert, jpeg, 1 << 20, &size), LFR_OK);
            GIVES(lfr_alert_destroy(alert), LFR_OK);
        }
        CHECK(status == LFR_ENDED && alerts >= 1);
        free(jpeg);
        GIVES(lfr_run_destroy(run), LFR_OK);
    }
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_builder_destroy(builder), LFR_OK);
    GIVES(lfr_template_destroy(face), LFR_OK);
    made->engine = engine;
    return NULL;
}

/* Leaves the watchlist in its file; the engine goes on another thread. */
static void test_stack(size_t kib, int with_run)
{
    pthread_attr_t attributes;
    pthread_t thread;
    calls made = { NULL, with_run };
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, kib << 10) == 0);
    CHECK(pthread_create(&thread, &attributes, all_calls, &made) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    GIVES(lfr_engine_destroy(made.engine), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0);
}

/* ---- waits and callbacks ---- */

typedef struct told {
    lfr_run *_Atomic run;
    _Atomic int logged, released;
} told;

/* Inside a callback that any run may be waiting for. */
static void must_not_wait(lfr_run *run, const char *name)
{
    lfr_alert *alert;
    lfr_event event = { .struct_size = sizeof event };
    REFUSES(lfr_run_stop(run), LFR_BAD_STATE, name);
    REFUSES(lfr_run_destroy(run), LFR_BAD_STATE, name);
    REFUSES(lfr_run_next_alert(run, -1, &alert), LFR_BAD_STATE, name);
    REFUSES(lfr_run_next_event(run, -1, &event), LFR_BAD_STATE, name);
}

static void on_log(int32_t level, const char *text, void *user)
{
    told *what = user;
    (void)level;
    (void)text;
    if (what->run == NULL)
        return;
    what->logged++;
    must_not_wait(what->run, "on_log");
}

static void on_release(void *user)
{
    told *what = user;
    what->released++;
    must_not_wait(what->run, "on_release");
}

static void test_callbacks(lfr_watchlist *watchlist)
{
    static uint8_t grey[64 * 64];
    lfr_image frame = { .struct_size = sizeof frame, .format = LFR_GREY, .width = 64, .height = 64, .plane = { grey, NULL, NULL }, .row_stride = { 64, 0, 0 } };
    told what = { .logged = 0 };
    lfr_engine_options options = folders(0);
    lfr_engine *engine;
    lfr_camera *camera;
    lfr_run *run;
    options.on_log = on_log;
    options.log_user = &what;
    options.log_level = LFR_LOG_INFO;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    what.run = run;
    GIVES(lfr_run_add_camera(run, "gate", LFR_PACE_MAX, &camera), LFR_OK);
    /* On this thread. */
    GIVES(lfr_run_swap_watchlist(run, watchlist), LFR_OK);
    CHECK(what.logged == 1);
    GIVES(lfr_run_start(run), LFR_OK);
    for (int i = 0; i < 5; i++)
        GIVES(lfr_camera_push_borrowed(camera, &frame, i * 40000, -1, on_release, &what), LFR_OK);
    GIVES(lfr_camera_end(camera), LFR_OK);
    /* On those of the run; outside a callback it is allowed again. */
    lfr_alert *alert;
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_ENDED);
    GIVES(lfr_run_stop(run), LFR_OK);
    CHECK(what.released == 5 && what.logged >= 3);
    /* Never started: it is this thread that says that the run is over. */
    int before = what.logged;
    lfr_run *idle;
    GIVES(lfr_run_create(engine, watchlist, NULL, &idle), LFR_OK);
    GIVES(lfr_run_stop(idle), LFR_OK);
    CHECK(what.logged == before + 1);
    GIVES(lfr_run_destroy(idle), LFR_OK);
    what.run = NULL;
    GIVES(lfr_run_destroy(run), LFR_OK);
    GIVES(lfr_camera_destroy(camera), LFR_OK);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
}

static void *wait_for_alert(void *run)
{
    lfr_alert *alert;
    return (void *)(intptr_t)lfr_run_next_alert(run, -1, &alert);
}

static void test_waits(lfr_engine *engine, lfr_watchlist *watchlist)
{
    static uint8_t grey[64 * 64];
    lfr_image frame = { .struct_size = sizeof frame, .format = LFR_GREY, .width = 64, .height = 64, .plane = { grey, NULL, NULL }, .row_stride = { 64, 0, 0 } };
    lfr_alert *alert;
    lfr_event event = { .struct_size = sizeof event };
    lfr_run *run;
    lfr_camera *camera;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_camera(run, "gate", LFR_PACE_MAX, &camera), LFR_OK);
    REFUSES(lfr_run_next_alert(run, -1, &alert), LFR_BAD_STATE, "lfr_run_start");
    REFUSES(lfr_run_next_event(run, -1, &event), LFR_BAD_STATE, "lfr_run_start");
    GIVES(lfr_camera_push(camera, &frame, 0, -1), LFR_OK);
    GIVES(lfr_camera_push(camera, &frame, 1, -1), LFR_OK);
    REFUSES(lfr_camera_push(camera, &frame, 2, -1), LFR_BAD_STATE, "lfr_run_start");
    GIVES(lfr_run_stop(run), LFR_OK);
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_ENDED);
    GIVES(lfr_run_destroy(run), LFR_OK);
    GIVES(lfr_camera_destroy(camera), LFR_OK);
    /* A source that never opens: the wait ends when another thread stops the run. Nothing listens at this port. */
    pthread_t waiting;
    void *status = NULL;
    lfr_camera_status opening = { .struct_size = sizeof opening };
    const struct timespec pause = { 0, 5000000 };
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "gate", "rtsp://127.0.0.1:1/live", LFR_PACE_AUTO), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    pthread_create(&waiting, NULL, wait_for_alert, run);
    while (opening.reconnects == 0) {
        GIVES(lfr_run_get_camera(run, 0, &opening), LFR_OK);
        nanosleep(&pause, NULL);
    }
    /* Never yet read from: still opening, with a message. */
    CHECK(opening.state == LFR_OPENING && opening.message[0] != 0);
    GIVES(lfr_run_stop(run), LFR_OK);
    pthread_join(waiting, &status);
    CHECK((intptr_t)status == LFR_ENDED);
    GIVES(lfr_run_destroy(run), LFR_OK);
}

/* Somebody whose photos were all rejected: the list can be built without them. */
static void test_removal(lfr_engine *engine)
{
    static const char *const ids[] = { "none", "person-1", "none-either" };
    lfr_builder *builder;
    lfr_watchlist *watchlist = NULL;
    lfr_photo_result result = { .struct_size = sizeof result };
    lfr_watchlist_info info = { .struct_size = sizeof info };
    lfr_person_info known = { .struct_size = sizeof known };
    int32_t index = -1;
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    for (int i = 0; i < 3; i++) {
        lfr_person person = { .struct_size = sizeof person, .id = ids[i], .name = ids[i] };
        GIVES(lfr_builder_add_person(builder, &person, &index), LFR_OK);
        CHECK(index == i);
    }
    GIVES(lfr_builder_add_photo(builder, 0, (const uint8_t *)"nothing", 7, &result), LFR_OK);
    CHECK(result.verdict == LFR_REJECTED);
    GIVES(lfr_builder_add_photo(builder, 1, photo, photo_size, &result), LFR_OK);
    REFUSES(lfr_builder_remove_person(builder, 1), LFR_BAD_STATE, "person-1");
    REFUSES(lfr_builder_remove_person(builder, 3), LFR_BAD_ARGUMENT, "index");
    REFUSES(lfr_builder_remove_person(builder, -1), LFR_BAD_ARGUMENT, "index");
    GIVES(lfr_builder_remove_person(builder, 2), LFR_OK);
    GIVES(lfr_builder_remove_person(builder, 0), LFR_OK);
    REFUSES(lfr_builder_remove_person(builder, 0), LFR_BAD_STATE, "person-1");
    /* The id is free again. */
    lfr_person person = { .struct_size = sizeof person, .id = "none", .name = "A" };
    GIVES(lfr_builder_add_person(builder, &person, &index), LFR_OK);
    CHECK(index == 1);
    GIVES(lfr_builder_remove_person(builder, 1), LFR_OK);
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    REFUSES(lfr_builder_remove_person(builder, 0), LFR_BAD_STATE, "another");
    GIVES(lfr_watchlist_get_info(watchlist, &info), LFR_OK);
    GIVES(lfr_watchlist_get_person(watchlist, 0, &known), LFR_OK);
    CHECK(info.people == 1 && info.photos == 1 && strcmp(known.id, "person-1") == 0);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_builder_destroy(builder), LFR_OK);
}

/* What says which argument was wrong, in words of this interface. */
static void test_sentences(lfr_engine *engine, lfr_watchlist *watchlist)
{
    lfr_engine_options options = folders(0);
    lfr_engine *none;
    lfr_watchlist *list;
    lfr_bytes bytes = { models, 1 };
    options.models_folder = weights;
    options.weights_folder = models;
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "swapped");
    options.weights_folder = weights;
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "options.models_folder");
    options = folders(0);
    options.model_file_count = 1;
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "options.model_file_count");
    options = (lfr_engine_options){ .struct_size = sizeof options, .model_files = &bytes, .model_file_count = 1 };
    REFUSES(lfr_engine_create(&options, &none), LFR_MODEL_UNUSABLE, "no model for this task");
    options.struct_size = 8;
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "or more");
    lfr_image image = photo_image();
    int32_t count;
    image.reserved = 1;
    REFUSES(lfr_detect(engine, &image, NULL, 0, &count), LFR_BAD_ARGUMENT, "image.reserved");
    lfr_key wrong = { .struct_size = sizeof wrong, .kind = LFR_KEY_BYTES, .data = "short", .size_bytes = 5 };
    REFUSES(lfr_watchlist_load(engine, list_path, &wrong, &list), LFR_BAD_ARGUMENT, "key.size_bytes is 5, not 32 to 4096.");
    wrong.size_bytes = INT64_MAX;
    REFUSES(lfr_watchlist_load(engine, list_path, &wrong, &list), LFR_BAD_ARGUMENT, ", not 32 to 4096.");
    static char long_phrase[1025];
    memset(long_phrase, 'x', sizeof long_phrase);
    wrong = (lfr_key){ .struct_size = sizeof wrong, .kind = LFR_KEY_PASSPHRASE, .data = long_phrase, .size_bytes = sizeof long_phrase };
    REFUSES(lfr_watchlist_load(engine, list_path, &wrong, &list), LFR_BAD_ARGUMENT, "key.data has 1025 characters; a passphrase has 1 to 1024.");
    /* Where 0 stands for something, the sentence says so. */
    lfr_run *none_run;
    lfr_run_options run_options = { .struct_size = sizeof run_options, .grid_long_side = 31 };
    REFUSES(lfr_run_create(engine, watchlist, &run_options, &none_run), LFR_BAD_ARGUMENT, "options.grid_long_side is 31, not 32 to 4096, or 0 for the default.");
    run_options = (lfr_run_options){ .struct_size = sizeof run_options, .worker_threads = 1025 };
    REFUSES(lfr_run_create(engine, watchlist, &run_options, &none_run), LFR_BAD_ARGUMENT, "options.worker_threads is 1025, not 1 to 1024, or 0 for one per processor.");
    run_options = (lfr_run_options){ .struct_size = sizeof run_options, .detect_every_ms = -2 };
    REFUSES(lfr_run_create(engine, watchlist, &run_options, &none_run), LFR_BAD_ARGUMENT, "options.detect_every_ms is -2, not 1 to 1000, 0 for 120 or -1 for every frame.");
    options = folders(-1);
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "options.max_memory_bytes is -1: give bytes, or 0 for no limit.");
    options = folders(0);
    options.log_level = 4;
    REFUSES(lfr_engine_create(&options, &none), LFR_BAD_ARGUMENT, "options.log_level is 4, not 1 to 3, or 0 for LFR_LOG_WARNING.");
    wrong.kind = LFR_KEY_FILE;
    wrong.data = "a\0b";
    wrong.size_bytes = 3;
    REFUSES(lfr_watchlist_load(engine, list_path, &wrong, &list), LFR_BAD_ARGUMENT, "key.data");
    wrong.data = " ";
    wrong.size_bytes = 1;
    REFUSES(lfr_watchlist_load(engine, list_path, &wrong, &list), LFR_BAD_ARGUMENT, "key.data");
    /* A call that succeeds leaves the sentence. */
    CHECK(open_handles(LFR_HANDLE_ANY) >= 0 && strstr(lfr_last_error(), "key.data") != NULL);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 8)
        return 2;
    models = argv[1];
    weights = argv[2];
    photo_path = argv[3];
    photo = read_file(photo_path, &photo_size);
    video = argv[4];
    char path[1024];
    snprintf(path, sizeof path, "%s/bounds.lfr", argv[5]);
    list_path = path;
    if (argc == 8)
        return refused(atoi(argv[6]), atol(argv[7]));
    test_stack(smallest_stack_kib, 1);
    test_stack(spare_stack_kib, 0);
    lfr_engine_options options = folders(0);
    lfr_engine *engine;
    lfr_watchlist *watchlist;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    GIVES(lfr_watchlist_load(engine, list_path, &key, &watchlist), LFR_OK);
    test_sentences(engine, watchlist);
    test_removal(engine);
    test_waits(engine, watchlist);
    test_callbacks(watchlist);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    test_limits();
    test_refused(argv);
    free(photo);
    printf("%d checks, %d failed\n", checks, failures);
    return failures ? 1 : 0;
}
