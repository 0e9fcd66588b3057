// Events of anyone against a tracking plan that uses all of JSON Schema: the checker never crashes
// and always answers.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "pipeline/event/json_tree.h"
#include "pipeline/shape/tracking_plan.h"

namespace {

constexpr std::string_view kPlan = R"json({"rules": {
  "events": [{"name": "A", "rules": {
    "definitions": {"tree": {"properties": {"next": {"$ref": "#/definitions/tree"},
                                            "at": {"type": "string", "format": "date-time"}}}},
    "required": ["properties"],
    "properties": {"properties": {
      "minProperties": 1, "maxProperties": 9, "propertyNames": {"maxLength": 20},
      "patternProperties": {"^x_": {"type": "string"}},
      "properties": {
        "n": {"type": "integer", "minimum": -5, "exclusiveMaximum": 9, "multipleOf": 2},
        "t": {"type": ["string", "null"], "pattern": "^(a|b)+c?$", "minLength": 2},
        "l": {"type": "array", "uniqueItems": true, "minItems": 1, "maxItems": 4,
              "items": {"anyOf": [{"type": "number"}, {"enum": ["a", [1], {"b": 2}]}]},
              "contains": {"const": 1}},
        "o": {"$ref": "#/definitions/tree"},
        "c": {"if": {"type": "number"}, "then": {"minimum": 1}, "else": {"not": {"const": "x"}}},
        "e": {"oneOf": [{"format": "date"}, {"type": "boolean"}], "allOf": [{}]}},
      "dependencies": {"n": ["t"]}}}}}],
  "global": {"additionalProperties": {"type": ["object", "string", "number"]}}}})json";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plan = leat::shape::TrackingPlan::parse(kPlan);
  if (!plan) std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!leat::event::parse_json(text)) return 0;  // what no reader lets through
  for (const auto type : {leat::event::EventType::kTrack, leat::event::EventType::kPage}) {
    const auto violation = (*plan)->check(type, "A", text);
    if (violation && (violation->reason.empty() || violation->detail.empty())) std::abort();
  }
  return 0;
}
