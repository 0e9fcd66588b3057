// `leat status` and `leat sync`: the status API of a running Leat, for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/config_keys.h"
#include "app/console_client.h"
#include "app/progress.h"
#include "app/table_text.h"
#include "base/json_members.h"
#include "base/text.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

// A count, "-" when it is not known.
std::string count_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer()
             ? count_text(found->get<std::int64_t>())
             : "-";
}

std::string sources_table(const Json& status) {
  TableText table;
  table.columns = {"source",       "schema",  "received", "in journal", "to sync",  "loaded",
                   "deduplicated", "rescued", "excluded", "deleted",    "last load"};
  table.numeric = {false, false, true, true, true, true, true, true, true, true, false};
  for (const Json& source : member_list(status, "sources")) {
    table.rows.push_back({member_text(source, "name"), member_text(source, "schema"),
                          count_at(source, "received"), count_at(source, "in_journal"),
                          count_at(source, "waiting_for_sync"), count_at(source, "loaded"),
                          count_at(source, "deduplicated"), count_at(source, "rescued"),
                          count_at(source, "excluded"), count_at(source, "deleted"),
                          member_text(source, "last_loaded_at")});
  }
  return to_text(table);
}

// What a person has to know beside the figures: failed syncs, shards that refuse, parts that cannot
// be read.
std::string remarks(const Json& status) {
  std::string out;
  for (const Json& source : member_list(status, "sources")) {
    const auto sync = source.find("sync");
    if (sync == source.end() || !sync->is_object()) continue;
    if (const std::string since = member_text(*sync, "paused_since"); !since.empty()) {
      out += fmt::format("source {0}: paused since {1}; leat resume --source {0} goes on\n",
                         member_text(source, "name"), since);
    } else if (member_text(*sync, "paused_by") == "configuration") {
      out += fmt::format("source {0}: not loaded, as sources.{0}.sync says\n",
                         member_text(source, "name"));
    }
    const std::string error = member_text(*sync, "last_error");
    if (!error.empty()) {
      out +=
          fmt::format("source {}: the last sync failed: {}\n", member_text(source, "name"), error);
    }
  }
  for (const Json& shard : member_list(status, "journal")) {
    const std::string health = member_text(shard, "health");
    if (!health.empty())
      out += fmt::format("journal {}: refuses events: {}\n", member_text(shard, "shard"), health);
  }
  const auto connection = status.find("connection");
  if (connection != status.end() && connection->contains("warehouse") &&
      connection->at("warehouse").value("encrypted", false)) {
    out += "warehouse: its files are encrypted\n";
  }
  for (const Json& problem : member_list(status, "problems")) {
    out += fmt::format("{}: cannot be read: {}\n", member_text(problem, "part"),
                       member_text(problem, "message"));
  }
  return out;
}

bool is_unbalanced(const Json& status) {
  const auto balanced = status.find("balanced");
  return balanced != status.end() && balanced->is_boolean() && !balanced->get<bool>();
}

std::string status_text(const Json& status) {
  std::string out = sources_table(status) + "\n" + remarks(status);
  if (is_unbalanced(status)) out += "NOT BALANCED: ";
  return out + member_text(status, "verdict") + "\n";
}

std::string sync_line(const Json& report) {
  const Json events = report.contains("events") ? report["events"] : Json::object();
  std::string line = fmt::format(
      "{}: {} events in {} batches: {} loaded, {} deduplicated, {} rescued, {} excluded",
      member_text(report, "source"), count_at(events, "received"), count_at(report, "batches"),
      count_at(events, "loaded"), count_at(events, "deduplicated"), count_at(events, "rescued"),
      count_at(events, "excluded"));
  if (const std::string values = count_at(report, "values_rescued"); values != "0") {
    line += fmt::format("; {} values rescued", values);
  }
  const Json created = member_list(report, "tables_created");
  const Json added = member_list(report, "columns_added");
  if (!created.empty()) line += fmt::format("; {} new tables", created.size());
  if (!added.empty()) line += fmt::format("; {} new columns", added.size());
  return line + "\n";
}

Result<Json> request_sync(const Terminal& terminal, const SyncOptions& options,
                          const Config& config) {
  const std::int64_t seconds = std::max<std::int64_t>(1, options.timeout_us / kUsPerSecond);
  ConsoleRequest request{.method = "POST",
                         .path = fmt::format("/api/sync?timeout_seconds={}", seconds),
                         .timeout_us = (seconds + 10) * kUsPerSecond};
  // Names of sources need no escaping (config_keys.h, is_source_name).
  if (!options.source.empty()) request.path += "&source=" + options.source;
  const Progress progress(terminal, [](double s) { return fmt::format("loading {:.1f} s", s); });
  return ask_console(config.data, request);
}

}  // namespace

Exit run_status(const Terminal& terminal, const StatusOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto status = ask_console(config->data, {.path = "/api/status"});
  if (!status) return report(terminal, status.error());
  terminal.print(options.json ? status->dump() + "\n" : status_text(*status));
  return is_unbalanced(*status) ? Exit::kFailed : Exit::kOk;
}

Exit run_sync(const Terminal& terminal, const SyncOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  if (!options.source.empty() && !is_source_name(options.source)) {
    return report(terminal, fail(Errc::kInvalid,
                                 fmt::format("'{}' is not a name of a source", options.source))
                                .error());
  }
  const auto answer = request_sync(terminal, options, *config);
  if (!answer) return report(terminal, answer.error());
  if (options.json) {
    terminal.print(answer->dump() + "\n");
    return Exit::kOk;
  }
  const Json syncs = member_list(*answer, "syncs");
  if (syncs.empty())
    terminal.say("leat: no source was synced; leat status says which are paused\n");
  for (const Json& sync : syncs) terminal.print(sync_line(sync));
  return Exit::kOk;
}

}  // namespace leat::app
