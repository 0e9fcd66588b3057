// Rows of the relations that live in memory, as JSON for from_json (catalog/system_schema.cc has
// their columns).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "warehouse/catalog/types.h"
#include "warehouse/session/live_row_text.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

std::string session_rows(const WarehouseState& state, std::string_view relation) {
  Rows rows;
  for (const SessionInfo& info : state.session_infos()) {
    const bool active = info.state == "active";
    if (relation == "stv_sessions") {
      rows.begin()
          .time("starttime", info.start)
          .number("process", info.id)
          .text("user_name", info.user);
      rows.text("db_name", info.database).number("timeout_sec", info.timeout_s).end();
    } else if (relation == "pg_stat_activity") {
      rows.begin().number("datid", info.database_oid).text("datname", info.database);
      rows.number("procpid", info.id)
          .number("pid", info.id)
          .number("usesysid", info.user_id)
          .text("usename", info.user);
      rows.text("application_name", info.application)
          .text("state", info.state)
          .text("query", info.query);
      rows.text("current_query", active ? info.query : "<IDLE>")
          .time("query_start", info.query_start);
      rows.time("backend_start", info.start).end();
    } else if (relation == "stv_inflight" && active) {
      rows.begin()
          .number("userid", info.user_id)
          .number("slice", 0)
          .number("query", info.query_id)
          .text("label", "default");
      rows.number("xid", info.transaction)
          .number("pid", info.id)
          .time("starttime", info.query_start);
      rows.text("text", utf8_prefix(info.query, 100))
          .number("suspended", 0)
          .number("insert_pristine", 0);
      rows.number("concurrency_scaling_status", 0).end();
    }
  }
  return rows.finish();
}

std::string recent_rows(const WarehouseState& state, const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  std::map<std::int32_t, std::string> names;
  for (const catalog::UserPointer& user : state.catalog->users()) names[user->id] = user->name;
  for (const QueryRecord& query : state.history.queries()) {
    if (!sees_all && query.user != viewer.user_id) continue;
    rows.begin().number("userid", query.user).text("status", query.finished ? "Done" : "Running");
    rows.time("starttime", query.start);
    rows.number("duration", (query.finished ? query.end : state.now()).value - query.start.value);
    rows.text("user_name", names[query.user]).text("db_name", query.database);
    rows.text("query", utf8_prefix(query.text, 600))
        .number("pid", query.finished ? -1 : query.session)
        .end();
  }
  return rows.finish();
}

std::int32_t class_of(const QueryRecord& query) {
  return query.service_class == 0 ? 100 : query.service_class;
}

void sys_query(Rows& rows, const WarehouseState& state, const QueryRecord& query, bool waiting) {
  const TimeUs end = query.finished ? query.end : state.now();
  rows.begin().number("user_id", query.user).number("query_id", query.id);
  rows.text("query_label", query.label.empty() ? "default" : query.label)
      .number("transaction_id", query.transaction);
  rows.number("session_id", query.session)
      .text("database_name", query.database)
      .text("query_type", query.type);
  rows.text("status", waiting           ? "queued"
                      : !query.finished ? "running"
                      : query.cancelled ? "canceled"
                      : query.failed    ? "failed"
                                        : "success");
  rows.boolean("result_cache_hit", false).time("start_time", query.start);
  if (query.finished) rows.time("end_time", end);
  rows.number("elapsed_time", end.value - query.start.value)
      .number("queue_time", query.queue_wait_us);
  rows.number("execution_time",
              end.value - query.start.value - query.lock_wait_us - query.queue_wait_us)
      .text("error_message", query.error);
  rows.number("returned_rows", query.rows)
      .number("returned_bytes", 0)
      .text("query_text", query.text);
  rows.text("redshift_version", "Redshift 1.0.100000")
      .text("compute_type", "primary")
      .number("compile_time", 0);
  rows.number("planning_time", 0)
      .number("lock_wait_time", query.lock_wait_us)
      .number("service_class_id", class_of(query));
  rows.text("service_class_name", class_name(query.queue)).text("query_priority", "Normal").end();
}

void stl_query(Rows& rows, const QueryRecord& query) {
  rows.begin().number("userid", query.user).number("query", query.id);
  rows.text("label", query.label.empty() ? "default" : query.label)
      .number("xid", query.transaction);
  rows.number("pid", query.session).text("database", query.database).text("querytxt", query.text);
  rows.time("starttime", query.start)
      .time("endtime", query.end)
      .number("aborted", query.failed ? 1 : 0);
  rows.number("insert_pristine", 0).number("concurrency_scaling_status", 0).end();
}

