// The extended protocol's calls, PREPARE and EXECUTE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One session driven as a front end drives it.
class Extended : public testing::Test {
 protected:
  Extended() : session_(open_session()) {}

  std::string parse(std::string_view name, std::string_view text,
                    const std::vector<std::uint32_t>& types = {}) {
    return state(session_->parse(name, text, types, sink_));
  }
  std::string bind(std::string_view portal, std::string_view statement,
                   const std::vector<Parameter>& parameters = {}) {
    return state(session_->bind(portal, statement, parameters, sink_));
  }
  /// The rows of this call; the outcome is in outcome_, an error in state_.
  std::string execute(std::string_view portal, std::int64_t limit = 0) {
    sink_.reply = {};
    auto outcome = session_->execute(portal, limit, sink_);
    state_ = outcome ? std::string() : outcome.error().sqlstate;
    if (outcome) outcome_ = *outcome;
    return sink_.reply.rows;
  }
  std::string sync() { return state(session_->sync(sink_)); }

  static std::string state(const SqlStatus& status) {
    return status ? std::string() : status.error().sqlstate;
  }
  static Parameter text(std::string_view value) { return {.bytes = value, .binary = false}; }
  static Parameter binary(std::string_view value) { return {.bytes = value, .binary = true}; }

  std::unique_ptr<Session> session_;
  ReplySink sink_;
  std::string state_;
  ExecuteOutcome outcome_ = ExecuteOutcome::kEmpty;
};

TEST_F(Extended, DescribesEveryColumnBesideUntypedParameters) {
  run(*session_,
      "create table priced (d decimal(12,2), i int); insert into priced values (2.5, 7)");
  EXPECT_EQ(parse("s", "select d * $1, i / $2, d / $1 from priced"), "");
  const auto description = session_->describe_statement("s", sink_);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_THAT(description->parameter_types, ElementsAre(1700, 23));
  EXPECT_THAT(description->fields, testing::SizeIs(3));
  EXPECT_EQ(bind("", "s", {text("1.5"), text("2")}), "");
  EXPECT_EQ(execute(""), "3.750000000000|3|1.666666666666666666");
  EXPECT_EQ(parse("t", "select $1, $2, d from priced"), "");
  const auto leftover = session_->describe_statement("t", sink_);
  ASSERT_TRUE(leftover) << leftover.error().message;
  EXPECT_THAT(leftover->fields, testing::SizeIs(3));
}

TEST_F(Extended, NumericParametersKeepTheirDigits) {
  run(*session_,
      "create table exact_n (n numeric(38,20), p numeric(10,2)); insert into exact_n values "
      "(0.12345678901234567890, 1.01)");
  const auto ask = [&](std::string_view statement, std::string_view value) {
    EXPECT_EQ(bind("", statement, {text(value)}), "");
    return execute("");
  };
  ASSERT_EQ(parse("s", "select count(*) from exact_n where n = $1", {1700}), "");
  EXPECT_EQ(ask("s", "1"), "0");
  EXPECT_EQ(ask("s", "0.12345678901234567890"), "1");
  EXPECT_EQ(ask("s", "0.123456789012345678901"), "0");
  EXPECT_EQ(ask("s", " +1.2345678901234567890e-1"), "1");
  // Not rounded to the column's digits, nor refused for having too many.
  ASSERT_EQ(parse("t", "select count(*) from exact_n where p = $1"), "");
  EXPECT_EQ(ask("t", "1.01000"), "1");
  EXPECT_EQ(ask("t", "1.005"), "0");
  EXPECT_EQ(ask("t", "12345678901"), "0");
  EXPECT_EQ(ask("t", "1.01"), "1");
  // What was told of the columns holds.
  ASSERT_EQ(parse("u", "select $1, n from exact_n where n > $1", {1700}), "");
  EXPECT_EQ(ask("u", "0.123456789012"), "0.1234567890|0.12345678901234567890");
  ASSERT_EQ(parse("v", "insert into exact_n (p) values ($1)"), "");
  EXPECT_EQ(ask("v", "7.005"), "");
  EXPECT_EQ(ask("v", "7.114"), "");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(run(*session_, "select p from exact_n where p > 7 order by 1").rows, "7.01;7.11");
}

