// Numbers of SQL from text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "warehouse/engine/value.h"

namespace leat::engine {

enum class DecimalRounding : std::uint8_t {
  kTruncate,         ///< Digits after the scale are cut.
  kHalfAwayFromZero  ///< As INSERT and ROUNDEC do.
};

enum class NumberError : std::uint8_t { kSyntax, kRange };

struct DecimalText {
  HugeInt unscaled = {};
  std::optional<NumberError> error = {};
};

/// Reads [+-]digits[.digits][e[+-]digits], blanks around it allowed, as a decimal of `width` digits
/// (1 to 38), `scale` of them after the point. Pure; any thread.
[[nodiscard]] DecimalText parse_decimal(std::string_view text, int width, int scale,
                                        DecimalRounding rounding);

/// 10^exponent, exponent 0 to 38.
[[nodiscard]] HugeInt power_of_ten(int exponent);

}  // namespace leat::engine
