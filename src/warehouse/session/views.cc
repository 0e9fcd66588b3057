// Views of the three kinds: bound to their relations, late-binding, materialized.
//
//   kind          in the engine                  its definition's names
//   bound         nothing: expanded at each use  bound to numbers when made, follow renames
//   late-binding  nothing: expanded at each use  as written, qualified by rule
//   materialized  a table that REFRESH fills     as of bound ones
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/session/ddl_support.h"
#include "warehouse/sql/mentions.h"

namespace leat::session {
namespace {

using catalog::Relation;
using catalog::RelationKind;
using catalog::RelationPointer;

std::unexpected<SqlError> temporary_source() {
  return engine::fail_sql("0A000", "views of temporary tables are not supported");
}

SqlResult<sql::ParsedStatement> parse_definition(const Relation& view) {
  sql::SqlResult<std::optional<sql::ParsedStatement>> parsed =
      sql::parse_statement(view.definition);
  if (!parsed) return std::unexpected(from_sql(std::move(parsed).error()));
  if (!*parsed || sql::get_if<sql::SelectStatement>((*parsed)->statement) == nullptr) {
    return engine::fail_sql("XX000", "the definition of view " + view.name + " is no query");
  }
  return std::move(**parsed);
}

const sql::Query& query_of(const sql::ParsedStatement& parsed) {
  return *sql::get_if<sql::SelectStatement>(parsed.statement)->query;
}

/// A piece of a definition to be written otherwise.
struct Change {
  sql::SourceSpan span;
  std::string text;
};

std::string changed(std::string_view text, std::size_t text_at, std::vector<Change> changes) {
  std::ranges::sort(changes, std::greater<>(),
                    [](const Change& change) { return change.span.begin; });
  std::string out(text);
  for (const Change& change : changes)
    out.replace(change.span.begin - text_at, change.span.end - change.span.begin, change.text);
  return out;
}

/// Makes relations be named by schema and name.
SqlResult<std::vector<Change>> qualifying(const SessionState& session, const sql::Query& query) {
  std::vector<Change> changes;
  for (const sql::RelationMention& mention : sql::mentioned_relations(query)) {
    if (sql::is_system_relation(mention.table)) continue;
    LEAT_ASSIGN(const RelationPointer relation, session.find_relation(mention.table));
    if (relation->temporary) return temporary_source();
    changes.push_back({mention.table.span, engine::quote_identifier(relation->schema_name) + "." +
                                               engine::quote_identifier(relation->name)});
  }
  return changes;
}

/// `view`: as of SessionLookup.
SqlResult<sql::ColumnUse> use_of(const SessionState& session, const sql::Query& query,
                                 const Relation* view = nullptr) {
  const SessionLookup lookup(session, view);
  sql::TranslateContext context = session.translate_context();
  context.relations = &lookup;
  sql::SqlResult<sql::ColumnUse> use = sql::used_columns(query, context);
  if (!use) return std::unexpected(from_sql(std::move(use).error()));
  return std::move(*use);
}

/// The columns of `view.depends_on` that are used; a relation without any as a whole.
std::vector<catalog::ColumnReference> references_of(const SessionState& session,
                                                    const Relation& view,
                                                    const sql::ColumnUse& use) {
  std::vector<catalog::ColumnReference> references;
  for (const catalog::Oid oid : view.depends_on) {
    const RelationPointer relation = session.catalog.relation(oid);
    if (relation == nullptr) continue;
    const std::size_t before = references.size();
    for (const catalog::Column& column : relation->columns) {
      const bool used = std::ranges::any_of(use.columns, [&](const sql::ColumnMention& mention) {
        return mention.relation == oid && mention.column == column.name;
      });
      if (used) references.push_back({.relation = oid, .number = column.number});
    }
    if (references.size() == before) references.push_back({.relation = oid, .number = 0});
  }
  return references;
}

/// Notes what the names in the definition are.
SqlStatus bind(const SessionState& session, Relation& view) {
  LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(view));
  const SessionLookup lookup(session);
  sql::TranslateContext context = session.translate_context();
  context.relations = &lookup;
  LEAT_ASSIGN(catalog::Binding binding,
              catalog::bind_names(
                  view.definition, query_of(parsed), context,
                  [&](const sql::QualifiedName& name) { return session.find_relation(name); }));
  view.binding = std::make_shared<const catalog::Binding>(std::move(binding));
  return {};
}

/// Every column of what the new view reads must be readable.
SqlStatus require_whole(const SessionState& session, const Relation& view) {
  for (const catalog::Oid oid : view.depends_on) {
    const RelationPointer source = session.catalog.relation(oid);
    if (source != nullptr) LEAT_TRY(session.require(*source, catalog::kSelect));
  }
  return {};
}

/// Writes a new view's definition: its relations named in full, and the columns that * means now.
SqlStatus define(const SessionState& session, const Running& running, const sql::Query& query,
                 sql::SourceSpan span, Relation& view) {
  LEAT_ASSIGN(std::vector<Change> changes, qualifying(session, query));
  LEAT_ASSIGN(sql::ColumnUse use, use_of(session, query));
  view.uses = references_of(session, view, use);
  if (!use.stars.empty()) LEAT_TRY(require_whole(session, view));
  for (sql::StarText& star : use.stars) changes.push_back({star.span, std::move(star.columns)});
  const std::string_view text = running.text.substr(span.begin, span.end - span.begin);
  view.definition = trim(changed(text, span.begin, std::move(changes)));
  return bind(session, view);
}

bool means(const sql::ColumnMention& mention, catalog::Oid relation, std::string_view column) {
  return mention.column == column && (mention.relation == relation || mention.relation == 0);
}

/// What the query reads, which must stay as long as the view.
SqlResult<std::vector<catalog::Oid>> sources_of(const SessionState& session,
                                                const sql::Statement& statement) {
  std::vector<catalog::Oid> sources;
  for (const sql::TableAccess& access : sql::referenced_tables(statement)) {
    if (access.access != sql::Access::kSelect || sql::is_system_relation(access.table)) continue;
    LEAT_ASSIGN(const RelationPointer source, session.find_relation(access.table));
    if (source->temporary) return temporary_source();
    if (source->kind == RelationKind::kLateBindingView) {
      return engine::fail_sql("0A000", "only a late-binding view can read a late-binding view", {},
                              "Add WITH NO SCHEMA BINDING.");
    }
    sources.push_back(source->oid);
  }
  return sources;
}

SqlStatus check_late_binding(const SessionState& session, const sql::Statement& statement) {
  for (const sql::TableAccess& access : sql::referenced_tables(statement)) {
    if (sql::is_system_relation(access.table)) continue;
    const std::string_view schema = access.table.schema();
    if (schema.empty()) {
      return engine::fail_sql("42601",
                              "All the relation names inside should be qualified when creating "
                              "views with no schema binding.");
    }
    const std::string_view database = access.table.database();
    if (!database.empty() && database != session.request.database) {
      if (session.catalog.database(database) != nullptr) continue;
      return no_database(database);
    }
    if (session.catalog.schema(schema) == nullptr)
      return engine::fail_sql("3F000", "schema \"" + std::string(schema) + "\" does not exist");
  }
  return {};
}

}  // namespace

