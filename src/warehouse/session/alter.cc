// ALTER TABLE, and the pieces they share with CREATE.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/engine/hll_sketch.h"
#include "warehouse/session/ddl_support.h"

namespace leat::session {
namespace {

using catalog::Relation;
using catalog::RelationPointer;

std::unexpected<SqlError> no_column(std::string_view column, const Relation& relation) {
  return engine::fail_sql("42703", fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                               column, relation.name));
}

catalog::Column* find_column(Relation& relation, std::string_view name) {
  const auto found = std::ranges::find(relation.columns, name, &catalog::Column::name);
  return found == relation.columns.end() ? nullptr : &*found;
}

bool can_be_key(const sql::TypeName& type) {
  switch (type.kind) {
    case sql::TypeKind::kSuper:
    case sql::TypeKind::kVarbyte:
    case sql::TypeKind::kGeometry:
    case sql::TypeKind::kGeography:
    case sql::TypeKind::kHllSketch:
      return false;
    default:
      return true;
  }
}

SqlStatus check_encoding(const catalog::Column& column) {
  if (catalog::encoding_fits(column.encoding, column.type.kind)) return {};
  return engine::fail_sql("42611",
                          fmt::format("invalid encoding type specified for column \"{}\": {} does "
                                      "not compress {}",
                                      column.name, column.encoding, sql::format_type(column.type)),
                          {}, "Leave ENCODE out, or write ENCODE ZSTD.");
}

/// A sketch is kept as HLL_CREATE_SKETCH writes it, so its default is written anew.
SqlStatus settle_sketch(catalog::Column& column) {
  if (column.encoding != "none" && column.encoding != "raw") {
    return engine::fail_sql("0A000",
                            fmt::format("column \"{}\" of type hllsketch cannot have encoding {}",
                                        column.name, column.encoding),
                            {}, "Sketches are stored RAW.");
  }
  if (column.default_text.empty()) return {};
  const sql::SqlResult<sql::ExpressionPtr> value = sql::parse_expression(column.default_text);
  if (value && (*value)->kind == sql::ExpressionKind::kNull) return {};
  if (!value || (*value)->kind != sql::ExpressionKind::kString) {
    return engine::fail_sql(
        "0A000", fmt::format("the default of column \"{}\" of type hllsketch must be a literal",
                             column.name));
  }
  LEAT_ASSIGN(const engine::HllSketch sketch, engine::HllSketch::parse((*value)->text));
  std::string text;
  sketch.append_text(text);
  column.default_text = sql::quote_literal(text);
  return {};
}

/// DuckDB cannot commit a column that comes or goes after rows of the table were updated or deleted
/// in the same transaction ("another transaction has altered this table"): the table is written
/// anew before.
SqlStatus settle_changes(SessionState& session, const Relation& relation) {
  if (!session.rows_changed.contains(relation.oid)) return {};
  Relation anew = relation;
  anew.name = fmt::format("leat_anew_{}", relation.oid);
  LEAT_TRY(create_engine_table(session, anew));
  LEAT_TRY(run_engine(session, fmt::format("INSERT INTO {} SELECT * FROM {}", anew.duckdb_name(),
                                           relation.duckdb_name())));
  LEAT_TRY(run_engine(session, "DROP TABLE " + relation.duckdb_name()));
  LEAT_TRY(run_engine(session, fmt::format("ALTER TABLE {} RENAME TO {}", anew.duckdb_name(),
                                           engine::quote_identifier(relation.name))));
  session.rows_changed.erase(relation.oid);
  return {};
}

SqlStatus add_column(SessionState& session, Running& running, Relation& relation,
                     const sql::ColumnDefinition& definition) {
  if (definition.primary_key || definition.unique || definition.references || definition.identity ||
      definition.distribution_key || definition.sort_key) {
    return engine::fail_sql("0A000",
                            "ALTER TABLE ADD COLUMN takes no keys, references or IDENTITY");
  }
  LEAT_ASSIGN(catalog::Column column, make_column(session, definition, relation.temporary));
  if (relation.find_column(column.name) != nullptr) {
    return engine::fail_sql("42701", fmt::format("column \"{}\" of relation \"{}\" already exists",
                                                 column.name, relation.name));
  }
  if (relation.columns.size() >= 1600)
    return engine::fail_sql("54011", "tables can have at most 1600 columns");
  std::int16_t number = 0;
  for (const catalog::Column& each : relation.columns) number = std::max(number, each.number);
  column.number = static_cast<std::int16_t>(number + 1);
  if (column.not_null && column.default_text.empty()) {
    LEAT_TRY(session.quiet_engine());
    LEAT_TRY(session.open_engine());
    LEAT_ASSIGN(const auto rows,
                session.connection->query("SELECT 1 FROM " + relation.duckdb_name() + " LIMIT 1"));
    if (!rows.empty()) {
      return engine::fail_sql(
          "42601",
          "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression");
    }
  }
  LEAT_ASSIGN(const std::string text, column_sql(session, column, {}, false));
  LEAT_TRY(settle_changes(session, relation));
  LEAT_TRY(run_engine(session,
                      fmt::format("ALTER TABLE {} ADD COLUMN {}", relation.duckdb_name(), text)));
  if (column.not_null) {
    LEAT_TRY(run_engine(
        session, fmt::format("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", relation.duckdb_name(),
                             engine::quote_identifier(column.name))));
  }
  static_cast<void>(running);
  relation.columns.push_back(std::move(column));
  return {};
}

/// Drops what depends on the column: keys of its table; with CASCADE also views and the keys of
/// other tables, which are 2BP01 without.
SqlStatus free_column(SessionState& session, Relation& relation, const catalog::Column& column,
                      bool cascade) {
  LEAT_ASSIGN(const std::vector<RelationPointer> users, column_users(session, relation, column));
  LEAT_TRY(drop_dependents(session, fmt::format("table {} column {}", relation.name, column.name),
                           users, referrers(session, relation, column.number), cascade));
  std::erase_if(relation.constraints, [&](const catalog::Constraint& constraint) {
    return std::ranges::find(constraint.columns, column.number) != constraint.columns.end() ||
           (constraint.references == relation.oid &&
            std::ranges::find(constraint.references_columns, column.number) !=
                constraint.references_columns.end());
  });
  return {};
}

SqlStatus drop_column(SessionState& session, Relation& relation,
                      const sql::AlterTableAction& action) {
  const catalog::Column* column = find_column(relation, action.name);
  if (column == nullptr) return no_column(action.name, relation);
  if (column->distribution_key)
    return engine::fail_sql("0A000", "cannot drop distkey column \"" + action.name + "\"");
  if (column->sort_key != 0)
    return engine::fail_sql("0A000", "cannot drop sortkey column \"" + action.name + "\"");
  if (relation.columns.size() == 1)
    return engine::fail_sql("0A000", "cannot drop the only column of a table");
  LEAT_TRY(free_column(session, relation, *column, action.cascade));
  LEAT_TRY(settle_changes(session, relation));
  LEAT_TRY(run_engine(session, fmt::format("ALTER TABLE {} DROP COLUMN {}", relation.duckdb_name(),
                                           engine::quote_identifier(action.name))));
  std::erase_if(relation.columns,
                [&](const catalog::Column& each) { return each.name == action.name; });
  return {};
}

SqlStatus rename_table(SessionState& session, Relation& relation, const std::string& written) {
  const std::string name(utf8_prefix(written, 127));
  if (name.starts_with("#") && !relation.temporary) {
    return engine::fail_sql("42P16", "a permanent table cannot be renamed to \"" + name + "\"");
  }
  const catalog::SchemaPointer schema = session.catalog.schema(relation.schema);
  // A new name is made there, which takes what making a table takes.
  if (schema != nullptr && !session.has_system_privilege("alter table"))
    LEAT_TRY(session.require_schema(*schema, catalog::kCreate));
  if (!relation.temporary) LEAT_TRY(session.lock_table(relation.schema_name, name));
  const RelationPointer taken = relation.temporary
                                    ? session.catalog.temporary(name)
                                    : session.catalog.relation(relation.schema_name, name);
  if (taken != nullptr) return already_exists(name);
  if (relation.stored()) {
    LEAT_TRY(run_engine(session, fmt::format("ALTER TABLE {} RENAME TO {}", relation.duckdb_name(),
                                             engine::quote_identifier(name))));
  }
  relation.name = name;
  return {};
}

SqlStatus rename_column(SessionState& session, Relation& relation,
                        const sql::AlterTableAction& action) {
  catalog::Column* column = find_column(relation, action.name);
  if (column == nullptr) return no_column(action.name, relation);
  if (find_column(relation, action.new_name) != nullptr) {
    return engine::fail_sql("42701", fmt::format("column \"{}\" of relation \"{}\" already exists",
                                                 action.new_name, relation.name));
  }
  LEAT_TRY(
      run_engine(session, fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}",
                                      relation.duckdb_name(), engine::quote_identifier(action.name),
                                      engine::quote_identifier(action.new_name))));
  column->name = action.new_name;
  return {};
}

