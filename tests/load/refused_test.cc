// Rows that the warehouse refuses, though everything that the loader knows of its tables allows
// them: their events are rescued with the warehouse's words, the rest is loaded, the books balance,
// and a replay brings them in after a fix.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>

#include "base/text.h"
#include "load_fixture.h"
#include "pipeline/load/replay.h"
#include "pipeline/load/rescue.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Changes what the loader says on its way to the warehouse.
load::Connect rewriting(load::Connect inner, std::function<void(std::string&)> change) {
  class Rewriting final : public load::Connection {
   public:
    Rewriting(std::unique_ptr<load::Connection> connection,
              std::function<void(std::string&)> change_text)
        : connection_(std::move(connection)), change_(std::move(change_text)) {}
    std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                            std::stop_token stop) override {
      std::string text(sql);
      change_(text);
      return connection_->run(text, stop);
    }
    bool is_open() const override { return connection_->is_open(); }

   private:
    std::unique_ptr<load::Connection> connection_;
    std::function<void(std::string&)> change_;
  };
  return [=](const load::DestinationSettings& settings, std::stop_token stop)
             -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
    auto connection = inner(settings, stop);
    if (!connection) return std::unexpected(std::move(connection).error());
    return std::make_unique<Rewriting>(std::move(*connection), change);
  };
}

void replace_all(std::string& text, std::size_t at, const std::string& from,
                 const std::string& to) {
  while ((at = text.find(from, at)) != std::string::npos) text.replace(at, from.size(), to);
}

// Makes the stage tables of a load narrower than the loader asks for, so that the real COPY refuses
// what is longer: as when the warehouse has a limit that nobody told the loader of.
load::Connect narrowing(load::Connect inner, const std::string& from, const std::string& to) {
  return rewriting(std::move(inner), [=](std::string& text) {
    if (!text.starts_with("CREATE TEMP TABLE")) return;
    // In the stage that tables share columns have no names of their own: all of them.
    if (text.starts_with(R"(CREATE TEMP TABLE "leat_shared")")) {
      replace_all(text, text.find(R"("v1")"), from.substr(from.find(' ')), to.substr(to.find(' ')));
    } else {
      replace_all(text, 0, from, to);
    }
  });
}

class RefusedTest : public LoadFixture {
 protected:
  // A person made the table, and wants a coupon in every row.
  void want_coupons() {
    ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
    ASSERT_THAT(
        warehouse_.ask("CREATE TABLE web.a (id varchar(512) NOT NULL, received_at timestamp, "
                       "coupon varchar(512) NOT NULL)"),
        IsEmpty());
  }
  // The same table as it would have been made.
  void want_coupons_no_more() {
    ASSERT_THAT(warehouse_.ask("CREATE TABLE web.a2 AS SELECT * FROM web.a"), IsEmpty());
    ASSERT_THAT(warehouse_.ask("DROP TABLE web.a"), IsEmpty());
    ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a2 RENAME TO a"), IsEmpty());
  }

  // Of `events` track calls A, those at `without` have no coupon; between them page calls.
  static std::vector<std::string> calls(int events, const std::set<int>& without) {
    std::vector<std::string> out;
    for (int i = 0; i < events; ++i) {
      out.push_back(track(fmt::format("t{:03}", i), "A",
                          without.contains(i) ? R"({"n":1})" : R"({"coupon":"c","n":1})"));
      if (i % 3 == 0) out.push_back(page(fmt::format("p{:03}", i), "Home"));
    }
    return out;
  }

  load::ReplayState replay_rescued(const load::LoaderOptions& loader_options) {
    clock_.advance_us(kUsPerMinute);
    load::Replayer replayer(loader_options);
    load::ReplayRequest request;
    request.selection = {.source = "web", .rescue = load::RescueFilter{}};
    const load::SourceSettings source{"web", "web"};
    auto state = replayer.begin(source, request, clock_.now(), {});
    while (state && state->status == "running") {
      if (auto step = replayer.step(source, *state, {}); !step) {
        ADD_FAILURE() << step.error().error.message;
        return *state;
      }
    }
    EXPECT_TRUE(state.has_value()) << state.error().error.message;
    return state.value_or(load::ReplayState{});
  }

