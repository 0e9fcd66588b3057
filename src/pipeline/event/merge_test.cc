#include "pipeline/event/merge.h"

#include <gtest/gtest.h>

namespace leat::event {
namespace {

TEST(MergeBatchMembers, TheItemWinsMemberByMember) {
  const struct {
    const char* event;
    const char* context;
    const char* integrations;
    const char* merged;
  } cases[] = {
      {R"({"a":1})", R"({"ip":"1"})", "", R"({"a":1,"context":{"ip":"1"}})"},
      {R"({})", R"({"ip":"1"})", R"({"All":false})",
       R"({"context":{"ip":"1"},"integrations":{"All":false}})"},
      {R"({})", "", "", "{}"},
      {R"({"context":{"ip":"2"}})", R"({"ip":"1","x":3})", "", R"({"context":{"ip":"2","x":3}})"},
      {R"({"context":{"a":{"b":1}}})", R"({"a":{"b":2,"c":3}})", "",
       R"({"context":{"a":{"b":1,"c":3}}})"},
      {R"({"context":{"a":5}})", R"({"a":{"b":2}})", "", R"({"context":{"a":5}})"},
      {R"({"context":null})", R"({"a":1})", "", R"({"context":{"a":1}})"},
      {R"({"context":{"a":null}})", R"({"a":1})", "", R"({"context":{"a":1}})"},
      {R"({"context":{"a":1}})", R"({"a":null})", "", R"({"context":{"a":1}})"},
      {R"({"context":[1]})", R"({"a":1})", "", R"({"context":[1]})"},
      {R"({"context":{},"context":{}})", R"({"a":1})", "", R"({"context":{},"context":{}})"},
      {R"({"context":{}})", R"({"a":1,"a":2})", "", R"({"context":{"a":2}})"},
      {R"({"context":{"a\"b":1}})", R"({})", "", R"({"context":{"a\"b":1}})"},
  };
  for (const auto& c : cases) {
    const auto merged = merge_batch_members(c.event, c.context, c.integrations);
    ASSERT_TRUE(merged) << c.event;
    EXPECT_EQ(*merged, c.merged) << c.event;
  }
}

TEST(MergeBatchMembers, LeavesOtherValuesAlone) {
  EXPECT_EQ(merge_batch_members("[1]", "{\"a\":1}", "").value(), "[1]");
  EXPECT_FALSE(merge_batch_members("{", "{}", ""));
  EXPECT_FALSE(merge_batch_members("{}", "{", ""));
}

}  // namespace
}  // namespace leat::event
