// The server as libpq and psql see it, over real sockets.
#include "warehouse/pgwire/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "warehouse/pgwire/auth.h"
#include "warehouse/pgwire/server_fixture.h"

namespace leat::pgwire {
namespace {

using testing::HasSubstr;

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Client = std::unique_ptr<PGconn, CloseConnection>;

struct Answer {
  std::string value;  // first cell of the last result
  std::string sqlstate;
  std::string tag;
};

class PgwireServer : public testing::Test {
 protected:
  std::string address(const std::string& more = "") {
    return "host=127.0.0.1 port=" + std::to_string(SharedServer::instance().port()) +
           " user=leat dbname=dev connect_timeout=20 " + more;
  }
  Client connect(const std::string& more = "password=Secret123") {
    return Client(PQconnectdb(address(more).c_str()));
  }

  static Answer run(const Client& client, const std::string& sql) {
    return answer_of(PQexec(client.get(), sql.c_str()));
  }
  static Answer answer_of(PGresult* result) {
    Answer answer;
    if (PQntuples(result) > 0) answer.value = PQgetvalue(result, 0, 0);
    if (const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE)) answer.sqlstate = state;
    answer.tag = PQcmdStatus(result);
    PQclear(result);
    return answer;
  }

  /// Waits until a session waits for a lock: nothing else tells that it does.
  static void await_lock_waiter(const Client& observer) {
    while (run(observer, "select count(*) from pg_locks where not granted").value != "1") {
    }
  }
};

// Registered before the first test asks for it.
[[maybe_unused]] SharedServer& shared = SharedServer::instance();

TEST_F(PgwireServer, LogsInWithMd5OverTlsAndWithout) {
  for (const char* mode :
       {"password=Secret123 sslmode=disable", "password=Secret123 sslmode=require"}) {
    const Client client = connect(mode);
    ASSERT_EQ(PQstatus(client.get()), CONNECTION_OK) << PQerrorMessage(client.get());
    EXPECT_EQ(run(client, "select 1 + 1").value, "2");
    EXPECT_STREQ(PQparameterStatus(client.get(), "server_version"), "8.0.2");
    EXPECT_EQ(PQsslInUse(client.get()), std::string_view(mode).ends_with("require") ? 1 : 0);
  }
}

TEST_F(PgwireServer, RefusesWrongPasswordsAndThenSlowsTheGuesser) {
  run(connect(), "create user guessed password 'Secret123'");
  for (int i = 0; i < 3; ++i) {
    const Client client = connect("user=guessed password=wrong sslmode=require");
    EXPECT_THAT(PQerrorMessage(client.get()),
                HasSubstr("password authentication failed for user \"guessed\""));
  }
  const Client client = connect("user=guessed password=Secret123");
  EXPECT_THAT(PQerrorMessage(client.get()), HasSubstr("too many failed logins"));
}

// Who asks on many connections at once, or by the names that IAM gives a user, has no more guesses.
TEST_F(PgwireServer, CountsGuessesHoweverTheyCome) {
  run(connect(), "create user besieged password 'Secret123'");
  std::vector<std::unique_ptr<WireClient>> guessers;
  for (const char* name : {"besieged", "IAM:besieged", "besieged", "IAMA:besieged", "besieged"}) {
    guessers.push_back(std::make_unique<WireClient>(SharedServer::instance().port()));
    guessers.back()->send(startup_frame({{"user", name}, {"database", "dev"}}));
  }
  for (const auto& guesser : guessers) ASSERT_EQ(guesser->read().type, 'R');
  std::vector<std::string> answers;
  for (const auto& guesser : guessers) {
    guesser->send(frame('p', "md5" + std::string(32, '0') + '\0'));
    answers.push_back(field_of(guesser->read(), 'M'));
  }
  EXPECT_EQ(std::ranges::count_if(
                answers, [](const auto& each) { return each.contains("authentication failed"); }),
            3);
  EXPECT_EQ(std::ranges::count_if(
                answers, [](const auto& each) { return each.contains("too many failed logins"); }),
            2);
}

TEST_F(PgwireServer, AnUnknownUserIsRefusedLikeAWrongPassword) {
  const Client client = connect("user=nobody password=Secret123");
  EXPECT_THAT(PQerrorMessage(client.get()),
              HasSubstr("password authentication failed for user \"nobody\""));
}

TEST_F(PgwireServer, ADigestOnlyUserNeedsTlsForItsPassword) {
  run(connect(), "create user digest_only password 'sha256|Secret123'");
  const Client plain = connect("user=digest_only password=Secret123 sslmode=disable");
  EXPECT_THAT(PQerrorMessage(plain.get()), HasSubstr("over TLS only"));
  const Client secured = connect("user=digest_only password=Secret123 sslmode=require");
  EXPECT_EQ(run(secured, "select current_user").value, "digest_only");
  run(connect(), "create user locked_out password disable");
  const Client disabled = connect("user=locked_out password=x");
  EXPECT_EQ(PQstatus(disabled.get()), CONNECTION_BAD);
}

TEST_F(PgwireServer, TakesTemporaryPasswordsUntilTheyExpire) {
  const TimeUs now = system_clock().now();
  session::Warehouse& warehouse = SharedServer::instance().warehouse();
  warehouse.add_temporary_password("IAM:leat", "First123", TimeUs{now.value + kUsPerHour});
  warehouse.add_temporary_password("IAM:leat", "Second123", TimeUs{now.value + kUsPerHour});
  warehouse.add_temporary_password("IAM:leat", "Late123", now);
  warehouse.add_temporary_password("IAM:nobody", "First123", TimeUs{now.value + kUsPerHour});
  const auto status = [&](const std::string& login) {
    return PQstatus(connect(login + " sslmode=disable").get());
  };
  EXPECT_EQ(status("user=IAM:leat password=First123"), CONNECTION_OK);
  EXPECT_EQ(status("user=IAM:leat password=Second123"), CONNECTION_OK);
  EXPECT_EQ(status("user=IAM:leat password=Late123"), CONNECTION_BAD);
  EXPECT_EQ(status("user=leat password=First123"), CONNECTION_BAD);
  EXPECT_EQ(status("user=IAM:nobody password=First123"), CONNECTION_BAD);
  const Client client = connect("user=IAM:leat password=First123");
  EXPECT_EQ(run(client, "select current_user").value, "leat");
}

TEST_F(PgwireServer, RefusesAnUnknownDatabase) {
  const Client client = connect("password=Secret123 dbname=nowhere");
  EXPECT_THAT(PQerrorMessage(client.get()), HasSubstr("database \"nowhere\" does not exist"));
}

TEST_F(PgwireServer, AFailedBlockStaysFailedAndRollsTheCatalogBack) {
  const Client client = connect();
  EXPECT_EQ(run(client, "begin").tag, "BEGIN");
  EXPECT_EQ(run(client, "create table failed_t (a varchar(2))").tag, "CREATE TABLE");
  EXPECT_EQ(run(client, "insert into failed_t values ('ab')").tag, "INSERT 0 1");
  EXPECT_EQ(run(client, "insert into failed_t values ('abc')").sqlstate, "22001");
  EXPECT_EQ(PQtransactionStatus(client.get()), PQTRANS_INERROR);
  EXPECT_EQ(run(client, "select 1").sqlstate, "25P02");
  EXPECT_EQ(run(client, "commit").tag, "ROLLBACK");
  EXPECT_EQ(run(client, "select * from failed_t").sqlstate, "42P01");
  EXPECT_EQ(run(client, "select count(*) from pg_class where relname = 'failed_t'").value, "0");
}

// A DEFAULT too: it is an error when it is stored.
TEST_F(PgwireServer, StoresNothingLongerThanDeclared) {
  const Client client = connect();
  EXPECT_EQ(run(client,
                "create table t (a int, b varchar(3) default 'abcd', c char(2) default 'x  ', "
                "d varchar(2) default upper('abc'), e varbyte(2))")
                .tag,
            "CREATE TABLE");
  EXPECT_EQ(run(client, "insert into t (a) values (1)").sqlstate, "22001");
  EXPECT_EQ(run(client, "insert into t (a, b) values (1, 'b')").sqlstate, "22001");
  EXPECT_EQ(run(client, "insert into t (a, b, d, c) values (1, 'b', 'd', default)").tag,
            "INSERT 0 1");
  EXPECT_EQ(run(client, "select c || '|' from t").value, "x|");
  EXPECT_EQ(run(client, "insert into t (b, d) select d || d || d || d, 'd' from t").sqlstate,
            "22001");
  EXPECT_EQ(run(client, "insert into t (b, d) select b || '   ', b from t").tag, "INSERT 0 1");
  EXPECT_EQ(run(client, "update t set b = 'abcd'").sqlstate, "22001");
  EXPECT_EQ(run(client, "update t set e = from_hex('010203')").sqlstate, "22001");
  EXPECT_EQ(run(client, "update t set e = from_hex('0102')").tag, "UPDATE 2");
  EXPECT_EQ(run(client, "alter table t add column f varchar(2) default 'abc'").sqlstate, "22001");
  EXPECT_EQ(run(client, "select count(*) from t where b like 'b%'").value, "2");
}

TEST_F(PgwireServer, BindsTextParametersAndDescribes) {
  const Client client = connect();
  const std::array<const char*, 2> values{"20", "x"};
  PGresult* result = PQexecParams(client.get(), "select $1::int + 1, $2::varchar || 'y'", 2,
                                  nullptr, values.data(), nullptr, nullptr, 0);
  EXPECT_STREQ(PQgetvalue(result, 0, 1), "xy");
  EXPECT_EQ(PQftype(result, 0), 23U);
  EXPECT_EQ(answer_of(result).value, "21");
}

/// The bytes of the only cell, in hexadecimal, asked for in binary.
std::string binary_cell(PGconn* connection, const std::string& sql) {
  PGresult* result =
      PQexecParams(connection, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1);
  std::string hex =
      PQresultStatus(result) == PGRES_TUPLES_OK && PQfformat(result, 0) == 1
          ? to_hex(std::string_view(PQgetvalue(result, 0, 0),
                                    static_cast<std::size_t>(PQgetlength(result, 0, 0))))
          : PQresultErrorMessage(result);
  PQclear(result);
  return hex;
}

TEST_F(PgwireServer, SendsBinaryResults) {
  const Client client = connect();
  const std::pair<const char*, const char*> table[] = {
      {"select true", "01"},
      {"select 258::smallint", "0102"},
      {"select -2::int", "fffffffe"},
      {"select 258::bigint", "0000000000000102"},
      {"select 1.5::float4", "3fc00000"},
      {"select 1.5::float8", "3ff8000000000000"},
      {"select date '2000-01-02'", "00000001"},
      {"select time '00:00:01'", "00000000000f4240"},
      {"select timestamp '2000-01-01 00:00:01'", "00000000000f4240"},
      {"select timestamptz '2000-01-01 00:00:01+00'", "00000000000f4240"},
      {"select timetz '00:00:01+01'", "00000000000f4240fffff1f0"},
      {"select timetz '00:00:01-03:30'", "00000000000f424000003138"},
      {"select interval '1 month 2 days 1 second'", "00000000000f42400000000200000001"},
      {"select 'ab'::varchar", "6162"},
      // One dimension, with NULLs, of int2: two elements from 1 on.
      {"select array[1::smallint, null]",
       "00000001000000010000001500000002000000010000000200"
       "01ffffffff"},
      {"select array['a']", "00000001000000000000001900000001000000010000000161"},
      // ndigits 2, weight 0, sign, scale 2: 12 and 5000
      {"select 12.50::numeric(10,2)",
       "00020000000000020"
       "00c1388"},
      {"select -0.05::numeric(10,2)", "0001ffff4000000201f4"},
      {"select 0::numeric(10,2)", "0000000000000002"},
  };
  for (const auto& [sql, expected] : table)
    EXPECT_EQ(binary_cell(client.get(), sql), expected) << sql;
}

/// The types of a statement's columns, then of its parameters.
std::vector<Oid> described_types(PGconn* connection, const char* sql) {
  PQclear(PQprepare(connection, "", sql, 0, nullptr));
  PGresult* result = PQdescribePrepared(connection, "");
  std::vector<Oid> types;
  for (int i = 0; i < PQnfields(result); ++i) types.push_back(PQftype(result, i));
  for (int i = 0; i < PQnparams(result); ++i) types.push_back(PQparamtype(result, i));
  PQclear(result);
  return types;
}

// What drivers ask when they meet a type that they do not know: they read oid and "char" only.
TEST_F(PgwireServer, DescribesTypesOfTheCatalog) {
  const Client client = connect();
  EXPECT_EQ(described_types(client.get(),
                            "select t.oid, t.typtype, t.typelem, r.rngsubtype, "
                            "t.typname from pg_catalog.pg_type t left outer join "
                            "pg_catalog.pg_range r on r.rngtypid = t.oid inner join "
                            "pg_catalog.pg_namespace n on t.typnamespace = n.oid "
                            "where t.oid = $1"),
            (std::vector<Oid>{26, 18, 26, 26, 1043, 26}));
  EXPECT_EQ(described_types(client.get(),
                            "with recursive x(oid, depth) as (select oid, 0 from pg_type where "
                            "oid = any($1::oid[]) union all select t.oid, x.depth + 1 from "
                            "pg_type t, x where t.typelem = x.oid and x.depth < 2) select oid, "
                            "depth, array_agg(oid) from x group by oid, depth"),
            (std::vector<Oid>{26, 23, 1028, 1028}));
  EXPECT_EQ(described_types(client.get(),
                            "select oid + 1, oid::int, max(relkind) from pg_class "
                            "group by oid having count(*) > $1"),
            (std::vector<Oid>{20, 23, 18, 20}));
  EXPECT_EQ(binary_cell(client.get(), "select oid from pg_type where typname = 'super'"),
            "00000fa0");
  EXPECT_EQ(binary_cell(client.get(), "select typtype from pg_type where typname = 'super'"), "62");
}

// int2vector and oidvector: arrays whose text has no brackets.
TEST_F(PgwireServer, DescribesVectorsOfTheCatalog) {
  const Client client = connect();
  run(client, "create table vector_t (a int, b int, primary key (b, a))");
  EXPECT_EQ(described_types(client.get(),
                            "select x.k, i.indclass, i.indkey[0], i.indclass[0], p.proargtypes, "
                            "c.conkey from pg_index i join (select indexrelid, indkey as k from "
                            "pg_index) x on x.indexrelid = i.indexrelid, pg_proc p, pg_constraint "
                            "c where i.indrelid = $1"),
            (std::vector<Oid>{22, 30, 21, 26, 30, 1005, 26}));
  const std::string vector = "select indkey from pg_index where indrelid = 'vector_t'::regclass";
  EXPECT_EQ(run(client, vector).value, "2 1");
  EXPECT_EQ(binary_cell(client.get(), vector.c_str()),
            "000000010000000000000015000000020000000000000002000200000002"
            "0001");
  EXPECT_EQ(binary_cell(client.get(),
                        "select indkey[1] from pg_index where indrelid = "
                        "'vector_t'::regclass"),
            "0001");
}

TEST_F(PgwireServer, ReadsBinaryArrays) {
  const Client client = connect();
  const std::string array(
      "\0\0\0\1\0\0\0\0\0\0\0\x1a\0\0\0\2\0\0\0\1"
      "\0\0\0\4\0\0\0\x17\0\0\0\4\0\0\x0f\xa0",
      36);
  const std::array<const char*, 1> values{array.data()};
  const std::array<int, 1> lengths{36};
  const std::array<int, 1> formats{1};
  const char* sql = "select count(*) from pg_type where oid = any($1::oid[])";
  PGresult* result =
      PQexecParams(client.get(), sql, 1, nullptr, values.data(), lengths.data(), formats.data(), 0);
  EXPECT_EQ(answer_of(result).value, "2");
  const std::string words(
      "\0\0\0\1\0\0\0\1\0\0\4\x13\0\0\0\3\0\0\0\1"
      "\0\0\0\5it's\"\xff\xff\xff\xff\0\0\0\4a, \\",
      41);
  const std::array<const char*, 1> texts{words.data()};
  const std::array<int, 1> all{41};
  result = PQexecParams(client.get(),
                        "select array_to_string($1::varchar[], '|') || "
                        "array_upper($1::varchar[], 1)",
                        1, nullptr, texts.data(), all.data(), formats.data(), 0);
  EXPECT_EQ(answer_of(result).value, "it's\"|a, \\3");
  const std::array<int, 1> cut{30};
  result =
      PQexecParams(client.get(), sql, 1, nullptr, values.data(), cut.data(), formats.data(), 0);
  EXPECT_EQ(answer_of(result).sqlstate, "22P03");
}

TEST_F(PgwireServer, ReadsBinaryParameters) {
  const Client client = connect();
  const std::array<Oid, 2> types{23, 1700};
  const std::string four("\0\0\0\4", 4);
  const std::string half("\0\1\xff\xff\0\0\0\1\x13\x88", 10);
  const std::array<const char*, 2> values{four.data(), half.data()};
  const std::array<int, 2> lengths{4, 10};
  const std::array<int, 2> formats{1, 1};
  PGresult* result = PQexecParams(client.get(), "select $1 + 1, $2::numeric(3,1)", 2, types.data(),
                                  values.data(), lengths.data(), formats.data(), 0);
  EXPECT_STREQ(PQgetvalue(result, 0, 1), "0.5");
  EXPECT_EQ(answer_of(result).value, "5");
}

TEST_F(PgwireServer, PipelinedErrorsStopAtTheirSync) {
  const Client client = connect();
  ASSERT_EQ(PQenterPipelineMode(client.get()), 1);
  for (const char* sql : {"select 1", "select 1/0", "select 2"}) {
    ASSERT_EQ(PQsendQueryParams(client.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0), 1);
  }
  ASSERT_EQ(PQpipelineSync(client.get()), 1);
  ASSERT_EQ(PQsendQueryParams(client.get(), "select 3", 0, nullptr, nullptr, nullptr, nullptr, 0),
            1);
  ASSERT_EQ(PQpipelineSync(client.get()), 1);
  std::string statuses;
  for (int ends = 0; ends < 2;) {
    PGresult* result = PQgetResult(client.get());
    if (result == nullptr) continue;
    statuses += std::string(PQresStatus(PQresultStatus(result))) + " ";
    ends += PQresultStatus(result) == PGRES_PIPELINE_SYNC ? 1 : 0;
    PQclear(result);
  }
  EXPECT_EQ(statuses,
            "PGRES_TUPLES_OK PGRES_FATAL_ERROR PGRES_PIPELINE_ABORTED PGRES_PIPELINE_SYNC "
            "PGRES_TUPLES_OK PGRES_PIPELINE_SYNC ");
}

TEST_F(PgwireServer, SendsRowsOneByOne) {
  const Client client = connect();
  ASSERT_EQ(PQsendQuery(client.get(), "select x from generate_series(1, 5000) g(x)"), 1);
  ASSERT_EQ(PQsetSingleRowMode(client.get()), 1);
  int rows = 0;
  while (PGresult* result = PQgetResult(client.get())) {
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) ++rows;
    PQclear(result);
  }
  EXPECT_EQ(rows, 5000);
}

