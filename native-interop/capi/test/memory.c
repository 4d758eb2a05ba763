/*
 * Runs a load and prints what it held at most against what lfr_memory_estimate says. Ends with 1 when that was too little, or more than 1.4 times as
 * much: the peak differs by a sixth from run to run.
 * Usage: memory MODELS WEIGHTS LIST KEYFILE CLIP CAMERAS WIDTH HEIGHT WORKERS REFERENCES
 *        memory MODELS WEIGHTS PHOTO WIDTH HEIGHT     enrolment and a single call
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfr_engine.h"

static const double most_over = 1.4;

static void must(int32_t status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, lfr_last_error());
        exit(2);
    }
}

static lfr_memory report(void)
{
    lfr_memory memory = { .struct_size = sizeof memory };
    must(lfr_memory_report(&memory), "report");
    return memory;
}

static lfr_engine *engine_of(char **argv, int64_t limit)
{
    lfr_engine_options options = { .struct_size = sizeof options, .models_folder = argv[1], .weights_folder = argv[2], .max_memory_bytes = limit };
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");
    return engine;
}

static int judge(const char *what, int64_t estimate, int64_t peak)
{
    double ratio = (double)estimate / (double)peak;
    printf("%s: peak %.1f MiB, estimate %.1f MiB, %.2f\n", what, (double)peak / 1048576, (double)estimate / 1048576, ratio);
    return ratio >= 1 && ratio <= most_over ? 0 : 1;
}

/* What the members for photos add to any load, against what enrolling one and a single call add to an engine. */
static int enrol(char **argv)
{
    lfr_load load = { .struct_size = sizeof load, .photo_width = atoi(argv[4]), .photo_height = atoi(argv[5]) };
    int64_t with, without;
    must(lfr_memory_estimate(&load, &with), "estimate");
    load.photo_width = load.photo_height = 0;
    must(lfr_memory_estimate(&load, &without), "estimate");
    lfr_engine *engine = engine_of(argv, 0);
    int64_t before = report().held_bytes;
    lfr_builder *builder;
    lfr_person person = { .struct_size = sizeof person, .id = "a", .name = "A" };
    lfr_photo_result result = { .struct_size = sizeof result };
    must(lfr_builder_create(engine, "1", &builder), "builder");
    must(lfr_builder_add_person(builder, &person, NULL), "person");
    must(lfr_builder_add_photo_file(builder, 0, argv[3], &result), argv[3]);
    must(lfr_builder_destroy(builder), "builder");
    FILE *file = fopen(argv[3], "rb");
    static uint8_t bytes[1 << 24];
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { bytes, NULL, NULL }, .size_bytes = file ? (int64_t)fread(bytes, 1, sizeof bytes, file) : 0 };
    lfr_template *face;
    must(lfr_template_create(engine, &image, NULL, NULL, &face), argv[3]);
    char what[64];
    snprintf(what, sizeof what, "enrolment, %sx%s", argv[4], argv[5]);
    return judge(what, with - without, report().peak_bytes - before);
}

int main(int argc, char **argv)
{
    if (argc == 6)
        return enrol(argv);
    if (argc != 11)
        return 2;
    lfr_load load = { .struct_size = sizeof load, .cameras = atoi(argv[6]), .width = atoi(argv[7]), .height = atoi(argv[8]), .worker_threads = atoi(argv[9]), .photos = 1, .reference_frames = atoi(argv[10]) };
    int64_t estimate;
    must(lfr_memory_estimate(&load, &estimate), "estimate");
    lfr_engine *engine = engine_of(argv, estimate);
    lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_FILE, .data = argv[4], .size_bytes = (int64_t)strlen(argv[4]) };
    lfr_watchlist *watchlist;
    must(lfr_watchlist_load(engine, argv[3], &key, &watchlist), argv[3]);
    lfr_run_options run_options = { .struct_size = sizeof run_options, .worker_threads = load.worker_threads };
    lfr_run *run;
    must(lfr_run_create(engine, watchlist, &run_options, &run), "run");
    for (int i = 0; i < load.cameras; i++) {
        char name[32];
        snprintf(name, sizeof name, "camera %d", i);
        must(lfr_run_add_source(run, name, argv[5], LFR_PACE_MAX), argv[5]);
    }
    must(lfr_run_start(run), "start");
    lfr_alert *alert;
    int32_t status;
    while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK)
        must(lfr_alert_destroy(alert), "alert");
    must(status, "run");
    int complete = 1;
    for (int i = 0; i < load.cameras; i++) {
        lfr_camera_status camera = { .struct_size = sizeof camera };
        must(lfr_run_get_camera(run, i, &camera), "camera");
        complete &= camera.is_complete;
        if (!camera.is_complete)
            fprintf(stderr, "%s\n", camera.message);
    }
    must(lfr_run_destroy(run), "run");
    char what[96];
    snprintf(what, sizeof what, "%d camera(s) of %dx%d, %d worker(s), %d reference frame(s)", (int)load.cameras, (int)load.width, (int)load.height, (int)load.worker_threads, (int)load.reference_frames);
    return judge(what, estimate, report().peak_bytes) | !complete;
}
