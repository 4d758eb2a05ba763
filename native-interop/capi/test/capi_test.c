/*
 * Every function of lfr_engine.h, with good and bad arguments.
 * Usage: capi_test MODELS WEIGHTS PHOTO VIDEO SCRATCH SERVER [quick]
 * PHOTO shows somebody who walks through VIDEO; SCRATCH is an empty folder; SERVER is rtsp_server.py. quick leaves the runs out.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void *thread_error(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)(lfr_last_error()[0] == 0);
}

static void test_library(void)
{
    const lfr_api *api = lfr_get_api(LFR_API_VERSION);
    CHECK(api != NULL);
    CHECK(api->struct_size == sizeof(lfr_api));
    CHECK(api->version == 1);
    for (size_t i = 2 * sizeof(uint32_t); i < sizeof(lfr_api); i += sizeof(void *))
        CHECK(*(void *const *)((const char *)api + i) != NULL);
    CHECK(strcmp(api->version_text(), lfr_version()) == 0);
    CHECK(strchr(lfr_version(), '.') != NULL);
    CHECK(lfr_get_api(0) == NULL);
    CHECK(lfr_get_api(2) == NULL);
    CHECK(strcmp(lfr_status_name(LFR_OK), "LFR_OK") == 0);
    CHECK(strcmp(lfr_status_name(LFR_BAD_HANDLE), "LFR_BAD_HANDLE") == 0);
    CHECK(strcmp(lfr_status_name(LFR_NOT_A_WATCHLIST), "LFR_NOT_A_WATCHLIST") == 0);
    CHECK(strcmp(lfr_status_name(12345), "unknown") == 0);
    CHECK(api->status_name(LFR_RUN_FAILED) == lfr_status_name(LFR_RUN_FAILED));
    REFUSES(lfr_open_handles(0, NULL), LFR_BAD_ARGUMENT, "count");
    int64_t count;
    REFUSES(lfr_open_handles(8, &count), LFR_BAD_ARGUMENT, "kind");
    REFUSES(lfr_open_handles(-1, &count), LFR_BAD_ARGUMENT, "kind");
    GIVES(api->open_handles(0, &count), LFR_OK);
    REFUSES(lfr_memory_report(NULL), LFR_BAD_ARGUMENT, "memory");
    lfr_memory memory;
    GROWN(memory, 56, lfr_memory_report(&memory));
    GIVES(api->memory_report(&memory), LFR_OK);
    /* The error is the thread's own. */
    REFUSES(lfr_memory_report(NULL), LFR_BAD_ARGUMENT, "memory");
    CHECK(api->last_error() == lfr_last_error());
    pthread_t other;
    void *was_empty = NULL;
    pthread_create(&other, NULL, thread_error, NULL);
    pthread_join(other, &was_empty);
    CHECK(was_empty != NULL);
}

