// Schemas: CREATE, ALTER and DROP, and the quotas that COMMIT checks.
//
// A renamed schema keeps the engine's schema that it was made with, so that transactions under way,
// bound views and foreign keys stay as they are; only the catalog's names change.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/session/ddl_support.h"

namespace leat::session {
namespace {

using catalog::Relation;
using catalog::RelationPointer;
using catalog::SchemaPointer;

std::string in_engine(const SessionState& session, const catalog::Schema& schema) {
  // One part could be read as a database.
  return engine::quote_identifier(session.own_catalog->alias()) + "." +
         engine::quote_identifier(schema.engine_name());
}

SqlStatus check_name(const SessionState& session, const std::string& name) {
  if (session.catalog.schema(name) != nullptr)
    return engine::fail_sql("42P06", "schema \"" + name + "\" already exists");
  if (name.starts_with("pg_") || name == "information_schema" || name == "leat_catalog" ||
      name == "leat_dialect" || name == "leat_system" || name.starts_with("leat_schema_")) {
    return engine::fail_sql("42939", "unacceptable schema name \"" + name + "\"",
                            "The name is reserved for the system.");
  }
  return {};
}

/// The engine's schema of a new one: another name when a renamed schema has this one still.
std::string free_engine_name(const SessionState& session, const catalog::Schema& schema) {
  const bool taken = std::ranges::any_of(session.catalog.schemas(), [&](const auto& each) {
    return equal_ignore_case(each->engine_name(), schema.name);
  });
  return taken ? fmt::format("leat_schema_{}", schema.oid) : std::string();
}

SqlStatus drop_schema(SessionState& session, const catalog::Schema& schema, bool cascade) {
  const catalog::UserPointer me = session.user();
  if (schema.owner != session.user_id && (me == nullptr || !me->superuser) &&
      !session.has_system_privilege("drop schema")) {
    LEAT_TRY(session.require_schema(schema, catalog::kDrop));
  }
  const std::vector<RelationPointer> inside = session.catalog.relations(schema.oid);
  std::vector<catalog::FunctionPointer> functions = session.catalog.functions();
  std::erase_if(functions, [&](const auto& each) { return each->schema != schema.oid; });
  if (!(inside.empty() && functions.empty()) && !cascade) {
    return engine::fail_sql(
        "2BP01", "cannot drop schema " + schema.name + " because other objects depend on it", {},
        "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  for (const RelationPointer& relation : inside) {
    const RelationPointer still = session.catalog.relation(relation->oid);
    if (still != nullptr) LEAT_TRY(drop_relation(session, *still, true));
  }
  if (schema.engine_name() != "main")
    LEAT_TRY(run_engine(session, "DROP SCHEMA " + in_engine(session, schema)));
  for (const catalog::FunctionPointer& function : functions) {
    LEAT_TRY(drop_dependents(session, "function " + function->signature(),
                             callers(session, function->oid), {}, true));
    LEAT_TRY(session.catalog.drop_function(function->oid));
  }
  catalog::StandingPrivileges standing = *session.catalog.standing();
  const std::size_t of_schema = std::erase_if(
      standing, [&](const catalog::StandingAcl& list) { return list.schema == schema.oid; });
  if (of_schema > 0) LEAT_TRY(session.catalog.put(std::move(standing)));
  return session.catalog.drop_schema(schema.oid);
}

SqlStatus rename_schema(SessionState& session, const SchemaPointer& schema,
                        const std::string& written) {
  const std::string name(utf8_prefix(written, 127));
  LEAT_TRY(session.lock_table(name, ""));
  LEAT_TRY(check_name(session, name));
  for (const RelationPointer& relation : session.catalog.relations(schema->oid))
    LEAT_TRY(session.lock_table(relation->schema_name, relation->name));
  LEAT_TRY(session.quiet_engine());
  LEAT_TRY(session.open_engine());
  return session.catalog.rename(*schema, name);
}

/// What an element of CREATE SCHEMA makes; null for GRANT.
const sql::QualifiedName* made_by(const sql::Statement& element) {
  if (const auto* table = sql::get_if<sql::CreateTableStatement>(element)) return &table->name;
  if (const auto* filled = sql::get_if<sql::CreateTableAsStatement>(element)) return &filled->name;
  const auto* view = sql::get_if<sql::CreateViewStatement>(element);
  return view == nullptr ? nullptr : &view->name;
}

SqlStatus check_elements(const sql::CreateSchemaStatement& statement, std::string_view name) {
  for (const sql::StatementPtr& element : statement.elements) {
    const sql::QualifiedName* made = made_by(*element);
    if (made == nullptr || made->schema().empty() || made->schema() == name) continue;
    return engine::fail_sql(
        "42P15", fmt::format("CREATE specifies a schema ({}) different from the one being created "
                             "({})",
                             made->schema(), name));
  }
  return {};
}

/// Runs them as the schema's owner, with the schema before all others in the search path. An error
/// takes the schema away with the transaction.
SqlStatus run_elements(SessionState& session, Running& running,
                       const sql::CreateSchemaStatement& statement, const std::string& name,
                       std::int32_t owner) {
  if (statement.elements.empty()) return {};
  Settings inside = session.settings;
  LEAT_TRY(
      inside.set("search_path", engine::quote_identifier(name) + ", " + inside.get("search_path")));
  const Settings before = std::exchange(session.settings, std::move(inside));
  const std::int32_t creator = std::exchange(session.user_id, owner);
  SqlStatus done;
  for (const sql::StatementPtr& element : statement.elements) {
    Running inner{
        .statement = *element, .text = running.text, .span = running.span, .sink = running.sink};
    done = session.dispatch(inner);
    if (!done) break;
  }
  session.settings = before;
  session.user_id = creator;
  return done;
}

}  // namespace

SqlStatus SessionState::run_create_schema(Running& running,
                                          const sql::CreateSchemaStatement& statement) {
  const std::string name = std::string(utf8_prefix(statement.name, 127));
  const catalog::DatabasePointer database = catalog.database();
  const catalog::UserPointer me = user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  const std::uint32_t held =
      catalog::effective_privileges(catalog, *me, database->owner, database->acl);
  LEAT_TRY(lock_table(name, ""));
  if (catalog.schema(name) != nullptr && statement.if_not_exists) {
    running.sink.on_notice(Severity::kInfo, "00000",
                           "Schema \"" + name + "\" already exists and will be skipped");
    return {};
  }
  if ((held & catalog::kCreate) == 0 &&
      !catalog::has_system_privilege(catalog, *me, "create schema")) {
    return engine::fail_sql("42501", "permission denied for database " + database->name);
  }
  LEAT_TRY(check_name(*this, name));
  LEAT_TRY(check_elements(statement, name));
  catalog::Schema schema{.oid = catalog.catalog().new_oid(), .name = name, .owner = user_id};
  schema.acl = catalog::default_acl(catalog, catalog::StandingTarget::kSchemas, user_id, 0);
  schema.quota_mb = statement.quota_mb.value_or(-1);
  if (!statement.owner.empty()) {
    const catalog::UserPointer owner = catalog.user(statement.owner);
    if (owner == nullptr)
      return engine::fail_sql("42704", "user \"" + statement.owner + "\" does not exist");
    if (owner->id != user_id) LEAT_TRY(require_superuser("create a schema for another user"));
    schema.owner = owner->id;
  }
  schema.stored_as = free_engine_name(*this, schema);
  LEAT_TRY(run_engine(*this, "CREATE SCHEMA IF NOT EXISTS " + in_engine(*this, schema)));
  const std::int32_t owner_id = schema.owner;
  LEAT_TRY(catalog.put(std::move(schema)));
  return run_elements(*this, running, statement, name, owner_id);
}

SqlStatus SessionState::drop_schemas(Running& running, const sql::DropStatement& statement) {
  for (const sql::QualifiedName& written : statement.names) {
    const std::string name(written.name());
    LEAT_TRY(lock_table(name, ""));
    const SchemaPointer schema = catalog.schema(name);
    if (schema != nullptr) {
      LEAT_TRY(drop_schema(*this, *schema, statement.cascade));
      continue;
    }
    if (!statement.if_exists)
      return engine::fail_sql("3F000", "schema \"" + name + "\" does not exist");
    running.sink.on_notice(Severity::kInfo, "00000",
                           "Schema \"" + name + "\" does not exist and will be skipped");
  }
  return {};
}

SqlStatus SessionState::run_alter_schema(Running&, const sql::AlterSchemaStatement& statement) {
  LEAT_TRY(lock_table(statement.name, ""));
  const SchemaPointer schema = catalog.schema(statement.name);
  if (schema == nullptr)
    return engine::fail_sql("3F000", "schema \"" + statement.name + "\" does not exist");
  const catalog::UserPointer me = user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  if (schema->owner != user_id && !me->superuser &&
      (catalog::privileges_on(catalog, *me, *schema) & catalog::kAlter) == 0) {
    return engine::fail_sql("42501", "must be owner of schema " + schema->name);
  }
  if (statement.kind == sql::AlterKind::kRename)
    return rename_schema(*this, schema, statement.value);
  catalog::Schema changed = *schema;
  if (statement.kind == sql::AlterKind::kQuota) {
    LEAT_TRY(require_superuser("change the quota of a schema"));
    changed.quota_mb = statement.quota_mb;
  } else {
    LEAT_TRY(require_superuser("change the owner of a schema"));
    const catalog::UserPointer owner = catalog.user(statement.value);
    if (owner == nullptr)
      return engine::fail_sql("42704", "user \"" + statement.value + "\" does not exist");
    changed.owner = owner->id;
  }
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

void SessionState::note_growth(const Relation& relation) {
  if (relation.temporary) return;
  tables_used.writes.insert(relation.oid);
  const SchemaPointer schema = catalog.schema(relation.schema);
  if (schema != nullptr && schema->quota_mb >= 0) grown_schemas.insert(schema->oid);
}

SqlStatus SessionState::check_quotas() {
  std::string exceeded;
  for (const catalog::Oid oid : grown_schemas) {
    const SchemaPointer schema = catalog.schema(oid);
    if (schema == nullptr || schema->quota_mb < 0) continue;
    // The engine's own count of a table's rows, which the system views use, is that of the last
    // commit.
    LEAT_ASSIGN(const auto widths,
                connection->query(fmt::format("SELECT oid, row_bytes FROM "
                                              "leat_system.leat_row_bytes WHERE \"schema\" = {}",
                                              oid)));
    std::int64_t used = 0;
    for (const engine::TextRow& width : widths) {
      const RelationPointer table =
          catalog.relation(parse_number<catalog::Oid>(width[0].value_or("")).value_or(0));
      if (table == nullptr) continue;
      LEAT_ASSIGN(const auto counted,
                  connection->query("SELECT count(*) FROM " + table->duckdb_name()));
      const auto rows = parse_number<std::int64_t>(counted.at(0).at(0).value_or("")).value_or(0);
      const auto bytes = parse_number<std::int64_t>(width[1].value_or("")).value_or(0);
      if (rows > 0) used += 1 + rows * bytes / (1024 * 1024);
    }
    if (used <= schema->quota_mb) continue;
    shared->history.add(QuotaRecord{.owner = schema->owner,
                                    .transaction = transaction_id,
                                    .session = id,
                                    .user = user_id,
                                    .database = request.database,
                                    .schema = oid,
                                    .schema_name = schema->name,
                                    .quota_mb = schema->quota_mb,
                                    .used_mb = used,
                                    .time = shared->now()});
    exceeded += fmt::format("{}(Schema: {}, Quota: {}, Current Disk Usage: {})",
                            exceeded.empty() ? "" : ", ", schema->name, schema->quota_mb, used);
  }
  if (exceeded.empty()) return {};
  return engine::fail_sql(
      "53100",
      fmt::format("Transaction {} is aborted due to exceeding the disk space quota in schema(s): "
                  "{}.",
                  transaction_id, exceeded),
      {}, "Free up disk space or request increased quota for the schema(s).");
}

}  // namespace leat::session
