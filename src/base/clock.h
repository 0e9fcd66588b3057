// The only source of the current time and of waiting on it. Injected, so that schedules run in
// tests without waiting.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace leat {

/// Wall and monotonic time. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time in UTC; may jump.
  [[nodiscard]] virtual TimeUs now() const = 0;
  /// Microseconds since an arbitrary point; never goes back. For durations and deadlines.
  [[nodiscard]] virtual std::int64_t monotonic_us() const = 0;
};

/// The machine's clock. Lives for ever.
[[nodiscard]] const Clock& system_clock();

/// A clock that moves only when told to. Starts at `start`; monotonic time starts at zero and moves
/// with it.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimeUs start) : start_us_(start.value), now_us_(start.value) {}
  [[nodiscard]] TimeUs now() const override { return TimeUs{now_us_.load()}; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return now_us_.load() - start_us_; }
  void advance_us(std::int64_t us) { now_us_ += us; }

 private:
  std::int64_t start_us_;
  std::atomic<std::int64_t> now_us_;
};

}  // namespace leat