SqlStatus change_type(SessionState& session, Relation& relation,
                      const sql::AlterTableAction& action) {
  catalog::Column* column = find_column(relation, action.name);
  if (column == nullptr) return no_column(action.name, relation);
  if (session.block == Block::kExplicit) {
    return engine::fail_sql("25001",
                            "ALTER TABLE ALTER COLUMN cannot run inside a transaction block");
  }
  const sql::TypeName type = sql::column_type(action.type);
  if (column->type.kind != sql::TypeKind::kVarchar || type.kind != sql::TypeKind::kVarchar) {
    return engine::fail_sql("0A000", "ALTER COLUMN TYPE is only supported for varchar columns");
  }
  if (!column->default_text.empty()) {
    return engine::fail_sql("0A000",
                            "cannot alter column \"" + action.name + "\", as it has a default");
  }
  if (type.length < column->type.length) {
    LEAT_TRY(session.quiet_engine());
    LEAT_TRY(session.open_engine());
    LEAT_ASSIGN(const auto rows,
                session.connection->query(fmt::format(
                    "SELECT 1 FROM {} WHERE strlen({}) > {} LIMIT 1", relation.duckdb_name(),
                    engine::quote_identifier(action.name), type.length)));
    if (!rows.empty()) {
      return engine::fail_sql(
          "22001",
          fmt::format("column \"{}\" holds values longer than {} bytes", action.name, type.length));
    }
  }
  column->type = type;
  return {};
}

