// Transactions, locks, timeouts, cancelling, temporary tables, settings, cursors.
#include "warehouse/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>

#include "base/time_zone.h"
#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

SharedWarehouse& shared = SharedWarehouse::instance();

/// Runs for hours unless it is stopped.
constexpr std::string_view kEndless =
    "select count(*) from generate_series(1, 3000000) a(x), generate_series(1, 3000000) b(y) "
    "where x * y % 7 = 8";

TEST(Session, CommitKeepsAndRollbackUndoesRowsAndTables) {
  const auto one = open_session();
  const auto other = open_session();
  EXPECT_EQ(run(*one, "begin").tag(), "BEGIN");
  EXPECT_EQ(one->transaction(), TransactionStatus::kInTransaction);
  EXPECT_EQ(run(*one, "create table tx_keep (a int)").tag(), "CREATE TABLE");
  EXPECT_EQ(run(*one, "insert into tx_keep values (1), (2)").tag(), "INSERT 0 2");
  EXPECT_EQ(state_of(*other, "select * from tx_keep"), "42P01");
  EXPECT_EQ(run(*one, "commit").tag(), "COMMIT");
  EXPECT_EQ(one->transaction(), TransactionStatus::kIdle);
  EXPECT_EQ(ask(*other, "select sum(a) from tx_keep"), "3");

  run(*one, "start transaction");
  run(*one, "delete from tx_keep where a = 1");
  run(*one, "alter table tx_keep add column b varchar(3)");
  run(*one, "create schema tx_gone");
  EXPECT_EQ(run(*one, "abort").tag(), "ROLLBACK");
  EXPECT_EQ(ask(*one, "select * from tx_keep order by a"), "1;2");
  EXPECT_EQ(ask(*one, "select count(*) from pg_namespace where nspname = 'tx_gone'"), "0");
}

TEST(Session, AQueryThatComesAgainSeesWhatChanged) {
  const auto one = open_session();
  run(*one, "create user again password 'Secret1234'");
  const auto other = open_session("again");
  const std::string query = "select * from tx_again order by 1";
  EXPECT_EQ(state_of(*one, query), "42P01");
  run(*one, "create table tx_again (a int)");
  EXPECT_EQ(ask(*one, query), "");
  EXPECT_EQ(state_of(*other, query), "42501");
  run(*one, "insert into tx_again values (1), (2)");
  run(*one, "grant select on tx_again to again");
  EXPECT_EQ(ask(*one, query), "1;2");
  EXPECT_EQ(ask(*other, query), "1;2");
  run(*one, "revoke select on tx_again from again");
  EXPECT_EQ(state_of(*other, query), "42501");
  run(*one, "drop table tx_again");
  run(*one, "create table tx_again (b varchar(5), c int)");
  run(*one, "insert into tx_again values ('x', 3)");
  EXPECT_EQ(ask(*one, query), "x|3");
  run(*one, "begin");
  run(*one, "alter table tx_again drop column c");
  EXPECT_EQ(ask(*one, query), "x");
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, query), "x|3");
  run(*one, "create temp table tx_again (d int)");
  EXPECT_EQ(ask(*one, query), "");
  run(*one, "drop table tx_again");
  EXPECT_EQ(ask(*one, "select 1 / 0"), ask(*one, "select 1 / 0"));
  run(*one, "set time zone 'Europe/Berlin'");
  EXPECT_EQ(ask(*one, "select current_setting('timezone')"), "Europe/Berlin");
  run(*one, "set time zone 'UTC'");
  EXPECT_EQ(ask(*one, "select current_setting('timezone')"), "UTC");
}

TEST(Session, BlockStatementsOutOfPlaceWarn) {
  const auto one = open_session();
  EXPECT_THAT(run(*one, "commit").notices, ElementsAre("there is no transaction in progress"));
  EXPECT_THAT(run(*one, "rollback").notices, ElementsAre("there is no transaction in progress"));
  run(*one, "begin");
  EXPECT_THAT(run(*one, "begin").notices,
              ElementsAre("there is already a transaction in progress"));
  run(*one, "rollback");
}

