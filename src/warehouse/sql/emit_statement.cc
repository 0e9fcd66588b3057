// Changes of rows and of the catalog, as DuckDB statements.
#include <algorithm>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

constexpr std::string_view kManyMatches = "21000: Found multiple matches to update the same tuple.";

}  // namespace

const RelationColumn* Emitter::target_column(const Relation* relation, const QualifiedName& table,
                                             const std::string& name, SourceSpan span) const {
  if (relation == nullptr) return nullptr;
  for (const RelationColumn& column : relation->columns) {
    if (column.name == name) return &column;
  }
  fail("42703",
       "column \"" + name + "\" of relation \"" + std::string(table.name()) + "\" does not exist",
       span);
}

void Emitter::target_relation(const QualifiedName& name, const std::string& alias) {
  const Relation* relation = look_up(name);
  relation_name(name, relation);
  reads_table_ = true;
  ScopeTable entry;
  entry.alias = alias.empty() ? std::string(name.name()) : alias;
  entry.emitted_alias = entry.alias;
  if (relation != nullptr) {
    entry.columns_known = true;
    for (const RelationColumn& column : relation->columns) {
      entry.columns.push_back({column.name, inferred_of(*relation, column)});
      collations_ = collations_ || column.insensitive;
    }
  }
  write(" AS ");
  identifier(entry.alias);
  scopes_.back().tables.push_back(std::move(entry));
}

/// What storing a value in a typed column does: check the length, cut blanks.
std::string Emitter::assigned_text(const std::string& value, const RelationColumn& column) const {
  const TypeName& type = column.type;
  if (type.kind == TypeKind::kDecimal && type.precision == 19) {
    return narrowed("CAST(" + value + " AS " + duckdb_type(type) + ")", type);
  }
  if (type.kind == TypeKind::kTimeTz) return zoned_time(value);
  if (type.kind == TypeKind::kHllSketch) return "leat_hll_sketch(CAST(" + value + " AS VARCHAR))";
  if (type.kind == TypeKind::kIntervalYearToMonth || type.kind == TypeKind::kIntervalDayToSecond) {
    return context_.function_schema +
           (type.kind == TypeKind::kIntervalYearToMonth ? ".interval_months(CAST("
                                                        : ".interval_days(CAST(") +
           value + " AS INTERVAL))";
  }
  const char* check = nullptr;
  if (type.kind == TypeKind::kVarchar) check = "leat_fit_varchar";
  if (type.kind == TypeKind::kChar) check = "leat_fit_char";
  if (type.kind == TypeKind::kVarbyte) check = "leat_fit_varbyte";
  if (check == nullptr || type.length <= 0) return value;
  const bool noted = type.kind == TypeKind::kVarchar && column.blank_key != 0;
  return std::string(check) + "(CAST(" + value + " AS " + duckdb_type(type) + "), " +
         std::to_string(type.length) + (noted ? ", " + std::to_string(column.blank_key) : "") + ")";
}

void Emitter::assigned(const Expression& value, const RelationColumn* column) {
  if (value.kind == ExpressionKind::kDefault || value.kind == ExpressionKind::kNull ||
      column == nullptr) {
    return expression(value);
  }
  const TypeKind kind = column->type.kind;
  if (kind == TypeKind::kHllSketch) return assigned_sketch(value, *column);
  // It takes the column's type.
  if (kind == TypeKind::kTimeTz && value.kind == ExpressionKind::kParameter)
    return expression(value);
  // The column's own precision, not one in between.
  if (kind == TypeKind::kDecimal && is_decimal_parameter(value))
    return write("$" + std::to_string(value.number));
  const bool moment_type = kind == TypeKind::kDate || kind == TypeKind::kTimestamp ||
                           kind == TypeKind::kTimestampTz || kind == TypeKind::kTime ||
                           kind == TypeKind::kTimeTz || kind == TypeKind::kBoolean;
  if (value.kind == ExpressionKind::kString &&
      (kind == TypeKind::kIntervalYearToMonth || kind == TypeKind::kIntervalDayToSecond)) {
    return write(assigned_text(
        captured([&] { typed_literal(column->type, value.text, value.span); }), *column));
  }
  if (value.kind == ExpressionKind::kString && moment_type)
    return literal_cast(value, column->type);
  // A literal that fits needs no check at run time.
  const bool noted = column->blank_key != 0 && value.text.ends_with(' ');
  if (value.kind == ExpressionKind::kString && kind == TypeKind::kVarchar && !noted &&
      column->type.length >= 0 &&
      value.text.size() <= static_cast<std::size_t>(column->type.length)) {
    return expression(value);
  }
  write(assigned_text(text_of(value), *column));
}