SqlResult<std::int64_t> fill_relation(SessionState& session, const Relation& relation,
                                      const std::string& query) {
  std::string values;
  std::string names;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const catalog::Column& column = relation.columns[i];
    const std::string name = fmt::format("\"c{}\"", i + 1);
    names += (i > 0 ? ", " : "") + name;
    values += i > 0 ? ", " : "";
    values += column.type.kind == sql::TypeKind::kVarchar
                  ? fmt::format("leat_noted({}, {})", name,
                                engine::BlankMarks::key(relation.oid, column.number))
                  : name;
  }
  const bool noted = values != names;
  LEAT_ASSIGN(const std::int64_t rows,
              session.connection->run(
                  noted ? fmt::format("INSERT INTO {} SELECT {} FROM ({}) AS \"source\"({})",
                                      relation.duckdb_name(), values, query, names)
                        : fmt::format("INSERT INTO {} {}", relation.duckdb_name(), query)));
  LEAT_TRY(session.catalog.put_blanks(relation));
  return rows;
}

SqlResult<ViewQuery> view_query(const SessionState& session, const Relation& view,
                                const sql::RelationLookup& lookup) {
  LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(view));
  sql::TranslateContext context = session.translate_context();
  context.relations = &lookup;
  sql::SqlResult<sql::Translation> translation = sql::translate(parsed.statement, context);
  if (!translation) {
    SqlError error = from_sql(std::move(translation).error());
    error.position = 0;  // in the view's text, not in the statement's
    return std::unexpected(std::move(error));
  }
  return ViewQuery{.text = std::move(translation->statements.back()),
                   .columns = std::move(translation->columns)};
}

