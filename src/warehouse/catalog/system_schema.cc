#include "warehouse/catalog/system_schema.h"

#include <fmt/format.h>

#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "warehouse/catalog/catalog.h"
#include "warehouse/engine/value.h"
#include "warehouse/sql/translate.h"

namespace leat::catalog {
namespace {

using engine::SqlStatus;

constexpr RelationSpec kLive[] = {
    {"stv_sessions",
     "starttime TIMESTAMP, process INTEGER, user_name VARCHAR, db_name VARCHAR, timeout_sec "
     "INTEGER"},
    {"pg_stat_activity",
     "datid BIGINT, datname VARCHAR, procpid INTEGER, pid INTEGER, usesysid INTEGER, usename "
     "VARCHAR, "
     "application_name VARCHAR, state VARCHAR, current_query VARCHAR, query VARCHAR, query_start "
     "TIMESTAMP, backend_start TIMESTAMP"},
    {"stv_recents",
     "userid INTEGER, status VARCHAR, starttime TIMESTAMP, duration BIGINT, user_name VARCHAR, "
     "db_name "
     "VARCHAR, query VARCHAR, pid INTEGER"},
    {"stv_inflight",
     "userid INTEGER, slice INTEGER, query INTEGER, label VARCHAR, xid BIGINT, pid INTEGER, "
     "starttime "
     "TIMESTAMP, text VARCHAR, suspended INTEGER, insert_pristine INTEGER, "
     "concurrency_scaling_status "
     "INTEGER"},
    {"stv_locks",
     "table_id BIGINT, last_commit TIMESTAMP, last_update TIMESTAMP, lock_owner BIGINT, "
     "lock_owner_pid "
     "INTEGER, lock_owner_start_ts TIMESTAMP, lock_owner_end_ts TIMESTAMP, lock_status VARCHAR"},
    {"pg_locks",
     "locktype VARCHAR, relation BIGINT, database BIGINT, transaction BIGINT, pid INTEGER, mode "
     "VARCHAR, "
     "granted BOOLEAN"},
    {"svv_transactions",
     "txn_owner VARCHAR, txn_db VARCHAR, xid BIGINT, pid INTEGER, txn_start TIMESTAMP, lock_mode "
     "VARCHAR, lockable_object_type VARCHAR, relation BIGINT, granted BOOLEAN"},
    {"stl_query",
     "userid INTEGER, query INTEGER, label VARCHAR, xid BIGINT, pid INTEGER, database VARCHAR, "
     "querytxt "
     "VARCHAR, starttime TIMESTAMP, endtime TIMESTAMP, aborted INTEGER, insert_pristine INTEGER, "
     "concurrency_scaling_status INTEGER"},
    {"svl_qlog",
     "userid INTEGER, query INTEGER, xid BIGINT, pid INTEGER, starttime TIMESTAMP, endtime "
     "TIMESTAMP, elapsed "
     "BIGINT, aborted INTEGER, label VARCHAR, substring VARCHAR, source_query INTEGER, "
     "concurrency_scaling_status_txt VARCHAR, from_sp_call INTEGER"},
    {"stl_ddltext",
     "userid INTEGER, xid BIGINT, pid INTEGER, label VARCHAR, starttime TIMESTAMP, endtime "
     "TIMESTAMP, "
     "sequence INTEGER, text VARCHAR"},
    {"stl_utilitytext",
     "userid INTEGER, xid BIGINT, pid INTEGER, label VARCHAR, starttime TIMESTAMP, endtime "
     "TIMESTAMP, "
     "sequence INTEGER, text VARCHAR"},
    {"svl_statementtext",
     "userid INTEGER, xid BIGINT, pid INTEGER, label VARCHAR, starttime TIMESTAMP, endtime "
     "TIMESTAMP, "
     "sequence INTEGER, type VARCHAR, text VARCHAR"},
    {"stl_querytext",
     "userid INTEGER, xid BIGINT, pid INTEGER, query INTEGER, sequence INTEGER, text VARCHAR"},
    {"sys_query_history",
     "user_id INTEGER, query_id BIGINT, query_label VARCHAR, transaction_id BIGINT, session_id "
     "INTEGER, database_name "
     "VARCHAR, query_type VARCHAR, status VARCHAR, result_cache_hit BOOLEAN, start_time TIMESTAMP, "
     "end_time TIMESTAMP, "
     "elapsed_time BIGINT, queue_time BIGINT, execution_time BIGINT, error_message VARCHAR, "
     "returned_rows BIGINT, "
     "returned_bytes BIGINT, query_text VARCHAR, redshift_version VARCHAR, usage_limit VARCHAR, "
     "compute_type VARCHAR, "
     "compile_time BIGINT, planning_time BIGINT, lock_wait_time BIGINT, service_class_id INTEGER, "
     "service_class_name "
     "VARCHAR, query_priority VARCHAR, short_query_accelerated VARCHAR, user_query_hash VARCHAR, "
     "generic_query_hash "
     "VARCHAR, query_hash_version INTEGER"},
    {"sys_query_text",
     "user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER, start_time "
     "TIMESTAMP, "
     "sequence INTEGER, text VARCHAR"},
    {"stl_wlm_query",
     "userid INTEGER, xid BIGINT, task INTEGER, query INTEGER, service_class INTEGER, slot_count "
     "INTEGER, service_class_start_time TIMESTAMP, queue_start_time TIMESTAMP, queue_end_time "
     "TIMESTAMP, total_queue_time BIGINT, exec_start_time TIMESTAMP, exec_end_time TIMESTAMP, "
     "total_exec_time BIGINT, service_class_end_time TIMESTAMP, final_state VARCHAR, est_peak_mem "
     "BIGINT, query_priority VARCHAR, service_class_name VARCHAR"},
    {"stv_wlm_query_state",
     "xid BIGINT, task INTEGER, query INTEGER, service_class INTEGER, slot_count INTEGER, "
     "wlm_start_time TIMESTAMP, state VARCHAR, queue_time BIGINT, exec_time BIGINT, query_priority "
     "VARCHAR"},
    {"stv_wlm_query_queue_state",
     "service_class INTEGER, position INTEGER, task INTEGER, query INTEGER, slot_count INTEGER, "
     "start_time TIMESTAMP, queue_time BIGINT"},
    {"stv_wlm_service_class_config",
     "service_class INTEGER, queueing_strategy VARCHAR, num_query_tasks INTEGER, "
     "target_num_query_tasks INTEGER, evictable VARCHAR, eviction_threshold BIGINT, "
     "query_working_mem INTEGER, target_query_working_mem INTEGER, min_step_mem INTEGER, name "
     "VARCHAR, max_execution_time BIGINT, user_group_wild_card VARCHAR, query_group_wild_card "
     "VARCHAR, concurrency_scaling VARCHAR, query_priority VARCHAR"},
    {"stv_wlm_service_class_state",
     "service_class INTEGER, num_queued_queries INTEGER, num_executing_queries INTEGER, "
     "num_serviced_queries INTEGER, num_executed_queries INTEGER, target_num_query_tasks INTEGER, "
     "num_query_tasks INTEGER"},
    {"stv_wlm_classification_config",
     "id INTEGER, condition VARCHAR, action_seq INTEGER, action VARCHAR, action_service_class "
     "INTEGER"},
    {"stl_sessions",
     "userid INTEGER, starttime TIMESTAMP, endtime TIMESTAMP, process INTEGER, user_name VARCHAR, "
     "db_name VARCHAR, timeout_sec INTEGER, timed_out INTEGER"},
    {"sys_session_history",
     "user_id INTEGER, session_id INTEGER, database_name VARCHAR, status VARCHAR, session_timeout "
     "INTEGER, start_time TIMESTAMP, end_time TIMESTAMP"},
    {"stl_error",
     "userid INTEGER, process VARCHAR, recordtime TIMESTAMP, pid INTEGER, errcode VARCHAR, file "
     "VARCHAR, "
     "linenum INTEGER, context VARCHAR, error VARCHAR"},
    {"stl_scan",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, fetches "
     "BIGINT, type INTEGER, tbl INTEGER, is_rrscan VARCHAR, is_delayed_scan VARCHAR, "
     "rows_pre_filter BIGINT, rows_pre_user_filter BIGINT, perm_table_name VARCHAR, "
     "is_rlf_scan VARCHAR, is_rlf_scan_reason INTEGER, num_em_blocks INTEGER, checksum "
     "BIGINT, runtime_filtering VARCHAR, scan_region INTEGER, num_sortkey_as_predicate "
     "INTEGER, row_fetcher_state INTEGER, consumed_scan_ranges BIGINT, work_stealing_reason "
     "BIGINT, is_vectorized_scan VARCHAR, is_vectorized_scan_reason INTEGER, "
     "row_fetcher_reason BIGINT, topology_signature BIGINT, use_tpm_partition VARCHAR, "
     "is_rrscan_expr VARCHAR, scanned_mega_value VARCHAR"},
    {"stl_insert",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, tbl INTEGER, "
     "inserted_mega_value VARCHAR"},
    {"stl_delete",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, tbl INTEGER"},
    {"sys_query_detail",
     "user_id INTEGER, query_id BIGINT, child_query_sequence INTEGER, stream_id INTEGER, "
     "segment_id INTEGER, step_id INTEGER, step_name VARCHAR, table_id INTEGER, table_name "
     "VARCHAR, is_rrscan VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, duration BIGINT, "
     "alert VARCHAR, input_bytes BIGINT, input_rows BIGINT, output_bytes BIGINT, output_rows "
     "BIGINT, blocks_read BIGINT, blocks_write BIGINT, local_read_io BIGINT, remote_read_io "
     "BIGINT, source VARCHAR, data_skewness INTEGER, time_skewness INTEGER, is_active "
     "VARCHAR, spilled_block_local_disk BIGINT, spilled_block_remote_disk BIGINT, "
     "step_attribute VARCHAR, metrics_level VARCHAR, plan_parent_id INTEGER, plan_node_id "
     "INTEGER"},
    {"svl_mv_refresh_status",
     "db_name VARCHAR, userid INTEGER, schema_name VARCHAR, mv_name VARCHAR, xid BIGINT, "
     "starttime TIMESTAMP, endtime TIMESTAMP, status VARCHAR, refresh_type VARCHAR"},
    {"sys_mv_refresh_history",
     "user_id INTEGER, session_id INTEGER, transaction_id BIGINT, database_name VARCHAR, "
     "schema_name VARCHAR, mv_id BIGINT, mv_name VARCHAR, refresh_type VARCHAR, status "
     "VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, duration BIGINT"},
    {"stl_schema_quota_violations",
     "ownerid INTEGER, xid BIGINT, pid INTEGER, userid INTEGER, schema_id INTEGER, schema_name "
     "VARCHAR, quota INTEGER, disk_usage INTEGER, disk_usage_pct DOUBLE, timestamp TIMESTAMP"},
    {"sys_schema_quota_violations",
     "owner_id INTEGER, user_id INTEGER, transaction_id BIGINT, session_id INTEGER, schema_id "
     "INTEGER, schema_name VARCHAR, quota INTEGER, disk_usage INTEGER, record_time TIMESTAMP"},
    {"stl_connection_log",
     "event VARCHAR, recordtime TIMESTAMP, remotehost VARCHAR, remoteport VARCHAR, pid INTEGER, "
     "dbname VARCHAR, username VARCHAR, authmethod VARCHAR, duration BIGINT, sslversion VARCHAR, "
     "sslcipher VARCHAR, mtu INTEGER, sslcompression VARCHAR, sslexpansion VARCHAR, iamauthguid "
     "VARCHAR, application_name VARCHAR, os_version VARCHAR, driver_version VARCHAR, plugin_name "
     "VARCHAR, protocol_version INTEGER, sessionid VARCHAR, compression VARCHAR"},
    {"sys_connection_log",
     "event VARCHAR, record_time TIMESTAMP, remote_host VARCHAR, remote_port VARCHAR, session_id "
     "INTEGER, database_name VARCHAR, user_name VARCHAR, auth_method VARCHAR, duration BIGINT, "
     "ssl_version VARCHAR, ssl_cipher VARCHAR, mtu INTEGER, ssl_compression VARCHAR, "
     "ssl_expansion VARCHAR, iam_auth_guid VARCHAR, application_name VARCHAR, driver_version "
     "VARCHAR, os_version VARCHAR, plugin_name VARCHAR, protocol_version INTEGER, "
     "global_session_id VARCHAR"},
    {"stl_load_errors",
     "userid INTEGER, slice INTEGER, tbl INTEGER, starttime TIMESTAMP, session INTEGER, query "
     "INTEGER, "
     "filename VARCHAR, line_number BIGINT, colname VARCHAR, type VARCHAR, col_length VARCHAR, "
     "position "
     "INTEGER, raw_line VARCHAR, raw_field_value VARCHAR, err_code INTEGER, err_reason VARCHAR, "
     "is_partial INTEGER, start_offset BIGINT, copy_job_id BIGINT"},
    {"sys_load_error_detail",
     "user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER, database_name "
     "VARCHAR, table_id INTEGER, start_time TIMESTAMP, file_name VARCHAR, line_number BIGINT, "
     "column_name VARCHAR, column_type VARCHAR, column_length VARCHAR, position INTEGER, "
     "error_code INTEGER, error_message VARCHAR"},
    {"stl_loaderror_detail",
     "userid INTEGER, slice INTEGER, session INTEGER, query INTEGER, filename VARCHAR, "
     "line_number BIGINT, field INTEGER, colname VARCHAR, value VARCHAR, is_null INTEGER, "
     "type VARCHAR, col_length VARCHAR"},
    {"stl_replacements",
     "userid INTEGER, query INTEGER, slice INTEGER, tbl INTEGER, starttime TIMESTAMP, "
     "session INTEGER, filename VARCHAR, line_number INTEGER, colname VARCHAR, raw_line "
     "VARCHAR"},
    {"stl_file_scan",
     "userid INTEGER, query INTEGER, slice INTEGER, name VARCHAR, lines BIGINT, bytes "
     "BIGINT, loadtime BIGINT, curtime TIMESTAMP, is_partial INTEGER, start_offset BIGINT"},
    {"sys_load_detail",
     "user_id INTEGER, query_id INTEGER, file_name VARCHAR, bytes_scanned BIGINT, "
     "lines_scanned BIGINT, record_time TIMESTAMP, splits_scanned INTEGER, start_time "
     "TIMESTAMP, end_time TIMESTAMP, file_etag VARCHAR, file_last_modified TIMESTAMP"},
    {"stl_s3client",
     "userid INTEGER, query INTEGER, slice INTEGER, recordtime TIMESTAMP, pid INTEGER, "
     "http_method VARCHAR, bucket VARCHAR, key VARCHAR, transfer_size BIGINT, data_size BIGINT, "
     "start_time BIGINT, end_time BIGINT, transfer_time BIGINT, compression_time BIGINT, "
     "connect_time BIGINT, app_connect_time BIGINT, retries BIGINT, request_id VARCHAR, "
     "extended_request_id VARCHAR, ip_address VARCHAR, is_partial INTEGER, start_offset BIGINT"},
    {"stl_load_commits",
     "userid INTEGER, query INTEGER, slice INTEGER, name VARCHAR, filename VARCHAR, byte_offset "
     "INTEGER, lines_scanned INTEGER, errors INTEGER, curtime TIMESTAMP, status INTEGER, "
     "file_format "
     "VARCHAR, is_partial INTEGER, start_offset BIGINT, copy_job_id BIGINT"},
    {"stl_unload_log",
     "userid INTEGER, query INTEGER, slice INTEGER, pid INTEGER, path VARCHAR, start_time "
     "TIMESTAMP, end_time TIMESTAMP, line_count BIGINT, transfer_size BIGINT, file_format VARCHAR"},
    {"sys_unload_detail",
     "user_id INTEGER, query_id INTEGER, session_id INTEGER, transaction_id BIGINT, file_name "
     "VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, line_count BIGINT, transfer_size BIGINT, "
     "file_format VARCHAR"},
    {"sys_unload_history",
     "user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER, database_name "
     "VARCHAR, status VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, duration BIGINT, "
     "file_format VARCHAR, compression_type VARCHAR, unloaded_location VARCHAR, unloaded_rows "
     "BIGINT, unloaded_files_count BIGINT, unloaded_files_size BIGINT, error_message VARCHAR"},
    {"sys_load_history",
     "user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER, database_name "
     "VARCHAR, status VARCHAR, table_name VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, "
     "duration "
     "BIGINT, data_source VARCHAR, file_format VARCHAR, loaded_rows BIGINT, loaded_bytes BIGINT, "
     "source_file_count INTEGER, source_file_bytes BIGINT, file_count_scanned INTEGER, "
     "file_bytes_scanned BIGINT, error_count BIGINT, copy_job_id BIGINT"},
};

std::vector<std::pair<std::string, std::string>> columns_of(const RelationSpec& spec) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (const std::string_view part : split(spec.columns, ',')) {
    const std::string_view column = trim(part);
    const std::size_t space = column.find(' ');
    columns.emplace_back(column.substr(0, space), column.substr(space + 1));
  }
  return columns;
}

std::string live_view(const RelationSpec& spec) {
  std::string names;
  std::string structure;
  for (const auto& [name, type] : columns_of(spec)) {
    if (!names.empty()) names += ", ";
    if (!structure.empty()) structure += ',';
    names += fmt::format("r.\"{}\"", name);
    structure += fmt::format("\"{}\":\"{}\"", name, type);
  }
  return fmt::format(
      "CREATE OR REPLACE VIEW leat_system.{0} AS SELECT {1} FROM (SELECT "
      "unnest(from_json(leat_rows("
      "leat_system.leat_session(), '{0}'), '[{{{2}}}]')) AS r)",
      spec.name, names, structure);
}

std::string empty_view(const RelationSpec& spec) {
  std::string list;
  for (const auto& [name, type] : columns_of(spec)) {
    if (!list.empty()) list += ", ";
    list += fmt::format("CAST(NULL AS {}) AS \"{}\"", type, name);
  }
  return fmt::format("CREATE OR REPLACE VIEW leat_system.{} AS SELECT {} WHERE false", spec.name,
                     list);
}

// The system relations list themselves, once all of them exist. PostgreSQL's own numbers for the
// classes that clients name by number.
constexpr std::string_view kListSystemRelations[] = {
    "DELETE FROM leat_system.leat_system_relations",
    R"sql(INSERT INTO leat_system.leat_system_relations
SELECT CASE view_name WHEN 'pg_class' THEN 1259 WHEN 'pg_attribute' THEN 1249 WHEN 'pg_type' THEN
  1247 WHEN 'pg_proc' THEN
  1255 WHEN 'pg_namespace' THEN 2615 WHEN 'pg_constraint' THEN 2606 WHEN 'pg_database' THEN 1262
  WHEN 'pg_attrdef' THEN
  2604 WHEN 'pg_index' THEN 2610 WHEN 'pg_description' THEN 2609 WHEN 'pg_am' THEN 2601 WHEN
  'pg_rewrite' THEN 2618
  WHEN 'pg_trigger' THEN 2620 WHEN 'pg_language' THEN 2612 ELSE 11000 + row_number() OVER (ORDER BY
  view_name) END,
  CASE WHEN view_name LIKE 'information\_schema\_%' ESCAPE '\' THEN 12 ELSE 11 END,
  CASE WHEN view_name LIKE 'information\_schema\_%' ESCAPE '\' THEN substr(view_name, 20) ELSE
  view_name END,
  CASE WHEN view_name LIKE 'information\_schema\_%' ESCAPE '\' THEN 'information_schema.' ||
  substr(view_name, 20)
  ELSE 'pg_catalog.' || view_name END,
  CASE WHEN view_name LIKE 'pg\_%' ESCAPE '\' AND view_name NOT IN ('pg_tables', 'pg_views',
  'pg_user', 'pg_table_def',
  'pg_settings', 'pg_locks', 'pg_stat_activity') THEN 'r' ELSE 'v' END
FROM duckdb_views() WHERE schema_name = 'leat_system' AND database_name = current_database() AND NOT
  internal AND view_name NOT LIKE
  'leat\_%' ESCAPE '\')sql",
    "DELETE FROM leat_system.leat_system_columns",
    R"sql(INSERT INTO leat_system.leat_system_columns
SELECT s.oid, c.column_index, c.column_name, CASE c.data_type WHEN 'BOOLEAN' THEN 16 WHEN
  'SMALLINT' THEN 21 WHEN 'INTEGER'
  THEN 23 WHEN 'BIGINT' THEN 20 WHEN 'LEAT_OID' THEN 26 WHEN 'LEAT_CHARACTER' THEN 18 WHEN 'FLOAT' THEN 700 WHEN 'DOUBLE' THEN 701 WHEN 'TIMESTAMP' THEN
  1114 WHEN 'VARCHAR[]'
  THEN 1009 WHEN 'SMALLINT[]' THEN 1005 WHEN 'LEAT_CHARACTER[]' THEN 1002 WHEN 'LEAT_OID[]' THEN 1028 WHEN 'LEAT_SHORT_ELEMENT[]' THEN 22 WHEN
  'LEAT_OID_ELEMENT[]' THEN 30 WHEN 'VARCHAR' THEN 25 ELSE 1700 END
FROM duckdb_columns() c JOIN leat_system.leat_system_relations s ON c.table_name = CASE WHEN
  s."schema" = 12 THEN
  'information_schema_' || s.name ELSE s.name END WHERE c.schema_name = 'leat_system' AND
  c.database_name = current_database())sql",
};

