/*
 * A program of a vendor that has seen a clip and goes on: for the search of its memory (EngineForensicsTests).
 * Usage: held MODELS WEIGHTS LIST KEYFILE CLIP. Says "clip" "ended" when the clip is over, and waits to be killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lfr_engine.h"

static void must(int32_t status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s (%s)\n", what, lfr_last_error(), lfr_status_name(status));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    lfr_engine_options options = { .struct_size = sizeof options, .models_folder = argv[1], .weights_folder = argv[2] };
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");
    lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_FILE, .data = argv[4], .size_bytes = (int64_t)strlen(argv[4]) };
    lfr_watchlist *watchlist;
    must(lfr_watchlist_load(engine, argv[3], &key, &watchlist), argv[3]);
    lfr_run_options run_options = { .struct_size = sizeof run_options, .detect_every_ms = -1 };
    lfr_run *run;
    must(lfr_run_create(engine, watchlist, &run_options, &run), "run");
    must(lfr_run_add_source(run, "clip", argv[5], LFR_PACE_MAX), argv[5]);
    must(lfr_run_start(run), "start");
    lfr_alert *alert;
    must(lfr_run_next_alert(run, -1, &alert), "run");
    lfr_camera_status camera = { .struct_size = sizeof camera };
    must(lfr_run_get_camera(run, 0, &camera), "camera");
    printf("\"clip\" \"ended\" %s\n", camera.is_complete && camera.faces_seen > 0 ? "whole" : camera.message);
    fflush(stdout);
    /* The run, the list and the networks are still there. */
    for (;;)
        pause();
}