SqlStatus SessionState::run_create_late_binding_view(Running& running,
                                                     const sql::CreateViewStatement& statement,
                                                     Relation relation,
                                                     const RelationPointer& before) {
  LEAT_TRY(check_late_binding(*this, running.statement));
  // It will read with the rights of the view's owner: nobody else says what.
  if (before != nullptr) LEAT_TRY(require_owner(*before, 0));
  relation.kind = RelationKind::kLateBindingView;
  relation.definition = inner_text(running, statement.query_span);
  if (!statement.columns.empty()) {
    std::string names;
    for (const std::string& name : statement.columns)
      names += (names.empty() ? "" : ", ") + engine::quote_identifier(name);
    relation.definition =
        fmt::format("select * from ({}) as leat_view ({})", relation.definition, names);
  }
  if (before != nullptr && !dependents(*this, before->oid).empty()) {
    return engine::fail_sql(
        "2BP01", "cannot replace view " + before->name + " because other objects depend on it", {},
        "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  return catalog.put(std::move(relation));
}

SqlStatus SessionState::run_create_view(Running& running,
                                        const sql::CreateViewStatement& statement) {
  LEAT_ASSIGN(Relation relation,
              place_relation(*this, statement.name, statement.name.is_hash_temporary(),
                             "create or replace view"));
  if (relation.temporary) return engine::fail_sql("0A000", "temporary views are not supported");
  const RelationPointer before = existing(*this, relation);
  const bool replaceable =
      before != nullptr && statement.or_replace &&
      (before->kind == RelationKind::kView || before->kind == RelationKind::kLateBindingView);
  if (before != nullptr && !replaceable) return already_exists(relation.name);
  if (before != nullptr) {
    LEAT_TRY(require_owner(*before, catalog::kAlter, "create or replace view"));
    relation.oid = before->oid;
    relation.owner = before->owner;
    relation.acl = before->acl;
    relation.comment = before->comment;
  }
  if (statement.no_schema_binding)
    return run_create_late_binding_view(running, statement, std::move(relation), before);
  LEAT_TRY(check_access(running.statement));
  LEAT_ASSIGN(relation.depends_on, sources_of(*this, running.statement));
  LEAT_ASSIGN(const std::string query, translate_inner(*this, running.text, *statement.query));
  LEAT_ASSIGN(const auto described, describe_query(*this, query));
  relation.kind = RelationKind::kView;
  LEAT_ASSIGN(relation.columns,
              result_columns(*this, *statement.query, described, statement.columns, false));
  number_columns(relation);
  LEAT_TRY(check_columns(relation));
  const sql::SourceSpan span = statement.query_span;
  LEAT_TRY(define(*this, running, *statement.query, span, relation));
  if (before != nullptr && before->kind == RelationKind::kView) {
    const bool same =
        std::ranges::equal(before->columns, relation.columns, [](const auto& a, const auto& b) {
          return a.name == b.name && sql::type_oid(a.type) == sql::type_oid(b.type);
        });
    if (!same)
      return engine::fail_sql("42P16", "cannot change the names or types of the columns of a view");
  }
  return catalog.put(std::move(relation));
}

SqlStatus SessionState::run_create_materialized_view(
    Running& running, const sql::CreateMaterializedViewStatement& statement) {
  LEAT_TRY(check_access(running.statement));
  LEAT_ASSIGN(Relation relation, place_relation(*this, statement.name, false, {}));
  if (existing(*this, relation) != nullptr) return already_exists(relation.name);
  LEAT_TRY(lock_tables(running.statement));
  LEAT_ASSIGN(relation.depends_on, sources_of(*this, running.statement));
  LEAT_TRY(require_whole(*this, relation));
  LEAT_ASSIGN(const std::string query, translate_inner(*this, running.text, *statement.query));
  LEAT_ASSIGN(const auto described, describe_query(*this, query));
  relation.kind = RelationKind::kMaterializedView;
  relation.auto_refresh = statement.auto_refresh.value_or(false);
  LEAT_ASSIGN(relation.columns, result_columns(*this, *statement.query, described, {}, false));
  number_columns(relation);
  LEAT_TRY(check_columns(relation));
  LEAT_TRY(apply_attributes(relation, statement.attributes));
  relation.backup = statement.attributes.backup.value_or(true);
  const sql::SourceSpan span = statement.query_span;
  LEAT_TRY(define(*this, running, *statement.query, span, relation));
  LEAT_TRY(create_in_engine(*this, relation));
  LEAT_ASSIGN(running.rows, fill_relation(*this, relation, query));
  // What is changed meanwhile is not in it, and nobody knows yet that it asks.
  if (relation.auto_refresh)
    changed_relations.insert(relation.depends_on.begin(), relation.depends_on.end());
  return catalog.put(std::move(relation));
}

namespace {

SqlResult<std::int64_t> recompute(SessionState& session, const Relation& view) {
  session.note_growth(view);
  LEAT_TRY(session.check_view(view));
  LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(view));
  for (const catalog::Oid oid : view.depends_on) {
    const RelationPointer source = session.catalog.relation(oid);
    if (source != nullptr) LEAT_TRY(session.lock_read(*source));
  }
  LEAT_ASSIGN(const std::string query, translate_inner(session, {}, query_of(parsed), &view));
  LEAT_TRY(session.check_stopped());
  LEAT_TRY(run_engine(session, "DELETE FROM " + view.duckdb_name()));
  LEAT_TRY(session.check_stopped());
  session.changed_relations.insert(view.oid);
  return fill_relation(session, view, query);
}

}  // namespace

SqlStatus SessionState::run_refresh(Running& running,
                                    const sql::RefreshMaterializedViewStatement& statement) {
  LEAT_ASSIGN(const RelationPointer view, find_relation(statement.name));
  if (view->kind != RelationKind::kMaterializedView)
    return engine::fail_sql("42809", "\"" + view->name + "\" is not a materialized view");
  LEAT_TRY(require_owner(*view, 0));
  LEAT_TRY(lock_table(view->schema_name, view->name));
  RefreshRecord record{.user = user_id,
                       .database = request.database,
                       .session = id,
                       .transaction = transaction_id,
                       .view = view->oid,
                       .schema_name = view->schema_name,
                       .name = view->name,
                       .automatic = automatic,
                       .start = shared->now()};
  const SqlResult<std::int64_t> rows = recompute(*this, *view);
  record.end = shared->now();
  record.status = rows ? "Refresh successfully recomputed MV from scratch"
                       : "Refresh failed. " + dress(rows.error()).message;
  shared->history.add(std::move(record));
  if (!rows) return std::unexpected(rows.error());
  running.rows = *rows;
  running.sink.on_notice(Severity::kInfo, "00000",
                         "Materialized view " + view->name + " was recomputed successfully.");
  return {};
}

SqlStatus SessionState::run_alter_materialized_view(
    Running&, const sql::AlterMaterializedViewStatement& statement) {
  LEAT_ASSIGN(const RelationPointer view, find_relation(statement.name));
  if (view->kind != RelationKind::kMaterializedView)
    return engine::fail_sql("42809", "\"" + view->name + "\" is not a materialized view");
  LEAT_TRY(require_owner(*view, 0));
  LEAT_TRY(open_engine());
  Relation changed = *view;
  changed.auto_refresh = statement.auto_refresh;
  // It may be stale already.
  if (changed.auto_refresh)
    changed_relations.insert(changed.depends_on.begin(), changed.depends_on.end());
  return catalog.put(std::move(changed));
}

SqlResult<ViewQuery> late_binding_query(const SessionState& session, const Relation& view,
                                        const std::string& database,
                                        const sql::RelationLookup& lookup) {
  LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(view));
  const catalog::UserPointer owner = session.catalog.user(view.owner);
  // In a visited database names are its own, as in the view.
  const std::string& place =
      database.empty() && session.home != nullptr ? session.request.database : database;
  for (const sql::TableAccess& access : sql::referenced_tables(parsed.statement)) {
    if (sql::is_system_relation(access.table)) continue;
    LEAT_ASSIGN(const RelationPointer source,
                session.find_readable(in_database(access.table, place)));
    // The view's owner must still be allowed to read what the view reads.
    if (owner != nullptr) LEAT_TRY(session.require_of(*owner, *source, catalog::kSelect));
    if (source->kind == RelationKind::kView) LEAT_TRY(session.check_view(*source));
  }
  return view_query(session, view, lookup);
}

