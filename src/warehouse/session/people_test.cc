// Users, groups, grants, and what everybody else is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/digest.h"
#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SharedWarehouse& shared = SharedWarehouse::instance();

std::string denied(Session& session, std::string_view sql) {
  const Reply reply = run(session, sql);
  return reply.sqlstate() == "42501" ? reply.error.message : "not denied: " + reply.sqlstate();
}

TEST(People, TemporaryPasswordsEndWithTheUser) {
  const auto admin = open_session();
  Warehouse& warehouse = shared.warehouse();
  const TimeUs later{INT64_MAX};
  ASSERT_EQ(state_of(*admin, "create user passing password disable"), "");
  warehouse.add_temporary_password("IAM:passing", "First123", later);
  warehouse.add_temporary_password("IAMA:passing", "First123", later);
  EXPECT_TRUE(warehouse.check_password("IAM:passing", "First123"));
  ASSERT_EQ(state_of(*admin, "drop user passing"), "");
  ASSERT_EQ(state_of(*admin, "create user passing password disable"), "");
  EXPECT_FALSE(warehouse.check_password("IAM:passing", "First123"));
  EXPECT_FALSE(warehouse.check_password("IAMA:passing", "First123"));
  warehouse.add_temporary_password("IAM:passing", "Second123", later);
  ASSERT_EQ(state_of(*admin, "alter user passing rename to passed"), "");
  ASSERT_EQ(state_of(*admin, "create user passing password disable"), "");
  EXPECT_FALSE(warehouse.check_password("IAM:passing", "Second123"));
}

TEST(People, EveryFormOfPasswordLogsIn) {
  const auto admin = open_session();
  const std::string md5_form = "md5" + to_hex(md5("Secret1234form_md5"));
  const std::string salt(32, '\x5a');
  const std::string digest = to_hex(sha256("Secret1234" + salt));
  EXPECT_EQ(state_of(*admin, "create user form_clear password 'Secret1234'"), "");
  EXPECT_EQ(state_of(*admin, "create user form_double password \"Secret1234\""), "");
  EXPECT_EQ(state_of(*admin, "create user form_md5 password '" + md5_form + "'"), "");
  EXPECT_EQ(state_of(*admin, "create user form_sha password 'sha256|Secret1234'"), "");
  EXPECT_EQ(state_of(*admin, "create user form_digest password 'sha256|" + digest + "|" +
                                 to_hex(std::string_view(salt)) + "'"),
            "");
  for (const char* name : {"form_clear", "form_double", "form_md5", "form_sha", "form_digest"}) {
    EXPECT_TRUE(shared.warehouse().check_password(name, "Secret1234")) << name;
    EXPECT_FALSE(shared.warehouse().check_password(name, "secret1234")) << name;
    EXPECT_FALSE(shared.warehouse().check_password(name, "")) << name;
  }
  EXPECT_FALSE(shared.warehouse().check_password("form_nobody", "Secret1234"));
  EXPECT_EQ(state_of(*admin, "create user form_none password disable"), "");
  EXPECT_FALSE(shared.warehouse().check_password("form_none", ""));
  EXPECT_EQ(state_of(*admin, "alter user form_none password 'Secret1234'"), "");
  EXPECT_TRUE(shared.warehouse().check_password("form_none", "Secret1234"));
  EXPECT_EQ(state_of(*admin, "alter user form_none password disable"), "");
  EXPECT_FALSE(shared.warehouse().check_password("form_none", "Secret1234"));
  // A new name makes the md5 form useless, because the name is part of it.
  EXPECT_EQ(state_of(*admin, "alter user form_md5 rename to form_renamed"), "");
  EXPECT_FALSE(shared.warehouse().check_password("form_renamed", "Secret1234"));
}

