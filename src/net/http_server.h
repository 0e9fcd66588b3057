// The HTTP/1.1 server: one epoll loop a thread, each with its own listening socket (SO_REUSEPORT),
// its own handler and its own connections; nothing is shared between loops. Boost.Beast's parser
// reads the heads and chunks.
//
// Limits and what a breach gets: see HttpOptions. Every refusal is counted in leat_net_* metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/metrics.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

namespace leat::net {

class HttpConnections;

/// A request that its handler has put back; see Exchange::hold. Belongs to the loop's thread. One
/// that is never resumed is refused (503) when its server ends.
class HeldRequest {
 public:
  HeldRequest() = default;
  /// Gives the request to Handler::on_request once more, at once (so not within another one's).
  /// False when its client is gone.
  bool resume();

 private:
  friend class Exchange;
  HeldRequest(HttpConnections* owner, std::uint64_t connection)
      : owner_(owner), connection_(connection) {}
  HttpConnections* owner_ = nullptr;
  std::uint64_t connection_ = 0;
};

/// The right and duty to answer one request. Exactly one reply() counts; one that is destroyed
/// unanswered answers 500. May be moved to and used on any thread (the answer is then posted to its
/// loop), but not after its server's end.
class Exchange {
 public:
  Exchange() = default;
  Exchange(Exchange&& other) noexcept { *this = std::move(other); }
  Exchange& operator=(Exchange&& other) noexcept;
  ~Exchange();

  /// Answers. Answers of one connection are sent in the order of its requests, whatever the order
  /// of the calls. The answer is dropped when the client is gone.
  void reply(Response response);
  /// Puts the request back instead of answering it: it stays unread, and nothing more of its
  /// connection is read (the client feels it as back-pressure) until HeldRequest::resume(). Only
  /// within on_request.
  [[nodiscard]] HeldRequest hold();
  [[nodiscard]] bool pending() const { return owner_ != nullptr; }

 private:
  friend class HttpConnections;
  Exchange(HttpConnections* owner, std::uint64_t connection, std::uint32_t sequence)
      : owner_(owner), connection_(connection), sequence_(sequence) {}
  HttpConnections* owner_ = nullptr;
  std::uint64_t connection_ = 0;
  std::uint32_t sequence_ = 0;
};

/// Answers the requests of one loop, on that loop's thread.
class Handler {
 public:
  virtual ~Handler() = default;
  /// `request` dies when this returns; the exchange may be answered now or later, or put back.
  virtual void on_request(const RequestView& request, Exchange exchange) = 0;
  /// Makes the answer to a request that the server itself refuses (400, 408, 413, 431, 501, 503,
  /// 505). `request` holds what was read of the head, perhaps nothing. The default answers
  /// `message` as text/plain.
  [[nodiscard]] virtual Response on_refused(int status, std::string_view message,
                                            const RequestView& request);
};

/// Makes the handler of loop number `index`, on that loop's thread.
using HandlerFactory = std::function<std::unique_ptr<Handler>(Loop& loop, unsigned index)>;

struct HttpOptions {
  Endpoint listen;                        ///< port 0 picks a free one
  unsigned loops = 1;                     ///< threads, 1 to 256
  std::optional<TlsContext> tls;          ///< nothing: plain HTTP
  std::string name = "http";              ///< label `server` of the metrics, and the threads' name
  metrics::Registry* registry = nullptr;  ///< nothing: not counted

  std::size_t head_bytes_max = std::size_t{16} * 1024;    ///< request line and headers: 431
  std::size_t headers_max = 100;                          ///< number of headers: 431
  std::size_t body_bytes_max = std::size_t{1024} * 1024;  ///< after transfer coding: 413
  std::size_t pipeline_max =
      32;  ///< unanswered requests of one connection; more wait in the socket
  /// Unsent answers of one connection; above, its requests wait.
  std::size_t output_bytes_max = std::size_t{1024} * 1024;
  std::size_t connections_max = 10'000;  ///< of the whole server; above: 503 and close
  std::int64_t head_timeout_us =
      10'000'000;  ///< first byte to end of the head (TLS handshake likewise): 408
  std::int64_t body_timeout_us = 30'000'000;   ///< end of the head to end of the body: 408
  std::int64_t idle_timeout_us = 75'000'000;   ///< nothing between requests: closed
  std::int64_t write_timeout_us = 30'000'000;  ///< client takes no bytes of the answer: closed
  std::int64_t linger_us =
      2'000'000;  ///< after a refusal, input is drained this long so that the answer arrives
};

class HttpServer {
 public:
  /// Binds, starts the threads and serves. Errors: as Listener::open, and those of making a loop.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(HttpOptions options,
                                                                 HandlerFactory factory);
  /// Stops at once if stop() was not called.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] Endpoint local() const;

  /// Accepts no more, closes idle connections, lets unanswered requests finish until `deadline`,
  /// then refuses those that are held (503), closes all and joins the threads. Any thread but a
  /// loop's; once.
  void stop(Deadline deadline);

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::net
