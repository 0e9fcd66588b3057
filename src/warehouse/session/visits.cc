// Statements that write to another database than the session's: they run as if that one were in
// use, and see the session's own by names of three parts.
#include <fmt/format.h>

#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

/// What the statement writes to, if that has a name that may have a database.
struct WrittenName {
  const sql::QualifiedName* operator()(const sql::InsertStatement& node) const {
    return &node.table;
  }
  const sql::QualifiedName* operator()(const sql::UpdateStatement& node) const {
    return &node.table;
  }
  const sql::QualifiedName* operator()(const sql::DeleteStatement& node) const {
    return &node.table;
  }
  const sql::QualifiedName* operator()(const sql::MergeStatement& node) const {
    return &node.target;
  }
  const sql::QualifiedName* operator()(const sql::CopyStatement& node) const { return &node.table; }
  const sql::QualifiedName* operator()(const sql::TruncateStatement& node) const {
    return &node.table;
  }
  const sql::QualifiedName* operator()(const sql::CreateTableStatement& node) const {
    return &node.name;
  }
  const sql::QualifiedName* operator()(const sql::CreateTableAsStatement& node) const {
    return &node.name;
  }
  const sql::QualifiedName* operator()(const sql::AlterTableStatement& node) const {
    return &node.table;
  }
  const sql::QualifiedName* operator()(const sql::RefreshMaterializedViewStatement& node) const {
    return &node.name;
  }
  const sql::QualifiedName* operator()(const sql::DropStatement& node) const {
    const bool relations = node.kind == sql::ObjectKind::kTable ||
                           node.kind == sql::ObjectKind::kView ||
                           node.kind == sql::ObjectKind::kMaterializedView;
    return relations ? &node.names.front() : nullptr;
  }
  const sql::QualifiedName* operator()(const sql::ExplainStatement& node) const {
    return std::visit(*this, node.statement->node);
  }
  template <class Other>
  const sql::QualifiedName* operator()(const Other& /*node*/) const {
    return nullptr;
  }
};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

SqlStatus SessionState::visit_written(const sql::Statement& statement, bool locks) {
  const sql::Statement* inner = &statement;
  if (const auto* execute = sql::get_if<sql::ExecuteStatement>(statement)) {
    const auto prepared = sql_prepared.find(execute->name);
    if (prepared != sql_prepared.end()) inner = &prepared->second->parsed->statement;
  }
  const sql::QualifiedName* written = std::visit(WrittenName(), inner->node);
  if (home != nullptr || written == nullptr || written->database().empty() ||
      written->database() == request.database) {
    return {};
  }
  const std::string name(written->database());
  const catalog::DatabasePointer database = catalog.database(name);
  const Databases::CatalogPointer other =
      database == nullptr ? nullptr : shared->databases->of(database->oid);
  if (other == nullptr) return no_database(name);
  if (database->serializable) {
    // The tables of two databases are not told apart in time.
    return engine::fail_sql("0A000",
                            fmt::format("database \"{}\" is SERIALIZABLE, and can only be written "
                                        "to when it is in use",
                                        name),
                            {}, fmt::format("Send USE {} first.", engine::quote_identifier(name)));
  }
  if (catalog.changed_database()) {
    return std::unexpected(one_database_error(
        {.sqlstate = "0A000",
         .message = "a transaction can write to one database only, and this one has written to " +
                    engine::quote_identifier(request.database)}));
  }
  // It stays as long as the transaction.
  if (locks) {
    LEAT_TRY(shared->visit_database(id, *database));
    visited_catalog = other;
  }
  LEAT_TRY(quiet_engine());
  LEAT_TRY(connection->run("USE " + engine::quote_identifier(other->alias())));
  // A catalog's session cannot be moved.
  home.reset(new Home{.database = request.database,
                      .own = own_catalog,
                      .view = catalog::CatalogSession(*own_catalog, *connection)});
  request.database = name;
  own_catalog = other;
  catalog.look_at(*own_catalog);
  return {};
}

void SessionState::leave_visited() {
  if (home == nullptr) return;
  request.database = std::move(home->database);
  own_catalog = std::move(home->own);
  catalog.look_at(*own_catalog);
  home.reset();
  if (block == Block::kNone)
    shared->update_info(id, [](SessionInfo& info) { info.visited_database_oid = 0; });
  const std::string back = "USE " + engine::quote_identifier(own_catalog->alias());
  if (!quiet_engine() || !connection->run(back)) {
    // The statement's error has ended the engine's transaction.
    static_cast<void>(connection->rollback());
    static_cast<void>(connection->run(back));
  }
}

SqlStatus SessionState::check_visited_quotas() {
  // The sizes are those that the visited database tells of itself.
  std::unique_ptr<Home> away = std::move(home);
  SqlStatus done = check_quotas();
  home = std::move(away);
  return done;
}

sql::QualifiedName SessionState::at_home(const sql::QualifiedName& name) const {
  if (home == nullptr || !name.database().empty() || sql::is_system_relation(name) ||
      name.schema().starts_with("pg_temp")) {
    return name;
  }
  if (!name.schema().empty()) return in_database(name, home->database);
  if (catalog.temporary(name.name()) != nullptr) return name;
  sql::QualifiedName out = name;
  std::string found;
  for (const std::string& schema : resolved_search_path()) {
    if (found.empty() && home->view.relation(schema, name.name()) != nullptr) found = schema;
  }
  // A name that is nowhere is said to be missing as it was written.
  if (!found.empty()) out.parts = {home->database, found, std::string(name.name())};
  return out;
}

SqlError SessionState::one_database_error(SqlError error) const {
  for (const Databases::CatalogPointer& each : shared->databases->all()) {
    const catalog::DatabasePointer known = each->database();
    if (known == nullptr) continue;
    replace_all(error.message, engine::quote_identifier(each->alias()),
                engine::quote_identifier(known->name));
  }
  error.hint =
      "COMMIT first. Users, groups, roles and the list of databases are in the warehouse's first "
      "database.";
  return error;
}

}  // namespace leat::session
