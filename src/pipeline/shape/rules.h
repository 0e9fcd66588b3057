// Rules that the shaper and its reference both follow, in one place. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {

/// What the destination's settings say about new columns.
[[nodiscard]] NewColumnRules new_column_rules(const Options& options);

/// True when integrations.Warehouses keeps the event out of warehouses: `{"all":false}`, or a list
/// of warehouseIds without ours. `All` alone does not. `integrations_json`: the event's
/// integrations, or empty.
[[nodiscard]] bool is_excluded(std::string_view integrations_json, std::string_view warehouse_id);

/// The corrected time of an event: received - (sent - original); without `sent` the original;
/// without both the time of arrival. `given`: the event's own `timestamp` beside an
/// originalTimestamp, which is taken as corrected already.
[[nodiscard]] TimeUs corrected_time(TimeUs received, std::optional<TimeUs> sent,
                                    std::optional<TimeUs> original, std::optional<TimeUs> given);

/// Content of `uuid`: a hash of the table's seed (hash64 of its name) and the row's id.
[[nodiscard]] std::int64_t row_uuid(std::uint64_t table_seed, std::string_view id);

/// What identifies a rescue row.
struct RescueKey {
  std::string_view event_id;  ///< or empty, then batch and line stand for it
  std::string_view batch_id;
  std::uint64_t line;
  std::string_view table;
  std::string_view column;  ///< empty for a whole event
  std::string_view value;
  std::uint64_t part;
};
/// `id` of a rescue row: 32 hexadecimal digits, the same whenever the same thing is rescued again.
[[nodiscard]] std::string rescue_id(const RescueKey& key);

/// Longest piece of a value in one rescue row, in bytes.
inline constexpr std::size_t kRescuePartBytes = 65'535;

}  // namespace leat::shape