TEST_F(Extended, ADeclaredTypeCountsMoreThanTheNeighbour) {
  run(*session_,
      "create table worth (p decimal(12,2), d date); insert into worth values (2.5, '2026-11-21')");
  struct Case {
    std::string_view query;
    std::uint32_t type;  // an OID
    std::string_view value;
    std::string_view rows;
  };
  constexpr Case kCases[] = {
      {"select p / $1 from worth", 701, "0.3", "8.33333333333333"},
      {"select p / $1 from worth", 700, "0.5", "5"},
      {"select p / $1 from worth", 23, "3", "0.8333333333333"},
      {"select p / $1 from worth", 20, "3", "0.8333333333333333333333"},
      {"select p / $1 from worth", 1700, "0.3", "8.333333333333333333"},
      {"select p / $1 from worth", 0, "0.3", "8.333333333333333333"},
      {"select 7 / $1", 701, "2", "3.5"},
      {"select 7 / $1", 23, "2", "3"},
      {"select $1 / p from worth", 701, "0.5", "0.2"},
      {"select p * $1 from worth", 701, "0.5", "1.25"},
      {"select p + $1 from worth", 701, "0.25", "2.75"},
      {"select (p + $1) / p from worth", 701, "0.25", "1.1"},
      {"select d + $1 from worth", 0, "1", "2026-11-22"},
      {"select $1 + d from worth", 0, "1", "2026-11-22"},
      {"select d + $1 from worth", 23, "1", "2026-11-22"},
      {"select $1 + d from worth", 23, "-1", "2026-11-20"},
      {"select d - $1 from worth", 0, "2026-11-01", "20"},
      {"select d - $1 from worth", 23, "1", "2026-11-20"},
  };
  for (const Case& each : kCases) {
    SCOPED_TRACE(std::string(each.query) + " with " + std::to_string(each.type));
    EXPECT_EQ(parse("", each.query, {{each.type}}), "");
    EXPECT_EQ(bind("", "", {text(each.value)}), "");
    EXPECT_EQ(execute(""), each.rows);
    EXPECT_EQ(sync(), "");
  }
}

TEST_F(Extended, AParameterThatTheEngineLeavesOpenIsText) {
  EXPECT_EQ(parse("s", "select json_parse($1).a::int, $2"), "");
  const auto description = session_->describe_statement("s", sink_);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_THAT(description->parameter_types, ElementsAre(1043, 1043));
  EXPECT_EQ(bind("", "s", {text(R"({"a":3})"), text("x")}), "");
  EXPECT_EQ(execute(""), "3|x");
}

TEST_F(Extended, MergeWithParametersRefusesSeveralMatches) {
  run(*session_, "create table bound_t (id int, v int); insert into bound_t values (1, 1), (5, 5)");
  run(*session_, "create table bound_s (id int, v int); insert into bound_s values (1, 2), (1, 3)");
  EXPECT_EQ(parse("s",
                  "merge into bound_t using bound_s s on bound_t.id = s.id and s.v >= $1 when "
                  "matched then update set v = s.v + $2 when not matched then insert (id, v) "
                  "values (s.id, $2)"),
            "");
  EXPECT_EQ(bind("", "s", {text("3"), text("10")}), "");
  execute("");
  EXPECT_EQ(state_, "");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select * from bound_t order by id, v"), "1|10;1|13;5|5");
  EXPECT_EQ(bind("", "s", {text("2"), text("10")}), "");
  execute("");
  EXPECT_EQ(state_, "21000");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select * from bound_t order by id, v"), "1|10;1|13;5|5");
}

