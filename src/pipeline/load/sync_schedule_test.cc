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
    out.history = history_.get();
    out.remember = [this](const SyncMemory& memory) -> Status {
      if (memory_error_) return std::unexpected(*memory_error_);
      memory_ = memory;
      ++remembered_;
      return {};
    };
    out.memory = memory_;
    return out;
  }
  void move_to(TimeUs time) { clock_.advance_us(time.value - clock_.now().value); }
  FakeClock clock_{kStart};
  metrics::Registry registry_;
  std::unique_ptr<SyncHistory> history_ = std::move(*SyncHistory::open({}));
  SyncMemory memory_;  // what a restart finds
  int remembered_ = 0;
  std::optional<Error> memory_error_;
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
  const auto history = history_->latest(100);
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[1].times, 9);
  EXPECT_EQ(history[1].error, "warehouse away; start it");
  EXPECT_EQ(history[1].error_kind, "unreachable");
  EXPECT_EQ(sync_outcome_name(history[1].outcome), "failure");
  EXPECT_EQ(history[0].error, "");
  EXPECT_EQ(sync_outcome_name(history[0].outcome), "success");
  EXPECT_EQ(remembered_, 0) << "a period needs no memory of its last start";
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

TEST_F(ScheduleTest, APartThatWasLoadedBeforeAFailureIsInTheHistory) {
  SyncSchedule schedule(
      options(),
      [&](const SourceSettings& source, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        SyncFailure failure = away();
        failure.done = report_of(source, 2);
        return std::unexpected(std::move(failure));
      });
  schedule.run_due();
  ASSERT_EQ(history_->latest(9).size(), 1U);
  EXPECT_EQ(sync_outcome_name(history_->latest(9)[0].outcome), "partial");
  EXPECT_EQ(history_->latest(9)[0].report.batches, 2);
}

TEST_F(ScheduleTest, PausesAndResumesOverARestart) {
  std::map<std::string, int> runs;
  const auto sync = [&](const SourceSettings& source, std::stop_token) {
    ++runs[source.name];
    return report_of(source, 1);
  };
  const std::vector<SourceSettings> sources = {{"web", "web"}, {"app", "app"}};
  {
    SyncSchedule schedule(options(sources), sync);
    schedule.run_due();
    EXPECT_EQ(schedule.pause("wed", 0).error().code, Errc::kNotFound);
    const auto paused = schedule.pause("web", 0);
    ASSERT_TRUE(paused.has_value()) << paused.error().message;
    ASSERT_EQ(paused->size(), 1U);
    EXPECT_EQ(paused->at(0).paused_since, kStart);
    EXPECT_FALSE(paused->at(0).running);
    EXPECT_FALSE(paused->at(0).next_run.has_value());
    clock_.advance_us(kUsPerHour);
    EXPECT_EQ(schedule.pause("web", 0)->at(0).paused_since, kStart) << "it is paused already";
    schedule.run_due();
    const auto refused = schedule.sync_now("web", 0);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, testing::HasSubstr("leat resume --source web"));
  }
  EXPECT_EQ(runs["web"], 1);
  EXPECT_EQ(runs["app"], 2);
  SyncSchedule schedule(options(sources), sync);
  schedule.run_due();
  EXPECT_EQ(runs["web"], 1) << "paused over the restart";
  EXPECT_EQ(schedule.states()[0].paused_since, kStart);
  EXPECT_THAT(registry_.to_text(), testing::HasSubstr(R"(leat_load_paused{source="web"} 1)"));
  ASSERT_TRUE(schedule.resume("").has_value());
  schedule.run_due();
  EXPECT_EQ(runs["web"], 2) << "what waited is loaded at once";
  EXPECT_EQ(memory_, SyncMemory{});
}

