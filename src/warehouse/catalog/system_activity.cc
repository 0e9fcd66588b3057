// What the system relations say of activity, beside what the process holds in memory; and the
// relations of what is not here.
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

constexpr std::string_view kViews[] = {
    R"sql(sys_copy_replacements AS
SELECT userid AS user_id, CAST(query AS BIGINT) AS query_id, tbl AS table_id, filename AS file_name,
  colname AS column_name, CAST(line_number AS BIGINT) AS line_number, raw_line
FROM leat_system.stl_replacements)sql",
    R"sql(stv_slices AS SELECT 0 AS node, 0 AS slice, 0 AS localslice, 'D' AS type)sql",
    R"sql(stv_cursor_configuration AS SELECT 0 AS current_cursor_count, 0 AS
  max_diskspace_usable, 0 AS
  current_diskspace_used)sql",
    R"sql(stv_db_isolation_level AS SELECT database_name AS db_name, database_isolation_level AS
  isolation_level FROM leat_system.svv_redshift_databases)sql",
    R"sql(stv_tbl_perm AS SELECT 0 AS slice, CAST(table_id AS INTEGER) AS id, "table" AS name,
  CAST(tbl_rows AS BIGINT) AS rows, CAST(tbl_rows AS BIGINT) AS sorted_rows, 0 AS temp, 100 AS
  db_id,
  0 AS insert_pristine, 0 AS delete_pristine, 1 AS backup, 0 AS dist_style, size AS block_count
FROM leat_system.svv_table_info)sql",
    R"sql(stv_mv_info AS SELECT database_name AS db_name, schema_name AS "schema", name,
  CAST(NULL AS
  BIGINT) AS updated_upto_xid, is_stale, user_name AS owner_user_name, state, autorewrite,
  autorefresh
FROM leat_system.svv_mv_info)sql",
    R"sql(svv_mv_dependency AS
SELECT leat_system.current_database() AS database_name, v.schema_name, v.name,
  leat_system.current_database() AS dependent_database_name, t.schema_name AS dependent_schema_name,
  t.name AS dependent_name, v.owner
FROM (SELECT oid, unnest(string_split(depends_on, ' ')) AS id FROM leat_catalog.relations WHERE
  kind =
  'm' AND depends_on <> '') d
JOIN leat_system.leat_visible_relations v ON v.oid = d.oid
JOIN leat_system.leat_visible_relations t ON t.oid = CAST(d.id AS BIGINT))sql",
    R"sql(svv_query_inflight AS SELECT userid, slice, query, pid, starttime, suspended, text, 0 AS
  sequence FROM leat_system.stv_inflight)sql",
    R"sql(svl_query_queue_info AS
SELECT q.database, w.query, w.xid, w.userid, q.querytxt, w.queue_start_time, w.exec_start_time,
  w.service_class, w.slot_count AS slots, w.total_queue_time // 1000000 AS queue_elapsed,
  w.total_exec_time // 1000000 AS exec_elapsed, (w.total_queue_time + w.total_exec_time) //
  1000000 AS
  wlm_total_elapsed, CAST(0 AS BIGINT) AS commit_queue_elapsed, CAST(0 AS BIGINT) AS
  commit_exec_time
FROM leat_system.stl_wlm_query w JOIN leat_system.stl_query q ON q.query = w.query)sql",
    R"sql(svv_schema_quota_state AS
SELECT s.oid AS schema_id, s.name AS schema_name, s.owner AS schema_owner,
  CAST(CASE WHEN k.quota_mb >= 0 THEN k.quota_mb END AS INTEGER) AS quota,
  CAST(coalesce(u.used, 0) AS INTEGER) AS disk_usage,
  CASE WHEN k.quota_mb > 0 THEN round(coalesce(u.used, 0) * 100.0 / k.quota_mb, 2) END AS
  disk_usage_pct
FROM leat_list_schemas(leat_system.leat_session()) s JOIN leat_catalog.schemas k ON k.oid = s.oid
LEFT JOIN (SELECT w."schema", sum(1 + z.row_count * w.row_bytes // 1048576) AS used FROM
  leat_system.leat_row_bytes w JOIN leat_system.leat_sizes z ON z.oid = w.oid WHERE z.row_count > 0
  GROUP BY w."schema") u ON u."schema" = s.oid
WHERE leat_system.has_schema_privilege(s.oid, 'usage'))sql",
    // With the queries of concurrency scaling, of which there are none.
    R"sql(svcs_alert_event_log AS SELECT * FROM leat_system.stl_alert_event_log)sql",
    R"sql(svcs_compile AS SELECT * FROM leat_system.svl_compile)sql",
    R"sql(svcs_explain AS SELECT * FROM leat_system.stl_explain)sql",
    R"sql(svcs_plan_info AS SELECT * FROM leat_system.stl_plan_info)sql",
    R"sql(svcs_query_summary AS SELECT * FROM leat_system.svl_query_summary)sql",
    R"sql(svcs_s3log AS SELECT * FROM leat_system.svl_s3log)sql",
    R"sql(svcs_s3query_summary AS SELECT * FROM leat_system.svl_s3query_summary)sql",
    R"sql(svcs_stream_segs AS SELECT * FROM leat_system.stl_stream_segs)sql",
    R"sql(svcs_unload_log AS SELECT * FROM leat_system.stl_unload_log)sql",
    R"sql(svl_user_info AS SELECT user_name AS usename, user_id AS usesysid, createdb AS
  usecreatedb,
  superuser AS usesuper, catalog_update AS usecatupd, connection_limit AS useconnlimit,
  syslog_access
  AS syslogaccess, last_ddl_timestamp AS last_ddl_ts, session_timeout AS sessiontimeout,
  external_user_id AS external_id FROM leat_system.svv_user_info WHERE
  leat_system.leat_superuser())sql",
};

