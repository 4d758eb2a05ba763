// NIST's FRTE, 1:1 and 1:N, over liblfr.so. Compile it with the laboratory's frvt_structs.h, frvt11.h and frvt1N.h on the include path.
//
// configDir holds two folders: models (the manifests of a release) and weights (what `lfr models restore` fetched).
// The harness initialises once and then forks: nothing of the library is called before the first template or search of a process.
// A template is what lfr_template_export writes, one after the other for several pictures of a person; a single zero byte where none could be made.
// Scores are the cosine plus one, 0 to 2. Eye positions are not given: the library keeps none.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include <frvt11.h>
#include <frvt1N.h>

#include "lfr_engine.hpp"

namespace {

using FRVT::ReturnCode;
using FRVT::ReturnStatus;

const std::vector<uint8_t> no_template{ 0 };

bool is_folder(const std::string &path)
{
    struct stat status;
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// The engine of this process, loaded with its first use.
class process_engine {
public:
    explicit process_engine(std::string config) : config_(std::move(config)) {}

    lfr::engine &get()
    {
        static pid_t first_user = 0;
        std::lock_guard<std::mutex> guard(gate_);
        if (!engine_) {
            if (first_user != 0 && first_user != getpid())
                throw std::runtime_error("liblfr was used before the fork: initialise, fork, and only then make templates.");
            first_user = getpid();
            engine_ = std::make_unique<lfr::engine>(config_ + "/models", config_ + "/weights");
        }
        return *engine_;
    }

private:
    std::string config_;
    std::mutex gate_;
    std::unique_ptr<lfr::engine> engine_;
};

ReturnStatus open_config(const std::string &config, std::unique_ptr<process_engine> &engine)
{
    if (!is_folder(config + "/models") || !is_folder(config + "/weights"))
        return { ReturnCode::ConfigError, config + " needs the folders models and weights" };
    if (!engine)
        engine = std::make_unique<process_engine>(config);
    return { ReturnCode::Success };
}

ReturnCode code_of(int32_t status)
{
    switch (status) {
    case LFR_NO_FACE: return ReturnCode::FaceDetectionError;
    case LFR_BAD_TEMPLATE:
    case LFR_FOREIGN_MODEL: return ReturnCode::TemplateFormatError;
    case LFR_OUT_OF_MEMORY: return ReturnCode::MemoryError;
    case LFR_MODEL_UNUSABLE:
    case LFR_LIBRARY_MISSING: return ReturnCode::ConfigError;
    default: return ReturnCode::UnknownError;
    }
}

// No exception leaves the interface.
ReturnStatus guarded(const std::function<ReturnStatus()> &work)
{
    try {
        return work();
    } catch (const lfr::error &e) {
        return { code_of(e.status()), e.what() };
    } catch (const std::bad_alloc &) {
        return { ReturnCode::MemoryError };
    } catch (const std::exception &e) {
        return { ReturnCode::UnknownError, e.what() };
    }
}

ReturnStatus make_template(process_engine &engine, const FRVT::Multiface &faces, lfr_role role, std::vector<uint8_t> &templ, std::vector<FRVT::EyePair> &eyes)
{
    templ.clear();
    eyes.assign(faces.size(), FRVT::EyePair());
    ReturnStatus worst{ faces.empty() ? ReturnCode::NumDataError : ReturnCode::Success };
    for (const FRVT::Image &face : faces) {
        ReturnStatus made = guarded([&]() -> ReturnStatus {
            if ((face.depth != 8 && face.depth != 24) || !face.data)
                return { ReturnCode::ParseError, "a picture has 8 or 24 bits for a pixel" };
            auto image = lfr::sized<lfr_image>();
            image.format = face.depth == 8 ? LFR_GREY : LFR_RGB;
            image.width = face.width;
            image.height = face.height;
            image.plane[0] = face.data.get();
            image.row_stride[0] = face.width * (face.depth / 8);
            image.range = LFR_FULL;
            std::vector<uint8_t> bytes = engine.get().make_template(image, nullptr, nullptr, role).to_bytes();
            templ.insert(templ.end(), bytes.begin(), bytes.end());
            return { ReturnCode::Success };
        });
        if (made.code != ReturnCode::Success)
            worst = made;
    }
    if (!templ.empty())
        return { ReturnCode::Success };
    templ = no_template;
    return worst;
}

std::vector<lfr::face_template> read_templates(const lfr::engine &engine, const std::vector<uint8_t> &bytes)
{
    std::vector<lfr::face_template> faces;
    if (bytes == no_template || bytes.empty())
        return faces;
    // As lfr_template_export writes them: 48 bytes before and 32 behind the numbers.
    const size_t one = 48 + 4 * static_cast<size_t>(engine.info().embedding_length) + 32;
    if (bytes.size() % one != 0)
        throw lfr::error(LFR_BAD_TEMPLATE, "the template has the wrong length");
    for (size_t at = 0; at < bytes.size(); at += one)
        faces.push_back(engine.import_template(std::vector<uint8_t>(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + one))));
    return faces;
}

double best_score(const std::vector<lfr::face_template> &some, const std::vector<lfr::face_template> &others)
{
    double best = 0;
    for (const lfr::face_template &a : some)
        for (const lfr::face_template &b : others)
            best = std::max(best, 1.0 + static_cast<double>(a.compare(b)));
    return best;
}

class verifier final : public FRVT_11::Interface {
public:
    ReturnStatus initialize(const std::string &configDir) override
    {
        return guarded([&] { return open_config(configDir, engine_); });
    }

