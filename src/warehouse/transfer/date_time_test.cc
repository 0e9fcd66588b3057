#include "warehouse/transfer/date_time.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "warehouse/engine/chunk.h"

namespace leat::transfer {
namespace {

std::string shown(const std::optional<DateTime>& value) {
  if (!value) return "no";
  std::string out;
  engine::append_timestamp(value->us, out);
  if (value->zone_seconds) out += " zone " + std::to_string(*value->zone_seconds);
  return out;
}

TEST(RecogniseDateTime, Table) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"2019-02-11T05:09:12.195Z", "2019-02-11 05:09:12.195 zone 0"},
      {"J2451187", "1999-01-08 00:00:00"},
      {"J2345678 04:05:06.789", "1710-02-23 04:05:06.789"},
      {"Jan-08-95 BC", "0095-01-08 00:00:00 BC"},
      {"19960108 040809", "1996-01-08 04:08:09"},
      {"960108 040809", "1996-01-08 04:08:09"},
      {"1996.008", "1996-01-08 00:00:00"},
      {"1996-01-08 04:05:06.789", "1996-01-08 04:05:06.789"},
      {"17 Dec 07:37:16 1997 PST", "1997-12-17 07:37:16 zone -28800"},
      {"12/17/1997 07:37:16.00 PST", "1997-12-17 07:37:16 zone -28800"},
      {"1997-12-17 07:37:16-08", "1997-12-17 07:37:16 zone -28800"},
      {"12.17.1997 07:37:16.00 PST", "1997-12-17 07:37:16 zone -28800"},
      {"1999-01-08", "1999-01-08 00:00:00"},
      {"19990108", "1999-01-08 00:00:00"},
      {"990108", "1999-01-08 00:00:00"},
      {"01/02/00", "2000-01-02 00:00:00"},
      {"January 8, 1999", "1999-01-08 00:00:00"},
      {"8 Jan 1999", "1999-01-08 00:00:00"},
      {"1999-Jan-08", "1999-01-08 00:00:00"},
      {"08-Jan-1999", "1999-01-08 00:00:00"},
      {"Jan-08-1999 04:05 PM", "1999-01-08 16:05:00"},
      {"1999-01-08 12:00 AM", "1999-01-08 00:00:00"},
      {"1999-01-08 12:30 PM", "1999-01-08 12:30:00"},
      {"2024-02-29 00:00:00+05:30", "2024-02-29 00:00:00 zone 19800"},
      {"2024-02-29 23:59:59.1234567", "2024-02-29 23:59:59.123456"},
      {"2023-02-29", "no"},
      {"1996-13-08", "no"},
      {"1996-00-08", "no"},
      {"1996-01-00", "no"},
      {"0000-01-01", "no"},
      {"1996-01-08 25:00:00", "no"},
      {"1996-01-08 04:60:00", "no"},
      {"1996-01-08 04:05:60", "no"},
      {"1996-01-08 13:00 PM", "no"},
      {"1996.366.1", "no"},
      {"1996.367", "no"},
      {"1995.366", "no"},
      {"07:37:16", "no"},
      {"1996-01-08 1997-01-08", "no"},
      {"1996-01-08 04:05:06 Nowhere", "no"},
      {"1996-01-08 04:05:06 04:05:06", "no"},
      {"yesterday", "no"},
      {"", "no"},
      {"   ", "no"},
      {"99999999999999999999", "no"},
      {"J99999999999999999999", "no"},
      {"1-2-3-4", "no"},
      {"--", "no"},
      {"1996-01-08T", "no"},
      {"T04:05:06", "no"},
      {std::string(500, '1'), "no"},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(shown(recognise_date_time(text)), expected) << text;
  }
}

