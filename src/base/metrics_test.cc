#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::metrics {
namespace {

using testing::HasSubstr;

TEST(Metrics, PrintsEachKind) {
  Registry registry;
  registry.counter("leat_events_total", "Events.", {{"source", "we\"b"}}).add(3);
  registry.gauge("leat_open", "Open.").set(-2);
  Histogram& h = registry.histogram("leat_wait_seconds", "Wait.");
  h.observe_us(16);
  h.observe_us(17);
  h.observe_us(std::int64_t{1} << 40);
  const std::string text = registry.to_text();
  EXPECT_THAT(
      text,
      HasSubstr("# TYPE leat_events_total counter\nleat_events_total{source=\"we\\\"b\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("leat_open -2\n"));
  EXPECT_THAT(text, HasSubstr("leat_wait_seconds_bucket{le=\"1.6e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("leat_wait_seconds_bucket{le=\"3.2e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("leat_wait_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("leat_wait_seconds_count 3\n"));
}

TEST(Metrics, SameNameAndLabelsAreOneMetric) {
  Registry registry;
  EXPECT_EQ(&registry.counter("a", "A.", {{"x", "1"}}), &registry.counter("a", "A.", {{"x", "1"}}));
  EXPECT_NE(&registry.counter("a", "A.", {{"x", "1"}}), &registry.counter("a", "A.", {{"x", "2"}}));
}

}  // namespace
}  // namespace leat::metrics
