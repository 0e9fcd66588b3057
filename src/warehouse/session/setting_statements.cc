// SET, RESET, SHOW, CANCEL, and the statements that have nothing to do here.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/session/session_state.h"
#include "warehouse/session/show_support.h"

namespace leat::session {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text;
}

/// search_path keeps names that need quotes in quotes.
std::string path_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "" : ", ";
    text += name == "$user" || name.contains(',') ? "\"" + name + "\"" : name;
  }
  return text;
}

/// `order`: what to order by, when it is not the column that LIKE is about.
std::string like_clause(const sql::ShowStatement& statement, std::string_view column,
                        std::string_view order = {}) {
  std::string text;
  if (statement.like)
    text += fmt::format(" AND {} LIKE {}", column, quote_literal(*statement.like));
  text += fmt::format(" ORDER BY {}", order.empty() ? column : order);
  if (statement.limit) text += fmt::format(" LIMIT {}", *statement.limit);
  return text;
}

/// RANDOM() gives the same numbers after the same seed.
SqlStatus set_seed(SessionState& session, const sql::SetStatement& statement) {
  const std::optional<double> seed =
      statement.values.size() == 1 ? parse_number<double>(statement.values[0]) : std::nullopt;
  if (statement.to_default || !seed || !(*seed >= -1 && *seed <= 1)) {
    return engine::fail_sql("22023", "SET SEED needs a number between -1 and 1");
  }
  LEAT_TRY(session.quiet_engine());
  LEAT_TRY(session.connection->run(fmt::format("SELECT setseed({})", *seed)));
  return {};
}

/// SET ROLE: a user's roles are always in force, so that it only has to be one of them.
SqlStatus check_role(const SessionState& session, const std::vector<std::string>& names) {
  const catalog::UserPointer me = session.user();
  for (const std::string& name : names) {
    const catalog::RolePointer role = session.catalog.role(name);
    if (role == nullptr) return engine::fail_sql("42704", "role \"" + name + "\" does not exist");
    const std::vector<std::int32_t> held =
        catalog::roles_of(session.catalog, catalog::GranteeKind::kUser, me->id);
    if (!me->superuser && std::ranges::find(held, role->id) == held.end())
      return engine::fail_sql("42501", "permission denied to set role \"" + name + "\"");
  }
  return {};
}

}  // namespace

std::string setting_text(const sql::SetStatement& statement) {
  return statement.name == "search_path" ? path_text(statement.values) : joined(statement.values);
}

void SessionState::report_setting(std::string_view name, ResultSink& sink) const {
  const std::string_view reported = Settings::reported_name(name);
  if (!reported.empty()) sink.on_setting(reported, settings.get(name));
}

SqlStatus SessionState::become(const catalog::User& other, ResultSink& sink) {
  if (block == Block::kExplicit) {
    return engine::fail_sql("25001",
                            "SET SESSION AUTHORIZATION cannot run inside a transaction block");
  }
  LEAT_TRY(quiet_engine());
  LEAT_TRY(enter_user(*connection, other.name, other.id));
  user_id = other.id;
  for (Settings* each : {&settings, &settings_before}) {
    each->force("session_authorization", other.name);
    each->force("is_superuser", other.superuser ? "on" : "off");
  }
  ++settings_epoch;
  shared->update_info(id, [&](SessionInfo& info) {
    info.user_id = other.id;
    info.user = other.name;
  });
  report_setting("session_authorization", sink);
  report_setting("is_superuser", sink);
  return {};
}

