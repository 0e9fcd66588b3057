// information_schema and the svv_ relations over the same base relations as pg_catalog.
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

constexpr std::string_view kViews[] = {
    // What the others are made of: every relation that the session may use, and its columns.
    R"sql(leat_visible_relations AS
SELECT oid, "schema" AS schema_oid, schema_name, name, kind, owner, temporary, definition,
  nullif(comment, '') AS comment, distribution, sort_automatic, created, engine_schema,
  auto_refresh
FROM leat_system.leat_relations WHERE accessible)sql",
    R"sql(leat_visible_columns AS
SELECT c.relation AS oid, c.schema_name, c.relation_name, c.kind, c.name, c.number, c.default_text,
  c.not_null, c.type_oid,
  split_part(c.type, '(', 1) AS data_type,
  CASE WHEN c.type_oid IN (1042, 1043, 6551) AND c.type_modifier >= 4 THEN c.type_modifier - 4 END
  AS length,
  CASE c.type_oid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
  WHEN 1700 THEN ((c.type_modifier - 4) >> 16) & 65535 END AS number_precision,
  CASE WHEN c.type_oid IN (21, 23, 20) THEN 0 WHEN c.type_oid = 1700 THEN (c.type_modifier - 4) &
  65535 END AS
  number_scale, CASE WHEN c.type_oid IN (1083, 1114, 1184, 1266) THEN 6 END AS time_precision,
  c.encoding,
  c.distribution_key, c.sort_key, nullif(c.comment, '') AS comment, c.database, c.insensitive
FROM leat_system.leat_columns c WHERE c.accessible)sql",
    R"sql(information_schema_schemata AS
SELECT leat_system.current_database() AS catalog_name, n.nspname AS schema_name,
  leat_user_name(leat_system.leat_session(), CAST(n.nspowner AS BIGINT)) AS schema_owner, CAST(NULL
  AS VARCHAR) AS
  default_character_set_catalog, CAST(NULL AS VARCHAR) AS default_character_set_schema, CAST(NULL
  AS VARCHAR) AS
  default_character_set_name, CAST(NULL AS VARCHAR) AS sql_path FROM leat_system.pg_namespace
  n)sql",
    R"sql(information_schema_tables AS
SELECT leat_system.current_database() AS table_catalog, schema_name AS table_schema, name AS
  table_name,
  CASE WHEN kind = 'v' THEN 'VIEW' WHEN temporary THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS
  table_type,
  CAST(NULL AS VARCHAR) AS self_referencing_column_name, CAST(NULL AS VARCHAR) AS
  reference_generation,
  CAST(NULL AS VARCHAR) AS user_defined_type_catalog, CAST(NULL AS VARCHAR) AS
  user_defined_type_schema,
  CAST(NULL AS VARCHAR) AS user_defined_name FROM leat_system.leat_visible_relations
UNION ALL
SELECT leat_system.current_database(), CASE WHEN "schema" = 12 THEN 'information_schema' ELSE
  'pg_catalog' END, name,
  CASE WHEN kind = 'v' THEN 'VIEW' ELSE 'BASE TABLE' END, NULL, NULL, NULL, NULL, NULL
FROM leat_system.leat_system_relations)sql",
    R"sql(information_schema_views AS
SELECT leat_system.current_database() AS table_catalog, schema_name AS table_schema, name AS
  table_name,
  definition || ';' AS view_definition, 'NONE' AS check_option, 'NO' AS is_updatable, 'NO' AS
  is_insertable_into
FROM leat_system.leat_visible_relations WHERE kind = 'v')sql",
    R"sql(information_schema_columns AS
