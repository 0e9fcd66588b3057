// FROM: relations under the names columns use, joins, unnesting of SUPER arrays, PIVOT and UNPIVOT.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/sql/emitter.h"
#include "warehouse/sql/join_text.h"

namespace leat::sql {
namespace {

std::vector<ScopeColumn> scope_columns(const Relation& relation) {
  std::vector<ScopeColumn> columns;
  columns.reserve(relation.columns.size());
  for (const RelationColumn& column : relation.columns) {
    if (!column.readable) continue;
    columns.push_back({.name = column.name,
                       .type = inferred_of(relation, column),
                       .relation = &relation,
                       .origin = &column});
  }
  return columns;
}

/// The names of the columns in an expression.
void column_names(const Expression& node, std::vector<std::string>& names) {
  if (node.kind == ExpressionKind::kColumn) names.push_back(node.names.back());
  for (const ExpressionPtr& child : node.children) column_names(*child, names);
  if (!node.call) return;
  for (const OrderItem& item : node.call->within_group) column_names(*item.value, names);
}

std::size_t count_tables(const TableReference& node) {
  if (node.kind != TableKind::kJoin) return 1;
  return count_tables(*node.left) + count_tables(*node.right);
}

}  // namespace

void Emitter::from(const std::vector<TablePtr>& tables) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i > 0 && continues_table(*tables[i])) continue;
    if (i > 0) write(", ");
    table(*tables[i]);
  }
}

void Emitter::table(const TableReference& node) {
  if (&node == continued_) return;
  const bool hosts = std::exchange(hosts_, hosts_ && node.kind == TableKind::kJoin);
  const std::size_t begin = out_.size();
  const std::size_t tables = scopes_.back().tables.size();
  one_table(node);
  hosts_ = hosts;
  const bool host = hosts && !node.lateral &&
                    (node.kind == TableKind::kName || node.kind == TableKind::kSubquery);
  if (!host || scopes_.back().tables.size() != tables + 1) return;
  ScopeTable& written = scopes_.back().tables.back();
  if (written.element) return;
  written.begin = begin;
  written.end = out_.size();
}

void Emitter::one_table(const TableReference& node) {
  switch (node.kind) {
    case TableKind::kName:
      return named_table(node);
    case TableKind::kSubquery: {
      if (node.lateral) write("LATERAL ");
      const std::string source = captured([&] {
        write("(");
        query(*node.query);
        write(")");
      });
      ScopeTable entry;
      entry.alias = node.alias;
      entry.columns = std::move(last_columns_);
      write(cut_source(node, source, entry.columns));
      entry.columns_known = !entry.columns.empty();
      for (std::size_t i = 0; i < node.column_aliases.size() && i < entry.columns.size(); ++i) {
        entry.columns[i].name = node.column_aliases[i];
      }
      return alias_of(node, add_scope_table(std::move(entry)));
    }
    case TableKind::kFunction:
      return table_function(node);
    case TableKind::kJoin:
      return join(node);
    case TableKind::kPivot:
      return pivot(node);
    case TableKind::kUnpivot:
      return unpivot(node);
    case TableKind::kSuperUnpivot:
      return super_unpivot(node);
  }
}

/// Registers the table in the innermost scope; two tables of one name get different aliases.
std::string Emitter::add_scope_table(ScopeTable entry) {
  Scope& scope = scopes_.back();
  entry.emitted_alias = entry.alias;
  if (!entry.schema.empty()) {
    std::size_t same = 0;
    for (const ScopeTable& table : scope.tables) same += table.alias == entry.alias ? 1 : 0;
    if (same > 0) entry.emitted_alias += "__" + std::to_string(same + 1);
  }
  std::string alias = entry.emitted_alias;
  collations_ = collations_ || std::ranges::any_of(entry.columns, [&](const ScopeColumn& column) {
                  return is_insensitive(column.type);
                });
  scope.tables.push_back(std::move(entry));
  return alias;
}

void Emitter::alias_of(const TableReference& node, const std::string& alias) {
  if (!alias.empty()) {
    write(" AS ");
    identifier(alias);
  }
  if (node.column_aliases.empty()) return;
  write("(");
  identifiers(node.column_aliases);
  write(")");
}

bool Emitter::is_common_table(const QualifiedName& name) const {
  return common_table_columns(name) != nullptr;
}

const std::vector<ScopeColumn>* Emitter::common_table_columns(const QualifiedName& name) const {
  if (name.parts.size() != 1) return nullptr;
  for (auto table = common_tables_.rbegin(); table != common_tables_.rend(); ++table) {
    if (table->name != name.name()) continue;
    table->read = true;
    return &table->columns;
  }
  return nullptr;
}

