// The server that this module's tests share, and a client that sends bytes as they are.
//
// Opening a warehouse costs seconds with the sanitizers on: one is opened for the whole program.
// Tests that need other limits start a server of their own on it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "warehouse/pgwire/codec.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"

namespace leat::pgwire {

inline constexpr std::string_view kAdminPassword = "Secret123";

/// Opens the warehouse and its server before the first test that asks, closes them after the last.
class SharedServer final : public testing::Environment {
 public:
  static SharedServer& instance() {
    static auto* const kMade =
        static_cast<SharedServer*>(testing::AddGlobalTestEnvironment(new SharedServer));
    return *kMade;
  }
  session::Warehouse& warehouse() {
    if (warehouse_ == nullptr) {
      auto opened =
          session::Warehouse::open({.admin_password = std::string(kAdminPassword), .threads = 2});
      if (!opened) throw std::runtime_error(opened.error().message);
      warehouse_ = std::move(*opened);
    }
    return *warehouse_;
  }
  std::uint16_t port() {
    if (server_ == nullptr) server_ = start({.failed_logins_max = 3});
    return server_->port();
  }
  /// Another server on the same warehouse.
  std::unique_ptr<Server> start(ServerOptions options) {
    options.listen = "127.0.0.1:0";
    auto started = Server::start(options, warehouse());
    if (!started) throw std::runtime_error(started.error().message);
    return std::move(*started);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->stop(5'000'000);
    server_.reset();
    warehouse_.reset();
  }

 private:
  std::unique_ptr<session::Warehouse> warehouse_;
  std::unique_ptr<Server> server_;
};

/// One message from the server.
struct Message {
  char type = 0;  ///< 0: the connection was closed, or nothing came within 20 s.
  std::string payload{};
};

/// A field of an ErrorResponse or NoticeResponse.
inline std::string field_of(const Message& message, char code) {
  std::size_t at = 0;
  while (at < message.payload.size() && message.payload[at] != '\0') {
    const std::size_t end = message.payload.find('\0', at);
    if (message.payload[at] == code) return message.payload.substr(at + 1, end - at - 1);
    at = end + 1;
  }
  return {};
}

inline std::string int16_bytes(int value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
inline std::string int32_bytes(std::uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U),
          static_cast<char>(value >> 8U), static_cast<char>(value)};
}

/// A message as a client frames it: type, length, payload.
inline std::string frame(char type, std::string_view payload = {}) {
  return type + int32_bytes(static_cast<std::uint32_t>(payload.size() + 4)) + std::string(payload);
}
inline std::string startup_frame(
    const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string payload = int32_bytes(kProtocolVersion3);
  for (const auto& [name, value] : parameters) {
    payload.append(name).push_back('\0');
    payload.append(value).push_back('\0');
  }
  payload += '\0';
  return int32_bytes(static_cast<std::uint32_t>(payload.size() + 4)) + payload;
}

class WireClient {
 public:
  explicit WireClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
  }
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;
  ~WireClient() { close(socket_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed: what it said is still to be read
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void finish_writing() { shutdown(socket_, SHUT_WR); }

  /// Up to `count` bytes; fewer at the end of the connection.
  std::string read_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      const ssize_t now = recv(socket_, bytes.data() + got, count - got, 0);
      if (now <= 0) break;
      got += static_cast<std::size_t>(now);
    }
    bytes.resize(got);
    return bytes;
  }
  Message read() {
    const std::string head = read_bytes(5);
    if (head.size() < 5) return {};
    std::uint32_t length = 0;
    for (const char c : head.substr(1)) length = length << 8U | static_cast<unsigned char>(c);
    return {.type = head[0], .payload = read_bytes(length - 4)};
  }
  /// Messages up to one of `type`, which is the last; or to the end of the connection.
  std::vector<Message> read_until(char type) {
    std::vector<Message> messages;
    do {
      messages.push_back(read());
    } while (messages.back().type != type && messages.back().type != 0);
    return messages;
  }
  /// The types of the messages up to one of `type`.
  std::string types_until(char type) {
    std::string types;
    for (const Message& message : read_until(type)) types += message.type;
    return types;
  }
  bool closed() { return read_bytes(1).empty(); }

  /// Logs the administrator in by MD5. False: it was refused.
  bool log_in(std::vector<std::pair<std::string, std::string>> more = {},
              const std::string& password = std::string(kAdminPassword)) {
    more.insert(more.begin(), {{"user", "leat"}, {"database", "dev"}});
    send(startup_frame(more));
    const Message challenge = read();
    if (challenge.type != 'R' || challenge.payload.size() != 8) return false;
    const std::string stored = to_hex(md5(password + "leat"));
    send(frame('p', "md5" + to_hex(md5(stored + challenge.payload.substr(4))) + '\0'));
    greeting = read_until('Z');
    return greeting.back().type == 'Z';
  }
  std::vector<Message> greeting;  ///< From the first message after the password on.

 private:
  int socket_;
};

}  // namespace leat::pgwire
