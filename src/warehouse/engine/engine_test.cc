// The engine through the real DuckDB: types, text, parameters, transactions, errors, functions,
// sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "warehouse/engine/database.h"
#include "warehouse/engine/function.h"
#include "warehouse/engine/function_fixture.h"
#include "warehouse/engine/source.h"

namespace leat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Engine : public FunctionFixture {
 protected:
  Engine() : FunctionFixture(2) {}

  /// The only cell of the only row, or "NULL", or "SQLSTATE message".
  std::string one(std::string_view sql) {
    auto rows = connection->query(sql);
    if (!rows) return rows.error().sqlstate + " " + rows.error().message;
    if (rows->size() != 1 || rows->front().size() != 1) return "not one cell";
    return rows->front().front().value_or("NULL");
  }
};

TEST_F(Engine, TextForms) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"true", "t"},
      {"false", "f"},
      {"1::smallint", "1"},
      {"(-2147483648)::int", "-2147483648"},
      {"(-9223372036854775807 - 1)::bigint", "-9223372036854775808"},
      {"18446744073709551615::ubigint", "18446744073709551615"},
      {"170141183460469231731687303715884105727::hugeint",
       "170141183460469231731687303715884105727"},
      {"(-170141183460469231731687303715884105727)::hugeint",
       "-170141183460469231731687303715884105727"},
      {"sum(x) from (values (9223372036854775807::bigint), (1)) t(x)", "9223372036854775808"},
      {"1.5::decimal(4,2)", "1.50"},
      {"-0.05::decimal(4,2)", "-0.05"},
      {"0::decimal(18,4)", "0.0000"},
      {"12345678901234567890123456789012345678::decimal(38,0)",
       "12345678901234567890123456789012345678"},
      {"-1.0000000000000000000000000000000000001::decimal(38,37)",
       "-1.0000000000000000000000000000000000001"},
      {"0.1::double", "0.1"},
      {"(1.0/3)::double", "0.333333333333333"},
      {"1e20::double", "1e+20"},
      {"1e15::double", "1e+15"},
      {"100000::double", "100000"},
      {"0.00001::double", "1e-05"},
      {"'nan'::double", "NaN"},
      {"'-inf'::double", "-Infinity"},
      {"0.1::real", "0.1"},
      {"16777216::real", "1.67772e+07"},
      {"'caf\u00e9'", "caf\u00e9"},
      {"'longer than twelve bytes in all'", "longer than twelve bytes in all"},
      {"''", ""},
      {"null::int", "NULL"},
      {"null", "NULL"},
      {"'\\x00\\xFFa'::blob", "00ff61"},
      {"date '2026-11-20'", "2026-11-20"},
      {"date '0044-03-15 (BC)'", "0044-03-15 BC"},
      {"date '12026-01-01'", "12026-01-01"},
      {"time '04:05:06.789'", "04:05:06.789"},
      {"timetz '04:05:06+02'", "04:05:06+02"},
      {"timetz '04:05:06-03:30'", "04:05:06-03:30"},
      {"timestamp '2026-11-20 14:03:05.120000'", "2026-11-20 14:03:05.12"},
      {"timestamp '1969-12-31 23:59:59.999999'", "1969-12-31 23:59:59.999999"},
      {"timestamptz '2026-11-20 14:03:05+02'", "2026-11-20 12:03:05+00"},
      {"timestamp 'infinity'", "infinity"},
      {"interval '1 year 2 months 3 days 04:05:06.5'", "1 year 2 mons 3 days 04:05:06.5"},
      {"interval '26 hours'", "26:00:00"},
      {"interval '-5 minutes'", "-00:05:00"},
      {"interval '0 days'", "00:00:00"},
      {"'3f333df6-90a4-4fda-8dd3-9485d27cee36'::uuid", "3f333df6-90a4-4fda-8dd3-9485d27cee36"},
      {"'b'::enum('a', 'b')", "b"},
      {"[1, null, 3]", "[1,null,3]"},
      {"[[true], []]", "[[true],[]]"},
      {"{'a': 1, 'b': 'x\"y', 'c': date '2026-01-02'}", R"({"a":1,"b":"x\"y","c":"2026-01-02"})"},
      {"map {'k': 1.5::double, 'l': null}", R"({"k":1.5,"l":null})"},
      {"[1,2]::int[2]", "[1,2]"},
      {R"('{"a": [1]}'::json)", R"({"a": [1]})"},
  };
  for (const auto& [expression, expected] : table) {
    EXPECT_EQ(one("select " + expression), expected) << expression;
  }
}

