#include "pipeline/load/freshness.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace leat::load {
namespace {

constexpr std::array<std::int64_t, 15> kBoundsS = {1,   2,    5,    10,   30,    60,    120,   300,
                                                   600, 1800, 3600, 7200, 21600, 86400, 604800};

// How many rows each of the times that were kept stands for.
std::int64_t weight_of(const shape::ReceivedTimes& received, std::size_t index) {
  const auto kept = static_cast<std::int64_t>(received.times.size());
  const auto rows = static_cast<std::int64_t>(received.rows);
  return rows / kept + (static_cast<std::int64_t>(index) < rows % kept ? 1 : 0);
}

}  // namespace

void FreshnessMeter::add(const std::string& source, const std::vector<TableTimes>& tables,
                         TimeUs committed) {
  for (const TableTimes& table : tables) {
    Weights weights;
    for (std::size_t i = 0; i < table.received.times.size(); ++i) {
      const std::int64_t late_us = committed.value - table.received.times[i].value;
      weights.emplace_back(std::max<std::int64_t>(late_us, 0), weight_of(table.received, i));
    }
    if (weights.empty()) continue;
    if (registry_ != nullptr) count(series_of(source, table.table), weights);
    const auto append = [&weights](Weights& to) {
      to.insert(to.end(), weights.begin(), weights.end());
    };
    append(syncs_[table.table]);
    if (table.is_home) append(syncs_[""]);
  }
}

void FreshnessMeter::end(SyncReport& report) const {
  std::vector<std::pair<std::int64_t, std::string>> by_rows;
  for (const auto& [table, weights] : syncs_) {
    const Freshness freshness = summary_of(weights);
    if (table.empty()) {
      report.freshness = freshness;
      continue;
    }
    report.table_freshness[table] = freshness;
    by_rows.emplace_back(freshness.rows, table);
  }
  if (by_rows.size() <= kTablesMax) return;
  std::ranges::sort(by_rows);
  by_rows.resize(by_rows.size() - kTablesMax);
  for (const auto& [rows, table] : by_rows) report.table_freshness.erase(table);
}

Freshness FreshnessMeter::summary_of(Weights weights) {
  std::ranges::sort(weights);
  Freshness out;
  for (const auto& [late_us, rows] : weights) out.rows += rows;
  std::int64_t below = 0;
  for (const auto& [late_us, rows] : weights) {
    // The smallest time that at least the share of the rows does not exceed.
    if (below * 2 < out.rows) out.p50_us = late_us;
    if (below * 100 < out.rows * 99) out.p99_us = late_us;
    below += rows;
    out.max_us = late_us;
  }
  return out;
}

FreshnessMeter::Series& FreshnessMeter::series_of(const std::string& source,
                                                  const std::string& table) {
  const auto found = series_.find({source, table});
  if (found != series_.end()) return found->second;
  if (series_.size() >= kTablesMax && table != "*") return series_of(source, "*");
  Series series;
  metrics::Labels labels = {{"source", source}, {"table", table}};
  series.sum = &registry_->counter("leat_load_freshness_seconds_sum",
                                   "Seconds from arrival to queryable, of all rows", labels);
  series.count = &registry_->counter("leat_load_freshness_seconds_count",
                                     "Rows whose time from arrival to queryable was taken", labels);
  labels.emplace_back("le", "");
  const auto bucket = [&](std::string bound) {
    labels.back().second = std::move(bound);
    return &registry_->counter("leat_load_freshness_seconds_bucket",
                               "Rows that were queryable within so many seconds of their arrival",
                               labels);
  };
  for (const std::int64_t bound : kBoundsS) series.buckets.push_back(bucket(std::to_string(bound)));
  series.buckets.push_back(bucket("+Inf"));
  return series_.emplace(std::pair(source, table), std::move(series)).first->second;
}

void FreshnessMeter::count(Series& series, const Weights& weights) {
  std::array<std::uint64_t, kBoundsS.size() + 1> rows_within{};
  std::int64_t sum_us = series.rest_us;
  for (const auto& [late_us, rows] : weights) {
    const auto first =
        std::ranges::lower_bound(kBoundsS, (late_us + kUsPerSecond - 1) / kUsPerSecond);
    for (auto at = static_cast<std::size_t>(first - kBoundsS.begin()); at < rows_within.size();
         ++at) {
      rows_within[at] += static_cast<std::uint64_t>(rows);
    }
    sum_us += late_us * rows;
  }
  for (std::size_t i = 0; i < rows_within.size(); ++i) series.buckets[i]->add(rows_within[i]);
  series.count->add(rows_within.back());
  series.sum->add(static_cast<std::uint64_t>(sum_us / kUsPerSecond));
  series.rest_us = sum_us % kUsPerSecond;
}

}  // namespace leat::load
