#include "pipeline/shape/tracking_plan.h"

#include <gtest/gtest.h>

namespace leat::shape {
namespace {

using event::EventType;

constexpr std::string_view kPlan = R"json({
  "display_name": "Shop",
  "rules": {
    "global": {"required": ["context"]},
    "events": [
      {"name": "Order Completed", "description": "paid", "version": 1, "rules": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
          "properties": {
            "type": "object",
            "required": ["revenue"],
            "properties": {
              "revenue": {"type": "number", "minimum": 0},
              "currency": {"enum": ["EUR", "USD"]},
              "email": {"type": "string", "pattern": "^[^@]+@[^@]+$"},
              "products": {"type": "array", "maxItems": 2, "items": {"type": "object",
                "properties": {"sku": {"type": "string"}}, "additionalProperties": false}}
            }
          }
        }
      }},
      {"name": "Signed Up"}
    ],
    "identify": {"properties": {"traits": {"properties": {"age": {"type": "integer"}}}}},
    "identify_traits": [],
    "unplanned_events": "rescue"
  }
})json";

std::string check(TrackingPlan& plan, EventType type, std::string_view name,
                  std::string_view json) {
  const auto violation = plan.check(type, name, json);
  return violation ? std::string(violation->reason) + " " + violation->detail : "";
}

std::string order(std::string_view properties) {
  return R"({"event":"Order Completed","context":{},"properties":)" + std::string(properties) + "}";
}

TEST(TrackingPlan, SaysWhatAnEventBreaksAndWhere) {
  const auto plan = TrackingPlan::parse(kPlan);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ((*plan)->event_count(), 2U);
  const auto track = [&](std::string_view name, std::string_view json) {
    return check(**plan, EventType::kTrack, name, json);
  };
  EXPECT_EQ(track("Order Completed", order(R"({"revenue":14.99,"currency":"EUR"})")), "");
  EXPECT_EQ(track("Signed Up", R"({"context":{}})"), "");
  const struct {
    std::string properties;
    const char* place;
  } cases[] = {
      {"{}", "schema_violation properties: "},
      {R"({"revenue":"14.99"})", "schema_violation properties.revenue: "},
      {R"({"revenue":-1})", "schema_violation properties.revenue: "},
      {R"({"revenue":1,"currency":"DM"})", "schema_violation properties.currency: "},
      {R"({"revenue":1,"email":"nobody"})", "schema_violation properties.email: "},
      {R"({"revenue":1,"products":[{"sku":7}]})", "schema_violation properties.products.0.sku: "},
      {R"({"revenue":1,"products":[{"price":7}]})", "schema_violation properties.products.0: "},
      {R"({"revenue":1,"products":[{},{},{}]})", "schema_violation properties.products: "},
      {"7", "schema_violation properties: "},
      {R"({"revenue":1e400})", "schema_violation event: holds a number"}};
  for (const auto& c : cases) {
    const std::string said = track("Order Completed", order(c.properties));
    EXPECT_TRUE(said.starts_with(c.place)) << c.properties << " -> " << said;
    EXPECT_GT(said.size(), std::string_view(c.place).size()) << said;
  }
  EXPECT_TRUE(track("Signed Up", "{}").starts_with("common_schema_violation event: "));
  // Names are matched byte for byte, as Segment does.
  EXPECT_EQ(track("signed up", "{}"), "unplanned event 'signed up' is not in the plan");
  EXPECT_TRUE(check(**plan, EventType::kIdentify, "", R"({"context":{},"traits":{"age":"x"}})")
                  .starts_with("schema_violation traits.age: "));
  EXPECT_EQ(check(**plan, EventType::kPage, "", R"({"context":{}})"), "");
}

TEST(TrackingPlan, HostileTextCannotExhaustTheStack) {
  const auto plan = TrackingPlan::parse(kPlan);
  ASSERT_TRUE(plan);
  const auto order_of = [](std::size_t size) {
    return order(R"({"revenue":1,"email":"a@)" + std::string(size, 'b') + "\"}");
  };
  EXPECT_EQ(check(**plan, EventType::kTrack, "Order Completed", order_of(4'094)), "");
  EXPECT_EQ(check(**plan, EventType::kTrack, "Order Completed", order_of(400'000)),
            "schema_violation event: a text of more than 4096 bytes is not matched against "
            "patterns");
}

TEST(TrackingPlan, AllowsUnplannedEventsUnlessToldOtherwise) {
  const auto plan = TrackingPlan::parse(R"({"rules":{"events":[]}})");
  ASSERT_TRUE(plan);
  EXPECT_EQ(check(**plan, EventType::kTrack, "Any", "{}"), "");
}

TEST(TrackingPlan, MistakesAreNamedWithTheirPlace) {
  const struct {
    const char* json;
    const char* mistake;
  } cases[] = {
      {"", "not JSON"},
      {"[]", "no tracking plan"},
      {R"({"events":[]})", "no tracking plan"},
      {R"({"rules":{"events":{}}})", "rules.events: not an array"},
      {R"({"rules":{"events":[{"rules":{}}]}})", "rules.events[0]: has no name"},
      {R"({"rules":{"events":[{"name":"a"},{"name":"a"}]}})",
       "rules.events[1]: event 'a' is there twice"},
      {R"({"rules":{"events":[{"name":"a","rules":[]}]}})", "rules.events[0] ('a'): not a JSON"},
      {R"({"rules":{"events":[{"name":"a","rules":{"type":7}}]}})", "rules.events[0] ('a'): "},
      {R"({"rules":{"events":[{"name":"a","rules":{"$ref":"http://example.com/x"}}]}})",
       "rules.events[0] ('a'): "},
      {R"({"rules":{"events":[{"name":"a","rules":{"properties":{"x":{"pattern":"("}}}}]}})",
       "rules.events[0] ('a'): "},
      {R"({"rules":{"global":{"patternProperties":{"[":{}}}}})", "rules.global: "},
      {R"({"rules":{"unplanned_events":"block"}})", "rules.unplanned_events: allowed"},
      {R"({"rules":{"tracks":{}}})", "rules.tracks: unknown; allowed: events"},
      {R"({"rules":{"identify_traits":[{"key":"a"}]}})", "rules.identify_traits: unknown"}};
  for (const auto& c : cases) {
    const auto plan = TrackingPlan::parse(c.json);
    ASSERT_FALSE(plan) << c.json;
    EXPECT_EQ(plan.error().code, Errc::kInvalid);
    EXPECT_TRUE(plan.error().message.starts_with(c.mistake)) << plan.error().message;
  }
}

}  // namespace
}  // namespace leat::shape
