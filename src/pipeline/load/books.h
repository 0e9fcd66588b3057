// The books: what became of every event of a batch. Stored in the destination's ledger table in the
// same transaction as the rows themselves (docs/reference/ledger.md), so a batch is either wholly
// in the warehouse and in the books, or in neither.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/load/destination.h"

namespace leat::load {

/// Counts of events. received = loaded + deduplicated + rescued + excluded, always.
struct EventCounts {
  std::int64_t received = 0;  ///< Events in the batch (archive).
  std::int64_t loaded = 0;    ///< Brought a new id into the warehouse.
  std::int64_t deduplicated =
      0;  ///< Same id as another event: replaced its row, or gave way to a newer one.
  std::int64_t rescued = 0;   ///< Kept whole in the rescue table only.
  std::int64_t excluded = 0;  ///< Left out by a rule of the source or the event's `integrations`.

  [[nodiscard]] bool balanced() const {
    return received == loaded + deduplicated + rescued + excluded;
  }
  EventCounts& operator+=(const EventCounts& other);
  bool operator==(const EventCounts&) const = default;
};

/// One row of the ledger.
struct BatchBooks {
  std::string
      batch_id;  ///< "<source>/<hour>/<shard>-<first>-<last>", the archive's name of the batch.
  std::string source;
  std::string shard;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::string hour;  ///< "yyyymmddhh", UTC.
  EventCounts events;
  std::int64_t values_rescued =
      0;  ///< Single values kept in the rescue table while their row loaded.
  std::map<std::string, std::int64_t> table_rows;  ///< Rows staged per table.
  std::string sync_id;
  TimeUs loaded_at;
  bool operator==(const BatchBooks&) const = default;
};

/// A ledger row in the order of kLedgerColumns (load_sql.h). Pure; any thread.
[[nodiscard]] BatchBooks batch_from_row(const std::vector<std::optional<std::string>>& row);

/// Error (kBug) naming the batch and every number when the counts do not add up; ok otherwise.
/// Pure; any thread.
[[nodiscard]] Status check_balance(const BatchBooks& books);

/// All batches of a source in one line.
struct SourceBooks {
  std::string source;
  std::int64_t batches = 0;
  EventCounts events;
  std::int64_t values_rescued = 0;
  std::int64_t deleted =
      0;  ///< Events deleted on a person's request, whatever they are counted as.
  TimeUs last_loaded_at;
};

struct Ledger {
  std::vector<SourceBooks> sources;  ///< Sorted by name.
  std::vector<BatchBooks> latest;    ///< Newest first.
};

/// Reads the ledger over a connection of its own. An absent ledger reads as empty. `latest`: how
/// many batches, 0 to 10000. Waits at most 5 s for the connection and each of four statements.
/// Errors as describe_failure. Any thread; blocks.
[[nodiscard]] Result<Ledger> read_ledger(const DestinationSettings& settings,
                                         const Connect& connect, int latest, std::stop_token stop);

/// One batch as a JSON object (as in the console API and `leat status --json`).
[[nodiscard]] std::string to_json(const BatchBooks& books);
[[nodiscard]] std::string to_json(const EventCounts& counts);

}  // namespace leat::load
