// The order of the transaction's statements, and what each failure makes of it. What the statements
// do is tested against the embedded warehouse in tests/load.
#include "pipeline/load/load_transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/digest.h"
#include "pipeline/shape/rules.h"

namespace leat::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Answer = std::expected<Rows, DestinationFailure>;

Rows rows_of(std::vector<std::vector<std::optional<std::string>>> rows) {
  Rows out;
  out.rows = std::move(rows);
  return out;
}

Rows affected(std::int64_t rows) {
  Rows out;
  out.affected_rows = rows;
  return out;
}

// Answers by the first matching prefix; everything else succeeds with nothing.
class FakeConnection final : public Connection {
 public:
  Answer run(std::string_view sql, std::stop_token) override {
    statements.emplace_back(sql);
    if (!open) return std::unexpected(DestinationFailure{FailureKind::kUnreachable, "", "closed"});
    if (static_cast<int>(statements.size()) == fail_at) {
      if (failure.kind == FailureKind::kUnreachable) open = false;
      return std::unexpected(failure);
    }
    for (const auto& [prefix, answer] : answers) {
      if (sql.starts_with(prefix)) return answer;
    }
    return Rows{};
  }
  bool is_open() const override { return open; }

  [[nodiscard]] std::vector<std::string> verbs() const {
    std::vector<std::string> out;
    for (const std::string& sql : statements) {
      const auto first = sql.find(' ');
      const auto second = first == std::string::npos ? first : sql.find(' ', first + 1);
      out.push_back(sql.substr(0, second));
    }
    return out;
  }

  std::vector<std::pair<std::string, Answer>> answers;
  std::vector<std::string> statements;
  int fail_at = 0;
  DestinationFailure failure;
  bool open = true;
};

class LoadTransactionTest : public testing::Test {
 protected:
  LoadTransactionTest() {
    plan_.schema = "web";
    BatchBooks batch;
    batch.batch_id = "web/2026112014/j-0000-1-2";
    batch.source = "web";
    batch.shard = "j-0000";
    batch.hour = "2026112014";
    batch.events = {.received = 5, .rescued = 1};
    plan_.batches = {batch};
    plan_.tables = {StagedTable{
        .schema = "web",
        .name = "tracks",
        .role = TableRole::kPrimary,
        .columns = {{"id", "varchar(512)"}, {"received_at", "timestamp"}, {"x", "bigint", true}},
        .manifest_uri = "s3://leat/t.manifest",
        .rows = 4}};
    connection_.answers = {
        {"SELECT table_name",
         rows_of({{"tracks", "id", "character varying", "512", std::nullopt, std::nullopt},
                  {"tracks", "received_at", "timestamp without time zone", std::nullopt,
                   std::nullopt, std::nullopt}})},
        {"SELECT 0, s.\"rows\"", kSomeKnown},
        {"SELECT 0, b.\"leat_batch\"", rows_of({{"0", "0", "4", "2", "1"}})},
        {"INSERT INTO \"web\"", affected(3)},
    };
  }

  // 4 rows, one of them twice; two of the target may be the same.
  const Rows kSomeKnown =
      rows_of({{"0", "4", "3", "2", "2026-11-20 13:00:00", "2026-11-20 14:00:00.5", "0"}});
  const Rows kNoneKnown = rows_of({{"0", "4", "4", "0", std::nullopt, std::nullopt, "0"}});

  Step<LoadResult> run() {
    Session session(connection_, settings_, {});
    return run_load(session, plan_);
  }

  DestinationSettings settings_;
  FakeConnection connection_;
  LoadPlan plan_;
};

TEST_F(LoadTransactionTest, LocksTheLedgerFirstAndCommitsLast) {
  const auto result = run();
  ASSERT_TRUE(result.has_value()) << result.error().error.message;
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("BEGIN", "LOCK TABLE", "SELECT \"batch_id\",", "SELECT table_name,",
                          "ALTER TABLE", "CREATE TEMP", "COPY \"leat_stage_0\"", "SELECT 0,",
                          "CREATE TEMP", "SELECT 0,", "DELETE FROM", "INSERT INTO", "DROP TABLE",
                          "DROP TABLE", "INSERT INTO", "COMMIT"));
  // 4 staged, of them 2 new ids; of the other 2 one replaces a row, one gives way. One more was
  // rescued.
  EXPECT_EQ(result->batches[0].events,
            (EventCounts{.received = 5, .loaded = 2, .deduplicated = 2, .rescued = 1}));
  EXPECT_THAT(result->columns_added, ElementsAre("tracks.x"));
  // Rows with these ids were all received in an hour and a bit.
  for (const std::size_t at : {9U, 10U}) {
    EXPECT_THAT(connection_.statements[at],
                HasSubstr(R"("received_at" BETWEEN '2026-11-20 13:00:00' AND )"
                          R"('2026-11-20 14:00:00.5')"));
  }
}

