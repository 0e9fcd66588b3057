// All database files of a warehouse written anew, with another key or without one, while nobody has
// it open.
//
// The new files come beside the old ones, in a folder of their own and under the same names;
// putting them in the old ones' place is the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace leat::session {

struct RewriteOptions {
  std::string data_directory{};        ///< With NAME.duckdb and NAME.databases.
  std::string database = "dev";        ///< NAME.
  std::string new_directory{};         ///< Absolute; exists and is empty.
  std::string key{};                   ///< Of the old files; empty: they are plain.
  std::string new_key{};               ///< Of the new ones; empty: they will be plain.
  std::uint64_t memory_bytes_max = 0;  ///< 0: 80 % of the machine.
  /// Told after each table; may be empty.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t total)> progress{};
};

/// Returns the names below either directory, "dev.duckdb" and "dev.databases/100123.duckdb". Each
/// new file was compared with its old one, whose log is in it now; neither has a log. Errors: as
/// Warehouse::open(); kCorrupt for an object that could not be made again, with its name.
[[nodiscard]] Result<std::vector<std::string>> rewrite_warehouse(const RewriteOptions& options);

}  // namespace leat::session
