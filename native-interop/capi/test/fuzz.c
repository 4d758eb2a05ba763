/*
 * Random calls of every function, from several threads: null, negative, huge, wrong sizes, handles of another type, destroyed ones and none at all.
 * What must hold: no crash, no status but those of lfr_engine.h, a sentence with every error, nothing written beyond what was given, and nothing open
 * or rented in the end.
 * Usage: fuzz MODELS WEIGHTS PHOTO CALLS [SEED]
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { thread_count = 4, slot_count = 64, guard_bytes = 64, room_bytes = 1 << 16 };

static const char *models, *weights;
static _Atomic(void *) slots[slot_count];
static _Atomic int64_t calls_left;
static _Atomic int faults;
static lfr_engine *engine;
static uint8_t *photo;
static int64_t photo_size;
static _Atomic int64_t by_function[64];

typedef struct rng {
    uint64_t state;
    uint8_t room[room_bytes];
    union {
        lfr_engine_options engine_options;
        lfr_engine_info engine_info;
        lfr_person person;
        lfr_photo_result photo_result;
        lfr_key key;
        lfr_watchlist_info watchlist_info;
        lfr_person_info person_info;
        lfr_run_options run_options;
        lfr_camera_status camera_status;
        lfr_run_summary summary;
        lfr_alert_info alert_info;
        lfr_quality quality;
        lfr_memory memory;
        lfr_event event;
        lfr_load load;
        lfr_evidence evidence;
        lfr_image image;
        uint8_t bytes[4096];
    } data, second;
} rng;

static uint32_t next(rng *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)(r->state >> 16);
}

static int one_in(rng *r, uint32_t n) { return next(r) % n == 0; }

static int32_t number(rng *r)
{
    static const int32_t odd[] = { 0, 1, -1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 102, 255, 256, 4096, 16384, 16385, 65535, INT32_MAX, INT32_MIN, INT32_MIN + 1, INT32_MAX - 1 };
    return one_in(r, 4) ? (int32_t)next(r) : odd[next(r) % (sizeof odd / sizeof *odd)];
}

static int64_t large(rng *r)
{
    static const int64_t odd[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT32_MAX, (int64_t)INT32_MAX + 1, 1 << 26, (1 << 26) + 1 };
    return one_in(r, 2) ? number(r) : odd[next(r) % (sizeof odd / sizeof *odd)];
}

static float real(rng *r)
{
    static const float odd[] = { 0, 1, -1, 0.5f, 0.3f, 1.5f, -1.5f, NAN, INFINITY, -INFINITY, 1e-40f, 1e30f };
    return odd[next(r) % (sizeof odd / sizeof *odd)];
}

static const char *text(rng *r)
{
    static char endless[70000];
    static const char *const odd[] = { NULL, "", "a", "\xff\xfe", "gate", "/no/such", "\n\x1b[31m", "J\xc3\xb6rg", "rtsp://user:secret@127.0.0.1:1/x", "gopher://x", "person-1", "%s%n", endless };
    if (endless[0] == 0)
        memset(endless, 'x', sizeof endless - 1);
    return odd[next(r) % (sizeof odd / sizeof *odd)];
}

/* Anything that may stand where a handle does; mostly something that is one, of any type. */
static void *handle(rng *r)
{
    if (one_in(r, 12))
        return NULL;
    if (one_in(r, 12))
        return (void *)(uintptr_t)(((uint64_t)next(r) << 32) | next(r));
    if (one_in(r, 12))
        return (void *)(uintptr_t)(next(r) & 0xfff);
    if (one_in(r, 6))
        return engine;
    return slots[next(r) % slot_count];
}

/* The engine only goes in the end. */
static void *lost(rng *r)
{
    void *given = handle(r);
    return given == (void *)engine ? NULL : given;
}

static void destroy(void *of_any_type)
{
    lfr_builder_destroy(of_any_type);
    lfr_watchlist_destroy(of_any_type);
    lfr_run_destroy(of_any_type);
    lfr_camera_destroy(of_any_type);
    lfr_alert_destroy(of_any_type);
    lfr_template_destroy(of_any_type);
}

/* Takes the place of another, which goes. */
static void put(int slot, void *made)
{
    destroy(atomic_exchange(&slots[slot], made));
}

static void keep(rng *r, void *made)
{
    if (made)
        put((int)(next(r) % slot_count), made);
}

