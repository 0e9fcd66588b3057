// CREATE, DROP, TRUNCATE: DuckDB's object and the catalog's side of it, in one
// transaction.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/session/ddl_support.h"

namespace leat::session {
namespace {

using catalog::Relation;
using catalog::RelationPointer;
using catalog::SchemaPointer;

constexpr std::size_t kColumnsMax = 1600;
constexpr std::string_view kReservedColumns[] = {"oid",  "tableoid", "xmin", "cmin",
                                                 "xmax", "cmax",     "ctid"};

std::string object_name(const sql::QualifiedName& name) {
  return std::string(utf8_prefix(name.name(), 127));
}

}  // namespace

SqlStatus check_columns(const Relation& relation) {
  if (relation.columns.size() > kColumnsMax) {
    return engine::fail_sql("54011",
                            fmt::format("tables can have at most {} columns", kColumnsMax));
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const std::string& name = relation.columns[i].name;
    if (std::ranges::find(kReservedColumns, name) != std::end(kReservedColumns)) {
      return engine::fail_sql("42701",
                              "column name \"" + name + "\" conflicts with a system column name");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (relation.columns[j].name == name) {
        return engine::fail_sql("42701", "column \"" + name + "\" duplicated");
      }
    }
  }
  return {};
}

/// Where a new relation goes: temporary or in a schema where the user may create.
SqlResult<Relation> place_relation(SessionState& session, const sql::QualifiedName& name,
                                   bool temporary, std::string_view system) {
  Relation relation;
  relation.oid = session.catalog.catalog().new_oid();
  relation.name = object_name(name);
  relation.owner = session.user_id;
  relation.created = session.shared->now();
  if (temporary) {
    if (!name.schema().empty() && !name.schema().starts_with("pg_temp")) {
      return engine::fail_sql("42P16", "temporary tables may not specify a schema name");
    }
    const catalog::DatabasePointer database = session.catalog.database();
    const catalog::UserPointer me = session.user();
    if (me == nullptr ||
        (catalog::effective_privileges(session.catalog, *me, database->owner, database->acl) &
         catalog::kTemporary) == 0) {
      return engine::fail_sql(
          "42501",
          "permission denied to create temporary tables in database \"" + database->name + "\"");
    }
    relation.temporary = true;
    relation.schema = catalog::kTemporarySchemaOid;
    relation.schema_name = fmt::format("pg_temp_{}", session.id);
    return relation;
  }
  LEAT_ASSIGN(const SchemaPointer schema, session.creation_schema(name));
  if (system.empty() || !session.has_system_privilege(system))
    LEAT_TRY(session.require_schema(*schema, catalog::kUsage | catalog::kCreate));
  relation.schema = schema->oid;
  relation.schema_name = schema->name;
  relation.engine_schema = schema->stored_as;
  relation.database = session.own_catalog->alias();
  relation.acl = catalog::default_acl(session.catalog, catalog::StandingTarget::kTables,
                                      relation.owner, schema->oid);
  // Two creations of one name follow each other; the second then sees what the first committed.
  LEAT_TRY(session.lock_table(relation.schema_name, relation.name));
  return relation;
}

RelationPointer existing(const SessionState& session, const Relation& relation) {
  return relation.temporary ? session.catalog.temporary(relation.name)
                            : session.catalog.relation(relation.schema_name, relation.name);
}

SqlStatus create_in_engine(SessionState& session, const Relation& relation) {
  for (const catalog::Column& column : relation.columns) {
    if (!column.identity) continue;
    const std::string sequence = sequence_name(relation.oid, column.number);
    LEAT_TRY(run_engine(
        session,
        fmt::format("CREATE {}SEQUENCE {} START {} INCREMENT {} MINVALUE {} MAXVALUE {}",
                    relation.temporary ? "TEMP " : "",
                    relation.temporary ? sequence.substr(sequence.find('.') + 1) : sequence,
                    column.identity_seed, column.identity_step,
                    std::min<std::int64_t>(column.identity_seed, INT64_MIN + 1), INT64_MAX)));
  }
  session.note_growth(relation);
  return create_engine_table(session, relation);
}

SqlStatus create_engine_table(SessionState& session, const Relation& relation) {
  std::string list;
  for (const catalog::Column& column : relation.columns) {
    std::string sequence;
    if (column.identity) {
      sequence = sequence_name(relation.oid, column.number);
      if (relation.temporary) sequence = "temp.main." + sequence.substr(sequence.find('.') + 1);
    }
    LEAT_ASSIGN(const std::string text, column_sql(session, column, sequence, true));
    list += (list.empty() ? "" : ", ") + text;
  }
  return run_engine(session,
                    fmt::format("CREATE {}TABLE {} ({})", relation.temporary ? "TEMP " : "",
                                relation.duckdb_name(), list));
}

namespace {

SqlStatus copy_like(SessionState& session, Relation& relation, const sql::LikeClause& like) {
  LEAT_ASSIGN(const RelationPointer source, session.find_readable(like.table));
  LEAT_TRY(session.require(*source, catalog::kSelect));
  for (catalog::Column column : source->columns) {
    column.identity = false;
    column.identity_by_default = false;
    column.comment.clear();
    if (!like.including_defaults) column.default_text.clear();
    if (relation.temporary) column.encoding = "none";
    relation.columns.push_back(std::move(column));
  }
  relation.distribution = source->distribution;
  relation.sort_automatic = source->sort_automatic;
  return {};
}

}  // namespace

void number_columns(Relation& relation) {
  std::int16_t number = 0;
  for (catalog::Column& column : relation.columns) column.number = ++number;
}

namespace {

sql::TypeName stored_type(const engine::ColumnType& type) {
  return sql::column_type(catalog::type_from_engine(type));
}

}  // namespace

/// Columns of a query's result as a table would have them: declared lengths where they can be seen.
SqlResult<std::vector<catalog::Column>> result_columns(
    SessionState& session, const sql::Query& query, const std::vector<engine::ColumnInfo>& columns,
    const std::vector<std::string>& names, bool temporary, const Relation* view) {
  if (!names.empty() && names.size() > columns.size()) {
    return engine::fail_sql("42601", "more column names than the query has columns");
  }
  const SessionLookup lookup(session, view);
  sql::TranslateContext context = session.translate_context();
  context.relations = &lookup;
  sql::SqlResult<std::vector<sql::ResultColumn>> declared = sql::query_columns(query, context);
  if (!declared) return std::unexpected(from_sql(std::move(declared).error()));
  const bool counted = declared->size() == columns.size();
  std::vector<catalog::Column> made;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    catalog::Column column;
    column.name = i < names.size() ? names[i] : columns[i].name;
    column.type = stored_type(columns[i].type);
    if (column.type.kind == sql::TypeKind::kVarchar &&
        columns[i].type.type == engine::Type::kVarchar) {
      column.type.length = 65535;
      if (counted && (*declared)[i].character != sql::TypeKind::kOther) {
        column.type.kind = (*declared)[i].character;
        column.type.length = std::clamp((*declared)[i].length, 1, 65535);
      }
      column.insensitive = counted ? (*declared)[i].insensitive : context.insensitive;
    }
    column.encoding = catalog::default_encoding(column.type, false, temporary);
    made.push_back(std::move(column));
  }
  return made;
}

