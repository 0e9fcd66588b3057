#include "warehouse/dataapi/s3_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/sigv4.h"
#include "aws/verify.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/object_store.h"

namespace leat::dataapi {
namespace {

constexpr std::string_view kVirtualHost = ".localhost";

bool etag_listed(std::string_view header, std::string_view etag) {
  for (const std::string_view each : split(header, ',')) {
    std::string_view tag = trim(each);
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.front() == '"') tag = tag.substr(1, tag.size() - 2);
    if (tag == etag) return true;
  }
  return false;
}

ApiStatus check_checksum(std::string_view name, std::string_view value, std::string_view bytes) {
  constexpr std::string_view kPrefix = "x-amz-checksum-";
  const std::string lower = to_lower(name);
  if (!lower.starts_with(kPrefix)) return {};
  const std::string algorithm = lower.substr(kPrefix.size());
  // Not checksums: how one is to be made or shown.
  if (algorithm == "algorithm" || algorithm == "type" || algorithm == "mode") return {};
  const auto expected = aws::amz_checksum(algorithm, bytes);
  if (!expected) {
    return fail_api(501, "NotImplemented",
                    fmt::format("The checksum {} is not known here.", algorithm));
  }
  if (*expected != trim(value)) {
    return fail_api(
        400, "BadDigest",
        fmt::format("The {} you specified did not match the calculated checksum.", algorithm));
  }
  return {};
}

ApiStatus check_checksums(const HttpRequest& request, std::string_view bytes,
                          const std::vector<std::pair<std::string, std::string>>& trailers) {
  if (const auto header = request.header("content-md5");
      header && trim(*header) != aws::amz_checksum("md5", bytes)) {
    return fail_api(400, "BadDigest",
                    "The Content-MD5 you specified did not match what we received.");
  }
  for (const auto& [name, value] : request.headers) {
    LEAT_TRY(check_checksum(name, value, bytes));
  }
  for (const auto& [name, value] : trailers) LEAT_TRY(check_checksum(name, value, bytes));
  return {};
}

}  // namespace

bool S3Target::has(std::string_view name) const {
  return std::ranges::find(query, name, &std::pair<std::string, std::string>::first) != query.end();
}

std::string_view S3Target::value(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

S3Target s3_target(const HttpRequest& request) {
  S3Target target;
  target.query = net::parse_query(request.query);
  std::string_view path = request.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view host = request.header_or("host", "");
  const std::string_view name = host.substr(0, host.rfind(':'));
  if (name.ends_with(kVirtualHost)) {
    target.bucket = name.substr(0, name.size() - kVirtualHost.size());
    target.key = aws::percent_decode(path);
    return target;
  }
  const std::size_t slash = path.find('/');
  target.bucket = aws::percent_decode(path.substr(0, slash));
  if (slash != std::string_view::npos) target.key = aws::percent_decode(path.substr(slash + 1));
  return target;
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kBytes = "bytes=";
  if (!header.starts_with(kBytes) || header.find(',') != std::string_view::npos) {
    return std::optional<ByteRange>();
  }
  header.remove_prefix(kBytes.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::optional<ByteRange>();
  const auto first = parse_number<std::uint64_t>(header.substr(0, dash));
  const auto last = parse_number<std::uint64_t>(header.substr(dash + 1));
  const bool to_end = dash + 1 == header.size();
  const bool from_end = dash == 0;
  if ((!first && !from_end) || (!last && !to_end) || (from_end && to_end)) {
    return std::optional<ByteRange>();
  }
  if (from_end) {
    const std::uint64_t length = std::min(*last, size);
    if (length == 0) return fail(Errc::kInvalid, "the range is empty");
    return ByteRange{.first = size - length, .length = length};
  }
  if (last && *last < *first) return std::optional<ByteRange>();
  if (*first >= size) return fail(Errc::kInvalid, "the range is beyond the end");
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{.first = *first, .length = end - *first + 1};
}

std::string s3_etag(std::string_view store_etag) {
  // Clients take one with a dash for that of a multipart upload, which no digest can be read from.
  return to_hex(md5(store_etag)) + "-1";
}

int failed_condition(const HttpRequest& request, const io::ObjectInfo& info,
                     std::string_view prefix) {
  const std::string etag = s3_etag(info.etag);
  const std::int64_t modified = info.modified.value / kUsPerSecond * kUsPerSecond;
  const auto header = [&](std::string_view name) {
    return request.header(fmt::format("{}{}", prefix, name));
  };
  const auto time = [&](std::string_view name) -> std::optional<TimeUs> {
    const auto text = header(name);
    return text ? aws::parse_http_date(*text) : std::nullopt;
  };
  if (const auto match = header("if-match")) {
    if (!etag_listed(*match, etag)) return 412;
  } else if (const auto since = time("if-unmodified-since"); since && modified > since->value) {
    return 412;
  }
  if (const auto match = header("if-none-match")) {
    if (etag_listed(*match, etag)) return 304;
  } else if (const auto since = time("if-modified-since"); since && modified <= since->value) {
    return 304;
  }
  return 0;
}

ApiResult<std::string_view> s3_body(const HttpRequest& request, const aws::Verified& verified,
                                    std::string& decoded) {
  const bool chunked = verified.payload == aws::PayloadKind::kChunksSigned ||
                       verified.payload == aws::PayloadKind::kChunksAndTrailerSigned ||
                       verified.payload == aws::PayloadKind::kChunksUnsigned;
  if (!chunked) {
    LEAT_TRY(check_checksums(request, request.body, {}));
    return std::string_view(request.body);
  }
  auto chunks = aws::decode_aws_chunked(request.body, verified);
  if (!chunks) {
    const bool denied = chunks.error().code == Errc::kDenied;
    return fail_api(denied ? 403 : 400, denied ? "SignatureDoesNotMatch" : "IncompleteBody",
                    chunks.error().message);
  }
  const auto length = request.header("x-amz-decoded-content-length");
  if (length && parse_number<std::uint64_t>(*length) != chunks->body.size()) {
    return fail_api(400, "IncompleteBody", "x-amz-decoded-content-length is not what was sent.");
  }
  LEAT_TRY(check_checksums(request, chunks->body, chunks->trailers));
  decoded = std::move(chunks->body);
  return std::string_view(decoded);
}

}  // namespace leat::dataapi