TEST_F(Engine, FloatDigits) {
  auto cursor = connection->execute("select 0.1::double + 0.2::double, 0.1::real, 1e300::double");
  ASSERT_TRUE(cursor);
  const auto chunk = *cursor->next();
  std::string out;
  for (const int digits : {0, 1, 3}) {
    for (std::size_t i = 0; i < 3; ++i) {
      append_text(chunk->column(i), 0, out, {.extra_float_digits = digits});
      out += ' ';
    }
  }
  EXPECT_EQ(out, "0.3 0.1 1e+300 0.30000000000000004 0.1 1e+300 0.30000000000000004 0.1 1e+300 ");
}

TEST_F(Engine, RedshiftSettings) {
  EXPECT_EQ(one("select 7 / 2"), "3");
  EXPECT_EQ(one("select -7 / 2"), "-3");
  EXPECT_EQ(one("select list(a order by a) from (values (1), (null), (2)) t(a)"), "[1,2,null]");
  EXPECT_EQ(one("select list(a order by a desc) from (values (1), (null)) t(a)"), "[null,1]");
  EXPECT_EQ(one("select current_setting('TimeZone')"), "UTC");
}

TEST_F(Engine, NothingOutsideIsReachable) {
  EXPECT_THAT(one("select count(*) from read_csv('/etc/passwd')"), HasSubstr("42501"));
  EXPECT_FALSE(connection->run("copy (select 1) to '/tmp/leat-engine-must-not-exist'"));
  EXPECT_FALSE(connection->run("install httpfs"));
  EXPECT_FALSE(connection->run("load '/tmp/x.duckdb_extension'"));
  EXPECT_FALSE(connection->run("set enable_external_access = true"));
  EXPECT_FALSE(connection->run("attach '/tmp/leat-engine-must-not-exist.db' as other"));
}

