#include "warehouse/sql/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::sql {
namespace {

std::string shown(std::string_view script) {
  static constexpr std::string_view kKinds[] = {"word",      "quoted",   "string", "number",
                                                "parameter", "operator", "end"};
  const auto list = tokenize(script);
  if (!list) {
    return list.error().sqlstate + " " + list.error().message + " @" +
           std::to_string(list.error().position);
  }
  std::string text;
  for (const Token& token : list->tokens) {
    if (token.kind == TokenKind::kEnd) break;
    if (!text.empty()) text += ' ';
    text +=
        std::string(kKinds[static_cast<std::size_t>(token.kind)]) + ":" + std::string(token.text);
  }
  return text;
}

struct Case {
  std::string_view script;
  std::string_view tokens;
};

TEST(Lexer, SplitsAndDecodes) {
  const Case cases[] = {
      {"", ""},
      {"SELECT a", "word:select word:a"},
      {"\"A b\"\"C\"", "quoted:a b\"c"},
      {"'it''s'", "string:it's"},
      {R"('a\'b')", "string:a'b"},
      {R"('\\(.*\\)')", R"(string:\(.*\))"},
      {R"('\n\t\b\f\r')", "string:\n\t\b\f\r"},
      {R"('\101\60x\q')", "string:A0xq"},
      {R"(E'a\tb' e'c')", "string:a\tb string:c"},
      {"$$a'b$$ $x$ $$ $x$", "string:a'b string: $$ "},
      {"$1 $23", "parameter:1 parameter:23"},
      {"1 1.5 .5 1. 1e3 1E-3 1e",
       "number:1 number:1.5 number:.5 number:1. number:1e3 number:1E-3 number:1 word:e"},
      {"a--b\nc", "word:a word:c"},
      {"a/*x/*y*/z*/b", "word:a word:b"},
      {"a::int", "word:a operator::: word:int"},
      {"a<=b<>c!=d||e",
       "word:a operator:<= word:b operator:<> word:c operator:!= word:d operator:|| word:e"},
      {"a!~b ~*c!~~*d", "word:a operator:!~ word:b operator:~* word:c operator:!~~* word:d"},
      {"a<-1", "word:a operator:< operator:- number:1"},
      {"#t a#b a # b", "word:#t word:a word:#b word:a operator:# word:b"},
      {"caf\xc3\xa9 \xe2\x82\xac", "word:caf\xc3\xa9 word:\xe2\x82\xac"},
      {"a$b _c", "word:a$b word:_c"},
      {"(a),[b];c.d",
       "operator:( word:a operator:) operator:, operator:[ word:b operator:] operator:; word:c "
       "operator:. word:d"},
  };
  for (const Case& entry : cases) EXPECT_EQ(shown(entry.script), entry.tokens) << entry.script;
}

TEST(Lexer, RefusesWhatHasNoEnd) {
  const Case cases[] = {
      {"select 'abc", "42601 unterminated quoted string at or near \"'abc\" @8"},
      {"select 'a\\", "42601 unterminated quoted string at or near \"'a\\\" @8"},
      {"a \"b", "42601 unterminated quoted identifier at or near \"\"b\" @3"},
      {"a /* b", "42601 unterminated /* comment at or near \"/* b\" @3"},
      {"$$x", "42601 unterminated dollar-quoted string at or near \"$$x\" @1"},
      {"\"\"", "42601 zero-length delimited identifier at or near \"\"\"\" @1"},
      {"\xc3\xa9 \x01", "42601 syntax error at or near \"\x01\" @3"},
      {"'\\000'", "22021 invalid byte sequence for encoding \"UTF8\": 0x00 @1"},
      {"{", "42601 syntax error at or near \"{\" @1"},
  };
  for (const Case& entry : cases) EXPECT_EQ(shown(entry.script), entry.tokens) << entry.script;
}

TEST(Lexer, CutsIdentifiersAt127Bytes) {
  const std::string name(200, 'a');
  EXPECT_EQ(shown(name), "word:" + std::string(127, 'a'));
  EXPECT_EQ(shown("\"" + name + "\""), "quoted:" + std::string(127, 'a'));
}

TEST(Lexer, KnowsItsWords) {
  for (std::size_t i = 0; i < kWordCount; ++i) {
    const std::string_view text = word_text(static_cast<Word>(i));
    EXPECT_EQ(find_word(text), static_cast<Word>(i)) << text;
    if (i > 0) {
      EXPECT_LT(word_text(static_cast<Word>(i - 1)), text);
    }
  }
  EXPECT_EQ(find_word("clickstream"), kNoWord);
}

}  // namespace
}  // namespace leat::sql
