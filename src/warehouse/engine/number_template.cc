// The templates of numbers ('9,999D99S'): their elements, and which of them contradict each other.
#include "warehouse/engine/number_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace leat::engine {
namespace {

struct Word {
  std::string_view text;
  Mark mark;
};

// Longest first where one begins another. Words in a mixture of cases are text.
constexpr Word kWords[] = {
    {"EEEE", Mark::kExponent},  {"eeee", Mark::kExponent}, {"FM", Mark::kFill},
    {"fm", Mark::kFill},        {"MI", Mark::kMinus},      {"mi", Mark::kMinus},
    {"PL", Mark::kPlus},        {"pl", Mark::kPlus},       {"PR", Mark::kBrackets},
    {"pr", Mark::kBrackets},    {"RN", Mark::kRoman},      {"rn", Mark::kRomanLower},
    {"SG", Mark::kSign},        {"sg", Mark::kSign},       {"SP", Mark::kNothing},
    {"sp", Mark::kNothing},     {"TH", Mark::kOrdinal},    {"th", Mark::kOrdinalLower},
    {",", Mark::kGroup},        {".", Mark::kPoint},       {"0", Mark::kZero},
    {"9", Mark::kDigit},        {"B", Mark::kNothing},     {"b", Mark::kNothing},
    {"C", Mark::kNothing},      {"c", Mark::kNothing},     {"D", Mark::kPoint},
    {"d", Mark::kPoint},        {"G", Mark::kGroup},       {"g", Mark::kGroup},
    {"L", Mark::kCurrency},     {"l", Mark::kCurrency},    {"S", Mark::kAnchoredSign},
    {"s", Mark::kAnchoredSign}, {"V", Mark::kShift},       {"v", Mark::kShift}};

const Word* word_at(std::string_view rest) {
  const auto* const found =
      std::ranges::find_if(kWords, [&](const Word& word) { return rest.starts_with(word.text); });
  return found == std::end(kWords) ? nullptr : found;
}

SqlStatus contradiction(std::string message) {
  return fail_sql("42601", std::move(message));
}

SqlStatus add_digit(Mark mark, NumberTemplate& shape) {
  if (shape.brackets)
    return contradiction(
        fmt::format("\"{}\" must be ahead of \"PR\"", mark == Mark::kDigit ? 9 : 0));
  const bool zero = mark == Mark::kZero;
  if (shape.shifts && !zero) {
    ++shape.shift;
    return {};
  }
  if (zero && shape.first_zero < 0 && !shape.point) shape.first_zero = shape.whole;
  ++(shape.point ? shape.fraction : shape.whole);
  if (zero) shape.zeros_end = shape.whole + shape.fraction;
  return {};
}

SqlStatus add_sign(Mark mark, NumberTemplate& shape) {
  const bool others = shape.minus || shape.plus || shape.brackets;
  if (mark == Mark::kAnchoredSign) {
    if (shape.anchored) return contradiction("cannot use \"S\" twice");
    if (others) return contradiction("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
    shape.anchored = true;
    shape.sign_behind = shape.point;
    shape.digits_before_sign = shape.whole;
    return {};
  }
  if (mark == Mark::kBrackets) {
    if (shape.anchored || shape.minus || shape.plus)
      return contradiction("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
    shape.brackets = true;
    return {};
  }
  const std::string_view name = mark == Mark::kMinus ? "MI" : (mark == Mark::kPlus ? "PL" : "SG");
  if (shape.anchored)
    return contradiction(fmt::format("cannot use \"S\" and \"{}\" together", name));
  shape.minus = shape.minus || mark != Mark::kPlus;
  shape.plus = shape.plus || mark != Mark::kMinus;
  return {};
}

SqlStatus add_exponent(NumberTemplate& shape) {
  if (shape.exponent) return contradiction("cannot use \"EEEE\" twice");
  const bool others = !shape.fill || shape.anchored || shape.brackets || shape.minus ||
                      shape.plus || shape.roman || shape.shifts;
  if (others) return contradiction("\"EEEE\" is incompatible with other formats");
  shape.exponent = true;
  return {};
}

SqlStatus add_mark(Mark mark, NumberTemplate& shape) {
  if (shape.exponent && mark != Mark::kExponent)
    return contradiction("\"EEEE\" must be the last pattern used");
  switch (mark) {
    case Mark::kDigit:
    case Mark::kZero:
      return add_digit(mark, shape);
    case Mark::kPoint:
      if (shape.point) return contradiction("multiple decimal points");
      if (shape.shifts) return contradiction("cannot use \"V\" and decimal point together");
      shape.point = true;
      return {};
    case Mark::kShift:
      if (shape.point) return contradiction("cannot use \"V\" and decimal point together");
      shape.shifts = true;
      return {};
    case Mark::kFill:
      shape.fill = false;
      return {};
    case Mark::kAnchoredSign:
    case Mark::kMinus:
    case Mark::kPlus:
    case Mark::kSign:
    case Mark::kBrackets:
      return add_sign(mark, shape);
    case Mark::kRoman:
    case Mark::kRomanLower:
      shape.roman = true;
      return {};
    case Mark::kExponent:
      return add_exponent(shape);
    default:
      return {};
  }
}

void add_text(std::string_view text, NumberTemplate& shape) {
  if (shape.cells.empty() || shape.cells.back().mark != Mark::kText)
    shape.cells.push_back({.mark = Mark::kText});
  shape.cells.back().text += text;
}

/// What stands in quotes, where a backslash takes the next character as it is.
void add_quoted(std::string_view& rest, NumberTemplate& shape) {
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    add_text(rest.substr(0, 1), shape);
    rest.remove_prefix(1);
  }
  if (!rest.empty()) rest.remove_prefix(1);
}

}  // namespace

SqlResult<NumberTemplate> number_template(std::string_view format) {
  NumberTemplate shape;
  std::string_view rest = format;
  while (!rest.empty()) {
    if (const Word* word = word_at(rest)) {
      LEAT_TRY(add_mark(word->mark, shape));
      shape.cells.push_back({.mark = word->mark});
      rest.remove_prefix(word->text.size());
    } else if (rest.front() == '"') {
      add_quoted(rest, shape);
    } else {
      if (rest.starts_with("\\\"")) rest.remove_prefix(1);
      add_text(rest.substr(0, 1), shape);
      rest.remove_prefix(1);
    }
  }
  if (shape.anchored && shape.digits_before_sign == shape.whole + shape.shift)
    shape.sign_behind = true;
  return shape;
}

}  // namespace leat::engine
