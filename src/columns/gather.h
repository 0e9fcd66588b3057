// Brings the values of a ColumnView that are there side by side, whatever their layout. Used by
// column_encoder.cc only.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "columns/types.h"

namespace leat::columns {

inline constexpr std::size_t kRunRows = 64;  ///< Rows that are gathered and encoded at once.

/// Writes the values at `at` + i to `to`, for each bit i that is set in `bits`, and returns how
/// many.
template <class From, class To, class Convert>
std::size_t gather(const void* values, std::size_t at, std::uint64_t bits, To* to,
                   Convert convert) {
  const From* from = static_cast<const From*>(values) + at;
  if (bits == ~0ULL) {
    for (std::size_t i = 0; i < kRunRows; ++i) to[i] = convert(from[i]);
    return kRunRows;
  }
  std::size_t count = 0;
  for (; bits != 0; bits &= bits - 1) to[count++] = convert(from[std::countr_zero(bits)]);
  return count;
}

template <class From>
std::size_t gather_integers_of(const void* values, std::size_t at, std::uint64_t bits,
                               std::int64_t* to) {
  return gather<From>(values, at, bits, to, [](From value) { return std::int64_t{value}; });
}

inline std::size_t gather_integers(const ColumnView& view, std::size_t at, std::uint64_t bits,
                                   std::int64_t* to) {
  switch (view.layout) {
    case Layout::kBytes:
      return gather_integers_of<std::uint8_t>(view.values, at, bits, to);
    case Layout::kInt16:
      return gather_integers_of<std::int16_t>(view.values, at, bits, to);
    case Layout::kInt32:
      return gather_integers_of<std::int32_t>(view.values, at, bits, to);
    case Layout::kInt64:
      return gather_integers_of<std::int64_t>(view.values, at, bits, to);
    default:
      return gather<Cell>(view.values, at, bits, to, [](const Cell& cell) { return cell.integer; });
  }
}

inline std::size_t gather_reals(const ColumnView& view, std::size_t at, std::uint64_t bits,
                                double* to) {
  switch (view.layout) {
    case Layout::kFloat:
      return gather<float>(view.values, at, bits, to, [](float value) { return double{value}; });
    case Layout::kDouble:
      return gather<double>(view.values, at, bits, to, [](double value) { return value; });
    default:
      return gather<Cell>(view.values, at, bits, to, [](const Cell& cell) { return cell.real; });
  }
}

inline std::size_t gather_texts(const ColumnView& view, std::size_t at, std::uint64_t bits,
                                std::string_view* to) {
  const auto as_text = [](const auto& value) { return value.as_text(); };
  if (view.layout == Layout::kShortText) {
    // Short texts lie in the values themselves: nothing may be copied.
    return gather<ShortText>(view.values, at, bits, to, as_text);
  }
  return gather<Cell>(view.values, at, bits, to, as_text);
}

}  // namespace leat::columns
