#include "pipeline/collect/client.h"

#include <algorithm>
#include <ranges>

#include "base/digest.h"
#include "base/text.h"

namespace leat::collect {

std::string basic_write_key(std::string_view authorization) {
  if (!equal_ignore_case(authorization.substr(0, 6), "Basic ")) return {};
  auto decoded = from_base64(trim(authorization.substr(6)));
  if (!decoded) return {};
  decoded->resize(std::min(decoded->find(':'), decoded->size()));
  return std::move(*decoded);
}

std::string query_write_key(std::string_view query) {
  if (query.empty()) return {};
  for (auto& [name, value] : net::parse_query(query)) {
    if (name == "writeKey") return std::move(value);
  }
  return {};
}

net::IpAddress client_address(const net::RequestView& request,
                              const std::vector<net::IpNetwork>& trusted_proxies) {
  const auto trusted = [&](const net::IpAddress& address) {
    return std::ranges::any_of(trusted_proxies,
                               [&](const net::IpNetwork& n) { return n.contains(address); });
  };
  net::IpAddress client = request.peer;
  if (trusted_proxies.empty() || !trusted(client)) return client;
  for (const net::HeaderView& header : std::views::reverse(request.headers)) {
    if (!equal_ignore_case(header.name, "X-Forwarded-For")) continue;
    for (const std::string_view part : std::views::reverse(split(header.value, ','))) {
      const auto address = net::parse_ip_address(trim(part));
      if (!address) return client;
      client = *address;
      if (!trusted(client)) return client;
    }
  }
  return client;
}

}  // namespace leat::collect
