// Views of the three kinds, and the statements with which dbt replaces relations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Views, ABoundViewMayNameItsColumns) {
  const auto one = open_session();
  run(*one, "create table named (a int, b varchar(5)); insert into named values (1, 'x')");
  EXPECT_EQ(run(*one, "create view named_view (first, second) as select a, b from named").tag(),
            "CREATE VIEW");
  EXPECT_EQ(ask(*one, "select second, first from named_view"), "x|1");
  EXPECT_EQ(state_of(*one, "create view named_view as select 1 as a"), "42P07");
  EXPECT_EQ(state_of(*one, "create or replace view named_view as select 1 as a"), "42P16");
  EXPECT_EQ(state_of(*one,
                     "create or replace view named_view (first, second) as select a + 1, b "
                     "from named"),
            "");
  EXPECT_EQ(ask(*one, "select * from named_view"), "2|x");
  EXPECT_EQ(state_of(*one, "insert into named_view values (1, 'y')"), "42809");
  EXPECT_EQ(state_of(*one, "drop table named_view"), "42809");
  EXPECT_EQ(state_of(*one, "drop table named"), "2BP01");
  EXPECT_EQ(run(*one, "drop view named_view").tag(), "DROP VIEW");
}

TEST(Views, BoundViewsFollowARenamedTable) {
  const auto one = open_session();
  run(*one, "create schema moved; set search_path to moved");
  run(*one, "create table t (a int); insert into t values (1)");
  run(*one, "create view v as select t.a, (select max(a) from t) as m from t where t.a = 1");
  run(*one, "create view w as select x.a from v x");
  EXPECT_EQ(run(*one, "alter table t rename to renamed").tag(), "ALTER TABLE");
  EXPECT_EQ(ask(*one, "select * from v"), "1|1");
  EXPECT_EQ(ask(*one, "select * from w"), "1");
  // Another table under the old name changes nothing.
  run(*one, "create table t (a int); insert into t values (2)");
  EXPECT_EQ(ask(*one, "select * from v"), "1|1");
  run(*one, "set search_path to public");
  EXPECT_EQ(run(*one, "alter table moved.v rename to v2").tag(), "ALTER TABLE");
  EXPECT_EQ(ask(*one, "select * from moved.w"), "1");
  run(*one, "begin; alter table moved.renamed rename to again");
  EXPECT_EQ(ask(*one, "select * from moved.v2"), "1|1");
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select * from moved.v2"), "1|1");
  EXPECT_EQ(state_of(*one, "drop table moved.renamed"), "2BP01");
  EXPECT_EQ(run(*one, "drop table moved.renamed cascade").tag(), "DROP TABLE");
  EXPECT_EQ(state_of(*one, "select * from moved.w"), "42P01");
}

TEST(Views, TwoTransactionsRenameUnderOneView) {
  const auto one = open_session();
  const auto two = open_session();
  run(*one, "create schema pair; set search_path to pair");
  run(*two, "set search_path to pair");
  run(*one, "create table a (x int); insert into a values (1)");
  run(*one, "create table b (x int, y int); insert into b values (1, 2)");
  run(*one, "create view v as select a.x, b.y from a join b on a.x = b.x");
  run(*one, "create materialized view m as select count(*) as n from a, b");
  run(*one, "begin");
  EXPECT_EQ(state_of(*one, "alter table a rename to a_old"), "");
  run(*two, "begin");
  EXPECT_EQ(state_of(*two, "alter table b rename to b_old"), "");
  EXPECT_EQ(state_of(*two, "alter table b_old rename column y to z"), "");
  EXPECT_EQ(run(*one, "commit").tag(), "COMMIT");
  EXPECT_EQ(run(*two, "commit").tag(), "COMMIT");
  for (Session* session : {one.get(), two.get()}) {
    EXPECT_EQ(ask(*session, "select * from v"), "1|2");
    EXPECT_EQ(ask(*session, "select definition from pg_views where viewname = 'v'"),
              "select a.x, b.\"z\" AS \"y\" from \"pair\".\"a_old\" AS \"a\" join "
              "\"pair\".\"b_old\" AS \"b\" on a.x = b.x;");
    EXPECT_EQ(state_of(*session, "refresh materialized view m"), "");
  }
  // A view that is made while its table is renamed.
  run(*one, "begin; alter table a_old rename to a_older");
  EXPECT_EQ(state_of(*two, "create view made_meanwhile as select x from a_old"), "");
  run(*one, "commit");
  EXPECT_EQ(ask(*two, "select * from made_meanwhile"), "1");
  EXPECT_EQ(state_of(*two, "drop table a_older"), "2BP01");
}

