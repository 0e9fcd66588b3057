#include "pipeline/event/event_parser.h"

#include <gtest/gtest.h>

namespace leat::event {
namespace {

class EventParserTest : public testing::Test {
 protected:
  simdjson::error_code parse(std::string_view json) {
    padded_.assign(json).append(kJsonPadding, '1');
    return parser_.parse({padded_.data(), json.size()}, root_);
  }
  std::string text() { return simdjson::minify(root_); }

  EventParser parser_{1000, 5};
  std::string padded_;
  simdjson::dom::element root_;
};

TEST_F(EventParserTest, TakesJsonThatSimdjsonRefuses) {
  struct Case {
    std::string_view json;
    std::string_view read;
  };
  // Only what may be too large is replaced: numbers beside it may be somebody's id.
  const Case cases[] = {
      {R"([1e999,42,-7,999999999999999999,1.5])", R"([0.0,42,-7,999999999999999999,1.5])"},
      {R"({"a":123456789012345678901234567890,"b":"1e999"})", R"({"a":0.0,"b":"1e999"})"},
      {R"(["\ud83d","\ud83d\ude80","\\ud83d","\udc00x"])",
       "[\"\xef\xbf\xbd\",\"\xf0\x9f\x9a\x80\",\"\\\\ud83d\",\"\xef\xbf\xbdx\"]"},
      {R"(["\uD83D",-1E+400])", "[\"\xef\xbf\xbd\",0.0]"},
      {R"([-1E+400,"\uD83D"])", "[0.0,\"\xef\xbf\xbd\"]"},
  };
  for (const Case& c : cases) {
    ASSERT_EQ(parse(c.json), simdjson::SUCCESS) << c.json;
    EXPECT_EQ(text(), c.read) << c.json;
  }
}

TEST_F(EventParserTest, RefusesWhatIsNoJson) {
  for (const std::string_view json :
       {"[1e]", "[1e999,01]", "[1e999-]", R"(["\ud8"])", R"(["\ud83d","\x"])", R"(["\ud83d",1e])",
        "", "{", "[1e999"}) {
    EXPECT_NE(parse(json), simdjson::SUCCESS) << json;
  }
}

TEST_F(EventParserTest, KeepsItsLimits) {
  EXPECT_EQ(parse("[[[[[]]]]]"), simdjson::SUCCESS);
  EXPECT_EQ(parse("[[[[[[]]]]]]"), simdjson::DEPTH_ERROR);
  EXPECT_EQ(parse("[[[[[[1e999]]]]]]"), simdjson::DEPTH_ERROR);
  EXPECT_EQ(parse("\"" + std::string(998, 'x') + "\""), simdjson::SUCCESS);
  EXPECT_EQ(parse("\"" + std::string(999, 'x') + "\""), simdjson::CAPACITY);
  EXPECT_EQ(parse("[1e999]"), simdjson::SUCCESS);
}

}  // namespace
}  // namespace leat::event
