// How the commands talk to the status API of the running process (docs/reference/console-api.md).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace leat::app {

struct ConsoleRequest {
  std::string method = "GET";  ///< Everything but GET needs the data directory's token.
  std::string path;            ///< "/api/status", query included.
  std::int64_t timeout_us = 30 * kUsPerSecond;  ///< For the whole call.
};

/// The answer of the process in the data directory `data`, a JSON object. Errors: kNotFound
/// (nothing runs there), kInvalid (it has no status API, or refuses the request), kUnavailable (no
/// answer), and what its status means otherwise, with the API's own message.
[[nodiscard]] Result<nlohmann::ordered_json> ask_console(const std::string& data,
                                                         const ConsoleRequest& request);

/// "&name=value", escaped; nothing for an empty value.
[[nodiscard]] std::string query_part(std::string_view name, std::string_view value);

}  // namespace leat::app
