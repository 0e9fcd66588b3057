#include "pipeline/shape/tracking_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#ifndef VALIJSON_USE_EXCEPTIONS
#define VALIJSON_USE_EXCEPTIONS 1
#endif
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/text.h"
#include "pipeline/event/json_tree.h"

namespace leat::shape {
namespace {

using event::EventType;
using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr std::size_t kDetailBytesMax = 1'024;
constexpr std::string_view kSchemaViolation = "schema_violation";
constexpr std::string_view kCommonViolation = "common_schema_violation";
constexpr std::string_view kUnplanned = "unplanned";

struct Checker {
  valijson::Schema schema;
  bool has_patterns = false;
};

/// Deeper schemas than this are refused, so that reading them needs little stack.
constexpr std::size_t kSchemaDepthMax = 64;

bool is_too_deep(const Json& json, std::size_t depth = 0) {
  if (depth > kSchemaDepthMax) return true;
  if (!json.is_structured()) return false;
  for (const auto& item : json) {
    if (is_too_deep(item, depth + 1)) return true;
  }
  return false;
}

bool mentions_patterns(const Json& schema) {
  if (schema.is_object()) {
    for (const char* name : {"pattern", "patternProperties", "format"}) {
      if (schema.contains(name)) return true;
    }
  }
  if (!schema.is_structured()) return false;
  for (const auto& item : schema) {
    if (mentions_patterns(item)) return true;
  }
  return false;
}

/// Throws when `rule`, which matches `sample` against a pattern, has one that is no regular
/// expression.
void try_pattern(const Json& rule, const Json& sample) {
  valijson::Schema schema;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(rule), schema);
  (void)valijson::Validator().validate(schema, Adapter(sample), nullptr);
}

/// Throws for a pattern that is no regular expression; the schema's reader looks at none.
void try_patterns(const Json& schema) {
  if (schema.is_object()) {
    const auto pattern = schema.find("pattern");
    if (pattern != schema.end() && pattern->is_string()) {
      try_pattern({{"pattern", *pattern}}, Json(""));
    }
    const auto by_pattern = schema.find("patternProperties");
    if (by_pattern != schema.end() && by_pattern->is_object()) {
      for (const auto& [name, rule] : by_pattern->items()) {
        try_pattern({{"patternProperties", {{name, Json::object()}}}}, {{"a", 1}});
      }
    }
  }
  if (!schema.is_structured()) return;
  for (const auto& item : schema) try_patterns(item);
}

bool has_long_text(const Json& json) {
  if (json.is_string()) {
    return json.get_ref<const std::string&>().size() > kPatternTextBytesMax;
  }
  if (!json.is_structured()) return false;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (json.is_object() && item.key().size() > kPatternTextBytesMax) return true;
    if (has_long_text(*item)) return true;
  }
  return false;
}

Result<std::unique_ptr<Checker>> read_schema(const Json& json, const std::string& place) {
  const auto mistake = [&](std::string_view what) {
    return fail(Errc::kInvalid, fmt::format("{}: {}", place, what));
  };
  if (!json.is_object()) return mistake("not a JSON Schema; an object is needed");
  if (is_too_deep(json)) return mistake("nested deeper than 64 levels");
  auto checker = std::make_unique<Checker>();
  checker->has_patterns = mentions_patterns(json);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(json), checker->schema);
    try_patterns(json);
  } catch (const std::exception& error) {
    return mistake(error.what());
  }
  return checker;
}

/// "properties.revenue" of {"<root>", "[properties]", "[revenue]"}.
std::string path_of(const std::vector<std::string>& context) {
  std::string path;
  for (std::size_t i = 1; i < context.size(); ++i) {
    std::string_view part = context[i];
    if (part.starts_with('[') && part.ends_with(']')) part = part.substr(1, part.size() - 2);
    if (!path.empty()) path += '.';
    path += part;
  }
  return path.empty() ? "event" : path;
}

std::string cut(std::string text) {
  std::ranges::replace(text, '\0', ' ');  // no warehouse stores it
  text.resize(utf8_prefix(text, kDetailBytesMax).size());
  return text;
}

/// The member of the plan's rules with the schema of a call.
struct CallRule {
  std::string_view name;
  EventType type;
};
constexpr std::array kCallRules = {
    CallRule{"identify", EventType::kIdentify}, CallRule{"group", EventType::kGroup},
    CallRule{"page", EventType::kPage}, CallRule{"screen", EventType::kScreen},
    CallRule{"alias", EventType::kAlias}};

}  // namespace

struct TrackingPlan::Impl {
  std::unique_ptr<Checker> all;
  std::map<EventType, std::unique_ptr<Checker>> calls;
  std::map<std::string, std::unique_ptr<Checker>, std::less<>> events;
  bool rescues_unplanned = false;
  valijson::Validator validator;

  Status read_events(const Json& list);
  Status read_rule(const std::string& name, const Json& rule);

