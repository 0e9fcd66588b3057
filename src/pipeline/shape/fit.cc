#include "pipeline/shape/fit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "pipeline/event/json_tree.h"

namespace leat::shape {
namespace {

using columns::Cell;
using columns::Column;
using columns::Type;
__extension__ using Int128 = __int128;

constexpr std::size_t kArenaBlock = 256 * 1024;
constexpr std::size_t kArenaPadding = 64;
constexpr std::size_t kTimeTextMax = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Fit fits(Cell cell) {
  return {cell, {}};
}
Fit misfit(std::string_view reason) {
  return {Cell::of_integer(0), reason};
}

/// Text that is the usual spelling of a 64-bit integer: no '+', no leading zeros, no "-0".
std::optional<std::int64_t> integer_of_text(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() != 1)) return std::nullopt;
  return parse_number<std::int64_t>(text);
}

std::optional<double> real_of_text(std::string_view text) {
  if (!event::is_json_number(text)) return std::nullopt;
  const auto value = parse_number<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

Fit fit_integer(std::int64_t value, Type type) {
  const auto in = [value](auto lowest, auto highest) {
    return value >= lowest && value <= highest;
  };
  const bool fits_type = type == Type::kInt64 ||
                         (type == Type::kInt32 && in(std::numeric_limits<std::int32_t>::min(),
                                                     std::numeric_limits<std::int32_t>::max())) ||
                         (type == Type::kInt16 && in(std::numeric_limits<std::int16_t>::min(),
                                                     std::numeric_limits<std::int16_t>::max()));
  return fits_type ? fits(Cell::of_integer(value)) : misfit(kOutOfRange);
}

Fit fit_into_integer(const Value& value, Type type) {
  switch (value.kind) {
    case ValueKind::kInteger:
      return fit_integer(value.cell.integer, type);
    case ValueKind::kReal: {
      const double real = value.cell.real;
      if (real != std::floor(real)) return misfit(kPrecisionLoss);
      if (std::abs(real) > 9007199254740992.0) return misfit(kOutOfRange);
      return fit_integer(static_cast<std::int64_t>(real), type);
    }
    case ValueKind::kText: {
      const auto integer = integer_of_text(value.cell.as_text());
      return integer ? fit_integer(*integer, type) : misfit(kTypeMismatch);
    }
    case ValueKind::kHuge:
      return misfit(kOutOfRange);
    default:
      return misfit(kTypeMismatch);
  }
}

/// True when a time has digits below the microsecond, which no column keeps.
bool is_too_fine(std::string_view time) {
  const std::size_t point = time.find('.');
  if (point == std::string_view::npos || time.size() - point <= 7) return false;
  for (std::size_t at = point + 7; at < time.size() && is_digit(time[at]); ++at) {
    if (time[at] != '0') return true;
  }
  return false;
}

bool is_time_text(std::string_view text, TimeReader& times) {
  return text.size() >= 10 && text.size() <= kTimeTextMax && text[4] == '-' && times.read(text) &&
         !is_too_fine(text);
}

/// A real column shows six digits or more: it may take what reads the same in it.
Fit fit_real(double real, Type type) {
  if (type == Type::kDouble) return fits(Cell::of_real(real));
  if (std::abs(real) > std::numeric_limits<float>::max()) return misfit(kOutOfRange);
  char wide[32];
  char narrow[32];
  const auto wide_end = std::to_chars(wide, wide + sizeof wide, real).ptr;
  const auto narrow_end =
      std::to_chars(narrow, narrow + sizeof narrow, static_cast<float>(real)).ptr;
  const bool same = std::string_view(wide, wide_end) == std::string_view(narrow, narrow_end);
  return same ? fits(Cell::of_real(real)) : misfit(kPrecisionLoss);
}

Fit fit_into_real(const Value& value, Type type) {
  switch (value.kind) {
    case ValueKind::kReal:
      return fit_real(value.cell.real, type);
    case ValueKind::kInteger: {
      const std::int64_t integer = value.cell.integer;
      if (!is_exact_as_double(integer)) return misfit(kPrecisionLoss);
      return fit_real(static_cast<double>(integer), type);
    }
    case ValueKind::kText: {
      const auto real = real_of_text(value.cell.as_text());
      return real ? fit_real(*real, type) : misfit(kTypeMismatch);
    }
    case ValueKind::kHuge:
      return misfit(kOutOfRange);
    default:
      return misfit(kTypeMismatch);
  }
}

/// The number in `token` times 10^scale, when that is a whole number of at most `precision` digits.
Fit fit_decimal(std::string_view token, const Column& column) {
  const bool negative = token.starts_with('-');
  if (negative) token.remove_prefix(1);
  std::string digits;
  int point = -1;
  std::size_t at = 0;
  for (; at < token.size() && (is_digit(token[at]) || token[at] == '.'); ++at) {
    if (token[at] == '.') {
      point = static_cast<int>(digits.size());
    } else {
      digits.push_back(token[at]);
    }
  }
  int exponent = 0;
  if (at < token.size()) {
    std::string_view text = token.substr(at + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto parsed = parse_number<int>(text);
    if (!parsed || std::abs(*parsed) > 1000) return misfit(kOutOfRange);
    exponent = *parsed;
  }
  if (point < 0) point = static_cast<int>(digits.size());
  int whole = point + exponent + column.scale;  // digits in front of the unscaled value's end
  while (static_cast<int>(digits.size()) > whole && !digits.empty() && digits.back() == '0') {
    digits.pop_back();
  }
  const std::size_t leading = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, leading);
  whole -= static_cast<int>(leading);
  if (digits.empty()) return fits(Cell::of_decimal(0, 0));
  if (static_cast<int>(digits.size()) > whole) return misfit(kPrecisionLoss);
  if (whole > column.precision) return misfit(kOutOfRange);
  digits.append(static_cast<std::size_t>(whole) - digits.size(), '0');
  Int128 unscaled = 0;
  for (const char c : digits) unscaled = unscaled * 10 + (c - '0');
  if (negative) unscaled = -unscaled;
  return fits(Cell::of_decimal(static_cast<std::uint64_t>(unscaled),
                               static_cast<std::int64_t>(unscaled >> 64)));
}

Fit fit_into_decimal(const Value& value, const Column& column) {
  Fit result = misfit(kTypeMismatch);
  switch (value.kind) {
    case ValueKind::kInteger:
    case ValueKind::kReal:
    case ValueKind::kHuge:
      result = fit_decimal(value.raw_text(), column);
      break;
    case ValueKind::kText:
      if (event::is_json_number(value.cell.as_text())) {
        result = fit_decimal(value.cell.as_text(), column);
      }
      break;
    default:
      break;
  }
  // Decimals of up to 18 digits are stored as 64-bit integers, of which the low half is the value.
  return result;
}

Fit fit_into_boolean(const Value& value) {
  switch (value.kind) {
    case ValueKind::kBoolean:
      return fits(value.cell);
    case ValueKind::kInteger:
      if (value.cell.integer == 0 || value.cell.integer == 1) return fits(value.cell);
      return misfit(kTypeMismatch);
    case ValueKind::kText:
      if (value.cell.as_text() == "true") return fits(Cell::of_integer(1));
      if (value.cell.as_text() == "false") return fits(Cell::of_integer(0));
      return misfit(kTypeMismatch);
    default:
      return misfit(kTypeMismatch);
  }
}

Fit fit_into_text(const Value& value, const Column& column, Arena& arena) {
  Cell cell = value.cell;
  switch (value.kind) {
    case ValueKind::kText:
    case ValueKind::kJson:
      break;
    case ValueKind::kTime:
      cell = Cell::of_text(arena.copy(format_timestamp(TimeUs{value.cell.integer})));
      break;
    default:
      cell = Cell::of_text(value.raw_text());
  }
  return cell.text_size <= column.length ? fits(cell) : misfit(kTooLong);
}

Fit fit_into_time(const Value& value, Type type, TimeReader& times) {
  std::int64_t us = 0;
  if (value.kind == ValueKind::kTime) {
    us = value.cell.integer;
  } else if (value.kind == ValueKind::kText) {
    const auto time = times.read(value.cell.as_text());
    if (!time) return misfit(kTypeMismatch);
    if (is_too_fine(value.cell.as_text())) return misfit(kPrecisionLoss);
    us = time->value;
  } else {
    return misfit(kTypeMismatch);
  }
  if (type != Type::kDate) return fits(Cell::of_integer(us));
  if (us % kUsPerDay != 0) return misfit(kPrecisionLoss);
  return fits(Cell::of_integer(us / kUsPerDay));
}

/// Why SUPER would not keep every string and number of `json` (compact, valid) whole, or empty.
std::string_view flaw_for_super(std::string_view json) {
  std::string scratch;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      std::size_t end = at + 1;
      while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      event::TextFlaws flaws;
      scratch.clear();
      (void)event::decode_json_text(json.substr(at + 1, end - at - 1), scratch, flaws);
      if (flaws.any()) return kNotText;
      at = end + 1;
    } else if (is_digit(json[at]) || json[at] == '-') {
      const std::size_t end = std::min(json.find_first_of(",]}", at), json.size());
      Value number = make_value(ValueKind::kNever, Cell::of_integer(0));
      read_number(json.substr(at, end - at), number);
      if (number.kind == ValueKind::kHuge) return kOutOfRange;
      at = end;
    } else {
      ++at;
    }
  }
  return {};
}