    ReturnStatus createTemplate(const FRVT::Multiface &faces, FRVT::TemplateRole role, std::vector<uint8_t> &templ, std::vector<FRVT::EyePair> &eyeCoordinates) override
    {
        return guarded([&] { return make_template(*engine_, faces, role == FRVT::TemplateRole::Verification_11 ? LFR_ROLE_PROBE : LFR_ROLE_LIST, templ, eyeCoordinates); });
    }

    ReturnStatus matchTemplates(const std::vector<uint8_t> &verifTemplate, const std::vector<uint8_t> &enrollTemplate, double &similarity) override
    {
        similarity = -1;
        return guarded([&]() -> ReturnStatus {
            std::vector<lfr::face_template> probe = read_templates(engine_->get(), verifTemplate), enrolled = read_templates(engine_->get(), enrollTemplate);
            if (probe.empty() || enrolled.empty())
                return { ReturnCode::VerifTemplateError };
            similarity = best_score(probe, enrolled);
            return { ReturnCode::Success };
        });
    }

private:
    std::unique_ptr<process_engine> engine_;
};

class identifier final : public FRVT_1N::IdentInterface {
public:
    ReturnStatus initializeTemplateCreation(const std::string &configDir, FRVT::TemplateRole) override
    {
        return guarded([&] { return open_config(configDir, engine_); });
    }

    ReturnStatus createTemplate(const FRVT::Multiface &faces, FRVT::TemplateRole role, std::vector<uint8_t> &templ, std::vector<FRVT::EyePair> &eyeCoordinates) override
    {
        return guarded([&] { return make_template(*engine_, faces, role == FRVT::TemplateRole::Search_1N ? LFR_ROLE_PROBE : LFR_ROLE_LIST, templ, eyeCoordinates); });
    }

