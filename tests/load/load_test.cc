// What a sync brings into the embedded warehouse, over its real server.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "load_fixture.h"
#include "pipeline/load/books.h"
#include "pipeline/load/sync_schedule.h"

namespace leat::load_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class LoadTest : public LoadFixture {};

TEST_F(LoadTest, LoadsEveryKindOfCallAndBalancesTheBooks) {
  archive_.add_seal(
      {{"web",
        {track("t1", "Order Completed", R"({"revenue":14.99,"quantity":3,"isGift":false})"),
         track("t2", "Signed Up"), identify("i1", "u1", R"({"email":"a@example.com"})"),
         page("p1", "Home"), R"({"type":"track","messageId":"bad","userId":"u1"})"}}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.batches, 1);
  EXPECT_EQ(report.events, (load::EventCounts{.received = 5, .loaded = 4, .rescued = 1}));
  EXPECT_THAT(warehouse_.ask("SELECT id, event, event_text FROM web.tracks ORDER BY id"),
              ElementsAre("t1|order_completed|Order Completed", "t2|signed_up|Signed Up"));
  EXPECT_THAT(
      warehouse_.ask(
          "SELECT revenue, quantity, is_gift, user_id, received_at FROM web.order_completed"),
      ElementsAre("14.99|3|f|u1|2026-11-20 14:00:00"));
  EXPECT_THAT(warehouse_.ask("SELECT id, email FROM web.identifies"),
              ElementsAre("i1|a@example.com"));
  EXPECT_THAT(warehouse_.ask("SELECT id, name FROM web.pages"), ElementsAre("p1|Home"));
  EXPECT_THAT(warehouse_.ask("SELECT event_id FROM web.leat_rescue WHERE column_name IS NULL"),
              ElementsAre("bad"));
  EXPECT_THAT(
      warehouse_.ask("SELECT received, loaded, deduplicated, rescued, excluded FROM leat.batches"),
      ElementsAre("5|4|0|1|0"));
  EXPECT_EQ(staged_objects(), 0U);
  EXPECT_THAT(warehouse_.ask("SELECT sync_id, source, batches, received, loaded, rescued, "
                             "first_loaded_at = last_loaded_at FROM leat.syncs"),
              ElementsAre(report.sync_id + "|web|1|5|4|1|t"));
  // Received at 14:00:00 to 14:00:04, loaded at 15:00.
  EXPECT_EQ(report.freshness.rows, 4);
  EXPECT_EQ(report.freshness.arrival.max_us, kUsPerHour);
  EXPECT_EQ(report.freshness.arrival.p50_us, kUsPerHour - 2 * kUsPerSecond);
  EXPECT_EQ(report.table_freshness.at("pages").arrival.p99_us, kUsPerHour - 3 * kUsPerSecond);

  const auto ledger = load::read_ledger(warehouse_.settings(), load::connect_postgres, 10, {});
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  ASSERT_EQ(ledger->latest.size(), 1U);
  EXPECT_EQ(ledger->latest[0].events, report.events);
  EXPECT_EQ(ledger->latest[0].hour, "2026112014");
  EXPECT_EQ(ledger->latest[0].table_rows.at("tracks"), 2);
  EXPECT_EQ(ledger->sources.at(0).events, report.events);
}

// A device that was an hour offline, and whose clock is a minute behind.
TEST_F(LoadTest, TellsHowLateEventsAreSinceTheyHappened) {
  archive_.add_seal({{"web",
                      {R"({"type":"track","messageId":"t1","event":"A","userId":"u","timestamp":)"
                       R"("2026-11-20T12:59:00Z","sentAt":"2026-11-20T13:59:00Z"})"},
                      "2026-11-20T14:00:00Z"}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT timestamp FROM web.a"), ElementsAre("2026-11-20 13:00:00"));
  EXPECT_EQ(report.freshness.arrival.p50_us, kUsPerHour);
  EXPECT_EQ(report.freshness.event.p50_us, 2 * kUsPerHour);
  EXPECT_EQ(report.table_freshness.at("a").event.p99_us, 2 * kUsPerHour);
}

TEST_F(LoadTest, HasNothingToDoTheSecondTime) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  load::Loader loader(options(warehouse_));
  EXPECT_EQ(sync_with(loader).batches, 1);
  EXPECT_EQ(sync_with(loader).batches, 0);
  EXPECT_EQ(sync_well(warehouse_).batches, 0);
  archive_.add_seal({{"web", {track("t2", "A")}}});
  EXPECT_EQ(sync_with(loader).batches, 1);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.tracks"), ElementsAre("2"));
}

TEST_F(LoadTest, KeepsTheNewestOfDuplicatesInOneLoad) {
  archive_.add_seal(
      {{"web",
        {track("t1", "A", R"({"n":1})"), track("t1", "A", R"({"n":2})"), track("t2", "A")}}});
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":3})")}, "2026-11-20T14:10:00Z"},
                     {"web", {track("t2", "A", R"({"n":9})")}, "2026-11-20T13:00:00Z"}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.events, (load::EventCounts{.received = 5, .loaded = 2, .deduplicated = 3}));
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a ORDER BY id"),
              ElementsAre("t1|3", "t2|NULL"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.tracks"), ElementsAre("2"));
}