const Relation* Emitter::look_up(const QualifiedName& name) const {
  if (context_.relations == nullptr) return nullptr;
  SqlResult<const Relation*> found = context_.relations->find(name);
  if (found) return *found;
  SqlError error = std::move(found).error();
  if (error.position == 0) error.position = name.span.begin + 1;
  throw TranslateFailure{std::move(error)};
}

void Emitter::relation_name(const QualifiedName& name, const Relation* relation) {
  if (relation != nullptr && !relation->duckdb_name.empty()) return write(relation->duckdb_name);
  if (is_system_relation(name)) {
    write(context_.system_schema);
    write(".");
    return identifier(name.schema() == "information_schema"
                          ? "information_schema_" + std::string(name.name())
                          : std::string(name.name()));
  }
  for (std::size_t i = 0; i < name.parts.size(); ++i) {
    if (i > 0) write(".");
    identifier(name.parts[i]);
  }
}

void Emitter::readable_relation(const TableReference& node, const Relation* relation,
                                ScopeTable& entry) {
  const bool restricted =
      relation != nullptr && !std::ranges::all_of(relation->columns, &RelationColumn::readable);
  if (!restricted) return relation_name(node.name, relation);
  std::vector<std::string> names;
  for (const RelationColumn& column : relation->columns) {
    if (column.readable) names.push_back(column.name);
  }
  if (names.empty()) fail("42501", "permission denied for relation " + relation->name, node.span);
  entry.restricted = relation;
  write("(SELECT ");
  identifiers(names);
  write(" FROM ");
  relation_name(node.name, relation);
  write(")");
}

void Emitter::check_readable(const Expression& node) const {
  const bool star = node.kind == ExpressionKind::kStar;
  const std::size_t qualifiers = node.names.size() - (star ? 0 : 1);
  for (const Scope& scope : scopes_) {
    for (const ScopeTable& table : scope.tables) {
      if (table.restricted == nullptr) continue;
      // Of a table * is what the user may read, as Redshift has it; a view shows all or nothing.
      if (star && table.restricted->kind == RelationKind::kTable) continue;
      if (qualifiers > 0 && table.alias != node.names[qualifiers - 1]) continue;
      for (const RelationColumn& column : table.restricted->columns) {
        if (column.readable || (!star && column.name != node.names.back())) continue;
        fail("42501", "permission denied for relation " + table.restricted->name, node.span);
      }
    }
  }
}

void Emitter::named_table(const TableReference& node) {
  const QualifiedName& name = node.name;
  // t.items, where t stands earlier in FROM: the elements of a SUPER array.
  const ScopeTable* owner =
      name.parts.size() > 1 || node.value ? find_alias(name.parts[0]) : nullptr;
  if (owner != nullptr) {
    Expression plain;
    plain.kind = ExpressionKind::kColumn;
    plain.names = name.parts;
    plain.span = name.span;
    return unnest(node, node.value ? *node.value : plain);
  }
  if (node.value) unsupported("a SUPER path in FROM without its table", node.span);
  ScopeTable entry;
  entry.alias = node.alias.empty() ? std::string(name.name()) : node.alias;
  if (const auto* columns = common_table_columns(name)) {
    entry.columns = *columns;
    entry.columns_known = !columns->empty();
    const std::string source = cut_source(node, quote_identifier(name.name()), entry.columns);
    write(source);
    const bool cut = source.front() == '(';
    const std::string alias = add_scope_table(std::move(entry));
    if (cut || !node.alias.empty() || !node.column_aliases.empty()) alias_of(node, alias);
    return;
  }
  const Relation* relation = look_up(name);
  if (relation != nullptr && relation == merge_target_) {
    fail("0A000", "Source view/subquery in Merge statement cannot reference target table.",
         node.span);
  }
  const std::string source = captured([&] { readable_relation(node, relation, entry); });
  if (relation != nullptr) entry.columns = scope_columns(*relation);
  write(cut_source(node, source, entry.columns));
  if (node.alias.empty()) entry.schema = name.schema().empty() ? "?" : std::string(name.schema());
  entry.system =
      relation != nullptr ? relation->kind == RelationKind::kSystem : is_system_relation(name);
  reads_table_ = reads_table_ || !entry.system;
  if (relation != nullptr) {
    // A late-binding view does not know its columns.
    entry.columns_known = entry.system || !entry.columns.empty();
    entry.relation = relation;
    if (!node.column_aliases.empty()) note_all(entry);  // each has its name from its place
    for (std::size_t i = 0; i < node.column_aliases.size() && i < entry.columns.size(); ++i) {
      entry.columns[i].name = node.column_aliases[i];
    }
  }
  alias_of(node, add_scope_table(std::move(entry)));
}

