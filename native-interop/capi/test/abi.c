/* Never run: holds every function and type of lfr_engine.h for abidiff to compare with abi-linux-x64.xml. */
#include "lfr_engine.h"

const lfr_api *lfr_abi_table;
struct lfr_abi_values {
    enum lfr_status status;
    enum lfr_handle_kind handle_kind;
    enum lfr_format format;
    enum lfr_matrix matrix;
    enum lfr_range range;
    enum lfr_category category;
    enum lfr_verdict verdict;
    enum lfr_key_kind key_kind;
    enum lfr_pace pace;
    enum lfr_camera_state camera_state;
    enum lfr_cover cover;
    enum lfr_role role;
    enum lfr_event_kind event_kind;
    enum lfr_log_level log_level;
    lfr_face face;
    lfr_alert_info alert;
} lfr_abi_values;