TEST_F(LoadTest, BreaksTiesByTheOrderOfTheArchive) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1})")}}});
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":2})")}}});
  sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT n FROM web.a"), ElementsAre("2"));
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":3})")}}});
  sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT n FROM web.a"), ElementsAre("3"));
}

TEST_F(LoadTest, ReplacesOlderRowsOfTheTargetAndGivesWayToNewerOnes) {
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":1})"), track("t2", "A", R"({"n":1})")},
                      "2026-11-20T14:00:00Z"}});
  sync_well(warehouse_);
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":2})"), track("t3", "A", R"({"n":2})")},
                      "2026-11-20T14:30:00Z"}});
  EXPECT_EQ(sync_well(warehouse_).events,
            (load::EventCounts{.received = 2, .loaded = 1, .deduplicated = 1}));
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":3})"), track("t2", "A", R"({"n":3})")},
                      "2026-11-20T13:00:00Z"}});
  EXPECT_EQ(sync_well(warehouse_).events,
            (load::EventCounts{.received = 2, .loaded = 0, .deduplicated = 2}));
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a ORDER BY id"),
              ElementsAre("t1|2", "t2|1", "t3|2"));
  // What the books say is what the table holds.
  EXPECT_THAT(warehouse_.ask("SELECT sum(loaded) FROM leat.batches"), ElementsAre("3"));
}

TEST_F(LoadTest, LoadingABatchAgainChangesNothing) {
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":1})"), identify("i1", "u1", R"({"plan":"x"})"),
                       R"({"type":"track","messageId":"bad"})"}}});
  sync_well(warehouse_);
  const std::vector<std::string> before = warehouse_.ask("SELECT id, n, received_at FROM web.a");
  ASSERT_THAT(warehouse_.ask("DELETE FROM leat.batches"), ElementsAre());
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.events,
            (load::EventCounts{.received = 3, .loaded = 0, .deduplicated = 2, .rescued = 1}));
  EXPECT_EQ(warehouse_.ask("SELECT id, n, received_at FROM web.a"), before);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.leat_rescue"), ElementsAre("1"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.users"), ElementsAre("1"));
}

TEST_F(LoadTest, AddsColumnsAndTablesAsEventsBringThem) {
  load::Loader loader(options(warehouse_));
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1})")}}});
  ASSERT_TRUE(loader.sync({"web", "web"}, {}).has_value());
  archive_.add_seal(
      {{"web",
        {track("t2", "A", R"({"n":2,"color":"red","at":"2024-02-29T10:00:00+02:00"})"),
         track("t3", "B", R"({"x":true})")}}});
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  EXPECT_THAT(report->columns_added, testing::UnorderedElementsAre("a.color", "a.at"));
  EXPECT_THAT(report->tables_created, ElementsAre("b"));
  EXPECT_THAT(warehouse_.ask("SELECT id, n, color, \"at\" FROM web.a ORDER BY id"),
              ElementsAre("t1|1|NULL|NULL", "t2|2|red|2024-02-29 08:00:00"));
  // Known without reading the tables again.
  archive_.add_seal(
      {{"web", {track("t4", "A", R"({"color":"blue"})"), track("t5", "B", R"({"x":false})")}}});
  ASSERT_TRUE(loader.sync({"web", "web"}, {}).has_value());
  EXPECT_THAT(warehouse_.ask("SELECT color FROM web.a WHERE id = 't4'"), ElementsAre("blue"));
}

