// Who sends a request: its write key outside the body, and its address. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/http.h"

namespace leat::collect {

/// Write key of "Authorization: Basic ...": the user name, or all of it when there is no colon.
/// Empty without one.
[[nodiscard]] std::string basic_write_key(std::string_view authorization);
/// Write key of the query's `writeKey`, or empty.
[[nodiscard]] std::string query_write_key(std::string_view query);

/// The client's address. When the peer is a trusted proxy it is the last address of X-Forwarded-For
/// that is not itself a trusted proxy; a list that does not parse there gives the last address that
/// did.
[[nodiscard]] net::IpAddress client_address(const net::RequestView& request,
                                            const std::vector<net::IpNetwork>& trusted_proxies);

}  // namespace leat::collect
