// Names, rights and fields: what every kind of statement needs.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

using catalog::RelationPointer;
using catalog::SchemaPointer;

bool is_temporary_schema(std::string_view name) {
  return name == "pg_temp" || name.starts_with("pg_temp_");
}

std::unexpected<SqlError> other_database(const SessionState& session,
                                         const sql::QualifiedName& name) {
  const std::string database(name.database());
  if (session.catalog.database(database) == nullptr) return no_database(database);
  return engine::fail_sql(
      "0A000",
      fmt::format("\"{}\" is in another database than the statement works in", name.to_string()),
      {},
      fmt::format("Send USE {} first, then name it with two parts.",
                  engine::quote_identifier(database)));
}

std::unexpected<SqlError> no_relation(const sql::QualifiedName& name) {
  return engine::fail_sql("42P01", "relation \"" + name.to_string() + "\" does not exist");
}

std::unexpected<SqlError> no_schema(std::string_view name) {
  return engine::fail_sql("3F000", "schema \"" + std::string(name) + "\" does not exist");
}

std::string system_name(const sql::QualifiedName& name) {
  std::string prefix = name.schema() == "information_schema" ? "information_schema_" : "";
  return "leat_system." + engine::quote_identifier(prefix + std::string(name.name()));
}

}  // namespace

sql::QualifiedName in_database(const sql::QualifiedName& name, const std::string& database) {
  if (database.empty() || name.schema().empty() || !name.database().empty()) return name;
  sql::QualifiedName out = name;
  out.parts.insert(out.parts.begin(), database);
  return out;
}

SqlError from_sql(sql::SqlError error) {
  return {.sqlstate = std::move(error.sqlstate),
          .message = std::move(error.message),
          .detail = std::move(error.detail),
          .hint = std::move(error.hint),
          .position = static_cast<std::int64_t>(error.position)};
}

Field field_of(const engine::ColumnInfo& column) {
  Field field;
  field.name = column.name;
  if (column.type.type == engine::Type::kNull) {
    field.type_oid = 705;
  } else if (engine::is_catalog_vector(column.type)) {
    const bool oids = column.type.children[0].catalog == engine::CatalogType::kOidElement;
    field.type_oid = oids ? 30 : 22;
  } else if (engine::is_plain_list(column.type)) {
    sql::TypeName type = catalog::type_from_engine(column.type.children[0]);
    if (type.kind == sql::TypeKind::kVarchar) type.spelling = "text";
    type.array_dimensions = 1;
    field.type_oid = sql::type_oid(type);
  } else {
    const sql::TypeName type = catalog::type_from_engine(column.type);
    field.type_oid = sql::type_oid(type);
    field.type_modifier = catalog::type_modifier(type);
  }
  field.type_size = catalog::type_size(field.type_oid);
  return field;
}

SqlStatus run_engine(SessionState& session, const std::string& engine_sql) {
  LEAT_TRY(session.quiet_engine());
  LEAT_TRY(session.open_engine());
  LEAT_TRY(session.connection->run(engine_sql));
  return {};
}

catalog::UserPointer SessionState::user() const {
  return catalog.user(user_id);
}

std::vector<std::string> SessionState::resolved_search_path(bool with_catalog) const {
  std::vector<std::string> path;
  const catalog::UserPointer me = user();
  for (std::string& name : settings.search_path()) {
    if (name == "$user") name = me == nullptr ? std::string() : me->name;
    if (with_catalog && name == "pg_catalog") path.push_back(name);
    const SchemaPointer schema = home_catalog().schema(name);
    if (schema == nullptr || me == nullptr) continue;
    // Those that the user may not look into are passed over.
    if ((catalog::privileges_on(home_catalog(), *me, *schema) & catalog::kUsage) != 0)
      path.push_back(std::move(name));
  }
  return path;
}

SqlResult<RelationPointer> SessionState::find_relation(const sql::QualifiedName& written) const {
  const sql::QualifiedName name = at_home(written);
  if (!name.database().empty() && name.database() != request.database)
    return other_database(*this, name);
  const std::string_view schema = name.schema();
  if (schema.empty() || is_temporary_schema(schema)) {
    if (RelationPointer temporary = catalog.temporary(name.name())) return temporary;
    if (!schema.empty()) return no_relation(name);
    for (const std::string& entry : resolved_search_path()) {
      if (RelationPointer relation = catalog.relation(entry, name.name())) return relation;
    }
    return no_relation(name);
  }
  const SchemaPointer found = catalog.schema(schema);
  if (found == nullptr) return no_schema(schema);
  if (RelationPointer relation = catalog.relation(schema, name.name())) return relation;
  // Who may not look into a schema does not learn what is not there either.
  LEAT_TRY(require_schema(*found, catalog::kUsage));
  return no_relation(name);
}

