#include "pipeline/load/sync_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::load {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TimeUs at(std::string_view text) {
  return parse_iso8601(text).value();
}

SyncTimes times(const SyncTimesText& text) {
  const auto out = SyncTimes::parse(text);
  EXPECT_TRUE(out.has_value()) << out.error().message;
  return out.value_or(SyncTimes());
}

std::string next(const SyncTimes& times, std::string_view last, std::string_view now) {
  const auto start = times.next(last.empty() ? std::nullopt : std::optional(at(last)), at(now));
  return start ? format_iso8601(*start) : "never";
}

struct NextCase {
  std::string_view name;
  SyncTimesText text;
  std::string_view last;
  std::string_view now;
  std::string_view want;
};

void PrintTo(const NextCase& test_case, std::ostream* out) {
  *out << test_case.name;
}

class SyncTimesNext : public ::testing::TestWithParam<NextCase> {};

TEST_P(SyncTimesNext, IsAsTheSettingsSay) {
  const NextCase& c = GetParam();
  EXPECT_EQ(next(times(c.text), c.last, c.now), c.want);
}

const SyncTimesText kQuarterPast{.cron = "15 * * * *"};
const SyncTimesText kBerlinMorning{.cron = "30 2 * * *", .time_zone = "Europe/Berlin"};

INSTANTIATE_TEST_SUITE_P(
    Table, SyncTimesNext,
    ::testing::Values(
        NextCase{"FirstAtOnce", {}, "", "2026-11-21T10:00:01Z", "2026-11-21T10:00:01.000Z"},
        NextCase{"EveryMinute",
                 {},
                 "2026-11-21T10:00:00Z",
                 "2026-11-21T10:00:05Z",
                 "2026-11-21T10:01:00.000Z"},
        NextCase{"LateIsNow",
                 {},
                 "2026-11-21T10:00:00Z",
                 "2026-11-21T11:00:00Z",
                 "2026-11-21T11:00:00.000Z"},
        NextCase{"QuarterPast", kQuarterPast, "2026-11-21T14:15:00Z", "2026-11-21T14:20:00Z",
                 "2026-11-21T15:15:00.000Z"},
        NextCase{"QuarterPastFirst", kQuarterPast, "", "2026-11-21T14:20:00Z",
                 "2026-11-21T15:15:00.000Z"},
        NextCase{"DowntimeIsMadeUpForOnce", kQuarterPast, "2026-11-20T14:15:00Z",
                 "2026-11-21T14:20:00Z", "2026-11-21T14:20:00.000Z"},
        NextCase{"Steps",
                 {.cron = "*/20 8-9 * * *"},
                 "2026-11-21T08:40:00Z",
                 "2026-11-21T08:41:00Z",
                 "2026-11-21T09:00:00.000Z"},
        NextCase{"WorkDays",
                 {.cron = "0 6 * * mon-fri"},
                 "2026-11-20T06:00:00Z",
                 "2026-11-20T06:00:01Z",
                 "2026-11-23T06:00:00.000Z"},
        NextCase{"SundayIsSevenToo",
                 {.cron = "0 6 * * 7"},
                 "",
                 "2026-11-21T07:00:00Z",
                 "2026-11-22T06:00:00.000Z"},
        NextCase{"DaysAreJoinedByOr",
                 {.cron = "0 0 1 * wed"},
                 "",
                 "2026-11-21T07:00:00Z",
                 "2026-11-25T00:00:00.000Z"},
        NextCase{"LeapDay",
                 {.cron = "0 0 29 2 *"},
                 "",
                 "2026-11-21T07:00:00Z",
                 "2028-02-29T00:00:00.000Z"},
        NextCase{
            "Nickname", {.cron = "@daily"}, "", "2026-11-21T07:00:00Z", "2026-11-22T00:00:00.000Z"},
        NextCase{"Zone", kBerlinMorning, "", "2026-07-01T12:00:00Z", "2026-07-02T00:30:00.000Z"},
        NextCase{"SkippedTimeRunsAfterTheGap", kBerlinMorning, "", "2026-03-28T12:00:00Z",
                 "2026-03-29T01:00:00.000Z"},
        NextCase{"DoubledTimeRunsOnce", kBerlinMorning, "2026-10-25T00:30:00Z",
                 "2026-10-25T00:31:00Z", "2026-10-26T01:30:00.000Z"},
        NextCase{"HoursHoldAPeriod",
                 {.hours = "6-22"},
                 "2026-11-21T22:59:30Z",
                 "2026-11-21T22:59:40Z",
                 "2026-11-22T06:00:00.000Z"},
        NextCase{"HoursOfAZone",
                 {.hours = "0", .time_zone = "Asia/Kolkata"},
                 "2026-11-21T10:00:00Z",
                 "2026-11-21T10:00:00Z",
                 "2026-11-21T18:30:00.000Z"},
        NextCase{"HoursHoldCron",
                 {.cron = "15 * * * *", .hours = "3,4"},
                 "",
                 "2026-11-21T04:20:00Z",
                 "2026-11-22T03:15:00.000Z"},
        NextCase{"Manual", {.manual = true}, "", "2026-11-21T04:20:00Z", "never"}),
    [](const auto& test_case) { return std::string(test_case.param.name); });

