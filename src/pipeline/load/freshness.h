// How fresh tables are: the time until SQL sees the row of an event, from its arrival at the
// collector, and from when it happened.
//
// Of each load every row's times are taken, or evenly those of some (shape::RowTimes). The figures
// go into the report of the sync, and as two Prometheus histograms per source and table into the
// metrics (docs/reference/metrics.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "pipeline/load/sync_report.h"
#include "pipeline/shape/shaper.h"

namespace leat::load {

/// A table of a load and when its events happened and were received.
struct TableTimes {
  std::string table;
  bool is_home = false;  ///< One row for each event: they make the figures of the source.
  shape::RowTimes times;
};

/// The figures of one sync, and of all in the metrics. One thread at a time.
class FreshnessMeter {
 public:
  /// Tables with a histogram of their own, over all sources; the rows of further ones are counted
  /// under "*".
  static constexpr std::size_t kTablesMax = 200;

  /// `registry`: optional; borrowed.
  explicit FreshnessMeter(metrics::Registry* registry) : registry_(registry) {}

  void begin() { syncs_.clear(); }
  /// Counts a load of `source` that was committed at `committed`.
  void add(const std::string& source, const std::vector<TableTimes>& tables, TimeUs committed);
  /// Puts what was counted since begin into the report; of tables, those with the most rows, at
  /// most kTablesMax.
  void end(SyncReport& report) const;

 private:
  struct Histogram {
    std::vector<metrics::Counter*> buckets;  // the last one: all
    metrics::Counter* sum = nullptr;
    metrics::Counter* count = nullptr;
    std::int64_t rest_us = 0;  // of the sum, below a second
  };
  struct Series {
    Histogram arrival;
    Histogram event;
  };
  /// Late by so many microseconds: so many rows.
  using Weights = std::vector<std::pair<std::int64_t, std::int64_t>>;
  struct Rows {
    Weights arrival;
    Weights event;
  };

  [[nodiscard]] static Lateness lateness_of(Weights weights);
  [[nodiscard]] Series& series_of(const std::string& source, const std::string& table);
  static void count(Histogram& histogram, const Weights& weights);

  metrics::Registry* registry_;
  std::map<std::pair<std::string, std::string>, Series> series_;
  std::map<std::string, Rows> syncs_;  // by table; "": of the source
};

}  // namespace leat::load
