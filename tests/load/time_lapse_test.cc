// What time does to syncs, with a clock that only the test moves: thirty days of hourly loads, a
// day without the destination, a wrong password, restarts; nothing waits, and every event is loaded
// exactly once.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "load_fixture.h"
#include "pipeline/load/sync_schedule.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TimeLapseTest : public LoadFixture {
 protected:
  // A process: what is in memory dies with it.
  struct Process {
    std::unique_ptr<load::Loader> loader;
    std::unique_ptr<load::SyncSchedule> schedule;
  };

  Process start(const load::SyncTimes& times) {
    load::LoaderOptions loading = options(
        warehouse_, [this](const auto& settings, auto stop) { return connect(settings, stop); });
    loading.metrics = &registry_;
    Process out;
    out.loader = std::make_unique<load::Loader>(loading);
    load::SyncScheduleOptions scheduling;
    scheduling.sources = {{"web", "web"}};
    scheduling.times = times;
    scheduling.clock = &clock_;
    scheduling.history = history_.get();
    scheduling.memory = memory_;
    scheduling.remember = [this](const load::SyncMemory& memory) -> Status {
      memory_ = memory;
      return {};
    };
    out.schedule = std::make_unique<load::SyncSchedule>(
        scheduling, [this, loader = out.loader.get()](const load::SourceSettings& source,
                                                      std::stop_token stop) {
          ++syncs_;
          return loader->sync(source, stop);
        });
    return out;
  }

  std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> connect(
      load::DestinationSettings settings, std::stop_token stop) {
    ++connections_;
    if (is_away_) {
      return std::unexpected(load::DestinationFailure{load::FailureKind::kUnreachable, "",
                                                      "connection refused (test)"});
    }
    if (!has_wrong_password_) return load::connect_postgres(settings, stop);
    // What the server says is asked once: who tries often has to wait by its clock, not by ours.
    if (!refusal_) {
      settings.password = "not the one";
      auto refused = load::connect_postgres(settings, stop);
      EXPECT_FALSE(refused.has_value());
      if (refused) return refused;
      refusal_ = refused.error();
    }
    return std::unexpected(*refusal_);
  }

  // An hour's events arrive and are sealed.
  void receive(int events) {
    std::vector<std::string> out;
    for (int i = 0; i < events; ++i) {
      out.push_back(track(fmt::format("m{:05}", received_++), "A", R"({"n":1})"));
    }
    archive_.add_seal({{"web", out, format_iso8601(clock_.now())}});
  }

  // Runs what is due until `end`, never waiting.
  void run_until(Process& process, TimeUs end) {
    while (true) {
      const auto due = process.schedule->run_due();
      const TimeUs next = due ? std::min(*due, end) : end;
      if (next > clock_.now()) clock_.advance_us(next.value - clock_.now().value);
      if (next >= end) return;
    }
  }

  void expect_all_loaded() const {
    EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.a"),
                ElementsAre(fmt::format("{0}|{0}", received_)));
    EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded) FROM leat.batches"),
                ElementsAre(fmt::format("{0}|{0}", received_)));
  }

  metrics::Registry registry_;
  std::unique_ptr<load::SyncHistory> history_ = std::move(*load::SyncHistory::open({}));
  load::SyncMemory memory_;
  bool is_away_ = false;
  bool has_wrong_password_ = false;
  std::optional<load::DestinationFailure> refusal_;
  int connections_ = 0;
  int syncs_ = 0;
  int received_ = 0;
};