SqlStatus append_from(SessionState& session, Running& running, Relation& target,
                      const sql::AlterTableAction& action) {
  if (session.block == Block::kExplicit) {
    return engine::fail_sql("25001", "ALTER TABLE APPEND cannot run inside a transaction block");
  }
  LEAT_ASSIGN(const RelationPointer source, session.find_relation(action.source));
  if (source->kind != catalog::RelationKind::kTable)
    return engine::fail_sql("42809", "\"" + source->name + "\" is not a table");
  if (!session.has_system_privilege("alter table"))
    LEAT_TRY(session.require(*source, catalog::kSelect | catalog::kDelete));
  std::string names;
  for (const catalog::Column& column : source->columns) {
    const catalog::Column* match = target.find_column(column.name);
    if (match == nullptr && !action.ignore_extra) {
      return engine::fail_sql(
          "42703", fmt::format("column \"{}\" is not in \"{}\"", column.name, target.name), {},
          "IGNOREEXTRA leaves it out.");
    }
    if (match == nullptr) continue;
    if (sql::format_type(match->type) != sql::format_type(column.type) ||
        match->insensitive != column.insensitive) {
      return engine::fail_sql(
          "42804", fmt::format("column \"{}\" has different types in the two tables", column.name));
    }
    names += (names.empty() ? "" : ", ") + engine::quote_identifier(column.name);
  }
  for (const catalog::Column& column : target.columns) {
    if (source->find_column(column.name) == nullptr && !action.fill_target) {
      return engine::fail_sql(
          "42703", fmt::format("column \"{}\" is not in \"{}\"", column.name, source->name), {},
          "FILLTARGET fills it with its default.");
    }
  }
  // Rows that moved are gone from the source, and the marks of their columns are kept.
  LEAT_TRY(session.lock_table(source->schema_name, source->name));
  session.note_growth(target);
  LEAT_TRY(session.quiet_engine());
  LEAT_TRY(session.open_engine());
  for (const std::int16_t number : session.connection->blank_marks().columns(source->oid)) {
    for (const catalog::Column& column : source->columns) {
      const catalog::Column* match = target.find_column(column.name);
      if (column.number == number && match != nullptr) note_blanks(session, target, *match);
    }
  }
  session.changed_relations.insert({target.oid, source->oid});
  LEAT_ASSIGN(running.rows, session.connection->run(fmt::format(
                                "INSERT INTO {} ({}) SELECT {} FROM {}", target.duckdb_name(),
                                names, names, source->duckdb_name())));
  return run_engine(session, "DELETE FROM " + source->duckdb_name());
}