bool read_fast_real(std::string_view token, double& out) {
  // At most 15 digits and a small power of ten: both are exact in a double, so their quotient is
  // rounded once.
  static constexpr double kPowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  if (token.size() > 17) return false;
  std::uint64_t digits = 0;
  std::size_t count = 0;
  std::size_t fraction = 0;
  bool after_point = false;
  const bool negative = token[0] == '-';
  for (std::size_t i = negative ? 1 : 0; i < token.size(); ++i) {
    if (token[i] == '.') {
      after_point = true;
      continue;
    }
    if (!is_digit(token[i])) return false;
    digits = digits * 10 + static_cast<std::uint64_t>(token[i] - '0');
    ++count;
    fraction += after_point ? 1 : 0;
  }
  if (count > 15) return false;
  const double value = static_cast<double>(digits) / kPowers[fraction];
  out = negative ? -value : value;
  return true;
}

}  // namespace

bool is_exact_as_double(std::int64_t value) {
  const auto real = static_cast<double>(value);
  return std::abs(real) < 9.2e18 && static_cast<std::int64_t>(real) == value;
}

std::string_view Arena::copy(std::string_view text) {
  if (left_ < text.size() + kArenaPadding) {
    const std::size_t size = std::max(kArenaBlock, text.size() + kArenaPadding);
    blocks_.push_back(std::make_unique<char[]>(size));
    free_ = blocks_.back().get();
    left_ = size;
    bytes_ += size;
  }
  char* to = free_;
  text.copy(to, text.size());
  free_ += text.size();
  left_ -= text.size();
  return {to, text.size()};
}