TEST(Session, AFailedBlockRefusesEverythingUntilItsEnd) {
  const auto one = open_session();
  run(*one, "begin");
  run(*one, "create table tx_failed (a int)");
  EXPECT_EQ(state_of(*one, "select 1/0"), "22012");
  EXPECT_EQ(one->transaction(), TransactionStatus::kFailed);
  EXPECT_EQ(ask(*one, "select 1"),
            "25P02 current transaction is aborted, commands ignored until end of transaction "
            "block");
  EXPECT_EQ(state_of(*one, "begin"), "25P02");
  EXPECT_EQ(state_of(*one, "this is no SQL"), "42601");
  EXPECT_EQ(one->transaction(), TransactionStatus::kFailed);
  EXPECT_EQ(run(*one, "commit").tag(), "ROLLBACK");
  EXPECT_EQ(state_of(*one, "select * from tx_failed"), "42P01");
}

TEST(Session, StatementsOfOneStringCommitTogether) {
  const auto one = open_session();
  const Reply reply = run(*one,
                          "create table tx_string (a int); insert into tx_string values (1); "
                          "select a / 0 from tx_string; insert into tx_string values (2)");
  EXPECT_EQ(reply.sqlstate(), "22012");
  EXPECT_THAT(reply.tags, ElementsAre("CREATE TABLE", "INSERT 0 1"));
  EXPECT_EQ(one->transaction(), TransactionStatus::kIdle);
  EXPECT_EQ(state_of(*one, "select * from tx_string"), "42P01");
  EXPECT_TRUE(run(*one, " ; -- nothing").empty);
  // A BEGIN inside the string takes over what ran before it.
  run(*one, "create table tx_string (a int); begin; insert into tx_string values (1)");
  EXPECT_EQ(one->transaction(), TransactionStatus::kInTransaction);
  run(*one, "rollback");
  EXPECT_EQ(state_of(*one, "select * from tx_string"), "42P01");
}

TEST(Session, SomeStatementsRefuseABlock) {
  const auto one = open_session();
  run(*one, "create table tx_vacuum (a varchar(2))");
  run(*one, "begin");
  EXPECT_EQ(ask(*one, "vacuum tx_vacuum"), "25001 VACUUM cannot run inside a transaction block");
  run(*one, "rollback");
  EXPECT_EQ(run(*one, "vacuum tx_vacuum").tag(), "VACUUM");
  run(*one, "begin");
  EXPECT_EQ(state_of(*one, "alter table tx_vacuum alter column a type varchar(9)"), "25001");
  run(*one, "rollback");
}

TEST(Session, TruncateCommitsTheTransactionItRunsIn) {
  const auto one = open_session();
  run(*one, "create table tx_truncate (a int)");
  run(*one, "begin");
  run(*one, "create table tx_truncate_before (a int)");
  run(*one, "insert into tx_truncate values (1)");
  EXPECT_EQ(run(*one, "truncate tx_truncate").tag(), "TRUNCATE TABLE and COMMIT TRANSACTION");
  EXPECT_EQ(one->transaction(), TransactionStatus::kIdle);
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select count(*) from tx_truncate_before"), "0");
}

TEST(Session, ReadOnlyTransactionsRefuseChanges) {
  const auto one = open_session();
  run(*one, "create table tx_read (a int)");
  run(*one, "begin read only");
  EXPECT_EQ(state_of(*one, "insert into tx_read values (1)"), "25006");
  run(*one, "rollback");
  run(*one, "set readonly = 1");
  EXPECT_EQ(state_of(*one, "drop table tx_read"), "25006");
  EXPECT_EQ(ask(*one, "select count(*) from tx_read"), "0");
  run(*one, "set readonly = 0");
  EXPECT_EQ(state_of(*one, "insert into tx_read values (1)"), "");
}

TEST(Session, ATransactionSeesTheStateOfItsFirstStatement) {
  const auto reader = open_session();
  const auto writer = open_session();
  run(*writer, "create table iso (a int)");
  run(*writer, "insert into iso values (1)");
  run(*reader, "begin");
  // The snapshot is taken by the first statement that touches a table, not by BEGIN.
  run(*writer, "insert into iso values (2)");
  EXPECT_EQ(ask(*reader, "select count(*) from iso"), "2");
  run(*writer, "insert into iso values (3)");
  EXPECT_EQ(ask(*reader, "select count(*) from iso"), "2");
  run(*reader, "commit");
  EXPECT_EQ(ask(*reader, "select count(*) from iso"), "3");
}

