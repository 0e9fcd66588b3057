// Moments by a template, both ways: TO_CHAR, TO_DATE and TO_TIMESTAMP.
#include "warehouse/engine/format_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "base/text.h"

namespace leat::engine {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

// Longest first where one begins another.
constexpr std::string_view kElements[] = {
    "Y,YYY", "A.D.", "A.M.", "B.C.", "P.M.", "HH24", "HH12", "IDDD", "IYYY", "SSSS", "YYYY",
    "MONTH", "DAY",  "DDD",  "IYY",  "MON",  "YYY",  "AD",   "AM",   "BC",   "CC",   "DD",
    "DY",    "HH",   "ID",   "IW",   "IY",   "MI",   "MM",   "MS",   "OF",   "PM",   "RM",
    "SS",    "TZ",   "US",   "WW",   "YY",   "D",    "I",    "J",    "Q",    "W",    "Y"};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
constexpr std::string_view kRoman[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                       "VII", "VIII", "IX",  "X",  "XI", "XII"};

/// A piece of a datetime template: an element as written, or text.
struct Piece {
  std::string_view element;  ///< upper case; empty: `written` is text
  std::string written;
  bool fill = true;      ///< without FM
  bool ordinal = false;  ///< followed by TH or th
  bool ordinal_upper = false;
};

bool starts_with_lower(std::string_view text, std::string_view element) {
  return text.size() >= element.size() &&
         std::ranges::equal(text.substr(0, element.size()), element, [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

/// An element in upper case, in lower case or, if it is a name, with a capital: what is written
/// otherwise is text.
std::string_view element_at(std::string_view rest) {
  constexpr std::string_view kNames[] = {"Month", "Day", "Mon", "Dy"};
  for (const std::string_view name : kNames) {
    if (!rest.starts_with(name)) continue;
    return *std::ranges::find_if(
        kElements, [&](std::string_view each) { return equal_ignore_case(each, name); });
  }
  for (const std::string_view element : kElements) {
    if (rest.starts_with(element)) return element;
    // OF in lower case is the word.
    if (element != "OF" && starts_with_lower(rest, element)) return element;
  }
  return {};
}

bool is_numeric_element(std::string_view element) {
  constexpr std::string_view kWords[] = {"A.D.", "A.M.", "B.C.", "P.M.", "MONTH",
                                         "DAY",  "MON",  "AD",   "AM",   "BC",
                                         "DY",   "OF",   "PM",   "RM",   "TZ"};
  return std::ranges::find(kWords, element) == std::end(kWords);
}

std::vector<Piece> pieces_of(std::string_view format) {
  std::vector<Piece> pieces;
  const auto text = [&](std::string_view added) {
    if (pieces.empty() || !pieces.back().element.empty()) pieces.emplace_back();
    pieces.back().written += added;
  };
  bool fill = true;
  while (!format.empty()) {
    if (format.front() == '"') {
      fill = true;
      for (format.remove_prefix(1); !format.empty() && format.front() != '"';) {
        if (format.front() == '\\' && format.size() > 1) format.remove_prefix(1);
        text(format.substr(0, 1));
        format.remove_prefix(1);
      }
      format.remove_prefix(std::min<std::size_t>(1, format.size()));
      continue;
    }
    if (format.starts_with("\\\"")) format.remove_prefix(1);
    if (format.starts_with("FM") || format.starts_with("fm")) {
      fill = false;
      format.remove_prefix(2);
      continue;
    }
    const std::string_view element = element_at(format);
    if (element.empty()) {
      text(format.substr(0, 1));
      format.remove_prefix(1);
      fill = true;
      continue;
    }
    Piece piece{.element = element, .written = std::string(format.substr(0, element.size()))};
    piece.fill = std::exchange(fill, true);
    format.remove_prefix(element.size());
    if (format.starts_with("TH") || format.starts_with("th")) {
      piece.ordinal = is_numeric_element(element);
      piece.ordinal_upper = format[0] == 'T';
      format.remove_prefix(2);
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

/// `name` in the case of the template: MON, Mon or mon.
std::string in_case_of(std::string_view written, std::string_view name) {
  if (written[0] >= 'a') return to_lower(name);
  if (written.size() > 1 && written[1] >= 'a') return std::string(name);
  return upper_case(name);
}

/// A moment taken apart.
struct Fields {
  int year = 1970;
  int month = 1;
  int day = 1;
  int day_of_year = 1;
  int weekday = 4;  ///< 0 is Sunday
  int iso_year = 1970;
  int iso_week = 1;
  std::int64_t julian = 0;
  std::int64_t us = 0;  ///< of the day
};

Fields fields_of(std::int64_t local_us) {
  using std::chrono::days;
  using std::chrono::sys_days;
  using std::chrono::year_month_day;
  std::int64_t number = local_us / kDayUs;
  if (local_us % kDayUs < 0) --number;
  const sys_days date{days(static_cast<int>(number))};
  const year_month_day parts(date);
  const auto day_of_year = [](sys_days at) {
    const std::chrono::year year = year_month_day(at).year();
    return static_cast<int>((at - sys_days(year / 1 / 1)).count()) + 1;
  };
  Fields fields;
  fields.year = static_cast<int>(parts.year());
  fields.month = static_cast<int>(static_cast<unsigned>(parts.month()));
  fields.day = static_cast<int>(static_cast<unsigned>(parts.day()));
  fields.day_of_year = day_of_year(date);
  fields.weekday = static_cast<int>(std::chrono::weekday(date).c_encoding());
  // The ISO year is that of the week's Thursday.
  const sys_days thursday = date + days(4 - (fields.weekday == 0 ? 7 : fields.weekday));
  fields.iso_year = static_cast<int>(year_month_day(thursday).year());
  fields.iso_week = (day_of_year(thursday) - 1) / 7 + 1;
  fields.julian = number + 2'440'588;
  fields.us = local_us - number * kDayUs;
  return fields;
}

/// A numeric element: its value and how many digits it is filled to.
struct NumberShown {
  std::int64_t value = 0;
  int width = 1;
  bool always_filled = false;  ///< also with FM
};

NumberShown number_of(std::string_view element, const Fields& at) {
  const std::int64_t seconds = at.us / 1'000'000;
  const std::int64_t hour = seconds / 3600;
  const int year = at.year > 0 ? at.year : 1 - at.year;
  if (element == "YYYY") return {year, 4};
  if (element == "YYY") return {year % 1000, 3};
  if (element == "YY") return {year % 100, 2};
  if (element == "Y") return {year % 10, 1};
  const int iso_year = at.iso_year > 0 ? at.iso_year : 1 - at.iso_year;
  if (element == "IYYY") return {iso_year, 4};
  if (element == "IYY") return {iso_year % 1000, 3};
  if (element == "IY") return {iso_year % 100, 2};
  if (element == "I") return {iso_year % 10, 1};
  if (element == "CC") {
    if (at.year <= 0) return {at.year / 100 - 1, 3};
    return {(year + 99) / 100, 2};
  }
  if (element == "Q") return {(at.month - 1) / 3 + 1, 1};
  if (element == "MM") return {at.month, 2};
  if (element == "WW") return {(at.day_of_year - 1) / 7 + 1, 2};
  if (element == "W") return {(at.day - 1) / 7 + 1, 1};
  if (element == "IW") return {at.iso_week, 2};
  if (element == "DDD") return {at.day_of_year, 3};
  if (element == "IDDD") return {(at.iso_week - 1) * 7 + (at.weekday == 0 ? 7 : at.weekday), 3};
  if (element == "DD") return {at.day, 2};
  if (element == "D") return {at.weekday + 1, 1};
  if (element == "ID") return {at.weekday == 0 ? 7 : at.weekday, 1};
  if (element == "J") return {at.julian, 1};
  if (element == "HH24") return {hour, 2};
  if (element == "HH12" || element == "HH") return {hour % 12 == 0 ? 12 : hour % 12, 2};
  if (element == "MI") return {seconds / 60 % 60, 2};
  if (element == "SS") return {seconds % 60, 2};
  if (element == "MS") return {at.us / 1000 % 1000, 3, true};
  if (element == "US") return {at.us % 1'000'000, 6, true};
  return {seconds, 1};  // SSSS
}

std::string word_of(const Piece& piece, const Fields& at, ZoneText zone) {
  const std::string_view element = piece.element;
  const bool padded = piece.fill;
  const auto name = [&](std::string_view text) { return in_case_of(piece.written, text); };
  if (element == "MONTH") {
    const std::string text = name(kMonths[at.month - 1]);
    return padded ? fmt::format("{:<9}", text) : text;
  }
  if (element == "DAY") {
    const std::string text = name(kDays[at.weekday]);
    return padded ? fmt::format("{:<9}", text) : text;
  }
  if (element == "MON") return name(kMonths[at.month - 1].substr(0, 3));
  if (element == "DY") return name(kDays[at.weekday].substr(0, 3));
  if (element == "RM") {
    const std::string text = name(kRoman[at.month - 1]);
    return padded ? fmt::format("{:<4}", text) : text;
  }
  const bool lower = piece.written[0] >= 'a';
  if (element == "TZ") return lower ? to_lower(zone.name) : upper_case(zone.name);
  if (element == "OF") {
    const std::int64_t minutes = std::abs(zone.offset_seconds) / 60;
    std::string text =
        fmt::format("{}{:0{}}", zone.offset_seconds < 0 ? '-' : '+', minutes / 60, padded ? 2 : 1);
    if (minutes % 60 != 0) text += fmt::format(":{:02}", minutes % 60);
    return text;
  }
  const bool first = element == "AM" || element == "PM" || element == "A.M." || element == "P.M."
                         ? at.us < kDayUs / 2
                         : at.year <= 0;
  std::string text;
  if (element[1] == '.') {
    text = element[2] == 'M' ? (first ? "A.M." : "P.M.") : (first ? "B.C." : "A.D.");
  } else {
    text = element[1] == 'M' ? (first ? "AM" : "PM") : (first ? "BC" : "AD");
  }
  return lower ? to_lower(text) : text;
}

}  // namespace

std::string format_moment(std::int64_t local_us, std::string_view format, ZoneText zone) {
  const Fields fields = fields_of(local_us);
  std::string out;
  for (const Piece& piece : pieces_of(format)) {
    const auto ending = [&](std::int64_t number) {
      if (!piece.ordinal) return std::string();
      const std::string_view letters = ordinal_of(number);
      return piece.ordinal_upper ? upper_case(letters) : std::string(letters);
    };
    if (piece.element.empty()) {
      out += piece.written;
    } else if (piece.element == "Y,YYY") {
      const std::int64_t year = number_of("YYYY", fields).value;
      out += fmt::format("{},{:03}", year / 1000, year % 1000) + ending(year);
    } else if (is_numeric_element(piece.element)) {
      const NumberShown shown = number_of(piece.element, fields);
      out +=
          fmt::format("{:0{}}", shown.value, piece.fill || shown.always_filled ? shown.width : 1);
      out += ending(shown.value);
    } else {
      out += word_of(piece, fields, zone);
    }
  }
  return out;
}

namespace {

/// What a text said, by element.
struct Reading {
  std::string_view rest;
  std::optional<std::int64_t> year, month, day, day_of_year, julian, iso_week, iso_day, week,
      week_of_month;
  std::int64_t hour = 0, minute = 0, second = 0, us = 0, offset_seconds = 0;
  std::optional<std::int64_t> second_of_day;
  bool twelve_hours = false, afternoon = false, before_christ = false, iso = false;

  void skip_blanks() {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  }
  std::optional<std::int64_t> digits(std::size_t most) {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest.size() && size < most && rest[size] >= '0' && rest[size] <= '9') ++size;
    const auto value = parse_number<std::int64_t>(rest.substr(0, size));
    rest.remove_prefix(size);
    return value;
  }
  /// The number of the name that the text begins with, whole or (`letters` > 0) cut.
  template <class Names>
  std::optional<std::int64_t> name(const Names& names, std::size_t letters) {
    skip_blanks();
    std::int64_t number = 0;
    std::optional<std::int64_t> found;
    std::size_t length = 0;
    for (const std::string_view whole : names) {
      ++number;
      const std::string_view wanted = letters > 0 ? whole.substr(0, letters) : whole;
      if (wanted.size() <= length || !equal_ignore_case(rest.substr(0, wanted.size()), wanted))
        continue;
      found = number;
      length = wanted.size();
    }
    rest.remove_prefix(length);
    return found;
  }
};

SqlStatus bad_text(std::string_view text, const Piece& piece) {
  return fail_sql("22007", fmt::format("invalid value for {} in \"{}\"", piece.written, text));
}

/// The numeric elements; false when there is no number.
bool read_number(const Piece& piece, std::size_t most, Reading& reading) {
  const std::string_view element = piece.element;
  if (element == "Y,YYY") {
    const auto thousands = reading.digits(most);
    if (!thousands || !reading.rest.starts_with(',')) return false;
    reading.rest.remove_prefix(1);
    const auto ones = reading.digits(3);
    if (!ones) return false;
    reading.year = *thousands * 1000 + *ones;
    return true;
  }
  const std::size_t before = reading.rest.size();
  const auto value = reading.digits(most);
  if (!value) return false;
  const std::size_t read = before - reading.rest.size();
  const auto short_year = [&](std::int64_t digits) {
    // Two digits mean 1970 to 2069, as three do 1100 to 2099.
    if (digits >= 4) return *value;
    if (*value < 70) return *value + 2000;
    return *value < 100 ? *value + 1900 : *value + (*value >= 100 && *value < 520 ? 2000 : 1000);
  };
  const auto fraction = [&](std::size_t places) {
    std::int64_t scaled = *value;
    for (std::size_t i = read; i < places; ++i) scaled *= 10;
    return scaled;
  };
  if (element == "YYYY" || element == "IYYY") {
    reading.year = value;
  } else if (element == "YYY" || element == "YY" || element == "Y" || element == "IYY" ||
             element == "IY" || element == "I") {
    reading.year = short_year(static_cast<std::int64_t>(read));
  } else if (element == "MM") {
    reading.month = value;
  } else if (element == "DD") {
    reading.day = value;
  } else if (element == "DDD") {
    reading.day_of_year = value;
  } else if (element == "WW") {
    reading.week = std::min<std::int64_t>(*value, 99);
  } else if (element == "W") {
    reading.week_of_month = std::min<std::int64_t>(*value, 99);
  } else if (element == "IW") {
    reading.iso_week = value;
  } else if (element == "ID") {
    reading.iso_day = value;
  } else if (element == "J") {
    reading.julian = value;
  } else if (element == "HH24" || element == "HH12" || element == "HH") {
    reading.hour = *value;
    reading.twelve_hours = reading.twelve_hours || element != "HH24";
  } else if (element == "MI") {
    reading.minute = *value;
  } else if (element == "SS") {
    reading.second = *value;
  } else if (element == "MS") {
    reading.us += fraction(3) * 1000;
  } else if (element == "US") {
    reading.us += fraction(6);
  } else if (element == "SSSS") {
    reading.second_of_day = value;
  }  // the others say nothing that a date needs
  if (element.starts_with("IY") || element == "I") reading.iso = true;
  if (piece.ordinal) reading.rest.remove_prefix(std::min<std::size_t>(2, reading.rest.size()));
  return true;
}

bool read_zone(Reading& reading) {
  reading.skip_blanks();
  for (const std::string_view name : {"UTC", "GMT", "Z"}) {
    if (!equal_ignore_case(reading.rest.substr(0, name.size()), name)) continue;
    reading.rest.remove_prefix(name.size());
    return true;
  }
  if (reading.rest.empty() || (reading.rest[0] != '+' && reading.rest[0] != '-')) return false;
  const std::int64_t sign = reading.rest[0] == '-' ? -1 : 1;
  reading.rest.remove_prefix(1);
  const auto hours = reading.digits(2);
  if (!hours) return false;
  if (reading.rest.starts_with(':')) reading.rest.remove_prefix(1);
  const auto minutes = reading.digits(2);
  reading.offset_seconds = sign * (*hours * 3600 + minutes.value_or(0) * 60);
  return true;
}

bool read_word(const Piece& piece, Reading& reading) {
  const std::string_view element = piece.element;
  if (element == "MONTH" || element == "MON") {
    reading.month = reading.name(kMonths, element == "MON" ? 3 : 0);
    if (!reading.month) reading.month = reading.name(kMonths, 3);
    return reading.month.has_value();
  }
  if (element == "DAY" || element == "DY") {
    const bool whole = element == "DAY" && reading.name(kDays, 0);
    return whole || reading.name(kDays, 3);
  }
  if (element == "RM") {
    reading.month = reading.name(kRoman, 0);
    return reading.month.has_value();
  }
  if (element == "TZ" || element == "OF") return read_zone(reading);
  constexpr std::string_view kHalves[] = {"AM", "PM", "A.M.", "P.M."};
  constexpr std::string_view kEras[] = {"AD", "BC", "A.D.", "B.C."};
  const bool half = element.find('M') != std::string_view::npos;
  const auto found = half ? reading.name(kHalves, 0) : reading.name(kEras, 0);
  if (!found) return false;
  if (half) {
    reading.afternoon = *found % 2 == 0;
    reading.twelve_hours = true;
  } else {
    reading.before_christ = *found % 2 == 0;
  }
  return true;
}

/// How many digits an element may have: all there are before a separator, its own width before
/// another number.
std::size_t digits_most(const std::vector<Piece>& pieces, std::size_t index) {
  const std::string_view element = pieces[index].element;
  const bool number_next = index + 1 < pieces.size() && !pieces[index + 1].element.empty() &&
                           is_numeric_element(pieces[index + 1].element);
  if (!number_next && element != "MS" && element != "US") return 9;
  if (element == "J") return 9;
  if (element == "SSSS") return 5;
  if (element == "US") return 6;
  if (element == "HH24" || element == "HH12") return 2;
  return element == "Y,YYY" ? 1 : (element == "IDDD" || element == "MS" ? 3 : element.size());
}

SqlResult<std::int64_t> moment_of(Reading& reading, bool strict) {
  using std::chrono::days;
  using std::chrono::sys_days;
  if (reading.twelve_hours) {
    if (reading.afternoon && reading.hour < 12) reading.hour += 12;
    if (!reading.afternoon && reading.hour == 12) reading.hour = 0;
  }
  if (strict && (reading.hour > 23 || reading.minute > 59 || reading.second > 59)) {
    return fail_sql("22008", fmt::format("date/time field time value out of range: {}:{:02}:{:02}",
                                         reading.hour, reading.minute, reading.second));
  }
  // Weeks of seven days from the first day on, where nothing finer was said.
  if (reading.week && !reading.month && !reading.day && !reading.day_of_year)
    reading.day_of_year = (*reading.week - 1) * 7 + 1;
  if (reading.week_of_month && !reading.day) reading.day = (*reading.week_of_month - 1) * 7 + 1;
  std::int64_t year = reading.year.value_or(1);
  if (reading.before_christ) year = 1 - year;
  const std::int64_t month = reading.month.value_or(1);
  const std::int64_t day = reading.day.value_or(1);
  const auto start = std::chrono::year(static_cast<int>(year));
  const auto limit = [&] {
    const auto last = start / static_cast<int>(month) / std::chrono::last;
    return static_cast<std::int64_t>(static_cast<unsigned>(last.day()));
  };
  if (reading.hour > 99'999 || reading.minute > 99'999 || reading.second > 999'999) {
    return fail_sql("22008", "date/time field time value out of range");
  }
  constexpr std::int64_t kLastJulian = 5'373'484;  // 9999-12-31
  if (year > 9999 || reading.julian.value_or(0) > kLastJulian ||
      reading.day_of_year.value_or(1) > 366 || month < 1 || month > 12 || day < 0 || day > 366 ||
      (strict && (day < 1 || day > limit()))) {
    return fail_sql("22008", fmt::format("date/time field date value out of range: {}-{}-{}", year,
                                         month, day));
  }
  sys_days date = sys_days(start / static_cast<int>(month) / 1) + days(static_cast<int>(day) - 1);
  if (reading.julian) {
    date = sys_days(days(static_cast<int>(*reading.julian) - 2'440'588));
  } else if (reading.iso && reading.iso_week) {
    const sys_days fourth(start / 1 / 4);
    const int weekday = static_cast<int>(std::chrono::weekday(fourth).iso_encoding());
    date = fourth + days(1 - weekday + 7 * (static_cast<int>(*reading.iso_week % 100) - 1) +
                         static_cast<int>(reading.iso_day.value_or(1) % 10) - 1);
  } else if (reading.day_of_year) {
    date = sys_days(start / 1 / 1) + days(static_cast<int>(*reading.day_of_year) - 1);
  }
  const std::int64_t seconds =
      reading.second_of_day.value_or(reading.hour * 3600 + reading.minute * 60 + reading.second);
  return static_cast<std::int64_t>(date.time_since_epoch().count()) * kDayUs +
         (seconds - reading.offset_seconds) * 1'000'000 + reading.us;
}

}  // namespace

SqlResult<std::int64_t> parse_moment(std::string_view text, std::string_view format, bool strict) {
  Reading reading;
  reading.rest = text;
  const std::vector<Piece> pieces = pieces_of(format);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (piece.element.empty()) {
      // Each character of the template stands for any one of the text; blanks for any number.
      for (const char c : piece.written) {
        // Names may be filled with blanks.
        const std::size_t next = reading.rest.find_first_not_of(' ');
        const bool filled = next != std::string_view::npos && reading.rest[next] == c;
        if (c == ' ' || filled) reading.skip_blanks();
        if (c != ' ' && !reading.rest.empty()) {
          reading.rest.remove_prefix(1);
        }
      }
      continue;
    }
    if (reading.rest.empty()) break;
    const bool read = is_numeric_element(piece.element)
                          ? read_number(piece, digits_most(pieces, i), reading)
                          : read_word(piece, reading);
    if (!read) return std::unexpected(bad_text(text, piece).error());
  }
  return moment_of(reading, strict);
}

}  // namespace leat::engine