SqlResult<SchemaPointer> SessionState::creation_schema(const sql::QualifiedName& name) const {
  if (!name.database().empty() && name.database() != request.database)
    return other_database(*this, name);
  if (!name.schema().empty()) {
    if (name.schema().starts_with("pg_") || name.schema() == "information_schema") {
      return engine::fail_sql("42501",
                              "permission denied for schema " + std::string(name.schema()));
    }
    SchemaPointer schema = catalog.schema(name.schema());
    if (schema == nullptr) return no_schema(name.schema());
    return schema;
  }
  const std::vector<std::string> path = resolved_search_path();
  if (path.empty()) return engine::fail_sql("3F000", "no schema has been selected to create in");
  return catalog.schema(path.front());
}

SqlStatus SessionState::require_schema(const catalog::Schema& schema,
                                       std::uint32_t privileges) const {
  const catalog::UserPointer me = user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  const std::uint32_t held = catalog::privileges_on(catalog, *me, schema);
  if ((held & privileges) == privileges) return {};
  return engine::fail_sql("42501", "permission denied for schema " + schema.name);
}

SqlStatus SessionState::require(const catalog::Relation& relation, std::uint32_t privileges) const {
  const catalog::UserPointer me = user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  return require_of(*me, relation, privileges);
}

SqlStatus SessionState::require_of(const catalog::User& who, const catalog::Relation& relation,
                                   std::uint32_t privileges) const {
  if (relation.temporary || who.superuser) return {};
  const auto check = [&](const catalog::CatalogSession& in) -> SqlStatus {
    if (const SchemaPointer schema = in.schema(relation.schema)) {
      const std::uint32_t held = catalog::privileges_on(in, who, *schema);
      if ((held & catalog::kUsage) == 0)
        return engine::fail_sql("42501", "permission denied for schema " + schema->name);
    }
    const std::uint32_t held = catalog::privileges_on(in, who, relation);
    if ((held & privileges) == privileges) return {};
    return engine::fail_sql("42501", "permission denied for relation " + relation.name);
  };
  return in_other_database(relation) ? check(catalog_of(relation)) : check(catalog);
}

SqlStatus SessionState::require_owner(const catalog::Relation& relation, std::uint32_t privileges,
                                      std::string_view system) const {
  const catalog::UserPointer me = user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  if (relation.temporary || me->superuser) return {};
  if (!system.empty() && has_system_privilege(system)) return {};
  // Owners too must be able to look into the schema.
  if (const SchemaPointer schema = catalog.schema(relation.schema))
    LEAT_TRY(require_schema(*schema, catalog::kUsage));
  if (relation.owner == me->id) return {};
  const std::uint32_t held = catalog::privileges_on(catalog, *me, relation);
  if (privileges != 0 && (held & privileges) == privileges) return {};
  return engine::fail_sql("42501", "must be owner of relation " + relation.name);
}

SqlStatus SessionState::check_view(const catalog::Relation& view, int depth) const {
  constexpr int kDepthMax = 100;     // as of views that depend on each other
  if (depth > kDepthMax) return {};  // using it will say so
  const catalog::UserPointer owner = catalog.user(view.owner);
  const auto check = [&](const catalog::CatalogSession& in) -> SqlStatus {
    for (const catalog::Oid oid : view.depends_on) {
      const RelationPointer source = in.relation(oid);
      if (source == nullptr) continue;
      if (owner != nullptr) {
        const SqlStatus allowed = require_of(*owner, *source, catalog::kSelect);
        if (!allowed && !used_columns_suffice(in, *owner, view, *source)) return allowed;
      }
      if (source->kind == catalog::RelationKind::kView) LEAT_TRY(check_view(*source, depth + 1));
    }
    return {};
  };
  return in_other_database(view) ? check(catalog_of(view)) : check(catalog);
}

SqlStatus SessionState::require_superuser(std::string_view what) const {
  const catalog::UserPointer me = user();
  if (me != nullptr && me->superuser) return {};
  return engine::fail_sql("42501", "must be superuser to " + std::string(what));
}

