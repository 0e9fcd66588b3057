// Birth, death and timeouts of the connections of HttpConnections.
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <cerrno>

#include "base/log.h"
#include "net/http_connections.h"

namespace leat::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::int64_t kAcceptPauseUs = 100'000;
constexpr std::int64_t kSweepPauseUs = 1'000;
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
    "close\r\n\r\n";

metrics::Labels server_label(const HttpOptions& options) {
  return {{"server", options.name}};
}

}  // namespace

HttpShared::HttpShared(const HttpOptions& options)
    : registry(options.registry != nullptr ? *options.registry : own_registry),
      open(registry.gauge("leat_net_connections", "Open connections.", server_label(options))),
      accepted(registry.counter("leat_net_connections_accepted_total", "Connections accepted.",
                                server_label(options))),
      requests(registry.counter("leat_net_requests_total",
                                "Complete requests given to the handler.", server_label(options))),
      bytes_read(registry.counter("leat_net_read_bytes_total", "Bytes read from clients.",
                                  server_label(options))),
      bytes_written(registry.counter("leat_net_written_bytes_total", "Bytes written to clients.",
                                     server_label(options))),
      refused_connections(registry.counter("leat_net_connections_refused_total",
                                           "Connections closed because the limit was reached.",
                                           server_label(options))),
      timeouts(registry.counter("leat_net_timeouts_total",
                                "Connections closed because the client was too slow or idle.",
                                server_label(options))),
      labels(server_label(options)) {}

void HttpConnections::SslFreer::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

HttpConnections::HttpConnections(Loop& loop, const HttpOptions& options, HttpShared& shared,
                                 Descriptor listener)
    : loop_(loop),
      options_(options),
      shared_(shared),
      listener_(std::move(listener)),
      scratch_(std::make_unique_for_overwrite<char[]>(kScratchBytes + kBodyPadding)) {}

HttpConnections::~HttpConnections() = default;

Status HttpConnections::start(const HandlerFactory& factory, unsigned index) {
  handler_ = factory(loop_, index);
  LEAT_ASSIGN(listener_watch_,
              loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { handle_accept(); }));
  loop_.at_turn_end([this] { flush_dirty(); });
  return {};
}

void HttpConnections::handle_accept() {
  for (int i = 0; i < kAcceptsPerTurn && listener_.get() >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int socket = ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      adopt(socket, address);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The waiting connection would make the loop spin; it may be taken when others have ended.
      log::warning(
          "net", "cannot accept a connection: no free descriptors; raise the limit of open files");
      loop_.change_watch(listener_watch_, 0);
      loop_.run_after(kAcceptPauseUs, [this] { loop_.change_watch(listener_watch_, EPOLLIN); });
      return;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
  }
}

void HttpConnections::adopt(int socket, const sockaddr_storage& address) {
  shared_.accepted.add();
  if (shared_.connections.fetch_add(1) >= options_.connections_max) {
    shared_.connections.fetch_sub(1);
    turn_away(socket);
    return;
  }
  set_no_delay(socket);
  Connection& connection = take_slot();
  connection.socket = Descriptor(socket);
  connection.peer = to_ip_address(address);
  shared_.open.add(1);
  ++alive_;
  if (options_.tls) {
    connection.ssl.reset(SSL_new(options_.tls->native()));
    SSL_set_fd(connection.ssl.get(), socket);
    connection.phase = Phase::kHandshake;
  }
  connection.interest = EPOLLIN;
  const auto watch = loop_.watch(socket, EPOLLIN, [this, id = connection.id](std::uint32_t events) {
    handle_event(id, events);
  });
  if (!watch) {
    destroy(connection);
    return;
  }
  connection.watch = *watch;
  arm(connection, options_.tls ? Timer::kHead : Timer::kIdle);
}

void HttpConnections::turn_away(int socket) {
  shared_.refused_connections.add();
  const Descriptor owner(socket);
  if (!options_.tls) {
    [[maybe_unused]] const ssize_t sent = ::send(socket, kFull.data(), kFull.size(), MSG_NOSIGNAL);
    ::shutdown(socket, SHUT_WR);
    // Unread bytes at close would reset the connection and take the answer with them.
    [[maybe_unused]] const ssize_t got = ::recv(socket, scratch_.get(), kScratchBytes, 0);
  }
}

HttpConnections::Connection& HttpConnections::take_slot() {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->id = free_.back();
  }
  Connection& connection = *connections_[free_.back()];
  free_.pop_back();
  connection.alive = true;
  return connection;
}

HttpConnections::Connection* HttpConnections::find(std::uint64_t id) {
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= connections_.size()) return nullptr;
  Connection& connection = *connections_[slot];
  return connection.alive && connection.id == id ? &connection : nullptr;
}

void HttpConnections::destroy(Connection& connection) {
  arm(connection, Timer::kNone);
  loop_.end_watch(connection.watch);
  connection.input.begin = connection.input.end;
  release(connection.input);
  const std::uint64_t next_id =
      connection.id + (std::uint64_t{1} << 32);  // the next generation of this slot
  free_.push_back(static_cast<std::uint32_t>(connection.id));
  // The object stays for the next connection in this slot; everything but its id starts anew.
  connection = Connection();
  connection.id = next_id;
  --alive_;
  shared_.open.add(-1);
  shared_.connections.fetch_sub(1);
  if (stopping_ && alive_ == 0) loop_.stop();
}