std::vector<const RelationColumn*> Emitter::insert_targets(const InsertStatement& node,
                                                           const Relation* relation) const {
  std::vector<const RelationColumn*> targets;
  if (relation == nullptr) return targets;
  if (node.columns.empty()) {
    for (const RelationColumn& column : relation->columns) {
      if (!column.identity) targets.push_back(&column);
    }
  }
  for (const std::string& name : node.columns) {
    const RelationColumn* found = target_column(relation, node.table, name, node.table.span);
    if (found->identity) fail("0A000", "cannot set an identity column to a value", node.table.span);
    targets.push_back(found);
  }
  return targets;
}

std::string Emitter::insert(const InsertStatement& node) {
  const std::size_t common_tables = common_tables_.size();
  const Relation* relation = look_up(node.table);
  const std::vector<const RelationColumn*> targets = insert_targets(node, relation);
  with(node.with, node.recursive);
  write("INSERT INTO ");
  relation_name(node.table, relation);
  if (!node.query) {
    write(" DEFAULT VALUES");
    common_tables_.resize(common_tables);
    return take();
  }
  const Query& rows = *node.query;
  const bool values =
      rows.kind == QueryKind::kValues && rows.with.empty() && rows.order_by.empty() && !rows.limit;
  std::size_t width = targets.size();
  if (values && node.columns.empty() && relation != nullptr) {
    for (const auto& row : rows.values) width = std::min(width, row.size());
    if (!rows.values.empty() && rows.values[0].size() > targets.size()) {
      fail("42601", "INSERT has more expressions than target columns", rows.span);
    }
  }
  // Fewer values than columns without a list is allowed: the rest takes its default. DuckDB wants
  // the list; and where an identity column is left out.
  if (!node.columns.empty()) {
    write(" (");
    identifiers(node.columns);
    write(")");
  } else if (relation != nullptr && (targets.size() < relation->columns.size() ||
                                     (values && width < relation->columns.size()))) {
    write(" (");
    for (std::size_t i = 0; i < width; ++i) {
      if (i > 0) write(", ");
      identifier(targets[i]->name);
    }
    write(")");
  }
  write(" ");
  if (values) {
    insert_values(rows, targets);
  } else {
    insert_query(rows, targets, node.columns.empty());
  }
  common_tables_.resize(common_tables);
  return take();
}

void Emitter::insert_values(const Query& rows, const std::vector<const RelationColumn*>& targets) {
  write("VALUES ");
  for (std::size_t r = 0; r < rows.values.size(); ++r) {
    write(r > 0 ? ", (" : "(");
    for (std::size_t c = 0; c < rows.values[r].size(); ++c) {
      if (c > 0) write(", ");
      const std::size_t queries = queries_;
      assigned(*rows.values[r][c], c < targets.size() ? targets[c] : nullptr);
      if (queries != queries_ && rows.values.size() > 1) {
        unsupported("a subquery in VALUES of several rows (INSERT ... SELECT takes it)",
                    rows.values[r][c]->span);
      }
    }
    write(")");
  }
}

void Emitter::insert_query(const Query& rows, const std::vector<const RelationColumn*>& targets,
                           bool all_columns) {
  const std::string source = captured([&] { query(rows); });
  const std::size_t source_width = last_columns_.size();
  const std::size_t columns = source_width > 0 && source_width < targets.size() && all_columns
                                  ? source_width
                                  : targets.size();
  checked_rows(source, {targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(columns)});
}