TEST(RecogniseTime, Table) {
  const std::vector<std::pair<std::string, std::string>> table{{"04:05:06.789", "04:05:06.789"},
                                                               {"04:05 AM", "04:05:00"},
                                                               {"04:05 PM", "16:05:00"},
                                                               {"16:05", "16:05:00"},
                                                               {"040506", "04:05:06"},
                                                               {"24:00:00", "24:00:00"},
                                                               {"04:05:06+02", "04:05:06"},
                                                               {"25:00", "no"},
                                                               {"", "no"},
                                                               {"1999-01-08", "no"},
                                                               {"abc", "no"},
                                                               {"246060", "no"}};
  for (const auto& [text, expected] : table) {
    const auto us = recognise_time(text);
    std::string out = "no";
    if (us) {
      out.clear();
      engine::append_time(*us, out);
    }
    EXPECT_EQ(out, expected) << text;
  }
}

TEST(DateTimePattern, Table) {
  const std::vector<std::tuple<std::string, std::string, bool, std::string>> table{
      {"YYYY-MM-DD", "2026-11-20", true, "2026-11-20 00:00:00"},
      {"YYYY-MM-DD", "2026-11-20 10:11:12", true, "2026-11-20 00:00:00"},
      {"YYYY-MM-DD", "2026-11-20T10:11:12", true, "2026-11-20 00:00:00"},
      {"YYYY-MM-DD", "2026-11-20x", true, "no"},
      {"YYYY-MM-DD", "20-11-2026", true, "no"},
      {"MM/DD/YY", "11/20/26", true, "2026-11-20 00:00:00"},
      {"DD-MON-YYYY", "20-Nov-2026", true, "2026-11-20 00:00:00"},
      {"DD-MON-YYYY", "20-NOVEMBER-2026", true, "2026-11-20 00:00:00"},
      {"YYYYMMDD", "20261120", true, "2026-11-20 00:00:00"},
      {"YYYY-MM-DD HH:MI:SS", "2026-11-20 10:11:12", false, "2026-11-20 10:11:12"},
      {"YYYY-MM-DD HH:MI:SS", "2026-11-20 10:11:12.123456", false, "2026-11-20 10:11:12.123456"},
      {"YYYY-MM-DD HH:MI:SS", "2026-11-20", false, "2026-11-20 00:00:00"},
      {"YYYY-MM-DD HH:MI:SS", "2026-11-20 10:11", false, "no"},
      {"YYYY-MM-DD HH:MI:SS", "2026-11-20T10:11:12Z", false, "no"},
      {"YYYY-MM-DDTHH:MI:SS", "2026-11-20T10:11:12Z", false, "2026-11-20 10:11:12 zone 0"},
      {"YYYY-MM-DD HH:MI:SSOF", "2026-11-20 10:11:12+02", false, "2026-11-20 10:11:12 zone 7200"},
      {"YYYY-MM-DD HH:MI:SSOF", "2026-11-20 10:11:12", false, "2026-11-20 10:11:12"},
      {"MM.DD.YYYY HH12:MI:SS AM", "11.20.2026 01:02:03 PM", false, "2026-11-20 13:02:03"},
      {"MM.DD.YYYY HH12:MI:SS AM", "11.20.2026 13:02:03 PM", false, "no"},
      {"YYYY-MM-DD HH24:MI:SS", "2026-11-20 24:11:12", false, "no"},
      {"auto", "17 Dec 07:37:16 1997", false, "1997-12-17 07:37:16"},
      {"epochsecs", "1700000000.5", false, "2023-11-14 22:13:20.5 zone 0"},
      {"epochsecs", "-1", false, "1969-12-31 23:59:59 zone 0"},
      {"epochmillisecs", "1700000000500", false, "2023-11-14 22:13:20.5 zone 0"},
      {"epochsecs", "2026-11-20", false, "no"},
      {"epochsecs", "99999999999999", false, "no"},
  };
  for (const auto& [pattern, text, date_only, expected] : table) {
    const auto parsed = DateTimePattern::parse(pattern);
    ASSERT_TRUE(parsed) << pattern;
    EXPECT_EQ(shown(parsed->read(text, date_only)), expected) << pattern << " " << text;
  }
  for (const char* bad : {"", "YYYY-QQ-DD", "today"}) {
    EXPECT_EQ(DateTimePattern::parse(bad).error().sqlstate, "22007") << bad;
  }
}

}  // namespace
}  // namespace leat::transfer