/* Everything that is no handle, to every function that takes one. */
static void test_bad_handles(void *bad, const char *word, lfr_engine *engine, lfr_watchlist *watchlist, lfr_template *face)
{
    const lfr_api *api = lfr_get_api(1);
    int32_t number = 0;
    int64_t size = 0;
    float score;
    uint8_t byte = 0;
    lfr_engine_info engine_info = { .struct_size = sizeof engine_info };
    lfr_person person = { .struct_size = sizeof person, .id = "a", .name = "a" };
    lfr_photo_result result = { .struct_size = sizeof result };
    lfr_watchlist_info watchlist_info = { .struct_size = sizeof watchlist_info };
    lfr_person_info person_info = { .struct_size = sizeof person_info };
    lfr_camera_status camera_status = { .struct_size = sizeof camera_status };
    lfr_run_summary summary = { .struct_size = sizeof summary };
    lfr_alert_info alert_info = { .struct_size = sizeof alert_info };
    lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_PASSPHRASE, .data = "secret", .size_bytes = 6 };
    lfr_image image = { .struct_size = sizeof image, .format = LFR_GREY, .width = 1, .height = 1, .plane = { &byte, NULL, NULL }, .row_stride = { 1, 0, 0 } };
    lfr_candidate candidate;
    void *made = &byte;

    if (bad != (void *)engine) {
        REFUSES(lfr_engine_get_info(bad, &engine_info), LFR_BAD_HANDLE, word);
        REFUSES(api->engine_get_info(bad, &engine_info), LFR_BAD_HANDLE, word);
        REFUSES(lfr_engine_destroy(bad), LFR_BAD_HANDLE, word);
        REFUSES(api->engine_destroy(bad), LFR_BAD_HANDLE, word);
        REFUSES(lfr_builder_create(bad, "1", (lfr_builder **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
        made = &byte;
        REFUSES(lfr_watchlist_load(bad, "/x", &key, (lfr_watchlist **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
        made = &byte;
        REFUSES(lfr_run_create(bad, watchlist, NULL, (lfr_run **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
        REFUSES(lfr_detect(bad, &image, NULL, 0, &number), LFR_BAD_HANDLE, word);
        REFUSES(api->detect(bad, &image, NULL, 0, &number), LFR_BAD_HANDLE, word);
        made = &byte;
        REFUSES(lfr_template_create(bad, &image, NULL, NULL, (lfr_template **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
        made = &byte;
        REFUSES(lfr_template_create_as(bad, &image, NULL, LFR_ROLE_PROBE, NULL, (lfr_template **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
        made = &byte;
        REFUSES(lfr_template_import(bad, &byte, 1, (lfr_template **)&made), LFR_BAD_HANDLE, word);
        CHECK(made == NULL);
    }
    if (bad != (void *)watchlist) {
        REFUSES(lfr_watchlist_save(bad, "/x", &key), LFR_BAD_HANDLE, word);
        REFUSES(lfr_watchlist_get_info(bad, &watchlist_info), LFR_BAD_HANDLE, word);
        REFUSES(lfr_watchlist_get_person(bad, 0, &person_info), LFR_BAD_HANDLE, word);
        REFUSES(lfr_watchlist_get_photo(bad, 0, NULL, 0, &size), LFR_BAD_HANDLE, word);
        REFUSES(lfr_watchlist_destroy(bad), LFR_BAD_HANDLE, word);
        REFUSES(lfr_watchlist_lookalikes(bad, 0.5f, NULL, 0, &number), LFR_BAD_HANDLE, word);
        REFUSES(lfr_search(bad, face, 0, &candidate, 1, &number), LFR_BAD_HANDLE, word);
        REFUSES(lfr_run_create(engine, bad, NULL, (lfr_run **)&made), LFR_BAD_HANDLE, word);
    }
    if (bad != (void *)face) {
        REFUSES(lfr_template_compare(bad, face, &score), LFR_BAD_HANDLE, word);
        REFUSES(lfr_template_compare(face, bad, &score), LFR_BAD_HANDLE, word);
        REFUSES(lfr_template_export(bad, NULL, 0, &size), LFR_BAD_HANDLE, word);
        REFUSES(lfr_template_destroy(bad), LFR_BAD_HANDLE, word);
        REFUSES(lfr_search(watchlist, bad, 0, &candidate, 1, &number), LFR_BAD_HANDLE, word);
    }
    REFUSES(lfr_builder_add_person(bad, &person, NULL), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_remove_person(bad, 0), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_add_photo(bad, 0, &byte, 1, &result), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_add_photo_file(bad, 0, "/x", &result), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_add_template(bad, 0, face, 0.5f), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_build(bad, (lfr_watchlist **)&made), LFR_BAD_HANDLE, word);
    REFUSES(lfr_builder_destroy(bad), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_add_source(bad, "a", "/x", 0), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_add_camera(bad, "a", 0, (lfr_camera **)&made), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_start(bad), LFR_BAD_HANDLE, word);
    lfr_event event = { .struct_size = sizeof event };
    REFUSES(lfr_run_swap_watchlist(bad, watchlist), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_next_event(bad, 0, &event), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_get_receipt(bad, "", NULL, 0, &size), LFR_BAD_HANDLE, word);
    REFUSES(lfr_camera_push_borrowed(bad, &image, 0, 0, free, NULL), LFR_BAD_HANDLE, word);
    REFUSES(lfr_alert_get_pixels(bad, LFR_BGR, NULL, 0, &number, &number), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_next_alert(bad, 0, (lfr_alert **)&made), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_get_camera(bad, 0, &camera_status), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_get_summary(bad, &summary), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_stop(bad), LFR_BAD_HANDLE, word);
    REFUSES(lfr_run_destroy(bad), LFR_BAD_HANDLE, word);
    REFUSES(lfr_camera_push(bad, &image, 0, 0), LFR_BAD_HANDLE, word);
    REFUSES(lfr_camera_end(bad), LFR_BAD_HANDLE, word);
    REFUSES(lfr_camera_destroy(bad), LFR_BAD_HANDLE, word);
    REFUSES(lfr_alert_get_info(bad, &alert_info), LFR_BAD_HANDLE, word);
    REFUSES(lfr_alert_get_photo(bad, NULL, 0, &size), LFR_BAD_HANDLE, word);
    REFUSES(lfr_alert_destroy(bad), LFR_BAD_HANDLE, word);
}

static lfr_engine *test_engine(const char *models, const char *weights)
{
    lfr_engine *engine = (lfr_engine *)&failures;
    lfr_engine_options options;
    memset(&options, 0, sizeof options);
    REFUSES(lfr_engine_create(NULL, &engine), LFR_BAD_ARGUMENT, "options");
    CHECK(engine == NULL);
    REFUSES(lfr_engine_create(&options, NULL), LFR_BAD_ARGUMENT, "engine");
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "struct_size");
    options.struct_size = sizeof options;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "models_folder");
    options.models_folder = models;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "weights_folder");
    options.weights_folder = "/no/such/folder";
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "/no/such/folder");
    /* A folder without the files. */
    options.weights_folder = models;
    REFUSES(lfr_engine_create(&options, &engine), LFR_MODEL_UNUSABLE, "onnx");
    options.weights_folder = weights;
    options.detector = "no-such-detector";
    REFUSES(lfr_engine_create(&options, &engine), LFR_MODEL_UNUSABLE, "no-such-detector");
    options.detector = "mobilefacenet-512";
    REFUSES(lfr_engine_create(&options, &engine), LFR_MODEL_UNUSABLE, "mobilefacenet-512");
    options.detector = "\xff\xfe";
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "UTF-8");
    options.detector = NULL;
    options.reserved = 5;
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "reserved");
    options.reserved = 0;
    options.models_folder = "";
    REFUSES(lfr_engine_create(&options, &engine), LFR_BAD_ARGUMENT, "models_folder");
    options.models_folder = models;
    CHECK(engine == NULL);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0);
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    CHECK(engine != NULL);
    CHECK(open_handles(LFR_HANDLE_ENGINE) == 1);

    lfr_engine_info info;
    REFUSES(lfr_engine_get_info(engine, NULL), LFR_BAD_ARGUMENT, "info");
    SIZED(info, lfr_engine_get_info(engine, &info));
    CHECK(info.embedding_length == 512);
    CHECK(info.default_threshold > 0.3f && info.default_threshold < 0.7f);
    CHECK(strcmp(info.embedder_id, "mobilefacenet-512") == 0);
    CHECK(strlen(info.embedder_sha256) == 64);
    return engine;
}

static lfr_image file_image(const uint8_t *bytes, int64_t size)
{
    lfr_image image;
    memset(&image, 0, sizeof image);
    image.struct_size = sizeof image;
    image.format = LFR_FILE;
    image.plane[0] = bytes;
    image.size_bytes = size;
    return image;
}

static void test_images(lfr_engine *engine)
{
    static uint8_t grey[64 * 64 * 3];
    memset(grey, 90, sizeof grey);
    int32_t count = -1;
    lfr_image image;
    memset(&image, 0, sizeof image);
    REFUSES(lfr_detect(engine, NULL, NULL, 0, &count), LFR_BAD_ARGUMENT, "image");
    CHECK(count == 0);
    image.format = LFR_GREY;
    image.width = image.height = 64;
    image.plane[0] = grey;
    image.row_stride[0] = 64;
    image.struct_size = sizeof image - 1;
    REFUSES(lfr_detect(engine, &image, NULL, 0, &count), LFR_BAD_ARGUMENT, "struct_size");
    image.struct_size = sizeof image;
    GIVES(lfr_detect(engine, &image, NULL, 0, &count), LFR_OK);
    CHECK(count == 0);
    REFUSES(lfr_detect(engine, &image, NULL, 0, NULL), LFR_BAD_ARGUMENT, "count");
    REFUSES(lfr_detect(engine, &image, NULL, 1, &count), LFR_BAD_ARGUMENT, "faces");
    REFUSES(lfr_detect(engine, &image, NULL, -1, &count), LFR_BAD_ARGUMENT, "capacity");
    lfr_template *face = (lfr_template *)&image;
    REFUSES(lfr_template_create(engine, &image, NULL, NULL, &face), LFR_NO_FACE, "no face");
    CHECK(face == NULL);
    lfr_box empty = { 10, 10, 10, 20 }, wrong = { NAN, 0, 1, 1 };
    REFUSES(lfr_template_create(engine, &image, &empty, NULL, &face), LFR_BAD_ARGUMENT, "box");
    REFUSES(lfr_template_create(engine, &image, &wrong, NULL, &face), LFR_BAD_ARGUMENT, "box");
    REFUSES(lfr_template_create(engine, &image, NULL, NULL, NULL), LFR_BAD_ARGUMENT, "face");
    static const int32_t sizes[] = { 0, -1, INT32_MIN, 16385, INT32_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        lfr_image bad = image;
        bad.width = sizes[i];
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "width");
        bad = image;
        bad.height = sizes[i];
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "height");
    }
    static const int32_t formats[] = { LFR_I420, LFR_NV12, LFR_RGB, LFR_BGR, LFR_GREY };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        lfr_image bad = image;
        bad.format = formats[i];
        bad.row_stride[0] = 192;
        bad.row_stride[1] = bad.row_stride[2] = 64;
        bad.plane[1] = bad.plane[2] = grey;
        bad.height = 32;
        GIVES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_OK);
        CHECK(count == 0);
        lfr_image odd = bad;
        odd.width = 33;
        odd.height = 21;
        GIVES(lfr_detect(engine, &odd, NULL, 0, &count), LFR_OK);
        bad.row_stride[0] = 63;
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "row_stride[0]");
        bad.row_stride[0] = -192;
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "row_stride[0]");
        bad.row_stride[0] = 192;
        bad.plane[0] = NULL;
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "plane[0]");
        bad.plane[0] = grey;
        bad.matrix = 3;
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "matrix");
        bad.matrix = 0;
        bad.range = -1;
        REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "range");
        bad.range = 0;
        if (formats[i] == LFR_I420 || formats[i] == LFR_NV12) {
            bad.plane[1] = NULL;
            REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "plane[1]");
            bad.plane[1] = grey;
            bad.row_stride[1] = 31;
            REFUSES(lfr_detect(engine, &bad, NULL, 0, &count), LFR_BAD_ARGUMENT, "row_stride[1]");
        }
    }
    static const int32_t devices[] = { LFR_DMABUF, LFR_D3D11, LFR_D3D12 };
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        image.format = devices[i];
        REFUSES(lfr_detect(engine, &image, NULL, 0, &count), LFR_NOT_SUPPORTED, "copy the planes");
    }
    static const int32_t unknown[] = { 0, 7, -1, 99, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        image.format = unknown[i];
        REFUSES(lfr_detect(engine, &image, NULL, 0, &count), LFR_BAD_ARGUMENT, "format");
    }
    lfr_image file = file_image(grey, sizeof grey);
    REFUSES(lfr_detect(engine, &file, NULL, 0, &count), LFR_MEDIA_UNUSABLE, "");
    file.size_bytes = 0;
    REFUSES(lfr_detect(engine, &file, NULL, 0, &count), LFR_BAD_ARGUMENT, "size_bytes");
    file.size_bytes = INT64_MAX;
    REFUSES(lfr_detect(engine, &file, NULL, 0, &count), LFR_BAD_ARGUMENT, "size_bytes");
    file.size_bytes = INT64_MIN;
    REFUSES(lfr_detect(engine, &file, NULL, 0, &count), LFR_BAD_ARGUMENT, "size_bytes");
}

