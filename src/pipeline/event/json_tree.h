// A small, strict JSON reader that keeps the raw text of every value. Slow and simple on purpose:
// it is the judge of shape's fast reader and serves rare paths. Hot paths use simdjson or shape's
// own scanner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::event {

/// Deepest nesting of objects and arrays that events may have; the outermost value has depth 1.
inline constexpr std::size_t kJsonDepthMax = 256;

enum class JsonKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kObject, kArray };

/// What can be wrong with a string that is valid JSON.
struct TextFlaws {
  bool has_nul = false;             ///< holds U+0000
  bool has_lone_surrogate = false;  ///< holds half of a UTF-16 pair; decoded as U+FFFD
  [[nodiscard]] bool any() const { return has_nul || has_lone_surrogate; }
};

struct JsonMember;

struct JsonValue {
  JsonKind kind = JsonKind::kNull;
  bool boolean = false;
  TextFlaws flaws;                  ///< kString
  std::string_view raw;             ///< the value's bytes in the input
  std::string text;                 ///< kString, decoded
  std::vector<JsonMember> members;  ///< kObject, in document order
  std::vector<JsonValue> items;     ///< kArray

  /// The last member of that name, or nullptr; null members are found like any other.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
};

/// One member of an object; the name is decoded.
struct JsonMember {
  std::string name;
  JsonValue value;
};

/// Reads one JSON value (RFC 8259) with white space around it. Numbers of any size are valid.
/// Errors: kInvalid with the byte position; kExhausted when nested deeper than kJsonDepthMax. Views
/// point into `text`. Pure; any thread.
[[nodiscard]] Result<JsonValue> parse_json(std::string_view text);

/// Decodes the inside of a JSON string (without its quotes) onto `out`. The text must be valid up
/// to its escapes; returns false for a bad escape or a raw control character. Pure; any thread.
[[nodiscard]] bool decode_json_text(std::string_view inside, std::string& out, TextFlaws& flaws);

/// True when `token` is a number of JSON's grammar.
[[nodiscard]] bool is_json_number(std::string_view token);

}  // namespace leat::event
