// Numbers as Teradata writes them:
//
//   leat_text_to_number(text, precision, scale, rounds)   the number with `scale` digits behind the
//                                                         point, as text; blank text is 0
//
// A sign may stand before or behind the digits, an exponent behind them. What has no place behind
// the point is rounded, a half to the even digit, or cut off.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

constexpr int kExponentMax = 1000;

struct Number {
  bool negative = false;
  std::string digits = {};
  int point = 0;  ///< How many of the digits stand before it; may lie outside of them.
};

bool take_sign(std::string_view& text, bool in_front, bool& negative) {
  if (text.empty()) return false;
  const char sign = in_front ? text.front() : text.back();
  if (sign != '-' && sign != '+') return false;
  negative = sign == '-';
  in_front ? text.remove_prefix(1) : text.remove_suffix(1);
  return true;
}

std::optional<Number> read_number(std::string_view text) {
  Number number;
  text = trim(text);
  if (text.empty()) return number;
  int exponent = 0;
  if (const std::size_t mark = text.find_first_of("eE"); mark != std::string_view::npos) {
    std::string_view rest = text.substr(mark + 1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    const auto value = parse_number<int>(rest);
    if (!value || *value > kExponentMax || *value < -kExponentMax) return std::nullopt;
    exponent = *value;
    text = text.substr(0, mark);
  }
  if (!take_sign(text, true, number.negative)) take_sign(text, false, number.negative);
  const std::size_t point = std::min(text.find('.'), text.size());
  number.digits = text.substr(0, point);
  if (point < text.size()) number.digits += text.substr(point + 1);
  if (number.digits.empty() || number.digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  number.point = static_cast<int>(point) + exponent;
  return number;
}

/// Adds one to the last of the digits.
void count_up(std::string& digits) {
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    if (*digit != '9') {
      ++*digit;
      return;
    }
    *digit = '0';
  }
  digits.insert(digits.begin(), '1');
}

/// Nothing: it has more than `precision` digits.
std::optional<std::string> written(Number number, int precision, int scale, bool rounds) {
  // As many digits as are kept, or more, with one before the point at least.
  if (number.point < 1) {
    number.digits.insert(0, static_cast<std::size_t>(1 - number.point), '0');
    number.point = 1;
  }
  const auto kept = static_cast<std::size_t>(number.point + scale);
  if (number.digits.size() < kept) number.digits.resize(kept, '0');
  const std::string rest = number.digits.substr(kept);
  number.digits.resize(kept);
  const std::string half = "5" + std::string(rest.empty() ? 0 : rest.size() - 1, '0');
  const bool odd = (number.digits.back() - '0') % 2 != 0;
  if (rounds && !rest.empty() && (rest > half || (rest == half && odd))) count_up(number.digits);
  const std::size_t first = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  if (number.digits.size() - first > static_cast<std::size_t>(precision)) return std::nullopt;
  if (scale > 0) number.digits.insert(number.digits.size() - static_cast<std::size_t>(scale), ".");
  return (number.negative ? "-" : "") + number.digits;
}

}  // namespace

SqlStatus add_text_number_function(Database& database) {
  return database.add_function(
      {.name = "leat_text_to_number",
       .parameters = {plain_type(Type::kVarchar), plain_type(Type::kInt32),
                      plain_type(Type::kInt32), plain_type(Type::kBoolean)},
       .returns = plain_type(Type::kVarchar),
       .run = [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
         const std::string_view text = arguments.column(0).text(row);
         auto number = read_number(text);
         if (!number) {
           return fail_sql("22P02",
                           fmt::format("invalid input syntax for type numeric: \"{}\"", text));
         }
         const auto digits =
             written(std::move(*number), static_cast<int>(arguments.column(1).integer(row)),
                     static_cast<int>(arguments.column(2).integer(row)),
                     arguments.column(3).integer(row) != 0);
         if (!digits) return fail_sql("22003", "Numeric data overflow (result precision)");
         output.set_text(row, *digits);
         return {};
       }});
}

}  // namespace leat::engine