TEST(Session, AWriterAfterASnapshotFailsWhenTheRowsChangedMeanwhile) {
  const auto one = open_session();
  const auto other = open_session();
  run(*one, "create table serial (a int)");
  run(*one, "insert into serial values (1)");
  run(*one, "begin");
  EXPECT_EQ(ask(*one, "select a from serial"), "1");
  run(*other, "update serial set a = a + 1");
  const Reply late = run(*one, "update serial set a = a + 1");
  EXPECT_EQ(late.sqlstate(), "40001");
  EXPECT_EQ(late.error.message, "1023");
  EXPECT_THAT(late.error.detail, HasSubstr("Serializable isolation violation"));
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select a from serial"), "2");
}

TEST(Session, LockIsWaitedForAndTheSnapshotTakenAfterIt) {
  const auto first = open_session();
  const auto second = open_session();
  const auto observer = open_session();
  run(*first, "create table ledger (a int)");
  EXPECT_EQ(state_of(*first, "lock table ledger"), "25P01");
  run(*first, "begin");
  EXPECT_EQ(run(*first, "lock ledger").tag(), "LOCK TABLE");
  run(*second, "begin");
  auto waiting = std::async(std::launch::async, [&] { return run(*second, "lock ledger"); });
  await_lock_waiters(*observer, "1");
  run(*first, "insert into ledger values (7)");
  run(*first, "commit");
  EXPECT_EQ(waiting.get().sqlstate(), "");
  EXPECT_EQ(ask(*second, "select a from ledger"), "7");
  run(*second, "commit");
}

TEST(Session, ReadersWaitForLockAndForNothingElse) {
  const auto holder = open_session();
  const auto reader = open_session();
  const auto observer = open_session();
  run(*holder, "create table readers (a int); create view readers_view as select a from readers");
  run(*holder, "begin; insert into readers values (1)");
  EXPECT_EQ(ask(*reader, "select count(*) from readers"), "0");
  run(*holder, "rollback");

  run(*holder, "begin; lock readers; insert into readers values (1)");
  // A reader waits for LOCK, also behind a view, and then sees what was committed.
  auto waiting =
      std::async(std::launch::async, [&] { return ask(*reader, "select a from readers_view"); });
  await_lock_waiters(*observer, "1");
  run(*holder, "commit");
  EXPECT_EQ(waiting.get(), "1");

  // And LOCK waits for transactions that have read.
  run(*reader, "begin");
  EXPECT_EQ(ask(*reader, "select a from readers"), "1");
  run(*holder, "begin");
  auto locking = std::async(std::launch::async, [&] { return run(*holder, "lock readers"); });
  await_lock_waiters(*observer, "1");
  run(*reader, "commit");
  EXPECT_EQ(locking.get().sqlstate(), "");
  run(*holder, "rollback");
  EXPECT_EQ(ask(*observer, "select count(*) from pg_locks where not granted"), "0");
}

TEST(Session, WhoMayNotReadDoesNotWaitForTheLockEither) {
  const auto holder = open_session();
  run(*holder, "create user lock_reader password 'Secret1234'");
  run(*holder, "create table lock_rights (a int); grant select on lock_rights to lock_reader");
  const auto reader = open_session("lock_reader");
  constexpr std::string_view kQuery = "select count(*) from lock_rights";
  ReplySink sink;
  // Its plan is remembered with the rights it was made under.
  ASSERT_EQ(ask(*reader, kQuery), "0");
  ASSERT_TRUE(reader->parse("kept", kQuery, {}, sink));
  ASSERT_TRUE(reader->bind("", "kept", {}, sink));
  ASSERT_TRUE(reader->execute("", 0, sink));
  ASSERT_TRUE(reader->sync(sink));
  ASSERT_EQ(state_of(*reader, "prepare sql_kept as select count(*) from lock_rights"), "");
  run(*holder, "revoke select on lock_rights from lock_reader");
  run(*holder, "begin; lock lock_rights");
  // Were the lock waited for, these would end with its time limit's error, or never.
  EXPECT_EQ(state_of(*reader, kQuery), "42501");
  ASSERT_TRUE(reader->bind("", "kept", {}, sink));
  const auto executed = reader->execute("", 0, sink);
  ASSERT_FALSE(executed);
  EXPECT_EQ(executed.error().sqlstate, "42501");
  ASSERT_TRUE(reader->sync(sink));
  EXPECT_EQ(state_of(*reader, "execute sql_kept"), "42501");
  run(*holder, "rollback");
}

