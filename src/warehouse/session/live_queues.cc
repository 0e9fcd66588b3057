// Rows of the queues' relations and of sessions that are over.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "warehouse/session/live_row_text.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

void queued_row(Rows& rows, std::string_view relation, const QueueState& queue,
                const QueuedStatement& each, std::int64_t position, TimeUs now) {
  const std::int64_t queued = (each.running ? each.started : now).value - each.entered.value;
  if (relation == "stv_wlm_query_queue_state") {
    if (each.running) return;
    rows.begin().number("service_class", queue.service_class).number("position", position);
    rows.number("task", each.query).number("query", each.query).number("slot_count", each.slots);
    rows.time("start_time", each.entered).number("queue_time", queued).end();
    return;
  }
  rows.begin().number("xid", each.transaction).number("task", each.query);
  rows.number("query", each.query).number("service_class", queue.service_class);
  rows.number("slot_count", each.slots).time("wlm_start_time", each.entered);
  rows.text("state", each.running ? "Running" : "QueuedWaiting").number("queue_time", queued);
  rows.number("exec_time", each.running ? now.value - each.started.value : 0);
  rows.text("query_priority", "Normal").end();
}

}  // namespace

std::string class_name(std::string_view queue) {
  if (queue.empty() || queue == "default") return "Default queue";
  return queue == "superuser" ? "Service class for super user" : std::string(queue);
}

std::string queue_rows(const WarehouseState& state, std::string_view relation,
                       const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  std::int64_t id = 0;
  for (const QueueState& queue : state.queues->list()) {
    if (relation == "stv_wlm_classification_config") {
      const std::string condition =
          queue.name == "default" ? "(user group: *) and (query group: *)"
          : queue.name == "superuser"
              ? "(super user) and (query group: superuser)"
              : fmt::format("(query group: {0}) or (user group: {0})", queue.name);
      rows.begin().number("id", ++id).text("condition", condition).number("action_seq", 0);
      rows.text("action", "assign").number("action_service_class", queue.service_class).end();
    } else if (relation == "stv_wlm_service_class_config") {
      rows.begin().number("service_class", queue.service_class);
      rows.text("queueing_strategy", "First In First Out").number("num_query_tasks", queue.slots);
      rows.number("target_num_query_tasks", queue.slots).text("evictable", "false");
      rows.number("eviction_threshold", 0).number("query_working_mem", 0);
      rows.number("target_query_working_mem", 0).number("min_step_mem", 0);
      rows.text("name", class_name(queue.name)).number("max_execution_time", 0);
      rows.text("user_group_wild_card", "false").text("query_group_wild_card", "false");
      rows.text("concurrency_scaling", "off").text("query_priority", "Normal").end();
    } else if (relation == "stv_wlm_service_class_state") {
      const auto executing = std::ranges::count(queue.statements, true, &QueuedStatement::running);
      const auto all = static_cast<std::int64_t>(queue.statements.size());
      rows.begin().number("service_class", queue.service_class);
      rows.number("num_queued_queries", all - executing).number("num_executing_queries", executing);
      rows.number("num_serviced_queries", queue.served - executing);
      rows.number("num_executed_queries", queue.served - executing);
      rows.number("target_num_query_tasks", queue.slots).number("num_query_tasks", queue.slots);
      rows.end();
    } else {
      std::int64_t position = 0;
      for (const QueuedStatement& each : queue.statements) {
        if (!each.running) ++position;
        if (!sees_all && each.user != viewer.user_id) continue;
        queued_row(rows, relation, queue, each, position, state.now());
      }
    }
  }
  return rows.finish();
}

std::string past_session_rows(const WarehouseState& state, bool sys, const SessionInfo& viewer,
                              bool sees_all) {
  std::map<std::string, std::int32_t> ids;
  for (const catalog::UserPointer& user : state.catalog->users()) ids[user->name] = user->id;
  const std::vector<ConnectionRecord> records = state.history.connections();
  std::map<std::int32_t, const ConnectionRecord*> ends;
  for (const ConnectionRecord& each : records) {
    if (each.event == "disconnecting session") ends[each.session] = &each;
  }
  Rows rows;
  for (const ConnectionRecord& each : records) {
    if (each.event != "initiating session" || (!sees_all && each.user != viewer.user)) continue;
    const auto end = ends.find(each.session);
    const bool ended = end != ends.end();
    if (!sys && !ended) continue;
    rows.begin().number(sys ? "user_id" : "userid", ids[each.user]);
    rows.number(sys ? "session_id" : "process", each.session);
    rows.text(sys ? "database_name" : "db_name", each.database);
    rows.time(sys ? "start_time" : "starttime", each.time);
    if (ended) rows.time(sys ? "end_time" : "endtime", end->second->time);
    if (sys) {
      rows.text("status", ended ? "closed" : "active")
          .number("session_timeout", each.timeout_s)
          .end();
    } else {
      rows.text("user_name", each.user).number("timeout_sec", each.timeout_s);
      rows.number("timed_out", end->second->timed_out ? 1 : 0).end();
    }
  }
  return rows.finish();
}

}  // namespace leat::session
