// Time inside the program: microseconds since 1970-01-01T00:00:00Z, always UTC, and its text forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat {

/// Microseconds since the Unix epoch, UTC. Years 1 to 9999.
struct TimeUs {
  std::int64_t value = 0;
  auto operator<=>(const TimeUs&) const = default;
};

inline constexpr std::int64_t kUsPerSecond = 1'000'000;
inline constexpr std::int64_t kUsPerMinute = 60 * kUsPerSecond;
inline constexpr std::int64_t kUsPerHour = 60 * kUsPerMinute;
inline constexpr std::int64_t kUsPerDay = 24 * kUsPerHour;

/// A day of the proleptic Gregorian calendar.
struct CivilDate {
  int year = 1970;
  unsigned month = 1;  ///< 1 to 12
  unsigned day = 1;    ///< 1 to 31
};

/// Days since 1970-01-01 of a valid date, and back. Pure; any thread.
[[nodiscard]] std::int64_t days_from_civil(CivilDate date);
[[nodiscard]] CivilDate civil_from_days(std::int64_t days);

/// Reads an ISO 8601 date or date-time as clickstream libraries send them:
///   YYYY-MM-DD [ (T|t|space) HH:MM [ :SS [ (.|,) 1..9 digits ] ] [ zone ] ]
/// where zone is Z, z, +HH, +HHMM or +HH:MM (or the same with -).
/// No zone is read as UTC; digits after the sixth are cut. Returns nothing for any other text, a
/// year outside 1 to 9999, a day the month does not have, 24:00, or a leap second. Pure; any
/// thread.
[[nodiscard]] std::optional<TimeUs> parse_iso8601(std::string_view text);

/// "2026-11-20T14:03:05.123456Z"; the fraction is cut to milliseconds when the microseconds below
/// are zero.
[[nodiscard]] std::string format_iso8601(TimeUs time);

/// "2026-11-20 14:03:05.123456" with trailing zeros of the fraction cut: Redshift's text form of a
/// TIMESTAMP.
[[nodiscard]] std::string format_timestamp(TimeUs time);

}  // namespace leat