SELECT leat_system.current_database() AS table_catalog, schema_name AS table_schema, relation_name
  AS table_name,
  name AS column_name, CAST(number AS INTEGER) AS ordinal_position, default_text AS column_default,
  CASE WHEN not_null THEN 'NO' ELSE 'YES' END AS is_nullable, data_type, CAST(length AS INTEGER) AS
  character_maximum_length, CAST(NULL AS INTEGER) AS character_octet_length, CAST(number_precision
  AS INTEGER) AS
  numeric_precision, CAST(CASE WHEN number_precision IS NULL THEN NULL WHEN type_oid = 1700 THEN 10
  ELSE 2 END AS INTEGER)
  AS numeric_precision_radix, CAST(number_scale AS INTEGER) AS numeric_scale, CAST(time_precision
  AS INTEGER) AS
  datetime_precision, CAST(NULL AS VARCHAR) AS interval_type, CAST(NULL AS VARCHAR) AS
  interval_precision,
  CAST(NULL AS VARCHAR) AS character_set_catalog, CAST(NULL AS VARCHAR) AS character_set_schema,
  CAST(NULL AS VARCHAR) AS character_set_name, CAST(NULL AS VARCHAR) AS collation_catalog,
  CAST(NULL AS VARCHAR) AS
  collation_schema, CASE WHEN c.insensitive THEN 'case_insensitive' END AS collation_name, CAST(NULL AS VARCHAR) AS
  domain_catalog,
  CAST(NULL AS VARCHAR) AS domain_schema, CAST(NULL AS VARCHAR) AS domain_name,
  leat_system.current_database() AS
  udt_catalog, 'pg_catalog' AS udt_schema, t.typname AS udt_name
FROM leat_system.leat_visible_columns c LEFT JOIN leat_system.pg_type t ON t.oid = c.type_oid)sql",
    R"sql(information_schema_table_constraints AS
SELECT leat_system.current_database() AS constraint_catalog, r.schema_name AS constraint_schema,
  k.name AS
  constraint_name, leat_system.current_database() AS table_catalog, r.schema_name AS table_schema,
  r.name AS table_name,
  CASE k.kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE 'FOREIGN KEY' END AS
  constraint_type,
  'NO' AS is_deferrable, 'NO' AS initially_deferred
FROM leat_catalog.constraints k JOIN leat_system.leat_visible_relations r ON r.oid =
  k.relation)sql",
    R"sql(information_schema_key_column_usage AS
SELECT leat_system.current_database() AS constraint_catalog, r.schema_name AS constraint_schema,
  k.name AS
  constraint_name, leat_system.current_database() AS table_catalog, r.schema_name AS table_schema,
  r.name AS table_name,
  c.name AS column_name, CAST(list_position(string_split(k.columns, ' '), CAST(c.number AS
  VARCHAR)) AS INTEGER) AS
  ordinal_position
FROM leat_catalog.constraints k JOIN leat_system.leat_visible_relations r ON r.oid = k.relation
JOIN leat_catalog.columns c ON c.relation = k.relation AND list_contains(string_split(k.columns,
  ' '),
  CAST(c.number AS VARCHAR)))sql",
    R"sql(information_schema_referential_constraints AS
SELECT leat_system.current_database() AS constraint_catalog, r.schema_name AS constraint_schema,
  k.name AS
  constraint_name, leat_system.current_database() AS unique_constraint_catalog, CAST(NULL AS
  VARCHAR) AS
  unique_constraint_schema, CAST(NULL AS VARCHAR) AS unique_constraint_name, 'NONE' AS
  match_option, 'NO ACTION' AS
  update_rule, 'NO ACTION' AS delete_rule
FROM leat_catalog.constraints k JOIN leat_system.leat_visible_relations r ON r.oid = k.relation
  WHERE k.kind = 'f')sql",
    R"sql(information_schema_constraint_column_usage AS
SELECT leat_system.current_database() AS table_catalog, r.schema_name AS table_schema, r.name AS
  table_name, c.name AS column_name, leat_system.current_database() AS constraint_catalog,
  r.schema_name AS constraint_schema, k.name AS constraint_name
FROM leat_catalog.constraints k
JOIN leat_system.leat_visible_relations r
  ON r.oid = CASE WHEN k.kind = 'f' THEN k.referenced ELSE k.relation END
