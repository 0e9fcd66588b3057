#include "net/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace leat::net {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    value_ = std::exchange(other.value_, -1);
  }
  return *this;
}

void Descriptor::reset() {
  if (value_ >= 0) ::close(value_);
  value_ = -1;
}

Result<Descriptor> listen_on(const Endpoint& endpoint, int backlog, PortSharing sharing) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (const int error = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return fail(Errc::kInvalid, fmt::format("unknown host to listen on: {}; {}", endpoint.host,
                                            gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Descriptor listener(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) return fail_errno(errno, "cannot make a socket");
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == PortSharing::kJoin)
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  bool listening = ::bind(listener.get(), found->ai_addr, found->ai_addrlen) == 0;
  // Sharing after the bind: the bind itself was exclusive, and others may join from here on.
  if (sharing == PortSharing::kFirst)
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  listening = listening && ::listen(listener.get(), backlog) == 0;
  if (!listening) {
    const int error = errno;
    const std::string what = fmt::format("cannot listen on {}", endpoint.to_string());
    if (error == EADDRINUSE) {
      return fail(Errc::kConflict,
                  what + ": the address is in use; choose another port or stop the other program");
    }
    return fail_errno(error, what);
  }
  return listener;
}

IpAddress to_ip_address(const sockaddr_storage& address) {
  IpAddress result;
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(result.bytes.data(), &v6.sin6_addr, 16);
  } else if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    result.bytes[10] = result.bytes[11] = 0xff;
    std::memcpy(result.bytes.data() + 12, &v4.sin_addr, 4);
  }
  return result;
}

Endpoint to_endpoint(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return {to_ip_address(address).to_string(), ntohs(v6.sin6_port)};
  }
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return {to_ip_address(address).to_string(), ntohs(v4.sin_port)};
  }
  return {};
}

Endpoint local_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return to_endpoint(address);
}

Endpoint peer_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return to_endpoint(address);
}

void set_no_delay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace leat::net