SqlStatus alter_one(SessionState& session, Running& running, Relation& relation,
                    const sql::AlterTableAction& action) {
  switch (action.kind) {
    case sql::AlterTableKind::kAddColumn:
      return add_column(session, running, relation, *action.column);
    case sql::AlterTableKind::kDropColumn:
      return drop_column(session, relation, action);
    case sql::AlterTableKind::kRenameTable:
      return rename_table(session, relation, action.new_name);
    case sql::AlterTableKind::kRenameColumn:
      return rename_column(session, relation, action);
    case sql::AlterTableKind::kOwner: {
      LEAT_TRY(session.require_superuser("change the owner of a relation"));
      const catalog::UserPointer owner = session.catalog.user(action.new_name);
      if (owner == nullptr)
        return engine::fail_sql("42704", "user \"" + action.new_name + "\" does not exist");
      relation.owner = owner->id;
      return {};
    }
    case sql::AlterTableKind::kAddConstraint:
      return add_constraint(session, relation, *action.constraint);
    case sql::AlterTableKind::kDropConstraint: {
      const std::size_t removed =
          std::erase_if(relation.constraints,
                        [&](const catalog::Constraint& each) { return each.name == action.name; });
      if (removed > 0) return {};
      return engine::fail_sql(
          "42704", fmt::format("constraint \"{}\" of relation \"{}\" does not exist", action.name,
                               relation.name));
    }
    case sql::AlterTableKind::kColumnType:
      return change_type(session, relation, action);
    case sql::AlterTableKind::kColumnEncoding: {
      catalog::Column* column = find_column(relation, action.name);
      if (column == nullptr) return no_column(action.name, relation);
      column->encoding = action.new_name == "raw" ? "none" : action.new_name;
      return check_encoding(*column);
    }
    case sql::AlterTableKind::kDistribution:
      return apply_attributes(relation, action.attributes);
    case sql::AlterTableKind::kSortKey:
      LEAT_TRY(apply_attributes(relation, action.attributes));
      if (!action.attributes.sort_keys.empty()) choose_encodings(relation);
      return {};
    case sql::AlterTableKind::kEncodeAuto:
      return {};
    case sql::AlterTableKind::kAppend:
      return append_from(session, running, relation, action);
    case sql::AlterTableKind::kRowLevelSecurity:
      return engine::fail_sql("0A000", "row level security is not supported");
  }
  return {};
}

}  // namespace

std::unexpected<SqlError> already_exists(std::string_view name) {
  return engine::fail_sql("42P07", "Relation \"" + std::string(name) + "\" already exists");
}

void note_blanks(SessionState& session, const Relation& relation, const catalog::Column& column) {
  session.connection->blank_marks().note(engine::BlankMarks::key(relation.oid, column.number));
}

SqlStatus note_defaults(SessionState& session, const Relation& relation) {
  for (const catalog::Column& column : relation.columns) {
    if (column.type.kind != sql::TypeKind::kVarchar || column.default_text.empty()) continue;
    const sql::SqlResult<sql::ExpressionPtr> value = sql::parse_expression(column.default_text);
    const bool known = value && (*value)->kind == sql::ExpressionKind::kString;
    if (!known || (*value)->text.ends_with(' ')) note_blanks(session, relation, column);
  }
  return session.catalog.put_blanks(relation);
}

std::string sequence_name(catalog::Oid relation, std::int16_t column) {
  return fmt::format("leat_catalog.identity_{}_{}", relation, column);
}

std::vector<RelationPointer> dependents(const SessionState& session, catalog::Oid relation) {
  std::vector<RelationPointer> list;
  for (const RelationPointer& each : session.catalog.relations(0)) {
    if (std::ranges::find(each->depends_on, relation) != each->depends_on.end())
      list.push_back(each);
  }
  return list;
}

