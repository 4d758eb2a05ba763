// Watches a file and prints alerts. Usage: watch MODELS WEIGHTS PHOTO VIDEO
#include <cstdio>

#include "lfr_engine.hpp"

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "usage: watch MODELS WEIGHTS PHOTO VIDEO\n");
        return 2;
    }
    try {
        lfr::engine engine(argv[1], argv[2]);
        lfr::watchlist_builder builder(engine, "1");
        int32_t person = builder.add_person("person-1", "The person in the photo", LFR_WANTED);
        if (lfr_photo_result verdict = builder.add_photo_file(person, argv[3]); verdict.reasons[0] != 0)
            std::fprintf(stderr, "%s: %s\n", argv[3], verdict.reasons);
        lfr::watchlist list = builder.build();

        lfr::run run(engine, list);
        run.add_source("file", argv[4], LFR_PACE_MAX);
        run.start();
        while (auto alert = run.next_alert()) {
            lfr_alert_info info = alert->info();
            std::printf("alert %s at %.2f s: %s, score %.9g, picture of %zu bytes\n", info.camera, static_cast<double>(info.completed_us) / 1e6, info.person_id,
                        static_cast<double>(info.score), alert->photo().size());
        }
        lfr_camera_status camera = run.status(0);
        std::printf("trace %s %s\n", camera.trace_sha256, camera.message);
        return camera.is_complete ? 0 : 3;
    } catch (const lfr::error &e) {
        std::fprintf(stderr, "%s (%s)\n", e.what(), lfr_status_name(e.status()));
        return 1;
    }
}
