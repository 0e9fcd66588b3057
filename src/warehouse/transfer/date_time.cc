#include "warehouse/transfer/date_time.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "warehouse/engine/number.h"

namespace leat::transfer {

namespace {

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

constexpr std::array<std::pair<std::string_view, int>, 22> kZones{
    {{"z", 0},    {"utc", 0},   {"gmt", 0},   {"ut", 0},    {"wet", 0},  {"est", -5},
     {"edt", -4}, {"cst", -6},  {"cdt", -5},  {"mst", -7},  {"mdt", -6}, {"pst", -8},
     {"pdt", -7}, {"akst", -9}, {"akdt", -8}, {"hst", -10}, {"cet", 1},  {"cest", 2},
     {"eet", 2},  {"eest", 3},  {"bst", 1},   {"jst", 9}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == ',';
}

/// 1 to 12 for a full or three-letter month name (also "sept"), 0 for anything else.
int month_number(std::string_view word) {
  const std::string lower = to_lower(word);
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (lower == kMonths[i] || lower == kMonths[i].substr(0, 3) || (i == 8 && lower == "sept")) {
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

int full_year(int year) {
  return year < 70 ? 2000 + year : 1900 + year;
}

/// What has been read so far, and whether it makes a date.
struct Fields {
  std::optional<int> year;
  std::optional<int> month;
  std::optional<int> day;
  std::optional<std::int64_t> days;  ///< Instead of the three.
  std::optional<std::int64_t> time_us;
  std::optional<std::int32_t> zone;
  std::optional<bool> afternoon;
  bool before_christ = false;
  bool short_year =
      false;  ///< Two digits were written: a century follows from them, not before Christ.

  [[nodiscard]] bool has_date() const { return days || year || month || day; }

  [[nodiscard]] std::optional<DateTime> finish() const {
    std::int64_t day_number = 0;
    if (days) {
      if (year || month || day) return std::nullopt;
      day_number = *days;
    } else {
      if (!year || !month || !day) return std::nullopt;
      const int written = short_year && !before_christ ? full_year(*year) : *year;
      const int y = before_christ ? 1 - written : written;
      if (written < 1 || written > 294276 || y < -4712 || *month < 1 || *month > 12) {
        return std::nullopt;
      }
      if (*day < 1 || *day > days_in_month(y, *month)) return std::nullopt;
      day_number = days_from_civil(
          {.year = y, .month = static_cast<unsigned>(*month), .day = static_cast<unsigned>(*day)});
    }
    std::int64_t us = time_us.value_or(0);
    if (afternoon) {
      const std::int64_t hour = us / kUsPerHour;
      if (!time_us || hour < 1 || hour > 12) return std::nullopt;
      us += ((hour % 12) + (*afternoon ? 12 : 0) - hour) * kUsPerHour;
    }
    return DateTime{.us = day_number * kUsPerDay + us, .zone_seconds = zone};
  }
};

/// Reads digits from the front of `text`: at least one, at most `digits_max`.
std::optional<int> take_number(std::string_view& text, std::size_t digits_max) {
  std::size_t size = 0;
  int value = 0;
  while (size < text.size() && size < digits_max && is_digit(text[size])) {
    value = value * 10 + (text[size] - '0');
    ++size;
  }
  if (size == 0) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

/// Reads ".789" from the front: microseconds, digits after the sixth cut. 0 when there is none.
std::int64_t take_fraction(std::string_view& text) {
  if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) return 0;
  text.remove_prefix(1);
  std::int64_t us = 0;
  int digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (digits < 6) us = us * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  for (; digits < 6; ++digits) us *= 10;
  return us;
}

/// Reads "+01:00", "-0800", "+5" or a zone's name, which must be all of `text`. Seconds east of
/// UTC.
std::optional<std::int32_t> read_zone(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.front() != '+' && text.front() != '-') {
    const std::string lower = to_lower(text);
    for (const auto& [name, hours] : kZones) {
      if (lower == name) return hours * 3600;
    }
    return std::nullopt;
  }
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 15) return std::nullopt;
  int minutes = 0;
  if (!text.empty()) {
    if (text.front() == ':') text.remove_prefix(1);
    if (text.size() != 2) return std::nullopt;
    const auto read = take_number(text, 2);
    if (!read || *read > 59 || !text.empty()) return std::nullopt;
    minutes = *read;
  }
  return sign * (*hours * 3600 + minutes * 60);
}

/// Reads HH:MI[:SS[.ffffff]] and leaves what follows.
std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 24 || !text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t us = (*hour * 60 + *minute) * kUsPerMinute;
  if (text.size() >= 2 && text[0] == ':' && is_digit(text[1])) {
    text.remove_prefix(1);
    const auto second = take_number(text, 2);
    if (!second || *second > 59) return std::nullopt;
    us += *second * kUsPerSecond + take_fraction(text);
  }
  if (us > kUsPerDay || (us == kUsPerDay && *hour != 24)) return std::nullopt;
  return us;
}

/// Reads the words of a free-form date and time one after the other.
class Recogniser {
 public:
  std::optional<DateTime> read(std::string_view text) {
    while (true) {
      while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
      if (text.empty()) break;
      std::size_t size = 0;
      while (size < text.size() && !is_blank(text[size])) ++size;
      if (!word(text.substr(0, size))) return std::nullopt;
      text.remove_prefix(size);
    }
    if (!fields_.has_date()) return std::nullopt;
    return fields_.finish();
  }