TEST_F(Engine, Errors) {
  ASSERT_TRUE(connection->run(
      "create table t(a integer not null, b decimal(5,2), c varchar, d date); create view v as "
      "select 1 as x; create schema s"));
  const std::vector<std::pair<std::string, std::string>> table{
      {"select * from nope", "42P01 relation \"nope\" does not exist"},
      {"select * from s.nope", "42P01 relation \"nope\" does not exist"},
      {"select * from nosuch.t", "3F000 schema \"nosuch\" does not exist"},
      {"select nope from t", "42703 column \"nope\" does not exist"},
      {"select x.a from t", "42P01 relation \"x\" does not exist"},
      {"insert into t(q) values (1)", "42703 column \"q\" does not exist in t"},
      {"select nofunc(1)", "42883 function nofunc does not exist"},
      {"select sum(c) from t", "42883 function sum(character varying) does not exist"},
      {"select sum('x')", "42883 function sum(character varying) does not exist"},
      {"select 1 + interval 1 day + true", "42883 operator does not exist: integer + interval"},
      {"selec 1", "42601 syntax error at or near \"selec\""},
      {"select 1 from t where (", "42601 syntax error at end of input"},
      {"insert into t values (null, 1, 'a', null)",
       "23502 Cannot insert a NULL value into column a"},
      {"insert into t values (1, 1000, 'a', null)",
       "22003 numeric field overflow: 1000 does not fit numeric(5,2)"},
      {"insert into t values (99999999999, 1, 'a', null)", "22003 integer out of range"},
      {"insert into t values (1, 2)", "42601 INSERT has 2 expressions for 4 target columns of t"},
      {"select 'abc'::int", "22P02 invalid input syntax for integer: \"abc\""},
      {"select 'x'::boolean", "22P02 invalid input syntax for boolean: \"x\""},
      {"select '2020-13-01'::date", "22008 date/time field value out of range: \"2020-13-01\""},
      {"select 'foo'::date", "22007 invalid input syntax for type date: \"foo\""},
      {"select 'foo'::timestamp", "22007 invalid input syntax for type timestamp: \"foo\""},
      {"select 2147483647::int + 1::int", "22003 integer out of range"},
      {"select cast(99999 as smallint)", "22003 smallint out of range"},
      {"create table t(a int)", "42P07 Relation \"t\" already exists"},
      {"create schema s", "42P06 Schema \"s\" already exists"},
      {"drop table zz", "42P01 relation \"zz\" does not exist"},
      {"drop schema zz", "3F000 schema \"zz\" does not exist"},
      {"drop view t", "42809 \"t\" is not a View"},
      {"alter table t add column a int", "42701 column \"a\" already exists"},
      {"alter table t drop column q", "42703 column \"q\" does not exist in t"},
      {"select a, count(*) from t",
       "42803 column \"a\" must appear in the GROUP BY clause or be used in an aggregate function"},
      {"select * from t x join t y on x.a = y.a where a = 1",
       "42702 column reference \"a\" is ambiguous"},
      {"select error('Divide by zero')", "22012 Divide by zero"},
      {"select error('22001: value too long for type character varying(2)')",
       "22001 value too long for type character varying(2)"},
      {"select (select unnest([1, 2]))",
       "21000 more than one row returned by a subquery used as an expression"},
      {"select 1; select 2", "42601 cannot insert multiple commands into a prepared statement"},
      {"", "42601 the text holds no statement"},
      {std::string("select '\0'", 10), "22021 invalid byte sequence for encoding \"UTF8\": 0x00"},
      {"begin", "XX000 transactions are opened and ended by begin(), commit() and rollback()"},
      {"select a from t union select 1, 2",
       "42601 each UNION, INTERSECT or EXCEPT query must have the same number of columns"},
      {"select a from t order by 7", "42P10 ORDER BY position is not in select list"},
      {"select 1::nosuchtype", "42704 type \"nosuchtype\" does not exist"},
      {"select sqrt(-1)", "2201F cannot take square root of a negative number"},
  };
  for (const auto& [sql, expected] : table) EXPECT_EQ(one(sql), expected) << sql;
}

TEST_F(Engine, ErrorPositions) {
  const auto position = [&](std::string_view sql) {
    return connection->query(sql).error().engine_position;
  };
  EXPECT_EQ(position("select nope"), 8);
  EXPECT_EQ(position("select 1,\n  2, nope"), 16);
  EXPECT_EQ(position("selec 1"), 1);
  const std::string padding(300, ' ');
  EXPECT_EQ(position("select 1," + padding + "nope," + padding + "1"), 310);
}

TEST_F(Engine, ErrorsAreSaidInRedshiftsWords) {
  const auto said = [](std::string_view text) {
    const SqlError error = map_duckdb_error(text);
    return error.sqlstate + " " + error.message;
  };
  EXPECT_EQ(said("Conversion Error: Could not convert string 'x' to INT32 when casting from source "
                 "column v"),
            "22P02 invalid input syntax for integer: \"x\"");
  EXPECT_EQ(said("Conversion Error: time field value out of range: \"7\", expected format is "
                 "([YYYY-MM-DD ]HH:MM:SS[.MS]) when casting from source column v"),
            "22008 date/time field value out of range: \"7\"");
  EXPECT_EQ(said("Conversion Error: Unimplemented type for cast (DATE -> DECIMAL(12,3))"),
            "42846 cannot cast type date to numeric(12,3)");
  EXPECT_EQ(said("TransactionContext Error: Failed to commit: Could not write all bytes to file "
                 "\"/d/dev.duckdb.wal\": No space left on device"),
            "53100 could not write: the disk is full");
  EXPECT_EQ(said("TransactionContext Error: Failed to commit: Could not write all bytes to file "
                 "\"/d/dev.duckdb.wal\": Input/output error"),
            "58030 could not commit: could not write all bytes to file "
            "\"/d/dev.duckdb.wal\": Input/output error");
  const SqlError damaged =
      map_duckdb_error("IO Error: Corrupt database file: computed checksum 1 does not match");
  EXPECT_EQ(damaged.sqlstate, "XX001");
  EXPECT_NE(damaged.hint.find("leat warehouse restore"), std::string::npos);
}