void qlog_row(Rows& rows, const QueryRecord& query) {
  rows.begin()
      .number("userid", query.user)
      .number("query", query.id)
      .number("xid", query.transaction);
  rows.number("pid", query.session).time("starttime", query.start).time("endtime", query.end);
  rows.number("elapsed", query.end.value - query.start.value)
      .number("aborted", query.failed ? 1 : 0);
  rows.text("label", query.label.empty() ? "default" : query.label)
      .text("substring", utf8_prefix(query.text, 60));
  rows.number("from_sp_call", 0).end();
}

/// The relations that cut a text into pieces of 200 bytes.
void text_rows(Rows& rows, std::string_view relation, const QueryRecord& query) {
  std::string_view rest = query.text;
  std::int64_t sequence = 0;
  constexpr std::string_view kTypes[] = {"QUERY", "DDL", "UTILITY"};
  do {
    const std::string_view piece = utf8_prefix(rest, 200);
    if (piece.empty() && !rest.empty()) return;
    rest.remove_prefix(piece.size());
    rows.begin();
    if (relation == "sys_query_text") {
      rows.number("user_id", query.user)
          .number("query_id", query.id)
          .number("transaction_id", query.transaction);
      rows.number("session_id", query.session).time("start_time", query.start);
    } else if (relation == "stl_querytext") {
      rows.number("userid", query.user)
          .number("xid", query.transaction)
          .number("pid", query.session);
      rows.number("query", query.id);
    } else {
      rows.number("userid", query.user)
          .number("xid", query.transaction)
          .number("pid", query.session);
      rows.text("label", query.label.empty() ? "default" : query.label)
          .time("starttime", query.start);
      rows.time("endtime", query.end);
      if (relation == "svl_statementtext")
        rows.text("type", kTypes[static_cast<std::size_t>(query.kind)]);
    }
    rows.number("sequence", sequence++).text("text", piece).end();
  } while (!rest.empty());
}

void wlm_query_row(Rows& rows, const QueryRecord& query) {
  const TimeUs begun{query.start.value + query.queue_wait_us};
  rows.begin().number("userid", query.user).number("xid", query.transaction);
  rows.number("task", query.id).number("query", query.id);
  rows.number("service_class", query.service_class).number("slot_count", query.slots);
  rows.time("service_class_start_time", query.start).time("queue_start_time", query.start);
  rows.time("queue_end_time", begun).number("total_queue_time", query.queue_wait_us);
  rows.time("exec_start_time", begun).time("exec_end_time", query.end);
  rows.number("total_exec_time", query.end.value - begun.value);
  rows.time("service_class_end_time", query.end).text("final_state", "Completed");
  rows.number("est_peak_mem", 0).text("query_priority", "Normal");
  rows.text("service_class_name", class_name(query.queue)).end();
}

std::string query_rows(const WarehouseState& state, std::string_view relation,
                       const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  std::set<std::int64_t> waiting;
  if (relation == "sys_query_history") {
    for (const QueueState& queue : state.queues->list()) {
      for (const QueuedStatement& each : queue.statements) {
        if (!each.running) waiting.insert(each.query);
      }
    }
  }
  for (const QueryRecord& query : state.history.queries()) {
    if (!sees_all && query.user != viewer.user_id) continue;
    if (relation == "sys_query_history") {
      sys_query(rows, state, query, waiting.contains(query.id));
      continue;
    }
    if (relation == "sys_query_text" || relation == "svl_statementtext") {
      text_rows(rows, relation, query);
      continue;
    }
    if (!query.finished) continue;
    if (relation == "stl_wlm_query") {
      if (query.service_class > 0) wlm_query_row(rows, query);
      continue;
    }
    if (relation == "stl_error") {
      if (!query.failed) continue;
      rows.begin()
          .number("userid", query.user)
          .text("process", "padbmaster")
          .time("recordtime", query.end);
      rows.number("pid", query.session)
          .text("errcode", query.sqlstate)
          .text("error", query.error)
          .end();
      continue;
    }
    const QueryClass wanted = relation == "stl_ddltext"       ? QueryClass::kDdl
                              : relation == "stl_utilitytext" ? QueryClass::kUtility
                                                              : QueryClass::kQuery;
    if (query.kind != wanted) continue;
    if (relation == "stl_query") {
      stl_query(rows, query);
    } else if (relation == "svl_qlog") {
      qlog_row(rows, query);
    } else {
      text_rows(rows, relation, query);
    }
  }
  return rows.finish();
}