/// Those that the user may not read are marked, unless it is inside of a view: there its owner's
/// rights count.
void SessionLookup::add_columns(const catalog::CatalogSession& in,
                                const catalog::Relation& relation, sql::Relation& made) const {
  const catalog::UserPointer me = session_.user();
  const bool rows = relation.stored();
  const std::vector<std::int16_t> marks = session_.connection->blank_marks().columns(relation.oid);
  if (rows) marks_[relation.oid] = marks.size();
  const bool restricted = depth_ == 0 && me != nullptr && !relation.temporary &&
                          (catalog::privileges_on(in, *me, relation) & catalog::kSelect) == 0 &&
                          catalog::has_column_privileges(in, *me, relation);
  for (const catalog::Column& column : relation.columns) {
    const bool readable =
        !restricted ||
        (catalog::column_privileges(in, *me, relation, column.number) & catalog::kSelect) != 0;
    made.columns.push_back({.name = column.name,
                            .type = column.type,
                            .identity = column.identity && !column.identity_by_default,
                            .not_null = column.not_null,
                            .readable = readable,
                            .number = column.number,
                            .insensitive = column.insensitive});
    if (column.type.kind != sql::TypeKind::kVarchar) continue;
    sql::RelationColumn& text = made.columns.back();
    text.blanks = std::ranges::binary_search(marks, column.number);
    if (rows && !text.blanks) text.blank_key = engine::BlankMarks::key(relation.oid, column.number);
  }
}

SqlStatus SessionLookup::add_view(const catalog::Relation& view, bool elsewhere,
                                  std::string_view database, sql::Relation& made) const {
  constexpr int kDepthMax = 50;
  if (depth_ >= kDepthMax)
    return engine::fail_sql("54001", "views depend on each other too deeply");
  const bool late = view.kind == catalog::RelationKind::kLateBindingView;
  ++depth_;
  std::string outer_database =
      std::exchange(database_, elsewhere ? std::string(database) : std::string());
  const catalog::Relation* outer_view = std::exchange(view_, late ? nullptr : &view);
  const std::int32_t outer_reader = std::exchange(reader_, view.owner);
  const auto leave = [&] {
    view_ = outer_view;
    reader_ = outer_reader;
    database_ = std::move(outer_database);
    --depth_;
  };
  if (late) {
    SqlResult<ViewQuery> query = late_binding_query(session_, view, database_, *this);
    leave();
    if (!query) return std::unexpected(std::move(query).error());
    made.duckdb_name = "(" + query->text + ")";
    for (sql::ResultColumn& column : query->columns) {
      made.columns.push_back({.name = std::move(column.name),
                              .type = std::move(column.type),
                              .number = static_cast<std::int16_t>(made.columns.size() + 1),
                              .blanks = column.blanks,
                              .insensitive = column.insensitive});
    }
    return {};
  }
  SqlResult<ViewQuery> query = view_query(session_, view, *this);
  leave();
  if (!query) return std::unexpected(std::move(query).error());
  const bool known = query->columns.size() == made.columns.size();
  std::string names;
  for (std::size_t i = 0; i < made.columns.size(); ++i) {
    sql::RelationColumn& column = made.columns[i];
    column.blanks =
        column.type.kind == sql::TypeKind::kVarchar && (!known || query->columns[i].blanks);
    names += (names.empty() ? "" : ", ") + engine::quote_identifier(column.name);
  }
  made.duckdb_name = fmt::format("(SELECT {0} FROM ({1}) AS leat_view({0}))", names, query->text);
  return {};
}

namespace {

/// Shows the relation's columns as the view that names them saw them when it was made.
void show_bound(const catalog::BoundRelation& bound, sql::Relation& made) {
  made.schema = bound.schema;
  made.name = bound.name;
  std::vector<sql::RelationColumn> columns;
  std::string list;
  bool same = made.columns.size() == bound.columns.size();
  for (const auto& [number, name] : bound.columns) {
    const auto now = std::ranges::find(made.columns, number, &sql::RelationColumn::number);
    if (now == made.columns.end()) continue;  // dropped: the view does not use it
    same = same && now->name == name;
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", engine::quote_identifier(now->name),
                        engine::quote_identifier(name));
    columns.push_back(*now);
    columns.back().name = name;
  }
  // Without any the view counts rows alone.
  if (same || columns.empty()) return;
  made.columns = std::move(columns);
  made.duckdb_name = fmt::format("(SELECT {} FROM {})", list, made.duckdb_name);
}

}  // namespace

/// What a statement names without any right on it was not checked before: the last line of defence.
SqlStatus SessionLookup::check_known(const catalog::Relation& relation) const {
  const catalog::UserPointer me = session_.user();
  if (depth_ > 0 || view_ != nullptr || me == nullptr || me->superuser || relation.temporary)
    return {};
  const auto has_some = [&](const catalog::CatalogSession& in) {
    return catalog::privileges_on(in, *me, relation) != 0 ||
           catalog::has_column_privileges(in, *me, relation);
  };
  const bool known = session_.in_other_database(relation) ? has_some(session_.catalog_of(relation))
                                                          : has_some(session_.catalog);
  if (known) return {};
  return engine::fail_sql("42501", "permission denied for relation " + relation.name);
}