  void expect_balanced(std::int64_t received, std::int64_t loaded, std::int64_t rescued) {
    EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded), sum(rescued) FROM leat.batches"),
                ElementsAre(fmt::format("{}|{}|{}", received, loaded, rescued)));
    EXPECT_THAT(warehouse_.ask("SELECT batch_id FROM leat.batches WHERE received <> loaded + "
                               "deduplicated + rescued + excluded"),
                IsEmpty());
    EXPECT_EQ(staged_objects(), 0U);
  }
};

TEST_F(RefusedTest, AColumnThatMayNotBeNullCostsOnlyTheEventsWithoutIt) {
  want_coupons();
  archive_.add_seal({{"web", calls(8, {7})}, {"app", {track("x", "A")}}});
  archive_.add_seal(
      {{"web", {track("t900", "A"), track("t901", "B"), identify("i1", "u1", "{}")}}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.refused_events, 2);
  EXPECT_EQ(report.events.rescued, 2);
  EXPECT_EQ(report.batches, 2);
  expect_balanced(14, 12, 2);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.a"), ElementsAre("7"));
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web.tracks WHERE id IN ('t007', 't900', 't901')"),
              ElementsAre("t901"))
      << "an event has all of its rows or none";
  EXPECT_THAT(
      warehouse_.ask("SELECT event_id, table_name, column_name, reason, line FROM web.leat_rescue "
                     "ORDER BY event_id"),
      ElementsAre("t007|tracks|NULL|refused_by_warehouse|11",
                  "t900|tracks|NULL|refused_by_warehouse|1"));
  const auto detail = warehouse_.ask("SELECT detail FROM web.leat_rescue WHERE event_id = 't900'");
  EXPECT_THAT(detail, ElementsAre(testing::AllOf(HasSubstr("coupon"), HasSubstr("\"web\".\"a\""))));
  // Nothing is asked of the warehouse again.
  EXPECT_EQ(sync_well(warehouse_).batches, 0);
  EXPECT_EQ(sync_well(warehouse_, "app").events.loaded, 1);
}

// As older tables of Segment's have it, and many tables that people made.
TEST_F(RefusedTest, ColumnsThatTheWarehouseNumbersAreLeftToIt) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.a (id varchar(512) NOT NULL, received_at timestamp, "
                             "uuid bigint IDENTITY(1,1), n bigint)"),
              IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.b (id varchar(512), received_at timestamp, seq "
                             "bigint GENERATED BY DEFAULT AS IDENTITY(1,1), uuid integer)"),
              IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.users (id varchar(512), received_at timestamp, "
                             "uuid bigint IDENTITY(1,1))"),
              IsEmpty());
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":1})"), track("t2", "A", R"({"n":2})"),
                       track("t3", "B", R"({"seq":7})"), track("t4", "B"), track("t5", "C"),
                       track("t6", "D"), identify("i1", "u1", R"({"plan":"x"})")}}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.events.loaded, 7);
  EXPECT_EQ(report.refused_events, 0);
  EXPECT_THAT(warehouse_.ask("SELECT id, n, uuid IS NOT NULL FROM web.a ORDER BY id"),
              ElementsAre("t1|1|t", "t2|2|t"));
  EXPECT_THAT(warehouse_.ask("SELECT count(DISTINCT uuid) FROM web.a"), ElementsAre("2"));
  EXPECT_THAT(warehouse_.ask("SELECT id, seq IS NOT NULL FROM web.b ORDER BY id"),
              ElementsAre("t3|t", "t4|t"));
  // A value of an app is not lost; of Leat's own marks nobody wants to hear.
  EXPECT_THAT(warehouse_.ask("SELECT event_id, table_name, column_name, reason, value FROM "
                             "web.leat_rescue"),
              ElementsAre("t3|b|seq|unsupported_column_type|7"));
  // Sent again, the newest wins as ever.
  archive_.add_seal(
      {{"web",
        {track("t1", "A", R"({"n":3})"), track("t7", "A"), identify("i2", "u1", R"({"plan":"y"})")},
        "2026-11-20T14:30:00Z"}});
  EXPECT_EQ(sync_well(warehouse_).events.loaded, 2);
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a ORDER BY id"),
              ElementsAre("t1|3", "t2|2", "t7|NULL"));
  EXPECT_THAT(warehouse_.ask("SELECT id, plan, uuid IS NOT NULL FROM web.users"),
              ElementsAre("u1|y|t"));
}