  std::optional<std::string> flaw(const Checker& checker, const Json& event) {
    if (checker.has_patterns && has_long_text(event)) {
      return fmt::format("event: a text of more than {} bytes is not matched against patterns",
                         kPatternTextBytesMax);
    }
    valijson::ValidationResults results;
    try {
      if (validator.validate(checker.schema, Adapter(event), &results)) return std::nullopt;
    } catch (const std::exception& error) {
      return cut(fmt::format("event: cannot be checked: {}", error.what()));
    }
    valijson::ValidationResults::Error error;
    if (!results.popError(error)) return "event: does not match its schema";
    std::string_view what = error.description;
    if (what.ends_with('.')) what.remove_suffix(1);
    return cut(fmt::format("{}: {}", path_of(error.context), what));
  }
};

Status TrackingPlan::Impl::read_events(const Json& list) {
  if (!list.is_array()) return fail(Errc::kInvalid, "rules.events: not an array");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("rules.events[{}]", i);
    const Json& entry = list[i];
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) {
      return fail(Errc::kInvalid, fmt::format("{}: has no name", place));
    }
    const auto& name = entry["name"].get_ref<const std::string&>();
    static const Json kNoRules = Json::object();
    const auto rules = entry.find("rules");
    LEAT_ASSIGN(auto checker, read_schema(rules == entry.end() ? kNoRules : *rules,
                                          fmt::format("{} ('{}')", place, name)));
    if (!events.emplace(name, std::move(checker)).second) {
      return fail(Errc::kInvalid, fmt::format("{}: event '{}' is there twice", place, name));
    }
  }
  return {};
}

Status TrackingPlan::Impl::read_rule(const std::string& name, const Json& rule) {
  if (name == "events") return read_events(rule);
  if (name == "unplanned_events") {
    if (rule != "allow" && rule != "rescue") {
      return fail(Errc::kInvalid, "rules.unplanned_events: allowed: \"allow\" and \"rescue\"");
    }
    rescues_unplanned = rule == "rescue";
    return {};
  }
  if (name == "global") {
    LEAT_ASSIGN(all, read_schema(rule, "rules.global"));
    return {};
  }
  for (const CallRule& call : kCallRules) {
    if (call.name != name) continue;
    LEAT_ASSIGN(calls[call.type], read_schema(rule, "rules." + name));
    return {};
  }
  const bool is_empty_list = rule.is_array() && rule.empty();
  if ((name == "identify_traits" || name == "group_traits") && is_empty_list) return {};
  return fail(Errc::kInvalid,
              fmt::format("rules.{}: unknown; allowed: events, global, identify, group, page, "
                          "screen, alias, unplanned_events",
                          name));
}

TrackingPlan::TrackingPlan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrackingPlan::~TrackingPlan() = default;

Result<std::unique_ptr<TrackingPlan>> TrackingPlan::parse(std::string_view json) {
  // The strict reader bounds the depth and knows duplicate members as text.
  if (const auto tree = event::parse_json(json); !tree) {
    return fail(Errc::kInvalid, "not JSON: " + tree.error().message);
  }
  const Json plan = Json::parse(json, nullptr, false);
  if (plan.is_discarded()) return fail(Errc::kInvalid, "not JSON that can be read");
  const bool has_rules = plan.is_object() && plan.contains("rules") && plan["rules"].is_object();
  if (!has_rules) return fail(Errc::kInvalid, "no tracking plan: the member rules is missing");
  auto impl = std::make_unique<Impl>();
  for (const auto& [name, rule] : plan["rules"].items()) LEAT_TRY(impl->read_rule(name, rule));
  return std::unique_ptr<TrackingPlan>(new TrackingPlan(std::move(impl)));
}

std::size_t TrackingPlan::event_count() const {
  return impl_->events.size();
}

std::optional<TrackingPlan::Violation> TrackingPlan::check(EventType type,
                                                           std::string_view event_name,
                                                           std::string_view event_json) {
  const Checker* checker = nullptr;
  if (type == EventType::kTrack) {
    const auto planned = impl_->events.find(event_name);
    if (planned != impl_->events.end()) {
      checker = planned->second.get();
    } else if (impl_->rescues_unplanned) {
      return Violation{kUnplanned, cut(fmt::format("event '{}' is not in the plan", event_name))};
    }
  } else if (const auto call = impl_->calls.find(type); call != impl_->calls.end()) {
    checker = call->second.get();
  }
  if (checker == nullptr && impl_->all == nullptr) return std::nullopt;
  const Json event = Json::parse(event_json, nullptr, false);
  if (event.is_discarded()) {
    return Violation{
        kSchemaViolation,
        "event: holds a number beyond the range of a double, or half of a UTF-16 pair"};
  }
  // The order of Segment's controls: the event's own schema, then the common one.
  if (checker != nullptr) {
    if (auto detail = impl_->flaw(*checker, event)) {
      return Violation{kSchemaViolation, *std::move(detail)};
    }
  }
  if (impl_->all != nullptr) {
    if (auto detail = impl_->flaw(*impl_->all, event)) {
      return Violation{kCommonViolation, *std::move(detail)};
    }
  }
  return std::nullopt;
}

}  // namespace leat::shape