TEST(Session, CrossedLocksEndWithADeadlockError) {
  const auto first = open_session();
  const auto second = open_session();
  const auto observer = open_session();
  run(*first, "create table cross_a (a int); create table cross_b (a int)");
  run(*first, "begin; lock cross_a");
  run(*second, "begin; lock cross_b");
  auto waiting = std::async(std::launch::async, [&] { return run(*first, "lock cross_b"); });
  await_lock_waiters(*observer, "1");
  EXPECT_EQ(state_of(*second, "lock cross_a"), "40P01");
  run(*second, "rollback");
  EXPECT_EQ(waiting.get().sqlstate(), "");
  run(*first, "rollback");
}

TEST(Session, AnEndedSessionGivesItsLocksBack) {
  auto first = open_session();
  const auto second = open_session();
  const auto observer = open_session();
  run(*first, "create table lock_gone (a int)");
  run(*first, "begin; lock lock_gone");
  auto waiting = std::async(std::launch::async,
                            [&] { return run(*second, "insert into lock_gone values (1)"); });
  await_lock_waiters(*observer, "1");
  first.reset();
  EXPECT_EQ(waiting.get().tag(), "INSERT 0 1");
}

TEST(Session, AStatementPastItsTimeIsStopped) {
  const auto one = open_session();
  run(*one, "set statement_timeout to 20");
  const Reply late = run(*one, kEndless);
  EXPECT_EQ(late.sqlstate(), "57014");
  EXPECT_THAT(late.error.message, HasSubstr("statement timeout"));
  run(*one, "set statement_timeout to 0");
  EXPECT_EQ(ask(*one, "select 1"), "1");
}

TEST(Session, AWaitForALockEndsWithTheStatementTimeout) {
  const auto first = open_session();
  const auto second = open_session();
  run(*first, "create table lock_timeout (a int)");
  run(*first, "begin; lock lock_timeout");
  run(*second, "set statement_timeout to 20");
  EXPECT_EQ(state_of(*second, "insert into lock_timeout values (1)"), "57014");
  run(*first, "rollback");
  run(*second, "set statement_timeout to 0");
  EXPECT_EQ(run(*second, "insert into lock_timeout values (1)").tag(), "INSERT 0 1");
}

TEST(Session, CancelStopsARunningStatementFromAnotherThread) {
  const auto one = open_session();
  const auto observer = open_session();
  run(*one, "begin");
  auto running = std::async(std::launch::async, [&] { return run(*one, kEndless); });
  await_active(*observer, one->id());
  // The wrong key does nothing; the right one stops it.
  shared.warehouse().cancel(one->id(), one->secret_key() + 1);
  EXPECT_EQ(
      ask(*observer, "select count(*) from stv_inflight where pid = " + std::to_string(one->id())),
      "1");
  // A cancel that comes between "active" and the engine's start would find nothing to stop.
  while (running.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    shared.warehouse().cancel(one->id(), one->secret_key());
  }
  const Reply stopped = running.get();
  EXPECT_EQ(stopped.sqlstate(), "57014");
  EXPECT_THAT(stopped.error.message, HasSubstr("cancelled on user's request"));
  EXPECT_EQ(one->transaction(), TransactionStatus::kFailed);
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select 1"), "1");
}

TEST(Session, TerminateEndsTheSessionForGood) {
  const auto one = open_session();
  const auto observer = open_session();
  bool woken = false;
  one->on_terminate([&] { woken = true; });
  EXPECT_EQ(ask(*observer, "select pg_terminate_backend(" + std::to_string(one->id()) + ")"), "t");
  EXPECT_TRUE(woken);
  EXPECT_TRUE(one->terminated());
  EXPECT_EQ(state_of(*one, "select 1"), "57P01");
}