std::string connection_rows(const WarehouseState& state, std::string_view relation,
                            const SessionInfo& viewer, bool sees_all) {
  const bool sys = relation == "sys_connection_log";
  Rows rows;
  for (const ConnectionRecord& each : state.history.connections()) {
    if (!sees_all && each.user != viewer.user) continue;
    const std::size_t colon = each.remote.rfind(':');
    rows.begin().text("event", each.event).time(sys ? "record_time" : "recordtime", each.time);
    rows.text(sys ? "remote_host" : "remotehost", each.remote.substr(0, colon));
    if (colon != std::string::npos)
      rows.text(sys ? "remote_port" : "remoteport", each.remote.substr(colon + 1));
    rows.number(sys ? "session_id" : "pid", each.session)
        .text(sys ? "database_name" : "dbname", each.database);
    rows.text(sys ? "user_name" : "username", each.user)
        .text(sys ? "auth_method" : "authmethod", each.method);
    rows.number("duration", each.duration_us)
        .text(sys ? "ssl_version" : "sslversion", each.encrypted ? "TLS" : "");
    rows.text("application_name", each.application).end();
  }
  return rows.finish();
}

/// Which tables the statements read and changed: stl_scan, stl_insert, stl_delete,
/// sys_query_detail.
std::string step_rows(const WarehouseState& state, std::string_view relation,
                      const SessionInfo& viewer, bool sees_all) {
  const bool sys = relation == "sys_query_detail";
  Rows rows;
  for (const QueryRecord& query : state.history.queries()) {
    if ((!sees_all && query.user != viewer.user_id) || !query.finished || query.failed) continue;
    std::int64_t segment = -1;
    for (const TableStep& step : query.steps) {
      ++segment;
      const bool scan = std::string_view(step.name) == "scan";
      if (!sys && relation.substr(4) != step.name) continue;
      rows.begin()
          .number(sys ? "user_id" : "userid", query.user)
          .number(sys ? "query_id" : "query", query.id)
          .number(sys ? "segment_id" : "segment", segment)
          .number(sys ? "step_id" : "step", 0)
          .time(sys ? "start_time" : "starttime", query.start)
          .time(sys ? "end_time" : "endtime", query.end)
          .number(sys ? "table_id" : "tbl", step.table);
      // How many rows a scan read is not known.
      if (!scan) rows.number(sys ? "output_rows" : "rows", query.rows);
      if (sys) {
        rows.number("child_query_sequence", 1).number("stream_id", 0);
        rows.text("step_name", step.name).text("table_name", step.table_name);
        rows.number("duration", query.end.value - query.start.value);
        rows.text("is_active", "f").text("metrics_level", "step");
      } else {
        rows.number("slice", 0).number("tasknum", 0);
        if (scan) {
          const std::string_view name = step.table_name;
          rows.number("type", 2).text("perm_table_name", name.substr(name.rfind('.') + 1));
        }
      }
      rows.end();
    }
  }
  return rows.finish();
}

std::string quota_rows(const WarehouseState& state, bool sys, const SessionInfo& viewer,
                       bool sees_all) {
  Rows rows;
  for (const QuotaRecord& each : state.history.quota_violations()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    rows.begin()
        .number(sys ? "owner_id" : "ownerid", each.owner)
        .number(sys ? "user_id" : "userid", each.user)
        .number(sys ? "transaction_id" : "xid", each.transaction)
        .number(sys ? "session_id" : "pid", each.session)
        .number("schema_id", each.schema)
        .text("schema_name", each.schema_name)
        .number("quota", each.quota_mb)
        .number("disk_usage", each.used_mb);
    if (!sys && each.quota_mb > 0)
      rows.number("disk_usage_pct", each.used_mb * 100 / each.quota_mb);
    rows.time(sys ? "record_time" : "timestamp", each.time).end();
  }
  return rows.finish();
}