SqlStatus run_all(engine::Connection& connection, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    if (auto done = connection.run(statement); !done) {
      engine::SqlError error = std::move(done).error();
      error.detail = statement.substr(0, 200);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

}  // namespace

std::span<const RelationSpec> live_relations() {
  return kLive;
}

std::vector<std::string> spec_statements() {
  std::vector<std::string> statements;
  for (const RelationSpec& spec : live_relations()) statements.push_back(live_view(spec));
  for (const RelationSpec& spec : empty_relations()) statements.push_back(empty_view(spec));
  for (const RelationSpec& spec : absent_relations()) statements.push_back(empty_view(spec));
  return statements;
}

SqlStatus create_system_schema(engine::Connection& connection) {
  std::vector<std::string> statements = {"CREATE SCHEMA leat_system", "CREATE SCHEMA leat_dialect"};
  const auto append = [&](const std::vector<std::string>& more) {
    statements.insert(statements.end(), more.begin(), more.end());
  };
  // Not in leat_system: a view finds unqualified functions in its own schema first, and some of
  // these are named like the DuckDB function they call.
  sql::TranslateContext dialect;
  dialect.function_schema = kDialectSchema;
  append(sql::dialect_macros(dialect));
  append(system_macro_statements());
  append(pg_catalog_statements());
  append(late_macro_statements());
  append(information_statements());
  append(rights_statements());
  append(spec_statements());
  append(activity_statements());
  statements.insert(statements.end(), std::begin(kListSystemRelations),
                    std::end(kListSystemRelations));

  std::string all;
  for (const std::string& statement : statements) all += statement;
  const std::string version = to_hex(sha256(all));
  LEAT_ASSIGN(const auto known,
              connection.query("SELECT value FROM leat_catalog.properties WHERE name = "
                               "'system_schema_version'"));
  if (!known.empty() && known[0][0] == version) return {};

  LEAT_TRY(connection.begin());
  std::vector<std::string> before = {"DROP SCHEMA IF EXISTS leat_system CASCADE",
                                     "DROP SCHEMA IF EXISTS leat_dialect CASCADE"};
  LEAT_TRY(run_all(connection, before));
  LEAT_TRY(run_all(connection, statements));
  LEAT_TRY(run_all(
      connection,
      {"DELETE FROM leat_catalog.properties WHERE name = 'system_schema_version'",
       fmt::format("INSERT INTO leat_catalog.properties VALUES ('system_schema_version', '{}')",
                   version)}));
  LEAT_TRY(connection.commit());
  return {};
}

}  // namespace leat::catalog
