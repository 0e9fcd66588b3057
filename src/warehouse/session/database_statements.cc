// CREATE, ALTER and DROP DATABASE, and what one database may see of another.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/session/ddl_support.h"

namespace leat::session {

SqlStatus require_database_owner(const SessionState& session, const catalog::Database& database) {
  const catalog::UserPointer me = session.user();
  if (me != nullptr && (me->superuser || me->id == database.owner)) return {};
  return engine::fail_sql("42501", "must be owner of database " + database.name);
}

namespace {

constexpr std::string_view kReserved[] = {"template0", "template1", "padb_harvest", "sys:internal"};

SqlResult<std::int32_t> owner_of(const SessionState& session, const std::string& name) {
  const catalog::UserPointer owner = session.catalog.user(name);
  if (owner == nullptr) return engine::fail_sql("42704", "user \"" + name + "\" does not exist");
  return owner->id;
}

SqlStatus check_name(const SessionState& session, const std::string& name) {
  if (std::ranges::find(kReserved, name) != std::end(kReserved)) {
    return engine::fail_sql("42939", "unacceptable database name \"" + name + "\"",
                            "The name is reserved for the system.");
  }
  if (session.catalog.database(name) == nullptr) return {};
  return engine::fail_sql("42P04", "database \"" + name + "\" already exists");
}

SqlStatus rename_database(SessionState& session, catalog::Database& database,
                          const std::string& name) {
  const catalog::UserPointer me = session.user();
  if (!me->superuser && !me->create_database)
    return engine::fail_sql("42501", "permission denied to rename database");
  if (database.oid == session.own_catalog->oid())
    return engine::fail_sql("55006", "current database cannot be renamed");
  if (database.oid == catalog::kDatabaseOid) {
    return engine::fail_sql("0A000", "the first database of a warehouse cannot be renamed", {},
                            "It has the name that warehouse.database says.");
  }
  LEAT_TRY(check_name(session, name));
  database.name = name;
  return {};
}

/// Columns have the collation that they were made with, so there may be none yet.
SqlStatus collate_database(SessionState& session, catalog::Database& database,
                           const std::string& collation) {
  const catalog::UserPointer me = session.user();
  if (!me->superuser && !me->create_database)
    return engine::fail_sql("42501", "permission denied to alter the collation of a database");
  const std::optional<bool> insensitive = sql::insensitive_collation(collation);
  if (!insensitive) {
    return engine::fail_sql("42704", "collation \"" + collation + "\" does not exist", {},
                            "Use case_sensitive, cs, case_insensitive or ci.");
  }
  if (*insensitive == database.insensitive) return {};
  const Databases::CatalogPointer own = session.shared->databases->of(database.oid);
  if (own == nullptr) return no_database(database.name);
  const catalog::CatalogSession inside(*own, *session.connection);
  const bool current = database.oid == session.own_catalog->oid();
  if (!(current ? session.catalog.relations(0) : inside.relations(0)).empty()) {
    return engine::fail_sql(
        "55006",
        "cannot alter the collation of database \"" + database.name + "\", as it is not empty", {},
        "Drop its tables and views first, or create another database.");
  }
  database.insensitive = *insensitive;
  return {};
}

}  // namespace

SqlStatus SessionState::run_create_database(Running&,
                                            const sql::CreateDatabaseStatement& statement) {
  const catalog::UserPointer me = user();
  if (me == nullptr || !(me->superuser || me->create_database))
    return engine::fail_sql("42501", "permission denied to create database");
  catalog::Database made;
  made.serializable = statement.isolation == "serializable";
  made.name = std::string(utf8_prefix(statement.name, 127));
  made.owner = user_id;
  made.connection_limit = statement.connection_limit.value_or(-1);
  made.insensitive = statement.case_insensitive;
  if (!statement.owner.empty()) {
    LEAT_ASSIGN(made.owner, owner_of(*this, statement.owner));
    if (made.owner != user_id) LEAT_TRY(require_superuser("create a database for another user"));
  }
  made.acl.push_back({.grantor = made.owner, .privileges = catalog::kTemporary});
  LEAT_TRY(lock_table("pg_database", ""));
  LEAT_TRY(check_name(*this, made.name));
  return shared->databases->create(std::move(made));
}

SqlStatus SessionState::run_alter_database(Running&, const sql::AlterDatabaseStatement& statement) {
  LEAT_TRY(lock_table("pg_database", ""));
  const catalog::DatabasePointer database = catalog.database(statement.name);
  if (database == nullptr) return no_database(statement.name);
  LEAT_TRY(require_database_owner(*this, *database));
  catalog::Database changed = *database;
  switch (statement.kind) {
    case sql::AlterKind::kRename:
      LEAT_TRY(rename_database(*this, changed, statement.value));
      break;
    case sql::AlterKind::kOwner: {
      LEAT_TRY(require_superuser("give a database to another user"));
      LEAT_ASSIGN(changed.owner, owner_of(*this, statement.value));
      break;
    }
    case sql::AlterKind::kConnectionLimit:
      changed.connection_limit = statement.connection_limit;
      break;
    case sql::AlterKind::kCollate:
      LEAT_TRY(collate_database(*this, changed, statement.value));
      break;
    case sql::AlterKind::kSet:
      // For transactions that begin from now on.
      changed.serializable = statement.value == "serializable";
      break;
    default:
      return engine::fail_sql("0A000", "this form of ALTER DATABASE is not supported");
  }
  LEAT_TRY(open_engine());
  if (changed.name == database->name) return catalog.put(std::move(changed));
  // Its sessions know it by the old name.
  LEAT_TRY(shared->close_database(*database));
  const SqlStatus done = catalog.put(std::move(changed));
  shared->reopen_database(database->oid);
  return done;
}

SqlStatus SessionState::drop_databases(Running& running, const sql::DropStatement& statement) {
  LEAT_TRY(lock_table("pg_database", ""));
  for (const sql::QualifiedName& name : statement.names) {
    const catalog::DatabasePointer database = catalog.database(name.name());
    if (database == nullptr) {
      if (!statement.if_exists) return no_database(name.name());
      running.sink.on_notice(
          Severity::kInfo, "00000",
          "Database \"" + std::string(name.name()) + "\" does not exist and will be skipped");
      continue;
    }
    LEAT_TRY(require_database_owner(*this, *database));
    if (database->oid == own_catalog->oid())
      return engine::fail_sql("55006", "cannot drop the currently open database");
    if (database->oid == catalog::kDatabaseOid) {
      return engine::fail_sql("0A000", "the first database of a warehouse cannot be dropped", {},
                              "It holds the users and the list of databases.");
    }
    LEAT_TRY(shared->close_database(*database));
    if (SqlStatus dropped = shared->databases->drop(*database); !dropped) {
      shared->reopen_database(database->oid);
      return dropped;
    }
  }
  return {};
}

SqlStatus SessionState::use_database(const std::string& name) {
  if (engine_open || holds_locks) {
    return engine::fail_sql(
        "25001",
        "USEd Database cannot be set or reset inside a transaction after another command.");
  }
  const catalog::DatabasePointer database = catalog.database(name);
  const Databases::CatalogPointer other =
      database == nullptr ? nullptr : shared->databases->of(database->oid);
  if (other == nullptr) return no_database(name);
  LEAT_TRY(quiet_engine());
  LEAT_TRY(shared->use_database(id, *database));
  request.database = name;
  own_catalog = other;
  catalog.look_at(*own_catalog);
  LEAT_TRY(enter_database(*connection, *this));
  for (Settings* each : {&settings, &settings_before})
    static_cast<void>(each->reset("search_path"));
  ++settings_epoch;
  return {};
}

SqlStatus SessionState::run_use(Running&, const sql::UseStatement& statement) {
  LEAT_TRY(use_database(statement.database));
  uses_database = true;
  return {};
}

catalog::CatalogSession SessionState::catalog_of(const catalog::Relation& relation) const {
  for (const Databases::CatalogPointer& other : shared->databases->all()) {
    if (other->alias() == relation.database) return catalog::CatalogSession(*other, *connection);
  }
  return catalog::CatalogSession(*own_catalog, *connection);
}

SqlResult<catalog::RelationPointer> SessionState::find_readable(
    const sql::QualifiedName& written) const {
  const sql::QualifiedName name = at_home(written);
  if (name.database().empty() || name.database() == request.database) return find_relation(name);
  const catalog::DatabasePointer database = catalog.database(name.database());
  const Databases::CatalogPointer other =
      database == nullptr ? nullptr : shared->databases->of(database->oid);
  if (other == nullptr) return no_database(name.database());
  if (sql::is_system_relation(name)) {
    return engine::fail_sql(
        "0A000", "system relations of another database cannot be named with three parts", {},
        "Ask svv_all_... or svv_redshift_..., or send USE " +
            engine::quote_identifier(database->name) + " first.");
  }
  const catalog::SchemaPointer schema = other->schema(name.schema());
  if (schema == nullptr) {
    return engine::fail_sql("3F000", "schema \"" + std::string(name.schema()) +
                                         "\" does not exist in database \"" + database->name +
                                         "\"");
  }
  catalog::RelationPointer relation = other->relation(schema->oid, name.name());
  if (relation == nullptr)
    return engine::fail_sql("42P01", "relation \"" + name.to_string() + "\" does not exist");
  return relation;
}

}  // namespace leat::session