/// Views that only the system's own ones read, and what superusers read: in a view its owner.
SqlStatus SessionLookup::check_system(const sql::QualifiedName& name) const {
  if (name.name().starts_with("leat_")) return no_relation(name);
  if (name.name() != "pg_shadow") return {};
  const catalog::UserPointer reader =
      depth_ == 0 ? session_.user() : session_.catalog.user(reader_);
  if (reader != nullptr && reader->superuser) return {};
  return engine::fail_sql("42501", "must be superuser to read pg_shadow");
}

SqlResult<SessionLookup::Found> SessionLookup::find_seen(const sql::QualifiedName& name) const {
  const bool elsewhere = !name.database().empty() && name.database() != session_.request.database;
  if (view_ == nullptr || view_->binding == nullptr) {
    LEAT_ASSIGN(RelationPointer relation, session_.find_readable(name));
    LEAT_TRY(check_known(*relation));
    return Found{.relation = std::move(relation), .elsewhere = elsewhere};
  }
  const catalog::BoundRelation* bound = view_->binding->relation(name.schema(), name.name());
  RelationPointer relation;
  if (bound != nullptr) {
    relation = elsewhere ? session_.catalog_of(*view_).relation(bound->oid)
                         : session_.catalog.relation(bound->oid);
  }
  if (relation == nullptr) {
    return engine::fail_sql("42P01", fmt::format("relation \"{}\", which view \"{}\" reads, does "
                                                 "not exist",
                                                 name.to_string(), view_->name));
  }
  return Found{.relation = std::move(relation), .bound = bound, .elsewhere = elsewhere};
}

sql::SqlResult<std::unique_ptr<sql::Relation>> SessionLookup::describe(
    const Found& found, const sql::QualifiedName& name) const {
  const catalog::Relation& relation = *found.relation;
  auto made = std::make_unique<sql::Relation>();
  made->kind = relation.kind == catalog::RelationKind::kTable ? sql::RelationKind::kTable
               : relation.stored()                            ? sql::RelationKind::kMaterializedView
                                                              : sql::RelationKind::kView;
  made->duckdb_name = relation.duckdb_name();
  made->oid = relation.oid;
  made->schema = relation.schema_name;
  made->name = relation.name;
  if (found.elsewhere) {
    add_columns(session_.catalog_of(relation), relation, *made);
  } else {
    add_columns(session_.catalog, relation, *made);
  }
  if (!relation.stored()) {
    if (SqlStatus view = add_view(relation, found.elsewhere, name.database(), *made); !view) {
      SqlError& error = view.error();
      return std::unexpected(sql::SqlError{.sqlstate = std::move(error.sqlstate),
                                           .message = std::move(error.message),
                                           .detail = std::move(error.detail),
                                           .hint = std::move(error.hint)});
    }
  }
  if (found.bound != nullptr) show_bound(*found.bound, *made);
  return made;
}

sql::SqlResult<const sql::Relation*> SessionLookup::find(const sql::QualifiedName& written) const {
  const sql::QualifiedName name =
      in_database(depth_ == 0 ? session_.at_home(written) : written, database_);
  // Inside of a view its owner's rights count, not the user's, and its names.
  std::string key = (depth_ > 0 ? "view:" : "") + name.to_string();
  if (view_ != nullptr) key = fmt::format("{}:{}", view_->oid, key);
  if (const auto known = found_.find(key); known != found_.end()) return known->second.get();
  std::unique_ptr<sql::Relation> made;
  const bool elsewhere = !name.database().empty() && name.database() != session_.request.database;
  if (sql::is_system_relation(name) && !elsewhere) {
    if (const SqlStatus seen = check_system(name); !seen)
      return sql::sql_fail(seen.error().sqlstate, seen.error().message);
    made = std::make_unique<sql::Relation>();
    made->kind = sql::RelationKind::kSystem;
    made->duckdb_name = system_name(name);
  } else {
    SqlResult<Found> found = find_seen(name);
    if (!found) {
      return sql::sql_fail(std::move(found.error().sqlstate), std::move(found.error().message));
    }
    LEAT_ASSIGN(made, describe(*found, name));
  }
  const sql::Relation* result = made.get();
  found_.emplace(key, std::move(made));
  return result;
}

bool SessionLookup::holds_few_rows(const sql::Relation& relation) const {
  // Their keys take 100 MiB at most, in a set.
  constexpr std::int64_t kFewRows = 4'000'000;
  const RelationPointer temporary = session_.catalog.temporary(relation.name);
  // Another statement would overtake a stream.
  if (temporary == nullptr || temporary->oid != relation.oid || session_.streaming != nullptr ||
      session_.connection == nullptr) {
    return false;
  }
  const auto rows = session_.connection->query("SELECT count(*) FROM " + relation.duckdb_name);
  return rows &&
         parse_number<std::int64_t>(rows->at(0)[0].value_or("")).value_or(kFewRows + 1) <= kFewRows;
}

}  // namespace leat::session