TEST(Views, TablesThatSwapTheirNamesStayWhereTheyAre) {
  const auto one = open_session();
  run(*one, "create schema swap; set search_path to swap");
  run(*one, "create table t (a int, b int); insert into t values (1, 2)");
  run(*one, "create table t_new (a int, b int); insert into t_new values (3, 4)");
  run(*one, "create view v as select a, b from t");
  run(*one, "create view w as select t.a as mine, n.a as other from t, t_new n");
  run(*one, "begin; alter table t rename to t_backup; alter table t_new rename to t");
  EXPECT_EQ(ask(*one, "select * from v"), "1|2");
  run(*one, "alter table t_backup rename to t_backup_2; commit");
  EXPECT_EQ(ask(*one, "select * from v"), "1|2");
  EXPECT_EQ(ask(*one, "select * from w"), "1|3");
  // So do columns.
  run(*one, "alter table t_backup_2 rename column a to c");
  run(*one, "alter table t_backup_2 rename column b to a");
  run(*one, "alter table t_backup_2 rename column c to b");
  EXPECT_EQ(ask(*one, "select * from v"), "1|2");
  EXPECT_EQ(ask(*one, "select a, b from t_backup_2"), "2|1");
  EXPECT_EQ(ask(*one, "show view v"),
            "create or replace view swap.v as select \"b\" AS \"a\", \"a\" AS \"b\" from "
            "\"swap\".\"t_backup_2\" AS \"t\";");
  run(*one, "drop table t_backup_2 cascade");
  EXPECT_EQ(state_of(*one, "select * from v"), "42P01");
  EXPECT_EQ(ask(*one, "select a from t"), "3");
}

TEST(Views, ABoundViewKeepsItsFunctions) {
  const auto one = open_session();
  run(*one, "create schema calls; set search_path to calls");
  run(*one, "create function twice(int) returns int stable as $$ select 2 * $1 $$ language sql");
  run(*one,
      "create function twice(varchar) returns varchar stable as $$ select $1 || $1 $$ "
      "language sql");
  run(*one, "create table t (a int); insert into t values (4)");
  run(*one, "create view v as select twice(a) as d from t");
  run(*one, "set search_path to public");
  EXPECT_EQ(ask(*one, "select d from calls.v"), "8");
  EXPECT_EQ(state_of(*one, "drop function calls.twice(varchar)"), "");
  EXPECT_EQ(state_of(*one, "drop function calls.twice(int)"), "2BP01");
  run(*one, "alter schema calls rename to called");
  EXPECT_EQ(ask(*one, "select d from called.v"), "8");
  EXPECT_EQ(state_of(*one, "drop function called.twice(int) cascade"), "");
  EXPECT_EQ(state_of(*one, "select d from called.v"), "42P01");
}

/// Makes the warehouse's file be as versions wrote it that kept bound views in the engine.
void make_older(const std::string& directory) {
  const auto database =
      engine::Database::open({.path = directory + "/dev.duckdb", .directories = {directory}});
  ASSERT_TRUE(database) << database.error().message;
  const auto connection = (*database)->connect();
  ASSERT_TRUE(connection);
  for (const char* sql :
       {"DELETE FROM leat_catalog.properties WHERE name = 'views'",
        "ALTER TABLE leat_catalog.relations DROP COLUMN bound",
        "CREATE VIEW older.v (x, y) AS SELECT a, b FROM (SELECT a, b FROM older.t) AS leat_view",
        "CHECKPOINT"}) {
    const auto done = (*connection)->run(sql);
    EXPECT_TRUE(done) << sql << ": " << done.error().message;
  }
}

