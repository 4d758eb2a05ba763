// The FRTE adapter as a laboratory calls it: initialise once, fork, work in the children.
// Usage: frte_test CONFIG RGB WIDTH HEIGHT SCRATCH. RGB is a picture of somebody as raw bytes.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include <frvt11.h>
#include <frvt1N.h>

static int failures;

#define CHECK(condition)                                                           \
    do {                                                                           \
        if (!(condition)) {                                                        \
            failures++;                                                            \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                          \
    } while (0)

using namespace FRVT;

static std::vector<uint8_t> read_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return std::vector<uint8_t>((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

static void write_file(const std::string &path, const std::vector<uint8_t> &bytes)
{
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

static Image picture(const std::vector<uint8_t> &pixels, int width, int height, int depth)
{
    Image image;
    image.width = static_cast<uint16_t>(width);
    image.height = static_cast<uint16_t>(height);
    image.depth = static_cast<uint8_t>(depth);
    image.data = std::shared_ptr<uint8_t>(new uint8_t[pixels.size()], std::default_delete<uint8_t[]>());
    std::memcpy(image.data.get(), pixels.data(), pixels.size());
    return image;
}

// Its failures are those of this process.
static pid_t in_child(const std::function<void()> &work)
{
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        work();
        std::fflush(nullptr);
        _exit(failures == 0 ? 0 : 1);
    }
    return child;
}

static void wait_for(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    const std::string config = argv[1], scratch = argv[5];
    const std::vector<uint8_t> rgb = read_file(argv[2]);
    const int width = std::atoi(argv[3]), height = std::atoi(argv[4]);
    CHECK(rgb.size() == static_cast<size_t>(3 * width * height));
    const Image face = picture(rgb, width, height, 24);
    const Image nobody = picture(std::vector<uint8_t>(64 * 64, 90), 64, 64, 8);

    auto verifier = FRVT_11::Interface::getImplementation();
    CHECK(verifier->initialize("/no/such/folder").code == ReturnCode::ConfigError);
    CHECK(verifier->initialize(config).code == ReturnCode::Success);
    auto identifier = FRVT_1N::IdentInterface::getImplementation();
    CHECK(identifier->initializeTemplateCreation(config, TemplateRole::Enrollment_1N).code == ReturnCode::Success);

    // Two at a time, as a harness does.
    auto make = [&](TemplateRole role, const std::string &name) {
        return in_child([&, role, name] {
            std::vector<uint8_t> made;
            std::vector<EyePair> eyes;
            CHECK(verifier->createTemplate({ face }, role, made, eyes).code == ReturnCode::Success);
            CHECK(eyes.size() == 1 && made.size() > 2000);
            write_file(scratch + "/" + name, made);
            std::vector<uint8_t> two, none;
            CHECK(verifier->createTemplate({ face, nobody, face }, role, two, eyes).code == ReturnCode::Success);
            CHECK(two.size() == 2 * made.size() && eyes.size() == 3);
            CHECK(verifier->createTemplate({ nobody }, role, none, eyes).code == ReturnCode::FaceDetectionError);
            CHECK(none.size() == 1);
            double score = 0;
            CHECK(verifier->matchTemplates(made, two, score).code == ReturnCode::Success && score > 1.9);
            CHECK(verifier->matchTemplates(made, none, score).code == ReturnCode::VerifTemplateError && score == -1);
            CHECK(verifier->matchTemplates(made, { 1, 2, 3 }, score).code == ReturnCode::TemplateFormatError && score == -1);
        });
    };
    pid_t first = make(TemplateRole::Verification_11, "probe"), second = make(TemplateRole::Enrollment_11, "enrolled");
    wait_for(first);
    wait_for(second);
    const std::vector<uint8_t> probe = read_file(scratch + "/probe"), enrolled = read_file(scratch + "/enrolled");

    // One to many: what was concatenated is enrolled in one process and searched in another.
    std::vector<uint8_t> edb(enrolled);
    edb.push_back(0);
    write_file(scratch + "/edb", edb);
    std::ofstream(scratch + "/manifest") << "somebody " << enrolled.size() << " 0\nwithout 1 " << enrolled.size() << "\n";
    wait_for(in_child([&] {
        CHECK(identifier->finalizeEnrollment(config, scratch, scratch + "/no-edb", scratch + "/manifest", FRVT_1N::GalleryType::Unconsolidated).code == ReturnCode::InputLocationError);
        CHECK(identifier->finalizeEnrollment(config, scratch, scratch + "/edb", scratch + "/manifest", FRVT_1N::GalleryType::Unconsolidated).code == ReturnCode::Success);
    }));
    CHECK(identifier->initializeIdentification(config, "/no/such/folder").code == ReturnCode::EnrollDirError);
    CHECK(identifier->initializeIdentification(config, scratch).code == ReturnCode::Success);
    wait_for(in_child([&] {
        std::vector<FRVT_1N::Candidate> found;
        bool decision = false;
        CHECK(identifier->identifyTemplate(probe, 3, found, decision).code == ReturnCode::Success);
        CHECK(found.size() == 3 && found[0].isAssigned && found[0].templateId == "somebody" && found[0].similarityScore > 1.9 && !found[1].isAssigned && decision);
        CHECK(identifier->galleryDeleteID("somebody").code == ReturnCode::Success);
        CHECK(identifier->identifyTemplate(probe, 1, found, decision).code == ReturnCode::Success && !found[0].isAssigned && !decision);
        CHECK(identifier->galleryInsertID(enrolled, "again").code == ReturnCode::Success);
        CHECK(identifier->galleryInsertID({ 0 }, "nobody").code == ReturnCode::TemplateFormatError);
        CHECK(identifier->identifyTemplate(probe, 1, found, decision).code == ReturnCode::Success && found[0].templateId == "again" && decision);
        // Too late: this process has used the library.
        wait_for(in_child([&] {
            auto late = FRVT_11::Interface::getImplementation();
            std::vector<uint8_t> made;
            std::vector<EyePair> eyes;
            CHECK(late->initialize(config).code == ReturnCode::Success);
            CHECK(late->createTemplate({ face }, TemplateRole::Enrollment_11, made, eyes).info.find("before the fork") != std::string::npos);
        }));
    }));
    std::printf("FRTE: %d failed\n", failures);
    return failures ? 1 : 0;
}