/* A structure full of anything, with a size that is right, wrong or missing; behind it what must not change. */
static void *filled(rng *r, void *structure, uint32_t size)
{
    if (one_in(r, 16))
        return NULL;
    uint32_t *words = structure;
    for (uint32_t i = 0; i < size / 4; i++)
        words[i] = one_in(r, 3) ? (uint32_t)number(r) : 0;
    words[0] = one_in(r, 8) ? (uint32_t)number(r) % (size + 1) : size;
    memset((uint8_t *)structure + size, 0xa5, guard_bytes);
    return structure;
}

static void intact(const void *structure, uint32_t size, const char *what)
{
    for (int i = 0; structure && i < guard_bytes; i++)
        if (((const uint8_t *)structure)[size + i] != 0xa5) {
            fprintf(stderr, "%s was written beyond its end\n", what);
            faults++;
            return;
        }
}

/* Planes are room_bytes of ours: sizes are small, or such that they are refused. */
static lfr_image *picture(rng *r)
{
    lfr_image *image = filled(r, &r->data.image, sizeof *image);
    if (!image)
        return NULL;
    static const int32_t formats[] = { LFR_GREY, LFR_I420, LFR_NV12, LFR_RGB, LFR_BGR, LFR_FILE, LFR_DMABUF, LFR_D3D11, LFR_D3D12, 0, -1, 7, 99 };
    image->format = formats[next(r) % (sizeof formats / sizeof *formats)];
    static const int32_t sides[] = { 1, 2, 3, 17, 64, 100, 0, -1, 16385, INT32_MAX, INT32_MIN };
    image->width = sides[next(r) % 11];
    image->height = sides[next(r) % 11];
    image->size_bytes = one_in(r, 4) ? large(r) % room_bytes : room_bytes / 2;
    for (int i = 0; i < 3; i++) {
        image->plane[i] = one_in(r, 12) ? NULL : r->room + i * 100;
        static const int32_t strides[] = { 1, 64, 100, 300, 320, 0, -1, INT32_MIN };
        image->row_stride[i] = strides[next(r) % 8];
    }
    image->reserved = one_in(r, 12) ? number(r) : 0;
    image->matrix = (int32_t)(next(r) % 4);
    image->range = (int32_t)(next(r) % 3);
    return image;
}

static void on_release(void *user) { (void)user; }
static void on_alert(lfr_alert *alert, void *user)
{
    (void)user;
    lfr_alert_destroy(alert);
}
static void on_event(const lfr_event *event, void *user)
{
    (void)user;
    if (event->kind < LFR_EVENT_CAMERA || event->kind > LFR_EVENT_OVER)
        faults++;
}

static void judge(int32_t status, int function)
{
    by_function[function]++;
    if (status < 0 && lfr_last_error()[0] == 0) {
        fprintf(stderr, "function %d: an error without a sentence\n", function);
        faults++;
    }
    if (strcmp(lfr_status_name(status), "unknown") == 0 || status == LFR_INTERNAL) {
        fprintf(stderr, "function %d: status %d: %s\n", function, (int)status, lfr_last_error());
        faults++;
    }
}