/// FROM f(x) [AS] a (columns): sets and scalars; a system function becomes a table function of the
/// catalog.
void Emitter::table_function(const TableReference& node) {
  if (unnest_call(node)) return;
  const Expression& call = *node.value;
  const std::string_view name = call.names.back();
  const bool set = name == "generate_series" || name == "unnest" ||
                   name.starts_with("pg_get_late") || name == "pg_get_cols" ||
                   name == "pg_timezone_names" || name == "pg_timezone_abbrevs";
  ScopeTable entry;
  entry.alias = node.alias.empty() ? name : node.alias;
  entry.system = true;
  if (set) {
    in_from_function_ = true;
    expression(call);
    in_from_function_ = false;
  } else {  // one row of one value
    write("(SELECT ");
    expression(call);
    write(" AS ");
    identifier(name);
    write(")");
  }
  const std::string alias = add_scope_table(std::move(entry));
  write(" AS ");
  identifier(alias);
  std::vector<std::string> columns = node.column_aliases;
  for (const ColumnDefinitionAlias& column : node.column_definitions)
    columns.push_back(column.name);
  if (columns.empty() && !node.alias.empty() && (name == "generate_series" || name == "unnest")) {
    columns.push_back(node.alias);
  }
  if (columns.empty()) return;
  write("(");
  identifiers(columns);
  write(")");
}

/// The elements of the SUPER array at `path`, in a column of that name.
void Emitter::elements(const TableReference& node, const Expression& array,
                       const std::string& column) {
  const auto navigation = super_navigation(array);
  const std::string base = navigation ? navigation->first : text_of(array);
  const std::string path = (navigation ? navigation->second : "$") + "[*]";
  write("LATERAL (SELECT unnest(\"l\") AS ");
  identifier(column);
  if (!node.at_alias.empty()) {
    write(", generate_subscripts(\"l\", 1) - 1 AS ");
    identifier(node.at_alias);
  }
  write(" FROM (SELECT json_extract(" + base + ", " + quote_literal(path) + ") AS \"l\"))");
}

void Emitter::unnest(const TableReference& node, const Expression& array) {
  ScopeTable entry;
  entry.alias = node.alias.empty() ? "unnest" : node.alias;
  entry.element = true;
  elements(node, array, entry.alias);
  write(" AS ");
  identifier(add_scope_table(std::move(entry)));
}

/// UNNEST(array) [WITH OFFSET] AS name (element [, offset]); false: not of a SUPER array.
bool Emitter::unnest_call(const TableReference& node) {
  const Expression& call = *node.value;
  if (call.names.back() != "unnest" || call.children.size() != 1) return false;
  const Expression& array = *call.children[0];
  if (!super_navigation(array) && infer(array).kind != Inferred::kSuper) {
    if (!node.at_alias.empty()) unsupported("UNNEST ... WITH OFFSET of no SUPER value", node.span);
    return false;
  }
  const std::size_t columns = node.at_alias.empty() ? 1 : 2;
  if (node.column_aliases.size() > columns) {
    fail("42P10",
         "table \"" + node.alias + "\" has " + std::to_string(columns) + " columns available but " +
             std::to_string(node.column_aliases.size()) + " columns specified",
         node.span);
  }
  ScopeTable entry;
  entry.alias = node.alias.empty() ? "unnest" : node.alias;
  const std::string column = node.column_aliases.empty() ? entry.alias : node.column_aliases[0];
  elements(node, array, column);
  entry.columns.push_back({.name = column, .type = {Inferred::kSuper}});
  if (columns > 1) entry.columns.push_back({.name = node.at_alias, .type = {Inferred::kBigint}});
  entry.columns_known = true;
  write(" AS ");
  identifier(add_scope_table(std::move(entry)));
  return true;
}

void Emitter::super_unpivot(const TableReference& node) {
  auto navigation = super_navigation(*node.value);
  const std::string object = navigation ? "json_extract(" + navigation->first + ", " +
                                              quote_literal(navigation->second) + ")"
                                        : text_of(*node.value);
  const std::string attribute = node.at_alias.empty() ? "key" : node.at_alias;
  write("LATERAL (SELECT unnest(json_keys(" + object + ")) AS ");
  identifier(attribute);
  write(", unnest(json_extract(" + object + ", '$.*')) AS ");
  identifier(node.alias);
  write(")");
  ScopeTable entry;
  entry.alias = node.alias;
  entry.element = true;
  write(" AS ");
  identifier(add_scope_table(std::move(entry)));
}