std::string refresh_rows(const WarehouseState& state, bool sys, const SessionInfo& viewer,
                         bool sees_all) {
  Rows rows;
  for (const RefreshRecord& each : state.history.refreshes()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    rows.begin()
        .number(sys ? "user_id" : "userid", each.user)
        .number(sys ? "transaction_id" : "xid", each.transaction)
        .text(sys ? "database_name" : "db_name", each.database)
        .text("schema_name", each.schema_name)
        .text("mv_name", each.name)
        .text("refresh_type", each.automatic ? "Auto" : "Manual")
        .text("status", each.status)
        .time(sys ? "start_time" : "starttime", each.start)
        .time(sys ? "end_time" : "endtime", each.end);
    if (sys) {
      rows.number("session_id", each.session)
          .number("mv_id", each.view)
          .number("duration", each.end.value - each.start.value);
    }
    rows.end();
  }
  return rows.finish();
}

struct LockedTable {
  catalog::Oid database = 0;  ///< 0: of all.
  catalog::Oid oid = 0;       ///< 0: no table.
};

/// `name`: "database/schema.table", as lock_table() writes it.
LockedTable locked_table(const WarehouseState& state, const std::string& name) {
  const std::size_t slash = name.find('/');
  const std::size_t dot = name.find('.', slash);
  for (const Databases::CatalogPointer& catalog : state.databases->all()) {
    if (catalog->alias() != name.substr(0, slash)) continue;
    const catalog::SchemaPointer schema = catalog->schema(name.substr(slash + 1, dot - slash - 1));
    const catalog::RelationPointer table =
        schema == nullptr ? nullptr : catalog->relation(schema->oid, name.substr(dot + 1));
    return {.database = catalog->oid(), .oid = table == nullptr ? 0 : table->oid};
  }
  return {};
}

std::string lock_rows(const WarehouseState& state, std::string_view relation) {
  std::map<std::int32_t, SessionInfo> sessions;
  for (SessionInfo& info : state.session_infos()) sessions[info.id] = std::move(info);
  Rows rows;
  for (const LockInfo& lock : state.locks.list()) {
    // STV_LOCKS knows of writers only.
    if (relation == "stv_locks" && lock.mode == LockMode::kRead) continue;
    const LockedTable locked = locked_table(state, lock.table);
    const SessionInfo& info = sessions[lock.session];
    rows.begin();
    if (relation == "stv_locks") {
      rows.number("table_id", locked.oid)
          .number("lock_owner", info.transaction)
          .number("lock_owner_pid", lock.session);
      rows.time("lock_owner_start_ts", info.transaction_start);
      rows.text("lock_status", lock.granted ? "Holding write lock" : "Waiting for write lock")
          .end();
    } else if (relation == "pg_locks") {
      rows.text("locktype", "relation")
          .number("relation", locked.oid)
          .number("database", locked.database);
      rows.number("transaction", info.transaction)
          .number("pid", lock.session)
          .text("mode", lock_mode_name(lock.mode));
      rows.boolean("granted", lock.granted).end();
    } else {
      rows.text("txn_owner", info.user)
          .text("txn_db", info.database)
          .number("xid", info.transaction);
      rows.number("pid", lock.session)
          .time("txn_start", info.transaction_start)
          .text("lock_mode", lock_mode_name(lock.mode));
      rows.text("lockable_object_type", "relation")
          .number("relation", locked.oid)
          .boolean("granted", lock.granted)
          .end();
    }
  }
  return rows.finish();
}

std::string settings_object(const SessionState& session) {
  std::string out = "{";
  for (const auto& [name, value] : session.settings.list()) {
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, is_utf8(value) ? value : std::string());
  }
  return out + "}";
}

/// pg_get_late_binding_view_cols(): what each view would return now. The session's own connection
/// is busy with the statement that asks, so what it has not committed is not seen.
std::string late_binding_rows(const SessionState& session) {
  Rows rows;
  SqlResult<std::unique_ptr<engine::Connection>> reader = session.shared->database->connect();
  if (!reader) return rows.finish();
  for (const std::string& setting : sql::required_settings())
    static_cast<void>((*reader)->run(setting));
  const std::string& alias = session.own_catalog->alias();
  static_cast<void>((*reader)->run("USE " + engine::quote_identifier(alias)));
  for (const catalog::RelationPointer& view : session.catalog.relations(0)) {
    if (view->kind != catalog::RelationKind::kLateBindingView) continue;
    const SessionLookup lookup(session);
    const SqlResult<ViewQuery> query = late_binding_query(session, *view, {}, lookup);
    if (!query) continue;  // broken until its relations are back
    const SqlResult<engine::Prepared> prepared = (*reader)->prepare(query->text);
    if (!prepared) continue;
    std::int64_t number = 0;
    for (const engine::ColumnInfo& column : prepared->columns()) {
      rows.begin().text("view_schema", view->schema_name).text("view_name", view->name);
      rows.text("col_name", column.name)
          .text("col_type", sql::format_type(catalog::type_from_engine(column.type)))
          .number("col_num", ++number)
          .end();
    }
  }
  return rows.finish();
}