TEST_F(Engine, PackedErrorsComeBackUnchanged) {
  const SqlError error{
      .sqlstate = "22007", .message = "bad: x", .detail = "line one\nline two", .hint = "do"};
  EXPECT_EQ(map_duckdb_error("Invalid Input Error: " + pack_error(error) + "\n\nLINE 1: x\n   ^"),
            error);
}

TEST_F(Engine, StreamsMoreThanOneChunk) {
  auto cursor = connection->execute("select range as n from range(100000)");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->kind(), StatementKind::kSelect);
  ASSERT_EQ(cursor->columns().size(), 1U);
  EXPECT_EQ(cursor->columns()[0].name, "n");
  EXPECT_EQ(cursor->columns()[0].type.type, Type::kInt64);
  std::int64_t rows = 0;
  std::int64_t sum = 0;
  while (true) {
    auto chunk = cursor->next();
    ASSERT_TRUE(chunk) << chunk.error().message;
    if (!*chunk) break;
    EXPECT_GT((*chunk)->rows(), 0U);
    for (const std::int64_t n : (*chunk)->column(0).cells<std::int64_t>()) sum += n;
    rows += static_cast<std::int64_t>((*chunk)->rows());
  }
  EXPECT_EQ(rows, 100000);
  EXPECT_EQ(sum, 4999950000);
}

TEST_F(Engine, LaterStatementOvertakesAStreamUnlessDetached) {
  auto first = connection->execute("select * from range(100000)");
  ASSERT_TRUE(first->next());
  ASSERT_TRUE(connection->run("select 1"));
  EXPECT_EQ(first->next().error().sqlstate, "24000");

  auto second = connection->execute("select * from range(100000)");
  ASSERT_TRUE(second->next());
  ASSERT_TRUE(second->detach(64 << 20));
  ASSERT_TRUE(connection->run("select 1"));
  std::size_t rows = 0;
  while (auto chunk = *second->next()) rows += chunk->rows();
  EXPECT_EQ(rows, 100000U - 2048U);

  auto third = connection->execute("select * from range(1000000)");
  EXPECT_EQ(third->detach(1 << 20).error().sqlstate, "54000");
}

TEST(EngineStream, ErrorInTheMiddle) {
  auto database = Database::open({.threads = 1});
  ASSERT_TRUE(database);
  auto connection = std::move(*(*database)->connect());
  ASSERT_TRUE(connection->begin());
  auto cursor = connection->execute(
      "select case when range = 5000000 then error('22012: Divide by zero') else 1 end from "
      "range(10000000)");
  ASSERT_TRUE(cursor);
  SqlError error;
  while (true) {
    auto chunk = cursor->next();
    if (!chunk) {
      error = chunk.error();
      break;
    }
    ASSERT_TRUE(*chunk);
  }
  EXPECT_EQ(error.sqlstate, "22012");
  EXPECT_EQ(connection->transaction(), TransactionState::kFailed);
}

