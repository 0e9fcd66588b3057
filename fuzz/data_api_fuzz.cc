// Bodies of the Data API's requests, SQL with named parameters, access key files, tokens; targets
// and ranges of S3.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "warehouse/dataapi/access_keys.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/parameters.h"
#include "warehouse/dataapi/requests.h"
#include "warehouse/dataapi/s3_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat::dataapi;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_execute(bytes, false));
  static_cast<void>(parse_execute(bytes, true));
  static_cast<void>(parse_id(bytes));
  static_cast<void>(parse_list_statements(bytes));
  static_cast<void>(parse_list_sessions(bytes));
  static_cast<void>(parse_catalog(bytes));
  static_cast<void>(parse_serverless(bytes));
  static_cast<void>(parse_access_keys(bytes));
  static_cast<void>(read_token("x", bytes));
  HttpRequest request;
  request.path = bytes.substr(0, bytes.find('?'));
  request.query = bytes.substr(request.path.size());
  const S3Target target = s3_target(request);
  if (target.bucket.size() + target.key.size() > size) __builtin_trap();
  constexpr std::uint64_t kSize = 1000;
  if (const auto range = parse_range(bytes, kSize); range && *range) {
    const ByteRange& asked = **range;
    if (asked.length == 0 || asked.first + asked.length > kSize) __builtin_trap();
  }
  const SqlParameter parameters[] = {{.name = "a", .value = "1"}, {.name = "id", .value = "2"}};
  const PositionalSql sql = to_positional(bytes, parameters);
  // What was not replaced is as it was: the text shrinks and grows by the names alone.
  if (sql.order.empty() && sql.text != bytes) __builtin_trap();
  if (sql.original_position(sql.text.size()) > bytes.size()) __builtin_trap();
  return 0;
}
