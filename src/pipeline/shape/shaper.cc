#include "pipeline/shape/shaper.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "base/digest.h"
#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/shape/event_reader.h"
#include "pipeline/shape/rules.h"
#include "pipeline/shape/table.h"

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

/// Finds by string_view in a map of strings.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

/// The times of one event, as values for its columns.
struct EventTimes {
  Value sent_at;
  Value original;
  bool has_sent_at = false;
  bool has_original = false;
  TimeUs corrected;
};

Value time_value(TimeUs time) {
  return make_value(ValueKind::kTime, Cell::of_integer(time.value));
}

/// Type of a new column that its first value alone does not tell.
struct DecidedType {
  columns::Type type = columns::Type::kVarchar;
  ValueKind first = ValueKind::kNever;  // as Table::add takes it
};
/// By table and column.
using DecidedTypes = std::map<std::pair<std::string, std::string>, DecidedType>;

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

/// One pass over the batches of a sync. One thread at a time.
struct Shaper {
  Shaper(const Options& options_in, const std::vector<KnownTable>& known_in,
         DecidedTypes& decided_in)
      : options(options_in), decided(decided_in) {
    for (const KnownTable& table : known_in) known.emplace(table.name, &table);
  }

  Status add(Batch batch);
  /// Nothing when the pass has to be made again, with the types that are decided now.
  Result<std::optional<Staged>> finish();

  // where rows go
  Table& fixed_table(std::array<Table*, 8>& cache, EventType type, bool is_entity);
  Table* table(std::string_view name, TableKind kind, EventType type);
  Table* event_table(const Value& name);

  // one line
  Status shape_line(std::string_view line, bool is_valid_utf8);
  Status shape_event();
  Status add_row(Table& table, std::string_view row_id, const EventTimes& times);
  void place_standard(Table& table, const EventTimes& times);
  void place_paths(Table& table, const std::vector<Value>& own, bool with_own);
  void place(Table& table, int index, const Value& value);
  void place_member(Table& table, StandardColumn column, Member member);
  void place_time(Table& table, StandardColumn column, TimeUs time);
  int resolve(Table& table, const Value& value);
  std::optional<columns::Column> new_column(const Table& table, const std::string& name,
                                            const Value& value, ValueKind& first);
  void reconsider_type(Table& table, int index, const Value& value);
  EventTimes times_of_event();
  bool choose_id();
  const std::vector<Value>& own_values() const;

  // rescue
  void rescue_earlier(Table& table, int index, const Value& newer);
  void rescue_value(const Table& table, std::string_view column, std::string_view reason,
                    const Value& value);
  Status rescue_event(std::string_view reason, std::string_view value);
  void rescue(std::string_view table_name, std::string_view column, std::string_view reason,
              std::string_view value);
  void rescue_part(std::string_view table_name, std::string_view column, std::string_view reason,
                   std::string_view value, std::string_view whole, std::uint64_t part,
                   std::string_view encoding);

  Status flush();

  Options options;
  std::map<std::string, const KnownTable*, std::less<>> known;
  DecidedTypes& decided;
  bool is_in_vain = false;  // a type was decided too late for values that are written already
  Arena arena;
  TimeReader times;
  Paths paths;
  EventReader reader{paths, arena, times};
  EventValues values;

  std::vector<std::unique_ptr<Table>> tables;
  std::unordered_map<std::string, Table*, TextHash, std::equal_to<>> by_name;
  std::unordered_map<std::string, Table*, TextHash, std::equal_to<>> by_event;
  std::array<Table*, 8> home_tables{};
  std::array<Table*, 8> entity_tables{};
  std::vector<std::uint64_t> rows_before;  // of each table, at the start of the batch
  std::size_t new_tables = 0;

  std::vector<std::unique_ptr<std::string>> held;
  std::size_t held_bytes = 0;
  std::vector<BatchCounts> batches;
  BatchCounts* counts = nullptr;
  std::string_view batch_id;
  std::uint64_t line_number = 0;
  std::int64_t order = 0;