TEST_F(LoadTest, TablesHaveTheDocumentedKeysAndTypes) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1,"s":"x","f":1.5,"b":true})")}}});
  sync_well(warehouse_);
  EXPECT_THAT(
      warehouse_.ask("SELECT column_name, data_type, character_maximum_length FROM svv_columns "
                     "WHERE table_schema = 'web' AND table_name = 'a' AND column_name IN "
                     "('id', 'received_at', 'n', 's', 'f', 'b') ORDER BY ordinal_position"),
      ElementsAre("id|character varying|512", "received_at|timestamp without time zone|NULL",
                  "b|boolean|NULL", "f|double precision|NULL", "n|bigint|NULL",
                  "s|character varying|512"));
}

TEST_F(LoadTest, WhatDoesNotFitIsRescuedAndTheRowStillLoads) {
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1})")}}});
  sync_well(warehouse_);
  archive_.add_seal({{"web", {track("t2", "A", R"({"n":"many","m":2})")}}});
  const load::SyncReport report = sync_well(warehouse_);
  EXPECT_EQ(report.events, (load::EventCounts{.received = 1, .loaded = 1}));
  EXPECT_EQ(report.values_rescued, 1);
  EXPECT_THAT(warehouse_.ask("SELECT n, m FROM web.a WHERE id = 't2'"), ElementsAre("NULL|2"));
  EXPECT_THAT(warehouse_.ask("SELECT event_id, table_name, column_name FROM web.leat_rescue"),
              ElementsAre("t2|a|n"));
}

TEST_F(LoadTest, MergesUsersColumnByColumnAcrossLoads) {
  archive_.add_seal(
      {{"web", {identify("i1", "u1", R"({"email":"a","plan":"x"})")}, "2026-11-20T14:00:00Z"}});
  sync_well(warehouse_);
  archive_.add_seal(
      {{"web",
        {identify("i2", "u1", R"({"plan":"y"})"), identify("i3", "u2", R"({"plan":"z"})")},
        "2026-11-20T14:05:00Z"}});
  sync_well(warehouse_);
  // Older calls that arrive later fill only what is missing.
  archive_.add_seal(
      {{"web", {identify("i4", "u1", R"({"plan":"old","city":"Bonn"})")}, "2026-11-20T12:00:00Z"}});
  sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT id, email, plan, city FROM web.users ORDER BY id"),
              ElementsAre("u1|a|y|Bonn", "u2|NULL|z|NULL"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.identifies"), ElementsAre("4"));
}

TEST_F(LoadTest, UsersKeepTheNewestOfEachTraitWhateverTheOrderOfLoads) {
  // A call between two that are loaded already.
  archive_.add_seal({{"web", {identify("i1", "u1", R"({"plan":"x"})")}, "2026-11-20T14:05:00Z"}});
  archive_.add_seal({{"web", {identify("i2", "u1", R"({"email":"e"})")}, "2026-11-20T14:10:00Z"}});
  sync_well(warehouse_);
  archive_.add_seal({{"web", {identify("i3", "u1", R"({"plan":"y"})")}, "2026-11-20T14:07:00Z"}});
  sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT plan, email, received_at FROM web.users"),
              ElementsAre("y|e|2026-11-20 14:10:00"));
  // An older call together with the newest.
  archive_.add_seal({{"web", {identify("i4", "u1", R"({"plan":"old"})")}, "2026-11-20T14:00:00Z"}});
  archive_.add_seal({{"web", {identify("i5", "u1", R"({"email":"f"})")}, "2026-11-20T14:20:00Z"}});
  sync_well(warehouse_);
  EXPECT_THAT(warehouse_.ask("SELECT plan, email, received_at FROM web.users"),
              ElementsAre("y|f|2026-11-20 14:20:00"));
}

TEST_F(LoadTest, KeepsSourcesApart) {
  archive_.add_seal({{"app", {track("t1", "A")}}, {"web", {track("t1", "A"), track("t2", "A")}}});
  EXPECT_EQ(sync_well(warehouse_, "app").events.loaded, 1);
  EXPECT_EQ(sync_well(warehouse_, "web").events.loaded, 2);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM app.tracks"), ElementsAre("1"));
}

