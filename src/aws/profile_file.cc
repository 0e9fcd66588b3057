#include "aws/profile_file.h"

#include <fmt/format.h>

#include "base/text.h"

namespace leat::aws {
namespace {

std::string without_outer_quotes(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.front() == text.back()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

// "profile  'my name'" becomes "profile my name".
std::string section_name(std::string_view text) {
  text = trim(text);
  const std::size_t space = text.find_first_of(" \t");
  if (space == std::string_view::npos) return without_outer_quotes(text);
  return fmt::format("{} {}", text.substr(0, space), without_outer_quotes(text.substr(space)));
}

class ProfileReader {
 public:
  explicit ProfileReader(std::string_view path) : path_(path) {}

  Status take(std::string_view line) {
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (indented && !last_name_.empty()) return continue_value(text);
    if (text.front() == '[') return begin_section(text);
    return take_setting(text);
  }

  Sections finish() { return std::move(sections_); }

 private:
  std::unexpected<Error> broken(std::string_view what) const {
    return fail(Errc::kInvalid, fmt::format("{}:{}: {}; correct the file", path_, number_, what));
  }

  Status begin_section(std::string_view text) {
    if (text.back() != ']') return broken("a section's name has no ']'");
    current_ = &sections_[section_name(text.substr(1, text.size() - 2))];
    last_name_.clear();
    return {};
  }

  Status take_setting(std::string_view text) {
    const std::size_t delimiter = text.find_first_of("=:");
    if (delimiter == std::string_view::npos || delimiter == 0) {
      return broken("the line is no [section], no 'name = value' and no comment");
    }
    if (current_ == nullptr) return broken("a setting stands before the first [section]");
    last_name_ = to_lower(trim(text.substr(0, delimiter)));
    (*current_)[last_name_] = trim(text.substr(delimiter + 1));
    return {};
  }

  // Under a setting without a value, settings of its own; else more of the value.
  Status continue_value(std::string_view text) {
    std::string& value = (*current_)[last_name_];
    if (!value.empty()) {
      value += '\n';
      value += text;
      return {};
    }
    const std::size_t delimiter = text.find_first_of("=:");
    if (delimiter == std::string_view::npos || delimiter == 0) {
      return broken("an indented line is no 'name = value'");
    }
    const std::string name = to_lower(trim(text.substr(0, delimiter)));
    (*current_)[last_name_ + "." + name] = trim(text.substr(delimiter + 1));
    return {};
  }

  std::string_view path_;
  int number_ = 0;
  Sections sections_;
  Settings* current_ = nullptr;
  std::string last_name_;
};

}  // namespace

Result<Sections> parse_profile_text(std::string_view text, std::string_view path) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  ProfileReader reader(path);
  for (const std::string_view line : split(text, '\n')) LEAT_TRY(reader.take(line));
  return reader.finish();
}

Result<std::vector<std::string>> split_command(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else if (c == '\\' && quote == '"' && i + 1 < command.size() &&
                 (command[i + 1] == '"' || command[i + 1] == '\\')) {
        word += command[++i];
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && i + 1 < command.size()) {
      word += command[++i];
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') return fail(Errc::kInvalid, "a quote of the command is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace leat::aws
