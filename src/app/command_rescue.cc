// `leat rescue`: what did not fit, and loading it again.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console_client.h"
#include "app/replay_follow.h"
#include "app/table_text.h"
#include "base/json_members.h"
#include "base/text.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownBytes = 100;  // of one value in the table; --json has all of it

std::string count_at(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer()
             ? count_text(found->get<std::int64_t>())
             : "";
}

std::string filter_query(const RescueOptions& options) {
  return query_part("source", options.source) + query_part("table", options.table) +
         query_part("column", options.column) + query_part("reason", options.reason) +
         query_part("event_id", options.event_id) + query_part("id", options.id);
}

std::string column_of(const Json& object) {
  const std::string column = member_text(object, "column");
  return column.empty() ? "(whole event)" : column;
}

std::string groups_table(const Json& groups) {
  TableText table;
  table.columns = {"source", "table", "column", "reason", "values", "events", "first", "last"};
  table.numeric = {false, false, false, false, true, true, false, false};
  for (const Json& group : groups) {
    table.rows.push_back({member_text(group, "source"), member_text(group, "table"),
                          column_of(group), member_text(group, "reason"), count_at(group, "values"),
                          count_at(group, "events"), member_text(group, "first_received_at"),
                          member_text(group, "last_received_at")});
  }
  return to_text(table);
}

std::string values_table(const Json& values) {
  TableText table;
  table.columns = {"received_at", "event_id", "table", "column", "reason", "value", "id"};
  for (const Json& value : values) {
    std::string text = member_text(value, "value");
    const std::string_view shown = utf8_prefix(text, kShownBytes);
    text = shown.size() < text.size()
               ? fmt::format("{}... ({} bytes)", shown,
                             count_text(static_cast<std::int64_t>(text.size())))
               : std::string(shown);
    table.rows.push_back({member_text(value, "received_at"), member_text(value, "event_id"),
                          member_text(value, "table"), column_of(value),
                          member_text(value, "reason"), text, member_text(value, "id")});
  }
  return to_text(table);
}

Exit show(const Terminal& terminal, const std::string& data, const RescueOptions& options,
          std::int64_t values) {
  const auto answer = ask_console(
      data, {.path = fmt::format("/api/rescued?values={}{}", values, filter_query(options)),
             .timeout_us = 90 * kUsPerSecond});
  if (!answer) return report(terminal, answer.error());
  const Json& json = *answer;
  if (!json.contains("groups") || !json.contains("values")) {
    return report(terminal, Error{Errc::kUnavailable, "the status API's answer holds no rescues"});
  }
  const Json& list = json[values > 0 ? "values" : "groups"];
  if (options.json) {
    terminal.print(Json{{values > 0 ? "values" : "groups", list}}.dump() + "\n");
  } else if (list.empty()) {
    terminal.print("nothing was rescued\n");
  } else {
    terminal.print(values > 0 ? values_table(list) : groups_table(list));
  }
  return Exit::kOk;
}

}  // namespace

Exit run_rescue(const Terminal& terminal, RescueVerb verb, const RescueOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  if (verb == RescueVerb::kList) return show(terminal, config->data, options, 0);
  if (verb == RescueVerb::kShow) return show(terminal, config->data, options, options.limit);
  const std::string target =
      "/api/replay?rescued=true" + filter_query(options) + (options.dry_run ? "&dry_run=true" : "");
  return replay_and_follow(terminal, config->data, target, false, options.json);
}

}  // namespace leat::app
