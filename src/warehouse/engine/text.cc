// The text forms of cells. Hot: every value that a client reads passes here.
#include "base/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/digest.h"
#include "base/time.h"
#include "warehouse/engine/chunk.h"

namespace leat::engine {

namespace {

__extension__ using Unsigned128 = unsigned __int128;
__extension__ using Signed128 = __int128;

constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kInfiniteDate = std::numeric_limits<std::int32_t>::max();

template <class T>
void append_integer(T value, std::string& out) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), end);
}

char digit(std::int64_t value) {
  return static_cast<char>('0' + value);
}

void put_two(char* out, std::int64_t value) {
  out[0] = digit(value / 10);
  out[1] = digit(value % 10);
}

/// Days to year, month, day for all of int32 (Howard Hinnant's civil_from_days).
struct Civil {
  std::int64_t year;
  std::int64_t month;
  std::int64_t day;
};
Civil civil(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted + 2) / 5 + 1};
}

/// "2026-11-20"; a year of more than four digits is written whole. True when the year is before
/// Christ.
bool append_civil(std::int64_t days, std::string& out) {
  const Civil date = civil(days);
  const bool before_christ = date.year <= 0;
  const std::int64_t year = before_christ ? 1 - date.year : date.year;
  if (year > 9999) {
    append_integer(year, out);
  } else {
    std::array<char, 4> digits{};
    put_two(digits.data(), year / 100);
    put_two(digits.data() + 2, year % 100);
    out.append(digits.data(), 4);
  }
  std::array<char, 6> rest{'-', '0', '0', '-', '0', '0'};
  put_two(rest.data() + 1, date.month);
  put_two(rest.data() + 4, date.day);
  out.append(rest.data(), rest.size());
  return before_christ;
}

void append_fraction(std::int64_t us, std::string& out) {
  if (us == 0) return;
  std::array<char, 7> digits{'.'};
  for (std::size_t i = 6; i >= 1; --i) {
    digits[i] = digit(us % 10);
    us /= 10;
  }
  std::size_t size = digits.size();
  while (digits[size - 1] == '0') --size;
  out.append(digits.data(), size);
}

void append_uuid(HugeInt value, std::string& out) {
  // DuckDB flips the top bit so that UUIDs sort as signed numbers.
  const std::uint64_t high = static_cast<std::uint64_t>(value.high) ^ (1ULL << 63);
  constexpr std::string_view kHex = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    const std::uint64_t half = i < 16 ? high : value.low;
    out += kHex[(half >> (60 - 4 * (i % 16))) & 15];
  }
}

void append_time_tz(std::uint64_t bits, std::string& out) {
  append_time(static_cast<std::int64_t>(bits >> 24), out);
  std::int64_t offset = time_tz_offset(bits);
  out += offset < 0 ? '-' : '+';
  offset = std::abs(offset);
  std::array<char, 2> two{};
  put_two(two.data(), offset / 3600);
  out.append(two.data(), 2);
  if (offset % 3600 != 0) {
    put_two(two.data(), offset / 60 % 60);
    out += ':';
    out.append(two.data(), 2);
  }
}

template <class T>
void append_floating(T value, int digits, bool shortest, int fixed_digits_max, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 64> buffer{};
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  if (!shortest) {
    out.append(begin, std::to_chars(begin, end, value, std::chars_format::general, digits).ptr);
    return;
  }
  // As PostgreSQL: an exponent below 1e-4 and from 1e15 (REAL: 1e6) on.
  const T size = std::fabs(value);
  const T fixed_max = fixed_digits_max == 15 ? static_cast<T>(1e15) : static_cast<T>(1e6);
  const bool fixed = size == 0 || (size >= static_cast<T>(1e-4) && size < fixed_max);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  out.append(begin, std::to_chars(begin, end, value, format).ptr);
}

}  // namespace

void append_date(std::int64_t days, std::string& out) {
  if (days == kInfiniteDate || days == -kInfiniteDate) {
    out += days < 0 ? "-infinity" : "infinity";
    return;
  }
  if (append_civil(days, out)) out += " BC";
}

void append_time(std::int64_t us, std::string& out) {
  const std::int64_t seconds = us / kUsPerSecond;
  std::array<char, 8> text{'0', '0', ':', '0', '0', ':', '0', '0'};
  put_two(text.data(), seconds / 3600);
  put_two(text.data() + 3, seconds / 60 % 60);
  put_two(text.data() + 6, seconds % 60);
  out.append(text.data(), text.size());
  append_fraction(us % kUsPerSecond, out);
}

