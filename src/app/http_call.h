// A small HTTP client for the commands that talk to a running Leat.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace leat::app {

struct HttpReply {
  int status = 0;
  std::string body;
  std::int64_t retry_after_s = -1;  ///< From Retry-After in seconds; -1 when there is none.
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::int64_t timeout_ms = 30'000;  ///< For the whole call, connecting included.
};

/// Keeps one connection open between calls. One thread at a time.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any answer of the server is a reply, whatever its status. Errors: kUnavailable when there is
  /// none (refused, broken, timed out); the message names the URL's host, never headers.
  [[nodiscard]] Result<HttpReply> call(const HttpCall& call);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::app
