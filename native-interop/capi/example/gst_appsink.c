/* Pushes the frames of a GStreamer pipeline without a copy. Usage: gst_appsink MODELS WEIGHTS LIST KEYFILE PIPELINE
 * PIPELINE ends where pictures come out, for example: filesrc location=clip.mp4 ! decodebin ! videoconvert */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "lfr_engine.h"

static void must(int32_t status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s (%s)\n", what, lfr_last_error(), lfr_status_name(status));
        exit(1);
    }
}

/* A mapped frame, until the library is done with it. */
typedef struct loan {
    GstSample *sample;
    GstVideoFrame frame;
} loan;

static void on_release(void *user)
{
    loan *lent = user;
    gst_video_frame_unmap(&lent->frame);
    gst_sample_unref(lent->sample);
    g_free(lent);
}

static void on_alert(lfr_alert *alert, void *user)
{
    (void)user;
    lfr_alert_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    must(lfr_alert_get_info(alert, &info), "alert");
    printf("alert %s at %.2f s: %s, score %.9g\n", info.camera, (double)info.completed_us / 1e6, info.person_id, (double)info.score);
    must(lfr_alert_destroy(alert), "alert");
}

static int push(lfr_camera *camera, GstSample *sample)
{
    GstVideoInfo shape;
    loan *lent = g_new0(loan, 1);
    lent->sample = sample;
    if (!gst_video_info_from_caps(&shape, gst_sample_get_caps(sample)) || !gst_video_frame_map(&lent->frame, &shape, gst_sample_get_buffer(sample), GST_MAP_READ)) {
        fprintf(stderr, "a frame cannot be read\n");
        exit(1);
    }
    lfr_image image;
    memset(&image, 0, sizeof image);
    image.struct_size = sizeof image;
    image.format = LFR_NV12;
    image.width = GST_VIDEO_FRAME_WIDTH(&lent->frame);
    image.height = GST_VIDEO_FRAME_HEIGHT(&lent->frame);
    for (int i = 0; i < 2; i++) {
        image.plane[i] = GST_VIDEO_FRAME_PLANE_DATA(&lent->frame, i);
        image.row_stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&lent->frame, i);
    }
    image.matrix = shape.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? LFR_BT601 : shape.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT2020 ? LFR_BT2020 : LFR_BT709;
    image.range = shape.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? LFR_FULL : LFR_LIMITED;
    int32_t status = lfr_camera_push_borrowed(camera, &image, (int64_t)(GST_BUFFER_PTS(gst_sample_get_buffer(sample)) / 1000), -1, on_release, lent);
    must(status, "push");
    if (status != LFR_OK)
        on_release(lent);
    return status == LFR_OK;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: gst_appsink MODELS WEIGHTS LIST KEYFILE PIPELINE\n");
        return 2;
    }
    gst_init(&argc, &argv);
    lfr_engine_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.models_folder = argv[1];
    options.weights_folder = argv[2];
    lfr_engine *engine;
    must(lfr_engine_create(&options, &engine), "engine");
    lfr_key key = { sizeof key, LFR_KEY_FILE, argv[4], (int64_t)strlen(argv[4]) };
    lfr_watchlist *watchlist;
    must(lfr_watchlist_load(engine, argv[3], &key, &watchlist), argv[3]);
    lfr_run_options run_options;
    memset(&run_options, 0, sizeof run_options);
    run_options.struct_size = sizeof run_options;
    run_options.on_alert = on_alert;
    lfr_run *run;
    lfr_camera *camera;
    must(lfr_run_create(engine, watchlist, &run_options, &run), "run");
    must(lfr_run_add_camera(run, "gst", LFR_PACE_MAX, &camera), "camera");
    must(lfr_run_start(run), "start");

    gchar *text = g_strdup_printf("%s ! video/x-raw,format=NV12 ! appsink name=sink sync=false max-buffers=4", argv[5]);
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(text, &error);
    g_free(text);
    if (!pipeline || error) {
        fprintf(stderr, "%s\n", error ? error->message : "no pipeline");
        return 1;
    }
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstSample *sample;
    int64_t frames = 0;
    while ((sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) != NULL && push(camera, sample))
        frames++;
    must(lfr_camera_end(camera), "end");
    lfr_event event = { .struct_size = sizeof event };
    int32_t status;
    while ((status = lfr_run_next_event(run, -1, &event)) == LFR_OK) {
    }
    must(status, "run");
    printf("frames %" PRId64 "\n", frames);
    must(lfr_run_destroy(run), "run");
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    must(lfr_camera_destroy(camera), "camera");
    must(lfr_watchlist_destroy(watchlist), "watchlist");
    must(lfr_engine_destroy(engine), "engine");
    return 0;
}
