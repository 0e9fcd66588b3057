#include "pipeline/event/json_tree.h"

#include <gtest/gtest.h>

#include "base/json_compact.h"

namespace leat::event {
namespace {

TEST(JsonTree, ReadsEveryKind) {
  const auto value = parse_json(R"( {"a":null,"b":[true,false],"c":-1.5e+3,"d":{"e":"x"}} )");
  ASSERT_TRUE(value) << value.error().to_string();
  ASSERT_EQ(value->kind, JsonKind::kObject);
  EXPECT_EQ(value->find("a")->kind, JsonKind::kNull);
  EXPECT_EQ(value->find("b")->items.size(), 2U);
  EXPECT_TRUE(value->find("b")->items[0].boolean);
  EXPECT_EQ(value->find("c")->raw, "-1.5e+3");
  EXPECT_EQ(value->find("d")->find("e")->text, "x");
  EXPECT_EQ(value->find("z"), nullptr);
}

TEST(JsonTree, LastMemberOfANameWins) {
  const auto value = parse_json(R"({"a":1,"a":2})");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->find("a")->raw, "2");
}

TEST(JsonTree, DecodesStrings) {
  const struct {
    std::string_view inside;
    std::string_view text;
  } cases[] = {{R"(a\"b\\c\/d)", "a\"b\\c/d"},
               {R"(\b\f\n\r\t)", "\b\f\n\r\t"},
               {R"(\u0041\u00e9\u65e5)", "A\xc3\xa9\xe6\x97\xa5"},
               {R"(\ud83d\ude80!)", "\xf0\x9f\x9a\x80!"}};
  for (const auto& c : cases) {
    std::string out;
    TextFlaws flaws;
    EXPECT_TRUE(decode_json_text(c.inside, out, flaws)) << c.inside;
    EXPECT_EQ(out, c.text);
    EXPECT_FALSE(flaws.any());
  }
}

TEST(JsonTree, ReportsFlawsOfText) {
  std::string out;
  TextFlaws flaws;
  EXPECT_TRUE(decode_json_text(R"(a\u0000b)", out, flaws));
  EXPECT_TRUE(flaws.has_nul);
  for (const auto* lone :
       {R"(\ud83d)", R"(\ud83dx)", R"(\ud83d\n)", R"(\ude80)", R"(\ud83d\u0041)"}) {
    flaws = {};
    out.clear();
    EXPECT_TRUE(decode_json_text(lone, out, flaws)) << lone;
    EXPECT_TRUE(flaws.has_lone_surrogate) << lone;
    EXPECT_TRUE(out.starts_with("\xef\xbf\xbd")) << lone;
  }
}

TEST(JsonTree, RefusesWhatIsNotJson) {
  for (const std::string_view text : {"",         " ",           "{",
                                      "}",        "[1,]",        "{\"a\"}",
                                      "{\"a\":}", "{\"a\":1,}",  "{a:1}",
                                      "[1 2]",    "01",          "1.",
                                      ".5",       "+1",          "-",
                                      "1e",       "1e+",         "tru",
                                      "nul",      "NaN",         "\"",
                                      "\"\\x\"",  "\"\\u12g4\"", "\"\n\"",
                                      "1 2",      "\"\xff\"",    "\"\xed\xa0\x80\"",
                                      "\"\\",     "\"abc\\\""}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

TEST(JsonTree, LimitsNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax)));
  const auto deep = parse_json(nested(kJsonDepthMax + 1));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Errc::kExhausted);
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(JsonTree, CompactsOutsideStringsOnly) {
  const auto value = parse_json("[ 1 ,\t{ \"a b\" : \"c \\\" d\" } ,\n\"\\\\\" ]");
  ASSERT_TRUE(value);
  std::string out;
  append_compact_json(out, value->raw);
  EXPECT_EQ(out, "[1,{\"a b\":\"c \\\" d\"},\"\\\\\"]");
}

TEST(JsonTree, KnowsNumbers) {
  for (const auto* yes : {"0", "-0", "12", "1.50", "1e5", "-2.5E-10"})
    EXPECT_TRUE(is_json_number(yes));
  for (const auto* no : {"", "012", "+1", "1.", "0x1", "1e", " 1", "1 "})
    EXPECT_FALSE(is_json_number(no));
}

}  // namespace
}  // namespace leat::event
