// `leat status` and `leat sync`: the status API of a running Leat, for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands.h"
#include "app/config_keys.h"
#include "app/connection_file.h"
#include "app/data_directory.h"
#include "app/file_text.h"
#include "app/http_call.h"
#include "app/table_text.h"
#include "base/clock.h"
#include "base/text.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

// The URL of the running process's status API.
Result<std::string> console_url(const std::string& data) {
  LEAT_ASSIGN(const auto file, read_connection_file(data));
  if (file.console_url.empty()) {
    return fail(Errc::kInvalid, fmt::format("the process in {} has no status API", data));
  }
  return file.console_url;
}

// An answer that is not 200, as an error with the API's own code and message.
Error error_of(const HttpReply& reply) {
  const Json json = Json::parse(reply.body, nullptr, false);
  std::string message = fmt::format("the status API answered {}", reply.status);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    message = json["error"].value("message", message);
  }
  Errc code = Errc::kInvalid;
  if (reply.status == 503 || reply.status == 504) code = Errc::kUnavailable;
  if (reply.status == 429 || reply.status == 507) code = Errc::kExhausted;
  if (reply.status == 401 || reply.status == 403) code = Errc::kDenied;
  return Error{code, std::move(message)};
}

Result<Json> parse_answer(const HttpReply& reply) {
  if (reply.status != 200) return std::unexpected(error_of(reply));
  Json json = Json::parse(reply.body, nullptr, false);
  if (!json.is_object())
    return fail(Errc::kUnavailable, "the status API's answer is no JSON object");
  return json;
}

// A count, "-" when it is not known.
std::string count_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer()
             ? count_text(found->get<std::int64_t>())
             : "-";
}

std::string text_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json list_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_array() ? *found : Json::array();
}

std::string sources_table(const Json& status) {
  TableText table;
  table.columns = {"source", "schema",       "received", "in journal", "to sync",
                   "loaded", "deduplicated", "rescued",  "excluded",   "last load"};
  table.numeric = {false, false, true, true, true, true, true, true, true, false};
  for (const Json& source : list_at(status, "sources")) {
    table.rows.push_back({text_at(source, "name"), text_at(source, "schema"),
                          count_at(source, "received"), count_at(source, "in_journal"),
                          count_at(source, "waiting_for_sync"), count_at(source, "loaded"),
                          count_at(source, "deduplicated"), count_at(source, "rescued"),
                          count_at(source, "excluded"), text_at(source, "last_loaded_at")});
  }
  return to_text(table);
}

// What a person has to know beside the figures: failed syncs, shards that refuse, parts that cannot
// be read.
std::string remarks(const Json& status) {
  std::string out;
  for (const Json& source : list_at(status, "sources")) {
    const auto sync = source.find("sync");
    if (sync == source.end() || !sync->is_object()) continue;
    const std::string error = text_at(*sync, "last_error");
    if (!error.empty())
      out += fmt::format("source {}: the last sync failed: {}\n", text_at(source, "name"), error);
  }
  for (const Json& shard : list_at(status, "journal")) {
    const std::string health = text_at(shard, "health");
    if (!health.empty())
      out += fmt::format("journal {}: refuses events: {}\n", text_at(shard, "shard"), health);
  }
  for (const Json& problem : list_at(status, "problems")) {
    out += fmt::format("{}: cannot be read: {}\n", text_at(problem, "part"),
                       text_at(problem, "message"));
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
  return out + text_at(status, "verdict") + "\n";
}

std::string sync_line(const Json& report) {
  const Json events = report.contains("events") ? report["events"] : Json::object();
  std::string line = fmt::format(
      "{}: {} events in {} batches: {} loaded, {} deduplicated, {} rescued, {} excluded",
      text_at(report, "source"), count_at(events, "received"), count_at(report, "batches"),
      count_at(events, "loaded"), count_at(events, "deduplicated"), count_at(events, "rescued"),
      count_at(events, "excluded"));
  const Json created = list_at(report, "tables_created");
  const Json added = list_at(report, "columns_added");
  if (!created.empty()) line += fmt::format("; {} new tables", created.size());
  if (!added.empty()) line += fmt::format("; {} new columns", added.size());
  return line + "\n";
}

// Shows on a terminal that something is waited for, and how long already.
class Waiting {
 public:
  Waiting(const Terminal& terminal, std::string_view what) {
    if (!terminal.err_is_terminal) return;
    thread_ = std::jthread([&terminal, what = std::string(what)](const std::stop_token& stop) {
      const std::int64_t started_us = system_clock().monotonic_us();
      while (!stop.stop_requested()) {
        const std::int64_t us = system_clock().monotonic_us() - started_us;
        terminal.say(fmt::format("\r{} {:.1f} s ", what, static_cast<double>(us) / 1e6));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      terminal.say("\r\x1b[K");
    });
  }

 private:
  std::jthread thread_;
};

Result<Json> request_sync(const Terminal& terminal, const SyncOptions& options,
                          const Config& config) {
  LEAT_ASSIGN(const std::string url, console_url(config.data));
  LEAT_ASSIGN(const std::string token, read_text_file(DataPaths{config.data}.console_token()));
  const std::int64_t seconds = std::max<std::int64_t>(1, options.timeout_us / kUsPerSecond);
  HttpCall call{.method = "POST",
                .url = fmt::format("{}/api/sync?timeout_seconds={}", url, seconds),
                .headers = {{"Leat-Token", std::string(trim(token))}},
                .timeout_ms = (seconds + 10) * 1000};
  // Names of sources need no escaping (config_keys.h, is_source_name).
  if (!options.source.empty()) call.url += "&source=" + options.source;
  const Waiting waiting(terminal, "loading");
  LEAT_ASSIGN(const auto reply, HttpClient().call(call));
  return parse_answer(reply);
}

}  // namespace

Exit run_status(const Terminal& terminal, const StatusOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto url = console_url(config->data);
  if (!url) return report(terminal, url.error());
  const auto reply = HttpClient().call({.url = *url + "/api/status"});
  if (!reply) return report(terminal, reply.error());
  const auto status = parse_answer(*reply);
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
  for (const Json& sync : list_at(*answer, "syncs")) terminal.print(sync_line(sync));
  return Exit::kOk;
}

}  // namespace leat::app