void Emitter::checked_rows(const std::string& source,
                           const std::vector<const RelationColumn*>& targets) {
  const std::size_t columns = targets.size();
  const auto value_of = [&](std::size_t i) {
    return assigned_text("\"c" + std::to_string(i + 1) + "\"", *targets[i]);
  };
  bool check = false;
  for (std::size_t i = 0; i < columns; ++i) check = check || !value_of(i).starts_with('"');
  if (!check) return write(source);
  write("SELECT ");
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) write(", ");
    write(value_of(i));
  }
  write(" FROM (" + source + ") AS \"source\"(");
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) write(", ");
    write("\"c" + std::to_string(i + 1) + "\"");
  }
  write(")");
}

namespace {

/// True when a column is named with that table, or a subquery could name it.
bool may_name(const Expression& node, std::string_view table) {
  if (node.query != nullptr) return true;
  if (node.kind == ExpressionKind::kColumn && node.names.size() > 1 &&
      node.names[node.names.size() - 2] == table) {
    return true;
  }
  return std::ranges::any_of(node.children,
                             [&](const ExpressionPtr& child) { return may_name(*child, table); });
}

bool may_name(const TableReference& node, std::string_view table) {
  if (node.kind == TableKind::kSubquery) return node.lateral;
  if (node.kind != TableKind::kJoin) return false;
  return (node.on != nullptr && may_name(*node.on, table)) || may_name(*node.left, table) ||
         may_name(*node.right, table);
}

/// True when an outer join may leave that one out.
bool is_optional(const TableReference& node, std::string_view alias, bool optional = false) {
  if (node.kind != TableKind::kJoin) return optional && node.alias == alias;
  const JoinType type = node.join_type;
  const bool left = type == JoinType::kRight || type == JoinType::kFull;
  const bool right = type == JoinType::kLeft || type == JoinType::kFull;
  return is_optional(*node.left, alias, optional || left) ||
         is_optional(*node.right, alias, optional || right);
}

/// True for a value that is not the same for all rows.
bool reads_row(const Expression& node) {
  return node.query != nullptr || node.kind == ExpressionKind::kColumn ||
         node.kind == ExpressionKind::kFunction ||
         std::ranges::any_of(node.children,
                             [](const ExpressionPtr& child) { return reads_row(*child); });
}

}  // namespace

std::string Emitter::joined_target(const Relation* relation, const std::vector<TablePtr>& from,
                                   const Expression* where) const {
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  const std::string& target = tables[0].alias;
  const ScopeTable* again = nullptr;
  for (std::size_t i = 1; i < tables.size(); ++i) {
    if (relation == nullptr || tables[i].relation != relation) continue;
    if (again != nullptr) return {};
    again = &tables[i];
  }
  const bool named =
      (where != nullptr && may_name(*where, target)) ||
      std::ranges::any_of(from, [&](const TablePtr& table) { return may_name(*table, target); });
  if (again == nullptr || named || again->alias == target) return {};
  const bool optional = std::ranges::any_of(
      from, [&](const TablePtr& table) { return is_optional(*table, again->alias); });
  if (optional) fail("0A000", "Target table must be part of an equijoin predicate", from[0]->span);
  return quote_identifier(tables[0].emitted_alias) +
         ".rowid = " + quote_identifier(again->emitted_alias) + ".rowid";
}

void Emitter::where_joined(const std::string& join, const Expression* where) {
  if (join.empty() && where == nullptr) return;
  write(" WHERE " + join);
  if (where == nullptr) return;
  if (!join.empty()) write(" AND (");
  require_condition(*where, "WHERE");
  expression(*where);
  if (!join.empty()) write(")");
}