TEST_F(Engine, RowsChanged) {
  EXPECT_EQ(connection->run("create table t(a int, b varchar)"), 0);
  EXPECT_EQ(connection->run("insert into t select range, 'x' from range(5000)"), 5000);
  EXPECT_EQ(connection->run("update t set b = 'y' where a < 10"), 10);
  EXPECT_EQ(connection->run("delete from t where a >= 4000"), 1000);
  auto merge = connection->execute(
      "merge into t using (values (1, 'm'), (9999, 'n')) s(a, b) on t.a = s.a when matched then "
      "update set b = s.b when not matched then insert values (s.a, s.b)");
  ASSERT_TRUE(merge) << merge.error().message;
  EXPECT_EQ(merge->kind(), StatementKind::kMerge);
  EXPECT_EQ(merge->rows_changed(), 2);
  EXPECT_TRUE(merge->columns().empty());
}

TEST_F(Engine, DescribesWithoutRunning) {
  ASSERT_TRUE(connection->run("create table t(a int, b decimal(10,2))"));
  auto prepared =
      connection->prepare("select a, b, a::varchar as c from t where a = $1 and b > $2");
  ASSERT_TRUE(prepared) << prepared.error().message;
  ASSERT_EQ(prepared->parameter_count(), 2U);
  EXPECT_EQ(prepared->parameter_type(0).type, Type::kInt32);
  EXPECT_EQ(prepared->parameter_type(1).type, Type::kDecimal);
  ASSERT_EQ(prepared->columns().size(), 3U);
  EXPECT_EQ(prepared->columns()[1].type,
            (ColumnType{.type = Type::kDecimal, .width = 10, .scale = 2}));
  EXPECT_EQ(prepared->columns()[2].name, "c");
  auto insert = connection->prepare("insert into t values ($1, $2)");
  ASSERT_TRUE(insert) << insert.error().message;
  EXPECT_EQ(insert->kind(), StatementKind::kInsert);
  EXPECT_TRUE(insert->columns().empty());
  EXPECT_EQ(insert->parameter_type(0).type, Type::kInt32);
  EXPECT_EQ(one("select count(*) from t"), "0");
}

TEST_F(Engine, ParametersOfEveryKind) {
  auto prepared = connection->prepare(
      "select $1::boolean, $2::smallint, $3::int, $4::bigint, $5::real, $6::double, $7::varchar, "
      "$8::blob, $9::date, $10::time, $11::timestamp, $12::timestamptz, $13::interval, "
      "$14::decimal(10,2), $15::int");
  ASSERT_TRUE(prepared) << prepared.error().message;
  const std::vector<Value> typed{true,
                                 std::int16_t{-3},
                                 std::int32_t{4},
                                 std::int64_t{5},
                                 1.5F,
                                 2.5,
                                 std::string("a\0b", 3),
                                 BlobValue{"\x01\x02"},
                                 DateValue{1},
                                 TimeValue{1000000},
                                 TimestampValue{1},
                                 TimestampTzValue{0},
                                 Interval{.months = 1, .days = 2, .us = 3},
                                 DecimalValue{.width = 10, .scale = 2, .unscaled = {.low = 1234}},
                                 std::monostate{}};
  auto cursor = prepared->execute(typed);
  ASSERT_TRUE(cursor) << cursor.error().message;
  EXPECT_THAT(
      read_all(std::move(*cursor))->front(),
      ElementsAre("t", "-3", "4", "5", "1.5", "2.5", std::string("a\0b", 3), "0102", "1970-01-02",
                  "00:00:01", "1970-01-01 00:00:00.000001", "1970-01-01 00:00:00+00",
                  "1 mon 2 days 00:00:00.000003", "12.34", std::nullopt));
  EXPECT_EQ(prepared->execute({}).error().sqlstate, "08P01");
}