SqlResult<catalog::Column> make_column(const SessionState& session,
                                       const sql::ColumnDefinition& definition, bool temporary) {
  catalog::Column column;
  column.name = utf8_prefix(definition.name, 127);
  column.type = sql::column_type(definition.type);
  const sql::TypeName& type = column.type;
  switch (type.kind) {
    case sql::TypeKind::kName:
    case sql::TypeKind::kOid:
    case sql::TypeKind::kInternalChar:
    case sql::TypeKind::kRegClass:
    case sql::TypeKind::kRegType:
    case sql::TypeKind::kRegProc:
    case sql::TypeKind::kRegNamespace:
    case sql::TypeKind::kOther:
    case sql::TypeKind::kInterval:
      return engine::fail_sql("0A000", fmt::format("Column \"{}\" has unsupported type \"{}\".",
                                                   column.name, type.spelling));
    case sql::TypeKind::kGeometry:
    case sql::TypeKind::kGeography:
      return engine::fail_sql(
          "0A000", fmt::format("columns of type {} are not supported", sql::format_type(type)));
    default:
      break;
  }
  if (type.array_dimensions > 0) {
    return engine::fail_sql("0A000", fmt::format("Column \"{}\" has unsupported type \"{}[]\".",
                                                 column.name, type.spelling));
  }
  const bool text = type.kind == sql::TypeKind::kVarchar || type.kind == sql::TypeKind::kChar;
  if (definition.case_insensitive && !text) {
    return engine::fail_sql("42804",
                            "collations are not supported by type " + sql::format_type(type), {},
                            "Leave COLLATE out of column \"" + column.name + "\".");
  }
  column.insensitive =
      text && definition.case_insensitive.value_or(session.catalog.database()->insensitive);
  column.not_null =
      definition.not_null || definition.primary_key || definition.identity.has_value();
  column.default_text = definition.default_text;
  column.encoding =
      definition.encoding.empty()
          ? std::string(catalog::default_encoding(type, definition.sort_key, temporary))
          : definition.encoding;
  if (column.encoding == "raw") column.encoding = "none";
  LEAT_TRY(check_encoding(column));
  if (type.kind == sql::TypeKind::kHllSketch) LEAT_TRY(settle_sketch(column));
  if (definition.identity) {
    if (type.kind != sql::TypeKind::kInteger && type.kind != sql::TypeKind::kBigint) {
      return engine::fail_sql("42804", "identity columns must be INTEGER or BIGINT");
    }
    column.identity = true;
    column.identity_by_default = definition.identity->by_default;
    column.identity_seed = definition.identity->seed;
    column.identity_step = definition.identity->step;
    if (column.identity_step == 0)
      return engine::fail_sql("22023", "the IDENTITY step may not be zero");
  }
  return column;
}

SqlResult<std::string> column_sql(const SessionState& session, const catalog::Column& column,
                                  const std::string& identity_sequence, bool with_not_null) {
  std::string text = engine::quote_identifier(column.name) + " " + sql::duckdb_type(column.type);
  // For text with few repetitions: what the engine would choose takes two to three times the time
  // to write. Other encodings are its own choice.
  if (column.type.kind == sql::TypeKind::kVarchar && column.encoding == "zstd")
    text += " USING COMPRESSION zstd";
  if (!identity_sequence.empty()) {
    text += " DEFAULT nextval('" + identity_sequence + "')";
  } else if (!column.default_text.empty()) {
    sql::SqlResult<sql::ExpressionPtr> parsed = sql::parse_expression(column.default_text);
    if (!parsed) return std::unexpected(from_sql(std::move(parsed).error()));
    sql::SqlResult<std::string> expression =
        sql::translate_default(**parsed, column.type, session.translate_context());
    if (!expression) return std::unexpected(from_sql(std::move(expression).error()));
    text += " DEFAULT (" + *expression + ")";
  }
  if (with_not_null && column.not_null) text += " NOT NULL";
  return text;
}