TEST_F(PgwireServer, ErrorsCarryTheirFields) {
  const Client client = connect();
  PGresult* result = PQexec(client.get(), "drop table no_such_table_here");
  EXPECT_STREQ(PQresultErrorField(result, PG_DIAG_SEVERITY), "ERROR");
  EXPECT_STREQ(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42P01");
  PQclear(result);
  result = PQexec(client.get(), "select 1 frm x y");
  EXPECT_STREQ(PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION), "14");
  PQclear(result);
}

TEST_F(PgwireServer, TheSecondLockWaitsForTheFirstTransactionAndSeesItsRows) {
  const Client first = connect();
  const Client second = connect();
  EXPECT_EQ(run(first, "create table ledger (id int)").tag, "CREATE TABLE");
  run(first, "begin");
  EXPECT_EQ(run(first, "lock table ledger").sqlstate, "");
  run(second, "begin");
  auto waiting = std::async(std::launch::async, [&] { return run(second, "lock table ledger"); });
  await_lock_waiter(connect());
  run(first, "insert into ledger values (7)");
  EXPECT_EQ(run(first, "commit").tag, "COMMIT");
  EXPECT_EQ(waiting.get().sqlstate, "");
  EXPECT_EQ(run(second, "select id from ledger").value, "7");
  EXPECT_EQ(run(second, "rollback").tag, "ROLLBACK");
}

