// A small HTTP/1.1 server on a loopback port, for the tests of those who call: every request goes
// whole to a function, and the answer can break in each way that networks and servers break.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/http_client.h"

namespace leat::io {

struct TestRequest {
  std::string method;
  std::string target;  ///< Path and query as they came.
  std::vector<HttpHeader> headers;
  std::string body;
  std::uint64_t number = 0;      ///< From 1, over all connections.
  std::uint64_t connection = 0;  ///< From 1.

  [[nodiscard]] std::string header(std::string_view name) const;  ///< Empty when there is none.
};

struct TestReply {
  enum class Fault : std::uint8_t {
    kNone,
    kClose,         ///< The connection is closed instead of an answer.
    kReset,         ///< The same with a TCP reset.
    kShortBody,     ///< Half of the body, then closed.
    kResetInBody,   ///< Half of the body, then reset.
    kSilent,        ///< No byte, until the server goes.
    kSilentInBody,  ///< Half of the body, then no byte until the server goes.
    kCloseAfter,    ///< Whole, without saying that the connection is closed after it.
  };
  int status = 200;
  std::vector<HttpHeader> headers = {};  ///< Content-Length comes by itself.
  std::string body = {};
  Fault fault = Fault::kNone;
};

/// Serves until it is destroyed. The function runs on the connections' threads, one request at a
/// time over all of them.
class HttpTestServer {
 public:
  using Answer = std::function<TestReply(const TestRequest&)>;

  explicit HttpTestServer(Answer answer);
  ~HttpTestServer();
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "http://127.0.0.1:PORT" and `target`.
  [[nodiscard]] std::string url(std::string_view target = "") const;
  [[nodiscard]] std::uint64_t connections() const { return connections_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  void accept_all();
  void serve(int socket, std::uint64_t connection);
  [[nodiscard]] std::optional<TestRequest> read_request(int socket, std::string& buffered);
  [[nodiscard]] bool answer_one(int socket, const TestRequest& request);
  [[nodiscard]] bool wait_readable(int socket) const;

  Answer answer_;
  int listener_ = -1;
  int stop_ = -1;  // an eventfd, readable once the server goes
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::mutex mutex_;  // one answer at a time
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace leat::io
