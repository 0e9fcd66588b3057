// Values of an event into the columns of its rows: the usual case in place_paths, everything else
// in functions that a usual value never calls.
#include <algorithm>

#include "base/text.h"
#include "pipeline/shape/conflicts.h"
#include "pipeline/shape/shaping.h"

namespace leat::shape {
namespace {

using columns::Cell;
using event::EventType;
using event::Kind;
using event::Member;

Value time_value(TimeUs time) {
  return make_value(ValueKind::kTime, Cell::of_integer(time.value));
}

columns::Column overflow_column() {
  return {.name = std::string(kOverflowColumn), .type = columns::Type::kSuper};
}

}  // namespace

void Shaper::place_time(Table& table, StandardColumn column, TimeUs time) {
  place(table, table.standard(column), time_value(time));
}

/// A mark of Leat's own, which means nothing to others: where the table's column of that name has
/// another type, or the warehouse numbers it, the row goes without.
void Shaper::place_mark(Table& table, StandardColumn column, const Value& mark) {
  const int index = table.standard(column);
  if (table.fits_directly(index, mark)) table.set(index, mark.cell);
}

void Shaper::place_member(Table& table, StandardColumn column, Member member) {
  const Kind kind = values.facts.of(member);
  if (kind == Kind::kAbsent) return;
  place(table, table.standard(column), values.member(member));
}

Status Shaper::add_row(Table& table, std::string_view row_id, const EventTimes& event_times) {
  using enum StandardColumn;
  table.begin_row(row_id, values.received_at);
  table.set(table.standard(kId), Cell::of_text(row_id));
  place_time(table, kReceivedAt, values.received_at);
  const std::int64_t uuid = row_uuid(table.seed(), row_id);
  place_mark(table, kUuid, make_value(ValueKind::kInteger, Cell::of_integer(uuid)));
  place_mark(table, kUuidTs, time_value(options.synced_at));
  const bool is_entity = table.kind() == TableKind::kEntities;
  if (!is_entity) place_standard(table, event_times);
  place_paths(table, values.context);
  place_own(table);
  if (table.type() == EventType::kPage || table.type() == EventType::kScreen) {
    // The call's own name and category win over properties of that name.
    place_member(table, kName, Member::kName);
    place_member(table, kCategory, Member::kCategory);
  }
  if (!overflowing.empty()) place_overflow(table);
  if (!is_entity) {
    table.note_times({.received = values.received_at, .happened = event_times.corrected});
    table.note_uuid(uuid);
    table.set(table.standard(kLeatBatch),
              Cell::of_integer(static_cast<std::int64_t>(batches.size()) - 1));
    table.set(table.standard(kLeatOrder), Cell::of_integer(order));
  }
  return table.end_row();
}

void Shaper::place_standard(Table& table, const EventTimes& event_times) {
  using enum StandardColumn;
  place_member(table, kAnonymousId, Member::kAnonymousId);
  place_member(table, kUserId, Member::kUserId);
  place_time(table, kTimestamp, event_times.corrected);
  if (event_times.has_sent_at) place(table, table.standard(kSentAt), event_times.sent_at);
  if (event_times.has_original) {
    place(table, table.standard(kOriginalTimestamp), event_times.original);
  }
  if (event_times.has_bad_timestamp) {
    rescue_value(table, "timestamp", kTypeMismatch, event_times.timestamp);
  }
  switch (values.facts.type) {
    case EventType::kTrack: {
      // Both tables of a track event carry the slug, which is the name of the event's table.
      const Value& name = values.member(Member::kEvent);
      place(table, table.standard(kEvent),
            make_value(ValueKind::kText, Cell::of_text(event_slug), name.raw_text()));
      place(table, table.standard(kEventText), name);
      break;
    }
    case EventType::kGroup:
      place_member(table, kGroupId, Member::kGroupId);
      break;
    case EventType::kAlias:
      place_member(table, kPreviousId, Member::kPreviousId);
      break;
    default:
      break;
  }
  const Value& message_id = values.member(Member::kMessageId);
  if (values.facts.of(Member::kMessageId) != Kind::kAbsent && id.data() != message_id.cell.text) {
    // The event has an id of its own that cannot be one; the collector's stands in.
    rescue_value(table, "id", kTypeMismatch, message_id);
  }
}

void Shaper::place_paths(Table& table, const std::vector<Value>& list) {
  for (const Value& value : list) {
    int index = table.of_node(value.node);
    if (index >= 0 && table.fits_directly(index, value) && !table.has(index)) [[likely]] {
      table.set(index, value.cell);
      continue;
    }
    if (index < 0) {
      if (index == Table::kLeftOut) continue;
      index = resolve(table, value);
      if (index < 0) continue;
    }
    place(table, index, value);
  }
}

/// The event's properties or traits. tracks holds what all track events have in common, and all of
/// an event that may have no table of its own.
void Shaper::place_own(Table& table) {
  const bool is_tracks = table.type() == EventType::kTrack && table.name() == "tracks";
  if (!is_tracks) return place_paths(table, own_values());
  if (has_own_table) return;
  for (const Value& value : own_values()) {
    overflow(table, paths.column_name(value.node, table.type()), value);
  }
}

/// Finds or makes the column of a path in a table. When there can be none, the value goes where
/// such values go, and the answer is kNoColumn.
int Shaper::resolve(Table& table, const Value& value) {
  std::string name = paths.column_name(value.node, table.type());
  if (table.of_node(value.node) == Table::kUnresolved) {
    if (leaves_out && options.exclusion.leaves_out_column(table.name(), name)) {
      table.remember(value.node, Table::kLeftOut);
      return Table::kLeftOut;
    }
    const int existing = table.find(name);
    if (existing >= 0) {
      table.remember(value.node, existing);
      return existing;
    }
    ValueKind first = ValueKind::kNever;
    auto column = new_column(table, name, value, first);
    if (!column) {
      rescue_value(table, name, kNotText, value);
      return Table::kNoColumn;
    }
    const int made = table.add(std::move(*column), first);
    table.remember(value.node, made);
    if (made >= 0) return made;
  }
  overflow(table, name, value);
  return Table::kNoColumn;
}

/// The column that `value` makes, and in `first` what Table::add takes.
std::optional<columns::Column> Shaper::new_column(const Table& table, const std::string& name,
                                                  const Value& value, ValueKind& first) {
  auto column = column_for(value, name, rules, times);
  if (!column) return column;
  const bool may_change =
      column->type == columns::Type::kInt64 || column->type == columns::Type::kTimestamp;
  if (!may_change) return column;
  first = value.kind;
  if (const auto found = decided.find({table.name(), name}); found != decided.end()) {
    column->type = found->second.type;
    column->length = column->type == columns::Type::kVarchar ? options.varchar_length : 0;
    first = found->second.first;
  }
  return column;
}

/// Gives a new column another type when `value` asks for it.
void Shaper::reconsider_type(Table& table, int index, const Value& value) {
  const ValueKind first = table.first_kind(index);
  const auto type = wider_type(table.column(index).type, first, value, times);
  if (!type) return;
  // An integer column that is widened may have to be one again; nothing else ever changes twice.
  const bool may_go_back = *type == columns::Type::kDouble;
  if (!may_go_back) table.settle(index);
  // What did not fit before may fit the new type.
  const bool came_along = table.retype(index, *type, options.varchar_length);
  const bool was_written = !came_along || table.has_misfits(index);
  decided[{table.name(), table.column(index).name}] = {
      .type = *type, .first = may_go_back ? first : ValueKind::kNever};
  if (!was_written) return;
  // The rest of this pass only looks for more types to decide.
  is_in_vain = true;
  options.write_files = false;
  options.observer = nullptr;
}

void Shaper::place(Table& table, int index, const Value& value) {
  Cell cell = value.cell;
  if (!table.fits_directly(index, value)) {
    if (table.first_kind(index) != ValueKind::kNever) reconsider_type(table, index, value);
    const Fit result = fit(value, table.column(index), arena, times);
    if (!result.reason.empty()) return place_beside(table, index, result.reason, value);
    cell = result.cell;
  }
  if (table.has(index)) [[unlikely]] {
    rescue_earlier(table, index, value);
  }
  table.set(index, cell);
}

/// A value that does not fit its column goes where the policy of the column says.
void Shaper::place_beside(Table& table, int index, std::string_view reason, const Value& value) {
  if (table.first_kind(index) != ValueKind::kNever) table.note_misfit(index);
  const std::string name = table.column(index).name;
  const ConflictPolicy policy = options.conflicts.of(table.name(), name);
  if (policy == ConflictPolicy::kFail) note_conflict(table, index, reason);
  if (auto beside = column_beside(table.column(index), value, policy)) {
    int at = table.find(beside->name);
    const Fit result = fit(value, at >= 0 ? table.column(at) : *beside, arena, times);
    // A second such value of one row has no place there.
    if (result.reason.empty() && (at < 0 || !table.has(at))) {
      if (at < 0) at = table.add(*std::move(beside), ValueKind::kNever);
      if (at >= 0) return table.set(at, result.cell);
    }
  }
  rescue_value(table, name, reason, value);
}

/// Keeps a value whose column cannot be made for the row's overflow. Of two values of one name the
/// later one wins, as everywhere.
void Shaper::overflow(Table& table, std::string_view name, const Value& value) {
  if (value.kind == ValueKind::kFlawedText) return rescue_value(table, name, kNotText, value);
  const auto found = overflowing_of.find(name);
  if (found == overflowing_of.end()) {
    const std::string_view kept = arena.copy(name);
    overflowing_of.emplace(kept, overflowing.size());
    overflowing.push_back({kept, &value});
    return;
  }
  Overflowing& earlier = overflowing[found->second];
  const bool is_event = table.kind() != TableKind::kEntities;
  if (is_event && earlier.value->raw_text() != value.raw_text()) {
    rescue_value(table, name, kOverwritten, *earlier.value);
  }
  earlier.value = &value;
}

/// The row's overflow as one JSON object; what it cannot hold is rescued.
void Shaper::place_overflow(Table& table) {
  int index = table.find(kOverflowColumn);
  if (index < 0) index = table.add(overflow_column(), ValueKind::kNever);
  const bool has_room = index >= 0 && table.column(index).type == columns::Type::kSuper;
  const bool is_entity = table.kind() == TableKind::kEntities;
  std::string object = "{";
  for (const Overflowing& each : overflowing) {
    const Fit json = fit_as_json(*each.value, arena);
    const bool may_be_member = json.reason.empty() && has_room;
    if (is_entity && may_be_member && table.set_overflow(each.name, json.cell.as_text())) continue;
    std::string member = object.size() == 1 ? "" : ",";
    append_json_string(member, each.name);
    member += ':';
    if (json.reason.empty()) member += json.cell.as_text();
    const bool fits =
        !is_entity && may_be_member && object.size() + member.size() < columns::kTextBytesMax;
    if (fits) {
      object += member;
      continue;
    }
    const std::string_view no_room = has_own_table ? kTooManyColumns : kTooManyTables;
    rescue_value(table, each.name, json.reason.empty() ? no_room : json.reason, *each.value);
  }
  overflowing.clear();
  overflowing_of.clear();
  if (object.size() == 1) return;
  object += '}';
  table.set(index, Cell::of_text(arena.copy(object)));
}

}  // namespace leat::shape