TEST_F(ScheduleTest, WhatCannotBeRememberedIsNotPaused) {
  int runs = 0;
  SyncSchedule schedule(options(), [&](const SourceSettings& source, std::stop_token) {
    ++runs;
    return report_of(source, 0);
  });
  memory_error_ = Error{Errc::kExhausted, "disk full"};
  EXPECT_EQ(schedule.pause("", 0).error().message, "disk full");
  schedule.run_due();
  EXPECT_EQ(runs, 1);
}

TEST_F(ScheduleTest, ACronTimeMissedWhileNothingRanIsMadeUpForOnce) {
  std::vector<std::string> starts;
  const auto sync = [&](const SourceSettings& source, std::stop_token) {
    starts.push_back(format_iso8601(clock_.now()));
    return report_of(source, 0);
  };
  const auto daily = [&] {
    SyncScheduleOptions out = options();
    out.times = *SyncTimes::parse({.cron = "0 3 * * *"});
    return out;
  };
  move_to(*parse_iso8601("2026-11-01T01:00:00Z"));
  {
    SyncSchedule schedule(daily(), sync);
    EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-01T03:00:00Z"))
        << "no first run to make up";
    move_to(*parse_iso8601("2026-11-01T03:00:00Z"));
    schedule.run_due();
  }
  move_to(*parse_iso8601("2026-11-01T12:00:00Z"));
  {
    SyncSchedule schedule(daily(), sync);
    EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-02T03:00:00Z")) << "nothing was missed";
  }
  move_to(*parse_iso8601("2026-11-05T12:30:00Z"));
  {
    SyncSchedule schedule(daily(), sync);
    EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-06T03:00:00Z"));
  }
  {
    SyncSchedule schedule(daily(), sync);
    schedule.run_due();
    // Over a pause as well.
    ASSERT_TRUE(schedule.pause("", 0).has_value());
    move_to(*parse_iso8601("2026-11-06T10:00:00Z"));
    EXPECT_EQ(schedule.run_due(), std::nullopt);
    ASSERT_TRUE(schedule.resume("").has_value());
    EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-07T03:00:00Z"));
  }
  // A clock that was set back must not keep the source waiting.
  memory_.last_starts["web"] = *parse_iso8601("2030-01-01T00:00:00Z");
  SyncSchedule schedule(daily(), sync);
  EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-07T03:00:00Z"));
  EXPECT_THAT(starts, testing::ElementsAre("2026-11-01T03:00:00.000Z", "2026-11-05T12:30:00.000Z",
                                           "2026-11-06T10:00:00.000Z"));
}

TEST_F(ScheduleTest, AFailureBeforeAPauseIsTriedAgainAfterIt) {
  bool works = false;
  SyncScheduleOptions daily = options();
  daily.times = *SyncTimes::parse({.cron = "0 3 * * *"});
  move_to(*parse_iso8601("2026-11-01T01:00:00Z"));
  SyncSchedule schedule(
      daily,
      [&](const SourceSettings& source, std::stop_token) -> std::expected<SyncReport, SyncFailure> {
        if (works) return report_of(source, 1);
        return std::unexpected(SyncFailure{.error = {Errc::kDenied, "wrong password"}, .done = {}});
      });
  schedule.run_due();
  move_to(*parse_iso8601("2026-11-01T03:00:00Z"));
  schedule.run_due();
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 1);
  ASSERT_TRUE(schedule.pause("", 0).has_value());
  works = true;
  ASSERT_TRUE(schedule.resume("").has_value());
  clock_.advance_us(kUsPerMinute);
  EXPECT_EQ(schedule.run_due(), *parse_iso8601("2026-11-02T03:00:00Z"));
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 0);
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

