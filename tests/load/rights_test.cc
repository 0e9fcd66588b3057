// Loading as a user that may do just enough, or less, and what `leat check` says of it.
#include "pipeline/load/rights.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "load_fixture.h"

namespace leat::load_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RightsTest : public LoadFixture {
 protected:
  void SetUp() override {
    must("CREATE USER loader PASSWORD 'Loader1Password'");
    archive_.add_seal({{"web", {track("t1", "Signed Up"), identify("i1", "u1", "{}")}}});
  }
  void TearDown() override {
    warehouse_.reset("web");
    must("REVOKE ALL ON DATABASE dev FROM loader");
    must("DROP USER loader");
  }

  void must(const std::string& sql) { EXPECT_THAT(warehouse_.ask(sql), IsEmpty()) << sql; }

  load::DestinationSettings as_loader(const std::string& ledger_schema = "leat") {
    load::DestinationSettings settings = warehouse_.settings();
    settings.user = "loader";
    settings.password = "Loader1Password";
    settings.ledger_schema = ledger_schema;
    return settings;
  }

  std::vector<load::MissingRight> missing(const load::DestinationSettings& settings) {
    auto connection = load::connect_postgres(settings, {});
    EXPECT_TRUE(connection.has_value()) << connection.error().message;
    if (!connection) return {};
    auto found = load::missing_rights(**connection, settings, {"web"}, {});
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found.value_or(std::vector<load::MissingRight>{});
  }

  auto sync_as(const load::DestinationSettings& settings) {
    load::LoaderOptions with = options(warehouse_);
    with.destination = settings;
    load::Loader loader(with);
    return loader.sync({"web", "web"}, {});
  }
};

TEST_F(RightsTest, TheGuidesUserMayCreateInTheDatabaseAndLoads) {
  const load::DestinationSettings settings = as_loader();
  const auto before = missing(settings);
  ASSERT_THAT(before, SizeIs(2));  // the ledger's schema and the source's
  EXPECT_EQ(before[1].detail, "user loader may not create schema web, which is not there");
  EXPECT_EQ(before[1].grant, "GRANT CREATE ON DATABASE \"dev\" TO \"loader\"");
  const auto refused = sync_as(settings);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error.code, Errc::kDenied) << refused.error().error.message;

  must(before[1].grant);
  EXPECT_THAT(missing(settings), IsEmpty());
  const auto loaded = sync_as(settings);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().error.message;
  EXPECT_EQ(loaded->events.loaded, 2);
  EXPECT_THAT(missing(settings), IsEmpty());  // it owns what it made
}

TEST_F(RightsTest, AUserOfOneSchemaKeepsTheLedgerThere) {
  must("CREATE SCHEMA web");
  const load::DestinationSettings settings = as_loader("web");
  const auto before = missing(settings);
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_EQ(before[0].detail, "user loader may not create tables in schema web");
  must(before[0].grant);
  EXPECT_THAT(missing(settings), IsEmpty());
  const auto loaded = sync_as(settings);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().error.message;
  EXPECT_EQ(loaded->events.loaded, 2);
  EXPECT_THAT(warehouse_.ask("SELECT loaded FROM web.batches"), ElementsAre("2"));
}

// Whoever knows a write key chooses names of events: none of them may reach the ledger.
TEST_F(RightsTest, EventsNamedLikeTheLedgersTablesGetTablesOfTheirOwn) {
  load::DestinationSettings settings = warehouse_.settings();
  settings.ledger_schema = "web";
  archive_.add_seal({{"web",
                      {track("t2", "Batches", R"({"loaded":"many","id":"x"})"),
                       track("t3", "replays"), track("t4", "Syncs"), track("t5", "DELETIONS")}}});
  const auto first = sync_as(settings);
  ASSERT_TRUE(first.has_value()) << first.error().error.message;
  EXPECT_EQ(first->events.loaded, 6);
  archive_.add_seal({{"web", {track("t6", "Batches"), track("t7", "Syncs")}}});
  const auto second = sync_as(settings);
  ASSERT_TRUE(second.has_value()) << second.error().error.message;
  EXPECT_THAT(warehouse_.ask("SELECT id, event, event_text FROM web._batches UNION ALL SELECT id, "
                             "event, event_text FROM web._syncs ORDER BY id"),
              ElementsAre("t2|_batches|Batches", "t4|_syncs|Syncs", "t6|_batches|Batches",
                          "t7|_syncs|Syncs"));
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web._replays UNION ALL SELECT id FROM web._deletions "
                             "ORDER BY id"),
              ElementsAre("t3", "t5"));
  EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded) FROM web.batches"),
              ElementsAre("8|8"));
}

TEST_F(RightsTest, TablesOfAnotherOwnerAreNamed) {
  sync_well(warehouse_);  // as the administrator
  must("GRANT CREATE ON DATABASE dev TO loader");
  must("GRANT USAGE, CREATE ON SCHEMA web TO loader");
  const auto found = missing(as_loader("web"));
  std::vector<std::string> details;
  for (const load::MissingRight& right : found) details.push_back(right.detail);
  EXPECT_THAT(details, testing::Contains(testing::StartsWith(
                           "user loader may not add columns to table web.tracks, which belongs")));
  for (const load::MissingRight& right : found) must(right.grant);
  EXPECT_THAT(missing(as_loader("web")), IsEmpty());
}

TEST_F(RightsTest, ALedgerOfAnotherLoaderNeedsGrantsOnly) {
  archive_.add_seal({{"app", {track("t9", "Signed Up")}}});
  sync_well(warehouse_, "app");  // as the administrator, who owns the ledger from now on
  must("GRANT CREATE ON DATABASE dev TO loader");
  const auto found = missing(as_loader());
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].grant, "GRANT USAGE, CREATE ON SCHEMA \"leat\" TO \"loader\"");
  EXPECT_THAT(found[1].detail, testing::StartsWith("user loader may not read and write the "
                                                   "ledger's table leat.batches, which belongs"));
  EXPECT_EQ(found[1].grant,
            "GRANT SELECT, INSERT, DELETE ON TABLE \"leat\".\"batches\" TO \"loader\"");
  for (const load::MissingRight& right : found) must(right.grant);
  EXPECT_THAT(missing(as_loader()), IsEmpty());
  const auto loaded = sync_as(as_loader());
  ASSERT_TRUE(loaded.has_value()) << loaded.error().error.message;
  EXPECT_EQ(loaded->events.loaded, 2);
}

TEST_F(RightsTest, AnAdministratorLacksNothing) {
  EXPECT_THAT(missing(warehouse_.settings()), IsEmpty());
}

}  // namespace
}  // namespace leat::load_test
