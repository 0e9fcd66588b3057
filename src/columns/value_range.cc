#include "columns/value_range.h"

#include <algorithm>

#include "columns/byte_buffer.h"

namespace leat::columns {

namespace {

constexpr std::size_t kRangeBytesMax = 1024;  // longest text kept as minimum or maximum

}  // namespace

void ValueRange::clear() {
  has_value_ = false;
  unknown_ = false;
}

void ValueRange::note_texts(std::span<const std::string_view> texts) {
  if (!wanted_) return;
  for (const std::string_view text : texts) {
    const std::uint64_t prefix = order_prefix(text);
    const bool inside = prefix > min_prefix_ && prefix < max_prefix_;
    if (inside && has_value_ && text.size() <= kRangeBytesMax) [[likely]]
      continue;
    note_text(text, prefix);
  }
}

void ValueRange::note_text(std::string_view text, std::uint64_t prefix) {
  if (text.size() > kRangeBytesMax) unknown_ = true;  // a cut bound would be wrong
  if (unknown_) return;
  if (!has_value_) {
    min_text_.assign(text);
    max_text_.assign(text);
    min_prefix_ = max_prefix_ = prefix;
    has_value_ = true;
    return;
  }
  if (prefix <= min_prefix_ && text < min_text_) {
    min_text_.assign(text);
    min_prefix_ = prefix;
  }
  if (prefix >= max_prefix_ && text > max_text_) {
    max_text_.assign(text);
    max_prefix_ = prefix;
  }
}

void ValueRange::note_integers(std::span<const std::int64_t> values) {
  if (!wanted_ || values.empty()) return;
  if (!has_value_) integers_ = {.min = values[0], .max = values[0]};
  has_value_ = true;
  Integers range = integers_;
  for (const std::int64_t value : values) {
    range.min = std::min(range.min, value);
    range.max = std::max(range.max, value);
  }
  integers_ = range;
}

void ValueRange::note_reals(std::span<const double> values) {
  if (!wanted_ || values.empty()) return;
  if (!has_value_) reals_ = {.min = values[0], .max = values[0]};
  has_value_ = true;
  Reals range = reals_;
  bool is_number = true;
  for (const double value : values) {
    is_number &= value == value;
    range.min = std::min(range.min, value);
    range.max = std::max(range.max, value);
  }
  if (!is_number) unknown_ = true;
  reals_ = range;
}

ValueRange::Reals ValueRange::reals() const {
  return {.min = reals_.min == 0 ? -0.0 : reals_.min, .max = reals_.max == 0 ? 0.0 : reals_.max};
}

}  // namespace leat::columns