namespace {

void append_instant(std::int64_t us, std::string_view zone, std::string& out) {
  if (us == kInfinity || us == -kInfinity) {
    out += us < 0 ? "-infinity" : "infinity";
    return;
  }
  std::int64_t days = us / kUsPerDay;
  std::int64_t rest = us % kUsPerDay;
  if (rest < 0) {
    rest += kUsPerDay;
    --days;
  }
  const bool before_christ = append_civil(days, out);
  out += ' ';
  append_time(rest, out);
  out += zone;
  if (before_christ) out += " BC";
}

}  // namespace

void append_timestamp(std::int64_t us, std::string& out) {
  append_instant(us, "", out);
}

void append_interval(Interval interval, std::string& out) {
  const std::size_t start = out.size();
  const auto part = [&](std::int64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    if (out.size() > start) out += ' ';
    append_integer(count, out);
    out += ' ';
    out += count == 1 ? one : many;
  };
  part(interval.months / 12, "year", "years");
  part(interval.months % 12, "mon", "mons");
  part(interval.days, "day", "days");
  if (interval.us == 0 && out.size() > start) return;
  if (out.size() > start) out += ' ';
  std::uint64_t us = static_cast<std::uint64_t>(interval.us);
  if (interval.us < 0) {
    out += '-';
    us = 0 - us;
  }
  const std::uint64_t hours = us / static_cast<std::uint64_t>(kUsPerHour);
  if (hours < 10) out += '0';
  append_integer(hours, out);
  std::string rest;
  append_time(static_cast<std::int64_t>(us % static_cast<std::uint64_t>(kUsPerHour)), rest);
  out.append(rest, 2);
}

void append_huge_integer(HugeInt value, std::string& out) {
  append_decimal(value, 0, out);
}

void append_decimal(HugeInt unscaled, int scale, std::string& out) {
  const bool negative = unscaled.high < 0;
  std::array<char, 44> buffer{};
  char* const end = buffer.data() + buffer.size();
  char* begin = end;
  const bool small = unscaled.high == (negative ? -1 : 0) &&
                     (static_cast<std::int64_t>(unscaled.low) < 0) == negative;
  if (small) {
    std::uint64_t size = negative ? 0 - unscaled.low : unscaled.low;
    for (; size != 0; size /= 10) *--begin = digit(static_cast<std::int64_t>(size % 10));
  } else {
    Unsigned128 size =
        (static_cast<Unsigned128>(static_cast<std::uint64_t>(unscaled.high)) << 64) | unscaled.low;
    if (negative) size = 0 - size;
    for (; size != 0; size /= 10) *--begin = digit(static_cast<std::int64_t>(size % 10));
  }
  while (end - begin <= scale) *--begin = '0';
  if (negative) out += '-';
  out.append(begin, end - scale);
  if (scale > 0) {
    out += '.';
    out.append(end - scale, end);
  }
}

void append_double(double value, int extra_float_digits, std::string& out) {
  append_floating(value, std::max(1, 15 + extra_float_digits), extra_float_digits > 0, 15, out);
}

void append_float(float value, int extra_float_digits, std::string& out) {
  append_floating(value, std::max(1, 6 + extra_float_digits), extra_float_digits > 0, 6, out);
}

/// Writes cells; nested ones as JSON.
class TextWriter {
 public:
  static void write(const Column& column, std::size_t row, std::string& out, TextOptions options);
  static void write_json(const Column& column, std::size_t row, std::string& out);

 private:
  static void write_nested(const Column& column, std::size_t row, std::string& out);
  static void write_list(const Column& child, std::size_t begin, std::size_t size,
                         std::string& out);
  static void write_key(const Column& column, std::size_t row, std::string& out);
};

void TextWriter::write_list(const Column& child, std::size_t begin, std::size_t size,
                            std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) out += ',';
    write_json(child, begin + i, out);
  }
  out += ']';
}

void TextWriter::write_key(const Column& column, std::size_t row, std::string& out) {
  std::string key;
  if (!column.is_null(row)) write(column, row, key, {.extra_float_digits = 1});
  append_json_string(out, key);
}