TEST(People, WeakPasswordsAreRefusedWithTheReason) {
  const auto admin = open_session();
  const auto reason = [&](std::string_view password) {
    return ask(*admin, "create user weak password '" + std::string(password) + "'");
  };
  EXPECT_EQ(reason("Short1"), "22023 Password must be at least 8 characters long.");
  EXPECT_EQ(reason("Nonumbers"), "22023 Password must contain a number.");
  EXPECT_EQ(reason("nouppercase1"), "22023 Password must contain an upper-case letter.");
  EXPECT_EQ(reason("NOLOWERCASE1"), "22023 Password must contain a lower-case letter.");
  EXPECT_THAT(reason("With@sign11"), HasSubstr("ASCII characters 33 to 126"));
  EXPECT_THAT(reason("Aa1" + std::string(70, 'x')), HasSubstr("64 characters or less"));
  EXPECT_THAT(reason("sha256|zz|00"), HasSubstr("sha256"));
  EXPECT_EQ(state_of(*admin, "create user weak"), "42601");
}

TEST(People, ValidUntilEndsTheLogin) {
  const auto admin = open_session();
  run(*admin, "create user until_past password 'Secret1234' valid until '2026-11-20 11:59:59'");
  run(*admin, "create user until_later password 'Secret1234' valid until '2026-11-21'");
  run(*admin, "create user until_never password 'Secret1234' valid until 'infinity'");
  const auto past = try_open("until_past");
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().sqlstate, "28000");
  EXPECT_TRUE(try_open("until_later"));
  EXPECT_TRUE(try_open("until_never"));
  EXPECT_EQ(state_of(*admin, "create user until_x password 'Secret1234' valid until 'soon'"),
            "22007");
  EXPECT_EQ(state_of(*admin, "alter user until_past valid until '2027-01-01'"), "");
  EXPECT_TRUE(try_open("until_past"));
}

TEST(People, OnlySuperusersManagePeople) {
  const auto admin = open_session();
  run(*admin, "create user plain password 'Secret1234'");
  const auto plain = open_session("plain");
  EXPECT_EQ(denied(*plain, "create user x password 'Secret1234'"),
            "must be superuser to create users");
  EXPECT_EQ(denied(*plain, "alter user leat password 'Secret1234'"),
            "must be superuser to alter users");
  EXPECT_EQ(denied(*plain, "drop user leat"), "must be superuser to drop users");
  EXPECT_EQ(denied(*plain, "create group g"), "must be superuser to create groups");
  EXPECT_EQ(denied(*plain, "alter user plain createuser"), "must be superuser to alter users");
  EXPECT_EQ(denied(*plain, "select * from pg_shadow"), "must be superuser to read pg_shadow");
  // One's own password is one's own.
  EXPECT_EQ(state_of(*plain, "alter user plain password 'Changed1234'"), "");
  EXPECT_TRUE(shared.warehouse().check_password("plain", "Changed1234"));
  EXPECT_EQ(state_of(*admin, "create user plain password 'Secret1234'"), "42710");
  EXPECT_EQ(state_of(*admin, "alter user nobody_here password 'Secret1234'"), "42704");
}

TEST(People, WithoutGrantsEverythingIsDenied) {
  const auto admin = open_session();
  run(*admin, "create user loner password 'Secret1234'");
  run(*admin, "create schema closed");
  run(*admin, "create table closed.t (a int, b int)");
  run(*admin, "create table public.open_t (a int)");
  const auto loner = open_session("loner");
  EXPECT_EQ(denied(*loner, "select * from closed.t"), "permission denied for schema closed");
  EXPECT_EQ(denied(*loner, "create table closed.u (a int)"), "permission denied for schema closed");
  EXPECT_EQ(denied(*loner, "create schema mine"), "permission denied for database dev");
  for (const char* sql : {"select * from open_t", "insert into open_t values (1)",
                          "update open_t set a = 1", "delete from open_t", "lock open_t"}) {
    run(*loner, "begin");
    EXPECT_EQ(denied(*loner, sql), "permission denied for relation open_t") << sql;
    run(*loner, "rollback");
  }
  for (const char* sql :
       {"drop table open_t", "truncate open_t", "alter table open_t add column c int",
        "comment on table open_t is 'x'", "alter table open_t rename to other_t"}) {
    EXPECT_EQ(denied(*loner, sql), "must be owner of relation open_t") << sql;
  }
  EXPECT_EQ(denied(*loner, "grant select on open_t to loner"),
            "permission denied for relation open_t");
  EXPECT_EQ(denied(*loner, "copy open_t from 's3://b/k' iam_role default csv"),
            "permission denied for relation open_t");
  EXPECT_EQ(denied(*loner, "create table taken as select * from open_t"),
            "permission denied for relation open_t");
  EXPECT_EQ(denied(*loner, "create view peek as select * from open_t"),
            "permission denied for relation open_t");
  EXPECT_EQ(denied(*loner, "drop schema closed"), "permission denied for schema closed");
}

