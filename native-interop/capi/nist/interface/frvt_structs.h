// The names, types and signatures that NIST's FRTE calls, written for our tests. A laboratory compiles frte.cpp against NIST's own header of this name.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace FRVT {

struct Image {
    enum class Label { Unknown = 0, Iso, Mugshot, Photojournalism, Exploitation, Wild };
    uint16_t width = 0;
    uint16_t height = 0;
    uint8_t depth = 24; // 8: grey, 24: RGB; rows without a gap
    std::shared_ptr<uint8_t> data;
    Label description = Label::Unknown;
};

using Multiface = std::vector<Image>;

enum class TemplateRole { Enrollment_11 = 0, Verification_11, Enrollment_1N, Search_1N };

enum class ReturnCode {
    Success = 0,
    UnknownError,
    ConfigError,
    RefuseInput,
    ExtractError,
    ParseError,
    TemplateCreationError,
    VerifTemplateError,
    FaceDetectionError,
    NumDataError,
    TemplateFormatError,
    EnrollDirError,
    InputLocationError,
    MemoryError,
    MatchError,
    QualityAssessmentError,
    NotImplemented,
    VendorError
};

struct ReturnStatus {
    ReturnCode code = ReturnCode::UnknownError;
    std::string info;
    ReturnStatus() = default;
    ReturnStatus(ReturnCode code, const std::string &info = "") : code(code), info(info) {}
};

struct EyePair {
    bool isLeftAssigned = false;
    bool isRightAssigned = false;
    uint16_t xleft = 0, yleft = 0, xright = 0, yright = 0;
};

} // namespace FRVT
