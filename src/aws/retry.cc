#include "aws/retry.h"

#include <algorithm>
#include <array>

#include "base/time.h"

namespace leat::aws {
namespace {

constexpr std::array<std::string_view, 15> kThrottlingCodes = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "Busy"};

// With a status below 500 that does not tell by itself.
constexpr std::array<std::string_view, 9> kTransientCodes = {
    "RequestTimeout",     "RequestTimeoutException", "InternalError",
    "ServiceUnavailable", "IDPCommunicationError",   "BadDigest",
    "OperationAborted",   "IncompleteBody",          "ConditionalRequestConflict"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

int cost_of(RetryKind kind) {
  return kind == RetryKind::kTimeout ? 10 : 5;
}

}  // namespace

RetryKind retry_kind(int status, std::string_view code) {
  if (holds(kThrottlingCodes, code) || status == 429) return RetryKind::kThrottling;
  if (holds(kTransientCodes, code)) return RetryKind::kTransient;
  if (status == 500 || status == 502 || status == 503 || status == 504) {
    return RetryKind::kTransient;
  }
  return RetryKind::kNever;
}

std::int64_t retry_delay_us(Random& random, RetryKind kind, int retry) {
  const std::int64_t base = kind == RetryKind::kThrottling ? 500'000 : 100'000;
  const std::int64_t longest =
      std::min<std::int64_t>(base << std::clamp(retry - 1, 0, 20), 20 * kUsPerSecond);
  return static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(longest + 1));
}

bool RetryQuota::take(RetryKind kind) {
  const std::lock_guard lock(mutex_);
  if (tokens_ < cost_of(kind)) return false;
  tokens_ -= cost_of(kind);
  return true;
}

void RetryQuota::give_back(RetryKind kind) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(kFull, tokens_ + (kind == RetryKind::kNever ? 1 : cost_of(kind)));
}

}  // namespace leat::aws
