/*
 * What release 0.2 added to lfr_engine.h.
 * Usage: since_0_2 MODELS WEIGHTS PHOTO VIDEO SCRATCH KEY BROW
 * PHOTO shows somebody who walks through VIDEO, BROW the same picture with the brow painted over; KEY is a private key on P-256, PEM.
 * SCRATCH is a folder with what scripts/capi.sh puts there: receipt-key.pub, the public half of KEY, other-key.pub, and the evidence of evidence.py.
 * SCRATCH/receipt.json is left there.
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const char *models, *weights;

static lfr_engine_options folders(void)
{
    lfr_engine_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.models_folder = models;
    options.weights_folder = weights;
    return options;
}

static lfr_watchlist *list_of(lfr_engine *engine, const char *const *ids, int people, const char *photo)
{
    lfr_builder *builder;
    lfr_watchlist *watchlist = NULL;
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    for (int i = 0; i < people; i++) {
        lfr_person person = { .struct_size = sizeof person, .id = ids[i], .name = ids[i] };
        lfr_photo_result result = { .struct_size = sizeof result };
        GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
        GIVES(lfr_builder_add_photo_file(builder, i, photo, &result), LFR_OK);
        CHECK(result.verdict != LFR_REJECTED);
    }
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    GIVES(lfr_builder_destroy(builder), LFR_OK);
    return watchlist;
}

/* ---- the version ---- */

static void test_version(void)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", LFR_VERSION / 10000, LFR_VERSION / 100 % 100, LFR_VERSION % 100);
    CHECK(strcmp(expected, lfr_version()) == 0);
    CHECK(lfr_get_api(1)->struct_size == sizeof(lfr_api) && lfr_get_api(1)->template_create_as == lfr_template_create_as);
}

static char *text_of(const char *folder, const char *name, int64_t *size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = (char *)read_file(path, size);
    text = realloc(text, (size_t)*size + 1);
    text[*size] = 0;
    return text;
}

/* ---- memory ---- */

static void test_estimate(void)
{
    int64_t usual = -1, more = -1;
    REFUSES(lfr_memory_estimate(NULL, NULL), LFR_BAD_ARGUMENT, "held_bytes");
    GIVES(lfr_memory_estimate(NULL, &usual), LFR_OK);
    lfr_load load;
    memset(&load, 0, sizeof load);
    /* What it had first is enough; what is beyond that is not read then. */
    load.struct_size = 31;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "struct_size");
    load.struct_size = 32;
    load.reference_frames = -1;
    GIVES(lfr_memory_estimate(&load, &more), LFR_OK);
    CHECK(usual == more && usual > (50 << 20));
    load.struct_size = sizeof load;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.reference_frames");
    load.reference_frames = 16;
    GIVES(lfr_memory_estimate(&load, &more), LFR_OK);
    CHECK(more == usual + 12 * (3 * 1920 * 1088 / 2 + sysconf(_SC_PAGESIZE)));
    load.reference_frames = 0;
    /* Enrolment is told apart: it adds the same to every load. */
    load.photo_width = 4000;
    REFUSES(lfr_memory_estimate((load.photo_height = -1, &load), &more), LFR_BAD_ARGUMENT, "load.photo_height");
    load.photo_height = 0;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.photo_height is 0, but");
    load.photo_width = 0;
    load.photo_height = 3000;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.photo_width is 0, but");
    load.photo_width = 4000;
    GIVES(lfr_memory_estimate(&load, &more), LFR_OK);
    CHECK(more > usual + (100 << 20) + 4000 * 3000 && more < usual + (200 << 20));
    load.photo_width = load.photo_height = 0;
    load.reserved2 = 1;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.reserved2");
    load.reserved2 = 0;
    load.cameras = 8;
    GIVES(lfr_memory_estimate(&load, &more), LFR_OK);
    CHECK(more > usual);
    load.cameras = -1;
    /* Not 0: as a limit that is none. */
    more = 7;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.cameras is -1, not 1 to 1000, or 0 for 1.");
    CHECK(more == 7);
    load.cameras = 0;
    /* As lfr_run_options. */
    load.grid_long_side = 31;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.grid_long_side is 31, not 32 to 4096, or 0 for ");
    load.grid_long_side = 0;
    load.width = INT32_MAX;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.width");
    load.width = 0;
    load.reserved = 1;
    REFUSES(lfr_memory_estimate(&load, &more), LFR_BAD_ARGUMENT, "load.reserved");
}

