// What given events would become in the warehouse: tables, columns, types, and the room they take.
// Pure: no file, clock or connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/shape/shaper.h"

namespace leat::app {

/// Events turned into lines of the archive (event/line.h).
struct PlannedLines {
  std::string lines;
  std::uint64_t events = 0;
  std::uint64_t not_json = 0;        ///< Input lines that are no JSON; left out.
  std::uint64_t first_not_json = 0;  ///< 1-based line of the first of them; 0: none.
};

/// Reads NDJSON: events as an app sends them, each with its `type`, or lines of the archive, which
/// stay as they are. Events get `source` and `received_at`.
[[nodiscard]] PlannedLines read_planned_lines(std::string_view text, std::string_view source,
                                              TimeUs received_at);

struct PlanOptions {
  std::uint64_t events_per_month = 0;  ///< 0: as many as were given.
  std::uint64_t months = 12;           ///< How long rows stay.
};

struct PlannedTable {
  std::string name;
  std::uint64_t rows = 0;  ///< Of the given events.
  std::uint64_t staged_bytes = 0;
  std::uint64_t warehouse_bytes = 0;  ///< After all months, on one node of two slices.
  std::vector<columns::Column> columns;
};

/// A cluster that would hold the rows and stay below kFullShare.
struct PlannedCluster {
  std::string_view node_type;
  std::uint64_t nodes = 0;  ///< 0: more than the type allows.
  std::uint64_t bytes = 0;  ///< What is stored on it: tables take room per slice.
  std::uint64_t capacity_bytes = 0;
};

struct Plan {
  std::uint64_t events = 0;
  std::uint64_t rescued_events = 0;
  std::uint64_t rescued_values = 0;
  std::uint64_t excluded = 0;
  std::uint64_t events_stored = 0;   ///< After all months.
  std::vector<PlannedTable> tables;  ///< The widest room first.
  std::vector<PlannedCluster> clusters;
};

/// Above this share of its disks a cluster gets slow; the guides' limit.
inline constexpr double kFullShare = 0.75;

/// Adds up what was shaped. The model (docs/guides/plan.md): a row takes what it takes in the
/// staged Parquet file, and each column of a table, with three hidden ones, at least one block of
/// 1 MiB on each slice.
[[nodiscard]] Plan make_plan(const shape::Staged& staged, const PlanOptions& options);

[[nodiscard]] std::string to_text(const Plan& plan, bool with_columns);
/// One line of JSON.
[[nodiscard]] std::string to_json(const Plan& plan);

}  // namespace leat::app
