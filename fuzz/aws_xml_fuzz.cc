// What S3 and STS answer with. What is read from a list must survive being asked for again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat::aws;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const auto error = parse_error_xml(xml);
  if (error && error->code.size() > size) std::abort();
  const auto list = parse_list_xml(xml);
  if (list) {
    for (const ListedObject& object : list->objects) {
      if (object.key.empty() || object.key.size() > size) std::abort();
      if (object.etag.find('"') != std::string::npos) std::abort();
    }
  }
  static_cast<void>(parse_upload_id_xml(xml));
  static_cast<void>(parse_complete_xml(xml));
  static_cast<void>(parse_delete_xml(xml));
  const auto asked = parse_delete_request(xml, 100);
  if (asked) {
    if (asked->keys.empty() || asked->keys.size() > 100) std::abort();
    for (const std::string& key : asked->keys) {
      if (key.empty() || key.size() > size) std::abort();
    }
  }
  const auto parts = parse_complete_request(xml);
  if (parts && (parts->empty() || parts->front().number < 1)) std::abort();
  const auto keys = parse_issued_keys_xml(xml);
  if (keys && keys->access_key_id.empty()) std::abort();
  return 0;
}
