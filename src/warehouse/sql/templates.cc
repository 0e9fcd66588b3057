// Templates and patterns in the engine's spelling: TO_CHAR's and TO_DATE's formats, SIMILAR TO.
#include <algorithm>

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

}  // namespace

bool is_number_format(std::string_view format) {
  bool zero = false;
  bool moment = false;
  bool quoted = false;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '"') quoted = !quoted;
    if (quoted) continue;
    const std::string_view pair = format.substr(i, 2);
    if (format[i] == '9' || equal_ignore_case(pair, "RN")) return true;
    zero = zero || format[i] == '0';
    moment = moment || std::string_view("YyHhWwQqJj").find(format[i]) != std::string_view::npos;
  }
  return zero && !moment;
}

std::int32_t number_format_scale(std::string_view format) {
  constexpr std::int32_t kScaleMax = 37;
  std::int32_t scale = 0;
  bool behind = false;
  bool shifted = false;
  bool quoted = false;
  for (const char c : format) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    behind = behind || c == '.' || c == 'D' || c == 'd';
    shifted = shifted || c == 'V' || c == 'v';
    if ((behind && (c == '9' || c == '0')) || (shifted && c == '9')) ++scale;
  }
  return std::min(scale, kScaleMax);
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
