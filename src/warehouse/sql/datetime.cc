#include "warehouse/sql/datetime.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"

namespace leat::sql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Unit {
  std::string_view name;
  double months;
  double days;
  double microseconds;
};

constexpr double kSecond = 1e6;
constexpr Unit kUnits[] = {
    {"millennium", 12000, 0, 0},
    {"century", 1200, 0, 0},
    {"decade", 120, 0, 0},
    {"year", 12, 0, 0},
    {"quarter", 3, 0, 0},
    {"month", 1, 0, 0},
    {"week", 0, 7, 0},
    {"day", 0, 1, 0},
    {"hour", 0, 0, 3600 * kSecond},
    {"minute", 0, 0, 60 * kSecond},
    {"second", 0, 0, kSecond},
    {"millisecond", 0, 0, 1000},
    {"microsecond", 0, 0, 1},
};

constexpr DatePart kParts[] = {
    {"c", "century"},
    {"cent", "century"},
    {"cents", "century"},
    {"centuries", "century"},
    {"century", "century"},
    {"d", "day"},
    {"day", "day"},
    {"dayofweek", "dow"},
    {"dayofyear", "doy"},
    {"days", "day"},
    {"dec", "decade"},
    {"decade", "decade"},
    {"decades", "decade"},
    {"decs", "decade"},
    {"dow", "dow"},
    {"doy", "doy"},
    {"dw", "dow"},
    {"dy", "doy"},
    {"epoch", "epoch"},
    {"h", "hour"},
    {"hour", "hour"},
    {"hours", "hour"},
    {"hr", "hour"},
    {"hrs", "hour"},
    {"isodow", "isodow"},
    {"isoyear", "isoyear"},
    {"m", "minute"},
    {"microsec", "microsecond"},
    {"microsecond", "microsecond"},
    {"microseconds", "microsecond"},
    {"microsecs", "microsecond"},
    {"mil", "millennium"},
    {"millennia", "millennium"},
    {"millennium", "millennium"},
    {"millisec", "millisecond"},
    {"millisecon", "millisecond"},
    {"millisecond", "millisecond"},
    {"milliseconds", "millisecond"},
    {"millisecs", "millisecond"},
    {"mils", "millennium"},
    {"min", "minute"},
    {"mins", "minute"},
    {"minute", "minute"},
    {"minutes", "minute"},
    {"mon", "month"},
    {"mons", "month"},
    {"month", "month"},
    {"months", "month"},
    {"ms", "millisecond"},
    {"msec", "millisecond"},
    {"msecond", "millisecond"},
    {"mseconds", "millisecond"},
    {"msecs", "millisecond"},
    {"qtr", "quarter"},
    {"qtrs", "quarter"},
    {"quarter", "quarter"},
    {"quarters", "quarter"},
    {"s", "second"},
    {"sec", "second"},
    {"second", "second"},
    {"seconds", "second"},
    {"secs", "second"},
    {"timezone", "timezone"},
    {"timezone_hour", "timezone_hour"},
    {"timezone_minute", "timezone_minute"},
    {"us", "microsecond"},
    {"usec", "microsecond"},
    {"usecond", "microsecond"},
    {"useconds", "microsecond"},
    {"usecs", "microsecond"},
    {"w", "week"},
    {"week", "week"},
    {"weekday", "dow"},
    {"weeks", "week"},
    {"y", "year"},
    {"year", "year"},
    {"yearday", "doy"},
    {"years", "year"},
    {"yr", "year"},
    {"yrs", "year"},
};

const Unit* unit_of(std::string_view word) {
  const std::string_view canonical = date_part_canonical(word);
  for (const Unit& unit : kUnits) {
    if (unit.name == canonical) return &unit;
  }
  return nullptr;
}

