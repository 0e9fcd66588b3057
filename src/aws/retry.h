// When a call to AWS is made again, and after how long: the rules of the SDKs' standard mode, so
// that a struggling service sees Leat behave as it sees every other client.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/random.h"

namespace leat::aws {

enum class RetryKind : std::uint8_t {
  kNever,
  kTransient,   ///< Broken connection, 5xx.
  kTimeout,     ///< No answer in time: costs more of the quota.
  kThrottling,  ///< Asked to slow down.
};

/// Of an answer that is an error: `code` is the service's name of it, empty when there was no body.
/// Pure; any thread.
[[nodiscard]] RetryKind retry_kind(int status, std::string_view code);

/// Before retry number `retry` (from 1): random x min(base x 2^(retry-1), 20 s), base 100 ms, or
/// 500 ms for throttling. Any thread.
[[nodiscard]] std::int64_t retry_delay_us(Random& random, RetryKind kind, int retry);

/// A budget for all calls of a client together, so that a dead endpoint does not meet a storm of
/// retries: a retry takes from it, a success gives back. Any thread.
class RetryQuota {
 public:
  /// False when too little is left: give up.
  [[nodiscard]] bool take(RetryKind kind);
  /// After a success whose last retry was of `kind` (kNever: there was none).
  void give_back(RetryKind kind);

 private:
  static constexpr int kFull = 500;
  std::mutex mutex_;
  int tokens_ = kFull;  // guarded by mutex_
};

}  // namespace leat::aws