TEST_F(LoadTest, SmallTransactionsGiveTheSameWarehouse) {
  for (int seal = 0; seal < 6; ++seal) {
    archive_.add_seal({{"web",
                        {track(fmt::format("t{}", seal), "A", fmt::format(R"({{"p{}":1}})", seal)),
                         track("same", "A", fmt::format(R"({{"n":{}}})", seal))}}});
  }
  const auto rows = [this] {
    return warehouse_.ask("SELECT id, n, p0, p5, received_at FROM web.a ORDER BY id");
  };
  sync_well(warehouse_);
  const std::vector<std::string> expected = rows();
  warehouse_.reset("web");
  load::LoaderOptions small = options(warehouse_);
  small.transaction_events_max = 3;
  load::Loader loader(small);
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  EXPECT_EQ(report->transactions, 6);
  EXPECT_EQ(rows(), expected);
  EXPECT_EQ(report->events, (load::EventCounts{.received = 12, .loaded = 7, .deduplicated = 5}));
}

TEST_F(LoadTest, TwoLoadersAtOnceLoadEachBatchOnce) {
  for (int seal = 0; seal < 12; ++seal) {
    archive_.add_seal(
        {{"web",
          {track(fmt::format("t{}", seal), "A", fmt::format(R"({{"p{}":1}})", seal % 3)),
           identify(fmt::format("i{}", seal), "u1", R"({"plan":"x"})")}}});
  }
  std::vector<std::thread> threads;
  std::array<std::optional<load::SyncFailure>, 3> failures;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    threads.emplace_back([this, i, &failures] {
      load::LoaderOptions small = options(warehouse_);
      small.transaction_events_max = 4;
      small.attempts_max = 50;
      load::Loader loader(small);
      auto report = loader.sync({"web", "web"}, {});
      if (!report) failures[i] = std::move(report).error();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& failure : failures) EXPECT_FALSE(failure.has_value()) << failure->error.message;
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT batch_id), sum(loaded), "
                             "sum(deduplicated) FROM leat.batches"),
              ElementsAre("12|12|24|0"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.tracks"),
              ElementsAre("12|12"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.a"),
              ElementsAre("12|12"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.identifies"),
              ElementsAre("12|12"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.users"), ElementsAre("1"));
}

// Everything that may go on beside a load at once. What is in the warehouse in the end is what one
// loader alone would have brought, to the last value.
TEST_F(LoadTest, LoadersThatAreKilledAVacuumAndALongReaderChangeNothing) {
  for (int seal = 0; seal < 5; ++seal) {
    archive_.add_seal(
        {{"web",
          {track(fmt::format("t{}", seal), "A", fmt::format(R"({{"p{}":{}}})", seal % 3, seal)),
           track(fmt::format("t{}", seal / 2), "A", fmt::format(R"({{"n":{}}})", seal)),
           track(fmt::format("b{}", seal), "B", R"({"x":"text"})"),
           identify(fmt::format("i{}", seal), fmt::format("u{}", seal % 2),
                    fmt::format(R"({{"plan":"p{}"}})", seal))},
          fmt::format("2026-11-20T14:{:02}:00Z", seal)}});
  }
  const auto small = [this](load::Connect connect) {
    load::LoaderOptions out = options(warehouse_, std::move(connect));
    out.transaction_events_max = 4;
    return out;
  };
  {
    load::Loader alone(small(load::connect_postgres));
    ASSERT_EQ(sync_with(alone).transactions, 5);
  }
  const std::string expected = digest(warehouse_, "web");
  warehouse_.reset("web");

  std::atomic<int> busy = 2;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 2; ++worker) {
    threads.emplace_back([&, worker] {
      // Each life of this loader ends some statements later than the one before it.
      for (int life = 1; life <= 40; ++life) {
        Fault fault{.at = 17 * life + 9 * worker, .after = life % 2 == 0};
        load::LoaderOptions dying = small(breaking(load::connect_postgres, fault));
        dying.attempts_max = 1;
        load::Loader loader(dying);
        if (loader.sync({"web", "web"}, {})) break;
      }
      --busy;
    });
  }
  auto reader = load::connect_postgres(warehouse_.settings(), {});
  auto cleaner = load::connect_postgres(warehouse_.settings(), {});
  ASSERT_TRUE(reader && cleaner);
  const auto answer = [](load::Connection& connection, std::string_view sql) {
    const auto rows = connection.run(sql, {});
    return rows && !rows->rows.empty() ? rows->rows[0][0].value_or("NULL") : std::string("-");
  };
  // The reader's transaction begins when there is something to read and outlives the loads.
  std::string before = "-";
  while (busy > 0) {
    if (before == "-") {
      static_cast<void>((*reader)->run("BEGIN", {}));
      before = answer(**reader, "SELECT count(*) FROM web.tracks");
      if (before == "-") static_cast<void>((*reader)->run("ROLLBACK", {}));
    }
    static_cast<void>((*cleaner)->run("VACUUM web.tracks", {}));
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  sync_well(warehouse_);
  EXPECT_EQ(answer(**reader, "SELECT count(*) FROM web.tracks"), before);
  static_cast<void>((*reader)->run("COMMIT", {}));
  EXPECT_NE(before, "-");
  EXPECT_EQ(digest(warehouse_, "web"), expected);
  EXPECT_EQ(staged_objects(), 0U);
}

// Rows are found by the hash that Leat wrote beside them; those that have none, or another one,
// by their id.
TEST_F(LoadTest, RowsThatLeatDidNotWriteAreFoundByTheirId) {
  const auto load_again = [this](int n) {
    archive_.add_seal(
        {{"web",
          {track("t1", "A", fmt::format(R"({{"n":{}}})", n)), track(fmt::format("m{}", n), "A")},
          fmt::format("2026-11-20T14:{:02}:00Z", n)}});
  };
  load_again(1);
  load::Loader loader(options(warehouse_));
  sync_with(loader);
  for (const char* uuid : {"NULL", "7"}) {
    ASSERT_THAT(warehouse_.ask(fmt::format("UPDATE web.a SET uuid = {}", uuid)), ElementsAre());
    ASSERT_THAT(warehouse_.ask("UPDATE web.tracks SET uuid = NULL"), ElementsAre());
    const int n = *uuid == 'N' ? 2 : 3;
    load_again(n);
    // A loader looks at a table once: what was foreign already when it came is found by id.
    const load::SyncReport report = *uuid == 'N' ? sync_with(loader) : sync_well(warehouse_);
    EXPECT_EQ(report.events, (load::EventCounts{.received = 2, .loaded = 1, .deduplicated = 1}));
    EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a WHERE id = 't1'"),
                ElementsAre(fmt::format("t1|{}", n)));
  }
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.a"), ElementsAre("4|4"));
}

// The same deliveries once with lists of known rows and once without: ids come again in the same
// load and in later ones, before and after what the tables have, and some rows have no hash.
TEST_F(LoadTest, ListsOfKnownRowsChangeNothing) {
  SeededRandom random(20261122);
  for (int load = 0; load < 5; ++load) {
    std::vector<SourceEvents> batches;
    for (int batch = 0; batch < 3; ++batch) {
      std::vector<std::string> events;
      for (int i = 0; i < 25; ++i) {
        events.push_back(track(fmt::format("t{}", random.below(60)), i % 3 == 0 ? "A" : "B",
                               fmt::format(R"({{"n":{}}})", random.below(1000))));
      }
      const std::string received = fmt::format("2026-11-20T{:02}:00:00Z", random.below(24));
      batches.push_back({"web", events, received});
      batches.push_back({"app", events, received});
    }
    archive_.add_seal(batches);
    load::LoaderOptions listing = options(warehouse_);
    listing.destination.listed_rows = 1;
    load::Loader lists(std::move(listing));
    EXPECT_EQ(sync_well(warehouse_, "web").events, sync_with(lists, "app").events) << load;
    for (const char* table : {"tracks", "a", "b"}) {
      const auto rows_of = [&](const char* schema) {
        return warehouse_.ask(fmt::format("SELECT id, received_at{} FROM {}.{} ORDER BY 1, 2",
                                          std::string_view(table) == "tracks" ? "" : ", n", schema,
                                          table));
      };
      const std::vector<std::string> rows = rows_of("web");
      EXPECT_GT(rows.size(), 5U);
      EXPECT_EQ(rows, rows_of("app")) << table << " after load " << load;
    }
    for (const char* schema : {"web", "app"}) {
      ASSERT_THAT(warehouse_.ask(fmt::format(
                      "UPDATE {}.a SET uuid = NULL WHERE id IN ('t1', 't2', 't3')", schema)),
                  ElementsAre());
    }
  }
}

// What dbt's public package for Segment reads of a page, with the types that its SQL needs.
TEST_F(LoadTest, PagesHaveTheColumnsThatDbtsSegmentPackageReads) {
  archive_.add_seal(
      {{"web",
        {R"({"type":"page","messageId":"p1","anonymousId":"a1","userId":"u1","name":"Home",)"
         R"("sentAt":"2026-11-20T14:00:00.500Z","originalTimestamp":"2026-11-20T14:00:00Z",)"
         R"("properties":{"url":"https://shop.example.com/?q=1","path":"/","title":"Home",)"
         R"("search":"?q=1","referrer":"https://www.example.com/"},"context":{"ip":"203.0.113.9",)"
         R"("userAgent":"Mozilla/5.0","campaign":{"source":"news","medium":"email",)"
         R"("name":"autumn","term":"oak","content":"top"}}})"}}});
  sync_well(warehouse_);
  const std::vector<std::string> texts = {
      "id",  "anonymous_id", "user_id", "context_ip", "context_user_agent",
      "url", "path",         "title",   "search",     "referrer"};
  std::vector<std::string> expected;
  for (const std::string& column : texts) expected.push_back(column + "|character varying");
  for (const char* part : {"source", "medium", "name", "term", "content"}) {
    expected.push_back(fmt::format("context_campaign_{}|character varying", part));
  }
  for (const char* column : {"received_at", "sent_at", "timestamp"}) {
    expected.push_back(fmt::format("{}|timestamp without time zone", column));
  }
  EXPECT_THAT(warehouse_.ask("SELECT column_name, data_type FROM svv_columns WHERE table_schema = "
                             "'web' AND table_name = 'pages'"),
              testing::IsSupersetOf(expected));
  EXPECT_THAT(
      warehouse_.ask("SELECT id, anonymous_id, user_id, received_at, sent_at, \"timestamp\", url, "
                     "path, title, search, referrer, context_campaign_source, "
                     "context_campaign_medium, context_campaign_name, context_campaign_term, "
                     "context_campaign_content, context_ip, context_user_agent FROM web.pages"),
      ElementsAre("p1|a1|u1|2026-11-20 14:00:00|2026-11-20 14:00:00.5|2026-11-20 "
                  "13:59:59.5|https://shop.example.com/?q=1|/|Home|?q=1|"
                  "https://www.example.com/|news|email|autumn|oak|top|203.0.113.9|"
                  "Mozilla/5.0"));
}

TEST_F(LoadTest, ALedgerThatWentBackIsBelievedOverMemory) {
  load::Loader loader(options(warehouse_));
  archive_.add_seal({{"web", {track("t1", "A")}}});
  archive_.add_seal({{"web", {track("t2", "A")}}});
  ASSERT_TRUE(loader.sync({"web", "web"}, {}).has_value());
  // As after restoring yesterday's snapshot.
  warehouse_.ask("DELETE FROM leat.batches");
  warehouse_.ask("DELETE FROM web.tracks");
  warehouse_.ask("DELETE FROM web.a");
  archive_.add_seal({{"web", {track("t3", "A")}}});
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  EXPECT_EQ(report->batches, 3);
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web.tracks ORDER BY id"),
              ElementsAre("t1", "t2", "t3"));
}

TEST_F(LoadTest, ADroppedTableComesBackWithTheNextEvents) {
  load::Loader loader(options(warehouse_));
  archive_.add_seal({{"web", {track("t1", "A", R"({"n":1})")}}});
  ASSERT_TRUE(loader.sync({"web", "web"}, {}).has_value());
  warehouse_.ask("DROP TABLE web.a");
  archive_.add_seal({{"web", {track("t2", "A", R"({"n":2})")}}});
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a"), ElementsAre("t2|2"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.tracks"), ElementsAre("2"));
}