TEST_F(LoadTransactionTest, WhereNoIdIsKnownNothingElseIsCounted) {
  connection_.answers[1].second = kNoneKnown;
  plan_.tables[0].is_distinct = true;
  connection_.answers[3].second = affected(4);
  plan_.batches[0].table_rows = {{"tracks", 4}, {"a", 4}};
  const auto result = run();
  ASSERT_TRUE(result.has_value()) << result.error().error.message;
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("BEGIN", "LOCK TABLE", "SELECT \"batch_id\",", "SELECT table_name,",
                          "ALTER TABLE", "CREATE TEMP", "COPY \"leat_stage_0\"", "SELECT 0,",
                          "INSERT INTO", "DROP TABLE", "INSERT INTO", "COMMIT"));
  EXPECT_EQ(result->batches[0].events, (EventCounts{.received = 5, .loaded = 4, .rescued = 1}));
  // A part of a batch is counted where it is.
  plan_.batches[0].table_rows = {{"tracks", 5}};
  connection_.answers[2].second = rows_of({{"0", "0", "4", "4", "0"}});
  EXPECT_TRUE(run().has_value());
  EXPECT_THAT(connection_.statements, testing::Contains(HasSubstr("b.\"leat_batch\", b.\"rows\"")));
}

TEST_F(LoadTransactionTest, LargeStagesListTheRowsThatAreKnown) {
  settings_.listed_rows = 4;
  const auto result = run();
  ASSERT_TRUE(result.has_value()) << result.error().error.message;
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("BEGIN", "LOCK TABLE", "SELECT \"batch_id\",", "SELECT table_name,",
                          "ALTER TABLE", "CREATE TEMP", "COPY \"leat_stage_0\"", "SELECT 0,",
                          "CREATE TEMP", "CREATE TEMP", "SELECT 0,", "DELETE FROM", "INSERT INTO",
                          "DROP TABLE", "DROP TABLE", "INSERT INTO", "COMMIT"));
  EXPECT_THAT(connection_.statements[11], HasSubstr(R"(USING "leat_known_0" WHERE)"));
  EXPECT_EQ(connection_.statements[13], R"(DROP TABLE "leat_losers_0", "leat_known_0")");
  settings_.listed_rows = 5;
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.statements.back(), testing::Not(HasSubstr("leat_known")));
}

TEST_F(LoadTransactionTest, RowsWithoutATimeAreLookedForAtAnyTime) {
  connection_.answers[1].second =
      rows_of({{"0", "4", "3", "2", "2026-11-20 13:00:00", "2026-11-20 14:00:00", "1"}});
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.statements, testing::Not(testing::Contains(HasSubstr(" BETWEEN "))));
}

