#include "app/replay_follow.h"

#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/console_client.h"
#include "app/progress.h"
#include "app/table_text.h"
#include "base/json_members.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kBetweenLooks = std::chrono::milliseconds(200);

Json part_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() ? *found : Json::object();
}

// The jobs that the console answers with.
Result<Json> ask_for_jobs(const std::string& data, std::string_view method,
                          const std::string& path) {
  LEAT_ASSIGN(const Json json, ask_console(data, {.method = std::string(method), .path = path}));
  if (!json.contains("replays") || !json["replays"].is_array()) {
    return fail(Errc::kUnavailable, "the status API's answer names no replays");
  }
  return json["replays"];
}

Result<Json> ask_for_job(const std::string& data, std::string_view method,
                         const std::string& path) {
  LEAT_ASSIGN(const Json jobs, ask_for_jobs(data, method, path));
  if (jobs.empty()) {
    return fail(Errc::kUnavailable,
                "the running Leat does not know the replay any more: it was started again; run the "
                "same command, and the replay goes on where it was");
  }
  return jobs.front();
}

bool is_over(const Json& job) {
  const std::string phase = member_text(job, "phase");
  return phase == "done" || phase == "failed" || phase == "stopped";
}

// What the bar shows; shared with the thread that draws it.
struct Shown {
  std::mutex mutex;
  Json job;  // guarded by mutex
};

std::string bar_text(const Json& job, double seconds) {
  const Json replay = part_of(job, "replay");
  if (member_text(job, "phase") == "waiting") {
    return fmt::format("loading what is new first {:.1f} s", seconds);
  }
  const std::string error = member_text(job, "error");
  return fmt::format(
      "{} {} {} of {} batches, {} events{}",
      replay.value("dry_run", false) ? "reading" : "replaying",
      progress_bar(member_number(replay, "batches_done"), member_number(replay, "batches_total")),
      count_text(member_number(replay, "batches_done")),
      count_text(member_number(replay, "batches_total")),
      count_text(member_number(part_of(replay, "events"), "received")),
      error.empty() ? "" : "; trying again after: " + error.substr(0, 60));
}

// Looks at the job until it is over.
Result<Json> follow(const Terminal& terminal, const std::string& data, Json job) {
  const auto shown = std::make_shared<Shown>();
  shown->job = job;
  const Progress progress(terminal, [shown](double seconds) {
    const std::lock_guard lock(shown->mutex);
    return bar_text(shown->job, seconds);
  });
  while (!is_over(job)) {
    std::this_thread::sleep_for(kBetweenLooks);
    LEAT_ASSIGN(job,
                ask_for_job(data, "GET",
                            fmt::format("/api/replays?number={}", member_number(job, "number"))));
    const std::lock_guard lock(shown->mutex);
    shown->job = job;
  }
  return job;
}

std::string names_text(const Json& list, std::string_view what) {
  if (!list.is_array() || list.empty()) return "";
  std::string names;
  for (std::size_t i = 0; i < list.size() && i < 5; ++i) {
    names += (i > 0 ? ", " : "") + list[i].get<std::string>();
  }
  if (list.size() > 5) names += ", ...";
  return fmt::format("; {} new {}: {}", count_text(static_cast<std::int64_t>(list.size())), what,
                     names);
}

std::string result_line(const Json& job) {
  const Json replay = part_of(job, "replay");
  const Json events = part_of(replay, "events");
  const bool is_dry = replay.value("dry_run", false);
  std::string line = fmt::format("{}: {} {} events in {} batches", member_text(replay, "source"),
                                 is_dry ? "would replay" : "replayed",
                                 count_text(member_number(events, "received")),
                                 count_text(member_number(replay, "batches_done")));
  if (is_dry) {
    line += fmt::format(": {} with rows", count_text(member_number(events, "loaded")));
  } else {
    line += fmt::format(": {} new, {} again", count_text(member_number(events, "loaded")),
                        count_text(member_number(events, "deduplicated")));
  }
  line += fmt::format(", {} rescued, {} excluded", count_text(member_number(events, "rescued")),
                      count_text(member_number(events, "excluded")));
  if (const std::int64_t rows = member_number(replay, "rescue_rows_removed"); rows > 0) {
    line += fmt::format("; {} rescue rows removed", count_text(rows));
  }
  line += names_text(part_of(replay, "tables_created"), "tables");
  line += names_text(part_of(replay, "columns_added"), "columns");
  return line + "\n";
}

Exit show_end(const Terminal& terminal, const Json& job, bool json) {
  const std::string phase = member_text(job, "phase");
  if (json) terminal.print(job.dump() + "\n");
  if (phase == "failed") {
    Errc code = Errc::kInvalid;
    for (const Errc each : {Errc::kUnavailable, Errc::kExhausted, Errc::kAborted}) {
      if (member_text(job, "error_code") == errc_name(each)) code = each;
    }
    // What is wrong with the request stays wrong.
    const bool is_wrong = member_text(job, "error_code") == errc_name(Errc::kInvalid);
    return report(terminal,
                  Error{code, member_text(job, "error") +
                                  (is_wrong ? "" : "; run the same command again to go on")});
  }
  if (phase == "stopped") {
    return report(terminal, Error{Errc::kConflict, "the replay was stopped"});
  }
  if (!json) terminal.print(result_line(job));
  return Exit::kOk;
}

Exit show_list(const Terminal& terminal, const Json& jobs, bool json) {
  if (json) {
    terminal.print(Json{{"replays", jobs}}.dump() + "\n");
    return Exit::kOk;
  }
  TableText table;
  table.columns = {"number", "source", "phase", "batches", "of", "events", "selection", "error"};
  table.numeric = {true, false, false, true, true, true, false, false};
  for (const Json& job : jobs) {
    const Json replay = part_of(job, "replay");
    table.rows.push_back({count_text(member_number(job, "number")), member_text(replay, "source"),
                          member_text(job, "phase"),
                          count_text(member_number(replay, "batches_done")),
                          count_text(member_number(replay, "batches_total")),
                          count_text(member_number(part_of(replay, "events"), "received")),
                          part_of(replay, "selection").dump(), member_text(job, "error")});
  }
  terminal.print(to_text(table));
  return Exit::kOk;
}

}  // namespace

Exit replay_and_follow(const Terminal& terminal, const std::string& data, const std::string& target,
                       bool detach, bool json) {
  auto job = ask_for_job(data, "POST", target);
  if (!job) return report(terminal, job.error());
  if (detach) {
    terminal.print(json ? job->dump() + "\n"
                        : fmt::format("replay {} is on its way; see: leat replay --list\n",
                                      member_number(*job, "number")));
    return Exit::kOk;
  }
  job = follow(terminal, data, *job);
  if (!job) return report(terminal, job.error());
  return show_end(terminal, *job, json);
}

Exit show_replays(const Terminal& terminal, const std::string& data, std::string_view method,
                  const std::string& target, bool json) {
  const auto jobs = ask_for_jobs(data, method, target);
  if (!jobs) return report(terminal, jobs.error());
  return show_list(terminal, *jobs, json);
}

}  // namespace leat::app
