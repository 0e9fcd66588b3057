#include "pipeline/shape/shaper.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/shape/names.h"
#include "pipeline/shape/shaping.h"

namespace leat::shape {
namespace {

using columns::Cell;
using event::EventType;
using event::Kind;
using event::Member;

constexpr std::size_t kHeldBytesMax =
    32 * 1024 * 1024;  // of lines and made text, before columns are encoded
constexpr std::size_t kPathsMax = 32'768;
constexpr std::size_t kEventNamesMax = 65'536;

/// Keeps the times of an event together with what must be parsed only once.
std::optional<TimeUs> read_time(Value& value, TimeReader& times) {
  if (value.kind != ValueKind::kText) return std::nullopt;
  const auto time = times.read(value.cell.as_text());
  if (time) {
    value.kind = ValueKind::kTime;
    value.cell = Cell::of_integer(time->value);
  }
  return time;
}

}  // namespace

std::string_view home_table_of(EventType type) {
  switch (type) {
    case EventType::kTrack:
      return "tracks";
    case EventType::kIdentify:
      return "identifies";
    case EventType::kPage:
      return "pages";
    case EventType::kScreen:
      return "screens";
    case EventType::kGroup:
      return "groups";
    case EventType::kAlias:
      return "aliases";
    case EventType::kNone:
      break;
  }
  return "";
}

Table* Shaper::table(std::string_view name, TableKind kind, EventType type) {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  const auto in_destination = known.find(name);
  const KnownTable* existing = in_destination == known.end() ? nullptr : in_destination->second;
  if (existing == nullptr && kind != TableKind::kRescue) ++new_tables;
  tables.push_back(std::make_unique<Table>(std::string(name), kind, type, existing, options));
  rows_before.push_back(0);
  by_name.emplace(name, tables.back().get());
  return tables.back().get();
}

/// tracks, pages, ... or users and accounts, remembered by the type of the call.
Table& Shaper::fixed_table(std::array<Table*, 8>& cache, EventType type, bool is_entity) {
  Table*& slot = cache[static_cast<std::size_t>(type)];
  if (slot == nullptr) {
    const std::string_view entity_name = type == EventType::kGroup ? "accounts" : "users";
    slot = is_entity ? table(entity_name, TableKind::kEntities, type)
                     : table(home_table_of(type), TableKind::kEvents, type);
  }
  return *slot;
}

/// The table of a track event, or nullptr when there may be no more tables.
Table* Shaper::event_table(const Value& name) {
  const std::string_view text = name.cell.as_text();
  const auto found = by_event.find(text);
  if (found != by_event.end()) return found->second;
  if (by_event.size() >= kEventNamesMax) by_event.clear();
  const std::string table_name = event_table_of(text);
  const bool exists = by_name.contains(table_name) || known.contains(table_name);
  if (!exists && known.size() + new_tables >= options.tables_max) return nullptr;
  Table* made = table(table_name, TableKind::kEvents, EventType::kTrack);
  by_event.emplace(text, made);
  return made;
}

Status Shaper::shape_line(std::string_view line, bool is_valid_utf8) {
  ++line_number;
  ++counts->events;
  has_received_at = false;
  has_own_table = true;
  id = {};
  if (paths.size() > kPathsMax) {
    paths.reset();
    for (const auto& each : tables) each->forget_nodes();
  }
  if ((!is_valid_utf8 && !is_utf8(line)) || !reader.read(line, values)) {
    values.facts = {};
    LEAT_TRY(rescue_event(kUnreadableLine, line));
  } else {
    has_received_at = true;
    LEAT_TRY(shape_event());
  }
  ++order;
  return failure;
}

bool Shaper::choose_id() {
  const Value& own = values.member(Member::kMessageId);
  const bool is_usable = values.facts.of(Member::kMessageId) == Kind::kString &&
                         own.kind == ValueKind::kText &&
                         own.cell.text_size <= event::kMessageIdBytesMax;
  id = is_usable ? own.cell.as_text() : values.message_id;
  return !id.empty() && id.find('\0') == std::string_view::npos;
}

const std::vector<Value>& Shaper::own_values() const {
  switch (values.facts.type) {
    case EventType::kTrack:
    case EventType::kPage:
    case EventType::kScreen:
      return values.properties;
    default:
      return values.traits;
  }
}

Status Shaper::shape_event() {
  event::EventFacts& facts = values.facts;
  facts.is_consent_event = facts.is_consent_event && facts.type == EventType::kTrack;
  const bool has_id = choose_id();
  if (!values.rejected.empty()) return rescue_event(values.rejected, values.event_json);
  if (const std::string_view code = event::validate(facts); !code.empty()) {
    return rescue_event(code, values.event_json);
  }
  if (is_excluded(values.integrations_json, options.warehouse_id)) {
    ++counts->excluded;
    return {};
  }
  if (!has_id) return rescue_event(kIdMissing, values.event_json);
  if (options.tracking_plan != nullptr) {
    const auto violation = options.tracking_plan->check(
        facts.type, values.member(Member::kEvent).cell.as_text(), values.merged_json);
    if (violation) return rescue_event(violation->reason, values.event_json, violation->detail);
  }

  Table* home = &fixed_table(home_tables, facts.type, false);
  Table* second = nullptr;
  std::string_view entity_id;
  if (facts.type == EventType::kTrack) {
    const Value& name = values.member(Member::kEvent);
    second = event_table(name);
    has_own_table = second != nullptr;
    event_slug = has_own_table ? second->name() : arena.copy(event_table_of(name.cell.as_text()));
  } else if (facts.type == EventType::kIdentify || facts.type == EventType::kGroup) {
    const bool is_group = facts.type == EventType::kGroup;
    const Member key = is_group ? Member::kGroupId : Member::kUserId;
    const Value& value = values.member(key);
    if (facts.of(key) == Kind::kString && value.kind == ValueKind::kText) {
      entity_id = value.cell.as_text();
      second = &fixed_table(entity_tables, facts.type, true);
    }
  }
  Value id_value = make_value(ValueKind::kText, Cell::of_text(id));
  const auto id_fits = [&](Table& target, std::string_view text) {
    id_value.cell = Cell::of_text(text);
    return target.fits_directly(target.standard(StandardColumn::kId), id_value);
  };
  if (!id_fits(*home, id)) return rescue_event(kIdDoesNotFit, values.event_json);
  const bool is_entity = second != nullptr && second->kind() == TableKind::kEntities;
  if (second != nullptr && !id_fits(*second, is_entity ? entity_id : id)) {
    // An entity's key that is too long is rescued as a value of the home row; an event must have
    // all of its rows.
    if (!is_entity) return rescue_event(kIdDoesNotFit, values.event_json);
    second = nullptr;
  }
  if (!values.ip.empty() && !values.has_context_ip) {
    // The collector writes the address only where it stands for context.ip.
    Value ip =
        make_value(ValueKind::kText, Cell::of_text(values.ip), arena.copy(json_string(values.ip)));
    ip.node = paths.child(Paths::kContext, "ip") & 0xfff'ffff;
    values.context.push_back(ip);
  }
  ++counts->with_rows;
  const EventTimes event_times = times_of_event();
  LEAT_TRY(add_row(*home, id, event_times));
  if (second != nullptr) {
    LEAT_TRY(add_row(*second, is_entity ? entity_id : id, event_times));
  }
  return {};
}

EventTimes Shaper::times_of_event() {
  EventTimes out;
  std::optional<TimeUs> sent;
  std::optional<TimeUs> original;
  std::optional<TimeUs> given;
  if (values.facts.of(Member::kSentAt) != Kind::kAbsent) {
    out.has_sent_at = true;
    out.sent_at = values.member(Member::kSentAt);
  } else if (!values.sent_at.empty()) {
    out.has_sent_at = true;
    out.sent_at = make_value(ValueKind::kText, Cell::of_text(values.sent_at),
                             arena.copy(json_string(values.sent_at)));
  }
  if (out.has_sent_at) sent = read_time(out.sent_at, times);
  const bool has_original = values.facts.of(Member::kOriginalTimestamp) != Kind::kAbsent;
  const bool has_timestamp = values.facts.of(Member::kTimestamp) != Kind::kAbsent;
  out.has_original = has_original || has_timestamp;
  if (out.has_original) {
    out.original = values.member(has_original ? Member::kOriginalTimestamp : Member::kTimestamp);
    original = read_time(out.original, times);
  }
  if (has_original && has_timestamp) {
    Value timestamp = values.member(Member::kTimestamp);
    given = read_time(timestamp, times);
  }
  out.corrected = corrected_time(values.received_at, sent, original, given);
  return out;
}

Status Shaper::flush() {
  for (const auto& each : tables) {
    LEAT_TRY(each->flush());
  }
  held.clear();
  held_bytes = 0;
  arena.clear();
  return {};
}

Status Shaper::add(Batch batch) {
  batches.push_back({.batch_id = batch.id, .rows = {}});
  counts = &batches.back();
  for (std::size_t i = 0; i < tables.size(); ++i) rows_before[i] = tables[i]->rows();
  held.push_back(std::make_unique<std::string>(std::move(batch.lines)));
  held.push_back(std::make_unique<std::string>(std::move(batch.id)));
  batch_id = *held.back();
  const std::string& lines = *held[held.size() - 2];
  held_bytes += lines.size();
  line_number = 0;
  const bool is_valid_utf8 = is_utf8(lines);
  const char* const end = lines.data() + lines.size();
  for (const char* at = lines.data(); at < end;) {
    const auto left = static_cast<std::size_t>(end - at);
    const auto* stop = static_cast<const char*>(std::memchr(at, '\n', left));
    const char* const line_end = stop == nullptr ? end : stop;
    std::string_view line(at, static_cast<std::size_t>(line_end - at));
    at = line_end + 1;
    if (line.empty()) continue;
    if (static_cast<std::size_t>(end - line_end) < kLinePadding + 1) {
      std::string padded(line);
      padded += '\n';
      line = arena.copy(padded).substr(0, line.size());
    }
    LEAT_TRY(shape_line(line, is_valid_utf8));
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Table& table = *tables[i];
    const std::uint64_t rows = table.rows() - rows_before[i];
    if (rows != 0) counts->rows[table.name()] = rows;
  }
  if (held_bytes + arena.bytes() > kHeldBytesMax) return flush();
  return {};
}

Result<std::optional<Staged>> Shaper::finish() {
  if (is_in_vain) return std::nullopt;
  if (conflict) return std::unexpected(*std::move(conflict));
  Staged staged;
  for (const auto& table : tables) {
    LEAT_ASSIGN(StagedTable each, table->finish());
    if (each.rows != 0) staged.tables.push_back(std::move(each));
  }
  std::ranges::sort(staged.tables, {}, &StagedTable::name);
  staged.batches = std::move(batches);
  return staged;
}

Result<Staged> shape_batches(const Options& options, const std::vector<KnownTable>& known,
                             std::size_t batches, const ReadBatch& read) {
  DecidedTypes decided;
  for (;;) {
    Shaper shaper(options, known, decided);
    for (std::size_t i = 0; i < batches; ++i) {
      LEAT_ASSIGN(Batch batch, read(i));
      LEAT_TRY(shaper.add(std::move(batch)));
    }
    LEAT_ASSIGN(std::optional<Staged> staged, shaper.finish());
    if (staged) return std::move(*staged);
    if (options.observer != nullptr) options.observer->restart();
  }
}

}  // namespace leat::shape
