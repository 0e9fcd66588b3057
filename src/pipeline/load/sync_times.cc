#include "pipeline/load/sync_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace leat::load {
namespace {

// Long enough for a 29th of February around a century without one.
constexpr std::int64_t kDaysMax = 9 * 366;

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekDays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

/// One field: its name, its range, and words that stand for numbers from `low` on.
struct Field {
  std::string_view name;
  int low;
  int high;
  const std::string_view* words = nullptr;
  std::size_t word_count = 0;
};

constexpr Field kHourField{"hour", 0, 23};

std::string not_allowed(const Field& field, std::string_view text) {
  return fmt::format("'{}' is no {}; allowed: {} to {}, A-B, lists with commas, * and steps (*/N)",
                     text, field.name, field.low, field.high);
}

std::optional<int> read_value(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.word_count; ++i) {
    if (equal_ignore_case(text, field.words[i])) return field.low + static_cast<int>(i);
  }
  const auto number = parse_number<int>(text);
  if (!number || *number < field.low || *number > field.high) return std::nullopt;
  return number;
}

/// Sets the bits of one part of a list: "*", "5", "1-5", "*/15", "10-50/20".
template <std::size_t N>
bool read_part(const Field& field, std::string_view part, std::bitset<N>& out) {
  int step = 1;
  if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
    const auto number = parse_number<int>(part.substr(slash + 1));
    if (!number || *number < 1) return false;
    step = *number;
    part = part.substr(0, slash);
  }
  int first = field.low;
  int last = field.high;
  if (part != "*") {
    const std::size_t dash = part.find('-');
    const auto from = read_value(field, part.substr(0, dash));
    const auto to =
        dash == std::string_view::npos ? from : read_value(field, part.substr(dash + 1));
    if (!from || !to || *from > *to) return false;
    first = *from;
    // "5/10" means from 5 on.
    last = dash == std::string_view::npos && step > 1 ? field.high : *to;
  }
  for (int i = first; i <= last; i += step) out.set(static_cast<std::size_t>(i));
  return true;
}

template <std::size_t N>
Status read_field(const Field& field, std::string_view text, std::bitset<N>& out) {
  for (const std::string_view part : split(text, ',')) {
    if (!read_part(field, part, out)) return fail(Errc::kInvalid, not_allowed(field, text));
  }
  return {};
}

std::string_view without_nickname(std::string_view text) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kNicknames = {
      {{"@hourly", "0 * * * *"},
       {"@daily", "0 0 * * *"},
       {"@weekly", "0 0 * * 0"},
       {"@monthly", "0 0 1 * *"},
       {"@yearly", "0 0 1 1 *"}}};
  for (const auto& [nickname, fields] : kNicknames) {
    if (equal_ignore_case(text, nickname)) return fields;
  }
  return text;
}

std::unexpected<Error> fail_in(std::string_view setting, const Error& error) {
  return fail(error.code, fmt::format("{}: {}", setting, error.message));
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

std::int64_t local_day(const TimeZone& zone, TimeUs time) {
  return floor_divide(time.value + zone.offset_us(time), kUsPerDay);
}

}  // namespace

Result<SyncTimes::Cron> SyncTimes::parse_cron(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const std::string_view piece : split(without_nickname(trim(text)), ' ')) {
    if (!piece.empty()) fields.push_back(piece);
  }
  if (fields.size() != 5) {
    return fail(Errc::kInvalid,
                fmt::format("'{}' has {} fields; allowed: five, minute hour day month week-day, "
                            "such as '15 * * * *', or @hourly, @daily, @weekly, @monthly",
                            text, fields.size()));
  }
  Cron out;
  std::bitset<8> week_days;  // 7 is Sunday too
  LEAT_TRY(read_field({"minute", 0, 59}, fields[0], out.minutes));
  LEAT_TRY(read_field(kHourField, fields[1], out.hours));
  LEAT_TRY(read_field({"day of the month", 1, 31}, fields[2], out.days));
  LEAT_TRY(read_field({"month", 1, 12, kMonths.data(), kMonths.size()}, fields[3], out.months));
  LEAT_TRY(read_field({"day of the week", 0, 7, kWeekDays.data(), kWeekDays.size()}, fields[4],
                      week_days));
  for (std::size_t i = 0; i < 8; ++i) {
    if (week_days.test(i)) out.week_days.set(i % 7);
  }
  out.any_day = fields[2].starts_with('*');
  out.any_week_day = fields[4].starts_with('*');
  return out;
}

