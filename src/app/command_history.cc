// `leat history`, `leat pause` and `leat resume`: what syncs did, and whether they go on.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console_client.h"
#include "app/table_text.h"
#include "base/json_members.h"
#include "base/text.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownBytes = 120;  // of an error in the table; --json has all of it

std::string seconds_of(const Json& report) {
  const auto started = parse_iso8601(member_text(report, "started_at"));
  const auto finished = parse_iso8601(member_text(report, "finished_at"));
  if (!started || !finished) return "-";
  return fmt::format("{:.1f}", static_cast<double>(finished->value - started->value) / 1e6);
}

// What changed in the warehouse, or why it failed.
std::string remark(const Json& entry) {
  const Json report = member_object(entry, "report");
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (const std::size_t tables = member_list(report, "tables_created").size(); tables > 0) {
    add(fmt::format("{} new tables", tables));
  }
  if (const std::size_t columns = member_list(report, "columns_added").size(); columns > 0) {
    add(fmt::format("{} new columns", columns));
  }
  const std::string error = member_text(entry, "error");
  if (error.empty()) return out;
  if (member_number(entry, "times") > 1) {
    add(fmt::format("{} times since {}", count_text(member_number(entry, "times")),
                    member_text(entry, "first_started_at")));
  }
  const std::string_view shown = utf8_prefix(error, kShownBytes);
  add(fmt::format("{}: {}{}", member_text(entry, "error_kind"), shown,
                  shown.size() < error.size() ? "..." : ""));
  return out;
}

std::string syncs_table(const Json& syncs) {
  TableText table;
  table.columns = {"started", "source",  "outcome",      "seconds", "batches", "events",
                   "loaded",  "rescued", "staged bytes", "tables",  "remark"};
  table.numeric = {false, false, false, true, true, true, true, true, true, true, false};
  for (const Json& entry : syncs) {
    const Json report = member_object(entry, "report");
    const Json events = member_object(report, "events");
    const auto tables = static_cast<std::int64_t>(member_object(report, "table_rows").size());
    table.rows.push_back(
        {member_text(report, "started_at"), member_text(report, "source"),
         member_text(entry, "outcome"), seconds_of(report),
         count_text(member_number(report, "batches")),
         count_text(member_number(events, "received")), count_text(member_number(events, "loaded")),
         count_text(member_number(events, "rescued")),
         count_text(member_number(report, "staged_bytes")), count_text(tables), remark(entry)});
  }
  return to_text(table);
}

std::string rows_table(const Json& syncs) {
  TableText table;
  table.columns = {"started", "source", "sync", "table", "rows"};
  table.numeric = {false, false, false, false, true};
  for (const Json& entry : syncs) {
    const Json report = member_object(entry, "report");
    const Json tables = member_object(report, "table_rows");
    for (const auto& [name, rows] : tables.items()) {
      table.rows.push_back({member_text(report, "started_at"), member_text(report, "source"),
                            member_text(report, "sync_id"), name,
                            count_text(rows.is_number_integer() ? rows.get<std::int64_t>() : 0)});
    }
  }
  return to_text(table);
}

std::string pause_line(const Json& source) {
  const std::string name = member_text(source, "name");
  const std::string since = member_text(source, "paused_since");
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
  const Json syncs = member_list(*answer, "syncs");
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
  for (const Json& source : member_list(*answer, "sources")) terminal.print(pause_line(source));
  return Exit::kOk;
}

}  // namespace leat::app
