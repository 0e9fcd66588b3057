// The templates of TO_CHAR and TO_NUMBER for numbers. Not for other modules. Pure; any thread.
// Elements: the page "Numeric format strings" of Amazon Redshift's documentation; what it leaves
// open is as in PostgreSQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/error.h"

namespace leat::engine {

enum class Mark : std::uint8_t {
  kText,
  kDigit,         ///< 9
  kZero,          ///< 0
  kPoint,         ///< . D
  kGroup,         ///< , G
  kCurrency,      ///< L
  kMinus,         ///< MI
  kPlus,          ///< PL
  kSign,          ///< SG
  kAnchoredSign,  ///< S
  kBrackets,      ///< PR
  kShift,         ///< V
  kExponent,      ///< EEEE
  kRoman,         ///< RN
  kRomanLower,    ///< rn
  kOrdinal,       ///< TH
  kOrdinalLower,  ///< th
  kFill,          ///< FM
  kNothing        ///< read, and shows nothing: B, C, SP
};

struct NumberCell {
  Mark mark = Mark::kText;
  std::string text = {};  ///< kText only
};

struct NumberTemplate {
  std::vector<NumberCell> cells;
  int whole = 0;        ///< Digits before the point.
  int fraction = 0;     ///< Digits behind it.
  int shift = 0;        ///< The 9s behind V: the number is shown times 10 to that power.
  int first_zero = -1;  ///< How many digits stand before the first 0; -1: none before the point.
  int zeros_end = 0;    ///< How many digits stand before the last 0, with it.
  int digits_before_sign = 0;  ///< ... before S.
  bool point = false;
  bool shifts = false;       ///< V
  bool fill = true;          ///< Without FM.
  bool anchored = false;     ///< S
  bool sign_behind = false;  ///< ... behind all digits.
  bool minus = false;        ///< MI, SG
  bool plus = false;         ///< PL, SG
  bool brackets = false;     ///< PR
  bool exponent = false;
  bool roman = false;
};

/// Errors: 42601 for elements that contradict each other.
[[nodiscard]] SqlResult<NumberTemplate> number_template(std::string_view format);

}  // namespace leat::engine
