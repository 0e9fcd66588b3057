// SELECT, set operations, common tables.
#include <algorithm>
#include <utility>

#include "warehouse/sql/emitter.h"

namespace leat::sql {

namespace {

/// The name a type has in the catalog, which a column made by a cast takes: "int4" for INTEGER.
std::string catalog_name(const TypeName& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "bool";
    case TypeKind::kSmallint:
      return "int2";
    case TypeKind::kInteger:
      return "int4";
    case TypeKind::kBigint:
      return "int8";
    case TypeKind::kDecimal:
      return "numeric";
    case TypeKind::kReal:
      return "float4";
    case TypeKind::kDouble:
      return "float8";
    case TypeKind::kChar:
      return "bpchar";
    case TypeKind::kVarchar:
      return type.spelling == "text" ? "text" : "varchar";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimeTz:
      return "timetz";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kTimestampTz:
      return "timestamptz";
    case TypeKind::kVarbyte:
      return "varbyte";
    default:
      return type.spelling;
  }
}

/// What a cast is called when its value has no name.
std::string cast_name(const Expression& cast) {
  return catalog_name(*cast.type);
}

}  // namespace

/// The name PostgreSQL gives an output column without alias.
std::string Emitter::output_name(const Expression& node) {
  switch (node.kind) {
    case ExpressionKind::kColumn:
      return node.names.back();
    case ExpressionKind::kField:
      return node.names[0];
    case ExpressionKind::kSubscript:
    case ExpressionKind::kCollate:
      return output_name(*node.children[0]);
    case ExpressionKind::kCase:
      return "case";
    case ExpressionKind::kArray:
    case ExpressionKind::kArrayQuery:
      return "array";
    case ExpressionKind::kExists:
      return "exists";
    case ExpressionKind::kBoolean:
      return "bool";
    case ExpressionKind::kInterval:
      return "interval";
    case ExpressionKind::kTypedLiteral:
      return catalog_name(*node.type);
    case ExpressionKind::kAtTimeZone:
      return "timezone";
    case ExpressionKind::kCast: {
      std::string name = output_name(*node.children[0]);
      const ExpressionKind inner = node.children[0]->kind;
      // A name that came from a type, or from CASE, gives way to the outer type.
      const bool weak = name == "?column?" || inner == ExpressionKind::kBoolean ||
                        inner == ExpressionKind::kInterval ||
                        inner == ExpressionKind::kTypedLiteral || inner == ExpressionKind::kCase ||
                        (inner == ExpressionKind::kCast && name == cast_name(*node.children[0]));
      return weak ? catalog_name(*node.type) : name;
    }
    case ExpressionKind::kFunction:
      break;
    default:
      return "?column?";
  }
  const std::string_view name = node.names.back();
  if (name == "dateadd") return "date_add";
  if (name == "datediff") return "date_diff";
  if (name == "date_part") return "pgdate_part";
  if (name == "extract") return "date_part";
  if (name == "decode" || name == "nvl2") return "case";
  if (name == "nvl") return "coalesce";
  if (name == "position") return "strpos";
  return std::string(name);
}

std::vector<ResultColumn> Emitter::result_columns() const {
  std::vector<ResultColumn> columns;
  columns.reserve(last_columns_.size());
  for (const ScopeColumn& column : last_columns_) {
    ResultColumn result;
    result.name = column.name;
    result.type = type_of(column.type);
    if (column.type.kind == Inferred::kText && column.type.length >= 0) {
      result.character = column.type.padded ? TypeKind::kChar : TypeKind::kVarchar;
      result.length = column.type.length;
    }
    result.blanks = !ends_in_no_blank(column.type);
    result.insensitive = column.type.collation == Collation::kInsensitive ||
                         (column.type.collation == Collation::kOpen && context_.insensitive);
    if (column.relation != nullptr && column.relation->oid != 0) {
      result.table_oid = column.relation->oid;
      result.schema = column.relation->schema;
      result.table = column.relation->name;
      result.column_number = column.origin->number;
      result.column = column.origin->name;
      result.not_null = column.origin->not_null;
      result.identity = column.origin->identity;
    }
    columns.push_back(std::move(result));
  }
  return columns;
}