// The hash in `uuid` stands for an id only where every row that is looked at has ours or none.
TEST_F(LoadTransactionTest, HashesAreTrustedWhereTheyAreOurs) {
  plan_.tables[0].columns.insert(plan_.tables[0].columns.begin(), {"uuid", "bigint"});
  connection_.answers[0].second->rows.push_back(
      {"tracks", "uuid", "bigint", std::nullopt, "64", "0"});
  const std::string ours = std::to_string(shape::row_uuid(hash64("tracks"), "m1"));
  const auto looked_by = [&](Rows sample, std::map<std::string, bool>* known) {
    connection_.answers.insert(connection_.answers.begin(), {"SELECT 0, r.\"id\"", sample});
    connection_.statements.clear();
    plan_.hashed_tables = known;
    EXPECT_TRUE(run().has_value());
    connection_.answers.erase(connection_.answers.begin());
    const bool by_uuid = std::ranges::any_of(connection_.statements, [](const auto& sql) {
      return sql.find(R"(t."uuid" IN (SELECT s."uuid" FROM)") != std::string::npos;
    });
    const bool by_id = std::ranges::any_of(connection_.statements, [](const auto& sql) {
      return sql.starts_with("SELECT 0, s.\"rows\"") &&
             sql.find(R"(t."id" IN (SELECT s."id" FROM)") != std::string::npos;
    });
    EXPECT_NE(by_uuid, by_id);
    return by_uuid ? "uuid" : "id";
  };
  EXPECT_EQ(looked_by(rows_of({{"0", "m1", ours}, {"0", "m2", std::nullopt}}), nullptr), "uuid");
  EXPECT_EQ(looked_by(rows_of({{"0", "m1", ours}, {"0", "m2", ours}}), nullptr), "id");
  std::map<std::string, bool> known;
  EXPECT_EQ(looked_by(rows_of({{"0", "m2", ours}}), &known), "id");
  EXPECT_EQ(looked_by(rows_of({{"0", "m1", ours}}), &known), "id") << "looked at once";
  plan_.tables[0].columns[0].is_new = true;  // rows that are there have none
  connection_.answers[0].second->rows.pop_back();
  EXPECT_EQ(looked_by({}, nullptr), "id");
}

// A server may quote the statement; nobody shall read the keys there.
TEST_F(LoadTransactionTest, CopiesWithKeysAndShowsThemToNobody) {
  settings_.copy_keys = [] { return CopyKeys{"ASIA1", "s3cr3t+key", "t0k3n/of=it"}; };
  connection_.answers.emplace_back(
      "COPY", std::unexpected(DestinationFailure{
                  FailureKind::kStagedFile, "XX000",
                  "S3ServiceException in: COPY ... ACCESS_KEY_ID 'ASIA1' SECRET_ACCESS_KEY "
                  "'s3cr3t+key' SESSION_TOKEN 't0k3n/of=it'"}));
  const auto refused = run();
  ASSERT_FALSE(refused.has_value());
  const std::string& message = refused.error().error.message;
  EXPECT_THAT(message, HasSubstr("'ASIA1' SECRET_ACCESS_KEY '***' SESSION_TOKEN '***'"));
  EXPECT_EQ(message.find("s3cr3t"), std::string::npos);
  EXPECT_EQ(message.find("t0k3n"), std::string::npos);
  const auto copy = std::ranges::find_if(
      connection_.statements, [](const std::string& sql) { return sql.starts_with("COPY"); });
  ASSERT_NE(copy, connection_.statements.end());
  EXPECT_THAT(*copy, HasSubstr("SECRET_ACCESS_KEY 's3cr3t+key' SESSION_TOKEN 't0k3n/of=it'"));
  EXPECT_EQ(connection_.statements.back(), "ROLLBACK");
}

TEST_F(LoadTransactionTest, WithoutKeysNothingIsLoaded) {
  settings_.copy_keys = []() -> Result<CopyKeys> { return fail(Errc::kDenied, "none found"); };
  const auto refused = run();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, FailureKind::kStagedFile);
  EXPECT_THAT(refused.error().error.message, HasSubstr("none found; events wait in the archive"));
  EXPECT_EQ(connection_.statements.back(), "ROLLBACK");
}

// What was read from the archive before a deletion must not be loaded after it.
TEST_F(LoadTransactionTest, ADeletionMeanwhileMakesThePlanStale) {
  const auto row = [](const char* deletions) {
    return rows_of({{"web/deletions", "web", "(deletions)", "0", deletions}});
  };
  connection_.answers.insert(connection_.answers.begin(), {"SELECT \"batch_id\"", row("2")});
  const auto stale = run();
  ASSERT_FALSE(stale);
  EXPECT_TRUE(stale.error().plan_is_stale);
  EXPECT_EQ(connection_.statements.back(), "ROLLBACK");
  plan_.deletions = 2;
  EXPECT_TRUE(run().has_value());
}

