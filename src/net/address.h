// IP addresses, networks in CIDR form, and host:port endpoints as configuration writes them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::net {

/// An IPv4 or IPv6 address. IPv4 is kept as its IPv4-mapped IPv6 form, so both compare alike.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const IpAddress&) const = default;

  /// True for ::ffff:a.b.c.d, which is how every IPv4 address is kept.
  [[nodiscard]] bool is_v4() const;
  /// "203.0.113.9" or "2001:db8::1".
  [[nodiscard]] std::string to_string() const;
};

/// Reads "203.0.113.9", "2001:db8::1" or "::ffff:203.0.113.9". Errors: kInvalid. Pure; any thread.
[[nodiscard]] Result<IpAddress> parse_ip_address(std::string_view text);

/// A range of addresses: "10.0.0.0/8", "2001:db8::/32"; without a slash, the one address.
struct IpNetwork {
  IpAddress address;
  unsigned prefix_bits = 128;  ///< 0 to 128, counted on the 16 byte form

  [[nodiscard]] bool contains(const IpAddress& other) const;
};

/// Reads an IpNetwork. Errors: kInvalid. Pure; any thread.
[[nodiscard]] Result<IpNetwork> parse_ip_network(std::string_view text);

/// Where to listen or to connect: a host name or address, and a port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;

  /// "127.0.0.1:8080" or "[::1]:8080".
  [[nodiscard]] std::string to_string() const;
};

/// Reads "127.0.0.1:8080", "localhost:0", "[::1]:5439". Port 0 to 65535; the host may not be empty.
/// Errors: kInvalid.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace leat::net