static lfr_template *test_templates(lfr_engine *engine, const uint8_t *photo, int64_t photo_size)
{
    lfr_image image = file_image(photo, photo_size);
    lfr_face faces[4];
    int32_t count = 0;
    GIVES(lfr_detect(engine, &image, faces, 4, &count), LFR_OK);
    CHECK(count >= 1);
    CHECK(faces[0].box.right > faces[0].box.left && faces[0].score > 0 && faces[0].score <= 1);
    lfr_template *face = NULL, *same = NULL;
    lfr_quality quality;
    SIZED(quality, lfr_template_create(engine, &image, NULL, &quality, &face));
    CHECK(quality.score > 0 && quality.score <= 1);
    CHECK(quality.inter_eye_pixels > 20);
    CHECK(quality.box.left == faces[0].box.left);
    GIVES(lfr_template_create(engine, &image, &faces[0].box, NULL, &same), LFR_OK);
    lfr_box elsewhere = { 1, 1, 4, 4 };
    lfr_template *none = face;
    REFUSES(lfr_template_create(engine, &image, &elsewhere, NULL, &none), LFR_NO_FACE, "box");
    CHECK(none == NULL);
    float score = 0;
    GIVES(lfr_template_compare(face, same, &score), LFR_OK);
    CHECK(score > 0.9999f && score <= 1);
    REFUSES(lfr_template_compare(face, same, NULL), LFR_BAD_ARGUMENT, "score");

    int64_t size = 0;
    REFUSES(lfr_template_export(face, NULL, 0, &size), LFR_BUFFER_TOO_SMALL, "needed");
    CHECK(size == 16 + 32 + 512 * 4 + 32);
    uint8_t bytes[4096];
    REFUSES(lfr_template_export(face, bytes, size - 1, &size), LFR_BUFFER_TOO_SMALL, "needed");
    REFUSES(lfr_template_export(face, bytes, size, NULL), LFR_BAD_ARGUMENT, "size_bytes");
    REFUSES(lfr_template_export(face, NULL, size, &size), LFR_BAD_ARGUMENT, "buffer");
    REFUSES(lfr_template_export(face, bytes, -1, &size), LFR_BAD_ARGUMENT, "capacity");
    GIVES(lfr_template_export(face, bytes + 1, size, &size), LFR_OK);
    lfr_template *read = NULL;
    GIVES(lfr_template_import(engine, bytes + 1, size, &read), LFR_OK);
    GIVES(lfr_template_compare(face, read, &score), LFR_OK);
    CHECK(score > 0.9999f);
    GIVES(lfr_template_destroy(read), LFR_OK);
    GIVES(lfr_template_destroy(same), LFR_OK);
    REFUSES(lfr_template_destroy(same), LFR_BAD_HANDLE, "destroyed");
    REFUSES(lfr_template_import(engine, NULL, size, &read), LFR_BAD_ARGUMENT, "bytes");
    CHECK(read == NULL);
    REFUSES(lfr_template_import(engine, bytes + 1, size, NULL), LFR_BAD_ARGUMENT, "face");
    REFUSES(lfr_template_import(engine, bytes + 1, 0, &read), LFR_BAD_ARGUMENT, "size_bytes");
    REFUSES(lfr_template_import(engine, bytes + 1, INT64_MAX, &read), LFR_BAD_ARGUMENT, "size_bytes");
    for (int64_t cut = 1; cut < size; cut += 97)
        REFUSES(lfr_template_import(engine, bytes + 1, cut, &read), LFR_BAD_TEMPLATE, "");
    for (int64_t at = 0; at < size; at += 61) {
        bytes[1 + at] ^= 0x40;
        REFUSES(lfr_template_import(engine, bytes + 1, size, &read), LFR_BAD_TEMPLATE, "");
        bytes[1 + at] ^= 0x40;
    }
    CHECK(open_handles(LFR_HANDLE_TEMPLATE) == 1);
    return face;
}

