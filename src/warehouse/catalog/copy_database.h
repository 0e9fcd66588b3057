// All that is in one database file, written anew into another: for files with another key, or
// without one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "warehouse/engine/connection.h"

namespace leat::catalog {

struct DatabaseCopy {
  std::string from{};  ///< Engine's name of the old one; nobody writes to it.
  std::string to{};    ///< Of the new one, which is empty; the name that sessions will know it by.
  /// Schema of the cluster's tables, as SQL text; empty: `to` is the first database.
  std::string cluster_store{};
  /// Told after each table; may be empty.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};
};

/// Makes every schema, sequence and table of the old database in the new one, copies the rows
/// in their order, and compares the two by counts and hashes. The system schema is this version's.
/// Errors: XX001 when they are not alike; those of the statements, with what was being made.
[[nodiscard]] engine::SqlStatus copy_database(engine::Connection& connection,
                                              const DatabaseCopy& copy);

}  // namespace leat::catalog
