#include "io/object_store.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace leat::io {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kKeyBytesMax = 1024;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_bucket(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && is_letter_or_digit(name.front()) &&
         is_letter_or_digit(name.back()) && std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '-';
         });
}

std::string quoted(std::string_view uri) {
  return is_utf8(uri) ? json_string(utf8_prefix(uri, 200)) : "(bytes that are not UTF-8)";
}

}  // namespace

Result<ObjectName> parse_object_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) {
    return fail(Errc::kInvalid,
                fmt::format("not an object name: {}; it starts with s3://", quoted(uri)));
  }
  const std::string_view rest = uri.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  const std::string_view bucket = rest.substr(0, slash);
  const std::string_view key = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  if (!is_bucket(bucket)) {
    return fail(
        Errc::kInvalid,
        fmt::format(
            "bad bucket name in {}; it has 3 to 63 of a-z, 0-9, '.' and '-', with a letter or "
            "digit at both ends",
            quoted(uri)));
  }
  const bool printable = std::ranges::none_of(
      key, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (key.size() > kKeyBytesMax || !printable || !is_utf8(key)) {
    return fail(
        Errc::kInvalid,
        fmt::format(
            "bad object key in {}; it is UTF-8 without control characters, at most {} bytes",
            quoted(uri), kKeyBytesMax));
  }
  return ObjectName{std::string(bucket), std::string(key)};
}

Status ObjectStore::remove_all(std::span<const std::string> uris) {
  for (const std::string& uri : uris) LEAT_TRY(remove(uri));
  return {};
}

}  // namespace leat::io
