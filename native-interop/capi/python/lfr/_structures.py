"""The structures of lfr_engine.h. Made from it; test_lfr.py compares their layout with the recorded one."""

from ctypes import Structure, c_char, c_char_p, c_double, c_float, c_int32, c_int64, c_uint32, c_void_p


class lfr_image(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("format", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("plane", c_void_p * 3),
        ("row_stride", c_int32 * 3),
        ("matrix", c_int32),
        ("range", c_int32),
        ("reserved", c_int32),
        ("size_bytes", c_int64),
    ]


class lfr_box(Structure):
    _fields_ = [
        ("left", c_float),
        ("top", c_float),
        ("right", c_float),
        ("bottom", c_float),
    ]


class lfr_engine_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("models_folder", c_char_p),
        ("weights_folder", c_char_p),
        ("detector", c_char_p),
        ("embedder", c_char_p),
        ("model_files", c_void_p),
        ("model_file_count", c_int32),
        ("log_level", c_int32),
        ("max_memory_bytes", c_int64),
        ("on_log", c_void_p),
        ("log_user", c_void_p),
    ]


class lfr_engine_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("embedding_length", c_int32),
        ("default_threshold", c_float),
        ("embedder_id", c_char * 132),
        ("embedder_sha256", c_char * 65),
        ("reserved", c_char * 3),
    ]


class lfr_person(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("category", c_int32),
        ("id", c_char_p),
        ("name", c_char_p),
        ("reference", c_char_p),
    ]


class lfr_photo_result(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("verdict", c_int32),
        ("quality", c_float),
        ("reasons", c_char * 508),
    ]


class lfr_key(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("data", c_void_p),
        ("size_bytes", c_int64),
    ]


class lfr_watchlist_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("people", c_int32),
        ("templates", c_int32),
        ("photos", c_int32),
        ("id", c_char * 40),
        ("version", c_char * 516),
        ("embedder_sha256", c_char * 65),
        ("reserved", c_char * 3),
    ]


class lfr_person_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("category", c_int32),
        ("id", c_char * 516),
        ("name", c_char * 1028),
        ("reference", c_char * 1028),
    ]


class lfr_run_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("worker_threads", c_int32),
        ("thresholds", c_float * 5),
        ("detect_every_ms", c_int32),
        ("grid_long_side", c_int32),
        ("reserved", c_int32),
        ("on_alert", c_void_p),
        ("user", c_void_p),
        ("on_event", c_void_p),
        ("event_user", c_void_p),
    ]


class lfr_camera_status(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("state", c_int32),
        ("is_complete", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("reserved", c_int32),
        ("frames_decoded", c_int64),
        ("frames_dropped", c_int64),
        ("frames_searched", c_int64),
        ("tracklets", c_int64),
        ("shots_compared", c_int64),
        ("faces_seen", c_int64),
        ("alerts", c_int64),
        ("damaged_packets", c_int64),
        ("reconnects", c_int64),
        ("lag_ms", c_double),
        ("trace_sha256", c_char * 65),
        ("message", c_char * 255),
    ]


class lfr_run_summary(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("is_over", c_int32),
        ("alerts_raised", c_int32),
        ("alerts_joined", c_int32),
        ("alerts_lost", c_int64),
        ("frames_erased", c_int64),
        ("crops_erased", c_int64),
        ("embeddings_erased", c_int64),
        ("deadline_breaches", c_int64),
        ("deadline_ms", c_double),
        ("frame_p99_ms", c_double),
        ("frame_max_ms", c_double),
        ("embedding_max_ms", c_double),
        ("after_verdict_max_ms", c_double),
        ("elapsed_s", c_double),
        ("run_id", c_char * 32),
    ]


class lfr_alert_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("category", c_int32),
        ("id", c_char_p),
        ("camera", c_char_p),
        ("person_id", c_char_p),
        ("person_name", c_char_p),
        ("joined_alert_id", c_char_p),
        ("tracklet_id", c_int64),
        ("first_seen_us", c_int64),
        ("best_shot_us", c_int64),
        ("completed_us", c_int64),
        ("captured_unix_us", c_int64),
        ("raised_unix_us", c_int64),
        ("score", c_float),
        ("threshold", c_float),
        ("box", lfr_box),
        ("quality", c_float),
        ("cover", c_int32),
        ("agreeing_shots", c_int32),
        ("compared_shots", c_int32),
        ("template_index", c_int32),
        ("reserved", c_int32),
    ]


class lfr_face(Structure):
    _fields_ = [
        ("box", lfr_box),
        ("score", c_float),
    ]


class lfr_quality(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("score", c_float),
        ("inter_eye_pixels", c_float),
        ("sharpness", c_float),
        ("brightness", c_float),
        ("clipped", c_float),
        ("yaw_degrees", c_float),
        ("pitch_degrees", c_float),
        ("roll_degrees", c_float),
        ("cover", c_int32),
        ("box", lfr_box),
    ]


class lfr_candidate(Structure):
    _fields_ = [
        ("person_index", c_int32),
        ("template_index", c_int32),
        ("score", c_float),
    ]


class lfr_memory(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("locked_bytes", c_int64),
        ("unlocked_bytes", c_int64),
        ("lock_limit_bytes", c_int64),
        ("blocks_outstanding", c_int64),
        ("blocks_wiped", c_int64),
        ("bytes_wiped", c_int64),
        ("held_bytes", c_int64),
        ("peak_bytes", c_int64),
        ("max_memory_bytes", c_int64),
    ]


class lfr_bytes(Structure):
    _fields_ = [("data", c_void_p), ("size_bytes", c_int64)]


class lfr_event(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("camera_index", c_int32),
        ("state", c_int32),
        ("unix_us", c_int64),
        ("message", c_char * 256),
    ]


class lfr_lookalike(Structure):
    _fields_ = [("person_index", c_int32 * 2), ("template_index", c_int32 * 2), ("score", c_float)]


class lfr_load(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("cameras", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("worker_threads", c_int32),
        ("grid_long_side", c_int32),
        ("photos", c_int32),
        ("reserved", c_int32),
        ("reference_frames", c_int32),
        ("photo_width", c_int32),
        ("photo_height", c_int32),
        ("reserved2", c_int32),
    ]


class lfr_evidence(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("gallery_size", c_int32),
        ("fpir", c_double),
        ("fpir_low", c_double),
        ("fpir_high", c_double),
        ("tpir", c_double),
        ("tpir_low", c_double),
        ("tpir_high", c_double),
        ("false_positives", c_int64),
        ("non_mated", c_int64),
        ("true_positives", c_int64),
        ("mated", c_int64),
        ("expected_low", c_int64),
        ("expected_high", c_int64),
        ("expected_mean", c_double),
        ("made_unix_us", c_int64),
        ("is_calibrated", c_int32),
        ("protocol", c_char * 20),
    ]
