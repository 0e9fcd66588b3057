#include "base/time.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

std::string iso(std::string_view text) {
  const auto time = parse_iso8601(text);
  return time ? format_iso8601(*time) : "none";
}

TEST(Time, ReadsEveryFormTheLibrariesSend) {
  EXPECT_EQ(iso("2023-04-19T04:03:46.880Z"), "2023-04-19T04:03:46.880Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46.880969+00:00"), "2023-04-19T04:03:46.880969Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46.880+02:00"), "2023-04-19T02:03:46.880Z");
  EXPECT_EQ(iso("2023-04-19"), "2023-04-19T00:00:00.000Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46+00:00"), "2023-04-19T04:03:46.000Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46.8800000-07:00"), "2023-04-19T11:03:46.880Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46.880000000Z"), "2023-04-19T04:03:46.880Z");
  EXPECT_EQ(iso("2023-04-19 04:03"), "2023-04-19T04:03:00.000Z");
  EXPECT_EQ(iso("2023-04-19t04:03:46z"), "2023-04-19T04:03:46.000Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46-0330"), "2023-04-19T07:33:46.000Z");
  EXPECT_EQ(iso("2023-04-19T04:03:46+02"), "2023-04-19T02:03:46.000Z");
  EXPECT_EQ(iso("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(iso("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "2023",
                           "2023-04",
                           "2023-4-19",
                           "2023-02-29",
                           "2023-13-01",
                           "2023-04-31",
                           "2023-04-19T",
                           "2023-04-19T24:00:00Z",
                           "2023-04-19T04:60",
                           "2023-04-19T04:03:60Z",
                           "2023-04-19T04:03:46.",
                           "2023-04-19T04:03:46.1234567890Z",
                           "2023-04-19T04:03:46Zx",
                           "2023-04-19 ",
                           "1681876000",
                           "0000-01-01",
                           "0001-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           "soon",
                           "2023-04-19T04:03:46+"}) {
    EXPECT_EQ(iso(text), "none") << text;
  }
}

TEST(Time, PrintsRedshiftTimestamps) {
  EXPECT_EQ(format_timestamp(*parse_iso8601("2024-02-29T10:00:00+02:00")), "2024-02-29 08:00:00");
  EXPECT_EQ(format_timestamp(*parse_iso8601("2024-02-29T10:00:00.120Z")), "2024-02-29 10:00:00.12");
  EXPECT_EQ(format_timestamp(TimeUs{-1}), "1969-12-31 23:59:59.999999");
}

TEST(Time, DaysAndDatesAreInverse) {
  for (std::int64_t day = -719162; day < 2932896; day += 37) {
    EXPECT_EQ(days_from_civil(civil_from_days(day)), day);
  }
}

}  // namespace
}  // namespace leat
