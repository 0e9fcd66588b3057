#include "pipeline/shape/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/digest.h"
#include "base/json_compact.h"
#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/line.h"
#include "pipeline/event/merge.h"
#include "pipeline/event/person.h"
#include "pipeline/event/validate.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/names.h"
#include "pipeline/shape/rules.h"

namespace leat::shape {

using columns::Column;
using columns::Type;
using event::EventType;
using event::JsonKind;
using event::JsonValue;
using event::Kind;
using event::Member;

namespace {

Kind kind_of(const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::kNull:
      return Kind::kAbsent;
    case JsonKind::kBoolean:
      return Kind::kBoolean;
    case JsonKind::kNumber:
      return Kind::kNumber;
    case JsonKind::kString:
      return value.text.empty() ? Kind::kEmptyString : Kind::kString;
    case JsonKind::kObject:
      return Kind::kObject;
    case JsonKind::kArray:
      return Kind::kArray;
  }
  return Kind::kAbsent;
}

Column text_column(const char* name) {
  return {.name = name, .type = Type::kVarchar, .length = 512};
}
Column time_column(const char* name) {
  return {.name = name, .type = Type::kTimestamp};
}

/// Columns that every new table of that kind has from the start.
std::map<std::string, Column> standard_columns(const std::string& table, bool is_entity) {
  std::vector<Column> list = {text_column("id"), time_column("received_at")};
  if (table == kRescueTable) return {};
  list.push_back({.name = "uuid", .type = Type::kInt64});
  list.push_back(time_column("uuid_ts"));
  if (!is_entity) {
    for (const auto* name : {"sent_at", "timestamp", "original_timestamp"}) {
      list.push_back(time_column(name));
    }
    list.push_back(text_column("user_id"));
    if (table == "aliases") {
      list.push_back(text_column("previous_id"));
    } else {
      list.push_back(text_column("anonymous_id"));
    }
    if (table == "groups") list.push_back(text_column("group_id"));
    if (table == "pages" || table == "screens") {
      list.push_back(text_column("name"));
      list.push_back(text_column("category"));
    }
    if (table != "identifies" && table != "pages" && table != "screens" && table != "groups" &&
        table != "aliases") {
      list.push_back(text_column("event"));
      list.push_back(text_column("event_text"));
    }
  }
  std::map<std::string, Column> columns;
  for (Column& column : list) columns[column.name] = column;
  return columns;
}

}  // namespace

std::string Reference::home_of(EventType type) {
  static const std::map<EventType, std::string> kHomes = {
      {EventType::kTrack, "tracks"}, {EventType::kIdentify, "identifies"},
      {EventType::kPage, "pages"},   {EventType::kScreen, "screens"},
      {EventType::kGroup, "groups"}, {EventType::kAlias, "aliases"},
      {EventType::kNone, ""}};
  return kHomes.at(type);
}

bool Reference::is_entity_table(const std::string& table) {
  return table == "users" || table == "accounts";
}

Reference::Reference(Options options, const std::vector<KnownTable>& known)
    : options_(std::move(options)), rules_(new_column_rules(options_)) {
  for (const KnownTable& table : known) {
    auto& columns = known_[table.name];
    for (const Column& column : table.columns) columns.emplace(column.name, column);
  }
}

bool Reference::exists(const std::string& table) const {
  return tables_.contains(table) || known_.contains(table);
}

std::map<std::string, Column>& Reference::make_table(const std::string& table) {
  const auto found = tables_.find(table);
  if (found != tables_.end()) return found->second;
  const auto known = known_.find(table);
  return tables_[table] = known != known_.end() ? known->second
                                                : standard_columns(table, is_entity_table(table));
}

const std::map<std::string, Column>& Reference::columns_of(const std::string& table) {
  return make_table(table);
}

void Reference::shape(const std::vector<Batch>& batches) {
  for (const bool is_looking : {true, false}) {
    is_looking_ = is_looking;
    tables_.clear();
    rows_.clear();
    entities_.clear();
    batches_.clear();
    order_ = 0;
    for (const Batch& batch : batches) add(batch);
    add_entities();
  }
}

