#include "net/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>

#include "net/socket.h"

namespace leat::net {
namespace {

struct SslFreer {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// Waits until `socket` has one of `events`; kExhausted at the deadline.
Status wait_for(int socket, short events, Deadline deadline) {
  pollfd entry{.fd = socket, .events = events, .revents = 0};
  while (true) {
    const int ready = ::poll(&entry, 1, deadline.poll_ms());
    if (ready > 0) return {};
    if (ready == 0 && deadline.left_us() == 0)
      return fail(Errc::kExhausted, "the connection timed out");
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "cannot wait for a connection");
  }
}

std::unexpected<Error> fail_connection(int error_number) {
  if (error_number == ECONNRESET || error_number == EPIPE) {
    return fail(Errc::kUnavailable, "the peer has reset the connection");
  }
  return fail_errno(error_number, "the connection failed");
}

}  // namespace

struct Stream::State {
  Descriptor socket;
  std::unique_ptr<SSL, SslFreer> ssl;
  std::atomic<bool> cancelled{false};

  [[nodiscard]] std::unexpected<Error> or_cancelled(std::unexpected<Error> error) const {
    if (cancelled.load()) return fail(Errc::kAborted, "the connection was cancelled");
    return error;
  }
  /// Waits for what the failed TLS call with result `code` needs; an error when it cannot go on.
  [[nodiscard]] Status wait_for_tls(int code, Deadline deadline);
  [[nodiscard]] Status handshake(const TlsContext& context, std::string_view host, bool server,
                                 Deadline deadline);
};

Status Stream::State::wait_for_tls(int code, Deadline deadline) {
  const int system_error = errno;
  const int reason = SSL_get_error(ssl.get(), code);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    const auto waited =
        wait_for(socket.get(), reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
    if (!waited || cancelled.load()) {
      return or_cancelled(waited ? fail(Errc::kAborted, "cancelled")
                                 : std::unexpected(waited.error()));
    }
    return {};
  }
  if (reason == SSL_ERROR_ZERO_RETURN)
    return fail(Errc::kUnavailable, "the peer has closed the connection");
  if (reason == SSL_ERROR_SYSCALL) {
    ERR_clear_error();
    return or_cancelled(fail_connection(system_error == 0 ? ECONNRESET : system_error));
  }
  const char* text = ERR_reason_error_string(ERR_peek_error());
  const std::string message =
      fmt::format("TLS protocol error: {}", text == nullptr ? "unknown" : text);
  ERR_clear_error();
  return or_cancelled(fail(Errc::kInvalid, message));
}

Status Stream::State::handshake(const TlsContext& context, std::string_view host, bool server,
                                Deadline deadline) {
  ssl.reset(SSL_new(context.native()));
  if (!ssl || SSL_set_fd(ssl.get(), socket.get()) != 1)
    return fail(Errc::kBug, "cannot make a TLS connection");
  if (!host.empty()) {
    std::string name(host);
    // What the macro SSL_set_tlsext_host_name says, without its C cast.
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    SSL_set1_host(ssl.get(), name.c_str());
  }
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int code = server ? SSL_accept(ssl.get()) : SSL_connect(ssl.get());
    if (code == 1) return {};
    LEAT_TRY(wait_for_tls(code, deadline));
  }
}

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Result<Stream> Stream::adopt(int socket) {
  auto state = std::make_unique<State>();
  state->socket = Descriptor(socket);
  const int flags = fcntl(socket, F_GETFL);
  if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail_errno(errno, "cannot use a socket");
  }
  set_no_delay(socket);
  return Stream(std::move(state));
}

