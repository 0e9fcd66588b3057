// Templates and patterns in the engine's spelling: TO_CHAR's and TO_DATE's formats, SIMILAR TO.
#include "base/text.h"
#include "warehouse/sql/datetime.h"

namespace leat::sql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct FormatElement {
  std::string_view element;
  std::string_view formatting;
  std::string_view parsing;  ///< empty: cannot be read
};

// Longest first where one begins another. "-" forms are chosen by FM.
constexpr FormatElement kElements[] = {
    {"YYYY", "%Y", "%Y"}, {"IYYY", "%G", ""},  {"HH24", "%H", "%H"}, {"HH12", "%I", "%I"},
    {"SSSS", "", ""},     {"MONTH", "", "%B"}, {"DAY", "", "%A"},    {"MON", "%b", "%b"},
    {"DDD", "%j", "%j"},  {"YYY", "", ""},     {"A.M.", "", "%p"},   {"P.M.", "", "%p"},
    {"YY", "%y", "%y"},   {"MM", "%m", "%m"},  {"DD", "%d", "%d"},   {"DY", "%a", "%a"},
    {"HH", "%I", "%I"},   {"MI", "%M", "%M"},  {"SS", "%S", "%S"},   {"MS", "%g", "%g"},
    {"US", "%f", "%f"},   {"AM", "%p", "%p"},  {"PM", "%p", "%p"},   {"IW", "%V", ""},
    {"ID", "%u", ""},     {"TZ", "%Z", ""},    {"OF", "%z", "%z"},
};

}  // namespace

bool is_number_format(std::string_view format) {
  bool digits = false;
  for (const char c : format) {
    if (c == '9' || c == '0') digits = true;
    if (std::string_view("YyHhIiWwQqJj").find(c) != std::string_view::npos) return false;
  }
  return digits;
}

std::optional<std::string> strftime_format(std::string_view format, bool parsing) {
  std::string out;
  bool fill = true;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] == '"') {
      const std::size_t close = format.find('"', at + 1);
      if (close == std::string_view::npos) return std::nullopt;
      for (const char c : format.substr(at + 1, close - at - 1))
        out += c == '%' ? std::string("%%") : std::string(1, c);
      at = close + 1;
      continue;
    }
    if (equal_ignore_case(format.substr(at, 2), "FM")) {
      fill = false;
      at += 2;
      continue;
    }
    const FormatElement* found = nullptr;
    for (const FormatElement& entry : kElements) {
      if (equal_ignore_case(format.substr(at, entry.element.size()), entry.element)) {
        found = &entry;
        break;
      }
    }
    if (found == nullptr) {
      if (is_letter(format[at]) && format[at] != 'T' && format[at] != 'Z') return std::nullopt;
      out += format[at] == '%' ? std::string("%%") : std::string(1, format[at]);
      ++at;
      continue;
    }
    std::string code(parsing ? found->parsing : found->formatting);
    const std::string_view written = format.substr(at, found->element.size());
    if (!parsing && (found->element == "MONTH" || found->element == "DAY")) {
      if (fill || written[1] < 'a') return std::nullopt;  // padded or upper case: not strftime's
      code = found->element == "MONTH" ? "%B" : "%A";
    }
    if (!parsing && (found->element == "MON" || found->element == "DY") &&
        !(written[0] < 'a' && written[1] >= 'a')) {
      return std::nullopt;
    }
    if (!parsing && (found->element == "AM" || found->element == "PM") && written[0] >= 'a')
      return std::nullopt;
    if (code.empty()) return std::nullopt;
    if (!fill && !parsing &&
        (code == "%d" || code == "%m" || code == "%H" || code == "%I" || code == "%M" ||
         code == "%S" || code == "%j")) {
      code.insert(1, "-");
    }
    fill = true;
    out += code;
    at += found->element.size();
  }
  return out;
}

std::string regex_of_similar_pattern(std::string_view pattern, std::string_view escape) {
  std::string regex;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (!escape.empty() && c == escape.front() && i + 1 < pattern.size()) {
      const char literal = pattern[++i];
      if (!is_letter(literal) && !is_digit(literal) && static_cast<unsigned char>(literal) < 0x80)
        regex += '\\';
      regex += literal;
    } else if (in_class) {
      if (c == ']') in_class = false;
      regex += c;
    } else if (c == '[') {
      in_class = true;
      regex += c;
    } else if (c == '%') {
      regex += ".*";
    } else if (c == '_') {
      regex += '.';
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      regex += '\\';
      regex += c;
    } else {
      regex += c;
    }
  }
  return regex;
}

}  // namespace leat::sql
