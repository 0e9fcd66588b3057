// Small tables that share a staged file and a stage table: every value must arrive where it would
// have without.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "load_fixture.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Counts the statements that begin with some words.
load::Connect watching(std::map<std::string, int>& seen) {
  class Watching final : public load::Connection {
   public:
    Watching(std::unique_ptr<load::Connection> connection, std::map<std::string, int>& seen_by)
        : connection_(std::move(connection)), seen_(seen_by) {}
    std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                            std::stop_token stop) override {
      ++seen_[std::string(sql.substr(0, sql.find(' ', 5)))];
      if (sql.starts_with("INSERT INTO \"web\"") && sql.contains("\"leat_shared\"")) {
        ++seen_["plainly"];
      }
      return connection_->run(sql, std::move(stop));
    }
    [[nodiscard]] bool is_open() const override { return connection_->is_open(); }

   private:
    std::unique_ptr<load::Connection> connection_;
    std::map<std::string, int>& seen_;
  };
  return [&seen](const load::DestinationSettings& settings, std::stop_token stop)
             -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
    auto connection = load::connect_postgres(settings, std::move(stop));
    if (!connection) return std::unexpected(std::move(connection).error());
    return std::make_unique<Watching>(std::move(*connection), seen);
  };
}

class SharedStageTest : public LoadFixture {
 protected:
  load::SyncReport sync_seen() {
    seen_.clear();
    load::Loader loader(options(warehouse_, watching(seen_)));
    return sync_with(loader);
  }
  void expect_balanced(std::int64_t received, std::int64_t loaded, std::int64_t deduplicated) {
    EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded), sum(deduplicated), "
                               "sum(received - loaded - deduplicated - rescued - excluded) FROM "
                               "leat.batches"),
                ElementsAre(fmt::format("{}|{}|{}|0", received, loaded, deduplicated)));
    EXPECT_EQ(staged_objects(), 0U);
  }

  std::map<std::string, int> seen_;
};

TEST_F(SharedStageTest, EveryTypeArrivesInItsOwnColumn) {
  archive_.add_seal(
      {{"web",
        {track("a1", "A", R"({"flag":true,"n":7,"x":1.5,"at":"2026-11-20T10:00:00Z","s":"text"})"),
         track("a2", "A", R"({"n":-9223372036854775808,"list":[1,{"k":"v"}]})"),
         track("b1", "B", R"({"s":"other","n":"seven","more":{"deep":false}})"), track("c1", "C"),
         track("a3", "A", R"({"late":"column","x":-0.25})")}}});
  EXPECT_EQ(sync_seen().events.loaded, 5);
  EXPECT_EQ(seen_["COPY \"leat_shared\""], 1);
  EXPECT_EQ(seen_["plainly"], 3);
  EXPECT_THAT(warehouse_.ask("SELECT id, flag, n, x, at, s, list, late FROM web.a ORDER BY id"),
              ElementsAre("a1|t|7|1.5|2026-11-20 10:00:00|text|NULL|NULL",
                          R"(a2|NULL|-9223372036854775808|NULL|NULL|NULL|[1,{"k":"v"}]|NULL)",
                          "a3|NULL|NULL|-0.25|NULL|NULL|NULL|column"));
  EXPECT_THAT(warehouse_.ask("SELECT id, s, n, more_deep, event_text FROM web.b"),
              ElementsAre("b1|other|seven|f|B"));
  EXPECT_THAT(warehouse_.ask("SELECT id, user_id, event FROM web.c"), ElementsAre("c1|u1|c"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.a WHERE uuid IS NULL OR received_at IS NULL "
                             "OR uuid_ts IS NULL"),
              ElementsAre("0"));
  expect_balanced(5, 5, 0);
}