SqlStatus apply_attributes(Relation& relation, const sql::TableAttributes& attributes) {
  const bool key_style = attributes.distribution == sql::DistributionStyle::kKey;
  if (key_style && attributes.distribution_key.empty()) {
    return engine::fail_sql("42P16", "DISTSTYLE KEY needs a DISTKEY");
  }
  if (!attributes.distribution_key.empty()) {
    if (attributes.distribution != sql::DistributionStyle::kUnset && !key_style) {
      return engine::fail_sql("42P16", "DISTKEY needs DISTSTYLE KEY");
    }
    catalog::Column* key = find_column(relation, attributes.distribution_key);
    if (key == nullptr) return no_column(attributes.distribution_key, relation);
    if (!can_be_key(key->type)) {
      return engine::fail_sql(
          "42804", "column \"" + key->name + "\" has a type that cannot be a distribution key");
    }
    for (catalog::Column& column : relation.columns) column.distribution_key = false;
    key->distribution_key = true;
    relation.distribution = catalog::DistributionStyle::kKey;
  } else if (attributes.distribution != sql::DistributionStyle::kUnset) {
    for (catalog::Column& column : relation.columns) column.distribution_key = false;
    relation.distribution = attributes.distribution == sql::DistributionStyle::kEven
                                ? catalog::DistributionStyle::kEven
                            : attributes.distribution == sql::DistributionStyle::kAll
                                ? catalog::DistributionStyle::kAll
                                : catalog::DistributionStyle::kAutoAll;
  }
  const bool no_sort =
      attributes.sort == sql::SortStyle::kNone || attributes.sort == sql::SortStyle::kAuto;
  if (attributes.sort_keys.empty() && !no_sort) return {};
  for (catalog::Column& column : relation.columns) column.sort_key = 0;
  relation.sort_automatic = attributes.sort == sql::SortStyle::kAuto;
  const bool interleaved = attributes.sort == sql::SortStyle::kInterleaved;
  if (attributes.sort_keys.size() > (interleaved ? 8U : 400U)) {
    return engine::fail_sql(
        "54011", fmt::format("a sort key can have at most {} columns", interleaved ? 8 : 400));
  }
  std::int32_t ordinal = 0;
  for (const std::string& name : attributes.sort_keys) {
    catalog::Column* column = find_column(relation, name);
    if (column == nullptr) return no_column(name, relation);
    if (!can_be_key(column->type)) {
      return engine::fail_sql("42804",
                              "column \"" + name + "\" has a type that cannot be a sort key");
    }
    ++ordinal;
    column->sort_key = interleaved && ordinal % 2 == 0 ? -ordinal : ordinal;
  }
  return {};
}

void choose_encodings(Relation& relation) {
  for (catalog::Column& column : relation.columns) {
    column.encoding =
        catalog::default_encoding(column.type, column.sort_key != 0, relation.temporary);
  }
}

namespace {

/// True when `written` means `relation`, which the catalog has not got yet where it is being made.
bool names_itself(const SessionState& session, const Relation& relation,
                  const sql::QualifiedName& written) {
  const sql::QualifiedName name = session.at_home(written);
  if (name.name() != relation.name || !name.database().empty()) return false;
  if (!name.schema().empty()) return name.schema() == relation.schema_name;
  if (relation.temporary) return true;
  if (session.catalog.temporary(relation.name) != nullptr) return false;
  for (const std::string& schema : session.resolved_search_path()) {
    if (schema == relation.schema_name) return true;
    if (session.catalog.relation(schema, relation.name) != nullptr) return false;
  }
  return false;
}

/// Lets a foreign key refer to `columns` of `target`; to its primary key when there are none.
SqlStatus refer_to(const Relation& target, const std::vector<std::string>& columns,
                   catalog::Constraint& key) {
  key.references = target.oid;
  for (const std::string& name : columns) {
    const catalog::Column* column = target.find_column(name);
    if (column == nullptr) return no_column(name, target);
    key.references_columns.push_back(column->number);
  }
  if (!columns.empty()) return {};
  for (const catalog::Constraint& each : target.constraints) {
    if (each.kind == catalog::ConstraintKind::kPrimaryKey) key.references_columns = each.columns;
  }
  if (!key.references_columns.empty()) return {};
  return engine::fail_sql("42704",
                          "there is no primary key for referenced table \"" + target.name + "\"");
}

}  // namespace

