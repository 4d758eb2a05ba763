/* Watches a file and prints alerts. Usage: watch MODELS WEIGHTS PHOTO VIDEO */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfr_engine.h"

static void must(int32_t status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s (%s)\n", what, lfr_last_error(), lfr_status_name(status));
        exit(1);
    }
}

/* A list of one person. */
static lfr_watchlist *list_of(lfr_engine *engine, const char *photo)
{
    lfr_builder *builder;
    must(lfr_builder_create(engine, "1", &builder), "builder");

    lfr_person person;
    memset(&person, 0, sizeof person);
    person.struct_size = sizeof person;
    person.category = LFR_WANTED;
    person.id = "person-1";
    person.name = "The person in the photo";
    int32_t index;
    must(lfr_builder_add_person(builder, &person, &index), "person");

    lfr_photo_result verdict;
    memset(&verdict, 0, sizeof verdict);
    verdict.struct_size = sizeof verdict;
    must(lfr_builder_add_photo_file(builder, index, photo, &verdict), photo);
    if (verdict.reasons[0])
        fprintf(stderr, "%s: %s\n", photo, verdict.reasons);

    lfr_watchlist *watchlist;
    must(lfr_builder_build(builder, &watchlist), "watchlist");
    must(lfr_builder_destroy(builder), "builder");
    return watchlist;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: watch MODELS WEIGHTS PHOTO VIDEO\n");
        return 2;
    }
    lfr_engine_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.models_folder = argv[1];
    options.weights_folder = argv[2];
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");

    lfr_watchlist *watchlist = list_of(engine, argv[3]);
    lfr_run *run;
    must(lfr_run_create(engine, watchlist, NULL, &run), "run");
    must(lfr_run_add_source(run, "file", argv[4], LFR_PACE_MAX), argv[4]);
    must(lfr_run_start(run), "start");

    lfr_alert *alert;
    int32_t status;
    while ((status = lfr_run_next_alert(run, -1, &alert)) == LFR_OK) {
        lfr_alert_info info;
        memset(&info, 0, sizeof info);
        info.struct_size = sizeof info;
        must(lfr_alert_get_info(alert, &info), "alert");
        printf("alert %s at %.2f s: %s, score %.9g, %" PRId32 " shots\n", info.camera, (double)info.completed_us / 1e6, info.person_id,
               (double)info.score, info.agreeing_shots);
        must(lfr_alert_destroy(alert), "alert");
    }
    must(status, "run");

    lfr_camera_status camera;
    memset(&camera, 0, sizeof camera);
    camera.struct_size = sizeof camera;
    must(lfr_run_get_camera(run, 0, &camera), "camera");
    lfr_run_summary summary;
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    must(lfr_run_get_summary(run, &summary), "summary");
    printf("frames %" PRId64 ", seconds %.3f, erased %" PRId64 ", late %" PRId64 ", trace %s %s\n", camera.frames_decoded, summary.elapsed_s,
           summary.frames_erased, summary.deadline_breaches, camera.trace_sha256, camera.message);

    must(lfr_run_destroy(run), "run");
    must(lfr_watchlist_destroy(watchlist), "watchlist");
    must(lfr_engine_destroy(engine), "engine");
    return camera.is_complete ? 0 : 3;
}