JOIN leat_catalog.columns c ON c.relation = r.oid AND list_contains(string_split(
  CASE WHEN k.kind = 'f' THEN k.referenced_columns ELSE k.columns END, ' '),
  CAST(c.number AS VARCHAR)))sql",
    R"sql(information_schema_information_schema_catalog_name AS
SELECT leat_system.current_database() AS catalog_name)sql",
    // svv_
    R"sql(svv_tables AS
SELECT table_catalog, table_schema, table_name, CASE table_type WHEN 'LOCAL TEMPORARY' THEN
  'BASE TABLE' ELSE table_type END AS table_type, CAST(NULL AS VARCHAR) AS remarks
FROM leat_system.information_schema_tables)sql",
    R"sql(svv_columns AS
SELECT c.table_catalog, c.table_schema, c.table_name, c.column_name, c.ordinal_position,
  c.column_default, c.is_nullable,
  c.data_type, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix,
  c.numeric_scale,
  c.datetime_precision, c.interval_type, c.interval_precision, c.character_set_catalog,
  c.character_set_schema,
  c.character_set_name, c.collation_catalog, c.collation_schema, c.collation_name, c.domain_name,
  CAST(NULL AS VARCHAR) AS remarks FROM leat_system.information_schema_columns c)sql",
    R"sql(svv_all_schemas AS
SELECT leat_system.current_database() AS database_name, nspname AS schema_name, nspowner AS
  schema_owner, 'local' AS
  schema_type, array_to_string(nspacl, ',') AS schema_acl, CAST(NULL AS VARCHAR) AS
  source_database, CAST(NULL AS
  VARCHAR) AS schema_option FROM leat_system.pg_namespace
UNION ALL SELECT database, name, owner, 'local', NULL, NULL, NULL FROM
  leat_list_other_schemas(leat_system.leat_session()))sql",
    R"sql(svv_redshift_schemas AS SELECT database_name, schema_name, schema_owner, schema_type,
  schema_acl, schema_option
  FROM leat_system.svv_all_schemas)sql",
    R"sql(svv_all_tables AS
SELECT leat_system.current_database() AS database_name, r.schema_name, r.name AS table_name,
  array_to_string(CAST(from_json(leat_acl(leat_system.leat_session(), 'relation', r.oid),
  '["VARCHAR"]') AS VARCHAR[]), ',') AS table_acl, CASE WHEN r.kind = 'v' THEN 'VIEW' ELSE 'TABLE' END AS table_type, r.comment AS remarks
FROM leat_system.leat_visible_relations r
UNION ALL SELECT database, schema_name, name, NULL, CASE WHEN kind = 'v' THEN 'VIEW' ELSE 'TABLE'
  END, nullif(comment, '') FROM leat_list_other_relations(leat_system.leat_session()) WHERE
  accessible)sql",
    R"sql(svv_redshift_tables AS SELECT database_name, schema_name, table_name, table_type,
  table_acl, remarks
  FROM leat_system.svv_all_tables)sql",
    R"sql(svv_all_columns AS
SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, column_name,
  ordinal_position,
  column_default, is_nullable, data_type, character_maximum_length, numeric_precision,
  numeric_scale, CAST(NULL AS
  VARCHAR) AS remarks FROM leat_system.information_schema_columns
UNION ALL SELECT database, schema_name, relation_name, name, CAST(number AS INTEGER), default_text,
  CASE WHEN not_null THEN 'NO' ELSE 'YES' END, data_type, CAST(length AS INTEGER),
  CAST(number_precision AS INTEGER), CAST(number_scale AS INTEGER), NULL FROM
  leat_system.leat_other_columns)sql",
    R"sql(svv_redshift_columns AS