SqlStatus add_constraint(SessionState& session, Relation& relation,
                         const sql::TableConstraint& written) {
  catalog::Constraint constraint;
  constraint.oid = session.catalog.catalog().new_oid();
  const char* suffix = "_fkey";
  if (written.kind != sql::ConstraintKind::kForeignKey) {
    constraint.index_oid = session.catalog.catalog().new_oid();
    const bool primary = written.kind == sql::ConstraintKind::kPrimaryKey;
    constraint.kind =
        primary ? catalog::ConstraintKind::kPrimaryKey : catalog::ConstraintKind::kUnique;
    suffix = primary ? "_pkey" : "_key";
    for (const catalog::Constraint& each : relation.constraints) {
      if (primary && each.kind == catalog::ConstraintKind::kPrimaryKey) {
        return engine::fail_sql(
            "42P16", "multiple primary keys for table \"" + relation.name + "\" are not allowed");
      }
    }
  } else {
    constraint.kind = catalog::ConstraintKind::kForeignKey;
  }
  for (const std::string& name : written.columns) {
    catalog::Column* column = find_column(relation, name);
    if (column == nullptr)
      return engine::fail_sql("42703", "column \"" + name + "\" named in key does not exist");
    // The engine's table gets NOT NULL from the same columns when it is made.
    if (constraint.kind == catalog::ConstraintKind::kPrimaryKey) {
      const bool exists = session.catalog.relation(relation.oid) != nullptr;
      if (exists && !column->not_null) {
        return engine::fail_sql(
            "42P16", "column \"" + name + "\" must be NOT NULL to be part of a primary key");
      }
      column->not_null = true;
    }
    constraint.columns.push_back(column->number);
  }
  if (written.kind == sql::ConstraintKind::kForeignKey) {
    if (names_itself(session, relation, written.references.table)) {
      LEAT_TRY(refer_to(relation, written.references.columns, constraint));
    } else {
      LEAT_ASSIGN(const RelationPointer target, session.find_relation(written.references.table));
      LEAT_TRY(session.require(*target, catalog::kReferences));
      LEAT_TRY(refer_to(*target, written.references.columns, constraint));
    }
  }
  constraint.name = written.name;
  if (constraint.name.empty()) {
    constraint.name = relation.name;
    if (constraint.kind != catalog::ConstraintKind::kPrimaryKey)
      constraint.name += "_" + written.columns.front();
    constraint.name += suffix;
  }
  for (const catalog::Constraint& each : relation.constraints) {
    if (each.name == constraint.name) {
      return engine::fail_sql(
          "42710", fmt::format("constraint \"{}\" for relation \"{}\" already exists", each.name,
                               relation.name));
    }
  }
  relation.constraints.push_back(std::move(constraint));
  return {};
}

SqlStatus SessionState::run_alter_table(Running& running,
                                        const sql::AlterTableStatement& statement) {
  // What may not run in a block of the client's gets one of its own, or nobody would commit it.
  if (block == Block::kNone) start_block(Block::kImplicit, false);
  LEAT_ASSIGN(const RelationPointer found, find_relation(statement.table));
  const bool table = found->kind == catalog::RelationKind::kTable;
  // APPEND is a matter of rows, and stands alone.
  if (statement.actions.front().kind != sql::AlterTableKind::kAppend) {
    LEAT_TRY(require_owner(*found, catalog::kAlter, table ? "alter table" : ""));
  } else if (!has_system_privilege("alter table")) {
    LEAT_TRY(require(*found, catalog::kInsert));
  }
  if (!found->temporary) {
    LEAT_TRY(lock_table(found->schema_name, found->name));
    tables_used.writes.insert(found->oid);
  }
  const RelationPointer still = catalog.relation(found->oid);
  if (still == nullptr) {
    return engine::fail_sql("42P01",
                            "relation \"" + statement.table.to_string() + "\" does not exist");
  }
  Relation relation = *still;
  for (const sql::AlterTableAction& action : statement.actions) {
    if (relation.kind != catalog::RelationKind::kTable &&
        action.kind != sql::AlterTableKind::kRenameTable &&
        action.kind != sql::AlterTableKind::kOwner) {
      return engine::fail_sql("42809", "\"" + relation.name + "\" is not a table");
    }
    LEAT_TRY(alter_one(*this, running, relation, action));
  }
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  LEAT_TRY(note_defaults(*this, relation));
  LEAT_TRY(catalog.put(relation));
  const bool retyped = std::ranges::any_of(statement.actions, [](const auto& action) {
    return action.kind == sql::AlterTableKind::kColumnType;
  });
  return retyped ? retype_views(*this, relation) : SqlStatus{};
}

}  // namespace leat::session
