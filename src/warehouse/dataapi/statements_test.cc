#include "warehouse/dataapi/statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/clock.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

using testing::HasSubstr;

const std::string kSlow =
    "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b, "
    "generate_series(1, 1000) c where (a * b * c) % 7 = 3";
constexpr TimeUs kStart{1'795'000'000'000'000};

class DataApiStatements : public testing::Test {
 protected:
  void SetUp() override {
    auto warehouse = session::Warehouse::open({.admin_password = "Secret123"});
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    warehouse_ = std::move(*warehouse);
    open({});
  }

  void open(StatementLimits limits) {
    statements_.reset();
    StatementsOptions options;
    options.warehouse = warehouse_.get();
    options.limits = limits;
    options.clock = &clock_;
    auto started = Statements::start(std::move(options));
    ASSERT_TRUE(started) << started.error().message;
    statements_ = std::move(*started);
  }

  static StatementRequest request(std::vector<std::string> sqls, bool batch = false) {
    StatementRequest asked;
    asked.identity = "leat";
    asked.batch = batch;
    asked.sqls = std::move(sqls);
    asked.target.login_user = "leat";
    asked.target.database = "dev";
    return asked;
  }

  StatementView finish(const std::string& id) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    const ApiStatus waits = statements_->wait(id, "leat", 60, [done] { done->set_value(); });
    EXPECT_TRUE(waits);
    EXPECT_EQ(future.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    return *statements_->describe(id, "leat");
  }

  StatementView run(StatementRequest asked) {
    const ApiResult<StatementView> view = statements_->submit(std::move(asked));
    if (!view) {
      ADD_FAILURE() << view.error().message;
      return {};
    }
    return finish(view->id);
  }
  StatementView run(const std::string& sql) { return run(request({sql})); }

  std::string rows(const std::string& id) {
    const ApiResult<ResultView> result = statements_->result(id, "leat");
    if (!result) return result.error().message;
    std::string all;
    for (std::size_t i = 0; i < result->pages->page_count(); ++i) all += *result->pages->page(i);
    return all;
  }

  FakeClock clock_{kStart};
  std::unique_ptr<session::Warehouse> warehouse_;
  std::unique_ptr<Statements> statements_;
};

TEST_F(DataApiStatements, RunsAStatementAndKeepsItsResult) {
  const StatementView view = run("select 1::int as a, null::varchar as b, 1.5::decimal(5,2) as c");
  EXPECT_EQ(view.status, StatementStatus::kFinished) << view.error;
  ASSERT_EQ(view.parts.size(), 1U);
  EXPECT_TRUE(view.parts[0].has_result);
  EXPECT_EQ(view.parts[0].rows, 1);
  EXPECT_GT(view.pid, 0);
  EXPECT_GT(view.parts[0].query_id, 0);
  EXPECT_EQ(rows(view.id), R"([{"longValue":1},{"isNull":true},{"stringValue":"1.50"}])");
  EXPECT_THAT(statements_->result(view.id, "leat")->columns_json,
              HasSubstr(R"("precision":5,"scale":2,"length":0)"));
}

TEST_F(DataApiStatements, WritesEveryTypeAsTheDataApiDoes) {
  struct Case {
    std::string sql;
    std::string json;
  };
  const Case cases[] = {
      {"true", R"({"booleanValue":true})"},
      {"32767::smallint", R"({"longValue":32767})"},
      {"9223372036854775807::bigint", R"({"longValue":9223372036854775807})"},
      {"3.14::real", R"({"doubleValue":3.14})"},
      {"3.14159265359::float8", R"({"doubleValue":3.14159265359})"},
      {"'NaN'::float8", R"({"doubleValue":"NaN"})"},
      {"12.50::decimal(8,2)", R"({"stringValue":"12.50"})"},
      {"date '2022-02-22'", R"({"stringValue":"2022-02-22"})"},
      {"timestamp '2022-02-22 01:02:03'", R"({"stringValue":"2022-02-22 01:02:03.0"})"},
      {"timestamp '2022-02-22 01:02:03.25'", R"({"stringValue":"2022-02-22 01:02:03.25"})"},
      {"timestamptz '2022-02-22 01:02:03+00'", R"({"stringValue":"2022-02-22 01:02:03+00"})"},
      {"'a\"b'", R"({"stringValue":"a\"b"})"},
      {"count(*)", R"({"longValue":1})"},
      {"json_parse('{\"a\":1}')", R"({"stringValue":"{\"a\":1}"})"},
  };
  for (const Case& each : cases) {
    const StatementView view = run("select " + each.sql);
    EXPECT_EQ(view.error, "") << each.sql;
    EXPECT_EQ(rows(view.id), "[" + each.json + "]") << each.sql;
  }
}

