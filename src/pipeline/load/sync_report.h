// What one sync of one source did: for the history, the console and `leat sync`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "pipeline/load/books.h"

namespace leat::load {

/// What one sync of one source did.
struct SyncReport {
  std::string sync_id;
  std::string source;
  TimeUs started_at;
  TimeUs finished_at;
  std::int64_t batches = 0;
  std::int64_t transactions = 0;
  EventCounts events;
  std::int64_t values_rescued = 0;
  std::int64_t staged_bytes = 0;
  std::map<std::string, std::int64_t> table_rows;
  std::vector<std::string> tables_created;
  std::vector<std::string> columns_added;  ///< "table.column".
};

/// The sync as one JSON object.
[[nodiscard]] std::string to_json(const SyncReport& report);

}  // namespace leat::load