void Emitter::with(const std::vector<CommonTable>& tables, bool recursive) {
  if (tables.empty()) return;
  write(recursive ? "WITH RECURSIVE " : "WITH ");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const CommonTable& table = tables[i];
    if (i > 0) write(", ");
    identifier(table.name);
    if (!table.columns.empty()) {
      write("(");
      identifiers(table.columns);
      write(")");
    }
    write(" AS (");
    if (recursive) common_tables_.push_back({.name = table.name, .columns = {}});
    const bool outer_recursion = std::exchange(in_recursion_, recursive);
    const CommonTable* outer_table = std::exchange(recursion_, recursive ? &table : nullptr);
    query(*table.query);
    in_recursion_ = outer_recursion;
    recursion_ = outer_table;
    write(")");
    if (!recursive) common_tables_.push_back({.name = table.name, .columns = {}});
    KnownCommonTable& known = common_tables_.back();
    // One that names itself has the types of its first part.
    if (!known.read) known.columns = std::move(last_columns_);
    if (!known.columns.empty() && table.columns.size() > known.columns.size()) {
      fail("42P10",
           "WITH query \"" + table.name + "\" has " + std::to_string(known.columns.size()) +
               " columns available but " + std::to_string(table.columns.size()) +
               " columns specified",
           table.span);
    }
    for (std::size_t c = 0; c < table.columns.size() && c < known.columns.size(); ++c) {
      known.columns[c].name = table.columns[c];
    }
  }
  write(" ");
}

void Emitter::note_anchor(const Query& node) {
  if (recursion_ == nullptr || recursion_->query.get() != &node) return;
  const auto known = std::ranges::find(common_tables_.rbegin(), common_tables_.rend(),
                                       recursion_->name, &KnownCommonTable::name);
  if (known == common_tables_.rend()) return;
  known->columns = last_columns_;
  for (std::size_t i = 0; i < known->columns.size(); ++i) {
    ScopeColumn& column = known->columns[i];
    if (i < recursion_->columns.size()) column.name = recursion_->columns[i];
    column.relation = nullptr;
    column.origin = nullptr;
    column.type.collated = false;
    if (column.type.kind != Inferred::kText) continue;
    // What the other part makes of it is not known yet.
    column.type.length = -1;
    column.type.padded = false;
    column.type.trimmed = false;
  }
}

std::vector<ScopeColumn> Emitter::values_columns(const Query& node) const {
  std::vector<ScopeColumn> columns;
  for (std::size_t i = 0; i < node.values.front().size(); ++i) {
    std::vector<const Expression*> cells;
    for (const auto& row : node.values) {
      if (i < row.size()) cells.push_back(row[i].get());
    }
    columns.push_back({.name = "col" + std::to_string(i), .type = infer_choice(cells)});
  }
  return columns;
}

void Emitter::query(const Query& node) {
  const std::vector<std::string> cut_columns = std::exchange(cut_columns_, {});
  const SuperUse super_use = std::exchange(super_use_, SuperUse::kValue);
  const bool float_checks = std::exchange(float_checks_, true);
  const bool hosts = std::exchange(hosts_, false);
  ++queries_;
  const std::size_t common_tables = common_tables_.size();
  with(node.with, node.recursive);
  if (node.kind == QueryKind::kSelect) {
    select(*node.select, node.order_by, node.limit.get(), node.offset.get());
  } else {
    const std::size_t begin = out_.size();
    query_body(node);
    std::vector<ScopeColumn> columns = std::move(last_columns_);
    order_set(node.order_by, begin, columns);
    if (node.limit) {
      write(" LIMIT ");
      operand(*node.limit);
    }
    if (node.offset) {
      write(" OFFSET ");
      operand(*node.offset);
    }
    last_columns_ = std::move(columns);
  }
  common_tables_.resize(common_tables);
  hosts_ = hosts;
  super_use_ = super_use;
  float_checks_ = float_checks;
  cut_columns_ = cut_columns;
}

void Emitter::query_body(const Query& node) {
  switch (node.kind) {
    case QueryKind::kValues:
      write("VALUES ");
      for (std::size_t i = 0; i < node.values.size(); ++i) {
        if (i > 0) write(", ");
        write("(");
        comma_separated(node.values[i]);
        write(")");
      }
      last_columns_ = values_columns(node);
      return;
    case QueryKind::kNested: {
      // The engine takes nothing before and behind a query in brackets.
      const bool tail = !node.with.empty() || !node.order_by.empty() || node.limit || node.offset;
      write(tail ? "SELECT * FROM (" : "(");
      query(*node.left);
      return write(tail ? ") AS \"nested\"" : ")");
    }
    case QueryKind::kSetOperation:
      return set_operation(node);
    case QueryKind::kSelect:
      return;
  }
}

