#include "pipeline/load/freshness.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::load {
namespace {

using testing::HasSubstr;

constexpr TimeUs kNow{1'790'000'000'000'000};

TimeUs before_now(std::int64_t seconds) {
  return TimeUs{kNow.value - seconds * kUsPerSecond};
}

// A table whose rows came so many seconds before kNow, and happened `offline` seconds before.
TableTimes times_of(const std::string& table, const std::vector<std::int64_t>& seconds,
                    bool is_home = false, std::int64_t offline = 0) {
  TableTimes out{.table = table, .is_home = is_home, .times = {}};
  for (const std::int64_t late : seconds) {
    out.times.add({.received = before_now(late), .happened = before_now(late + offline)});
  }
  return out;
}

TEST(RowTimes, KeepsEvenlySomeOfManyRows) {
  shape::RowTimes rows;
  for (std::int64_t i = 0; i < 100'000; ++i) {
    rows.add({.received = TimeUs{i}, .happened = TimeUs{-i}});
  }
  EXPECT_EQ(rows.rows, 100'000U);
  EXPECT_LE(rows.times.size(), shape::RowTimes::kKept);
  EXPECT_GE(rows.times.size(), shape::RowTimes::kKept / 2);
  for (std::size_t i = 0; i < rows.times.size(); ++i) {
    EXPECT_EQ(rows.times[i].received.value, static_cast<std::int64_t>(i * rows.stride));
    EXPECT_EQ(rows.times[i].happened.value, -rows.times[i].received.value);
  }
}

TEST(FreshnessMeter, TellsTheShareOfRows) {
  FreshnessMeter meter(nullptr);
  std::vector<std::int64_t> seconds;
  for (std::int64_t i = 1; i <= 100; ++i) seconds.push_back(i);
  meter.begin();
  meter.add("web", {times_of("tracks", seconds, true, 86'400), times_of("a", {7})}, kNow);
  SyncReport report;
  meter.end(report);
  EXPECT_EQ(report.freshness.rows, 100);
  EXPECT_EQ(report.freshness.arrival, (Lateness{.p50_us = 50 * kUsPerSecond,
                                                .p99_us = 99 * kUsPerSecond,
                                                .max_us = 100 * kUsPerSecond}));
  // What a device keeps for a day is a day late, whatever the collector does.
  EXPECT_EQ(report.freshness.event, (Lateness{.p50_us = 86'450 * kUsPerSecond,
                                              .p99_us = 86'499 * kUsPerSecond,
                                              .max_us = 86'500 * kUsPerSecond}));
  EXPECT_EQ(report.table_freshness.at("a").arrival.p50_us, 7 * kUsPerSecond);
  EXPECT_EQ(report.table_freshness.at("a").event.p99_us, 7 * kUsPerSecond);
  meter.begin();
  SyncReport next;
  meter.end(next);
  EXPECT_EQ(next.freshness.rows, 0);
  EXPECT_TRUE(next.table_freshness.empty());
}

TEST(FreshnessMeter, CountsBucketsThatPrometheusReads) {
  metrics::Registry registry;
  FreshnessMeter meter(&registry);
  meter.add("web", {times_of("a", {0, 1, 2, 3, 61, 10'000'000})}, kNow);
  meter.add("web", {times_of("a", {1})}, TimeUs{kNow.value + 600'000});
  const std::string text = registry.to_text();
  const auto bucket = [](std::string_view le, int rows) {
    return fmt::format(
        "leat_load_freshness_seconds_bucket{{source=\"web\",table=\"a\",le=\"{}\"}} {}\n", le,
        rows);
  };
  EXPECT_THAT(text, HasSubstr(bucket("1", 2)));
  EXPECT_THAT(text, HasSubstr(bucket("2", 4)));
  EXPECT_THAT(text, HasSubstr(bucket("5", 5)));
  EXPECT_THAT(text, HasSubstr(bucket("60", 5)));
  EXPECT_THAT(text, HasSubstr(bucket("120", 6)));
  EXPECT_THAT(text, HasSubstr(bucket("604800", 6)));
  EXPECT_THAT(text, HasSubstr(bucket("+Inf", 7)));
  EXPECT_THAT(text, HasSubstr("leat_load_freshness_seconds_count{source=\"web\",table=\"a\"} 7\n"));
  EXPECT_THAT(text,
              HasSubstr("leat_load_freshness_seconds_sum{source=\"web\",table=\"a\"} 10000068\n"));
}

TEST(FreshnessMeter, TellsArrivalFromEvent) {
  metrics::Registry registry;
  FreshnessMeter meter(&registry);
  // Two in 2,000 years before their arrival, and one by a clock that is ahead.
  TableTimes table = times_of("a", {1, 1}, true, 2'000LL * 365 * 86'400);
  table.times.add({.received = before_now(1), .happened = before_now(-60)});
  meter.begin();
  meter.add("web", {table}, kNow);
  SyncReport report;
  meter.end(report);
  EXPECT_EQ(report.freshness.event.max_us, (2'000LL * 365 * 86'400 + 1) * kUsPerSecond);
  const std::string text = registry.to_text();
  for (const char* line :
       {"leat_load_freshness_seconds_sum{source=\"web\",table=\"a\"} 3\n",
        "leat_load_event_freshness_seconds_count{source=\"web\",table=\"a\"} 3\n",
        "leat_load_event_freshness_seconds_bucket{source=\"web\",table=\"a\",le="
        "\"1\"} 1\n",
        "leat_load_event_freshness_seconds_sum{source=\"web\",table=\"a\"} "
        "126144000002\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(FreshnessMeter, IsBounded) {
  metrics::Registry registry;
  FreshnessMeter meter(&registry);
  meter.begin();
  std::vector<TableTimes> tables;
  for (std::size_t i = 0; i < FreshnessMeter::kTablesMax + 50; ++i) {
    tables.push_back(times_of(fmt::format("t{}", i), std::vector<std::int64_t>(1 + i % 3, 5)));
  }
  meter.add("web", tables, kNow);
  SyncReport report;
  meter.end(report);
  EXPECT_EQ(report.table_freshness.size(), FreshnessMeter::kTablesMax);
  EXPECT_FALSE(report.table_freshness.contains("t0")) << "one row only";
  EXPECT_TRUE(report.table_freshness.contains("t2"));
  const std::string text = registry.to_text();
  EXPECT_THAT(text, HasSubstr("table=\"t199\""));
  EXPECT_THAT(text, testing::Not(HasSubstr("table=\"t200\"")));
  EXPECT_THAT(text, HasSubstr("leat_load_freshness_seconds_count{source=\"web\",table=\"*\"} "));
}

}  // namespace
}  // namespace leat::load
