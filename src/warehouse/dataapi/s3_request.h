// What a request of S3 means: its target, its range and conditions, and the bytes it brings. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/dataapi/api_error.h"
#include "warehouse/dataapi/http_request.h"

namespace leat::aws {
struct Verified;
}
namespace leat::io {
struct ObjectInfo;
}

namespace leat::dataapi {

/// The parts of a request's target: of "/bucket/key", or of "/key" at a host "bucket.localhost".
struct S3Target {
  std::string bucket{};  ///< Empty: the service itself.
  std::string key{};     ///< Decoded; empty: the bucket itself.
  std::vector<std::pair<std::string, std::string>> query{};

  [[nodiscard]] bool has(std::string_view name) const;
  /// Empty when it is not there.
  [[nodiscard]] std::string_view value(std::string_view name) const;
  [[nodiscard]] std::string uri() const { return "s3://" + bucket + "/" + key; }
};
[[nodiscard]] S3Target s3_target(const HttpRequest& request);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};
/// The header Range for an object of `size` bytes; nothing when it means the whole object (absent,
/// malformed, or several ranges). kInvalid: beyond the end.
[[nodiscard]] Result<std::optional<ByteRange>> parse_range(std::string_view header,
                                                           std::uint64_t size);

/// The ETag that clients see, without quotes. It is never the content's MD5, and looks so.
[[nodiscard]] std::string s3_etag(std::string_view store_etag);

/// 304 or 412 when a condition of a GET or HEAD does not hold (RFC 7232), else 0. `prefix` stands
/// before the names of the headers: a copy has conditions on its source.
[[nodiscard]] int failed_condition(const HttpRequest& request, const io::ObjectInfo& info,
                                   std::string_view prefix = {});

/// The bytes that a PUT or POST brings: aws-chunked undone into `decoded`, every checksum compared.
/// They lie in `request` or in `decoded`.
[[nodiscard]] ApiResult<std::string_view> s3_body(const HttpRequest& request,
                                                  const aws::Verified& verified,
                                                  std::string& decoded);

}  // namespace leat::dataapi