Result<SyncTimes> SyncTimes::parse(const SyncTimesText& text) {
  SyncTimes out;
  out.every_us_ = text.every_us;
  out.manual_ = text.manual;
  auto zone = TimeZone::find(text.time_zone);
  if (!zone) return fail_in("time_zone", zone.error());
  out.zone_ = *zone;
  if (!text.cron.empty()) {
    auto cron = parse_cron(text.cron);
    if (!cron) return fail_in("cron", cron.error());
    out.cron_ = *cron;
  }
  if (!text.hours.empty()) {
    out.hours_.reset();
    const auto hours = read_field(kHourField, text.hours, out.hours_);
    if (!hours) return fail_in("hours", hours.error());
  }
  if (out.is_cron() && !out.after(TimeUs{0})) {
    return fail(Errc::kInvalid,
                fmt::format("cron: '{}'{} names no time that ever comes; correct it", text.cron,
                            text.hours.empty() ? "" : " in hours " + text.hours));
  }
  return out;
}

SyncTimes SyncTimes::manual() {
  SyncTimes out;
  out.manual_ = true;
  return out;
}

bool SyncTimes::on_day(std::int64_t day) const {
  const CivilDate date = civil_from_days(day);
  if (!cron_->months.test(date.month)) return false;
  const bool month_day = cron_->days.test(date.day);
  // 1970-01-01 was a Thursday.
  const bool week_day = cron_->week_days.test(static_cast<std::size_t>(((day + 4) % 7 + 7) % 7));
  // As cron does it: two restricted day fields are joined by "or".
  if (!cron_->any_day && !cron_->any_week_day) return month_day || week_day;
  return month_day && week_day;
}

std::optional<TimeUs> SyncTimes::after(TimeUs last) const {
  const std::int64_t first_day = local_day(zone_, last);
  for (std::int64_t day = first_day; day < first_day + kDaysMax; ++day) {
    if (!on_day(day)) continue;
    for (std::size_t hour = 0; hour < 24; ++hour) {
      if (!cron_->hours.test(hour) || !hours_.test(hour)) continue;
      for (std::size_t minute = 0; minute < 60; ++minute) {
        if (!cron_->minutes.test(minute)) continue;
        const auto of_day = static_cast<std::int64_t>(hour * 60 + minute) * kUsPerMinute;
        const TimeUs start = zone_.to_utc(day * kUsPerDay + of_day);
        if (start > last) return start;
      }
    }
  }
  return std::nullopt;
}

TimeUs SyncTimes::into_hours(TimeUs from) const {
  if (hours_.all()) return from;
  TimeUs time = from;
  // Two days and an hour pass every hour of the clock, whatever summer time does.
  for (int i = 0; i <= 49; ++i) {
    const std::int64_t local = time.value + zone_.offset_us(time);
    const std::int64_t hour_start = floor_divide(local, kUsPerHour) * kUsPerHour;
    const auto hour = static_cast<std::size_t>((floor_divide(local, kUsPerHour) % 24 + 24) % 24);
    if (hours_.test(hour)) return time;
    const TimeUs next_hour = zone_.to_utc(hour_start + kUsPerHour);
    time = std::max(next_hour, TimeUs{time.value + 1});
  }
  return from;
}

std::optional<TimeUs> SyncTimes::next(std::optional<TimeUs> last, TimeUs now) const {
  if (manual_) return std::nullopt;
  if (!cron_) {
    const TimeUs due = last ? TimeUs{last->value + every_us_} : now;
    return into_hours(std::max(due, now));
  }
  const auto start = after(last.value_or(now));
  if (!start) return std::nullopt;
  return *start < now ? into_hours(now) : *start;
}

std::int64_t SyncTimes::period_us() const {
  return cron_ ? kUsPerMinute : every_us_;
}

}  // namespace leat::load