TEST_F(LoadTest, ADamagedBatchStopsItsSourceOnlyAndSaysWhich) {
  const auto ids = archive_.add_seal({{"app", {track("t1", "A")}}, {"web", {track("t2", "A")}}});
  const std::string uri = archive_.archive().find_batch(ids[0])->uri;
  ASSERT_TRUE(archive_.store().put(uri, "not the batch").has_value());
  const auto damaged = sync(warehouse_, "app");
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().error.code, Errc::kCorrupt);
  for (const std::string& part : {ids[0], uri, std::string("bring it back from a copy")}) {
    EXPECT_THAT(damaged.error().error.message, HasSubstr(part));
  }
  EXPECT_EQ(sync_well(warehouse_, "web").batches, 1);
}

TEST_F(LoadTest, AWrongPasswordWaitsAndSaysWhatToDo) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  load::LoaderOptions wrong = options(warehouse_);
  wrong.destination.password = "Wrong-Horse-2";
  load::Loader loader(wrong);
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(load::failure_kind_name(report.error().kind), "login_refused");
  EXPECT_EQ(report.error().error.code, Errc::kDenied);
  EXPECT_THAT(report.error().error.message, HasSubstr("set the right user, password and database"));
  EXPECT_THAT(report.error().error.message, testing::Not(HasSubstr("Wrong-Horse")));
  EXPECT_EQ(sync_well(warehouse_).batches, 1);
}