void Reference::see(const std::string& table, const std::string& column, const Value& value) {
  if (value.kind == ValueKind::kFlawedText) return;
  Seen& seen = seen_[{table, column}];
  if (seen.first == ValueKind::kNever) seen.first = value.kind;
  TimeReader times;
  const auto alone = column_for(value, column, {}, times);
  seen.has_real |= value.kind == ValueKind::kReal;
  seen.has_inexact_integer |=
      value.kind == ValueKind::kInteger && !is_exact_as_double(value.cell.integer);
  seen.has_other_text |= alone->type == Type::kVarchar;
}

std::optional<Column> Reference::make_column(const std::string& table, const std::string& column,
                                             const Value& value) const {
  TimeReader times;
  auto made = column_for(value, column, rules_, times);
  if (!made || rules_.all_text) return made;
  const Seen& seen = seen_.at({table, column});
  if (made->type == Type::kInt64 && seen.has_real && !seen.has_inexact_integer) {
    made->type = Type::kDouble;
  } else if (made->type == Type::kTimestamp && seen.has_other_text) {
    made->type = Type::kVarchar;
    made->length = options_.varchar_length;
  }
  return made;
}

bool Reference::may_make_table() const {
  const auto is_new = [this](const auto& table) { return !known_.contains(table.first); };
  const auto made = static_cast<std::size_t>(std::ranges::count_if(tables_, is_new));
  return known_.size() + made < options_.tables_max;
}

void Reference::add(const Batch& batch) {
  batches_.push_back({.batch_id = batch.id, .rows = {}});
  line_ = 0;
  for (const std::string_view line : split(batch.lines, '\n')) {
    if (line.empty()) continue;
    ++line_;
    add_line(line);
    ++order_;
  }
}

namespace {

/// Values that a row may get from a JSON value; `leaf.text` holds what the cell points to.
template <class Leaf>
void fill_leaf(Leaf& leaf, const JsonValue& json) {
  leaf.value.raw = json.raw.data();
  leaf.value.raw_size = static_cast<std::uint32_t>(json.raw.size());
  leaf.value.node = 0;
  leaf.value.cell = columns::Cell::of_integer(0);
  switch (json.kind) {
    case JsonKind::kBoolean:
      leaf.value.kind = ValueKind::kBoolean;
      leaf.value.cell = columns::Cell::of_integer(json.boolean ? 1 : 0);
      break;
    case JsonKind::kNumber:
      read_number(json.raw, leaf.value);
      break;
    case JsonKind::kString:
      leaf.text = json.text;
      leaf.value.kind = json.flaws.any() ? ValueKind::kFlawedText : ValueKind::kText;
      leaf.value.cell = columns::Cell::of_text(leaf.text);
      break;
    default:
      append_compact_json(leaf.text, json.raw);
      leaf.value.kind = ValueKind::kJson;
      leaf.value.cell = columns::Cell::of_text(leaf.text);
  }
}

template <class Leaves>
void flatten(const JsonValue& object, std::vector<std::string> path, bool whole_objects,
             Leaves& leaves) {
  for (const auto& [name, value] : object.members) {
    path.push_back(name);
    if (value.kind == JsonKind::kObject && !whole_objects) {
      flatten(value, path, false, leaves);
    } else if (value.kind != JsonKind::kNull) {
      auto& leaf = leaves.emplace_back();
      leaf.path = path;
      fill_leaf(leaf, value);
    }
    path.pop_back();
  }
}

/// The rules look at some members of context; as everywhere the last one that is not null counts.
void note_context(const JsonValue& object, const std::string& path, event::EventFacts& facts) {
  for (const auto& [name, value] : object.members) {
    const std::string here = fmt::format("{}/{}", path, name);
    const Kind kind = kind_of(value);
    if (kind == Kind::kAbsent) continue;
    const auto last_slash = here.rfind('/');
    if (here == "/device/advertisingId") facts.advertising_id = kind;
    if (here == "/consent/version") facts.consent_version = kind;
    if (here == "/consent/categoryPreferences") facts.category_preferences = kind;
    if (here.substr(0, last_slash) == "/consent/categoryPreferences" && kind != Kind::kBoolean) {
      facts.category_preferences_all_bool = false;
    }
    if (value.kind == JsonKind::kObject && name.find('/') == std::string::npos) {
      note_context(value, here, facts);
    }
  }
}

std::optional<TimeUs> read_time(std::string_view text) {
  return parse_iso8601(text);
}

template <class Leaf>
std::optional<TimeUs> time_of(Leaf& leaf) {
  if (leaf.value.kind != ValueKind::kText) return std::nullopt;
  const auto time = read_time(leaf.value.cell.as_text());
  if (time) {
    leaf.value.kind = ValueKind::kTime;
    leaf.value.cell = columns::Cell::of_integer(time->value);
  }
  return time;
}

}  // namespace