TEST(Session, TemporaryTablesBelongToOneSession) {
  const auto one = open_session();
  const auto other = open_session();
  run(*one, "create table temporary_test (a int)");
  run(*one, "create temp table temporary_test (a int, b varchar(3))");
  run(*one, "create table #mine (a int)");
  run(*one, "insert into #mine values (1)");
  run(*one, "insert into temporary_test values (1, 'x')");
  EXPECT_EQ(ask(*one, "select * from temporary_test"), "1|x");
  EXPECT_EQ(ask(*one, "select * from public.temporary_test"), "");
  EXPECT_EQ(ask(*other, "select * from temporary_test"), "");
  EXPECT_EQ(state_of(*other, "select * from #mine"), "42P01");
  // Another session may have one of the same name; each is rolled back by its own.
  run(*other, "begin; create table #mine (a int); insert into #mine values (2)");
  EXPECT_EQ(ask(*other, "select a from #mine"), "2");
  run(*other, "rollback");
  EXPECT_EQ(state_of(*other, "select a from #mine"), "42P01");
  EXPECT_EQ(ask(*one, "select a from #mine"), "1");
  EXPECT_EQ(state_of(*one, "create temp table public.no (a int)"), "42P16");
  run(*one, "drop table temporary_test");
  EXPECT_EQ(ask(*one, "select * from temporary_test"), "");
  run(*one, "drop table #mine");
  EXPECT_EQ(state_of(*one, "select * from #mine"), "42P01");
}

TEST(Session, SettingsAreSetShownResetAndRolledBack) {
  const auto one = open_session();
  const Reply set = run(*one, "set application_name to 'a test'");
  EXPECT_EQ(set.tag(), "SET");
  EXPECT_THAT(set.settings, ElementsAre(Pair("application_name", "a test")));
  EXPECT_EQ(ask(*one, "show application_name"), "a test");
  EXPECT_EQ(ask(*one, "select current_setting('application_name')"), "a test");
  run(*one, "begin");
  run(*one, "set query_group to 'nightly'");
  run(*one, "set local extra_float_digits to 2");
  EXPECT_EQ(ask(*one, "show extra_float_digits"), "2");
  run(*one, "commit");
  EXPECT_EQ(ask(*one, "show query_group"), "nightly");
  EXPECT_EQ(ask(*one, "show extra_float_digits"), "0");
  run(*one, "begin");
  run(*one, "set query_group to 'never'");
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "show query_group"), "nightly");
  EXPECT_EQ(run(*one, "reset query_group").tag(), "RESET");
  EXPECT_EQ(ask(*one, "show query_group"), "");
  EXPECT_THAT(run(*one, "reset all").settings, Contains(Pair("application_name", "")));
  EXPECT_EQ(state_of(*one, "set no_such_thing to 1"), "42704");
  EXPECT_EQ(state_of(*one, "show no_such_thing"), "42704");
  EXPECT_EQ(state_of(*one, "set server_version to '9'"), "55P02");
  EXPECT_EQ(state_of(*one, "set extra_float_digits to 99"), "22023");
  EXPECT_THAT(ask(*one, "show all"), HasSubstr("statement_timeout|0"));
  EXPECT_THAT(run(*one, "set local query_group to 'x'").notices,
              ElementsAre(HasSubstr("transaction blocks")));
}

TEST(Session, TheTimeZoneGovernsInputAndOutput) {
  const auto one = open_session();
  run(*one, "create table zoned (t timestamptz)");
  EXPECT_THAT(run(*one, "set timezone to 'America/New_York'").settings,
              ElementsAre(Pair("TimeZone", "America/New_York")));
  run(*one, "insert into zoned values ('2026-07-01 12:00:00'), ('2026-01-01 12:00:00+00')");
  EXPECT_EQ(ask(*one, "select t::varchar from zoned order by 1"),
            "2026-01-01 07:00:00-05;2026-07-01 12:00:00-04");
  EXPECT_EQ(ask(*one, "select t::timestamp from zoned order by 1"),
            "2026-01-01 07:00:00;2026-07-01 12:00:00");
  run(*one, "begin");
  run(*one, "set timezone to 'Asia/Kolkata'");
  EXPECT_EQ(ask(*one, "select max(t)::varchar from zoned"), "2026-07-01 21:30:00+05:30");
  run(*one, "rollback");
  EXPECT_EQ(ask(*one, "select max(t)::varchar from zoned"), "2026-07-01 12:00:00-04");
  EXPECT_EQ(state_of(*one, "set timezone to 'Nowhere/Land'"), "22023");
  EXPECT_EQ(ask(*one, "show timezone"), "America/New_York");
  run(*one, "set timezone to '-8'");
  EXPECT_EQ(ask(*one, "select max(t)::varchar from zoned"), "2026-07-01 08:00:00-08");
  run(*one, "reset timezone");
  EXPECT_EQ(ask(*one, "select max(t)::varchar from zoned"), "2026-07-01 16:00:00+00");
}

