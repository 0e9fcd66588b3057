// AWS Signature Version 4: the canonical form of a request and its signature, in headers or in the
// query (presigned). Pure: no clock, no network. The other side is aws/verify.h; the credentials
// come from aws/credentials.h.
//
// Source: AWS's "Signature Version 4" pages; proven by the 38 cases of the public signing suite.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::aws {

/// A header as it is on the wire: name in any case, value untrimmed.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// What a request is signed with. Never printed by this module.
struct Secret {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< Empty for long-lived keys.
};

/// How the path of the request line becomes the canonical URI.
enum class PathRule : std::uint8_t {
  kAsOnTheWire,  ///< S3: the path as it is sent.
  kNormalized,   ///< Every other service: "." and ".." resolved, then percent-encoded once more.
  kEncoded,      ///< Percent-encoded once more without resolving.
};

/// Payload hashes that are not the SHA-256 of the body in hexadecimal.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingPayload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingPayloadTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

struct RequestToSign {
  std::string_view method = "GET";
  std::string_view path = "/";  ///< As on the request line, with its percent signs.
  std::string_view query = {};  ///< As on the request line, without "?".
  /// All that are signed, Host among them. Those that proxies change (Connection, Expect,
  /// Transfer-Encoding, User-Agent and the like) are left out by themselves.
  std::span<const HeaderView> headers = {};
  std::string_view payload_hash =
      {};  ///< Hexadecimal SHA-256 of the body, or a literal from above.
};

struct SigningScope {
  std::string region = {};
  std::string service = {};
  TimeUs time = {};
  PathRule path_rule = PathRule::kNormalized;
  /// The session token goes with the request but is not covered by the signature. No service that
  /// Leat calls wants this.
  bool token_after_signing = false;
};

/// What signing adds to a request.
struct Signature {
  std::string amz_date;       ///< Header X-Amz-Date.
  std::string authorization;  ///< Header Authorization.
  std::string signature;      ///< The 64 hexadecimal digits, which seed the chunks' signatures.
};

/// Signs in headers. The caller sends `headers` and, from the result, X-Amz-Date and Authorization,
/// and X-Amz-Security-Token when the secret has a token. Any thread.
[[nodiscard]] Signature sign_headers(const Secret& secret, const RequestToSign& request,
                                     const SigningScope& scope);

/// Signs in the query: gives the whole new query (the old one, the X-Amz- parameters and last the
/// signature), for a URL that works for `expires_s` seconds (1 to 604800). Any thread.
[[nodiscard]] std::string presign_query(const Secret& secret, const RequestToSign& request,
                                        const SigningScope& scope, std::int64_t expires_s);

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~ (and "/" when `keep_slash`), with capitals.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slash = false);
/// Decodes %XX; any other percent sign, and "+", stay as they are.
[[nodiscard]] std::string percent_decode(std::string_view text);

/// "20261120T140305Z" and back; nothing on any other form.
[[nodiscard]] std::string format_amz_date(TimeUs time);
[[nodiscard]] std::optional<TimeUs> parse_amz_date(std::string_view text);
/// "Fri, 20 Nov 2026 14:03:05 GMT", the form of HTTP's Date and Last-Modified, and back.
[[nodiscard]] std::string format_http_date(TimeUs time);
[[nodiscard]] std::optional<TimeUs> parse_http_date(std::string_view text);

// The steps, for the verifying side and for tests.

/// The canonical request; `signed_names` are lower case, in byte order, each once. A name without
/// a header counts as one with an empty value.
[[nodiscard]] std::string canonical_request(const RequestToSign& request,
                                            std::span<const std::string> signed_names,
                                            PathRule path_rule);
[[nodiscard]] std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                                         std::string_view canonical);
/// The raw 32 bytes that depend on secret, day ("20261120"), region and service alone.
[[nodiscard]] std::string signing_key(std::string_view secret_access_key, std::string_view day,
                                      std::string_view region, std::string_view service);
/// HMAC-SHA-256 in lower-case hexadecimal.
[[nodiscard]] std::string sign_text(std::string_view key, std::string_view text);

}  // namespace leat::aws
