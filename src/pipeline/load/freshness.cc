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
  Series series{
      .arrival = make_histogram("leat_load_freshness_seconds", "their event's arrival", labels),
      .event = make_histogram("leat_load_event_freshness_seconds", "their event", labels)};
  return series_.emplace(std::pair(source, table), std::move(series)).first->second;
}

FreshnessMeter::Histogram FreshnessMeter::make_histogram(std::string_view name,
                                                         std::string_view since,
                                                         metrics::Labels labels) {
  Histogram out;
  out.sum =
      &registry_->counter(fmt::format("{}_sum", name),
                          fmt::format("Seconds from {} to queryable, of all rows", since), labels);
  out.count = &registry_->counter(
      fmt::format("{}_count", name),
      fmt::format("Rows whose time from {} to queryable was taken", since), labels);
  labels.emplace_back("le", "");
  const auto bucket = [&](std::string bound) {
    labels.back().second = std::move(bound);
    return &registry_->counter(
        fmt::format("{}_bucket", name),
        fmt::format("Rows that were queryable within so many seconds of {}", since), labels);
  };
  for (const std::int64_t bound : kBoundsS) out.buckets.push_back(bucket(std::to_string(bound)));
  out.buckets.push_back(bucket("+Inf"));
  return out;
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