TEST_F(DataApiStatements, WritesCsv) {
  StatementRequest asked = request(
      {"select 1, null::varchar, '', 'a,b', 'say \"hi\"' union all select 2, 'x', 'y', 'z', 'w' "
       "order by 1"});
  asked.format = ResultFormat::kCsv;
  EXPECT_EQ(rows(run(std::move(asked)).id), "1,,\"\",\"a,b\",\"say \"\"hi\"\"\"\r\n2,x,y,z,w\r\n");
}

TEST_F(DataApiStatements, TellsErrorsWithTheirPlaceInTheTextAsWritten) {
  StatementRequest asked = request({"select :id, nowhere from pg_class"});
  asked.parameters = {{"id", "1"}};
  const StatementView view = run(std::move(asked));
  EXPECT_EQ(view.status, StatementStatus::kFailed);
  EXPECT_THAT(view.error, HasSubstr("ERROR: column \"nowhere\" does not exist"));
  EXPECT_EQ(statements_->result(view.id, "leat").error().name, "ResourceNotFoundException");
  EXPECT_THAT(run("selec 1").error, HasSubstr("syntax error at or near \"selec\"\n  Position: 1"));
  // Positions count characters, whatever the parameters became.
  StatementRequest wide = request({"select '\xc3\xa9', :long_name, '\xc3\xa9' selec from from"});
  wide.parameters = {{"long_name", "1"}};
  EXPECT_THAT(run(std::move(wide)).error, HasSubstr("\n  Position: 40"));
}