TEST_F(Extended, MergeThatRemovesDuplicatesTakesParameters) {
  run(*session_,
      "create table merge_kept (id int, v varchar(9)); insert into merge_kept values (1, 'a'), (2, "
      "'b'), (2, 'bb'), (9, 'z')");
  run(*session_,
      "create table merge_news (id int, v varchar(9)); insert into merge_news values (2, 'B'), (3, "
      "'C'), (9, 'Z')");
  EXPECT_EQ(parse("s",
                  "merge into merge_kept using (select id, v || $1 as v from merge_news where id "
                  "<> $2) as n on "
                  "merge_kept.id = n.id and merge_kept.id < $3 remove duplicates"),
            "");
  EXPECT_EQ(bind("", "s", {text("!"), text("3"), text("9")}), "");
  execute("");
  EXPECT_EQ(state_, "");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select * from merge_kept order by id, v"), "1|a;2|B!;9|Z!;9|z");
}

// What was planned when a column held no blanks at the ends of its texts is planned anew.
TEST_F(Extended, TheFirstBlankAtAnEndChangesThePlansOfAllSessions) {
  const auto other = open_session();
  run(*session_, "create table marked (v varchar(10)); insert into marked values ('a'), ('b')");
  run(*session_, "create view of_marked as select v, count(*) as n from marked group by v");
  const std::string_view groups = "select v, count(*) from marked group by v order by v";
  EXPECT_EQ(parse("groups", groups), "");
  run(*session_, "prepare groups as select v, count(*) from marked group by v order by v");
  EXPECT_EQ(bind("", "groups"), "");
  EXPECT_EQ(execute(""), "a|1;b|1");
  sync();
  EXPECT_EQ(ask(*session_, groups), "a|1;b|1");
  EXPECT_EQ(ask(*session_, "execute groups"), "a|1;b|1");

  run(*other, "begin");
  run(*other, "insert into marked values ('a ')");
  EXPECT_EQ(ask(*other, groups), "a|2;b|1");
  // Not to be seen yet, but nothing is wrong either.
  EXPECT_EQ(ask(*session_, groups), "a|1;b|1");
  EXPECT_EQ(run(*other, "commit").tag(), "COMMIT");
  EXPECT_EQ(bind("", "groups"), "");
  EXPECT_EQ(execute(""), "a|2;b|1");
  sync();
  EXPECT_EQ(ask(*session_, groups), "a|2;b|1");
  EXPECT_EQ(ask(*session_, "execute groups"), "a|2;b|1");
  EXPECT_EQ(ask(*session_, "select n from of_marked where v = 'a'"), "2");
}

TEST_F(Extended, PlansOfColumnsWithoutBlanksStayAsTheyAre) {
  run(*session_,
      "create table unmarked (v varchar(10), w varchar(10)); insert into unmarked values "
      "('a', 'b ')");
  const auto plan = [&](const std::string& query) { return ask(*session_, "explain " + query); };
  for (const char* column : {"v", "w"}) {
    const std::string name(column);
    const bool marked = name == "w";
    for (const std::string& query :
         {"select " + name + ", count(*) from unmarked group by " + name,
          "select distinct " + name + " from unmarked",
          "select * from unmarked a join unmarked b on a." + name + " = b." + name,
          "select " + name + " from unmarked union select " + name + " from unmarked",
          "select * from unmarked where " + name + " in (select " + name + " from unmarked)",
          "select count(distinct " + name + ") from unmarked",
          "select * from unmarked where " + name + " = 'b'"}) {
      EXPECT_EQ(plan(query).find("rtrim") != std::string::npos, marked) << query;
    }
  }
}

TEST_F(Extended, DescribesParametersAndColumns) {
  EXPECT_EQ(parse("s", "select $1::int + 1 as n, $2::varchar(5) as v, $3::numeric(7,2) as d"), "");
  const auto description = session_->describe_statement("s", sink_);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_TRUE(description->returns_rows);
  EXPECT_THAT(description->parameter_types, testing::SizeIs(3));
  ASSERT_EQ(description->fields.size(), 3U);
  EXPECT_EQ(description->fields[0].name, "n");
  EXPECT_EQ(description->fields[0].type_oid, 23U);
  EXPECT_EQ(description->fields[1].type_oid, 1043U);
  EXPECT_EQ(description->fields[2].type_oid, 1700U);
  EXPECT_EQ(description->fields[2].type_modifier, ((7 << 16) | 2) + 4);
}

