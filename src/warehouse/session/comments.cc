// COMMENT ON: of relations and their columns and constraints, functions, schemas and the session's
// database.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/session/ddl_support.h"

namespace leat::session {
namespace {

using sql::ObjectKind;

SqlStatus comment_on_schema(SessionState& session, std::string_view name, std::string text) {
  const catalog::SchemaPointer schema = session.catalog.schema(name);
  if (schema == nullptr)
    return engine::fail_sql("3F000", fmt::format("schema \"{}\" does not exist", name));
  const catalog::UserPointer me = session.user();
  if (me == nullptr || (!me->superuser && schema->owner != me->id))
    return engine::fail_sql("42501", "must be owner of schema " + schema->name);
  LEAT_TRY(session.open_engine());
  catalog::Schema changed = *schema;
  changed.comment = std::move(text);
  return session.catalog.put(std::move(changed));
}

SqlStatus comment_on_database(SessionState& session, Running& running, std::string_view name,
                              std::string text) {
  if (name != session.request.database) {
    running.sink.on_notice(Severity::kWarning, "01000",
                           "database comments may only be applied to the current database");
    return {};
  }
  LEAT_TRY(session.lock_table("pg_database", ""));
  const catalog::DatabasePointer database = session.catalog.database();
  LEAT_TRY(require_database_owner(session, *database));
  LEAT_TRY(session.open_engine());
  catalog::Database changed = *database;
  changed.comment = std::move(text);
  return session.catalog.put(std::move(changed));
}

SqlStatus comment_on_function(SessionState& session, const sql::CommentStatement& statement,
                              std::string text) {
  LEAT_ASSIGN(const catalog::FunctionPointer function,
              session.find_function_written(statement.name, statement.parameters));
  const catalog::UserPointer me = session.user();
  if (me == nullptr || (!me->superuser && function->owner != me->id))
    return engine::fail_sql("42501", "must be owner of function " + function->name);
  LEAT_TRY(session.lock_table("pg_proc", function->name));
  LEAT_TRY(session.open_engine());
  catalog::Function changed = *function;
  changed.comment = std::move(text);
  return session.catalog.put(std::move(changed));
}

/// The place of the comment on the relation, its column or its constraint (`part`).
SqlResult<std::string*> comment_in(catalog::Relation& relation, ObjectKind kind,
                                   std::string_view part) {
  if (kind == ObjectKind::kColumn) {
    const auto column = std::ranges::find(relation.columns, part, &catalog::Column::name);
    if (column != relation.columns.end()) return &column->comment;
    return engine::fail_sql("42703", fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                 part, relation.name));
  }
  if (kind != ObjectKind::kConstraint) return &relation.comment;
  const auto found = std::ranges::find(relation.constraints, part, &catalog::Constraint::name);
  if (found != relation.constraints.end()) return &found->comment;
  return engine::fail_sql("42704", fmt::format("constraint \"{}\" for table \"{}\" does not exist",
                                               part, relation.name));
}

SqlStatus comment_on_relation(SessionState& session, const sql::CommentStatement& statement,
                              std::string text) {
  sql::QualifiedName name = statement.name;
  const std::string part = name.parts.back();
  if (statement.kind == ObjectKind::kColumn) name.parts.pop_back();
  if (statement.kind == ObjectKind::kConstraint) name = statement.on_table;
  LEAT_ASSIGN(const catalog::RelationPointer relation, session.find_relation(name));
  LEAT_TRY(session.require_owner(*relation, 0));
  LEAT_TRY(session.open_engine());
  catalog::Relation changed = *relation;
  LEAT_ASSIGN(std::string* const comment, comment_in(changed, statement.kind, part));
  *comment = std::move(text);
  return session.catalog.put(std::move(changed));
}

}  // namespace

SqlStatus SessionState::run_comment(Running& running, const sql::CommentStatement& statement) {
  std::string text = statement.text.value_or(std::string());
  switch (statement.kind) {
    case ObjectKind::kSchema:
      return comment_on_schema(*this, statement.name.name(), std::move(text));
    case ObjectKind::kDatabase:
      return comment_on_database(*this, running, statement.name.name(), std::move(text));
    case ObjectKind::kFunction:
      return comment_on_function(*this, statement, std::move(text));
    default:
      return comment_on_relation(*this, statement, std::move(text));
  }
}

}  // namespace leat::session
