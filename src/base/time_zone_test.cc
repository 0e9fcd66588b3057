#include "base/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat {
namespace {

using ::testing::HasSubstr;

TimeUs at(std::string_view text) {
  return parse_iso8601(text).value();
}

TEST(TimeZone, IsUtcByDefault) {
  EXPECT_EQ(TimeZone().name(), "UTC");
  EXPECT_EQ(TimeZone().offset_us(at("2026-07-01T00:00:00Z")), 0);
  EXPECT_EQ(TimeZone().to_utc(5).value, 5);
}

TEST(TimeZone, FollowsSummerTime) {
  const auto berlin = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(berlin.has_value()) << berlin.error().message;
  EXPECT_EQ(berlin->offset_us(at("2026-01-15T12:00:00Z")), kUsPerHour);
  EXPECT_EQ(berlin->offset_us(at("2026-07-15T12:00:00Z")), 2 * kUsPerHour);
  EXPECT_EQ(format_iso8601(berlin->to_utc(at("2026-07-15T12:00:00.000001Z").value)),
            "2026-07-15T10:00:00.000001Z");
}

TEST(TimeZone, ATimeThatClocksSkipIsTheEndOfTheGap) {
  const auto berlin = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(berlin.has_value());
  EXPECT_EQ(berlin->to_utc(at("2026-03-29T02:30:00Z").value), at("2026-03-29T01:00:00Z"));
}

TEST(TimeZone, ATimeThatOccursTwiceIsTheFirst) {
  const auto new_york = TimeZone::find("America/New_York");
  ASSERT_TRUE(new_york.has_value());
  EXPECT_EQ(new_york->to_utc(at("2026-11-01T01:30:00Z").value), at("2026-11-01T05:30:00Z"));
}

TEST(TimeZone, NamesTheNearMiss) {
  const auto wrong = TimeZone::find("Europe/Berln");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, Errc::kInvalid);
  EXPECT_THAT(wrong.error().message, HasSubstr("did you mean 'Europe/Berlin'?"));
}

}  // namespace
}  // namespace leat
