#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>

#include "base/clock.h"

namespace leat::net {
namespace {

constexpr std::int64_t kLimitUs = 20'000'000;

Deadline soon() {
  return Deadline::after_us(kLimitUs);
}

struct Pair {
  Stream server;
  Stream client;
};

Pair connect_pair() {
  auto listener = Listener::open({"127.0.0.1", 0});
  EXPECT_TRUE(listener);
  auto client = Stream::connect(listener->local(), soon());
  EXPECT_TRUE(client);
  auto server = listener->accept(soon());
  EXPECT_TRUE(server);
  return {std::move(*server), std::move(*client)};
}

Certificate certificate() {
  auto made = make_self_signed_certificate({.valid_from = system_clock().now()});
  EXPECT_TRUE(made);
  return std::move(*made);
}

TEST(Stream, CarriesBytesBothWaysAndTellsTheOrderlyEnd) {
  auto [server, client] = connect_pair();
  ASSERT_TRUE(client.write_all("hello", soon()));
  std::array<char, 5> five{};
  ASSERT_TRUE(server.read_exactly(five, soon()));
  EXPECT_EQ(std::string_view(five.data(), 5), "hello");
  client.finish_writing();
  EXPECT_EQ(server.read_some(five, soon()).value_or(99), 0U);
  ASSERT_TRUE(server.write_all("bye", soon()));  // the other direction still works
  EXPECT_EQ(client.read_some(five, soon()).value_or(99), 3U);
  EXPECT_EQ(server.peer(), client.local());
  EXPECT_EQ(client.peer(), server.local());
}

TEST(Stream, ReadExactlyFailsWhenThePeerClosesInTheMiddle) {
  auto [server, client] = connect_pair();
  ASSERT_TRUE(client.write_all("abc", soon()));
  client.finish_writing();
  std::array<char, 5> five{};
  const auto status = server.read_exactly(five, soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kUnavailable);
}

TEST(Stream, ReadAndWriteGiveUpAtTheDeadline) {
  auto [server, client] = connect_pair();
  std::array<char, 8> some{};
  EXPECT_EQ(server.read_some(some, Deadline::after_us(1000)).error().code, Errc::kExhausted);
  const std::string large(64 << 20, 'x');  // more than any socket buffer: the peer reads nothing
  EXPECT_EQ(server.write_all(large, Deadline::after_us(1000)).error().code, Errc::kExhausted);
}

TEST(Stream, CancelEndsAWaitingRead) {
  auto [server, client] = connect_pair();
  std::thread canceller([&client_side = client, &server_side = server] {
    std::array<char, 1> one{};
    // The byte shows that the reader is about to wait or already does; both must end.
    EXPECT_EQ(client_side.read_some(one, soon()).value_or(0), 1U);
    server_side.cancel();
  });
  ASSERT_TRUE(server.write_all("x", soon()));
  std::array<char, 8> some{};
  EXPECT_EQ(server.read_some(some, soon()).error().code, Errc::kAborted);
  canceller.join();
  EXPECT_EQ(server.write_all("x", soon()).error().code, Errc::kAborted);
}

TEST(Stream, WritingToAPeerThatIsGoneFailsAndDoesNotEndTheProcess) {
  auto [server, client] = connect_pair();
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(client.native(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  {
    const Stream gone = std::move(client);
  }
  Status status;
  for (int i = 0; i < 100 && status; ++i) status = server.write_all("x", soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kUnavailable);
}

TEST(Stream, SpeaksTlsWithASelfSignedCertificateThatTheClientVerifies) {
  const Certificate self_signed = certificate();
  const auto server_side = TlsContext::for_server(self_signed);
  const auto client_side = TlsContext::for_client(self_signed.chain_pem);
  ASSERT_TRUE(server_side);
  ASSERT_TRUE(client_side);
  auto [server, client] = connect_pair();
  std::thread other([&client_stream = client, &context = *client_side] {
    const auto status = client_stream.connect_tls(context, "localhost", soon());
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_TRUE(client_stream.write_all(std::string(100'000, 'a') + "\n", soon()));
    std::array<char, 4> answer{};
    EXPECT_TRUE(client_stream.read_exactly(answer, soon()));
    client_stream.finish_writing();
  });
  ASSERT_TRUE(server.accept_tls(*server_side, soon()));
  EXPECT_TRUE(server.is_tls());
  EXPECT_EQ(server.tls_version(), "TLSv1.3");
  std::string received;
  std::array<char, 4096> some{};
  while (!received.ends_with('\n')) {
    const auto count = server.read_some(some, soon());
    ASSERT_TRUE(count);
    ASSERT_GT(*count, 0U);
    received.append(some.data(), *count);
  }
  EXPECT_EQ(received.size(), 100'001U);
  ASSERT_TRUE(server.write_all("done", soon()));
  EXPECT_EQ(server.read_some(some, soon()).value_or(99), 0U);
  other.join();
}

TEST(Stream, TlsClientRefusesACertificateItDoesNotTrust) {
  const auto server_side = TlsContext::for_server(certificate());
  const auto client_side = TlsContext::for_client(certificate().chain_pem);
  auto [server, client] = connect_pair();
  std::thread other([&client_stream = client, &context = *client_side] {
    EXPECT_EQ(client_stream.connect_tls(context, "localhost", soon()).error().code, Errc::kInvalid);
    client_stream.cancel();
  });
  std::array<char, 1> one{};
  const auto accepted = server.accept_tls(*server_side, soon());
  EXPECT_FALSE(accepted && server.read_some(one, soon()));
  other.join();
}

TEST(Stream, BytesBeforeTheHandshakeFailIt) {
  const auto context = TlsContext::for_server(certificate());
  auto [server, client] = connect_pair();
  ASSERT_TRUE(client.write_all("SELECT 1; -- smuggled in plain text", soon()));
  const auto status = server.accept_tls(*context, soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kInvalid);
}

TEST(Stream, TlsHandshakeGivesUpAtTheDeadline) {
  const auto context = TlsContext::for_server(certificate());
  auto [server, client] = connect_pair();
  EXPECT_EQ(server.accept_tls(*context, Deadline::after_us(1000)).error().code, Errc::kExhausted);
}

TEST(TlsContext, RefusesBrokenAndForeignKeys) {
  const Certificate one = certificate();
  const Certificate two = certificate();
  EXPECT_EQ(TlsContext::for_server({"no pem", one.private_key_pem}).error().code, Errc::kInvalid);
  EXPECT_EQ(TlsContext::for_server({one.chain_pem, "no pem"}).error().code, Errc::kInvalid);
  EXPECT_EQ(TlsContext::for_server({one.chain_pem, two.private_key_pem}).error().code,
            Errc::kInvalid);
  EXPECT_EQ(TlsContext::for_client("no pem").error().code, Errc::kInvalid);
}

TEST(SelfSignedCertificate, RefusesNamesThatWouldBecomeOtherExtensions) {
  SelfSignedOptions options{.valid_from = TimeUs{0}};
  options.alternative_names = {"a,DNS:evil.example"};
  EXPECT_FALSE(make_self_signed_certificate(options));
  options.alternative_names = {""};
  EXPECT_FALSE(make_self_signed_certificate(options));
  options.alternative_names = {};
  EXPECT_TRUE(make_self_signed_certificate(options));
  options.valid_days = 0;
  EXPECT_FALSE(make_self_signed_certificate(options));
}

TEST(Listener, TellsAnAddressInUseAndAnUnknownHost) {
  auto first = Listener::open({"127.0.0.1", 0});
  ASSERT_TRUE(first);
  EXPECT_EQ(Listener::open(first->local()).error().code, Errc::kConflict);
  EXPECT_EQ(Listener::open({"no host name", 0}).error().code, Errc::kInvalid);
}

TEST(Listener, CancelEndsAcceptAtOnceAndForGood) {
  auto listener = Listener::open({"127.0.0.1", 0});
  std::thread canceller([&listening = *listener] { listening.cancel(); });
  EXPECT_EQ(listener->accept(soon()).error().code, Errc::kAborted);
  canceller.join();
  EXPECT_EQ(listener->accept(soon()).error().code, Errc::kAborted);
}

TEST(Listener, AcceptGivesUpAtTheDeadline) {
  auto listener = Listener::open({"::1", 0});
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->accept(Deadline::after_us(1000)).error().code, Errc::kExhausted);
  EXPECT_EQ(listener->local().host, "::1");
}

}  // namespace
}  // namespace leat::net
