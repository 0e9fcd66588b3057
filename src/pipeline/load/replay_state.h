// What a replay is asked to load again, how far it is, and what it does to the books. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/load/books.h"

namespace leat::load {

/// Rows of leat_rescue; an empty member is no condition.
struct RescueFilter {
  std::string table{};
  std::string column{};
  std::string reason{};
  std::string event_id{};
  std::string id{};  ///< The rescue row's own.
  bool operator==(const RescueFilter&) const = default;
};

/// What to load again. All conditions must hold.
struct ReplaySelection {
  std::string source{};
  std::optional<TimeUs> from{};  ///< received_at in [from, to).
  std::optional<TimeUs> to{};
  std::string event{};  ///< As shape::Selection.
  std::string table{};
  std::string column{};
  std::optional<RescueFilter> rescue{};  ///< Only events that have such rows in leat_rescue.

  /// As one JSON object, the same text for the same selection.
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] static Result<ReplaySelection> parse(std::string_view json);
};

/// One replay: a row of the ledger schema's table `replays`, and what only this process knows.
struct ReplayState {
  std::string replay_id;
  std::string source;
  std::string selection;           ///< ReplaySelection::to_json.
  std::string status = "running";  ///< "running", "done", "stopped".
  std::string position;            ///< Batches up to this id are done.
  std::int64_t batches_total = 0;
  std::int64_t batches_done = 0;
  EventCounts events;  ///< Of the selected events; loaded: brought an id that was not there.
  std::int64_t values_rescued = 0;
  std::int64_t rescue_rows_removed = 0;
  TimeUs started_at;
  TimeUs updated_at;

  // Of this process.
  bool is_dry = false;
  bool is_resumed = false;
  std::map<std::string, std::int64_t> table_rows;
  std::vector<std::string> tables_created;
  std::vector<std::string> columns_added;
};

[[nodiscard]] std::string to_json(const ReplayState& state);

/// What a replay found out about one batch; numbers of events but for the rows of leat_rescue.
struct ReplayCounts {
  bool is_whole = false;             ///< Every event of the batch was selected.
  std::int64_t staged = 0;           ///< Selected events with rows,
  std::int64_t known = 0;            ///< of them with an id that the table had,
  std::int64_t added = 0;            ///< and those that brought a new id.
  std::int64_t rescued = 0;          ///< Selected events that are rescued now,
  std::int64_t excluded = 0;         ///< and that are left out.
  std::int64_t resolved_events = 0;  ///< Events that leat_rescue had whole and that have rows now.
  std::int64_t resolved_values = 0;  ///< Values that leat_rescue had of events with rows now.
  std::int64_t rows_removed = 0;     ///< Rows taken out of leat_rescue.
};

/// The ledger row of a batch after a replay of it. `now`: the batch by the present rules: rescued
/// and excluded of all its events, values_rescued of the selected ones. An event moves from rescued
/// and excluded to loaded (or deduplicated), never back. Pure; any thread.
[[nodiscard]] BatchBooks books_after_replay(const BatchBooks& before, const BatchBooks& now,
                                            const ReplayCounts& counts);

}  // namespace leat::load
