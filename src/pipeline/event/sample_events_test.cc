#include "pipeline/event/sample_events.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>

#include "pipeline/event/validate.h"

namespace leat::event {
namespace {

constexpr TimeUs kNow{1'793'196'185'000'000};

TEST(SampleEvents, AreValidAndMixed) {
  SampleEvents events(1);
  std::map<std::string, int> types;
  std::size_t bytes = 0;
  constexpr int kCount = 20'000;
  simdjson::dom::parser parser;
  for (int i = 0; i < kCount; ++i) {
    std::string json;
    events.append(json, TimeUs{kNow.value + i * std::int64_t{1000}});
    bytes += json.size();
    const simdjson::dom::element event = parser.parse(json);
    ASSERT_EQ(validate(EventType::kNone, event), "") << json;
    ASSERT_FALSE(needs_message_id(event)) << json;
    ++types[std::string(std::string_view(event["type"]))];
  }
  EXPECT_NEAR(types["track"], kCount * 0.60, kCount * 0.02);
  EXPECT_GT(types["page"], kCount * 0.18);
  EXPECT_NEAR(types["identify"], kCount * 0.08, kCount * 0.02);
  EXPECT_GT(types["screen"], kCount * 0.05);
  EXPECT_GT(types["group"], 0);
  EXPECT_GT(types["alias"], 0);
  EXPECT_NEAR(static_cast<double>(bytes) / kCount, 1200, 250);
}

TEST(SampleEvents, AreTheSameForTheSameSeed) {
  const auto make = [](std::uint64_t seed) {
    SampleEvents events(seed);
    std::string out;
    for (int i = 0; i < 200; ++i) events.append(out, kNow);
    return out;
  };
  EXPECT_EQ(make(5), make(5));
  EXPECT_NE(make(5), make(6));
}

}  // namespace
}  // namespace leat::event