SqlResult<std::string> translate_inner(const SessionState& session, std::string_view script,
                                       const sql::Query& query, const Relation* view) {
  const SessionLookup lookup(session, view);
  sql::TranslateContext context = session.translate_context(script);
  context.relations = &lookup;
  sql::SqlResult<std::string> text = sql::translate_query(query, context);
  if (!text) return std::unexpected(from_sql(std::move(text).error()));
  return std::move(*text);
}

SqlResult<std::vector<engine::ColumnInfo>> describe_query(SessionState& session,
                                                          const std::string& engine_sql) {
  LEAT_TRY(session.quiet_engine());
  LEAT_TRY(session.open_engine());
  LEAT_ASSIGN(const engine::Prepared prepared, session.connection->prepare(engine_sql));
  if (prepared.parameter_count() > 0) {
    return engine::fail_sql("0A000", "parameters are not supported in CREATE statements");
  }
  return prepared.columns();
}

std::string_view inner_text(const Running& running, sql::SourceSpan span) {
  return trim(running.text.substr(span.begin, span.end - span.begin));
}

namespace {

SqlStatus drop_in_engine(SessionState& session, const Relation& relation) {
  if (relation.stored()) {
    LEAT_TRY(run_engine(session, "DROP TABLE " + relation.duckdb_name()));
  } else {
    LEAT_TRY(session.quiet_engine());
    LEAT_TRY(session.open_engine());
  }
  for (const catalog::Column& column : relation.columns) {
    if (!column.identity) continue;
    std::string sequence = sequence_name(relation.oid, column.number);
    if (relation.temporary) sequence = "temp.main." + sequence.substr(sequence.find('.') + 1);
    LEAT_TRY(run_engine(session, "DROP SEQUENCE " + sequence));
  }
  return session.catalog.drop_relation(relation);
}

SqlStatus drop_referrers(SessionState& session, const std::vector<Referrer>& referrers) {
  for (const Referrer& referrer : referrers) {
    const RelationPointer table = session.catalog.relation(referrer.table->oid);
    if (table == nullptr) continue;
    LEAT_TRY(session.lock_table(table->schema_name, table->name));
    Relation copy = *table;
    std::erase_if(copy.constraints, [&](const catalog::Constraint& constraint) {
      return constraint.name == referrer.constraint;
    });
    LEAT_TRY(session.catalog.put(std::move(copy)));
  }
  return {};
}

}  // namespace