static lfr_watchlist *test_watchlists(lfr_engine *engine, const char *photo_path, const uint8_t *photo, int64_t photo_size, const char *scratch)
{
    lfr_builder *builder = (lfr_builder *)&failures;
    REFUSES(lfr_builder_create(engine, NULL, &builder), LFR_BAD_ARGUMENT, "version");
    CHECK(builder == NULL);
    REFUSES(lfr_builder_create(engine, "", &builder), LFR_BAD_CONTENT, "");
    REFUSES(lfr_builder_create(engine, "1", NULL), LFR_BAD_ARGUMENT, "builder");
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    lfr_person person;
    memset(&person, 0, sizeof person);
    person.struct_size = sizeof person;
    int32_t index = -1;
    REFUSES(lfr_builder_add_person(builder, NULL, &index), LFR_BAD_ARGUMENT, "person");
    REFUSES(lfr_builder_add_person(builder, &person, &index), LFR_BAD_ARGUMENT, "person.id");
    person.id = "person-1";
    REFUSES(lfr_builder_add_person(builder, &person, &index), LFR_BAD_ARGUMENT, "person.name");
    person.name = "J\xc3\xb6rg";
    person.category = 5;
    REFUSES(lfr_builder_add_person(builder, &person, &index), LFR_BAD_ARGUMENT, "category");
    person.category = LFR_MISSING_OR_VULNERABLE;
    person.id = "";
    REFUSES(lfr_builder_add_person(builder, &person, &index), LFR_BAD_CONTENT, "");
    person.id = "person-1";
    GIVES(lfr_builder_add_person(builder, &person, &index), LFR_OK);
    CHECK(index == 0);
    REFUSES(lfr_builder_add_person(builder, &person, NULL), LFR_BAD_CONTENT, "person-1");

    lfr_photo_result result;
    memset(&result, 0, sizeof result);
    REFUSES(lfr_builder_add_photo(builder, 0, photo, photo_size, NULL), LFR_BAD_ARGUMENT, "result");
    REFUSES(lfr_builder_add_photo(builder, 0, photo, photo_size, &result), LFR_BAD_ARGUMENT, "struct_size");
    result.struct_size = sizeof result;
    REFUSES(lfr_builder_add_photo(builder, 1, photo, photo_size, &result), LFR_BAD_ARGUMENT, "index");
    REFUSES(lfr_builder_add_photo(builder, -1, photo, photo_size, &result), LFR_BAD_ARGUMENT, "index");
    REFUSES(lfr_builder_add_photo(builder, 0, NULL, 1, &result), LFR_BAD_ARGUMENT, "bytes");
    REFUSES(lfr_builder_add_photo(builder, 0, photo, 0, &result), LFR_BAD_ARGUMENT, "size_bytes");
    REFUSES(lfr_builder_add_photo(builder, 0, photo, INT64_MIN, &result), LFR_BAD_ARGUMENT, "size_bytes");
    GIVES(lfr_builder_add_photo(builder, 0, (const uint8_t *)"no picture", 10, &result), LFR_OK);
    CHECK(result.verdict == LFR_REJECTED && strstr(result.reasons, "not a picture") != NULL);
    SIZED(result, lfr_builder_add_photo(builder, 0, photo, photo_size, &result));
    CHECK(result.verdict != LFR_REJECTED && result.quality > 0);
    REFUSES(lfr_builder_add_photo_file(builder, 0, NULL, &result), LFR_BAD_ARGUMENT, "path");
    REFUSES(lfr_builder_add_photo_file(builder, 0, "/no/such/photo.jpg", &result), LFR_UNREADABLE, "/no/such/photo.jpg");
    REFUSES(lfr_builder_add_photo_file(builder, 0, scratch, &result), LFR_UNREADABLE, "not a file");
    REFUSES(lfr_builder_add_photo_file(builder, 0, "/dev/zero", &result), LFR_UNREADABLE, "not a file");
    GIVES(lfr_builder_add_photo_file(builder, 0, photo_path, &result), LFR_OK);
    CHECK(result.verdict != LFR_REJECTED);

    lfr_watchlist *watchlist = NULL;
    REFUSES(lfr_builder_build(builder, NULL), LFR_BAD_ARGUMENT, "watchlist");
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    lfr_watchlist *second = watchlist;
    REFUSES(lfr_builder_build(builder, &second), LFR_BAD_STATE, "another");
    CHECK(second == NULL);
    REFUSES(lfr_builder_add_person(builder, &person, NULL), LFR_BAD_STATE, "another");
    GIVES(lfr_builder_destroy(builder), LFR_OK);

    /* Somebody without a photo could never be found. */
    GIVES(lfr_builder_create(engine, "2", &builder), LFR_OK);
    GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
    REFUSES(lfr_builder_build(builder, &second), LFR_BAD_CONTENT, "person-1");
    CHECK(second == NULL);
    GIVES(lfr_builder_destroy(builder), LFR_OK);

    lfr_watchlist_info info;
    REFUSES(lfr_watchlist_get_info(watchlist, NULL), LFR_BAD_ARGUMENT, "info");
    SIZED(info, lfr_watchlist_get_info(watchlist, &info));
    CHECK(info.people == 1 && info.photos == 2 && info.templates >= 2);
    CHECK(strcmp(info.version, "1") == 0 && strlen(info.id) == 36 && strlen(info.embedder_sha256) == 64);
    lfr_person_info known;
    REFUSES(lfr_watchlist_get_person(watchlist, 0, NULL), LFR_BAD_ARGUMENT, "info");
    SIZED(known, lfr_watchlist_get_person(watchlist, 0, &known));
    REFUSES(lfr_watchlist_get_person(watchlist, 1, &known), LFR_BAD_ARGUMENT, "person_index");
    REFUSES(lfr_watchlist_get_person(watchlist, INT32_MIN, &known), LFR_BAD_ARGUMENT, "person_index");
    CHECK(strcmp(known.id, "person-1") == 0 && strcmp(known.name, "J\xc3\xb6rg") == 0 && known.category == LFR_MISSING_OR_VULNERABLE && known.reference[0] == 0);
    int64_t size = 0;
    REFUSES(lfr_watchlist_get_photo(watchlist, 0, NULL, 0, &size), LFR_BUFFER_TOO_SMALL, "needed");
    uint8_t *jpeg = malloc((size_t)size);
    GIVES(lfr_watchlist_get_photo(watchlist, 0, jpeg, size, &size), LFR_OK);
    CHECK(jpeg[0] == 0xff && jpeg[1] == 0xd8);
    free(jpeg);
    REFUSES(lfr_watchlist_get_photo(watchlist, info.templates, NULL, 0, &size), LFR_BAD_ARGUMENT, "template_index");
    REFUSES(lfr_watchlist_get_photo(watchlist, 0, NULL, 0, NULL), LFR_BAD_ARGUMENT, "size_bytes");

    char path[1024];
    snprintf(path, sizeof path, "%s/list.lfr", scratch);
    lfr_key key;
    memset(&key, 0, sizeof key);
    REFUSES(lfr_watchlist_save(watchlist, path, NULL), LFR_BAD_ARGUMENT, "key");
    REFUSES(lfr_watchlist_save(watchlist, path, &key), LFR_BAD_ARGUMENT, "struct_size");
    key.struct_size = sizeof key;
    REFUSES(lfr_watchlist_save(watchlist, path, &key), LFR_BAD_ARGUMENT, "key.data");
    key.data = "0123456789abcdef0123456789abcdef";
    REFUSES(lfr_watchlist_save(watchlist, path, &key), LFR_BAD_ARGUMENT, "key.size_bytes");
    key.size_bytes = 32;
    REFUSES(lfr_watchlist_save(watchlist, path, &key), LFR_BAD_ARGUMENT, "key.kind");
    key.kind = LFR_KEY_BYTES;
    REFUSES(lfr_watchlist_save(watchlist, NULL, &key), LFR_BAD_ARGUMENT, "path");
    REFUSES(lfr_watchlist_save(watchlist, "/no/such/folder/list.lfr", &key), LFR_WRITE_FAILED, "/no/such/folder");
    GIVES(lfr_watchlist_save(watchlist, path, &key), LFR_OK);
    key.size_bytes = 31;
    REFUSES(lfr_watchlist_load(engine, path, &key, &second), LFR_BAD_ARGUMENT, "key");
    key.kind = LFR_KEY_FILE;
    key.data = "/no/such/key";
    key.size_bytes = 12;
    REFUSES(lfr_watchlist_load(engine, path, &key, &second), LFR_BAD_KEY_FILE, "/no/such/key");
    key.kind = LFR_KEY_BYTES;
    key.data = "another-456789abcdef0123456789abcdef";
    key.size_bytes = 32;
    REFUSES(lfr_watchlist_load(engine, path, &key, &second), LFR_WRONG_KEY, "key");
    CHECK(second == NULL);
    REFUSES(lfr_watchlist_load(engine, path, &key, NULL), LFR_BAD_ARGUMENT, "watchlist");
    REFUSES(lfr_watchlist_load(engine, photo_path, &key, &second), LFR_NOT_A_WATCHLIST, photo_path);
    REFUSES(lfr_watchlist_load(engine, "/no/such/list", &key, &second), LFR_UNREADABLE, "/no/such/list");
    key.data = "0123456789abcdef0123456789abcdef";
    GIVES(lfr_watchlist_load(engine, path, &key, &second), LFR_OK);
    CHECK(second != NULL);
    lfr_watchlist_info again = { .struct_size = sizeof again };
    GIVES(lfr_watchlist_get_info(second, &again), LFR_OK);
    CHECK(memcmp(&info, &again, sizeof info) == 0);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);

    /* Damaged. */
    int64_t length;
    uint8_t *bytes = read_file(path, &length);
    bytes[length / 2] ^= 1;
    snprintf(path, sizeof path, "%s/damaged.lfr", scratch);
    FILE *out = fopen(path, "wb");
    fwrite(bytes, 1, (size_t)length, out);
    fclose(out);
    free(bytes);
    lfr_watchlist *damaged = second;
    REFUSES(lfr_watchlist_load(engine, path, &key, &damaged), LFR_WATCHLIST_DAMAGED, path);
    CHECK(damaged == NULL);
    return second;
}