SqlStatus SessionState::lock_late_binding(const Relation& view, int depth) {
  if (in_other_database(view) || home != nullptr) return {};
  SqlResult<sql::ParsedStatement> parsed = parse_definition(view);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  return lock_tables(parsed->statement, depth);
}

SqlResult<std::vector<RelationPointer>> column_users(const SessionState& session,
                                                     const Relation& relation,
                                                     const catalog::Column& column) {
  std::vector<RelationPointer> users;
  for (const RelationPointer& view : dependents(session, relation.oid)) {
    // The view has names of its own; what is newer than the view has none there.
    const catalog::BoundRelation* bound =
        view->binding == nullptr ? nullptr : view->binding->relation(relation.oid);
    const std::string* name = bound == nullptr ? &column.name : bound->column(column.number);
    if (name == nullptr) continue;
    LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(*view));
    LEAT_ASSIGN(const sql::ColumnUse use, use_of(session, query_of(parsed), view.get()));
    const bool uses = std::ranges::any_of(use.columns, [&](const sql::ColumnMention& mention) {
      return means(mention, relation.oid, *name);
    });
    if (uses) users.push_back(view);
  }
  return users;
}

SqlStatus retype_views(SessionState& session, const Relation& relation, int depth) {
  if (depth > 100) return engine::fail_sql("54001", "views depend on each other too deeply");
  for (const RelationPointer& view : dependents(session, relation.oid)) {
    LEAT_ASSIGN(const sql::ParsedStatement parsed, parse_definition(*view));
    LEAT_ASSIGN(const std::string query,
                translate_inner(session, {}, query_of(parsed), view.get()));
    LEAT_ASSIGN(const auto described, describe_query(session, query));
    Relation changed = *view;
    LEAT_ASSIGN(const std::vector<catalog::Column> columns,
                result_columns(session, query_of(parsed), described, {}, false, view.get()));
    for (std::size_t i = 0; i < columns.size() && i < changed.columns.size(); ++i)
      changed.columns[i].type = columns[i].type;
    LEAT_TRY(session.catalog.put(changed));
    LEAT_TRY(retype_views(session, changed, depth + 1));
  }
  return {};
}

}  // namespace leat::session
