// `leat history`, `leat pause` and `leat resume`: what syncs did, and whether they go on.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console_client.h"
#include "app/json_members.h"
#include "app/table_text.h"
#include "base/text.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownBytes = 120;  // of an error in the table; --json has all of it

std::string seconds_of(const Json& report) {
  const auto started = parse_iso8601(text_at(report, "started_at"));
  const auto finished = parse_iso8601(text_at(report, "finished_at"));
  if (!started || !finished) return "-";
  return fmt::format("{:.1f}", static_cast<double>(finished->value - started->value) / 1e6);
}

// What changed in the warehouse, or why it failed.
std::string remark(const Json& entry) {
  const Json report = object_at(entry, "report");
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (const std::size_t tables = list_at(report, "tables_created").size(); tables > 0) {
    add(fmt::format("{} new tables", tables));
  }
  if (const std::size_t columns = list_at(report, "columns_added").size(); columns > 0) {
    add(fmt::format("{} new columns", columns));
  }
  const std::string error = text_at(entry, "error");
  if (error.empty()) return out;
  if (number_at(entry, "times") > 1) {
    add(fmt::format("{} times since {}", count_text(number_at(entry, "times")),
                    text_at(entry, "first_started_at")));
  }
  const std::string_view shown = utf8_prefix(error, kShownBytes);
  add(fmt::format("{}: {}{}", text_at(entry, "error_kind"), shown,
                  shown.size() < error.size() ? "..." : ""));
  return out;
}

std::string syncs_table(const Json& syncs) {
  TableText table;
  table.columns = {"started", "source",  "outcome",      "seconds", "batches", "events",
                   "loaded",  "rescued", "staged bytes", "tables",  "remark"};
  table.numeric = {false, false, false, true, true, true, true, true, true, true, false};
  for (const Json& entry : syncs) {
    const Json report = object_at(entry, "report");
    const Json events = object_at(report, "events");
    const auto tables = static_cast<std::int64_t>(object_at(report, "table_rows").size());
    table.rows.push_back(
        {text_at(report, "started_at"), text_at(report, "source"), text_at(entry, "outcome"),
         seconds_of(report), count_text(number_at(report, "batches")),
         count_text(number_at(events, "received")), count_text(number_at(events, "loaded")),
         count_text(number_at(events, "rescued")), count_text(number_at(report, "staged_bytes")),
         count_text(tables), remark(entry)});
  }
  return to_text(table);
}

std::string rows_table(const Json& syncs) {
  TableText table;
  table.columns = {"started", "source", "sync", "table", "rows"};
  table.numeric = {false, false, false, false, true};
  for (const Json& entry : syncs) {
    const Json report = object_at(entry, "report");
    const Json tables = object_at(report, "table_rows");
    for (const auto& [name, rows] : tables.items()) {
      table.rows.push_back({text_at(report, "started_at"), text_at(report, "source"),
                            text_at(report, "sync_id"), name,
                            count_text(rows.is_number_integer() ? rows.get<std::int64_t>() : 0)});
    }
  }
  return to_text(table);
}

std::string pause_line(const Json& source) {
  const std::string name = text_at(source, "name");
  const std::string since = text_at(source, "paused_since");
  if (since.empty()) return fmt::format("{}: syncs go on\n", name);
  const bool runs = source.contains("running") && source["running"] == true;
  return fmt::format("{}: paused since {}{}\n", name, since,
                     runs ? "; the sync that runs has not ended yet" : "");
}

}  // namespace

Exit run_history(const Terminal& terminal, const HistoryOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto answer =
      ask_console(config->data, {.path = fmt::format("/api/history?limit={}{}", options.limit,
                                                     query_part("source", options.source))});
  if (!answer) return report(terminal, answer.error());
  const Json syncs = list_at(*answer, "syncs");
  if (options.json) {
    terminal.print(answer->dump() + "\n");
  } else if (syncs.empty()) {
    terminal.print("no sync has loaded anything yet, and none has failed\n");
  } else {
    terminal.print(options.tables ? rows_table(syncs) : syncs_table(syncs));
  }
  return Exit::kOk;
}

Exit run_pause(const Terminal& terminal, const PauseOptions& options, bool pauses) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const std::string part = query_part("source", options.source);
  const std::string path = fmt::format("/api/{}{}", pauses ? "pause" : "resume",
                                       part.empty() ? "" : "?" + part.substr(1));
  const auto answer =
      ask_console(config->data, {.method = "POST", .path = path, .timeout_us = 60 * kUsPerSecond});
  if (!answer) return report(terminal, answer.error());
  if (options.json) {
    terminal.print(answer->dump() + "\n");
    return Exit::kOk;
  }
  for (const Json& source : list_at(*answer, "sources")) terminal.print(pause_line(source));
  return Exit::kOk;
}

}  // namespace leat::app
