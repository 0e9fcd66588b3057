// The status of the whole system as one JSON document, and the judgement whether the books balance.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "ops/console/console.h"
#include "pipeline/load/books.h"
#include "pipeline/load/sync_schedule.h"

namespace leat::console {

/// A part of the status that could not be had.
struct Problem {
  std::string part;
  std::string message;
};

/// Everything the status is made of. Later stages are read first, so that events only move forward
/// in between.
struct Snapshot {
  std::string version;
  TimeUs now;
  TimeUs started_at;
  std::vector<load::SourceState> states;
  std::vector<load::SyncHistoryEntry> syncs;
  std::optional<load::Ledger> ledger;
  std::optional<std::vector<SourceReceived>> received;
  std::optional<std::vector<ShardPosition>> journal;
  std::vector<Problem> problems;
  ConnectionHints connection;
};

/// Whether one source's, or all, books balance, in words.
struct Verdict {
  std::optional<bool> balanced;  ///< Nothing: cannot be told now.
  std::string sentence;
};

/// The books of one source over all stages; a missing number is not known.
struct SourceView {
  std::string name;
  std::string schema;
  std::optional<std::int64_t> received;
  std::optional<std::int64_t> archived;
  std::optional<load::SourceBooks> ledger;
  const load::SourceState* state = nullptr;
  bool is_configured = true;        ///< false: nothing loads it
  bool archive_is_readable = true;  ///< false: received and archived are not known

  [[nodiscard]] std::optional<std::int64_t> in_journal() const;
  [[nodiscard]] std::optional<std::int64_t> waiting_for_sync() const;
  /// What waits for a load and gets none.
  [[nodiscard]] std::int64_t events_for_nobody() const;
};

/// One view per source that any stage knows, by name. The states must outlive it.
[[nodiscard]] std::vector<SourceView> source_views(const Snapshot& snapshot);
[[nodiscard]] Verdict judge(const SourceView& source);
[[nodiscard]] Verdict judge(const Snapshot& snapshot);

/// The document of GET /api/status (docs/reference/console-api.md). Holds no secret.
[[nodiscard]] std::string status_json(const Snapshot& snapshot);

/// `{"error":{"code":...,"message":...}}`
[[nodiscard]] std::string error_json(const Error& error);

}  // namespace leat::console