TEST(People, GrantsOpenExactlyWhatTheyName) {
  const auto admin = open_session();
  run(*admin, "create user granted password 'Secret1234'");
  run(*admin, "create schema given");
  run(*admin, "create table given.t (a int)");
  const auto granted = open_session("granted");
  run(*admin, "grant select on given.t to granted");
  EXPECT_EQ(denied(*granted, "select * from given.t"), "permission denied for schema given");
  run(*admin, "grant usage on schema given to granted");
  EXPECT_EQ(ask(*granted, "select * from given.t"), "");
  EXPECT_EQ(denied(*granted, "insert into given.t values (1)"), "permission denied for relation t");
  run(*admin, "grant insert, delete on given.t to granted");
  EXPECT_EQ(run(*granted, "insert into given.t values (1)").tag(), "INSERT 0 1");
  EXPECT_EQ(run(*granted, "delete from given.t where a = 1").tag(), "DELETE 1");
  EXPECT_EQ(denied(*granted, "update given.t set a = 2"), "permission denied for relation t");
  EXPECT_EQ(ask(*granted,
                "select has_table_privilege('given.t', 'insert'), "
                "has_table_privilege('given.t', 'update')"),
            "t|f");
  run(*admin, "revoke all on given.t from granted");
  EXPECT_EQ(denied(*granted, "select * from given.t"), "permission denied for relation t");
  run(*admin, "grant create on schema given to granted");
  EXPECT_EQ(run(*granted, "create table given.own (a int)").tag(), "CREATE TABLE");
  EXPECT_EQ(run(*granted, "insert into given.own values (1)").tag(), "INSERT 0 1");
  run(*admin, "grant create on database dev to granted");
  EXPECT_EQ(run(*granted, "create schema granted_own").tag(), "CREATE SCHEMA");
  EXPECT_EQ(state_of(*admin, "grant usage on given.t to granted"), "0LP01");
  EXPECT_EQ(state_of(*admin, "grant select on given.t to user_nobody"), "42704");
}

TEST(People, GroupsAndPublicPassTheirRightsOn) {
  const auto admin = open_session();
  run(*admin, "create user member password 'Secret1234'");
  run(*admin, "create user outsider password 'Secret1234'");
  run(*admin, "create group readers with user member");
  run(*admin, "create table group_t (a int); create table public_t (a int)");
  run(*admin, "grant select on group_t to group readers");
  run(*admin, "grant select on public_t to public");
  const auto member = open_session("member");
  const auto outsider = open_session("outsider");
  EXPECT_EQ(ask(*member, "select * from group_t"), "");
  EXPECT_EQ(denied(*outsider, "select * from group_t"), "permission denied for relation group_t");
  EXPECT_EQ(ask(*outsider, "select * from public_t"), "");
  run(*admin, "alter group readers drop user member");
  EXPECT_EQ(denied(*member, "select * from group_t"), "permission denied for relation group_t");
  run(*admin, "alter group readers add user outsider");
  EXPECT_EQ(ask(*outsider, "select * from group_t"), "");
  EXPECT_EQ(state_of(*admin, "drop group readers"), "55006");
  run(*admin, "revoke select on group_t from group readers");
  EXPECT_EQ(run(*admin, "drop group readers").tag(), "DROP GROUP");
  EXPECT_EQ(state_of(*admin, "drop group readers"), "42704");
  EXPECT_EQ(state_of(*admin, "create group g2 with user user_nobody"), "42704");
}

