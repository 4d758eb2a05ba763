// As frvt_structs.h: the 1:1 interface (version 4), for our tests.
#pragma once
#include <frvt_structs.h>

namespace FRVT_11 {

class Interface {
public:
    virtual ~Interface() = default;
    virtual FRVT::ReturnStatus initialize(const std::string &configDir) = 0;
    virtual FRVT::ReturnStatus createTemplate(const FRVT::Multiface &faces, FRVT::TemplateRole role, std::vector<uint8_t> &templ, std::vector<FRVT::EyePair> &eyeCoordinates) = 0;
    virtual FRVT::ReturnStatus matchTemplates(const std::vector<uint8_t> &verifTemplate, const std::vector<uint8_t> &enrollTemplate, double &similarity) = 0;
    static std::shared_ptr<Interface> getImplementation();
};

} // namespace FRVT_11
