// Numbers by a template: TO_CHAR(number, '9,999D99S') and TO_NUMBER.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/format_template.h"
#include "warehouse/engine/number_template.h"

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

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number as it is shown: its digits, with as many behind the point as the template has.
struct Shown {
  bool negative = false;
  std::string digits;  ///< "0.50", "125", "##.##", "NaN"
};

/// One more in the last digit of digits without a point.
void count_up(std::string& digits) {
  std::size_t at = digits.size();
  while (at > 0 && digits[at - 1] == '9') digits[--at] = '0';
  if (at == 0) {
    digits.insert(0, "1");
  } else {
    ++digits[at - 1];
  }
}

/// Decimal text times 10 to the power of `shift`, with `places` digits behind the point; a half is
/// rounded away from zero.
Shown rounded(std::string_view number, int places, int shift) {
  Shown shown;
  std::string text(trim(number));
  shown.negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.erase(0, 1);
  if (text.find_first_not_of("0123456789.") != std::string::npos) {
    shown.digits = std::move(text);
    return shown;
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : "";
  const auto moved = static_cast<std::size_t>(shift);
  fraction.resize(std::max(fraction.size(), moved), '0');
  whole += fraction.substr(0, moved);
  fraction.erase(0, moved);
  const auto kept = static_cast<std::size_t>(places);
  const bool up = fraction.size() > kept && fraction[kept] >= '5';
  fraction.resize(kept, '0');
  std::string all = whole + fraction;
  if (up) count_up(all);
  whole = all.substr(0, all.size() - kept);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (all.find_first_not_of('0') == std::string::npos) shown.negative = false;
  shown.digits = whole.empty() ? "0" : whole;
  if (kept > 0) shown.digits += "." + all.substr(all.size() - kept);
  return shown;
}

/// A binary number has no more digits than its type keeps: those behind the point give way.
Shown rounded(double number, int digits_max, NumberTemplate& shape) {
  const double value = number * std::pow(10.0, shape.shift);
  const auto size = static_cast<int>(fmt::format("{:.0f}", std::abs(value)).size());
  shape.fraction = std::min(shape.fraction, std::max(digits_max - size, 0));
  std::string text = fmt::format("{:.{}f}", value, shape.fraction);
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  if (std::isnan(value)) text = "NaN";
  if (std::isinf(value)) text = "Infinity";
  return {.negative = negative && !std::isnan(value), .digits = std::move(text)};
}

constexpr int kRomanWidth = 15;

std::string roman_number(std::string_view digits, bool negative) {
  const auto value = parse_number<int>(digits).value_or(0);
  if (negative || value < 1 || value > 3999) return std::string(kRomanWidth, '#');
  constexpr std::pair<int, std::string_view> kSteps[] = {
      {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  std::string text;
  int rest = value;
  for (const auto& [step, letters] : kSteps) {
    for (; rest >= step; rest -= step) text += letters;
  }
  return text;
}

/// Writes a number into the cells of a template, from left to right.
class NumberWriter {
 public:
  NumberWriter(const NumberTemplate& shape, Shown shown)
      : shape_(shape), digits_(std::move(shown.digits)), negative_(shown.negative) {
    places_ = shape.whole + shape.shift;
    const auto size = static_cast<int>(std::min(digits_.find('.'), digits_.size()));
    if (shape.roman) {
      digits_ = roman_number(digits_, negative_);
    } else if (size > places_) {
      digits_ = std::string(static_cast<std::size_t>(places_), '#') + "." +
                std::string(static_cast<std::size_t>(shape.fraction), '#');
    } else {
      blanks_ = places_ - size;
    }
    brackets_ = shape.brackets && (negative_ || shape.fill);
    // MI, PL and SG write a sign by themselves; PL leaves the minus to the number.
    signed_yet_ = shape.minus || (!shape.plus && !negative_ && !shape.fill && !shape.anchored);
    if (!shape.fill && shape.point) last_ = last_shown();
    cells_ = shape.fraction + places_ - 1 + (signed_yet_ || blanks_ > 0 ? 0 : 1) +
             (blanks_ > 0 ? 1 : 0) + (shape.point ? 1 : 0);
  }

  std::string write() {
    for (const NumberCell& cell : shape_.cells) {
      write_cell(cell);
      if (ended_) break;
    }
    return std::move(out_);
  }

 private:
  /// With FM: the last character that is shown, the point at least.
  [[nodiscard]] std::optional<std::size_t> last_shown() const {
    const std::size_t point = digits_.find('.');
    if (point == std::string::npos) return std::nullopt;
    const std::size_t last = std::max(digits_.find_last_not_of('0'), point);
    if (shape_.zeros_end <= blanks_) return last;
    // What the template has a 0 for stays.
    return std::max(
        last, std::min(digits_.size() - 1, static_cast<std::size_t>(shape_.zeros_end - blanks_)));
  }
  [[nodiscard]] bool ends_in_point() const { return last_ && digits_[*last_] == '.'; }
  /// The 0 before the point that `9.9` shows as a blank.
  [[nodiscard]] bool is_hidden_zero() const {
    return shape_.first_zero < 0 && next_ == 0 && digits_.front() == '0' && shape_.fraction != 0;
  }

  void write_cell(const NumberCell& cell) {
    const char sign = negative_ ? '-' : '+';
    switch (cell.mark) {
      case Mark::kText:
        out_ += cell.text;
        break;
      case Mark::kDigit:
      case Mark::kZero:
      case Mark::kPoint:
        if (!shape_.roman) write_digit(cell.mark);
        break;
      case Mark::kGroup:
        if (in_number_) out_ += ',';
        if (!in_number_ && shape_.fill) out_ += ' ';
        break;
      case Mark::kCurrency:
        out_ += '$';
        break;
      case Mark::kMinus:
      case Mark::kPlus:
        write_sign_of(cell.mark == Mark::kMinus ? '-' : '+');
        break;
      case Mark::kSign:
        if (!shape_.roman) out_ += sign;
        break;
      case Mark::kRoman:
        out_ += fmt::format("{:>{}}", digits_, shape_.fill ? kRomanWidth : 0);
        break;
      case Mark::kRomanLower:
        out_ += fmt::format("{:>{}}", to_lower(digits_), shape_.fill ? kRomanWidth : 0);
        break;
      case Mark::kOrdinal:
      case Mark::kOrdinalLower:
        write_ordinal(cell.mark == Mark::kOrdinal);
        break;
      default:
        break;
    }
  }

  /// MI or PL: the sign where the number has it.
  void write_sign_of(char sign) {
    const bool has = !shape_.roman && (sign == '-') == negative_;
    if (has || shape_.fill) out_ += has ? sign : ' ';
  }

  void write_ordinal(bool upper) {
    if (shape_.roman || negative_ || shape_.point || !is_digit(digits_.back())) return;
    const std::size_t from = digits_.size() - std::min<std::size_t>(digits_.size(), 2);
    const std::string_view ending =
        ordinal_of(parse_number<std::int64_t>(std::string_view(digits_).substr(from)).value_or(0));
    out_ += upper ? upper_case(ending) : std::string(ending);
  }

  /// The sign right before the number.
  void write_leading_sign() {
    const bool begins = place_ >= blanks_ || shape_.first_zero == place_;
    if (signed_yet_ || !begins || (is_hidden_zero() && !ends_in_point())) return;
    if (shape_.anchored) {
      if (shape_.sign_behind) return;
      out_ += negative_ ? '-' : '+';
    } else if (brackets_) {
      out_ += negative_ ? '<' : ' ';
    } else if (negative_) {
      out_ += '-';
    } else if (shape_.fill) {
      out_ += ' ';
    }
    signed_yet_ = true;
  }

  void write_digit(Mark mark) {
    in_number_ = false;
    write_leading_sign();
    if (place_ < blanks_) {
      if (shape_.first_zero >= 0 && shape_.first_zero <= place_) {
        out_ += '0';
        in_number_ = true;
      } else if (shape_.fill) {
        out_ += ' ';
      }
    } else {
      write_own_digit(mark);
      if (ended_) return;
      ++next_;
    }
    write_sign_behind();
    ++place_;
  }

  void write_own_digit(Mark mark) {
    const char digit = next_ < digits_.size() ? digits_[next_] : '\0';
    if (digit == '.') {
      if (!ends_in_point() || !shape_.fill) out_ += '.';
    } else if (last_ && next_ > *last_ && mark != Mark::kZero) {
      return;
    } else if (is_hidden_zero()) {
      if (shape_.fill) out_ += ' ';
      if (!shape_.fill && ends_in_point()) out_ += '0';
    } else if (digit == '\0') {  // a point without digits behind it, and what stands behind it
      ended_ = true;
    } else {
      out_ += digit;
      in_number_ = true;
    }
  }

  /// After the last digit.
  void write_sign_behind() {
    const int end = last_ && *last_ == next_ ? place_ : cells_;
    if (place_ + 1 != end) return;
    if (signed_yet_ && brackets_) {
      out_ += negative_ ? '>' : ' ';
    } else if (shape_.anchored && shape_.sign_behind) {
      out_ += negative_ ? '-' : '+';
    }
  }

  const NumberTemplate& shape_;
  std::string digits_;
  bool negative_;
  bool brackets_ = false;
  int places_ = 0;        ///< before the point
  int blanks_ = 0;        ///< of them, before the number's first digit
  int cells_ = 0;         ///< of digits and the point, with one for the sign
  int place_ = 0;         ///< cells of digits and the point so far
  std::size_t next_ = 0;  ///< of digits_
  std::optional<std::size_t> last_;
  bool signed_yet_ = false;
  bool in_number_ = false;  ///< the cell before showed a digit
  bool ended_ = false;      ///< a cell found no digit left: nothing more is shown
  std::string out_;
};

/// EEEE: sign or blank, one digit, those behind the point, the exponent.
std::string scientific(double number, int fraction) {
  std::string text = fmt::format("{:.{}e}", number, fraction);
  return text.starts_with('-') ? text : " " + text;
}

}  // namespace

SqlResult<std::string> format_number(std::string_view number, std::string_view format) {
  LEAT_ASSIGN(NumberTemplate shape, number_template(format));
  const std::string_view text = trim(number);
  if (shape.exponent) return scientific(parse_number<double>(text).value_or(0), shape.fraction);
  // 1e+20: of a type that nothing was known of when the statement was read.
  if (text.find_first_of("eE") != std::string_view::npos) {
    if (const auto value = parse_number<double>(text)) return format_number(*value, 15, format);
  }
  Shown shown = rounded(text, shape.roman ? 0 : shape.fraction, shape.roman ? 0 : shape.shift);
  return NumberWriter(shape, std::move(shown)).write();
}

SqlResult<std::string> format_number(double number, int digits_max, std::string_view format) {
  LEAT_ASSIGN(NumberTemplate shape, number_template(format));
  if (shape.exponent) return scientific(number, shape.fraction);
  if (shape.roman) shape.fraction = shape.shift = 0;
  Shown shown = rounded(number, digits_max, shape);
  return NumberWriter(shape, std::move(shown)).write();
}

namespace {

/// Reads a number by the cells of a template, from left to right.
class NumberReader {
 public:
  NumberReader(const NumberTemplate& shape, std::string_view text) : shape_(shape), rest_(text) {}

  std::string read() {
    for (const NumberCell& cell : shape_.cells) {
      if (rest_.empty()) break;
      read_cell(cell);
    }
    if (digits_.ends_with('.')) digits_.pop_back();
    return (negative_ && *negative_ ? "-" : "") + digits_;
  }

 private:
  [[nodiscard]] bool begun() const { return !digits_.empty(); }

  void skip(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }
  /// Up to so many characters that belong to no number.
  void skip_text(std::size_t count) {
    while (count-- > 0 && !rest_.empty() && rest_.front() != ',' && rest_.front() != '.' &&
           rest_.front() != '+' && rest_.front() != '-' && !is_digit(rest_.front()))
      skip(1);
  }
  bool read_sign() {
    if (rest_.empty() || (rest_.front() != '-' && rest_.front() != '+')) return false;
    negative_ = rest_.front() == '-';
    skip(1);
    return true;
  }

  void read_cell(const NumberCell& cell) {
    switch (cell.mark) {
      case Mark::kText:  // as many characters as it has
        return skip(cell.text.size());
      case Mark::kDigit:
      case Mark::kZero:
      case Mark::kPoint:
        return read_digit(cell.mark);
      case Mark::kGroup:
        if (rest_.front() == ',' && (begun() || shape_.fill)) skip(1);
        return;
      case Mark::kCurrency:
        return skip_text(1);
      case Mark::kMinus:
      case Mark::kPlus:
      case Mark::kSign: {
        const char wanted = cell.mark == Mark::kPlus ? '+' : '-';
        if (rest_.front() == wanted || (cell.mark == Mark::kSign && rest_.front() == '+')) {
          (void)read_sign();
        } else {
          skip_text(1);
        }
        return;
      }
      case Mark::kOrdinal:
      case Mark::kOrdinalLower:
        return skip_text(2);
      default:
        return;
    }
  }

  void read_digit(Mark mark) {
    if (rest_.front() == ' ') skip(1);
    if (rest_.empty()) return;
    if (!negative_ && mark != Mark::kPoint && !begun()) {
      if (shape_.brackets && rest_.front() == '<') {
        negative_ = true;
        skip(1);
      } else {
        (void)read_sign();
      }
    }
    if (rest_.empty()) return;
    const char c = rest_.front();
    const bool digit = is_digit(c) && !(point_ && behind_ == shape_.fraction);
    const bool point = c == '.' && shape_.point && !point_;
    if (digit || point) {
      digits_ += c;
      behind_ += digit && point_ ? 1 : 0;
      point_ = point_ || point;
    }
    // A sign behind the last digit.
    const bool read = digit || point;
    const bool open = !negative_ && begun();
    if (open && !read && (shape_.plus || shape_.minus) && read_sign()) return;
    skip(1);  // what is no digit takes the place of one
    if (open && read && shape_.anchored) (void)read_sign();
  }

  const NumberTemplate& shape_;
  std::string_view rest_;
  std::string digits_;
  std::optional<bool> negative_;
  bool point_ = false;
  int behind_ = 0;  ///< digits behind the point
};

}  // namespace

SqlResult<std::string> read_number(std::string_view text, std::string_view format) {
  LEAT_ASSIGN(const NumberTemplate shape, number_template(format));
  if (shape.roman) return fail_sql("0A000", "\"RN\" not supported for input");
  if (shape.exponent) return fail_sql("0A000", "\"EEEE\" not supported for input");
  std::string digits = NumberReader(shape, text).read();
  if (digits.find_first_of("0123456789") == std::string::npos)
    return fail_sql("22P02", fmt::format("invalid input syntax for type numeric: \"{}\"", text));
  const std::size_t point_at = std::min(digits.find('.'), digits.size());
  const std::size_t first = std::min(digits.find_first_not_of("-0"), point_at);
  if (point_at - first > static_cast<std::size_t>(shape.whole + shape.shift))
    return fail_sql("22003", "numeric field overflow");
  if (shape.shift == 0) return digits;
  // V: the point stands that many digits from the end.
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const auto moved = static_cast<std::size_t>(shape.shift);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  if (point < digits.size()) digits.erase(point, 1);
  std::size_t whole = point - sign;
  if (whole < moved + 1) {
    digits.insert(sign, moved + 1 - whole, '0');
    whole = moved + 1;
  }
  digits.insert(sign + whole - moved, 1, '.');
  return digits;
}

}  // namespace leat::engine
