#include "pipeline/archive/names.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "pipeline/archive/archive.h"

namespace leat::archive {
namespace {

constexpr std::size_t kOffsetDigits = 20;
constexpr std::size_t kEscapedBytesMax = 150;

bool stays(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string range_text(std::string_view stream, journal::Offset first, journal::Offset last) {
  return fmt::format("{}-{:020}-{:020}", stream, first.value, last.value);
}

// "<stream>-<first>-<last>"
std::optional<BatchName> parse_range(std::string_view text) {
  constexpr std::size_t kTail = 2 * (kOffsetDigits + 1);
  if (text.size() <= kTail) {
    return std::nullopt;
  }
  const std::string_view tail = text.substr(text.size() - kTail);
  const std::string_view first = tail.substr(1, kOffsetDigits);
  const std::string_view last = tail.substr(kOffsetDigits + 2);
  if (tail[0] != '-' || tail[kOffsetDigits + 1] != '-' || !is_digits(first) || !is_digits(last)) {
    return std::nullopt;
  }
  const auto first_number = parse_number<std::uint64_t>(first);
  const auto last_number = parse_number<std::uint64_t>(last);
  if (!first_number || !last_number || *first_number == 0 || *last_number < *first_number) {
    return std::nullopt;
  }
  return BatchName{.hour = {},
                   .stream = std::string(text.substr(0, text.size() - kTail)),
                   .first = journal::Offset{*first_number},
                   .last = journal::Offset{*last_number}};
}

// "<range>.r<N>" -> "<range>" and N; "<range>" -> itself and 0.
std::pair<std::string_view, std::uint64_t> split_revision(std::string_view name) {
  const std::size_t at = name.rfind(".r");
  if (at == std::string_view::npos) {
    return {name, 0};
  }
  const std::string_view digits = name.substr(at + 2);
  const auto number = parse_number<std::uint64_t>(digits);
  if (!number || *number == 0 || !is_digits(digits) || digits.starts_with('0')) {
    return {name, 0};
  }
  return {name.substr(0, at), *number};
}

}  // namespace

std::string hour_text(TimeUs time) {
  std::int64_t hours = time.value / kUsPerHour - (time.value % kUsPerHour < 0 ? 1 : 0);
  const std::int64_t days = hours / 24 - (hours % 24 < 0 ? 1 : 0);
  const CivilDate date = civil_from_days(days);
  return fmt::format("{:04}{:02}{:02}{:02}", date.year, date.month, date.day, hours - days * 24);
}

std::string hour_folder(std::string_view hour) {
  return fmt::format("date={}-{}-{}/hour={}/", hour.substr(0, 4), hour.substr(4, 2),
                     hour.substr(6, 2), hour.substr(8));
}

std::string streams_prefix(std::string_view bucket) {
  return fmt::format("s3://{}/streams/", bucket);
}

std::string stream_uri(std::string_view bucket, std::string_view stream) {
  return fmt::format("{}{}{}", streams_prefix(bucket), stream, kJsonSuffix);
}

std::string seal_uri(std::string_view bucket, std::string_view stream, journal::Offset first) {
  return fmt::format("s3://{}/seals/{}/{:020}{}", bucket, stream, first.value, kJsonSuffix);
}

std::string source_prefix(std::string_view bucket, std::string_view source) {
  return fmt::format("s3://{}/raw/source={}/", bucket, escape_source(source));
}

std::string escape_source(std::string_view source) {
  std::string out;
  for (const char c : source) {
    out += stays(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (out.size() > kEscapedBytesMax) {
    out.resize(kEscapedBytesMax);
    out += "~" + to_hex(sha256(source)).substr(0, 32);
  }
  return out;
}

std::string batch_uri(std::string_view bucket, std::string_view source, std::string_view hour,
                      std::string_view stream, journal::Offset first, journal::Offset last) {
  return fmt::format("{}{}{}{}", source_prefix(bucket, source), hour_folder(hour),
                     range_text(stream, first, last), kBatchSuffix);
}

std::string batch_id(std::string_view source, std::string_view hour, std::string_view stream,
                     journal::Offset first, journal::Offset last) {
  return fmt::format("{}/{}/{}", source, hour, range_text(stream, first, last));
}

std::optional<BatchName> parse_batch_id(std::string_view id) {
  const std::size_t slash = id.rfind('/');
  if (slash == std::string_view::npos || slash < 12 || id[slash - 11] != '/' ||
      !is_digits(id.substr(slash - 10, 10))) {
    return std::nullopt;
  }
  auto name = parse_range(id.substr(slash + 1));
  if (name) {
    name->hour = std::string(id.substr(slash - 10, 10));
  }
  return name;
}

std::optional<BatchName> parse_batch_uri(std::string_view rest) {
  // date=YYYY-MM-DD/hour=HH/<range>.ndjson.zst
  constexpr std::size_t kFolder = sizeof("date=2026-11-20/hour=14/") - 1;
  if (rest.size() <= kFolder + kBatchSuffix.size() || !rest.ends_with(kBatchSuffix)) {
    return std::nullopt;
  }
  const std::string hour = fmt::format("{}{}{}{}", rest.substr(5, 4), rest.substr(10, 2),
                                       rest.substr(13, 2), rest.substr(21, 2));
  if (!is_digits(hour) || rest.substr(0, kFolder) != hour_folder(hour)) {
    return std::nullopt;
  }
  rest.remove_prefix(kFolder);
  rest.remove_suffix(kBatchSuffix.size());
  const auto [range, revision] = split_revision(rest);
  auto name = parse_range(range);
  if (name) {
    name->hour = hour;
    name->revision = revision;
  }
  return name;
}

std::string with_revision(std::string_view uri, std::uint64_t revision) {
  uri.remove_suffix(uri.ends_with(kBatchSuffix) ? kBatchSuffix.size() : 0);
  const std::string_view plain = split_revision(uri).first;
  return revision == 0 ? fmt::format("{}{}", plain, kBatchSuffix)
                       : fmt::format("{}.r{}{}", plain, revision, kBatchSuffix);
}

std::uint64_t revision_of(std::string_view uri) {
  uri.remove_suffix(uri.ends_with(kBatchSuffix) ? kBatchSuffix.size() : 0);
  return split_revision(uri).second;
}

}  // namespace leat::archive
