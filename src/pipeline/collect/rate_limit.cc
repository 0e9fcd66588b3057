#include "pipeline/collect/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace leat::collect {

std::int64_t RateLimit::wait_seconds(std::int64_t now_us) {
  if (per_second_ <= 0) return 0;
  tokens_ =
      std::min(per_second_, tokens_ + static_cast<double>(now_us - filled_us_) / 1e6 * per_second_);
  filled_us_ = now_us;
  if (tokens_ > 0) return 0;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(-tokens_ / per_second_)));
}

}  // namespace leat::collect
