// lfr_engine.h for C++17: handles that destroy themselves, errors as exceptions. Header only; link with -llfr.
//
// An object owns its handle and can be moved, not copied. A call that fails throws lfr::error with the status and the sentence.
// Threads and ownership are those of lfr_engine.h, where every function is documented.
#ifndef LFR_ENGINE_HPP
#define LFR_ENGINE_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "lfr_engine.h"

namespace lfr {

class error : public std::runtime_error {
public:
    error(int32_t status, const char *sentence) : std::runtime_error(sentence), status_(status) {}
    int32_t status() const noexcept { return status_; }

private:
    int32_t status_;
};

// Throws for an error; returns LFR_OK, LFR_TIMED_OUT and LFR_ENDED.
inline int32_t check(int32_t status)
{
    if (status < 0)
        throw error(status, lfr_last_error());
    return status;
}

// A structure of lfr_engine.h, empty, with its size set.
template <typename T>
T sized()
{
    T structure{};
    structure.struct_size = static_cast<uint32_t>(sizeof(T));
    return structure;
}

namespace detail {

template <typename T, int32_t (*Destroy)(T *)>
struct destroyer {
    void operator()(T *handle) const noexcept { Destroy(handle); }
};

template <typename T, int32_t (*Destroy)(T *)>
using owned = std::unique_ptr<T, destroyer<T, Destroy>>;

// Asks for the size first, then for the bytes.
template <typename Get>
std::vector<uint8_t> bytes_of(Get get)
{
    int64_t size = 0;
    int32_t status = get(nullptr, 0, &size);
    if (status != LFR_BUFFER_TOO_SMALL)
        check(status);
    std::vector<uint8_t> bytes(static_cast<size_t>(size));
    if (size > 0)
        check(get(bytes.data(), size, &size));
    return bytes;
}

} // namespace detail

// What a face is compared by.
class face_template {
public:
    explicit face_template(lfr_template *handle) noexcept : handle_(handle) {}
    lfr_template *get() const noexcept { return handle_.get(); }

    float compare(const face_template &other) const
    {
        float score = 0;
        check(lfr_template_compare(get(), other.get(), &score));
        return score;
    }

    // Not encrypted: wipe it when you are done.
    std::vector<uint8_t> to_bytes() const
    {
        return detail::bytes_of([this](uint8_t *to, int64_t room, int64_t *size) { return lfr_template_export(get(), to, room, size); });
    }

private:
    detail::owned<lfr_template, lfr_template_destroy> handle_;
};

class engine {
public:
    engine(const std::string &models_folder, const std::string &weights_folder)
    {
        auto options = sized<lfr_engine_options>();
        options.models_folder = models_folder.c_str();
        options.weights_folder = weights_folder.c_str();
        lfr_engine *made = nullptr;
        check(lfr_engine_create(&options, &made));
        handle_.reset(made);
    }

    // With all that lfr_engine_options can say.
    explicit engine(const lfr_engine_options &options)
    {
        lfr_engine *made = nullptr;
        check(lfr_engine_create(&options, &made));
        handle_.reset(made);
    }

    lfr_engine *get() const noexcept { return handle_.get(); }

    lfr_engine_info info() const
    {
        auto info = sized<lfr_engine_info>();
        check(lfr_engine_get_info(get(), &info));
        return info;
    }

    // Largest first.
    std::vector<lfr_face> detect(const lfr_image &image) const
    {
        std::vector<lfr_face> faces(64);
        int32_t count = 0;
        check(lfr_detect(get(), &image, faces.data(), static_cast<int32_t>(faces.size()), &count));
        if (static_cast<size_t>(count) > faces.size()) {
            faces.resize(static_cast<size_t>(count));
            check(lfr_detect(get(), &image, faces.data(), static_cast<int32_t>(faces.size()), &count));
        }
        faces.resize(static_cast<size_t>(count) < faces.size() ? static_cast<size_t>(count) : faces.size());
        return faces;
    }

    // Of the largest face, or the one in the box.
    face_template make_template(const lfr_image &image, const lfr_box *box = nullptr, lfr_quality *quality = nullptr, lfr_role role = LFR_ROLE_LIST) const
    {
        lfr_template *made = nullptr;
        check(lfr_template_create_as(get(), &image, box, role, quality, &made));
        return face_template(made);
    }