namespace {

/// SET SESSION AUTHORIZATION: to the user that logged in, or for a superuser to any.
SqlStatus set_user(SessionState& session, Running& running, const sql::SetStatement& statement) {
  const catalog::UserPointer login = session.catalog.user(session.login_user_id);
  if (login == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  const std::string name = statement.to_default ? login->name : setting_text(statement);
  const catalog::UserPointer other = session.catalog.user(name);
  if (other == nullptr) return engine::fail_sql("42704", "user \"" + name + "\" does not exist");
  if (other->id == session.user_id) return {};
  if (!login->superuser && other->id != login->id)
    return engine::fail_sql("42501", "must be superuser to set session authorization");
  return session.become(*other, running.sink);
}

}  // namespace

SqlStatus SessionState::run_set(Running& running, const sql::SetStatement& statement) {
  std::string name = statement.name;
  if (name == "seed") return set_seed(*this, statement);
  if (name == "session_authorization") return set_user(*this, running, statement);
  if (name == "role") {
    const bool nothing =
        statement.to_default || (statement.values.size() == 1 && statement.values[0] == "none");
    return nothing ? SqlStatus{} : check_role(*this, statement.values);
  }
  if (Settings::is_ignored(name)) {
    running.sink.on_notice(Severity::kNotice, "00000",
                           "parameter \"" + name + "\" is accepted and has no effect");
    return {};
  }
  const SqlResult<std::string> before = settings.show(name);
  if (!before) return std::unexpected(before.error());
  if (statement.to_default) {
    LEAT_TRY(settings.reset(name));
  } else {
    LEAT_TRY(settings.set(name, setting_text(statement)));
  }
  if (name == "timezone") {
    LEAT_TRY(quiet_engine());
    if (!follow_time_zone()) {
      const std::string refused = settings.get(name);
      static_cast<void>(settings.set(name, *before));
      return engine::fail_sql("22023",
                              "invalid value for parameter \"TimeZone\": \"" + refused + "\"", {},
                              "Write a name such as America/New_York or UTC.");
    }
  }
  if (statement.scope == sql::SettingScope::kLocal) {
    if (block != Block::kExplicit) {
      static_cast<void>(settings.set(name, *before));
      running.sink.on_notice(Severity::kWarning, "25P01",
                             "SET LOCAL can only be used in transaction blocks");
      return {};
    }
    local_before.try_emplace(name, *before);
  }
  ++settings_epoch;
  if (name == "transaction_read_only") block_read_only = settings.is_on(name);
  if (name == "application_name") {
    shared->update_info(id, [&](SessionInfo& info) { info.application = settings.get(name); });
  }
  report_setting(name, running.sink);
  return {};
}

SqlStatus SessionState::run_reset(Running& running, const sql::ResetStatement& statement) {
  ++settings_epoch;
  if (statement.name == "use") {
    LEAT_TRY(use_database(connected_database));
    uses_database = false;
    return {};
  }
  if (statement.name != "all") {
    if (statement.name == "role") return {};
    if (statement.name == "session_authorization") {
      sql::SetStatement set;
      set.to_default = true;
      return set_user(*this, running, set);
    }
    LEAT_TRY(settings.reset(statement.name));
    report_setting(statement.name, running.sink);
    return {};
  }
  settings.reset_all();
  for (const auto& [name, value] : settings.list()) report_setting(name, running.sink);
  return {};
}

namespace {

/// The schema exists in that database, which exists.
SqlStatus require_schema_of(const SessionState& session, const std::string& database,
                            const std::string& schema) {
  bool known = false;
  if (database == session.request.database) {
    known = session.catalog.schema(schema) != nullptr;
  } else if (session.catalog.database(database) == nullptr) {
    return no_database(database);
  } else {
    session.facts().each_other([&](const std::string& name, const catalog::CatalogSession& other) {
      known = known || (name == database && other.schema(schema) != nullptr);
    });
  }
  if (known) return {};
  return engine::fail_sql("3F000", "schema \"" + schema + "\" does not exist");
}

}  // namespace

SqlResult<std::string> shown_schema(const SessionState& session, const sql::QualifiedName& name) {
  const std::vector<std::string> path = session.resolved_search_path();
  std::string schema(name.empty() ? path.empty() ? "public" : path.front() : name.name());
  const std::string database(name.schema().empty() ? session.request.database : name.schema());
  LEAT_TRY(require_schema_of(session, database, schema));
  return schema;
}

namespace {

std::string column_name(const catalog::Relation& relation, std::int16_t number) {
  const auto found = std::ranges::find(relation.columns, number, &catalog::Column::number);
  return found == relation.columns.end() ? std::string() : found->name;
}

/// As JDBC counts them: NO ACTION, and not deferrable.
constexpr int kNoAction = 3;
constexpr int kNotDeferrable = 7;

std::string primary_key_rows(const SessionState& session, const catalog::Relation& relation) {
  std::string rows;
  for (const catalog::Constraint& key : relation.constraints) {
    if (key.kind != catalog::ConstraintKind::kPrimaryKey) continue;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      rows += fmt::format("{}({}, {}, {}, {}, CAST({} AS SMALLINT), {})", rows.empty() ? "" : ", ",
                          quote_literal(session.request.database),
                          quote_literal(relation.schema_name), quote_literal(relation.name),
                          quote_literal(column_name(relation, key.columns[i])), i + 1,
                          quote_literal(key.name));
    }
  }
  return rows;
}

/// The references from `from` to `to`.
void add_foreign_key_rows(const SessionState& session, const catalog::Relation& from,
                          const catalog::Relation& to, std::string& rows) {
  const std::string database = quote_literal(session.request.database);
  const auto primary = std::ranges::find(to.constraints, catalog::ConstraintKind::kPrimaryKey,
                                         &catalog::Constraint::kind);
  const std::string primary_name =
      quote_literal(primary == to.constraints.end() ? std::string() : primary->name);
  for (const catalog::Constraint& key : from.constraints) {
    if (key.kind != catalog::ConstraintKind::kForeignKey || key.references != to.oid) continue;
    for (std::size_t i = 0; i < key.columns.size() && i < key.references_columns.size(); ++i) {
      rows += fmt::format(
          "{}({}, {}, {}, {}, {}, {}, {}, {}, CAST({} AS SMALLINT), CAST({} AS SMALLINT), CAST({} "
          "AS SMALLINT), {}, {}, CAST({} AS SMALLINT))",
          rows.empty() ? "" : ", ", database, quote_literal(to.schema_name), quote_literal(to.name),
          quote_literal(column_name(to, key.references_columns[i])), database,
          quote_literal(from.schema_name), quote_literal(from.name),
          quote_literal(column_name(from, key.columns[i])), i + 1, kNoAction, kNoAction,
          quote_literal(key.name), primary_name, kNotDeferrable);
    }
  }
}

}  // namespace

