#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::net {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(PercentDecode, UndoesEscapesAndKeepsBrokenOnes) {
  EXPECT_EQ(percent_decode("a%20b+c%2B", true), "a b c+");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  EXPECT_EQ(percent_decode("100%", true), "100%");
  EXPECT_EQ(percent_decode("%zz%4", true), "%zz%4");
  EXPECT_EQ(percent_decode("%C3%a9%00", true), std::string("\xC3\xA9\0", 3));
}

TEST(ParseQuery, SplitsInOrderAndStopsAtTheLimit) {
  EXPECT_THAT(
      parse_query("a=1&b=x%3Dy&&c&=d&a=2"),
      ElementsAre(Pair("a", "1"), Pair("b", "x=y"), Pair("c", ""), Pair("", "d"), Pair("a", "2")));
  EXPECT_TRUE(parse_query("").empty());
  EXPECT_EQ(parse_query("a&b&c&d", 2).size(), 2U);
}

TEST(RequestView, FindsHeadersInAnyCase) {
  const HeaderView headers[] = {{"X-One", "1"}, {"x-one", "2"}};
  RequestView request;
  request.headers = headers;
  EXPECT_EQ(request.header("x-ONE"), "1");
  EXPECT_FALSE(request.header("x-on"));
}

}  // namespace
}  // namespace leat::net
