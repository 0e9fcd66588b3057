// `leat replay`: loads events again from the archive.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console_client.h"
#include "app/replay_follow.h"
#include "base/time.h"

namespace leat::app {

Result<TimeUs> time_of_flag(std::string_view flag, std::string text) {
  if (text.size() == 13) text += ":00";
  const auto time = parse_iso8601(text);
  if (!time) {
    return fail(Errc::kInvalid, fmt::format("{} '{}' is no time; allowed: UTC, such as 2026-11-20, "
                                            "2026-11-20T14 or 2026-11-20T14:30:00",
                                            flag, text));
  }
  return *time;
}

namespace {

Result<std::string> target_of(const ReplayOptions& options) {
  std::string target = fmt::format("/api/replay?restart={}", options.restart);
  const auto add = [&](std::string_view name, std::string_view value) {
    target += query_part(name, value);
  };
  add("source", options.source);
  if (!options.from.empty()) {
    LEAT_ASSIGN(const TimeUs from, time_of_flag("--from", options.from));
    add("from", format_iso8601(from));
  }
  if (!options.to.empty()) {
    LEAT_ASSIGN(const TimeUs to, time_of_flag("--to", options.to));
    add("to", format_iso8601(to));
  }
  add("event", options.event);
  add("table", options.table);
  add("column", options.column);
  if (options.dry_run) add("dry_run", "true");
  return target;
}

}  // namespace

Exit run_replay(const Terminal& terminal, const ReplayOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  if (options.list) {
    return show_replays(terminal, config->data, "GET", "/api/replays", options.json);
  }
  if (options.stop > 0) {
    return show_replays(terminal, config->data, "POST",
                        fmt::format("/api/replay/stop?number={}", options.stop), options.json);
  }
  const auto target = target_of(options);
  if (!target) return report(terminal, target.error());
  return replay_and_follow(terminal, config->data, *target, options.detach, options.json);
}

}  // namespace leat::app
