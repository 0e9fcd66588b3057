#include "base/time.h"

#include <fmt/format.h>

namespace leat {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads exactly `count` digits at the front of `text` and removes them.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

unsigned days_in_month(int year, unsigned month) {
  static constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

std::optional<std::int64_t> take_date_days(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || *year < 1 || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  const auto month_number = static_cast<unsigned>(*month);
  if (static_cast<unsigned>(*day) > days_in_month(*year, month_number)) return std::nullopt;
  return days_from_civil({*year, month_number, static_cast<unsigned>(*day)});
}

/// Reads HH:MM[:SS[.fraction]] as microseconds of the day.
std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t us = *hour * kUsPerHour + *minute * kUsPerMinute;
  if (!take_char(text, ':')) return us;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  us += *second * kUsPerSecond;
  if (!take_char(text, '.') && !take_char(text, ',')) return us;
  std::int64_t scale = kUsPerSecond / 10;
  std::size_t digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (++digits > 9) return std::nullopt;
    us += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  return us;
}

/// Reads a zone at the end of the text as the microseconds to subtract.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (text.empty() || take_char(text, 'Z') || take_char(text, 'z')) return 0;
  const bool negative = text.front() == '-';
  if (!take_char(text, '+') && !take_char(text, '-')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 15) return std::nullopt;
  int minute = 0;
  if (!text.empty()) {
    (void)take_char(text, ':');
    const auto read = take_digits(text, 2);
    if (!read || *read > 59) return std::nullopt;
    minute = *read;
  }
  const std::int64_t us = *hour * kUsPerHour + minute * kUsPerMinute;
  return negative ? -us : us;
}

struct Parts {
  CivilDate date;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t micros = 0;
};

Parts parts_of(TimeUs time) {
  std::int64_t days = time.value / kUsPerDay;
  std::int64_t rest = time.value % kUsPerDay;
  if (rest < 0) {
    rest += kUsPerDay;
    --days;
  }
  return {civil_from_days(days), rest / kUsPerHour, rest / kUsPerMinute % 60,
          rest / kUsPerSecond % 60, rest % kUsPerSecond};
}

}  // namespace

// Howard Hinnant's published algorithm for civil dates, era of 400 years.
std::int64_t days_from_civil(CivilDate date) {
  const std::int64_t y = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t shifted_month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t day_of_era = z - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const auto month =
      static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  const auto year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  return {year, month, day};
}

std::optional<TimeUs> parse_iso8601(std::string_view text) {
  const auto days = take_date_days(text);
  if (!days) return std::nullopt;
  std::int64_t us = *days * kUsPerDay;
  if (text.empty()) return TimeUs{us};
  if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
  text.remove_prefix(1);
  const auto time_of_day = take_time_of_day(text);
  if (!time_of_day) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  us += *time_of_day - *zone;
  static const std::int64_t kYearOne = days_from_civil({1, 1, 1}) * kUsPerDay;
  static const std::int64_t kYearTenThousand = days_from_civil({10000, 1, 1}) * kUsPerDay;
  if (us < kYearOne || us >= kYearTenThousand) return std::nullopt;
  return TimeUs{us};
}

namespace {

/// Writes `value` as `width` digits. Written out because the collector formats a time per request.
void put_digits(char* at, unsigned width, std::int64_t value) {
  for (unsigned i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string format_iso8601(TimeUs time) {
  const Parts p = parts_of(time);
  std::string text = "0000-00-00T00:00:00.000000Z";
  put_digits(text.data(), 4, p.date.year);
  put_digits(text.data() + 5, 2, p.date.month);
  put_digits(text.data() + 8, 2, p.date.day);
  put_digits(text.data() + 11, 2, p.hour);
  put_digits(text.data() + 14, 2, p.minute);
  put_digits(text.data() + 17, 2, p.second);
  put_digits(text.data() + 20, 6, p.micros);
  if (p.micros % 1000 == 0) text.replace(23, 4, "Z");
  return text;
}

std::string format_timestamp(TimeUs time) {
  const Parts p = parts_of(time);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", p.date.year, p.date.month,
                                 p.date.day, p.hour, p.minute, p.second);
  if (p.micros != 0) {
    fmt::format_to(std::back_inserter(text), ".{:06}", p.micros);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace leat
