// Members of a JSON object that came from a file or another program: what is absent or of another
// kind reads as empty. `Json` is nlohmann::json or ordered_json, which the caller includes; objects
// only. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

template <class Json>
[[nodiscard]] std::string member_text(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->template get<std::string>()
                                                     : std::string();
}

template <class Json>
[[nodiscard]] std::int64_t member_number(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer() ? found->template get<std::int64_t>()
                                                             : 0;
}

template <class Json>
[[nodiscard]] const Json& member_list(const Json& object, const char* member) {
  static const Json kNone = Json::array();
  const auto found = object.find(member);
  return found != object.end() && found->is_array() ? *found : kNone;
}

template <class Json>
[[nodiscard]] const Json& member_object(const Json& object, const char* member) {
  static const Json kNone = Json::object();
  const auto found = object.find(member);
  return found != object.end() && found->is_object() ? *found : kNone;
}

}  // namespace leat
