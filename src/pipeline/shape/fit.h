// One JSON value against one column: what it becomes there, or why it does not fit. Nothing is ever
// changed: a cast is made only when it loses nothing (docs/reference/tables-and-columns.md, "What
// fits"). Pure; any thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "columns/types.h"

namespace leat::shape {

/// Memory for text that is made while shaping; freed all at once. One thread at a time.
class Arena {
 public:
  /// Copies `text`; the copy lives until clear. At least 64 readable bytes follow it.
  [[nodiscard]] std::string_view copy(std::string_view text);
  void clear();
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

/// Reads ISO 8601 times, fast when many fall into the same minute. Same answers as parse_iso8601.
/// One thread at a time.
class TimeReader {
 public:
  [[nodiscard]] std::optional<TimeUs> read(std::string_view text);

 private:
  struct Minute {
    char text[16] = {};  // "2026-11-20T14:03"
    std::int64_t us = 0;
  };
  // Found by its last digits: an event's times and its arrival are seldom in the same minute.
  std::array<Minute, 8> minutes_{};
};

enum class ValueKind : std::uint8_t {
  kText,        ///< cell: decoded text
  kInteger,     ///< cell: 64-bit integer
  kReal,        ///< cell: double; written with '.', 'e' or 'E'
  kBoolean,     ///< cell: 0 or 1
  kJson,        ///< cell: compact JSON text of an array or a whole object
  kTime,        ///< cell: microseconds; only for standard columns
  kHuge,        ///< a number beyond 64 bits or the range of a double
  kFlawedText,  ///< text with U+0000 or half a UTF-16 pair
  kNever,       ///< no value is of this kind
};

/// A value and its JSON text as received.
struct Value {
  columns::Cell cell{};
  const char* raw = nullptr;
  std::uint32_t raw_size = 0;
  std::uint32_t node : 28 = 0;  ///< the path it came from
  ValueKind kind : 4 = ValueKind::kNever;
  [[nodiscard]] std::string_view raw_text() const { return {raw, raw_size}; }
};
static_assert(sizeof(Value) == 32);

/// A value that comes from no path of the event. `raw_text` must live as long as the value.
[[nodiscard]] inline Value make_value(ValueKind kind, columns::Cell cell,
                                      std::string_view raw_text = {}) {
  Value value;
  value.cell = cell;
  value.raw = raw_text.data();
  value.raw_size = static_cast<std::uint32_t>(raw_text.size());
  value.node = 0;
  value.kind = kind;
  return value;
}

/// True when a double holds exactly this integer.
[[nodiscard]] bool is_exact_as_double(std::int64_t value);

/// Reads a JSON number token into kInteger, kReal or kHuge. `token` must follow JSON's grammar.
void read_number(std::string_view token, Value& value);

/// Reasons of the rescue table for single values.
inline constexpr std::string_view kTypeMismatch = "type_mismatch";
inline constexpr std::string_view kTooLong = "too_long";
inline constexpr std::string_view kOutOfRange = "out_of_range";
inline constexpr std::string_view kPrecisionLoss = "precision_loss";
inline constexpr std::string_view kNotText = "not_storable_text";
inline constexpr std::string_view kUnsupportedType = "unsupported_column_type";
inline constexpr std::string_view kOverwritten = "overwritten";
inline constexpr std::string_view kTooManyColumns = "too_many_columns";
// Reasons for whole events, beside the discard codes of event/validate.h.
inline constexpr std::string_view kUnreadableLine = "unreadable_line";
inline constexpr std::string_view kIdMissing = "id_missing";
inline constexpr std::string_view kIdDoesNotFit = "id_does_not_fit";
inline constexpr std::string_view kRefused = "refused_by_warehouse";
inline constexpr std::string_view kTooManyTables = "too_many_tables";

/// `value` as a cell of `column`, or the reason why not. Text that has to be made lives in `arena`.
struct Fit {
  columns::Cell cell;
  std::string_view reason;  ///< empty when it fits
};
[[nodiscard]] Fit fit(const Value& value, const columns::Column& column, Arena& arena,
                      TimeReader& times);

/// `value` as JSON text for a SUPER column: as received, arrays and objects without white space.
/// The reason when SUPER would not keep it whole: text that no column can hold, a number beyond the
/// range of a double, more than columns::kTextBytesMax bytes.
[[nodiscard]] Fit fit_as_json(const Value& value, Arena& arena);

/// How new columns are made.
struct NewColumnRules {
  bool all_text = false;               ///< every column is varchar
  std::uint32_t varchar_length = 512;  ///< bytes
  bool super_arrays = false;           ///< arrays make SUPER columns
  bool super_objects = false;          ///< whole objects do
};

/// A new column as its first value asks for it; nothing when text cannot be stored at all. Which
/// type it gets in the end its later values say as well: wider_type.
[[nodiscard]] std::optional<columns::Column> column_for(const Value& value, std::string name,
                                                        const NewColumnRules& rules,
                                                        TimeReader& times);

/// The type that a new column of type `current`, made by a value of kind `first`, must have so that
/// `value` and all values before it have what docs/adr/0032 says; nothing when it has that already.
[[nodiscard]] std::optional<columns::Type> wider_type(columns::Type current, ValueKind first,
                                                      const Value& value, TimeReader& times);

}  // namespace leat::shape