static void test_search(lfr_watchlist *watchlist, lfr_template *face)
{
    lfr_candidate candidates[200];
    int32_t count = -1;
    GIVES(lfr_search(watchlist, face, 0.3f, candidates, 200, &count), LFR_OK);
    CHECK(count == 1 && candidates[0].person_index == 0 && candidates[0].score > 0.9f);
    GIVES(lfr_search(watchlist, face, 1.0f, candidates, 1, &count), LFR_OK);
    REFUSES(lfr_search(watchlist, face, 1.01f, candidates, 1, &count), LFR_BAD_ARGUMENT, "threshold");
    REFUSES(lfr_search(watchlist, face, NAN, candidates, 1, &count), LFR_BAD_ARGUMENT, "threshold");
    REFUSES(lfr_search(watchlist, face, 0, NULL, 1, &count), LFR_BAD_ARGUMENT, "candidates");
    REFUSES(lfr_search(watchlist, face, 0, candidates, 0, &count), LFR_BAD_ARGUMENT, "capacity");
    REFUSES(lfr_search(watchlist, face, 0, candidates, -1, &count), LFR_BAD_ARGUMENT, "capacity");
    GIVES(lfr_search(watchlist, face, 0, candidates, INT32_MAX, &count), LFR_OK);
    REFUSES(lfr_search(watchlist, face, 0, candidates, 1, NULL), LFR_BAD_ARGUMENT, "count");
}

static void test_run_arguments(lfr_engine *engine, lfr_watchlist *watchlist, const char *video)
{
    lfr_run *run = (lfr_run *)&failures;
    lfr_run_options options;
    memset(&options, 0, sizeof options);
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "struct_size");
    CHECK(run == NULL);
    options.struct_size = sizeof options;
    REFUSES(lfr_run_create(engine, watchlist, &options, NULL), LFR_BAD_ARGUMENT, "run");
    options.worker_threads = -1;
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "worker_threads");
    options.worker_threads = 0;
    options.thresholds[2] = 1.5f;
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "thresholds[2]");
    options.thresholds[2] = NAN;
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "thresholds[2]");
    options.thresholds[2] = 0;
    options.detect_every_ms = -2;
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "detect_every_ms");
    options.detect_every_ms = 0;
    options.grid_long_side = 31;
    REFUSES(lfr_run_create(engine, watchlist, &options, &run), LFR_BAD_ARGUMENT, "grid_long_side");
    CHECK(run == NULL && open_handles(LFR_HANDLE_RUN) == 0);

    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    REFUSES(lfr_run_start(run), LFR_BAD_STATE, "camera");
    REFUSES(lfr_run_add_source(run, NULL, video, 0), LFR_BAD_ARGUMENT, "name");
    REFUSES(lfr_run_add_source(run, "", video, 0), LFR_BAD_ARGUMENT, "name");
    REFUSES(lfr_run_add_source(run, "a\n\x1b", video, 0), LFR_BAD_ARGUMENT, "control characters");
    REFUSES(lfr_run_add_source(run, "a", NULL, 0), LFR_BAD_ARGUMENT, "address");
    REFUSES(lfr_run_add_source(run, "a", "", 0), LFR_BAD_ARGUMENT, "address");
    REFUSES(lfr_run_add_source(run, "a", "gopher://x", 0), LFR_BAD_ARGUMENT, "address");
    REFUSES(lfr_run_add_source(run, "a", video, 3), LFR_BAD_ARGUMENT, "pace");
    REFUSES(lfr_run_add_source(run, "a", video, -1), LFR_BAD_ARGUMENT, "pace");
    lfr_camera *camera = (lfr_camera *)&failures;
    REFUSES(lfr_run_add_camera(run, "a", LFR_PACE_REALTIME, &camera), LFR_BAD_ARGUMENT, "pace");
    CHECK(camera == NULL);
    REFUSES(lfr_run_add_camera(run, "a", 0, NULL), LFR_BAD_ARGUMENT, "camera");
    REFUSES(lfr_run_add_camera(run, NULL, 0, &camera), LFR_BAD_ARGUMENT, "name");
    GIVES(lfr_run_add_camera(run, "a", 0, &camera), LFR_OK);
    REFUSES(lfr_run_add_source(run, "a", video, 0), LFR_BAD_ARGUMENT, "name");
    lfr_camera *twin = camera;
    REFUSES(lfr_run_add_camera(run, "a", 0, &twin), LFR_BAD_ARGUMENT, "name");
    CHECK(twin == NULL && open_handles(LFR_HANDLE_CAMERA) == 1);
    lfr_camera_status status;
    REFUSES(lfr_run_get_camera(run, 0, NULL), LFR_BAD_ARGUMENT, "status");
    SIZED(status, lfr_run_get_camera(run, 0, &status));
    CHECK(status.state == LFR_OPENING && status.is_complete == 0);
    REFUSES(lfr_run_get_camera(run, 1, &status), LFR_BAD_ARGUMENT, "camera_index");
    REFUSES(lfr_run_get_camera(run, -1, &status), LFR_BAD_ARGUMENT, "camera_index");
    lfr_run_summary summary;
    REFUSES(lfr_run_get_summary(run, NULL), LFR_BAD_ARGUMENT, "summary");
    SIZED(summary, lfr_run_get_summary(run, &summary));
    CHECK(summary.is_over == 0 && summary.run_id[0] != 0);
    lfr_alert *alert = (lfr_alert *)&failures;
    REFUSES(lfr_run_next_alert(run, -2, &alert), LFR_BAD_ARGUMENT, "timeout_ms");
    CHECK(alert == NULL);
    REFUSES(lfr_run_next_alert(run, 0, NULL), LFR_BAD_ARGUMENT, "alert");
    GIVES(lfr_run_next_alert(run, 10, &alert), LFR_TIMED_OUT);

    uint8_t grey[64 * 64] = { 0 };
    lfr_image frame;
    memset(&frame, 0, sizeof frame);
    REFUSES(lfr_camera_push(camera, NULL, 0, 0), LFR_BAD_ARGUMENT, "frame");
    frame.struct_size = sizeof frame;
    frame.format = LFR_FILE;
    REFUSES(lfr_camera_push(camera, &frame, 0, 0), LFR_NOT_SUPPORTED, "decode");
    frame.format = LFR_GREY;
    frame.width = frame.height = 64;
    frame.plane[0] = grey;
    frame.row_stride[0] = 64;
    REFUSES(lfr_camera_push(camera, &frame, -1, 0), LFR_BAD_ARGUMENT, "time_us");
    REFUSES(lfr_camera_push(camera, &frame, 0, -2), LFR_BAD_ARGUMENT, "timeout_ms");
    /* Nobody takes them before the start: two have room. */
    GIVES(lfr_camera_push(camera, &frame, 0, 0), LFR_OK);
    GIVES(lfr_camera_push(camera, &frame, 1, 0), LFR_OK);
    GIVES(lfr_camera_push(camera, &frame, 2, 20), LFR_TIMED_OUT);
    GIVES(lfr_camera_end(camera), LFR_OK);
    GIVES(lfr_camera_end(camera), LFR_OK);
    GIVES(lfr_camera_push(camera, &frame, 3, 0), LFR_ENDED);
    GIVES(lfr_run_stop(run), LFR_OK);
    GIVES(lfr_run_stop(run), LFR_OK);
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_ENDED);
    REFUSES(lfr_run_start(run), LFR_BAD_STATE, "stopped");
    REFUSES(lfr_run_add_source(run, "late", video, 0), LFR_BAD_STATE, "stopped");
    GIVES(lfr_run_destroy(run), LFR_OK);
    REFUSES(lfr_run_destroy(run), LFR_BAD_HANDLE, "destroyed");
    GIVES(lfr_camera_push(camera, &frame, 3, 0), LFR_ENDED);
    GIVES(lfr_camera_destroy(camera), LFR_OK);
    REFUSES(lfr_camera_destroy(camera), LFR_BAD_HANDLE, "destroyed");
}