TEST_F(Extended, WhatCannotBePlannedLeavesItsNameFree) {
  EXPECT_EQ(parse("s", "select nothing from nowhere"), "42P01");
  sync();
  EXPECT_EQ(parse("s", "select nothing"), "42703");
  sync();
  EXPECT_EQ(parse("s", "select 1"), "");
  EXPECT_EQ(bind("", "s"), "");
  EXPECT_EQ(execute(""), "1");
}

TEST_F(Extended, AParameterWithoutATypeIsText) {
  EXPECT_EQ(parse("s", "select $1::int as number, $2 || '!' as said"), "");
  const auto described = session_->describe_statement("s", sink_);
  ASSERT_TRUE(described) << described.error().message;
  EXPECT_THAT(described->parameter_types, ElementsAre(23, 1043));
  ASSERT_EQ(described->fields.size(), 2U);
  EXPECT_EQ(described->fields[0].name, "number");
  EXPECT_EQ(described->fields[0].type_oid, 23U);
  EXPECT_EQ(described->fields[1].name, "said");
  EXPECT_EQ(described->fields[1].type_oid, 1043U);
}

TEST_F(Extended, DescribeRunsNothing) {
  run(*session_, "create table described (a int)");
  ASSERT_EQ(parse("", "insert into described values ($1)"), "");
  const auto description = session_->describe_statement("", sink_);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_FALSE(description->returns_rows);
  EXPECT_THAT(description->parameter_types, ElementsAre(23U));
  ASSERT_EQ(parse("ddl", "create table described_not (a int)"), "");
  const auto ddl = session_->describe_statement("ddl", sink_);
  ASSERT_TRUE(ddl);
  EXPECT_FALSE(ddl->returns_rows);
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select count(*) from described"), "0");
  EXPECT_EQ(state_of(*session_, "select * from described_not"), "42P01");
}

TEST_F(Extended, EveryKindOfStatementCanBeDescribed) {
  run(*session_, "create table kinds (a int)");
  for (const char* text :
       {"begin", "commit", "show server_version", "set query_group to 'x'",
        "create user u1 password disable", "drop table kinds", "truncate kinds", "vacuum",
        "lock kinds", "explain select 1", "copy kinds from 's3://bucket/key' iam_role default csv",
        "grant select on kinds to public", "declare c cursor for select 1", "prepare p as select 1",
        "select * from pg_class"}) {
    EXPECT_EQ(parse("", text), "") << text;
    EXPECT_TRUE(session_->describe_statement("", sink_)) << text;
  }
  EXPECT_EQ(session_->transaction(), TransactionStatus::kIdle);
}

TEST_F(Extended, BindsTextAndBinaryAndNull) {
  ASSERT_EQ(parse("", "select $1::int, $2::varchar, $3::timestamp, $4::numeric(10,2)",
                  {23, 1043, 1114, 1700}),
            "");
  const std::string int_bytes("\0\0\1\2", 4);
  const std::string time_bytes("\0\0\0\0\0\x0f\x42\x40", 8);              // one second after 2000
  const std::string numeric_bytes("\0\2\0\0\0\0\0\2\0\x0c\x13\x88", 12);  // 12.50
  ASSERT_EQ(bind("", "", {binary(int_bytes), {}, binary(time_bytes), binary(numeric_bytes)}), "");
  EXPECT_EQ(execute(""), "258|~|2000-01-01 00:00:01|12.50");
  EXPECT_EQ(state_, "");
  EXPECT_EQ(sink_.reply.tag(), "SELECT");
  ASSERT_EQ(bind("", "", {text("7"), text("x"), text("2026-01-02 03:04:05"), text("1")}), "");
  EXPECT_EQ(execute(""), "7|x|2026-01-02 03:04:05|1.00");
}