TEST_F(LoadTransactionTest, ANewTableNeedsNoSearchForKnownIds) {
  plan_.tables[0].is_new = true;
  plan_.tables[0].is_distinct = true;
  connection_.answers[0].second = Rows{};
  connection_.answers[1].second = kNoneKnown;
  connection_.answers[2].second = rows_of({{"0", "0", "4", "4", "0"}});
  connection_.answers[3].second = affected(4);
  const auto result = run();
  ASSERT_TRUE(result.has_value()) << result.error().error.message;
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("BEGIN", "LOCK TABLE", "SELECT \"batch_id\",", "SELECT table_name,",
                          "SELECT nspname", "CREATE SCHEMA", "CREATE TABLE", "CREATE TEMP",
                          "COPY \"leat_stage_0\"", "SELECT 0,", "SELECT 0,", "INSERT INTO",
                          "DROP TABLE", "INSERT INTO", "COMMIT"));
  EXPECT_THAT(result->tables_created, ElementsAre("tracks"));
}

TEST_F(LoadTransactionTest, AnExistingSchemaIsNotMade) {
  // Who owns a schema need not have CREATE on the database.
  plan_.tables[0].is_new = true;
  connection_.answers[0].second = Rows{};
  connection_.answers[1].second = kNoneKnown;
  connection_.answers[2].second = rows_of({{"0", "0", "4", "4", "0"}});
  connection_.answers[3].second = affected(4);
  connection_.answers.push_back({"SELECT nspname", rows_of({{"web"}})});
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.verbs(), testing::Not(testing::Contains("CREATE SCHEMA")));
}

TEST_F(LoadTransactionTest, EveryStatementThatFailsRollsBackAndSaysWhat) {
  for (int at = 1; at <= 16; ++at) {
    connection_.statements.clear();
    connection_.fail_at = at;
    connection_.failure = {FailureKind::kDiskFull, "53100", "no space"};
    const auto result = run();
    ASSERT_FALSE(result.has_value()) << at;
    EXPECT_EQ(static_cast<int>(connection_.statements.size()), at + 1) << at;
    EXPECT_EQ(connection_.statements.back(), "ROLLBACK") << at;
    EXPECT_FALSE(result.error().commit_uncertain) << at;
    EXPECT_EQ(result.error().error.code, Errc::kExhausted) << at;
    EXPECT_THAT(result.error().error.message, HasSubstr("make room in the warehouse")) << at;
  }
}

TEST_F(LoadTransactionTest, OnlyALostCommitIsUncertain) {
  for (int at = 1; at <= 16; ++at) {
    connection_.statements.clear();
    connection_.open = true;
    connection_.fail_at = at;
    connection_.failure = {FailureKind::kUnreachable, "", "server closed the connection"};
    const auto result = run();
    ASSERT_FALSE(result.has_value()) << at;
    EXPECT_EQ(result.error().commit_uncertain, at == 16) << at;
    EXPECT_EQ(static_cast<int>(connection_.statements.size()), at) << at;
  }
}

TEST_F(LoadTransactionTest, ABatchOfAnotherLoaderMakesThePlanStale) {
  connection_.answers.insert(connection_.answers.begin(),
                             {"SELECT \"batch_id\"", rows_of({{"web/2026112014/j-0000-1-2"}})});
  const auto result = run();
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().plan_is_stale);
  EXPECT_EQ(connection_.statements.back(), "ROLLBACK");
}

TEST_F(LoadTransactionTest, ChangedTablesMakeThePlanStale) {
  const auto columns = connection_.answers[0].second;
  const auto with = [&](const std::function<void(Rows&)>& change) {
    Rows changed = *columns;
    change(changed);
    connection_.answers[0].second = changed;
    const auto result = run();
    return !result && result.error().plan_is_stale;
  };
  EXPECT_FALSE(with([](Rows&) {}));
  EXPECT_TRUE(with([](Rows& rows) { rows.rows.clear(); }));            // dropped
  EXPECT_TRUE(with([](Rows& rows) { rows.rows[0][3] = "1024"; }));     // widened
  EXPECT_TRUE(with([](Rows& rows) { rows.rows[0][1] = "renamed"; }));  // a column is gone
  EXPECT_TRUE(with([](Rows& rows) {
    rows.rows.push_back(
        {"tracks", "x", "bigint", std::nullopt, "64", "0"});  // the new column is there
  }));
  plan_.tables[0].is_new = true;
  EXPECT_TRUE(with([](Rows&) {}));  // the new table is there
}

