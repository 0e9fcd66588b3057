// The functions of redshift.md 4.10 that tools call, as macros of leat_system.
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

constexpr std::string_view kVersion =
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat "
    "3.4.2-6.fc3), "
    "Redshift 1.0.100000";

// Each line is NAME(PARAMETERS) AS EXPRESSION, further overloads after a comma.
constexpr std::string_view kMacros[] = {
    "leat_session() AS CAST(getvariable('leat_session') AS BIGINT)",
    // The engine's name of the database.
    "leat_alias() AS CAST(getvariable('leat_alias') AS VARCHAR)",
    "leat_file_bytes() AS (SELECT used_blocks * block_size FROM pragma_database_size() WHERE "
    "database_name = leat_system.leat_alias())",
    "leat_number(what) AS CAST(leat_rows(leat_system.leat_session(), what) AS BIGINT)",
    "leat_privilege(kind, u, o, p) AS leat_has_privilege(leat_system.leat_session(), kind, CAST(u "
    "AS VARCHAR), "
    "CAST(o AS VARCHAR), CAST(p AS VARCHAR))",

    // Session
    "current_database() AS CAST(getvariable('leat_database') AS VARCHAR)",
    "current_catalog() AS CAST(getvariable('leat_database') AS VARCHAR)",
    "current_user() AS CAST(getvariable('leat_user') AS VARCHAR)",
    "session_user() AS CAST(getvariable('leat_user') AS VARCHAR)",
    "user() AS CAST(getvariable('leat_user') AS VARCHAR)",
    "current_user_id() AS CAST(getvariable('leat_user_id') AS INTEGER)",
    "leat_superuser() AS (SELECT m.superuser FROM leat_catalog.users m WHERE m.id = "
    "leat_system.current_user_id())",
    "pg_backend_pid() AS CAST(getvariable('leat_session') AS INTEGER)",
    "current_schemas(implicit) AS CAST(from_json(leat_schemas(leat_system.leat_session(), "
    "implicit), '[\"VARCHAR\"]') "
    "AS VARCHAR[])",
    "current_schema() AS from_json(leat_schemas(leat_system.leat_session(), false), "
    "'[\"VARCHAR\"]')[1]",
    "current_setting(name) AS coalesce(json_extract_string(leat_rows(leat_system.leat_session(), "
    "'settings'), '$.' || "
    "lower(CAST(name AS VARCHAR))), CAST(error('42704: unrecognized configuration parameter \"' || "
    "CAST(name AS VARCHAR) || '\"') AS VARCHAR)), (name, missing) AS "
    "json_extract_string(leat_rows(leat_system.leat_session(), "
    "'settings'), '$.' || lower(CAST(name AS VARCHAR)))",
    "current_aws_account() AS CAST('000000000000' AS VARCHAR)",
    "current_namespace() AS CAST('00000000-0000-0000-0000-000000000000' AS VARCHAR)",
    "default_iam_role() AS CAST('default' AS VARCHAR)",
    "db_collation() AS (SELECT CASE WHEN d.insensitive THEN 'case_insensitive' ELSE "
    "'case_sensitive' END FROM leat_catalog.databases d WHERE d.name = "
    "leat_system.current_database())",
    "pg_client_encoding() AS CAST('UTF8' AS VARCHAR)",
    "pg_char_to_encoding(name) AS CAST(CASE WHEN upper(name) IN ('UTF8', 'UTF-8', 'UNICODE') THEN "
    "6 "
    "ELSE -1 END AS INTEGER)",
    // A client's address is not known here.
    "inet_client_addr() AS CAST(NULL AS VARCHAR)",
    "inet_server_addr() AS CAST(NULL AS VARCHAR)",
    "inet_server_port() AS CAST(NULL AS INTEGER)",
    "getdatabaseencoding() AS CAST('UTF8' AS VARCHAR)",
    "slice_num() AS CAST(0 AS INTEGER)",
    "pg_last_query_id() AS leat_system.leat_number('pg_last_query_id')",
    "pg_last_copy_id() AS CAST(leat_system.leat_number('pg_last_copy_id') AS INTEGER)",
    "pg_last_copy_count() AS leat_system.leat_number('pg_last_copy_count')",
    "pg_last_unload_id() AS CAST(leat_system.leat_number('pg_last_unload_id') AS INTEGER)",
    "pg_last_unload_count() AS leat_system.leat_number('pg_last_unload_count')",
    "pg_cancel_backend(pid) AS leat_stop_session(leat_system.leat_session(), CAST(pid AS BIGINT), "
    "false)",
    "pg_terminate_backend(pid) AS leat_stop_session(leat_system.leat_session(), CAST(pid AS "
    "BIGINT), true)",
    "pg_is_in_recovery() AS false",
    "txid_current() AS leat_system.leat_number('txid_current')",
    "pg_postmaster_start_time() AS CAST(leat_rows(leat_system.leat_session(), 'start_time') AS "
    "TIMESTAMP)",

    // Names
    "format_type(oid, modifier) AS leat_format_type(CAST(oid AS BIGINT), coalesce(CAST(modifier AS "
    "BIGINT), -1))",
    "pg_get_userbyid(id) AS leat_user_name(leat_system.leat_session(), CAST(id AS BIGINT))",
    "regtype_name(oid) AS leat_format_type(CAST(oid AS BIGINT), CAST(-1 AS BIGINT))",
    "to_regtype(written) AS leat_type_oid(CAST(written AS VARCHAR))",
    "regproc_name(oid) AS CAST(oid AS VARCHAR)",
    "to_regproc(written) AS CASE lower(CAST(written AS VARCHAR)) WHEN 'array_in' THEN CAST(750 AS "
    "BIGINT) WHEN "
    "'array_recv' THEN CAST(2400 AS BIGINT) ELSE CAST(0 AS BIGINT) END",
    "quote_ident(name) AS CASE WHEN regexp_full_match(name, '[a-z_][a-z0-9_]*') THEN name ELSE "
    "'\"' || replace(name, "
    "'\"', '\"\"') || '\"' END",

    // Not Redshift's, but the way in which PostgreSQL's JDBC driver takes arrays of keys apart.
    "_pg_expandarray(items) AS unnest(list_transform(range(1, len(items) + 1), lambda i: "
    "json_object('x', items[i], 'n', i)))",
    "pg_char_to_encoding(name) AS CASE upper(CAST(name AS VARCHAR)) WHEN 'UTF8' THEN 6 ELSE -1 END",

    // Visibility, descriptions, definitions
    "pg_table_is_visible(oid) AS leat_visible(leat_system.leat_session(), CAST(oid AS BIGINT))",
    "pg_function_is_visible(oid) AS oid IS NOT NULL",
    "pg_type_is_visible(oid) AS oid IS NOT NULL",
    "pg_operator_is_visible(oid) AS oid IS NOT NULL",
    "pg_collation_is_visible(oid) AS oid IS NOT NULL",
    "pg_conversion_is_visible(oid) AS oid IS NOT NULL",
    "pg_opclass_is_visible(oid) AS oid IS NOT NULL",
    "pg_opfamily_is_visible(oid) AS oid IS NOT NULL",
    "pg_statistics_obj_is_visible(oid) AS oid IS NOT NULL",
    "pg_ts_config_is_visible(oid) AS oid IS NOT NULL",
    "pg_ts_dict_is_visible(oid) AS oid IS NOT NULL",
    "pg_ts_parser_is_visible(oid) AS oid IS NOT NULL",
    "pg_ts_template_is_visible(oid) AS oid IS NOT NULL",
    "pg_relation_is_publishable(oid) AS false",
    "pg_get_partkeydef(oid) AS CAST(NULL AS VARCHAR)",
    "pg_get_serial_sequence(relation, name) AS CAST(NULL AS VARCHAR)",
    "pg_tablespace_location(oid) AS ''",
    "obj_description(oid) AS leat_description(leat_system.leat_session(), CAST(oid AS BIGINT), "
    "CAST(0 AS BIGINT)), "
    "(oid, catalog) AS leat_description(leat_system.leat_session(), CAST(oid AS BIGINT), CAST(0 AS "
    "BIGINT))",
    "shobj_description(oid, catalog) AS leat_description(leat_system.leat_session(), CAST(oid AS "
    "BIGINT), CAST(0 AS BIGINT))",
    "col_description(oid, number) AS leat_description(leat_system.leat_session(), CAST(oid AS "
    "BIGINT), CAST(number AS "
    "BIGINT))",
    "pg_get_expr(expression, relation) AS CAST(expression AS VARCHAR), (expression, relation, "
    "pretty) AS "
    "CAST(expression AS VARCHAR)",
    "pg_get_constraintdef(oid) AS leat_constraint_definition(leat_system.leat_session(), CAST(oid "
    "AS BIGINT)), "
    "(oid, pretty) AS leat_constraint_definition(leat_system.leat_session(), CAST(oid AS BIGINT))",
    "leat_index_definition(wanted) AS (SELECT 'CREATE UNIQUE INDEX ' || leat_system.quote_ident("
    "k.name) || ' ON ' || leat_system.quote_ident(s.name) || '.' || "
    "leat_system.quote_ident(r.name) "
    "|| ' USING btree ' || regexp_extract(leat_constraint_definition(leat_system.leat_session(), "
    "k.index_oid), '[(].*[)]') FROM leat_catalog.constraints k JOIN leat_catalog.relations r ON "
    "r.oid = k.relation JOIN leat_catalog.schemas s ON s.oid = r.\"schema\" WHERE k.index_oid = "
    "CAST(wanted AS BIGINT))",
    "leat_index_column(wanted, place) AS (SELECT leat_system.quote_ident(c.name) FROM "
    "leat_catalog.constraints k JOIN leat_catalog.columns c ON c.relation = k.relation AND "
    "CAST(c.number AS VARCHAR) = split_part(k.columns, ' ', CAST(place AS BIGINT)) WHERE "
    "k.index_oid = CAST(wanted AS BIGINT))",
    "pg_get_indexdef(oid) AS leat_system.leat_index_definition(oid), (oid, number, pretty) AS CASE "
    "WHEN number = 0 THEN leat_system.leat_index_definition(oid) ELSE "
    "leat_system.leat_index_column(oid, number) END",
    // Of the others' files only their own sessions know.
    "pg_database_size(wanted) AS CASE WHEN CAST(wanted AS VARCHAR) IN (SELECT unnest([d.name, "
    "CAST(d.oid AS VARCHAR)]) FROM leat_catalog.databases d WHERE d.name = "
    "leat_system.current_database()) THEN leat_system.leat_file_bytes() END",
    "pg_tablespace_size(wanted) AS leat_system.leat_file_bytes()",
    "pg_get_viewdef(relation) AS leat_view_definition(leat_system.leat_session(), CAST(relation AS "
    "VARCHAR)), "
    "(relation, pretty) AS leat_view_definition(leat_system.leat_session(), CAST(relation AS "
    "VARCHAR))",
    "pg_get_triggerdef(oid) AS CAST(NULL AS VARCHAR), (oid, pretty) AS CAST(NULL AS VARCHAR)",
    "pg_get_ruledef(oid) AS CAST(NULL AS VARCHAR), (oid, pretty) AS CAST(NULL AS VARCHAR)",
    "pg_get_statisticsobjdef_columns(oid) AS CAST(NULL AS VARCHAR)",
    "pg_encoding_to_char(number) AS CASE number WHEN 6 THEN 'UTF8' ELSE '' END",
    "format_encoding(number) AS leat_encoding_name(CAST(number AS BIGINT))",
    // The vectors of the catalog count from 0, arrays from 1.
    "leat_first_index(list) AS CASE WHEN typeof(list) IN ('LEAT_SHORT_ELEMENT[]', "
    "'LEAT_OID_ELEMENT[]') THEN 0 ELSE 1 END",
    "leat_element(list, place) AS list[place + 1 - leat_system.leat_first_index(list)]",
    "array_upper(list, dimension) AS CASE WHEN len(list) > 0 THEN CAST(len(list) - 1 + "
    "leat_system.leat_first_index(list) AS INTEGER) END",
    "array_lower(list, dimension) AS CASE WHEN len(list) > 0 THEN "
    "leat_system.leat_first_index(list) END",
    "oidvectortypes(types) AS array_to_string(list_transform(types, lambda t: "
    "leat_format_type(CAST(t AS BIGINT), CAST(-1 AS BIGINT))), ', ')",
    "textin(value) AS CAST(value AS VARCHAR)",
    "byteaout(value) AS CAST(value AS VARCHAR)",
    "age(xid) AS CAST(0 AS INTEGER)",

    // Rights
    "has_table_privilege(o, p) AS leat_system.leat_privilege('relation', '', o, p), (u, o, p) AS "
    "leat_system.leat_privilege('relation', u, o, p)",
    "has_any_column_privilege(o, p) AS leat_system.leat_privilege('column:', '', o, p), (u, o, p) "
    "AS "
    "leat_system.leat_privilege('column:', u, o, p)",
    "has_column_privilege(o, c, p) AS leat_system.leat_privilege('column:' || c, '', o, p), (u, o, "
    "c, p) AS "
    "leat_system.leat_privilege('column:' || c, u, o, p)",
    "has_schema_privilege(o, p) AS leat_system.leat_privilege('schema', '', o, p), (u, o, p) AS "
    "leat_system.leat_privilege('schema', u, o, p)",
    "has_database_privilege(o, p) AS leat_system.leat_privilege('database', '', o, p), (u, o, p) "
    "AS "
    "leat_system.leat_privilege('database', u, o, p)",
    "has_function_privilege(o, p) AS leat_system.leat_privilege('function', '', o, p), (u, o, p) "
    "AS "
    "leat_system.leat_privilege('function', u, o, p)",
    "has_assumerole_privilege(o, p) AS leat_system.leat_privilege('iam_role', '', o, p), (u, o, p) "
    "AS "
    "leat_system.leat_privilege('iam_role', u, o, p)",
    "user_is_member_of(u, r) AS leat_is_member(leat_system.leat_session(), 'user', CAST(u AS "
    "VARCHAR), CAST(r AS VARCHAR))",
    "role_is_member_of(u, r) AS leat_is_member(leat_system.leat_session(), 'role', CAST(u AS "
    "VARCHAR), CAST(r AS VARCHAR))",
    "pg_has_role(o, p) AS leat_system.leat_privilege('role', '', o, p), (u, o, p) AS "
    "leat_system.leat_privilege('role', u, o, p)",
    "pg_size_pretty(bytes) AS CASE WHEN bytes < 10240 THEN bytes || ' bytes' WHEN bytes < 10485760 "
    "THEN (bytes + 512) "
    "// 1024 || ' kB' WHEN bytes < 10737418240 THEN (bytes + 524288) // 1048576 || ' MB' ELSE "
    "(bytes + 536870912) // "
    "1073741824 || ' GB' END",

};