TEST_F(ScheduleTest, PauseTellsThatASyncStillRuns) {
  Blocking blocking;
  SyncSchedule schedule(options(), [&](const SourceSettings& source, std::stop_token stop) {
    return blocking(source, stop);
  });
  schedule.start();
  blocking.wait_until_running();
  const auto paused = schedule.pause("web", 1000);
  ASSERT_TRUE(paused.has_value()) << paused.error().message;
  EXPECT_TRUE(paused->at(0).running);
  schedule.stop();
  EXPECT_THAT(history_->latest(9), testing::IsEmpty()) << "being stopped is no failure";
  EXPECT_FALSE(schedule.states()[0].next_run.has_value());
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

// Replays of three steps each, failing as told.
class FakeReplays final : public ReplayWork {
 public:
  std::expected<ReplayState, SyncFailure> begin(const SourceSettings& source,
                                                const ReplayRequest& request, TimeUs,
                                                std::stop_token) override {
    calls.push_back("begin " + source.name);
    ReplayState state;
    state.replay_id = "r";
    state.source = source.name;
    state.selection = request.selection.to_json();
    state.batches_total = 3;
    return state;
  }
  std::expected<void, SyncFailure> step(const SourceSettings& source, ReplayState& state,
                                        std::stop_token) override {
    calls.push_back("step " + source.name);
    if (during_step) during_step();
    if (failures > 0) {
      --failures;
      return std::unexpected(SyncFailure{Error{Errc::kUnavailable, "away; start it"}, kind, {}});
    }
    if (++state.batches_done == state.batches_total) state.status = "done";
    return {};
  }
  std::expected<void, SyncFailure> abandon(ReplayState& state, std::stop_token) override {
    calls.emplace_back("abandon");
    state.status = "stopped";
    return {};
  }
  std::expected<std::vector<ReplayState>, SyncFailure> unfinished(std::stop_token) override {
    calls.emplace_back("look");
    return left;
  }

  std::vector<std::string> calls;
  std::vector<ReplayState> left;
  std::function<void()> during_step;
  int failures = 0;
  FailureKind kind = FailureKind::kUnreachable;
};

class ReplayScheduleTest : public ScheduleTest {
 protected:
  std::unique_ptr<SyncSchedule> make(std::vector<SourceSettings> sources = {{"web", "web"}}) {
    SyncScheduleOptions with_replays = options(std::move(sources));
    with_replays.replays = &replays_;
    return std::make_unique<SyncSchedule>(
        with_replays,
        [this](const SourceSettings& source,
               std::stop_token) -> std::expected<SyncReport, SyncFailure> {
          replays_.calls.push_back("sync " + source.name);
          if (is_away_) return std::unexpected(away());
          return report_of(source, 0);
        });
  }
  FakeReplays replays_;
  bool is_away_ = false;
};

TEST_F(ReplayScheduleTest, SyncsFirstAndTakesTurns) {
  const auto schedule = make();
  schedule->run_due();
  EXPECT_THAT(replays_.calls, testing::ElementsAre("sync web", "look"));
  replays_.calls.clear();
  // Every step takes longer than the period of the syncs.
  replays_.during_step = [this] { clock_.advance_us(90 * kUsPerSecond); };
  const auto job = schedule->start_replay({.selection = {.source = "web"}});
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_EQ(job->number, 1);
  EXPECT_EQ(replay_phase_name(job->phase), "waiting");
  schedule->run_due();
  EXPECT_THAT(replays_.calls, testing::ElementsAre("sync web", "begin web", "step web", "sync web",
                                                   "step web", "sync web", "step web", "sync web"));
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "done");
}

TEST_F(ReplayScheduleTest, TheSameRequestFindsTheOneThatRuns) {
  const auto schedule = make();
  const ReplayRequest request{.selection = {.source = "web", .event = "A"}};
  EXPECT_EQ(schedule->start_replay(request)->number, 1);
  EXPECT_EQ(schedule->start_replay(request)->number, 1);
  EXPECT_EQ(schedule->start_replay({.selection = {.source = "web"}})->number, 2);
  schedule->run_due();
  EXPECT_EQ(schedule->start_replay(request)->number, 3) << "the first one is over";
  EXPECT_EQ(schedule->replays().size(), 3U);
}