    face_template import_template(const std::vector<uint8_t> &bytes) const
    {
        lfr_template *made = nullptr;
        check(lfr_template_import(get(), bytes.data(), static_cast<int64_t>(bytes.size()), &made));
        return face_template(made);
    }

    // What a laboratory's evidence file says about a threshold (0: the embedder's measured one) on a list of so many people.
    lfr_evidence check_evidence(const std::vector<uint8_t> &file, const std::string &public_key, float threshold, int32_t people, int64_t passers_by = 0) const
    {
        auto evidence = sized<lfr_evidence>();
        check(lfr_evidence_check(get(), file.data(), static_cast<int64_t>(file.size()), public_key.c_str(), threshold, people, passers_by, &evidence));
        return evidence;
    }

private:
    detail::owned<lfr_engine, lfr_engine_destroy> handle_;
};

class watchlist {
public:
    explicit watchlist(lfr_watchlist *handle) noexcept : handle_(handle) {}

    watchlist(const engine &of, const std::string &path, const lfr_key &key)
    {
        lfr_watchlist *made = nullptr;
        check(lfr_watchlist_load(of.get(), path.c_str(), &key, &made));
        handle_.reset(made);
    }

    lfr_watchlist *get() const noexcept { return handle_.get(); }

    void save(const std::string &path, const lfr_key &key) const { check(lfr_watchlist_save(get(), path.c_str(), &key)); }

    lfr_watchlist_info info() const
    {
        auto info = sized<lfr_watchlist_info>();
        check(lfr_watchlist_get_info(get(), &info));
        return info;
    }

    lfr_person_info person(int32_t index) const
    {
        auto info = sized<lfr_person_info>();
        check(lfr_watchlist_get_person(get(), index, &info));
        return info;
    }

    std::vector<uint8_t> photo(int32_t template_index) const
    {
        return detail::bytes_of([this, template_index](uint8_t *to, int64_t room, int64_t *size) { return lfr_watchlist_get_photo(get(), template_index, to, room, size); });
    }

    std::vector<lfr_lookalike> lookalikes(float threshold) const
    {
        int32_t count = 0;
        check(lfr_watchlist_lookalikes(get(), threshold, nullptr, 0, &count));
        std::vector<lfr_lookalike> pairs(static_cast<size_t>(count));
        check(lfr_watchlist_lookalikes(get(), threshold, pairs.data(), count, &count));
        return pairs;
    }

    // Best first.
    std::vector<lfr_candidate> search(const face_template &face, float threshold, int32_t most = 5) const
    {
        std::vector<lfr_candidate> found(most > 0 ? static_cast<size_t>(most) : 0);
        int32_t count = 0;
        check(lfr_search(get(), face.get(), threshold, found.data(), most, &count));
        found.resize(static_cast<size_t>(count));
        return found;
    }

private:
    detail::owned<lfr_watchlist, lfr_watchlist_destroy> handle_;
};

class watchlist_builder {
public:
    watchlist_builder(const engine &of, const std::string &version)
    {
        lfr_builder *made = nullptr;
        check(lfr_builder_create(of.get(), version.c_str(), &made));
        handle_.reset(made);
    }

    int32_t add_person(const std::string &id, const std::string &name, lfr_category category)
    {
        auto person = sized<lfr_person>();
        person.category = category;
        person.id = id.c_str();
        person.name = name.c_str();
        int32_t index = -1;
        check(lfr_builder_add_person(handle_.get(), &person, &index));
        return index;
    }

    // Somebody who has no photo and no template; those added later move up by one place.
    void remove_person(int32_t person) { check(lfr_builder_remove_person(handle_.get(), person)); }

    // A rejected photo was not added: look at the verdict.
    lfr_photo_result add_photo(int32_t person, const std::vector<uint8_t> &file)
    {
        auto result = sized<lfr_photo_result>();
        check(lfr_builder_add_photo(handle_.get(), person, file.data(), static_cast<int64_t>(file.size()), &result));
        return result;
    }

    lfr_photo_result add_photo_file(int32_t person, const std::string &path)
    {
        auto result = sized<lfr_photo_result>();
        check(lfr_builder_add_photo_file(handle_.get(), person, path.c_str(), &result));
        return result;
    }

    void add_template(int32_t person, const face_template &face, float quality) { check(lfr_builder_add_template(handle_.get(), person, face.get(), quality)); }