TEST_F(Extended, WrongParametersAreToldApart) {
  ASSERT_EQ(parse("s", "select $1::int", {23}), "");
  EXPECT_EQ(bind("", "s", {}), "08P01");
  EXPECT_EQ(bind("", "s", {binary("\1")}), "22P03");
  EXPECT_EQ(bind("", "none", {}), "26000");
  ASSERT_EQ(bind("", "s", {text("abc")}), "");
  execute("");
  EXPECT_EQ(state_, "22P02");
}

TEST_F(Extended, PortalsStopAtTheRowLimitAndGoOn) {
  ASSERT_EQ(parse("", "begin"), "");
  ASSERT_EQ(bind("", ""), "");
  execute("");
  ASSERT_EQ(parse("s", "select x from generate_series(1, 5) g(x) order by x"), "");
  ASSERT_EQ(bind("p", "s"), "");
  ASSERT_EQ(bind("q", "s"), "");
  EXPECT_EQ(execute("p", 2), "1;2");
  EXPECT_EQ(outcome_, ExecuteOutcome::kSuspended);
  EXPECT_THAT(sink_.reply.tags, IsEmpty());
  EXPECT_EQ(sync(), "");
  // Another portal, and another statement, in between.
  EXPECT_EQ(execute("q", 1), "1");
  EXPECT_EQ(execute("p", 2), "3;4");
  EXPECT_EQ(execute("p", 2), "5");
  EXPECT_EQ(outcome_, ExecuteOutcome::kComplete);
  EXPECT_EQ(execute("p", 2), "");
  EXPECT_EQ(outcome_, ExecuteOutcome::kComplete);
  EXPECT_EQ(execute("q"), "2;3;4;5");
  session_->close_portal("p");
  session_->close_portal("never made");
  execute("p");
  EXPECT_EQ(state_, "34000");
  EXPECT_EQ(session_->transaction(), TransactionStatus::kFailed);
  run(*session_, "rollback");
}

TEST_F(Extended, ADeclaredCursorTakesParametersAndIsAPortal) {
  ASSERT_EQ(parse("", "begin"), "");
  ASSERT_EQ(bind("", ""), "");
  execute("");
  ASSERT_EQ(parse("d",
                  "declare c cursor for select x, 'w' as w from generate_series(1, 5) g(x) "
                  "where x > $1 order by x",
                  {23}),
            "");
  EXPECT_THAT(session_->describe_statement("d", sink_)->parameter_types, ElementsAre(23U));
  EXPECT_EQ(bind("", "d"), "08P01");
  run(*session_, "rollback");
  run(*session_, "begin");
  ASSERT_EQ(bind("", "d", {binary({"\0\0\0\3", 4})}), "");
  execute("");
  EXPECT_EQ(state_, "");
  const SqlResult<std::vector<Field>> fields = session_->describe_portal("c");
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 2U);
  EXPECT_EQ(fields->at(1).name, "w");
  EXPECT_EQ(run(*session_, "fetch all from c").rows, "4|w;5|w");
  EXPECT_FALSE(session_->describe_portal("other"));
  run(*session_, "rollback");
}

TEST_F(Extended, ReadsBinaryIntervalsZonedTimesAndCodes) {
  const auto shown = [&](std::string_view sql, std::uint32_t type, std::string_view bytes) {
    EXPECT_EQ(parse("", sql, {type}), "");
    const std::string bound = bind("", "", {binary(bytes)});
    if (!bound.empty()) return bound;
    return execute("");
  };
  EXPECT_EQ(shown("select $1::varchar", 1266, {"\0\0\0\0\0\x0f\x42\x40\xff\xff\xf1\xf0", 12}),
            "00:00:01+01");
  EXPECT_EQ(shown("select $1::interval", 1186, {"\0\0\0\0\0\x0f\x42\x40\0\0\0\2\0\0\0\1", 16}),
            "1 mon 2 days 00:00:01");
  EXPECT_EQ(shown("select $1::interval", 1188, {"\0\0\0\x0e", 4}), "1 year 2 mons");
  EXPECT_EQ(shown("select $1::interval", 1190, {"\0\0\0\0\0\x0f\x42\x40", 8}), "00:00:01");
  EXPECT_EQ(shown("select $1::varchar", 2950,
                  {"\x12\x34\x56\x78\x12\x34\x12\x34\x12\x34\x12\x34\x56\x78\x9a\xbc", 16}),
            "12345678-1234-1234-1234-123456789abc");
  ASSERT_EQ(parse("", "select $1::varchar", {2950}), "");
  ASSERT_EQ(bind("", "", {text("12345678123412341234123456789abc")}), "");
  EXPECT_EQ(execute(""), "12345678-1234-1234-1234-123456789abc");
  EXPECT_EQ(shown("select $1::varchar", 3802, {"\1[1]", 4}), "[1]");
  EXPECT_EQ(shown("select $1::varchar", 114, "[1]"), "[1]");
  for (const std::uint32_t type : {1266U, 1186U, 1188U, 1190U, 2950U, 3802U})
    EXPECT_EQ(shown("select $1::varchar", type, "xy"), "22P03") << type;
}