TEST_F(SharedStageTest, SuperColumnsAreJsonInTheStage) {
  archive_.add_seal({{"web",
                      {track("a1", "A", R"({"list":[1,{"k":"v"}]})"),
                       track("b1", "B", R"({"list":{"x":[true]}})")}}});
  load::LoaderOptions with_super = options(warehouse_, watching(seen_));
  with_super.shape.arrays = shape::Nested::kSuper;
  with_super.shape.objects = shape::Nested::kSuper;
  load::Loader loader(with_super);
  sync_with(loader);
  EXPECT_EQ(seen_["plainly"], 2);
  EXPECT_THAT(warehouse_.ask("SELECT list[1].k FROM web.a"), ElementsAre(R"("v")"));
  EXPECT_THAT(warehouse_.ask("SELECT list.x[0] FROM web.b"), ElementsAre("true"));
}

TEST_F(SharedStageTest, OnlyTablesWithKnownOrRepeatedIdsGetAStageOfTheirOwn) {
  archive_.add_seal({{"web", {track("a1", "A"), track("b1", "B"), track("c1", "C")}}});
  sync_seen();
  archive_.add_seal({{"web",
                      {track("a1", "A", R"({"again":1})"), track("a2", "A"), track("b2", "B"),
                       track("b2", "B", R"({"twice":1})"), track("c2", "C"), track("d1", "D")},
                      "2026-11-20T14:30:00Z"}});
  const load::SyncReport report = sync_seen();
  EXPECT_EQ(seen_["COPY \"leat_shared\""], 1);
  EXPECT_EQ(seen_["plainly"], 2);
  EXPECT_EQ(report.events, (load::EventCounts{.received = 6, .loaded = 4, .deduplicated = 2}));
  EXPECT_THAT(warehouse_.ask("SELECT id, again FROM web.a ORDER BY id"),
              ElementsAre("a1|1", "a2|NULL"));
  EXPECT_THAT(warehouse_.ask("SELECT id, twice FROM web.b ORDER BY id"),
              ElementsAre("b1|NULL", "b2|1"));
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web.c UNION ALL SELECT id FROM web.d ORDER BY id"),
              ElementsAre("c1", "c2", "d1"));
  expect_balanced(9, 7, 2);
}

TEST_F(SharedStageTest, RowsOfAPersonsOwnTablesAreFoundById) {
  ASSERT_THAT(warehouse_.ask("CREATE SCHEMA web"), IsEmpty());
  for (const char* sql :
       {"CREATE TABLE web.a (id varchar(64), received_at timestamp, uuid bigint, n integer)",
        "INSERT INTO web.a VALUES ('a1', '2026-11-01', 5, 1)",
        "CREATE TABLE web.b (id varchar(64), received_at timestamp, uuid bigint)",
        "INSERT INTO web.b VALUES ('b1', '2026-11-01', NULL)",
        "CREATE TABLE web.c (id varchar(64), received_at timestamptz, uuid varchar(40))"}) {
    ASSERT_THAT(warehouse_.ask(sql), IsEmpty()) << sql;
  }
  archive_.add_seal(
      {{"web",
        {track("a1", "A", R"({"n":2})"), track("b1", "B"), track("c1", "C"), track("d1", "D")}}});
  sync_seen();
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a"), ElementsAre("a1|2"));
  EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM web.b"), ElementsAre("1"));
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web.c UNION ALL SELECT id FROM web.d ORDER BY id"),
              ElementsAre("c1", "d1"));
}

TEST_F(SharedStageTest, LargeTablesHaveAFileOfTheirOwn) {
  std::vector<std::string> events;
  for (int i = 0; i < 1001; ++i) events.push_back(track(fmt::format("a{}", i), "A"));
  for (int i = 0; i < 1000; ++i) events.push_back(track(fmt::format("b{}", i), "B"));
  events.push_back(track("c1", "C"));
  archive_.add_seal({{"web", events}});
  sync_seen();
  EXPECT_EQ(seen_["plainly"], 2);
  EXPECT_THAT(warehouse_.ask("SELECT (SELECT count(*) FROM web.a), (SELECT count(DISTINCT id) FROM "
                             "web.b), (SELECT count(*) FROM web.c)"),
              ElementsAre("1001|1000|1"));
  expect_balanced(2002, 2002, 0);
}

}  // namespace
}  // namespace leat::load_test