TEST_F(ReplayScheduleTest, TriesAgainWhatMayPassAndGivesUpInTheEnd) {
  const auto schedule = make();
  replays_.failures = 2;
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  schedule->run_due();
  EXPECT_EQ(schedule->replays().at(0).error, "away; start it");
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "running");
  for (int i = 0; i < 3; ++i) {
    clock_.advance_us(kUsPerMinute);
    schedule->run_due();
  }
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "done");
  EXPECT_EQ(schedule->replays().at(0).error, "");
  replays_.failures = 100;
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  for (int i = 0; i < 10; ++i) {
    schedule->run_due();
    clock_.advance_us(kUsPerMinute);
  }
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "failed");
  EXPECT_EQ(replays_.failures, 92);
  // What a person must act on fails at once.
  replays_.kind = FailureKind::kPermission;
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  schedule->run_due();
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "failed");
}

TEST_F(ReplayScheduleTest, AFailedSyncFailsTheReplayBehindIt) {
  const auto schedule = make();
  is_away_ = true;
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  schedule->run_due();
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "failed");
  EXPECT_THAT(schedule->replays().at(0).error, testing::HasSubstr("warehouse away"));
}

TEST_F(ReplayScheduleTest, GoesOnWithWhatAnotherProcessLeft) {
  ReplayState left;
  left.replay_id = "old";
  left.source = "web";
  left.selection = R"({"source":"web"})";
  left.batches_total = 3;
  left.batches_done = 1;
  replays_.left = {left};
  const auto schedule = make();
  schedule->run_due();
  EXPECT_THAT(replays_.calls, testing::ElementsAre("sync web", "look", "step web", "step web"));
  const ReplayJob job = schedule->replays().at(0);
  EXPECT_TRUE(job.state.is_resumed);
  EXPECT_EQ(job.state.replay_id, "old");
  EXPECT_EQ(replay_phase_name(job.phase), "done");
}

TEST_F(ReplayScheduleTest, AStoppedReplayIsAbandoned) {
  const auto schedule = make();
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  replays_.during_step = [&] { EXPECT_TRUE(schedule->stop_replay(1).has_value()); };
  schedule->run_due();
  EXPECT_THAT(replays_.calls, testing::Contains("abandon"));
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "stopped");
  EXPECT_EQ(schedule->stop_replay(9).error().code, Errc::kNotFound);
}

TEST_F(ReplayScheduleTest, AReplayWaitsWhileItsSourceIsPaused) {
  const auto schedule = make();
  ASSERT_TRUE(schedule->start_replay({.selection = {.source = "web"}}).has_value());
  replays_.during_step = [&] { ASSERT_TRUE(schedule->pause("web", 0).has_value()); };
  EXPECT_EQ(schedule->run_due(), std::nullopt);
  EXPECT_EQ(schedule->replays().at(0).state.batches_done, 1);
  replays_.during_step = nullptr;
  ASSERT_TRUE(schedule->resume("web").has_value());
  schedule->run_due();
  EXPECT_EQ(replay_phase_name(schedule->replays().at(0).phase), "done");
}

TEST_F(ReplayScheduleTest, APausedSourceIsNeitherSyncedNorReplayed) {
  const auto schedule =
      make({{.name = "web", .schema = "web"}, {.name = "app", .schema = "app", .is_paused = true}});
  schedule->run_due();
  EXPECT_THAT(replays_.calls, testing::ElementsAre("sync web", "look"));
  const auto job = schedule->start_replay({.selection = {.source = "app"}});
  ASSERT_FALSE(job.has_value());
  EXPECT_THAT(job.error().message, testing::HasSubstr("sources.app.sync is false"));
  // The only one that is left.
  EXPECT_TRUE(schedule->start_replay({}).has_value());
}

}  // namespace
}  // namespace leat::load
