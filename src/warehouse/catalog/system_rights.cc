// Who was granted what, as tools ask for it: svv_..._privileges, svv_roles, pg_default_acl and
// information_schema's views of privileges.
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

constexpr std::string_view kViews[] = {
    R"sql(leat_grantees AS
SELECT 0 AS kind, 0 AS id, 'public' AS name, 'public' AS type
UNION ALL SELECT 1, id, name, 'user' FROM leat_catalog.users
UNION ALL SELECT 2, id, name, 'group' FROM leat_catalog.groups
UNION ALL SELECT 3, id, name, 'role' FROM leat_catalog.roles)sql",
    R"sql(leat_privilege_names AS
SELECT * FROM (VALUES (1, 'SELECT'), (2, 'INSERT'), (4, 'UPDATE'), (8, 'DELETE'),
  (16, 'REFERENCES'), (32, 'DROP'), (64, 'TRUNCATE'), (128, 'ALTER'), (256, 'USAGE'),
  (512, 'CREATE'), (1024, 'TEMP'), (2048, 'EXECUTE')) AS p(bit, name))sql",
    R"sql(leat_grants AS
SELECT a.object, a.column_number, a.grantor, p.name AS privilege, (a.grantable & p.bit) <> 0 AS
  grantable, e.kind AS identity_kind, e.id AS identity_id, e.name AS identity_name, e.type AS
  identity_type
FROM leat_catalog.acl a JOIN leat_system.leat_privilege_names p ON (a.privileges & p.bit) <> 0
JOIN leat_system.leat_grantees e ON e.kind = a.grantee_kind AND e.id = a.grantee)sql",
    R"sql(information_schema_table_privileges AS
SELECT leat_user_name(leat_system.leat_session(), CAST(g.grantor AS BIGINT)) AS grantor,
  CASE g.identity_kind WHEN 0 THEN 'PUBLIC' ELSE g.identity_name END AS grantee,
  leat_system.current_database() AS table_catalog, r.schema_name AS table_schema, r.name AS
  table_name, g.privilege AS privilege_type, CASE WHEN g.grantable THEN 'YES' ELSE 'NO' END AS
  is_grantable, 'NO' AS with_hierarchy
FROM leat_system.leat_grants g JOIN leat_system.leat_visible_relations r ON r.oid = g.object
WHERE g.column_number = 0)sql",
    R"sql(information_schema_role_table_grants AS
SELECT * FROM leat_system.information_schema_table_privileges)sql",
    R"sql(information_schema_column_privileges AS
SELECT leat_user_name(leat_system.leat_session(), CAST(g.grantor AS BIGINT)) AS grantor,
  CASE g.identity_kind WHEN 0 THEN 'PUBLIC' ELSE g.identity_name END AS grantee,
  leat_system.current_database() AS table_catalog, c.schema_name AS table_schema, c.relation_name
  AS table_name, c.name AS column_name, g.privilege AS privilege_type, CASE WHEN g.grantable THEN
  'YES' ELSE 'NO' END AS is_grantable
FROM leat_system.leat_grants g JOIN leat_system.leat_visible_columns c ON c.oid = g.object AND
  (c.number = g.column_number OR (g.column_number = 0 AND g.privilege IN ('SELECT', 'INSERT',
  'UPDATE', 'REFERENCES'))))sql",
    R"sql(svv_relation_privileges AS
SELECT r.schema_name AS namespace_name, r.name AS relation_name, g.privilege AS privilege_type,
  g.identity_id, g.identity_name, g.identity_type, g.grantable AS admin_option
FROM leat_system.leat_grants g JOIN leat_system.leat_visible_relations r ON r.oid = g.object
WHERE g.column_number = 0)sql",
    R"sql(svv_column_privileges AS
SELECT c.schema_name AS namespace_name, c.relation_name, c.name AS column_name, g.privilege AS
  privilege_type, g.identity_id, g.identity_name, g.identity_type
FROM leat_system.leat_grants g JOIN leat_system.leat_visible_columns c ON c.oid = g.object AND
  c.number = g.column_number WHERE g.column_number <> 0)sql",
    R"sql(svv_schema_privileges AS
SELECT n.nspname AS namespace_name, g.privilege AS privilege_type, g.identity_id, g.identity_name,
  g.identity_type, g.grantable AS admin_option
FROM leat_system.leat_grants g JOIN leat_system.pg_namespace n ON n.oid = g.object)sql",
    R"sql(svv_database_privileges AS
SELECT d.name AS database_name, p.name AS privilege_type, e.id AS identity_id, e.name AS
  identity_name, e.type AS identity_type, (a.grantable & p.bit) <> 0 AS admin_option
FROM leat_catalog.database_acl a JOIN leat_catalog.databases d ON d.oid = a.object
JOIN leat_system.leat_privilege_names p ON (a.privileges & p.bit) <> 0
JOIN leat_system.leat_grantees e ON e.kind = a.grantee_kind AND e.id = a.grantee)sql",
    R"sql(leat_function_rows AS
SELECT f.oid, f.name, f."schema" AS schema_oid, s.name AS schema_name, f.owner, f.parameters,
  f.parameter_oids, f.returns, f.returns_oid, f.volatility, f.body