std::string Emitter::select_item(const SelectItem& item) {
  const Expression* outer = std::exchange(item_, item.alias.empty() ? item.value.get() : nullptr);
  const std::size_t begin = out_.size();
  expression(*item.value);
  item_ = outer;
  std::string text = out_.substr(begin);
  if (item.value->kind == ExpressionKind::kStar) return text;
  if (!item.alias.empty()) {
    scopes_.back().aliases.push_back({item.alias, text, infer(*item.value)});
    write(" AS ");
    identifier(item.alias);
    return text;
  }
  const bool column = item.value->kind == ExpressionKind::kColumn;
  const bool named = column && !is_level(*item.value) && !super_navigation(*item.value) &&
                     (scopes_.back().groups.empty() || group_of(*item.value) == nullptr);
  // Elements have another name where they are made.
  if (named && (elements_ == 0 || text.ends_with(quote_identifier(item.value->names.back()))))
    return text;
  write(" AS ");
  identifier(output_name(*item.value));
  return text;
}

void Emitter::select(const Select& node, const std::vector<OrderItem>& order,
                     const Expression* limit, const Expression* offset) {
  if (node.items.size() > kSelectItemsMax) {
    fail("54011", "target lists can have at most " + std::to_string(kSelectItemsMax) + " entries",
         {});
  }
  scopes_.emplace_back();
  note_correlated_groups(node);
  // FROM first: the select list needs its names.
  std::string where_text;
  const std::string from_text =
      has_outer_marks(node) ? outer_joined_tables(node, where_text) : captured([&] {
        if (node.connect_by) return hierarchy(node);
        hosts_ = use_ == nullptr;
        from(node.from);
        hosts_ = false;
      });
  cut_columns_.clear();
  if (node.where && !has_outer_marks(node)) where_text = captured([&] { filter(*node.where); });
  float_checks_ = !has_computed_groups(node);
  if (use_ == nullptr) find_groups(node);
  scopes_.back().grouped = !scopes_.back().groups.empty();
  scopes_.back().grouped_paths = path_keys(node);
  write("SELECT ");
  const std::size_t distinct_at = out_.size();
  std::vector<std::string> items;
  if (node.distinct) write("DISTINCT ");
  if (!node.distinct_on.empty()) {
    write("ON (");
    compared_values(node.distinct_on);
    write(") ");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) write(", ");
    const SelectItem& item = node.items[i];
    if (item.value->kind == ExpressionKind::kStar && star_by_columns(node, *item.value)) {
      note_star(node, item);
      items.emplace_back();
      continue;
    }
    items.push_back(select_item(item));
    if (item.value->kind != ExpressionKind::kStar) continue;
    note_star(node, item);
    std::vector<std::string> exclude = node.exclude;
    if (node.connect_by) exclude.insert(exclude.end(), {"leat_row", "leat_level", "leat_rows"});
    if (!exclude.empty()) {
      write(" EXCLUDE (");
      identifiers(exclude);
      write(")");
    }
    if (scopes_.back().has_elements && item.value->names.empty()) rename_elements();
    represent_in_star(*item.value);
  }
  if (node.distinct) {
    if (const std::string keys = distinct_keys(node, items); !keys.empty())
      out_.insert(distinct_at + std::string_view("DISTINCT ").size(), "ON (" + keys + ") ");
  }
  refuse_sketch_keys(node, order);
  if (!node.from.empty()) {
    write(" FROM ");
    write(from_text);
  }
  if (!where_text.empty()) {
    write(" WHERE ");
    write(where_text);
  }
  if (node.group_by_all || !node.group_by.empty()) {
    write(" GROUP BY ");
    scopes_.back().by_alias = true;
    scopes_.back().grouped = false;
    const auto paths = std::exchange(scopes_.back().grouped_paths, {});
    group_keys(node);
    scopes_.back().grouped_paths = paths;
    scopes_.back().grouped = !scopes_.back().groups.empty();
    scopes_.back().by_alias = false;
  }
  if (node.having) {
    write(" HAVING ");
    require_condition(*node.having, "HAVING");
    // The engine forgets the group of no rows in a correlated query that has no aggregate.
    const bool whole = scopes_.size() > 1 && node.group_by.empty() && !node.group_by_all;
    if (whole) write("count(*) >= 0 AND (");
    expression(*node.having);
    if (whole) write(")");
  }
  if (node.qualify) {
    write(" QUALIFY ");
    require_condition(*node.qualify, "QUALIFY");
    expression(*node.qualify);
  }
  std::vector<ScopeColumn> columns = output_columns(node);
  scopes_.back().by_alias = true;
  scopes_.back().alias_first = true;
  order_by(order, !node.distinct, &columns, &node);
  if (limit != nullptr) {
    write(" LIMIT ");
    operand(*limit);
  } else if (node.top) {
    write(" LIMIT ");
    expression(*node.top);
  }
  if (offset != nullptr) {
    write(" OFFSET ");
    operand(*offset);
  }
  scopes_.pop_back();
  last_columns_ = std::move(columns);
}

}  // namespace leat::sql