TEST_F(LoadTest, ADestinationThatIsAwayComesBack) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  bool is_away = true;
  load::Loader loader(
      options(warehouse_,
              [&is_away](const load::DestinationSettings& settings, std::stop_token stop)
                  -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
                if (is_away) {
                  return std::unexpected(load::DestinationFailure{load::FailureKind::kUnreachable,
                                                                  "", "connection refused"});
                }
                return load::connect_postgres(settings, stop);
              }));
  load::SyncScheduleOptions schedule_options;
  schedule_options.sources = {{"web", "web"}};
  schedule_options.clock = &clock_;
  load::SyncSchedule schedule(schedule_options,
                              [&](const load::SourceSettings& source, std::stop_token stop) {
                                return loader.sync(source, stop);
                              });
  for (int i = 0; i < 20; ++i) {
    const auto due = schedule.run_due();
    clock_.advance_us(due->value - clock_.now().value);
    archive_.add_seal({{"web", {track(fmt::format("t{}", i + 2), "A")}}});
  }
  EXPECT_EQ(schedule.states()[0].consecutive_failures, 20);
  EXPECT_THAT(schedule.states()[0].last_error, HasSubstr("events wait in the archive"));
  is_away = false;
  schedule.run_due();
  EXPECT_EQ(schedule.states()[0].last_error, "");
  EXPECT_THAT(warehouse_.ask("SELECT count(*), count(DISTINCT id) FROM web.tracks"),
              ElementsAre("21|21"));
}

