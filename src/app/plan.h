// What given events would become in the warehouse: tables, columns, types, and the room they take.
// Pure: no file, clock or connection.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/collect/server.h"
#include "pipeline/shape/shaper.h"

namespace leat::app {

/// A line of the input that is left out because the collector would not take it.
struct BadLine {
  std::string input;       ///< File.
  std::uint64_t line = 0;  ///< From 1.
  std::string why;
};

/// How many lines are left out, and the first of them.
struct BadLines {
  static constexpr std::size_t kShown = 5;
  std::uint64_t count = 0;
  std::vector<BadLine> first;  ///< At most kShown.

  void add(BadLine bad);
};

/// Events turned into lines of the archive (event/line.h).
struct PlannedLines {
  std::string lines;
  std::uint64_t events = 0;
  BadLines bad;  ///< Without their input.
};

/// Reads NDJSON: events as an app sends them in a batch, each with its `type`, or lines of the
/// archive, which stay as they are. Events get `source` and `received_at`. What the collector would
/// refuse within `limits` is left out.
[[nodiscard]] PlannedLines read_planned_lines(std::string_view text, std::string_view source,
                                              TimeUs received_at,
                                              const collect::Limits& limits = {});

/// Values and events that would be rescued for one reason.
struct PlannedRescue {
  std::string table;   ///< Empty: for no table.
  std::string column;  ///< Empty: the whole event.
  std::string reason;  ///< docs/formats/rescue.md
  std::uint64_t count = 0;
  // Of the first of them:
  std::string event_id;
  std::string input;   ///< File or batch.
  std::string line;    ///< Which of its events, from 1.
  std::string detail;  ///< May be empty.
};

/// Gathers why events and values are rescued while they are shaped. One thread.
class RescueReasons final : public shape::RowObserver {
 public:
  void row(std::string_view table,
           const std::vector<std::pair<std::string, std::string>>& values) override;
  void restart() override { reasons_.clear(); }
  /// The commonest first.
  [[nodiscard]] std::vector<PlannedRescue> take();

 private:
  std::map<std::array<std::string, 3>, PlannedRescue> reasons_;  // by table, column, reason
};

/// Names that PlanOptions::node_type may have.
[[nodiscard]] std::span<const std::string_view> planned_node_types();

struct PlanOptions {
  std::uint64_t events_per_month = 0;  ///< 0: as many as were given.
  std::uint64_t months = 12;           ///< How long rows stay.
  std::string node_type = {};          ///< Of a cluster that is there; empty: none is.
  std::uint64_t nodes = 1;             ///< Of that cluster.
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
  std::optional<PlannedCluster> own;   ///< That of PlanOptions::node_type, however full.
  std::vector<PlannedRescue> rescues;  ///< Filled in by the caller,
  BadLines bad;                        ///< as is this.
};

/// Above this share of its disks a cluster gets slow; the guides' limit.
inline constexpr double kFullShare = 0.75;

/// Adds up what was shaped. The model (docs/guides/plan.md): a row takes what it takes in the
/// staged Parquet file, and each column of a table, with three hidden ones, at least one block of
/// 1 MiB on each slice.
[[nodiscard]] Plan make_plan(const shape::Staged& staged, const PlanOptions& options);

/// What of its room a cluster takes: 0.5 is half full.
[[nodiscard]] double full_share(const PlannedCluster& cluster);

[[nodiscard]] std::string to_text(const Plan& plan, bool with_columns);
/// One line of JSON.
[[nodiscard]] std::string to_json(const Plan& plan);

}  // namespace leat::app
