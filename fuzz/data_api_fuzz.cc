// Bodies of the Data API's requests, SQL with named parameters, access key files, tokens.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "warehouse/dataapi/access_keys.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/parameters.h"
#include "warehouse/dataapi/requests.h"

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
  const SqlParameter parameters[] = {{.name = "a", .value = "1"}, {.name = "id", .value = "2"}};
  const PositionalSql sql = to_positional(bytes, parameters);
  // What was not replaced is as it was: the text shrinks and grows by the names alone.
  if (sql.order.empty() && sql.text != bytes) __builtin_trap();
  if (sql.original_position(sql.text.size()) > bytes.size()) __builtin_trap();
  return 0;
}
