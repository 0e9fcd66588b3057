#include "pipeline/collect/replies.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipeline/collect/pixel.h"

namespace leat::collect {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kEchoBytesMax = 1024;
constexpr std::string_view kUsualHeaders =
    "Content-Type, Content-Encoding, Authorization, X-Retry-Count, AnonymousId, SentAt";

/// A list of header names, as a browser asks for them; nothing else is echoed.
bool is_header_list(std::string_view text) {
  return !text.empty() && text.size() <= kEchoBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
}

}  // namespace

std::string cors_headers(const net::RequestView& request) {
  const auto origin = request.header("Origin");
  if (!origin || origin->empty() || origin->size() > kEchoBytesMax) return {};
  std::string headers = "Access-Control-Allow-Origin: ";
  headers += *origin;
  headers +=
      "\r\nAccess-Control-Allow-Credentials: true\r\n"
      "Access-Control-Expose-Headers: Retry-After\r\n"
      "Vary: Origin\r\n";
  return headers;
}

net::Response success(std::string headers) {
  return {
      .content_type = kJson, .headers = std::move(headers), .static_body = R"({"success":true})"};
}

net::Response failure(int status, std::string_view code, std::string_view message,
                      std::string headers, std::int64_t retry_after_seconds) {
  if (retry_after_seconds > 0) {
    headers += fmt::format("Retry-After: {}\r\n", retry_after_seconds);
    if (status == 429) headers += fmt::format("X-RateLimit-Reset: {}\r\n", retry_after_seconds);
  }
  return {.status = status,
          .content_type = kJson,
          .headers = std::move(headers),
          .body = fmt::format(R"({{"success":false,"message":{},"code":{}}})", json_string(message),
                              json_string(code))};
}

net::Response preflight(const net::RequestView& request) {
  std::string headers = cors_headers(request);
  const std::string_view asked =
      request.header("Access-Control-Request-Headers").value_or(std::string_view());
  headers += "Access-Control-Allow-Methods: POST, GET, OPTIONS\r\nAccess-Control-Allow-Headers: ";
  headers += is_header_list(asked) ? asked : kUsualHeaders;
  headers += "\r\nAccess-Control-Max-Age: 900\r\nAllow: POST, GET, OPTIONS\r\n";
  return {.status = 204, .headers = std::move(headers)};
}

net::Response image(std::string headers) {
  headers += "Cache-Control: no-store\r\n";
  return {.content_type = "image/gif", .headers = std::move(headers), .static_body = pixel_image()};
}

net::Response settings(const net::RequestView& request, std::string_view write_key) {
  std::string_view host = request.header("Host").value_or(std::string_view());
  if (!is_utf8(host)) host = {};
  // Only the browser library can be told to use plain HTTP; the others put https:// in front of
  // apiHost.
  const bool secure = request.tls || request.header("X-Forwarded-Proto") == "https";
  return {.content_type = kJson,
          .headers = cors_headers(request) + "Cache-Control: max-age=300\r\n",
          .body = fmt::format(
              R"({{"integrations":{{"Segment.io":{{"apiKey":{},"apiHost":{},"protocol":"{}",)"
              R"("unbundledIntegrations":[],)"
              R"("addBundledMetadata":true,"maybeBundledConfigIds":{{}}}}}},)"
              R"("plan":{{"track":{{"__default":{{"enabled":true,"integrations":{{}}}}}},)"
              R"("identify":{{"__default":{{"enabled":true}}}},)"
              R"("group":{{"__default":{{"enabled":true}}}}}},)"
              R"("edgeFunction":{{}},"analyticsNextEnabled":true,"middlewareSettings":{{}},)"
              R"("enabledMiddleware":{{}},"metrics":{{"sampleRate":0}},"remotePlugins":[]}})",
              json_string(write_key), json_string(fmt::format("{}/v1", host)),
              secure ? "https" : "http")};
}

}  // namespace leat::collect
