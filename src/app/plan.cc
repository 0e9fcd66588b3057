#include "app/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/config_keys.h"
#include "app/table_text.h"
#include "base/text.h"
#include "pipeline/event/event_parser.h"
#include "pipeline/event/line.h"
#include "pipeline/event/validate.h"

namespace leat::app {
namespace {

constexpr std::uint64_t kBlockBytes = 1ULL << 20;
constexpr std::uint64_t kHiddenColumns = 3;  // insert, delete and row identity
constexpr std::size_t kDetailBytesMax = 80;
constexpr std::uint64_t kGigabyte = 1'000'000'000;

struct NodeType {
  std::string_view name;
  std::uint64_t slices;
  std::uint64_t bytes;
  std::uint64_t nodes_max;
};

// Of the DC1 and DS2 that the guides name, these are the successors.
constexpr std::array kNodeTypes = {
    NodeType{"dc2.large", 2, 160 * kGigabyte, 32},
    NodeType{"dc2.8xlarge", 16, 2'560 * kGigabyte, 128},
    NodeType{"ra3.xlplus", 2, 32'000 * kGigabyte, 32},
    NodeType{"ra3.4xlarge", 4, 128'000 * kGigabyte, 64},
};

constexpr std::array kNodeTypeNames = {kNodeTypes[0].name, kNodeTypes[1].name, kNodeTypes[2].name,
                                       kNodeTypes[3].name};

std::uint64_t floor_bytes(const PlannedTable& table, std::uint64_t slices) {
  return (table.columns.size() + kHiddenColumns) * slices * kBlockBytes;
}

std::uint64_t row_bytes(const PlannedTable& table, double growth) {
  return static_cast<std::uint64_t>(static_cast<double>(table.staged_bytes) * growth);
}

std::uint64_t stored_bytes(const std::vector<PlannedTable>& tables, double growth,
                           std::uint64_t slices) {
  std::uint64_t out = 0;
  for (const PlannedTable& table : tables) {
    out += std::max(row_bytes(table, growth), floor_bytes(table, slices));
  }
  return out;
}

PlannedCluster cluster_of(const NodeType& type, std::uint64_t nodes,
                          const std::vector<PlannedTable>& tables, double growth) {
  return {.node_type = type.name,
          .nodes = nodes,
          .bytes = stored_bytes(tables, growth, nodes * type.slices),
          .capacity_bytes = nodes * type.bytes};
}

PlannedCluster plan_cluster(const NodeType& type, const std::vector<PlannedTable>& tables,
                            double growth) {
  PlannedCluster out{.node_type = type.name};
  for (std::uint64_t nodes = 1; nodes <= type.nodes_max; ++nodes) {
    out = cluster_of(type, nodes, tables, growth);
    if (full_share(out) <= kFullShare) return out;
  }
  out.nodes = 0;
  return out;
}

std::string count_of(std::uint64_t count) {
  return count_text(static_cast<std::int64_t>(count));
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string reason_of(simdjson::error_code error, const collect::Limits& limits) {
  if (error == simdjson::CAPACITY) {
    return fmt::format("longer than the {} bytes that the collector takes",
                       count_of(limits.body_bytes_max));
  }
  if (error == simdjson::DEPTH_ERROR) {
    return fmt::format("nested deeper than the {} levels that the collector takes",
                       limits.depth_max);
  }
  // Parsers' messages are sentences with a hint in brackets.
  std::string_view why = simdjson::error_message(error);
  why = why.substr(0, why.find_first_of(".:(["));
  return fmt::format("no JSON: {}", trim(why));
}

// Takes, refuses and rejects what the collector would, as items of batches.
class EventLines {
 public:
  EventLines(std::string_view source, TimeUs received_at, const collect::Limits& limits)
      : limits_(limits), parser_(limits_.body_bytes_max, limits_.depth_max) {
    writer_.begin_request({.received_at = received_at, .source = source});
  }

  // Appends the line of one event; says what is wrong when it is none.
  std::optional<std::string> append(std::string_view text, std::uint64_t number, std::string& out) {
    padded_.assign(text).append(event::kJsonPadding, ' ');
    simdjson::dom::element root;
    if (const auto error = parser_.parse({padded_.data(), text.size()}, root)) {
      return reason_of(error, limits_);
    }
    const bool needs_id = root.is_object() && event::needs_message_id(root);
    const std::string id = needs_id ? fmt::format("planned-{}", number) : "";
    const std::string_view rejected = text.size() > limits_.event_bytes_max
                                          ? event::kPayloadLimit
                                          : event::validate(event::EventType::kNone, root);
    writer_.append(out, {.message_id = id, .rejected = rejected, .event_json = text});
    return std::nullopt;
  }

 private:
  const collect::Limits limits_;
  event::EventParser parser_;
  event::LineWriter writer_;
  std::string padded_;
};

void append_clusters(std::string& out, const Plan& plan) {
  TableText table{.columns = {"node type", "nodes", "stored", "room", "full"},
                  .numeric = {false, true, true, true, true},
                  .rows = {}};
  for (const PlannedCluster& cluster : plan.clusters) {
    table.rows.push_back({std::string(cluster.node_type),
                          cluster.nodes == 0 ? "too many" : count_of(cluster.nodes),
                          size_text(cluster.bytes), size_text(cluster.capacity_bytes),
                          fmt::format("{:.0f} %", 100 * full_share(cluster))});
  }
  out += fmt::format("\n{} events stored; the smallest clusters that stay below {:.0f} % full:\n\n",
                     count_of(plan.events_stored), 100 * kFullShare);
  out += app::to_text(table);
}

void append_bad_lines(std::string& out, const Plan& plan) {
  if (plan.bad.count == 0) return;
  out += fmt::format("{} of {} lines are left out:\n", count_of(plan.bad.count),
                     count_of(plan.events + plan.bad.count));
  for (const BadLine& bad : plan.bad.first) {
    out += fmt::format("  {}:{}: {}\n", bad.input, bad.line, bad.why);
  }
  if (plan.bad.count > plan.bad.first.size()) out += "  ...\n";
  out += '\n';
}

std::string bad_lines_json(const Plan& plan) {
  std::string out = "[";
  for (const BadLine& bad : plan.bad.first) {
    if (&bad != plan.bad.first.data()) out += ',';
    out += fmt::format(R"({{"input":{},"line":{},"why":{}}})", json_string(bad.input), bad.line,
                       json_string(bad.why));
  }
  return out + "]";
}

void append_rescues(std::string& out, const Plan& plan) {
  if (plan.rescues.empty()) return;
  TableText table{.columns = {"table", "column", "rescued for", "count", "first event", "detail"},
                  .numeric = {false, false, false, true, false, false},
                  .rows = {}};
  for (const PlannedRescue& rescue : plan.rescues) {
    table.rows.push_back({rescue.table, rescue.column.empty() ? "(event)" : rescue.column,
                          rescue.reason, count_of(rescue.count),
                          fmt::format("{} ({} of {})", rescue.event_id, rescue.line, rescue.input),
                          std::string(utf8_prefix(rescue.detail, kDetailBytesMax))});
  }
  out += "\n" + app::to_text(table);
}

std::string rescues_json(const Plan& plan) {
  std::string out = "[";
  for (const PlannedRescue& rescue : plan.rescues) {
    if (&rescue != plan.rescues.data()) out += ',';
    out += fmt::format(
        R"({{"table":{},"column":{},"reason":{},"count":{},"event_id":{},"input":{},"line":{},)"
        R"("detail":{}}})",
        json_string(rescue.table), json_string(rescue.column), json_string(rescue.reason),
        rescue.count, json_string(rescue.event_id), json_string(rescue.input),
        rescue.line.empty() ? "null" : rescue.line, json_string(rescue.detail));
  }
  return out + "]";
}

std::string cluster_json(const PlannedCluster& cluster) {
  return fmt::format(
      R"({{"node_type":{},"nodes":{},"stored_bytes":{},"capacity_bytes":{},"full":{:.4f}}})",
      json_string(cluster.node_type), cluster.nodes == 0 ? "null" : fmt::to_string(cluster.nodes),
      cluster.bytes, cluster.capacity_bytes, full_share(cluster));
}

void append_columns(std::string& out, const Plan& plan) {
  TableText table{.columns = {"table", "column", "type"}, .numeric = {}, .rows = {}};
  for (const PlannedTable& planned : plan.tables) {
    for (const columns::Column& column : planned.columns) {
      table.rows.push_back({planned.name, column.name, columns::sql_type(column)});
    }
  }
  out += "\n" + app::to_text(table);
}

}  // namespace

std::span<const std::string_view> planned_node_types() {
  return kNodeTypeNames;
}

double full_share(const PlannedCluster& cluster) {
  return static_cast<double>(cluster.bytes) /
         static_cast<double>(std::max<std::uint64_t>(cluster.capacity_bytes, 1));
}

void RescueReasons::row(std::string_view table,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  if (table != shape::kRescueTable) return;
  const auto value_of = [&](std::string_view name) {
    const auto found = std::ranges::find(values, name, &std::pair<std::string, std::string>::first);
    return found == values.end() ? std::string() : found->second;
  };
  // A long value is in several rows.
  if (value_of("part") != "1") return;
  PlannedRescue& rescue =
      reasons_[{value_of("table_name"), value_of("column_name"), value_of("reason")}];
  if (rescue.count++ > 0) return;
  rescue.table = value_of("table_name");
  rescue.column = value_of("column_name");
  rescue.reason = value_of("reason");
  rescue.event_id = value_of("event_id");
  rescue.input = value_of("batch_id");
  rescue.line = value_of("line");
  rescue.detail = value_of("detail");
}

std::vector<PlannedRescue> RescueReasons::take() {
  std::vector<PlannedRescue> out;
  for (auto& [key, rescue] : reasons_) out.push_back(std::move(rescue));
  reasons_.clear();
  std::ranges::stable_sort(out, std::greater(), &PlannedRescue::count);
  return out;
}

void BadLines::add(BadLine bad) {
  ++count;
  if (first.size() < kShown) first.push_back(std::move(bad));
}

PlannedLines read_planned_lines(std::string_view text, std::string_view source, TimeUs received_at,
                                const collect::Limits& limits) {
  PlannedLines out;
  EventLines writer(source, received_at, limits);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::uint64_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string_view event = trim(line);
    if (event.empty()) continue;
    if (event.starts_with(R"({"received_at":)") && event::parse_line(event)) {
      out.lines.append(event) += '\n';
    } else if (auto why = writer.append(event, number, out.lines)) {
      out.bad.add({.input = {}, .line = number, .why = std::move(*why)});
      continue;
    }
    ++out.events;
  }
  return out;
}

Plan make_plan(const shape::Staged& staged, const PlanOptions& options) {
  Plan plan;
  for (const shape::BatchCounts& batch : staged.batches) {
    plan.events += batch.events;
    plan.rescued_events += batch.rescued_events;
    plan.rescued_values += batch.rescued_values;
    plan.excluded += batch.excluded;
  }
  const std::uint64_t per_month =
      options.events_per_month == 0 ? plan.events : options.events_per_month;
  plan.events_stored = per_month * options.months;
  const double growth = static_cast<double>(plan.events_stored) /
                        static_cast<double>(std::max<std::uint64_t>(plan.events, 1));
  for (const shape::StagedTable& table : staged.tables) {
    PlannedTable& planned = plan.tables.emplace_back();
    planned.name = table.name;
    planned.rows = table.rows;
    planned.staged_bytes = table.parquet.size();
    for (const shape::StagedColumn& column : table.columns) {
      // The stage table's own two columns.
      if (column.column.name == "leat_batch" || column.column.name == "leat_order") continue;
      planned.columns.push_back(column.column);
    }
    planned.warehouse_bytes = std::max(row_bytes(planned, growth), floor_bytes(planned, 2));
  }
  for (const NodeType& type : kNodeTypes) {
    plan.clusters.push_back(plan_cluster(type, plan.tables, growth));
  }
  const auto own = std::ranges::find(kNodeTypes, options.node_type, &NodeType::name);
  if (own != kNodeTypes.end()) plan.own = cluster_of(*own, options.nodes, plan.tables, growth);
  std::ranges::stable_sort(plan.tables, std::greater(), &PlannedTable::warehouse_bytes);
  return plan;
}

std::string to_text(const Plan& plan, bool with_columns) {
  TableText table{.columns = {"table", "rows", "columns", "staged", "stored"},
                  .numeric = {false, true, true, true, true},
                  .rows = {}};
  for (const PlannedTable& planned : plan.tables) {
    table.rows.push_back({planned.name, count_of(planned.rows), count_of(planned.columns.size()),
                          size_text(planned.staged_bytes), size_text(planned.warehouse_bytes)});
  }
  std::string out = fmt::format(
      "{} events give {} tables; {} events and {} single values rescued, {} excluded\n\n",
      count_of(plan.events), plan.tables.size(), count_of(plan.rescued_events),
      count_of(plan.rescued_values), count_of(plan.excluded));
  append_bad_lines(out, plan);
  out += app::to_text(table);
  append_rescues(out, plan);
  append_clusters(out, plan);
  if (with_columns) append_columns(out, plan);
  return out;
}

std::string to_json(const Plan& plan) {
  std::string out = fmt::format(
      R"({{"events":{},"rescued_events":{},"rescued_values":{},"excluded":{},)"
      R"("events_stored":{},"tables":[)",
      plan.events, plan.rescued_events, plan.rescued_values, plan.excluded, plan.events_stored);
  for (const PlannedTable& table : plan.tables) {
    if (&table != plan.tables.data()) out += ',';
    out +=
        fmt::format(R"({{"name":{},"rows":{},"staged_bytes":{},"warehouse_bytes":{},"columns":[)",
                    json_string(table.name), table.rows, table.staged_bytes, table.warehouse_bytes);
    for (const columns::Column& column : table.columns) {
      if (&column != table.columns.data()) out += ',';
      out += fmt::format(R"({{"name":{},"type":{}}})", json_string(column.name),
                         json_string(columns::sql_type(column)));
    }
    out += "]}";
  }
  out += "],\"clusters\":[";
  for (const PlannedCluster& cluster : plan.clusters) {
    if (&cluster != plan.clusters.data()) out += ',';
    out += cluster_json(cluster);
  }
  return out +
         fmt::format(R"(],"own_cluster":{},"rescues":{},"lines_left_out":{},"first_left_out":{}}})",
                     plan.own ? cluster_json(*plan.own) : "null", rescues_json(plan),
                     plan.bad.count, bad_lines_json(plan)) +
         "\n";
}

}  // namespace leat::app
