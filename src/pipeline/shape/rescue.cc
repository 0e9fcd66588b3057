// What fits nowhere: rows of leat_rescue, and the error of a conflict that stops the sync.
#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/shape/shaping.h"

namespace leat::shape {

using columns::Cell;

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
    return rescue({.table = table.name(),
                   .column = arena.copy(column),
                   .reason = reason,
                   .value = arena.copy(text),
                   .detail = {}});
  }
  rescue({.table = table.name(),
          .column = arena.copy(column),
          .reason = reason,
          .value = value.raw_text(),
          .detail = {}});
}

Status Shaper::rescue_event(std::string_view reason, std::string_view value,
                            std::string_view detail) {
  ++counts->rescued_events;
  // What brings no row brings no value for a column either.
  if (!is_selected || !options.selection.column.empty()) return {};
  ++selected.back().rescued;
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
  rescue({.table = has_received_at ? home_table_of(values.facts.type) : "",
          .column = {},
          .reason = arena.copy(reason),
          .value = value,
          .detail = arena.copy(detail)});
  return {};
}

void Shaper::rescue(Rescued what) {
  if (!is_utf8(what.value) || what.value.find('\0') != std::string_view::npos) {
    what.encoding = "base64";
    what.value = arena.copy(to_base64(what.value));
  }
  std::uint64_t part = 1;
  std::string_view rest = what.value;
  do {
    const std::string_view piece = utf8_prefix(rest, kRescuePartBytes);
    rescue_part(what, piece, part++);
    rest.remove_prefix(piece.size());
  } while (!rest.empty());
}

void Shaper::rescue_part(const Rescued& what, std::string_view piece, std::uint64_t part) {
  using enum StandardColumn;
  Table& to = *table(kRescueTable, TableKind::kRescue, event::EventType::kNone);
  const std::string key = rescue_id({.event_id = id,
                                     .batch_id = batch_id,
                                     .line = line_number,
                                     .table = what.table,
                                     .column = what.column,
                                     .value = what.value,
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
  put_text(kTableName, what.table);
  put_text(kColumnName, what.column);
  put_text(kReason, what.reason);
  put_text(kValue, piece);
  put_number(kPart, part);
  put_text(kEncoding, what.encoding);
  put_text(kBatchId, batch_id);
  put_number(kLine, line_number);
  put_text(kDetail, what.detail);
  put_number(kLeatBatch, batches.size() - 1);
  put_number(kLeatOrder, static_cast<std::uint64_t>(order));
  if (failure) failure = to.end_row();
}

/// The sync fails with the first conflict, when nothing asks for another pass.
void Shaper::note_conflict(const Table& table, int index, std::string_view reason) {
  if (conflict) return;
  const columns::Column& column = table.column(index);
  conflict = Error{
      Errc::kInvalid,
      fmt::format("a value of event {} does not fit column {}.{} ({}): {} (line {} of batch {}); "
                  "the conflict policy of this column is fail, so nothing of this load was "
                  "written and its events wait in the archive; alter the column so that the value "
                  "fits, or choose rescue, widen or super for it (destination.conflicts, "
                  "destination.column_conflicts)",
                  id, table.name(), column.name, columns::sql_type(column), reason, line_number,
                  batch_id)};
}

}  // namespace leat::shape
