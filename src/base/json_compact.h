// White space out of JSON.
#pragma once

#include <string>
#include <string_view>

namespace leat {

/// Appends `json` (valid JSON) without white space between its tokens; strings and numbers keep
/// their bytes. Pure; any thread.
void append_compact_json(std::string& out, std::string_view json);

}  // namespace leat
