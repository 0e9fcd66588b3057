#include "warehouse/engine/number.h"

#include <array>

#include "base/text.h"

namespace leat::engine {

namespace {

__extension__ using Unsigned128 = unsigned __int128;

Unsigned128 power(int exponent) {
  Unsigned128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

HugeInt to_huge(Unsigned128 size, bool negative) {
  if (negative) size = 0 - size;
  return {.low = static_cast<std::uint64_t>(size), .high = static_cast<std::int64_t>(size >> 64)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads the digits of the mantissa from `text` and leaves what follows them.
struct Mantissa {
  Unsigned128 size = 0;
  int significant = 0;    ///< Digits in `size`, without leading zeros; at most 39.
  int exponent = 0;       ///< The value is size * 10^exponent.
  int dropped_first = 0;  ///< First digit that found no place in `size`.
  bool any_digit = false;
};

Mantissa read_mantissa(std::string_view& text) {
  // 38 digits fit; further ones only shift the exponent (or are the rounding digit).
  constexpr int kDigitsMax = 38;
  Mantissa out;
  bool after_point = false;
  bool full = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && !after_point) {
      after_point = true;
    } else if (is_digit(c)) {
      out.any_digit = true;
      if (out.significant < kDigitsMax) {
        out.size = out.size * 10 + static_cast<unsigned>(c - '0');
        if (out.size != 0) ++out.significant;
        if (after_point) --out.exponent;
      } else {
        if (!full) out.dropped_first = c - '0';
        full = true;
        if (!after_point) ++out.exponent;
      }
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  return out;
}

std::optional<int> read_exponent(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  if (text.size() > 7) return std::nullopt;
  return parse_number<int>(text);
}

}  // namespace

HugeInt power_of_ten(int exponent) {
  return to_huge(power(exponent), false);
}

DecimalText parse_decimal(std::string_view text, int width, int scale, DecimalRounding rounding) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Mantissa mantissa = read_mantissa(text);
  const auto exponent = read_exponent(text);
  if (!mantissa.any_digit || !exponent) return {.unscaled = {}, .error = NumberError::kSyntax};
  if (mantissa.size == 0) return {};
  const int shift = mantissa.exponent + *exponent + scale;
  if (shift > 0) {
    if (mantissa.significant + shift > 38) return {.unscaled = {}, .error = NumberError::kRange};
    mantissa.size *= power(shift);
  } else if (shift < 0) {
    const int cut = -shift;
    const Unsigned128 divisor = cut <= 38 ? power(cut) : 0;
    const Unsigned128 rest = divisor == 0 ? 0 : mantissa.size % divisor;
    mantissa.size = divisor == 0 ? 0 : mantissa.size / divisor;
    const bool up =
        rounding == DecimalRounding::kHalfAwayFromZero && divisor != 0 && rest >= divisor - rest;
    if (up) ++mantissa.size;
  } else if (rounding == DecimalRounding::kHalfAwayFromZero && mantissa.dropped_first >= 5) {
    ++mantissa.size;
  }
  if (mantissa.size >= power(width)) return {.unscaled = {}, .error = NumberError::kRange};
  return {.unscaled = to_huge(mantissa.size, negative), .error = std::nullopt};
}

}  // namespace leat::engine