TEST_F(DataApiStatements, BindsNamedParameters) {
  ASSERT_EQ(run("create table t (id int, name varchar(10))").error, "");
  StatementRequest insert = request({"insert into t values (:id, :name)"});
  insert.parameters = {{"name", "x'y"}, {"id", "7"}};
  const StatementView inserted = run(std::move(insert));
  EXPECT_EQ(inserted.error, "");
  EXPECT_EQ(inserted.parts[0].rows, 1);
  EXPECT_FALSE(inserted.parts[0].has_result);
  StatementRequest select = request({"select id, name from t where id = :id and :id = id"});
  select.parameters = {{"id", "7"}};
  EXPECT_EQ(rows(run(std::move(select)).id), R"([{"longValue":7},{"stringValue":"x'y"}])");
  StatementRequest open_type = request({"select :id as a, :id || 'x' as b, 1 as c"});
  open_type.parameters = {{"id", "7"}};
  EXPECT_EQ(rows(run(std::move(open_type)).id),
            R"([{"stringValue":"7"},{"stringValue":"7x"},{"longValue":1}])");
}

TEST_F(DataApiStatements, ABatchIsOneTransaction) {
  ASSERT_EQ(run("create table t (a int)").error, "");
  const StatementView good = run(
      request({"insert into t values (1)", "insert into t values (2)", "select * from t"}, true));
  EXPECT_EQ(good.status, StatementStatus::kFinished) << good.error;
  EXPECT_EQ(rows(good.id + ":3"), R"([{"longValue":1}],[{"longValue":2}])");
  EXPECT_FALSE(statements_->result(good.id, "leat"));
  EXPECT_FALSE(statements_->result(good.id + ":1", "leat"));
  EXPECT_FALSE(statements_->result(good.id + ":4", "leat"));

  const StatementView bad = run(
      request({"insert into t values (3)", "insert into nowhere values (1)", "select 1"}, true));
  EXPECT_EQ(bad.status, StatementStatus::kFailed);
  EXPECT_THAT(bad.error, HasSubstr("Query #2 failed with ERROR: relation \"nowhere\""));
  EXPECT_EQ(bad.parts[0].status, StatementStatus::kFinished);
  EXPECT_EQ(bad.parts[1].status, StatementStatus::kFailed);
  EXPECT_EQ(bad.parts[2].status, StatementStatus::kAborted);
  EXPECT_EQ(rows(run("select count(*) from t").id), R"([{"longValue":2}])");

  StatementRequest each = request(
      {"insert into t values (4)", "insert into nowhere values (1)", "insert into t values (5)"},
      true);
  each.auto_commit = true;
  EXPECT_EQ(run(std::move(each)).status, StatementStatus::kFailed);
  EXPECT_EQ(rows(run("select count(*) from t").id), R"([{"longValue":4}])");
}

TEST_F(DataApiStatements, ASessionKeepsItsTemporaryTables) {
  StatementRequest first = request({"create temp table x (a int)"});
  first.keep_alive_seconds = 60;
  const StatementView made = run(std::move(first));
  ASSERT_EQ(made.error, "");
  ASSERT_NE(made.session_id, "");
  StatementRequest second = request({"insert into x values (1)"});
  second.session_id = made.session_id;
  EXPECT_EQ(run(second).error, "");
  EXPECT_EQ(statements_->sessions("leat")[0].status, SessionStatus::kAvailable);
  EXPECT_TRUE(statements_->sessions("other").empty());

  clock_.advance_us(61 * kUsPerSecond);
  statements_->clean_up();
  EXPECT_EQ(statements_->sessions("leat")[0].status, SessionStatus::kClosed);
  EXPECT_THAT(statements_->submit(second).error().message, HasSubstr("Session is closed"));
  second.session_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(statements_->submit(second).error().name, "ResourceNotFoundException");
}

TEST_F(DataApiStatements, TheSameTokenRunsOnce) {
  ASSERT_EQ(run("create table t (a int)").error, "");
  StatementRequest asked = request({"insert into t values (1)"});
  asked.client_token = "token";
  asked.fingerprint = "one";
  const StatementView first = run(asked);
  EXPECT_EQ(statements_->submit(asked)->id, first.id);
  asked.fingerprint = "two";
  EXPECT_EQ(statements_->submit(asked).error().name, "ValidationException");
  clock_.advance_us(8 * kUsPerHour + 1);
  EXPECT_NE(run(asked).id, first.id);
  EXPECT_EQ(rows(run("select count(*) from t").id), R"([{"longValue":2}])");
}

TEST_F(DataApiStatements, OthersSeeNothing) {
  const StatementView view = run("select 1");
  EXPECT_EQ(statements_->describe(view.id, "other").error().name, "ResourceNotFoundException");
  EXPECT_FALSE(statements_->result(view.id, "other"));
  EXPECT_FALSE(statements_->cancel(view.id, "other"));
  StatementFilter filter;
  filter.identity = "other";
  EXPECT_TRUE(statements_->list(filter).statements.empty());
}

TEST_F(DataApiStatements, ListsNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    StatementRequest asked = request({"select 1"});
    asked.statement_name = i == 2 ? "other" : "name" + std::to_string(i);
    ids.push_back(run(std::move(asked)).id);
  }
  ASSERT_EQ(run("select nowhere").status, StatementStatus::kFailed);
  StatementFilter filter;
  filter.identity = "leat";
  filter.name_prefix = "name";
  filter.limit = 3;
  StatementPage page = statements_->list(filter);
  ASSERT_EQ(page.statements.size(), 3U);
  EXPECT_EQ(page.statements[0].id, ids[4]);
  EXPECT_EQ(page.statements[1].id, ids[3]);
  EXPECT_EQ(page.statements[2].id, ids[1]);
  filter.before = page.next;
  page = statements_->list(filter);
  ASSERT_EQ(page.statements.size(), 1U);
  EXPECT_EQ(page.statements[0].id, ids[0]);
  EXPECT_EQ(page.next, 0U);
  filter = {.identity = "leat", .status = std::nullopt};
  EXPECT_EQ(statements_->list(filter).statements.size(), 6U);
}

TEST_F(DataApiStatements, CancelsWhatRunsAndWhatWaits) {
  open({.running_max = 1});
  const StatementView running = *statements_->submit(request({kSlow}));
  const StatementView waiting = *statements_->submit(request({"select 1"}));
  EXPECT_TRUE(statements_->cancel(waiting.id, "leat"));
  EXPECT_TRUE(statements_->cancel(running.id, "leat"));
  EXPECT_EQ(finish(running.id).status, StatementStatus::kAborted);
  EXPECT_EQ(finish(waiting.id).status, StatementStatus::kAborted);
  const ApiStatus again = statements_->cancel(running.id, "leat");
  EXPECT_THAT(again.error().message,
              HasSubstr("Could not cancel a query that is already in ABORTED state with ID: "));
}