std::string rows_sql(const std::string& rows, std::string_view columns) {
  if (!rows.empty()) return fmt::format("SELECT * FROM (VALUES {}) AS t({})", rows, columns);
  std::string nulls;
  for (const std::string_view column : split(columns, ','))
    nulls += fmt::format("{}CAST(NULL AS VARCHAR) AS {}", nulls.empty() ? "" : ", ", trim(column));
  return "SELECT " + nulls + " WHERE false";
}

namespace {

/// SHOW CONSTRAINTS of a table: its primary key, what it refers to, or what refers to it.
SqlResult<std::string> constraints_sql(const SessionState& session,
                                       const sql::ShowStatement& statement) {
  LEAT_ASSIGN(const catalog::RelationPointer relation, session.find_relation(statement.name));
  LEAT_TRY(session.require(*relation, 0));
  const bool primary = statement.setting == "primary keys";
  std::string rows;
  if (primary) {
    rows = rows_sql(primary_key_rows(session, *relation),
                    "database_name, schema_name, table_name, column_name, key_seq, pk_name");
  } else {
    const bool exported = statement.setting == "foreign keys exported";
    for (const catalog::RelationPointer& other : session.catalog.relations(0)) {
      const catalog::Relation& from = exported ? *other : *relation;
      add_foreign_key_rows(session, from, exported ? *relation : *other, rows);
    }
    rows = rows_sql(rows,
                    "pk_database_name, pk_schema_name, pk_table_name, pk_column_name, "
                    "fk_database_name, fk_schema_name, fk_table_name, fk_column_name, key_seq, "
                    "update_rule, delete_rule, fk_name, pk_name, deferrability");
  }
  const std::string_view name = primary ? "pk_name" : "fk_name";
  std::string text = "SELECT * FROM (" + rows + ") AS t";
  if (statement.like)
    text += fmt::format(" WHERE {} LIKE {}", name, quote_literal(*statement.like));
  text += fmt::format(" ORDER BY {}, key_seq", name);
  if (statement.limit) text += fmt::format(" LIMIT {}", *statement.limit);
  return text;
}

/// SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, CONSTRAINTS: what drivers ask in place of catalogs.
SqlResult<std::string> discovery_sql(const SessionState& session,
                                     const sql::ShowStatement& statement) {
  const sql::QualifiedName& name = statement.name;
  const std::string& own = session.request.database;
  if (statement.kind == sql::ShowKind::kDatabases) {
    return "SELECT database_name, database_owner, database_type, database_acl, '' AS parameters, "
           "database_isolation_level FROM leat_system.svv_redshift_databases WHERE true" +
           like_clause(statement, "database_name");
  }
  if (statement.kind == sql::ShowKind::kSchemas) {
    const std::string of(name.empty() ? own : name.name());
    if (session.catalog.database(of) == nullptr) return no_database(of);
    return "SELECT * FROM leat_system.svv_all_schemas WHERE database_name = " + quote_literal(of) +
           like_clause(statement, "schema_name");
  }
  if (statement.kind == sql::ShowKind::kTables) {
    LEAT_ASSIGN(const std::string schema, shown_schema(session, name));
    const std::string of(name.schema().empty() ? own : name.schema());
    return "SELECT t.database_name, t.schema_name, t.table_name, t.table_type, t.table_acl, "
           "t.remarks, leat_user_name(leat_system.leat_session(), CAST(r.owner AS BIGINT)) AS "
           "owner, CAST(NULL AS TIMESTAMP) AS last_altered_time, CAST(NULL AS TIMESTAMP) AS "
           "last_modified_time, CASE WHEN r.kind = 'v' THEN NULL WHEN r.distribution = 0 THEN "
           "'EVEN' WHEN r.distribution = 1 THEN 'KEY' WHEN r.distribution = 8 THEN 'ALL' ELSE "
           "'AUTO (ALL)' END AS dist_style, CASE WHEN r.kind <> 'v' THEN 'REGULAR TABLE' WHEN "
           "r.definition LIKE 'create materialized view %' THEN 'MATERIALIZED VIEW' WHEN "
           "r.definition LIKE '%with no schema binding' THEN 'LATE BINDING VIEW' ELSE 'REGULAR "
           "VIEW' END AS table_subtype FROM leat_system.svv_all_tables t JOIN (SELECT * FROM "
           "leat_system.leat_relations UNION ALL SELECT * FROM "
           "leat_list_other_relations(leat_system.leat_session())) r ON r.database = "
           "t.database_name AND r.schema_name = t.schema_name AND r.name = t.table_name WHERE "
           "t.database_name = " +
           quote_literal(of) + " AND t.schema_name = " + quote_literal(schema) +
           like_clause(statement, "t.table_name");
  }
  if (statement.kind == sql::ShowKind::kConstraints) return constraints_sql(session, statement);
  if (statement.kind == sql::ShowKind::kGrants || statement.kind == sql::ShowKind::kColumnGrants)
    return grants_sql(session, statement);
  if (statement.kind == sql::ShowKind::kParameters) return parameters_sql(session, statement);
  if (statement.kind == sql::ShowKind::kProcedures || statement.kind == sql::ShowKind::kFunctions) {
    return functions_sql(session, statement);
  }
  LEAT_ASSIGN(const catalog::RelationPointer relation, session.find_readable(name));
  const std::string of(name.database().empty() ? own : name.database());
  const bool interleaved = std::ranges::any_of(
      relation->columns, [](const catalog::Column& column) { return column.sort_key < 0; });
  std::string insensitive = "NULL";
  for (const catalog::Column& column : relation->columns) {
    if (column.insensitive) insensitive += ", " + quote_literal(column.name);
  }
  return fmt::format(
             "SELECT c.* REPLACE (nullif(k.remarks, '') AS remarks), CASE WHEN k.sortkey <> 0 THEN "
             "'{}' END AS sort_key_type, k.sortkey AS sort_key, CASE WHEN k.distkey THEN 1 END AS "
             "dist_key, CASE k.encoding WHEN 'none' THEN 'raw' ELSE k.encoding END AS encoding, "
             "CASE WHEN c.column_name IN ({}) THEN 'case_insensitive' WHEN c.data_type LIKE "
             "'character%' THEN 'default' END AS collation FROM "
             "leat_system.svv_all_columns c JOIN leat_system.svv_redshift_columns k USING "
             "(database_name, schema_name, table_name, column_name) WHERE c.database_name = {} AND "
             "c.schema_name = {} AND c.table_name = {}",
             interleaved ? "INTERLEAVED" : "COMPOUND", insensitive, quote_literal(of),
             quote_literal(relation->schema_name), quote_literal(relation->name)) +
         like_clause(statement, "c.column_name", "c.ordinal_position");
}

}  // namespace