// Empty, but with the columns that tools name.
constexpr RelationSpec kEmpty[] = {
    {"pg_inherits",
     "inhrelid BIGINT, inhparent BIGINT, inhseqno INTEGER, inhdetachpending BOOLEAN"},
    {"pg_trigger",
     "oid BIGINT, tgrelid BIGINT, tgname VARCHAR, tgfoid BIGINT, tgtype SMALLINT, tgenabled "
     "VARCHAR, "
     "tgisinternal BOOLEAN, tgconstraint BIGINT, tgparentid BIGINT, tgattr LEAT_SHORT_ELEMENT[], "
     "tableoid LEAT_OID"},
    {"pg_policy",
     "oid BIGINT, polname VARCHAR, polrelid BIGINT, polcmd VARCHAR, polpermissive BOOLEAN, "
     "polroles "
     "VARCHAR[], polqual VARCHAR, polwithcheck VARCHAR"},
    {"pg_statistic_ext",
     "oid BIGINT, stxrelid BIGINT, stxname VARCHAR, stxnamespace BIGINT, stxkind VARCHAR[]"},
    {"pg_publication", "oid BIGINT, pubname VARCHAR, puballtables BOOLEAN"},
    {"pg_publication_rel", "oid BIGINT, prpubid BIGINT, prrelid BIGINT"},
    {"pg_enum", "oid LEAT_OID, enumtypid LEAT_OID, enumsortorder FLOAT, enumlabel VARCHAR"},
    {"pg_range", "rngtypid LEAT_OID, rngsubtype LEAT_OID"},
    {"pg_aggregate", "aggfnoid BIGINT, aggtransfn BIGINT"},
    {"pg_external_schema", "esoid BIGINT, eskind SMALLINT, esdbname VARCHAR, esoptions VARCHAR"},
    {"pg_library", "name VARCHAR, language_oid BIGINT, file_store_id INTEGER, owner INTEGER"},
    {"pg_statistic_indicator",
     "stairelid BIGINT, stairows DOUBLE, staiins DOUBLE, staidels DOUBLE"},
    {"pg_conversion",
     "oid BIGINT, conname VARCHAR, connamespace BIGINT, conowner INTEGER, conforencoding INTEGER, "
     "contoencoding INTEGER, conproc BIGINT, condefault BOOLEAN"},
    {"pg_db_role_setting", "setdatabase BIGINT, setrole BIGINT, setconfig VARCHAR[]"},
    {"pg_foreign_data_wrapper",
     "oid BIGINT, fdwname VARCHAR, fdwowner INTEGER, fdwhandler BIGINT, fdwvalidator BIGINT, "
     "fdwacl VARCHAR[], fdwoptions VARCHAR[]"},
    {"pg_user_mappings",
     "umid BIGINT, srvid BIGINT, srvname VARCHAR, umuser BIGINT, usename VARCHAR, umoptions "
     "VARCHAR[]"},
    {"pg_largeobject_metadata", "oid BIGINT, lomowner INTEGER, lomacl VARCHAR[]"},
    {"pg_opclass",
     "oid BIGINT, opcmethod BIGINT, opcname VARCHAR, opcnamespace BIGINT, opcowner INTEGER, "
     "opcfamily BIGINT, opcintype BIGINT, opcdefault BOOLEAN, opckeytype BIGINT, tableoid "
     "LEAT_OID"},
    {"pg_opfamily",
     "oid BIGINT, opfmethod BIGINT, opfname VARCHAR, opfnamespace BIGINT, opfowner INTEGER, "
     "tableoid LEAT_OID"},
    {"pg_ts_config",
     "oid BIGINT, cfgname VARCHAR, cfgnamespace BIGINT, cfgowner INTEGER, cfgparser "
     "BIGINT"},
    {"pg_ts_dict",
     "oid BIGINT, dictname VARCHAR, dictnamespace BIGINT, dictowner INTEGER, "
     "dicttemplate BIGINT, dictinitoption VARCHAR"},
    {"pg_ts_parser", "oid BIGINT, prsname VARCHAR, prsnamespace BIGINT"},
    {"pg_ts_template", "oid BIGINT, tmplname VARCHAR, tmplnamespace BIGINT"},
    {"pg_foreign_table", "ftrelid BIGINT, ftserver BIGINT, ftoptions VARCHAR[]"},
    {"pg_foreign_server",
     "oid BIGINT, srvname VARCHAR, srvowner INTEGER, srvfdw BIGINT, "
     "srvtype VARCHAR, srvversion VARCHAR, srvacl VARCHAR[], srvoptions VARCHAR[]"},
    {"pg_prepared_xacts",
     "transaction BIGINT, gid VARCHAR, prepared TIMESTAMP, owner VARCHAR, database VARCHAR"},
    {"svv_external_schemas",
     "esoid BIGINT, eskind SMALLINT, schemaname VARCHAR, esowner INTEGER, databasename VARCHAR, "
     "esoptions VARCHAR"},
    {"svv_external_tables",
     "redshift_database_name VARCHAR, schemaname VARCHAR, tablename VARCHAR, tabletype VARCHAR, "
     "location VARCHAR, input_format VARCHAR, output_format VARCHAR, serialization_lib VARCHAR, "
     "serde_parameters VARCHAR, compressed INTEGER, parameters VARCHAR"},
    {"svv_external_columns",
     "redshift_database_name VARCHAR, schemaname VARCHAR, tablename VARCHAR, columnname VARCHAR, "
     "external_type VARCHAR, columnnum INTEGER, part_key INTEGER, is_nullable VARCHAR"},
    {"svv_external_databases",
     "eskind SMALLINT, databasename VARCHAR, location VARCHAR, parameters VARCHAR"},
    {"svv_external_partitions",
     "schemaname VARCHAR, tablename VARCHAR, values VARCHAR, location VARCHAR, "
     "input_format VARCHAR, output_format VARCHAR, serialization_lib VARCHAR, "
     "serde_parameters VARCHAR, compressed INTEGER, parameters VARCHAR"},
    {"svv_language_privileges",
     "language_name VARCHAR, privilege_type VARCHAR, identity_id INTEGER, identity_name "
     "VARCHAR, identity_type VARCHAR, admin_option BOOLEAN"},
    {"svv_diskusage",
     "db_id INTEGER, name VARCHAR, slice INTEGER, col INTEGER, tbl INTEGER, blocknum "
     "INTEGER, num_values INTEGER, minvalue BIGINT, maxvalue BIGINT, sb_pos INTEGER, "
     "pinned INTEGER, on_disk INTEGER, modified INTEGER, hdr_modified INTEGER, unsorted "
     "INTEGER, tombstone INTEGER, preferred_diskno INTEGER, temporary INTEGER, newblock "
     "INTEGER"},
    {"svv_interleaved_columns",
     "tbl INTEGER, col INTEGER, interleaved_skew DOUBLE, last_reindex TIMESTAMP"},
    {"svv_vacuum_progress", "table_name VARCHAR, status VARCHAR, time_remaining_estimate VARCHAR"},
    {"svv_vacuum_summary",
     "table_name VARCHAR, xid BIGINT, sort_partitions BIGINT, merge_increments BIGINT, "
     "elapsed_time BIGINT, row_delta BIGINT, sortedrow_delta BIGINT, block_delta INTEGER, "
     "max_merge_partitions INTEGER"},
    {"svv_query_state",
     "userid INTEGER, query INTEGER, seg INTEGER, step INTEGER, maxtime BIGINT, avgtime "
     "BIGINT, rows BIGINT, bytes BIGINT, cpu BIGINT, memory BIGINT, rate_row DOUBLE, "
     "rate_byte DOUBLE, label VARCHAR, is_diskbased VARCHAR, workmem BIGINT, num_parts "
     "INTEGER, is_rrscan VARCHAR, is_delayed_scan VARCHAR"},
    {"svv_alter_table_recommendations",
     "type VARCHAR, database VARCHAR, table_id INTEGER, group_id INTEGER, ddl VARCHAR, "
     "auto_eligible VARCHAR"},
    {"svv_datashares",
     "share_name VARCHAR, share_id INTEGER, share_owner INTEGER, source_database VARCHAR, "
     "consumer_database VARCHAR, share_type VARCHAR, createdate TIMESTAMP, "
     "is_publicaccessible BOOLEAN, share_acl VARCHAR, producer_account VARCHAR, "
     "producer_namespace VARCHAR"},
    {"svv_datashare_objects",
     "share_type VARCHAR, share_name VARCHAR, object_type VARCHAR, object_name VARCHAR, "
     "producer_account VARCHAR, producer_namespace VARCHAR, include_new BOOLEAN"},
    {"svv_identity_providers",
     "uid INTEGER, name VARCHAR, type VARCHAR, instanceid VARCHAR, namespc VARCHAR, params "
     "VARCHAR, enabled BOOLEAN"},
    {"stv_active_cursors",
     "userid INTEGER, name VARCHAR, xid BIGINT, pid INTEGER, starttime TIMESTAMP, "
     "row_count BIGINT, byte_count BIGINT, fetched_rows BIGINT"},
    {"stv_tbl_trans",
     "slice INTEGER, id INTEGER, rows BIGINT, size BIGINT, query_id BIGINT, ref_cnt "
     "INTEGER, from_suspended INTEGER, prep_swap INTEGER"},
    {"stv_blocklist",
     "slice INTEGER, col INTEGER, tbl INTEGER, blocknum INTEGER, num_values INTEGER, "
     "extended_limits INTEGER, minvalue BIGINT, maxvalue BIGINT, sb_pos INTEGER, pinned "
     "INTEGER, on_disk INTEGER, modified INTEGER, hdr_modified INTEGER, unsorted INTEGER, "
     "tombstone INTEGER, preferred_diskno INTEGER, temporary INTEGER, newblock INTEGER, "
     "num_readers INTEGER, flags INTEGER"},
    {"stv_partitions",
     "owner INTEGER, host INTEGER, diskno INTEGER, part_begin BIGINT, part_end BIGINT, "
     "used INTEGER, tossed INTEGER, capacity INTEGER, reads BIGINT, writes BIGINT, "
     "seek_forward INTEGER, seek_back INTEGER, is_san INTEGER, failed INTEGER, mbps "
     "INTEGER, mount VARCHAR"},
    {"stv_node_storage_capacity", "node INTEGER, used INTEGER, capacity INTEGER"},
    {"stv_exec_state",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, "
     "starttime TIMESTAMP, currenttime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes "
     "BIGINT, label VARCHAR, is_diskbased VARCHAR, workmem BIGINT, num_parts INTEGER, "
     "is_rrscan VARCHAR, is_delayed_scan VARCHAR"},
    {"stv_load_state",
     "userid INTEGER, session INTEGER, query INTEGER, slice INTEGER, pid INTEGER, "
     "recordtime TIMESTAMP, bytes_to_load BIGINT, bytes_loaded BIGINT, "
     "bytes_to_load_compressed BIGINT, bytes_loaded_compressed BIGINT, lines INTEGER, "
     "num_files INTEGER, num_files_complete INTEGER, current_file VARCHAR, pct_complete "
     "INTEGER"},
    {"stv_query_metrics",
     "userid INTEGER, service_class INTEGER, query INTEGER, segment INTEGER, step_type "
     "INTEGER, starttime TIMESTAMP, slices INTEGER, max_rows BIGINT, rows BIGINT, "
     "max_cpu_time BIGINT, cpu_time BIGINT, max_blocks_read INTEGER, blocks_read BIGINT, "
     "max_run_time BIGINT, run_time BIGINT, max_blocks_to_disk BIGINT, blocks_to_disk "
     "BIGINT, step INTEGER, max_query_scan_size BIGINT, query_scan_size BIGINT, "
     "query_priority INTEGER, query_queue_time BIGINT"},
    {"stv_startup_recovery_state", "db_id INTEGER, table_id INTEGER, table_name VARCHAR"},
    {"stv_wlm_qmr_config",
     "service_class INTEGER, rule_name VARCHAR, action VARCHAR, action_value VARCHAR, "
     "metric_name VARCHAR, metric_operator VARCHAR, metric_value DOUBLE"},
    {"stl_userlog",
     "userid INTEGER, username VARCHAR, oldusername VARCHAR, action VARCHAR, usecreatedb "
     "INTEGER, usesuper INTEGER, usecatupd INTEGER, valuntil TIMESTAMP, pid INTEGER, xid "
     "BIGINT, recordtime TIMESTAMP"},
    {"stl_alert_event_log",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, pid "
     "INTEGER, xid BIGINT, event VARCHAR, solution VARCHAR, event_time TIMESTAMP"},
    {"stl_analyze",
     "userid INTEGER, xid BIGINT, database VARCHAR, table_id INTEGER, status VARCHAR, rows "
     "DOUBLE, modified_rows DOUBLE, threshold_percent INTEGER, is_auto VARCHAR, starttime "
     "TIMESTAMP, endtime TIMESTAMP, prevtime TIMESTAMP, num_predicate_cols INTEGER, "
     "num_new_predicate_cols INTEGER, is_background VARCHAR, auto_analyze_phase VARCHAR"},
    {"stl_vacuum",
     "userid INTEGER, xid BIGINT, table_id INTEGER, status VARCHAR, rows BIGINT, "
     "sortedrows INTEGER, blocks INTEGER, max_merge_partitions INTEGER, eventtime "
     "TIMESTAMP, reclaimable_rows BIGINT, reclaimable_space_mb BIGINT, cutoff_xid BIGINT, "
     "is_recluster INTEGER"},
    {"stl_explain",
     "userid INTEGER, query INTEGER, nodeid INTEGER, parentid INTEGER, plannode VARCHAR, "
     "info VARCHAR"},
    {"stl_plan_info",
     "userid INTEGER, query INTEGER, nodeid INTEGER, segment INTEGER, step INTEGER, locus "
     "INTEGER, plannode INTEGER, startupcost DOUBLE, totalcost DOUBLE, rows BIGINT, bytes "
     "BIGINT"},
    {"stl_tr_conflict",
     "xact_id BIGINT, process_id BIGINT, xact_start_ts TIMESTAMP, abort_time TIMESTAMP, "
     "table_id BIGINT"},
    {"stl_undone",
     "userid INTEGER, xact_id BIGINT, xact_id_undone BIGINT, undo_start_ts TIMESTAMP, "
     "undo_end_ts TIMESTAMP, table_id BIGINT"},
    {"stl_commit_stats",
     "xid BIGINT, node INTEGER, startqueue TIMESTAMP, startwork TIMESTAMP, endflush "
     "TIMESTAMP, endstage TIMESTAMP, endlocal TIMESTAMP, startglobal TIMESTAMP, endtime "
     "TIMESTAMP, queuelen BIGINT, permblocks BIGINT, newblocks BIGINT, dirtyblocks BIGINT, "
     "headers BIGINT, numxids INTEGER, oldestxid BIGINT, extwritelatency BIGINT, "
     "metadatawritten INTEGER, tombstonedblocks BIGINT, tossedblocks BIGINT, batched_by "
     "BIGINT"},
    {"stl_restarted_sessions",
     "currenttime TIMESTAMP, dbname VARCHAR, newpid INTEGER, oldpid INTEGER, username "
     "VARCHAR, remotehost VARCHAR, remoteport VARCHAR, parkedtime TIMESTAMP, session_vars "
     "VARCHAR"},
    {"stl_disk_full_diag",
     "currenttime BIGINT, node_num BIGINT, query_id BIGINT, temp_blocks BIGINT"},
    {"stl_usage_control",
     "eventtime TIMESTAMP, query INTEGER, xid BIGINT, pid INTEGER, usage_limit_id VARCHAR, "
     "feature_type VARCHAR"},
    {"svv_rls_policy",
     "poldb VARCHAR, polname VARCHAR, polalias VARCHAR, polatts VARCHAR, polqual VARCHAR, "
     "polenabled BOOLEAN, polmodifiedby VARCHAR, polmodifiedtime TIMESTAMP"},
    {"svv_rls_attached_policy",
     "relschema VARCHAR, relname VARCHAR, relkind VARCHAR, polname VARCHAR, grantor VARCHAR, "
     "grantee VARCHAR, granteekind VARCHAR, is_pol_on BOOLEAN, is_rls_on BOOLEAN, "
     "rls_conjunction_type VARCHAR"},
    {"svv_rls_relation",
     "datname VARCHAR, relschema VARCHAR, relname VARCHAR, relkind VARCHAR, is_rls_on "
     "BOOLEAN, is_rls_datashare_on BOOLEAN, rls_conjunction_type VARCHAR, "
     "rls_datashare_conjunction_type VARCHAR"},
    {"svv_rls_applied_policy",
     "username VARCHAR, query INTEGER, xid BIGINT, pid INTEGER, recordtime TIMESTAMP, "
     "command VARCHAR, datname VARCHAR, relschema VARCHAR, relname VARCHAR, polname VARCHAR, "
     "poldefault VARCHAR"},
    {"svv_masking_policy",
     "policy_database VARCHAR, policy_name VARCHAR, input_columns VARCHAR, policy_expression "
     "VARCHAR, policy_modified_by VARCHAR, policy_modified_time TIMESTAMP"},
    {"svv_attached_masking_policy",
     "policy_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, table_type VARCHAR, "
     "grantor VARCHAR, grantee VARCHAR, grantee_type VARCHAR, priority INTEGER, "
     "input_columns VARCHAR, output_columns VARCHAR, is_masking_datashare_on BOOLEAN"},
    {"svv_datashare_consumers",
     "share_name VARCHAR, consumer_account VARCHAR, consumer_namespace VARCHAR, share_date "
     "TIMESTAMP"},
    {"svv_datashare_privileges",
     "datashare_name VARCHAR, privilege_type VARCHAR, identity_id INTEGER, identity_name "
     "VARCHAR, identity_type VARCHAR, admin_option BOOLEAN"},
    {"stl_s3client_error",
     "userid INTEGER, query INTEGER, sliceid INTEGER, recordtime TIMESTAMP, pid INTEGER, "
     "http_method VARCHAR, bucket VARCHAR, key VARCHAR, error VARCHAR, is_partial INTEGER, "
     "start_offset BIGINT"},
    {"svl_multi_statement_violations",
     "userid INTEGER, database VARCHAR, cmdname VARCHAR, xid BIGINT, pid INTEGER, label VARCHAR, "
     "starttime TIMESTAMP, endtime TIMESTAMP, sequence INTEGER, type VARCHAR, text VARCHAR"},
    {"svl_s3list",
     "query INTEGER, segment INTEGER, node INTEGER, slice INTEGER, eventtime TIMESTAMP, bucket "
     "VARCHAR, prefix VARCHAR, recursive VARCHAR, retrieved_files INTEGER, max_file_size BIGINT, "
     "avg_file_size DOUBLE, generated_splits INTEGER, avg_split_length DOUBLE, duration BIGINT"},
    {"svl_s3partition",
     "query INTEGER, segment INTEGER, node INTEGER, slice INTEGER, starttime TIMESTAMP, endtime "
     "TIMESTAMP, duration BIGINT, total_partitions INTEGER, qualified_partitions INTEGER, "
     "assigned_partitions INTEGER, assignment VARCHAR"},
    {"svl_s3partition_summary",
     "query INTEGER, segment INTEGER, assignment VARCHAR, min_starttime TIMESTAMP, max_endtime "
     "TIMESTAMP, min_duration BIGINT, max_duration BIGINT, avg_duration BIGINT, total_partitions "
     "INTEGER, qualified_partitions INTEGER, min_assigned_partitions INTEGER, "
     "max_assigned_partitions INTEGER, avg_assigned_partitions BIGINT"},
    {"svl_s3query",
     "userid INTEGER, query INTEGER, segment INTEGER, step INTEGER, node INTEGER, slice INTEGER, "
     "starttime TIMESTAMP, endtime TIMESTAMP, elapsed INTEGER, external_table_name VARCHAR, "
     "is_partitioned VARCHAR, is_rrscan VARCHAR, s3_scanned_rows BIGINT, s3_scanned_bytes "
     "BIGINT, s3query_returned_rows BIGINT, s3query_returned_bytes BIGINT, files INTEGER, splits "
     "INTEGER, total_split_size BIGINT, max_split_size BIGINT, total_retries INTEGER, max_retries "
     "INTEGER, max_request_duration INTEGER, avg_request_duration DOUBLE, "
     "max_request_parallelism INTEGER, avg_request_parallelism DOUBLE"},
    {"svv_ml_model_info",
     "database_name VARCHAR, schema_name VARCHAR, user_name VARCHAR, model_name VARCHAR, "
     "life_cycle VARCHAR, is_refreshable INTEGER, model_state VARCHAR"},
    {"svv_ml_model_privileges",
     "namespace_name VARCHAR, model_name VARCHAR, model_version INTEGER, privilege_type VARCHAR, "
     "identity_id INTEGER, identity_name VARCHAR, identity_type VARCHAR, admin_option BOOLEAN"},
    {"sys_stream_scan_states",
     "external_schema_name VARCHAR, stream_name VARCHAR, mv_name VARCHAR, transaction_id BIGINT, "
     "query_id BIGINT, record_time TIMESTAMP, partition_id VARCHAR, latest_position VARCHAR, "
     "scanned_rows BIGINT, skipped_rows BIGINT, scanned_bytes BIGINT, stream_record_time_min "
     "TIMESTAMP, stream_record_time_max TIMESTAMP"},
    {"sys_stream_scan_errors",
     "external_schema_name VARCHAR, stream_name VARCHAR, mv_name VARCHAR, transaction_id BIGINT, "
     "query_id BIGINT, stream_timestamp_type VARCHAR, stream_timestamp TIMESTAMP, record_time "
     "TIMESTAMP, partition_id VARCHAR, position VARCHAR, error_code INTEGER, error_reason VARCHAR"},
    {"sys_datashare_usage_consumer",
     "user_id INTEGER, session_id INTEGER, transaction_id BIGINT, request_id VARCHAR, "
     "request_type VARCHAR, transaction_uid VARCHAR, record_time TIMESTAMP, status INTEGER, "
     "error_message VARCHAR"},
    {"sys_datashare_usage_producer",
     "share_id INTEGER, share_name VARCHAR, request_id VARCHAR, request_type VARCHAR, object_type "
     "VARCHAR, object_oid INTEGER, object_name VARCHAR, consumer_account VARCHAR, "
     "consumer_namespace VARCHAR, consumer_transaction_uid VARCHAR, record_time TIMESTAMP, status "
     "INTEGER, error_message VARCHAR, consumer_region VARCHAR"},
    {"sys_datashare_change_log",
     "user_id INTEGER, user_name VARCHAR, session_id INTEGER, transaction_id BIGINT, share_id "
     "INTEGER, share_name VARCHAR, source_database_id INTEGER, source_database_name VARCHAR, "
     "consumer_database_id INTEGER, consumer_database_name VARCHAR, arn VARCHAR, record_time "
     "TIMESTAMP, action VARCHAR, status INTEGER, share_object_type VARCHAR, share_object_id "
     "INTEGER, share_object_name VARCHAR, target_user_type VARCHAR, target_user_id INTEGER, "
     "target_user_name VARCHAR, consumer_account VARCHAR, consumer_namespace VARCHAR, "
     "producer_account VARCHAR, producer_namespace VARCHAR"},
    {"sys_datashare_cross_region_usage",
     "query_id INTEGER, child_query_sequence INTEGER, segment_id BIGINT, start_time TIMESTAMP, "
     "end_time TIMESTAMP, transferred_data BIGINT, source_region VARCHAR"},
    {"stl_aggr",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, slots "
     "INTEGER, occupied INTEGER, maxlength INTEGER, tbl INTEGER, is_diskbased VARCHAR, "
     "workmem BIGINT, type VARCHAR, resizes INTEGER, flushable INTEGER"},
    {"stl_bcast",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, packets "
     "INTEGER"},
    {"stl_dist",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, packets "
     "INTEGER"},
    {"stl_hash",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, slots "
     "INTEGER, occupied INTEGER, maxlength INTEGER, tbl INTEGER, is_diskbased VARCHAR, "
     "workmem BIGINT, num_parts INTEGER, est_rows BIGINT, num_blocks_permitted INTEGER, "
     "resizes INTEGER, checksum BIGINT, runtime_filter_size INTEGER, max_runtime_filter_size "
     "INTEGER"},
    {"stl_hashjoin",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, tbl INTEGER, num_parts "
     "INTEGER, join_type INTEGER, hash_looped VARCHAR, switched_parts VARCHAR, "
     "used_prefetching VARCHAR, hash_segment INTEGER, hash_step INTEGER, checksum BIGINT, "
     "distribution INTEGER"},
    {"stl_limit",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, checksum BIGINT"},
    {"stl_merge",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT"},
    {"stl_mergejoin",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, tbl INTEGER, checksum "
     "BIGINT"},
    {"stl_nestloop",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, tbl INTEGER, checksum "
     "BIGINT"},
    {"stl_parse",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT"},
    {"stl_project",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, checksum BIGINT"},
    {"stl_return",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, packets "
     "INTEGER, checksum BIGINT"},
    {"stl_save",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, tbl INTEGER, "
     "is_diskbased VARCHAR, workmem BIGINT"},
    {"stl_sort",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, bytes BIGINT, tbl INTEGER, "
     "is_diskbased VARCHAR, workmem BIGINT, checksum BIGINT"},
    {"stl_stream_segs",
     "userid INTEGER, query INTEGER, stream INTEGER, segment INTEGER, query_uuid VARCHAR"},
    {"stl_unique",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, type VARCHAR, is_diskbased "
     "VARCHAR, slots INTEGER, workmem BIGINT, max_buffers_used BIGINT, resizes INTEGER, "
     "occupied INTEGER, flushable INTEGER, used_unique_prefetching VARCHAR, bytes BIGINT"},
    {"stl_window",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, starttime "
     "TIMESTAMP, endtime TIMESTAMP, tasknum INTEGER, rows BIGINT, is_diskbased VARCHAR, "
     "workmem BIGINT"},
    {"svl_s3log",
     "pid INTEGER, query INTEGER, segment INTEGER, step INTEGER, node INTEGER, slice "
     "INTEGER, eventtime TIMESTAMP, message VARCHAR"},
    {"svl_s3query_summary",
     "userid INTEGER, query INTEGER, xid BIGINT, pid INTEGER, segment INTEGER, step INTEGER, "
     "starttime TIMESTAMP, endtime TIMESTAMP, elapsed INTEGER, aborted INTEGER, "
     "external_table_name VARCHAR, file_format VARCHAR, is_partitioned VARCHAR, is_rrscan "
     "VARCHAR, is_nested VARCHAR, s3_scanned_rows BIGINT, s3_scanned_bytes BIGINT, "
     "s3query_returned_rows BIGINT, s3query_returned_bytes BIGINT, files INTEGER, files_max "
     "INTEGER, files_avg INTEGER, splits INTEGER, splits_max INTEGER, splits_avg INTEGER, "
     "total_split_size BIGINT, max_split_size BIGINT, avg_split_size BIGINT, total_retries "
     "INTEGER, max_retries INTEGER, max_request_duration INTEGER, avg_request_duration "
     "DOUBLE, max_request_parallelism INTEGER, avg_request_parallelism DOUBLE, "
     "total_slowdown_count BIGINT, max_slowdown_count INTEGER"},
    {"svl_query_summary",
     "userid INTEGER, query INTEGER, stm INTEGER, seg INTEGER, step INTEGER, maxtime "
     "BIGINT, avgtime BIGINT, rows BIGINT, bytes BIGINT, rate_row DOUBLE, rate_byte "
     "DOUBLE, label VARCHAR, is_diskbased VARCHAR, workmem BIGINT, is_rrscan VARCHAR, "
     "is_delayed_scan VARCHAR, rows_pre_filter BIGINT"},
    {"svl_query_report",
     "userid INTEGER, query INTEGER, slice INTEGER, segment INTEGER, step INTEGER, "
     "start_time TIMESTAMP, end_time TIMESTAMP, elapsed_time BIGINT, rows BIGINT, bytes "
     "BIGINT, label VARCHAR, is_diskbased VARCHAR, workmem BIGINT, is_rrscan VARCHAR, "
     "is_delayed_scan VARCHAR, rows_pre_filter BIGINT"},
    {"svl_query_metrics",
     "userid INTEGER, query BIGINT, service_class INTEGER, dimension VARCHAR, segment "
     "INTEGER, step INTEGER, step_label VARCHAR, query_cpu_time BIGINT, query_blocks_read "
     "BIGINT, query_execution_time BIGINT, query_cpu_usage_percent DOUBLE, "
     "query_temp_blocks_to_disk BIGINT, segment_execution_time BIGINT, cpu_skew DOUBLE, "
     "io_skew DOUBLE, scan_row_count BIGINT, join_row_count BIGINT, "
     "nested_loop_join_row_count BIGINT, return_row_count BIGINT, spectrum_scan_row_count "
     "BIGINT, spectrum_scan_size_mb BIGINT, query_queue_time BIGINT, service_class_name "
     "VARCHAR"},
    {"svl_query_metrics_summary",
     "userid INTEGER, query INTEGER, service_class INTEGER, query_cpu_time BIGINT, "
     "query_blocks_read BIGINT, query_execution_time BIGINT, query_cpu_usage_percent "
     "DOUBLE, query_temp_blocks_to_disk BIGINT, segment_execution_time BIGINT, cpu_skew "
     "DOUBLE, io_skew DOUBLE, scan_row_count BIGINT, join_row_count BIGINT, "
     "nested_loop_join_row_count BIGINT, return_row_count BIGINT, spectrum_scan_row_count "
     "BIGINT, spectrum_scan_size_mb BIGINT, query_queue_time BIGINT, service_class_name "
     "VARCHAR"},
    {"svl_compile",
     "userid INTEGER, xid BIGINT, pid INTEGER, query INTEGER, segment INTEGER, locus "
     "INTEGER, starttime TIMESTAMP, endtime TIMESTAMP, compile INTEGER"},
    {"svl_stored_proc_call",
     "userid INTEGER, session_userid INTEGER, query INTEGER, label VARCHAR, xid BIGINT, "
     "pid INTEGER, database VARCHAR, querytxt VARCHAR, starttime TIMESTAMP, endtime "
     "TIMESTAMP, aborted INTEGER, from_sp_call INTEGER"},
    {"svl_stored_proc_messages",
     "userid INTEGER, session_userid INTEGER, pid INTEGER, xid BIGINT, query INTEGER, "
     "recordtime TIMESTAMP, loglevel INTEGER, loglevel_text VARCHAR, message VARCHAR, "
     "linenum INTEGER, querytxt VARCHAR, label VARCHAR, aborted INTEGER, message_xid "
     "BIGINT"},
    {"svl_udf_log",
     "query BIGINT, message VARCHAR, created TIMESTAMP, traceback VARCHAR, funcname "
     "VARCHAR, node INTEGER, slice INTEGER, seq INTEGER"},
    {"svl_terminate", "pid INTEGER, eventtime TIMESTAMP, userid INTEGER, type VARCHAR"},
    {"sys_transaction_history",
     "user_id INTEGER, transaction_id BIGINT, isolation_level VARCHAR, status VARCHAR, "
     "transaction_start_time TIMESTAMP, commit_start_time TIMESTAMP, commit_end_time "
     "TIMESTAMP, blocks_committed INTEGER, undo_start_time TIMESTAMP, undo_transaction_id "
     "BIGINT"},
    {"sys_procedure_call",
     "user_id INTEGER, query_id BIGINT, query_label VARCHAR, transaction_id BIGINT, "
     "session_id INTEGER, database_name VARCHAR, procedure_call VARCHAR, status VARCHAR, "
     "start_time TIMESTAMP, end_time TIMESTAMP"},
    {"sys_procedure_messages",
     "user_id INTEGER, transaction_id BIGINT, session_id INTEGER, query_id BIGINT, "
     "record_time TIMESTAMP, log_level VARCHAR, message VARCHAR, line_number INTEGER"},
    {"sys_userlog",
     "user_id INTEGER, user_name VARCHAR, original_user_name VARCHAR, action VARCHAR, "
     "has_create_db_privs BOOLEAN, is_superuser BOOLEAN, has_update_catalog_privs BOOLEAN, "
     "password_expiration TIMESTAMP, session_id INTEGER, transaction_id BIGINT, "
     "record_time TIMESTAMP"},
    {"sys_vacuum_history",
     "user_id INTEGER, transaction_id BIGINT, query_id BIGINT, database_name VARCHAR, "
     "schema_name VARCHAR, table_name VARCHAR, table_id INTEGER, vacuum_type VARCHAR, "
     "is_automatic BOOLEAN, status VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, "
     "record_time TIMESTAMP"},
    {"sys_analyze_history",
     "user_id INTEGER, transaction_id BIGINT, database_name VARCHAR, schema_name VARCHAR, "
     "table_name VARCHAR, table_id INTEGER, is_automatic VARCHAR, status VARCHAR, "
     "start_time TIMESTAMP, end_time TIMESTAMP, rows DOUBLE, modified_rows DOUBLE"},
    {"sys_copy_job",
     "job_id BIGINT, job_name VARCHAR, job_owner INTEGER, data_source VARCHAR, copy_query "
     "VARCHAR, iam_role VARCHAR, is_auto INTEGER"},
    {"sys_external_query_detail",
     "user_id INTEGER, query_id BIGINT, transaction_id BIGINT, child_query_sequence "
     "INTEGER, segment_id INTEGER, source_type VARCHAR, start_time TIMESTAMP, end_time "
     "TIMESTAMP, duration BIGINT, total_partitions INTEGER, qualified_partitions INTEGER, "
     "scanned_files BIGINT, returned_rows BIGINT, returned_bytes BIGINT, file_format "
     "VARCHAR, file_location VARCHAR, external_query_text VARCHAR"},
    {"sys_serverless_usage",
     "start_time TIMESTAMP, end_time TIMESTAMP, compute_seconds BIGINT, compute_capacity "
     "DOUBLE, data_storage BIGINT, cross_region_transferred_data BIGINT, charged_seconds "
     "BIGINT"},
};

}  // namespace

std::vector<std::string> activity_statements() {
  std::vector<std::string> statements;
  for (const std::string_view view : kViews) {
    statements.push_back("CREATE OR REPLACE VIEW leat_system." + std::string(view));
  }
  return statements;
}

std::span<const RelationSpec> empty_relations() {
  return kEmpty;
}

}  // namespace leat::catalog
