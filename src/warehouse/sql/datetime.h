// Reads the date, time and interval texts Redshift takes and DuckDB does not. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::sql {

struct Interval {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t microseconds = 0;
};

/// `fields`: words after the literal, such as {"day"} or {"year", "to", "month"}. Units may be
/// abbreviated and plural, commas are blanks, a bare number means seconds (or the field).
[[nodiscard]] std::optional<Interval> parse_interval(std::string_view text,
                                                     const std::vector<std::string>& fields);

/// A date or timestamp in any input format of Redshift (MDY order) as "YYYY-MM-DD" or
/// "YYYY-MM-DD HH:MM:SS[.ffffff][+hh:mm]"; nothing when it is none. Special words (now, today) are
/// not handled.
[[nodiscard]] std::optional<std::string> normal_timestamp(std::string_view text);
[[nodiscard]] std::optional<std::string> normal_time(std::string_view text);
/// The parts of what normal_timestamp gave: "2024-05-06", " 07:08:09.5" or nothing, and the zone
/// ("+02:00", " US/Pacific" or nothing).
struct LocalMoment {
  std::string date;
  std::string clock;
  std::string zone;
};
[[nodiscard]] LocalMoment split_moment(std::string_view normal);

/// True for digits and separators as of a date or time: what is no value then is out of range.
[[nodiscard]] bool has_moment_shape(std::string_view text);

/// Minutes east of UTC of an abbreviation (pst), in lower case.
[[nodiscard]] std::optional<std::int32_t> named_zone_minutes(std::string_view abbreviation);
/// Minutes east of UTC of an abbreviation (PST), or of `NAME+2:30`, `-8`, which count to the west
/// as in POSIX; nothing for names of zones.
[[nodiscard]] std::optional<std::int32_t> zone_offset_minutes(std::string_view zone);

/// A word for a part of a date, and the one that stands for all that mean the same.
struct DatePart {
  std::string_view written;
  std::string_view canonical;
};
[[nodiscard]] std::span<const DatePart> date_parts();

/// The DuckDB name of a date part or its abbreviation ("qtr" -> "quarter", "m" -> "minute"); empty
/// when unknown.
[[nodiscard]] std::string_view date_part_canonical(std::string_view part);

/// True when a TO_CHAR template formats numbers.
[[nodiscard]] bool is_number_format(std::string_view format);
/// How many digits behind the point a number has that TO_NUMBER reads by the template; at most 37.
[[nodiscard]] std::int32_t number_format_scale(std::string_view format);

/// A regular expression that matches whole strings as SIMILAR TO does.
[[nodiscard]] std::string regex_of_similar_pattern(std::string_view pattern,
                                                   std::string_view escape);

}  // namespace leat::sql
