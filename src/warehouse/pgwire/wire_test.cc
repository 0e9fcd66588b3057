// The server as a client sees it that sends bytes of its own: the rules of the protocol, broken and
// kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "warehouse/pgwire/server_fixture.h"

namespace leat::pgwire {
namespace {

using testing::HasSubstr;

using namespace std::string_literals;

SharedServer& shared = SharedServer::instance();

std::string query(std::string_view text) {
  return frame('Q', std::string(text) + '\0');
}
std::string parse(std::string_view text) {
  return frame('P', "\0"s + std::string(text) + "\0\0\0"s);
}
std::string bind() {
  return frame('B', "\0\0\0\0\0\0\0\0"s);
}
std::string describe_portal() {
  return frame('D', "P\0"s);
}
std::string execute(std::uint32_t limit = 0) {
  return frame('E', "\0"s + int32_bytes(limit));
}
std::string sync() {
  return frame('S');
}

/// The SQLSTATE of the first error that comes.
std::string error_state(WireClient& client) {
  for (;;) {
    const Message message = client.read();
    if (message.type == 'E') return field_of(message, 'C');
    if (message.type == 0) return "closed";
  }
}

/// The first cell of the first row that comes.
std::string first_cell(WireClient& client) {
  std::string cell;
  for (const Message& message : client.read_until('Z')) {
    if (message.type == 'D' && cell.empty()) cell = message.payload.substr(6);
    if (message.type == 'E') cell = field_of(message, 'C');
  }
  return cell;
}

std::string asked(WireClient& client, std::string_view text) {
  client.send(query(text));
  return first_cell(client);
}

TEST(Wire, GreetsWithTheSettingsThatDriversRead) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in({{"application_name", "wire"}, {"never_heard_of", "1"}}));
  std::string settings;
  for (const Message& message : client.greeting) {
    if (message.type == 'S') settings += message.payload + ";";
    if (message.type == 'K') {
      EXPECT_EQ(message.payload.size(), 8U);
    }
  }
  for (const std::string& expected :
       {"server_version\0008.0.2"s, "integer_datetimes\000on"s, "DateStyle\000ISO, MDY"s,
        "client_encoding\000UTF8"s, "TimeZone\000UTC"s, "is_superuser\000on"s,
        "session_authorization\000leat"s, "application_name\000wire"s}) {
    EXPECT_THAT(settings, HasSubstr(expected));
  }
  EXPECT_THAT(settings, testing::Not(HasSubstr("standard_conforming_strings")));
}

TEST(Wire, StartupOptionsAreApplied) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in({{"options", "-c statement_timeout=1234"}}));
  EXPECT_EQ(asked(client, "show statement_timeout"), "1234");
}

TEST(Wire, RefusesFirstBytesThatAreNoProtocol) {
  for (const std::string& bytes :
       {"GET / HTTP/1.1\r\n\r\n"s, int32_bytes(7) + "abc", int32_bytes(0),
        int32_bytes(0x7fffffff) + "x", int32_bytes(8) + int32_bytes(2 << 16),
        int32_bytes(12) + int32_bytes(kProtocolVersion3) + "user"}) {
    WireClient client(shared.port());
    client.send(bytes);
    client.finish_writing();
    const Message answer = client.read();
    EXPECT_TRUE(answer.type == 'E' || answer.type == 0) << testing::PrintToString(bytes);
    if (answer.type == 'E') {
      EXPECT_EQ(field_of(answer, 'C'), "08P01");
    }
    EXPECT_TRUE(client.closed());
  }
}

TEST(Wire, AnswersTheRequestsThatComeFirst) {
  WireClient client(shared.port());
  client.send(int32_bytes(8) + int32_bytes(kGssEncRequestCode));
  EXPECT_EQ(client.read_bytes(1), "N");
  ASSERT_TRUE(client.log_in());
  WireClient secured(shared.port());
  secured.send(int32_bytes(8) + int32_bytes(kSslRequestCode));
  EXPECT_EQ(secured.read_bytes(1), "S");
  secured.send("this is no TLS hello at all");
  secured.finish_writing();
  secured.read_bytes(4096);  // an alert, perhaps
  EXPECT_TRUE(secured.closed());
  const auto plain = shared.start({.tls = false});
  WireClient refused(plain->port());
  refused.send(int32_bytes(8) + int32_bytes(kSslRequestCode));
  EXPECT_EQ(refused.read_bytes(1), "N");
  ASSERT_TRUE(refused.log_in());
}

TEST(Wire, ACancelRequestIsNeverAnswered) {
  WireClient client(shared.port());
  client.send(int32_bytes(16) + int32_bytes(kCancelRequestCode) + int32_bytes(1) + int32_bytes(2));
  EXPECT_TRUE(client.closed());
}