TEST(Session, AZoneThatIsNoneIsIgnoredAtTheStart) {
  const auto strange = try_open("leat", {{"TimeZone", "Nowhere/Land"}});
  ASSERT_TRUE(strange);
  EXPECT_EQ(ask(**strange, "show timezone"), "UTC");
  const auto zoned = try_open("leat", {{"TimeZone", "Europe/Berlin"}});
  ASSERT_TRUE(zoned);
  EXPECT_EQ((*zoned)->time_zone().name(), "Europe/Berlin");
}

TEST(Session, ResultsAreDescribedAsDeclared) {
  const auto one = open_session();
  run(*one, "create table declared (v varchar(7), c char(3), n numeric(9,3), p int not null)");
  run(*one, "create view declared_view as select v as w from declared");
  const Reply reply = run(*one,
                          "select d.*, v || 'x' as joined, v as renamed, max(v) as largest, "
                          "'abc'::varchar(9) as cut from declared d group by 1, 2, 3, 4");
  ASSERT_EQ(reply.fields.size(), 8U);
  const std::pair<std::uint32_t, std::int32_t> expected[] = {
      {1043, 11}, {1042, 7}, {1700, ((9 << 16) | 3) + 4}, {23, -1}, {1043, 12}, {1043, 11},
      {1043, 11}, {1043, 13}};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(reply.fields[i].type_oid, expected[i].first) << i;
    EXPECT_EQ(reply.fields[i].type_modifier, expected[i].second) << i;
  }
  EXPECT_EQ(reply.fields[3].table, "declared");
  EXPECT_EQ(reply.fields[3].column, "p");
  EXPECT_EQ(reply.fields[3].column_number, 4);
  EXPECT_TRUE(reply.fields[3].not_null);
  EXPECT_NE(reply.fields[3].table_oid, 0U);
  EXPECT_EQ(reply.fields[5].column, "v");
  EXPECT_EQ(reply.fields[4].table_oid, 0U);
  EXPECT_EQ(run(*one, "select w from declared_view").fields[0].type_modifier, 11);
}

TEST(Session, ShowConstraints) {
  const auto one = open_session();
  run(*one, "create schema keys");
  run(*one, "create table keys.a (x int, y int, z int, primary key (x, y))");
  run(*one, "create table keys.b (p int, q int, foreign key (p, q) references keys.a (x, y))");
  EXPECT_EQ(ask(*one, "show constraints primary keys from table keys.a"),
            "dev|keys|a|x|1|a_pkey;dev|keys|a|y|2|a_pkey");
  const std::string foreign =
      "dev|keys|a|x|dev|keys|b|p|1|3|3|b_p_fkey|a_pkey|7;"
      "dev|keys|a|y|dev|keys|b|q|2|3|3|b_p_fkey|a_pkey|7";
  EXPECT_EQ(ask(*one, "show constraints foreign keys from table keys.b"), foreign);
  EXPECT_EQ(ask(*one, "show constraints foreign keys exported from table keys.a"), foreign);
  EXPECT_EQ(ask(*one, "show constraints foreign keys exported from table keys.b"), "");
  EXPECT_EQ(run(*one, "show constraints primary keys from table keys.b").fields.size(), 6U);
  EXPECT_EQ(state_of(*one, "show constraints primary keys from table keys.c"), "42P01");
}

TEST(Session, ShowListsWhatIsThere) {
  const auto one = open_session();
  run(*one, "create schema shown; create table shown.a (n int); create table shown.b (n int)");
  EXPECT_THAT(ask(*one, "show databases"), HasSubstr("dev|"));
  EXPECT_THAT(ask(*one, "show schemas"), HasSubstr("dev|shown|"));
  EXPECT_THAT(ask(*one, "show schemas from database dev like 'sho%'"), StartsWith("dev|shown|"));
  EXPECT_EQ(state_of(*one, "show schemas from database nowhere"), "3D000");
  EXPECT_EQ(run(*one, "show tables from schema shown").row_count, 2U);
  EXPECT_EQ(run(*one, "show tables from schema dev.shown like 'a%'").row_count, 1U);
  EXPECT_EQ(state_of(*one, "show tables from schema nowhere"), "3F000");
  run(*one, "set search_path to shown");
  EXPECT_EQ(run(*one, "show tables").row_count, 2U);
  EXPECT_EQ(run(*one, "show columns from table shown.a").row_count, 1U);
}

