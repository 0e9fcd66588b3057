// Parses what apps send. simdjson refuses some valid JSON: numbers that fit neither 64 bits nor a
// double, and escapes of half a UTF-16 pair, which JavaScript writes where a text was cut within an
// emoji. No event may be lost for that: it is parsed without them, and kept with them.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::event {

/// Bytes that must be readable behind what is parsed; their content does not matter.
inline constexpr std::size_t kJsonPadding = simdjson::SIMDJSON_PADDING;

/// One thread at a time.
class EventParser {
 public:
  /// `bytes_max`, `depth_max` (of nested objects and arrays): above, CAPACITY and DEPTH_ERROR.
  EventParser(std::size_t bytes_max, std::size_t depth_max)
      : bytes_max_(bytes_max), depth_max_(depth_max), parser_(bytes_max) {}

  /// Parses `json`, behind which kJsonPadding bytes are readable. In `root`, numbers that simdjson
  /// could refuse are 0.0 then, and half pairs U+FFFD. It lives until the next call.
  [[nodiscard]] simdjson::error_code parse(std::string_view json, simdjson::dom::element& root);

  /// Where the structural characters of the last `json` are, in order.
  [[nodiscard]] const simdjson::internal::dom_parser_implementation& structure() const {
    return *parser_.implementation;
  }

 private:
  simdjson::error_code parse_readable(std::string_view json, simdjson::error_code error,
                                      simdjson::dom::element& root);

  std::size_t bytes_max_;
  std::size_t depth_max_;
  simdjson::dom::parser parser_;
  std::string readable_;  // the last json as simdjson takes it
};

}  // namespace leat::event
