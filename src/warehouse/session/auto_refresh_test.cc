// Materialized views that follow what they read: when, in whose way, and after a restart.
#include "warehouse/session/auto_refresh.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

constexpr ViewKey kOne{.database = 1, .view = 10};
constexpr ViewKey kOther{.database = 1, .view = 11};

TEST(RefreshSchedule, WaitsAWhileAfterTheLastChange) {
  RefreshSchedule schedule(100);
  EXPECT_FALSE(schedule.next_us());
  schedule.note(kOne, 1000);
  EXPECT_EQ(schedule.next_us(), 1100);
  schedule.note(kOne, 1050);
  EXPECT_FALSE(schedule.take(1149));
  EXPECT_EQ(schedule.take(1150), kOne);
  EXPECT_FALSE(schedule.take(9999));
}

TEST(RefreshSchedule, DoesNotWaitForEver) {
  RefreshSchedule schedule(100);
  for (std::int64_t now = 0; now <= 5000; now += 50) schedule.note(kOne, now);
  EXPECT_EQ(schedule.next_us(), 1000);
}

TEST(RefreshSchedule, TakesTheLongestWaitingFirst) {
  RefreshSchedule schedule(100);
  schedule.note(kOther, 0);
  schedule.note(kOne, 10);
  EXPECT_EQ(schedule.take(500), kOther);
  EXPECT_EQ(schedule.take(500), kOne);
}

TEST(RefreshSchedule, TriesAgainLaterAndLater) {
  RefreshSchedule schedule(100);
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    schedule.retry(kOne, 0);
    waits.push_back(*schedule.next_us());
    EXPECT_EQ(schedule.take(waits.back()), kOne);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 400, 800, 1600, 3200, 6400, 6400, 6400}));
  schedule.done(kOne);
  schedule.retry(kOne, 0);
  EXPECT_EQ(schedule.next_us(), 100);
}

/// A warehouse of its own, whose views follow after `delay_us`.
class Following {
 public:
  explicit Following(std::int64_t delay_us, std::string directory = {}) {
    auto opened = Warehouse::open({.data_directory = std::move(directory),
                                   .admin_password = std::string(kAdminPassword),
                                   .threads = 2,
                                   .auto_refresh_delay_us = delay_us});
    if (!opened) throw std::runtime_error(opened.error().message);
    warehouse_ = std::move(*opened);
  }
  std::unique_ptr<Session> session() {
    auto opened = warehouse_->open_session({.user = "leat", .database = "dev"});
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }

 private:
  std::unique_ptr<Warehouse> warehouse_;
};

/// Waits until the query answers so: nothing else tells when a refresh is over.
void await(Session& session, std::string_view query, std::string_view answer) {
  while (ask(session, query) != answer) std::this_thread::yield();
}

constexpr std::string_view kTables =
    "create table t (a int); create view over_t as select a from t";

TEST(AutoRefresh, FollowsInsertsUpdatesAndWhatIsBelowViews) {
  Following warehouse(1000);
  const auto session = warehouse.session();
  run(*session, kTables);
  run(*session,
      "create materialized view total auto refresh yes as select sum(a) as s from over_t");
  run(*session, "create materialized view twice auto refresh yes as select 2 * s as d from total");
  run(*session, "create materialized view still auto refresh no as select count(*) as n from t");
  EXPECT_EQ(ask(*session, "select name, autorefresh from stv_mv_info order by 1"),
            "still|f;total|t;twice|t");
  run(*session, "insert into t values (1), (2)");
  await(*session, "select d from twice", "6");
  run(*session, "update t set a = 5 where a = 2");
  await(*session, "select d from twice", "12");
  run(*session, "truncate t");
  await(*session, "select s is null from total", "t");
  EXPECT_EQ(ask(*session, "select n from still"), "0");
  await(*session,
        "select count(*) > 0 from svl_mv_refresh_status where mv_name = 'twice' and refresh_type = "
        "'Auto' and status = 'Refresh successfully recomputed MV from scratch'",
        "t");
  EXPECT_EQ(ask(*session, "select count(*) from sys_mv_refresh_history where mv_name = 'still'"),
            "0");
  run(*session, "alter materialized view still auto refresh yes");
  run(*session, "insert into t values (7)");
  await(*session, "select n from still", "1");
  run(*session, "alter materialized view total auto refresh no");
  EXPECT_EQ(ask(*session, "select autorefresh from svv_mv_info where name = 'total'"), "f");
}

TEST(AutoRefresh, FollowsWritesFromAnotherDatabase) {
  Following warehouse(1000);
  const auto session = warehouse.session();
  run(*session, "create database refreshed");
  run(*session, "create table refreshed.public.t (a int)");
  run(*session, "use refreshed");
  run(*session, "create materialized view total auto refresh yes as select sum(a) as s from t");
  run(*session, "reset use");
  run(*session, "insert into refreshed.public.t values (3)");
  await(*session, "select s from refreshed.public.total", "3");
}

TEST(AutoRefresh, GivesWayToUsers) {
  Following warehouse(1000);
  const auto session = warehouse.session();
  run(*session, "create table big (a int)");
  // Of 3000 rows it never ends.
  run(*session,
      "create materialized view endless auto refresh yes as select sum(x.a * y.a * z.a * u.a) as n "
      "from big x, big y, big z, big u");
  run(*session, "insert into big select n from generate_series(1, 3000) as s(n)");
  await(*session, "select count(*) from stv_inflight where text like 'REFRESH MATERIALIZED VIEW%'",
        "1");
  run(*session, "insert into big values (1)");  // writers do not wait for it at all
  EXPECT_EQ(ask(*session, "select count(*) from big"), "3001");
  EXPECT_EQ(state_of(*session, "drop materialized view endless"), "");
  await(*session, "select count(*) from stv_inflight where text like 'REFRESH MATERIALIZED VIEW%'",
        "0");
}

TEST(AutoRefresh, IsTriedAgainAfterALock) {
  Following warehouse(1000);
  const auto session = warehouse.session();
  const auto other = warehouse.session();
  run(*session, "create table t (a int)");
  run(*session, "create materialized view total auto refresh yes as select sum(a) as s from t");
  run(*other, "begin");
  run(*other, "lock t");
  run(*other, "insert into t values (4)");
  await(*session,
        "select count(*) > 0 from svl_mv_refresh_status where status like 'Refresh failed%'", "t");
  run(*other, "commit");
  await(*session, "select s from total", "4");
}

TEST(AutoRefresh, EndsWithTheWarehouseAndGoesOnAfterARestart) {
  std::string directory = (std::filesystem::temp_directory_path() / "auto-refresh-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  {
    Following warehouse(3'600'000'000, directory);
    const auto session = warehouse.session();
    run(*session, "create table t (a int)");
    run(*session, "create materialized view total auto refresh yes as select sum(a) as s from t");
    run(*session, "insert into t values (4)");
    EXPECT_EQ(ask(*session, "select s is null from total"), "t");
  }
  {
    Following warehouse(1000, directory);
    await(*warehouse.session(), "select s from total", "4");
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace leat::session
