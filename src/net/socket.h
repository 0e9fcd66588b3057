// Sockets as the blocking streams and the HTTP server share them: binding, addresses, and the owner
// of a descriptor.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <utility>

#include "base/error.h"
#include "net/address.h"

namespace leat::net {

/// Owns one descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  [[nodiscard]] int get() const { return value_; }
  void reset();

 private:
  int value_ = -1;
};

/// Whether several sockets take turns on one port (SO_REUSEPORT). The first of them still fails
/// when anything else listens there already, even a server that shares its port.
enum class PortSharing : std::uint8_t { kNone, kFirst, kJoin };

/// A bound, listening, non-blocking TCP socket. Errors: kInvalid when the host is unknown,
/// kConflict when the address is in use, kDenied for a privileged port.
[[nodiscard]] Result<Descriptor> listen_on(const Endpoint& endpoint, int backlog,
                                           PortSharing sharing);

/// Numeric addresses of a socket; an empty host when the system does not tell.
[[nodiscard]] Endpoint local_endpoint(int socket);
[[nodiscard]] Endpoint peer_endpoint(int socket);
[[nodiscard]] Endpoint to_endpoint(const sockaddr_storage& address);
[[nodiscard]] IpAddress to_ip_address(const sockaddr_storage& address);

/// Answers go out at once instead of waiting for more (TCP_NODELAY).
void set_no_delay(int socket);

}  // namespace leat::net
