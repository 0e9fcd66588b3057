#include "warehouse/sql/translate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "warehouse/sql/focus.h"
#include "warehouse/sql/function_table.h"
#include "warehouse/sql/golden_test.h"

namespace leat::sql {
namespace {

/// A catalog of two tables: web.orders (typed columns) and the view web.v.
class FakeCatalog : public RelationLookup {
 public:
  FakeCatalog() {
    add("web.orders", RelationKind::kTable,
        {{"id", "bigint"},
         {"name", "varchar(10)"},
         {"code", "char(3)"},
         {"amount", "decimal(8,2)"},
         {"ratio", "double precision"},
         {"small", "smallint"},
         {"day", "date"},
         {"at", "timestamp"},
         {"doc", "super"},
         {"flag", "boolean"}});
    add("orders", RelationKind::kTable, {{"id", "bigint"}, {"name", "varchar(10)"}});
    add("web.v", RelationKind::kView, {{"id", "integer"}});
  }
  SqlResult<const Relation*> find(const QualifiedName& name) const override {
    const auto found = relations_.find(name.to_string());
    if (found != relations_.end()) return &found->second;
    if (name.name() == "missing") return sql_fail("42P01", "relation \"missing\" does not exist");
    return nullptr;
  }

 private:
  void add(const std::string& name, RelationKind kind,
           const std::vector<std::pair<std::string, std::string>>& columns) {
    Relation& relation = relations_[name];
    relation.kind = kind;
    relation.duckdb_name =
        name == "orders" ? "\"public\".\"orders\"" : "\"web\"." + quote_identifier(name.substr(4));
    for (const auto& [column, type] : columns) {
      relation.columns.push_back({column, column_type(parse_type_name(type)), false, false});
    }
  }
  std::map<std::string, Relation> relations_;
};

std::string translated(const std::string& text) {
  static const FakeCatalog kCatalog;
  TranslateContext context;
  context.relations = &kCatalog;
  context.system_schema = "sys";
  context.function_schema = "fn";
  const auto script = parse_script(text);
  if (!script) return script.error().sqlstate + " " + script.error().message;
  std::string result;
  for (const ParsedStatement& parsed : *script) {
    const auto translation = translate(parsed.statement, context);
    if (!translation) {
      const SqlError& error = translation.error();
      return error.sqlstate + " " + error.message + " @" + std::to_string(error.position);
    }
    for (const std::string& statement : translation->statements)
      result += (result.empty() ? "" : "; ") + statement;
  }
  return result.empty() ? "(nothing)" : result;
}

TEST(Translate, Table) {
  check_golden("translations.txt", translated);
}

TEST(Translate, DeclaredParametersAreCast) {
  TranslateContext context;
  context.parameter_types = {parse_type_name("int"), TypeName{}, parse_type_name("timestamp")};
  const auto script = parse_script("select $1, $2, $3");
  EXPECT_EQ(translate(script->front().statement, context)->statements.front(),
            "SELECT CAST($1 AS INTEGER) AS \"?column?\", $2 AS \"?column?\", CAST($3 AS TIMESTAMP) "
            "AS \"?column?\"");
}

TEST(Translate, DeclaredNumericParametersKeepTheirDecimals) {
  TranslateContext context;
  context.parameter_types = {parse_type_name("numeric"), parse_type_name("numeric")};
  context.parameter_types[0].precision = context.parameter_types[1].precision = -1;
  const auto script = parse_script("select $1 + 1, $2::numeric(7,2)");
  EXPECT_THAT(translate(script->front().statement, context)->statements.front(),
              testing::HasSubstr("CAST($1 AS DECIMAL(38,10))"));
  EXPECT_THAT(translate(script->front().statement, context)->statements.front(),
              testing::HasSubstr("CAST($2 AS DECIMAL(7,2))"));
}

TEST(Translate, ErrorPositionsCountCharacters) {
  TranslateContext context;
  const std::string_view text = "select '\u00e4\u00e4', nvl2(1)";
  context.script = text;
  const auto script = parse_script(text);
  ASSERT_TRUE(script);
  EXPECT_EQ(translate(script->front().statement, context).error().position, 14U);
}

TEST(Translate, OutputIsBounded) {
  // Each level of DECODE repeats its operand four times.
  std::string text = "x";
  for (int i = 0; i < 40; ++i) text = fmt::format("decode({},1,2,3,4,5,6,7,8)", text);
  const auto script = parse_script("select " + text);
  ASSERT_TRUE(script);
  EXPECT_EQ(translate(script->front().statement, {}).error().sqlstate, "54000");
}

/// How deep brackets stand in each other.
int bracket_depth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  for (const char each : text) {
    depth += each == '(' ? 1 : (each == ')' ? -1 : 0);
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

std::string chained(std::string_view term, std::string_view op, int count) {
  std::string text(term);
  for (int i = 1; i < count; ++i) text.append(op).append(term);
  return text;
}

TEST(Translate, LongChainsAreShallow) {
  const auto depth = [](const std::string& value) {
    return bracket_depth(translated("select " + value + " as x from web.orders"));
  };
  EXPECT_LE(depth(chained("name", "||", 900)), 12);
  EXPECT_LE(depth(chained("id", "+", 900)), 12);
  EXPECT_LE(depth(chained("(case when flag then 1 else 0 end)", "+", 900)), 12);
  EXPECT_LE(depth(chained("name", " || ' - ' || ", 200)), 12);
}

TEST(Translate, RefusesWhatTheEngineWouldPlanForMinutes) {
  const auto error = [](const std::string& value) {
    return translated("select " + value + " as x from web.orders").substr(0, 37);
  };
  EXPECT_EQ(error(chained("ratio", "+", 301)), "54001 expression is too complex, limi");
  EXPECT_EQ(error(chained("amount", "-", 301)), "54001 expression is too complex, limi");
  EXPECT_EQ(error(chained("flag", " or ", 10'001)), "54001 condition is too complex, limit");
  EXPECT_EQ(error(chained("flag", " or ", 10'000)).substr(0, 6), "SELECT");
  EXPECT_EQ(error(chained("amount", "-", 290)).substr(0, 6), "SELECT");
  // Operands of several types: from left to right, as the type of each sum follows from them.
  EXPECT_EQ(error("small + " + chained("id", "+", 301)), "54001 expression is too complex, limi");
}

TEST(Translate, QueriesPsqlSends) {
  const std::string path = std::string(LEAT_TESTDATA) + "/../../../../tests/sql/psql_queries.sql";
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto script = parse_script(text);
  ASSERT_TRUE(script) << script.error().message << " @" << script.error().position;
  EXPECT_GE(script->size(), 25U);
  for (const ParsedStatement& parsed : *script) {
    const auto translation = translate(parsed.statement, {});
    EXPECT_TRUE(translation) << parsed.text(text);
    for (const TableAccess& access : referenced_tables(parsed.statement)) {
      EXPECT_TRUE(is_system_relation(access.table)) << access.table.to_string();
    }
  }
}

struct Facts {
  std::string_view text;
  std::string_view kind;
  std::string_view tag;
  bool rows;
  bool writes;
  bool alone;
};

TEST(Analysis, FactsOfStatements) {
  const Facts cases[] = {
      {"select 1", "SELECT", "SELECT", true, false, false},
      {"insert into t values (1)", "INSERT", "INSERT 0", false, true, false},
      {"update t set a = 1", "UPDATE", "UPDATE", false, true, false},
      {"delete from t", "DELETE", "DELETE", false, true, false},
      {"create table t as select 1 as a", "CREATE TABLE AS", "SELECT", false, true, false},
      {"select 1 as a into t", "CREATE TABLE AS", "SELECT", false, true, false},
      {"create table t (a int)", "CREATE TABLE", "CREATE TABLE", false, true, false},
      {"drop view v", "DROP VIEW", "DROP VIEW", false, true, false},
      {"drop database d", "DROP DATABASE", "DROP DATABASE", false, true, true},
      {"create database d", "CREATE DATABASE", "CREATE DATABASE", false, true, true},
      {"begin", "BEGIN", "BEGIN", false, false, false},
      {"start transaction", "START TRANSACTION", "START TRANSACTION", false, false, false},
      {"end", "COMMIT", "COMMIT", false, false, false},
      {"abort", "ROLLBACK", "ROLLBACK", false, false, false},
      {"revoke select on t from u", "REVOKE", "REVOKE", false, true, false},
      {"copy t from 's3://b/k' iam_role default", "COPY", "COPY", false, true, false},
      {"unload ('select 1') to 's3://b/k' iam_role default", "UNLOAD", "UNLOAD", false, false,
       false},
      {"show all", "SHOW", "SHOW", true, false, false},
      {"explain delete from t", "EXPLAIN", "EXPLAIN", true, false, false},
      {"analyze t", "ANALYZE", "ANALYZE", false, false, false},
      {"analyze compression t", "ANALYZE", "ANALYZE", true, false, false},
      {"vacuum", "VACUUM", "VACUUM", false, false, true},
      {"alter table t alter column c type varchar(9)", "ALTER TABLE", "ALTER TABLE", false, true,
       true},
      {"alter table t add column c int", "ALTER TABLE", "ALTER TABLE", false, true, false},
      {"declare c cursor for select 1", "DECLARE CURSOR", "DECLARE CURSOR", false, false, false},
      {"fetch 5 from c", "FETCH", "FETCH", true, false, false},
      {"truncate t", "TRUNCATE", "TRUNCATE TABLE", false, true, false},
  };
  for (const Facts& entry : cases) {
    const auto script = parse_script(entry.text);
    ASSERT_TRUE(script) << entry.text;
    const Statement& statement = script->front().statement;
    EXPECT_EQ(statement_kind(statement), entry.kind) << entry.text;
    EXPECT_EQ(command_tag(statement), entry.tag) << entry.text;
    EXPECT_EQ(returns_rows(statement), entry.rows) << entry.text;
    EXPECT_EQ(writes(statement), entry.writes) << entry.text;
    EXPECT_EQ(forbidden_in_transaction(statement), entry.alone) << entry.text;
  }
}

std::string references(std::string_view text) {
  static constexpr std::string_view kAccess[] = {
      "select", "insert", "update", "delete", "truncate", "alter", "drop", "lock", "reference"};
  const auto script = parse_script(text);
  if (!script) return script.error().message;
  std::string result;
  for (const TableAccess& access : referenced_tables(script->front().statement)) {
    if (!result.empty()) result += ", ";
    result += std::string(kAccess[static_cast<std::size_t>(access.access)]) + " " +
              access.table.to_string();
  }
  return result;
}

TEST(Analysis, ReferencedTables) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"select * from a, s.b x join c on true", "select a, select s.b, select c"},
      {"select (select max(x) from b) from a where exists (select 1 from c) order by (select 1 "
       "from d)",
       "select a, select b, select c, select d"},
      {"with a as (select * from t), b as (select * from a) select * from b, a, s.a",
       "select t, select s.a"},
      {"with recursive c as (select 1 union all select * from c) select * from c", ""},
      {"select * from (with x as (select * from t) select * from x) y, x", "select t, select x"},
      {"select * from t o, o.items i, i.subs s", "select t"},
      {"insert into a (x) select y from b", "insert a, select b"},
      {"insert into a with c as (select * from b) select * from c", "insert a, select b"},
      {"update a set x = b.y from b where a.id = b.id", "update a, select b, select a"},
      {"update a set x = 1", "update a"},
      {"delete from a", "delete a"},
      {"delete from a using b where a.id = b.id", "delete a, select b, select a"},
      {"merge into a using b on a.id = b.id when matched then update set x = 1 when not matched "
       "then insert values (1)",
       "select a, update a, insert a, select b"},
      {"create table a as select * from b", "select b"},
      {"create view v as select * from b", "select b"},
      {"create table a (like b)", "reference b"},
      {"alter table a append from b", "alter a, alter b"},
      {"drop table a, b", "drop a, drop b"},
      {"drop schema s", ""},
      {"truncate a", "truncate a"},
      {"lock table a, b", "lock a, lock b"},
      {"copy a from 's3://b/k' iam_role default", "insert a"},
      {"unload ('select * from a') to 's3://b/k' iam_role default", "select a"},
      {"declare c cursor for select * from a", "select a"},
      {"explain insert into a select * from b", "insert a, select b"},
      {"prepare p as delete from a", "delete a"},
      {"select count(*) over (partition by (select 1 from a)) from b", "select b, select a"},
      {"grant select on a to u", ""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(references(text), expected) << text;
}

TEST(Analysis, SystemRelations) {
  const auto system = [](std::string_view text) {
    QualifiedName name;
    name.parts.emplace_back(text.substr(0, text.find('.')));
    if (text.find('.') != std::string_view::npos)
      name.parts.emplace_back(text.substr(text.find('.') + 1));
    return is_system_relation(name);
  };
  for (const std::string_view name :
       {"pg_class", "pg_catalog.pg_class", "information_schema.tables", "svv_tables", "stl_query",
        "stv_recents", "sys_query_history", "svl_qlog"}) {
    EXPECT_TRUE(system(name)) << name;
  }
  for (const std::string_view name :
       {"orders", "public.pg_class", "sys_users", "web.svv_tables", "tables"}) {
    EXPECT_FALSE(system(name)) << name;
  }
}

TEST(Analysis, FocusOfQuestionsAboutTheCatalog) {
  const auto focus_of = [](const std::string& text) -> std::string {
    const auto parsed = parse_script(text);
    if (!parsed || parsed->size() != 1) return "error";
    const auto focus = catalog_focus(parsed->front().statement);
    if (!focus) return "all";
    std::string out = focus->schema + ":";
    for (const std::string& relation : focus->relations) out += relation + ";";
    return out;
  };
  const std::pair<const char*, const char*> kCases[] = {
      {"select * from svv_columns where table_schema = 'web'", "web:"},
      {"select 1 from svv_columns c where c.table_schema = 'web' and table_name in ('b', 'a')",
       "web:a;b;"},
      {"select 1 from information_schema.columns where (table_name = 'a' and table_schema = 'w') "
       "and ordinal_position > 1",
       "w:a;"},
      {"select 1 from pg_table_def where schemaname = 'w' and tablename = 'a'", "w:a;"},
      {"select 1 from pg_catalog.pg_tables where schemaname in ('w')", "w:"},
      // Not one schema for certain:
      {"select 1 from svv_columns", "all"},
      {"select 1 from svv_columns where table_name = 'a'", "all"},
      {"select 1 from svv_columns where table_schema in ('a', 'b')", "all"},
      {"select 1 from svv_columns where table_schema = 'a' or table_name = 'b'", "all"},
      {"select 1 from svv_columns where not (table_schema = 'a')", "all"},
      {"select 1 from svv_columns where table_schema not in ('a')", "all"},
      {"select 1 from svv_columns where table_schema <> 'a'", "all"},
      {"select 1 from svv_columns where table_schema = lower('A')", "all"},
      {"select 1 from svv_columns where table_schema = 'a '", "all"},
      {"select 1 from svv_columns where table_schema = $1", "all"},
      // Other relations have a say:
      {"select 1 from svv_columns where table_schema = 'a' and table_name in (select table_name "
       "from svv_columns where table_schema = 'b')",
       "all"},
      {"select (select count(*) from svv_columns) from svv_columns where table_schema = 'a'",
       "all"},
      {"select 1 from svv_columns, pg_class where table_schema = 'a'", "all"},
      {"with x as (select 1) select 1 from svv_columns where table_schema = 'a'", "all"},
      {"select 1 from svv_columns where table_schema = 'a' union select 1 from svv_columns", "all"},
      {"select 1 from other.svv_columns where table_schema = 'a'", "all"},
      {"select 1 from db.information_schema.columns where table_schema = 'a'", "all"},
      {"select 1 from pg_class where relname = 'a'", "all"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(focus_of(text), expected) << text;
}

TEST(FunctionTable, IsSortedAndEveryRowSaysHowItDiffers) {
  const FunctionEntry* previous = nullptr;
  for (const FunctionEntry& entry : function_table()) {
    if (previous != nullptr) {
      EXPECT_LE(previous->name, entry.name);
      if (previous->name == entry.name) {
        EXPECT_GT(entry.arguments_min, previous->arguments_max) << entry.name;
      }
    }
    if (entry.state == FunctionState::kApproximate) {
      EXPECT_FALSE(entry.note.empty()) << entry.name;
    }
    EXPECT_EQ(entry.state == FunctionState::kUnsupported, entry.rewrite == FunctionRewrite::kNone)
        << entry.name;
    previous = &entry;
  }
}

TEST(FunctionTable, ReferencePageIsTheTable) {
  const std::string path =
      std::string(LEAT_TESTDATA) + "/../../../../docs/reference/sql-functions.md";
  std::ifstream file(path);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string marker = "<!-- generated -->\n";
  const std::size_t at = page.find(marker);
  ASSERT_NE(at, std::string::npos) << path;
  const std::string head = page.substr(0, at + marker.size());
  if (updating_testdata()) {
    std::ofstream(path) << head << function_reference();
    return;
  }
  EXPECT_EQ(page, head + function_reference())
      << "create testdata/update and run again to rewrite the page";
}

}  // namespace
}  // namespace leat::sql
