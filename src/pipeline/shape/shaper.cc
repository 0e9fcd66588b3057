#include "pipeline/shape/shaper.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/person.h"
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
constexpr std::size_t kPieceBytes = 64 * 1024;  // of lines whose bytes are checked at once
constexpr std::size_t kPathsMax = 32'768;
constexpr std::size_t kEventNamesMax = 65'536;

/// Where some lines end, few enough that they are still near when they are read after the check of
/// their bytes.
const char* end_of_piece(const char* at, const char* end) {
  if (static_cast<std::size_t>(end - at) <= kPieceBytes) return end;
  const auto left = static_cast<std::size_t>(end - at) - kPieceBytes;
  const auto* stop = static_cast<const char*>(std::memchr(at + kPieceBytes, '\n', left));
  return stop == nullptr ? end : stop + 1;
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

}  // namespace

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
  const std::string table_name = event_table_of(text, options.taken_tables);
  const bool exists = by_name.contains(table_name) || known.contains(table_name);
  if (!exists && known.size() + new_tables >= options.tables_max) return nullptr;
  Table* made = table(table_name, TableKind::kEvents, EventType::kTrack);
  by_event.emplace(text, made);
  return made;
}

Status Shaper::shape_line(std::string_view line, bool is_valid_utf8) {
  ++line_number;
  if (!takes_all && !options.selection.takes_order(order)) {
    ++order;
    return {};
  }
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
    is_selected = is_wanted();
    LEAT_TRY(rescue_event(kUnreadableLine, line));
  } else {
    has_received_at = true;
    is_selected = is_wanted();
    LEAT_TRY(shape_event());
  }
  ++order;
  return failure;
}

/// Options::selection, as far as it is known before the event's tables are.
bool Shaper::is_wanted() {
  if (takes_all) [[likely]]
    return true;
  const Selection& wanted = options.selection;
  if (!wanted.takes_line(batch_id, line_number)) return false;
  if (has_received_at && !wanted.takes_time(values.received_at)) return false;
  if (wanted.event.empty() && wanted.table.empty() && wanted.column.empty()) return true;
  if (!has_received_at) return false;
  const EventType type = values.facts.type;
  if (type != EventType::kTrack) return wanted.takes_event(type, "");
  const Value& name = values.member(Member::kEvent);
  const bool has_name =
      values.facts.of(Member::kEvent) == Kind::kString && name.kind == ValueKind::kText;
  const std::string_view text = has_name ? name.cell.as_text() : std::string_view();
  const auto found = wanted_events.find(text);
  if (found != wanted_events.end()) return found->second;
  if (wanted_events.size() >= kEventNamesMax) wanted_events.clear();
  return wanted_events.emplace(text, wanted.takes_event(type, text, options.taken_tables))
      .first->second;
}

/// Options::exclusion, for whole events.
bool Shaper::is_left_out() {
  if (!leaves_out) [[likely]]
    return false;
  const EventType type = values.facts.type;
  if (type != EventType::kTrack) return options.exclusion.leaves_out_event(type, "");
  const std::string_view name = values.member(Member::kEvent).cell.as_text();
  const auto found = left_out_events.find(name);
  if (found != left_out_events.end()) return found->second;
  if (left_out_events.size() >= kEventNamesMax) left_out_events.clear();
  return left_out_events
      .emplace(name, options.exclusion.leaves_out_event(type, name, options.taken_tables))
      .first->second;
}

/// Whether the event has a value for the column that is asked for.
bool Shaper::brings_column(const Table& home, const Table* second) const {
  const Selection& wanted = options.selection;
  if (wanted.column.empty() || wanted.column_is_standard()) return true;
  for (const Table* table : {&home, second}) {
    if (table == nullptr || (!wanted.table.empty() && table->name() != wanted.table)) continue;
    const auto brings = [&](const Value& value) {
      return paths.column_name(value.node, table->type()) == wanted.column;
    };
    if (std::ranges::any_of(values.context, brings)) return true;
    const bool with_own = table->type() != EventType::kTrack || table->name() != "tracks";
    if (with_own && std::ranges::any_of(own_values(), brings)) return true;
  }
  return false;
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
  if (event::is_removed(values.rejected)) return exclude_event();
  if (!values.rejected.empty()) return rescue_event(values.rejected, values.event_json);
  if (const std::string_view code = event::validate(facts); !code.empty()) {
    return rescue_event(code, values.event_json);
  }
  if (is_excluded(values.integrations_json, options.warehouse_id) || is_left_out()) {
    return exclude_event();
  }
  if (!has_id) return rescue_event(kIdMissing, values.event_json);
  if (options.tracking_plan != nullptr) {
    const auto violation = options.tracking_plan->check(
        facts.type, values.member(Member::kEvent).cell.as_text(), values.merged_json);
    if (violation) return rescue_event(violation->reason, values.event_json, violation->detail);
  }
  if (!options.refusals.by_batch.empty()) {
    const bool is_track = facts.type == EventType::kTrack;
    const std::string* why = options.refusals.find(
        batch_id, line_number, facts.type,
        is_track ? values.member(Member::kEvent).cell.as_text() : std::string_view(),
        options.taken_tables);
    if (why != nullptr) {
      ++counts->refused;
      return rescue_event(kRefused, values.event_json, *why);
    }
  }
  if (!is_selected) {
    ++counts->with_rows;
    return {};
  }
  return shape_rows();
}

/// An event that becomes nothing: its books are all that the destination has of it.
Status Shaper::exclude_event() {
  ++counts->excluded;
  if (is_selected && options.selection.column.empty()) ++selected.back().excluded;
  return {};
}

