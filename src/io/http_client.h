// HTTP/1.1 for those who call: object stores, AWS's services, webhooks. libcurl underneath; no
// exception and no type of it comes out.
//
// Connections are kept and used again. Nothing is followed (a redirect is an answer like any
// other), TLS certificates are always verified, and HTTP_PROXY, HTTPS_PROXY and NO_PROXY count as
// they do for curl. Messages name the URL without user, password and query, and never a header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {

struct HttpHeader {
  std::string name;
  std::string value;
};

/// Fills `into` with the body from `offset` on and returns the bytes written; only a whole body
/// ends early. Called on the thread of send(); may be called again from the start.
using HttpBodyReader =
    std::function<Result<std::size_t>(std::uint64_t offset, std::span<char> into)>;
/// Takes the next piece of a body. Its error ends the exchange and is returned by send().
using HttpBodySink = std::function<Status(std::string_view piece)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};  ///< http:// or https://; sent as it is, dots in the path included.
  std::vector<HttpHeader> headers = {};
  std::string_view body = {};           ///< Borrowed until send() returns.
  HttpBodyReader body_reader = {};      ///< Instead of `body`, with `body_reader_bytes`.
  std::uint64_t body_reader_bytes = 0;  ///< Exactly as many are sent.

  /// Where the body of an answer with a 2xx status goes, when it is not wanted in memory.
  HttpBodySink sink = {};
  /// Longest body taken into memory; kExhausted above it.
  std::uint64_t answer_bytes_max = 64U << 20U;

  std::int64_t connect_timeout_us = 5 * kUsPerSecond;  ///< Name lookup and TLS included.
  std::int64_t stall_timeout_us = 30 * kUsPerSecond;   ///< Without one byte either way.
  std::int64_t timeout_us = 10 * kUsPerMinute;         ///< For the whole exchange.
  bool direct = false;        ///< Passes by every proxy: for addresses of this machine.
  std::stop_token stop = {};  ///< Ends the exchange with kAborted.
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers = {};  ///< As received, in order; values trimmed.
  std::string body = {};                 ///< Empty when a sink took it.

  /// The first header of that name, in any case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// Why there was no whole answer, for those who count retries.
enum class HttpFault : std::uint8_t { kNone, kConnect, kTimeout, kBroken, kTls, kOther };

/// A client with its connections. Any thread; calls at once use connections of their own.
class HttpClient {
 public:
  struct Options {
    std::string ca_bundle = {};  ///< PEM file of trusted certificates; empty: the system's.
    std::string user_agent = "leat";
    std::size_t idle_connections_max = 16;  ///< Kept for later calls.
  };

  /// kNotFound: the bundle is not there.
  [[nodiscard]] static Result<std::unique_ptr<HttpClient>> open(Options options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends, and waits for the whole answer; any status is an answer. A request but POST over a kept
  /// connection that the server had closed meanwhile is sent again over a new one. Errors:
  /// kUnavailable (no connection, broken, too slow: retry with a budget), kDenied (the server's
  /// certificate is not trusted), kExhausted (answer or its headers too large), kInvalid (URL or
  /// header), kAborted (stopped), and the sink's or reader's own. `fault` is set when given.
  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request, HttpFault* fault = nullptr);

  /// How many connections were opened so far.
  [[nodiscard]] std::uint64_t connections_opened() const;

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The URL as it may be shown: without user and password, and with "?..." for its query.
[[nodiscard]] std::string printable_url(std::string_view url);

}  // namespace leat::io
