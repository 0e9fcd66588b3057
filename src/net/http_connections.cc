#include "net/http_connections.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/check.h"

namespace leat::net {
namespace {

constexpr std::size_t kPoolBytesMax = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kReadAhead = std::size_t{4} * 1024;

/// The first byte of a method. Anything else (a TLS hello, say) never becomes a request.
bool begins_method(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr long kAgain = -1;
constexpr long kBroken = -2;

}  // namespace

bool HttpConnections::paused(const Connection& connection) const {
  return connection.held || connection.waiting() >= options_.pipeline_max ||
         connection.unsent() > options_.output_bytes_max;
}

void HttpConnections::handle_event(std::uint64_t id, std::uint32_t events) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (connection->phase == Phase::kHandshake && !handshake(*connection)) return;
  const bool reading = (connection->interest & EPOLLIN) != 0;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 && !reading) {
    destroy(*connection);
    return;
  }
  if ((events & EPOLLOUT) != 0) mark_dirty(*connection);
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 || connection->tls_wants_write)
    read(*connection);
}

bool HttpConnections::handshake(Connection& connection) {
  ERR_clear_error();
  const int code = SSL_accept(connection.ssl.get());
  if (code == 1) {
    connection.phase = Phase::kHead;
    arm(connection, Timer::kIdle);
    update_interest(connection);
    return true;
  }
  const int reason = SSL_get_error(connection.ssl.get(), code);
  if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
    ERR_clear_error();
    destroy(connection);
    return false;
  }
  connection.tls_wants_write = reason == SSL_ERROR_WANT_WRITE;
  update_interest(connection);
  return false;
}