#define WITH(structure, member, call, function)                    \
    do {                                                           \
        void *s = filled(r, &(structure), sizeof(member));         \
        judge(call, function);                                     \
        intact(s, sizeof(member), #member);                        \
    } while (0)

static void call(rng *r)
{
    void *made = r;
    int32_t count = 0, other = 0;
    int64_t size = 0;
    float score = 0;
    uint8_t *buffer = one_in(r, 3) ? NULL : r->room;
    int64_t capacity = buffer ? (one_in(r, 8) ? -1 : (int64_t)(next(r) % room_bytes)) : large(r);
    int function = (int)(next(r) % 50);
    switch (function) {
    case 0: judge(lfr_open_handles(number(r), one_in(r, 8) ? NULL : &size), function); break;
    case 1: WITH(r->data, lfr_memory, lfr_memory_report(s), function); break;
    case 2: WITH(r->data, lfr_load, lfr_memory_estimate(s, one_in(r, 8) ? NULL : &size), function); break;
    case 3: {
        lfr_engine_options *options = filled(r, &r->data, sizeof *options);
        if (options) {
            /* Never all that is needed: a whole engine takes a second. */
            options->models_folder = one_in(r, 4) ? models : text(r);
            options->weights_folder = one_in(r, 4) ? models : text(r);
            options->detector = text(r);
            options->embedder = text(r);
            lfr_bytes bytes[2] = { { r->room, one_in(r, 3) ? 100 : 0 }, { NULL, 1 } };
            options->model_files = one_in(r, 4) ? bytes : NULL;
            options->model_file_count = number(r) % 3;
            options->max_memory_bytes = options->max_memory_bytes < 0 ? -1 : 0;
            options->on_log = NULL;
            judge(lfr_engine_create(options, (lfr_engine **)(one_in(r, 8) ? NULL : &made)), function);
        }
        break;
    }
    case 4: WITH(r->data, lfr_engine_info, lfr_engine_get_info(handle(r), s), function); break;
    case 5: judge(lfr_engine_destroy(lost(r)), function); break;
    case 6:
        judge(lfr_builder_create(handle(r), text(r), (lfr_builder **)&made), function);
        keep(r, made);
        break;
    case 7: {
        lfr_person *person = filled(r, &r->data, sizeof *person);
        if (person) {
            person->id = text(r);
            person->name = text(r);
            person->reference = text(r);
        }
        judge(lfr_builder_add_person(handle(r), person, one_in(r, 4) ? NULL : &count), function);
        break;
    }
    case 8: {
        lfr_photo_result *result = filled(r, &r->data, sizeof *result);
        int whole = one_in(r, 3000);
        judge(lfr_builder_add_photo(handle(r), whole ? 0 : number(r), whole ? photo : buffer, whole ? photo_size : capacity % room_bytes, result), function);
        intact(result, sizeof *result, "lfr_photo_result");
        break;
    }
    case 9: WITH(r->data, lfr_photo_result, lfr_builder_add_photo_file(handle(r), number(r), text(r), s), function); break;
    case 10:
        judge(lfr_builder_build(handle(r), (lfr_watchlist **)(one_in(r, 8) ? NULL : &made)), function);
        if (made != r)
            keep(r, made);
        break;
    case 11: judge(lfr_builder_destroy(lost(r)), function); break;
    case 12:
    case 13: {
        lfr_key *key = filled(r, &r->data, sizeof *key);
        if (key) {
            key->kind = number(r) % 5;
            key->data = one_in(r, 8) ? NULL : r->room;
            key->size_bytes = one_in(r, 2) ? (int64_t)(next(r) % 5000) : large(r);
            /* A passphrase is stretched, which takes a second. */
            if (key->kind == LFR_KEY_PASSPHRASE)
                key->size_bytes = -1;
        }
        if (function == 12) {
            judge(lfr_watchlist_load(handle(r), text(r), key, (lfr_watchlist **)&made), function);
            keep(r, made);
        } else {
            judge(lfr_watchlist_save(handle(r), "/no/such/folder/list.lfr", key), function);
        }
        break;
    }
    case 14: WITH(r->data, lfr_watchlist_info, lfr_watchlist_get_info(handle(r), s), function); break;
    case 15: WITH(r->data, lfr_person_info, lfr_watchlist_get_person(handle(r), number(r), s), function); break;
    case 16: judge(lfr_watchlist_get_photo(handle(r), number(r), buffer, capacity, one_in(r, 8) ? NULL : &size), function); break;
    case 17: judge(lfr_watchlist_lookalikes(handle(r), real(r), (lfr_lookalike *)(void *)buffer, buffer ? (int32_t)(capacity / 20) : number(r), one_in(r, 8) ? NULL : &count), function); break;
    case 18: judge(lfr_watchlist_destroy(lost(r)), function); break;
    case 19: {
        lfr_run_options *options = filled(r, &r->data, sizeof *options);
        if (options) {
            options->on_alert = one_in(r, 2) ? on_alert : NULL;
            options->on_event = one_in(r, 2) ? on_event : NULL;
            options->worker_threads = one_in(r, 2) ? 1 : number(r);
            for (int i = 0; i < 5; i++)
                options->thresholds[i] = one_in(r, 8) ? real(r) : 0;
        }
        judge(lfr_run_create(handle(r), handle(r), options, (lfr_run **)(one_in(r, 8) ? NULL : &made)), function);
        if (made != r)
            keep(r, made);
        break;
    }
    case 20: judge(lfr_run_add_source(handle(r), text(r), one_in(r, 2) ? "/no/such/clip.mp4" : text(r), number(r)), function); break;
    case 21:
        judge(lfr_run_add_camera(handle(r), text(r), number(r), (lfr_camera **)&made), function);
        keep(r, made);
        break;
    case 22:
        if (one_in(r, 2000))
            judge(lfr_run_start(handle(r)), function);
        break;
    case 23:
        judge(lfr_run_next_alert(handle(r), one_in(r, 8) ? -2 : 0, (lfr_alert **)&made), function);
        keep(r, made);
        break;
    case 24: WITH(r->data, lfr_camera_status, lfr_run_get_camera(handle(r), number(r), s), function); break;
    case 25: WITH(r->data, lfr_run_summary, lfr_run_get_summary(handle(r), s), function); break;
    case 26: WITH(r->data, lfr_event, lfr_run_next_event(handle(r), one_in(r, 8) ? -2 : 0, s), function); break;
    case 27: judge(lfr_run_get_receipt(handle(r), text(r), buffer, capacity, &size), function); break;
    case 28: judge(lfr_run_swap_watchlist(handle(r), handle(r)), function); break;
    case 29: judge(lfr_run_stop(handle(r)), function); break;
    case 30: judge(lfr_run_destroy(lost(r)), function); break;
    case 31: judge(lfr_camera_push(handle(r), picture(r), large(r), 0), function); break;
    case 32: judge(lfr_camera_push_borrowed(handle(r), picture(r), large(r), 0, one_in(r, 8) ? NULL : on_release, NULL), function); break;
    case 33: judge(lfr_camera_end(handle(r)), function); break;
    case 34: judge(lfr_camera_destroy(lost(r)), function); break;
    case 35: WITH(r->data, lfr_alert_info, lfr_alert_get_info(handle(r), s), function); break;
    case 36: judge(lfr_alert_get_photo(handle(r), buffer, capacity, one_in(r, 8) ? NULL : &size), function); break;
    case 37: judge(lfr_alert_get_pixels(handle(r), number(r), buffer, capacity, one_in(r, 8) ? NULL : &count, &other), function); break;
    case 38: judge(lfr_alert_destroy(lost(r)), function); break;
    case 39:
        /* The networks run: rarely with everything right. */
        judge(lfr_detect(one_in(r, 500) ? engine : slots[next(r) % slot_count], picture(r), (lfr_face *)(void *)buffer, buffer ? (int32_t)(capacity / 20) : number(r), one_in(r, 8) ? NULL : &count), function);
        break;
    case 40: {
        lfr_image *image = picture(r);
        lfr_quality *quality = filled(r, &r->second, sizeof *quality);
        lfr_box box = { real(r), real(r), real(r), real(r) };
        void *of = one_in(r, 500) ? (void *)engine : slots[next(r) % slot_count];
        judge(one_in(r, 2) ? lfr_template_create(of, image, one_in(r, 2) ? &box : NULL, quality, (lfr_template **)&made)
                           : lfr_template_create_as(of, image, one_in(r, 2) ? &box : NULL, number(r), quality, (lfr_template **)&made), function);
        intact(quality, sizeof *quality, "lfr_quality");
        keep(r, made);
        break;
    }
    case 41: judge(lfr_template_compare(handle(r), handle(r), one_in(r, 8) ? NULL : &score), function); break;
    case 42: judge(lfr_template_export(handle(r), buffer, capacity, one_in(r, 8) ? NULL : &size), function); break;
    case 43: {
        /* Of a template that is one, a byte changed. */
        uint8_t bytes[4096];
        memset(bytes, 0, sizeof bytes);
        if (lfr_template_export(handle(r), bytes, sizeof bytes, &size) != LFR_OK)
            size = (int64_t)(next(r) % sizeof bytes);
        if (one_in(r, 2))
            bytes[next(r) % sizeof bytes] ^= (uint8_t)next(r);
        judge(lfr_template_import(handle(r), one_in(r, 12) ? NULL : bytes, one_in(r, 8) ? -large(r) % 4000 - 1 : size, (lfr_template **)&made), function);
        keep(r, made);
        break;
    }
    case 44: judge(lfr_template_destroy(lost(r)), function); break;
    case 45: judge(lfr_search(handle(r), handle(r), real(r), (lfr_candidate *)(void *)buffer, buffer ? (int32_t)(capacity / 12) : number(r), one_in(r, 8) ? NULL : &count), function); break;
    case 46: judge(lfr_builder_add_template(handle(r), number(r) % 3, handle(r), real(r)), function); break;
    case 47: {
        static const char key[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmcvJ/aJfay3+mOfQU9xFH5muiDAp\n"
                                "3PzSjbwB5UdFBoZxQVBMHsVlQSDYGGnxIRGc1cdTyZnTnaDL6Earc7Q4OA==\n"
                                "-----END PUBLIC KEY-----\n";
        static const char *const files[] = { "", "{}", "[1]", "{\"evidence\":1,\"publicKey\":\"x\",\"signature\":\"\"}", "{\"evidence\":{},\"publicKey\":null,\"signature\":[]}" };
        const char *file = one_in(r, 3) ? (const char *)buffer : files[next(r) % (sizeof files / sizeof *files)];
        int64_t bytes = file == (const char *)buffer ? capacity % room_bytes : (int64_t)strlen(file);
        /* Nothing, or far too much: a size that is merely wrong would be read. */
        if (one_in(r, 8))
            bytes = one_in(r, 2) ? INT64_MAX : -(int64_t)(next(r) % 4000);
        WITH(r->data, lfr_evidence, lfr_evidence_check(handle(r), (const uint8_t *)file, bytes, one_in(r, 4) ? text(r) : key, real(r), number(r), large(r), s), function);
        break;
    }
    case 48: judge(lfr_builder_remove_person(handle(r), number(r) % 3), function); break;
    default: {
        const struct lfr_api *api = lfr_get_api(next(r) % 4);
        if (api)
            judge(api->memory_estimate(NULL, &size), function);
    }
    }
}

static void *work(void *argument)
{
    rng *r = argument;
    while (atomic_fetch_sub(&calls_left, 1) > 0)
        call(r);
    return NULL;
}

static int64_t resident(void)
{
    long pages = 0, unused = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &unused, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void seed_slots(void)
{
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { photo, NULL, NULL }, .size_bytes = photo_size };
    lfr_builder *builder;
    lfr_watchlist *watchlist;
    lfr_person person = { .struct_size = sizeof person, .id = "person-1", .name = "A" };
    for (int i = 0; i < 4; i++) {
        lfr_template *face;
        GIVES(lfr_template_create(engine, &image, NULL, NULL, &face), LFR_OK);
        put(i, face);
    }
    GIVES(lfr_builder_create(engine, "1", &builder), LFR_OK);
    GIVES(lfr_builder_add_person(builder, &person, NULL), LFR_OK);
    GIVES(lfr_builder_add_template(builder, 0, slots[0], 0.5f), LFR_OK);
    GIVES(lfr_builder_build(builder, &watchlist), LFR_OK);
    put(4, builder);
    put(5, watchlist);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    models = argv[1];
    weights = argv[2];
    photo = read_file(argv[3], &photo_size);
    const int64_t calls = atoll(argv[4]);
    uint64_t seed = argc > 5 ? strtoull(argv[5], NULL, 10) : (uint64_t)time(NULL);
    lfr_engine_options options = { .struct_size = sizeof options, .models_folder = models, .weights_folder = weights };
    GIVES(lfr_engine_create(&options, &engine), LFR_OK);
    static rng all[thread_count];
    int64_t settled = 0, done = 0;
    /* In ten parts: each begins with handles that are good, and what is left over goes in the end. */
    for (int part = 0; part < 10; part++) {
        seed_slots();
        calls_left = calls / 10;
        pthread_t threads[thread_count];
        for (int i = 0; i < thread_count; i++) {
            all[i].state = seed + (uint64_t)(part * thread_count + i + 1) * 0x9e3779b97f4a7c15u;
            pthread_create(&threads[i], NULL, work, &all[i]);
        }
        for (int i = 0; i < thread_count; i++)
            pthread_join(threads[i], NULL);
        done += calls / 10;
        /* The runtime gives memory back and takes it again. */
        if (part < 5 && resident() > settled)
            settled = resident();
    }
    for (int i = 0; i < slot_count; i++)
        put(i, NULL);
    CHECK(open_handles(LFR_HANDLE_ANY) == 1);
    GIVES(lfr_engine_destroy(engine), LFR_OK);
    CHECK(open_handles(LFR_HANDLE_ANY) == 0);
    lfr_memory memory = { .struct_size = sizeof memory };
    GIVES(lfr_memory_report(&memory), LFR_OK);
    CHECK(memory.blocks_outstanding == 0);
    int64_t more = resident() - settled;
    CHECK(calls < 1000000 || more < 32 << 20);
    int64_t least = INT64_MAX;
    for (int i = 0; i < 50; i++)
        least = by_function[i] < least ? by_function[i] : least;
    printf("%" PRId64 " calls of 50 kinds (each at least %" PRId64 " times), seed %" PRIu64 "; %" PRId64 " KiB more after the second half; %d faults\n", done, least, seed, more / 1024, faults + failures);
    return faults + failures ? 1 : 0;
}
