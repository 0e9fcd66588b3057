// Blocking TCP for thread-per-connection servers (the PostgreSQL wire) and small clients: every
// wait has a deadline, and another thread can end it.
//
//   auto listener = net::Listener::open({"127.0.0.1", 0});
//   while (auto stream = listener->accept(net::Deadline::never())) { ... }      // kAborted after
//   listener->cancel()
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/tls.h"

namespace leat::net {

/// One TCP connection, plain or TLS. Reading and writing belong to one thread; cancel() may come
/// from any.
///
/// Errors of all operations: kExhausted when the deadline passed ("timed out"), kAborted after
/// cancel(), kUnavailable when the peer reset the connection or closed it in the middle, kInvalid
/// when the peer broke the TLS protocol.
class Stream {
 public:
  /// Connects to `endpoint` (names are resolved by the system, which does not obey the deadline).
  [[nodiscard]] static Result<Stream> connect(const Endpoint& endpoint, Deadline deadline);
  /// Takes over a connected socket.
  [[nodiscard]] static Result<Stream> adopt(int socket);

  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();  ///< Closes the socket without a TLS close notice.

  /// Waits for at least one byte and returns how many were read into `into`; 0 when the peer has
  /// closed its side in order.
  [[nodiscard]] Result<std::size_t> read_some(std::span<char> into, Deadline deadline);
  /// Fills all of `into`. kUnavailable when the peer closes before that.
  [[nodiscard]] Status read_exactly(std::span<char> into, Deadline deadline);
  /// Writes all of `bytes`.
  [[nodiscard]] Status write_all(std::string_view bytes, Deadline deadline);
  /// True when a read would not wait: bytes are here, or the peer has closed. Never blocks.
  [[nodiscard]] bool readable() const;

  /// Turns the connection into TLS, this side being the server. Nothing is buffered here, so bytes
  /// that a peer (or someone between) sent before the handshake are read as part of it and fail it.
  [[nodiscard]] Status accept_tls(const TlsContext& context, Deadline deadline);
  /// Turns the connection into TLS, this side being the client; `host` is sent as the server name
  /// when not empty.
  [[nodiscard]] Status connect_tls(const TlsContext& context, std::string_view host,
                                   Deadline deadline);
  [[nodiscard]] bool is_tls() const;
  /// The non-blocking socket, for libraries that read and write it themselves. Still owned here.
  [[nodiscard]] int descriptor() const;
  /// "TLSv1.3" and "TLS_AES_256_GCM_SHA384", or empty without TLS.
  [[nodiscard]] std::string_view tls_version() const;
  [[nodiscard]] std::string_view tls_cipher() const;

  /// Sends the TLS close notice (if any) and the FIN; reading stays possible. Best effort.
  void finish_writing();
  /// Ends this connection from any thread: the operation that waits and all later ones fail with
  /// kAborted.
  void cancel();

  [[nodiscard]] Endpoint peer() const;   ///< the other side's address, numeric
  [[nodiscard]] Endpoint local() const;  ///< this side's address, numeric
  [[nodiscard]] int native() const;      ///< the socket, to poll it beside other descriptors

 private:
  struct State;
  explicit Stream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A listening TCP socket. accept() belongs to one thread; cancel() may come from any.
class Listener {
 public:
  /// Binds and listens; port 0 picks a free one, which local() tells. Errors: kInvalid when the
  /// host is unknown, kConflict when the address is in use, kDenied for a privileged port.
  [[nodiscard]] static Result<Listener> open(const Endpoint& endpoint, int backlog = 1024);

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  /// Waits for a connection. Errors: kExhausted at the deadline or when the process has no free
  /// descriptors (wait a moment, then go on), kAborted after cancel().
  [[nodiscard]] Result<Stream> accept(Deadline deadline);
  /// Ends accept() for good, from any thread.
  void cancel();
  [[nodiscard]] Endpoint local() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::net