/// A row that several rows of FROM match is changed by one of them: they are told apart before, as
/// the engine would change it once for each.
std::string Emitter::update(const UpdateStatement& node) {
  const std::size_t common_tables = common_tables_.size();
  scopes_.emplace_back();
  with(node.with, node.recursive);
  write("UPDATE ");
  const std::string target = captured([&] { target_relation(node.table, node.alias); });
  write(target);
  const Relation* relation = look_up(node.table);
  const bool joins = !node.from.empty();
  const std::string from_text = captured([&] { from(node.from); });
  std::string values;
  write(" SET ");
  for (std::size_t i = 0; i < node.assignments.size(); ++i) {
    const Assignment& assignment = node.assignments[i];
    const RelationColumn* column =
        target_column(relation, node.table, assignment.column, assignment.span);
    const std::string value = captured([&] { assigned(*assignment.value, column); });
    write((i > 0 ? ", " : "") + quote_identifier(assignment.column) + " = ");
    if (joins && reads_row(*assignment.value)) {
      const std::string name = "\"c" + std::to_string(i + 1) + "\"";
      values += ", " + value + " AS " + name;
      write("\"matched\"." + name);
    } else {
      write(value);
    }
  }
  const std::string row = quote_identifier(scopes_.back().tables[0].emitted_alias) + ".rowid";
  if (joins && context_.one_match) {
    values += ", CASE WHEN count(*) OVER (PARTITION BY " + row +
              ") = 1 THEN true ELSE CAST(error('" + std::string(kManyMatches) +
              "') AS BOOLEAN) END AS \"one\"";
  }
  if (joins) {
    write(" FROM (SELECT DISTINCT ON (" + row + ") " + row + " AS \"row\"" + values + " FROM " +
          target + ", " + from_text);
  }
  where_joined(joined_target(relation, node.from, node.where.get()), node.where.get());
  if (joins) write(") AS \"matched\" WHERE " + row + " = \"matched\".\"row\"");
  if (joins && context_.one_match) write(" AND \"matched\".\"one\"");
  scopes_.pop_back();
  common_tables_.resize(common_tables);
  return take();
}

std::string Emitter::delete_rows(const DeleteStatement& node) {
  const std::size_t common_tables = common_tables_.size();
  scopes_.emplace_back();
  with(node.with, node.recursive);
  write("DELETE FROM ");
  target_relation(node.table, node.alias);
  if (!node.using_tables.empty()) {
    write(" USING ");
    from(node.using_tables);
  }
  where_joined({}, node.where.get());
  scopes_.pop_back();
  common_tables_.resize(common_tables);
  return take();
}

/// The target's rows that match give way to the source's rows.
std::vector<std::string> Emitter::merge_removing_duplicates(const MergeStatement& node) {
  scopes_.emplace_back();
  const Relation* relation = look_up(node.target);
  const std::string target = captured([&] { target_relation(node.target, {}); });
  merge_target_ = relation;
  const std::string source = captured([&] { table(*node.source); });
  merge_target_ = nullptr;
  const std::string condition = text_of(*node.on);
  scopes_.pop_back();
  if (relation == nullptr)
    unsupported("MERGE ... REMOVE DUPLICATES into a table that is not known", node.target.span);
  std::vector<const RelationColumn*> targets;
  std::string columns;
  std::string nulls;
  for (const RelationColumn& column : relation->columns) {
    targets.push_back(&column);
    const std::string name = "\"c" + std::to_string(targets.size()) + "\"";
    columns += ", " + name;
    nulls += ", NULL";
  }
  const std::string row = quote_identifier(node.target.name()) + ".rowid";
  const std::string rows = captured([&] { checked_rows("SELECT * FROM " + source, targets); });
  // One statement, so that it may have parameters: a row without a number is a new one.
  write("MERGE INTO " + target + " USING (SELECT DISTINCT " + row + nulls + " FROM " + target +
        ", " + source + " WHERE (" + condition + ") UNION ALL SELECT NULL, * FROM (" + rows +
        ") AS \"rows\") AS \"merged\"(\"row\"" + columns + ") ON (" + row +
        " = \"merged\".\"row\") WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (" +
        columns.substr(2) + ")");
  return {take()};
}