TEST(SyncTimes, SaysWhatIsWrong) {
  const auto message = [](const SyncTimesText& text) {
    const auto out = SyncTimes::parse(text);
    return out ? "accepted" : out.error().message;
  };
  EXPECT_THAT(message({.cron = "15 * *"}),
              StartsWith("cron: '15 * *' has 3 fields; allowed: five"));
  EXPECT_THAT(message({.cron = "60 * * * *"}), HasSubstr("'60' is no minute; allowed: 0 to 59"));
  EXPECT_THAT(message({.cron = "5-1 * * * *"}), HasSubstr("'5-1' is no minute"));
  EXPECT_THAT(message({.cron = "*/0 * * * *"}), HasSubstr("'*/0' is no minute"));
  EXPECT_THAT(message({.cron = "0 0 * foo *"}), HasSubstr("'foo' is no month"));
  EXPECT_THAT(message({.cron = "1,,2 * * * *"}), HasSubstr("is no minute"));
  EXPECT_THAT(message({.cron = "0 0 31 2 *"}), StartsWith("cron: '0 0 31 2 *' names no time"));
  EXPECT_THAT(message({.cron = "15 5 * * *", .hours = "6-22"}),
              StartsWith("cron: '15 5 * * *' in hours 6-22 names no time that ever comes"));
  EXPECT_EQ(message({.cron = "15 5 29 2 *", .hours = "5"}), "accepted");
  EXPECT_THAT(message({.hours = "6-24"}), StartsWith("hours: '6-24' is no hour"));
  EXPECT_THAT(message({.time_zone = "Mars/Olympus"}),
              StartsWith("time_zone: unknown time zone 'Mars/Olympus'"));
}

// A year of starts: each after the last, none outside of the hours.
TEST(SyncTimes, GoesThroughAYear) {
  const SyncTimes schedule =
      times({.cron = "15 * * * *", .hours = "0-5,20", .time_zone = "America/New_York"});
  const auto zone = TimeZone::find("America/New_York");
  ASSERT_TRUE(zone.has_value());
  TimeUs last = at("2026-01-01T00:00:00Z");
  int count = 0;
  while (last < at("2027-01-01T00:00:00Z")) {
    const auto start = schedule.next(last, last);
    ASSERT_TRUE(start.has_value());
    ASSERT_GT(*start, last);
    const std::int64_t local = start->value + zone->offset_us(*start);
    const auto hour = local / kUsPerHour % 24;
    EXPECT_TRUE(hour <= 5 || hour == 20) << format_iso8601(*start);
    last = *start;
    ++count;
  }
  EXPECT_NEAR(count, 365 * 7, 8);
}

}  // namespace
}  // namespace leat::load