void add_unit(Interval& interval, double value, const Unit& unit) {
  const double months = value * unit.months;
  const double whole_months = std::trunc(months);
  double days = value * unit.days + (months - whole_months) * 30;
  if (unit.months >= 12) days = value * unit.days;  // fractions of years are months only
  const double whole_days = std::trunc(days);
  interval.months += static_cast<std::int64_t>(whole_months);
  interval.days += static_cast<std::int64_t>(whole_days);
  interval.microseconds += static_cast<std::int64_t>(
      std::llround(value * unit.microseconds + (days - whole_days) * 86400 * kSecond));
}

constexpr double kMagnitudeMax = 1e12;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip(std::size_t count = 1) { at_ += count; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == ',') ++at_;
  }
  std::string_view digits() { return while_true(is_digit); }
  std::string_view letters() { return while_true(is_letter); }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::size_t position() const { return at_; }
  void back_to(std::size_t position) { at_ = position; }

 private:
  std::string_view while_true(bool (*test)(char)) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && test(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

/// hh:mm[:ss[.ffffff]] in microseconds, the hours already read.
std::optional<double> clock_tail(Reader& reader, double hours) {
  double total = hours * 3600;
  for (const double weight : {60.0, 1.0}) {
    if (!reader.accept(':')) break;
    const std::string_view digits = reader.digits();
    if (digits.empty() || digits.size() > 9) return std::nullopt;
    total += weight * static_cast<double>(parse_number<std::int64_t>(digits).value_or(0));
  }
  total *= kSecond;
  if (reader.accept('.')) {
    const std::string fraction = "0." + std::string(reader.digits());
    total += parse_number<double>(fraction).value_or(0) * kSecond;
  }
  return total;
}

bool add_year_month(Interval& interval, Reader& reader, double years, double sign) {
  const std::string_view months = reader.digits();
  if (months.empty() || months.size() > 9) return false;
  interval.months += static_cast<std::int64_t>(
      sign * (years * 12 + static_cast<double>(parse_number<std::int64_t>(months).value_or(0))));
  return true;
}

bool interval_item(Interval& interval, Reader& reader, const Unit& bare_unit) {
  double sign = 1;
  if (reader.accept('-')) {
    sign = -1;
  } else {
    (void)reader.accept('+');
  }
  std::string number(reader.digits());
  if (reader.peek() == '.') {
    reader.skip();
    number += "." + std::string(reader.digits());
  }
  if (number.empty() || number == ".") return false;
  if (number.front() == '.') number.insert(0, "0");
  if (number.back() == '.') number += "0";
  const auto value = parse_number<double>(number);
  if (!value || *value > kMagnitudeMax) return false;
  if (reader.peek() == ':') {
    const auto clock = clock_tail(reader, *value);
    if (!clock || *clock > kMagnitudeMax * kSecond) return false;
    interval.microseconds += static_cast<std::int64_t>(sign * *clock);
    return true;
  }
  if (reader.peek() == '-' && is_digit(reader.peek(1))) {
    reader.skip();
    return add_year_month(interval, reader, *value, sign);
  }
  const std::size_t before_blanks = reader.position();
  reader.skip_blanks();
  const std::string word = to_lower(reader.letters());
  if (word.empty() || word == "ago") {
    reader.back_to(before_blanks);
    add_unit(interval, sign * *value, bare_unit);
    return true;
  }
  const Unit* unit = unit_of(word);
  if (unit == nullptr) return false;
  add_unit(interval, sign * *value, *unit);
  return true;
}

constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
constexpr std::string_view kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                      "friday", "saturday", "sunday"};

int month_of(std::string_view word) {
  if (word.size() < 3) return 0;
  for (int i = 0; i < 12; ++i) {
    if (word == kMonths[i].substr(0, 3) || word == kMonths[i] || (word == "sept" && i == 8))
      return i + 1;
  }
  return 0;
}

bool is_day_name(std::string_view word) {
  for (const std::string_view day : kDays) {
    if (word.size() >= 3 && day.starts_with(word)) return true;
  }
  return false;
}