void Reference::add_line(std::string_view text) {
  BatchCounts& counts = batches_.back();
  ++counts.events;
  Event event;
  const auto line = event::parse_line(text);
  if (!line) return rescue_event(event, kUnreadableLine, text);
  event.received_at = line->received_at;
  event.has_received_at = true;
  event.raw = line->event_json;
  if (event::is_removed(line->rejected)) {
    ++counts.excluded;
    return;
  }
  if (!line->rejected.empty()) return add_rejected(event, *line);
  const auto merged =
      event::merge_batch_members(line->event_json, line->context_json, line->integrations_json);
  const bool is_merged = !line->context_json.empty() || !line->integrations_json.empty();
  const std::string event_text = is_merged ? *merged : std::string(line->event_json);
  const auto json = event::parse_json(event_text);
  const event::EventFacts facts = read_members(event, *line, *json);
  const auto own_id = event.members.find(Member::kMessageId);
  event.uses_own_id =
      own_id != event.members.end() && own_id->second.value.kind == ValueKind::kText &&
      !own_id->second.text.empty() && own_id->second.text.size() <= event::kMessageIdBytesMax;
  event.id = event.uses_own_id ? own_id->second.text : line->message_id;
  if (const std::string_view code = event::validate(facts); !code.empty()) {
    return rescue_event(event, code, event.raw);
  }
  const JsonValue* integrations = json->find("integrations");
  if (integrations != nullptr && is_excluded(integrations->raw, options_.warehouse_id)) {
    ++counts.excluded;
    return;
  }
  if (event.id.empty() || event.id.find('\0') != std::string::npos) {
    return rescue_event(event, kIdMissing, event.raw);
  }
  if (options_.tracking_plan != nullptr) {
    const auto name = event.members.find(Member::kEvent);
    const auto violation = options_.tracking_plan->check(
        event.type, name == event.members.end() ? "" : name->second.text, event_text);
    if (violation) return rescue_event(event, violation->reason, event.raw, violation->detail);
  }
  read_values(event, *line, *json);
  read_times(event, *line);
  add_event(event);
}

void Reference::add_rejected(Event& event, const event::Line& line) {
  const auto json = event::parse_json(line.event_json);
  const JsonValue* own = json ? json->find("messageId") : nullptr;
  event.id = line.message_id;
  if (event.id.empty() && own != nullptr && own->kind == JsonKind::kString && !own->flaws.any() &&
      own->text.size() <= event::kMessageIdBytesMax) {
    event.id = own->text;
  }
  rescue_event(event, line.rejected, line.event_json);
}

event::EventFacts Reference::read_members(Event& event, const event::Line& line,
                                          const JsonValue& json) {
  event::EventFacts facts;
  facts.is_object = json.kind == JsonKind::kObject;
  event.type = event::event_type_of(line.type);
  for (const auto& [name, value] : json.members) {
    const Member member = event::member_named(name);
    if (member == Member::kOther) continue;
    facts.has_duplicate_member |=
        std::ranges::count(json.members, name, &event::JsonMember::name) > 1;
    facts.set(member, kind_of(value));
    if (value.kind == JsonKind::kNull) continue;
    fill_leaf(event.members[member], value);
    const bool is_text = value.kind == JsonKind::kString && !value.flaws.any();
    if (member == Member::kType && line.type.empty() && is_text) {
      event.type = event::event_type_of(value.text);
    }
    if (member != Member::kContext) continue;
    if (value.kind == JsonKind::kObject) {
      flatten(value, {}, false, event.context);
      note_context(value, "", facts);
    } else {
      fill_leaf(event.context.emplace_back(), value);
    }
  }
  facts.type = event.type;
  facts.is_consent_event = facts.type == EventType::kTrack &&
                           facts.of(Member::kEvent) == Kind::kString &&
                           event.members[Member::kEvent].text == event::kConsentEvent;
  return facts;
}