// 720 hours. Events come once a day, and each hour while the destination is away: a load costs what
// a load costs, and what an hour without events costs is to be seen as well.
TEST_F(TimeLapseTest, ThirtyDaysOfHourlySyncs) {
  const auto times = load::SyncTimes::parse({.cron = "15 * * * *"});
  ASSERT_TRUE(times.has_value());
  Process process = start(*times);
  const TimeUs begin = clock_.now();  // 15:00
  for (int hour = 0; hour < 30 * 24; ++hour) {
    const TimeUs start_of_hour{begin.value + hour * kUsPerHour};
    run_until(process, start_of_hour);
    is_away_ = hour >= 240 && hour < 264;  // the eleventh day
    has_wrong_password_ = hour == 480;     // and an hour of the twenty-first
    if (hour % 24 == 0 || is_away_) receive(2);
    if (hour == 360) {
      // Nothing runs for five hours; the times that were missed are made up for once.
      process = {};
      clock_.advance_us(5 * kUsPerHour + 20 * kUsPerMinute);
      const int before = syncs_;
      process = start(*times);
      run_until(process, TimeUs{clock_.now().value + kUsPerMinute});
      EXPECT_EQ(syncs_, before + 1);
      hour += 5;
    }
  }
  run_until(process, TimeUs{begin.value + 30 * kUsPerDay});
  expect_all_loaded();
  EXPECT_EQ(received_, 2 * (30 + 23));
  // A day away is tried every minute, and is one entry; a wrong password likewise.
  const auto history = history_->latest(200);
  std::vector<std::string> failures;
  for (const load::SyncHistoryEntry& entry : history) {
    if (!entry.error.empty()) failures.push_back(entry.error_kind);
  }
  EXPECT_THAT(failures, ElementsAre("login_refused", "unreachable"));
  EXPECT_EQ(process.schedule->states()[0].consecutive_failures, 0);
  const std::int64_t loads =
      std::ranges::count(history, load::SyncOutcome::kSuccess, &load::SyncHistoryEntry::outcome);
  EXPECT_EQ(loads, 29) << "one a day; what the day away held came with the day after it";
  // Hours without events cost no connection.
  EXPECT_LT(connections_, syncs_ - 600);
  EXPECT_GE(syncs_, 30 * 24 - 24 - 5);
}

TEST_F(TimeLapseTest, ADayOfDowntimeIsOneCatchUp) {
  Process process = start({});  // every minute
  receive(3);
  run_until(process, TimeUs{clock_.now().value + kUsPerMinute});
  expect_all_loaded();
  const TimeUs begin = clock_.now();
  is_away_ = true;
  for (int hour = 0; hour < 24; ++hour) {
    receive(3);
    run_until(process, TimeUs{begin.value + (hour + 1) * kUsPerHour});
  }
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.a"), ElementsAre("3")) << "they wait";
  const load::SourceState failing = process.schedule->states()[0];
  EXPECT_GE(failing.consecutive_failures, 24 * 60);
  EXPECT_THAT(failing.last_error, HasSubstr("events wait in the archive"));
  is_away_ = false;
  const int before = syncs_;
  run_until(process, TimeUs{clock_.now().value + kUsPerMinute});
  expect_all_loaded();
  EXPECT_LE(syncs_ - before, 2);
  const auto history = history_->latest(10);
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].report.batches, 24);
  EXPECT_EQ(history[0].report.transactions, 1);
  EXPECT_EQ(history[1].times, failing.consecutive_failures);
  EXPECT_EQ(history[1].first_started_at.value / kUsPerHour, begin.value / kUsPerHour);
  // The oldest event waited a day: the metrics say so.
  EXPECT_GE(history[0].report.freshness.arrival.max_us, 23 * kUsPerHour);
  EXPECT_THAT(registry_.to_text(),
              HasSubstr(R"(leat_load_freshness_seconds_count{source="web",table="a"} 75)"));
}

TEST_F(TimeLapseTest, AWrongPasswordCostsNothingButTime) {
  has_wrong_password_ = true;
  Process process = start({});
  receive(5);
  run_until(process, TimeUs{clock_.now().value + kUsPerHour});
  const load::SourceState failing = process.schedule->states()[0];
  EXPECT_EQ(failing.last_error_kind, "login_refused");
  EXPECT_THAT(failing.last_error,
              testing::AllOf(HasSubstr("set the right user, password and database"),
                             testing::Not(HasSubstr("not the one"))));
  EXPECT_THAT(warehouse_.ask("SELECT 1 FROM svv_columns WHERE table_schema = 'web'"), IsEmpty());
  has_wrong_password_ = false;
  run_until(process, TimeUs{clock_.now().value + kUsPerMinute});
  expect_all_loaded();
  ASSERT_EQ(history_->latest(10).size(), 2U);
  EXPECT_EQ(history_->latest(10)[1].times, failing.consecutive_failures);
}

}  // namespace
}  // namespace leat::load_test
