#include "app/env_file.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace leat::app {
namespace {

constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

bool is_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of(kNameCharacters) == std::string_view::npos &&
         (name.front() < '0' || name.front() > '9');
}

bool only_comment_follows(std::string_view rest) {
  rest = trim(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<char> unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '$':
      return c;
    default:
      return std::nullopt;
  }
}

// `text` starts with the opening double quote.
std::optional<std::string> double_quoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"')
      return only_comment_follows(text.substr(i + 1)) ? std::optional(out) : std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    const auto plain = unescape(text[i]);
    if (!plain) return std::nullopt;
    out += *plain;
  }
  return std::nullopt;
}

std::optional<std::string> read_value(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.front() == '"') return double_quoted(text);
  if (text.front() == '\'') {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos || !only_comment_follows(text.substr(end + 1)))
      return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  const std::size_t comment = text.find(" #");
  return std::string(trim(text.substr(0, comment)));
}

}  // namespace

EnvFile parse_env_file(std::string_view text) {
  EnvFile file;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !is_name(trim(line.substr(0, equals)))) {
      file.mistakes.emplace_back(number, "not a setting; allowed: NAME=VALUE, or # and a comment");
      continue;
    }
    const std::string_view name = trim(line.substr(0, equals));
    auto value = read_value(trim(line.substr(equals + 1)));
    if (!value) {
      file.mistakes.emplace_back(
          number,
          fmt::format("{}: the quotes do not close the value; allowed: VALUE, 'VALUE' or \"VALUE\"",
                      name));
      continue;
    }
    file.settings.push_back({number, std::string(name), std::move(*value)});
  }
  return file;
}

}  // namespace leat::app
