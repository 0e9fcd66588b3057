#include "pipeline/load/sync_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace leat::load {
namespace {

constexpr TimeUs kStart{1'000'000'000'000'000};

SyncFailure away(FailureKind kind = FailureKind::kUnreachable) {
  return SyncFailure{Error{Errc::kUnavailable, "warehouse away; start it"}, kind, {}};
}

SyncReport report_of(const SourceSettings& source, std::int64_t batches) {
  SyncReport report;
  report.source = source.name;
  report.batches = batches;
  report.events = {.received = batches, .loaded = batches};
  return report;
}

class ScheduleTest : public testing::Test {
 protected:
  SyncScheduleOptions options(std::vector<SourceSettings> sources = {{"web", "web"}}) {
    SyncScheduleOptions out;
    out.sources = std::move(sources);
    out.clock = &clock_;
    out.metrics = &registry_;
    return out;
  }
  FakeClock clock_{kStart};
  metrics::Registry registry_;
};

TEST_F(ScheduleTest, RunsAtOnceAndThenEveryPeriod) {
  int runs = 0;
  SyncSchedule schedule(options(), [&](const SourceSettings& source, std::stop_token) {
    ++runs;
    clock_.advance_us(2 * kUsPerSecond);
    return report_of(source, 1);
  });
  auto due = schedule.run_due();
  EXPECT_EQ(runs, 1);
  // A period after the start, not after the end.
  EXPECT_EQ(due, TimeUs{kStart.value + 60 * kUsPerSecond});
  schedule.run_due();
  EXPECT_EQ(runs, 1);
  clock_.advance_us(58 * kUsPerSecond);
  schedule.run_due();
  EXPECT_EQ(runs, 2);
  const SourceState state = schedule.states().at(0);
  EXPECT_FALSE(state.running);
  EXPECT_EQ(state.consecutive_failures, 0);
  EXPECT_TRUE(state.last_success.has_value());
  EXPECT_THAT(registry_.to_text(),
              testing::HasSubstr(R"(leat_load_syncs_total{source="web",result="success"} 2)"));
}

TEST_F(ScheduleTest, FollowsACronExpressionAndItsHours) {
  SyncScheduleOptions hourly = options();
  // kStart is 2001-09-09T01:46:40Z.
  const auto times = SyncTimes::parse({.cron = "15 * * * *", .hours = "2,4"});
  ASSERT_TRUE(times.has_value()) << times.error().message;
  hourly.times = *times;
  int runs = 0;
  bool is_away = false;
  SyncSchedule schedule(
      hourly,
      [&](const SourceSettings& source, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        ++runs;
        if (is_away) return std::unexpected(away());
        return report_of(source, 1);
      });
  const auto run_at = [&](TimeUs time) {
    clock_.advance_us(time.value - clock_.now().value);
    return schedule.run_due();
  };
  const TimeUs first = *parse_iso8601("2001-09-09T02:15:00Z");
  EXPECT_EQ(schedule.run_due(), first);
  EXPECT_EQ(runs, 0);
  const auto second = run_at(first);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(second, *parse_iso8601("2001-09-09T04:15:00Z"));
  is_away = true;
  // A failure is retried soon, but not in an hour that is not allowed.
  EXPECT_EQ(run_at(*second), TimeUs{second->value + kUsPerSecond});
  EXPECT_EQ(run_at(*parse_iso8601("2001-09-09T04:59:59.900Z")),
            *parse_iso8601("2001-09-10T02:00:00Z"));
  EXPECT_EQ(runs, 3);
}

TEST_F(ScheduleTest, BacksOffWhileTheDestinationIsAwayAndRecovers) {
  bool is_away = true;
  int runs = 0;
  SyncSchedule schedule(
      options(),
      [&](const SourceSettings& source, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        ++runs;
        if (is_away) return std::unexpected(away());
        return report_of(source, 3);
      });
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    const auto due = schedule.run_due();
    waits.push_back((due->value - clock_.now().value) / kUsPerSecond);
    clock_.advance_us(due->value - clock_.now().value);
  }
  EXPECT_THAT(waits, testing::ElementsAre(1, 2, 4, 8, 16, 32, 60, 60, 60));
  EXPECT_EQ(schedule.states()[0].last_error, "warehouse away; start it");
  EXPECT_EQ(schedule.states()[0].last_error_kind, "unreachable");
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 9);
  is_away = false;
  schedule.run_due();
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(schedule.states()[0].last_error, "");
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 0);
  EXPECT_EQ(schedule.states()[0].last_report->batches, 3);
  EXPECT_EQ(schedule.history(100).size(), 2U);
  EXPECT_EQ(schedule.history(100)[1].times, 9);
  EXPECT_EQ(schedule.history(2)[0].error, "");
  EXPECT_EQ(schedule.history(2)[1].error, "warehouse away; start it");
}