static void test_source(lfr_engine *engine, lfr_watchlist *watchlist, const char *video)
{
    lfr_run *run;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "file", video, LFR_PACE_MAX), LFR_OK);
    GIVES(lfr_run_add_source(run, "missing", "/no/such/clip.mp4", LFR_PACE_MAX), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    REFUSES(lfr_run_start(run), LFR_BAD_STATE, "started");
    REFUSES(lfr_run_add_source(run, "late", video, 0), LFR_BAD_STATE, "lfr_run_start");
    lfr_alert *alert, *kept = NULL;
    int alerts = 0;
    int32_t status;
    while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK) {
        lfr_alert_info info;
        SIZED(info, lfr_alert_get_info(alert, &info));
        CHECK(info.score >= info.threshold && strcmp(info.camera, "file") == 0 && strcmp(info.person_id, "person-1") == 0);
        CHECK(strcmp(info.person_name, "J\xc3\xb6rg") == 0 && info.category == LFR_MISSING_OR_VULNERABLE && info.agreeing_shots >= 2);
        CHECK(info.captured_unix_us <= info.raised_unix_us && info.first_seen_us <= info.completed_us && strstr(info.id, "file") != NULL);
        int64_t size = 0;
        REFUSES(lfr_alert_get_photo(alert, NULL, 0, &size), LFR_BUFFER_TOO_SMALL, "needed");
        uint8_t *jpeg = malloc((size_t)size);
        GIVES(lfr_alert_get_photo(alert, jpeg, size, &size), LFR_OK);
        CHECK(jpeg[0] == 0xff && jpeg[1] == 0xd8);
        free(jpeg);
        REFUSES(lfr_alert_get_photo(alert, NULL, 0, NULL), LFR_BAD_ARGUMENT, "size_bytes");
        REFUSES(lfr_alert_get_info(alert, NULL), LFR_BAD_ARGUMENT, "info");
        if (alerts++ == 0)
            kept = alert;
        else
            GIVES(lfr_alert_destroy(alert), LFR_OK);
    }
    CHECK(status == LFR_ENDED && alert == NULL && alerts >= 1);
    lfr_camera_status camera = { .struct_size = sizeof camera };
    GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    CHECK(camera.state == LFR_CAMERA_ENDED && camera.is_complete == 1 && camera.frames_dropped == 0 && strlen(camera.trace_sha256) == 64 && camera.alerts >= 1);
    GIVES(lfr_run_get_camera(run, 1, &camera), LFR_OK);
    CHECK(camera.state == LFR_CAMERA_FAILED && strstr(camera.message, "/no/such/clip.mp4") != NULL);
    lfr_run_summary summary = { .struct_size = sizeof summary };
    GIVES(lfr_run_get_summary(run, &summary), LFR_OK);
    CHECK(summary.is_over == 1 && summary.alerts_raised + summary.alerts_joined == alerts && summary.alerts_lost == 0);
    CHECK(summary.frames_erased > 0 && summary.crops_erased > 0 && summary.embeddings_erased > 0 && summary.frame_max_ms > 0 && summary.elapsed_s > 0);
    GIVES(lfr_run_destroy(run), LFR_OK);
    /* An alert outlives its run. */
    lfr_alert_info info = { .struct_size = sizeof info };
    GIVES(lfr_alert_get_info(kept, &info), LFR_OK);
    GIVES(lfr_alert_destroy(kept), LFR_OK);
    REFUSES(lfr_alert_destroy(kept), LFR_BAD_HANDLE, "destroyed");
}

typedef struct told {
    lfr_run *run;
    volatile int alerts;
    volatile int let_go;
    int destroyed;
} told;

static void on_alert(lfr_alert *alert, void *user)
{
    told *what = user;
    what->alerts++;
    CHECK(!what->destroyed);
    REFUSES(lfr_run_stop(what->run), LFR_BAD_STATE, "on_alert");
    REFUSES(lfr_run_destroy(what->run), LFR_BAD_STATE, "on_alert");
    GIVES(lfr_alert_destroy(alert), LFR_OK);
    /* Blocks: cameras go on meanwhile, and the run is not over. */
    const struct timespec pause = { 0, 5000000 };
    while (!what->let_go)
        nanosleep(&pause, NULL);
}

