#include "pipeline/event/merge.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "pipeline/event/json_tree.h"

namespace leat::event {
namespace {

bool is_absent(const JsonValue* value) {
  return value == nullptr || value->kind == JsonKind::kNull;
}

void append_member(std::string& out, bool& first, std::string_view name) {
  out.push_back(first ? '{' : ',');
  first = false;
  append_json_string(out, name);
  out.push_back(':');
}

/// Appends `own` completed by `batch`. `own` absent: `batch` alone.
void append_merged(std::string& out, const JsonValue* own, const JsonValue& batch) {
  if (is_absent(own)) {
    out += batch.raw;
    return;
  }
  if (own->kind != JsonKind::kObject || batch.kind != JsonKind::kObject) {
    out += own->raw;
    return;
  }
  bool first = true;
  for (const auto& [name, value] : own->members) {
    const JsonValue* other = batch.find(name);
    if (value.kind == JsonKind::kNull && !is_absent(other)) continue;  // comes below
    append_member(out, first, name);
    if (is_absent(other)) {
      out += value.raw;
    } else {
      append_merged(out, &value, *other);
    }
  }
  for (const auto& [name, value] : batch.members) {
    if (value.kind == JsonKind::kNull || !is_absent(own->find(name)) ||
        batch.find(name) != &value) {
      continue;
    }
    append_member(out, first, name);
    out += value.raw;
  }
  out += first ? "{}" : "}";
}

}  // namespace

Result<std::string> merge_batch_members(std::string_view event_json, std::string_view context_json,
                                        std::string_view integrations_json) {
  LEAT_ASSIGN(const JsonValue event, parse_json(event_json));
  if (event.kind != JsonKind::kObject) return std::string(event_json);
  struct Addition {
    std::string_view name;
    std::string_view json;
    JsonValue value;
    std::size_t own_count = 0;
  };
  std::array<Addition, 2> additions = {Addition{"context", context_json, {}, 0},
                                       Addition{"integrations", integrations_json, {}, 0}};
  for (Addition& addition : additions) {
    if (!addition.json.empty()) {
      LEAT_ASSIGN(addition.value, parse_json(addition.json));
    }
    addition.own_count = static_cast<std::size_t>(std::ranges::count_if(
        event.members, [&](const auto& member) { return member.name == addition.name; }));
  }
  std::string out;
  bool first = true;
  for (const auto& [name, value] : event.members) {
    append_member(out, first, name);
    const auto addition = std::ranges::find(additions, name, &Addition::name);
    if (addition == additions.end() || addition->own_count != 1 || is_absent(&addition->value)) {
      out += value.raw;
    } else {
      append_merged(out, &value, addition->value);
    }
  }
  for (const Addition& addition : additions) {
    if (addition.own_count != 0 || is_absent(&addition.value)) continue;
    append_member(out, first, addition.name);
    out += addition.value.raw;
  }
  out += first ? "{}" : "}";
  return out;
}

}  // namespace leat::event
