// The collector's answers: JSON bodies, CORS headers, retry headers. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace leat::collect {

/// Headers that let the page of the request's Origin read the answer; empty without an Origin.
[[nodiscard]] std::string cors_headers(const net::RequestView& request);

/// {"success":true}, with status 200: Python, PHP and .NET take exactly that for success, Ruby and
/// Java parse it.
[[nodiscard]] net::Response success(std::string headers);
/// {"success":false,"message":...,"code":...}. `retry_after_seconds` above 0 adds Retry-After (and,
/// to 429, X-RateLimit-Reset).
[[nodiscard]] net::Response failure(int status, std::string_view code, std::string_view message,
                                    std::string headers, std::int64_t retry_after_seconds = 0);
/// 204 to an OPTIONS request, allowing what a browser asks for.
[[nodiscard]] net::Response preflight(const net::RequestView& request);
/// The pixel's image, whatever became of its event.
[[nodiscard]] net::Response image(std::string headers);
/// The settings document that Segment's libraries fetch before they send.
[[nodiscard]] net::Response settings(const net::RequestView& request, std::string_view write_key);

}  // namespace leat::collect
