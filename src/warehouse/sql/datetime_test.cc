#include "warehouse/sql/datetime.h"

#include <gtest/gtest.h>

namespace leat::sql {
namespace {

TEST(Datetime, ReadsEveryInputFormat) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"1999-01-08", "1999-01-08"},
      {"19990108", "1999-01-08"},
      {"990108", "1999-01-08"},
      {"01/02/00", "2000-01-02"},
      {"1/8/1999", "1999-01-08"},
      {"January 8, 1999", "1999-01-08"},
      {"Jan-08-1999", "1999-01-08"},
      {"8 Jan 1999", "1999-01-08"},
      {"08-Jan-99", "1999-01-08"},
      {"1999-Jan-08", "1999-01-08"},
      {"J2451187", "1999-01-08"},
      {"1999.008", "1999-01-08"},
      {"12.17.1997", "1997-12-17"},
      {" 1999-01-08 ", "1999-01-08"},
      {"1999-01-08 04:05:06.789", "1999-01-08 04:05:06.789"},
      {"1999-01-08 04:05 AM", "1999-01-08 04:05:00"},
      {"1999-01-08 04:05 PM", "1999-01-08 16:05:00"},
      {"2019-02-11T05:09:12.195Z", "2019-02-11 05:09:12.195+00:00"},
      {"19960108 040809", "1996-01-08 04:08:09"},
      {"1997-12-17 07:37:16-08", "1997-12-17 07:37:16-08:00"},
      {"1997-12-17 07:37:16+0530", "1997-12-17 07:37:16+05:30"},
      {"17 Dec 1997 07:37:16", "1997-12-17 07:37:16"},
      {"2016-02-29", "2016-02-29"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(normal_timestamp(text).value_or("?"), expected) << text;
  for (const std::string_view wrong :
       {"", "x", "2015-02-29", "2008-13-01", "2008-00-01", "1999-01-08 25:00:00", "1999-01-08 xyz",
        "12", "1999-01", "99999999999999999999", "1999-01-08 04:05:06-"}) {
    EXPECT_FALSE(normal_timestamp(wrong)) << wrong;
  }
}

TEST(Datetime, ReadsTimes) {
  EXPECT_EQ(normal_time("04:05:06.789").value_or("?"), "04:05:06.789");
  EXPECT_EQ(normal_time("040506").value_or("?"), "04:05:06");
  EXPECT_EQ(normal_time("04:05 PM").value_or("?"), "16:05:00");
  EXPECT_FALSE(normal_time("99:00"));
}

TEST(Datetime, ReadsIntervals) {
  struct Case {
    std::string_view text;
    std::vector<std::string> fields;
    std::int64_t months, days, microseconds;
  };
  constexpr std::int64_t kSecond = 1000000;
  const Case cases[] = {
      {"1 day", {}, 0, 1, 0},
      {"7 days, 3 hours, 59 minutes", {}, 0, 7, (3 * 3600 + 59 * 60) * kSecond},
      {"52", {}, 0, 0, 52 * kSecond},
      {"1", {"day"}, 0, 1, 0},
      {"0.5 days", {}, 0, 0, 43200 * kSecond},
      {"1.5", {"hour"}, 0, 0, 3600 * kSecond},
      {"13 months", {"year"}, 12, 0, 0},
      {"2:2", {"minute", "to", "second"}, 0, 0, 122 * kSecond},
      {"2:2", {"hour", "to", "minute"}, 0, 0, 7320 * kSecond},
      {"1 day 1 hour 1 minute 1.123 seconds", {"minute"}, 0, 1, 3660 * kSecond},
      {"1.234567", {"second", "(3)"}, 0, 0, 1235000},
      {"3 months 2 weeks", {}, 3, 14, 0},
      {"1 year 2 mons", {}, 14, 0, 0},
      {"1-2", {"year", "to", "month"}, 14, 0, 0},
      {"1 2:03:04", {"day", "to", "second"}, 0, 1, (2 * 3600 + 3 * 60 + 4) * kSecond},
      {"-1 day", {}, 0, -1, 0},
      {"2 hours ago", {}, 0, 0, -7200 * kSecond},
      {"1h30m", {}, 0, 0, 5400 * kSecond},
      {"250 ms", {}, 0, 0, 250000},
      {"04:05:06.5", {}, 0, 0, (4 * 3600 + 5 * 60 + 6) * kSecond + 500000},
  };
  for (const Case& entry : cases) {
    const auto interval = parse_interval(entry.text, entry.fields);
    ASSERT_TRUE(interval) << entry.text;
    EXPECT_EQ(interval->months, entry.months) << entry.text;
    EXPECT_EQ(interval->days, entry.days) << entry.text;
    EXPECT_EQ(interval->microseconds, entry.microseconds) << entry.text;
  }
  for (const std::string_view wrong :
       {"", "day", "1 parsec", "1 day 2 x", "--1", "99999999999999999999 days"}) {
    EXPECT_FALSE(parse_interval(wrong, {})) << wrong;
  }
}

TEST(Datetime, PartNames) {
  EXPECT_EQ(date_part_canonical("m"), "minute");
  EXPECT_EQ(date_part_canonical("mon"), "month");
  EXPECT_EQ(date_part_canonical("qtr"), "quarter");
  EXPECT_EQ(date_part_canonical("dw"), "dow");
  EXPECT_EQ(date_part_canonical("nonsense"), "");
}

TEST(Datetime, Formats) {
  EXPECT_TRUE(is_number_format("999D99S"));
  EXPECT_TRUE(is_number_format("999th"));
  EXPECT_TRUE(is_number_format("FM0000"));
  EXPECT_TRUE(is_number_format("FMRN"));
  EXPECT_FALSE(is_number_format("YYYY-MM-DD"));
  EXPECT_FALSE(is_number_format("HH24:00 \"9\""));
}

TEST(Datetime, SimilarPatterns) {
  EXPECT_EQ(regex_of_similar_pattern("(a|b)_%", "\\"), "(a|b)..*");
  EXPECT_EQ(regex_of_similar_pattern("a.b[%_]", "\\"), "a\\.b[%_]");
  EXPECT_EQ(regex_of_similar_pattern("a\\%", "\\"), "a\\%");
}

}  // namespace
}  // namespace leat::sql
