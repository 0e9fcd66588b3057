// The text forms of numbers, dates and times. Hot: every value that a client reads passes here.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/time.h"
#include "warehouse/engine/chunk.h"

namespace leat::engine {

namespace {

__extension__ using Unsigned128 = unsigned __int128;

constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kInfiniteDate = std::numeric_limits<std::int32_t>::max();

template <class T>
char* put_integer(T value, char* at) {
  return std::to_chars(at, at + 20, value).ptr;
}

char* put_text(std::string_view text, char* at) {
  return std::copy(text.begin(), text.end(), at);
}

char digit(std::int64_t value) {
  return static_cast<char>('0' + value);
}

/// "00" to "99".
constexpr std::array<char, 200> two_digit_texts() {
  std::array<char, 200> out{};
  for (std::size_t i = 0; i < 100; ++i) {
    out[2 * i] = static_cast<char>('0' + i / 10);
    out[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return out;
}
constexpr std::array<char, 200> kTwoDigits = two_digit_texts();

template <class T>
char* put_two(T value, char* at) {
  std::memcpy(at, kTwoDigits.data() + 2 * static_cast<std::size_t>(value), 2);
  return at + 2;
}

struct Civil {
  std::int64_t year;
  std::int64_t month;
  std::int64_t day;
};

/// Year, month and day of the `days`-th day since 0000-03-01, from 0 on (Howard Hinnant's
/// civil_from_days within its eras). Narrow numbers divide in half the time.
template <class T>
Civil civil_from(T days) {
  const T era = days / 146097;
  const T day_of_era = days - era * 146097;
  const T year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const T day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const T shifted = (5 * day_of_year + 2) / 153;
  const T month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {.year = static_cast<std::int64_t>(year_of_era) + static_cast<std::int64_t>(era) * 400 +
                  (month <= 2 ? 1 : 0),
          .month = static_cast<std::int64_t>(month),
          .day = static_cast<std::int64_t>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

/// Of all days of int32, and those of all timestamps.
Civil civil(std::int64_t days) {
  constexpr std::int64_t kDaysBefore1970 = 719'468;
  constexpr std::int64_t kErasBefore = 20'000;  // of 400 years each: more than int32 has days
  constexpr std::int64_t kDaysOfEra = 146'097;
  days += kDaysBefore1970;
  if (days >= 0 && days <= std::numeric_limits<std::int32_t>::max())
    return civil_from(static_cast<std::uint32_t>(days));
  Civil out = civil_from(static_cast<std::uint64_t>(days + kErasBefore * kDaysOfEra));
  out.year -= kErasBefore * 400;
  return out;
}

/// "2026-11-20"; a year of more than four digits is written whole. The era, which stands after the
/// time, is not written.
char* put_civil(const Civil& date, char* at) {
  const std::int64_t year = date.year <= 0 ? 1 - date.year : date.year;
  at = year > 9999 ? put_integer(year, at) : put_two(year % 100, put_two(year / 100, at));
  *at++ = '-';
  at = put_two(date.month, at);
  *at++ = '-';
  return put_two(date.day, at);
}

char* put_era(const Civil& date, char* at) {
  return date.year <= 0 ? put_text(" BC", at) : at;
}

char* put_date(std::int64_t days, char* at) {
  if (days == kInfiniteDate || days == -kInfiniteDate)
    return put_text(days < 0 ? "-infinity" : "infinity", at);
  const Civil date = civil(days);
  return put_era(date, put_civil(date, at));
}

char* put_fraction(std::int64_t us, char* at) {
  if (us == 0) return at;
  at[0] = '.';
  for (std::size_t i = 6; i >= 1; --i) {
    at[i] = digit(us % 10);
    us /= 10;
  }
  at += 7;
  while (at[-1] == '0') --at;
  return at;
}

char* put_time(std::int64_t us, char* at) {
  const std::int64_t seconds = us / kUsPerSecond;
  at = put_two(seconds / 3600, at);
  *at++ = ':';
  at = put_two(seconds / 60 % 60, at);
  *at++ = ':';
  at = put_two(seconds % 60, at);
  return put_fraction(us % kUsPerSecond, at);
}

char* put_instant(std::int64_t us, std::string_view zone, char* at) {
  if (us == kInfinity || us == -kInfinity) return put_text(us < 0 ? "-infinity" : "infinity", at);
  std::int64_t days = us / kUsPerDay;
  std::int64_t rest = us % kUsPerDay;
  if (rest < 0) {
    rest += kUsPerDay;
    --days;
  }
  const Civil date = civil(days);
  at = put_civil(date, at);
  *at++ = ' ';
  at = put_text(zone, put_time(rest, at));
  return put_era(date, at);
}

char* put_time_tz(std::uint64_t bits, char* at) {
  at = put_time(static_cast<std::int64_t>(bits >> 24), at);
  std::int64_t offset = time_tz_offset(bits);
  *at++ = offset < 0 ? '-' : '+';
  offset = std::abs(offset);
  at = put_two(offset / 3600, at);
  if (offset % 3600 == 0) return at;
  *at++ = ':';
  return put_two(offset / 60 % 60, at);
}

char* put_uuid(HugeInt value, char* at) {
  // DuckDB flips the top bit so that UUIDs sort as signed numbers.
  const std::uint64_t high = static_cast<std::uint64_t>(value.high) ^ (1ULL << 63);
  constexpr std::string_view kHex = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *at++ = '-';
    const std::uint64_t half = i < 16 ? high : value.low;
    *at++ = kHex[(half >> (60 - 4 * (i % 16))) & 15];
  }
  return at;
}

char* put_decimal(HugeInt unscaled, int scale, char* at) {
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
  if (negative) *at++ = '-';
  at = std::copy(begin, end - scale, at);
  if (scale == 0) return at;
  *at++ = '.';
  return std::copy(end - scale, end, at);
}

constexpr std::array<std::uint64_t, 20> powers_of_ten() {
  std::array<std::uint64_t, 20> out{1};
  for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10;
  return out;
}
constexpr std::array<std::uint64_t, 20> kPowersOfTen = powers_of_ten();

/// `value` times 10^power, rounded half to even, exactly. `value` is from 1e-4 to below 1e15, and
/// the result below 1e17.
std::uint64_t scaled(double value, int power) {
  constexpr unsigned kMantissaBits = 52;
  constexpr std::uint64_t kHiddenBit = 1ULL << kMantissaBits;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t mantissa = (bits & (kHiddenBit - 1)) | kHiddenBit;
  // From 3 to 66, and the product has at most 53 + 64 bits.
  const auto shift = static_cast<unsigned>(1023 + kMantissaBits - (bits >> kMantissaBits));
  const Unsigned128 product =
      static_cast<Unsigned128>(mantissa) * kPowersOfTen[static_cast<std::size_t>(power)];
  const auto whole = static_cast<std::uint64_t>(product >> shift);
  const Unsigned128 rest = product & ((static_cast<Unsigned128>(1) << shift) - 1);
  const Unsigned128 half = static_cast<Unsigned128>(1) << (shift - 1);
  return whole + (rest > half || (rest == half && whole % 2 == 1) ? 1 : 0);
}

/// "%.{precision}g" of a finite value; `precision` is from 1 to 15. What is written without an
/// exponent is found in a tenth of the time that the library takes.
char* put_significant(double value, int precision, char* at) {
  const auto library = [&] {
    return std::to_chars(at, at + kShortTextMax, value, std::chars_format::general, precision).ptr;
  };
  const std::uint64_t limit = kPowersOfTen[static_cast<std::size_t>(precision)];
  const double size = std::fabs(value);
  if (!(size >= 1e-4 && size < static_cast<double>(limit))) return library();
  // The exponent from that of two: right, or one too small.
  const int of_two = static_cast<int>(std::bit_cast<std::uint64_t>(size) >> 52) - 1023;
  int exponent = (of_two * 1233) >> 12;
  std::uint64_t number = scaled(size, precision - 1 - exponent);
  if (number >= limit) {
    if (++exponent == precision) return library();
    number = scaled(size, precision - 1 - exponent);
  }
  std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): hot
  const char* end = put_integer(number, digits.data());
  const char* const begin = digits.data();
  const char* const whole_end = begin + std::max(exponent + 1, 0);
  while (end > whole_end && end[-1] == '0') --end;
  if (std::signbit(value)) *at++ = '-';
  if (exponent < 0) {
    at = put_text(std::string_view("0.000").substr(0, static_cast<std::size_t>(1 - exponent)), at);
    return std::copy(begin, end, at);
  }
  at = std::copy(begin, whole_end, at);
  if (end == whole_end) return at;
  *at++ = '.';
  return std::copy(whole_end, end, at);
}

template <class T>
char* put_floating(T value, int digits, bool shortest, char* at) {
  if (std::isnan(value)) return put_text("NaN", at);
  if (std::isinf(value)) return put_text(value < 0 ? "-Infinity" : "Infinity", at);
  if (!shortest) return put_significant(value, digits, at);
  // As PostgreSQL: an exponent below 1e-4 and from 1e15 (REAL: 1e6) on.
  const T size = std::fabs(value);
  const T fixed_max = std::is_same_v<T, double> ? static_cast<T>(1e15) : static_cast<T>(1e6);
  const bool fixed = size == 0 || (size >= static_cast<T>(1e-4) && size < fixed_max);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  return std::to_chars(at, at + kShortTextMax, value, format).ptr;
}

char* put_double(double value, int extra_float_digits, char* at) {
  return put_floating(value, std::max(1, 15 + extra_float_digits), extra_float_digits > 0, at);
}

char* put_float(float value, int extra_float_digits, char* at) {
  return put_floating(value, std::max(1, 6 + extra_float_digits), extra_float_digits > 0, at);
}

/// What `put` writes at the place it is given, of kShortTextMax bytes, appended.
template <class Put>
void append_short(std::string& out, Put put) {
  std::array<char, kShortTextMax> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): hot
  out.append(buffer.data(), put(buffer.data()));
}

}  // namespace

void append_date(std::int64_t days, std::string& out) {
  append_short(out, [&](char* at) { return put_date(days, at); });
}

void append_time(std::int64_t us, std::string& out) {
  append_short(out, [&](char* at) { return put_time(us, at); });
}

void append_timestamp(std::int64_t us, std::string& out) {
  append_short(out, [&](char* at) { return put_instant(us, "", at); });
}

void append_huge_integer(HugeInt value, std::string& out) {
  append_decimal(value, 0, out);
}

void append_decimal(HugeInt unscaled, int scale, std::string& out) {
  append_short(out, [&](char* at) { return put_decimal(unscaled, scale, at); });
}

void append_double(double value, int extra_float_digits, std::string& out) {
  append_short(out, [&](char* at) { return put_double(value, extra_float_digits, at); });
}

void append_float(float value, int extra_float_digits, std::string& out) {
  append_short(out, [&](char* at) { return put_float(value, extra_float_digits, at); });
}

bool has_short_text(const ColumnType& type) {
  switch (type.type) {
    case Type::kNull:
    case Type::kVarchar:
    case Type::kJson:
    case Type::kSketch:
    case Type::kBlob:
    case Type::kInterval:
    case Type::kEnum:
    case Type::kList:
    case Type::kArray:
    case Type::kStruct:
    case Type::kMap:
    case Type::kOther:
      return false;
    default:
      return true;
  }
}

char* write_short_text(const Column& column, std::size_t row, char* at, TextOptions options) {
  switch (column.type().type) {
    case Type::kBoolean:
      *at = column.integer(row) != 0 ? 't' : 'f';
      return at + 1;
    case Type::kInt32:
      return put_integer(column.cells<std::int32_t>()[row], at);
    case Type::kInt64:
      return put_integer(column.cells<std::int64_t>()[row], at);
    case Type::kUInt64:
      return put_integer(column.cells<std::uint64_t>()[row], at);
    case Type::kHugeInt:
      return put_decimal(column.huge_integer(row), 0, at);
    case Type::kDecimal:
      return put_decimal(column.huge_integer(row), column.type().scale, at);
    case Type::kFloat:
      return put_float(column.cells<float>()[row], options.extra_float_digits, at);
    case Type::kDouble:
      return put_double(column.cells<double>()[row], options.extra_float_digits, at);
    case Type::kDate:
      return put_date(column.cells<std::int32_t>()[row], at);
    case Type::kTime:
      return put_time(column.cells<std::int64_t>()[row], at);
    case Type::kTimeTz:
      return put_time_tz(column.cells<std::uint64_t>()[row], at);
    case Type::kTimestamp:
      return put_instant(column.cells<std::int64_t>()[row], "", at);
    case Type::kTimestampTz:
      return put_instant(column.cells<std::int64_t>()[row], "+00", at);
    case Type::kUuid:
      return put_uuid(column.cells<HugeInt>()[row], at);
    default:
      return put_integer(column.integer(row), at);
  }
}

}  // namespace leat::engine
