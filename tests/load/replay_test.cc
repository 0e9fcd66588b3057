// Replays from the archive into the embedded warehouse: what is there stays, what is missing comes
// back, nothing comes twice, and the books balance after each.
#include "pipeline/load/replay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "load_fixture.h"
#include "pipeline/load/rescue.h"
#include "pipeline/shape/tracking_plan.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReplayTest : public LoadFixture {
 protected:
  std::expected<load::ReplayState, load::SyncFailure> replay(
      const load::LoaderOptions& loader_options, const load::ReplayRequest& request) {
    clock_.advance_us(kUsPerMinute);
    load::Replayer replayer(loader_options);
    const load::SourceSettings source{request.selection.source, request.selection.source};
    auto state = replayer.begin(source, request, clock_.now(), {});
    while (state && state->status == "running") {
      if (auto step = replayer.step(source, *state, {}); !step) {
        return std::unexpected(std::move(step).error());
      }
    }
    return state;
  }

  load::ReplayState replay_well(const load::LoaderOptions& loader_options,
                                load::ReplaySelection selection = {.source = "web"}) {
    auto state = replay(loader_options, {.selection = std::move(selection)});
    EXPECT_TRUE(state.has_value()) << state.error().error.message;
    if (!state) return {};
    EXPECT_TRUE(state->events.balanced()) << load::to_json(*state);
    EXPECT_EQ(state->batches_done, state->batches_total);
    expect_balanced();
    EXPECT_EQ(staged_objects(), 0U);
    return *state;
  }
  load::ReplayState replay_well(load::ReplaySelection selection = {.source = "web"}) {
    return replay_well(options(warehouse_), std::move(selection));
  }

  // Every ledger row adds up, and every loaded event is one row.
  void expect_balanced() {
    EXPECT_THAT(warehouse_.ask("SELECT batch_id FROM leat.batches WHERE received <> loaded + "
                               "deduplicated + rescued + excluded"),
                IsEmpty());
  }
  void expect_rows_as_booked(const std::string& tables) {
    EXPECT_EQ(warehouse_.ask("SELECT sum(loaded) FROM leat.batches"), warehouse_.ask(tables));
  }

  // Every kind of row: events, a duplicate, users merged over two loads, rescued values and events.
  void load_a_bit_of_everything(const std::string& second_n = R"("many")") {
    archive_.add_seal({{"web",
                        {track("t1", "A", R"({"n":1,"s":"x"})"), track("t2", "B", R"({"x":true})"),
                         identify("i1", "u1", R"({"plan":"x","email":"e"})"), page("p1", "Home")},
                        "2026-11-20T13:00:00Z"}});
    sync_well(warehouse_);
    archive_.add_seal(
        {{"web",
          {track("t1", "A", R"({"n":)" + second_n + "}"), track("t3", "A", R"({"n":3})"),
           track("t3", "A", R"({"n":4})"), identify("i2", "u1", R"({"plan":"y"})"),
           R"({"type":"track","messageId":"bad","userId":"u1"})",
           R"({"type":"track","messageId":"no","event":"A","userId":"u",)"
           R"("integrations":{"Warehouses":{"all":false}}})"},
          "2026-11-20T14:00:00Z"}});
    sync_well(warehouse_);
  }
};

TEST_F(ReplayTest, OverDataThatIsThereChangesNothing) {
  load_a_bit_of_everything();
  const std::string before = digest(warehouse_, "web");
  const load::ReplayState state = replay_well();
  EXPECT_EQ(digest(warehouse_, "web"), before);
  EXPECT_EQ(state.status, "done");
  EXPECT_EQ(state.batches_total, 2);
  EXPECT_EQ(state.events,
            (load::EventCounts{.received = 10, .deduplicated = 8, .rescued = 1, .excluded = 1}));
  EXPECT_THAT(warehouse_.ask("SELECT source, status, batches_done, selected, deduplicated FROM "
                             "leat.replays"),
              ElementsAre("web|done|2|10|8"));
}

