/*
 * Runs a clip through the library and prints what it came to as lines of JSON, with the times it took.
 * Usage: numbers MODELS WEIGHTS PHOTO VIDEO SCRATCH [run]
 * Leaves SCRATCH/list.lfr and SCRATCH/list.key, so that `lfr run` can be given the same watchlist. With run, single calls are not timed.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lfr_engine.h"

static void must(int32_t status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, lfr_last_error());
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds on the processor, whatever else the machine does: of this thread, or of the process. */
static double busy(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A search of a list of one person, and a comparison of two templates, which is little more than the way through the library. The best of five rounds. */
static void time_calls(lfr_engine *engine, lfr_watchlist *watchlist, const char *photo)
{
    enum { rounds = 5, calls = 20000 };
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(photo, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    lfr_image image = { .struct_size = sizeof image, .format = LFR_FILE, .plane = { bytes, NULL, NULL }, .size_bytes = (int64_t)size };
    lfr_template *face;
    must(lfr_template_create(engine, &image, NULL, NULL, &face), photo);
    float score;
    lfr_candidate candidate = { 0 };
    int32_t count;
    double compare = 1, search = 1;
    for (int round = 0; round < rounds; round++) {
        double began = busy(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < calls; i++)
            must(lfr_template_compare(face, face, &score), "compare");
        double compared = busy(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < calls; i++)
            must(lfr_search(watchlist, face, 0.3f, &candidate, 1, &count), "search");
        double searched = busy(CLOCK_THREAD_CPUTIME_ID);
        compare = compared - began < compare ? compared - began : compare;
        search = searched - compared < search ? searched - compared : search;
    }
    must(lfr_template_destroy(face), "template");
    printf("{\"compareMicroseconds\":%.3f,\"searchMicroseconds\":%.3f,\"score\":%.9g}\n", compare * 1e6 / calls, search * 1e6 / calls, (double)candidate.score);
}

static long resident_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    double began = now();
    lfr_engine_options options = { .struct_size = sizeof options, .models_folder = argv[1], .weights_folder = argv[2] };
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");
    double loaded = now();
    long at_rest = resident_kib();

    lfr_builder *builder;
    must(lfr_builder_create(engine, "1", &builder), "builder");
    lfr_person person = { .struct_size = sizeof person, .category = LFR_WANTED, .id = "person-1", .name = "person-1" };
    must(lfr_builder_add_person(builder, &person, NULL), "person");
    lfr_photo_result verdict = { .struct_size = sizeof verdict };
    must(lfr_builder_add_photo_file(builder, 0, argv[3], &verdict), argv[3]);
    lfr_watchlist *watchlist;
    must(lfr_builder_build(builder, &watchlist), "watchlist");
    must(lfr_builder_destroy(builder), "builder");
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    lfr_key key = { .struct_size = sizeof key, .kind = LFR_KEY_BYTES, .data = secret, .size_bytes = 32 };
    char path[1024];
    snprintf(path, sizeof path, "%s/list.lfr", argv[5]);
    must(lfr_watchlist_save(watchlist, path, &key), path);
    snprintf(path, sizeof path, "%s/list.key", argv[5]);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(secret, 1, 32, file) != 32 || fclose(file))
        return 1;

    if (argc == 6)
        time_calls(engine, watchlist, argv[3]);

    double started = now(), started_busy = busy(CLOCK_PROCESS_CPUTIME_ID), first = 0, first_busy = 0;
    lfr_run *run;
    must(lfr_run_create(engine, watchlist, NULL, &run), "run");
    must(lfr_run_add_source(run, "gate", argv[4], LFR_PACE_MAX), argv[4]);
    must(lfr_run_start(run), "start");
    lfr_alert *alert;
    int32_t status;
    while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK) {
        if (first == 0) {
            first = now();
            first_busy = busy(CLOCK_PROCESS_CPUTIME_ID);
        }
        lfr_alert_info info = { .struct_size = sizeof info };
        must(lfr_alert_get_info(alert, &info), "alert");
        printf("{\"alert\":\"%s\",\"score\":%.9g,\"completedUs\":%" PRId64 ",\"shots\":%" PRId32 "}\n", info.person_id, (double)info.score, info.completed_us, info.compared_shots);
        must(lfr_alert_destroy(alert), "alert");
    }
    must(status, "run");
    lfr_camera_status camera = { .struct_size = sizeof camera };
    must(lfr_run_get_camera(run, 0, &camera), "camera");
    lfr_run_summary summary = { .struct_size = sizeof summary };
    must(lfr_run_get_summary(run, &summary), "summary");
    lfr_memory memory = { .struct_size = sizeof memory };
    must(lfr_run_destroy(run), "run");
    must(lfr_memory_report(&memory), "memory");
    printf("{\"traceSha256\":\"%s\",\"frames\":%" PRId64 ",\"runSeconds\":%.3f,\"framesPerSecond\":%.1f,\"loadSeconds\":%.3f,\"startToFirstAlertSeconds\":%.3f,\"startToFirstAlertProcessorSeconds\":%.3f,\"restMiB\":%.1f,\"lateErasures\":%" PRId64 ",\"complete\":%" PRId32 "}\n",
           camera.trace_sha256, camera.frames_decoded, summary.elapsed_s, (double)camera.frames_decoded / summary.elapsed_s, loaded - began, first - started, first_busy - started_busy,
           (double)at_rest / 1024, summary.deadline_breaches, camera.is_complete);
    must(lfr_watchlist_destroy(watchlist), "watchlist");
    must(lfr_engine_destroy(engine), "engine");
    return 0;
}