TEST_F(RefusedTest, ARowWithoutAValueGetsTheDefaultOfAColumnThatMayNotBeNull) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.a (id varchar(512) NOT NULL, received_at timestamp, "
                             "coupon varchar(20) NOT NULL DEFAULT 'no''ne', n bigint DEFAULT 9)"),
              IsEmpty());
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"coupon":"c","n":1})"), track("t2", "A"),
                       track("t3", "B"), track("t4", "C")}}});
  EXPECT_EQ(sync_well(warehouse_).refused_events, 0);
  EXPECT_THAT(warehouse_.ask("SELECT id, coupon, n FROM web.a ORDER BY id"),
              ElementsAre("t1|c|1", "t2|no'ne|NULL"));
  // Through a stage of its own.
  archive_.add_seal(
      {{"web", {track("t1", "A", R"({"coupon":"d"})"), track("t5", "A")}, "2026-11-20T14:30:00Z"}});
  EXPECT_EQ(sync_well(warehouse_).refused_events, 0);
  EXPECT_THAT(warehouse_.ask("SELECT id, coupon FROM web.a ORDER BY id"),
              ElementsAre("t1|d", "t2|no'ne", "t5|no'ne"));
}

// Each of two events would go in alone. As when the loader may not see a default: then nobody knows
// which of them is wrong, and the other tables go on.
TEST_F(RefusedTest, EventsThatAreRefusedOnlyTogetherAreRescued) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.a (id varchar(512) NOT NULL, received_at timestamp, "
                             "coupon varchar(20) NOT NULL DEFAULT 'none')"),
              IsEmpty());
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"coupon":"c"})"), track("t2", "A"), page("p1", "Home"),
                       track("t3", "B"), page("p2", "Home"), page("p3", "Home")}}});
  const auto hide_defaults = [](std::string& text) {
    replace_all(text, 0, "column_default, is_nullable FROM", "NULL, NULL FROM");
  };
  const load::LoaderOptions blind =
      options(warehouse_, rewriting(load::connect_postgres, hide_defaults));
  load::Loader loader(blind);
  EXPECT_EQ(sync_with(loader).refused_events, 2);
  expect_balanced(6, 4, 2);
  EXPECT_THAT(warehouse_.ask("SELECT event_id FROM web.leat_rescue ORDER BY event_id"),
              ElementsAre("t1", "t2"));
}

// No text is a number: such a table is of something else.
TEST_F(RefusedTest, ATableWhoseIdIsNoTextIsNoEvents) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.orders (id bigint IDENTITY(1,1), received_at "
                             "timestamp)"),
              IsEmpty());
  archive_.add_seal({{"web", {track("t1", "Orders"), track("t2", "A")}}});
  EXPECT_EQ(sync_well(warehouse_).events.loaded, 2);
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web._orders"), ElementsAre("t1"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.orders"), ElementsAre("0"));
}

TEST_F(RefusedTest, AReplayAfterAFixBringsThemBack) {
  want_coupons();
  archive_.add_seal({{"web", calls(4, {1, 2})}});
  EXPECT_EQ(sync_well(warehouse_).refused_events, 2);
  expect_balanced(6, 4, 2);
  // Nothing is mended yet: they stay where they are, and the replay ends.
  const load::ReplayState first = replay_rescued(options(warehouse_));
  EXPECT_EQ(first.events, (load::EventCounts{.received = 2, .rescued = 2}));
  expect_balanced(6, 4, 2);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.leat_rescue"), ElementsAre("2"));
  want_coupons_no_more();
  const load::ReplayState second = replay_rescued(options(warehouse_));
  EXPECT_EQ(second.events, (load::EventCounts{.received = 2, .loaded = 2}));
  expect_balanced(6, 6, 0);
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(coupon) FROM web.a"), ElementsAre("4|2"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.leat_rescue"), ElementsAre("0"));
}