SELECT leat_system.current_database() AS database_name, schema_name, relation_name AS table_name,
  name AS column_name,
  CAST(number AS INTEGER) AS ordinal_position, data_type, default_text AS column_default, CASE WHEN
  not_null THEN 'NO'
  ELSE 'YES' END AS is_nullable, encoding, distribution_key AS distkey, sort_key AS sortkey,
  CAST(NULL AS VARCHAR) AS
  column_acl, comment AS remarks FROM leat_system.leat_visible_columns
UNION ALL SELECT database, schema_name, relation_name, name, CAST(number AS INTEGER), data_type,
  default_text, CASE WHEN not_null THEN 'NO' ELSE 'YES' END, encoding, distribution_key, sort_key,
  NULL, comment FROM leat_system.leat_other_columns)sql",
    R"sql(svv_mv_info AS
SELECT leat_system.current_database() AS database_name, schema_name,
  leat_user_name(leat_system.leat_session(), CAST(owner AS BIGINT)) AS user_name, name, CAST(NULL AS
  VARCHAR) AS is_stale, owner, 1 AS state, 'f' AS autorewrite,
  CASE WHEN auto_refresh THEN 't' ELSE 'f' END AS autorefresh
FROM leat_system.leat_visible_relations
WHERE kind = 'v' AND definition LIKE 'create materialized view %')sql",
    R"sql(svv_redshift_databases AS
SELECT datname AS database_name, datdba AS database_owner, 'local' AS database_type,
  array_to_string(datacl, ',') AS
  database_acl, '' AS database_options, CASE WHEN d.serializable THEN 'Serializable'
  ELSE 'Snapshot Isolation' END AS database_isolation_level
FROM leat_system.pg_database p JOIN leat_catalog.databases d ON d.oid = p.oid)sql",
    R"sql(leat_sizes AS
SELECT r.oid, t.estimated_size AS row_count FROM leat_system.leat_relations r JOIN
  duckdb_tables() t
  ON t.schema_name = r.engine_schema AND t.table_name = r.name
  AND t.temporary = r.temporary AND t.database_name IN (leat_system.leat_alias(), 'temp'))sql",
    // What a row takes, about: tables and materialized views.
    R"sql(leat_row_bytes AS
SELECT r.oid, r."schema", sum(CASE WHEN c.type_oid IN (1042, 1043) THEN 16 ELSE 8 END) AS row_bytes
FROM leat_system.leat_relations r JOIN leat_system.leat_columns c ON c.relation = r.oid
WHERE NOT r.temporary AND (r.kind = 'r' OR r.oid IN (SELECT oid FROM leat_catalog.relations WHERE
  kind = 'm')) GROUP BY r.oid, r."schema")sql",
    R"sql(svv_table_info AS
SELECT leat_system.current_database() AS "database", r.schema_name AS "schema", r.oid AS table_id,
  r.name AS "table",
  CASE WHEN k.encoded THEN 'Y' ELSE 'N' END AS encoded,
  CASE r.distribution WHEN 0 THEN 'EVEN' WHEN 1 THEN 'KEY(' || k.key_column || ')' WHEN 8 THEN
  'ALL' ELSE 'AUTO(ALL)'
  END AS diststyle, coalesce(k.sort_column, CASE WHEN r.sort_automatic THEN 'AUTO(SORTKEY)' END) AS
  sortkey1,
  CAST(k.max_varchar AS INTEGER) AS max_varchar, 'none' AS sortkey1_enc, CAST(k.sort_columns AS
  INTEGER) AS sortkey_num,
  CAST(1 + s.row_count * k.row_bytes // 1048576 AS BIGINT) AS size, CAST(0 AS DECIMAL(10,4)) AS
  pct_used,
  CAST(0 AS BIGINT) AS "empty", CAST(0 AS DECIMAL(5,2)) AS unsorted, CAST(0 AS DECIMAL(5,2)) AS
  stats_off,
  CAST(s.row_count AS DECIMAL(38,0)) AS tbl_rows, CAST(NULL AS DECIMAL(19,2)) AS skew_sortkey1,
  CAST(NULL AS DECIMAL(19,2)) AS skew_rows, CAST(s.row_count AS DECIMAL(38,0)) AS
  estimated_visible_rows,
  CAST(NULL AS VARCHAR) AS risk_event, CAST(NULL AS DECIMAL(12,2)) AS vacuum_sort_benefit,
  make_timestamp(r.created) AS
  create_time
FROM leat_system.leat_visible_relations r JOIN leat_system.leat_sizes s ON s.oid = r.oid
JOIN (SELECT relation, bool_or(encoding <> 'none') AS encoded, max(CASE WHEN distribution_key THEN
  name END) AS
  key_column, max(CASE WHEN abs(sort_key) = 1 THEN name END) AS sort_column, count(*) FILTER
  (sort_key <> 0) AS
  sort_columns, max(CASE WHEN type_oid = 1043 THEN type_modifier - 4 END) AS max_varchar, sum(CASE
  WHEN type_oid IN (1042,
  1043) THEN 16 ELSE 8 END) AS row_bytes FROM leat_system.leat_columns GROUP BY relation) k ON
  k.relation = r.oid
WHERE s.row_count > 0)sql",
    R"sql(svv_user_info AS