    // The manifest has a line for each template: its name, its length and where it begins in the other file.
    ReturnStatus finalizeEnrollment(const std::string &configDir, const std::string &enrollmentDir, const std::string &edbName, const std::string &edbManifestName, FRVT_1N::GalleryType) override
    {
        return guarded([&]() -> ReturnStatus {
            if (ReturnStatus opened = open_config(configDir, engine_); opened.code != ReturnCode::Success)
                return opened;
            std::ifstream manifest(edbManifestName), edb(edbName, std::ios::binary);
            if (!manifest || !edb)
                return { ReturnCode::InputLocationError, edbName };
            lfr::watchlist_builder builder(engine_->get(), "frte");
            std::string id;
            uint64_t length = 0, offset = 0;
            std::vector<uint8_t> bytes;
            int people = 0;
            while (manifest >> id >> length >> offset) {
                bytes.resize(length);
                edb.clear();
                if (!edb.seekg(static_cast<std::streamoff>(offset)) || !edb.read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(length)))
                    return { ReturnCode::InputLocationError, id };
                // Who has no template is in the manifest all the same, and cannot be found.
                std::vector<lfr::face_template> faces = read_templates(engine_->get(), bytes);
                if (faces.empty())
                    continue;
                int32_t person = builder.add_person(id, id, LFR_WANTED);
                for (const lfr::face_template &face : faces)
                    builder.add_template(person, face, 1.0f);
                people++;
            }
            if (people == 0)
                return { ReturnCode::EnrollDirError, "nobody has a template" };
            std::vector<uint8_t> secret(32);
            std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char *>(secret.data()), 32);
            std::ofstream key_file(enrollmentDir + "/gallery.key", std::ios::binary);
            if (!key_file.write(reinterpret_cast<const char *>(secret.data()), 32) || !key_file.flush())
                return { ReturnCode::EnrollDirError, enrollmentDir };
            builder.build().save(enrollmentDir + "/gallery.lfr", key_of(secret));
            return { ReturnCode::Success };
        });
    }

    ReturnStatus initializeIdentification(const std::string &configDir, const std::string &enrollmentDir) override
    {
        return guarded([&]() -> ReturnStatus {
            enrollment_ = enrollmentDir;
            if (!std::ifstream(enrollmentDir + "/gallery.lfr"))
                return { ReturnCode::EnrollDirError, enrollmentDir + " holds no gallery" };
            return open_config(configDir, engine_);
        });
    }

    ReturnStatus identifyTemplate(const std::vector<uint8_t> &idTemplate, const uint32_t candidateListLength, std::vector<FRVT_1N::Candidate> &candidateList, bool &decision) override
    {
        decision = false;
        candidateList.clear();
        ReturnStatus status = guarded([&]() -> ReturnStatus {
            std::vector<lfr::face_template> probe = read_templates(engine_->get(), idTemplate);
            if (probe.empty())
                return { ReturnCode::VerifTemplateError };
            const lfr::watchlist &list = gallery();
            const int32_t people = list.info().people, most = std::min<int32_t>(people, static_cast<int32_t>(candidateListLength + deleted_.size()));
            std::map<std::string, double> best;
            for (const lfr::face_template &face : probe)
                for (const lfr_candidate &found : list.search(face, -1.0f, std::max(most, 1))) {
                    std::string id = list.person(found.person_index).id;
                    if (deleted_.count(id) == 0)
                        best[id] = std::max(best[id], 1.0 + static_cast<double>(found.score));
                }
            for (const auto &[id, faces] : added_)
                best[id] = std::max(best[id], best_score(probe, faces));
            for (const auto &[id, score] : best)
                candidateList.emplace_back(true, id, score);
            std::stable_sort(candidateList.begin(), candidateList.end(), [](const auto &a, const auto &b) { return a.similarityScore > b.similarityScore; });
            decision = !candidateList.empty() && candidateList[0].similarityScore >= 1.0 + static_cast<double>(engine_->get().info().default_threshold);
            return { ReturnCode::Success };
        });
        candidateList.resize(candidateListLength);
        return status;
    }

    ReturnStatus galleryInsertID(const std::vector<uint8_t> &templ, const std::string &id) override
    {
        return guarded([&]() -> ReturnStatus {
            std::vector<lfr::face_template> faces = read_templates(engine_->get(), templ);
            if (faces.empty())
                return { ReturnCode::TemplateFormatError, "the template holds no face" };
            deleted_.insert(id);
            added_.erase(id);
            added_.emplace(id, std::move(faces));
            return { ReturnCode::Success };
        });
    }

    ReturnStatus galleryDeleteID(const std::string &id) override
    {
        return guarded([&]() -> ReturnStatus {
            added_.erase(id);
            deleted_.insert(id);
            return { ReturnCode::Success };
        });
    }

private:
    static lfr_key key_of(const std::vector<uint8_t> &secret)
    {
        auto key = lfr::sized<lfr_key>();
        key.kind = LFR_KEY_BYTES;
        key.data = secret.data();
        key.size_bytes = static_cast<int64_t>(secret.size());
        return key;
    }

    const lfr::watchlist &gallery()
    {
        if (!gallery_) {
            std::vector<uint8_t> secret(32);
            std::ifstream(enrollment_ + "/gallery.key", std::ios::binary).read(reinterpret_cast<char *>(secret.data()), 32);
            gallery_ = std::make_unique<lfr::watchlist>(engine_->get(), enrollment_ + "/gallery.lfr", key_of(secret));
        }
        return *gallery_;
    }

    std::unique_ptr<process_engine> engine_;
    std::string enrollment_;
    std::unique_ptr<lfr::watchlist> gallery_;
    // A gallery does not change: who came and went since is kept beside it.
    std::map<std::string, std::vector<lfr::face_template>> added_;
    std::set<std::string> deleted_;
};

} // namespace

std::shared_ptr<FRVT_11::Interface> FRVT_11::Interface::getImplementation() { return std::make_shared<verifier>(); }
std::shared_ptr<FRVT_1N::IdentInterface> FRVT_1N::IdentInterface::getImplementation() { return std::make_shared<identifier>(); }
