#include "base/clock.h"

#include <chrono>

namespace leat {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimeUs now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return TimeUs{std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
  [[nodiscard]] std::int64_t monotonic_us() const override {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_start).count();
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock kClock;
  return kClock;
}

}  // namespace leat