TEST_F(ScheduleTest, AFailingSourceDoesNotHoldUpAnother) {
  std::map<std::string, int> runs;
  SyncSchedule schedule(
      options({{"bad", "bad"}, {"good", "good"}}),
      [&](const SourceSettings& source, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        ++runs[source.name];
        if (source.name == "bad") return std::unexpected(away());
        return report_of(source, 1);
      });
  schedule.run_due();
  EXPECT_EQ(runs["good"], 1);
  clock_.advance_us(kUsPerSecond);
  schedule.run_due();
  EXPECT_EQ(runs["bad"], 2);
  EXPECT_EQ(runs["good"], 1);
}

TEST_F(ScheduleTest, ADayAwayNeitherStormsNorStopsTrying) {
  int runs = 0;
  SyncSchedule schedule(
      options(),
      [&](const SourceSettings&, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        ++runs;
        return std::unexpected(away());
      });
  const TimeUs end{kStart.value + kUsPerDay};
  while (clock_.now() < end) {
    const auto due = schedule.run_due();
    clock_.advance_us(due->value - clock_.now().value);
  }
  EXPECT_GE(runs, 24 * 60);
  EXPECT_LE(runs, 24 * 60 + 10);
}

TEST_F(ScheduleTest, SyncNowSealsFirstAndWaitsForTheEnd) {
  SyncScheduleOptions with_seal = options();
  with_seal.times = SyncTimes::manual();
  std::atomic<int> seals = 0;
  with_seal.seal_now = [&]() -> Status {
    ++seals;
    return {};
  };
  std::atomic<int> seals_at_sync = -1;
  SyncSchedule schedule(std::move(with_seal), [&](const SourceSettings& source, std::stop_token) {
    seals_at_sync = seals.load();
    return report_of(source, 7);
  });
  schedule.start();
  const auto reports = schedule.sync_now("", 20 * kUsPerSecond);
  ASSERT_TRUE(reports.has_value()) << reports.error().message;
  ASSERT_EQ(reports->size(), 1U);
  EXPECT_EQ((*reports)[0].batches, 7);
  EXPECT_EQ(seals_at_sync, 1);
}

TEST_F(ScheduleTest, SyncNowTellsErrors) {
  SyncScheduleOptions manual = options({{"web", "web"}});
  manual.times = SyncTimes::manual();
  SyncSchedule schedule(
      std::move(manual),
      [&](const SourceSettings&, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        return std::unexpected(away());
      });
  EXPECT_EQ(schedule.sync_now("web", kUsPerSecond).error().code,
            Errc::kUnavailable);  // not started
  schedule.start();
  EXPECT_EQ(schedule.sync_now("web", 20 * kUsPerSecond).error().message,
            "warehouse away; start it");
  const auto unknown = schedule.sync_now("wed", kUsPerSecond);
  EXPECT_EQ(unknown.error().code, Errc::kNotFound);
  EXPECT_THAT(unknown.error().message, testing::HasSubstr("did you mean \"web\""));
}

// A sync that runs until it is stopped.
class Blocking {
 public:
  std::expected<SyncReport, SyncFailure> operator()(const SourceSettings&,
                                                    const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    running_ = true;
    changed_.notify_all();
    changed_.wait(lock, stop, [] { return false; });
    return std::unexpected(
        SyncFailure{Error{Errc::kUnavailable, "stopped"}, FailureKind::kStopped, {}});
  }
  void wait_until_running() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool running_ = false;
};

TEST_F(ScheduleTest, StopEndsARunningSyncAndWhoWaitsForIt) {
  Blocking blocking;
  SyncSchedule schedule(options(), [&](const SourceSettings& source, std::stop_token stop) {
    return blocking(source, stop);
  });
  schedule.start();
  blocking.wait_until_running();
  std::thread waiter([&] {
    const auto reports = schedule.sync_now("web", 60 * kUsPerSecond);
    EXPECT_FALSE(reports.has_value());
  });
  schedule.stop();
  waiter.join();
  // Being stopped is no failure of the source.
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 0);
}

TEST_F(ScheduleTest, SyncNowGivesUpWaitingAtItsTimeout) {
  Blocking blocking;
  SyncSchedule schedule(options(), [&](const SourceSettings& source, std::stop_token stop) {
    return blocking(source, stop);
  });
  schedule.start();
  blocking.wait_until_running();
  const auto reports = schedule.sync_now("web", 1000);
  ASSERT_FALSE(reports.has_value());
  EXPECT_THAT(reports.error().message, testing::HasSubstr("goes on in the background"));
  schedule.stop();
}

}  // namespace
}  // namespace leat::load
