// As frvt_structs.h: the 1:N interface, for our tests.
#pragma once
#include <frvt_structs.h>

namespace FRVT_1N {

using namespace FRVT;

enum class GalleryType { Consolidated, Unconsolidated };

struct Candidate {
    bool isAssigned = false;
    std::string templateId;
    double similarityScore = 0;
    Candidate() = default;
    Candidate(bool isAssigned, std::string templateId, double similarityScore) : isAssigned(isAssigned), templateId(templateId), similarityScore(similarityScore) {}
};

class IdentInterface {
public:
    virtual ~IdentInterface() = default;
    virtual ReturnStatus initializeTemplateCreation(const std::string &configDir, TemplateRole role) = 0;
    virtual ReturnStatus createTemplate(const Multiface &faces, TemplateRole role, std::vector<uint8_t> &templ, std::vector<EyePair> &eyeCoordinates) = 0;
    virtual ReturnStatus finalizeEnrollment(const std::string &configDir, const std::string &enrollmentDir, const std::string &edbName, const std::string &edbManifestName, GalleryType galleryType) = 0;
    virtual ReturnStatus initializeIdentification(const std::string &configDir, const std::string &enrollmentDir) = 0;
    virtual ReturnStatus identifyTemplate(const std::vector<uint8_t> &idTemplate, const uint32_t candidateListLength, std::vector<Candidate> &candidateList, bool &decision) = 0;
    virtual ReturnStatus galleryInsertID(const std::vector<uint8_t> &templ, const std::string &id) = 0;
    virtual ReturnStatus galleryDeleteID(const std::string &id) = 0;
    static std::shared_ptr<IdentInterface> getImplementation();
};

} // namespace FRVT_1N