static lfr_memory report(void)
{
    lfr_memory memory = { .struct_size = sizeof memory };
    GIVES(lfr_memory_report(&memory), LFR_OK);
    CHECK(memory.held_bytes == memory.locked_bytes + memory.unlocked_bytes && memory.peak_bytes >= memory.held_bytes);
    return memory;
}

/* The limit is kept: refused, not exceeded; and what was refused goes when there is room again. */
static void test_limit(lfr_engine *engine, lfr_watchlist *watchlist)
{
    lfr_engine_options options = folders();
    lfr_engine *small = (lfr_engine *)&options;
    options.max_memory_bytes = -1;
    REFUSES(lfr_engine_create(&options, &small), LFR_BAD_ARGUMENT, "max_memory_bytes");
    /* The networks of the first engine alone hold more. */
    options.max_memory_bytes = 1 << 20;
    REFUSES(lfr_engine_create(&options, &small), LFR_OUT_OF_MEMORY, "memory");
    CHECK(small == NULL && report().max_memory_bytes == 0 && open_handles(LFR_HANDLE_ENGINE) == 1);

    const int64_t side = 8192, frame_bytes = side * side;
    options.max_memory_bytes = report().held_bytes + frame_bytes + frame_bytes / 2;
    GIVES(lfr_engine_create(&options, &small), LFR_OK);
    CHECK(report().max_memory_bytes == options.max_memory_bytes);
    uint8_t *pixels = calloc(1, (size_t)frame_bytes);
    lfr_image frame = { .struct_size = sizeof frame, .format = LFR_GREY, .width = (int32_t)side, .height = (int32_t)side, .plane = { pixels, NULL, NULL }, .row_stride = { (int32_t)side, 0, 0 } };
    lfr_run *runs[3];
    lfr_camera *cameras[3];
    int32_t status = LFR_OK;
    int taken = 0;
    /* No run is started: each camera keeps two frames. */
    for (int i = 0; i < 3; i++) {
        GIVES(lfr_run_create(engine, watchlist, NULL, &runs[i]), LFR_OK);
        GIVES(lfr_run_add_camera(runs[i], "pushed", LFR_PACE_MAX, &cameras[i]), LFR_OK);
        for (int k = 0; k < 2 && status == LFR_OK; k++) {
            status = lfr_camera_push(cameras[i], &frame, k, 0);
            taken += status == LFR_OK;
            CHECK(report().held_bytes <= options.max_memory_bytes);
        }
    }
    CHECK(status == LFR_OUT_OF_MEMORY && strstr(lfr_last_error(), "limit") != NULL);
    CHECK(taken >= 1 && taken <= 2);
    GIVES(lfr_engine_destroy(small), LFR_OK);
    CHECK(report().max_memory_bytes == 0);
    GIVES(lfr_camera_push(cameras[2], &frame, 9, 0), LFR_OK);
    for (int i = 0; i < 3; i++) {
        GIVES(lfr_run_destroy(runs[i]), LFR_OK);
        GIVES(lfr_camera_destroy(cameras[i]), LFR_OK);
    }
    free(pixels);
}

/* ---- models from memory ---- */

static lfr_bytes files[128];
static int32_t file_count;

static int collect(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    const char *name = path + place->base;
    const char *end = strrchr(name, '.');
    if (kind != FTW_F || strcmp(name, "demo-photos.json") == 0 || (end && (strcmp(end, ".jpg") == 0 || strcmp(end, ".mp4") == 0 || strcmp(end, ".md") == 0)))
        return 0;
    if (file_count < 128) {
        files[file_count].data = read_file(path, &files[file_count].size_bytes);
        file_count += files[file_count].size_bytes > 0;
    }
    return 0;
}

