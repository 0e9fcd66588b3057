// SHOW GRANTS, COLUMN GRANTS, FUNCTIONS, PROCEDURES and PARAMETERS: rows as Redshift's drivers read
// them. A group is shown as a role whose name begins with '/'.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/session/show_support.h"

namespace leat::session {
namespace {

using engine::quote_literal;

/// What every list of grants ends with; `g` is leat_grants.
constexpr std::string_view kGrantColumns =
    "g.privilege AS privilege_type, g.identity_id, CASE g.identity_type WHEN 'group' THEN '/' || "
    "g.identity_name ELSE g.identity_name END AS identity_name, CASE g.identity_type WHEN 'group' "
    "THEN 'role' ELSE g.identity_type END AS identity_type, g.grantable AS admin_option";

constexpr std::string_view kGrantor =
    "leat_user_name(leat_system.leat_session(), CAST(g.grantor AS BIGINT)) AS grantor_name";

/// One kind of object's grants: its names, and where they are.
std::string grants_of(std::string_view schema, std::string_view object, std::string_view type,
                      std::string_view scope, std::string_view source) {
  return fmt::format(
      "SELECT leat_system.current_database() AS database_name, {} AS schema_name, {} AS "
      "object_name, {} AS object_type, {}, '{}' AS privilege_scope, {} FROM "
      "leat_system.leat_grants "
      "g JOIN {}",
      schema, object, type, kGrantColumns, scope, kGrantor, source);
}

std::string table_grants() {
  return grants_of("r.schema_name", "r.name", "CASE WHEN r.kind = 'r' THEN 'TABLE' ELSE 'VIEW' END",
                   "TABLE",
                   "leat_system.leat_visible_relations r ON r.oid = g.object WHERE "
                   "g.column_number = 0");
}
std::string schema_grants() {
  return grants_of("n.nspname", "n.nspname", "'SCHEMA'", "SCHEMA",
                   "leat_system.pg_namespace n ON n.oid = g.object WHERE true");
}
std::string function_grants() {
  return grants_of("f.schema_name", "f.name || '(' || array_to_string(f.parameters, ', ') || ')'",
                   "'FUNCTION'", "FUNCTION",
                   "leat_system.leat_function_rows f ON f.oid = g.object WHERE true");
}
std::string database_grants() {
  return "SELECT p.database_name, CAST(NULL AS VARCHAR) AS schema_name, p.database_name AS "
         "object_name, 'DATABASE' AS object_type, p.privilege_type, p.identity_id, CASE "
         "p.identity_type WHEN 'group' THEN '/' || p.identity_name ELSE p.identity_name END AS "
         "identity_name, CASE p.identity_type WHEN 'group' THEN 'role' ELSE p.identity_type END AS "
         "identity_type, p.admin_option, 'DATABASE' AS privilege_scope, CAST(NULL AS VARCHAR) AS "
         "grantor_name FROM leat_system.svv_database_privileges p";
}

std::string ordered(std::string text, const sql::ShowStatement& statement,
                    std::string_view columns) {
  text += fmt::format(" ORDER BY {}", columns);
  if (statement.limit) text += fmt::format(" LIMIT {}", *statement.limit);
  return text;
}

/// Everything that was granted to one user, role, or everybody.
SqlResult<std::string> grants_for(const SessionState& session,
                                  const sql::ShowStatement& statement) {
  const std::string name(statement.setting == "public" ? "public" : statement.name.name());
  const bool known = statement.setting == "public" ||
                     (statement.setting == "role" ? session.catalog.role(name) != nullptr
                                                  : session.catalog.user(name) != nullptr);
  if (!known) {
    return engine::fail_sql("42704", statement.setting + " \"" + name + "\" does not exist");
  }
  return ordered(fmt::format("SELECT * FROM ({} UNION ALL {} UNION ALL {} UNION ALL {}) AS t WHERE "
                             "identity_type = {} AND identity_name = {}",
                             table_grants(), schema_grants(), function_grants(), database_grants(),
                             quote_literal(statement.setting), quote_literal(name)),
                 statement, "object_type, schema_name, object_name, privilege_type");
}

struct ShownType {
  std::string name;
  std::string length = "NULL";
  std::string precision = "NULL";
  std::string scale = "NULL";
};

ShownType shown_type(const sql::TypeName& type) {
  const sql::TypeName effective = sql::column_type(type);
  ShownType shown;
  shown.name = sql::format_type(effective);
  shown.name = shown.name.substr(0, shown.name.find('('));
  if (effective.length > 0) shown.length = std::to_string(effective.length);
  if (effective.kind == sql::TypeKind::kDecimal) {
    shown.precision = std::to_string(effective.precision);
    shown.scale = std::to_string(effective.scale);
  }
  return shown;
}

}  // namespace

SqlResult<std::string> grants_sql(const SessionState& session,
                                  const sql::ShowStatement& statement) {
  constexpr std::string_view kOrder = "identity_type, identity_name, privilege_type";
  const sql::QualifiedName& name = statement.name;
  if (statement.kind == sql::ShowKind::kColumnGrants) {
    LEAT_ASSIGN(const catalog::RelationPointer relation, session.find_relation(name));
    std::string text = fmt::format(
        "SELECT leat_system.current_database() AS database_name, c.schema_name, c.relation_name AS "
        "object_name, 'COLUMN' AS object_type, {}, 'COLUMN' AS privilege_scope, {}, c.name AS "
        "column_name FROM leat_system.leat_grants g JOIN leat_system.leat_visible_columns c ON "
        "c.oid = g.object AND c.number = g.column_number WHERE g.column_number <> 0 AND c.oid = {}",
        kGrantColumns, kGrantor, relation->oid);
    if (statement.like) text += " AND c.name LIKE " + quote_literal(*statement.like);
    return ordered(std::move(text), statement, "column_name, " + std::string(kOrder));
  }
  if (statement.setting == "table") {
    LEAT_ASSIGN(const catalog::RelationPointer relation, session.find_relation(name));
    return ordered(table_grants() + fmt::format(" AND r.oid = {}", relation->oid), statement,
                   kOrder);
  }
  if (statement.setting == "schema") {
    LEAT_ASSIGN(const std::string schema, shown_schema(session, name));
    return ordered(schema_grants() + " AND n.nspname = " + quote_literal(schema), statement,
                   kOrder);
  }
  if (statement.setting == "function") {
    LEAT_ASSIGN(const catalog::FunctionPointer function,
                session.find_function_written(name, statement.types));
    return ordered(function_grants() + fmt::format(" AND f.oid = {}", function->oid), statement,
                   kOrder);
  }
  if (statement.setting != "database") return grants_for(session, statement);
  if (session.catalog.database(name.name()) == nullptr)
    return no_database(std::string(name.name()));
  return ordered(
      database_grants() + " WHERE p.database_name = " + quote_literal(std::string(name.name())),
      statement, kOrder);
}

SqlResult<std::string> functions_sql(const SessionState& session,
                                     const sql::ShowStatement& statement) {
  LEAT_ASSIGN(const std::string schema, shown_schema(session, statement.name));
  const bool functions = statement.kind == sql::ShowKind::kFunctions;
  const std::string_view column = functions ? "function_name" : "procedure_name";
  // There are no procedures.
  std::string text = fmt::format(
      "SELECT leat_system.current_database() AS database_name, schema_name, name AS {}, CAST("
      "len(parameters) AS INTEGER) AS number_of_arguments, array_to_string(parameters, ', ') AS "
      "argument_list, returns AS return_type, CAST(NULL AS VARCHAR) AS remarks FROM "
      "leat_system.leat_function_rows WHERE {} AND schema_name = {} AND "
      "leat_system.has_schema_privilege(schema_name, 'usage')",
      column, functions ? "true" : "false", quote_literal(schema));
  if (statement.like) text += " AND name LIKE " + quote_literal(*statement.like);
  return ordered(std::move(text), statement, fmt::format("{}, argument_list", column));
}

SqlResult<std::string> parameters_sql(const SessionState& session,
                                      const sql::ShowStatement& statement) {
  if (statement.setting == "procedure") {
    return engine::fail_sql("42883", "procedure " + statement.name.to_string() + " does not exist",
                            {}, "Stored procedures are not supported: there are none.");
  }
  LEAT_ASSIGN(const catalog::FunctionPointer function,
              session.find_function_written(statement.name, statement.types));
  if (const catalog::SchemaPointer schema = session.catalog.schema(function->schema))
    LEAT_TRY(session.require_schema(*schema, catalog::kUsage));
  std::string rows;
  const auto add = [&](const sql::TypeName& type, std::size_t position, std::string_view kind) {
    const ShownType shown = shown_type(type);
    rows += fmt::format(
        "{}({}, {}, {}, '', {}, '{}', {}, CAST({} AS INTEGER), CAST({} AS INTEGER), CAST({} AS "
        "INTEGER))",
        rows.empty() ? "" : ", ", quote_literal(session.request.database),
        quote_literal(function->schema_name), quote_literal(function->name), position, kind,
        quote_literal(shown.name), shown.length, shown.precision, shown.scale);
  };
  add(function->returns, 0, "RETURN");
  for (std::size_t i = 0; i < function->parameters.size(); ++i)
    add(function->parameters[i], i + 1, "IN");
  return ordered("SELECT * FROM (" +
                     rows_sql(rows,
                              "database_name, schema_name, function_name, parameter_name, "
                              "ordinal_position, parameter_type, data_type, "
                              "character_maximum_length, numeric_precision, numeric_scale") +
                     ") AS t",
                 statement, "ordinal_position");
}

}  // namespace leat::session
