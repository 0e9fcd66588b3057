#include "pipeline/event/person.h"

#include <gtest/gtest.h>

#include <array>

#include "pipeline/event/line.h"
#include "pipeline/event/suppression.h"

namespace leat::event {
namespace {

std::string line_of(std::string_view event) {
  return std::string(
             R"({"received_at":"2026-11-20T14:03:05.123456Z","source":"web","ip":"203.0.113.9",)"
             R"("context":{"traits":{"email":"ann@example.com"}},"event":)") +
         std::string(event) + "}\n";
}

struct Case {
  PersonKey key;
  std::string_view id;
  std::string_view event;
  bool expected;
};

TEST(Person, IsFoundByTheirIds) {
  constexpr auto kUser = PersonKey::kUserId;
  constexpr auto kAnonymous = PersonKey::kAnonymousId;
  constexpr std::array<Case, 14> kCases = {{
      {kUser, "u1", R"({"userId":"u1"})", true},
      {kUser, "u1", R"({"userId":"u10"})", false},
      {kUser, "u1", R"({"anonymousId":"u1"})", false},
      {kUser, "u1", R"({"properties":{"userId":"u1"}})", false},
      {kUser, "u1", R"({"userId":"\u0075\u0031"})", true},
      {kUser, "u1", R"({"type":"alias","userId":"b","previousId":"u1"})", true},
      {kUser, "42", R"({"userId":42})", true},
      {kUser, "42", R"({"userId":420})", false},
      {kUser, "u1", R"({"userId":"u1","userId":"u2"})", true},
      {kUser, "u1", R"({"\u0075serId":"u1"})", true},
      {kUser, "a\"b", R"({"userId":"a\"b"})", true},
      {kAnonymous, "a1", R"({"anonymousId":"a1","userId":"u1"})", true},
      {kAnonymous, "a1", R"({"userId":"a1"})", false},
      {kAnonymous, "a1", R"(["a1"])", false},
  }};
  for (const Case& each : kCases) {
    EXPECT_EQ(is_of_person(line_of(each.event), {each.key, std::string(each.id)}), each.expected)
        << each.event;
  }
  EXPECT_TRUE(is_of_person(R"({"broken" "u1")", {kUser, "u1"}));
  EXPECT_FALSE(is_of_person(R"({"broken" "u12")", {kUser, "u1"}));
}

TEST(Person, MakesOneOfGoodIdsOnly) {
  ASSERT_TRUE(make_person("USER_ID", "u1"));
  EXPECT_EQ(make_person("ANONYMOUS_ID", "u1")->key, PersonKey::kAnonymousId);
  EXPECT_EQ(make_person("OBJECT_ID", "u1").error().code, Errc::kInvalid);
  EXPECT_FALSE(make_person("USER_ID", ""));
  EXPECT_FALSE(make_person("USER_ID", "\xff"));
  EXPECT_FALSE(make_person("USER_ID", std::string(32'769, 'x')));
}

TEST(Person, RedactKeepsThePlaceOfAllOtherLines) {
  const std::string other = line_of(R"({"userId":"u2"})");
  const std::string theirs = line_of(R"({"userId":"u1","properties":{"a":1}})");
  const auto redacted = redact(other + theirs + other + theirs, {PersonKey::kUserId, "u1"});
  ASSERT_TRUE(redacted);
  const std::string gone =
      R"({"received_at":"2026-11-20T14:03:05.123456Z","source":"web","rejected":"deleted",)"
      R"("event":null})"
      "\n";
  EXPECT_EQ(redacted->lines, other + gone + other + gone);
  EXPECT_EQ(redacted->places, (std::vector<std::uint64_t>{2, 4}));
  // What is left is a line like any other, and nobody's.
  const auto line = parse_line(gone);
  ASSERT_TRUE(line);
  EXPECT_TRUE(is_removed(line->rejected));
  EXPECT_TRUE(redact(redacted->lines, {PersonKey::kUserId, "u1"})->places.empty());
}

TEST(Suppressions, MatchIdsOfAllSourcesOrOfOne) {
  SeededRandom random(7);
  SuppressionList list = SuppressionList::make(random);
  const TimeUs now = *parse_iso8601("2026-11-20T14:00:00Z");
  EXPECT_FALSE(list.matches("web", "u1", "a1", ""));
  EXPECT_TRUE(list.add({PersonKey::kUserId, "u1"}, "", now));
  EXPECT_FALSE(list.add({PersonKey::kUserId, "u1"}, "", now));
  EXPECT_FALSE(list.add({PersonKey::kUserId, "u1"}, "web", now));  // of all sources already
  EXPECT_TRUE(list.add({PersonKey::kAnonymousId, "a1"}, "web", now));

  const Result<SuppressionList> read = SuppressionList::parse(list.text());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text(), list.text());
  EXPECT_EQ(read->entries().size(), 2U);
  EXPECT_EQ(list.text().find("u1"), std::string::npos);
  for (const SuppressionList* each : {static_cast<const SuppressionList*>(&list), &*read}) {
    EXPECT_TRUE(each->matches("app", "u1", "", ""));
    EXPECT_TRUE(each->matches("app", "u2", "", "u1"));  // an alias of theirs
    EXPECT_TRUE(each->matches("web", "", "a1", ""));
    EXPECT_FALSE(each->matches("app", "", "a1", ""));
    EXPECT_FALSE(each->matches("web", "a1", "u1", ""));
    EXPECT_FALSE(each->matches("web", "", "", ""));
  }
  EXPECT_FALSE(list.remove({PersonKey::kUserId, "u1"}, "web"));
  EXPECT_TRUE(list.remove({PersonKey::kUserId, "u1"}, ""));
  EXPECT_FALSE(list.matches("app", "u1", "", ""));
  for (const char* text : {"", "[]", "{}", R"({"leat_suppressions":1})",
                           R"({"leat_suppressions":1,"salt":"x","entries":[]})"}) {
    EXPECT_EQ(SuppressionList::parse(text).error().code, Errc::kCorrupt) << text;
  }
  EXPECT_EQ(SuppressionList::parse(R"({"leat_suppressions":2})").error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace leat::event
