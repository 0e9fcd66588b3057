#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace leat::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string IpAddress::to_string() const {
  if (is_v4()) {
    // By hand: the collector does this per request, and inet_ntop goes through printf.
    std::array<char, 16> text{};
    char* at = text.data();
    for (std::size_t i = 12; i < 16; ++i) {
      if (i > 12) *at++ = '.';
      at = std::to_chars(at, text.data() + text.size(), bytes[i]).ptr;
    }
    return {text.data(), at};
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

Result<IpAddress> parse_ip_address(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (terminated.size() == std::strlen(terminated.c_str())) {
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data() + 12) == 1) {
      std::ranges::copy(kMappedPrefix, address.bytes.begin());
      return address;
    }
  }
  return fail(Errc::kInvalid,
              fmt::format("not an IP address: {}", json_string(text.substr(0, 100))));
}

bool IpNetwork::contains(const IpAddress& other) const {
  const std::size_t whole = prefix_bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin()))
    return false;
  const unsigned rest = prefix_bits % 8;
  return rest == 0 || (address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest) == 0;
}

Result<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  IpNetwork network;
  LEAT_ASSIGN(network.address, parse_ip_address(text.substr(0, slash)));
  if (slash == std::string_view::npos) return network;
  const auto bits = parse_number<unsigned>(text.substr(slash + 1));
  const unsigned before = network.address.is_v4() ? 96 : 0;
  if (!bits || *bits > 128 - before) {
    return fail(Errc::kInvalid,
                fmt::format("not a network like 10.0.0.0/8: {}", json_string(text.substr(0, 100))));
  }
  network.prefix_bits = *bits + before;
  return network;
}

std::string Endpoint::to_string() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_number<std::uint16_t>(text.substr(colon + 1));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool host_valid =
      !host.empty() && host.find_first_of("[] /\t\r\n") == std::string_view::npos &&
      host.find('\0') == std::string_view::npos && host.contains(':') == bracketed;
  if (!port || !host_valid) {
    return fail(Errc::kInvalid, fmt::format("not an address like 127.0.0.1:8080 or [::1]:8080: {}",
                                            json_string(text.substr(0, 100))));
  }
  return Endpoint{std::string(host), *port};
}

}  // namespace leat::net
