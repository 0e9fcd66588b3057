#include "app/env_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::app {
namespace {

// The value of NAME after reading `line`, or the mistake's text.
std::string value_of(std::string_view line) {
  const EnvFile file = parse_env_file(line);
  if (!file.mistakes.empty()) return "mistake: " + file.mistakes.front().second;
  return file.settings.empty() ? "nothing"
                               : file.settings.front().name + "=" + file.settings.front().value;
}

TEST(EnvFile, ReadsValues) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"A=1", "A=1"},
      {"  export A = b c  ", "A=b c"},
      {"A=b # rest", "A=b"},
      {"A=b#c", "A=b#c"},
      {"A=", "A="},
      {"A='x # $y \\n'", "A=x # $y \\n"},
      {"A=\"a\\\"b\\\\c\\n\" # rest", "A=a\"b\\c\n"},
      {"A=b=c", "A=b=c"},
      {"# A=1", "nothing"},
      {"   ", "nothing"},
      {"A=1\r", "A=1"},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(value_of(line), expected) << line;
}

TEST(EnvFile, SaysWhatIsNoSetting) {
  const std::string shape = "mistake: not a setting; allowed: NAME=VALUE, or # and a comment";
  EXPECT_EQ(value_of("A"), shape);
  EXPECT_EQ(value_of("=b"), shape);
  EXPECT_EQ(value_of("1A=b"), shape);
  EXPECT_EQ(value_of("A B=c"), shape);
  const std::string quotes =
      "mistake: A: the quotes do not close the value; allowed: VALUE, 'VALUE' or \"VALUE\"";
  EXPECT_EQ(value_of("A=\"b"), quotes);
  EXPECT_EQ(value_of("A=\"b\\"), quotes);
  EXPECT_EQ(value_of("A=\"b\" c"), quotes);
  EXPECT_EQ(value_of("A='b"), quotes);
  EXPECT_EQ(value_of("A=\"\\q\""), quotes);
}

TEST(EnvFile, CountsLines) {
  const EnvFile file = parse_env_file("A=1\n\n# c\nB=2\nbad\nA=3");
  ASSERT_EQ(file.settings.size(), 3U);
  EXPECT_EQ(file.settings[1].line, 4U);
  EXPECT_EQ(file.settings[2].value, "3");
  ASSERT_EQ(file.mistakes.size(), 1U);
  EXPECT_EQ(file.mistakes[0].first, 5U);
}

}  // namespace
}  // namespace leat::app