int number_of(std::string_view digits) {
  return digits.size() > 9 ? -1 : static_cast<int>(parse_number<std::int64_t>(digits).value_or(-1));
}

bool leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}
int days_in_month(int year, int month) {
  static constexpr int kDaysIn[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDaysIn[month - 1];
}

struct Moment {
  int year = 0;
  int month = 0;
  int day = 0;
  bool date_known = false;
  bool time_known = false;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string fraction;
  std::string zone;  ///< "+hh:mm" or a name
  bool before_christ = false;
};

int full_year(std::string_view digits) {
  const int value = number_of(digits);
  if (digits.size() > 2) return value;
  return value < 70 ? 2000 + value : 1900 + value;
}

void from_julian_day(std::int64_t julian, Moment& moment) {
  // Fliegel and Van Flandern.
  std::int64_t l = julian + 68569;
  const std::int64_t n = 4 * l / 146097;
  l -= (146097 * n + 3) / 4;
  const std::int64_t i = 4000 * (l + 1) / 1461001;
  l -= 1461 * i / 4 - 31;
  const std::int64_t j = 80 * l / 2447;
  moment.day = static_cast<int>(l - 2447 * j / 80);
  l = j / 11;
  moment.month = static_cast<int>(j + 2 - 12 * l);
  moment.year = static_cast<int>(100 * (n - 49) + i + l);
  moment.date_known = true;
}

bool from_day_of_year(int year, int day_of_year, Moment& moment) {
  if (day_of_year < 1 || day_of_year > (leap(year) ? 366 : 365)) return false;
  moment.year = year;
  moment.month = 1;
  while (day_of_year > days_in_month(year, moment.month)) {
    day_of_year -= days_in_month(year, moment.month);
    ++moment.month;
  }
  moment.day = day_of_year;
  moment.date_known = true;
  return true;
}

/// hh:mm[:ss[.f]], the hour's digits already read.
bool read_clock(Reader& reader, std::string_view hour, Moment& moment) {
  moment.hour = number_of(hour);
  moment.time_known = true;
  reader.skip();
  const std::string_view minute = reader.digits();
  moment.minute = number_of(minute);
  if (minute.size() > 2 || minute.empty()) return false;
  if (reader.accept(':')) {
    const std::string_view second = reader.digits();
    if (second.size() > 2 || second.empty()) return false;
    moment.second = number_of(second);
    if (reader.accept('.')) moment.fraction = reader.digits();
  }
  return true;
}

/// Three numbers with one separator between them: year first when it is written with four digits,
/// else month, day, year.
bool read_date(Reader& reader, std::string_view first, char separator, Moment& moment) {
  reader.skip();
  std::string_view second = reader.digits();
  const std::string word = second.empty() ? to_lower(reader.letters()) : std::string();
  const int named_month = word.empty() ? 0 : month_of(word);
  if (second.empty() && named_month == 0) return false;
  moment.date_known = true;
  if (!reader.accept(separator)) {
    if (first.size() == 4 && second.size() == 3) {
      return from_day_of_year(number_of(first), number_of(second), moment);
    }
    return false;
  }
  const std::string_view third = reader.digits();
  if (third.empty()) return false;
  const int middle = named_month != 0 ? named_month : number_of(second);
  if (first.size() >= 3) {
    moment.year = number_of(first);
    moment.month = middle;
    moment.day = number_of(third);
  } else if (named_month != 0 || (separator == '.' && number_of(first) > 12)) {
    moment.day = number_of(first);
    moment.month = middle;
    moment.year = full_year(third);
  } else {
    moment.month = number_of(first);
    moment.day = middle;
    moment.year = full_year(third);
  }
  return true;
}

bool read_packed(std::string_view digits, Moment& moment) {
  if (!moment.date_known && (digits.size() == 8 || digits.size() == 6)) {
    const std::size_t year_size = digits.size() - 4;
    moment.year = full_year(digits.substr(0, year_size));
    moment.month = number_of(digits.substr(year_size, 2));
    moment.day = number_of(digits.substr(year_size + 2, 2));
    moment.date_known = true;
    return true;
  }
  if (!moment.time_known && (digits.size() == 6 || digits.size() == 4)) {
    moment.hour = number_of(digits.substr(0, 2));
    moment.minute = number_of(digits.substr(2, 2));
    moment.second = digits.size() == 6 ? number_of(digits.substr(4, 2)) : 0;
    moment.time_known = true;
    return true;
  }
  return false;
}

bool read_zone(Reader& reader, char sign, Moment& moment) {
  reader.skip();
  const std::string_view hour = reader.digits();
  std::string_view minute = "00";
  std::string_view hours = hour;
  if (reader.accept(':')) {
    minute = reader.digits();
  } else if (hour.size() == 4) {
    hours = hour.substr(0, 2);
    minute = hour.substr(2);
  }
  if (hours.empty() || hours.size() > 2 || minute.size() != 2) return false;
  moment.zone = std::string(1, sign) + (hours.size() == 1 ? "0" : "") + std::string(hours) + ":" +
                std::string(minute);
  return true;
}

/// PST, Z, or the rest of a name such as US/Pacific.
bool read_zone_name(std::string_view word, Reader& reader, Moment& moment) {
  if (const auto minutes = named_zone_minutes(word); minutes && reader.peek() != '/') {
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "%c%02d:%02d", *minutes < 0 ? '-' : '+',
                        std::abs(*minutes) / 60, std::abs(*minutes) % 60);
    moment.zone = text.data();
    return true;
  }
  std::string name(word);
  while (reader.peek() == '/' || reader.peek() == '_') {
    name += reader.peek();
    reader.skip();
    name += reader.letters();
  }
  if (name.find('/') == std::string::npos) return false;
  moment.zone = " " + name;
  return true;
}

