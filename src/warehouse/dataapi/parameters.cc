#include "warehouse/dataapi/parameters.h"

#include <algorithm>

namespace leat::dataapi {
namespace {

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Ends of the lexical pieces in which a colon means nothing. Each takes the byte where the piece
/// begins and gives the one behind it; an unterminated piece ends with the text.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  [[nodiscard]] char at(std::size_t position) const {
    return position < sql_.size() ? sql_[position] : '\0';
  }

  [[nodiscard]] std::size_t end_of_string(std::size_t begin) const {
    std::size_t i = begin + 1;
    while (i < sql_.size()) {
      if (sql_[i] == '\\' || (sql_[i] == '\'' && at(i + 1) == '\'')) {
        i += 2;
      } else if (sql_[i] != '\'') {
        ++i;
      } else {
        return i + 1;
      }
    }
    return sql_.size();
  }

  [[nodiscard]] std::size_t end_of_identifier(std::size_t begin) const {
    const std::size_t close = sql_.find('"', begin + 1);
    return close == std::string_view::npos ? sql_.size() : close + 1;
  }

  [[nodiscard]] std::size_t end_of_line(std::size_t begin) const {
    return std::min(sql_.find('\n', begin), sql_.size());
  }

  [[nodiscard]] std::size_t end_of_comment(std::size_t begin) const {
    std::size_t depth = 0;
    std::size_t i = begin;
    while (i < sql_.size()) {
      if (sql_[i] == '/' && at(i + 1) == '*') {
        ++depth;
        i += 2;
      } else if (sql_[i] == '*' && at(i + 1) == '/') {
        i += 2;
        if (--depth == 0) return i;
      } else {
        ++i;
      }
    }
    return sql_.size();
  }

  [[nodiscard]] std::size_t end_of_dollar(std::size_t begin) const {
    std::size_t tag_end = begin + 1;
    while (is_name_character(at(tag_end))) ++tag_end;
    if (at(tag_end) != '$') return begin + 1;
    const std::string_view tag = sql_.substr(begin, tag_end + 1 - begin);
    const std::size_t close = sql_.find(tag, tag_end + 1);
    return close == std::string_view::npos ? sql_.size() : close + tag.size();
  }

  /// Words and numbers, which may hold dollar signs.
  [[nodiscard]] std::size_t end_of_word(std::size_t begin) const {
    std::size_t end = begin;
    while (is_name_character(at(end)) || (end > begin && at(end) == '$')) ++end;
    return end;
  }

  /// The piece that begins at `begin`, if one does; else `begin`.
  [[nodiscard]] std::size_t end_of_quiet(std::size_t begin) const {
    const char c = at(begin);
    if (is_name_character(c)) return end_of_word(begin);
    if (c == '\'') return end_of_string(begin);
    if (c == '"') return end_of_identifier(begin);
    if (c == '-' && at(begin + 1) == '-') return end_of_line(begin);
    if (c == '/' && at(begin + 1) == '*') return end_of_comment(begin);
    if (c == '$') return end_of_dollar(begin);
    if (c == ':' && at(begin + 1) == ':') return begin + 2;
    return begin;
  }

  [[nodiscard]] std::string_view name_at(std::size_t begin) const {
    std::size_t end = begin;
    while (is_name_character(at(end))) ++end;
    return sql_.substr(begin, end - begin);
  }

 private:
  std::string_view sql_;
};

}  // namespace

std::size_t PositionalSql::original_position(std::size_t position) const {
  std::size_t original = position;
  for (const auto& [here, there] : places) {
    if (here > position) break;
    original = there + (position - here);
  }
  return original;
}

PositionalSql to_positional(std::string_view sql, std::span<const SqlParameter> parameters) {
  PositionalSql out;
  if (parameters.empty()) {
    out.text = sql;
    return out;
  }
  const Scanner scanner(sql);
  std::size_t i = 0;
  while (i < sql.size()) {
    if (const std::size_t end = scanner.end_of_quiet(i); end > i) {
      out.text.append(sql.substr(i, end - i));
      i = end;
      continue;
    }
    const std::string_view name = sql[i] == ':' ? scanner.name_at(i + 1) : std::string_view();
    const auto found = std::ranges::find(parameters, name, &SqlParameter::name);
    if (name.empty() || found == parameters.end()) {
      out.text.push_back(sql[i++]);
      continue;
    }
    const auto index = static_cast<std::size_t>(found - parameters.begin());
    auto known = std::ranges::find(out.order, index);
    if (known == out.order.end()) known = out.order.insert(out.order.end(), index);
    out.text += "$" + std::to_string(known - out.order.begin() + 1);
    // "$1" and a digit behind it would be another number.
    if (is_name_character(scanner.at(i + 1 + name.size()))) out.text += ' ';
    i += 1 + name.size();
    out.places.emplace_back(out.text.size(), i);
  }
  return out;
}

}  // namespace leat::dataapi
