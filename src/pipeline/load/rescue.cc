#include "pipeline/load/rescue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/replay_sql.h"
#include "pipeline/load/rows.h"

namespace leat::load {
namespace {

constexpr std::int64_t kRescueTimeoutMs = 60'000;
constexpr int kValuesMax = 10'000;

// Empty for NULL.
std::string iso_time_at(const Row& row, std::size_t column) {
  const auto time = parse_iso8601(text_at(row, column));
  return time ? format_iso8601(*time) : "";
}

RescueGroup group_of(const std::string& source, const Row& row) {
  return RescueGroup{.source = source,
                     .table = text_at(row, 0),
                     .column = text_at(row, 1),
                     .reason = text_at(row, 2),
                     .values = number_at(row, 3),
                     .events = number_at(row, 4),
                     .first_received_at = iso_time_at(row, 5),
                     .last_received_at = iso_time_at(row, 6)};
}

RescuedValue value_of(const std::string& source, const Row& row) {
  return RescuedValue{.source = source,
                      .id = text_at(row, 0),
                      .received_at = iso_time_at(row, 1),
                      .event_id = text_at(row, 2),
                      .table = text_at(row, 3),
                      .column = text_at(row, 4),
                      .reason = text_at(row, 5),
                      .value = text_at(row, 6),
                      .encoding = text_at(row, 8),
                      .batch_id = text_at(row, 9),
                      .line = number_at(row, 10)};
}

// Rows of one value follow each other, in the order of their parts.
void add_values(const std::string& source, const Rows& rows, std::vector<RescuedValue>& out) {
  for (const Row& row : rows.rows) {
    RescuedValue value = value_of(source, row);
    const bool continues = number_at(row, 7) > 1 && !out.empty() &&
                           out.back().batch_id == value.batch_id && out.back().line == value.line &&
                           out.back().table == value.table && out.back().column == value.column;
    if (continues) {
      out.back().value += value.value;
    } else {
      out.push_back(std::move(value));
    }
  }
}

template <class List, class Function>
std::string json_list(const List& list, Function to_text) {
  std::string out = "[";
  for (const auto& entry : list) {
    if (out.size() > 1) out += ',';
    out += to_text(entry);
  }
  return out + "]";
}

std::string optional_text(const std::string& text) {
  return text.empty() ? "null" : json_string(text);
}

}  // namespace

std::string rescue_groups_sql(std::string_view schema, const RescueFilter& filter) {
  return fmt::format(
      R"(SELECT "table_name", "column_name", "reason", count(*), )"
      R"(count(DISTINCT "batch_id" || '#' || CAST("line" AS varchar(20))), min("received_at"), )"
      R"(max("received_at") FROM {} WHERE "part" = 1{} GROUP BY 1, 2, 3 )"
      R"(ORDER BY 4 DESC, 1, 2, 3)",
      qualified(schema, "leat_rescue"), rescue_conditions(filter, ""));
}

std::string rescue_values_sql(std::string_view schema, const RescueFilter& filter, int limit) {
  return fmt::format(
      R"(SELECT "id", "received_at", "event_id", "table_name", "column_name", "reason", "value", )"
      R"("part", "encoding", "batch_id", "line" FROM {} WHERE "line" > 0{} ORDER BY )"
      R"("received_at" DESC, "batch_id" DESC, "line" DESC, "table_name", "column_name", "part" )"
      R"(LIMIT {})",
      qualified(schema, "leat_rescue"), rescue_conditions(filter, ""), limit);
}

Result<Rescued> read_rescued(const DestinationSettings& settings, const Connect& connect,
                             const std::vector<SourceSettings>& sources, const RescueQuery& query,
                             std::stop_token stop) {
  if (query.values_max < 0 || query.values_max > kValuesMax) {
    return fail(Errc::kInvalid, fmt::format("cannot show {} rescued values; allowed: 0 to {}",
                                            query.values_max, kValuesMax));
  }
  constexpr std::string_view kAction = "reading the rescue table";
  auto connection = connect(within(settings, kRescueTimeoutMs), stop);
  if (!connection) return std::unexpected(describe_failure(connection.error(), kAction, settings));
  Rescued rescued;
  for (const SourceSettings& source : sources) {
    const auto groups = (*connection)->run(rescue_groups_sql(source.schema, query.filter), stop);
    if (!groups) {
      if (groups.error().kind == FailureKind::kObjectMissing) continue;
      return std::unexpected(describe_failure(groups.error(), kAction, settings));
    }
    for (const Row& row : groups->rows) rescued.groups.push_back(group_of(source.name, row));
    const int left = query.values_max - static_cast<int>(rescued.values.size());
    if (left <= 0) continue;
    const auto values =
        (*connection)->run(rescue_values_sql(source.schema, query.filter, left), stop);
    if (!values) return std::unexpected(describe_failure(values.error(), kAction, settings));
    add_values(source.name, *values, rescued.values);
  }
  std::ranges::stable_sort(rescued.groups, std::ranges::greater(), &RescueGroup::values);
  return rescued;
}

std::string to_json(const Rescued& rescued) {
  const auto group_json = [](const RescueGroup& group) {
    return fmt::format(
        R"({{"source":{},"table":{},"column":{},"reason":{},"values":{},"events":{},)"
        R"("first_received_at":{},"last_received_at":{}}})",
        json_string(group.source), optional_text(group.table), optional_text(group.column),
        json_string(group.reason), group.values, group.events,
        optional_text(group.first_received_at), optional_text(group.last_received_at));
  };
  const auto value_json = [](const RescuedValue& value) {
    return fmt::format(
        R"({{"source":{},"id":{},"received_at":{},"event_id":{},"table":{},"column":{},)"
        R"("reason":{},"value":{},"encoding":{},"batch_id":{},"line":{}}})",
        json_string(value.source), json_string(value.id), optional_text(value.received_at),
        optional_text(value.event_id), optional_text(value.table), optional_text(value.column),
        json_string(value.reason), json_string(value.value), json_string(value.encoding),
        json_string(value.batch_id), value.line);
  };
  return fmt::format(R"({{"groups":{},"values":{}}})", json_list(rescued.groups, group_json),
                     json_list(rescued.values, value_json));
}

}  // namespace leat::load