Result<Stream> Stream::connect(const Endpoint& endpoint, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (const int error = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return fail(Errc::kUnavailable,
                fmt::format("unknown host {}: {}", endpoint.host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  int last_error = 0;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Descriptor socket(::socket(entry->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return fail_errno(errno, "cannot make a socket");
    if (::connect(socket.get(), entry->ai_addr, entry->ai_addrlen) != 0) {
      if (errno != EINPROGRESS) {
        last_error = errno;
        continue;
      }
      LEAT_TRY(wait_for(socket.get(), POLLOUT, deadline));
      socklen_t size = sizeof last_error;
      getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &last_error, &size);
      if (last_error != 0) continue;
    }
    set_no_delay(socket.get());
    auto state = std::make_unique<State>();
    state->socket = std::move(socket);
    return Stream(std::move(state));
  }
  return fail_errno(last_error, fmt::format("cannot connect to {}", endpoint.to_string()));
}

Result<std::size_t> Stream::read_some(std::span<char> into, Deadline deadline) {
  State& state = *state_;
  while (true) {
    if (state.cancelled.load()) return fail(Errc::kAborted, "the connection was cancelled");
    errno = 0;
    if (state.ssl) {
      ERR_clear_error();
      const int size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
      const int count = SSL_read(state.ssl.get(), into.data(), size);
      if (count > 0) return static_cast<std::size_t>(count);
      if (SSL_get_error(state.ssl.get(), count) == SSL_ERROR_ZERO_RETURN) {
        if (state.cancelled.load()) return fail(Errc::kAborted, "the connection was cancelled");
        return std::size_t{0};
      }
      LEAT_TRY(state.wait_for_tls(count, deadline));
      continue;
    }
    const ssize_t count = ::recv(state.socket.get(), into.data(), into.size(), 0);
    if (count >= 0) {
      // cancel() shuts the socket down, which reads as an orderly end.
      if (count == 0 && state.cancelled.load())
        return fail(Errc::kAborted, "the connection was cancelled");
      return static_cast<std::size_t>(count);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return state.or_cancelled(fail_connection(errno));
    LEAT_TRY(wait_for(state.socket.get(), POLLIN, deadline));
  }
}

Status Stream::read_exactly(std::span<char> into, Deadline deadline) {
  while (!into.empty()) {
    LEAT_ASSIGN(const std::size_t count, read_some(into, deadline));
    if (count == 0) return fail(Errc::kUnavailable, "the peer has closed the connection");
    into = into.subspan(count);
  }
  return {};
}

Status Stream::write_all(std::string_view bytes, Deadline deadline) {
  State& state = *state_;
  while (!bytes.empty()) {
    if (state.cancelled.load()) return fail(Errc::kAborted, "the connection was cancelled");
    errno = 0;
    if (state.ssl) {
      ERR_clear_error();
      const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
      const int count = SSL_write(state.ssl.get(), bytes.data(), size);
      if (count <= 0) {
        LEAT_TRY(state.wait_for_tls(count, deadline));
        continue;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const ssize_t count = ::send(state.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      LEAT_TRY(wait_for(state.socket.get(), POLLOUT, deadline));
    } else if (errno != EINTR) {
      return state.or_cancelled(fail_connection(errno));
    }
  }
  return {};
}

bool Stream::readable() const {
  if (state_->ssl && SSL_pending(state_->ssl.get()) > 0) return true;
  pollfd entry{.fd = state_->socket.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) > 0;
}

Status Stream::accept_tls(const TlsContext& context, Deadline deadline) {
  return state_->handshake(context, {}, true, deadline);
}

Status Stream::connect_tls(const TlsContext& context, std::string_view host, Deadline deadline) {
  return state_->handshake(context, host, false, deadline);
}

int Stream::descriptor() const {
  return state_->socket.get();
}

bool Stream::is_tls() const {
  return state_->ssl != nullptr;
}

std::string_view Stream::tls_version() const {
  return state_->ssl ? SSL_get_version(state_->ssl.get()) : "";
}

std::string_view Stream::tls_cipher() const {
  return state_->ssl ? SSL_get_cipher_name(state_->ssl.get()) : "";
}

void Stream::finish_writing() {
  if (state_->ssl) {
    ERR_clear_error();
    SSL_shutdown(state_->ssl.get());
  }
  ::shutdown(state_->socket.get(), SHUT_WR);
}

void Stream::cancel() {
  state_->cancelled.store(true);
  ::shutdown(state_->socket.get(), SHUT_RDWR);
}

Endpoint Stream::peer() const {
  return peer_endpoint(state_->socket.get());
}
Endpoint Stream::local() const {
  return local_endpoint(state_->socket.get());
}
int Stream::native() const {
  return state_->socket.get();
}

struct Listener::State {
  Descriptor socket;
  Descriptor wake;  // an eventfd; readable once cancelled
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

Result<Listener> Listener::open(const Endpoint& endpoint, int backlog) {
  auto state = std::make_unique<State>();
  LEAT_ASSIGN(state->socket, listen_on(endpoint, backlog, PortSharing::kNone));
  state->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (state->wake.get() < 0) return fail_errno(errno, "cannot make an eventfd");
  return Listener(std::move(state));
}

Result<Stream> Listener::accept(Deadline deadline) {
  std::array<pollfd, 2> entries{pollfd{.fd = state_->socket.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = state_->wake.get(), .events = POLLIN, .revents = 0}};
  while (true) {
    const int ready = ::poll(entries.data(), entries.size(), deadline.poll_ms());
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "cannot wait for connections");
    if (ready > 0 && entries[1].revents != 0)
      return fail(Errc::kAborted, "the listener was cancelled");
    if (ready == 0 && deadline.left_us() == 0)
      return fail(Errc::kExhausted, "no connection came in time");
    const int socket =
        ::accept4(state_->socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) return Stream::adopt(socket);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return fail(Errc::kExhausted,
                  "no free descriptors for a connection; raise the limit of open files");
    }
    // Everything else (EAGAIN, ECONNABORTED, network errors of the connection itself) concerns that
    // one connection.
  }
}

void Listener::cancel() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(state_->wake.get(), &one, sizeof one);
}

Endpoint Listener::local() const {
  return local_endpoint(state_->socket.get());
}

}  // namespace leat::net