  // of the event being shaped
  std::string_view event_slug;
  std::string_view id;
  bool has_received_at = false;
  Status failure;  // of the rescue table's writer
};

Table* Shaper::table(std::string_view name, TableKind kind, EventType type) {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  const auto in_destination = known.find(name);
  const KnownTable* existing = in_destination == known.end() ? nullptr : in_destination->second;
  if (existing == nullptr) ++new_tables;
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

  Table* home = &fixed_table(home_tables, facts.type, false);
  Table* second = nullptr;
  std::string_view entity_id;
  if (facts.type == EventType::kTrack) {
    second = event_table(values.member(Member::kEvent));
    if (second == nullptr) return rescue_event(kTooManyTables, values.event_json);
    event_slug = second->name();
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

void Shaper::place_time(Table& table, StandardColumn column, TimeUs time) {
  place(table, table.standard(column), time_value(time));
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
  place(table, table.standard(kUuid),
        make_value(ValueKind::kInteger, Cell::of_integer(row_uuid(table.seed(), row_id)), "null"));
  place_time(table, kUuidTs, options.synced_at);
  const bool is_entity = table.kind() == TableKind::kEntities;
  if (!is_entity) place_standard(table, event_times);
  // tracks holds what all track events have in common.
  const bool with_own = table.type() != EventType::kTrack || table.name() != "tracks";
  place_paths(table, own_values(), with_own);
  if (table.type() == EventType::kPage || table.type() == EventType::kScreen) {
    // The call's own name and category win over properties of that name.
    place_member(table, kName, Member::kName);
    place_member(table, kCategory, Member::kCategory);
  }
  if (!is_entity) {
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

void Shaper::place_paths(Table& table, const std::vector<Value>& own, bool with_own) {
  const auto place_all = [&](const std::vector<Value>& list) {
    for (const Value& value : list) {
      int index = table.of_node(value.node);
      if (index >= 0 && table.fits_directly(index, value) && !table.has(index)) [[likely]] {
        table.set(index, value.cell);
        continue;
      }
      if (index < 0) {
        index = resolve(table, value);
        if (index < 0) continue;
      }
      place(table, index, value);
    }
  };
  place_all(values.context);
  if (with_own) place_all(own);
}

/// Finds or makes the column of a path in a table; rescues the value when there can be none.
int Shaper::resolve(Table& table, const Value& value) {
  const std::string name = paths.column_name(value.node, table.type());
  if (table.of_node(value.node) == Table::kUnresolved) {
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
  rescue_value(table, name, kTooManyColumns, value);
  return Table::kNoColumn;
}

/// The column that `value` makes, and in `first` what Table::add takes.
std::optional<columns::Column> Shaper::new_column(const Table& table, const std::string& name,
                                                  const Value& value, ValueKind& first) {
  const bool all_text = options.types == TypeMode::kVarchar;
  auto column = column_for(value, name, all_text, options.varchar_length, times);
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
  const bool was_written = !table.retype(index, *type, options.varchar_length);
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
    if (!result.reason.empty()) {
      rescue_value(table, table.column(index).name, result.reason, value);
      return;
    }
    cell = result.cell;
  }
  if (table.has(index)) [[unlikely]] {
    rescue_earlier(table, index, value);
  }
  table.set(index, cell);
}

/// Two paths of the event give one column: the later value wins, the earlier one is kept unless it
/// is the same.
void Shaper::rescue_earlier(Table& table, int index, const Value& newer) {
  const Value* earlier = nullptr;
  const auto search = [&](const std::vector<Value>& list) {
    for (const Value& value : list) {
      if (&value == &newer) return;
      const bool is_same_column = table.of_node(value.node) == index;
      if (is_same_column && fit(value, table.column(index), arena, times).reason.empty()) {
        earlier = &value;
      }
    }
  };
  search(values.context);
  const bool newer_is_context = !values.context.empty() && &newer >= values.context.data() &&
                                &newer < values.context.data() + values.context.size();
  if (!newer_is_context) search(own_values());
  if (earlier == nullptr || earlier->raw_text() == newer.raw_text()) return;
  rescue_value(table, table.column(index).name, kOverwritten, *earlier);
}

void Shaper::rescue_value(const Table& table, std::string_view column, std::string_view reason,
                          const Value& value) {
  ++counts->rescued_values;
  if (value.kind == ValueKind::kTime && value.raw_size == 0) {
    const std::string text = json_string(format_iso8601(TimeUs{value.cell.integer}));
    return rescue(table.name(), arena.copy(column), reason, arena.copy(text));
  }
  rescue(table.name(), arena.copy(column), reason, value.raw_text());
}

Status Shaper::rescue_event(std::string_view reason, std::string_view value) {
  ++counts->rescued_events;
  if (id.empty() && has_received_at && !values.facts.is_object) id = values.message_id;
  if (!values.rejected.empty() && has_received_at && id.empty()) {
    // Rejected events are not read by path; their own id is worth a slow look.
    const auto json = event::parse_json(value);
    const event::JsonValue* own = json ? json->find("messageId") : nullptr;
    if (own != nullptr && own->kind == event::JsonKind::kString && !own->flaws.any() &&
        own->text.size() <= event::kMessageIdBytesMax) {
      id = arena.copy(own->text);
    }
  }
  const std::string_view home = has_received_at ? home_table_of(values.facts.type) : "";
  rescue(home, {}, arena.copy(reason), value);
  return {};
}

void Shaper::rescue(std::string_view table_name, std::string_view column, std::string_view reason,
                    std::string_view value) {
  std::string_view encoding = "json";
  if (!is_utf8(value) || value.find('\0') != std::string_view::npos) {
    encoding = "base64";
    value = arena.copy(to_base64(value));
  }
  std::uint64_t part = 1;
  std::string_view rest = value;
  do {
    const std::string_view piece = utf8_prefix(rest, kRescuePartBytes);
    rescue_part(table_name, column, reason, piece, value, part++, encoding);
    rest.remove_prefix(piece.size());
  } while (!rest.empty());
}

void Shaper::rescue_part(std::string_view table_name, std::string_view column,
                         std::string_view reason, std::string_view value, std::string_view whole,
                         std::uint64_t part, std::string_view encoding) {
  using enum StandardColumn;
  Table& to = *table(kRescueTable, TableKind::kRescue, EventType::kNone);
  const std::string key = rescue_id({.event_id = id,
                                     .batch_id = batch_id,
                                     .line = line_number,
                                     .table = table_name,
                                     .column = column,
                                     .value = whole,
                                     .part = part});
  to.begin_row({}, {});
  const auto put_text = [&](StandardColumn at, std::string_view text) {
    if (!text.empty()) to.set(to.standard(at), Cell::of_text(text));
  };
  const auto put_number = [&](StandardColumn at, std::uint64_t number) {
    to.set(to.standard(at), Cell::of_integer(static_cast<std::int64_t>(number)));
  };
  put_text(kId, arena.copy(key));
  if (has_received_at) to.set(to.standard(kReceivedAt), Cell::of_integer(values.received_at.value));
  put_text(kEventId, utf8_prefix(id, 512));
  put_text(kTableName, table_name);
  put_text(kColumnName, column);
  put_text(kReason, reason);
  put_text(kValue, value);
  put_number(kPart, part);
  put_text(kEncoding, encoding);
  put_text(kBatchId, batch_id);
  put_number(kLine, line_number);
  put_number(kLeatBatch, batches.size() - 1);
  put_number(kLeatOrder, static_cast<std::uint64_t>(order));
  if (failure) failure = to.end_row();
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
  Staged staged;
  for (const auto& table : tables) {
    LEAT_ASSIGN(StagedTable each, table->finish());
    if (each.rows != 0) staged.tables.push_back(std::move(each));
  }
  std::ranges::sort(staged.tables, {}, &StagedTable::name);
  staged.batches = std::move(batches);
  return staged;
}

}  // namespace

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