SELECT name AS user_name, id AS user_id, create_database AS createdb, superuser, false AS
  catalog_update,
  CASE WHEN connection_limit < 0 THEN 'UNLIMITED' ELSE CAST(connection_limit AS VARCHAR) END AS
  connection_limit,
  CASE WHEN unrestricted_log THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END AS syslog_access, CAST(NULL
  AS TIMESTAMP) AS
  last_ddl_timestamp, CAST(session_timeout_s AS INTEGER) AS session_timeout,
  nullif(external_id, '') AS external_user_id
FROM leat_catalog.users WHERE id = leat_system.current_user_id() OR leat_system.leat_superuser())sql",
};

void replace_once(std::string& text, std::string_view what, std::string_view by) {
  text.replace(text.find(what), what.size(), by);
}

}  // namespace

std::vector<std::string> information_statements() {
  std::vector<std::string> statements;
  for (const std::string_view view : kViews) {
    statements.push_back("CREATE OR REPLACE VIEW leat_system." + std::string(view));
    if (!view.starts_with("leat_visible_columns ")) continue;
    // The same of the other databases.
    std::string others = statements.back();
    replace_once(others, "leat_visible_columns", "leat_other_columns");
    replace_once(others, "leat_system.leat_columns",
                 "leat_list_other_columns(leat_system.leat_session())");
    statements.push_back(std::move(others));
  }
  statements.emplace_back(
      "CREATE OR REPLACE MACRO leat_system.pg_get_late_binding_view_cols() AS TABLE SELECT r.* "
      "FROM "
      "(SELECT unnest(from_json(leat_rows(leat_system.leat_session(), 'late_binding_columns'), "
      "'[{\"view_schema\":\"VARCHAR\",\"view_name\":\"VARCHAR\",\"col_name\":\"VARCHAR\","
      "\"col_type\":\"VARCHAR\",\"col_num\":\"INTEGER\"}]')) AS r)");
  // A name without schema is looked for along the search path.
  statements.emplace_back(
      "CREATE OR REPLACE MACRO leat_system.pg_get_cols(asked) AS TABLE SELECT "
      "c.schema_name AS view_schema, c.relation_name AS view_name, c.name AS col_name, c.type AS "
      "col_type, CAST(c.number AS INTEGER) AS col_num FROM leat_system.leat_columns c WHERE "
      "c.accessible AND (c.schema_name || '.' || c.relation_name = lower(asked) OR "
      "(c.relation_name = lower(asked) AND (c.schema_name LIKE 'pg\\_temp\\_%' ESCAPE '\\' "
      "OR list_contains(leat_system.current_schemas(false), c.schema_name)))) ORDER BY c.number");
  return statements;
}

}  // namespace leat::catalog
