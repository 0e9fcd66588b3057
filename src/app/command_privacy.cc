// `leat privacy`: asks the running Leat, and follows what it does.
#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands.h"
#include "app/console_client.h"
#include "app/data_directory.h"
#include "app/progress.h"
#include "app/table_text.h"
#include "base/json_members.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kBetweenLooks = std::chrono::milliseconds(200);

Result<Json> ask_for_one(const std::string& data, const ConsoleRequest& request) {
  LEAT_ASSIGN(const Json answer, ask_console(data, request));
  const Json& regulations = member_list(answer, "regulations");
  if (regulations.empty()) {
    return fail(Errc::kUnavailable, "the status API's answer names no regulation");
  }
  return regulations.front();
}

bool is_over(const Json& regulation) {
  const std::string status = member_text(regulation, "status");
  return status == "FINISHED" || status == "FAILED";
}

struct Totals {
  std::int64_t objects_read = 0;
  std::int64_t events_deleted = 0;
  std::int64_t objects_rewritten = 0;
  std::int64_t rows = 0;
};

Totals totals_of(const Json& regulation) {
  Totals totals;
  for (const Json& source : member_list(regulation, "sources")) {
    totals.objects_read += member_number(source, "objects_read");
    totals.events_deleted += member_number(source, "events_deleted");
    totals.objects_rewritten += member_number(source, "objects_rewritten");
    if (!source.contains("table_rows")) continue;
    for (const Json& rows : source["table_rows"]) {
      if (rows.is_number_integer()) totals.rows += rows.get<std::int64_t>();
    }
  }
  return totals;
}

struct Shown {
  std::mutex mutex;
  Json regulation;  // guarded by mutex
};

Result<Json> follow(const Terminal& terminal, const std::string& data, Json regulation) {
  const auto shown = std::make_shared<Shown>();
  shown->regulation = regulation;
  const Progress progress(terminal, [shown](double seconds) {
    const std::lock_guard lock(shown->mutex);
    const Totals totals = totals_of(shown->regulation);
    const std::string error = member_text(shown->regulation, "error");
    return fmt::format("{} batches read, {} events found, {:.0f} s{}",
                       count_text(totals.objects_read), count_text(totals.events_deleted), seconds,
                       error.empty() ? "" : "; trying again after: " + error.substr(0, 60));
  });
  const std::string path = "/api/privacy?id=" + member_text(regulation, "id");
  while (!is_over(regulation)) {
    std::this_thread::sleep_for(kBetweenLooks);
    LEAT_ASSIGN(regulation, ask_for_one(data, {.path = path}));
    const std::lock_guard lock(shown->mutex);
    shown->regulation = regulation;
  }
  return regulation;
}

std::string report_text(const Json& regulation, const std::string& data) {
  const bool is_dry = regulation.value("dry_run", false);
  const Totals totals = totals_of(regulation);
  TableText table;
  table.columns = {"source", "table", "rows"};
  table.numeric = {false, false, true};
  for (const Json& source : member_list(regulation, "sources")) {
    if (!source.contains("table_rows")) continue;
    for (const auto& [name, rows] : source["table_rows"].items()) {
      if (rows != 0) {
        table.rows.push_back(
            {member_text(source, "source"), name, count_text(rows.get<std::int64_t>())});
      }
    }
  }
  std::string out = table.rows.empty() ? "" : to_text(table);
  out += fmt::format("{} {} events in {} of {} batches, and {} rows\n",
                     is_dry ? "would delete" : "deleted", count_text(totals.events_deleted),
                     count_text(totals.objects_rewritten), count_text(totals.objects_read),
                     count_text(totals.rows));
  if (!is_dry) {
    out += fmt::format("the report is {}/report-{}.json\n", DataPaths{data}.privacy(),
                       member_text(regulation, "id"));
  }
  return out;
}

std::string target_of(const PrivacyOptions& options, std::string_view type) {
  const bool by_user = !options.user_id.empty();
  return fmt::format("/api/privacy?regulation_type={}&subject_type={}{}{}{}", type,
                     by_user ? "USER_ID" : "ANONYMOUS_ID",
                     query_part("subject_id", by_user ? options.user_id : options.anonymous_id),
                     query_part("source", options.source), options.dry_run ? "&dry_run=true" : "");
}

Exit run_deletion(const Terminal& terminal, const std::string& data,
                  const PrivacyOptions& options) {
  auto regulation = ask_for_one(
      data,
      {.method = "POST",
       .path = target_of(options, options.suppress ? "SUPPRESS_WITH_DELETE" : "DELETE_ONLY")});
  if (regulation) regulation = follow(terminal, data, *regulation);
  if (!regulation) return report(terminal, regulation.error());
  if (options.json) terminal.print(regulation->dump() + "\n");
  if (member_text(*regulation, "status") == "FAILED") {
    return report(terminal,
                  Error{Errc::kInvalid, fmt::format("{}; run the same command again to go on",
                                                    member_text(*regulation, "error"))});
  }
  if (!options.json) terminal.print(report_text(*regulation, data));
  return Exit::kOk;
}

Exit run_suppression(const Terminal& terminal, const std::string& data,
                     const PrivacyOptions& options, bool adds) {
  const auto regulation = ask_for_one(
      data, {.method = "POST", .path = target_of(options, adds ? "SUPPRESS_ONLY" : "UNSUPPRESS")});
  if (!regulation) return report(terminal, regulation.error());
  if (options.json) {
    terminal.print(regulation->dump() + "\n");
  } else {
    terminal.print(adds
                       ? "suppressed: new events of this person are not kept; what is there stays, "
                         "see: leat privacy delete\n"
                       : "new events of this person are kept again\n");
  }
  return Exit::kOk;
}

Exit run_list(const Terminal& terminal, const std::string& data, bool json) {
  const auto answer = ask_console(data, {.path = "/api/privacy"});
  if (!answer) return report(terminal, answer.error());
  if (json) {
    terminal.print(answer->dump() + "\n");
    return Exit::kOk;
  }
  TableText table;
  table.columns = {"requested_at", "regulation", "subject", "source",
                   "status",       "events",     "rows",    "id"};
  table.numeric = {false, false, false, false, false, true, true, false};
  for (const Json& each : member_list(*answer, "regulations")) {
    const Totals totals = totals_of(each);
    const std::string source = member_text(each, "source");
    const std::string dry = each.value("dry_run", false) ? " (dry run)" : "";
    table.rows.push_back({member_text(each, "requested_at"),
                          member_text(each, "regulation_type") + dry,
                          member_text(each, "subject_type"), source.empty() ? "(all)" : source,
                          member_text(each, "status"), count_text(totals.events_deleted),
                          count_text(totals.rows), member_text(each, "id")});
  }
  if (!table.rows.empty()) terminal.print(to_text(table));
  const auto suppressed = static_cast<std::int64_t>(member_list(*answer, "suppressions").size());
  terminal.print(fmt::format("{} {} suppressed\n", count_text(suppressed),
                             suppressed == 1 ? "id is" : "ids are"));
  return Exit::kOk;
}

}  // namespace

Exit run_privacy(const Terminal& terminal, PrivacyVerb verb, const PrivacyOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const std::string& data = config->data;
  switch (verb) {
    case PrivacyVerb::kDelete:
      return run_deletion(terminal, data, options);
    case PrivacyVerb::kSuppress:
    case PrivacyVerb::kUnsuppress:
      return run_suppression(terminal, data, options, verb == PrivacyVerb::kSuppress);
    case PrivacyVerb::kList:
      return run_list(terminal, data, options.json);
  }
  return Exit::kFailed;
}

}  // namespace leat::app