SqlStatus SessionState::run_show(Running& running, const sql::ShowStatement& statement) {
  switch (statement.kind) {
    case sql::ShowKind::kSetting: {
      if (statement.setting == "all") {
        std::string rows;
        for (const auto& [name, value] : settings.list()) {
          rows += (rows.empty() ? "" : ", ") +
                  fmt::format("({}, {})", quote_literal(name), quote_literal(value));
        }
        return send_query(running,
                          "SELECT name, setting FROM (VALUES " + rows + ") AS t(name, setting)");
      }
      if (statement.setting == "use") {
        return send_query(running,
                          fmt::format("SELECT {} AS \"Use Database\"",
                                      quote_literal(uses_database ? request.database : "")));
      }
      LEAT_ASSIGN(const std::string value, settings.show(statement.setting));
      return send_query(running, fmt::format("SELECT {} AS {}", quote_literal(value),
                                             quote_identifier(statement.setting)));
    }
    case sql::ShowKind::kTable: {
      LEAT_ASSIGN(const catalog::RelationPointer relation, find_relation(statement.name));
      LEAT_TRY(require(*relation, catalog::kSelect));
      return send_query(running, fmt::format("SELECT {} AS \"Show Table DDL statement\"",
                                             quote_literal(table_ddl(*this, *relation))));
    }
    case sql::ShowKind::kView: {
      LEAT_ASSIGN(const catalog::RelationPointer relation, find_relation(statement.name));
      LEAT_TRY(require(*relation, catalog::kSelect));
      if (relation->kind == catalog::RelationKind::kTable) {
        return engine::fail_sql("42809", "\"" + relation->name + "\" is not a view");
      }
      return send_query(running, fmt::format("SELECT {} AS \"Show View DDL statement\"",
                                             quote_literal(view_ddl(*this, *relation))));
    }
    case sql::ShowKind::kDatabases:
    case sql::ShowKind::kSchemas:
    case sql::ShowKind::kTables:
    case sql::ShowKind::kColumns:
    case sql::ShowKind::kConstraints:
    case sql::ShowKind::kGrants:
    case sql::ShowKind::kColumnGrants:
    case sql::ShowKind::kProcedures:
    case sql::ShowKind::kFunctions:
    case sql::ShowKind::kParameters: {
      LEAT_ASSIGN(const std::string text, discovery_sql(*this, statement));
      return send_query(running, text);
    }
    case sql::ShowKind::kProcedure:
      return engine::fail_sql("42883",
                              "procedure " + statement.name.to_string() + " does not exist", {},
                              "Stored procedures are not supported: there are none.");
  }
  return {};
}