static void test_models_in_memory(const uint8_t *photo, int64_t photo_size, lfr_template *face)
{
    nftw(models, collect, 16, FTW_PHYS);
    int32_t manifests = file_count;
    nftw(weights, collect, 16, FTW_PHYS);
    CHECK(manifests >= 6 && file_count >= manifests + 6);
    lfr_engine_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.model_files = files;
    lfr_engine *engine = NULL;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "model_file_count");
    options.model_file_count = manifests;
    REFUSES(lfr_engine_create(&options, &engine), LFR_MODEL_UNUSABLE, "not among the files");
    options.model_file_count = file_count;
    options.models_folder = models;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "NULL");
    options.models_folder = NULL;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    for (int32_t i = 0; i < file_count; i++)
        free((void *)files[i].data);
    /* The same networks: the same template. */
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { photo, NULL, NULL }, .size_bytes = photo_size };
    lfr_template *again = NULL;
    float score = 0;
    GIVES(lfr_template_create(engine, &image, NULL, NULL, &again), LFR_OK);
    GIVES(lfr_template_compare(face, again, &score), LFR_OK);
    CHECK(score > 0.9999f);
    GIVES(lfr_template_destroy(again), LFR_OK);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
}

/* ---- roles and lookalikes ---- */

static void test_roles(lfr_engine *engine, const char *brow_path, lfr_template *face)
{
    int64_t size;
    uint8_t *brow = read_file(brow_path, &size);
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { brow, NULL, NULL }, .size_bytes = size };
    lfr_template *list = NULL, *probe = NULL, *read = NULL;
    lfr_quality quality = { .struct_size = sizeof quality };
    REFUSES(lfr_template_create_as(engine, &image, NULL, 2, NULL, &list), LFR_BAD_ARGUMENT, "role");
    REFUSES(lfr_template_create_as(engine, &image, NULL, -1, NULL, &list), LFR_BAD_ARGUMENT, "role");
    CHECK(list == NULL);
    GIVES(lfr_template_create_as(engine, &image, NULL, LFR_ROLE_LIST, &quality, &list), LFR_OK);
    CHECK(quality.cover == LFR_COVER_BROW);
    GIVES(lfr_template_create_as(engine, &image, NULL, LFR_ROLE_PROBE, &quality, &probe), LFR_OK);
    float roles = 0, own = 0;
    GIVES(lfr_template_compare(list, probe, &roles), LFR_OK);
    CHECK(roles < 0.999f);
    GIVES(lfr_template_compare(face, probe, &own), LFR_OK);
    CHECK(own > 0.3f);
    /* The role is kept. */
    uint8_t bytes[4096];
    GIVES(lfr_template_export(probe, bytes, sizeof bytes, &size), LFR_OK);
    CHECK(bytes[12] == LFR_COVER_BROW && bytes[13] == LFR_ROLE_PROBE);
    GIVES(lfr_template_import(engine, bytes, size, &read), LFR_OK);
    uint8_t again[4096];
    GIVES(lfr_template_export(read, again, sizeof again, &size), LFR_OK);
    CHECK(memcmp(bytes, again, (size_t)size) == 0);
    /* A list of templates: only those that were made for one. */
    lfr_builder *builder;
    lfr_watchlist *watchlist = NULL;
    lfr_person person = { .struct_size = sizeof person, .id = "a", .name = "A" };
    lfr_candidate candidate;
    int32_t count = 0;
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
    REFUSES(lfr_builder_add_template(builder, 0, probe, 0.5f), LFR_BAD_ARGUMENT, "LFR_ROLE_LIST");
    REFUSES(lfr_builder_add_template(builder, 1, face, 0.5f), LFR_BAD_ARGUMENT, "index");
    REFUSES(lfr_builder_add_template(builder, 0, face, NAN), LFR_BAD_ARGUMENT, "quality");
    REFUSES(lfr_builder_add_template(builder, 0, NULL, 0.5f), LFR_BAD_HANDLE, "NULL");
    GIVES(lfr_builder_add_template(builder, 0, face, 0.5f), LFR_OK);
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    REFUSES(lfr_builder_add_template(builder, 0, face, 0.5f), LFR_BAD_STATE, "another");
    GIVES(lfr_search(watchlist, face, 0.9f, &candidate, 1, &count), LFR_OK);
    CHECK(count == 1 && candidate.score > 0.999f);
    GIVES(lfr_watchlist_get_photo(watchlist, 0, NULL, 0, &size), LFR_OK);
    CHECK(size == 0);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_builder_destroy(builder), LFR_OK);
    GIVES(lfr_template_destroy(list), LFR_OK);
    GIVES(lfr_template_destroy(probe), LFR_OK);
    GIVES(lfr_template_destroy(read), LFR_OK);
    free(brow);
}

