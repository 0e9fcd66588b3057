// Writing of HttpConnections: answers in order, batched into one send a turn.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <ctime>

#include "base/clock.h"
#include "net/http_connections.h"

namespace leat::net {
namespace {

constexpr std::size_t kOutputKept = std::size_t{4} * 1024;
constexpr std::size_t kSourcePiece = std::size_t{256} * 1024;
constexpr int kSourcePiecesPerTurn = 16;

/// "Date: Fri, 20 Nov 2026 14:03:05 GMT\r\n".
std::string date_line(std::int64_t second) {
  static constexpr std::array kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::int64_t day = second / 86'400;
  const std::int64_t rest = second % 86'400;
  const CivilDate date = civil_from_days(day);
  return fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                     kDays[static_cast<std::size_t>(day % 7)], date.day, kMonths[date.month - 1],
                     date.year, rest / 3600, rest / 60 % 60, rest % 60);
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

}  // namespace

void HttpConnections::reply(std::uint64_t connection, std::uint32_t sequence, Response response) {
  if (loop_.is_current_thread()) {
    answer(connection, sequence, std::move(response));
    return;
  }
  loop_.post([this, connection, sequence, moved = std::move(response)]() mutable {
    answer(connection, sequence, std::move(moved));
  });
}

void HttpConnections::answer(std::uint64_t id, std::uint32_t sequence, Response response) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  const std::uint32_t index =
      sequence - connection->first_sequence;  // wraps around as the sequence does
  if (index >= connection->waiting()) return;
  Slot& slot = connection->slots[connection->slots_begin + index];
  slot.response = std::move(response);
  slot.done = true;
  if (index == 0) deliver(*connection);
}

/// Moves every answer whose turn has come into the output.
void HttpConnections::deliver(Connection& connection) {
  while (connection.waiting() > 0 && connection.slots[connection.slots_begin].done &&
         connection.source == nullptr) {
    Slot& slot = connection.slots[connection.slots_begin];
    if (stopping_ && !slot.interim) slot.keep_alive = false;
    const bool last = !slot.interim && (slot.response.close || !slot.keep_alive);
    slot.keep_alive = !last;
    serialize(connection, slot);
    ++connection.slots_begin;
    ++connection.first_sequence;
    if (last) {
      connection.closing = true;
      // Requests sent after the last one that is answered are not: the client sees the close and
      // repeats them.
      connection.first_sequence += static_cast<std::uint32_t>(connection.waiting());
      connection.slots_begin = connection.slots.size();
    }
  }
  if (connection.waiting() == 0) {
    connection.slots.clear();
    connection.slots_begin = 0;
  }
  mark_dirty(connection);
}

void HttpConnections::serialize(Connection& connection, Slot& slot) {
  std::string& out = connection.output;
  if (slot.interim) {
    out += "HTTP/1.1 100 Continue\r\n\r\n";
    return;
  }
  Response& response = slot.response;
  const std::string_view body =
      response.body.empty() ? response.static_body : std::string_view(response.body);
  const std::int64_t second = system_clock().now().value / kUsPerSecond;
  if (second != date_second_) {
    date_second_ = second;
    date_line_ = date_line(second);
  }
  if (response.status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                   reason_phrase(response.status));
  }
  out += date_line_;
  if (!response.content_type.empty()) {
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\n";
  }
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    out += "Content-Length: ";
    append_number(out, response.source ? response.source_bytes : body.size());
    out += "\r\n";
  }
  out += response.headers;
  if (!slot.keep_alive) {
    out += "Connection: close\r\n";
  } else if (slot.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (bodiless || slot.head_only) return;
  if (!response.source) {
    out += body;
  } else if (response.source_bytes > 0) {
    connection.source = std::move(response.source);
    connection.source_offset = 0;
    connection.source_bytes = response.source_bytes;
  }
}

void HttpConnections::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(connection.id);
}

void HttpConnections::flush_dirty() {
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    for (const std::uint64_t id : flushing_) {
      Connection* connection = find(id);
      if (connection == nullptr) continue;
      connection->dirty = false;
      flush(*connection);
    }
    flushing_.clear();
  }
  publish_counts();
}

