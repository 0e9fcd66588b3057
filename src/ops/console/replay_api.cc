#include "ops/console/replay_api.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "net/http.h"

namespace leat::console {
namespace {

Result<bool> read_bool(const std::string& name, const std::string& text) {
  if (text == "true" || text == "1" || text.empty()) return true;
  if (text == "false" || text == "0") return false;
  return fail(Errc::kInvalid,
              fmt::format("parameter {} is \"{}\"; allowed: true, false", name, text));
}

Result<TimeUs> read_time(const std::string& name, const std::string& text) {
  const auto time = parse_iso8601(text);
  if (time) return *time;
  return fail(Errc::kInvalid,
              fmt::format("parameter {} is \"{}\"; allowed: a date or time such as 2026-11-20 or "
                          "2026-11-20T14:00Z",
                          name, text));
}

// What the parameter `name` of both queries is; null when it is none of the filter's.
std::string* member_of(load::RescueFilter& filter, std::string_view name) {
  if (name == "table") return &filter.table;
  if (name == "column") return &filter.column;
  if (name == "reason") return &filter.reason;
  if (name == "event_id") return &filter.event_id;
  if (name == "id") return &filter.id;
  return nullptr;
}

}  // namespace

Result<load::ReplayRequest> read_replay_query(std::string_view query) {
  load::ReplayRequest request;
  load::RescueFilter filter;
  bool of_rescued = false;
  for (const auto& [name, value] : net::parse_query(query, 32)) {
    load::ReplaySelection& selection = request.selection;
    if (name == "source") {
      selection.source = value;
    } else if (name == "from") {
      LEAT_ASSIGN(selection.from, read_time(name, value));
    } else if (name == "to") {
      LEAT_ASSIGN(selection.to, read_time(name, value));
    } else if (name == "event") {
      selection.event = value;
    } else if (std::string* member = member_of(filter, name)) {
      *member = value;
    } else if (name == "rescued") {
      LEAT_ASSIGN(of_rescued, read_bool(name, value));
    } else if (name == "restart") {
      LEAT_ASSIGN(request.restart, read_bool(name, value));
    } else if (name == "dry_run") {
      LEAT_ASSIGN(request.dry_run, read_bool(name, value));
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter \"{}\"; allowed: source, from, to, event, table, "
                              "column, restart, dry_run, rescued, reason, event_id, id",
                              name));
    }
  }
  const bool needs_rescued =
      !filter.reason.empty() || !filter.event_id.empty() || !filter.id.empty();
  if (needs_rescued && !of_rescued) {
    return fail(Errc::kInvalid,
                "parameters reason, event_id and id choose rescue rows; they need rescued=true");
  }
  if (of_rescued) {
    request.selection.rescue = std::move(filter);
  } else {
    request.selection.table = std::move(filter.table);
    request.selection.column = std::move(filter.column);
  }
  return request;
}

Result<std::int64_t> read_replay_number(std::string_view query, bool may_be_absent) {
  std::int64_t number = 0;
  for (const auto& [name, value] : net::parse_query(query, 8)) {
    const auto read = parse_number<std::int64_t>(value);
    if (name != "number" || !read || *read <= 0) {
      return fail(Errc::kInvalid,
                  fmt::format("parameter {}={}; allowed: number=N, as the start of the replay told",
                              name, value));
    }
    number = *read;
  }
  if (number == 0 && !may_be_absent) {
    return fail(Errc::kInvalid, "parameter number is missing; the start of the replay told it");
  }
  return number;
}

Result<RescuedQuery> read_rescued_query(std::string_view query) {
  RescuedQuery out;
  load::RescueFilter& filter = out.query.filter;
  for (const auto& [name, value] : net::parse_query(query, 32)) {
    if (name == "source") {
      out.source = value;
    } else if (std::string* member = member_of(filter, name)) {
      *member = value;
    } else if (name == "values") {
      const auto number = parse_number<int>(value);
      if (!number || *number < 0 || *number > 10'000) {
        return fail(Errc::kInvalid,
                    fmt::format("parameter values is \"{}\"; allowed: 0 to 10000", value));
      }
      out.query.values_max = *number;
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter \"{}\"; allowed: source, table, column, reason, "
                              "event_id, id, values",
                              name));
    }
  }
  return out;
}

std::string replays_json(const std::vector<load::ReplayJob>& jobs, std::int64_t number) {
  std::string out = R"({"replays":[)";
  bool is_first = true;
  for (const load::ReplayJob& job : jobs) {
    if (number != 0 && job.number != number) continue;
    if (!is_first) out += ',';
    is_first = false;
    out += load::to_json(job);
  }
  return out + "]}";
}

}  // namespace leat::console