    // After this call the builder can only be destroyed.
    watchlist build()
    {
        lfr_watchlist *made = nullptr;
        check(lfr_builder_build(handle_.get(), &made));
        return watchlist(made);
    }

private:
    detail::owned<lfr_builder, lfr_builder_destroy> handle_;
};

class alert {
public:
    explicit alert(lfr_alert *handle) noexcept : handle_(handle) {}
    lfr_alert *get() const noexcept { return handle_.get(); }

    // The texts in it live as long as the alert.
    lfr_alert_info info() const
    {
        auto info = sized<lfr_alert_info>();
        check(lfr_alert_get_info(get(), &info));
        return info;
    }

    // A JPEG.
    std::vector<uint8_t> photo() const
    {
        return detail::bytes_of([this](uint8_t *to, int64_t room, int64_t *size) { return lfr_alert_get_photo(get(), to, room, size); });
    }

    // The same as rows of blue, green, red.
    std::vector<uint8_t> pixels(int32_t &width, int32_t &height) const
    {
        if (int32_t status = lfr_alert_get_pixels(get(), LFR_BGR, nullptr, 0, &width, &height); status != LFR_BUFFER_TOO_SMALL)
            check(status);
        std::vector<uint8_t> bgr(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
        check(lfr_alert_get_pixels(get(), LFR_BGR, bgr.data(), static_cast<int64_t>(bgr.size()), &width, &height));
        return bgr;
    }

private:
    detail::owned<lfr_alert, lfr_alert_destroy> handle_;
};

// A camera whose frames the program pushes.
class camera {
public:
    explicit camera(lfr_camera *handle) noexcept : handle_(handle) {}
    lfr_camera *get() const noexcept { return handle_.get(); }

    // LFR_OK, LFR_TIMED_OUT or LFR_ENDED.
    int32_t push(const lfr_image &frame, std::chrono::microseconds time, int32_t timeout_ms = -1) { return check(lfr_camera_push(get(), &frame, time.count(), timeout_ms)); }
    void end() { check(lfr_camera_end(get())); }

private:
    detail::owned<lfr_camera, lfr_camera_destroy> handle_;
};

class run {
public:
    run(const engine &of, const watchlist &list, const lfr_run_options *options = nullptr)
    {
        lfr_run *made = nullptr;
        check(lfr_run_create(of.get(), list.get(), options, &made));
        handle_.reset(made);
    }

    lfr_run *get() const noexcept { return handle_.get(); }

    void add_source(const std::string &name, const std::string &address, lfr_pace pace = LFR_PACE_AUTO) { check(lfr_run_add_source(get(), name.c_str(), address.c_str(), pace)); }

    camera add_camera(const std::string &name, lfr_pace pace = LFR_PACE_AUTO)
    {
        lfr_camera *made = nullptr;
        check(lfr_run_add_camera(get(), name.c_str(), pace, &made));
        return camera(made);
    }

    void swap(const watchlist &list) { check(lfr_run_swap_watchlist(get(), list.get())); }
    void start() { check(lfr_run_start(get())); }
    void stop() { check(lfr_run_stop(get())); }

    // Nothing when none came in time, or when the run is over: then summary().is_over is 1.
    std::optional<alert> next_alert(int32_t timeout_ms = -1)
    {
        lfr_alert *made = nullptr;
        if (check(lfr_run_next_alert(get(), timeout_ms, &made)) != LFR_OK)
            return std::nullopt;
        return alert(made);
    }

    // Nothing when none came in time, or when the run is over and every event was fetched.
    std::optional<lfr_event> next_event(int32_t timeout_ms = -1)
    {
        auto event = sized<lfr_event>();
        if (check(lfr_run_next_event(get(), timeout_ms, &event)) != LFR_OK)
            return std::nullopt;
        return event;
    }

    // Of a run that is over; private_key: PEM.
    std::vector<uint8_t> receipt(const std::string &private_key) const
    {
        return detail::bytes_of([this, &private_key](uint8_t *to, int64_t room, int64_t *size) { return lfr_run_get_receipt(get(), private_key.c_str(), to, room, size); });
    }

    lfr_camera_status status(int32_t camera_index) const
    {
        auto status = sized<lfr_camera_status>();
        check(lfr_run_get_camera(get(), camera_index, &status));
        return status;
    }

    lfr_run_summary summary() const
    {
        auto summary = sized<lfr_run_summary>();
        check(lfr_run_get_summary(get(), &summary));
        return summary;
    }

private:
    detail::owned<lfr_run, lfr_run_destroy> handle_;
};

} // namespace lfr

#endif
