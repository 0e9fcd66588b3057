// Renaming of schemas beside other sessions, and after a start, which tests/sql/schemas.slt cannot
// show; and what SHOW TABLE prints.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

TEST(Schemas, RenamingKeepsWhatOthersMakeMeanwhile) {
  const auto renamer = open_session();
  const auto maker = open_session();
  run(*renamer, "create schema sc_old");
  run(*renamer, "create table sc_old.here (a int)");
  run(*maker, "begin");
  run(*maker, "create table sc_old.later (a int)");
  run(*maker, "create function sc_old.one() returns int stable as $$ select 1 $$ language sql");
  EXPECT_EQ(state_of(*renamer, "alter schema sc_old rename to sc_new"), "");
  EXPECT_EQ(state_of(*maker, "insert into sc_new.later values (5)"), "");
  EXPECT_EQ(run(*maker, "commit").tag(), "COMMIT");
  for (Session* session : {renamer.get(), maker.get()}) {
    EXPECT_EQ(ask(*session, "select a, sc_new.one() from sc_new.later"), "5|1");
    EXPECT_EQ(state_of(*session, "select * from sc_old.later"), "3F000");
  }
  EXPECT_EQ(ask(*maker, "select table_schema from svv_tables where table_name = 'later'"),
            "sc_new");
}

TEST(Schemas, RenamingWaitsForWritersAndTheyGoOn) {
  const auto renamer = open_session();
  const auto writer = open_session();
  const auto reader = open_session();
  run(*renamer, "create schema sc_busy");
  run(*renamer, "create table sc_busy.t (a int)");
  run(*reader, "begin");
  EXPECT_EQ(ask(*reader, "select count(*) from sc_busy.t"), "0");
  run(*writer, "begin");
  run(*writer, "insert into sc_busy.t values (1)");
  std::string state = "not run";
  std::thread waiting(
      [&] { state = state_of(*renamer, "alter schema sc_busy rename to sc_idle"); });
  await_lock_waiters(*reader, "1");
  EXPECT_EQ(state_of(*writer, "insert into sc_busy.t values (2)"), "");
  EXPECT_EQ(run(*writer, "commit").tag(), "COMMIT");
  waiting.join();
  EXPECT_EQ(state, "");
  // The reader's transaction sees what there was, by the new name.
  EXPECT_EQ(ask(*reader, "select count(*) from sc_idle.t"), "0");
  run(*reader, "commit");
  EXPECT_EQ(ask(*reader, "select sum(a) from sc_idle.t"), "3");
}

TEST(Schemas, NamesAndQuotasOutliveAStart) {
  std::string directory = testing::TempDir() + "leat_schemas_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  for (const bool first : {true, false}) {
    auto warehouse = Warehouse::open(
        {.data_directory = directory, .admin_password = std::string(kAdminPassword), .threads = 1});
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    auto opened = (*warehouse)->open_session({.user = "leat", .database = "dev"});
    ASSERT_TRUE(opened) << opened.error().message;
    Session& session = **opened;
    if (first) {
      run(session, "create schema sc_one quota 7 gb");
      run(session, "create table sc_one.t as select 1 as a");
      run(session, "create view sc_one.v as select a from sc_one.t");
      EXPECT_EQ(state_of(session, "alter schema sc_one rename to sc_two"), "");
      run(session, "create schema sc_one");
      run(session, "create table sc_one.t as select 2 as a");
    }
    EXPECT_EQ(ask(session, "select (select a from sc_two.v), (select a from sc_one.t)"), "1|2");
    EXPECT_EQ(ask(session,
                  "select schema_name, quota from svv_schema_quota_state where schema_name "
                  "in ('sc_one', 'sc_two') order by 1"),
              "sc_one|~;sc_two|7168");
  }
  std::filesystem::remove_all(directory);
}

TEST(ShowTable, PrintsWhatMakesTheTableAnew) {
  const auto session = open_session();
  run(*session, "create schema sc_show");
  const std::string keyed =
      "CREATE TABLE sc_show.keyed (\n    id integer NOT NULL IDENTITY(1,1) ENCODE az64 distkey,\n"
      "    \"order\" character varying(10) DEFAULT 'x' ENCODE lzo,\n    b numeric(19,4) ENCODE "
      "raw,\n"
      "    day date,\n    PRIMARY KEY (id),\n    UNIQUE (\"order\")\n)\nDISTSTYLE KEY\n"
      "SORTKEY ( day );";
  const std::string other =
      "CREATE TABLE sc_show.other (\n    a integer,\n    b integer,\n"
      "    FOREIGN KEY (a) REFERENCES sc_show.keyed(id)\n)\nDISTSTYLE ALL\n"
      "INTERLEAVED SORTKEY ( a, b );";
  EXPECT_EQ(state_of(*session,
                     "create table sc_show.keyed (id int identity(1,1) primary key distkey, "
                     "\"order\" varchar(10) unique default 'x', b decimal(19,4) encode raw, day "
                     "date sortkey)"),
            "");
  EXPECT_EQ(state_of(*session,
                     "create table sc_show.other (a int references sc_show.keyed (id), b int) "
                     "diststyle all interleaved sortkey (a, b)"),
            "");
  EXPECT_EQ(ask(*session, "show table sc_show.keyed"), keyed);
  EXPECT_EQ(ask(*session, "show table sc_show.other"), other);
  run(*session, "drop table sc_show.other");
  run(*session, "drop table sc_show.keyed");
  EXPECT_EQ(state_of(*session, keyed), "");
  EXPECT_EQ(state_of(*session, other), "");
  EXPECT_EQ(ask(*session, "show table sc_show.keyed"), keyed);
  EXPECT_EQ(ask(*session, "show table sc_show.other"), other);
}

}  // namespace
}  // namespace leat::session
