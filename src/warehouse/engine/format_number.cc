// Numbers by a template: TO_CHAR(number, '9,999D99S').
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/format_template.h"

namespace leat::engine {

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return result;
}

std::string_view ordinal_of(std::int64_t number) {
  const std::int64_t tens = std::abs(number) % 100;
  if (tens >= 11 && tens <= 13) return "th";
  constexpr std::string_view kEndings[] = {"th", "st", "nd", "rd"};
  const std::int64_t last = tens % 10;
  return kEndings[last < 4 ? last : 0];
}

namespace {

/// A numeric template.
struct NumberTemplate {
  std::string cells;    ///< one character for each: 9 0 , . $ + - and text; see below
  int whole = 0;        ///< digits before the point
  int fraction = 0;     ///< digits after it
  int shift = 0;        ///< digits after V
  int first_zero = -1;  ///< the first 0 before the point, counted in digits
  int last_zero = 0;    ///< the last 0 after it
  bool fill = true;
  bool sign_anchored = false;  ///< S before the digits
  bool sign_written = false;   ///< S behind them, MI, SG
  bool brackets = false;
  bool exponent = false;
  char roman = 0;    ///< R or r
  char ordinal = 0;  ///< T or t
};

// Cells that are no characters of their own.
constexpr char kSignCell = '\1';   // S behind, SG: + or -
constexpr char kMinusCell = '\2';  // MI: - or blank
constexpr char kPlusCell = '\3';   // PL: + or blank
constexpr char kText = '\4';       // the next character stands for itself

NumberTemplate number_template(std::string_view format) {
  NumberTemplate parsed;
  bool point = false;
  const auto word = [&](std::size_t at, std::string_view name) {
    return equal_ignore_case(format.substr(at, name.size()), name);
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    const char upper = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (word(i, "FM")) {
      parsed.fill = false;
      ++i;
    } else if (word(i, "RN")) {
      parsed.roman = c;
      ++i;
    } else if (word(i, "TH")) {
      parsed.ordinal = c;
      ++i;
    } else if (word(i, "PR")) {
      parsed.brackets = true;
      ++i;
    } else if (word(i, "MI") || word(i, "SG") || word(i, "PL")) {
      parsed.cells += upper == 'M' ? kMinusCell : (upper == 'S' ? kSignCell : kPlusCell);
      parsed.sign_written = parsed.sign_written || upper != 'P';
      ++i;
    } else if (word(i, "EEEE")) {
      parsed.exponent = true;
      i += 3;
    } else if (upper == 'S') {
      if (parsed.whole + parsed.fraction == 0) {
        parsed.sign_anchored = true;
      } else {
        parsed.cells += kSignCell;
        parsed.sign_written = true;
      }
    } else if (c == '9' || c == '0') {
      parsed.cells += c;
      if (!point) {
        if (c == '0' && parsed.first_zero < 0) parsed.first_zero = parsed.whole;
        ++parsed.whole;
      } else {
        ++parsed.fraction;
        if (c == '0') parsed.last_zero = parsed.fraction;
      }
      if (parsed.shift > 0 || (i > 0 && (format[i - 1] == 'V' || format[i - 1] == 'v')))
        ++parsed.shift;
    } else if ((c == '.' || upper == 'D') && !point) {
      point = true;
      parsed.cells += '.';
    } else if (c == ',' || upper == 'G') {
      parsed.cells += ',';
    } else if (upper == 'L' || c == '$') {
      parsed.cells += '$';
    } else if (c == '"') {
      for (++i; i < format.size() && format[i] != '"'; ++i) parsed.cells += {kText, format[i]};
    } else if (upper != 'V') {
      parsed.cells += kText;
      parsed.cells += c;
    }
  }
  return parsed;
}

/// Digits of a number, before and behind the point, rounded to `places`.
struct Digits {
  bool negative = false;
  std::string whole;  ///< without leading zeros
  std::string fraction;
};

Digits rounded_digits(std::string_view number, int places, int shift) {
  Digits digits;
  std::string text(trim(number));
  if (text.find_first_of("eE") != std::string::npos)
    text = fmt::format("{:.15f}", parse_number<double>(text).value_or(0));
  digits.negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.erase(0, 1);
  const std::size_t point = std::min(text.find('.'), text.size());
  digits.whole = text.substr(0, point);
  digits.fraction = point < text.size() ? text.substr(point + 1) : "";
  for (int i = 0; i < shift; ++i) {
    digits.whole += digits.fraction.empty() ? '0' : digits.fraction.front();
    if (!digits.fraction.empty()) digits.fraction.erase(0, 1);
  }
  const auto kept = static_cast<std::size_t>(places);
  const bool up = digits.fraction.size() > kept && digits.fraction[kept] >= '5';
  digits.fraction.resize(kept, '0');
  if (up) {
    std::string all = digits.whole + digits.fraction;
    std::size_t at = all.size();
    while (at > 0 && all[at - 1] == '9') all[--at] = '0';
    if (at > 0) {
      ++all[at - 1];
    } else {
      all.insert(0, "1");
    }
    digits.whole = all.substr(0, all.size() - kept);
    digits.fraction = all.substr(all.size() - kept);
  }
  digits.whole.erase(0, std::min(digits.whole.find_first_not_of('0'), digits.whole.size()));
  if (digits.whole.empty() && digits.fraction.find_first_not_of('0') == std::string::npos)
    digits.negative = false;
  return digits;
}

std::string roman_number(const Digits& digits, const NumberTemplate& shape) {
  const auto value = parse_number<int>(digits.whole).value_or(0);
  if (digits.negative || value < 1 || value > 3999) return std::string(15, '#');
  constexpr std::pair<int, std::string_view> kSteps[] = {
      {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  std::string text;
  int rest = value;
  for (const auto& [step, letters] : kSteps) {
    for (; rest >= step; rest -= step) text += letters;
  }
  if (shape.roman == 'r') text = to_lower(text);
  return shape.fill ? fmt::format("{:>15}", text) : text;
}

/// The sign that stands right before the first digit; 0: none.
char leading_sign(const NumberTemplate& shape, bool negative) {
  if (shape.brackets) return negative ? '<' : ' ';
  if (shape.sign_anchored) return negative ? '-' : '+';
  if (shape.sign_written) return 0;
  return negative ? '-' : ' ';
}

}  // namespace

std::string format_number(std::string_view number, std::string_view format) {
  const NumberTemplate shape = number_template(format);
  if (shape.exponent) {
    const std::string text =
        fmt::format("{:.{}e}", parse_number<double>(trim(number)).value_or(0), shape.fraction);
    return text.starts_with('-') ? text : " " + text;
  }
  const Digits digits = rounded_digits(number, shape.fraction, shape.shift);
  if (shape.roman != 0) return roman_number(digits, shape);
  const auto size = static_cast<int>(digits.whole.size());
  const bool overflow = size > shape.whole;
  // The first place before the point that shows a digit.
  int first = shape.whole - size;
  if (shape.first_zero >= 0) first = std::min(first, shape.first_zero);
  if (size == 0 && shape.fraction == 0) first = std::min(first, shape.whole - 1);
  if (overflow) first = 0;
  int fraction_shown = shape.fraction;
  if (!shape.fill) {
    while (fraction_shown > shape.last_zero &&
           digits.fraction[static_cast<std::size_t>(fraction_shown) - 1] == '0')
      --fraction_shown;
  }
  std::string out;
  bool signed_yet = false;
  const auto sign = [&] {
    const char c = std::exchange(signed_yet, true) ? '\0' : leading_sign(shape, digits.negative);
    if (c != 0 && (c != ' ' || shape.fill)) out += c;
  };
  int place = 0;  // of digits before the point
  int behind = 0;
  bool point = false;
  for (std::size_t i = 0; i < shape.cells.size(); ++i) {
    const char cell = shape.cells[i];
    if (cell == kText) {
      out += shape.cells[++i];
    } else if (cell == kSignCell) {
      out += digits.negative ? '-' : '+';
    } else if (cell == kMinusCell || cell == kPlusCell) {
      const bool shown = (cell == kMinusCell) == digits.negative;
      if (shown) out += cell == kMinusCell ? '-' : '+';
      if (!shown && shape.fill) out += ' ';
    } else if (cell == '$') {
      out += '$';
    } else if (cell == '.') {
      sign();
      point = true;
      out += '.';
    } else if (cell == ',') {
      if (place > first || point) {
        out += ',';
      } else if (shape.fill) {
        out += ' ';
      }
    } else if (point) {
      if (behind++ < fraction_shown)
        out += overflow ? '#' : digits.fraction[static_cast<std::size_t>(behind) - 1];
    } else if (place++ < first) {
      if (shape.fill) out += ' ';
    } else {
      sign();
      const int at = place - 1 - (shape.whole - size);
      out += overflow ? '#' : (at < 0 ? '0' : digits.whole[static_cast<std::size_t>(at)]);
    }
  }
  if (shape.brackets && (digits.negative || shape.fill)) out += digits.negative ? '>' : ' ';
  if (shape.ordinal != 0 && !overflow && shape.fraction == 0) {
    const auto value = parse_number<std::int64_t>(
        std::string_view(digits.whole).substr(static_cast<std::size_t>(std::max(size - 2, 0))));
    const std::string_view ending = ordinal_of(value.value_or(0));
    out += shape.ordinal == 'T' ? upper_case(ending) : std::string(ending);
  }
  return out;
}

}  // namespace leat::engine
