// Several databases: what is apart, what is shared, reading across, crashes while they are made.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "warehouse/engine/database.h"
#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::HasSubstr;

std::unique_ptr<Session> in_database(const std::string& database, std::string user = "leat") {
  auto opened = try_open(std::move(user), {}, database);
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

/// A database beside the first one, for all tests that do not take it away: making one costs
/// seconds with the sanitizers on.
const std::string& other_database() {
  static const std::string kName = [] {
    EXPECT_EQ(run(*open_session(), "create database db_other").tag(), "CREATE DATABASE");
    return std::string("db_other");
  }();
  return kName;
}

TEST(Databases, UseChangesWhereNamesAreLookedFor) {
  run(*open_session(), "create user db_user password 'Secret1234'");
  run(*in_database(other_database()), "create table db_used (a int)");
  run(*in_database(other_database()), "grant insert, select on db_used to db_user");
  const auto session = open_session("db_user");
  EXPECT_EQ(ask(*session, "show use"), "");
  run(*session, "create temp table db_mine as select 5 as a");
  run(*session, "prepare db_read as select current_database()");
  run(*session, "set search_path to pg_catalog");
  EXPECT_EQ(run(*session, "use db_other").tag(), "USE");
  EXPECT_EQ(ask(*session, "show use"), "db_other");
  EXPECT_EQ(ask(*session, "show search_path"), "\"$user\", public");
  EXPECT_EQ(ask(*session, "select current_database()"), "db_other");
  EXPECT_EQ(state_of(*session, "insert into db_used values (1), (2)"), "");
  EXPECT_EQ(ask(*session, "select count(*) from public.db_used"), "2");
  EXPECT_EQ(ask(*session, "select count(*) from db_other.public.db_used"), "2");
  EXPECT_EQ(ask(*session, "execute db_read"), "db_other");
  EXPECT_EQ(ask(*session, "select a from db_mine"), "5");
  EXPECT_EQ(state_of(*session, "drop table db_used"), "42501");
  EXPECT_EQ(ask(*session, "select table_catalog from svv_tables where table_name = 'db_used'"),
            "db_other");
  EXPECT_EQ(run(*session, "reset use").tag(), "RESET");
  EXPECT_EQ(ask(*session, "show use"), "");
  EXPECT_EQ(ask(*session, "select current_database()"), "dev");
  EXPECT_EQ(state_of(*session, "select count(*) from db_used"), "42P01");
  EXPECT_EQ(state_of(*session, "use db_no_such"), "3D000");
  EXPECT_EQ(ask(*session, "select current_database()"), "dev");
}

TEST(Databases, UseStandsAtTheStartOfATransaction) {
  other_database();
  const auto session = open_session();
  run(*session, "begin");
  EXPECT_EQ(run(*session, "use db_other").tag(), "USE");
  EXPECT_EQ(run(*session, "use dev").tag(), "USE");
  EXPECT_EQ(run(*session, "use db_other").tag(), "USE");
  EXPECT_EQ(ask(*session, "select count(*) from pg_namespace where nspname = 'no_such'"), "0");
  EXPECT_EQ(state_of(*session, "use dev"), "25001");
  run(*session, "rollback");
  EXPECT_EQ(ask(*session, "show use"), "db_other");
  run(*session, "create table db_by_use (a int)");
  EXPECT_EQ(ask(*in_database(other_database()), "select count(*) from db_by_use"), "0");
  run(*session, "drop table db_by_use");
}

TEST(Databases, OneInUseCannotBeDropped) {
  const auto session = open_session();
  const auto dropper = open_session();
  run(*session, "create database db_held");
  run(*session, "use db_held");
  EXPECT_EQ(state_of(*dropper, "drop database db_held"), "55006");
  EXPECT_EQ(state_of(*session, "drop database db_held"), "55006");
  run(*session, "reset use");
  EXPECT_EQ(state_of(*dropper, "drop database db_held"), "");
  EXPECT_EQ(state_of(*session, "use db_held"), "3D000");
}

TEST(Databases, HaveTheirOwnObjects) {
  const auto first = open_session();
  const auto other = in_database(other_database());
  EXPECT_EQ(ask(*other, "select current_database()"), "db_other");
  EXPECT_EQ(other->database(), "db_other");
  run(*first, "create table db_own_table (a int)");
  run(*first, "insert into db_own_table values (1)");
  EXPECT_EQ(state_of(*other, "select * from db_own_table"), "42P01");
  run(*other, "create table db_own_table (a int, b varchar(5))");
  run(*other, "insert into db_own_table values (2, 'x'), (3, 'y')");
  run(*other, "create schema dev");  // named as the first database
  run(*other, "create table dev.t (id int identity(1,1), a int not null)");
  run(*other, "insert into dev.t (a) values (7)");
  EXPECT_EQ(ask(*other, "select a, id from dev.t"), "7|1");
  run(*other, "create view db_own_view as select count(*) as n from db_own_table");
  EXPECT_EQ(ask(*other, "select n from db_own_view"), "2");
  EXPECT_EQ(ask(*first, "select count(*) from db_own_table"), "1");
  EXPECT_EQ(ask(*other, "select count(*) from pg_class where relname = 'db_own_table'"), "1");
  EXPECT_EQ(ask(*other, "select tablename from pg_tables where schemaname = 'dev'"), "t");
  EXPECT_EQ(ask(*other,
                "select \"database\", tbl_rows from svv_table_info where \"table\" = "
                "'db_own_table'"),
            "db_other|2");
  EXPECT_EQ(ask(*other,
                "select table_catalog from information_schema.tables where table_name = "
                "'db_own_view'"),
            "db_other");
  run(*other, "create temp table db_own_temp as select 1 as a");
  EXPECT_EQ(ask(*other, "select a from db_own_temp"), "1");
  EXPECT_EQ(run(*other, "drop schema dev cascade").tag(), "DROP SCHEMA");
  EXPECT_EQ(state_of(*other, "select * from dev.t"), "3F000");
}

TEST(Databases, AreListed) {
  const auto first = open_session();
  const auto other = in_database(other_database());
  run(*first, "create user db_listed_owner password disable");
  run(*first, "alter database db_other owner to db_listed_owner");
  run(*first, "alter database db_other connection limit 5");
  for (Session* session : {first.get(), other.get()}) {
    EXPECT_EQ(
        ask(*session,
            "select d.datname, u.usename, d.datconnlimit from pg_database d join pg_user u on "
            "u.usesysid = d.datdba where datname in ('dev', 'db_other') order by 1"),
        "db_other|db_listed_owner|5;dev|leat|-1");
    EXPECT_EQ(ask(*session,
                  "select count(*) from svv_redshift_databases where database_name in "
                  "('dev', 'db_other')"),
              "2");
  }
  run(*other, "create table db_listed_table (a int, b decimal(8,2))");
  EXPECT_EQ(ask(*first,
                "select table_name from svv_redshift_tables where database_name = "
                "'db_other' and table_name like 'db\\_listed%'"),
            "db_listed_table");
  EXPECT_EQ(ask(*first,
                "select column_name, numeric_precision from svv_all_columns where "
                "database_name = 'db_other' and table_name = 'db_listed_table' order by "
                "ordinal_position"),
            "a|32;b|8");
  EXPECT_EQ(run(*first, "show tables from schema db_other.public like 'db_listed%'").row_count, 1U);
  EXPECT_EQ(run(*first, "show columns from table db_other.public.db_listed_table").row_count, 2U);
  EXPECT_EQ(state_of(*first, "show schemas from database db_nowhere"), "3D000");
  run(*first, "alter database db_other connection limit unlimited");
}

TEST(Databases, ShareUsersGroupsAndRoles) {
  const auto first = open_session();
  const auto other = in_database(other_database());
  EXPECT_EQ(run(*other, "create user db_shared_user password 'Secret123'").tag(), "CREATE USER");
  EXPECT_EQ(run(*other, "create group db_shared_group with user db_shared_user").tag(),
            "CREATE GROUP");
  EXPECT_EQ(run(*other, "create role db_shared_role").tag(), "CREATE ROLE");
  EXPECT_EQ(ask(*first, "select count(*) from pg_user where usename = 'db_shared_user'"), "1");
  EXPECT_EQ(ask(*first, "select count(*) from pg_group where groname = 'db_shared_group'"), "1");
  run(*first, "grant role db_shared_role to db_shared_user");
  run(*other, "create table db_shared_table (a int)");
  run(*other, "grant select on db_shared_table to role db_shared_role");
  const auto theirs = in_database(other_database(), "db_shared_user");
  EXPECT_EQ(ask(*theirs, "select count(*) from db_shared_table"), "0");
  EXPECT_EQ(state_of(*theirs, "insert into db_shared_table values (1)"), "42501");
  // Who has something in another database cannot go.
  run(*other, "grant insert on db_shared_table to db_shared_user");
  EXPECT_THAT(run(*first, "drop user db_shared_user").error.message,
              HasSubstr("privilege on some object in database db_other"));
  EXPECT_THAT(run(*first, "drop role db_shared_role force").error.message,
              HasSubstr("privileges in database db_other"));
  // Two files cannot change together.
  run(*other, "begin");
  run(*other, "create table db_shared_second (a int)");
  EXPECT_EQ(state_of(*other, "create user db_shared_never password disable"), "0A000");
  run(*other, "rollback");
  EXPECT_EQ(ask(*other, "select count(*) from pg_user where usename = 'db_shared_never'"), "0");
}

TEST(Databases, AreReadAcrossAndNotWritten) {
  const auto first = open_session();
  const auto other = in_database(other_database());
  run(*other, "create schema s");
  run(*other, "create table s.t (a int, b varchar(9))");
  run(*other, "insert into s.t values (1, 'one'), (2, 'two')");
  run(*other, "create view s.bound as select a, upper(b) as b from s.t");
  run(*other, "create view s.late as select max(a) as a from s.t with no schema binding");
  EXPECT_EQ(ask(*first, "select a, b from db_other.s.t order by a"), "1|one;2|two");
  EXPECT_EQ(ask(*first, "select b from db_other.s.bound where a = 2"), "TWO");
  EXPECT_EQ(ask(*first, "select a from db_other.s.late"), "2");
  run(*first, "create table db_across_here as select t.a, t.b from db_other.s.t t where a > 1");
  EXPECT_EQ(ask(*first, "select h.b, t.a from db_across_here h join db_other.s.t t on t.a = h.a"),
            "two|2");
  EXPECT_EQ(run(*first, "insert into dev.public.db_across_here select * from db_other.s.t").tag(),
            "INSERT 0 2");
  run(*first,
      "create view db_across_late as select sum(a) as n from db_other.s.t with no schema "
      "binding");
  EXPECT_EQ(ask(*first, "select n from db_across_late"), "3");
  run(*first, "drop view db_across_late");
  for (const char* refused : {"create view db_across_bound as select a from db_other.s.t",
                              "create view db_other.s.made as select 1 as a",
                              "drop view db_other.s.late, public.db_across_here",
                              "select * from db_other.pg_catalog.pg_class"}) {
    EXPECT_EQ(state_of(*first, refused), "0A000") << refused;
  }
  EXPECT_EQ(state_of(*first, "select * from db_nowhere.s.t"), "3D000");
  EXPECT_EQ(state_of(*first, "select * from db_other.nowhere.t"), "3F000");
  EXPECT_EQ(state_of(*first, "select * from db_other.s.nowhere"), "42P01");
  // Plans follow the other database's changes.
  run(*other, "alter table s.t rename to moved");
  EXPECT_EQ(state_of(*first, "select a, b from db_other.s.t order by a"), "42P01");
  run(*other, "alter table s.moved rename to t");
  run(*first, "create user db_across_user password disable");
  const auto theirs = open_session("db_across_user");
  EXPECT_EQ(state_of(*theirs, "select a from db_other.s.t"), "42501");
  run(*other, "grant usage on schema s to db_across_user");
  EXPECT_EQ(ask(*theirs, "select a from db_other.s.t"), "42501 permission denied for relation t");
  run(*other, "grant select (a) on s.t to db_across_user");
  EXPECT_EQ(ask(*theirs, "select a from db_other.s.t order by a"), "1;2");
  EXPECT_EQ(state_of(*theirs, "select b from db_other.s.t"), "42501");
  run(*other, "grant select on s.t to db_across_user");
  EXPECT_EQ(ask(*theirs, "select b from db_other.s.t where a = 1"), "one");
}

TEST(Databases, AreWrittenAcrossByNamesOfThreeParts) {
  const auto first = open_session();
  run(*first, "create database db_written");
  const auto there = in_database("db_written");
  run(*first, "create schema db_home; set search_path to db_home, public");
  run(*first, "create table source (a int, b varchar(9)); insert into source values (1, 'one ')");
  run(*first,
      "create function db_home.next(int) returns int stable as $$ select $1 + 1 $$ "
      "language sql");
  EXPECT_EQ(run(*first,
                "create table db_written.public.t (id int identity(1,1), a int, b "
                "varchar(9) default 'none')")
                .tag(),
            "CREATE TABLE");
  // Names without a database are the session's own: tables, temporary ones, functions, the catalog.
  run(*first, "create temp table held as select 5 as a");
  EXPECT_EQ(
      run(*first, "insert into db_written.public.t (a, b) select next(a), b from source").tag(),
      "INSERT 0 1");
  EXPECT_EQ(run(*first, "insert into db_written.public.t (a) select a from held").tag(),
            "INSERT 0 1");
  EXPECT_EQ(run(*first,
                "insert into db_written.public.t (a, b) select count(*), current_database() from "
                "pg_class where relname = 'source'")
                .tag(),
            "INSERT 0 1");
  EXPECT_EQ(ask(*there, "select id, a, b, len(b) from t order by id"),
            "1|2|one |4;2|5|none|4;3|1|dev|3");
  EXPECT_EQ(ask(*there, "select a from t where b = 'one'"), "2");
  EXPECT_EQ(
      run(*first, "update db_written.public.t set b = s.b from source s where t.a = s.a").tag(),
      "UPDATE 1");
  EXPECT_EQ(run(*first,
                "merge into db_written.public.t using source on t.a = source.a when matched then "
                "update set b = 'merged' when not matched then insert (a) values (source.a)")
                .tag(),
            "MERGE");
  EXPECT_EQ(run(*first, "delete from db_written.public.t using held where t.a = held.a").tag(),
            "DELETE 1");
  EXPECT_EQ(ask(*there, "select a, b from t order by a"), "1|merged;2|one ");
  EXPECT_EQ(
      run(*first, "prepare put as insert into db_written.public.t (a, b) values ($1, $2)").tag(),
      "PREPARE");
  EXPECT_EQ(run(*first, "execute put (7, 'x')").tag(), "INSERT 0 1");
  EXPECT_EQ(run(*first, "create table db_written.public.copied as select * from source").tag(),
            "SELECT");
  EXPECT_EQ(state_of(*first, "create table db_written.public.same (like source)"), "");
  EXPECT_EQ(state_of(*first, "alter table db_written.public.copied rename to renamed"), "");
  EXPECT_EQ(state_of(*first, "truncate db_written.public.renamed"), "");
  EXPECT_EQ(ask(*there, "select count(*) from renamed"), "0");
  EXPECT_EQ(state_of(*first, "drop table db_written.public.renamed, db_written.public.same"), "");
  EXPECT_EQ(state_of(*there, "select * from renamed"), "42P01");
  EXPECT_EQ(state_of(*first, "insert into db_written.public.nothing values (1)"), "42P01");
  EXPECT_EQ(state_of(*first, "insert into db_written.public.t (a) select a from nothing"), "42P01");
  EXPECT_EQ(state_of(*first, "insert into db_nowhere.public.t values (1)"), "3D000");
  // The session is where it was, whatever happened.
  EXPECT_EQ(ask(*first, "select current_database(), a from source"), "dev|1");
  EXPECT_EQ(ask(*first, "select count(*) from pg_class where relname = 'source'"), "1");
  EXPECT_EQ(ask(*there, "select count(*) from t"), "3");
}

TEST(Databases, ATransactionWritesToOneOnly) {
  const auto first = open_session();
  run(*first, "create database db_single");
  run(*first, "create table db_single.public.t (a int, b varchar(5))");
  run(*first, "create table db_one_here (a int)");
  run(*first, "begin; insert into db_single.public.t values (1, 'x ')");
  run(*first, "create temp table db_one_temp (a int)");
  EXPECT_EQ(state_of(*first, "insert into db_one_temp select a from db_single.public.t"), "");
  EXPECT_EQ(state_of(*first, "create table db_single.public.u as select a from db_one_temp"), "");
  EXPECT_EQ(ask(*first, "select count(*) from db_one_here"), "0");
  const auto dropper = open_session();
  EXPECT_EQ(state_of(*dropper, "drop database db_single"), "55006");
  // A plan alone keeps nothing.
  run(*dropper, "create database db_planned");
  run(*dropper, "create table db_planned.public.t (a int)");
  const auto planner = open_session();
  EXPECT_EQ(state_of(*planner, "explain insert into db_planned.public.t values (1)"), "");
  EXPECT_EQ(state_of(*dropper, "drop database db_planned"), "");
  EXPECT_EQ(run(*first, "commit").tag(), "COMMIT");
  const auto there = in_database("db_single");
  EXPECT_EQ(ask(*there, "select t.b, u.a from t, u where t.b = 'x'"), "x |1");
  for (const auto& [one, two, name] :
       {std::tuple("insert into db_single.public.t values (2, 'y')",
                   "insert into db_one_here values (1)", "db_single"),
        std::tuple("insert into db_one_here values (1)",
                   "insert into db_single.public.t values (2, 'y')", "dev"),
        std::tuple("create table db_one_more (a int)", "drop table db_single.public.u", "dev"),
        std::tuple("drop table db_single.public.u", "create table db_one_more (a int)",
                   "db_single")}) {
    run(*first, "begin");
    EXPECT_EQ(state_of(*first, one), "") << one;
    const Reply refused = run(*first, two);
    EXPECT_EQ(refused.sqlstate(), "0A000") << two;
    EXPECT_EQ(refused.error.message,
              "a transaction can write to one database only, and this one has written to \"" +
                  std::string(name) + "\"");
    EXPECT_EQ(state_of(*first, "select 1"), "25P02");
    run(*first, "rollback");
  }
  EXPECT_EQ(ask(*first, "select current_database(), count(*) from db_one_here"), "dev|0");
  EXPECT_EQ(ask(*there, "select count(*) from t"), "1");
  EXPECT_EQ(ask(*there, "select count(*) from u"), "1");
}

TEST(Databases, RightsHoldWhereItIsWritten) {
  const auto first = open_session();
  run(*first, "create database db_rights");
  run(*first, "create table db_rights.public.t (a int)");
  run(*first, "create user db_writer password disable");
  const auto there = in_database("db_rights");
  const auto writer = open_session("db_writer");
  EXPECT_EQ(ask(*writer, "insert into db_rights.public.t values (1)"),
            "42501 permission denied for relation t");
  run(*there, "grant insert on t to db_writer");
  EXPECT_EQ(run(*writer, "insert into db_rights.public.t values (1)").tag(), "INSERT 0 1");
  EXPECT_EQ(state_of(*writer, "delete from db_rights.public.t"), "42501");
  EXPECT_EQ(state_of(*writer, "truncate db_rights.public.t"), "42501");
  run(*there, "create schema tight quota 1 mb");
  EXPECT_EQ(state_of(*writer, "create table db_rights.tight.t (a int)"), "42501");
  run(*first, "create table db_rights.tight.t (a varchar(1000))");
  EXPECT_EQ(state_of(*first,
                     "insert into db_rights.tight.t select repeat('x', 1000) from "
                     "generate_series(1, 100000)"),
            "53100");
  EXPECT_EQ(ask(*there, "select count(*) from tight.t"), "0");
}

TEST(Databases, AreRenamedAndDropped) {
  const auto first = open_session();
  run(*first, "create database db_gone");
  EXPECT_EQ(state_of(*first, "create database db_gone"), "42P04");
  {
    const auto other = in_database("db_gone");
    run(*other, "create table t (a int)");
    EXPECT_EQ(ask(*first, "drop database db_gone"),
              "55006 database \"db_gone\" is being accessed by other users");
    EXPECT_EQ(state_of(*first, "alter database db_gone rename to db_renamed"), "55006");
    EXPECT_EQ(state_of(*other, "drop database db_gone"), "55006");
    EXPECT_EQ(state_of(*other, "drop database dev"), "0A000");
  }
  EXPECT_EQ(run(*first, "alter database db_gone rename to db_renamed").tag(), "ALTER DATABASE");
  EXPECT_EQ(try_open("leat", {}, "db_gone").error().sqlstate, "3D000");
  EXPECT_EQ(ask(*in_database("db_renamed"), "select count(*) from t"), "0");
  run(*first, "create user db_gone_user password disable");
  const auto theirs = open_session("db_gone_user");
  EXPECT_EQ(state_of(*theirs, "drop database db_renamed"), "42501");
  EXPECT_EQ(state_of(*theirs, "create database db_theirs"), "42501");
  EXPECT_EQ(run(*first, "alter database db_renamed owner to db_gone_user").tag(), "ALTER DATABASE");
  EXPECT_EQ(state_of(*first, "drop user db_gone_user"), "55006");
  EXPECT_EQ(state_of(*first, "begin; drop database db_renamed"), "25001");
  run(*first, "rollback");
  EXPECT_EQ(run(*theirs, "drop database db_renamed").tag(), "DROP DATABASE");
  EXPECT_EQ(try_open("leat", {}, "db_renamed").error().sqlstate, "3D000");
  EXPECT_EQ(state_of(*first, "drop database db_renamed"), "3D000");
  EXPECT_EQ(run(*first, "drop database if exists db_renamed").tag(), "DROP DATABASE");
  EXPECT_EQ(state_of(*first, "select * from db_renamed.public.t"), "3D000");
}

TEST(Databases, LimitConnectionsAndRights) {
  const auto first = open_session();
  run(*first, "create user db_limit_user password disable");
  other_database();
  run(*first, "alter database db_other connection limit 1");
  {
    const auto one = in_database("db_other", "db_limit_user");
    EXPECT_EQ(try_open("db_limit_user", {}, "db_other").error().sqlstate, "53300");
    EXPECT_TRUE(try_open("leat", {}, "db_other"));  // superusers are not limited
    EXPECT_EQ(state_of(*one, "create schema db_limit_schema"), "42501");
    EXPECT_EQ(state_of(*one, "create temp table t (a int)"), "");
  }
  run(*first, "alter database db_other connection limit unlimited");
  run(*first, "grant create on database db_other to db_limit_user");
  run(*first, "revoke temp on database db_other from public");
  const auto one = in_database("db_other", "db_limit_user");
  EXPECT_TRUE(try_open("db_limit_user", {}, "db_other"));
  EXPECT_EQ(state_of(*one, "create schema db_limit_schema"), "");
  EXPECT_EQ(state_of(*one, "create temp table t (a int)"), "42501");
  EXPECT_EQ(ask(*one,
                "select has_database_privilege('db_other', 'create'), "
                "has_database_privilege('dev', 'create')"),
            "t|f");
  EXPECT_EQ(ask(*first,
                "select count(*) from svv_database_privileges where database_name = "
                "'db_other' and identity_name = 'db_limit_user'"),
            "1");
  run(*first, "grant temp on database db_other to public");
  EXPECT_EQ(state_of(*first, "create database template1"), "42939");
}

TEST(Databases, OfACollationGiveItToTheirTextsAndLiterals) {
  const auto first = open_session();
  run(*first, "create database db_ci collate case_insensitive");
  EXPECT_EQ(ask(*first, "select db_collation(), 'A' = 'a'"), "case_sensitive|f");
  EXPECT_EQ(ask(*first,
                "select datname, datcollation from pg_database_info where datname in ('dev', "
                "'db_ci') order by 1"),
            "db_ci|Case insensitive;dev|Case sensitive");
  const auto inside = in_database("db_ci");
  EXPECT_EQ(ask(*inside, "select db_collation(), 'A' = 'a', upper('a') in ('A', 'b')"),
            "case_insensitive|t|t");
  run(*inside,
      "create table t (v varchar(10), s varchar(10) collate case_sensitive, n int); insert into t "
      "values ('Bob', 'Bob', 1), ('bob', 'bob', 2)");
  EXPECT_EQ(ask(*inside,
                "select (select count(*) from t where v = 'BOB'), (select count(*) from t where s "
                "= 'bob'), (select count(distinct v) from t), (select count(*) from t where v = "
                "'b' || 'OB')"),
            "2|1|1|2");
  EXPECT_EQ(state_of(*inside, "select 1 from t where v = s"), "0A000");
  run(*inside, "create table made as select v, s, 'x' as x from t");
  EXPECT_EQ(ask(*inside, "show table made"),
            "CREATE TABLE public.made (\n    v character varying(10) ENCODE lzo,\n    s character "
            "varying(10) ENCODE lzo COLLATE case_sensitive,\n    x character varying(1) ENCODE "
            "lzo\n)\nDISTSTYLE AUTO;");
  // The catalog's own texts are always compared with their case.
  EXPECT_EQ(ask(*inside, "select count(*) from pg_class where relname = 'MADE'"), "0");
  EXPECT_EQ(ask(*first, "select count(*) from db_ci.public.t where v = 'BOB'"), "2");
  EXPECT_EQ(state_of(*inside, "alter database db_ci collate case_sensitive"), "55006");
  run(*inside, "drop table made; drop table t");
  EXPECT_EQ(state_of(*inside, "alter database db_ci collate case_sensitive"), "");
  EXPECT_EQ(ask(*inside, "select db_collation(), 'A' = 'a'"), "case_sensitive|f");
  EXPECT_EQ(state_of(*inside, "alter database db_ci collate nocase"), "42704");
}

TEST(Databases, StandStillWhileABackupIsMade) {
  const auto first = open_session();
  other_database();
  const auto holder = open_session();
  EXPECT_EQ(state_of(*holder, "call leat_hold_checkpoints()"), "");
  EXPECT_EQ(state_of(*first, "create database db_not_now"), "55006");
  EXPECT_EQ(state_of(*first, "drop database db_other"), "55006");
  EXPECT_TRUE(try_open("leat", {}, "db_other"));
  EXPECT_EQ(state_of(*holder, "call leat_release_checkpoints()"), "");
}

/// A warehouse in files.
class DatabaseFiles : public testing::Test {
 protected:
  DatabaseFiles() {
    std::string path = (std::filesystem::temp_directory_path() / "databases-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = path;
  }
  ~DatabaseFiles() override { std::filesystem::remove_all(directory_); }

  Result<std::unique_ptr<Warehouse>> open() const {
    return Warehouse::open({.data_directory = directory_,
                            .admin_password = std::string(kAdminPassword),
                            .threads = 1});
  }
  [[nodiscard]] std::string others() const { return directory_ + "/dev.databases"; }
  /// Names of the files of the other databases, but for logs.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(others())) {
      if (entry.path().extension() != ".wal") names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  static std::unique_ptr<Session> connect(Warehouse& warehouse, std::string database = "dev") {
    auto opened = warehouse.open_session({.user = "leat", .database = std::move(database)});
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }

  std::string directory_;
};

TEST_F(DatabaseFiles, CollationsOutliveTheProcessAndTablesWrittenAnew) {
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    const auto first = connect(**warehouse);
    run(*first, "create database folded collate ci");
    run(*first, "create table t (v varchar(5) collate ci, w varchar(5))");
    run(*first, "insert into t values ('Bob', 'Bob'), ('Ann', 'Ann')");
    // In one transaction, so that the engine's table is made anew.
    run(*first, "begin");
    run(*first, "delete from t where v = 'ANN'");
    run(*first, "alter table t add column x varchar(5) default 'Eve' collate ci");
    run(*first, "commit");
    run(*connect(**warehouse, "folded"), "create table u as select 'Bob' as v");
  }
  auto warehouse = open();
  ASSERT_TRUE(warehouse) << warehouse.error().message;
  const auto first = connect(**warehouse);
  EXPECT_EQ(ask(*first, "select count(*) from t where v = 'BOB' and x = 'EVE'"), "1");
  EXPECT_EQ(ask(*first, "select count(*) from t where w = 'BOB'"), "0");
  const auto folded = connect(**warehouse, "folded");
  EXPECT_EQ(ask(*folded, "select db_collation(), count(*) from u where v = 'BOB'"),
            "case_insensitive|1");
}

TEST_F(DatabaseFiles, OutliveTheProcessAndItsCrashes) {
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    const auto first = connect(**warehouse);
    // What stands in the way of the file.
    std::ofstream(others()).put('x');
    EXPECT_EQ(state_of(*first, "create database sales"), "58030");
    EXPECT_EQ(ask(*first, "select count(*) from pg_database"), "1");
    std::filesystem::remove(others());
    EXPECT_EQ(state_of(*first, "create database sales"), "");
    const auto sales = connect(**warehouse, "sales");
    run(*sales, "create table t (a int)");
    run(*sales, "insert into t values (1)");
    run(*sales, "create view v as select a from t");
  }
  ASSERT_EQ(files().size(), 1U);
  const std::string file = others() + "/" + files().front();
  // What a crash leaves: a file that was being made, one that was being removed, the mark of one
  // that was made; and a file that is nobody's.
  for (const char* name : {"7000001.duckdb", "7000001.pending", "7000002.pending", "8.duckdb"})
    std::ofstream(others() + "/" + name).put('x');
  std::ofstream(file.substr(0, file.size() - 6) + "pending").put('x');
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    EXPECT_THAT(files(), testing::ElementsAre(std::filesystem::path(file).filename(), "8.duckdb"));
    const auto sales = connect(**warehouse, "sales");
    EXPECT_EQ(ask(*sales, "select a from v"), "1");
    EXPECT_EQ(ask(*connect(**warehouse), "select a from sales.public.v"), "1");
  }
  std::filesystem::rename(file, file + ".away");
  EXPECT_THAT(open().error().message, HasSubstr("the file of the database sales is gone"));
  std::ofstream(file) << "no database at all, but text that is long enough to be looked at";
  EXPECT_EQ(open().error().code, Errc::kCorrupt);
  std::filesystem::rename(file + ".away", file);
  auto warehouse = open();
  ASSERT_TRUE(warehouse) << warehouse.error().message;
  EXPECT_EQ(state_of(*connect(**warehouse), "drop database sales"), "");
  EXPECT_THAT(files(), testing::ElementsAre("8.duckdb"));
}