/// An event that the rules let through.
Status Shaper::shape_rows() {
  const event::EventFacts& facts = values.facts;
  Table* home = nullptr;
  Table* second = nullptr;
  std::string_view entity_id;
  if (facts.type == EventType::kTrack) {
    const Value& name = values.member(Member::kEvent);
    // tracks comes first: it counts among the tables that there may be.
    if (has_tracks) home = &fixed_table(home_tables, facts.type, false);
    second = event_table(name);
    has_own_table = second != nullptr;
    event_slug = has_own_table
                     ? second->name()
                     : arena.copy(event_table_of(name.cell.as_text(), options.taken_tables));
    if (home == nullptr && has_own_table) {
      home = std::exchange(second, nullptr);
    } else if (leaves_out && has_own_table && options.exclusion.leaves_out_table(event_slug)) {
      second = nullptr;
    }
  } else if (facts.type == EventType::kIdentify || facts.type == EventType::kGroup) {
    const bool is_group = facts.type == EventType::kGroup;
    const Member key = is_group ? Member::kGroupId : Member::kUserId;
    const Value& value = values.member(key);
    if (facts.of(key) == Kind::kString && value.kind == ValueKind::kText) {
      entity_id = value.cell.as_text();
      const bool is_off =
          leaves_out && options.exclusion.leaves_out_table(is_group ? "accounts" : "users");
      if (!is_off) second = &fixed_table(entity_tables, facts.type, true);
    }
  }
  if (home == nullptr) home = &fixed_table(home_tables, facts.type, false);
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
  if (!values.ip.text.empty() && !values.has_context_ip) {
    // The collector writes the address only where it stands for context.ip.
    Value ip = value_of(values.ip);
    ip.node = Paths::kContextIp;
    values.context.push_back(ip);
  }
  ++counts->with_rows;
  if (!takes_all && !brings_column(*home, second)) return {};
  ++selected.back().rows;
  const EventTimes event_times = times_of_event();
  LEAT_TRY(add_row(*home, id, event_times));
  if (second != nullptr) {
    LEAT_TRY(add_row(*second, is_entity ? entity_id : id, event_times));
  }
  return {};
}

Value Shaper::value_of(const LineText& text) {
  return make_value(ValueKind::kText, Cell::of_text(text.text),
                    text.json.empty() ? arena.copy(json_string(text.text)) : text.json);
}

EventTimes Shaper::times_of_event() {
  EventTimes out;
  std::optional<TimeUs> sent;
  std::optional<TimeUs> original;
  std::optional<TimeUs> given;
  if (values.facts.of(Member::kSentAt) != Kind::kAbsent) {
    out.has_sent_at = true;
    out.sent_at = values.member(Member::kSentAt);
  } else if (!values.sent_at.text.empty()) {
    out.has_sent_at = true;
    out.sent_at = value_of(values.sent_at);
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
    out.timestamp = values.member(Member::kTimestamp);
    given = read_time(out.timestamp, times);
    out.has_bad_timestamp = !given;
  }
  out.corrected = corrected_time(values.received_at, sent, original, given);
  return out;
}

void RowTimes::add(Taken row) {
  // The stride is a power of two.
  if ((rows++ & (stride - 1)) != 0) return;
  times.push_back(row);
  if (times.size() < kKept) return;
  for (std::size_t i = 0; i < kKept / 2; ++i) times[i] = times[2 * i];
  times.resize(kKept / 2);
  stride *= 2;
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
  selected.emplace_back();
  for (std::size_t i = 0; i < tables.size(); ++i) rows_before[i] = tables[i]->rows();
  held.push_back(std::make_unique<std::string>(std::move(batch.lines)));
  held.push_back(std::make_unique<std::string>(std::move(batch.id)));
  batch_id = *held.back();
  const std::string& lines = *held[held.size() - 2];
  held_bytes += lines.size();
  line_number = 0;
  const char* const end = lines.data() + lines.size();
  const char* checked = lines.data();
  bool is_valid_utf8 = true;
  for (const char* at = lines.data(); at < end;) {
    if (at >= checked) {
      checked = end_of_piece(at, end);
      is_valid_utf8 = is_utf8({at, static_cast<std::size_t>(checked - at)});
    }
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

// Small tables share a file when there are some of them; books count home tables alone, which have
// files of their own.
Status Shaper::stage_tables(Staged& staged) {
  std::vector<std::pair<StagedTable, Table*>> ended;
  for (const auto& table : tables) {
    LEAT_ASSIGN(StagedTable each, table->end_rows());
    if (each.rows == 0) continue;
    const bool is_event_table = table->type() == EventType::kTrack && !has_tracks;
    each.is_home = table->kind() == TableKind::kEvents &&
                   (is_event_table || each.name == home_table_of(table->type()));
    ended.emplace_back(std::move(each), table.get());
  }
  std::ranges::sort(ended, {},
                    [](const auto& each) -> const std::string& { return each.first.name; });
  SharedFileWriter shared;
  const auto may_share = [&](const auto& each) {
    const auto& [table, source] = each;
    return !table.is_home && source->is_small() && shared.takes(table.columns);
  };
  const bool shares = std::ranges::count_if(ended, may_share) > 1;
  for (auto& each : ended) {
    auto& [table, source] = each;
    LEAT_TRY(shares && may_share(each) ? source->share_file(table, shared, staged.tables.size())
                                       : source->write_file(table));
    staged.tables.push_back(std::move(table));
  }
  LEAT_ASSIGN(staged.shared, shared.finish());
  return {};
}

Result<std::optional<Staged>> Shaper::finish() {
  if (is_in_vain) return std::nullopt;
  if (conflict) return std::unexpected(*std::move(conflict));
  Staged staged;
  LEAT_TRY(stage_tables(staged));
  staged.batches = std::move(batches);
  staged.selected = std::move(selected);
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