TEST(Wire, AnUnexpectedAnswerToTheChallengeEndsTheLogin) {
  WireClient client(shared.port());
  client.send(startup_frame({{"user", "leat"}, {"database", "dev"}}));
  EXPECT_EQ(client.read().type, 'R');
  client.send(query("select 1"));
  EXPECT_EQ(error_state(client), "08P01");
  EXPECT_TRUE(client.closed());
}

TEST(Wire, RedshiftDriversLogInByDigest) {
  const auto answer = [&](const std::string& password) {
    WireClient client(shared.port());
    client.send(startup_frame(
        {{"user", "leat"}, {"database", "dev"}, {"driver_version", "Redshift JDBC Driver 2.1"}}));
    const Message challenge = client.read();
    EXPECT_EQ(challenge.payload.substr(0, 8), int32_bytes(13) + int32_bytes(0));
    const std::string salt = challenge.payload.substr(12, 32);
    const std::string server_nonce = challenge.payload.substr(48, 32);
    const std::string client_nonce = "1763640000000";
    const auto raw = [](const std::array<std::uint8_t, 32>& bytes) {
      return std::string(bytes.begin(), bytes.end());
    };
    const std::string digest =
        raw(sha256(raw(sha256(password + salt)) + server_nonce + client_nonce));
    client.send(frame('d', int32_bytes(32) + digest +
                               int32_bytes(static_cast<std::uint32_t>(client_nonce.size())) +
                               client_nonce));
    const Message verdict = client.read();
    return verdict.type == 'R' ? "in"s : field_of(verdict, 'C');
  };
  EXPECT_EQ(answer("Secret123"), "in");
  EXPECT_EQ(answer("Secret124"), "28000");
}

TEST(Wire, ManyStatementsOfOneQueryAnswerEach) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(query("select 1; select 2; set query_group to 'a'"));
  EXPECT_EQ(client.types_until('Z'), "TDCTDCCZ");
  client.send(query(""));
  EXPECT_EQ(client.types_until('Z'), "IZ");
  client.send(query("select 1; select * from nowhere_at_all; select 3"));
  EXPECT_EQ(client.types_until('Z'), "TDCEZ");
}

TEST(Wire, AnErrorSkipsEverythingUntilSync) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(parse("selec") + bind() + describe_portal() + execute() + sync());
  EXPECT_EQ(client.types_until('Z'), "EZ");
  client.send(parse("select 1") + bind() + describe_portal() + execute() + sync());
  EXPECT_EQ(client.types_until('Z'), "12TDCZ");
  // The error of one, and then the next after its own Sync.
  client.send(parse("select 1/0") + bind() + execute() + parse("select 2") + sync() +
              parse("select 3") + bind() + execute() + sync());
  EXPECT_EQ(client.types_until('Z'), "12EZ");
  EXPECT_EQ(client.types_until('Z'), "12DCZ");
}

TEST(Wire, FlushSendsWithoutEndingTheTransaction) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(parse("select 1") + frame('H'));
  EXPECT_EQ(client.read().type, '1');
  client.send(bind() + execute() + frame('H'));
  EXPECT_EQ(client.types_until('C'), "2DC");
  client.send(frame('C', "Snever made\0"s) + frame('H'));
  EXPECT_EQ(client.read().type, '3');
  client.send(sync());
  EXPECT_EQ(client.types_until('Z'), "Z");
}

TEST(Wire, RowLimitsSuspendThePortal) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(query("begin"));
  client.read_until('Z');
  client.send(parse("select x from generate_series(1, 3) g(x)") + bind() + execute(2) + sync());
  EXPECT_EQ(client.types_until('Z'), "12DDsZ");
  client.send(execute(2) + sync());
  EXPECT_EQ(client.types_until('Z'), "DCZ");
}

TEST(Wire, APortalKeepsItsFormatBehindSync) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(query("begin"));
  client.read_until('Z');
  // Named, with results in binary: one row at a time, each before a Sync.
  const std::string bind_binary = frame('B', "p\0\0\0\0\0\0\0\1\0\1"s);
  const std::string run = frame('E', "p\0"s + int32_bytes(1)) + sync();
  client.send(parse("select x::int from generate_series(1, 3) g(x) order by x") + bind_binary +
              sync());
  EXPECT_EQ(client.types_until('Z'), "12Z");
  client.send(run);
  EXPECT_EQ(first_cell(client), "\0\0\0\1"s);
  client.send(query("select 'between'"));
  EXPECT_EQ(first_cell(client), "between");
  client.send(run);
  EXPECT_EQ(first_cell(client), "\0\0\0\2"s);
  client.send(query("rollback"));
  client.read_until('Z');
}