TEST_F(ReplayTest, BringsBackDroppedTables) {
  load_a_bit_of_everything("2");
  const std::string before = digest(warehouse_, "web");
  ASSERT_THAT(warehouse_.ask("DROP TABLE web.a"), IsEmpty());
  const load::ReplayState one = replay_well({.source = "web", .table = "a"});
  EXPECT_EQ(one.events, (load::EventCounts{.received = 5, .deduplicated = 4, .excluded = 1}));
  EXPECT_THAT(one.tables_created, ElementsAre("a"));
  for (const char* table : {"tracks", "a", "b", "identifies", "users", "leat_rescue"}) {
    ASSERT_THAT(warehouse_.ask(fmt::format("DROP TABLE web.{}", table)), IsEmpty());
  }
  load::LoaderOptions small = options(warehouse_);
  small.transaction_events_max = 1;
  const load::ReplayState all = replay_well(small);
  EXPECT_EQ(all.events.loaded, 5);
  EXPECT_EQ(digest(warehouse_, "web"), before);
}

TEST_F(ReplayTest, LeavesWhatIsNotLoadedToTheSync) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  const load::ReplayState nothing = replay_well();
  EXPECT_EQ(nothing.batches_total, 0);
  EXPECT_EQ(nothing.status, "done");
  EXPECT_EQ(sync_well(warehouse_).batches, 1) << "what is not loaded is the sync's";
}

TEST_F(ReplayTest, TakesOnlyWhatIsAskedFor) {
  load_a_bit_of_everything();
  const auto selected = [&](load::ReplaySelection selection) {
    selection.source = "web";
    return replay_well(std::move(selection)).events.received;
  };
  const auto at = [](const char* text) { return parse_iso8601(text); };
  EXPECT_EQ(selected({.from = at("2026-11-20T14:00:00Z")}), 6);
  EXPECT_EQ(selected({.from = at("2026-11-20T14:00:02Z")}), 4);
  EXPECT_EQ(selected({.to = at("2026-11-20T14:00:00Z")}), 4);
  EXPECT_EQ(selected({.to = at("2026-11-20T13:00:01Z")}), 1);
  EXPECT_EQ(selected({.from = at("2026-11-20T15:00:00Z")}), 0);
  EXPECT_EQ(selected({.event = "B"}), 1);
  EXPECT_EQ(selected({.table = "a"}), 5) << "one of them is excluded";
  EXPECT_EQ(selected({.table = "users"}), 2);
  EXPECT_EQ(selected({.table = "users", .column = "email"}), 1);
  EXPECT_EQ(selected({.table = "pages"}), 1);
  EXPECT_EQ(selected({.table = "b", .column = "x"}), 1);
  EXPECT_EQ(selected({.column = "s"}), 1);
}

TEST_F(ReplayTest, ANewerRowStays) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1})")}, "2026-11-20T13:00:00Z"}});
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":2})")}, "2026-11-20T14:00:00Z"}});
  sync_well(warehouse_);
  replay_well({.source = "web", .to = parse_iso8601("2026-11-20T14:00:00Z")});
  EXPECT_THAT(warehouse_.ask("SELECT n FROM web.a"), ElementsAre("2"));
}