void TextWriter::write_nested(const Column& column, std::size_t row, std::string& out) {
  struct Entry {
    std::uint64_t offset;
    std::uint64_t length;
  };
  switch (column.type().type) {
    case Type::kList: {
      const Entry entry = column.cells<Entry>()[row];
      write_list(column.children_[0], entry.offset, entry.length, out);
      return;
    }
    case Type::kArray: {
      const auto length = static_cast<std::size_t>(column.type().length);
      write_list(column.children_[0], row * length, length, out);
      return;
    }
    case Type::kMap: {
      const Entry entry = column.cells<Entry>()[row];
      out += '{';
      for (std::uint64_t i = 0; i < entry.length; ++i) {
        if (i > 0) out += ',';
        write_key(column.children_[0], entry.offset + i, out);
        out += ':';
        write_json(column.children_[1], entry.offset + i, out);
      }
      out += '}';
      return;
    }
    default:
      out += '{';
      for (std::size_t i = 0; i < column.children_.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, column.type().child_names[i]);
        out += ':';
        write_json(column.children_[i], row, out);
      }
      out += '}';
      return;
  }
}

void TextWriter::write_json(const Column& column, std::size_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type().type) {
    case Type::kBoolean:
      out += column.integer(row) != 0 ? "true" : "false";
      return;
    case Type::kFloat:
      if (std::isfinite(column.cells<float>()[row])) break;
      out += "null";
      return;
    case Type::kDouble:
      if (std::isfinite(column.cells<double>()[row])) break;
      out += "null";
      return;
    case Type::kInt8:
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kUInt8:
    case Type::kUInt16:
    case Type::kUInt32:
    case Type::kUInt64:
    case Type::kHugeInt:
    case Type::kDecimal:
    case Type::kJson:
    case Type::kList:
    case Type::kArray:
    case Type::kStruct:
    case Type::kMap:
      break;
    default: {
      std::string text;
      write(column, row, text, {});
      append_json_string(out, text);
      return;
    }
  }
  write(column, row, out, {.extra_float_digits = 1});
}

void TextWriter::write(const Column& column, std::size_t row, std::string& out,
                       TextOptions options) {
  switch (column.type().type) {
    case Type::kNull:
      return;
    case Type::kBoolean:
      out += column.integer(row) != 0 ? 't' : 'f';
      return;
    case Type::kInt32:
      append_integer(column.cells<std::int32_t>()[row], out);
      return;
    case Type::kInt64:
      append_integer(column.cells<std::int64_t>()[row], out);
      return;
    case Type::kInt8:
    case Type::kInt16:
    case Type::kUInt8:
    case Type::kUInt16:
    case Type::kUInt32:
      append_integer(column.integer(row), out);
      return;
    case Type::kUInt64:
      append_integer(column.cells<std::uint64_t>()[row], out);
      return;
    case Type::kHugeInt:
      append_decimal(column.huge_integer(row), 0, out);
      return;
    case Type::kDecimal:
      append_decimal(column.huge_integer(row), column.type().scale, out);
      return;
    case Type::kFloat:
      append_float(column.cells<float>()[row], options.extra_float_digits, out);
      return;
    case Type::kDouble:
      append_double(column.cells<double>()[row], options.extra_float_digits, out);
      return;
    case Type::kVarchar:
    case Type::kJson:
    case Type::kSketch:
      out += column.text(row);
      return;
    case Type::kBlob:
      out += to_hex(column.text(row));
      return;
    case Type::kDate:
      append_date(column.cells<std::int32_t>()[row], out);
      return;
    case Type::kTime:
      append_time(column.cells<std::int64_t>()[row], out);
      return;
    case Type::kTimeTz:
      append_time_tz(column.cells<std::uint64_t>()[row], out);
      return;
    case Type::kTimestamp:
      append_timestamp(column.cells<std::int64_t>()[row], out);
      return;
    case Type::kTimestampTz:
      append_instant(column.cells<std::int64_t>()[row], "+00", out);
      return;
    case Type::kInterval:
      append_interval(column.cells<Interval>()[row], out);
      return;
    case Type::kUuid:
      append_uuid(column.cells<HugeInt>()[row], out);
      return;
    case Type::kEnum:
      out += column.type().child_names[static_cast<std::size_t>(column.integer(row))];
      return;
    case Type::kList:
    case Type::kArray:
    case Type::kStruct:
    case Type::kMap:
      write_nested(column, row, out);
      return;
    case Type::kOther:
      return;  // refused when the statement is described
  }
}

void append_text(const Column& column, std::size_t row, std::string& out, TextOptions options) {
  TextWriter::write(column, row, out, options);
}

std::optional<std::string> cell_text(const Column& column, std::size_t row) {
  if (column.is_null(row)) return std::nullopt;
  std::string out;
  append_text(column, row, out);
  return out;
}

}  // namespace leat::engine