TEST_F(LoadTransactionTest, RefusesCountsThatDoNotAddUp) {
  connection_.answers[2].second = rows_of({{"0", "0", "3", "2", "1"}});  // COPY lost a row
  EXPECT_THAT(run().error().error.message, HasSubstr("COPY brought 3 of 4 rows"));
  connection_.answers[2].second = rows_of({{"0", "0", "4", "2", "1"}});
  connection_.answers[3].second = affected(2);  // INSERT lost a row
  EXPECT_THAT(run().error().error.message, HasSubstr("inserted 2 rows"));
  connection_.answers[3].second = affected(3);
  plan_.batches[0].events.received = 6;  // an event without row or reason
  const auto unbalanced = run();
  EXPECT_EQ(unbalanced.error().error.code, Errc::kBug);
  EXPECT_THAT(unbalanced.error().error.message,
              HasSubstr("web/2026112014/j-0000-1-2 do not balance"));
  EXPECT_EQ(connection_.statements.back(), "ROLLBACK");
  connection_.answers[2].second = rows_of({{"0", "7", "4", "2", "1"}});
  EXPECT_THAT(run().error().error.message, HasSubstr("names batch 7"));
}

TEST_F(LoadTransactionTest, MergesUsersColumnByColumn) {
  plan_.batches.clear();
  plan_.tables[0].role = TableRole::kLatest;
  plan_.tables[0].columns[2].is_new = false;
  Rows columns = *connection_.answers[0].second;
  columns.rows.push_back({"tracks", "x", "bigint", std::nullopt, "64", "0"});
  connection_.answers[0].second = columns;
  connection_.answers[2] = {"SELECT 0, 0,", rows_of({{"0", "0", "4", "4", "1"}})};
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("BEGIN", "LOCK TABLE", "SELECT table_name,", "CREATE TEMP",
                          "COPY \"leat_stage_0\"", "SELECT 0,", "UPDATE \"web\".\"tracks\"",
                          "INSERT INTO", "DROP TABLE", "COMMIT"));
  // Users who are all known need no INSERT, users who are all new no UPDATE.
  connection_.statements.clear();
  connection_.answers[2].second = rows_of({{"0", "0", "4", "4", "4"}});
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.verbs(), testing::Not(testing::Contains("INSERT INTO")));
  connection_.statements.clear();
  connection_.answers[2].second = rows_of({{"0", "0", "4", "4", "0"}});
  ASSERT_TRUE(run().has_value());
  EXPECT_THAT(connection_.verbs(), testing::Not(testing::Contains("UPDATE \"web\".\"tracks\"")));
  connection_.answers[2].second = rows_of({{"0", "0", "4", "3", "0"}});
  EXPECT_THAT(run().error().error.message, HasSubstr("4 rows and 3 ids"));
}

TEST_F(LoadTransactionTest, WritesCheckpointsInPlaceOfTheOldOnes) {
  plan_.batches.clear();
  plan_.tables.clear();
  plan_.checkpoints = {checkpoint_row("web", "j-0001", 99, "s", {})};
  ASSERT_TRUE(run().has_value());
  ASSERT_EQ(connection_.verbs().size(), 5U);
  EXPECT_THAT(
      connection_.statements[2],
      HasSubstr(R"(DELETE FROM "leat"."batches" WHERE "batch_id" IN ('web/checkpoint/j-0001'))"));
  EXPECT_THAT(connection_.statements[3], HasSubstr("'j-0001', 0, 99, NULL"));
}

TEST_F(LoadTransactionTest, MakesTheLedgerOnceAndRefusesAForeignTable) {
  connection_.answers = {};
  Session session(connection_, settings_, {});
  // Made, but the fake shows no columns afterwards: not a ledger.
  const auto made = ensure_ledger(session);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().error.code, Errc::kUnsupported);
  EXPECT_THAT(connection_.verbs(),
              ElementsAre("SELECT table_name,", "SELECT nspname", "CREATE SCHEMA", "CREATE TABLE",
                          "SELECT table_name,"));
  Rows columns;
  for (const std::string_view name : kLedgerColumns) {
    columns.rows.push_back(
        {"batches", std::string(name), "bigint", std::nullopt, std::nullopt, std::nullopt});
  }
  connection_.statements.clear();
  connection_.answers = {{"SELECT table_name", columns}};
  EXPECT_TRUE(ensure_ledger(session).has_value());
  EXPECT_EQ(connection_.statements.size(), 1U);
}

}  // namespace
}  // namespace leat::load