/// Properties or traits, and the address of the connection where context has none.
void Reference::read_values(Event& event, const event::Line& line, const JsonValue& json) {
  const bool has_properties = event.type == EventType::kTrack || event.type == EventType::kPage ||
                              event.type == EventType::kScreen;
  const JsonValue* own = json.find(has_properties ? "properties" : "traits");
  if (own != nullptr && own->kind == JsonKind::kObject) {
    flatten(*own, {}, options_.objects != Nested::kFlatten, event.own);
  }
  const JsonValue* context = json.find("context");
  const bool has_ip =
      context != nullptr && std::ranges::any_of(context->members, [](const auto& m) {
        return m.name == "ip" && m.value.kind != JsonKind::kNull;
      });
  if (line.ip.empty() || has_ip) return;
  Leaf& leaf = event.context.emplace_back();
  leaf.path = {"ip"};
  leaf.text = line.ip;
  event.ip_json = json_string(line.ip);
  leaf.value = make_value(ValueKind::kText, columns::Cell::of_text(leaf.text), event.ip_json);
}

void Reference::read_times(Event& event, const event::Line& line) {
  std::optional<TimeUs> sent;
  std::optional<TimeUs> original;
  std::optional<TimeUs> given;
  // Copies of a leaf point into the text of the original, which stays where it is.
  if (event.members.contains(Member::kSentAt)) {
    event.sent_at = event.members[Member::kSentAt];
  } else if (!line.sent_at.empty()) {
    event.sent_json = json_string(line.sent_at);
    event.sent_at =
        Leaf{{},
             make_value(ValueKind::kText, columns::Cell::of_text(line.sent_at), event.sent_json),
             ""};
  }
  if (event.sent_at) sent = time_of(*event.sent_at);
  const bool has_original = event.members.contains(Member::kOriginalTimestamp);
  const bool has_timestamp = event.members.contains(Member::kTimestamp);
  if (has_original || has_timestamp) {
    event.original = event.members[has_original ? Member::kOriginalTimestamp : Member::kTimestamp];
    original = time_of(*event.original);
  }
  if (has_original && has_timestamp) {
    Leaf copy = event.members[Member::kTimestamp];
    given = time_of(copy);
    if (!given) event.bad_timestamp = event.members[Member::kTimestamp];
  }
  event.corrected = corrected_time(event.received_at, sent, original, given);
}

void Reference::add_event(Event& event) {
  const std::string home = home_of(event.type);
  const auto id_fits = [&](const std::string& table, const std::string& id) {
    auto& columns = make_table(table);
    const auto column = columns.find("id");
    return column == columns.end() ||
           (column->second.type == Type::kVarchar && id.size() <= column->second.length);
  };
  std::string second;
  std::string second_id = event.id;
  make_table(home);
  if (event.type == EventType::kTrack) {
    event.event_table = event_table_of(event.members[Member::kEvent].text, options_.taken_tables);
    event.has_own_table = exists(event.event_table) || may_make_table();
    if (event.has_own_table) second = event.event_table;
  } else if (event.type == EventType::kIdentify || event.type == EventType::kGroup) {
    const bool is_group = event.type == EventType::kGroup;
    const auto key = event.members.find(is_group ? Member::kGroupId : Member::kUserId);
    if (key != event.members.end() && key->second.value.kind == ValueKind::kText) {
      second = is_group ? "accounts" : "users";
      second_id = key->second.text;
    }
  }
  if (!second.empty()) make_table(second);
  const bool second_fits = second.empty() || id_fits(second, second_id);
  if (!id_fits(home, event.id) || (!second_fits && !is_entity_table(second))) {
    return rescue_event(event, kIdDoesNotFit, event.raw);
  }
  if (!second_fits) second.clear();
  ++batches_.back().with_rows;
  add_row(home, event.id, event);
  if (!second.empty()) add_row(second, second_id, event);
}

}  // namespace leat::shape