TEST_F(Engine, TextParametersTakeTheTypeOfTheirPlace) {
  ASSERT_TRUE(connection->run(
      "create table t(a int, b bigint, c decimal(10,2), d date, e timestamp, f boolean, g double, "
      "h varchar, i smallint, j real, k timestamptz)"));
  auto insert =
      connection->prepare("insert into t values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
  ASSERT_TRUE(insert) << insert.error().message;
  std::vector<Value> row;
  for (const char* text : {" 1 ", "-2", "3.456", "2026-11-20", "2026-11-20 01:02:03", "yes", "1e3",
                           "text", "+7", "0.5", "2026-11-20T01:02:03+01:00"}) {
    row.emplace_back(UntypedText{text});
  }
  auto inserted = insert->execute(row);
  ASSERT_TRUE(inserted) << inserted.error().message;
  EXPECT_EQ(inserted->rows_changed(), 1);
  EXPECT_THAT(connection->query("select * from t")->front(),
              ElementsAre("1", "-2", "3.46", "2026-11-20", "2026-11-20 01:02:03", "t", "1000",
                          "text", "7", "0.5", "2026-11-20 00:02:03+00"));
  auto select = connection->prepare("select count(*) from t where a = $1 and d >= $2 and h = $3");
  ASSERT_TRUE(select) << select.error().message;
  auto found = select->execute(
      std::vector<Value>{UntypedText{"1"}, UntypedText{"2026-01-01"}, UntypedText{"text"}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(read_all(std::move(*found))->front().front(), "1");

  const std::vector<std::tuple<std::size_t, std::string, std::string>> bad{
      {0, "x", "22P02"},  {0, "99999999999", "22003"}, {2, "1e9", "22003"},
      {2, "..", "22P02"}, {3, "yesterday", "22007"},   {5, "maybe", "22P02"},
      {6, "1,5", "22P02"}};
  for (const auto& [index, text, sqlstate] : bad) {
    auto changed = row;
    changed[index] = UntypedText{text};
    auto result = insert->execute(changed);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().sqlstate, sqlstate) << text << ": " << result.error().message;
  }
}

TEST_F(Engine, UndeterminedParameterIsText) {
  auto prepared = connection->prepare("select $1");
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->parameter_type(0).type, Type::kNull);
  auto cursor = prepared->execute(std::vector<Value>{UntypedText{"hello"}});
  ASSERT_TRUE(cursor) << cursor.error().message;
  EXPECT_EQ(read_all(std::move(*cursor))->front().front(), "hello");
}

TEST_F(Engine, PreparedSurvivesSchemaChange) {
  ASSERT_TRUE(connection->run("create table t(a int)"));
  auto prepared = connection->prepare("select * from t");
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(connection->run("insert into t values (1); alter table t add column b int"));
  auto cursor = prepared->execute({});
  ASSERT_TRUE(cursor) << cursor.error().message;
  EXPECT_EQ(cursor->columns().size(), 2U);
}

TEST_F(Engine, TransactionsAsPostgres) {
  ASSERT_TRUE(connection->run("create table t(a int)"));
  ASSERT_TRUE(connection->begin());
  EXPECT_EQ(connection->begin().error().sqlstate, "25001");
  ASSERT_TRUE(connection->run("insert into t values (1)"));
  EXPECT_FALSE(connection->run("select * from nope"));
  EXPECT_EQ(connection->transaction(), TransactionState::kFailed);
  EXPECT_EQ(one("select 1").substr(0, 5), "25P02");
  EXPECT_EQ(connection->commit(), false);
  EXPECT_EQ(connection->transaction(), TransactionState::kIdle);
  EXPECT_EQ(one("select count(*) from t"), "0");

  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->run("insert into t values (1)"));
  EXPECT_EQ(connection->commit(), true);
  EXPECT_EQ(one("select count(*) from t"), "1");

  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->run("insert into t values (2)"));
  ASSERT_TRUE(connection->rollback());
  EXPECT_EQ(one("select count(*) from t"), "1");

  ASSERT_TRUE(connection->begin(true));
  EXPECT_EQ(one("insert into t values (3)").substr(0, 5), "25006");
  ASSERT_TRUE(connection->rollback());
}

TEST_F(Engine, ConcurrentUpdatesGive40001) {
  ASSERT_TRUE(connection->run("create table t(a int, b int); insert into t values (1, 0)"));
  auto other = std::move(*database->connect());
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(other->begin());
  ASSERT_TRUE(connection->run("update t set b = 1"));
  const auto conflict = other->run("update t set b = 2");
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().sqlstate, "40001") << conflict.error().message;
  EXPECT_EQ(connection->commit(), true);
  EXPECT_EQ(other->commit(), false);
}