TEST(People, TheGrantOptionLetsAUserPassARightOn) {
  const auto admin = open_session();
  run(*admin, "create user giver password 'Secret1234'");
  run(*admin, "create user taker password 'Secret1234'");
  run(*admin, "create table passed_on (a int)");
  const auto giver = open_session("giver");
  run(*admin, "grant select on passed_on to giver");
  EXPECT_EQ(denied(*giver, "grant select on passed_on to taker"),
            "permission denied for relation passed_on");
  run(*admin, "grant select on passed_on to giver with grant option");
  EXPECT_EQ(state_of(*giver, "grant select on passed_on to taker"), "");
  EXPECT_EQ(ask(*open_session("taker"), "select * from passed_on"), "");
}

TEST(People, AllTablesInASchemaAreGrantedAtOnce) {
  const auto admin = open_session();
  run(*admin, "create user wide password 'Secret1234'");
  run(*admin, "create schema wide_s; create table wide_s.a (n int); create table wide_s.b (n int)");
  run(*admin,
      "grant usage on schema wide_s to wide; grant select on all tables in schema wide_s to wide");
  const auto wide = open_session("wide");
  EXPECT_EQ(ask(*wide, "select count(*) from wide_s.a, wide_s.b"), "0");
}

TEST(People, AUserWithPossessionsCannotBeDropped) {
  const auto admin = open_session();
  run(*admin, "create user owner_user password 'Secret1234'");
  run(*admin, "create schema owned authorization owner_user");
  EXPECT_THAT(ask(*admin, "drop user owner_user"), HasSubstr("owns some object"));
  run(*admin, "drop schema owned");
  run(*admin, "create table granted_t (a int)");
  run(*admin, "grant select on granted_t to owner_user");
  EXPECT_THAT(ask(*admin, "drop user owner_user"), HasSubstr("has a privilege on some object"));
  run(*admin, "revoke select on granted_t from owner_user");
  EXPECT_EQ(run(*admin, "drop user owner_user").tag(), "DROP USER");
  EXPECT_EQ(state_of(*admin, "drop user owner_user"), "42704");
  EXPECT_THAT(run(*admin, "drop user if exists owner_user").notices,
              ElementsAre(HasSubstr("will be skipped")));
  EXPECT_THAT(ask(*admin, "drop user leat"), HasSubstr("55006"));
}

TEST(People, AViewShowsItsTablesToThoseWhoMayReadTheView) {
  const auto admin = open_session();
  run(*admin, "create user viewer password 'Secret1234'");
  run(*admin, "create table behind (a int, secret int); insert into behind values (1, 2)");
  run(*admin, "create view front as select a from behind");
  const auto viewer = open_session("viewer");
  EXPECT_EQ(denied(*viewer, "select * from front"), "permission denied for relation front");
  run(*admin, "grant select on front to viewer");
  EXPECT_EQ(ask(*viewer, "select * from front"), "1");
  EXPECT_EQ(denied(*viewer, "select * from behind"), "permission denied for relation behind");
}

TEST(People, PasswordsStayOutOfTheHistory) {
  const auto admin = open_session();
  run(*admin, "create user silent password 'Secret1234Silent'");
  run(*admin, "alter user silent password 'Secret1234Silent'");
  EXPECT_EQ(
      ask(*admin, "select count(*) from stv_recents where query like '%Secret1234' || 'Silent%'"),
      "0");
  EXPECT_EQ(
      ask(*admin, "select count(*) from stl_ddltext where text like '%Secret1234' || 'Silent%'"),
      "0");
}

}  // namespace
}  // namespace leat::session