static void test_lookalikes(lfr_engine *engine, const char *photo)
{
    static const char *const ids[] = { "a", "b", "c" };
    lfr_watchlist *watchlist = list_of(engine, ids, 3, photo);
    lfr_lookalike pairs[2];
    int32_t count = -1;
    GIVES(lfr_watchlist_lookalikes(watchlist, 0.9f, NULL, 0, &count), LFR_OK);
    CHECK(count == 3);
    GIVES(lfr_watchlist_lookalikes(watchlist, 0.9f, pairs, 2, &count), LFR_OK);
    CHECK(count == 3 && pairs[0].person_index[0] == 0 && pairs[0].person_index[1] == 1 && pairs[1].person_index[1] == 2 && pairs[1].score > 0.9f);
    REFUSES(lfr_watchlist_lookalikes(watchlist, NAN, pairs, 2, &count), LFR_BAD_ARGUMENT, "threshold");
    CHECK(count == 0);
    REFUSES(lfr_watchlist_lookalikes(watchlist, 0.9f, NULL, 2, &count), LFR_BAD_ARGUMENT, "pairs");
    REFUSES(lfr_watchlist_lookalikes(watchlist, 0.9f, pairs, -1, &count), LFR_BAD_ARGUMENT, "capacity");
    REFUSES(lfr_watchlist_lookalikes(watchlist, 0.9f, pairs, 2, NULL), LFR_BAD_ARGUMENT, "count");
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
}

/* ---- log, events, another watchlist, pixels, receipt ---- */

typedef struct told {
    pthread_mutex_t gate;
    int logged, loaded, closed, events, over;
    char text[4096];
} told;

static void on_log(int32_t level, const char *text, void *user)
{
    told *what = user;
    CHECK(level >= LFR_LOG_ERROR && level <= LFR_LOG_INFO && text[0] != 0);
    CHECK(!what->closed);
    what->logged++;
    what->loaded += strstr(text, "networks loaded") != NULL;
    strncat(what->text, text, sizeof what->text - strlen(what->text) - 2);
    strcat(what->text, "\n");
}

static void test_log(lfr_watchlist *watchlist)
{
    told what = { .logged = 0 };
    lfr_engine_options options = folders();
    lfr_engine *engine;
    options.on_log = on_log;
    options.log_user = &what;
    options.log_level = 4;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "log_level");
    options.log_level = LFR_LOG_INFO;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    CHECK(what.loaded == 1);
    lfr_run *run;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "gate", "/no/such/clip.mp4", LFR_PACE_MAX), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    lfr_alert *alert;
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_ENDED);
    GIVES(lfr_run_stop(run), LFR_OK);
    CHECK(strstr(what.text, "camera gate: failed") != NULL && strstr(what.text, "the run is over") != NULL);
    /* No address. */
    CHECK(strstr(what.text, "/no/such") == NULL);
    /* None after the engine's handle has gone, though the run keeps it. */
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    what.closed = 1;
    GIVES(lfr_run_destroy(run), LFR_OK);
}

