// Which events of a batch become rows when not all shall: what a replay asks for (Selection), and
// what the settings of a source leave out (Exclusion). Pure; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "pipeline/event/validate.h"

namespace leat::shape {

/// Table that has a row for each call of that type: "tracks", "identifies", ...; "" for kNone.
[[nodiscard]] std::string_view home_table_of(event::EventType type);

/// All conditions must hold. An event that is not selected is counted, and gives no row.
struct Selection {
  TimeUs from{std::numeric_limits<std::int64_t>::min()};  ///< received_at in [from, to).
  TimeUs to{std::numeric_limits<std::int64_t>::max()};
  std::string event{};   ///< Track events of this name, as sent or as their table is called.
  std::string table{};   ///< Events that have a row in this table.
  std::string column{};  ///< Events that bring a value for this column of `table`; without `table`,
                         ///< of any of their tables.
  /// Lines, from 1, by batch id; empty: all.
  std::map<std::string, std::set<std::uint64_t>, std::less<>> lines{};
  /// Events of the shaper by their number, from 0, over all batches. Others are not even read: they
  /// are counted nowhere.
  std::int64_t first_order = 0;
  std::int64_t end_order = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool takes_all() const;
  [[nodiscard]] bool takes_order(std::int64_t order) const {
    return order >= first_order && order < end_order;
  }
  [[nodiscard]] bool takes_line(std::string_view batch_id, std::uint64_t line) const;
  [[nodiscard]] bool takes_time(TimeUs received_at) const {
    return received_at >= from && received_at < to;
  }
  /// Judges `event` and `table`. `name`: of a track event, as sent. `taken`: Options::taken_tables.
  [[nodiscard]] bool takes_event(event::EventType type, std::string_view name,
                                 std::span<const std::string> taken = {}) const;
  /// True when every row has a value in `column`, such as received_at.
  [[nodiscard]] bool column_is_standard() const;
};

/// Events whose rows the warehouse refused, with its words: they are rescued whole.
struct Refusals {
  struct Lines {
    std::uint64_t first = 0;  ///< From 1.
    std::uint64_t last = 0;
    std::string table;  ///< Only events that have a row in it.
    std::string detail;
  };
  std::map<std::string, std::vector<Lines>, std::less<>> by_batch{};

  /// Why the event was refused, or nullptr. `name`, `taken`: as Selection::takes_event.
  [[nodiscard]] const std::string* find(std::string_view batch_id, std::uint64_t line,
                                        event::EventType type, std::string_view name,
                                        std::span<const std::string> taken = {}) const;
};

/// What is not loaded. Patterns: text in which `*` stands for any characters.
struct Exclusion {
  std::vector<std::string> events{};   ///< Track events, by name as sent or by table.
  std::vector<std::string> tables{};   ///< Without identifies there are no users, without groups no
                                       ///< accounts.
  std::vector<std::string> columns{};  ///< "table.column", or "column" of any table; only columns
                                       ///< of context, properties and traits.
  [[nodiscard]] bool is_empty() const {
    return events.empty() && tables.empty() && columns.empty();
  }
  [[nodiscard]] bool leaves_out_table(std::string_view table) const;
  [[nodiscard]] bool leaves_out_column(std::string_view table, std::string_view column) const;
  /// True when no row is left of such an event. `name`, `taken`: as Selection::takes_event.
  [[nodiscard]] bool leaves_out_event(event::EventType type, std::string_view name,
                                      std::span<const std::string> taken = {}) const;
};

/// True when `text` matches `pattern`, in which `*` stands for any characters, none too.
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern);

/// What became of the selected events of one batch: rows + rescued + excluded of them.
struct SelectedCounts {
  std::uint64_t rows = 0;
  std::uint64_t rescued = 0;
  std::uint64_t excluded = 0;
};

}  // namespace leat::shape