TEST_F(PgwireServer, CancelsAWaitingStatement) {
  const Client first = connect();
  const Client second = connect();
  run(first, "create table cancel_t (a int)");
  run(first, "begin");
  run(first, "insert into cancel_t values (1)");
  auto waiting = std::async(std::launch::async,
                            [&] { return run(second, "insert into cancel_t values (2)"); });
  await_lock_waiter(connect());
  PGcancel* cancel = PQgetCancel(second.get());
  std::array<char, 256> error{};
  EXPECT_EQ(PQcancel(cancel, error.data(), error.size()), 1) << error.data();
  PQfreeCancel(cancel);
  EXPECT_EQ(waiting.get().sqlstate, "57014");
}

TEST_F(PgwireServer, PsqlDescribesTables) {
  const Client client = connect();
  run(client, "create table psql_t (id varchar(512) not null, n bigint default 3) distkey(id)");
  const std::string command =
      "PGPASSWORD=Secret123 timeout 60 psql -X '" + address() +
      "' -c '\\d' -c '\\d psql_t' -c '\\dt' -c '\\dn' -c '\\l' -c '\\du' -c '\\dv' "
      "-c '\\df' -c '\\dp' -c '\\dx' -c '\\db' -c '\\ddp' -c '\\dC' -c '\\do' -c '\\dT' "
      "-c '\\dg' -c '\\di' -c '\\ds' -c '\\dS' -c '\\z' -c '\\da' -c '\\dc' -c '\\dconfig' "
      "-c '\\dd' -c '\\dD' -c '\\dE' -c '\\dF' -c '\\dL' -c '\\dm' -c '\\dO' -c '\\d+ psql_t' "
      "-c '\\db+' -c '\\df+' -c '\\dL+' -c '\\dn+' -c '\\dt+' -c '\\dT+' -c '\\du+' -c '\\dv+' "
      "-c '\\l+' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), got);
  }
  EXPECT_EQ(pclose(pipe), 0) << output;
  EXPECT_THAT(output, HasSubstr("psql_t"));
  EXPECT_THAT(output, HasSubstr("character varying(512)"));
  EXPECT_THAT(output, HasSubstr("| not null |"));
  EXPECT_THAT(output, testing::Not(HasSubstr("ERROR")));
}

