// The SQL of a replay, as text; as load_sql.h, one statement each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/load/load_sql.h"
#include "pipeline/load/replay_state.h"

namespace leat::load {

/// The table `replays` beside the ledger; its rows in the order of replay_from_row.
[[nodiscard]] std::string create_replays_sql(std::string_view ledger_schema);
[[nodiscard]] std::string find_replay_sql(std::string_view ledger_schema,
                                          std::string_view replay_id);
/// Of one source; every source's when it is empty. The newest first.
[[nodiscard]] std::string running_replays_sql(std::string_view ledger_schema,
                                              std::string_view source);
[[nodiscard]] std::string delete_replay_sql(std::string_view ledger_schema,
                                            std::string_view replay_id);
[[nodiscard]] std::string insert_replay_sql(std::string_view ledger_schema,
                                            const ReplayState& state);
[[nodiscard]] ReplayState replay_from_row(const std::vector<std::optional<std::string>>& row);

/// Which ledger rows a replay is about.
struct ReplayRange {
  std::string_view ledger_schema;
  std::string_view schema;  ///< Of the source; its leat_rescue is looked into for selection.rescue.
  const ReplaySelection& selection;
  TimeUs loaded_before;       ///< Only batches loaded before this.
  std::string_view position;  ///< Only batches behind this one; empty: all.
};
/// One row: how many batches, how many events.
[[nodiscard]] std::string replay_total_sql(const ReplayRange& range);
/// batch_id of the next `limit` of them, in order.
[[nodiscard]] std::string replay_batches_sql(const ReplayRange& range, std::size_t limit);
/// batch_id, line of the rescue rows that the selection is about.
[[nodiscard]] std::string rescue_lines_sql(std::string_view schema, const RescueFilter& filter,
                                           const std::vector<std::string>& batch_ids);
/// The conditions of a filter as " AND ..."; empty for none. Columns carry `prefix`.
[[nodiscard]] std::string rescue_conditions(const RescueFilter& filter, std::string_view prefix);

/// A temporary table of the lines that are loaded: leat_batch, batch_id, line.
[[nodiscard]] std::string create_lines_sql();
/// Fills it from the stage of a table with one row per event. `first_orders`: kOrderColumn of each
/// batch's first line.
[[nodiscard]] std::string add_lines_sql(std::size_t stage, const std::vector<BatchBooks>& batches,
                                        const std::vector<std::int64_t>& first_orders);
/// Rows: leat_batch; whole events and values that leat_rescue has of those lines, and how many rows
/// it has that the stage of its own rows does not bring back. `rescue_stage`: that stage, if any.
[[nodiscard]] std::string count_resolved_sql(std::string_view schema,
                                             std::optional<std::size_t> rescue_stage);
[[nodiscard]] std::string delete_resolved_sql(std::string_view schema);
[[nodiscard]] std::string drop_lines_sql();

/// kLatest, of the staged ids: the newest non-null value of each column over all rows of `home`
/// (identifies, groups), whose `key` is the id, where both have a column of the same type; what
/// they do not say stays. The second fills the other columns from the stage where they are null;
/// empty when there are none.
[[nodiscard]] std::string restore_latest_sql(const StagedTable& table, std::size_t index,
                                             const StagedTable& home, std::string_view key);
[[nodiscard]] std::string fill_latest_sql(const StagedTable& table, std::size_t index,
                                          const StagedTable* home);

}  // namespace leat::load