TEST_F(LoadTest, ARestrictedUserLoadsAndAMissingGrantIsNamed) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  ASSERT_THAT(warehouse_.ask("CREATE USER segment PASSWORD 'Segment-Password-1'"), ElementsAre());
  load::LoaderOptions restricted = options(warehouse_);
  restricted.destination.user = "segment";
  restricted.destination.password = "Segment-Password-1";
  {
    load::Loader loader(restricted);
    const auto report = loader.sync({"web", "web"}, {});
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(load::failure_kind_name(report.error().kind), "permission");
    EXPECT_THAT(report.error().error.message,
                HasSubstr(R"(GRANT CREATE ON DATABASE "dev" TO "segment")"));
  }
  ASSERT_THAT(warehouse_.ask(R"(GRANT CREATE ON DATABASE "dev" TO "segment")"), ElementsAre());
  load::Loader loader(restricted);
  const auto report = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  archive_.add_seal(
      {{"web", {track("t1", "A", R"({"n":1})"), identify("i1", "u1", R"({"plan":"x"})")}}});
  const auto second = loader.sync({"web", "web"}, {});
  ASSERT_TRUE(second.has_value()) << second.error().error.message;
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a"), ElementsAre("t1|1"));
}

TEST_F(LoadTest, AQuietSourceDoesNotReadTheWholeArchiveAgain) {
  load::LoaderOptions soon = options(warehouse_);
  soon.checkpoint_seals = 10;
  load::Loader loader(soon);
  for (int seal = 0; seal < 9; ++seal) {
    archive_.add_seal({{"web", {track(fmt::format("t{}", seal), "A")}}});
  }
  EXPECT_EQ(sync_with(loader, "app").batches, 0);
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM leat.batches"), ElementsAre("0"));
  for (int seal = 9; seal < 24; ++seal) {
    archive_.add_seal({{"web", {track(fmt::format("t{}", seal), "A")}}});
    EXPECT_EQ(sync_with(loader, "app").batches, 0);
  }
  EXPECT_THAT(warehouse_.ask("SELECT batch_id, last_offset, received FROM leat.batches"),
              ElementsAre("app/checkpoint/0123456789-0000|20|0"));
  // The checkpoint is no reason to leave out what comes next.
  archive_.add_seal({{"app", {track("a1", "A")}}});
  EXPECT_EQ(sync_well(warehouse_, "app").batches, 1);
  const auto ledger = load::read_ledger(warehouse_.settings(), load::connect_postgres, 10, {});
  ASSERT_TRUE(ledger.has_value());
  ASSERT_EQ(ledger->latest.size(), 1U);
  EXPECT_EQ(ledger->latest[0].source, "app");
}

