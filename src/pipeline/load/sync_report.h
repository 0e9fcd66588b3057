// What one sync of one source did: for the history, the console and `leat sync`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "pipeline/load/books.h"

namespace leat::load {

/// How long the parts of a sync took, in microseconds.
struct SyncPhases {
  std::int64_t find_us = 0;   ///< Asking the ledger, listing the archive.
  std::int64_t shape_us = 0;  ///< Reading batches, making rows of them.
  std::int64_t stage_us = 0;  ///< Putting staged files into the object store.
  std::int64_t load_us = 0;   ///< The transactions: COPY, merge, commit; failed ones too.
};

/// How late something was, in microseconds: of half of the rows, of 99 in 100, of all.
struct Lateness {
  std::int64_t p50_us = 0;
  std::int64_t p99_us = 0;
  std::int64_t max_us = 0;
  bool operator==(const Lateness&) const = default;
};

/// How long after their events rows could be queried.
struct Freshness {
  std::int64_t rows = 0;
  Lateness arrival;  ///< From the event's arrival at the collector: what Leat answers for.
  Lateness event;    ///< From the event itself, by its corrected time.
};

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
  std::int64_t refused_events = 0;  ///< Of the rescued ones: whose rows the warehouse refused.
  std::int64_t staged_bytes = 0;
  SyncPhases phases;
  std::map<std::string, std::int64_t> table_rows;
  std::vector<std::string> tables_created;
  std::vector<std::string> columns_added;  ///< "table.column".
  Freshness freshness;                     ///< Of all events that have rows.
  std::map<std::string, Freshness> table_freshness;
};

/// `{"rows":...}`, and its seconds.
[[nodiscard]] std::string to_json(const Freshness& freshness);

/// The sync as one JSON object; without the figures of single tables.
[[nodiscard]] std::string to_json(const SyncReport& report);

}  // namespace leat::load