TEST(Wire, MessagesThatAreNoneEndTheConnectionOnly) {
  for (const std::string& bytes :
       {frame('?'), "Q"s + int32_bytes(3), "Q"s + int32_bytes(0), frame('Q', "no end"),
        frame('P', "x"), frame('B', "\0\0\0\7"s), frame('D', "Zx\0"s), frame('E', "\0"s),
        frame('B', "\0\0\0\0\0\1\xff\xff\xff\x01"s)}) {
    WireClient client(shared.port());
    ASSERT_TRUE(client.log_in());
    client.send(bytes);
    client.finish_writing();
    EXPECT_EQ(error_state(client), "08P01") << testing::PrintToString(bytes);
    EXPECT_TRUE(client.closed());
  }
}

TEST(Wire, RedshiftsOwnProtocolVersionsAreAgreedUpon) {
  WireClient plain(shared.port());
  ASSERT_TRUE(plain.log_in());
  for (const Message& message : plain.greeting)
    EXPECT_THAT(message.payload, testing::Not(HasSubstr("server_protocol_version")));
  EXPECT_EQ(asked(plain,
                  "create table versioned (id bigint identity(1, 1), n numeric(9,2) not null, "
                  "w numeric(30,1))"),
            "");
  EXPECT_EQ(asked(plain, "insert into versioned (n, w) values (-1.5, 2)"), "");
  for (const auto& [asked_for, agreed] :
       {std::pair{"1", "1"}, {"2", "2"}, {"3", "2"}, {"x", "0"}}) {
    WireClient client(shared.port());
    ASSERT_TRUE(client.log_in({{"client_protocol_version", asked_for}}));
    std::string settings;
    for (const Message& message : client.greeting) {
      if (message.type == 'S') settings += message.payload + ";";
    }
    EXPECT_THAT(settings, HasSubstr("server_protocol_version\0"s + agreed + '\0'));
  }
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in({{"client_protocol_version", "2"}}));
  // All results in binary.
  client.send(parse("select id, n, w, 1 as computed from versioned") +
              frame('B', "\0\0\0\0\0\0\0\1\0\1"s) + describe_portal() + execute() + sync());
  std::string description;
  std::string row;
  for (const Message& message : client.read_until('Z')) {
    if (message.type == 'T') description = message.payload;
    if (message.type == 'D') row = message.payload;
  }
  // NOT NULL, identity and searchable; the last one is no column of a table.
  EXPECT_THAT(description, HasSubstr("public\0versioned\0id\0dev\0\x10\x11"s));
  EXPECT_THAT(description, HasSubstr("public\0versioned\0n\0dev\0\x10\x01"s));
  EXPECT_THAT(description, HasSubstr("public\0versioned\0w\0dev\0\x10\x00"s));
  EXPECT_TRUE(description.ends_with("\0\0\0\0\x10\0"s));
  // 8 and 16 bytes, two's complement, unscaled.
  EXPECT_EQ(row, "\0\4"s + int32_bytes(8) + "\0\0\0\0\0\0\0\1"s + int32_bytes(8) +
                     "\xff\xff\xff\xff\xff\xff\xff\x6a" + int32_bytes(16) + std::string(15, '\0') +
                     "\x14" + int32_bytes(4) + int32_bytes(1));
}

TEST(Wire, TimestampsWithZoneAreWrittenInTheSessionsZone) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in({{"TimeZone", "Asia/Kolkata"}}));
  EXPECT_EQ(asked(client, "select timestamptz '2026-01-01 00:00:00.5+00'"),
            "2026-01-01 05:30:00.5+05:30");
  client.send(query("set timezone to 'America/St_Johns'"));
  const auto answers = client.read_until('Z');
  EXPECT_EQ(answers[0].payload, "TimeZone\0America/St_Johns\0"s);
  EXPECT_EQ(asked(client, "select timestamptz '2026-01-01 00:00:00+00'"),
            "2025-12-31 20:30:00-03:30");
  EXPECT_EQ(asked(client, "select timestamptz '2026-01-01 00:00:00'"), "2026-01-01 00:00:00-03:30");
}

TEST(Wire, AMessageOverTheLimitIsRefused) {
  const auto server = shared.start({.message_bytes_max = 1000});
  WireClient client(server->port());
  ASSERT_TRUE(client.log_in());
  client.send("Q"s + int32_bytes(1001) + "select");
  EXPECT_EQ(error_state(client), "54000");
  EXPECT_TRUE(client.closed());
}

TEST(Wire, FunctionCallsAndCopyDataAreAnswered) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(frame('d', "left over") + frame('c') + frame('F', "\0\0\0\1"s));
  const auto answers = client.read_until('Z');
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(field_of(answers[0], 'C'), "0A000");
}

