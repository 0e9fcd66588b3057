#include "net/deadline.h"

#include <algorithm>

#include "base/clock.h"

namespace leat::net {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

Deadline Deadline::after_us(std::int64_t us) {
  const std::int64_t now = system_clock().monotonic_us();
  return {us > kNever - now ? kNever : now + us};
}

std::int64_t Deadline::left_us() const {
  if (monotonic_us == kNever) return kNever;
  return std::max<std::int64_t>(0, monotonic_us - system_clock().monotonic_us());
}

int Deadline::poll_ms() const {
  if (monotonic_us == kNever) return -1;
  return static_cast<int>(
      std::min<std::int64_t>((left_us() + 999) / 1000, std::numeric_limits<int>::max()));
}

}  // namespace leat::net
