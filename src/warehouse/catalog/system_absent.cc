// Relations of what is not there: tools may ask for them and find nothing.
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

constexpr RelationSpec kAbsent[] = {
    {"stl_analyze_compression",
     "userid INTEGER, start_time TIMESTAMP, xid BIGINT, tbl INTEGER, tablename "
     "VARCHAR, col INTEGER, old_encoding VARCHAR, new_encoding VARCHAR, mode VARCHAR"},
    {"stl_mv_state",
     "userid BIGINT, starttime TIMESTAMP, xid BIGINT, event_desc VARCHAR, db_name "
     "VARCHAR, base_table_schema VARCHAR, base_table_name VARCHAR, mv_schema VARCHAR, "
     "mv_name VARCHAR, state VARCHAR"},
    {"stl_query_metrics",
     "userid INTEGER, service_class INTEGER, query INTEGER, segment INTEGER, step_type "
     "INTEGER, starttime TIMESTAMP, slices INTEGER, max_rows BIGINT, rows BIGINT, "
     "max_cpu_time BIGINT, cpu_time BIGINT, max_blocks_read INTEGER, blocks_read "
     "BIGINT, max_run_time BIGINT, run_time BIGINT, max_blocks_to_disk BIGINT, "
     "blocks_to_disk BIGINT, step INTEGER, max_query_scan_size BIGINT, query_scan_size "
     "BIGINT, query_priority INTEGER, query_queue_time BIGINT, service_class_name "
     "VARCHAR"},
    {"stl_sshclient_error",
     "userid INTEGER, query INTEGER, sliceid INTEGER, recordtime TIMESTAMP, pid "
     "INTEGER, ssh_username VARCHAR, endpoint VARCHAR, command VARCHAR, error VARCHAR"},
    {"stl_wlm_error", "userid INTEGER, recordtime TIMESTAMP, pid INTEGER, error_string VARCHAR"},
    {"stl_wlm_rule_action",
     "userid INTEGER, query INTEGER, service_class INTEGER, rule VARCHAR, action "
     "VARCHAR, recordtime TIMESTAMP, action_value VARCHAR, service_class_name VARCHAR"},
    {"stv_mv_deps",
     "db_name VARCHAR, schema VARCHAR, name VARCHAR, ref_schema VARCHAR, ref_name "
     "VARCHAR, ref_database_name VARCHAR"},
    {"stv_wlm_query_task_state",
     "service_class INTEGER, task INTEGER, query INTEGER, slot_count INTEGER, "
     "start_time TIMESTAMP, exec_time BIGINT"},
    {"svl_auto_worker_action",
     "table_id INTEGER, type VARCHAR, status VARCHAR, eventtime TIMESTAMP, sequence "
     "INTEGER, previous_state VARCHAR"},
    {"svl_federated_query",
     "userid INTEGER, xid BIGINT, pid INTEGER, query INTEGER, sourcetype VARCHAR, "
     "recordtime TIMESTAMP, querytext VARCHAR, num_rows BIGINT, num_bytes BIGINT, "
     "duration BIGINT"},
    {"svl_spatial_simplify",
     "query INTEGER, line_number INTEGER, maximum_tolerance DOUBLE, initial_size "
     "INTEGER, simplified BOOLEAN, final_size INTEGER, final_tolerance DOUBLE"},
    {"svl_spectrum_scan_error",
     "userid INTEGER, query INTEGER, location VARCHAR, rowid VARCHAR, colname VARCHAR, "
     "original_value VARCHAR, modified_value VARCHAR, trigger VARCHAR, action VARCHAR, "
     "action_value VARCHAR, error_code INTEGER"},
    {"svl_vacuum_percentage", "xid BIGINT, table_id INTEGER, percentage BIGINT"},
    {"svcs_concurrency_scaling_usage",
     "start_time TIMESTAMP, end_time TIMESTAMP, queries BIGINT, usage_in_seconds "
     "DOUBLE"},
    {"svcs_spectrum_scan_error",
     "userid INTEGER, query INTEGER, location VARCHAR, rowid VARCHAR, colname VARCHAR, "
     "original_value VARCHAR, modified_value VARCHAR, trigger VARCHAR, action VARCHAR, "
     "action_value VARCHAR, error_code INTEGER"},
    {"svv_geography_columns",
     "f_table_catalog VARCHAR, f_table_schema VARCHAR, f_table_name VARCHAR, "
     "f_geography_column VARCHAR, coord_dimension INTEGER, srid INTEGER, type VARCHAR"},
    {"svv_geometry_columns",
     "f_table_catalog VARCHAR, f_table_schema VARCHAR, f_table_name VARCHAR, "
     "f_geometry_column VARCHAR, coord_dimension INTEGER, srid INTEGER, type VARCHAR"},
    {"sys_child_query_text",
     "user_id INTEGER, query_id BIGINT, child_query_sequence INTEGER, sequence "
     "INTEGER, text VARCHAR"},
    {"sys_external_query_error",
     "user_id INTEGER, query_id BIGINT, file_location VARCHAR, rowid VARCHAR, "
     "column_name VARCHAR, original_value VARCHAR, modified_value VARCHAR, trigger "
     "VARCHAR, action VARCHAR, action_value VARCHAR, error_code INTEGER"},
    {"sys_mv_state",
     "user_id BIGINT, transaction_id BIGINT, database_name VARCHAR, event_desc "
     "VARCHAR, start_time TIMESTAMP, base_table_database_name VARCHAR, "
     "base_table_schema VARCHAR, base_table_name VARCHAR, mv_schema VARCHAR, mv_name "
     "VARCHAR, state VARCHAR"},
    {"sys_query_explain",
     "userid INTEGER, query_id BIGINT, child_query_sequence INTEGER, plan_node_id "
     "INTEGER, plan_parent_id INTEGER, plan_node VARCHAR, plan_info VARCHAR, "
     "query_uuid VARCHAR"},
    {"sys_restore_state",
     "user_id INTEGER, database_name VARCHAR, schema_id INTEGER, table_id INTEGER, "
     "table_name VARCHAR, redistribution_status VARCHAR, percentage_redistributed "
     "DOUBLE, redistribution_type VARCHAR"},
    {"sys_udf_log",
     "query_id BIGINT, function_name VARCHAR, record_time TIMESTAMP, sequence INTEGER, "
     "message VARCHAR, query_uuid VARCHAR"},
    {"pg_stats",
     "schemaname VARCHAR, tablename VARCHAR, attname VARCHAR, null_frac FLOAT, "
     "avg_width INTEGER, n_distinct FLOAT, most_common_vals VARCHAR, most_common_freqs "
     "VARCHAR, histogram_bounds VARCHAR, correlation FLOAT"},
    {"pg_rules", "schemaname VARCHAR, tablename VARCHAR, rulename VARCHAR, definition VARCHAR"},
    {"information_schema_triggers",
     "trigger_catalog VARCHAR, trigger_schema VARCHAR, trigger_name VARCHAR, "
     "event_manipulation VARCHAR, event_object_catalog VARCHAR, event_object_schema "
     "VARCHAR, event_object_table VARCHAR, action_order INTEGER, action_condition "
     "VARCHAR, action_statement VARCHAR, action_orientation VARCHAR, condition_timing "
     "VARCHAR, condition_reference_old_table VARCHAR, condition_reference_new_table "
     "VARCHAR"},
    {"information_schema_sequences",
     "sequence_catalog VARCHAR, sequence_schema VARCHAR, sequence_name VARCHAR, "
     "data_type VARCHAR, numeric_precision INTEGER, numeric_precision_radix INTEGER, "
     "numeric_scale INTEGER, start_value VARCHAR, minimum_value VARCHAR, maximum_value "
     "VARCHAR, increment VARCHAR, cycle_option VARCHAR"},
    {"information_schema_domains",
     "domain_catalog VARCHAR, domain_schema VARCHAR, domain_name VARCHAR, data_type "
     "VARCHAR, character_maximum_length INTEGER, numeric_precision INTEGER, "
     "numeric_scale INTEGER, domain_default VARCHAR, udt_catalog VARCHAR, udt_schema "
     "VARCHAR, udt_name VARCHAR"},
    {"information_schema_check_constraints",
     "constraint_catalog VARCHAR, constraint_schema VARCHAR, constraint_name VARCHAR, "
     "check_clause VARCHAR"},
};

}  // namespace

std::span<const RelationSpec> absent_relations() {
  return kAbsent;
}

}  // namespace leat::catalog
