// The moment at which a wait gives up. Every blocking call of net takes one.
#pragma once

#include <cstdint>
#include <limits>

namespace leat::net {

/// A point on the monotonic clock, in microseconds.
struct Deadline {
  std::int64_t monotonic_us = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] static Deadline never() { return {}; }
  /// `us` microseconds from now; 0 or less has passed already.
  [[nodiscard]] static Deadline after_us(std::int64_t us);

  /// Microseconds left, never negative; the largest int64 for never().
  [[nodiscard]] std::int64_t left_us() const;
  /// Milliseconds left for poll(2), rounded up: -1 for never(), 0 when passed.
  [[nodiscard]] int poll_ms() const;
};

}  // namespace leat::net