 private:
  bool word(std::string_view word) {
    // "2019-02-11T05:09:12.195Z"
    const std::size_t t = word.find_first_of("Tt");
    if (t != std::string_view::npos && t > 0 && t + 1 < word.size() && is_digit(word[t - 1]) &&
        is_digit(word[t + 1])) {
      return this->word(word.substr(0, t)) && this->word(word.substr(t + 1));
    }
    if (word.find(':') != std::string_view::npos && is_digit(word.front())) return clock(word);
    if (word.front() == '+' || (word.front() == '-' && fields_.time_us)) return zone(word);
    if ((word.front() == 'J' || word.front() == 'j') && word.size() > 1 &&
        word.find_first_not_of("0123456789", 1) == std::string_view::npos) {
      return julian(word);
    }
    if (word.find_first_not_of("0123456789") == std::string_view::npos) return digits(word);
    if (word.find_first_of("-/.") != std::string_view::npos) return parts(word);
    return name(word);
  }

  bool clock(std::string_view word) {
    if (fields_.time_us) return false;
    fields_.time_us = take_clock(word);
    if (!fields_.time_us) return false;
    if (word.empty()) return true;
    return is_letter(word.front()) ? name(word) : zone(word);
  }

  bool zone(std::string_view word) {
    if (fields_.zone) return false;
    fields_.zone = read_zone(word);
    return fields_.zone.has_value();
  }

  bool julian(std::string_view word) {
    if (fields_.has_date()) return false;
    const auto number = parse_number<std::int64_t>(word.substr(1));
    constexpr std::int64_t kEpochJulian = 2440588;
    if (!number || *number > 10'000'000) return false;
    fields_.days = *number - kEpochJulian;
    return true;
  }

  bool digits(std::string_view word) {
    const auto value = parse_number<std::int64_t>(word);
    if (!value) return false;
    const bool whole_date = word.size() == 8 || word.size() == 6;
    if (whole_date && !fields_.has_date()) {
      const int number = static_cast<int>(*value);
      fields_.year = number / 10000;
      fields_.short_year = word.size() == 6;
      fields_.month = number / 100 % 100;
      fields_.day = number % 100;
      return true;
    }
    if (word.size() == 6 && !fields_.time_us) {
      const std::int64_t hour = *value / 10000;
      const std::int64_t minute = *value / 100 % 100;
      const std::int64_t second = *value % 100;
      if (hour > 23 || minute > 59 || second > 59) return false;
      fields_.time_us = ((hour * 60 + minute) * 60 + second) * kUsPerSecond;
      return true;
    }
    if (word.size() <= 2 && !fields_.day) {
      fields_.day = static_cast<int>(*value);
      return true;
    }
    if (word.size() <= 6 && !fields_.year && word.size() != 3) {
      fields_.year = static_cast<int>(*value);
      fields_.short_year = word.size() <= 2;
      return true;
    }
    return false;
  }

  /// "1996-01-08", "12/17/1997", "12.17.1997", "1996.008", "Jan-08-95", "8-Jan-1999", each perhaps
  /// with a zone behind.
  bool parts(std::string_view word) {
    if (fields_.has_date()) return false;
    std::array<std::string_view, 3> pieces;
    std::size_t count = 0;
    const char separator = word[word.find_first_of("-/.")];
    for (const std::string_view piece : split(word, separator)) {
      if (count == pieces.size() || piece.empty()) return false;
      pieces[count++] = piece;
    }
    if (count == 2) return separator == '.' && year_and_day(pieces[0], pieces[1]);
    if (count != 3) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      fields_.month = month_number(pieces[i]);
      if (*fields_.month != 0) return around_month(pieces[1 - i], pieces[2]);
    }
    fields_.month.reset();
    return all_numbers(pieces);
  }