TEST(Session, SearchPathDecidesWhereNamesAreFoundAndMade) {
  const auto one = open_session();
  run(*one, "create schema path_a; create schema path_b");
  run(*one, "set search_path to path_b, path_a");
  EXPECT_EQ(ask(*one, "select current_schema()"), "path_b");
  run(*one, "create table path_a.pick (n int)");
  run(*one, "insert into pick values (1)");
  run(*one, "create table pick (n int)");
  EXPECT_EQ(ask(*one, "select * from pick"), "");
  EXPECT_EQ(ask(*one, "select * from path_a.pick"), "1");
  run(*one, "set search_path to nowhere");
  EXPECT_EQ(state_of(*one, "select * from pick"), "42P01");
  EXPECT_EQ(state_of(*one, "create table pick (n int)"), "3F000");
}

TEST(Session, CursorsFetchForwardWithinTheirTransaction) {
  const auto one = open_session();
  EXPECT_EQ(state_of(*one, "declare c cursor for select 1"), "25P01");
  run(*one, "begin");
  EXPECT_EQ(
      run(*one, "declare c cursor for select x from generate_series(1, 5) g(x) order by x").tag(),
      "DECLARE CURSOR");
  EXPECT_EQ(state_of(*one, "declare d cursor for select 1"), "0A000");
  EXPECT_EQ(one->transaction(), TransactionStatus::kFailed);
  run(*one, "rollback");
  run(*one, "begin; declare c cursor for select x from generate_series(1, 5) g(x) order by x");
  EXPECT_EQ(ask(*one, "fetch next from c"), "1");
  EXPECT_EQ(ask(*one, "fetch forward 0 from c"), "1");
  EXPECT_EQ(ask(*one, "fetch forward 2 from c"), "2;3");
  EXPECT_EQ(ask(*one, "select 'between'"), "between");
  const Reply all = run(*one, "fetch all from c");
  EXPECT_EQ(all.rows, "4;5");
  EXPECT_EQ(all.tag(), "FETCH 2");
  EXPECT_EQ(ask(*one, "fetch c"), "");
  EXPECT_EQ(run(*one, "close c").tag(), "CLOSE CURSOR");
  EXPECT_EQ(state_of(*one, "fetch c"), "34000");
  run(*one, "rollback");
  run(*one, "begin; declare c cursor for select 1");
  run(*one, "commit");
  EXPECT_EQ(state_of(*one, "fetch c"), "34000");
}

TEST(Session, ErrorsSayWhereInTheTextTheyAre) {
  const auto one = open_session();
  EXPECT_EQ(run(*one, "selec 1").error.position, 1);
  // Characters are counted, not bytes: each of these letters has two.
  EXPECT_EQ(run(*one, "select '\u00e4\u00e4\u00e4' frm t").error.position, 18);
  EXPECT_EQ(run(*one, "select '\u00e4', no_such_function_here(1, 2)").sqlstate(), "42883");
  const Reply missing = run(*one, "select '\u00e4' from no_such_table");
  EXPECT_EQ(missing.sqlstate(), "42P01");
  EXPECT_EQ(missing.error.position, 17);
  // The second statement of a string counts from the string's beginning.
  EXPECT_EQ(run(*one, "select '\u00e4'; select * from no_such_table").error.position, 27);
  // What the engine finds wrong is said without a position of its own text.
  EXPECT_EQ(run(*one, "select no_such_column from (select 1 as a) t").error.position, 0);
}

TEST(Session, StreamedErrorsKeepTheirStateWithManyWorkers) {
  const auto one = open_session();
  for (int i = 0; i < 20; ++i) {
    const Reply reply = run(*one,
                            "select 1 / (x - 250000) from generate_series(1, 300000) g(x) where "
                            "x % 2 = 0");
    ASSERT_EQ(reply.sqlstate(), "22012") << reply.error.message;
  }
}