TEST_F(ReplayTest, TakesNoUserBackToOlderTraits) {
  archive_.add_seal(
      {{"web", {identify("i1", "u1", R"({"plan":"x","email":"a"})")}, "2026-11-20T12:00:00Z"}});
  archive_.add_seal({{"web",
                      {identify("i2", "u1", R"({"plan":"y"})"),
                       R"({"type":"group","messageId":"g1","userId":"u1","groupId":"g",)"
                       R"("traits":{"size":3}})"},
                      "2026-11-20T13:00:00Z"}});
  archive_.add_seal({{"web", {identify("i3", "u1", R"({"email":"b"})")}, "2026-11-20T14:00:00Z"}});
  sync_well(warehouse_);
  const auto users = [this] {
    return warehouse_.ask("SELECT id, plan, email, received_at FROM web.users");
  };
  const std::vector<std::string> expected = {"u1|y|b|2026-11-20 14:00:00"};
  ASSERT_EQ(users(), expected);
  // The newest and an older call, without the one between them.
  replay_well({.source = "web", .table = "users", .column = "email"});
  EXPECT_EQ(users(), expected);
  replay_well({.source = "web", .to = parse_iso8601("2026-11-20T13:00:00Z")});
  EXPECT_EQ(users(), expected);
  // Made again from some of the calls and from all of them, in one transaction or in three.
  ASSERT_THAT(warehouse_.ask("DROP TABLE web.users"), IsEmpty());
  replay_well({.source = "web", .to = parse_iso8601("2026-11-20T13:00:00Z")});
  EXPECT_EQ(users(), expected) << "identifies knows the others";
  for (const int events : {1, 1000}) {
    ASSERT_THAT(warehouse_.ask("DROP TABLE web.users"), IsEmpty());
    ASSERT_THAT(warehouse_.ask("DROP TABLE web.identifies"), IsEmpty());
    load::LoaderOptions small = options(warehouse_);
    small.transaction_events_max = events;
    replay_well(small);
    EXPECT_EQ(users(), expected) << events;
  }
  EXPECT_THAT(warehouse_.ask("SELECT id, size FROM web.accounts"), ElementsAre("g|3"));
}

TEST_F(ReplayTest, AChangedTypeTakesValuesThatWereRescued) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":"2024-01-01"})"), track("t0", "B")}}});
  sync_well(warehouse_);
  archive_.add_seal(
      {{"web",
        {track("t2", "A", R"({"n":"soon"})"), track("t3", "A", R"({"n":"2024-01-03"})")},
        "2026-11-20T14:30:00Z"}});
  sync_well(warehouse_);
  ASSERT_THAT(warehouse_.ask("SELECT sum(values_rescued) FROM leat.batches"), ElementsAre("1"));
  ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a DROP COLUMN n"), IsEmpty());
  const load::ReplayState state = replay_well({.source = "web", .table = "a", .column = "n"});
  EXPECT_THAT(state.columns_added, ElementsAre("a.n"));
  EXPECT_EQ(state.events, (load::EventCounts{.received = 3, .deduplicated = 3}));
  EXPECT_EQ(state.rescue_rows_removed, 1);
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a ORDER BY id"),
              ElementsAre("t1|2024-01-01", "t2|soon", "t3|2024-01-03"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.leat_rescue"), ElementsAre("0"));
  EXPECT_THAT(warehouse_.ask("SELECT sum(values_rescued) FROM leat.batches"), ElementsAre("0"));
}

TEST_F(ReplayTest, RescueRowsThatAreWrittenAgainDoNotCountAsRemoved) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1,"m":1})")}}});
  sync_well(warehouse_);
  archive_.add_seal(
      {{"web", {track("t2", "A", R"({"n":"soon","m":"late"})")}, "2026-11-20T14:30:00Z"}});
  sync_well(warehouse_);
  ASSERT_THAT(warehouse_.ask("SELECT count(*) FROM web.leat_rescue"), ElementsAre("2"));
  // Nothing is mended, then one of both columns.
  EXPECT_EQ(replay_well({.source = "web", .table = "a"}).rescue_rows_removed, 0);
  ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a DROP COLUMN n"), IsEmpty());
  ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a ADD COLUMN n varchar(512)"), IsEmpty());
  EXPECT_EQ(replay_well({.source = "web", .table = "a"}).rescue_rows_removed, 1);
  EXPECT_THAT(warehouse_.ask("SELECT column_name FROM web.leat_rescue"), ElementsAre("m"));
}

