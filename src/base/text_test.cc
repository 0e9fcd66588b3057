#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Text, WritesJsonStrings) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\x01é"), "\"a\\\"b\\\\c\\n\\t\\u0001é\"");
  EXPECT_EQ(json_string(""), "\"\"");
}

TEST(Text, CutsAtCharacters) {
  EXPECT_EQ(utf8_prefix("aé", 2), "a");
  EXPECT_EQ(utf8_prefix("aé", 3), "aé");
  EXPECT_EQ(utf8_prefix("日本", 4), "日");
  EXPECT_EQ(utf8_prefix("日本", 2), "");
}

TEST(Text, ChecksUtf8) {
  EXPECT_TRUE(is_utf8("plain, é, 日本, 🚀"));
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
}

TEST(Text, FindsNearMisses) {
  const std::vector<std::string> keys = {"collect.listen", "console.listen", "data_dir"};
  EXPECT_EQ(near_miss("colect.listen", keys), "collect.listen");
  EXPECT_EQ(near_miss("datadir", keys), "data_dir");
  EXPECT_EQ(near_miss("zzz", keys), std::nullopt);
}

TEST(Text, CountsBytes) {
  EXPECT_EQ(count_byte("", '\n'), 0U);
  EXPECT_EQ(count_byte("\n", '\n'), 1U);
  EXPECT_EQ(count_byte("a\n\nb\n", '\n'), 3U);
  EXPECT_EQ(count_byte(std::string(100'000, 'x') + "\n" + std::string(7, '\n'), '\n'), 8U);
  // Every size around the blocks that are counted at once, all bytes wanted.
  for (const std::size_t size : {15U, 16U, 17U, 31U, 4079U, 4080U, 4081U, 4096U, 70'000U}) {
    EXPECT_EQ(count_byte(std::string(size, '\xff'), '\xff'), size);
    EXPECT_EQ(count_byte(std::string(size, 'a') + '\xff', '\xff'), 1U);
  }
}

TEST(Text, SplitsAndTrims) {
  EXPECT_THAT(split("a,,b", ','), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(parse_number<int>("12"), 12);
  EXPECT_EQ(parse_number<int>("12x"), std::nullopt);
  EXPECT_EQ(parse_number<std::uint8_t>("256"), std::nullopt);
}

}  // namespace
}  // namespace leat
