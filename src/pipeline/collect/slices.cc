#include "pipeline/collect/slices.h"

#include <array>

namespace leat::collect {
namespace {

/// +1 for what opens, -1 for what closes.
constexpr std::array<std::int8_t, 256> kDepthSteps = [] {
  std::array<std::int8_t, 256> steps{};
  steps['{'] = steps['['] = 1;
  steps['}'] = steps[']'] = -1;
  return steps;
}();

}  // namespace

std::string_view SliceWalk::take_value() {
  const std::size_t first = positions_[at_];
  std::size_t end = 0;
  if (bytes_[first] == '{' || bytes_[first] == '[') {
    std::int64_t depth = 0;
    do {
      depth += kDepthSteps[static_cast<unsigned char>(bytes_[positions_[at_++]])];
    } while (depth > 0 && at_ < count_);
    end = positions_[at_ - 1] + 1;
  } else {
    ++at_;
    end = at_ < count_ ? positions_[at_] : bytes_.size();
    while (end > first && (bytes_[end - 1] == ' ' || bytes_[end - 1] == '\t' ||
                           bytes_[end - 1] == '\n' || bytes_[end - 1] == '\r')) {
      --end;
    }
  }
  skip_comma();
  return bytes_.substr(first, end - first);
}

}  // namespace leat::collect