TEST_F(LoadTest, RemovesStagedFilesOfDeadSyncsAfterADay) {
  const std::string leftover = "s3://leat/staging/web/20200101000000-dead-1/tracks.parquet";
  ASSERT_TRUE(archive_.store().put(leftover, "x").has_value());
  sync_well(warehouse_);
  EXPECT_EQ(staged_objects(), 1U) << "it may belong to a living sync";
  // The file's own time is the machine's.
  clock_.advance_us(system_clock().now().value - clock_.now().value + 2 * kUsPerDay);
  sync_well(warehouse_);
  EXPECT_EQ(staged_objects(), 0U);
}

TEST_F(LoadTest, AStopRequestEndsTheSyncAndTheNextOneGoesOn) {
  archive_.add_seal({{"web", {track("t1", "A")}}});
  std::stop_source stop;
  stop.request_stop();
  load::Loader loader(options(warehouse_));
  const auto stopped = loader.sync({"web", "web"}, stop.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(load::failure_kind_name(stopped.error().kind), "stopped");
  EXPECT_EQ(sync_with(loader).batches, 1);
}

// A loader that runs for days hears of a wider column, though nothing that was staged fits either.
TEST_F(LoadTest, AColumnThatWasAlteredTakesWhatItDidNotTakeBefore) {
  load::Loader loader(options(warehouse_));
  const std::string wide = R"({"note":")" + std::string(600, 'x') + "\"}";
  archive_.add_seal({{"web", {track("t1", "A", R"({"note":"short"})"), track("t2", "A", wide)}}});
  EXPECT_EQ(sync_with(loader).values_rescued, 1);
  ASSERT_THAT(warehouse_.ask("ALTER TABLE web.a ALTER COLUMN note TYPE varchar(1000)"),
              testing::IsEmpty());
  archive_.add_seal({{"web", {track("t3", "A", wide)}}});
  EXPECT_EQ(sync_with(loader).values_rescued, 0);
  EXPECT_THAT(warehouse_.ask("SELECT id, len(note) FROM web.a ORDER BY id"),
              ElementsAre("t1|5", "t2|NULL", "t3|600"));
}

// What stands in a source's schema beside its tables must not stop it, whatever events are called.
TEST_F(LoadTest, EventsNamedLikeSomethingElseOfTheSchemaGetTablesOfTheirOwn) {
  archive_.add_seal({{"web", {track("t1", "Order")}}});
  sync_well(warehouse_);
  for (const char* sql :
       {"CREATE VIEW web.big_orders AS SELECT id, received_at FROM web.\"_order\"",
        "CREATE VIEW web.late AS SELECT id FROM web._order WITH NO SCHEMA BINDING",
        "CREATE TABLE web.countries (code varchar(2), name varchar(100))"}) {
    ASSERT_THAT(warehouse_.ask(sql), testing::IsEmpty()) << sql;
  }
  archive_.add_seal({{"web",
                      {track("t2", "Big Orders", R"({"a":1})"), track("t3", "Countries"),
                       track("t4", "Late"), track("t5", "Order")}}});
  EXPECT_EQ(sync_well(warehouse_).events.loaded, 4);
  archive_.add_seal({{"web", {track("t6", "Big Orders", R"({"a":2})")}}});
  EXPECT_EQ(sync_well(warehouse_).events.loaded, 1);
  EXPECT_THAT(warehouse_.ask("SELECT id, event, a FROM web._big_orders ORDER BY id"),
              ElementsAre("t2|_big_orders|1", "t6|_big_orders|2"));
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web._countries UNION ALL SELECT id FROM web._late "
                             "ORDER BY id"),
              ElementsAre("t3", "t4"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.countries"), ElementsAre("0"));
}

}  // namespace
}  // namespace leat::load_test