  bool year_and_day(std::string_view year, std::string_view day) {
    const auto y = parse_number<int>(year);
    const auto d = parse_number<int>(day);
    if (!y || !d || year.size() != 4 || day.size() != 3 || *y < 1) return false;
    const int days = 337 + days_in_month(*y, 2);
    if (*d < 1 || *d > days) return false;
    fields_.days = days_from_civil({.year = *y, .month = 1, .day = 1}) + *d - 1;
    return true;
  }

  /// The two numbers beside a month's name: "1999-Jan-08" has the year first.
  bool around_month(std::string_view first, std::string_view last) {
    const bool year_first = first.size() > 2;
    return numbers(year_first ? first : last, year_first ? last : first);
  }

  bool all_numbers(const std::array<std::string_view, 3>& pieces) {
    if (pieces[0].size() > 2) {
      fields_.month = parse_number<int>(pieces[1]);
      return fields_.month && numbers(pieces[0], pieces[2]);
    }
    fields_.month = parse_number<int>(pieces[0]);
    return fields_.month && numbers(pieces[2], pieces[1]);
  }

  bool numbers(std::string_view year, std::string_view day) {
    fields_.year = parse_number<int>(year);
    fields_.day = parse_number<int>(day);
    if (!fields_.year || !fields_.day || day.size() > 2 || *fields_.year < 0) return false;
    fields_.short_year = year.size() <= 2;
    return true;
  }

  bool name(std::string_view word) {
    const std::string lower = to_lower(word);
    if (lower == "am" || lower == "pm") {
      if (fields_.afternoon) return false;
      fields_.afternoon = lower == "pm";
      return true;
    }
    if (lower == "bc" || lower == "ad") {
      fields_.before_christ = lower == "bc";
      return true;
    }
    const int month = month_number(word);
    if (month != 0 && !fields_.month) {
      fields_.month = month;
      return true;
    }
    return zone(word);
  }

  Fields fields_;
};

}  // namespace

std::optional<DateTime> recognise_date_time(std::string_view text) {
  if (text.size() > 128) return std::nullopt;
  return Recogniser().read(text);
}

std::optional<std::int64_t> recognise_time(std::string_view text) {
  text = trim(text);
  if (text.size() > 64) return std::nullopt;
  if (text.size() == 6 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    const std::string with_colons =
        fmt::format("{}:{}:{}", text.substr(0, 2), text.substr(2, 2), text.substr(4, 2));
    std::string_view rest = with_colons;
    return take_clock(rest);
  }
  const auto whole = recognise_date_time(fmt::format("1970-01-01 {}", text));
  if (!whole || text.find(':') == std::string_view::npos) return std::nullopt;
  return whole->us;
}

engine::SqlResult<DateTimePattern> DateTimePattern::parse(std::string_view pattern) {
  DateTimePattern out;
  const std::string lower = to_lower(pattern);
  if (lower == "auto") out.kind_ = Kind::kAuto;
  if (pattern == "epochsecs") out.kind_ = Kind::kEpochSeconds;
  if (pattern == "epochmillisecs") out.kind_ = Kind::kEpochMilliseconds;
  if (out.kind_ != Kind::kParts) return out;
  constexpr std::array<std::pair<std::string_view, Part>, 15> kElements{
      {{"YYYY", Part::kYear4},
       {"YY", Part::kYear2},
       {"MONTH", Part::kMonthName},
       {"MON", Part::kMonthName},
       {"MM", Part::kMonth},
       {"DD", Part::kDay},
       {"HH24", Part::kHour24},
       {"HH12", Part::kHour12},
       {"HH", Part::kHour24},
       {"MI", Part::kMinute},
       {"SS", Part::kSecond},
       {"AM", Part::kHalf},
       {"PM", Part::kHalf},
       {"OF", Part::kZone},
       {"TZ", Part::kZone}}};
  for (std::size_t i = 0; i < pattern.size();) {
    bool found = false;
    for (const auto& [name, part] : kElements) {
      if (!equal_ignore_case(pattern.substr(i, name.size()), name)) continue;
      out.elements_.push_back({.part = part, .literal = 0});
      i += name.size();
      found = true;
      break;
    }
    if (found) continue;
    // A lone letter stands for itself when it separates ("YYYY-MM-DDTHH:MI:SS"); longer words are
    // mistakes.
    const bool word = is_letter(pattern[i]) && i + 1 < pattern.size() &&
                      is_letter(pattern[i + 1]) &&
                      !equal_ignore_case(pattern.substr(i + 1, 2), "HH");
    if (word) {
      return engine::fail_sql("22007", fmt::format("Invalid date or time format: '{}'", pattern),
                              {},
                              "The elements are YYYY, YY, MM, MON, DD, HH, HH24, HH12, MI, SS, AM, "
                              "PM; 'auto' recognises most forms.");
    }
    out.elements_.push_back({.part = Part::kLiteral, .literal = pattern[i]});
    ++i;
  }
  if (out.elements_.empty()) {
    return engine::fail_sql("22007", "A date or time format cannot be empty");
  }
  return out;
}