void Arena::clear() {
  blocks_.clear();
  left_ = 0;
  bytes_ = 0;
}

std::optional<TimeUs> TimeReader::read(std::string_view text) {
  // "2026-11-20T14:03:05.123Z", as browsers and most libraries send, and the collector's
  // "...05.123456Z".
  const bool has_usual_size = text.size() == 24 || text.size() == 27;
  const bool is_usual = has_usual_size && text[10] == 'T' && text.back() == 'Z';
  if (!is_usual) return parse_iso8601(text);
  const auto slot = static_cast<unsigned char>(text[9] ^ text[12] ^ text[15]);
  Minute& minute = minutes_[slot % minutes_.size()];
  if (std::memcmp(text.data(), minute.text, sizeof minute.text) != 0) {
    const auto time = parse_iso8601(text);
    if (time && text[16] == ':' && text[19] == '.') {
      std::memcpy(minute.text, text.data(), sizeof minute.text);
      std::int64_t in_minute = time->value % kUsPerMinute;
      if (in_minute < 0) in_minute += kUsPerMinute;
      minute.us = time->value - in_minute;
    }
    return time;
  }
  const auto digit = [&](std::size_t at) { return static_cast<unsigned>(text[at] - '0'); };
  const unsigned tens = digit(17);
  bool are_digits = tens < 6 && digit(18) < 10 && text[16] == ':' && text[19] == '.';
  std::int64_t fraction = 0;
  for (std::size_t at = 20; at + 1 < text.size(); ++at) {
    are_digits = are_digits && digit(at) < 10;
    fraction = fraction * 10 + digit(at);
  }
  if (!are_digits) return parse_iso8601(text);
  if (text.size() == 24) fraction *= 1000;
  return TimeUs{minute.us + (tens * 10 + digit(18)) * kUsPerSecond + fraction};
}