FROM leat_catalog.functions f JOIN leat_catalog.schemas s ON s.oid = f."schema")sql",
    R"sql(pg_proc_info AS
SELECT oid AS prooid, name AS proname, schema_oid AS pronamespace, owner AS proowner, CAST(14 AS
  BIGINT) AS prolang, false AS proisagg, false AS prosecdef, false AS proisstrict, false AS
  proretset, volatility = 'stable' AS proisstable, left(volatility, 1) AS provolatile,
  CAST(len(parameters) AS SMALLINT) AS pronargs, returns_oid AS prorettype,
  CAST(array_to_string(parameter_oids, ' ') AS LEAT_OID_ELEMENT[]) AS proargtypes, body AS prosrc,
  CAST(NULL AS VARCHAR) AS probin, 'f' AS prokind, CAST(NULL AS LEAT_CHARACTER[]) AS proargmodes,
  CAST(NULL AS LEAT_OID[]) AS proallargtypes, CAST(NULL AS VARCHAR[]) AS proargnames,
  CAST(from_json(leat_acl(leat_system.leat_session(), 'function', oid), '["VARCHAR"]') AS VARCHAR[]) AS proacl
FROM leat_system.leat_function_rows
UNION ALL SELECT f.oid, f.name, 11, 1, 12, false, false, true, false, f.kind IN ('input', 'receive'),
  'i', 1, CASE f.kind WHEN 'input' THEN f.type WHEN 'output' THEN 2275 WHEN 'receive' THEN f.type
  ELSE 17 END, CAST(CASE f.kind WHEN 'input' THEN '2275' WHEN 'receive' THEN '2281' ELSE CAST(f.type
  AS VARCHAR) END AS LEAT_OID_ELEMENT[]), f.name, NULL, 'f', NULL, NULL, NULL, NULL
FROM leat_system.leat_type_functions f)sql",
    R"sql(pg_proc AS
SELECT prooid AS oid, proname, pronamespace, proowner, prolang, proisagg, prosecdef, proisstrict,
  proretset, provolatile, pronargs, prorettype, proargtypes, proargnames, prosrc, probin, proacl,
  false AS proiswindow, prokind, proargmodes, proallargtypes FROM leat_system.pg_proc_info)sql",
    R"sql(svv_redshift_functions AS
SELECT leat_system.current_database() AS database_name, schema_name, name AS function_name,
  'SCALAR' AS function_type, array_to_string(parameters, ', ') AS argument_type, returns AS
  result_type FROM leat_system.leat_function_rows)sql",
    R"sql(information_schema_routines AS
SELECT leat_system.current_database() AS specific_catalog, schema_name AS specific_schema, name ||
  '_' || oid AS specific_name, leat_system.current_database() AS routine_catalog, schema_name AS
  routine_schema, name AS routine_name, 'FUNCTION' AS routine_type, returns AS data_type, body AS routine_definition
FROM leat_system.leat_function_rows)sql",
    R"sql(svv_function_privileges AS
SELECT f.schema_name AS namespace_name, f.name AS function_name, array_to_string(f.parameters, ', ')
  AS argument_types, g.privilege AS privilege_type, g.identity_id, g.identity_name,
  g.identity_type, g.grantable AS admin_option
FROM leat_system.leat_grants g JOIN leat_system.leat_function_rows f ON f.oid = g.object)sql",
    R"sql(svv_roles AS
SELECT id AS role_id, name AS role_name, leat_user_name(leat_system.leat_session(), CAST(owner AS
  BIGINT)) AS role_owner, nullif(external_id, '') AS external_id FROM leat_catalog.roles)sql",
    R"sql(svv_role_grants AS
SELECT r.id AS role_id, r.name AS role_name, g.id AS granted_role_id, g.name AS granted_role_name
FROM leat_catalog.role_holders h JOIN leat_catalog.roles g ON g.id = h.role
JOIN leat_catalog.roles r ON r.id = h.holder WHERE h.holder_kind = 3)sql",
    R"sql(svv_user_grants AS
SELECT u.id AS user_id, u.name AS user_name, g.id AS role_id, g.name AS role_name, h.admin AS
  admin_option
FROM leat_catalog.role_holders h JOIN leat_catalog.roles g ON g.id = h.role
JOIN leat_catalog.users u ON u.id = h.holder WHERE h.holder_kind = 1)sql",
    R"sql(information_schema_applicable_roles AS
SELECT user_name AS grantee, role_name, CASE WHEN admin_option THEN 'YES' ELSE 'NO' END AS
  is_grantable FROM leat_system.svv_user_grants)sql",
    R"sql(svv_system_privileges AS
SELECT upper(p.privilege) AS system_privilege, p.id AS identity_id, p.name AS identity_name, 'role'
  AS identity_type
FROM (SELECT id, name, unnest(string_split(privileges, ',')) AS privilege FROM leat_catalog.roles
  WHERE privileges <> '') p)sql",
    R"sql(svv_iam_privileges AS
SELECT CASE g.role WHEN '' THEN 'ALL' ELSE g.role END AS iam_arn, c.name AS command_type, e.id AS
  identity_id, e.name AS identity_name, e.type AS identity_type