void Emitter::join(const TableReference& node) {
  const std::size_t cut_columns = cut_columns_.size();
  const std::size_t first = scopes_.back().tables.size();
  const bool natural = in_natural_;
  // What stands on a side that may be left out keeps its elements outside.
  const bool hosts = hosts_;
  const bool inner = node.join_type == JoinType::kInner || node.join_type == JoinType::kCross;
  const bool continues = continued_ != nullptr && node.left.get() == continued_;
  const std::size_t left = continues ? continued_at_ : out_.size();
  std::size_t right = 0;
  std::size_t left_end = 0;
  bool has_elements = false;
  note_cut_columns(node);
  write_joined_tables(
      node, [&](std::string_view text) { write(text); },
      [&](const TableReference& side) {
        const bool first_side = &side == node.left.get();
        hosts_ = hosts && (inner || (first_side && node.join_type == JoinType::kLeft));
        if (!first_side) {
          const std::string words = out_.substr(left_end);
          out_.resize(left_end);
          has_elements = joins_elements(node, left);
          if (has_elements) return;
          write(words);
        }
        right = out_.size();
        table(side);
        left_end = out_.size();
      });
  hosts_ = hosts;
  cut_columns_.resize(cut_columns);
  in_natural_ = natural;
  note_join(node);
  if (has_elements) return;
  if (!node.using_columns.empty()) {
    for (const std::string& name : node.using_columns) {
      Collation collation = Collation::kOpen;
      for (std::size_t i = first; i < scopes_.back().tables.size(); ++i) {
        for (const ScopeColumn& column : scopes_.back().tables[i].columns) {
          if (column.name == name) collation = met(collation, column.type.collation, node.span);
        }
      }
    }
    write(" USING (");
    identifiers(node.using_columns);
    write(")");
  } else if (node.on) {
    require_condition(*node.on, "JOIN/ON");
    const std::size_t queries = queries_;
    const std::string condition = text_of(*node.on);
    if (queries != queries_ && lateral_join(node, left, right, condition)) return;
    write(" ON " + condition);
  }
}

/// The engine refuses a query over both sides in the condition of an outer join; where it would
/// not, this costs a grouping of the keys more.
bool Emitter::lateral_join(const TableReference& node, std::size_t left, std::size_t right,
                           const std::string& condition) {
  const bool swapped = node.join_type == JoinType::kRight;
  const TableReference& asked = swapped ? *node.left : *node.right;
  const bool outer = swapped || node.join_type == JoinType::kLeft;
  if (!outer || (asked.kind != TableKind::kName && asked.kind != TableKind::kSubquery))
    return false;
  const std::string_view words = swapped ? " RIGHT JOIN " : " LEFT JOIN ";
  std::string right_side = out_.substr(right);
  std::string left_side = out_.substr(left, right - left);
  if (node.right->kind == TableKind::kJoin) {
    left_side.pop_back();
    right_side.insert(0, "(");
  }
  left_side.resize(left_side.size() - words.size());
  // Its table is the only one of its side.
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  const std::size_t own =
      swapped ? tables.size() - 1 - count_tables(*node.right) : tables.size() - 1;
  if (tables[own].element) return false;
  const std::string alias = quote_identifier(tables[own].emitted_alias);
  if (swapped) {
    std::swap(left_side, right_side);
    scopes_.back().reordered = true;
  }
  out_.resize(left);
  write(left_side + " LEFT JOIN LATERAL (SELECT * FROM " + right_side + " WHERE " + condition +
        ") AS " + alias + " ON true");
  return true;
}

/// The source's columns that PIVOT groups by: those that neither its FOR nor its aggregates name.
/// Nothing when the source's columns are not known.
std::optional<std::vector<ScopeColumn>> Emitter::pivot_groups(const TableReference& node) const {
  std::vector<std::string> used = {node.pivot_for->names.empty() ? ""
                                                                 : node.pivot_for->names.back()};
  for (const SelectItem& item : node.pivot_aggregates) column_names(*item.value, used);
  std::vector<ScopeColumn> groups;
  for (const ScopeTable& source : scopes_.back().tables) {
    if (!source.columns_known) return std::nullopt;
    for (const ScopeColumn& column : source.columns) {
      if (std::ranges::find(used, column.name) == used.end()) groups.push_back(column);
    }
  }
  return groups;
}