TEST_F(ReplayTest, EventsThatWereRescuedLeaveTheRescueTableAndTheBooksFollow) {
  const auto plan = shape::TrackingPlan::parse(
      R"({"rules":{"events":[{"name":"B","rules":{"required":["missing"]}},)"
      R"({"name":"C","rules":{"required":["missing"]}}]}})");
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  archive_.add_seal({{"web",
                      {track("t1", "A"), track("t2", "B", R"({"n":1})"), track("t3", "C"),
                       track("t2", "B"), R"({"type":"track","messageId":"bad","userId":"u1"})"}}});
  {
    load::Loader loader(options(warehouse_));
    const auto report =
        loader.sync({.name = "web", .schema = "web", .tracking_plan = plan->get()}, {});
    ASSERT_TRUE(report.has_value()) << report.error().error.message;
  }
  ASSERT_THAT(warehouse_.ask("SELECT received, loaded, rescued FROM leat.batches"),
              ElementsAre("5|1|4"));
  // One of them, by the reason and the event.
  const load::ReplayState one =
      replay_well({.source = "web",
                   .rescue = load::RescueFilter{.reason = "schema_violation", .event_id = "t3"}});
  EXPECT_EQ(one.events, (load::EventCounts{.received = 1, .loaded = 1}));
  EXPECT_EQ(one.rescue_rows_removed, 1);
  EXPECT_THAT(warehouse_.ask("SELECT loaded, deduplicated, rescued FROM leat.batches"),
              ElementsAre("2|0|3"));
  expect_rows_as_booked("SELECT count(*) FROM web.tracks");
  // All of them; what is bad stays where it is.
  const load::ReplayState rest = replay_well({.source = "web", .rescue = load::RescueFilter{}});
  EXPECT_EQ(rest.events.rescued, 1);
  EXPECT_THAT(warehouse_.ask("SELECT event_id FROM web.leat_rescue"), ElementsAre("bad"));
  EXPECT_THAT(warehouse_.ask("SELECT id, event FROM web.tracks ORDER BY id"),
              ElementsAre("t1|a", "t2|b", "t3|c"));
  EXPECT_THAT(warehouse_.ask("SELECT sum(loaded), sum(rescued) FROM leat.batches"),
              ElementsAre("3|1"));
  expect_rows_as_booked("SELECT count(*) FROM web.tracks");
}

