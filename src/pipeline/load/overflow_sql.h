// The SQL that keeps `_extra` of users and accounts: one SUPER object a row, the newest value of
// each of its names. Pure functions, one statement each.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/load/load_sql.h"

namespace leat::load {

/// True for the column of what has no column, as a load makes it. Its rows are not merged like
/// other columns, name by name instead.
[[nodiscard]] bool is_overflow(const StagedColumn& column);

/// True when a load of `table` (kLatest) brings such values.
[[nodiscard]] bool has_overflow(const StagedTable& table);

/// What the newest value of a name is told by.
enum class OverflowOrder : std::uint8_t {
  kRows,   ///< The newer row's value wins: of the target or the stage. Before the target's other
           ///< columns are updated, whose time it asks.
  kCalls,  ///< The newest of all rows of the load's home table wins, then the target's, then the
           ///< staged one: for calls that came late, or again.
};
/// Into the target's rows of staged ids. An object takes what fits into
/// shape::kEntityOverflowBytesMax, the newest first, of one time the shortest; what gives way is in
/// the rows of the home table. `home`: for kCalls, nullptr when it has no such column.
[[nodiscard]] std::string merge_overflow_sql(const StagedTable& table, std::size_t index,
                                             OverflowOrder order, const StagedTable* home);

}  // namespace leat::load