std::optional<DateTime> DateTimePattern::read(std::string_view text, bool date_only) const {
  text = trim(text);
  switch (kind_) {
    case Kind::kParts:
      return read_parts(text, date_only);
    case Kind::kAuto:
      return recognise_date_time(text);
    case Kind::kEpochSeconds:
    case Kind::kEpochMilliseconds: {
      const int scale = kind_ == Kind::kEpochSeconds ? 6 : 3;
      const auto parsed =
          engine::parse_decimal(text, 18, scale, engine::DecimalRounding::kTruncate);
      if (parsed.error) return std::nullopt;
      return DateTime{.us = static_cast<std::int64_t>(parsed.unscaled.low), .zone_seconds = 0};
    }
  }
  return std::nullopt;
}

std::optional<DateTime> DateTimePattern::read_parts(std::string_view text, bool date_only) const {
  Fields fields;
  std::int64_t time_us = 0;
  for (const Element& element : elements_) {
    // A timestamp may end after its date; a date ends where its format ends.
    const bool date_done = fields.year && fields.month && fields.day;
    if (text.empty() && date_done && time_us == 0) break;
    std::optional<int> number;
    switch (element.part) {
      case Part::kYear4:
        number = fields.year = take_number(text, 4);
        break;
      case Part::kYear2:
        number = take_number(text, 2);
        fields.year = number;
        fields.short_year = true;
        break;
      case Part::kMonth:
        number = fields.month = take_number(text, 2);
        break;
      case Part::kDay:
        number = fields.day = take_number(text, 2);
        break;
      case Part::kMonthName: {
        std::size_t size = 0;
        while (size < text.size() && is_letter(text[size])) ++size;
        const int month = month_number(text.substr(0, size));
        if (month == 0) return std::nullopt;
        number = fields.month = month;
        text.remove_prefix(size);
        break;
      }
      case Part::kHour24:
      case Part::kHour12:
        number = take_number(text, 2);
        if (!number || *number > (element.part == Part::kHour12 ? 12 : 23)) return std::nullopt;
        time_us += *number * kUsPerHour;
        break;
      case Part::kMinute:
        number = take_number(text, 2);
        if (!number || *number > 59) return std::nullopt;
        time_us += *number * kUsPerMinute;
        break;
      case Part::kSecond:
        number = take_number(text, 2);
        if (!number || *number > 59) return std::nullopt;
        time_us += *number * kUsPerSecond + take_fraction(text);
        break;
      case Part::kHalf:
        while (text.starts_with(' ')) text.remove_prefix(1);
        if (!equal_ignore_case(text.substr(0, 2), "am") &&
            !equal_ignore_case(text.substr(0, 2), "pm")) {
          return std::nullopt;
        }
        fields.afternoon = equal_ignore_case(text.substr(0, 2), "pm");
        text.remove_prefix(2);
        number = 0;
        break;
      case Part::kZone:
        text = trim(text);
        if (!text.empty()) fields.zone = read_zone(text);
        if (!text.empty() && !fields.zone) return std::nullopt;
        text = {};
        number = 0;
        break;
      case Part::kLiteral:
        if (element.literal == ' ' && text.empty()) continue;
        if (!text.starts_with(element.literal)) return std::nullopt;
        text.remove_prefix(1);
        number = 0;
        break;
    }
    if (!number) return std::nullopt;
  }
  fields.time_us = time_us;
  if (!text.empty() && date_only) {
    if (!is_blank(text.front()) && text.front() != 'T') return std::nullopt;
  } else if (!text.empty()) {
    // A zone behind a timestamp is read where it has a meaning and dropped elsewhere by the caller.
    fields.zone = read_zone(trim(text));
    if (!fields.zone) return std::nullopt;
  }
  return fields.finish();
}

}  // namespace leat::transfer