TEST_F(RefusedTest, WhatCopyRefusesIsFoundInEveryBatch) {
  const std::string long_note(40, 'n');
  std::vector<std::string> first;
  std::vector<std::string> second;
  for (int i = 0; i < 6; ++i) {
    const std::string note = i == 2 || i == 5 ? long_note : "short";
    first.push_back(track(fmt::format("f{}", i), i % 2 == 0 ? "A" : "B",
                          fmt::format(R"({{"note":"{}"}})", note)));
    second.push_back(identify(fmt::format("s{}", i), fmt::format("u{}", i),
                              fmt::format(R"({{"note":"{}"}})", note)));
  }
  archive_.add_seal({{"web", first}});
  archive_.add_seal({{"web", second}});
  const auto connect =
      narrowing(load::connect_postgres, R"("note" varchar(512))", R"("note" varchar(8))");
  load::Loader loader(options(warehouse_, connect));
  const load::SyncReport report = sync_with(loader);
  EXPECT_EQ(report.refused_events, 4);
  expect_balanced(12, 8, 4);
  EXPECT_THAT(warehouse_.ask("SELECT event_id FROM web.leat_rescue WHERE reason = "
                             "'refused_by_warehouse' ORDER BY event_id"),
              ElementsAre("f2", "f5", "s2", "s5"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.users"), ElementsAre("4"));
  EXPECT_EQ(replay_rescued(options(warehouse_)).events.loaded, 4);
  expect_balanced(12, 12, 0);
  EXPECT_THAT(warehouse_.ask("SELECT max(len(note)) FROM web.a"), ElementsAre("40"));
}

TEST_F(RefusedTest, WhenEverythingIsRefusedOtherTablesGoOnAndTheSearchEnds) {
  want_coupons();
  std::set<int> all;
  for (int i = 0; i < 60; ++i) all.insert(i);
  archive_.add_seal({{"web", calls(60, all)}});
  Fault count;
  load::LoaderOptions few = options(warehouse_, breaking(load::connect_postgres, count));
  few.refusal_trials_max = 6;
  load::Loader loader(few);
  const load::SyncReport report = sync_with(loader);
  EXPECT_EQ(report.refused_events, 60);
  expect_balanced(80, 20, 60);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.pages"), ElementsAre("20"));
  EXPECT_LT(count.statements, 250);
}

TEST_F(RefusedTest, ABrokenConnectionWhileSearchingRescuesNothing) {
  want_coupons();
  archive_.add_seal({{"web", calls(12, {5})}});
  Fault fault{.at = 45, .repeats = true};
  load::Loader loader(options(warehouse_, breaking(load::connect_postgres, fault)));
  const auto failed = loader.sync({"web", "web"}, {});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, load::FailureKind::kUnreachable);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM leat.batches"), ElementsAre("0"));
  // And goes on as if nothing had been.
  fault.at = 0;
  EXPECT_EQ(sync_with(loader).refused_events, 1);
  expect_balanced(16, 15, 1);
}

TEST_F(RefusedTest, WhatTheRescueTableRefusesWaitsInTheArchive) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("CREATE TABLE web.leat_rescue (id varchar(512) NOT NULL, received_at "
                             "timestamp, mine varchar(10) NOT NULL)"),
              IsEmpty());
  archive_.add_seal({{"web", {R"({"type":"track","messageId":"bad","userId":"u"})"}}});
  const auto failed = sync(warehouse_);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(load::failure_kind_name(failed.error().kind), "row_refused");
  EXPECT_THAT(failed.error().error.message, HasSubstr("mine"));
  ASSERT_THAT(warehouse_.ask("DROP TABLE web.leat_rescue"), IsEmpty());
  EXPECT_EQ(sync_well(warehouse_).events.rescued, 1);
}

}  // namespace
}  // namespace leat::load_test
