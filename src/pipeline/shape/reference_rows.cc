// Rows of the reference: values into columns, and what fits nowhere.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/digest.h"
#include "base/text.h"
#include "pipeline/shape/conflicts.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/names.h"
#include "pipeline/shape/reference.h"
#include "pipeline/shape/rules.h"

namespace leat::shape {

using columns::Column;
using columns::Type;
using event::EventType;
using event::Member;

namespace {

std::string text_of(const Column& column, const columns::Cell& cell) {
  switch (column.type) {
    case Type::kVarchar:
    case Type::kSuper:
      return std::string(cell.as_text());
    case Type::kFloat:
    case Type::kDouble:
      return fmt::format("{}", cell.real);
    case Type::kDecimal:
      return fmt::format("{}:{}", cell.high, cell.low);
    default:
      return fmt::format("{}", cell.integer);
  }
}

/// The JSON that a rescue row keeps of a value; times that Leat made have none of their own.
std::string rescued_text(const Value& value) {
  if (value.kind == ValueKind::kTime && value.raw_size == 0) {
    return json_string(format_iso8601(TimeUs{value.cell.integer}));
  }
  return std::string(value.raw_text());
}

}  // namespace

void Reference::place(const std::string& table, const std::string& name, const Leaf& leaf, Row& row,
                      const Event& event, std::map<std::string, const Leaf*>& sources) {
  auto& columns = make_table(table);
  Arena arena;
  TimeReader times;
  if (is_looking_) return see(table, name, leaf.value);
  auto column = columns.find(name);
  if (column == columns.end()) {
    const auto made = make_column(table, name, leaf.value);
    if (!made) return rescue(event, table, name, kNotText, leaf.value.raw_text());
    if (is_full(table, name)) return overflow(table, name, leaf, event);
    column = columns.emplace(name, *made).first;
  }
  const Fit result = fit(leaf.value, column->second, arena, times);
  if (!result.reason.empty()) {
    if (place_beside(table, column->second, leaf, row)) return;
    return rescue(event, table, name, result.reason, rescued_text(leaf.value));
  }
  const auto earlier = sources.find(name);
  if (earlier != sources.end() && !is_entity_table(table) && earlier->second != nullptr &&
      earlier->second->value.raw_text() != leaf.value.raw_text()) {
    rescue(event, table, name, kOverwritten, earlier->second->value.raw_text());
  }
  row[name] = text_of(column->second, result.cell);
  sources[name] = &leaf;
}

bool Reference::place_beside(const std::string& table, const Column& column, const Leaf& leaf,
                             Row& row) {
  const ConflictPolicy policy = options_.conflicts.of(table, column.name);
  has_conflict_ = has_conflict_ || policy == ConflictPolicy::kFail;
  const auto made = column_beside(column, leaf.value, policy);
  if (!made) return false;
  auto& columns = make_table(table);
  const auto existing = columns.find(made->name);
  const Column beside = existing == columns.end() ? *made : existing->second;
  Arena arena;
  TimeReader times;
  const Fit result = fit(leaf.value, beside, arena, times);
  const bool is_taken = !is_entity_table(table) && row.contains(beside.name);
  if (!result.reason.empty() || is_taken) return false;
  if (existing == columns.end() && is_full(table, beside.name)) return false;
  columns.emplace(beside.name, beside);
  row[beside.name] = text_of(beside, result.cell);
  return true;
}

bool Reference::is_full(const std::string& table, std::string_view column) {
  const auto& columns = make_table(table);
  const std::string overflow_name(kOverflowColumn);
  std::size_t kept = columns.contains(overflow_name) ? 0 : 1;
  if (table == "users") kept += 5;
  if (table == "accounts") kept += 6;
  if (column == kOverflowColumn) kept = 0;
  return columns.size() + kept >= options_.columns_max;
}

void Reference::overflow(const std::string& table, const std::string& column, const Leaf& leaf,
                         const Event& event) {
  if (is_looking_) return;
  const bool is_flawed = leaf.value.kind == ValueKind::kFlawedText;
  if (is_flawed) return rescue(event, table, column, kNotText, leaf.value.raw_text());
  for (auto& [name, earlier] : overflowing_) {
    if (name != column) continue;
    if (!is_entity_table(table) && earlier->value.raw_text() != leaf.value.raw_text()) {
      rescue(event, table, column, kOverwritten, earlier->value.raw_text());
    }
    earlier = &leaf;
    return;
  }
  overflowing_.emplace_back(column, &leaf);
}

bool Reference::Entity::take_overflow(const std::string& column, std::string_view json,
                                      std::int64_t received_at) {
  auto members = overflow;
  const auto found = std::ranges::find(members, column, &Member::name);
  if (found != members.end() && found->received_at > received_at) return true;
  const Member member{.name = column, .json = std::string(json), .received_at = received_at};
  if (found == members.end()) {
    members.push_back(member);
  } else {
    *found = member;
  }
  std::size_t bytes = 1;
  for (const Member& each : members) bytes += each.name.size() + each.json.size() + 4;
  if (bytes > kEntityOverflowBytesMax) return false;
  overflow = std::move(members);
  return true;
}

Reference::Entity& Reference::entity_of(const std::string& table, const std::string& id) {
  auto& list = entities_[table];
  auto entity = std::ranges::find(list, id, &std::pair<std::string, Entity>::first);
  if (entity == list.end()) entity = list.insert(list.end(), {id, Entity{}});
  return entity->second;
}

void Reference::place_overflow(const std::string& table, Row& row, const Event& event) {
  if (overflowing_.empty()) return;
  auto& columns = make_table(table);
  const std::string name(kOverflowColumn);
  if (!columns.contains(name) && !is_full(table, name)) {
    columns[name] = {.name = name, .type = Type::kSuper};
  }
  const bool has_room = columns.contains(name) && columns[name].type == Type::kSuper;
  std::string members;
  for (const auto& [column, leaf] : overflowing_) {
    Arena arena;
    const Fit json = fit_as_json(leaf->value, arena);
    if (is_entity_table(table) && json.reason.empty() && has_room &&
        entity_of(table, row["id"])
            .take_overflow(column, json.cell.as_text(), event.received_at.value)) {
      continue;
    }
    const std::string member = (members.empty() ? "" : ",") + json_string(column) + ":" +
                               std::string(json.reason.empty() ? json.cell.as_text() : "");
    if (json.reason.empty() && has_room && !is_entity_table(table) &&
        members.size() + member.size() + 2 <= columns::kTextBytesMax) {
      members += member;
      continue;
    }
    const std::string_view no_room = event.has_own_table ? kTooManyColumns : kTooManyTables;
    rescue(event, table, column, json.reason.empty() ? no_room : json.reason,
           leaf->value.raw_text());
  }
  overflowing_.clear();
  if (!members.empty()) row[name] = "{" + members + "}";
}

void Reference::add_row(const std::string& table, const std::string& id, const Event& event) {
  Row row;
  std::map<std::string, const Leaf*> sources;
  auto& columns = make_table(table);
  std::deque<Leaf> own_leaves;
  const auto standard = [&](const char* name, const Value& value, Type type) {
    Leaf& leaf = own_leaves.emplace_back();
    leaf.value = value;
    if (!columns.contains(name)) {
      columns[name] = {.name = name, .type = type, .length = type == Type::kVarchar ? 512U : 0U};
    }
    place(table, name, leaf, row, event, sources);
  };
  const auto standard_time = [&](const char* name, TimeUs time) {
    standard(name, make_value(ValueKind::kTime, columns::Cell::of_integer(time.value)),
             Type::kTimestamp);
  };
  const auto member = [&](const char* name, Member which) {
    const auto found = event.members.find(which);
    if (found != event.members.end()) standard(name, found->second.value, Type::kVarchar);
  };
  standard("id", make_value(ValueKind::kText, columns::Cell::of_text(id)), Type::kVarchar);
  standard_time("received_at", event.received_at);
  const auto mark = [&](const char* name, const Value& value, Type type) {
    const auto known = columns.find(name);
    const bool has_zone = known != columns.end() && known->second.type == Type::kTimestampTz;
    const bool fits = known == columns.end() || known->second.type == type ||
                      (has_zone && type == Type::kTimestamp);
    if (fits) standard(name, value, type);
  };
  mark("uuid",
       make_value(ValueKind::kInteger, columns::Cell::of_integer(row_uuid(hash64(table), id))),
       Type::kInt64);
  mark("uuid_ts", make_value(ValueKind::kTime, columns::Cell::of_integer(options_.synced_at.value)),
       Type::kTimestamp);
  const bool is_entity = is_entity_table(table);
  if (!is_entity) {
    member("anonymous_id", Member::kAnonymousId);
    member("user_id", Member::kUserId);
    standard_time("timestamp", event.corrected);
    if (event.sent_at) standard("sent_at", event.sent_at->value, Type::kTimestamp);
    if (event.original) standard("original_timestamp", event.original->value, Type::kTimestamp);
    if (event.bad_timestamp) {
      rescue(event, table, "timestamp", kTypeMismatch, event.bad_timestamp->value.raw_text());
    }
    if (event.type == EventType::kTrack) {
      standard("event", make_value(ValueKind::kText, columns::Cell::of_text(event.event_table)),
               Type::kVarchar);
      member("event_text", Member::kEvent);
    }
    if (event.type == EventType::kGroup) member("group_id", Member::kGroupId);
    if (event.type == EventType::kAlias) member("previous_id", Member::kPreviousId);
    const auto own_id = event.members.find(Member::kMessageId);
    if (own_id != event.members.end() && !event.uses_own_id) {
      rescue(event, table, "id", kTypeMismatch, own_id->second.value.raw_text());
    }
  }
  const auto place_leaf = [&](Scope scope, const Leaf& leaf) {
    const std::vector<std::string_view> path(leaf.path.begin(), leaf.path.end());
    place(table, column_name_of(scope, event.type, path), leaf, row, event, sources);
  };
  for (const Leaf& leaf : event.context) place_leaf(Scope::kContext, leaf);
  const bool has_properties = event.type == EventType::kTrack || event.type == EventType::kPage ||
                              event.type == EventType::kScreen;
  const Scope own_scope = has_properties ? Scope::kProperties : Scope::kTraits;
  for (const Leaf& leaf : event.own) {
    if (table != "tracks") {
      place_leaf(own_scope, leaf);
    } else if (!event.has_own_table) {
      const std::vector<std::string_view> path(leaf.path.begin(), leaf.path.end());
      overflow(table, column_name_of(own_scope, event.type, path), leaf, event);
    }
  }
  if (event.type == EventType::kPage || event.type == EventType::kScreen) {
    member("name", Member::kName);
    member("category", Member::kCategory);
  }
  place_overflow(table, row, event);
  if (!is_entity) {
    row["leat_batch"] = std::to_string(batches_.size() - 1);
    row["leat_order"] = std::to_string(order_);
    ++batches_.back().rows[table];
    rows_[table].push_back(std::move(row));
    return;
  }
  Entity& entity = entity_of(table, id);
  for (auto& [name, text] : row) {
    auto [slot, is_new] = entity.values.try_emplace(name, text, event.received_at.value);
    if (!is_new && slot->second.second <= event.received_at.value) {
      slot->second = {text, event.received_at.value};
    }
  }
}

void Reference::add_entities() {
  for (const auto& [table, list] : entities_) {
    for (const auto& [id, entity] : list) {
      Row row;
      for (const auto& [name, value] : entity.values) row[name] = value.first;
      std::string object;
      for (const auto& member : entity.overflow) {
        object += (object.empty() ? "{" : ",") + json_string(member.name) + ":" + member.json;
      }
      if (!object.empty()) row[std::string(kOverflowColumn)] = object + "}";
      rows_[table].push_back(std::move(row));
    }
  }
}

void Reference::rescue_event(Event& event, std::string_view reason, std::string_view value,
                             std::string_view detail) {
  ++batches_.back().rescued_events;
  rescue(event, event.has_received_at ? home_of(event.type) : "", "", reason, value, detail);
}

void Reference::rescue(const Event& event, const std::string& table, const std::string& column,
                       std::string_view reason, std::string_view value, std::string_view detail) {
  if (!column.empty()) ++batches_.back().rescued_values;
  std::string whole(value);
  std::string encoding = "json";
  if (!is_utf8(whole) || whole.find('\0') != std::string::npos) {
    whole = to_base64(whole);
    encoding = "base64";
  }
  std::uint64_t part = 1;
  std::string_view rest = whole;
  do {
    const std::string_view piece = utf8_prefix(rest, kRescuePartBytes);
    Row row;
    const auto put = [&](const char* name, std::string_view text) {
      if (!text.empty()) row[name] = text;
    };
    row["id"] = rescue_id({.event_id = event.id,
                           .batch_id = batches_.back().batch_id,
                           .line = line_,
                           .table = table,
                           .column = column,
                           .value = whole,
                           .part = part});
    if (event.has_received_at) row["received_at"] = std::to_string(event.received_at.value);
    put("event_id", utf8_prefix(event.id, 512));
    put("table_name", table);
    put("column_name", column);
    put("reason", reason);
    put("value", piece);
    row["part"] = std::to_string(part++);
    row["encoding"] = encoding;
    put("batch_id", batches_.back().batch_id);
    put("detail", detail);
    row["line"] = std::to_string(line_);
    row["leat_batch"] = std::to_string(batches_.size() - 1);
    row["leat_order"] = std::to_string(order_);
    ++batches_.back().rows[std::string(kRescueTable)];
    rows_[std::string(kRescueTable)].push_back(std::move(row));
    rest.remove_prefix(piece.size());
  } while (!rest.empty());
}

}  // namespace leat::shape