static void test_callback(lfr_engine *engine, lfr_watchlist *watchlist, const char *video)
{
    told what = { .alerts = 0 };
    lfr_run_options options = { .struct_size = sizeof options, .on_alert = on_alert, .user = &what };
    GIVES(lfr_run_create(engine, watchlist, &options, &what.run), LFR_OK);
    GIVES(lfr_run_add_source(what.run, "file", video, LFR_PACE_MAX), LFR_OK);
    lfr_alert *alert;
    REFUSES(lfr_run_next_alert(what.run, 0, &alert), LFR_BAD_STATE, "on_alert");
    GIVES(lfr_run_start(what.run), LFR_OK);
    lfr_run_summary summary = { .struct_size = sizeof summary };
    const struct timespec pause = { 0, 20000000 };
    lfr_camera_status camera = { .struct_size = sizeof camera };
    do {
        nanosleep(&pause, NULL);
        GIVES(lfr_run_get_camera(what.run, 0, &camera), LFR_OK);
    } while (camera.state != LFR_CAMERA_ENDED || what.alerts == 0);
    GIVES(lfr_run_get_summary(what.run, &summary), LFR_OK);
    CHECK(camera.is_complete == 1 && what.alerts == 1 && summary.is_over == 0);
    what.let_go = 1;
    do {
        nanosleep(&pause, NULL);
        GIVES(lfr_run_get_summary(what.run, &summary), LFR_OK);
    } while (!summary.is_over);
    CHECK(what.alerts >= 1);
    what.destroyed = 1;
    GIVES(lfr_run_destroy(what.run), LFR_OK);
}

typedef struct waiter {
    lfr_run *run;
    lfr_camera *camera;
    int32_t status;
} waiter;

static void *wait_for_alert(void *argument)
{
    waiter *what = argument;
    lfr_alert *alert;
    what->status = lfr_run_next_alert(what->run, -1, &alert);
    return NULL;
}

/* Counts the frames that were taken; can be cancelled after each. */
static void *push_for_ever(void *argument)
{
    static uint8_t grey[64 * 64];
    lfr_image frame = { .struct_size = sizeof frame, .format = LFR_GREY, .width = 64, .height = 64, .plane = { grey, NULL, NULL }, .row_stride = { 64, 0, 0 } };
    waiter *what = argument;
    while (lfr_camera_push(what->camera, &frame, what->status, 90000) == LFR_OK) {
        what->status++;
        pthread_testcancel();
    }
    return NULL;
}

/* Pushed frames; the handles go while another thread waits; an engine that goes first. */
static void test_pushed(lfr_engine *engine, lfr_watchlist *watchlist)
{
    enum { width = 320, height = 240 };
    static uint8_t bgr[width * height * 3];
    lfr_image frame = { .struct_size = sizeof frame, .format = LFR_BGR, .width = width, .height = height, .plane = { bgr, NULL, NULL }, .row_stride = { 3 * width, 0, 0 } };
    for (int pace = 0; pace <= LFR_PACE_MAX; pace += LFR_PACE_MAX) {
        lfr_run *run;
        lfr_camera *camera;
        GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
        GIVES(lfr_run_add_camera(run, "pushed", pace, &camera), LFR_OK);
        GIVES(lfr_run_start(run), LFR_OK);
        waiter what = { run, camera, 99 };
        pthread_t waiting;
        pthread_create(&waiting, NULL, wait_for_alert, &what);
        for (int i = 0; i < 40; i++) {
            frame.height = i % 2 ? height : height / 2;
            GIVES(lfr_camera_push(camera, &frame, i * 40000, -1), LFR_OK);
        }
        memset(bgr, 255, sizeof bgr);
        GIVES(lfr_camera_end(camera), LFR_OK);
        GIVES(lfr_camera_destroy(camera), LFR_OK);
        pthread_join(waiting, NULL);
        CHECK(what.status == LFR_ENDED);
        lfr_camera_status status = { .struct_size = sizeof status };
        GIVES(lfr_run_get_camera(run, 0, &status), LFR_OK);
        CHECK(status.frames_decoded == 40 && status.state == LFR_CAMERA_ENDED && status.is_complete == 1);
        CHECK(pace == 0 || status.frames_dropped == 0);
        GIVES(lfr_run_destroy(run), LFR_OK);
    }
    /* A pusher that vanishes ends nothing; destroying the run wakes who waits. */
    lfr_run *run;
    lfr_camera *camera;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_camera(run, "pushed", LFR_PACE_AUTO, &camera), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    GIVES(lfr_camera_push(camera, &frame, 0, -1), LFR_OK);
    waiter what = { run, camera, 99 };
    pthread_t waiting;
    pthread_create(&waiting, NULL, wait_for_alert, &what);
    const struct timespec pause = { 0, 300000000 };
    nanosleep(&pause, NULL);
    CHECK(what.status == 99);
    GIVES(lfr_run_destroy(run), LFR_OK);
    pthread_join(waiting, NULL);
    CHECK(what.status == LFR_ENDED);
    GIVES(lfr_camera_push(camera, &frame, 1, -1), LFR_ENDED);
    GIVES(lfr_camera_destroy(camera), LFR_OK);
    /* A pusher that is cancelled while it waits for room is so when there is room: the run goes on, and ends. */
    void *ended = NULL;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_camera(run, "pushed", LFR_PACE_MAX, &camera), LFR_OK);
    what.camera = camera;
    what.status = 0;
    pthread_create(&waiting, NULL, push_for_ever, &what);
    nanosleep(&pause, NULL);
    pthread_cancel(waiting);
    nanosleep(&pause, NULL);
    CHECK(what.status == 2);
    GIVES(lfr_run_start(run), LFR_OK);
    pthread_join(waiting, &ended);
    CHECK(ended == PTHREAD_CANCELED && what.status == 3);
    GIVES(lfr_camera_push(camera, &frame, 9, -1), LFR_OK);
    GIVES(lfr_run_destroy(run), LFR_OK);
    GIVES(lfr_camera_destroy(camera), LFR_OK);
}

/* Waits until camera 0 has this state; ends with the run. */
static void wait_for_state(lfr_run *run, int32_t state)
{
    lfr_event event = { .struct_size = sizeof event };
    do {
        GIVES(lfr_run_next_event(run, -1, &event), LFR_OK);
    } while (event.kind != LFR_EVENT_OVER && !(event.kind == LFR_EVENT_CAMERA && event.state == state));
    CHECK(event.kind == LFR_EVENT_CAMERA);
}