TEST(Session, MergeRefusesSeveralMatchesForOneRow) {
  const auto one = open_session();
  run(*one, "create table merge_t (id int, v int); insert into merge_t values (1, 1), (5, 5)");
  run(*one, "create table merge_s (id int, v int); insert into merge_s values (1, 2), (2, 4)");
  constexpr std::string_view kMerge =
      "merge into merge_t using merge_s s on merge_t.id = s.id when matched then update set v = "
      "s.v when not matched then insert (id, v) values (s.id, s.v)";
  EXPECT_EQ(run(*one, kMerge).tag(), "MERGE");
  EXPECT_EQ(ask(*one, "select * from merge_t order by id"), "1|2;2|4;5|5");
  run(*one, "insert into merge_s values (1, 3)");
  EXPECT_EQ(ask(*one, kMerge), "21000 Found multiple matches to update the same tuple.");
  EXPECT_EQ(ask(*one, "select * from merge_t order by id"), "1|2;2|4;5|5");
  EXPECT_EQ(state_of(*one,
                     "merge into merge_t using (select * from merge_s where v < 3) s on merge_t.id "
                     "= s.id when matched then delete when not matched then insert (id, v) values "
                     "(s.id, s.v)"),
            "");
  EXPECT_EQ(ask(*one, "select * from merge_t order by id"), "2|4;5|5");
}

TEST(Session, AtMostSoManySessionsOfAUserWithALimit) {
  const auto admin = open_session();
  run(*admin, "create user limited_user password 'Secret123' connection limit 1");
  const auto first = try_open("limited_user");
  ASSERT_TRUE(first);
  const auto second = try_open("limited_user");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sqlstate, "53300");
  EXPECT_EQ(try_open("leat", {}, "nowhere").error().sqlstate, "3D000");
  EXPECT_EQ(try_open("nobody").error().sqlstate, "28000");
}

TEST(Session, StartupSettingsAreAppliedAndStrangersIgnored) {
  const auto opened = try_open("leat", {{"application_name", "psql"},
                                        {"extra_float_digits", "2"},
                                        {"driver_version", "x"},
                                        {"statement_timeout", "not a number"}});
  ASSERT_TRUE(opened);
  EXPECT_EQ(ask(**opened, "show application_name"), "psql");
  EXPECT_EQ(ask(**opened, "show extra_float_digits"), "2");
  EXPECT_EQ(ask(**opened, "show statement_timeout"), "0");
  run(**opened, "reset all");
  EXPECT_EQ(ask(**opened, "show application_name"), "psql");
}

// Which IN with a query becomes a look into a set of keys (docs/adr/0125). What the rows are says
// tests/sql/queries.slt.
TEST(Session, KeysOfSmallTemporaryTablesAreLookedUpInSets) {
  const auto session = open_session();
  run(*session, "create table keyed (k bigint, t varchar(10))");
  run(*session, "insert into keyed select 1, 'a' union all select 2, 'b' union all select 3, 'c'");
  run(*session, "create table others (k bigint)");
  run(*session, "create temp table keys (k bigint, i int, t varchar(10))");
  const auto in_a_set = [&](const std::string& condition) {
    const std::string plan = ask(*session, "explain select * from keyed x where " + condition);
    EXPECT_NE(plan.find("keyed"), std::string::npos) << plan;
    return plan.find("leat_among") != std::string::npos;
  };
  EXPECT_TRUE(in_a_set("k in (select k from keys)"));
  EXPECT_TRUE(in_a_set("x.k in (select s.i from keys s) and x.t = 'a'"));
  EXPECT_TRUE(in_a_set("k + 1 in (select keys.k from keys)"));
  for (const char* const other :
       {"t in (select t from keys)", "k in (select k from others)", "k not in (select k from keys)",
        "k in (select k from keys) or t = 'a'", "k in (select k from keys limit 1)",
        "k in (select k + 1 from keys)", "k in (select k from keys where i > 1)",
        "(k in (select k from keys)) is null"}) {
    EXPECT_FALSE(in_a_set(other)) << other;
  }
  run(*session, "insert into keys (k) select a.k from (select 1 as k union all select 2) a");
  for (int i = 0; i < 21; ++i) run(*session, "insert into keys (k) select k from keys");
  EXPECT_EQ(ask(*session, "select count(*) from keys"), "4194304");
  EXPECT_FALSE(in_a_set("k in (select k from keys)")) << "too many for memory";
}

}  // namespace
}  // namespace leat::session