/// Month names, AM and PM, BC, T, Z, zone names.
bool read_word(Reader& reader, Moment& moment, int& pending_day) {
  const std::string word = to_lower(reader.letters());
  if (word == "t" || is_day_name(word)) {
    (void)reader.accept('.');
    return true;
  }
  if (word == "am" || word == "pm") {
    if (moment.hour < 1 || moment.hour > 12) return false;
    moment.hour = moment.hour % 12 + (word == "pm" ? 12 : 0);
    return true;
  }
  if (word == "bc" || word == "ad") {
    moment.before_christ = word == "bc";
    return true;
  }
  if (moment.time_known && moment.zone.empty() && read_zone_name(word, reader, moment)) return true;
  if (word == "j" && is_digit(reader.peek())) {
    const int julian = number_of(reader.digits());
    if (julian < 0) return false;
    from_julian_day(julian, moment);
    return true;
  }
  const int month = month_of(word);
  if (month == 0 || moment.month != 0) return false;
  moment.month = month;
  (void)reader.accept('.');
  if (pending_day > 0) {
    moment.day = pending_day;
    pending_day = 0;
  }
  if (reader.peek() == '-') reader.skip();
  return true;
}

/// A lone number beside a month's name: the day, then the year.
bool read_lone(std::string_view digits, Moment& moment, int& pending_day) {
  if (moment.month != 0 && moment.day == 0 && digits.size() <= 2) {
    moment.day = number_of(digits);
    return true;
  }
  if (moment.month != 0 && !moment.date_known && (digits.size() == 4 || digits.size() == 2)) {
    moment.year = full_year(digits);
    moment.date_known = moment.day != 0;
    return moment.date_known;
  }
  if (moment.month == 0 && digits.size() <= 2 && pending_day == 0) {
    pending_day = number_of(digits);
    return true;
  }
  return false;
}