/// One aggregate with FILTER for each value, grouped by the source's other columns.
void Emitter::pivot_by_filter(const TableReference& node, const std::string& source,
                              const std::vector<ScopeColumn>& groups,
                              std::vector<ScopeColumn>& columns) {
  write("(SELECT ");
  std::string grouped;
  for (const ScopeColumn& group : groups) {
    const std::string name = quote_identifier(group.name);
    write((grouped.empty() ? "" : ", ") +
          (has_key(group.type) ? "min(" + name + ") AS " + name : name));
    grouped += (grouped.empty() ? "" : ", ") + text_key(name, group.type);
  }
  for (const PivotValue& value : node.pivot_values) {
    std::string shown = value.alias;
    if (shown.empty()) {
      const bool text = value.value->kind == ExpressionKind::kString;
      shown = to_lower(text ? value.value->text : text_of(*value.value));
    }
    const InferredType type = infer(*node.pivot_for);
    const bool keyed = has_key(type);
    filter_ = (keyed ? text_key(text_of(*node.pivot_for), type) : operand_text(*node.pivot_for)) +
              " IS NOT DISTINCT FROM " +
              (keyed ? compared_value(*value.value, type.collation) : operand_text(*value.value));
    for (const SelectItem& item : node.pivot_aggregates) {
      if (!columns.empty() || !groups.empty()) write(", ");
      filtered_ = item.value.get();
      expression(*item.value);
      filtered_ = nullptr;
      if (!std::exchange(filter_written_, false))
        unsupported("PIVOT with this expression", item.value->span);
      write(" AS ");
      const std::string name = item.alias.empty() ? shown : shown + "_" + item.alias;
      identifier(name);
      columns.push_back({.name = name, .type = infer(*item.value)});
    }
  }
  write(" FROM " + source);
  if (!grouped.empty()) write(" GROUP BY " + grouped);
  write(")");
}

void Emitter::pivot(const TableReference& node) {
  // The source's names are not visible outside.
  scopes_.emplace_back();
  const std::string source = captured([&] { table(*node.left); });
  note_all();
  if (const auto groups = pivot_groups(node)) {
    std::vector<ScopeColumn> columns;
    pivot_by_filter(node, source, *groups, columns);
    scopes_.pop_back();
    columns.insert(columns.begin(), groups->begin(), groups->end());
    ScopeTable entry;
    entry.alias = node.alias;
    entry.columns = std::move(columns);
    entry.columns_known = true;
    return alias_of(node, add_scope_table(std::move(entry)));
  }
  write("(SELECT * FROM ");
  write(source);
  write(" PIVOT (");
  for (std::size_t i = 0; i < node.pivot_aggregates.size(); ++i) {
    if (i > 0) write(", ");
    const SelectItem& item = node.pivot_aggregates[i];
    expression(*item.value);
    if (item.alias.empty()) continue;
    write(" AS ");
    identifier(item.alias);
  }
  write(" FOR ");
  identifier(node.pivot_for->names.empty() ? "" : node.pivot_for->names.back());
  write(" IN (");
  for (std::size_t i = 0; i < node.pivot_values.size(); ++i) {
    if (i > 0) write(", ");
    const PivotValue& value = node.pivot_values[i];
    expression(*value.value);
    if (value.alias.empty()) continue;
    write(" AS ");
    identifier(value.alias);
  }
  write(")))");
  scopes_.pop_back();
  ScopeTable entry;
  entry.alias = node.alias;
  alias_of(node, add_scope_table(std::move(entry)));
}

void Emitter::unpivot(const TableReference& node) {
  scopes_.emplace_back();
  write("(SELECT * FROM ");
  table(*node.left);
  note_all();
  write(node.unpivot_include_nulls ? " UNPIVOT INCLUDE NULLS (" : " UNPIVOT (");
  identifier(node.unpivot_value);
  write(" FOR ");
  identifier(node.unpivot_name);
  write(" IN (");
  for (std::size_t i = 0; i < node.pivot_values.size(); ++i) {
    if (i > 0) write(", ");
    const PivotValue& value = node.pivot_values[i];
    if (value.value->kind != ExpressionKind::kColumn)
      unsupported("UNPIVOT of an expression", value.value->span);
    identifier(value.value->names.back());
    write(" AS ");
    string_literal(value.alias.empty() ? value.value->names.back() : value.alias);
  }
  write(")))");
  scopes_.pop_back();
  ScopeTable entry;
  entry.alias = node.alias;
  alias_of(node, add_scope_table(std::move(entry)));
}

}  // namespace leat::sql