TEST(Wire, AHalfClosedClientStillGetsItsAnswer) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(query("select 41 + 1"));
  client.finish_writing();
  EXPECT_EQ(client.types_until('Z'), "TDCZ");
  EXPECT_TRUE(client.closed());
}

TEST(Wire, AClientThatVanishesLeavesNoSession) {
  WireClient watcher(shared.port());
  ASSERT_TRUE(watcher.log_in());
  {
    WireClient client(shared.port());
    ASSERT_TRUE(client.log_in({{"application_name", "vanishing"}}));
    client.send(query("begin") + query("create table vanished (a int)") + "Q\0"s);
    client.read_until('Z');
    client.read_until('Z');
  }
  while (asked(watcher,
               "select count(*) from pg_stat_activity where application_name = 'vanishing'") !=
         "0") {
  }
  EXPECT_EQ(asked(watcher, "select * from vanished"), "42P01");
}

TEST(Wire, AClientThatStopsReadingIsCutAndOthersGoOn) {
  const auto server = shared.start({.write_timeout_us = 200'000});
  WireClient client(server->port());
  ASSERT_TRUE(client.log_in({{"application_name", "deaf"}}));
  client.send(query("select repeat('x', 10000) from generate_series(1, 100000) g(x)"));
  WireClient other(server->port());
  ASSERT_TRUE(other.log_in());
  while (asked(other, "select count(*) from pg_stat_activity where application_name = 'deaf'") !=
         "0") {
  }
}

TEST(Wire, ASilentClientIsShownTheDoor) {
  const auto server = shared.start({.login_timeout_us = 100'000});
  WireClient client(server->port());
  EXPECT_TRUE(client.closed());
  WireClient half(server->port());
  half.send(int32_bytes(100) + "half a startup pack");
  EXPECT_TRUE(half.closed());
}

TEST(Wire, IdleSessionsEndAfterTheirTime) {
  const auto server =
      shared.start({.idle_timeout_us = 150'000, .idle_transaction_timeout_us = 100'000});
  WireClient idle(server->port());
  ASSERT_TRUE(idle.log_in());
  EXPECT_EQ(error_state(idle), "57P05");
  WireClient open(server->port());
  ASSERT_TRUE(open.log_in());
  open.send(query("begin"));
  EXPECT_EQ(error_state(open), "25P03");
}

TEST(Wire, TheTimeOfAUserGoesBeforeTheServersOwn) {
  const auto server = shared.start({.idle_timeout_us = 150'000});
  WireClient admin(shared.port());
  ASSERT_TRUE(admin.log_in());
  EXPECT_EQ(asked(admin, "alter user leat session timeout 3600"), "");
  WireClient patient(server->port());
  ASSERT_TRUE(patient.log_in());
  EXPECT_EQ(asked(admin, "alter user leat reset session timeout"), "");
  WireClient idle(server->port());
  ASSERT_TRUE(idle.log_in());
  EXPECT_EQ(error_state(idle), "57P05");
  EXPECT_EQ(asked(patient, "select timeout_sec from stv_sessions where process = pg_backend_pid()"),
            "3600");
  while (asked(patient, "select count(*) from stl_sessions where timed_out = 1") == "0") {
  }
}

TEST(Wire, AFullHouseIsToldSo) {
  const auto server = shared.start({.connections_max = 1});
  WireClient first(server->port());
  ASSERT_TRUE(first.log_in());
  WireClient second(server->port());
  second.send(startup_frame({{"user", "leat"}}));
  const Message refusal = second.read();
  EXPECT_EQ(field_of(refusal, 'C'), "53300");
  EXPECT_EQ(field_of(refusal, 'M'), "sorry, too many clients already");
  EXPECT_TRUE(second.closed());
}

TEST(Wire, PlainConnectionsAreRefusedWhereTlsIsRequired) {
  const auto server = shared.start({.require_tls = true});
  WireClient client(server->port());
  client.send(startup_frame({{"user", "leat"}, {"database", "dev"}}));
  EXPECT_EQ(error_state(client), "28000");
}

TEST(Wire, StoppingTellsIdleClients) {
  const auto server = shared.start({});
  WireClient client(server->port());
  ASSERT_TRUE(client.log_in());
  server->stop(5'000'000);
  EXPECT_EQ(error_state(client), "57P01");
  EXPECT_TRUE(client.closed());
}

TEST(Wire, TerminateEndsQuietly) {
  WireClient client(shared.port());
  ASSERT_TRUE(client.log_in());
  client.send(frame('X'));
  EXPECT_TRUE(client.closed());
}

}  // namespace
}  // namespace leat::pgwire