std::optional<Moment> read_moment(std::string_view text) {
  Moment moment;
  Reader reader(text);
  int pending_day = 0;
  while (true) {
    const std::size_t before = reader.position();
    reader.skip_blanks();
    if (reader.done()) break;
    const char c = reader.peek();
    // JDBC writes a date with the zone of its midnight: "2024-05-06 -04".
    const bool zone_may_come =
        moment.time_known || (moment.date_known && reader.position() > before);
    if (is_digit(c)) {
      const std::string_view digits = reader.digits();
      const char next = reader.peek();
      if (next == ':' && !moment.time_known) {
        if (!read_clock(reader, digits, moment)) return std::nullopt;
      } else if ((next == '-' || next == '/' || next == '.') && !moment.date_known &&
                 moment.month == 0) {
        if (!read_date(reader, digits, next, moment)) return std::nullopt;
      } else if (!read_lone(digits, moment, pending_day) && !read_packed(digits, moment)) {
        return std::nullopt;
      } else if (moment.month != 0 && !moment.date_known && reader.peek() == '-') {
        reader.skip();
      }
    } else if (is_letter(c)) {
      if (!read_word(reader, moment, pending_day)) return std::nullopt;
    } else if ((c == '+' || c == '-') && zone_may_come && moment.zone.empty()) {
      if (!read_zone(reader, c, moment)) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return moment;
}

std::string two_digits(int value) {
  std::array<char, 16> text{};
  (void)std::snprintf(text.data(), text.size(), "%02d", value);
  return text.data();
}

std::string clock_text(const Moment& moment) {
  std::string text =
      two_digits(moment.hour) + ":" + two_digits(moment.minute) + ":" + two_digits(moment.second);
  if (!moment.fraction.empty()) text += "." + moment.fraction.substr(0, 6);
  return text;
}

bool clock_valid(const Moment& moment) {
  return moment.hour >= 0 && moment.hour <= 24 && moment.minute >= 0 && moment.minute < 60 &&
         moment.second >= 0 && moment.second <= 60;
}

/// What is smaller than the qualifier's last field is dropped; digits behind the point are rounded
/// to as many as were asked for.
void cut_to_field(Interval& interval, const Unit& unit, std::optional<int> digits) {
  if (unit.months > 0) {
    const auto step = static_cast<std::int64_t>(unit.months);
    interval = {interval.months - interval.months % step, 0, 0};
    return;
  }
  if (unit.days > 0) {
    interval.microseconds = 0;
    return;
  }
  if (unit.name == "second" && digits) {
    double step = 1'000'000;
    for (int i = 0; i < *digits; ++i) step /= 10;
    interval.microseconds = static_cast<std::int64_t>(
        std::llround(static_cast<double>(interval.microseconds) / step) * std::llround(step));
    return;
  }
  if (unit.name == "second") return;
  interval.microseconds -= interval.microseconds % static_cast<std::int64_t>(unit.microseconds);
}

}  // namespace

std::optional<Interval> parse_interval(std::string_view text,
                                       const std::vector<std::string>& fields) {
  std::vector<std::string> words = fields;
  std::optional<int> digits;
  if (!words.empty() && words.back().starts_with('(')) {
    digits = parse_number<int>(std::string_view(words.back()).substr(1, words.back().size() - 2));
    if (!digits || *digits < 0 || *digits > 6) return std::nullopt;
    words.pop_back();
  }
  const std::string_view last_field = words.empty() ? std::string_view("second") : words.back();
  const Unit* bare_unit = unit_of(last_field);
  if (bare_unit == nullptr) return std::nullopt;
  Interval interval;
  // 2:02 counts hours, but MINUTE TO SECOND minutes.
  std::string clock(text);
  const bool minutes = words.size() == 3 && date_part_canonical(words.front()) == "minute";
  const std::size_t colon = clock.find(':');
  if (minutes && colon != std::string::npos && clock.find(':', colon + 1) == std::string::npos) {
    const std::size_t before = clock.find_last_not_of("0123456789", colon - 1);
    clock.insert(before == std::string::npos ? 0 : before + 1, "0:");
  }
  Reader reader(clock);
  // A leading number before a clock in DAY TO SECOND counts days.
  const bool days_first = words.size() == 3 && date_part_canonical(words.front()) == "day";
  bool any = false;
  while (true) {
    reader.skip_blanks();
    if (reader.done()) break;
    if (is_letter(reader.peek())) {
      if (to_lower(reader.letters()) != "ago" || !any) return std::nullopt;
      interval = {-interval.months, -interval.days, -interval.microseconds};
      continue;
    }
    const Unit& unit = days_first && !any ? *unit_of("day") : *bare_unit;
    if (!interval_item(interval, reader, unit)) return std::nullopt;
    any = true;
  }
  if (!any) return std::nullopt;
  if (!words.empty()) cut_to_field(interval, *bare_unit, digits);
  return interval;
}

constexpr std::string_view kBeforeChrist = " (BC)";

std::optional<std::string> normal_timestamp(std::string_view text) {
  const auto moment = read_moment(text);
  if (!moment || !moment->date_known || !clock_valid(*moment)) return std::nullopt;
  if (moment->month < 1 || moment->month > 12 || moment->day < 1 || moment->year < 0 ||
      moment->day > days_in_month(moment->year, moment->month)) {
    return std::nullopt;
  }
  std::array<char, 40> date{};  // room for any three ints
  (void)std::snprintf(date.data(), date.size(), "%04d-%02d-%02d", moment->year, moment->month,
                      moment->day);
  std::string normal = date.data();
  if (moment->before_christ) normal += kBeforeChrist;
  if (moment->time_known || !moment->zone.empty())
    normal += " " + clock_text(*moment) + moment->zone;
  return normal;
}

LocalMoment split_moment(std::string_view normal) {
  const std::size_t before = normal.find(kBeforeChrist);
  const std::size_t date_end = before == std::string_view::npos
                                   ? std::min(normal.find(' '), normal.size())
                                   : before + kBeforeChrist.size();
  const std::string_view clock = normal.substr(date_end);
  const std::size_t zone = std::min(clock.find_first_of("+- ", 1), clock.size());
  return {.date = std::string(normal.substr(0, date_end)),
          .clock = std::string(clock.substr(0, zone)),
          .zone = std::string(clock.substr(zone))};
}

std::optional<std::string> normal_time(std::string_view text) {
  text = trim(text);
  // '040506-08': the sign of a zone, not of a date.
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 6 && digits < text.size() && (text[6] == '-' || text[6] == '+')) {
    const std::string clock = std::string(text.substr(0, 2)) + ":" +
                              std::string(text.substr(2, 2)) + ":" + std::string(text.substr(4));
    return normal_time(clock);
  }
  auto moment = read_moment(text);
  // '040506' alone reads as a date; as a time it is a clock.
  if (moment && !moment->time_known && trim(text).size() == 6) {
    Moment clock;
    clock.date_known = true;
    if (read_packed(trim(text), clock)) moment = clock;
  }
  if (!moment || !moment->time_known || !clock_valid(*moment)) return std::nullopt;
  if (moment->zone.starts_with(' ')) return std::nullopt;  // its offset depends on the date
  return clock_text(*moment) + moment->zone;
}

bool has_moment_shape(std::string_view text) {
  text = trim(text);
  const bool plain = text.find_first_not_of("0123456789-/.:+ ") == std::string_view::npos;
  std::size_t marks = 0;
  for (const char c : text) marks += c == '-' || c == '/' || c == ':' || c == '.' ? 1 : 0;
  return plain && (marks > 1 || text.find(':') != std::string_view::npos || text.size() == 8) &&
         is_digit(text.empty() ? ' ' : text.front());
}

std::span<const DatePart> date_parts() {
  return kParts;
}

std::string_view date_part_canonical(std::string_view part) {
  for (const DatePart& entry : kParts) {
    if (entry.written == part) return entry.canonical;
  }
  return {};
}

}  // namespace leat::sql
