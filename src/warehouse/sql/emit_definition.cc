// CREATE, ALTER and DROP of tables and views. Keys, encodings and constraints stay in Leat's
// catalog: DuckDB would enforce what Redshift only records.
#include "warehouse/sql/emitter.h"

namespace leat::sql {

/// A value that is too long for its column is an error when it is stored, as in Redshift, not when
/// the table is made. DuckDB's own functions only: the engine reads this text back when it opens,
/// before any function of ours is there.
void Emitter::stored_default(const Expression& node, const TypeName& type) {
  const bool text = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
  if (!text || type.length <= 0 || node.kind == ExpressionKind::kNull) {
    if (type.kind == TypeKind::kHllSketch) return expression(node);
    if (node.kind == ExpressionKind::kString) return literal_cast(node, type);
    return expression(node);
  }
  const auto limit = static_cast<std::size_t>(type.length);
  const std::string too_long =
      "CAST(error('22001: value too long for type " + format_type(type) + "') AS VARCHAR)";
  if (node.kind == ExpressionKind::kString) {
    std::string value = node.text;
    const std::size_t end = value.find_last_not_of(' ');
    const std::size_t length = end == std::string::npos ? 0 : end + 1;
    if (length > limit) return write(too_long);
    if (type.kind == TypeKind::kChar || value.size() > limit) {
      value.resize(type.kind == TypeKind::kChar ? length : limit);
    }
    write("CAST(");
    string_literal(value);
    return write(" AS VARCHAR)");
  }
  std::string value = "CAST(" + text_of(node) + " AS VARCHAR)";
  if (type.kind == TypeKind::kChar) value = "rtrim(" + value + ", ' ')";
  write("CASE WHEN strlen(" + value + ") > " + std::to_string(limit) + " THEN " + too_long +
        " ELSE " + value + " END");
}

void Emitter::column_with_type(const ColumnDefinition& column, const std::string& sequence) {
  identifier(column.name);
  const TypeName type = column_type(column.type);
  write(" " + duckdb_type(type));
  if (!sequence.empty()) {
    write(" DEFAULT nextval(" + quote_literal(sequence) + ")");
  } else if (column.default_value) {
    write(" DEFAULT (");
    stored_default(*column.default_value, type);
    write(")");
  }
  if (column.not_null || column.primary_key || column.identity) write(" NOT NULL");
}

std::vector<std::string> Emitter::create_table(const CreateTableStatement& node) {
  std::vector<std::string> statements;
  const auto prefix = captured([&] {
    if (node.name.parts.size() > 1) {
      for (std::size_t i = 0; i + 1 < node.name.parts.size(); ++i) {
        identifier(node.name.parts[i]);
        write(".");
      }
    }
  });
  std::string body;
  std::vector<std::string> pieces;
  for (const LikeClause& like : node.likes) {
    const Relation* relation = look_up(like.table);
    if (relation == nullptr)
      unsupported("LIKE of a table the catalog does not know", like.table.span);
    for (const RelationColumn& column : relation->columns) {
      pieces.push_back(quote_identifier(column.name) + " " + duckdb_type(column.type) +
                       (column.not_null ? " NOT NULL" : ""));
    }
  }
  for (const ColumnDefinition& column : node.columns) {
    std::string sequence;
    if (column.identity) {
      const std::string name = std::string(node.name.name()) + "_" + column.name + "_seq";
      sequence = prefix + quote_identifier(name);
      statements.push_back(
          "CREATE " + std::string(node.temporary ? "TEMP " : "") + "SEQUENCE IF NOT EXISTS " +
          sequence + " START WITH " + std::to_string(column.identity->seed) + " INCREMENT BY " +
          std::to_string(column.identity->step) +
          (column.identity->step < 0
               ? " MINVALUE -9223372036854775807 MAXVALUE " +
                     std::to_string(std::max<std::int64_t>(column.identity->seed, -1))
           : column.identity->seed < 1 ? " MINVALUE " + std::to_string(column.identity->seed)
                                       : ""));
    }
    bool key = column.primary_key;
    for (const TableConstraint& constraint : node.constraints) {
      if (constraint.kind != ConstraintKind::kPrimaryKey) continue;
      for (const std::string& name : constraint.columns) key = key || name == column.name;
    }
    std::string piece = captured([&] { column_with_type(column, sequence); });
    if (key && !piece.ends_with(" NOT NULL")) piece += " NOT NULL";
    pieces.push_back(std::move(piece));
  }
  for (const std::string& piece : pieces) body += (body.empty() ? "" : ", ") + piece;
  write(node.temporary ? "CREATE TEMP TABLE " : "CREATE TABLE ");
  if (node.if_not_exists) write("IF NOT EXISTS ");
  write(prefix);
  identifier(node.name.name());
  write(" (" + body + ")");
  statements.push_back(take());
  return statements;
}

std::string Emitter::create_table_as(const CreateTableAsStatement& node) {
  write(node.temporary ? "CREATE TEMP TABLE " : "CREATE TABLE ");
  if (node.if_not_exists) write("IF NOT EXISTS ");
  for (std::size_t i = 0; i < node.name.parts.size(); ++i) {
    if (i > 0) write(".");
    identifier(node.name.parts[i]);
  }
  if (!node.columns.empty()) {
    write("(");
    identifiers(node.columns);
    write(")");
  }
  write(" AS ");
  query(*node.query);
  return take();
}

/// Empty for what only the catalog keeps.
std::string Emitter::alter_table(const QualifiedName& table, const AlterTableAction& action) {
  const Relation* relation = look_up(table);
  const bool view = relation != nullptr && relation->kind == RelationKind::kView;
  const auto head = [&] {
    write(view ? "ALTER VIEW " : "ALTER TABLE ");
    relation_name(table, relation);
  };
  switch (action.kind) {
    case AlterTableKind::kAddColumn: {
      head();
      write(" ADD COLUMN ");
      const ColumnDefinition& column = *action.column;
      identifier(column.name);
      write(" " + duckdb_type(column_type(column.type)));
      if (column.default_value) {
        write(" DEFAULT (");
        stored_default(*column.default_value, column_type(column.type));
        write(")");
      }
      return take();
    }
    case AlterTableKind::kDropColumn:
      head();
      write(" DROP COLUMN ");
      identifier(action.name);
      if (action.cascade) write(" CASCADE");
      return take();
    case AlterTableKind::kRenameTable:
      head();
      write(" RENAME TO ");
      identifier(action.new_name);
      return take();
    case AlterTableKind::kRenameColumn:
      head();
      write(" RENAME COLUMN ");
      identifier(action.name);
      write(" TO ");
      identifier(action.new_name);
      return take();
    case AlterTableKind::kAppend:
      unsupported("ALTER TABLE APPEND", table.span);
    case AlterTableKind::kColumnType:
    case AlterTableKind::kOwner:
    case AlterTableKind::kAddConstraint:
    case AlterTableKind::kDropConstraint:
    case AlterTableKind::kColumnEncoding:
    case AlterTableKind::kDistribution:
    case AlterTableKind::kSortKey:
    case AlterTableKind::kEncodeAuto:
    case AlterTableKind::kRowLevelSecurity:
      return {};
  }
  return {};
}

std::vector<std::string> Emitter::drop(const DropStatement& node) {
  std::string_view what;
  if (node.kind == ObjectKind::kTable || node.kind == ObjectKind::kMaterializedView)
    what = "DROP TABLE ";
  if (node.kind == ObjectKind::kView) what = "DROP VIEW ";
  if (node.kind == ObjectKind::kSchema) what = "DROP SCHEMA ";
  std::vector<std::string> statements;
  if (what.empty()) return statements;
  for (const QualifiedName& name : node.names) {
    write(what);
    if (node.if_exists) write("IF EXISTS ");
    if (node.kind == ObjectKind::kSchema) {
      relation_name(name, nullptr);
    } else if (node.if_exists) {
      const auto found = context_.relations == nullptr
                             ? nullptr
                             : context_.relations->find(name).value_or(nullptr);
      relation_name(name, found);
    } else {
      relation_name(name, look_up(name));
    }
    if (node.cascade) write(" CASCADE");
    statements.push_back(take());
  }
  return statements;
}

std::vector<std::string> Emitter::view_statement(const Statement& node) {
  if (const auto* view = get_if<CreateViewStatement>(node)) {
    write(view->or_replace ? "CREATE OR REPLACE VIEW " : "CREATE VIEW ");
    for (std::size_t i = 0; i < view->name.parts.size(); ++i) {
      if (i > 0) write(".");
      identifier(view->name.parts[i]);
    }
    if (!view->columns.empty()) {
      write("(");
      identifiers(view->columns);
      write(")");
    }
    write(" AS ");
    query(*view->query);
    return {take()};
  }
  if (const auto* view = get_if<CreateMaterializedViewStatement>(node)) {
    write("CREATE TABLE ");
    for (std::size_t i = 0; i < view->name.parts.size(); ++i) {
      if (i > 0) write(".");
      identifier(view->name.parts[i]);
    }
    write(" AS ");
    query(*view->query);
    return {take()};
  }
  if (const auto* cursor = get_if<DeclareCursorStatement>(node)) {
    query(*cursor->query);
    return {take()};
  }
  if (const auto* unload = get_if<UnloadStatement>(node)) {
    query(*unload->query);
    return {take()};
  }
  if (const auto* explain = get_if<ExplainStatement>(node)) {
    std::vector<std::string> inner = statement(*explain->statement);
    if (inner.empty()) return {};
    inner.back().insert(0, explain->analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ");
    return {std::move(inner.back())};
  }
  if (const auto* prepare = get_if<PrepareStatement>(node)) return statement(*prepare->statement);
  if (const auto* call = get_if<CallStatement>(node)) {
    unsupported("stored procedure " + call->procedure.to_string() + ": CALL", call->procedure.span);
  }
  return {};
}

}  // namespace leat::sql