void HttpConnections::flush(Connection& connection) {
  if (connection.phase == Phase::kHandshake || connection.phase == Phase::kLingering) return;
  const std::uint64_t before = bytes_written_;
  if (!send_output(connection)) {
    destroy(connection);
    return;
  }
  const bool sent_some = bytes_written_ > before;
  if (connection.unsent() == 0) {
    connection.output.clear();
    connection.output_sent = 0;
    if (connection.output.capacity() > kOutputKept) connection.output = std::string();
  }
  if (connection.unsent() == 0 && connection.waiting() == 0) {
    if (connection.closing || connection.peer_closed) {
      finish(connection);
      return;
    }
  }
  // What a full pipeline has kept back may go on now.
  if (!connection.input.empty() && !connection.closing && !paused(connection))
    process_input(connection);
  // TLS may hold decrypted bytes back from when reading paused; epoll does not tell of them.
  if (connection.ssl && !connection.closing && !connection.peer_closed && !paused(connection) &&
      SSL_pending(connection.ssl.get()) > 0) {
    read(connection);
    if (!connection.alive) return;
  }
  if (sent_some && (connection.timer == Timer::kWrite || connection.timer == Timer::kIdle)) {
    arm(connection, Timer::kNone);
  }
  update_timer(connection);
  update_interest(connection);
}

/// Sends what the socket takes. False when the connection is broken, or a source.
bool HttpConnections::send_output(Connection& connection) {
  for (int pieces = 0;; ++pieces) {
    if (!send_buffered(connection)) return false;
    if (connection.unsent() > 0 || connection.source == nullptr) return true;
    if (!refill(connection)) return false;
    // A client that takes everything at once must not keep the others waiting.
    if (pieces == kSourcePiecesPerTurn) return true;
  }
}

/// Reads the next piece of the body under way into the empty output; behind its end, the answers
/// that wait for their turn. False when the source fails.
bool HttpConnections::refill(Connection& connection) {
  connection.output.clear();
  connection.output_sent = 0;
  const std::uint64_t left = connection.source_bytes - connection.source_offset;
  if (left == 0) {
    connection.source.reset();
    deliver(connection);
    return true;
  }
  connection.output.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kSourcePiece)));
  if (connection.source->read(connection.source_offset, connection.output) !=
      connection.output.size()) {
    return false;
  }
  connection.source_offset += connection.output.size();
  return true;
}

bool HttpConnections::send_buffered(Connection& connection) {
  while (connection.unsent() > 0) {
    const char* bytes = connection.output.data() + connection.output_sent;
    if (connection.ssl) {
      ERR_clear_error();
      const int size = static_cast<int>(std::min<std::size_t>(connection.unsent(), INT_MAX));
      const int count = SSL_write(connection.ssl.get(), bytes, size);
      if (count <= 0) {
        const int reason = SSL_get_error(connection.ssl.get(), count);
        if (reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ) return true;
        ERR_clear_error();
        return false;
      }
      connection.output_sent += static_cast<std::size_t>(count);
      bytes_written_ += static_cast<std::uint64_t>(count);
      continue;
    }
    const ssize_t count = ::send(connection.socket.get(), bytes, connection.unsent(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    connection.output_sent += static_cast<std::size_t>(count);
    bytes_written_ += static_cast<std::uint64_t>(count);
  }
  return true;
}

/// Everything is answered and sent, and nothing more is wanted.
void HttpConnections::finish(Connection& connection) {
  if (connection.ssl) {
    ERR_clear_error();
    SSL_shutdown(connection.ssl.get());
  }
  if (!connection.linger || connection.peer_closed) {
    destroy(connection);
    return;
  }
  ::shutdown(connection.socket.get(), SHUT_WR);
  connection.phase = Phase::kLingering;
  connection.ssl.reset();  // what comes is thrown away unread
  connection.input.begin = connection.input.end;
  release(connection.input);
  arm(connection, Timer::kLinger);
  update_interest(connection);
}

void HttpConnections::update_interest(Connection& connection) {
  std::uint32_t wanted = 0;
  const bool reads = connection.phase == Phase::kLingering ||
                     connection.phase == Phase::kHandshake ||
                     (!connection.closing && !connection.peer_closed && !paused(connection));
  if (reads) wanted |= EPOLLIN;
  if (connection.unsent() > 0 || connection.tls_wants_write) wanted |= EPOLLOUT;
  if (wanted == connection.interest) return;
  connection.interest = wanted;
  loop_.change_watch(connection.watch, wanted);
}

void HttpConnections::publish_counts() {
  if (requests_ > 0) shared_.requests.add(std::exchange(requests_, 0));
  if (bytes_read_ > 0) shared_.bytes_read.add(std::exchange(bytes_read_, 0));
  if (bytes_written_ > 0) shared_.bytes_written.add(std::exchange(bytes_written_, 0));
}

}  // namespace leat::net