std::int64_t HttpConnections::duration_us(Timer timer) const {
  switch (timer) {
    case Timer::kIdle:
      return options_.idle_timeout_us;
    case Timer::kHead:
      return options_.head_timeout_us;
    case Timer::kBody:
      return options_.body_timeout_us;
    case Timer::kWrite:
      return options_.write_timeout_us;
    case Timer::kLinger:
      return options_.linger_us;
    case Timer::kNone:
      break;
  }
  return 0;
}

/// Starts `timer` anew. A list holds connections of one duration, so appending keeps it ordered by
/// deadline.
void HttpConnections::arm(Connection& connection, Timer timer) {
  if (connection.timer != Timer::kNone) {
    TimerList& list = timer_lists_[static_cast<std::size_t>(connection.timer)];
    (connection.timer_previous != nullptr ? connection.timer_previous->timer_next : list.first) =
        connection.timer_next;
    (connection.timer_next != nullptr ? connection.timer_next->timer_previous : list.last) =
        connection.timer_previous;
    connection.timer_previous = connection.timer_next = nullptr;
  }
  connection.timer = timer;
  if (timer == Timer::kNone) return;
  connection.deadline_us = loop_.turn_us() + duration_us(timer);
  TimerList& list = timer_lists_[static_cast<std::size_t>(timer)];
  connection.timer_previous = list.last;
  (list.last != nullptr ? list.last->timer_next : list.first) = &connection;
  list.last = &connection;
  schedule_sweep(connection.deadline_us);
}

/// Chooses the timer that the connection's state asks for, and starts it if another one (or none)
/// runs.
void HttpConnections::update_timer(Connection& connection) {
  Timer wanted = Timer::kNone;
  if (connection.phase == Phase::kLingering) {
    wanted = Timer::kLinger;
  } else if (connection.unsent() > 0) {
    wanted = Timer::kWrite;
  } else if (connection.held) {
    wanted = Timer::kNone;  // the client waits for us
  } else if (connection.phase == Phase::kBody || connection.phase == Phase::kChunks) {
    wanted = Timer::kBody;
  } else if (connection.phase == Phase::kHandshake ||
             (!connection.input.empty() && !paused(connection))) {
    wanted = Timer::kHead;
  } else if (connection.waiting() == 0) {
    wanted = Timer::kIdle;
  }
  if (connection.timer != wanted) arm(connection, wanted);
}

void HttpConnections::schedule_sweep(std::int64_t deadline_us) {
  if (sweep_us_ != 0 && sweep_us_ <= deadline_us) return;
  if (sweep_us_ != 0) loop_.cancel_timer(sweep_timer_);
  sweep_us_ = deadline_us;
  sweep_timer_ =
      loop_.run_after(std::max(deadline_us - loop_.turn_us(), kSweepPauseUs), [this] { sweep(); });
}

void HttpConnections::sweep() {
  sweep_us_ = 0;
  std::int64_t earliest = 0;
  for (TimerList& list : timer_lists_) {
    while (list.first != nullptr && list.first->deadline_us <= loop_.turn_us())
      time_out(*list.first);
    if (list.first != nullptr && (earliest == 0 || list.first->deadline_us < earliest)) {
      earliest = list.first->deadline_us;
    }
  }
  if (earliest != 0) schedule_sweep(earliest);
}

void HttpConnections::time_out(Connection& connection) {
  const Timer timer = connection.timer;
  const bool tell =
      connection.phase != Phase::kHandshake && (timer == Timer::kHead || timer == Timer::kBody);
  if (timer != Timer::kLinger) shared_.timeouts.add();
  if (!tell) {
    destroy(connection);
    return;
  }
  arm(connection, Timer::kNone);
  refuse(connection, {408, "the request came too slowly"}, {});
  update_interest(connection);
}

void HttpConnections::stop(std::int64_t left_us) {
  stopping_ = true;
  handle_accept();  // those already waiting have been accepted by the kernel: they get their answer
  loop_.end_watch(listener_watch_);
  listener_.reset();
  loop_.run_after(left_us, [this] { close_all(); });
  if (alive_ == 0) loop_.stop();
  for (const auto& connection : connections_) {
    if (!connection->alive) continue;
    // What has arrived by now is still served; then those that ask nothing end.
    if (connection->phase == Phase::kHead) read(*connection);
    if (!connection->alive) continue;
    const bool idle = connection->phase == Phase::kHead && connection->input.empty() &&
                      connection->waiting() == 0 && connection->unsent() == 0;
    if (idle || connection->phase == Phase::kHandshake || connection->phase == Phase::kLingering) {
      destroy(*connection);
    }
  }
}

void HttpConnections::close_all() {
  // What is still unanswered is answered now, as far as the sockets take it.
  for (const auto& connection : connections_) {
    if (!connection->alive) continue;
    if (connection->held) refuse(*connection, {503, "the server is stopping"}, {});
    connection->closing = true;
  }
  handler_.reset();
  flush_dirty();
  for (const auto& connection : connections_) {
    if (connection->alive) destroy(*connection);
  }
  loop_.stop();
}

}  // namespace leat::net
