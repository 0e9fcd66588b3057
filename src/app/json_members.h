// Members of a JSON object that came from the console or a file: what is absent or of another kind
// reads as empty.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace leat::app {

/// Any thread. `object` must be an object.
[[nodiscard]] std::string text_at(const nlohmann::ordered_json& object, const char* member);
[[nodiscard]] std::int64_t number_at(const nlohmann::ordered_json& object, const char* member);
[[nodiscard]] nlohmann::ordered_json list_at(const nlohmann::ordered_json& object,
                                             const char* member);
[[nodiscard]] nlohmann::ordered_json object_at(const nlohmann::ordered_json& object,
                                               const char* member);

}  // namespace leat::app
