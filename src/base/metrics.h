// Counters, gauges and histograms of one process, printed in the Prometheus text format.
//
// Made once at start-up and kept by reference; updating one is a relaxed atomic add, so hot paths
// may do it per request. Names follow the Prometheus conventions:
// leat_<wing>_<what>_<unit>[_total].
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Any thread.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Any thread.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Durations in microseconds in powers of two from 16 us to 134 s, printed in seconds. Any thread.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 24;
  void observe_us(std::int64_t us);
  [[nodiscard]] static std::int64_t upper_bound_us(std::size_t bucket) {
    return std::int64_t{16} << bucket;
  }
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets + 1> counts_{};
  std::atomic<std::int64_t> sum_us_{0};
};

/// Owns the metrics of one process. `counter`, `gauge` and `histogram` return the one of that name
/// and those labels, made on first use; the reference stays valid as long as the registry. Any
/// thread.
class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  [[nodiscard]] Counter& counter(std::string_view name, std::string_view help,
                                 const Labels& labels = {});
  [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help,
                             const Labels& labels = {});
  [[nodiscard]] Histogram& histogram(std::string_view name, std::string_view help,
                                     const Labels& labels = {});

  /// Prometheus text exposition format 0.0.4.
  [[nodiscard]] std::string to_text() const;

 private:
  enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };
  struct Series {
    std::string labels;  // rendered: a="b",c="d"
    void* metric;
  };
  struct Family {
    std::string name;
    std::string help;
    Kind kind;
    std::vector<Series> series;
  };
  template <class T>
  T& find_or_make(std::string_view name, std::string_view help, Kind kind, const Labels& labels,
                  std::deque<T>& store);

  mutable std::mutex mutex_;  // guards all below
  std::deque<Counter> counters_;
  std::deque<Gauge> gauges_;
  std::deque<Histogram> histograms_;
  std::vector<Family> families_;
};

}  // namespace leat::metrics
