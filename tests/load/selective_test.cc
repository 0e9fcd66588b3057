// Selective sync: what settings leave out is counted as excluded, stays in the archive, and comes
// in by a replay once it is wanted again.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "load_fixture.h"
#include "pipeline/load/replay.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SelectiveTest : public LoadFixture {
 protected:
  load::SyncReport sync_as(const load::SourceSettings& source) {
    load::Loader loader(options(warehouse_));
    auto report = loader.sync(source, {});
    EXPECT_TRUE(report.has_value()) << report.error().error.message;
    return report.value_or(load::SyncReport{});
  }

  load::ReplayState replay_as(const load::SourceSettings& source, load::ReplaySelection selection) {
    clock_.advance_us(kUsPerMinute);
    selection.source = source.name;
    load::Replayer replayer(options(warehouse_));
    auto state = replayer.begin(source, {.selection = selection}, clock_.now(), {});
    while (state && state->status == "running") {
      const auto step = replayer.step(source, *state, {});
      EXPECT_TRUE(step.has_value()) << step.error().error.message;
      if (!step) break;
    }
    EXPECT_TRUE(state.has_value()) << state.error().error.message;
    return state.value_or(load::ReplayState{});
  }

  std::vector<std::string> books() {
    return warehouse_.ask(
        "SELECT received, loaded, deduplicated, rescued, excluded FROM leat.batches");
  }
  std::vector<std::string> tables() {
    return warehouse_.ask(
        "SELECT DISTINCT table_name FROM svv_columns WHERE table_schema = 'web' ORDER BY 1");
  }

  void add_events() {
    archive_.add_seal({{"web",
                        {track("t1", "Order Completed", R"({"total":5,"coupon":"X"})"),
                         track("t2", "Debug Ping", R"({"n":1})"), track("t3", "Debug Pong"),
                         identify("i1", "u1", R"({"plan":"x"})"), page("p1", "Home"),
                         R"({"type":"track","messageId":"bad","userId":"u1"})"}}});
  }

  const load::SourceSettings all_{.name = "web", .schema = "web"};
};

TEST_F(SelectiveTest, AnEventThatIsOffIsExcludedAndComesInByAReplay) {
  add_events();
  load::SourceSettings source = all_;
  source.exclusion.events = {"Debug *"};
  EXPECT_EQ(sync_as(source).events,
            (load::EventCounts{.received = 6, .loaded = 3, .rescued = 1, .excluded = 2}));
  EXPECT_THAT(tables(), ElementsAre("identifies", "leat_rescue", "order_completed", "pages",
                                    "tracks", "users"));
  source.exclusion.events = {"Debug Pong"};
  EXPECT_EQ(replay_as(source, {.event = "Debug Ping"}).events,
            (load::EventCounts{.received = 1, .loaded = 1}));
  EXPECT_THAT(books(), ElementsAre("6|4|0|1|1"));
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.debug_ping"), ElementsAre("t2|1"));
  EXPECT_EQ(replay_as(all_, {}).events,
            (load::EventCounts{.received = 6, .loaded = 1, .deduplicated = 4, .rescued = 1}));
  EXPECT_THAT(books(), ElementsAre("6|5|0|1|0"));
}

TEST_F(SelectiveTest, ATableThatIsOffGetsNoRowsAndTheEventIsLoadedElsewhere) {
  add_events();
  load::SourceSettings source = all_;
  source.exclusion.tables = {"order_*", "users", "pages"};
  EXPECT_EQ(sync_as(source).events,
            (load::EventCounts{.received = 6, .loaded = 4, .rescued = 1, .excluded = 1}));
  EXPECT_THAT(tables(),
              ElementsAre("debug_ping", "debug_pong", "identifies", "leat_rescue", "tracks"));
  EXPECT_EQ(replay_as(all_, {.table = "order_completed"}).events,
            (load::EventCounts{.received = 1, .deduplicated = 1}));
  EXPECT_THAT(warehouse_.ask("SELECT id, total FROM web.order_completed"), ElementsAre("t1|5"));
  replay_as(all_, {.table = "users"});
  EXPECT_THAT(warehouse_.ask("SELECT id, plan FROM web.users"), ElementsAre("u1|x"));
  EXPECT_THAT(books(), ElementsAre("6|4|0|1|1"));
  replay_as(all_, {.table = "pages"});
  EXPECT_THAT(books(), ElementsAre("6|5|0|1|0"));
}

TEST_F(SelectiveTest, WithoutTracksTheEventTablesAreCounted) {
  add_events();
  load::SourceSettings source = all_;
  source.exclusion.tables = {"tracks", "debug_pong", "identifies"};
  EXPECT_EQ(sync_as(source).events,
            (load::EventCounts{.received = 6, .loaded = 3, .rescued = 1, .excluded = 2}));
  EXPECT_THAT(tables(), ElementsAre("debug_ping", "leat_rescue", "order_completed", "pages"));
  EXPECT_EQ(replay_as(source, {}).events.deduplicated, 3);
  EXPECT_THAT(books(), ElementsAre("6|3|0|1|2"));
}

TEST_F(SelectiveTest, AColumnThatIsOffIsNotMadeAndIsFilledByAReplay) {
  add_events();
  load::SourceSettings source = all_;
  source.exclusion.columns = {"order_completed.coupon", "*.plan"};
  EXPECT_EQ(sync_as(source).events, (load::EventCounts{.received = 6, .loaded = 5, .rescued = 1}));
  EXPECT_EQ(sync_as(source).values_rescued, 0);
  EXPECT_THAT(warehouse_.ask("SELECT coupon FROM web.order_completed").at(0),
              testing::StartsWith("ERROR 42703"));
  const load::ReplayState state = replay_as(all_, {.table = "order_completed", .column = "coupon"});
  EXPECT_THAT(state.columns_added, ElementsAre("order_completed.coupon"));
  EXPECT_THAT(warehouse_.ask("SELECT total, coupon FROM web.order_completed"), ElementsAre("5|X"));
  // Off again: the column stays, new rows leave it empty.
  archive_.add_seal({{"web",
                      {track("t9", "Order Completed", R"({"total":6,"coupon":"Y"})")},
                      "2026-11-20T14:30:00Z"}});
  sync_as(source);
  EXPECT_THAT(warehouse_.ask("SELECT total, coupon FROM web.order_completed ORDER BY 1"),
              ElementsAre("5|X", "6|NULL"));
}

}  // namespace
}  // namespace leat::load_test
