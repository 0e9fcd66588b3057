#include "pipeline/load/replay_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_members.h"
#include "base/text.h"
#include "pipeline/load/load_sql.h"

namespace leat::load {
namespace {

using OrderedJson = nlohmann::ordered_json;

}  // namespace

std::string ReplaySelection::to_json() const {
  OrderedJson out = {{"source", source}};
  const auto put = [](OrderedJson& object, const char* member, const std::string& text) {
    if (!text.empty()) object[member] = text;
  };
  if (from) out["from"] = format_iso8601(*from);
  if (to) out["to"] = format_iso8601(*to);
  put(out, "event", event);
  put(out, "table", table);
  put(out, "column", column);
  if (rescue) {
    OrderedJson filter = OrderedJson::object();
    put(filter, "table", rescue->table);
    put(filter, "column", rescue->column);
    put(filter, "reason", rescue->reason);
    put(filter, "event_id", rescue->event_id);
    put(filter, "id", rescue->id);
    out["rescue"] = filter;
  }
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<ReplaySelection> ReplaySelection::parse(std::string_view json) {
  const OrderedJson object = OrderedJson::parse(json, nullptr, false);
  if (!object.is_object()) return fail(Errc::kCorrupt, "the replay's selection is no JSON object");
  ReplaySelection out;
  out.source = member_text(object, "source");
  out.from = parse_iso8601(member_text(object, "from"));
  out.to = parse_iso8601(member_text(object, "to"));
  out.event = member_text(object, "event");
  out.table = member_text(object, "table");
  out.column = member_text(object, "column");
  if (const auto filter = object.find("rescue"); filter != object.end() && filter->is_object()) {
    out.rescue = RescueFilter{.table = member_text(*filter, "table"),
                              .column = member_text(*filter, "column"),
                              .reason = member_text(*filter, "reason"),
                              .event_id = member_text(*filter, "event_id"),
                              .id = member_text(*filter, "id")};
  }
  return out;
}

std::string to_json(const ReplayState& state) {
  const auto texts = [](const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& text : list) {
      if (out.size() > 1) out += ',';
      out += json_string(text);
    }
    return out + "]";
  };
  return fmt::format(
      R"({{"replay_id":{},"source":{},"selection":{},"status":{},"dry_run":{},"resumed":{},)"
      R"("batches_total":{},"batches_done":{},"position":{},"events":{},"values_rescued":{},)"
      R"("rescue_rows_removed":{},"table_rows":{},"tables_created":{},"columns_added":{},)"
      R"("started_at":{},"updated_at":{}}})",
      json_string(state.replay_id), json_string(state.source), state.selection,
      json_string(state.status), state.is_dry, state.is_resumed, state.batches_total,
      state.batches_done, json_string(state.position), to_json(state.events), state.values_rescued,
      state.rescue_rows_removed, table_rows_json(state.table_rows), texts(state.tables_created),
      texts(state.columns_added), json_string(format_iso8601(state.started_at)),
      json_string(format_iso8601(state.updated_at)));
}

BatchBooks books_after_replay(const BatchBooks& before, const BatchBooks& now,
                              const ReplayCounts& counts) {
  BatchBooks after = before;
  EventCounts& events = after.events;
  std::int64_t brought_in = 0;
  if (counts.is_whole) {
    const std::int64_t out_before = events.rescued + events.excluded;
    const std::int64_t out_now = now.events.rescued + now.events.excluded;
    if (out_now <= out_before) {
      events.rescued = now.events.rescued;
      events.excluded = now.events.excluded;
      brought_in = out_before - out_now;
    }
    after.values_rescued = now.values_rescued;
    after.table_rows = now.table_rows;
  } else {
    // What was rescued is told by leat_rescue; of the other new ids, as many were excluded as the
    // rules exclude fewer of the batch now.
    const std::int64_t from_rescued = std::min(counts.resolved_events, events.rescued);
    const std::int64_t others =
        std::max<std::int64_t>(counts.staged - counts.known - from_rescued, 0);
    const std::int64_t from_excluded =
        std::min(others, std::max<std::int64_t>(events.excluded - now.events.excluded, 0));
    events.rescued -= from_rescued;
    events.excluded -= from_excluded;
    brought_in = from_rescued + from_excluded;
    after.values_rescued =
        std::max<std::int64_t>(before.values_rescued - counts.resolved_values, 0) +
        now.values_rescued;
  }
  const std::int64_t loaded = std::min(counts.added, brought_in);
  events.loaded += loaded;
  events.deduplicated += brought_in - loaded;
  return after;
}

}  // namespace leat::load