/* A recording that is cut while it is read: the camera ends and says so. */
static void test_cut(lfr_engine *engine, lfr_watchlist *watchlist, const char *video, const char *scratch)
{
    char path[1024];
    int64_t size;
    uint8_t *bytes = read_file(video, &size);
    snprintf(path, sizeof path, "%s/cut.mp4", scratch);
    FILE *copy = fopen(path, "wb");
    CHECK(copy && fwrite(bytes, 1, (size_t)size, copy) == (size_t)size && fclose(copy) == 0);
    free(bytes);
    lfr_run *run;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "cut", path, LFR_PACE_REALTIME), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    wait_for_state(run, LFR_RUNNING);
    CHECK(truncate(path, size / 12) == 0);
    lfr_alert *alert;
    GIVES(lfr_run_next_alert(run, -1, &alert), LFR_ENDED);
    lfr_camera_status camera = { .struct_size = sizeof camera };
    GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    CHECK(camera.state == LFR_CAMERA_ENDED && camera.is_complete == 0 && camera.frames_decoded > 0 && strstr(camera.message, "cut off") != NULL);
    GIVES(lfr_run_destroy(run), LFR_OK);
}

/* Serves the video over RTSP on a port, 0 for any; returns when it listens. */
static pid_t serve(const char *server, const char *video, int *port)
{
    char wanted[16], said[16] = { 0 };
    int ends[2];
    snprintf(wanted, sizeof wanted, "%d", *port);
    if (pipe(ends) != 0)
        exit(2);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl("/usr/bin/python3", "python3", server, video, wanted, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    CHECK(read(ends[0], said, sizeof said - 1) > 0);
    close(ends[0]);
    *port = atoi(said);
    CHECK(*port > 0);
    return child;
}

static void kill_server(pid_t server)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

/* A camera on the network that vanishes: it is opened again when it is back; the run goes on meanwhile. */
static void test_lost(lfr_engine *engine, lfr_watchlist *watchlist, const char *video, const char *script)
{
    char address[64];
    int port = 0;
    pid_t server = serve(script, video, &port);
    snprintf(address, sizeof address, "rtsp://127.0.0.1:%d/live", port);
    lfr_run *run;
    GIVES(lfr_run_create(engine, watchlist, NULL, &run), LFR_OK);
    GIVES(lfr_run_add_source(run, "network", address, LFR_PACE_AUTO), LFR_OK);
    GIVES(lfr_run_start(run), LFR_OK);
    lfr_camera_status camera = { .struct_size = sizeof camera };
    const struct timespec pause = { 0, 20000000 };
    wait_for_state(run, LFR_RUNNING);
    do {
        nanosleep(&pause, NULL);
        GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    } while (camera.frames_decoded == 0);
    kill_server(server);
    wait_for_state(run, LFR_RECONNECTING);
    GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    CHECK(camera.message[0] != 0 && camera.is_complete == 0);
    int64_t before = camera.frames_decoded;
    lfr_alert *alert;
    int32_t status = lfr_run_next_alert(run, 0, &alert);
    CHECK(status == LFR_TIMED_OUT || (status == LFR_OK && lfr_alert_destroy(alert) == LFR_OK));
    server = serve(script, video, &port);
    wait_for_state(run, LFR_RUNNING);
    do {
        nanosleep(&pause, NULL);
        GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    } while (camera.frames_decoded < before + 75);
    CHECK(camera.reconnects >= 1);
    /* And for good. Not where it was lost before: this server says how long its recording is, and one that ends there twice has ended. */
    kill_server(server);
    wait_for_state(run, LFR_RECONNECTING);
    GIVES(lfr_run_stop(run), LFR_OK);
    GIVES(lfr_run_get_camera(run, 0, &camera), LFR_OK);
    CHECK(camera.is_complete == 0);
    GIVES(lfr_run_destroy(run), LFR_OK);
}

static void *hammer(void *argument)
{
    waiter *what = argument;
    unsigned seed = (unsigned)(uintptr_t)what->camera;
    for (int i = 0; i < what->status; i++) {
        /* Slots that are in use, of a generation that none has reached. */
        seed = seed * 1664525u + 1013904223u;
        void *bits = (void *)(((uintptr_t)(1000000 + (seed & 7)) << 32) | (seed >> 20));
        float score;
        lfr_template_compare(bits, bits, &score);
        lfr_template_destroy(bits);
        lfr_run_stop(bits);
    }
    return NULL;
}

static void test_threads(int calls)
{
    pthread_t threads[4];
    waiter what[4];
    for (int i = 0; i < 4; i++) {
        what[i] = (waiter){ NULL, (lfr_camera *)(uintptr_t)(i + 1), calls };
        pthread_create(&threads[i], NULL, hammer, &what[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: capi_test MODELS WEIGHTS PHOTO VIDEO SCRATCH SERVER [quick]\n");
        return 2;
    }
    int quick = argc > 7;
    int64_t photo_size;
    uint8_t *photo = read_file(argv[3], &photo_size);
    test_library();
    lfr_engine *engine = test_engine(argv[1], argv[2]);
    test_images(engine);
    lfr_template *face = test_templates(engine, photo, photo_size);
    lfr_watchlist *watchlist = test_watchlists(engine, argv[3], photo, photo_size, argv[5]);
    test_search(watchlist, face);
    test_run_arguments(engine, watchlist, argv[4]);
    lfr_template *gone;
    lfr_image image = file_image(photo, photo_size);
    GIVES(lfr_template_create(engine, &image, NULL, NULL, &gone), LFR_OK);
    GIVES(lfr_template_destroy(gone), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 3);
    test_bad_handles(NULL, "NULL", engine, watchlist, face);
    test_bad_handles(&failures, "", engine, watchlist, face);
    test_bad_handles((void *)(intptr_t)-1, "", engine, watchlist, face);
    test_bad_handles((void *)(intptr_t)17, "", engine, watchlist, face);
    test_bad_handles(gone, "", engine, watchlist, face);
    test_bad_handles(engine, "another type", engine, watchlist, face);
    test_bad_handles(watchlist, "another type", engine, watchlist, face);
    test_bad_handles(face, "another type", engine, watchlist, face);
    CHECK(open_handles(LFR_HANDLE_ANY) == 3);
    if (!quick) {
        test_source(engine, watchlist, argv[4]);
        test_callback(engine, watchlist, argv[4]);
        test_pushed(engine, watchlist);
        test_cut(engine, watchlist, argv[4], argv[5]);
        test_lost(engine, watchlist, argv[4], argv[6]);
    }
    CHECK(open_handles(LFR_HANDLE_ANY) == 3);
    test_threads(quick ? 200 : 5000);
    CHECK(open_handles(LFR_HANDLE_ANY) == 3);
    /* In any order. */
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    REFUSES(lfr_engine_destroy(engine), LFR_BAD_HANDLE, "destroyed");
    int32_t count;
    lfr_candidate candidate;
    GIVES(lfr_search(watchlist, face, 0.3f, &candidate, 1, &count), LFR_OK);
    GIVES(lfr_watchlist_destroy(watchlist), LFR_OK);
    GIVES(lfr_template_destroy(face), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0);
    lfr_memory memory = { .struct_size = sizeof memory };
    GIVES(lfr_memory_report(&memory), LFR_OK);
    CHECK(memory.blocks_outstanding == 0);
    free(photo);
    printf("%d checks, %d failed\n", checks, failures);
    return failures ? 1 : 0;
}