/// What only the asking session knows; nothing for the relations that all share.
std::optional<std::string> own_rows(const SessionState& session, std::string_view relation) {
  if (relation == "settings") return settings_object(session);
  if (relation == "late_binding_columns") return late_binding_rows(session);
  if (relation == "pg_last_query_id") return std::to_string(session.last_query);
  if (relation == "pg_last_copy_id") return std::to_string(session.last_copy);
  if (relation == "pg_last_copy_count") return std::to_string(session.last_copy_rows);
  if (relation == "pg_last_unload_id") return std::to_string(session.last_unload);
  if (relation == "pg_last_unload_count") return std::to_string(session.last_unload_rows);
  if (relation == "txid_current") return std::to_string(session.transaction_id);
  if (relation == "start_time") return format_timestamp(session.shared->started);
  return std::nullopt;
}

}  // namespace

std::string live_rows_of(const WarehouseState& state, std::string_view relation,
                         const SessionInfo& viewer, bool sees_all) {
  if (relation == "stv_sessions" || relation == "pg_stat_activity" || relation == "stv_inflight") {
    return session_rows(state, relation);
  }
  if (relation == "stv_recents") return recent_rows(state, viewer, sees_all);
  if (relation == "stv_locks" || relation == "pg_locks" || relation == "svv_transactions") {
    return lock_rows(state, relation);
  }
  if (relation == "stl_sessions" || relation == "sys_session_history")
    return past_session_rows(state, relation.starts_with("sys"), viewer, sees_all);
  if (relation.starts_with("stv_wlm_")) return queue_rows(state, relation, viewer, sees_all);
  if (relation == "stl_connection_log" || relation == "sys_connection_log") {
    return connection_rows(state, relation, viewer, sees_all);
  }
  if (relation == "stl_load_errors" || relation == "stl_loaderror_detail" ||
      relation == "sys_load_error_detail") {
    return load_error_rows(state, relation, viewer, sees_all);
  }
  if (relation == "stl_scan" || relation == "stl_insert" || relation == "stl_delete" ||
      relation == "sys_query_detail") {
    return step_rows(state, relation, viewer, sees_all);
  }
  if (relation == "stl_schema_quota_violations" || relation == "sys_schema_quota_violations")
    return quota_rows(state, relation.starts_with("sys"), viewer, sees_all);
  if (relation == "svl_mv_refresh_status" || relation == "sys_mv_refresh_history")
    return refresh_rows(state, relation.starts_with("sys"), viewer, sees_all);
  if (relation == "stl_load_commits" || relation == "stl_file_scan" ||
      relation == "stl_replacements" || relation.starts_with("sys_load_")) {
    return load_rows(state, relation, viewer, sees_all);
  }
  if (relation == "stl_s3client") return object_rows(state, viewer, sees_all);
  if (relation == "stl_unload_log" || relation.starts_with("sys_unload_")) {
    return unload_rows(state, relation, viewer, sees_all);
  }
  return query_rows(state, relation, viewer, sees_all);
}

std::string WarehouseState::live_rows(std::string_view relation, std::int64_t id) const {
  SessionInfo viewer;
  bool sees_all = false;
  {
    const std::shared_lock lock(sessions_mutex_);
    const auto found = sessions_.find(static_cast<std::int32_t>(id));
    if (found == sessions_.end()) return "[]";
    // The asking session's thread waits in the engine for this answer, so its state stands still.
    if (std::optional<std::string> own = own_rows(*found->second.session, relation))
      return std::move(*own);
    viewer = found->second.info;
    sees_all = found->second.session->has_system_privilege("access system table");
  }
  const catalog::UserPointer user = catalog->user(viewer.user_id);
  sees_all = sees_all || (user != nullptr && user->unrestricted_log);
  return live_rows_of(*this, relation, viewer, sees_all);
}

}  // namespace leat::session
