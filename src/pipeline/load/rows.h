// Values of a destination's answer, which come as text. Used inside this module only.
#pragma once

#include <cstdint>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "pipeline/load/destination.h"

namespace leat::load {

/// Empty for NULL, and where the row has no such column.
[[nodiscard]] inline std::string text_at(const Row& row, std::size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}
/// 0 for NULL; -1, which is no count, for a text that is no number. A sum of integers is numeric in
/// Redshift; with a scale of zero it prints no point.
[[nodiscard]] inline std::int64_t number_at(const Row& row, std::size_t column) {
  const std::string text = text_at(row, column);
  return text.empty() ? 0 : parse_number<std::int64_t>(text).value_or(-1);
}
/// 1970 for NULL, and for a text that is no time.
[[nodiscard]] inline TimeUs time_at(const Row& row, std::size_t column) {
  return parse_iso8601(text_at(row, column)).value_or(TimeUs{});
}

}  // namespace leat::load
