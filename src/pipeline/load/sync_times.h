// At which times syncs start: every so often, or by a cron expression, in chosen hours of a time
// zone, or never by themselves. Pure but for the zone database.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "base/time_zone.h"

namespace leat::load {

/// The settings as a person writes them (docs/reference/configuration.md, `sync.*`).
struct SyncTimesText {
  std::int64_t every_us = 60 * kUsPerSecond;  ///< Used when `cron` is empty.
  std::string cron = {};  ///< Five fields, such as "15 * * * *": each hour at :15.
  std::string hours =
      {};  ///< Hours of the day in which a sync may start: "6-22", "0,12"; empty: all.
  std::string time_zone = "UTC";  ///< What `cron` and `hours` mean.
  bool manual = false;            ///< Only when asked.
};

/// Immutable; any thread.
class SyncTimes {
 public:
  /// Every minute.
  SyncTimes() = default;
  /// Reads the settings. Errors: kInvalid, also for an expression that names no time; the message
  /// starts with the setting's name (cron, hours, time_zone) and says what is allowed.
  [[nodiscard]] static Result<SyncTimes> parse(const SyncTimesText& text);
  /// Only when asked.
  [[nodiscard]] static SyncTimes manual();

  /// The start after one at `last` (nothing: there was none): never before `now`. A start that fell
  /// into a time when nothing ran is made up for at once, once. Nothing when syncs are manual, or
  /// when the expression names no day of the next nine years.
  [[nodiscard]] std::optional<TimeUs> next(std::optional<TimeUs> last, TimeUs now) const;

  /// The first instant not before `from` whose local hour is one in which syncs may start.
  [[nodiscard]] TimeUs into_hours(TimeUs from) const;

  [[nodiscard]] bool is_manual() const { return manual_; }
  [[nodiscard]] bool is_cron() const { return cron_.has_value() && !manual_; }
  /// The time between two starts, for bounds such as a backoff; of a cron expression a minute.
  [[nodiscard]] std::int64_t period_us() const;

 private:
  struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;      // 1 to 31
    std::bitset<13> months;    // 1 to 12
    std::bitset<7> week_days;  // 0: Sunday
    bool any_day = true;       // the day field is *
    bool any_week_day = true;  // the week-day field is *
  };

  static Result<Cron> parse_cron(std::string_view text);
  [[nodiscard]] bool on_day(std::int64_t day) const;
  /// The first start of the expression after `last`.
  [[nodiscard]] std::optional<TimeUs> after(TimeUs last) const;

  std::int64_t every_us_ = 60 * kUsPerSecond;
  std::optional<Cron> cron_;
  std::bitset<24> hours_ = ~std::bitset<24>();
  TimeZone zone_;
  bool manual_ = false;
};

}  // namespace leat::load