TEST_F(Extended, NamesAreTakenUntilTheyAreClosed) {
  ASSERT_EQ(parse("s", "select 1"), "");
  EXPECT_EQ(parse("s", "select 2"), "42P05");
  ASSERT_EQ(bind("p", "s"), "");
  EXPECT_EQ(bind("p", "s"), "42P03");
  session_->close_statement("s");
  session_->close_statement("never made");
  EXPECT_EQ(parse("s", "select 2"), "");
  EXPECT_EQ(parse("", "select 3"), "");
  EXPECT_EQ(parse("", "select 4"), "");
  // Outside a transaction the portals end with Sync.
  EXPECT_EQ(sync(), "");
  execute("p");
  EXPECT_EQ(state_, "34000");
}

TEST_F(Extended, ChangesUpToSyncAreOneTransaction) {
  run(*session_, "create table synced (a int)");
  ASSERT_EQ(parse("s", "insert into synced values ($1)"), "");
  ASSERT_EQ(bind("", "s", {text("1")}), "");
  execute("");
  EXPECT_EQ(sink_.reply.tag(), "INSERT 0 1");
  ASSERT_EQ(bind("", "s", {text("no number")}), "");
  execute("");
  EXPECT_EQ(state_, "22P02");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select count(*) from synced"), "0");
  ASSERT_EQ(bind("", "s", {text("1")}), "");
  execute("");
  EXPECT_EQ(sync(), "");
  EXPECT_EQ(ask(*session_, "select count(*) from synced"), "1");
}

TEST_F(Extended, AnEmptyStatementIsEmpty) {
  ASSERT_EQ(parse("", "  "), "");
  const auto description = session_->describe_statement("", sink_);
  ASSERT_TRUE(description);
  EXPECT_FALSE(description->returns_rows);
  ASSERT_EQ(bind("", ""), "");
  execute("");
  EXPECT_EQ(outcome_, ExecuteOutcome::kEmpty);
  EXPECT_EQ(parse("", "select 1; select 2"), "42601");
}

TEST_F(Extended, APlanFollowsTheTableItReads) {
  run(*session_, "create table replanned (a int); insert into replanned values (1)");
  ASSERT_EQ(parse("s", "select a from replanned"), "");
  ASSERT_EQ(bind("", "s"), "");
  EXPECT_EQ(execute(""), "1");
  sync();
  run(*session_, "drop table replanned; create table replanned (b int, a int)");
  run(*session_, "insert into replanned values (2, 3)");
  ASSERT_EQ(bind("", "s"), "");
  EXPECT_EQ(execute(""), "3");
  sync();
  run(*session_, "drop table replanned");
  ASSERT_EQ(bind("", "s"), "");
  execute("");
  EXPECT_EQ(state_, "42P01");
}