long HttpConnections::receive(Connection& connection, char* into, std::size_t size) {
  while (true) {
    if (!connection.ssl) {
      const ssize_t count = ::recv(connection.socket.get(), into, size, 0);
      if (count >= 0) return count;
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? kAgain : kBroken;
    }
    ERR_clear_error();
    const int count = SSL_read(connection.ssl.get(), into,
                               static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
    if (count > 0) return count;
    const int reason = SSL_get_error(connection.ssl.get(), count);
    connection.tls_wants_write = reason == SSL_ERROR_WANT_WRITE;
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return kAgain;
    ERR_clear_error();
    return reason == SSL_ERROR_ZERO_RETURN ? 0 : kBroken;
  }
}

void HttpConnections::read(Connection& connection) {
  // TLS keeps decrypted bytes that epoll does not tell of, so it is read until it has no more.
  for (bool again = true; again && connection.alive;) {
    if (connection.phase == Phase::kLingering) return drain(connection);
    if (connection.closing || connection.peer_closed || paused(connection)) break;
    InputBuffer& input = connection.input;
    const bool into_scratch = input.empty() && connection.large_request == 0;
    char* target = scratch_.get();
    std::size_t room = kScratchBytes;
    if (!into_scratch) {
      const std::size_t held = input.end - input.begin;
      const std::size_t wanted = connection.phase == Phase::kBody ? connection.total_bytes
                                 : held == 0                      ? connection.large_request
                                                                  : held + kReadAhead;
      reserve(input, std::max(wanted, held + 1));
      target = input.memory.get() + input.end;
      room = input.capacity - input.end;
    }
    const long count = receive(connection, target, room);
    if (count == kAgain) {
      release(input);
      break;
    }
    if (count == kBroken) {
      destroy(connection);
      return;
    }
    if (count == 0) {
      handle_end(connection);
      break;
    }
    bytes_read_ += static_cast<std::uint64_t>(count);
    if (into_scratch) {
      const std::string_view data(target, static_cast<std::size_t>(count));
      const std::size_t used = process(connection, data);
      keep(connection, data.substr(used));
    } else {
      input.end += static_cast<std::size_t>(count);
      process_input(connection);
    }
    again = connection.ssl != nullptr;
  }
  if (!connection.alive) return;
  update_timer(connection);
  update_interest(connection);
}

/// The client has sent its FIN: what it asked before is still answered.
void HttpConnections::handle_end(Connection& connection) {
  connection.peer_closed = true;
  const bool between = connection.phase == Phase::kHead && connection.input.empty();
  if (!between && !connection.closing) {
    refuse(connection, {400, "the request ended too early"}, {});
    connection.linger = false;
    release(connection.input);
  }
  mark_dirty(connection);
}

void HttpConnections::drain(Connection& connection) {
  const long count = receive(connection, scratch_.get(), kScratchBytes);
  if (count == 0 || count == kBroken) destroy(connection);
}

/// Consumes what `input` holds, as far as it goes.
void HttpConnections::process_input(Connection& connection) {
  InputBuffer& input = connection.input;
  const std::size_t used = process(connection, input.view());
  input.begin += used;
  if (input.empty()) release(input);
}

void HttpConnections::keep(Connection& connection, std::string_view rest) {
  if (rest.empty()) return;
  InputBuffer& input = connection.input;
  const std::size_t whole =
      connection.phase == Phase::kBody ? connection.total_bytes : rest.size() + kReadAhead;
  reserve(input, std::max(whole, rest.size()));
  std::memcpy(input.memory.get() + input.end, rest.data(), rest.size());
  input.end += rest.size();
}

std::size_t HttpConnections::process(Connection& connection, std::string_view data) {
  std::size_t total = 0;
  bool more = true;
  while (more) {
    if (connection.closing) return total + data.size();
    if (paused(connection)) return total;
    std::size_t used = 0;
    switch (connection.phase) {
      case Phase::kHead:
        more = process_head(connection, data, used);
        break;
      case Phase::kBody:
        more = process_body(connection, data, used);
        break;
      case Phase::kChunks:
        more = process_chunks(connection, data, used);
        break;
      default:
        return total + data.size();
    }
    data.remove_prefix(used);
    total += used;
  }
  return connection.closing ? total + data.size() : total;
}

bool HttpConnections::process_head(Connection& connection, std::string_view data,
                                   std::size_t& used) {
  // An empty line before a request is allowed (RFC 9112 2.2).
  while (data.substr(used).starts_with("\r\n")) used += 2;
  data.remove_prefix(used);
  if (used > 0) connection.scanned = 0;
  if (data.empty()) return false;
  if (!begins_method(data.front()) && data != "\r") {
    refuse(connection, {400, "malformed HTTP request"}, {});
    return false;
  }
  const std::size_t head_bytes = find_head_end(data, connection.scanned);
  if (head_bytes == 0 && data.size() <= options_.head_bytes_max) return false;
  connection.scanned = 0;
  if (head_bytes == 0 || head_bytes > options_.head_bytes_max) {
    refuse(connection, {431, "the request head is too large"}, {});
    return false;
  }
  if (const auto refusal = parse_head(data.substr(0, head_bytes), options_.headers_max, head_)) {
    refuse(connection, *refusal, head_.view());
    return false;
  }
  if (!head_.chunked && head_.content_length > options_.body_bytes_max) {
    refuse(connection, {413, "the request body is too large"}, head_.view());
    return false;
  }
  if (!head_.chunked && data.size() - head_bytes >= head_.content_length) {
    const std::size_t body_bytes = static_cast<std::size_t>(head_.content_length);
    // An empty body is never awaited, but Amazon's clients believe an answer without 100 to be the
    // connection's last.
    const bool fresh = connection.held_since_us == 0;
    if (head_.expect_continue && body_bytes == 0 && fresh) send_continue(connection);
    if (!dispatch(connection, data.substr(head_bytes, body_bytes))) return false;
    used += head_bytes + body_bytes;
    return true;
  }
  begin_body(connection, head_bytes, data);
  if (connection.phase == Phase::kChunks) used += head_bytes;
  return connection.phase == Phase::kChunks;
}

void HttpConnections::begin_body(Connection& connection, std::size_t head_bytes,
                                 std::string_view data) {
  if (head_.chunked) {
    connection.phase = Phase::kChunks;
    connection.chunk_head.assign(data.substr(0, head_bytes));
    connection.chunks = std::make_unique<ChunkedReader>(
        connection.chunk_head, options_.body_bytes_max, options_.head_bytes_max);
  } else {
    connection.phase = Phase::kBody;
    connection.head_bytes = head_bytes;
    connection.total_bytes = head_bytes + static_cast<std::size_t>(head_.content_length);
  }
  arm(connection, Timer::kBody);
  if (head_.expect_continue && data.size() == head_bytes) send_continue(connection);
}

void HttpConnections::send_continue(Connection& connection) {
  connection.slots.push_back({.done = true, .interim = true});
  deliver(connection);
}

bool HttpConnections::process_body(Connection& connection, std::string_view data,
                                   std::size_t& used) {
  if (data.size() < connection.total_bytes) return false;
  const std::string_view head = data.substr(0, connection.head_bytes);
  const std::string_view body =
      data.substr(connection.head_bytes, connection.total_bytes - connection.head_bytes);
  // The views of the first reading died when the bytes moved; the head is known to be good.
  if (const auto refusal = parse_head(head, options_.headers_max, head_)) {
    refuse(connection, *refusal, {});
    return false;
  }
  if (!dispatch(connection, body)) return false;
  used = connection.total_bytes;
  connection.phase = Phase::kHead;
  connection.large_request = used > kScratchBytes / 4 ? used : 0;
  return true;
}

bool HttpConnections::process_chunks(Connection& connection, std::string_view data,
                                     std::size_t& used) {
  if (!connection.chunks->done()) {  // it is when the request was held
    if (data.empty()) return false;
    if (const auto refusal = connection.chunks->feed(data, used)) {
      static_cast<void>(parse_head(connection.chunk_head, options_.headers_max, head_));
      refuse(connection, *refusal, head_.view());
      return false;
    }
    if (!connection.chunks->done()) return false;
  }
  if (const auto refusal = parse_head(connection.chunk_head, options_.headers_max, head_)) {
    refuse(connection, *refusal, {});
    return false;
  }
  if (!dispatch(connection, connection.chunks->body())) return false;
  connection.phase = Phase::kHead;
  connection.chunks.reset();
  connection.chunk_head.clear();
  return true;
}

/// False when the handler has put the request back.
bool HttpConnections::dispatch(Connection& connection, std::string_view body) {
  RequestView request = head_.view();
  request.body = body;
  request.peer = connection.peer;
  request.tls = connection.ssl != nullptr;
  request.held_since_us = connection.held_since_us;
  const auto sequence =
      static_cast<std::uint32_t>(connection.first_sequence + connection.waiting());
  connection.slots.push_back({.keep_alive = head_.keep_alive,
                              .head_only = head_.method == Method::kHead,
                              .http_1_0 = head_.http_1_0});
  const bool last = !head_.keep_alive;
  handler_->on_request(request, Exchange(this, connection.id, sequence));
  if (connection.held) return false;
  ++requests_;
  connection.held_since_us = 0;
  if (last) connection.closing = true;
  return true;
}

void HttpConnections::hold(std::uint64_t id, std::uint32_t sequence) {
  Connection* connection = find(id);
  LEAT_CHECK(connection != nullptr && !connection->held);
  LEAT_CHECK(sequence ==
             static_cast<std::uint32_t>(connection->first_sequence + connection->waiting() - 1));
  connection->slots.pop_back();
  connection->held = true;
  if (connection->held_since_us == 0) connection->held_since_us = loop_.turn_us();
}

bool HttpConnections::resume(std::uint64_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || !connection->held) return false;
  connection->held = false;
  process_input(*connection);
  mark_dirty(*connection);
  return true;
}

