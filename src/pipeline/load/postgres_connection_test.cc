// libpq's edges against a server that speaks just enough of the protocol, over real sockets.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "pipeline/load/destination.h"

namespace leat::load {
namespace {

std::string be32(std::uint32_t value) {
  std::string out(4, '\0');
  for (int i = 0; i < 4; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i));
  return out;
}

std::string message(char type, const std::string& body) {
  return type + be32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

std::string error_message(const std::string& state, const std::string& text) {
  using namespace std::string_literals;
  return message('E', "SERROR\0VERROR\0C"s + state + "\0M"s + text + "\0\0"s);
}

std::string ready(char status = 'I') {
  return message('Z', std::string(1, status));
}
std::string complete(const std::string& tag) {
  return message('C', tag + '\0');
}

// Accepts one connection after another; `talk` gets the socket after the startup packet.
class Server {
 public:
  using Talk = std::function<void(int socket)>;
  explicit Server(Talk talk) : talk_(std::move(talk)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (std::thread& thread : talks_) thread.join();
    ::close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] DestinationSettings settings() const {
    DestinationSettings out;
    out.port = port_;
    out.password = "correct horse";
    out.sslmode = "disable";
    out.query_group = "";
    out.connect_timeout_ms = 20'000;
    return out;
  }

  static void send(int socket, const std::string& bytes) {
    [[maybe_unused]] const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Type and body of the next message; type 0 at the end.
  static std::pair<char, std::string> receive(int socket) {
    std::string head(5, '\0');
    if (::recv(socket, head.data(), 5, MSG_WAITALL) != 5) return {'\0', ""};
    std::uint32_t size = 0;
    for (int i = 1; i < 5; ++i)
      size = (size << 8) | static_cast<unsigned char>(head[static_cast<std::size_t>(i)]);
    std::string body(size - 4, '\0');
    if (!body.empty()) ::recv(socket, body.data(), body.size(), MSG_WAITALL);
    return {head[0], body};
  }
  static void log_in(int socket) {
    send(socket, message('R', be32(0)) + message('K', be32(7) + be32(9)) + ready());
  }

  std::atomic<int> cancels = 0;

 private:
  void serve() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      talks_.emplace_back([this, socket] { greet(socket); });
    }
  }

  void greet(int socket) {
    std::string head(8, '\0');
    if (::recv(socket, head.data(), 8, MSG_WAITALL) == 8) {
      std::uint32_t size = 0;
      for (int i = 0; i < 4; ++i) {
        size = (size << 8) | static_cast<unsigned char>(head[static_cast<std::size_t>(i)]);
      }
      std::string rest(size - 8, '\0');
      if (!rest.empty()) ::recv(socket, rest.data(), rest.size(), MSG_WAITALL);
      const bool is_cancel = head[4] == 4 && head[5] == '\xd2' && head[7] == '\x2e';
      if (is_cancel) {
        ++cancels;
      } else {
        talk_(socket);
      }
    }
    ::close(socket);
  }

  Talk talk_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::vector<std::thread> talks_;  // of thread_, then of the destructor
};

TEST(PostgresConnection, ReadsRowsTagsAndErrors) {
  using namespace std::string_literals;
  Server server([](int socket) {
    Server::log_in(socket);
    Server::receive(socket);
    const std::string fields = message(
        'T', "\0\1"s + "x\0"s + be32(0) + "\0\0"s + be32(25) + "\xff\xff"s + be32(0) + "\0\0"s);
    Server::send(socket, fields + message('D', "\0\1"s + be32(2) + "hi") +
                             message('D', "\0\1"s + be32(0xFFFFFFFF)) + complete("SELECT 2") +
                             ready());
    Server::receive(socket);
    Server::send(socket, complete("INSERT 0 12") + ready());
    Server::receive(socket);
    Server::send(socket, error_message("42501", "permission denied for schema web") + ready('E'));
    Server::receive(socket);
    Server::send(socket, complete("ROLLBACK") + ready());
    Server::receive(socket);
  });
  auto connection = connect_postgres(server.settings(), {});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  const auto rows = (*connection)->run("SELECT x", {});
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->rows.size(), 2U);
  EXPECT_EQ(rows->rows[0][0], "hi");
  EXPECT_EQ(rows->rows[1][0], std::nullopt);
  EXPECT_EQ((*connection)->run("INSERT", {})->affected_rows, 12);
  const auto failed = (*connection)->run("CREATE", {});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, FailureKind::kPermission);
  EXPECT_EQ(failed.error().sqlstate, "42501");
  // An SQL error leaves the connection usable.
  EXPECT_TRUE((*connection)->is_open());
  EXPECT_TRUE((*connection)->run("ROLLBACK", {}).has_value());
}

