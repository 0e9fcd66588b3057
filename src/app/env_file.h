// The .env file: one NAME=VALUE a line, as shells and container tools write it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::app {

struct EnvLine {
  std::size_t line = 0;  ///< Counted from 1.
  std::string name;
  std::string value;
};

/// What reading a .env file gives: its settings, and one "LINE: what is wrong" for each line that
/// is none.
struct EnvFile {
  std::vector<EnvLine> settings;
  std::vector<std::pair<std::size_t, std::string>> mistakes;
};

/// Reads
///   blank lines, # comments, [export ]NAME=VALUE with VALUE plain (up to " #" or the end of the
///   line), 'single quoted' (verbatim) or "double quoted" (\" \\ \n \t \$ escapes). No expansion of
///   variables. A later line wins.
/// Pure; any thread.
[[nodiscard]] EnvFile parse_env_file(std::string_view text);

}  // namespace leat::app