// A driver that was told of the columns once reads every later row by them.
TEST_F(Extended, TheColumnsOfAPreparedStatementDoNotChange) {
  run(*session_, "create table kept (a int); insert into kept values (1)");
  ASSERT_EQ(parse("all", "select * from kept"), "");
  ASSERT_EQ(parse("one", "select a from kept where 1 = $1"), "");
  run(*session_, "alter table kept add column b int default 2");
  ASSERT_EQ(bind("", "all"), "");
  execute("");
  EXPECT_EQ(state_, "0A000");
  sync();
  EXPECT_FALSE(session_->describe_statement("all", sink_));
  sync();
  ASSERT_EQ(bind("", "one", {text("1")}), "");
  EXPECT_EQ(execute(""), "1");
  sync();
  run(*session_,
      "drop table kept; create table kept (a varchar(9)); insert into kept values ('x')");
  EXPECT_EQ(bind("", "one", {text("1")}), "0A000");
  sync();
  // Prepared anew, under another name too, it has the new columns.
  ASSERT_EQ(parse("again", "select a from kept where 1 = $1"), "");
  ASSERT_EQ(bind("", "again", {text("1")}), "");
  EXPECT_EQ(execute(""), "x");
}

// Drivers write a moment as text and leave its type to the server.
TEST_F(Extended, TextsOfMomentsAreReadAsLiteralsAre) {
  run(*session_,
      "set timezone to 'America/New_York'; create table moments (d date, ts timestamp,"
      " tz timestamptz)");
  const auto stored = [&](std::string_view value, std::vector<std::uint32_t> types) {
    run(*session_, "truncate moments");
    EXPECT_EQ(parse("", "insert into moments values ($1, $1, $1)", types), "");
    if (const std::string wrong = bind("", "", {text(value)}); !wrong.empty()) return wrong;
    execute("");
    sync();
    return state_.empty() ? ask(*session_, "select * from moments") : state_;
  };
  const auto read = [&](std::string_view type, std::string_view value) {
    EXPECT_EQ(parse("", "select $1::" + std::string(type)), "");
    if (const std::string wrong = bind("", "", {text(value)}); !wrong.empty()) return wrong;
    const std::string rows = execute("");
    sync();
    return state_.empty() ? rows : state_;
  };
  // The zone says nothing where the type has none, and the session's counts where there is none.
  EXPECT_EQ(read("timestamp", "2024-05-06 07:08:09.5-04"), "2024-05-06 07:08:09.5");
  EXPECT_EQ(read("timestamp", "2024-05-06T07:08:09+02:00"), "2024-05-06 07:08:09");
  EXPECT_EQ(read("timestamptz", "2024-05-06 07:08:09"), "2024-05-06 11:08:09+00");
  EXPECT_EQ(read("timestamptz", "2024-05-06 07:08:09+00"), "2024-05-06 07:08:09+00");
  EXPECT_EQ(read("timestamptz", "2024-05-06 07:08:09 US/Pacific"), "2024-05-06 14:08:09+00");
  EXPECT_EQ(read("timestamptz", "2024-05-06 -07"), "2024-05-06 07:00:00+00");
  EXPECT_EQ(read("date", "2024-05-06 -04"), "2024-05-06");
  EXPECT_EQ(read("date", "May 6, 2024"), "2024-05-06");
  EXPECT_EQ(read("date", "2024-05-32"), "22008");
  EXPECT_EQ(read("date", "soon"), "22007");
  EXPECT_EQ(stored("2024-05-06 07:08:09-05", {}),
            "2024-05-06|2024-05-06 07:08:09|2024-05-06 12:08:09+00");
  run(*session_, "prepare put as insert into moments values ($1, $2, $3)");
  run(*session_, "truncate moments");
  run(*session_, "execute put('2024-05-06 -04', '2024-05-06 07:08:09-04', '2024-05-06 07:08:09')");
  EXPECT_EQ(ask(*session_, "select * from moments"),
            "2024-05-06|2024-05-06 07:08:09|2024-05-06 11:08:09+00");
  run(*session_, "begin");
  EXPECT_EQ(parse("", "declare c cursor for select d from moments where tz = $1", {1184}), "");
  EXPECT_EQ(bind("", "", {text("2024-05-06 07:08:09")}), "");
  execute("");
  EXPECT_EQ(state_, "");
  EXPECT_EQ(ask(*session_, "fetch all from c"), "2024-05-06");
  run(*session_, "rollback");
}

