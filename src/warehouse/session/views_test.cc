// Views of the three kinds, and the statements with which dbt replaces relations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_EQ(state_of(*one, "create materialized view mv2 auto refresh yes as select 1 as a"),
            "0A000");
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
