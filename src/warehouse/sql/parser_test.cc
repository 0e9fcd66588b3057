#include "warehouse/sql/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "warehouse/sql/golden_test.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {
namespace {

std::string shown(const SqlError& error) {
  return error.sqlstate + " " + error.message + " @" + std::to_string(error.position);
}

std::string dumped(const std::string& text) {
  const auto script = parse_script(text);
  if (!script) return shown(script.error());
  if (script->size() != 1) return std::to_string(script->size()) + " statements";
  return dump(script->front().statement);
}

TEST(Parser, Statements) {
  check_golden("statements.txt", dumped);
}
TEST(Parser, Queries) {
  check_golden("queries.txt", dumped);
}

TEST(Parser, CanonicalTextParsesToTheSameTree) {
  for (const std::string file : {"statements.txt", "queries.txt"}) {
    check_golden_inputs(file, [](const std::string& text) {
      const auto script = parse_script(text);
      ASSERT_TRUE(script) << text;
      const std::string canonical = redshift_text(script->front().statement);
      if (canonical.empty()) return;
      EXPECT_EQ(dumped(canonical), dump(script->front().statement)) << text << "\n" << canonical;
    });
  }
}

TEST(Parser, SplitsScripts) {
  const std::string script = " ;; select ';' ; /* ; */ begin;select \"a;b\" from t;;commit ; ";
  const auto parsed = parse_script(script);
  ASSERT_TRUE(parsed);
  std::vector<std::string> texts;
  for (const ParsedStatement& statement : *parsed) texts.emplace_back(statement.text(script));
  EXPECT_THAT(texts,
              testing::ElementsAre("select ';'", "begin", "select \"a;b\" from t", "commit"));
  EXPECT_TRUE(parse_script(" -- nothing\n ; ")->empty());
}

TEST(Parser, CountsParameters) {
  EXPECT_EQ(parse_script("select $2, $1")->front().parameter_count, 2);
  EXPECT_EQ(parse_script("select 1")->front().parameter_count, 0);
  EXPECT_EQ(parse_script("with a as (select $3) select $1 from a")->front().parameter_count, 3);
}

TEST(Parser, OneStatementOnly) {
  EXPECT_FALSE(parse_statement("")->has_value());
  EXPECT_TRUE(parse_statement("select 1;")->has_value());
  EXPECT_EQ(parse_statement("select 1; select 2").error().sqlstate, "42601");
}

struct ErrorCase {
  std::string_view script;
  std::string_view error;
};

TEST(Parser, ErrorsNameThePlace) {
  const ErrorCase cases[] = {
      {"selec 1", "42601 syntax error at or near \"selec\" @1"},
      {"select", "42601 syntax error at end of input @7"},
      {"select 1 +", "42601 syntax error at end of input @11"},
      {"select (1", "42601 syntax error at end of input @10"},
      {"select 1;\nselect from t", "42601 syntax error at or near \"from\" @18"},
      {"select '\xc3\xa9\xc3\xa9', ) from t", "42601 syntax error at or near \")\" @14"},
      {"select a from t where", "42601 syntax error at end of input @22"},
      {"select a from t group order", "42601 syntax error at or near \"group\" @17"},
      {"select a b c", "42601 syntax error at or near \"c\" @12"},
      {"create table t (user int)", "42601 syntax error at or near \"user\" @17"},
      {"create table t (a int,)", "42601 syntax error at or near \")\" @23"},
      {"create table t (xmin int)",
       "42701 column name \"xmin\" conflicts with a system column name @17"},
      {"create table t (a int, a int)", "42701 column \"a\" specified more than once @14"},
      {"create table t (a json)", "0A000 Column \"a\" has unsupported type \"json\". @17"},
      {"create table t (a int[])", "0A000 Column \"a\" has unsupported type \"integer[]\". @17"},
      {"create table t (a nonsense)", "42704 type \"nonsense\" does not exist @17"},
      {"create table t (a varchar(70000))",
       "22023 length for type character varying must be between 1 and 65535 @26"},
      {"create table t (a decimal(39,0))",
       "22023 NUMERIC precision 39 must be between 1 and 38 @26"},
      {"create table t (a int check (a > 0))", "0A000 CHECK constraint is not supported @23"},
      {"create table t (a int distkey, b int distkey)",
       "42601 cannot specify more than one distkey @14"},
      {"create table t (a int distkey) diststyle even",
       "42601 cannot specify a distkey with a diststyle other than KEY @14"},
      {"create index i on t (a)", "0A000 CREATE INDEX is not supported @1"},
      {"create function f() returns int as $$ select 1 $$ language sql",
       "42601 syntax error at or near \"as\" @33"},
      {"create function f(x int) returns int stable as $$ return x $$ language plpythonu",
       "0A000 a function with named parameters is not supported @19"},
      {"create function f(int) returns int stable as $$ return x $$ language plpythonu",
       "0A000 CREATE FUNCTION ... LANGUAGE plpythonu is not supported @70"},
      {"create function f(int) returns int stable as select 1 language sql",
       "42601 syntax error at or near \"select\" @46"},
      {"create procedure p() as $$ begin end $$ language plpgsql",
       "0A000 CREATE PROCEDURE is not supported @1"},
      {"drop function f", "42601 syntax error at end of input @16"},
      {"savepoint a", "0A000 SAVEPOINT is not supported @1"},
      {"insert into t values (1) returning a", "0A000 RETURNING is not supported @26"},
      {"insert into t values (1) on conflict do nothing",
       "0A000 INSERT ... ON CONFLICT is not supported; use MERGE @26"},
      {"copy t from stdin", "42601 syntax error at or near \"stdin\" @13"},
      {"copy t from 's3://a' iam_role default iam_role 'x'",
       "42601 conflicting or redundant credentials options @39"},
      {"copy t from 's3://a' csv json", "42601 conflicting or redundant format options @26"},
      {"copy t from 's3://a' nonsense", "42601 syntax error at or near \"nonsense\" @22"},
      {"copy t from 's3://a' maxerror 100001", "22023 MAXERROR must be between 0 and 100000 @22"},
      {"unload ('selec 1') to 's3://a' iam_role default",
       "42601 syntax error at or near \"selec\" @9"},
      {"unload ('select 1 limit 1') to 's3://a' iam_role default",
       "0A000 Limit clause is not supported; nest the query: select * from (select ... limit n) "
       "@9"},
      {"alter table t alter column a type int",
       "0A000 ALTER COLUMN TYPE is only supported for varchar/varbyte columns @28"},
      {"alter table t add column a int not null",
       "42601 ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression "
       "@26"},
      {"declare c cursor with hold for select 1", "0A000 WITH HOLD cursor is not supported @18"},
      {"fetch backward from c", "0A000 cursor can only scan forward @7"},
      {"select a from t start with a = b", "42601 syntax error at end of input @33"},
      {"select a except all select b", "0A000 EXCEPT ALL is not supported @10"},
      {"select $0", "42P02 there is no parameter $0 @8"},
      {"select 1 for update", "0A000 SELECT FOR UPDATE/SHARE is not supported @10"},
      {"select a from t fetch first 1 rows only",
       "0A000 FETCH FIRST is not supported; use LIMIT @17"},
      {"grant select on t", "42601 syntax error at end of input @18"},
      {"create user u", "42601 CREATE USER requires a PASSWORD clause @14"},
      {"select 'a\xff'", "22021 invalid byte sequence for encoding \"UTF8\" @0"},
  };
  for (const ErrorCase& entry : cases)
    EXPECT_EQ(dumped(std::string(entry.script)), entry.error) << entry.script;
}

/// Runs on a thread with the default stack, as a session does.
std::string error_of_deep(const std::string& text) {
  std::string result;
  std::thread([&] {
    const auto script = parse_script(text);
    result = script ? "parsed" : script.error().sqlstate;
  }).join();
  return result;
}

std::string repeated(std::string_view piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Parser, RefusesDepthNotLength) {
  constexpr int kMany = 20000;
  EXPECT_EQ(error_of_deep("select " + repeated("(", kMany) + "1" + repeated(")", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select " + repeated("- ", kMany) + "1"), "54001");
  EXPECT_EQ(error_of_deep("select " + repeated("not ", kMany) + "true"), "54001");
  EXPECT_EQ(error_of_deep("select 1" + repeated(" + 1", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select a" + repeated("::int", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select 1" + repeated(" union select 1", kMany)), "54001");
  EXPECT_EQ(error_of_deep(repeated("select * from (", kMany)), "54001");
  EXPECT_EQ(error_of_deep(repeated("explain ", kMany) + "select 1"), "42601");
  EXPECT_EQ(error_of_deep("select " + repeated("case when ", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select " + repeated("f(", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select * from t" + repeated(" join t", kMany)), "54001");
  EXPECT_EQ(error_of_deep("select * from " + repeated("(", kMany)), "54001");
  // Wide is fine.
  EXPECT_EQ(error_of_deep("select 1" + repeated(", 1", kMany)), "parsed");
  EXPECT_EQ(error_of_deep("select a = 1" + repeated(" or a = 1", kMany)), "parsed");
  EXPECT_EQ(error_of_deep("select a in (1" + repeated(", 1", kMany) + ")"), "parsed");
  EXPECT_EQ(error_of_deep("select 1" + repeated(" + 1", 900)), "parsed");
  EXPECT_EQ(error_of_deep("select " + repeated("(", 200) + "1" + repeated(")", 200)), "parsed");
  EXPECT_EQ(error_of_deep(repeated("select 1;", kMany)), "parsed");
}

TEST(Parser, DeepestAllowedTreesSurviveEveryWalk) {
  std::string result;
  const std::string text =
      "select " + repeated("not (", 240) + "0 < 1" + repeated(" + 1", 700) + repeated(")", 240);
  std::thread([&] {
    auto script = parse_script(text);
    ASSERT_TRUE(script) << shown(script.error());
    const Statement& statement = script->front().statement;
    result = dump(statement) + redshift_text(statement);
    EXPECT_TRUE(translate(statement, {}));
    EXPECT_TRUE(referenced_tables(statement).empty());
  }).join();
  EXPECT_GT(result.size(), text.size());
}

TEST(Parser, TypeNames) {
  EXPECT_EQ(format_type(parse_type_name("varchar(10)")), "character varying(10)");
  EXPECT_EQ(format_type(column_type(parse_type_name("text"))), "character varying(256)");
  EXPECT_EQ(format_type(column_type(parse_type_name("decimal"))), "numeric(18,0)");
  EXPECT_EQ(format_type(column_type(parse_type_name("numeric(5)"))), "numeric(5,0)");
  EXPECT_EQ(format_type(parse_type_name("timestamp with time zone")), "timestamp with time zone");
  EXPECT_EQ(format_type(column_type(parse_type_name("bpchar"))), "character(256)");
  EXPECT_EQ(parse_type_name("nonsense here").kind, TypeKind::kOther);
  for (const std::string_view type : {"boolean",
                                      "smallint",
                                      "integer",
                                      "bigint",
                                      "numeric(38,10)",
                                      "real",
                                      "double precision",
                                      "character(5)",
                                      "character varying(256)",
                                      "date",
                                      "time without time zone",
                                      "time with time zone",
                                      "timestamp without time zone",
                                      "timestamp with time zone",
                                      "super",
                                      "binary varying(64000)",
                                      "hllsketch",
                                      "geometry",
                                      "geography",
                                      "interval year to month",
                                      "interval day to second",
                                      "oid",
                                      "name"}) {
    EXPECT_EQ(format_type(parse_type_name(type)), type);
  }
  EXPECT_EQ(duckdb_type(parse_type_name("varchar(10)")), "VARCHAR");
  EXPECT_EQ(duckdb_type(parse_type_name("decimal(10,2)")), "DECIMAL(10,2)");
  EXPECT_EQ(type_oid(parse_type_name("varchar(10)")), 1043U);
  EXPECT_EQ(type_oid(parse_type_name("int[]")), 1007U);
  EXPECT_EQ(type_oid(parse_type_name("super")), 4000U);
}

TEST(Parser, UserNamesAndPasswordsKeepTheirCase) {
  const auto script = parse_script("create user \"Bob\" password \"S3cret\"");
  ASSERT_TRUE(script);
  const auto* user = get_if<CreateUserStatement>(script->front().statement);
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->name, "Bob");
  EXPECT_EQ(user->options.password, "S3cret");
  EXPECT_THAT(dump(script->front().statement), testing::Not(testing::HasSubstr("S3cret")));
}

}  // namespace
}  // namespace leat::sql