static void next_event(lfr_run *run, int32_t kind, lfr_event *event)
{
    do {
        GIVES(lfr_run_next_event(run, -1, event), LFR_OK);
    } while (event->kind != kind && event->kind != LFR_EVENT_OVER);
    CHECK(event->kind == kind);
}

/* Another watchlist as soon as the camera runs: whoever comes into view is found in the new one. */
static void test_swap(lfr_engine *engine, const char *photo, const char *video, const char *scratch, const char *key)
{
    static const char *const former_id[] = { "former" }, *const latter_id[] = { "latter" };
    lfr_watchlist *former = list_of(engine, former_id, 1, photo), *latter = list_of(engine, latter_id, 1, photo);
    lfr_run *run;
    GIVES(lfr_run_create(engine, former, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "gate", video, LFR_PACE_MAX), LFR_OK);
    lfr_event event;
    memset(&event, 0, sizeof event);
    REFUSES(lfr_run_next_event(run, 0, &event), LFR_BAD_ARGUMENT, "struct_size");
    event.struct_size = sizeof event;
    GIVES(lfr_run_next_event(run, 0, &event), LFR_TIMED_OUT);
    REFUSES(lfr_run_next_event(run, -2, &event), LFR_BAD_ARGUMENT, "timeout_ms");
    REFUSES(lfr_run_next_event(run, 0, NULL), LFR_BAD_ARGUMENT, "event");
    REFUSES(lfr_run_swap_watchlist(run, NULL), LFR_BAD_HANDLE, "NULL");
    int64_t size = 0;
    REFUSES(lfr_run_get_receipt(run, key, NULL, 0, &size), LFR_BAD_STATE, "over");
    static const char *const no_keys[] = { "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n" };
    for (size_t i = 0; i < sizeof no_keys / sizeof *no_keys; i++)
        REFUSES(lfr_run_get_receipt(run, no_keys[i], NULL, 0, &size), LFR_BAD_ARGUMENT, "private_key cannot be used: it must contain one ECDSA key, not encrypted, in PEM form.");
    char *pem = text_of(scratch, "receipt-key.pub", &size);
    REFUSES(lfr_run_get_receipt(run, pem, NULL, 0, &size), LFR_BAD_ARGUMENT, "private_key is a public key");
    free(pem);
    REFUSES(lfr_run_get_receipt(run, NULL, NULL, 0, &size), LFR_BAD_ARGUMENT, "private_key");
    GIVES(lfr_run_start(run), LFR_OK);
    next_event(run, LFR_EVENT_CAMERA, &event);
    while (event.state == LFR_OPENING)
        next_event(run, LFR_EVENT_CAMERA, &event);
    CHECK(event.state == LFR_RUNNING && event.camera_index == 0 && event.unix_us > 0);
    GIVES(lfr_run_swap_watchlist(run, latter), LFR_OK);
    /* The former is let go of: nothing of it may be used from now on. */
    GIVES(lfr_watchlist_destroy(former), LFR_OK);
    next_event(run, LFR_EVENT_WATCHLIST, &event);
    CHECK(event.camera_index == -1);

    lfr_alert *alert;
    lfr_alert_info info = { .struct_size = sizeof info };
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_OK);
    GIVES(lfr_alert_get_info(alert, &info), LFR_OK);
    /* Unless this thread had to wait for seconds. */
    int latter_alerts = strcmp(info.person_id, "latter") == 0;
    int32_t width = 0, height = 0;
    REFUSES(lfr_alert_get_pixels(alert, LFR_BGR, NULL, 0, &width, &height), LFR_BUFFER_TOO_SMALL, "needed");
    CHECK(width > 32 && height > 32);
    size = (int64_t)3 * width * height;
    uint8_t *bgr = malloc((size_t)size), *rgb = malloc((size_t)size);
    GIVES(lfr_alert_get_pixels(alert, LFR_BGR, bgr, size, &width, &height), LFR_OK);
    GIVES(lfr_alert_get_pixels(alert, LFR_RGB, rgb, size, &width, &height), LFR_OK);
    CHECK(bgr[0] == rgb[2] && bgr[1] == rgb[1] && bgr[size - 1] == rgb[size - 3]);
    REFUSES(lfr_alert_get_pixels(alert, LFR_NV12, bgr, size, &width, &height), LFR_BAD_ARGUMENT, "format");
    REFUSES(lfr_alert_get_pixels(alert, LFR_BGR, NULL, size, &width, &height), LFR_BAD_ARGUMENT, "buffer");
    REFUSES(lfr_alert_get_pixels(alert, LFR_BGR, bgr, size, NULL, &height), LFR_BAD_ARGUMENT, "width");
    free(bgr);
    free(rgb);
    GIVES(lfr_alert_destroy(alert), LFR_OK);

    int32_t status;
    while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK) {
        GIVES(lfr_alert_get_info(alert, &info), LFR_OK);
        latter_alerts += strcmp(info.person_id, "latter") == 0;
        GIVES(lfr_alert_destroy(alert), LFR_OK);
    }
    CHECK(status == LFR_ENDED && latter_alerts >= 1);
    next_event(run, LFR_EVENT_OVER, &event);
    CHECK(event.message[0] == 0);
    GIVES(lfr_run_next_event(run, -1, &event), LFR_ENDED);
    REFUSES(lfr_run_swap_watchlist(run, latter), LFR_BAD_STATE, "over");

    REFUSES(lfr_run_get_receipt(run, key, NULL, 0, &size), LFR_BUFFER_TOO_SMALL, "needed");
    char *receipt = malloc((size_t)size);
    GIVES(lfr_run_get_receipt(run, key, (uint8_t *)receipt, size, &size), LFR_OK);
    CHECK(memcmp(receipt, "{\"receipt\": {", 13) == 0 && memmem(receipt, (size_t)size, "\"signature\"", 11) != NULL);
    char path[1024];
    snprintf(path, sizeof path, "%s/receipt.json", scratch);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(receipt, 1, (size_t)size, file) == (size_t)size && fclose(file) == 0);
    free(receipt);
    GIVES(lfr_run_destroy(run), LFR_OK);
    GIVES(lfr_watchlist_destroy(latter), LFR_OK);
}

