// HTTP/1.1 requests and responses as handlers see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/address.h"

namespace leat::net {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch, kOther };

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// Bytes that may be read (not: that mean anything) behind every body, so that parsers may load
/// whole vectors.
inline constexpr std::size_t kBodyPadding = 64;

/// One request, complete with its body. Every view dies when on_request returns.
struct RequestView {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;  ///< as sent
  std::string_view path;    ///< of the target, not decoded
  std::string_view query;   ///< behind the '?', not decoded
  std::span<const HeaderView> headers;
  /// Without transfer coding; content coding is left as sent. kBodyPadding readable bytes follow
  /// it.
  std::string_view body;
  IpAddress peer;
  bool tls = false;
  /// Monotonic time at which Exchange::hold() first put this request back; 0: never.
  std::int64_t held_since_us = 0;

  /// Value of the first header of that name in any case, or nothing.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// A body that is read while it is sent, so that no answer is held in memory whole. Used by the
/// server's loop alone, from the first byte to the last; each call should be short.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills `into` with the bytes from `offset` on. When it gives fewer than asked, the connection
  /// is closed: the client sees that the body is cut short.
  [[nodiscard]] virtual std::size_t read(std::uint64_t offset, std::span<char> into) = 0;
};

struct Response {
  int status = 200;
  std::string_view content_type = {};  ///< static storage; empty sends none
  std::string headers = {};            ///< further complete lines: "Name: value\r\n"
  std::string body = {};
  std::string_view static_body = {};        ///< sent when `body` is empty; static storage
  bool close = false;                       ///< close the connection after it
  std::unique_ptr<BodySource> source = {};  ///< instead of `body` and `static_body`
  std::uint64_t source_bytes = 0;           ///< length of what `source` gives
};

/// "Not Found" for 404 and so on; "Unknown" for a number without a name. Pure; any thread.
[[nodiscard]] std::string_view reason_phrase(int status);

/// Undoes %XX, and '+' as space when `plus_is_space`. Broken escapes stay as they are. Pure; any
/// thread.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space);
/// Splits a query string into decoded names and values, in order; "a" is ("a", ""). At most
/// `count_max` pairs.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_query(
    std::string_view query, std::size_t count_max = 1000);

}  // namespace leat::net
