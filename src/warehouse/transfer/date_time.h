// Dates and times of load files: by a DATEFORMAT or TIMEFORMAT, or by recognising them ('auto').
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/error.h"

namespace leat::transfer {

struct DateTime {
  std::int64_t us = 0;  ///< Since 1970-01-01, as written (without regard to the zone).
  std::optional<std::int32_t> zone_seconds;  ///< East of UTC, when the text names one.

  /// The instant: UTC when no zone was written.
  [[nodiscard]] std::int64_t utc() const {
    return us - std::int64_t{zone_seconds.value_or(0)} * 1'000'000;
  }
};

/// The forms that 'auto' knows: ISO 8601, YYYYMMDD HHMISS, YYYY.DDD, J2451187, month names in any
/// place, MM/DD/YYYY and MM.DD.YYYY, two-digit years (70 to 99: 19xx), AM and PM, BC, and zones by
/// offset or by the usual American and European abbreviations. Pure; any thread.
[[nodiscard]] std::optional<DateTime> recognise_date_time(std::string_view text);

/// Time of day alone: "04:05:06.789", "04:05 AM", "040506". Microseconds since midnight. Pure; any
/// thread.
[[nodiscard]] std::optional<std::int64_t> recognise_time(std::string_view text);

/// A DATEFORMAT or TIMEFORMAT string.
class DateTimePattern {
 public:
  /// 'auto', 'epochsecs' and 'epochmillisecs' are patterns too. Errors: 22007 for an element that
  /// does not exist.
  [[nodiscard]] static engine::SqlResult<DateTimePattern> parse(std::string_view pattern);

  /// Reads `text`. `date_only`: what follows the date is not looked at. Nothing when the text does
  /// not fit.
  [[nodiscard]] std::optional<DateTime> read(std::string_view text, bool date_only) const;

 private:
  enum class Part : std::uint8_t {
    kYear4,
    kYear2,
    kMonth,
    kMonthName,
    kDay,
    kHour24,
    kHour12,
    kMinute,
    kSecond,
    kHalf,
    kZone,
    kLiteral
  };
  enum class Kind : std::uint8_t { kParts, kAuto, kEpochSeconds, kEpochMilliseconds };
  struct Element {
    Part part;
    char literal;
  };

  [[nodiscard]] std::optional<DateTime> read_parts(std::string_view text, bool date_only) const;

  Kind kind_ = Kind::kParts;
  std::vector<Element> elements_;
};

}  // namespace leat::transfer