/// The groups of t.v, "a|2;b|1".
std::string groups_of(Session& session) {
  return ask(session, "select trim(v) as name, count(*) from t group by v order by 1");
}

TEST_F(DatabaseFiles, MarksOfBlanksOutliveCrashes) {
  const std::string crashed = directory_ + "/crashed";
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    const auto session = connect(**warehouse);
    run(*session, "create table t (v varchar(10), w varchar(10))");
    run(*session, "insert into t values ('a', 'x'), ('b', 'x')");
    run(*session, "create table untouched (v varchar(10)); insert into untouched values ('a')");
    run(*session, "begin; insert into untouched values ('a '); rollback");
    run(*session, "prepare one as insert into t values ($1, 'y'); execute one('a ')");
    run(*session, "create table part (v varchar(10)); insert into part values ('c ')");
    run(*session, "create table whole (v varchar(10)); insert into whole values ('c')");
    run(*session, "alter table whole append from part");
    run(*session, "create table made as select v as m from t");
    run(*session, "begin");
    run(*session, "insert into t (w) values ('not committed ')");
    // What a crash at this moment leaves.
    std::filesystem::create_directory(crashed);
    for (const char* name : {"/dev.duckdb", "/dev.duckdb.wal"}) {
      if (std::filesystem::exists(directory_ + name))
        std::filesystem::copy(directory_ + name, crashed + name);
    }
  }
  const std::string before = std::exchange(directory_, crashed);
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    const auto session = connect(**warehouse);
    EXPECT_EQ(groups_of(*session), "a|2;b|1");
    EXPECT_EQ(ask(*session, "select count(distinct m) from made"), "2");
    EXPECT_EQ(ask(*session, "select count(distinct v), count(v) from whole"), "1|2");
    const auto trims = [&](const std::string& query) {
      return ask(*session, "explain " + query).find("rtrim") != std::string::npos;
    };
    EXPECT_TRUE(trims("select count(distinct v) from t"));
    EXPECT_FALSE(trims("select count(distinct w) from t"));
    EXPECT_FALSE(trims("select count(distinct v) from untouched"));
  }
  {
    // A file of a version that had no marks.
    auto file = engine::Database::open({.path = crashed + "/dev.duckdb", .threads = 1});
    ASSERT_TRUE(file) << file.error().message;
    const auto connection = (*file)->connect();
    ASSERT_TRUE(connection);
    EXPECT_TRUE((*connection)->run("DROP TABLE leat_catalog.blanks"));
    EXPECT_TRUE((*connection)->run("DELETE FROM leat_catalog.properties WHERE name = 'blanks'"));
  }
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    const auto session = connect(**warehouse);
    EXPECT_EQ(groups_of(*session), "a|2;b|1");
    EXPECT_EQ(ask(*session, "select count(distinct m) from made"), "2");
    EXPECT_EQ(ask(*session, "explain select count(distinct v) from untouched").find("rtrim"),
              std::string::npos);
  }
  directory_ = before;
}

}  // namespace
}  // namespace leat::session
