// lfr_engine.hpp: what it adds to the C interface. Usage: cpp_test MODELS WEIGHTS PHOTO SCRATCH
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include "lfr_engine.hpp"

static int failures;

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            failures++;                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                    \
    } while (0)

template <typename Call>
static int32_t thrown(Call call)
{
    try {
        call();
        return LFR_OK;
    } catch (const lfr::error &e) {
        CHECK(e.what()[0] != 0);
        return e.status();
    }
}

static int64_t open_handles()
{
    int64_t count = -1;
    lfr::check(lfr_open_handles(LFR_HANDLE_ANY, &count));
    return count;
}

static void test(char **argv)
{
    CHECK(thrown([&] { lfr::engine("/no/such/folder", argv[2]); }) == LFR_BAD_ARGUMENT);
    lfr::engine engine(argv[1], argv[2]);
    CHECK(engine.info().embedding_length == 512);
    std::ifstream file(argv[3], std::ios::binary);
    std::vector<uint8_t> photo((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto image = lfr::sized<lfr_image>();
    image.format = LFR_FILE;
    image.plane[0] = photo.data();
    image.size_bytes = static_cast<int64_t>(photo.size());
    std::vector<lfr_face> faces = engine.detect(image);
    CHECK(!faces.empty());
    lfr::face_template face = engine.make_template(image, &faces[0].box);
    lfr::face_template moved = std::move(face);
    CHECK(face.get() == nullptr);
    CHECK(thrown([&] { face.compare(moved); }) == LFR_BAD_HANDLE);
    CHECK(moved.compare(engine.make_template(image, &faces[0].box, nullptr, LFR_ROLE_PROBE)) > 0.9f);
    lfr::face_template read = engine.import_template(moved.to_bytes());
    CHECK(read.compare(moved) > 0.9999f);
    CHECK(thrown([&] { engine.import_template({ 1, 2, 3 }); }) == LFR_BAD_TEMPLATE);

    lfr::watchlist_builder builder(engine, "1");
    builder.remove_person(builder.add_person("a", "A", LFR_WANTED));
    int32_t person = builder.add_person("a", "A", LFR_SUSPECT);
    CHECK(builder.add_photo(person, photo).verdict != LFR_REJECTED);
    lfr::watchlist list = builder.build();
    CHECK(thrown([&] { builder.build(); }) == LFR_BAD_STATE);
    auto found = list.search(moved, 0.3f);
    CHECK(found.size() == 1 && found[0].person_index == person);
    CHECK(thrown([&] { list.search(moved, 0.3f, 0); }) == LFR_BAD_ARGUMENT);
    CHECK(list.person(person).category == LFR_SUSPECT);
    CHECK(!list.photo(0).empty());
    CHECK(list.lookalikes(0.3f).empty());
    auto key = lfr::sized<lfr_key>();
    key.kind = LFR_KEY_BYTES;
    key.data = "0123456789abcdef0123456789abcdef";
    key.size_bytes = 32;
    std::string path = std::string(argv[4]) + "/cpp.lfr";
    list.save(path, key);
    CHECK(lfr::watchlist(engine, path, key).info().people == 1);

    auto content = [&](const char *name) {
        std::ifstream from(std::string(argv[4]) + "/" + name, std::ios::binary);
        return std::string((std::istreambuf_iterator<char>(from)), std::istreambuf_iterator<char>());
    };
    std::string text = content("evidence.json"), pem = content("receipt-key.pub");
    std::vector<uint8_t> evidence(text.begin(), text.end());
    CHECK(engine.check_evidence(evidence, pem, 0.48f, 100).mated == 200);
    evidence[evidence.size() / 3] ^= 1;
    CHECK(thrown([&] { engine.check_evidence(evidence, pem, 0.48f, 100); }) <= LFR_NOT_EVIDENCE);

    lfr::run run(engine, list);
    lfr::camera pushed = run.add_camera("pushed", LFR_PACE_MAX);
    run.start();
    CHECK(!run.next_alert(1).has_value() && run.summary().is_over == 0);
    std::vector<uint8_t> grey(64 * 64, 90);
    auto frame = lfr::sized<lfr_image>();
    frame.format = LFR_GREY;
    frame.width = frame.height = frame.row_stride[0] = 64;
    frame.plane[0] = grey.data();
    for (int i = 0; i < 5; i++)
        CHECK(pushed.push(frame, std::chrono::milliseconds(40 * i)) == LFR_OK);
    lfr::watchlist_builder another(engine, "2");
    CHECK(another.add_photo(another.add_person("b", "B", LFR_WANTED), photo).verdict != LFR_REJECTED);
    run.swap(another.build());
    CHECK(thrown([&] { run.receipt("no key"); }) == LFR_BAD_ARGUMENT);
    pushed.end();
    CHECK(!run.next_alert().has_value() && run.summary().is_over == 1);
    CHECK(run.status(0).frames_decoded == 5);
    int swaps = 0, last = 0;
    while (auto event = run.next_event()) {
        swaps += event->kind == LFR_EVENT_WATCHLIST;
        last = event->kind;
    }
    CHECK(swaps == 1 && last == LFR_EVENT_OVER);
    CHECK(pushed.push(frame, std::chrono::milliseconds(400)) == LFR_ENDED);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    test(argv);
    CHECK(open_handles() == 0);
    std::printf("C++: %d failed\n", failures);
    return failures ? 1 : 0;
}