std::vector<Referrer> referrers(const SessionState& session, const Relation& relation,
                                std::int16_t column) {
  std::vector<Referrer> list;
  for (const RelationPointer& each : session.catalog.relations(0)) {
    if (each->oid == relation.oid) continue;
    for (const catalog::Constraint& constraint : each->constraints) {
      const auto& columns = constraint.references_columns;
      const bool of_column = column == 0 || std::ranges::find(columns, column) != columns.end();
      if (constraint.references == relation.oid && of_column)
        list.push_back({each, constraint.name});
    }
  }
  return list;
}

SqlStatus drop_dependents(SessionState& session, std::string_view what,
                          const std::vector<RelationPointer>& views,
                          const std::vector<Referrer>& keys, bool cascade, int depth) {
  if (!(views.empty() && keys.empty()) && !cascade) {
    return engine::fail_sql(
        "2BP01", fmt::format("cannot drop {} because other objects depend on it", what),
        views.empty() ? fmt::format("constraint {} on table {} depends on it",
                                    keys.front().constraint, keys.front().table->name)
                      : "view " + views.front()->name + " depends on it",
        "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (depth > 100) return engine::fail_sql("54001", "views depend on each other too deeply");
  for (const RelationPointer& view : views) {
    const RelationPointer still = session.catalog.relation(view->oid);
    if (still != nullptr) LEAT_TRY(drop_relation(session, *still, true, depth + 1));
  }
  return drop_referrers(session, keys);
}

SqlStatus drop_relation(SessionState& session, const Relation& relation, bool cascade, int depth) {
  const bool is_table = relation.kind == catalog::RelationKind::kTable;
  LEAT_TRY(drop_dependents(
      session, fmt::format("{} {}", is_table ? "table" : "view", relation.name),
      dependents(session, relation.oid), referrers(session, relation, 0), cascade, depth));
  if (!relation.temporary) {
    LEAT_TRY(session.lock_table(relation.schema_name, relation.name));
    session.tables_used.writes.insert(relation.oid);
  }
  return drop_in_engine(session, relation);
}

namespace {

/// Keys before what refers to them, which may be in the same table.
SqlStatus add_constraints(SessionState& session, Relation& relation,
                          const sql::CreateTableStatement& statement) {
  std::vector<sql::TableConstraint> keys;
  std::vector<sql::TableConstraint> references;
  for (const sql::ColumnDefinition& definition : statement.columns) {
    const auto of_column = [&](sql::ConstraintKind kind) {
      return sql::TableConstraint{
          .kind = kind, .name = {}, .columns = {definition.name}, .references = {}};
    };
    if (definition.primary_key) keys.push_back(of_column(sql::ConstraintKind::kPrimaryKey));
    if (definition.unique) keys.push_back(of_column(sql::ConstraintKind::kUnique));
    if (!definition.references) continue;
    references.push_back(of_column(sql::ConstraintKind::kForeignKey));
    references.back().references = *definition.references;
  }
  for (const sql::TableConstraint& constraint : statement.constraints) {
    const bool is_key = constraint.kind != sql::ConstraintKind::kForeignKey;
    (is_key ? keys : references).push_back(constraint);
  }
  for (const sql::TableConstraint& key : keys) LEAT_TRY(add_constraint(session, relation, key));
  for (const sql::TableConstraint& reference : references)
    LEAT_TRY(add_constraint(session, relation, reference));
  return {};
}

}  // namespace

SqlStatus SessionState::run_create_table(Running& running,
                                         const sql::CreateTableStatement& statement) {
  LEAT_ASSIGN(Relation relation,
              place_relation(*this, statement.name, statement.temporary, "create table"));
  if (existing(*this, relation) != nullptr) {
    if (!statement.if_not_exists) return already_exists(relation.name);
    running.sink.on_notice(Severity::kInfo, "00000",
                           "Relation \"" + relation.name + "\" already exists and will be skipped");
    return {};
  }
  for (const sql::LikeClause& like : statement.likes) LEAT_TRY(copy_like(*this, relation, like));
  for (const sql::ColumnDefinition& definition : statement.columns) {
    LEAT_ASSIGN(catalog::Column column, make_column(*this, definition, relation.temporary));
    relation.columns.push_back(std::move(column));
  }
  number_columns(relation);
  LEAT_TRY(check_columns(relation));
  relation.backup = statement.attributes.backup.value_or(true);
  sql::TableAttributes attributes = statement.attributes;
  for (const sql::ColumnDefinition& definition : statement.columns) {
    if (definition.distribution_key) {
      if (!attributes.distribution_key.empty()) {
        return engine::fail_sql("42P16", "a table can have only one distribution key");
      }
      attributes.distribution_key = definition.name;
    }
    if (definition.sort_key) attributes.sort_keys.push_back(definition.name);
  }
  LEAT_TRY(apply_attributes(relation, attributes));
  for (const sql::ColumnDefinition& definition : statement.columns) {
    const auto column =
        std::ranges::find(relation.columns, definition.name, &catalog::Column::name);
    if (definition.encoding.empty() && column != relation.columns.end() && column->sort_key != 0)
      column->encoding = "none";
  }
  LEAT_TRY(add_constraints(*this, relation, statement));
  LEAT_TRY(create_in_engine(*this, relation));
  LEAT_TRY(note_defaults(*this, relation));
  return catalog.put(std::move(relation));
}

SqlStatus SessionState::run_create_table_as(Running& running,
                                            const sql::CreateTableAsStatement& statement) {
  LEAT_TRY(check_access(running.statement));
  LEAT_ASSIGN(Relation relation,
              place_relation(*this, statement.name, statement.temporary, "create table"));
  if (existing(*this, relation) != nullptr) {
    if (!statement.if_not_exists) return already_exists(relation.name);
    running.sink.on_notice(Severity::kInfo, "00000",
                           "Relation \"" + relation.name + "\" already exists and will be skipped");
    return {};
  }
  LEAT_TRY(lock_tables(running.statement));
  LEAT_ASSIGN(const std::string query, translate_inner(*this, running.text, *statement.query));
  LEAT_ASSIGN(const auto described, describe_query(*this, query));
  LEAT_ASSIGN(relation.columns, result_columns(*this, *statement.query, described,
                                               statement.columns, relation.temporary));
  number_columns(relation);
  LEAT_TRY(check_columns(relation));
  sql::TableAttributes attributes = statement.attributes;
  const auto by_ordinal = [&](std::string& key) {
    const auto number = parse_number<std::size_t>(key);
    if (number && *number >= 1 && *number <= relation.columns.size())
      key = relation.columns[*number - 1].name;
  };
  by_ordinal(attributes.distribution_key);
  for (std::string& key : attributes.sort_keys) by_ordinal(key);
  LEAT_TRY(apply_attributes(relation, attributes));
  choose_encodings(relation);
  LEAT_TRY(create_in_engine(*this, relation));
  note_step("insert", relation);
  LEAT_ASSIGN(running.rows, fill_relation(*this, relation, query));
  return catalog.put(std::move(relation));
}

namespace {

/// What a DROP statement is for, and what a relation has to be dropped with.
struct DroppedKind {
  sql::ObjectKind kind;
  std::string_view title;
  std::string_view keywords;
};

DroppedKind dropped_kind(sql::ObjectKind kind) {
  if (kind == sql::ObjectKind::kView) return {kind, "View", "VIEW"};
  if (kind == sql::ObjectKind::kMaterializedView)
    return {kind, "Materialized view", "MATERIALIZED VIEW"};
  return {sql::ObjectKind::kTable, "Table", "TABLE"};
}

DroppedKind dropped_kind(catalog::RelationKind kind) {
  if (kind == catalog::RelationKind::kTable) return dropped_kind(sql::ObjectKind::kTable);
  if (kind == catalog::RelationKind::kMaterializedView)
    return dropped_kind(sql::ObjectKind::kMaterializedView);
  return dropped_kind(sql::ObjectKind::kView);
}

}  // namespace

SqlStatus SessionState::run_drop(Running& running, const sql::DropStatement& statement) {
  switch (statement.kind) {
    case sql::ObjectKind::kTable:
    case sql::ObjectKind::kView:
    case sql::ObjectKind::kMaterializedView:
      break;
    case sql::ObjectKind::kSchema:
      return drop_schemas(running, statement);
    case sql::ObjectKind::kUser:
    case sql::ObjectKind::kGroup:
      return drop_people(running, statement);
    case sql::ObjectKind::kRole:
      return drop_roles(running, statement);
    case sql::ObjectKind::kDatabase:
      return drop_databases(running, statement);
    default:
      return engine::fail_sql(
          "0A000", std::string(sql::statement_kind(running.statement)) + " is not supported");
  }
  const DroppedKind wanted = dropped_kind(statement.kind);
  for (const sql::QualifiedName& name : statement.names) {
    SqlResult<RelationPointer> relation = find_relation(name);
    if (!relation) {
      if (!statement.if_exists || relation.error().sqlstate == "0A000")
        return std::unexpected(relation.error());
      running.sink.on_notice(Severity::kInfo, "00000",
                             fmt::format("{} \"{}\" does not exist and will be skipped",
                                         wanted.title, name.to_string()));
      continue;
    }
    const DroppedKind found = dropped_kind((*relation)->kind);
    if (found.kind != wanted.kind) {
      return engine::fail_sql(
          "42809", fmt::format("\"{}\" is not a {}", (*relation)->name, to_lower(wanted.title)), {},
          fmt::format("Use DROP {} to remove it.", found.keywords));
    }
    LEAT_TRY(require_owner(**relation, catalog::kDrop,
                           wanted.kind == sql::ObjectKind::kTable  ? "drop table"
                           : wanted.kind == sql::ObjectKind::kView ? "drop view"
                                                                   : ""));
    if (!(*relation)->temporary) LEAT_TRY(lock_table((*relation)->schema_name, (*relation)->name));
    // While waiting, another session may have dropped it.
    const RelationPointer still = catalog.relation((*relation)->oid);
    if (still == nullptr)
      return engine::fail_sql("42P01", "relation \"" + name.to_string() + "\" does not exist");
    LEAT_TRY(drop_relation(*this, *still, statement.cascade));
  }
  return {};
}

SqlStatus SessionState::run_truncate(Running& running, const sql::TruncateStatement& statement) {
  LEAT_ASSIGN(const RelationPointer relation, find_relation(statement.table));
  if (relation->kind != catalog::RelationKind::kTable) {
    return engine::fail_sql("42809", "\"" + relation->name + "\" is not a table");
  }
  LEAT_TRY(require_owner(*relation, catalog::kTruncate, "truncate table"));
  LEAT_TRY(lock_tables(running.statement));
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  LEAT_ASSIGN(running.rows, connection->run("DELETE FROM " + relation->duckdb_name()));
  if (block == Block::kExplicit) {
    LEAT_TRY(check_serializable());
    // Redshift's TRUNCATE commits what the transaction did so far, itself included.
    running.tag = "TRUNCATE TABLE and COMMIT TRANSACTION";
    return commit_block(&running.sink);
  }
  running.tag = "TRUNCATE TABLE";
  return {};
}

}  // namespace leat::session