void read_number(std::string_view token, Value& value) {
  const bool is_integer = token.find_first_of(".eE") == std::string_view::npos;
  if (is_integer) {
    value.kind = ValueKind::kHuge;
    if (const auto integer = parse_number<std::int64_t>(token)) {
      value.kind = ValueKind::kInteger;
      value.cell = columns::Cell::of_integer(*integer);
    }
    return;
  }
  double real = 0;
  value.kind = ValueKind::kReal;
  if (!read_fast_real(token, real)) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), real);
    if (error != std::errc{}) value.kind = ValueKind::kHuge;  // or too small: never made 0
  }
  value.cell = columns::Cell::of_real(real);
}

Fit fit_as_json(const Value& value, Arena& arena) {
  std::string_view json = value.raw_text();
  switch (value.kind) {
    case ValueKind::kFlawedText:
    case ValueKind::kNever:
      return misfit(kNotText);
    case ValueKind::kHuge:
      return misfit(kOutOfRange);
    case ValueKind::kJson:
      json = value.cell.as_text();
      if (const std::string_view flaw = flaw_for_super(json); !flaw.empty()) return misfit(flaw);
      break;
    case ValueKind::kTime:
      if (json.empty()) {
        json = arena.copy(json_string(format_iso8601(TimeUs{value.cell.integer})));
      }
      break;
    case ValueKind::kText:
      if (json.empty()) json = arena.copy(json_string(value.cell.as_text()));
      break;
    default:
      break;
  }
  return json.size() <= columns::kTextBytesMax ? fits(Cell::of_text(json)) : misfit(kTooLong);
}

Fit fit(const Value& value, const Column& column, Arena& arena, TimeReader& times) {
  if (column.type == Type::kUnsupported) return misfit(kUnsupportedType);
  if (value.kind == ValueKind::kFlawedText) return misfit(kNotText);
  switch (column.type) {
    case Type::kBoolean:
      return fit_into_boolean(value);
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
      return fit_into_integer(value, column.type);
    case Type::kFloat:
    case Type::kDouble:
      return fit_into_real(value, column.type);
    case Type::kDecimal:
      return fit_into_decimal(value, column);
    case Type::kVarchar:
      return fit_into_text(value, column, arena);
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return fit_into_time(value, column.type, times);
    case Type::kSuper:
      return fit_as_json(value, arena);
    case Type::kUnsupported:
      break;
  }
  return misfit(kUnsupportedType);
}

std::optional<Column> column_for(const Value& value, std::string name, const NewColumnRules& rules,
                                 TimeReader& times) {
  Column column{.name = std::move(name), .type = Type::kVarchar, .length = rules.varchar_length};
  if (value.kind == ValueKind::kFlawedText) return std::nullopt;
  const bool is_object = value.kind == ValueKind::kJson && value.cell.as_text().starts_with('{');
  // A whole object is seldom short.
  if (is_object) column.length = columns::kTextBytesMax;
  if (rules.all_text) return column;
  switch (value.kind) {
    case ValueKind::kInteger:
    case ValueKind::kHuge:
      column.type = Type::kInt64;
      break;
    case ValueKind::kReal:
      column.type = Type::kDouble;
      break;
    case ValueKind::kBoolean:
      column.type = Type::kBoolean;
      break;
    case ValueKind::kTime:
      column.type = Type::kTimestamp;
      break;
    case ValueKind::kText:
      if (is_time_text(value.cell.as_text(), times)) column.type = Type::kTimestamp;
      break;
    case ValueKind::kJson:
      if (is_object ? rules.super_objects : rules.super_arrays) column.type = Type::kSuper;
      break;
    default:
      break;
  }
  if (column.type != Type::kVarchar) column.length = 0;
  return column;
}

std::optional<Type> wider_type(Type current, ValueKind first, const Value& value,
                               TimeReader& times) {
  switch (current) {
    case Type::kInt64:
      if (value.kind == ValueKind::kReal) return Type::kDouble;
      break;
    case Type::kDouble:
      // The column was made by an integer and widened; integers that a double cannot hold and
      // fractions truly conflict, so the first one's type stands.
      if (first != ValueKind::kReal && value.kind == ValueKind::kInteger &&
          !is_exact_as_double(value.cell.integer)) {
        return Type::kInt64;
      }
      break;
    case Type::kTimestamp:
      if (value.kind == ValueKind::kJson) return Type::kVarchar;
      if (value.kind == ValueKind::kText && !is_time_text(value.cell.as_text(), times)) {
        return Type::kVarchar;
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace leat::shape
