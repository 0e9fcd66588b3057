#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace leat::metrics {
namespace {

std::string render_labels(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  return text;
}

std::string with_labels(std::string_view name, std::string_view labels) {
  return labels.empty() ? std::string(name) : fmt::format("{}{{{}}}", name, labels);
}

void print_histogram(std::string& out, std::string_view name, std::string_view labels,
                     const Histogram& h) {
  const std::string_view comma = labels.empty() ? "" : ",";
  std::uint64_t cumulative = 0;
  auto append = std::back_inserter(out);
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    cumulative += h.count(i);
    fmt::format_to(append, "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma,
                   static_cast<double>(Histogram::upper_bound_us(i)) / 1e6, cumulative);
  }
  cumulative += h.count(Histogram::kBuckets);
  fmt::format_to(append, "{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, cumulative);
  fmt::format_to(append, "{} {}\n", with_labels(fmt::format("{}_sum", name), labels),
                 static_cast<double>(h.sum_us()) / 1e6);
  fmt::format_to(append, "{} {}\n", with_labels(fmt::format("{}_count", name), labels), cumulative);
}

}  // namespace

void Histogram::observe_us(std::int64_t us) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
  const std::uint64_t above = value == 0 ? 0 : (value - 1) >> 4;  // 0 for 0..16 us
  const auto bucket =
      std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above)), kBuckets);
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::int64_t>(value), std::memory_order_relaxed);
}

template <class T>
T& Registry::find_or_make(std::string_view name, std::string_view help, Kind kind,
                          const Labels& labels, std::deque<T>& store) {
  const std::string rendered = render_labels(labels);
  const std::lock_guard lock(mutex_);
  auto family = std::ranges::find(families_, name, &Family::name);
  if (family == families_.end()) {
    families_.push_back({std::string(name), std::string(help), kind, {}});
    family = std::prev(families_.end());
  }
  LEAT_CHECK(family->kind == kind);
  const auto series = std::ranges::find(family->series, rendered, &Series::labels);
  if (series != family->series.end()) return *static_cast<T*>(series->metric);
  T& made = store.emplace_back();
  family->series.push_back({rendered, &made});
  return made;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return find_or_make(name, help, Kind::kCounter, labels, counters_);
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return find_or_make(name, help, Kind::kGauge, labels, gauges_);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const Labels& labels) {
  return find_or_make(name, help, Kind::kHistogram, labels, histograms_);
}

std::string Registry::to_text() const {
  static constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  std::string out;
  const std::lock_guard lock(mutex_);
  for (const Family& family : families_) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", family.name,
                   family.help, family.name, kKinds[static_cast<std::size_t>(family.kind)]);
    for (const Series& series : family.series) {
      if (family.kind == Kind::kHistogram) {
        print_histogram(out, family.name, series.labels, *static_cast<Histogram*>(series.metric));
        continue;
      }
      const std::string value = family.kind == Kind::kCounter
                                    ? std::to_string(static_cast<Counter*>(series.metric)->value())
                                    : std::to_string(static_cast<Gauge*>(series.metric)->value());
      out += with_labels(family.name, series.labels) + ' ' + value + '\n';
    }
  }
  return out;
}

}  // namespace leat::metrics
