#include "pipeline/load/freshness.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace leat::load {
namespace {

constexpr std::array<std::int64_t, 15> kBoundsS = {1,   2,    5,    10,   30,    60,    120,   300,
                                                   600, 1800, 3600, 7200, 21600, 86400, 604800};

// How many rows each of those that were kept stands for.
std::int64_t weight_of(const shape::RowTimes& times, std::size_t index) {
  const auto kept = static_cast<std::int64_t>(times.times.size());
  const auto rows = static_cast<std::int64_t>(times.rows);
  return rows / kept + (static_cast<std::int64_t>(index) < rows % kept ? 1 : 0);
}

}  // namespace

void FreshnessMeter::add(const std::string& source, const std::vector<TableTimes>& tables,
                         TimeUs committed) {
  const auto late_us = [committed](TimeUs since) {
    return std::max<std::int64_t>(committed.value - since.value, 0);
  };
  for (const TableTimes& table : tables) {
    Rows rows;
    for (std::size_t i = 0; i < table.times.times.size(); ++i) {
      const shape::RowTimes::Taken& taken = table.times.times[i];
      const std::int64_t weight = weight_of(table.times, i);
      rows.arrival.emplace_back(late_us(taken.received), weight);
      rows.event.emplace_back(late_us(taken.happened), weight);
    }
    if (rows.arrival.empty()) continue;
    if (registry_ != nullptr) {
      Series& series = series_of(source, table.table);
      count(series.arrival, rows.arrival);
      count(series.event, rows.event);
    }
    const auto append = [&rows](Rows& to) {
      to.arrival.insert(to.arrival.end(), rows.arrival.begin(), rows.arrival.end());
      to.event.insert(to.event.end(), rows.event.begin(), rows.event.end());
    };
    append(syncs_[table.table]);
    if (table.is_home) append(syncs_[""]);
  }
}

void FreshnessMeter::end(SyncReport& report) const {
  std::vector<std::pair<std::int64_t, std::string>> by_rows;
  for (const auto& [table, rows] : syncs_) {
    Freshness freshness{.arrival = lateness_of(rows.arrival), .event = lateness_of(rows.event)};
    for (const auto& [late_us, weight] : rows.arrival) freshness.rows += weight;
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
  for (const auto& [count, table] : by_rows) report.table_freshness.erase(table);
}

Lateness FreshnessMeter::lateness_of(Weights weights) {
  std::ranges::sort(weights);
  std::int64_t all = 0;
  for (const auto& [late_us, rows] : weights) all += rows;
  Lateness out;
  std::int64_t below = 0;
  for (const auto& [late_us, rows] : weights) {
    // The smallest time that at least the share of the rows does not exceed.
    if (below * 2 < all) out.p50_us = late_us;
    if (below * 100 < all * 99) out.p99_us = late_us;
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
  const metrics::Labels labels = {{"source", source}, {"table", table}};
  Series series;
  series.arrival.sum =
      &registry_->counter("leat_load_freshness_seconds_sum",
                          "Seconds from their event's arrival to queryable, of all rows", labels);
  series.arrival.count = &registry_->counter(
      "leat_load_freshness_seconds_count",
      "Rows whose time from their event's arrival to queryable was taken", labels);
  series.event.sum =
      &registry_->counter("leat_load_event_freshness_seconds_sum",
                          "Seconds from their event to queryable, of all rows", labels);
  series.event.count =
      &registry_->counter("leat_load_event_freshness_seconds_count",
                          "Rows whose time from their event to queryable was taken", labels);
  metrics::Labels of_bucket = labels;
  of_bucket.emplace_back("le", "");
  for (std::size_t i = 0; i <= kBoundsS.size(); ++i) {
    of_bucket.back().second = i < kBoundsS.size() ? std::to_string(kBoundsS[i]) : "+Inf";
    series.arrival.buckets.push_back(&registry_->counter(
        "leat_load_freshness_seconds_bucket",
        "Rows that were queryable within so many seconds of their event's arrival", of_bucket));
    series.event.buckets.push_back(&registry_->counter(
        "leat_load_event_freshness_seconds_bucket",
        "Rows that were queryable within so many seconds of their event", of_bucket));
  }
  return series_.emplace(std::pair(source, table), std::move(series)).first->second;
}

void FreshnessMeter::count(Histogram& histogram, const Weights& weights) {
  std::array<std::uint64_t, kBoundsS.size() + 1> rows_within{};
  // Seconds and their rest apart: an event may say that it happened a thousand years ago.
  std::int64_t sum_s = 0;
  std::int64_t rest_us = histogram.rest_us;
  for (const auto& [late_us, rows] : weights) {
    const auto first =
        std::ranges::lower_bound(kBoundsS, (late_us + kUsPerSecond - 1) / kUsPerSecond);
    for (auto at = static_cast<std::size_t>(first - kBoundsS.begin()); at < rows_within.size();
         ++at) {
      rows_within[at] += static_cast<std::uint64_t>(rows);
    }
    sum_s += late_us / kUsPerSecond * rows;
    rest_us += late_us % kUsPerSecond * rows;
  }
  for (std::size_t i = 0; i < rows_within.size(); ++i) histogram.buckets[i]->add(rows_within[i]);
  histogram.count->add(rows_within.back());
  histogram.sum->add(static_cast<std::uint64_t>(sum_s + rest_us / kUsPerSecond));
  histogram.rest_us = rest_us % kUsPerSecond;
}

}  // namespace leat::load