TEST_F(Engine, InterruptFromAnotherThread) {
  std::atomic<bool> done = false;
  SqlError error;
  std::thread runner([&] {
    const auto result = connection->query(
        "select count(*) from range(10000000) a, range(10000000) b where a.range = b.range + 1 and "
        "hash(a.range, b.range) % 7 = 3");
    if (!result) error = result.error();
    done = true;
  });
  // Interrupting before the statement has begun does nothing: again until it has ended.
  while (!done) connection->interrupt();
  runner.join();
  EXPECT_EQ(error.sqlstate, "57014") << error.message;
  EXPECT_EQ(one("select 1"), "1");
}

TEST_F(Engine, ThereIsAWorkerForEachProcessorThatMayBeUsed) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  auto opened = Database::open({});
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  ASSERT_TRUE(opened) << opened.error().message;
  const auto workers = (*(*opened)->connect())->query("select current_setting('threads')");
  ASSERT_TRUE(workers) << workers.error().message;
  EXPECT_EQ((*workers)[0][0], "1");
}

TEST_F(Engine, MemoryLimitIsAnErrorOfTheStatementOnly) {
  auto opened = Database::open({.threads = 1, .memory_bytes_max = 64 << 20});
  ASSERT_TRUE(opened) << opened.error().message;
  auto small = std::move(*(*opened)->connect());
  const auto result =
      small->query("select count(*) from (select distinct hash(range) from range(20000000))");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().sqlstate, "53200") << result.error().message;
  EXPECT_TRUE(small->query("select 1"));
}

TEST_F(Engine, ScalarFunctions) {
  const ColumnType varchar{.type = Type::kVarchar};
  const ColumnType bigint{.type = Type::kInt64};
  ASSERT_TRUE(database->add_function(
      {.name = "rs_twice",
       .parameters = {varchar},
       .more_parameters = {},
       .returns = varchar,
       .run = [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
         const std::string text(arguments.column(0).text(row));
         if (text == "bad") return fail_sql("22023", "bad text", "the detail");
         output.set_text(row, text + text);
         return {};
       }}));
  ASSERT_TRUE(database->add_function(
      {.name = "rs_twice",
       .parameters = {bigint},
       .more_parameters = {},
       .returns = bigint,
       .run = [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
         output.set_int64(row, 2 * arguments.column(0).integer(row));
         return {};
       }}));
  ASSERT_TRUE(database->add_function(
      {.name = "rs_count_null",
       .parameters = {},
       .more_parameters = varchar,
       .returns = bigint,
       .sees_null = true,
       .run = [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
         std::int64_t count = 0;
         for (const Column& column : arguments.columns()) count += column.is_null(row) ? 1 : 0;
         output.set_int64(row, count);
         return {};
       }}));
  EXPECT_EQ(one("select rs_twice('ab')"), "abab");
  EXPECT_EQ(one("select rs_twice(21::bigint)"), "42");
  EXPECT_EQ(one("select rs_twice(null::varchar)"), "NULL");
  EXPECT_EQ(one("select rs_count_null('a', null, null)"), "2");
  EXPECT_EQ(one("select string_agg(rs_twice(c), ',' order by c) from (values ('a'), (null), ('b')) "
                "t(c)"),
            "aa,bb");
  EXPECT_EQ(one("select sum(rs_twice(range)) from range(10000)"), "99990000");
  const auto bad = connection->query("select rs_twice('bad')");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(),
            (SqlError{.sqlstate = "22023", .message = "bad text", .detail = "the detail"}));
}