TEST(Views, ThoseOfOlderFilesAreBoundWhenTheyAreOpened) {
  std::string directory = testing::TempDir() + "leat_views_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  for (const int start : {1, 2, 3}) {
    auto warehouse = Warehouse::open(
        {.data_directory = directory, .admin_password = std::string(kAdminPassword), .threads = 1});
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    auto opened = (*warehouse)->open_session({.user = "leat", .database = "dev"});
    ASSERT_TRUE(opened) << opened.error().message;
    Session& session = **opened;
    if (start == 1) {
      run(session, "create schema older; create table older.t (a int, b int)");
      run(session, "insert into older.t values (1, 2)");
      run(session, "create view older.v (x, y) as select a, b from older.t");
      run(session, "create view older.w as select v.y from older.v");
      run(session,
          "create view older.starred as select * from older.t join (select 1 as a, 7 as z) o using "
          "(a)");
      run(session, "create materialized view older.m as select t.a from older.t");
      run(session, "alter table older.t add column later int default 9");
    } else if (start == 2) {
      EXPECT_EQ(state_of(session, "alter table older.t rename to renamed"), "");
      EXPECT_EQ(state_of(session, "alter table older.renamed rename column b to c"), "");
    }
    EXPECT_EQ(ask(session, "select * from older.v"), "1|2");
    EXPECT_EQ(ask(session, "select * from older.w"), "2");
    EXPECT_EQ(ask(session, "select * from older.starred"), "1|2|7");
    EXPECT_EQ(state_of(session, "refresh materialized view older.m"), "");
    opened->reset();
    warehouse->reset();
    if (start == 1) make_older(directory);
  }
  std::filesystem::remove_all(directory);
}

TEST(Views, LateBindingViewsAreResolvedAtEachUse) {
  const auto one = open_session();
  run(*one, "create schema late");
  EXPECT_EQ(state_of(*one, "create view late.v as select * from t with no schema binding"),
            "42601");
  EXPECT_EQ(state_of(*one, "create view late.v as select * from nowhere.t with no schema binding"),
            "3F000");
  EXPECT_EQ(run(*one, "create view late.v as select * from late.t with no schema binding").tag(),
            "CREATE VIEW");
  EXPECT_EQ(ask(*one, "select * from late.v"), "42P01 relation \"late.t\" does not exist");
  run(*one, "create table late.t (a int); insert into late.t values (1)");
  EXPECT_EQ(ask(*one, "select a from late.v where a = 1"), "1");
  EXPECT_EQ(ask(*one, "select x.a, y.a from late.v x join late.v y on x.a = y.a"), "1|1");
  // A new column is seen; the table can be dropped without the view.
  run(*one, "alter table late.t add column b varchar(3) default 'x'");
  EXPECT_EQ(ask(*one, "select * from late.v"), "1|x");
  EXPECT_EQ(ask(*one,
                "select view_schema, view_name, col_name, col_type, col_num from "
                "pg_get_late_binding_view_cols() order by col_num"),
            "late|v|a|integer|1;late|v|b|character varying|2");
  EXPECT_THAT(ask(*one,
                  "select definition from pg_views where viewname = 'v' and schemaname = "
                  "'late'"),
              HasSubstr("with no schema binding"));
  EXPECT_EQ(run(*one, "drop table late.t").tag(), "DROP TABLE");
  EXPECT_EQ(state_of(*one, "select * from late.v"), "42P01");
  // One of each other is an error, not the end.
  run(*one, "create view late.c1 as select * from late.c2 with no schema binding");
  run(*one, "create view late.c2 as select * from late.c1 with no schema binding");
  EXPECT_EQ(state_of(*one, "select * from late.c1"), "54001");
  run(*one, "create table late.t (a int, b int); insert into late.t values (1, 2)");
  run(*one, "create or replace view late.v (x, y) as select * from late.t with no schema binding");
  EXPECT_EQ(ask(*one, "select y, x from late.v"), "2|1");
  EXPECT_EQ(state_of(*one, "create view late.bound as select * from late.v"), "0A000");
  EXPECT_EQ(run(*one, "alter table late.v rename to v9").tag(), "ALTER TABLE");
  EXPECT_EQ(ask(*one, "select x from late.v9"), "1");
  EXPECT_EQ(run(*one, "drop view late.v9").tag(), "DROP VIEW");
  EXPECT_EQ(state_of(*one, "select x from late.v9"), "42P01");
}

TEST(Views, ALateBindingViewReadsWithItsOwnersRights) {
  const auto admin = open_session();
  run(*admin, "create schema lent; create table lent.t (a int); insert into lent.t values (1)");
  run(*admin,
      "create user lender password 'Secret1234'; create user borrower password 'Secret1234'");
  run(*admin, "grant usage on schema lent to lender; grant usage on schema lent to borrower");
  run(*admin, "grant create on schema lent to lender; grant select on lent.t to lender");
  const auto lender = open_session("lender");
  run(*lender, "create view lent.v as select a from lent.t with no schema binding");
  run(*lender, "grant select on lent.v to borrower");
  const auto borrower = open_session("borrower");
  EXPECT_EQ(ask(*borrower, "select * from lent.v"), "1");
  EXPECT_EQ(state_of(*borrower, "select * from lent.t"), "42501");
  run(*admin, "revoke select on lent.t from lender");
  EXPECT_EQ(state_of(*borrower, "select * from lent.v"), "42501");
}

