// The PostgreSQL wire server: accepts connections and gives each a thread and a session.
//
// A client harms only itself: each connection has its own bounded buffers and time limits, a full
// house is refused with 53300, and a client that stops reading is cut after `write_timeout_us`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace leat {
class Clock;
class Random;
namespace metrics {
class Registry;
}
namespace session {
class Warehouse;
}
}  // namespace leat

namespace leat::pgwire {

struct ServerOptions {
  std::string listen = "127.0.0.1:5439";  ///< Address and port; port 0 picks a free one.

  // TLS on request. Certificate and key in PEM files; both empty: a self-signed certificate is
  // generated.
  bool tls = true;
  std::string tls_certificate_file{};
  std::string tls_key_file{};
  bool require_tls = false;  ///< Refuse plain connections with 28000.

  std::size_t connections_max = 500;  ///< Authenticated or not; 53300 beyond.
  std::size_t message_bytes_max = 64ULL
                                  << 20;  ///< One message of an authenticated client; 54000 beyond.
  std::int64_t login_timeout_us = 30'000'000;             ///< From connect to the password's check.
  std::int64_t write_timeout_us = 120'000'000;            ///< One blocked write.
  std::int64_t idle_timeout_us = 4LL * 3600 * 1'000'000;  ///< Between statements; 57P05.
  std::int64_t idle_transaction_timeout_us =
      6LL * 3600 * 1'000'000;  ///< The same within a transaction; 25P03.
  /// After this many failed logins of one user from one address within a minute, further ones are
  /// refused unchecked.
  std::uint32_t failed_logins_max = 10;

  /// Who may log in from where, as AddressRules::parse (auth.h) reads it; empty: all from anywhere.
  std::string allowed_addresses{};
  std::string local_user{};  ///< May log in from this machine whatever these rules say.

  const Clock* clock = nullptr;  ///< Null: the machine's.
  Random* random = nullptr;      ///< Null: the operating system's.
  metrics::Registry* metrics = nullptr;
};

struct ServerState;

class Server {
 public:
  /// Binds and begins to accept. `warehouse` must outlive the server. Errors: kUnavailable when the
  /// address is taken, kInvalid for a bad address or certificate.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                             session::Warehouse& warehouse);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// As stop(0).
  ~Server();

  [[nodiscard]] std::uint16_t port() const;
  /// Stops accepting, lets running statements end for up to `deadline_us`, then cancels them; idle
  /// clients get 57P01. Returns when every connection's thread is gone.
  void stop(std::int64_t deadline_us);

 private:
  explicit Server(std::unique_ptr<ServerState> state);
  std::unique_ptr<ServerState> state_;
};

}  // namespace leat::pgwire