/// `count` rows (n, text or NULL), with an error at row `fail_at`.
class Numbers : public ChunkSource {
 public:
  Numbers(std::int64_t count, std::int64_t fail_at) : count_(count), fail_at_(fail_at) {}
  const std::vector<ColumnInfo>& columns() const override { return columns_; }
  SqlResult<std::size_t> fill(ChunkWriter& writer) override {
    std::size_t row = 0;
    for (; row < ChunkWriter::capacity() && next_ < count_; ++row, ++next_) {
      if (next_ == fail_at_) return fail_sql("XX000", "the source broke");
      writer.set<std::int64_t>(0, row, next_);
      if (next_ % 2 == 0) {
        writer.set_null(1, row);
      } else {
        writer.set_text(1, row, "row number " + std::to_string(next_));
      }
    }
    return row;
  }

 private:
  std::vector<ColumnInfo> columns_{{.name = "n", .type = {.type = Type::kInt64}},
                                   {.name = "text", .type = {.type = Type::kVarchar}}};
  std::int64_t count_;
  std::int64_t fail_at_;
  std::int64_t next_ = 0;
};

TEST_F(Engine, InsertsFromASource) {
  ASSERT_TRUE(connection->run("create table t(id int default 7, n bigint, s varchar)"));
  Numbers source(10000, -1);
  auto changed = connection->run_with("insert into t(n, s) select n, text from leat_rows", source);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(*changed, 10000);
  EXPECT_THAT(
      connection->query("select count(*), count(s), sum(n), max(s), sum(id) from t")->front(),
      ElementsAre("10000", "5000", "49995000", "row number 9999", "70000"));
  Numbers broken(10000, 5000);
  changed = connection->run_with("insert into t(n, s) select n, text from leat_rows", broken);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().message, "the source broke");
  EXPECT_EQ(one("select count(*) from t"), "10000");
  EXPECT_FALSE(connection->query("select * from leat_source(1)"));
}

// Statements that end or open a transaction are refused however they are written; text that is
// refused leaves the connection usable.
TEST_F(Engine, RunsOneStatementAtOnce) {
  EXPECT_TRUE(connection->run("create table t(n integer)"));
  for (const char* sql : {"begin", "BEGIN transaction", "commit;", " rollback", "/* x */ begin",
                          "-- x\ncommit", "select 1; begin"}) {
    EXPECT_FALSE(connection->run(sql)) << sql;
    EXPECT_EQ(connection->transaction(), TransactionState::kIdle) << sql;
  }
  EXPECT_EQ(connection->run("insert into t values (1), (2)").value_or(-1), 2);
  EXPECT_EQ(connection->run("insert into t values (3); delete from t;").value_or(-1), 3);
  EXPECT_EQ(connection->run("update t set n = 1 where n = 7 or ';' = ''").value_or(-1), 0);
  EXPECT_EQ(one("select ';' -- the end;"), ";");
  EXPECT_EQ(one("with a as (select 1 as x) select x + 1 from a;"), "2");
  EXPECT_EQ(one("select 1 +"), "42601 syntax error at end of input");
  EXPECT_EQ(one(""), "42601 the text holds no statement");
}

TEST_F(Engine, LiveTables) {
  const auto columns = Numbers(0, -1).columns();
  std::atomic<int> opened = 0;
  ASSERT_TRUE(database->add_table_function(
      {.name = "stv_numbers",
       .columns = columns,
       .open = [&](std::int64_t number) -> SqlResult<std::unique_ptr<ChunkSource>> {
         if (++opened == 3) return fail_sql("55000", "not now");
         return std::make_unique<Numbers>(number, -1);
       }}));
  EXPECT_EQ(one("select count(*) from stv_numbers(5000)"), "5000");
  EXPECT_EQ(one("select max(n) from stv_numbers(5000) where text is null"), "4998");
  EXPECT_EQ(one("select count(*) from stv_numbers(5000)"), "55000 not now");
  EXPECT_EQ(one("select count(*) from stv_numbers(null)"), "0");
  EXPECT_EQ(one("select count(*) from stv_numbers(getvariable('how_many'))"), "0");
  ASSERT_TRUE(connection->run("set variable how_many = 7"));
  EXPECT_EQ(one("select count(*) from stv_numbers(getvariable('how_many'))"), "7");
}

}  // namespace
}  // namespace leat::engine