TEST_F(Extended, PortalsOfChangesAreGoneWhenTheyHaveRun) {
  run(*session_, "create table batch (a int); begin");
  ASSERT_EQ(parse("put", "insert into batch values ($1)"), "");
  for (int i = 0; i < 1500; ++i) {
    const std::string name = "p" + std::to_string(i);
    ASSERT_EQ(bind(name, "put", {text("1")}), "") << i;
    execute(name);
    ASSERT_EQ(state_, "") << i;
  }
  execute("p1");
  EXPECT_EQ(state_, "34000");
  run(*session_, "rollback");
}

TEST_F(Extended, ATextThatIsNoTextIsRefused) {
  ASSERT_EQ(parse("s", "select $1::varchar"), "");
  EXPECT_EQ(bind("", "s", {text("\xff")}), "22021");
  EXPECT_EQ(bind("", "s", {text({"a\0b", 3})}), "22021");
}

TEST_F(Extended, ACallIsRefusedWhenItIsPrepared) {
  EXPECT_EQ(parse("s", "call nowhere($1)"), "42883");
  EXPECT_EQ(parse("s", "select 1"), "");
}

// The answer to literals alone is kept with the plan, and handed out again.
TEST_F(Extended, AConstantAnswersTheSameEachTime) {
  const std::string constant = "select 1 as one, 'long enough to be no short string', null, true";
  for (int i = 0; i < 3; ++i) {
    const Reply reply = run(*session_, constant);
    EXPECT_EQ(reply.rows, "1|long enough to be no short string|~|t");
    ASSERT_EQ(reply.fields.size(), 4U);
    EXPECT_EQ(reply.fields[0].name, "one");
    EXPECT_EQ(reply.tag(), "SELECT");
  }
  ASSERT_EQ(parse("c", "select 1"), "");
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(bind("p", "c"), "");
    EXPECT_EQ(execute("p", 1), "1");
    EXPECT_EQ(outcome_, ExecuteOutcome::kSuspended);
    EXPECT_EQ(execute("p", 1), "");
    EXPECT_EQ(outcome_, ExecuteOutcome::kComplete);
    session_->close_portal("p");
  }
  // It asks nothing of a failed block's engine, but is refused there as any other.
  run(*session_, "begin");
  EXPECT_EQ(ask(*session_, "select 1"), "1");
  EXPECT_EQ(state_of(*session_, "select * from missing"), "42P01");
  EXPECT_EQ(state_of(*session_, "select 1"), "25P02");
  run(*session_, "rollback");
  // With more than literals it is not constant.
  const std::string first = ask(*session_, "select random()");
  EXPECT_NE(ask(*session_, "select random()"), first);
}

TEST_F(Extended, PrepareAndExecuteWork) {
  run(*session_, "create table by_name (a int, b varchar(9))");
  EXPECT_EQ(
      run(*session_, "prepare put (int, varchar) as insert into by_name values ($1, $2)").tag(),
      "PREPARE");
  EXPECT_EQ(run(*session_, "execute put(1 + 1, 'x')").tag(), "INSERT 0 1");
  run(*session_, "prepare get (int) as select b from by_name where a = $1");
  EXPECT_EQ(ask(*session_, "execute get(2)"), "x");
  EXPECT_EQ(state_of(*session_, "execute get(1, 2)"), "42601");
  EXPECT_EQ(state_of(*session_, "prepare get as select 1"), "42P05");
  EXPECT_EQ(run(*session_, "deallocate get").tag(), "DEALLOCATE");
  EXPECT_EQ(state_of(*session_, "execute get(2)"), "26000");
  EXPECT_EQ(state_of(*session_, "deallocate get"), "26000");
  run(*session_, "deallocate all");
  EXPECT_EQ(state_of(*session_, "execute put(1, 'x')"), "26000");
}

}  // namespace
}  // namespace leat::session
