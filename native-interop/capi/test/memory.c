/*
 * Runs a load and prints what it held at most against what lfr_memory_estimate says. Ends with 1 when that was too little.
 * Usage: memory MODELS WEIGHTS LIST KEYFILE CLIP CAMERAS WIDTH HEIGHT WORKERS
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfr_engine.h"

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

int main(int argc, char **argv)
{
    if (argc != 10)
        return 2;
    lfr_load load = { .struct_size = sizeof load, .cameras = atoi(argv[6]), .width = atoi(argv[7]), .height = atoi(argv[8]), .worker_threads = atoi(argv[9]), .photos = 1 };
    int64_t estimate;
    must(lfr_memory_estimate(&load, &estimate), "estimate");
    lfr_engine_options options = { .struct_size = sizeof options, .models_folder = argv[1], .weights_folder = argv[2], .max_memory_bytes = estimate };
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");
    lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_FILE, .data = argv[4], .size_bytes = (int64_t)strlen(argv[4]) };
    lfr_watchlist *watchlist;
    must(lfr_watchlist_load(engine, argv[3], &key, &watchlist), argv[3]);
    int64_t at_rest = report().held_bytes;
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
    printf("%d camera(s) of %dx%d, %d worker(s): networks and list %.1f MiB, peak %.1f MiB, estimate %.1f MiB\n", (int)load.cameras, (int)load.width, (int)load.height,
           (int)load.worker_threads, (double)at_rest / 1048576, (double)report().peak_bytes / 1048576, (double)estimate / 1048576);
    return complete && report().peak_bytes <= estimate ? 0 : 1;
}