FROM leat_catalog.iam_grants g JOIN (VALUES (1, 'COPY'), (2, 'UNLOAD'), (4, 'EXTERNAL FUNCTION'),
  (8, 'CREATE MODEL')) AS c(bit, name) ON (g.commands & c.bit) <> 0
JOIN leat_system.leat_grantees e ON e.kind = g.grantee_kind AND e.id = g.grantee)sql",
    R"sql(leat_standing_grants AS
SELECT s.target, s.owner, s."schema", p.name AS privilege, (s.grantable & p.bit) <> 0 AS grantable,
  e.id AS identity_id, e.name AS identity_name, e.type AS identity_type, e.kind AS identity_kind
FROM leat_catalog.standing_acl s JOIN leat_system.leat_privilege_names p ON (s.privileges & p.bit)
  <> 0
JOIN leat_system.leat_grantees e ON e.kind = s.grantee_kind AND e.id = s.grantee)sql",
    R"sql(svv_default_privileges AS
SELECT n.nspname AS schema_name, CASE g.target WHEN 'r' THEN 'RELATION' WHEN 'f' THEN 'FUNCTION'
  WHEN 'p' THEN 'PROCEDURE' ELSE 'SCHEMA' END AS object_type, g.owner AS owner_id,
  leat_user_name(leat_system.leat_session(), CAST(g.owner AS BIGINT)) AS owner_name, 'user' AS
  owner_type, g.privilege AS privilege_type, g.identity_id AS grantee_id, g.identity_name AS
  grantee_name, g.identity_type AS grantee_type, g.grantable AS admin_option
FROM leat_system.leat_standing_grants g LEFT JOIN leat_system.pg_namespace n ON n.oid = g."schema"
WHERE g.target IN ('r', 'f', 'p', 'n') AND leat_sees_grant(leat_system.leat_session(),
  CAST(g.identity_kind AS BIGINT), CAST(g.identity_id AS BIGINT)))sql",
    R"sql(pg_default_acl AS
SELECT CAST(row_number() OVER () + 80000 AS BIGINT) AS oid, owner AS defacluser, owner AS
  defaclrole, CAST("schema" AS BIGINT) AS defaclnamespace, target AS defaclobjtype, list(item ORDER
  BY item) AS defaclacl
FROM (SELECT owner, "schema", target, CASE identity_kind WHEN 0 THEN '' WHEN 2 THEN 'group ' ||
  identity_name WHEN 3 THEN 'role ' || identity_name ELSE identity_name END || '=' ||
  string_agg(CASE privilege WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w'
  WHEN 'DELETE' THEN 'd' WHEN 'REFERENCES' THEN 'x' WHEN 'DROP' THEN 'D' WHEN 'TRUNCATE' THEN 't'
  WHEN 'ALTER' THEN 'A' WHEN 'USAGE' THEN 'U' WHEN 'CREATE' THEN 'C' WHEN 'TEMP' THEN 'T' ELSE 'X'
  END || CASE WHEN grantable THEN '*' ELSE '' END, '' ORDER BY privilege) || '/' ||
  leat_user_name(leat_system.leat_session(), CAST(owner AS BIGINT)) AS item
  FROM leat_system.leat_standing_grants WHERE target IN ('r', 'f', 'p', 'n') AND (owner =
  leat_system.current_user_id() OR leat_system.leat_superuser())
  GROUP BY owner, "schema", target, identity_kind, identity_name) AS items
GROUP BY owner, "schema", target)sql",
};

// The definitions of functions; they read a view above.
constexpr std::string_view kFunctionMacros[] = {
    "pg_get_function_result(wanted) AS (SELECT f.returns FROM leat_system.leat_function_rows f "
    "WHERE f.oid = wanted)",
    "pg_get_function_arguments(wanted) AS (SELECT array_to_string(f.parameters, ', ') FROM "
    "leat_system.leat_function_rows f WHERE f.oid = wanted)",
    "pg_get_function_identity_arguments(wanted) AS (SELECT array_to_string(f.parameters, ', ') "
    "FROM "
    "leat_system.leat_function_rows f WHERE f.oid = wanted)",
    "pg_get_functiondef(wanted) AS (SELECT 'CREATE OR REPLACE FUNCTION ' || f.schema_name || '.' "
    "|| "
    "f.name || '(' || array_to_string(f.parameters, ', ') || ') RETURNS ' || f.returns || ' ' || "
    "upper(f.volatility) || ' AS $$ ' || trim(f.body) || ' $$ LANGUAGE sql' FROM "
    "leat_system.leat_function_rows f WHERE f.oid = wanted)",
};

}  // namespace

std::vector<std::string> rights_statements() {
  std::vector<std::string> statements;
  for (const std::string_view view : kViews) {
    statements.push_back("CREATE OR REPLACE VIEW leat_system." + std::string(view));
  }
  for (const std::string_view macro : kFunctionMacros) {
    statements.push_back("CREATE OR REPLACE MACRO leat_system." + std::string(macro));
  }
  return statements;
}

}  // namespace leat::catalog
