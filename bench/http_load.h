// A load generator for HTTP/1.1: one thread, many connections, one request in flight on each. It
// sends given requests over and over and expects the same short answer to all.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace leat::bench {

struct LoadResult {
  std::uint64_t answers = 0;  ///< with status 200
  std::uint64_t others = 0;   ///< any other status
  std::int64_t elapsed_us = 0;
  std::vector<std::uint32_t> latencies_us;  ///< of every answer, sorted

  [[nodiscard]] std::uint32_t quantile_us(double q) const {
    if (latencies_us.empty()) return 0;
    const auto last = static_cast<double>(latencies_us.size() - 1);
    return latencies_us[static_cast<std::size_t>(q * last)];
  }
};

/// Sends `requests` (complete bytes, used round robin) to 127.0.0.1:`port` for some time, or each
/// of them once, over `connections`. Each waits `pause_us` between an answer and its next request:
/// with 0 the server is saturated, and how long an answer takes is only the number of connections
/// over the rate.
class HttpLoad {
 public:
  HttpLoad(std::uint16_t port, std::size_t connections, const std::vector<std::string>& requests,
           std::int64_t pause_us = 0)
      : requests_(requests), pause_us_(pause_us), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < connections; ++i) connect(port, i);
  }
  ~HttpLoad() {
    for (const Connection& connection : connections_) ::close(connection.socket);
    ::close(epoll_);
  }
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;

  LoadResult run(std::int64_t duration_us) { return run(duration_us, SIZE_MAX); }
  /// Every request once.
  LoadResult run_once() { return run(INT64_MAX / 2, requests_.size()); }

 private:
  LoadResult run(std::int64_t duration_us, std::size_t limit) {
    LoadResult result;
    const std::int64_t start = now_us();
    stopping_ = false;
    limit_ = next_ + limit < limit ? SIZE_MAX : next_ + limit;
    begin(start);
    std::array<epoll_event, 512> events{};
    std::size_t busy = connections_.size();
    std::int64_t now = start;
    while (busy > 0) {
      const int count = wait(events, now);
      now = now_us();
      stopping_ = now - start >= duration_us;
      busy -= send_due(now);
      for (int i = 0; i < count; ++i) {
        Connection& connection = connections_[events[static_cast<std::size_t>(i)].data.u64];
        if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0) send_rest(connection);
        if (receive(connection, now, result)) --busy;
      }
    }
    result.elapsed_us = now - start;
    std::ranges::sort(result.latencies_us);
    return result;
  }

  struct Connection {
    int socket = -1;
    std::size_t number = 0;
    std::string_view unsent{};
    std::string answer{};
    std::int64_t sent_us = 0;
    bool wants_out = false;
  };

  // Those that pause begin spread over their first pause.
  void begin(std::int64_t start) {
    const auto count = static_cast<std::int64_t>(connections_.size());
    for (Connection& connection : connections_) {
      if (pause_us_ == 0) {
        send_next(connection, start);
      } else {
        const auto number = static_cast<std::int64_t>(connection.number);
        pausing_.push_back({start + pause_us_ * number / count, connection.number});
      }
    }
  }

  // For answers, or until the next pause ends.
  int wait(std::array<epoll_event, 512>& events, std::int64_t now) const {
    constexpr std::int64_t kPatienceUs = 30'000'000;
    const std::int64_t due_us =
        pausing_.empty() ? kPatienceUs : std::max<std::int64_t>(pausing_.front().due_us - now, 0);
    const timespec timeout{.tv_sec = due_us / 1'000'000, .tv_nsec = due_us % 1'000'000 * 1000};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    if (count == 0 && pausing_.empty()) fail("the server does not answer");
    return std::max(count, 0);
  }

  // Every pause is as long, so that the first to begin is the first to end. Returns how many
  // connections end with the run.
  std::size_t send_due(std::int64_t now) {
    std::size_t ended = 0;
    while (!pausing_.empty() && (stopping_ || pausing_.front().due_us <= now)) {
      if (stopping_) {
        ++ended;
      } else {
        send_next(connections_[pausing_.front().number], now);
      }
      pausing_.pop_front();
    }
    return ended;
  }

  static std::int64_t now_us() { return system_clock().monotonic_us(); }
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "load generator: %s (errno %d)\n", what, errno);
    std::exit(1);
  }

  void connect(std::uint16_t port, std::size_t number) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail("cannot connect");
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("cannot watch a connection");
    connections_.push_back({.socket = socket, .number = number});
  }

  void send_next(Connection& connection, std::int64_t now) {
    connection.unsent = requests_[next_++ % requests_.size()];
    connection.sent_us = now;
    send_rest(connection);
  }

  void send_rest(Connection& connection) {
    while (!connection.unsent.empty()) {
      const ssize_t count = ::send(connection.socket, connection.unsent.data(),
                                   connection.unsent.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) fail("cannot send");
      if (count < 0) break;
      connection.unsent.remove_prefix(static_cast<std::size_t>(count));
    }
    const bool wants_out = !connection.unsent.empty();
    if (wants_out == connection.wants_out) return;
    connection.wants_out = wants_out;
    epoll_event event{.events = wants_out ? EPOLLIN | EPOLLOUT : std::uint32_t{EPOLLIN},
                      .data = {.u64 = connection.number}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
  }

  /// True when the connection's last answer is complete.
  bool receive(Connection& connection, std::int64_t now, LoadResult& result) {
    std::array<char, 4096> piece;
    const ssize_t count = ::recv(connection.socket, piece.data(), piece.size(), 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) fail("the server closed a connection");
    connection.answer.append(piece.data(), static_cast<std::size_t>(count));
    const std::size_t head = connection.answer.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t length_at = connection.answer.find("Content-Length: ");
    if (length_at == std::string::npos) fail("an answer without Content-Length");
    const std::size_t body = std::strtoul(connection.answer.c_str() + length_at + 16, nullptr, 10);
    if (connection.answer.size() < head + 4 + body) return false;
    ++(connection.answer.starts_with("HTTP/1.1 200") ? result.answers : result.others);
    result.latencies_us.push_back(static_cast<std::uint32_t>(now - connection.sent_us));
    connection.answer.clear();
    if (stopping_ || next_ >= limit_) return true;
    if (pause_us_ > 0) {
      pausing_.push_back({now + pause_us_, connection.number});
    } else {
      send_next(connection, now);
    }
    return false;
  }

  struct Pause {
    std::int64_t due_us;
    std::size_t number;  // of the connection
  };

  const std::vector<std::string>& requests_;
  const std::int64_t pause_us_;
  int epoll_;
  std::deque<Pause> pausing_;  // by due_us
  std::vector<Connection> connections_;
  std::size_t next_ = 0;
  std::size_t limit_ = 0;
  bool stopping_ = false;
};

}  // namespace leat::bench
