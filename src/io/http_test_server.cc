#include "io/http_test_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

namespace leat::io {
namespace {

void reset(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

std::string TestRequest::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (equal_ignore_case(header.name, name)) return header.value;
  }
  return "";
}

HttpTestServer::HttpTestServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  LEAT_CHECK(listener_ >= 0 && stop_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  LEAT_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
  LEAT_CHECK(::listen(listener_, 64) == 0);
  LEAT_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

HttpTestServer::~HttpTestServer() {
  const std::uint64_t one = 1;
  LEAT_CHECK(::write(stop_, &one, sizeof one) == sizeof one);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
  ::close(stop_);
}

std::string HttpTestServer::url(std::string_view target) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, target);
}

// False once the server goes.
bool HttpTestServer::wait_readable(int socket) const {
  pollfd waiting[2] = {{.fd = stop_, .events = POLLIN, .revents = 0},
                       {.fd = socket, .events = POLLIN, .revents = 0}};
  const nfds_t count = socket >= 0 ? 2 : 1;
  while (::poll(waiting, count, -1) < 0) {
  }
  return waiting[0].revents == 0;
}

void HttpTestServer::accept_all() {
  while (wait_readable(listener_)) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::uint64_t number = ++connections_;
    threads_.emplace_back([this, socket, number] {
      serve(socket, number);
      ::close(socket);
    });
  }
}

void HttpTestServer::serve(int socket, std::uint64_t connection) {
  std::string buffered;
  while (auto request = read_request(socket, buffered)) {
    request->connection = connection;
    request->number = ++requests_;
    if (!answer_one(socket, *request)) return;
  }
}

// Nothing when the client closed or the server goes.
std::optional<TestRequest> HttpTestServer::read_request(int socket, std::string& buffered) {
  const auto read_more = [&] {
    char bytes[65536];
    if (!wait_readable(socket)) return false;
    const ssize_t got = ::recv(socket, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffered.append(bytes, static_cast<std::size_t>(got));
    return true;
  };
  std::size_t end = 0;
  while ((end = buffered.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  TestRequest request;
  std::string_view head(buffered.data(), end);
  const std::string_view first = head.substr(0, head.find("\r\n"));
  const std::size_t space = first.find(' ');
  request.method = first.substr(0, space);
  request.target = first.substr(space + 1, first.rfind(' ') - space - 1);
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, next - at - 2);
    const std::size_t colon = line.find(':');
    request.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
    at = next;
  }
  const auto length = parse_number<std::size_t>(request.header("content-length")).value_or(0);
  buffered.erase(0, end + 4);
  while (buffered.size() < length) {
    if (!read_more()) return std::nullopt;
  }
  request.body = buffered.substr(0, length);
  buffered.erase(0, length);
  return request;
}

// False when the connection is to be closed.
bool HttpTestServer::answer_one(int socket, const TestRequest& request) {
  using Fault = TestReply::Fault;
  TestReply reply;
  {
    const std::lock_guard lock(mutex_);
    reply = answer_(request);
  }
  if (reply.fault == Fault::kClose) return false;
  if (reply.fault == Fault::kReset) {
    reset(socket);
    return false;
  }
  if (reply.fault == Fault::kSilent) {
    static_cast<void>(wait_readable(-1));
    return false;
  }
  std::string head = fmt::format("HTTP/1.1 {} Answer\r\n", reply.status);
  bool has_length = false;
  for (const HttpHeader& header : reply.headers) {
    head += fmt::format("{}: {}\r\n", header.name, header.value);
    has_length = has_length || equal_ignore_case(header.name, "content-length");
  }
  if (!has_length && reply.status != 204 && reply.status != 304) {
    head += fmt::format("Content-Length: {}\r\n", reply.body.size());
  }
  head += "\r\n";
  const std::string_view body =
      request.method == "HEAD" ? std::string_view() : std::string_view(reply.body);
  if (reply.fault == Fault::kNone || reply.fault == Fault::kCloseAfter) {
    return send_all(socket, head + std::string(body)) && reply.fault == Fault::kNone;
  }
  static_cast<void>(send_all(socket, head + std::string(body.substr(0, body.size() / 2))));
  if (reply.fault == Fault::kResetInBody) reset(socket);
  if (reply.fault == Fault::kSilentInBody) static_cast<void>(wait_readable(-1));
  return false;
}

}  // namespace leat::io