// The same, over relations of the system schema, which must exist.
constexpr std::string_view kLateMacros[] = {
    "regclass_name(wanted) AS coalesce(leat_relation_name(leat_system.leat_session(), CAST(wanted "
    "AS "
    "BIGINT)), "
    "(SELECT r.name FROM leat_system.leat_system_relations r WHERE r.oid = CAST(wanted AS "
    "BIGINT)), "
    "CAST(wanted AS VARCHAR))",
    "to_regclass(written) AS coalesce(CAST(leat_relation_oid(leat_system.leat_session(), "
    "CAST(written AS VARCHAR)) AS "
    "BIGINT), (SELECT min(r.oid) FROM leat_system.leat_system_relations r WHERE r.qualified = "
    "lower(CAST(written AS "
    "VARCHAR)) OR (r.schema = 11 AND r.name = lower(CAST(written AS VARCHAR)))), TRY_CAST(written "
    "AS BIGINT), "
    "CAST(error('42P01: relation \"' || CAST(written AS VARCHAR) || '\" does not exist') AS "
    "BIGINT))",
    "regnamespace_name(wanted) AS (SELECT n.nspname FROM leat_system.pg_namespace n WHERE n.oid = "
    "CAST(wanted AS BIGINT))",
    "to_regnamespace(written) AS (SELECT n.oid FROM leat_system.pg_namespace n WHERE n.nspname = "
    "lower(CAST(written AS "
    "VARCHAR)))",
    // Sizes
    "pg_relation_size(wanted) AS leat_system.leat_relation_bytes(wanted)",
    "pg_table_size(wanted) AS leat_system.leat_relation_bytes(wanted)",
    "pg_total_relation_size(wanted) AS leat_system.leat_relation_bytes(wanted)",
};

}  // namespace

std::vector<std::string> system_macro_statements() {
  std::vector<std::string> statements;
  for (const std::string_view macro : kMacros) {
    statements.push_back("CREATE OR REPLACE MACRO leat_system." + std::string(macro));
  }
  statements.push_back("CREATE OR REPLACE MACRO leat_system.version() AS CAST('" +
                       std::string(kVersion) + "' AS VARCHAR)");
  return statements;
}

std::vector<std::string> late_macro_statements() {
  std::vector<std::string> statements;
  for (const std::string_view macro : kLateMacros) {
    statements.push_back("CREATE OR REPLACE MACRO leat_system." + std::string(macro));
  }
  return statements;
}

}  // namespace leat::catalog