TEST(Views, MaterializedViewsAreFilledByRefresh) {
  const auto one = open_session();
  run(*one,
      "create table mv_source (k varchar(4), n int); insert into mv_source values ('a', 1), "
      "('a', 2)");
  EXPECT_EQ(run(*one,
                "create materialized view mv backup no diststyle even sortkey (k) auto "
                "refresh no as (select k, sum(n) as total from mv_source group by k)")
                .tag(),
            "CREATE MATERIALIZED VIEW");
  EXPECT_EQ(ask(*one, "select * from mv"), "a|3");
  run(*one, "insert into mv_source values ('b', 5)");
  EXPECT_EQ(ask(*one, "select * from mv"), "a|3");
  EXPECT_THAT(run(*one, "refresh materialized view mv").notices,
              ElementsAre(HasSubstr("Materialized view mv")));
  EXPECT_EQ(ask(*one, "select * from mv order by k"), "a|3;b|5");
  run(*one, "begin; insert into mv_source values ('c', 1); refresh materialized view mv");
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select count(*) from mv"), "2");
  EXPECT_EQ(state_of(*one, "insert into mv values ('x', 1)"), "42809");
  EXPECT_EQ(state_of(*one, "truncate mv"), "42809");
  EXPECT_EQ(state_of(*one, "refresh materialized view mv_source"), "42809");
  EXPECT_EQ(state_of(*one, "drop table mv_source"), "2BP01");
  // As dbt looks for them.
  EXPECT_EQ(ask(*one,
                "select case when view_definition ilike '%create materialized view%' then "
                "'materialized_view' else 'view' end from information_schema.views where "
                "table_name = 'mv'"),
            "materialized_view");
  EXPECT_EQ(ask(*one,
                "select count(*) from information_schema.tables where table_name = 'mv' and "
                "table_type = 'BASE TABLE'"),
            "0");
  EXPECT_EQ(ask(*one, "select name, autorefresh from svv_mv_info where name = 'mv'"), "mv|f");
  // It goes on after its source was renamed.
  run(*one, "alter table mv_source rename to mv_source_2");
  EXPECT_EQ(state_of(*one, "refresh materialized view mv"), "");
  EXPECT_EQ(state_of(*one, "drop view mv"), "42809");
  EXPECT_EQ(run(*one, "drop materialized view mv").tag(), "DROP MATERIALIZED VIEW");
  EXPECT_EQ(run(*one, "drop materialized view if exists mv").sqlstate(), "");
}

TEST(Views, DbtReplacesATableUnderAView) {
  const auto one = open_session();
  run(*one, "create schema dbt");
  run(*one, "create table dbt.model as select 1 as a");
  run(*one, "create view dbt.reads_model as (select a from dbt.model)");
  run(*one, "create view dbt.late as (select * from dbt.model) with no schema binding");
  for (const char* sql :
       {"begin",
        "create table \"dev\".\"dbt\".\"model__dbt_tmp\" diststyle even as (select 2 as a)",
        "alter table \"dev\".\"dbt\".\"model\" rename to \"model__dbt_backup\"",
        "alter table \"dev\".\"dbt\".\"model__dbt_tmp\" rename to \"model\"",
        "comment on table \"dev\".\"dbt\".\"model\" is $tag$its rows$tag$",
        "comment on column \"dev\".\"dbt\".\"model\".a is $tag$a number$tag$", "commit", "begin",
        "drop table if exists \"dev\".\"dbt\".\"model__dbt_backup\" cascade", "commit"}) {
    EXPECT_EQ(state_of(*one, sql), "") << sql;
  }
  EXPECT_EQ(ask(*one, "select a from dbt.model"), "2");
  EXPECT_EQ(ask(*one, "select a from dbt.late"), "2");
  EXPECT_EQ(state_of(*one, "select a from dbt.reads_model"), "42P01");
  EXPECT_EQ(ask(*one,
                "select description from pg_description d join pg_class c on c.oid = d.objoid "
                "where c.relname = 'model' order by objsubid"),
            "its rows;a number");
}

}  // namespace
}  // namespace leat::session