SqlStatus SessionState::run_maintenance(Running& running) {
  // The engine compresses, sorts and keeps statistics by itself. Names are checked, so that a typo
  // is told.
  sql::QualifiedName table;
  std::vector<std::string> columns;
  bool rows = false;
  std::string_view privilege = "vacuum";
  if (const auto* analyze = sql::get_if<sql::AnalyzeStatement>(running.statement)) {
    table = analyze->table;
    columns = analyze->columns;
    rows = analyze->compression;
    privilege = "analyze";
  } else {
    table = std::get<sql::VacuumStatement>(running.statement.node).table;
  }
  std::string list;
  if (!table.empty()) {
    LEAT_ASSIGN(const catalog::RelationPointer relation, find_relation(table));
    LEAT_TRY(require_owner(*relation, 0, privilege));
    for (const std::string& name : columns) {
      if (std::ranges::find(relation->columns, name, &catalog::Column::name) ==
          relation->columns.end()) {
        return engine::fail_sql(
            "42703",
            fmt::format("column \"{}\" of relation \"{}\" does not exist", name, relation->name));
      }
    }
    for (const catalog::Column& column : relation->columns) {
      if (!columns.empty() && std::ranges::find(columns, column.name) == columns.end()) continue;
      list += (list.empty() ? "" : ", ") +
              fmt::format("({}, {}, {}, CAST(0 AS DECIMAL(5,2)))", quote_literal(relation->name),
                          quote_literal(column.name),
                          quote_literal(column.encoding == "none" ? "raw" : column.encoding));
    }
  }
  if (!rows) return {};
  if (list.empty())
    return engine::fail_sql("0A000", "ANALYZE COMPRESSION needs the name of a table");
  return send_query(running, "SELECT * FROM (VALUES " + list +
                                 ") AS t(\"Table\", \"Column\", \"Encoding\", "
                                 "\"Est_reduction_pct\")");
}

SqlStatus SessionState::run_cancel(Running&, const sql::CancelStatement& statement) {
  if (shared->stop_session(id, statement.process, false)) return {};
  return engine::fail_sql(
      "42704",
      fmt::format("process {} does not exist or belongs to another user", statement.process));
}

}  // namespace leat::session