void HttpConnections::refuse(Connection& connection, Refusal refusal, const RequestView& request) {
  shared_.registry
      .counter("leat_net_requests_refused_total", "Requests that the server itself refused.",
               {shared_.labels.front(), {"status", std::to_string(refusal.status)}})
      .add();
  RequestView view = request;
  view.peer = connection.peer;
  view.tls = connection.ssl != nullptr;
  connection.slots.push_back(
      {.response = handler_->on_refused(refusal.status, refusal.message, view),
       .done = true,
       .keep_alive = false,
       .head_only = view.method == Method::kHead});
  connection.closing = true;
  connection.linger = true;
  connection.chunks.reset();
  deliver(connection);
}

void HttpConnections::reserve(InputBuffer& buffer, std::size_t size) {
  if (buffer.capacity - buffer.begin >= size && buffer.memory) return;
  const std::size_t held = buffer.end - buffer.begin;
  if (buffer.capacity >= size && buffer.memory) {
    std::memmove(buffer.memory.get(), buffer.memory.get() + buffer.begin, held);
    buffer.begin = 0;
    buffer.end = held;
    return;
  }
  InputBuffer larger;
  const auto fits =
      std::ranges::find_if(pool_, [size](const InputBuffer& b) { return b.capacity >= size; });
  if (fits != pool_.end()) {
    larger = std::move(*fits);
    *fits = std::move(pool_.back());
    pool_.pop_back();
    pool_bytes_ -= larger.capacity;
  } else {
    larger.capacity = std::max<std::size_t>(size, kReadAhead);
    larger.memory = std::make_unique_for_overwrite<char[]>(larger.capacity + kBodyPadding);
  }
  if (held > 0) std::memcpy(larger.memory.get(), buffer.memory.get() + buffer.begin, held);
  larger.begin = 0;
  larger.end = held;
  buffer.begin = buffer.end;
  release(buffer);
  buffer = std::move(larger);
}

void HttpConnections::release(InputBuffer& buffer) {
  if (!buffer.empty()) return;
  if (buffer.memory && pool_bytes_ + buffer.capacity <= kPoolBytesMax && pool_.size() < 64) {
    pool_bytes_ += buffer.capacity;
    buffer.begin = buffer.end = 0;
    pool_.push_back(std::move(buffer));
  }
  buffer = InputBuffer();
}

}  // namespace leat::net
