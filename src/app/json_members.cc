#include "app/json_members.h"

#include <nlohmann/json.hpp>

namespace leat::app {

using Json = nlohmann::ordered_json;

std::string text_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Json list_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_array() ? *found : Json::array();
}

Json object_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

}  // namespace leat::app