// Between its steps a session forgets what came before the statement that it begins.
TEST_F(DataApiStatements, CancelsAtAnyMoment) {
  open({});
  for (int round = 0; round < 60; ++round) {
    const StatementView running = *statements_->submit(request({kSlow}));
    for (int asked = 0; asked < round * 10; ++asked)
      EXPECT_TRUE(statements_->describe(running.id, "leat"));
    ASSERT_TRUE(statements_->cancel(running.id, "leat"));
    ASSERT_EQ(finish(running.id).status, StatementStatus::kAborted) << round;
  }
}

TEST_F(DataApiStatements, KeepsToItsLimits) {
  open({.active_max = 1,
        .waiting_max = 1,
        .result = {.page_bytes = 64, .result_bytes_max = 1000, .row_bytes_max = 100}});
  EXPECT_EQ(run("select 1 where false").parts[0].rows, 0);
  EXPECT_THAT(run("select * from generate_series(1, 1000)").error,
              HasSubstr("Database response exceeded size limit"));
  EXPECT_THAT(run("select repeat('x', 101)").error, HasSubstr("Packet for query is too large"));
  const StatementView paged = run("select * from generate_series(1, 10)");
  EXPECT_GT(statements_->result(paged.id, "leat")->pages->page_count(), 1U);
}

TEST_F(DataApiStatements, RefusesMoreThanItsShare) {
  open({.active_max = 2, .running_max = 1, .sessions_max = 1, .waiting_max = 1});
  StatementRequest kept = request({"select 1"});
  kept.keep_alive_seconds = 60;
  ASSERT_EQ(run(kept).error, "");
  EXPECT_EQ(statements_->submit(kept).error().name, "ActiveSessionsExceededException");
  const StatementView running = *statements_->submit(request({kSlow}));
  const StatementView waiting = *statements_->submit(request({"select 1"}));
  EXPECT_EQ(statements_->submit(request({"select 1"})).error().name,
            "ActiveStatementsExceededException");
  ASSERT_TRUE(statements_->wait(waiting.id, "leat", 30, [] {}));
  EXPECT_EQ(statements_->wait(waiting.id, "leat", 30, [] {}).error().name,
            "ActiveWaitingRequestsExceededException");
  // The wait's time comes without the statement's end.
  clock_.advance_us(31 * kUsPerSecond);
  statements_->clean_up();
  EXPECT_TRUE(statements_->wait(waiting.id, "leat", 30, [] {}));
  EXPECT_TRUE(statements_->cancel(waiting.id, "leat"));
  EXPECT_TRUE(statements_->cancel(running.id, "leat"));
}

TEST_F(DataApiStatements, DropsOldResultsForNewOnes) {
  open({.results_bytes_max = 100});
  const StatementView first = run("select repeat('x', 60)");
  EXPECT_NE(rows(first.id), "");
  const StatementView second = run("select repeat('y', 60)");
  EXPECT_THAT(rows(second.id), HasSubstr("yyy"));
  EXPECT_THAT(rows(first.id), HasSubstr("no longer kept"));
  EXPECT_THAT(run("select repeat('z', 200)").error, HasSubstr("exceeded size limit"));
}

TEST_F(DataApiStatements, ForgetsAfterADay) {
  const StatementView view = run("select 1");
  clock_.advance_us(24 * kUsPerHour);
  statements_->clean_up();
  EXPECT_EQ(statements_->describe(view.id, "leat").error().name, "ResourceNotFoundException");
}

TEST_F(DataApiStatements, RefusesUnknownDatabasesAndUsers) {
  StatementRequest asked = request({"select 1"});
  asked.target.database = "nowhere";
  const StatementView view = run(std::move(asked));
  EXPECT_EQ(view.status, StatementStatus::kFailed);
  EXPECT_EQ(view.error, "FATAL: database \"nowhere\" does not exist");
}

TEST_F(DataApiStatements, StopsWithAStatementRunning) {
  const StatementView running = *statements_->submit(request({kSlow}));
  bool told = false;
  ASSERT_TRUE(statements_->wait(running.id, "leat", 30, [&told] { told = true; }));
  statements_->stop();
  EXPECT_TRUE(told);
  EXPECT_EQ(statements_->describe(running.id, "leat")->status, StatementStatus::kAborted);
  EXPECT_FALSE(statements_->submit(request({"select 1"})));
}

}  // namespace
}  // namespace leat::dataapi