TEST(AddressRules, SayWhoMayComeFromWhere) {
  auto rules =
      AddressRules::parse("alice=10.0.0.0/8 192.168.1.7, bob=2001:db8::/33,*=172.16.0.0/12");
  ASSERT_TRUE(rules) << rules.error().message;
  const auto check = [&](std::string_view user, std::string_view address, bool expected) {
    EXPECT_EQ(rules->allowed(user, address), expected) << user << " from " << address;
  };
  check("alice", "10.1.2.3", true);
  check("alice", "::ffff:10.1.2.3", true);
  check("alice", "11.1.2.3", false);
  check("alice", "192.168.1.7", true);
  check("alice", "192.168.1.8", false);
  check("alice", "172.16.0.1", false);
  check("bob", "2001:db8:7fff::1", true);
  check("bob", "2001:db8:8000::1", false);
  check("carol", "172.31.255.255", true);
  check("carol", "172.32.0.0", false);
  check("carol", "not an address", false);
  check("leat", "127.0.0.1", false);
  rules->allow_loopback("leat");
  check("leat", "127.0.0.1", true);
  check("leat", "::1", true);
  check("leat", "172.16.0.1", true);
  check("leat", "8.8.8.8", false);

  auto open = AddressRules::parse(" ");
  ASSERT_TRUE(open);
  open->allow_loopback("leat");
  EXPECT_TRUE(open->allowed("anybody", "8.8.8.8"));
  EXPECT_TRUE(open->allowed("leat", "8.8.8.8"));
  for (const char* bad : {"alice", "alice=", "=10.0.0.0/8", "alice=10.0.0.0/33", "alice=::/129",
                          "alice=10.0.0", "alice=10.0.0.0/x", "alice=10.0.0.0/8,"}) {
    EXPECT_FALSE(AddressRules::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace leat::pgwire