std::vector<std::string> Emitter::merge(const MergeStatement& node) {
  if (node.remove_duplicates) return merge_removing_duplicates(node);
  scopes_.emplace_back();
  const Relation* relation = look_up(node.target);
  const std::string target = captured([&] { target_relation(node.target, {}); });
  merge_target_ = relation;
  const std::string source = captured([&] { table(*node.source); });
  merge_target_ = nullptr;
  const std::string condition = text_of(*node.on);
  write("MERGE INTO " + target + " USING " + source + " ON (" + condition + ")");
  // The engine would take one of the matches. The query is asked once.
  write(" WHEN MATCHED AND (SELECT CAST(error('" + std::string(kManyMatches) +
        "') AS BOOLEAN) FROM (SELECT count(*) FROM " + target + " JOIN " + source + " ON (" +
        condition + ") GROUP BY " + quote_identifier(node.target.name()) +
        ".rowid HAVING count(*) > 1 LIMIT 1)) THEN DO NOTHING");
  if (node.matched_delete) {
    write(" WHEN MATCHED THEN DELETE");
  } else {
    write(" WHEN MATCHED THEN UPDATE SET ");
    for (std::size_t i = 0; i < node.matched_update.size(); ++i) {
      if (i > 0) write(", ");
      identifier(node.matched_update[i].column);
      write(" = ");
      const Assignment& assignment = node.matched_update[i];
      assigned(*assignment.value,
               target_column(relation, node.target, assignment.column, assignment.span));
    }
  }
  write(" WHEN NOT MATCHED THEN INSERT ");
  if (!node.insert_columns.empty()) {
    write("(");
    identifiers(node.insert_columns);
    write(") ");
  }
  write("VALUES (");
  for (std::size_t i = 0; i < node.insert_values.size(); ++i) {
    if (i > 0) write(", ");
    const RelationColumn* column = nullptr;
    if (i < node.insert_columns.size()) {
      column = target_column(relation, node.target, node.insert_columns[i], node.target.span);
    } else if (node.insert_columns.empty() && relation != nullptr && i < relation->columns.size()) {
      column = &relation->columns[i];
    }
    assigned(*node.insert_values[i], column);
  }
  write(")");
  scopes_.pop_back();
  return {take()};
}

std::vector<std::string> Emitter::statement(const Statement& node) {
  float_checks_ =
      get_if<InsertStatement>(node) != nullptr || get_if<UpdateStatement>(node) != nullptr ||
      get_if<DeleteStatement>(node) != nullptr || get_if<MergeStatement>(node) != nullptr;
  if (const auto* select_node = get_if<SelectStatement>(node)) {
    query(*select_node->query);
    return {take()};
  }
  if (const auto* insert_node = get_if<InsertStatement>(node)) return {insert(*insert_node)};
  if (const auto* update_node = get_if<UpdateStatement>(node)) return {update(*update_node)};
  if (const auto* delete_node = get_if<DeleteStatement>(node)) return {delete_rows(*delete_node)};
  if (const auto* merge_node = get_if<MergeStatement>(node)) return merge(*merge_node);
  if (const auto* table_node = get_if<CreateTableStatement>(node)) return create_table(*table_node);
  if (const auto* as_node = get_if<CreateTableAsStatement>(node))
    return {create_table_as(*as_node)};
  if (const auto* alter_node = get_if<AlterTableStatement>(node)) {
    std::vector<std::string> statements;
    for (const AlterTableAction& action : alter_node->actions) {
      std::string text = alter_table(alter_node->table, action);
      if (!text.empty()) statements.push_back(std::move(text));
    }
    return statements;
  }
  if (const auto* drop_node = get_if<DropStatement>(node)) return drop(*drop_node);
  if (const auto* truncate_node = get_if<TruncateStatement>(node)) {
    write("DELETE FROM ");
    relation_name(truncate_node->table, look_up(truncate_node->table));
    return {take()};
  }
  if (const auto* schema_node = get_if<CreateSchemaStatement>(node)) {
    write(schema_node->if_not_exists ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA ");
    identifier(schema_node->name);
    return {take()};
  }
  return view_statement(node);
}

}  // namespace leat::sql
