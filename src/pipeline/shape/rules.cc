#include "pipeline/shape/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "pipeline/event/json_tree.h"

namespace leat::shape {

NewColumnRules new_column_rules(const Options& options) {
  return {.all_text = options.types == TypeMode::kVarchar,
          .varchar_length = options.varchar_length,
          .super_arrays = options.arrays == Nested::kSuper,
          .super_objects = options.objects == Nested::kSuper};
}

bool is_excluded(std::string_view integrations_json, std::string_view warehouse_id) {
  if (integrations_json.find("Warehouses") == std::string_view::npos &&
      integrations_json.find('\\') == std::string_view::npos) {
    return false;
  }
  const auto integrations = event::parse_json(integrations_json);
  if (!integrations) return false;
  const event::JsonValue* warehouses = integrations->find("Warehouses");
  if (warehouses == nullptr) return false;
  const event::JsonValue* all = warehouses->find("all");
  if (all != nullptr && all->kind == event::JsonKind::kBoolean) return !all->boolean;
  const event::JsonValue* ids = warehouses->find("warehouseIds");
  if (ids == nullptr || ids->kind != event::JsonKind::kArray || warehouse_id.empty()) return false;
  return std::ranges::none_of(ids->items, [&](const event::JsonValue& id) {
    return id.kind == event::JsonKind::kString && id.text == warehouse_id;
  });
}

TimeUs corrected_time(TimeUs received, std::optional<TimeUs> sent, std::optional<TimeUs> original,
                      std::optional<TimeUs> given) {
  if (given) return *given;
  if (!original) return received;
  if (!sent) return *original;
  const std::int64_t us = received.value - (sent->value - original->value);
  // Years 1 to 9999, as everywhere.
  constexpr std::int64_t kFirst = -719'162 * kUsPerDay;
  constexpr std::int64_t kEnd = 2'932'897 * kUsPerDay;
  return us >= kFirst && us < kEnd ? TimeUs{us} : *original;
}

std::int64_t row_uuid(std::uint64_t table_seed, std::string_view id) {
  return static_cast<std::int64_t>(hash64(id, table_seed));
}

std::string rescue_id(const RescueKey& key) {
  const std::string origin = key.event_id.empty() ? fmt::format("{}#{}", key.batch_id, key.line)
                                                  : std::string(key.event_id);
  const std::string text = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{:016x}", origin, key.table,
                                       key.column, key.part, hash64(key.value));
  return fmt::format("{:016x}{:016x}", hash64(text, 1), hash64(text, 2));
}

}  // namespace leat::shape