static void on_event(const lfr_event *event, void *user)
{
    told *what = user;
    pthread_mutex_lock(&what->gate);
    CHECK(!what->closed && event->struct_size == sizeof *event && event->kind >= LFR_EVENT_CAMERA && event->kind <= LFR_EVENT_OVER);
    what->events++;
    what->over += event->kind == LFR_EVENT_OVER;
    pthread_mutex_unlock(&what->gate);
}

/* ---- frames that stay the caller's ---- */

typedef struct loan {
    pthread_mutex_t gate;
    int out, back;
} loan;

static void on_release(void *user)
{
    loan *frames = user;
    pthread_mutex_lock(&frames->gate);
    frames->back++;
    pthread_mutex_unlock(&frames->gate);
}

static void test_borrowed(lfr_engine *engine, lfr_watchlist *watchlist)
{
    enum { width = 320, height = 240 };
    static uint8_t pixels[width * height * 3];
    static const int32_t formats[] = { LFR_NV12, LFR_I420, LFR_GREY, LFR_BGR };
    memset(pixels, 100, sizeof pixels);
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        told what = { .gate = PTHREAD_MUTEX_INITIALIZER };
        loan frames = { .gate = PTHREAD_MUTEX_INITIALIZER };
        lfr_run_options options = { .struct_size = sizeof options, .on_event = on_event, .event_user = &what };
        lfr_run *run;
        lfr_camera *camera;
        lfr_event event = { .struct_size = sizeof event };
        GIVES(lfr_run_create(engine, watchlist, &options, &run), LFR_OK);
        REFUSES(lfr_run_next_event(run, 0, &event), LFR_BAD_STATE, "on_event");
        GIVES(lfr_run_add_camera(run, "pushed", f % 2 ? LFR_PACE_AUTO : LFR_PACE_MAX, &camera), LFR_OK);
        lfr_image frame = { .struct_size = sizeof frame, .format = formats[f], .width = width, .height = height };
        frame.plane[0] = pixels;
        frame.plane[1] = pixels + width * height;
        frame.plane[2] = pixels + width * height * 3 / 2;
        frame.row_stride[0] = formats[f] == LFR_BGR ? 3 * width : width;
        frame.row_stride[1] = formats[f] == LFR_NV12 ? width : width / 2;
        frame.row_stride[2] = width / 2;
        REFUSES(lfr_camera_push_borrowed(camera, &frame, 0, 0, NULL, &frames), LFR_BAD_ARGUMENT, "on_release");
        /* Before the start two have room; the third is not taken, and not released. */
        for (int i = 0; i < 2; i++)
            GIVES(lfr_camera_push_borrowed(camera, &frame, i * 40000, 0, on_release, &frames), LFR_OK);
        GIVES(lfr_camera_push_borrowed(camera, &frame, 80000, 0, on_release, &frames), LFR_TIMED_OUT);
        frames.out = 2;
        CHECK(frames.back == (formats[f] == LFR_BGR ? 2 : 0));
        GIVES(lfr_run_start(run), LFR_OK);
        for (int i = 2; i < 30; i++)
            frames.out += lfr_camera_push_borrowed(camera, &frame, i * 40000, -1, on_release, &frames) == LFR_OK;
        CHECK(frames.out == 30);
        GIVES(lfr_run_stop(run), LFR_OK);
        CHECK(frames.back == frames.out);
        GIVES(lfr_camera_push_borrowed(camera, &frame, 0, 0, on_release, &frames), LFR_ENDED);
        CHECK(frames.back == frames.out);
        CHECK(what.events >= 2 && what.over == 1);
        what.closed = 1;
        GIVES(lfr_run_destroy(run), LFR_OK);
        GIVES(lfr_camera_destroy(camera), LFR_OK);
    }
}