TEST(PostgresConnection, WrongPasswordIsALoginFailureWithoutThePassword) {
  Server server([](int socket) {
    Server::send(socket, message('R', be32(3)));
    const auto password = Server::receive(socket);
    EXPECT_EQ(password.first, 'p');
    Server::send(
        socket,
        error_message("28000",
                      "password authentication failed for user \"leat\", not correct horse"));
  });
  const auto connection = connect_postgres(server.settings(), {});
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, FailureKind::kLoginRefused);
  EXPECT_THAT(connection.error().message, testing::HasSubstr("password authentication failed"));
  EXPECT_THAT(connection.error().message, testing::Not(testing::HasSubstr("correct horse")));
}

TEST(PostgresConnection, NobodyListeningIsUnreachable) {
  DestinationSettings settings;
  {
    Server gone([](int) {});
    settings = gone.settings();
  }
  const auto connection = connect_postgres(settings, {});
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, FailureKind::kUnreachable);
}

TEST(PostgresConnection, ASilentServerMeetsTheConnectDeadline) {
  Server server([](int socket) { Server::receive(socket); });  // until the client gives up
  DestinationSettings settings = server.settings();
  settings.connect_timeout_ms = 30;
  const auto connection = connect_postgres(settings, {});
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, FailureKind::kUnreachable);
  EXPECT_THAT(connection.error().message, testing::HasSubstr("30 ms"));
}

TEST(PostgresConnection, ASlowStatementMeetsItsDeadlineAndClosesTheConnection) {
  Server server([](int socket) {
    Server::log_in(socket);
    Server::receive(socket);
    Server::receive(socket);
  });
  DestinationSettings settings = server.settings();
  settings.statement_timeout_ms = 30;
  auto connection = connect_postgres(settings, {});
  ASSERT_TRUE(connection.has_value());
  const auto rows = (*connection)->run("SELECT 1", {});
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().kind, FailureKind::kTimeout);
  EXPECT_EQ(server.cancels, 1);
  EXPECT_FALSE((*connection)->is_open());
  EXPECT_EQ((*connection)->run("SELECT 1", {}).error().kind, FailureKind::kUnreachable);
}

TEST(PostgresConnection, AStopRequestEndsTheWait) {
  std::stop_source stop;
  Server server([&stop](int socket) {
    Server::log_in(socket);
    Server::receive(socket);
    stop.request_stop();
    Server::receive(socket);
  });
  auto connection = connect_postgres(server.settings(), stop.get_token());
  ASSERT_TRUE(connection.has_value());
  const auto rows = (*connection)->run("SELECT 1", stop.get_token());
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().kind, FailureKind::kStopped);
  EXPECT_FALSE((*connection)->is_open());
}

TEST(PostgresConnection, ALostConnectionIsUnreachable) {
  Server server([](int socket) {
    Server::log_in(socket);
    Server::receive(socket);
  });
  auto connection = connect_postgres(server.settings(), {});
  ASSERT_TRUE(connection.has_value());
  const auto rows = (*connection)->run("COMMIT", {});
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().kind, FailureKind::kUnreachable);
  EXPECT_FALSE((*connection)->is_open());
}

TEST(PostgresConnection, AskingForTlsOfAServerWithoutItIsATlsFailure) {
  // Answers the SSL request, which looks like a startup packet of 8 bytes, with N.
  Server plain([](int socket) { Server::send(socket, "N"); });
  DestinationSettings settings = plain.settings();
  settings.sslmode = "require";
  const auto connection = connect_postgres(settings, {});
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, FailureKind::kTls);
}

TEST(PostgresConnection, NonsenseEndsInAnError) {
  Server server([](int socket) {
    Server::log_in(socket);
    Server::receive(socket);
    Server::send(socket, message('Q', "no such message"));
  });
  auto connection = connect_postgres(server.settings(), {});
  ASSERT_TRUE(connection.has_value());
  // Bytes that are no protocol end in an error, not in a wait.
  EXPECT_FALSE((*connection)->run("SELECT 1", {}).has_value());
}

}  // namespace
}  // namespace leat::load
