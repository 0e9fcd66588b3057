// A token bucket per source and loop. One thread.
#pragma once

#include <cstdint>

namespace leat::collect {

/// Lets `per_second` events through on average. A request is let through whole while the bucket is
/// not empty and may leave it in debt, so that large batches pass too; it holds at most one
/// second's worth.
class RateLimit {
 public:
  /// `per_second` 0 or less: no limit.
  explicit RateLimit(double per_second = 0) : per_second_(per_second), tokens_(per_second) {}

  /// Seconds, at least 1, until a request would be let through, or 0 when it is now.
  [[nodiscard]] std::int64_t wait_seconds(std::int64_t now_us);
  /// Takes the events of a request that was let through.
  void take(std::int64_t events) { tokens_ -= per_second_ > 0 ? static_cast<double>(events) : 0; }

 private:
  double per_second_;
  double tokens_;
  std::int64_t filled_us_ = 0;
};

}  // namespace leat::collect
