// The server as libpq and psql see it, over real sockets.
#include "warehouse/pgwire/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <cstdio>
#include <future>
#include <memory>
#include <string>

#include "warehouse/session/warehouse.h"

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
  void SetUp() override {
    auto warehouse = session::Warehouse::open({.admin_password = "Secret123"});
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    warehouse_ = std::move(*warehouse);
    auto server = Server::start({.listen = "127.0.0.1:0", .failed_logins_max = 3}, *warehouse_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->stop(5'000'000);
  }

  std::string address(const std::string& more = "") {
    return "host=127.0.0.1 port=" + std::to_string(server_->port()) +
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

  std::unique_ptr<session::Warehouse> warehouse_;
  std::unique_ptr<Server> server_;
};

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
  for (int i = 0; i < 3; ++i) {
    const Client client = connect("password=wrong sslmode=require");
    EXPECT_THAT(PQerrorMessage(client.get()), HasSubstr("password authentication failed"));
  }
  const Client client = connect();
  EXPECT_THAT(PQerrorMessage(client.get()), HasSubstr("too many failed logins"));
}

TEST_F(PgwireServer, RefusesAnUnknownDatabase) {
  const Client client = connect("password=Secret123 dbname=nowhere");
  EXPECT_THAT(PQerrorMessage(client.get()), HasSubstr("database \"nowhere\" does not exist"));
}

TEST_F(PgwireServer, AFailedBlockStaysFailedAndRollsTheCatalogBack) {
  const Client client = connect();
  EXPECT_EQ(run(client, "begin").tag, "BEGIN");
  EXPECT_EQ(run(client, "create table t (a varchar(2))").tag, "CREATE TABLE");
  EXPECT_EQ(run(client, "insert into t values ('ab')").tag, "INSERT 0 1");
  EXPECT_EQ(run(client, "insert into t values ('abc')").sqlstate, "22001");
  EXPECT_EQ(PQtransactionStatus(client.get()), PQTRANS_INERROR);
  EXPECT_EQ(run(client, "select 1").sqlstate, "25P02");
  EXPECT_EQ(run(client, "commit").tag, "ROLLBACK");
  EXPECT_EQ(run(client, "select * from t").sqlstate, "42P01");
  EXPECT_EQ(run(client, "select count(*) from pg_class where relname = 't'").value, "0");
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

TEST_F(PgwireServer, SendsBinaryResults) {
  const Client client = connect();
  PGresult* result =
      PQexecParams(client.get(), "select 258::int", 0, nullptr, nullptr, nullptr, nullptr, 1);
  ASSERT_EQ(PQgetlength(result, 0, 0), 4);
  EXPECT_EQ(std::string(PQgetvalue(result, 0, 0), 4), std::string("\0\0\1\2", 4));
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
  // The lock list shows the waiter; nothing else tells that it waits.
  const Client observer = connect();
  while (run(observer, "select count(*) from pg_locks where not granted").value != "1") {
  }
  run(first, "insert into ledger values (7)");
  EXPECT_EQ(run(first, "commit").tag, "COMMIT");
  EXPECT_EQ(waiting.get().sqlstate, "");
  EXPECT_EQ(run(second, "select id from ledger").value, "7");
  EXPECT_EQ(run(second, "rollback").tag, "ROLLBACK");
}

TEST_F(PgwireServer, CancelsAWaitingStatement) {
  const Client first = connect();
  const Client second = connect();
  run(first, "create table t (a int)");
  run(first, "begin");
  run(first, "insert into t values (1)");
  auto waiting =
      std::async(std::launch::async, [&] { return run(second, "insert into t values (2)"); });
  const Client observer = connect();
  while (run(observer, "select count(*) from pg_locks where not granted").value != "1") {
  }
  PGcancel* cancel = PQgetCancel(second.get());
  std::array<char, 256> error{};
  EXPECT_EQ(PQcancel(cancel, error.data(), error.size()), 1) << error.data();
  PQfreeCancel(cancel);
  EXPECT_EQ(waiting.get().sqlstate, "57014");
}

TEST_F(PgwireServer, PsqlDescribesTables) {
  const Client client = connect();
  run(client, "create table t (id varchar(512) not null, n bigint default 3) distkey(id)");
  const std::string command =
      "PGPASSWORD=Secret123 timeout 60 psql -X '" + address() +
      "' -c '\\d' -c '\\d t' -c '\\dt' -c '\\dn' -c '\\l' -c '\\du' -c '\\dv' "
      "-c '\\df' -c '\\dp' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), got);
  }
  EXPECT_EQ(pclose(pipe), 0) << output;
  EXPECT_THAT(output, HasSubstr(" public | t    | table | leat"));
  EXPECT_THAT(output, HasSubstr("character varying(512)"));
  EXPECT_THAT(output, HasSubstr("| not null |"));
  EXPECT_THAT(output, testing::Not(HasSubstr("ERROR")));
}

}  // namespace
}  // namespace leat::pgwire
