#include "pipeline/event/event_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "pipeline/event/json_tree.h"

namespace leat::event {
namespace {

// Without an exponent, so many bytes always fit into 64 bits or a double.
constexpr std::size_t kSmallNumberBytes = 18;
constexpr std::string_view kPlainNumber = "0.0";  // no longer than the shortest, 1e9

bool may_be_large(std::string_view number) {
  return number.size() > kSmallNumberBytes || number.find_first_of("eE") != std::string_view::npos;
}

/// Replaces every number that simdjson could refuse in the first `size` bytes by one that is not
/// whole, lest it be taken for somebody's id, and spaces, so that all positions stay. False when
/// something that looks like a number is none.
bool hide_large_numbers(std::string& out, std::size_t size) {
  const std::string_view json(out.data(), size);
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (json[at] == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
      }
    } else if (json[at] == '-' || (json[at] >= '0' && json[at] <= '9')) {
      const std::size_t end = std::min(json.find_first_not_of("+-.0123456789Ee", at), json.size());
      const std::string_view number = json.substr(at, end - at);
      if (!is_json_number(number)) return false;
      if (may_be_large(number)) {
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(at),
                  out.begin() + static_cast<std::ptrdiff_t>(end), ' ');
        out.replace(at, kPlainNumber.size(), kPlainNumber);
      }
      at = end - 1;
    }
  }
  return true;
}

/// The code unit that a \u escape at `at` stands for; 0 when there is none.
std::uint32_t escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return 0;
  std::uint32_t unit = 0;
  const char* const end = text.data() + at + 6;
  const auto read = std::from_chars(text.data() + at + 2, end, unit, 16);
  return read.ptr == end ? unit : 0;
}

/// Replaces escapes of half a UTF-16 pair in the first `size` bytes by U+FFFD, in the same places.
/// False when there is none.
bool hide_lone_surrogates(std::string& out, std::size_t size) {
  const std::string_view json(out.data(), size);
  bool any = false;
  for (std::size_t at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at)) {
    const std::uint32_t unit = escaped_unit(json, at);
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const std::uint32_t next = is_high ? escaped_unit(json, at + 6) : 0;
    if (is_high && next >= 0xdc00 && next < 0xe000) {
      at += 12;
      continue;
    }
    if (unit >= 0xd800 && unit < 0xe000) {
      out.replace(at, 6, "\\ufffd");
      any = true;
    }
    at += 2;
  }
  return any;
}

}  // namespace

simdjson::error_code EventParser::parse_readable(std::string_view json, simdjson::error_code error,
                                                 simdjson::dom::element& root) {
  readable_.assign(json);
  readable_.append(kJsonPadding, ' ');
  constexpr int kKinds = 2;
  for (int kind = 0; kind < kKinds && error != simdjson::SUCCESS; ++kind) {
    const bool is_changed =
        error == simdjson::NUMBER_ERROR
            ? hide_large_numbers(readable_, json.size())
            : error == simdjson::STRING_ERROR && hide_lone_surrogates(readable_, json.size());
    if (!is_changed) return error;
    error = parser_.parse(readable_.data(), json.size(), false).get(root);
  }
  return error;
}

simdjson::error_code EventParser::parse(std::string_view json, simdjson::dom::element& root) {
  if (parser_.capacity() < bytes_max_ || parser_.max_depth() != depth_max_) {
    if (const auto error = parser_.allocate(bytes_max_, depth_max_)) return error;
  }
  auto error = parser_.parse(json.data(), json.size(), false).get(root);
  if (error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR) {
    error = parse_readable(json, error, root);
  }
  return error;
}

}  // namespace leat::event