TEST_F(ReplayTest, ShowsWhatWasRescued) {
  const std::vector<load::SourceSettings> sources = {{"web", "web"}, {"app", "app"}};
  const auto read = [&](const load::RescueQuery& query) {
    auto rescued =
        load::read_rescued(warehouse_.settings(), load::connect_postgres, sources, query, {});
    EXPECT_TRUE(rescued.has_value()) << rescued.error().message;
    return rescued.value_or(load::Rescued{});
  };
  EXPECT_THAT(read({.values_max = 10}).groups, IsEmpty()) << "there is no table yet";
  load_a_bit_of_everything();
  const std::string long_text(150'000, 'x');
  archive_.add_seal({{"web",
                      {track("t7", "A", fmt::format(R"({{"s":"{}"}})", long_text))},
                      "2026-11-20T14:30:00Z"}});
  sync_well(warehouse_);
  const load::Rescued all = read({.values_max = 10});
  ASSERT_EQ(all.groups.size(), 3U);
  std::vector<std::string> groups;
  for (const load::RescueGroup& group : all.groups) {
    groups.push_back(fmt::format("{}|{}|{}|{}|{}", group.source, group.table, group.column,
                                 group.reason, group.values));
  }
  EXPECT_THAT(groups, testing::UnorderedElementsAre("web|a|n|type_mismatch|1", "web|a|s|too_long|1",
                                                    "web|tracks||event_not_defined|1"));
  ASSERT_EQ(all.values.size(), 3U);
  EXPECT_EQ(all.values[0].value.size(), long_text.size() + 2) << "the parts are put together";
  const load::Rescued one = read({.filter = {.reason = "type_mismatch"}, .values_max = 10});
  ASSERT_EQ(one.values.size(), 1U);
  EXPECT_EQ(one.values[0].value, R"("many")");
  EXPECT_EQ(one.values[0].event_id, "t1");
  EXPECT_THAT(read({}).values, IsEmpty());
  EXPECT_THAT(load::to_json(one), HasSubstr(R"("value":"\"many\"","encoding":"json")"));
}

TEST_F(ReplayTest, GoesOnWhereADeadOneStopped) {
  for (int seal = 0; seal < 5; ++seal) {
    archive_.add_seal({{"web",
                        {track(fmt::format("t{}", seal), "A"),
                         identify(fmt::format("i{}", seal), "u", R"({"n":1})")},
                        fmt::format("2026-11-20T1{}:00:00Z", seal)}});
  }
  sync_well(warehouse_);
  const std::string before = digest(warehouse_, "web");
  clock_.advance_us(kUsPerMinute);
  load::LoaderOptions small = options(warehouse_);
  small.transaction_events_max = 2;
  const load::ReplayRequest request{.selection = {.source = "web"}};
  std::string id;
  {
    load::Replayer dying(small);
    auto state = dying.begin({"web", "web"}, request, clock_.now(), {});
    ASSERT_TRUE(state.has_value()) << state.error().error.message;
    id = state->replay_id;
    ASSERT_TRUE(dying.step({"web", "web"}, *state, {}).has_value());
    ASSERT_TRUE(dying.step({"web", "web"}, *state, {}).has_value());
  }
  load::Replayer second(small);
  const auto unfinished = second.unfinished({});
  ASSERT_TRUE(unfinished.has_value());
  ASSERT_EQ(unfinished->size(), 1U);
  EXPECT_EQ(unfinished->at(0).batches_done, 2);
  const load::ReplayState state = replay_well(small);
  EXPECT_TRUE(state.is_resumed);
  EXPECT_EQ(state.replay_id, id);
  EXPECT_EQ(state.batches_done, 5);
  EXPECT_EQ(state.events, (load::EventCounts{.received = 10, .deduplicated = 10}));
  EXPECT_EQ(digest(warehouse_, "web"), before);
  // A finished one is not gone on with.
  const load::ReplayState again = replay_well(small);
  EXPECT_FALSE(again.is_resumed);
  EXPECT_NE(again.replay_id, id);
}

TEST_F(ReplayTest, ARestartLeavesTheOldOneStopped) {
  load_a_bit_of_everything();
  clock_.advance_us(kUsPerMinute);
  load::Replayer replayer(options(warehouse_));
  auto old = replayer.begin({"web", "web"}, {.selection = {.source = "web"}}, clock_.now(), {});
  ASSERT_TRUE(old.has_value());
  const auto fresh = replay(options(warehouse_), {.selection = {.source = "web"}, .restart = true});
  ASSERT_TRUE(fresh.has_value()) << fresh.error().error.message;
  EXPECT_NE(fresh->replay_id, old->replay_id);
  EXPECT_THAT(warehouse_.ask("SELECT status, count(*) FROM leat.replays GROUP BY 1 ORDER BY 1"),
              ElementsAre("done|1", "stopped|1"));
  // Who still works on it finds out.
  ASSERT_TRUE(replayer.step({"web", "web"}, *old, {}).has_value());
  EXPECT_EQ(old->status, "stopped");
}

TEST_F(ReplayTest, TwoAtOnceShareTheWork) {
  for (int seal = 0; seal < 8; ++seal) {
    archive_.add_seal({{"web", {track(fmt::format("t{}", seal), "A")}}});
  }
  sync_well(warehouse_);
  const std::string before = digest(warehouse_, "web");
  clock_.advance_us(kUsPerMinute);
  load::LoaderOptions small = options(warehouse_);
  small.transaction_events_max = 1;
  small.attempts_max = 50;
  const load::ReplayRequest request{.selection = {.source = "web"}};
  const TimeUs requested_at = clock_.now();
  std::array<std::string, 2> problems;
  std::vector<std::thread> threads;
  for (std::string& problem : problems) {
    threads.emplace_back([&small, &request, &problem, requested_at] {
      load::Replayer replayer(small);
      auto state = replayer.begin({"web", "web"}, request, requested_at, {});
      if (!state) problem = state.error().error.message;
      while (state && problem.empty() && state->status == "running") {
        const auto step = replayer.step({"web", "web"}, *state, {});
        if (!step) problem = step.error().error.message;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(problems, ElementsAre("", ""));
  EXPECT_EQ(digest(warehouse_, "web"), before);
  EXPECT_THAT(warehouse_.ask("SELECT DISTINCT status, batches_done, selected FROM leat.replays "
                             "WHERE batches_done > 0"),
              ElementsAre("done|8|8"));
}

TEST_F(ReplayTest, ADryRunOnlyTells) {
  load_a_bit_of_everything();
  ASSERT_THAT(warehouse_.ask("DROP TABLE web.b"), IsEmpty());
  const std::string before = digest(warehouse_, "web");
  const auto state = replay(options(warehouse_), {.selection = {.source = "web"}, .dry_run = true});
  ASSERT_TRUE(state.has_value()) << state.error().error.message;
  EXPECT_EQ(state->status, "done");
  EXPECT_EQ(state->batches_done, 2);
  EXPECT_EQ(state->events.received, 10);
  EXPECT_THAT(state->tables_created, ElementsAre("b"));
  EXPECT_EQ(state->table_rows.at("tracks"), 5);
  EXPECT_EQ(digest(warehouse_, "web"), before);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM svv_columns WHERE table_schema = 'leat' AND "
                             "table_name = 'replays'"),
              ElementsAre("0"));
}

TEST_F(ReplayTest, SaysWhatCannotBeReplayed) {
  load_a_bit_of_everything();
  const auto error_of = [&](load::ReplaySelection selection) {
    selection.source = "web";
    const auto state = replay(options(warehouse_), {.selection = std::move(selection)});
    return state ? std::string("none") : state.error().error.message;
  };
  EXPECT_THAT(error_of({.from = TimeUs{10}, .to = TimeUs{10}}), HasSubstr("is empty"));
  EXPECT_THAT(error_of({.table = "leat_rescue"}), HasSubstr("leat rescue replay"));
  // An object that is gone from the archive.
  const auto page = archive_.store().list("s3://leat/seals/");
  ASSERT_TRUE(page.has_value());
  ASSERT_TRUE(archive_.store().remove(page->objects.front().uri).has_value());
  EXPECT_THAT(error_of({}), HasSubstr("leave its hour out with --from and --to"));
  EXPECT_EQ(error_of({.from = parse_iso8601("2026-11-20T14:00:00Z")}), "none");
}

// The connection breaks at every statement of a replay's step, before and after the server runs it,
// and the replayer lives on or dies; in the end everything is as after an undisturbed one.
TEST_F(ReplayTest, ABrokenConnectionAtAnyStatementLosesAndDoublesNothing) {
  load_a_bit_of_everything();
  load::LoaderOptions small = options(warehouse_);
  small.transaction_events_max = 1;
  ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a DROP COLUMN n"), IsEmpty());
  replay_well(small);
  const std::string expected = digest(warehouse_, "web");
  Fault count;
  const auto counting = [&](Fault& fault) {
    load::LoaderOptions out = small;
    out.connect = breaking(load::connect_postgres, fault);
    return out;
  };
  const auto counted = replay(counting(count), {.selection = {.source = "web"}, .restart = true});
  ASSERT_TRUE(counted.has_value());
  const load::EventCounts events = counted->events;
  ASSERT_GT(count.statements, 40);
  const int step = std::getenv("LEAT_CRASH_ALL") != nullptr ? 1 : count.statements / 4;
  for (int at = 1; at <= count.statements; at += step) {
    for (const bool after : {false, true}) {
      // Without LEAT_CRASH_ALL, which takes minutes, every other time before and after.
      if (step > 1 && after != ((at / step) % 2 == 1)) continue;
      Fault fault{.at = at, .after = after};
      {
        load::LoaderOptions dying = counting(fault);
        if (at % 2 == 0) dying.attempts_max = 1;
        [[maybe_unused]] const auto ignored = replay(dying, {.selection = {.source = "web"}});
      }
      const auto rest = replay(small, {.selection = {.source = "web"}});
      ASSERT_TRUE(rest.has_value()) << rest.error().error.message;
      ASSERT_EQ(digest(warehouse_, "web"), expected) << at << (after ? " after" : " before");
      ASSERT_EQ(rest->events, events) << at;
      ASSERT_THAT(warehouse_.ask("SELECT count(*) FROM leat.replays WHERE status = 'running'"),
                  ElementsAre("0"));
      ASSERT_EQ(staged_objects(), 0U);
    }
  }
}

}  // namespace
}  // namespace leat::load_test
