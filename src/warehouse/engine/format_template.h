// The templates of TO_CHAR, TO_DATE and TO_TIMESTAMP. Pure; any thread. Elements: the pages
// "Datetime format strings" and "Numeric format strings" of Amazon Redshift's documentation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "warehouse/engine/error.h"

namespace leat::engine {

/// The time zone that the elements TZ and OF show.
struct ZoneText {
  std::string_view name = "UTC";
  std::int64_t offset_seconds = 0;  ///< East of UTC.
};

/// `local_us`: microseconds since 1970-01-01 00:00:00 of the zone's clock. What is no element
/// stands for itself.
[[nodiscard]] std::string format_moment(std::int64_t local_us, std::string_view format,
                                        ZoneText zone = {});

/// `number`: decimal text such as "-125.80" or "1e+20". A number with more digits than the template
/// has before its point is shown as #. Errors: 42601 for a template that contradicts itself.
[[nodiscard]] SqlResult<std::string> format_number(std::string_view number,
                                                   std::string_view format);
/// A binary number of which `digits_max` decimal digits count: 15 of DOUBLE PRECISION, 6 of REAL.
[[nodiscard]] SqlResult<std::string> format_number(double number, int digits_max,
                                                   std::string_view format);
/// Reads what format_number writes, as decimal text. Errors: 42601, 0A000 for elements that cannot
/// be read, 22P02 for a text without a number.
[[nodiscard]] SqlResult<std::string> read_number(std::string_view text, std::string_view format);

/// "st", "nd", "rd" or "th", as the number is said in English.
[[nodiscard]] std::string_view ordinal_of(std::int64_t number);
/// ASCII only; other bytes stay.
[[nodiscard]] std::string upper_case(std::string_view text);

/// Reads what format_moment writes; microseconds since 1970-01-01 00:00:00. Days and times out of
/// range roll over into the next month or day unless `strict`. Errors: 22007, 22008.
[[nodiscard]] SqlResult<std::int64_t> parse_moment(std::string_view text, std::string_view format,
                                                   bool strict);

}  // namespace leat::engine