/* ---- evidence ---- */

static void test_evidence(lfr_engine *engine, const char *scratch)
{
    int64_t size, key_size;
    char *pem = text_of(scratch, "receipt-key.pub", &key_size), *other_pem = text_of(scratch, "other-key.pub", &key_size), *file = text_of(scratch, "evidence.json", &size);
    const uint8_t *bytes = (const uint8_t *)file;
    lfr_evidence evidence;
    SIZED(evidence, lfr_evidence_check(engine, bytes, size, pem, 0.48f, 120, 10000, &evidence));
    CHECK(evidence.gallery_size == 100 && evidence.fpir == 0.003 && evidence.tpir_low == 0.92 && evidence.false_positives == 3 && evidence.mated == 200);
    CHECK(evidence.expected_low > 0 && evidence.expected_low < evidence.expected_mean && evidence.expected_mean < evidence.expected_high && fabs(evidence.expected_mean - 36) < 0.1);
    CHECK(strcmp(evidence.protocol, "identify") == 0 && evidence.made_unix_us == 1767323045000000 && evidence.is_calibrated == 0);
    GIVES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 900, 0, &evidence), LFR_OK);
    CHECK(evidence.gallery_size == 1000 && evidence.expected_high == 0);
    /* What it does not cover. */
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.5f, 100, 0, &evidence), LFR_NOT_MEASURED, "0.48");
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 20000, 0, &evidence), LFR_NOT_MEASURED, "20000");
    /* Whom it is not of. */
    REFUSES(lfr_evidence_check(engine, bytes, size, other_pem, 0.48f, 100, 0, &evidence), LFR_NOT_TRUSTED, "signed by");
    char *rate = strstr(file, "0.95");
    rate[3] = '9';
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 100, 0, &evidence), LFR_NOT_TRUSTED, "altered");
    rate[3] = '5';
    REFUSES(lfr_evidence_check(engine, bytes, size / 2, pem, 0.48f, 100, 0, &evidence), LFR_NOT_EVIDENCE, "damaged");
    REFUSES(lfr_evidence_check(engine, (const uint8_t *)"{}", 2, pem, 0.48f, 100, 0, &evidence), LFR_NOT_EVIDENCE, "lacks");
    static const struct {
        const char *name;
        int32_t status;
        const char *says;
    } others[] = { { "evidence-detector.json", LFR_FOREIGN_MODEL, "ultraface" }, { "evidence-embedder.json", LFR_FOREIGN_MODEL, "embedder" }, { "evidence-format.json", LFR_NOT_EVIDENCE, "format" }, { "evidence-part.json", LFR_NOT_EVIDENCE, "missing" } };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int64_t other_size;
        char *other = text_of(scratch, others[i].name, &other_size);
        REFUSES(lfr_evidence_check(engine, (const uint8_t *)other, other_size, pem, 0.48f, 100, 0, &evidence), others[i].status, others[i].says);
        free(other);
    }
    /* Bad arguments. */
    REFUSES(lfr_evidence_check(engine, NULL, size, pem, 0.48f, 100, 0, &evidence), LFR_BAD_ARGUMENT, "bytes");
    REFUSES(lfr_evidence_check(engine, bytes, 0, pem, 0.48f, 100, 0, &evidence), LFR_BAD_ARGUMENT, "size_bytes");
    REFUSES(lfr_evidence_check(engine, bytes, size, NULL, 0.48f, 100, 0, &evidence), LFR_BAD_ARGUMENT, "public_key");
    REFUSES(lfr_evidence_check(engine, bytes, size, "no key", 0.48f, 100, 0, &evidence), LFR_BAD_ARGUMENT, "public_key");
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, NAN, 100, 0, &evidence), LFR_BAD_ARGUMENT, "threshold");
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 0, 0, &evidence), LFR_BAD_ARGUMENT, "people");
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 100, -1, &evidence), LFR_BAD_ARGUMENT, "passers_by");
    REFUSES(lfr_evidence_check(engine, bytes, size, pem, 0.48f, 100, 0, NULL), LFR_BAD_ARGUMENT, "evidence");
    REFUSES(lfr_evidence_check(NULL, bytes, size, pem, 0.48f, 100, 0, &evidence), LFR_BAD_HANDLE, "NULL");
    free(file);
    free(pem);
    free(other_pem);
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    models = argv[1];
    weights = argv[2];
    const char *photo = argv[3];
    int64_t photo_size, key_size;
    uint8_t *picture = read_file(photo, &photo_size);
    char *key = (char *)read_file(argv[6], &key_size);
    key = realloc(key, (size_t)key_size + 1);
    key[key_size] = 0;
    test_version();
    test_estimate();
    lfr_engine_options options = folders();
    lfr_engine *engine = NULL;
    /* As a program built with the first header calls it. */
    options.struct_size = 40;
    options.max_memory_bytes = 1;
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    static const char *const ids[] = { "person-1" };
    lfr_watchlist *watchlist = list_of(engine, ids, 1, photo);
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { picture, NULL, NULL }, .size_bytes = photo_size };
    lfr_template *face = NULL;
    GIVES(lfr_template_create(engine, &image, NULL, NULL, &face), LFR_OK);
    test_limit(engine, watchlist);
    test_evidence(engine, argv[5]);
    test_models_in_memory(picture, photo_size, face);
    test_roles(engine, argv[7], face);
    test_lookalikes(engine, photo);
    test_log(watchlist);
    test_borrowed(engine, watchlist);
    test_swap(engine, photo, argv[4], argv[5], key);
    GIVES(lfr_template_destroy(face), LFR_OK);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0 && report().blocks_outstanding == 0);
    free(picture);
    free(key);
    printf("%d checks, %d failed\n", checks, failures);
    return failures ? 1 : 0;
}
