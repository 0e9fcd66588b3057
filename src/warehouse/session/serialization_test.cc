// Who may go on when transactions depend on each other by the tables that they read and write.
#include "warehouse/session/serialization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::HasSubstr;

constexpr catalog::Oid kA = 1;
constexpr catalog::Oid kB = 2;
constexpr catalog::Oid kC = 3;

/// Transactions by number; what each call says is the SQLSTATE, "" for none.
class Transactions {
 public:
  std::string begin(std::int64_t id) {
    return state(checks_.begin(id, [] { return SqlStatus(); }));
  }
  std::string reads(std::int64_t id, catalog::Oid table) {
    return state(checks_.add(id, 7, {.reads = {table}}));
  }
  std::string writes(std::int64_t id, catalog::Oid table) {
    return state(checks_.add(id, 7, {.writes = {table}}));
  }
  void commits(std::int64_t id) {
    EXPECT_TRUE(checks_.commit(id, [] { return SqlResult<bool>(true); }));
  }
  Serialization& checks() { return checks_; }

 private:
  static std::string state(const SqlStatus& done) { return done ? "" : done.error().sqlstate; }
  Serialization checks_;
};

TEST(Serialization, TwoThatReadWhatTheOtherWritesMakeACircle) {
  Transactions all;
  for (const std::int64_t id : {1, 2}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.reads(1, kA), "");
  EXPECT_EQ(all.reads(2, kB), "");
  EXPECT_EQ(all.writes(1, kB), "");
  const SqlStatus refused = all.checks().add(2, 7, {.writes = {kA}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate, "40001");
  EXPECT_EQ(refused.error().message, "1023");
  EXPECT_EQ(refused.error().detail,
            "Serializable isolation violation on table - 1, transactions forming the cycle are: "
            "1, 2 (pid:7)");
  all.checks().rolled_back(2);
  EXPECT_EQ(all.writes(1, kA), "");
  all.commits(1);
  EXPECT_EQ(all.checks().size(), 0U);
}

TEST(Serialization, ACommittedOneCountsAsLongAsSomebodyDoesNotSeeIt) {
  Transactions all;
  for (const std::int64_t id : {1, 2}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.reads(1, kA), "");
  EXPECT_EQ(all.writes(2, kA), "");
  EXPECT_EQ(all.reads(2, kB), "");
  all.commits(2);
  EXPECT_EQ(all.begin(3), "");  // sees 2
  EXPECT_EQ(all.reads(3, kA), "");
  EXPECT_EQ(all.writes(3, kB), "");
  EXPECT_EQ(all.writes(1, kB), "40001");
  all.checks().rolled_back(1);
  all.commits(3);
  EXPECT_EQ(all.checks().size(), 0U);
}

TEST(Serialization, WhoeverReadsAndWritesWhatWasWrittenSinceIsRefused) {
  Transactions all;
  for (const std::int64_t id : {1, 2}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.reads(1, kA), "");
  EXPECT_EQ(all.writes(2, kA), "");
  all.commits(2);
  EXPECT_EQ(all.writes(1, kA), "40001");
  all.checks().rolled_back(1);
  // Writing alone does not depend on what was there.
  for (const std::int64_t id : {3, 4}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.writes(3, kA), "");
  all.commits(3);
  EXPECT_EQ(all.writes(4, kA), "");
  all.commits(4);
  EXPECT_EQ(all.checks().size(), 0U);
}

TEST(Serialization, CirclesOfThreeAreFound) {
  Transactions all;
  for (const std::int64_t id : {1, 2, 3}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.reads(1, kA), "");
  EXPECT_EQ(all.reads(2, kB), "");
  EXPECT_EQ(all.reads(3, kC), "");
  EXPECT_EQ(all.writes(2, kA), "");
  all.commits(2);
  EXPECT_EQ(all.writes(3, kB), "");
  all.commits(3);
  EXPECT_EQ(all.writes(1, kC), "40001");
}

TEST(Serialization, AReaderMayShowThatTwoOthersHaveNoOrder) {
  // 2 does not see what 1 writes; 3 sees 1 and not 2.
  Transactions all;
  for (const std::int64_t id : {1, 2}) EXPECT_EQ(all.begin(id), "");
  EXPECT_EQ(all.reads(2, kA), "");
  EXPECT_EQ(all.writes(1, kA), "");
  all.commits(1);
  EXPECT_EQ(all.begin(3), "");
  EXPECT_EQ(all.reads(3, kA), "");
  EXPECT_EQ(all.reads(3, kB), "");
  all.commits(3);
  EXPECT_EQ(all.writes(2, kB), "40001");
}

TEST(Isolation, WriteSkewIsRefusedInASerializableDatabaseOnly) {
  const auto admin = open_session();
  EXPECT_EQ(state_of(*admin, "create database iso_strict isolation level serializable"), "");
  EXPECT_EQ(state_of(*admin, "create database iso_loose isolation level snapshot"), "");
  EXPECT_EQ(ask(*admin,
                "select trim(db_name), trim(isolation_level) from stv_db_isolation_level where "
                "db_name like 'iso_%' order by 1"),
            "iso_loose|Snapshot Isolation;iso_strict|Serializable");
  for (const bool strict : {true, false}) {
    const std::string name = strict ? "iso_strict" : "iso_loose";
    auto one = try_open("leat", {}, name).value();
    auto two = try_open("leat", {}, name).value();
    run(*one, "create table tab1 (a int); create table tab2 (a int)");
    run(*one, "begin");
    run(*two, "begin");
    EXPECT_EQ(ask(*one, "select count(*) from tab1"), "0");
    EXPECT_EQ(state_of(*one, "insert into tab2 values (1)"), "");
    EXPECT_EQ(ask(*two, "select count(*) from tab2"), "0");
    const Reply last = run(*two, "insert into tab1 values (1)");
    EXPECT_EQ(last.sqlstate(), strict ? "40001" : "") << name;
    if (strict) {
      EXPECT_EQ(last.error.message, "1023");
      EXPECT_THAT(last.error.detail, HasSubstr("transactions forming the cycle are: "));
    }
    EXPECT_EQ(run(*one, "commit").tag(), "COMMIT");
    EXPECT_EQ(run(*two, "commit").tag(), strict ? "ROLLBACK" : "COMMIT");
    EXPECT_EQ(ask(*one, "select (select count(*) from tab1), (select count(*) from tab2)"),
              strict ? "0|1" : "1|1");
  }
}

TEST(Isolation, LoadsChangesAndTruncateCountAsWrites) {
  const auto admin = open_session();
  run(*admin, "create database iso_kinds isolation level serializable");
  auto one = try_open("leat", {}, "iso_kinds").value();
  auto two = try_open("leat", {}, "iso_kinds").value();
  for (const char* change :
       {"insert into here select 1", "update here set a = 2", "delete from here where a = 1",
        "truncate here", "alter table here add column c int"}) {
    run(*one, "drop table if exists here; drop table if exists there");
    run(*one, "create table here as select 1 as a; create table there as select 1 as a");
    run(*one, "create or replace view seen as select a from here");
    run(*one, "begin");
    EXPECT_EQ(ask(*one, "select count(*) from seen"), "1");
    run(*two, "begin");
    EXPECT_EQ(ask(*two, "select count(*) from there"), "1");
    EXPECT_EQ(state_of(*two, change), "") << change;
    EXPECT_EQ(run(*two, "commit").sqlstate(), "");
    EXPECT_EQ(state_of(*one, "insert into there values (1)"), "40001") << change;
    run(*one, "rollback; drop view seen");
  }
  // One after the other is always right, and so is waiting.
  run(*one, "begin; lock there");
  EXPECT_EQ(state_of(*one, "insert into there select max(a) + 1 from there"), "");
  EXPECT_EQ(run(*one, "commit").tag(), "COMMIT");
  EXPECT_EQ(state_of(*two, "insert into there select max(a) + 1 from there"), "");
  EXPECT_EQ(state_of(*admin, "insert into iso_kinds.public.there values (1)"), "0A000");
  EXPECT_EQ(state_of(*admin, "alter database iso_kinds isolation level snapshot"), "");
  EXPECT_EQ(state_of(*admin, "insert into iso_kinds.public.there values (1)"), "");
}

}  // namespace
}  // namespace leat::session
